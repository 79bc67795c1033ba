"""Memory of Python programs: line by line, over time, of a call.

The names, arguments and results of memory_profiler 0.61, on mprof's core in C. What differs, and
why, stands in docs/compat.md of mprof.
"""

import sys

from ._ground import Ground


def _load_core():
    # All parts need it; later it might not be in the path any more.
    try:
        import _mprof  # noqa: F401
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError)
        if missing and "t" not in getattr(sys, "abiflags", ""):
            raise
        reason = "mprof: a free-threaded Python is not supported" if missing else str(error)
        if sys.argv[:1] == ["-m"] and __name__ in getattr(sys, "orig_argv", ()):
            raise SystemExit(reason)  # the command
        raise ImportError(reason) from None


_load_core()

# The version whose interface this is: programs ask for it before they use newer parts.
__version__ = "0.61.0"

# Parts are loaded when they are asked for: a program that only decorates need not wait for the rest.
_PARTS = {
    "CodeMap": "_lines",
    "LineProfiler": "_lines",
    "LogFile": "_log",
    "MemTimer": "_usage",
    "MemitResult": "_usage",
    "MemoryProfilerMagics": "_magics",
    "TimeStamper": "_stamps",
    "_get_child_memory": "_memory",
    "_get_memory": "_memory",
    "choose_backend": "_memory",
    "exec_with_profiler": "_run",
    "has_tracemalloc": "_memory",
    "memory_usage": "_usage",
    "profile": "_lines",
    "run_module_with_profiler": "_run",
    "show_results": "_report",
}
__all__ = [*(name for name in _PARTS if name[0] != "_" and name != "MemoryProfilerMagics"),
           "load_ipython_extension"]

# What 0.61 imports for itself, and programs then take from it.
_FOREIGN = {"Pipe": "multiprocessing", "Process": "multiprocessing", "psutil": "psutil",
            "tracemalloc": "tracemalloc"}


def _load_foreign(name):
    try:
        module = __import__(_FOREIGN[name])
    except ImportError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: {error}") from None
    return getattr(module, name, module)


def __getattr__(name):
    if name in _FOREIGN:
        return _load_foreign(name)
    if name not in _PARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with Ground():
        value = getattr(__import__(_PARTS[name], globals(), None, (name,), 1), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_PARTS, *_FOREIGN})


def load_ipython_extension(shell):
    """Called by IPython's %load_ext memory_profiler."""
    from ._magics import MemoryProfilerMagics
    shell.register_magics(MemoryProfilerMagics)


def _func_exec(statement, namespace):
    exec(statement, namespace)
