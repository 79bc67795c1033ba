"""When a recording begins and what ends it: --delay, --timeout, --until-peak, with `run` and with `attach`."""

import os
import pathlib
import re
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording, python, wait_until  # noqa: E402

# Controlled by files: grows by 4 MiB, holds 200 MiB, allocates them for a moment, exits. Prints the
# signals it receives.
GROWING = """
import os, signal, sys, time
def handle(number, frame):
    os.write(1, b"got %d\\n" % number)
signal.signal(signal.SIGUSR1, handle)
food = []
os.write(1, b"ready %d\\n" % os.getpid())
while not os.path.exists("go"):
    if os.path.exists("grow"):
        food.append(b"x" * (4 << 20))
        os.rename("grow", "grown")
    if os.path.exists("hold"):
        food = b"x" * (200 << 20)
        os.rename("hold", "held")
    if os.path.exists("burst"):
        food = b"x" * (200 << 20)
        food = []
        os.rename("burst", "had")
    time.sleep(0.01)
sys.exit(7)
"""

CALLS = """
import os, time
@profile
def early(): pass
@profile
def late(): pass
@profile
def inner(): pass
@profile
def outer():
    inner()
    print("ready", flush=True)
    while not os.path.exists("go"): time.sleep(0.01)
    late()
early()
outer()
"""


class Limits(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"
        (self.directory / "growing.py").write_text(GROWING)
        (self.directory / "calls.py").write_text(CALLS)

    def start_recording(self, *options, script="growing.py"):
        return self.start_mprof("run", "-T", "0.02", *options, "-o", self.path, python(), script)

    def start_delayed(self, is_past, script="growing.py", prepare=lambda: None):
        """A recording that begins after is_past(process) is true; the delay grows for a program that is
        slow to start."""
        for delay_s in (0.5, 4, 30):
            prepare()
            process = self.start_recording("--delay", str(delay_s), script=script)
            wait_until(lambda: is_past(process), "what comes before the recording")
            if not self.path.exists() or "MEM" not in self.path.read_text():
                return process
            self.do("go")
            self.wait_for_end(process)
            for path in self.directory.glob("out.dat*"):
                path.unlink()
            (self.directory / "go").unlink()
        self.fail("no program starts within 30 s")

    def start_attached(self, *options):
        """(target, recorder); the target is ready."""
        target = self.start(python(), "growing.py")
        self.wait_for_output(target, "ready")
        return target, self.start_mprof("attach", "-T", "0.02", *options, "-o", self.path,
                                        target.pid)

    def wait_for_samples(self, count=3):
        wait_until(lambda: self.path.exists() and self.path.read_text().count("\nMEM ") >= count,
                   "samples")

    def is_complete(self):
        """Whether no recorder holds the lock of the file."""
        return self.path.exists() and self.run_mprof("top", "--once", self.path).stdout.startswith(
            " not recording")

    def do(self, what):
        (self.directory / what).write_text("")

    def read(self):
        recording = Recording(self.path)
        self.assertTrue(recording.text.endswith("\n"))
        self.assert_upstream_reads_the_same(recording)
        return recording

    def current_mib(self):
        return Recording(self.path).mem[-1][0]

    # --- invalid values ---

    def test_R18_invalid_values(self):
        for option, says, values in (
                ("--delay", r" must be between 0 and 1e\+09 seconds, not ",
                 ("-1", "nan", "inf", "1e300", "text", "", "0x1", "1,5", " 1", "1 ", "1s")),
                ("--timeout", r" must be between 1e-05 and 1e\+09 seconds, not ",
                 ("0", "-1", "nan", "inf", "1e300", "text", "")),
                ("--until-peak", ": ",
                 ("0", "-1", "nan", "inf", "1e300", "text", "", "0x1", "1,5", " 1", "1 ", "512M",
                  "512:", "512:NONE", "512:0", "512:99", ":TERM"))):
            for value in values:
                for command in (["run"], ["attach"]):
                    with self.subTest(command=command, option=option, value=value):
                        done = self.run_mprof(*command, f"{option}={value}", "-o", self.path,
                                              "touch" if command == ["run"] else os.getpid(),
                                              *(["started"] if command == ["run"] else []),
                                              expect=2)
                        self.assertRegex(done.stderr, rf"\Amprof[^\n]*: {option}{says}[^\n]*\n\Z")
                        self.assertFalse((self.directory / "started").exists())
                        self.assertFalse(self.path.exists())

    # --- --delay ---

    def test_delay_starts_recording_later(self):
        for options in ((), ("-C", "-M"), ("--delay", "0.4")):
            with self.subTest(options=options):
                before = time.time()
                process = self.start_recording("--delay", "0.5", *options)
                self.wait_for_output(process, "ready")
                self.wait_for_samples()
                self.do("go")
                self.assertEqual(self.wait_for_end(process), 0)
                (self.directory / "go").unlink()
                recording = self.read()
                begin = before + (0.4 if "--delay" in options else 0.5)
                self.assertGreaterEqual(recording.mem[0][1], begin)
                self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 7))
                pids = [pid for pid, _, _ in recording.processes]
                self.assertEqual(pids.count(int(recording.facts["pid"])), 1)
                for word, field in (("PROC", 2), ("EXIT", 1), ("PEAK", 2)):
                    for fields in recording.records(word):
                        self.assertGreaterEqual(float(fields[field]), begin, fields)

    def test_delay_omits_earlier_calls(self):
        process = self.start_delayed(lambda process: "ready" in self.output(process), "calls.py")
        self.wait_for_samples()
        self.do("go")
        self.wait_for_end(process)
        recording = self.read()
        self.assertEqual([call.name for call in sorted(recording.calls, key=lambda c: c.enter_s)],
                         ["__main__.outer", "__main__.late"])
        outer = recording.calls_of("outer")[0]
        begin = next(moment for pid, _, moment, _ in recording.records("PROC")
                     if int(pid) == outer.pid)
        self.assertAlmostEqual(outer.enter_s, float(begin), delta=1e-5)
        self.assertAlmostEqual(outer.enter_mib, recording.mem[0][0], delta=1)
        self.assertEqual(outer.level, 0)
        self.assertEqual(recording.calls_of("late")[0].level, 1)
        self.assert_nested(recording.calls)

    def test_delay_omits_earlier_suspended_time(self):
        (self.directory / "suspended.py").write_text("""
import os, time
@profile
def steps():
    yield
    while not os.path.exists("go"): time.sleep(0.01)
running = steps()
next(running)
print("ready", flush=True)
while not os.path.exists("go"): time.sleep(0.01)
list(running)
""")
        process = self.start_delayed(lambda process: "ready" in self.output(process),
                                     "suspended.py")
        self.wait_for_samples()
        self.do("go")
        self.wait_for_end(process)
        call, = self.read().calls
        self.assertGreater(call.suspended, 0)
        self.assertLessEqual(call.suspended, call.exit_s - call.enter_s + 1e-5)

    def test_delay_omits_earlier_peaks(self):
        """The kernel's high-water mark at the start of the recording is not a peak of the recording."""
        had = self.directory / "had"

        def ask():
            had.unlink(missing_ok=True)
            self.do("burst")
        process = self.start_delayed(lambda process: had.exists(), prepare=ask)
        self.wait_for_samples(20)
        self.do("go")
        self.wait_for_end(process)
        recording = self.read()
        peaks = [float(mib) for _, mib, _ in recording.records("PEAK")]
        self.assertLess(max(peaks, default=0), 200)

    def test_delay_of_an_attached_recording(self):
        before = time.time()
        target, process = self.start_attached("--delay", "0.3")
        self.wait_for_samples()
        process.terminate()
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        self.assertGreater(self.read().mem[0][1], before + 0.3)
        self.assertIsNone(target.poll())

    def test_program_ends_before_the_delay(self):
        for options, code in (((), 0), (("-E",), 3)):
            with self.subTest(options=options):
                done = self.run_mprof("run", *options, "--delay", "3600", "-o", self.path, "sh", "-c",
                                      "exit 3", expect=code)
                self.assertEqual(done.stderr,
                                 "mprof: no samples: the recording ended before --delay was "
                                 "over\n")
                recording = Recording(self.path)
                self.assertEqual((recording.mem, recording.calls), ([], []))
                self.assertEqual(list(recording.exits.values()), [("status", 3)])
                self.path.unlink()

    def test_delay_signal_is_forwarded(self):
        process = self.start_recording("--delay", "3600")
        self.wait_for_output(process, "ready")
        os.kill(process.pid, signal.SIGTERM)
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        recording = Recording(self.path)
        self.assertEqual(list(recording.exits.values()), [("signal", 15)])

    # --- -t ---

    def test_R18_timeout_starts_after_the_delay(self):
        process = self.start_recording("-E", "--delay", "0.3", "-t", "0.4")
        self.wait_for_output(process, "ready")
        wait_until(self.is_complete, "the end of the recording")
        size = self.path.stat().st_size
        self.assertIsNone(process.poll())
        self.do("go")
        self.assertEqual(self.wait_for_end(process), 7)
        self.assertEqual(self.path.stat().st_size, size)
        recording = self.read()
        self.assertEqual(recording.exits, {})  # the file was complete before the end
        if recording.mem:  # a busy machine may have taken no sample, or a late one
            self.assertLess(recording.mem[-1][1] - recording.mem[0][1], 2)

    def test_R18_timeout_of_an_attached_recording_with_a_delay(self):
        target, process = self.start_attached("--delay", "0.2", "-t", "0.3")
        self.assertEqual(self.wait_for_end(process), 0)
        recording = self.read()
        if recording.mem:
            self.assertLess(recording.mem[-1][1] - recording.mem[0][1], 2)
        self.assertIsNone(target.poll())

    def test_R18_timeout_records_calls_in_flight(self):
        for timeout_s in (1, 4, 16):  # longer for a program that is slow to start
            process = self.start_recording("-t", str(timeout_s), script="calls.py")
            self.wait_for_output(process, "ready")
            wait_until(self.is_complete, "the end of the recording")
            self.do("go")
            self.assertEqual(self.wait_for_end(process), 0)
            recording = self.read()
            if recording.calls_of("inner"):
                break
            (self.directory / "go").unlink()
            self.path.unlink()
        self.assertEqual([call.open for call in recording.calls_of("outer")], [True])
        self.assertEqual(recording.calls_of("late"), [])

    # --- --until-peak ---

    def grow_past(self, process):
        """Grows to below the threshold, then past it."""
        self.wait_for_samples()
        self.do("grow")
        wait_until(lambda: (self.directory / "grown").exists(), "growth")
        self.assertIsNone(process.poll())
        self.do("hold")

    def test_until_peak_ends_the_program(self):
        for options, code in (((), 124), (("-E",), 128 + 15), (("-C", "-M"), 124)):
            with self.subTest(options=options):
                process = self.start_recording("--until-peak", "150", *options)
                self.wait_for_output(process, "ready")
                self.grow_past(process)
                self.assertEqual(self.wait_for_end(process), code)
                self.assertIn("mprof: 150 MiB reached: sent TERM\n", self.output(process))
                recording = self.read()
                self.assertEqual(list(recording.exits.values()), [("signal", 15)])
                self.assertEqual(recording.facts["threshold-reached"], "150")
                self.assert_no_process_left()
                self.path.unlink()
                for name in ("grown", "hold", "held"):
                    (self.directory / name).unlink(missing_ok=True)

    def test_until_peak_not_reached(self):
        process = self.start_recording("--until-peak", "100000")
        self.wait_for_output(process, "ready")
        self.wait_for_samples()
        self.do("go")
        self.assertEqual(self.wait_for_end(process), 0)
        self.assertNotIn("threshold-reached", Recording(self.path).facts)

    def test_until_peak_sends_a_signal_once(self):
        process = self.start_recording("-E", "--until-peak", "150:USR1")
        self.wait_for_output(process, "ready")
        self.do("hold")
        self.wait_for_output(process, rf"got {signal.SIGUSR1:d}")
        self.wait_for_samples(30)
        self.do("go")
        self.assertEqual(self.wait_for_end(process), 7)
        self.assertEqual(self.output(process).count("got"), 1)
        self.assertEqual(self.output(process).count("150 MiB reached: sent USR1\n"), 1)

    def test_until_peak_of_an_attached_recording_leaves_the_process_alone(self):
        target, process = self.start_attached("--until-peak", "1")
        self.assertEqual(self.wait_for_end(process), 124)
        self.assertIn("mprof: 1 MiB reached\n", self.output(process))
        self.assertIsNone(target.poll())
        self.assertGreaterEqual(len(self.read().mem), 1)

    def test_until_peak_of_an_attached_recording_with_a_signal(self):
        target, process = self.start_attached("--until-peak", "1:USR1")
        self.wait_for_output(target, rf"got {signal.SIGUSR1:d}")
        self.wait_for_samples()
        self.do("go")
        self.assertEqual(self.wait_for_end(target), 7)
        self.assertEqual(self.wait_for_end(process), 0)

    def test_until_peak_counts_bursts_between_samples(self):
        """The kernel's high-water mark counts: a burst between two samples reaches the threshold."""
        process = self.start_mprof("run", "-T", "0.5", "--until-peak", "150", "-o", self.path,
                                   python(), "growing.py")
        self.wait_for_output(process, "ready")
        self.wait_for_samples(1)
        self.do("burst")
        self.assertEqual(self.wait_for_end(process), 124)


if __name__ == "__main__":
    unittest.main()
