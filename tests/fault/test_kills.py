"""R5, R6, R7, R9: the recorder killed, the program killed, the disk full, the clock set."""

import contextlib
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import (  # noqa: E402
    MPROF, Recording, program_for_all, python, python_for_all, upstream, wait_until)

TOOLS = mprof_test.preloadable(os.environ.get("MPROF_TEST_TOOLS", "."))
# A name that AddressSanitizer accepts before its own runtime.
PRELOADS = TOOLS / "before-libasan.so"
# Linked dynamically, so objects can be preloaded.
DYNAMIC = os.environ.get("MPROF_TEST_DYNAMIC", MPROF)

# Random kills in one run of the tests; docs/benchmarks.md reports a run with MPROF_TEST_KILLS=1000.
KILLS = int(os.environ.get("MPROF_TEST_KILLS", "100"))
PROGRAM_KILLS = int(os.environ.get("MPROF_TEST_KILLS", "25"))

INTERVAL_S = 0.001

WORKING = """
import time
@profile
def step(n):
    return n
@profile
def work():
    while True:
        for n in range(50): step(n)
        time.sleep(0.001)
work()
"""


class Kills(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def wait_for_samples(self, count=3):
        wait_until(lambda: self.path.exists() and self.path.read_text().count("\nMEM ") >= count,
                   "samples")

    # --- R5 ---

    def test_R5_recorder_killed_at_random_moments(self):
        """There is no file, or upstream reads it, with the command line and all samples but the last."""
        self.write("working.py", WORKING)
        chance = random.Random(5)
        begin = time.monotonic()
        self.start_mprof("run", "-T", str(INTERVAL_S), "-C", "-o", self.path, python(), "working.py")
        self.wait_for_samples(1)
        span_s = max(0.2, 4 * (time.monotonic() - begin))  # an emulator takes long to start it
        self.end_processes()
        self.path.unlink()
        seen = 0
        for _ in range(KILLS):
            process = self.start_mprof("run", "-T", str(INTERVAL_S), "-C", "-o", self.path,
                                       python(), "working.py")
            time.sleep(chance.random() ** 2 * span_s)
            killed_at = time.time()
            process.kill()
            process.wait()
            if self.path.exists():
                self.check_killed(killed_at)
                seen += 1
                self.path.unlink()
            self.end_processes()
        self.assertGreater(seen, KILLS / 2)

    def check_killed(self, killed_at):
        data = self.path.read_bytes()
        self.assertTrue(data.startswith(b"CMDLINE "), data[:80])
        whole, _, torn = data.rpartition(b"\n")
        self.assertNotIn(b"\0", data)
        if torn:
            self.path.write_bytes(whole + b"\n")
        read = upstream().read_mprofile_file(str(self.path))
        self.assertIsNotNone(read["cmd_line"])
        if len(read["timestamp"]) > 5:
            # A loaded machine delays samples, but those due shortly before the kill are there.
            self.assertLess(killed_at - read["timestamp"][-1], 0.25)

    def test_R5_program_continues(self):
        self.write("on.py", "import time\n"
                   "@profile\ndef f(n): return n\n"
                   "print('ready', flush=True)\n"
                   "import os\n"
                   "while not os.path.exists('go'): time.sleep(0.01)\n"
                   "for n in range(100000): f(n)\n"
                   "if os.fork() == 0:\n"
                   "    f(1); os._exit(0)\n"
                   "os.wait()\n"
                   "print('all done', flush=True)\n")
        process = self.start_mprof("run", "-o", self.path, python(), "on.py")
        self.wait_for_output(process, "ready")
        process.kill()
        process.wait()
        self.write("go", "")
        wait_until(lambda: "all done" in self.output(process), "the end of the program")
        self.assert_no_process_left()

    def test_R5_rings_of_a_killed_recorder_are_removed(self):
        self.write("place.py", "import os, time\nprint(os.environ['MPROF_RINGS'], flush=True)\n"
                   "time.sleep(60)\n")
        process = self.start_mprof("run", "-o", self.path, python(), "place.py")
        place = pathlib.Path(self.wait_for_output(process, r"(/\S+/mprof-\d+-\w+)")[1])
        second = self.start_mprof("run", "-o", self.directory / "b.dat", python(), "place.py")
        other = pathlib.Path(self.wait_for_output(second, r"(/\S+/mprof-\d+-\w+)")[1])
        process.kill()
        process.wait()
        self.assertTrue(place.exists())
        self.run_mprof("run", "-o", self.directory / "c.dat", "true")
        self.assertFalse(place.exists())
        self.assertTrue(other.exists())  # its recorder lives
        second.terminate()
        self.wait_for_end(second)
        self.assertFalse(other.exists())

    def test_R5_ring_folder_without_permissions_is_removed(self):
        """As an ordinary user: permissions do not bind root."""
        self.write("place.py", "import os, time\nplace = os.environ['MPROF_RINGS']\n"
                   "@profile\ndef work(): pass\n"
                   "work()\n"
                   "inner = os.path.basename(place).startswith('mprof-')\n"
                   "for folder in (place,) if inner else (place, os.path.dirname(place)):\n"
                   "    os.chmod(folder, 0)\n"
                   "print(place, flush=True)\ntime.sleep(float(os.environ['WAIT_S']))\n")
        self.directory.chmod(0o777)
        user = (("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
                if os.geteuid() == 0 and shutil.which("setpriv") else ())
        output = self.directory / "o.dat"
        command = [*user, program_for_all(), "run", "-o", output, python_for_all(),
                   self.directory / "place.py"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              env=self.environment(WAIT_S="0"), check=True)
        place = pathlib.Path(re.search(r"/\S+/mprof-\d+-\w+", done.stdout)[0])
        self.assertFalse(place.exists())  # the recorder's own end
        self.assertEqual([call.name for call in Recording(output).calls], ["__main__.work"])
        process = self.start(*command, env=self.environment(WAIT_S="60"))
        place = pathlib.Path(self.wait_for_output(process, r"(/\S+/mprof-\d+-\w+)")[1])
        process.kill()
        process.wait()
        self.assertTrue(place.exists())
        subprocess.run([*user, program_for_all(), "run", "-o", str(self.directory / "p.dat"), "true"],
                       capture_output=True, check=True)
        self.assertFalse(place.exists())

    # --- R6 ---

    def test_R6_program_killed_at_random_moments(self):
        """All of its processes at once, some before they execute the program: the file is whole."""
        self.write("working.py", "import os\nos.fork()\nos.fork()\n" + WORKING)
        chance = random.Random(6)
        for _ in range(PROGRAM_KILLS):
            process = self.start_mprof("run", "-T", str(INTERVAL_S), "-C", "-M", "-o", self.path,
                                       python(), "working.py")
            time.sleep(chance.random() ** 2 * 0.2)
            for pid in wait_until(lambda: mprof_test.descendants(process.pid), "the program"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            # a process forked at this very moment survives
            wait_until(lambda: process.poll() is not None or self.kill_what_is_left(process),
                       "the end of the recorder")
            self.assertEqual(process.returncode, 0, self.output(process))
            recording = Recording(self.path)
            self.assertTrue(recording.text.endswith("\n"))
            self.assertEqual(recording.exits[int(recording.facts["pid"])], ("signal", 9))
            self.assert_upstream_reads_the_same(recording)
            self.path.unlink()
            self.end_processes()

    @staticmethod
    def kill_what_is_left(process):
        for pid in mprof_test.descendants(process.pid):
            with contextlib.suppress(OSError):
                # A sanitized recorder checks for leaks in a process of its own, and waits for it.
                if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("python"):
                    os.kill(pid, signal.SIGKILL)

    def end_in_flight(self, end):
        """Runs a program that executes `end` in the middle of a call; returns the recording."""
        self.write("ending.py", "import os, signal, sys, time\n"
                   "@profile\ndef done(n): return n\n"
                   "@profile\ndef inside():\n"
                   "    for n in range(200): done(n)\n"
                   f"    {end}\n"
                   "@profile\ndef outside(): inside()\n"
                   "outside()\n")
        self.run_mprof("run", "-o", self.path, python(), "ending.py")
        recording = Recording(self.path)
        self.assert_upstream_reads_the_same(recording)
        self.assertEqual(len(recording.calls_of("done")), 200)
        self.assert_nested(recording.calls)
        return recording

    def test_R6_every_call_is_recorded_once(self):
        for end, expected in (("os.kill(os.getpid(), signal.SIGKILL)", ("signal", 9)),
                              ("os.kill(os.getpid(), signal.SIGTERM)", ("signal", 15)),
                              ("os.abort()", ("signal", 6)),
                              ("os._exit(5)", ("status", 5))):
            with self.subTest(end=end):
                recording = self.end_in_flight(end)
                self.assertEqual([call.open for call in recording.calls_of("inside")], [True])
                self.assertEqual([call.open for call in recording.calls_of("outside")], [True])
                self.assertEqual(recording.exits[int(recording.facts["pid"])], expected)
                self.path.unlink()

    def test_R6_exec(self):
        recording = self.end_in_flight(
            "os.execv(sys.executable, [sys.executable, '-c', "
            "'@profile\\ndef after(): pass\\nafter()'])")
        self.assertEqual([call.open for call in recording.calls_of("inside")], [True])
        after = recording.calls_of("after")
        self.assertEqual([call.open for call in after], [False])
        self.assertEqual(after[0].pid, int(recording.facts["pid"]))
        self.assertLessEqual(recording.calls_of("inside")[0].exit_s, after[0].enter_s)

    def test_R6_fork_in_the_middle(self):
        recording = self.end_in_flight("os.fork()")
        for name in ("inside", "outside"):
            calls = recording.calls_of(name)
            self.assertEqual([(call.open, call.pid) for call in calls],
                             [(False, int(recording.facts["pid"]))])

    HUNGRY = ("@profile\ndef eat():\n"
              "    food = []\n"
              "    while True: food.append(bytearray(1 << 20))\n"
              "eat()\n")

    def test_R6_out_of_memory(self):
        with mprof_test.memory_limit("48m") as enter:
            # the recorder reads its group when it notices the exec of Python
            self.write("hungry.py", "import time\n"
                       f"while r'|python3\\x20hungry.py' not in open({str(self.path)!r}).read():\n"
                       "    time.sleep(0.01)\n" + self.HUNGRY)
            self.run_mprof("run", "-T", "0.01", "-o", self.path, "sh", "-c",
                           f"{enter}; exec {python()} hungry.py")
        recording = Recording(self.path)
        self.assertEqual(recording.exits[int(recording.facts["pid"])], ("oom", 9))
        self.assertEqual([call.open for call in recording.calls_of("eat")], [True])

    def test_R6_out_of_memory_in_a_child(self):
        """The killer's victim is distinguished from children that are killed before and after it."""
        with mprof_test.memory_limit("48m") as enter:
            self.write("hungry.py", self.HUNGRY.replace("@profile\n", ""))
            self.write("three.py", "import os, signal, subprocess, sys\n"
                       "for name in ('killed', 'hungry', 'killed'):\n"
                       "    code = 'import os; os.kill(os.getpid(), 9)'\n"
                       "    if name == 'hungry': code = open('hungry.py').read()\n"
                       "    child = subprocess.Popen([sys.executable, '-c', code])\n"
                       "    child.wait()\n"
                       "    print(child.pid, flush=True)\n")
            done = self.run_mprof("run", "-C", "-T", "0.01", "-o", self.path, "sh", "-c",
                                  f"{enter}; exec {python()} three.py")
        pids = [int(line) for line in done.stdout.split("\n") if line.isdigit()]
        recording = Recording(self.path)
        if recording.facts["processes-by"] != "events":
            self.skipTest("ends of other processes' children are not reported here")
        self.assertEqual([recording.exits[pid] for pid in pids],
                         [("signal", 9), ("oom", 9), ("signal", 9)])

    # --- R7 ---

    def check_disk_full(self, place, **options):
        path = place / "out.dat"
        script = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); sleep 0.05; done; exit 3"
        for arguments, code in (([], 1), (["-E"], 3)):
            done = self.run_mprof("run", *arguments, "-T", "0.001", "-o", path, "sh", "-c", script,
                                  expect=code, **options)
            lines = [line for line in done.stderr.splitlines() if "older file" not in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertRegex(lines[0], r"\Amprof: .*out\.dat: cannot write: ")
            recording = Recording(path)
            self.assertTrue(recording.text.endswith("\n"))
            self.assertGreater(len(recording.mem), 10)
            self.assert_upstream_reads_the_same(recording)
            path.unlink()

    def test_R7_disk_full_in_the_middle(self):
        with mprof_test.tiny_file_system(self.directory / "tiny", "16k") as place:
            self.check_disk_full(place)

    def test_R7_file_size_limit_in_the_middle(self):
        self.check_disk_full(
            self.directory,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000)))

    # --- R9 ---

    def test_R9_the_wall_clock_is_set(self):
        for steps in ("0.3:3600", "0.3:-3600", "0.2:3600,0.4:-7200"):
            with self.subTest(steps=steps):
                self.run_mprof("run", "-T", "0.05", "-o", self.path, "sleep", "1",
                               program=DYNAMIC, env=self.environment(
                                   LD_PRELOAD=str(PRELOADS / "step-clock.so"),
                                   MPROF_TEST_STEPS=steps))
                times = [moment for _, moment in Recording(self.path).mem]
                gaps = [later - earlier for earlier, later in zip(times, times[1:])]
                self.assertGreaterEqual(len(times), 4)
                self.assertGreater(times[-1] - times[0], 0.4)  # after the last step
                self.assertGreater(min(gaps), 0)
                self.assertLess(max(gaps), 60)  # a step would be an hour
                self.path.unlink()

    def test_R9_test_clock_steps(self):
        done = subprocess.run(["date", "+%s"], capture_output=True, text=True,
                              env=self.environment(LD_PRELOAD=str(PRELOADS / "step-clock.so"),
                                                   MPROF_TEST_STEPS="0:3600"))
        self.assertGreater(int(done.stdout) - time.time(), 3500)


if __name__ == "__main__":
    unittest.main()
