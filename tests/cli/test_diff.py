"""`mprof diff`: numbers computed again in Python, verdicts, exit codes, alignment, and what is printed."""

import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import unittest

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, FIXTURES, MPROF, SOURCE, TestCase, own_line  # noqa: E402
from random_recordings import recording as random_recording  # noqa: E402

NO_WORSE, WORSE, USAGE, UNCLEAR = 0, 1, 2, 3
START_S = 1.7e9
MIB = 1 << 20
SCHEMA = json.loads((SOURCE / "docs" / "schema" / "output.schema.json").read_text())
PAIRS = int(os.environ.get("MPROF_TEST_DIFFS", "40"))


class Program:
    """Steps of a made-up program: a step takes seconds, and memory goes to a level at once, or over its time."""

    def __init__(self, command="prog", interval_s=0.01):
        self.command, self.interval_s = command, interval_s
        self.points, self.calls, self.more = [(0.0, 20.0)], [], []

    @property
    def now(self):
        return self.points[-1]

    def step(self, seconds, to_mib, is_ramp=False):
        time_s, mib = self.now
        if not is_ramp:
            self.points.append((time_s, to_mib))
        self.points.append((time_s + seconds, to_mib))
        return self

    def call(self, name, *steps, level=0):
        enter = self.now
        for step in steps:
            step(self)
        self.calls.append((name, *enter, *self.now, level))
        return self

    def at(self, time_s):
        for (t0, m0), (t1, m1) in zip(self.points, self.points[1:]):
            if t0 <= time_s < t1:
                return m0 + (m1 - m0) * (time_s - t0) / (t1 - t0)
        return self.now[1]

    def text(self, ending=("status", 0), facts=()):
        facts = {"format": 2, "version": "1.0.0", "machine": "x86_64", "backend": "psutil", "interval": self.interval_s,
                 "include-children": "no", "multiprocess": "no", "pid": 7, **dict(facts)}
        end_s = self.now[0]
        lines = [f"CMDLINE {self.command}\n", *(own_line("FACT", *fact) for fact in facts.items()),
                 own_line("PROC", 7, 1, START_S, self.command)]
        count = round(end_s / self.interval_s)
        lines += [f"MEM {self.at(i * self.interval_s):.6f} {START_S + i * self.interval_s:.4f}\n" for i in range(count + 1)]
        lines += [f"FUNC {name} {m0:.4f} {START_S + t0:.6f} {m1:.4f} {START_S + t1:.6f} {level}\n"
                  for name, t0, m0, t1, m1, level in self.calls]
        lines += self.more
        if ending:
            lines += [own_line("EXIT", 7, f"{START_S + end_s:.6f}", *ending), own_line("FACT", "ended", "program")]
        return "".join(lines)


def worker(leak=0.0, heavier=0.0, slower=1.0, rounds=5, build="build", jitter=None, with_calls=True, level=0.0):
    """A program with three functions; its rounds keep nothing, unless it leaks."""
    program, kept = Program(), 20.0 + level

    def late(seconds):
        return seconds * (1 + (jitter.uniform(-0.15, 0.15) if jitter else 0))

    program.step(late(0.2), 50 + level)
    for _ in range(rounds):
        program.call("app.parse", lambda p: p.step(late(0.1), kept + 60 + heavier), lambda p: p.step(late(0.1), kept + 90 + heavier))
        program.step(0.01, kept + 30)
        kept += leak
        program.call("app.enrich", lambda p: p.step(late(0.1 * slower), kept + 30))
        program.step(0.01, kept + 30)
    program.call(f"app.{build}", lambda p: p.step(late(0.3), kept + 130, is_ramp=True), lambda p: p.step(late(0.2), kept + 130))
    program.step(late(0.2), kept + 30)
    if not with_calls:
        program.calls = []
    return program


class Diff(TestCase):
    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def diff(self, *arguments, expect=None, **environment):
        done = subprocess.run([MPROF, "diff", *map(str, arguments)], capture_output=True, text=True, cwd=self.directory,
                              env=self.environment(**environment), timeout=DEADLINE_S)
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        self.assertGreaterEqual(done.returncode, 0, done.stderr)
        return done

    def document(self, *arguments, expect=None):
        return json.loads(self.diff(*arguments, "--json", expect=expect).stdout)

    def compare(self, before, now, *arguments):
        self.write("before.dat", before if isinstance(before, str) else before.text())
        self.write("now.dat", now if isinstance(now, str) else now.text())
        return self.document("before.dat", "now.dat", *arguments)["comparisons"][0]

    def sustained(self, comparison):
        return comparison["sustained"]["difference_bytes"] / MIB

    def functions(self, comparison):
        return {function["name"]: function for function in comparison["functions"]}


class Numbers(Diff):
    def test_figures_are_those_of_a_computation_in_python(self):
        before, now = worker(), worker(leak=7, slower=2, rounds=6)
        comparison = self.compare(before, now)
        for side, program in (("before", before), ("now", now)):
            lines = [line.split() for line in program.text().splitlines()]
            samples = [(float(line[2]), float(line[1])) for line in lines if line[0] == "MEM"]
            values = [mib for _, mib in samples]
            area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(samples, samples[1:]))
            changes = comparison["changes"]
            self.assertAlmostEqual(changes["peak"][side] / MIB, max(values), places=3)
            self.assertAlmostEqual(changes["mean"][side] / MIB, statistics.fmean(values), places=3)
            self.assertAlmostEqual(changes["area"][side] / MIB, area, places=2)
            self.assertAlmostEqual(changes["duration"][side], program.now[0], places=4)
            for name, function in self.functions(comparison).items():
                calls = [call for call in program.calls if call[0] == name]
                seconds = [call[3] - call[1] for call in calls]
                inside = [[mib for at, mib in samples if call[1] <= at - START_S <= call[3]] + [call[2], call[4]] for call in calls]
                self.assertEqual(function["calls"][side], len(calls))
                self.assertAlmostEqual(function["total_s"][side], sum(seconds), places=4)
                self.assertAlmostEqual(function["change_bytes"][side] / MIB, sum(call[4] - call[2] for call in calls), places=2)
                self.assertAlmostEqual(function["peak_bytes"][side] / MIB, max(map(max, inside)), places=2)
                self.assertAlmostEqual(function["most_added_bytes"][side] / MIB,
                                       max(max(values) - call[2] for values, call in zip(inside, calls)), places=2)
        for change in comparison["changes"].values():
            if change["before"] is not None and change["now"] is not None:
                self.assertAlmostEqual(change["difference"], change["now"] - change["before"], delta=1)

    def test_growth_is_that_of_check(self):
        steady, leaking = Program(interval_s=0.1), Program(interval_s=0.1)
        for i in range(60):
            steady.step(1, 100 + 30 * (i % 5) / 5)
            leaking.step(1, 100 + 30 * (i % 5) / 5 + i)
        growth = self.compare(steady, leaking)["changes"]["growth"]
        self.assertAlmostEqual(growth["before"] * 60 / MIB, 0, delta=1)
        self.assertAlmostEqual(growth["now"] * 60 / MIB, 60, delta=5)
        self.assertAlmostEqual(growth["difference"], growth["now"] - growth["before"], delta=2)

    def test_processes(self):
        def tree(children, mib):
            program = Program().step(1, 50)
            for child in range(children):
                program.more.append(own_line("PROC", 100 + child, 7, START_S, "cc1"))
                program.more += [f"CHLD {100 + child} {mib:.6f} {START_S + i * 0.01:.4f}\n" for i in range(101)]
            return program.text(facts={"multiprocess": "yes"}.items())

        comparison = self.compare(tree(2, 30), tree(5, 40))
        rows = {process["name"]: process for process in comparison["processes"]}
        self.assertEqual(rows["cc1"]["count"], {"before": 2, "now": 5, "difference": 3})
        self.assertEqual(rows["cc1"]["peak_bytes"]["difference"], 10 * MIB)
        self.assertAlmostEqual(rows["cc1"]["mean_bytes"]["before"] / MIB, 60, places=3)
        self.assertAlmostEqual(rows["cc1"]["mean_bytes"]["now"] / MIB, 200, places=3)
        # the sum of all: 50 + 60, then 50 + 200 MiB
        self.assertAlmostEqual(self.sustained(comparison), 140, places=3)
        self.assertAlmostEqual(comparison["changes"]["peak"]["difference"] / MIB, 140, places=3)
        self.assertRegex(self.diff("before.dat", "now.dat").stdout, r"cc1 +2→5 +60\.0 +200\.0 +\+140\.0 +30\.0 +40\.0 +\+10\.0")


    def test_processes_without_samples_of_their_own(self):
        """Without -M their memory is unknown, not 0."""
        def tree(children):
            program = Program().step(1, 50)
            program.more += [own_line("PROC", 100 + child, 7, START_S, "cc1" if child else "as") for child in range(children)]
            return program.text(facts={"include-children": "yes", "multiprocess": "no"}.items())

        rows = {process["name"]: process for process in self.compare(tree(2), tree(5))["processes"]}
        self.assertEqual(rows["cc1"]["count"], {"before": 1, "now": 4, "difference": 3})
        for kind in ("mean_bytes", "peak_bytes"):
            self.assertIsNone(rows["cc1"][kind]["before"])
            self.assertIsNone(rows["cc1"][kind]["now"])
        self.assertRegex(self.diff("before.dat", "now.dat").stdout, r"cc1 +1→4( +–){6}\n")
        self.compare(tree(1), tree(5))
        self.assertRegex(self.diff("before.dat", "now.dat").stdout, r"cc1 +0→4( +–){6}\n")


class Sustained(Diff):
    def test_a_leak(self):
        comparison = self.compare(worker(), worker(leak=10))
        self.assertEqual(comparison["aligned_by"], "calls")
        self.assertEqual(comparison["matched_calls"], 11)
        self.assertAlmostEqual(self.sustained(comparison), 50, delta=1)
        self.assertIn("enrich", comparison["headline"])

    def test_a_function_needs_more_while_it_runs(self):
        comparison = self.compare(worker(), worker(heavier=25))
        self.assertAlmostEqual(self.sustained(comparison), 25, delta=1)
        self.assertEqual(comparison["sustained"]["running"], "parse")
        self.assertEqual(comparison["functions"][0]["name"], "app.parse")
        self.assertEqual(comparison["functions"][0]["most_added_bytes"]["difference"], 25 * MIB)
        self.assertIn("a call of parse adds", comparison["headline"])

    def test_a_slower_function_is_no_difference_of_memory(self):
        comparison = self.compare(worker(), worker(slower=4))
        self.assertEqual(self.sustained(comparison), 0)
        self.assertAlmostEqual(self.functions(comparison)["app.enrich"]["total_s"]["difference"], 1.5, places=3)
        self.assertIn("no sustained difference", self.diff("before.dat", "now.dat").stdout)

    def test_one_more_call(self):
        comparison = self.compare(worker(), worker(rounds=6))
        self.assertEqual(self.sustained(comparison), 0)
        self.assertEqual(self.functions(comparison)["app.parse"]["calls"], {"before": 5, "now": 6, "difference": 1})
        self.assertRegex(self.diff("before.dat", "now.dat").stdout, r"parse +5→6 ")

    def test_a_long_call_that_only_one_has(self):
        """In the other run no time passes meanwhile: its memory says nothing."""
        def program(extra):
            program = Program().step(0.3, 50)
            for i in range(4):
                if i == 2 and extra:
                    program.call("app.once", lambda p: p.step(2, 150))
                program.step(0.01, 50)
                program.call("app.work", lambda p: p.step(0.2, 80))
                program.step(0.01, 50)
            return program

        self.assertEqual(self.sustained(self.compare(program(False), program(True))), 0)
        self.assertEqual(self.sustained(self.compare(program(True), program(False))), 0)
        self.assertEqual(self.functions(self.compare(program(False), program(True)))["app.once"]["most_added_bytes"]["now"], 100 * MIB)

    def test_a_renamed_function(self):
        comparison = self.compare(worker(), worker(build="assemble"))
        self.assertEqual(self.sustained(comparison), 0)
        functions = self.functions(comparison)
        self.assertEqual([(functions[name]["is_before"], functions[name]["is_now"]) for name in ("app.build", "app.assemble")],
                         [(True, False), (False, True)])
        self.assertIsNone(functions["app.build"]["most_added_bytes"]["now"])

    def test_jitter_at_steps_only(self):
        for with_calls in (True, False):
            for seed in range(12):
                with self.subTest(with_calls=with_calls, seed=seed):
                    source = random.Random(seed)
                    comparison = self.compare(worker(jitter=source, with_calls=with_calls), worker(jitter=source, with_calls=with_calls))
                    self.assertEqual(self.sustained(comparison), 0, comparison["headline"])

    def test_differences_are_found_in_spite_of_jitter(self):
        for with_calls in (True, False):
            for seed in range(6):
                with self.subTest(with_calls=with_calls, seed=seed):
                    source = random.Random(100 + seed)
                    comparison = self.compare(worker(jitter=source, with_calls=with_calls),
                                              worker(jitter=source, with_calls=with_calls, leak=15))
                    self.assertGreater(self.sustained(comparison), 40)

    def test_without_functions(self):
        twice = Program()
        for _ in range(2):
            twice.step(1, 40).step(1, 80)
        slow = Program()
        for _ in range(2):
            slow.step(2, 40).step(2, 80)
        comparison = self.compare(twice, slow)
        self.assertEqual((comparison["aligned_by"], self.sustained(comparison)), ("fraction", 0))
        comparison = self.compare(twice, slow, "--align", "start")
        self.assertEqual((comparison["aligned_by"], self.sustained(comparison)), ("start", -40))
        higher = Program().step(2, 60).step(4, 100)
        lower = Program().step(2, 30).step(4, 70)
        comparison = self.compare(higher, lower)
        self.assertEqual((comparison["aligned_by"], self.sustained(comparison)), ("start", -30))


class Laws(Diff):
    def negate(self, comparison):
        return {
            "sustained": comparison["sustained"] and -comparison["sustained"]["difference_bytes"],
            "changes": {name: change["difference"] is not None and -change["difference"]
                        for name, change in comparison["changes"].items()},
            "functions": {f["name"]: [f[key]["difference"] is not None and -f[key]["difference"]
                                      for key in ("calls", "total_s", "change_bytes", "peak_bytes", "most_added_bytes")]
                          for f in comparison["functions"]},
        }

    def same(self, comparison):
        return self.negate(json.loads(json.dumps(comparison), parse_int=lambda text: -int(text), parse_float=lambda text: -float(text)))

    def test_laws_of_random_recordings(self):
        """A recording differs from itself by nothing; exchanging two changes signs."""
        for seed in range(PAIRS):
            with self.subTest(seed=seed):
                self.write("a.dat", random_recording(seed))
                self.write("b.dat", random_recording(1000 + seed))
                itself = self.document("a.dat", "a.dat", expect=NO_WORSE)["comparisons"][0]
                for change in itself["changes"].values():
                    self.assertIn(change["difference"], (0, None))
                for function in itself["functions"]:
                    for key in ("calls", "total_s", "change_bytes", "peak_bytes", "most_added_bytes"):
                        self.assertIn(function[key]["difference"], (0, None))
                if itself["sustained"]:
                    self.assertEqual(itself["sustained"]["difference_bytes"], 0)
                there = self.document("a.dat", "b.dat", expect=NO_WORSE)["comparisons"][0]
                back = self.document("b.dat", "a.dat", expect=NO_WORSE)["comparisons"][0]
                self.assertEqual(self.same(there), self.negate(back))

    def test_damaged_recordings_do_no_harm(self):
        source = random.Random(14)
        self.write("a.dat", random_recording(3))
        good = (self.directory / "a.dat").read_bytes()
        for _ in range(PAIRS):
            bad = bytearray(good[:source.randrange(len(good))])
            for _ in range(source.randrange(20)):
                if bad:
                    bad[source.randrange(len(bad))] = source.randrange(256)
            (self.directory / "b.dat").write_bytes(bad)
            self.assertIn(self.diff("a.dat", "b.dat").returncode, (NO_WORSE, UNCLEAR))
            self.assertIn(self.diff("b.dat", "a.dat", "--floor=1MiB").returncode, (NO_WORSE, WORSE, UNCLEAR))


class Verdicts(Diff):
    def test_exit_codes(self):
        self.write("a.dat", worker().text())
        self.write("b.dat", worker(leak=10).text())
        for arguments, code in ((["a.dat", "b.dat"], NO_WORSE), (["a.dat", "b.dat", "--tolerance=5%"], WORSE),
                                (["b.dat", "a.dat", "--tolerance=5%"], NO_WORSE), (["a.dat", "b.dat", "--tolerance=90%"], NO_WORSE),
                                (["a.dat", "b.dat", "--floor=100MiB"], NO_WORSE), (["a.dat", "b.dat", "--floor=1MiB"], WORSE),
                                (["a.dat"], USAGE), (["a.dat", "b.dat", "a.dat"], USAGE), (["a.dat", "b.dat", "--floor=x"], USAGE),
                                (["a.dat", "b.dat", "--align=x"], USAGE), (["a.dat", "b.dat", "-o", "x.svg"], USAGE), (["-", "-"], USAGE),
                                (["a.dat", "none.dat"], UNCLEAR), (["none.dat", "b.dat", "--floor=1MiB"], UNCLEAR)):
            with self.subTest(arguments=arguments):
                self.diff(*arguments, expect=code)

    def test_the_mean_is_judged_too(self):
        before, now = Program(), Program()
        before.step(1, 100).step(1, 20)
        now.step(1, 100).step(1, 90)
        self.write("a.dat", before.text())
        self.write("b.dat", now.text())
        done = self.diff("a.dat", "b.dat", "--tolerance=5%", expect=WORSE)
        self.assertIn("higher: the mean is 35.", done.stdout)

    def groups(self, peaks_before, peaks_now):
        for side, peaks in (("before", peaks_before), ("now", peaks_now)):
            shutil.rmtree(self.directory / side, ignore_errors=True)
            for i, peak in enumerate(peaks):
                self.write(f"{side}/run-{i + 1}.dat", Program().step(1, 30).step(1, peak).text())
        return self.document("before", "now", "--tolerance=5%")

    def test_groups_of_four(self):
        document = self.groups([100, 103, 98, 101], [120, 123, 118, 121])
        peak = document["comparisons"][0]["changes"]["peak"]
        self.assertEqual((document["exit_code"], peak["verdict"]), (WORSE, "failed"))
        self.assertEqual((peak["before"], peak["now"]), (int(100.5 * MIB), int(120.5 * MIB)))
        self.assertAlmostEqual(peak["p_value"], 0.0286, places=3)
        self.assertEqual(document["comparisons"][0]["before"]["run_count"], 4)
        self.assertAlmostEqual(self.sustained(document["comparisons"][0]), 20, places=3)
        self.assertRegex(self.diff("before", "now").stdout, r"HIGHER +peak .*p=0\.03\n")

    def test_lines_of_groups_are_short(self):
        self.groups([10000, 10300, 9800, 10100], [120000, 123000, 118000, 121000])
        text = self.diff("before", "now").stdout
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)
        self.assertIn("p=0.03\n", text)
        self.assertIn(" GiB·s", text)

    def test_groups_that_overlap(self):
        document = self.groups([100, 130, 90, 110], [120, 95, 140, 110])
        self.assertEqual(document["comparisons"][0]["changes"]["peak"]["verdict"], "inconclusive")
        self.assertEqual(document["exit_code"], UNCLEAR)

    def test_one_against_four(self):
        document = self.groups([100], [120, 120.1, 120.2, 119.9])
        self.assertEqual(document["exit_code"], WORSE)
        document = self.groups([100, 103, 98, 106], [120])
        self.assertEqual(document["comparisons"][0]["changes"]["peak"]["verdict"], "inconclusive")

    def test_killed(self):
        self.write("whole.dat", Program().step(1, 100).text())
        self.write("killed.dat", Program().step(1, 60).text(ending=("signal", 9)))
        self.write("high.dat", Program().step(1, 200).text(ending=("oom", 9)))
        for before, now, code in (("whole.dat", "killed.dat", UNCLEAR), ("killed.dat", "whole.dat", UNCLEAR), ("whole.dat", "high.dat", WORSE)):
            with self.subTest(before=before, now=now):
                done = self.diff(before, now, "--tolerance=5%", expect=code)
                self.assertIn("≥ ", done.stdout)

    def test_appended_runs_are_a_group(self):
        text = Program().step(1, 50).text(ending=None)
        later = text.replace("17000000", "17000001")
        self.write("a.dat", text + later)
        self.write("b.dat", Program().step(1, 80).text())
        comparison = self.document("a.dat", "b.dat")["comparisons"][0]
        self.assertEqual((comparison["before"]["run_count"], comparison["now"]["run_count"]), (2, 1))

    def test_directories_are_paired_by_command(self):
        for side, level in (("before", 0), ("now", 10)):
            for command in ("alpha", "beta", side):
                program = Program(command=command).step(1, 50 + level)
                self.write(f"{side}/{command}.dat", program.text())
        document = self.document("before", "now", expect=UNCLEAR)
        self.assertEqual([pair["now"]["name"] for pair in document["comparisons"]], ["now/alpha.dat", "now/beta.dat"])
        done = self.diff("before", "now")
        self.assertIn("now/now.dat: there is nothing to compare it with before", done.stdout)
        self.assertIn("before/before.dat: there is nothing to compare it with now", done.stdout)

    def test_kinds_of_memory_and_machines(self):
        self.write("a.dat", Program().step(1, 50).text())
        self.write("b.dat", Program().step(1, 90).text(facts={"machine": "aarch64"}.items()))
        done = self.diff("a.dat", "b.dat", "--tolerance=5%", expect=UNCLEAR)
        self.assertIn("x86_64 against aarch64", done.stdout)


class Output(Diff):
    def test_the_document_has_its_schema(self):
        for before, now in ((worker(), worker(leak=10, build="x")), (Program().step(0.02, 5), worker())):
            self.compare(before, now)
            document = self.document("before.dat", "now.dat")
            self.assertEqual(len(document["comparisons"]), 1)
            jsonschema.Draft7Validator(SCHEMA).validate(document)

    def test_files_of_other_recorders(self):
        for name in ("example.dat", "nested.dat", "article-gunicorn-M.dat", "numbered-children.dat", "public-2019-five-fields.dat"):
            with self.subTest(name=name):
                self.diff(FIXTURES / "dat" / name, FIXTURES / "dat" / name, "--tolerance=5%", expect=NO_WORSE)

    def test_empty_ones(self):
        self.write("empty.dat", "")
        self.write("a.dat", worker().text())
        done = self.diff("a.dat", "empty.dat", expect=UNCLEAR)
        self.assertIn("empty.dat", done.stdout)

    def test_lines_are_short_and_plain(self):
        hostile = "app.\x1b]0;x\x07\u202e" + "n" * 200
        for locale, is_plain in (("C.UTF-8", False), ("C", True)):
            self.write("a.dat", worker().text())
            self.write("b.dat", worker(leak=10).text().replace("app.enrich", hostile.replace("\n", "")))
            done = self.diff("a.dat", "b.dat", LC_ALL=locale)
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)
                self.assertNotRegex(line, "[\x00-\x1f\x7f\u202e]")
            self.assertEqual(done.stdout.isascii(), is_plain)

    def test_colours(self):
        self.write("a.dat", worker().text())
        self.write("b.dat", worker(leak=10).text())
        self.assertNotIn("\x1b", self.diff("a.dat", "b.dat").stdout)
        self.assertIn("\x1b[1;31mHIGHER", self.diff("a.dat", "b.dat", "--color=always").stdout)

    def test_numbers_of_the_list(self):
        for i, program in enumerate((worker(), worker(leak=10))):
            self.write(f"mprofile_2026010100000{i}.dat", program.text())
        done = self.diff("0", "-1")
        self.assertIn("mprofile_20260101000001.dat", done.stdout)
        self.assertIn("enrich", done.stdout)

    def test_formats(self):
        self.write("a.dat", worker().text())
        self.write("b.dat", worker(leak=10).text())
        for name in ("junit", "markdown", "github", "gitlab-metrics", "github-benchmark", "bencher", "benchstat", "teamcity"):
            with self.subTest(name=name):
                self.diff("a.dat", "b.dat", "--tolerance=5%", f"--format={name}=out", expect=WORSE)
                self.assertIn("b.dat", (self.directory / "out").read_text())


if __name__ == "__main__":
    unittest.main()
