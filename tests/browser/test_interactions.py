"""What readers do with a saved SVG, the same in Chromium and in Firefox: statistics of a range, hidden functions and
processes, pinned tooltips, links, copies, mouse wheel and touch. Numbers are compared with the recording, and with
`mprof plot -w` of the same window."""

import csv
import io
import pathlib
import re
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from browser_case import BrowserCase, Plot  # noqa: E402
from firefox import Firefox  # noqa: E402
from mprof_test import FIXTURES, Recording, own_line  # noqa: E402
from test_svg import HOSTILE, crowd, many_processes, service, tree  # noqa: E402

NESTED = FIXTURES / "dat" / "nested.dat"
CHILDREN = FIXTURES / "dat" / "article-gunicorn-CM.dat"
SVG = "{http://www.w3.org/2000/svg}"

# The tables of the legend that is shown: {name: [[name of the row, {head: cell}], ...]}.
LEGEND = """
const shown = [...document.querySelectorAll('svg > g.legend')].find(node => node.childNodes.length && getComputedStyle(node).display !== 'none');
const tables = {};
let heads = null, rows = null;
for (const node of shown ? shown.children : []) {
    const role = node.classList[0], x = +node.getAttribute('x');
    if (role === 'legend-head' && !node.hasAttribute('text-anchor')) { heads = {}; rows = tables[node.textContent] = tables[node.textContent] || []; }
    else if (role === 'legend-head') heads[x] = node.textContent;
    else if (role === 'legend-name') rows.push([node.textContent, {}]);
    else if (role === 'legend-cell') rows[rows.length - 1][1][heads[x]] = node.textContent;
}
return tables;
"""

# Text that the picture copies, and the files that it saves.
INTERCEPT = """
window.copied = []; window.saved = [];
Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: text => { copied.push(text); return Promise.resolve(); } } });
URL.createObjectURL = blob => { blob.text().then(text => saved.push(text)); return 'data:,'; };
HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; };
"""


def legend_of(path):
    """The same of a picture that `mprof plot` drew."""
    tables, heads, rows = {}, {}, []
    group = next((node for node in ElementTree.parse(path).getroot() if node.get("class") == "legend"), [])
    for node in group:
        role, x = (node.get("class") or "").split(" ")[0], node.get("x")
        if role == "legend-head" and node.get("text-anchor") is None:
            heads, rows = {}, tables.setdefault(node.text, [])
        elif role == "legend-head":
            heads[float(x)] = node.text
        elif role == "legend-name":
            rows.append([node.text, {}])
        elif role == "legend-cell" and node.text:
            rows[-1][1][heads[float(x)]] = node.text
    return tables


class InBothBrowsers:
    def legend(self):
        return self.browser.run(LEGEND)

    def toggle(self, name, times=1, key=None):
        """Clicks on the colour of a row of the legend."""
        place = self.browser.run("""
            const node = [...document.querySelectorAll('.toggle')].filter(one => one.getClientRects().length)
                .find(one => one.getAttribute('aria-label') === 'Show ' + arguments[0]);
            const { x, y, width, height } = node.getBoundingClientRect(); return [x + width / 2, y + height / 2];""", name)
        self.browser.click(*place, times=times)

    def shown(self, selector):
        return self.browser.run("""
            return [...document.querySelectorAll(arguments[0])].filter(node => node.getClientRects().length
                && getComputedStyle(node).display !== 'none').map(node => node.getAttribute('aria-label') || node.textContent);""", selector)

    def hash(self, expected=None):
        """The address, after the picture had time to write it."""
        for _ in range(40):
            found = self.browser.run("return decodeURIComponent(location.hash)")
            if expected is None or re.search(expected, found):
                break
            time.sleep(0.05)
        return found

    def intercept(self):
        self.browser.run(INTERCEPT)

    # ---- ranges ----

    def test_a_dragged_range_has_its_statistics(self):
        recording, plot = Recording(CHILDREN), self.show(CHILDREN)
        start = recording.mem[0][1]
        begin, end = 2.0, 3.6
        self.browser.drag(plot.x(begin), plot.middle, plot.x(end), plot.middle)
        lines = self.shown(".selection .tip")
        low, high = map(float, re.match(r"([\d.]+) s – ([\d.]+) s", lines[0]).groups())
        self.assertAlmostEqual(low, begin, delta=0.01)
        within = [mib for mib, moment in recording.mem if low <= moment - start <= high]
        self.assertTrue(any(line.startswith(f"peak  {max(within):.1f} MiB at ") for line in lines), lines)
        self.assertIn(f"mean  {sum(within) / len(within):.1f} MiB", lines)
        self.assertIn(f"lowest  {min(within):.1f} MiB", lines)
        change = [line for line in lines if line.startswith("change")][0]
        self.assertRegex(change, r"\Achange  \+[\d.]+ MiB  \([\d.]+ MiB → [\d.]+ MiB\)\Z")
        self.assertFalse(self.state()["zoomed"])
        self.assertIn("process, selection", self.legend())
        self.assertEqual(self.browser.run("return document.querySelectorAll('.selection .range').length"), 1)
        self.browser.press("Enter")
        self.assertTrue(self.state()["zoomed"])
        self.assertEqual(self.shown(".selection .tip"), [])
        self.browser.press("Escape")
        self.assertFalse(self.state()["zoomed"])

    def test_a_range_of_several_curves_names_each(self):
        alone = self.write("alone.dat", many_processes(3, 60, False))
        for paths, wanted in (([NESTED, CHILDREN], ["nested.dat  peak  128.2 MiB", "article-gunicorn-CM.dat  peak  268.8 MiB"]),
                              ([alone], ["main process  peak  ", "all processes  peak  "])):
            self.show(*paths)
            self.browser.run("location.hash = 's=1,3'")
            self.browser.settle()
            lines = self.shown(".selection .tip")
            for line in wanted:
                with self.subTest(line=line):
                    self.assertTrue([one for one in lines if one.startswith(line)], lines)

    def merged(self):
        """Six ranks on two hosts that end between each other's samples, each third with a child that ends before."""
        for i in range(6):
            lines = ["CMDLINE sim"]
            for n in range(100 - 7 * i):
                at = f"{1000 + 0.0132 * i + n / 10:.4f}"
                lines.append(f"MEM {50 + 10 * i + n % 7 + (20 if i % 3 == 0 and 5 <= n < 40 else 0)}.5 {at}")
                if n == 0:
                    lines += [own_line("FACT", "host", f"node{i // 3}").strip(), own_line("FACT", "rank", i).strip(),
                              own_line("FACT", "pid", 77).strip(), own_line("FACT", "interval", 0.1).strip(),
                              own_line("FACT", "include-children", "yes").strip(),
                              own_line("PROC", 77, 1, at, "python3").strip()]
                if i % 3 == 0 and 5 <= n < 40:
                    lines.append(f"CHLD 78 20.25 {at}")
            self.write(f"rank{i}.dat", "\n".join(lines) + "\n")
        job = self.directory / "job.dat"
        self.run_mprof("merge", *(self.directory / f"rank{i}.dat" for i in range(6)), "-o", job)
        return job

    def test_the_legend_of_a_part_is_that_of_a_picture_of_that_window(self):
        job = self.merged()
        cases = ((NESTED, [], ("0.21,0.93", "0.6004,0.8")), (NESTED, ["-f"], ("0.452,1.337",)),
                 (CHILDREN, [], ("0.2,0.9", "2.71,6.03")),
                 (FIXTURES / "dat" / "own" / "format-2.dat", [], ("0.0271,0.2367", "0.11,0.53")),
                 (self.write("tree.dat", tree()), ["--memory", "pss"], ("12.3,77.7",)),
                 (self.write("service.dat", service()), [], ("1.534,3.534", "0.33,8.21")),
                 (self.write("few.dat", many_processes(5, 300, True)), [], ("4.21,11.57", "20.03,20.61")),
                 (self.write("alone.dat", many_processes(5, 300, False)), [], ("4.21,11.57",)),
                 (self.write("many.dat", many_processes(30, 300, True)), [], ("5.85,29.77", "8.2,23.15")),
                 (self.write("others.dat", many_processes(30, 300, False)), ["--group", "command"], ("5.85,29.77",)),
                 (job, ["--stack"], ("3.517,7.241",)), (job, ["--group", "rank"], ("2.53,8.2",)),
                 (job, ["--stack", "--group", "host"], ("2.53,7.241",)), (job, ["--group", "command"], ("6.9,9.3",)))
        for path, options, windows in cases:
            self.show(*options, path)
            for window in windows:
                other = legend_of(self.draw(*options, "-w", window, path, name="window.svg"))
                self.browser.run("location.hash = 'w=' + arguments[0]", window)
                self.browser.settle()
                legend = self.legend()
                with self.subTest(path=path.name, options=options, window=window):
                    self.assertTrue(other)
                    for name, rows in other.items():
                        if name != "memory":  # kinds are of the whole time, and it says so
                            self.assertEqual(legend[name], rows)
                    self.browser.run("location.hash = 's=' + arguments[0]", window)
                    self.browser.settle()
                    selected = self.legend()
                    for name, rows in other.items():
                        if name != "memory":
                            self.assertEqual(selected[name + ", selection"], rows)

    def test_sums_of_a_crowd_are_marked_as_estimates(self):
        """Of more calls than the file gives one by one."""
        lines = ["CMDLINE many"] + [f"MEM {100 + i % 50} {1000 + i}" for i in range(101)]
        lines += [f"FUNC m.f{i % 7} 100 {1000 + i * 0.0024:.4f} 101 {1000 + i * 0.0024 + 0.002:.4f} 0" for i in range(40_000)]
        path = self.write("crowd.dat", "\n".join(lines) + "\n")
        self.show(path)
        self.browser.run("location.hash = 'w=20,60'")
        self.browser.settle()
        other = dict(legend_of(self.draw("-w", "20,60", path, name="window.svg"))["function"])
        rows = dict(self.legend()["function"])
        self.assertEqual(set(rows), set(other))
        for name, cells in rows.items():
            self.assertTrue(cells["calls"].startswith("≈ "), cells)
            found, exact = (int(text.replace("≈ ", "").replace(",", "")) for text in (cells["calls"], other[name]["calls"]))
            self.assertAlmostEqual(found, exact, delta=0.02 * exact)

    def test_merged_calls_are_drawn_one_by_one_where_they_have_room(self):
        """Boxes of several calls, and crowds of a flame chart, as `mprof plot -w` draws them."""
        few = ["CMDLINE few"] + [f"MEM {100 + i % 30} {1000 + i / 10:.1f}" for i in range(1001)]
        few += [f"FUNC app.burst{j} 50 {1005 + k * 7.5 + j * 0.012:.4f} 51 {1005.01 + k * 7.5 + j * 0.012:.4f} 0"
                for k in range(12) for j in range(3)]
        dense = ["CMDLINE dense"] + [f"MEM {100 + i % 30} {1000 + i / 10:.1f}" for i in range(1001)]
        for k in range(1500):
            begin = 1001 + k * 0.064
            dense.append(f"FUNC app.outer 50 {begin:.4f} 52 {begin + 0.06:.4f} 0")
            dense += [f"FUNC app.f{(k + j) % 3} 50 {begin + 0.002 + j * 0.014:.4f} 51 {begin + 0.012 + j * 0.014:.4f} 1" for j in range(4)]
        places = """return [...document.querySelectorAll('.box, .rug')].filter(node => node.getClientRects().length).map(node => {
            const { x, y, width, height } = node.getBBox(); return [node.getAttribute('aria-label').split(' at ')[0], x, y, width, height];
        }).filter(([, x, , width]) => width > 3).sort((a, b) => a[2] - b[2] || a[1] - b[1]);"""
        for name, lines, options, window in (("few", few, [], "12.48,12.6"), ("dense", dense, ["-f"], "50.1,51.1")):
            path = self.write(f"{name}.dat", "\n".join(lines) + "\n")
            self.show(*options, "-w", window, path)
            drawn = self.browser.run(places)
            self.show(*options, path)
            self.assertNotEqual(len(self.browser.run(places)), len(drawn))
            self.zoom_by_hash(window)
            zoomed = self.browser.run(places)
            with self.subTest(name=name):
                self.assertGreater(len(drawn), 2)
                self.assertEqual([one[0] for one in zoomed], [one[0] for one in drawn])
                for here, there in zip(zoomed, drawn):
                    self.assertAlmostEqual(here[1], there[1], delta=2)
                    self.assertAlmostEqual(here[3], there[3], delta=2)
            x, y, width, height = next(one[1:] for one in zoomed)
            self.browser.move(x + width / 2, y + height / 2)
            self.assertTrue(zoomed[0][0].startswith(self.state()["tooltip"][0]))
            self.browser.press("Escape")
            self.assertEqual(self.browser.run("return document.querySelectorAll('.details > *').length"), 0)

    def test_a_drag_in_a_part_moves_along_the_time_and_selects_with_shift(self):
        plot = self.show(NESTED)
        self.browser.run("location.hash = 'w=0.5,0.9'")
        self.browser.settle()
        self.browser.drag(plot.left + 600, plot.middle, plot.left + 310, plot.middle)
        self.assertEqual(self.shown(".selection .tip"), [])
        begin, end = map(float, re.search(r"w=([\d.]+),([\d.]+)", self.hash("w=0.6")).groups())
        self.assertAlmostEqual(begin, 0.6, delta=0.002)
        self.assertAlmostEqual(end - begin, 0.4, delta=0.002)
        self.browser.drag_with("Shift", plot.left + 200, plot.middle, plot.left + 400, plot.middle)
        self.assertTrue(self.shown(".selection .tip"))
        axis = plot.top + plot.height + 40
        self.browser.press("Escape")
        self.browser.drag(plot.left + 200, axis, plot.left + 400, axis)
        self.assertTrue(self.shown(".selection .tip"), "the time axis selects, too")
        self.browser.press("Escape", "Escape")
        self.assertFalse(self.state()["zoomed"])

    def test_a_press_in_the_frame_of_a_move_begins_a_drag(self):
        """The move before the press is drawn after it."""
        self.show(NESTED)
        self.browser.run("""
            const send = (name, x, buttons) => document.documentElement.dispatchEvent(new PointerEvent(name,
                { clientX: x, clientY: 200, buttons, pointerId: 1, pointerType: 'mouse', bubbles: true }));
            send('pointermove', 300, 0);
            send('pointerdown', 300, 1);
            requestAnimationFrame(() => requestAnimationFrame(() => { send('pointermove', 500, 1); send('pointerup', 500, 0); }));""")
        self.browser.settle()
        self.browser.settle()
        self.assertTrue(self.shown(".selection .tip"))

    # ---- hide and solo ----

    def test_functions_are_hidden_by_their_colour_in_the_legend(self):
        plot = self.show("-f", NESTED)
        self.assertTrue(any("leaf" in label for label in self.shown(".box")))
        self.toggle("leaf")
        self.assertFalse(any("leaf" in label for label in self.shown(".box")))
        self.assertTrue(any("branch" in label for label in self.shown(".box")))
        self.browser.move(plot.x(0.15), plot.clear)
        self.assertFalse([line for line in self.state()["tooltip"] if line.startswith("leaf")])
        self.zoom(plot.x(0.4), plot.middle, plot.x(0.8), plot.middle)
        self.assertFalse(any("leaf" in label for label in self.shown(".box")))
        self.toggle("leaf")
        self.assertTrue(any("leaf" in label for label in self.shown(".box")))
        self.toggle("branch", times=2)
        self.assertEqual({re.sub(r".*\.(\w+):.*", r"\1", label) for label in self.shown(".box")}, {"branch"})
        self.browser.press("Escape")
        self.assertEqual(len({re.sub(r".*\.(\w+):.*", r"\1", label) for label in self.shown(".box")}), 4)
        self.assertEqual(self.browser.run("return document.querySelectorAll('.off, .hidden-item').length"), 0)

    def test_processes_are_hidden_and_shown_alone(self):
        plot = self.show(CHILDREN)
        first, second = [row[0] for row in self.legend()["process"]][1:3]
        self.toggle(first)
        self.assertEqual(self.shown(".curves > .child"), [second])
        self.browser.move(plot.x(4), plot.clear)
        tooltip = "\n".join(self.state()["tooltip"])
        self.assertNotIn(first, tooltip)
        self.assertIn(second, tooltip)
        time.sleep(0.5)  # else it is a double click
        self.toggle(first)
        self.assertEqual(sorted(self.shown(".curves > .child")), sorted([first, second]))
        ticks = self.state()["ticks"]
        self.toggle(second, times=2)
        self.assertEqual(self.shown(".curves > .child"), [second])
        self.assertEqual(self.shown(".curves > .curve"), [], "the sum of all is not what is left")
        self.assertNotEqual(self.state()["ticks"], ticks, "the memory axis is that of the process")
        self.browser.press("Escape")
        self.assertEqual(self.state()["ticks"], ticks)

    def test_rows_of_the_legend_by_keys(self):
        self.show("-f", NESTED)
        self.browser.run("document.querySelector('.legend .toggle').focus()")
        self.browser.press("ArrowDown", " ")
        label, checked = self.browser.run(
            "return ['aria-label', 'aria-checked'].map(name => document.activeElement.getAttribute(name))")
        self.assertEqual((label, checked), ("Show leaf", "false"))
        self.assertFalse(any("leaf" in one for one in self.shown(".box")))

    def test_search_finds_processes(self):
        self.show(CHILDREN)
        name = self.legend()["process"][1][0]
        self.browser.press("/")
        self.browser.type(name)
        self.assertEqual(self.state()["status"], "1 process")
        self.assertEqual(self.browser.run(
            "return [...document.querySelectorAll('.child.hit')].map(node => node.getAttribute('aria-label'))"), [name])
        self.show(self.write("service.dat", service()))
        self.browser.press("/")
        self.browser.type("12")
        self.assertEqual(self.state()["status"], "1 process")
        labels = self.browser.run("return [...document.querySelectorAll('.lane-bar.hit')].map(node => node.getAttribute('aria-label'))")
        self.assertTrue(labels and all("12" in label for label in labels), labels)

    # ---- pinned tooltips ----

    def test_pinned_tooltips_and_their_difference(self):
        recording, plot = Recording(CHILDREN), self.show(CHILDREN)
        start = recording.mem[0][1]
        places = [recording.mem[20], recording.mem[60]]
        for mib, moment in places:
            self.browser.click(plot.x(moment - start), plot.clear + 30)
        self.assertEqual(len(self.shown(".pin .panel")), 2)
        texts = self.shown(".pin .tip")
        for mib, _ in places:
            self.assertTrue(any(f"{mib:.1f} MiB" in text for text in texts), texts)
        difference = self.shown(".difference .tip")
        (before, early), (after, late) = places
        self.assertRegex(difference[0], rf"\A{late - early:.2f} s apart\Z")
        sign = "+" if after >= before else "−"
        self.assertIn(f"memory  {sign}{abs(after - before):.1f} MiB  ({before:.1f} MiB → {after:.1f} MiB)", difference)
        self.zoom_by_hash("0.5,7")
        self.assertEqual(len(self.shown(".pin .panel")), 2)
        self.browser.press("Escape")
        self.assertEqual(self.shown(".pin .panel"), [])

    def zoom_by_hash(self, window):
        self.browser.run("location.hash = 'w=' + arguments[0]", window)
        self.browser.settle()

    def test_a_long_tooltip_scrolls_when_it_is_pinned(self):
        plot = self.show("--group", "pid", self.write("many.dat", many_processes(40, 200, True)))
        self.browser.move(plot.x(10), plot.clear)
        self.assertTrue(any(re.match(r"\+ \d+ more", line) for line in self.state()["tooltip"]))
        self.browser.press("p")
        first = self.shown(".pin .tip")
        self.assertFalse([line for line in first if line.startswith("+ ")])
        seen = set(first)
        x, y = self.browser.run("""
            const { x, y, width, height } = document.querySelector('.pin .panel').getBoundingClientRect(); return [x + width / 2, y + height / 2];""")
        for _ in range(20):
            self.browser.wheel(x, y, 120)
            seen |= set(self.shown(".pin .tip"))
        self.assertFalse(self.state()["zoomed"], "the wheel scrolls the tooltip")
        self.assertNotEqual(self.shown(".pin .tip"), first)
        names = {re.match(r"worker (\d+)", line)[1] for line in seen if line.startswith("worker")}
        alive = self.browser.run("return JSON.parse(document.querySelector('metadata').textContent).tracks.length")
        self.assertGreater(len(names), 20)
        self.assertLessEqual(len(names), alive)

    # ---- links ----

    def test_a_link_shows_a_view_and_follows_it(self):
        path = self.draw("-f", NESTED)
        self.browser.open(path.as_uri() + "#w=0.4,0.9&f=leaf")
        state = self.state()
        self.assertTrue(state["zoomed"])
        self.assertIn("30 calls", state["status"])
        self.assertIn("-w 0.4,0.9 ", state["facts"][0])
        self.browser.press("+")
        self.assertRegex(self.hash(r"w=0\.525,0\.775"), r"\A#w=0\.525,0\.775&f=leaf\Z")
        self.browser.press("Escape", "Escape")
        self.assertEqual(self.hash(r"\A\Z"), "")
        self.browser.run("location.hash = 's=0.2,0.4'")
        self.browser.settle()
        self.assertTrue(self.shown(".selection .tip"))
        for odd in ("#w=4", "#w=9,4", "#w=a,b", "#f=%E0%A4%A", "#w=1e300,2e300", "#x=1&&=&w=", "#w=-5,-3"):
            self.browser.open("about:blank")
            self.browser.open(path.as_uri() + odd)
            self.assertFalse(self.state()["zoomed"], odd)

    def test_links_of_several_pictures_in_a_page(self):
        first = self.draw("-f", NESTED).read_text()
        second = self.draw(CHILDREN).read_text()
        second = second.replace("<svg ", "<svg id='children' ", 1)
        page = self.write("page.html", "<!doctype html><meta charset=utf-8><h1 id=top>page</h1>"
                          f"<div>{first}</div><div>{second}</div><div>{first}</div><p id=place>text")
        self.browser.open(page.as_uri() + "#children.w=2,4")
        zoomed = "return [...document.querySelectorAll('svg')].map(node => node.classList.contains('zoomed'))"
        self.assertEqual(self.browser.run(zoomed), [False, True, False])
        self.browser.run("document.querySelectorAll('svg')[0].focus()")
        self.browser.press("+")
        self.assertEqual(self.browser.run(zoomed), [True, True, False], "pictures of one recording have names of their own")
        ids = self.browser.run("return [...document.querySelectorAll('[id]')].map(node => node.id)")
        self.assertEqual(len(ids), len(set(ids)), ids)
        name = self.browser.run("return document.querySelectorAll('svg')[0].classList[1]")
        self.assertRegex(self.hash(re.escape(name)), rf"\A#children\.w=2,4&{name}\.w=[\d.,]+\Z")
        self.browser.open("about:blank")
        self.browser.open(page.as_uri() + "#place")
        self.browser.run("document.querySelectorAll('svg')[0].focus()")
        self.browser.press("+")
        self.assertEqual(self.browser.run(zoomed), [True, False, False])
        time.sleep(0.4)
        self.assertEqual(self.hash(), "#place", "a place of the page stays in the address")

    # ---- copies ----

    def test_samples_are_copied_as_csv(self):
        recording, plot = Recording(CHILDREN), self.show(CHILDREN)
        self.intercept()
        start = recording.mem[0][1]
        self.zoom(plot.x(2), plot.middle, plot.x(4), plot.middle)
        low, high = map(float, re.search(r"w=([\d.]+),([\d.]+)", self.hash("w=")).groups())
        self.browser.press("c")
        head, *rows = csv.reader(io.StringIO(self.browser.run("return copied[0]")))
        self.assertEqual(head[:2], ["seconds", "memory (MiB)"])
        within = [(moment - start, mib) for mib, moment in recording.mem if low < moment - start < high]
        self.assertEqual(len(rows), len(within))
        for row, (moment, mib) in zip(rows, within):
            self.assertAlmostEqual(float(row[0]), moment, delta=1e-4)
            self.assertAlmostEqual(float(row[1]), mib, delta=0.001)
        self.browser.press("C")
        head, *rows = csv.reader(io.StringIO(self.browser.run("return copied[1]")))
        self.assertEqual(head[0], "process")
        self.assertEqual([row[0] for row in rows], [row[0] for row in self.legend()["process"]])

    def test_the_view_is_saved_as_a_picture_of_its_own(self):
        for options, path in ((["-f"], NESTED), ([], CHILDREN), (["--theme", "dark"], NESTED), (["--stack"], CHILDREN)):
            plot = self.show(*options, path)
            self.intercept()
            self.zoom(plot.left + 200, plot.middle, plot.left + 500, plot.middle)
            shown, legend = self.state(), self.legend()
            self.browser.press("s")
            for _ in range(40):
                if self.browser.run("return saved.length"):
                    break
                time.sleep(0.05)
            self.assertRegex(self.browser.run("return savedAs"), r"\.svg\Z")
            saved = self.write("saved.svg", self.browser.run("return saved[0]"))
            root = ElementTree.parse(saved).getroot()
            self.assertEqual([node.tag for node in root.iter() if re.search("script|metadata|foreignObject", str(node.tag))], [])
            with self.subTest(options=options, path=path.name):
                self.browser.open(saved)
                state = self.state()
                for part in ("ticks", "facts", "captions", "names"):
                    self.assertEqual(state[part], shown[part])
                self.assertEqual(self.legend(), legend)
                self.assertEqual((state["interactive"], state["buttons"], state["tooltip"]), (False, [], []))
                done = subprocess.run(["rsvg-convert", saved, "-o", self.directory / "saved.png"], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_picture_fits_the_window(self):
        plot = self.show(NESTED)
        self.browser.press("w")
        width, window = self.browser.run("return [document.documentElement.getBoundingClientRect().width, innerWidth]")
        self.assertAlmostEqual(width, window, delta=20)
        scale = width / 1260
        self.browser.move(plot.x(0.6) * scale, plot.middle * scale)
        self.browser.press("w")
        self.assertEqual(self.browser.run("return document.documentElement.getBoundingClientRect().width"), 1260)

    def test_the_menu_names_the_keys(self):
        self.show(NESTED)
        self.browser.press("m")
        entries = self.browser.run("return [...document.querySelectorAll('.menu .entry')].map(node => node.getAttribute('aria-label'))")
        self.assertGreater(len(entries), 5)
        self.intercept()
        self.browser.run("[...document.querySelectorAll('.menu .entry')].find(node => /samples/.test(node.getAttribute('aria-label'))).focus()")
        self.browser.press("Enter")
        self.assertTrue(self.browser.run("return copied[0]").startswith("seconds,"))
        self.assertEqual(self.shown(".menu .entry"), [])

    # ---- wheel and touch ----

    def test_the_wheel_zooms_over_the_plot(self):
        plot = self.show(NESTED)
        self.browser.wheel(plot.x(0.6), plot.middle, 200)
        self.assertFalse(self.state()["zoomed"])
        for _ in range(3):
            self.browser.wheel(plot.x(0.6), plot.middle, -200)
        begin, end = map(float, re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0]).groups())
        self.assertLess(end - begin, 0.7)
        self.assertAlmostEqual((0.6 - begin) / (end - begin), (plot.x(0.6) - plot.left) / plot.width, delta=0.01)
        for _ in range(6):
            self.browser.wheel(plot.x(0.6), plot.middle, 300)
        self.assertFalse(self.state()["zoomed"])

    def test_a_page_scrolls_until_the_picture_is_clicked(self):
        text = self.draw(NESTED).read_text()
        page = self.write("page.html", f"<!doctype html><meta charset=utf-8><body style='margin:0;height:6000px'>{text}")
        self.browser.open(page)
        plot = Plot(self.browser)
        self.browser.wheel(plot.x(0.6), plot.middle, 100)
        self.assertFalse(self.state()["zoomed"])
        self.wait_for("return scrollY > 0")
        self.assertIn("Ctrl", self.state()["status"])
        self.browser.run("scrollTo(0, 0)")
        self.browser.settle()
        self.browser.wheel(plot.x(0.6), plot.middle, -100, "Control")
        self.assertTrue(self.state()["zoomed"])
        self.browser.run("document.activeElement.blur && document.activeElement.blur(); location.reload()")
        self.wait_for("return document.readyState === 'complete' && document.querySelector('svg.living') && !document.querySelector('svg.zoomed')")
        self.browser.click(plot.x(0.55), plot.clear + 10)
        self.browser.press("Escape")
        self.browser.wheel(plot.x(0.6), plot.middle, -100)
        self.assertTrue(self.state()["zoomed"])

    def wait_for(self, condition):
        for _ in range(60):
            if self.browser.run(condition):
                return
            time.sleep(0.05)
        self.fail(condition)

    def test_two_fingers_zoom_and_one_moves(self):
        plot = self.show(NESTED)
        x, y = plot.left + plot.width / 2, plot.middle
        self.browser.fingers([(x - 50, y), (x - 100, y), (x - 200, y)], [(x + 50, y), (x + 100, y), (x + 200, y)])
        begin, end = map(float, re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0]).groups())
        self.assertAlmostEqual(end - begin, (plot.to_s - plot.from_s) / 4, delta=0.02)
        self.assertAlmostEqual((begin + end) / 2, (plot.from_s + plot.to_s) / 2, delta=0.02)
        self.browser.fingers([(x, y), (x - 60, y), (x - 120, y)])
        moved, _ = map(float, re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0]).groups())
        self.assertAlmostEqual(moved - begin, 120 / plot.width * (end - begin), delta=0.01)

    def test_a_finger_selects_a_range_of_everything(self):
        plot = self.show(NESTED)
        self.browser.fingers([(plot.left + 200, plot.middle), (plot.left + 300, plot.middle), (plot.left + 400, plot.middle)])
        self.assertTrue(self.shown(".selection .tip"))

    # ---- names are data ----

    def test_hostile_names_stay_text(self):
        lines = ["CMDLINE " + HOSTILE[1], f"PROC 10 1 1000.0000 {HOSTILE[0]}", f"PROC 11 10 1000.0000 {HOSTILE[3]}"]
        lines += [f"MEM {10 + i % 7} {1000 + i}" for i in range(100)]
        lines += [f"CHLD 11 {5 + i % 3} {1000 + i}" for i in range(100)]
        lines += [f"FUNC m.{name} 10 {1001 + 4 * i} 20 {1004 + 4 * i} 0 pid=11 lane={HOSTILE[4]}" for i, name in enumerate(HOSTILE)]
        plot = self.show("-f", self.write("hostile.dat", "\n".join(lines) + "\n"))
        self.intercept()
        self.browser.drag(plot.left + 100, plot.middle, plot.left + 900, plot.middle)
        for row in self.shown(".toggle")[:6]:
            self.toggle(row.removeprefix("Show "))
        self.browser.click(plot.left + 300, plot.clear + 20)
        self.browser.click(plot.left + 600, plot.clear + 60)
        self.browser.press("c", "C", "s", "Enter")
        self.browser.press("/")
        self.browser.type(HOSTILE[0])
        self.hash("f=")
        self.browser.run("location.hash = 'f=' + encodeURIComponent(arguments[0]) + '&w=3,40'", HOSTILE[3])
        self.browser.settle()
        self.assertIsNone(self.browser.run("return window.hacked || null"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('svg script').length"), 1)
        unexpected = self.browser.run("""
            return [...document.querySelectorAll('svg *')].map(node => node.localName).filter(name =>
                !/^(svg|title|desc|style|rect|path|circle|text|tspan|g|metadata|script|foreignObject|input)$/.test(name));""")
        self.assertEqual(unexpected, [])
        saved = self.write("saved.svg", self.browser.run("return saved[saved.length - 1]"))
        self.browser.open(saved)
        self.assertIsNone(self.browser.run("return window.hacked || null"))


class InChromium(InBothBrowsers, BrowserCase):
    pass


class InFirefox(InBothBrowsers, BrowserCase):
    browser_class = Firefox


if __name__ == "__main__":
    unittest.main()
