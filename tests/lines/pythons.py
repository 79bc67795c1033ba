"""The CPythons of this machine that our package supports."""

import functools
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from interpreters import IS_MUSL  # noqa: E402
from mprof_test import MPROF  # noqa: E402

PACKAGE = pathlib.Path(os.environ.get("MPROF_PYTHON_PACKAGE", pathlib.Path(MPROF).parent / "python"))

_ASK = ("import sys, sysconfig; print(sys.implementation.name, *sys.version_info[:2], "
        "int(bool(sysconfig.get_config_var('Py_GIL_DISABLED'))), "
        "int(b'/ld-musl' in open('/proc/self/exe', 'rb').read(4096)))")


def environment(**changes):
    """An environment with our package in the path, without settings of the caller."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("MPROF_", "PYTHON", "LD_"))}
    kept.update(PYTHONPATH=str(PACKAGE), PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")
    if "MPROF_SANITIZER" in os.environ:
        # Python is not built with the sanitizer, and frees much only at exit.
        kept.update(LD_PRELOAD=os.environ["MPROF_SANITIZER"],
                    ASAN_OPTIONS="detect_leaks=0:quarantine_size_mb=0:"
                    "thread_local_quarantine_size_kb=0:max_redzone=16")
    kept.update(changes)
    return {key: value for key, value in kept.items() if value is not None}


def version_of(path):
    """(3, minor) of a CPython that our package supports and that has our C library, else None."""
    try:
        done = subprocess.run([str(path), "-I", "-c", _ASK], capture_output=True, text=True,
                              timeout=60)
        name, major, minor, free_threaded, is_musl = done.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    version = int(major), int(minor)
    fits = name == "cpython" and version >= (3, 8) and free_threaded == "0" and is_musl == str(int(IS_MUSL))
    return version if fits else None


@functools.lru_cache
def found():
    """One interpreter per version, from PATH and ~/.pyenv; the one that runs the tests comes first."""
    candidates = [pathlib.Path(sys.executable)]
    if "MPROF_SANITIZER" in os.environ:
        return candidates
    # Others by name, such as scripts that run an interpreter in another release's tree.
    candidates += map(pathlib.Path, filter(None, os.environ.get("MPROF_MORE_PYTHONS", "").split(":")))
    for minor in range(8, 30):
        path = shutil.which(f"python3.{minor}")
        candidates += [pathlib.Path(path)] if path else []
    candidates += sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    by_version = {}
    for path in candidates:
        version = version_of(path)
        if version:
            by_version.setdefault(version, path)
    return [by_version[version] for version in sorted(by_version)]
