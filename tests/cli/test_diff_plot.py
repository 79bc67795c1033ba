"""`mprof diff --plot`: what the picture says, its formats and sizes, and names that would harm it."""

import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import TestCase, check_png, check_svg, png_size  # noqa: E402

NO_WORSE, USAGE, UNCLEAR = 0, 2, 3
NAMESPACE = "{http://www.w3.org/2000/svg}"


def program(more, function="app.load", command="prog"):
    """A recording of a function that adds 50 MiB, and `more`, and keeps it until the end."""
    lines = [f"CMDLINE {command}\n"]
    lines += [f"MEM {50 + (50 + more if 20 <= i < 80 else 0):.6f} {1000 + i * 0.1:.4f}\n" for i in range(101)]
    return "".join([*lines, f"FUNC {function} 50.0 1001.95 {100 + more:.4f} 1007.95 0\n"])


class Picture(TestCase):
    def write(self, name, text):
        (self.directory / name).parent.mkdir(exist_ok=True)
        (self.directory / name).write_text(text)

    def setUp(self):
        super().setUp()
        self.write("a.dat", program(0))
        self.write("b.dat", program(30))

    def draw(self, *arguments, expect=NO_WORSE):
        return self.run_mprof("diff", "--plot", *arguments, expect=expect)

    def texts(self, name="diff.svg"):
        check_svg(self.directory / name)
        root = xml.etree.ElementTree.parse(self.directory / name).getroot()
        return ["".join(node.itertext()) for node in root.iter(f"{NAMESPACE}text")]

    def test_what_it_says(self):
        self.draw("a.dat", "b.dat")
        texts = self.texts()
        for expected in ("a.dat → b.dat", "before 100.0 MiB", "now 130.0 MiB", "+30.0 MiB", "most a call added", "load", "50.0 MiB", "80.0 MiB"):
            self.assertIn(expected, texts)
        self.assertTrue(any("sustained difference +30.0 MiB" in text for text in texts), texts)
        self.draw("b.dat", "a.dat", "--title", "less", "-o", "less.svg")
        texts = self.texts("less.svg")
        for expected in ("less", "before 130.0 MiB", "now 100.0 MiB", "−30.0 MiB"):
            self.assertIn(expected, texts)

    def test_more_is_shaded_and_less_is_hatched(self):
        self.draw("a.dat", "b.dat", "-o", "more.svg")
        self.draw("b.dat", "a.dat", "-o", "less.svg")
        more, less = ((self.directory / name).read_text() for name in ("more.svg", "less.svg"))
        self.assertEqual(more.count('class="difference"'), 2)  # between the curves, and below them
        self.assertNotIn('class="difference"', less)
        self.assertGreater(less.count('class="leader"'), 100)
        self.assertNotIn('class="leader"', more)

    def test_formats_sizes_and_themes(self):
        for name, arguments in (("x.png", ()), ("dark.png", ("--theme=dark",)), ("paper.png", ("--theme=paper",)),
                                ("small.png", ("--size=300x180",)), ("tiny.png", ("--size=120x80",)), ("large.png", ("--size=2000x1200",))):
            with self.subTest(name=name):
                self.draw("a.dat", "b.dat", "-o", name, *arguments)
                self.assertGreater(png_size(self.directory / name)[0], 0)
        check_png(self.directory / "x.png")
        self.assertEqual(png_size(self.directory / "small.png"), (300, 180))
        self.draw("a.dat", "b.dat", "-o", "x.pdf")
        self.assertTrue((self.directory / "x.pdf").read_bytes().startswith(b"%PDF"))
        done = self.draw("a.dat", "b.dat", "-o", "-")
        self.assertTrue(done.stdout.startswith("<?xml"))
        self.assertNotIn("sustained difference +30.0 MiB from 2.00 to 7.90 s\n", done.stdout)

    def test_what_cannot_be_drawn(self):
        for arguments, words in ((("--size=10x10",), "--size must be"), (("--theme=x",), "--theme must be"), (("-o", "x.txt"), "must end in"),
                                 (("--size=90x60",), "")):
            with self.subTest(arguments=arguments):
                done = self.run_mprof("diff", "--plot", "a.dat", "b.dat", *arguments, expect=None)
                self.assertEqual(done.returncode, USAGE if words else UNCLEAR)
                self.assertIn(words, done.stderr)
                if words:  # before anything is compared
                    self.assertEqual(done.stdout, "")
        for side in "ab":
            for command in ("one", "two"):
                self.write(f"{side}/{command}.dat", program(0, command=command))
        self.assertIn("draws one comparison", self.draw("a", "b", expect=UNCLEAR).stderr)

    def test_groups(self):
        for side, more in (("a", 0), ("b", 30)):
            for i in range(4):
                self.write(f"{side}/run-{i + 1}.dat", program(more + i))
        self.draw("a", "b")
        self.assertIn("+30.0 MiB", self.texts())

    def test_hostile_names_are_inert(self):
        name = "app.\x1b]0;x\x07</text><script>alert(1)</script>\u202e]]>&"
        self.write("b.dat", program(30, function=name.replace(" ", "")))
        self.write("c<&>\u202e.dat", program(30, function=name))
        self.draw("a.dat", "c<&>\u202e.dat", "-t", "</title><script>alert(2)</script>")
        text = (self.directory / "diff.svg").read_text()
        self.texts()
        self.assertNotIn("<script>alert", text)
        self.assertNotRegex(text, "[\x00-\x08\x0e-\x1f\u202e]")


if __name__ == "__main__":
    unittest.main()
