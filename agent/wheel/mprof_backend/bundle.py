"""Libraries and fonts that the wheel brings along, and their licences.

Each library gets a name of its own, by a hash of its content: a program that has loaded another version of it, for
matplotlib or GTK, keeps that one, and drawing has ours."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys

from . import build, elf

# Belongs to the system's C library and compiler: every machine that the tag admits has them.
_SYSTEM = re.compile(r"(ld-|ld64|lib(c|m|dl|rt|pthread|util|resolv|nsl|gcc_s)\.so|linux-vdso)")

# Needed by the libraries of drawing for what drawing does not do: windows of X11 (Cairo), mounts and labels of files (GIO).
_UNUSED = re.compile(r"lib(X11|Xext|Xrender|xcb|xcb-render|xcb-shm|mount|blkid|selinux)\.so")

# The preferred family in the weights that pictures use, or one with more letters.
_FONTS = (("Inter", ("Inter-Regular", "Inter-SemiBold")), ("DejaVu Sans", ("DejaVuSans", "DejaVuSans-Bold")))
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")

_COMMON_LICENCES = "/usr/share/common-licenses"


class Source:
    """A file of this machine that is in the wheel, or in one of its files. path: None for a stand-in."""

    def __init__(self, what, path):
        self.what = what
        self.path = path


# ---- libraries ----

def _resolve(path):
    """{name: path} of all libraries that a file needs, those of libraries included."""
    # static and freestanding objects are no dynamic executables, for ldd
    text = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout
    missing = re.findall(r"^\s*(\S+) => not found", text, re.M)
    if missing:
        raise build.BuildError(f"{os.path.basename(path)} needs {missing[0]}, which is not found")
    return dict(re.findall(r"^\s*(\S+) => (/.*) \(0x", text, re.M))


def _stand_in(folder, name, path, users):
    """A library of functions that do nothing, in place of one whose functions are never called: all that the users import,
    with the same versions. None: nothing can be compiled here."""
    compiler = shutil.which("cc")
    if not compiler:
        return None
    wanted = {symbol for user in users for symbol, _ in elf.symbols(user, is_defined=False)}
    versions = {}
    lines = []
    for (symbol, version), is_function in sorted(elf.symbols(path, is_defined=True).items()):
        if symbol in wanted:
            versions.setdefault(version, []).append(symbol)
            lines.append(f"long {symbol}(void) {{ return 0; }}\n" if is_function else f"long {symbol}[8];\n")
    source, script = os.path.join(folder, "stand-in.c"), os.path.join(folder, "stand-in.map")
    with open(source, "w", encoding="utf-8") as file:
        file.writelines(lines)
    with open(script, "w", encoding="utf-8") as file:
        file.writelines(f"{version} {{ global: {'; '.join(symbols)}; }};\n" for version, symbols in sorted(versions.items())
                        if version)
    result = os.path.join(folder, name)
    options = ["-Wl,--version-script=" + script] if set(versions) != {""} else []
    done = subprocess.run([compiler, "-shared", "-nostdlib", "-fPIC", "-w", "-s", "-Wl,--build-id=none", "-Wl,-soname," + name,
                           *options, "-o", result, source], stdout=sys.stderr, check=False)
    os.unlink(source)
    os.unlink(script)
    return result if done.returncode == 0 else None


def _replace_unused(folder, found, files):
    """{library: path} with stand-ins for what drawing never calls, and without what only those needed."""
    used = {}
    waiting = [path for path in files if elf.is_native(path)]
    while waiting:
        for name in elf.needed(waiting.pop()):
            if name in found and name not in used:
                used[name] = found[name]
                if not _UNUSED.match(name):
                    waiting.append(found[name])
    for name in [name for name in used if _UNUSED.match(name)]:
        users = [path for library, path in [*used.items(), *((path, path) for path in files if elf.is_native(path))]
                 if not _UNUSED.match(library) and name in elf.needed(path)]
        used[name] = _stand_in(folder, name, found[name], users)
        if not used[name]:
            return found
    return used


def _own_name(name, path):
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:8]
    stem, dot, rest = name.partition(".so")
    return f"{stem}-{digest}{dot}{rest}"


def _link(path, run_path, names, soname=None):
    """One change at a time: patchelf 0.14 mixes several up."""
    changes = [["--replace-needed", name, names[name]] for name in elf.needed(path) if name in names]
    changes += [["--set-soname", soname]] if soname else []
    for change in [*changes, ["--set-rpath", run_path]]:
        subprocess.run(["patchelf", *change, path], check=True)
    wrong = set(elf.needed(path)) & set(names)
    if wrong:
        raise build.BuildError(f"patchelf has not replaced {', '.join(sorted(wrong))} in {os.path.basename(path)}: "
                               "use another version of it")


def libraries(folder, files, name):
    """Copies what our files need, except for the C library, into a folder, and links all with each other. files: {name in
    the wheel: path}; name: that of the folder."""
    found = {}
    linked = []
    for own, path in files.items():
        foreign = {library: place for library, place in _resolve(path).items() if not _SYSTEM.match(library)} \
            if elf.is_native(path) else {}
        if foreign and "/scripts/" in own:
            raise build.BuildError(f"the command mprof is linked with {min(foreign)}, which a wheel cannot bring along for "
                                   "it: install the archive of that library, or leave it out by CMAKE_ARGS")
        if foreign:
            linked.append(own)
        found.update(foreign)
    # of their own folder: their name is that of the library
    stand_ins = os.path.join(os.path.dirname(folder), "stand-ins")
    os.mkdir(stand_ins)
    found = _replace_unused(stand_ins, found, files.values())
    names = {library: _own_name(library, path) for library, path in found.items()}
    for library, path in sorted(found.items()):
        copy = os.path.join(folder, names[library])
        shutil.copy(path, copy)
        os.chmod(copy, 0o755)
        _link(copy, "$ORIGIN", names, names[library])
    for own in linked:
        _link(files[own], os.path.join("$ORIGIN", os.path.relpath(name, os.path.dirname(own))), names)
    return [Source(f"native/libs/{names[library]}", None if os.path.dirname(path) == stand_ins else path)
            for library, path in sorted(found.items())]


# ---- fonts ----

def fonts():
    """The files of one family, and their licences; none, with a warning, if it is not installed here."""
    installed = {}
    for folder in _FONT_FOLDERS:
        for place, folders, files in os.walk(folder):
            folders.sort()
            for file in files:
                stem, extension = os.path.splitext(file)
                if extension in (".otf", ".ttf"):
                    installed.setdefault(stem, os.path.join(place, file))
    for _, names in _FONTS:
        if all(name in installed for name in names):
            paths = [installed[name] for name in names]
            return paths, [Source("native/fonts/" + os.path.basename(path), path) for path in paths]
    print("mprof: neither Inter nor DejaVu Sans is installed (Debian: fonts-inter): the wheel has no font, and "
          "draws only where one is installed", file=sys.stderr)
    return [], []


# ---- licences ----

def _ask(*command):
    """What a program prints; empty where it is not installed."""
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def _names_of(path):
    """With /lib a link to /usr/lib, a package may have the file by either name."""
    names = [path, os.path.realpath(path)]
    return names + ["/usr" + name for name in names] + [name[4:] for name in names if name.startswith("/usr/")]


def _packages_of(paths):
    """{path: (package, version)} of installed files, by Debian's or Red Hat's package manager."""
    names = {name: path for path in paths for name in _names_of(path)}
    found = {}
    for line in _ask("dpkg-query", "--search", *names).splitlines():
        package, _, name = line.rpartition(": ")
        if name in names:
            found[names[name]] = package.split(", ")[0].split(":")[0]
    versions = dict(line.split(" ", 1) for line in _ask(
        "dpkg-query", "--show", "--showformat", "${Package} ${Version}\n", *set(found.values())).splitlines())
    known = {path: (package, versions.get(package, "")) for path, package in found.items()}
    for path in set(paths) - set(known):
        text = _ask("rpm", "-qf", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\n", path).partition("\n")[0]
        if text.count(" ") == 1:
            known[path] = tuple(text.split(" "))
    return known


def _texts_of(package):
    """Paths of a package's licences."""
    places = [f"/usr/share/doc/{package}", f"/usr/share/licenses/{package}"]
    return [os.path.join(place, name) for place in places if os.path.isdir(place)
            for name in sorted(os.listdir(place)) if re.match(r"(?i)copyright|licen[sc]e|copying", name)]


def linked_archives():
    """Archives that are linked into our files."""
    found = []
    everywhere = "the command mprof, native/mprof-draw, _mprof.abi3.so"
    for name, what in (("libjansson.a", "the command mprof, native/mprof-draw"), ("libz.a", everywhere),
                       ("libzstd.a", everywhere), ("libc.a", "the command mprof")):
        path = _ask("cc", f"-print-file-name={name}")
        if os.path.isabs(path.strip()):
            found.append(Source(f"{what} (linked)", path.strip()))
    return found


def licence_files(sources, folder, dist_info):
    """{name: path}: our licence, those of all packages with the texts that they refer to, and a list of them."""
    os.makedirs(folder)
    files = {f"{dist_info}/licenses/LICENSE": os.path.join(build.SOURCE, "LICENSE")}
    lines = ["Files of this wheel from other projects, with the package and version that they are from.",
             "The licences are in the folder of that name.", ""]
    common = set()
    packages = _packages_of([source.path for source in sources if source.path])
    for source in sources:
        if not source.path:
            lines.append(f"{source.what}: mprof (functions that do nothing, in place of those of the library, which are never called)")
            continue
        package, version = packages.get(source.path, ("of no installed package", ""))
        texts = _texts_of(package)
        lines.append(f"{source.what}: {package} {version}".rstrip()
                     + ("" if texts else " (no licence found on the machine that built this wheel)"))
        if not texts:
            print(f"mprof: no licence was found for {source.what}", file=sys.stderr)
        for path in texts:
            files[f"{dist_info}/licenses/{package}/{os.path.basename(path)}"] = path
            with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
                common.update(re.findall(_COMMON_LICENCES + r"/([\w.-]*\w)", file.read().decode(errors="replace")))
    for name in sorted(common):
        path = os.path.join(_COMMON_LICENCES, name)
        if os.path.isfile(path):
            files[f"{dist_info}/licenses/common-licenses/{name}"] = path
    listed = os.path.join(folder, "BUNDLED.txt")
    with open(listed, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    files[f"{dist_info}/licenses/BUNDLED.txt"] = listed
    return files
