"""Shared by tests in Python: the program under test, processes that never outlive their test, deadlines
instead of sleeps, an independent reader of .dat files, and upstream's.

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
    import mprof_test
"""

import atexit
import contextlib
import ctypes
import functools
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
import types
import unittest

from interpreters import IS_MUSL

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = SOURCE / "fixtures"
PROGRAMS = FIXTURES / "python"
MPROF = os.environ.get("MPROF", str(SOURCE / "build" / "dev" / "mprof"))

# Whether there should be drawing, smoke.build knows.
HAS_DRAWING = (pathlib.Path(MPROF).parent / "mprof-draw").exists()

# Generous: a loaded machine is not a failure. A passing test never waits so long.
DEADLINE_S = 60.0

# Where upstream's modules are, for the interpreter that runs the tests: Debian's package, which tests/musl copies.
UPSTREAM = pathlib.Path(sysconfig.get_path("purelib") if IS_MUSL else "/usr/lib/python3/dist-packages")

# musl's object, whose functions of the heap valgrind replaces, has no soname.
VALGRIND = ["valgrind", "-q", *(["--soname-synonyms=somalloc=NONE"] if IS_MUSL else [])]

# How commands refuse a file that is neither a recording nor a log of another tool.
UNKNOWN = ("is not a recording of memory, nor a log that `mprof import' knows: prmon, psrecord, con-duct, massif, "
           "heaptrack, pidstat, CSV")

# Times of calls in our files are rounded to microseconds, twice on the way.
CLOCK_STEP_S = 0.000002

PR_SET_CHILD_SUBREAPER = 36

# A shell's background job ignores SIGINT, and its children, the recorders, would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Runs a recorder of root without the right to process events.
WITHOUT_EVENTS = (["setpriv", "--bounding-set", "-net_admin"]
                  if os.geteuid() == 0 and shutil.which("setpriv") else [])


# Python source: retitle(text) writes over the arguments, whose length limits the title.
RETITLED = """
import ctypes, os, time
_fields = open("/proc/self/stat").read().rpartition(")")[2].split()
_start, _end = int(_fields[45]), int(_fields[46])
def retitle(text):
    ctypes.memmove(_start, text.encode().ljust(_end - _start, b"\\0"), _end - _start)
"""


def is_sanitized():
    """Whether the program under test has AddressSanitizer, which takes memory of its own."""
    return b"__asan_init" in pathlib.Path(MPROF).read_bytes()


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Polls the condition; returns its first true value, or fails with `what` in the message."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what}")
        time.sleep(0.02)


def process_table():
    """{pid: (ppid, state, command)} of all processes."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = pathlib.Path("/proc", entry, "stat").read_text(errors="replace")
            except OSError:
                continue
            head, _, tail = text.rpartition(") ")
            fields = tail.split()
            table[int(entry)] = (int(fields[1]), fields[0], head.partition("(")[2])
    return table


def descendants(pid):
    """All live descendants of a process, nearest first; zombies are left out."""
    table = process_table()
    found, parents = [], {pid}
    while parents:
        children = {p for p, (ppid, _, _) in table.items() if ppid in parents} - set(found)
        found.extend(sorted(children))
        parents = children
    return [p for p in found if table[p][1] != "Z"]


def working_in(directory):
    """All other processes whose working directory it is."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.path.samefile(f"/proc/{entry}/cwd", directory):
                found.append(int(entry))
    return [pid for pid in found if pid != os.getpid()]


def own_record(line):
    """(word, fields) of a line of ours, "#WORD|field|field nan nan"; see docs/dat-format.md."""
    match = re.fullmatch(r"#([A-Z]+)((?:\|[^|\s]*)*) nan nan", line)
    assert match, f"no record: {line!r}"
    fields = match[2].split("|")[1:]
    return match[1], [unescape(field.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
                      for field in fields]


def own_line(word, *fields):
    """Spells a record of ours as a line of the file."""
    def spell(field):
        return "".join("".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
                       if character in "|" or character.isspace() or not character.isprintable()
                       else "\\\\" if character == "\\" else character for character in str(field))
    return "|".join([f"#{word}", *map(spell, fields)]) + " nan nan\n"


def records_in(path, word):
    """The fields of each record of ours with that word; the file may still grow, or not exist."""
    path = pathlib.Path(path)
    text = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    return [own_record(line)[1] for line in text.split("\n")[:-1] if line.startswith(f"#{word}|")]


class Recording:
    """A parsed .dat file, read without code of the program under test."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.text = self.path.read_bytes().decode("utf-8", "surrogateescape")
        self.lines = self.text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        self.command_line, self.mem, self.chld, self.calls = None, [], [], []
        self.processes, self.exits, self.facts, self.peaks = [], {}, {}, []
        self.lost = 0  # calls
        self.kinds = []
        self._records = {}
        self.named = []  # (pid, time, name) of each PROC
        for line in self.lines:
            word, _, rest = line.partition(" ")
            fields = rest.split(" ")
            if line.startswith("#"):
                word, fields = own_record(line)
                self._records.setdefault(word, []).append(fields)
            if word == "CMDLINE":
                self.command_line = rest
            elif word == "MEM":
                self.mem.append((float(fields[0]), float(fields[1])))
            elif word == "CHLD":
                self.chld.append((int(fields[0]), float(fields[1]), float(fields[2])))
            elif word == "FUNC":
                self.calls.append(self._call(rest))
            elif word == "PROC":
                self.processes.append((int(fields[0]), int(fields[1]), fields[3]))
                self.named.append((int(fields[0]), float(fields[2]), " ".join(fields[3:])))
            elif word == "EXIT":
                self.exits[int(fields[0])] = (fields[2], int(fields[3]) if fields[3:] else None)
            elif word == "PEAK":
                self.peaks.append((int(fields[0]), float(fields[1]), float(fields[2])))
            elif word == "KINDS":
                kinds = dict(field.split("=") for field in fields[2:])
                self.kinds.append((int(fields[0]), float(fields[1]),
                                   {name: float(mib) for name, mib in kinds.items()}))
            elif word == "LOST":
                self.lost += int(fields[2])
            elif word == "FACT":
                self.facts[fields[0]] = fields[1]

        for call in self.calls:  # without a pid: the main process
            call.pid = int(self.facts.get("pid", 0)) or None if call.pid is None else call.pid

    def records(self, word):
        """The fields of each record of ours with that word, in the order of the file."""
        return self._records.get(word, [])

    @staticmethod
    def _call(rest):
        number = r"(-?\d+(?:\.\d+)?)"
        match = re.fullmatch(rf"(.*?) {number} {number} {number} {number}(?: (-?\d+)((?: \S+)*))?",
                             rest)
        assert match, f"FUNC line of no known shape: {rest!r}"
        call = types.SimpleNamespace(
            name=match[1], enter_mib=float(match[2]), enter_s=float(match[3]),
            exit_mib=float(match[4]), exit_s=float(match[5]),
            level=None if match[6] is None else int(match[6]),
            pid=None, lane="", count=1, suspended=0.0, sampled=0.0, open=False,
            escaped=bool(match[7]))  # names are escaped only in lines with fields of ours
        for token in (match[7] or "").split():
            key, _, value = token.partition("=")
            if key == "pid" or key == "count":
                setattr(call, key, int(value))
            elif key in ("suspended", "sampled"):
                setattr(call, key, float(value))
            elif key == "lane":
                call.lane = value
            elif key == "open":
                call.open = True
            else:
                raise AssertionError(f"unknown field of a call: {token!r}")
        call.seconds = call.exit_s - call.enter_s
        return call

    def calls_of(self, name):
        """Calls whose dotted name ends in `name`, in order of entry."""
        found = [call for call in self.calls if ("." + call.name).endswith("." + name)]
        return sorted(found, key=lambda call: call.enter_s)


def preloadable(directory):
    """The same directory by a name without spaces and colons, at which LD_PRELOAD is split."""
    if not set(" :") & set(str(directory)):
        return pathlib.Path(directory)
    folder = tempfile.mkdtemp(prefix="test-preload-")
    atexit.register(shutil.rmtree, folder)
    link = pathlib.Path(folder, "link")
    link.symlink_to(directory)
    return link


def is_for_all(path):
    """Whether every user may read and execute the file, and enter its folders."""
    path = pathlib.Path(path).resolve()
    return (path.stat().st_mode & 0o005 == 0o005
            and all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents))


def python_for_all():
    """A Python that every user may run, with the C library of the one that runs the tests."""
    path = sys.executable if IS_MUSL else "/usr/bin/python3"
    if not os.access(path, os.X_OK) or not is_for_all(path):
        raise unittest.SkipTest("no Python that everybody may run")
    return path


@functools.lru_cache
def program_for_all():
    """The program under test, or a copy of it with its libraries if other users may not enter its folder,
    such as root's home."""
    if is_for_all(MPROF):
        return MPROF
    build = pathlib.Path(MPROF).parent
    folder = pathlib.Path(tempfile.mkdtemp(prefix="test-for-all-"))
    atexit.register(shutil.rmtree, folder)
    for piece in (pathlib.Path(MPROF), build / "mprof-draw", *build.glob("libmprof-*.so")):
        if piece.exists():
            shutil.copy(piece, folder)
    for name, keeps_links in (("preload", True), ("python", False)):
        if (build / name).is_dir():
            shutil.copytree(build / name, folder / name, symlinks=keeps_links)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else (path.stat().st_mode & 0o500) >> 6))
    return str(folder / pathlib.Path(MPROF).name)


_upstream = None


def upstream():
    """Debian's python3-memory-profiler: its module `mprof`, loaded under another name. The modules
    it needs for drawing or measuring are not imported."""
    global _upstream
    if _upstream is None:
        path = UPSTREAM / "mprof.py"
        if not path.exists():
            raise unittest.SkipTest("python3-memory-profiler is not installed")
        spec = importlib.util.spec_from_file_location("upstream_mprof", path)
        _upstream = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(_upstream)
    return _upstream


class TestCase(unittest.TestCase):
    """A test with a private working directory that ends all processes it started."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.access(MPROF, os.X_OK):
            raise AssertionError(f"no program at {MPROF}; set MPROF")
        # Orphans become children of the test, which can find and end them; not under qemu-user.
        cls.adopts_orphans = ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="test-mprof-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(self.end_processes)
        self._started = []
        self._logs = 0

    def environment(self, **changes):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("MPROF", "PYTHON", "LD_", "GITHUB_"))}
        # from 3.13 on tracebacks have colours in a terminal; tests look for mprof's escape sequences only
        environment.update(PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1", PYTHON_COLORS="0", **changes)
        return environment

    def run_mprof(self, *arguments, timeout_s=DEADLINE_S, expect=0, program=MPROF, **options):
        """Runs mprof to its end in the test's directory; returns the CompletedProcess (text)."""
        options.setdefault("cwd", self.directory)
        options.setdefault("env", self.environment())
        options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run([program, *map(str, arguments)], capture_output=True,
                              text=True, errors="surrogateescape", timeout=timeout_s, **options)
        if expect is not None:
            self.assertEqual(done.returncode, expect,
                             f"mprof {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *arguments, **options):
        """Starts a process in its own session; output() returns its output."""
        options.setdefault("cwd", self.directory)
        options.setdefault("env", self.environment())
        self._logs += 1
        log = self.directory / f"output-{self._logs}"
        with open(log, "wb") as sink:
            process = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                                       stdout=sink, stderr=subprocess.STDOUT,
                                       start_new_session=True, **options)
        process.log = log
        self._started.append(process)
        return process

    def start_mprof(self, *arguments, **options):
        return self.start(MPROF, *arguments, **options)

    @staticmethod
    def output(process):
        return process.log.read_text(errors="replace")

    def wait_for_output(self, process, pattern):
        """Waits until the process's output matches; returns the match."""
        def poll():
            match = re.search(pattern, self.output(process))
            if not match and process.poll() is not None:
                match = re.search(pattern, self.output(process))
                if not match:
                    self.fail(f"ended with {process.returncode} before {pattern!r} was seen:\n"
                              + self.output(process))
            return match
        return wait_until(poll, f"{pattern!r} in the output")

    def wait_for_end(self, process, deadline_s=DEADLINE_S):
        """Exit code of a process, negative for a signal."""
        try:
            return process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.fail(f"still running after {deadline_s:.0f} s:\n" + self.output(process))

    def end_processes(self):
        """Kills all started processes that still run, with their descendants."""
        for _ in range(50):
            left = descendants(os.getpid())
            if not self.adopts_orphans:
                left += working_in(self.directory)
            if not left:
                break
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        for process in self._started:
            process.wait()
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break

    def assert_no_process_left(self):
        wait_until(lambda: not descendants(os.getpid()), "end of all started processes", 20)

    def assert_nested(self, calls):
        """Every call is inside one of the level above, in the same lane and process; calls of one level and
        lane never overlap."""
        rows = {}
        for call in calls:
            rows.setdefault((call.pid, call.lane, call.level), []).append(call)
        for (pid, lane, level), row in rows.items():
            row.sort(key=lambda call: call.enter_s)
            for before, after in zip(row, row[1:]):
                self.assertLessEqual(before.exit_s, after.enter_s + CLOCK_STEP_S,
                                     f"two calls overlap in one row: {before} {after}")
            if level == 0:
                continue
            for call in row:
                callers = [outer for outer in rows.get((pid, lane, level - 1), ())
                           if outer.enter_s <= call.enter_s + CLOCK_STEP_S
                           and call.exit_s <= outer.exit_s + CLOCK_STEP_S]
                self.assertEqual(len(callers), 1, f"one caller of {call}: {callers}")

    def caller_of(self, call, calls):
        """The call of the level above that contains `call`."""
        return next(outer for outer in calls
                    if (outer.pid, outer.lane, outer.level) == (call.pid, call.lane, call.level - 1)
                    and outer.enter_s <= call.enter_s + CLOCK_STEP_S
                    and call.exit_s <= outer.exit_s + CLOCK_STEP_S)

    def recordings(self):
        return sorted(self.directory.glob("mprofile_*.dat"))

    def only_recording(self):
        found = self.recordings()
        self.assertEqual(len(found), 1, found)
        return Recording(found[0])

    def assert_upstream_reads_the_same(self, recording):
        """Upstream's reader finds the same samples, children and calls."""
        read = upstream().read_mprofile_file(str(recording.path))
        self.assertEqual(read["cmd_line"].rstrip("\n"), recording.command_line)
        self.assertEqual(list(zip(read["mem_usage"], read["timestamp"])), recording.mem)
        children = {}
        for pid, mib, moment in recording.chld:
            children.setdefault(str(pid), []).append((mib, moment))
        self.assertEqual(dict(read["children"]), children)
        calls = {}
        for call in recording.calls:
            calls.setdefault(call.name, []).append(
                [call.enter_s, call.exit_s, call.enter_mib, call.exit_mib, call.level])
        self.assertEqual({name: [list(span) for span in spans]
                          for name, spans in read["func_timestamp"].items()}, calls)

    def assert_draws(self, *recordings, options=()):
        """mprof plot writes a valid picture of every format; returns the paths by extension, none in a build without
        drawing."""
        pictures = {}
        if not HAS_DRAWING:
            return pictures
        for kind, check in (("png", check_png), ("svg", check_svg), ("pdf", check_pdf)):
            picture = self.directory / f"picture.{kind}"
            picture.unlink(missing_ok=True)
            self.run_mprof("plot", *options, "-o", picture, *recordings)
            check(picture)
            if kind == "png" and "--flame" not in options:
                width, height = png_size(picture)  # lanes of calls may need more height
                self.assertTrue(width == 1260 and 540 <= height <= 1200, (width, height))
            pictures[kind] = picture
        return pictures


def png_size(path):
    """(width, height) in pixels."""
    data = pathlib.Path(path).read_bytes()[:24]
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def check_png(path):
    """A PNG as wide as upstream's and at least as high, whole to its last chunk."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG signature"
    width, height = png_size(path)
    assert width == 1260 and height >= 540, f"{width}x{height} pixels"
    assert data[-8:-4] == b"IEND", "PNG without its end"


def _tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, f"{command[0]}: {done.stderr}{done.stdout}"
    return done.stdout


def check_svg(path):
    """Well-formed for xmllint, and an <svg> at the root."""
    _tool("xmllint", "--noout", "--nonet", str(path))
    assert "<svg" in pathlib.Path(path).read_text(encoding="utf-8")[:4000], "no <svg> element"


def check_pdf(path):
    """One page for pdfinfo; its text can be extracted."""
    assert re.search(r"^Pages:\s+1$", _tool("pdfinfo", str(path)), re.M), "not one page"
    assert _tool("pdftotext", str(path), "-").strip(), "a PDF without any text"


def python():
    """The interpreter that runs the tests: Debian's."""
    return sys.executable


def unescape(word):
    """The bytes of an escaped field; see docs/dat-format.md."""
    if word == b"\\e":
        return b""
    return re.sub(rb"\\(?:x([0-9A-Fa-f]{2})|(\\))",
                  lambda match: bytes([int(match[1], 16)]) if match[1] else b"\\", word)


@contextlib.contextmanager
def tiny_file_system(place, size):
    """A file system of that size at `place`, for tests of full disks; skips without the right to mount."""
    place = pathlib.Path(place)
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=False)


@contextlib.contextmanager
def memory_limit(size):
    """A control group with that limit; yields the shell command by which a process enters it. Skips if none
    can be made."""
    version_1 = pathlib.Path("/sys/fs/cgroup/memory")
    root = version_1 if version_1.is_dir() else pathlib.Path("/sys/fs/cgroup")
    group = root / f"mprof-test-{os.getpid()}"
    limits = (("memory.limit_in_bytes", "memory.memsw.limit_in_bytes") if root == version_1
              else ("memory.max", "memory.swap.max"))
    try:
        group.mkdir()
    except OSError as error:
        raise unittest.SkipTest(f"no control group can be made here: {error}")
    try:
        try:
            (group / limits[0]).write_text(size)
        except OSError as error:
            raise unittest.SkipTest(f"no memory limit can be set here: {error}")
        with contextlib.suppress(OSError):
            (group / limits[1]).write_text(size if root == version_1 else "0")
        yield f"echo $$ > {group}/cgroup.procs"
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text().strip(), "an empty group")
        group.rmdir()
