"""R15: job control by bash: the program and its recorder are one job."""

import os
import pathlib
import re
import shlex
import shutil
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
signal.signal(signal.SIGCONT, handle)
os.write(1, b"pid %d ready\\n" % os.getpid())
while not os.path.exists("go"):
    time.sleep(0.02)
os.write(1, b"the end\\n")
sys.exit(3)
"""

STOPPED = rb"\[1\]\+ +(?:\d+ )?Stopped"
PAUSE_S = 0.3


def status(pid):
    """(state, parent) of a process."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return words[0], int(words[1])


@unittest.skipUnless(shutil.which("bash", path="/bin"), "bash is not installed")
class JobControl(terminal.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"
        (self.directory / "program.py").write_text(PROGRAM)

    def start_job(self, *options):
        self.text = b""
        self.start_bash()
        self.command(MPROF, "run", "-T", "0.02", *options, "-o", "out.dat", python(), "program.py")
        self.program = int(self.wait_for(rb"pid (\d+) ready")[1])
        self.recorder = status(self.program)[1]
        self.group = os.getpgid(self.program)
        self.assertEqual(self.group, self.recorder)
        self.wait_for_samples()

    def command(self, *words):
        self.type(shlex.join(map(str, words)).encode() + b"\n")

    def ask(self, line, pattern):
        """Types the line into the shell and waits for the answer."""
        begin = len(self.text)
        self.type(line + b"\n")
        return self.wait_for(pattern, begin=begin)

    def ask_until(self, line, pattern):
        """Repeats the line until the answer matches: the shell may notice a change later than we do."""
        begin = len(self.text)

        def poll():
            prompts = self.text.count(b"prompt> ")
            self.type(line + b"\n")
            wait_until(lambda: (self.read_terminal(), self.text.count(b"prompt> ") > prompts)[1],
                       "a prompt")
            return re.search(pattern, self.text[begin:])
        wait_until(poll, f"{pattern!r} for {line!r}")

    def count_samples(self):
        return self.path.read_text().count("\nMEM ") if self.path.exists() else 0

    def wait_for_samples(self):
        before = self.count_samples()
        wait_until(lambda: (self.read_terminal(), self.count_samples() >= before + 3)[1], "samples")

    def assert_stops(self, stop, *arguments):
        """The shell reports it, both are stopped, and nothing is recorded meanwhile."""
        stop(*arguments)
        wait_until(lambda: (self.read_terminal(),
                            status(self.program)[0] == status(self.recorder)[0] == "T")[1],
                   "both to stop")
        count = self.count_samples()
        time.sleep(PAUSE_S)
        self.assertEqual(self.count_samples(), count)
        self.ask_until(b"jobs", STOPPED)

    def assert_continues(self, word, count):
        self.type(word + b"\n")
        self.wait_for(rb"got 18", count)
        self.wait_for_samples()

    def test_R15_stop_background_and_foreground(self):
        for options in (("-E",), ("-E", "--live")):
            with self.subTest(options=options):
                self.start_job(*options)
                self.assert_stops(self.type, b"\x1a")
                self.assert_continues(b"bg", 1)
                self.ask_until(b"jobs", rb"\[1\]\+ +Running")
                self.assert_stops(os.killpg, self.group, signal.SIGTSTP)  # in the background
                self.assert_continues(b"fg", 2)
                self.assert_stops(os.killpg, self.group, signal.SIGTSTP)  # in the foreground
                self.assert_continues(b"fg", 3)
                self.assert_stops(os.killpg, self.group, signal.SIGSTOP)
                self.assert_continues(b"fg", 4)
                (self.directory / "go").write_text("")
                self.wait_for(rb"the end\r\n")
                self.ask(b"echo code=$?", rb"code=3\r\n")
                self.assertEqual(self.text.count(b"got 18"), 4)
                self.assert_recorded_with_gaps(4)
                (self.directory / "go").unlink()
                self.path.unlink()

    def assert_recorded_with_gaps(self, count):
        recording = Recording(self.path)
        self.assertEqual(list(recording.exits.values()), [("status", 3)])
        times = [moment for _, moment in recording.mem]
        gaps = [b - a for a, b in zip(times, times[1:]) if b - a >= PAUSE_S - 0.01]
        self.assertGreaterEqual(len(gaps), count)
        self.assertGreaterEqual(int(recording.facts["missed-ticks"]), count)

    def test_R15_a_stopped_job_is_killed(self):
        for options in ((), ("-E",), ("--live",)):
            with self.subTest(options=options):
                self.start_job(*options)
                self.assert_stops(self.type, b"\x1a")
                # 148: bash has not seen yet that the job goes on
                self.ask(b"kill %1; while wait -f %1; code=$?; [ $code = 148 ]; do :; done; echo code=$code", rb"code=143\r\n")
                self.assertEqual(list(Recording(self.path).exits.values()), [("signal", 15)])
                self.path.unlink()


if __name__ == "__main__":
    unittest.main()
