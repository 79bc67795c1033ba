"""The cost of a traced line, run by the interpreter under test with ours or upstream's package in its
path. Prints JSON: {case: microseconds per traced line above the plain run}, and "callee": the time of a
profiled function relative to a plain one, where an unprofiled function does all the work.

    cost.py LINES        traces about this many lines per case
"""

import json
import sys
import time

from memory_profiler import LineProfiler


def loop(n):
    total = 0
    for i in range(n):
        total += i
    return total


def building(n):
    kept = []
    for i in range(n):
        kept.append([i] * 10)
    return len(kept)


def comprehension(n):
    return len([i * 2 for i in range(n)])


def callee(n):
    total = 0
    for i in range(n):
        total += i * i
        if total > 1e9:
            total = 0
    return total


def caller(n):
    for i in range(20):
        callee(n)


# Lines that run per element of the argument.
CASES = {"loop": (loop, 2), "building a list": (building, 2), "comprehension": (comprehension, 1)}


def cpu_of(function, n):
    start = time.process_time()
    function(n)
    return time.process_time() - start


def per_line(function, lines_each, lines):
    n = lines // lines_each
    profiled = LineProfiler()(function)
    plain = min(cpu_of(function, n) for _ in range(3))
    return (min(cpu_of(profiled, n) for _ in range(3)) - plain) / lines * 1e6


def main():
    lines = int(sys.argv[1])
    # The tracepoint opens after some ten thousand lines: run them before measuring.
    LineProfiler()(loop)(40000 if lines > 40000 else 10)
    found = {name: per_line(function, each, lines) for name, (function, each) in CASES.items()}
    n = max(1000, lines // 5)
    profiled = LineProfiler()(caller)
    pairs = [(cpu_of(profiled, n), cpu_of(caller, n)) for _ in range(7)]
    found["callee"] = min(pair[0] for pair in pairs) / min(pair[1] for pair in pairs)
    core = sys.modules.get("_mprof")
    found["tracepoint"] = bool(core and core.tracepoint_is_open())
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
