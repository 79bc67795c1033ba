"""Exact peaks of parts of a program, by the kernel's high-water mark: limit_memory and record."""

import contextlib
import ctypes
import functools
import gc
import re
import threading

import _mprof

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([KMGTP]?)(?:i?B)?\s*", re.I)

# Garbage that may remain.
_GARBAGE_LIMIT = 512 << 10

# A mark that lies further above the memory than this was not reset: clear_refs is not writable everywhere.
_RESET_SLACK = 4 << 20


class MemoryLimitError(AssertionError):
    """More memory was used than allowed."""


def parse_size(text):
    """Bytes of "100 MB", "1.5 GiB" or a number of bytes; all units are powers of 1024. ValueError with what was
    expected."""
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"a limit of memory must be like '100 MB', not {text!r}")
    return int(float(match[1]) * 1024 ** _UNITS[match[2].upper()])


def size_text(count, sign=False):
    return f"{count / (1 << 20):{'+' if sign else ''}.1f} MiB"


def _read_status():
    """(resident memory, high-water mark) in bytes; None if unreadable."""
    with contextlib.suppress(OSError), open("/proc/self/status", "rb", buffering=0) as file:
        text = file.read()
        found = [re.search(name + rb":\s+(\d+) kB", text) for name in (b"VmRSS", b"VmHWM")]
        return tuple(int(match[1]) * 1024 if match else None for match in found)
    return None, None


@functools.lru_cache(None)
def _malloc_trim():
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # not glibc
        return lambda _: 0


_collected_bytes = 0  # resident memory without garbage


def _free_what_is_unused():
    """Otherwise memory that was freed before would serve a part of a program without being counted.

    A whole collection takes milliseconds: it is made only if memory has grown since the last one, for there cannot be
    more garbage than that.
    """
    global _collected_bytes
    gc.collect(1)
    _malloc_trim()(0)
    rss = _read_status()[0] or 0
    if rss > _collected_bytes + _GARBAGE_LIMIT:
        gc.collect()
        _malloc_trim()(0)
        rss = _read_status()[0] or 0
        _collected_bytes = rss
    _collected_bytes = min(_collected_bytes, rss)


class Meter:
    """The peak of this process between start() and stop(), exact where the kernel's mark can be reset.

    Meters nest: each reset is noted in those that run already.
    """

    _running: list = []  # those between start() and stop(), of all threads
    _lock = threading.RLock()

    def __init__(self):
        self.start_bytes = self.end_bytes = self._highest = 0
        self.is_exact = False

    def start(self):
        _free_what_is_unused()
        with Meter._lock:
            Meter.note_marks()
            _mprof.reset_peak()
            rss, mark = _read_status()
            self.start_bytes = self._highest = rss or 0
            self._mark = mark or 0
            self.is_exact = mark is not None and mark - self.start_bytes < _RESET_SLACK
            Meter._running.append(self)

    @classmethod
    def note_marks(cls):
        """Call it before the mark is reset."""
        rss, mark = _read_status()
        for meter in cls._running:
            meter._note(rss, mark)

    def _note(self, rss, mark):
        if mark is not None and not self.is_exact and mark > self._mark:
            self.is_exact = True  # it has risen since: that is this part's
        self._highest = max(self._highest, rss or 0, mark if self.is_exact and mark else 0)

    def stop(self):
        with Meter._lock:
            rss, mark = _read_status()
            for meter in Meter._running:
                meter._note(rss, mark)
            self.end_bytes = rss or 0
            if self in Meter._running:
                Meter._running.remove(self)

    @property
    def peak_bytes(self):
        """The highest above the beginning."""
        return self._highest - self.start_bytes

    @property
    def growth_bytes(self):
        return self.end_bytes - self.start_bytes


class limit_memory(contextlib.ContextDecorator):
    """Raises MemoryLimitError at its end if the block, or the decorated function, used more memory than allowed
    above what there was at its beginning: `with limit_memory("100 MB"):`. Of this process, threads included."""

    def __init__(self, limit):
        self.limit = limit
        self.limit_bytes = parse_size(limit)
        self._meters = []

    @property
    def peak_bytes(self):
        """So far, or of the last block."""
        return self._last.peak_bytes if self._last else 0

    _last = None

    def __enter__(self):
        meter = Meter()
        meter.start()
        self._meters.append(meter)
        self._last = meter
        return self

    def __exit__(self, kind, value, traceback):
        meter = self._last = self._meters.pop()
        meter.stop()
        if kind is None and meter.peak_bytes > self.limit_bytes:
            raise MemoryLimitError(f"used {size_text(meter.peak_bytes)} of memory, limit {size_text(self.limit_bytes)}")
        return False


class record:
    """Records this process while a block runs: `with record("x.dat") as recording:`. After it, recording has
    peak_bytes and growth_bytes, above what there was at the beginning.

    path: the file to write; None: only measure. interval: seconds between samples. functions: patterns of functions
    to record, as module:name. If this process is being recorded already, there is no file of its own, and
    recording.path is None.
    """

    def __init__(self, path=None, interval=0.01, functions=()):
        self.path = path
        self.notes = []
        self._interval, self._functions = interval, functions
        self._meter = Meter()
        self._recording = None

    @property
    def peak_bytes(self):
        return self._meter.peak_bytes

    @property
    def growth_bytes(self):
        return self._meter.growth_bytes

    def __enter__(self):
        if self.path is not None:
            from ._program import program
            from ._recording import Recording
            if Recording.active is not None:
                self.notes.append("mprof: this process is being recorded already")
                self.path = None
            else:
                recording = Recording(program(), self.path, self._interval, ["--multiprocess"], self._functions)
                with Meter._lock:
                    Meter.note_marks()  # the recording resets the mark
                    recording.start()
                self._recording = recording
        self._meter.start()
        return self

    def __exit__(self, kind, value, traceback):
        self._meter.stop()
        if self._recording is not None:
            self._recording.stop()
            self.notes += self._recording.notes
            self._recording = None
        return False
