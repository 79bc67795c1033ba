"""R15: a terminal and job control, as shells use them."""

import os
import pathlib
import re
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import terminal  # noqa: E402
from mprof_test import MPROF, Recording, python, wait_until  # noqa: E402

PROGRAM = """
import os, signal, sys, time
def handle(number, frame):
    os.write(1, b"got %d\\n" % number)
for number in (signal.SIGINT, signal.SIGWINCH, signal.SIGCONT):
    signal.signal(number, handle)
block = bytearray(60 << 20)
time.sleep(0.2)
del block  # the peak is not the last sample
os.write(1, b"tty %d %d %d ready\\n" % (os.isatty(0), os.isatty(1), os.isatty(2)))
while not os.path.exists("go"):
    time.sleep(0.02)
os.write(1, b"line: " + os.read(0, 100))
os.write(1, b"done\\n")
"""


class Terminal(terminal.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"
        (self.directory / "program.py").write_text(PROGRAM)

    def run_in_shell(self, *options):
        return self.start_shell(MPROF, "run", "-T", "0.02", *options, "-o", self.path, python(),
                                "program.py")

    def finish(self):
        (self.directory / "go").write_text("")
        self.type(b"some words\n")
        self.wait_for(rb"line: some words")
        self.wait_for(rb"done")

    def test_R15_program_has_the_terminal(self):
        self.run_in_shell("-E")
        self.wait_for(rb"tty 1 1 1 ready")
        self.finish()
        self.wait_for(rb"ended 0")

    RESULT = rb"mprof: \S+\.dat: peak \d+\.\d MiB in \d+\.\d\d s, \d+ samples; draw it: mprof plot"

    def test_result_on_the_terminal(self):
        self.run_in_shell()
        self.wait_for(rb"ready")
        self.finish()
        self.wait_for(rb"ended 0")
        shown = re.search(self.RESULT + rb" (\S+)", self.text)
        self.assertTrue(shown, self.text)
        self.assertEqual(shown[1].decode(), str(self.path))
        peak, count = re.search(rb"peak ([\d.]+) MiB in \S+ s, (\d+) samples", self.text).groups()
        recording = Recording(self.path)
        self.assertEqual(int(count), len(recording.mem))
        self.assertGreaterEqual(float(peak) + 0.05, max(mib for mib, _ in recording.mem))
        self.assertGreater(float(peak), recording.mem[-1][0] + 50)

    def run_parent(self, *options):
        """Runs a program that does little but start another one."""
        (self.directory / "child.py").write_text("x = bytearray(90 << 20)\n")
        (self.directory / "parent.sh").write_text(f"{python()} child.py\ntrue\n")
        self.start_shell(MPROF, "run", *options, "-o", self.path, "sh", "parent.sh")
        self.wait_for(rb"ended 0")

    def test_result_of_a_program_whose_child_has_the_memory(self):
        """As a compiler's driver: without -C it is not recorded, which a newcomer would not know."""
        self.run_parent()
        found = re.search(rb"peak ([\d.]+) MiB in [^\n]*, up to ([\d.]+) MiB in a child or between samples "
                          rb"\(-C adds children\); draw it", self.text)
        self.assertTrue(found, self.text)
        self.assertGreater(float(found[2]), 90)
        self.assertLess(float(found[1]), 60)

    def test_result_with_children(self):
        self.run_parent("-C")
        self.assertNotIn(b"in a child", self.text)

    def test_result_of_children_that_are_recorded(self):
        self.run_parent("-M")
        self.assertNotIn(b"in a child", self.text)

    def test_quiet(self):
        self.run_in_shell("-q")
        self.wait_for(rb"ready")
        self.finish()
        self.wait_for(rb"ended 0")
        self.assertNotIn(b"mprof:", self.text)
        self.assertNotIn(b"running", self.text)

    def test_no_result_of_a_job_in_the_background(self):
        self.start_bash()
        self.type(b"%s run -o bg.dat sleep 0.5 & wait; echo wait''ed\n" % str(MPROF).encode())
        self.wait_for(rb"waited")
        self.assertNotIn(b"peak", self.text)

    def test_no_result_elsewhere(self):
        """Scripts compare standard error with what the program writes."""
        done = self.run_mprof("run", "-o", self.path, "true")
        self.assertEqual(done.stderr, "")

    def test_R15_interrupt_key_reaches_the_program_once(self):
        self.run_in_shell()
        self.wait_for(rb"ready")
        self.type(b"\x03")
        self.wait_for(rb"got 2")
        time.sleep(0.3)
        self.finish()
        self.wait_for(rb"ended 0")  # the program continued
        self.assertEqual(self.text.count(b"got 2"), 1)
        recording = Recording(self.path)
        self.assertEqual(list(recording.exits.values()), [("status", 0)])

    def test_R15_interrupt_key_ends_a_plain_program(self):
        self.start_shell(MPROF, "run", "-T", "0.02", "-o", self.path, "sleep", "60")
        wait_until(lambda: self.path.exists() and b"\nMEM " in self.path.read_bytes(), "samples")
        self.type(b"\x03")
        self.wait_for(rb"ended -2")
        self.assertEqual(list(Recording(self.path).exits.values()), [("signal", 2)])

    def test_R15_stop_and_continue(self):
        self.run_in_shell("-E")
        self.wait_for(rb"ready")
        for time_ in (1, 2):
            self.type(b"\x1a")
            self.wait_for(rb"stopped", time_)
            size = self.path.stat().st_size
            time.sleep(0.3)
            self.assertEqual(self.path.stat().st_size, size)  # no samples of a stopped job
            self.type(b"fg\n")
            self.wait_for(rb"got 18", time_)
        self.finish()
        self.wait_for(rb"ended 0")
        times = [moment for _, moment in Recording(self.path).mem]
        self.assertGreater(max(b - a for a, b in zip(times, times[1:])), 0.25)

    def test_R15_window_size(self):
        self.run_in_shell("-E")
        self.wait_for(rb"ready")
        self.resize(33, 99)
        self.wait_for(rb"got 28")
        self.finish()
        self.wait_for(rb"ended 0")

    def test_R15_hangup(self):
        job = self.run_in_shell()
        self.wait_for(rb"ready")
        os.kill(os.getpgid(job) and job, 0)
        os.killpg(job, signal.SIGHUP)
        self.wait_for(rb"ended -1")
        self.assertEqual(list(Recording(self.path).exits.values()), [("signal", 1)])


if __name__ == "__main__":
    unittest.main()
