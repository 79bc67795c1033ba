"""The recorder built against musl with Debian's musl-gcc: it links, needs no library, and records programs of both C
libraries. tests/musl builds the agent and a Python as well."""

import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE, Recording, TestCase, python  # noqa: E402

# Debian's libjansson.a is compiled for glibc, with its checked functions. Alpine and tests/musl have one of their own.
CHECKED_FUNCTIONS = """
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
int __snprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, ...)
{
    va_list values;
    (void)flag; (void)room;
    va_start(values, format);
    int length = vsnprintf(text, size, format, values);
    va_end(values);
    return length;
}
int __vsnprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, va_list values)
{
    (void)flag; (void)room;
    return vsnprintf(text, size, format, values);
}
char *__strncpy_chk(char *to, const char *from, size_t size, size_t room)
{
    (void)room;
    return strncpy(to, from, size);
}
"""
PROGRAM = """
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    char *block = malloc(40 << 20);
    memset(block, 1, 40 << 20);
    usleep(300000);
    return block[12345] - 1;
}
"""


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


@unittest.skipUnless(shutil.which("musl-gcc") and pathlib.Path("/usr/share/gnulib").exists(), "no musl-gcc or no gnulib")
class Musl(TestCase):
    def make_prefix(self):
        """argp of gnulib, and Debian's jansson."""
        prefix = self.directory / "prefix"
        run("cmake", "-S", SOURCE / "tests" / "argp", "-B", self.directory / "argp", "-G", "Ninja",
            "-DCMAKE_C_COMPILER=musl-gcc", f"-DCMAKE_INSTALL_PREFIX={prefix}")
        run("cmake", "--build", self.directory / "argp")
        run("cmake", "--install", self.directory / "argp")
        found = {name: run("pkg-config", f"--variable={name}", "jansson").strip()
                 for name in ("pcfiledir", "libdir", "includedir")}
        for header in pathlib.Path(found["includedir"]).glob("jansson*.h"):
            shutil.copy(header, prefix / "include")
        for header in pathlib.Path("/usr/include").glob("*/jansson_config.h"):
            shutil.copy(header, prefix / "include")
        archive = prefix / "lib" / "libjansson.a"
        shutil.copy(pathlib.Path(found["libdir"]) / "libjansson.a", archive)
        run("musl-gcc", "-x", "c", "-c", "-w", "-fPIC", "-", "-o", self.directory / "checked.o", input=CHECKED_FUNCTIONS)
        run("ar", "q", archive, self.directory / "checked.o")
        (prefix / "lib" / "pkgconfig").mkdir()
        text = (pathlib.Path(found["pcfiledir"]) / "jansson.pc").read_text()
        (prefix / "lib" / "pkgconfig" / "jansson.pc").write_text(
            "".join(f"{line}\n" for line in text.splitlines() if not line.startswith(("libdir", "includedir")))
            .replace("prefix=/usr\n", f"prefix={prefix}\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n"))
        return prefix

    def build_recorder(self):
        build = self.directory / "build"
        said = run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DMPROF_AGENT=OFF", "-DMPROF_COMPRESSION=OFF",
                   f"-DCMAKE_TOOLCHAIN_FILE={SOURCE / 'tests' / 'musl.cmake'}", f"-DMPROF_MUSL_PREFIX={self.make_prefix()}",
                   "-DMPROF_WERROR=ON", "-DCMAKE_C_FLAGS=-O0")
        self.assertIn("-- Drawing is left out", said)
        run("cmake", "--build", build, "--target", "mprof")
        return build / "mprof"

    def compile(self, name, *compiler):
        run(*compiler, "-x", "c", "-", "-o", self.directory / name, input=PROGRAM)
        return self.directory / name

    def check_recording(self, mprof, *program):
        path = self.directory / "a.dat"
        self.run_mprof("run", "-E", "-T", "0.02", "-o", path, *program, program=mprof)
        self.assertIn("\t", self.run_mprof("peak", path, program=mprof).stdout)
        peak = max(sample[0] for sample in Recording(path).mem)
        path.unlink()
        return peak

    def test_recorder(self):
        mprof = self.build_recorder()
        self.assertNotIn("interpreter", run("readelf", "-lW", mprof))
        for name, *compiler in (("musl", "musl-gcc"), ("glibc", "gcc"), ("static", "gcc", "-static")):
            with self.subTest(program=name):
                self.assertGreater(self.check_recording(mprof, self.compile(name, *compiler)), 40)
        self.assertGreater(self.check_recording(mprof, python(), "-c", "x = bytes(range(256)) * 100_000; import time; time.sleep(0.3)"), 25)
        # argp and getopt write to the stream of musl, which is constant
        done = self.run_mprof("peak", "--fnuc", "x", program=mprof, expect=2)
        self.assertEqual(done.stderr, "mprof peak: unrecognized option '--fnuc': did you mean `--func'?\n")
        # the text of an error, which strerror_r of musl only writes into the buffer
        done = self.run_mprof("peak", self.directory / "absent.dat", program=mprof, expect=1)
        self.assertTrue(done.stderr.endswith("absent.dat: cannot open: No such file or directory\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
