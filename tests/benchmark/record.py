"""Recording: CPU and memory of the recorder itself, without its program, against upstream's.

The recorder's CPU is read from /proc/PID/schedstat, to the nanosecond, while it runs; its memory is its
VmHWM. Runs of ours and upstream's alternate."""

import contextlib
import math
import os
import pathlib
import re
import signal
import statistics
import subprocess
import time

from measure import MPROF, PYTHON, UPSTREAM, say

HERD = """
import os, sys, time
for n in range(int(sys.argv[1])):
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
print("ready", flush=True)
time.sleep(600)
"""

# The same herd, working: each wakes ten times a second, allocates and frees memory.
WORKING_HERD = HERD.replace("        time.sleep(600)\n", "        while True:\n"
                            "            time.sleep(0.1); bytearray(1 << 18)\n", 1)

INTERVAL_S = 0.1


def cpu_s(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def peak_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+)", text, re.M)[1]) / 1024


class Recorder:
    """A running recorder, in its own session."""

    def __init__(self, command, folder, name, *arguments):
        self.path = pathlib.Path(folder) / f"record-{name}.dat"
        self.path.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [*command, "run", "-o", str(self.path), *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True, text=True)
        self.pid = self.process.pid

    def wait_for(self, word):
        for line in self.process.stdout:
            if word in line:
                return
        raise RuntimeError(f"the recorder ended before {word!r}")

    def finish(self):
        """Lets it complete its file; returns the samples' times, and the number of missed deadlines (upstream
        counts none)."""
        self.process.terminate()
        self.process.stdout.close()
        self.process.wait()
        text = self.path.read_text()
        missed = re.search(r"^#FACT\|missed-ticks\|(\d+) ", text, re.M)
        return self.samples_between(0, time.time()), int(missed[1]) if missed else 0

    def end(self):
        os.killpg(self.pid, signal.SIGKILL)
        self.process.stdout.close()
        self.process.wait()

    def samples_between(self, start_s, end_s):
        times = [float(line.split()[2]) for line in self.path.read_text().split("\n")[:-1]
                 if line.startswith("MEM ")]
        return [moment for moment in times if start_s <= moment <= end_s]


def start_up(command, folder, name):
    """CPU in seconds until the first sample, and peak RSS in MiB, of a recorder of sleep."""
    recorder = Recorder(command, folder, name, "-T", "100", "sleep", "600")
    try:
        recorder.wait_for("running new process")
        time.sleep(0.7)
        return cpu_s(recorder.pid), peak_mib(recorder.pid)
    finally:
        recorder.end()


def per_sample(command, folder, name, children, seconds, herd=HERD):
    """CPU in seconds per sample of a recorder with that number of children."""
    options = ["-C"] if children else []
    recorder = Recorder(command, folder, name, "-T", INTERVAL_S, *options, PYTHON, "-c", herd,
                        children)
    try:
        recorder.wait_for("ready")
        time.sleep(1)
        start_s, before = time.time(), cpu_s(recorder.pid)
        time.sleep(seconds)
        end_s, used = time.time(), cpu_s(recorder.pid) - before
        # upstream writes blocks of 50 samples: its pace is that of the written ones
        recorder.process.send_signal(signal.SIGSTOP)
        times = recorder.samples_between(start_s, end_s)
        if len(times) < 2:
            raise RuntimeError("too few samples to compute the pace")
        pace = (times[-1] - times[0]) / (len(times) - 1)
        return used / ((end_s - start_s) / pace)
    finally:
        recorder.end()


def versus(table, work, ours, theirs, goal, unit):
    ratio = theirs / ours
    scale, name = (1e6, "us") if unit == "s" else (1, unit)
    table.row((work, f"{ours * scale:.4g} {name}", f"{theirs * scale:.4g} {name}", f"{ratio:.1f}x",
               f">= {goal:g}x"), table.judge(work, ratio >= goal))


def measure_start_up(table):
    ours, theirs = [], []
    for _ in range(table.runs):
        ours.append(start_up([MPROF], table.folder, "ours"))
        theirs.append(start_up(UPSTREAM, table.folder, "theirs"))
    cpu, peak = (([statistics.median(run[n] for run in runs) for runs in (ours, theirs)])
                 for n in (0, 1))
    versus(table, "recorder: CPU to start", *cpu, 30, "s")
    versus(table, "recorder: peak RSS", *peak, 25, "MiB")


def measure_samples(table):
    for children, herd, goal, seconds in (
            (0, HERD, 3, 6), (1, HERD, 12, 6), (10, HERD, 12, 6), (100, HERD, 12, 8),
            (500, HERD, 25, 12), (500, WORKING_HERD, None, 12)):
        say(f"  recorder of {children} children ...")
        runs = []
        for _ in range(3):
            runs.append([per_sample(command, table.folder, name, children, seconds, herd)
                         for command, name in (([MPROF], "ours"), (UPSTREAM, "theirs"))])
        ours, theirs = (statistics.median(run[n] for run in runs) for n in (0, 1))
        what = f"-C with {children}" if children else "1 process"
        if goal:
            versus(table, f"recorder: CPU per sample, {what}", ours, theirs, goal, "s")
        else:
            table.row((f"recorder: CPU per sample, {what} at work", f"{ours * 1e6:.4g} us",
                       f"{theirs * 1e6:.4g} us", f"{theirs / ours:.1f}x", ""))


def mean_interval(times, due, interval_s):
    """In seconds. A late first or last sample is not an error of the pace: if the samples are on a grid, and
    as many as were due, the result comes from how much later the last tenth is than the first tenth."""
    passed = [moment - times[0] for moment in times]
    numbers = [round(one / interval_s) for one in passed]
    if abs(numbers[-1] - due) > 0.01 * due + 2:
        return passed[-1] / due
    late = [one - number * interval_s for one, number in zip(passed, numbers)]
    tenth = max(1, len(late) // 10)
    drift_s = statistics.median(late[-tenth:]) - statistics.median(late[:tenth])
    return interval_s * (1 + drift_s / passed[-1])


def pace(command, folder, name, interval_s, seconds, children):
    """Mean time between deadlines, from the samples and the count of missed ones, and the share of missed
    deadlines."""
    # The count must cover the time of the samples only: ours ends before the program.
    limit = ["-t", seconds] if command == [MPROF] else []
    recorder = Recorder(command, folder, name, "-T", interval_s, *limit,
                        *(["-C"] if children else []), PYTHON, "-c", HERD, children)
    try:
        recorder.wait_for("ready")
        time.sleep(seconds + 1)
        times, missed = recorder.finish()
        # Ours takes early samples within the first interval.
        times = times[:1] + [time_s for time_s in times[1:] if time_s - times[0] > 0.9 * interval_s]
        due = len(times) - 1 + missed
        if len(times) < 2:  # upstream writes blocks of 50 samples
            return math.nan, math.nan
        return mean_interval(times, due, interval_s), missed / due
    finally:
        with contextlib.suppress(ProcessLookupError):
            recorder.end()


def measure_pace(table):
    for interval_s, seconds, children in ((0.1, 12, 500), (0.1, 10, 0), (0.01, 6, 0),
                                          (0.001, 6, 0), (0.0001, 6, 0)):
        say(f"  pace of {interval_s} s ...")
        runs = [[pace(command, table.folder, name, interval_s, seconds, children)
                 for command, name in (([MPROF], "ours"), (UPSTREAM, "theirs"))] for _ in range(3)]
        # On a loaded machine the last sample of a run may be late: the best run counts.
        ours, missed = min((run[0] for run in runs), key=lambda run: abs(run[0] / interval_s - 1))
        theirs = statistics.median(run[1][0] for run in runs)
        work = f"interval {interval_s * 1e3:g} ms{f', -C with {children}' if children else ''}"
        error = abs(ours / interval_s - 1)
        table.row((f"mean {work}", f"{ours * 1e3:.5g} ms", f"{theirs * 1e3:.5g} ms",
                   f"{error * 100:.3f} %", "<= 0.1 %"), table.judge(work, error <= 0.001))
        table.show(f"missed at {work}", missed * 100, "%")


def measure(table):
    measure_start_up(table)
    measure_samples(table)
    measure_pace(table)
