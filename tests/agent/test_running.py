"""mprof attach --functions: functions of running programs."""

import ctypes
import fcntl
import os
import pathlib
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
import mprof_test  # noqa: E402
from interpreters import IS_MUSL  # noqa: E402
from mprof_test import DEADLINE_S, MPROF, Recording, program_for_all, wait_until  # noqa: E402

APP = '''
import functools
registry = {}
def route(function):
    registry[function.__name__] = function
    return function
def inner(x): return x + 1
def outer(x): return inner(inner(x))
@route
def view(x): return outer(x)
@functools.lru_cache(maxsize=None)
def cached(x): return inner(x)
def numbers(n):
    for i in range(n):
        yield inner(i)
async def fetch(x): return inner(x)
class Thing:
    def method(self): return inner(1)
    @staticmethod
    def fixed(): return inner(2)
'''

EXACT = """
app.outer
  app.inner
  app.inner
app.view
  app.outer
    app.inner
    app.inner
app.cached
  app.inner
app.numbers
  app.inner
  app.inner
app.Thing.method
  app.inner
app.Thing.fixed
  app.inner
late.function
""".strip().split("\n")

# The common part of all programs: announces itself, waits in the way of its state, makes the calls, checks
# that attaching has changed nothing, and ends when told to.
PROGRAM = '''
import importlib.machinery, os, sys, threading, time
import app
functions = [app.inner, app.outer, app.view, app.numbers, app.fetch, app.Thing.method, app.Thing.fixed,
             app.cached.__wrapped__]
loader = importlib.machinery.SourceFileLoader
def describe():
    tools = [sys.monitoring.get_tool(n) for n in range(6)] if hasattr(sys, "monitoring") else []
    return [f.__code__ for f in functions], [sorted(vars(f)) for f in functions], \\
        loader.exec_module, "exec_module" in vars(loader), sorted(dir(__builtins__)), tools, \\
        len(os.listdir("/proc/self/fd")), \
        [one for one in threading.enumerate() if isinstance(one, threading._DummyThread)]
def has_word(word): return os.path.exists(word)
def write_word(word): open(word + ".new", "w").close(); os.rename(word + ".new", word)
def calls():
    assert app.outer(1) == 3 and app.registry["view"](1) == 3 and app.cached(1) == 2
    assert list(app.numbers(2)) == [1, 2] and app.Thing().method() == 2 and app.Thing.fixed() == 3
    import late
    late.function()
def serve():
    write_word("ready")
    wait(lambda: has_word("go"))
    calls()
    write_word("called")
    wait(lambda: has_word("check"))
    for _ in range(3): app.outer(1)
    after = describe()
    write_word("ended: " + ("unharmed" if after == before else "changed"))
    for a, b in zip(before, after):
        if a != b: print(a, b, file=sys.stderr)
'''

# Otherwise the first end of a thread opens this library, at any time.
ENDS = """
import ctypes
try: ctypes.CDLL("libgcc_s.so.1")
except OSError: pass # musl ends threads without it
"""

STATES = {
    "busy": '''
def wait(condition):
    while not condition():
        for _ in range(1000): pass
''',
    "sleeping": '''
def wait(condition):
    while not condition(): time.sleep(0.01)
''',
    "in select": '''
import select
def wait(condition):
    while not condition(): select.select([], [], [], 0.01)
''',
    "with busy threads": ENDS + '''
def spin():
    while not has_word("check"): sum(range(1000))
for _ in range(4): threading.Thread(target=spin, daemon=True).start()
def wait(condition):
    while not condition(): time.sleep(0.01)
''',
    "with allocating threads": ENDS + '''
def spin():
    while not has_word("check"): b"x" * 300000; list(range(100)); os.stat(".")
for _ in range(4): threading.Thread(target=spin, daemon=True).start()
def wait(condition):
    while not condition(): b"x" * 300000
''',
    "importing": '''
def wait(condition):
    while not condition():
        for name in ("_csv", "csv", "mmap", "decimal", "colorsys"): sys.modules.pop(name, None)
        import csv, mmap, colorsys
''',
    "in a blocked main thread": '''
def wait(condition):
    while not condition(): time.sleep(0.01)
blocked = True
''',
    "calling": '''
def wait(condition):
    while not condition(): assert app.outer(1) == 3
''',
    "calling in threads": ENDS + '''
def work():
    while not has_word("check"): assert app.outer(1) == 3 and list(app.numbers(2)) == [1, 2]
threads = [threading.Thread(target=work) for _ in range(3)]
for one in threads: one.start()
def wait(condition):
    while not condition(): time.sleep(0.01)
    if has_word("check"):
        for one in threads: one.join()
''',
    # Python does not restart these calls after EINTR: each has to continue as if undisturbed.
    "waiting in C": '''
import ctypes, select, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
poll, buffer = select.epoll(), ctypes.create_string_buffer(64)
silent, _kept = socket.socketpair()
silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 7000))
span = struct.pack("ll", 0, 7000000)
def wait(condition):
    while not condition():
        ctypes.set_errno(0)
        for call, expected, error in (
                (lambda: libc.epoll_wait(poll.fileno(), buffer, 1, 7), 0, 0),
                (lambda: libc.poll(None, 0, 7), 0, 0),
                (lambda: libc.nanosleep(span, None), 0, 0),
                (lambda: libc.select(0, None, None, None, struct.pack("ll", 0, 7000)), 0, 0),
                (lambda: libc.recv(silent.fileno(), buffer, 1, 0), -1, 11)):
            assert (call(), ctypes.get_errno()) == (expected, error), (call, ctypes.get_errno())
            ctypes.set_errno(0)
''',
    "asyncio": '''
import asyncio
def wait(condition):
    async def until():
        while not condition(): await asyncio.sleep(0.01)
    asyncio.run(until())
''',
    "forking": '''
def wait(condition):
    while not condition():
        pid = os.fork()
        if pid == 0: os._exit(0)
        os.waitpid(pid, 0)
''',
}

# A stop by any tracer ends some of these calls with EINTR, which a killed recorder cannot repair.
STATES["left alone while waiting in C"] = STATES["waiting in C"].replace(
    "== (expected, error)", "in ((expected, error), (-1, 4))")

START = '''
before = describe()
if globals().get("blocked"):
    end = threading.Lock()
    end.acquire()
    before = None
    def work():
        global before
        before = describe()
        serve()
        end.release()
    threading.Thread(target=work, daemon=True).start()
    end.acquire()
else:
    serve()
'''


# Runs a command under a filter that allows all system calls. As a module, it installs a filter that kills
# the process when it maps executable memory.
FILTER = '''
import ctypes, os, struct, sys
MMAP = {"x86_64": 9, "aarch64": 222}[os.uname().machine]
def step(code, yes, no, value): return struct.pack("HBBI", code, yes, no, value)
ALLOW, KILL = step(6, 0, 0, 0x7fff0000), step(6, 0, 0, 0x80000000)
NO_NEW_CODE = (step(0x20, 0, 0, 0) + step(0x15, 0, 3, MMAP)
               + step(0x20, 0, 0, 32) + step(0x45, 0, 1, 4) + KILL + ALLOW)  # PROT_EXEC
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
def install(program):
    steps = ctypes.create_string_buffer(program)
    made = Filter(len(program) // 8, ctypes.addressof(steps))
    libc = ctypes.CDLL(None)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(made), 0, 0):
        sys.exit("no filter")
if __name__ == "__main__":
    install(ALLOW)
    os.execvp(sys.argv[1], sys.argv[1:])
'''

WAIT_OF_32_BITS = """
void _start(void)
{
    for (;;) {
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(29)); /* pause */
    }
}
"""

# A program with the symbols by which an interpreter is recognised.
PRETENDER = """
#include <unistd.h>
int Py_AddPendingCall(int (*call)(void *), void *data) { return call != 0 && data ? -1 : -1; }
int Py_IsInitialized(void) { return 0; }
int PySys_AddAuditHook(void *hook, void *data) { return hook && data ? -1 : -1; }
int main(void) { for (;;) pause(); }
"""


def enterable():
    """Interpreters of this machine to which mprof can attach."""
    if platform.machine() not in ("x86_64", "aarch64"):
        raise unittest.SkipTest("running programs are entered on x86-64 and aarch64 only")
    return interpreters.supported()


class Base(mprof_test.TestCase):
    mprof = MPROF

    maxDiff = None

    def setUp(self):
        super().setUp()
        (self.directory / "app.py").write_text(APP)
        (self.directory / "late.py").write_text("def function(): pass\n")
        self.path = self.directory / "out.dat"

    def start_program(self, interpreter, state="sleeping", source=None):
        (self.directory / "program.py").write_text((source or PROGRAM) + STATES[state]
                                                   + START + "write_word('over')\n")
        for word in ("ready", "go", "called", "check", "over", "ended: unharmed", "ended: changed"):
            (self.directory / word).unlink(missing_ok=True)
        command = interpreter if isinstance(interpreter, list) else [interpreter.path]
        program = self.start(*command, "program.py")
        self.wait_for_word("ready", program)
        return program

    def attach(self, program, patterns=("app", "late:*"), says=r"functions are recorded: \d+ found",
               command=()):
        options = [word for pattern in patterns for word in ("--functions", pattern)]

        def try_to_attach():
            recorder = self.start(*command, self.mprof, "attach", *options, "-T", "0.05", "-o", self.path,
                                  program.pid)
            answer = self.wait_for_output(recorder, r"functions are .*")[0]
            if "as soon as" in answer:  # the main thread did not run for seconds
                self.finish(recorder)
                return None
            self.assertRegex(answer, says)
            return recorder
        return wait_until(try_to_attach, "an answer of the agent")

    def write_word(self, word):
        (self.directory / word).touch()

    def wait_for_word(self, word, program):
        def is_there():
            self.assertIn(program.poll(), (None, 0), self.output(program))
            return (self.directory / word).exists()
        wait_until(is_there, word)

    def finish(self, recorder):
        recorder.terminate()
        self.wait_for_end(recorder)
        recording = Recording(self.path)
        self.path.unlink()
        return recording

    def tree(self, recording):
        calls = sorted(recording.calls, key=lambda call: (call.enter_s, call.level))
        return ["  " * call.level + call.name for call in calls]

    def assert_unharmed(self, program):
        self.write_word("check")
        self.wait_for_word("over", program)
        self.assertTrue((self.directory / "ended: unharmed").exists(), self.output(program))
        self.assertEqual(self.wait_for_end(program), 0, self.output(program))
        self.assertEqual(self.output(program), "")

    def check_state(self, state):
        for interpreter in enterable():
            with self.subTest(python=str(interpreter)):
                program = self.start_program(interpreter, state)
                recorder = self.attach(program)
                self.write_word("go")
                self.wait_for_word("called", program)
                recording = self.finish(recorder)
                self.assertEqual(self.tree(recording), EXACT)
                self.assertFalse(any(call.open for call in recording.calls))
                self.assert_unharmed(program)


    def attach_and_leave(self, program, kill_after_s=None, calls=True):
        """Starts a recorder, and ends or kills it."""
        recorder = self.start_mprof("attach", "--functions", "app", "-T", "0.05", "-o", self.path,
                                    program.pid)
        if kill_after_s is None:
            answer = self.wait_for_output(recorder, r"functions are .*")
            self.assertRegex(answer[0], r"recorded(: [1-9]\d* found| as soon as)")
            wait_until(lambda: not calls or self.path.read_text().count("\nFUNC ") > 20, "calls")
            recorder.terminate()
            self.assertEqual(self.wait_for_end(recorder), -signal.SIGTERM)
        else:
            time.sleep(kill_after_s)
            recorder.kill()
            recorder.wait()
        self.path.unlink(missing_ok=True)
        self.assertIsNone(program.poll(), self.output(program))


# How often each program is attached to; setting it also adds states.
ATTACHES = int(os.environ.get("MPROF_TEST_ATTACHES", "0"))
REPEATED_STATES = ("calling", "calling in threads") + (
    ("busy", "sleeping", "with busy threads") if ATTACHES else ())


class Running(Base):
    def test_attach_repeatedly(self):
        for interpreter in enterable():
            for state in REPEATED_STATES:
                with self.subTest(python=str(interpreter), state=state):
                    program = self.start_program(interpreter, state)
                    for _ in range(ATTACHES or 10):
                        self.attach_and_leave(program, calls="calling" in state)
                    self.write_word("go")
                    self.wait_for_word("called", program)
                    self.assert_unharmed(program)

    def test_killed_recorder(self):
        for interpreter in enterable():
            for state in ("busy", "left alone while waiting in C"):
                with self.subTest(python=str(interpreter), state=state):
                    program = self.start_program(interpreter, state)
                    for _ in range(12):
                        self.attach_and_leave(program, random.random() * 0.02)
                    recorder = self.attach(program)
                    self.write_word("go")
                    self.wait_for_word("called", program)
                    self.assertEqual(self.tree(self.finish(recorder)), EXACT)
                    self.assert_unharmed(program)

    def test_recorder_that_still_holds_its_rings(self):
        for interpreter in enterable():
            with self.subTest(python=str(interpreter)):
                program = self.start_program(interpreter)
                killed = self.attach(program)
                (bell,) = pathlib.Path("/dev/shm").glob(f"mprof-{killed.pid}-*/**/bell")
                folder = bell.parent
                held = [os.open(folder, os.O_RDONLY),
                        os.open(folder / "bell", os.O_RDONLY | os.O_NONBLOCK)]
                killed.kill()
                killed.wait()
                fcntl.flock(held[0], fcntl.LOCK_EX)  # as a child that is about to end holds it
                release = threading.Timer(0.15, lambda: [os.close(fd) for fd in held])
                release.start()
                recorder = self.attach(program)
                release.join()
                self.write_word("go")
                self.wait_for_word("called", program)
                self.assertEqual(self.tree(self.finish(recorder)), EXACT)
                self.assert_unharmed(program)

    def test_system_calls_are_not_interrupted(self):
        for interpreter in enterable():
            with self.subTest(python=str(interpreter)):
                program = self.start_program(interpreter, "waiting in C")
                for _ in range(10):
                    recorder = self.attach(program)
                    self.finish(recorder)
                self.write_word("go")
                self.wait_for_word("called", program)
                self.assert_unharmed(program)


class Elsewhere(Base):
    """Programs that are not Python, or that mprof may not enter: one line says so, and memory is recorded."""

    def assert_stays_out(self, process, reason, *command):
        recorder = self.start(*command, self.mprof, "attach", "--functions", "app", "-T", "0.02", "-o",
                              self.path, process.pid)
        answer = self.wait_for_output(recorder, r"mprof: functions are not recorded: (.*)\n")
        self.assertRegex(answer[1], reason)
        wait_until(lambda: self.path.read_text().count("\nMEM ") > 2, "samples")
        recorder.terminate()
        self.wait_for_end(recorder)
        self.assertEqual(self.output(recorder).count("mprof: "), 2, self.output(recorder))
        self.path.unlink()
        self.assertIsNone(process.poll())

    def setUp(self):
        super().setUp()
        self.interpreter = enterable()[-1]

    def test_no_python(self):
        self.assert_stays_out(self.start("/bin/sleep", "60"), "^it is not Python$")

    def test_static_program(self):
        static = pathlib.Path(MPROF).parent / "tests" / "fault" / "static-program"
        if not static.exists():
            self.skipTest("no static program was built")
        self.assert_stays_out(self.start(static, "60000"), "statically linked")

    def test_stopped_program(self):
        program = self.start_program(self.interpreter, "busy")
        program.send_signal(signal.SIGSTOP)
        wait_until(lambda: mprof_test.process_table()[program.pid][1] == "T", "the stop")
        self.assert_stays_out(program, "^it is stopped; continue it and attach again$")
        self.assertEqual(mprof_test.process_table()[program.pid][1], "T")
        program.send_signal(signal.SIGCONT)
        self.write_word("go")
        self.wait_for_word("called", program)
        self.assert_unharmed(program)

    def test_traced_program(self):
        program = self.start_program(self.interpreter, "busy")
        libc = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(libc.ptrace(0x4206, program.pid, None, None), 0)  # PTRACE_SEIZE
        try:
            self.assert_stays_out(program, f"^it is traced by process {os.getpid()} already$")
        finally:
            program.kill()

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_program_under_strace(self):
        program = self.start_program(self.interpreter, "busy")
        watcher = self.start("strace", "-o", "/dev/null", "-p", program.pid)
        self.wait_for_output(watcher, "attached")
        self.assert_stays_out(program, f"^it is traced by process {watcher.pid} already$")
        watcher.terminate()
        self.wait_for_end(watcher)
        self.write_word("go")
        self.wait_for_word("called", program)
        self.assert_unharmed(program)

    def test_program_with_a_system_call_filter(self):
        """The filter kills the program when it maps executable memory: mprof does not try."""
        self.under_filter()
        source = PROGRAM.replace("import app\n", "import app, filtering\n"
                                 "filtering.install(filtering.NO_NEW_CODE)\n")
        program = self.start_program(self.interpreter, source=source)
        self.assert_stays_out(program, r"^its system calls are filtered \(seccomp\)")
        self.write_word("go")
        self.wait_for_word("called", program)
        self.assert_unharmed(program)

    def test_under_the_same_system_call_filter(self):
        """As in a container: a filter that mprof itself runs under does not prevent attaching."""
        command = self.under_filter()
        program = self.start_program([*command, self.interpreter.path])
        recorder = self.attach(program, command=command)
        self.write_word("go")
        self.wait_for_word("called", program)
        self.assertEqual(self.tree(self.finish(recorder)), EXACT)
        self.assert_unharmed(program)

    def under_filter(self):
        """A command prefix that runs the rest under a filter."""
        path = self.directory / "filtering.py"
        path.write_text(FILTER)
        if subprocess.run([sys.executable, path, "true"]).returncode != 0:
            self.skipTest("system calls cannot be filtered here")
        return [sys.executable, path]

    def test_program_that_is_not_dumpable(self):
        """A process of the same user, who is not root."""
        as_nobody = self.as_nobody()
        source = PROGRAM.replace("import app\n", "import app, ctypes\n"
                                 "assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0\n")
        program = self.start_program([*as_nobody, self.interpreter_for_all_users().path], source=source)
        self.assert_stays_out(program, r"^the process has forbidden it \(it is not dumpable\)",
                              *as_nobody)
        self.write_word("go")
        self.wait_for_word("called", program)
        self.assert_unharmed(program)

    def test_ptrace_scope(self):
        """Many systems allow a user to trace only children; root may trace all."""
        scope = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
        if not scope.exists() or scope.read_text().strip() == "0":
            self.skipTest("kernel.yama.ptrace_scope does not forbid anything")
        as_nobody = self.as_nobody()
        program = self.start_program([*as_nobody, self.interpreter_for_all_users().path])
        self.assert_stays_out(program, r"\(kernel\.yama\.ptrace_scope is [123]\)$", *as_nobody)
        self.write_word("go")
        self.wait_for_word("called", program)
        self.assert_unharmed(program)

    def as_nobody(self):
        command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("needs root and setpriv(1)")
        self.mprof = program_for_all()
        self.directory.chmod(0o777)
        return command

    def interpreter_for_all_users(self):
        """An interpreter that users other than root may run."""
        for interpreter in reversed(enterable()):
            if subprocess.run([*self.as_nobody(), interpreter.path, "-c", ""],
                              capture_output=True).returncode == 0:
                return interpreter
        self.skipTest("no interpreter that others may run")

    def compile(self, source, output, *options, compiler="cc"):
        """Compiles a program; skips the test if that fails or the program does not run."""
        if not shutil.which(compiler):
            self.skipTest(f"no {compiler}")
        (self.directory / "source.c").write_text(source)
        done = subprocess.run([compiler, "-o", self.directory / output, *options, "source.c"],
                              cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f"{compiler} {' '.join(options)}: {done.stderr.strip()[-200:]}")
        return self.directory / output

    def test_another_architecture(self):
        program = self.compile(WAIT_OF_32_BITS, "other", "-m32", "-nostdlib", "-static")
        try:
            process = self.start(program)
        except OSError as error:
            self.skipTest(f"such programs do not run here: {error}")
        self.assert_stays_out(process, "^the program is of another architecture$")

    def test_another_libc(self):
        compiler, reason = ("gcc", "glibc, not musl") if IS_MUSL else ("musl-gcc", "musl, not glibc")
        program = self.compile(PRETENDER, "pretender", "-rdynamic", compiler=compiler)
        self.assert_stays_out(self.start(program), f"^its C library is {reason}$")

    def test_recorded_program(self):
        program = self.start_program(self.interpreter, "calling")
        first = self.attach(program)
        path, self.path = self.path, self.directory / "second.dat"
        self.assert_stays_out(program, "^it is being recorded already$")
        self.path = path
        self.finish(first)
        self.write_word("go")
        self.wait_for_word("called", program)
        self.assert_unharmed(program)

    def test_program_started_by_mprof(self):
        (self.directory / "loop.py").write_text(
            "import os, time\n@profile\ndef f(): time.sleep(0.01)\n"
            "open('pid', 'w').write(f'{os.getpid()}\\n')\nwhile True: f()\n")
        first = self.start_mprof("run", "-o", self.directory / "first.dat", self.interpreter.path,
                                 "loop.py")
        pid = self.directory / "pid"
        wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"), "the program")
        first.pid_of_program = int(pid.read_text())
        program = types.SimpleNamespace(pid=first.pid_of_program, poll=first.poll)
        self.assert_stays_out(program, "^it is being recorded already$")

    def test_program_of_another_user(self):
        self.assert_stays_out(self.start("/bin/sleep", "60"), "another user's", *self.as_nobody())

    def test_root_attaches_to_another_user(self):
        """Root attaches to a process of another user: its rings belong to that user."""
        as_nobody = self.as_nobody()
        for interpreter in enterable():
            if subprocess.run([*as_nobody, interpreter.path, "-c", ""],
                              capture_output=True).returncode != 0:
                continue
            program = self.start_program(as_nobody + [interpreter.path])
            recorder = self.attach(program)
            self.write_word("go")
            self.wait_for_word("called", program)
            self.assertEqual(self.tree(self.finish(recorder)), EXACT)
            self.assert_unharmed(program)


def add_state(state):
    def test(self):
        self.check_state(state)
    setattr(Running, "test_" + state.replace(" ", "_"), test)


for state in STATES:
    if "calling" not in state and "alone" not in state:
        add_state(state)

if __name__ == "__main__":
    unittest.main()
