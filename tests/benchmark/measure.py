"""Shared by all groups of tests/bench: commands measured side by side, medians, one table.

A group is a module of this directory with a function `measure(table)`. It calls

    table.compare("read 1e6 samples", ours, peer, goal=6)             CPU of peer / CPU of ours >= 6
    table.compare("peak RSS", ours, peer, goal=25, what="rss")        the same with peak RSS
    table.limit("peak of 1e7 samples", ours, 8, "MiB", what="rss")    ours <= 8 MiB
    table.show("mean interval error", 0.02, "%", at_most=0.1)         a value measured elsewhere

Commands are lists of strings. Runs of the two alternate, so that other load affects both equally; the median
of each counts. Keep inputs that take long to create in table.folder.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MPROF_BUILD", SOURCE / "build" / "release"))
MPROF = str(BUILD / "mprof")
os.environ.setdefault("MPROF", MPROF)  # for tests/support/mprof_test.py
PYTHON = os.environ.get("MPROF_PYTHON", "/usr/bin/python3")
# upstream's command, run by Debian's interpreter independent of PATH
UPSTREAM = [PYTHON, "-c", "import sys, mprof; sys.argv[0] = 'mprof'; mprof.main()"]


class Usage:
    """The resources that one run of a command used."""

    def __init__(self, code, user_us, system_us, wall_us, rss_kib):
        self.code = code
        self.cpu = (user_us + system_us) / 1e6
        self.wall = wall_us / 1e6
        self.rss = rss_kib / 1024


def run(command, cwd=None, env=None):
    """Runs a command once and discards its standard output."""
    spawn = str(BUILD / "bench-spawn")
    result = subprocess.run([spawn, *map(str, command)], cwd=cwd, env=env, text=True,
                            stdin=subprocess.DEVNULL, capture_output=True, check=False)
    lines = result.stdout.split()
    if result.returncode != 0 or len(lines) != 5:
        raise RuntimeError(f"{command[0]}: {result.stderr.strip()}")
    usage = Usage(*map(int, lines))
    if usage.code != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit code {usage.code}: "
                           f"{result.stderr.strip()[-300:]}")
    return usage


def interleaved(commands, runs, cwd=None, env=None):
    """Runs the commands in turn, `runs` times each; returns a list of Usage per command."""
    usages = [[] for _ in commands]
    for _ in range(runs):
        for command, taken in zip(commands, usages):
            taken.append(run(command, cwd=cwd, env=env))
    return usages


def median(usages, what):
    return statistics.median(getattr(usage, what) for usage in usages)


def quantity(value, what):
    if what == "rss":
        return f"{value:.1f} MiB"
    if what == "bytes":
        return f"{value / 1024:.1f} KiB"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


class Table:
    """The table, printed row by row, and the missed goals."""

    widths = (44, 12, 12, 9, 10)

    def __init__(self, folder, runs, markdown=False):
        self.folder = pathlib.Path(folder)
        self.runs = runs
        self.markdown = markdown
        self.missed = []
        self.begun = False

    def row(self, cells, verdict=""):
        if not self.begun:
            self.begun = True
            self.row(("work", "ours", "peer", "ratio", "goal"))
            if self.markdown:
                print("|---|--:|--:|--:|--:|")
        if self.markdown:
            print(f"| {' | '.join(cells)} | {verdict}".rstrip(), flush=True)
            return
        head = cells[0].ljust(self.widths[0])
        rest = "".join(cell.rjust(width) for cell, width in zip(cells[1:], self.widths[1:]))
        print(f"{head}{rest}  {verdict}".rstrip(), flush=True)

    def judge(self, work, is_met):
        if not is_met:
            self.missed.append(work)
        return "" if is_met else "missed"

    def compare(self, work, ours, peer, goal, what="cpu", runs=None, cwd=None, env=None):
        """Ours against a peer, which must use at least `goal` times as much."""
        mine, theirs = interleaved([ours, peer], runs or self.runs, cwd=cwd, env=env)
        a, b = median(mine, what), median(theirs, what)
        ratio = b / a if a else float("inf")
        self.row((work, quantity(a, what), quantity(b, what), f"{ratio:.1f}x", f">= {goal:g}x"),
                 self.judge(work, ratio >= goal))
        return ratio

    def ratio(self, work, ours, other, at_most, what="cpu", runs=None, cwd=None, env=None):
        """Ours against ours on another input: at most `at_most` times as much."""
        mine, theirs = interleaved([ours, other], runs or self.runs, cwd=cwd, env=env)
        a, b = median(mine, what), median(theirs, what)
        ratio = a / b if b else float("inf")
        self.row((work, quantity(a, what), quantity(b, what), f"{ratio:.2f}x", f"<= {at_most:g}x"),
                 self.judge(work, ratio <= at_most))
        return ratio

    def limit(self, work, ours, at_most, unit, what="rss", runs=3, cwd=None, env=None):
        """Ours against a fixed limit, in MiB for rss, in seconds for cpu and wall."""
        (mine,) = interleaved([ours], runs, cwd=cwd, env=env)
        value = median(mine, what)
        self.row((work, quantity(value, what), "", "", f"<= {at_most:g} {unit}"),
                 self.judge(work, value <= at_most))
        return value

    def show(self, work, value, unit, at_most=None, at_least=None):
        """Shows a value that was measured in another way."""
        goal, is_met = "", True
        if at_most is not None:
            goal, is_met = f"<= {at_most:g}", value <= at_most
        elif at_least is not None:
            goal, is_met = f">= {at_least:g}", value >= at_least
        self.row((work, f"{value:.4g} {unit}", "", "", goal), self.judge(work, is_met))


def samples_file(folder, count, name=None, start=1795330352.0, interval=0.1):
    """A recording of one process in upstream's format, created once per folder."""
    path = pathlib.Path(folder) / (name or f"samples-{count}.dat")
    if path.exists():
        return path
    partial = path.with_suffix(".partial")
    mib, state = 40.0, 12345
    with open(partial, "w", encoding="ascii") as file:
        file.write("CMDLINE /usr/bin/python3 program.py\n")
        lines = []
        for i in range(count):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            mib = max(1.0, mib + (state / 0x7FFFFFFF - 0.49) * 0.5)
            lines.append(f"MEM {round(mib * 256) / 256:.6f} {start + i * interval:.4f}\n")
            if len(lines) == 100000:
                file.writelines(lines)
                lines.clear()
        file.writelines(lines)
    partial.rename(path)
    return path


def peer(name):
    """The path of an installed program, or None."""
    return shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")


def say(text):
    print(text, file=sys.stderr, flush=True)


def clock():
    return time.monotonic()
