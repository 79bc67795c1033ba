"""Blocks that C and C++ programs mark by <mprof/mark.h>."""

import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from agent_test import AgentCase, on_each_interpreter  # noqa: E402
from interpreters import IS_MUSL  # noqa: E402
from mprof_test import MPROF, SOURCE, Recording, python  # noqa: E402

INCLUDE = SOURCE / "agent" / "include"

NESTED = r"""
#include <mprof/mark.h>
int main(void)
{
    mprof_mark *outer = mprof_mark_begin("load data");
    for (int i = 0; i < 2; i++) {
        mprof_mark *inner = mprof_mark_begin("parse");
        mprof_mark_end(inner);
    }
    mprof_mark_end(outer);
    mprof_mark_end(NULL);
    return 3;
}
"""

THREADS = r"""
#include <mprof/mark.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_barrier_t both;
static void *work(void *unused)
{
    mprof_mark *mark = mprof_mark_begin("work");
    pthread_barrier_wait(&both);
    mprof_mark_end(mprof_mark_begin("inner"));
    pthread_barrier_wait(&both);
    mprof_mark_end(mark);
    return unused;
}
int main(void)
{
    pthread_t threads[2];
    pthread_barrier_init(&both, NULL, 2);
    mprof_mark *mark = mprof_mark_begin("main");
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    pid_t child = fork();
    if (child == 0) {
        mprof_mark_end(mprof_mark_begin("child"));
        mprof_mark_end(mark);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    mprof_mark_begin("never ended");
    mprof_mark_end(mark);
    return 0;
}
"""

MANY = r"""
#include <mprof/mark.h>
#include <pthread.h>
static void *work(void *unused)
{
    for (int i = 0; i < 100000; i++) mprof_mark_end(mprof_mark_begin("short"));
    return unused;
}
int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    return 0;
}
"""

MODULE = r"""
#include <mprof/mark.h>
void work(int n);
void work(int n)
{
    mprof_mark *mark = mprof_mark_begin("in C");
    if (n) work(n - 1);
    mprof_mark_end(mark);
}
"""


@unittest.skipUnless(shutil.which("cc"), "needs a compiler")
class Marks(AgentCase):
    def compile(self, name, text, *options, compiler="cc"):
        suffix = ".cc" if compiler == "c++" else ".c"
        source = self.directory / (name + suffix)
        source.write_text(text)
        subprocess.run([compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}",
                        "-O2", *options, "-o", self.directory / name, source, "-lpthread"],
                       check=True)
        return str(self.directory / name)

    def test_nested(self):
        expected = ["main: load data", "main:   parse", "main:   parse"]
        for compiler, standard in (("cc", "c11"), ("cc", "gnu99"), ("c++", "c++11"),
                                   ("c++", "c++20")):
            if not shutil.which(compiler) or (compiler == "c++" and IS_MUSL): # Debian's is for glibc
                continue
            with self.subTest(compiler=compiler, standard=standard):
                program = self.compile("nested", NESTED, f"-std={standard}", compiler=compiler)
                self.assertEqual(subprocess.run([program], env=self.environment()).returncode, 3)
                self.assertEqual(self.run_agent(program, expect=3).tree, expected)

    def test_static_program(self):
        program = self.compile("static", NESTED, "-static", "-w")
        done = self.run_agent(program, expect=3)
        self.assertEqual((done.tree, done.err), ([], ""))

    def test_threads_and_fork(self):
        program = self.compile("threads", THREADS)
        done = self.run_agent(program)
        self.assertEqual(sorted(done.tree), sorted([
            "main: main", "thread 1: work", "thread 1:   inner", "thread 2: work",
            "thread 2:   inner", "main: child", "main:   never ended ..."]))

    def test_many_marks(self):
        program = self.compile("many", MANY)
        done = self.run_agent(program)
        self.assertEqual(sum(call.count for call in done.calls), 400000)
        self.assertEqual(done.dropped, 0)
        self.assertLessEqual({call.lane for call in done.calls},
                             {f"thread {n}" for n in range(1, 5)})

    @on_each_interpreter()
    def test_c_part_of_a_python_program(self, interpreter):
        module = self.compile("module.so", MODULE, "-shared", "-fPIC")
        done = self.run_source(interpreter, f"""
            import ctypes
            library = ctypes.CDLL({module!r})
            @profile
            def f(): library.work(1)
            f()
        """)
        self.assertEqual(done.tree, ["main: __main__.f", "main: in C", "main:   in C"])


@unittest.skipUnless(shutil.which("cc"), "needs a compiler")
class Recorded(mprof_test.TestCase):
    def test_in_one_recording_with_python(self):
        """A process with two rings; both are drained to the end."""
        (self.directory / "module.c").write_text(MODULE)
        subprocess.run(["cc", f"-I{INCLUDE}", "-shared", "-fPIC", "-o", "module.so", "module.c"],
                       cwd=self.directory, check=True)
        (self.directory / "program.py").write_text("""
import ctypes, time
library = ctypes.CDLL("./module.so")
@profile
def outer():
    for n in range(5): library.work(0); inner(); time.sleep(0.05)
@profile
def inner(): pass
outer()
""")
        self.run_mprof("run", "-o", "out.dat", python(), "program.py")
        recording = Recording(self.directory / "out.dat")
        self.assertEqual(len(recording.calls_of("inner")), 5)
        self.assertEqual(len([call for call in recording.calls if "in C" in call.name
                              or "in\\x20C" in call.name]), 5)
        outer, = recording.calls_of("outer")
        self.assertFalse(outer.open)

    def test_library_is_next_to_mprof(self):
        self.assertTrue((pathlib.Path(MPROF).parent / "libmprof-mark.so").exists())


if __name__ == "__main__":
    unittest.main()
