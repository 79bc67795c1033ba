"""Completions of bash, zsh and fish, in the real shells: commands, options, their values, and recordings."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import terminal  # noqa: E402
from mprof_test import DEADLINE_S, FIXTURES, MPROF, SOURCE, TestCase  # noqa: E402

SCRIPTS = SOURCE / "docs" / "completions"
COMMANDS = ["run", "attach", "top", "plot", "report", "peak", "functions", "check", "diff", "export", "import", "merge", "list", "rm", "clean", "help"]
RECORDING = "mprofile_20260101120000.dat"

BASH = """
source "$1"
COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_mprof
printf '%s\\n' "${COMPREPLY[@]}"
"""


def options_of(command):
    """Long options of a command's --help."""
    text = subprocess.run([MPROF, command, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^\s{1,8}(?:-\w, )?\s*(--[\w-]+)", text, re.M))


class Shell:
    """What all shells complete; words are those before and at the cursor."""

    def prepare(self):
        shutil.copy(FIXTURES / "dat" / "nested.dat", self.directory / RECORDING)
        (self.directory / "named.dat").touch()
        (self.directory / "notes.txt").touch()

    def path(self):
        return f"{pathlib.Path(MPROF).parent}:/usr/bin:/bin"

    def test_commands(self):
        self.prepare()
        self.assertEqual(set(self.complete("mprof", "")), set(COMMANDS))
        self.assertEqual(self.complete("mprof", "at"), ["attach"])
        self.assertEqual(self.complete("mprof", "help", "pe"), ["peak"])

    def test_options_are_those_of_the_program(self):
        self.prepare()
        for command in COMMANDS[:-1]:
            with self.subTest(command=command):
                found = {option for option in self.complete("mprof", command, "--") if "=" not in option}
                self.assertEqual(found, options_of(command))

    def test_values(self):
        self.prepare()
        values = {value.split("=")[-1] for value in self.complete("mprof", "plot", "--theme=")}
        self.assertLessEqual({"light", "dark", "auto"}, values)
        self.assertEqual([value.split("=")[-1] for value in self.complete("mprof", "plot", "--by=f")], ["function"])

    def test_recordings(self):
        self.prepare()
        for command in ("peak", "functions", "plot", "rm", "check", "diff", "export", "merge", "report", "top"):
            with self.subTest(command=command):
                self.assertLessEqual({"0", RECORDING, "named.dat"}, set(self.complete("mprof", command, "")))
        self.assertEqual(self.complete("mprof", "plot", "nam"), ["named.dat"])
        self.assertEqual(self.complete("mprof", "import", "note"), ["notes.txt"])


class Bash(Shell, TestCase):
    def complete(self, *words):
        if "=" in words[-1]:  # bash splits words there
            option, _, value = words[-1].partition("=")
            words = (*words[:-1], option, "=", *([value] if value else []))
        done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", SCRIPTS / "mprof.bash", *words], text=True,
                              capture_output=True, cwd=self.directory, env=self.environment(PATH=self.path()),
                              timeout=DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()


class Fish(Shell, TestCase):
    def complete(self, *words):
        if not shutil.which("fish"):
            self.skipTest("fish is not installed")
        done = subprocess.run(["fish", "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', SCRIPTS / "mprof.fish",
                               " ".join(words)], text=True, capture_output=True, cwd=self.directory,
                              env=self.environment(PATH=self.path(), HOME=self.directory), timeout=DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [line.split("\t")[0] for line in done.stdout.splitlines()]


class Zsh(terminal.TestCase):
    """In a terminal: zsh completes only there."""

    def setUp(self):
        super().setUp()
        zsh = shutil.which("zsh")
        if not zsh:
            self.skipTest("zsh is not installed")
        shutil.copy(FIXTURES / "dat" / "nested.dat", self.directory / RECORDING)
        functions = self.directory / "functions"
        functions.mkdir()
        shutil.copy(SCRIPTS / "_mprof", functions)
        (self.directory / ".zshrc").write_text(f"fpath=({functions} $fpath)\nautoload -U compinit\ncompinit -u -D\n"
                                               "unsetopt zle_bracketed_paste prompt_sp\nPS1='prompt> '\nbindkey '^I' complete-word\n")
        self.start_on_terminal([zsh, "-i"], (50, 150), {
            "PATH": f"{pathlib.Path(MPROF).parent}:/usr/bin:/bin", "ZDOTDIR": str(self.directory),
            "HOME": str(self.directory), "TERM": "dumb", "LC_ALL": "C.UTF-8"})
        self.wait_for(rb"prompt> ")

    def assert_completes(self, typed, pattern):
        begin = len(self.text)
        self.type(typed + b"\t")
        self.wait_for(pattern, begin=begin)
        # Not Ctrl-C: zsh loses an interrupt that arrives before it reads keys again.
        self.type(b"\x15\r")
        self.wait_for(rb"prompt> ", begin=begin + len(typed))

    def test_one_of_each(self):
        self.assert_completes(b"mprof atta", rb"mprof attach ")
        self.assert_completes(b"mprof help pe", rb"help peak ")
        self.assert_completes(b"mprof plot --as", rb"plot --as-one ")
        self.assert_completes(b"mprof run --include-c", rb"--include-children ")
        self.assert_completes(b"mprof plot --theme=da", rb"--theme=dark ")
        self.assert_completes(b"mprof peak mprof", RECORDING.encode())
        self.assert_completes(b"mprof merge mprof", RECORDING.encode())
        self.assert_completes(b"mprof run --textf", rb"--textfile")

    def test_all_commands_with_descriptions(self):
        self.assert_completes(b"mprof ", rb"peak +-- print the highest memory of recordings")


if __name__ == "__main__":
    unittest.main()
