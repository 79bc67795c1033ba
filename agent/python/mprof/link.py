"""Puts mprof's modules into the path of the Python, or virtual environment, that runs this file:

    ~/venv/bin/python <prefix>/lib/mprof/python/mprof/link.py [--first] [--remove]

It writes mprof.pth, a file that names this folder, into that Python's folder of packages; where this user
may not write there, into the user's own, which that Python reads for this user alone. With --first our
memory_profiler comes before one that is installed; without, the order is that of the folders.
"""

import argparse
import os
import site
import subprocess
import sys
import sysconfig

NAME = "mprof.pth"

# Run in a new interpreter, which has read mprof.pth: prints where memory_profiler is found, in order.
ASK = """
import os, sys
for place in sys.path:
    for name in ("memory_profiler.py", "memory_profiler"):
        path = os.path.join(place, name)
        if os.path.isabs(path) and os.path.exists(path):
            print(path)
"""


def _folder():
    """The folder of this installation that holds the packages."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _places():
    """Folders that this Python reads .pth files from: everybody's, and the user's unless it is a virtual
    environment or the user's are switched off (-s, PYTHONNOUSERSITE)."""
    places = [sysconfig.get_path("purelib")]
    if site.ENABLE_USER_SITE:
        places.append(site.getusersitepackages())
    return places


def _write(places, line):
    """Writes the file into the first folder that takes it. Returns its path."""
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
            print("mprof: for this user only: {}: {}".format(refused[0], refused[1].strerror), file=sys.stderr)
        return path
    path, why = refused
    print("mprof: {}: {}; run it as a user who may write there, or in a virtual environment".format(
        path, why.strerror), file=sys.stderr)
    return None


def _remove(places):
    """Removes the file wherever it was written. Returns the exit code."""
    code = 0
    found = [path for path in (os.path.join(place, NAME) for place in places) if os.path.lexists(path)]
    for path in found:
        try:
            os.unlink(path)
            print("removed " + path)
        except OSError as error:
            print("mprof: {}: {}".format(path, error.strerror), file=sys.stderr)
            code = 1
    if not found:
        print("mprof: {}: there is no such file".format(os.path.join(places[0], NAME)), file=sys.stderr)
        code = 1
    return code


def _tell_order(folder):
    """Says which memory_profiler is found first, where there is another."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=os.sep, env=environment, text=True,
                          stdout=subprocess.PIPE, check=False)
    found = done.stdout.splitlines()
    others = [path for path in found if not path.startswith(folder + os.sep)]
    if not others:
        return
    if found[0] == others[0]:
        print("mprof: {} is found before ours; --first, or removing it, changes that".format(others[0]),
              file=sys.stderr)
    else:
        print("mprof: ours is found before {}".format(others[0]), file=sys.stderr)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Puts mprof's Python modules into the path of the Python that runs this.")
    parser.add_argument("--first", action="store_true",
                        help="before a memory_profiler that is installed there")
    parser.add_argument("--remove", action="store_true", help="take them out again")
    options = parser.parse_args(arguments)
    folder = _folder()
    if options.remove:
        return _remove(_places())
    line = "import sys; sys.path.insert(0, {!r})".format(folder) if options.first else folder
    if not _write(_places(), line):
        return 1
    if not options.first:
        _tell_order(folder)
    return 0


if __name__ == "__main__":
    # Run as a file: the package's own folder is in the path, and is not what is meant.
    sys.exit(main())
