"""mprof.plot: pictures by the C library, compared with those of the command; numbers; errors."""

import base64
import inspect
import json
import pathlib
import re
import subprocess
import sys
import textwrap
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from mprof_test import FIXTURES, MPROF, SOURCE, TestCase  # noqa: E402
from random_recordings import recording as random_recording  # noqa: E402

DAT = FIXTURES / "dat"
NESTED, CHILDREN, RUNS = (DAT / name for name in (
    "nested.dat", "article-gunicorn-CM.dat", "appended-runs.dat"))

# Keywords, and the same for the command.
SAME = [
    ([NESTED], {}, []),
    ([NESTED], {"flame": True, "size": (900, 500)}, ["--flame", "--size=900x500"]),
    ([NESTED], {"flame": True, "by": "function"}, ["--flame", "--by=function"]),
    ([NESTED], {"window": (0.2, 0.9), "slope": True}, ["-w", "0.2,0.9", "--slope"]),
    ([NESTED], {"no_function_ts": True, "title": "über <all>"}, ["-n", "-t", "über <all>"]),
    ([NESTED], {"func": "*a*", "min_duration": 0.1}, ["--func=*a*", "--min-duration=0.1"]),
    ([NESTED], {"theme": "paper", "size": "6x3in"}, ["--theme=paper", "--size=6x3in"]),
    ([NESTED], {"ylim": "0,1GiB", "limit": "200 MB"}, ["--ylim=0,1GiB", "--limit=200 MB"]),
    ([NESTED], {"xlim": "0.3,"}, ["--xlim=0.3,"]),
    ([NESTED], {"xlim": (0.3, 0.9)}, ["--xlim=0.3,0.9"]),
    ([NESTED], {"theme": "dark", "dpi": 144}, ["--theme=dark", "--dpi=144"]),
    ([NESTED], {"limit": "0.1GiB:quota", "line": [50, (70, "b")], "mark": {0.5: "x", 1: "y"}},
     ["--limit=0.1GiB:quota", "--line=50", "--line=70:b", "--mark=0.5:x", "--mark=1:y"]),
    ([NESTED], {"no_title": True, "no_facts": True, "no_legend": True, "no_peak": True},
     ["--no-title", "--no-facts", "--no-legend", "--no-peak"]),
    ([NESTED], {"bare": True, "transparent": True, "ylim": (0, 200)},
     ["--bare", "--transparent", "--ylim=0,200"]),
    ([NESTED], {"log": True, "unit": "GB"}, ["--log", "--unit=GB"]),
    ([NESTED], {"colors": ["#e41a1c", "steelblue"], "flame": True}, ["--colors=#e41a1c,steelblue", "--flame"]),
    ([NESTED], {"colors": {"fit": "gold", "paper": "ivory"}}, ["--colors=fit=gold,paper=ivory"]),
    ([NESTED], {"style": "none"}, ["--style=none"]),
    ([NESTED], {"font": "DejaVu Sans"}, ["--font=DejaVu Sans"]),
    ([CHILDREN], {}, []),
    ([CHILDREN], {"stack": True, "group": "command"}, ["--stack", "--group=command"]),
    ([CHILDREN], {"group": "none", "flame": True}, ["--group=none", "--flame"]),
    ([CHILDREN], {"heat": True, "by": "process"}, ["--heat", "--by=process"]),
    ([CHILDREN], {"small_multiples": True, "by": "command"}, ["--small-multiples", "--by=command"]),
    ([NESTED, CHILDREN], {"band": True, "limit": 50}, ["--band", "--limit=50"]),
    ([RUNS], {}, []),
    ([RUNS], {"run": 2}, ["--run=2"]),
    ([RUNS], {"as_one": True}, ["--as-one"]),
    ([RUNS], {"stack": True}, ["--stack"]),
    ([NESTED, CHILDREN], {"label": {str(NESTED): "first"}}, [f"--label={NESTED}=first"]),
    ([NESTED, CHILDREN, RUNS], {"as_one": True}, ["--as-one"]),
]

# Options that a picture in memory does not have: where the command writes, how many it draws.
OF_THE_COMMAND = {"output", "format", "each", "jobs", "backend", "help", "usage", "version",
                  "print-script"}


class Plot(TestCase):
    def python(self, code, *arguments, python=sys.executable, expect=0, **options):
        options.setdefault("cwd", self.directory)
        options.setdefault("env", pythons.environment())
        done = subprocess.run([str(python), "-c", textwrap.dedent(code), *map(str, arguments)], timeout=180,
                              capture_output=True, text=True, **options)
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sys.path.insert(0, str(pythons.PACKAGE))
        cls.addClassCleanup(sys.path.remove, str(pythons.PACKAGE))
        import mprof
        cls.mprof = mprof

    def command(self, name, files, *options):
        path = self.directory / name
        self.run_mprof("plot", *options, "-o", path, *files)
        return path.read_bytes()

    # --- the picture ---

    def test_the_same_pictures_as_the_command(self):
        for i, (files, keywords, options) in enumerate(SAME):
            with self.subTest(keywords=keywords):
                picture = self.mprof.plot(*files, **keywords)
                self.assertEqual(picture.png(), self.command(f"{i}.png", files, *options))
                picture.save(self.directory / f"mine{i}.png")
                self.assertEqual((self.directory / f"mine{i}.png").read_bytes(), picture.png())

    def test_style_files(self):
        """The user's, then the given one, then the keywords, as of the command."""
        home = self.directory / "home"
        own = home / ".config" / "mprof" / "style.ini"
        own.parent.mkdir(parents=True)
        own.write_text("# mine\n[plot]\ntheme = dark\nsize=700x400\nlimit = 100MiB:a\nno-facts = yes\n"
                       "colors = #e41a1c\n")
        (self.directory / "other.ini").write_text("size = 800x500\n; more\nline = 50\nno-legend = on\n"
                                                  "colors = paper=#101010\n")
        files = [NESTED, "-o"]
        for number, (keywords, options) in enumerate((
                ({}, []), ({"style": "other.ini"}, ["--style=other.ini"]), ({"style": "none"}, ["--style=none"]),
                ({"style": "other.ini", "size": (900, 500), "limit": 120},
                 ["--style=other.ini", "--size=900x500", "--limit=120"]))):
            with self.subTest(keywords=keywords):
                environment = {"HOME": str(home), "XDG_CONFIG_HOME": None}
                self.python(f"import mprof, sys; mprof.plot(sys.argv[1], **{keywords!r}).save('mine.png')", NESTED,
                            env=pythons.environment(**environment))
                self.run_mprof("plot", *options, *files, f"{number}.png",
                               env={**self.environment(), "HOME": str(home)})
                self.assertEqual((self.directory / "mine.png").read_bytes(),
                                 (self.directory / f"{number}.png").read_bytes())
        for text, reason in (("theme = blue", "theme must be one of"), ("window = 1,2", "a style has no 'window'"),
                             ("nonsense", "expected an option"), ("bare = perhaps", "bare must be yes or no")):
            (self.directory / "wrong.ini").write_text(f"\n{text}\n")
            with self.assertRaisesRegex(ValueError, f"wrong.ini:2: {reason}"):
                self.mprof.plot(NESTED, style=self.directory / "wrong.ini")
        with self.assertRaises(FileNotFoundError):
            self.mprof.plot(NESTED, style="missing.ini")

    def test_the_text_of_options_is_taken_too(self):
        """As %%mprof passes them on."""
        picture = self.mprof.plot(NESTED, window="0.2,0.9", size="900x500", limit=["100MiB:x", "120"],
                                  mark="0.5:y", min_duration="0.01", dpi="120", ylim="0,200")
        self.assertEqual(picture.png(), self.command(
            "a.png", [NESTED], "-w", "0.2,0.9", "--size=900x500", "--limit=100MiB:x", "--limit=120",
            "--mark=0.5:y", "--min-duration=0.01", "--dpi=120", "--ylim=0,200"))

    def test_every_option_of_the_command_is_a_keyword(self):
        listed = set(re.findall(r"--([a-z-]+)", re.sub(
            r"(?m)^ {20,}.*", "", self.run_mprof("plot", "--help").stdout)))
        keywords = {name.replace("_", "-") for name, parameter
                    in inspect.signature(self.mprof.plot).parameters.items()
                    if parameter.kind is parameter.KEYWORD_ONLY}
        self.assertEqual(listed - OF_THE_COMMAND, keywords)
        from mprof._options import OPTIONS
        self.assertEqual({name.replace("_", "-") for name in OPTIONS}, keywords)

    def test_every_format(self):
        picture = self.mprof.plot(NESTED, flame=True)
        for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF"),
                            ("a.eps", b"%!PS"), ("a.svg.gz", b"\x1f\x8b"), ("a.svgz", b"\x1f\x8b")):
            with self.subTest(name=name):
                path = picture.save(self.directory / name)
                self.assertTrue((self.directory / name).read_bytes().startswith(start))
                self.assertEqual(pathlib.Path(path), self.directory / name)
        self.assertEqual(pathlib.Path(picture.save(self.directory / "plain")).name, "plain.png")
        picture.save(self.directory / "odd.name", format="pdf")
        self.assertEqual((self.directory / "odd.name").read_bytes()[:4], b"%PDF")
        self.assertEqual([picture.png()[:4], picture.pdf()[:4], picture.eps()[:4]],
                         [b"\x89PNG", b"%PDF", b"%!PS"])
        self.assertEqual(int.from_bytes(picture.png(dpi=180)[16:20], "big"), 2 * round(picture.width))

    def test_the_svg_is_the_commands(self):
        """Down to the command that it suggests for a part of the time."""
        for files, keywords, options in SAME[:4] + SAME[16:18] + SAME[23:]:
            picture = self.mprof.plot(*files, **keywords)
            self.assertEqual(picture.svg(), self.command("a.svg", files, *options).decode())
            self.assertEqual(picture.svg(script=False),
                             self.command("b.svg", files, *options, "--no-script").decode())

    def test_pictures_that_share_a_script(self):
        picture = self.mprof.plot(NESTED, embed=True)
        self.assertEqual(picture.svg(), self.command("a.svg", [NESTED], "--embed").decode())
        self.assertEqual(self.mprof.svg_script().strip(), self.run_mprof("plot", "--print-script").stdout.strip())
        html = picture._repr_html_()  # is alone in its frame
        self.assertIn(b"<script", base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]))

    def test_files_may_be_gone(self):
        path = self.directory / "gone.dat"
        path.write_bytes(NESTED.read_bytes())
        picture = self.mprof.plot(path)
        path.unlink()
        self.assertTrue(picture.png())
        self.assertIn("gone.dat", repr(picture))

    def test_show(self):
        """In the browser, which BROWSER names."""
        browser = self.directory / "browser"
        browser.write_text(f'#!/bin/sh\necho "$1" > {self.directory}/address\n')
        browser.chmod(0o755)
        done = self.python("import mprof, sys; print(mprof.plot(sys.argv[1]).show())", NESTED,
                           env=pythons.environment(BROWSER=str(browser), TMPDIR=str(self.directory), DISPLAY=None))
        path = pathlib.Path(done.stdout.strip())
        self.assertEqual((self.directory / "address").read_text().strip(), path.as_uri())
        self.assertIn("<script", path.read_text())

    def test_a_failed_save_keeps_the_older_file(self):
        picture = self.mprof.plot(NESTED)
        with self.assertRaises(FileNotFoundError):
            picture.save(self.directory / "missing" / "x.png")
        with self.assertRaises(ValueError):
            picture.save(self.directory / "x.bmp")
        with self.assertRaises(IsADirectoryError):
            picture.save(self.directory, format="png")

    # --- what to draw ---

    def test_ways_to_name_recordings(self):
        first = self.directory / "mprofile_20250101000000.dat"
        second = self.directory / "mprofile_20260101000000.dat"
        first.write_bytes(NESTED.read_bytes())
        second.write_bytes(CHILDREN.read_bytes())
        done = self.python("""
            import mprof, pathlib
            names = lambda *a: [str(p) for p in mprof.plot(*a)._paths]
            one, two = sorted(map(str, pathlib.Path(".").glob("*.dat")))
            assert names() == [two], names()
            assert names(0) == names(one) == names(pathlib.Path(one)) == [one]
            assert names(-1) == [two] and names([one, two]) == names(one, two) == [one, two]
            try:
                mprof.plot(7)
            except FileNotFoundError as error:
                assert "7" in str(error)
            else:
                raise AssertionError
            """)
        self.assertEqual(done.stderr, "")

    def test_nothing_to_draw(self):
        (self.directory / "empty").mkdir()
        done = self.python("import mprof; mprof.plot()", expect=1, cwd=self.directory / "empty")
        self.assertIn("FileNotFoundError", done.stderr)
        self.assertIn("mprof run", done.stderr)

    # --- errors ---

    def test_errors(self):
        broken = self.directory / "broken.dat"
        broken.write_text("CMDLINE x\nMEM 1.0 1790000000.0\nMEM 2.0 nonsense\nMEM x y\n" + "junk\n" * 2000)
        empty = self.directory / "empty.dat"
        empty.write_text("CMDLINE x\n")
        for arguments, keywords, kind, text in (
                (["missing.dat"], {}, FileNotFoundError, "missing.dat"),
                ([self.directory], {}, IsADirectoryError, str(self.directory)),
                ([SOURCE / "LICENSE"], {}, ValueError, "LICENSE: "),
                ([empty], {}, ValueError, "empty.dat: "),
                ([NESTED, "missing.dat"], {}, FileNotFoundError, "missing.dat"),
                ([NESTED], {"window": (3, 1)}, ValueError, "window must be"),
                ([NESTED], {"window": (500, 600)}, ValueError, "nested.dat: "),
                ([NESTED], {"size": (5, 5)}, ValueError, "size must be between 90x60"),
                ([NESTED], {"theme": "blue"}, ValueError, "theme must be one of light, dark"),
                ([NESTED], {"func": "no.such.function"}, ValueError, "no.such.function"),
                ([NESTED], {"limit": "5 bananas"}, ValueError, "limit must be"),
                ([NESTED], {"memory": ["pss"]}, ValueError, "pss was not recorded"),
                ([NESTED], {"memory": "group"}, ValueError, "control group was not recorded"),
                ([NESTED], {"memory": "rum"}, ValueError, "memory must name kinds"),
                ([RUNS], {"run": 99}, ValueError, "there is no run 99"),
                ([NESTED], {"flame": "yes"}, ValueError, "flame must be True or False"),
                ([NESTED], {"dpi": 1}, ValueError, "dpi must be between 20 and 1200"),
                ([NESTED], {"colors": "nocolour"}, ValueError, "'nocolour' is no colour"),
                ([NESTED], {"colors": ["red"] * 9}, ValueError, "a picture has 8 hues"),
                ([NESTED], {"colour": 1}, TypeError, "colour")):
            with self.subTest(arguments=arguments, keywords=keywords):
                with self.assertRaises(kind) as caught:
                    self.mprof.plot(*arguments, **keywords)
                self.assertIn(text, str(caught.exception))

    def test_the_line_of_a_fault(self):
        """As the command reports it."""
        path = self.directory / "fault.dat"
        path.write_text("MEM 1.0 1790000000.0\n" * 3 + "\0" * 70000 + "\n")
        command = self.run_mprof("plot", "-o", "x.png", path.name, expect=None)
        done = self.python(f"import mprof; mprof.plot({path.name!r})", expect=None)
        if command.returncode:
            self.assertIn(command.stderr.strip().replace("mprof: ", "ValueError: ", 1), done.stderr)
        else:
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(command.stderr.strip().replace("mprof: ", "UserWarning: ", 1), done.stderr)

    # --- numbers ---

    def test_numbers_are_those_of_the_command(self):
        """On recordings at random: the peak as `mprof peak` prints it, and the figures of its document."""
        names = [f"r{seed}.dat" for seed in range(200)]
        for seed, name in enumerate(names):
            (self.directory / name).write_text(random_recording(seed))
        printed = dict(re.findall(r"^(r\d+\.dat)\t([\d.]+) MiB$", self.run_mprof("peak", *names).stdout, re.M))
        document = json.loads(self.run_mprof("peak", "--json", "--stack", *names).stdout)["recordings"]
        self.assertEqual(len(document), 200)

        def same(mib, count):
            self.assertEqual(mib is None, count is None)
            if mib is not None:
                self.assertAlmostEqual(mib * (1 << 20), count, delta=0.51)

        functions = processes = 0
        for name, item in zip(names, document):
            with self.subTest(name=name):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    picture = self.mprof.plot(self.directory / name)
                self.assertEqual(f"{picture.peak:.3f}", printed[name])
                known = {one["name"]: one for one in item["functions"]}
                self.assertEqual([one.name for one in picture.functions],
                                 [one["name"] for one in item["functions"]])
                for one in picture.functions:
                    self.assertEqual(one.calls, known[one.name]["calls"])
                    self.assertAlmostEqual(one.total_s, known[one.name]["total_s"], places=5)
                    same(one.change_mib, known[one.name]["change_bytes"])
                    same(one.peak_mib, known[one.name]["peak_bytes"])
                    functions += 1
                sums = item["process_sums"]
                self.assertEqual(len(picture.processes), len(sums))
                for one, of in zip(picture.processes, sums):
                    self.assertEqual((one.pid, one.name), (of["pid"], of["name"]))
                    same(one.mean_mib, of["mean_bytes"])
                    same(one.peak_mib, of["peak_bytes"])
                    processes += 1
        self.assertGreater(min(functions, processes), 300)

    def test_peaks_of_several(self):
        runs = self.run_mprof("peak", "--exact", RUNS).stdout
        picture = self.mprof.plot(RUNS)
        self.assertGreater(len(picture.peaks), 1)
        for peak in picture.peaks:
            self.assertIn(f"{peak:.3f} MiB", runs)
        both = self.mprof.plot(NESTED, CHILDREN)
        self.assertEqual(both.peaks, [self.mprof.plot(NESTED).peak, self.mprof.plot(CHILDREN).peak])
        self.assertEqual(both.peak, max(both.peaks))

    def test_functions_and_processes(self):
        read = self.mprof.read_mprofile_file(str(NESTED))
        picture = self.mprof.plot(NESTED)
        self.assertEqual({one.name: one.calls for one in picture.functions},
                         {name: len(spans) for name, spans in read["func_timestamp"].items()})
        totals = [one.total_s for one in picture.functions]
        self.assertEqual(totals, sorted(totals, reverse=True))
        read = self.mprof.read_mprofile_file(str(CHILDREN))
        picture = self.mprof.plot(CHILDREN)
        self.assertEqual({str(one.pid): round(one.peak_mib, 6) for one in picture.processes[1:]},
                         {pid: max(mib for mib, _ in samples) for pid, samples in read["children"].items()})

    def test_text_at_a_place(self):
        """At the middle of a call's box its name, as the SVG has it; nothing on the margin."""
        picture = self.mprof.plot(NESTED, flame=True)
        boxes = re.findall(r'<text class="box-name[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>(\w+)', picture.svg(script=False))
        self.assertGreater(len(boxes), 2)
        for x, y, name in boxes:
            self.assertIn(name, picture.text_at(float(x) + 3, float(y) - 3).split("\n")[0])
        self.assertEqual(picture.text_at(1, 1), "")
        self.assertIn("MiB", picture.text_at(picture.width / 2, 150))

    # --- the library in a program ---

    def test_a_program_that_only_imports_loads_nothing(self):
        done = self.python("""
            import sys, mprof
            loaded = lambda: [name for name in ("cairo", "pango", "mprof-render")
                              if name in open("/proc/self/maps").read()]
            assert loaded() == [] and "ctypes" not in sys.modules and "mprof._picture" not in sys.modules
            assert "plot" in dir(mprof)
            mprof.read_mprofile_file(sys.argv[1])
            assert loaded() == [] and "ctypes" not in sys.modules
            mprof.plot
            assert loaded() == []
            mprof.plot(sys.argv[1])
            assert len(loaded()) == 3
            """, NESTED)
        self.assertEqual(done.stderr, "")

    def test_on_every_python(self):
        wanted = self.command("a.png", [NESTED], "--flame")
        for python in pythons.found():
            with self.subTest(python=str(python)):
                self.python("""
                    import mprof, sys
                    picture = mprof.plot(sys.argv[1], flame=True)
                    picture.save("b.png")
                    assert picture._repr_png_() == open("b.png", "rb").read()
                    assert "<script" in picture.svg() and "<script" not in picture._repr_svg_()
                    """, NESTED, python=python)
                self.assertEqual((self.directory / "b.png").read_bytes(), wanted)

    def test_drawing_releases_the_lock_of_the_interpreter(self):
        """Another thread runs meanwhile, where the interpreter itself never switches."""
        self.python("""
            import mprof, sys, threading, time
            count, stop = 0, threading.Event()
            def run():
                global count
                while not stop.is_set():
                    count += 1
                    time.sleep(0.0001)
            picture = mprof.plot(sys.argv[1], flame=True, size=(4000, 3000))
            picture.png()
            thread = threading.Thread(target=run)
            sys.setswitchinterval(1000)
            thread.start()
            before, start = count, time.monotonic()
            for _ in range(10):
                picture.png()
            drawing, took = count - before, time.monotonic() - start
            before = count
            time.sleep(took)
            sleeping = count - before
            stop.set(); thread.join()
            assert drawing > sleeping / 4, (drawing, sleeping)
            """, NESTED)

    def test_threads(self):
        self.python("""
            import concurrent.futures, mprof, sys
            draw = lambda i: (mprof.plot(sys.argv[1], flame=bool(i % 2)).png(), mprof.plot(sys.argv[2]).svg())
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                drawn = list(pool.map(draw, range(24)))
            assert len(set(drawn)) == 2, len(set(drawn))
            """, NESTED, CHILDREN)

    def test_pictures_do_not_leak(self):
        self.python("""
            import mprof, sys
            def resident():
                return int(open("/proc/self/statm").read().split()[1]) * 4096
            def draw():
                for _ in range(25):
                    mprof.plot(sys.argv[1], flame=True, limit=100).png()
            draw()
            before = resident()
            draw(); draw(); draw()
            assert resident() - before < 8 << 20, resident() - before
            """, NESTED)

    def test_without_the_library(self):
        """One line says what is missing; everything else works."""
        copy = self.directory / "python"
        subprocess.run(["cp", "-rL", str(pythons.PACKAGE), str(copy)], check=True)
        done = self.python("""
            import mprof, sys
            mprof.read_mprofile_file(sys.argv[1])
            mprof.plot(sys.argv[1])
            """, NESTED, expect=1, env=pythons.environment(PYTHONPATH=str(copy), LD_LIBRARY_PATH=None))
        self.assertRegex(done.stderr.splitlines()[-1], r"^ImportError: .*libmprof-render.*mprof plot")

    def test_structures_are_those_of_the_headers(self):
        from mprof import _library
        pairs = {"Error": "mprof_error", "Sample": "mprof_sample", "Series": "mprof_series",
                 "Process": "mprof_process", "FunctionSum": "mprof_function_sum", "ProcessSum": "mprof_process_sum",
                 "ProfilesOptions": "mprof_profiles_options", "Note": "mprof_note", "Label": "mprof_label",
                 "FigureOptions": "mprof_figure_options", "Measure": "mprof_measure",
                 "Style": "mprof_style", "DrawOptions": "mprof_draw_options", "Hit": "mprof_hit"}
        program = ["#include <mprof/draw.h>", "#include <mprof/profiles.h>", "#include <mprof/sums.h>", "#include <mprof/paint.h>", "#include <stddef.h>",
                   "#include <stdio.h>", "int main(void) {"]
        wanted = []
        import ctypes
        for name, struct in pairs.items():
            layout = getattr(_library, name)
            program.append(f'printf("{name} %zu\\n", sizeof({struct}));')
            wanted.append(f"{name} {ctypes.sizeof(layout)}")
            for field, *_ in layout._fields_:
                program.append(f'printf("{name}.{field} %zu\\n", offsetof({struct}, {field}));')
                wanted.append(f"{name}.{field} {getattr(layout, field).offset}")
        for values, prefix in ((_library.FORMATS, "MPROF_FORMAT_"), (_library.THEMES, "MPROF_THEME_"),
                               (_library.NOTES, "MPROF_NOTE_"), (_library.KINDS, "MPROF_KIND_"),
                               (_library.ORDERS, "MPROF_BY_")):
            for number, value in enumerate(values):
                program.append(f'printf("{prefix}{value.upper()} %d\\n", (int){prefix}{value.upper()});')
                wanted.append(f"{prefix}{value.upper()} {number}")
        for number, name in enumerate(_library.STYLE_COLOURS):
            program.append(f'printf("{name} %d\\n", (int)MPROF_STYLE_{name.upper()});')
            wanted.append(f"{name} {number}")
        for bit, part in enumerate(_library.PARTS):
            program.append(f'printf("part {part} %d\\n", (int)MPROF_PART_{part.upper()});')
            wanted.append(f"part {part} {1 << bit}")
        source = self.directory / "layout.c"
        source.write_text("\n".join(program + ["return 0; }"]))
        subprocess.run(["cc", "-I", SOURCE / "render/include", "-I", SOURCE / "parse/include", source, "-o",
                        self.directory / "layout"], check=True, timeout=60)
        done = subprocess.run([self.directory / "layout"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout.split("\n")[:-1], wanted)


if __name__ == "__main__":
    unittest.main()
