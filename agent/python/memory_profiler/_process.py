"""mprof run --lines: one report of everything that was decorated in this process, at its end."""

import atexit
import os
import sys

from ._ground import Ground

with Ground():
    from ._lines import LineProfiler
    from ._report import discard, show_results
    from ._wrap import code_of, inner_functions, wrap

_functions: list = []
_profiler = None


def _begin():
    return _profiler


def _start():
    """A profile that knows all the functions, and has measured nothing."""
    global _profiler
    _profiler = LineProfiler()
    for function in _functions:
        _profiler.add_function(function)


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


def _show_at_the_end_of_a_child(_):
    from multiprocessing import util
    # behind what the program itself has registered
    util.Finalize(None, _show, exitpriority=-1000)


def _forked():
    # What was measured before is told by the parent.
    _start()
    # Children of multiprocessing end without atexit.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_profiler, _show_at_the_end_of_a_child)


def watch(function):
    """The function, with its lines recorded; what is not written in Python stays what it is."""
    if _profiler is None:
        _start()
        atexit.register(_show)
        os.register_at_fork(after_in_child=_forked)
    inner = [one for one in inner_functions(function) if code_of(one) is not None]
    if not inner:
        return function
    _functions.extend(inner)
    for one in inner:
        _profiler.add_function(one)
    return wrap(function, _begin)
