"""R4, R14, R15: signals to the recorder, to the program, to both."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, Recording, python, wait_until  # noqa: E402

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

# Prints the signals it receives; with "exit" it exits at the first.
COUNTER = """
import os, signal, sys, time
end = sys.argv[1]
def handle(number, frame):
    os.write(1, b"got %d\\n" % number)
    if end == "exit":
        time.sleep(0.2)
        os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, handle)
os.write(1, b"ready %d\\n" % os.getpid())
while not os.path.exists("go"):
    time.sleep(0.02)
os.write(1, b"done\\n")
"""


class Signals(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"
        (self.directory / "counter.py").write_text(COUNTER)

    def start_recording(self, *command, options=()):
        return self.start_mprof("run", "-T", "0.02", *options, "-o", self.path, *command)

    def wait_for_samples(self, count=3):
        wait_until(lambda: self.path.exists() and self.path.read_text().count("\nMEM ") >= count,
                   "samples")

    def assert_complete(self, cause, value):
        recording = Recording(self.path)
        self.assertTrue(recording.text.endswith("\n"))
        pid = int(recording.facts["pid"])
        self.assertEqual(recording.exits[pid], (cause, value))
        self.assert_upstream_reads_the_same(recording)
        self.assert_no_process_left()
        return recording

    def test_R4_to_the_recorder_alone(self):
        for number in ENDING:
            for options in ((), ("-E",), ("-C", "-M")):
                with self.subTest(signal=number.name, options=options):
                    process = self.start_recording("sleep", "60", options=options)
                    self.wait_for_samples()
                    os.kill(process.pid, number)
                    self.assertEqual(self.wait_for_end(process), -number)
                    self.assert_complete("signal", number)
                    self.path.unlink()

    def test_R4_to_the_whole_group(self):
        for number in ENDING:
            with self.subTest(signal=number.name):
                process = self.start_recording("sleep", "60")
                self.wait_for_samples()
                os.killpg(process.pid, number)
                self.assertEqual(self.wait_for_end(process), -number)
                self.assert_complete("signal", number)
                self.path.unlink()

    def test_R4_program_exits_normally(self):
        process = self.start_recording("counter.py", "exit")
        self.wait_for_output(process, "ready")
        os.kill(process.pid, signal.SIGTERM)
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        self.assertEqual(self.output(process).count("got 15"), 1)
        self.assert_complete("status", 0)

    def test_R4_exit_code_of_a_normal_exit(self):
        process = self.start_recording("counter.py", "exit", options=("-E",))
        self.wait_for_output(process, "ready")
        os.kill(process.pid, signal.SIGTERM)
        self.assertEqual(self.wait_for_end(process), 0)
        self.assert_complete("status", 0)

    def test_R4_program_continues(self):
        process = self.start_recording("counter.py", "stay")
        self.wait_for_output(process, "ready")
        for number in ENDING:
            os.kill(process.pid, number)
            self.wait_for_output(process, f"got {number:d}")
        self.assertIsNone(process.poll())
        (self.directory / "go").write_text("")
        self.wait_for_end(process)
        self.assertIn("done", self.output(process))
        self.assert_complete("status", 0)

    def test_R4_user_signals_are_forwarded(self):
        process = self.start_recording("counter.py", "stay", options=("-E",))
        self.wait_for_output(process, "ready")
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            os.kill(process.pid, number)
            self.wait_for_output(process, f"got {number:d}")
        (self.directory / "go").write_text("")
        self.assertEqual(self.wait_for_end(process), 0)
        self.assertEqual(self.output(process).count("got"), 2)

    def test_R4_nothing_is_lost_at_a_signal(self):
        (self.directory / "calls.py").write_text(
            "import time\n"
            "@profile\ndef inner(n): return n\n"
            "@profile\ndef outer():\n"
            "    for n in range(1000): inner(n)\n"
            "    print('ready', flush=True)\n"
            "    time.sleep(60)\n"
            "outer()\n")
        process = self.start_recording("calls.py")
        self.wait_for_output(process, "ready")
        os.kill(process.pid, signal.SIGTERM)
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        recording = self.assert_complete("signal", signal.SIGTERM)
        self.assertEqual(len(recording.calls_of("inner")), 1000)
        self.assertEqual([call.open for call in recording.calls_of("outer")], [True])

    def test_R15_stop_continue_and_window_size_of_the_whole_group(self):
        """The kernel sends them to the program too: it receives each once, with and without --live."""
        for options in ((), ("--live",)):
            with self.subTest(options=options):
                (self.directory / "counter.py").write_text(COUNTER.replace(
                    "signal.SIGUSR2)", "signal.SIGUSR2, signal.SIGCONT, signal.SIGWINCH)"))
                process = self.start_recording("counter.py", "stay", options=("-E", *options))
                pid = int(self.wait_for_output(process, r"ready (\d+)")[1])
                os.killpg(process.pid, signal.SIGWINCH)
                self.wait_for_output(process, "got 28")
                os.killpg(process.pid, signal.SIGTSTP)
                # The terminal's signals do not stop an orphaned group: no shell could continue it.
                os.killpg(process.pid, signal.SIGSTOP)
                wait_until(lambda: {self.state(process.pid), self.state(pid)} == {"T"}, "both stopped")
                os.killpg(process.pid, signal.SIGCONT)
                self.wait_for_output(process, "got 18")
                self.wait_for_samples(self.path.read_text().count("\nMEM ") + 3)
                (self.directory / "go").write_text("")
                self.assertEqual(self.wait_for_end(process), 0)
                output = self.output(process)
                self.assertEqual((output.count("got 28"), output.count("got 18")), (1, 1), output)
                self.path.unlink()
                (self.directory / "go").unlink()

    @staticmethod
    def state(pid):
        return mprof_test.process_table()[pid][1]

    def test_R15_stopped_and_continued_alone(self):
        """If only the recorder is stopped, the program runs on and receives no signal."""
        (self.directory / "counter.py").write_text(COUNTER.replace(
            "signal.SIGUSR2)", "signal.SIGUSR2, signal.SIGCONT, signal.SIGTSTP, signal.SIGWINCH)"))
        process = self.start_recording("counter.py", "stay", options=("-E",))
        pid = int(self.wait_for_output(process, r"ready (\d+)")[1])
        os.kill(process.pid, signal.SIGSTOP)
        wait_until(lambda: self.state(process.pid) == "T", "a stopped recorder")
        self.assertNotEqual(self.state(pid), "T")
        for number in (signal.SIGCONT, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT):
            os.kill(process.pid, number)
        self.wait_for_samples(self.path.read_text().count("\nMEM ") + 3)
        (self.directory / "go").write_text("")
        self.assertEqual(self.wait_for_end(process), 0)
        self.assertNotIn("got", self.output(process))

    def test_R4_a_program_in_a_group_of_its_own(self):
        """setsid: only the recorder sends it the signal, once."""
        for number in ENDING:
            with self.subTest(signal=number.name):
                process = self.start_recording("setsid", python(), "counter.py", "exit")
                self.wait_for_output(process, "ready")
                os.killpg(process.pid, number)
                self.assertEqual(self.wait_for_end(process), -number)
                self.assertEqual(self.output(process).count("got"), 1)
                self.assert_complete("status", 0)
                self.path.unlink()

    def test_R4_an_ignored_signal_stays_ignored(self):
        """nohup(1): the recorder and the program both continue."""
        process = self.start("nohup", MPROF, "run", "-T", "0.02", "-E", "-o", self.path, "sh", "-c",
                             "while [ ! -e go ]; do sleep 0.05; done; exit 4")
        self.wait_for_samples()
        os.killpg(process.pid, signal.SIGHUP)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        (self.directory / "go").write_text("")
        self.assertEqual(self.wait_for_end(process), 4)

    def test_R15_dispositions_and_mask_are_unchanged(self):
        """The signal fields of /proc are the same with and without the recorder."""
        command = ["sh", "-c", "grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status"]
        plain = subprocess.run(command, capture_output=True, text=True).stdout
        done = self.run_mprof("run", "-o", self.path, *command)
        self.assertTrue(done.stdout.endswith(plain), done.stdout + plain)

    def test_R15_limits_priority_and_slack_are_unchanged(self):
        command = ["sh", "-c", "cat /proc/self/limits; cat /proc/self/timerslack_ns; nice; umask;"
                   " pwd; ls /proc/self/fd | wc -l; ps -o pgid= -p $$ | tr -d ' '"]
        plain = self.start(*command)
        self.wait_for_end(plain)
        # AddressSanitizer limits core dumps
        recorded = self.start(MPROF, "run", "-o", self.path, *command,
                              env=self.environment(ASAN_OPTIONS="disable_coredump=0"))
        self.wait_for_end(recorded)
        ours = self.output(recorded).replace(str(recorded.pid), "GROUP").splitlines()
        theirs = self.output(plain).replace(str(plain.pid), "GROUP").splitlines()
        self.assertEqual(ours[-len(theirs):], theirs)

    def test_R14_program_stopped_and_continued(self):
        process = self.start_recording("counter.py", "stay", options=("-E",))
        pid = int(self.wait_for_output(process, r"ready (\d+)")[1])
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        os.kill(pid, signal.SIGCONT)
        (self.directory / "go").write_text("")
        self.assertEqual(self.wait_for_end(process), 0)
        recording = Recording(self.path)
        self.assertGreater(min(mib for mib, _ in recording.mem[1:]), 0)

    def test_R14_recorder_stopped(self):
        process = self.start_recording("sleep", "60")
        self.wait_for_samples(10)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(process.pid, signal.SIGCONT)
        before = self.path.read_text().count("\nMEM ")
        self.wait_for_samples(before + 10)
        os.kill(process.pid, signal.SIGTERM)
        self.wait_for_end(process)
        recording = Recording(self.path)
        times = [moment for _, moment in recording.mem]
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        self.assertGreater(max(gaps), 0.9)               # the gap is visible
        after = gaps.index(max(gaps)) + 1
        self.assertGreater(min(gaps[after + 1:]), 0.001)  # and no burst follows
        self.assertGreaterEqual(int(recording.facts["missed-ticks"]), 40)


if __name__ == "__main__":
    unittest.main()
