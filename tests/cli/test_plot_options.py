"""Options of pictures in every format: each is drawn, and what makes no sense together is refused in one line."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import FIXTURES  # noqa: E402
from picture import Picture, memories  # noqa: E402

NESTED = FIXTURES / "dat" / "nested.dat"
CHILDREN = FIXTURES / "dat" / "article-gunicorn-CM.dat"
FORMATS = ("svg", "svg.gz", "png", "pdf", "eps")


class Options(mprof_test.TestCase):
    def draw(self, *options, name="out.svg"):
        self.run_mprof("plot", *options, "-o", name)
        return self.directory / name

    def assert_refused(self, *options, says, expect=2):
        done = self.run_mprof("plot", *options, "-o", "refused.svg", expect=expect)
        self.assertRegex(done.stderr, rf"\Amprof( plot)?: {says}\n\Z")
        self.assertFalse((self.directory / "refused.svg").exists())

    def in_every_format(self, *options):
        """Draws the picture in each format, without a word; the sizes of the files."""
        sizes = {}
        for suffix in FORMATS:
            done = self.run_mprof("plot", *options, "-o", f"out.{suffix}")
            self.assertEqual(done.stderr, "")
            sizes[suffix] = (self.directory / f"out.{suffix}").stat().st_size
            self.assertGreater(sizes[suffix], 1000)
        mprof_test.check_svg(self.directory / "out.svg")
        return sizes

    # ---- units ----

    def test_one_unit_everywhere(self):
        for recording in (NESTED, CHILDREN):
            for unit in ("B", "KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB"):
                with self.subTest(recording=recording.name, unit=unit):
                    picture = Picture(self.draw("--unit", unit, recording))
                    texts = [text for texts in picture.texts.values() for text in texts] + picture.titles + picture.facts
                    found = set(re.findall(r"\d (B|[kKMGT]i?B)\b", "\n".join(texts)))
                    self.assertEqual(found, {unit})
        self.in_every_format("--unit", "GB", NESTED)

    def test_values_in_a_unit_are_the_same(self):
        usual, fixed = (Picture(self.draw(*options, NESTED)) for options in ([], ["--unit", "GiB"]))
        pairs = list(zip(usual.legend(), fixed.legend(), strict=True))
        self.assertGreater(len(pairs), 3)
        for (_, before), (_, after) in pairs:
            for one, other in zip(before, after, strict=True):
                for (mib, half), (gib, other_half) in zip(memories(one), memories(other), strict=True):
                    self.assertLessEqual(abs(mib - gib), half + other_half)

    def test_units_of_the_command_line(self):
        for text, mib in (("1GiB", 1024), ("2 GB", 2e9 / 1048576), ("512", 512), ("4096 KiB", 4), ("1000000B", 1e6 / 1048576)):
            data = Picture(self.draw("--ylim", f"0,{text}", NESTED)).data
            self.assertAlmostEqual(data["memory"][1], mib, places=6)
        self.assert_refused("--unit", "Mb", NESTED, says="--unit must be one of auto, B, KiB, MiB, GiB, TiB, kB, MB, GB, TB, "
                            "not 'Mb'")

    # ---- logarithmic axes ----

    def test_logarithmic_axis(self):
        for options in ([NESTED], ["-f", NESTED], [CHILDREN], [NESTED, CHILDREN], ["-w", "0.2,1", NESTED],
                        ["--size", "240x160", NESTED], ["--theme", "paper", NESTED], ["--no-script", NESTED]):
            with self.subTest(options=options):
                picture = Picture(self.draw("--log", *options))
                ticks = [memories(text)[0][0] for text in picture.texts["tick"] if memories(text)]
                self.assertGreaterEqual(len(ticks), 2)
                self.assertNotIn("0", picture.texts["tick"])
        self.in_every_format("--log", CHILDREN)

    def test_samples_of_zero_and_tiny_ones(self):
        for values in ((0, 0, 0), (0, 1e-9, 500), (0.001, 0.001), (5,), (0, 1e6, 0)):
            (self.directory / "x.dat").write_text("".join(f"MEM {mib:.9f} {1000 + i}\n" for i, mib in enumerate(values)))
            with self.subTest(values=values):
                picture = Picture(self.draw("--log", "x.dat"))
                low, high, _ = picture.data["memory"]
                self.assertTrue(0 < low < high < low * 1e7)
                self.assertNotIn("nan", (self.directory / "out.svg").read_text().replace("nano", ""))

    def test_what_has_no_logarithm(self):
        self.assert_refused("--log", "--stack", CHILDREN, says="--log cannot show a stack, whose layers add up: leave "
                            "--stack or --log out")
        self.assert_refused("--log", "--slope", NESTED, says="--slope is a straight line on a linear axis only: leave "
                            "--slope or --log out")
        self.assert_refused("--log", "--ylim", "0,100", NESTED, says="--ylim must begin above 0 with --log, not at 0")
        data = Picture(self.draw("--log", "--ylim", "3,700", NESTED)).data
        self.assertEqual((data["memory"][:2], data["log"]), ([3, 700], True))

    def test_the_script_knows(self):
        data = Picture(self.draw("--log", "--unit", "MB", NESTED)).data
        self.assertEqual((data["log"], data["unit"][1:]), (True, ["MB", 1]))
        self.assertIn("--log --unit=MB", data["command"][0])
        self.assertFalse({"log", "unit"} & set(Picture(self.draw(NESTED)).data))


if __name__ == "__main__":
    unittest.main()
