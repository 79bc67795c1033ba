"""libmprof-render by ctypes: only plot() loads it. Calls release the GIL. tests/lines/test_plot.py compares the
structures with the headers."""

import contextlib
import ctypes
import ctypes.util
import errno
import glob
import os
from ctypes import (POINTER, byref, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint, c_uint16,
                    c_uint32, c_uint64, c_ulong, c_void_p)

from ._program import packages, wheel_folders

OK, ENOMEM, EIO, EFORMAT, EEMPTY, EARGUMENT, ENOTFOUND, EDRAW = 0, -1, -2, -3, -4, -5, -6, -7

KINDS = ("rss", "pss", "uss", "swap", "anon", "file", "shmem", "lazyfree", "hugetlb")
FORMATS = ("png", "svg", "pdf", "eps")
THEMES = ("auto", "light", "dark", "paper")
UNITS = ("auto", "B", "KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB")
ORDERS = ("process", "function")
FORMS = (None, "band", "small_multiples", "heat", "tree")
TREE_MEASURES = ("growth", "time", "memory-time")
MEMBERS = (None, "process", "rank", "host", "recording", "command")
GROUPINGS = ("auto", "command", "pid", "none")
PARTS = ("title", "facts", "legend", "peak", "brackets")  # from bit 0 on
NOTES = ("limit", "line", "mark")
PAPER_PATTERNS = 4


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("system_errno", c_int), ("line", c_ulong), ("file", c_char * 256),
                ("message", c_char * 256)]


class Sample(ctypes.Structure):
    _fields_ = [("mib", c_double), ("time_s", c_double)]


class Series(ctypes.Structure):
    _fields_ = [("points", POINTER(Sample)), ("point_count", c_size_t), ("sample_count", c_uint64),
                ("first_s", c_double), ("last_s", c_double), ("lowest_mib", c_double), ("peak", Sample),
                ("slope_mib_per_s", c_double), ("slope_offset_mib", c_double), ("mean_mib", c_double)]


class Process(ctypes.Structure):
    _fields_ = [("pid", c_int64), ("ppid", c_int64), ("name", c_char_p), ("series", Series),
                ("birth_s", c_double), ("end_s", c_double), ("ended", c_int), ("cause", c_int),
                ("exit_value", c_int64), ("kernel_peak_mib", c_double), ("kernel_peak_at_least", c_int),
                ("rank", c_uint32), ("own_pid", c_int64)]


class FunctionSum(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("label", c_char_p), ("profile", c_size_t), ("function", c_size_t),
                ("call_count", c_uint64), ("total_s", c_double), ("own_s", c_double), ("longest_s", c_double),
                ("median_s", c_double), ("change_mib", c_double), ("peak_mib", c_double)]


class ProcessSum(ctypes.Structure):
    _fields_ = [("process", c_uint32), ("sample_count", c_uint64), ("first_s", c_double), ("last_s", c_double),
                ("mean_mib", c_double), ("peak", Sample), ("at_peak_mib", c_double), ("ran_at_peak", c_int)]


_WARN = ctypes.CFUNCTYPE(None, c_void_p, c_char_p, c_char_p)


class ProfilesOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("run", c_size_t), ("data", c_void_p), ("warn", _WARN)]


class Note(ctypes.Structure):
    _fields_ = [("kind", c_int), ("at", c_double), ("text", c_char_p)]


class Label(ctypes.Structure):
    _fields_ = [("file", c_char_p), ("name", c_char_p)]


class FigureOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("width_px", c_double), ("height_px", c_double), ("grow", c_int),
                ("title", c_char_p), ("flame", c_int), ("functions", c_int), ("states", c_int),
                ("slope", c_int), ("stack", c_int), ("window_s", c_double * 2),
                ("min_duration_s", c_double), ("function", c_char_p), ("order", c_int),
                ("kinds", c_uint), ("group", c_int), ("as_one", c_int), ("origin_s", c_double),
                ("processes", c_int), ("name_file", c_int), ("colours_most", c_int),
                ("without", c_uint), ("notes", POINTER(Note)), ("note_count", c_size_t),
                ("labels", POINTER(Label)), ("label_count", c_size_t), ("memory_mib", c_double * 2),
                ("unit", c_int), ("range", c_char_p), ("hue_names", POINTER(c_char_p)),
                ("hues_in_order", c_int), ("log", c_int), ("style", c_void_p), ("form", c_int), ("members", c_int),
                ("tree", c_int)]


class Measure(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("width_px", c_void_p), ("fit", c_void_p)]


HUES = 8
STYLE_ROOM = 16
STYLE_COLOURS = ("paper", "ink", "text", "quiet", "grey", "grid", "rule", "alert")
_KEEP = 0xffffffff  # the colour of the theme


class Style(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("font_family", c_char_p), ("line_scale", c_double), ("without", c_uint),
                ("colours", c_uint32 * STYLE_ROOM), ("hues", c_uint32 * HUES)]


class _Colour(ctypes.Structure):
    _fields_ = [("red", c_uint16), ("green", c_uint16), ("blue", c_uint16)]


class DrawOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("format", c_int), ("theme", c_int), ("dpi", c_double),
                ("still", c_int), ("command", c_char_p), ("command_files", c_char_p),
                ("transparent", c_int), ("shares_script", c_int), ("style", POINTER(Style))]


class Hit(ctypes.Structure):
    _fields_ = [("kind", c_int), ("time_s", c_double), ("item", c_uint32), ("about", c_uint32),
                ("function", c_uint32), ("tick", c_uint32), ("sample_s", c_double), ("sample_mib", c_double)]


def _find():
    """Paths to try, the likeliest first: of the wheel, next to the package, in an installation, by the loader."""
    name = "libmprof-render.so"
    yield from (path + name for path in wheel_folders())
    for folder in ("..", "../..", "../../*-linux-gnu", "../../../lib64", "../../../lib/*-linux-gnu"):
        yield from sorted(glob.glob(os.path.join(glob.escape(packages()), folder, name + "*")), key=len)
    yield from filter(None, [ctypes.util.find_library("mprof-render")])


def _open():
    failures = []
    for path in _find():
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            failures.append(str(error))
    raise ImportError("pictures need libmprof-render.so, which "
                      + ("cannot be loaded: " + failures[0] if failures else
                         "is not installed: install it, or use the command `mprof plot`"))


_OUT = POINTER(c_void_p)
_ERROR = POINTER(Error)
_COUNT = POINTER(c_size_t)

_SIGNATURES = {
    "mprof_error_format": (None, [_ERROR, c_char_p, c_ulong]),
    "mprof_profiles_load": (c_int, [_OUT, POINTER(c_char_p), c_size_t, POINTER(FigureOptions),
                                    POINTER(ProfilesOptions), _ERROR]),
    "mprof_profiles_list": (POINTER(c_void_p), [c_void_p, _COUNT]),
    "mprof_profiles_free": (None, [c_void_p]),
    "mprof_profile_file": (c_char_p, [c_void_p]),
    "mprof_profile_command_line": (c_char_p, [c_void_p]),
    "mprof_profile_start_s": (c_double, [c_void_p]),
    "mprof_profile_end_s": (c_double, [c_void_p]),
    "mprof_profile_samples": (POINTER(Series), [c_void_p]),
    "mprof_profile_processes": (POINTER(Process), [c_void_p, _COUNT]),
    "mprof_function_sums_make": (c_int, [POINTER(POINTER(FunctionSum)), _COUNT, POINTER(c_void_p), c_size_t,
                                         c_int, _ERROR]),
    "mprof_function_sums_free": (None, [POINTER(FunctionSum)]),
    "mprof_process_sums_make": (c_int, [POINTER(POINTER(ProcessSum)), _COUNT, c_void_p, _ERROR]),
    "mprof_process_sums_free": (None, [POINTER(ProcessSum)]),
    "mprof_figure_options_init": (None, [POINTER(FigureOptions), c_size_t]),
    "mprof_figure_options_choose_form": (None, [POINTER(FigureOptions), POINTER(c_void_p), c_size_t]),
    "mprof_figure_layout": (c_int, [_OUT, POINTER(c_void_p), c_size_t, POINTER(FigureOptions),
                                    POINTER(Measure), _ERROR]),
    "mprof_figure_free": (None, [c_void_p]),
    "mprof_figure_width_px": (c_double, [c_void_p]),
    "mprof_figure_height_px": (c_double, [c_void_p]),
    "mprof_figure_title": (c_char_p, [c_void_p]),
    "mprof_text_engine_new": (c_int, [_OUT, c_char_p, _ERROR]),
    "mprof_text_engine_free": (None, [c_void_p]),
    "mprof_text_engine_measure": (Measure, [c_void_p]),
    "mprof_figure_draw": (c_int, [c_void_p, POINTER(DrawOptions), c_void_p, c_void_p, _ERROR]),
    "mprof_figure_hit_test": (Hit, [c_void_p, c_double, c_double]),
    "mprof_hit_text": (c_size_t, [c_char_p, c_size_t, c_void_p, POINTER(Hit)]),
    "pango_color_parse": (c_int, [POINTER(_Colour), c_char_p]),  # of what the library needs
    "mprof_svg_script": (c_void_p, [_COUNT]),
    "mprof_output_open": (c_int, [_OUT, c_char_p, _ERROR]),
    "mprof_output_open_memory": (c_int, [_OUT, _ERROR]),
    "mprof_output_bytes": (c_void_p, [c_void_p, _COUNT]),
    "mprof_output_commit": (c_int, [c_void_p, _ERROR]),
    "mprof_output_free": (None, [c_void_p]),
}


class _Library:
    def __init__(self):
        library = _open()
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
            setattr(self, name[len("mprof_"):] if name.startswith("mprof_") else name, function)


_loaded = None


def load():
    global _loaded
    if _loaded is None:
        _loaded = _Library()
    return _loaded


def text(bytes_or_none):
    return (bytes_or_none or b"").decode("utf-8", "replace")


def check(status, error):
    """Raises what a failure means: FileNotFoundError and other OSErrors, MemoryError, ValueError."""
    if status == OK:
        return
    if status == ENOMEM:
        raise MemoryError("out of memory")
    if status == EIO and error.system_errno:
        raise OSError(error.system_errno, os.strerror(error.system_errno), os.fsdecode(error.file))
    buffer = ctypes.create_string_buffer(600)
    load().error_format(byref(error), buffer, len(buffer))
    raise (RuntimeError if status == EDRAW else ValueError)(text(buffer.value))


class Owned:
    """A pointer that is freed with its last reference."""

    def __init__(self, free):
        self.pointer = c_void_p()
        self._free = free

    def __del__(self):
        if self.pointer:
            self._free(self.pointer)
            self.pointer = c_void_p()


def make(function, free, *arguments):
    """Calls function(&pointer, *arguments, &error); returns what it made."""
    owned, error = Owned(free), Error()
    check(function(byref(owned.pointer), *arguments, byref(error)), error)
    return owned


def load_profiles(paths, figure, run, warn):
    """The profiles of these files. Sets of the figure's options what they need."""
    library = load()
    notes = []
    options = ProfilesOptions(ctypes.sizeof(ProfilesOptions), run or 0, None,
                              _WARN(lambda _, file, line: notes.append((os.fsdecode(file), text(line)))))
    names = (c_char_p * len(paths))(*map(os.fsencode, paths))
    owned, error = Owned(library.profiles_free), Error()
    status = library.profiles_load(byref(owned.pointer), names, len(paths), byref(figure), byref(options),
                                   byref(error))
    for file, line in notes:
        warn(f"{file}: {line}")
    if status != OK:
        named = [path for path in paths if path != "-"]
        for fits, number in ((os.path.lexists, errno.ENOENT), (lambda path: not os.path.isdir(path), errno.EISDIR)):
            wrong = [path for path in named if not fits(path)]
            if wrong:
                raise OSError(number, os.strerror(number), wrong[0])
        check(status, error)
    return owned


def items(function, pointer):
    """What function(pointer, &count) returns, as a list."""
    count = c_size_t()
    first = function(pointer, byref(count))
    return first[:count.value] if count.value else []


@contextlib.contextmanager
def sums(make_sums, free, kind, *arguments):
    """What make_sums(&array, &count, *arguments, &error) returns, until the end of the context."""
    array, count, error = POINTER(kind)(), c_size_t(), Error()
    check(make_sums(byref(array), byref(count), *arguments, byref(error)), error)
    try:
        yield array[:count.value] if count.value else []
    finally:
        free(array)


def new_style():
    """A style that changes nothing."""
    style = Style(ctypes.sizeof(Style), None, 1, 0)
    style.colours[:] = [_KEEP] * len(style.colours)
    style.hues[:] = [_KEEP] * len(style.hues)
    return style


def colour(name):
    """0xRRGGBB of a colour of CSS or X11; None if the text names no colour."""
    found = _Colour()
    if not load().pango_color_parse(byref(found), name.encode("utf-8", "replace")):
        return None
    return (found.red >> 8) << 16 | (found.green >> 8) << 8 | found.blue >> 8
