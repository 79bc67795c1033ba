"""The IPython magics %memit and %mprun."""

import builtins
import gc
import io
import itertools
import linecache

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.page import page

import _mprof

from ._lines import LineProfiler
from ._report import show_results
from ._usage import MemitResult, memory_usage


def _functions(shell, expressions):
    """The values of the -f options."""
    for expression in expressions:
        try:
            yield eval(expression, shell.user_global_ns, shell.user_ns)
        except Exception as error:
            raise UsageError(f"Could not find function {expression!r}.\n"
                             f"{type(error).__name__}: {error}")


def _number(options, name, kind, default):
    text = getattr(options, name, default)
    try:
        number = kind(text)
        if 0 <= number < 1e9:
            return number
    except ValueError:
        pass
    raise UsageError(f"-{name} must be {'an integer' if kind is int else 'a number'} between 0 and 1e9, "
                     f"not {text!r}")


class _Builtin:
    """A context in which the profiler is the builtin `profile`."""

    def __init__(self, profiler):
        self._profiler = profiler

    def __enter__(self):
        self._before = builtins.__dict__.get("profile", self)
        builtins.profile = self._profiler

    def __exit__(self, *unused):
        if self._before is self:
            del builtins.profile
        else:
            builtins.profile = self._before


def _measure_statement(code, namespace):
    exec(code, namespace)


_count = itertools.count(1)


def _compile(shell, statement):
    """Compiles a statement so that a report can show its source."""
    text = shell.transform_cell(statement)
    name = f"<mprun-{next(_count)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    return compile(text, name, "exec")


@magics_class
class MemoryProfilerMagics(Magics):
    """Registered by load_ipython_extension."""

    @line_cell_magic
    def mprun(self, parameter_s="", cell=None):
        """Run a statement and show what each line of the named functions did to memory.

          %mprun -f FUNC [-f FUNC ...] statement
          %%mprun -f FUNC [-f FUNC ...] [statement]
          more statements

        -f FUNC  a function or method, as an expression; may be repeated. Functions defined in the
                 notebook or at the prompt work too.
        -T FILE  also write the report to FILE.
        -r       return the LineProfiler.
        -c       add the memory of child processes.
        """
        options, statement = self.parse_options(
            parameter_s.replace('"', r'\"').replace("'", r"\'"), "rf:T:c", list_all=True)
        if cell is not None:
            statement += "\n" + cell
        profiler = LineProfiler(include_children="c" in options)
        for function in _functions(self.shell, options.get("f", [])):
            profiler.add_function(function)
        message = ""
        code = _compile(self.shell, statement)
        try:
            with _Builtin(profiler):
                profiler.runctx(code, self.shell.user_global_ns, self.shell.user_ns)
        except SystemExit:
            message = "*** the statement raised SystemExit"
        except KeyboardInterrupt:
            message = "*** the statement was interrupted (KeyboardInterrupt)"
        report = io.StringIO()
        show_results(profiler, report)
        text = report.getvalue().rstrip()
        page(text)
        print(message)
        for name in options.get("T", [])[-1:]:
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
            print(f"\n*** the report was written to {name}. {message}")
        return profiler if "r" in options else None

    @line_cell_magic
    def memit(self, line="", cell=None):
        """Measure the peak memory of a statement.

          %memit [options] statement
          %%memit [options] setup
          statements

        The setup runs first and is not measured.

        -r N  run it N times, report the highest. -t T  timeout in seconds.
        -i I  seconds between two measurements (0.1).
        -c    add the memory of child processes. -o  return the result. -q  print nothing.
        """
        options, statement = self.parse_options(line, "r:t:i:coq", posix=False, strict=False)
        setup = None
        if cell is not None:
            setup, statement = statement, cell
        repeat = max(1, _number(options, "r", int, 1))
        timeout = _number(options, "t", int, 0)
        timeout = timeout if timeout > 0 else None
        interval = _number(options, "i", float, 0.1)
        include_children = "c" in options

        # Otherwise earlier garbage would count as the statement's.
        gc.collect()
        transform = self.shell.transform_cell
        if setup:
            _measure_statement(transform(setup), self.shell.user_ns)
        code = compile(transform(statement), "<memit>", "exec")
        baseline = memory_usage()[0]
        peaks = []
        for _ in range(repeat):
            _mprof.reset_peak()
            call = _measure_statement, (code, self.shell.user_ns)
            peaks.append(memory_usage(call, include_children=include_children, max_usage=True,
                                      interval=interval, timeout=timeout, max_iterations=1))
        result = MemitResult(peaks, baseline, repeat, timeout, interval, include_children)
        if "q" not in options:
            print(result)
        return result if "o" in options else None
