"""What the plugin of pytest does with tests: measures and judges each, records all, and reports at the end."""

import bisect
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import time

import pytest

from ._limit import Meter, parse_size, size_text

_TOLERANCE = 0.05
_FLOOR = 2 << 20
_SHOWN_FUNCTIONS = 3
_WIDEST_NAME = 60
_SECTION = "mprof"
_OURS = re.compile(r"pytest(-\w+)?\.dat|results\.json|\.gitignore|test-\d+-.*\.svg")


def _span_name(nodeid):
    """Its name as a call. Labels of calls are cut at dots."""
    return nodeid.replace(".py::", "::").replace(".", "\u00b7")


class Test:
    """A test: its memory above what there was at its beginning, and its limits."""

    __test__ = False  # pytest collects classes of this name

    def __init__(self, item, session=None):
        self.item = item
        self.session = session
        self.pid = os.getpid()
        self.problems = []
        self._meter = Meter()
        self._span = contextlib.nullcontext()
        self.peak_bytes = self.growth_bytes = 0
        self.first_s = self.last_s = 0.0

    def begin(self):
        self._meter.start()
        if self.session is not None:
            self._span = self.session.open_span(self.item.nodeid)
        self._span.__enter__()
        self.first_s = time.time()

    def end(self):
        if os.getpid() != self.pid:
            return  # a fork of the test that goes on in pytest
        self.last_s = time.time()
        self._span.__exit__(None, None, None)
        self._meter.stop()
        self.growth_bytes = self._meter.growth_bytes
        self.peak_bytes = self._meter.peak_bytes
        if self.session is not None:
            self.peak_bytes = max(self.peak_bytes, self.session.highest_of_samples(self.first_s, self.last_s) - self._meter.start_bytes)

    # --- limits ---

    def _check_mark(self):
        mark = self.item.get_closest_marker("limit_memory")
        if mark is None:
            return None
        values = list(mark.args) + [mark.kwargs[name] for name in ("limit", "memory_limit") if name in mark.kwargs]
        if len(values) != 1:
            self.problems.append("limit_memory needs one limit, such as limit_memory('100 MB')")
            return None
        try:
            limit = parse_size(values[0])
        except ValueError as error:
            self.problems.append(f"limit_memory: {error}")
            return None
        if self.peak_bytes > limit:
            self.problems.append(f"needed {size_text(self.peak_bytes)} of memory, limit {size_text(limit)}")
        return limit

    def _check_baseline(self):
        before = self.session.baseline_of(self.item.nodeid) if self.session is not None else None
        if before is not None and self.peak_bytes > max(before * (1 + _TOLERANCE), before + _FLOOR):
            share = f", {self.peak_bytes / before - 1:+.1%}" if before > 0 else ""
            self.problems.append(
                f"needed {size_text(self.peak_bytes)} of memory, in the baseline {size_text(before)} "
                f"({size_text(self.peak_bytes - before, True)}{share})")
        return before

    def judge(self, report):
        """Adds what was measured to the report of the call, and lets the test fail if it crossed a limit."""
        limit, before = self._check_mark(), self._check_baseline()
        report.mprof = {
            "nodeid": self.item.nodeid, "peak_bytes": self.peak_bytes, "growth_bytes": self.growth_bytes,
            "start_bytes": self._meter.start_bytes, "is_exact": self._meter.is_exact, "limit_bytes": limit,
            "baseline_bytes": before, "first_s": self.first_s, "duration_s": self.last_s - self.first_s,
            "problems": self.problems, "has_leak_limit": self.item.get_closest_marker("limit_leaks") is not None,
        }
        if not self.problems:
            return
        text = "\n".join(self.problems)
        if report.outcome == "passed" and not hasattr(report, "wasxfail"):
            report.outcome = "failed"
            report.longrepr = f"{self.item.nodeid}: {text}"
            report.mprof_crossed = True
            report.sections.append((_SECTION, self._story(text)))
        elif hasattr(report, "wasxfail") and report.outcome == "passed":
            report.outcome = "skipped"  # it failed as expected
        elif report.outcome == "failed" and str(report.longrepr).startswith("[XPASS(strict)]"):
            report.wasxfail = str(report.longrepr).partition(" ")[2]
            report.outcome = "skipped"
            report.longrepr = None
        else:
            report.sections.append((_SECTION, text))

    def _story(self, text):
        lines = [text, f"{size_text(self._meter.start_bytes)} before the test, "
                 f"{size_text(self.growth_bytes, True)} after it"]
        if not self._meter.is_exact:
            lines.append("the kernel's mark cannot be reset here: the peak is that of samples, there may have been more")
        return "\n".join(lines)


# --- recordings ---

def _unescape(text):
    """A name of a recording; see docs/dat-format.md."""
    if "\\" not in text:
        return text
    raw = text.encode("utf-8", "surrogateescape")
    raw = re.sub(rb"\\(\\|x[0-9a-f]{2})", lambda match: b"\\" if match[1] == b"\\" else bytes([int(match[1][1:], 16)]),
                 raw)
    return raw.decode("utf-8", "replace")


class Forks:
    """The pids of children that Python forked, as they report themselves: they share their parent's pages, and a
    name does not distinguish them from programs that were executed."""

    _file = None  # inherited by children

    def __init__(self):
        if Forks._file is None:
            Forks._file = os.memfd_create("mprof-forks")
            os.register_at_fork(after_in_child=Forks._report)

    @staticmethod
    def _report():
        with contextlib.suppress(OSError):
            os.write(Forks._file, b"%d\n" % os.getpid())

    @staticmethod
    def pids():
        text = os.pread(Forks._file, os.fstat(Forks._file).st_size, 0)
        return {int(line) for line in text.split()}


class Samples:
    """The samples of a recording that grows: this process and its children at each tick.

    A child that was forked shares its pages with its parent: of such a child only what it adds counts.
    """

    def __init__(self, path):
        self._path = path
        self._forks = Forks()
        self._forked = set()
        self._offset = 0
        self._rest = b""
        self._names = {}  # pid -> last name
        self._first = {}  # pid -> bytes that it shares, at most
        self._own = 0
        self._children = {}  # pid -> bytes, of the current tick
        self._time = None
        self.ticks = []  # (time, own bytes, those of children), since the last call of take()

    def _tick(self):
        return self._time, self._own, sum(self._children.values())

    def _end_tick(self):
        if self._time is not None:
            self.ticks.append(self._tick())
        self._children = {}

    def _child(self, pid, count):
        if pid not in self._first:
            self._first[pid] = count if pid in self._forked else 0
        elif count < self._first[pid] // 2:
            self._first[pid] = 0  # it has executed another program
        self._children[pid] = max(0, count - self._first[pid])

    def _line(self, line):
        if line.startswith(b"MEM "):
            fields = line.split()
            self._end_tick()
            self._own, self._time = round(float(fields[1]) * (1 << 20)), float(fields[2])
        elif line.startswith(b"CHLD "):
            fields = line.split()
            self._child(int(fields[1]), round(float(fields[2]) * (1 << 20)))
        elif line.startswith(b"#PROC|"):
            fields = line.split(b" ")[0].split(b"|")
            pid = int(fields[1])
            if pid in self._names and self._names[pid] != fields[4]:
                self._first[pid] = 0
            self._names[pid] = fields[4]

    def take(self):
        """Reads what is new; returns the ticks since the last call."""
        with contextlib.suppress(OSError), open(self._path, "rb") as file:
            file.seek(self._offset)
            new = file.read()
            self._offset += len(new)
            *lines, self._rest = (self._rest + new).split(b"\n")
            self._forked = self._forks.pids()
            for line in lines:
                with contextlib.suppress(IndexError, ValueError):
                    self._line(line)
        ticks, self.ticks = self.ticks, []
        if self._time is not None:
            ticks.append(self._tick())
        return ticks


class Calls:
    """The calls of a recording that has ended."""

    def __init__(self, path):
        self.calls = []  # (name, entry, exit, bytes added)
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                match = re.match(r"FUNC (.*?) (-?[\d.]+) (-?[\d.]+) (-?[\d.]+) (-?[\d.]+)", line)
                if match:
                    added = round((float(match[4]) - float(match[2])) * (1 << 20))
                    self.calls.append((_unescape(match[1]), float(match[3]), float(match[5]), added))
        self.calls.sort(key=lambda call: call[1])
        self._entries = [call[1] for call in self.calls]

    def last_of(self, name):
        """(entry, exit) of its last call, or None."""
        return next(((call[1], call[2]) for call in reversed(self.calls) if call[0] == name), None)

    def within(self, first_s, last_s, but):
        """What each function did between two times: the most added first."""
        sums = {}
        found = slice(bisect.bisect_left(self._entries, first_s), bisect.bisect_right(self._entries, last_s))
        for name, entry, leaving, added in self.calls[found]:
            if leaving <= last_s + 0.001 and name != but:
                calls, total, most = sums.get(name, (0, 0.0, added))
                sums[name] = (calls + 1, total + leaving - entry, max(most, added))
        return [{"name": name, "calls": calls, "total_s": round(total, 6), "most_added_bytes": most}
                for name, (calls, total, most) in sorted(sums.items(), key=lambda item: -item[1][2])]


# --- the session ---

def _machine():
    """What the baseline's figures depend on."""
    return f"{platform.machine()} {sys.implementation.name}-{sys.version_info[0]}.{sys.version_info[1]}"


class Session:
    """A session with --mprof: in a worker of xdist it records tests, in the controller it reports, else both."""

    def __init__(self, config):
        self.config = config
        self.pid = os.getpid()
        self.worker = getattr(config, "workerinput", {}).get("workerid")
        given = getattr(config, "workerinput", {}).get("mprof_dir") or config.getoption("mprof_dir") or "mprof-pytest"
        self.directory = os.path.abspath(given)
        self.notes = []
        self.results = []  # of report.mprof, completed
        self._recording = None
        self._was_tried = False
        self._samples = None
        self._baseline = self._read_baseline()
        if self.worker is None:
            self._clear()

    def _clear(self):
        """Files of an earlier session."""
        with contextlib.suppress(OSError):
            for name in os.listdir(self.directory):
                if _OURS.fullmatch(name):
                    os.unlink(os.path.join(self.directory, name))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        node.workerinput["mprof_dir"] = self.directory

    # --- recording ---

    def _start(self):
        """Before the first test: the controller of xdist runs none. Whatever goes wrong, tests run."""
        self._was_tried = True
        from ._program import program
        from ._recording import Recording
        try:
            os.makedirs(self.directory, exist_ok=True)
            with open(os.path.join(self.directory, ".gitignore"), "w", encoding="utf-8") as file:
                file.write("*\n")
            path = os.path.join(self.directory, f"pytest-{self.worker}.dat" if self.worker else "pytest.dat")
            recording = Recording(program(), path, self.config.getoption("mprof_interval"), ["--multiprocess"],
                                  self.config.getoption("mprof_functions"))
            recording.start()
        except (OSError, RuntimeError) as error:
            text = str(error)
            self.notes.append(f"not recorded, only measured: {text[len('mprof: '):] if text.startswith('mprof: ') else text}")
            return
        self._recording = recording
        self._samples = Samples(path)

    def open_span(self, nodeid):
        """The test as a call in the recording, so that pictures show it, and a crash leaves its name."""
        import builtins
        decorator = getattr(builtins, "profile", None)
        if self._recording is None or not hasattr(decorator, "timestamp"):
            return contextlib.nullcontext()
        return decorator.timestamp(_span_name(nodeid))

    def highest_of_samples(self, first_s, last_s):
        """Of this process and what its children have above their last sample before the first time."""
        before = highest = 0
        for moment, own, children in self._samples.take() if self._samples is not None else ():
            if moment <= first_s:
                before = children
            elif moment <= last_s:
                highest = max(highest, own + children - before)
        return highest

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self):
        if not self._was_tried and os.getpid() == self.pid:
            self._start()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item):
        if os.getpid() != self.pid:
            yield
            return
        item._mprof_test = test = Test(item, self)
        if self._samples is not None:
            self._samples.take()
        test.begin()
        yield
        test.end()

    def pytest_sessionfinish(self):
        if os.getpid() != self.pid or self._recording is None:
            return
        recording, self._recording = self._recording, None
        try:
            recording.stop()
            self.notes += [note[len("mprof: "):] if note.startswith("mprof: ") else note for note in recording.notes]
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            self.notes.append(f"the recording is incomplete: {error}")
        if self.worker is not None:
            self.config.workeroutput["mprof_notes"] = self.notes

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error):
        for note in getattr(node, "workeroutput", {}).get("mprof_notes", []):
            if note not in self.notes:
                self.notes.append(note)

    # --- results ---

    def pytest_runtest_logreport(self, report):
        """In the process that reports, also of tests that ran in workers."""
        if self.worker is not None:
            return
        measured = getattr(report, "mprof", None)
        worker = getattr(getattr(report, "node", None), "gateway", None)
        worker = getattr(worker, "id", None)
        if measured is not None:
            self.results.append({**measured, "outcome": self._outcome(report), "worker": worker})
        elif report.outcome == "failed" and report.when not in ("setup", "call", "teardown"):
            # the worker crashed: the recording still has the call
            self.results.append({"nodeid": report.nodeid, "outcome": "crashed", "worker": worker, "problems": []})

    @staticmethod
    def _outcome(report):
        if hasattr(report, "wasxfail"):
            return "xfailed" if report.outcome == "skipped" else "xpassed"
        return report.outcome

    def _complete(self):
        """Adds what the recordings know."""
        recordings = {}
        for result in self.results:
            name = f"pytest-{result['worker']}.dat" if result["worker"] else "pytest.dat"
            path = os.path.join(self.directory, name)
            if path not in recordings:
                recordings[path] = Calls(path) if os.path.isfile(path) else None
            calls = recordings[path]
            result["recording"] = name if calls is not None else None
            if calls is None:
                continue
            if "first_s" not in result:
                found = calls.last_of(_span_name(result["nodeid"]))
                if found is None:
                    continue
                result["first_s"], result["duration_s"] = found[0], found[1] - found[0]
            last_s = result["first_s"] + result["duration_s"]
            result["functions"] = calls.within(result["first_s"], last_s, _span_name(result["nodeid"]))
        return [path for path, calls in recordings.items() if calls is not None]

    def _draw(self):
        """A picture of each test that failed."""
        from ._program import program
        most = self.config.getoption("mprof_pictures")
        failed = [result for result in self.results if result["outcome"] in ("failed", "crashed")
                  and result.get("recording") and "first_s" in result]
        for number, result in enumerate(failed[:most], 1):
            name = f"test-{number}-{re.sub(r'[^A-Za-z0-9_.=-]+', '-', result['nodeid'])[-80:].strip('-')}.svg"
            path = os.path.join(self.directory, result["recording"])
            margin = max(0.02, result["duration_s"] * 0.05)
            first = result["first_s"] - self._start_of(path) - margin
            done = subprocess.run(
                [program(), "plot", "--output", os.path.join(self.directory, name), "--title", result["nodeid"],
                 f"--window={max(0, first):.6f},{first + result['duration_s'] + 2 * margin:.6f}", path],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
            if done.returncode == 0:
                result["picture"] = name
            else:
                lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
                self.notes.append(f"no pictures: {lines[-1] if lines else done.returncode}")
                return
        if len(failed) > most:
            self.notes.append(f"{len(failed) - most} more failed tests have no picture (--mprof-pictures)")

    @staticmethod
    def _start_of(path):
        """Time of the first sample."""
        with open(path, "rb") as file:
            for line in file:
                if line.startswith(b"MEM "):
                    return float(line.split()[2])
        return 0.0

    def _write(self):
        document = {"format": "mprof-pytest", "version": 1, "machine": _machine(), "tests": self.results}
        with open(os.path.join(self.directory, "results.json"), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")

    def _write_page(self, recordings):
        page = self.config.getoption("mprof_report")
        if not page or not recordings:
            return
        from ._program import program
        done = subprocess.run([program(), "report", "-o", page, *recordings], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        self.notes.append(f"page: {page}" if done.returncode == 0
                          else f"no page: {lines[-1] if lines else done.returncode}")

    # --- the baseline ---

    def _read_baseline(self):
        """{node id: bytes} of this machine and Python; None if it is not compared."""
        path = self.config.getoption("mprof_baseline")
        if not path or (self.config.getoption("mprof_update_baseline") and not os.path.exists(path)):
            return None
        try:
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
            if document["format"] != "mprof-pytest-baseline":
                raise ValueError("is not a baseline of tests")
            known = {name: figures.get(_machine()) for name, figures in document["tests"].items()}
        except (OSError, ValueError, KeyError, AttributeError) as error:
            reason = getattr(error, "strerror", None) or (error if isinstance(error, ValueError) else "is not a baseline of tests")
            raise pytest.UsageError(f"--mprof-baseline: {path}: {reason}") from None
        self._document = document
        return known

    def baseline_of(self, nodeid):
        if self._baseline is None or self.config.getoption("mprof_update_baseline"):
            return None
        return self._baseline.get(nodeid)

    def _update_baseline(self):
        path = self.config.getoption("mprof_baseline")
        if not path:
            return
        measured = {result["nodeid"]: result["peak_bytes"] for result in self.results
                    if result["outcome"] == "passed" and "peak_bytes" in result}
        if not self.config.getoption("mprof_update_baseline"):
            new = [name for name in measured if self._baseline.get(name) is None]
            if new:
                self.notes.append(f"{len(new)} test{'s' if len(new) > 1 else ''} not in the baseline for {_machine()} "
                                  "(--mprof-update-baseline)")
            return
        document = getattr(self, "_document", {"format": "mprof-pytest-baseline", "version": 1, "tests": {}})
        for name, count in measured.items():
            document["tests"].setdefault(name, {})[_machine()] = count
        document["tests"] = dict(sorted(document["tests"].items()))
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
        self.notes.append(f"baseline of {len(measured)} tests: {path}")

    # --- the end ---

    def pytest_terminal_summary(self, terminalreporter):
        if self.worker is not None or os.getpid() != self.pid or not (self.results or self.notes):
            return
        recordings = self._complete()
        with contextlib.suppress(OSError):
            self._draw()
        try:
            if recordings:
                self._write()
            self._write_page(recordings)
            self._update_baseline()
        except OSError as error:
            self.notes.append(f"cannot write: {error}")
        self._print(terminalreporter, recordings)

    def _print(self, reporter, recordings):
        reporter.write_sep("=", "mprof: memory of tests")
        most = self.config.getoption("mprof_top")
        measured = sorted((result for result in self.results if "peak_bytes" in result),
                          key=lambda result: -result["peak_bytes"])
        shown = measured[:most] if most > 0 else measured
        if shown:
            reporter.write_line(f"{'peak':>12} {'left':>12} {'time':>9}  test")
        for result in shown:
            peak = ("" if result["is_exact"] else ">= ") + size_text(result["peak_bytes"], True)
            reporter.write_line(f"{peak:>12} {size_text(result['growth_bytes'], True):>12} "
                                f"{result['duration_s']:>7.2f} s  {result['nodeid']}{self._functions(result)}")
        if len(measured) > len(shown):
            reporter.write_line(f"{len(measured) - len(shown)} more tests (--mprof-top 0)")
        for result in self.results:
            if result["outcome"] == "crashed":
                reporter.write_line(f"crashed, not measured: {result['nodeid']}")
        for result in self.results:
            if result.get("picture"):
                reporter.write_line("picture: " + os.path.join(self._shown_directory(), result["picture"]))
        leaks = sum(result.get("has_leak_limit", False) for result in self.results)
        if leaks:
            reporter.write_line(f"limit_leaks of {leaks} test{'s' if leaks > 1 else ''} not checked: mprof does not know "
                                "which call allocated what is left")
        for note in self.notes:
            reporter.write_line(note)
        for path in recordings:
            reporter.write_line("recording: " + os.path.join(self._shown_directory(), os.path.basename(path)))

    def _shown_directory(self):
        shown = os.path.relpath(self.directory)
        return self.directory if shown.startswith("..") else shown

    @staticmethod
    def _functions(result):
        shown = [f"{entry['name']} {size_text(entry['most_added_bytes'], True)}"
                 for entry in result.get("functions", [])[:_SHOWN_FUNCTIONS] if entry["most_added_bytes"] >= 1 << 20]
        return f"  [{', '.join(shown)}]" if shown else ""
