"""Which file is where: in the wheel, and in the source distribution."""

import os
import subprocess

from . import build, metadata

# Of the installed tree, beside the packages.
_PRIVATE = "libexec/mprof"
_PACKAGES = "lib/mprof/python"

# Pictures that only pages of the project show, larger than all else.
_NOT_IN_SDIST = ("docs/gallery/", "build/", "demo-output/")


def native_folder():
    """The program finds it by its name: mprof__installed_file."""
    return f"mprof/native-{metadata.version()}"


def scripts_folder():
    return f"mprof-{metadata.version()}.data/scripts"


def files_of(folder, name):
    """{name/path: path in the file system} of all files below a folder."""
    found = {}
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [one for one in folders if one != "__pycache__"]
        for file in files:
            path = os.path.join(place, file)
            found[os.path.normpath(os.path.join(name, os.path.relpath(path, folder)))] = path
    return found


def wheel_files(stage):
    """{name in the wheel: path} of an installed tree."""
    packages = os.path.join(stage, _PACKAGES)
    if not os.path.isdir(packages):
        raise build.BuildError("the build has no Python package: build it with -DMPROF_AGENT=ON and the default "
                               "MPROF_PYTHON_DIR")
    files = {name: path for name, path in files_of(packages, "").items() if ".dist-info" not in name}
    files.update(files_of(os.path.join(stage, _PRIVATE), native_folder()))
    # twice: the modules run theirs when the command is that of memory_profiler, or was removed with it
    for folder in (scripts_folder(), native_folder()):
        files[folder + "/mprof"] = os.path.join(stage, "bin", "mprof")
    for place, _, names in os.walk(stage):
        for name in names:
            if name.startswith("libmprof-render.so"):
                files[native_folder() + "/libmprof-render.so"] = os.path.realpath(os.path.join(place, name))
    return files


def source_files():
    """Names of what the source distribution has, sorted: what git knows, or all files of an unpacked one."""
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=build.SOURCE, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) \
        if os.path.exists(os.path.join(build.SOURCE, ".git")) else None
    if done and done.returncode == 0:
        names = os.fsdecode(done.stdout).split("\0")
        names = [name for name in names if name and os.path.isfile(os.path.join(build.SOURCE, name))]
    else:
        names = files_of(build.SOURCE, "")
    return sorted(name for name in names if not name.startswith(_NOT_IN_SDIST) and name != "PKG-INFO")
