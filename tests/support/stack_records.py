"""Sums of the records of sampled stacks, computed from a .dat file without code of the program under test."""

import collections
import dataclasses


@dataclasses.dataclass
class Sum:
    samples: int = 0
    seconds: float = 0.0
    grown: float = 0.0  # MiB, as the others
    released: float = 0.0
    peak: float = 0.0

    def add(self, other):
        self.samples += other.samples
        self.seconds += other.seconds
        self.grown += other.grown
        self.released += other.released
        self.peak = max(self.peak, other.peak)


class Stacks:
    """`own` and `total` of each function: with it innermost, and anywhere on the stack (once). `direct`: innermost
    but for functions of the module `truth`. `memory`: what processes had at their first and last samples."""

    def __init__(self, recording):
        self.frames = {}  # id -> (parent, name, file, line)
        for frame, parent, name, file, line in recording.records("FRAME"):
            assert int(frame) not in self.frames and int(parent) < int(frame), (frame, parent)
            assert int(parent) == 0 or int(parent) in self.frames, f"no caller: {frame}"
            self.frames[int(frame)] = (int(parent), name, file, int(line))
        self.rows = []
        self.memory = []  # (pid, from, to, Sum)
        for fields in recording.records("STACK"):
            pid, start, end, lane, node, samples, *numbers = fields
            assert float(start) <= float(end), fields
            assert int(node) == 0 or int(node) in self.frames, fields
            if lane.replace(r"\x20", " ") == "process memory":
                self.memory.append((int(pid), float(start), float(end), Sum(int(samples), *map(float, numbers[:4]))))
                continue
            self.rows.append((int(pid), lane, int(node), Sum(int(samples), *map(float, numbers[:4]))))
        self.own = collections.defaultdict(Sum)
        self.total = collections.defaultdict(Sum)
        self.direct = collections.defaultdict(Sum)
        self.all = Sum()
        for _, _, node, row in self.rows:
            names = self.names(node)
            self.all.add(row)
            self.own[names[-1] if names else ""].add(row)
            self.direct[next((name for name in reversed(names) if not name.startswith("truth.")), "")].add(row)
            for name in set(names):
                self.total[name].add(row)

    def names(self, node):
        """Of a stack, outermost first."""
        names = []
        while node:
            node, name = self.frames[node][:2]
            names.append(name)
        return names[::-1]

    def of_process(self, pid, name):
        """The total of a function in one process."""
        found = Sum()
        for owner, _, node, row in self.rows:
            if owner == pid and name in self.names(node):
                found.add(row)
        return found

    def stacks(self):
        """All stacks as tuples of names."""
        return {tuple(self.names(node)) for _, _, node, _ in self.rows}

    def lanes(self, pid):
        return {lane for owner, lane, _, _ in self.rows if owner == pid}
