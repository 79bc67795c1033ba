"""Idle processes are not read again, but changes that others make to their memory are recorded."""

import ctypes
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import python, wait_until  # noqa: E402

MIB = 1 << 20
SIZE_MIB = 24
SYS_PROCESS_MADVISE = 440
MADV_PAGEOUT = 21

# Maps a file, touches all of it, prints its address, and sleeps.
SLEEPING = """
import ctypes, mmap, os, signal
with open("data", "rb") as file:
    data = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE,
                     prot=mmap.PROT_READ | mmap.PROT_WRITE)
total = sum(data[at] for at in range(0, len(data), 4096))
print(os.getpid(), ctypes.addressof(ctypes.c_char.from_buffer(data)), flush=True)
signal.pause()
"""


def rss_mib(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / MIB


def page_out(pid, address, size):
    """Lets the kernel reclaim the pages of that range; the process does not run."""
    class Range(ctypes.Structure):
        _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]

    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        return libc.syscall(SYS_PROCESS_MADVISE, process, ctypes.byref(Range(address, size)),
                            ctypes.c_long(1), MADV_PAGEOUT, ctypes.c_long(0))
    finally:
        os.close(process)


class Sleeping(mprof_test.TestCase):
    def samples(self):
        return [float(line.split(" ")[1]) for line in self.path.read_text().split("\n")[:-1]
                if line.startswith("MEM ")]

    def test_pages_taken_from_a_sleeping_process(self):
        self.path = self.directory / "out.dat"
        with open(self.directory / "data", "wb") as file:
            file.write(b"x" * (SIZE_MIB * MIB))
            file.flush()
            os.fsync(file.fileno())
        (self.directory / "sleeping.py").write_text(SLEEPING)
        process = self.start_mprof("run", "-o", self.path, python(), "sleeping.py")
        match = self.wait_for_output(process, r"(?m)^(\d+) (\d+)$")
        pid, address = int(match[1]), int(match[2])
        full = rss_mib(pid)
        self.assertGreater(full, SIZE_MIB)
        wait_until(lambda: abs(self.samples()[-1] - full) < 1, "the whole file in memory")

        page_out(pid, address, SIZE_MIB * MIB)
        if rss_mib(pid) > full - SIZE_MIB / 2:
            self.skipTest("no pages can be taken from a process here")
        wait_until(lambda: self.samples()[-1] < full - SIZE_MIB / 2, "less memory in a sample")


if __name__ == "__main__":
    unittest.main()
