"""R13: with --follow, daemons that outlive the program are recorded until the tree is empty. Each test runs
with the kernel's process events, where they are allowed, and by scanning /proc."""

import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, WITHOUT_EVENTS, Recording, python, records_in, wait_until  # noqa: E402

# Forks a daemon twice, which has 60 MiB; exits with 3 once the daemon reports its pid.
PROGRAM = """
import os, time
def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)
def daemon():
    memory = bytearray(60 << 20)
    with open('daemon.new', 'w') as file:
        file.write(str(os.getpid()))
    os.rename('daemon.new', 'daemon')
    wait_for('stop')
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        daemon()
        os._exit(7)
    os._exit(0)
os.wait()
wait_for('daemon')
wait_for('go')
os._exit(3)
"""


class Follow(mprof_test.TestCase):
    prefix = ()

    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"
        (self.directory / "program.py").write_text(PROGRAM)

    def begin(self, *flags):
        """Starts the program; returns (recorder, pid of the daemon) once its end is recorded."""
        process = self.start(*self.prefix, MPROF, "run", *flags, "-T", "0.02", "-o", self.path,
                             python(), "program.py")
        wait_until((self.directory / "daemon").exists, "the daemon")
        (self.directory / "go").touch()
        daemon = int((self.directory / "daemon").read_text())
        wait_until(lambda: ["status", "3"] in [end[2:] for end in records_in(self.path, "EXIT")],
                   "its end")
        return process, daemon

    def stop_daemon(self):
        (self.directory / "stop").touch()

    def samples(self):
        return len(Recording(self.path).mem)

    def test_until_the_tree_is_empty(self):
        process, daemon = self.begin("--follow", "-C", "-M", "-E")
        before = self.samples()
        wait_until(lambda: self.samples() > before + 5, "samples of the daemon alone")
        self.assertIsNone(process.poll())
        self.stop_daemon()
        self.assertEqual(self.wait_for_end(process), 3)
        recording = Recording(self.path)
        self.assert_upstream_reads_the_same(recording)
        self.assertEqual(recording.facts["follow"], "yes")
        self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 3))
        self.assertEqual(recording.exits[daemon], ("status", 7))
        end = next(float(moment) for pid, moment, *_ in recording.records("EXIT")
                   if pid == recording.facts["pid"])
        children = {moment: mib for pid, mib, moment in recording.chld if pid == daemon}
        late = [(mib, moment) for mib, moment in recording.mem if moment > end + 0.001]
        self.assertGreater(len(late), 3)
        for mib, moment in late:
            self.assertEqual(mib, children[moment])
        for mib, _ in late[:4]:  # the last samples show the daemon exiting
            self.assertGreater(mib, 60)

    def test_implies_include_children(self):
        process, _ = self.begin("--follow")
        self.stop_daemon()
        self.assertEqual(self.wait_for_end(process), 0)
        self.assertEqual(Recording(self.path).facts["include-children"], "yes")

    def test_recording_ends_with_the_program_without_it(self):
        process, daemon = self.begin("-C", "-E")
        self.assertEqual(self.wait_for_end(process), 3)
        self.assertNotIn(daemon, Recording(self.path).exits)
        os.kill(daemon, 0)

    def test_signal_ends_the_recording_alone(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                for name in ("daemon", "go", "stop", "out.dat"):
                    (self.directory / name).unlink(missing_ok=True)
                process, daemon = self.begin("--follow")
                process.send_signal(number)
                self.assertEqual(self.wait_for_end(process), -number)
                os.kill(daemon, 0)
                self.assertTrue(Recording(self.path).text.endswith("\n"))
                self.stop_daemon()

    def test_timeout(self):
        """The recording is complete, whether the program still runs or not."""
        (self.directory / "go").touch()
        process = self.start(*self.prefix, MPROF, "run", "--follow", "-t", "1", "-o", self.path,
                             python(), "program.py")
        wait_until((self.directory / "daemon").exists, "the daemon")
        self.assertEqual(self.wait_for_end(process), 0)
        os.kill(int((self.directory / "daemon").read_text()), 0)
        self.assertTrue(Recording(self.path).mem)

    def test_workers_of_an_attached_process(self):
        (self.directory / "program.py").write_text(
            PROGRAM.replace("    if os.fork() == 0:\n        daemon()", "    if True:\n        daemon()")
            .replace("os.wait()\n", ""))
        program = self.start(python(), "program.py")
        wait_until((self.directory / "daemon").exists, "the worker")
        worker = int((self.directory / "daemon").read_text())
        process = self.start(*self.prefix, MPROF, "attach", "--follow", "-M", "-T", "0.02", "-o",
                             self.path, program.pid)
        wait_until(lambda: self.path.exists() and f"\nCHLD {worker} " in self.path.read_text(),
                   "the worker in the recording")
        (self.directory / "go").touch()
        self.assertEqual(program.wait(), 3)
        before = len(Recording(self.path).chld)
        wait_until(lambda: len(Recording(self.path).chld) > before + 5, "samples of the worker alone")
        self.assertIsNone(process.poll())
        self.stop_daemon()
        self.assertEqual(self.wait_for_end(process), 0)
        recording = Recording(self.path)
        self.assertIn(worker, recording.exits)
        self.assertNotIn("end without", self.output(process))


class FollowByScanning(Follow):
    prefix = WITHOUT_EVENTS

    def setUp(self):
        if not self.prefix:
            self.skipTest("the other tests scan /proc already")
        super().setUp()


if __name__ == "__main__":
    unittest.main()
