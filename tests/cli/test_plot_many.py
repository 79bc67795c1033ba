"""Pictures of many: --band, --small-multiples, --heat. Each is drawn in every format and from recordings of every kind;
options that make no sense together are refused in one line, before a file is read."""

import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
import png_file  # noqa: E402
from mprof_test import FIXTURES, MPROF, check_svg, png_size  # noqa: E402

START = 1_700_000_000
FORMS = ("--band", "--small-multiples", "--heat")
CHILDREN = FIXTURES / "dat" / "article-gunicorn-CM.dat"


def processes(count, ticks=50, outlier=1):
    """Processes that rise to 10, 20, 30 ... MiB."""
    lines = ["CMDLINE ./solver", "FACT pid 1", "FACT include-children no"]
    for tick in range(ticks):
        at = f"{START + tick / 10:.1f}"
        lines.append(f"MEM 1.0 {at}")
        lines += [f"CHLD {100 + i} {10 * i * tick / ticks * (outlier if i == count - 1 else 1):.3f} {at}"
                  for i in range(1, count)]
    return "\n".join(lines) + "\n"


def short_ones(count):
    """Processes that live for three ticks each, one after the other, four at once."""
    lines = ["CMDLINE make", "FACT pid 1", "FACT include-children no"]
    for tick in range(count // 4 + 3):
        at = f"{START + tick / 10:.1f}"
        lines.append(f"MEM 5.0 {at}")
        for born in range(max(0, tick - 2), min(tick + 1, count // 4)):
            lines += [f"CHLD {1000 + 4 * born + i} {10 + (born * 7 + i) % 40}.5 {at}" for i in range(4)]
    return "\n".join(lines) + "\n"


def merged(ranks, killed=()):
    """What `mprof merge` writes, of one process for each rank. killed: ranks that the out-of-memory killer ended after
    2 s."""
    lines, facts = ["CMDLINE mpirun ./solver"], ["#FACT|format|2 nan nan", "#FACT|include-children|yes nan nan"]
    for r in range(ranks):
        facts += [f"#RANK|{1000 * r + 1}|{1000 * r + 999}|{START}.0|{START + 4}.0|{10 * (r + 1)}|pid={1000 * r + 500}"
                  f"|host=node{r // 8}|rank={r} nan nan", f"#PROC|{1000 * r + 500}|1|{START}.0|solver nan nan"]
    for tick in range(40):
        at = f"{START + tick / 10:.1f}"
        own = [10 * (r + 1) * (tick + 1) / 40 for r in range(ranks)]
        lines.append(f"MEM {sum(own):.6f} {at}")
        lines += facts if tick == 0 else []
        lines += [f"CHLD {1000 * r + 500} {own[r]:.6f} {at}" for r in range(ranks) if r not in killed or tick <= 20]
    lines += [f"#EXIT|{1000 * r + 500}|{START + 2}.0|oom|9 nan nan" for r in killed]
    return "\n".join(lines) + "\n"


def path_points(path):
    """The points of a path of absolute and relative lines."""
    points, x, y = [], 0.0, 0.0
    for letter, numbers in re.findall(r"([MLlHhVv])([^A-Za-z]*)", path):
        values = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
        for i in range(0, len(values), 2):
            x, y = (values[i], values[i + 1]) if letter in "ML" else (x + values[i], y + values[i + 1])
            points.append((x, y))
    return points


class Many(mprof_test.TestCase):
    def write(self, name, text):
        (self.directory / name).write_text(text)
        return name

    def draw(self, *options, name="out.svg"):
        done = self.run_mprof("plot", *options, "-o", name)
        self.assertEqual(done.stderr, "")
        return (self.directory / name).read_bytes()

    def text(self, *options):
        svg = self.draw(*options).decode()
        check_svg(self.directory / "out.svg")
        return re.sub(r"\s+", " ", " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)))

    def test_what_makes_no_sense_together(self):
        for options, says in (
                (["--band", "--heat"], "--band, --small-multiples, --heat and --tree are different pictures: choose one"),
                (["--heat", "--flame"], "--heat does not show what --flame asks for: leave one out"),
                (["--band", "--stack"], "--band does not show what --stack asks for: leave one out"),
                (["--small-multiples", "-s"], "--small-multiples does not show what --slope asks for: leave one out"),
                (["--heat", "--memory", "pss"], "--heat does not show what --memory asks for: leave one out"),
                (["--heat", "--group", "pid"], "--heat does not show what --group asks for: leave one out"),
                (["--band", "--func", "x"], "--band does not show what --func asks for: leave one out"),
                (["--heat", "--limit", "5"], "--heat does not show what --limit, --line or --mark asks for: leave one out"),
                (["--by", "host"], "--by host is for --band, --small-multiples and --heat: add one"),
                (["--heat", "--by", "function"], "--by function is for --flame; --heat compares processes, ranks, hosts, "
                                                 "recordings or commands")):
            with self.subTest(options=options):
                done = self.run_mprof("plot", *options, "no-such-file.dat", "-o", "out.svg", expect=2)
                self.assertEqual(done.stderr, f"mprof plot: {says}\n")

    def test_every_format_theme_and_size(self):
        self.write("a.dat", processes(30))
        for form in FORMS:
            for suffix in ("svg", "svg.gz", "png", "pdf", "eps"):
                self.draw(form, "a.dat", name=f"out.{suffix}")
            check_svg(self.directory / "out.svg")
            for options in (["--theme", "dark"], ["--theme", "paper"], ["--size", "400x260"], ["--size", "300x150", "--bare"],
                            ["--log"], ["--unit", "GB"], ["--ylim", "0,100"], ["-w", "1,3"], ["--xlim", "2,"],
                            ["--transparent"], ["--no-legend"], ["--colors", "red"], ["--dpi", "180"], ["--by", "command"]):
                with self.subTest(form=form, options=options):
                    self.draw(form, *options, "a.dat", name="out.png")
                    self.assertGreaterEqual(png_size(self.directory / "out.png")[0], 300)
                    self.draw(form, *options, "--no-script", "a.dat")
                    check_svg(self.directory / "out.svg")
        self.draw("--band", "--limit", "100", "--mark", "2:half", "a.dat")
        done = self.run_mprof("plot", "--small-multiples", "--size", "100x60", "a.dat", "-o", "x.png", expect=1)
        self.assertEqual(done.stderr, "mprof: a page of 100 x 60 pixels is too small: make it larger\n")

    def test_small_multiples_of_five_hundred(self):
        self.write("a.dat", processes(500))
        words = self.text("--small-multiples", "a.dat")
        for i in range(1, 500):
            self.assertIn(f"pid {100 + i} ", words)
        self.assertLess((self.directory / "out.svg").stat().st_size, 700_000)
        self.draw("--small-multiples", "a.dat", name="out.png")
        self.assertEqual(png_size(self.directory / "out.png")[0], 1260)

    def test_ten_thousand_rows(self):
        self.write("a.dat", short_ones(10000))
        words = self.text("--heat", "a.dat")
        self.assertIn("10,001 processes", words)
        self.assertIn("A row is the highest of 10 processes", words)
        self.assertLess((self.directory / "out.svg").stat().st_size, 1_500_000)
        words = self.text("--small-multiples", "a.dat")
        self.assertRegex(words, r"No room for 7,\d+ more processes, up to [\d.]+ MiB each")

    def test_one_far_above_the_others(self):
        self.write("a.dat", processes(30, outlier=100))
        self.assertIn("1 is above it", self.text("--small-multiples", "a.dat"))
        self.assertIn("Last colour: above that", self.text("--heat", "a.dat"))
        self.assertNotIn("above it", self.text("--small-multiples", "--log", "a.dat"))

    def test_one_process(self):
        self.write("a.dat", "CMDLINE x\n" + "".join(f"MEM {i} {START + i}\n" for i in range(1, 20)))
        for form in FORMS:
            with self.subTest(form=form):
                words = self.text(form, "a.dat")
                self.assertIn("1 process ", words)
                self.assertIn("19.0 MiB", words)

    def test_ranks(self):
        self.write("job.dat", merged(20))
        svg = self.draw("job.dat").decode()
        self.assertIn('class="band"', svg)
        words = self.text("job.dat")
        self.assertIn("20 ranks on 3 hosts", words)
        self.assertIn("highest: rank 19 on node2, 200.0 MiB", words)
        for options in (["--group", "pid"], ["--group", "none"], ["--stack"], ["--flame"], ["--slope"]):
            self.assertNotIn('class="band"', self.draw(*options, "job.dat").decode())
        words = self.text("--stack", "job.dat")  # there is no main process beside the ranks
        self.assertIn("node2/19 solver", words)
        self.assertNotIn("main", words)
        self.write("few.dat", merged(8))
        self.assertNotIn('class="band"', self.draw("few.dat").decode())
        words = self.text("--heat", "--by", "host", "job.dat")
        self.assertIn("3 hosts", words)
        self.assertIn("highest: node1, 0.98 GiB", words)  # ranks 8 to 15: 1,000 MiB

    def test_commands_of_ranks(self):
        self.write("job.dat", merged(20))
        words = self.text("--heat", "--by", "command", "job.dat")
        self.assertIn("1 command", words)
        self.assertIn("solver \u00d720", words)
        words = self.text("--group", "command", "job.dat")
        self.assertIn("solver \u00d720", words)
        self.assertNotIn("node1/", words)

    def test_ranks_of_recordings_that_are_not_merged(self):
        for number, (host, rank) in enumerate((("a", 0), ("a", 1), ("b", 0), ("b", 2))):
            facts = f"FACT pid 1\nFACT host {host}\nFACT rank {rank}\n"
            self.write(f"{number}.dat", processes(3).replace("FACT pid 1\n", facts))
        words = self.text("--small-multiples", "--by", "rank", "0.dat", "1.dat", "3.dat")
        self.assertIn("3 ranks", words)
        for name in ("rank 0", "rank 1", "rank 2"):
            self.assertIn(name, words)
        self.assertNotIn("no rank", words)
        words = self.text("--small-multiples", "--by", "rank", "0.dat", "1.dat", "2.dat", "3.dat")
        self.assertIn("4 ranks", words)
        for name in ("rank a/0", "rank 1", "rank b/0", "rank 2"):  # two ranks 0
            self.assertIn(name, words)
        self.write("none.dat", processes(3))
        self.assertIn("no rank", self.text("--heat", "--by", "rank", "0.dat", "none.dat"))

    def test_median_of_two(self):
        for peak in (10, 30):
            self.write(f"{peak}.dat", f"CMDLINE x\nMEM {peak} {START}.0\nMEM {peak} {START + 1}.0\n")
        self.assertIn("median 20.0 MiB", self.text("--heat", "10.dat", "30.dat"))

    def test_several_recordings(self):
        for i in range(12):
            self.write(f"run{i:02d}.dat", processes(3 + i))
        files = [f"run{i:02d}.dat" for i in range(12)]
        words = self.text("--small-multiples", *files, "--label", "run03.dat=the third")
        self.assertIn("12 recordings", words)
        self.assertIn("the third", words)
        self.assertIn("run11 ", words)
        self.assertIn("102 processes", self.text("--heat", "--by", "process", *files))
        self.assertIn("run05", self.text("--band", *files[:6]))

    def test_more_recordings_than_descriptors(self):
        for i in range(600):
            self.write(f"r{i:03d}.dat", f"CMDLINE x\nMEM {10 + i % 50} {START + i}\nMEM {20 + i % 50} {START + i + 5}\n")
        files = sorted(path.name for path in self.directory.glob("r*.dat"))
        for form in FORMS:
            done = subprocess.run(["sh", "-c", "ulimit -n 300; exec \"$@\"", "sh", MPROF, "plot", form, "--xlim", "1,",
                                   "-o", "out.svg", *files], cwd=self.directory, env=self.environment(),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("600 recordings", (self.directory / "out.svg").read_text())

    def test_parts_that_did_not_run_are_blank(self):
        """A pause, and a process that begins late and ends early: neither is 0."""
        lines = ["CMDLINE x", "FACT pid 1", "FACT include-children no"]
        for tick in range(100):
            if not 40 <= tick < 60:
                lines.append(f"MEM 50 {START + tick}")
                if 20 <= tick < 80:
                    lines.append(f"CHLD 7 90 {START + tick}")
        self.write("a.dat", "\n".join(lines) + "\n")
        svg = self.draw("--small-multiples", "a.dat", "--no-script").decode()
        paths = re.findall(r'<path class="(member(?:-worst)?)" d="([^"]*)"', svg)
        self.assertEqual([name for name, _ in paths], ["member-worst"] * 2 + ["member"] * 2)

    def test_bad_ends(self):
        """A red dot in a row, in its own place of the time, and a sign in a terminal."""
        self.write("job.dat", merged(20, killed=(3, 17)))
        svg = self.draw("--heat", "--no-script", "job.dat").decode()
        heat = svg[svg.index('class="heat"'):]
        dots = re.findall(r'<circle class="member-end" cx="([\d.]+)" cy="([\d.]+)"', heat[:heat.index("</g>")])
        self.assertEqual(len(dots), 2)
        self.assertEqual(len({x for x, _ in dots}), 1)
        self.assertIn("Red dot: an abnormal end.", self.text("--heat", "job.dat"))
        self.assertNotIn("Red dot", self.text("--heat", "-w", "0,1", "job.dat"))
        lines = self.terminal("--heat", "job.dat")
        for rank in (3, 17):
            (line,) = [line for line in lines if f"rank {rank} " in line]
            self.assertIn("\u00d7 killed: out of memory", line)
        self.assertEqual(sum("\u00d7" in line for line in lines), 2)

    def test_sums_of_peaks_name_what_has_them(self):
        self.write("job.dat", merged(20))
        self.assertRegex(self.text("--heat", "job.dat"), r"sum of the peaks 2\.05 GiB")
        for kind in ("host", "process", "command"):
            self.assertRegex(self.text("--heat", "--by", kind, "job.dat"), r"sum of the peaks of all ranks 2\.05 GiB")

    def test_curves_end_at_the_edges_of_a_range_of_memory(self):
        self.write("job.dat", merged(20))
        for form in ("--band", "--heat"):
            with self.subTest(form=form):
                svg = self.draw(form, "--ylim", "40,60", "--no-script", "--size", "800x400", "job.dat").decode()
                plot = re.search(r'<clipPath id="[^"]*"><rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg)
                top, height = map(float, plot.groups())
                curves = re.search(r'<g class="curves" clip-path="[^"]*">(.*?)</g>', svg, re.S)[1]
                (mean,) = re.findall(r'<path class="curve" d="M[\d.]+[ ,](-?[\d.]+)', curves)
                self.assertGreater(float(mean), top + height + 20, "it begins far below the range")
                self.assertNotRegex(svg, r'<circle class="peak-dot"')

    def test_other_pictures_have_no_rules_for_members(self):
        svg = self.draw(CHILDREN, name="other.svg").decode()
        self.assertIn(".child{", svg)
        self.assertNotIn("member", re.search(r"<style>.*?</style>", svg, re.S)[0])

    def test_curves_end_at_the_edges_of_their_panel(self):
        """Neither along the upper nor along the lower edge; the area under such a curve has no outline."""
        self.write("job.dat", merged(20))
        for options in (["--ylim", "40,60"], ["--ylim", "40,60", "--log"], ["--ylim", "40,60", "--theme", "paper"]):
            with self.subTest(options=options):
                svg = self.draw("--small-multiples", *options, "--no-script", "--size", "800x400", "job.dat").decode()
                panels = svg[svg.index('<g class="panels">'):].split('<rect class="member-field"')[1:]
                self.assertEqual(len(panels), 20)
                cut = 0
                for rank, panel in zip(reversed(range(20)), panels):
                    x, y, width, height = (float(re.search(rf'\b{name}="([\d.]+)"', panel)[1])
                                           for name in ("x", "y", "width", "height"))
                    top, bottom = y + 16, y + height
                    lines = re.findall(r'<path class="(member(?:-line|-median)?(?:-worst)?)" d="([^"]*)"', panel)
                    paths = [(name, path_points(d)) for name, d in lines]
                    cut += sum(name.startswith("member-line") for name, _ in paths)
                    for name, points in paths:
                        for at, point in zip(points, points[1:]):
                            self.assertTrue(top - 0.1 <= point[1] <= bottom + 0.1, (rank, name, point, top, bottom))
                            for edge in (top, bottom):
                                self.assertFalse(all(abs(p[1] - edge) < 0.1 for p in (at, point)) and point[0] - at[0] > 1,
                                                 f"{name} of rank {rank} runs along an edge")
                # ranks 0 to 3 stay below, 4 and 5 end in the range, the others rise through it and fall at their end
                self.assertEqual(cut, 2 + 2 * 14)
                areas = re.findall(r'<path class="member-area(?:-worst)?" d="([^"]*)"', svg)
                self.assertEqual(len(areas), 20)

    def test_eight_hosts_differ_in_print(self):
        """Layers by patterns, curves by dashes, also where the picture is of pixels."""
        self.write("job.dat", merged(64))
        svg = self.draw("--group", "host", "--stack", "--theme", "paper", "job.dat").decode()
        layers = set(re.findall(r'<path class="layer (c\d+)"', svg))
        self.assertEqual(len(layers), 8)
        fills = {re.search(rf"\.layer\.{layer}{{[^}}]*;fill:([^;}}]*);}}", svg)[1] for layer in layers}
        self.assertEqual(len(fills), 8)
        for fill in fills:
            if name := re.fullmatch(r"url\(#(.*)\)", fill):
                self.assertIn(f'<pattern id="{name[1]}"', svg)
        svg = self.draw("--group", "host", "--theme", "paper", "job.dat").decode()
        curves = set(re.findall(r'<path class="child (c\d+)"', svg))
        self.assertEqual(len(curves), 8)
        dashes = [re.search(rf"\.child\.{curve}{{([^}}]*)}}", svg) for curve in curves]
        self.assertEqual(len({re.sub(r"stroke-width:[^;]*;", "", found[1]) if found else "" for found in dashes}), 8)
        places = [(int(x), round(float(y))) for x, y in re.findall(r'<rect class="swatch c\d+" x="(\d+)" y="([\d.]+)"', svg)]
        self.draw("--group", "host", "--theme", "paper", "job.dat", name="out.png")
        _, _, rows = png_file.read(self.directory / "out.png")
        swatches = {tuple(bytes(row[3 * (x + 2):3 * (x + 8)]) for row in rows[y + 2:y + 8]) for x, y in places}
        self.assertEqual((len(places), len(swatches)), (8, 8))

    def terminal(self, *arguments, rows=40, columns=100):
        """The lines of a picture in a terminal without pixels."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {name: value for name, value in self.environment().items()
                       if name not in ("DISPLAY", "WAYLAND_DISPLAY", "COLORTERM", "TERM_PROGRAM", "KITTY_PID")}
        process = subprocess.Popen([MPROF, "plot", *arguments], cwd=self.directory, stdin=slave, stdout=slave,
                                   stderr=slave, env={**environment, "TERM": "vt220", "LC_ALL": "C.UTF-8"})
        os.close(slave)
        text = b""
        while True:
            try:
                text += os.read(master, 65536)
            except OSError:
                break
        os.close(master)
        self.assertEqual(process.wait(), 0)
        return re.sub(r"\x1b\[[0-9;]*m", "", text.decode().replace("\r", "")).split("\n")

    def test_in_a_terminal(self):
        self.write("job.dat", merged(20))
        for form in FORMS:
            lines = self.terminal(form, "job.dat", rows=24, columns=80)
            self.assertLessEqual(max(map(len, lines)), 80)
            self.assertTrue(any("rank 19" in line for line in lines), lines)
            self.assertTrue(any("200.0 MiB" in line for line in lines), lines)
            for name in ("highest of 20 ranks", "mean of 20 ranks", "lowest of 20 ranks", "up to 104.1 MiB"):
                self.assertTrue(any(name in line for line in lines) == (form == "--band"), lines)

    def test_with_calls_and_hostile_names(self):
        """Names can contain anything; calls are not drawn."""
        lines = ["CMDLINE x", "FACT pid 1", "FACT include-children no"]
        names = ["<script>alert(1)</script>", "a\\x20b\\x0ac", "\\xe6\\x95\\xb0", "'\"&", "-->"]
        lines += [f"#PROC|{10 + i}|1|{START}.0|{name} nan nan" for i, name in enumerate(names)]
        for tick in range(20):
            lines.append(f"MEM 50 {START + tick}")
            lines += [f"CHLD {10 + i} {20 + i} {START + tick}" for i in range(len(names))]
        lines.append(f"FUNC m.f 50 {START + 1} 50 {START + 5} 0")
        self.write("a.dat", "\n".join(lines) + "\n")
        for form in FORMS:
            svg = self.draw(form, "a.dat").decode()
            check_svg(self.directory / "out.svg")
            self.assertNotIn("<script>alert", svg)
            self.assertNotIn('class="rug', svg)
        for form in FORMS:
            self.draw(form, CHILDREN)


if __name__ == "__main__":
    unittest.main()
