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
    """The path of the program mprof: next to the package in a build tree, in bin of an installation."""
    # bin is in the same folder after `pip install --target`
    for place in ("../mprof", "bin/mprof", "../../../bin/mprof"):
        path = os.path.normpath(os.path.join(packages(), place))
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    import shutil  # slow to load
    found = shutil.which("mprof")
    if found is None:
        raise FileNotFoundError("cannot find the program mprof, neither next to this package nor in PATH")
    return found
