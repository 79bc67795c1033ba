"""Shares of time in sampled stacks agree with what programs measure of themselves, within the sampling error."""

import unittest

from truth import TruthCase, sampling_error


class Time(TruthCase):
    # The functions of a program whose time it knows, where the name is not __main__.<key>. "=": without what other
    # functions do that it calls.
    NAMES = {
        "generators": {"numbers": "=__main__.numbers", "doubled": "=__main__.doubled"},
        "loops": {}, "recursion": {}, "threads": {}, "executor": {}, "comprehensions": {},
        "exceptions": {"fails": "=__main__.fails", "handles": "=__main__.handles"}, "pool": {}, "waiting": {}, "c_calls": {},
        "coroutines": {"first": "__main__.first"},
        "executed": {"made": "made.made", "run_made": "made.run_made"},
        "classes": {"meta": "=__main__.Meta.__call__", "init": "__main__.Base.__init__", "body": "__main__.Thing",
                    "method": "__main__.Thing.method", "value": "__main__.Thing.value",
                    "still": "__main__.Thing.still", "getattr": "__main__.Thing.__getattr__"},
        "lambdas": {"wrapper": "__main__.timed.<locals>.wrapper", "quick": None, "slow": None, "partial": None},
        "contexts": {"enter": "__main__.Block.__enter__", "exit": "__main__.Block.__exit__"},
        "callbacks": {"del": "__main__.Dying.__del__"},
        "imported": {"body": "imported_part.<module>", "later": "imported_part.later"},
    }
    PROGRAMS = tuple(NAMES)
    OPTIONS = ("--stacks-interval", "0.0083")

    def check_shares(self, run):
        whole = run.stacks.of_process(int(run.recording.facts["pid"]),
                                      self.NAMES[run.name].get("main", "__main__.main"))
        truth = run.truth.seconds
        self.assertGreater(whole.samples, 20)
        self.assertAlmostEqual(whole.seconds, truth["main"], delta=0.05 + 0.05 * truth["main"])
        for key, seconds in truth.items():
            name = self.NAMES[run.name].get(key, f"__main__.{key}")
            if not name or key == "main":
                continue
            sums = run.stacks.direct if name.startswith("=") else run.stacks.total
            share, found = seconds / truth["main"], sums[name.lstrip("=")].seconds / truth["main"]
            lanes = max(1, round(share + 0.5))  # threads and processes side by side
            error = lanes * sampling_error(min(1, share / lanes), whole.samples)
            self.assertAlmostEqual(found, share, delta=error, msg=f"{name}, {whole.samples} samples")

    def test_shares(self):
        self.check_runs(self.PROGRAMS, self.check_shares)

    def test_lambdas(self):
        """All have one name; lines tell them apart."""
        self.check_runs(["lambdas"], self.check_lambdas)

    def check_lambdas(self, run):
        lines = {}
        for _, _, node, row in run.stacks.rows:
            while node:
                parent, name, _, line = run.stacks.frames[node]
                if name == "__main__.<lambda>":
                    lines[line] = lines.get(line, 0) + row.seconds
                node = parent
        truth = run.truth.seconds
        samples = run.stacks.total["__main__.main"].samples
        for found, seconds in zip((lines[line] for line in sorted(lines)),
                                  (truth["quick"], truth["slow"] + truth["partial"])):
            share = seconds / truth["main"]
            self.assertAlmostEqual(found / truth["main"], share, delta=sampling_error(share, samples))

    def test_callers(self):
        self.check_callers()


if __name__ == "__main__":
    unittest.main()
