"""mprof plot --tree: every format, what makes no sense together, and recordings that have nothing to show."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import FIXTURES, TestCase, check_pdf, check_svg, png_size  # noqa: E402

NESTED = FIXTURES / "dat" / "nested.dat"


class PlotTree(TestCase):
    def check_size(self, path):
        width, height = png_size(path)
        self.assertIn(width, (300, 1260))
        self.assertGreaterEqual(height, 180)

    def test_every_format_theme_and_measure(self):
        for name, check in (("x.png", self.check_size), ("x.svg", check_svg), ("x.pdf", check_pdf)):
            for options in ([], ["--by", "time", "--theme", "paper"], ["--by", "memory-time", "--theme", "dark"],
                            ["--size", "300x180"], ["--bare"], ["-w", "0.5,1.2"]):
                with self.subTest(name=name, options=options):
                    self.run_mprof("plot", "--tree", *options, "-o", name, NESTED)
                    check(self.directory / name)

    def test_the_heading_has_gross_release_and_net(self):
        self.run_mprof("plot", "--tree", "-o", "x.svg", NESTED)
        text = (self.directory / "x.svg").read_text()
        self.assertIn("+326.6 MiB, \u2212255.7 MiB: +70.8 MiB", text)
        self.assertIn("fit \u00b7 +227.4 MiB (own 65.2)", text)

    def test_stacks_that_met_more_than_samples_of_memory(self):
        (self.directory / "more.dat").write_text(
            "CMDLINE x\nMEM 10 1000\n#FACT|pid|7 nan nan\n#FRAME|1|0|__main__.f|x.py|1 nan nan\nMEM 40 1001\n"
            "#STACK|7|1000|1001|\\e|1|10|1|30|0|90 nan nan\n")
        self.run_mprof("plot", "--tree", "-o", "more.svg", "more.dat")
        self.assertIn("peak \u2265 90.0 MiB  \u00b7", (self.directory / "more.svg").read_text())
        self.assertIn("peak ≥ 90.0 MiB", self.run_mprof("functions", "more.dat").stdout)

    def test_a_window_has_its_part(self):
        self.run_mprof("plot", "--tree", "-w", "0,0.4", "-o", "x.svg", NESTED)
        self.assertNotIn("+326.6 MiB", (self.directory / "x.svg").read_text())

    def test_one_run_of_a_file_is_drawn(self):
        run = "CMDLINE x\nMEM 1 1000\nMEM 5 1001\nFUNC m.f 1 1000 5 1001 0\n"
        (self.directory / "two.dat").write_text(run + run.replace("100", "101"))
        self.run_mprof("plot", "--tree", "--run", "2", "-o", "x.svg", "two.dat")
        done = self.run_mprof("plot", "--tree", "-o", "x.svg", "two.dat", expect=1)
        self.assertIn("--tree is of one recording, not of 2", done.stderr)

    def test_without_calls(self):
        done = self.run_mprof("plot", "--tree", "-o", "x.svg", FIXTURES / "dat" / "make_j2.dat", expect=1)
        self.assertRegex(done.stderr, r"^mprof: \S*make_j2\.dat: no calls were recorded: .*\n$")
        self.assertFalse((self.directory / "x.svg").exists())

    def test_what_makes_no_sense_together(self):
        for options, words in [
                (["--tree", "--flame"], "--tree does not show what --flame asks for: leave one out"),
                (["--tree", "--log"], "--tree does not show what --log asks for: leave one out"),
                (["--tree", "-n"], "--tree does not show what --no-function-ts asks for: leave one out"),
                (["--tree", "--limit", "9"], "--tree does not show what --limit, --line or --mark asks for"),
                (["--tree", "--band"], "different pictures: choose one"),
                (["--tree", "--by", "function"], "--by function is for other pictures"),
                (["--by", "time"], "--by time is for --tree: add it"),
                (["--band", "--by", "growth"], "--by growth is for --tree: add it")]:
            with self.subTest(options=options):
                done = self.run_mprof("plot", *options, "-o", "x.svg", NESTED, expect=2)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
