"""Wide bounds, for busy machines, on what tests/bench measures: traced lines cost far less than upstream's,
and from 3.12 on code that is not profiled costs nothing extra."""

import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from mprof_test import UPSTREAM, upstream  # noqa: E402

COST = pathlib.Path(__file__).resolve().parent / "cost.py"


def cost(python, lines, **environment):
    done = subprocess.run([str(python), str(COST), str(lines)], capture_output=True, text=True,
                          check=True, timeout=100, env=pythons.environment(**environment))
    return json.loads(done.stdout)


class Cost(unittest.TestCase):
    def test_traced_lines_against_upstream(self):
        upstream()  # skips where it is not installed
        theirs = cost(sys.executable, 2000, PYTHONPATH=str(UPSTREAM))
        ours = cost(sys.executable, 20000, MPROF_ORACLE="0")
        for case in ("loop", "building a list", "comprehension"):
            with self.subTest(case=case):
                self.assertGreater(theirs[case] / ours[case], 10)

    def test_callees_that_are_not_profiled(self):
        for python in pythons.found():
            if pythons.version_of(python) >= (3, 12):
                with self.subTest(python=str(python)):
                    self.assertLess(cost(python, 50000)["callee"], 1.3)


if __name__ == "__main__":
    unittest.main()
