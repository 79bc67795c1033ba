"""The library's text about a place (mprof_hit_text) is the tooltip that the SVG shows there."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser_case import BrowserCase  # noqa: E402
from mprof_test import FIXTURES, MPROF  # noqa: E402

sys.path.insert(0, str(pathlib.Path(MPROF).absolute().parent / "python"))
import mprof  # noqa: E402

RECORDINGS = ("nested", "article-gunicorn-CM", "article-gunicorn", "make_j2", "numbered-children")
RUNNING = re.compile(r"  [\d.]+ (ms|s)  [+\u2212]")
PEAK = "return (JSON.parse(document.querySelector('svg > metadata').textContent).peak || [null])[0]"


def split(lines):
    """(seconds, lines about memory, lines about calls)"""
    calls = {line for line in lines[1:] if RUNNING.search(line)}
    return float(lines[0].split(" s")[0]), [line for line in lines[1:] if line not in calls], calls


class HitText(BrowserCase):
    def test_the_plot(self):
        """An SVG rounds times to a part of a pixel, so its clock may differ in the last digit, and a call that begins or
        ends at just that moment may be there in one of the two."""
        with_calls = 0
        for name in RECORDINGS:
            path = FIXTURES / "dat" / f"{name}.dat"
            picture, plot = mprof.plot(path), self.show(path)
            pixel = (plot.to_s - plot.from_s) / plot.width
            peak_s = self.browser.run(PEAK)
            places = [plot.left + share * plot.width for share in (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)]
            for x in map(round, places if peak_s is None else [*places, plot.x(peak_s)]):
                with self.subTest(recording=name, x=x):
                    self.browser.move(x, plot.clear)
                    wanted = split(self.state()["tooltip"])
                    found = split(picture.text_at(x, plot.clear).split("\n"))
                    self.assertAlmostEqual(found[0], wanted[0], delta=pixel)
                    self.assertEqual(found[1], wanted[1])
                    self.assertLessEqual(len(found[2] ^ wanted[2]), 1)
                    with_calls += len(found[2] & wanted[2]) > 1
        self.assertGreater(with_calls, 3)


if __name__ == "__main__":
    unittest.main()
