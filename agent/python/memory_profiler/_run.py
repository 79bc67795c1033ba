"""python -m memory_profiler: runs a script or module under a profiler and shows what it found."""

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

from ._arrival import Travels
from ._ground import Ground, leave_to_program
from ._lines import Columns, OfProgram
from ._memory import BACKENDS, choose_backend, start_tracing, tracemalloc
from ._report import DEFAULT_COLUMNS, SORTS, discard, show_results, shown_columns
from ._stamps import TimeStamper

# As a shell has it of a program that nobody listens to any more.
UNHEARD = 128 + signal.SIGPIPE


class _Tracing:
    """tracemalloc on for as long as a program runs, where its backend needs that."""

    def __init__(self, backend):
        self._backend = choose_backend(backend)
        self._started = False

    def __enter__(self):
        # A profiler made for this backend has started it already: it is ours to stop.
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
    leave_to_program()
    sys.argv = [filename, *passed_args]
    # What the script defines must be found in its __main__, by pickle for one.
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        with _Tracing(backend), Travels(profiler):
            with io.open_code(filename) as file:
                code = compile(file.read(), filename, "exec")
            exec(code, main.__dict__)
    finally:
        sys.modules["__main__"] = before


def run_module_with_profiler(module, profiler, backend, passed_args=[]):
    """Runs a module as __main__, with the profiler as the builtin `profile`."""
    builtins.profile = profiler
    sys.argv = [module, *passed_args]
    with _Tracing(backend), Travels(profiler):
        runpy.run_module(module, run_name="__main__", init_globals={"profile": profiler},
                         alter_sys=True)


def find_script(name):
    """The file of this name, here or in one of $PATH's folders."""
    folders = ["", *filter(None, os.environ.get("PATH", os.defpath).split(os.pathsep))]
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    sys.stderr.write(f"mprof: there is no script {name}\n")
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
        raise argparse.ArgumentTypeError(f"{text!r} is not a size in MiB")
    return mib


def _precision(text):
    if not text.isdecimal() or int(text) > 30:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of decimals, 0 to 30")
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
        help="instead of lines, record when the functions began and ended")
    add("--include-children", action="store_true", help="add the memory of child processes")
    add("--backend", choices=BACKENDS, default="psutil", help="what is measured (psutil: RSS)")
    more = parser.add_argument_group("more than memory_profiler has")
    add = more.add_argument
    add("--columns", type=_columns, default=None, metavar="NAMES",
        help="of mem,inc,hits,peak,time: the columns, in this order "
             f"({','.join(DEFAULT_COLUMNS)})")
    add("--sort", choices=SORTS, help="order of the lines, the highest first; adds this column if it is not shown")
    add("--threshold", type=_size, metavar="MIB",
        help="only lines that took or gave back so much")
    add("--color", choices=("auto", "always", "never"), default="auto",
        help="colour by increment; auto: on a terminal")
    add = more.add_mutually_exclusive_group().add_argument
    add("--json", dest="format", action="store_const", const="json", default="text",
        help="the report as JSON")
    add("--html", dest="format", action="store_const", const="html",
        help="the report as a page")
    parser.add_argument("program", nargs=argparse.REMAINDER,
                        help="script or module, and its arguments")
    return parser


def _profiler(options):
    if options.timestamp:
        return TimeStamper(options.backend, include_children=options.include_children)
    return OfProgram(max_mem=options.max_mem, backend=options.backend,
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
        # `python -m` has put the working directory first; a script has its own folder there.
        if not getattr(sys.flags, "safe_path", False):
            del sys.path[0]
        exec_with_profiler(script, profiler, options.backend, arguments)
    else:
        if not _is_module(target):
            sys.stderr.write(f"mprof: there is no module {target}\n")
            raise SystemExit(1)
        run_module_with_profiler(target, profiler, options.backend, arguments)


def _without_our_frames(error):
    """The traceback from the program's own code on."""
    if isinstance(error, SyntaxError) and error.__traceback__ is not None:
        last = error.__traceback__
        while last.tb_next is not None:
            last = last.tb_next
        if last.tb_frame.f_code is exec_with_profiler.__code__:
            return error.with_traceback(None)  # the script itself: none of its code has run
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
    """What it raised, or None. None is handled any more then, and is the context of what follows."""
    try:
        part()
    except BaseException as error:
        return error
    return None


def _show_error(error):
    """What Python does with an error that ends a program: shows it by sys.excepthook. Returns what the
    program is to end by, if not with exit code 1."""
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
    return _silent(error) if kind is KeyboardInterrupt else None


def _silent(error):
    """The interrupt, of which a program dies as by the signal; it was shown already."""
    hook = sys.excepthook
    last = sys.last_type, sys.last_value, sys.last_traceback

    def put_back(*unused):
        sys.excepthook = hook
        sys.last_type, sys.last_value, sys.last_traceback = last

    sys.excepthook = put_back
    return error


def _await_threads():
    """What Python does at its end: threads that are no daemons are part of the program, and those of
    executors go on until they hear that it ends."""
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
            with Ground():
                return _parser().parse_args()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
        sys.exit(UNHEARD)


def _report(profiler, options, output):
    """Writes the report; returns the exit code for that."""
    stream = sys.stdout if output is None else output
    try:
        if stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        with Ground():
            _show(profiler, options, stream)
    except BrokenPipeError:
        discard(stream)
        return UNHEARD
    except OSError as error:
        discard(stream)
        place = "cannot write to standard output" if output is None else options.out_filename
        sys.stderr.write(f"mprof: {place}: {error.strerror}\n")
        return 1
    return 0


def _reporting_of_workers(options):
    """What worker processes report by; None: they do not. Documents of other formats than text do not
    become one by being put behind each other."""
    if options.format != "text":
        return None
    wanted = {name: value for name, value in vars(options).items() if name != "program"}
    if options.out_filename is not None:
        wanted["out_filename"] = os.path.abspath(options.out_filename)
    return wanted


def report_of_worker(profiler):
    """At the end of a process that was started anew for the program."""
    if not isinstance(profiler, TimeStamper) and not profiler.code_map.reports():
        return
    options = argparse.Namespace(**profiler._reporting)
    try:
        if options.out_filename is None:
            _show(profiler, options, sys.stdout)
        else:
            with open(options.out_filename, "a", encoding="utf-8") as output:
                _show(profiler, options, output)
    except (AttributeError, OSError, ValueError):
        pass  # where it cannot be written, the program's own report says so


def main():
    options = _options()
    if not options.program:
        print("A program to run must be provided. Use -h for help")
        sys.exit(1)
    profiler = _profiler(options)
    profiler._reporting = _reporting_of_workers(options)
    # Opened first: a report that has nowhere to go is not worth running the program for.
    output = None
    if options.out_filename is not None:
        try:
            output = open(options.out_filename, "a", encoding="utf-8")
        except OSError as error:
            sys.stderr.write(f"mprof: {options.out_filename}: {error.strerror}\n")
            sys.exit(2)
    end = None
    status = 0
    for part in (lambda: _run(profiler, options), _await_threads):
        raised = _error_of(part)
        if isinstance(raised, SystemExit):
            end = raised
        elif raised is not None:
            status = 1
            # Who quits the debugger knows why the program ends.
            if type(raised).__name__ != "BdbQuit":
                end = _show_error(raised) or end
    reported = _report(profiler, options, output)
    if output is not None:
        output.close()
    if end is not None:
        raise end
    if status or reported:
        sys.exit(status or reported)
