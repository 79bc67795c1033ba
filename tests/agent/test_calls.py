"""Small programs, and exactly the calls that the agent records of each, in every interpreter."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, add_programs, on_each_interpreter  # noqa: E402

# (name, source, calls), see add_programs.
PROGRAMS = [
    ("functions", """
        @profile
        def outer(): return inner(1) + inner(2)
        @profile
        def inner(value): return value
        assert outer() == 3
        inner(0)
    """, """
        : __main__.outer
        :   __main__.inner
        :   __main__.inner
        : __main__.inner
    """),
    ("a class decorates only what its body defines", """
        import dataclasses, enum
        @profile
        class Colour(enum.Enum):
            RED = 1
            def lower(self): return self.name.lower()
        @profile
        @dataclasses.dataclass(order=True)
        class Point:
            x: int
            def twice(self): return self.x * 2
        class Guard(type):
            def __setattr__(cls, name, value): raise TypeError(name)
        @profile
        class Guarded(metaclass=Guard):
            def m(self): return 1
            @staticmethod
            def s(): return 2
            @property
            def p(self): return 3
        assert Colour(1).lower() == "red" and list(Colour) == [Colour.RED] and repr(Colour.RED)
        assert Point(3).twice() == 6 and Point(1) < Point(2) and Point(1) == Point(1)
        assert Guarded().m() + Guarded.s() + Guarded().p == 6
    """, """
        : __main__.Colour.lower
        : __main__.Point.twice
        : __main__.Guarded.m
        : __main__.Guarded.s
        : __main__.Guarded.p
    """),
    ("an undecorated function in between has no level", """
        @profile
        def outer(): between()
        def between(): inner()
        @profile
        def inner(): pass
        outer()
    """, """
        : __main__.outer
        :   __main__.inner
    """),
    ("a call with arguments of the decorator", """
        @profile(precision=4)
        def precise(): pass
        @profile()
        def empty(): pass
        @profile(stream=None, backend="psutil")
        def streaming(): pass
        precise(); empty(); streaming(); profile(func=len)("x")
    """, """
        : __main__.precise
        : __main__.empty
        : __main__.streaming
        : builtins.len
    """),
    ("methods of two classes", """
        class A:
            @profile
            def run(self): return B().run()
        class B:
            @profile
            def run(self, *, twice=2): return twice
        assert A().run() == 2
        assert A.run(A()) == 2
    """, """
        : __main__.A.run
        :   __main__.B.run
        : __main__.A.run
        :   __main__.B.run
    """),
    ("static and class methods, the decorator inside", """
        class C:
            @staticmethod
            @profile
            def s(x): return x
            @classmethod
            @profile
            def c(cls): return cls
        assert C.s(1) == C().s(1) == 1 and C.c() is C and C().c() is C
    """, """
        : __main__.C.s
        : __main__.C.s
        : __main__.C.c
        : __main__.C.c
    """),
    ("static and class methods, the decorator outside", """
        class C:
            @profile
            @staticmethod
            def s(x): return x
            @profile
            @classmethod
            def c(cls): return cls
        assert C.s(1) == C().s(1) == 1 and C.c() is C and C().c() is C
        assert type(C.__dict__["s"]) is staticmethod and type(C.__dict__["c"]) is classmethod
    """, """
        : __main__.C.s
        : __main__.C.s
        : __main__.C.c
        : __main__.C.c
    """),
    ("properties", """
        class C:
            @property
            @profile
            def inside(self): return 1
            @profile
            @property
            def outside(self): "kept"; return 2
            @outside.setter
            @profile
            def outside(self, value): self.value = value
        c = C(); c.outside = 5
        assert c.inside == 1 and c.outside == 2 and c.value == 5 and C.outside.__doc__ == "kept"
    """, """
        : __main__.C.outside
        : __main__.C.inside
        : __main__.C.outside
    """),
    ("a whole class", """
        @profile
        class C:
            number = 3
            def __init__(self): self.one()
            def one(self): return 1
            @staticmethod
            def two(): return 2
            @property
            def three(self): return 3
        c = C()
        assert isinstance(c, C) and isinstance(C, type) and C.number == 3
        assert c.two() == 2 and c.three == 3
    """, """
        : __main__.C.__init__
        :   __main__.C.one
        : __main__.C.two
        : __main__.C.three
    """),
    ("inherited and overridden", """
        class Base:
            @profile
            def run(self): return "base"
        class Derived(Base):
            @profile
            def run(self): return super().run() + " derived"
        assert Derived().run() == "base derived"
    """, """
        : __main__.Derived.run
        :   __main__.Base.run
    """),
    ("special methods", """
        class C:
            @profile
            def __init__(self): self.items = [1, 2]
            @profile
            def __len__(self): return len(self.items)
            @profile
            def __getitem__(self, index): return self.items[index]
            @profile
            def __call__(self): return 7
            @profile
            def __enter__(self): return self
            @profile
            def __exit__(self, *args): return None
        with C() as c:
            assert len(c) == 2 and c[1] == 2 and c() == 7
    """, """
        : __main__.C.__init__
        : __main__.C.__enter__
        : __main__.C.__len__
        : __main__.C.__getitem__
        : __main__.C.__call__
        : __main__.C.__exit__
    """),
    ("exceptions", """
        @profile
        def outer():
            for _ in range(2):
                try: fails()
                except KeyError: works()
        @profile
        def fails(): raise KeyError
        @profile
        def works(): pass
        outer()
        try: fails()
        except KeyError: pass
        works()
    """, """
        : __main__.outer
        :   __main__.fails !
        :   __main__.works
        :   __main__.fails !
        :   __main__.works
        : __main__.fails !
        : __main__.works
    """),
    ("an uncaught exception", """
        import sys
        @profile
        def outer(): inner()
        @profile
        def inner(): sys.exit(0)
        outer()
    """, """
        : __main__.outer !
        :   __main__.inner !
    """),
    ("recursion", """
        @profile
        def down(n): return n and down(n - 1)
        down(3)
    """, """
        : __main__.down
        :   __main__.down
        :     __main__.down
        :       __main__.down
    """),
    ("mutual recursion", """
        @profile
        def even(n): return n == 0 or odd(n - 1)
        @profile
        def odd(n): return n != 0 and even(n - 1)
        assert even(3) is False
    """, """
        : __main__.even
        :   __main__.odd
        :     __main__.even
        :       __main__.odd
    """),
    ("closures with the same code", """
        def make(n):
            @profile
            def inner(): return n
            return inner
        one, two = make(1), make(2)
        assert one() == 1 and two() == 2
    """, """
        : __main__.make.<locals>.inner
        : __main__.make.<locals>.inner
    """),
    ("closures with the same code, only one decorated", """
        def make(n):
            def inner(): return n
            return inner
        one, two = profile(make(1)), make(2)
        assert one() == 1 and two() == 2
    """, """
        : __main__.make.<locals>.inner
    """),
    ("above another decorator", """
        import functools
        def logged(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs): return function(*args, **kwargs)
            return wrapper
        @profile
        @logged
        def first(x, *, y=0): return x + y
        @logged
        def second(): return 2
        assert first(1, y=2) == 3 and second() == 2 and first.__wrapped__
    """, """
        : __main__.first
    """),
    ("below another decorator", """
        import functools
        def logged(function):
            @functools.wraps(function)
            def wrapper(*args): return function(*args)
            return wrapper
        @logged
        @profile
        def first(x): return x
        assert first(1) == 1
    """, """
        : __main__.first
    """),
    ("decorated twice", """
        @profile
        @profile
        def f(): pass
        f()
        profile(f)()
    """, """
        : __main__.f
        : __main__.f
    """),
    ("lambda, builtin, partial, object with __call__", """
        import functools
        class Callable:
            def __call__(self, x): return x
        assert profile(lambda: 1)() == 1
        assert profile(len)([1, 2]) == 2
        assert profile(functools.partial(int, base=2))("11") == 3
        assert profile(Callable())(4) == 4
    """, """
        : __main__.<lambda>
        : builtins.len
        : builtins.int
        : __main__.Callable
    """),
    ("a bound method", """
        class C:
            def m(self, x): return x
        c = C()
        marked = profile(c.m)
        assert marked(3) == 3 and c.m(4) == 4
    """, """
        : __main__.C.m
    """),
    ("module functions under their module", """
        import types
        module = types.ModuleType("pkg.mod")
        exec("@profile\\ndef f(): pass", module.__dict__)
        module.f()
    """, """
        : pkg.mod.f
    """),
    ("called from C", """
        import functools
        @profile
        def key(x): return -x
        assert sorted([1, 2, 3], key=key) == [3, 2, 1]
        assert list(map(key, [1])) == [-1]
    """, """
        : __main__.key
        : __main__.key
        : __main__.key
        : __main__.key
    """),
    ("threads", """
        import threading
        ready, go = threading.Event(), threading.Event()
        @profile
        def work(): inner()
        @profile
        def inner(): ready.set(); go.wait()
        @profile
        def main():
            thread = threading.Thread(target=work, name="the worker")
            thread.start(); ready.wait(); here(); go.set(); thread.join()
        @profile
        def here(): pass
        main()
    """, """
        : __main__.main
        the worker: __main__.work
        the worker:   __main__.inner
        :   __main__.here
    """),
    ("threads one after the other", """
        import threading
        @profile
        def work(): pass
        for name in "one", "two", "one":
            thread = threading.Thread(target=work, name=name)
            thread.start(); thread.join()
        work()
    """, """
        one: __main__.work
        two: __main__.work
        one: __main__.work
        : __main__.work
    """),
    ("a thread unknown to threading", """
        import _thread, time
        done = _thread.allocate_lock(); done.acquire()
        @profile
        def work(): pass
        def run():
            work(); done.release()
        _thread.start_new_thread(run, ())
        done.acquire()
    """, """
        thread 1: __main__.work
    """),
    ("threads with the same name", """
        import threading
        both = threading.Barrier(2)
        @profile
        def work(): both.wait()
        threads = [threading.Thread(target=work, name="w") for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """, """
        w: __main__.work
        w #2: __main__.work
    """),
    ("names outside ASCII", """
        @profile
        def größe(): pass
        def f(): pass
        f.__qualname__ = "a b\\nc"
        g = lambda: None
        g.__qualname__ = "half \\udcff"
        größe(); profile(f)(); profile(g)()
    """, """
        : __main__.größe
        : __main__.a b\\nc
        : __main__.half \\udcff
    """),
    ("a function deleted while it runs", """
        @profile
        def f():
            global f
            del f
            import gc; gc.collect()
            return 1
        assert f() == 1
    """, """
        : __main__.f
    """),
    ("called while an exception is handled", """
        import sys
        @profile
        def f(): return sys.exc_info()[0]
        class D:
            @profile
            def __del__(self): pass
        try:
            d = D()
            1 / 0
        except ZeroDivisionError:
            assert f() is ZeroDivisionError
            del d
        assert f() is None
    """, """
        : __main__.f
        : __main__.D.__del__
        : __main__.f
    """),
    ("blocks", """
        @profile
        def f():
            with profile.timestamp("load data"): g()
        @profile
        def g(): pass
        with profile.timestamp() as block:
            with block: f()
        try:
            with profile.timestamp(name="fails"): 1 / 0
        except ZeroDivisionError: pass
        def numbers():
            with profile.timestamp("dropped"): yield 1
        next(numbers())
        g()
    """, """
        : <block>
        :   __main__.f
        :     load data
        :       __main__.g
        : fails !
        : dropped !
        : __main__.g
    """),
    ("the program defines its own profile", """
        import builtins
        mine = builtins.profile
        def profile(function): return function
        @profile
        def f(): pass
        @mine
        def g(): pass
        f(); g()
    """, """
        : __main__.g
    """),
]


class Calls(AgentCase):
    @on_each_interpreter()
    def test_names_that_are_too_long(self, interpreter):
        """They are cut, and still differ where only their ends do."""
        done = self.run_source(interpreter, """
            for end in "ab":
                name = "f" * 5000 + end
                exec(f"@profile\\ndef {name}(): pass\\n{name}()")
        """)
        names = [call.name for call in done.calls]
        self.assertEqual(len(set(names)), 2)
        for name in names:
            self.assertTrue(name.startswith("__main__." + "f" * 3000), name)
            self.assertLessEqual(len(name), 4000)


add_programs(Calls, PROGRAMS)


if __name__ == "__main__":
    unittest.main()
