"""S6: every call of the recorder into the libc fails once, in turn. Whatever comes of it, the
recorder says so in one line or goes on, never crashes, and the program is unharmed."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import python  # noqa: E402

TOOLS = mprof_test.preloadable(os.environ.get("MPROF_TEST_TOOLS", "."))
# The recorder that something can be preloaded into.
MPROF = os.environ.get("MPROF_TEST_DYNAMIC", mprof_test.MPROF)


class Failing(mprof_test.TestCase):
    def run_failing(self, nth, *command, **changes):
        environment = self.environment(LD_PRELOAD=str(TOOLS / "fail-nth.so"),
                                       MPROF_TEST_NTH=str(nth), **changes)
        return subprocess.run([MPROF, *command], capture_output=True, text=True, env=environment,
                              cwd=self.directory, timeout=30, errors="replace")

    def count_calls(self, *command):
        path = self.directory / "count"
        self.run_failing(0, *command, MPROF_TEST_COUNT=str(path))
        return int(path.read_text())

    def check(self, nth, done, finished):
        said = f"call {nth} failing: {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertIn(done.returncode, (5, 1, 2, 126, 127), said)
        for line in done.stderr.splitlines():
            # Where the build lies behind a space, the preload is reached through the rings, and the
            # loader tells a program that outlives its recorder that they are gone.
            if " " in MPROF and line.startswith("ERROR: ld.so: object '/dev/shm/mprof-"):
                continue
            self.assertRegex(line, r"\Amprof", said)
        if done.returncode == 5:  # the program has run, to its end
            self.assertTrue(finished.exists(), said)
        elif done.returncode != 1:
            self.assertFalse(finished.exists(), said)
            self.assertTrue(done.stderr, said)
            self.assertEqual(list(self.directory.glob("*.dat")), [], said)

    def fail_each(self, *command):
        finished = self.directory / "finished"
        total = self.count_calls(*command)
        self.assertGreater(total, 50)
        limit = int(os.environ.get("MPROF_TEST_CALLS", "400"))
        for nth in range(1, min(total, limit) + 1):
            finished.unlink(missing_ok=True)
            done = self.run_failing(nth, *command)
            self.check(nth, done, finished)
            for path in self.directory.glob("*.dat*"):
                path.unlink()
        self.assertEqual([name for name in os.listdir("/dev/shm")
                          if name.startswith(f"mprof-{os.getpid()}-")], [])

    def test_S6_run(self):
        self.fail_each("run", "-E", "-C", "-M", "-T", "0.02", "-o", "out.dat", "sh", "-c",
                       "sleep 0.05; touch finished; exit 5")

    def test_S6_run_with_functions(self):
        (self.directory / "calls.py").write_text(
            "@profile\ndef f(): pass\nf()\nopen('finished', 'w').close()\nimport os\nos._exit(5)\n")
        if os.environ.get("MPROF_TEST_CALLS") is None:
            self.skipTest("long: set MPROF_TEST_CALLS")
        self.fail_each("run", "-E", "-o", "out.dat", python(), "calls.py")


if __name__ == "__main__":
    unittest.main()
