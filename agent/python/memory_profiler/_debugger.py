"""Starts pdb at the line that took memory over a limit."""

import bdb
import pdb
import sys


class _AtLine(pdb.Pdb):
    """Shows a frame at the line that has just run; the frame itself is at the next one."""

    def __init__(self, line):
        super().__init__()
        self._line = line

    def get_stack(self, frame, traceback):
        stack, index = super().get_stack(frame, traceback)
        if self._line is not None:
            stack[index] = (stack[index][0], self._line)
            self._line = None
        return stack, index


def stop_at(frame, line, mib):
    """Starts the debugger in the frame. Returns when the user continues or steps (then under the
    debugger's trace function); raises BdbQuit when the user quits."""
    print(f"line {line} of {frame.f_code.co_name} took memory to {mib:.2f} MiB: starting the debugger",
          flush=True)
    debugger = _AtLine(line)
    debugger.reset()
    above = frame
    while above is not None:
        above.f_trace = debugger.trace_dispatch
        debugger.botframe = above
        above = above.f_back
    debugger.set_step()
    sys.settrace(debugger.trace_dispatch)
    debugger.interaction(frame, None)
    if debugger.quitting:
        raise bdb.BdbQuit
