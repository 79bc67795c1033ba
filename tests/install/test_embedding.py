"""The programs of docs/embedding, built against an installed tree as other projects build: by pkg-config
and by CMake, with the shared and with the static library."""

import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, FIXTURES, MPROF, SOURCE, TestCase  # noqa: E402

PROGRAMS = SOURCE / "docs/embedding"
NAMES = ("widget", "picture_server", "pdf_page")
NESTED = FIXTURES / "dat/nested.dat"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(embedding C)
find_package(mprof 1.0 REQUIRED COMPONENTS parse render)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
foreach(name widget picture_server pdf_page)
  foreach(kind render render-shared)
    add_executable(${name}-${kind} {programs}/${name}.c)
    target_link_libraries(${name}-${kind} PRIVATE mprof::${kind} PkgConfig::CAIRO)
  endforeach()
endforeach()
"""


class Embedding(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"mprof-embedding-{os.getpid()}"
        subprocess.run(["cmake", "--install", pathlib.Path(MPROF).parent, "--prefix", cls.tree], check=True,
                       capture_output=True, timeout=DEADLINE_S)
        cls.addClassCleanup(shutil.rmtree, cls.tree)
        cls.folder = next(cls.tree.rglob("mprof-render.pc")).parent

    def run_command(self, *command, expect=0, **how):
        done = subprocess.run(list(map(str, command)), capture_output=True, timeout=DEADLINE_S, cwd=self.directory,
                              env=self.environment(PKG_CONFIG_PATH=str(self.folder),
                                                   LD_LIBRARY_PATH=str(self.folder.parent)), **how)
        self.assertEqual(done.returncode, expect, f"{command}\n{done.stdout[-2000:]}{done.stderr.decode()}")
        return done

    def flags(self, *how):
        return self.run_command("pkg-config", *how, "--cflags", "--libs", "mprof-render", "cairo").stdout.decode().split()

    def build(self, name, *options, flags=None):
        program = self.directory / name
        self.run_command("cc", "-std=c11", *WARNINGS, *options, "-o", program, PROGRAMS / f"{name}.c",
                         *(flags or self.flags()))
        return program

    def check_programs(self, widget, server, page, *prefix):
        self.check_widget(*prefix, widget)
        self.check_server(*prefix, server)
        self.check_page(*prefix, page)

    def check_widget(self, *widget):
        done = self.run_command(*widget, NESTED, "widget.png", input=b"5 5\n450 200\n")
        lines = done.stdout.decode().split("\n")
        self.assertEqual(lines[0], "5 5: nothing")
        self.assertRegex(lines[1], r"^450 200: [\d.]+ s  \d\d:\d\d:\d\d")
        self.assertRegex(lines[2], r"^[\d.]+ MiB$")
        picture = (self.directory / "widget.png").read_bytes()
        self.assertEqual((picture[1:4], struct.unpack(">II", picture[16:24])), (b"PNG", (900, 600)))
        done = self.run_command(*widget, "nowhere.dat", "x.png", input=b"", expect=1)
        self.assertIn(b"nowhere.dat", done.stderr)

    def check_server(self, *server):
        answers = self.run_command(*server, input=f"{NESTED}\nnowhere.dat\n{NESTED}\n".encode()).stdout
        pictures = []
        for _ in range(2):
            size, _, answers = answers.partition(b"\n")
            pictures.append(answers[:int(size)])
            answers = answers[int(size):]
            if answers.startswith(b"error: "):
                error, _, answers = answers.partition(b"\n")
                self.assertIn(b"nowhere.dat", error)
        self.assertEqual(answers, b"")
        self.run_command(MPROF, "plot", "-o", "command.png", NESTED)
        expected = (self.directory / "command.png").read_bytes()
        self.assertEqual(pictures, [expected, expected])

    def check_page(self, *page):
        self.run_command(*page, "page.pdf", NESTED, FIXTURES / "dat/example.dat", NESTED)
        text = self.run_command("pdftotext", "-layout", "page.pdf", "-").stdout.decode()
        self.assertEqual(len(re.findall("nested.dat", text)), 2, text)
        self.assertIn("example.dat", text)
        self.assertIn(b"Pages:           1\n", self.run_command("pdfinfo", "page.pdf").stdout)

    def test_by_pkg_config(self):
        self.check_programs(*(self.build(name) for name in NAMES))

    def test_static_by_pkg_config(self):
        static = {"-lmprof-render": "-l:libmprof-render.a", "-lmprof": "-l:libmprof.a"}
        flags = [static.get(flag, flag) for flag in self.flags("--static")]
        programs = [self.build(name, flags=flags) for name in NAMES]
        self.assertNotIn(b"libmprof", self.run_command("readelf", "-d", programs[0]).stdout)
        self.check_programs(*programs)

    def test_by_cmake(self):
        (self.directory / "CMakeLists.txt").write_text(CMAKE.replace("{programs}", str(PROGRAMS)))
        self.run_command("cmake", "-S", ".", "-B", "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.tree}")
        self.run_command("cmake", "--build", "build")
        for kind in ("render", "render-shared"):
            with self.subTest(kind=kind):
                self.check_programs(*(self.directory / "build" / f"{name}-{kind}" for name in NAMES))

    def test_a_component_that_is_not_installed(self):
        project = CMAKE.replace("COMPONENTS parse render", "COMPONENTS sound").split("find_package(Pkg")[0]
        (self.directory / "CMakeLists.txt").write_text(project)
        done = self.run_command("cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={self.tree}", expect=1)
        self.assertIn(b"no component sound", done.stderr)

    def test_under_valgrind(self):
        if not shutil.which("valgrind"):
            self.skipTest("valgrind is not installed")
        programs = [self.build(name, "-g") for name in NAMES]
        self.check_programs(*programs, "valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
                            "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite",
                            f"--suppressions={SOURCE / 'tests/valgrind.supp'}")

    def test_with_address_sanitizer(self):
        static = {"-lmprof-render": "-l:libmprof-render.a", "-lmprof": "-l:libmprof.a"}
        flags = [static.get(flag, flag) for flag in self.flags("--static")]
        programs = [self.build(name, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", flags=flags)
                    for name in NAMES]
        os.environ["LSAN_OPTIONS"] = f"suppressions={SOURCE / 'tests/lsan.supp'}:print_suppressions=0"
        self.addCleanup(os.environ.pop, "LSAN_OPTIONS")
        self.check_programs(*programs)


if __name__ == "__main__":
    unittest.main()
