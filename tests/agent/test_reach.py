"""Programs into which the shim cannot be loaded, and programs that execute others: they run as without mprof,
and a Python that they execute is recorded with functions."""

import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import mprof_test  # noqa: E402
from interpreters import IS_MUSL  # noqa: E402
from mprof_test import Recording, program_for_all, python_for_all  # noqa: E402

PYTHON = os.path.realpath(sys.executable)
GLIBC = "the library that is preloaded is linked to glibc"

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *block = malloc(1 << 20);
    memset(block, 1, 1 << 20);
    printf("ran %d\n", block[5]);
    free(block);
    return 7;
}
"""

# Executes argv[2...] by each function that can, with LD_PRELOAD replaced by argv[1], if not empty.
STARTS = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static void start(int how, char **argv)
{
    char line[4096];
    snprintf(line, sizeof line, "%s %s", argv[0], argv[1]);
    switch (how) {
    case 0: execv(argv[0], argv); break;
    case 1: execve(argv[0], argv, environ); break;
    case 2: execvp(argv[0], argv); break;
    case 3: execvpe(argv[0], argv, environ); break;
    case 4: execl(argv[0], argv[0], argv[1], NULL); break;
    case 5: execlp(argv[0], argv[0], argv[1], NULL); break;
    case 6: execle(argv[0], argv[0], argv[1], NULL, environ); break;
    case 7: fexecve(open(argv[0], O_RDONLY), argv, environ); break;
    case 8: _exit(WEXITSTATUS(system(line)));
    case 9: _exit(WEXITSTATUS(pclose(popen(line, "w"))));
    }
    _exit(127);
}
int main(int argc, char **argv)
{
    int status;
    pid_t pid;
    if (argv[1][0]) { setenv("LD_PRELOAD", argv[1], 1); }
    for (int how = 0; how < 10 && argc > 3; how++) {
        if ((pid = how % 2 ? fork() : vfork()) == 0) { start(how, argv + 2); }
        waitpid(pid, &status, 0);
        if (status) { printf("%d: %d\n", how, status); }
    }
    for (int how = 0; how < 2; how++) {
        if ((how ? posix_spawn : posix_spawnp)(&pid, argv[2], NULL, NULL, argv + 2, environ)) {
            printf("posix_spawn failed\n");
        }
        waitpid(pid, &status, 0);
        if (status) { printf("posix_spawn: %d\n", status); }
    }
    return 0;
}
"""
WAYS = 12

CALLS = """\
@profile
def work(): return 1
work()
"""


class Reach(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)
        self.path = self.directory / "out.dat"
        self.script = self.directory / "calls.py"
        self.script.write_text(CALLS)

    def build(self, name, *compiler, source=PROGRAM):
        """A program, or None if this machine cannot build it."""
        path = self.directory / name
        if not shutil.which(compiler[0]):
            return None
        done = subprocess.run([*compiler, "-g", "-x", "c", "-", "-o", path], input=source, text=True,
                              capture_output=True, check=False)
        return path if done.returncode == 0 else None

    def both(self, *command, **changes):
        """Runs a program plain and recorded; compares the output. Returns the recording."""
        environment = self.environment(**changes)
        plain = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                               env=environment, timeout=mprof_test.DEADLINE_S, check=False)
        self.path.unlink(missing_ok=True)
        done = self.run_mprof("run", "-E", "-C", "-o", self.path, *command, env=environment,
                              expect=plain.returncode)
        self.assertEqual(done.stderr, plain.stderr, command)
        said = [line for line in done.stdout.splitlines()
                if not line.startswith(("mprof: Sampling", "running "))]
        self.assertEqual(said, plain.stdout.splitlines(), command)
        return Recording(self.path)

    def until_sampled(self):
        """The end of a program, for which it waits until the recorder has seen it, however busy the machine is."""
        return (f"import time\ndef count(): return open({str(self.path)!r}).read().count('\\nMEM ')\n"
                "before = count()\nwhile count() < before + 3: time.sleep(0.01)\n")

    def check_everywhere(self, program, **changes):
        for before in ((), ("sh", "-c", '"$@"; exit $?', "sh"), ("env",), ("timeout", "60")):
            with self.subTest(program=program.name, before=before[:1]):
                self.both(*before, program, **changes)

    # ---- sanitized programs ----

    def test_programs_with_sanitizers(self):
        built = 0
        for name, *compiler in (("gcc-asan", "gcc", "-fsanitize=address"),
                                ("gcc-asan-static", "gcc", "-fsanitize=address", "-static-libasan"),
                                ("gcc-tsan", "gcc", "-fsanitize=thread"),
                                ("gcc-ubsan", "gcc", "-fsanitize=undefined"),
                                ("gcc-lsan", "gcc", "-fsanitize=leak"),
                                ("clang-asan", "clang", "-fsanitize=address"),
                                ("clang-msan", "clang", "-fsanitize=memory")):
            program = self.build(name, *compiler)
            if program is not None:
                built += 1
                self.check_everywhere(program)
        self.assertGreater(built, 0)

    @unittest.skipIf(IS_MUSL, GLIBC)
    def test_a_preloaded_sanitizer(self):
        library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True,
                                 text=True, check=True).stdout.strip()
        if "/" not in library:
            self.skipTest("no libasan")
        environment = self.environment(LD_PRELOAD=library, ASAN_OPTIONS="detect_leaks=0")
        done = self.run_mprof("run", "-E", "-o", self.path, PYTHON, self.script, env=environment)
        self.assertEqual(done.stderr, "")
        recording = Recording(self.path)
        self.assertEqual([call.name for call in recording.calls], ["__main__.work"])

    def test_preloads_of_the_user_come_first(self):
        self.script.write_text("import os; print(os.environ['LD_PRELOAD'])")
        done = self.run_mprof("run", "-o", self.path, PYTHON, self.script,
                              env=self.environment(LD_PRELOAD="libm.so.6 libdl.so.2"))
        self.assertRegex(done.stdout, "(?m)^libm.so.6 libdl.so.2:/[^: ]+$")

    # ---- other architectures and libcs ----

    def test_programs_of_32_bits_and_of_another_libc(self):
        built = 0
        for name, *compiler in (("m32", "gcc", "-m32"), ("musl", "musl-gcc"),
                                ("static", "gcc", "-static")):
            program = self.build(name, *compiler)
            if program is not None:
                built += 1
                self.check_everywhere(program)
        self.assertGreater(built, 0)

    # ---- another root ----

    def libraries(self, program):
        text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        return [word for word in text.split() if word.startswith("/")]

    def make_root(self):
        """A root directory with the files that two programs need, without mprof."""
        root = self.directory / "root"
        for program in ("/bin/sh", "/bin/echo"):
            for path in [program, *self.libraries(program)]:
                target = root / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        return root

    @unittest.skipUnless(os.geteuid() == 0, "needs root for chroot(2)")
    def test_root_without_the_shim(self):
        root = self.make_root()
        self.both("chroot", root, "/bin/echo", "inside")
        self.both("chroot", root, "/bin/sh", "-c", "/bin/echo inside; exec /bin/echo again")
        self.script.write_text(
            "import os, subprocess\n"
            f"os.chroot({str(root)!r}); os.chdir('/')\n"
            "os.system('/bin/echo system')\n"
            "subprocess.run(['/bin/echo', 'run'], env=dict(os.environ))\n"
            "os.waitpid(os.posix_spawn('/bin/echo', ['echo', 'spawn'], os.environ), 0)\n"
            "os.execlp('echo', 'echo', 'exec')\n")
        self.both(PYTHON, self.script)

    def test_sandbox_without_the_shim(self):
        sandbox = ("bwrap", "--ro-bind", self.make_root(), "/")
        try:
            works = subprocess.run([*sandbox, "/bin/echo"], capture_output=True, check=False)
        except FileNotFoundError:
            self.skipTest("no bwrap")
        if works.returncode != 0:
            self.skipTest("no namespaces")
        self.both(*sandbox, "/bin/echo", "inside")
        self.both(*sandbox, "/bin/sh", "-c", "/bin/echo inside; exec /bin/echo again")

    # ---- programs that execute others ----

    def test_replaced_preload_list(self):
        starts = self.build("starts", "gcc", source=STARTS)
        for preload in ("", "libm.so.6"):
            with self.subTest(preload=preload):
                self.path.unlink(missing_ok=True)
                done = self.run_mprof("run", "-E", "-o", self.path, starts, preload, PYTHON,
                                      self.script)
                self.assertEqual(done.stderr, "")
                self.assertEqual(len(Recording(self.path).calls), WAYS)

    def test_removed_preload_list_stays_removed(self):
        self.script.write_text("import os; print('LD_PRELOAD' in os.environ)")
        done = self.run_mprof("run", "-o", self.path, "env", "-u", "LD_PRELOAD", PYTHON, self.script)
        self.assertTrue(done.stdout.endswith("False\n"), done.stdout)

    def test_path_search_as_in_libc(self):
        folder = self.directory / "bin"
        folder.mkdir()
        (folder / "text").write_text("echo \"text $0 $1\"\n")
        (folder / "text").chmod(0o755)
        (folder / "denied").write_text("")
        (folder / "loop").symlink_to("loop")
        starts = self.build("search", "gcc", source=r"""
            #define _GNU_SOURCE
            #include <errno.h>
            #include <stdio.h>
            #include <string.h>
            #include <sys/wait.h>
            #include <unistd.h>
            int main(void)
            {
                static const char *const names[] = {"text", "denied", "loop", "", "none", "./none",
                                                    "echo", "/bin/echo", "/dev/null"};
                for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
                    if (vfork() == 0) {
                        execlp(names[i], names[i], "argument", (char *)NULL);
                        printf("%s: %d %s\n", names[i], errno, strerror(errno));
                        fflush(stdout);
                        _exit(0);
                    }
                    wait(NULL);
                }
                return 0;
            }""")
        for path in (f"/nowhere:{folder}::{os.defpath}", f"{folder}", "", ":/usr/bin", None):
            with self.subTest(path=path):
                environment = self.environment(LD_PRELOAD="libm.so.6")
                del environment["PATH"]
                if path is not None:
                    environment["PATH"] = path
                plain = subprocess.run([starts], capture_output=True, text=True, env=environment,
                                       check=False)
                done = self.run_mprof("run", "-E", "-o", self.path, starts, env=environment)
                self.assertTrue(done.stdout.endswith(plain.stdout), done.stdout + plain.stdout)
                self.path.unlink()

    # ---- clocks ----

    def check_times(self, *command, shortest=0.19, **changes):
        """Checks that calls are within the samples of their process, and that standard error is empty."""
        self.script.write_text("import time\n"
                               "@profile\n"
                               "def inner(): time.sleep(0.2)\n"
                               "@profile\n"
                               "def work(): inner()\n"
                               "work()\n" + self.until_sampled())
        self.path.unlink(missing_ok=True)
        before = time.time()
        done = self.run_mprof("run", "-E", "-C", "-T", "0.02", "-o", self.path, *command, PYTHON,
                              self.script, env=self.environment(**changes))
        after = time.time()
        self.assertEqual(done.stderr, "", command)
        recording = Recording(self.path)
        self.assertEqual(sorted(call.name for call in recording.calls),
                         ["__main__.inner", "__main__.work"])
        for call in recording.calls:
            self.assertTrue(before <= call.enter_s < call.exit_s <= after + 0.001,
                            (before, call, after))
            self.assertGreaterEqual(call.exit_s - call.enter_s, shortest)
            self.assertLessEqual(call.exit_s, recording.mem[-1][1] + 1)
        self.assertNotIn("times-corrected", recording.facts)
        return recording

    @unittest.skipIf(IS_MUSL, GLIBC)
    def test_libfaketime(self):
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
        if library is None:
            self.skipTest("no libfaketime")
        # a clock that stands still or runs fast makes sleep() shorter
        for fake, shortest in (("@2001-01-01 00:00:00", 0.19), ("+3600s", 0.19), ("-2s", 0.19),
                               ("2030-01-01 00:00:00", 0.0001), ("+0 x10", 0.0001),
                               ("+0 x0.5", 0.19)):
            with self.subTest(fake=fake):
                self.check_times(LD_PRELOAD=str(library), FAKETIME=fake, shortest=shortest)

    def namespaces(self, *options):
        command = ("unshare", *options)
        try:
            works = subprocess.run([*command, "true"], capture_output=True, check=False)
        except FileNotFoundError:
            self.skipTest("no unshare")
        if works.returncode != 0:
            self.skipTest(f"no namespaces: {works.stderr}")
        return command

    def test_time_namespaces(self):
        for offset in ("1000", "-300", "2"):
            with self.subTest(offset=offset):
                self.check_times(*self.namespaces("-T", "--fork", "--monotonic", offset))

    # ---- PID namespaces ----

    def test_pid_namespaces(self):
        for options in (("-p", "--fork"), ("-p", "--fork", "--mount-proc"),
                        ("-T", "--monotonic", "70", "-p", "--fork", "--mount-proc")):
            with self.subTest(options=options):
                recording = self.check_times(*self.namespaces(*options))
                known = {process[0] for process in recording.processes}
                for call in recording.calls:
                    self.assertIn(call.pid, known)
                    self.assertGreater(call.pid, 10)

    def test_containers_with_the_same_pids(self):
        self.script.write_text(
            "import multiprocessing, os, sys, time\n"
            "def child(name):\n"
            "    @profile\n"
            "    def work(): time.sleep(0.3)\n"
            "    work()\n"
            "if __name__ == '__main__':\n"
            "    process = multiprocessing.Process(target=child, args=('x',), name=sys.argv[1])\n"
            "    process.start(); process.join()\n"
            "    print(sys.argv[1], os.readlink('/proc/self/ns/pid'), os.getpid(), process.pid)\n")
        inner = " ".join(self.namespaces("-p", "--fork", "--mount-proc"))
        done = self.run_mprof("run", "-E", "-C", "-M", "-o", self.path, "sh", "-c",
                              f"{inner} {PYTHON} {self.script} one & "
                              f"{inner} {PYTHON} {self.script} two & wait")
        self.assertEqual(done.stderr, "")
        said = sorted(line.split() for line in done.stdout.splitlines()
                      if line.startswith(("one ", "two ")))
        self.assertEqual(said[0][2:], said[1][2:])  # the same numbers, in two namespaces
        self.assertNotEqual(said[0][1], said[1][1])
        recording = Recording(self.path)
        names = {process[0]: process[2] for process in recording.processes}
        self.assertEqual(sorted(names[call.pid] for call in recording.calls), ["one", "two"])

    # ---- other users ----

    USER = 65534

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_a_program_that_becomes_another_user(self):
        python = python_for_all()
        self.script.chmod(0o644)
        drop = ("setpriv", "--reuid", str(self.USER), "--regid", str(self.USER), "--clear-groups")
        for command in ((*drop, python, self.script),
                        ("runuser", "-u", "nobody", "--", python, self.script),
                        ("su", "nobody", "-s", "/bin/sh", "-c", f"{python} {self.script}"),
                        ("sh", "-c", f"{' '.join(drop)} sh -c '{python} {self.script}; :'"),
                        (python, "-c",
                         f"import os, runpy; os.setgid({self.USER}); os.setuid({self.USER})\n"
                         f"runpy.run_path({str(self.script)!r}, run_name='__main__')")):
            with self.subTest(command=command[0]):
                if not shutil.which(command[0]):
                    continue
                self.path.unlink(missing_ok=True)
                done = self.run_mprof("run", "-E", "-C", "-o", self.path, *command, cwd="/",
                                      program=program_for_all())
                self.assertEqual(done.stderr, "")
                self.assertEqual([call.name for call in Recording(self.path).calls],
                                 ["__main__.work"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_S2_rings_are_unreadable_for_third_users(self):
        self.script.write_text(
            "import os, stat\n"
            "@profile\n"
            "def work(): return 1\n"
            "work()\n"
            "place = os.environ['MPROF_RINGS']\n"
            "rings = [name for name in os.listdir(place) if name.endswith('.ring')]\n"
            "assert rings\n"
            "for user in (65534, 12345):\n"
            "    pid = os.fork()\n"
            "    if pid == 0:\n"
            "        os.setgroups([]); os.setgid(user); os.setuid(user)\n"
            "        outer = os.path.dirname(place)\n"
            "        for what in (lambda: os.listdir(place), lambda: os.listdir(outer),\n"
            "                     lambda: open(place + '/' + rings[0], 'rb').read(),\n"
            "                     lambda: os.unlink(place + '/' + rings[0]),\n"
            "                     lambda: os.rename(place + '/' + rings[0], place + '/other'),\n"
            "                     lambda: open(place + '/bell', 'rb'),\n"
            "                     lambda: open(outer + '/in-flight', 'wb')):\n"
            "            try:\n"
            "                what()\n"
            "                print('allowed', user, flush=True)\n"
            "            except PermissionError:\n"
            "                print('denied', flush=True)\n"
            "        with open('%s/%d-77.ring' % (place, os.getppid()), 'wb') as forged:\n"
            "            forged.write(open('/proc/self/exe', 'rb').read(300000))\n"
            "        os._exit(0)\n"
            "    os.waitpid(pid, 0)\n")
        done = self.run_mprof("run", "-E", "-o", self.path, python_for_all(), self.script, cwd="/")
        self.assertEqual(done.stdout.count("denied"), 14, done.stdout)
        self.assertNotIn("allowed", done.stdout)
        self.assertEqual([call.name for call in Recording(self.path).calls], ["__main__.work"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_ring_copied_from_another_users_process_is_rejected(self):
        """A process of another user copies its ring under the name of its parent, a process of root."""
        self.script.write_text(
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setgid(65534); os.setuid(65534)\n"
            "    @profile\n"
            "    def mine(): return 1\n"
            "    mine()\n"
            "    place, pid, parent = os.environ['MPROF_RINGS'], os.getpid(), os.getppid()\n"
            "    with open(f'{place}/{pid}-0.ring', 'rb') as ring:\n"
            "        data = ring.read()\n"
            "    forged = data[:12] + parent.to_bytes(4, 'little') + data[16:]\n"
            "    with open(f'{place}/{parent}-5.new', 'wb') as ring:\n"
            "        ring.write(forged)\n"
            "    os.rename(f'{place}/{parent}-5.new', f'{place}/{parent}-5.ring')\n"
            "    time.sleep(0.2)\n"
            "    os._exit(0)\n"
            "os.wait()\n")
        done = self.run_mprof("run", "-E", "-C", "-o", self.path, python_for_all(), self.script,
                              cwd="/")
        recording = Recording(self.path)
        self.assertEqual([call.name for call in recording.calls], ["__main__.mine"])
        self.assertNotEqual(recording.calls[0].pid, int(recording.facts["pid"]))
        self.assertEqual(recording.facts["rings-unknown"], "1")
        self.assertIn("1 event rings are left out", done.stderr)

    # ---- names ----

    def test_too_many_names(self):
        """More than are kept. The second half comes faster than a recorder without CPU time can follow."""
        count, batch = 200000, 1000
        self.script.write_text(f"""
import sys, time
def is_recorded(name):
    with open(sys.argv[1], "rb") as file:
        file.seek(max(0, file.seek(0, 2) - 4096))
        return name.encode() in file.read()
for i in range({count}):
    with profile.timestamp("block-%06d" % i): pass
    if i < {count // 2} and i % {batch} == {batch - 1}:
        while not is_recorded("block-%06d" % i): time.sleep(0.001)
with profile.timestamp("last"): pass
""")
        done = self.run_mprof("run", "-E", "-T", "0.01", "-o", self.path, PYTHON, self.script,
                              self.path)
        self.assertEqual(done.stderr, "")
        recording = Recording(self.path)
        names = [call.name for call in recording.calls]
        self.assertEqual(len(names) + recording.lost, count + 1)
        self.assertEqual(len(set(names)), len(names))
        self.assertEqual([name for name in names if name < f"block-{count // 2:06}"],
                         [f"block-{i:06}" for i in range(count // 2)])

    # ---- reports of missing functions ----

    def missing(self, *command, expect=0, program=mprof_test.MPROF, before=(), **changes):
        """The reports of missing functions, in the fact and on standard error."""
        self.path.unlink(missing_ok=True)
        done = subprocess.run([*map(str, (*before, program, "run", "-E", "-C", "-o", self.path,
                                          *command))], capture_output=True, text=True,
                              env=self.environment(**changes), check=False,
                              timeout=mprof_test.DEADLINE_S)
        self.assertEqual(done.returncode, expect, done.stderr)
        fact = Recording(self.path).facts.get("functions-missing")
        self.assertEqual(done.stderr, f"mprof: {fact}\n" if fact else "")
        return fact

    def test_python_without_the_agent_is_reported(self):
        self.script.write_text("import time; time.sleep(0.3)")
        run = (PYTHON, self.script)
        rows = [(("env", "-i", *run), "its environment was replaced"),
                (("sh", "-c", f"env -i {PYTHON} {self.script}; env -i {PYTHON} {self.script}; true"),
                 "its environment was replaced"),
                (("env", "-u", "LD_PRELOAD", *run), "the agent was removed from LD_PRELOAD"),
                ((mprof_test.MPROF, "run", "-o", self.directory / "inner.dat", *run),
                 "another mprof records it"),
                (run, None),
                (("env", "MPROF_OFF=1", "env", "-u", "LD_PRELOAD", *run), None)]
        for command, reason in rows:
            with self.subTest(command=command):
                fact = self.missing(*command)
                if reason is None:
                    self.assertIsNone(fact)
                else:
                    self.assertRegex(fact, r"\Afunctions of process \d+ \(python[0-9.]*\) are missing: ")
                    self.assertIn(reason, fact)

    def test_interpreter_without_agent_support_is_reported(self):
        source = "#include <unistd.h>\nint main(void) { usleep(300000); return 0; }"
        for name, reason, *compiler in (
                ("python-static", "statically linked", "gcc", "-static"),
                ("python-32", "another architecture", "gcc", "-m32"),
                ("python-libc", "another libc", "gcc" if IS_MUSL else "musl-gcc")):
            program = self.build(name, *compiler, source=source)
            if program is not None:
                with self.subTest(program=name):
                    self.assertIn(reason, self.missing("sh", "-c", f"{program}; true"))

    def test_other_dev_shm_is_reported(self):
        mount = ("mount", "-t", "tmpfs", "none", "/dev/shm")
        self.namespaces("-m")
        self.script.write_text(CALLS + self.until_sampled())
        fact = self.missing("unshare", "-m", "sh", "-c", f"{' '.join(mount)}; {PYTHON} {self.script}")
        self.assertIn("it cannot see the directory of the event rings", fact)

    def test_no_space_for_rings_is_reported(self):
        mount = ("mount", "-t", "tmpfs", "-o", "size=300k", "none", "/dev/shm")
        self.namespaces("-m")
        self.script.write_text("import os\n"
                               "@profile\n"
                               "def work(): return 1\n"
                               "work()\n"
                               "for _ in range(3):\n"
                               "    if os.fork() == 0: work(); os._exit(0)\n"
                               "    os.wait()\n")
        fact = self.missing(PYTHON, self.script,
                            before=("unshare", "-m", "sh", "-c", f"{' '.join(mount)}; exec \"$@\"", "sh"))
        self.assertIn("no space for its event ring", fact)
        self.assertEqual([call.name for call in Recording(self.path).calls], ["__main__.work"])


if __name__ == "__main__":
    unittest.main()
