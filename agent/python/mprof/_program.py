"""Where the program mprof is."""

import os

import _mprof


def program():
    """The path of the program mprof: next to the package in a build tree, in bin of an installation."""
    here = os.path.dirname(os.path.abspath(_mprof.__file__))
    for place in ("../mprof", "../../../bin/mprof"):
        path = os.path.normpath(os.path.join(here, place))
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    import shutil  # slow to load
    found = shutil.which("mprof")
    if found is None:
        raise FileNotFoundError("cannot find the program mprof, neither next to this package nor in PATH")
    return found
