"""Logarithmic memory axes, fixed units and the peak in an interactive SVG: what tooltips and ticks say before and after a zoom,
compared with the recording and with a picture that is laid out anew."""

import math
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser_case import BrowserCase  # noqa: E402
from mprof_test import FIXTURES  # noqa: E402
from picture import memories  # noqa: E402

NESTED = FIXTURES / "dat" / "nested.dat"

# The lowest and the highest point of the curve, in px.
CURVE = """
const { y, height } = document.querySelector('.curves > path.curve').getBoundingClientRect();
return [y, y + height];
"""

TICKS = ["0.01 MiB", "0.1 MiB", "1 MiB", "10 MiB", "100 MiB", "1000 MiB", "10000 MiB"]
AXIS = "return JSON.parse(document.querySelector('svg > metadata').textContent).memory.slice(0, 2)"


def growth():
    """A program that takes ten times as much every 25 s, from nothing on."""
    values = [0, 0.0001, *(0.5 * 10 ** (i / 25) for i in range(99))]
    return "CMDLINE x\n" + "".join(f"MEM {mib:.6f} {1000 + i}\n" for i, mib in enumerate(values)), values


class Axes(BrowserCase):
    def tooltip_at(self, x, plot):
        self.browser.move(x, plot.clear)
        return "\n".join(self.state()["tooltip"])

    def assert_memory(self, mib, tooltip):
        self.assertTrue(any(abs(found - mib) <= half * 1.01 + mib * 2e-4 for found, half in memories(tooltip)),
                        f"{mib}: {tooltip}")

    def test_a_logarithmic_axis(self):
        text, values = growth()
        plot = self.show("--log", self.write("growth.dat", text))
        self.assertEqual([tick for tick in self.state()["ticks"] if "iB" in tick],
                         TICKS)
        for second in (5, 30, 61, 90):
            self.assert_memory(values[second], self.tooltip_at(plot.x(second), plot))
        self.assertIn("0 MiB", self.tooltip_at(plot.x(0), plot))
        low, high = self.browser.run(AXIS)
        before = self.browser.run(CURVE)
        self.zoom(plot.x(40), plot.middle, plot.x(70), plot.middle)
        self.assertTrue(self.state()["zoomed"])
        self.assertEqual([tick for tick in self.state()["ticks"] if "iB" in tick],
                         TICKS)
        begin, end = map(float, re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0]).groups())
        for second in (45, 55, 65):
            x = plot.left + (second - begin) / (end - begin) * plot.width
            self.assert_memory(values[second], self.tooltip_at(x, plot))
        # equal factors are equal distances: the part has the height that it has of the whole
        top, bottom = self.browser.run(CURVE)
        first, last = (values[round(second)] for second in (begin, end))
        decades = math.log10(last / first)
        self.assertAlmostEqual(bottom - top, plot.height * decades / math.log10(high / low), delta=4)
        self.browser.press("Escape")
        self.assertEqual(self.browser.run(CURVE), before)

    def test_a_range_of_a_logarithmic_axis(self):
        """A curve below and above it leaves the plot, and tooltips there keep its numbers."""
        text, values = growth()
        plot = self.show("--log", "--ylim", "3,700", self.write("growth.dat", text))
        for second in (15, 30, 61, 85):
            self.assert_memory(values[second], self.tooltip_at(plot.x(second), plot))
        self.zoom(plot.x(5), plot.middle, plot.x(95), plot.middle)
        begin, end = map(float, re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0]).groups())
        for second in (15, 61, 85):
            x = plot.left + (second - begin) / (end - begin) * plot.width
            self.assert_memory(values[second], self.tooltip_at(x, plot))
        clip = self.browser.run("return document.querySelector('svg > g.curves').getAttribute('clip-path')")
        self.assertTrue(clip)
        box = self.browser.run("const { y, height } = document.querySelector('svg > clipPath > rect').getBBox();"
                               "const curve = document.querySelector('.curves > path.curve').getBBox();"
                               "return [y, y + height, curve.y, curve.y + curve.height]")
        self.assertLess(box[2], box[0] - 20)
        self.assertGreater(box[3], box[1] + 20)

    def test_a_part_of_a_decade(self):
        """Two round values are too few: equal steps, also after a zoom, which keeps the range."""
        plot = self.show("--log", "--ylim", "100,400", self.write("growth.dat", growth()[0]))
        for _ in range(2):
            self.assertEqual([tick for tick in self.state()["ticks"] if "iB" in tick],
                             [f"{mib} MiB" for mib in range(100, 401, 50)])
            self.zoom(plot.x(40), plot.middle, plot.x(90), plot.middle)
            self.assertTrue(self.state()["zoomed"])

    def test_a_logarithmic_axis_with_calls(self):
        plot = self.show("--log", NESTED)
        self.zoom(plot.x(0.4), plot.middle, plot.x(0.7), plot.middle)
        self.assertIn("100 MiB", self.state()["ticks"])
        self.assertGreater(self.browser.run("return document.querySelectorAll('.marks .bracket').length"), 2)

    def test_what_ran_at_the_peak(self):
        """In the tooltip of the peak, and of no other moment."""
        plot = self.show(NESTED)
        seconds, words = self.browser.run("return JSON.parse(document.querySelector('svg > metadata').textContent).peak")
        self.assertEqual(words, "peak in fit \u203a branch \u203a leaf")
        self.assertIn(words, self.tooltip_at(plot.x(seconds), plot))
        for other in (0.05, 0.5, 1.2):
            self.assertNotIn("peak", self.tooltip_at(plot.x(other), plot))

    def test_a_fixed_unit(self):
        plot = self.show("--unit", "MB", NESTED)
        self.assertTrue(all(tick.endswith((" MB", " s", "0")) for tick in self.state()["ticks"]), self.state()["ticks"])
        tooltip = self.tooltip_at(plot.x(0.3), plot)
        self.assertRegex(tooltip, r"\d\.\d MB")
        self.assertNotIn("MiB", tooltip)
        self.zoom(plot.x(0.4), plot.middle, plot.x(0.7), plot.middle)
        self.assertIn("50 MB", self.state()["ticks"])
        self.assertNotIn("MiB", "\n".join(self.state()["ticks"]))


if __name__ == "__main__":
    unittest.main()
