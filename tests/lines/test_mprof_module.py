"""The module mprof, with which scripts read recordings, compared with upstream's."""

import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from mprof_test import MPROF, SOURCE, TestCase, upstream  # noqa: E402

READ = "import mprof, json, sys; print(json.dumps([mprof.read_mprofile_file(f) for f in sys.argv[1:]]))"


def plain(content):
    """As JSON returns it: tuples become lists; floats are exact."""
    return json.loads(json.dumps(content))


class Module(TestCase):
    def ask(self, code, *arguments, python=sys.executable, expect=0, **options):
        options.setdefault("cwd", self.directory)
        options.setdefault("env", pythons.environment())
        done = subprocess.run([str(python), "-c", code, *map(str, arguments)], timeout=180,
                              capture_output=True, text=True, **options)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done

    def read(self, *paths, python=sys.executable):
        return json.loads(self.ask(READ, *paths, python=python).stdout)

    def test_same_dict_as_upstream_on_every_python(self):
        theirs = upstream()
        paths = sorted((SOURCE / "fixtures" / "dat").glob("*.dat"))
        self.assertGreater(len(paths), 5)
        wanted = [plain(theirs.read_mprofile_file(str(path))) for path in paths]
        for python in pythons.found():
            for path, content, expected in zip(paths, self.read(*paths, python=python), wanted):
                with self.subTest(python=str(python), file=path.name):
                    self.assertEqual(content, expected)
                    self.assertEqual(list(content["func_timestamp"]),
                                     list(expected["func_timestamp"]))

    def test_shapes(self):
        self.ask("""if True:
            import mprof, sys, collections
            content = mprof.read_mprofile_file(sys.argv[1])
            assert content["filename"] == sys.argv[1]
            children = content["children"]
            assert isinstance(children, collections.defaultdict) and children["none"] == []
            assert type(next(iter(children.values()))[0]) is tuple
            for spans in content["func_timestamp"].values():
                assert all(type(span) is list and type(span[4]) is int for span in spans)
            """, SOURCE / "fixtures" / "dat" / "article-gunicorn-CM.dat")

    def test_recording_of_a_run(self):
        self.run_mprof("run", "-C", "-M", "-T", "0.02", "-o", "a.dat", sys.executable, "-c",
                       "import time, subprocess; subprocess.call(['sleep', '0.1'])")
        (content,) = self.read(self.directory / "a.dat")
        self.assertEqual(content,
                         plain(upstream().read_mprofile_file(str(self.directory / "a.dat"))))
        self.assertGreater(len(content["children"]), 0)

    def test_invalid_files(self):
        for name, error in (("missing.dat", "FileNotFoundError"), (".", "Error"),
                            ("text.txt", "ValueError")):
            (self.directory / "text.txt").write_text("neither\nof both\n" * 2000)
            self.assertIn(error, self.ask(READ, name, expect=1).stderr.splitlines()[-1])

    def test_reader_does_not_leak(self):
        # A lost reference would make the process grow with every file.
        path = SOURCE / "fixtures" / "dat" / "nested.dat"
        self.ask("""if True:
            import mprof, sys, tracemalloc
            tracemalloc.start()
            sizes = []
            for _ in range(4):
                for _ in range(30): mprof.read_mprofile_file(sys.argv[1])
                sizes.append(tracemalloc.get_traced_memory()[0])
            assert sizes[-1] - sizes[1] < 20000, sizes
            """, path)

    def test_labels_as_upstream(self):
        random.seed(3)
        names = ["x.z", "x.y", "x.b", "f.a.b", "g.a.b", "g.a.c", "b.c"]
        cases = [names] + [[".".join(random.choice("abc") for _ in range(random.randint(1, 4)))
                            for _ in range(random.randint(0, 12))] for _ in range(300)]
        cases = [sorted(set(case)) for case in cases]
        answers = eval(self.ask("import mprof, sys; print([mprof.function_labels(case) "
                                "for case in eval(sys.argv[1])])", cases).stdout)
        for case, answer in zip(cases, answers):
            with self.subTest(names=case):
                wanted = upstream().function_labels(case)
                if len(set(wanted)) == len(case):
                    self.assertEqual(answer, wanted)
                self.assertEqual(len(set(answer.values())), len(case))
        self.assertEqual(answers[0], {"x.z": "z", "x.y": "y", "x.b": "x.b", "f.a.b": "f.a.b",
                                      "g.a.b": "g.a.b", "g.a.c": "a.c", "b.c": "b.c"})

    def test_labels_of_many_names(self):
        self.ask("""if True:
            import mprof
            names = [f"package.module{i}.function" for i in range(20000)]
            assert len(mprof.function_labels(names)) == 20000
            assert mprof.function_labels(["a." * 20000 + "x", "a." * 20000 + "y", "x.x"])
            """)

    def test_file_names_as_upstream(self):
        for name in ("mprofile_20240102030405.dat", "mprofile_20230102030405.dat", "other.dat",
                     "mprofile_20230102030405_ts.dat"):
            (self.directory / name).write_text("MEM 1.0 2.0\n")
        (self.directory / "folder").mkdir()
        here = os.getcwd()
        os.chdir(self.directory)
        self.addCleanup(os.chdir, here)
        for arguments in ("all", ["0"], [-1], ["-1", "0", "--"], ["other.dat", "other.dat"],
                          ["5"], ["folder"], ["missing"], []):
            with self.subTest(arguments=arguments):
                code = "import mprof, sys; print(mprof.get_profile_filenames(eval(sys.argv[1])))"
                try:
                    wanted = upstream().get_profile_filenames(arguments)
                except ValueError:
                    self.assertIn("ValueError", self.ask(code, repr(arguments), expect=1).stderr)
                else:
                    self.assertEqual(eval(self.ask(code, repr(arguments)).stdout), wanted)

    def test_small_functions_as_upstream(self):
        self.ask("""if True:
            import mprof
            from mprof import (filter_mprofile_mem_usage_by_function, flame_plotter, get_cmd_line,
                               plot_file)
            assert get_cmd_line(["python3", "a b.py", "x\\ty", "'"]) == "python3 'a b.py' 'x\\ty' '"
            assert get_cmd_line([]) == ""
            """)
        theirs = upstream()
        for path in sorted((SOURCE / "fixtures" / "dat").glob("*.dat")):
            read = theirs.read_mprofile_file(str(path))
            for function in [None, *read["func_timestamp"]]:
                wanted = theirs.filter_mprofile_mem_usage_by_function(read, function)
                code = ("import mprof, sys; print(mprof.filter_mprofile_mem_usage_by_function("
                        "mprof.read_mprofile_file(sys.argv[1]), eval(sys.argv[2])))")
                self.assertEqual(eval(self.ask(code, path, repr(function)).stdout), wanted)
        self.assertIn("ValueError: f was not found.", self.ask(
            "import mprof; mprof.filter_mprofile_mem_usage_by_function({'mem_usage': [], 'func_timestamp': {}}, 'f')",
            expect=1).stderr)

    # Draws each recording with the module at the given path; prints the contents of the axes.
    FIGURE = """if True:
        import importlib.util, json, sys, types, warnings
        warnings.simplefilter("ignore")
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
        name, plotter, slope, picture, *paths = sys.argv[1:]
        if name == "mprof":
            import mprof as module
        else:
            spec = importlib.util.spec_from_file_location("upstream", name)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        options = types.SimpleNamespace(slope=slope == "slope", xlim=None)
        shown = []
        for path in paths:
            figure = pyplot.figure(figsize=(14, 6), dpi=90)
            axes = figure.add_axes([0.1, 0.1, 0.6, 0.75])
            read = getattr(module, plotter)(path, timestamps=True, options=options)
            pyplot.xlabel("time (in seconds)")
            pyplot.title(read["cmd_line"])
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5)).get_frame().set_alpha(0.5)
            pyplot.savefig(picture)
            lines = [line for line in figure.axes[0].lines + figure.axes[-1].lines
                     if "start at" in line.get_label() or line.get_label().startswith("child ")]
            shown.append([read["mem_usage"], read["timestamp"], sorted(set(
                (line.get_label().split(" slope ")[0], tuple(map(tuple, line.get_xydata())))
                for line in lines))])
            pyplot.close(figure)
        print(json.dumps(shown))
        """

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
    def test_figures_of_matplotlib(self):
        """The curves equal upstream's, and the script's figure and axes keep their settings."""
        module = upstream().__file__
        paths = [SOURCE / "fixtures" / "dat" / name for name in
                 ("nested.dat", "article-gunicorn-CM.dat", "example.dat")]
        picture = self.directory / "picture.png"
        for plotter in ("plot_file", "flame_plotter"):
            for slope in ("slope", "none"):
                with self.subTest(plotter=plotter, slope=slope):
                    ours, theirs = (json.loads(self.ask(self.FIGURE, name, plotter, slope, picture,
                                                        *paths).stdout) for name in ("mprof", module))
                    self.assertEqual(ours, theirs)
                    self.assertTrue(picture.read_bytes().startswith(b"\x89PNG"))

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
    def test_brackets_and_bars(self):
        """One artist per function, for any number of calls."""
        self.ask("""if True:
            import matplotlib
            matplotlib.use("Agg")
            from matplotlib import pyplot
            import mprof, sys, types
            figure, axes = pyplot.subplots()
            read = mprof.plot_file(sys.argv[1])
            labels = [line.get_label() for line in axes.lines[1:5]]
            assert labels[0] == "leaf 30 calls, 1.098s", labels
            assert len(axes.lines[1].get_xydata()) == 30 * 2 * 5
            assert axes.lines[5].get_color() == axes.lines[6].get_color() == "red"
            assert len(axes.lines) == 7
            figure, axes = pyplot.subplots()
            mprof.plot_file(sys.argv[1], options=types.SimpleNamespace(xlim=(0, 0.5)))
            assert 0 < len(axes.lines[1].get_xydata()) < 30 * 2 * 5
            figure, axes = pyplot.subplots()
            mprof.plot_file(sys.argv[1], timestamps=False)
            assert len(axes.lines) == 1
            figure, axes = pyplot.subplots()
            mprof.flame_plotter(sys.argv[1])
            bars = figure.axes[1].collections
            calls = sum(map(len, read["func_timestamp"].values()))
            assert len(bars) == calls, (len(bars), calls)
            deepest = max(call[4] for calls in read["func_timestamp"].values() for call in calls)
            assert figure.axes[1].get_ylim() == (0, deepest + 2), figure.axes[1].get_ylim()
            """, SOURCE / "fixtures" / "dat" / "nested.dat")

    def test_no_matplotlib(self):
        done = self.ask("import sys; sys.modules['matplotlib'] = None; import mprof\n"
                        "mprof.plot_file(sys.argv[1])", SOURCE / "fixtures" / "dat" / "nested.dat",
                        expect=1)
        self.assertRegex(done.stderr, r"\Amprof: drawing into a figure needs matplotlib .*`mprof plot`\n\Z")

    def test_main_executes_the_program(self):
        ours = self.ask("import mprof, sys; sys.argv = ['mprof', '--version']; mprof.main()").stdout
        direct = subprocess.run([MPROF, "--version"], capture_output=True, text=True).stdout
        self.assertEqual(ours, direct)
        done = subprocess.run([sys.executable, "-m", "mprof", "nonsense"], cwd=self.directory,
                              env=pythons.environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)

    def test_actions(self):
        self.ask("import mprof, sys; sys.argv = ['x', '-o', 'a.dat', 'true']; mprof.run_action()")
        self.assertTrue((self.directory / "a.dat").exists())
        code = "import mprof, sys; sys.argv = ['x', '-E', 'sh', '-c', 'exit 3']; mprof.run_action()"
        self.ask(code, expect=3)
        self.ask(code.replace("'-E', ", ""))


if __name__ == "__main__":
    unittest.main()
