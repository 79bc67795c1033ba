"""Functions that are pickled, by value or by name, and run in other processes: the program behaves as without
the profiler, and each process reports the lines that ran in it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
import interpreters  # noqa: E402
from mprof_test import MPROF  # noqa: E402

SPAWNED = """
import multiprocessing
@profile
def f(n):
    return n * 2
if __name__ == "__main__":
    for method in "spawn", "forkserver":
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(pool.map(f, range(3)))
            pool.close()
            pool.join()
"""

JOBLIB = """
from joblib import Parallel, delayed
@profile
def f(n):
    return n * 2
def main():
    print(Parallel(n_jobs=2)(delayed(f)(i) for i in range(6)))
main()
"""

# Wrappers of other profilers than the program's: their profiler is pickled with them.
WRAPPED = """
import subprocess, sys
import cloudpickle
from memory_profiler import LineProfiler, TimeStamper, profile as reporting
def f(n):
    return n + 1
def g(n):
    yield n
class C:
    @LineProfiler()
    def m(self): return 7
pickled = cloudpickle.dumps((LineProfiler()(f), TimeStamper()(f), reporting(f), reporting(g), C))
code = '''import pickle, sys
line, stamp, report, generate, C = pickle.load(sys.stdin.buffer)
print(line(1), stamp(2), report(3), list(generate(4)), C().m(), line.__name__)
print(sorted(measured.code_map.measures(line.__wrapped__.__code__)[0][3:4]
             for measured in [line.__closure__[0].cell_contents._profiler]))'''
done = subprocess.run([sys.executable, "-c", code], input=pickled, capture_output=True, text=False)
print(done.stdout.decode(), done.stderr.decode())
"""

# The end of the program does not wait for a pool that was not shut down.
EXECUTOR = """
from concurrent.futures import ThreadPoolExecutor
executor = ThreadPoolExecutor(2)
@profile
def f(n):
    return n + 1
print(executor.submit(f, 2).result())
"""


def occurrences(report, text):
    """How often a line ran, over all processes that report it."""
    return sum(int(match[1]) for match in re.finditer(
        rf"(?m)^ +\d+ +\S+ MiB +\S+ MiB +(\d+) +{re.escape(text)}$", report))


class Pickled(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mprof-pickled-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "lent").mkdir()

    def provide_package(self, package):
        """Makes a pure Python package available to interpreters that do not have it."""
        places = (one.place_of(package) for one in interpreters.every())
        place = next(filter(None, places), None)
        if place is None:
            self.skipTest(f"no interpreter with {package}")
        (self.folder / "lent" / package).symlink_to(pathlib.Path(place).parent)

    def run_in(self, python, command, source):
        program = self.folder / "program.py"
        program.write_text(source)
        path = os.pathsep.join([str(pythons.PACKAGE), str(self.folder / "lent")])
        done = subprocess.run([*command, program], capture_output=True, text=True, timeout=240,
                              cwd=self.folder, env=pythons.environment(PYTHONPATH=path))
        self.assertEqual(done.returncode, 0, f"{python}: {done.stderr}")
        return done

    def module(self, python, source):
        return self.run_in(python, [python, "-m", "memory_profiler"], source)

    def test_spawned_processes(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                done = self.module(python, SPAWNED)
                self.assertEqual(done.stderr, "")
                self.assertEqual(done.stdout.count("[0, 2, 4]\n"), 2)
                self.assertEqual(occurrences(done.stdout, "    return n * 2"), 6, done.stdout)

    def test_joblib(self):
        python = next((one.path for one in interpreters.supported() if one.has("joblib")), None)
        if python is None or "MPROF_SANITIZER" in os.environ:
            self.skipTest("no interpreter with joblib")
        recording = self.folder / "o.dat"
        for command in ([python, "-m", "memory_profiler"],
                        [MPROF, "run", "--lines", "-C", "-o", recording, python]):
            with self.subTest(command=command[1]):
                done = self.run_in(python, command, JOBLIB)
                self.assertIn("[0, 2, 4, 6, 8, 10]\n", done.stdout)
                self.assertEqual(occurrences(done.stdout, "    return n * 2"), 6,
                                 done.stdout + done.stderr)

    def test_wrappers(self):
        self.provide_package("cloudpickle")
        for python in pythons.found():
            with self.subTest(python=str(python)):
                done = self.run_in(python, [python], WRAPPED)
                self.assertIn("2 3 4 [4] 7 f\n[(1,)]\n", done.stdout)
                self.assertEqual(occurrences(done.stdout, "    return n + 1"), 1, done.stdout)
                self.assertEqual(occurrences(done.stdout, "    yield n"), 1, done.stdout)

    def test_pool_without_shutdown(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                self.assertTrue(self.module(python, EXECUTOR).stdout.startswith("3\n"))


if __name__ == "__main__":
    unittest.main()
