"""Line numbers, occurrences and MiB of reports, on every Python of the machine."""

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
def measured(interpreter, tracepoint):
    """The results of programs.py on an interpreter."""
    done = subprocess.run([str(interpreter), str(HERE / "programs.py")], capture_output=True,
                          text=True, timeout=250, env=pythons.environment(
                              MALLOC_MMAP_THRESHOLD_="1048576", MPROF_ORACLE=tracepoint))
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def both():
    """Every Python without the tracepoint; the oldest and newest also with it (without it again if the
    process may not trace)."""
    found = pythons.found()
    return [(one, "0") for one in found] + [(one, "1") for one in {found[0], found[-1]}]


class Sums(unittest.TestCase):
    """The increments of a function add up to its change of memory, in the cases that upstream's users
    reported."""

    def check(self, number):
        cases = [name for name in SUMS if name.startswith(f"{number}:")]
        self.assertGreater(len(cases), 0)
        for interpreter, tracepoint in both():
            for name in cases:
                with self.subTest(python=str(interpreter), program=name, tracepoint=tracepoint):
                    added, seen, lowest = measured(interpreter, tracepoint)["sums"][name]
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
        """The increments of the lines add up to the expected total."""
        wanted = [mib for _, mib in expected(source).values()]
        if None not in wanted:
            self.assertAlmostEqual(sum(line[3] for line in lines), sum(wanted), delta=1)

    def run_all(self, interpreter, tracepoint):
        for name, lines in measured(interpreter, tracepoint)["programs"].items():
            with self.subTest(python=str(interpreter), program=name, tracepoint=tracepoint):
                self.compare(PROGRAMS[name], lines)
                self.check_sum(PROGRAMS[name], lines)

    def test_table_of_programs_is_complete(self):
        self.assertGreaterEqual(len(PROGRAMS), 40)

    def test_every_program_on_every_python(self):
        for interpreter, tracepoint in both():
            self.run_all(interpreter, tracepoint)

    def test_all_reported_cases_are_covered(self):
        self.assertGreaterEqual({int(name.split(":")[0]) for name in SUMS},
                                {77, 195, 211, 219, 226, 294, 317, 396, 400})


if __name__ == "__main__":
    unittest.main()
