"""Drawing: `mprof plot` against upstream's, gnuplot and rrdtool, in CPU, memory, bytes and instructions."""

import os
import pathlib
import random
import re
import subprocess
import sys

from measure import MPROF, SOURCE, UPSTREAM, interleaved, peer, samples_file, say

sys.path.insert(0, str(SOURCE / "docs" / "gallery"))
import recordings  # noqa: E402

AGG = {**os.environ, "MPLBACKEND": "Agg"}


def made(table, name, build):
    """A synthetic recording as in docs/gallery, created once."""
    path = pathlib.Path(table.folder, name)
    if not path.exists():
        partial = path.with_suffix(".partial")
        recordings.write(partial, "python3 train.py --epochs 10", *build())
        partial.rename(path)
    return path


def with_calls(table, samples, calls, seconds):
    def build():
        lines = recordings.samples(samples, seconds, 2)
        return lines, recordings.calls(calls, seconds, recordings.Memory(lines), 3)
    return made(table, f"calls-{calls}.dat", build)


def with_deep_calls(table, overlapping):
    """1e3 calls at ten levels: stacks of ten, one after the other; or at any time, so that rows share lanes."""
    def build():
        lines = recordings.samples(1000, 100, 2)
        memory, calls, source = recordings.Memory(lines), [], random.Random(1)
        for i in range(1000):
            level = i % 10
            enter, leave = i // 10 + 0.04 * level, i // 10 + 0.95 - 0.04 * level
            if overlapping:
                enter = source.uniform(0, 95)
                leave = enter + source.uniform(0.05, 5)
            name = f"app.{recordings.VERBS[level]}"
            enter, leave = recordings.START + enter, recordings.START + leave
            calls.append(f"FUNC {name} {memory.at(enter):.4f} {enter:.6f} {memory.at(leave):.4f} {leave:.6f} {level}")
        return lines, calls
    return made(table, f"deep-{'overlapping' if overlapping else 'stacks'}.dat", build)


def ours(table, kind, *arguments):
    return [MPROF, "plot", "-o", pathlib.Path(table.folder, f"ours.{kind}"), *arguments]


def theirs(table, kind, *arguments):
    return [*UPSTREAM, "plot", "-o", pathlib.Path(table.folder, f"upstream.{kind}"), *arguments]


def gnuplot(table, path):
    script = pathlib.Path(table.folder, "plot.gnuplot")
    script.write_text(f"""set terminal pngcairo size 1260,540
set output '{table.folder}/gnuplot.png'
set title 'python3 train.py'
set xlabel 'time (in seconds)'
set ylabel 'memory used (in MiB)'
set grid
plot '{path}' using 3:2 every ::1 with lines title 'memory'
""", encoding="ascii")
    return ["gnuplot", script]


def rrdtool(table, path):
    """Drawing only: the samples are in its database already."""
    base = pathlib.Path(table.folder, "samples.rrd")
    if not base.exists():
        lines = path.read_text().split("\n")
        values = [line.split()[1] for line in lines if line.startswith("MEM")]
        start = 1700000000
        subprocess.run(["rrdtool", "create", base, "--start", str(start), "--step", "1",
                        "DS:memory:GAUGE:10:0:U", f"RRA:AVERAGE:0.5:1:{len(values) + 1}"], check=True)
        updates = [f"{start + 1 + i}:{value}" for i, value in enumerate(values)]
        for i in range(0, len(updates), 500):
            subprocess.run(["rrdtool", "update", base, *updates[i:i + 500]], check=True)
    return ["rrdtool", "graph", pathlib.Path(table.folder, "rrdtool.png"), "--start", "1700000000",
            "--end", "1700001000", "-w", "1160", "-h", "440", "--title", "python3 train.py",
            f"DEF:m={base}:memory:AVERAGE", "LINE1:m#000000:memory"]


def size_ratio(table, work, a, b, goal):
    """Bytes of one file against another, which must have at least `goal` times as many."""
    mine, other = a.stat().st_size, b.stat().st_size
    ratio = other / mine
    table.row((work, f"{mine / 1024:.0f} KiB", f"{other / 1024:.0f} KiB", f"{ratio:.0f}x",
               f">= {goal:g}x"), table.judge(work, ratio >= goal))


def instructions(command):
    """Counted by valgrind: the same in each run, however busy the machine is. None: valgrind is missing."""
    if not peer("valgrind"):
        return None
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)],
                          capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def count(table):
    """The drawing program alone; `mprof` replaces itself by it."""
    some = samples_file(table.folder, 1000)
    command = [MPROF + "-draw", *ours(table, "png", some)[1:]]
    found = instructions(command)
    if found:
        table.show("plot 1e3 png, instructions", found / 1e6, "million", at_most=60)


def small(table):
    path = samples_file(table.folder, 1000)
    table.compare("plot 1e3 png, upstream", ours(table, "png", path), theirs(table, "png", path),
                  goal=20, env=AGG)
    if peer("gnuplot"):
        table.compare("plot 1e3 png, gnuplot", ours(table, "png", path), gnuplot(table, path),
                      goal=1.7, runs=max(table.runs, 9))
    if peer("rrdtool"):
        table.compare("plot 1e3 png, rrdtool", ours(table, "png", path), rrdtool(table, path),
                      goal=2, runs=max(table.runs, 9))


def large(table):
    path = samples_file(table.folder, 1_000_000)
    for kind, goal in (("png", 40), ("svg", 200), ("pdf", 200)):
        say(f"upstream draws 1e6 samples as {kind} ...")
        table.compare(f"plot 1e6 {kind}, upstream", ours(table, kind, path),
                      theirs(table, kind, path), goal=goal, runs=3, env=AGG)
        mine, other = (pathlib.Path(table.folder, f"{who}.{kind}") for who in ("ours", "upstream"))
        if kind != "png":
            size_ratio(table, f"plot 1e6 {kind}, bytes", mine, other, 500 if kind == "svg" else 100)


def huge(table):
    few, many = samples_file(table.folder, 1000), samples_file(table.folder, 10_000_000)
    table.limit("plot 1e7 png, peak RSS", ours(table, "png", many), 18, "MiB")
    table.ratio("plot 1e7 against 1e3 png, peak RSS", ours(table, "png", many),
                ours(table, "png", few), 1.05, what="rss", runs=3)
    hundred = samples_file(table.folder, 100_000)
    sizes = []
    for path in (hundred, many):
        interleaved([ours(table, "svg", path)], 1)
        sizes.append(pathlib.Path(table.folder, "ours.svg").stat().st_size)
    table.show("svg of 1e7 against 1e5 samples, bytes", sizes[1] / sizes[0], "x", at_most=1.1)
    say("upstream draws 1e7 samples ...")
    table.compare("plot 1e7 png, upstream", ours(table, "png", many), theirs(table, "png", many),
                  goal=40, runs=1, env=AGG)


def calls(table):
    some, many = with_calls(table, 1000, 1000, 100), with_calls(table, 5000, 100_000, 5000)
    table.compare("1e3 calls, brackets, upstream", ours(table, "png", some),
                  theirs(table, "png", some), goal=150, runs=3, env=AGG)
    table.compare("1e3 calls, flame, upstream", ours(table, "png", "-f", some),
                  theirs(table, "png", "-f", some), goal=80, runs=3, env=AGG)
    for overlapping in (False, True):
        deep = with_deep_calls(table, overlapping)
        table.compare(f"1e3 calls at ten levels{', overlapping' if overlapping else ''}, flame, upstream",
                      ours(table, "png", "-f", deep), theirs(table, "png", "-f", deep), goal=90, runs=3, env=AGG)
    for name, options in (("brackets", []), ("flame", ["-f"])):
        table.ratio(f"1e5 against 1e3 calls, {name}", ours(table, "png", *options, many),
                    ours(table, "png", *options, some), 10)


def processes(table):
    path = made(table, "children-50.dat", lambda: [recordings.children(50, 900, ticks=1000)])
    table.compare("50 children, png, upstream", ours(table, "png", path),
                  theirs(table, "png", path), goal=10, runs=3, env=AGG)


def many(table):
    """1,000 processes of 1e4 samples each; 10,000 of 200."""
    for count, ticks in ((1000, 10_000), (10_000, 200)):
        path = pathlib.Path(table.folder, f"many-{count}.dat")
        if not path.exists():
            source, partial = random.Random(count), path.with_suffix(".partial")
            own = [50 + 100 * source.random() for _ in range(count)]
            with open(partial, "w", encoding="ascii") as file:
                file.write(f"CMDLINE srun -n {count} ./solver\n")
                for tick in range(ticks):
                    at = f" {recordings.START + tick / 10:.4f}\n"
                    shape = min(1, 4 * tick / ticks) * (0.8 + 0.2 * (tick % 97) / 97)
                    file.write(f"MEM 12.000000{at}")
                    file.writelines(f"CHLD {1000 + i} {5 + own[i] * shape:.6f}{at}" for i in range(1, count))
            partial.rename(path)
        for form in ("--stack", "--band", "--small-multiples", "--heat"):
            for kind in ("png", "svg"):
                command = ours(table, kind, form, path)
                table.limit(f"{count} x {ticks} samples, {form} {kind}, CPU", command, 2, "s", what="cpu")
            table.show(f"{count} x {ticks} samples, {form} svg, bytes",
                       pathlib.Path(table.folder, "ours.svg").stat().st_size / 1e6, "MB", at_most=4)
        table.limit(f"{count} x {ticks} samples, --heat, peak RSS", ours(table, "png", "--heat", path), 300, "MiB")


def reports(table):
    """One page of 50 recordings of 1e4 samples and 1e3 calls each, with limits; an index of 1,000 with its pages."""
    for count, samples, number in ((50, 10_000, 1000), (1000, 300, 20)):
        folder = pathlib.Path(table.folder, f"report-{count}")
        folder.mkdir(exist_ok=True)
        for i in range(count):
            path = folder / f"job-{i}.dat"
            if not path.exists():
                lines = recordings.samples(samples, 1000, i)
                calls_of = recordings.calls(number, 1000, recordings.Memory(lines), i)
                recordings.write(path, f"python3 job.py --part {i}", lines, calls_of)
        page = pathlib.Path(table.folder, f"report-{count}.html")
        command = [MPROF, "report", "--max=1GiB", "-o", page, folder]
        table.limit(f"report of {count} recordings, CPU", command, 2 if count == 50 else 10, "s", what="cpu")
        table.show(f"report of {count} recordings, its page", page.stat().st_size / 1e6, "MB", at_most=10)


def measure(table):
    small(table)
    reports(table)
    count(table)
    calls(table)
    processes(table)
    many(table)
    large(table)
    huge(table)
