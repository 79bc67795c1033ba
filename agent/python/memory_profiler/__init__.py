"""Memory of Python programs: per line, over time, of a call.

Names, arguments and results are those of memory_profiler 0.61; the core is mprof's, in C. docs/compat.md
of mprof lists the differences, with reasons.
"""

import sys

from ._stdlib import StdlibImports


def _load_core():
    # Loaded at once: the program may change sys.path later.
    try:
        import _mprof  # noqa: F401
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError)
        zipped = type(__spec__.loader).__name__ == "zipimporter"
        if missing and not zipped and "t" not in getattr(sys, "abiflags", ""):
            raise
        reason = str(error) if not missing else \
            "mprof: cannot be loaded from a zip file: install it into a folder" if zipped else \
            "mprof: a free-threaded Python is not supported"
        if sys.argv[:1] == ["-m"] and __name__ in getattr(sys, "orig_argv", ()):
            raise SystemExit(reason)  # python -m: no traceback
        raise ImportError(reason) from None


_load_core()

# The version of the interface: programs check it before they use newer parts.
__version__ = "0.61.0"

# Each name's module, loaded at first use: a program that only decorates functions starts faster.
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

# Names that 0.61 imports, and that programs import from it.
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
    with StdlibImports():
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
