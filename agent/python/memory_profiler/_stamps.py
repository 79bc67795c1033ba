"""When functions were entered and left, and with how much memory."""

import contextvars
import sys

from ._arrival import arrive, token_of
from ._memory import choose_backend, own_memory_now, start_tracing
from ._wrap import decorate_class, wrap


class _Stamps:
    """One call of a function, or one run of a block: two moments and a depth. Also a session of
    _wrap, and a context manager."""

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


class _Stamping:
    """What calls of a function are measured by (see _wrap). In another process the function is the one
    that has arrived there."""

    def __init__(self, owner, function=None):
        self._owner = owner
        self._function = function

    def __call__(self, function):
        if self._function is None:
            self._function = function
            self._owner.add_function(function)
        return _Stamps(self._owner, self._function).begin()

    def __reduce__(self):
        return _Stamping, (self._owner,)


class TimeStamper:
    """A profiler that records when decorated functions, and blocks, begin and end."""

    def __init__(self, backend="psutil", include_children=False):
        self.backend = choose_backend(backend)
        self.include_children = include_children
        self.functions = {}
        self.stack = {}
        # Of this thread, task or greenlet.
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
        """A context manager: the block appears under this name."""
        def block():
            pass

        block.__module__ = ""
        block.__name__ = block.__qualname__ = name
        self.add_function(block)
        return _Stamps(self, block)

    def add_function(self, func):
        self.functions.setdefault(func, [])
        self.stack.setdefault(func, [])

    def wrap_function(self, func):
        self.add_function(func)
        return wrap(func, _Stamping(self, func))

    # In another process it has a counterpart (see _arrival), which reports by these options.
    _token = _reporting = None

    def __reduce__(self):
        options = {"backend": self.backend, "include_children": self.include_children}
        return arrive, (TimeStamper, token_of(self), options, self._reporting)

    def show_results(self, stream=None):
        """FUNC lines of a recording, one per call that has ended."""
        stream = sys.stdout if stream is None else stream
        for function, calls in self.functions.items():
            function = getattr(function, "__func__", getattr(function, "fget", function))
            name = getattr(function, "__qualname__", None) or function.__name__
            for moments, level in zip(calls, self.stack[function]):
                if len(moments) == 2:
                    stream.write("FUNC %s.%s %.4f %.4f %.4f %.4f %d\n"
                                 % (function.__module__, name, *moments[0], *moments[1], level))
