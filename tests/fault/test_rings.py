"""R17 and the trust in rings: full ones, and hostile ones."""

import os
import pathlib
import re
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording, python, wait_until  # noqa: E402


class Rings(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def lost(self):
        return sum(int(line.split(" ")[3]) for line in self.path.read_text().split("\n")
                   if line.startswith("LOST "))

    def test_R17_many_calls_in_no_time(self):
        """A million calls as fast as the program can: none is lost, few are told together."""
        self.write("fast.py", "@profile\ndef f(): pass\n"
                   "for n in range(1000000): f()\n")
        self.run_mprof("run", "-E", "-o", self.path, python(), "fast.py")
        calls = Recording(self.path).calls
        self.assertEqual(sum(call.count for call in calls), 1000000)
        self.assertEqual(self.lost(), 0)
        self.assertGreater(len(calls), 1000)

    def test_R17_recorder_stopped(self):
        """The program does not wait for the recorder; what did not fit is told as one."""
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

    def test_R17_more_kinds_than_can_be_gathered(self):
        """Functions that were never told of cannot be told of together: they are counted."""
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

    def test_killed_while_calls_are_gathered(self):
        """What a killed process had gathered is in the recording all the same, once."""
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

    def hostile(self, deed):
        """Runs a program that records 10 calls, does that to the rings' directory, and then 10
        more; returns the recording and what was said."""
        self.write("hostile.py", "import os, sys, time, struct, random\n"
                   "place = os.environ['MPROF_RINGS']\n"
                   "@profile\ndef good(): pass\n"
                   "for n in range(10): good()\n"
                   "time.sleep(0.15)\n"
                   "ring, = [os.path.join(place, name) for name in os.listdir(place)"
                   " if name.endswith('.ring')]\n"
                   f"{deed}\n"
                   "time.sleep(0.15)\n"
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

    def test_scribbled_rings(self):
        for name, deed, says in (
                ("noise", "f = open(ring, 'r+b'); f.seek(4096); f.write(os.urandom(65536)); "
                 "f.seek(64); f.write(struct.pack('<Q', 60000)); f.close()", "damaged"),
                ("head", "f = open(ring, 'r+b'); f.seek(64); f.write(bytes([255]) * 8); f.close()",
                 "damaged"),
                ("truncated", "os.truncate(ring, 0)", "damaged"),
                ("truncated in the data", "os.truncate(ring, 4096); f = open(ring, 'r+b');"
                 " f.seek(64); f.write(struct.pack('<Q', 4000)); f.close()", "damaged"),
                ("removed", "os.unlink(ring)", r"\A\Z")):
            with self.subTest(name=name):
                _, said = self.hostile(deed)
                self.assertRegex(said, says)

    def test_planted_files(self):
        """Whatever lies in the directory under the name of a ring is not followed, not waited for,
        not changed."""
        self.write("victim", "precious" * 1000)
        for name, deed in (
                ("link", "os.symlink(os.path.abspath('victim'), place + '/1-0.ring')"),
                ("fifo", "os.mkfifo(place + '/1-0.ring')"),
                ("directory", "os.mkdir(place + '/1-0.ring')"),
                ("text", "open(place + '/1-0.ring', 'w').write('x' * 10000)"),
                ("empty", "open(place + '/1-0.ring', 'w')"),
                ("odd names", "[open(place + '/' + name, 'w') for name in ('-1-0.ring', '0-0.ring',"
                 " '1-.ring', 'x.ring', '1-1.ring.ring', '99999999999999999999-0.ring', ' 1-1.ring',"
                 " '1-99999999999999999999999.ring', '.ring')]"),
                ("thousands", "[open(f'{place}/{n}-0.ring', 'w').close() for n in range(1, 3000)]"),
                ("the bell", "fd = os.open(place + '/bell', os.O_RDWR | os.O_NONBLOCK);"
                 " [os.write(fd, b'x' * 60000) for n in range(1)]"),
                ("no bell", "os.unlink(place + '/bell')"),
                ("nothing left", "[os.unlink(place + '/' + name) for name in os.listdir(place)]")):
            with self.subTest(name=name):
                self.hostile(deed)
        self.assertEqual((self.directory / "victim").read_text(), "precious" * 1000)

    def test_rings_of_others(self):
        """A ring that claims to be another process's adds no calls of that process."""
        recording, _ = self.hostile(
            "data = open(ring, 'rb').read(); open(place + '/1-0.ring', 'wb').write(data)")
        self.assertEqual({call.pid for call in recording.calls}, {int(recording.facts["pid"])})

    def test_the_directory_is_gone_behind_the_end(self):
        self.write("place.py", "import os\nprint(os.environ['MPROF_RINGS'])\n"
                   "os.mkdir(os.environ['MPROF_RINGS'] + '/sub')\n"
                   "open(os.environ['MPROF_RINGS'] + '/file', 'w')\n")
        done = self.run_mprof("run", "-o", self.path, "place.py")
        self.assertFalse(os.path.exists(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    unittest.main()
