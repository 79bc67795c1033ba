"""`run --stacks` and `attach --stacks`: what the file holds, whose frames are shown, and what happens where stacks
cannot be read."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import on_each_interpreter  # noqa: E402
from mprof_test import MPROF, Recording, TestCase, python, wait_until  # noqa: E402
from stack_records import Stacks  # noqa: E402

WORK = """
import time
def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
"""


# Refuses perf_event_open(2) to what it executes.
SECCOMP = """
import ctypes, os, platform, struct, sys
number = {'x86_64': 298, 'aarch64': 241}[platform.machine()]
code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 1), (0x06, 0, 0, 0x7fff0000)]
filter = ctypes.create_string_buffer(b''.join(struct.pack('=HBBI', *line) for line in code))
class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(code), ctypes.addressof(filter))), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


class StackCase(TestCase):
    def program(self, source, name="program.py"):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(WORK + source)
        return path

    def record(self, source, *options, command=(python(),), name="program.py", **more):
        program = self.program(source, name)
        done = self.run_mprof("run", "-T", "0.02", "-o", "out.dat", *options, *command, program, **more)
        recording = Recording(self.directory / "out.dat")
        recording.done = done
        return recording


class Shown(StackCase):
    SOURCE = """
import json
def middle(value):
    burn(0.2)
    return value
class Encoder(json.JSONEncoder):
    def default(self, value):
        return middle(str(value))
def main():
    json.dumps(object(), cls=Encoder)
main()
"""

    def test_own_frames_and_the_first_library_frame_below(self):
        stacks = Stacks(self.record(self.SOURCE, "--stacks")).stacks()
        self.assertIn(("__main__.<module>", "__main__.main", "json.dumps", "__main__.Encoder.default",
                       "__main__.middle", "__main__.burn"), stacks)

    def test_all_frames(self):
        stacks = Stacks(self.record(self.SOURCE, "--stacks=all")).stacks()
        self.assertIn(("__main__.<module>", "__main__.main", "json.dumps", "json.encoder.JSONEncoder.encode",
                       "json.encoder.JSONEncoder.iterencode", "__main__.Encoder.default", "__main__.middle",
                       "__main__.burn"), stacks)

    def test_patterns(self):
        recording = self.record(self.SOURCE, "--stacks=__main__:Encoder", "--stacks=json.enc*:*.encode")
        stacks = Stacks(recording)
        self.assertIn(("json.encoder.JSONEncoder.encode", "__main__.Encoder.default"), stacks.stacks())
        self.assertEqual({name for names in stacks.stacks() for name in names},
                         {"json.encoder.JSONEncoder.encode", "__main__.Encoder.default"})
        self.assertEqual(recording.facts["stacks"], "__main__:Encoder\njson.enc*:*.encode")

    def test_too_deep_for_all_frames(self):
        stacks = Stacks(self.record("""
import sys
sys.setrecursionlimit(4000)
def before(): burn(0.3)
def down(n): down(n - 1) if n else burn(0.6)
before()
down(2000)
""", "--stacks")).total
        self.assertGreater(stacks["__main__.down"].samples, stacks["__main__.before"].samples)

    def test_patterns_that_match_nothing(self):
        done = self.record(self.SOURCE, "--stacks=al", "--stacks=nothing:f").done
        self.assertEqual([line for line in done.stderr.splitlines() if "matched" in line],
                         ["mprof: no function in a sample matched --stacks=al; patterns are module:name"])
        self.assertNotIn("matched", self.record(self.SOURCE, "--stacks=al", "--stacks=__main__").done.stderr)

    def test_installed_packages_are_not_own(self):
        library = self.directory / "site-packages" / "library.py"
        library.parent.mkdir()
        library.write_text(WORK + "def outer(): inner()\ndef inner(): burn(0.2)\n")
        stacks = Stacks(self.record("""
import sys; sys.path.insert(0, 'site-packages')
import library
library.outer()
""", "--stacks")).stacks()
        self.assertIn(("__main__.<module>", "library.outer"), stacks)


class File(StackCase):
    SOURCE = """
def grow():
    kept = []
    for i in range(10):
        kept.append(b'x' * (4 << 20))
        burn(0.02)
    return kept
def main():
    burn(0.3)
    start = time.time()
    kept = grow()
    print('grow took', time.time() - start)
    burn(0.1)
    del kept
    burn(0.3)
main()
"""

    def test_spans_and_facts(self):
        recording = self.record(self.SOURCE, "--stacks", "--stacks-interval=0.04")
        self.assertEqual(recording.done.stderr, "")
        self.assertEqual((recording.facts["stacks"], recording.facts["stacks-interval"]), ("own", "0.04"))
        self.assertIn(recording.facts["stacks-events"], ("perf", "faults"))
        calls = {call.name: call for call in recording.calls}
        self.assertLessEqual({"__main__.<module>", "__main__.main", "__main__.grow", "__main__.burn"}, set(calls))
        for call in recording.calls:
            self.assertGreater(call.sampled, 0)
        grow, main = calls["__main__.grow"], calls["__main__.main"]
        self.assertEqual((calls["__main__.<module>"].level, main.level, grow.level), (0, 1, 2))
        self.assertGreater(grow.exit_mib - grow.enter_mib, 25)
        took = float(re.search(r"grow took (\S+)", recording.done.stdout)[1])
        self.assertAlmostEqual(grow.seconds, took, delta=2 * grow.sampled + 0.002)
        self.assertTrue(main.enter_s <= grow.enter_s and grow.exit_s <= main.exit_s)
        self.assert_nested(recording.calls)
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)

    def test_release_is_not_negative_growth(self):
        stacks = Stacks(self.record(self.SOURCE, "--stacks"))
        self.assertAlmostEqual(stacks.total["__main__.grow"].grown, 40, delta=6)
        self.assertAlmostEqual(stacks.all.released, 40, delta=6)
        self.assertLess(stacks.total["__main__.grow"].released, 4)

    def test_nothing_of_it_without_the_option(self):
        recording = self.record(self.SOURCE)
        self.assertEqual(recording.calls + recording.records("FRAME") + recording.records("STACK"), [])
        self.assertNotIn("stacks", recording.facts)

    def test_without_events_only_regular_samples(self):
        recording = self.record(self.SOURCE, "--stacks", "--stacks-interval=0.1", "--no-stacks-events")
        self.assertEqual(recording.facts["stacks-events"], "off")
        self.assertLess(Stacks(recording).all.samples, 16)

    def test_decorated_calls_win(self):
        recording = self.record("""
def inner():
    burn(0.1)
@profile
def decorated():
    inner()
    burn(0.1)
def main():
    for _ in range(4):
        decorated()
main()
""", "--stacks")
        exact = [call for call in recording.calls if not call.sampled]
        self.assertEqual([call.name for call in exact], ["__main__.decorated"] * 4)
        sampled = [call for call in recording.calls if call.sampled]
        self.assertNotIn("__main__.decorated", {call.name for call in sampled})
        self.assertEqual({call.level for call in exact}, {2})
        self.assertLessEqual({"__main__.main", "__main__.inner", "__main__.burn"}, {call.name for call in sampled})
        for call in sampled:
            if call.name == "__main__.inner":
                self.assertEqual(call.level, 3)
                self.assertEqual(sum(outer.enter_s < call.exit_s and call.enter_s < outer.exit_s
                                     for outer in exact), 1, "inside of one decorated call")
        self.assertGreater(Stacks(recording).total["__main__.decorated"].seconds, 0.6)

    def test_threads_have_lanes(self):
        recording = self.record("""
import threading
def work(seconds): burn(seconds)
threads = [threading.Thread(target=work, args=(0.4,)) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""", "--stacks")
        pid = int(recording.facts["pid"])
        self.assertEqual(Stacks(recording).lanes(pid) - {"native threads", "ended threads"}, {"", "thread 1", "thread 2"})
        self.assertEqual({call.lane for call in recording.calls if call.name == "__main__.work"},
                         {r"thread\x201", r"thread\x202"})

    def test_growth_of_threads_that_no_sample_shows(self):
        """They had ended before. Threads without Python are others."""
        recording = self.record("""
import mmap, threading, time
kept = []
def work():
    kept.append(mmap.mmap(-1, 1 << 20))
    for at in range(0, 1 << 20, 4096): kept[-1][at] = 1
def main():
    for _ in range(60):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        time.sleep(0.01)
main()
""", "--stacks", "--stacks-interval", "0.1", "--no-stacks-events")
        lanes = {}
        for _, lane, _, row in Stacks(recording).rows:
            lane = lane.replace(r"\x20", " ")
            lanes[lane] = lanes.get(lane, 0) + row.grown
        self.assertGreater(lanes["ended threads"], 30)
        self.assertLess(lanes.get("native threads", 0), 5)
        self.assertRegex(self.run_mprof("functions", "out.dat").stdout, r"(?m)^ended threads +\+\d\d")

    def test_a_thread_that_has_not_begun_has_no_lane(self):
        """Until it runs, its state has the number of the thread that made it, or none."""
        recording = self.record("""
import threading
def main():
    for _ in range(150):
        thread = threading.Thread(target=burn, args=(0.004,))
        thread.start()
        thread.join()
main()
""", "--stacks", "--stacks-interval", "0.001")
        lanes = Stacks(recording).lanes(int(recording.facts["pid"])) - {"native threads", "ended threads"}
        # one thread runs at a time; the one before may not have ended altogether
        self.assertLessEqual(lanes, {"", "thread 1", "thread 2"})

    def test_threads_are_called_as_the_process_calls_them(self):
        recording = self.record("""
import threading
def around(function):
    for _ in range(6): function()
@profile
def one(): burn(0.06)
@profile
def two(): burn(0.09)
threads = [threading.Thread(target=around, args=(function,), name=function.__name__ + '!') for function in (one, two)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""", "--stacks")
        for name in "one", "two":
            calls = recording.calls_of(f"__main__.{name}")
            self.assertEqual(len(calls), 6)
            self.assertEqual({call.lane for call in calls}, {f"{name}!"})
            self.assertEqual({call.level for call in calls[3:]}, {1})
        self.assertEqual({call.lane for call in recording.calls_of("__main__.around")}, {"one!", "two!"})

    def test_descendants(self):
        recording = self.record("""
import multiprocessing, os
def work(seconds): burn(seconds)
if __name__ == '__main__':
    for method in 'fork', 'spawn':
        child = multiprocessing.get_context(method).Process(target=work, args=(0.3,))
        child.start(); print(child.pid, flush=True); child.join()
""", "--stacks")
        forked, spawned = map(int, re.findall(r"^\d+$", recording.done.stdout, re.M))
        rows = Stacks(recording)
        self.assertTrue(any(pid == forked and "__main__.work" in rows.names(node) for pid, _, node, _ in rows.rows))
        self.assertTrue(any(pid == spawned and "__mp_main__.work" in rows.names(node)
                            for pid, _, node, _ in rows.rows))
        self.assertIn((forked, "__main__.work"), {(call.pid, call.name) for call in recording.calls})


    def test_a_forked_process_is_sampled_before_its_memory(self):
        """Its memory is read each second; its stacks, each 20 ms, begin at its birth."""
        recording = self.record("""
import os
def child(): burn(0.5)
pid = os.fork()
if pid == 0:
    child()
    os._exit(0)
os.waitpid(pid, 0)
""", "-T", "1", "--stacks", "--stacks-interval", "0.02")
        self.assertGreater(Stacks(recording).total["__main__.child"].seconds, 0.4)

    def test_growth_of_a_forked_process_before_its_first_sample(self):
        grown = Stacks(self.record("""
import os
shared = bytearray(30 << 20)
burn(0.3)
def child():
    for at in range(0, len(shared), 4096):
        shared[at] = 1
    kept = [bytearray(15 << 20)]
    burn(0.4)
    kept.append(bytearray(9 << 20))
    burn(0.4)
if os.fork() == 0:
    child()
    os._exit(0)
os.wait()
""", "-M", "--stacks", "--no-stacks-events", "--stacks-interval=0.1")).total["__main__.child"].grown
        self.assertGreater(grown, 23)
        self.assertLess(grown, 27)


class Reach(StackCase):
    LOOP = "def main():\n    while True: burn(0.05)\nprint('ready', flush=True)\nmain()\n"

    @on_each_interpreter()
    def test_python_that_has_no_agent(self, interpreter):
        recording = self.record("def main(): burn(0.3)\nmain()\n", "--nopython", "--stacks",
                                command=(interpreter.path, "-S", "-E", "-s"))
        self.assertIn(("__main__.<module>", "__main__.main", "__main__.burn"), Stacks(recording).stacks())

    def test_attach_enters_nothing(self):
        program = self.start("/usr/bin/python3", self.program(self.LOOP))
        self.wait_for_output(program, "ready")
        before = pathlib.Path(f"/proc/{program.pid}/maps").read_text()
        self.run_mprof("attach", "-t", "0.5", "--stacks", "-o", "out.dat", program.pid)
        recording = Recording(self.directory / "out.dat")
        self.assertIn(("__main__.<module>", "__main__.main", "__main__.burn"), Stacks(recording).stacks())
        main = next(call for call in recording.calls if call.name == "__main__.main")
        self.assertTrue(main.open)
        self.assertGreater(main.seconds, 0.3)
        self.assertEqual([line.split()[-1] for line in before.splitlines()],
                         [line.split()[-1] for line in
                          pathlib.Path(f"/proc/{program.pid}/maps").read_text().splitlines()])
        self.assertIsNone(program.poll())

    def test_no_right_to_read(self):
        """One line, with the reason; memory is recorded, the program runs on."""
        without_right = ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace"]
        if not shutil.which("setpriv"):
            self.skipTest("setpriv is not installed")
        program = self.program("""
import ctypes
ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE
burn(0.4)
print('done')
""")
        done = subprocess.run([*without_right, MPROF, "run", "-T", "0.02", "--stacks", "-o", "out.dat",
                               "/usr/bin/python3", program], cwd=self.directory, env=self.environment(),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertIn("done", done.stdout)
        lines = [line for line in done.stderr.splitlines() if "stacks of process" in line]
        self.assertEqual(len(lines), 1, done.stderr)
        recording = Recording(self.directory / "out.dat")
        self.assertGreater(len(recording.mem), 10)
        self.assertRegex(recording.facts["stacks-missing"], rf"{recording.facts['pid']} .*")

    def test_page_fault_events_are_refused(self):
        """As behind docker's filter: the rate rises instead, without a word."""
        refuse = self.program(SECCOMP, "refuse.py")
        program = self.program(File.SOURCE)
        done = subprocess.run(["/usr/bin/python3", refuse, MPROF, "run", "-T", "0.05", "--nopython", "--stacks",
                               "-o", "out.dat", "/usr/bin/python3", program], cwd=self.directory,
                              env=self.environment(), capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        recording = Recording(self.directory / "out.dat")
        self.assertEqual(recording.facts["stacks-events"], "faults")
        self.assertAlmostEqual(Stacks(recording).total["__main__.grow"].grown, 40, delta=6)

    def test_another_program_by_exec(self):
        recording = self.record("""
import os, sys
def first(): burn(0.3)
def second(): burn(0.3)
if len(sys.argv) > 1: second()
else:
    first()
    os.execv(sys.executable, [sys.executable, *sys.argv, 'again'])
""", "--stacks")
        for name in "first", "second":
            self.assertGreater(Stacks(recording).total[f"__main__.{name}"].seconds, 0.15, name)
            self.assertIn(f"__main__.{name}", {call.name for call in recording.calls})

    GROW = """
import os, subprocess, sys
def grow(mib):
    kept = bytearray(mib << 20)
    burn(0.3)
def main():
    grow(30)
    if len(sys.argv) == 1:
        subprocess.run([sys.executable, sys.argv[0], 'started'])
        child = os.fork()
        if child == 0:
            grow(20)
            os._exit(0)
        os.waitpid(child, 0)
        os.execv(sys.executable, [sys.executable, *sys.argv, 'executed'])
main()
"""

    def test_growth_of_a_process_from_its_start(self):
        """What its rows add up to is what it had when it last ran Python."""
        self.check_growth_from_the_start(MPROF)

    def test_what_the_last_function_releases_at_the_end(self):
        """Python then runs no function for some time while it ends: that release is not in the change, nor in a row."""
        recording = self.record("""
kept = [[i] for i in range(800_000)]
def main():
    big = [bytearray(300_000) for _ in range(300)]
main()
""", "--stacks", "--nopython", command=["/usr/bin/python3"])
        stacks = Stacks(recording)
        net = sum(row.grown - row.released for rows in (stacks.rows, stacks.memory) for _, _, _, row in rows)
        self.assertAlmostEqual(net, stacks.memory[-1][-1].peak, delta=1.2)

    def test_growth_of_a_process_without_events_of_the_kernel(self):
        """Only the memory shows an exec then; /usr/bin/python3 has its data at the same addresses each time."""
        if os.geteuid() != 0:
            return self.check_growth_from_the_start(MPROF)
        apart = self.directory / "apart"
        apart.write_text(f'#!/bin/sh\nexec unshare --net {MPROF} "$@"\n')
        apart.chmod(0o755)
        return self.check_growth_from_the_start(apart)

    def check_growth_from_the_start(self, mprof):
        recording = self.record(self.GROW, "--stacks", "-M", "--nopython", command=["/usr/bin/python3"], program=mprof)
        main, stacks = int(recording.facts["pid"]), Stacks(recording)
        net, last = {}, {}
        for pid, _, _, row in stacks.rows:
            net[pid] = net.get(pid, 0) + row.grown - row.released
        for pid, _, _, row in stacks.memory:
            net[pid] = net.get(pid, 0) + row.grown - row.released
            last[pid] = row.peak
        self.assertEqual(len(last), 3)
        for pid, mib in last.items():
            inherited = next(row.peak - row.grown for owner, _, _, row in stacks.memory if owner == pid)
            self.assertAlmostEqual(net[pid], mib - inherited, delta=1.2)  # pages that are mapped many at a time
        starts = [(pid, row.grown) for pid, _, _, row in stacks.memory if row.grown]
        self.assertEqual(sorted(pid == main for pid, _ in starts), [False, True, True])
        for _, mib in starts:
            self.assertTrue(1 < mib < 15, mib)
        done = self.run_mprof("functions", "out.dat")
        self.assertRegex(done.stdout, r"(?m)^before sampling +\+\d")

    def test_growth_before_an_attach_is_not_counted(self):
        program = self.start("/usr/bin/python3", self.program(
            "kept = bytearray(64 << 20)\nprint('ready', flush=True)\nburn(2)\n"))
        self.wait_for_output(program, "ready")
        time.sleep(0.03)  # the kernel's start times have hundredths of a second
        self.run_mprof("attach", "--stacks", "-T", "0.02", "-t", "0.5", "-o", "out.dat", program.pid)
        recording = Recording(self.directory / "out.dat")
        self.assertEqual([row.grown for _, _, _, row in Stacks(recording).memory], [0])

    def test_time_limit(self):
        """What runs on is open, and ends with the recording."""
        recording = self.record(self.LOOP.replace("True", "time.time() < end").replace(
            "def main", "end = time.time() + 1.2\ndef main"), "--stacks", "-t", "0.6")
        main = next(call for call in recording.calls if call.name == "__main__.main")
        self.assertTrue(main.open)
        self.assertAlmostEqual(main.exit_s, recording.mem[-1][1], delta=0.15)

    def test_redact(self):
        recording = self.record("burn(0.2)\n", "--stacks", "--redact", name="password=secret/program.py")
        self.assertNotIn("secret", recording.text.replace(str(self.directory), ""))
        self.assertIn("__main__.<module>", {name for names in Stacks(recording).stacks() for name in names})

    def test_a_program_without_python(self):
        done = self.run_mprof("run", "--stacks", "-o", "out.dat", "sleep", "0.3")
        self.assertIn("no stacks are recorded", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        recording = Recording(self.directory / "out.dat")
        self.assertGreater(len(recording.mem), 2)
        self.assertIn("stacks-missing", recording.facts)

    def test_the_recorder_is_killed(self):
        recorder = self.start_mprof("run", "--stacks", "-o", "out.dat", "/usr/bin/python3", self.program(self.LOOP))
        self.wait_for_output(recorder, "ready")
        wait_until(lambda: len(Recording(self.directory / "out.dat").mem) > 5, "samples")
        recorder.kill()
        recorder.wait()
        self.run_mprof("peak", "out.dat")


class Options(StackCase):
    def test_wrong_values(self):
        for option, words in (("--stacks=", "own, all, or name a module"), ("--stacks=:f", "own, all, or name"),
                              ("--stacks-interval=0", "--stacks-interval must be between"),
                              ("--stacks-interval=x", "--stacks-interval must be between")):
            with self.subTest(option=option):
                done = self.run_mprof("run", option, "true", expect=2)
                self.assertIn(words, done.stderr)
                self.assertEqual(self.recordings(), [])

    def test_what_needs_stacks(self):
        for option in ("--stacks-interval=0.1", "--no-stacks-events"):
            with self.subTest(option=option):
                done = self.run_mprof("run", option, "true", expect=2)
                self.assertIn(f"{option.partition('=')[0]} needs --stacks", done.stderr)
                self.assertEqual(self.recordings(), [])


if __name__ == "__main__":
    unittest.main()
