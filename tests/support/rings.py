"""Reads event rings, laid out by agent/events/wire.h, without code of the recorder: tests check the agent's
events separately from the recording."""

import os
import pathlib
import struct
import tempfile
import threading
import time
import types

MAGIC = 0x31676E6972706D01
DATA_OFFSET = 4096
NAME, LANE, ENTER, EXIT, CALLS, FORGET = 1, 2, 3, 4, 5, 6
PENDING_OFFSET, PENDING_COUNT = 192, 60


class Ring:
    """One ring file, read step by step by drain()."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.file = open(path, "r+b", buffering=0)
        header = os.pread(self.file.fileno(), 192, 0)
        magic, self.version, self.pid, self.capacity, _, self.python_version = struct.unpack_from(
            "<QIIQQI", header)
        assert magic == MAGIC, "no ring"
        self.tail = 0
        self.names, self.lanes = {}, {0: ""}
        self.calls, self.open = [], {}

    @property
    def dropped(self):
        return struct.unpack("<Q", os.pread(self.file.fileno(), 8, 72))[0]

    def drain(self):
        head = struct.unpack("<Q", os.pread(self.file.fileno(), 8, 64))[0]
        assert 0 <= head - self.tail <= self.capacity, "the process overwrote unread events"
        data = b""
        while self.tail + len(data) < head:
            offset = (self.tail + len(data)) % self.capacity
            length = min(head - self.tail - len(data), self.capacity - offset)
            data += os.pread(self.file.fileno(), length, DATA_OFFSET + offset)
        position = 0
        while position < len(data):
            position += self._event(data, position)
        self.tail = head
        os.pwrite(self.file.fileno(), struct.pack("<Q", head), 128)

    def _event(self, data, at):
        size, kind, flags, number = struct.unpack_from("<HBBI", data, at)
        assert size >= 8 and size % 8 == 0, "invalid size of an event"
        if kind in (NAME, LANE):
            length, = struct.unpack_from("<I", data, at + 8)
            text = data[at + 12:at + 12 + length].decode("utf-8", "surrogateescape")
            (self.names if kind == NAME else self.lanes)[number] = text
        elif kind == ENTER:
            name, lane, level, _, moment, rss = struct.unpack_from("<IIIIQQ", data, at + 8)
            call = types.SimpleNamespace(
                name=self.names[name], lane=self.lanes[lane], level=level, pid=self.pid,
                count=1, enter_ns=moment, enter_rss=rss, exit_ns=None, exit_rss=None, suspended_ns=0, failed=False,
                open=True)
            assert number not in self.open, "one number for two calls"
            self.open[number] = call
            self.calls.append(call)
        elif kind == EXIT:
            call = self.open.pop(number)
            call.exit_ns, call.exit_rss, call.suspended_ns = struct.unpack_from(
                "<QQQ", data, at + 8)
            call.failed, call.open = bool(flags & 1), False
        elif kind == FORGET:
            self.names, self.lanes = {}, {0: ""}
        elif kind == CALLS:
            self._calls(data[at:at + 56])
        return size

    def _calls(self, event):
        name, lane, level, count, enter_ns, enter_rss, exit_ns, exit_rss = struct.unpack_from(
            "<IIIIQQQQ", event, 8)
        self.calls.append(types.SimpleNamespace(
            name=self.names[name], lane=self.lanes[lane], level=level, pid=self.pid, count=count,
            enter_ns=enter_ns, enter_rss=enter_rss, exit_ns=exit_ns, exit_rss=exit_rss,
            suspended_ns=0, failed=False, open=False))

    def finish(self):
        """Reads the counted calls that the process did not emit."""
        for i in range(PENDING_COUNT):
            entry = os.pread(self.file.fileno(), 64, PENDING_OFFSET + 64 * i)
            count, emitted_at = struct.unpack_from("<20xI32xQ", entry)
            if count > 0 and not 0 < emitted_at <= self.tail:
                self._calls(entry)


class Rings:
    """A recorder that keeps all events: the directory, the bell, and a thread that drains."""

    def __init__(self):
        # Not mprof's own prefix: a recorder removes the directories of dead recorders.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="test-rings-", dir="/dev/shm"))
        os.mkfifo(self.directory / "bell", 0o600)
        self.bell = os.open(self.directory / "bell", os.O_RDWR | os.O_NONBLOCK)
        self.rings = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def environment(self, preload):
        return {"MPROF_RINGS": str(self.directory), "LD_PRELOAD": str(preload)}

    def _run(self):
        while not self._stop.is_set():
            self._drain()
            time.sleep(0.002)

    def _drain(self):
        for name in os.listdir(self.directory):
            if name.endswith(".ring") and name not in self.rings:
                self.rings[name] = Ring(self.directory / name)
        for ring in list(self.rings.values()):
            ring.drain()

    def _names(self):
        """{pid: the last name of the process}"""
        found = {}
        for name in os.listdir(self.directory):
            if name.endswith(".name"):
                pid, image, moment, wall, _ = name[:-len(".name")].split("-")
                assert abs(int(wall) - time.time_ns()) < 600e9, name
                assert len(image) == 16 and int(image, 16) & 1, name
                assert int(moment) <= time.monotonic_ns(), name
                text = os.fsencode(os.readlink(self.directory / name))
                found.setdefault(int(pid), []).append((int(moment), text.decode()))
        return {pid: max(names)[1] for pid, names in found.items()}

    def finish(self):
        """Stops, removes the directory, and returns all calls, in order of entry."""
        self._stop.set()
        self._thread.join()
        self._drain()
        os.close(self.bell)
        self.names = self._names()
        for path in self.directory.iterdir():
            path.unlink()
        self.directory.rmdir()
        for ring in self.rings.values():
            ring.finish()
        self.dropped = sum(ring.dropped for ring in self.rings.values())
        for ring in self.rings.values():
            ring.file.close()
        calls = [call for ring in self.rings.values() for call in ring.calls]
        return sorted(calls, key=lambda call: call.enter_ns)


if __name__ == "__main__":
    # rings.py PRELOAD PROGRAM ...: runs a program with the agent and prints its calls.
    import subprocess
    import sys

    recorder = Rings()
    code = subprocess.run(sys.argv[2:], env={**os.environ,
                                             **recorder.environment(sys.argv[1])}).returncode
    start = None
    for entered in recorder.finish():
        start = entered.enter_ns if start is None else start
        end = "open" if entered.open else f"{(entered.exit_ns - entered.enter_ns) / 1e6:.3f} ms"
        print(f"{entered.pid} {(entered.enter_ns - start) / 1e6:9.3f} {entered.lane or 'main'!r} "
              f"{'  ' * entered.level}{entered.name} {end}{' !' if entered.failed else ''}")
    print("exit code", code, "dropped", recorder.dropped)
