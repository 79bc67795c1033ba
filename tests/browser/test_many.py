"""Pictures of many in a browser: tooltips, search and keys of small multiples, rows of colours, and bands."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser_case import BrowserCase  # noqa: E402

COUNT = 60


def job():
    """60 processes: each rises to 10, 20, 30 ... MiB in ten seconds; number 5 ends early, by the kernel."""
    lines = ["CMDLINE ./solver", "FACT pid 1", "FACT include-children no", "PROC 1 0 1000.0 launcher"]
    for tick in range(101):
        at = f"{1000 + tick / 10:.1f}"
        lines.append(f"MEM 1.0 {at}")
        lines += [f"CHLD {100 + i} {10 * i * tick / 100:.3f} {at}" for i in range(1, COUNT) if i != 5 or tick <= 50]
    lines += [f"PROC {100 + i} 1 1000.0 rank_{i:02d}" for i in range(1, COUNT)] + ["EXIT 105 1005.0 oom 9"]
    return "\n".join(lines) + "\n"


def mib(text):
    return float(re.search(r"([\d.]+) MiB", text)[1])


class Many(BrowserCase):
    def members(self):
        return self.browser.run("return JSON.parse(document.querySelector('svg > metadata').textContent).members.rows")

    def place(self, name):
        """x, y, width, height of a panel."""
        name, *_, y, height, x, width = next(row for row in self.members() if row[0].startswith(name))
        return x, y, width, height

    def test_small_multiples(self):
        self.show("--small-multiples", self.write("job.dat", job()))
        x, y, width, height = self.place("rank_40")
        self.browser.move(x + width / 2, y + height / 2)
        head, value, peak, ran = self.state()["tooltip"]
        self.assertEqual(head, "rank_40")
        self.assertTrue(value.startswith("5.0") and 190 < mib(value) < 210, value)
        self.assertEqual(peak, "peak 400.0 MiB at 10.0 s")
        self.assertTrue(ran.startswith("ran from 0 s to 10.0 s"), ran)
        x, y, width, height = self.place("rank_05")
        self.browser.move(x + width * 0.8, y + height / 2)
        self.assertIn("not running", self.state()["tooltip"][1])
        self.assertIn("killed: out of memory", self.state()["tooltip"][2])

    def test_search_and_keys(self):
        self.show("--small-multiples", self.write("job.dat", job()))
        self.browser.press("/")
        self.browser.type("rank_1")
        self.assertEqual(self.state()["status"], "10 processes")
        dim = "return getComputedStyle(document.querySelectorAll('.member-field')[%d]).opacity"
        rows = [row[0] for row in self.members()]
        self.assertEqual(self.browser.run(dim % rows.index("rank_15")), "1")
        self.assertEqual(self.browser.run(dim % rows.index("rank_25")), "0.18")
        self.browser.press("Enter")
        self.assertEqual(self.state()["focus"], "rank_19: peak 190.0 MiB at 10.0 s")
        self.browser.press("Escape")
        self.assertEqual(self.state()["hits"], 0)
        self.browser.press("Tab", "ArrowRight", "ArrowRight")
        names = [row[0] for row in self.members()]
        self.assertTrue(self.state()["focus"].startswith(self.state()["tooltip"][0]), self.state())
        before = names.index(self.state()["tooltip"][0])
        self.browser.press("ArrowDown")
        self.assertEqual(names.index(self.state()["tooltip"][0]) - before, 10)

    def test_heat(self):
        self.show("--heat", self.write("job.dat", job()))
        left, _, width, _ = self.browser.run("return JSON.parse(document.querySelector('svg > metadata').textContent).plot")
        rows = {row[0]: row[6:8] for row in self.members()}
        y, height = rows["rank_40"]
        self.browser.move(left + width / 2, y + height / 2)
        head, value, peak, _ = self.state()["tooltip"]
        self.assertEqual((head, peak), ("rank_40", "peak 400.0 MiB at 10.0 s"))
        self.assertTrue("\u2248" in value and 190 < mib(value) < 210, value)
        y, height = rows["rank_05"]
        self.browser.move(left + width * 0.8, y + height / 2)
        self.assertIn("not running", self.state()["tooltip"][1])
        labels = self.browser.run("return [...document.querySelectorAll('.heat image')].map(node => node.getAttribute('aria-label'))")
        self.assertEqual(labels[0], "3 processes, the highest peak first: 590.0 MiB to 570.0 MiB")
        self.assertIn("57 processes, the highest peak first: 560.0 MiB to 1.0 MiB", labels)
        self.browser.press("Escape", "ArrowDown", "ArrowDown")
        self.assertEqual(self.state()["tooltip"][0], "rank_58")
        self.assertIn("rank_58", self.state()["status"])
        self.browser.press("/")
        self.browser.type("rank_1")
        self.assertEqual(self.state()["status"], "10 processes")
        self.assertEqual(self.browser.run("return document.querySelectorAll('.part.range').length"), 10)

    def test_readers_who_prefer_dark(self):
        self.show("--heat", self.write("job.dat", job()))
        shown = "return [...document.querySelectorAll('image')].map(node => getComputedStyle(node).display !== 'none')"
        self.assertEqual(self.browser.run(shown), [True, False] * 3)
        self.browser.prefer("dark")
        self.assertEqual(self.browser.run(shown), [False, True] * 3)

    def test_band(self):
        plot = self.show("--band", self.write("job.dat", job()))
        self.browser.move(plot.x(5), plot.middle)
        lines = self.state()["tooltip"]
        self.assertAlmostEqual(float(lines[0].split()[0]), 5, delta=0.02)
        values = {line.split("  ")[0]: mib(line) for line in lines[1:] if "  " in line}
        self.assertAlmostEqual(values["rank_59"], 295, delta=2)
        self.assertAlmostEqual(values["mean"], sum(5 * i for i in range(1, COUNT)) / COUNT, delta=3)
        self.assertAlmostEqual(values["lowest"], 1, delta=1)
        self.assertAlmostEqual(values["highest"], 295, delta=2)
        before = self.browser.run("return document.querySelector('.band').getAttribute('d')")
        self.zoom(plot.x(4), plot.middle, plot.x(6), plot.middle)
        self.assertTrue(self.state()["zoomed"])
        self.assertNotEqual(self.browser.run("return document.querySelector('.band').getAttribute('d')"), before)
        self.browser.move(plot.x(5), plot.middle)
        self.assertTrue(any(line.startswith("mean  ") for line in self.state()["tooltip"]))
        self.browser.press("Escape")
        self.assertEqual(self.browser.run("return document.querySelector('.band').getAttribute('d')"), before)


if __name__ == "__main__":
    unittest.main()
