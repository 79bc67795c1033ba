"""The numbers of a line-by-line report, on every Python there is: which lines, how often, how much."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from programs import PROGRAMS  # noqa: E402

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


class Numbers(unittest.TestCase):
    maxDiff = None

    def compare(self, source, lines):
        marks = expected(source)
        measured = {(file, line): (hits, change) for file, line, hits, change, _ in lines}
        for key, (hits, change) in measured.items():
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

    def run_all(self, interpreter, **environment):
        done = subprocess.run([str(interpreter), str(HERE / "programs.py")], capture_output=True,
                              text=True, timeout=250, env=pythons.environment(
                                  MALLOC_MMAP_THRESHOLD_="1048576", **environment))
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        for name, (added, seen) in found["sums"].items():
            with self.subTest(python=str(interpreter), program=name, **environment):
                self.assertAlmostEqual(added, seen, delta=TOLERANCE_MIB)
        for name, lines in found["programs"].items():
            with self.subTest(python=str(interpreter), program=name, **environment):
                self.compare(PROGRAMS[name], lines)
                self.check_sum(PROGRAMS[name], lines)

    def test_table_is_as_long_as_it_says(self):
        self.assertGreaterEqual(len(PROGRAMS), 40)

    def test_every_program_on_every_python(self):
        for interpreter in pythons.found():
            self.run_all(interpreter, MPROF_ORACLE="0")

    def test_every_program_where_the_kernel_tells_of_changes(self):
        # The same as above where the process may not trace.
        found = pythons.found()
        for interpreter in {found[0], found[-1]}:
            self.run_all(interpreter, MPROF_ORACLE="1")


if __name__ == "__main__":
    unittest.main()
