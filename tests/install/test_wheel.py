"""The wheel of this build: what is in it, what it needs, and that it works and goes without a trace in virtual
environments, other folders and beside memory_profiler 0.61. `tests/packages` builds it from nothing."""

import base64
import csv
import hashlib
import importlib.util
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from mprof_test import FIXTURES, MPROF, SOURCE, Recording, TestCase  # noqa: E402

BUILD = pathlib.Path(MPROF).parent
TIMEOUT_S = 900
SIZE_MAX = 10 << 20

PROGRAM = """
import time
from memory_profiler import profile
@profile
def fit(size):
    data = bytearray(size << 20)
    time.sleep(0.05)
    return data
fit(20)
"""

# Of the C library and its loader: all that the wheel may need of the machine.
SYSTEM = re.compile(r"(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|gcc_s)\.so)")


def run(*command, expect=0, **how):
    how.setdefault("env", {key: value for key, value in os.environ.items()
                           if not key.startswith(("MPROF", "PYTHON", "PIP_", "VIRTUAL_ENV"))})
    how["env"].update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_NO_INDEX="1", PIP_NO_CACHE_DIR="1")
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=TIMEOUT_S, **how)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done


def sandbox_of(test):
    """A command that runs others with the same files, and with what further options put over them."""
    command = ("bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev")
    if not shutil.which("bwrap"):
        test.skipTest("bubblewrap is not installed")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        test.skipTest("no mount namespace can be made here, as behind a chroot")
    return command


def pip(*arguments, python=sys.executable, **how):
    """Debian's pip, for any Python."""
    return run(sys.executable, "-m", "pip", "--python", python, *arguments, **how)


def make_wheel(source, folder, **environment):
    """The path of a wheel. It takes the build that is tested, where the source is mprof's."""
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source,
         env={**os.environ, "MPROF_BUILD_DIR": str(BUILD), **environment})
    return next(pathlib.Path(folder).glob("*.whl"))


def import_backend(source):
    """The backend of a source tree."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mprof_backend"]:
        del sys.modules[name]
    sys.path.insert(0, str(source / "agent/wheel"))
    try:
        import mprof_backend
        return mprof_backend
    finally:
        sys.path.pop(0)


def environment_of(folder, python=sys.executable, *options):
    """A virtual environment without pip; returns its Python."""
    run(python, "-m", "venv", "--without-pip", *options, folder)
    # pip removes a folder that becomes empty
    (next(folder.glob("lib/python3*/site-packages")) / "other.py").touch()
    return folder / "bin" / "python"


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


class Wheel(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for module in ("pip", "ensurepip"):
            if not importlib.util.find_spec(module):
                raise unittest.SkipTest(f"python3-{'pip' if module == 'pip' else 'venv'} is not installed")
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="mprof-wheel-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        cls.wheel = make_wheel(SOURCE, cls.place)
        cls.unpacked = cls.place / "unpacked"
        with zipfile.ZipFile(cls.wheel) as archive:
            archive.extractall(cls.unpacked)
        cls.python = environment_of(cls.place / "venv")
        cls.before = files_in(cls.place / "venv")
        pip("install", cls.wheel, python=cls.python)
        cls.mprof = cls.python.parent / "mprof"

    def elf_files(self):
        for path in self.unpacked.rglob("*"):
            if path.is_file() and path.read_bytes()[:5] == b"\x7fELF\x02":
                yield path

    def check_use(self, mprof, python, environment=None, *prefix, module=()):
        """Records a program that imports our modules, and draws it."""
        (self.directory / "program.py").write_text(PROGRAM)
        path = self.directory / "program.dat"
        path.unlink(missing_ok=True)
        how = {"cwd": self.directory, "env": environment or self.environment()}
        run(*prefix, mprof, *module, "run", "-E", "-o", path, python, "program.py", **how)
        self.assertEqual([call.name for call in Recording(path).calls], ["__main__.fit"])
        run(*prefix, mprof, *module, "plot", "-o", "program.svg", path, **how)
        self.assertIn("fit", (self.directory / "program.svg").read_text())
        return path

    # ---- what is in it ----

    def test_tag_is_the_oldest_glibc_that_has_all_symbols(self):
        newest = (0, 0)
        for path in self.elf_files():
            text = run("readelf", "-W", "--version-info", path).stdout.partition("Version needs section")[2]
            for major, minor in re.findall(r"Name: GLIBC_(\d+)\.(\d+)", text):
                newest = max(newest, (int(major), int(minor)))
        machine = os.uname().machine
        self.assertGreaterEqual(newest, (2, 28))
        self.assertEqual(self.wheel.stem.split("-", 2)[2], f"cp38-abi3-manylinux_{newest[0]}_{newest[1]}_{machine}")

    def test_what_is_loaded_into_programs_needs_an_old_glibc(self):
        """So a wheel without drawing has an older tag."""
        elf = import_backend(SOURCE).elf
        own = [path for path in self.elf_files()
               if path.name in ("_mprof.abi3.so", "libmprof-agent.so", "libmprof-mark.so", "libmprof-preload.so")]
        self.assertEqual(len(own), 4)
        self.assertRegex(elf.wheel_tag(own), r"\Acp38-abi3-manylinux_2_(2[0-8]|1[7-9])_")

    def test_everything_but_the_c_library_is_in_it(self):
        native = next(self.unpacked.glob("mprof/native-*"))
        for name in ("mprof-draw", "libmprof-render.so"):
            for line in run("ldd", native / name).stdout.splitlines():
                with self.subTest(file=name, line=line):
                    self.assertTrue(SYSTEM.search(line) or str(native) in line)

    def test_references_of_libraries_agree(self):
        for path in self.elf_files():
            text = run("objdump", "-p", path).stdout
            needed = set(re.findall(r"NEEDED +(\S+)", text))
            with self.subTest(file=path.name):
                self.assertLessEqual(set(re.findall(r"required from (\S+):", text)), needed)

    def test_record_lists_every_file(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            record = next(name for name in names if name.endswith("/RECORD"))
            rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
            self.assertEqual(sorted(row[0] for row in rows), sorted(names))
            for name, digest, size in rows:
                if name != record:
                    data = archive.read(name)
                    expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                    self.assertEqual((digest, size), ("sha256=" + expected, str(len(data))), name)

    def test_size(self):
        self.assertLess(self.wheel.stat().st_size, SIZE_MAX)

    def test_libraries_of_what_drawing_does_not_do(self):
        """X11, mounts: functions that do nothing, and none of the libraries that only these need."""
        libraries = {path.name.partition("-")[0]: path for path in self.unpacked.glob("mprof/native-*/libs/*")}
        self.assertLess(libraries["libX11"].stat().st_size, 100_000)
        self.assertNotIn("libXau", libraries)
        for path in self.unpacked.glob("mprof/native-*/libmprof-render.so"):  # every symbol is there, in its version
            done = run("ldd", "-r", "-v", path)
            self.assertNotRegex(done.stdout + done.stderr, "undefined|not found|no version information")

    def test_licences_of_libraries_and_fonts(self):
        folder = next(self.unpacked.glob("*.dist-info/licenses"))
        listed = (folder / "BUNDLED.txt").read_text()
        self.assertNotIn("no licence found", listed)
        native = next(self.unpacked.glob("mprof/native-*"))
        bundled = [*(native / "libs").iterdir(), *(native / "fonts").iterdir()]
        self.assertGreater(len(bundled), 10)
        for path in bundled:
            package = re.search(rf"^native/{path.parent.name}/{re.escape(path.name)}: (\S+) ", listed, re.M)
            self.assertIsNotNone(package, path.name)
            if package[1] != "mprof":
                self.assertTrue(any((folder / package[1]).iterdir()), package[1])

    def test_types_and_entry_points(self):
        for name in ("memory_profiler/__init__.pyi", "memory_profiler/py.typed", "mprof/__init__.pyi", "mprof/py.typed"):
            self.assertTrue((self.unpacked / name).is_file(), name)
        text = run(self.python, "-c", "import importlib.metadata as metadata\n"
                    "distribution = metadata.distribution('mprof')\n"
                    "print(distribution.metadata['Requires-Python'], distribution.metadata['Name'])\n"
                    "print([(entry.group, entry.name, entry.value) for entry in distribution.entry_points])").stdout
        self.assertEqual(text, ">=3.8 mprof\n[('pytest11', 'mprof', 'mprof.pytest_plugin')]\n")

    # ---- installed ----

    def test_installed(self):
        self.check_use(self.mprof, self.python)
        self.assertEqual(pip("check", python=self.python).stdout, "No broken requirements found.\n")
        for name in re.findall(r"^  (\S.*)$", pip("show", "-f", "mprof", python=self.python).stdout, re.M):
            self.assertTrue(any((place / name).exists() for place in self.python.parent.parent.glob("lib/*/*")), name)
        done = run(self.python, "-c", "import mprof; print(mprof.plot('program.dat'))", cwd=self.directory)
        self.assertIn("<mprof picture of program.dat", done.stdout)
        self.assertIn("fit", run(self.python, "-m", "memory_profiler", "program.py", cwd=self.directory).stdout)
        self.assertRegex(run(self.python, "-m", "mprof", "peak", "program.dat", cwd=self.directory).stdout, "MiB")

    def test_draws_the_same_without_fonts_and_cairo(self):
        """Where the machine has neither, pictures are those of a machine that has both."""
        sandbox = sandbox_of(self)
        hide = ["--tmpfs", "/usr/share/fonts", "--tmpfs", "/var/cache/fontconfig"]
        for path in re.findall(r"=> (\S+)", run("ldd", BUILD / "mprof-draw").stdout):
            if not SYSTEM.search(path):
                hide += ["--ro-bind", "/dev/null", os.path.realpath(path)]
        alone = [*sandbox, *hide]
        recording = FIXTURES / "dat/nested.dat"
        environment = self.environment(HOME=str(self.directory), XDG_CACHE_HOME=str(self.directory))
        run(*alone, BUILD / "mprof", "plot", "-o", "x.png", recording, expect=127, cwd=self.directory)
        run(*alone, self.mprof, "plot", "-o", "own.png", recording, cwd=self.directory, env=environment)
        run(BUILD / "mprof", "plot", "-o", "expected.png", recording, cwd=self.directory, env=environment)
        self.assertEqual((self.directory / "own.png").read_bytes(), (self.directory / "expected.png").read_bytes())

    def test_uninstalled_without_a_trace(self):
        folder = self.directory / "venv"
        own = environment_of(folder)
        before = files_in(folder)
        pip("install", self.wheel, python=own)
        self.check_use(folder / "bin" / "mprof", own)
        pip("uninstall", "-y", "mprof", python=own)
        self.assertEqual(files_in(folder), before)

    def test_program_finds_its_files_from_everywhere(self):
        """Through links, after the environment was moved or copied, and in folders that pip is given."""
        (self.directory / "links").mkdir()
        (self.directory / "links" / "other name").symlink_to(self.mprof)
        moved = self.directory / "moved"
        shutil.copytree(self.python.parent.parent, moved, symlinks=True)
        pip("install", "--no-compile", "--target", self.directory / "target", self.wheel)
        by_user = ["--break-system-packages"] if "--break-system-packages" in pip("install", "--help").stdout else []
        pip("install", "--no-compile", "--user", *by_user, self.wheel,
            env=self.environment(PYTHONUSERBASE=str(self.directory / "user")))
        places = [self.directory / "links" / "other name", moved / "bin" / "mprof",
                  self.directory / "target" / "bin" / "mprof", self.directory / "user" / "bin" / "mprof"]
        for mprof in places:
            with self.subTest(mprof=str(mprof.relative_to(self.directory))):
                self.check_use(mprof, sys.executable)

    def test_other_pythons_get_the_modules(self):
        """A program of a Python that has no memory_profiler gets ours, of the environment of mprof."""
        for one in interpreters.supported()[:1]:
            (self.directory / "where.py").write_text("import memory_profiler, os\n"
                                                     "print(os.path.realpath(memory_profiler.__file__))\n")
            done = run(self.mprof, "run", "-o", self.directory / "x.dat", one.path, "-S", "where.py",
                        cwd=self.directory, env=self.environment())
            self.assertIn(f"{self.python.parent.parent.resolve()}/", done.stdout)

    def test_in_a_zip_file(self):
        for name in ("memory_profiler", "mprof"):
            done = run(sys.executable, "-c", f"import {name}", expect=1, cwd=self.directory,
                       env=self.environment(PYTHONPATH=str(self.wheel)))
            self.assertEqual(done.stderr.splitlines()[-1],
                             "ImportError: mprof: cannot be loaded from a zip file: install it into a folder")

    def test_read_only_site(self):
        folder = self.directory / "venv"
        own = environment_of(folder)
        pip("install", "--no-compile", self.wheel, python=own)
        self.check_use(folder / "bin" / "mprof", own, None, *sandbox_of(self), "--ro-bind", folder, folder)

    # ---- beside memory_profiler ----

    def test_beside_an_installed_memory_profiler(self):
        """In one folder our packages come before its modules; the command is of the wheel installed last."""
        package = pathlib.Path("/usr/lib/python3/dist-packages/memory_profiler.py")
        if not package.exists():
            self.skipTest("python3-memory-profiler is not installed")
        own = environment_of(self.directory / "over", sys.executable, "--system-site-packages")
        pip("install", "--no-compile", self.wheel, python=own)
        self.check_use(self.directory / "over/bin/mprof", own)
        where = "import memory_profiler; print(memory_profiler.__file__)"
        self.assertIn("over/lib", run(own, "-c", where).stdout)
        self.check_pytest(own)
        pip("uninstall", "-y", "mprof", python=own)
        self.assertEqual(run(own, "-c", where).stdout.strip(), str(package))

    def check_pytest(self, python):
        (self.directory / "test_allocates.py").write_text("def test_one():\n    assert bytearray(30 << 20)\n")
        done = run(python, "-m", "pytest", "--mprof", "test_allocates.py", cwd=self.directory)
        self.assertRegex(done.stdout, r"MiB.* s  test_allocates.py::test_one")

    def test_in_one_folder_with_memory_profiler(self):
        """Our packages are found before its modules, whichever comes last; its uninstallation removes the command.
        The modules, and its command, which imports them, run our program nevertheless."""
        debians = pathlib.Path("/usr/lib/python3/dist-packages")
        if not (debians / "memory_profiler.py").exists():
            self.skipTest("python3-memory-profiler is not installed")
        backend = import_backend(SOURCE)
        info = "memory_profiler-0.61.0.dist-info"
        upstream = self.directory / "memory_profiler-0.61.0-py3-none-any.whl"
        backend.archive.write_wheel(
            str(upstream), {"memory_profiler.py": debians / "memory_profiler.py", "mprof.py": debians / "mprof.py"},
            {f"{info}/METADATA": "Metadata-Version: 2.1\nName: memory_profiler\nVersion: 0.61.0\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
             f"{info}/entry_points.txt": "[console_scripts]\nmprof = mprof:main\n"}, info)
        own = environment_of(self.directory / "venv")
        where = "import memory_profiler, mprof; print(memory_profiler.__file__, mprof.__file__)"
        for order in ((upstream, self.wheel), (self.wheel, upstream)):
            with self.subTest(last=order[1].name):
                for one in order:
                    pip("install", "--no-compile", one, python=own)
                self.assertEqual(run(own, "-c", where).stdout.count("__init__.py"), 2)
                is_ours = (own.parent / "mprof").read_bytes()[:4] == b"\x7fELF"
                self.assertEqual(is_ours, order[1] == self.wheel)
                self.check_use(own.parent / "mprof", own)
                pip("uninstall", "-y", "memory_profiler", python=own)
                self.assertFalse((own.parent / "mprof").exists())
                self.check_use(own, own, module=("-m", "mprof"))
                pip("uninstall", "-y", "mprof", python=own)

    def test_requirements_of_memory_profiler(self):
        stand_in = make_wheel(SOURCE / "agent/wheel/memory_profiler", self.directory)
        folder = self.directory / "venv"
        own = environment_of(folder)
        before = files_in(folder)
        pip("install", "--no-compile", self.wheel, stand_in, python=own)
        pip("install", "memory_profiler>=0.58", "memory-profiler==0.61.0", python=own)
        done = run(own, "-c", "import importlib.metadata as m; print(m.version('memory_profiler'))")
        self.assertEqual(done.stdout, "0.61\n")
        self.assertEqual(pip("check", python=own).stdout, "No broken requirements found.\n")
        pip("uninstall", "-y", "memory_profiler", "mprof", python=own)
        self.assertEqual(files_in(folder), before)

    # ---- other ways to build ----

    def test_source_distribution(self):
        """Its bytes are the same each time; an unpacked one gives the same metadata, and the same distribution."""
        backend = import_backend(SOURCE)
        name = backend.build_sdist(str(self.directory))
        with tarfile.open(self.directory / name) as archive:
            archive.extractall(self.directory)
        folder = self.directory / name.removesuffix(".tar.gz")
        with zipfile.ZipFile(self.wheel) as archive:
            metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            self.assertEqual((folder / "PKG-INFO").read_bytes(), archive.read(metadata))
        again = self.directory / "again"
        again.mkdir()
        import_backend(folder).build_sdist(str(again))
        self.assertEqual((again / name).read_bytes(), (self.directory / name).read_bytes())

    def test_editable(self):
        folder = self.directory / "venv"
        own = environment_of(folder)
        before = files_in(folder)
        pip("install", "--no-build-isolation", "-e", SOURCE, python=own,
            env={**os.environ, "MPROF_BUILD_DIR": str(BUILD)})
        path = self.check_use(folder / "bin/mprof", own)
        self.assertEqual(path.parent, self.directory)
        done = run(own, "-c", "import mprof, os; print(os.path.realpath(mprof.__file__))")
        self.assertEqual(done.stdout.strip(), str(SOURCE / "agent/python/mprof/__init__.py"))
        pip("uninstall", "-y", "mprof", python=own)
        self.assertEqual(files_in(folder), before)

    def test_headers_of_the_python_that_builds(self):
        """Also of one that was moved after its build: its python3.pc names another folder or is missing."""
        program = ("import os, subprocess, sys, sysconfig\n"
                   "sys.path.insert(0, 'agent/wheel')\n"
                   "from mprof_backend import build\n"
                   "words = subprocess.run(['pkg-config', '--cflags', 'python3'], stdout=subprocess.PIPE, check=True,\n"
                   "                       env=build.environment(sys.argv[1])).stdout.decode().strip()\n"
                   "print(words == '-I' + sysconfig.get_path('include'), sysconfig.get_python_version())\n")
        for one in interpreters.supported():
            headers = run(one.path, "-c", "import sysconfig; print(sysconfig.get_path('include'))").stdout.strip()
            if pathlib.Path(headers, "Python.h").exists():
                done = run(one.path, "-B", "-c", program, self.directory, cwd=SOURCE,
                           env=self.environment(PKG_CONFIG_LIBDIR=str(self.directory)))
                self.assertEqual(done.stdout, f"True {one.version[0]}.{one.version[1]}\n")

    def test_missing_build_folder(self):
        done = run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", self.directory,
                    SOURCE, env={**os.environ, "MPROF_BUILD_DIR": str(self.directory)}, expect=1)
        self.assertIn(f"mprof: {self.directory} is no build folder of mprof", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
