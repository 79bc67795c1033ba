"""R7: writing fails in the middle of a recording. The program is unharmed and its exit code kept, one line
reports the failure, and the file has whole lines only."""

import errno
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording, records_in, wait_until  # noqa: E402

TOOLS = mprof_test.preloadable(os.environ.get("MPROF_TEST_TOOLS", "."))
# A name that AddressSanitizer accepts before its own runtime.
PRELOADS = TOOLS / "before-libasan.so"
# Linked dynamically, so objects can be preloaded.
DYNAMIC = os.environ.get("MPROF_TEST_DYNAMIC", mprof_test.MPROF)

# Runs until a file `go` exists.
WAITING = "echo ready; while [ ! -e go ]; do sleep 0.02; done; echo done; exit 3"


class Output(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def failing(self, number, nth=0, part=0, close=False):
        changes = {"MPROF_TEST_CLOSE": "1"} if close else {}
        return self.environment(LD_PRELOAD=str(PRELOADS / "fail-write.so"), MPROF_TEST_NTH=str(nth),
                                MPROF_TEST_PART=str(part), MPROF_TEST_ERRNO=str(int(number)),
                                **changes)

    def start_recording(self, *options, **more):
        return self.start(DYNAMIC, "run", "-T", "0.01", *options, "-o", self.path, "sh", "-c",
                          WAITING, **more)

    def finish(self, process, code):
        """Lets the running program end normally; returns the messages of mprof."""
        self.assertIsNone(process.poll())
        (self.directory / "go").write_text("")
        self.assertEqual(self.wait_for_end(process), code)
        (self.directory / "go").unlink()
        output = self.output(process)
        self.assertIn("\ndone\n", output)
        return [line for line in output.splitlines() if line.startswith("mprof: ")
                and "Sampling" not in line and "older file" not in line]

    def check_file(self):
        recording = Recording(self.path)
        self.assertTrue(recording.text.endswith("\n"))
        self.assert_upstream_reads_the_same(recording)
        return recording

    def test_older_file_that_cannot_be_kept(self):
        """Nothing is started and nothing is lost; the message has both names."""
        self.path.write_text("MEM 1.0 1795330000.0\n")
        (self.directory / "out.dat.old").mkdir()
        done = self.run_mprof("run", "-o", self.path, "touch", "started", expect=2)
        self.assertIn("cannot keep the older file as", done.stderr)
        self.assertIn("out.dat.old", done.stderr)
        self.assertEqual(self.path.read_text(), "MEM 1.0 1795330000.0\n")
        self.assertEqual(sorted(entry.name for entry in self.directory.iterdir()),
                         ["out.dat", "out.dat.old"])

    # --- writes that fail ---

    def test_R7_a_write_fails_in_the_middle(self):
        for number in errno.EIO, errno.EDQUOT, errno.ENOSPC, errno.EFBIG:
            for part in (0, 7):  # some bytes of a line are written first
                for options, code in (((), 1), (("-E",), 3)):
                    with self.subTest(errno=number, part=part, options=options):
                        process = self.start_recording(*options, env=self.failing(number, 12, part))
                        self.wait_for_output(process, "cannot write")
                        lines = self.finish(process, code)
                        self.assertEqual(len(lines), 1, lines)
                        self.assertRegex(lines[0], rf"out\.dat: cannot write: .*{os.strerror(number)}")
                        self.assertGreater(len(self.check_file().mem), 5)
                        self.path.unlink()

    def test_R7_first_write_fails(self):
        """Nothing is started, and no file is left."""
        done = self.run_mprof("run", "-o", self.path, "touch", "started", expect=2, program=DYNAMIC,
                              env=self.failing(errno.EIO, 1))
        self.assertRegex(done.stderr, rf"\Amprof: [^\n]*out\.dat: [^\n]*{os.strerror(errno.EIO)}\n\Z")
        self.assertEqual(os.listdir(self.directory), [])

    def test_R7_attached(self):
        target = self.start("sleep", "600")
        process = self.start(DYNAMIC, "attach", "-T", "0.01", "-o", self.path, target.pid,
                             env=self.failing(errno.EIO, 12))
        self.assertEqual(self.wait_for_end(process), 1)
        self.assertEqual(self.output(process).count(f"cannot write: {os.strerror(errno.EIO)}\n"), 1)
        self.assertIsNone(target.poll())
        self.assertGreater(len(self.check_file().mem), 5)

    def test_R7_closing_fails(self):
        """A network file system may report a failure only at close."""
        for options, code in (((), 1), (("-E",), 3)):
            with self.subTest(options=options):
                process = self.start_recording(*options, env=self.failing(errno.EIO, close=True))
                self.wait_for_output(process, "ready")
                lines = self.finish(process, code)
                self.assertEqual(len(lines), 1, lines)
                self.assertRegex(lines[0], rf"out\.dat: cannot finish writing: {os.strerror(errno.EIO)}")
                self.path.unlink()

    def test_R7_signal_after_a_failure_is_forwarded(self):
        process = self.start_recording(env=self.failing(errno.EIO, 12))
        self.wait_for_output(process, "cannot write")
        os.kill(process.pid, signal.SIGTERM)
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        self.assert_no_process_left()

    # --- directories and files that disappear ---

    def test_R7_the_directory_is_removed_in_the_middle(self):
        place = self.directory / "place"
        place.mkdir()
        self.path = place / "out.dat"
        process = self.start_recording("-E")
        wait_until(lambda: self.path.exists() and self.path.read_text().count("\nMEM ") > 3, "samples")
        shutil.rmtree(place)
        self.assertEqual(self.finish(process, 3), [])
        self.assertFalse(place.exists())

    def test_R7_the_file_is_moved_and_emptied_in_the_middle(self):
        process = self.start_recording("-E")
        wait_until(lambda: self.path.exists() and self.path.read_text().count("\nMEM ") > 3, "samples")
        moved = self.path.rename(self.directory / "moved.dat")
        os.truncate(moved, 0)
        wait_until(lambda: moved.read_text().count("\nMEM ") > 3, "samples")
        self.assertEqual(self.finish(process, 3), [])
        self.assertNotIn("\0", moved.read_text())
        self.assertEqual([end[2:] for end in records_in(moved, "EXIT")], [["status", "3"]])

    # --- standard error without a reader ---

    def test_R15_messages_without_a_reader(self):
        """EPIPE at standard error while a failure is reported."""
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [DYNAMIC, "run", "-E", "-T", "0.01", "-o", self.path, "sh", "-c",
             "i=0; while [ $i -lt 40 ]; do i=$((i+1)); sleep 0.01; done; exit 3"],
            stdout=subprocess.DEVNULL, stderr=writer, env=self.failing(errno.EIO, 12),
            cwd=self.directory, timeout=mprof_test.DEADLINE_S)
        os.close(writer)
        self.assertEqual(done.returncode, 3)
        self.assertGreater(len(self.check_file().mem), 5)


if __name__ == "__main__":
    unittest.main()
