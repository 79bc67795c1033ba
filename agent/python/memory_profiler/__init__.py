"""Memory of Python programs: line by line, over time, of a call.

The names, arguments and results of memory_profiler 0.61, on mprof's core in C. What differs, and
why, stands in docs/compat.md of mprof.
"""

from ._lines import CodeMap, LineProfiler, profile
from ._log import LogFile
from ._memory import choose_backend, has_tracemalloc
from ._report import show_results
from ._run import exec_with_profiler, run_module_with_profiler
from ._stamps import TimeStamper
from ._usage import MemitResult, MemTimer, memory_usage

# The version whose interface this is: programs ask for it before they use newer parts.
__version__ = "0.61.0"

__all__ = [
    "CodeMap", "LineProfiler", "LogFile", "MemTimer", "MemitResult", "MemoryProfilerMagics",
    "TimeStamper", "choose_backend", "exec_with_profiler", "has_tracemalloc",
    "load_ipython_extension", "memory_usage", "profile", "run_module_with_profiler",
    "show_results",
]


def load_ipython_extension(shell):
    """Called by IPython's %load_ext memory_profiler."""
    from ._magics import MemoryProfilerMagics
    shell.register_magics(MemoryProfilerMagics)


def __getattr__(name):
    # Needs IPython, which few programs have and fewer want to wait for.
    if name == "MemoryProfilerMagics":
        from ._magics import MemoryProfilerMagics
        return MemoryProfilerMagics
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _func_exec(statement, namespace):
    exec(statement, namespace)
