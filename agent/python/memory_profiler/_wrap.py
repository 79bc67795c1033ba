"""Functions of every kind, run between a beginning and an end.

A session is what one call is measured by. It has resume() and suspend(), called around each stretch
in which the function really runs, and end(), called once when it will not run any more. A plain
function has one stretch; a generator or coroutine one per next, send or await.
"""

import functools
import inspect
import os
import sys

_HERE = (lambda: None).__code__.co_filename
_FOLDER = os.path.join(os.path.dirname(_HERE), "")


class Driven:
    """An iterator, generator or awaitable that is measured while it runs."""

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


def _driven(awaitable, session):
    return Driven(awaitable.__await__(), session)


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
            return (yield from Driven(function(*args, **kwargs), session))
        finally:
            session.end()
    return wrapper


def _wrap_coroutine(function, begin):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        session = begin(function)
        try:
            return await _driven(function(*args, **kwargs), session)
        finally:
            session.end()
    return wrapper


def _wrap_async_generator(function, begin):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        session = begin(function)
        generator = function(*args, **kwargs)
        # A loop that ends, or the collector, closes ours alone: we close this one.
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            step = generator.__anext__()
        finally:
            sys.set_asyncgen_hooks(*hooks)
        try:
            while True:
                try:
                    item = await _driven(step, session)
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    await _driven(generator.aclose(), session)
                    raise
                except BaseException as error:
                    step = generator.athrow(error)
                else:
                    step = generator.asend(sent)
        finally:
            session.end()
    return wrapper


def code_of(function):
    """The code object behind a function, method, partial or wrapped function: that of the innermost
    one, which is written where the decorators stand. None if there is none."""
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
    """The function, each call of it measured by a session that begin(function) returns. A wrapper that is
    pickled by value takes `begin` along."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(wrap(function.__func__, begin))
    if isinstance(function, property):
        parts = (part and wrap(part, begin)
                 for part in (function.fget, function.fset, function.fdel))
        return property(*parts, function.__doc__)
    if not callable(function):
        raise ValueError(f"{function!r} cannot be called")
    if inspect.iscoroutinefunction(function):
        return _wrap_coroutine(function, begin)
    if inspect.isasyncgenfunction(function):
        return _wrap_async_generator(function, begin)
    if inspect.isgeneratorfunction(function):
        return _wrap_generator(function, begin)
    return _wrap_plain(function, begin)


def _is_of_body(cls, function, filename):
    """Whether a function was written in the class, and not added by a metaclass or made by another
    decorator: Enum's, dataclass's."""
    code = getattr(function, "__code__", None)
    generated = inspect.iscode(code) and code.co_filename.startswith("<") and \
        code.co_filename != filename
    return not generated and \
        getattr(function, "__module__", None) in (None, getattr(cls, "__module__", None))


def decorate_class(cls, decorator):
    """The class, with the decorator applied to what its body defines: functions, properties, static and
    class methods."""
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
    """A metaclass may forbid it; what it forbids stays as it is."""
    for setter in (type.__setattr__, setattr):
        try:
            return setter(cls, name, value)
        except (AttributeError, TypeError):
            pass


def inner_functions(function):
    """The functions that a decorated thing consists of: one, or those of a property."""
    if isinstance(function, (staticmethod, classmethod)):
        return [function.__func__]
    if isinstance(function, property):
        return [part for part in (function.fget, function.fset, function.fdel) if part]
    return [function]
