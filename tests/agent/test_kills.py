"""SIGKILL at random moments: every ended call is recorded once; calls in flight are recorded as open."""

import os
import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording, python  # noqa: E402

KILLS = 200

# Workers count returned calls in shared memory, which survives them.
WORK = """
import mmap, os, random, signal, struct, sys, time
# a memoryview stores a number in one step; struct.pack_into clears it first, and a kill may come between
shared = memoryview(mmap.mmap(-1, 4096)).cast("Q")
def done(worker): return shared[worker]
@profile
def outer(sleep):
    for i in range(3): inner(sleep)
@profile
def inner(sleep):
    if sleep: time.sleep(0.0002)
def work(worker):
    sleep, n = worker % 2, 0
    while True:
        outer(sleep)
        n += 1
        shared[worker] = n
def start(worker):
    shared[worker] = 0
    pid = os.fork()
    if pid == 0: work(worker)
    return pid
"""


class Kills(mprof_test.TestCase):
    def check(self, calls, pid, returned):
        """Checks a killed process that has counted `returned` calls of outer."""
        mine = [call for call in calls if call.pid == pid]
        ended = {name: sum(call.count for call in mine if call.name.endswith(name) and not call.open)
                 for name in (".outer", ".inner")}
        opened = [call for call in mine if call.open]
        # one more may have returned without being counted
        self.assertIn(ended[".outer"] - returned, (0, 1))
        self.assertIn(ended[".inner"] - 3 * ended[".outer"], (0, 1, 2, 3))
        self.assertEqual(sorted(call.level for call in opened), list(range(len(opened))))
        self.assertLessEqual(len(opened), 2)
        return len(opened)

    def test_workers(self):
        rounds = KILLS // 4
        (self.directory / "program.py").write_text(WORK + f"""
random.seed({random.randrange(1 << 30)})
for n in range({rounds}):
    pids = [start(worker) for worker in range(4)]
    time.sleep(random.random() * 0.03)
    for pid in pids: os.kill(pid, signal.SIGKILL)
    for worker, pid in enumerate(pids):
        os.waitpid(pid, 0)
        print(pid, done(worker))
""")
        done = self.run_mprof("run", "-o", "out.dat", python(), "program.py")
        calls = Recording(self.directory / "out.dat").calls
        lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()
                 if line and line[0].isdigit()]
        self.assertEqual(len(lines), 4 * rounds)
        in_flight = sum(self.check(calls, pid, returned) for pid, returned in lines)
        self.assertGreater(in_flight, rounds // 4)
        self.assertNotIn("LOST", (self.directory / "out.dat").read_text())

    def test_all_processes_but_the_recorder(self):
        for n in range(10):
            with self.subTest(round=n):
                path = self.directory / f"{n}.dat"
                (self.directory / "program.py").write_text(WORK + """
os.setpgid(0, 0)
pids = [start(worker) for worker in range(2)]
with open("state", "wb") as file:
    print("ready", flush=True)
    while True:
        for worker, pid in enumerate(pids):
            file.seek(16 * worker)
            file.write(struct.pack("<QQ", pid, done(worker)))
        file.flush()
        time.sleep(0.001)
""")
                process = self.start_mprof("run", "-o", path, python(), "program.py")
                self.wait_for_output(process, "ready")
                time.sleep(random.random() * 0.05)
                parent, = (pid for pid in mprof_test.descendants(process.pid)
                           if os.getpgid(pid) == pid)
                os.killpg(parent, signal.SIGKILL)
                self.wait_for_end(process)
                recording = Recording(path)
                self.assertEqual(recording.exits[parent], ("signal", 9))
                state = (self.directory / "state").read_bytes()
                for worker in range(2):
                    pid = int.from_bytes(state[16 * worker:][:8], "little")
                    returned = int.from_bytes(state[16 * worker + 8:][:8], "little")
                    if pid:
                        mine = [call for call in recording.calls if call.pid == pid]
                        ended = sum(call.count for call in mine
                                    if call.name.endswith(".outer") and not call.open)
                        self.assertGreaterEqual(ended, returned)
                        self.assertLessEqual(sum(call.open for call in mine), 2)


if __name__ == "__main__":
    unittest.main()
