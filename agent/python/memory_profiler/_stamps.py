"""TimeStamper: time and memory at the entry and exit of functions."""

import contextvars
import sys

from ._workers import profiler_for, token_of
from ._memory import choose_backend, own_memory_now, start_tracing
from ._wrap import decorate_class, wrap


class _StampedCall:
    """One call of a function or run of a block: [entry, exit] and its level. It is a session of _wrap and
    a context manager."""

    def __init__(self, owner, function):
        self._owner = owner
        self._function = function
        self._moments = []
        self._level = 0
        self._token = None

    def _now(self):
        return own_memory_now(self._owner.backend, self._owner.include_children)

    def begin(self):
        owner = self._owner
        self._level = owner._level.get() + 1
        owner.functions[self._function].append(self._moments)
        owner.stack[self._function].append(self._level)
        self._moments.append(self._now())
        return self

    def end(self):
        self._moments.append(self._now())

    def resume(self):
        self._token = self._owner._level.set(self._level)

    def suspend(self):
        self._owner._level.reset(self._token)

    def __enter__(self):
        self.begin()
        self.resume()
        return self

    def __exit__(self, *unused):
        self.suspend()
        self.end()


class _CallStamper:
    """The `begin` of _wrap. Unpickled in another process, it records the function it is first called with."""

    def __init__(self, owner, function=None):
        self._owner = owner
        self._function = function

    def __call__(self, function):
        if self._function is None:
            self._function = function
            self._owner.add_function(function)
        return _StampedCall(self._owner, self._function).begin()

    def __reduce__(self):
        return _CallStamper, (self._owner,)


class TimeStamper:
    """Records time and memory at the begin and end of decorated functions and of blocks."""

    def __init__(self, backend="psutil", include_children=False):
        self.backend = choose_backend(backend)
        self.include_children = include_children
        self.functions = {}
        self.stack = {}
        # Per thread, task and greenlet.
        self._level = contextvars.ContextVar("level", default=-1)
        start_tracing(self.backend)

    @property
    def current_stack_level(self):
        return self._level.get()

    def __call__(self, func=None, precision=None):
        if func is None:
            return lambda function: self(function, precision=precision)
        if isinstance(func, type):
            return decorate_class(func, self)
        if not callable(func) and not isinstance(func, (staticmethod, classmethod, property)):
            raise ValueError("Value must be callable")
        self.add_function(func)
        return self.wrap_function(func)

    def timestamp(self, name="<block>"):
        """A context manager that records a block under this name."""
        def block():
            pass

        block.__module__ = ""
        block.__name__ = block.__qualname__ = name
        self.add_function(block)
        return _StampedCall(self, block)

    def add_function(self, func):
        self.functions.setdefault(func, [])
        self.stack.setdefault(func, [])

    def wrap_function(self, func):
        self.add_function(func)
        return wrap(func, _CallStamper(self, func))

    # For counterparts in worker processes (see _workers): identifier, and options of the report.
    _token = _report_options = None

    def __reduce__(self):
        options = {"backend": self.backend, "include_children": self.include_children}
        return profiler_for, (TimeStamper, token_of(self), options, self._report_options)

    def show_results(self, stream=None):
        """Writes a FUNC record for each call that has ended."""
        stream = sys.stdout if stream is None else stream
        for function, calls in self.functions.items():
            function = getattr(function, "__func__", getattr(function, "fget", function))
            name = getattr(function, "__qualname__", None) or function.__name__
            for moments, level in zip(calls, self.stack[function]):
                if len(moments) == 2:
                    stream.write("FUNC %s.%s %.4f %.4f %.4f %.4f %d\n"
                                 % (function.__module__, name, *moments[0], *moments[1], level))
