"""Pythons in which functions cannot be recorded, free-threaded and newer ones: one line says so, and the program
runs as without mprof."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
import mprof_test  # noqa: E402
from mprof_test import MPROF, Recording, wait_until  # noqa: E402

BUILT = mprof_test.preloadable(pathlib.Path(MPROF).parent)
TOOLS = mprof_test.preloadable(os.environ.get("MPROF_TEST_TOOLS", BUILT / "tests" / "agent"))

PROGRAM = """
import sys, threading
{first}
@profile
def f(n):
    return sum(range(n))
@profile(precision=4)
def g():
    yield f(10)
@profile
class Thing:
    def method(self): return 1
threads = [threading.Thread(target=f, args=(1000,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with profile.timestamp("a block"): list(g())
assert Thing().method() == 1 and f.__name__ == "f"
assert [name for name in vars() if name[0] != "_"] == {names}, list(vars())
print("the program has ended")
sys.exit(3)
"""
NAMES = ["sys", "threading", "f", "g", "Thing", "threads", "thread"]


class Python:
    """An unsupported Python, and the message expected for it."""

    def __init__(self, path, said, **environment):
        self.path, self.said, self.environment = path, said, environment


def free_threaded():
    """Free-threaded Pythons of the machine, and one that looks like one."""
    said = "a free-threaded Python"
    for one in interpreters.every():
        if one.free_threaded:
            yield Python(one.path, said)
    stand_in = TOOLS / "free-threaded.so"
    if not stand_in.is_file():
        raise AssertionError(f"no {stand_in}")
    yield Python(sys.executable, said, LD_PRELOAD=str(stand_in))


def newer(directory):
    """A copy of the tests' own Python that reports version 3.16. The version is in its program, or in libpython."""
    with open("/proc/self/maps") as maps:
        libraries = {line.split()[-1] for line in maps if "/libpython3" in line}
    version = "%d.%d.%d" % sys.version_info[:3]
    known = version.encode() + b"\0"
    new = b"3.16".ljust(len(known), b"\0")
    environment = {"PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}"}
    contents = {"python3.16": pathlib.Path(sys.executable).resolve().read_bytes()}
    for library in libraries:
        contents[os.path.basename(library)] = pathlib.Path(library).read_bytes()
        environment["LD_LIBRARY_PATH"] = str(directory)
    if not any(known in content for content in contents.values()):
        raise unittest.SkipTest("the version of Python is neither in its program nor in libpython")
    for name, content in contents.items():
        (directory / name).write_bytes(content.replace(known, new))
        (directory / name).chmod(0o755)
    yield Python(str(directory / "python3.16"), "Python 3.16 (this mprof supports 3.8 to 3.15)",
                 **environment)


class Unfit(mprof_test.TestCase):
    def each(self, check):
        for kind in (free_threaded, lambda: newer(self.directory)):
            for python in kind():
                with self.subTest(python=python.path, said=python.said):
                    check(python)

    def record(self, python, *options, first=""):
        """Runs the program under mprof, without installed packages; returns its standard error."""
        names = ["profile"] if "import" in first else []
        (self.directory / "program.py").write_text(
            PROGRAM.format(first=first, names=NAMES[:2] + names + NAMES[2:]))
        done = self.run_mprof("run", *options, "-E", "-o", "out.dat", python.path, "-S",
                              "program.py", expect=3,
                              env=self.environment(**python.environment))
        self.assertTrue(done.stdout.endswith("the program has ended\n"), done.stdout)
        recording = Recording(self.directory / "out.dat")
        self.assertEqual(recording.calls, [])
        (self.directory / "out.dat").unlink()
        return done.stderr

    def test_run(self):
        def check(python):
            for options in ((), ("--lines",), ("--func", "__main__:*", "--func", "json:*")):
                self.assertEqual(self.record(python, *options),
                                 f"mprof: functions are not recorded in {python.said}\n")
        self.each(check)

    def test_imported(self):
        """memory_profiler can be imported, installed or not."""
        (self.directory / "installed").mkdir()
        (self.directory / "installed" / "memory_profiler.py").write_text(
            "import builtins\nprofile = builtins.profile\nis_installed = True\n")

        def check(python):
            said = f"mprof: functions are not recorded in {python.said}\n"
            line = "from memory_profiler import profile"
            self.assertEqual(self.record(python, first=line), said)
            python.environment["PYTHONPATH"] = str(self.directory / "installed")
            line = "from memory_profiler import profile, is_installed as _"
            self.assertEqual(self.record(python, first=line), said)
        self.each(check)

    def test_reported_once(self):
        (self.directory / "tree.py").write_text(
            "import subprocess, sys\n"
            "for _ in range(3): subprocess.run([sys.executable, '-c', '@profile\\ndef f(): pass'], check=True)\n")

        def check(python):
            done = self.run_mprof("run", "-E", "-o", "out.dat", python.path, "tree.py",
                                  env=self.environment(**python.environment))
            self.assertEqual(done.stderr, f"mprof: functions are not recorded in {python.said}\n")
            (self.directory / "out.dat").unlink()
        self.each(check)

    def test_attach(self):
        def check(python):
            ready = self.directory / "ready"
            program = self.start(python.path, "-c", "import time\nopen('ready', 'w').close()\n"
                                 "while True: time.sleep(0.01)",
                                 env=self.environment(**python.environment))
            wait_until(ready.exists, "the program")
            ready.unlink()
            recorder = self.start_mprof("attach", "--functions", "*:*", "-T", "0.05", "-o", "out.dat",
                                        program.pid)
            said = self.wait_for_output(recorder, r"mprof: functions are.*")[0]
            self.assertEqual(said, f"mprof: functions are not recorded: it runs in {python.said}")
            path = self.directory / "out.dat"
            wait_until(lambda: path.exists() and path.read_text().count("\nMEM ") > 3, "samples")
            recorder.send_signal(signal.SIGINT)
            self.wait_for_end(recorder)
            self.assertIsNone(program.poll(), self.output(program))
            program.kill()
            program.wait()
            path.unlink()
        self.each(check)

    def test_memory_profiler(self):
        def check(python):
            def ask(*arguments):
                environment = self.environment(**python.environment)
                environment["PYTHONPATH"] = str(BUILT / "python")
                return subprocess.run([python.path, *arguments], cwd=self.directory, env=environment,
                                      capture_output=True, text=True, timeout=mprof_test.DEADLINE_S)
            said = f"mprof: {python.said} is not supported\n"
            (self.directory / "program.py").write_text("print('was run')\n")
            done = ask("-m", "memory_profiler", "program.py")
            self.assertEqual((done.stdout, done.returncode), ("", 1))
            if "orig_argv" in dir(sys):
                self.assertEqual(done.stderr, said)
            for module in ("memory_profiler", "mprof"):
                done = ask("-c", f"try: import {module}\nexcept ImportError as error: print(error)")
                self.assertEqual((done.stderr, done.returncode), ("", 0))
                self.assertEqual(done.stdout, said)
        self.each(check)


class NoRings(unittest.TestCase):
    """Without rings or agent `profile` is still a builtin, and returns its argument."""

    def run_with(self, interpreter, shim, rings):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("MPROF", "PYTHON", "LD_"))}
        environment.update(LD_PRELOAD=str(shim), MPROF_RINGS=rings)
        source = PROGRAM.format(first="", names=NAMES)
        done = subprocess.run([interpreter.path, "-c", source], capture_output=True, text=True,
                              env=environment, timeout=mprof_test.DEADLINE_S)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (3, "the program has ended\n", ""))

    def test_no_directory_of_rings(self):
        for one in interpreters.supported():
            for rings in "", "/nowhere/at/all":
                with self.subTest(python=str(one), rings=rings):
                    self.run_with(one, BUILT / "libmprof-preload.so", rings)

    def test_no_agent(self):
        with tempfile.TemporaryDirectory() as folder:
            shim = shutil.copy(BUILT / "libmprof-preload.so", folder)
            for one in interpreters.supported():
                with self.subTest(python=str(one)):
                    self.run_with(one, shim, "/nowhere/at/all")


class NotInstalled(mprof_test.TestCase):
    """A part of the agent is missing or damaged: one line says so, and `profile` returns its argument."""

    def install(self, *files, damaged=None):
        """A folder with the program `mprof` and only these files of the agent; returns the program."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        shutil.copy(MPROF, folder / "mprof")
        for name in files:
            shutil.copy(BUILT / name, folder)
        if damaged:
            (folder / damaged).write_text("damaged\n")
        return folder / "mprof"

    def installations(self):
        """Each with the reason that the recorder gives."""
        shim, agent = "libmprof-preload.so", "libmprof-agent.so"
        absent, damaged = "is not installed", "is damaged, or of another architecture"
        yield self.install(), f"the agent ({shim}) {absent}"
        yield self.install(agent, damaged=shim), f"the agent ({shim}) {damaged}"
        yield self.install(shim), f"the agent ({agent}) {absent}"
        yield self.install(shim, damaged=agent), f"the agent ({agent}) {damaged}"

    def run_with(self, program, *command, **environment):
        """Runs `command` under the recorder `program`. Returns what happened, and the fact of missing
        functions."""
        path = self.directory / "out.dat"
        path.unlink(missing_ok=True)
        done = subprocess.run([program, "run", "-E", "-C", "-T", "0.01", "-o", path, *map(str, command)],
                              cwd=self.directory, capture_output=True, text=True, check=False,
                              env={**self.environment(), **environment},
                              timeout=mprof_test.DEADLINE_S)
        return done, Recording(path).facts.get("functions-missing")

    def test_profile_exists(self):
        (self.directory / "program.py").write_text(PROGRAM.format(first="", names=NAMES))
        for program, reason in self.installations():
            for python in interpreters.supported():
                with self.subTest(reason=reason, python=str(python)):
                    done, fact = self.run_with(program, python.path, "program.py")
                    self.assertEqual((done.returncode, done.stderr, fact),
                                     (3, f"mprof: functions are not recorded: {reason}\n", reason))
                    self.assertTrue(done.stdout.endswith("the program has ended\n"), done.stdout)

    def test_profile_exists_in_children(self):
        # long enough to be seen: a child is examined when it is sampled
        (self.directory / "program.py").write_text(PROGRAM.format(first="__import__('time').sleep(0.2)", names=NAMES))
        for program, reason in self.installations():
            with self.subTest(reason=reason):
                done, fact = self.run_with(program, "sh", "-c", f"{sys.executable} program.py; exit $?")
                self.assertEqual((done.returncode, done.stderr), (3, f"mprof: {fact}\n"))
                self.assertRegex(fact, r"\Afunctions of process \d+ \(python[0-9.]*\) are missing: ")
                self.assertTrue(fact.endswith(reason), fact)

    def test_startup_of_python_is_unchanged(self):
        """The path of modules, the user's or the system's own sitecustomize, and nothing left behind."""
        source = """
import os, sys
module = sys.modules.get("sitecustomize")
print(sys.path, module and module.__file__, module and sorted(vars(module)))
print([name for name in os.environ["PYTHONPATH"].split(":") if not name.startswith("/dev/shm")])
print(__import__("importlib").import_module("sitecustomize") is module if module else None)
"""
        (self.directory / "own").mkdir()
        (self.directory / "program.py").write_text(source)
        customizations = {"none": None, "plain": "here = 1\n", "a failure": "1 / 0\n",
                          "an import error": "import nothing_like_that\n"}
        for python in interpreters.supported():
            for name, text in customizations.items():
                with self.subTest(python=str(python), sitecustomize=name):
                    own = self.directory / "own" / "sitecustomize.py"
                    own.unlink(missing_ok=True)
                    if text:
                        own.write_text(text)
                    options = {"PYTHONPATH": str(own.parent)}
                    plain = subprocess.run([python.path, "program.py"], cwd=self.directory,
                                           capture_output=True, text=True,
                                           env=self.environment(**options), check=False)
                    self.assertEqual(plain.returncode, 0, plain.stderr)
                    done, _ = self.run_with(self.install(), python.path, "program.py", **options)
                    self.assertTrue(done.stdout.endswith("\n" + plain.stdout),
                                    done.stdout + plain.stdout + done.stderr)
                    self.assertEqual([line for line in done.stderr.splitlines()
                                      if not line.startswith("mprof: ")], plain.stderr.splitlines())

    def test_the_module_is_removed(self):
        """With what Python has written next to it."""
        (self.directory / "program.py").write_text("import os; print(os.environ['PYTHONPATH'])")
        done, _ = self.run_with(self.install(), sys.executable, "program.py",
                                PYTHONDONTWRITEBYTECODE="")
        folder = pathlib.Path(done.stdout.splitlines()[-1])
        self.assertEqual(folder.name, "python")
        self.assertFalse(folder.parent.exists())


if __name__ == "__main__":
    unittest.main()
