"""Who made memory grow: what programs know that they touched, against what is credited to their functions."""

import json
import os
import subprocess
import sys
import unittest

from truth import MPROF, TruthCase

# what an interpreter touches for itself meanwhile
NOISE_MIB = 0.5


class Growth(TruthCase):
    PROGRAMS = ("grow_steps", "grow_threads", "grow_release", "grow_generator", "grow_children", "grow_short",
                "grow_pages", "grow_copies", "grow_often")
    OPTIONS = ("-T", "0.05")

    def check_growth(self, run, part, sums="total"):
        for key, mib in run.truth.mib.items():
            self.assertAlmostEqual(getattr(run.stacks, sums)[f"__main__.{key}"].grown, mib,
                                   delta=part * mib + NOISE_MIB, msg=key)

    def check_steps(self, run):
        self.check_growth(run, 0.02)
        self.assertLess(run.stacks.total["__main__.none"].grown, NOISE_MIB)

    def test_functions_of_several_samples(self):
        self.check_runs(["grow_steps"], self.check_steps)
        self.check_runs(["grow_generator"], lambda run: self.check_growth(run, 0.02, "direct"))

    def test_threads_side_by_side(self):
        self.check_runs(["grow_threads"], lambda run: self.check_growth(run, 0.02))

    def test_functions_of_20_ms(self):
        if self.runs["grow_short"].recording.facts["stacks-events"] != "perf":
            self.skipTest("page-fault events are not permitted")
        self.check_runs(["grow_short"], lambda run: self.check_growth(run, 0.05))

    def test_bounds_hold_where_the_recorder_was_late(self):
        """Other programs take its processors, so samples are left out, also those at page faults."""
        run = self.runs["grow_short"]
        if run.recording.facts["stacks-events"] != "perf":
            self.skipTest("page-fault events are not permitted")
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * len(os.sched_getaffinity(0)) + 1)]
        try:
            late = [self.run_program("grow_short", run.python) for _ in range(4)]
        finally:
            for process in busy:
                process.kill()
                process.wait()
        for attempt in late:
            done = subprocess.run([MPROF, "functions", "--json", attempt.recording.path], capture_output=True, text=True,
                                  check=True)
            functions = {one["name"]: one["total"] for one in json.loads(done.stdout)["recordings"][0]["functions"]}
            for name, mib in (*attempt.truth.mib.items(), ("rest", 0)):
                with self.subTest(name=name):
                    found = functions.get(f"__main__.{name}")
                    if found:
                        self.assertLess(found["growth_low_bytes"] / 2**20, mib + NOISE_MIB)
                        self.assertGreater(found["growth_high_bytes"] / 2**20, mib - NOISE_MIB)

    def check_release(self, run):
        self.check_growth(run, 0.02)
        self.assertAlmostEqual(run.stacks.all.released, 100, delta=2)

    def test_release(self):
        self.check_runs(["grow_release"], self.check_release)

    def check_often(self, run):
        done = subprocess.run([MPROF, "functions", "--json", run.recording.path], capture_output=True, text=True,
                              check=True)
        functions = {one["name"]: one["total"] for one in json.loads(done.stdout)["recordings"][0]["functions"]}
        often = functions["__main__.often"]
        self.assertGreater(often["growth_bytes"], 0.8 * run.truth.mib["often"] * 2**20)
        self.assertLess(often["growth_low_bytes"], often["growth_bytes"])

    def test_short_functions_that_are_called_often(self):
        """Each call has ended long before a sample. Who has the page faults shows while they come."""
        self.check_runs(["grow_often"], self.check_often)

    def check_children(self, run):
        grown = {}
        for pid, _, node, row in run.stacks.rows:
            if "__main__.grow" in run.stacks.names(node):
                grown[pid] = grown.get(pid, 0) + row.grown
        self.assertEqual(len(grown), 2)
        for found, mib in zip(sorted(grown.values()), (20, 40)):
            self.assertAlmostEqual(found, mib, delta=0.02 * mib + NOISE_MIB)

    def test_children(self):
        self.check_runs(["grow_children"], self.check_children)

    def test_pages_that_faults_do_not_count(self):
        self.check_runs(["grow_pages"], lambda run: self.check_growth(run, 0.02))

    def check_copies(self, run):
        self.assertAlmostEqual(run.stacks.total["__main__.grow"].grown, 20, delta=1)
        self.assertLess(run.stacks.total["__main__.write_all"].grown, 2)

    def test_copies_are_no_growth(self):
        self.check_runs(["grow_copies"], self.check_copies)

    def check_end(self, run):
        # a heap that gives free blocks to the kernel at once, as musl's, does so while modules are loaded
        imports = run.stacks.total["_frozen_importlib._find_and_load"].released
        self.assertLess(run.stacks.all.released - imports, 3)

    def test_the_end_is_no_release(self):
        self.check_runs(set(self.PROGRAMS) - {"grow_release", "grow_pages", "grow_copies"}, self.check_end)

    def test_callers(self):
        self.check_callers()


if __name__ == "__main__":
    unittest.main()
