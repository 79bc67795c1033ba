"""%%mprof in a Jupyter kernel: what is recorded, what is shown, and that the cell runs as without it."""

import base64
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402,F401
from kernel import Kernel  # noqa: E402
from mprof_test import MPROF, Recording, descendants, unescape, wait_until  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"

WORK = """
import subprocess, sys, threading, time
@profile
def decorated(n):
    block = b'x' * (n << 20)
    time.sleep(0.03)
    return inner(block)
def inner(block):
    return len(block)
class Thing:
    def method(self):
        time.sleep(0.01)
    @staticmethod
    def still():
        return 1
decorated(8); earlier(4); Thing().method(); Thing.still()
thread = threading.Thread(target=decorated, args=(2,), name='reader')
thread.start(); thread.join()
subprocess.run([sys.executable, '-c',
    '@profile\\ndef child():\\n    import time; x = b"x" * (30 << 20); time.sleep(0.1)\\nchild()'], check=True)
6 * 7
"""


@unittest.skipUnless(importlib.util.find_spec("jupyter_client") and importlib.util.find_spec("ipykernel"),
                     "python3-ipykernel and python3-jupyter-client are not installed")
class Cells(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kernel = Kernel()
        cls.addClassCleanup(cls.kernel.close)
        cls.directory = cls.kernel.directory
        answer = cls.kernel.run("%load_ext mprof\ndef earlier(n): return len(b'x' * (n << 20))")
        assert (answer.status, answer.text) == ("ok", ""), answer.text

    def run_cell(self, cell):
        return self.kernel.run(cell)

    def check_shown(self, answer, count=1):
        """The bundles of the pictures."""
        self.assertEqual([set(bundle) for bundle in answer.shown],
                         [{"text/plain", "text/html", "image/png"}] * count, answer.text)
        for bundle in answer.shown:
            self.assertEqual(base64.b64decode(bundle["image/png"])[:8], PNG)
            self.assertIn("data:image/svg+xml;base64,", bundle["text/html"])
        return answer.shown

    def svg_of(self, bundle):
        return base64.b64decode(re.search(r"base64,([^\"]+)", bundle["text/html"])[1]).decode()

    def test_a_cell_with_functions_threads_and_processes(self):
        self.run_cell("%%mprof -q -o cell.dat\nearlier(1)\n")
        answer = self.run_cell("%%mprof -o cell.dat" + WORK)
        self.assertEqual((answer.status, answer.err), ("ok", ""))  # though an older file is kept
        self.assertTrue((self.directory / "cell.dat.old").exists())
        self.assertEqual(answer.result["text/plain"], "42")
        self.check_shown(answer)
        recording = Recording(self.directory / "cell.dat")
        names = sorted((call.name, call.lane, call.level) for call in recording.calls)
        pid = self.kernel.pid
        self.assertEqual(names, sorted([
            ("__main__.decorated", "", 0), ("__main__.inner", "", 1), ("__main__.earlier", "", 0),
            ("__main__.Thing.method", "", 0), ("__main__.Thing.still", "", 0),
            ("__main__.decorated", "reader", 0), ("__main__.inner", "reader", 1), ("__main__.child", "", 0)]))
        self.assertEqual({call.pid for call in recording.calls if call.name != "__main__.child"}, {pid})
        child, = recording.calls_of("child")
        self.assertGreater(max(mib for child_pid, mib, _ in recording.chld if child_pid == child.pid), 30)
        decorated = recording.calls_of("decorated")[0]
        self.assertGreater(decorated.exit_s - decorated.enter_s, 0.03)
        # the recorder is a child of the kernel, and not recorded
        self.assertEqual({child_pid for child_pid, _, _ in recording.chld}, {child.pid})

    def test_workers_of_a_pool(self):
        """With their names, and the functions of the notebook."""
        answer = self.run_cell(
            "%%mprof -o pool.dat\nimport multiprocessing, time\ndef work(n):\n    time.sleep(0.1)\n    return n\n"
            "with multiprocessing.get_context('fork').Pool(2) as pool:\n    print(pool.map(work, [1, 2], 1))\n")
        self.assertEqual((answer.out, answer.err), ("[1, 2]\n", ""), answer.text)
        recording = Recording(self.directory / "pool.dat")
        calls = recording.calls_of("work")
        self.assertEqual(len(calls), 2)
        self.assertNotIn(self.kernel.pid, {call.pid for call in calls})
        names = {pid: name for pid, _, name in recording.named}
        for call in calls:
            self.assertRegex(names[call.pid], r"^ForkPoolWorker-\d+$")

    def test_nothing_is_left_behind(self):
        self.run_cell("%%mprof -q" + WORK)
        answer = self.run_cell("import builtins, os\nprint(hasattr(builtins, 'profile'), "
                               "hasattr(builtins, '__mprof_record__'), 'LD_PRELOAD' in os.environ, "
                               "'MPROF_RINGS' in os.environ)")
        self.assertEqual(answer.out.split(), ["False"] * 4)
        self.assertEqual(descendants(self.kernel.pid), [])
        self.assertEqual(list((self.directory / "tmp").glob("mprof*")), [])

    def test_functions_of_an_earlier_recording(self):
        self.run_cell("%%mprof -q\n@profile\ndef once(): return 1\nonce()\n")
        self.assertEqual(self.run_cell("print(once())").out, "1\n")
        answer = self.run_cell("%%mprof -o again.dat\nonce(); once()\n")
        self.assertEqual(answer.status, "ok", answer.text)
        self.assertEqual(len(Recording(self.directory / "again.dat").calls_of("once")), 2)

    def test_profile_of_memory_profiler(self):
        answer = self.run_cell("%%mprof -o imported.dat\nfrom memory_profiler import profile\n"
                               "@profile\ndef taken(): return 1\ntaken()\n")
        self.assertEqual((answer.status, answer.out, answer.err), ("ok", "", ""))  # no report of lines
        self.assertEqual(len(Recording(self.directory / "imported.dat").calls_of("taken")), 1)
        answer = self.run_cell("import memory_profiler; print(memory_profiler.profile.__module__)")
        self.assertEqual(answer.out, "memory_profiler._lines\n")

    def test_functions_that_a_pattern_names_and_none(self):
        (self.directory / "some_module.py").write_text("def named(): return 1\ndef other(): return 2\n")
        call = "import some_module\nsome_module.named(); some_module.other(); earlier(1)\n"
        for options, expected in (("--functions some_module:named", ["__main__.earlier", "some_module.named"]),
                                  ("--no-function-ts", [])):
            with self.subTest(options=options):
                self.run_cell("import sys; sys.modules.pop('some_module', None)")
                answer = self.run_cell(f"%%mprof {options} -o named.dat\n{call}")
                self.assertEqual(answer.status, "ok", answer.text)
                calls = Recording(self.directory / "named.dat").calls
                self.assertEqual(sorted(call.name for call in calls), expected)

    def test_a_cell_of_milliseconds(self):
        for interval in ("0.01", "0.1"):
            answer = self.run_cell(f"%%mprof -T {interval} -o short.dat\nimport time\nprint(time.time())\n"
                                   "time.sleep(0.005)\nprint(time.time())\n")
            self.check_shown(answer)
            samples = Recording(self.directory / "short.dat").mem
            begin, end = map(float, answer.out.split())
            self.assertLess(samples[0][1], begin)
            self.assertGreater(samples[-1][1], end)
        self.check_shown(self.run_cell("%%mprof\npass\n"))

    def test_peak_is_of_this_cell(self):
        self.run_cell("block = b'x' * (200 << 20); del block")
        answer = self.run_cell("%%mprof --name picture -o peak.dat\nblock = b'x' * (20 << 20)\n"
                               "import time; time.sleep(0.05); del block\n")
        self.assertEqual(answer.status, "ok", answer.text)
        peak = float(self.run_cell("print(picture.peak)").out)
        samples = [mib for mib, _ in Recording(self.directory / "peak.dat").mem]
        self.assertAlmostEqual(peak, max(samples), places=5)
        self.assertAlmostEqual(peak - samples[0], 20, delta=3)
        for _, mib, _ in Recording(self.directory / "peak.dat").peaks:
            self.assertLess(mib - samples[0], 60)  # the kernel's mark, too

    def test_errors_are_shown_as_always(self):
        self.run_cell("class Earlier:\n    def method(self, n):\n        return 1 / n\n"
                      "def divides(n):\n    return Earlier().method(n)")
        body = "def fails():\n    return divides(0)\nx = 1\nfails()\n"
        plain = self.run_cell("pass\n" + body)
        recorded = self.run_cell("%%mprof -o failed.dat\n" + body)
        self.assertEqual(recorded.status, "error")
        self.assertEqual(recorded.error[:2], plain.error[:2])

        def cleaned(answer):
            """Without the number of the cell and what is in its first line."""
            text = re.sub(r"In ?\[\d+\]|<ipython-input-\S+>", "In [N]", "\n".join(answer.error[2]))
            return [line for line in text.split("\n") if not re.search(r" 1 (pass|get_ipython)", line)]

        self.assertEqual(cleaned(recorded), cleaned(plain))
        self.check_shown(recorded)
        calls = Recording(self.directory / "failed.dat").calls
        self.assertEqual(sorted(call.name for call in calls),
                         ["__main__.Earlier.method", "__main__.divides", "__main__.fails"])
        answer = self.run_cell("print(type(divides), type(vars(Earlier)['method']))")
        self.assertEqual(answer.out, "<class 'function'> <class 'function'>\n")  # as before
        self.assertEqual(self.run_cell("%%mprof\nif True print(1)\n").error[0], "SyntaxError")
        self.assertEqual(descendants(self.kernel.pid), [])

    def test_an_interrupt(self):
        pid = self.kernel.pid
        asked = self.kernel.ask(
            "%%mprof -o interrupted.dat\nimport time\ndef waits():\n    try:\n        print('now', flush=True)\n"
            "        time.sleep(600)\n    finally:\n        time.sleep(0.2); print(time.time())\nwaits()\n")
        answer = self.kernel.finish(
            asked, on_output=lambda text: "now" in text and self.kernel.manager.interrupt_kernel())
        self.assertEqual((answer.status, answer.error[0]), ("error", "KeyboardInterrupt"))
        # the recorder is not of the group that was signalled
        self.assertGreater(Recording(self.directory / "interrupted.dat").mem[-1][1], float(answer.out.split()[-1]))
        self.check_shown(answer)
        self.assertEqual(len(Recording(self.directory / "interrupted.dat").calls_of("waits")), 1)
        self.assertEqual(self.kernel.pid, pid)
        self.assertEqual(descendants(pid), [])

    def test_await_and_tasks(self):
        answer = self.run_cell(
            "%%mprof -o tasks.dat\nimport asyncio\nasync def step(n):\n    await asyncio.sleep(0.01)\n"
            "    return n\ndef plain(): return 3\nplain()\n"
            "print(await step(1), await asyncio.gather(step(2), step(3)))\n")
        self.assertEqual((answer.out, answer.status), ("1 [2, 3]\n", "ok"), answer.text)
        calls = Recording(self.directory / "tasks.dat").calls
        lanes = sorted((call.name.rpartition(".")[2], unescape(call.lane.encode())) for call in calls)
        # the task in which the kernel runs the cell is its main thread
        self.assertEqual(lanes, [("plain", b""), ("step", b""), ("step", b"task 1"), ("step", b"task 2")])

    def test_files_are_what_the_command_draws(self):
        answer = self.run_cell("%%mprof --flame --title 'a b' --size 900x500 --mark 0:begin --colors '#e41a1c,paper=ivory' -o all.dat "
                               "-o all.png -o all.svg" + WORK)
        self.assertEqual((answer.status, answer.err), ("ok", ""))
        for name in ("all.png", "all.svg"):
            other = self.directory / ("command-" + name)
            subprocess.run([MPROF, "plot", "--flame", "--title=a b", "--size=900x500", "--mark=0:begin",
                            "--colors=#e41a1c,paper=ivory",
                            "-o", other, "all.dat"], cwd=self.directory, check=True, timeout=60)
            if name == "all.png":
                self.assertEqual((self.directory / name).read_bytes(), other.read_bytes())
        self.assertIn("<script", (self.directory / "all.svg").read_text())

    def test_the_picture_lives_and_has_the_title_of_the_cell(self):
        first, = self.check_shown(self.run_cell("%%mprof\nearlier(1)\n"))
        second, = self.check_shown(self.run_cell("%%mprof\nearlier(1)\n"))
        self.assertIn("<script", self.svg_of(first))
        self.assertRegex(self.svg_of(first), r"<title[^>]*>In \[\d+\]</title>")
        self.assertNotIn("cell.dat", first["text/plain"])
        self.assertNotIn("mprof plot", self.svg_of(first))  # of a file that is gone
        keys = [re.search(r'data-mprof="(\w+)"', one["text/html"])[1] for one in (first, second)]
        self.assertNotEqual(*keys)
        still, = self.check_shown(self.run_cell("%%mprof --no-script\nearlier(1)\n"))
        self.assertNotIn("<script", self.svg_of(still) + still["text/html"])

    def test_wrong_options_run_nothing(self):
        for options in ("--size 5", "--interval x", "--window 3,1", "--nonsense", "--theme blue",
                        "--name 1x", "stray", "--title 'open"):
            with self.subTest(options=options):
                answer = self.run_cell(f"%%mprof {options}\nprint('ran')\n")
                self.assertIn("UsageError: %%mprof: ", answer.err, vars(answer))
                self.assertNotIn("ran", answer.out)
                self.assertEqual(answer.shown, [])

    def test_the_cell_runs_if_it_cannot_be_recorded(self):
        answer = self.run_cell("%%mprof -o missing/folder/x.dat\nprint('ran')\n")
        self.assertEqual((answer.status, answer.out, answer.shown), ("ok", "ran\n", []))
        self.assertRegex(answer.err, r"^mprof: the cell is not recorded: .*missing/folder/x\.dat: .*\n$")

    def test_a_picture_that_cannot_be_saved(self):
        answer = self.run_cell("%%mprof -o missing/x.svg\nprint('ran')\n")
        self.assertEqual((answer.status, answer.out), ("ok", "ran\n"))
        self.assertRegex(answer.err, r"^mprof: the picture is not saved: .*missing/x\.svg")
        self.check_shown(answer)

    def test_a_line(self):
        answer = self.run_cell("%mprof -o line.dat earlier(6)")
        self.check_shown(answer)
        self.assertEqual(len(Recording(self.directory / "line.dat").calls_of("earlier")), 1)
        answer = self.run_cell("p = %mprof --flame -q -t 'x y' y = earlier(1) + 1\nprint(y, type(p).__name__)")
        self.assertEqual((answer.out, answer.shown), (f"{(1 << 20) + 1} Picture\n", []), answer.text)
        answer = self.run_cell("%mprof 1 / 0")
        self.assertEqual((answer.status, answer.error[0]), ("error", "ZeroDivisionError"))
        self.assertEqual(descendants(self.kernel.pid), [])

    def test_show(self):
        self.run_cell("%%mprof -q --name picture\nearlier(1)\n")
        answer = self.run_cell("picture.show()\nprint('and on')")
        self.check_shown(answer)
        self.assertEqual(answer.out, "and on\n")

    def test_by_a_program(self):
        answer = self.run_cell("get_ipython().run_cell_magic('mprof', '-o program.dat', "
                               "'def inside(): return 5\\nprint(inside())\\n')")
        self.assertEqual(answer.out, "5\n")
        self.check_shown(answer)

    def test_cells_within_cells(self):
        answer = self.run_cell("%%mprof -o outer.dat\nget_ipython().run_cell('earlier(1)')\n"
                               "get_ipython().run_cell('%%mprof\\nearlier(1)')\nearlier(1)\n")
        self.check_shown(answer)
        self.assertIn("a cell that is being recorded cannot record another", answer.err)
        self.assertEqual(len(Recording(self.directory / "outer.dat").calls_of("earlier")), 3)
        answer = self.run_cell("%%capture\n%%mprof\nearlier(1)\n")
        self.assertEqual((answer.status, answer.text), ("ok", ""))

    def test_help(self):
        answer = self.run_cell("%%mprof?")
        self.assertIn("--flame", answer.text)
        self.assertIn("Record this cell", answer.text)

    def test_unload(self):
        answer = self.run_cell("%unload_ext mprof")
        self.addCleanup(self.run_cell, "%load_ext mprof")
        self.assertEqual((answer.status, answer.text), ("ok", ""))
        self.assertIn("Cell magic `%%mprof` not found", self.run_cell("%%mprof\n1\n").err)


class Interpreters(unittest.TestCase):
    """The recording of a process by itself, which a cell uses, on every CPython."""

    PROGRAM = """if True:
        import os, subprocess, sys, threading, time
        from mprof._program import program
        from mprof._recording import Recording
        def earlier(n):
            return len(b"x" * n)
        before = dict(os.environ)
        for name in ("first.dat", "second.dat"):
            recording = Recording(program(), name, options=["-M"], functions=["__main__:earlier"])
            recording.start()
            @profile
            def decorated(n):
                time.sleep(0.01)
                return earlier(n)
            decorated(1 << 20)
            thread = threading.Thread(target=decorated, args=(5,), name="reader")
            thread.start(); thread.join()
            subprocess.run([sys.executable, "-c", "profile(lambda: 1)()"], check=True)
            recording.stop()
            assert recording.notes == [], recording.notes
            assert dict(os.environ) == before
            assert "profile" not in vars(__import__("builtins"))
        earlier(1); decorated(1)
        """

    def test_functions_threads_and_processes(self):
        for python in pythons.found():
            with self.subTest(python=str(python)), tempfile.TemporaryDirectory() as folder:
                done = subprocess.run([str(python), "-c", self.PROGRAM], cwd=folder, timeout=180, text=True,
                                      capture_output=True, env=pythons.environment())
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                for name in ("first.dat", "second.dat"):
                    calls = sorted((call.name, call.lane, call.level)
                                   for call in Recording(pathlib.Path(folder, name)).calls)
                    self.assertEqual(calls, sorted([
                        ("__main__.decorated", "", 0), ("__main__.earlier", "", 1),
                        ("__main__.decorated", "reader", 0), ("__main__.earlier", "reader", 1),
                        ("__main__.<lambda>", "", 0)]), name)


    def test_a_process_that_is_recorded_already(self):
        """Its functions belong to the other recording; memory is recorded, and one line says so."""
        program = """if True:
            import time
            from mprof._program import program
            from mprof._recording import Recording
            recording = Recording(program(), "inner.dat", functions=["__main__:*"])
            recording.start()
            @profile
            def inside():
                time.sleep(0.05)
            inside()
            recording.stop()
            print(recording.notes)
            inside()
            """
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([MPROF, "run", "-q", "-o", "outer.dat", sys.executable, "-c", program], cwd=folder,
                                  timeout=180, text=True, capture_output=True, env=pythons.environment())
            self.assertEqual(done.stderr, "")
            self.assertIn("functions are not recorded: it is being recorded already", done.stdout)
            self.assertEqual(len(Recording(pathlib.Path(folder, "outer.dat")).calls_of("inside")), 2)
            inner = Recording(pathlib.Path(folder, "inner.dat"))
            self.assertEqual(inner.calls, [])
            self.assertGreater(len(inner.mem), 2)


@unittest.skipUnless(importlib.util.find_spec("IPython"), "python3-ipython is not installed")
class Terminal(unittest.TestCase):
    """IPython without a kernel."""

    def test_a_cell(self):
        program = """if True:
            from IPython.core.interactiveshell import InteractiveShell
            shell = InteractiveShell.instance(colors="NoColor", history_load_length=0)
            shell.history_manager.enabled = False
            for cell in ("%load_ext mprof", "%%mprof -o a.svg -o a.dat --name p\\ndef f(): return 5\\nf()",
                         "print(p.functions[0].name)", "%%mprof -q\\nmissing"):
                shell.run_cell(cell)
            print(shell.input_transformer_manager.check_complete("%%mprof"),
                  shell.input_transformer_manager.check_complete("%%mprof\\nx = 1"))
            """.replace("\\\\", "\\")
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, "-c", program], cwd=folder, timeout=180, text=True,
                                  capture_output=True, env=pythons.environment(IPYTHONDIR=folder, TERM="dumb"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for line in ("5", "<mprof picture of a.dat: peak", "__main__.f", "NameError: name 'missing'",
                         "('incomplete', "):
                self.assertIn(line, done.stdout)
            self.assertIn("<svg", pathlib.Path(folder, "a.svg").read_text())


@unittest.skipUnless(importlib.util.find_spec("jupyter_client") and importlib.util.find_spec("ipykernel"),
                     "python3-ipykernel and python3-jupyter-client are not installed")
class Ends(unittest.TestCase):
    """The kernel ends while a cell is recorded: the recording ends with it, whole."""

    def test_a_kill(self):
        kernel = Kernel()
        self.addCleanup(kernel.close)
        pid = kernel.pid
        kernel.run("%load_ext mprof")
        kernel.ask("%%mprof\ndef waits():\n    import time; time.sleep(600)\nwaits()\n")
        path, = wait_until(lambda: list((kernel.directory / "tmp").glob("mprof-cell-*/cell.dat")), "a recording")
        wait_until(lambda: path.read_text().count("\nMEM ") > 10, "samples")
        recorder, = descendants(pid)
        subprocess.run(["kill", "-9", str(pid)], check=True)
        wait_until(lambda: not pathlib.Path("/proc", str(recorder), "exe").exists(), "the recorder's end")
        recording = Recording(path)
        self.assertIn(pid, recording.exits)
        self.assertTrue(recording.calls_of("waits")[0].open)


if __name__ == "__main__":
    unittest.main()
