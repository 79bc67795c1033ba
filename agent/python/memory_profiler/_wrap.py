"""Wrappers that measure each call of a function, generator or coroutine.

Each call has a session: an object with resume() and suspend(), called before and after each step of the
function, and end(), called once after its last step. A plain function has one step; a generator or coroutine
one per next, send or await.
"""

import functools
import inspect
import os
import sys

_HERE = (lambda: None).__code__.co_filename
_FOLDER = os.path.join(os.path.dirname(_HERE), "")


class MeasuredSteps:
    """Resumes and suspends the session around each step of a generator or awaitable."""

    __slots__ = ("_inner", "_session")

    def __init__(self, inner, session):
        self._inner = inner
        self._session = session

    def __iter__(self):
        return self

    __await__ = __iter__

    def __next__(self):
        return self.send(None)

    def _run(self, method, *arguments):
        self._session.resume()
        try:
            return method(*arguments)
        finally:
            self._session.suspend()

    def send(self, value):
        return self._run(self._inner.send, value)

    def throw(self, kind, value=None, traceback=None):
        return self._run(self._inner.throw, kind if value is None else value)

    def close(self):
        return self._run(self._inner.close)


def _measured(awaitable, session):
    return MeasuredSteps(awaitable.__await__(), session)


def _wrap_plain(function, begin):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        session = begin(function)
        session.resume()
        try:
            return function(*args, **kwargs)
        finally:
            session.suspend()
            session.end()
    return wrapper


def _wrap_generator(function, begin):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        session = begin(function)
        try:
            return (yield from MeasuredSteps(function(*args, **kwargs), session))
        finally:
            session.end()
    return wrapper


def _wrap_coroutine(function, begin):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        session = begin(function)
        try:
            return await _measured(function(*args, **kwargs), session)
        finally:
            session.end()
    return wrapper


def _wrap_async_generator(function, begin):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        session = begin(function)
        generator = function(*args, **kwargs)
        # An event loop or the garbage collector closes only the wrapper, which closes this one.
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            step = generator.__anext__()
        finally:
            sys.set_asyncgen_hooks(*hooks)
        try:
            while True:
                try:
                    item = await _measured(step, session)
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    await _measured(generator.aclose(), session)
                    raise
                except BaseException as error:
                    step = generator.athrow(error)
                else:
                    step = generator.asend(sent)
        finally:
            session.end()
    return wrapper


def code_of(function):
    """The code object of the innermost function behind methods, partials and wrappers: the one that is
    written below the decorators. None if nothing is."""
    found = None
    seen = set()
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        code = getattr(function, "__code__", None)
        if inspect.iscode(code) and code.co_filename != _HERE:
            found = code
        inner = function.func if isinstance(function, functools.partial) else None
        function = getattr(function, "__wrapped__", inner)
    return found


def wrap(function, begin):
    """A wrapper that measures each call by the session that begin(function) returns. Pickled by value, it
    includes `begin`."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(wrap(function.__func__, begin))
    if isinstance(function, property):
        parts = (part and wrap(part, begin)
                 for part in (function.fget, function.fset, function.fdel))
        return property(*parts, function.__doc__)
    if not callable(function):
        raise ValueError(f"a decorated object must be callable, not {function!r}")
    if inspect.iscoroutinefunction(function):
        return _wrap_coroutine(function, begin)
    if inspect.isasyncgenfunction(function):
        return _wrap_async_generator(function, begin)
    if inspect.isgeneratorfunction(function):
        return _wrap_generator(function, begin)
    return _wrap_plain(function, begin)


def _is_of_body(cls, function, filename):
    """Whether a function was written in the class body, not added by a metaclass or another decorator
    (Enum, dataclass)."""
    code = getattr(function, "__code__", None)
    generated = inspect.iscode(code) and code.co_filename.startswith("<") and \
        code.co_filename != filename
    return not generated and \
        getattr(function, "__module__", None) in (None, getattr(cls, "__module__", None))


def decorate_class(cls, decorator):
    """Applies the decorator to functions, properties, static and class methods of the class body."""
    filename = _outer_filename()
    for name, value in list(vars(cls).items()):
        if not (inspect.isfunction(value) or isinstance(value, (staticmethod, classmethod, property))):
            continue
        parts = inner_functions(value)
        if not parts or not all(_is_of_body(cls, part, filename) for part in parts):
            continue
        decorated = decorator(value)
        if decorated is not value:
            _set(cls, name, decorated)
    return cls


def _outer_filename():
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_FOLDER):
        frame = frame.f_back
    return frame.f_code.co_filename if frame is not None else None


def _set(cls, name, value):
    """Sets an attribute, unless the metaclass forbids it."""
    for setter in (type.__setattr__, setattr):
        try:
            return setter(cls, name, value)
        except (AttributeError, TypeError):
            pass


def inner_functions(function):
    """The functions behind a static or class method, a property, or a function."""
    if isinstance(function, (staticmethod, classmethod)):
        return [function.__func__]
    if isinstance(function, property):
        return [part for part in (function.fget, function.fset, function.fdel) if part]
    return [function]
