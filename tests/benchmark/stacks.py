"""Sampled stacks: what a tick costs the recorder, and what the program loses.

CPU of the recorder is read from /proc/PID/schedstat while it runs, with --stacks and without, in turn; the difference
is that of the stacks. Both follow descendants (-C), which --stacks implies."""

import statistics
import subprocess
import time

from measure import MPROF, PYTHON, say
from record import Recorder, cpu_s, peak_mib

# Never idle at a sample, and no page fault moves.
DEEP = """
import sys, time
def down(n):
    if n: return down(n - 1)
    print("ready", flush=True)
    while True:
        for _ in range(2000): pass
        time.sleep(0.001)
sys.setrecursionlimit(5000)
down(int(sys.argv[1]) - 2)
"""

SERVICE = """
import os, sys, threading, time
def work():
    while True:
        handle()
def handle():
    for _ in range(500): pass
    time.sleep(0.02)
for _ in range(8):
    if os.fork() == 0:
        for _ in range(7): threading.Thread(target=work, daemon=True).start()
        work()
time.sleep(0.5)
print("ready", flush=True)
time.sleep(600)
"""

# Prints the CPU times of a fixed amount of work.
BUSY = """
import sys, time
def f(n):
    total = 0
    for i in range(n): total += i * i % 7
    return total
times = []
for _ in range(int(sys.argv[1])):
    start = time.process_time()
    for _ in range(40): f(20000)
    times.append(time.process_time() - start)
print(*times)
"""


def recorder_cpu(folder, name, options, program, *arguments, seconds):
    """CPU per second, and the peak in MiB, of a recorder."""
    recorder = Recorder([MPROF], folder, name, "-T", "0.1", *options, PYTHON, "-S", "-c", program, *arguments)
    try:
        recorder.wait_for("ready")
        time.sleep(0.7)
        before, start = cpu_s(recorder.pid), time.monotonic()
        time.sleep(seconds)
        return (cpu_s(recorder.pid) - before) / (time.monotonic() - start), peak_mib(recorder.pid)
    finally:
        recorder.end()


def tick_cost(table, depth):
    extra = []
    for run in range(table.runs):
        costs = [recorder_cpu(table.folder, f"stacks-{run}", options, DEEP, str(depth), seconds=2)[0]
                 for options in (("-C",), ("-C", "--stacks=all"))]
        extra.append((costs[1] - costs[0]) / 10 * 1e6)
    table.show(f"a tick of one thread, depth {depth}", statistics.median(extra), "us", at_most=60)


def service_cost(table):
    runs = [recorder_cpu(table.folder, f"stacks-service-{run}", ("-M", "--stacks"), SERVICE, seconds=3)
            for run in range(min(3, table.runs))]
    table.show("8 processes, 8 threads each, at 10 Hz", statistics.median(cpu for cpu, _ in runs) * 100, "% of a core",
               at_most=3)
    table.show("the recorder's memory meanwhile", max(peak for _, peak in runs), "MiB", at_most=4)


def busy_s(options):
    command = [PYTHON, "-S", "-c", BUSY, "12"]
    if options is not None:
        command = [MPROF, "run", "-q", "--nopython", "-o", "/dev/shm/stacks-busy.dat", *options, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def slow_down(table):
    kinds = {"plain": None, "10 Hz": ("--stacks",), "100 Hz": ("--stacks", "--stacks-interval", "0.01")}
    times = {name: [] for name in kinds}
    for _ in range(table.runs * 3):
        for name, options in kinds.items():
            times[name] += busy_s(options)
    # other programs only add: the lowest quarter has the least of them
    quarter = {name: statistics.quantiles(taken, n=4)[0] for name, taken in times.items()}
    for name, goal in (("10 Hz", 0.5), ("100 Hz", 2)):
        slower = (quarter[name] / quarter["plain"] - 1) * 100
        table.show(f"CPU time of a busy program, {name}", slower, "% more", at_most=goal)
    subprocess.run(["rm", "-f", "/dev/shm/stacks-busy.dat", "/dev/shm/stacks-busy.dat.old"], check=False)


def measure(table):
    say("stacks: cost of a tick with --stacks less that without; the program's CPU time")
    for depth in (20, 100):
        tick_cost(table, depth)
    service_cost(table)
    slow_down(table)
