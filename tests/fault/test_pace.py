"""The pace of samples: the mean interval is the asked one, whatever a tick costs."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording  # noqa: E402


class Pace(mprof_test.TestCase):
    def record(self, interval, seconds, *options):
        path = self.directory / "out.dat"
        path.unlink(missing_ok=True)
        self.run_mprof("run", "-T", interval, *options, "-o", path, "sleep", seconds)
        recording = Recording(path)
        times = [moment for _, moment in recording.mem]
        return times, int(recording.facts.get("missed-ticks", 0))

    def test_mean_interval(self):
        """Every deadline is met or counted: samples and missed ones together give the asked pace,
        to a thousandth."""
        for interval, seconds in ((0.1, 3), (0.01, 2), (0.001, 2)):
            with self.subTest(interval=interval):
                times, missed = self.record(interval, seconds)
                ticks = len(times) - 1 + missed
                mean = (times[-1] - times[0]) / ticks
                # the last sample may be as late as the machine is loaded; the bound is for that
                slack = (0.02 + 0.0001) / (times[-1] - times[0])
                self.assertLess(abs(mean / interval - 1), 0.001 + slack)

    def test_a_tenth_of_a_millisecond(self):
        times, missed = self.record(0.0001, 1)
        self.assertGreater(len(times) + missed, 8000)
        self.assertGreater(len(times), 1000)
        self.assertEqual(sorted(times), times)
        self.assertEqual(len(set(times)), len(times))


if __name__ == "__main__":
    unittest.main()
