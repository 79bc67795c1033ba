"""Recordings out of nothing, the same every time: what the gallery and the benchmark draw."""

import bisect
import math
import random

START = 1795330000.0
MODULES = ("app.views", "app.models", "lib.parser", "lib.cache", "db.session", "ml.train")
VERBS = ("load", "parse", "fit", "merge", "render", "query", "predict", "save", "split", "score")


class Curve:
    """Memory as a program uses it: steps up and down, a drift, a little noise."""

    def __init__(self, seed, scale_mib=100.0, busy=0.02):
        self.random = random.Random(seed)
        self.scale, self.busy = scale_mib, busy
        self.level = scale_mib * 0.2
        self.value = self.level

    def next(self):
        if self.random.random() < self.busy:
            self.level = self.scale * self.random.uniform(0.1, 1.0)
        self.value += (self.level - self.value) * 0.4
        return max(0.0, self.value + self.random.gauss(0, self.scale * 0.004))


def samples(count, seconds, seed=1, scale_mib=100.0, busy=None):
    """MEM lines over so many seconds."""
    curve = Curve(seed, scale_mib, busy if busy is not None else min(0.1, 30 / count))
    step = seconds / max(1, count - 1)
    return [f"MEM {curve.next():.6f} {START + i * step:.4f}" for i in range(count)]


def steep_samples(count, seconds, seed=1):
    """The same by the million: only what can be done quickly."""
    step, value = seconds / (count - 1), 100.0
    source = random.Random(seed)
    for i in range(count):
        value = abs(value + source.random() * 2 - 0.995)
        yield f"MEM {value + 40 * math.sin(i / count * 20):.6f} {START + i * step:.4f}"


class Memory:
    """What MEM lines say of a moment, in between as well."""

    def __init__(self, lines):
        points = sorted((float(line.split()[2]), float(line.split()[1])) for line in lines
                        if line.startswith("MEM"))
        self.times, self.values = [p[0] for p in points], [p[1] for p in points]

    def at(self, time_s):
        i = min(max(1, bisect.bisect(self.times, time_s)), len(self.times) - 1)
        share = (time_s - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        share = min(1, max(0, share))
        return max(0.1, self.values[i - 1] + (self.values[i] - self.values[i - 1]) * share)


def calls(count, seconds, memory, seed=1, depth=5, functions=40, suffix="", start=START, names=None):
    """FUNC lines: nested calls that measured what `memory` says of their moments."""
    source = random.Random(seed)
    names = names or [f"{MODULES[i % len(MODULES)]}.{VERBS[i // len(MODULES) % len(VERBS)]}"
                      + ("" if i < 60 else str(i)) for i in range(functions)]
    lines = []

    def fill(begin, end, level, budget):
        """Calls of one level, one behind the other; each hands on part of the budget."""
        siblings = min(budget, source.choice((1, 2, 3, 4, 6)))
        spent = 0
        for i in range(siblings):
            share = (end - begin) / siblings
            enter = begin + i * share + share * source.uniform(0.01, 0.15)
            leave = enter + share * source.uniform(0.3, 0.8)
            name = names[int(source.random() ** 2 * len(names)) * 7 % len(names)]
            lines.append(f"FUNC {name} {memory.at(enter):.4f} {enter:.6f} {memory.at(leave):.4f} "
                         f"{leave:.6f} {level}{suffix}")
            spent += 1
            if level + 1 < depth and budget - spent > siblings:
                spent += fill(enter, leave, level + 1, (budget - siblings) // siblings)
        return spent

    pieces = max(1, count // 25)
    each = count / pieces
    for i in range(pieces):
        while len(lines) < count * (i + 1) // pieces:
            wanted = count * (i + 1) // pieces - len(lines)
            done = len(lines) - count * i // pieces
            begin = start + seconds * (i + min(1, done / each)) / pieces
            fill(begin, start + seconds * (i + min(1, (done + wanted) / each)) / pieces, 0, wanted)
    return lines[:count]


def children(count, seconds, ticks=200, seed=1, scale_mib=200.0, names=("python3", "gunicorn", "cc1")):
    """PROC, CHLD and EXIT lines, and the MEM lines of their sum."""
    source = random.Random(seed)
    total = [40.0 + source.random() for _ in range(ticks)]
    lines = [f"PROC 4000 1 {START:.4f} {names[0]}", "FACT pid 4000", "FACT include-children yes"]
    for c in range(count):
        curve = Curve(seed * 1000 + c, scale_mib * source.uniform(0.1, 1) ** 2, 0.04)
        first = source.randrange(0, ticks // 3)
        last = source.randrange(ticks * 2 // 3, ticks)
        pid = 4100 + 3 * c
        lines.append(f"PROC {pid} 4000 {START + seconds * first / ticks:.4f} {names[c % len(names)]}")
        for i in range(first, last):
            value = curve.next()
            total[i] += value
            lines.append(f"CHLD {pid} {value:.6f} {START + seconds * i / ticks:.4f}")
        lines.append(f"EXIT {pid} {START + seconds * last / ticks:.4f} status 0")
    return lines + [f"MEM {mib:.6f} {START + seconds * i / ticks:.4f}"
                    for i, mib in enumerate(total)]


def requests(workers, at_once, count, seconds, seed=1, kind="greenlet", name="gunicorn"):
    """A service whose workers handle requests at once: each waits, allocates, answers, and frees its memory."""
    source, ticks = random.Random(seed), 400
    end = [[0.0] * at_once for _ in range(workers)]
    calls, changes = [], [[] for _ in range(workers)]
    for i in range(count):
        worker, lane = min(((w, n) for w in range(workers) for n in range(at_once)),
                           key=lambda one: (end[one[0]][one[1]], one[1], one[0]))
        begin = max(end[worker][lane], seconds * 0.2) + source.uniform(0, 0.02 * seconds)
        wait, answer = source.uniform(0.02, 0.06) * seconds, source.uniform(0.01, 0.04) * seconds
        mib = source.uniform(8, 26)
        leave = begin + wait + answer
        end[worker][lane] = leave
        changes[worker] += [(begin + wait, mib), (leave, -mib)]
        calls.append((worker, lane, begin, wait, leave))

    def memory(worker, at):
        ready = min(1.0, max(0.0, (at / seconds - 0.03 * (worker + 1)) / 0.06))
        return 38 * ready + sum(mib for moment, mib in changes[worker] if moment <= at)

    lines = [f"PROC 700 1 {START:.4f} {name}", "FACT pid 700", "FACT include-children yes"]
    for worker in range(workers):
        lines.append(f"PROC {701 + worker} 700 {START + seconds * 0.02 * (worker + 1):.4f} {name}")
    for i in range(ticks):
        at, total = seconds * i / ticks, 31.0
        for worker in range(workers):
            if at >= seconds * 0.03 * (worker + 1):
                lines.append(f"CHLD {701 + worker} {memory(worker, at):.4f} {START + at:.4f}")
                total += memory(worker, at)
        lines.append(f"MEM {total:.4f} {START + at:.4f}")
    for worker, lane, begin, wait, leave in calls:
        mark = f"pid={701 + worker} lane={kind}-{lane + 1}"
        values = [f"{memory(worker, at):.4f} {START + at:.4f}" for at in (begin, begin + wait * 0.9, begin + wait, leave)]
        lines += [f"FUNC shop.views.order {values[0]} {values[3]} 0 {mark}",
                  f"FUNC shop.models.query {values[0]} {values[1]} 1 {mark}",
                  f"FUNC shop.views.render {values[2]} {values[3]} 1 {mark}"]
    return lines


def phases(seconds, seed=1):
    """Many calls of 12 to 18 ms in phases, with a few long ones around and between them."""
    source = random.Random(seed)
    lines = []
    for i in range(int(seconds * 10)):
        phase = int(i / 10 / seconds * 5)
        lines.append(f"MEM {80 + 24 * phase + 6 * source.random():.4f} {START + i / 10:.4f}")
    memory = Memory(lines)
    for phase in range(5):
        begin = START + seconds * (phase + 0.2) / 5
        end = START + seconds * (phase + 0.95) / 5
        busy = (0.9, 0.35, 0.7, 0.2, 0.5)[phase]
        lines.append(f"FUNC train.epoch {memory.at(begin - 0.1):.4f} {begin - 0.1:.4f} {memory.at(end + 0.1):.4f} {end + 0.1:.4f} 0")
        while begin < end:
            length = source.uniform(0.012, 0.018)
            lines.append(f"FUNC train.step {memory.at(begin):.4f} {begin:.4f} {memory.at(begin):.4f} {begin + length:.4f} 1")
            if source.random() < 0.4:
                lines.append(f"FUNC data.augment {memory.at(begin):.4f} {begin + 0.002:.4f} {memory.at(begin):.4f} {begin + 0.009:.4f} 2")
            begin += length / busy
        reset = START + seconds * phase / 5
        lines.append(f"FUNC train.reset {memory.at(reset):.4f} {reset + 0.1:.4f} {memory.at(reset):.4f} {reset + seconds * 0.15 / 5:.4f} 0")
    return lines


class Build:
    """A build by make, with two jobs at a time: each is a shell, a compiler driver, the compiler, the assembler."""

    def __init__(self, units, seed=1, interval=0.1):
        self.random = random.Random(seed)
        self.interval, self.pid = interval, 5000
        self.lines = [f"PROC 4000 1 {START:.4f} make", "FACT pid 4000", "FACT include-children yes"]
        self.memory = {}  # tick -> list of (pid, MiB)
        free = [0.05, 0.12]
        for unit in range(units):
            job = free.index(min(free))
            free[job] = self.unit(free[job], unit)
            if unit % 30 == 29:
                free[job] = self.run(free[job], 0.4, "ar", lambda share: 4 + 48 * share)
        end = max(free)
        self.process(START + end, 1.9, "sh", lambda share: 1.7)
        self.process(START + end, 1.9, "collect2", lambda share: 2.2)
        end = self.run(end, 1.8, "ld", lambda share: 6 + 62 * min(1, share * 1.4))
        self.process(START, end, "make", lambda share: 2.6)
        self.ticks = int(end / interval) + 2

    def process(self, start, seconds, name, mib):
        """A process, and its memory as a function of the share of its life."""
        self.pid += 1
        first, last = (math.ceil((moment - START) / self.interval) for moment in (start, start + seconds))
        if first < last:
            self.lines.append(f"PROC {self.pid} 4000 {start:.4f} {name}")
            self.lines.append(f"EXIT {self.pid} {start + seconds:.4f} status 0")
        for tick in range(first, last):
            at = START + tick * self.interval
            value = mib((at - start) / seconds)
            self.memory.setdefault(tick, []).append((self.pid, value))

    def run(self, begin, seconds, name, mib):
        self.process(START + begin, seconds, name, mib)
        return begin + seconds

    def unit(self, begin, number):
        size = self.random.uniform(18, 40) if self.random.random() < 0.9 else self.random.uniform(55, 95)
        compile_s = size / 45 * self.random.uniform(0.7, 1.3)
        assemble_s = self.random.uniform(0.03, 0.15)
        at = START + begin
        self.process(at, compile_s + assemble_s + 0.1, "sh", lambda share: 1.7)
        self.process(at + 0.02, compile_s + assemble_s + 0.06, "cc", lambda share: 2.8)
        self.process(at + 0.04, compile_s, "cc1", lambda share: 8 + (size - 8) * min(1, share * 1.3) ** 0.7)
        self.process(at + 0.04 + compile_s, assemble_s, "as", lambda share: 5 + 6 * share)
        if number % 12 == 5:
            self.process(at, 0.3, "cmake", lambda share: 14 + 2 * share)
        return begin + compile_s + assemble_s + 0.12

    def records(self):
        lines = list(self.lines)
        for tick in range(self.ticks):
            at = START + tick * self.interval
            members = self.memory.get(tick, [])
            lines.append(f"MEM {2.4 + sum(mib for _, mib in members):.6f} {at:.4f}")
            lines += [f"CHLD {pid} {mib:.6f} {at:.4f}" for pid, mib in members]
        return lines


def write(path, command, *parts):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"CMDLINE {command}\n")
        for part in parts:
            file.writelines(line + "\n" for line in part)
    return path
