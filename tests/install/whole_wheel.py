"""The wheel from nothing: built from an unpacked source distribution in two folders, and used in every Python of this
machine and by pipx. Slow; tests/packages runs it."""

import os
import pathlib
import shutil
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from mprof_test import SOURCE, TestCase  # noqa: E402
import test_wheel  # noqa: E402
from test_wheel import files_in, import_backend, make_wheel, run, sandbox_of  # noqa: E402


class WholeWheel(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="mprof-wheel-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        name = import_backend(SOURCE).build_sdist(str(cls.place))
        with tarfile.open(cls.place / name) as archive:
            archive.extractall(cls.place)
        cls.source = cls.place / name.removesuffix(".tar.gz")
        cls.wheel = make_wheel(cls.source, cls.place, MPROF_BUILD_DIR="")

    check_use = test_wheel.Wheel.check_use

    def test_another_folder_gives_the_same_bytes(self):
        other = self.directory / "another folder"
        shutil.copytree(self.source, other, ignore=shutil.ignore_patterns("build"))
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", self.directory, other,
             env={**os.environ, "TMPDIR": str(self.directory)})
        self.assertEqual((self.directory / self.wheel.name).read_bytes(), self.wheel.read_bytes())

    def test_without_drawing_an_older_glibc_suffices(self):
        """And the options of one build are not those of the next."""
        folder = self.directory / "wheels"
        wheel = make_wheel(self.source, folder, MPROF_BUILD_DIR="", CMAKE_ARGS="-DMPROF_DRAW=OFF")
        self.assertRegex(wheel.name, r"-cp38-abi3-manylinux_2_28_\w+\.whl\Z")
        self.assertLess(wheel.stat().st_size, 3 << 20)  # the program is in it twice: decision 0089
        shutil.rmtree(folder)
        self.assertEqual(make_wheel(self.source, folder, MPROF_BUILD_DIR="").read_bytes(), self.wheel.read_bytes())

    def test_source_that_cannot_be_written(self):
        run(*sandbox_of(self), "--ro-bind", self.source, self.source, sys.executable,
            "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", self.directory, self.source)
        self.assertEqual((self.directory / self.wheel.name).read_bytes(), self.wheel.read_bytes())

    def test_every_python(self):
        """By its own pip."""
        for one in interpreters.supported():
            with self.subTest(python=one.path):
                folder = self.directory / "venv"
                shutil.rmtree(folder, ignore_errors=True)
                run(one.path, "-m", "venv", folder)
                own = folder / "bin" / "python"
                run(own, "-m", "pip", "install", self.wheel)
                before = files_in(folder)
                self.check_use(folder / "bin" / "mprof", own)
                self.assertEqual(run(own, "-m", "pip", "check").stdout, "No broken requirements found.\n")
                self.assertEqual([name for name in files_in(folder) - before if "__pycache__" not in name], [])
                run(own, "-m", "pip", "uninstall", "-y", "mprof")
                self.assertEqual([name for name in files_in(folder) if "mprof" in name or "memory_prof" in name], [])

    def test_pipx(self):
        if not shutil.which("pipx"):
            self.skipTest("pipx is not installed")
        environment = {**os.environ, "PIPX_HOME": str(self.directory / "pipx"), "PIPX_BIN_DIR": str(self.directory / "bin")}
        run("pipx", "install", self.wheel, env=environment)
        self.check_use(self.directory / "bin" / "mprof", sys.executable)
        run("pipx", "uninstall", "mprof", env=environment)
        self.assertEqual(files_in(self.directory / "bin"), set())


if __name__ == "__main__":
    unittest.main()
