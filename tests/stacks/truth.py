"""Runs programs that know how long their functions ran and how much memory they touched
(fixtures/python/stacks), and compares what sampled stacks say."""

import concurrent.futures
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from mprof_test import MPROF, PROGRAMS, Recording, TestCase  # noqa: E402
from stack_records import Stacks  # noqa: E402

FOLDER = PROGRAMS / "stacks"
AT_ONCE = 3


def last_json(text):
    """All reports that processes of a program have printed, added up."""
    sums = {"seconds": {}, "mib": {}, "edges": set()}
    for line in text.splitlines():
        if line.startswith('{"seconds"'):
            report = json.loads(line)
            for key in "seconds", "mib":
                for name, value in report[key].items():
                    sums[key][name] = sums[key].get(name, 0) + value
            sums["edges"] |= {tuple(edge) for edge in report["edges"]}
    return types.SimpleNamespace(**sums)


class TruthCase(TestCase):
    """Subclasses name their programs, and the options to record them with."""
    PROGRAMS = ()
    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        usable = [one.path for one in interpreters.supported() if one.version >= (3, 11)] or ["/usr/bin/python3"]

        def run(number, name):
            return cls.run_program(name, str(usable[number % len(usable)]))

        cls.holder = tempfile.TemporaryDirectory(prefix="test-truth-")
        cls.folder = cls.holder.name
        cls.addClassCleanup(cls.holder.cleanup)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            cls.runs = dict(zip(cls.PROGRAMS, pool.map(run, range(len(cls.PROGRAMS)), cls.PROGRAMS)))

    @classmethod
    def run_program(cls, name, python):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("MPROF_", "PYTHON"))}
        path = FOLDER / f"{name}.py"
        file = pathlib.Path(cls.folder, f"{name}.dat")
        command = [python, "-B", "-E", "-s", path]
        traced = subprocess.run(command, env={**environment, "TRUTH_EDGES": "1"}, cwd=cls.folder,
                                capture_output=True, text=True, check=True)
        done = subprocess.run([MPROF, "run", "-M", "--nopython", "--stacks", *cls.OPTIONS, "-o", file, *command],
                              env=environment, cwd=cls.folder, capture_output=True, text=True, check=True)
        recording = Recording(file)
        return types.SimpleNamespace(name=name, python=python, truth=last_json(done.stdout), stderr=done.stderr,
                                     edges=last_json(traced.stdout).edges, recording=recording,
                                     stacks=Stacks(recording))

    def check_runs(self, names, check):
        """Calls check(run) for each program. A recorder that had to wait for a processor is late: where the check
        fails, the program is recorded again, alone."""
        for name in names:
            run = self.runs[name]
            with self.subTest(program=name, python=run.python):
                for attempt in range(5):
                    try:
                        check(run)
                        break
                    except AssertionError:
                        if attempt == 4:
                            raise
                    run = self.run_program(name, run.python)

    def check_callers(self):
        """No stack shows a caller that does not call that function."""
        for run in self.runs.values():
            with self.subTest(program=run.name, python=run.python):
                self.assertEqual(run.stderr, "")
                own = {name for edge in run.edges for name in edge}
                edges = {edge for names in run.stacks.stacks()
                         for shown in [[name for name in names if name in own]] for edge in zip(shown, shown[1:])}
                self.assertEqual(edges - run.edges, set())
                self.assertGreater(len(edges), 0)


def sampling_error(share, samples):
    """Four standard deviations of a share, and one sample at either end of a function."""
    return 4 * math.sqrt(share * (1 - share) / samples) + 2 / samples
