"""Puts mprof's modules into the path of the Python, or virtual environment, that runs this file:

    ~/venv/bin/python <prefix>/lib/mprof/python/mprof/link.py [--first] [--remove]

It writes mprof.pth into that Python's folder of packages, a file that names this folder. With --first
our memory_profiler comes before one that is installed there; without, the installed one stays.
"""

import argparse
import os
import sys
import sysconfig

NAME = "mprof.pth"


def _folder():
    """The folder of this installation that holds the packages."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _other(folder):
    """An installed memory_profiler that is not ours, or None."""
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for name in ("memory_profiler.py", "memory_profiler"):
            path = os.path.join(place, name)
            if os.path.exists(path) and not path.startswith(folder + os.sep):
                return path
    return None


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Puts mprof's Python modules into the path of the Python that runs this.")
    parser.add_argument("--first", action="store_true",
                        help="before a memory_profiler that is installed there")
    parser.add_argument("--remove", action="store_true", help="take them out again")
    options = parser.parse_args(arguments)
    folder = _folder()
    path = os.path.join(sysconfig.get_path("purelib"), NAME)
    line = f"import sys; sys.path.insert(0, {folder!r})" if options.first else folder
    try:
        if options.remove:
            os.unlink(path)
            print(f"removed {path}")
            return 0
        with open(path, "w", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        print(f"mprof: {path}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"wrote {path}")
    other = _other(folder)
    if other and not options.first:
        print(f"mprof: {other} is found before ours; --first, or removing it, changes that",
              file=sys.stderr)
    return 0


if __name__ == "__main__":
    # Run as a file: the package's own folder is in the path, and is not what is meant.
    sys.exit(main())
