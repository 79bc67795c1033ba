"""Stacks: what reading them costs the recorder, in CPU time of a sample. Each thread waits in so many different
functions. Cold: ten samples a second, when caches have forgotten the last one."""

import pathlib
import subprocess
import sys

from measure import BUILD, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
import interpreters  # noqa: E402  pylint: disable=wrong-import-position

PROGRAM = """
import sys, threading, time
depth, threads = map(int, sys.argv[1:])
source = "".join(f"def f{i}(n):\\n    return f{i + 1}(n) + 0\\n" for i in range(depth))
exec(compile(source + f"def f{depth}(n):\\n    time.sleep(1000)\\n", "deep.py", "exec"))
for i in range(threads - 1):
    threading.Thread(target=f0, args=(0,), daemon=True).start()
time.sleep(0.3)
print("ready", flush=True)
f0(0)
"""


def sample_us(table, python, depth, threads):
    """The median CPU time of a cold sample, for each thread."""
    program = pathlib.Path(table.folder, "stacks-program.py")
    program.write_text(PROGRAM)
    with subprocess.Popen([python, program, str(depth), str(threads)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        done = subprocess.run([BUILD / "tests/unit/print-stacks", "--cost", str(process.pid), "40", "100000"],
                              capture_output=True, text=True, check=True)
        process.kill()
    microseconds, frames = done.stdout.split()
    if int(frames) < depth * threads:
        raise RuntimeError(f"{frames} frames of {threads} stacks that are {depth} deep")
    return float(microseconds) / threads


def measure(table):
    newest = {one.version[:2]: one for one in interpreters.supported()}
    for (major, minor), one in sorted(newest.items()):
        for depth, threads in ((20, 1), (100, 1), (100, 8)):
            name = f"{major}.{minor}, {depth} deep, {threads} thread{'s' if threads > 1 else ''}: a thread"
            table.show(name, sample_us(table, one.path, depth, threads), "µs", at_most=60)
