"""The picture of a tree of calls in a browser: zoom into a call, tooltip, search with shares, keys, address."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser_case import BrowserCase  # noqa: E402
from firefox import Firefox  # noqa: E402
from mprof_test import FIXTURES  # noqa: E402

NESTED = FIXTURES / "dat" / "nested.dat"

BOXES = """
return [...document.querySelectorAll('.tree > rect[aria-label]')].filter(node => node.getClientRects().length).map(node => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return { label: node.getAttribute('aria-label'), role: node.classList[0], hit: node.classList.contains('hit'), x, y, width, height };
});
"""


class Tree:
    def show(self, *arguments):
        path = self.draw("--tree", *arguments)
        self.browser.open(path)
        self.assertTrue(self.state()["interactive"])

    def tree(self):
        return self.browser.run(BOXES)

    def named(self, name, role=None):
        found = [box for box in self.tree() if box["label"].split(" \u00b7 ")[0] == name
                 and (role is None or box["role"] == role)]
        self.assertTrue(found, f"no box of {name}")
        return max(found, key=lambda box: box["width"])

    def click_on(self, box):
        self.browser.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def move_to(self, box):
        self.browser.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def test_tooltip_has_the_numbers_of_the_table(self):
        self.show(NESTED)
        done = self.run_mprof("functions", "--json", NESTED)
        leaf = next(path for path in json.loads(done.stdout)["recordings"][0]["paths"]
                    if path["function"] == "__main__.branch")
        self.move_to(self.named("__main__.branch", "box"))
        tip = self.state()["tooltip"]
        self.assertEqual(tip[0], "__main__.branch")
        self.assertIn(f"grew +{leaf['total']['growth_bytes'] / 1048576:.1f} MiB", tip[1])
        self.assertIn(f"own {leaf['own']['growth_bytes'] / 1048576:.1f} MiB", tip[1])
        self.assertIn(f"released \u2212{leaf['total']['release_bytes'] / 1048576:.1f} MiB", tip[2])
        self.assertTrue(any(line.startswith("in fit \u203a fit") for line in tip), tip)

    def test_a_click_shows_a_call_in_the_whole_width(self):
        self.show(NESTED)
        before = self.tree()
        whole = self.named("all", "box-all")
        self.click_on(self.named("__main__.branch", "box"))
        state = self.state()
        self.assertIn("reset Esc", state["buttons"])
        branch = [box for box in self.tree() if box["label"].startswith("__main__.branch")]
        released = sum(box["width"] for box in branch)
        left = min(box["x"] for box in before)
        right = max(box["x"] + box["width"] for box in before)
        self.assertAlmostEqual(released, right - left, delta=3)
        self.assertIn("leaf \u00b7 +61.0 MiB", state["captions"])
        around = self.named("__main__.fit")
        self.assertAlmostEqual(around["width"], right - left, delta=2)
        self.assertGreater(around["y"], whole["y"])
        self.click_on(around)  # a caller: back to it
        self.assertTrue(any(text.startswith("fit \u00b7") for text in self.state()["captions"]))
        self.browser.press("Escape")
        self.assertEqual(self.tree(), before)
        self.assertNotIn("reset Esc", self.state()["buttons"])

    def test_search_marks_calls_and_has_their_share(self):
        self.show(NESTED)
        self.browser.press("/")
        self.browser.type("leaf")
        state = self.state()
        self.assertIn("31.1 % of the growth", state["status"])
        self.assertIn("30 calls", state["status"])
        self.assertTrue(all(box["hit"] == box["label"].startswith("__main__.leaf") for box in self.tree()))
        self.browser.press("Escape")
        self.assertFalse(any(box["hit"] for box in self.tree()))

    def test_keys(self):
        self.show(NESTED)
        self.browser.run("document.querySelector('.tree > rect[tabindex=\"0\"]').focus()")
        self.assertTrue(self.state()["focus"].startswith("all"))
        self.browser.press("ArrowDown")
        self.assertTrue(self.state()["focus"].startswith("__main__.fit"))
        self.assertEqual(self.state()["tooltip"][0], "__main__.fit")
        self.browser.press("ArrowDown", "ArrowDown", "ArrowDown")
        self.assertTrue(self.state()["focus"].startswith("__main__.branch"))
        self.browser.press("Enter")
        self.assertIn("reset Esc", self.state()["buttons"])
        self.assertTrue(self.state()["focus"].startswith("__main__.branch"))
        self.browser.press("ArrowUp")
        self.assertTrue(self.state()["focus"].startswith("__main__.fit"))
        self.browser.press("Escape")
        self.assertNotIn("reset Esc", self.state()["buttons"])

    def test_the_address_names_the_call(self):
        self.show(NESTED)
        self.browser.run("location.hash = 't=2'")
        self.browser.settle()
        self.assertIn("reset Esc", self.state()["buttons"])
        zoomed = self.tree()
        self.browser.run("location.hash = 't=99999'")  # no such call: everything
        self.browser.settle()
        self.assertNotEqual(self.tree(), zoomed)
        self.assertEqual(self.named("all")["role"], "box-all")

    def test_by_time_there_is_one_side(self):
        self.show("--by", "time", NESTED)
        self.assertFalse(any(box["role"] == "box-release" for box in self.tree()))
        self.browser.press("/")
        self.browser.type("leaf")
        self.assertIn("of the time", self.state()["status"])

    def test_the_strip_of_memory_zooms_by_itself(self):
        self.show(NESTED)
        before = self.tree()
        plot = self.browser.run("return JSON.parse(document.querySelector('svg > metadata').textContent).plot")
        self.zoom(plot[0] + 200, plot[1] + 20, plot[0] + 500, plot[1] + 20)
        self.assertTrue(self.state()["zoomed"])
        self.assertEqual(self.tree(), before)


SAMPLED = "CMDLINE x\n" + "".join(f"MEM {10 + (i % 50)} {1000 + i / 10:.1f}\n" for i in range(101)) + (
    "FUNC m.load 10 1002 10 1004 0 sampled=0.05\nFUNC m.save 10 1004.1 10 1004.9 0 sampled=0.05\n")

WINGS = """
return [...document.querySelectorAll('.box-wing')].filter(node => node.getClientRects().length).map(node => node.getBoundingClientRect().width);
"""


class Sampled:
    """Calls of sampled stacks in a flame chart."""

    def test_edges_follow_the_zoom(self):
        plot = self.show("--flame", self.write("sampled.dat", SAMPLED))
        per_s = plot.width / 10
        drawn = self.browser.run(WINGS)
        self.assertEqual(len(drawn), 4)
        for width in drawn:
            self.assertAlmostEqual(width, 0.1 * per_s + 2, delta=1.5)
        self.zoom(plot.x(1.5), plot.middle, plot.x(5.5), plot.middle)
        zoomed = self.browser.run(WINGS)
        self.assertEqual(len(zoomed), 4)
        for width in zoomed:
            self.assertAlmostEqual(width, 0.1 * per_s * 2.5 + 2, delta=1.5)
        self.assertTrue(any("2.0 s \u00b10.1" in text for text in self.state()["captions"]), self.state()["captions"])
        self.browser.press("Escape")
        self.assertEqual(self.browser.run(WINGS), drawn)

    def test_ticks_stay_at_the_peak(self):
        plot = self.show("--flame", self.write("sampled.dat", SAMPLED))
        where = "return [...document.querySelectorAll('.peak-tick')].map(node => { const { x, width } = node.getBoundingClientRect(); return x + width / 2; });"
        at, = self.browser.run(where)
        self.assertAlmostEqual(at, plot.x(4.9), delta=4)
        self.zoom(plot.x(4), plot.middle, plot.x(6), plot.middle)
        at, = self.browser.run(where)
        self.assertAlmostEqual(at, plot.left + plot.width * 0.45, delta=4)


    def test_captions_are_beside_the_ticks(self):
        """Or below one that is short, where only the whole box has room for the name."""
        crossings = """
            const boxes = name => [...document.querySelectorAll(name)].filter(node => node.getClientRects().length).map(node => node.getBoundingClientRect());
            const ticks = boxes('.peak-tick'), names = boxes('.box-name');
            const isCrossed = (name, tick) => name.left < tick.right && tick.left < name.right && name.top + 3 < tick.bottom && tick.top < name.bottom - 3;
            return [ticks.length, names.length, ticks.filter(tick => tick.height < 8).length,
                    names.filter(name => ticks.some(tick => isCrossed(name, tick))).length];"""
        long_name = "CMDLINE x\n" + "".join(f"MEM {50 - 2 * abs(i - 20)} {1000 + i}\n" for i in range(41)) + \
            "FUNC m.a_name_that_needs_the_box 10 1015 10 1025 0\n"
        short = 0
        for path in (FIXTURES / "dat" / "nested.dat", self.write("name.dat", long_name)):
            for size in ("1260x540", "800x500", "640x400"):
                plot = self.show("--flame", "--size", size, path)
                middle = plot.x(plot.from_s + (plot.to_s - plot.from_s) * (0.15 if path.name == "nested.dat" else 0.5))
                for zoomed in (0, 40, 120):
                    with self.subTest(path=path.name, size=size, zoomed=zoomed):
                        if zoomed:
                            self.zoom(max(plot.left, middle - zoomed), plot.middle, middle + zoomed, plot.middle)
                        ticks, names, are_short, crossed = self.browser.run(crossings)
                        self.assertGreater(ticks, 0)
                        self.assertGreater(names, 0)
                        self.assertEqual(crossed, 0)
                        short += are_short
                        self.browser.press("Escape")
        self.assertGreater(short, 0)


class InChromium(Tree, BrowserCase):
    pass


class SampledInChromium(Sampled, BrowserCase):
    pass


class SampledInFirefox(Sampled, BrowserCase):
    browser_class = Firefox


class InFirefox(Tree, BrowserCase):
    browser_class = Firefox


if __name__ == "__main__":
    unittest.main()
