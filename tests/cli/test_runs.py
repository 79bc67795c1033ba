"""Children that upstream numbered from 0, and several runs of a program in one file (B11): pictures, `peak` and
`list`."""

import os
import pathlib
import pty
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mprof_test import DEADLINE_S, FIXTURES, MPROF, upstream  # noqa: E402
from test_plot import SVG, PlotCase, Svg  # noqa: E402

NUMBERED = FIXTURES / "dat" / "numbered-children.dat"
APPENDED = FIXTURES / "dat" / "appended-runs.dat"
START = 1795330000


def run(command, start, memory, step=1.0, children=()):
    """The lines of a run; children: {number: [memory at each tick]}."""
    lines = [f"CMDLINE {command}"]
    for i, mib in enumerate(memory):
        at = start + i * step
        lines.append(f"MEM {mib:.6f} {at:.4f}")
        lines += [f"CHLD {number} {values[i]:.6f} {at + 0.01:.4f}" for number, values in dict(children).items()
                  if values[i] is not None]
    return "\n".join(lines) + "\n"


def path_points(element):
    """Corners of a path, of absolute and relative commands."""
    points, x, y = [], 0.0, 0.0
    for command, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", element.get("d")):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", text)]
        while numbers or command in "zZ":
            if command in "zZ":
                break
            if command in "hH":
                x, numbers = (numbers[0] + (x if command == "h" else 0)), numbers[1:]
            elif command in "vV":
                y, numbers = (numbers[0] + (y if command == "v" else 0)), numbers[1:]
            else:
                base = (x, y) if command.islower() else (0, 0)
                x, y, numbers = base[0] + numbers[0], base[1] + numbers[1], numbers[2:]
                command = {"M": "L", "m": "l"}.get(command, command)
            points.append((x, y))
    return points


class NumberedChildren(PlotCase):
    def test_all_have_curves_and_names(self):
        read = upstream().read_mprofile_file(str(NUMBERED))
        names = {f"child {number}" for number in read["children"]}
        svg = self.plot_svg("-n", NUMBERED)
        self.assertIn("child 0", names)
        self.assertLessEqual(names, set(svg.texts("legend-name")))
        tooltips = {"".join(e.itertext()) for e in svg.of_class("child")}
        self.assertLessEqual(names, tooltips)
        self.assertIn(f"{len(names) + 1} processes", svg.texts("facts")[0])
        self.assertNotRegex(" ".join(svg.all_texts()), r"\bpid\b")

    def test_their_peaks_are_upstreams(self):
        read = upstream().read_mprofile_file(str(NUMBERED))
        printed = self.run_mprof("peak", NUMBERED).stdout
        for number, samples in read["children"].items():
            self.assertIn(f"  Child {number}\t\t\t{max(mib for mib, _ in samples):.3f} MiB\n", printed)

    def test_a_stack_adds_up(self):
        children = {n: [None] * 10 + [50.0 + n] * 30 for n in range(4)}
        path = self.write("x.dat", run("x", START, [100.0] * 10 + [306.0] * 30, children=children))
        svg = self.plot_svg("--stack", path)
        heights = {"".join(e.itertext()): path_points(e) for e in svg.of_class("layer")}
        self.assertEqual(set(heights), {"main", "child 0", "child 1", "child 2", "child 3"})
        height = {name: max(max(y for x, y in points if abs(x - at) < 0.2) - min(y for x, y in points if abs(x - at) < 0.2)
                            for at, _ in points) for name, points in heights.items()}
        self.assertAlmostEqual(height["child 0"] / height["main"], 0.5, delta=0.01)
        self.assertAlmostEqual(height["child 3"] / height["main"], 0.53, delta=0.02)

    def test_a_vanished_child_is_no_process(self):
        path = self.write("x.dat", run("x", START, [9.0] * 5, children={0: [0.0] * 5, 77: [5.0] * 5}))
        svg = self.plot_svg(path)
        self.assertIn("2 processes", svg.texts("facts")[0])
        self.assertIn("pid 77", svg.texts("legend-name"))
        self.assertNotIn("child 0", svg.all_texts())


class Runs(PlotCase):
    def three(self):
        """The second has an interval ten times longer, the third children."""
        return self.write("x.dat", run("python3 a.py", START, [10.0, 20.0, 30.0] * 20, 0.1)
                          + run("python3 a.py", START + 300, [40.0, 50.0, 60.0] * 4, 1)
                          + run("python3 a.py", START + 900, [90.0] * 20, 0.5,
                                {0: [20.0] * 20, 1: [None] * 5 + [30.0] * 15}))

    def test_a_sum_is_not_called_the_main_process(self):
        """Upstream does not record whether MEM is a sum: the children show it."""
        summed = run("x", START, [10.0] * 10 + [80.0] * 10, children={0: [None] * 10 + [35.0] * 10, 1: [None] * 10 + [35.0] * 10})
        alone = run("x", START + 100, [10.0] * 20, children={0: [None] * 10 + [5.0] * 10})
        svg = self.plot_svg(self.write("x.dat", summed + alone))
        self.assertRegex(svg.texts("facts")[0], r"peak 80\.0\sMiB in run 1")
        names = svg.texts("peak-name")
        self.assertTrue([name for name in names if re.match(r"peak 80\.0\sMiB at", name)], names)
        self.assertTrue([name for name in names if name.startswith("peak of the main process 10.0")], names)

    def test_the_peak_of_a_stack_is_that_of_its_outline(self):
        text = "".join(run("x", START + n * 100, [10.0] * 20, children={0: [None] * 10 + [30.0 + n] * 10}) for n in range(2))
        svg = self.plot_svg("--stack", self.write("x.dat", text))
        for mib in ("40", "41"):
            self.assertTrue([name for name in svg.texts("peak-name") if re.match(rf"peak of all processes {mib}\.0\sMiB", name)],
                            svg.texts("peak-name"))

    def test_laid_over_each_other(self):
        svg = self.plot_svg(self.three())
        self.assertEqual(len(svg.of_class("curve")), 3)  # none is in pieces
        self.assertEqual(svg.texts("title"), ["python3 a.py"])
        facts = svg.texts("facts")[0]
        self.assertIn("3 runs", facts)
        self.assertRegex(facts, r"peak [^·]*90\.0\sMiB in run 3")
        names = svg.texts("legend-name")
        for number in (1, 2, 3):
            self.assertTrue(any(re.fullmatch(rf"run {number} of 3, \d\d:\d\d:\d\d", name) for name in names), names)
        # from a common start, not hours apart
        for curve in svg.of_class("curve"):
            self.assertLess(min(x for x, _ in path_points(curve)), 100)

    def test_slopes_on_one_axis(self):
        path = self.write("x.dat", run("x", START, [10.0 + i for i in range(20)])
                          + run("x", START + 100, [60.0 - i for i in range(20)]))
        svg = self.plot_svg("--slope", "--as-one", path)
        curves = [path_points(e) for e in svg.of_class("curve") if e.find(SVG + "title") is not None]
        for slope, curve in zip(svg.of_class("slope"), curves):  # all samples are on a line
            for (x, y), (curve_x, curve_y) in zip(path_points(slope), (curve[0], curve[-1])):
                self.assertAlmostEqual(x, curve_x, delta=0.5)
                self.assertAlmostEqual(y, curve_y, delta=0.5)
        self.assertEqual(len(curves), 2)

    def test_on_one_axis(self):
        svg = self.plot_svg("--as-one", self.three())
        starts = sorted(min(x for x, _ in path_points(curve)) for curve in svg.of_class("curve")
                        if curve.find(SVG + "title") is not None)  # the others are in the legend
        self.assertEqual(len(starts), 3)
        self.assertLess(starts[0], 100)
        self.assertGreater(starts[2], 1100)

    def test_a_stack_shows_every_run(self):
        svg = self.plot_svg("--stack", self.three())
        layers = svg.of_class("layer")
        names = ["".join(e.itertext()) for e in layers]
        self.assertEqual(names.count("main"), 3)
        self.assertIn("child 0", names)
        self.assertIn("child 1", names)

    def test_a_window_counts_from_each_start(self):
        svg = self.plot_svg("-w", "6,9", self.three())
        self.assertEqual(len(svg.of_class("curve")), 2)  # the first lasted six seconds
        self.assertIn("2 of 3 runs", svg.texts("facts")[0])
        svg = self.plot_svg("-w", "900,905", "--as-one", self.three())
        self.assertIn("run 3 of 3", svg.texts("facts")[0])
        self.assertEqual(len(svg.of_class("child")), 2)
        self.assertRegex(svg.texts("peak-name")[0], r"90\.0\sMiB at 15\smin")
        self.assert_fails("-w", "600,700", "-o", "none.svg", self.three(),
                          says="no sample of memory within the window")

    def test_only_one_run(self):
        path = self.three()
        svg = self.plot_svg("--run", "3", "--stack", path)
        self.assertIn("run 3 of 3", svg.texts("facts")[0])
        self.assertEqual(len(svg.of_class("layer")), 3)
        self.assertIn("run 1 of 3", self.plot_svg("--run", "1", path).texts("facts")[0])
        other = self.write("y.dat", run("other", START, [5.0, 6.0] * 5))
        self.plot_svg("--run", "1", other)
        self.assert_fails("--run", "4", "-o", "none.svg", path, says="there is no run 4: the file has 3")
        self.assert_fails("--run", "2", "-o", "none.svg", other, says="there is no run 2: the file has 1")
        for number in ("0", "-1", "x", "2.5"):
            self.assert_fails("--run=" + number, "-o", "none.svg", path, expect=2,
                              says=r"--run must be the number of a run, 1 or more, not '" + re.escape(number))

    def test_runs_that_are_too_narrow_on_one_axis(self):
        path = self.three()
        done = self.run_mprof("plot", "--stack", "-o", "o.svg", path)
        self.assertEqual(done.stderr, f"mprof: {path}: its runs are far apart, so some are narrow: --run N draws only one\n"
                         "mprof: --stack: needs one recording, or --as-one: the curves are drawn without layers\n")
        for options in (["--as-one"], ["--stack", "-w", "900,905"], ["--stack", "--run", "1"], []):
            self.assertEqual(self.run_mprof("plot", *options, "-o", "o.svg", path).stderr, "")

    def test_with_other_files(self):
        path = self.three()
        other = self.write("y.dat", run("other", START, [5.0, 6.0] * 5))
        svg = self.plot_svg(path, other)
        names = svg.texts("legend-name")
        self.assertEqual(svg.texts("title"), ["4 recordings"])
        self.assertIn("y.dat", names)
        self.assertTrue(any(re.fullmatch(r"x\.dat, run 2 of 3, \d\d:\d\d:\d\d", name) for name in names), names)

    def test_flame_chart_and_each(self):
        path = self.write("x.dat", run("x", START, [5.0] * 9) + f"FUNC m.f 5 {START + 1} 6 {START + 5} 0\n"
                          + run("x", START + 99, [5.0] * 9) + f"FUNC m.g 5 {START + 100} 6 {START + 105} 0\n")
        svg = self.plot_svg("--flame", path)
        groups = svg.texts("lane-group")
        self.assertTrue(any(name.startswith("run 1 of 2") for name in groups), groups)
        self.assertTrue(any(name.startswith("run 2 of 2") for name in groups), groups)
        self.assertEqual(len(svg.of_class("box")) + len(svg.of_class("box-fine")), 2)
        self.run_mprof("plot", "--each", "-o", "out", path)
        self.assertIn("2 runs", Svg(self.directory / "out" / "x.svg").texts("facts")[0])

    def test_from_a_pipe(self):
        done = subprocess.run([MPROF, "plot", "-o", self.directory / "p.svg", "-"],
                              input=self.three().read_bytes(), capture_output=True, timeout=DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn("3 runs", Svg(self.directory / "p.svg").texts("facts")[0])

    def test_calls_before_their_command_line(self):
        """memory_profiler wrote the calls of a short run before the rest."""
        path = self.write("x.dat", f"FUNC m.f 5 {START + 1} 6 {START + 2} 0\n" + run("x", START, [5.0] * 5)
                          + f"FUNC m.f 5 {START + 101} 6 {START + 103} 0\n" + run("x", START + 100, [5.0] * 5))
        svg = self.plot_svg("--flame", path)
        self.assertEqual(len(svg.of_class("box")) + len(svg.of_class("box-fine")), 2)
        self.assertIn("run 2 of 2", " ".join(svg.texts("lane-group")))

    def test_a_run_without_a_sample_is_reported(self):
        path = self.write("x.dat", run("x", START, [5.0] * 5) + "CMDLINE y\n" + run("x", START + 9, [6.0] * 5))
        done = self.run_mprof("peak", "--exact", path)
        self.assertIn("1 line skipped: a command without a sample (line 7)", done.stderr)
        self.assertIn("Run 2 of 2", done.stdout)

    def test_many_runs(self):
        text = "".join(run("x", START + 10 * n, [n + 1.0] * 3) for n in range(1200))
        path = self.write("x.dat", text)
        done = self.run_mprof("plot", "-o", "o.png", path)
        self.assertEqual(done.stderr, f"mprof: {path}: only the last 1000 of 1200 runs are drawn\n")


class Gaps(PlotCase):
    """A pause of more than eight of the intervals around it is a gap."""

    def pieces(self, times):
        """Of the curve, and how many samples are in none."""
        path = self.write("x.dat", "CMDLINE x\n" + "".join(
            f"MEM {5 + i % 2} {START + at:.4f}\n" for i, at in enumerate(times)))
        svg = self.plot_svg("--size", "4000x400", path)
        lines = [path_points(e) for name in ("curve", "curve-fine") for e in svg.of_class(name)]
        return len(lines), len(times) - sum(map(len, lines))

    def test_slow_part_of_a_fast_recording(self):
        times = [i * 0.1 for i in range(300)] + [30 + i * 2.0 for i in range(10)]
        self.assertEqual(self.pieces(times), (1, 0))

    def test_pause_in_a_fast_part_of_a_slow_recording(self):
        times = [i * 5.0 for i in range(60)] + [300 + i * 0.1 for i in range(20)] + [310 + i * 0.1 for i in range(20)]
        self.assertEqual(self.pieces(times), (2, 0))

    def test_pause_between_equal_parts(self):
        times = [i * 0.1 for i in range(30)] + [20 + i * 0.1 for i in range(30)]
        self.assertEqual(self.pieces(times), (2, 0))

    def test_pause_where_the_interval_changes(self):
        times = [i * 0.1 for i in range(30)] + [20 + i for i in range(30)]
        self.assertEqual(self.pieces(times), (2, 0))

    def test_calls_between_samples_are_no_intervals(self):
        lines = [f"MEM 5 {START + i}" for i in range(20)]
        lines += [f"FUNC m.f 5 {START + 5 + i / 100} 5 {START + 5.005 + i / 100} 0" for i in range(90)]
        svg = self.plot_svg(self.write("x.dat", "CMDLINE x\n" + "\n".join(lines) + "\n"))
        self.assertEqual(len(svg.of_class("curve") + svg.of_class("curve-fine")), 1)


class Listed(PlotCase):
    def setUp(self):
        super().setUp()
        self.name = "mprofile_20260101120000.dat"
        self.write(self.name, run("python3 a.py", START, [10.0, 20.0, 5.0])
                   + run("python3 b.py --long", START + 300, [40.0] * 4, 1, {0: [5.0] * 4}))
        self.write("mprofile_20260101120001.dat", run("sleep 1", START, [1.0] * 200))
        self.write("mprofile_20260101120002.dat", "CMDLINE x\n")

    def on_terminal(self, *arguments):
        parent, child = pty.openpty()
        process = subprocess.Popen([MPROF, *arguments], cwd=self.directory, stdout=child, stderr=child,
                                   env=self.environment(TZ="UTC"))
        os.close(child)
        text = b""
        while True:
            try:
                block = os.read(parent, 4096)
            except OSError:
                break
            if not block:
                break
            text += block
        os.close(parent)
        self.assertEqual(process.wait(DEADLINE_S), 0)
        return text.decode().replace("\r\n", "\n")

    def test_long(self):
        done = self.run_mprof("list", "--long", env=self.environment(TZ="UTC"))
        lines = done.stdout.splitlines()
        self.assertEqual(done.stderr, "")
        self.assertEqual(lines[0].split(), ["file", "run", "started", "peak", "lasted", "processes", "command"])
        self.assertRegex(lines[1], rf"^0  {self.name}  1 of 2  2026-11-22 06:46:40  20\.0 MiB  +2\.0 s +1  python3 a\.py$")
        self.assertRegex(lines[2], rf"^0  {self.name}  2 of 2  2026-11-22 06:51:40  40\.0 MiB\*  +3\.0 s +2  python3 b\.py --long$")
        self.assertRegex(lines[3], r"^1  mprofile_20260101120001\.dat +2026-11-22 06:46:40 +1\.0 MiB  +3 min 19 s +1  sleep 1$")
        self.assertRegex(lines[4], r"^2  mprofile_20260101120002\.dat .* \(no sample of memory\)$")
        self.assertEqual(lines[5:], ["* the highest of several runs"])

    def test_short(self):
        self.assertEqual(self.run_mprof("list").stdout.splitlines()[0], f"0 {self.name} 12:00:00 01/01/2026")
        self.assertEqual(self.on_terminal("list").splitlines(),
                         [f"0 {self.name} 12:00:00 01/01/2026 2 runs",
                          "1 mprofile_20260101120001.dat 12:00:01 01/01/2026",
                          "2 mprofile_20260101120002.dat 12:00:02 01/01/2026"])

    def test_peak(self):
        plain = f"{self.name}\t40.000 MiB\n  Child 0\t\t\t5.000 MiB\n"
        runs = "  Run 1 of 2, 06:46:40\t\t20.000 MiB\n  Run 2 of 2, 06:51:40\t\t40.000 MiB\thighest\n"
        self.assertEqual(self.run_mprof("peak", "0").stdout, plain)
        self.assertEqual(self.run_mprof("peak", "--exact", "0", env=self.environment(TZ="UTC")).stdout, plain + runs)
        self.assertEqual(self.on_terminal("peak", "0"), plain + runs)

    def test_removal(self):
        self.run_mprof("rm", "0")
        self.assertFalse((self.directory / self.name).exists())
        self.run_mprof("clean")
        self.assertEqual([p.name for p in self.directory.glob("*.dat")], [])


class LikeUpstream(PlotCase):
    def test_appended_recordings(self):
        """Upstream reads the file as one: its numbers are those of all runs."""
        read = upstream().read_mprofile_file(str(APPENDED))
        printed = self.run_mprof("peak", APPENDED).stdout
        self.assertTrue(printed.startswith(f"{APPENDED}\t{max(read['mem_usage']):.3f} MiB\n"))
        exact = self.run_mprof("peak", "--exact", APPENDED).stdout
        peaks = [float(p) for p in re.findall(r"Run \d+ of \d+, [\d:]+\t\t([\d.]+) MiB", exact)]
        self.assertEqual(len(peaks), APPENDED.read_text().count("CMDLINE"))
        self.assertAlmostEqual(max(peaks), max(read["mem_usage"]), places=3)


if __name__ == "__main__":
    unittest.main()
