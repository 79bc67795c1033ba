"""Records this process while it runs on: `mprof attach` as a child process, and the agent in this one."""

import builtins
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

import _mprof

from ._program import packages, wheel_folders

# How long the recorder may take to begin and to end.
_PATIENCE_S = 20.0
# A recording ends with a sample if the next one is due this soon.
_LAST_SAMPLE_S = 0.5

# Said again each time that a cell with -o x.dat runs.
_KEPT = "mprof: the older file is kept as "

_NOT_LOADED = 4  # RTLD_NOLOAD
_MISSING = object()


def _agent_path():
    for place in ("..", "../../../libexec/mprof", *wheel_folders()):
        path = os.path.normpath(os.path.join(packages(), place, "libmprof-agent.so"))
        if os.path.isfile(path):
            return path
    return None


def _publish_interpreter():
    """Makes libpython's functions visible to the agent, where the program loaded it privately."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        paths = {line.split(maxsplit=5)[5].strip() for line in maps if "/libpython" in line}
    for path in paths:
        if os.path.basename(path).startswith("libpython3."):
            with contextlib.suppress(OSError):
                ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL | _NOT_LOADED)


class _Agent:
    """libmprof-agent.so in this process. RuntimeError if it cannot record."""

    def __init__(self):
        path = _agent_path()
        if path is None:
            raise RuntimeError("the agent (libmprof-agent.so) is not installed")
        _publish_interpreter()
        library = ctypes.PyDLL(path)
        self._join = library.mprof_agent_join
        self._join.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        self._join.restype = ctypes.py_object
        self.leave = library.mprof_agent_leave
        self.report_name = library.mprof_agent_report_name
        for function in (self.leave, self.report_name):
            function.argtypes = []
            function.restype = None

    def join(self, rings, patterns):
        """Returns the decorator `profile`."""
        return self._join(os.fsencode(rings), "\n".join(patterns).encode("utf-8", "surrogateescape"))


class _Names:
    """`profile` as a builtin and in the module memory_profiler, and what restores both."""

    def __init__(self, profile, extra):
        self._before = []
        for name, value in {"profile": profile, **extra}.items():
            self._set(builtins, name, value)
        module = sys.modules.get("memory_profiler")
        if module is not None:
            self._set(module, "profile", profile)

    def _set(self, owner, name, value):
        self._before.append((owner, name, vars(owner).get(name, _MISSING), value))
        setattr(owner, name, value)

    def restore(self):
        for owner, name, before, value in self._before:
            if vars(owner).get(name) is not value:
                continue  # the program has set it meanwhile
            if before is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        self._before.clear()


class Recording:
    """A recording of this process, from start() to stop(), with its threads and child processes.

    path: the file to write. functions: patterns of functions to record; None: no functions. marked: the
    name of a builtin that also is the decorator, while it records. names_children: children have the names
    that multiprocessing gives them. namespace: a notebook's, whose functions are recorded.
    """

    active = None  # the one that runs: the agent serves one recorder at a time
    _agent = None

    def __init__(self, program, path, interval=0.01, options=(), functions=(), marked="profile",
                 names_children=False, namespace=None):
        self.path = path
        self.interval = interval
        self.notes = []  # lines about what is missing
        self._command = [program, "attach", "--quiet", "--interval", repr(float(interval)), *options,
                         "--output", os.fspath(path)]
        self._functions = functions
        self._marked = marked
        self._names_children = names_children
        self._namespace = namespace
        self._decorated = None
        self._recorder = None
        self._names = None
        self._joined = False
        self._environment = {}
        self._older = None  # the file that had this name before

    def start(self):
        """Returns once the first sample was taken. OSError or RuntimeError if nothing is recorded."""
        if Recording.active is not None:
            raise RuntimeError("this process is being recorded already")
        own = [] if self._functions is None else ["--own-agent"]
        with contextlib.suppress(OSError):
            self._older = os.stat(self.path)
        # Otherwise the kernel's high-water mark would be of what ran before.
        _mprof.reset_peak()
        self._recorder = subprocess.Popen(
            [*self._command, *own, str(os.getpid())], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True)
        Recording.active = self
        try:
            if own:
                self._record_functions(self._read_settings())
            self._await_sample(0)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Completes the file."""
        try:
            self._forget_functions()
            if self._recorder.poll() is None and self.interval <= _LAST_SAMPLE_S:
                with contextlib.suppress(RuntimeError):
                    self._await_sample(time.time(), self.interval * 3 + 0.1)
        finally:
            Recording.active = None
            self._end_recorder()

    def _end_recorder(self):
        recorder = self._recorder
        if recorder.poll() is None:
            recorder.send_signal(signal.SIGINT)
        try:
            _, errors = recorder.communicate(timeout=_PATIENCE_S)
        except BaseException:
            recorder.kill()
            recorder.communicate()
            raise
        for line in errors.decode("utf-8", "replace").splitlines():
            if line not in self.notes and not line.startswith(_KEPT):
                self.notes.append(line)

    def _failure(self):
        _, errors = self._recorder.communicate()
        text = errors.decode("utf-8", "replace").strip()
        return RuntimeError(text or f"the recorder ended with {self._recorder.returncode}")

    # --- functions ---

    def _read_settings(self):
        """The lines NAME=VALUE that the recorder prints first; less if it cannot record functions."""
        pipe = self._recorder.stdout.fileno()
        text = b""
        end = time.monotonic() + _PATIENCE_S
        while text.count(b"\n") < 2:
            ready, _, _ = select.select([pipe], [], [], max(0, end - time.monotonic()))
            got = os.read(pipe, 65536) if ready else b""
            if not got:
                break
            text += got
        return dict(line.split("=", 1) for line in os.fsdecode(text).splitlines() if "=" in line)

    def _record_functions(self, settings):
        rings = settings.get("MPROF_RINGS")
        if rings is None:
            return  # the recorder has said why
        try:
            if Recording._agent is None:
                Recording._agent = _Agent()
            patterns = list(self._functions)
            if self._namespace is not None and sys.version_info[:2] != (3, 11):
                patterns.append("__main__:*")
            profile = Recording._agent.join(rings, patterns)
        except (OSError, RuntimeError) as error:
            self.notes.append(f"mprof: functions are not recorded: {error}")
            return
        self._joined = True
        if self._namespace is not None and sys.version_info[:2] == (3, 11):
            from ._namespace import Decorated
            self._decorated = Decorated(self._namespace, profile)
        if self._names_children:
            from multiprocessing.util import register_after_fork
            register_after_fork(self, Recording._name_child)
        with contextlib.suppress(ImportError):
            import memory_profiler  # noqa: F401  its decorator is replaced before the cell imports it
        self._names = _Names(profile, {self._marked: profile})
        for name, value in settings.items():  # for programs that this one executes
            self._environment[name] = (os.environ.get(name), value)
            os.environ[name] = value

    def _name_child(self):
        """In a child of multiprocessing, once it has a name."""
        if self._joined:
            Recording._agent.report_name()

    def _forget_functions(self):
        for name, (before, value) in self._environment.items():
            if os.environ.get(name) == value:
                if before is None:
                    del os.environ[name]
                else:
                    os.environ[name] = before
        self._environment.clear()
        if self._decorated is not None:
            self._decorated.restore()
        if self._names is not None:
            self._names.restore()
        if self._joined:
            self._joined = False
            Recording._agent.leave()

    # --- samples ---

    def _await_sample(self, moment, patience_s=_PATIENCE_S):
        """Returns once there is a sample that is not older than this moment, or patience is over.
        RuntimeError if the recorder has ended."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if self._last_sample() > moment:
                return
            if self._recorder.poll() is not None:
                raise self._failure()
            time.sleep(0.001)

    def _last_sample(self):
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                if self._older is not None and os.path.samestat(status, self._older):
                    return 0
                file.seek(max(0, status.st_size - 65536))
                lines = file.read().split(b"\n")[:-1]
        except OSError:
            return 0  # not yet
        for line in reversed(lines):
            if line.startswith(b"MEM "):
                return float(line.split(b" ")[2])
        return 0
