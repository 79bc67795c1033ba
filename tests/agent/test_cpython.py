"""CPython's own tests of functions, generators, coroutines and pickling, run with the agent."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from agent_test import PRELOAD, AgentCase  # noqa: E402
from rings import Rings  # noqa: E402

MODULES = ["test_functools", "test_generators", "test_coroutines", "test_pickle"]
TIMEOUT_S = 600


def chosen():
    """Interpreters that have CPython's tests; only the oldest and the newest unless all are requested."""
    having = [one for one in interpreters.supported() if one.has("test.test_generators")]
    if os.environ.get("MPROF_TEST_ALL") or len(having) < 3:
        return having
    return [having[0], having[-1]]


class CPython(AgentCase):
    def results(self, interpreter, environment):
        """The exit code, and the modules that failed."""
        done = subprocess.run([interpreter.path, "-m", "test", *MODULES], capture_output=True,
                              text=True, timeout=TIMEOUT_S, cwd=self.directory,
                              env=self.environment(**environment))
        failed = [line for line in done.stdout.splitlines() if line.startswith("test ")
                  and "failed" in line]
        return done.returncode, failed, done.stdout[-2000:] + done.stderr[-2000:]

    def test_the_same_with_and_without(self):
        found = chosen()
        if not found:
            self.skipTest("no interpreter has its tests installed")
        for interpreter in found:
            with self.subTest(python=str(interpreter)):
                recorder = Rings()
                try:
                    ours = self.results(interpreter, recorder.environment(PRELOAD))
                finally:
                    recorder.finish()
                if ours[0] != 0:
                    plain = self.results(interpreter, {})
                    self.assertEqual(ours[:2], plain[:2], ours[2])


if __name__ == "__main__":
    unittest.main()
