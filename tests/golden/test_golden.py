"""Pictures as they were looked at and found good: fixtures/golden/*.png.

    tests/golden/test_golden.py --refresh     draws them anew; look at each before it is committed

Exactly equal is the rule. Other versions of FreeType and Cairo put the shades at the edges of letters
and lines a little differently, so a picture also passes if at most EDGE_SHARE of its pixels differ by
more than EDGE_STEP in any channel: a moved label, a missing line or another colour is far above that.
What differed is saved as mprof-<name>-diff.png in the directory for temporary files.
"""

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

EDGE_STEP = 48
EDGE_SHARE = 0.004

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
    "control-group": (["limits"], []),
    "control-group-dark": (["limits"], ["--theme", "dark", "-f", "-w", "30,60"]),
    "kinds": (["limits"], ["--memory", "pss,uss,swap"]),
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
    """A group that runs into its limit, which is lifted once, and kinds of its two processes."""
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


MADE = {"dense": make_dense, "open": make_open, "limits": make_limits}


def difference(a, b):
    """Share of pixels that differ visibly, and an image of where."""
    count, rows = 0, []
    for left, right in zip(a, b):
        if left == right:
            rows.append(bytes(255 - (255 - value) // 4 for value in left))
            continue
        row = bytearray()
        for i in range(0, len(left), 3):
            apart = max(abs(left[i + c] - right[i + c]) for c in range(3))
            count += apart > EDGE_STEP
            row += bytes((255, 0, 0)) if apart > EDGE_STEP else bytes(
                255 - (255 - value) // 4 for value in left[i:i + 3])
        rows.append(bytes(row))
    return count / (len(a) * len(a[0]) / 3), rows


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
                share, seen = difference(golden_rows, rows)
                saved = pathlib.Path(tempfile.gettempdir()) / f"mprof-{name}-diff.png"
                png_file.write(saved, width, height, seen)
                self.assertLessEqual(share, EDGE_SHARE, f"see {saved}")

    def test_a_moved_label_would_be_noticed(self):
        _, height, rows = png_file.read(GOLDEN / "brackets.png")
        moved = [row[9:] + row[:9] if 20 <= y < 60 else row for y, row in enumerate(rows)]
        self.assertGreater(difference(rows, moved)[0], EDGE_SHARE)
        self.assertEqual(difference(rows, rows)[0], 0)
        self.assertEqual(height, len(rows))


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
