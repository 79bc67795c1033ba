"""mprof run --lines: one report of everything that was decorated in this process, at its end."""

import os
import sys

from ._ground import Ground

with Ground():
    from ._arrival import at_end
    from ._lines import OfProgram
    from ._report import discard, show_results

_profiler = None


def _start(codes=()):
    """A profile that knows all the functions, and has measured nothing."""
    global _profiler
    _profiler = OfProgram()
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
        return  # what the program itself has said cannot be written
    try:
        show_results(_profiler, stream=stream, precision=3)
        stream.flush()
    except (OSError, ValueError):
        discard(stream)


def _forked():
    # What was measured before is told by the parent.
    _start(_profiler.code_map._codes())
    at_end(_show)


def watch(function):
    """The function, with its lines recorded; what is not written in Python stays what it is."""
    if _profiler is None:
        _start()
        at_end(_show)
        os.register_at_fork(after_in_child=_forked)
    return _profiler(function)
