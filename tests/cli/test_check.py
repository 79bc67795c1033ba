"""`mprof check`, `mprof run --check` and `--repeat`: limits, verdicts, exit codes, and what is printed."""

import gzip
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, FIXTURES, MPROF, TestCase, own_line, tiny_file_system, wait_until  # noqa: E402

PASSED, CROSSED, USAGE, UNCLEAR = 0, 1, 2, 3
START_S = 1.7e9


def recording(peak_mib=100.0, seconds=1.0, command="prog", ending=("status", 0), facts=(), children="no", more=()):
    """Text of a recording as mprof writes it: memory rises to its peak in the middle."""
    facts = {"format": 2, "version": "1.0.0", "machine": "x86_64", "backend": "psutil", "interval": 0.1,
             "include-children": children, "multiprocess": "no", "pid": 7, **dict(facts)}
    lines = [f"CMDLINE {command}\n", *(own_line("FACT", *fact) for fact in facts.items()),
             own_line("PROC", 7, 1, START_S, command)]
    count = max(int(seconds / 0.1), 2)
    for i in range(count + 1):
        mib = peak_mib if i == count // 2 else peak_mib / 2
        lines.append(f"MEM {mib:.6f} {START_S + seconds * i / count:.4f}\n")
    lines += more
    if ending:
        lines += [own_line("EXIT", 7, f"{START_S + seconds:.6f}", *ending), own_line("FACT", "ended", "program")]
    return "".join(lines)


def sawtooth(leak_mib_per_min, minutes=10, period_s=10):
    """Samples of a program that collects garbage."""
    for i in range(int(minutes * 60 / 0.5)):
        time_s = i * 0.5
        yield f"MEM {100 + 30 * (time_s % period_s) / period_s + leak_mib_per_min * time_s / 60:.6f} {START_S + time_s:.4f}\n"


class Check(TestCase):
    def check(self, *arguments, expect=None, **environment):
        done = subprocess.run([MPROF, *map(str, arguments)], capture_output=True, text=True, cwd=self.directory,
                              env=self.environment(**environment), timeout=DEADLINE_S)
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return name

    def verdicts(self, done):
        """{name: verdict} of the lines of limits."""
        return {match[2]: match[1] for match in
                re.finditer(r"^  (passed|CROSSED|inconclusive|not measured) +(\S.*?)  ?[ −≥\d–]", done.stdout, re.M)}


class Limits(Check):
    def test_secrets_are_not_printed(self):
        self.check("run", "-q", "-o", "a.dat", "sh", "-c", "true", "--password=hunter2", "--token", "sekret", expect=0)
        for options in ((), ("--json",), ("--format", "markdown"), ("--format", "junit")):
            with self.subTest(options=options):
                done = self.check("check", "a.dat", "--max=1MiB", *options, expect=CROSSED)
                self.assertNotRegex(done.stdout, "hunter2|sekret")
        done = self.check("diff", "a.dat", "a.dat", expect=0)
        self.assertNotRegex(done.stdout, "hunter2|sekret")

    def test_peak(self):
        self.write("a.dat", recording(100))
        for limit, code in (("100MiB", PASSED), ("99.9MiB", CROSSED), ("1GiB", PASSED), ("100", PASSED), ("99", CROSSED),
                            ("102400k", PASSED), ("104.8MB", CROSSED), ("104.9 MB", PASSED), ("0.1g", PASSED)):
            with self.subTest(limit=limit):
                self.check("check", "a.dat", "--max", limit, expect=code)

    def test_a_drop_below_a_band(self):
        self.write("a.dat", recording(100))
        self.check("check", "a.dat", "--min=100MiB", expect=PASSED)
        done = self.check("check", "a.dat", "--min=101MiB", expect=CROSSED)
        self.assertEqual(self.verdicts(done), {"peak, at least": "CROSSED"})

    def test_duration(self):
        self.write("a.dat", recording(seconds=90))
        for limit, code in (("90s", PASSED), ("1.5min", PASSED), ("89.9", CROSSED), ("89000ms", CROSSED), ("1h", PASSED)):
            with self.subTest(limit=limit):
                self.check("check", "a.dat", "--max-time", limit, expect=code)

    def test_the_kernels_exact_peak_counts(self):
        self.write("a.dat", recording(100, more=[own_line("PEAK", 7, 150, START_S + 1)]))
        self.check("check", "a.dat", "--max", "149MiB", expect=CROSSED)
        # of a sum, a child's mark is a lower bound
        self.write("b.dat", recording(100, children="yes", more=[
            own_line("PROC", 8, 7, START_S, "child"), own_line("PEAK", 8, 120, START_S + 1)]))
        self.check("check", "b.dat", "--max", "119MiB", expect=CROSSED)
        self.check("check", "b.dat", "--max", "121MiB", expect=PASSED)

    def test_what_a_call_measured_between_samples_counts(self):
        call = f"FUNC app.f 10.0 {START_S + 0.41:.6f} 160.0 {START_S + 0.42:.6f} 0 pid=8\n"
        self.write("a.dat", recording(100, children="yes", more=[own_line("PROC", 8, 7, START_S, "child"), call]))
        self.check("check", "a.dat", "--max", "159MiB", expect=CROSSED)
        self.check("check", "a.dat", "--max", "160MiB", expect=PASSED)

    def test_children(self):
        children = [line for i in range(11) for line in
                    (f"CHLD 8 {40 + i:.6f} {START_S + 0.1 * i:.4f}\n", f"CHLD 9 30.000000 {START_S + 0.1 * i:.4f}\n")]
        self.write("a.dat", recording(100, facts={"multiprocess": "yes"}.items(), more=children))
        self.check("check", "a.dat", "--max-child", "50MiB", expect=PASSED)
        self.check("check", "a.dat", "--max-child", "49MiB", expect=CROSSED)
        # the peak is that of the sum: 100 + 45 + 30 MiB at the middle
        self.check("check", "a.dat", "--max", "175MiB", expect=PASSED)
        self.check("check", "a.dat", "--max", "174MiB", expect=CROSSED)
        self.write("b.dat", recording(100))
        done = self.check("check", "b.dat", "--max-child", "1GiB", expect=UNCLEAR)
        self.assertIn("record with -M", done.stdout)
        self.write("c.dat", recording(100, facts={"multiprocess": "yes"}.items()))
        done = self.check("check", "c.dat", "--max-child", "1GiB", expect=PASSED)
        self.assertIn("the program had no child", done.stdout)

    def test_functions(self):
        calls = [f"FUNC app.load 50.0 {START_S + 0.1:.6f} 60.0 {START_S + 0.7:.6f} 0\n",
                 f"FUNC app.io.read 50.0 {START_S + 0.8:.6f} 50.5 {START_S + 0.9:.6f} 0\n",
                 f"FUNC app.db.read 50.0 {START_S + 0.8:.6f} 50.5 {START_S + 0.9:.6f} 1\n"]
        self.write("a.dat", recording(100, more=calls))
        # the peak of 100 MiB was within the call, which began at 50 MiB
        for name in ("load", "app.load", "app:load"):
            self.check("check", "a.dat", "--func", f"{name}:50MiB", expect=PASSED)
            self.check("check", "a.dat", "--func", f"{name}:49MiB", expect=CROSSED)
        done = self.check("check", "a.dat", "--func", "save:1GiB", expect=UNCLEAR)
        self.assertIn("no call of it was recorded", done.stdout)
        done = self.run_mprof("check", "--func", "fti:10MiB", FIXTURES / "dat" / "nested.dat", expect=3)
        self.assertIn("no call of it was recorded; did you mean fit?", done.stdout)
        done = self.check("check", "a.dat", "--func", "read:1GiB", expect=UNCLEAR)
        self.assertIn("several functions have this name", done.stdout)
        self.check("check", "a.dat", "--func", "io.read:1MiB", expect=PASSED)

    def test_kinds(self):
        kinds = [own_line("KINDS", 7, f"{START_S + 0.1 * i:.4f}", "pss=30") for i in range(5)]
        self.write("a.dat", recording(100, more=kinds))
        done = self.check("check", "a.dat", "--kind", "uss:1GiB", "--kind", "rss:100MiB", expect=UNCLEAR)
        self.assertIn("recorded without --memory uss", done.stdout)
        self.assertEqual(self.verdicts(done), {"peak of uss": "not measured", "peak of rss": "passed"})

    def test_memory_of_the_control_group(self):
        groups = [own_line("GROUP", f"{40 + i}.0", f"{START_S + 0.1 * i:.4f}", "max", "/job") for i in range(5)]
        self.write("a.dat", recording(100, more=groups))
        for limit, code in (("44MiB", PASSED), ("43MiB", CROSSED)):
            done = self.check("check", "a.dat", "--kind", f"group:{limit}", expect=code)
            self.assertEqual(list(self.verdicts(done)), ["peak of group"])
        self.write("b.dat", recording(100))
        self.check("check", "b.dat", "--kind", "group:1GiB", expect=UNCLEAR)

    def test_what_was_running_is_named(self):
        calls = [f"FUNC app.main 10.0 {START_S + 0.05:.6f} 50.0 {START_S + 0.95:.6f} 0\n",
                 f"FUNC app.load 12.0 {START_S + 0.1:.6f} 50.0 {START_S + 0.7:.6f} 1\n",
                 f"FUNC app.save 50.0 {START_S + 0.8:.6f} 50.0 {START_S + 0.9:.6f} 1\n"]
        self.write("a.dat", recording(100, more=calls))
        done = self.check("check", "a.dat", "--max", "99MiB", expect=CROSSED)
        self.assertIn("at 0.50 s: load, running since 0.10 s, +88.0 MiB\n", done.stdout)

    def test_a_sum_belongs_to_all_processes(self):
        """Without -M the memory at the peak is that of all processes; with it, of each."""
        child = own_line("PROC", 100, 7, f"{START_S + 0.2:.6f}", "cc1")
        self.write("a.dat", recording(100, children="yes", more=[child]))
        done = self.check("check", "a.dat", "--max", "99MiB", expect=CROSSED)
        self.assertRegex(done.stdout, r"at 0\.\d\d s: all processes, 100\.0 MiB\n")
        self.write("a.dat", recording(100, children="yes", more=[child, f"CHLD 100 60.000000 {START_S + 0.5:.4f}\n"]))
        done = self.check("check", "a.dat", "--max", "99MiB", expect=CROSSED)
        self.assertNotIn("all processes", done.stdout)

    def test_growth(self):
        head = "CMDLINE prog\n"
        rows = (("flat", 0, 10, "1MiB/min", PASSED), ("leak", 2, 10, "1MiB/min", CROSSED),
                ("leak", 2, 10, "3MiB/min", PASSED), ("leak", 2, 10, "20KiB/s", CROSSED),
                ("leak", 2, 10, "1GiB/h", PASSED), ("leak", 2, 10, "19MiB/10min", CROSSED),
                ("leak", 2, 10, "21MiB/10min", PASSED), ("short", 2, 0.5, "1MiB/min", UNCLEAR))
        for name, leak, minutes, limit, code in rows:
            with self.subTest(series=name, limit=limit):
                self.write("a.dat", head + "".join(sawtooth(leak, minutes)))
                self.check("check", "a.dat", "--max-growth", limit, expect=code)

    def test_growth_that_ended_is_no_leak(self):
        for last, codes in ((1600, {PASSED}), (2000, {PASSED}), (2500, {PASSED, UNCLEAR}), (2800, {PASSED, UNCLEAR}),
                            (4000, {CROSSED})):
            with self.subTest(last=last):
                samples = (f"MEM {100 + min(i, last) / 10:.6f} {START_S + i * 0.5:.4f}\n" for i in range(4000))
                self.write("a.dat", "CMDLINE prog\n" + "".join(samples))
                self.assertIn(self.check("check", "a.dat", "--max-growth", "1MiB/min").returncode, codes)

    def test_all_limits_of_a_run_are_judged(self):
        self.write("a.dat", recording(100))
        done = self.check("check", "a.dat", "--max", "50MiB", "--min", "1MiB", "--max-child", "1GiB", "--max-growth",
                          "1MiB/min", expect=CROSSED)
        self.assertEqual(done.stdout.split("\n")[-2],
                         "failed: 1 of 4 limits crossed, 1 not measured, 1 inconclusive (exit 1)")

    def test_report_only(self):
        self.write("a.dat", recording(100))
        done = self.check("check", "a.dat", "--max", "50MiB", "--report-only", expect=PASSED)
        self.assertTrue(done.stdout.endswith("failed: 1 of 1 limit crossed (report only: exit 0)\n"), done.stdout)


class NotMeasured(Check):
    def test_a_killed_program_has_no_peak(self):
        for ending in (("signal", 9), ("oom", 9)):
            self.write("a.dat", recording(98.3, ending=ending))
            done = self.check("check", "a.dat", "--max", "200MiB", expect=UNCLEAR)
            self.assertIn("≥ 98.3 MiB", done.stdout)
            # what it had is certain
            self.check("check", "a.dat", "--max", "98MiB", expect=CROSSED)
            self.check("check", "a.dat", "--min", "98MiB", expect=PASSED)
            self.check("check", "a.dat", "--min", "99MiB", expect=UNCLEAR)

    def test_a_recording_without_its_end(self):
        self.write("a.dat", recording(ending=None))
        done = self.check("check", "a.dat", "--max", "200MiB", expect=UNCLEAR)
        self.assertIn("its recorder was killed", done.stdout)

    def test_other_recorders_write_no_end(self):
        self.check("check", FIXTURES / "dat" / "example.dat", "--max", "1GiB", expect=PASSED)

    def test_files_that_cannot_be_read(self):
        self.write("a.dat", recording(100))
        self.write("bad.dat", "CMDLINE prog\n")
        (self.directory / "empty").mkdir()
        for name in ("gone.dat", "bad.dat", "empty"):
            with self.subTest(name=name):
                done = self.check("check", "a.dat", name, "--max", "1GiB", expect=UNCLEAR)
                self.assertTrue(done.stdout.endswith("\n2 recordings: 1 not measured, 1 passed (exit 3)\n"), done.stdout)
                self.check("check", "a.dat", name, "--max", "1MiB", expect=CROSSED)


class Usage(Check):
    def test_files_of_which_most_cannot_be_read(self):
        """A gate that saw hardly a number does not pass. What was seen can still cross a limit."""
        good = "".join(f"MEM {20 + n}.0 {100 + n}.0\n" for n in range(5))
        bad = "".join(f"MEM nan {110 + n}.0\n" for n in range(6))
        self.write("most.dat", "CMDLINE x\n" + good + bad)
        done = self.run_mprof("check", "--max", "1GiB", "--max-time", "100s", "most.dat", expect=3)
        self.assertIn("6 lines could not be read, and only 5 samples could", " ".join(done.stdout.split()))
        self.assertNotIn("passed ", done.stdout)
        self.run_mprof("check", "--max", "10MiB", "most.dat", expect=1)
        self.write("some.dat", "CMDLINE x\n" + good + bad[:bad.index("\n") + 1])
        done = self.run_mprof("check", "--max", "1GiB", "some.dat")
        self.assertIn("1 line skipped", done.stderr)
        packed = gzip.compress(("CMDLINE x\n" + good * 200).encode())
        (self.directory / "torn.dat.gz").write_bytes(packed[:len(packed) * 2 // 3])
        done = self.run_mprof("check", "--max", "1GiB", "torn.dat.gz", expect=3)
        self.assertIn("the rest of it is missing", " ".join(done.stdout.split()))

    def test_values_that_cannot_be_used(self):
        self.write("a.dat", recording(100))
        for option, value in (("--max", "many"), ("--max", "-1"), ("--max", "5MiB/min"), ("--max", "1e400"), ("--max", ""),
                              ("--max", "nan"), ("--max", "0x10"), ("--max-growth", "5MiB"), ("--max-growth", "5MiB/x"), ("--max-growth", "5MiB/0s"), ("--max-growth", "5MiB/"),
                              ("--max-time", "5MiB"), ("--func", "100MiB"), ("--func", ":5MiB"), ("--func", "f:"),
                              ("--kind", "5MiB"), ("--kind", "all:5MiB"), ("--tolerance", "5"), ("--floor", "5%"),
                              ("--config", "gone.ini")):
            with self.subTest(option=option, value=value):
                done = self.check("check", "a.dat", "--max", "1GiB", f"{option}={value}", expect=USAGE)
                self.assertEqual(done.stdout, "")
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_a_negative_value_is_shown_as_written(self):
        self.write("a.dat", recording(100))
        for option, value in (("--max", "-1"), ("--max-time", "-1s"), ("--tolerance", "-5%"), ("--format", "-1"),
                              ("--color", "-1"), ("--config", "-1")):
            with self.subTest(option=option):
                done = self.check("check", "a.dat", "--max", "1GiB", option, value, expect=USAGE)
                self.assertRegex(done.stderr, f"[ ']{value}[:']")

    def test_no_limit(self):
        self.write("a.dat", recording(100))
        self.assertIn("no limit was given", self.check("check", "a.dat", expect=USAGE).stderr)
        self.assertIn("--check needs a limit", self.check("run", "--check", "touch", "started", expect=USAGE).stderr)
        self.assertFalse((self.directory / "started").exists())

    def test_no_recording(self):
        self.check("check", "--max", "1GiB", expect=UNCLEAR)


class Config(Check):
    def test_sections_by_names(self):
        self.write("mprof.ini", """
            # for all
            max = 1GiB  ; generous
            [prog]
            max = 50MiB
            [test_*[param #1]]
            max-time = 500ms
            [small]
            max = 2GiB
            """)
        self.write("a.dat", recording(100, command="/usr/bin/prog --option"))
        self.write("small.dat", recording(100, command="prog"))
        self.write("other.dat", recording(100, command="other"))
        self.write("t.dat", recording(100, command="other", facts={"test": "test_a[param #1]"}.items()))
        self.check("check", "a.dat", expect=CROSSED)
        self.check("check", "small.dat", expect=PASSED)  # a later section goes over an earlier one
        self.check("check", "other.dat", expect=PASSED)
        self.assertEqual(self.verdicts(self.check("check", "t.dat", expect=CROSSED)),
                         {"peak": "passed", "duration": "CROSSED"})
        self.check("check", "a.dat", "--max", "200MiB", expect=PASSED)  # options go over all

    def test_all_names(self):
        names = ("max = 1MiB", "max-child = 1MiB", "min = 1MiB", "max-growth = 1MiB/min", "max-time = 1s",
                 "func = f:1MiB", "func = g:1MiB", "kind = pss:1MiB", "tolerance = 5%", "floor = 1MiB")
        self.write("limits.ini", "\n".join(names) + "\n")
        self.write("a.dat", recording(100))
        done = self.check("check", "a.dat", "--config", "limits.ini", expect=CROSSED)
        self.assertEqual(len(re.findall(r"^  (?:passed|CROSSED|inconclusive|not measured) ", done.stdout, re.M)), 8)

    def test_lines_that_cannot_be_used(self):
        self.write("a.dat", recording(100))
        for number, line in enumerate(("max", "max 5MiB", "= 5", "maximum = 5MiB", "max = lots", "[", "[]", "[x", "[x] y",
                                       "max = 5\0MiB")):
            with self.subTest(line=line):
                self.write("mprof.ini", "\n" * number + line + "\n")
                done = self.check("check", "a.dat", "--max", "1GiB", expect=USAGE)
                self.assertTrue(done.stderr.startswith(f"mprof: mprof.ini:{number + 1}: "), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_a_section_that_fits_nothing_is_no_success(self):
        self.write("mprof.ini", "[porg]\nmax = 1GiB\n")
        self.write("a.dat", recording(100))
        self.assertIn("no limit applies", self.check("check", "a.dat", expect=USAGE).stderr)


class Baseline(Check):
    def test_tolerance_and_floor(self):
        self.write("old.dat", recording(100))
        for peak, options, code in ((104.9, (), PASSED), (105.1, (), CROSSED), (50, (), PASSED),
                                    (105.1, ("--tolerance=6%",), PASSED), (105.1, ("--floor=6MiB",), PASSED),
                                    (101, ("--tolerance=0%",), PASSED), (101, ("--tolerance=0%", "--floor=0"), CROSSED)):
            with self.subTest(peak=peak, options=options):
                self.write("new.dat", recording(peak))
                self.check("check", "new.dat", "--baseline", "old.dat", *options, expect=code)

    def runs(self, directory, peaks, command="prog"):
        for number, peak in enumerate(peaks):
            self.write(f"{directory}/run-{number + 1}.dat", recording(peak, command=command))
        return directory

    def test_noisy_runs_need_a_test(self):
        noisy = (100, 104, 98, 102)
        self.runs("old", noisy)
        rows = (((130, 134, 128, 132), CROSSED, "p = 0.029"), ((101, 105, 99, 103), PASSED, "p = "),
                ((130,), UNCLEAR, "4 are needed on each side"), ((130, 131, 132), UNCLEAR, "4 are needed"),
                ((108, 109, 99, 110), UNCLEAR, "it may be chance"))
        for number, (peaks, code, words) in enumerate(rows):
            with self.subTest(peaks=peaks):
                done = self.check("check", self.runs(f"new{number}", peaks), "--baseline", "old", expect=code)
                self.assertIn(words, " ".join(done.stdout.split()))

    def test_names_go_before_the_only_one(self):
        for directory, peaks in (("old", (100, 200)), ("new", (101, 201))):
            for name, peak in zip("ab", peaks):
                self.write(f"{directory}/{name}.dat", recording(peak, command=f"{directory}/prog {name}"))
        self.check("check", "new", "--baseline", "old", expect=PASSED)
        self.write("new/c.dat", recording(100, command="other"))
        done = self.check("check", "new", "--baseline", "old", expect=UNCLEAR)
        self.assertIn("no recording of this name", done.stdout)

    def test_a_file_of_baselines(self):
        self.write("importer.dat", recording(100.5))
        self.runs("runs", (103, 101, 102))
        self.check("check", "importer.dat", "runs", "--baseline", "base.ini", "--update-baseline", expect=PASSED)
        text = (self.directory / "base.ini").read_text()
        self.assertEqual(re.findall(r"^\[.*|^peak.*", text, re.M),
                         ["[importer | x86_64 | rss]", "peak = 100.500 MiB",
                          "[prog | x86_64 | rss]", "peak = 101.000 MiB", "peak = 102.000 MiB", "peak = 103.000 MiB"])
        self.check("check", "importer.dat", "--baseline", "base.ini", expect=PASSED)
        # only what is checked is replaced, and equal values make an equal file
        self.check("check", "runs", "--baseline", "base.ini", "--update-baseline", expect=PASSED)
        self.assertEqual((self.directory / "base.ini").read_text(), text)
        self.write("importer.dat", recording(120))
        self.check("check", "importer.dat", "--baseline", "base.ini", expect=CROSSED)
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["base.ini", "importer.dat", "runs"])

    def test_the_file_of_this_directory(self):
        for name, peak in (("a", 100), ("b", 200)):
            self.write(f"{name}.dat", recording(peak))
        self.check("check", "a.dat", "--update-baseline", expect=PASSED)
        self.assertIn("[a | x86_64 | rss]\npeak = 100.000 MiB\n", (self.directory / "mprof-baseline.ini").read_text())
        self.check("check", "a.dat", expect=PASSED)
        self.write("a.dat", recording(120))
        self.check("check", "a.dat", expect=CROSSED)
        self.check("check", "a.dat", "--baseline", "b.dat", expect=PASSED)
        # what it does not know needs another limit
        self.check("check", "b.dat", expect=USAGE)
        done = self.check("check", "a.dat", "b.dat", "--max=1GiB", expect=CROSSED)
        self.assertEqual(done.stdout.count("against baseline"), 1)
        self.check("run", "--check", "-q", "-o", "c.dat", "true", expect=USAGE)
        self.check("run", "--check", "-q", "--update-baseline", "-o", "c.dat", "true", expect=PASSED)
        self.check("run", "--check", "-q", "-o", "c.dat", "true", expect=PASSED)
        before = (self.directory / "mprof-baseline.ini").read_text()
        done = self.check("run", "--check", "-q", "--update-baseline", "-o", "d.dat", "sh", "-c", "exit 5", expect=5)
        self.assertIn("the program failed, so it is no baseline", " ".join(done.stdout.split()))
        done = self.check("check", "a.dat", "--update-baseline", "--max=1MiB", expect=CROSSED)
        self.assertIn("a limit was crossed, so it is no baseline", " ".join(done.stdout.split()))
        self.assertEqual((self.directory / "mprof-baseline.ini").read_text(), before)
        self.write("mprof-baseline.ini", "not one\n")
        self.check("check", "a.dat", "--max=1GiB", expect=USAGE)

    def test_keyed_by_machine_and_kind(self):
        self.write("a.dat", recording(100))
        self.check("check", "a.dat", "--baseline", "base.ini", "--update-baseline", expect=PASSED)
        for facts in ({"machine": "aarch64"}, {"backend": "psutil_pss"}, {"include-children": "yes"}):
            with self.subTest(facts=facts):
                self.write("a.dat", recording(100, facts=facts.items()))
                done = self.check("check", "a.dat", "--baseline", "base.ini", expect=UNCLEAR)
                self.assertIn("no baseline of a on", done.stdout)
                self.write("old.dat", recording(100))
                self.check("check", "a.dat", "--baseline", "old.dat", expect=UNCLEAR)

    def test_what_was_killed_is_no_baseline(self):
        self.write("a.dat", recording(100))
        self.check("check", "a.dat", "--baseline", "base.ini", "--update-baseline", expect=PASSED)
        before = (self.directory / "base.ini").read_bytes()
        self.write("a.dat", recording(50, ending=("signal", 9)))
        self.check("check", "a.dat", "--baseline", "base.ini", "--update-baseline", expect=UNCLEAR)
        self.assertEqual((self.directory / "base.ini").read_bytes(), before)
        self.check("check", "a.dat", "--baseline", "base.ini", expect=UNCLEAR)

    def test_files_that_cannot_be_used(self):
        self.write("a.dat", recording(100))
        for number, line in enumerate(("[a | x86_64]\npeak = 1 MiB", "peak = 1 MiB", "[a | x | rss]\npeak = much",
                                       "[a | x | rss]\nmean = 1 MiB", "[a | x | rss]\n[b | x | rss]\npeak = 1 MiB")):
            with self.subTest(line=line):
                self.write("base.ini", "# mprof baseline 1\n" + line + "\n")
                done = self.check("check", "a.dat", "--baseline", "base.ini", expect=USAGE)
                self.assertRegex(done.stderr, r"^mprof: base\.ini:\d: .*\n$")
        self.write("base.ini", "# mprof baseline 1\n[a | x | rss]\npeak = 1 MiB\n[b | x | rss]\n")
        done = self.check("check", "a.dat", "--baseline", "base.ini", expect=USAGE)
        self.assertEqual(done.stderr, "mprof: base.ini: the last section has no peak\n")
        done = self.check("check", "a.dat", "--baseline", "a.dat", "--update-baseline", expect=USAGE)
        self.assertEqual((self.directory / "a.dat").read_text(), recording(100))
        self.check("check", "a.dat", "--baseline", "gone.dat", expect=UNCLEAR)


    def test_a_file_that_cannot_be_written_stays(self):
        self.write("a.dat", recording(100))
        old = "# mprof baseline 1\n" + "".join(f"[old {n} | x | rss]\npeak = {n + 1}.000 MiB\n" for n in range(400))
        with tiny_file_system(self.directory / "tiny", "16k") as place:
            (place / "base.ini").write_text(old)
            done = self.check("check", "a.dat", "--baseline", place / "base.ini", "--update-baseline", expect=USAGE)
            self.assertRegex(done.stderr, r"\Amprof: .*base\.ini: cannot write the baseline: No space left on device\n\Z")
            self.assertEqual((place / "base.ini").read_text(), old)
            self.assertEqual(os.listdir(place), ["base.ini"])
        done = self.check("check", "a.dat", "--baseline", "gone/base.ini", "--update-baseline", expect=USAGE)
        self.assertRegex(done.stderr, r"\Amprof: gone/base\.ini: .*No such file or directory\n\Z")

    def test_files_that_are_too_large(self):
        self.write("a.dat", recording(100))
        with open(self.directory / "base.ini", "w") as file:
            file.write("# mprof baseline 1\n")
            file.truncate(17 << 20)
        for options in (("--baseline", "base.ini"), ("--config", "base.ini", "--max", "1GiB")):
            done = self.check("check", "a.dat", *options, expect=USAGE)
            self.assertEqual(done.stderr, "mprof: base.ini: is larger than 16 MiB\n")


class Groups(Check):
    def test_runs_of_one_command_are_one_subject(self):
        for number, peak in enumerate((100, 120, 110)):
            self.write(f"r/run-{number + 1}.dat", recording(peak))
        self.write("r/other.dat", recording(300, command="other"))
        self.write("r/notes.txt", "no recording")
        done = self.check("check", "r", "--max", "115MiB", expect=CROSSED)
        self.assertIn("prog  3 runs  prog\n", done.stdout)
        self.assertIn("1 of 3 runs", done.stdout)
        self.assertRegex(done.stdout, r"CROSSED +peak 120\.0 MiB")
        self.assertIn("r/other.dat  other\n", done.stdout)
        self.assertTrue(done.stdout.endswith("\n2 programs: 2 failed (exit 1)\n"), done.stdout)
        done = self.check("check", "r/run-1.dat", "r/run-2.dat", "r/run-1.dat", "--max", "1GiB", expect=PASSED)
        self.assertIn("2 runs", done.stdout)

    def test_runs_within_a_file(self):
        done = self.check("check", FIXTURES / "dat" / "appended-runs.dat", "--max", "1GiB", expect=PASSED)
        self.assertRegex(done.stdout, r"  \d runs  ")


class Text(Check):
    LONG = "prog " + "--an-option=value " * 20

    def assert_fits(self, text, width=80):
        for line in text.split("\n"):
            self.assertLessEqual(len(line), width, line)

    def test_eighty_columns(self):
        self.write("a" * 100 + ".dat", recording(12345.6, command=self.LONG, more=[
            f"FUNC app.{'long_name_' * 20} 50.0 {START_S + 0.1:.6f} 60.0 {START_S + 0.7:.6f} 0\n"]))
        self.write("b.dat", recording(100, ending=("signal", 9)))
        arguments = ("check", "a" * 100 + ".dat", "b.dat", "gone.dat", "--max=999.9GiB", "--min=99999GiB", "--max-growth=1MiB/min",
                     "--max-child=1MiB", "--func", "app." + "long_name_" * 20 + ":1MiB", "--max-time=1ms", "--baseline=b.dat")
        self.assert_fits(self.check(*arguments, expect=CROSSED).stdout)

    def test_ascii_where_the_locale_is_not_utf8(self):
        self.write("a.dat", recording(100, command="pröf", ending=("signal", 9)))
        done = self.check("check", "a.dat", "--max=99MiB", "--min=101MiB", "--max-time=1h", expect=CROSSED, LC_ALL="C")
        self.assertTrue(done.stdout.isascii(), done.stdout)
        self.assertIn(">= 100.0 MiB", done.stdout)

    def test_names_cannot_obey_a_terminal(self):
        hostile = "a\033[31m\u202eb\nc"
        self.write("a.dat", recording(100, command="p\033]0;x\007q", facts={"test": hostile}.items()))
        done = self.check("check", "a.dat", "--max=99MiB", expect=CROSSED)
        for character in "\033\007\u202e":
            self.assertNotIn(character, done.stdout)

    def test_no_colour_unless_on_a_terminal(self):
        self.write("a.dat", recording(100))
        self.assertNotIn("\033", self.check("check", "a.dat", "--max=99MiB", expect=CROSSED, TERM="xterm").stdout)


class Run(Check):
    def test_exit_codes(self):
        rows = ((("--max", "1GiB"), "exit 0", PASSED), (("--max", "1KiB"), "exit 0", CROSSED),
                (("--func", "f:1MiB"), "exit 0", UNCLEAR), (("--max", "1KiB"), "exit 7", 7),
                (("--max", "1GiB"), "exit 7", 7), (("--max", "1KiB", "--report-only"), "exit 0", PASSED),
                (("--max", "1GiB"), "kill -9 $$", 137))
        for options, script, code in rows:
            with self.subTest(options=options, script=script):
                done = self.check("run", "--check", "-q", *options, "sh", "-c", f"sleep 0.2; {script}", expect=code)
                self.assertIn(f"exit {code})", done.stdout.split("\n")[-2])
                self.assertEqual("; the program failed" in done.stdout, code > UNCLEAR)

    def test_a_document_has_standard_output_to_itself(self):
        done = self.check("run", "--check", "--max=1GiB", "--json", "-o", "a.dat", "true", expect=PASSED)
        self.assertEqual(json.loads(done.stdout)["format"], "mprof-check")
        done = self.check("run", "--check", "--max=1GiB", "--format", "json=a.json", "-o", "a.dat", "true", expect=PASSED)
        self.assertIn("running new process", done.stdout)

    def test_processes_are_recorded_as_limits_need_it(self):
        script = "import time; x = bytearray(40 << 20); time.sleep(0.5)"
        both = f'{sys.executable} -c "{script}" & {sys.executable} -c "{script}" & wait'
        done = self.check("run", "--check", "-q", "--max=70MiB", "--max-child=70MiB", "--kind=pss:70MiB",
                          "-o", "a.dat", "sh", "-c", both, expect=CROSSED)
        self.assertEqual(self.verdicts(done), {"peak": "CROSSED", "peak of pss": "CROSSED", "peak of any child": "passed"})
        self.check("run", "--check", "-q", "--max=70MiB", "-o", "b.dat", "sh", "-c", both, expect=CROSSED)

    def test_a_short_program_is_no_child_of_itself(self):
        # its birth may be read after its end
        done = self.check("run", "--repeat=10", "-q", "--max-child=1KiB", "true", expect=PASSED)
        self.assertIn("the program had no child", done.stdout)

    def test_a_function_with_its_limit(self):
        self.write("app.py", "import time\ndef load():\n    x = bytearray(30 << 20)\n    time.sleep(0.3)\n"
                             "if __name__ == '__main__':\n    import app\n    app.load()\n")
        done = self.check("run", "-q", "--func", "app:load:20MiB", sys.executable, "app.py", expect=CROSSED)
        self.assertIn("CROSSED", done.stdout)

    def test_repeat(self):
        self.check("run", "--repeat", 3, "-q", "-o", "runs", "true", expect=0)
        self.assertEqual(sorted(os.listdir(self.directory / "runs")), ["run-1.dat", "run-2.dat", "run-3.dat"])
        done = self.check("run", "--repeat=2", "-q", "--max=1GiB", "-o", "runs", "true", expect=PASSED)
        self.assertIn("2 runs", done.stdout)
        self.assertEqual(sorted(os.listdir(self.directory / "runs")),
                         ["run-1.dat", "run-1.dat.old", "run-2.dat", "run-2.dat.old", "run-3.dat.old"])

    def test_repeated_runs_have_all_processes(self):
        script = "import time; x = bytearray(40 << 20); time.sleep(0.3)"
        self.check("run", "--repeat=1", "-q", "-o", "runs", "sh", "-c", f'{sys.executable} -c "{script}"; true', expect=0)
        self.check("check", "runs", "--min=40MiB", expect=PASSED)

    def test_repeat_into_a_directory_by_time(self):
        self.check("run", "--repeat=2", "-q", "true", expect=0)
        names = os.listdir(self.directory)
        self.assertEqual(len(names), 1)
        self.assertRegex(names[0], r"^mprofile_\d{14}$")

    def test_a_program_that_fails_ends_repeating(self):
        script = "echo x >>count; [ $(wc -l <count) -lt 2 ] || exit 5"
        self.check("run", "--repeat=4", "-q", "-o", "runs", "sh", "-c", script, expect=5)
        self.assertEqual(sorted(os.listdir(self.directory / "runs")), ["run-1.dat", "run-2.dat"])

    def test_a_signal_ends_repeating(self):
        script = 'trap "exit 0" INT; touch "$0"; while :; do sleep 0.1; done'
        started = self.directory / "started"
        mprof = self.start(MPROF, "run", "--repeat=3", "-q", "-o", "runs", "sh", "-c", script, started)
        wait_until(started.exists, "the first run")
        mprof.send_signal(signal.SIGINT)
        self.assertEqual(self.wait_for_end(mprof), 128 + signal.SIGINT)
        self.assertEqual(os.listdir(self.directory / "runs"), ["run-1.dat"])

    def test_repeat_needs_a_number_and_a_program(self):
        for value in ("0", "-1", "x", "2x", "1000000"):
            self.check("run", f"--repeat={value}", "true", expect=USAGE)
        self.check("run", "--attach", "--repeat=2", "1", expect=USAGE)
        self.check("run", "--attach", "--check", "--max=1MiB", "1", expect=USAGE)

    def test_a_wrong_line_costs_no_run(self):
        self.write("mprof.ini", "max = lots\n")
        self.check("run", "--check", "touch", "started", expect=USAGE)
        self.assertFalse((self.directory / "started").exists())


if __name__ == "__main__":
    unittest.main()
