"""`mprof plot`: options, formats, contents of pictures, faults of input and output. Codes such as B9 are
those of docs/faults.md."""

import fcntl
import gzip
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest
import xml.etree.ElementTree as ElementTree
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
import png_file  # noqa: E402
from mprof_test import FIXTURES, MPROF, check_pdf, check_svg  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
NESTED = FIXTURES / "dat" / "nested.dat"
WEB = FIXTURES / "dat" / "article-flask-profile.dat"
CHILDREN = FIXTURES / "dat" / "article-gunicorn-CM.dat"

HOSTILE = [
    "<script>alert(1)</script>", "]]>", "a&b;", "\"quoted'", "$x$ \\frac{1}{2}", "tab\there",
    "\x1b[31mred", "مرحبا", "数据处理", "🔥🚒", "‮reversed", "-->", "&#60;", "a" * 3000, "x.y z",
]


def png_size(path):
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def png_chunks(path):
    data, at, chunks = pathlib.Path(path).read_bytes(), 8, []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks.append((kind.decode(), body))
        at += 12 + length
    return chunks


def shown_text(element):
    """Without the title, which is a tooltip. Of a shape, the title."""
    return "".join([element.text or "", *("".join(child.itertext()) + (child.tail or "") for child in element
                                          if element.tag != SVG + "text" or child.tag != SVG + "title")])


class Svg:
    """Texts and shapes of an SVG by class."""

    def __init__(self, path):
        self.root = ElementTree.parse(path).getroot()

    def of_class(self, name):
        return [element for element in self.root.iter()
                if name in element.get("class", "").split()]

    def texts(self, name):
        return [shown_text(element) for element in self.of_class(name)]

    def all_texts(self):
        return [shown_text(element) for element in self.root.iter(SVG + "text")]


def font_of(characters):
    """A font of these characters only: DejaVu Sans with another cmap table."""
    found = subprocess.run(["fc-match", "-f", "%{file}", "DejaVu Sans"], capture_output=True,
                           text=True, check=True).stdout
    data = pathlib.Path(found).read_bytes()
    count = struct.unpack(">H", data[4:6])[0]
    tables = {}
    for i in range(count):
        tag, _, offset, length = struct.unpack(">4sIII", data[12 + 16 * i:28 + 16 * i])
        tables[tag] = data[offset:offset + length]
    groups = b"".join(struct.pack(">III", ord(c), ord(c), 40 + i)
                      for i, c in enumerate(sorted(characters)))
    tables[b"cmap"] = (struct.pack(">HHHHI", 0, 1, 3, 10, 12)
                       + struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(groups) // 12)
                       + groups)
    head, body = data[:4] + struct.pack(">HHHH", len(tables), 0, 0, 0), b""
    for tag, content in sorted(tables.items()):
        head += struct.pack(">4sIII", tag, 0, 12 + 16 * len(tables) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    return head + body


def pdf_objects(data):
    """The bytes of a PDF with its streams inflated: Cairo 1.18 compresses objects, too."""
    parts = [data]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.S):
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            pass  # not compressed that way
    return b"\n".join(parts)


class PlotCase(mprof_test.TestCase):
    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def plot_svg(self, *arguments):
        path = self.directory / "out.svg"
        self.run_mprof("plot", "-o", path, *arguments)
        check_svg(path)
        return Svg(path)

    def assert_fails(self, *arguments, says, expect=1, **options):
        """One line on standard error, and no new file."""
        before = sorted(os.listdir(self.directory))
        done = self.run_mprof("plot", *arguments, expect=expect, **options)
        self.assertRegex(done.stderr, r"\Amprof[^\n]*: [^\n]*\n\Z")
        self.assertRegex(done.stderr, says)
        self.assertEqual(sorted(os.listdir(self.directory)), before)


class Inputs(PlotCase):
    # the first line is the same as upstream's
    NO_RECORDING = ("No input file found.\n"
                    "There is no recording here: no mprofile_*.dat, as `mprof run' writes them.\n")

    def test_the_newest_recording_is_the_default(self):
        shutil.copy(WEB, self.directory / "mprofile_20260101000000.dat")
        shutil.copy(NESTED, self.directory / "mprofile_20260102000000.dat")
        done = self.run_mprof("plot", "-o", "out.svg")
        self.assertEqual(done.stdout, "Using last profile data.\n")
        self.assertEqual(Svg(self.directory / "out.svg").texts("title"), ["/usr/bin/python3 nested.py"])

    def test_indices_count_from_both_ends(self):
        shutil.copy(WEB, self.directory / "mprofile_20260101000000.dat")
        shutil.copy(NESTED, self.directory / "mprofile_20260102000000.dat")
        for index, title in (("0", "server_profile.py"), ("-2", "server_profile.py"),
                             ("1", "nested.py"), ("-1", "nested.py")):
            with self.subTest(index=index):
                self.assertIn(title, self.plot_svg(index).texts("title")[0])

    def test_no_recording_at_all(self):
        done = self.run_mprof("plot", "-o", "out.svg", expect=1)
        self.assertEqual((done.stdout, done.stderr), ("", self.NO_RECORDING))
        self.assertEqual(self.run_mprof("peak", expect=1).stderr, self.NO_RECORDING)
        self.assertEqual(os.listdir(self.directory), [])

    def test_standard_input(self):
        path = self.directory / "out.svg"
        with open(NESTED, "rb") as source:
            self.run_mprof("plot", "-o", path, "-", stdin=source)
        self.assertIn("nested.py", Svg(path).texts("title")[0])

    def test_b1_nothing_to_draw(self):
        for name, text in (("empty", ""), ("command line only", "CMDLINE x\n")):
            with self.subTest(name):
                path = self.write("in.dat", text)
                self.assert_fails("-o", "out.svg", path, says=r"in\.dat")

    def test_b1_one_sample_is_a_picture(self):
        path = self.write("one.dat", "MEM 12.5 1700000000.0\n")
        self.assert_draws(path)
        self.assertIn("12.5 MiB", self.plot_svg(path).texts("peak-name")[0])

    def test_b2_a_torn_end_is_drawn_with_a_warning(self):
        path = self.write("torn.dat", "CMDLINE x\nMEM 1 100.0\nMEM 2 100.1\nMEM 3 10")
        done = self.run_mprof("plot", "-o", "out.svg", path)
        self.assertRegex(done.stderr, r"\Amprof: [^\n]*torn\.dat[^\n]*\n\Z")

    def test_several_recordings_in_one_picture(self):
        svg = self.plot_svg(WEB, NESTED)
        self.assertEqual(len(svg.of_class("curve")), 2)
        self.assertEqual(svg.texts("title"), ["2 recordings"])
        names = svg.texts("legend-name")
        self.assertIn("article-flask-profile.dat", names)
        self.assertIn("nested.dat", names)
        self.assertIn("predict", names)
        self.assertIn("test1", names)
        self.assertTrue(svg.of_class("bracket"))


class ExactPeaks(PlotCase):
    """High-water marks of the kernel are shown where the samples missed them."""
    HEAD = ("CMDLINE ./burst\nARGV ./burst\nFACT pid 10\nFACT include-children no\n"
            "PROC 10 1 1700000000.0 burst\nPROC 11 10 1700000000.0 worker\n"
            "PROC 12 10 1700000000.0 other\n")
    SAMPLES = "".join(f"MEM {20 + n}.0 170000000{n}.0\nCHLD 11 {10 + n}.0 170000000{n}.0\n"
                      f"CHLD 12 {5 + n}.0 170000000{n}.0\n" for n in range(4))
    PEAKS = ("PEAK 10 300.5 1700000003.0\nPEAK 11 77.25 1700000003.0\n"
             "PEAK 12 8.001 1700000003.0\n")

    def drawn(self, text, *options):
        svg = self.plot_svg(self.write("in.dat", text), *options)
        self.peak_names = svg.texts("peak-name")
        return svg.texts("facts")[0], svg.all_texts()

    def test_of_the_program_and_of_children(self):
        facts, texts = self.drawn(self.HEAD + self.SAMPLES + self.PEAKS)
        self.assertIn("main process: peak 300.5 MiB between samples, 23.0 MiB sampled", facts)
        self.assertIn("all processes: peak \u2265 300.5 MiB, 44.0 MiB sampled", facts)
        self.assertEqual(self.peak_names, ["highest sample of the main process 23.0 MiB at 3.00 s",
                                           "worker 11 13.0 MiB at 3.00 s"])
        self.assertIn("exact peak", texts)
        self.assertIn("77.2 MiB", texts)
        self.assertEqual(texts.count("8.0 MiB"), 1)  # its exact peak would be the same on paper

    def test_lower_bounds_are_marked(self):
        facts, texts = self.drawn(self.HEAD + self.SAMPLES + "PEAK 10 300.5 1700000003.0 least\n"
                                  "PEAK 11 77.25 1700000003.0 least\nPEAK 0 900.0 1700000003.0\n")
        self.assertIn("main process: peak \u2265 300.5 MiB between samples", facts)
        self.assertIn("\u2265 77.2 MiB", texts)
        # whose it was is unknown, but all together had as much
        self.assertIn("all processes: peak \u2265 900.0 MiB", facts)
        self.assertEqual([text for text in texts if "900" in text and text != facts],
                         [text for text in texts if text.startswith("all processes: \u2265 900.0 MiB")])

    def test_one_command_is_singular(self):
        children = range(11, 24)
        for names, says in ((1, "14 processes of 1 command "), (2, "14 processes of 2 commands ")):
            with self.subTest(names=names):
                facts, _ = self.drawn(
                    "CMDLINE ./a\nFACT pid 10\nFACT include-children yes\nPROC 10 1 1700000000.0 a\n"
                    + "".join(f"PROC {pid} 10 1700000000.0 {'ab'[pid % names]}\n" for pid in children)
                    + "".join(f"MEM 90.0 170000000{t}.0\n"
                              + "".join(f"CHLD {pid} 5.0 170000000{t}.0\n" for pid in children)
                              for t in range(3)))
                self.assertIn(says, facts)

    def test_of_the_control_group(self):
        for limit, says in (("512.0", "control group up to 490.2 MiB of 512.0 MiB"),
                            ("max", "control group up to 490.2 MiB")):
            facts, _ = self.drawn(self.HEAD + self.SAMPLES + "GROUP 20.0 1700000001.0 64.0 /app\n"
                                  f"GROUP 490.2 1700000002.0 {limit} /app\n")
            self.assertRegex(facts, re.escape(says) + r"\Z")

    def test_no_column_where_the_samples_saw_all(self):
        facts, texts = self.drawn(self.HEAD + self.SAMPLES + "PEAK 10 23.0 1700000003.0\n"
                                  "EXIT 11 1700000003.5 status 0\n")
        self.assertNotIn("between samples", facts)
        self.assertNotIn("exact peak", texts)
        self.assertIn("mean", texts)
        self.assertIn("end", texts)

    def test_not_for_a_window(self):
        facts, texts = self.drawn(self.HEAD + self.SAMPLES + self.PEAKS, "-w", "1,3")
        self.assertNotIn("between samples", facts)
        self.assertNotIn("exact peak", texts)


class ControlGroup(PlotCase):
    """The curves of the control group and its limit."""

    def recording(self, group, limit, *rest):
        return self.write("in.dat", "CMDLINE x\nFACT pid 10\n" + "".join(
            f"MEM {100 + 30 * (n % 3)} {1700000000 + n}\nGROUP {group + n % 3} {1700000000 + n} {limit} /a\n"
            for n in range(30)) + "".join(rest))

    def test_is_drawn_with_its_limit(self):
        for options in ([], ["-f"], ["--stack"], ["-w", "3,20"], ["--theme", "dark"]):
            with self.subTest(options=options):
                svg = self.plot_svg(*options, self.recording(180, "230.0"))
                self.assertEqual([len(svg.of_class(name)) for name in ("control-group", "limit")], [1, 1])
                self.assertEqual(svg.texts("control-group-name"), ["control group"])
                self.assertEqual(svg.texts("limit-name"), ["limit 230.0 MiB"])
        for kind, check in (("png", png_size), ("pdf", check_pdf)):
            self.run_mprof("plot", "-o", f"out.{kind}", self.recording(180, "230.0"))
            check(self.directory / f"out.{kind}")

    def test_without_a_limit_and_far_below_it(self):
        for group, limit, drawn in ((180, "max", [1, 0]), (180, "900.0", [1, 0]), (900, "9000.0", [0, 0])):
            with self.subTest(group=group, limit=limit):
                svg = self.plot_svg(self.recording(group, limit))
                self.assertEqual([len(svg.of_class(name)) for name in ("control-group", "limit")], drawn)
                self.assertIn(f"control group up to {group + 2}.0 MiB", svg.texts("facts")[0])

    def test_memory_group_draws_it_at_any_distance(self):
        svg = self.plot_svg("--memory", "group", self.recording(900, "9000.0"))
        self.assertEqual([len(svg.of_class(name)) for name in ("control-group", "limit")], [1, 1])
        self.assertIn("8 GiB", svg.texts("tick"))
        done = self.run_mprof("plot", "--memory", "group", "-o", "out.svg", NESTED, expect=1)
        self.assertRegex(done.stderr, r"\Amprof: [^\n]*nested\.dat: the control group was not recorded; "
                                      r"record it with `mprof run --memory group'\n\Z")

    def test_not_drawn_for_several_recordings(self):
        svg = self.plot_svg(self.recording(180, "230.0"), NESTED)
        self.assertEqual(svg.of_class("control-group") + svg.of_class("limit"), [])


class Kinds(PlotCase):
    """--memory: curves of kinds that `run --memory` recorded."""

    def recording(self, name="in.dat", facts="", kinds="pss={0} uss=5 swap=7"):
        return self.write(name, f"CMDLINE x\nFACT pid 10\n{facts}PROC 10 1 1700000000 app\n" + "".join(
            f"MEM {100 + n % 3} {1700000000 + n}\nKINDS 10 {1700000000 + n} {kinds.format(40 + n)}\n"
            f"KINDS 11 {1700000000 + n} {kinds.format(20)}\n" for n in range(30)))

    def curves(self, svg):
        """The curves in the plot, without samples of the legend."""
        return [element for element in svg.of_class("kind") if element.find(SVG + "title") is not None]

    def test_curves_and_their_names(self):
        for options, names in ((["--memory", "pss"], ["RSS", "PSS, sum of 2 processes"]),
                               (["--memory=uss,pss"], ["RSS", "PSS, sum of 2 processes", "USS, sum of 2 processes"]),
                               (["--memory", "swap", "-f"], ["RSS", "swap"]),
                               (["--memory", "rss,pss", "--stack"], ["RSS", "PSS, sum of 2 processes"]),
                               (["--memory", "pss", "-w", "4,20"], ["RSS", "PSS, sum of 2 processes"])):
            with self.subTest(options=options):
                svg = self.plot_svg(*options, self.recording())
                self.assertEqual(svg.texts("legend-name"), names)
                titles = [element.find(SVG + "title").text for element in self.curves(svg)]
                self.assertEqual(titles, names[1:])
                self.assertEqual(svg.texts("kind-name"), [re.split(", | of ", name)[0] for name in names[1:]])
        self.assertIn("89.0 MiB", self.plot_svg("--memory", "pss", self.recording()).texts("legend-cell"))

    def test_of_a_run(self):
        """The program ends when its recording contains a KINDS record."""
        program = self.write("program.py", "import sys, time\nend = time.monotonic() + 60\n"
                             "while time.monotonic() < end and b'\\n#KINDS|' not in open(sys.argv[1], 'rb').read():\n"
                             "    time.sleep(0.05)\n")
        path = self.directory / "run.dat"
        self.run_mprof("run", "--nopython", "--memory", "pss,swap", "-T", "0.05", "-o", path,
                       sys.executable, program, path)
        svg = self.plot_svg("--memory", "pss,swap", path)
        self.assertEqual(svg.texts("legend-name"), ["RSS", "PSS", "swap"])
        self.run_mprof("plot", "--memory", "uss", "-o", "out.svg", path, expect=1)

    def test_without_the_option_no_kind_is_drawn(self):
        svg = self.plot_svg(self.recording())
        self.assertEqual(svg.of_class("kind") + svg.of_class("legend-name"), [])

    def test_the_sampled_kind_gets_no_second_curve(self):
        self.assertEqual(self.plot_svg("--memory", "rss", NESTED).of_class("kind"), [])
        path = self.recording(facts="FACT backend psutil_pss\n", kinds="uss=1")
        self.assertEqual(self.plot_svg("--memory", "pss,uss", path).texts("legend-name"),
                         ["PSS", "USS, sum of 2 processes"])

    def test_a_kind_that_was_not_recorded_is_refused(self):
        for kind, path, says in (
                ("pss", NESTED, r"pss was not recorded \(recorded kinds: none\); record with `mprof run --memory pss'"),
                ("pss,uss", NESTED, r"pss, uss were not .*`mprof run --memory pss,uss'"),
                ("pss,anon", self.recording(), r"anon was not recorded \(recorded kinds: pss, uss, swap\)")):
            with self.subTest(kind=kind):
                done = self.run_mprof("plot", "--memory", kind, "-o", "out.svg", path, expect=1)
                self.assertRegex(done.stderr, r"\Amprof: [^\n]*\.dat: " + says + r"[^\n]*\n\Z")
                self.assertFalse((self.directory / "out.svg").exists())

    def test_an_unknown_kind_is_refused(self):
        for kinds in ("heap", "pss,", "", ",", "PSS", "pss,heap"):
            with self.subTest(kinds=kinds):
                done = self.run_mprof("plot", "--memory", kinds, NESTED, expect=2)
                self.assertRegex(done.stderr, "--memory: unknown kind '(heap|PSS|)'; use rss, pss, uss, swap, anon, "
                                              "file, shmem, lazyfree, hugetlb or group\n")

    def test_several_recordings(self):
        svg = self.plot_svg("--memory", "pss", self.recording("a.dat"), self.recording("b.dat"))
        titles = [element.find(SVG + "title").text for element in self.curves(svg)]
        self.assertEqual(titles, ["a.dat  PSS, sum of 2 processes", "b.dat  PSS, sum of 2 processes"])
        self.assertIn("peak PSS", svg.texts("legend-head"))
        self.run_mprof("plot", "--memory", "pss", "-o", "out.svg", "a.dat", NESTED, expect=1)

    def test_each(self):
        (self.directory / "in").mkdir()
        self.recording("in/a.dat")
        shutil.copy(NESTED, self.directory / "in" / "b.dat")
        done = self.run_mprof("plot", "--each", "--memory", "pss", "-o", "out", "in", expect=1)
        self.assertRegex(done.stderr, r"\Amprof: in/b\.dat: pss was not recorded[^\n]*\n\Z")
        self.assertEqual(os.listdir(self.directory / "out"), ["a.svg"])


class Options(PlotCase):
    def test_every_option_draws(self):
        for options in ([], ["-n"], ["-f"], ["-s"], ["-w", "0.5,1"], ["-t", "title"],
                        ["--stack"], ["--theme", "dark"], ["--theme", "light"], ["--by", "function"],
                        ["-f", "--by", "function"], ["--func", "fit"], ["--min-duration", "0.1"],
                        ["--size", "800x400"], ["--font", "DejaVu Sans"], ["--backend", "agg"],
                        ["-f", "-w", "0.2,0.4"], ["-f", "-n"]):
            for kind, check in (("svg", check_svg), ("pdf", check_pdf), ("png", png_size)):
                with self.subTest(options=options, kind=kind):
                    path = self.directory / f"out.{kind}"
                    self.run_mprof("plot", *options, "-o", path, NESTED)
                    check(path)

    def test_no_script_makes_it_small_and_inert(self):
        for options in ([], ["-f"], ["-s", "-w", "0.2,0.4"], ["--theme", "dark"]):
            with self.subTest(options=options):
                interactive = self.plot_svg(*options, NESTED)
                size = (self.directory / "out.svg").stat().st_size
                still = self.plot_svg(*options, "--no-script", NESTED)
                self.assertLess(3 * (self.directory / "out.svg").stat().st_size, size)
                # the same texts and shapes, in order
                self.assertEqual(still.all_texts(), interactive.all_texts())
                for name in ("curve", "area", "bracket", "box", "rug", "peak", "tick"):
                    self.assertEqual([sorted(element.attrib.items()) for element in still.of_class(name)],
                                     [sorted(element.attrib.items()) for element in interactive.of_class(name)])
                allowed = {SVG + name for name in ("svg", "title", "desc", "style", "g", "rect", "path",
                                                   "circle", "text")}
                self.assertLessEqual({element.tag for element in still.root.iter()}, allowed)
                self.assertEqual(len(list(still.root.iter(SVG + "title"))), 1)
                text = (self.directory / "out.svg").read_text()
                self.assertNotRegex(text, r"(?i)script|onload|javascript:|href|url\(|@import")
                self.assertTrue(interactive.of_class("columns"))

    def test_title(self):
        self.assertEqual(self.plot_svg("-t", "<b> & 'this'", NESTED).texts("title"), ["<b> & 'this'"])

    def test_functions_can_be_left_out(self):
        self.assertTrue(self.plot_svg(NESTED).of_class("bracket"))
        svg = self.plot_svg("-n", NESTED)
        for name in ("bracket", "bracket-name", "rug", "legend-name"):
            self.assertEqual(svg.of_class(name), [], name)

    def test_window_rescales_both_axes(self):
        text = "".join(f"MEM {500 if i == 10 else 100 + i % 3} {1000 + i}\n" for i in range(100))
        path = self.write("steps.dat", text)
        whole, part = self.plot_svg(path), self.plot_svg("-w", "20,40", path)
        self.assertIn("400 MiB", whole.texts("tick"))
        self.assertIn("30 s", part.texts("tick"))
        self.assertNotIn("1m", part.texts("tick"))
        self.assertIn("102.0 MiB", part.texts("peak-name")[0])
        self.assertTrue(all(float(re.match(r"[\d.]+", tick)[0]) <= 110
                            for tick in part.texts("tick") if "MiB" in tick), part.texts("tick"))

    def test_window_between_two_samples(self):
        """The line crosses the window, as in a picture of the whole recording."""
        path = self.write("sparse.dat", "CMDLINE sparse\nMEM 100 1000\nMEM 200 1010\nCHLD 7 50 1000\n"
                                        "CHLD 7 60 1010\n")
        svg = self.plot_svg("-w", "4,6", path)
        (curve,) = svg.of_class("curve")
        self.assertRegex(curve.get("d"), r"^M[\d.]+ [\d.]+l[\d.]+-[\d.]+$")  # upwards, in one
        self.assertEqual(len(svg.of_class("child")), 1)
        self.assertIn("no sample in this window", svg.texts("facts")[0])
        self.assertEqual(svg.of_class("peak-name"), [])
        for window in ("20,30", "10.5,11"):
            done = self.run_mprof("plot", "-w", window, "-o", self.directory / "none.svg", path,
                                  expect=1)
            self.assertEqual(done.stderr, f"mprof: {path}: no sample of memory within the window\n")

    def test_window_within_a_call_between_two_samples(self):
        """Nothing of the call was measured there: it has no peak."""
        path = self.write("call.dat", "CMDLINE x\nMEM 100 1000\nMEM 200 1010\nFUNC m.f 110 1001 190 1009 0\n")
        svg = self.plot_svg("-w", "4,6", path)
        self.assertNotIn("peak", svg.texts("legend-head"))
        self.assertNotIn("nan", " ".join(svg.all_texts()))

    def test_slope_is_that_of_least_squares(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed")
        for path in (NESTED, WEB):
            samples = [line.split() for line in path.read_text().splitlines()
                       if line.startswith("MEM")]
            times = numpy.array([float(s[2]) for s in samples])
            slope = numpy.polyfit(times - times[0], [float(s[1]) for s in samples], 1)[0]
            svg = self.plot_svg("-s", path)
            self.assertIn(f"{slope:.5f} MiB/s", svg.texts("legend-cell"))
            self.assertEqual(len(svg.of_class("slope")), 1)

    def test_functions_by_pattern(self):
        self.assertEqual(self.plot_svg("--func", "fit", NESTED).texts("legend-name"), ["fit"])
        self.assertEqual(set(self.plot_svg("--func", "*.[bl]*", NESTED).texts("legend-name")),
                         {"leaf", "branch"})
        self.assert_fails("--func", "absent", "-o", "out2.svg", NESTED, says="absent")

    def test_short_calls_are_left_out(self):
        some = self.plot_svg("-f", "--min-duration", "0.1", NESTED)
        self.assertGreater(len(self.plot_svg("-f", NESTED).of_class("box")), len(some.of_class("box")))
        self.assertTrue(some.of_class("box"))

    def test_size_and_resolution(self):
        for options, size in (([], (1260, 540)), (["--size", "800x400"], (800, 400)),
                              (["--size", "7x3in"], (630, 270)), (["--dpi", "180"], (2520, 1080)),
                              (["--size", "800x400", "--dpi", "45"], (400, 200)), (["--size", "90x60"], (90, 60)),
                              (["-f", "--size", "1x1in"], (90, 90)),
                              (["--size", "3.33x2.2in"], (300, 198))):
            with self.subTest(options=options):
                path = self.directory / "out.png"
                self.run_mprof("plot", *options, "-o", path, NESTED)
                self.assertEqual(png_size(path), size)

    def test_lines_and_marks(self):
        svg = self.plot_svg("--limit", "0.25GiB", "--line", "40:usual & <b>", "--line", "50", "--mark", "0.5:deploy",
                            "--mark", "1.2", "--mark", "99:later", NESTED)
        self.assertEqual(set(svg.texts("note-name")), {"limit 256.0 MiB", "usual & <b>", "50.0 MiB", "deploy"})
        self.assertEqual([len(svg.of_class(f"note-{kind}")) for kind in ("limit", "area", "line", "mark")], [1, 1, 2, 2])
        self.assertIn("250 MiB", svg.texts("tick"))  # the axis reaches it
        data = json.loads(svg.root.find("{http://www.w3.org/2000/svg}metadata").text)
        (left, top, width, height), (low, high, _) = data["plot"], data["memory"]
        y = float(re.match(r"M[\d.]+ ([\d.]+)", svg.of_class("note-limit")[0].get("d"))[1])
        self.assertAlmostEqual(y, top + height * (1 - (256 - low) / (high - low)), delta=0.2)
        x = float(re.match(r"M([\d.]+)", svg.of_class("note-mark")[0].get("d"))[1])
        self.assertAlmostEqual(x, left + width * 0.5 / data["time"][1], delta=0.2)
        for option, values, expected in (
                ("--limit", ("", "x", "-1", "5 parsecs", "1e99"), "a number of MiB"), ("--line", (":x", "5s:x"), "a number of MiB"),
                ("--mark", ("", "x:5", "5s:x"), "SECONDS or SECONDS:TEXT"), ("--label", ("x", "=x", "x="), "FILE=NAME")):
            for value in values:
                with self.subTest(option=option, value=value):
                    self.assert_fails(f"{option}={value}", "-o", "out.svg", NESTED, expect=2,
                                      says=f"{option} must be {expected}[^\n]*, not '{re.escape(value)}'\n")

    def test_range_of_the_memory_axis(self):
        for low, high in ((0, 500), (0, 60), (40, 100)):
            for options in ([], ["-f"], ["--stack", CHILDREN], ["--size", "240x160"]):
                with self.subTest(low=low, high=high, options=options):
                    svg = self.plot_svg("--ylim", f"{low},{high}", *options, *([] if CHILDREN in options else [NESTED]))
                    data = json.loads(svg.root.find("{http://www.w3.org/2000/svg}metadata").text)
                    self.assertEqual(data["memory"][:2], [low, high])
                    curves = svg.of_class("curves")[0].get("clip-path")
                    (clip,) = svg.root.iter("{http://www.w3.org/2000/svg}clipPath")
                    self.assertEqual(curves, f"url(#{clip.get('id')})")
                    left, top, width, height = data["plot"]
                    for dot in svg.of_class("peak-dot"):
                        self.assertTrue(top - 1 <= float(dot.get("cy")) <= top + height + 1)
        self.run_mprof("plot", "--ylim", "0,60", "--size", "400x200", "--theme", "paper", "-o", "out.png", NESTED)
        self.assertEqual(self.plot_svg(NESTED).of_class("curves")[0].get("clip-path"), None)
        for value in ("1", "5,5", "-1,5", "a,b", "0,1e99"):
            self.assert_fails(f"--ylim={value}", "-o", "out.svg", NESTED, expect=2,
                              says=f"--ylim must be LOW,HIGH in MiB, or with a unit such as GiB, with LOW below HIGH, "
                                   f"not '{value}'\n")

    def test_names_for_recordings(self):
        svg = self.plot_svg("--label", f"{NESTED}=with cache", "--label", f"{WEB.name}=<without>", NESTED, WEB)
        self.assertEqual([name for name in svg.texts("legend-name") if name.startswith(("with", "<with"))],
                         ["with cache", "<without>"])

    def test_transparent(self):
        """The pixels are those of the opaque picture once they are put on paper."""
        for options in ([], ["--flame"]):
            with self.subTest(options=options):
                self.check_transparent("--size", "600x400", *options, NESTED)
        self.assertEqual(self.plot_svg("--transparent", NESTED).of_class("paper"), [])
        self.assertEqual(len(self.plot_svg(NESTED).of_class("paper")), 1)

    def check_transparent(self, *arguments):
        for name, options in (("opaque", []), ("clear", ["--transparent"])):
            self.run_mprof("plot", *options, "-o", f"{name}.png", *arguments)
        data = (self.directory / "clear.png").read_bytes()
        chunks = list(png_file.chunks(data))
        self.assertEqual(dict(chunks)[b"IHDR"][8:10], b"\x08\x06")  # with alpha
        raw = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
        width, height, opaque = png_file.read(self.directory / "opaque.png")
        stride = 4 * width + 1
        rows = [raw[y * stride + 1:(y + 1) * stride] for y in range(height)]
        self.assertIn(0, rows[0][3::4])
        for row, whole in zip(rows, opaque):
            for c in range(3):
                on_paper = [(part * alpha + 255 * (255 - alpha)) / 255 for part, alpha in zip(row[c::4], row[3::4])]
                self.assertLess(max(abs(a - b) for a, b in zip(on_paper, whole[c::3])), 40)

    def test_encapsulated_postscript(self):
        """Nothing is transparent, so that nothing has to be written as pixels."""
        for options in ([], ["-f", "--theme", "dark"], ["--theme", "paper"], ["--stack", "--size", "3.33x2.2in"]):
            with self.subTest(options=options):
                path = self.directory / "out.eps"
                self.run_mprof("plot", *options, "-o", path, CHILDREN if "--stack" in options else NESTED)
                text = path.read_bytes()
                self.assertTrue(text.startswith(b"%!PS-Adobe-3.0 EPSF-3.0\n"))
                self.assertRegex(text, rb"\n%%BoundingBox: 0 -?\d+ \d+ \d+\n")
                self.assertNotIn(b"ImageType", text)
                self.assertTrue(text.rstrip().endswith(b"%%EOF"))

    def test_the_date_of_a_document_can_be_set(self):
        """SOURCE_DATE_EPOCH: equal bytes at any time; what is no date is ignored."""
        def draw(kind, epoch):
            self.run_mprof("plot", "-o", f"out.{kind}", NESTED, env=self.environment(SOURCE_DATE_EPOCH=epoch))
            return (self.directory / f"out.{kind}").read_bytes()
        first = {kind: draw(kind, "1700000000") for kind in ("pdf", "eps")}
        self.assertIn(b"20231114221320", pdf_objects(first["pdf"]))
        self.assertIn(b"\n%%CreationDate: 2023-11-14 22:13:20 UTC\n", first["eps"])
        time.sleep(1.1)  # dates have seconds
        for kind, data in first.items():
            self.assertEqual(draw(kind, "1700000000"), data)
            for epoch in ("", "soon", "-1", "1700000000x", "99999999999999999999"):
                other = draw(kind, epoch)
                self.assertNotIn(b"20231114" if kind == "pdf" else b"2023-11-14", pdf_objects(other))
                if kind == "pdf":
                    check_pdf(self.directory / "out.pdf")

    def test_parts_can_be_left_out(self):
        parts = {"title": "title", "facts": "facts", "legend": "legend-name", "peak": "peak-name"}
        whole = self.plot_svg(NESTED)
        heights = {}
        for name in ("nothing", *parts):
            svg = self.plot_svg(*([f"--no-{name}"] if name != "nothing" else []), NESTED)
            for other, of_class in parts.items():
                self.assertEqual(bool(svg.of_class(of_class)), other != name, (name, other))
            self.assertTrue(svg.of_class("bracket"))
            heights[name] = json.loads(svg.root.find("{http://www.w3.org/2000/svg}metadata").text)["plot"]
        for name in ("title", "facts"):  # the plot gets their room
            self.assertLess(heights[name][1], heights["nothing"][1])
        self.assertGreater(heights["legend"][3], heights["nothing"][3])
        bare = self.plot_svg("--bare", "--size", "640x300", NESTED)
        self.assertEqual(set(bare.all_texts()), set(bare.texts("tick")))
        self.assertTrue(bare.of_class("rug") and bare.of_class("curve"))
        self.assertTrue(whole.of_class("peak"))

    def test_pdf_has_the_page_size_of_upstream(self):
        path = self.directory / "out.pdf"
        self.run_mprof("plot", "-o", path, NESTED)
        info = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
        self.assertRegex(info, r"Page size: +1008 x 432 pts")
        self.assertRegex(info, r"Title: +/usr/bin/python3 nested.py")
        self.assertRegex(info, r"Creator: +mprof")

    def test_theme(self):
        auto = self.plot_svg(NESTED)
        self.assertIn("prefers-color-scheme", "".join(auto.root.itertext()))
        for theme in ("light", "dark"):
            text = "".join(self.plot_svg("--theme", theme, NESTED).root.itertext())
            self.assertNotIn("prefers-color-scheme", text)
        self.assertIn("--paper:#14181f", text)

    def test_theme_for_print(self):
        """Greys only; the four functions that ran longest have patterns, all others are grey."""
        many = self.write("many.dat", "MEM 10 1000\nMEM 90 1010\nMEM 40 1020\n" + "".join(
            f"FUNC m.f{n} 10 {1000 + 3 * n} 40 {1003 + 2.6 * n:.1f} 0\n" for n in range(6)))
        for options in ([], ["-f"], ["--size", "3.33x2.2in"]):
            with self.subTest(options=options):
                path = self.directory / "out.png"
                self.run_mprof("plot", "--theme", "paper", "--dpi", "200", *options, "-o", path, many)
                _, _, rows = png_file.read(path)
                self.assertTrue(all(row[0::3] == row[1::3] == row[2::3] for row in rows))
        self.run_mprof("plot", "--theme", "paper", "--size", "3.33x2.2in", "-o", "out.pdf", many)
        info = subprocess.run(["pdfinfo", self.directory / "out.pdf"], capture_output=True, text=True,
                              check=True).stdout
        self.assertRegex(info, r"Page size: +239\.76\d* x 158\.4\d* pts")  # 3.33 x 72
        svg = self.plot_svg("--theme", "paper", "--size", "400x200", many)
        names = svg.texts("legend-name")
        self.assertEqual(names, ["f0", "f1", "f2", "f3", "2 others"])
        self.assertEqual([node.get("class") for node in svg.of_class("swatch")],
                         [f"swatch c{slot}" for slot in (0, 1, 2, 3, 8)])
        style = "".join(svg.root.itertext())
        self.assertRegex(style, r"\.swatch\.c1\{[^}]*fill:url\(#m[a-z]+-pattern1\)")
        self.assertEqual(len({node.get("id") for node in svg.root.iter()
                              if node.tag.endswith("}pattern")}), 2)
        runs = self.plot_svg("--theme", "paper", "-n", many, NESTED, WEB)
        style = "".join(runs.root.itertext())
        slots = {node.get("class") for node in runs.of_class("curve")}
        self.assertEqual(len(slots), 3)  # they differ by dashes, hues would not be seen
        self.assertEqual(len({re.search(rf"\.{slot.replace(' ', '.')}{{[^}}]*?(stroke-dasharray:[^;]*)?;?}}", style)[1]
                              for slot in slots}), 3, slots)

    def test_bad_values_are_refused(self):
        for option, values in (("--window", ("1", "2,1", "1,nan", "a,b")), ("--size", ("10x10", "axb", "800x400cm")),
                               ("--dpi", ("0", "1e9", "90x")), ("--theme", ("pink",)), ("--by", ("name",)),
                               ("--format", ("gif", "")), ("--min-duration", ("-1",)), ("--jobs", ("0", "x"))):
            for value in values:
                with self.subTest(option=option, value=value):
                    self.assert_fails(f"{option}={value}", "-o", "out.svg", NESTED, expect=2,
                                      says=f"{option} must be [^\n]*, not '{value}'\n")
        self.assert_fails("--no-such-option", "-o", "out.svg", NESTED, says="no-such-option", expect=2)


class Pictures(PlotCase):
    def test_metadata_of_png(self):
        path = self.directory / "out.png"
        self.run_mprof("plot", "-o", path, NESTED)
        chunks = png_chunks(path)
        texts = dict(body.split(b"\0", 1) for kind, body in chunks if kind == "iTXt")
        self.assertIn(b"nested.py", texts[b"Title"])
        self.assertIn(b"51 calls", texts[b"Description"])
        self.assertIn(b"mprof", texts[b"Software"])
        self.assertIn(b"nested.dat", texts[b"Source"])

    def test_metadata_and_bookmarks_of_pdf(self):
        path = self.directory / "out.pdf"
        lines = NESTED.read_text() + "PROC 5 1 1795330517.9 wörker\n" + "".join(
            f"FUNC a.b 1 1795330518.{i} 2 1795330518.{i + 1} 0 pid=5\n" for i in range(1, 8, 2))
        self.run_mprof("plot", "-f", "-o", path, self.write("two.dat", lines))
        info = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
        for key, value in (("Title", "/usr/bin/python3 nested.py"), ("Author", "mprof"),
                           ("Subject", ".*55 calls of 5 functions.*"), ("Keywords", "two.dat"),
                           ("Creator", r"mprof [\d.]+")):
            self.assertRegex(info, rf"(?m)^{key}: +{value}$")
        data = path.read_bytes()
        inflated = data + b"".join(
            zlib.decompressobj().decompress(data[match.end():])
            for match in re.finditer(rb"/FlateDecode\s*>>\s*stream\r?\n", data))
        titles = [self.pdf_string(text) for text in
                  re.findall(rb"/Title\s*(\((?:[^()\\]|\\.)*\)|<[0-9A-Fa-f]+>)", inflated)]
        for title in ("Memory", "Calls", "Legend", "wörker 5", "fit", "predict"):
            self.assertIn(title, titles)

    @staticmethod
    def pdf_string(text):
        if text.startswith(b"<"):
            raw = bytes.fromhex(text[1:-1].decode())
            return raw.decode("utf-16") if raw[:2] == b"\xfe\xff" else raw.decode("latin-1")
        return re.sub(rb"\\(.)", rb"\1", text[1:-1]).decode("latin-1")

    def test_svg_and_pdf_contain_the_same_text(self):
        for options in ([], ["-f"]):
            svg = self.plot_svg(*options, NESTED)
            path = self.directory / "out.pdf"
            self.run_mprof("plot", *options, "-o", path, NESTED)
            text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True,
                                  text=True, check=True).stdout
            squeezed = re.sub(r"\s+", "", text)
            for label in svg.all_texts():
                with self.subTest(label=label):
                    self.assertIn(re.sub(r"\s+", "", label), squeezed)

    def test_flame_boxes_carry_names_and_titles(self):
        svg = self.plot_svg("-f", NESTED)
        boxes = svg.of_class("box")
        self.assertEqual(len(boxes), 51)
        for box in boxes:
            self.assertRegex(box.find(SVG + "title").text, r"\w+: .* at ")
        self.assertTrue(any(text.startswith("predict") for text in svg.texts("box-name")))

    def test_flame_keeps_the_curves_of_children(self):
        text = CHILDREN.read_text()
        start = float(text.split("\n")[1].split()[2])
        path = self.write("both.dat", text + f"FUNC a.b 10 {start + 1} 20 {start + 2} 0\n")
        svg = self.plot_svg("-f", path)
        self.assertEqual(len(svg.of_class("box")), 1)
        self.assertGreaterEqual(len([e for e in svg.of_class("child") if e.tag == SVG + "path"]), 2)

    def test_children_are_named(self):
        names = self.plot_svg(CHILDREN).texts("child-name")
        self.assertEqual(len(names), 2, names)

    def test_facts_are_whole_or_left_out(self):
        path = self.write("sum.dat", "CMDLINE ./a\nFACT pid 10\nFACT include-children yes\nPROC 10 1 1700000000.0 a\n"
                          "PROC 11 10 1700000000.0 b\n" + "".join(
                              f"MEM 90.0 170000000{t}.0\nCHLD 11 5.0 170000000{t}.0\n" for t in range(3)))
        whole = self.plot_svg(path, "--size", "3000x540").texts("facts")[0].split("  \u00b7  ")
        self.assertIn("RSS counts shared pages", whole[-1])
        shown = set()
        for width in range(640, 1300, 40):
            facts = self.plot_svg(path, "--size", f"{width}x540").texts("facts")[0].split("  \u00b7  ")
            shown.add(facts[-1])
            self.assertEqual(facts[:-1], whole[:len(facts) - 1], width)
            self.assertIn(facts[-1], {whole[len(facts) - 1], "RSS repeats shared pages"}, width)
        self.assertGreater(len(shown), 2)

    def test_one_legend_line_for_each_function(self):
        names = self.plot_svg(NESTED).texts("legend-name")
        self.assertEqual(sorted(names), ["branch", "fit", "leaf", "predict"])

    def test_dense_samples_are_not_drawn_as_dots(self):
        path = self.write("many.dat", "".join(f"MEM {i % 50} {100 + i / 10}\n" for i in range(20000)))
        svg = self.plot_svg(path)
        self.assertEqual(svg.of_class("sample"), [])
        self.run_mprof("plot", "--embed", "-o", "numbers.svg", path)  # without the script
        self.assertLess((self.directory / "numbers.svg").stat().st_size, 100_000)
        sparse = self.write("few.dat", "".join(f"MEM {i % 5} {100 + i}\n" for i in range(20)))
        self.assertEqual(len(self.plot_svg(sparse).of_class("sample")), 20)

    def test_memory_ticks_are_not_negative_and_long_times_are_hours(self):
        path = self.write("long.dat", "".join(f"MEM {i % 9} {1.7e9 + i * 1000}\n" for i in range(101)))
        ticks = self.plot_svg(path).texts("tick")
        self.assertNotIn("-", "".join(tick for tick in ticks if "iB" in tick))
        self.assertTrue(any(tick.endswith("h") for tick in ticks), ticks)

    def test_of_calls_that_start_together_the_longest_has_the_bracket(self):
        path = self.write("fan.dat", "MEM 10 100\nMEM 20 110\n" + "".join(
            f"FUNC m.f{i} 10 101 15 {109 - i} {i}\n" for i in range(4)))
        svg = self.plot_svg(path)
        names = {bracket.findtext("{*}title").split(":")[0] for bracket in svg.of_class("bracket")}
        self.assertEqual(names, {"m.f0"})
        self.assertEqual(len(svg.of_class("rug")), 4)

    def test_b8_hostile_names(self):
        lines = ["CMDLINE " + HOSTILE[0] + " ]]> & \x1b[31m"]
        lines += [f"MEM {i} {100 + i}" for i in range(1, 60)]
        lines += [f"FUNC m.{name.replace(' ', '_')} 10 {101 + 3 * i} 20 {103 + 3 * i} 0"
                  for i, name in enumerate(HOSTILE)]
        path = self.write("hostile.dat", "\n".join(lines) + "\n")
        for options in ([], ["-f"], ["-t", "‮" + HOSTILE[0]]):
            with self.subTest(options=options):
                svg = self.plot_svg(*options, path)
                inside = [e.tag for e in svg.root.iter() if "alert(1)" in (e.text or "")]
                self.assertTrue(inside)
                self.assertLessEqual(set(inside), {SVG + "text", SVG + "title", SVG + "metadata"})
                self.assertNotRegex((self.directory / "out.svg").read_bytes().decode(),
                                    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
                self.assert_draws(path, options=() if "-f" in options else options)

    def test_b8_a_file_name_of_any_bytes(self):
        path = self.write("a<b>&\n\x1b.dat", NESTED.read_text())
        self.plot_svg(path, NESTED)


class Processes(PlotCase):
    """--group: which processes are one line, one layer and one row."""

    def recording(self, count):
        names = ("cc1", "as", "ld")
        lines = ["CMDLINE make", "FACT pid 10", "FACT include-children yes", "PROC 10 1 1000 make"]
        lines += [f"PROC {100 + i} 10 1000 {names[i % 3]}" for i in range(count)]
        for tick in range(20):
            lines.append(f"MEM {2 + sum(range(1, count + 1))} {1000 + tick}")
            lines += [f"CHLD {100 + i} {i + 1} {1000 + tick}" for i in range(count)]
        return self.write(f"build-{count}.dat", "\n".join(lines) + "\n")

    def test_which_processes_are_one_line_or_layer(self):
        commands, pids = {"cc1 ×5", "as ×4", "ld ×4"}, {f"{name} {100 + i}" for i, name in enumerate(["cc1", "as", "ld"] * 5)}
        rows = ((13, [], commands), (13, ["--group", "command"], commands), (13, ["--group", "pid"], pids),
                (13, ["--group", "none"], set()), (11, [], pids), (3, ["--group", "command"], {"cc1", "as", "ld"}))
        for count, options, expected in rows:
            path = self.recording(count)
            for stack in ([], ["--stack"]):
                with self.subTest(count=count, options=options, stack=stack):
                    svg = self.plot_svg(*options, *stack, path)
                    names = set(svg.texts("legend-name"))
                    shapes = len(svg.of_class("layer" if stack else "child"))
                    if not expected:
                        self.assertEqual((names, shapes), (set(), 1 if stack else 0))
                        continue
                    self.assertIn("make 10 (main)", names)
                    self.assertLessEqual(names - {"make 10 (main)"}, expected)
                    groups = 3 if expected is not pids else count
                    self.assertEqual(shapes, (min(groups, 8) + 1 + (groups > 8) if stack else groups))
                    parts = svg.of_class("peak-part")
                    self.assertEqual(len(parts), shapes if stack else groups + 1 if expected is not pids else 0)

    def test_commands_are_sorted_by_what_they_had_at_the_peak(self):
        cells = self.plot_svg(self.recording(13)).texts("legend-cell")
        self.assertEqual([cell for cell in cells if cell.endswith(" %")], ["2 %", "38 %", "32 %", "28 %"])
        self.assertIn("13.0 MiB pid 112 at 0 s", cells)

    def test_an_unknown_grouping_is_refused(self):
        self.assert_fails("--group", "name", "-o", "out.svg", self.recording(3),
                          says="--group must be one of command, rank, host, pid, none, not 'name'", expect=2)


class DrawingCommand(PlotCase):
    """The command that an SVG suggests for a part of the time."""

    def words(self, *arguments):
        """As bash splits them, with a window put in."""
        self.run_mprof("plot", "-o", "out.svg", *arguments)
        data = json.loads(Svg(self.directory / "out.svg").root.find("{http://www.w3.org/2000/svg}metadata").text)
        command, files = data["command"]
        whole = f"{command} -w 0.2,0.4 {files}"
        self.assertTrue(whole.isprintable(), whole)
        self.assertFalse(set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f") & set(whole))
        done = subprocess.run(["bash", "-c", f"printf '%s\\0' {whole}"], cwd=self.directory, check=True,
                              capture_output=True, env=self.environment(LC_ALL="C.UTF-8"))
        self.assertEqual(done.stderr, b"")
        return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]

    def test_has_the_files_and_all_options(self):
        shutil.copy(NESTED, self.directory / "a.dat")
        shutil.copy(WEB, self.directory / "b.dat")
        self.assertEqual(self.words("a.dat"), ["mprof", "plot", "-w", "0.2,0.4", "a.dat"])
        self.assertEqual(self.words("-fs", "-w0.1,0.9", "--siz", "800x400", "-t", "it's <b> & $HOME", "--by=function",
                                    "./a.dat", "b.dat"),
                         ["mprof", "plot", "--flame", "--slope", "--size=800x400", "--title=it's <b> & $HOME",
                          "--by=function", "-w", "0.2,0.4", "./a.dat", "b.dat"])
        command = self.words("-f", "a.dat")
        self.run_mprof(*command[1:], "-o", "part.svg")  # what it says can be run
        self.assertIn("300 ms", Svg(self.directory / "part.svg").texts("tick"))

    def test_of_the_newest_recording_and_of_each(self):
        shutil.copy(NESTED, self.directory / "mprofile_20260101000000.dat")
        self.assertEqual(self.words()[-1], "mprofile_20260101000000.dat")
        self.assertEqual(self.words("-1")[-1], "mprofile_20260101000000.dat")
        shutil.copy(WEB, self.directory / "b.dat")
        self.run_mprof("plot", "--each", "-j", "2", "-f", "-o", "out", ".")
        text = (self.directory / "out" / "b.svg").read_text()
        self.assertIn('"command":["mprof plot --flame","./b.dat"]', text)

    def test_hostile_names_are_inert(self):
        for name in ("$(touch pwned)", "`touch pwned`", "a'b", 'a"b', "a;touch pwned", "a\nb", "\x1b[201~touch pwned\r",
                     "-x.dat", "--help", "a b", "]]>", "<script>", "\u202eb", "a\\b", "a\udcff", "\u0660", "!x", "~",
                     "a\\'\x07"):
            with self.subTest(name=name):
                shutil.copy(NESTED, self.directory / name)
                self.assertEqual(self.words("--", name)[-1], name)
                self.assertFalse((self.directory / "pwned").exists())


class Outputs(PlotCase):
    def test_b9_paths_that_cannot_be_written(self):
        (self.directory / "folder.svg").mkdir()
        for name, says in (("missing/out.svg", "missing/out.svg: .*No such file"),
                           ("folder.svg", "directory"), ("out.gif", "out.gif.*format"),
                           ("/dev/full.svg/x.svg", "No such|Not a directory")):
            with self.subTest(name=name):
                self.assert_fails("-o", name, NESTED, says=says)

    def test_b9_a_full_disk_leaves_the_old_picture(self):
        for kind in ("png", "svg", "pdf"):
            with self.subTest(kind=kind):
                old = self.write(f"out.{kind}", b"old picture")
                self.assert_fails("-o", f"out.{kind}", NESTED, says=rf"out\.{kind}: .*large",
                                  preexec_fn=lambda: (
                                      signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                      resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))))
                self.assertEqual(old.read_bytes(), b"old picture")

    def test_b9_a_full_device(self):
        for kind in ("png", "svg", "pdf"):
            self.assert_fails("-o", "/dev/full", "--format", kind, NESTED, says="No space left")

    def test_b9_a_bad_input_leaves_the_old_picture(self):
        old = self.write("out.svg", b"old picture")
        self.assert_fails("-o", "out.svg", self.directory / "absent.dat", says="absent.dat")
        self.assertEqual(old.read_bytes(), b"old picture")

    def test_b9_standard_output(self):
        for kind, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
            done = subprocess.run([MPROF, "plot", "-o", "-", "--format", kind, str(NESTED)],
                                  capture_output=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertTrue(done.stdout.startswith(start), done.stdout[:20])

    def test_b9_closed_standard_output(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([MPROF, "plot", "-o", "-", "--format", "svg", str(NESTED)],
                                  stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Amprof: [^\n]*No space left[^\n]*\n\Z")

    def with_fonts(self, *fonts):
        """An environment with these fonts only."""
        place = self.directory / "fonts"
        place.mkdir(exist_ok=True)
        for i, font in enumerate(fonts):
            (place / f"font-{i}.ttf").write_bytes(font)
        self.write("fonts.conf", f"<fontconfig><dir>{place}</dir></fontconfig>")
        return self.environment(FONTCONFIG_FILE=str(self.directory / "fonts.conf"),
                                XDG_CACHE_HOME=str(self.directory / "cache"))

    def test_b13_without_any_font(self):
        for kind in ("png", "svg", "pdf"):
            done = self.run_mprof("plot", "-o", f"out.{kind}", NESTED, env=self.with_fonts(), expect=1)
            self.assertRegex(done.stderr, r"\Amprof: [^\n]*no font is installed; install one, for "
                             r"instance [^\n]*fonts-dejavu-core[^\n]*\n\Z")
        done = self.run_mprof("plot", "--each", "-j", "1", "-o", ".", NESTED, env=self.with_fonts(),
                              expect=1)
        self.assertIn("no font is installed", done.stderr)
        # fontconfig caches in the home directory of users who cannot write the system's cache
        self.assertEqual(set(os.listdir(self.directory)) - {"cache"}, {"fonts", "fonts.conf"})

    def test_b13_without_a_font_of_letters(self):
        environment = self.with_fonts(font_of("\u0394\u2192"))
        for kind in ("png", "svg", "pdf"):
            done = self.run_mprof("plot", "-o", f"out.{kind}", NESTED, env=environment, expect=1)
            self.assertRegex(done.stderr, r"\Amprof: [^\n]*no installed font has letters and "
                             r"digits; install one[^\n]*\n\Z")
            self.assertFalse((self.directory / f"out.{kind}").exists())

    def test_b13_without_the_font_of_a_name(self):
        environment = self.with_fonts(font_of(map(chr, range(0x20, 0x7F))))
        self.write("cjk.dat", "CMDLINE x\nMEM 5 1000\nMEM 6 1001\nFUNC m.\u6570 5 1000 6 1001 0\n")
        for kind in ("png", "pdf"):
            done = self.run_mprof("plot", "-n", "-t", "\u6570", "-o", f"out.{kind}", "cjk.dat",
                                  env=environment)
            self.assertRegex(done.stderr, r"\Amprof: no installed font has U\+6570, [^\n]*"
                             r"install a font[^\n]*\n\Z")
        done = self.run_mprof("plot", "-t", "\u6570", "-o", "out.svg", "cjk.dat", env=environment)
        self.assertEqual(done.stderr, "")  # the fonts of its reader matter

    def test_letters_are_the_same_without_the_other_fonts(self):
        """Text that the preferred fonts have is set without the others; which letters are chosen stays the same. A
        configuration of the user's is always used whole."""
        home = self.directory / "home"
        home.mkdir()
        self.write("fonts.conf", "<fontconfig><dir>/usr/share/fonts</dir><dir>/usr/local/share/fonts</dir>"
                   "<cachedir>/var/cache/fontconfig</cachedir><cachedir>cache</cachedir></fontconfig>")
        self.write("names.dat", "CMDLINE x\nMEM 5 1000\nMEM 60 1003\nMEM 6 1006\n" + "".join(
            f"FUNC m.{name} 5 {1000 + i / 2} 6 {1000.45 + i / 2} 0\n" for i, name in enumerate((
                "plain", "h\xe4\xdfliche", "\u03b4\u03ad\u03bb\u03c4\u03b1", "\u0433\u043e\u0434", "a\u2192b\u2265c",
                "e\u0301\u20e3", "\u6570\u636e", "\u0645\u0631\u062d\u0628\u0627", "\u2713\u231a\u00a9"))))
        for options in ([], ["-f"], ["--font", "DejaVu Sans, Inter"], ["--font", "Lato"], ["--font", "no such"]):
            pictures = []
            for config in ({}, {"FONTCONFIG_FILE": str(self.directory / "fonts.conf")}):
                self.run_mprof("plot", *options, "-o", "out.png", "names.dat",
                               env=self.environment(HOME=str(home), **config))
                pictures.append((self.directory / "out.png").read_bytes())
            self.assertEqual(*pictures, options)

    def test_an_unknown_backend_of_pango_is_ignored(self):
        done = self.run_mprof("plot", "-o", "out.png", NESTED, timeout_s=20,
                              env=self.environment(PANGOCAIRO_BACKEND="none"))
        self.assertEqual(done.stderr, "")
        mprof_test.check_png(self.directory / "out.png")

    def test_an_old_picture_is_replaced_and_keeps_its_mode(self):
        path = self.write("out.svg", b"old")
        path.chmod(0o640)
        self.run_mprof("plot", "-o", path, NESTED)
        check_svg(path)
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        self.assertEqual(os.listdir(self.directory), ["out.svg"])

    def test_a_symbolic_link_is_followed(self):
        (self.directory / "real").mkdir()
        (self.directory / "link.svg").symlink_to("real/out.svg")
        (self.directory / "real" / "out.svg").write_text("old")
        self.run_mprof("plot", "-o", "link.svg", NESTED)
        self.assertTrue((self.directory / "link.svg").is_symlink())
        check_svg(self.directory / "real" / "out.svg")

    def test_compressed(self):
        self.run_mprof("plot", "-o", "plain.svg", NESTED)
        for name in ("out.svg.gz", "out.svgz"):
            self.run_mprof("plot", "-o", name, NESTED)
            data = gzip.decompress((self.directory / name).read_bytes())
            self.assertEqual(data, (self.directory / "plain.svg").read_bytes())

    def test_the_same_input_gives_the_same_bytes(self):
        for kind in ("png", "svg"):
            for name in ("a", "b"):
                self.run_mprof("plot", "-o", f"{name}.{kind}", NESTED)
            self.assertEqual((self.directory / f"a.{kind}").read_bytes(),
                             (self.directory / f"b.{kind}").read_bytes())


class Shown(PlotCase):
    """Without -o the picture is shown in the terminal or the desktop's viewer, and its path is printed."""

    def setUp(self):
        super().setUp()
        shutil.copy(NESTED, self.directory / "mprofile_20260101000000.dat")

    def environment(self, **changes):
        clean = super().environment()
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "COLORFGBG", "COLORTERM", "TERM", "KITTY_WINDOW_ID",
                     "KITTY_PID", "TERM_PROGRAM", "VTE_VERSION", "KONSOLE_VERSION"):
            clean.pop(name, None)
        return {**clean, **changes}

    def in_terminal(self, *arguments, size=(40, 100), **variables):
        """What `mprof plot` writes to a terminal of rows x columns."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, size[1] * 10, size[0] * 20))
        variables.setdefault("LC_ALL", "C.UTF-8")
        process = subprocess.Popen([MPROF, "plot", *arguments], cwd=self.directory, stdin=slave,
                                   stdout=slave, stderr=slave, env=self.environment(**variables),
                                   start_new_session=True)
        os.close(slave)
        text = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        os.close(master)
        self.assertEqual(process.wait(60), 0, text[-300:])
        self.assertIn(b"mprofile_20260101000000.svg\r\n", text)
        check_svg(self.directory / "mprofile_20260101000000.svg")
        return text

    def has_chafa(self):
        return b"libchafa.so" in (pathlib.Path(MPROF).parent / "mprof-draw").read_bytes()

    def test_next_to_the_recording(self):
        done = self.run_mprof("plot", env=self.environment())
        self.assertEqual(done.stdout, "Using last profile data.\nmprofile_20260101000000.svg\n")
        check_svg(self.directory / "mprofile_20260101000000.svg")
        (self.directory / "runs").mkdir()
        shutil.copy(WEB, self.directory / "runs" / "web.dat")
        done = self.run_mprof("plot", "--format", "png", "runs/web.dat", env=self.environment())
        self.assertEqual(done.stdout, "runs/web.png\n")
        self.assertEqual(png_size(self.directory / "runs" / "web.png"), (1260, 540))

    def test_in_the_viewer_of_the_desktop(self):
        seen = self.directory / "seen"
        tool = self.write("bin-xdg-open", f"#!/bin/sh\nprintf %s \"$1\" > {seen}.new\nmv {seen}.new {seen}\n")
        tool.chmod(0o755)
        (self.directory / "bin").mkdir()
        tool.rename(self.directory / "bin" / "xdg-open")
        path = f"{self.directory / 'bin'}:{os.environ['PATH']}"
        done = self.run_mprof("plot", env=self.environment(DISPLAY=":9", PATH=path))
        self.assertIn("mprofile_20260101000000.svg", done.stdout)
        mprof_test.wait_until(seen.exists, "the viewer's start")
        self.assertEqual(seen.read_text(), "mprofile_20260101000000.svg")

    def test_in_a_terminal_without_pixels(self):
        """Bars of eighths, and a row for each function; nothing wraps, and the prompt has room."""
        for size in ((24, 80), (12, 40), (50, 200), (40, 100)):
            with self.subTest(size=size):
                text = self.in_terminal(TERM="xterm-256color", size=size).decode()
                plain = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r", "")
                lines = plain.rstrip("\n").split("\n")[1:-1]  # without the two messages
                self.assertLessEqual(max(map(len, lines)), size[1])
                self.assertLessEqual(len(lines), size[0] - 3)
                for words in ("/usr/bin/python3 nested.py", "peak 128.2 MiB at 0.24 s", "100 MiB",
                              "leaf", "1.0 s" if size[1] > 40 else "1 s", "\u2588"):
                    self.assertIn(words, plain)
                self.assertNotRegex(plain, r"[\[\]\u2500-\u257f]")  # brackets, lines
                self.assertNotIn("\x1b[48", text)  # the background stays the terminal's
                self.assertNotRegex(text, r"m48;|;48;")
        nested = next(line for line in lines if "fit" in line and "peak" not in line)
        self.assertGreater(nested.count("\u2588"), 30)

    def test_colours_of_the_terminal(self):
        self.assertIn(b";38;2;", self.in_terminal(TERM="xterm", COLORTERM="truecolor"))
        self.assertNotEqual(self.in_terminal(TERM="xterm-256color"),
                            self.in_terminal(TERM="xterm-256color", COLORFGBG="15;0"))
        self.assertRegex(self.in_terminal(TERM="xterm"), rb"\x1b\[0;1;31mpeak")
        for variables in ({"TERM": "xterm-256color", "NO_COLOR": "1"}, {"TERM": "vt220"}):
            codes = set(re.findall(rb"\x1b\[([0-9;]*)m", self.in_terminal(**variables)))
            self.assertEqual(codes, {b"0", b"0;1"})

    def test_a_terminal_without_utf8(self):
        text = self.in_terminal(TERM="xterm", LC_ALL="C")
        self.assertTrue(text.isascii(), text)
        self.assertIn(b"#", text)

    def test_several_recordings_in_a_terminal(self):
        shutil.copy(WEB, self.directory / "web.dat")
        text = self.in_terminal("mprofile_20260101000000.dat", "web.dat", TERM="xterm", size=(24, 80))
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text.decode())
        self.assertIn("2 recordings", plain)
        self.assertRegex(plain, r"web\.dat ")
        self.assertIn("128.2 MiB", plain)

    def test_a_hint_where_the_library_is_missing(self):
        """Once for a user, not with each picture."""
        if not self.has_chafa():
            self.skipTest("built without libchafa")
        libraries = self.directory / "libraries"
        libraries.mkdir()
        (libraries / "libchafa.so.0").touch()  # found first, and no library
        state = self.directory / "state"
        seen = [self.in_terminal(TERM="xterm-256color", LD_LIBRARY_PATH=str(libraries),
                                 XDG_STATE_HOME=str(state)) for _ in range(2)]
        self.assertIn("\u2588".encode(), seen[0])
        self.assertEqual([text.count(b"install libchafa") for text in seen], [1, 0])
        (self.directory / "file").touch()  # no state can be kept: no hint, rather than one each time
        self.assertNotIn(b"install", self.in_terminal(TERM="xterm", LD_LIBRARY_PATH=str(libraries),
                                                      XDG_STATE_HOME=str(self.directory / "file")))
        self.assertNotIn(b"install", self.in_terminal(TERM="xterm", XDG_STATE_HOME=str(state / "other")))

    def test_in_a_terminal_with_pixels(self):
        if not self.has_chafa():
            self.skipTest("built without libchafa")
        self.assertIn(b"\x1b_G", self.in_terminal(TERM="xterm-kitty"))
        self.assertRegex(self.in_terminal("-f", TERM="foot"), rb"\x1bP[0-9;]*q")

    def test_in_a_dumb_terminal(self):
        self.assertNotIn(b"\x1b", self.in_terminal(TERM="dumb"))


class Each(PlotCase):
    """--each: a picture of every recording."""

    def setUp(self):
        super().setUp()
        (self.directory / "a").mkdir()
        (self.directory / "b").mkdir()
        shutil.copy(NESTED, self.directory / "a" / "one.dat")
        shutil.copy(WEB, self.directory / "a" / "two.dat")
        shutil.copy(CHILDREN, self.directory / "b" / "one.dat")
        self.write("a/notes.txt", "not a recording")

    def test_directories_formats_and_names(self):
        for jobs in ([], ["-j", "1"], ["-j", "7"]):
            with self.subTest(jobs=jobs):
                done = self.run_mprof("plot", "--each", *jobs, "--format", "svg,png,pdf", "-o", "out",
                                      "a/", "b/one.dat")
                self.assertEqual((done.stdout, done.stderr), ("", ""))
                names = {f"{stem}.{kind}" for stem in ("one", "one-2", "two")
                         for kind in ("svg", "png", "pdf")}
                self.assertEqual(set(os.listdir(self.directory / "out")), names)
                self.assertIn("nested", Svg(self.directory / "out" / "one.svg").texts("title")[0])
                self.assertIn("gunicorn", Svg(self.directory / "out" / "one-2.svg").texts("title")[0])
                for name in names:
                    path = self.directory / "out" / name
                    {"svg": check_svg, "pdf": check_pdf, "png": png_size}[name[-3:]](path)
                shutil.rmtree(self.directory / "out")

    def test_titles_name_the_file_where_pictures_look_alike(self):
        self.run_mprof("plot", "--each", "-o", "out", "a/", "b/one.dat")
        titles = {name: Svg(self.directory / "out" / name).texts("title")[0]
                  for name in os.listdir(self.directory / "out")}
        self.assertEqual(titles["one.svg"], "one.dat  \xb7  /usr/bin/python3 nested.py")
        self.assertTrue(titles["two.svg"].startswith("two.dat  \xb7  "), titles)
        runs = pathlib.Path(shutil.copy(FIXTURES / "dat" / "appended-runs.dat", self.directory / "a" / "runs.dat"))
        runs.write_text("".join(f"CMDLINE python3 fit.py\n{part}" for part in
                                re.split(r"CMDLINE [^\n]*\n", runs.read_text())[1:]))
        self.run_mprof("plot", "--each", "-o", "again", "a/")
        self.assertEqual(Svg(self.directory / "again" / "runs.svg").texts("title"),
                         ["runs.dat  \xb7  python3 fit.py"])
        self.run_mprof("plot", "--each", "-o", "single", "b/one.dat")
        self.assertFalse(Svg(self.directory / "single" / "one.svg").texts("title")[0].startswith("one"))

    def test_next_to_their_recordings(self):
        self.run_mprof("plot", "--each", "a", "b")
        for name in ("a/one.svg", "a/two.svg", "b/one.svg"):
            check_svg(self.directory / name)
        self.run_mprof("plot", "--each", "--format", "png", cwd=self.directory / "b")
        self.assertTrue((self.directory / "b" / "one.png").exists())

    def test_a_bad_file_does_not_stop_the_rest(self):
        self.write("a/bad.dat", "nonsense\n")
        self.write("a/empty.dat", "")
        for jobs in ("1", "3"):
            done = self.run_mprof("plot", "--each", "-j", jobs, "-o", "out", "a", "absent.dat", expect=1)
            lines = sorted(done.stderr.rstrip("\n").split("\n"))
            self.assertEqual(len(lines), 3, lines)
            for line, name in zip(lines, ("a/bad.dat", "a/empty.dat", "absent.dat")):
                self.assertTrue(line.startswith(f"mprof: {name}: "), line)
            self.assertEqual(set(os.listdir(self.directory / "out")), {"one.svg", "two.svg"})

    def test_bad_directories_and_options(self):
        (self.directory / "nothing").mkdir()
        self.assert_fails("--each", "nothing", says="nothing: no recording")
        self.write("file", "x")
        done = self.run_mprof("plot", "--each", "-o", "file/out", "a", expect=1)
        self.assertRegex(done.stderr, r"\Amprof: file/out: [^\n]*\n\Z")
        self.assert_fails("--format", "svg,png", "-o", "x.svg", "a/one.dat", says="--each", expect=2)

    def test_progress_on_a_terminal_only(self):
        master, slave = pty.openpty()
        process = subprocess.Popen([MPROF, "plot", "--each", "-o", "out", "a"], cwd=self.directory,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave,
                                   env=self.environment())
        os.close(slave)
        self.assertEqual(process.communicate(timeout=60)[0], b"")
        text = os.read(master, 65536)
        os.close(master)
        self.assertRegex(text, rb"\r\d of 2")


class InProgress(PlotCase):
    def test_an_incomplete_recording_is_drawn(self):
        whole = NESTED.read_bytes()
        previous = 0
        for share in (0.2, 0.5, 0.8, 1):
            path = self.write("growing.dat", whole[:int(len(whole) * share)])
            done = self.run_mprof("plot", "-o", "out.svg", path)
            self.assertLessEqual(len(done.stderr.split("\n")), 2, done.stderr)
            facts = Svg(self.directory / "out.svg").texts("facts")[0]
            samples = int(re.search(r"(\d+) sample", facts)[1])
            self.assertGreaterEqual(samples, previous)
            previous = samples

    def test_calls_in_flight_have_no_closing_bracket(self):
        path = self.write("open.dat", "MEM 1 100\nMEM 2 101\nMEM 3 102\n"
                          "FUNC m.f 1 100.5 3 102 0 pid=9 open\nFUNC m.g 1 100.6 2 101 1 pid=9\n")
        flame = self.plot_svg("-f", path)
        self.assertEqual(len(flame.of_class("box-open")), 1)
        self.assertEqual(len(flame.of_class("box")), 2)
        self.assertEqual(len(self.plot_svg(path).of_class("bracket")), 3)

    def test_a_run_is_drawn_while_it_goes_on(self):
        run = self.start_mprof("run", "-T", "0.02", "-o", "live.dat", "sleep", "30")
        path = self.directory / "live.dat"
        mprof_test.wait_until(lambda: path.exists() and path.read_text().count("MEM ") > 5, "samples")
        self.plot_svg(path)
        self.assertIsNone(run.poll())


if __name__ == "__main__":
    unittest.main()
