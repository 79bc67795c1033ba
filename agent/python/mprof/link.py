"""Adds mprof's modules to sys.path of the Python, or virtual environment, that runs this file:

    ~/venv/bin/python <prefix>/lib/mprof/python/mprof/link.py [--first] [--remove]

It writes mprof.pth, a file that names this folder, into that Python's site-packages; if this user may not write
there, into the user's site-packages, which only this user's Python reads. --first puts our memory_profiler
before an installed one; otherwise the order of sys.path decides.
"""

import argparse
import os
import site
import subprocess
import sys
import sysconfig

NAME = "mprof.pth"

# Run in a new interpreter, which has read mprof.pth: prints each memory_profiler in sys.path, in order.
FIND_MEMORY_PROFILER = """
import os, sys
for place in sys.path:
    for name in ("memory_profiler.py", "memory_profiler"):
        path = os.path.join(place, name)
        if os.path.isabs(path) and os.path.exists(path):
            print(path)
"""


def _folder():
    """The folder with mprof's packages."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _places():
    """Folders from which this Python reads .pth files: the common one, and the user's, except in a virtual
    environment or with -s or PYTHONNOUSERSITE."""
    places = [sysconfig.get_path("purelib")]
    if site.ENABLE_USER_SITE:
        places.append(site.getusersitepackages())
    return places


def _write(places, line):
    """Writes mprof.pth into the first writable folder. Returns its path, or None."""
    refused = None
    for place in places:
        path = os.path.join(place, NAME)
        try:
            os.makedirs(place, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            refused = refused or (path, error)
            continue
        print("wrote " + path)
        if refused:
            print("mprof: for this user only, because {} cannot be written: {}".format(
                refused[0], refused[1].strerror), file=sys.stderr)
        return path
    path, why = refused
    print("mprof: cannot write {}: {}; run it as a user who may write there, or in a virtual environment".format(
        path, why.strerror), file=sys.stderr)
    return None


def _remove(places):
    """Removes mprof.pth from all folders. Returns the exit code."""
    code = 0
    found = [path for path in (os.path.join(place, NAME) for place in places) if os.path.lexists(path)]
    for path in found:
        try:
            os.unlink(path)
            print("removed " + path)
        except OSError as error:
            print("mprof: cannot remove {}: {}".format(path, error.strerror), file=sys.stderr)
            code = 1
    if not found:
        print("mprof: nothing to remove: {} does not exist".format(os.path.join(places[0], NAME)), file=sys.stderr)
        code = 1
    return code


def _report_order(folder):
    """Reports which memory_profiler is found first, if another is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", FIND_MEMORY_PROFILER], cwd=os.sep, env=environment, text=True,
                          stdout=subprocess.PIPE, check=False)
    found = done.stdout.splitlines()
    others = [path for path in found if not path.startswith(folder + os.sep)]
    if not others:
        return
    if found[0] == others[0]:
        print("mprof: {} is found before ours; use --first, or remove it".format(others[0]),
              file=sys.stderr)
    else:
        print("mprof: ours is found before {}".format(others[0]), file=sys.stderr)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Adds mprof's modules to sys.path of the Python that runs this file.")
    parser.add_argument("--first", action="store_true",
                        help="before an installed memory_profiler")
    parser.add_argument("--remove", action="store_true", help="remove mprof.pth")
    options = parser.parse_args(arguments)
    folder = _folder()
    if options.remove:
        return _remove(_places())
    line = "import sys; sys.path.insert(0, {!r})".format(folder) if options.first else folder
    if not _write(_places(), line):
        return 1
    if not options.first:
        _report_order(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
