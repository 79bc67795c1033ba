"""Recordings of one job from many hosts and ranks become one: `mprof merge`. A merge written here, a few lines
that keep all in memory, says what to expect."""

import json
import math
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import MPROF, Recording, TestCase, is_sanitized, own_line, upstream, wait_until  # noqa: E402

START = 1795330000
STRIDE = 10_000_000


def mib(value):
    return f"{value:.6f}"


def at(seconds):
    return f"{START + seconds:.4f}"


def rank_lines(samples, *, host="node0", rank=None, pid=77, children=(), interval=0.1, facts=(), tail=(),
               is_sum=True, ended=True, backend="psutil", name="python"):
    """The lines of a recording of ours. samples: [(seconds, MiB)]; children: {pid: {seconds: MiB}}."""
    head = [own_line("FACT", "format", 2), own_line("FACT", "host", host), own_line("FACT", "machine", "x86_64"),
            own_line("FACT", "pid", pid), own_line("FACT", "backend", backend),
            own_line("FACT", "include-children", "yes" if is_sum else "no"), own_line("FACT", "interval", interval)]
    head += [own_line("FACT", "rank", rank)] if rank is not None else []
    head += [own_line("FACT", key, value) for key, value in facts]
    head += [own_line("PROC", pid, 1, at(samples[0][0]), name)]
    lines = ["CMDLINE python sim.py\n"]
    for i, (seconds, value) in enumerate(samples):
        lines.append(f"MEM {mib(value)} {at(seconds)}\n")
        lines += head if i == 0 else []
        lines += [f"CHLD {child} {mib(values[seconds])} {at(seconds)}\n"
                  for child, values in dict(children).items() if seconds in values]
    lines += list(tail)
    lines += [own_line("FACT", "ended", "program")] if ended else []
    return lines


def walk(seed, count, phase, interval=0.1):
    generator = random.Random(seed)
    value, samples = 100.0, []
    for i in range(count):
        value = round(abs(value + generator.uniform(-20, 20)), 6)
        samples.append((round(phase + i * interval + generator.uniform(0, interval / 50), 4), value))
    return samples


def expected_peak(ranks, hold=0.1):
    """The highest sum over ranks, each with its last value until the next one. ranks: lists of samples."""
    events = sorted({seconds for samples in ranks for seconds, _ in samples})
    best = (0, 0)
    for moment in events:
        total = 0
        for samples in ranks:
            before = [value for seconds, value in samples if seconds <= moment]
            if before and moment <= samples[-1][0] + hold + 1e-9:
                total += before[-1]
        best = max(best, (round(total, 6), -moment))
    return best[0], START - best[1]


class MergeCase(TestCase):
    def write(self, name, lines):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(lines))
        return path

    def merge(self, *arguments, expect=0, output="job.dat"):
        """(the merged recording, what mprof said)."""
        done = self.run_mprof("merge", *arguments, "-o", output, expect=expect)
        return Recording(self.directory / output), done

    def assert_sorted(self, merged):
        times = [float(line.split()[-1]) for line in merged.lines if line.startswith(("MEM ", "CHLD "))]
        self.assertEqual(times, sorted(times))

    def by_rank(self, merged):
        """{rank's name: {own pid: [(MiB, time)]}}; each sample is of one rank."""
        ranks = {}
        for first, last, *_, in merged.records("RANK"):
            fields = self.fields(next(r for r in merged.records("RANK") if r[0] == first))
            ranks[fields["rank"]] = {}
            for pid, value, moment in merged.chld:
                if int(first) <= pid <= int(last):
                    ranks[fields["rank"]].setdefault(pid - int(first), []).append((value, moment))
        self.assertEqual(sum(len(s) for r in ranks.values() for s in r.values()), len(merged.chld))
        return ranks

    @staticmethod
    def fields(record):
        return dict(field.split("=", 1) for field in record[5:])


class Merging(MergeCase):
    def test_every_sample_is_kept_and_the_sum_is_that_of_the_last_ones(self):
        ranks = {str(i): walk(i, 60, 0.013 * i) for i in range(8)}
        for name, samples in ranks.items():
            self.write(f"rank{name}.dat", rank_lines(samples, host=f"node{int(name) // 4}", rank=name, is_sum=False))
        merged, done = self.merge(*sorted(self.directory.glob("rank*.dat")))
        self.assertIn("8 ranks on 2 hosts", done.stdout)
        self.assertEqual(done.stderr, "")
        self.assert_sorted(merged)
        found = self.by_rank(merged)
        for name, samples in ranks.items():
            self.assertEqual(found[name], {77: [(value, START + seconds) for seconds, value in samples]})
        peak, moment = expected_peak(list(ranks.values()))
        highest = max(merged.mem)
        self.assertAlmostEqual(highest[0], peak, places=5)
        self.assertAlmostEqual(highest[1], moment, places=4)
        bound = sum(max(value for _, value in samples) for samples in ranks.values())
        self.assertAlmostEqual(sum(float(r[4]) for r in merged.records("RANK")), bound, places=4)
        self.assertGreater(bound, peak)

    def test_upstream_reads_and_draws_the_sum_and_each_process(self):
        for i in range(3):
            self.write(f"rank{i}.dat", rank_lines(walk(i, 20, 0.02 * i), rank=i))
        merged, _ = self.merge(*(f"rank{i}.dat" for i in range(3)))
        read = upstream().read_mprofile_file(str(merged.path))
        self.assertEqual(list(zip(read["mem_usage"], read["timestamp"])), merged.mem)
        self.assertEqual(len(read["children"]), 3)
        self.assertTrue(merged.lines[1].startswith("MEM "), "the second line is a sample, as in upstream's files")

    def test_children_of_a_sum_and_of_a_main_process_add_up_once(self):
        samples = [(0.1 * i, 100.0) for i in range(5)]
        children = {80: {seconds: 30.0 for seconds, _ in samples}, 81: {samples[2][0]: 20.0}}
        self.write("a.dat", rank_lines(samples, rank="a", children=children, is_sum=True))
        self.write("b.dat", rank_lines(samples, rank="b", children=children, is_sum=False))
        merged, _ = self.merge("a.dat", "b.dat")
        found = self.by_rank(merged)
        self.assertEqual([value for value, _ in found["a"][77]], [70.0, 70.0, 50.0, 70.0, 70.0])
        self.assertEqual([value for value, _ in found["b"][77]], [100.0] * 5)
        self.assertEqual(max(merged.mem)[0], 100 + 150)
        self.assertEqual([float(r[4]) for r in merged.records("RANK")], [100.0, 150.0])

    def test_equal_pids_stay_apart_with_all_their_records(self):
        samples = walk(1, 10, 0)
        for i in range(2):
            self.write(f"r{i}.dat", rank_lines(samples, rank=i, facts=[("cpus", i + 2)], tail=[
                f"FUNC main.f {mib(1)} {START + .1:.6f} {mib(2)} {START + .5:.6f} 0\n",
                f"FUNC main.g {mib(1)} {START + .1:.6f} {mib(2)} {START + .5:.6f} 0 pid=78 lane=Thread-1\n",
                own_line("KINDS", 77, at(.5), f"pss={mib(50 + i)}"),
                own_line("GROUP", mib(500 + i), at(.5), "max", "/slurm/job"),
                own_line("PEAK", 77, mib(700 + i), at(.9)), own_line("LOST", 77, at(.9), 3),
                own_line("FRAME", 1, 0, "main.f", "a.py", 1), own_line("FRAME", 2, 1, "main.g", "a.py", 9),
                own_line("STACK", 77, at(0), at(.5), "\\e", 2, 5, "0.5", "1.0", "0.0", "100.0").replace("\\\\e", "\\e"),
                own_line("EXIT", 77, at(.95), "status", i)]))
        merged, _ = self.merge("r0.dat", "r1.dat")
        pids = [STRIDE + 77, 2 * STRIDE + 77]
        self.assertEqual({call.pid for call in merged.calls if call.name == "main.f"}, set(pids))
        self.assertEqual({call.pid for call in merged.calls if call.lane == "Thread-1"}, {pid + 1 for pid in pids})
        self.assertEqual([merged.exits[pid] for pid in pids], [("status", 0), ("status", 1)])
        self.assertEqual({pid: name for pid, _, name in merged.processes}, dict.fromkeys(pids, "python"))
        self.assertEqual({pid: value for pid, value, _ in merged.peaks}, {pids[0]: 700, pids[1]: 701})
        self.assertEqual(merged.lost, 6)
        self.assertEqual({pid: kinds["pss"] for pid, _, kinds in merged.kinds}, {pids[0]: 50, pids[1]: 51, 0: 101})
        frames = {record[0]: (record[1], record[2]) for record in merged.records("FRAME")}
        self.assertEqual(frames, {"1": ("0", "main.f"), "2": ("1", "main.g"), "3": ("0", "main.f"), "4": ("3", "main.g")})
        self.assertEqual({(int(r[0]), r[4]) for r in merged.records("STACK")}, {(pids[0], "2"), (pids[1], "4")})
        self.assertEqual((merged.facts["1:cpus"], merged.facts["2:cpus"]), ("2", "3"))
        self.assertNotIn("control-group", merged.facts, "both ranks are in one group")

    def test_groups_of_hosts_are_named_and_the_fullest_is_shown(self):
        for i, (used, limit) in enumerate(((500, "1000"), (300, "400"))):
            self.write(f"r{i}.dat", rank_lines(walk(i, 5, 0), rank=i, host=f"node{i}", tail=[
                own_line("GROUP", mib(used), at(.2), limit, "/job")]))
        merged, _ = self.merge("r0.dat", "r1.dat")
        self.assertEqual(merged.facts["control-group"], "node1:/job")
        self.assertEqual({r[3] for r in merged.records("GROUP")}, {"node0:/job", "node1:/job"})
        self.assertIn("control group\t\t300.000 MiB (limit 400.000 MiB)",
                      self.run_mprof("peak", "--exact", "job.dat").stdout)

    def test_ranks_are_in_the_order_of_their_numbers(self):
        for i in (10, 9, 1):
            self.write(f"x{i}.dat", rank_lines(walk(i, 3, 0), rank=i))
        merged, _ = self.merge("x10.dat", "x9.dat", "x1.dat")
        self.assertEqual([self.fields(r)["rank"] for r in merged.records("RANK")], ["1", "9", "10"])

    def test_files_without_a_rank_are_called_by_their_names(self):
        (self.directory / "b").mkdir()
        self.write("plain.dat", ["CMDLINE python a.py\n", f"MEM {mib(5)} {at(0)}\n", f"MEM {mib(6)} {at(.1)}\n"])
        self.write("b/plain.dat", ["CMDLINE python a.py\n", f"MEM {mib(7)} {at(0)}\n"])
        self.write("r.dat", rank_lines(walk(1, 3, 0)))
        merged, _ = self.merge("plain.dat", "b/plain.dat", "r.dat")
        self.assertEqual(set(self.by_rank(merged)), {"plain", "b/plain", "r"})

    def test_a_merged_recording_can_be_merged_again(self):
        for i in range(5):
            self.write(f"r{i}.dat", rank_lines(walk(i, 40, 0.011 * i), rank=i, host=f"node{i % 2}"))
        at_once, _ = self.merge(*(f"r{i}.dat" for i in range(5)), output="all.dat")
        self.merge("r0.dat", "r1.dat", "r2.dat", output="some.dat")
        again, done = self.merge("some.dat", "r3.dat", "r4.dat", output="again.dat")
        self.assertIn("5 ranks on 2 hosts", done.stdout)
        self.assertEqual(self.by_rank(again), self.by_rank(at_once))
        self.assertAlmostEqual(max(again.mem)[0], max(at_once.mem)[0], places=5)
        self.assertEqual([r[4] for r in again.records("RANK")], [r[4] for r in at_once.records("RANK")])

    def test_a_rank_counts_for_one_interval_after_its_last_sample(self):
        self.write("a.dat", rank_lines([(0, 10.0), (.1, 10.0)], rank="a"))
        self.write("b.dat", rank_lines([(.19, 1.0), (.25, 1.0), (.3, 1.0)], rank="b"))
        merged, _ = self.merge("a.dat", "b.dat")
        self.assertEqual(max(merged.mem)[0], 11.0)
        self.assertEqual(merged.mem[-1][0], 1.0)

    def test_other_intervals(self):
        fast, slow = walk(1, 100, 0, 0.01), walk(2, 10, 0.003, 0.1)
        self.write("a.dat", rank_lines(fast, rank="a", interval=0.01))
        self.write("b.dat", rank_lines(slow, rank="b"))
        merged, _ = self.merge("a.dat", "b.dat")
        self.assertAlmostEqual(max(merged.mem)[0], expected_peak([fast, slow])[0], places=5)
        self.assertEqual(merged.facts["interval"], "0.01")
        self.assert_sorted(merged)


class Clocks(MergeCase):
    def ranks(self, ahead=5.0):
        """Two hosts whose clocks differ by so many seconds; f begins 0.3 s after the start of both."""
        self.write("a.dat", rank_lines(walk(1, 10, 0), rank=0, host="a", tail=[
            f"FUNC app.f {mib(1)} {START + .3:.6f} {mib(2)} {START + .5:.6f} 0\n"]))
        self.write("b.dat", rank_lines(walk(2, 10, ahead + .1), rank=1, host="b", tail=[
            f"FUNC app.f {mib(1)} {START + ahead + .3:.6f} {mib(2)} {START + ahead + .5:.6f} 0\n"]))
        return walk(1, 10, 0), [(round(s - ahead, 4), v) for s, v in walk(2, 10, ahead + .1)]

    def test_recordings_that_do_not_overlap_are_reported(self):
        self.ranks()
        _, done = self.merge("a.dat", "b.dat")
        self.assertIn("does not overlap", done.stderr)

    def test_an_offset_of_a_host(self):
        right = self.ranks()
        merged, done = self.merge("a.dat", "b.dat", "--offset", "b=-5")
        self.assertEqual(done.stderr, "")
        self.assertAlmostEqual(max(merged.mem)[0], expected_peak(right)[0], places=5)
        self.assertEqual(self.fields(merged.records("RANK")[1])["offset"], "-5.000000")
        self.assertEqual(self.by_rank(merged)["1"][77],
                         [(value, round(START + seconds, 4)) for seconds, value in right[1]])
        self.assertAlmostEqual(merged.calls[1].enter_s, START + .3, places=5)

    def test_a_common_function(self):
        right = self.ranks()
        for name in ("app.f", "f"):
            merged, _ = self.merge("a.dat", "b.dat", "--align-by", name)
            self.assertAlmostEqual(max(merged.mem)[0], expected_peak(right)[0], places=5)
            self.assertAlmostEqual(merged.calls[0].enter_s, merged.calls[1].enter_s, places=5)

    def test_a_common_start(self):
        self.ranks()
        merged, _ = self.merge("a.dat", "b.dat", "--align-by", "start")
        self.assertEqual(merged.records("RANK")[0][2], merged.records("RANK")[1][2])

    def test_a_function_that_was_not_called(self):
        self.ranks()
        _, done = self.merge("a.dat", "b.dat", "--align-by", "nothing")
        self.assertEqual(done.stderr.count("has no call of 'nothing'"), 2)

    def test_an_offset_of_an_unknown_host(self):
        self.ranks()
        done = self.run_mprof("merge", "a.dat", "b.dat", "-o", "job.dat", "--offset", "c=1", expect=2)
        self.assertIn("no recording is of host 'c'; hosts: a, b", done.stderr)
        self.assertFalse((self.directory / "job.dat").exists())

    def test_bad_offsets(self):
        for offset in ("b", "=1", "b=", "b=x", "b=1e99", "b=nan"):
            with self.subTest(offset=offset):
                done = self.run_mprof("merge", "a.dat", "-o", "x", "--offset", offset, expect=2)
                self.assertIn("--offset must be HOST=SECONDS", done.stderr)

    def test_times_of_other_decades(self):
        self.write("a.dat", rank_lines(walk(1, 5, 0), rank=0))
        self.write("b.dat", ["CMDLINE x\n"] + [f"MEM {mib(3)} {i}.0000\n" for i in range(5)])
        done = self.run_mprof("merge", "a.dat", "b.dat", "-o", "job.dat", expect=2)
        self.assertIn("more than ten years apart; use --align-by start", done.stderr)
        merged, _ = self.merge("a.dat", "b.dat", "--align-by", "start")
        self.assertEqual(len(merged.chld), 10)


class Inputs(MergeCase):
    def test_what_cannot_be_read_is_left_out_and_said(self):
        self.write("good.dat", rank_lines(walk(1, 5, 0), rank=0))
        self.write("empty.dat", [])
        self.write("text.dat", ["hello\n"])
        self.write("bare.dat", ["CMDLINE python x.py\n"])
        merged, done = self.merge("good.dat", "empty.dat", "text.dat", "bare.dat", "missing.dat", expect=1)
        for name in ("empty.dat", "text.dat", "bare.dat", "missing.dat"):
            self.assertEqual(len([line for line in done.stderr.split("\n") if name in line]), 1, done.stderr)
        self.assertEqual(len(merged.records("RANK")), 1)
        self.assertEqual(len([f for f in merged.records("FACT") if f[0] == "not-merged"]), 3)

    def test_nothing_to_merge(self):
        self.write("empty.dat", [])
        done = self.run_mprof("merge", "empty.dat", "-o", "job.dat", expect=1)
        self.assertIn("none of the recordings could be read", done.stderr)
        self.assertEqual(os.listdir(self.directory), ["empty.dat"])

    def test_torn_and_unfinished_recordings(self):
        lines = rank_lines(walk(1, 20, 0), rank=0, ended=False)
        self.write("a.dat", lines[:-1] + [lines[-1][:9]])
        self.write("b.dat", rank_lines(walk(2, 20, 0), rank=1))
        merged, done = self.merge("a.dat", "b.dat")
        self.assertEqual(len(merged.chld), 39)
        self.assertIn("a.dat", done.stderr)
        self.assertIn("is still being recorded, or its recorder was killed", done.stderr)
        self.assertNotIn("b.dat", done.stderr)
        self.assertNotIn("ended", merged.facts)

    def test_upstreams_files_with_children(self):
        lines = ["CMDLINE python a.py\n"]
        for i in range(10):
            lines += [f"MEM {mib(100)} {at(.1 * i)}\n", f"CHLD 501 {mib(20)} {at(.1 * i + .003)}\n",
                      f"CHLD 502 {mib(i)} {at(.1 * i + .005)}\n", "CHLD 0 0.000000 " + at(.1 * i + .006) + "\n"]
        self.write("a.dat", lines)
        self.write("b.dat", rank_lines(walk(1, 10, 0), rank="b"))
        merged, _ = self.merge("a.dat", "b.dat")
        found = self.by_rank(merged)["a"]
        self.assertEqual(sorted(found), [0, 501, 502])
        self.assertEqual([moment for _, moment in found[501]], [moment for _, moment in found[0]])

    def test_numbered_children_of_old_releases(self):
        lines = ["CMDLINE python a.py\n"]
        for i in range(5):
            lines += [f"MEM {mib(100)} {at(.1 * i)}\n"] + [f"CHLD {n} {mib(10 + n)} {at(.1 * i)}\n" for n in (0, 1)]
        self.write("a.dat", lines)
        merged, _ = self.merge("a.dat")
        self.assertEqual([name for _, _, name in merged.processes], ["child 0", "child 1"])
        self.assertEqual(sorted(self.by_rank(merged)["a"]), [0, 1, 2])

    def test_appended_runs_are_ranks_of_their_own(self):
        self.write("a.dat", rank_lines(walk(1, 5, 0), rank=3) + rank_lines(walk(2, 7, 10), rank=3))
        merged, _ = self.merge("a.dat")
        self.assertEqual([len(samples[77]) for samples in self.by_rank(merged).values()], [5, 7])

    def test_unsorted_recordings(self):
        samples = walk(1, 3000, 0)
        lines = [f"MEM {mib(value)} {at(seconds)}\n" for seconds, value in samples]
        random.Random(2).shuffle(lines)
        calls = [f"FUNC app.f {mib(1)} {at(i)} {mib(2)} {at(i + .5)} 0\n" for i in range(200)]
        self.write("a.dat", calls + ["CMDLINE python old.py\n"] + lines)
        self.write("b.dat", rank_lines(walk(3, 3000, 0.05), rank="b"))
        merged, _ = self.merge("a.dat", "b.dat")
        self.assert_sorted(merged)
        self.assertEqual(self.by_rank(merged)["a"][0], [(value, round(START + s, 4)) for s, value in samples])
        self.assertEqual(len(merged.calls), 200)
        self.assertAlmostEqual(max(merged.mem)[0], expected_peak([samples, walk(3, 3000, 0.05)])[0], places=5)

    def test_kinds_of_memory_that_differ(self):
        self.write("a.dat", rank_lines(walk(1, 5, 0), rank=0))
        self.write("b.dat", rank_lines(walk(2, 5, 0), rank=1, backend="psutil_pss"))
        merged, done = self.merge("a.dat", "b.dat")
        self.assertIn("the sum adds up different things", done.stderr)
        self.assertEqual(merged.facts["backend"], "mixed")

    def test_standard_input_and_output(self):
        path = self.write("a.dat", rank_lines(walk(1, 50, 0), rank=0))
        for stream in ("pipe", "file"):
            with self.subTest(stream=stream), open(path, "rb") as file:
                options = {"input": path.read_bytes()} if stream == "pipe" else {"stdin": file}
                done = subprocess.run([MPROF, "merge", "-", "-o", "-"], capture_output=True, check=True,
                                      env=self.environment(), **options)
                self.assertEqual(done.stdout.count(b"\nCHLD "), 50)

    def test_compressed_recordings(self):
        for i in range(3):
            self.write(f"r{i}.dat", rank_lines(walk(i, 40, 0.01 * i), rank=i))
        plain, _ = self.merge("r0.dat", "r1.dat", "r2.dat")
        subprocess.run(["gzip", "-k", "r0.dat"], cwd=self.directory, check=True)
        subprocess.run(["zstd", "-q", "r1.dat"], cwd=self.directory, check=True)
        self.run_mprof("merge", "r0.dat.gz", "r1.dat.zst", "r2.dat", "-o", "job.dat.zst")
        packed = subprocess.run(["zstd", "-dc", "job.dat.zst"], cwd=self.directory, check=True, capture_output=True)
        text = packed.stdout.decode().replace("r0.dat.gz", "r0.dat").replace("r1.dat.zst", "r1.dat")
        self.assertEqual(text, plain.text)

    def test_a_recording_in_progress(self):
        recorder = self.start_mprof("run", "-T", "0.02", "-o", "a.dat", "sleep", "60")
        wait_until(lambda: (self.directory / "a.dat").exists()
                   and (self.directory / "a.dat").read_text().count("MEM ") > 5, "samples")
        self.run_mprof("run", "-o", "b.dat", "sleep", "0.2")
        merged, done = self.merge("a.dat", "b.dat")
        self.assertIn("is still being recorded", done.stderr)
        self.assertEqual(len(merged.records("RANK")), 2)
        recorder.terminate()
        self.wait_for_end(recorder)

    def test_the_output_is_no_input(self):
        for i in range(2):
            self.write(f"r{i}.dat", rank_lines(walk(i, 5, 0), rank=i))
        self.merge("r0.dat", "r1.dat")
        merged, done = self.merge("r0.dat", "r1.dat", "job.dat")
        self.assertEqual(len(merged.records("RANK")), 2)
        self.assertIn("is the output", done.stderr)

    def test_a_recording_is_not_replaced_by_the_output(self):
        for i in range(2):
            self.write(f"r{i}.dat", rank_lines(walk(i, 5, 0), rank=i))
        before = (self.directory / "r1.dat").read_bytes()
        for arguments in (("r0.dat", "r1.dat"), (".",), ("r0.dat", "./r1.dat", "--align-by", "start")):
            with self.subTest(arguments=arguments):
                done = self.run_mprof("merge", *arguments, "-o", "r1.dat", expect=2)
                self.assertIn("r1.dat: is a recording to merge", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertEqual((self.directory / "r1.dat").read_bytes(), before)
        self.merge("r0.dat", "r1.dat")
        with open(self.directory / "job.dat", "ab") as both:
            both.write(before)
        self.run_mprof("merge", "r0.dat", "job.dat", "-o", "job.dat", expect=2)

    def test_a_file_that_is_named_twice_is_merged_once(self):
        for i in range(2):
            self.write(f"r{i}.dat", rank_lines(walk(i, 5, 0), rank=i))
        os.symlink("r0.dat", self.directory / "link.dat")
        os.link(self.directory / "r0.dat", self.directory / "hard.dat")
        for again in ("./r0.dat", "r0.dat", "link.dat", "hard.dat", str(self.directory / "r0.dat")):
            with self.subTest(again=again):
                merged, done = self.merge("r0.dat", again, "r1.dat", output="out.dat")
                self.assertEqual([self.fields(r)["rank"] for r in merged.records("RANK")], ["0", "1"])
                if again != "r0.dat":
                    self.assertEqual(done.stderr, f"mprof: {again}: is the same file as r0.dat: merged once\n")
        merged, done = self.merge(".", "r0.dat", output="out.dat")
        self.assertEqual(len(merged.records("RANK")), 2)

    def test_a_rank_that_two_recordings_have_is_reported(self):
        for i in range(3):
            self.write(f"r{i}.dat", rank_lines(walk(i, 5, 0), rank=i % 2, host="a" if i < 2 else "b"))
        _, done = self.merge("r0.dat", "r1.dat", "r2.dat")
        self.assertEqual(done.stderr, "", "rank 0 of two hosts")
        self.write("copy.dat", rank_lines(walk(9, 5, 0), rank=1, host="a"))
        _, done = self.merge("r1.dat", "copy.dat", output="x.dat")
        self.assertEqual(done.stderr, "mprof: r1.dat: has rank 1 of host a, as copy.dat has: the sum counts both\n")
        _, done = self.merge("job.dat", "r0.dat", "r1.dat", output="x.dat")
        self.assertEqual(done.stderr,
                         "mprof: r0.dat: has rank 0 of host a, as job.dat has, and 1 more: the sum counts both\n")
        self.write("plain.dat", rank_lines(walk(3, 5, 0)))
        self.merge("plain.dat", "r0.dat", output="job.dat")
        _, done = self.merge("plain.dat", "job.dat", output="x.dat")
        self.assertIn("as job.dat has", done.stderr)

    def test_a_failure_leaves_the_old_output(self):
        self.write("job.dat", ["old\n"])
        self.run_mprof("merge", "missing.dat", "-o", "job.dat", expect=1)
        self.assertEqual((self.directory / "job.dat").read_text(), "old\n")
        self.assertEqual(os.listdir(self.directory), ["job.dat"])

    def test_command_lines_that_cannot_be_used(self):
        for arguments, reason in ((["-o", "x"], "name the recordings to merge"), (["a.dat"], "-o FILE"),
                                  (["a.dat", "-o", ""], "-o FILE"), (["a.dat", "-o", "x", "--align-by", ""], "--align-by")):
            with self.subTest(arguments=arguments):
                self.assertIn(reason, self.run_mprof("merge", *arguments, expect=2).stderr)


class Shown(MergeCase):
    """Two ranks on two hosts whose peaks are at different times."""

    def setUp(self):
        super().setUp()
        memory = [[100.0, 300.0, 100.0, 100.0, 100.0], [100.0, 100.0, 100.0, 250.0, 100.0]]
        for i in range(2):
            self.write(f"r{i}.dat", rank_lines([(round(.1 * n + .01 * i, 4), value) for n, value in enumerate(memory[i])],
                                               rank=i, host=f"node{i}"))
        self.merge("r0.dat", "r1.dat", output="mprofile_20261128120000.dat")

    def test_peak(self):
        lines = self.run_mprof("peak", "--exact").stdout.split("\n")
        self.assertEqual(lines[1:5], ["mprofile_20261128120000.dat\t400.000 MiB",
                                      "  sum of the peaks of 2 ranks on 2 hosts\t550.000 MiB",
                                      "  Rank node0/0\t\t\t300.000 MiB", "  Rank node1/1\t\t\t250.000 MiB"])
        self.assertIn("\t250.000 MiB\tnode1/1 python", "\n".join(lines))
        plain = self.run_mprof("peak").stdout
        self.assertNotIn("Rank", plain)

    def test_json(self):
        (item,) = json.loads(self.run_mprof("peak", "--json").stdout)["recordings"]
        self.assertEqual((item["peak_bytes"], item["merged"]["sum_of_peaks_bytes"]), (400 << 20, 550 << 20))
        self.assertEqual([rank["rank"] for rank in item["merged"]["ranks"]], ["0", "1"])

    def test_list(self):
        self.assertIn("2 ranks on 2 hosts: python sim.py", self.run_mprof("list", "-l").stdout)

    def test_check(self):
        self.run_mprof("check", "--max", "410MiB")
        self.run_mprof("check", "--max", "390MiB", expect=1)

    @unittest.skipUnless(os.path.exists(pathlib.Path(MPROF).parent / "mprof-draw"), "built without drawing")
    def test_pictures_and_reports(self):
        self.run_mprof("plot", "-o", "job.svg")
        text = (self.directory / "job.svg").read_text()
        for words in ("2 ranks on 2 hosts", "peak 400.0 MiB", "sum of peaks 550.0 MiB", "node1/1 python"):
            self.assertTrue(words in text, words)
        self.assertNotIn("10000077", text, "pids are those of the hosts")
        self.run_mprof("report", "-o", "r.json")
        (item,) = json.loads((self.directory / "r.json").read_text())["recordings"]
        self.assertEqual(item["merged"], {"ranks": 2, "hosts": 2, "sum_of_peaks_bytes": 550 << 20})
        self.assertEqual(item["peak"]["bytes"], 400 << 20)
        self.assertEqual([process["name"] for process in item["processes"]], ["node0/0 python", "node1/1 python"])
        self.assertTrue("2 processes" in text, "the sum is none")
        self.assertFalse("3 processes" in text)
        table = self.run_mprof("report", "--format", "md", "mprofile_20261128120000.dat", "-o", "-").stdout
        self.assertRegex(table, r"Processes\W+2\b")
        self.assertNotRegex(table, r"(?m)^\W*main\b")

    def test_the_sum_is_no_process(self):
        (item,) = json.loads(self.run_mprof("list", "--json").stdout)["recordings"]
        self.assertEqual(item["runs"][0]["process_count"], 2)
        (item,) = json.loads(self.run_mprof("peak", "--json", "--stack").stdout)["recordings"]
        self.assertNotIn("", [process["name"] for process in item["process_sums"]])
        shutil.copy(self.directory / "mprofile_20261128120000.dat", self.directory / "b.dat")

    def test_processes_of_verdicts_are_commands(self):
        shutil.copy(self.directory / "mprofile_20261128120000.dat", self.directory / "b.dat")
        (item,) = json.loads(self.run_mprof("diff", "--json", "b.dat", "mprofile_20261128120000.dat").stdout)["comparisons"]
        self.assertEqual({process["name"] for process in item["processes"]}, {"python"})
        crossed = self.run_mprof("check", "--max", "390MiB", "b.dat", expect=1).stdout
        self.assertIn("python in 2 processes", crossed)
        self.assertNotIn("node0/0 python", crossed)

    @unittest.skipUnless(os.path.exists(pathlib.Path(MPROF).parent / "mprof-draw"), "built without drawing")
    def test_kinds_of_memory_are_those_of_all_ranks(self):
        for i in range(2):
            self.write(f"r{i}.dat", rank_lines(walk(i, 20, .01 * i), rank=i, tail=[
                own_line("KINDS", 77, at(n / 10 + .01 * i), f"pss={mib(50 + n)}", f"anon={mib(20)}") for n in range(20)]))
        self.merge("r0.dat", "r1.dat")
        self.run_mprof("plot", "--memory", "pss,anon", "job.dat", "-o", "x.svg")
        text = (self.directory / "x.svg").read_text()
        self.assertTrue("PSS, sum of 2 processes" in text, "PSS of both")
        self.assertFalse("PSS of main" in text)
        (item,) = json.loads(self.run_mprof("peak", "--json", "job.dat").stdout)["recordings"]
        self.assertEqual((item["kinds"]["pss"], item["kinds"]["anon"]), (138 << 20, 40 << 20))

    @unittest.skipUnless(os.path.exists(pathlib.Path(MPROF).parent / "mprof-draw"), "built without drawing")
    def test_a_rank_that_was_killed_is_named(self):
        end = [[], [own_line("EXIT", 77, at(.45), "oom", 9)], [own_line("EXIT", 77, at(.45), "signal", 15)]]
        for i in range(3):
            self.write(f"r{i}.dat", rank_lines(walk(i, 5, 0), rank=i, host=f"node{i}", tail=end[i]))
        self.merge("r0.dat", "r1.dat", output="one.dat")
        self.merge("r0.dat", "r1.dat", "r2.dat", output="two.dat")
        for name, words in (("one", "node1/1 killed: out of memory"), ("two", "2 ranks killed, node1/1 killed: out of memory")):
            self.run_mprof("plot", f"{name}.dat", "-o", "x.svg")
            self.assertIn(words, (self.directory / "x.svg").read_text())
        self.assertIn("out-of-memory killer", self.run_mprof("check", "--max", "5GiB", "one.dat", expect=None).stdout)
        for name in ("one", "two"):
            text = self.run_mprof("report", "--format", "md", "-o", "-", f"{name}.dat").stdout.replace("\u00a0", " ")
            self.assertRegex(text, r"\*\*node1/1 python was killed, out of memory after [0-9.]+ .*may have needed more")


@unittest.skipUnless(os.path.exists(pathlib.Path(MPROF).parent / "mprof-draw"), "built without drawing")
class Layers(MergeCase):
    """Ranks that end between each other's samples, some with a child that ends before them."""

    RANKS = 9

    def setUp(self):
        super().setUp()
        for i in range(self.RANKS):
            samples = [(round(.013 * i + .1 * n, 4), 50.0 + 10 * i + n % 7) for n in range(100 - 7 * i)]
            children = {78: {seconds: 20.0 for seconds, _ in samples[5:40 - i]}} if i % 3 == 0 else {}
            self.write(f"r{i}.dat", rank_lines(samples, rank=i, host=f"node{i // 3}", children=children, is_sum=False))
        self.merge(*(f"r{i}.dat" for i in range(self.RANKS)))

    def draw(self, *options):
        self.run_mprof("plot", *options, "job.dat", "-o", "x.svg")
        return (self.directory / "x.svg").read_text()

    @staticmethod
    def heights(path):
        """{x: the least y there} of the corners of a path, whose curves are made of straight pieces."""
        points, x, y = {}, 0.0, 0.0
        for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
            values = [float(v) for v in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
            while command not in "Zz" and values:
                if command in "Hh":
                    x = values.pop(0) + (x if command == "h" else 0)
                elif command in "Vv":
                    y = values.pop(0) + (y if command == "v" else 0)
                else:
                    dx, dy = values.pop(0), values.pop(0)
                    x, y = (x + dx, y + dy) if command in "ml" else (dx, dy)
                points[round(x, 2)] = min(y, points.get(round(x, 2), math.inf))
        return sorted(points.items())

    @staticmethod
    def height_at(points, x):
        after = next((i for i, (at, _) in enumerate(points) if at >= x), None)
        if after is None or (after == 0 and points[0][0] > x):
            return math.inf
        if points[after][0] == x:
            return points[after][1]
        (x0, y0), (x1, y1) = points[after - 1], points[after]
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)

    def test_layers_add_up_to_the_sum(self):
        for group in ("pid", "rank", "host", "command"):
            with self.subTest(group=group):
                text = self.draw("--stack", "--group", group, "--no-script")
                layers = [self.heights(path) for path in re.findall(r'<path class="layer[^"]*" d="([^"]*)"', text)]
                (curve,) = (self.heights(path) for path in re.findall(r'<path class="curve[^"]*" d="([^"]*)"', text))
                self.assertGreater(len(layers), 0)
                self.assertGreater(len(curve), 30)
                for x, y in curve[1:-1]:
                    top = min(self.height_at(layer, x) for layer in layers)
                    self.assertLess(abs(top - y), 1.5, f"{group}: a hole below the curve at {x}: {top} is not {y}")

    def test_layers_are_ranks_or_hosts(self):
        words = re.findall(r"<text[^>]*>([^<]*)</text>", self.draw("--stack", "--group", "host"))
        self.assertIn("host", words)
        for name in ("node0 \u00d74", "node1 \u00d74", "node2 \u00d74"):
            self.assertIn(name, words)
        self.assertTrue(any(re.fullmatch(r"136\.0 MiB rank 8 pid 77 at .*", word) for word in words), words)
        words = re.findall(r"<text[^>]*>([^<]*)</text>", self.draw("--stack", "--group", "rank"))
        self.assertIn("node0/0 \u00d72", words)
        self.assertIn("node2/8", words)
        self.assertTrue(any(re.fullmatch(r"56\.0 MiB pid 77 at .*", word) for word in words), words)
        self.assertNotIn("main", words, "the sum is no process")
        words = re.findall(r"<text[^>]*>([^<]*)</text>", self.draw("--group", "command"))
        self.assertTrue(any(re.fullmatch(r"136\.0 MiB rank 8 pid 77 at .*", word) for word in words), words)
        self.assertNotIn("main", words)

    def test_ranks_need_a_merged_recording(self):
        for group in ("rank", "host"):
            self.assertIn(f"--group {group} is for recordings of `mprof merge'",
                          self.run_mprof("plot", "--group", group, "r0.dat", "-o", "x.svg", expect=1).stderr)


class Damage(MergeCase):
    def test_garbage_never_crashes(self):
        generator = random.Random(20261128)
        tail = [f"FUNC main.f {mib(1)} {START + .1:.6f} {mib(2)} {START + .5:.6f} 0 pid=78 lane=T\n",
                own_line("KINDS", 77, at(.5), f"pss={mib(50)}"), own_line("GROUP", mib(500), at(.5), "max", "/job"),
                own_line("FRAME", 1, 0, "main.f", "a.py", 1), own_line("EXIT", 77, at(.95), "status", 0),
                own_line("STACK", 77, at(0), at(.5), "T", 1, 5, "0.5", "1.0", "0.0", "100.0")]
        seeds = ["".join(rank_lines(walk(i, 30, 0), rank=i, children={80: {walk(i, 30, 0)[3][0]: 1.0}}, tail=tail)).encode()
                 for i in range(3)]
        self.write("good.dat", rank_lines(walk(9, 30, 0), rank=9))
        self.merge("good.dat", output="merged.dat")
        seeds.append((self.directory / "merged.dat").read_bytes())
        words = [b"#RANK|1|0|0|0|0 nan nan\n", b"#RANK|0|9999999999999|1|2|3|pid=7 nan nan\n", b"CHLD 0 1.0 5.0\n",
                 b"CMDLINE x\n", b"#FRAME|9000000000|0|a|b|1 nan nan\n", b"MEM 17592186044416.0 999999999999999.0\n",
                 b"#KINDS|0|1795330000.5|pss=1.0 nan nan\n", b"CHLD 9223372036854775807 1.0 1795330000.1000\n",
                 b"#FACT|interval|0.0000000001 nan nan\n", b"#FACT|include-children|no nan nan\n", b"\0" * 50, b"\n"]
        for round_number in range(25 if is_sanitized() else 60):
            names = []
            for i in range(3):
                data = bytearray(generator.choice(seeds))
                for _ in range(generator.randrange(6)):
                    place = generator.randrange(len(data))
                    kind = generator.randrange(4)
                    if kind == 0:
                        data[place] = generator.randrange(256)
                    elif kind == 1:
                        del data[place:place + generator.randrange(200)]
                    elif kind == 2:
                        data[place:place] = generator.choice(words)
                    else:
                        data[place:place] = data[:generator.randrange(500)]
                    data = data or bytearray(b"x")
                names.append(f"damaged{i}.dat")
                (self.directory / names[-1]).write_bytes(data)
            done = self.run_mprof("merge", *names, "-o", "out.dat", expect=None, timeout_s=20)
            self.assertIn(done.returncode, (0, 1, 2), f"round {round_number}: {done.stderr}")
            self.assertNotRegex(done.stderr, "Sanitizer|runtime error", f"round {round_number}")
            if done.returncode == 0:
                self.run_mprof("peak", "--exact", "--stack", "out.dat")


@unittest.skipIf(is_sanitized(), "a sanitizer takes memory of its own")
class Scale(MergeCase):
    def most_memory(self, file_count, samples):
        """KiB that a merge needs at most."""
        template = [line for line in rank_lines(walk(1, samples, 0), is_sum=False) if "|host|" not in line]
        for i in range(file_count):
            self.write(f"n{file_count}/r{i}.dat", template[:2] + [own_line("FACT", "host", f"node{i}")] + template[2:])
        code = ("import os, resource, subprocess, sys\n"
                "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        done = subprocess.run([sys.executable, "-c", code, MPROF, "merge", f"n{file_count}", "-o", "x.dat"],
                              capture_output=True, text=True, check=True, cwd=self.directory, env=self.environment(),
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
        return int(done.stdout)

    def test_memory_is_bounded_and_files_may_be_more_than_can_be_open(self):
        few, many, long = (self.most_memory(*size) for size in ((10, 500), (1000, 50), (11, 5000)))
        self.assertLess(long, 1.3 * few + 4096, "memory does not depend on the length")
        self.assertLess(many, 40 * 1024)


if __name__ == "__main__":
    unittest.main()
