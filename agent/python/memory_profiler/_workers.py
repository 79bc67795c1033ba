"""Profilers in worker processes.

A function that is pickled by value (cloudpickle, dill: joblib, dask, multiprocess) takes its profiler along.
The profiler is not copied: each process has one counterpart of it, which writes a report at the end of that
process if the profiler itself writes one.
"""

import atexit
import builtins
import os
import sys
import weakref

from ._stdlib import StdlibImports

# By token: profilers of this process, and counterparts of profilers of other processes, which this table owns.
_profilers: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_counterparts: dict = {}


def _after_fork():
    # The parent reports what was measured before the fork.
    for profiler in list(_profilers.values()):
        profiler._token = None
    _profilers.clear()
    _counterparts.clear()


os.register_at_fork(after_in_child=_after_fork)


def token_of(profiler):
    """An identifier that is unique over all processes."""
    if profiler._token is None:
        profiler._token = os.urandom(16).hex()
        _profilers[profiler._token] = profiler
    return profiler._token


def profiler_for(kind, token, options, report):
    """The profiler with this token; in another process its counterpart, made at the first call."""
    profiler = _profilers.get(token) or _counterparts.get(token)
    if profiler is None:
        with StdlibImports():
            profiler = kind(**options)
        profiler._token, profiler._report_options = token, report
        _counterparts[token] = profiler
        if report is not None:
            at_process_end(lambda: _report(token))
    return profiler


def _report(token):
    if token in _counterparts:
        with StdlibImports():
            from ._run import write_worker_report
            write_worker_report(_counterparts[token])


_registered: dict = {}


def _util_modules():
    """The util modules of multiprocessing and its forks: their processes end without atexit."""
    names = (package + ".util" for package in ("multiprocessing", "multiprocess", "billiard"))
    return filter(None, map(sys.modules.get, names))


def _finalize(once):
    for util in _util_modules():
        util.Finalize(None, once, exitpriority=-1000)  # after the program's own finalizers


def at_process_end(show):
    """Calls `show` once when this process ends."""
    once = _registered.get(show)
    if once is None:
        called = []

        def once():
            if not called:
                called.append(True)
                show()

        _registered[show] = once
        atexit.register(once)
    _finalize(once)
    # A new process starts without its parent's finalizers.
    for util in _util_modules():
        util.register_after_fork(once, _finalize)


class InstallProfile:
    """Unpickling it makes `profile` a builtin: in a spawned process, before the program is imported
    there."""

    def __init__(self, profiler):
        self._profiler = profiler

    def __reduce__(self):
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        kind, token, options, report = self._profiler.__reduce__()[1]
        return exec, ("try:\n"
                      " import sys\n"
                      f" sys.path.insert(0, {folder!r})\n"
                      " try:\n"
                      "  from memory_profiler import _workers\n"
                      f"  _workers.install_profile({kind.__module__!r}, {kind.__name__!r}, {token!r}, {options!r},"
                      f" {report!r})\n"
                      " finally:\n"
                      f"  sys.path.remove({folder!r})\n"
                      "except Exception:\n"
                      " pass\n", {})


def install_profile(module, name, *arrival):
    with StdlibImports():
        kind = getattr(__import__(module, None, None, (name,)), name)
    builtins.profile = profiler_for(kind, *arrival)


# Modules that spawn processes and send them preparation data.
_SPAWN_MODULES = ("multiprocessing.spawn", "multiprocess.spawn", "billiard.spawn", "loky.backend.spawn",
                  "joblib.externals.loky.backend.spawn")


class _Loader:
    """Loads a module by its own loader, calls `loaded`, and leaves no trace in the module."""

    def __init__(self, loader, loaded):
        self._loader = loader
        self._loaded = loaded

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._loaded(module)


class DecorateInWorkers:
    """A context in which spawned processes have `profile` as a builtin, and functions that are pickled by
    value arrive decorated."""

    def __init__(self, profiler):
        self._profiler = profiler

    def __enter__(self):
        for name in filter(self._is_hooked, list(sys.modules)):
            self._loaded(sys.modules[name])
        sys.meta_path.insert(0, self)

    def __exit__(self, *unused):
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    @staticmethod
    def _is_hooked(name):
        return name in _SPAWN_MODULES or \
            name.rpartition(".")[2] in ("cloudpickle", "cloudpickle_fast", "dill", "_dill")

    def find_spec(self, name, path=None, target=None):
        if not self._is_hooked(name):
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find and find(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self._loaded)
                return spec
        return None

    def _loaded(self, module):
        if module.__name__ in _SPAWN_MODULES:
            self._hook_spawn(module)
        elif hasattr(self._profiler, "_undecorated"):
            with StdlibImports():
                from . import _pickling
            _pickling.undecorated = self._profiler._undecorated
            _pickling.hook(sys.modules, module.__name__)

    def _hook_spawn(self, module):
        before = getattr(module, "get_preparation_data", None)
        if before is None:
            return

        def get_preparation_data(*arguments, **options):
            data = before(*arguments, **options)
            data["mprof"] = InstallProfile(self._profiler)
            if arguments == ("ignore",):
                # For a fork server. It takes only the path of the program from here, and would import it without
                # `profile`. Without the path, each process that it forks imports the program by its own data.
                data.pop("init_main_from_path", None)
            return data

        module.get_preparation_data = get_preparation_data
