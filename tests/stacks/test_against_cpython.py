"""Shares of functions against those of CPython's own sampler (profiling.sampling, from 3.15 on), of one program at
the same time."""

import math
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from stack_test import StackCase  # noqa: E402

PROGRAM = """
import threading, time
def small():
    total = 0
    for i in range(30000): total += i
def large():
    total = 0
    for i in range(90000): total += i
def generate():
    for i in range(60000): yield i
def use(): return sum(generate())
def loop():
    print("ready", flush=True)
    while True:
        small(); large(); use()
loop()
"""
SECONDS = 4


class AgainstCPython(StackCase):
    def test_shares(self):
        chosen = [one for one in interpreters.supported()
                  if one.version >= (3, 15) and one.has("profiling.sampling")]
        if not chosen:
            self.skipTest("no interpreter with profiling.sampling")
        process = self.start_python(chosen[-1], PROGRAM)
        theirs = subprocess.Popen(
            [chosen[-1].path, "-m", "profiling.sampling", "attach", "-a", "-d", str(SECONDS), "--collapsed",
             "-o", "collapsed.txt", str(process.pid)], cwd=self.directory, env=self.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ours, torn = self.folded(process.pid, SECONDS * 700, 1000)
        said, _ = theirs.communicate(timeout=120)
        self.assertEqual(theirs.returncode, 0, said)
        peers = {}
        for line in (self.directory / "collapsed.txt").read_text().splitlines():
            stack, _, count = line.rpartition(" ")
            names = tuple(frame.split(":")[-2] for frame in stack.split(";") if frame.count(":") >= 2)
            peers[names] = peers.get(names, 0) + int(count)
        counts = sum(ours.values()), sum(peers.values())
        self.assertGreater(min(counts), 500, said)
        self.assertLess(torn, counts[0] / 5)
        for name in ("small", "large", "use", "generate"):
            share, peer = (sum(number for stack, number in stacks.items() if name in stack) / count
                           for stacks, count in zip((ours, peers), counts))
            error = 4 * math.sqrt(share * (1 - share) * sum(1 / count for count in counts)) + 0.02
            print(f"{name}: {share:.3f}, by CPython {peer:.3f}, may differ by {error:.3f}")
            self.assertAlmostEqual(share, peer, delta=error, msg=(name, ours, peers))
            self.assertGreater(share, 0.05)


if __name__ == "__main__":
    unittest.main()
