"""Unpacks Debian packages into a folder without installing them, from this system's archives: the source of
python3-memory-profiler, for its tests, and packages of another release."""

import pathlib
import subprocess
import tarfile
import unittest

PACKAGE = "python3-memory-profiler"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def _run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=240, **options)


def _sources():
    """deb-src lines of the Debian archives whose binary packages are in use."""
    done = _run(["apt-get", "indextargets", "--format",
                 "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)", "Created-By: Packages"])
    signed = f" [signed-by={KEYS}]" if pathlib.Path(KEYS).exists() else ""
    lines = set()
    for line in done.stdout.splitlines():
        uri, release, component, origin = line.split("|")
        if origin == "Debian":
            lines.add(f"deb-src{signed} {uri} {release} {component}")
    return sorted(lines)


def _apt(folder, lines, *command):
    """apt-get with these sources only, in a folder of its own."""
    for part in ("lists/partial", "cache/archives/partial", "source"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text("\n".join(lines) + "\n")
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::SourceList={folder}/sources.list",
           "-o", "Dir::Etc::SourceParts=/dev/null", "-o", f"Dir::State::Lists={folder}/lists",
           "-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=",
           "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20"]
    for part in (["update"], command):
        done = _run([*apt, *part], cwd=folder / "source")
        if done.returncode != 0:
            raise unittest.SkipTest(f"apt-get {part[0]}: {done.stderr.strip()[-200:]}")


def fetch_binary(folder, package, release):
    """Unpacks a package of another release into the folder; SkipTest if it cannot be fetched."""
    folder = pathlib.Path(folder)
    lines = [line.replace("deb-src", "deb", 1).split() for line in _sources()]
    # The main archive only: the updates of another release are at another address.
    found = [" ".join([*line[:-2], release, line[-1]]) for line in lines
             if "-" not in line[-2]][:1]
    if not found:
        raise unittest.SkipTest("no Debian archive is configured")
    work = folder / "apt"
    _apt(work, found, "download", f"{package}/{release}")
    (archive,) = (work / "source").glob("*.deb")
    _run(["dpkg-deb", "-x", archive, folder], check=True)


def fetch(folder):
    """Path of upstream's folder test/; SkipTest if it cannot be fetched."""
    folder = pathlib.Path(folder)
    try:
        sources = _sources()
    except OSError:
        raise unittest.SkipTest("no apt-get here")
    if not sources:
        raise unittest.SkipTest("no Debian archive is configured")
    _apt(folder, sources, "source", "--download-only", "--tar-only", PACKAGE)
    (archive,) = (folder / "source").glob("*.orig.tar.*")
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile()
                   and pathlib.PurePath(member.name).parts[1:2] == ("test",)
                   and ".." not in pathlib.PurePath(member.name).parts]
        tar.extractall(folder / "source", members)
    (tests,) = (folder / "source").glob("*/test")
    return tests
