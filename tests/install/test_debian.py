"""The Debian packages, of the files of this build: what each has and says, that lintian finds no error, and that what
they contain works. `tests/packages` builds them from nothing, and installs, upgrades and purges them in clean systems."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import MPROF, SOURCE, Recording, TestCase  # noqa: E402

BUILD = pathlib.Path(MPROF).parent
TIMEOUT_S = 300
PACKAGES = {"mprof", "mprof-plot", "mprof-doc", "python3-mprof", "libmprof0", "libmprof-dev", "libmprof-render0",
            "libmprof-render-dev"}
PROGRAM = "from memory_profiler import profile\n@profile\ndef fit():\n    return bytearray(20 << 20)\nfit()\n"


def run(*command, **how):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=TIMEOUT_S, **how)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


class Debian(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for tool in ("dpkg-deb", "dpkg-shlibdeps", "lintian"):
            if not shutil.which(tool):
                raise unittest.SkipTest(f"{tool} is not installed")
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="mprof-debian-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        # packing takes the files as they are: those of this build, and for the command its twin that is not static
        build = cls.place / "build"
        run("cmake", "--preset", "debian", "-B", build, cwd=SOURCE,
            env={**os.environ, "DEBFULLNAME": "A Builder", "DEBEMAIL": "builder@mprof.invalid"})
        for name in ("mprof-draw", "libmprof.so.*", "libmprof.so", "libmprof-*.so*", "*/libmprof*.a", "python/_mprof.abi3.so"):
            for path in BUILD.glob(name):
                shutil.copy(path, build / path.relative_to(BUILD), follow_symlinks=False)
        shutil.copy(BUILD / "mprof-dynamic", build / "mprof")
        run("cpack", "--config", build / "CPackConfig.cmake", "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip", cwd=build)
        cls.packages = {path.name.partition("_")[0]: path for path in (build / "packages").glob("*.deb")}
        cls.tree = cls.place / "tree"
        for path in cls.packages.values():
            run("dpkg-deb", "-x", path, cls.tree)

    def field(self, package, name):
        return run("dpkg-deb", "-f", self.packages[package], name).strip()

    def control(self, package, name):
        with tempfile.TemporaryDirectory() as folder:
            run("dpkg-deb", "-e", self.packages[package], folder)
            path = pathlib.Path(folder, name)
            return path.read_text() if path.exists() else None

    def test_packages_of_all_components(self):
        self.assertEqual(set(self.packages), PACKAGES)

    def test_lintian_finds_no_error(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", *self.packages.values()], text=True,
                              capture_output=True, timeout=TIMEOUT_S, cwd=self.place)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(re.findall(r"^E: .*", done.stdout, re.M), [])
        overrides = re.findall(r"^. .*(?:mismatched|unused)-override.*", done.stdout, re.M)
        self.assertEqual(overrides, [])

    def test_who_builds_them_is_the_maintainer(self):
        for package in self.packages:
            self.assertEqual(self.field(package, "Maintainer"), "A Builder <builder@mprof.invalid>")
        done = run("sh", "-c", f"gzip -dc {self.tree}/usr/share/doc/mprof/changelog.Debian.gz")
        self.assertIn("\n -- A Builder <builder@mprof.invalid>  ", done)

    def test_recorder_needs_libc_alone(self):
        self.assertRegex(self.field("mprof", "Depends"), r"\Alibc6 \(>= [\d.]+\)\Z")

    def test_every_file_is_in_one_package(self):
        owner = {}
        for package, path in self.packages.items():
            for line in run("dpkg-deb", "-c", path).splitlines():
                name = line.split()[5]
                if not line.startswith("d"):
                    self.assertNotIn(name, owner)
                    owner[name] = package
        for name, package in (("usr/bin/mprof", "mprof"), ("usr/libexec/mprof/mprof-draw", "mprof-plot"),
                              ("usr/libexec/mprof/libmprof-agent.so", "python3-mprof"),
                              ("usr/share/man/man1/mprof-plot.1.gz", "mprof-plot"),
                              ("usr/share/man/man1/mprof-run.1.gz", "mprof"),
                              ("usr/share/man/man3/libmprof.3.gz", "libmprof-dev"),
                              ("usr/include/mprof/mark.h", "libmprof-dev"),
                              ("usr/include/mprof/figure.h", "libmprof-render-dev")):
            self.assertEqual(owner["./" + name], package)

    def test_same_version_everywhere(self):
        version = self.field("mprof", "Version")
        for package in PACKAGES:
            self.assertEqual(self.field(package, "Version"), version)
        for package in ("mprof-plot", "python3-mprof"):
            self.assertIn(f"mprof (= {version})", self.field(package, "Depends"))

    def test_replaces_memory_profiler_of_debian(self):
        """And is not in conflict with its own package of that name."""
        def compare(*words):
            return subprocess.run(["dpkg", "--compare-versions", *words], check=False).returncode == 0

        provided = re.fullmatch(r"python3-memory-profiler \(= (.*)\)", self.field("python3-mprof", "Provides"))[1]
        below = re.fullmatch(r"python3-memory-profiler \(<< (.*)\)", self.field("mprof", "Conflicts"))[1]
        self.assertEqual(self.field("python3-mprof", "Conflicts"), "python3-memory-profiler")
        self.assertTrue(compare("0.61-1", "lt", below) and compare("0.61-3+b2", "lt", below))
        self.assertTrue(compare(provided, "ge", below) and compare(provided, "ge", "0.58"))

    def test_libraries_are_known_to_the_loader_and_to_builders(self):
        for package, library in (("libmprof0", "libmprof"), ("libmprof-render0", "libmprof-render")):
            self.assertRegex(self.control(package, "shlibs"), rf"\A{library} 0 {package} \(>= [\d.]+\)\n\Z")
            self.assertEqual(self.control(package, "triggers"), "activate-noawait ldconfig\n")

    def test_scripts_of_the_modules(self):
        for name, program in (("postinst", "py3compile"), ("prerm", "py3clean")):
            self.assertIn(program, self.control("python3-mprof", name))

    def test_unpacked_files_work(self):
        mprof = self.tree / "usr/bin/mprof"
        (self.directory / "program.py").write_text(PROGRAM)
        packages = self.tree / "usr/lib/python3/dist-packages"
        environment = self.environment()
        path = self.directory / "a.dat"
        run(mprof, "run", "-E", "-o", path, sys.executable, "-S", "program.py", cwd=self.directory, env=environment)
        self.assertEqual([call.name for call in Recording(path).calls], ["__main__.fit"])
        run(mprof, "plot", "-o", "a.png", path, cwd=self.directory, env=environment)
        environment["PYTHONPATH"] = str(packages)
        text = run(sys.executable, "-c", "import importlib.metadata as m, mprof, memory_profiler\n"
                   "print(m.version('memory_profiler'), mprof.__file__, mprof.plot('a.dat'))",
                   cwd=self.directory, env=environment)
        self.assertRegex(text, rf"\A0\.61 {re.escape(str(packages))}/mprof/__init__.py <mprof picture of a.dat")


if __name__ == "__main__":
    unittest.main()
