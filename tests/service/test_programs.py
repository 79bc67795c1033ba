"""Single programs from fixtures/python: every kind of call, and every way to end."""

import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, PROGRAMS, Recording, TestCase, python  # noqa: E402


class Programs(TestCase):
    def record(self, program, *arguments, expect=0):
        path = self.directory / "program.dat"
        path.unlink(missing_ok=True)
        done = self.run_mprof("run", "-E", "-T", "0.01", "-o", path, PROGRAMS / program,
                              *arguments, expect=expect)
        recording = Recording(path)
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(path)
        self.assert_draws(path, options=["--flame"])
        return recording, done

    def levels(self, recording, name):
        return [call.level for call in recording.calls_of(name)]

    def test_recursion(self):
        recording, _ = self.record("nested.py")
        self.assertEqual(self.levels(recording, "fit"), [0])
        self.assertEqual(self.levels(recording, "predict"), [0])
        # Two trees of 1, 2, 4, 8 branches at levels 1 to 4, and their leaves.
        self.assertEqual(sorted(self.levels(recording, "branch")),
                         [1] * 2 + [2] * 4 + [3] * 8 + [4] * 16)
        self.assertEqual(self.levels(recording, "leaf"), [5] * 16)
        self.assert_nested(recording.calls)
        predict = recording.calls_of("predict")[0]
        self.assertGreaterEqual(predict.seconds, 0.1)

    def test_threads(self):
        recording, _ = self.record("threads.py")
        self.assertEqual(self.levels(recording, "outer"), [0] * 4)
        self.assertEqual(self.levels(recording, "inner"), [1] * 4)
        self.assertEqual(len({call.lane for call in recording.calls}), 4)
        self.assert_nested(recording.calls)

    def test_exceptions(self):
        recording, _ = self.record("exceptions.py")
        self.assertEqual(sorted(self.levels(recording, "fails")), [0] * 3 + [1] * 3 + [2] * 3)
        self.assertEqual(self.levels(recording, "works"), [0] * 3)
        self.assert_nested(recording.calls)

    def test_coroutines(self):
        recording, _ = self.record("tasks.py")
        handled, fetched = recording.calls_of("handle"), recording.calls_of("fetch")
        self.assertEqual([call.level for call in handled], [0] * 3)
        self.assertEqual([call.level for call in fetched], [1] * 3)
        self.assertEqual(len({call.lane for call in recording.calls}), 3)
        for call, seconds in zip(sorted(fetched, key=lambda call: call.seconds), (0.1, 0.15, 0.2)):
            self.assertGreaterEqual(call.seconds, seconds - 0.001)
        self.assert_nested(recording.calls)

    def test_methods(self):
        recording, done = self.record("methods.py")
        self.assertIn("4 1 9 3\narea Circle.area\n", done.stdout)
        self.assertEqual(sorted(call.name for call in recording.calls),
                         ["__main__.Circle.area"] + ["__main__.Shape.area"] * 3
                         + ["__main__.Shape.square", "__main__.Shape.unit"])

    def test_every_way_to_end(self):
        rows = (  # how, exit code with -E, the EXIT record, whether the call is open
            ("kill", 137, ("signal", signal.SIGKILL), True),
            ("term", 143, ("signal", signal.SIGTERM), True),
            ("abort", 134, ("signal", signal.SIGABRT), True),
            ("_exit", 5, ("status", 5), True),
            ("exec", 7, ("status", 7), True),
            ("exit", 6, ("status", 6), False),
            ("raise", 1, ("status", 1), False),
            ("return", 0, ("status", 0), False),
        )
        for how, code, end, left_open in rows:
            with self.subTest(how=how):
                recording, _ = self.record("ends.py", how, expect=code)
                self.assertEqual([(call.name, call.level, call.open) for call in
                                  sorted(recording.calls, key=lambda call: call.enter_s)],
                                 [("__main__.done", 0, False), ("__main__.outer", 0, left_open),
                                  ("__main__.inner", 1, left_open)])
                self.assertEqual(list(recording.exits.values()), [end])

    def test_builtin_exists_under_mprof_only(self):
        plain = subprocess.run([python(), PROGRAMS / "threads.py"], capture_output=True, text=True,
                               env=self.environment(), timeout=DEADLINE_S)
        self.assertIn("NameError", plain.stderr)


if __name__ == "__main__":
    unittest.main()
