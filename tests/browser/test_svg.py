"""The saved SVG in a real browser: tooltips, zoom, search and keys, compared with the recording. Also: the
file is inert where scripts do not run, and a name in a recording never becomes markup or script."""

import functools
import http.server
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from browser_case import BrowserCase, Plot  # noqa: E402
from mprof_test import FIXTURES, Recording  # noqa: E402
from picture import Picture  # noqa: E402

NESTED = FIXTURES / "dat" / "nested.dat"
CHILDREN = FIXTURES / "dat" / "article-gunicorn-CM.dat"

# Names that set window.hacked if they are read as markup or script.
HOSTILE = [
    "<script>window.hacked=1</script>", "]]></script><script>window.hacked=2</script>",
    "\"><image href=x onerror=window.hacked=3 />", "</metadata><script>window.hacked=4</script>",
    "</title><script>window.hacked=5</script>", "${window.hacked=6}", "'+(window.hacked=7)+'",
    "\\\";window.hacked=8;//", "a&amp;b&lt;c", "--><!--", "&#60;script&#62;", "%3Cscript%3E", "(a+)+$",
    "[", "x*", "\u2028line", "مرحبا", "数据处理", "🔥🚒", "javascript:window.hacked=9", "__proto__", "constructor",
]

# The lines of the control group, its limit and kinds of memory: where they are, and whether they are shown.
LINES = """
return ['control-group', 'limit', 'kind'].flatMap(name => [...document.querySelectorAll('.curves > path.' + name)].map(node => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return { name, x, y, width, height, shown: node.getAttribute('display') !== 'none' };
}));
"""

# Lines of the tooltip with an amount of memory: their text, and the amount before it was rounded.
VALUES = """
return [...document.querySelectorAll('.tip[data-mib]')].map(node => [node.textContent, +node.getAttribute('data-mib')]);
"""

# The drawn document, without classes that a search leaves.
DRAWN = """
return [...document.querySelectorAll('svg > g')].filter(node => !node.matches('.button, .readout')).map(node =>
    node.outerHTML.replace(/ class="[^"]*"/g, match => match.replace(/ (hit|among)\\b/g, ''))).join('');
"""


def memory_text(mib):
    """Memory as the picture writes it."""
    assert 1 <= mib < 1023
    return f"{mib:.1f} MiB"


def union_s(calls):
    """Time in which at least one of the calls runs."""
    total, end = 0.0, float("-inf")
    for call in sorted(calls, key=lambda one: one.enter_s):
        total += max(0.0, call.exit_s - max(call.enter_s, end))
        end = max(end, call.exit_s)
    return total


def percent_text(share):
    value = share * 100
    return f"{value:.2f} %" if value < 10 else f"{value:.1f} %"


def container(rise=4.0):
    """A program in a control group: its memory rises towards the limit, which is raised once."""
    lines = ["CMDLINE consumer", "FACT pid 10", "PROC 10 1 1000 python3"]
    for i in range(121):
        lines.append(f"MEM {100 + rise * i:.1f} {1000 + i}")
        if i % 10 == 0:
            lines.append(f"GROUP {130 + rise * i:.1f} {1000 + i} {400 if i < 60 else 640}")
    return "\n".join(lines) + "\n"


def tree():
    """A process and its child, with PSS of both and swap of the first."""
    lines = ["CMDLINE server", "FACT pid 10", "FACT include-children yes", "PROC 10 1 1000 python3",
             "PROC 11 10 1000 worker"]
    for i in range(101):
        lines += [f"MEM {200 + i} {1000 + i}", f"CHLD 11 {90 + i % 3} {1000 + i}",
                  f"KINDS 10 {1000 + i} pss={60 + i} swap={i % 4}", f"KINDS 11 {1000 + i} pss=25.5"]
    return "\n".join(lines) + "\n"


def service(threads=3, pause=1.0):
    """Two workers of a service with overlapping calls of threads."""
    lines = ["CMDLINE service", "#FACT|pid|10 nan nan", "#FACT|include-children|yes nan nan"]
    for i in range(101):
        lines += [f"MEM {200 + i} {1000 + i / 10:.1f}", f"CHLD 11 {60 + i} {1000 + i / 10:.1f}",
                  f"CHLD 12 {90 + i % 7} {1000 + i / 10:.1f}"]
    for pid in (11, 12):
        for thread in range(threads):
            begin = 1001 + thread * pause + (pid == 12) * 0.5
            lines += [f"FUNC shop.handler 60 {begin:.2f} 70 {begin + 5:.2f} 0 pid={pid} lane=t{thread}",
                      f"FUNC shop.query 61 {begin + 1:.2f} 69 {begin + 3:.2f} 1 pid={pid} lane=t{thread}"]
    return "\n".join(lines) + "\n"


def crowd():
    """A function that runs half of the time in two phases, and one long call around the first."""
    lines = ["CMDLINE training"] + [f"MEM 50 {1000 + i}" for i in range(101)]
    lines.append("FUNC m.main 50 1005 50 1045 0")
    for phase in (1010, 1060):
        lines += [f"FUNC m.step 50 {phase + i * 0.1:.3f} 50 {phase + i * 0.1 + 0.05:.3f} 1" for i in range(300)]
    return "\n".join(lines) + "\n"


class Tooltip(BrowserCase):
    def samples(self, recording):
        """Points of the curve, in seconds from the start: samples, and values at entry and exit of calls."""
        points = [(moment, mib) for mib, moment in recording.mem]
        for call in recording.calls:
            points += [(call.enter_s, call.enter_mib), (call.exit_s, call.exit_mib)]
        points.sort()
        start = points[0][0]
        return [(moment - start, mib) for moment, mib in points]

    def test_tooltip_shows_the_nearest_sample(self):
        plot, points = self.show(NESTED), self.samples(Recording(NESTED))
        pixel = (plot.to_s - plot.from_s) / plot.width
        alone = [(moment, mib) for i, (moment, mib) in enumerate(points)
                 if all(abs(moment - other) > 2.5 * pixel for j, (other, _) in enumerate(points) if j != i)]
        self.assertGreater(len(alone), 30)
        for moment, mib in alone[1:-1:3]:
            self.browser.move(plot.x(moment), plot.clear)
            tooltip = self.state()["tooltip"]
            with self.subTest(moment=moment):
                self.assertIn(memory_text(mib), tooltip)
                self.assertAlmostEqual(float(tooltip[0].split(" ")[0]), moment, delta=0.00051)
                self.assertRegex(tooltip[0], r"\A\d\.\d{3} s  \d\d:\d\d:\d\d\.\d{3}\Z")

    def test_tooltip_shows_running_functions(self):
        plot, recording = self.show(NESTED), Recording(NESTED)
        start_s = min(recording.mem[0][1], min(call.enter_s for call in recording.calls))
        for moment in (0.15, 0.6, 0.95, 1.5):
            x = round(plot.x(moment))
            self.browser.move(x, plot.clear)
            tooltip = self.state()["tooltip"]
            at = float(tooltip[0].split(" ")[0])
            running = [call for call in recording.calls
                       if call.enter_s - start_s + 0.001 < at < call.exit_s - start_s - 0.001]
            for call in running:
                label = call.name.rpartition(".")[2]
                with self.subTest(moment=moment, call=call.name):
                    self.assertTrue([line for line in tooltip if re.search(rf"{label}  [\d.]+ m?s  [+−±]", line)],
                                    tooltip)
            ended = sum(call.exit_s - start_s < at - 0.001 or call.enter_s - start_s > at + 0.001
                        for call in recording.calls)
            self.assertLessEqual(len(tooltip) - 2, len(recording.calls) - ended)

    def test_tooltip_of_a_box_describes_its_call(self):
        self.show("-f", NESTED)
        recording = Recording(NESTED)
        call = max(recording.calls_of("fit"), key=lambda one: one.seconds)
        box = self.box("nested.fit" if "nested.fit" in call.name else call.name)
        self.browser.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tooltip = self.state()["tooltip"]
        self.assertEqual(tooltip[0], call.name)
        self.assertIn(f"{call.seconds:.2f} s", tooltip[1])
        self.assertIn(f"({memory_text(call.enter_mib)} → {memory_text(call.exit_mib)})", tooltip[1])
        self.assertTrue(any(re.match(r"\d+\.\d+ s  \d\d:\d\d:\d\d", line) for line in tooltip), tooltip)

    def test_tooltip_shows_process_lane_open_and_count(self):
        lines = ["CMDLINE x", "PROC 10 1 100.0000 main.py", "PROC 20 10 100.5000 worker.py"]
        lines += [f"MEM {50 + i % 3} {100 + i / 10:.4f}" for i in range(101)]
        lines += ["FUNC m.served 50 102 60 104 0 pid=20 lane=greenlet-7",
                  "FUNC m.waiting 50 105 60 110 0 pid=20 open"]
        lines += [f"FUNC m.tiny 50 {107 + i / 1e4:.4f} 50 {107 + i / 1e4 + 5e-5:.5f} 0 pid=10" for i in range(9)]
        self.show("-f", self.write("open.dat", "\n".join(lines) + "\n"))
        for label, wanted in (("m.served", ["20", "greenlet-7", "2.00 s", "+10.0 MiB"]),
                              ("m.waiting", ["never returned", "20"]),
                              ("9 calls", ["9 calls, the longest m.tiny"])):
            box = self.box(label)
            self.browser.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            tooltip = "\n".join(self.state()["tooltip"])
            for word in wanted:
                with self.subTest(label=label, word=word):
                    self.assertIn(word, tooltip)

    def test_tooltip_shows_every_process_at_the_same_moment(self):
        plot, recording = self.show(CHILDREN), Recording(CHILDREN)
        start = recording.mem[0][1]
        for mib, moment in recording.mem[20:60:10]:
            self.browser.move(plot.x(moment - start), plot.clear)
            tooltip = self.state()["tooltip"]
            self.assertIn(memory_text(mib), tooltip)
            for pid in {pid for pid, _, _ in recording.chld}:
                near = min((one for one in recording.chld if one[0] == pid), key=lambda one: abs(one[2] - moment))
                with self.subTest(pid=pid, moment=moment):
                    self.assertTrue([line for line in tooltip
                                     if str(pid) in line and memory_text(near[1]) in line], tooltip)

    def test_tooltip_shows_control_group_and_limit_at_any_moment(self):
        plot = self.show(self.write("container.dat", container()))
        # between two values of the group, and at a value
        for moment, group, limit in ((3, "130.0", "400"), (8.5, "130.0", "400"), (10, "170.0", "400"),
                                     (45, "290.0", "400"), (70, "410.0", "640"), (118, "570.0", "640")):
            self.browser.move(plot.x(moment), plot.clear)
            tooltip = self.state()["tooltip"]
            with self.subTest(moment=moment):
                self.assertIn(f"control group  {group} MiB", tooltip)
                self.assertIn(f"limit  {limit}.0 MiB", tooltip)
                self.assertEqual(tooltip.index(f"limit  {limit}.0 MiB"), 2, tooltip)

    def test_tooltip_names_kinds_and_their_processes(self):
        plot = self.show("--memory", "pss,swap", self.write("tree.dat", tree()))
        for moment in (10, 50, 91):
            self.browser.move(plot.x(moment), plot.clear)
            tooltip = self.state()["tooltip"]
            with self.subTest(moment=moment):
                self.assertEqual(tooltip[1:], [
                    f"{200 + moment}.0 MiB", f"PSS, sum of 2 processes  {85.5 + moment:.1f} MiB",
                    f"swap of python3 10  {moment % 4}.0 MiB" if moment % 4 else "swap of python3 10  0 MiB",
                    f"python3 10  {110 + moment - moment % 3}.0 MiB", f"worker 11  {90 + moment % 3}.0 MiB"])
        plot = self.show("--memory", "pss", self.write("a.dat", tree()), self.write("b.dat", tree()))
        self.browser.move(plot.x(50), plot.clear)
        self.assertIn("b.dat  PSS, sum of 2 processes  135.5 MiB", self.state()["tooltip"])

    def test_tooltip_names_each_recording(self):
        plot = self.show(NESTED, CHILDREN)
        self.browser.move(plot.x(1), plot.clear)
        tooltip = "\n".join(self.state()["tooltip"])
        for name in ("nested.dat", "article-gunicorn-CM.dat"):
            self.assertRegex(tooltip, rf"{re.escape(name)}  [\d.]+ MiB")

    def test_tooltip_gives_the_time_of_a_sample_that_is_far_away(self):
        often = self.write("often.dat", "CMDLINE x\n" + "".join(f"MEM {50 + i % 7} {1000 + i / 10:.1f}\n" for i in range(401)))
        seldom = self.write("seldom.dat", "CMDLINE x\n" + "".join(f"MEM {80 + i} {2000 + 10 * i}\n" for i in range(5)))
        plot = self.show(often, seldom)
        self.browser.move(plot.x(13), plot.clear)
        self.assertEqual(sorted(self.state()["tooltip"][1:]), ["often.dat  54.0 MiB", "seldom.dat  81.0 MiB at 10.00 s"])
        self.browser.move(plot.x(20), plot.clear)
        self.assertIn("seldom.dat  82.0 MiB", self.state()["tooltip"])
        plot = self.show(*[self.write(f"{i:02}.dat", seldom.read_text()) for i in range(15)])
        self.browser.move(plot.x(20), plot.clear)
        tooltip = self.state()["tooltip"]
        self.assertEqual(sum(line.endswith(".dat  82.0 MiB") for line in tooltip), 11, tooltip)
        self.assertEqual(tooltip[-1], "+ 4 more")
        plot = self.show(seldom)
        self.browser.move(plot.x(13), plot.clear)
        self.assertEqual(self.state()["tooltip"][1:], ["sampled at 10.00 s", "81.0 MiB"])

    def test_tooltip_names_each_run_of_a_file(self):
        """Laid over each other without a time of day, on one axis with it; also in a stack, and zoomed in."""
        text = ""
        for number, start in enumerate((1795330000, 1795330300)):
            text += "CMDLINE x\n" + "".join(
                f"MEM {10 + number} {start + i}\n" + (f"CHLD 0 4 {start + i}\nCHLD 1 3 {start + i}\n" if number else "")
                for i in range(30))
        path = self.write("runs.dat", text)
        plot = self.show(path)
        self.browser.move(plot.x(10), plot.clear)
        moment, *lines = self.state()["tooltip"]
        self.assertNotRegex(moment, ":")
        self.assertEqual([re.sub(", [0-9:]+", "", line) for line in lines],
                         ["run 2 of 2  11.0 MiB", "run 1 of 2  10.0 MiB"])
        for options in (["--as-one"], ["--stack"]):
            plot = self.show(*options, path)
            for zoomed in (False, True):
                if zoomed:
                    self.zoom(plot.x(295), plot.middle, plot.x(325), plot.middle)
                    plot.from_s, plot.to_s = 295, 325
                self.browser.move(plot.x(310), plot.clear)
                moment, *lines = self.state()["tooltip"]
                with self.subTest(options=options, zoomed=zoomed):
                    self.assertRegex(moment, r"06:51:[45]")
                    shown = "\n".join(lines)
                    self.assertRegex(shown, r"run 2 of 2, 06:51:40  \S+ MiB")
                    self.assertRegex(shown, r"child 0  [34]\.\d MiB")
                    self.assertNotIn("run 1 of 2", shown)

    def test_time_is_a_share_where_durations_are_very_unlike(self):
        paths = [self.write(f"run-{n}.dat", "".join(f"MEM {50 + n + i % 7} {1000 + i * 4 ** n / 40:.4f}\n" for i in range(41)))
                 for n in range(9)]
        plot = self.show(*paths)
        self.assertEqual((plot.from_s, plot.to_s), (0, 100))
        self.browser.move(plot.x(50), plot.clear)
        moment, *lines = self.state()["tooltip"]
        self.assertRegex(moment, r"\A(49|50|51)(\.\d)? %\Z")
        self.assertEqual(len([line for line in lines if "run-" in line]), 9)
        self.zoom(plot.x(20), plot.middle, plot.x(40), plot.middle)
        self.assertEqual(self.browser.run(
            "return [...document.querySelectorAll('.axes .tick')].map(node => node.textContent).filter(text => / %$/.test(text)).length > 2"),
            True)
        self.assertNotIn("mprof plot", self.state()["facts"][0])

    def test_tooltip_shows_the_height_of_a_layer(self):
        plot, recording = self.show("--stack", CHILDREN), Recording(CHILDREN)
        start, (mib, moment) = recording.mem[0][1], recording.mem[40]
        self.browser.move(plot.x(moment - start), plot.clear)
        tooltip = self.state()["tooltip"]
        for pid in {pid for pid, _, _ in recording.chld}:
            near = min((one for one in recording.chld if one[0] == pid), key=lambda one: abs(one[2] - moment))
            line = [line for line in tooltip if str(pid) in line]
            self.assertTrue(line, tooltip)
            self.assertAlmostEqual(float(line[0].split()[-2]), near[1], delta=1.5)

    def test_tooltip_shows_the_range_of_a_dense_column(self):
        points = [(100 + i / 1000, 50 + (i * 7919 % 101)) for i in range(200_000)]
        plot = self.show(self.write("dense.dat", "".join(f"MEM {mib} {moment:.4f}\n" for moment, mib in points)))
        self.browser.move(plot.left + plot.width // 2, plot.clear)
        line = [line for line in self.state()["tooltip"] if "–" in line]
        self.assertTrue(line)
        low, high = map(float, re.fullmatch(r"([\d.]+) – ([\d.]+) MiB", line[0]).groups())
        self.assertLessEqual(low, 52)
        self.assertGreaterEqual(high, 148)

    def test_no_tooltip_outside_of_the_plot(self):
        plot = self.show(NESTED)
        self.browser.move(plot.x(1), plot.clear)
        self.assertEqual(self.state()["hair"], 1)
        self.browser.move(plot.x(1), 5)
        self.assertEqual(self.state()["tooltip"], [])


def ticks_of(recording, is_sum):
    """(seconds from the start, sum, {pid: MiB}) of each tick; pid 0 is the main process, None where it is unknown.
    Other programs read one process after the other, so there a tick is a MEM line and what follows."""
    one_time = "include-children" in recording.facts
    ticks = []
    for line in recording.lines:
        word, *fields = line.split(" ")
        if word == "MEM":
            ticks.append([float(fields[1]), float(fields[0]), {}])
        elif word == "CHLD" and fields[0] != "0":
            if one_time and (not ticks or ticks[-1][0] != float(fields[2])):
                ticks.append([float(fields[2]), None, {}])
            ticks[-1][2][int(fields[0])] = float(fields[1])
    start = min([tick[0] for tick in ticks] + [call.enter_s for call in recording.calls])
    found = []
    for moment, mem, children in ticks:
        others = sum(children.values())
        if mem is None:
            found.append((moment - start, others, children))
        elif is_sum:
            main = mem - others if mem >= others else None
            found.append((moment - start, max(mem, others), {**children, 0: main}))
        else:
            found.append((moment - start, mem + others, {**children, 0: mem}))
    return found


def many_processes(processes, ticks, is_sum):
    """A pool whose workers come and go; every tenth tick one of them has a peak."""
    source = random.Random(processes)
    lines = ["CMDLINE pool", "MEM 50 1000.0000", "FACT format 2", "FACT pid 10",
             f"FACT include-children {'yes' if is_sum else 'no'}", "PROC 10 1 1000 python3"]
    lines += [f"PROC {100 + i} 10 1000 worker" for i in range(processes)]
    for i in range(1, ticks):
        alive = {pid: 20 + pid % 7 + source.random() for pid in range(100, 100 + processes)
                 if (i + 37 * pid) % ticks < ticks * 0.7}
        if i % 10 == 0 and alive:
            alive[source.choice(list(alive))] += source.uniform(50, 400)
        main = 40 + source.random()
        lines.append(f"MEM {main + (sum(alive.values()) if is_sum else 0):.6f} {1000 + i / 10:.4f}")
        lines += [f"CHLD {pid} {mib:.6f} {1000 + i / 10:.4f}" for pid, mib in alive.items()]
    return "\n".join(lines) + "\n"


class Ticks(BrowserCase):
    """A tooltip shows what was sampled at one moment: it adds up, and it is in the recording."""

    def check(self, plot, ticks, pixel_s, is_sum):
        """Compares the tooltip with the tick of the recording that it is of; returns that tick."""
        values, shown_lines = self.browser.run(VALUES), self.state()["tooltip"]
        unit = self.browser.run("return JSON.parse(document.querySelector('svg > metadata').textContent).memory[2]")
        shown = next((line for line in shown_lines if line.startswith("sampled at ")), shown_lines[0]).replace("sampled at ", "")
        minutes, seconds = re.match(r"(?:(\d+) min )?([\d.]+) s", shown).groups()
        seconds = 60 * int(minutes or 0) + float(seconds)
        total = values[0][1]
        near = [tick for tick in ticks
                if abs(tick[0] - seconds) <= 2 * pixel_s and abs(tick[1] - total) <= unit]
        self.assertTrue(near, f"no tick at {seconds} s with {total} MiB: {shown_lines}")
        tick = min(near, key=lambda one: abs(one[0] - seconds))
        self.assertEqual(values[0][0].startswith("\u2265"), 0 in tick[2] and tick[2][0] is None, shown_lines)
        for text, mib in values[1:]:
            if "in a call" in text:  # between the ticks
                self.assertGreaterEqual(mib, total, shown_lines)
        parts = [(text, mib) for text, mib in values[1:]
                 if "within this pixel" not in text and "in a call" not in text]
        rest = [mib for text, mib in parts if text.startswith("+ ")]
        parts = [(text, mib) for text, mib in parts if not text.startswith("+ ")]
        expected = sorted((mib for mib in tick[2].values() if mib is not None), reverse=True)
        self.assertEqual(len(parts), min(len(expected), 11 if len(expected) > 12 else 12), shown_lines)
        room = (len(expected) + 2) * unit  # each number is rounded to it
        for (text, mib), wanted in zip(parts, expected):
            self.assertAlmostEqual(mib, wanted, delta=room, msg=text)
        for pid, wanted in tick[2].items():
            lines = [mib for text, mib in parts if re.search(rf" {pid}  " if pid else r"\A(main|python3 10)  ", text)]
            if wanted is not None and wanted >= expected[len(parts) - 1] + room:
                self.assertTrue(lines, f"{pid} is missing: {shown_lines}")
            for mib in lines:
                self.assertAlmostEqual(mib, wanted, delta=room)
        if None not in tick[2].values():
            self.assertAlmostEqual(sum(mib for _, mib in parts) + sum(rest), total, delta=room)
        return tick

    def test_tooltips_are_ticks_of_the_recording(self):
        pool, alone = (self.write(f"{name}.dat", many_processes(50, 4000, name == "pool")) for name in ("pool", "alone"))
        few = self.write("few.dat", many_processes(3, 60, True))
        for path, is_sum, options in ((FIXTURES / "dat" / "make_j2.dat", True, []), (CHILDREN, True, []),
                                      (CHILDREN, True, ["--stack"]), (FIXTURES / "dat" / "article-gunicorn-M.dat", False, []),
                                      (few, True, []), (pool, True, ["--group", "pid"]),
                                      (pool, True, ["--group", "pid", "--stack"]), (alone, False, ["--group", "pid"]),
                                      (alone, False, ["--group", "pid", "--stack"]),
                                      (pool, True, ["--group", "pid", "-w", "100,200"])):
            ticks = ticks_of(Recording(path), is_sum)
            plot = self.show(*options, path)
            pixel_s = (plot.to_s - plot.from_s) / plot.width
            shown = [tick for tick in ticks if plot.from_s <= tick[0] <= plot.to_s]
            highest = max(shown, key=lambda tick: tick[1])
            for i in range(20):
                tick = highest if i == 0 else shown[len(shown) * i // 20]
                with self.subTest(path=path.name, options=options, tick=tick[0]):
                    self.browser.move(int(plot.x(tick[0])), plot.clear)
                    found = self.check(plot, ticks, pixel_s, is_sum)
                    # a pixel shows its highest tick; one at the edge of two pixels may be in either
                    pixel = int(plot.x(tick[0]))
                    column = [one for one in shown if pixel + 1e-6 < plot.x(one[0]) < pixel + 1 - 1e-6]
                    self.assertGreaterEqual(found[1], max((one[1] for one in column), default=0),
                                            "not the highest of the column")
            self.zoom(plot.left + plot.width * 0.31, plot.middle, plot.left + plot.width * 0.43, plot.middle)
            begin, end = map(float, re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0]).groups())
            for i in range(20):
                with self.subTest(path=path.name, options=options, zoomed=i):
                    self.browser.move(plot.left + plot.width * (i + 0.5) / 20, plot.clear)
                    if len(self.browser.run(VALUES)) > 0:
                        self.check(plot, ticks, (end - begin) / plot.width, is_sum)

    def test_tooltips_count_the_processes_of_a_command(self):
        names = ("cc1", "as", "ld", "sh")
        lines = many_processes(60, 300, True).splitlines()
        lines = [f"PROC {pid} 10 1000 {names[pid % 4]}" if (pid := line.startswith("PROC 1") and int(line.split()[1])) and pid >= 100
                 else line for line in lines]
        path = self.write("build.dat", "\n".join(lines) + "\n")
        ticks = ticks_of(Recording(path), True)
        for options in ([], ["--stack"]):
            plot = self.show(*options, path)
            for tick in ticks[2::17]:
                self.browser.move(plot.x(tick[0]), plot.clear)
                values = {re.sub(r"  .*", "", text): mib for text, mib in self.browser.run(VALUES)[1:]}
                alive = {name: [mib for pid, mib in tick[2].items() if pid and names[pid % 4] == name] for name in names}
                with self.subTest(options=options, tick=tick[0]):
                    for name, mibs in alive.items():
                        shown = f"{name} \u00d7{len(mibs)}" if len(mibs) > 1 else name
                        if mibs:
                            self.assertIn(shown, values)
                            self.assertAlmostEqual(values[shown], sum(mibs), delta=0.1)
                        else:
                            self.assertFalse([one for one in values if one.startswith(name)], values)
                    self.assertEqual(len(values), 1 + sum(bool(mibs) for mibs in alive.values()))

    def test_what_a_call_proves_between_ticks_is_a_bound(self):
        lines = ["CMDLINE x", "MEM 130 1000", "FACT include-children yes", "FACT pid 7", "PROC 8 7 1000 worker"]
        lines += [f"MEM 130 {1000 + i}" for i in range(1, 20)] + [f"CHLD 8 100 {1000 + i}" for i in range(20)]
        path = self.write("bound.dat", "\n".join([*lines, "FUNC f 100 1008.2 190 1008.5 0 pid=8"]) + "\n")
        plot = self.show(path)
        self.browser.move(plot.x(8.5), plot.clear)
        tooltip = self.state()["tooltip"]
        self.assertIn("\u2265 190.0 MiB at 8.50 s, in a call", tooltip)
        self.assertIn("130.0 MiB", tooltip)
        self.assertTrue([line for line in tooltip if line.startswith("sampled at ")], tooltip)
        self.browser.move(plot.x(8), plot.clear)
        self.assertFalse([line for line in self.state()["tooltip"] if "in a call" in line])
        self.assertEqual(Picture(self.directory / "picture.svg").peak(), (190.0, 0.05))

    def test_numbers_of_ticks_stay_small(self):
        picture = Picture(self.draw("--group", "pid", self.write("pool.dat", many_processes(50, 4000, True))))
        self.assertLess(len(picture.data["ticks"]), 3 * sum(len(tick.values) + 2 for tick in picture.ticks))


class Zoom(BrowserCase):
    def test_a_drag_selects_a_range_of_time(self):
        plot = self.show(NESTED)
        before = self.state()
        drawn = self.browser.run(DRAWN)
        self.zoom(plot.x(0.4), plot.middle, plot.x(0.8), plot.middle + 20)
        after = self.state()
        self.assertTrue(after["zoomed"])
        self.assertNotEqual(before["ticks"], after["ticks"])
        begin, end = map(float, re.search(r"-w ([\d.]+),([\d.]+)", after["facts"][0]).groups())
        self.assertAlmostEqual(begin, 0.4, delta=0.003)
        self.assertAlmostEqual(end, 0.8, delta=0.003)
        times = [float(tick[:-3]) for tick in after["ticks"] if tick.endswith(" ms")]
        self.assertTrue(times and all(400 <= time <= 800 for time in times), after["ticks"])
        for again in ("Escape", "dblclick", "button"):
            if again == "Escape":
                self.browser.press("Escape")
            else:
                self.zoom(plot.x(0.4), plot.middle, plot.x(0.8), plot.middle)
                if again == "dblclick":
                    self.browser.click(plot.x(0.2), plot.top + 30, times=2)
                else:
                    place = self.browser.run("""
                        const { x, y, width, height } = [...document.querySelectorAll('.button')].find(
                            node => node.textContent.startsWith('reset')).getBoundingClientRect();
                        return [x + width / 2, y + height / 2];""")
                    self.browser.click(*place)
            with self.subTest(again):
                self.assertEqual(self.state()["ticks"], before["ticks"])
                self.assertEqual(self.browser.run(DRAWN), drawn)

    def test_the_command_for_a_range_is_whole(self):
        """As text where it fits, else in a tooltip; with markup and quotes in it, it stays text."""
        name = "it's <script>window.hacked=9<\u2044script> & ]]>.dat"
        shutil.copy(NESTED, self.directory / name)
        for size, options in (("1260x540", []), ("640x400", ["-t", "x" * 80])):
            with self.subTest(size=size):
                plot = self.show("-f", "--size", size, *options, self.directory / name)
                self.zoom(plot.x(0.4), plot.middle, plot.x(0.8), plot.middle)
                line = self.browser.run("const line = document.querySelector('.facts[data-command]');"
                                        "return [line.dataset.command, line.firstChild.data, line.lastChild.textContent]")
                window = re.search(r" -w ([\d.]+,[\d.]+) ", line[0])
                self.assertTrue(window, line)
                words = shlex.split(line[0])
                self.assertEqual(words[:3] + words[-1:], ["mprof", "plot", "--flame", str(self.directory / name)])
                self.assertIn(f"--size={size}", words)
                self.assertEqual(line[2], line[0])
                self.assertTrue(line[1].endswith(line[0]) or "copy the command" in line[1] or "mprof" not in line[1], line)
                self.assertIsNone(self.browser.run("return window.hacked || null"))

    def test_small_pages_are_interactive(self):
        for options in (["--size", "400x200"], ["-f", "--size", "240x160"], ["--size", "160x120"]):
            with self.subTest(options=options):
                plot = self.show(*options, NESTED)
                drawn = self.browser.run(DRAWN)
                self.zoom(plot.left + 0.3 * plot.width, plot.middle, plot.left + 0.7 * plot.width, plot.middle)
                self.assertTrue(self.state()["zoomed"])
                ticks = self.state()["ticks"]
                self.assertTrue(any(tick.endswith("s") for tick in ticks), ticks)
                outside = self.browser.run("""
                    const { width, height } = document.querySelector('svg').viewBox.baseVal;
                    return [...document.querySelectorAll('svg > g:not(.button) text')].filter(node => {
                        const box = node.getBBox(), style = getComputedStyle(node);
                        return style.display !== 'none' && style.visibility !== 'hidden' && box.width &&
                            (box.x < -1 || box.y < -1 || box.x + box.width > width + 1 || box.y + box.height > height + 1);
                    }).map(node => node.textContent)""")
                self.assertEqual(outside, [])
                self.browser.press("Escape")
                self.assertEqual(self.browser.run(DRAWN), drawn)

    def test_reset_restores_every_kind_of_picture(self):
        for arguments in ([NESTED], ["-f", NESTED], [CHILDREN], ["--stack", CHILDREN], [NESTED, CHILDREN],
                          ["-f", "--by", "function", NESTED], ["-s", "-n", NESTED], ["-w", "0.2,0.9", NESTED],
                          ["--ylim", "0,90", NESTED], ["--limit", "180", "--line", "100:usual", "--mark", "0.6:deploy", NESTED],
                          [self.write("container.dat", container())],
                          ["--memory", "pss,swap", self.write("tree.dat", tree())],
                          [self.write("service.dat", service())], [self.write("many.dat", service(14, 0.1))],
                          [self.write("crowd.dat", crowd())], ["-f", self.write("crowd.dat", crowd())]):
            with self.subTest(arguments=arguments):
                plot = self.show(*arguments)
                drawn = self.browser.run(DRAWN)
                self.zoom(plot.left + 300, plot.middle, plot.left + 420, plot.middle)
                self.assertTrue(self.state()["zoomed"])
                self.assertNotEqual(self.browser.run(DRAWN), drawn)
                self.browser.press("+", "+", "ArrowRight", "-", "Escape")
                self.assertEqual(self.browser.run(DRAWN), drawn)

    def test_axes_are_those_of_a_picture_of_that_window(self):
        recordings = [("20 ms", 0.02, 1.7e9), ("5 s", 5, 1.7e9), ("2 h", 7200, 1.7e9), ("2 min", 120, 100),
                      ("30 days", 30 * 86400, 1.7e9), ("GiB", 40, 1.7e9)]
        for name, seconds, start in recordings:
            scale = 5000 if name == "GiB" else 100
            path = self.write("some.dat", "CMDLINE x\n" + "".join(
                f"MEM {scale * (1 + 0.4 * ((i * 37) % 100) / 100):.6f} {start + seconds * i / 400:.7f}\n"
                for i in range(401)))
            plot = self.show(path)
            for share in (0.13, 0.6):
                for wide in (90, 400):
                    left = plot.left + plot.width * share
                    right = min(left + wide, plot.left + plot.width - 5)
                    self.zoom(left, plot.middle, right, plot.middle)
                    state = self.state()
                    window = re.search(r"-w ([\d.]+,[\d.]+)", state["facts"][0])[1]
                    other = self.draw("-w", window, path, name="window.svg")
                    ticks = re.findall(r'class="tick"[^>]*>([^<]*)<', other.read_text())
                    with self.subTest(name=name, window=window):
                        # at the ends of the axis, rounding of the window may drop a tick
                        self.assertGreater(len(state["ticks"]), 3)
                        self.assertLessEqual(len(set(state["ticks"]) ^ set(ticks)), 2, (state["ticks"], ticks))
                    self.browser.press("Escape")

    def lines_of(self, plot):
        """Visible lines: name, left, right, top and bottom in pixels."""
        return [(line["name"], round(line["x"] - plot.left), round(line["x"] + line["width"] - plot.left),
                 line["y"], line["y"] + line["height"]) for line in self.browser.run(LINES) if line["shown"]]

    def test_group_limit_and_kinds_are_those_of_a_picture_of_that_window(self):
        """Zooming scales the memory axis, and hides lines, by the same rule as `plot -w`."""
        cases = (("container", container(), [], ((2, 30), (40, 80), (50, 59))),
                 ("flat", container(0.02), [], ((2, 30), (20, 100))),
                 ("far", container(0.02), ["--memory", "group"], ((20, 100),)),
                 ("tree", tree(), ["--memory", "pss,swap"], ((2, 30), (97, 99))))
        for name, text, options, windows in cases:
            path = self.write(f"{name}.dat", text)
            for begin, end in windows:
                plot = self.show(*options, path)
                self.zoom(plot.x(begin), plot.middle, plot.x(end), plot.middle)
                window = re.search(r"-w ([\d.]+,[\d.]+)", self.state()["facts"][0])[1]
                zoomed, ticks = self.lines_of(plot), self.state()["ticks"]
                labels = self.browser.run("""
                    return [...document.querySelectorAll('.limit-name')].filter(node => node.getClientRects().length).map(node => node.textContent);""")
                other = self.show(*options, "-w", window, path)
                drawn = self.lines_of(other)
                with self.subTest(name=name, window=window):
                    self.assertLessEqual(len(set(self.state()["ticks"]) ^ set(ticks)), 2, ticks)
                    self.assertEqual([line[0] for line in zoomed], [line[0] for line in drawn])
                    self.assertEqual(labels, self.browser.run(
                        "return [...document.querySelectorAll('.limit-name')].map(node => node.textContent)"))
                    for here, there in zip(zoomed, drawn):
                        for a, b, most in zip(here[1:], there[1:], (3, 3, 2, 2)):
                            self.assertAlmostEqual(a, b, delta=most, msg=(zoomed, drawn))

    def test_a_limit_that_would_flatten_the_curve_is_hidden(self):
        plot = self.show(self.write("container.dat", container()))
        self.assertEqual([line[0] for line in self.lines_of(plot)], ["control-group", "limit"])
        self.zoom(plot.x(0), plot.middle, plot.x(4), plot.middle)  # 100 to 116 of 400 MiB
        self.assertEqual([line[0] for line in self.lines_of(plot)], ["control-group"])
        self.assertEqual(self.browser.run("return document.querySelectorAll('.names:not(.fixed) > .limit-name').length"), 0)
        self.browser.move(plot.left + 300, plot.clear)
        self.assertIn("limit  400.0 MiB", self.state()["tooltip"])
        self.browser.press("Escape")
        self.assertEqual([line[0] for line in self.lines_of(plot)], ["control-group", "limit"])

    def test_group_limit_and_kinds_keep_their_labels(self):
        names = """
            return [...document.querySelectorAll('.names:not(.fixed) > text')].map(node => {
                const { left, right, top, bottom } = node.getBoundingClientRect();
                return [node.textContent, left, right, top, bottom];
            });"""
        for name, text, options, wanted in (
                ("container", container(), [], {"control group", "limit 400.0 MiB", "limit 640.0 MiB"}),
                ("tree", tree(), ["--memory", "pss,swap"], {"PSS", "swap", "worker 11"})):
            plot = self.show(*options, self.write(f"{name}.dat", text))
            self.zoom(plot.x(15), plot.middle, plot.x(90), plot.middle)
            places = self.browser.run(names)
            with self.subTest(name):
                self.assertEqual({place[0] for place in places}, wanted)
                for i, (_, left, right, top, bottom) in enumerate(places):
                    self.assertTrue(plot.left <= left + 1 and right <= plot.left + plot.width + 1, places)
                    for _, other_left, other_right, other_top, other_bottom in places[:i]:
                        self.assertTrue(right <= other_left + 1 or other_right <= left + 1
                                        or bottom <= other_top + 4 or other_bottom <= top + 4, places)

    def test_a_click_on_a_box_zooms_to_its_call(self):
        plot = self.show("-f", NESTED)
        labels = [box["label"] for box in self.boxes()]
        predict = next(label for label in labels if "predict" in label)
        before = self.box(predict)
        self.click_box(predict)
        after = self.box(predict)
        self.assertGreater(after["width"], 5 * before["width"])
        self.assertAlmostEqual(after["width"] / plot.width, 1 / 1.1, delta=0.01)
        captions = self.state()["captions"]
        self.assertTrue(any(re.match(r"predict  0\.14 s  [+−±][\d.]+ [KM]iB\Z", text) for text in captions), captions)
        inside = self.browser.run("""
            return [...document.querySelectorAll('.captions > .box-name')].every(node => {
                const text = node.getBoundingClientRect();
                return [...document.querySelectorAll('.box')].some(box => {
                    const place = box.getBoundingClientRect();
                    return text.left >= place.left && text.right <= place.right + 1 && text.top >= place.top - 3
                        && text.bottom <= place.bottom + 3;
                });
            });""")
        self.assertTrue(inside, "a caption leaves its box")

    def test_labels_of_brackets_do_not_overlap(self):
        plot = self.show(NESTED)
        for share in (0.05, 0.3, 0.6):
            self.zoom(plot.left + plot.width * share, plot.middle,
                              plot.left + plot.width * (share + 0.2), plot.middle)
            places = self.browser.run("""
                return [...document.querySelectorAll('.names:not(.fixed) > text')].map(node => {
                    const { left, right, top, bottom } = node.getBoundingClientRect();
                    return [left, right, top, bottom];
                });""")
            self.assertTrue(places)
            for i, a in enumerate(places):
                self.assertGreaterEqual(a[0], plot.left - 1)
                self.assertLessEqual(a[1], plot.left + plot.width + 1)
                for b in places[:i]:
                    apart = a[1] <= b[0] + 1 or b[1] <= a[0] + 1 or a[3] <= b[2] + 4 or b[3] <= a[2] + 4
                    self.assertTrue(apart, (a, b))
            self.browser.press("Escape")

    def test_names_of_layers_are_inside_them(self):
        lines = ["CMDLINE pool", "FACT pid 10", "FACT include-children yes", "PROC 10 1 1000 pool", "PROC 11 10 1000 steady",
                 "PROC 12 10 1000 with-spikes"]
        for i in range(300):
            spike = 200 if i % 50 == 25 else 10
            lines += [f"MEM {100 + spike} {1000 + i}", f"CHLD 11 60 {1000 + i}", f"CHLD 12 {spike} {1000 + i}"]
        plot = self.show("--stack", self.write("pool.dat", "\n".join(lines) + "\n"))
        for share in (0.05, 0.35, 0.6):
            self.zoom(plot.left + plot.width * share, plot.middle,
                              plot.left + plot.width * (share + 0.3), plot.middle)
            outside = self.browser.run("""
                const names = [...document.querySelectorAll('.names:not(.fixed) > .box-name')];
                const inside = node => {
                    const { x, y, width, height } = node.getBBox();
                    const layer = [...document.querySelectorAll('.layer')].find(one => one.getAttribute('aria-label') === node.textContent);
                    return [x + 1, x + width - 1].every(at => [y + 3, y + height - 3].every(level => layer.isPointInFill(new DOMPoint(at, level))));
                };
                return [names.length, names.filter(node => !inside(node)).map(node => node.textContent)];""")
            self.assertGreaterEqual(outside[0], 1)
            self.assertEqual(outside[1], [])
            self.browser.press("Escape")

    def test_the_memory_axis_follows_what_is_shown(self):
        path = self.write("step.dat", "CMDLINE x\n" + "".join(
            f"MEM {900 if 40 < i < 50 else 20 + i % 5} {100 + i}\n" for i in range(101)))
        plot = self.show(path)
        self.assertIn("800 MiB", self.state()["ticks"])
        self.zoom(plot.x(60), plot.middle, plot.x(90), plot.middle)
        memory = [float(tick[:-4]) for tick in self.state()["ticks"] if tick.endswith("MiB")]
        self.assertTrue(memory and max(memory) <= 30, memory)

    def test_tooltip_is_right_after_a_zoom(self):
        plot, recording = self.show(NESTED), Recording(NESTED)
        self.zoom(plot.x(0.4), plot.middle, plot.x(0.6), plot.middle)
        begin, end = map(float, re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0]).groups())
        start = min(recording.mem[0][1], min(call.enter_s for call in recording.calls))
        for mib, moment in recording.mem:
            at = moment - start
            if not begin + 0.01 < at < end - 0.01:
                continue
            self.browser.move(plot.left + (at - begin) / (end - begin) * plot.width, plot.middle)
            with self.subTest(moment=at):
                self.assertIn(memory_text(mib), "\n".join(self.state()["tooltip"]))


class Lanes(BrowserCase):
    """Strips, lanes, calls at once, and rows of density."""

    def test_tooltip_of_a_strip_is_the_memory_of_its_process(self):
        plot = self.show(self.write("service.dat", service()))
        for seconds in (1, 4.2, 9.9):
            self.browser.move(plot.x(seconds), plot.clear)
            tooltip = self.state()["tooltip"]
            self.assertTrue(any(line.endswith(f"11  {memory_text(60 + seconds * 10)}") for line in tooltip), tooltip)
            self.assertTrue(any(line.endswith(f"12  {memory_text(90 + round(seconds * 10) % 7)}") for line in tooltip), tooltip)
        self.zoom(plot.x(2), plot.middle, plot.x(4), plot.middle)
        self.browser.move(plot.left + plot.width / 2, plot.clear)  # 3 s
        tooltip = self.state()["tooltip"]
        self.assertTrue(any(line.endswith(f"11  {memory_text(90)}") for line in tooltip), tooltip)

    def test_lanes_stay_apart_in_any_zoom(self):
        plot = self.show(self.write("service.dat", service()))
        for begin, end in ((0, 10), (1, 4), (2, 2.5)):
            if begin:
                self.browser.press("Escape")
                self.zoom(plot.x(begin), plot.middle, plot.x(end), plot.middle)
            rows = {}
            for box in self.boxes():
                rows.setdefault(round(box["y"]), []).append(box)
            for row in rows.values():
                row.sort(key=lambda box: box["x"])
                for before, after in zip(row, row[1:]):
                    self.assertLessEqual(before["x"] + before["width"], after["x"] + 0.1)
            self.assertEqual(self.browser.run("return document.querySelectorAll('.bracket').length"), 0)

    def test_brackets_of_a_zoom_are_those_of_a_picture_of_that_window(self):
        count = """return [...document.querySelectorAll('.bracket')].filter(node => getComputedStyle(node).display !== 'none')
            .map(node => node.getBoundingClientRect()).filter(box => box.width).map(box => Math.round(box.x)).sort((a, b) => a - b);"""
        for begin, end in ((0.6, 0.9), (0.2, 0.5)):
            plot = self.show("-w", f"{begin},{end}", NESTED)
            drawn = self.browser.run(count)
            plot = self.show(NESTED)
            self.zoom(plot.x(begin), plot.middle, plot.x(end), plot.middle)
            zoomed = self.browser.run(count)
            self.assertEqual(len(zoomed), len(drawn))
            for one, other in zip(zoomed, drawn):
                self.assertAlmostEqual(one, other, delta=6)

    def test_tooltip_of_a_row_of_density(self):
        plot = self.show(self.write("crowd.dat", crowd()))
        y = self.browser.run("const box = document.querySelector('.density').getBoundingClientRect(); return box.y + box.height - 2;")
        self.browser.move(plot.x(20), y)
        tooltip = self.state()["tooltip"]
        self.assertEqual(tooltip[:2], ["m.step", "600 calls"])
        here = [line for line in tooltip if line.startswith("here")]
        self.assertAlmostEqual(float(here[0].split()[1]), 50, delta=4)
        self.browser.move(plot.x(20), plot.clear)
        self.assertIn(here[0].replace("here", "step "), self.state()["tooltip"])
        self.browser.move(plot.x(50), plot.clear)
        self.assertFalse([line for line in self.state()["tooltip"] if line.startswith("step")])

    def test_search_and_keys_reach_a_row_of_density(self):
        self.show(self.write("crowd.dat", crowd()))
        self.browser.press("/")
        self.browser.type("step")
        state = self.state()
        self.assertEqual(state["status"], "600 calls, 30.0 % of the time")
        self.assertEqual(self.browser.run("return document.querySelectorAll('.density.hit').length"), 1)
        self.browser.press("Enter")
        self.assertTrue(self.state()["focus"].startswith("m.step: 600 calls"))
        self.browser.press("Enter")
        self.assertTrue(self.state()["zoomed"])

    def test_calls_at_once(self):
        plot = self.show(self.write("service.dat", service(14, 0.1)))
        labels = self.browser.run("return [...document.querySelectorAll('.at-once')].map(node => node.getAttribute('aria-label'))")
        self.assertTrue(any(label.startswith("shop.handler: 14 calls at once") for label in labels), labels)
        self.assertTrue(any(label.startswith("shop.query: in ") for label in labels), labels)
        self.browser.move(plot.x(1.05), plot.clear)
        self.assertIn("shop.handler  1 call at once", self.state()["tooltip"])


class Search(BrowserCase):
    def search(self, text):
        self.browser.press("Escape", "/")
        self.browser.type(text)
        return self.state()

    def expected(self, recording, pattern):
        calls = [call for call in recording.calls if re.search(pattern, call.name)]
        start = min(recording.mem[0][1], min(call.enter_s for call in recording.calls))
        end = max(recording.mem[-1][1], max(call.exit_s for call in recording.calls))
        return len(calls), union_s(calls) / (end - start)

    def test_counts_and_shares_match_the_recording(self):
        recording = Recording(NESTED)
        for options in ([], ["-f"]):
            self.show(*options, NESTED)
            for text in ("leaf", "FIT", "leaf|branch", "^nested.*(fit|predict)$", "e"):
                state = self.search(text)
                count, share = self.expected(recording, f"(?i){text}")
                with self.subTest(options=options, text=text):
                    if not count:
                        self.assertEqual(state["status"], "no call")
                        continue
                    self.assertEqual(state["status"], f"{count} calls, {percent_text(share)} of the time")
                    self.assertGreater(state["hits"], 0)
            self.browser.press("Escape")
            state = self.state()
            self.assertEqual((state["status"], state["hits"]), ("", 0))

    def test_matching_boxes_are_highlighted(self):
        self.show("-f", NESTED)
        self.search("leaf")
        opacity = self.browser.run("""
            return [...document.querySelectorAll('.box')].map(node =>
                [node.getAttribute('aria-label').includes('leaf'), +getComputedStyle(node).opacity]);""")
        self.assertEqual({hit for hit, _ in opacity}, {True, False})
        for hit, value in opacity:
            self.assertTrue(value == 1 if hit else value < 0.5, (hit, value))

    def test_an_invalid_pattern_is_searched_as_text(self):
        names = ["m.a[0]", "m.(b", "m.c*d", "m.\\d"]
        lines = ["MEM 1 100", "MEM 2 110"] + [f"FUNC {name} 1 {101 + 2 * i} 1 {102 + 2 * i} 0"
                                             for i, name in enumerate(names)]
        self.show("-f", self.write("odd.dat", "\n".join(lines) + "\n"))
        for text, count in (("[", 1), ("(b", 1), ("*", 1), ("(", 1), ("m.", 4), ("\\", 1), ("nothing", 0)):
            status = self.search(text)["status"]
            with self.subTest(text=text):
                self.assertRegex(status, rf"\A{count} calls?, " if count else "no call")

    def test_a_hundred_thousand_calls_are_counted_exactly(self):
        random.seed(5)
        lines, moment = ["CMDLINE many"], 1000.0
        lines += [f"MEM {100 + i % 50} {1000 + i}" for i in range(1001)]
        for i in range(100_000):
            wide = random.expovariate(1 / 0.005)
            lines.append(f"FUNC pkg.mod.f{i * 7 % 19} 100 {moment:.4f} 100 {moment + wide:.4f} {i % 2}")
            moment += 0.0099
        path = self.write("many.dat", "\n".join(lines) + "\n")
        recording = Recording(path)
        self.show("-f", path)
        for text in ("f3$", "f1", "f[2-5]$"):
            state = self.search(text)
            count, share = self.expected(recording, text)
            with self.subTest(text=text):
                self.assertEqual(state["status"], f"{count:,} calls, {percent_text(share)} of the time")
        self.browser.press("Escape", "+", "+", "ArrowRight")
        self.assertTrue(self.state()["zoomed"])
        self.assertLess(self.browser.run("return document.querySelectorAll('*').length"), 30_000)

    def test_a_click_on_the_legend_searches_the_function(self):
        self.show("-f", NESTED)
        place = self.browser.run("""
            const { x, y } = [...document.querySelectorAll('.legend-name')].find(
                node => node.textContent === 'leaf').getBoundingClientRect();
            return [x + 4, y + 6];""")
        self.browser.click(*place)
        count, share = self.expected(Recording(NESTED), r"\.leaf$")
        self.assertEqual(self.state()["status"], f"{count} calls, {percent_text(share)} of the time")

    def test_enter_goes_to_the_first_hit(self):
        self.show("-f", NESTED)
        self.search("predict")
        self.browser.press("Enter")
        self.assertIn("predict", self.state()["focus"])


class Keyboard(BrowserCase):
    def test_boxes_by_tab_and_arrows(self):
        self.show("-f", NESTED)
        for _ in range(6):
            self.browser.press("Tab")
            label = self.state()["focus"] or ""
            if "fit: " in label:
                break
        self.assertRegex(label, r"fit: 0\.39 s")
        self.assertEqual(self.state()["tooltip"][0], label.partition(":")[0])
        outline = self.browser.run("return getComputedStyle(document.activeElement).outlineStyle")
        self.assertNotEqual(outline, "none")
        self.browser.press("ArrowRight")
        self.assertIn("predict", self.state()["focus"])
        self.browser.press("ArrowLeft", "ArrowDown")
        self.assertRegex(self.state()["focus"], r"fit: 0\.26 s")
        self.browser.press("Enter")
        self.assertTrue(self.state()["zoomed"])
        self.browser.press("Escape")
        self.assertFalse(self.state()["zoomed"])

    def test_zoom_pan_and_reset(self):
        self.show(NESTED)

        def window():
            found = re.search(r"-w ([\d.]+),([\d.]+)", self.state()["facts"][0])
            return tuple(map(float, found.groups())) if found else None

        self.assertIsNone(window())
        self.browser.press("+", "+")
        begin, end = window()
        self.browser.press("ArrowRight")
        self.assertAlmostEqual(window()[0], begin + (end - begin) / 4, delta=0.01)
        self.browser.press("ArrowLeft", "ArrowLeft")
        self.assertLess(window()[0], begin)
        self.browser.press("-")
        self.assertAlmostEqual(window()[1] - window()[0], 2 * (end - begin), delta=0.01)
        self.browser.press("-", "-")
        self.assertIsNone(window())

    def test_buttons_have_names_and_work_by_key(self):
        self.show(NESTED)
        self.browser.run("document.querySelector('.button').focus()")
        self.assertEqual(self.state()["focus"], "Search functions and processes")
        self.browser.press("Enter")
        self.browser.type("leaf")
        self.assertIn("30 calls", self.state()["status"])

    def test_a_key_hides_the_brackets(self):
        self.show(NESTED)
        self.assertTrue(self.state()["names"])
        self.browser.press("b")
        self.assertEqual(self.state()["names"], [])
        self.browser.press("b")
        self.assertTrue(self.state()["names"])

    def test_screen_readers_get_names_and_roles(self):
        self.show("-f", NESTED)
        tree = self.browser.devtools("Accessibility.getFullAXTree")["nodes"]
        names = {node.get("name", {}).get("value", "") for node in tree}
        roles = {node.get("role", {}).get("value", "") for node in tree}
        self.assertTrue(any(re.match(r".*predict: 0\.14 s, .* at ", name) for name in names), sorted(names)[:40])
        self.assertIn("Search functions and processes", names)
        self.assertTrue(any("nested.py" in name for name in names))
        self.assertLessEqual({"graphics-document", "graphics-symbol", "button", "status"},
                             {re.sub(r"(?<!^)(?=[A-Z])", "-", role).lower() for role in roles}
                             | {role.lower() for role in roles}, roles)


class Safety(BrowserCase):
    def hostile(self):
        lines = ["CMDLINE " + HOSTILE[1] + " " + HOSTILE[0]]
        lines += [f"PROC 10 1 1000.0000 {HOSTILE[0]}", f"PROC 11 10 1000.0000 {HOSTILE[3]}"]
        lines += [f"MEM {10 + i % 7} {1000 + i}" for i in range(100)]
        lines += [f"CHLD 11 {5 + i % 3} {1000 + i}" for i in range(100)]
        lines += [f"FUNC m.{name} 10 {1001 + 4 * i} 20 {1004 + 4 * i} 0 pid=11 lane={HOSTILE[4]}"
                  for i, name in enumerate(HOSTILE)]
        return self.write("hostile.dat", "\n".join(lines) + "\n")

    def assert_nothing_injected(self):
        self.assertIsNone(self.browser.run("return window.hacked || null"))
        unexpected = self.browser.run("""
            return [...document.querySelectorAll('svg *')].map(node => node.localName).filter(name =>
                !/^(svg|title|desc|style|rect|path|circle|text|tspan|g|metadata|script|foreignObject|input)$/.test(name));""")
        self.assertEqual(unexpected, [])
        self.assertEqual(self.browser.run("return document.querySelectorAll('svg script').length"), 1)

    def test_hostile_names_are_text(self):
        path = self.hostile()
        for options in ([], ["-f"], ["-f", "--by", "function"], ["-t", HOSTILE[1]]):
            with self.subTest(options=options):
                plot = self.show(*options, path)
                tooltip = []
                for box in self.boxes()[::2]:
                    self.browser.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                    tooltip += self.state()["tooltip"]
                if not set(options) & {"-t"}:
                    self.assertIn("m." + HOSTILE[0], tooltip)
                self.zoom(plot.left + 20, plot.middle, plot.left + 300, plot.middle)
                self.browser.press("/")
                self.browser.type("<script>")
                self.assertRegex(self.state()["status"], r"\A[45] calls")
                self.assert_nothing_injected()

    def test_hostile_names_within_a_page(self):
        drawn = self.draw("-f", self.hostile()).read_text()
        page = self.write("page.html", "<!doctype html><meta charset=utf-8><body>" + drawn)
        self.browser.open(page)
        self.assertTrue(self.state()["interactive"])
        box = self.boxes()[0]
        self.browser.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.assertIn("m." + HOSTILE[0], self.state()["tooltip"])
        self.assert_nothing_injected()

    def test_names_of_random_bytes_are_drawn(self):
        random.seed(11)
        lines = [b"CMDLINE " + bytes(random.choices(range(1, 256), k=80)).replace(b"\n", b"?")]
        lines += [b"MEM %d %d" % (10 + i % 7, 1000 + i) for i in range(300)]
        for i in range(250):
            name = bytes(byte for byte in random.choices(range(1, 256), k=random.randint(1, 30)) if byte not in b"\n\r\0")
            lines.append(b"FUNC m." + name + b" 10 %d 12 %d 0" % (1001 + i, 1002 + i))
        path = self.write("bytes.dat", b"\n".join(lines) + b"\n")
        for options in ([], ["-f"]):
            plot = self.show(*options, path)
            self.zoom(plot.left + 20, plot.middle, plot.left + 300, plot.middle)
            self.assertTrue(self.state()["zoomed"])
            self.assert_nothing_injected()

    def test_as_an_image_it_is_drawn(self):
        self.draw("-f", NESTED)
        self.browser.open(self.write("page.html", "<!doctype html><img src='picture.svg'>"))
        self.assertEqual(self.browser.run("const one = document.images[0]; return [one.naturalWidth, one.complete]"),
                         [1260, True])
        self.browser.picture(self.directory / "seen.png")
        colours = subprocess.run([sys.executable, "-c", """
import sys
from matplotlib import image
seen = image.imread(sys.argv[1])
print(len({tuple(p) for p in seen.reshape(-1, seen.shape[2])[::7].round(2).tolist()}))
""", str(self.directory / "seen.png")], capture_output=True, text=True, cwd=self.directory)
        if colours.returncode == 0:
            self.assertGreater(int(colours.stdout), 8, "an empty picture")

    def serve(self, headers):
        """Serves the test's directory over HTTP with these headers; returns the address."""
        class Handler(http.server.SimpleHTTPRequestHandler):
            def end_headers(self):
                for name, value in headers.items():
                    self.send_header(name, value)
                super().end_headers()

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(self.directory)))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        return self.address

    def test_all_is_readable_where_scripts_are_forbidden(self):
        self.draw("-f", NESTED)
        address = self.serve({"Content-Security-Policy": "script-src 'none'"})
        self.browser.open(address + "/picture.svg")
        state = self.state()
        self.assertFalse(state["interactive"])
        self.assertEqual(state["buttons"], [])
        self.assertIn("1.0 s", state["ticks"])
        self.assertTrue(any(text.startswith("predict") for text in state["captions"]))
        titles = self.browser.run("return [...document.querySelectorAll('title')].map(node => node.textContent)")
        self.assertTrue(any(re.match(r".*predict: 0\.14 s", title) for title in titles))
        self.assertTrue(any(re.match(r"[\d.]+ m?s: [\d.]+ MiB", title) for title in titles))
        refused = [message for message in self.browser.messages() if "favicon" not in message]
        self.assertEqual(len(refused), 1, refused)
        self.assertIn("Content Security Policy", refused[0])

    def test_interactive_where_only_inline_script_and_style_are_allowed(self):
        self.draw("-f", NESTED)
        address = self.serve({"Content-Security-Policy":
                              "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"})
        self.browser.open(address + "/picture.svg")
        self.assertTrue(self.state()["interactive"])
        plot = Plot(self.browser)
        self.zoom(plot.x(0.4), plot.middle, plot.x(0.8), plot.middle)
        self.browser.move(plot.x(0.5), plot.middle)
        self.browser.press("/")
        self.browser.type("leaf")
        self.assertTrue(self.state()["tooltip"] and self.state()["hits"])
        self.assertEqual([one for one in self.browser.messages() if "favicon" not in one], [])

    def test_an_edited_file_stays_a_plain_picture(self):
        path = self.draw("-f", NESTED)
        text = path.read_text()
        path.write_text(re.sub(r'<g class="lanes">\n<rect[^\n]*\n', '<g class="lanes">\n', text))
        self.assertNotEqual(path.read_text(), text)
        self.browser.open(path)
        self.assertFalse(self.state()["interactive"])
        self.assertIn("1.0 s", self.state()["ticks"])


class Embedding(BrowserCase):
    def test_colours_follow_the_preferred_scheme(self):
        self.show("-f", NESTED)
        colours = """
            return ['.paper', '.title', '.box', '.tick'].map(name => getComputedStyle(document.querySelector(name)).fill);"""
        light = self.browser.run(colours)
        self.browser.prefer("dark")
        dark = self.browser.run(colours)
        self.assertEqual(light[0], "rgb(255, 255, 255)")
        self.assertEqual(dark[0], "rgb(20, 24, 31)")
        for one, other in zip(light, dark):
            self.assertNotEqual(one, other)

    def test_a_theme_option_overrides_the_preferred_scheme(self):
        paper = "return getComputedStyle(document.querySelector('.paper')).fill"
        for theme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 31)")):
            self.show("--theme", theme, NESTED)
            for scheme in ("light", "dark"):
                self.browser.prefer(scheme)
                self.assertEqual(self.browser.run(paper), colour)

    def test_two_pictures_in_a_page_are_independent(self):
        first = self.draw("-f", "--theme", "light", NESTED).read_text()
        second = self.draw("--theme", "dark", CHILDREN).read_text()
        page = self.write("page.html", "<!doctype html><meta charset=utf-8><style>.title{font-size:40px}</style>"
                          "<body style='margin:0'><p class=title>host</p><p class=box id=host>text</p>"
                          f"<div>{first}</div><div>{second}</div><input id=field>")
        self.browser.open(page)
        self.assertEqual(self.browser.run(
            "return [...document.querySelectorAll('svg')].map(node => node.classList.contains('living'))"), [True, True])
        ids = self.browser.run("return [...document.querySelectorAll('[id]')].map(node => node.id)")
        self.assertEqual(len(ids), len(set(ids)), ids)
        papers = self.browser.run(
            "return [...document.querySelectorAll('.paper')].map(node => getComputedStyle(node).fill)")
        self.assertEqual(papers, ["rgb(255, 255, 255)", "rgb(20, 24, 31)"])
        host = self.browser.run("""
            const style = name => getComputedStyle(document.querySelector(name));
            return [style('p.title').fontSize, style('#host').cursor, style('#host').fill];""")
        self.assertEqual(host, ["40px", "auto", "rgb(0, 0, 0)"])
        # keys typed into the page do not reach the pictures
        self.browser.run("document.querySelector('#field').focus()")
        self.browser.type("/b+")
        self.assertEqual(self.browser.run("return document.querySelector('#field').value"), "/b+")
        zoomed = "return [...document.querySelectorAll('svg')].map(node => node.classList.contains('zoomed'))"
        place = self.browser.run("""
            document.querySelectorAll('svg')[0].scrollIntoView();
            const { x, y } = document.querySelectorAll('svg')[0].getBoundingClientRect(); return [x, y];""")
        self.zoom(place[0] + 300, place[1] + 200, place[0] + 600, place[1] + 210)
        self.assertEqual(self.browser.run(zoomed), [True, False])
        self.browser.press("Escape")
        self.assertEqual(self.browser.run(zoomed), [False, False])

    def test_many_pictures_share_a_script(self):
        """Pictures before and behind the script, and one that is added later."""
        pictures = [self.draw("--embed", *options, name=f"{name}.svg").read_text()
                    for name, options in (("a", ["-f", NESTED]), ("b", [CHILDREN]), ("c", ["--bare", NESTED]))]
        script = self.run_mprof("plot", "--print-script").stdout
        self.assertNotIn("<script", "".join(pictures))
        self.browser.open(self.write("page.html", "<!doctype html><meta charset=utf-8>"
                                     f"{pictures[0]}<script>{script}</script>{pictures[1]}<div id=late></div>"))
        living = "return [...document.querySelectorAll('svg')].map(node => node.classList.contains('living'))"
        self.assertEqual(self.browser.run(living), [True, True])
        self.browser.run("document.querySelector('#late').innerHTML = arguments[0]; mprofStart(); mprofStart();", pictures[2])
        self.assertEqual(self.browser.run(living), [True, True, True])
        self.assertEqual(self.browser.run("return document.querySelectorAll('.readout.pins').length"), 3)
        ids = self.browser.run("return [...document.querySelectorAll('[id]')].map(node => node.id)")
        self.assertEqual(len(ids), len(set(ids)), ids)

    def test_pointing_at_a_scaled_picture(self):
        text = self.draw(NESTED).read_text()
        text = re.sub(r'width="1260" height="540"', 'width="630" height="270"', text, count=1)
        self.browser.open(self.write("half.html", f"<!doctype html><meta charset=utf-8><body style='margin:40px'>{text}"))
        recording = Recording(NESTED)
        plot = Plot(self.browser)
        start = min(recording.mem[0][1], min(call.enter_s for call in recording.calls))
        mib, moment = recording.mem[5]
        self.browser.move(40 + plot.x(moment - start) / 2, 40 + plot.middle / 2)
        self.assertIn(memory_text(mib), "\n".join(self.state()["tooltip"]))

    def test_text_can_be_found_and_selected(self):
        self.show("-f", NESTED)
        self.assertTrue(self.browser.run("return window.find('predict')"))
        self.browser.run("getSelection().selectAllChildren(document.querySelector('.facts'))")
        self.assertIn("51 calls of 4 functions", self.browser.run("return String(getSelection())"))

    def test_small_and_large_pages(self):
        for size in ("300x200", "640x480", "3000x1200"):
            with self.subTest(size=size):
                plot = self.show("-f" if size != "300x200" else "-n", "--size", size, NESTED)
                self.zoom(plot.left + plot.width * 0.2, plot.middle, plot.left + plot.width * 0.4, plot.middle)
                self.assertTrue(self.state()["zoomed"])
                self.browser.press("Escape")

    def test_one_sample_equal_samples_and_a_gap(self):
        for name, text in (("one", "MEM 12.5 1700000000.0\n"), ("equal", "MEM 5 100\nMEM 5 100\n"),
                           ("gap", "".join(f"MEM {i} {100 + i / 10}\n" for i in range(50))
                            + "".join(f"MEM {i} {300 + i / 10}\n" for i in range(50)))):
            with self.subTest(name):
                plot = self.show(self.write("few.dat", text))
                self.browser.move(plot.left + 1, plot.middle)
                self.browser.press("+", "ArrowRight", "-", "Escape")
        self.browser.move(plot.x(100), plot.middle)
        self.assertFalse([line for line in self.state()["tooltip"] if "iB" in line], "a value inside a gap")

    def crowded_pool(self, names, is_noisy=False):
        """Fifty processes with two thousand calls each. is_noisy: no two samples are alike."""
        random.seed(5)
        lines = [re.sub(r"^(CHLD \d+) \S+", lambda found: f"{found[1]} {random.uniform(50, 70):.4f}", line)
                 if is_noisy else line for line in many_processes(50, 1000, True).splitlines()]
        for pid in range(100, 150):
            for i in range(400):  # five calls each
                begin = 1000 + i * 0.25 + random.uniform(0, 0.05)
                lines.append(f"FUNC {random.choice(names)} 20 {begin:.6f} 25 {begin + 0.18:.6f} 0 pid={pid}")
                for n in range(4):
                    lines.append(f"FUNC {random.choice(names)} 20 {begin + 0.045 * n + 0.002:.6f} 22 "
                                 f"{begin + 0.045 * n + 0.04:.6f} 1 pid={pid}")
        return self.write("pool.dat", "\n".join(lines) + "\n")

    def test_fifty_processes_with_a_hundred_thousand_calls_are_a_small_file(self):
        few = [f"app.{verb}" for verb in ("index", "search", "query", "page", "check", "get", "put", "dump", "log", "join")]
        many = [f"app.mod{i // 50}.f{i}" for i in range(2500)]  # forty calls each
        for names, options, is_noisy in (
                (few, [], True), (few, ["--group", "pid"], False), (few, ["--flame"], True), (many, ["--flame"], True),
                (many, ["--flame", "--by", "function"], False)):
            path = self.crowded_pool(names, is_noisy)
            with self.subTest(names=len(names), options=options):
                picture = self.draw(*options, path)
                self.assertLess(picture.stat().st_size, 1_500_000)
                self.browser.open(picture)
                self.assertTrue(self.state()["interactive"])
                # few elements are what makes it open and zoom quickly
                self.assertLess(self.browser.run("return document.querySelectorAll('*').length"), 5000)
                before = self.browser.run(DRAWN)
                self.browser.press("+", "+", "ArrowRight", "Escape")
                self.assertEqual(self.browser.run(DRAWN), before)

    def test_a_million_samples_are_a_small_file(self):
        path = self.directory / "million.dat"
        random.seed(2)
        with open(path, "w", encoding="ascii") as out:
            out.write("CMDLINE x\n")
            level = 500.0
            for i in range(1_000_000):
                level = max(10.0, level + random.uniform(-3, 3))
                out.write(f"MEM {level:.6f} {1.7e9 + i / 10:.4f}\n")
        picture = self.draw(path)
        # 1/500 of upstream's 92 MB: docs/benchmarks.md
        self.assertLess(picture.stat().st_size, 92_000_000 / 500)
        self.browser.open(picture)
        plot = Plot(self.browser)
        self.browser.move(plot.left + 600, plot.middle)
        self.assertEqual(self.state()["hair"], 1)
        self.browser.press("+", "+", "+", "Escape")


if __name__ == "__main__":
    unittest.main()
