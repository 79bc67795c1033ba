"""Compares pictures with fixtures/golden/*.png.

    tests/golden/test_golden.py --refresh     draws all of these again; look at each before you commit it

Pictures are normally equal. Other versions of FreeType, Pango and Cairo draw letters slightly differently: Cairo
places them at quarters of a pixel from 1.18 on, and shades at the edges of lines differ, too. Shapes and labels keep
their places. So a picture also passes if its pixels have shades that occur within one pixel in the other picture,
except for at most TILE_PIXELS pixels in any tile, which is about as large as a label. Measured: up to 19 pixels in
Debian 13; 37 for a label moved by two pixels, 42 for a missing bracket, 103 for a missing label. Differences are
saved as mprof-<name>-diff.png in the directory for temporary files.
"""

import collections
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
import png_file  # noqa: E402
from mprof_test import FIXTURES, SOURCE  # noqa: E402

sys.path.insert(0, str(SOURCE / "docs" / "gallery"))
import recordings  # noqa: E402

GOLDEN = FIXTURES / "golden"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"

STEP = 64
TILE = (40, 16)
TILE_PIXELS = 24

CASES = {
    "brackets": (["article-flask-profile"], []),
    "nested": (["nested"], []),
    "nested-dark": (["nested"], ["-f", "--theme", "dark"]),
    "children": (["article-gunicorn-CM"], []),
    "stack": (["article-gunicorn-CM"], ["--stack"]),
    "five-fields": (["public-2019-five-fields"], ["-f"]),
    "slope": (["article-flask-plain"], ["-s"]),
    "window": (["nested"], ["-w", "0.6,0.9"]),
    "overlay": (["article-flask-plain", "article-flask-profile"], []),
    "dense": (["dense"], []),
    "open": (["open"], ["-f"]),
    "tree": (["nested"], ["--tree", "--size", "800x460"]),
    "tree-time-dark": (["article-flask-profile-concurrent"], ["--tree", "--by", "time", "--theme", "dark"]),
    "tree-small": (["nested"], ["--tree", "--size", "400x220", "--theme", "paper"]),
    "control-group": (["limits"], []),
    "control-group-dark": (["limits"], ["--theme", "dark", "-f", "-w", "30,60"]),
    "kinds": (["limits"], ["--memory", "pss,uss,swap"]),
    "band": (["job"], ["--band"]),
    "band-small-paper": (["job"], ["--band", "--size", "400x260", "--theme", "paper"]),
    "small-multiples": (["job"], ["--small-multiples", "--theme", "dark"]),
    "heat": (["job"], ["--heat"]),
    "heat-paper": (["job"], ["--heat", "--theme", "paper", "--size", "500x320"]),
    "difference": (["before", "now"], ["--size", "800x480"]),
    "difference-less-dark": (["now", "before"], ["--size", "800x480", "--theme", "dark"]),
    "difference-small": (["before", "now"], ["--size", "400x220", "--theme", "paper"]),
}


def make_dense(path):
    lines = recordings.samples(20000, 2000, 3)
    recordings.write(path, "python3 dense.py", lines,
                     recordings.calls(3000, 2000, recordings.Memory(lines), 5))


def make_open(path):
    lines = recordings.samples(100, 10, 3)
    recordings.write(path, "python3 killed.py", lines, [
        f"PROC 7 1 {recordings.START} python3", "FACT pid 7",
        f"FUNC m.main 10 {recordings.START + 1} 20 {recordings.START + 9.9} 0 pid=7 open",
        f"FUNC m.work 10 {recordings.START + 2} 20 {recordings.START + 5} 1 pid=7",
        f"FUNC m.work 10 {recordings.START + 6} 20 {recordings.START + 9.9} 1 pid=7 open",
        f"EXIT 7 {recordings.START + 9.9} signal 9"])


def make_limits(path):
    """A control group that reaches its limit, which is raised once, and memory kinds of two processes."""
    lines = [f"PROC 7 1 {recordings.START} python3", f"PROC 8 7 {recordings.START} worker", "FACT pid 7"]
    for i in range(120):
        at = f"{recordings.START + i / 2:.1f}"
        lines += [f"MEM {100 + 2 * i + i % 5} {at}", f"KINDS 7 {at} pss={60 + i} uss={20 + i} swap={i % 30}",
                  f"KINDS 8 {at} pss={30 + i / 2} uss={10 + i / 2}"]
        if not 20 < i < 40:
            limit = 280 if i < 70 else 400
            lines.append(f"GROUP {min(150 + 2 * i, limit)} {at} {limit} /a")
    own = recordings.Memory(lines)
    lines += [f"FUNC m.{name} {own.at(recordings.START + begin)} {recordings.START + begin} "
              f"{own.at(recordings.START + end)} {recordings.START + end} 0 pid=7"
              for name, begin, end in (("load", 3, 11), ("fit", 33, 58))]
    recordings.write(path, "python3 limits.py", lines, [f"EXIT 7 {recordings.START + 59.5} oom 9"])


def make_steps(path, more):
    """Calls of two functions; with `more` MiB for each call of the second, which keeps them."""
    lines, calls, kept, at = [], [], 20, recordings.START
    for i in range(6):
        for name, height, seconds in (("app.load", 60, 2), ("app.fit", 20 + more, 3)):
            calls.append(f"FUNC {name} {kept:.4f} {at:.4f} {kept + (more if name == 'app.fit' else 0):.4f} {at + seconds:.4f} 0")
            lines += [f"MEM {kept + height * min(1, j / 15):.4f} {at + seconds * j / 20:.4f}" for j in range(20)]
            kept += more if name == "app.fit" else 0
            at += seconds + 0.1
    path.write_text("\n".join(["CMDLINE python3 steps.py", *lines, *calls]) + "\n")


def make_job(path):
    """60 processes with other lives, a pause of the recording, one that grows and is killed."""
    lines = ["CMDLINE srun -n 60 ./solver", "FACT pid 1", "FACT include-children no"]
    for tick in range(200):
        at = f"{recordings.START + tick / 2:.1f}"
        if 90 <= tick < 110:
            continue
        lines.append(f"MEM 8.0 {at}")
        for i in range(59):
            born, end = i % 7 * 4, 199 - i % 5 * 9
            if born <= tick <= end - (60 if i == 17 else 0):
                rise = min(1, (tick - born) / 30) * (0.8 + 0.2 * (tick % 20) / 20)
                lines.append(f"CHLD {100 + i} {(60 + i * 13 % 41) * rise * (1 + tick / 90 * (i == 17)):.3f} {at}")
    lines += [f"PROC {100 + i} 1 {recordings.START} rank_{i}" for i in range(59)]
    lines.append(f"EXIT 117 {recordings.START + 60.5} oom 9")
    path.write_text("\n".join(lines) + "\n")


MADE = {"job": make_job, "before": lambda path: make_steps(path, 0), "now": lambda path: make_steps(path, 9),
        "dense": make_dense, "open": make_open, "limits": make_limits}


def unmatched(a, b):
    """The set of (x, y) where `b` has a shade that `a` does not have within one pixel."""
    height, width = len(a), len(a[0]) // 3
    found = set()
    for y in range(height):
        if a[y] == b[y]:
            continue
        rows = a[max(y - 1, 0):y + 2]
        for i in range(3 * width):
            if abs(a[y][i] - b[y][i]) <= STEP:
                continue
            near = [row[j] for row in rows for j in (i - 3, i, i + 3) if 0 <= j < 3 * width]
            if not min(near) - STEP <= b[y][i] <= max(near) + STEP:
                found.add((i // 3, y))
    return found


def difference(a, b):
    """The highest number of unmatched pixels in a tile, and an image that shows them in red."""
    tiles = collections.Counter()
    rows = [bytearray(255 - (255 - value) // 4 for value in row) for row in b]
    for x, y in (*unmatched(a, b), *unmatched(b, a)):
        tiles[x // TILE[0], y // TILE[1]] += 1
        rows[y][3 * x:3 * x + 3] = bytes((255, 0, 0))
    return max(tiles.values(), default=0), [bytes(row) for row in rows]


def moved(rows, by, left, right, top, bottom):
    """The same image with a part of it moved to the left."""
    return [row[:3 * left] + row[3 * (left + by):3 * right] + row[3 * left:3 * (left + by)] + row[3 * right:]
            if top <= y < bottom else row for y, row in enumerate(rows)]


def without(rows, left, right, top, bottom):
    """The same image with a part of it covered by the pixels to its left."""
    return [row[:3 * left] + row[3 * (left - 1):3 * left] * (right - left) + row[3 * right:]
            if top <= y < bottom else row for y, row in enumerate(rows)]


class Golden(mprof_test.TestCase):
    def draw(self, name, target):
        files, options = CASES[name]
        paths = []
        for file in files:
            path = FIXTURES / "dat" / f"{file}.dat"
            if file in MADE:
                path = self.directory / f"{file}.dat"
                MADE[file](path)
            paths.append(path)
        environment = self.environment(TZ="UTC", FONTCONFIG_FILE=str(GOLDEN / "fonts.conf"),
                                       XDG_CACHE_HOME=str(self.directory))
        if name.startswith("difference"):
            self.run_mprof("diff", "--plot", "--title", name, *options, "-o", target, *paths, env=environment)
            return
        self.run_mprof("plot", "--size", "800x380", "--font", "DejaVu Sans", *options, "-o", target,
                       *paths, env=environment)

    def test_pictures(self):
        if not os.path.exists(FONT):
            self.skipTest("fonts-dejavu-core is not installed")
        for name in CASES:
            with self.subTest(picture=name):
                target = self.directory / f"{name}.png"
                self.draw(name, target)
                width, height, rows = png_file.read(target)
                golden_width, golden_height, golden_rows = png_file.read(GOLDEN / f"{name}.png")
                self.assertEqual((width, height), (golden_width, golden_height))
                if rows == golden_rows:
                    continue
                worst, seen = difference(golden_rows, rows)
                saved = pathlib.Path(tempfile.gettempdir()) / f"mprof-{name}-diff.png"
                png_file.write(saved, width, height, seen)
                self.assertLessEqual(worst, TILE_PIXELS, f"see {saved}")

    def test_sensitivity_of_the_comparison(self):
        _, _, rows = png_file.read(GOLDEN / "brackets.png")
        label, bracket, tick = (606, 680, 80, 93), (671, 678, 95, 118), (20, 72, 88, 100)
        self.assertEqual(difference(rows, rows)[0], 0)
        for name, changed in (("moved label", moved(rows, 2, *label)), ("no label", without(rows, *label)),
                              ("no bracket", without(rows, *bracket)), ("no tick", without(rows, *tick)),
                              ("title", moved(rows, 9, 60, 500, 15, 40))):
            with self.subTest(change=name):
                self.assertGreater(difference(rows, changed)[0], TILE_PIXELS)
        # other font engines make about this difference
        self.assertLessEqual(difference(rows, moved(rows, 1, *label))[0], TILE_PIXELS)


if __name__ == "__main__":
    if "--refresh" in sys.argv:
        case = Golden()
        Golden.setUpClass()
        case.setUp()
        for picture in CASES:
            case.draw(picture, GOLDEN / f"{picture}.png")
        case.doCleanups()
    else:
        unittest.main()
