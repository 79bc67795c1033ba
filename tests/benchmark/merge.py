"""`mprof merge` of 1,000 recordings of 1e5 samples: they are 3 GB and the result 4 GB, in the folder of the bench, and removed
afterwards."""

import random
import shutil

from measure import MPROF, run, say

START = 1795330000
RANKS = 1000
SAMPLES = 100_000
ROOM = 9_000_000_000  # bytes
PHASES = 8  # ranks of one phase have the same samples, so that the files are made in less than a minute


def samples_of(phase):
    """The lines of the first sample, and of all others."""
    generator = random.Random(phase)
    value, lines = 100.0, []
    for i in range(SAMPLES):
        value = abs(value + generator.uniform(-3, 3))
        lines.append(f"MEM {value:.6f} {START + 0.0125 * phase + 0.1 * i + generator.uniform(0, .0005):.4f}\n")
    return lines[0].encode(), "".join(lines[1:]).encode()


def write_ranks(folder):
    folder.mkdir(exist_ok=True)
    for phase in range(PHASES):
        first, others = samples_of(phase)
        for rank in range(phase, RANKS, PHASES):
            facts = {"format": 2, "host": f"node{rank // 50}", "machine": "x86_64", "pid": 1000 + rank,
                     "backend": "psutil", "include-children": "no", "interval": 0.1, "rank": rank}
            head = "".join(f"#FACT|{key}|{value} nan nan\n" for key, value in facts.items())
            (folder / f"rank{rank}.dat").write_bytes(
                b"CMDLINE python3 simulate.py\n" + first + head.encode() + others + b"#FACT|ended|program nan nan\n")


def measure(table):
    folder = table.folder / "ranks"
    if shutil.disk_usage(table.folder).free < ROOM:
        say("merge: left out, it needs 9 GB in build/bench")
        return
    try:
        write_ranks(folder)
        merged = table.folder / "job.dat"
        usage = run([MPROF, "merge", folder, "-o", merged])
        table.show("merge 1,000 recordings of 1e5 samples, CPU", usage.cpu, "s", at_most=60)
        table.show("merge 1,000 recordings of 1e5 samples, peak RSS", usage.rss, "MiB", at_most=64)
        usage = run([MPROF, "peak", merged])
        table.show("read the merged recording, CPU", usage.cpu, "s", at_most=30)
        table.show("read the merged recording, peak RSS", usage.rss, "MiB", at_most=8)
        merged.unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
