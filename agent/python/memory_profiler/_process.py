"""For `mprof run --lines`: one report of all decorated functions, at the end of this process."""

import os
import sys

from ._stdlib import StdlibImports

with StdlibImports():
    from ._workers import at_process_end
    from ._lines import ProgramProfiler
    from ._report import discard_output, show_results

_profiler = None


def _start(codes=()):
    """Makes a new profiler that watches these code objects."""
    global _profiler
    _profiler = ProgramProfiler()
    for code in codes:
        _profiler.code_map.add(code)
        _profiler.code_map._watch(code)


def _show():
    if _profiler is None or not _profiler.code_map.reports():
        return
    stream = sys.stdout
    try:
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return  # not even the program's own output can be written
    try:
        show_results(_profiler, stream=stream, precision=3)
        stream.flush()
    except (OSError, ValueError):
        discard_output(stream)


def _after_fork():
    # The parent reports what was measured before the fork.
    _start(_profiler.code_map._reported_codes())
    at_process_end(_show)


def watch(function):
    """Records the lines of a function; a function in C is returned unchanged."""
    if _profiler is None:
        _start()
        at_process_end(_show)
        os.register_at_fork(after_in_child=_after_fork)
    return _profiler(function)
