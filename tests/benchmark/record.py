"""Recording: what the recorder itself uses, without its program, against upstream's.

The recorder's CPU is read from /proc/PID/schedstat, to the nanosecond, while it runs; its memory is its
own VmHWM. Ours and upstream's take turns."""

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

INTERVAL_S = 0.1


def cpu_s(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def peak_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+)", text, re.M)[1]) / 1024


class Recorder:
    """A recorder at work, in a session of its own."""

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

    def end(self):
        os.killpg(self.pid, signal.SIGKILL)
        self.process.stdout.close()
        self.process.wait()

    def samples_between(self, start_s, end_s):
        times = [float(line.split()[2]) for line in self.path.read_text().split("\n")[:-1]
                 if line.startswith("MEM ")]
        return [moment for moment in times if start_s <= moment <= end_s]


def start_up(command, folder, name):
    """CPU in seconds until the first sample is taken, and peak RSS in MiB, of a recorder of sleep."""
    recorder = Recorder(command, folder, name, "-T", "100", "sleep", "600")
    try:
        recorder.wait_for("running new process")
        time.sleep(0.7)
        return cpu_s(recorder.pid), peak_mib(recorder.pid)
    finally:
        recorder.end()


def per_sample(command, folder, name, children, seconds):
    """CPU in seconds per sample, and the samples' times, of a recorder of so many children."""
    options = ["-C"] if children else []
    recorder = Recorder(command, folder, name, "-T", INTERVAL_S, *options, PYTHON, "-c", HERD,
                        children)
    try:
        recorder.wait_for("ready")
        time.sleep(1)
        start_s, before = time.time(), cpu_s(recorder.pid)
        time.sleep(seconds)
        end_s, used = time.time(), cpu_s(recorder.pid) - before
        # upstream writes its file in pieces of 50 samples: its pace is that of those it has written
        recorder.process.send_signal(signal.SIGSTOP)
        times = recorder.samples_between(start_s, end_s)
        if len(times) < 2:
            raise RuntimeError("too few samples to tell the pace")
        pace = (times[-1] - times[0]) / (len(times) - 1)
        return used / ((end_s - start_s) / pace), times
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
    for children, goal, seconds in ((0, 3, 6), (1, 12, 6), (10, 12, 6), (100, 12, 8),
                                    (500, 25, 12)):
        say(f"  recorder of {children} children ...")
        runs = []
        for _ in range(3):
            runs.append([per_sample(command, table.folder, name, children, seconds)
                         for command, name in (([MPROF], "ours"), (UPSTREAM, "theirs"))])
        ours, theirs = (statistics.median(run[n][0] for run in runs) for n in (0, 1))
        what = f"-C with {children}" if children else "1 process"
        versus(table, f"recorder: CPU per sample, {what}", ours, theirs, goal, "s")
        if children == 500:
            show_error(table, f"interval of {INTERVAL_S} s with 500 children",
                       INTERVAL_S, [run[0][1] for run in runs])


def show_error(table, work, interval_s, runs):
    """The mean interval against the asked one. A run's end may be late by what the machine is
    loaded, so the best of the runs tells what the recorder does."""
    errors = [abs((times[-1] - times[0]) / round((times[-1] - times[0]) / interval_s) / interval_s
                  - 1) for times in runs]
    missed = [round((times[-1] - times[0]) / interval_s) + 1 - len(times) for times in runs]
    table.show(work + ", mean error", min(errors) * 100, "%", at_most=0.1)
    table.show(work + ", missed", min(missed), "samples")


def measure_pace(table):
    for interval_s, seconds in ((0.1, 10), (0.01, 5), (0.001, 5)):
        runs = []
        for _ in range(3):
            recorder = Recorder([MPROF], table.folder, "ours", "-T", interval_s, "sleep", "600")
            try:
                recorder.wait_for("running new process")
                time.sleep(seconds)
                runs.append(recorder.samples_between(0, time.time()))
            finally:
                recorder.end()
        show_error(table, f"interval of {interval_s} s", interval_s, runs)


def measure(table):
    measure_start_up(table)
    measure_samples(table)
    measure_pace(table)
