"""mprof functions: growth, release, time and peaks against a second computation, which looks for the calls
around the middle of each piece of time, and for samples of stacks against the formula of the interval."""

import collections
import json
import math
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import FIXTURES, Recording, TestCase, own_line  # noqa: E402

MIB = 1024 * 1024
T0 = 1795330000


class Sum:
    def __init__(self):
        self.growth = self.release = self.time = self.memory_time = 0.0
        self.certain = self.possible = 0.0  # of growth
        self.peak = -math.inf


def stack_of(calls, at_s):
    """The calls of one lane around a moment, the outermost first."""
    return sorted((c for c in calls if c.enter_s < at_s < c.exit_s), key=lambda c: c.level)


def compute(recording, pid_of_main):
    """Sums by path of each process, from pieces of time between known values that are all at different times."""
    paths = collections.defaultdict(Sum)     # own, by path
    totals = collections.defaultdict(Sum)    # with all below it
    lanes = collections.defaultdict(list)
    for call in recording.calls:
        lanes[call.pid or pid_of_main, call.lane].append(call)
    values = collections.defaultdict(set)
    values[pid_of_main] = {(t, mib) for mib, t in recording.mem}
    for pid, mib, t in recording.chld:
        values[pid].add((t, mib))
    for (pid, _), calls in lanes.items():
        for call in calls:
            values[pid] |= {(call.enter_s, call.enter_mib), (call.exit_s, call.exit_mib)}
    for pid, known in values.items():
        known = sorted(known)
        for (a_s, a), (b_s, b) in zip(known, known[1:]):
            middle = (a_s + b_s) / 2
            running = [tuple(c.name for c in stack) for (lane_pid, _), calls in lanes.items() if lane_pid == pid
                       for stack in [stack_of(calls, middle)] if stack]
            change, seconds = b - a, b_s - a_s
            for path in running or [()]:
                share = abs(change) / max(len(running), 1)
                for prefix in [path[:n] for n in range(len(path) + 1)]:
                    for one in [totals[prefix]] + ([paths[prefix]] if prefix == path else []):
                        one.growth += share if change > 0 else 0
                        one.release += share if change < 0 else 0
                        one.time += seconds
                        one.memory_time += seconds * (a + b) / 2
                        one.peak = max(one.peak, a, b)
            if change > 0:
                for one, inside in [(paths, lambda path, prefix: path == prefix),
                                    (totals, lambda path, prefix: path[:len(prefix)] == prefix)]:
                    prefixes = {path[:n] for path in running or [()] for n in range(len(path) + 1)}
                    for prefix in prefixes:
                        count = sum(inside(path, prefix) for path in running or [()])
                        if count == max(len(running), 1):
                            one[prefix].certain += change
                        elif count:
                            one[prefix].possible += change
    return paths, totals


def random_calls(rng, moments, from_s, to_s, level, name_count):
    """Nested calls within a time, at moments that nothing else has."""
    calls, at = [], from_s
    while at < to_s and len(calls) < 40:
        inside = sorted(t for t in moments if at < t < to_s)
        if len(inside) < 4:
            break
        first, last = sorted(rng.sample(range(min(len(inside), 30)), 2))
        enter, leave = inside[first], inside[last]
        moments -= {enter, leave}
        calls.append((enter, leave, level, f"__main__.f{rng.randrange(name_count)}"))
        if level < 3 and rng.random() < 0.7:
            calls += random_calls(rng, moments, enter, leave, level + 1, name_count)
        at = leave
    return calls


class Functions(TestCase):
    def document(self, *arguments, **options):
        done = self.run_mprof("functions", "--json", *arguments, **options)
        return json.loads(done.stdout)["recordings"]

    def by_path(self, item):
        paths = []
        for path in item["paths"]:
            caller = paths[path["caller"]] if path["caller"] is not None else None
            paths.append((*caller, path["function"]) if caller is not None else ())
        self.assertEqual(len(set(paths)), len(paths))
        return dict(zip(paths, item["paths"]))

    def check_path(self, path, found, own, total):
        near = lambda a, b, places=6: self.assertAlmostEqual(a, b, delta=10 ** -places * max(1, abs(b)), msg=path)
        for sums, name in [(own, "own"), (total, "total")]:
            near(found[name]["growth_bytes"] / MIB, sums.growth, 5)
            near(found[name]["release_bytes"] / MIB, sums.release, 5)
            near(found[name]["time_s"], sums.time, 5)
            near(found[name]["memory_time_byte_seconds"] / MIB, sums.memory_time, 4)
            near(found[name]["growth_low_bytes"] / MIB, min(sums.certain, sums.growth), 5)
            near(found[name]["growth_high_bytes"] / MIB, sums.certain + sums.possible, 5)

    def check_file(self, path, recording):
        item, = self.document(path)
        own, total = compute(recording, int(recording.facts.get("pid", 1)))
        found = self.by_path(item)
        self.assertEqual(set(found), set(total) | {()})
        for name, path_item in found.items():
            self.check_path(name, path_item, own[name], total[name])
        # unrounded parts add up, and so does each function over its paths
        self.assertAlmostEqual(sum(one.growth for one in own.values()), total[()].growth, places=6)
        for function in item["functions"]:
            self.assertAlmostEqual(
                function["own"]["growth_bytes"] / MIB,
                sum(one.growth for name, one in own.items() if name and name[-1] == function["name"]), places=4)
            outermost = [one for name, one in total.items() if name and name[-1] == function["name"] and
                         function["name"] not in name[:-1]]
            self.assertAlmostEqual(function["total"]["time_s"], sum(one.time for one in outermost), places=4)
            self.assertAlmostEqual(function["time_share"], sum(one.time for one in outermost) / item["duration_s"],
                                   places=4)
            self.assertAlmostEqual(function["peak_bytes"] / MIB, max(one.peak for one in outermost), places=4)
        return item

    def write_random(self, seed, lane_count, pid_count=1):
        rng = random.Random(seed)
        # no two values at one moment, whatever process they are of; samples at even moments, without a pause
        times = iter(rng.sample(range(1, 900000, 2), 6000))
        lines = [own_line("FACT", "pid", 1), own_line("FACT", "include-children", "no"),
                 own_line("FACT", "format", 2)]
        def mib():
            return f"{rng.uniform(10, 300):.6f}"
        for i in range(300):
            lines.append(f"MEM {mib()} {T0 + 0.3 * i:.4f}\n")
        for pid in range(1, pid_count + 1):
            for i in range(300 if pid > 1 else 0):
                lines.append(f"CHLD {pid} {mib()} {T0 + 0.3 * i + 2e-4:.4f}\n")
            for lane in range(lane_count):
                moments = {next(times) * 1e-4 for _ in range(300)}
                for enter, leave, level, name in random_calls(rng, moments, 0, 90, 0, 5):
                    lines.append(f"FUNC {name} {mib()} {T0 + enter:.4f} {mib()} {T0 + leave:.4f} {level} pid={pid}"
                                 + (f" lane=T{lane}" if lane else "") + "\n")
        path = self.directory / f"random-{seed}.dat"
        path.write_text("CMDLINE python3 x.py\n" + "".join(lines))
        return path

    def test_one_thread(self):
        for seed in range(3):
            path = self.write_random(seed, 1)
            item = self.check_file(path, Recording(path))
            self.assertFalse(item["has_concurrency"])
            self.assertFalse(item["is_sampled"])

    def test_several_threads_and_processes(self):
        for seed in range(3, 6):
            path = self.write_random(seed, 3, pid_count=2)
            item = self.check_file(path, Recording(path))
            self.assertTrue(item["has_concurrency"])

    def test_a_recording_of_upstream(self):
        path = FIXTURES / "dat" / "nested.dat"
        recording = Recording(path)
        item, = self.document(path)
        first = min(recording.mem, key=lambda sample: sample[1])[0]
        last = max(recording.mem, key=lambda sample: sample[1])[0]
        total = item["total"]
        self.assertAlmostEqual(item["change_bytes"], (last - first) * MIB, delta=2)
        self.assertAlmostEqual(total["growth_bytes"] - total["release_bytes"], item["change_bytes"], delta=2)
        self.assertEqual({f["name"]: f["calls"] for f in item["functions"]},
                         dict(collections.Counter(call.name for call in recording.calls)))
        peak = self.run_mprof("peak", "--json", "--stack", path)
        peaks = {f["name"]: f["peak_bytes"] for f in json.loads(peak.stdout)["recordings"][0]["functions"]}
        for function in item["functions"]:  # which has the values of the calls within it, too
            self.assertGreaterEqual(function["peak_bytes"], peaks[function["name"]])
            self.assertAlmostEqual(function["peak_bytes"], peaks[function["name"]], delta=4096)

    def test_calls_of_threads_that_share_a_lane(self):
        """As upstream writes them: two calls overlap without nesting, one of them with an inner call."""
        (self.directory / "x.dat").write_text(
            f"CMDLINE x\nMEM 10 {T0}\nFUNC m.a 10 {T0 + 1} 50 {T0 + 5} 0\nFUNC m.b 20 {T0 + 3} 90 {T0 + 8} 0\n"
            f"FUNC m.c 90 {T0 + 6} 90 {T0 + 7} 1\nMEM 90 {T0 + 9}\n")
        item, = self.document("x.dat")
        found = self.by_path(item)
        self.assertEqual(set(found), {(), ("m.a",), ("m.b",), ("m.b", "m.c")})
        # 10 at 1 s, 20 at 3 s, 50 at 5 s, 90 at 6 s
        self.assertEqual(found["m.a",]["own"]["growth_bytes"], (10 + 15) * MIB)
        self.assertEqual(found["m.a",]["own"]["growth_low_bytes"], 10 * MIB)
        self.assertEqual(found["m.a",]["own"]["growth_high_bytes"], 40 * MIB)
        self.assertEqual(found["m.b",]["own"]["growth_bytes"], (15 + 40) * MIB)

    def test_a_pause_between_runs_is_nobodys(self):
        text = "".join(f"MEM {mib} {T0 + 0.1 * i + (1000 if mib > 50 else 0)}\n"
                       for mib in (10, 100) for i in range(20))
        (self.directory / "x.dat").write_text("CMDLINE x\n" + text)
        item, = self.document("x.dat")
        self.assertEqual(item["total"]["growth_bytes"], 0)
        self.assertAlmostEqual(item["total"]["time_s"], 3.8, places=3)

    def test_each_run_of_a_file(self):
        path = FIXTURES / "dat" / "appended-runs.dat"
        self.assertEqual([item["run"] for item in self.document(path)], [1, 2, 3])
        text = self.run_mprof("functions", path).stdout
        self.assertEqual(re.findall(r"run (\d) of 3", text), ["1", "2", "3"])

    # ---- the table ----

    def names(self, *options):
        text = self.run_mprof("functions", *options, FIXTURES / "dat" / "nested.dat").stdout
        return [line.split()[0] for line in text.splitlines() if re.match(r"(fit|branch|leaf|predict) ", line)]

    def test_order_and_number(self):
        self.assertEqual(self.names(), ["fit", "branch", "leaf", "predict"])
        self.assertEqual(self.names("--sort", "time"), ["fit", "leaf", "branch", "predict"])
        self.assertEqual(self.names("--sort", "peak")[-1], "predict")
        self.assertEqual(self.names("--top", "2"), ["fit", "branch"])
        text = self.run_mprof("functions", "--top", "2", FIXTURES / "dat" / "nested.dat").stdout
        self.assertIn("2 more functions: --top 0 prints all", text)

    def test_the_table_has_one_unit_a_column(self):
        text = self.run_mprof("functions", FIXTURES / "dat" / "nested.dat").stdout
        row = next(line for line in text.splitlines() if line.startswith("fit "))
        self.assertEqual(row.split(), ["fit", "9", "+302.7", "+185.4", "−255.7", "1.15", "69.3", "128.2"])
        self.assertIn("outside of calls", text)
        self.assertNotIn("±", text)
        self.assertLessEqual(max(map(len, text.splitlines()[2:])), 80)
        plain = self.run_mprof("functions", FIXTURES / "dat" / "nested.dat", env={"LC_ALL": "C"}).stdout
        self.assertTrue(plain.isascii())
        self.assertIn("-255.7", plain)

    def test_what_is_not_sure_says_so(self):
        text = self.run_mprof("functions", FIXTURES / "dat" / "article-flask-profile-concurrent.dat").stdout
        self.assertIn("±", text)
        self.assertIn("Several calls of one process ran at the same time", " ".join(text.split()))

    def test_without_calls(self):
        text = self.run_mprof("functions", FIXTURES / "dat" / "make_j2.dat").stdout
        self.assertIn("No calls were recorded", text)

    def test_the_rise_at_the_end_counts(self):
        """The first samples of a program are closer to each other than the interval."""
        times = [0, .001, .006, .016, .096, .196, .296]
        (self.directory / "x.dat").write_text(
            "CMDLINE x\n" + own_line("FACT", "format", 2) + own_line("FACT", "interval", "0.1") +
            "".join(f"MEM {72 if at == times[-1] else 10} {T0 + at:.4f}\n" for at in times))
        item, = self.document("x.dat")
        self.assertEqual(item["change_bytes"], 62 * MIB)

    def test_nothing_shown_of_sampled_stacks(self):
        stacks = own_line("FACT", "stacks", "own")
        text = self.run_mprof("functions", self.write_stacks(stacks, self.stack(0, 30, 3.0))).stdout
        self.assertNotIn("No calls were recorded", text)
        # frames are known, so only the rows say it; without any frame one line does
        (self.directory / "n.dat").write_text(
            f"CMDLINE x\nMEM 10 {T0}\n" + own_line("FACT", "format", 2) + stacks + self.stack(0, 30, 3.0) +
            f"MEM 20 {T0 + 10}\n")
        text = self.run_mprof("functions", "n.dat").stdout
        self.assertIn("No sampled stack had a function to show: --stacks=all shows all.\n", text)
        self.assertNotIn("No calls were recorded", text)
        self.assertNotIn("From sampled stacks", text)

    def test_wrong_options(self):
        for option, words in [("--sort=size", "--sort must be one of growth, time, peak, not 'size'"),
                              ("--top=few", "--top must be a whole number of functions, 0 for all, not 'few'"),
                              ("--top=-1", "--top must be a whole number")]:
            done = self.run_mprof("functions", option, "x.dat", expect=2)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertNotIn("x0a", done.stderr)
        done = self.run_mprof("functions", "none.dat", expect=1)
        self.assertIn("none.dat", done.stderr)

    # ---- sampled stacks ----

    def stack(self, frame, samples, seconds, grown=0, released=0, peak=20, pid=1, lane="\\e", span=(0, 10)):
        return (f"#STACK|{pid}|{T0 + span[0]:.6f}|{T0 + span[1]:.6f}|{lane}|{frame}|{samples}|{seconds:.6f}|{grown:.6f}|"
                f"{released:.6f}|{peak:.6f} nan nan\n")

    def write_stacks(self, *lines, name="s.dat"):
        mem = "".join(f"MEM {10 + i} {T0 + i:.4f}\n" for i in range(11))
        frames = "".join(own_line("FRAME", *frame) for frame in [
            (1, 0, "__main__.main", "x.py", 1), (2, 1, "__main__.load", "x.py", 5), (3, 2, "json.loads", "json.py", 9),
            (4, 1, "__main__.save", "x.py", 20), (5, 4, "__main__.load", "x.py", 5)])
        (self.directory / name).write_text(f"CMDLINE x\nMEM 10 {T0}\n" + own_line("FACT", "pid", 1) +
                                       own_line("FACT", "format", 2) + own_line("FACT", "stacks-interval", "0.1") +
                                       frames + mem + "".join(lines))
        return name

    @staticmethod
    def wilson(part, whole, n):
        p, z = part / whole, 1.96
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return (middle - half) * whole, (middle + half) * whole

    def test_samples_of_stacks(self):
        item, = self.document(self.write_stacks(
            self.stack(1, 10, 1.0), self.stack(2, 20, 2.0, grown=4, peak=15), self.stack(3, 50, 5.0, grown=6, released=1),
            self.stack(5, 20, 2.0, grown=2)))
        self.assertTrue(item["is_sampled"])
        functions = {f["name"]: f for f in item["functions"]}
        load = functions["__main__.load"]
        self.assertEqual(load["total"]["growth_bytes"], 12 * MIB)
        self.assertEqual(load["own"]["growth_bytes"], 6 * MIB)
        self.assertEqual(load["total"]["release_bytes"], MIB)
        self.assertEqual(load["calls"], 0)
        self.assertAlmostEqual(load["time_share"], 0.9, places=5)
        low, high = self.wilson(9, 10, 100)
        self.assertAlmostEqual(load["time_share_low"], low / 10, places=5)
        self.assertAlmostEqual(load["time_share_high"], high / 10, places=5)
        loads = functions["json.loads"]
        low, high = self.wilson(6, 12, 144 / (16 / 20 + 36 / 50 + 4 / 20))
        self.assertAlmostEqual(loads["total"]["growth_low_bytes"] / MIB, low, places=5)
        self.assertAlmostEqual(loads["total"]["growth_high_bytes"] / MIB, high, places=5)
        self.assertEqual(functions["__main__.main"]["total"]["time_s"], 10)
        self.assertEqual(functions["__main__.save"]["own"]["time_s"], 0)
        self.assertEqual(functions["__main__.save"]["peak_bytes"], 20 * MIB)
        text = self.run_mprof("functions", "s.dat").stdout
        self.assertRegex(text, r"(?m)^load .* \+12\.0 +±?.* 90\.0 ±\d")
        self.assertIn("(each 0.1 s)", text)

    def test_growth_of_native_threads_and_of_stacks_without_samples(self):
        item, = self.document(self.write_stacks(
            self.stack(1, 100, 10.0, grown=3, released=1), self.stack(2, 0, 0, grown=5),
            self.stack(0, 0, 0, grown=2, lane="native\\x20threads")))
        functions = {f["name"]: f for f in item["functions"]}
        self.assertEqual(functions["native threads"]["total"]["growth_bytes"], 2 * MIB)
        self.assertEqual(functions["__main__.load"]["own"]["growth_bytes"], 5 * MIB)
        self.assertEqual(functions["__main__.load"]["own"]["time_s"], 0)
        # memory is 10 at first and 20 at last: what samples do not explain is outside of calls
        self.assertEqual(item["change_bytes"], 10 * MIB)
        self.assertEqual(item["total"]["growth_bytes"] - item["total"]["release_bytes"], 10 * MIB)
        self.assertEqual(item["outside"]["growth_bytes"], 1 * MIB)

    def seen(self, frame, grown, intervals, seen, moments, samples=50):
        """A stack that grew in so many intervals, and was seen to grow in so many moments."""
        line = self.stack(frame, samples, samples / 10, grown)
        rms = [grown / math.sqrt(intervals) if intervals else 0, seen, seen / math.sqrt(moments) if moments else 0]
        return line.replace(" nan", "|" + "|".join(f"{number:.6f}" for number in rms) + " nan", 1)

    def growth(self, *lines):
        item, = self.document(self.write_stacks(*lines))
        return {f["name"].split(".")[-1]: f["total"]["growth_bytes"] / MIB for f in item["functions"]}, item

    def test_growth_goes_to_whom_it_was_seen_of(self):
        # `save` runs when samples are taken, `loads` while pages come
        growth, item = self.growth(self.seen(4, 9.5, 50, 1, 2), self.seen(3, 0.5, 5, 7, 20, samples=2))
        self.assertAlmostEqual(growth["loads"], 10 * 7 / 8, places=4)
        self.assertAlmostEqual(growth["load"], 10 * 7 / 8, places=4)
        self.assertAlmostEqual(growth["save"], 10 / 8, places=4)
        self.assertAlmostEqual(growth["main"], 10, places=4)
        self.check_sum(item, 10)
        loads, = [f["total"] for f in item["functions"] if f["name"] == "json.loads"]
        self.assertLess(loads["growth_low_bytes"], 8 * MIB)
        # what its few samples left in doubt is not as much more in doubt
        few = self.seen(3, 0.5, 5, 7, 20, samples=2).replace(" nan", "|0.500000|0.000000 nan", 1)
        _, item = self.growth(self.seen(4, 9.5, 50, 1, 2), few)
        loads, = [f["own"] for f in item["functions"] if f["name"] == "json.loads"]
        self.assertGreater(loads["growth_low_bytes"], 4 * MIB)
        # a stack that no sample has shown
        growth, item = self.growth(self.seen(4, 10, 50, 1, 2), self.seen(3, 0, 0, 7, 20, samples=0))
        self.assertAlmostEqual(growth["loads"], 10 * 7 / 8, places=4)

    def test_growth_stays_where_too_little_was_seen(self):
        for lines in ((self.seen(4, 9, 2, 0, 0), self.seen(3, 1, 50, 1, 30)),  # grew twice, and may have been missed
                      (self.seen(4, 9, 50, 0, 0), self.seen(3, 1, 50, 1, 3)),  # in few moments
                      (self.seen(4, 9, 50, 7.6, 20), self.seen(3, 1, 50, 2, 5))):  # by chance
            growth, _ = self.growth(*lines)
            self.assertAlmostEqual(growth["save"], 9, places=4)
            self.assertAlmostEqual(growth["loads"], 1, places=4)
        # callees of different functions do not mix
        growth, _ = self.growth(self.seen(5, 9, 50, 0, 0), self.seen(4, 1, 50, 4, 30), self.seen(3, 10, 50, 5, 40))
        self.assertAlmostEqual(growth["save"], 10, places=4)

    def doubted(self, frame, grown, doubtful, shared, samples=50):
        return self.stack(frame, samples, samples / 10, grown).replace(
            " nan", f"|{grown:.6f}|0.000000|0.000000|{doubtful:.6f}|{shared:.6f} nan", 1)

    def test_growth_is_as_sure_as_the_samples_around_it(self):
        """What is doubtful for the callees of a function is sure for itself."""
        _, item = self.growth(self.doubted(1, 1, 0.5, 3), self.doubted(2, 2, 0, 1), self.doubted(3, 5, 2.5, 0),
                              self.doubted(4, 3, 1, 0))
        bounds = {f["name"].split(".")[-1]: [f[part][f"growth{which}_bytes"] / MIB for part in ("total", "own")
                                             for which in ("_low", "", "_high")] for f in item["functions"]}
        self.assertEqual(bounds["main"], [11, 11, 11, 0.5, 1, 3.5])
        self.assertEqual(bounds["load"][3:], [2, 2, 9])  # on two paths
        self.assertEqual(bounds["loads"][:3], [2.5, 5, 6.5])
        self.assertEqual(bounds["save"][:3], [2, 3, 5])
        text = self.run_mprof("functions", "s.dat").stdout
        self.assertRegex(text, r"(?m)^loads +\+5\.0 +±2\.5 ")
        self.assertRegex(text, r"(?m)^save +\+3\.0 +±2\.0 ")
        self.assertRegex(text, r"(?m)^main +\+11\.0 +\+1\.0 ≤3\.5 ")

    def test_rows_of_nothing_are_left_out(self):
        self.growth(self.stack(1, 100, 10, grown=10), self.stack(4, 1, 0))
        self.assertNotRegex(self.run_mprof("functions", "s.dat").stdout, r"(?m)^save ")
        self.assertIn("3 more functions: --top 0", self.run_mprof("functions", "s.dat").stdout)
        self.assertRegex(self.run_mprof("functions", "--top", "0", "s.dat").stdout, r"(?m)^save ")

    def test_the_peak_that_a_stack_met(self):
        self.growth(self.stack(1, 100, 10, grown=10, peak=64))
        self.assertIn("peak ≥ 64.0 MiB", self.run_mprof("functions", "s.dat").stdout.replace("\n", " "))

    def memory(self, grown, released, peak, span, pid=1):
        return self.stack(0, 0, 0, grown, released, peak, pid, "process\\x20memory", span)

    def check_sum(self, item, mib):
        outside, functions = item["outside"], item["functions"]
        total = sum(row["growth_bytes"] - row["release_bytes"] for row in [outside, *(f["own"] for f in functions)])
        self.assertAlmostEqual(total / MIB, mib, places=5)
        self.assertAlmostEqual(item["change_bytes"] / MIB, mib, places=5)

    def test_growth_before_the_first_sample_has_a_row(self):
        item, = self.document(self.write_stacks(
            self.stack(1, 100, 10.0, grown=8), self.memory(9, 0, 9, (-1, 0.2)), self.memory(0, 0, 19.5, (9.5, 9.5))))
        row, = [f for f in item["functions"] if f["name"] == "before sampling"]
        self.assertEqual(row["total"]["growth_bytes"], 9 * MIB)
        self.assertEqual(row["total"]["growth_low_bytes"], row["total"]["growth_high_bytes"])
        self.assertEqual(item["outside"]["growth_bytes"], 3 * MIB)  # the curve ends at 20
        self.check_sum(item, 20)

    def test_what_a_process_gives_back_at_its_end_is_no_release(self):
        item, = self.document(self.write_stacks(
            self.stack(1, 100, 10.0, grown=20), self.memory(9, 0, 9, (-1, 0.2)), self.memory(0, 0, 29.5, (9.5, 9.5)),
            own_line("EXIT", 1, f"{T0 + 11}", "status", 0)))
        self.assertEqual(item["total"]["release_bytes"], 0)
        self.check_sum(item, 29.5)

    def test_growth_of_a_program_that_executes_another(self):
        item, = self.document(self.write_stacks(
            self.stack(1, 50, 5.0, grown=30, span=(0, 5)), self.memory(9, 0, 9, (-1, 0.2)),
            self.memory(0, 0, 39, (4.9, 4.9)), self.memory(8, 39, 8, (4.9, 5.1)),
            self.stack(2, 50, 5.0, grown=12, span=(5, 10))))
        self.assertEqual(item["outside"]["release_bytes"], 39 * MIB)
        self.check_sum(item, 20)

    def test_growth_of_a_child_before_its_first_sample(self):
        """A forked one has what its parent had, and may have ended before its memory was read again."""
        item, = self.document(self.write_stacks(
            self.stack(1, 100, 10.0, grown=10), own_line("PROC", 2, 1, f"{T0 + 5:.6f}", "x"),
            f"CHLD 2 33 {T0 + 5.05:.4f}\n", self.stack(2, 1, 0.1, grown=25, pid=2, peak=38, span=(5, 5.2)),
            self.memory(0, 0, 13, (5, 5.1), pid=2), self.memory(0, 0, 38, (5.1, 5.1), pid=2),
            own_line("EXIT", 2, f"{T0 + 5.2}", "status", 0)))
        self.assertEqual(item["outside"]["release_bytes"], 0)
        self.check_sum(item, 35)

    def test_samples_without_a_shown_function_are_outside_of_calls(self):
        item, = self.document(self.write_stacks(self.stack(0, 30, 3.0, grown=2), self.stack(2, 70, 7.0, grown=6)))
        self.assertEqual(item["outside"]["growth_bytes"], 4 * MIB)  # 2, and 2 that no sample has
        self.assertEqual(item["outside"]["time_s"], 3)
        self.assertEqual(item["total"]["growth_bytes"], 10 * MIB)
        self.assertEqual({f["name"] for f in item["functions"] if f["total"]["time_s"]}, {"__main__.main", "__main__.load"})

    def test_recorded_calls_keep_their_exact_totals(self):
        item, = self.document(self.write_stacks(
            self.stack(1, 10, 1.0), self.stack(2, 30, 3.0, grown=1), self.stack(3, 60, 6.0, grown=5),
            f"FUNC __main__.load 11 {T0 + 1:.6f} 18 {T0 + 8:.6f} 0 pid=1\n"))
        load = next(f for f in item["functions"] if f["name"] == "__main__.load")
        self.assertEqual(load["calls"], 1)
        self.assertEqual(load["total"]["growth_bytes"], 7 * MIB)
        self.assertEqual(load["total"]["growth_low_bytes"], load["total"]["growth_high_bytes"])
        self.assertEqual(load["total"]["time_s"], 7)
        self.assertEqual(load["own"]["growth_bytes"], 1 * MIB, "its own part is known from samples only")
        self.assertFalse(load["is_sampled"])

    def test_sampled_spans_without_stacks(self):
        """A recorder that was killed early: the table of stacks is missing."""
        (self.directory / "k.dat").write_text(
            f"CMDLINE x\nMEM 10 {T0}\n" + own_line("FACT", "pid", 1) + own_line("FACT", "format", 2) +
            f"FUNC m.f 10 {T0 + 1} 30 {T0 + 3} 0 pid=1 sampled=0.05\nMEM 30 {T0 + 4}\n")
        item, = self.document("k.dat")
        function, = item["functions"]
        doubt = 1.96 * math.sqrt(2 * 0.05 ** 2 / 3)
        self.assertTrue(function["is_sampled"])
        self.assertEqual(function["calls"], 0)
        self.assertAlmostEqual(function["total"]["time_low_s"], 2 - doubt, places=5)
        self.assertAlmostEqual(function["total"]["time_high_s"], 2 + doubt, places=5)

    def test_broken_stacks_are_skipped_with_a_warning(self):
        good = self.stack(2, 20, 2.0, grown=4)
        expected, = self.document(self.write_stacks(good, name="good.dat"))
        for name, line, words in [
                ("unknown frame", self.stack(99, 1, 1), "a stack of an unknown frame"),
                ("huge frame", self.stack(9223372036854775807, 1, 1), "a stack of an unknown frame"),
                ("unknown caller", own_line("FRAME", 9, 8, "m.f", "x", 1), "a stack of an unknown frame"),
                ("its own caller", own_line("FRAME", 9, 9, "m.f", "x", 1), "not a plain decimal number"),
                ("a later caller", own_line("FRAME", 9, 10, "m.f", "x", 1), "not a plain decimal number"),
                ("negative samples", self.stack(2, -5, 1), "not a plain decimal number"),
                ("more samples than any", self.stack(2, 9223372036854775807, 1), "not a plain decimal number"),
                ("ends before it starts", self.stack(2, 1, 1, span=(5, 4)), "ends before it starts"),
                ("cut off", self.stack(2, 1, 1)[:-30], "cut off within the last line"),
                ("too few fields", "#STACK|1|1|2 nan nan\n", "line skipped")]:
            with self.subTest(name):
                done = self.run_mprof("functions", "--json", self.write_stacks(good, line))
                self.assertIn(words, done.stderr)
                item, = json.loads(done.stdout)["recordings"]
                self.assertEqual(item["functions"], expected["functions"])

    def test_frames_belong_to_their_run(self):
        """Ids count from 1 again: a stack of the second run must not find a frame of the first."""
        first = pathlib.Path(self.directory / self.write_stacks(self.stack(3, 20, 2.0))).read_text()
        (self.directory / "two.dat").write_text(first + first.replace("json.loads", "pickle.loads"))
        names = [{f["name"] for f in item["functions"]} for item in self.document("two.dat")]
        self.assertIn("pickle.loads", names[1])
        self.assertNotIn("json.loads", names[1])
        self.assertNotIn("pickle.loads", names[0])


if __name__ == "__main__":
    unittest.main()
