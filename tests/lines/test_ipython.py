"""The magics, in Debian's IPython and in a Jupyter kernel."""

import importlib.util
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from test_report import rows  # noqa: E402

FUNCTION = "def f(n):\n    block = b'x' * (n << 20)\n    for i in range(3):\n        n += i\n    return n\n"
PEAK = re.compile(r"^peak memory: (\d+\.\d\d) MiB, increment: (-?\d+\.\d\d) MiB$", re.M)


class Magics:
    """Tests for both kinds of shell: run_cell(cell) returns the output of a cell. All tests of a kind share
    one shell."""

    @classmethod
    def folder(cls):
        folder = tempfile.mkdtemp(prefix="mprof-ipython-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        return pathlib.Path(folder)

    def check_report(self, text, hits, mib):
        found = rows(text)
        self.assertEqual([row[3] for row in found], [hits, hits, 4 * hits, 3 * hits, hits], text)
        self.assertEqual(found[1][4], "    block = b'x' * (n << 20)")
        self.assertAlmostEqual(found[1][2], mib, delta=2)
        self.assertRegex(text, r"Filename: .*(ipython-input|ipykernel)")

    def test_memit(self):
        peak, increment = map(float, PEAK.search(self.run_cell(
            "%memit block = b'x' * (64 << 20); del block")).groups())
        self.assertAlmostEqual(increment, 64, delta=3)
        self.assertGreater(peak, 64)
        text = self.run_cell("%%memit -r 2 n = 32\nblock = b'x' * (n << 20)\ndel block\n")
        self.assertAlmostEqual(float(PEAK.search(text)[2]), 32, delta=3)
        self.assertEqual(self.run_cell("%memit -q 1"), "")
        self.assertEqual(self.run_cell("r = %memit -o -q -i 0.01 -t 5 -c -r 3 1\n"
                                       "print(len(r.mem_usage), r.repeat, r.timeout, r.interval, "
                                       "r.include_children)").strip(), "3 3 5 0.01 True")
        self.assertIn("<MemitResult : peak memory:", self.run_cell("r"))

    def test_every_option_of_memit_in_both_forms(self):
        show = "\nprint(type(r).__name__, r and (r.repeat, r.timeout, r.interval, " \
               "r.include_children, len(r.mem_usage)))"
        for options, said in (
                ("-o", "(1, None, 0.1, False, 1)"), ("-o -r 3", "(3, None, 0.1, False, 3)"),
                ("-o -r3", "(3, None, 0.1, False, 3)"), ("-o -r 0", "(1, None, 0.1, False, 1)"),
                ("-o -t 7", "(1, 7, 0.1, False, 1)"), ("-o -i 0.25", "(1, None, 0.25, False, 1)"),
                ("-o -c", "(1, None, 0.1, True, 1)"),
                ("-o -q -c -r 2 -i .5 -t 9", "(2, 9, 0.5, True, 2)")):
            quiet = "-q" in options
            for form in (f"r = %memit {options} list(range(9))",
                         f"r = get_ipython().run_cell_magic('memit', '{options} n = 9', "
                         f"'list(range(n))\\nm = n')"):
                with self.subTest(form=form):
                    text = self.run_cell(form + show)
                    self.assertIn(f"MemitResult {said}", text)
                    self.assertEqual(len(PEAK.findall(text)), 0 if quiet else 1, text)
        self.assertEqual(self.run_cell("print(n, m)").strip(), "9 9")
        self.assertRegex(self.run_cell("%memit 1"), PEAK)
        for options in ("-r x", "-i nan", "-t -1", "-z"):
            text = self.run_cell(f"%memit {options} 1")
            self.assertIn("UsageError", text)
            self.assertNotIn("_magics.py", text)

    def test_every_option_of_mprun_in_both_forms(self):
        self.run_cell(FUNCTION)
        for options, kind in (("", "NoneType"), ("-r", "LineProfiler"), ("-c", "NoneType"),
                              ("-T both.txt", "NoneType"), ("-r -c -T both.txt", "LineProfiler")):
            for form in (f"p = %mprun {options} -f f f(2)",
                         f"p = get_ipython().run_cell_magic('mprun', '{options} -f f', 'f(2)')"):
                with self.subTest(form=form):
                    text = self.run_cell(form + "\nprint('is', type(p).__name__, "
                                         "getattr(getattr(p, 'code_map', None), "
                                         "'include_children', None))")
                    children = str("-c" in options) if "-r" in options else "None"
                    self.assertIn(f"is {kind} {children}", text)
                    self.check_report(text, 1, 2)
                    if "-T" in options:
                        written = self.directory / "both.txt"
                        self.check_report(written.read_text(), 1, 2)
                        written.unlink()

    def test_upstream_issue_219(self):
        # A function of a file makes and drops lists in a loop: its increments add up.
        (self.directory / "lists.py").write_text(
            "from memory_profiler import memory_usage\n"
            "def sums(n):\n"
            "    start = memory_usage()[0]\n"
            "    total = 0\n"
            "    for i in range(5):\n"
            "        numbers = [j ^ (j >> i) for j in range(n)]\n"
            "        total += sum(numbers)\n"
            "        del numbers\n"
            "    print('seen %.6f' % (memory_usage()[0] - start))\n"
            "    return total\n")
        text = self.run_cell("from lists import sums\np = %mprun -r -f sums sums(30000)\n"
                             "print('added %.6f' % sum(line[0] for line in "
                             "p.code_map[sums.__code__].values()))")
        seen, added = (float(re.search(name + r" (-?[\d.]+)", text)[1])
                       for name in ("seen", "added"))
        self.assertAlmostEqual(added, seen, delta=0.75)
        self.assertEqual({row[0]: row[3] for row in rows(text)}[6], 5 * 30001)

    def test_memit_runs_once_in_the_notebooks_namespace(self):
        self.run_cell("calls = []")
        self.run_cell("%memit calls.append(1)")
        self.assertEqual(self.run_cell("print(calls)").strip(), "[1]")
        self.assertIn("ZeroDivisionError", self.run_cell("%memit 1 / 0"))

    def test_mprun_of_a_function_of_the_notebook(self):
        self.run_cell(FUNCTION)
        self.check_report(self.run_cell("%mprun -f f f(16)"), 1, 16)
        self.check_report(self.run_cell("%%mprun -f f f(16)\nf(16)\n"), 2, 32)

    def test_mprun_options(self):
        self.run_cell(FUNCTION)
        self.run_cell("def g(): return f(1)")
        text = self.run_cell("p = %mprun -r -c -T report.txt -f f -f g g()\nprint(type(p).__name__)")
        self.assertIn("LineProfiler", text)
        written = (self.directory / "report.txt").read_text()
        self.assertEqual(written.count("Filename: "), 2)
        self.assertIn("report.txt", text)
        self.assertIn("Could not find function", self.run_cell("%mprun -f missing 1"))
        self.assertIn("SystemExit", self.run_cell("import sys\n%mprun -f f sys.exit(1)"))
        self.assertIn("KeyboardInterrupt",
                      self.run_cell("def k(): raise KeyboardInterrupt\n%mprun -f f k()"))

    def test_profile_is_a_builtin_during_mprun(self):
        text = self.run_cell("%%mprun\n@profile\ndef h():\n    return 1\nh()\n")
        self.assertEqual([row[3] for row in rows(text) if row[3]], [1, 1])
        self.assertIn("False", self.run_cell(
            "import builtins; print(hasattr(builtins, 'profile'))"))

    def test_function_of_a_file(self):
        (self.directory / "some_file.py").write_text(FUNCTION)
        text = self.run_cell("import some_file\n%mprun -f some_file.f some_file.f(8)")
        self.assertIn("some_file.py", text)
        self.assertAlmostEqual(rows(text)[1][2], 8, delta=2)

    def test_decorator_in_a_notebook(self):
        text = self.run_cell("from memory_profiler import profile\n@profile\n" + FUNCTION + "f(4)")
        self.assertEqual(rows(text)[2][3], 1)
        self.assertIn("block = ", rows(text)[2][4])


@unittest.skipUnless(importlib.util.find_spec("IPython"), "python3-ipython is not installed")
class Terminal(Magics, unittest.TestCase):
    """IPython's interactive shell."""

    HOST = textwrap.dedent("""\
        import contextlib, io, json, sys
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.core import page
        shell = InteractiveShell.instance(colors="NoColor", history_load_length=0)
        shell.history_manager.enabled = False
        shell.run_cell("%load_ext memory_profiler")
        shell.run_cell("import sys; sys.path.insert(0, '')")
        for line in sys.stdin:
            text = io.StringIO()
            with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
                shell.run_cell(json.loads(line))
            print(json.dumps(text.getvalue()), flush=True)
        """)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.folder()
        environment = pythons.environment(IPYTHONDIR=str(cls.directory / "ipython"),
                                          MALLOC_MMAP_THRESHOLD_="1048576", TERM="dumb")
        cls.shell = subprocess.Popen([sys.executable, "-c", cls.HOST], cwd=cls.directory,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     stderr=subprocess.DEVNULL, env=environment)
        cls.addClassCleanup(cls.shell.communicate, timeout=60)

    def run_cell(self, cell):
        self.shell.stdin.write(json.dumps(cell) + "\n")
        self.shell.stdin.flush()
        line = self.shell.stdout.readline()
        self.assertTrue(line, "the shell is gone")
        return re.sub(r"\x1b\[[\d;]*m", "", json.loads(line))


@unittest.skipUnless(importlib.util.find_spec("jupyter_client")
                     and importlib.util.find_spec("ipykernel"),
                     "python3-ipykernel and python3-jupyter-client are not installed")
class Notebook(Magics, unittest.TestCase):
    """A kernel, used by its messages as a notebook does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.folder()
        from jupyter_client.manager import KernelManager
        environment = pythons.environment(
            IPYTHONDIR=str(cls.directory / "ipython"), MALLOC_MMAP_THRESHOLD_="1048576",
            JUPYTER_RUNTIME_DIR=str(cls.directory / "runtime"),
            JUPYTER_DATA_DIR=str(cls.directory / "data"))
        connection = cls.directory / "connection.json"
        cls.manager = KernelManager(connection_file=str(connection))
        cls.manager.kernel_spec.argv[:] = [sys.executable, "-m", "ipykernel_launcher", "-f",
                                            "{connection_file}"]
        with open(os.devnull, "w") as sink:
            cls.manager.start_kernel(cwd=str(cls.directory), env=environment, stderr=sink)
        cls.client = cls.manager.client()
        cls.client.start_channels()
        cls.addClassCleanup(cls.manager.shutdown_kernel, now=True)
        cls.addClassCleanup(cls.client.stop_channels)
        cls.client.wait_for_ready(timeout=180)
        cls.client.execute("%load_ext memory_profiler")

    def run_cell(self, cell):
        # Else a kernel aborts what it is asked within 0.1 s after an error.
        asked = self.client.execute(cell, stop_on_error=False)
        texts = []
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=180)
            except queue.Empty:
                self.fail("the kernel does not answer")
            if message["parent_header"].get("msg_id") != asked:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                texts.append(content["text"])
            elif message["msg_type"] == "error":
                texts.append("\n".join(content["traceback"]) + content["ename"])
            elif message["msg_type"] == "execute_result":
                texts.append(content["data"]["text/plain"])
            elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                break
        reply = self.client.get_shell_msg(timeout=180)
        while reply["parent_header"].get("msg_id") != asked:
            reply = self.client.get_shell_msg(timeout=180)
        # Text for a pager is in the reply.
        texts += [part["data"]["text/plain"] for part in reply["content"].get("payload", [])
                  if part.get("source") == "page"]
        return re.sub(r"\x1b\[[\d;]*m", "", "".join(texts))


if __name__ == "__main__":
    unittest.main()
