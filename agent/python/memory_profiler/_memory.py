"""Current memory of a process, by memory_profiler's backends."""

import os
import sys
import time
import warnings

import _mprof

try:
    import tracemalloc
    has_tracemalloc = True
except ImportError:
    has_tracemalloc = False

# posix and psutil both read RSS from /proc.
BACKENDS = ("psutil", "psutil_pss", "psutil_uss", "posix", "tracemalloc")


def _is_available(backend):
    if backend == "tracemalloc":
        return has_tracemalloc
    if backend in ("psutil_pss", "psutil_uss"):
        return os.path.exists("/proc/self/smaps_rollup")
    return True


def choose_backend(new_backend=None):
    """The backend with this name; "psutil", with a warning, if it is not available."""
    if new_backend is None:
        return "psutil"
    if new_backend not in BACKENDS:
        raise ValueError(f"unknown backend {new_backend!r}; use one of {', '.join(BACKENDS)}")
    if not _is_available(new_backend):
        warnings.warn(f"backend {new_backend} is not available on this system, using psutil")
        return "psutil"
    return new_backend


def start_tracing(backend):
    """Starts tracemalloc if the backend needs it; returns whether it was started."""
    if backend == "tracemalloc" and not tracemalloc.is_tracing():
        tracemalloc.start()
        return True
    return False


def raise_for(error, pid):
    """Raises `error`, or, where psutil is loaded, an exception that is also psutil.NoSuchProcess: callers
    may catch either."""
    psutil = sys.modules.get("psutil")
    if psutil is None or not hasattr(psutil, "NoSuchProcess"):
        raise error

    class NoSuchProcess(psutil.NoSuchProcess, ProcessLookupError):
        pass

    raise NoSuchProcess(pid) from None


def process_memory(pid, backend="psutil", include_children=False):
    """Current MiB of the process; for tracemalloc what this process has allocated."""
    if backend == "tracemalloc":
        return tracemalloc.get_traced_memory()[0] / 1048576.0
    try:
        return _mprof.process_memory(pid, backend, include_children)
    except ProcessLookupError as error:
        raise_for(error, pid)


def children_memory(pid, backend="psutil"):
    """[(pid, MiB), ...] of all descendants; RSS for tracemalloc."""
    return _mprof.children_memory(pid, "psutil" if backend == "tracemalloc" else backend)


def own_memory_now(backend, include_children=False):
    """(MiB, unix seconds) of this process."""
    return process_memory(os.getpid(), backend, include_children), time.time()


def _get_memory(pid, backend, timestamps=False, include_children=False, filename=None):
    """Kept for programs that call it. MiB of a process (-1: this one); with timestamps (MiB, unix
    seconds). filename is ignored: tracemalloc counts all files."""
    memory = process_memory(os.getpid() if pid == -1 else pid, backend, include_children)
    return (memory, time.time()) if timestamps else memory


# Fields of psutil's memory_info() and memory_full_info(), by index or name.
_METRICS = {0: "psutil", "rss": "psutil", "pss": "psutil_pss", "uss": "psutil_uss"}


def _get_child_memory(process, meminfo_attr=None, memory_metric=0):
    """(pid, MiB) of each descendant of a process: a pid (-1: this one), or an object with a pid.
    memory_metric selects what is measured; meminfo_attr is ignored."""
    if memory_metric not in _METRICS:
        raise ValueError(f"unknown metric {memory_metric!r}; use one of "
                         f"{', '.join(map(repr, _METRICS))}")
    pid = getattr(process, "pid", process)
    pid = os.getpid() if pid == -1 else pid
    process_memory(pid)  # raises where there is no such process
    yield from children_memory(pid, _METRICS[memory_metric])
