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
        """A grid over pictures that have calls in rows, lanes and boxes, density, layers, groups, and kinds of memory."""
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
                        # coordinates of an SVG are rounded, and so are shares that are read from them
                        wanted, found = ([re.sub(r"([\d.]+) % of", lambda share: f"{float(share[1]):.0f} % of", line)
                                          for line in lines if line]
                                         for lines in (self.state()["tooltip"] or [], picture.text_at(x, y).split("\n")))
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


    def tooltips(self, picture, x, y):
        self.browser.move(x, y)
        return [[line for line in lines if line] for lines in (self.state()["tooltip"] or [], picture.text_at(x, y).split("\n"))]

    def test_several_recordings(self):
        """The highest first, at the moment of the nearest sample of any; others say when theirs is."""
        dat = FIXTURES / "dat"
        ranges = others = 0
        for names in (("article-flask-plain", "article-flask-profile"), ("nested", "article-gunicorn-CM"),
                      ("article-gunicorn-CM", "numbered-children", "make_j2")):
            paths = [dat / f"{name}.dat" for name in names]
            picture, plot = mprof.plot(*paths), self.show(*paths)
            pixel = (plot.to_s - plot.from_s) / plot.width
            for x in (round(plot.left + share * plot.width) for share in (0.03, 0.11, 0.31, 0.5, 0.63, 0.77, 0.95)):
                with self.subTest(names=names, x=x):
                    wanted, found = (split(lines) for lines in self.tooltips(picture, x, plot.clear))
                    self.assertAlmostEqual(found[0], wanted[0], delta=pixel)
                    self.assertEqual(*([re.sub(r" at [\d.]+ s$", " at", line) for line in one[1]] for one in (found, wanted)))
                    self.assertLessEqual(len(found[2] ^ wanted[2]), 1)
                    ranges += any(" \u2013 " in line for line in found[1])
                    others += any(re.search(r"MiB at [\d.]+ s$", line) for line in found[1])
        self.assertGreater(ranges, 0)
        self.assertGreater(others, 0)

    def test_brackets_and_their_labels(self):
        """A label says what its bracket does, as its <title> without scripts; a pointer need not meet a thin line."""
        names = "return [...document.querySelectorAll('.bracket-name')].map(node => { const box = node.getBoundingClientRect();" \
            "return [box.x + box.width / 2, box.y + box.height / 2].map(Math.round) })"
        spine = re.compile(r'<path class="bracket[^"]*" d="M([\d.]+) ([\d.]+)l(-?[\d.]+) 0 0 (\d+) ')
        for paths in (["nested"], ["article-flask-profile"], ["article-flask-plain", "article-flask-profile"]):
            paths = [FIXTURES / "dat" / f"{name}.dat" for name in paths]
            picture, _ = mprof.plot(*paths), self.show(*paths)
            svg = (self.directory / "picture.svg").read_text()
            titles = re.findall(r'<text class="bracket-name[^>]*>[^<]*<title>([^<]*)</title></text>', svg)
            labels, brackets = self.browser.run(names), [tuple(map(float, found)) for found in spine.findall(svg)]
            self.assertEqual(len(titles), len(labels))
            self.assertGreater(len(labels), 0)
            for (x, y), title in zip(labels, titles):
                with self.subTest(paths=[path.name for path in paths], label=(x, y)):
                    wanted, found = self.tooltips(picture, x, y)
                    self.assertEqual(found[:2], wanted[:2])
                    self.assertEqual(": ".join(found[:2]), title.split(" \u00b7 ")[0])
            self.assertGreater(len(brackets), 4)
            for tip, upper, arm, tall in brackets[:8]:
                for dx in (-5, -2, 0, 2, 5):
                    x, y = round(tip + arm) + dx, round(upper + tall / 2)
                    with self.subTest(paths=[path.name for path in paths], bracket=(x, y), dx=dx):
                        wanted, found = ([line for line in lines if "\u2192" in line] for lines in self.tooltips(picture, x, y))
                        self.assertEqual(found, wanted)
                        self.assertTrue(found or abs(dx) > 2)


if __name__ == "__main__":
    unittest.main()
