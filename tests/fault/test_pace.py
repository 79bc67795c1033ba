"""The pace of samples: the mean interval is the requested one, whatever a tick costs."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import HAS_DRAWING, Recording, is_sanitized  # noqa: E402


class Pace(mprof_test.TestCase):
    def record(self, interval, seconds, *options):
        path = self.directory / "out.dat"
        path.unlink(missing_ok=True)
        self.run_mprof("run", "-T", interval, *options, "-o", path, "sleep", seconds)
        recording = Recording(path)
        times = [moment for _, moment in recording.mem]
        return times, int(recording.facts.get("missed-ticks", 0))

    def test_no_drift(self):
        """Samples may be late, but each has a place of its own on one grid, and the places without one are counted.
        A pause of an interval after each sample would leave out some percent."""
        for interval, seconds in ((0.05, 3), (0.01, 2), (0.001, 2)):
            with self.subTest(interval=interval):
                times, missed = self.record(interval, seconds)
                due = (times[-1] - times[0]) / interval
                # five early samples, one at the end, and the last one may be late by some 40 ms
                self.assertLess(abs(len(times) - 1 + missed - due), 7 + 0.04 / interval)

    def test_a_tenth_of_a_millisecond(self):
        times, missed = self.record(0.0001, 1)
        self.assertGreater(len(times) + missed, 7000)
        self.assertGreater(len(times), 200)
        self.assertEqual(sorted(times), times)
        self.assertEqual(len(set(times)), len(times))

    def test_early_samples_precede_the_grid(self):
        """A program shorter than the interval is sampled; a longer one has its regular samples as well: those in time
        are on the grid, and no two of them in the same step of it."""
        for _ in range(10):  # on a loaded machine samples are late
            times, missed = self.record(0.5, 1.8)
            passed = [moment - times[0] for moment in times]
            early = [one for one in passed if one < 0.25]
            regular = [one / 0.5 for one in passed[len(early):]]
            self.assertLessEqual(len(early), 7, passed)
            # the first sample may be late as well; one more may be missed while the program ends
            places = [int(one + 0.1) for one in regular]
            if (len(early) >= 4 and sorted(set(places)) == places and places[-1] >= 3
                    and len(places) + missed - places[-1] in (0, 1) and min((one + 0.1) % 1 for one in regular) < 0.2):
                return
        self.fail(f"no recording has four early samples, and then one for each place of the grid: {passed}, {missed}")

    def test_program_shorter_than_the_interval(self):
        path = self.directory / "out.dat"
        for _ in range(5):  # on a loaded machine samples are late
            self.run_mprof("run", "-T", "50", "-o", path, sys.executable, "-c", "import time; time.sleep(0.2)")
            recording = Recording(path)
            if len(recording.mem) >= 3:
                break
        self.assertGreaterEqual(len(recording.mem), 3)
        # while it is being loaded it has only some pages
        self.assertGreater(max(mib for mib, _ in recording.mem), 0.1, recording.lines)

    def test_at_least_one_sample(self):
        """However short the program, `peak` and `plot` have a value, from the kernel if need be."""
        path = self.directory / "out.dat"
        for options in (("-CM",), ("-C",), (), ("-T", "1"), ("-M", "-T", "0.0001"),
                        ("-C", "--backend", "psutil_pss")):
            for _ in range(6):
                path.unlink(missing_ok=True)
                self.run_mprof("run", *options, "-o", path, "true")
                recording = Recording(path)
                self.assertTrue(recording.mem, (options, recording.lines))
                # more than it has while it is being loaded
                self.assertGreater(max(mib for mib, _ in recording.mem), 0.1, recording.lines)
                # less than the recorder, as whose copy it begins, has with a sanitizer
                self.assertLess(max(mib for mib, _ in recording.mem), 60 if is_sanitized() else 20)
                self.assert_upstream_reads_the_same(recording)
                self.assertRegex(self.run_mprof("peak", path).stdout, r"\d+\.\d+ MiB")
        if HAS_DRAWING:
            self.run_mprof("plot", "-o", self.directory / "out.svg", path)


if __name__ == "__main__":
    unittest.main()
