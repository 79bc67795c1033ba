"""The module behind the command mprof: recordings as Python objects, for scripts that draw or check
them. The actions themselves are those of the program."""

import collections
import glob
import os
import shutil
import subprocess
import sys

import _mprof

__all__ = ["filter_mprofile_mem_usage_by_function", "flame_plotter", "function_labels",
           "get_cmd_line", "get_profile_filenames", "main", "plot_file", "read_mprofile_file"]

ALL_ACTIONS = ("run", "rm", "clean", "list", "plot", "attach", "peak")


def _program():
    """The program mprof of this installation: beside the package in a build, in bin of an
    installation."""
    here = os.path.dirname(os.path.abspath(_mprof.__file__))
    for place in ("../mprof", "../../../bin/mprof"):
        path = os.path.normpath(os.path.join(here, place))
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    found = shutil.which("mprof")
    if found is None:
        raise FileNotFoundError("the program mprof is not installed")
    return found


def read_mprofile_file(filename):
    """What a recording holds.

    A dict: mem_usage and timestamp, lists of MiB and unix seconds; func_timestamp, {name: [[entered,
    left, MiB then, MiB then, level], ...]}, without the level in old files; filename; cmd_line;
    children, {pid: [(MiB, unix seconds), ...]}.
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
    """{name: label}: the shortest end of each dotted name that no other name ends in."""
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
    """Paths of recordings by name or number: 0 is the oldest mprofile_*.dat here, -1 the newest;
    "all" is all of them. ValueError where there is no such one. Timestamp files of old versions
    follow those they belong to."""
    recordings = sorted(glob.glob("mprofile_??????????????.dat"))
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
    """A command line for people: an argument with blanks stands in quotes."""
    return " ".join(f"'{word}'" if set(word) & set(" \t") else word for word in args)


def filter_mprofile_mem_usage_by_function(prof, func):
    """The samples of a recording that was read, in MiB, that fell into a call of this function; all
    of them if it is None. A sample counts once for each call it fell into."""
    samples, calls = prof["mem_usage"], prof["func_timestamp"]
    if func is not None and func not in calls:
        raise ValueError(f"{func} was not found.")
    return samples if func is None else [
        memory for memory, moment in zip(samples, prof["timestamp"])
        for entered, left, *_ in calls[func] if entered <= moment <= left]


def plot_file(filename, index=0, timestamps=True, children=True, options=None):
    """Draws a recording into the current axes of matplotlib, with brackets where functions were
    called, and returns it as it was read. index: of several in one figure. options: may have slope
    (a trend line) and xlim (only brackets within). `mprof plot` draws without matplotlib."""
    from ._figure import draw_brackets
    recording = read_mprofile_file(filename)
    return draw_brackets(recording, function_labels(recording["func_timestamp"]), index, timestamps,
                         children, options)


def flame_plotter(filename, index=0, timestamps=True, children=True, options=None):
    """The same, the calls as bars in rows by level."""
    from ._figure import draw_flame
    recording = read_mprofile_file(filename)
    return draw_flame(recording, function_labels(recording["func_timestamp"]), index, timestamps,
                      children, options)


def main():
    """The command: becomes the program, with the arguments of this process."""
    program = _program()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program, ["mprof", *sys.argv[1:]])


def _asks_for_exit_code(arguments):
    for argument in arguments:
        if not argument.startswith("-"):
            return False  # the program: what follows is its own
        if argument in ("-E", "--exit-code"):
            return True
    return False


def _action(name):
    """An action as a function: arguments from sys.argv, as the command would get them."""
    def act():
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
