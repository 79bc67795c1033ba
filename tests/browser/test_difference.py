"""The picture of `mprof diff` in a browser: its tooltip has both values and the difference, before and after a zoom."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser_case import BrowserCase, Plot  # noqa: E402


def program(high):
    return "CMDLINE x\n" + "".join(f"MEM {high if 30 <= i < 70 else 50} {1000 + i / 10:.1f}\n" for i in range(101))


class Difference(BrowserCase):
    def draw(self, *arguments, name="picture.svg"):
        path = self.directory / name
        self.run_mprof("diff", "--plot", "-o", path, *arguments)
        return path

    def test_tooltips(self):
        plot = self.show(self.write("before.dat", program(100)), self.write("now.dat", program(85)))
        self.browser.move(plot.x(5), plot.middle)
        self.assertEqual(self.state()["tooltip"][1:], ["now: now.dat  85.0 MiB", "before: before.dat  100.0 MiB",
                                                       "now less before  \u221215.0 MiB"], self.directory)
        self.zoom(plot.x(4), plot.middle, plot.x(6), plot.middle)
        self.assertTrue(self.state()["zoomed"])
        self.browser.move(plot.x(5), plot.middle)
        self.assertIn("now less before  \u221215.0 MiB", self.state()["tooltip"])
        self.assertEqual(self.browser.messages(), [])


if __name__ == "__main__":
    unittest.main()
