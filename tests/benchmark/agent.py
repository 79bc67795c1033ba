"""The agent: the cost of decorated calls, of undecorated functions, and of each exec in a recording."""

import json
import os
import pathlib
import statistics
import subprocess

from measure import BUILD, MPROF, PYTHON

# Writes the CPU seconds that a decorated call takes beyond a plain one.
CALLS = """
import json, sys, time
def plain(): pass
{decorate}
def loop(function, count):
    begin = time.process_time()
    for _ in range(count): function()
    return (time.process_time() - begin) / count
count = {count}
base = min(loop(plain, count) for _ in range(3))
loop(decorated, {warm})
cost = min(loop(decorated, count) for _ in range(3)) - base
json.dump([cost], open(sys.argv[1], "w"))
"""

OURS = "decorated = profile(lambda: None)"
UPSTREAM = """
import memory_profiler
stamper = memory_profiler.TimeStamper("psutil")
decorated = stamper(lambda: None)
"""

# A decorated function calls an undecorated one.
CALLEE = """
import json, sys, time
def callee(x): return x + 1
def work():
    for n in range(3_000_000): callee(n)
try: work = profile(work)
except NameError: pass
begin = time.process_time(); work()
json.dump([time.process_time() - begin, 0], open(sys.argv[1], "w"))
"""


def ask(table, script, text, command, **environment):
    """Runs a program that writes numbers to a file; returns the numbers."""
    path = table.folder / f"agent-{script}.py"
    path.write_text(text)
    result = table.folder / "agent-result.json"
    subprocess.run([*command, PYTHON, path, result], cwd=table.folder, check=True,
                   env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return json.loads(result.read_text())


def recorded(table):
    data = table.folder / "agent.dat"
    data.unlink(missing_ok=True)
    return [MPROF, "run", "-o", data]


def decorated_calls(table):
    ours = CALLS.format(decorate=OURS, count=200_000, warm=20_000)
    peer = CALLS.format(decorate=UPSTREAM, count=2_000, warm=100)
    costs = {"read": [], "oracle": [], "upstream": []}
    for _ in range(table.runs):
        costs["read"].append(ask(table, "ours", ours, recorded(table), MPROF_ORACLE="0")[0])
        costs["oracle"].append(ask(table, "ours", ours, recorded(table))[0])
        costs["upstream"].append(ask(table, "upstream", peer, [])[0])
    middle = {name: statistics.median(values) for name, values in costs.items()}
    for work, name, goal in (("decorated call", "read", 40),
                             ("decorated call, with the oracle", "oracle", 400)):
        ratio = middle["upstream"] / middle[name]
        table.row((work, f"{middle[name] * 1e9:.0f} ns", f"{middle['upstream'] * 1e6:.1f} us",
                   f"{ratio:.0f}x", f">= {goal}x"), table.judge(work, ratio >= goal))


def drain(table):
    """A million calls a second by eight processes, for ten seconds. The recorder must lose none; calls that
    find the ring full, since other processes have the CPU, are recorded as counted spans."""
    data = table.folder / "agent-drain.dat"
    data.unlink(missing_ok=True)
    text = subprocess.run([MPROF, "run", "-o", data, BUILD / "bench-calls", "8", "10", "1000000"],
                          capture_output=True, text=True, check=True).stdout
    made, gathered, seconds, cpu = map(float, text.splitlines()[-1].split())
    spans = counted = lost = 0
    with open(data, "rb") as lines:
        for line in lines:
            if line.startswith(b"FUNC "):
                spans += 1
                more = line.rpartition(b" count=")
                counted += int(more[2]) if more[1] else 1
            lost += line.startswith(b"#LOST|")
    data.unlink()
    if lost or counted != made:
        raise RuntimeError(f"of {made:.0f} calls {counted} were recorded; {lost} LOST records")
    table.show("calls a second, all recorded", made / seconds / 1e6, "million", at_least=0.95)
    table.show("of them recorded singly", 100 * (1 - gathered / made), "%")
    table.show("calls drained per CPU second", (made - gathered) / cpu / 1e6, "million",
               at_least=1)


def undecorated(table):
    """The cost for undecorated functions in each interpreter with sys.monitoring (3.12 and later)."""
    newer = sorted(pathlib.Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python3"))
    newer += [path for path in map(pathlib.Path, ("/usr/bin/python3.12", "/usr/bin/python3.13",
                                                  "/usr/bin/python3.14")) if path.exists()]
    script = table.folder / "agent-callee.py"
    script.write_text(CALLEE)
    for python in newer:
        times = {"with": [], "without": []}
        for _ in range(table.runs):
            for name, command in (("with", recorded(table)), ("without", [])):
                result = table.folder / "agent-result.json"
                subprocess.run([*command, python, script, result], cwd=table.folder, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                times[name].append(json.loads(result.read_text())[0])
        ours, plain = min(times["with"]), min(times["without"])
        version = subprocess.run([python, "-c", "import sys; print(sys.version.split()[0])"],
                                 capture_output=True, text=True, check=True).stdout.strip()
        work = f"undecorated callee, Python {version}"
        table.row((work, f"{ours * 1e3:.0f} ms", f"{plain * 1e3:.0f} ms", f"{ours / plain:.2f}x",
                   "<= 1.1x"), table.judge(work, ours / plain <= 1.1))


def starts(table):
    """Programs started inside a recording against the same outside, alternating. Other load changes both by
    far more than the recording does, but affects both of a pair: so the result is the median of the
    differences with its 95 % confidence interval, all of which has to meet the goal."""
    rings = table.folder / "rings"
    rings.mkdir(exist_ok=True)
    empty = table.folder / "empty.c"
    empty.write_text("")
    for work, command, goal, pairs in (
            ("start of Python", [PYTHON, "-c", "pass"], 1.1, 30),
            ("start of Python -I -S", [PYTHON, "-I", "-S", "-c", "pass"], 1.1, 60),
            ("start of true", ["/bin/true"], 1.03, 600),
            ("start of bash", ["/bin/bash", "-c", ":"], 1.03, 400),
            ("start of gcc", ["/usr/bin/gcc", "--version"], 1.03, 400),
            ("gcc of an empty file", ["/usr/bin/gcc", "-c", empty, "-o", table.folder / "empty.o"],
             1.03, 80),
            ("start of perl", ["/usr/bin/perl", "-e", "1"], 1.03, 300)):
        if not os.access(command[0], os.X_OK):
            continue
        text = subprocess.run([BUILD / "bench-execs", str(table.runs * pairs),
                               BUILD / "libmprof-preload.so", rings, *command], check=True,
                              capture_output=True, text=True).stdout
        taken = [tuple(map(int, line.split())) for line in text.splitlines()]
        plain = statistics.median(outside for _, outside in taken)
        differences = sorted(inside - outside for inside, outside in taken)
        # the ranks of the 95 % confidence interval of the median
        middle, margin = len(differences) / 2, 0.98 * len(differences) ** 0.5
        low, high = (differences[int(middle + side * margin)] for side in (-1, 1))
        more = statistics.median(differences)
        highest = 1 + high / plain
        table.row((work, f"{(plain + more) / 1e3:.3f} ms", f"{plain / 1e3:.3f} ms",
                   f"{1 + more / plain:.3f}x", f"<= {goal}x"),
                  f"{table.judge(work, highest <= goal)} {more:+.0f} us ({low} to {high})".strip())


def measure(table):
    decorated_calls(table)
    drain(table)
    undecorated(table)
    starts(table)
