"""S6: every call of the recorder into the libc fails once, in turn. The recorder reports it in one line or
continues, never crashes, leaks neither descriptors nor memory, and the program is unharmed.

For each call site the first call fails, and in another run a later one; with MPROF_TEST_CALLS=all each
single call."""

import os
import pathlib
import subprocess
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import python  # noqa: E402

TOOLS = mprof_test.preloadable(os.environ.get("MPROF_TEST_TOOLS", "."))
# Linked dynamically, so objects can be preloaded.
MPROF = os.environ.get("MPROF_TEST_DYNAMIC", mprof_test.MPROF)

ALL = os.environ.get("MPROF_TEST_CALLS") == "all"
# Sites in the loop fail at their first call, and at this one.
LATER = 4


def read_report(path):
    """The counts of the preloaded object, or None if the recorder did not exit normally."""
    if not path.exists():
        return None
    report = types.SimpleNamespace(sites=[])
    for line in path.read_text().splitlines():
        word, value, *rest = line.split(" ", 2)
        if word == "site":
            report.sites.append((rest[0], int(value)))
        else:
            setattr(report, word, int(value))
    return report


class Failing(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.finished = self.directory / "finished"

    def run_failing(self, command, nth=0, site=None):
        path = self.directory / "report"
        path.unlink(missing_ok=True)
        environment = self.environment(LD_PRELOAD=str(TOOLS / "fail-nth.so"),
                                       MPROF_TEST_NTH=str(nth), MPROF_TEST_REPORT=str(path))
        if site is not None:
            environment["MPROF_TEST_SITE"] = site
        what = f"{command[0]}, time {nth} of {site or 'any call'} failing"
        try:
            done = subprocess.run([MPROF, *map(str, command)], capture_output=True, text=True,
                                  env=environment, cwd=self.directory, errors="replace",
                                  timeout=mprof_test.DEADLINE_S)
        except subprocess.TimeoutExpired as ending:
            self.fail(f"{what}: no end\n{ending.stdout}{ending.stderr}")
        done.report = read_report(path)
        done.context = f"{what}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def check_recorder(self, done, allowed):
        self.assertIn(done.returncode, allowed, done.context)
        self.assertIsNotNone(done.report, done.context)
        self.assertLessEqual(done.report.descriptors, 0, done.context)
        self.assertLessEqual(done.report.blocks, self.blocks, done.context)
        for line in done.stderr.splitlines():
            self.assertRegex(line, r"\Amprof", done.context)

    def check_run(self, done):
        self.check_recorder(done, (5, 1, 2, 126, 127))
        if done.returncode == 5:  # the program ran to its end
            self.assertTrue(self.finished.exists(), done.context)
        elif done.returncode != 1:
            self.assertFalse(self.finished.exists(), done.context)
            self.assertTrue(done.stderr, done.context)
            self.assertEqual(list(self.directory.glob("*.dat")), [], done.context)

    def check_attach(self, done):
        self.check_recorder(done, (0, 1, 2))
        self.assertIsNone(self.target.poll(), done.context)

    def trials(self, report):
        """[(site or None, which of its calls fails)]"""
        if ALL:
            return [(None, nth) for nth in range(1, report.calls + 1)]
        return ([(site, 1) for site, _ in report.sites] +
                [(site, LATER) for site, count in report.sites if count > LATER])

    def fail_each(self, command, check):
        whole = self.run_failing(command)
        self.assertIsNotNone(whole.report, whole.context)
        self.blocks = whole.report.blocks
        check(whole)
        self.assertGreater(len(whole.report.sites), 60)
        trials = self.trials(whole.report)
        failed = 0
        for site, nth in trials:
            for path in (self.finished, *self.directory.glob("*.dat*")):
                path.unlink(missing_ok=True)
            done = self.run_failing(command, nth, site)
            check(done)
            failed += done.report.failed
        # The number of ticks, and so of calls, differs from run to run.
        self.assertGreater(failed, len(trials) * 0.7)
        self.assertEqual([name for name in os.listdir("/dev/shm")
                          if name.startswith(f"mprof-{os.getpid()}-")], [])

    def test_S6_run(self):
        self.fail_each(["run", "-E", "-C", "-M", "-T", "0.01", "-o", "out.dat", "sh", "-c",
                        "sleep 0.05; touch finished; exit 5"], self.check_run)

    def test_S6_run_with_functions(self):
        (self.directory / "calls.py").write_text(
            "try: profile\nexcept NameError: profile = lambda f: f\n"  # without the agent
            "@profile\ndef f(): pass\nf()\nopen('finished', 'w').close()\nimport os\nos._exit(5)\n")
        self.fail_each(["run", "-E", "-o", "out.dat", python(), "-S", "calls.py"], self.check_run)

    def test_S6_attach(self):
        self.target = self.start("sleep", "600")
        self.fail_each(["attach", "-C", "-M", "-T", "0.01", "-t", "0.05", "-o", "out.dat",
                        self.target.pid], self.check_attach)


if __name__ == "__main__":
    unittest.main()
