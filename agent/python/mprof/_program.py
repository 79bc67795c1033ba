"""Where the program mprof, and what it loads, are."""

import glob
import os

import _mprof


def packages():
    """The folder of the packages."""
    return os.path.dirname(os.path.abspath(_mprof.__file__))


def wheel_folders():
    """The folder of a wheel's files that are not Python's; empty unless a wheel is installed."""
    return sorted(glob.glob(os.path.join(glob.escape(packages()), "mprof", "native-*", "")))


def program():
    """The path of the program mprof: of the wheel, next to the package in a build tree, in bin of an installation. Never a
    script: that of memory_profiler would import this package and run itself again."""
    places = [folder + "mprof" for folder in wheel_folders()]
    places += [os.path.normpath(os.path.join(packages(), place)) for place in ("../mprof", "../../../bin/mprof")]
    places += [os.path.join(folder, "mprof") for folder in os.get_exec_path() if os.path.isabs(folder)]
    for path in places:
        if os.access(path, os.X_OK) and _is_program(path):
            return path
    raise FileNotFoundError("cannot find the program mprof, neither next to this package nor in PATH")


def _is_program(path):
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False
