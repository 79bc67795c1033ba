"""A Flask service on gevent with decorated functions under concurrent requests: many greenlets in one
thread, each with its own levels."""

import concurrent.futures
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "python"))
import ask  # noqa: E402
from mprof_test import CLOCK_STEP_S, FIXTURES, PROGRAMS, Recording, TestCase, python  # noqa: E402

REQUESTS = 6
AT_ONCE = 3


class Flask(TestCase):
    def record(self, program, *options):
        """Records the service while it answers the requests; returns the Recording."""
        path = self.directory / "service.dat"
        service = self.start_mprof("run", "-T", "0.05", *options, "-o", path, python(),
                                   PROGRAMS / program)
        port = self.wait_for_output(service, r"listening on (\d+)")[1]
        answers = ask.ask_many(f"http://127.0.0.1:{port}/test", REQUESTS, AT_ONCE)
        self.assertEqual(answers, [200] * REQUESTS)
        service.send_signal(signal.SIGTERM)
        self.assertEqual(self.wait_for_end(service), -signal.SIGTERM)
        self.assert_no_process_left()
        return Recording(path)

    def assert_functions_are_right(self, recording):
        calls = recording.calls
        self.assertFalse([call for call in calls if call.open])
        first, second, delays = map(recording.calls_of, ("test1", "test2", "delay"))
        self.assertEqual((len(first), len(second), len(delays)),
                         (REQUESTS, REQUESTS, 2 * REQUESTS))
        self.assertEqual(len(calls), 4 * REQUESTS)
        self.assertEqual({call.level for call in first + second}, {0})
        self.assertEqual({call.level for call in delays}, {1})
        self.assertEqual(len({call.pid for call in calls}), 1)
        self.assert_nested(calls)
        for delay in delays:
            caller = self.caller_of(delay, calls)
            asked = 0.3 if caller.name.endswith("test1") else 0.5
            self.assertGreaterEqual(delay.seconds, asked - 2 * CLOCK_STEP_S)
        # The checks above need requests that ran concurrently.
        overlapping = [(a, b) for a in first for b in first + second if a is not b
                       and a.enter_s < b.exit_s and b.enter_s < a.exit_s]
        self.assertTrue(overlapping)
        for a, b in overlapping:
            self.assertNotEqual(a.lane, b.lane)

    def test_decorated_without_import(self):
        recording = self.record("server_profile.py")
        self.assert_functions_are_right(recording)
        self.assertEqual({call.name for call in recording.calls},
                         {"__main__.test1", "__main__.test2", "__main__.delay"})
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)
        self.assert_draws(recording.path, options=["--flame"])

    def test_decorated_with_import(self):
        recording = self.record("server_import.py")
        self.assert_functions_are_right(recording)
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)

    def test_not_decorated(self):
        recording = self.record("server_plain.py")
        self.assertEqual(recording.calls, [])
        self.assertGreater(len(recording.mem), 10)
        # The lists of a request are visible: two of 1e6 pointers each.
        idle = recording.mem[len(recording.mem) // 8][0]
        self.assertGreater(max(mib for mib, _ in recording.mem), idle + 8)
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)
        self.assert_draws(recording.path, options=["--flame"])

    def test_upstream_levels_are_wrong(self):
        # Upstream's recording of the same service under similar load.
        recording = Recording(FIXTURES / "dat" / "article-flask-profile-concurrent.dat")
        self.assertEqual({call.level for call in recording.calls}, {0, 1, 2, 3})
        self.assert_draws(recording.path)
        self.assert_draws(recording.path, options=["--flame"])

    def test_killed_in_the_middle_of_requests(self):
        path = self.directory / "service.dat"
        recorder = self.start_mprof("run", "-E", "-T", "0.05", "-o", path, python(),
                                    PROGRAMS / "server_hold.py")
        port = self.wait_for_output(recorder, r"listening on (\d+)")[1]
        ask.ask_many(f"http://127.0.0.1:{port}/test", 2, 2)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for _ in range(2):
                pool.submit(ask.ask, f"http://127.0.0.1:{port}/hold")
            pid = self.wait_for_output(recorder, r"holding in (\d+)[^$]*holding in")[1]
            subprocess.run(["kill", "-KILL", pid], check=True)
        self.assertEqual(self.wait_for_end(recorder), 128 + signal.SIGKILL)
        recording = Recording(path)
        self.assertEqual(len([c for c in recording.calls if not c.open]), 8)
        held = [call for call in recording.calls if call.open]
        self.assertEqual([call.name.rpartition(".")[2] for call in held], ["wait_long"] * 2)
        self.assertEqual({call.level for call in held}, {0})
        self.assertEqual(recording.exits[int(pid)], ("signal", signal.SIGKILL))
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(path)
        self.assert_draws(path, options=["--flame"])


if __name__ == "__main__":
    unittest.main()
