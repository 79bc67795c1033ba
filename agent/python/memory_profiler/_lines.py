"""The line profiler, its results (CodeMap), and the decorator."""

import dis
import inspect
import os
import tokenize  # noqa: F401  used by inspect, which imports it late in some versions
import warnings
import weakref

import _mprof

from ._workers import profiler_for, token_of
from ._stdlib import StdlibImports, late_imports
from ._memory import choose_backend, process_memory, start_tracing
from ._report import show_results, shown_columns
from ._wrap import code_of, decorate_class, inner_functions, wrap

OFF = "MPROF_OFF"


def _last_line(code):
    """The last line with instructions of a code object or one nested in it."""
    last = code.co_firstlineno
    lines = code.co_lines() if hasattr(code, "co_lines") else \
        ((0, 0, line) for _, line in dis.findlinestarts(code))
    for *_, line in lines:
        last = max(last, line or 0)
    return max([last] + [_last_line(inner) for inner in code.co_consts if inspect.iscode(inner)])


def _source_lines(code):
    """The line numbers that the report of a code object shows."""
    try:
        with late_imports():
            lines, start = inspect.getsourcelines(code)
    except (OSError, IndexError, SyntaxError):
        # No source: the lines are shown without their text.
        return range(code.co_firstlineno, _last_line(code) + 1)
    return range(start, max(start + len(lines), _last_line(code) + 1))


class Columns:
    """Columns of a report, and the flags of the core that measure them."""

    NAMES = {"mem": 0, "inc": 0, "hits": 0, "peak": _mprof.PEAKS, "time": _mprof.TIMES}

    @classmethod
    def flags(cls, columns):
        flags = 0
        columns = tuple(columns or ())
        for name in columns:
            if name not in cls.NAMES:
                raise ValueError(f"unknown column {name!r}; use one of {', '.join(cls.NAMES)}")
            if columns.count(name) > 1:
                raise ValueError(f"column {name!r} is named twice")
            flags |= cls.NAMES[name]
        return flags


def _source_path(code):
    """The path of the source; an old code object may name its .pyc."""
    stem, ending = os.path.splitext(code.co_filename)
    return stem + ".py" if ending in (".pyc", ".pyo") else code.co_filename


# All code maps by id, for _follow_code.
_code_maps: "weakref.WeakValueDictionary[int, CodeMap]" = weakref.WeakValueDictionary()


def _follow_code(before, after):
    """Watches the new code of a watched function, in a report of its own."""
    for code_map in list(_code_maps.values()):
        if before in code_map._watched:
            code_map.add(after)
            code_map._watch(after)


_mprof.follow_code(_follow_code)


class CodeMap(dict):
    """{code object: {line: (increment in MiB, memory in MiB, occurrences)}}. Each code object that add()
    gets is a report; the code objects nested in it share its lines."""

    def __init__(self, include_children, backend, _flags=0, _max_mem=None, _on_limit=None):
        super().__init__()
        self.include_children = include_children
        self.backend = backend
        self._toplevel = []
        self._report_index = {}
        self._watched = set()
        _code_maps[id(self)] = self
        start_tracing(backend)
        flags = _flags | (_mprof.CHILDREN if include_children else 0)
        self._core = _mprof.profiler_new(backend, flags, _max_mem, _on_limit)

    def add(self, code, toplevel_code=None):
        if code in self._report_index:
            return
        if toplevel_code is None:
            self._toplevel.append((_source_path(code), code, _source_lines(code)))
            block = _mprof.profiler_add(self._core, code, -1)
            dict.__setitem__(self, code, {})
        else:
            block = _mprof.profiler_add(self._core, code, self._report_index[toplevel_code])
            dict.__setitem__(self, code, dict.__getitem__(self, toplevel_code))
        self._report_index[code] = block
        for inner in code.co_consts:
            if inspect.iscode(inner):
                self.add(inner, toplevel_code=toplevel_code or code)

    def _watch(self, code):
        """Enables the profiler whenever this code, which was added before, runs. Returns whether the
        interpreter allows it."""
        done = _mprof.profiler_add_root(self._core, code)
        if done:
            self._watched.add(code)
        return done

    def __setitem__(self, code, lines):
        # Subclasses may fill the map themselves. Code objects that share one dict of lines share a
        # report.
        if inspect.iscode(code) and code not in self._report_index:
            shared = [self._report_index[other] for other, same in dict.items(self)
                      if same is lines and other in self._report_index]
            self._report_index[code] = _mprof.profiler_add(self._core, code, shared[0] if shared else -1)
        dict.__setitem__(self, code, lines)

    def trace(self, code, lineno, prev_lineno):
        """Measures memory for a line: the change since the measurement of prev_lineno."""
        memory = process_memory(os.getpid(), self.backend, self.include_children)
        before = self[code].get(prev_lineno) if prev_lineno else None
        _mprof.profiler_record(self._core, self._report_index[code], lineno,
                               memory - (before[1] if before else 0), memory)

    def measures(self, code):
        """[(line, increment, memory, occurrences, peak, seconds), ...], in the order in which the
        lines first ended."""
        return _mprof.profiler_lines(self._core, self._report_index[code])

    def _refresh(self, code):
        lines = dict.__getitem__(self, code)
        lines.update((line, tuple(rest[:3])) for line, *rest in self.measures(code))
        return lines

    def __getitem__(self, code):
        return self._refresh(code) if code in self._report_index else dict.__getitem__(self, code)

    def get(self, code, default=None):
        return self[code] if code in self else default

    def values(self):
        return [self[code] for code in self]

    def items(self):
        """(file, ((line, measurements or None), ...)) of each report with measurements."""
        for filename, code, numbers in self._toplevel:
            lines = self[code]
            if lines:
                yield filename, ((number, lines.get(number)) for number in numbers)

    def reports(self):
        """(file, code object, line numbers) of each report with measurements."""
        return [report for report in self._toplevel if self.measures(report[1])]

    def _use_known_code(self, function):
        """Gives an unpickled function the code object that was added before, if they are equal: each
        unpickling makes a new one."""
        code = getattr(function, "__code__", None)
        known = next((one for one in self._reported_codes() if one == code), code)
        if known is not code and inspect.isfunction(function):
            function.__code__ = known

    def _reported_codes(self):
        """The code objects with a report of their own."""
        return [code for _, code, _ in self._toplevel]

    __hash__ = None


class _SharedProfile:
    """The `begin` of _wrap for calls that all go into one profile."""

    def __init__(self, profiler, is_known=True):
        self._profiler = profiler
        self._is_known = is_known

    def __call__(self, function):
        if not self._is_known:
            # The function has just been unpickled.
            self._is_known = True
            self._profiler.code_map._use_known_code(function)
            self._profiler.add_function(function)
        return self._profiler

    def __reduce__(self):
        return _SharedProfile, (self._profiler, False)


class LineProfiler:
    """Records, while enabled, what each line of the added functions does to memory. It is a decorator
    and a context manager."""

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
        with StdlibImports():
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
        """Records the lines of this function from now on."""
        for function in inner_functions(func):
            code = code_of(function)
            if code is None:
                warnings.warn(f"Could not extract a code object for the object {function!r}")
            else:
                self.code_map.add(code)

    def wrap_function(self, func):
        """A wrapper that enables the profiler while the function runs."""
        return wrap(func, _SharedProfile(self))

    # For counterparts in worker processes (see _workers): identifier, and options of the report.
    _token = _report_options = None

    def __reduce__(self):
        options = {"backend": self.backend, "columns": self.columns, "max_mem": self.max_mem,
                   "include_children": self.code_map.include_children}
        return profiler_for, (type(self), token_of(self), options, self._report_options)

    # Serves as the session of each call (see _wrap): all calls go into one profile.

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
        """Records in this thread until it was disabled as often as enabled."""
        _mprof.profiler_enable(self.code_map._core)

    def disable(self):
        _mprof.profiler_disable(self.code_map._core)

    def __enter__(self):
        self.enable_by_count()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        self.disable_by_count()


class ProgramProfiler(LineProfiler):
    """The profiler of a whole program: decorated functions are not replaced where that is possible."""

    def add_function(self, func):
        for function in inner_functions(func):
            self.code_map._use_known_code(function)
            code = code_of(function)
            if code is not None:  # a function in C has no lines
                self.code_map.add(code)

    def wrap_function(self, func):
        """The function itself where the interpreter can watch its code, else a wrapper."""
        functions = inner_functions(func)
        codes = [code for code in map(code_of, functions) if code is not None]
        if all(map(callable, functions)) and \
                all(code in self.code_map and self.code_map._watch(code) for code in codes):
            return func
        return super().wrap_function(func)

    def _undecorated(self, function):
        """For _pickling: the function behind a decorated one, None for any other function."""
        code = getattr(function, "__code__", None)
        return function if code in self.code_map._reported_codes() else None

    def _arrive(self, _, name, function):
        return self(function)


class _CallReport:
    """The session of one call under the decorator: a profile of its own, reported when the call ends."""

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


class _CallReports:
    """The `begin` of _wrap for calls that each have a report."""

    def __init__(self, stream, precision, backend, columns, view):
        self._view = dict(view, stream=stream, precision=precision, columns=columns)
        self._backend = backend
        self._keeper = None

    def keep(self, function):
        """Keeps the function's events on between calls: switching them is slow."""
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
        return _CallReport(profiler, self._show)

    def __getstate__(self):
        return dict(self.__dict__, _keeper=None)


def profile(func=None, stream=None, precision=1, backend="psutil", *, columns=None, **view):
    """Decorator: each call prints a report of its lines to `stream` (default: standard output). `columns`
    and further keywords are those of show_results."""
    backend = choose_backend(backend)
    if func is None:
        return lambda function: profile(function, stream=stream, precision=precision,
                                        backend=backend, columns=columns, **view)
    if os.environ.get(OFF, "0") not in ("", "0"):
        return func
    if isinstance(func, type):
        return decorate_class(func, profile(stream=stream, precision=precision, backend=backend,
                                            columns=columns, **view))

    calls = _CallReports(stream, precision, backend, shown_columns(columns, view.get("sort")), view)
    for function in inner_functions(func):
        calls.keep(function)
    return wrap(func, calls)
