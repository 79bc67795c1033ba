"""The list of small faults fits the source: each changed line is there, once. tests/mutants applies them."""

import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE  # noqa: E402


class Mutants(unittest.TestCase):
    def test_each_line_is_there(self):
        done = subprocess.run([sys.executable, SOURCE / "tests" / "mutants", "--list"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        files = re.findall(r"^ *\d+ (\w+)/\S+: \S+", done.stdout, re.M)
        self.assertGreaterEqual(len(files), 60)
        self.assertEqual(set(files), {"agent", "parse", "record", "render"})


if __name__ == "__main__":
    unittest.main()
