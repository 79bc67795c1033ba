"""Memory line by line: the profiler, what it has measured, and the decorator."""

import dis
import inspect
import os
import tokenize  # noqa: F401  of inspect, which loads it late in some versions
import warnings
import weakref

import _mprof

from ._arrival import arrive, token_of
from ._ground import Ground, again
from ._memory import choose_backend, process_memory, start_tracing
from ._report import show_results, shown_columns
from ._wrap import code_of, decorate_class, inner_functions, wrap

OFF = "MPROF_OFF"


def _last_line(code):
    """The last line that a code object, or one within it, has instructions for."""
    last = code.co_firstlineno
    lines = code.co_lines() if hasattr(code, "co_lines") else \
        ((0, 0, line) for _, line in dis.findlinestarts(code))
    for *_, line in lines:
        last = max(last, line or 0)
    return max([last] + [_last_line(inner) for inner in code.co_consts if inspect.iscode(inner)])


def _source_lines(code):
    """The numbers of the lines to show for a code object."""
    try:
        with again():
            lines, start = inspect.getsourcelines(code)
    except (OSError, IndexError, SyntaxError):
        # No source: the lines are shown without their text.
        return range(code.co_firstlineno, _last_line(code) + 1)
    return range(start, max(start + len(lines), _last_line(code) + 1))


class Columns:
    """What is measured beside memory, as bits for the core."""

    NAMES = {"mem": 0, "inc": 0, "hits": 0, "peak": _mprof.PEAKS, "time": _mprof.TIMES}

    @classmethod
    def flags(cls, columns):
        flags = 0
        columns = tuple(columns or ())
        for name in columns:
            if name not in cls.NAMES:
                raise ValueError(f"unknown column {name!r}; there are {', '.join(cls.NAMES)}")
            if columns.count(name) > 1:
                raise ValueError(f"column {name!r} is named twice")
            flags |= cls.NAMES[name]
        return flags


def _source_path(code):
    """Where the source lies; a code object that was compiled long ago may name its .pyc."""
    stem, ending = os.path.splitext(code.co_filename)
    return stem + ".py" if ending in (".pyc", ".pyo") else code.co_filename


# All there are.
_maps: "weakref.WeakValueDictionary[int, CodeMap]" = weakref.WeakValueDictionary()


def _follow(before, after):
    """A function that is watched gets another code: that is watched, too, in a report of its own."""
    for code_map in list(_maps.values()):
        if before in code_map._watched:
            code_map.add(after)
            code_map._watch(after)


_mprof.follow_code(_follow)


class CodeMap(dict):
    """Code objects to {line: (increment, memory, occurrences)}, each in MiB. A code object that was
    added on its own is a report; those written inside it share its lines."""

    def __init__(self, include_children, backend, _flags=0, _max_mem=None, _on_limit=None):
        super().__init__()
        self.include_children = include_children
        self.backend = backend
        self._toplevel = []
        self._blocks = {}
        self._watched = set()
        _maps[id(self)] = self
        start_tracing(backend)
        flags = _flags | (_mprof.CHILDREN if include_children else 0)
        self._core = _mprof.profiler_new(backend, flags, _max_mem, _on_limit)

    def add(self, code, toplevel_code=None):
        if code in self._blocks:
            return
        if toplevel_code is None:
            self._toplevel.append((_source_path(code), code, _source_lines(code)))
            block = _mprof.profiler_add(self._core, code, -1)
            dict.__setitem__(self, code, {})
        else:
            block = _mprof.profiler_add(self._core, code, self._blocks[toplevel_code])
            dict.__setitem__(self, code, dict.__getitem__(self, toplevel_code))
        self._blocks[code] = block
        for inner in code.co_consts:
            if inspect.iscode(inner):
                self.add(inner, toplevel_code=toplevel_code or code)

    def _watch(self, code):
        """The lines of this code, which was added, are recorded whenever it runs, and so are those of
        the others meanwhile. Returns whether that can be done here."""
        done = _mprof.profiler_add_root(self._core, code)
        if done:
            self._watched.add(code)
        return done

    def __setitem__(self, code, lines):
        # A class that inherits this one may fill the map by itself. What it enters is measured;
        # code objects that share one dict of lines are one report.
        if inspect.iscode(code) and code not in self._blocks:
            shared = [self._blocks[other] for other, same in dict.items(self)
                      if same is lines and other in self._blocks]
            self._blocks[code] = _mprof.profiler_add(self._core, code, shared[0] if shared else -1)
        dict.__setitem__(self, code, lines)

    def trace(self, code, lineno, prev_lineno):
        """Takes a measurement for a line by hand: what changed since the other line's last one."""
        memory = process_memory(os.getpid(), self.backend, self.include_children)
        before = self[code].get(prev_lineno) if prev_lineno else None
        _mprof.profiler_record(self._core, self._blocks[code], lineno,
                               memory - (before[1] if before else 0), memory)

    def measures(self, code):
        """[(line, increment, memory, occurrences, peak, seconds), ...], in the order in which the
        lines were first done with."""
        return _mprof.profiler_lines(self._core, self._blocks[code])

    def _refresh(self, code):
        lines = dict.__getitem__(self, code)
        lines.update((line, tuple(rest[:3])) for line, *rest in self.measures(code))
        return lines

    def __getitem__(self, code):
        return self._refresh(code) if code in self._blocks else dict.__getitem__(self, code)

    def get(self, code, default=None):
        return self[code] if code in self else default

    def values(self):
        return [self[code] for code in self]

    def items(self):
        """(file, ((line, measurements or None), ...)) of each report that has any."""
        for filename, code, numbers in self._toplevel:
            lines = self[code]
            if lines:
                yield filename, ((number, lines.get(number)) for number in numbers)

    def reports(self):
        """(file, code object, numbers of the lines) of each report that has measurements."""
        return [report for report in self._toplevel if self.measures(report[1])]

    def _unify(self, function):
        """A function that was pickled by value brings its code along each time it arrives: one copy will do."""
        code = getattr(function, "__code__", None)
        known = next((one for one in self._codes() if one == code), code)
        if known is not code and inspect.isfunction(function):
            function.__code__ = known

    def _codes(self):
        """The code objects that have a report of their own."""
        return [code for _, code, _ in self._toplevel]

    __hash__ = None


class _Enabled:
    """What calls are measured by (see _wrap) that all go into one profile."""

    def __init__(self, profiler, is_known=True):
        self._profiler = profiler
        self._is_known = is_known

    def __call__(self, function):
        if not self._is_known:
            # It has come from another process.
            self._is_known = True
            self._profiler.code_map._unify(function)
            self._profiler.add_function(function)
        return self._profiler

    def __reduce__(self):
        return _Enabled, (self._profiler, False)


class LineProfiler:
    """Records what each line of the functions that were added does to memory, while it is
    enabled. It is a decorator, and a context manager."""

    def __init__(self, **kw):
        self.backend = choose_backend(kw.get("backend", None))
        self.max_mem = kw.get("max_mem", None)
        self.columns = kw.get("columns", None)
        self.code_map = CodeMap(include_children=kw.get("include_children", False),
                                backend=self.backend, _flags=Columns.flags(self.columns),
                                _max_mem=self.max_mem,
                                _on_limit=self._on_limit if self.max_mem is not None else None)
        self.enable_count = 0

    @staticmethod
    def _on_limit(frame, line, size):
        with Ground():
            from ._debugger import stop_at
        stop_at(frame, line, size / 1048576.0)

    def __call__(self, func=None, precision=1):
        if func is None:
            return lambda function: self(function, precision=precision)
        if isinstance(func, type):
            return decorate_class(func, self)
        self.add_function(func)
        return self.wrap_function(func)

    def add_function(self, func):
        """The lines of this function are recorded from now on."""
        for function in inner_functions(func):
            code = code_of(function)
            if code is None:
                warnings.warn(f"Could not extract a code object for the object {function!r}")
            else:
                self.code_map.add(code)

    def wrap_function(self, func):
        """The function, with the profiler enabled while it runs."""
        return wrap(func, _Enabled(self))

    # In another process it has a counterpart (see _arrival), which reports by these options.
    _token = _reporting = None

    def __reduce__(self):
        options = {"backend": self.backend, "columns": self.columns, "max_mem": self.max_mem,
                   "include_children": self.code_map.include_children}
        return arrive, (type(self), token_of(self), options, self._reporting)

    # A call's session (see _wrap): all calls go into the one profile.

    def resume(self):
        self.enable_by_count()

    def suspend(self):
        self.disable_by_count()

    def end(self):
        pass

    def runctx(self, cmd, globals, locals):
        """Runs a statement with the profiler enabled."""
        with self:
            exec(cmd, globals, locals)
        return self

    def enable_by_count(self):
        self.enable()
        self.enable_count += 1

    def disable_by_count(self):
        if self.enable_count > 0:
            self.enable_count -= 1
            self.disable()

    def enable(self):
        """Records in this thread, until it is disabled as often as it was enabled."""
        _mprof.profiler_enable(self.code_map._core)

    def disable(self):
        _mprof.profiler_disable(self.code_map._core)

    def __enter__(self):
        self.enable_by_count()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        self.disable_by_count()


class OfProgram(LineProfiler):
    """The profiler of a whole program: the functions it decorates stay what they are."""

    def add_function(self, func):
        for function in inner_functions(func):
            self.code_map._unify(function)
            code = code_of(function)
            if code is not None:  # what is not written in Python has no lines
                self.code_map.add(code)

    def wrap_function(self, func):
        """The function itself, where the interpreter can tell when it runs."""
        functions = inner_functions(func)
        codes = [code for code in map(code_of, functions) if code is not None]
        if all(map(callable, functions)) and \
                all(code in self.code_map and self.code_map._watch(code) for code in codes):
            return func
        return super().wrap_function(func)

    def _undecorated(self, function):
        """Of a function of the program that is pickled by value (see _pickling)."""
        code = getattr(function, "__code__", None)
        return function if code in self.code_map._codes() else None

    def _arrive(self, _, name, function):
        return self(function)


class _Call:
    """The session of one call under the decorator: a profile of its own, shown when it ends."""

    __slots__ = ("_profiler", "_show")

    def __init__(self, profiler, show):
        self._profiler = profiler
        self._show = show

    def resume(self):
        self._profiler.enable()

    def suspend(self):
        self._profiler.disable()

    def end(self):
        self._show(self._profiler)


class _Calls:
    """What calls are measured by (see _wrap) each of which has a report of its own."""

    def __init__(self, stream, precision, backend, columns, view):
        self._view = dict(view, stream=stream, precision=precision, columns=columns)
        self._backend = backend
        self._keeper = None

    def keep(self, function):
        """Keeps the function's events switched on between two calls."""
        if self._keeper is None:
            self._keeper = LineProfiler(backend=self._backend, columns=self._view["columns"])
        self._keeper.add_function(function)

    def _show(self, profiler):
        show_results(profiler, **self._view)

    def __call__(self, function):
        if self._keeper is None:
            self.keep(function)
        profiler = LineProfiler(backend=self._backend, columns=self._view["columns"])
        code = code_of(function)
        if code is not None:
            profiler.code_map.add(code)
        return _Call(profiler, self._show)

    def __getstate__(self):
        return dict(self.__dict__, _keeper=None)


def profile(func=None, stream=None, precision=1, backend="psutil", *, columns=None, **view):
    """Decorator: each call of the function prints what its lines did to memory, to the stream or
    to standard output. `columns` and what else show_results takes say how that looks."""
    backend = choose_backend(backend)
    if func is None:
        return lambda function: profile(function, stream=stream, precision=precision,
                                        backend=backend, columns=columns, **view)
    if os.environ.get(OFF, "0") not in ("", "0"):
        return func
    if isinstance(func, type):
        return decorate_class(func, profile(stream=stream, precision=precision, backend=backend,
                                            columns=columns, **view))

    calls = _Calls(stream, precision, backend, shown_columns(columns, view.get("sort")), view)
    for function in inner_functions(func):
        calls.keep(function)
    return wrap(func, calls)
