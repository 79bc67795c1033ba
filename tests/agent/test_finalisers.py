"""Finalisers, weak references and resurrected objects: functions called by the garbage collector and at the end
of the interpreter behave as without the agent, and are recorded."""

import collections
import pathlib
import re
import shutil
import sys
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, on_each_interpreter  # noqa: E402
from mprof_test import VALGRIND  # noqa: E402

# Without the agent the decorator returns its argument.
PLAIN = """
import builtins
builtins.profile = getattr(builtins, "profile", lambda function=None, **options: function)
"""


class Finalisers(AgentCase):
    def check(self, interpreter, source, expected):
        """Compares output, errors and exit code with the plain program, and the number of calls of each
        function, all of them ended. A number given as a word is the one that the program prints after it."""
        program = self.write("program.py", PLAIN + textwrap.dedent(source))
        plain = self.run_plain(interpreter, program)
        done = self.run_agent(interpreter, program, expect=None)
        address = re.compile(r"0x[0-9a-f]{6,}")
        self.assertEqual((done.code, done.out, address.sub("0x", done.err)),
                         (plain.returncode, plain.stdout, address.sub("0x", plain.stderr)))
        said = dict(line.split(" ") for line in done.out.splitlines() if line.count(" ") == 1)
        self.assertEqual(collections.Counter(call.name for call in done.calls),
                         {"__main__." + name: int(said.get(number, number))
                          for name, number in expected.items()})
        self.assertEqual([call.name for call in done.calls if call.open], [])

    @unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
    @on_each_interpreter()
    def test_no_use_after_free(self, interpreter):
        """Generators outlive the thread that started them, while other threads start and end."""
        program = self.write("program.py", """
            import gc, threading
            kept = []
            @profile
            def numbers():
                try:
                    yield 1
                    yield 2
                finally: work()
            @profile
            def work(): pass
            def begin():
                work()
                for i in range(3):
                    one = numbers()
                    next(one)
                    kept.append(one)
            def run(function):
                thread = threading.Thread(target=function, name="worker")
                thread.start()
                thread.join()
            for i in range(3):
                run(begin)
                run(work)
            cycle = kept[:3]; cycle.append(cycle)
            del kept[:3], cycle
            gc.collect()
            run(lambda: next(kept[0]))
            run(lambda: kept[1].close())
            del kept[:4]
            run(begin)
            work()
            """)
        done = self.run_agent(*VALGRIND, "--error-exitcode=99", "--undef-value-errors=no", interpreter.path,
                              program, env={"PYTHONMALLOC": "malloc"}, expect=None)
        self.assertEqual((done.code, done.out, done.err), (0, "", ""))
        self.assertEqual(sum(call.name == "__main__.numbers" for call in done.calls), 12)
        self.assertEqual([call.name for call in done.calls if call.open], [])


# name, program, calls
PROGRAMS = [
    ("a closure as __del__, alive at exit", """
def make(n):
    class C:
        @profile
        def __del__(self): print("del", n)
    return C()
c = make(1)
""",
     {"make.<locals>.C.__del__": 1}),
    ("objects in builtins and sys are finalised last", """
import builtins, sys
class Held:
    @profile
    def __del__(self): print("held")
class Calls:
    def __init__(self, function): self.function = function
    def __del__(self): print(self.function())
def outer(n):
    @profile
    def inner(): return n
    return inner
def maker(n):
    @profile
    def gen():
        try: yield n
        finally: print("closed", n)
    return gen
builtins.keep = [Calls(outer(1)), Held()]
builtins.keep.append(builtins.keep)
sys.held = Calls(outer(2))
it = maker(3)(); next(it); builtins.it = it; builtins.itself = (it,)
print("end")
""",
     {"outer.<locals>.inner": 2, "Held.__del__": 1, "maker.<locals>.gen": 1}),
    ("a class of closures in a cycle", """
import gc
def make(n):
    @profile
    class C:
        def m(self): return n
        def __del__(self): self.m(); C.s()
        @staticmethod
        def s(): return n
    c = C(); c.me = c; c.m()
for i in range(10):
    make(i)
    gc.collect()
""",
     {"make.<locals>.C.m": 20, "make.<locals>.C.__del__": 10, "make.<locals>.C.s": 10}),
    ("closures in garbage are resurrected and called", """
import gc
saved = []
class R:
    def __del__(self): saved.append(self); self.f()
class Plain: pass
def make(n):
    r = R(); r.me = r
    @profile
    def f(): return n
    @profile
    def g():
        for i in range(5): yield n
    r.f, r.g = f, g()
for i in range(10):
    make(i)
    gc.collect()
    r = saved.pop()
    print(r.f() + r.f())
    try: next(r.g)
    except StopIteration: print("closed")
    r.__class__ = Plain
    del r
    gc.collect()
""",
     {"make.<locals>.f": 30}),
    ("a generator is resurrected and resumed", """
import gc
saved = []
def make(n):
    @profile
    def inner(): return n
    @profile
    def g():
        try:
            yield inner()
        except GeneratorExit:
            saved.append(own)
            yield inner()
            print("at last")
    own = [g(), g()]
    own.append(own)
    for it in own[:2]: next(it)
def quiet(unraisable): pass
import sys
sys.unraisablehook = quiet
for i in range(10):
    make(i)
    gc.collect()
    for own in saved[:1]:
        for it in own[:2]: print(list(it))
    del own, it
    saved.clear()
    gc.collect()
""",
     {"make.<locals>.g": 20, "make.<locals>.inner": 40}),
    ("a finaliser starts generators", """
import gc
begun = 0
class N:
    def __del__(self):
        for g in self.generators:
            try: next(g)
            except StopIteration: pass
def make(n):
    x = N(); x.me = x
    @profile
    def g():
        global begun
        begun += 1
        yield n
        yield n
    x.generators = [g(), g()]
gc.disable()
for i in range(200): make(i)
gc.collect()
print("begun", begun)
""",
     {"make.<locals>.g": "begun"}),
    ("a garbage collection every few allocations", """
import gc, warnings
warnings.simplefilter("ignore")
begun = called = 0
class Node:
    def __del__(self):
        for f in self.calls:
            try: f()
            except (StopIteration, RuntimeError): pass
def make(n):
    node = Node(); node.me = node
    @profile
    def plain():
        global called
        called += 1
        return n
    @profile
    def gen():
        global begun
        begun += 1
        yield n
        yield plain()
    @profile
    async def co(): return n
    g, c = gen(), co()
    if n % 10 < 7: next(g)
    node.calls = [c.close, plain, lambda: next(g), g.close]
    return node if n % 5 == 0 else None
keep = []
gc.disable()
for i in range(400):
    keep.append(make(i))
    if i % 3 == 0: gc.collect(0)
    if i % 50 == 0: gc.collect()
del keep
gc.collect()
print("begun", begun)
print("called", called)
""",
     {"make.<locals>.gen": "begun", "make.<locals>.plain": "called"}),
    ("a reused address", """
import gc
def make(n, is_decorated):
    def g(): yield n
    if is_decorated: g = profile(g)
    it = g()
    if n % 3 == 0:
        cycle = [it]; cycle.append(cycle)
    elif n % 3 == 2:
        next(it)
for i in range(600):
    make(i, i % 2 == 0)
    make(i, i % 2 == 1)
gc.collect()
""",
     {"make.<locals>.g": 200}),
    ("callbacks of weak references", """
import gc, weakref
class T: pass
held = []
def make(n):
    @profile
    def callback(reference): print("callback", n)
    @profile
    def final(): print("final", n)
    t = T(); t.me = t
    held.append(weakref.ref(t, callback))
    d = T(); d.me = d; d.r = weakref.ref(t, callback); held.append(d.r)
    x = T(); held.append(weakref.ref(x, callback)); del x
    z = T(); held.append(weakref.ref(z, callback)); z.me = z
    weakref.finalize(t, final)
make(1)
gc.collect()
""",
     {"make.<locals>.callback": 4, "make.<locals>.final": 1}),
    ("module globals with __del__", """
def make(n):
    @profile
    def helper(): return n
    class C:
        @profile
        def __del__(self, helper=helper): print(helper())
    return C
C = make(1)
a = C(); b = C(); b.me = b; c = [C()]; c.append(c)
class D:
    @profile
    def __del__(self): print("D")
d = D(); e = D(); e.me = e
""",
     {"make.<locals>.C.__del__": 3, "D.__del__": 2, "make.<locals>.helper": 3}),
    ("threads that leave garbage", """
import threading, gc
gc.set_threshold(5)
def make(n):
    @profile
    def work(): return n
    @profile
    def gen():
        try: yield work()
        finally: pass
    class D:
        @profile
        def __del__(self): pass
    d = D(); d.d = d; g = gen(); d.g = g
    next(g)
def loop():
    for i in range(10): make(i)
threads = [threading.Thread(target=loop) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
gc.collect()
""",
     {"make.<locals>.work": 40, "make.<locals>.gen": 40, "make.<locals>.D.__del__": 40}),
    ("async generators that are dropped, in a cycle, or alive at the end of their loop", """
import asyncio, gc
@profile
async def agen2():
    try: yield 1
    finally: print("closed")
async def main():
    global keep
    n = 1
    @profile
    async def agen():
        try:
            while True: yield n
        finally:
            await asyncio.sleep(0)
            print("closed", n)
    @profile
    async def co(): await asyncio.sleep(0)
    for i in range(3):
        a = agen(); await a.__anext__()
    del a
    b = agen(); await b.__anext__()
    cycle = [b]; cycle.append(cycle)
    del b, cycle
    gc.collect()
    keep = agen(); await keep.__anext__()
    async for x in agen(): break
    await co()
asyncio.run(main())
late = agen2()
async def step(): await late.__anext__()
try: step().send(None)
except StopIteration: pass
print("end")
""",
     {"main.<locals>.agen": 6, "agen2": 1, "main.<locals>.co": 1}),
    ("partial, hooks and atexit", """
import atexit, functools, gc, sys, threading
def make(n):
    @profile
    def part(a, b): return n + a + b
    @profile
    def hook(unraisable): print("hook", unraisable.exc_type.__name__)
    class X:
        @profile
        def __del__(self): raise KeyError(n)
    @profile
    def last(): print("last", n)
    return part, hook, X, last
part, hook, X, last = make(1)
class Calls:
    def __init__(self, function): self.function = function
    def __del__(self): print(self.function())
a = Calls(functools.partial(part, 1, 2))
b = Calls(functools.partial(part, 1, 2)); b.me = b
sys.unraisablehook = hook
x = X(); x.me = x
del x
gc.collect()
getattr(threading, "_register_atexit", atexit.register)(last)
atexit.register(last)
del part, last
""",
     {"make.<locals>.part": 2, "make.<locals>.hook": 1, "make.<locals>.X.__del__": 1,
      "make.<locals>.last": 2}),
    ("failing finalisers are reported by their names", """
import gc
class Plain:
    @profile
    def __del__(self): raise KeyError("plain")
class Cycle:
    def __init__(self): self.me = self
    @profile
    def __del__(self): raise KeyError("cycle")
    @profile
    def __len__(self): return 3
    @profile
    def method(self, *arguments): return arguments
    again = method
one = Cycle()
print(len(one), one.method(1), Cycle.method(one, 2), one.again())
Plain()
del one
gc.collect()
last = Plain()
""",
     {"Plain.__del__": 2, "Cycle.__del__": 1, "Cycle.__len__": 1, "Cycle.method": 3}),
    ("a function's code is replaced", """
@profile
def f(): return 1
def g(): return 2
print(f(), f())
f.__code__ = g.__code__
print(f(), f(), f(), f.__code__ is g.__code__, g())
""",
     {"f": 5}),
    ("codes are swapped, shared, moved and restored", """
import warnings
warnings.simplefilter("ignore")
@profile
def f(): return 1
def g(): return 2
@profile
def h(): return 3
class C:
    @profile
    def m(self): return 4
def make(n):
    @profile
    def inner(): return n
    return inner
f()
f.__code__, g.__code__ = g.__code__, f.__code__
print(f(), g(), g(), f())
f.__code__ = h.__code__
print(f(), h(), h())
f.__code__ = g.__code__
print(f(), h(), g())
f.__code__ = f.__code__
print(f())
def m2(self): return 5
c = C()
print(c.m())
C.m.__code__ = m2.__code__
print(c.m(), m2(c), c.m())
i = make(1)
i()
i.__code__ = (lambda n: lambda: n + 1)(1).__code__
print(i())
@profile
def gen(): yield 1
print(list(gen()))
def gen2():
    yield 1
    yield 2
gen.__code__ = gen2.__code__
print(list(gen()), list(gen2()))
gen.__code__ = (lambda: 7).__code__
print(gen())
""",
     {"f": 6, "h": 3, "C.m": 3, "make.<locals>.inner": 2, "gen": 3}),
    ("code is replaced while it runs", """
def g(): return 2
@profile
def f():
    f.__code__ = g.__code__
    return 1
print(f(), f(), g())
""",
     {"f": 2}),
    ("a module is reloaded and its functions patched", """
source = "@profile\\ndef f(): return VALUE\\nclass C:\\n    @profile\\n    def m(self): return VALUE\\n"
def load(value):
    namespace = {"__name__": "__main__", "VALUE": value, "profile": profile}
    exec(compile(source.replace("VALUE", str(value)), "module.py", "exec"), namespace)
    return namespace["f"], namespace["C"]
f, C = load(1)
new_f, new_C = load(2)
print(f(), C().m())
f.__code__ = new_f.__code__
C.m.__code__ = new_C.m.__code__
print(f(), new_f(), C().m(), new_C().m())
f.__code__ = load(3)[0].__code__
print(f())
""",
     {"f": 4, "C.m": 3}),
]


def _test(source, expected):
    return on_each_interpreter()(lambda self, interpreter: self.check(interpreter, source, expected))


for _name, _source, _calls in PROGRAMS:
    _title = "test_" + "".join(letter if letter.isalnum() else "_" for letter in _name)
    setattr(Finalisers, _title, _test(_source, _calls))
    getattr(Finalisers, _title).__doc__ = _name


if __name__ == "__main__":
    unittest.main()
