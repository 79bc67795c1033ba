"""The source of Debian's python3-memory-profiler, for its tests: fetched from where this system gets
its packages, unpacked into a folder of the caller's, never kept."""

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


def fetch(folder):
    """Path of upstream's folder test/; SkipTest where it cannot be had."""
    folder = pathlib.Path(folder)
    try:
        sources = _sources()
    except OSError:
        raise unittest.SkipTest("no apt-get here")
    if not sources:
        raise unittest.SkipTest("no Debian archive is configured")
    for part in ("lists/partial", "cache/archives/partial", "source"):
        (folder / part).mkdir(parents=True)
    (folder / "sources.list").write_text("\n".join(sources) + "\n")
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::SourceList={folder}/sources.list",
           "-o", "Dir::Etc::SourceParts=/dev/null", "-o", f"Dir::State::Lists={folder}/lists",
           "-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=",
           "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20"]
    for command in (["update"], ["source", "--download-only", "--tar-only", PACKAGE]):
        done = _run([*apt, *command], cwd=folder / "source")
        if done.returncode != 0:
            raise unittest.SkipTest(f"apt-get {command[0]}: {done.stderr.strip()[-200:]}")
    (archive,) = (folder / "source").glob("*.orig.tar.*")
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile()
                   and pathlib.PurePath(member.name).parts[1:2] == ("test",)
                   and ".." not in pathlib.PurePath(member.name).parts]
        tar.extractall(folder / "source", members)
    (tests,) = (folder / "source").glob("*/test")
    return tests
