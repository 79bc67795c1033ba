"""python -m memory_profiler and its report: upstream's format and our additions."""

import html.parser
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
import interpreters  # noqa: E402
from mprof_test import UPSTREAM, TestCase  # noqa: E402

# A sanitizer's allocator adds metadata to each block.
PEAK_DELTA = 5 if "MPROF_SANITIZER" in os.environ else 1.5

PROGRAM = """\
import sys

@profile
def f(n):
    blocks = []
    for i in range(n):
        blocks.append(b"x" * (4 << 20))
    if n > 100:
        blocks = None
    del blocks

@profile
def g():
    a = b"x" * (8 << 20)
    return a

f(3); g(); g()
print("arguments", *sys.argv[1:])
"""

ROW = re.compile(r"^ *(\d+) (?: *(-?[\d.]+) MiB +(-?[\d.]+) MiB +(\d+) | {26} {12})  (.*)$")


def rows(text):
    """[(line, memory, increment, occurrences, contents), ...]"""
    found = []
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            number, memory, increment, hits, contents = match.groups()
            found.append((int(number), memory and float(memory), increment and float(increment),
                          hits and int(hits), contents))
    return found


class Page(html.parser.HTMLParser):
    """Checks that each tag is closed; collects the texts of the cells."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.cells = []
        self.styles = 0

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "!doctype"):
            self.open.append(tag)
        self.styles += tag == "tr" and any(name == "style" for name, _ in attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["td"]:
            self.cells.append(data)


class Report(TestCase):
    def setUp(self):
        super().setUp()
        self.script("program.py", PROGRAM)

    def script(self, name, text):
        path = self.directory / name
        path.write_text(textwrap.dedent(text))
        return path

    def profile(self, *arguments, upstream=False, expect=0, python=sys.executable, before=(),
                **options):
        environment = pythons.environment(MALLOC_MMAP_THRESHOLD_="1048576")
        if upstream:
            environment["PYTHONPATH"] = str(UPSTREAM)
        options = {"cwd": self.directory, "stdout": subprocess.PIPE, **options}
        done = subprocess.run([*before, str(python), "-m", "memory_profiler", *map(str, arguments)],
                              stderr=subprocess.PIPE, text=True, timeout=180, env=environment,
                              **options)
        self.assertEqual(done.returncode, expect, f"{done.stdout}{done.stderr}")
        return done

    # ---- upstream's format ----

    @unittest.skipUnless((UPSTREAM / "memory_profiler.py").exists(), "python3-memory-profiler is not installed")
    def test_same_lines_counts_and_form_as_upstream(self):
        ours = self.profile("program.py", "a", "b").stdout
        theirs = self.profile("program.py", "a", "b", upstream=True).stdout
        self.assertIn("arguments a b\n", ours)
        shape = re.compile(r"-?[\d.]+ MiB")
        self.assertEqual([shape.sub("MiB", re.sub(" +(?=-?[\\d.]+ MiB)", "", line))
                          for line in ours.splitlines()],
                         [shape.sub("MiB", re.sub(" +(?=-?[\\d.]+ MiB)", "", line))
                          for line in theirs.splitlines()])
        self.assertEqual([len(line) for line in ours.splitlines()],
                         [len(line) for line in theirs.splitlines()])
        for mine, other in zip(rows(ours), rows(theirs)):
            self.assertEqual((mine[0], mine[3], mine[4]), (other[0], other[3], other[4]))

    @unittest.skipUnless((UPSTREAM / "memory_profiler.py").exists(), "python3-memory-profiler is not installed")
    def test_same_options_as_upstream(self):
        ours, theirs = (self.profile("-h", upstream=upstream).stdout for upstream in (False, True))
        options = set(re.findall(r"^  (-{1,2}[\w-]+)", theirs, re.M))
        self.assertGreaterEqual(options, {"--pdb-mmem", "-o", "--timestamp"})
        self.assertEqual(options - set(re.findall(r"^  (-{1,2}[\w-]+)", ours, re.M)), set())
        self.assertEqual(self.profile("--version").stdout,
                         self.profile("--version", upstream=True).stdout)

    def test_widths_and_precision(self):
        for precision in (0, 1, 3, 6):
            text = self.profile("--precision", precision, "program.py").stdout
            header = "Line #    Mem usage    Increment  Occurrences   Line Contents"
            self.assertIn(f"Filename: program.py\n\n{header}\n{'=' * len(header)}\n", text)
            self.assertRegex(text, r"(?m)^     7 +[\d]+(\.\d{%d})? MiB +12(\.\d{%d})? MiB" %
                             (precision, precision) if precision else r"(?m)^     7 +\d+ MiB")
        self.assertEqual(rows(text)[0][0], 3)

    def test_values(self):
        found = {row[0]: row for row in rows(self.profile("program.py").stdout)}
        self.assertEqual([found[n][3] for n in (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15)],
                         [1, None, 1, 4, 3, 1, None, 1, 2, 2, 2])
        self.assertAlmostEqual(found[7][2], 12, delta=0.5)
        self.assertAlmostEqual(found[10][2], -12, delta=0.5)
        self.assertAlmostEqual(found[7][1] - found[3][1], 12, delta=0.5)
        self.assertAlmostEqual(found[14][2], 16, delta=0.5)

    def test_output_is_appended(self):
        for _ in range(2):
            done = self.profile("-o", "report.txt", "program.py")
            self.assertEqual(done.stdout, "arguments\n")
        text = (self.directory / "report.txt").read_text()
        self.assertEqual(text.count("Filename: "), 4)

    def test_unwritable_output_fails_before_the_program_runs(self):
        done = self.profile("-o", "missing/report.txt", "program.py", expect=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, "mprof: cannot write to missing/report.txt: No such file or directory\n")

    def test_module_target(self):
        (self.directory / "package").mkdir()
        self.script("package/__init__.py", "")
        self.script("package/part.py", PROGRAM + "print(__name__, __package__)\n")
        done = self.profile("package.part", "x")
        self.assertIn("arguments x\n__main__ package\n", done.stdout)
        self.assertEqual(done.stdout.count("Filename: "), 2)

    def test_script_on_path(self):
        folder = self.directory / "elsewhere"
        folder.mkdir()
        (self.directory / "program.py").rename(folder / "found.py")
        environment = pythons.environment()
        environment["PATH"] += f":{folder}"
        done = subprocess.run([sys.executable, "-m", "memory_profiler", "found.py"],
                              cwd=self.directory, env=environment, capture_output=True, text=True)
        self.assertIn(f"Filename: {folder}/found.py", done.stdout)

    def test_missing_script_and_missing_target(self):
        self.assertIn("missing.py", self.profile("missing.py", expect=1).stderr)
        self.assertIn("must be provided", self.profile(expect=1).stdout)
        for name in ("missing", "missing.module"):
            self.assertEqual(self.profile(name, expect=1).stderr,
                             f"mprof: cannot find the module {name}; a script's name ends in .py\n")

    def test_bad_options_are_refused_before_the_program_runs(self):
        for options, reason in (
                (["--precision", "-1"], "number of decimals"),
                (["--precision", "31"], "number of decimals"),
                (["--threshold", "nan"], "must be a size"), (["--threshold", "-1"], "must be a size"),
                (["--pdb-mmem", "inf"], "must be a size"), (["--pdb-mmem", "x"], "must be a size"),
                (["--columns", "mem,mem"], "named twice"), (["--columns", ""], "unknown column"),
                (["--columns", "x"], "unknown column"), (["--sort", "x"], "invalid choice"),
                (["--color", "x"], "invalid choice"), (["--backend", "x"], "invalid choice"),
                (["--json", "--html"], "not allowed with"), (["--bogus"], "unrecognized")):
            with self.subTest(options=options):
                done = self.profile(*options, "program.py", expect=2)
                self.assertEqual(done.stdout, "")
                self.assertIn(reason, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_threads_that_outlive_the_script(self):
        self.script("threads.py", """\
            import threading
            main = threading.current_thread()
            @profile
            def f():
                a = b"x" * (8 << 20)
                return len(a)
            @profile
            def g():
                f()
            threading.Thread(target=lambda: [threading.Event().wait(0.3), g()]).start()
            """)
        done = self.profile("threads.py")
        self.assertEqual(done.stdout.count("Filename: "), 2)
        self.assertEqual({row[0]: row[3] for row in rows(done.stdout)},
                         {3: 1, 4: None, 5: 1, 6: 1, 7: 1, 8: None, 9: 1})

    def shadow_library(self, python):
        """Shadows each standard module by one in the program's folder, except those that `python -m` itself
        would import from there."""
        for path in self.directory.glob("*.py"):
            path.unlink()
        self.script("nothing.py", "import sys; print(*sys.modules)")
        done = subprocess.run([python, "-m", "nothing"], cwd=self.directory, capture_output=True,
                              text=True, timeout=180, env=pythons.environment())
        needed = {name.partition(".")[0] for name in done.stdout.split()}
        for name in interpreters.LIBRARY - needed:
            self.script(f"{name}.py", "print('read', __name__)\nof_the_program = True\n")
        self.script("imports.py", "import json, html, dis, inspect, tokenize\n@profile\ndef f():\n"
                    "    return [m.of_the_program for m in (json, html, dis, inspect, tokenize)]\n"
                    "f()\n"
                    "import argparse, textwrap\n"
                    "assert argparse.of_the_program and textwrap.of_the_program\n")

    SAID = "".join(f"read {name}\n" for name in
                   ("json", "html", "dis", "inspect", "tokenize", "argparse", "textwrap"))

    def test_program_shadows_standard_modules(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                self.shadow_library(python)
                for options in (["--json"], ["--columns", "mem,peak"]):
                    done = self.profile(*options, "imports.py", python=python)
                    said, report = done.stdout[:len(self.SAID)], done.stdout[len(self.SAID):]
                    self.assertEqual((said, done.stderr), (self.SAID, ""))
                    if "--json" in options:
                        self.assertEqual(json.loads(report)["functions"][0]["function"], "f")
                    else:
                        self.assertEqual(report.count("Filename: "), 1)

    def test_program_elsewhere_shadows_standard_modules(self):
        for python in {pythons.found()[0], pythons.found()[-1]}:
            with self.subTest(python=str(python)):
                self.shadow_library(python)
                here = self.directory / "here"
                here.mkdir(exist_ok=True)
                done = self.profile("../imports.py", python=python, cwd=here)
                self.assertEqual((done.stdout[:len(self.SAID)], done.stderr), (self.SAID, ""))
                self.assertEqual(done.stdout.count("Filename: "), 1)

    def test_program_has_a_standard_module_that_the_interpreter_lacks(self):
        """As many lack _bz2: shutil, which we need, works without. The program gets its own."""
        self.script("_bz2.py", "print('read', __name__)\n")
        self.script("imports.py", "import sys\nprint('shutil' in sys.modules)\nimport _bz2\n")
        lacks = textwrap.dedent("""\
            import os, runpy, sys
            os.makedirs("lib-dynload", exist_ok=True)
            for number, entry in enumerate(sys.path):
                if os.path.basename(entry) == "lib-dynload":
                    sys.path[number] = os.path.abspath("lib-dynload")
                    for name in os.listdir(entry):
                        if not name.startswith("_bz2"):
                            os.symlink(os.path.join(entry, name), os.path.join("lib-dynload", name))
            sys.argv[0] = "memory_profiler"
            runpy.run_module("memory_profiler", run_name="__main__")
            """)
        for python in pythons.found():
            if pythons.version_of(python) < (3, 10):
                continue  # it does not know the names of its modules
            with self.subTest(python=str(python)):
                shutil.rmtree(self.directory / "lib-dynload", ignore_errors=True)
                done = subprocess.run([python, "-c", lacks, "imports.py"], cwd=self.directory, capture_output=True,
                                      text=True, timeout=180, env=pythons.environment(), check=False)
                self.assertEqual((done.stdout, done.stderr), ("True\nread _bz2\n", ""), done.stderr)

    def test_script_sees_itself_as_main(self):
        self.script("main.py", """\
            import pickle, sys, os
            class Thing: pass
            assert __name__ == "__main__" and sys.modules["__main__"].Thing is Thing
            assert isinstance(pickle.loads(pickle.dumps(Thing())), Thing)
            assert os.path.basename(__file__) == "main.py" and sys.argv == ["main.py", "-o", "x"]
            assert sys.path[0] == os.getcwd()
            """)
        self.profile("main.py", "-o", "x")

    def test_exit_codes_and_tracebacks(self):
        self.script("fails.py", "@profile\ndef f():\n    1 / 0\nf()\n")
        done = self.profile("fails.py", expect=1)
        self.assertEqual(done.stdout.count("Filename: "), 1)
        self.assertTrue(done.stderr.startswith(
            'Traceback (most recent call last):\n  File "fails.py", line 4, in <module>'),
            done.stderr)
        self.assertTrue(done.stderr.endswith("ZeroDivisionError: division by zero\n"))
        self.script("syntax.py", "x = (\n")
        done = self.profile("syntax.py", expect=1)
        self.assertTrue(done.stderr.startswith('  File "syntax.py", line 1'), done.stderr)
        self.script("exits.py", "@profile\ndef f():\n    raise SystemExit(7)\nf()\n")
        self.assertEqual(self.profile("exits.py", expect=7).stdout.count("Filename: "), 1)

    def test_closed_pipe(self):
        """No message, and the exit code of a program that SIGPIPE has ended."""
        self.script("quiet.py", "@profile\ndef f():\n    pass\nf()\n")
        self.script("exits.py", "@profile\ndef f():\n    raise SystemExit(7)\nf()\n")
        cases = [(python, ["quiet.py"], 141) for python in pythons.found()]
        cases += [(sys.executable, [option, "quiet.py"], 141)
                  for option in ("--json", "--html", "--timestamp", "-h")]
        cases += [(sys.executable, ["exits.py"], 7)]
        for python, arguments, code in cases:
            with self.subTest(python=str(python), arguments=arguments):
                read, write = os.pipe()
                os.close(read)
                done = self.profile(*arguments, python=python, expect=code, stdout=write)
                os.close(write)
                self.assertEqual(done.stderr, "")

    def test_report_that_cannot_be_written(self):
        self.script("quiet.py", "@profile\ndef f():\n    pass\nf()\n")
        lost = "mprof: cannot write to standard output: "
        for python in {pythons.found()[0], pythons.found()[-1]}:
            with self.subTest(python=str(python)):
                with open("/dev/full", "w") as full:
                    done = self.profile("quiet.py", python=python, expect=1, stdout=full)
                self.assertEqual(done.stderr, lost + "No space left on device\n")
                done = self.profile("-o", "/dev/full", "quiet.py", python=python, expect=1)
                self.assertEqual(done.stderr, "mprof: cannot write to /dev/full: No space left on device\n")
                done = self.profile("quiet.py", python=python, expect=1,
                                    before=["sh", "-c", 'exec "$@" >&-', "sh"])
                self.assertEqual(done.stderr, lost + "Bad file descriptor\n")

    def test_backends(self):
        for backend in ("psutil", "posix", "psutil_pss", "psutil_uss", "tracemalloc"):
            with self.subTest(backend=backend):
                # PSS and USS change when other processes that share pages start or end
                for _ in range(10 if backend in ("psutil_pss", "psutil_uss") else 1):
                    found = {row[0]: row for row in
                             rows(self.profile("--backend", backend, "program.py").stdout)}
                    if abs(found[7][2] - 12) <= 0.5:
                        break
                self.assertAlmostEqual(found[7][2], 12, delta=0.5)
                self.assertEqual(found[6][3], 4)

    def test_include_children(self):
        self.script("children.py", """\
            import subprocess, sys
            CODE = "a = b'x' * (24 << 20); print(1, flush=True); input()"
            @profile
            def f():
                child = subprocess.Popen([sys.executable, "-I", "-S", "-c", CODE],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                child.stdout.readline()
                child.communicate(b"\\n")
            f()
            """)
        alone = {row[0]: row for row in rows(self.profile("children.py").stdout)}
        whole = {row[0]: row for row in
                 rows(self.profile("--include-children", "children.py").stdout)}
        self.assertLess(max(row[2] for row in alone.values() if row[2] is not None), 10)
        # The child may have allocated most of it before its first line ends.
        self.assertGreater(whole[5][2] + whole[7][2], 23)
        self.assertLess(whole[8][2], -23)

    def test_timestamp(self):
        lines = self.profile("--timestamp", "program.py").stdout.splitlines()
        calls = [line.split() for line in lines if line.startswith("FUNC ")]
        self.assertEqual([call[1] for call in calls], ["__main__.f", "__main__.g", "__main__.g"])
        for _, _, before, entered, after, left, level in calls:
            self.assertLessEqual(float(entered), float(left))
            self.assertEqual(level, "0")

    def test_stdin_and_streams_belong_to_the_program(self):
        self.script("echo.py", "import sys\nsys.stderr.write(sys.stdin.read())\n")
        self.assertEqual(self.profile("echo.py", input="abc").stderr, "abc")

    # ---- the debugger ----

    LIMIT = """\
        @profile
        def f():
            a = 1
            b = b"x" * (64 << 20)
            c = 3
            d = 4
            return c + d
        print("result", f())
        """

    def test_debugger_at_the_line_that_crossed_the_limit(self):
        self.script("limit.py", self.LIMIT)
        for python in pythons.found():
            with self.subTest(python=str(python)):
                done = self.profile("--pdb-mmem", "60", "limit.py", python=python,
                                    input="p a\nl .\nc\n")
                self.assertIn("> ", done.stdout)
                self.assertRegex(done.stdout, r"limit\.py\(4\)f\(\)\n-> b = b\"x\"")
                self.assertIn("(Pdb) 1\n", done.stdout)
                self.assertEqual(done.stdout.count("starting the debugger"), 1)
                self.assertIn("result 7\n", done.stdout)
                found = {row[0]: row for row in rows(done.stdout)}
                self.assertEqual([found[n][3] for n in (1, 3, 4, 5, 6, 7)], [1] * 6)
                self.assertAlmostEqual(found[4][2], 64, delta=3)

    def test_debugger_steps(self):
        self.script("limit.py", self.LIMIT)
        for python in pythons.found():
            with self.subTest(python=str(python)):
                done = self.profile("--pdb-mmem", "60", "limit.py", python=python,
                                    input="n\nn\np c\nc\n")
                self.assertRegex(done.stdout, r"limit\.py\(6\)f\(\)\n-> d = 4")
                self.assertIn("(Pdb) 3\n", done.stdout)
                self.assertIn("result 7\n", done.stdout)

    def test_debugger_quits(self):
        self.script("limit.py", self.LIMIT)
        for python in pythons.found():
            for keys in ("q\n", "n\nn\nq\n", ""):
                with self.subTest(python=str(python), keys=keys):
                    done = self.profile("--pdb-mmem", "60", "limit.py", python=python, input=keys,
                                        expect=1)
                    self.assertNotIn("result", done.stdout)
                    self.assertEqual(done.stderr, "")
                    self.assertEqual(done.stdout.count("Filename: "), 1)

    def test_debugger_each_time_the_limit_is_crossed(self):
        self.script("again.py", """\
            @profile
            def f():
                for i in range(3):
                    n = len(b"x" * (64 << 20))
                    blocks = [b"x" * (64 << 20)]
                    blocks.clear()
            f()
            """)
        done = self.profile("--pdb-mmem", "60", "again.py", input="c\nc\nc\nc\n")
        self.assertEqual(done.stdout.count("starting the debugger"), 3, done.stdout)
        self.assertEqual(done.stdout.count("again.py(5)f()"), 3)

    def test_no_debugger_below_the_limit(self):
        self.script("limit.py", self.LIMIT)
        done = self.profile("--pdb-mmem", "6000", "limit.py", stdin=subprocess.DEVNULL)
        self.assertNotIn("Pdb", done.stdout)

    # ---- our additions ----

    def test_columns(self):
        self.script("peak.py", """\
            import time
            @profile
            def f():
                n = len(b"x" * (32 << 20))
                time.sleep(0.06)
                for i in range(3):
                    n += 1
            f()
            """)
        text = self.profile("--columns", "mem,inc,peak,time,hits", "peak.py").stdout
        self.assertIn("Line #    Mem usage    Increment         Peak         Time  Occurrences   "
                      "Line Contents\n", text)
        cells = {line.split()[0]: line.split() for line in text.splitlines() if " MiB " in line}
        mem, inc, peak, seconds, hits = (float(cells["4"][i]) for i in (1, 3, 5, 7, 9))
        self.assertAlmostEqual(inc, 0, delta=1)
        self.assertAlmostEqual(peak - mem, 32, delta=PEAK_DELTA)
        self.assertEqual(hits, 1)
        self.assertGreaterEqual(float(cells["5"][7]), 0.06)
        self.assertEqual(cells["6"][9], "4")
        self.assertAlmostEqual(float(cells["5"][5]) - float(cells["5"][1]), 0, delta=1)
        self.assertIn("unknown column", self.profile("--columns", "x", "peak.py", expect=2).stderr)

    def test_peak_within_called_functions_and_with_tracemalloc(self):
        self.script("peak.py", """\
            def inner():
                return len(b"x" * (32 << 20))
            @profile
            def g():
                inner()
            @profile
            def f():
                g()
                f.done = True
            f()
            """)
        for backend in ("psutil", "tracemalloc"):
            text = self.profile("--columns", "mem,peak", "--backend", backend, "peak.py").stdout
            for line in ("5", "8"):
                with self.subTest(backend=backend, line=line):
                    (cells,) = [row.split() for row in text.splitlines()
                                if row.split()[:1] == [line]]
                    self.assertAlmostEqual(float(cells[3]) - float(cells[1]), 32, delta=PEAK_DELTA)

    def test_sort_and_threshold(self):
        text = self.profile("--sort", "inc", "program.py").stdout
        first = rows(text.split("Filename: ")[1])
        self.assertEqual(first[0][0], 7)
        self.assertEqual(first[-1][0], 10)
        self.assertEqual([row[2] for row in first], sorted((row[2] for row in first), reverse=True))
        text = self.profile("--sort", "time", "--columns", "mem,hits", "program.py").stdout
        self.assertIn("Line #    Mem usage  Occurrences         Time   Line Contents\n", text)
        seconds = [float(line.split(" s ")[0].split()[-1]) for line in
                   text.split("Filename: ")[1].splitlines() if " s " in line]
        self.assertEqual(seconds, sorted(seconds, reverse=True))
        self.assertGreater(seconds[0], 0)
        text = self.profile("--threshold", "4", "program.py").stdout
        self.assertEqual([row[0] for row in rows(text)], [7, 10, 14])

    def test_colour_is_for_terminals(self):
        self.assertNotIn("\x1b", self.profile("program.py").stdout)
        text = self.profile("--color", "always", "program.py").stdout
        self.assertRegex(text, r"\x1b\[31m     7 .*\x1b\[0m\n")
        self.assertNotRegex(text, r"\x1b\[31m    10 ")
        self.assertIn("\x1b[31m", self.on_terminal())
        self.assertNotIn("\x1b[31m", self.on_terminal(NO_COLOR="1"))

    def on_terminal(self, **changes):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "memory_profiler", "program.py"], cwd=self.directory,
            stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
            env=pythons.environment(TERM="xterm", **changes))
        os.close(slave)
        text = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        os.close(master)
        self.assertEqual(process.wait(60), 0)
        return text.decode()

    def test_control_characters_in_source(self):
        self.script("evil.py", '@profile\ndef f():\n    a = "\x1b[2J"\nf()\n')
        self.assertNotIn("\x1b[2J", self.profile("--color", "always", "evil.py").stdout)

    def test_json(self):
        done = self.profile("--json", "-o", "report.json", "--columns", "inc,hits", "program.py")
        self.assertEqual(done.stdout, "arguments\n")
        report = json.loads((self.directory / "report.json").read_text())
        self.assertEqual([(f["function"], f["filename"], f["first_line"])
                          for f in report["functions"]],
                         [("f", "program.py", 3), ("g", "program.py", 12)])
        lines = {line["line"]: line for line in report["functions"][0]["lines"]}
        self.assertEqual(lines[7]["hits"], 3)
        self.assertAlmostEqual(lines[7]["inc"], 12, delta=0.5)
        self.assertNotIn("hits", lines[9])
        self.assertEqual(lines[5]["source"], "    blocks = []")

    def test_html(self):
        self.script("evil.py", PROGRAM.replace("blocks = []", 'blocks = [] # </td><script>"&'))
        self.profile("--html", "-o", "report.html", "evil.py")
        text = (self.directory / "report.html").read_text()
        page = Page()
        page.feed(text)
        self.assertEqual(page.open, [])
        self.assertNotIn("<script", text)
        self.assertIn('    blocks = [] # </td><script>"&', page.cells)
        self.assertGreaterEqual(page.styles, 3)  # two lines that took memory, one that released some


class Decorator(TestCase):
    """The decorator of `from memory_profiler import profile`."""

    def run_program(self, text, python=sys.executable, expect=0, **changes):
        path = self.directory / "program.py"
        path.write_text(textwrap.dedent(text))
        done = subprocess.run([str(python), "program.py"], cwd=self.directory, capture_output=True,
                              text=True, timeout=180, env=pythons.environment(**changes))
        self.assertEqual(done.returncode, expect, done.stderr)
        return done

    def test_each_call_prints_a_report(self):
        done = self.run_program("""\
            from memory_profiler import profile
            @profile(precision=4)
            def f(n):
                if n:
                    f(n - 1)
            f(2)
            """)
        reports = done.stdout.split("Filename: ")[1:]
        self.assertEqual([rows(report)[0][3] for report in reports], [1, 2, 3])
        self.assertRegex(done.stdout, r"\.\d{4} MiB ")

    def test_stream_and_log(self):
        self.run_program("""\
            import io, logging
            from memory_profiler import profile, LogFile
            stream = io.StringIO()
            @profile(stream=stream)
            def f(): return 1
            f()
            assert "Line Contents" in stream.getvalue()
            records = []
            class Handler(logging.Handler):
                def emit(self, record): records.append(record)
            logger = logging.getLogger("memory"); logger.setLevel(logging.INFO)
            logger.addHandler(Handler())
            @profile(stream=LogFile("memory", reportIncrementFlag=True))
            def g():
                a = b"x" * (8 << 20)
                b = 1
                return b
            g()
            texts = [record.getMessage() for record in records]
            assert [record.levelno for record in records] == [logging.INFO] * 3, texts
            assert texts[0].startswith("Filename:") and "Line Contents" in texts[1]
            assert "a = b" in texts[2], texts
            """)

    def test_decorated_functions_keep_their_kind(self):
        text = """\
            import asyncio, inspect, io
            from memory_profiler import profile
            out = io.StringIO()
            @profile(stream=out)
            def plain(a, b=2):
                "words"
                return a + b
            @profile(stream=out)
            def generator():
                yield 1
            @profile(stream=out)
            async def coroutine():
                await asyncio.sleep(0)
                return 3
            @profile(stream=out)
            async def agenerator():
                got = yield 1
                assert got == "sent"
                try:
                    yield 2
                except KeyError:
                    yield 3
            class Thing:
                @profile(stream=out)
                def method(self): return self
                @profile(stream=out)
                @staticmethod
                def static(): return 4
            assert plain(1) == 3 and plain.__doc__ == "words" and plain.__name__ == "plain"
            assert str(inspect.signature(plain)) == "(a, b=2)" and plain.__wrapped__(1) == 3
            assert inspect.isgeneratorfunction(generator) and list(generator()) == [1]
            assert inspect.iscoroutinefunction(coroutine) and asyncio.run(coroutine()) == 3
            assert inspect.isasyncgenfunction(agenerator)
            async def use():
                g = agenerator()
                assert await g.__anext__() == 1
                assert await g.asend("sent") == 2
                assert await g.athrow(KeyError) == 3
                await g.aclose()
            asyncio.run(use())
            thing = Thing()
            assert thing.method() is thing and Thing.static() == 4
            assert out.getvalue().count("Filename") == 6, out.getvalue()
            """
        for python in pythons.found():
            with self.subTest(python=str(python)):
                self.run_program(text, python)

    def test_report_of_a_call_that_fails(self):
        done = self.run_program("""\
            from memory_profiler import profile
            @profile
            def f():
                raise KeyError("x")
            f()
            """, expect=1)
        self.assertEqual(done.stdout.count("Filename"), 1)
        self.assertIn("KeyError: 'x'", done.stderr)

    def test_switched_off(self):
        done = self.run_program("""\
            from memory_profiler import profile
            def f(): pass
            assert profile(f) is f
            """, MPROF_OFF="1")
        self.assertEqual(done.stdout, "")

    def test_recursion_depth_as_without_profiler(self):
        # Upstream reaches a quarter of it.
        text = """\
            import sys, io
            from memory_profiler import LineProfiler
            def depth(function):
                try:
                    return function(0, function)
                except RecursionError:
                    return depth.deepest
            def f(n, again):
                depth.deepest = n
                return again(n + 1, again)
            sys.setrecursionlimit(400)
            plain = depth(f)
            profiled = depth(LineProfiler()(f))
            assert profiled >= plain // 2 - 10, (plain, profiled)
            """
        self.run_program(text)

    def test_other_trace_functions_get_all_events(self):
        text = """\
            import sys
            from memory_profiler import LineProfiler
            seen = []
            def tracer(frame, event, arg):
                if frame.f_code.co_name == "f":
                    seen.append((event, frame.f_lineno))
                return tracer
            def f():
                a = 1
                return a
            def run(function):
                seen.clear()
                sys.settrace(tracer)
                function()
                now = sys.gettrace()
                sys.settrace(None)
                assert now is tracer
                return list(seen)
            plain = run(f)
            profiler = LineProfiler()
            assert run(profiler(f)) == plain, (plain, seen)
            (lines,) = profiler.code_map.values()
            assert [count for _, _, count in lines.values()] == [1, 1, 1]
            # Unset and set again meanwhile, as test runners do.
            def g():
                old = sys.gettrace()
                sys.settrace(None)
                sys.settrace(old)
                return 1
            profiler = LineProfiler()
            profiler(g)()
            assert sys.gettrace() is None
            """
        for python in pythons.found():
            with self.subTest(python=str(python)):
                self.run_program(text, python)


if __name__ == "__main__":
    unittest.main()
