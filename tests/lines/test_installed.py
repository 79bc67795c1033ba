"""One relocated installation serves all Pythons: by PYTHONPATH, by a .pth file in a virtual environment,
and under `mprof run` without either."""

import ast
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from mprof_test import MPROF, UPSTREAM, Recording, TestCase, python_for_all  # noqa: E402
from test_report import PROGRAM, rows  # noqa: E402


class Installed(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "MPROF_SANITIZER" in os.environ:
            raise unittest.SkipTest("what is installed is not built with sanitizers")

    def setUp(self):
        super().setUp()
        first = self.directory / "first"
        subprocess.run(["cmake", "--install", str(pathlib.Path(MPROF).parent), "--prefix",
                        str(first)], check=True, capture_output=True)
        self.tree = self.directory / "another place"
        first.rename(self.tree)
        self.package = self.tree / "lib" / "mprof" / "python"
        self.work = self.directory / "work"
        self.work.mkdir()
        (self.work / "program.py").write_text(PROGRAM)

    def check(self, *command, expect=0, **changes):
        environment = pythons.environment(PYTHONPATH=None, **changes)
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=180,
                              cwd=self.work, env=environment)
        self.assertEqual(done.returncode, expect, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def venv(self, python):
        folder = self.directory / f"venv-{len(list(self.directory.iterdir()))}"
        self.check(python, "-m", "venv", "--without-pip", folder)
        return folder / "bin" / "python"

    def assert_profiles(self, text):
        found = {row[0]: row[3] for row in rows(text)}
        self.assertEqual((found[6], found[7], found[14]), (4, 3, 2))

    def test_installed_files(self):
        names = {str(path.relative_to(self.package)) for path in self.package.rglob("*")
                 if path.is_file()}
        self.assertGreaterEqual(names, {
            "_mprof.abi3.so", "memory_profiler/__init__.py", "memory_profiler/__main__.py",
            "memory_profiler/py.typed", "memory_profiler/__init__.pyi", "mprof/__init__.py",
            "mprof/__init__.pyi", "mprof/py.typed", "mprof/link.py"})
        self.assertEqual([name for name in names if "__pycache__" in name], [])

    def test_every_python_by_its_path(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                done = self.check(python, "-c", "import sys; sys.path.append(sys.argv.pop(1)); "
                                  "import runpy; runpy.run_module('memory_profiler', "
                                  "run_name='__main__', alter_sys=True)",
                                  self.package, "program.py")
                self.assert_profiles(done.stdout)

    def test_virtual_environments_of_every_python(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                try:
                    inside = self.venv(python)
                except AssertionError as error:
                    if "ensurepip" in str(error):  # Debian packages it separately
                        continue
                    raise
                self.check(inside, "-m", "memory_profiler", "program.py", expect=1)
                done = self.check(inside, self.package / "mprof" / "link.py")
                self.assertIn("mprof.pth", done.stdout)
                self.assert_profiles(self.check(inside, "-m", "memory_profiler",
                                                "program.py").stdout)
                self.check(inside, "-c", "import mprof; mprof.read_mprofile_file")
                self.check(inside, self.package / "mprof" / "link.py", "--remove")
                self.check(inside, "-c", "import mprof", expect=1)

    def test_together_with_another_memory_profiler(self):
        inside = self.venv(sys.executable)
        purelib = self.check(inside, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        (pathlib.Path(purelib.stdout.strip()) / "memory_profiler.py").write_text("theirs = True\n")
        done = self.check(inside, self.package / "mprof" / "link.py")
        self.assertIn("is found before ours", done.stderr)
        self.check(inside, "-c", "import memory_profiler; memory_profiler.theirs")
        done = self.check(inside, self.package / "mprof" / "link.py", "--first")
        self.assertEqual(done.stderr, "")
        self.check(inside, "-c", "import memory_profiler; memory_profiler.memory_usage")

    def test_link_without_write_access(self):
        """The system's Python, whose site-packages this user may not write."""
        home = self.directory / "home"
        home.mkdir()
        link = self.package / "mprof" / "link.py"
        user = []
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.skipTest("setpriv is not installed")
            user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            os.chmod(self.directory, 0o755)
            os.chown(home, 65534, 65534)
        python = [*user, python_for_all()]
        there = {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        done = self.check(*python, link, **there)
        pth, = home.rglob("mprof.pth")
        self.assertEqual(done.stdout, f"wrote {pth}\n")
        self.assertRegex(done.stderr, r"\Amprof: for this user only, because /\S+ cannot be written: [^\n]+\n")
        which = "import memory_profiler; print(memory_profiler.__file__)"
        found = self.check(*python, "-c", which, **there).stdout
        self.assertEqual(found, f"{self.package}/memory_profiler/__init__.py\n")
        if (UPSTREAM / "memory_profiler.py").exists():
            self.assertIn(f"mprof: ours is found before {UPSTREAM}/memory_profiler.py\n", done.stderr)
        # Without the user's folder there is no other place.
        done = self.check(*python, "-s", link, expect=1, **there)
        self.assertRegex(done.stderr, r"\Amprof: cannot write /\S+mprof\.pth: [^\n]+ virtual environment\n\Z")
        done = self.check(*python, link, "--remove", **there)
        self.assertEqual((done.stdout, done.stderr), (f"removed {pth}\n", ""))
        self.assertEqual(list(home.rglob("mprof.pth")), [])
        self.check(*python, link, "--remove", expect=1, **there)

    def test_module_finds_its_program(self):
        done = subprocess.run([sys.executable, "-m", "mprof", "--version"], capture_output=True,
                              text=True, cwd=self.work,
                              env=pythons.environment(PYTHONPATH=str(self.package)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("mprof", done.stdout)

    def test_under_mprof_run_without_installation(self):
        (self.work / "imports.py").write_text(
            "import sys\n"
            "before = list(sys.path)\n"
            "from memory_profiler import profile, memory_usage\n"
            "assert sys.path == before\n"
            "@profile\n"
            "def f(): return memory_usage()[0]\n"
            "assert f() > 1\n"
            "from memory_profiler import LineProfiler, TimeStamper\n")
        for python in pythons.found():
            if python == pathlib.Path(sys.executable):
                continue  # has upstream's package
            with self.subTest(python=str(python)):
                path = self.work / "a.dat"
                self.check(self.tree / "bin" / "mprof", "run", "-E", "-o", path, python,
                           "imports.py")
                self.assertEqual([call.name for call in Recording(path).calls], ["__main__.f"])
                path.unlink()

    def test_pictures_of_a_moved_installation(self):
        """The library, the program and the agent are found from the package."""
        if not list(self.tree.rglob("libmprof-render.so.*")):
            self.skipTest("built without drawing")
        done = self.check(sys.executable, "-c", """if True:
            import sys
            sys.path.insert(0, sys.argv[1])
            import mprof
            from mprof._program import program
            from mprof._recording import Recording
            recording = Recording(program(), "own.dat", functions=[])
            recording.start()
            @profile
            def inside():
                return 1
            inside()
            recording.stop()
            assert recording.notes == [], recording.notes
            picture = mprof.plot("own.dat")
            assert picture.save("own.png") == "own.png" and [one.label for one in picture.functions] == ["inside"]
            maps = open("/proc/self/maps").read()
            assert sys.argv[2] in maps and maps.count("libmprof-agent.so") > 0
            """, self.package, self.tree)
        self.assertEqual(done.stderr, "")
        self.assertEqual((self.work / "own.png").read_bytes()[:4], b"\x89PNG")

    def test_names_of_stubs_exist(self):
        for module in ("memory_profiler", "mprof"):
            stub = ast.parse((self.package / module / "__init__.pyi").read_text())
            names = {node.name for node in stub.body
                     if isinstance(node, (ast.FunctionDef, ast.ClassDef))
                     and not node.name.startswith("_")}
            names -= {"Recording", "MemoryProfilerMagics", "Function", "Process"}
            self.assertGreater(len(names), 5)
            code = (f"import {module} as m\n"
                    f"missing = [n for n in {sorted(names)!r} if not hasattr(m, n)]\n"
                    f"assert not missing, missing\n"
                    f"assert set(getattr(m, '__all__')) - {{'has_tracemalloc'}} <= "
                    f"set({sorted(names)!r}), m.__all__\n")
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                  env=pythons.environment(PYTHONPATH=str(self.package)))
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
