"""Options of pictures in every format: each is drawn, and what makes no sense together is refused in one line."""

import os
import pathlib
import re
import shutil
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

    # ---- names that fit nothing ----

    def notes(self, *options, expect=0):
        return self.run_mprof("plot", *options, "-o", "out.svg", expect=expect).stderr.splitlines()

    def test_labels_of_no_recording(self):
        shutil.copy(NESTED, self.directory / "run1.dat")
        shutil.copy(NESTED, self.directory / "run2.dat")
        both = ["run1.dat", "run2.dat"]
        self.assertEqual(self.notes("--label", "run1.dat=a", "--label", str(self.directory / "x") + "=b", *both),
                         [f"mprof: --label: no recording is called {self.directory / 'x'}"])
        self.assertEqual(self.notes("--label", "rum1.dat=a", *both),
                         ["mprof: --label: no recording is called rum1.dat; did you mean run1.dat?"])
        self.assertEqual(self.notes("--label", "./run1.dat=a", "./run1.dat", "run2.dat"), [])
        done = self.run_mprof("plot", "--each", "-o", "out", "--label", "run3.dat=a", "--label", "run2.dat=b", *both)
        self.assertEqual([line for line in done.stderr.splitlines() if "--label" in line],
                         ["mprof: --label: no recording is called run3.dat; did you mean run1.dat?"])

    def test_colours_of_nothing(self):
        self.assertEqual(self.notes("--colors", "fti=red,fit=gold,nothing=blue,papr=ivory", NESTED),
                         ["mprof: --colors: no function, command or recording is called papr; did you mean paper?",
                          "mprof: --colors: no function, command or recording is called nothing",
                          "mprof: --colors: no function, command or recording is called fti; did you mean fit?"])
        self.assertEqual(self.notes("--colors", "fit=red,paper=ivory,#abcdef", NESTED), [])
        processes = FIXTURES / "dat" / "article-gunicorn-CM.dat"
        self.assertEqual(self.notes("--colors", "gunicron=red", processes)[0].split(";")[0],
                         "mprof: --colors: no function, command or recording is called gunicron")
        (self.directory / "style.ini").write_text("colors = elsewhere=red\n")
        self.assertEqual(self.notes("--style", "style.ini", NESTED), [], "a style is for many recordings")

    def test_functions_and_marks_of_nothing(self):
        self.assert_refused("--func", "fti", NESTED, says="no function in the recording matches 'fti'; did you mean 'fit'\\?",
                            expect=1)
        self.assertEqual(self.notes("--mark", "99:there", "--mark", "1:here", NESTED),
                         ["mprof: --mark: 99 s is outside of the picture, which is from 0 to 1.6626 s"])
        self.assertEqual(self.notes("-w", "0,0.5", "--mark", "1", NESTED),
                         ["mprof: --mark: 1 s is outside of the picture, which is from 0 to 0.5 s"])

    def test_lines_outside_of_a_range(self):
        """The axis reaches all lines unless a range was given; what is then not drawn is said."""
        outside = "is outside of the picture, which is from"
        lines = ["--line", "400:usual", "--limit", "2GiB", "--line", "60"]
        self.assertEqual(self.notes(*lines, NESTED), [])
        self.assertEqual(self.notes("--ylim", "0,100", *lines, NESTED),
                         [f"mprof: --line: 400.0 MiB {outside} 0 MiB to 100.0 MiB",
                          f"mprof: --limit: 2.00 GiB {outside} 0 MiB to 100.0 MiB"])
        self.assertEqual(self.notes("--ylim", "80,1e5", "--unit", "MB", *lines, NESTED),
                         [f"mprof: --line: 62.9 MB {outside} 83.9 MB to 104857.6 MB"])
        self.assertEqual(self.notes("--band", "--ylim", "80,1e5", "--line", "60", NESTED),
                         [f"mprof: --line: 60.0 MiB {outside} 80.0 MiB to 97.7 GiB"])
        self.assertEqual(self.notes("--flame", "--ylim", "80,1e5", "--line", "60", NESTED),
                         [f"mprof: --line: 60.0 MiB {outside} 80.0 MiB to 97.7 GiB"])

    def test_what_several_recordings_do_not_show(self):
        shutil.copy(NESTED, self.directory / "a.dat")
        for options in (["--stack"], ["--group", "command"]):
            (line,) = self.notes(*options, "a.dat", NESTED)
            self.assertIn(f"mprof: {options[0]}: needs one recording, or --as-one", line)
            self.assertEqual(self.notes(*options, "--as-one", "a.dat", NESTED), [])
            self.assertEqual(self.notes(*options, NESTED), [])
        self.assertEqual(self.notes("--by", "function", NESTED), ["mprof: --by: function is for --flame: add it"])
        self.assertEqual(self.notes("--by", "function", "--flame", NESTED), [])

    # ---- what makes no sense together ----

    def test_what_an_embedded_picture_cannot_be(self):
        script = "--embed is for pictures with the page's script, --no-script for those without: leave one out"
        other = "--embed is for SVG: other formats have no script"
        self.assert_refused("--embed", "--no-script", NESTED, says=script)
        for options in (["--format", "png"], ["-o", "x.pdf"], ["--each", "--format", "svg,eps"]):
            done = self.run_mprof("plot", "--embed", *options, NESTED, expect=2)
            self.assertEqual(done.stderr, f"mprof plot: {other}\n")
        for name in ("x.svg", "x.svg.gz"):
            self.draw("--embed", NESTED, name=name)

    # ---- the range of time ----

    def range_of(self, *options):
        return Picture(self.draw(*options)).data["time"][:2]

    def test_range_by_the_clock(self):
        """A recording of 09:58:20 to 10:11:40 UTC."""
        start = 1795341500
        (self.directory / "x.dat").write_text("CMDLINE x\n" + "".join(f"MEM {i % 7 + 1} {start + i}\n" for i in range(801)))
        for text, window in (("10:00,10:05", (100, 400)), ("10:00:30,10:00:45.5", (130, 145.5)), ("10:00,", (100, 800)),
                             (",10:00", (0, 100)), ("09:00,10:00", (0, 100)), ("10:10,12:00", (700, 800)),
                             ("2026-11-22 10:00,2026-11-22T10:01", (100, 160)), ("2026-11-22,10:00", (0, 100)),
                             ("100,200", (100, 200)), ("100,", (100, 800)), (" 10:00 , 10:01 ", (100, 160)),
                             ("100,10:05", (100, 400)), ("100,900", (100, 900))):
            with self.subTest(range=text):
                found = self.range_of("--xlim", text, "x.dat")
                self.assertAlmostEqual(found[0], window[0], places=5)
                self.assertAlmostEqual(found[1], window[1], places=5)
        done = self.run_mprof("plot", "--xlim", "10:00,10:05", "-o", "there.svg", "x.dat",
                              env={**os.environ, "TZ": "Asia/Kolkata"}, expect=1)
        self.assertIn("the recording is from 2026-11-22 15:28:20 to 2026-11-22 15:41:40", done.stderr)
        self.in_every_format("--xlim", "10:00,10:05", "x.dat")

    def test_range_over_midnight(self):
        start = 1795391880  # 23:58 UTC
        (self.directory / "x.dat").write_text("".join(f"MEM 5 {start + i * 60}\n" for i in range(600)))
        for text, window in (("23:59,00:02", (60, 240)), ("00:01,00:02", (180, 240)), ("00:01,", (180, 599 * 60)),
                             (",00:00", (0, 120))):
            with self.subTest(range=text):
                self.assertEqual(self.range_of("--xlim", text, "x.dat"), list(window))

    def test_range_of_several_recordings(self):
        for i, name in enumerate("ab"):
            (self.directory / f"{name}.dat").write_text("".join(f"MEM 5 {1795341500 + 100 * i + n}\n" for n in range(300)))
        self.assertEqual(self.range_of("--as-one", "--xlim", "10:00,10:01", "a.dat", "b.dat"), [100, 160])
        self.assertEqual(self.range_of("--xlim", "50,", "a.dat", "b.dat"), [50, 299])
        self.assert_refused("--xlim", "10:00,10:01", "a.dat", "b.dat", expect=1, says="recordings that are laid over each "
                            "other have no clock in common: give the range in seconds, or use one time axis for all "
                            r"\(--as-one\)")

    def test_ranges_that_are_none(self):
        for text in ("", ",", "5", "5,5", "9,3", "1,2,3", "x,y", "25:00,26:00", "10:60,11:00", "2026-13-01,", "2026-02-29,", "2026-04-31 10:00,",
                     "10:00x,", "10:00:5,11:00", "10:00:61,11:00", "123:00,", "nan,5"):
            self.assert_refused("--xlim", text, NESTED, says="--xlim must be FROM,TO, each a number of seconds, a time like "
                                f"14:05:30 or a date like '2026-11-22 14:05', FROM before TO, not '{re.escape(text)}'")
        for text, says in (("5,3", "FROM,TO with FROM before TO, not '5,3'"), ("a,b", "FROM,TO in seconds from the start, not 'a,b'$"),
                           ("10:00,10:05", "FROM,TO in seconds from the start, not '10:00,10:05': --xlim takes clock times, dates and open ends"),
                           ("5,", "FROM,TO in seconds from the start, not '5,': --xlim takes .*open ends")):
            self.assert_refused("-w", text, NESTED, says=f"--window must be {says}")
        self.assert_refused("--xlim", "07:00,08:00", NESTED, expect=1, says=".*nested.dat: nothing was recorded from "
                            "2026-11-22 07:00:00 to 2026-11-22 08:00:00; the recording is from 2026-11-22 06:55:17 to "
                            "2026-11-22 06:55:19")
        (self.directory / "far.dat").write_text("MEM 1 200000000000\nMEM 1 200000000050\n")
        self.assert_refused("--xlim", "2026-01-01,2026-01-02", "far.dat", expect=1, says="far.dat: nothing was recorded "
                            "from 2026-01-01 00:00:00 to 2026-01-02 00:00:00; the recording is from 200000000000 s to "
                            "200000000050 s")

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

    def test_a_logarithmic_axis_reaches_all_that_is_drawn(self):
        (self.directory / "x.dat").write_text("FACT pid 10\n" + "".join(
            f"MEM {100 + i} {1000 + i}\nKINDS 10 {1000 + i} swap=2.5\n" for i in range(20)) + "FUNC f 30 1003 100 1009 0\n")
        for options, low in (([], 10), (["-n"], 100), (["-n", "--memory", "swap"], 1), (["-n", "--limit", "0.5"], 0.1),
                             (["-n", "--line", "2"], 1), (["-n", "--mark", "2"], 100)):
            with self.subTest(options=options):
                self.assertAlmostEqual(Picture(self.draw("--log", *options, "x.dat")).data["memory"][0], low)

    def test_what_has_no_logarithm(self):
        self.assert_refused("--log", "--stack", CHILDREN, says="--log cannot show a stack, whose layers add up: leave "
                            "--stack or --log out")
        self.assert_refused("--log", "--slope", NESTED, says="--slope is a straight line on a linear axis only: leave "
                            "--slope or --log out")
        self.assert_refused("--log", "--ylim", "0,100", NESTED, says="--ylim must begin above 0 with --log, not at 0")
        data = Picture(self.draw("--log", "--ylim", "3,700", NESTED)).data
        self.assertEqual((data["memory"][:2], data["log"]), ([3, 700], True))

    # ---- colours ----

    def colour_of(self, svg, label):
        """Of a function's swatch in the legend of a still SVG."""
        text = svg.read_text()
        slot = re.search(rf'<rect class="swatch c(\d+)"[^>]*/>\s*<text class="legend-name[^>]*>{label}<', text)[1]
        return re.search(rf"\.c{slot}\{{[^}}]*--slot:(#[0-9a-f]{{6}})", text)[1]

    def test_colours_in_order_and_by_name(self):
        svg = self.draw("--colors", "#e41a1c, steelblue", "--colors", "leaf=gold,paper=#fffff0", "--theme", "light", NESTED)
        self.assertEqual([self.colour_of(svg, label) for label in ("fit", "leaf", "branch")],
                         ["#e41a1c", "#ffd700", "#4682b4"])
        self.assertIn("--paper:#fffff0", svg.read_text())
        usual = self.draw(NESTED, name="usual.svg")
        svg = self.draw("--colors", "__main__.leaf=#010203", NESTED)
        self.assertEqual(self.colour_of(svg, "leaf"), "#010203")
        for label in ("fit", "branch", "predict"):
            self.assertNotEqual(self.colour_of(svg, label), "#010203")
            self.assertNotEqual(self.colour_of(usual, label), "#010203")
        svg = self.draw("--colors", f"{CHILDREN.name}=#010203", "-n", "--theme", "light", NESTED, CHILDREN).read_text()
        self.assertIn("#010203", svg)
        for theme in ("light", "dark", "paper"):
            self.in_every_format("--colors", "red,leaf=#00f", "--theme", theme, NESTED)

    def test_colours_that_are_none(self):
        for text, says in (("bleu", "'bleu' is no colour; use #rrggbb or a name such as steelblue"),
                           ("#12", "'#12' is no colour; use #rrggbb or a name such as steelblue"),
                           ("red,,blue", "'' is no colour; use #rrggbb or a name such as steelblue"),
                           ("leaf=", "'' is no colour; use #rrggbb or a name such as steelblue"),
                           ("=red", "'=red' has no name before the ="), (",".join(["red"] * 9), "a picture has 8 hues; give fewer")):
            with self.subTest(colours=text):
                self.assert_refused("--colors", text, NESTED, says=f"--colors: {re.escape(says)}")

    # ---- style files ----

    def test_a_style_file_has_options(self):
        (self.directory / "s.ini").write_text("# slides\n\n[plot]\ntheme = dark\nsize=8x4in\ncolors = #e41a1c, paper=#101010\n"
                                              "unit = MB\n; more\nno-facts = yes\nno-legend = no\nlimit = 100 MB:quota\n")
        by_file = self.draw("--style", "s.ini", "--no-script", NESTED)
        by_line = self.draw("--theme=dark", "--size=8x4in", "--colors=#e41a1c, paper=#101010", "--unit=MB", "--no-facts",
                            "--limit=100 MB:quota", "--no-script", NESTED, name="line.svg")
        self.assertEqual(by_file.read_text(), by_line.read_text())
        self.assertIn(">quota<", by_file.read_text())
        # the command line counts more, and suggests what draws the same
        picture = Picture(self.draw("--unit", "KiB", "--style", "s.ini", NESTED))
        self.assertRegex("\n".join(picture.texts["tick"]), "KiB")
        self.assertIn("--theme=dark", picture.data["command"][0])
        self.in_every_format("--style", "s.ini", NESTED)

    def test_the_users_own_style(self):
        for variables, folder in (({"XDG_CONFIG_HOME": str(self.directory / "c")}, "c"),
                                  ({"HOME": str(self.directory / "h"), "XDG_CONFIG_HOME": ""}, "h/.config"),
                                  ({"HOME": str(self.directory / "r"), "XDG_CONFIG_HOME": "relative"}, "r/.config")):
            path = self.directory / folder / "mprof" / "style.ini"
            path.parent.mkdir(parents=True)
            path.write_text("unit = GB\n")
            with self.subTest(folder=folder):
                env = {**os.environ, **variables}
                for options, unit in (([], "GB"), (["--style", "none"], "MiB"), (["--unit", "kB"], "kB")):
                    self.run_mprof("plot", *options, "-o", "own.svg", NESTED, env=env)
                    self.assertIn(f" {unit}", "\n".join(Picture(self.directory / "own.svg").texts["tick"]))
                path.write_text("unit = GB\nunits = GB\n")
                done = self.run_mprof("plot", "-o", "bad.svg", NESTED, env=env, expect=2)
                self.assertRegex(done.stderr, r"\Amprof: \S*/mprof/style\.ini:2: a style has no 'units'; [^\n]*\n\Z")

    def test_lines_of_a_style_that_cannot_be_read(self):
        for text, line, says in (
                ("unit = Mb\n", 1, "unit must be one of auto, B, KiB, MiB, GiB, TiB, kB, MB, GB, TB, not 'Mb'"),
                ("\n# x\nbogus = 3", 3, "a style has no 'bogus'; it has the options of `mprof plot' that say how a picture looks"),
                ("theme dark", 1, "an option, as in `theme = dark', was expected, or a section: [name]"),
                ("[report]\n", 1, "a style has one section, [plot], or none: not [report]"),
                ("log = perhaps", 1, "log must be yes or no, not 'perhaps'"),
                ("output = x.png", 1, "a style has no 'output'; it has the options of `mprof plot' that say how a picture looks"),
                ("theme = light\ncolors = #12\n", 2, "colors: '#12' is no colour; use #rrggbb or a name such as steelblue"),
                ("dpi = 5\n", 1, "dpi must be between 20 and 1200, not '5'")):
            (self.directory / "bad.ini").write_text(text)
            with self.subTest(text=text):
                self.assert_refused("--style", "bad.ini", NESTED, says=re.escape(f"bad.ini:{line}: {says}"))
        self.assert_refused("--style", "missing.ini", NESTED, says="missing.ini: there is no such file")
        self.assert_refused("--style", "/", NESTED, says="/: is not a regular file")

    def test_the_script_knows(self):
        data = Picture(self.draw("--log", "--unit", "MB", NESTED)).data
        self.assertEqual((data["log"], data["unit"][1:]), (True, ["MB", 1]))
        self.assertIn("--log --unit=MB", data["command"][0])
        self.assertFalse({"log", "unit"} & set(Picture(self.draw(NESTED)).data))


if __name__ == "__main__":
    unittest.main()
