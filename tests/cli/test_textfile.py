"""mprof run --textfile: what Prometheus' node exporter reads of a running program."""

import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import MPROF, Recording, TestCase, python, wait_until  # noqa: E402

MIB = 1024 * 1024
HOLD = "import sys, time; x = bytearray(60 << 20); sys.stdin.read()"


def values(text):
    """{name{labels}: value} of Prometheus' text format."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if not line.startswith("#")}


class Textfile(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.directory / "metrics"
        self.folder.mkdir()

    def files(self):
        return sorted(self.folder.glob("*.prom"))

    def begin(self, *options, program=(python(), "-c", HOLD), **others):
        """Starts a program that holds memory until its input ends; returns once its memory is in the file."""
        process = subprocess.Popen([MPROF, "run", "-T", "0.05", "--textfile", self.folder, "-o", "x.dat",
                                    *options, *program], cwd=self.directory, stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **others)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)

        def has_memory():
            return any(value > 60 * MIB for path in self.files() for name, value in values(path.read_text()).items()
                       if name.startswith("mprof_memory_bytes"))
        wait_until(has_memory, "memory in the file")
        return process

    def end(self, process, expect=0):
        process.stdin.close()
        self.assertEqual(process.wait(60), expect)

    def test_the_node_exporter_reads_it(self):
        if not shutil.which("prometheus-node-exporter"):
            self.skipTest("prometheus-node-exporter is not installed")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        exporter = subprocess.Popen(
            ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
             f"--collector.textfile.directory={self.folder}", f"--web.listen-address={address}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(exporter.wait)
        self.addCleanup(exporter.kill)

        def scrape():
            try:
                with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as answer:
                    return answer.read().decode()
            except OSError:
                return ""
        wait_until(scrape, "the exporter answers")
        process = self.begin("-M", "--memory", "pss")
        text = scrape()
        self.assertIn("node_textfile_scrape_error 0", text)
        found = values(text)
        self.assertGreater(found['mprof_memory_bytes{recording="x.dat"}'], 60 * MIB)
        self.assertGreaterEqual(found['mprof_peak_bytes{recording="x.dat"}'],
                                found['mprof_memory_bytes{recording="x.dat"}'])
        seen = found['mprof_peak_bytes{recording="x.dat"}']
        pids = re.findall(r'^mprof_process_memory_bytes\{pid="(\d+)",process="python3[^"]*",recording="x.dat"\}',
                          text, re.M)
        self.assertEqual(len(pids), 1)
        self.assertRegex(text, rf'(?m)^mprof_kind_bytes\{{kind="pss",pid="{pids[0]}",')
        self.end(process)
        self.assertNotIn("mprof_memory_bytes", scrape())
        self.assertEqual(list(self.folder.iterdir()), [])
        recording = Recording(self.directory / "x.dat")
        self.assertEqual(recording.facts["pid"], pids[0])
        # a recording has six decimals of a mebibyte
        self.assertIn(f"{seen / MIB:.6f}", {f"{mib:.6f}" for mib, _ in recording.mem}, "the peak is a sample")

    def test_promtool_accepts_it(self):
        if not shutil.which("promtool"):
            self.skipTest("prometheus is not installed")
        process = self.begin("-C", "-M", "--memory", "group,uss")
        path, = self.files()
        done = subprocess.run(["promtool", "check", "metrics"], input=path.read_bytes(), capture_output=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))
        self.assertEqual(path.stat().st_mode & 0o777, 0o644)
        self.end(process)

    def test_it_is_written_once_a_second_at_most(self):
        process = self.begin("-T", "0.01")
        path, = self.files()
        times, end = set(), time.monotonic() + 2.5
        while time.monotonic() < end:
            times.add(path.stat().st_mtime_ns)
            time.sleep(0.01)
        self.assertLessEqual(len(times), 4)
        self.assertGreaterEqual(len(times), 2)
        self.end(process)

    def test_it_is_removed_when_the_recording_ends_before_the_program(self):
        process = self.begin("-t", "1.5")
        wait_until(lambda: not self.files(), "the file is removed")
        self.assertIsNone(process.poll())
        self.end(process)

    def test_secrets_are_masked(self):
        process = self.begin(program=(python(), "-c", "import sys\n" + HOLD, "--password=geheim"), umask=0o077)
        path, = self.files()
        self.assertNotIn("geheim", path.read_text())
        self.assertEqual(path.stat().st_mode & 0o777, 0o644)
        self.end(process)

    def test_a_directory_that_cannot_be_used_is_refused_before_the_start(self):
        (self.directory / "file").touch()
        for name, reason in (("nowhere", "No such file or directory"), ("file", "Not a directory")):
            done = self.run_mprof("run", "--textfile", name, "-o", "y.dat", "touch", "started", expect=2)
            self.assertEqual(done.stderr,
                             f"mprof: {name}: --textfile: cannot write into this directory: {reason}\n")
            self.assertFalse((self.directory / "started").exists())
            self.assertFalse((self.directory / "y.dat").exists())

    def test_a_directory_that_vanishes_is_reported_once(self):
        process = self.begin("-E", program=(python(), "-c", HOLD + "; sys.exit(7)"))
        shutil.rmtree(self.folder)
        time.sleep(2.5)
        self.end(process, expect=7)
        said = [line for line in process.stderr.read().decode().splitlines() if "--textfile" in line]
        self.assertEqual(len(said), 1, said)
        self.assertRegex(said[0], r"^mprof: \S+\.prom: --textfile: cannot write; it is tried again: "
                                  r"No such file or directory$")
        self.assertEqual(Recording(self.directory / "x.dat").facts["ended"], "program")

    def test_a_file_that_a_killed_recorder_left_is_removed_by_the_next(self):
        process = self.begin()
        left, = self.files()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.close()
        self.assertTrue(left.exists())
        other = self.folder / "other.prom"
        other.write_text("")
        process = self.begin()
        wait_until(lambda: not left.exists() and len(self.files()) == 2, "the old file is removed")
        self.end(process)
        self.assertEqual(list(self.folder.iterdir()), [other])


if __name__ == "__main__":
    unittest.main()
