"""The agent's memory at 1e6 decorated calls, on every Python of the machine: the growth of RSS over the life
of a program, and the private part of it, without code that processes share."""

import os
import statistics
import subprocess
import sys

from measure import MPROF, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
import interpreters  # noqa: E402  pylint: disable=wrong-import-position

PROGRAM = """
import sys
def f(): pass
try: f = profile(f)
except NameError: pass
def loop(count):
    for _ in range(count): f()
loop(1_000_000)
resident, own, is_ours = 0, 0, False
with open("/proc/self/smaps") as lines:
    for line in lines:
        key, value = line.split()[:2]
        if key[-1] != ":":
            is_ours = "mprof" in line
        elif key == "Rss:":
            resident += int(value)
            own += int(value) if is_ours else 0
        elif key == "Anonymous:" and not is_ours:
            own += int(value)
print(resident, own, file=open(sys.argv[1], "w"))
"""


def ask(table, command):
    script, result = table.folder / "footprint.py", table.folder / "footprint.txt"
    script.write_text(PROGRAM)
    subprocess.run([*command, script, result], cwd=table.folder, check=True,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.DEVNULL)
    return list(map(int, result.read_text().split()))


def measure(table):
    data = table.folder / "footprint.dat"
    for one in interpreters.supported():
        added = []
        for _ in range(2 * table.runs):  # the resident part of libraries varies with their addresses
            data.unlink(missing_ok=True)
            inside = ask(table, [MPROF, "run", "-o", data, one.path])
            added.append([a - b for a, b in zip(inside, ask(table, [one.path]))])
        resident, own = (statistics.median(values) / 1024 for values in zip(*added))
        name = ".".join(map(str, one.version))
        table.show(f"RSS at 1e6 calls, added, Python {name}", resident, "MiB", at_most=1)
        table.show("of its own", own, "MiB")
    data.unlink(missing_ok=True)
