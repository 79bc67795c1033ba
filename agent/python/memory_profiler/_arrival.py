"""Decorated functions in the processes they are sent to.

A function that is pickled by value (cloudpickle, dill: joblib, dask, multiprocess) takes along what its calls
are measured by; a profiler is then not copied, but has one counterpart in each process, which tells at the
end of that process what was measured there, if the profiler itself would have told it.
"""

import atexit
import builtins
import os
import sys
import weakref

from ._ground import Ground

# Profilers of this process by their tokens, and the counterparts of others': those have no other owner.
_own: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_counterparts: dict = {}


def _forked():
    # What a profiler has measured before is told by the parent.
    for profiler in list(_own.values()):
        profiler._token = None
    _own.clear()
    _counterparts.clear()


os.register_at_fork(after_in_child=_forked)


def token_of(profiler):
    """A name that no other profiler has, in whatever process."""
    if profiler._token is None:
        profiler._token = os.urandom(16).hex()
        _own[profiler._token] = profiler
    return profiler._token


def arrive(kind, token, options, report):
    """The profiler of this token, or its counterpart."""
    profiler = _own.get(token) or _counterparts.get(token)
    if profiler is None:
        with Ground():
            profiler = kind(**options)
        profiler._token, profiler._reporting = token, report
        _counterparts[token] = profiler
        if report is not None:
            at_end(lambda: _report(token))
    return profiler


def _report(token):
    if token in _counterparts:
        with Ground():
            from ._run import report_of_worker
            report_of_worker(_counterparts[token])


_ends: dict = {}


def _utilities():
    """The modules of multiprocessing and its kin whose processes end without atexit."""
    names = (package + ".util" for package in ("multiprocessing", "multiprocess", "billiard"))
    return filter(None, map(sys.modules.get, names))


def _finalize(once):
    for util in _utilities():
        util.Finalize(None, once, exitpriority=-1000)  # behind what the program has registered


def at_end(show):
    """Has a function called once when this process ends."""
    once = _ends.get(show)
    if once is None:
        called = []

        def once():
            if not called:
                called.append(True)
                show()

        _ends[show] = once
        atexit.register(once)
    _finalize(once)
    # A process that begins forgets how it was to end.
    for util in _utilities():
        util.register_after_fork(once, _finalize)


class Install:
    """Pickled as what makes `profile` a builtin of a process that is started anew, before it imports the
    program there (multiprocessing's spawn)."""

    def __init__(self, profiler):
        self._profiler = profiler

    def __reduce__(self):
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        kind, token, options, report = self._profiler.__reduce__()[1]
        return exec, ("try:\n"
                      " import sys\n"
                      f" sys.path.insert(0, {folder!r})\n"
                      " try:\n"
                      "  from memory_profiler import _arrival\n"
                      f"  _arrival.install({kind.__module__!r}, {kind.__name__!r}, {token!r}, {options!r},"
                      f" {report!r})\n"
                      " finally:\n"
                      f"  sys.path.remove({folder!r})\n"
                      "except Exception:\n"
                      " pass\n", {})


def install(module, name, *arrival):
    with Ground():
        kind = getattr(__import__(module, None, None, (name,)), name)
    builtins.profile = arrive(kind, *arrival)


# What starts processes anew, and has them hear how to begin.
_STARTERS = ("multiprocessing.spawn", "multiprocess.spawn", "billiard.spawn", "loky.backend.spawn",
             "joblib.externals.loky.backend.spawn")


class _Loader:
    """Loads a module as its own loader does, and is not seen afterwards."""

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


class Travels:
    """As a context: functions go to other processes decorated. Those that are started anew meanwhile have
    `profile` as a builtin, too; what pickles functions by value pickles them with it."""

    def __init__(self, profiler):
        self._profiler = profiler

    def __enter__(self):
        for name in filter(self._is_meant, list(sys.modules)):
            self._loaded(sys.modules[name])
        sys.meta_path.insert(0, self)

    def __exit__(self, *unused):
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    @staticmethod
    def _is_meant(name):
        return name in _STARTERS or \
            name.rpartition(".")[2] in ("cloudpickle", "cloudpickle_fast", "dill", "_dill")

    def find_spec(self, name, path=None, target=None):
        if not self._is_meant(name):
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
        if module.__name__ in _STARTERS:
            self._hook_starter(module)
        elif hasattr(self._profiler, "_undecorated"):
            with Ground():
                from . import _pickling
            _pickling.undecorated = self._profiler._undecorated
            _pickling.hook(sys.modules, module.__name__)

    def _hook_starter(self, module):
        before = getattr(module, "get_preparation_data", None)
        if before is None:
            return

        def get_preparation_data(*arguments, **options):
            data = before(*arguments, **options)
            data["mprof"] = Install(self._profiler)
            return data

        module.get_preparation_data = get_preparation_data
