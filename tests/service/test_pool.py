"""Pools of worker processes: a program without any decorator ends as it does without mprof, and
decorated tasks are recorded in the worker that ran them, however it was started."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, PROGRAMS, Recording, TestCase, python  # noqa: E402

METHODS = ("fork", "spawn", "forkserver")


class Pool(TestCase):
    def plain(self, *command):
        return subprocess.run(list(map(str, command)), capture_output=True, text=True,
                              env=self.environment(), cwd=self.directory, timeout=DEADLINE_S)

    def test_a_program_without_decorator_ends_as_without_mprof(self):
        for method in METHODS:
            with self.subTest(method=method):
                plain = self.plain(python(), PROGRAMS / "pool.py", method)
                self.assertEqual(plain.returncode, 3, plain.stderr)
                path = self.directory / f"{method}.dat"
                done = self.run_mprof("run", "-E", "-C", "-M", "-T", "0.01", "-o", path,
                                      PROGRAMS / "pool.py", method, expect=3)
                self.assertEqual(self.program_output(done.stdout), plain.stdout)
                self.assertEqual(done.stderr, plain.stderr)
                recording = Recording(path)
                self.assertEqual(recording.calls, [])
                self.assertGreaterEqual(len({pid for pid, _, _ in recording.chld}), 2)
                self.assert_upstream_reads_the_same(recording)
                self.assert_draws(path)

    @staticmethod
    def program_output(text):
        """What the program printed, without the lines of mprof."""
        return "".join(line for line in text.splitlines(keepends=True)
                       if not line.startswith(("mprof: ", "running ")))

    def test_upstream_breaks_the_same_program(self):
        upstream = pathlib.Path("/usr/bin/python3-mprof")
        if not upstream.exists():
            self.skipTest("python3-memory-profiler is not installed")
        plain = self.plain(python(), PROGRAMS / "pool.py", "fork")
        try:
            broken = self.plain(upstream, "run", "-E", PROGRAMS / "pool.py", "fork").stdout
        except subprocess.TimeoutExpired:
            return
        self.assertNotEqual(self.program_output(broken), plain.stdout)

    def test_decorated_tasks_of_every_worker(self):
        for method in METHODS:
            with self.subTest(method=method):
                path = self.directory / f"{method}.dat"
                done = self.run_mprof("run", "-E", "-C", "-M", "-T", "0.01", "-o", path,
                                      PROGRAMS / "pool_profile.py", method)
                self.assertEqual(self.program_output(done.stdout).split(),
                                 [str(n * (n - 1) // 2) for n in
                                  (100_000, 200_000, 300_000, 400_000)], done.stderr)
                recording = Recording(path)
                tasks, totals = recording.calls_of("collect"), recording.calls_of("total")
                self.assertEqual((len(tasks), len(totals)), (4, 4))
                self.assertEqual({call.level for call in tasks}, {0})
                self.assertEqual({call.level for call in totals}, {1})
                self.assertFalse([call for call in recording.calls if call.open])
                self.assertLessEqual({call.pid for call in tasks},
                                     {pid for pid, _, _ in recording.processes})
                self.assert_nested(recording.calls)
                self.assert_upstream_reads_the_same(recording)
                self.assert_draws(path, options=["--flame"])


if __name__ == "__main__":
    unittest.main()
