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
import test_svg  # noqa: E402

RECORDINGS = ("nested", "article-gunicorn-CM", "article-gunicorn", "make_j2", "numbered-children")
CLOCK = re.compile(r"[\d.,]+ (?:s|min|ms|h)(?: [\d.]+ s)?(?:  .*)?\Z")
RUNNING = re.compile(r"  [\d.]+ (ms|s)  [+\u2212\u00b1]")
PEAK = "return (JSON.parse(document.querySelector('svg > metadata').textContent).peak || [null])[0]"


def split(lines):
    """(seconds, lines about memory, lines about calls)"""
    calls = {line for line in lines[1:] if RUNNING.search(line)}
    minutes, seconds = re.match(r"(?:(\d+) min )?([\d.]+) s", lines[0]).groups()
    return int(minutes or 0) * 60 + float(seconds), [line for line in lines[1:] if line not in calls], calls


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

    def test_all_kinds_of_items(self):
        """A grid over pictures that have calls in rows, lanes and boxes, density, layers, groups, and kinds of memory. Labels of brackets, which the SVG counts as parts of these, are left out."""
        write = {name: self.write(f"{name}.dat", make()) for name, make in
                 (("tree", test_svg.tree), ("service", test_svg.service), ("crowd", test_svg.crowd))}
        cases = (([FIXTURES / "dat" / "nested.dat"], {"flame": True}), ([FIXTURES / "dat" / "article-gunicorn-CM.dat"], {"stack": True}),
                 ([FIXTURES / "dat" / "make_j2.dat"], {"group": "command"}), ([write["tree"]], {"memory": "pss"}),
                 ([write["service"]], {}), ([write["service"]], {"flame": True}), ([write["crowd"]], {}))
        heads, described = set(), 0
        for paths, options in cases:
            picture = mprof.plot(*paths, **options)
            given = [part for name, value in options.items() for part in ([f"--{name}"] if value is True else [f"--{name}", value])]
            plot = self.show(*given, *paths)
            height = self.browser.run("return document.querySelector('svg').viewBox.baseVal.height")
            pixel = (plot.to_s - plot.from_s) / plot.width
            for x in (round(plot.left + share * plot.width) for share in (0.31, 0.77)):
                for y in (round(64 + share * (height - 80)) for share in (0.03, 0.2, 0.35, 0.5, 0.62, 0.75, 0.87, 0.97)):
                    with self.subTest(paths=[path.name for path in paths], options=options, x=x, y=y):
                        self.browser.move(x, y)
                        over = self.browser.run("const node = document.elementFromPoint(...arguments);"
                                                "return node ? node.getAttribute('class') || '' : ''", x, y)
                        # coordinates of an SVG are rounded, and so are shares that are read from them
                        wanted, found = ([re.sub(r"([\d.]+) % of", lambda share: f"{float(share[1]):.0f} % of", line)
                                          for line in lines if line]
                                         for lines in (self.state()["tooltip"] or [], picture.text_at(x, y).split("\n")))
                        if "name" in over:
                            continue
                        self.assertEqual(len(wanted) > 0, len(found) > 0)
                        clocks = [next((i for i, line in enumerate(lines) if CLOCK.match(line)), len(lines)) for lines in (wanted, found)]
                        self.assertEqual(wanted[:clocks[0]], found[:clocks[1]])
                        heads.update(wanted[:1] if clocks[0] else [])
                        if wanted[clocks[0]:]:
                            one, other = split(wanted[clocks[0]:]), split(found[clocks[1]:])
                            self.assertAlmostEqual(other[0], one[0], delta=pixel + 1e-3)
                            self.assertEqual(other[1], one[1])
                            self.assertLessEqual(len(other[2] ^ one[2]), 1)
                        described += len(wanted) > 0
        self.assertGreater(len(heads), 1)
        self.assertGreater(described, 60)


if __name__ == "__main__":
    unittest.main()
