"""R15: a terminal and job control, as a shell uses them."""

import fcntl
import os
import pathlib
import pty
import signal
import struct
import sys
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, Recording, python, wait_until  # noqa: E402

PROGRAM = """
import os, signal, sys, time
def take(number, frame):
    os.write(1, b"got %d\\n" % number)
for number in (signal.SIGINT, signal.SIGWINCH, signal.SIGCONT):
    signal.signal(number, take)
os.write(1, b"tty %d %d %d ready\\n" % (os.isatty(0), os.isatty(1), os.isatty(2)))
while not os.path.exists("go"):
    time.sleep(0.02)
os.write(1, b"line: " + os.read(0, 100))
os.write(1, b"done\\n")
"""


class Terminal(mprof_test.TestCase):
    """The test is the shell: leader of a session on a terminal of its own."""

    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"
        (self.directory / "program.py").write_text(PROGRAM)
        self.text = b""

    def start_shell(self, *command):
        """A process that leads a session with a terminal and runs the command as its foreground
        job. It writes "job N" first, and answers "fg" by continuing it."""
        shell = (
            "import os, signal, sys\n"
            "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
            "job = os.fork()\n"
            "if job == 0:\n"
            "    os.setpgid(0, 0)\n"
            "    os.tcsetpgrp(0, os.getpid())\n"
            "    signal.signal(signal.SIGTTOU, signal.SIG_DFL)\n"
            "    os.execv(sys.argv[1], sys.argv[1:])\n"
            "os.write(1, b'job %d\\n' % job)\n"
            "while True:\n"
            "    _, status = os.waitpid(job, os.WUNTRACED)\n"
            "    os.tcsetpgrp(0, os.getpgrp())\n"
            "    if os.WIFSTOPPED(status):\n"
            "        os.write(1, b'stopped\\n')\n"
            "        while os.read(0, 100) != b'fg\\n': pass\n"
            "        os.tcsetpgrp(0, job)\n"
            "        os.killpg(job, signal.SIGCONT)\n"
            "    else:\n"
            "        os.write(1, b'ended %d\\n' % os.waitstatus_to_exitcode(status))\n"
            "        break\n")
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory)
            os.execve(python(), [python(), "-c", shell, *map(str, command)], self.environment())
        self.addCleanup(os.close, self.terminal)
        os.set_blocking(self.terminal, False)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        return int(self.wait_for(rb"job (\d+)")[1])

    def wait_for(self, pattern, count=1):
        import re

        def look():
            try:
                self.text += os.read(self.terminal, 65536)
            except (BlockingIOError, OSError):
                pass
            found = list(re.finditer(pattern, self.text))
            return len(found) >= count and found[count - 1]
        return wait_until(look, f"{pattern!r} on the terminal, which shows {self.text!r}", 30)

    def run_in_shell(self, *options):
        return self.start_shell(MPROF, "run", "-T", "0.02", *options, "-o", self.path, python(),
                                "program.py")

    def finish(self):
        (self.directory / "go").write_text("")
        os.write(self.terminal, b"some words\n")
        self.wait_for(rb"line: some words")
        self.wait_for(rb"done")

    def test_R15_the_terminal_is_the_program_s(self):
        self.run_in_shell("-E")
        self.wait_for(rb"tty 1 1 1 ready")
        self.finish()
        self.wait_for(rb"ended 0")

    def test_R15_interrupt_key_reaches_the_program_once(self):
        self.run_in_shell()
        self.wait_for(rb"ready")
        os.write(self.terminal, b"\x03")
        self.wait_for(rb"got 2")
        time.sleep(0.3)
        self.finish()
        self.wait_for(rb"ended 0")  # the program went on: it was no request to end
        self.assertEqual(self.text.count(b"got 2"), 1)
        recording = Recording(self.path)
        self.assertEqual(list(recording.exits.values()), [("status", 0)])

    def test_R15_interrupt_key_ends_a_plain_program(self):
        self.start_shell(MPROF, "run", "-T", "0.02", "-o", self.path, "sleep", "60")
        wait_until(lambda: self.path.exists() and b"\nMEM " in self.path.read_bytes(), "samples")
        os.write(self.terminal, b"\x03")
        self.wait_for(rb"ended -2")
        self.assertEqual(list(Recording(self.path).exits.values()), [("signal", 2)])

    def test_R15_stop_and_continue(self):
        self.run_in_shell("-E")
        self.wait_for(rb"ready")
        for time_ in (1, 2):
            os.write(self.terminal, b"\x1a")
            self.wait_for(rb"stopped", time_)
            size = self.path.stat().st_size
            time.sleep(0.3)
            self.assertEqual(self.path.stat().st_size, size)  # no samples of a stopped job
            os.write(self.terminal, b"fg\n")
            self.wait_for(rb"got 18", time_)
        self.finish()
        self.wait_for(rb"ended 0")
        times = [moment for _, moment in Recording(self.path).mem]
        self.assertGreater(max(b - a for a, b in zip(times, times[1:])), 0.25)

    def test_R15_window_size(self):
        self.run_in_shell("-E")
        self.wait_for(rb"ready")
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
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
