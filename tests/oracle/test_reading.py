"""Our reader and upstream's on the same files: samples, children, calls, command line, labels, the merged
line and its slope. Files: those of fixtures/dat, generated ones, and what our writer writes."""

import collections
import contextlib
import io
import json
import math
import operator
import pathlib
import random
import subprocess
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, FIXTURES, MPROF, TestCase, upstream  # noqa: E402

TOOLS = pathlib.Path(MPROF).parent / "tests" / "unit"


def dump(path, *options):
    """Our profile of a recording, as the values of its JSON."""
    done = subprocess.run([TOOLS / "dump-profile", *options, path], capture_output=True,
                          timeout=DEADLINE_S, check=True)
    return json.loads(done.stdout)


def text(shown):
    """Bytes were dumped as Latin-1."""
    return shown.encode("latin-1").decode("utf-8", "surrogateescape")


def merged(read):
    """Upstream's line: MEM with the values at entry and exit of all calls, in time order."""
    points = list(zip(read["timestamp"], read["mem_usage"]))
    for calls in read["func_timestamp"].values():
        for call in calls:
            points += [(call[0], call[2]), (call[1], call[3])]
    return points


class Reading(TestCase):
    def assert_same(self, path, max_points="0"):
        read = upstream().read_mprofile_file(str(path))
        ours = dump(path, "--max-points", max_points)
        self.assertEqual(text(ours["command_line"]), (read["cmd_line"] or "").rstrip("\n"))
        self.assert_samples(read, ours)
        self.assert_children(read, ours)
        self.assert_calls(read, ours)
        self.assert_line(read, ours)
        return read, ours

    def assert_samples(self, read, ours):
        """Bit for bit, in time order; equal times as in the file."""
        expected = sorted(zip(read["mem_usage"], read["timestamp"]), key=lambda point: point[1])
        self.assertEqual([tuple(p) for p in ours["samples"]["points"]], expected)
        self.assertEqual(ours["samples"]["sample_count"], len(expected))
        self.assertEqual(ours["samples"]["peak"][0], max(read["mem_usage"]))
        self.assertEqual(ours["samples"]["lowest_mib"], min(read["mem_usage"]))
        self.assertTrue(math.isclose(ours["samples"]["mean_mib"],
                                     math.fsum(read["mem_usage"]) / len(expected), rel_tol=1e-12))

    def assert_children(self, read, ours):
        expected = {int(pid): sorted(values, key=lambda point: point[1])
                    for pid, values in read["children"].items()
                    if int(pid) != 0 or any(mib > 0 for mib, _ in values)}
        # what cannot be a pid is a number
        numbered = any(int(pid) <= 1 and any(mib > 0 for mib, _ in values)
                       for pid, values in read["children"].items())
        names = {process["name"]: process["pid"] for process in ours["processes"][1:]}
        if numbered:
            self.assertEqual(names, {f"child {number}": -1 for number in expected})
        found = {int(process["name"].split()[1]) if numbered else process["pid"]:
                 [tuple(p) for p in process["series"]["points"]] for process in ours["processes"][1:]}
        self.assertEqual(found, expected)

    def assert_calls(self, read, ours):
        expected = {name: sorted(tuple(call) for call in calls)
                    for name, calls in read["func_timestamp"].items()}
        found = collections.defaultdict(list)
        for span in ours["spans"]:
            name = text(ours["functions"][span["function"]]["name"])
            call = (span["enter"][1], span["exit"][1], span["enter"][0], span["exit"][0])
            if name in expected and len(expected[name][0]) == 5:
                call += (span["level"],)
            found[name].append(call)
        self.assertEqual({name: sorted(calls) for name, calls in found.items()}, expected)
        labels = upstream().function_labels(list(expected))
        self.assertEqual({text(f["name"]): text(f["label"]) for f in ours["functions"]}, labels)
        for function in ours["functions"]:
            calls = expected[text(function["name"])]
            longest = max(call[1] - call[0] for call in calls)
            self.assertTrue(math.isclose(function["longest_s"], longest, abs_tol=1e-9))
            with contextlib.suppress(ValueError):
                peak = max(upstream().filter_mprofile_mem_usage_by_function(
                    read, text(function["name"])))
                self.assertEqual(function["sample_peak_mib"], peak)
                continue
            self.assertIsNone(function["sample_peak_mib"])

    def assert_line(self, read, ours):
        expected = sorted(merged(read))
        self.assertEqual(sorted((t, mib) for mib, t in ours["line"]["points"]), expected)
        times = [t for _, t in ours["line"]["points"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual(ours["start_s"], min(times + [t for p in ours["processes"]
                                                       for _, t in p["series"]["points"]]))
        self.assert_slope(expected, ours["line"])
        for process in ours["processes"][1:]:
            self.assert_slope([(t, mib) for mib, t in process["series"]["points"]],
                              process["series"])

    def assert_slope(self, points, series):
        """Against the least squares in exact numbers: what numpy's polyfit rounds differs between BLAS."""
        begin = min(point[0] for point in points)
        t = [Fraction(point[0]) - Fraction(begin) for point in points]
        mib = [Fraction(point[1]) for point in points]
        if not any(t):
            self.assertEqual(series["slope"], 0)
            return
        n, sum_t, sum_mib = len(t), sum(t), sum(mib)
        slope = float((n * sum(map(operator.mul, t, mib)) - sum_t * sum_mib)
                      / (n * sum(x * x for x in t) - sum_t * sum_t))
        # relative to the slope; for a flat line, to the rounding of the values
        rounding = 1e-15 * float(max(mib) / max(t))
        self.assertLessEqual(abs(series["slope"] - slope), 1e-9 * abs(slope) + rounding)

    def test_recordings_of_real_programs(self):
        paths = sorted((FIXTURES / "dat").glob("*.dat"))
        self.assertGreaterEqual(len(paths), 12)
        for path in paths:
            with self.subTest(path=path.name):
                self.assert_same(path)

    def write(self, lines):
        path = self.directory / "generated.dat"
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def test_both_spellings_of_our_records(self):
        """The same recording in formats 1 and 2."""
        first, second = (dump(FIXTURES / "dat" / "own" / f"format-{n}.dat") for n in (1, 2))
        self.assertEqual([fact for fact in first["facts"] if fact not in second["facts"]],
                         [["format", "1"]])
        first["facts"], second["facts"] = None, None
        self.assertEqual(first, second)
        self.assertEqual(sum(count for count, _ in second["warnings"]), 0)
        self.assertEqual({process["name"] for process in second["processes"]},
                         {"python3 app.py", "the worker | 1", "sh", "sleep"})
        self.assertEqual({lane["name"] for lane in second["lanes"]}, {"", "a thread|1"})

    def test_small_times(self):
        self.assert_same(self.write(["CMDLINE x", "MEM 1 0", "MEM 2.5 0.1", "MEM .5 0.2",
                                     "FUNC f 1 0.05 2 0.15 0", "CHLD 5 1. 0.1"]))

    def test_decimals_of_every_length(self):
        """Doubles equal Python's, which rounds correctly."""
        generator = random.Random(5)
        lines = ["CMDLINE x"]
        for _ in range(10000):
            mib = "".join(generator.choices("0123456789", k=generator.randint(1, 7)))
            if generator.random() < 0.9:
                mib += "." + "".join(generator.choices("0123456789", k=generator.randint(0, 40)))
            digits = "".join(generator.choices("0123456789", k=generator.choice((4, 6, 1, 9, 20))))
            lines.append(f"MEM {mib} {generator.randint(1795330000, 1795339999)}.{digits}")
        self.assert_same(self.write(lines))

    def generated(self, seed):
        """A recording as upstream could have written it, in any order."""
        generator = random.Random(seed)
        names = [".".join(generator.choices("abcde", k=generator.randint(1, 5)))
                 for _ in range(generator.randint(1, 12))]
        fields = generator.choice((5, 6))
        lines = []

        def moment():
            return f"{1795330000 + generator.random() * generator.choice((1, 60, 3600)):.4f}"

        def mib():
            return f"{generator.random() * generator.choice((1, 100, 100000)):.6f}"

        for _ in range(generator.randint(1, 300)):
            lines.append(f"MEM {mib()} {moment()}")
        for _ in range(generator.randint(0, 100)):
            lines.append(f"CHLD {generator.randint(0, 5)} {mib()} {moment()}")
        for _ in range(generator.randint(0, 60)):
            start, end = sorted((moment(), moment()))
            level = f" {generator.randint(0, 4)}" if fields == 6 else ""
            tail = generator.choice(("", "", " more fields")) if level else ""
            lines.append(f"FUNC {generator.choice(names)} {mib()} {start} {mib()} {end}"
                         f"{level}{tail}")
        if generator.random() < 0.5:
            generator.shuffle(lines)
        lines.insert(generator.randint(0, len(lines)), "CMDLINE python3  a b")
        return lines

    def test_generated_recordings(self):
        for seed in range(80):
            with self.subTest(seed=seed):
                self.assert_same(self.write(self.generated(seed)))

    def test_what_we_write(self):
        """Upstream reads what our writer writes, with arbitrary bytes in names."""
        for seed in range(4):
            path = self.directory / "random.dat"
            subprocess.run([TOOLS / "write-random", str(seed), "3000", path], check=True,
                           timeout=DEADLINE_S)
            with self.subTest(seed=seed):
                read = upstream().read_mprofile_file(str(path))
                ours = dump(path, "--max-points", "0")
                # the last kind: callers of frames are random numbers, and most of them name none
                self.assertEqual(ours["warnings"][:-1], [[0, 0]] * (len(ours["warnings"]) - 1))
                self.assert_samples(read, ours)
                self.assertEqual(sum(map(len, read["func_timestamp"].values())),
                                 len(ours["spans"]))
                # entry and exit of every call, whatever name upstream reads
                expected = sorted(tuple(call[:4]) for calls in read["func_timestamp"].values()
                                  for call in calls)
                found = sorted((s["enter"][1], s["exit"][1], s["enter"][0], s["exit"][0])
                               for s in ours["spans"])
                self.assertEqual(found, expected)

    def test_labels(self):
        generator = random.Random(7)
        for round_number in range(150):
            letters = generator.choice(("ab", "abcd", "a.", "xyz."))
            names = {"".join(generator.choices(letters, k=generator.randint(1, 3)))
                     if generator.random() < 0.3 else
                     ".".join(generator.choices(("a", "b", "aa", "ba", "", "f-a"),
                                                k=generator.randint(1, 6)))
                     for _ in range(generator.randint(1, 30))}
            names = sorted(names - {""})
            lines = ["CMDLINE x", "MEM 1 1795330000"]
            lines += [f"FUNC {name} 1 1795330000 1 1795330001 0" for name in names]
            ours = dump(self.write(lines))
            found = {text(f["name"]): text(f["label"]) for f in ours["functions"]}
            with self.subTest(round=round_number, names=names):
                self.assertEqual(found, upstream().function_labels(names))

    def test_standard_input(self):
        path = FIXTURES / "dat" / "nested.dat"
        done = subprocess.run([TOOLS / "dump-profile", "--max-points", "16", "-"],
                              input=path.read_bytes(), capture_output=True, check=True,
                              timeout=DEADLINE_S)
        self.assertEqual(json.loads(done.stdout), dump(path, "--max-points", "16"))


class Thinned(TestCase):
    """Curves of more samples than points: extremes and statistics stay exact."""

    def recording(self, order):
        generator = random.Random(3)
        samples = []
        mib = 100.0
        for i in range(12000):
            mib = max(1, mib + generator.uniform(-1, 1))
            samples.append((mib, 1795330000 + i * 0.1))
        samples[7777] = (5000.25, samples[7777][1])
        lines = [f"MEM {mib:.6f} {t:.4f}" for mib, t in samples]
        calls = []
        for i in range(150):
            start = generator.uniform(0, 1190)
            calls.append(f"FUNC m.f{i % 23} 50.0 {1795330000 + start:.4f} 60.0 "
                         f"{1795330000 + start + generator.uniform(0, 5):.4f} 0")
        order(lines, generator)
        path = self.directory / "long.dat"
        path.write_text("\n".join(["CMDLINE x", *lines, *calls]) + "\n")
        return path

    def check(self, order, *options):
        path = self.recording(order)
        read = upstream().read_mprofile_file(str(path))
        exact = dump(path, "--max-points", "0")
        thin = dump(path, "--max-points", "1000", *options)
        series = thin["samples"]
        self.assertLessEqual(len(series["points"]), 1000)
        self.assertGreater(len(series["points"]), 250)
        self.assertEqual(series["sample_count"], 12000)
        self.assertEqual(series["peak"], exact["samples"]["peak"])
        self.assertIn([5000.25, 1795330777.7], series["points"])
        everything = {tuple(point) for point in exact["samples"]["points"]}
        self.assertLessEqual({tuple(point) for point in series["points"]}, everything)
        times = [t for _, t in series["points"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual(series["points"][0], exact["samples"]["points"][0])
        self.assertEqual(series["points"][-1], exact["samples"]["points"][-1])
        for key in ("slope", "mean_mib", "lowest_mib", "offset"):
            for which in ("samples", "line"):
                self.assertTrue(math.isclose(thin[which][key], exact[which][key], rel_tol=1e-9),
                                (which, key, thin[which][key], exact[which][key]))
        # functions: exact, although samples were dropped
        self.assertEqual(thin["functions"], exact["functions"])
        for function in thin["functions"]:
            inside = upstream().filter_mprofile_mem_usage_by_function(read, function["name"])
            self.assertEqual(function["sample_peak_mib"], max(inside, default=None))
        # every hundredth of the time has its true extremes
        for i in range(100):
            low, high = 1795330000 + 12 * i, 1795330000 + 12 * (i + 1)
            all_in = [p[0] for p in exact["samples"]["points"] if low <= p[1] < high]
            some_in = [p[0] for p in series["points"] if low - 17 <= p[1] < high + 17]
            self.assertLessEqual(max(all_in), max(some_in))
            self.assertGreaterEqual(min(all_in), min(some_in))

    def test_in_order(self):
        self.check(lambda lines, generator: None)

    def test_backwards(self):
        self.check(lambda lines, generator: lines.reverse())

    def test_shuffled(self):
        self.check(lambda lines, generator: generator.shuffle(lines))

    def test_halves_exchanged(self):
        def exchange(lines, _):
            lines[:] = lines[6000:] + lines[:6000]
        self.check(exchange)

    def test_window(self):
        path = self.recording(lambda lines, generator: generator.shuffle(lines))
        whole = dump(path, "--max-points", "0")
        part = dump(path, "--max-points", "0", "--window", "300,900.05")
        start = whole["start_s"]
        points = whole["samples"]["points"]
        inside = [i for i, p in enumerate(points) if start + 300 <= p[1] <= start + 900.05]
        # and one on either side, which extends the line to the edges
        self.assertEqual(part["samples"]["points"], points[inside[0] - 1:inside[-1] + 2])
        self.assertEqual(part["start_s"], start)
        for span in part["spans"]:
            self.assertGreaterEqual(span["exit"][1], start + 300)
            self.assertLessEqual(span["enter"][1], start + 900.05)
        self.assertGreater(len(part["spans"]), 40)
        self.assertLess(len(part["spans"]), len(whole["spans"]))
        line = [t for _, t in part["line"]["points"]]
        self.assertTrue(line[0] < start + 300 <= line[1] and line[-2] <= start + 900.05 < line[-1])

    def test_window_of_a_pipe(self):
        path = self.recording(lambda lines, generator: None)
        with open(path, "rb") as file:
            done = subprocess.run([TOOLS / "dump-profile", "--window", "200,300", "-"],
                                  input=file.read(), capture_output=True, check=True,
                                  timeout=DEADLINE_S)
        self.assertEqual(json.loads(done.stdout), dump(path, "--window", "200,300"))


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        upstream()
    unittest.main(verbosity=1)
