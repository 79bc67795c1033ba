"""Draws, reads and makes recordings, limits memory, and shows recordings of notebooks' cells. The actions run the program mprof."""

import collections
import os
import sys

try:
    import _mprof
except ModuleNotFoundError:
    if type(__spec__.loader).__name__ != "zipimporter":
        raise
    raise ImportError("mprof: cannot be loaded from a zip file: install it into a folder") from None

from ._program import program as _program

__all__ = ["MemoryLimitError", "Picture", "filter_mprofile_mem_usage_by_function", "flame_plotter", "function_labels",
           "get_cmd_line", "get_profile_filenames", "limit_memory", "load_ipython_extension", "main", "plot", "plot_file",
           "read_mprofile_file", "record", "svg_script"]

ALL_ACTIONS = ("run", "rm", "clean", "list", "plot", "attach", "peak")


def read_mprofile_file(filename):
    """Reads a recording into a dict.

    mem_usage and timestamp: lists of MiB and unix seconds. func_timestamp: {name: [[time at entry, time
    at exit, MiB at entry, MiB at exit, level], ...]}, without the level in old files. filename. cmd_line.
    children: {pid: [(MiB, unix seconds), ...]}.
    """
    mem_usage, timestamp, functions, cmd_line, children = _mprof.read_recording(filename)
    return {
        "mem_usage": mem_usage,
        "timestamp": timestamp,
        "func_timestamp": functions,
        "filename": filename,
        "cmd_line": cmd_line,
        "children": collections.defaultdict(list, children),
    }


def function_labels(dotted_function_names):
    """{name: label}: the shortest ending of each dotted name that no other name has."""
    parts = {name: name.split(".") for name in dotted_function_names}
    length = dict.fromkeys(parts, 1)
    while True:
        alike = collections.defaultdict(list)
        for name in parts:
            alike[".".join(parts[name][-length[name]:])].append(name)
        longer = [name for names in alike.values() if len(names) > 1 for name in names
                  if length[name] < len(parts[name])]
        if not longer:
            return {name: label for label, names in alike.items() for name in names}
        for name in longer:
            length[name] += 1


def get_profile_filenames(args):
    """Paths of recordings by name or number: 0 is the oldest mprofile_*.dat here, -1 the newest, "all" all
    of them. ValueError if no recording is found. Timestamp files of old versions follow their recording."""
    import glob
    recordings = sorted(name for end in ("", ".gz", ".zst") for name in glob.glob("mprofile_??????????????.dat" + end))
    filenames = []
    for argument in recordings if args == "all" else args:
        if argument == "--":
            continue
        filename = _resolve(argument, recordings)
        if filename not in filenames:
            filenames.append(filename)
    for filename in filenames[::-1]:
        stem, extension = os.path.splitext(filename)
        stamps = f"{stem}_ts{extension}"
        if os.path.isfile(stamps) and stamps not in filenames:
            filenames.append(stamps)
    return filenames


def _resolve(argument, recordings):
    try:
        return recordings[int(argument)]
    except IndexError:
        raise ValueError(f"Invalid index (non-existing file): {argument}") from None
    except ValueError:
        pass
    if os.path.isdir(argument):
        raise ValueError(f"Path {argument} is a directory")
    if not os.path.isfile(argument):
        raise ValueError(f"File {argument} not found")
    return argument


def get_cmd_line(args):
    """A command line for display: arguments with blanks are quoted."""
    return " ".join(f"'{word}'" if set(word) & set(" \t") else word for word in args)


def filter_mprofile_mem_usage_by_function(prof, func):
    """Samples of a recording in MiB, of read_mprofile_file, during calls of this function; all if func is
    None. A sample appears once for each call around it."""
    samples, calls = prof["mem_usage"], prof["func_timestamp"]
    if func is not None and func not in calls:
        raise ValueError(f"{func} was not found.")
    return samples if func is None else [
        memory for memory, moment in zip(samples, prof["timestamp"])
        for entered, left, *_ in calls[func] if entered <= moment <= left]


def plot_file(filename, index=0, timestamps=True, children=True, options=None):
    """Draws a recording into the current axes of matplotlib, with brackets for calls, and returns what
    read_mprofile_file returns. index: number of the recording in the figure. options: an object that may
    have slope (draws a trend line) and xlim (only brackets within). `mprof plot` needs no matplotlib."""
    from ._figure import draw_brackets
    recording = read_mprofile_file(filename)
    return draw_brackets(recording, function_labels(recording["func_timestamp"]), index, timestamps,
                         children, options)


def flame_plotter(filename, index=0, timestamps=True, children=True, options=None):
    """As plot_file, with calls as bars, one row per level."""
    from ._figure import draw_flame
    recording = read_mprofile_file(filename)
    return draw_flame(recording, function_labels(recording["func_timestamp"]), index, timestamps,
                      children, options)


# Each name's module, loaded at first use: a program that only reads recordings loads no library.
_PARTS = {"MemoryLimitError": "_limit", "Picture": "_picture", "limit_memory": "_limit", "plot": "_picture",
          "record": "_limit", "svg_script": "_picture"}


def __getattr__(name):
    if name not in _PARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(__import__(_PARTS[name], globals(), None, (name,), 1), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_PARTS})


def load_ipython_extension(shell):
    """Called by IPython's %load_ext mprof: registers %%mprof."""
    from ._magics import load
    load(shell)


def unload_ipython_extension(shell):
    """Called by IPython's %unload_ext mprof."""
    from ._magics import unload
    unload(shell)


def main():
    """Replaces this process by the program mprof, with the same arguments."""
    program = _program()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program, ["mprof", *sys.argv[1:]])


def _asks_for_exit_code(arguments):
    for argument in arguments:
        if not argument.startswith("-"):
            return False  # the recorded program; further options are its own
        if argument in ("-E", "--exit-code"):
            return True
    return False


def _action(name):
    """A function that runs an action with the arguments in sys.argv."""
    def act():
        import subprocess
        arguments = sys.argv[1:]
        status = subprocess.call([_program(), name, *arguments])
        if status != 0 or (name == "run" and _asks_for_exit_code(arguments)):
            sys.exit(status)

    act.__name__ = act.__qualname__ = f"{name}_action"
    act.__doc__ = f"mprof {name}, with the arguments of this process."
    return act


for _name in ALL_ACTIONS:
    globals()[f"{_name}_action"] = _action(_name)
del _name
