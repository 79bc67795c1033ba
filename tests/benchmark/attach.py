"""attach --functions: the speed of a function after its recorder has ended, against the same function of a
program that was never attached to. Both programs run at the same time and are measured in turn, on every
Python of the machine."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time

from measure import MPROF, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
import interpreters  # noqa: E402  pylint: disable=wrong-import-position

SHOP = "def add(x, y=1): return x + y\n"
PROGRAM = """
import sys, time
import shop
def measure(count):
    add = shop.add
    begin = time.process_time()
    for n in range(count): add(n)
    return (time.process_time() - begin) / count
measure(1_000)
for line in sys.stdin:
    print(measure(int(line)), flush=True)
"""
CALLS = 200_000


class Program:
    def __init__(self, table, python):
        self.process = subprocess.Popen([python, "attach-program.py"], cwd=table.folder, text=True,
                                        bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def ask(self, count=CALLS):
        self.process.stdin.write(f"{count}\n")
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def visit(table, program):
    """Attaches, waits for a recorded call, and detaches."""
    data = table.folder / "attach.dat"
    data.unlink(missing_ok=True)
    with subprocess.Popen([MPROF, "attach", "--functions", "shop", "-o", data,
                           str(program.process.pid)], stdout=subprocess.PIPE, text=True) as recorder:
        for line in recorder.stdout:
            if re.search("functions are recorded", line):
                break
        program.ask(1_000)
        end = time.monotonic() + 30
        while "\nFUNC shop.add" not in data.read_text():
            if time.monotonic() > end:
                raise RuntimeError("attach: no call was recorded")
            time.sleep(0.01)
        recorder.terminate()
    data.unlink()
    program.ask(1_000)  # the first call after the end restores the original state


def compare(table, python):
    """Medians of one pair of programs; memory layout makes one of them faster at random."""
    with contextlib.ExitStack() as programs:
        pair = [Program(table, python) for _ in range(2)]
        for program in pair:
            programs.callback(program.end)
            program.ask()
        visit(table, pair[0])
        rounds = [[program.ask() for program in pair] for _ in range(8)]
    return [statistics.median(times) for times in zip(*rounds)]


def measure(table):
    (table.folder / "attach-program.py").write_text(PROGRAM)
    (table.folder / "shop.py").write_text(SHOP)
    for one in interpreters.supported():
        pairs = [compare(table, one.path) for _ in range(2 * table.runs)]
        ours, peer = (statistics.median(times) for times in zip(*pairs))
        ratio = statistics.median(a / b for a, b in pairs)
        work = f"a call after detaching, Python {'.'.join(map(str, one.version))}"
        table.row((work, f"{ours * 1e9:.1f} ns", f"{peer * 1e9:.1f} ns", f"{ratio:.3f}x", "<= 1.05x"),
                  table.judge(work, ratio <= 1.05))
