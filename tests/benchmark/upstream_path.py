"""Finds upstream for each interpreter: memory_profiler is pure Python, but it needs psutil, whose extension
Debian builds for its own interpreter. Others use what they can load:

- their own psutil, if they have one;
- that of Debian 13, built for the stable ABI of 3.12 and later;
- older ones the installed one, renamed to omit the version. memory_profiler calls
  Process(pid).memory_info() at each line, which is Python code that reads /proc.

Each is tested with thousands of calls before it is used.
"""

import pathlib
import shutil
import subprocess
import sys
import unittest

from measure import SOURCE, say

sys.path.insert(0, str(SOURCE / "tests" / "lines"))
import pythons  # noqa: E402  pylint: disable=wrong-import-position
import upstream_source  # noqa: E402  pylint: disable=wrong-import-position

INSTALLED = pathlib.Path("/usr/lib/python3/dist-packages")
TRY = "import memory_profiler, psutil\nfor _ in range(5000): psutil.Process().memory_info()"


def _copy_of_installed(folder):
    place = folder / "renamed"
    if not place.exists() and (INSTALLED / "psutil").exists():
        shutil.copytree(INSTALLED / "psutil", place / "psutil")
        for path in (place / "psutil").glob("*.cpython-*.so"):
            path.rename(path.with_name(path.name.split(".")[0] + ".so"))
    return place


def _stable(folder):
    place = folder / "stable"
    if not place.exists():
        place.mkdir()
        try:
            upstream_source.fetch_binary(place, "python3-psutil", "trixie")
        except (unittest.SkipTest, OSError, ValueError, subprocess.SubprocessError) as error:
            say(f"no psutil for 3.12 and later: {error}")
    return place / "usr" / "lib" / "python3" / "dist-packages"


def _works(python, path):
    done = subprocess.run([str(python), "-c", TRY], capture_output=True,
                          env=pythons.environment(PYTHONPATH=path))
    return done.returncode == 0


def find(python, folder):
    """The PYTHONPATH with which this interpreter runs upstream, or None."""
    folder = pathlib.Path(folder) / "upstream"
    alone = folder / "alone"
    if not alone.exists() and (INSTALLED / "memory_profiler.py").exists():
        alone.mkdir(parents=True)
        shutil.copy(INSTALLED / "memory_profiler.py", alone)
    version = pythons.version_of(python)
    others = [lambda: _stable(folder)] if version >= (3, 12) else [lambda: _copy_of_installed(folder)]
    for place in (lambda: None, *others):
        path = ":".join(map(str, filter(None, (alone, place()))))
        if _works(python, path):
            return path
    return None
