"""File names say where a change goes: the table of guesses holds against the tree."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE  # noqa: E402

ROW = re.compile(r"^\| (\d+) \| (.*) \| `(.*?)` \| `(.*?)` \| `(.*?)` \|$", re.M)
WRONG_MAX = 3


class Guesses(unittest.TestCase):
    def setUp(self):
        self.rows = ROW.findall((SOURCE / "tests" / "house" / "guesses.md").read_text())
        self.assertGreaterEqual(len(self.rows), 30)

    def test_answers_hold_against_the_tree(self):
        for number, request, _, answer, word in self.rows:
            with self.subTest(number=number, request=request):
                self.assertIn(word.lower(), (SOURCE / answer).read_text().lower())

    def test_few_guesses_are_wrong(self):
        wrong = [number for number, _, guess, answer, _ in self.rows if guess != answer]
        self.assertLessEqual(len(wrong), WRONG_MAX, wrong)


if __name__ == "__main__":
    unittest.main()
