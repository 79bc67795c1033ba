"""Pools of worker processes: a program without decorators ends as without mprof, and decorated tasks are
recorded in the worker that ran them, however it was started."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from mprof_test import (DEADLINE_S, PROGRAMS, WITHOUT_EVENTS, MPROF, Recording, TestCase,  # noqa: E402
                        python, wait_until)

METHODS = ("fork", "spawn", "forkserver")

RECORDED = """
def wait_for_name(name):
    wait_for_line("|" + name.replace(" ", "\\\\x20") + " nan")
def wait_for_line(line):
    end = time.monotonic() + 50
    while line not in open("out.dat", errors="replace").read():
        assert time.monotonic() < end, "not recorded: " + line
        time.sleep(0.01)
"""

# Each child prints its name, and waits until it is recorded.
NAMES = """
import multiprocessing, os, sys, time
RECORDEDdef say(title=None):
    process = multiprocessing.current_process()
    if title: process.name = title
    name = process.name.replace("\\n", "\\\\x0a")
    wait_for_name(name)
    os.write(1, f"{os.getpid()} {name}\\n".encode())
    time.sleep(0.3)  # a forked child counts after 0.1 s
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with multiprocessing.Pool(2, say) as pool:
        pool.close(); pool.join()
    for process in (multiprocessing.Process(target=say, name="the reader"),
                    multiprocessing.Process(target=say, args=("two\\nlines",))):
        process.start(); process.join()
        assert process.exitcode == 0
""".replace("RECORDED", RECORDED)

# A name is valid until an exec, which gives the process the name of the new program.
EXECUTED = """
import multiprocessing, os, time
RECORDEDdef work():
    wait_for_name("a name")
    os.execv("/bin/sh", ["sh", "waits.sh", str(os.getpid())])
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    process = multiprocessing.Process(target=work, name="a name")
    process.start(); process.join()
    print(process.pid, process.exitcode)
""".replace("RECORDED", RECORDED)

WAITS = """
until grep -q "^#PROC|$1|.*|sh.x20waits.sh " out.dat; do sleep 0.02; done
exit 5
"""

ATTACHED = """
import multiprocessing, os
def busy(): sum(range(1000))
def work():
    print(os.getpid(), flush=True)
    while True: busy()
if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=work, name="reader")
    process.start(); process.join()
"""

# As setproctitle does: writes over the arguments, and sets the kernel's name.
TITLED = """
$0 = "worker: of perl";
for (1 .. 2500) {
    open my $file, "<", "out.dat"; exit 5 if grep /^#PROC\\|$$\\|.*\\|worker:.x20of.x20perl /, <$file>;
    select undef, undef, undef, 0.02;
}
"""

# Three concurrent workers of a fork server that is recorded.
FORKSERVER = """
import multiprocessing, os, time
RECORDED@profile
def outer(barrier):
    wait_for_name(multiprocessing.current_process().name)
    wait_for_line(f"#PROC|{os.getppid()}|")
    barrier.wait(50)
    inner()
@profile
def inner(): os.write(1, f"{os.getpid()}\\n".encode())
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(3)
    workers = [context.Process(target=outer, args=(barrier,), name=f"worker {n}") for n in range(3)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
""".replace("RECORDED", RECORDED)


class Pool(TestCase):
    def plain(self, *command):
        return subprocess.run(list(map(str, command)), capture_output=True, text=True,
                              env=self.environment(), cwd=self.directory, timeout=DEADLINE_S)

    def test_a_program_without_decorator_ends_as_without_mprof(self):
        for method in METHODS:
            with self.subTest(method=method):
                plain = self.plain(python(), PROGRAMS / "pool.py", method)
                self.assertEqual(plain.returncode, 3, plain.stderr)
                path = self.directory / f"{method}.dat"
                done = self.run_mprof("run", "-E", "-C", "-M", "-T", "0.01", "-o", path,
                                      PROGRAMS / "pool.py", method, expect=3)
                self.assertEqual(self.program_output(done.stdout), plain.stdout)
                self.assertEqual(done.stderr, plain.stderr)
                recording = Recording(path)
                self.assertEqual(recording.calls, [])
                self.assertGreaterEqual(len({pid for pid, _, _ in recording.chld}), 2)
                self.assert_upstream_reads_the_same(recording)
                self.assert_draws(path)

    @staticmethod
    def program_output(text):
        """What the program printed, without the lines of mprof."""
        return "".join(line for line in text.splitlines(keepends=True)
                       if not line.startswith(("mprof: ", "running ")))

    def test_upstream_breaks_the_same_program(self):
        upstream = pathlib.Path("/usr/bin/python3-mprof")
        if not upstream.exists():
            self.skipTest("python3-memory-profiler is not installed")
        plain = self.plain(python(), PROGRAMS / "pool.py", "fork")
        try:
            broken = self.plain(upstream, "run", "-E", PROGRAMS / "pool.py", "fork").stdout
        except subprocess.TimeoutExpired:
            return
        self.assertNotEqual(self.program_output(broken), plain.stdout)

    def test_decorated_tasks_of_every_worker(self):
        for method in METHODS:
            with self.subTest(method=method):
                path = self.directory / f"{method}.dat"
                done = self.run_mprof("run", "-E", "-C", "-M", "-T", "0.01", "-o", path,
                                      PROGRAMS / "pool_profile.py", method)
                self.assertEqual(self.program_output(done.stdout).split(),
                                 [str(n * (n - 1) // 2) for n in
                                  (100_000, 200_000, 300_000, 400_000)], done.stderr)
                recording = Recording(path)
                tasks, totals = recording.calls_of("collect"), recording.calls_of("total")
                self.assertEqual((len(tasks), len(totals)), (4, 4))
                self.assertEqual({call.level for call in tasks}, {0})
                self.assertEqual({call.level for call in totals}, {1})
                self.assertFalse([call for call in recording.calls if call.open])
                self.assertLessEqual({call.pid for call in tasks},
                                     {pid for pid, _, _ in recording.processes})
                self.assert_nested(recording.calls)
                self.assert_upstream_reads_the_same(recording)
                self.assert_draws(path, options=["--flame"])

    def names(self, recording):
        """{pid: the last name in the recording}, on one line."""
        return {int(pid): name.replace("\n", "\\x0a")
                for pid, _, _, name in recording.records("PROC")}

    def printed_names(self, done):
        return {int(pid): name for pid, name in
                (line.split(" ", 1) for line in self.program_output(done.stdout).splitlines())}

    def test_names_of_workers(self):
        """As multiprocessing has them, in the file and in all outputs, with process events and by scanning."""
        (self.directory / "program.py").write_text(NAMES)
        for prefix in ([], WITHOUT_EVENTS):
            for method in METHODS:
                with self.subTest(method=method, prefix=prefix):
                    command = [*prefix, MPROF, "run", "-E", "-C", "-M", "-T", "0.05", "-o", "out.dat",
                               python(), "program.py", method]
                    done = self.run_mprof(*command[1:], program=command[0])
                    printed = self.printed_names(done)
                    self.assertEqual(len(printed), 4, done.stdout + done.stderr)
                    self.assertIn("two\\x0alines", printed.values())
                    recording = Recording(self.directory / "out.dat")
                    names = self.names(recording)
                    self.assertEqual({pid: names.get(pid) for pid in printed}, printed)
                    main = int(recording.facts["pid"])
                    self.assertEqual(names[main].split(" ")[1], "program.py")
                    self.assert_upstream_reads_the_same(recording)
                    (self.directory / "out.dat").rename(self.directory / "last.dat")
        peak = self.run_mprof("peak", "--exact", "last.dat").stdout
        top = self.run_mprof("top", "--once", "last.dat").stdout
        self.run_mprof("plot", "-o", "last.svg", "last.dat")
        picture = (self.directory / "last.svg").read_text()
        for pid, name in printed.items():
            if name.isprintable() and "\\" not in name:
                self.assertRegex(peak, rf"(?m)^  Child {pid}\t\t\t[0-9.]+ MiB\t{name}$")
                self.assertRegex(top, rf"(?m)^ +{pid} .*  {name} ")
                self.assertIn(f"{name} {pid}", picture)

    def test_names_where_children_are_not_recorded(self):
        """Without -C and -M only processes that record calls have names."""
        (self.directory / "program.py").write_text(NAMES.replace("def say(", "@profile\ndef say("))
        for method in METHODS:
            with self.subTest(method=method):
                done = self.run_mprof("run", "-E", "-T", "0.05", "-o", "out.dat", python(),
                                      "program.py", method)
                printed = self.printed_names(done)
                recording = Recording(self.directory / "out.dat")
                self.assertEqual(len(printed), 4, done.stdout + done.stderr)
                self.assertLessEqual(printed.items(), self.names(recording).items())
                self.assertEqual({call.pid for call in recording.calls_of("say")}, set(printed))
                (self.directory / "out.dat").unlink()

    def test_names_change(self):
        """At an exec, and when a process sets its title."""
        (self.directory / "program.py").write_text(EXECUTED)
        (self.directory / "waits.sh").write_text(WAITS)
        (self.directory / "titled.pl").write_text(TITLED)
        for prefix in ([], WITHOUT_EVENTS):
            with self.subTest(prefix=prefix):
                command = [*prefix, MPROF, "run", "-E", "-C", "-T", "0.05", "-o", "out.dat"]
                done = self.run_mprof(*command[1:], python(), "program.py", program=command[0])
                pid, code = map(int, self.program_output(done.stdout).split())
                self.assertEqual(code, 5)
                recording = Recording(self.directory / "out.dat")
                self.assertEqual(self.names(recording)[pid], "sh waits.sh")
                (self.directory / "out.dat").unlink()
                if shutil.which("perl"):
                    self.run_mprof(*command[1:], "perl", "titled.pl", program=command[0], expect=5)
                    recording = Recording(self.directory / "out.dat")
                    self.assertEqual(self.names(recording),
                                     {int(recording.facts["pid"]): "worker: of perl"})
                    (self.directory / "out.dat").unlink()

    def test_name_of_an_attached_worker(self):
        (self.directory / "program.py").write_text(ATTACHED)
        path = self.directory / "out.dat"
        program = self.start(python(), "program.py")
        pid = self.wait_for_output(program, r"(\d+)\n")[1]
        recorder = self.start_mprof("attach", "--functions", "__main__:busy", "-o", path, pid)
        printed = self.wait_for_output(recorder, r"functions are .*")[0]
        if not printed.startswith("functions are recorded"):
            self.skipTest(printed)
        line = re.compile(rf"(?m)^#PROC\|{pid}\|.*\|reader ")
        wait_until(lambda: path.exists() and line.search(path.read_text()), "the name")

    def test_forkserver_in_every_python(self):
        """Calls of its workers reach the recording, with process and level."""
        (self.directory / "program.py").write_text(FORKSERVER)
        for one in interpreters.supported():
            with self.subTest(python=str(one)):
                path = self.directory / "out.dat"
                done = self.run_mprof("run", "-E", "-C", "-M", "-o", path, one.path, "program.py")
                workers = set(map(int, self.program_output(done.stdout).split()))
                recording = Recording(path)
                self.assertEqual(len(workers), 3, done.stdout + done.stderr)
                for name, level in (("outer", 0), ("inner", 1)):
                    calls = recording.calls_of(name)
                    self.assertEqual({(call.pid, call.level) for call in calls},
                                     {(pid, level) for pid in workers})
                    self.assertEqual(len(calls), 3)
                    self.assertFalse([call for call in calls if call.open])
                parents = {pid: ppid for pid, ppid, _ in recording.processes}
                server, = {parents[pid] for pid in workers}
                names = self.names(recording)
                self.assertTrue(names[server].endswith(" multiprocessing.forkserver"), names)
                self.assertEqual(sorted(names[pid] for pid in workers),
                                 ["worker 0", "worker 1", "worker 2"])
                path.unlink()


if __name__ == "__main__":
    unittest.main()
