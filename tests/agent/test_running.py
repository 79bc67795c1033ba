"""Functions of programs that run already: mprof attach --functions."""

import os
import pathlib
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
import mprof_test  # noqa: E402
from mprof_test import DEADLINE_S, MPROF, Recording, wait_until  # noqa: E402

APP = '''
import functools
registry = {}
def route(function):
    registry[function.__name__] = function
    return function
def inner(x): return x + 1
def outer(x): return inner(inner(x))
@route
def view(x): return outer(x)
@functools.lru_cache(maxsize=None)
def cached(x): return inner(x)
def numbers(n):
    for i in range(n):
        yield inner(i)
async def fetch(x): return inner(x)
class Thing:
    def method(self): return inner(1)
    @staticmethod
    def fixed(): return inner(2)
'''

EXACT = """
app.outer
  app.inner
  app.inner
app.view
  app.outer
    app.inner
    app.inner
app.cached
  app.inner
app.numbers
  app.inner
  app.inner
app.Thing.method
  app.inner
app.Thing.fixed
  app.inner
late.function
""".strip().split("\n")

# What every program has: it says what it is, waits in its own way, makes the calls, is asked whether
# it is still what it was, and goes on until it is told to end.
PROGRAM = '''
import importlib.machinery, os, sys, threading, time
import app
functions = [app.inner, app.outer, app.view, app.numbers, app.fetch, app.Thing.method, app.Thing.fixed,
             app.cached.__wrapped__]
loader = importlib.machinery.SourceFileLoader
def look():
    tools = [sys.monitoring.get_tool(n) for n in range(6)] if hasattr(sys, "monitoring") else []
    return [f.__code__ for f in functions], [sorted(vars(f)) for f in functions], \\
        loader.exec_module, "exec_module" in vars(loader), sorted(dir(__builtins__)), tools, \\
        len(os.listdir("/proc/self/fd")), \
        [one for one in threading.enumerate() if isinstance(one, threading._DummyThread)]
def said(word): return os.path.exists(word)
def tell(word): open(word + ".new", "w").close(); os.rename(word + ".new", word)
def calls():
    assert app.outer(1) == 3 and app.registry["view"](1) == 3 and app.cached(1) == 2
    assert list(app.numbers(2)) == [1, 2] and app.Thing().method() == 2 and app.Thing.fixed() == 3
    import late
    late.function()
def serve():
    tell("ready")
    wait(lambda: said("go"))
    calls()
    tell("called")
    wait(lambda: said("check"))
    for _ in range(3): app.outer(1)
    after = look()
    tell("ended: " + ("unharmed" if after == before else "changed"))
    for a, b in zip(before, after):
        if a != b: print(a, b, file=sys.stderr)
'''

STATES = {
    "busy": '''
def wait(condition):
    while not condition():
        for _ in range(1000): pass
''',
    "sleeping": '''
def wait(condition):
    while not condition(): time.sleep(0.01)
''',
    "in select": '''
import select
def wait(condition):
    while not condition(): select.select([], [], [], 0.01)
''',
    "with busy threads": '''
def spin():
    while not said("check"): sum(range(1000))
for _ in range(4): threading.Thread(target=spin, daemon=True).start()
def wait(condition):
    while not condition(): time.sleep(0.01)
''',
    "with allocating threads": '''
def spin():
    while not said("check"): b"x" * 300000; list(range(100)); os.stat(".")
for _ in range(4): threading.Thread(target=spin, daemon=True).start()
def wait(condition):
    while not condition(): b"x" * 300000
''',
    "importing": '''
def wait(condition):
    while not condition():
        for name in ("_csv", "csv", "mmap", "decimal", "colorsys"): sys.modules.pop(name, None)
        import csv, mmap, colorsys
''',
    "in a blocked main thread": '''
def wait(condition):
    while not condition(): time.sleep(0.01)
blocked = True
''',
    "asyncio": '''
import asyncio
def wait(condition):
    async def until():
        while not condition(): await asyncio.sleep(0.01)
    asyncio.run(until())
''',
    "forking": '''
def wait(condition):
    while not condition():
        pid = os.fork()
        if pid == 0: os._exit(0)
        os.waitpid(pid, 0)
''',
}

START = '''
before = look()
if globals().get("blocked"):
    end = threading.Lock()
    end.acquire()
    before = None
    def work():
        global before
        before = look()
        serve()
        end.release()
    threading.Thread(target=work, daemon=True).start()
    end.acquire()
else:
    serve()
'''


def enterable():
    """Interpreters of this machine that can be entered at all."""
    if platform.machine() != "x86_64":
        raise unittest.SkipTest("running programs are entered on x86-64 only")
    return interpreters.supported()


class Running(mprof_test.TestCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        (self.directory / "app.py").write_text(APP)
        (self.directory / "late.py").write_text("def function(): pass\n")
        self.path = self.directory / "out.dat"

    def start_program(self, interpreter, state="sleeping", source=None):
        (self.directory / "program.py").write_text((source or PROGRAM) + STATES[state]
                                                   + START + "tell('over')\n")
        for word in ("ready", "go", "called", "check", "over", "ended: unharmed", "ended: changed"):
            (self.directory / word).unlink(missing_ok=True)
        program = self.start(getattr(interpreter, "path", interpreter), "program.py")
        self.hear("ready", program)
        return program

    def attach(self, program, patterns=("app", "late:*"), says=r"functions are recorded: \d+ found"):
        options = [word for pattern in patterns for word in ("--functions", pattern)]
        recorder = self.start_mprof("attach", *options, "-T", "0.05", "-o", self.path, program.pid)
        self.wait_for_output(recorder, says)
        return recorder

    def say(self, word):
        (self.directory / word).touch()

    def hear(self, word, program):
        def heard():
            self.assertIn(program.poll(), (None, 0), self.output(program))
            return (self.directory / word).exists()
        wait_until(heard, word)

    def finish(self, recorder):
        recorder.send_signal(signal.SIGINT)
        self.wait_for_end(recorder)
        recording = Recording(self.path)
        self.path.unlink()
        return recording

    def tree(self, recording):
        calls = sorted(recording.calls, key=lambda call: (call.enter_s, call.level))
        return ["  " * call.level + call.name for call in calls]

    def assert_unharmed(self, program):
        self.say("check")
        self.hear("over", program)
        self.assertTrue((self.directory / "ended: unharmed").exists(), self.output(program))
        self.assertEqual(self.wait_for_end(program), 0, self.output(program))
        self.assertEqual(self.output(program), "")

    def check_state(self, state):
        for interpreter in enterable():
            with self.subTest(python=str(interpreter)):
                program = self.start_program(interpreter, state)
                recorder = self.attach(program)
                self.say("go")
                self.hear("called", program)
                recording = self.finish(recorder)
                self.assertEqual(self.tree(recording), EXACT)
                self.assertFalse(any(call.open for call in recording.calls))
                self.assert_unharmed(program)


def add_state(state):
    def test(self):
        self.check_state(state)
    setattr(Running, "test_" + state.replace(" ", "_"), test)


for state in STATES:
    add_state(state)

if __name__ == "__main__":
    unittest.main()
