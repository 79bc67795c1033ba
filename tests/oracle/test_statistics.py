"""Statistics against scipy and numpy, on random samples: small and large, with and without ties."""

import pathlib
import random
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, MPROF  # noqa: E402

try:
    import numpy
    import scipy.stats
except ImportError:
    numpy = None

TOOL = pathlib.Path(MPROF).parent / "tests" / "unit" / "print-statistics"


def samples(seed, count):
    """Pairs of samples; some rounded, so that values are equal within and between them."""
    source = random.Random(seed)
    for _ in range(count):
        sizes = source.choice(((1, 1), (1, 9), (2, 2), (3, 4), (4, 4), (5, 12), (8, 8), (8, 40), (9, 9), (12, 30), (60, 7)))
        digits = source.choice((None, None, 0, 1))
        shift = source.choice((0, 0, 0.5, 2, 50))
        pair = [[source.gauss(100 + shift * number, 1.5) for _ in range(size)] for number, size in enumerate(sizes)]
        yield [[value if digits is None else round(value, digits) for value in sample] for sample in pair]


def words(sample):
    return " ".join(map(repr, sample))


@unittest.skipIf(numpy is None, "scipy is not installed")
class Statistics(unittest.TestCase):
    def ask(self, lines):
        done = subprocess.run([TOOL], input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                              check=True, timeout=DEADLINE_S)
        return [list(map(float, line.split())) for line in done.stdout.splitlines()]

    def assert_near(self, found, expected, relative=1e-9):
        numpy.testing.assert_allclose(found, expected, rtol=relative, atol=1e-12)

    def test_u_test(self):
        pairs = list(samples(1, 1500))
        answers = self.ask(f"u {words(a)} / {words(b)}" for a, b in pairs)
        exact = 0
        for (a, b), (u, p, is_exact) in zip(pairs, answers, strict=True):
            has_ties = len({*a, *b}) < len(a) + len(b)
            method = "exact" if min(len(a), len(b)) <= 8 and not has_ties else "asymptotic"
            if len({*a, *b}) == 1:
                continue  # scipy divides by zero; p is 1
            expected = scipy.stats.mannwhitneyu(a, b, method=method)
            with self.subTest(a=a, b=b):
                self.assertEqual(bool(is_exact), method == "exact")
                self.assert_near([u, p], expected)
            exact += method == "exact"
        self.assertGreater(exact, 300)
        self.assertGreater(len(pairs) - exact, 300)

    def test_equal_values_are_no_evidence(self):
        self.assertEqual(self.ask(["u 5 5 5 5 / 5 5 5 5"]), [[8, 1, 0]])

    def test_four_runs_a_side_are_the_least(self):
        self.assertLess(self.ask(["u 1 2 3 4 / 5 6 7 8"])[0][1], 0.05)
        self.assertGreater(self.ask(["u 1 2 3 / 4 5 6"])[0][1], 0.05)

    def test_theil_sen(self):
        source = random.Random(2)
        for _ in range(400):
            count = source.choice((2, 3, 8, 9, 24, 100))
            x = [source.uniform(0, 60) for _ in range(count)]
            if source.random() < 0.3:
                x = [float(round(value, -1)) for value in x]
            y = [3 * value + source.gauss(0, 5) for value in x]
            if len(set(x)) == 1:
                continue
            found = self.ask([f"line {words(x)} / {words(y)}"])[0]
            with self.subTest(x=x, y=y):
                self.assert_near(found, scipy.stats.theilslopes(y, x)[:2], 1e-7)

    def test_order(self):
        source = random.Random(3)
        rows = [[round(source.uniform(0, 20), source.choice((0, 6))) for _ in range(source.randint(1, 60))]
                for _ in range(600)]
        answers = self.ask("order " + words(row) for row in rows)
        for row, found in zip(rows, answers, strict=True):
            with self.subTest(row=row):
                self.assert_near(found, [*numpy.percentile(row, [0, 25, 50, 75, 100]), numpy.median(row)])


if __name__ == "__main__":
    unittest.main()
