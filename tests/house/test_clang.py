"""clang has no warning about the programs and the fuzz targets: the preset `fuzz` refuses warnings, and is built by
tests/fuzz only."""

import collections
import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import MPROF, SOURCE  # noqa: E402

COMMANDS = pathlib.Path(MPROF).parent / "compile_commands.json"

# Options of gcc that clang does not know, and what decides about the code that is generated.
LEFT_OUT = ("-Wno-format-truncation", "-fPIC", "-fPIE", "-MD", "-c")
LEFT_OUT_WITH_VALUE = ("-o", "-MF", "-MT")


def options_of(command):
    """Of one line of the compile commands, without the compiler and the source file."""
    words, kept = iter(shlex.split(command)[1:-1]), []
    for word in words:
        if word in LEFT_OUT_WITH_VALUE:
            next(words)
        elif word not in LEFT_OUT and not word.startswith(("-O", "-g")):
            kept.append(word)
    return kept


def units():
    """{(folder, options): files}, as the preset `fuzz` compiles them: the programs without assertions, the fuzz
    targets with them."""
    found, seen = collections.defaultdict(list), set()
    for entry in json.loads(COMMANDS.read_text()):
        path = pathlib.Path(os.path.relpath(entry["file"], SOURCE))
        if path in seen or path.parts[0] not in ("mprof.c", "parse", "record", "render", "agent", "tests"):
            continue
        is_target = path.parts[:2] == ("tests", "fuzzing")
        if path.parts[0] == "tests" and not is_target:
            continue
        seen.add(path)
        options = [option for option in options_of(entry["command"]) if is_target or option != "-UNDEBUG"]
        found[entry["directory"], tuple(options)].append(entry["file"])
    return found


def compile_all(folder, options, files):
    """One process checks many files: starting the compiler costs more than a file. Returns the messages."""
    done = subprocess.run(["clang", "-###", "-fsyntax-only", *options, "-Werror", files[0]], cwd=folder,
                          capture_output=True, text=True)
    lines = [shlex.split(line) for line in done.stderr.splitlines() if '"-cc1"' in line]
    if done.returncode != 0 or len(lines) != 1 or lines[0][-1] != files[0]:
        return done.stderr
    done = subprocess.run(lines[0][:-1] + files, cwd=folder, capture_output=True, text=True)
    return done.stderr if done.returncode != 0 else ""


class Clang(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("clang"):
            raise unittest.SkipTest("clang is not installed")
        if not COMMANDS.is_file():
            raise unittest.SkipTest("the build wrote no compile_commands.json")

    def test_no_warning(self):
        groups = units()
        names = {os.path.relpath(file, SOURCE) for files in groups.values() for file in files}
        self.assertLessEqual({"mprof.c", "parse/reader.c", "record/run_command.c", "tests/fuzzing/fuzz_profile.c"}, names)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda group: compile_all(*group[0], group[1]), groups.items())
            self.assertEqual("".join(found)[:4000], "")

    def test_a_warning_is_noticed(self):
        (folder, options), files = next(iter(units().items()))
        with tempfile.TemporaryDirectory() as directory:
            program = pathlib.Path(directory, "unused.c")
            program.write_text("static int unused;\n")
            self.assertIn("unused.c:1:", compile_all(folder, options, [files[0], str(program)]))


if __name__ == "__main__":
    unittest.main()
