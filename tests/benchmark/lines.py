"""Line by line: the cost of a traced line beyond the plain run, against upstream, on every Python that can run
upstream; and of functions that are called but not profiled, from 3.12 on."""

import json
import statistics
import subprocess
import sys

import upstream_path
from measure import SOURCE, say

sys.path.insert(0, str(SOURCE / "tests" / "lines"))
import pythons  # noqa: E402  pylint: disable=wrong-import-position

COST = SOURCE / "tests" / "lines" / "cost.py"
CASES = ("loop", "building a list", "comprehension")


def cost(python, lines, **environment):
    done = subprocess.run([str(python), str(COST), str(lines)], capture_output=True, text=True,
                          check=False, env=pythons.environment(**environment))
    if done.returncode != 0:
        sys.exit(f"tests/bench: {python} {COST} failed\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def rounds(table, commands):
    """Runs the commands in turn; returns the medians of all cases for each command."""
    found = [[] for _ in commands]
    for _ in range(table.runs):
        for command, results in zip(commands, found):
            results.append(command())
    return [{case: statistics.median(result[case] for result in results) for case in results[0]}
            for results in found]


def compare(table, work, ours, theirs, goal):
    ratio = theirs / ours
    table.row((work, f"{ours:.3f} us", f"{theirs:.1f} us", f"{ratio:.0f}x", f">= {goal:g}x"),
              table.judge(work, ratio >= goal))


def measure_python(table, python, path):
    name = ".".join(map(str, pythons.version_of(python)))
    upstream, plain, oracle = rounds(table, [
        lambda: cost(python, 4000, PYTHONPATH=path),
        lambda: cost(python, 60000, MPROF_ORACLE="0"),
        lambda: cost(python, 400000),
    ])
    for case in CASES:
        compare(table, f"traced line, {name}, {case}", plain[case], upstream[case], 25)
    for case in CASES if oracle["tracepoint"] else ():
        compare(table, f"with the oracle, {name}, {case}", oracle[case], upstream[case], 200)


def measure(table):
    for python in pythons.found():
        path = upstream_path.find(python, table.folder)
        if path is None:
            say(f"upstream does not run on {python}: skipped")
        else:
            measure_python(table, python, path)
    for python in pythons.found():
        version = pythons.version_of(python)
        if version >= (3, 12):
            (found,) = rounds(table, [lambda python=python: cost(python, 100000)])
            table.show(f"callee that is not profiled, {'.'.join(map(str, version))}",
                       found["callee"], "x plain", at_most=1.1)
