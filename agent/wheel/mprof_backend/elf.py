"""What ELF files need: the wheel's tag is the oldest glibc that has all symbol versions that its files import."""

import os
import re
import subprocess
import sysconfig


def is_native(path):
    """An ELF file of this machine, not the shim for programs of 32 bits."""
    with open("/proc/self/exe", "rb") as own, open(path, "rb") as file:
        mine, head = own.read(20), file.read(20)
    return head[:6] == mine[:6] and head[18:20] == mine[18:20]


def _dump(path):
    return subprocess.run(["objdump", "-p", path], stdout=subprocess.PIPE, check=True, text=True,
                          errors="surrogateescape", env={**os.environ, "LC_ALL": "C"}).stdout


def needed(path):
    """Names of the libraries that a file is linked with."""
    return re.findall(r"^ +NEEDED +(\S+)$", _dump(path), re.M)


def symbols(path, is_defined):
    """{(name, version): is it a function} of the dynamic symbols that a file defines, or imports."""
    text = subprocess.run(["objdump", "-T", path], stdout=subprocess.PIPE, check=True, text=True,
                          errors="surrogateescape", env={**os.environ, "LC_ALL": "C"}).stdout
    rows = re.findall(r"^[0-9a-f]+ (.......) (\S+)\t[0-9a-f]+ +(?:\(?([\w.]+)\)? +)?(?:0x[0-9a-f]+ )?(\S+)$", text, re.M)
    return {(name, "" if version == "Base" else version): flags[6] in "Fi" for flags, section, version, name in rows
            if (section != "*UND*") == is_defined and name != version}


def glibc_version(path):
    """The newest version of glibc's symbols that a file imports; (0, 0): none."""
    references = _dump(path).partition("Version References:")[2]
    versions = re.findall(r" GLIBC_(\d+)\.(\d+)(?:\.\d+)?$", references, re.M)
    return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))


def wheel_tag(paths):
    """CPython's stable interface of 3.8, and the C library: manylinux_X_Y where it is glibc."""
    machine = re.sub(r"\W", "_", sysconfig.get_platform()).replace("linux_", "", 1)
    native = [path for path in paths if is_native(path)]
    newest = max(map(glibc_version, native), default=(0, 0))
    is_glibc = newest != (0, 0)
    # pip knows the tags of each machine from its first glibc on
    oldest = {"x86_64": (2, 5), "i686": (2, 5)}.get(machine, (2, 17))
    if not is_glibc:
        return f"cp38-abi3-linux_{machine}"
    major, minor = max(newest, oldest)
    return f"cp38-abi3-manylinux_{major}_{minor}_{machine}"
