"""Options of a user's build: each takes effect, does not need what it leaves out, and the rest works."""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE, Recording, TestCase, python  # noqa: E402

BUILD_TIMEOUT_S = 600


class Options(TestCase):
    def setUp(self):
        super().setUp()
        self.build = self.directory / "build"
        self.tree = self.directory / "tree"

    def cmake(self, *command, expect=0, **environment):
        done = subprocess.run(["cmake", *map(str, command)], capture_output=True, text=True,
                              timeout=BUILD_TIMEOUT_S, cwd=self.directory,
                              env=self.environment(**environment))
        if expect is not None:
            self.assertEqual(done.returncode, expect, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def configure(self, *options, **how):
        return self.cmake("-S", SOURCE, "-B", self.build, "-G", "Ninja", "-DMPROF_DRAW=OFF",
                          "-DCMAKE_BUILD_TYPE=Debug", *options, **how)

    def without_headers(self):
        """An environment in which pkg-config finds jansson alone: no CPython, no cmocka, no Cairo, no zlib."""
        place = subprocess.run(["pkg-config", "--variable=pcfiledir", "jansson"], text=True, check=True,
                               capture_output=True).stdout.strip()
        shutil.copy(pathlib.Path(place) / "jansson.pc", self.directory)
        return {"PKG_CONFIG_LIBDIR": str(self.directory), "PKG_CONFIG_PATH": ""}

    def installed(self):
        return {str(path.relative_to(self.tree)) for path in self.tree.rglob("*") if path.is_file()}

    def test_user_build_allows_warnings(self):
        self.configure("-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
        commands = json.loads((self.build / "compile_commands.json").read_text())
        self.assertGreater(len(commands), 100)
        self.assertEqual([one["file"] for one in commands if "-Werror" in one["command"]], [])

    def test_without_the_agent(self):
        said = self.configure("-DMPROF_AGENT=OFF", **self.without_headers()).stderr
        self.assertEqual([name in said for name in ("zlib1g-dev", "libzstd-dev")], [True, True], said)
        self.cmake("--build", self.build)
        # `ninja test` exists, and tests the build
        done = self.cmake("--build", self.build, "--target", "test")
        self.assertIn("smoke.build", done.stdout)
        self.cmake("--install", self.build, "--prefix", self.tree)
        names = self.installed()
        self.assertLessEqual({"bin/mprof", "include/mprof/mark.h", "include/mprof/profile.h"}, names)
        self.assertEqual([name for name in names if name.endswith((".so", ".py"))], ["lib/libmprof.so"])
        path = self.directory / "a.dat"
        self.run_mprof("run", "-E", "-o", path, python(), "-c", "import time; time.sleep(0.3)",
                       program=self.tree / "bin" / "mprof")
        self.assertTrue(Recording(path).mem)
        self.run_mprof("peak", path, program=self.tree / "bin" / "mprof")
        # without zlib: one line, and nothing is started
        packed = self.directory / "a.dat.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        done = self.run_mprof("peak", packed, program=self.tree / "bin" / "mprof", expect=1)
        self.assertEqual(done.stderr, f"mprof: {packed}: is compressed with gzip, which this build of mprof does not know: "
                                      "unpack it first\n")
        done = self.run_mprof("run", "-o", "b.dat.zst", "touch", "started", program=self.tree / "bin" / "mprof", expect=2)
        self.assertIn("b.dat.zst: this build of mprof cannot write .zst", done.stderr)
        self.assertFalse((self.directory / "started").exists())
        self.assertFalse((self.directory / "b.dat.zst").exists())

    def test_without_compression(self):
        done = self.configure("-DMPROF_COMPRESSION=OFF", "-DMPROF_TESTS=OFF")
        self.assertNotIn("zstd", done.stderr)
        self.assertNotIn("-DMPROF_ZSTD", (self.build / "build.ninja").read_text())

    def test_tests_need_the_agent(self):
        done = self.configure("-DMPROF_AGENT=OFF", "-DMPROF_TESTS=ON", expect=1)
        self.assertIn("-DMPROF_TESTS=OFF", done.stderr)

    def test_missing_headers_are_reported(self):
        done = self.configure("-DMPROF_TESTS=OFF", expect=1, **self.without_headers())
        self.assertIn("libpython3-dev", done.stderr)
        self.assertIn("-DMPROF_AGENT=OFF", done.stderr)

    def test_missing_jansson_is_reported(self):
        (self.directory / "empty").mkdir()
        done = self.configure("-DMPROF_TESTS=OFF", expect=1, PKG_CONFIG_PATH="",
                              PKG_CONFIG_LIBDIR=str(self.directory / "empty"))
        self.assertIn("libjansson-dev", done.stderr)

    def test_python_package_directory(self):
        """A relative one moves with the tree, an absolute one does not; the agent finds both."""
        anywhere = self.directory / "any where"
        (self.directory / "program.py").write_text(
            "from memory_profiler import memory_usage, LineProfiler\n"
            "import memory_profiler, os\nprint(os.path.realpath(memory_profiler.__file__))\n")
        for given in ("lib/python3/our-packages", str(anywhere)):
            with self.subTest(given=given):
                self.configure("-DMPROF_TESTS=OFF", f"-DMPROF_PYTHON_DIR={given}")
                self.cmake("--build", self.build)
                self.cmake("--install", self.build, "--prefix", self.tree)
                self.assertEqual([name for name in self.installed() if "lib/mprof/python" in name], [])
                tree = self.tree
                if not given.startswith("/"):
                    tree = tree.rename(self.directory / "moved")
                # -S: without the installed packages in the path
                done = self.run_mprof("run", "-E", "-o", self.directory / "a.dat", python(), "-S",
                                      "program.py", program=tree / "bin" / "mprof")
                self.assertIn(f"{tree / given}/memory_profiler/__init__.py\n", done.stdout)
                os.unlink(self.directory / "a.dat")


if __name__ == "__main__":
    unittest.main()
