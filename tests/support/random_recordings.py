"""Recordings of processes at random, whose numbers need not fit together: calls between samples, marks of the
kernel, kinds of memory, processes that live for a tick. The same seed gives the same recording."""

import random

from mprof_test import own_line

START = 1790000000.0
COMMANDS = ("python3", "cc1", "ld", "gunicorn", "a b", "worker")
FUNCTIONS = ("app.main", "app.load", "lib.fit", "lib.tree.grow", "m.x")


def lifetimes(source, ticks):
    """{pid: (first tick, last tick)} of the children."""
    count = source.choice((0, 1, 2, 3, 8, 30))
    found = {}
    for i in range(count):
        first = source.randrange(ticks)
        last = first if source.random() < 0.2 else source.randrange(first, ticks)
        found[1000 + 7 * i] = (first, last)
    return found


def recording(seed):
    """The text of a recording."""
    source = random.Random(seed)
    ticks = source.choice((1, 2, 7, 40, 300, 3000))
    step = source.choice((0.01, 0.1, 1.0))
    ours = source.random() < 0.7  # else as memory_profiler writes it
    children = lifetimes(source, ticks)
    is_sum, has_each = source.random() < 0.6, source.random() < 0.8
    backend = source.choice(("psutil", "psutil", "psutil", "psutil_pss"))
    scale = 10 ** source.uniform(0, 3.5)
    out = ["CMDLINE python3 random.py\n"]
    facts = [own_line("FACT", "format", 2), own_line("FACT", "pid", 100),
             own_line("FACT", "include-children", "yes" if is_sum else "no"), own_line("FACT", "backend", backend),
             own_line("FACT", "interval", step)] if ours else []
    kinds = [kind for kind in ("rss", "pss", "uss", "swap") if source.random() < 0.5] \
        if ours and source.random() < 0.3 else []
    levels = {pid: scale * source.random() for pid in (100, *children)}
    for i in range(ticks):
        now = START + i * step
        alive = [pid for pid, (first, last) in children.items() if first <= i <= last]
        for pid in (100, *alive):
            if source.random() < 0.1:
                levels[pid] = scale * source.random() ** 2
        total = levels[100] + (sum(levels[pid] for pid in alive) if is_sum else 0)
        out.append(f"MEM {total:.6f} {now:.4f}\n")
        out += facts
        facts = []
        for n, pid in enumerate(alive if has_each else ()):
            at, mib = now, levels[pid]
            if not ours:  # read slightly later, so it may have grown
                at += step * 0.3 * (n + 1) / len(alive)
                mib *= source.choice((1, 1, source.uniform(0.5, 3)))
            out.append(f"CHLD {pid} {mib:.6f} {at:.4f}\n")
        if kinds and i % 3 == 0:
            for pid in (100, *alive):
                out.append(own_line("KINDS", pid, f"{now:.4f}", *(
                    f"{kind}={levels[pid] * source.uniform(0.2, 1.3):.6f}" for kind in kinds)))
        if ours and source.random() < 0.02:
            out.append(own_line("GROUP", f"{total * source.uniform(0.5, 3):.6f}", f"{now:.4f}", f"{scale * 20:.6f}"))
    end = START + (ticks - 1) * step
    if ours:
        out += own_records(source, children, step, scale, end)
    for _ in range(source.choice((0, 0, 3, 40))):
        enter = source.uniform(START, max(end, START + step))
        leave = enter + step * source.choice((0.01, 0.3, 5, ticks))
        pid = source.choice((0, *children))
        field = f" pid={pid}" if pid and ours else ""
        out.append(f"FUNC {source.choice(FUNCTIONS)} {scale * source.random() * 1.5:.4f} {enter:.6f} "
                   f"{scale * source.random() * 1.5:.4f} {leave:.6f} 0{field}\n")
    return "".join(out)


def own_records(source, children, step, scale, end):
    """Births, ends and high-water marks."""
    out = [own_line("PROC", 100, 1, f"{START:.4f}", "python3")]
    for pid, (first, last) in children.items():
        out.append(own_line("PROC", pid, 100, f"{START + first * step:.4f}", source.choice(COMMANDS)))
        if source.random() < 0.8:
            out.append(own_line("EXIT", pid, f"{START + (last + 0.5) * step:.4f}", "status", 0))
    for pid in (0, 100, *children):
        if source.random() < 0.3:
            out.append(own_line("PEAK", pid, f"{scale * source.random() * 2:.6f}", f"{end:.4f}",
                                *(["least"] if source.random() < 0.3 else [])))
    return out
