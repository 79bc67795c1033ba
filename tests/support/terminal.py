"""A terminal with a minimal shell, for tests of job control, and a model of a VT100 screen."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios

import mprof_test
from mprof_test import python, wait_until

TIOCGPTN = 0x80045430  # the number of a terminal; os.ptsname is too new

# The leader of a session runs the command as its foreground job. It prints "job N" first, and continues
# the job at "fg".
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
ready, go = os.pipe()
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    for number in (signal.SIGTTOU, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # a test in the background inherits ignored ones
    os.read(ready, 1)  # else the line of the job could be within its output
    os.execv(sys.argv[1], sys.argv[1:])
os.write(1, b'job %d\\n' % job)
os.write(go, b'x')
while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpgrp())
    if os.WIFSTOPPED(status):
        os.write(1, b'stopped\\n')
        while os.read(0, 100) != b'fg\\n': pass
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
    else:
        os.write(1, b'ended %d\\n' % os.waitstatus_to_exitcode(status))
        break
"""


def open_files(pid):
    """The files of its descriptors; none if it has ended."""
    try:
        return [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []


class TestCase(mprof_test.TestCase):
    """The test acts as the user of the terminal; `text` collects its output."""

    def setUp(self):
        super().setUp()
        self.text = b""

    def start_shell(self, *command, size=None, **changes):
        """Starts the shell with a job; returns the job's pid. size: (rows, columns)."""
        self.start_on_terminal([python(), "-c", SHELL, *map(str, command)], size, changes)
        return int(self.wait_for(rb"job (\d+)")[1])

    def start_bash(self, *, size=(24, 200), **changes):
        """Starts an interactive bash, with job control and line editing."""
        changes = {"PS1": "prompt> ", "TERM": "xterm", "INPUTRC": "/dev/null", "LC_ALL": "C.UTF-8",
                   "HISTFILE": "/dev/null", **changes}
        self.start_on_terminal(["/bin/bash", "--norc", "--noprofile", "-i"], size, changes)
        self.wait_for(rb"prompt> ")

    def start_on_terminal(self, command, size, changes):
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory)
            if size:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.execve(command[0], command, self.environment(**changes))
        self.addCleanup(os.close, self.terminal)
        os.set_blocking(self.terminal, False)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)

    def keepers(self):
        """The processes that restore this terminal if the one that changed it is killed."""
        number, = struct.unpack("I", fcntl.ioctl(self.terminal, TIOCGPTN, bytes(4)))
        return [pid for pid, (_, _, command) in mprof_test.process_table().items()
                if command == "mprof-terminal" and f"/dev/pts/{number}" in open_files(pid)]

    def wait_for_keeper(self):
        """Returns its pid. It has closed all files but the terminal and its socket to the recorder."""
        pid, = wait_until(self.keepers, "a keeper of the terminal")
        wait_until(lambda: len(open_files(pid)) == 2, f"only two open files: {open_files(pid)}")
        return pid

    def wait_for_no_keeper(self):
        wait_until(lambda: not self.keepers(), "the end of the keeper")

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.terminal, keys)

    def read_terminal(self):
        try:
            self.text += os.read(self.terminal, 65536)
        except (BlockingIOError, OSError):
            pass

    def wait_for(self, pattern, count=1, begin=0):
        """Waits until the pattern occurs `count` times after `begin`; returns the last match."""
        def poll():
            self.read_terminal()
            found = list(re.compile(pattern).finditer(self.text, begin))
            return len(found) >= count and found[count - 1]
        return wait_until(poll, f"{pattern!r} on the terminal, which shows {self.text[-2000:]!r}")


class Screen:
    """The screen of a VT100 of that size after those bytes. Implements only the sequences that mprof uses, and
    fails on others."""

    SEQUENCE = re.compile(r"\x1b(?:\[([\d;?]*)([A-Za-z])|([78DM]))")

    def __init__(self, rows, columns, data=b""):
        self.rows, self.columns = rows, columns
        self.lines = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.top, self.bottom = 0, rows - 1
        self.saved = (0, 0, "")
        self.style = ""
        self.hidden = False
        self.write(data.decode("utf-8"))

    def text(self, row):
        return "".join(self.lines[row]).rstrip()

    def line_feed(self):
        if self.row == self.bottom:
            del self.lines[self.top]
            self.lines.insert(self.bottom, [" "] * self.columns)
        elif self.row < self.rows - 1:
            self.row += 1

    def write(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = self.SEQUENCE.match(text, at)
                assert match, f"unknown sequence: {text[at:at + 20]!r}"
                self.execute(match[3] or match[2], match[1] or "")
                at = match.end()
                continue
            self.put(text[at])
            at += 1

    def put(self, character):
        if character == "\n":
            self.line_feed()
        elif character == "\r":
            self.column = 0
        elif character == "\b":
            self.column = max(0, self.column - 1)
        else:
            assert character.isprintable(), f"a control character: {character!r}"
            if self.column == self.columns:
                self.column = 0
                self.line_feed()
            self.lines[self.row][self.column] = character
            self.column += 1

    def execute(self, letter, text):
        numbers = [int(number) if number else 0 for number in text.strip("?").split(";")]
        first = numbers[0]
        if letter == "7":
            self.saved = (self.row, self.column, self.style)
        elif letter == "8":
            self.row, self.column, self.style = self.saved
        elif letter == "D":
            self.line_feed()
        elif letter == "A":
            self.row = max(self.top if self.row >= self.top else 0, self.row - max(1, first))
        elif letter == "H":
            self.row = min(self.rows, max(1, first)) - 1
            self.column = min(self.columns, max(1, numbers[1] if numbers[1:] else 1)) - 1
        elif letter == "r":
            self.top = max(1, first) - 1
            self.bottom = (numbers[1] if numbers[1:] and numbers[1] else self.rows) - 1
            self.row = self.column = 0
        elif letter == "K":
            assert first == 0, "to the end of the line only"
            self.lines[self.row][self.column:] = [" "] * (self.columns - self.column)
        elif letter == "J":
            assert first == 0, "to the end of the screen only"
            self.execute("K", "")
            for row in range(self.row + 1, self.rows):
                self.lines[row] = [" "] * self.columns
        elif letter == "m":
            self.style = "" if numbers == [0] else self.style + text + ";"
        elif letter in "hl":
            assert text in ("?25", "?1049"), f"unknown mode: {text}"
            self.hidden = letter == "l" if text == "?25" else self.hidden
        else:
            raise AssertionError(f"unknown sequence: {text}{letter}")
