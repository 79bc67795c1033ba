"""The command `python -m memory_profiler`: runs a script or module and writes the report."""

import argparse
import builtins
import errno
import importlib.util
import io
import math
import os
import runpy
import signal
import sys
import threading
import types

import _mprof

from ._workers import DecorateInWorkers
from ._stdlib import StdlibImports, hide_from_program
from ._lines import Columns, ProgramProfiler
from ._memory import BACKENDS, choose_backend, start_tracing, tracemalloc
from ._report import DEFAULT_COLUMNS, SORTS, discard_output, show_results, shown_columns
from ._stamps import TimeStamper

# At these levels of recursion a script begins, and runpy.run_module for a module to begin where `python -m`
# begins it: it has one function more than `python -m` itself.
SCRIPT_DEPTH = 1
RUN_MODULE_DEPTH = 0

# The exit code of a program that SIGPIPE ended: nothing reads its output.
EXIT_SIGPIPE = 128 + signal.SIGPIPE


class _Tracemalloc:
    """A context in which tracemalloc runs if the backend needs it."""

    def __init__(self, backend):
        self._backend = choose_backend(backend)
        self._started = False

    def __enter__(self):
        # The profiler may have started tracemalloc before; it is stopped here all the same.
        self._started = self._backend == "tracemalloc"
        start_tracing(self._backend)

    def __exit__(self, *unused):
        if self._started and tracemalloc.is_tracing():
            tracemalloc.stop()


def exec_with_profiler(filename, profiler, backend, passed_args=[]):
    """Runs a script as __main__, with the profiler as the builtin `profile`."""
    builtins.profile = profiler
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=filename, __builtins__=builtins, profile=profiler)
    sys.path.insert(0, os.path.dirname(os.path.abspath(filename)))
    hide_from_program()
    sys.argv = [filename, *passed_args]
    # pickle looks up the script's functions in sys.modules["__main__"].
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        with _Tracemalloc(backend), DecorateInWorkers(profiler):
            with io.open_code(filename) as file:
                code = compile(file.read(), filename, "exec")
            sys.audit("exec", code)
            _mprof.exec_at_depth(code, main.__dict__, SCRIPT_DEPTH)
    finally:
        sys.modules["__main__"] = before


def run_module_with_profiler(module, profiler, backend, passed_args=[]):
    """Runs a module as __main__, with the profiler as the builtin `profile`."""
    builtins.profile = profiler
    sys.argv = [module, *passed_args]
    with _Tracemalloc(backend), DecorateInWorkers(profiler):
        _mprof.call_at_depth(runpy.run_module, (module, {"profile": profiler}, "__main__", True),
                             RUN_MODULE_DEPTH)


def find_script(name):
    """The path of a script, in the working directory or a folder of $PATH."""
    folders = ["", *filter(None, os.environ.get("PATH", os.defpath).split(os.pathsep))]
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    sys.stderr.write(f"mprof: cannot find the script {name}, neither here nor in PATH\n")
    raise SystemExit(1)


def _is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def _columns(text):
    columns = tuple(text.split(","))
    try:
        Columns.flags(columns)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error))
    return columns


def _size(text):
    try:
        mib = float(text)
    except ValueError:
        mib = math.nan
    if not 0 <= mib < 1e12:
        raise argparse.ArgumentTypeError(f"must be a size between 0 and 1e12 MiB, not {text!r}")
    return mib


def _precision(text):
    if not text.isdecimal() or int(text) > 30:
        raise argparse.ArgumentTypeError(f"must be a number of decimals between 0 and 30, not {text!r}")
    return int(text)


def _parser():
    from . import __version__
    parser = argparse.ArgumentParser(
        prog="python -m memory_profiler",
        usage="python -m memory_profiler [options] script.py|module [arguments]",
        description="Runs a program and reports, for each function marked @profile, what its lines "
                    "did to memory.")
    add = parser.add_argument
    add("--version", action="version", version=__version__)
    add("--pdb-mmem", dest="max_mem", metavar="MAXMEM", type=_size,
        help="start the debugger at the line that takes memory over MAXMEM MiB")
    add("--precision", type=_precision, default=3, metavar="N", help="decimals of memory values (3)")
    add("-o", dest="out_filename", metavar="FILE", help="append the report to FILE")
    add("--timestamp", action="store_true",
        help="write FUNC records of the calls instead of lines")
    add("--include-children", action="store_true", help="add the memory of child processes")
    add("--backend", choices=BACKENDS, default="psutil", help="what is measured (psutil: RSS)")
    more = parser.add_argument_group("not in memory_profiler")
    add = more.add_argument
    add("--columns", type=_columns, default=None, metavar="NAMES",
        help="columns, of mem,inc,hits,peak,time, in this order "
             f"({','.join(DEFAULT_COLUMNS)})")
    add("--sort", choices=SORTS, help="sort lines by this column, highest first; adds the column")
    add("--threshold", type=_size, metavar="MIB",
        help="only lines that took or released at least MIB")
    add("--color", choices=("auto", "always", "never"), default="auto",
        help="colour lines by increment; auto: on a terminal")
    add = more.add_mutually_exclusive_group().add_argument
    add("--json", dest="format", action="store_const", const="json", default="text",
        help="write the report as JSON")
    add("--html", dest="format", action="store_const", const="html",
        help="write the report as HTML")
    parser.add_argument("program", nargs=argparse.REMAINDER,
                        help="script or module, and its arguments")
    return parser


def _profiler(options):
    if options.timestamp:
        return TimeStamper(options.backend, include_children=options.include_children)
    return ProgramProfiler(max_mem=options.max_mem, backend=options.backend,
                           include_children=options.include_children,
                           columns=shown_columns(options.columns, options.sort))


def _show(profiler, options, stream):
    if options.timestamp:
        profiler.show_results(stream=stream)
    else:
        show_results(profiler, stream=stream, precision=options.precision,
                     columns=options.columns, sort=options.sort, threshold=options.threshold,
                     color=options.color, format=options.format)
    stream.flush()


def _run(profiler, options):
    target, *arguments = options.program
    if target.endswith(".py") or os.sep in target:
        script = find_script(target)
        # `python -m` puts the working directory first; a script expects its own folder.
        if not getattr(sys.flags, "safe_path", False):
            del sys.path[0]
        exec_with_profiler(script, profiler, options.backend, arguments)
    else:
        if not _is_module(target):
            sys.stderr.write(f"mprof: cannot find the module {target}; a script's name ends in .py\n")
            raise SystemExit(1)
        run_module_with_profiler(target, profiler, options.backend, arguments)


def _without_our_frames(error):
    """The error with a traceback that begins in the program's own code."""
    if isinstance(error, SyntaxError) and error.__traceback__ is not None:
        last = error.__traceback__
        while last.tb_next is not None:
            last = last.tb_next
        if last.tb_frame.f_code is exec_with_profiler.__code__:
            return error.with_traceback(None)  # in the script itself: none of its code has run
    ours = os.path.dirname(os.path.abspath(__file__))
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if not (filename.startswith(ours) or filename.startswith("<frozen runpy")
                or os.path.basename(filename) == "runpy.py"):
            break
        traceback = traceback.tb_next
    return error.with_traceback(traceback)


def _error_of(part):
    """The exception that part() raises, or None. It is no longer being handled when this returns, so it does
    not become the context of later ones."""
    try:
        part()
    except BaseException as error:
        return error
    return None


def _show_error(error):
    """Shows an error that ends the program, as Python does: by sys.excepthook. Returns the exception to raise
    at the end, or None for exit code 1."""
    error = _without_our_frames(error)
    kind, traceback = type(error), error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, traceback
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook = getattr(sys, "excepthook", None)
    sys.audit("sys.excepthook", hook, kind, error, traceback)
    if hook is None:
        sys.stderr.write("sys.excepthook is missing, printing traceback\n")
        hook = sys.__excepthook__
    other = _error_of(lambda: hook(kind, error, traceback))
    if isinstance(other, SystemExit):
        return other
    if other is not None:
        sys.stderr.write("Error in sys.excepthook:\n")
        other = _without_our_frames(other)
        sys.__excepthook__(type(other), other, other.__traceback__)
        sys.stderr.write("\nOriginal exception was:\n")
        sys.__excepthook__(kind, error, traceback)
    return _without_second_report(error) if kind is KeyboardInterrupt else None


def _without_second_report(error):
    """Makes Python end by this KeyboardInterrupt, thus by SIGINT, but not show it again."""
    hook = sys.excepthook
    last = sys.last_type, sys.last_value, sys.last_traceback

    def put_back(*unused):
        sys.excepthook = hook
        sys.last_type, sys.last_value, sys.last_traceback = last

    sys.excepthook = put_back
    return error


def _join_threads():
    """Ends threads as Python does at exit: stops executors, then joins all threads that are not daemons."""
    endings = getattr(threading, "_threading_atexits", [])
    while endings:
        try:
            endings.pop()()
        except Exception:
            sys.excepthook(*sys.exc_info())
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _options():
    try:
        try:
            with StdlibImports():
                return _parser().parse_args()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        discard_output(sys.stdout)
        sys.exit(EXIT_SIGPIPE)


def _report(profiler, options, output):
    """Writes the report; returns 0, or the exit code for the failure."""
    stream = sys.stdout if output is None else output
    try:
        if stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        with StdlibImports():
            _show(profiler, options, stream)
    except BrokenPipeError:
        discard_output(stream)
        return EXIT_SIGPIPE
    except OSError as error:
        discard_output(stream)
        place = "standard output" if output is None else options.out_filename
        sys.stderr.write(f"mprof: cannot write to {place}: {error.strerror}\n")
        return 1
    return 0


def _worker_report_options(options):
    """The options of the reports of worker processes; None: no reports. Only text reports can be appended
    to each other."""
    if options.format != "text":
        return None
    wanted = {name: value for name, value in vars(options).items() if name != "program"}
    if options.out_filename is not None:
        wanted["out_filename"] = os.path.abspath(options.out_filename)
    return wanted


def write_worker_report(profiler):
    """Writes the report of a spawned process at its end."""
    if not isinstance(profiler, TimeStamper) and not profiler.code_map.reports():
        return
    options = argparse.Namespace(**profiler._report_options)
    try:
        if options.out_filename is None:
            _show(profiler, options, sys.stdout)
        else:
            with open(options.out_filename, "a", encoding="utf-8") as output:
                _show(profiler, options, output)
    except (AttributeError, OSError, ValueError):
        pass  # the main process reports the failure


def main():
    options = _options()
    if not options.program:
        print("A program to run must be provided. Use -h for help")
        sys.exit(1)
    profiler = _profiler(options)
    profiler._report_options = _worker_report_options(options)
    # Opened first: without it the program would run for nothing.
    output = None
    if options.out_filename is not None:
        try:
            output = open(options.out_filename, "a", encoding="utf-8")
        except OSError as error:
            sys.stderr.write(f"mprof: cannot write to {options.out_filename}: {error.strerror}\n")
            sys.exit(2)
    end = None
    status = 0
    for part in (lambda: _run(profiler, options), _join_threads):
        raised = _error_of(part)
        if isinstance(raised, SystemExit):
            end = raised
        elif raised is not None:
            status = 1
            # The user has quit the debugger.
            if type(raised).__name__ != "BdbQuit":
                end = _show_error(raised) or end
    reported = _report(profiler, options, output)
    if output is not None:
        output.close()
    if end is not None:
        raise end
    if status or reported:
        sys.exit(status or reported)
