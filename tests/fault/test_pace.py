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

    def test_no_drift(self):
        """Late samples there may be, but those that come in time lie on the same grid at the end as
        at the beginning."""
        for interval, seconds in ((0.1, 3), (0.01, 2), (0.001, 2)):
            with self.subTest(interval=interval):
                times, _ = self.record(interval, seconds)
                passed = [moment - times[0] for moment in times]
                late = [one - round(one / interval) * interval for one in passed]
                third = len(late) // 3
                drift = min(late[-third:]) - min(late[:third])
                # 10 ms for a machine on which no sample of a whole third came in time
                self.assertLess(abs(drift), 0.001 * passed[-1] + 0.01)

    def test_samples_and_missed_ones_are_all_there_are(self):
        times, missed = self.record(0.01, 2)
        due = (times[-1] - times[0]) / 0.01
        self.assertLess(abs(len(times) - 1 + missed - due), 2 + 0.1 * due)

    def test_a_tenth_of_a_millisecond(self):
        times, missed = self.record(0.0001, 1)
        self.assertGreater(len(times) + missed, 7000)
        self.assertGreater(len(times), 200)
        self.assertEqual(sorted(times), times)
        self.assertEqual(len(set(times)), len(times))


if __name__ == "__main__":
    unittest.main()
