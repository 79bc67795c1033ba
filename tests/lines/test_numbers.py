"""The numbers of a line-by-line report, on every Python there is: which lines, how often, how much."""

import functools
import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from programs import PROGRAMS, SUMS  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE_MIB = 0.75
MARK = re.compile(r"#: (?:(?P<file><\w+>) (?P<line>\d+) )?(?P<hits>[\d|]+) (?P<mib>-?\d+|\*)$")


def expected(source):
    """{(file or None, line): (accepted occurrences or None, MiB or None)}"""
    marks = {}
    for number, text in enumerate(source.split("\n"), 1):
        mark = MARK.search(text)
        if "#:" in text and not mark:
            raise ValueError(f"not a mark: {text}")
        if mark:
            key = (mark["file"], int(mark["line"] or number))
            hits = set(map(int, mark["hits"].split("|")))
            marks[key] = hits, None if mark["mib"] == "*" else float(mark["mib"])
    return marks


@functools.lru_cache(maxsize=None)
def measured(interpreter, oracle):
    """What programs.py has found there."""
    done = subprocess.run([str(interpreter), str(HERE / "programs.py")], capture_output=True,
                          text=True, timeout=250, env=pythons.environment(
                              MALLOC_MMAP_THRESHOLD_="1048576", MPROF_ORACLE=oracle))
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def both():
    """Every Python by reading; the oldest and newest also where the kernel tells of changes (the same
    once more where the process may not trace)."""
    found = pythons.found()
    return [(one, "0") for one in found] + [(one, "1") for one in {found[0], found[-1]}]


class Sums(unittest.TestCase):
    """The increments of a function add up to what it did, in the cases that upstream's users
    reported."""

    def check(self, number):
        cases = [name for name in SUMS if name.startswith(f"{number}:")]
        self.assertGreater(len(cases), 0)
        for interpreter, oracle in both():
            for name in cases:
                with self.subTest(python=str(interpreter), program=name, oracle=oracle):
                    added, seen, lowest = measured(interpreter, oracle)["sums"][name]
                    self.assertAlmostEqual(added, seen, delta=TOLERANCE_MIB)
                    if name.endswith("(kept)"):
                        self.assertGreater(lowest, -TOLERANCE_MIB)


def _add_test(number):
    setattr(Sums, f"test_upstream_issue_{number}", lambda self: self.check(number))


for _number in sorted({int(name.split(":")[0]) for name in SUMS}):
    _add_test(_number)


class Numbers(unittest.TestCase):
    maxDiff = None

    def compare(self, source, lines):
        marks = expected(source)
        found = {(file, line): (hits, change) for file, line, hits, change, _ in lines}
        for key, (hits, change) in found.items():
            if hits == 0 and abs(change) < TOLERANCE_MIB and key not in marks:
                continue
            self.assertIn(key, marks, f"a line that should not run: {key}")
            wanted_hits, wanted_mib = marks.pop(key)
            self.assertIn(hits, wanted_hits, f"occurrences of {key}")
            if wanted_mib is not None:
                self.assertAlmostEqual(change, wanted_mib, delta=TOLERANCE_MIB,
                                       msg=f"increment of {key}")
        left = {key for key, (hits, _) in marks.items() if 0 not in hits}
        self.assertEqual(left, set(), "lines that should have run")

    def check_sum(self, source, lines):
        """What the lines did adds up to what is expected of the whole."""
        wanted = [mib for _, mib in expected(source).values()]
        if None not in wanted:
            self.assertAlmostEqual(sum(line[3] for line in lines), sum(wanted), delta=1)

    def run_all(self, interpreter, oracle):
        for name, lines in measured(interpreter, oracle)["programs"].items():
            with self.subTest(python=str(interpreter), program=name, oracle=oracle):
                self.compare(PROGRAMS[name], lines)
                self.check_sum(PROGRAMS[name], lines)

    def test_table_is_as_long_as_it_says(self):
        self.assertGreaterEqual(len(PROGRAMS), 40)

    def test_every_program_on_every_python(self):
        for interpreter, oracle in both():
            self.run_all(interpreter, oracle)

    def test_reported_cases_are_all_there(self):
        self.assertGreaterEqual({int(name.split(":")[0]) for name in SUMS},
                                {77, 195, 211, 219, 226, 294, 317, 396, 400})


if __name__ == "__main__":
    unittest.main()
