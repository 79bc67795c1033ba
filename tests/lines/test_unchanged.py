"""A program behaves the same under the line profiler: output, tracebacks, exit code."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from mprof_test import MPROF  # noqa: E402

PLAIN = """
import builtins
builtins.profile = getattr(builtins, "profile", lambda function=None, **options: function)
"""

# Messages of `mprof run` itself.
OURS = re.compile(r"(?m)^(\w*:?mprof: |running (new process|as a Python program)).*\n")

RECURSION = """
import sys
@profile
def decorated(n):
    global deepest
    deepest = n
    decorated(n + 1)
def plain(n):
    global deepest
    deepest = n
    plain(n + 1)
for limit in sys.getrecursionlimit(), 150, 3000:
    sys.setrecursionlimit(limit)
    for function in decorated, plain:
        try: function(1)
        except RecursionError: print(sys.getrecursionlimit(), deepest)
"""

PROGRAMS = [
    ("an exception of its own class ends it", """
class Stop(BaseException): pass
@profile
def f(): raise Stop("enough")
f()
"""),
    ("an interrupt ends it", """
import os, signal, time
@profile
def f():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
f()
"""),
    ("sys.exit with a message", """
import sys
@profile
def f(): sys.exit("message")
f()
"""),
    ("an excepthook that exits, and what atexit sees", """
import atexit, sys
class Own(BaseException): pass
def hook(kind, error, traceback):
    names = []
    while traceback:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    print("hook", kind.__name__, error, names)
    raise SystemExit(7)
sys.excepthook = hook
@profile
def f(): raise Own(1)
atexit.register(lambda: print("last", sys.last_type.__name__, sys.excepthook is hook))
f()
"""),
    ("an excepthook that fails", """
import sys
def hook(kind, error, traceback): raise KeyError("hook")
sys.excepthook = hook
@profile
def f(): raise ValueError(1)
f()
"""),
    ("a thread continues after the main thread has failed", """
import threading, time
@profile
def work():
    time.sleep(0.2)
    print("worked", flush=True)
threading.Thread(target=work).start()
@profile
def f(): raise GeneratorExit("main")
f()
"""),
    ("tracebacks of every kind of function", """
import asyncio, sys, traceback
@profile
def f(n):
    if n == 0: raise ValueError("deep")
    return f(n - 1)
@profile
def g():
    yield 1
    raise KeyError("g")
@profile
async def c():
    await asyncio.sleep(0)
    raise OSError("c")
@profile
async def a():
    yield 1
    raise LookupError("a")
class C:
    @profile
    @staticmethod
    def s(): raise TypeError("s")
    @profile
    @classmethod
    def k(cls): raise TypeError("k")
    @profile
    @property
    def p(self): return sys._getframe(1).f_code.co_name
async def last():
    async for _ in a(): pass
for call in (lambda: f(5), lambda: list(g()), lambda: asyncio.run(c()), lambda: asyncio.run(last()),
             C.s, C.k):
    try: call()
    except Exception: traceback.print_exc()
print(C().p)
f(3)
"""),
    ("recursion to the limit and to a higher one", """
import asyncio, sys
@profile
def count(n): return count(n - 1) + 1 if n else 0
@profile
def endless(): return endless()
def plain(n): return plain(n - 1) + 1 if n else 0
print(count(950))
sys.setrecursionlimit(4000)
print(count(3900), plain(3900))
try: endless()
except RecursionError as error: print(error)
print(count(3900), plain(3900))
"""),
    ("recursion up to the limit", RECURSION),
    ("functions are unchanged", """
import inspect, pickle
@profile
def f(a, *, b=1): "doc"; return a + b
@profile
async def c(): pass
@profile
async def a(): yield
@profile
def g(): yield
for one in (f, c, a, g):
    print(inspect.isfunction(one), one.__name__, one.__doc__, inspect.signature(one),
          inspect.iscoroutinefunction(one), inspect.isasyncgenfunction(one),
          inspect.isgeneratorfunction(one), pickle.loads(pickle.dumps(one)) is one,
          one.__code__.co_name, one.__code__.co_filename == __file__)
"""),
    ("a function's code is replaced", """
@profile
def f(): return 1
def g(): return 2
print(f(), f())
f.__code__ = g.__code__
print(f(), g(), f.__code__ is g.__code__)
try: f.__code__ = (lambda n: lambda: n)(1).__code__
except ValueError as error: print(error)
print(f())
"""),
    ("members added by metaclasses and decorators", """
import dataclasses, enum, typing
class Guard(type):
    def __setattr__(cls, name, value): raise TypeError("no setattr on " + cls.__name__)
@profile
class G(metaclass=Guard):
    def m(self): return 3
    @staticmethod
    def s(): return 4
    @property
    def p(self): return 5
print(G().m(), G.s(), G().p)
@profile
class Colour(enum.Enum):
    RED = 1
    def lower(self): return self.name.lower()
    @classmethod
    def first(cls): return cls(1)
print(list(Colour), Colour.RED.lower(), Colour.first(), Colour["RED"])
@profile
@dataclasses.dataclass(frozen=True, order=True)
class P:
    x: int
    def twice(self): return self.x * 2
print(P(3), P(1) < P(2), P(2).twice(), hash(P(1)) == hash(P(1)))
@profile
class N(typing.NamedTuple):
    a: int
    def shout(self): return "x" * self.a
print(N(3), N(3).shout(), N(1)._replace(a=2))
"""),
    ("async generators that are dropped, in a cycle, or alive at the end of their loop", """
import asyncio, gc
async def main():
    global keep
    @profile
    async def agen():
        try:
            while True: yield 1
        finally:
            await asyncio.sleep(0)
            print("closed")
    for i in range(3):
        a = agen(); await a.__anext__()
    del a
    b = agen(); await b.__anext__()
    cycle = [b]; cycle.append(cycle)
    del b, cycle
    gc.collect()
    keep = agen(); await keep.__anext__()
    async for x in agen(): break
asyncio.run(main())
print("end")
"""),
    ("a decorated closure is freed in time", """
import gc, weakref
def make():
    class Big: pass
    big = Big()
    @profile
    def f(): return big
    f()
    return weakref.ref(big)
gone = make()
gc.collect()
print(gone())
"""),
    ("functions in C", """
import functools
print(profile(functools.partial(int, 3))(), profile(len)("four"))
"""),
    ("all numbers of sys.monitoring are in use, before and after the profiler starts", """
import sys
monitoring = getattr(sys, "monitoring", None)
def take():
    for i in range(6) if monitoring else ():
        try: monitoring.free_tool_id(i)
        except ValueError: pass
        try: monitoring.use_tool_id(i, "other")
        except ValueError: pass
if EARLY: take()
@profile
def f(n):
    total = 0
    for i in range(n): total += i
    return total
@profile
def g():
    yield f(2)
    yield f(3)
print(f(4), list(g()))
take()
@profile
def h(): return f(5)
print(f(6), h(), list(g()))
if monitoring: monitoring.restart_events()
print(h())
"""),
]


class Unchanged(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="mprof-lines-")
        self.addCleanup(shutil.rmtree, self.folder)

    def run_command(self, *command, **environment):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300,
                              cwd=self.folder, env=pythons.environment(**environment),
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def check(self, source, python):
        script = pathlib.Path(self.folder, "script.py")
        script.write_text(PLAIN + textwrap.dedent(source))
        plain = self.run_command(python, script, PYTHONPATH=None)
        profiled = self.run_command(python, "-m", "memory_profiler", "-o", os.devnull, script)
        self.assertEqual(profiled, plain)
        if "MPROF_SANITIZER" in os.environ:
            return
        code, out, err = self.run_command(MPROF, "run", "-E", "--lines", "-o", "out.dat", python,
                                          script)
        out = re.sub(r"(?ms)^Filename: .*", "", OURS.sub("", out))
        self.assertEqual((out, OURS.sub("", err)), (plain[1], plain[2]))
        self.assertEqual(code, plain[0] if plain[0] >= 0 else 128 - plain[0])


    def test_recursion_of_a_module(self):
        pathlib.Path(self.folder, "module.py").write_text(PLAIN + RECURSION)
        for python in pythons.found():
            with self.subTest(python=str(python)):
                plain = self.run_command(python, "-m", "module", PYTHONPATH=None)
                profiled = self.run_command(python, "-m", "memory_profiler", "-o", os.devnull, "module")
                self.assertEqual(profiled, plain)


def _test(source):
    def test(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                self.check(source, python)
    return test


for _name, _source in PROGRAMS:
    for _early in ("True", "False") if "EARLY" in _source else ("",):
        _title = "test_" + re.sub(r"\W", "_", f"{_name} {_early}".strip())
        setattr(Unchanged, _title, _test(_source.replace("EARLY", _early)))
        getattr(Unchanged, _title).__doc__ = _name


class Numbers(unittest.TestCase):
    """Occurrences where the function itself is watched, without a wrapper."""

    def occurrences(self, python, source):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder, "script.py")
            script.write_text(textwrap.dedent(source))
            done = subprocess.run([str(python), "-m", "memory_profiler", "-o", "report", str(script)],
                                  capture_output=True, text=True, cwd=folder, timeout=300,
                                  env=pythons.environment())
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            rows = re.findall(r"MiB +(\d+)   (.*)", pathlib.Path(folder, "report").read_text())
            return [(int(count), text.strip()) for count, text in rows]

    def test_replaced_code_is_recorded(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                rows = self.occurrences(python, """
                    @profile
                    def f():
                        return 1
                    def g():
                        return 2
                    f(); f()
                    f.__code__ = g.__code__
                    f(); f(); f()
                """)
                self.assertEqual([row for row in rows if row[1].startswith("return")],
                                 [(2, "return 1"), (3, "return 2")])

    def test_inner_functions_count_while_the_outer_runs(self):
        for python in pythons.found():
            with self.subTest(python=str(python)):
                rows = self.occurrences(python, """
                    @profile
                    def outer():
                        def inner():
                            return 1
                        inner()
                        return inner
                    outer()()
                    outer()
                """)
                self.assertIn((2, "return 1"), rows)
                self.assertIn((2, "return inner"), rows)


if __name__ == "__main__":
    unittest.main()
