"""The installed tree works in any directory, also without its drawing half, and other projects can build
with it."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import (  # noqa: E402
    DEADLINE_S, FIXTURES, MPROF, PROGRAMS, SOURCE, Recording, TestCase, check_png, python)

CONSUMER_C = """
#include <mprof/profile.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    mprof_profile *profile;
    mprof_error error = MPROF_ERROR_INIT;
    if (argc != 2 || mprof_profile_load_file(&profile, argv[1], NULL, &error) != MPROF_OK) {
        return 1;
    }
    printf("%.3f\\n", mprof_profile_samples(profile)->peak.mib);
    mprof_profile_free(profile);
    return 0;
}
"""

CONSUMER_CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(consumer C)
find_package(mprof 1.0 REQUIRED)
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE mprof::parse)
"""


class Tree(TestCase):
    def setUp(self):
        super().setUp()
        self.tree = first = self.directory / "installed"
        self.check("cmake", "--install", pathlib.Path(MPROF).parent, "--prefix", first)
        # The tree must not depend on the prefix.
        self.tree = self.directory / "moved to another place"
        first.rename(self.tree)
        self.mprof = self.tree / "bin" / "mprof"

    def check(self, *command, **options):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                              timeout=DEADLINE_S, cwd=self.directory, **options,
                              env=self.environment(LD_LIBRARY_PATH=str(self.tree / "lib")))
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def record(self):
        path = self.directory / "program.dat"
        self.check(self.mprof, "run", "-T", "0.01", "-o", path, PROGRAMS / "threads.py")
        return Recording(path)

    def test_works_after_a_move(self):
        recording = self.record()
        self.assertEqual(len(recording.calls), 8)
        picture = self.directory / "picture.png"
        self.check(self.mprof, "plot", "-o", picture, recording.path)
        check_png(picture)
        self.check(self.mprof, "peak", recording.path)

    def test_works_through_a_link(self):
        link = self.directory / "mprof-link"
        link.symlink_to(self.mprof)
        self.mprof = link
        self.assertEqual(len(self.record().calls), 8)

    def test_recording_without_the_drawing_half(self):
        (self.tree / "libexec" / "mprof" / "mprof-draw").unlink()
        recording = self.record()
        self.assertEqual(len(recording.calls), 8)
        done = subprocess.run([self.mprof, "plot", "-o", "picture.png", recording.path],
                              capture_output=True, text=True, cwd=self.directory,
                              timeout=DEADLINE_S)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Amprof: [^\n]*not installed[^\n]*\n\Z")
        self.assertFalse((self.directory / "picture.png").exists())

    def test_recording_without_the_agent(self):
        for name in ("libmprof-agent.so", "libmprof-preload.so"):
            (self.tree / "libexec" / "mprof" / name).unlink()
        path = self.directory / "program.dat"
        self.check(self.mprof, "run", "-o", path, python(), "-c", "print(1)")
        self.assertTrue(Recording(path).mem)

    def test_no_build_path_is_installed(self):
        build = os.fsencode(pathlib.Path(MPROF).parent)
        for path in self.tree.rglob("*"):
            if path.is_file() and path.suffix in (".cmake", ".pc", ".h", ".1"):
                with self.subTest(file=str(path.relative_to(self.tree))):
                    self.assertNotIn(build, path.read_bytes())
                    self.assertNotIn(os.fsencode(self.directory), path.read_bytes())

    def test_no_run_path_in_binaries(self):
        installed = (self.tree / "libexec" / "mprof").iterdir()
        for path in [self.mprof, *(path for path in installed if path.is_file())]:
            with self.subTest(file=path.name):
                text = self.check("readelf", "-d", path).stdout
                self.assertNotRegex(text, r"R(UN)?PATH")

    def test_installed_files(self):
        names = {str(path.relative_to(self.tree)) for path in self.tree.rglob("*")
                 if path.is_file()}
        for name in ("bin/mprof", "libexec/mprof/mprof-draw", "libexec/mprof/libmprof-preload.so",
                     "libexec/mprof/libmprof-agent.so",
                     "libexec/mprof/preload/any/libmprof-before-libasan.so", "include/mprof/profile.h",
                     "libexec/mprof/libmprof-mark.so", "include/mprof/mark.h",
                     "include/mprof/paint.h", "lib/libmprof.a",
                     "lib/libmprof.so.0", "lib/libmprof-render.a", "lib/libmprof-render.so.0",
                     "lib/pkgconfig/mprof.pc", "lib/pkgconfig/mprof-render.pc",
                     "share/man/man1/mprof.1", "share/man/man3/mprof_mark.3",
                     "share/man/man3/libmprof.3", "share/man/man5/mprof-dat.5",
                     "share/bash-completion/completions/mprof", "share/zsh/site-functions/_mprof",
                     "share/fish/vendor_completions.d/mprof.fish", "share/doc/mprof/LICENSE"):
            self.assertIn(name, names)
        pages = {f"share/man/man{page.suffix[1]}/{page.name}" for page in (SOURCE / "docs/man").iterdir()}
        self.assertLessEqual(pages, names)

    def test_components_are_the_packages(self):
        """Each file belongs to one of them."""
        names = []
        for component in ("mprof", "mprof-plot", "mprof-doc", "python3-mprof", "libmprof0", "libmprof-dev",
                          "libmprof-render0", "libmprof-render-dev"):
            tree = self.directory / component
            self.check("cmake", "--install", pathlib.Path(MPROF).parent, "--prefix", tree, "--component", component)
            own = {path.relative_to(tree) for path in tree.rglob("*") if path.is_symlink() or path.is_file()}
            self.assertTrue(own, component)
            names += own
        whole = {path.relative_to(self.tree) for path in self.tree.rglob("*") if path.is_symlink() or path.is_file()}
        self.assertEqual(sorted(names), sorted(whole))

    def test_links_of_the_documents(self):
        folder = self.tree / "share" / "doc" / "mprof"
        missing = set()
        for page in folder.rglob("*.md"):
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
                if not (page.parent / link).exists():
                    missing.add(link)
        self.assertEqual(missing, {"gallery/README.md"})

    def test_another_project_builds_with_it(self):
        project = self.directory / "consumer"
        project.mkdir()
        (project / "consumer.c").write_text(CONSUMER_C)
        (project / "CMakeLists.txt").write_text(CONSUMER_CMAKE)
        self.check("cmake", "-S", project, "-B", project / "build", "-G", "Ninja",
                   f"-DCMAKE_PREFIX_PATH={self.tree}")
        self.check("cmake", "--build", project / "build")
        self.assert_consumer_works(project / "build" / "consumer")

    def test_another_project_builds_by_pkg_config(self):
        if not shutil.which("pkg-config"):
            self.skipTest("pkg-config is not installed")
        source = self.directory / "consumer.c"
        source.write_text(CONSUMER_C)
        pc = next(self.tree.rglob("mprof.pc"))
        environment = self.environment(PKG_CONFIG_PATH=str(pc.parent))
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "mprof"], text=True,
                               capture_output=True, check=True, env=environment).stdout
        program = self.directory / "program"
        subprocess.run(f"cc -std=c11 -o '{program}' '{source}' {flags}", shell=True, check=True,
                       timeout=DEADLINE_S)
        self.assert_consumer_works(program)

    def test_the_example_of_the_library(self):
        """The program of libmprof(3), built as the page says."""
        if not shutil.which("pkg-config"):
            self.skipTest("pkg-config is not installed")
        page = (self.tree / "share" / "man" / "man3" / "libmprof.3").read_text()
        source = self.directory / "peak.c"
        source.write_text(re.search(r"^\.Bd [^\n]*\n(#include.*?)^\.Ed$", page, re.S | re.M)[1].replace("\\e", "\\"))
        environment = self.environment(PKG_CONFIG_PATH=str(next(self.tree.rglob("mprof.pc")).parent))
        program = self.directory / "peak"
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "mprof"], text=True, capture_output=True,
                               check=True, env=environment).stdout
        self.check("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", program, source, *shlex.split(flags))
        self.assertEqual(self.check(program, FIXTURES / "dat" / "nested.dat").stdout, "128.238 MiB\n")

    def test_the_example_of_marks(self):
        """The program of docs/marks.md, with the installed header, as a reader would build it."""
        page = (self.tree / "share" / "doc" / "mprof" / "docs" / "marks.md").read_text()
        source = self.directory / "marks.c"
        source.write_text(re.search(r"^```c\n(.*?)^```$", page, re.S | re.M)[1])
        environment = self.environment(PKG_CONFIG_PATH=str(next(self.tree.rglob("mprof.pc")).parent))
        flags = {"include": ["-I", self.tree / "include"]}
        if shutil.which("pkg-config"):
            flags["pkg-config"] = shlex.split(subprocess.run(
                ["pkg-config", "--cflags", "mprof"], text=True, capture_output=True, check=True,
                env=environment).stdout)
        for way, options in flags.items():
            with self.subTest(way=way):
                program = self.directory / way
                self.check("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *options, "-o", program, source)
                self.check(program)  # runs without a recorder, too
                path = self.directory / f"{way}.dat"
                self.check(self.mprof, "run", "-E", "-o", path, program)
                calls = {call.name: call for call in Recording(path).calls}
                self.assertEqual({name: call.level for name, call in calls.items()},
                                 {"main": 0, "load": 1})
                self.assertGreater(calls["load"].exit_mib, calls["load"].enter_mib + 63)

    def assert_consumer_works(self, program):
        recording = Recording(FIXTURES / "dat" / "article-flask-plain.dat")
        highest = max(mib for mib, _ in recording.mem)
        self.assertEqual(self.check(program, recording.path).stdout, f"{highest:.3f}\n")


if __name__ == "__main__":
    unittest.main()
