"""The catalogue of faults: every number that a test or a comment refers to stands in it, and every
test that it names exists."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE  # noqa: E402

CATALOGUE = (SOURCE / "docs" / "faults.md").read_text()
BUILD = pathlib.Path(os.environ.get("MPROF", SOURCE / "build" / "dev" / "mprof")).parent
ROW = re.compile(r"^\| ([RBS]\d+) \|.*\| ([^|]*) \|$", re.M)


class Faults(unittest.TestCase):
    def test_numbers_follow_each_other(self):
        numbers = [number for number, _ in ROW.findall(CATALOGUE)]
        for letter in "RBS":
            mine = [number for number in numbers if number[0] == letter]
            self.assertEqual(mine, [f"{letter}{i + 1}" for i in range(len(mine))])
            self.assertGreater(len(mine), 5)

    def test_every_number_in_use_is_listed(self):
        listed = {number for number, _ in ROW.findall(CATALOGUE)}
        used = set()
        for path in [*(SOURCE / "tests").rglob("*.[ch]"), *(SOURCE / "tests").rglob("test_*.py")]:
            for mark in re.findall(r"\btest_([RBSbrs]\d+)_|[\"(,;] ?([RBS]\d{1,2})[:;,\"). ]",
                                   path.read_text()):
                used.add((mark[0] or mark[1]).upper())
        self.assertGreater(len(used), 20)
        self.assertEqual(used - listed, set())

    def test_every_test_named_exists(self):
        done = subprocess.run(["ctest", "-N"], cwd=BUILD, capture_output=True, text=True)
        tests = set(re.findall(r"Test +#\d+: (\S+)", done.stdout))
        self.assertGreater(len(tests), 50, done.stderr)
        for number, cell in ROW.findall(CATALOGUE):
            names = re.findall(r"`([\w.-]+)`", cell)
            with self.subTest(number=number):
                self.assertTrue(names)
                self.assertEqual(set(names) - tests, set())


if __name__ == "__main__":
    unittest.main()
