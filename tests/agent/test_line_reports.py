"""mprof run --lines: line reports of decorated functions, together with their calls."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
import mprof_test  # noqa: E402
from mprof_test import MPROF, Recording  # noqa: E402

PROGRAM = """
import asyncio, multiprocessing, pickle, sys
@profile
def outer(n):
    total = 0
    for i in range(n):
        total += inner(i)
    return total
@profile
def inner(x):
    return x
class Thing:
    @staticmethod
    @profile
    def fixed():
        return 1
    @property
    @profile
    def value(self):
        return 2
@profile
def numbers():
    yield 1
    yield 2
@profile
async def fetch():
    await asyncio.sleep(0)
    return 3
@profile
def never():
    return 0
if __name__ == "__main__":
    assert outer(3) == 3 and Thing.fixed() == 1 and Thing().value == 2
    assert list(numbers()) == [1, 2] and asyncio.run(fetch()) == 3
    assert pickle.loads(pickle.dumps(outer)) is outer and outer.__name__ == "outer"
    multiprocessing.set_start_method("fork")
    child = multiprocessing.Process(target=outer, args=(5,))
    child.start(); child.join()
    assert child.exitcode == 0
    print("the program has ended")
    sys.exit(3)
"""

# Occurrences of the lines; the child comes first because it ends first.
LINES = """
@profile
def outer(n):
1 total = 0
6 for i in range(n):
5 total += inner(i)
1 return total
@profile
def inner(x):
5 return x
the program has ended
@profile
def outer(n):
1 total = 0
4 for i in range(n):
3 total += inner(i)
1 return total
@profile
def inner(x):
3 return x
@staticmethod
@profile
def fixed():
1 return 1
@property
@profile
def value(self):
1 return 2
@profile
def numbers():
1 yield 1
1 yield 2
@profile
async def fetch():
1 await asyncio.sleep(0)
1 return 3
""".strip().split("\n")


def occurrences(text):
    """Occurrences of the lines of reports, without the lines of decorators and defs."""
    found = []
    for line in text.splitlines():
        match = re.match(r" +\d+ (?: +\S+ MiB +\S+ MiB +(\d+))? +(.*)", line)
        if match and match[2].startswith(("@", "def ", "async def ")):
            found.append(match[2])
        elif match:
            found.append(f"{match[1]} {match[2]}")
        elif line.startswith("the "):
            found.append(line)
    return found


class Lines(mprof_test.TestCase):
    maxDiff = None

    def run_lines(self, interpreter, source, *options, **environment):
        (self.directory / "program.py").write_text(source)
        done = self.run_mprof("run", *options, "-E", "-o", "out.dat", interpreter.path, "program.py",
                              expect=3, env=self.environment(**environment))
        recording = Recording(self.directory / "out.dat")
        (self.directory / "out.dat").unlink()
        return done, [(call.name, call.level) for call in recording.calls]

    def check(self, interpreter, source, **environment):
        done, calls = self.run_lines(interpreter, source, "--lines", **environment)
        self.assertEqual(done.stderr, "")
        self.assertEqual(occurrences(done.stdout), LINES)
        self.assertEqual(len(calls), 14)
        return calls

    def test_builtin(self):
        for interpreter in interpreters.supported():
            with self.subTest(python=str(interpreter)):
                calls = self.check(interpreter, PROGRAM)
                _, plain = self.run_lines(interpreter, PROGRAM)
                self.assertEqual(sorted(calls), sorted(plain))

    def test_imported(self):
        """Our package reports, whether another memory_profiler is installed or not."""
        installed = self.directory / "installed"
        installed.mkdir()
        (installed / "memory_profiler.py").write_text("raise SystemExit('was executed')\n")
        source = "from memory_profiler import profile\n" + PROGRAM
        for interpreter in interpreters.supported():
            with self.subTest(python=str(interpreter)):
                self.check(interpreter, source)
        self.check(interpreter, source, PYTHONPATH=str(installed))

    def test_program_shadows_standard_modules(self):
        for name in interpreters.LIBRARY:
            (self.directory / f"{name}.py").write_text("print('the', __name__)\nof_the_program = 1\n")
        decorated = "@profile\ndef f():\n    return 1\nf()\n"
        imports = "import json, dis, types\njson.of_the_program + dis.of_the_program\n"
        report = ["@profile", "def f():", "1 return 1"]
        for interpreter in interpreters.supported():
            for source in (decorated + imports, imports + decorated):
                with self.subTest(python=str(interpreter), source=source):
                    done, calls = self.run_lines(interpreter, source + "raise SystemExit(3)\n", "--lines")
                    self.assertEqual(done.stderr, "")
                    said = occurrences(done.stdout)
                    self.assertEqual(said[:2], ["the json", "the dis"])
                    self.assertEqual(said[-3:], report)
                    self.assertEqual(len(calls), 1)

    def test_closed_pipe(self):
        source = "@profile\ndef f():\n    return 1\nf()\nraise SystemExit(3)\n"
        for interpreter in interpreters.supported():
            with self.subTest(python=str(interpreter)):
                (self.directory / "program.py").write_text(source)
                read, write = os.pipe()
                os.close(read)
                environment = self.environment()
                del environment["PYTHONUNBUFFERED"]
                done = subprocess.run([MPROF, "run", "--lines", "-E", "-o", "out.dat",
                                       interpreter.path, "program.py"], cwd=self.directory,
                                      env=environment, stdout=write, stderr=subprocess.PIPE,
                                      text=True, timeout=mprof_test.DEADLINE_S)
                os.close(write)
                self.assertEqual((done.stderr, done.returncode), ("", 3))
                (self.directory / "out.dat").unlink()

    def test_options(self):
        interpreter = interpreters.supported()[-1]
        done, _ = self.run_lines(interpreter, PROGRAM, "--lines", MPROF_OFF="1")
        self.assertEqual(occurrences(done.stdout), ["the program has ended"])
        done, _ = self.run_lines(interpreter, "print('the end')\nraise SystemExit(3)\n", "--lines")
        self.assertEqual(occurrences(done.stdout), ["the end"])


if __name__ == "__main__":
    unittest.main()
