"""Stacks of programs that run on while they are read: no stack that cannot be, no wrong name."""

import ast
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import on_each_interpreter  # noqa: E402
from stack_test import StackCase  # noqa: E402

# Functions of one size, so that one takes the place of another, called without a pause.
CALLS = """
def x(): pass
def y(): pass
def p1(): x()
def p2(): y()
def p3(): pass
def gen():
    x(); yield 1
    p2(); yield 2
def loop():
    while True:
        p1(); p2(); p3(); p1(); p3(); p2()
        for _ in gen(): p3()
print("ready", flush=True)
loop()
"""


def callers(source):
    """Which function calls which, read from the source: pairs of names."""
    pairs = set()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            pairs |= {(function.name, call.func.id) for call in ast.walk(function)
                      if isinstance(call, ast.Call)}
    return pairs


class Running(StackCase):
    @on_each_interpreter()
    def test_only_callers_that_call(self, interpreter):
        process = self.start_python(interpreter, CALLS)
        allowed = callers(CALLS) | {("<module>", "loop")}
        seen = set()
        deadline = time.monotonic() + 20
        while len(seen) < 4 and time.monotonic() < deadline:  # more than once where it hardly gets to run
            stacks, _ = self.folded(process.pid, 1000, 200)
            for stack, number in stacks.items():
                self.assertEqual(stack[:1], ("<module>",)[:len(stack)])
                for pair in zip(stack, stack[1:]):
                    self.assertIn(pair, allowed, f"{number} times {stack}")
            self.assertGreater(sum(number for stack, number in stacks.items() if len(stack) > 1), 100)
            seen |= set(stacks)
        self.assertGreaterEqual(len(seen), 4)

    @on_each_interpreter()
    def test_functions_made_and_freed(self, interpreter):
        """Each function is compiled, called and freed; its name belongs to its file, and to its caller's."""
        process = self.start_python(interpreter, """
print("ready", flush=True)
number = 0
def spin():
    for _ in range(5000): pass
while True:
    number = (number + 1) % 50
    scope = {"spin": spin}
    exec(compile("\\n" * number + f"def made{number}(): spin()\\nmade{number}()", f"<file {number}>", "exec"), scope)
""")
        names = set()
        deadline = time.monotonic() + 30
        while len(names) < 20 and time.monotonic() < deadline:
            for sample in self.sample(process.pid, 300, 100):
                frames = sample[0].frames
                for (_, name, file, _, first_line, _), caller in zip(frames, frames[1:]):
                    if name.startswith("made"):
                        number = int(name[len("made"):])
                        self.assertEqual((file, first_line), (f"<file {number}>", number + 1))
                        self.assertEqual((caller[1], caller[2], caller[3]), ("<module>", file, number + 2))
                        names.add(name)
        self.assertGreaterEqual(len(names), 10)

    @on_each_interpreter()
    def test_lines_move(self, interpreter):
        source = """
import time
def step():
    time.sleep(0.005)
    time.sleep(0.005)
    time.sleep(0.005)
print("ready", flush=True)
while True:
    step()
"""
        process = self.start_python(interpreter, source)
        seen = set()
        deadline = time.monotonic() + 20
        while not {4, 5, 6} <= seen and time.monotonic() < deadline:
            for sample in self.sample(process.pid, 100, 1000):
                seen |= {frame[3] for frame in sample[-1].frames if frame[1] == "step"}
        self.assertLessEqual({4, 5, 6}, seen)
        self.assertLessEqual(seen, {3, 4, 5, 6})

    @on_each_interpreter()
    def test_threads_come_and_go(self, interpreter):
        process = self.start_python(interpreter, """
import threading, time
def work(): time.sleep(0.003)
def start(): threading.Thread(target=work).start()
print("ready", flush=True)
while True:
    start()
    time.sleep(0.001)
""")
        counts = set()
        for sample in self.sample(process.pid, 500, 500):
            counts.add(len(sample))
            for thread in sample:
                if thread.names and thread.names[-1] == "__main__.work":
                    self.assertIn("threading.Thread.run" if interpreter.version >= (3, 11) else "threading.run",
                                  thread.names, thread.text)
        self.assertGreater(len(counts), 1)

    @on_each_interpreter()
    def test_who_holds_the_gil(self, interpreter):
        """A C function that keeps the GIL: its caller is running, at its line."""
        process = self.start_python(interpreter, """
import threading, time
def wait(): time.sleep(1000)
def compute():
    while True:
        sum(range(100000000)) # the line
threading.Thread(target=wait, daemon=True).start()
print("ready", flush=True)
compute()
""")
        held = computing = 0
        for sample in self.sample(process.pid, 50, 2000):
            for thread in sample:
                held += thread.has_gil
                if thread.has_gil and thread.text.endswith("__main__.compute:6"):
                    computing += 1
                self.assertFalse(thread.has_gil and thread.names[-1].endswith("wait"), thread.text)
        self.assertLessEqual(held - computing, 5)  # it may still be about to begin
        self.assertGreater(computing, 30)

    @on_each_interpreter("gevent")
    def test_greenlets(self, interpreter):
        process = self.start_python(interpreter, """
import gevent, time
def busy():
    end = time.monotonic() + 0.003
    while time.monotonic() < end: pass
def handle_a():
    while True: busy(); gevent.sleep(0)
def handle_b():
    while True: busy(); gevent.sleep(0)
print("ready", flush=True)
gevent.joinall([gevent.spawn(handle_a), gevent.spawn(handle_b)])
""")
        stacks, _ = self.folded(process.pid, 400, 1000)
        for stack in stacks:
            self.assertFalse("handle_a" in stack and "handle_b" in stack, stack)
        for name in ("handle_a", "handle_b"):
            share = sum(number for stack, number in stacks.items() if name in stack) / 400
            self.assertTrue(0.2 < share < 0.7, (name, stacks))


if __name__ == "__main__":
    unittest.main()
