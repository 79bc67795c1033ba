"""The recorder and the agent built against musl with Debian's musl-gcc: the recorder needs no library, and records programs
of both C libraries, which run as without it. tests/musl builds a Python as well, and runs the agent."""

import pathlib
import re
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
#include <stdlib.h>
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
long long __isoc23_strtoll(const char *text, char **end, int base)
{
    return strtoll(text, end, base);
}
char *__strncpy_chk(char *to, const char *from, size_t size, size_t room)
{
    (void)room;
    return strncpy(to, from, size);
}
"""
# Keeps its memory until it was sampled. With an argument it starts itself in the ways that the preloaded object replaces.
PROGRAM = """
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static void start_all(char *path)
{
    char *arguments[] = {path, NULL};
    pid_t pid;
    int failed = system(path) != 0;
    FILE *pipe = popen(path, "r");
    failed |= fgetc(pipe) != 'w';
    failed |= pclose(pipe) != 0;
    failed |= posix_spawn(&pid, path, NULL, NULL, arguments, environ) != 0 || waitpid(pid, NULL, 0) != pid;
    failed |= posix_spawnp(&pid, path, NULL, NULL, arguments, environ) != 0 || waitpid(pid, NULL, 0) != pid;
    if (!failed) {
        execlp(path, path, (char *)NULL);
    }
}
/* -1: nothing is recorded. */
static int count_samples(void)
{
    char line[256];
    int count = 0;
    FILE *recording = fopen("a.dat", "r");
    if (!recording) {
        return -1;
    }
    while (fgets(line, sizeof line, recording)) {
        count += strncmp(line, "MEM ", 4) == 0;
    }
    fclose(recording);
    return count;
}
int main(int argc, char **argv)
{
    if (argc > 1) {
        start_all(argv[0]);
        return 1;
    }
    char *block = malloc(40 << 20);
    memset(block, 1, 40 << 20);
    for (int before = count_samples(); before >= 0 && count_samples() < before + 2;) {
        usleep(10000);
    }
    puts(block[12345] == 1 ? "worked" : "");
    return 0;
}
"""
DECORATED = """
import builtins, time
time.sleep(0.1)  # a short one may end before it is examined
profile = getattr(builtins, "profile", lambda function: function)
@profile
def work():
    return profile.__module__
print(work() and 1)
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
        self.add_python(prefix)
        return prefix

    def add_python(self, prefix):
        """Debian's headers: those of CPython do not depend on the C library."""
        for folder in re.findall(r"-I(\S+)", run("pkg-config", "--cflags", "python3")):
            inside = pathlib.Path(folder).relative_to("/usr/include")
            (prefix / "include" / inside).parent.mkdir(exist_ok=True)
            (prefix / "include" / inside).symlink_to(folder)
        (prefix / "lib" / "pkgconfig" / "python3.pc").write_text(
            f"Name: Python\nDescription: headers\nVersion: 3\nCflags: -I{prefix}/include/{inside.name} -I{prefix}/include\n")

    def build_mprof(self):
        build = self.directory / "build"
        said = run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DMPROF_TESTS=OFF", "-DMPROF_COMPRESSION=OFF",
                   f"-DCMAKE_TOOLCHAIN_FILE={SOURCE / 'tests' / 'musl.cmake'}", f"-DMPROF_MUSL_PREFIX={self.make_prefix()}",
                   "-DMPROF_WERROR=ON", "-DCMAKE_C_FLAGS=-O0")
        self.assertIn("-- Drawing is left out", said)
        run("cmake", "--build", build)
        run("cmake", "--install", build, "--prefix", self.directory / "tree")
        return self.directory / "tree" / "bin" / "mprof"

    def compile(self, name, *compiler):
        """The program; None if its libc is not installed."""
        command = (*compiler, "-x", "c", "-", "-o", self.directory / name)
        done = subprocess.run(command, input=PROGRAM, capture_output=True, text=True, check=False)
        self.assertTrue(done.returncode == 0 or name == "m32", done.stderr)
        return self.directory / name if done.returncode == 0 else None

    def record(self, mprof, *program, is_reported=False):
        """The recording of a program, which prints what it prints without mprof. Of a Python of another libc mprof
        reports in one line that its functions are missing."""
        path = self.directory / "a.dat"
        path.unlink(missing_ok=True)
        alone = subprocess.run([*map(str, program)], capture_output=True, text=True, check=True)
        done = self.run_mprof("run", "-q", "-E", "-C", "-T", "0.02", "-o", path, *program, program=mprof)
        self.assertEqual(done.stdout, alone.stdout)
        self.assertRegex(done.stderr, r"\Amprof: functions of process \d+ \(python\S+\) are missing: the interpreter is "
                                      r"linked with another libc\n\Z" if is_reported else r"\A\Z")
        self.assertIn("\t", self.run_mprof("peak", path, program=mprof).stdout)
        return Recording(path)

    def check_programs(self, mprof):
        for name, *compiler in (("musl", "musl-gcc"), ("glibc", "gcc"), ("static", "gcc", "-static"), ("m32", "gcc", "-m32")):
            program = self.compile(name, *compiler)
            if program is None:
                continue
            for arguments in ((), ("starts",)):
                with self.subTest(program=name, arguments=arguments):
                    recording = self.record(mprof, program, *arguments)
                    self.assertGreater(max(sample[0] for sample in recording.mem), 40)

    def check_messages(self, mprof):
        # argp and getopt write to the stream of musl, which is constant
        done = self.run_mprof("peak", "--fnuc", "x", program=mprof, expect=2)
        self.assertEqual(done.stderr, "mprof peak: unrecognized option: fnuc: did you mean `--func'?\n")
        # the text of an error, which strerror_r of musl only writes into the buffer
        done = self.run_mprof("peak", self.directory / "absent.dat", program=mprof, expect=1)
        self.assertTrue(done.stderr.endswith("absent.dat: cannot open: No such file or directory\n"), done.stderr)

    def check_foreign_python(self, mprof):
        """The agent for musl stays out of a Python that is linked to glibc, which is reported; `profile` does nothing."""
        recording = self.record(mprof, python(), "-c", DECORATED, is_reported=True)
        self.assertEqual(recording.calls, [])
        facts = [fact for fact in recording.records("FACT") if fact[0] == "functions-missing"]
        self.assertEqual(len(facts), 1)
        self.assertTrue(facts[0][1].endswith("are missing: the interpreter is linked with another libc"), facts)

    def test_build(self):
        mprof = self.build_mprof()
        self.assertNotIn("interpreter", run("readelf", "-lW", mprof))
        # mapped into programs of both C libraries
        self.assertNotIn("NEEDED", run("readelf", "-dW", mprof.parents[1] / "libexec" / "mprof" / "libmprof-preload.so"))
        self.check_programs(mprof)
        self.check_foreign_python(mprof)
        self.check_messages(mprof)


if __name__ == "__main__":
    unittest.main()
