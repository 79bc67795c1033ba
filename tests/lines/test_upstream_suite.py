"""Upstream's own tests, run with our modules: those of its makefile, and those that the makefile leaves out.
All pass without exceptions for ours."""

import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
import upstream_source  # noqa: E402

# Run by python -m memory_profiler; the number of reports expected.
PROFILED = {"test_func": 1, "test_loop": 1, "test_mprofile": 2, "test_as": 1, "test_global": 0,
            "test_precision_command_line": 2, "test_gen": 3, "test_unicode": 1, "test_nested": 1,
            "test_loop_decorated": 2}
# Run as scripts.
SCRIPTS = {"test_tracemalloc", "test_import", "test_memory_usage", "test_precision_import",
           "test_exception", "test_exit_code", "test_mprof", "test_async",
           "test_increment_display", "test_attributes", "test_stream_unicode"}
# Uses a method of unittest that 3.12 has removed.
NOT_FROM_312 = {"test_exit_code"}


class Suite(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="mprof-upstream-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.tests = upstream_source.fetch(cls.folder)

    def test_every_file_is_listed(self):
        there = {path.stem for path in self.tests.glob("test_*.py")}
        self.assertEqual(there, set(PROFILED) | SCRIPTS)

    def run_one(self, interpreter, name):
        command = [str(interpreter)]
        if name in PROFILED:
            command += ["-m", "memory_profiler"]
        return subprocess.run([*command, f"test/{name}.py"], cwd=self.tests.parent,
                              capture_output=True, text=True, timeout=100,
                              env=pythons.environment())

    def test_all_pass(self):
        # Only the tests' own Python and the newest: these tests sleep for seconds.
        found = pythons.found()
        chosen = {pythons.version_of(sys.executable): sys.executable,
                  pythons.version_of(found[-1]): found[-1]}
        jobs = [(version, path, name) for version, path in chosen.items()
                for name in sorted(set(PROFILED) | SCRIPTS)
                if not (name in NOT_FROM_312 and version >= (3, 12))]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            done = pool.map(lambda job: self.run_one(job[1], job[2]), jobs)
            for (version, _, name), result in zip(jobs, done):
                with self.subTest(python=version, test=name):
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                    if name in PROFILED:
                        self.assertEqual(result.stdout.count("Filename: "), PROFILED[name])


if __name__ == "__main__":
    unittest.main()
