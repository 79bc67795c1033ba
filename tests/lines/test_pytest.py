"""The plugin of pytest, by Debian's pytest and pytest-xdist."""

import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, MPROF, Recording, TestCase, unescape, wait_until  # noqa: E402

MIB = 1 << 20

SUITE = '''
import os, subprocess, sys, time
import pytest

def load(mib):
    return bytearray(mib << 20)

def test_small():
    pass

def test_big():
    block = load(80)
    time.sleep(0.05)

def test_burst():
    load(60)  # freed at once: between two samples

@pytest.mark.limit_memory("100 MB")
@pytest.mark.parametrize("mib", [50, 150])
def test_limit(mib):
    load(mib)

def test_fail():
    block = load(30)
    assert 0

@pytest.mark.skip
def test_skip():
    load(90)

@pytest.mark.limit_memory("10 MB")
def test_after_all_that():
    pass
'''


@unittest.skipUnless(importlib.util.find_spec("pytest"), "pytest is not installed")
class Pytest(TestCase):
    def pytest(self, *arguments, expect=0, suite=SUITE, prefix=(), **environment):
        if suite is not None:
            (self.directory / "test_x.py").write_text(suite)
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", *arguments],
            cwd=self.directory, env=pythons.environment(**environment), capture_output=True, text=True,
            timeout=DEADLINE_S)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        self.assertNotIn("INTERNALERROR", done.stdout + done.stderr)
        return done.stdout

    def results(self):
        document = json.loads((self.directory / "mprof-pytest" / "results.json").read_text())
        self.assertEqual((document["format"], document["version"]), ("mprof-pytest", 1))
        names = [result["nodeid"] for result in document["tests"]]
        self.assertEqual(len(set(names)), len(names))
        return {result["nodeid"].partition("::")[2]: result for result in document["tests"]}

    def assert_peak(self, result, mib, slack=6):
        self.assertGreaterEqual(result["peak_bytes"], (mib - 1) * MIB, result)
        self.assertLess(result["peak_bytes"], (mib + slack) * MIB, result)

    def check_suite(self, output):
        results = self.results()
        self.assertEqual({name: result["outcome"] for name, result in results.items()},
                         {"test_small": "passed", "test_big": "passed", "test_burst": "passed", "test_limit[50]": "passed",
                          "test_limit[150]": "failed", "test_fail": "failed", "test_after_all_that": "passed"})
        for name, mib in (("test_small", 0), ("test_big", 80), ("test_burst", 60), ("test_limit[50]", 50),
                          ("test_limit[150]", 150), ("test_fail", 30), ("test_after_all_that", 0)):
            with self.subTest(name):
                self.assertTrue(results[name]["is_exact"])
                self.assert_peak(results[name], mib)
        self.assertLess(results["test_big"]["growth_bytes"], 2 * MIB)
        self.assertEqual(results["test_limit[150]"]["limit_bytes"], 100 * MIB)
        self.assertRegex(output, r"needed 1(49|50|51)\.\d MiB of memory, limit 100\.0 MiB")
        self.assertRegex(output, r"MEMORY test_x\.py::test_limit\[150\]")
        self.assertEqual(len(list((self.directory / "mprof-pytest").glob("test-*.svg"))), 2)
        return results

    def test_peaks_and_limits(self):
        output = self.pytest("--mprof", "--mprof-functions", "test_x:load", expect=1)
        results = self.check_suite(output)
        self.assertEqual([(entry["name"], entry["calls"]) for entry in results["test_big"]["functions"]],
                         [("test_x.load", 1)])
        self.assertGreater(results["test_big"]["functions"][0]["most_added_bytes"], 79 * MIB)
        self.assertRegex(output, r"\+(79|80)\.\d MiB .* test_x\.py::test_big  \[test_x\.load \+80\.0 MiB\]")
        recording = Recording(self.directory / "mprof-pytest" / "pytest.dat")
        self.assertIn("test_x::test_big", {unescape(call.name.encode()).decode() for call in recording.calls})
        picture = (self.directory / "mprof-pytest" / results["test_fail"]["picture"]).read_text()
        self.assertIn("test_x.py::test_fail", picture)
        # the picture is that of its time alone
        self.assertNotIn("test_big", picture)

    @unittest.skipUnless(importlib.util.find_spec("xdist"), "pytest-xdist is not installed")
    def test_workers_of_xdist(self):
        output = self.pytest("--mprof", "-n", "2", expect=1)
        results = self.check_suite(output)
        self.assertEqual({result["worker"] for result in results.values()}, {"gw0", "gw1"})
        self.assertEqual(output.count("recording: mprof-pytest/pytest-gw"), 2)

    @unittest.skipUnless(importlib.util.find_spec("xdist"), "pytest-xdist is not installed")
    def test_a_worker_that_crashes(self):
        output = self.pytest("--mprof", "-n", "1", expect=1, suite='''
import os, time
def test_before(): pass
def test_crash():
    block = bytearray(40 << 20)
    time.sleep(0.1)
    os.kill(os.getpid(), 9)
''')
        self.assertIn("crashed, not measured: test_x.py::test_crash", output)
        result = self.results()["test_crash"]
        self.assertEqual(result["outcome"], "crashed")
        self.assertIn("MiB", (self.directory / "mprof-pytest" / result["picture"]).read_text())

    def test_a_session_that_is_killed_leaves_its_recording(self):
        (self.directory / "test_x.py").write_text('''
import time
def test_done(): pass
def test_hangs():
    block = bytearray(40 << 20)
    time.sleep(600)
''')
        process = self.start(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--mprof",
                             env=pythons.environment())
        path = self.directory / "mprof-pytest" / "pytest.dat"
        wait_until(lambda: path.exists() and re.search(rb"^MEM [6-9]\d\.", path.read_bytes(), re.M), "the test's memory")
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE_S)
        wait_until(lambda: "test_hangs" in path.read_text(), "the open call")
        recording = Recording(path)
        self.assertEqual({call.name: call.open for call in recording.calls},
                         {"test_x::test_done": False, "test_x::test_hangs": True})

    def test_expected_failures(self):
        output = self.pytest("--mprof", "-rA", expect=1, suite='''
import pytest
@pytest.mark.xfail
@pytest.mark.limit_memory("10 MB")
def test_expected(): bytearray(30 << 20)
@pytest.mark.xfail(strict=True, reason="too much")
@pytest.mark.limit_memory("10 MB")
def test_strict(): bytearray(30 << 20)
@pytest.mark.xfail(strict=True)
@pytest.mark.limit_memory("100 MB")
def test_unexpected(): pass
@pytest.mark.xfail
def test_raises(): assert 0
''')
        self.assertEqual({name: result["outcome"] for name, result in self.results().items()},
                         {"test_expected": "xfailed", "test_strict": "xfailed", "test_unexpected": "failed",
                          "test_raises": "xfailed"})
        self.assertIn("XPASS(strict)", output)

    def test_memory_that_was_freed_before_serves_no_test_unseen(self):
        self.pytest("--mprof", suite='''
def fill(): return [str(i) * 3 for i in range(500000)]
class Ring: pass
def test_first():
    fill()
    ring = Ring(); ring.self = ring; ring.block = bytearray(70 << 20)  # garbage that only a collection frees
def test_second(): fill()
def test_third(): block = bytearray(70 << 20)
''')
        results = self.results()
        self.assertGreater(results["test_second"]["peak_bytes"], 30 * MIB)
        self.assert_peak(results["test_third"], 70)

    def test_children_count_and_shared_pages_once(self):
        self.pytest("--mprof", suite='''
import multiprocessing, os, subprocess, sys, time
def test_program():
    subprocess.run([sys.executable, "-c", "import time; b = bytearray(60 << 20); time.sleep(0.3)"], check=True)
def test_forks():
    block = bytearray(100 << 20)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(time.sleep, [0.2] * 3)
def test_after(): pass
''')
        results = self.results()
        self.assert_peak(results["test_program"], 65, slack=20)
        self.assert_peak(results["test_forks"], 100, slack=20)
        self.assert_peak(results["test_after"], 0)

    def test_a_child_that_goes_on_in_pytest(self):
        self.pytest("--mprof", suite='''
import os, sys
def test_fork():
    pid = os.fork()
    if pid == 0:
        return  # the rest of the suite runs twice
    os.waitpid(pid, 0)
def test_next(): bytearray(20 << 20)
''')
        results = self.results()
        self.assertEqual(set(results), {"test_fork", "test_next"})
        self.assert_peak(results["test_next"], 20)

    def test_names(self):
        ids = ["a/b", "..", "x y", "größe", "<script>", "a.b.c", "$(x)", "%s", "-o", "é" * 100, "'\\\""]
        output = self.pytest("--mprof", "--mprof-top", "0", expect=1, suite=f'''
import pytest
@pytest.mark.parametrize("name", {ids!r}, ids={ids!r})
def test_name(name): assert 0
''')
        results = self.results()
        self.assertEqual(len(results), len(ids))
        pictures = {result["picture"] for result in results.values()}
        self.assertEqual(len(pictures), len(ids))
        self.assertEqual({path.name for path in (self.directory / "mprof-pytest").iterdir()},
                         pictures | {"pytest.dat", "results.json", ".gitignore"})
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["mprof-pytest", "test_x.py"])
        self.assertNotIn("no pictures", output)

    def test_marks_hold_without_the_option(self):
        output = self.pytest(expect=1, suite=SUITE + '''
def test_nothing_is_loaded(request):
    assert request.config.pluginmanager.has_plugin("mprof")
    assert ("mprof._recording" in sys.modules) is False
''')
        self.assertIn("MEMORY test_x.py::test_limit[150]", output)
        self.assertIn("2 failed", output)
        self.assertNotIn("memory of tests", output)
        self.assertFalse((self.directory / "mprof-pytest").exists())

    def test_without_option_and_marks_nothing_is_loaded(self):
        self.pytest(suite='''
import sys
def test_modules():
    assert not [name for name in sys.modules if name in ("mprof._pytest", "mprof._limit", "mprof._recording")]
''')

    def test_marks_as_pytest_memray_spells_them(self):
        output = self.pytest("--mprof", expect=1, suite='''
import pytest
@pytest.mark.limit_memory("24 MB", current_thread_only=False)
def test_keyword(): bytearray(23 << 20)
@pytest.mark.limit_memory("1.5GB")
def test_unit(): pass
@pytest.mark.limit_leaks("1 MB", filter_fn=lambda stack: True)
def test_leaks(): pass
@pytest.mark.limit_memory("10 bananas")
def test_wrong(): pass
@pytest.mark.limit_memory()
def test_missing(): pass
class TestClass:
    @pytest.mark.limit_memory("10 MB")
    def test_method(self): bytearray(20 << 20)
''')
        results = self.results()
        self.assertEqual(results["test_keyword"]["limit_bytes"], 24 * MIB)
        self.assertEqual(results["test_unit"]["limit_bytes"], 1536 * MIB)
        self.assertEqual([name for name, result in results.items() if result["outcome"] == "failed"],
                         ["test_wrong", "test_missing", "TestClass::test_method"])
        self.assertIn("limit_memory: a limit of memory must be like '100 MB', not '10 bananas'", output)
        self.assertIn("limit_leaks of 1 test not checked", output)

    def test_unittest_cases_and_fixtures(self):
        self.pytest("--mprof", expect=1, suite='''
import unittest, pytest
class Case(unittest.TestCase):
    @pytest.mark.limit_memory("10 MB")
    def test_method(self): bytearray(20 << 20)
@pytest.fixture(scope="module")
def block(): return bytearray(50 << 20)
@pytest.mark.limit_memory("10 MB")
def test_fixture(block): pass
''')
        results = self.results()
        self.assertEqual(results["Case::test_method"]["outcome"], "failed")
        self.assert_peak(results["test_fixture"], 0)

    def test_baseline(self):
        path = self.directory / "baseline.json"
        arguments = ("--mprof", "--mprof-baseline", "baseline.json")
        suite = "def test_a(): bytearray({} << 20)\ndef test_b(): pass\n"
        self.assertIn("--mprof-baseline: baseline.json: No such file", subprocess.run(
            [sys.executable, "-m", "pytest", *arguments], cwd=self.directory, env=pythons.environment(),
            capture_output=True, text=True).stderr)
        output = self.pytest(*arguments, "--mprof-update-baseline", suite=suite.format(40))
        self.assertIn("baseline of 2 tests: baseline.json", output)
        document = json.loads(path.read_text())
        (machine, count), = document["tests"]["test_x.py::test_a"].items()
        self.assertRegex(machine, r"^\S+ cpython-3\.\d+$")
        self.assertGreater(count, 39 * MIB)
        self.pytest(*arguments, suite=suite.format(41))
        output = self.pytest(*arguments, suite=suite.format(50), expect=1)
        self.assertRegex(output, r"needed (49|50)\.\d MiB of memory, in the baseline (39|40)\.\d MiB \(\+\d+\.\d MiB, \+2\d\.\d%\)")
        output = self.pytest(*arguments, suite=suite.format(40) + "def test_c(): pass\n")
        self.assertIn("1 test not in the baseline", output)
        # of another machine nothing is compared
        path.write_text(path.read_text().replace(machine, "other cpython-3.1"))
        self.assertIn("2 tests not in the baseline", self.pytest(*arguments, suite=suite.format(90)))

    def test_a_page(self):
        self.pytest("--mprof", "--mprof-report", "page.html", suite="def test_a(): bytearray(30 << 20)\n")
        self.assertIn("test_x", (self.directory / "page.html").read_text())

    def test_a_directory_that_cannot_be_written(self):
        output = self.pytest("--mprof", "--mprof-dir", "/proc/nowhere", expect=1)
        self.assertIn("not recorded, only measured", output)
        self.assertRegex(output, r"\+(79|80)\.\d MiB .* test_x\.py::test_big")
        self.assertIn("MEMORY test_x.py::test_limit[150]", output)

    def test_under_a_recorder(self):
        suite = "def test_a(): bytearray(30 << 20)\n"
        recorder = (MPROF, "run", "-q", "-E", "-o", "x.dat")
        plain, recorded = (re.sub(r"in [\d.]+s.*", "", self.pytest("-v", suite=suite, prefix=prefix, PYTHONPATH=None))
                           for prefix in ((), recorder))
        self.assertEqual(plain, recorded)
        self.pytest("--mprof", suite=suite, prefix=recorder)
        self.assert_peak(self.results()["test_a"], 30)


@unittest.skipUnless(importlib.util.find_spec("pytest"), "pytest is not installed")
class Installed(TestCase):
    def test_the_entry_point_is_found(self):
        subprocess.run(["cmake", "--install", str(pathlib.Path(MPROF).parent), "--prefix", str(self.directory / "p")],
                       check=True, capture_output=True, timeout=DEADLINE_S)
        done = subprocess.run(
            [sys.executable, "-c", "import importlib.metadata as m; d = m.distribution('mprof'); "
             "print(d.version, [(e.group, e.name, e.load().__name__) for e in d.entry_points])"],
            env=pythons.environment(PYTHONPATH=str(self.directory / "p" / "lib" / "mprof" / "python")),
            capture_output=True, text=True, cwd=os.sep)
        self.assertRegex(done.stdout, r"^\d+\.\d+\.\d+ \[\('pytest11', 'mprof', 'mprof.pytest_plugin'\)\]$", done.stderr)


if __name__ == "__main__":
    unittest.main()
