"""Packages of npm that tests read; kept in the user's cache, so that they are fetched once."""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest


@functools.lru_cache
def package(name, version):
    """The folder of a package; skips the test if it cannot be had. Scripts of packages are not run."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    place = cache / "mprof-tests" / f"{name}-{version}"
    if not place.exists():
        if not shutil.which("npm"):
            raise unittest.SkipTest("npm is not installed")
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            command = ["npm", "install", f"{name}@{version}", "--prefix", folder, "--ignore-scripts",
                       "--no-audit", "--no-fund", "--no-save", "--fetch-retries=1"]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            except subprocess.TimeoutExpired:
                raise unittest.SkipTest(f"npm cannot fetch {name}") from None
            if done.returncode != 0:
                raise unittest.SkipTest(f"npm cannot fetch {name}")
            try:
                os.rename(pathlib.Path(folder, "node_modules"), place)
            except OSError:  # another test was faster
                pass
    return place / name
