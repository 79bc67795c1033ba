"""R17, S8: full rings, and rings of hostile processes."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording, python, records_in, wait_until  # noqa: E402


# Each seed is a process that overwrites its ring in its own way; MPROF_TEST_SEEDS=1000 tries more.
SEEDS = int(os.environ.get("MPROF_TEST_SEEDS", "16"))

# Each child creates a ring by 10 valid calls, and then overwrites it. See agent/events/wire.h.
OVERWRITE = """
import os, random, struct, sys, time
HEAD, TAIL, DATA, CAPACITY = 64, 128, 4096, 256 * 1024
FIELDS = (0, 8, 12, 16, 24, 32, 40, 64, 72, 128, 136)
VALUES = (0, 1, 7, 8, 4095, 4096, CAPACITY - 8, CAPACITY, CAPACITY + 8, 1 << 31, 1 << 32, 1 << 62,
          (1 << 63) - 8, 1 << 63, (1 << 64) - 8, (1 << 64) - 1)
place = os.environ['MPROF_RINGS']

@profile
def good(): pass

def spoil(data, chance):
    data = bytearray(data)
    for n in range(chance.choice((0, 1, 1, 2, 8))):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 255, chance.randrange(256)))
    return bytes(data)

def overwrite(seed):
    chance = random.Random(seed)
    for n in range(10): good()
    name, = [name for name in os.listdir(place) if name.startswith(f'{os.getpid()}-')]
    ring = os.open(os.path.join(place, name), os.O_RDWR)
    head, = struct.unpack('<Q', os.pread(ring, 8, HEAD))
    valid = os.pread(ring, head, DATA)
    while struct.unpack('<Q', os.pread(ring, 8, TAIL))[0] < head: time.sleep(0.001)
    for n in range(200):
        action = chance.random()
        if action < 0.8:  # the same once more, or nearly so
            data = spoil(valid, chance)
            at = head % CAPACITY
            os.pwrite(ring, data[:CAPACITY - at], DATA + at)
            os.pwrite(ring, data[CAPACITY - at:], DATA)
            head += len(data)
            os.pwrite(ring, struct.pack('<Q', head), HEAD)
        elif action < 0.9:
            os.pwrite(ring, os.urandom(64), DATA + chance.randrange(head + 64))
        elif n > 100 and action < 0.97:
            os.pwrite(ring, struct.pack('<Q', chance.choice(VALUES)), chance.choice(FIELDS))
        elif n > 150:
            os.ftruncate(ring, chance.choice((0, 63, 4095, 4096, 5000, DATA + CAPACITY, 1 << 30)))
        time.sleep(0.001)
    os._exit(0)

first, count = map(int, sys.argv[1:])
for seed in range(first, first + count):
    os.fork() or overwrite(seed)
for n in range(count): os.wait()
os._exit(7)
"""


class Rings(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def lost(self):
        return sum(int(count) for _, _, count in records_in(self.path, "LOST"))

    def test_R17_a_million_calls(self):
        """A million calls as fast as the program can: none is lost, few are counted together."""
        self.write("fast.py", "@profile\ndef f(): pass\n"
                   "for n in range(1000000): f()\n")
        self.run_mprof("run", "-E", "-o", self.path, python(), "fast.py")
        calls = Recording(self.path).calls
        self.assertEqual(sum(call.count for call in calls), 1000000)
        self.assertEqual(self.lost(), 0)
        self.assertGreater(len(calls), 1000)

    def test_R17_recorder_stopped(self):
        """The program does not wait for the recorder; calls that did not fit are one counted span."""
        self.write("fast.py", "import os, time\n"
                   "@profile\ndef f(): pass\n"
                   "print('ready', flush=True)\n"
                   "while not os.path.exists('go'): time.sleep(0.01)\n"
                   "for n in range(100000): f()\n"
                   "print('finished', flush=True)\n")
        process = self.start_mprof("run", "-E", "-o", self.path, python(), "fast.py")
        self.wait_for_output(process, "ready")
        process.send_signal(signal.SIGSTOP)
        self.write("go", "")
        self.wait_for_output(process, "finished")
        process.send_signal(signal.SIGCONT)
        self.assertEqual(self.wait_for_end(process), 0)
        recording = Recording(self.path)
        self.assertEqual(sum(call.count for call in recording.calls), 100000)
        self.assertGreater(max(call.count for call in recording.calls), 1000)
        self.assertEqual(self.lost(), 0)
        self.assert_upstream_reads_the_same(recording)

    def test_R17_more_functions_than_can_be_counted(self):
        """Calls of functions beyond the table of counted calls are lost, and counted."""
        self.write("kinds.py", "import os, time\n"
                   "functions = []\n"
                   "for n in range(2000):\n"
                   "    exec(f'@profile\\ndef f{n}(): pass\\nfunctions.append(f{n})')\n"
                   "print('ready', flush=True)\n"
                   "while not os.path.exists('go'): time.sleep(0.01)\n"
                   "for n in range(10):\n"
                   "    for f in functions: f()\n"
                   "print('finished', flush=True)\n")
        process = self.start_mprof("run", "-E", "-o", self.path, python(), "kinds.py")
        self.wait_for_output(process, "ready")
        process.send_signal(signal.SIGSTOP)
        self.write("go", "")
        self.wait_for_output(process, "finished")
        process.send_signal(signal.SIGCONT)
        self.assertEqual(self.wait_for_end(process), 0)
        calls = Recording(self.path).calls
        self.assertGreater(self.lost(), 1000)
        self.assertEqual(sum(call.count for call in calls) + self.lost(), 20000)

    def test_killed_with_counted_calls(self):
        """The calls that a killed process had counted are recorded, once."""
        self.write("killed.py", "import os, signal, time\n"
                   "@profile\ndef f(): pass\n"
                   "print('ready', flush=True)\n"
                   "while not os.path.exists('go'): time.sleep(0.01)\n"
                   "for n in range(50000): f()\n"
                   "print('finished', flush=True)\n"
                   "os.kill(os.getpid(), signal.SIGKILL)\n")
        process = self.start_mprof("run", "-o", self.path, python(), "killed.py")
        self.wait_for_output(process, "ready")
        process.send_signal(signal.SIGSTOP)
        self.write("go", "")
        self.wait_for_output(process, "finished")
        process.send_signal(signal.SIGCONT)
        self.wait_for_end(process)
        calls = Recording(self.path).calls
        self.assertEqual(sum(call.count for call in calls), 50000)
        self.assertEqual(self.lost(), 0)

    def hostile(self, action):
        """Runs a program that records 10 calls, waits until they are read, and then executes `action`; it ends when
        the recorder has taken more samples. Returns the recording and the messages."""
        self.write("hostile.py", "import os, sys, time, struct, random\n"
                   "place = os.environ['MPROF_RINGS']\n"
                   "def samples(): return open('out.dat').read().count('\\nMEM ')\n"
                   "@profile\ndef good(): pass\n"
                   "for n in range(10): good()\n"
                   "ring, = [os.path.join(place, name) for name in os.listdir(place)"
                   " if name.endswith('.ring')]\n"
                   "def number(at): return open(ring, 'rb').read(4096)[at:at + 8]\n"
                   "while number(64) != number(128): time.sleep(0.01)\n"
                   f"{action}\n"
                   "before = samples()\n"
                   "while samples() < before + 9: time.sleep(0.01)\n"
                   "os._exit(7)\n")
        done = self.run_mprof("run", "-E", "-T", "0.02", "-o", self.path, python(), "hostile.py",
                              expect=7)
        recording = Recording(self.path)
        self.assert_upstream_reads_the_same(recording)
        self.path.unlink()
        self.assertGreaterEqual(len(recording.calls), 10)
        self.assertGreater(len(recording.mem), 8)
        self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 7))
        self.assertLessEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual([name for name in os.listdir("/dev/shm") if name in done.stderr], [])
        return recording, done.stderr

    def test_overwritten_rings(self):
        for name, action, says in (
                ("noise", "f = open(ring, 'r+b'); f.seek(4096); f.write(os.urandom(65536)); "
                 "f.seek(64); f.write(struct.pack('<Q', 60000)); f.close()", "damaged"),
                ("head", "f = open(ring, 'r+b'); f.seek(64); f.write(bytes([255]) * 8); f.close()",
                 "damaged"),
                ("truncated", "os.truncate(ring, 0)", "damaged"),
                ("truncated in the data", "os.truncate(ring, 4096); f = open(ring, 'r+b');"
                 " f.seek(64); f.write(struct.pack('<Q', 4000)); f.close()", "damaged"),
                ("removed", "os.unlink(ring)", r"\A\Z")):
            with self.subTest(name=name):
                _, messages = self.hostile(action)
                self.assertRegex(messages, says)

    def test_random_overwrites(self):
        """Processes overwrite their rings while these are read: sizes, positions, almost valid events,
        and files that shrink and grow."""
        self.write("overwrite.py", OVERWRITE)
        for start in range(0, SEEDS, 8):
            done = self.run_mprof("run", "-E", "-C", "-T", "0.005", "-o", self.path, python(),
                                  "overwrite.py", start, 8, expect=7)
            for line in done.stderr.splitlines():
                self.assertRegex(line, r"\Amprof: ")
            self.assertLessEqual(len(done.stderr.splitlines()), 8, done.stderr)
            recording = Recording(self.path)
            self.assert_upstream_reads_the_same(recording)
            self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 7))
            good = [call for call in recording.calls if call.name.endswith("good")]
            self.assertGreaterEqual(len(good), 8 * 10)
            self.assertGreater(len(recording.mem), 5)
            self.path.unlink()

    def test_planted_files(self):
        """Other files with the name of a ring are not followed, not waited for, and not changed."""
        self.write("victim", "precious" * 1000)
        for name, action in (
                ("link", "os.symlink(os.path.abspath('victim'), place + '/1-0.ring')"),
                ("fifo", "os.mkfifo(place + '/1-0.ring')"),
                ("directory", "os.mkdir(place + '/1-0.ring')"),
                ("text", "open(place + '/1-0.ring', 'w').write('x' * 10000)"),
                ("empty", "open(place + '/1-0.ring', 'w')"),
                ("odd names", "[open(place + '/' + name, 'w') for name in ('-1-0.ring', '0-0.ring',"
                 " '1-.ring', 'x.ring', '1-1.ring.ring', '99999999999999999999-0.ring', ' 1-1.ring',"
                 " '1-99999999999999999999999.ring', '.ring')]"),
                ("thousands", "[open(f'{place}/{n}-0.ring', 'w').close() for n in range(1, 3000)]"),
                ("names that are no links", "[open(f'{place}/{os.getpid()}-{1:016x}-{n}.name', 'w')"
                 " for n in range(9)]; os.mkdir(f'{place}/{os.getpid()}-{1:016x}-9.name')"),
                ("odd names of names", "[os.symlink('x', f'{place}/{name}.name') for name in"
                 " ('', '1', '1-1', '1-1-1', '-1-0000000000000001-1', '1-0000000000000001--1',"
                 " '01-0000000000000001-1', '1-0000000000000001-99999999999999999999',"
                 " '1-00000000000000001-1', '1-000000000000000x-1')]"),
                ("names of no process", "[os.symlink('x', f'{place}/{n}-{1:016x}-1.name')"
                 " for n in (1, 4194304, 9223372036854775807)]"),
                ("thousands of names", "[os.symlink(f'name {n}', f'{place}/{os.getpid()}-{1:016x}-{n}.name')"
                 " for n in range(1, 3000)]"),
                ("the bell", "fd = os.open(place + '/bell', os.O_RDWR | os.O_NONBLOCK);"
                 " [os.write(fd, b'x' * 60000) for n in range(1)]"),
                ("no bell", "os.unlink(place + '/bell')"),
                ("nothing left", "[os.unlink(place + '/' + name) for name in os.listdir(place)]")):
            with self.subTest(name=name):
                self.hostile(action)
        self.assertEqual((self.directory / "victim").read_text(), "precious" * 1000)

    def test_ring_of_another_process(self):
        """A ring under the name of another process adds no calls of that process."""
        recording, _ = self.hostile(
            "data = open(ring, 'rb').read(); open(place + '/1-0.ring', 'wb').write(data)")
        self.assertEqual({call.pid for call in recording.calls}, {int(recording.facts["pid"])})

    def test_directory_is_removed_at_the_end(self):
        self.write("place.py", "import os\nprint(os.environ['MPROF_RINGS'])\n"
                   "os.mkdir(os.environ['MPROF_RINGS'] + '/sub')\n"
                   "open(os.environ['MPROF_RINGS'] + '/file', 'w')\n")
        done = self.run_mprof("run", "-o", self.path, "place.py")
        self.assertFalse(os.path.exists(done.stdout.splitlines()[-1]))

    def test_R24_more_rings_than_descriptors(self):
        """What cannot be opened is counted and reported; the rest is recorded."""
        (self.directory / "forks.py").write_text(
            "import os, time\n@profile\ndef work(): time.sleep(0.5)\n"
            "for n in range(30):\n    if os.fork() == 0:\n        work(); os._exit(0)\n"
            "for n in range(30): os.wait()\n")
        for prefix in dict.fromkeys(((), tuple(mprof_test.WITHOUT_EVENTS))):
            with self.subTest(prefix=prefix):
                self.check_few_descriptors(*prefix)

    def check_few_descriptors(self, *prefix):
        (self.directory / "out.dat").unlink(missing_ok=True)
        done = subprocess.run([*prefix, "prlimit", "--nofile=24:24", mprof_test.MPROF, "run", "-E", "-C", "-o",
                               "out.dat", mprof_test.python(), "forks.py"], cwd=self.directory,
                              env=self.environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        recording = Recording(self.directory / "out.dat")
        count = len(recording.calls_of("work"))
        unopened = int(float(recording.facts["rings-unopened"]))
        self.assertEqual(count + unopened, 30)
        self.assertGreater(count, 0)
        # a search that fails for want of a descriptor is repeated, and not reported
        self.assertRegex(done.stderr, rf"\Amprof: {unopened} processes have no functions: .*"
                                      r"raise ulimit -n\n\Z")


if __name__ == "__main__":
    unittest.main()
