"""The agent does not change the program: introspection, recursion depth, tracebacks, events of its own tracers,
and memory are as without mprof."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, on_each_interpreter  # noqa: E402

# Prepended to programs that also run without the agent, where `profile` is undefined.
OR_NOTHING = """
    try: profile
    except NameError: profile = lambda function: function
"""


class Invisible(AgentCase):
    def compare(self, interpreter, source, *arguments, filtered=lambda text: text):
        """Runs a program with and without the agent; exit code and output must be equal."""
        path = self.write("program.py", OR_NOTHING + source)
        plain = self.run_plain(interpreter, *arguments, path)
        done = self.run_agent(interpreter, *arguments, path, expect=plain.returncode)
        self.assertEqual(filtered(done.out), filtered(plain.stdout))
        self.assertEqual(done.err, plain.stderr)
        self.assertTrue(done.calls, "nothing was recorded: the comparison says nothing")
        return done

    @on_each_interpreter()
    def test_other_callables_of_a_class(self, interpreter):
        """They bind in their own way, or not at all, and learn their name in the class."""
        done = self.compare(interpreter, """
    import functools
    class Plain:
        def __call__(self, *args): return len(args)
        def __set_name__(self, owner, name): self.named = owner.__name__, name
    class Binding:
        def __get__(self, instance, owner): return self if instance is None else functools.partial(self, instance.x)
        def __call__(self, *args): return sum(args)
    class C:
        x = 20
        @profile
        @functools.lru_cache(None)
        def cached(self, y): return self.x + y
        plain = profile(Plain())
        binding = profile(Binding())
        part = profile(functools.partial(max, 3))
        size = profile(len)
    c = C()
    print(c.cached(2), c.cached(2), C.cached(c, 3), C.cached.cache_info()[:2])
    print(c.plain(1, 2), C.plain(), c.plain.named, isinstance(C.plain, Plain))
    print(c.binding(5), C.binding(5), c.part(1), c.size("abc"))
    try: C.binding(None)
    except TypeError as error: print(error)
    """)
        self.assertGreaterEqual(len(done.calls), 9)

    @on_each_interpreter()
    def test_the_decorator_itself(self, interpreter):
        """Tools that list, sign or pickle builtins meet it."""
        path = self.write("program.py", """
    import builtins, copy, pickle
    try: profile.__signature__
    except AttributeError as error: print("no", error)
    import inspect
    print(repr(profile), profile.__name__, profile.__module__, builtins.profile is profile)
    print(inspect.signature(profile), pickle.loads(pickle.dumps(profile)) is profile, copy.copy(profile) is profile)
    for wrong in (5, "text"):
        try: profile(wrong)
        except ValueError as error: print(error)
    @profile
    def f(): return 1
    f()
    """)
        done = self.run_agent(interpreter, path)
        self.assertEqual(done.out.splitlines(), [
            "no __signature__", "<function profile of mprof> profile builtins True",
            "(func=None, stream=None, precision=1, backend='psutil') True True",
            "profile: expected a function or another callable, not 5",
            "profile: expected a function or another callable, not 'text'"])

    @on_each_interpreter()
    def test_methods_of_coroutines(self, interpreter):
        """Libraries call them without `await`."""
        self.compare(interpreter, """
    import asyncio
    @profile
    async def c():
        await asyncio.sleep(0)
        return 1
    @profile
    async def a(): yield 2
    class Proxy:
        def __init__(self, one): self.one = one
        def __await__(self): return self.one.__await__()
    async def wait(one): return await one
    async def main():
        print(await Proxy(c()))
        items = a().__aiter__()
        print(items.__aiter__() is items, await items.__anext__())
        try: await items.__anext__()
        except StopAsyncIteration: print("end")
        one = c()
        print([repr(x) for x in await asyncio.gather(wait(one), wait(one), return_exceptions=True)])
    asyncio.run(main())
    """)

    @on_each_interpreter()
    def test_attributes_of_a_function(self, interpreter):
        self.compare(interpreter, """
    import functools, inspect, types, typing
    def wrap(function):
        @functools.wraps(function)
        def inner(*args, **kwargs): return function(*args, **kwargs)
        return inner
    @profile
    def f(a, b: int = 2, *rest, key: "str" = "k", **more) -> float:
        "What it does."
        return a
    f.attribute = 5
    @profile
    @wrap
    def g(a, b=1): "of g"
    @profile
    async def c(x): pass
    @profile
    def y(): yield 1
    @profile
    async def a(): yield 1
    class C:
        @profile
        def m(self, x=3): "of m"
        @profile
        @classmethod
        def k(cls): "of k"
        @profile
        @staticmethod
        def s(): "of s"
        @profile
        @property
        def p(self): "of p"
    for one in (f, g, c, y, a, C.m, C().m, C.k, C.s, C().s):
        print(one.__name__, one.__qualname__, one.__module__, one.__doc__, one.__annotations__)
        print(inspect.signature(one), one.__code__.co_name, one.__code__.co_firstlineno)
        print([kind(one) for kind in (
            callable, inspect.isfunction, inspect.ismethod, inspect.isroutine, inspect.isclass,
            inspect.isbuiltin, inspect.iscoroutinefunction, inspect.isgeneratorfunction,
            inspect.isasyncgenfunction, inspect.ismethoddescriptor)])
        print(inspect.getsource(one), inspect.getfile(one) == __file__, inspect.getdoc(one))
        print(typing.get_type_hints(one) if one is not g else None)
        print(isinstance(one, types.FunctionType), isinstance(one, types.MethodType))
        print(inspect.unwrap(one).__name__, repr(one).split(" at ")[0])
    for one in (f, g):
        print(one.__defaults__, one.__kwdefaults__, sorted(one.__dict__.keys() - {"__wrapped__"}))
        print(one.__closure__ is None, one.__globals__ is globals())
    print(f.attribute, hasattr(f, "nothing"))
    f.other = 6; print(f.__dict__); del f.other; print(f.__dict__)
    f.__doc__ = "new"; print(f.__doc__)
    print([C.__dict__[name].__class__ for name in ("m", "k", "s", "p")], C.p.__doc__)
    f(1)
        """)

    @on_each_interpreter()
    def test_same_object_except_in_3_11(self, interpreter):
        if interpreter.version[:2] == (3, 11):
            return
        done = self.run_source(interpreter, """
            import sys, types
            def f(): pass
            def make():
                def inner(): pass
                return inner
            async def c(): pass
            def g(): yield
            inner = make()
            for one in (f, inner, c, g, lambda: 0):
                before = one.__code__
                assert profile(one) is one and one.__code__ is before
                assert profile(one) is one and type(one) is types.FunctionType
            if hasattr(sys, "monitoring"):
                assert [sys.monitoring.get_tool(n) for n in (0, 1, 2, 5)] == [None] * 4
            f(); inner()
        """)
        self.assertEqual(len(done.calls), 2)

    @on_each_interpreter()
    def test_calls_that_bypass_the_entry_point(self, interpreter):
        """Modules made by Cython 0.29 evaluate the code of functions themselves in 3.8 and 3.9."""
        if interpreter.version >= (3, 10):
            return
        source = """
            import _heapq, ctypes, importlib.util, os, shutil
            def load():  # an extension module that is not Python's own
                os.makedirs("copied", exist_ok=True)
                path = os.path.abspath(shutil.copy(_heapq.__file__, "copied"))
                importlib.util.module_from_spec(importlib.util.spec_from_file_location("_heapq", path))
            evaluate = ctypes.pythonapi.PyEval_EvalCodeEx
            evaluate.restype = ctypes.py_object
            def call(f, *args):
                none, count = ctypes.c_void_p(), len(args)
                cells = ctypes.c_void_p(f.__closure__ and id(f.__closure__))
                array = (ctypes.py_object * max(count, 1))(*args)
                return evaluate(ctypes.py_object(f.__code__), ctypes.py_object(f.__globals__), none,
                                array, count, none, 0, none, 0, none, cells)
            if EARLY: load()
            @profile
            def count(n): return n and call(count, n - 1)
            @profile
            def fails(): raise KeyError
            def make(label):
                def inner(n):
                    def innermost(): return n
                    return label, n * 2, innermost()
                return inner
            one, two, other = make("one"), profile(make("two")), make("other")
            @profile
            def numbers(): yield count(0)
            if not EARLY: load()
            assert call(count, 1) == 0 and count(1) == 0
            try: call(fails)
            except KeyError: pass
            try: count()
            except TypeError: pass
            assert call(one, 3)[0] == "one" and call(other, 3)[0] == "other"
            assert call(two, 3) == two(3) == ("two", 6, 3)
            assert list(numbers()) == [0]
            former = count.__code__
            count.__code__ = (lambda n: -n).__code__
            assert count(1) == call(count, 1) == -1
            def another(n): pass
            another.__code__ = former
            another(0)
            del two
            assert call(make("new"), 1)[0] == "new"
        """
        for early in ("True", "False"):
            done = self.run_source(interpreter, source.replace("EARLY", early))
            self.assertEqual(done.err, "")
            self.assertEqual(done.tree, """\
main: __main__.count
main:   __main__.count
main: __main__.count
main:   __main__.count
main: __main__.fails !
main: __main__.count !
main: __main__.make.<locals>.inner
main: __main__.make.<locals>.inner
main: __main__.numbers
main:   __main__.count
main: __main__.count
main: __main__.count""".splitlines())

    @on_each_interpreter()
    def test_functions_in_libraries(self, interpreter):
        self.compare(interpreter, """
    import abc, asyncio, collections, copy, functools, gc, inspect, pickle, types, weakref
    @profile
    def f(a, b=2): return a + b
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(f, protocol)) is f
    import io, pickle as p
    python_pickler = io.BytesIO(); p._Pickler(python_pickler).dump(f)
    assert pickle.loads(python_pickler.getvalue()) is f
    assert copy.copy(f) is f and copy.deepcopy([f])[0] is f
    assert f == f and f != (lambda: 0) and hash(f) == hash(f) and {f: 1}[f] == 1
    print(functools.partial(f, 1)(b=3), functools.lru_cache(f)(1, 2), f(*[1], **{"b": 5}))
    print(functools.reduce(f, [1, 2, 3]), list(map(f, [1, 2])))
    single = functools.singledispatch(profile(lambda value: "any"))
    single.register(int)(profile(lambda value: "int"))
    print(single("x"), single(3))
    print(types.MethodType(f, 10)(1))
    class Base(abc.ABC):
        @profile
        @abc.abstractmethod
        def must(self): pass
    try: Base()
    except TypeError as error: print("abstract")
    class Meta(type):
        @profile
        def __call__(cls, *args): return super().__call__(*args)
    class Made(metaclass=Meta):
        __slots__ = "x",
        @profile
        def __new__(cls, *args): return super().__new__(cls)
        @profile
        def __init__(self, x): self.x = x
        @profile
        def __eq__(self, other): return self.x == other.x
        __hash__ = None
        @functools.cached_property
        @profile
        def late(self): return 1
    print(Made(3) == Made(3), Made(3).x)
    class Descriptor:
        @profile
        def __get__(self, instance, owner): return "got"
        @profile
        def __set_name__(self, owner, name): self.name = name
    class Owner: d = Descriptor()
    print(Owner.d, Owner().d, Owner.__dict__["d"].name)
    @profile
    async def c(): return 1
    print(asyncio.iscoroutinefunction(c), asyncio.run(c()))
    async def several():
        task = asyncio.ensure_future(c()); await task
        return await asyncio.gather(c(), c(), asyncio.wait_for(c(), 5), asyncio.shield(c()))
    print(asyncio.run(several()))
    coroutine = c()
    print(inspect.iscoroutine(coroutine), inspect.isawaitable(coroutine),
          isinstance(coroutine, collections.abc.Coroutine), asyncio.iscoroutine(coroutine),
          isinstance(coroutine, types.CoroutineType), inspect.getcoroutinestate(coroutine),
          coroutine.__name__, coroutine.cr_frame.f_code.co_name,
          isinstance(coroutine, collections.abc.Iterator))
    coroutine.close()
    print(inspect.getcoroutinestate(coroutine))
    @profile
    def g():
        got = yield 1
        while True: got = yield got
    generator = g()
    print(inspect.isgenerator(generator), isinstance(generator, types.GeneratorType),
          isinstance(generator, collections.abc.Generator), inspect.getgeneratorstate(generator),
          next(generator), generator.send(5), generator.gi_frame.f_lineno > 0,
          inspect.getgeneratorlocals(generator), iter(generator) is generator)
    @profile
    async def a(): yield 1
    ag = a()
    print(inspect.isasyncgen(ag), isinstance(ag, collections.abc.AsyncGenerator))
    class Cyclic: pass
    def cycle():
        @profile
        def inner(): return holder
        holder = Cyclic(); holder.inner = inner
        inner()
        return weakref.ref(holder), weakref.ref(inner)
    references = cycle(); gc.collect()
    print([reference() for reference in references])
        """)

    @on_each_interpreter()
    def test_errors_of_misuse(self, interpreter):
        self.compare(interpreter, """
    @profile
    def f(a): pass
    @profile
    def g():
        yield 1
        next(iterator)
    @profile
    async def c(): pass
    for wrong in (lambda: f(), lambda: f(1, 2), lambda: f(b=1), lambda: f(1, a=2),
                  lambda: g(1), lambda: g().send(1), lambda: f(1).x, lambda: f.x,
                  lambda: list(c()), lambda: setattr(f, "__name__", 3)):
        try: wrong(); print("no error")
        except Exception as error: print(type(error).__name__, error)
    iterator = g(); next(iterator)
    try: next(iterator)
    except ValueError as error: print(error)
    f(1)
        """, "-W", "ignore")

    @on_each_interpreter()
    def test_tracebacks(self, interpreter):
        for end in ("outer()", "import asyncio; asyncio.run(c())", "list(g())",
                    "import sys; sys.exit(f(7))", "raise SystemExit('said')"):
            self.compare(interpreter, f"""
    @profile
    def outer():
        try: inner(0)
        except ZeroDivisionError: raise ValueError("wrong")
    @profile
    def inner(n): return 1 / n
    @profile
    async def c(): await d()
    @profile
    async def d(): inner(0)
    @profile
    def g():
        yield 1
        inner(0)
    @profile
    def f(x): return x
    f(0)
    {end}
            """)

    @on_each_interpreter()
    def test_recursion_to_the_plain_limit(self, interpreter):
        self.compare(interpreter, """
    import sys
    @profile
    def f(n):
        global deepest
        deepest = n
        f(n + 1)
    class C:
        @profile
        def m(self, n):
            global deepest
            deepest = n
            self.m(n + 1)
    for limit in (100, sys.getrecursionlimit(), 5000):
        sys.setrecursionlimit(limit)
        for function in (f, C().m):
            try: function(1)
            except RecursionError as error: print(limit, deepest, str(error)[:32])
        """)

    @on_each_interpreter()
    def test_generators_recurse_to_the_plain_limit(self, interpreter):
        self.compare(interpreter, """
    @profile
    def delegates(n):
        global deepest
        deepest = n
        yield from delegates(n + 1)
    @profile
    def loops(n):
        global deepest
        deepest = n
        for one in loops(n + 1): yield one
    @profile
    async def awaits(n):
        global deepest
        deepest = n
        await awaits(n + 1)
    @profile
    async def loops_async(n):
        global deepest
        deepest = n
        async for one in loops_async(n + 1): yield one
    async def run():
        async for one in loops_async(1): pass
    for start in (lambda: list(delegates(1)), lambda: list(loops(1)),
                  lambda: awaits(1).send(None), lambda: run().send(None)):
        try: start()
        except RecursionError as error: print(deepest, str(error)[:32])
    @profile
    def returns(value): return (yield value)
    @profile
    async def returns_async(value): return value
    for make, values in ((returns, (None, None)), (returns, (None, 7)), (returns_async, (None,))):
        generator = make(5)
        try:
            for value in values: print(generator.send(value))
        except StopIteration as error: print("end", error.value, error.args)
        """)

    @on_each_interpreter()
    def test_coroutines_in_generator_based_ones(self, interpreter):
        self.compare(interpreter, """
    import asyncio, collections, types
    @profile
    async def c():
        await asyncio.sleep(0)
        return 5
    @types.coroutine
    def outer(): return (yield from c())
    @profile
    @types.coroutine
    def decorated(): return (yield from outer())
    async def run(): return await outer(), await decorated()
    print(asyncio.run(run()))
    def no_coroutine(): yield from c()
    async def in_coroutine(): return list(coroutine)
    for wrong in (lambda: list(no_coroutine()), lambda: iter(coroutine), lambda: list(coroutine),
                  lambda: asyncio.run(in_coroutine())):
        coroutine = c()
        try: print(wrong())
        except TypeError as error: print(error)
        coroutine.close()
    async def twice():
        one, other = c(), c()
        task = asyncio.ensure_future(other)
        await asyncio.sleep(0)
        for coroutine in (one, one, other):
            try: print(await coroutine)
            except RuntimeError as error: print(error)
        print(await task)
    asyncio.run(twice())
    print(isinstance(coroutine, collections.abc.Iterable), hasattr(coroutine, "__iter__"),
          hasattr(type(coroutine), "__iter__"))
        """, "-W", "ignore")

    @on_each_interpreter()
    def test_help(self, interpreter):
        self.compare(interpreter, """
    import pydoc
    @profile
    def f(a: int, *, b="x"): "Of a function."
    @profile
    async def c(x): "Of a coroutine."
    @profile
    def undocumented(): pass
    class K:
        @profile
        def m(self, q=1): "Of a method."
        @profile
        @staticmethod
        def s(z): "Of a static method."
        @profile
        @classmethod
        def k(cls): "Of a class method."
        @profile
        @property
        def p(self): "Of a property."
    for one in (f, c, undocumented, K, K.m, K().m, K.s, K.k, profile(len)):
        print(pydoc.plain(pydoc.render_doc(one)))
    f.__doc__ = "New."
    print(pydoc.getdoc(f), object.__getattribute__(f, "__doc__"), f(1))
        """)

    @on_each_interpreter()
    def test_signature_of_the_decorator(self, interpreter):
        done = self.run_source(interpreter, """
            import inspect
            print(inspect.signature(profile))
        """)
        self.assertEqual(done.out, "(func=None, stream=None, precision=1, backend='psutil')\n")

    @on_each_interpreter()
    def test_recursion_deeper_than_the_stack(self, interpreter):
        """From 3.11 on Python functions call each other without C stack. 3.11's stand-ins need some:
        the limit is lower there, but it raises RecursionError and does not crash."""
        if interpreter.version < (3, 11):
            return
        source = """
            import sys
            sys.setrecursionlimit(200_000)
            @profile
            def down(n): return n and down(n - 1)
            try: print(down(150_000))
            except RecursionError as error: print(error)
            import threading
            threading.stack_size(256 * 1024)
            def run():
                try: print(down(150_000))
                except RecursionError as error: print(error)
            thread = threading.Thread(target=run); thread.start(); thread.join()
        """
        done = self.run_source(interpreter, source)
        expected = "0" if interpreter.version >= (3, 12) else "maximum recursion depth exceeded"
        self.assertEqual(done.out, f"{expected}\n" * 2)

    @on_each_interpreter()
    def test_tracers_of_the_program(self, interpreter):
        for setter in ("settrace", "setprofile"):
            self.compare(interpreter, f"""
    import sys
    events = []
    def trace(frame, event, argument):
        if frame.f_code.co_filename == __file__:
            events.append((frame.f_code.co_name, frame.f_lineno, event))
        return trace
    @profile
    def outer():
        inner(1)
        try: fails()
        except KeyError: pass
        return list(numbers())
    @profile
    def inner(n): return n
    @profile
    def fails(): raise KeyError
    @profile
    def numbers():
        yield 1
        yield 2
    sys.{setter}(trace)
    outer()
    sys.{setter}(None)
    for event in events: print(*event)
            """)

    @on_each_interpreter()
    def test_memory_of_a_million_calls(self, interpreter):
        program = self.write("program.py", """
            def rss():  # exact; statm may be some hundred KiB off
                with open("/proc/self/smaps_rollup") as lines:
                    return next(int(line.split()[1]) for line in lines if line[:4] == "Rss:")
            def ours():  # private memory, and mappings of mprof
                count, is_ours = 0, False
                with open("/proc/self/smaps") as lines:
                    for line in lines:
                        key, value = line.split()[:2]
                        if key[-1] != ":":
                            is_ours = "mprof" in line or ".ring" in line
                        elif key == ("Rss:" if is_ours else "Anonymous:"):
                            count += int(value)
                return count
            def f(): pass
            def loop(n):
                for _ in range(n): f()
            loop(10); rss()
            before = rss()
            try: f = profile(f)
            except NameError: pass
            loop(1_000_000)
            print(rss() - before, ours())
        """)
        done = self.run_agent(interpreter, program)
        plain = self.run_plain(interpreter, program)
        more, inside = map(int, done.out.split())
        self.assertLess(more, 896, "KiB")
        # from the start of the process; processes share the interpreter's code
        self.assertLess(inside - int(plain.stdout.split()[1]), 640, "KiB")
        self.assertEqual(sum(call.count for call in done.calls), 1_000_000)
        self.assertEqual(done.dropped, 0)

    @on_each_interpreter()
    def test_memory_of_short_lived_objects(self, interpreter):
        """Closures, generators, coroutines and threads leave no memory behind."""
        done = self.run_source(interpreter, """
            import gc, threading
            def rss():  # exact; statm may be some hundred KiB off
                with open("/proc/self/smaps_rollup") as lines:
                    return next(int(line.split()[1]) for line in lines if line[:4] == "Rss:")
            def make(n):
                @profile
                def inner(): return n
                @profile
                def numbers(): yield n
                @profile
                async def coroutine(): return n
                inner()
                list(numbers())
                next(numbers())
                try: coroutine().send(None)
                except StopIteration: pass
            def loop(n):
                for i in range(n): make(i)
                for i in range(n // 100):
                    thread = threading.Thread(target=make, args=(i,))
                    thread.start(); thread.join()
            loop(4_000)
            gc.collect(); before = rss()
            loop(4_000)
            gc.collect(); print(rss() - before)
        """)
        self.assertLess(int(done.out), 512, "KiB")

    @on_each_interpreter()
    def test_descriptors(self, interpreter):
        done = self.run_source(interpreter, """
            import os
            @profile
            def f(): pass
            before = set(os.listdir("/proc/self/fd"))
            f()
            more = sorted(set(map(int, os.listdir("/proc/self/fd"))) - set(map(int, before)))
            assert len(more) <= 1 and all(fd > 255 for fd in more), more
            fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
            assert fds[-1] < 20, fds
            import subprocess
            print(subprocess.run(["ls", "/proc/self/fd"], capture_output=True, close_fds=False,
                                 text=True).stdout.count("\\n") < 10)
        """)
        self.assertEqual(done.out, "True\n")

    @on_each_interpreter()
    def test_under_the_debug_allocator(self, interpreter):
        self.compare(interpreter, """
    import asyncio, gc, threading
    gc.set_threshold(1)
    @profile
    def f(*args, **kwargs): return args, kwargs
    @profile
    def g(n):
        for i in range(n): yield f(i)
    @profile
    async def c(n):
        await asyncio.sleep(0)
        return [x async for x in a(n)]
    @profile
    async def a(n):
        for i in range(n):
            await asyncio.sleep(0)
            yield i
    class C:
        @profile
        def m(self): return f(self)
        @profile
        @classmethod
        def k(cls): return [i for i in g(3)]
    print(f(1, b=2), list(g(2)), C().m()[1], C.k(), next(g(1)))
    async def main():
        asyncio.get_running_loop().slow_callback_duration = 60  # otherwise it warns on a busy machine
        return await asyncio.gather(*(c(n) for n in range(5)))
    print(asyncio.run(main()))
    threads = [threading.Thread(target=lambda: list(g(50))) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    profile(lambda: 0)(); profile(print)("x"); del f, g, c, a, C
    gc.collect()
        """, "-X", "dev", "-W", "error")

    @on_each_interpreter()
    def test_errno_is_kept(self, interpreter):
        self.compare(interpreter, """
    import ctypes
    @profile
    def f(): pass
    libc = ctypes.CDLL(None, use_errno=True)
    print(libc.open(b"/nonexistent", 0), end=" ")
    f()
    print(ctypes.get_errno())
        """)

    @on_each_interpreter()
    def test_subinterpreters(self, interpreter):
        """Subinterpreters are not recorded and run unchanged."""
        if interpreter.version < (3, 9):
            return
        self.compare(interpreter, """
    import sys, warnings
    warnings.simplefilter("ignore")
    for name in ("_interpreters", "_xxsubinterpreters"):
        try: interpreters = __import__(name); break
        except ImportError: pass
    number = interpreters.create()
    interpreters.run_string(number, '''if True:
        import memory_profiler_is_not_imported_here as m
    '''.replace("import memory_profiler_is_not_imported_here as m", "pass"))
    interpreters.destroy(number)
    profile(len)("x")
    print("fine")
        """)


class Signals(AgentCase):
    @on_each_interpreter()
    def test_interrupted_by_signals(self, interpreter):
        done = self.run_source(interpreter, """
            import signal, time
            seen = 0
            @profile
            def handler(*args):
                global seen
                seen += 1
            @profile
            def work(): pass
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            end = time.monotonic() + 0.3
            while time.monotonic() < end: work()
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(seen > 10)
        """)
        self.assertEqual(done.out, "True\n")
        self.assertEqual([call for call in done.calls if call.open], [])


if __name__ == "__main__":
    unittest.main()
