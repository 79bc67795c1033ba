"""Finds the CPythons of this machine: the agent has to work in each of them."""

import functools
import glob
import os
import pathlib
import re
import subprocess
import sys

OLDEST = (3, 8)

# The names of Python's own modules; for older versions, those that our package needs, directly or not.
LIBRARY = frozenset(getattr(sys, "stdlib_module_names", """argparse ast bdb cmd code codecs
    collections contextlib dis enum errno functools gettext glob heapq html inspect io json keyword
    linecache logging math opcode operator os pdb pprint queue re reprlib runpy shutil signal
    subprocess tempfile textwrap threading token tokenize tracemalloc types typing warnings
    weakref""".split()))

_ASK = """
import sys, sysconfig
is_musl = b"/ld-musl" in open("/proc/self/exe", "rb").read(4096)
print(sys.implementation.name, *sys.version_info[:3], int(bool(sysconfig.get_config_var("Py_GIL_DISABLED"))), int(is_musl))
"""

# Whether the tests run in a Python that is linked to musl, as mprof is then (tests/musl).
IS_MUSL = b"/ld-musl" in pathlib.Path("/proc/self/exe").read_bytes()[:4096]


class Interpreter:
    def __init__(self, path, version, free_threaded):
        self.path, self.version, self.free_threaded = path, version, free_threaded

    def __str__(self):
        return f"{'.'.join(map(str, self.version))}{'t' if self.free_threaded else ''} {self.path}"

    __repr__ = __str__

    def has(self, *modules):
        """Whether all these modules can be imported."""
        return subprocess.run([self.path, "-c", "import " + ", ".join(modules)],
                              capture_output=True, env=_clean()).returncode == 0

    def place_of(self, module):
        """The file of a module, or an empty string."""
        return subprocess.run([self.path, "-c", f"import {module}; print({module}.__file__)"],
                              capture_output=True, text=True, env=_clean()).stdout.strip()


def _clean():
    return {key: value for key, value in os.environ.items()
            if not key.startswith(("MPROF", "PYTHON", "LD_"))}


def _identify(path):
    try:
        done = subprocess.run([path, "-I", "-S", "-c", _ASK], capture_output=True, text=True,
                              timeout=60, env=_clean())
    except OSError:
        return None
    match = re.fullmatch(r"cpython (\d+) (\d+) (\d+) ([01]) ([01])\s*", done.stdout)
    if done.returncode != 0 or not match or match[5] != str(int(IS_MUSL)):
        return None
    return Interpreter(path, tuple(map(int, match.groups()[:3])), match[4] == "1")


@functools.lru_cache
def every():
    """All CPython 3 with our C library found in PATH and among pyenv's versions, each once, oldest first."""
    candidates = []
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        candidates += glob.glob(os.path.join(directory, "python3*"))
    candidates += glob.glob(str(pathlib.Path.home() / ".pyenv/versions/*/bin/python3"))
    found = {}
    for path in candidates:
        if re.fullmatch(r"python3(\.\d+)?t?", os.path.basename(path)) and os.access(path, os.X_OK):
            with open(path, "rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue  # a script that starts an interpreter, which is in the list itself
            found.setdefault(os.path.realpath(path), path)
    seen = [_identify(path) for path in found.values()]
    return sorted((one for one in seen if one), key=lambda one: (one.version, one.path))


@functools.lru_cache
def supported():
    return [one for one in every() if one.version >= OLDEST and not one.free_threaded]


if __name__ == "__main__":
    for one in every():
        print(one)
