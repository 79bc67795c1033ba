"""`--live`: a status on the terminal's last line, which never mixes with the program's output. The terminal
is a pty; a model of a VT100 interprets its screen."""

import os
import pathlib
import re
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import terminal  # noqa: E402
from mprof_test import MPROF, Recording, python, wait_until  # noqa: E402
from terminal import Screen  # noqa: E402

# The only sequences that may be written to show the line, and to hide it.
SHOWN = (rb"(?:\x1bD\x1b7\x1b\[1;(?P<last>\d+)r\x1b8\x1b\[A)?"
         rb"\x1b7\x1b\[(?P<row>\d+);1H\x1b\[0;7m\x1b\[K(?P<text>[^\x00-\x1f\x7f]*)\x1b\[0m\x1b8")
HIDDEN = rb"\x1b7\x1b\[r\x1b\[\d+;1H\x1b\[0m\x1b\[K\x1b8"

PROGRAM = """
import os, sys, time, tty
food = []
@profile
def work():
    os.write(1, b"ready\\n")
    while not os.path.exists("go"):
        if os.path.exists("say"):
            os.rename("say", "said")
            os.write(1, b"".join(b"line %d\\n" % n for n in range(100)))
            food.append(b"x" * (50 << 20))
            os.write(1, b"done ")
            os.write(1, b"saying\\n")
        if os.path.exists("free"):
            os.rename("free", "freed")
            food.clear()
        if os.path.exists("raw"):
            before = tty.tcgetattr(0)
            tty.setcbreak(0)
            os.rename("raw", "is raw")
            while not os.path.exists("cooked"): time.sleep(0.02)
            tty.tcsetattr(0, tty.TCSADRAIN, before)
            os.rename("cooked", "is cooked")
        time.sleep(0.02)
work.__qualname__ = NAME
work()
os.write(1, b"the end")
sys.exit(3)
"""


class Live(terminal.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def write_program(self, name="'work'"):
        # the decorator reads the name when it decorates
        text = PROGRAM.replace("work.__qualname__ = NAME\nwork()", f"work.__qualname__ = {name}\n"
                               "profile(work)()").replace("@profile\n", "")
        (self.directory / "program.py").write_text(text)

    def run_live(self, *options, size=(12, 100), **changes):
        self.write_program(changes.pop("name", "'work'"))
        changes = {"TERM": "xterm", "LC_ALL": "C.UTF-8", **changes}
        return self.start_shell(MPROF, "run", "-q", "--live", "-T", "0.02", *options, "-o", self.path,
                                python(), "program.py", size=size, **changes)

    def do(self, what):
        (self.directory / what).write_text("")

    def shown(self):
        """All contents of the line so far, in order."""
        return [match["text"].decode() for match in re.finditer(SHOWN, self.text)]

    def wait_for_line(self, pattern=r"MiB", behind=None):
        """Waits for a newly shown line that matches."""
        begin = len(self.text) if behind is None else behind

        def poll():
            self.read_terminal()
            return next((match for match in re.finditer(SHOWN, self.text[begin:])
                         if re.search(pattern, match["text"].decode())), None)
        try:
            return wait_until(poll, f"{pattern!r} in the line")
        except AssertionError as error:
            self.fail(f"{error}; there was {self.shown()[-3:]!r}")

    def assert_whole(self, text):
        """Apart from the sequences of the line, the terminal received only the program's output."""
        rest = re.sub(HIDDEN, b"", re.sub(SHOWN, b"", self.text))
        self.assertNotIn(b"\x1b", rest)
        self.assertRegex(rest, text)

    def finish(self, code=3):
        self.do("go")
        self.wait_for(rb"ended %d" % code)

    # --- the line ---

    def test_content_of_the_line(self):
        self.run_live("-E")
        self.wait_for_line(r"^ \d+\.\d MiB [ ▁▂▃▄▅▆▇█]{10}  peak \d+\.\d  [+-]\d+\.\d\d MiB/s 00:\d\d"
                           r"  in __main__\.work$")
        self.do("say")
        self.wait_for_line(r"^ [5-9]\d\.\d MiB .*  peak [5-9]\d\.\d  \+\d+\.\d\d MiB/s")
        self.do("free")
        self.wait_for_line(r"^ [1-4]?\d\.\d MiB .*  peak [5-9]\d\.\d  ")
        self.finish()

    def test_line_never_mixes_with_program_output(self):
        self.run_live("-E")
        self.wait_for_line()
        self.do("say")
        self.wait_for(rb"done saying")
        self.wait_for_line()
        self.read_terminal()
        screen = Screen(12, 100, self.text)
        self.assertIn("MiB", screen.text(11))
        self.assertEqual([screen.text(row) for row in range(11)],
                         [f"line {n}" for n in range(91, 100)] + ["done saying", ""])
        self.assertEqual((screen.top, screen.bottom), (0, 10))
        self.finish()
        self.assert_whole(rb"ready\r\n" + b"".join(b"line %d\r\n" % n for n in range(100))
                          + rb"done saying\r\nthe endended 3\r\n\Z")

    def assert_restored(self, rows=12, columns=100):
        screen = Screen(rows, columns, self.text)
        self.assertEqual((screen.top, screen.bottom), (0, rows - 1))
        self.assertEqual((screen.style, screen.hidden), ("", False))
        self.assertNotIn("MiB", "\n".join(screen.text(row) for row in range(rows)))

    def test_terminal_is_restored_at_the_end(self):
        self.run_live("-E")
        self.wait_for_line()
        self.finish()
        self.assert_restored()

    def test_terminal_is_restored_at_a_signal(self):
        for number, keys in ((signal.SIGINT, b"\x03"), (signal.SIGQUIT, b"\x1c"),
                             (signal.SIGTERM, None), (signal.SIGHUP, None)):
            with self.subTest(signal=number.name):
                self.text = b""
                job = self.run_live()
                self.wait_for(rb"ready")
                self.wait_for_line()
                if keys:
                    self.type(keys)
                else:
                    os.kill(job, number)
                self.wait_for(rb"ended -%d" % number)
                rest = re.sub(HIDDEN, b"", re.sub(SHOWN, b"", self.text))
                self.assertNotIn(b"\x1b", rest)
                self.assertGreater(self.text.rfind(b"\x1b[r"), self.text.rfind(b"\x1b[1;"))
                self.path.unlink()

    def assert_restored_after(self, kill):
        job = self.run_live("-C", "-M")
        self.wait_for(rb"ready")
        self.wait_for_line()
        keeper = self.wait_for_keeper()
        self.assertNotEqual(os.getsid(keeper), os.getsid(job))
        kill(job, signal.SIGKILL)
        self.wait_for(rb"ended -9")
        self.wait_for_no_keeper()
        self.read_terminal()
        self.assert_restored()
        self.assert_whole(rb"\Ajob \d+\r\n[^\x1b]*ready\r\nended -9\r\n\Z")
        self.assertNotIn(keeper, [pid for pid, _, _ in Recording(self.path).processes])

    def test_keeper_restores_the_terminal_if_the_recorder_is_killed(self):
        self.assert_restored_after(os.kill)
        self.do("go")

    def test_keeper_restores_the_terminal_if_the_whole_job_is_killed(self):
        self.assert_restored_after(os.killpg)

    def test_keeper_writes_nothing_if_no_line_is_shown(self):
        job = self.run_live()
        self.wait_for(rb"ready")
        self.wait_for_line()
        self.wait_for_keeper()
        self.type(b"\x1a")
        stopped = self.wait_for(rb"stopped\r\n")
        os.killpg(job, signal.SIGKILL)
        self.wait_for_no_keeper()
        self.read_terminal()
        self.assertNotIn(b"\x1b", self.text[stopped.end():])
        self.assert_restored()

    def test_keeper_ends_with_the_recorder(self):
        self.run_live("-E")
        self.wait_for(rb"ready")
        self.wait_for_line()
        keeper = self.wait_for_keeper()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(keeper, number)  # it ignores them
        self.finish()
        self.wait_for_no_keeper()
        self.read_terminal()
        self.assertEqual(len(re.findall(HIDDEN, self.text)), 1)
        self.assert_restored()

    def test_terminal_is_restored_at_the_timeout(self):
        self.run_live("-E", "-t", "2")
        self.wait_for_line(behind=0)
        self.wait_for(HIDDEN)
        self.finish()
        self.assert_restored()

    def test_cursor_position_is_kept(self):
        """Also in the last row, in the middle of a line."""
        (self.directory / "cursor.py").write_text(
            "import os, time\n"
            "os.write(1, b'\\n' * 20 + b'begun ')\n"
            "while not os.path.exists('go'): time.sleep(0.02)\n"
            "os.write(1, b'and finished\\n')\n")
        self.start_shell(MPROF, "run", "-q", "--live", "-E", "--delay", "0.3", "-T", "0.02", "-o", self.path,
                         python(), "cursor.py", size=(8, 60), TERM="xterm", LC_ALL="C.UTF-8")
        self.wait_for(rb"begun")
        self.wait_for_line(r"MiB")
        self.do("go")
        self.wait_for(rb"ended 0")
        screen = Screen(8, 60, self.text)
        rows = [screen.text(row) for row in range(8)]
        self.assertIn("begun and finished", rows)
        self.assertEqual(rows[rows.index("begun and finished") + 1], "ended 0")

    def test_countdown_to_a_delayed_recording(self):
        self.run_live("-E", "--delay", "1.5")
        self.wait_for_line(r"^ mprof: recording begins in 00:0\d$", behind=0)
        self.wait_for_line(r"MiB")
        self.finish()

    # --- S4 ---

    def test_S4_names_are_harmless(self):
        self.run_live("-E", size=(12, 160), name=r"'\x1b]0;title\x07\x1b[2J\n\x9b31m\u202e'")
        self.wait_for_line(r"  in __main__\.\\x1b\]0;title\\x07\\x1b\[2J\\x0a\\xc2\\x9b31m", behind=0)
        self.finish()
        self.assert_whole(rb"ready")

    def test_last_entered_call_of_all_processes_is_shown(self):
        (self.directory / "program.py").write_text("""
import os, subprocess, sys, time
def until(name):
    while not os.path.exists(name): time.sleep(0.02)
@profile
def first(): until("go")
@profile
def second(): until("end second")
@profile
def third(): until("end third")
if len(sys.argv) > 1:
    until("begin " + sys.argv[1])
    globals()[sys.argv[1]]()
    sys.exit()
others = [subprocess.Popen([sys.executable, __file__, name]) for name in ("third", "second")]
first()
for other in others: other.wait()
sys.exit(3)
""")
        self.start_shell(MPROF, "run", "-q", "-E", "--live", "-T", "0.02", "-o", self.path, python(),
                         "program.py", size=(12, 100), TERM="xterm", LC_ALL="C.UTF-8")
        for what, shown in (("", "first"), ("begin second", "second"), ("begin third", "third"),
                            ("end third", "second"), ("end second", "first")):
            if what:
                self.do(what)
            self.wait_for_line(rf"  in __main__\.{shown}( \+\d)?$")
        self.finish()

    def test_ascii_terminal(self):
        self.run_live("-E", LC_ALL="C", name=r"'wörk'")
        self.wait_for_line(r"^[ -~]* MiB  peak [ -~]*  in __main__\.w\?\?rk$", behind=0)
        self.finish()

    # --- sharing the terminal ---

    def test_stop_and_continue(self):
        self.run_live("-E")
        self.wait_for(rb"ready")
        for time_ in (1, 2):
            self.wait_for_line()
            self.type(b"\x1a")
            stopped = self.wait_for(rb"stopped\r\n", time_)
            before = self.text[:stopped.start()]
            self.assertGreater(before.rfind(b"\x1b[r"), before.rfind(b"\x1b[0;7m"))
            self.type(b"fg\n")
            self.wait_for_line(behind=stopped.end())
            between = self.text[stopped.end():]
            self.assertRegex(between, rb"\Afg\r\n(\^Z)?\x1bD\x1b7\x1b\[1;11r")
        self.finish()

    def test_window_size(self):
        self.run_live("-E")
        self.wait_for_line()
        for rows, columns in ((20, 50), (6, 120), (12, 30)):
            begin = len(self.text)
            self.resize(rows, columns)
            wait_until(lambda: (self.read_terminal(),
                                b"\x1b[1;%dr" % (rows - 1) in self.text[begin:])[1], "a new region")
            last = self.wait_for_line()
            self.assertEqual(int(last["row"]), rows)
            self.assertLessEqual(len(last["text"].decode()), columns)
        begin = len(self.text)
        self.resize(2, 100)  # no room for a line
        wait_until(lambda: (self.read_terminal(), re.search(HIDDEN, self.text[begin:]))[1] or
                   b"\x1b[r" in self.text[begin:] or self.is_silent(), "no line")
        self.finish()

    def is_silent(self):
        """Whether no line is shown while twenty samples are taken."""
        self.read_terminal()
        shown = len(self.shown())
        before = self.path.read_text().count("\nMEM ")
        wait_until(lambda: self.path.read_text().count("\nMEM ") >= before + 20, "samples")
        self.read_terminal()
        return len(self.shown()) == shown

    def test_line_is_hidden_while_the_program_reads_keys(self):
        self.run_live("-E")
        self.wait_for(rb"ready")
        self.wait_for_line()
        self.do("raw")
        wait_until(lambda: (self.directory / "is raw").exists(), "raw mode")
        wait_until(lambda: (self.read_terminal(), self.text.rfind(b"\x1b[r") > self.text.rfind(
            b"\x1b[0;7m"))[1], "the line to go")
        self.assertTrue(self.is_silent())
        self.do("cooked")
        self.wait_for_line()
        self.finish()

    def test_blocked_terminal_does_not_stop_the_recording(self):
        """Ctrl-S blocks the program's output; the recorder continues."""
        self.run_live("-E")
        self.wait_for(rb"ready")
        self.wait_for_line()
        self.type(b"\x13")
        before = self.path.read_text().count("\nMEM ")
        wait_until(lambda: self.path.read_text().count("\nMEM ") > before + 30, "samples")
        self.type(b"\x11")
        self.wait_for_line()
        self.finish()

    # --- unsuitable terminals ---

    def test_missing_terminal_is_reported(self):
        self.write_program()
        self.do("go")
        done = self.run_mprof("run", "--live", "-E", "-o", self.path, python(), "program.py", expect=3)
        self.assertEqual(done.stderr, "mprof: --live shows nothing: standard error is not a terminal\n")
        self.assertTrue(done.stdout.endswith("ready\nthe end"))
        self.assertGreater(len(Recording(self.path).mem), 0)

    def test_terminals_without_a_cursor(self):
        for term in ("dumb", ""):
            with self.subTest(TERM=term):
                self.text = b""
                self.do("go")
                self.run_live("-E", TERM=term)
                self.wait_for(rb"ended 3")
                self.assertIn(b"mprof: --live shows nothing: the terminal cannot move its cursor "
                              b"(TERM is unset or dumb)\r\n", self.text)
                self.assertNotIn(b"\x1b", self.text)
                self.path.unlink()

    def test_terminals_too_small(self):
        for size in ((2, 80), (24, 10), (0, 0)):
            with self.subTest(size=size):
                self.text = b""
                self.run_live("-E", size=size)
                self.wait_for(rb"ready")
                self.assertTrue(self.is_silent())
                self.finish()
                self.assertNotIn(b"\x1b", self.text)
                self.path.unlink()
                (self.directory / "go").unlink()

    def test_attached(self):
        target = self.start(python(), "-c", "import time\nprint('ready', flush=True)\n"
                            "time.sleep(600)")
        self.wait_for_output(target, "ready")
        self.start_shell(MPROF, "attach", "-q", "--live", "-T", "0.02", "-o", self.path, target.pid,
                         size=(10, 80), TERM="xterm", LC_ALL="C.UTF-8")
        self.wait_for_line(r"^ \d+\.\d MiB")
        target.kill()
        self.wait_for(rb"ended 0")
        self.assert_restored(10, 80)


if __name__ == "__main__":
    unittest.main()
