"""S7: whatever text is given to any option, argument or environment variable of any command, nothing
of what is printed can be obeyed by a terminal or turns the text around it. The options are those
that --help lists."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, MPROF, TestCase  # noqa: E402

# A title, a colour by U+009B, U+009F, line ends, DEL, bidirectional controls of every kind, a line
# separator, bytes that are not UTF-8, and last what argp itself prints.
HOSTILE = (b"\x1b]0;x\x07\r\n\x7f\xc2\x9b31m\xc2\x9f\xc2\x80\xe2\x80\xae\xe2\x80\xaa\xe2\x81\xa6"
           b"\xe2\x81\xa9\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xe2\x80\xa8\xff\xc3(\nTry `x.")

# So that what is read in parts is read beyond the first.
FRAMES = (b"%s", b"1%s", b"1,%s", b"%s,1", b"10x%s", b"10x10%s", b"rss,%s", b"1:%s", b"png,%s", b"-%s")

FORBIDDEN = {*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F),
             *range(0x2066, 0x206A)} - {ord("\n"), ord("\t")}

VARIABLES = ("TERM", "TMPDIR", "MPROF_FUNC", "MPROF_LINES", "PATH", "LANG", "LC_ALL", "DISPLAY",
             "HOME", "COLORFGBG", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME",
             "FONTCONFIG_FILE", "FONTCONFIG_PATH", "G_MESSAGES_DEBUG", "PANGOCAIRO_BACKEND")

# What a command needs besides, to come as far as it can.
ARGUMENTS = {"run": ["true"], "attach": ["0"], "plot": ["good.dat"], "peak": ["good.dat"],
             "top": ["--once", "good.dat"], "rm": ["--dry-run", "none.dat"], "clean": ["--dry-run"]}

GOOD = "CMDLINE x\nMEM 5.0 1795330000.0\nMEM 6.0 1795330001.0\nFUNC m.f 5 1795330000.1 6 1795330000.9 0\n"


def help_text(*command):
    done = subprocess.run([MPROF, *command, "--help"], capture_output=True, text=True,
                          timeout=DEADLINE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands():
    return re.findall(r"^  (\w+)\s{2,}\S", help_text(), re.M)


def options(command):
    """[(short or "", long, whether it takes an argument)]"""
    found = re.findall(r"^\s{1,8}(?:(-\w|-\?), )?\s*(--[\w-]+)(=)?", help_text(command), re.M)
    assert len(found) > 1, f"no options of {command}"
    return [(short, long, bool(argument)) for short, long, argument in found]


class HostileText(TestCase):
    def setUp(self):
        super().setUp()
        (self.directory / "good.dat").write_text(GOOD)

    def drive(self, *arguments, **environment):
        """What is printed, whatever the command makes of it, holds no character that is obeyed."""
        changed = {**self.environment(), **environment}
        done = subprocess.run([os.fsencode(MPROF), *(os.fsencode(a) for a in arguments)],
                              cwd=self.directory, env=changed, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=DEADLINE_S)
        for name, printed in (("stdout", done.stdout), ("stderr", done.stderr)):
            with self.subTest(arguments=arguments, environment=environment, stream=name):
                text = printed.decode("utf-8")  # fails where it is not UTF-8
                self.assertEqual(sorted({hex(ord(c)) for c in text} & set(map(hex, FORBIDDEN))), [])
        self.assertGreaterEqual(done.returncode, 0)
        return done

    def test_every_option_of_every_command(self):
        driven = 0
        for command in commands():
            rest = ARGUMENTS.get(command, [])
            if command == "plot":
                rest = ["-o", "picture.svg", *rest]
            for short, long, takes in options(command):
                for frame in FRAMES if takes else FRAMES[:1]:
                    text = frame % HOSTILE
                    self.drive(command, os.fsencode(long) + b"=" + text, *rest)
                    driven += 1
                if short:
                    self.drive(command, os.fsencode(short) + HOSTILE, *rest)
        self.assertGreater(driven, 200)

    def test_unknown_commands_options_and_arguments(self):
        self.drive(HOSTILE)
        for command in commands():
            self.drive(command, b"--" + HOSTILE)
            self.drive(command, b"-" + HOSTILE)
            self.drive(command, HOSTILE)
            self.drive(command, HOSTILE, HOSTILE)
            self.drive(command, b"-1" + HOSTILE)
            self.drive(command, HOSTILE + b".dat")
            self.drive(command, b"--" + HOSTILE + b"=" + HOSTILE)

    def test_a_complaint_is_one_line(self):
        for arguments in (["run", "-T", HOSTILE, "true"], ["plot", "--theme", HOSTILE],
                          ["peak", b"--" + HOSTILE], ["top", "-n", HOSTILE], ["plot", "-o"]):
            done = self.drive(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
            self.assertTrue(done.stderr.startswith(b"mprof %s: " % arguments[0].encode()),
                            done.stderr)
            if HOSTILE in arguments:
                self.assertIn(rb"\x1b]0;x\x07", done.stderr)

    def test_the_environment(self):
        for command in commands():
            for variable in VARIABLES:
                picture = ["-o", "picture.png"] if command == "plot" else []
                self.drive(command, *picture, *ARGUMENTS.get(command, []),
                           **{variable: os.fsdecode(HOSTILE)})

    def test_names_in_a_recording(self):
        name = re.sub(rb"[\x00-\x20\x7f]", lambda m: b"\\x%02x" % m[0][0], HOSTILE)
        lines = [b"CMDLINE " + name, b"MEM 5.0 1795330000.0", b"MEM 6.0 1795330001.0",
                 b"FUNC m." + name + b" 5 1795330000.1 6 1795330000.9 0",
                 b"FUNC " + name + b".m 5 1795330000.1 6 1795330000.9 0",
                 b"CHLD 7 5.0 1795330000.0", b"CHLD 7 6.0 1795330001.0"]
        (self.directory / "named.dat").write_bytes(b"\n".join(lines) + b"\n")
        self.drive("peak", "--exact", "named.dat")
        self.drive("peak", "-f", "m", "named.dat")
        self.drive("top", "--once", "named.dat")
        self.drive("plot", "-o", "picture.svg", "--func", "none", "named.dat")


if __name__ == "__main__":
    unittest.main()
