"""Generators, coroutines, async generators and greenlets: each keeps its levels while suspended, and its span
lasts from its first step to its end."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, add_programs, on_each_interpreter  # noqa: E402


class Suspended(AgentCase):
    def check_times(self, interpreter, source, **expected):
        """Checks wall and suspended time of each function, as shares of the 0.2 s of waiting."""
        done = self.run_source(interpreter, source)
        for name, (wall, suspended) in expected.items():
            call = next(call for call in done.calls if call.name.endswith("." + name))
            span_s = (call.exit_ns - call.enter_ns) / 1e9
            suspended_s = call.suspended_ns / 1e9
            self.assertLessEqual(suspended_s, span_s)
            # at least the time slept; a loaded machine may add any amount
            self.assertGreaterEqual(span_s, 0.2 * wall * 0.95, name)
            self.assertGreaterEqual(suspended_s, 0.2 * suspended * 0.95, name)
            if suspended == 0:
                self.assertLess(suspended_s, 0.19, name)

    @on_each_interpreter()
    def test_time_of_a_generator(self, interpreter):
        self.check_times(interpreter, """
            import time
            @profile
            def numbers():
                yield 1
                time.sleep(0.2)
                yield 2
            iterator = numbers()
            time.sleep(0.2)                 # not begun yet
            next(iterator); time.sleep(0.2); list(iterator)
        """, numbers=(2, 1))

    @on_each_interpreter()
    def test_time_of_a_coroutine(self, interpreter):
        self.check_times(interpreter, """
            import asyncio, time
            @profile
            async def waits(): await asyncio.sleep(0.2)
            @profile
            async def works(): time.sleep(0.2)
            async def main():
                coroutine = waits()
                time.sleep(0.1)
                await coroutine
                await works()
            asyncio.run(main())
        """, waits=(1, 1), works=(1, 0))

    @on_each_interpreter()
    def test_time_of_a_generator_that_is_dropped(self, interpreter):
        self.check_times(interpreter, """
            import time
            @profile
            def dropped(): yield 1
            @profile
            def closed(): yield 1
            iterator = dropped(); next(iterator); time.sleep(0.2); del iterator
            iterator = closed(); next(iterator); time.sleep(0.2); iterator.close()
        """, dropped=(1, 1), closed=(1, 1))

    @on_each_interpreter()
    def test_never_started(self, interpreter):
        done = self.run_source(interpreter, """
            import warnings
            warnings.simplefilter("ignore")
            @profile
            def g(): yield
            @profile
            async def c(): pass
            @profile
            async def a(): yield
            g(); c(); a()
            x = g(); x.close()
            x = c(); x.close()
            try: g().throw(KeyError)
            except KeyError: pass
        """)
        self.assertEqual([call.name for call in done.calls if call.open], [])
        # throwing into one that has not started may or may not count as its start
        self.assertIn(done.tree, ([], ["main: __main__.g !"]))


PROGRAMS = [
    ("methods by their names, attributes, and weak references", """
        import asyncio, weakref
        @profile
        async def c(): return 1
        @profile
        async def a():
            yield 1
            yield 2
        @profile
        def g(): yield 1
        async def main():
            made = a()
            assert made.__aiter__() is made
            assert await made.__anext__() == 1
            assert [x async for x in made] == [2]
            unused = a()
            await unused.aclose()
            assert [x async for x in unused] == []
            x = c()
            x.__qualname__ = "renamed"
            assert x.__qualname__ == "renamed" and "renamed" in repr(x)
            gone = []
            reference = weakref.ref(x, gone.append)
            assert reference() is x
            assert await x == 1
            del x
            assert gone == [reference]
            step = c().__await__()
            try: step.send(None)
            except StopIteration as end: assert end.value == 1
        asyncio.run(main())
        closed = g()
        closed.close()
        assert list(closed) == []
    """, """
        task 1: __main__.a
        task 1: __main__.c
        task 1: __main__.c
    """),
    ("a generator is one span", """
        @profile
        def numbers():
            for n in range(3): yield n
        assert list(numbers()) == [0, 1, 2]
    """, """
        : __main__.numbers
    """),
    ("calls between its steps are not nested in it", """
        @profile
        def main():
            for n in numbers(): between()
        @profile
        def numbers():
            for n in range(2):
                inside()
                yield n
        @profile
        def between(): pass
        @profile
        def inside(): pass
        main()
    """, """
        : __main__.main
        :   __main__.numbers
        :     __main__.inside
        :   __main__.between
        :     __main__.inside
        :   __main__.between
    """),
    ("an unfinished generator", """
        @profile
        def numbers():
            try: yield 1
            finally: cleanup()
        @profile
        def cleanup(): pass
        @profile
        def after(): pass
        iterator = numbers(); next(iterator); iterator.close(); after()
        iterator = numbers(); next(iterator); del iterator; after()
        list(iterator for iterator in numbers()); after()
    """, """
        : __main__.numbers
        :   __main__.cleanup
        : __main__.after
        : __main__.numbers
        :   __main__.cleanup
        : __main__.after
        : __main__.numbers
        :   __main__.cleanup
        : __main__.after
    """),
    ("a generator that fails, and one that is thrown into", """
        @profile
        def fails():
            yield 1
            raise KeyError
        @profile
        def catches():
            try: yield 1
            except KeyError: yield 2
        try: list(fails())
        except KeyError: pass
        g = catches(); next(g)
        assert g.throw(KeyError) == 2
        try: g.throw(ValueError("x"))
        except ValueError: pass
        try: next(g)
        except StopIteration: pass
    """, """
        : __main__.fails !
        : __main__.catches !
    """),
    ("send, return value, yield from", """
        @profile
        def inner():
            got = yield 1
            leaf()
            return got
        @profile
        def outer():
            value = yield from inner()
            leaf()
            return value
        @profile
        def leaf(): pass
        g = outer()
        assert next(g) == 1
        try: g.send("sent")
        except StopIteration as stop: assert stop.value == "sent"
    """, """
        : __main__.outer
        :   __main__.inner
        :     __main__.leaf
        :   __main__.leaf
    """),
    ("two interleaved generators", """
        @profile
        def left():
            yield 1
            leaf()
            yield 2
        @profile
        def right():
            yield 1
            leaf()
            yield 2
        @profile
        def leaf(): pass
        assert list(zip(left(), right())) == [(1, 1), (2, 2)]
    """, """
        : __main__.left
        : __main__.right
        :   __main__.leaf
        :   __main__.leaf
    """),
    ("a recursive generator", """
        @profile
        def walk(tree):
            for node in tree:
                if isinstance(node, list): yield from walk(node)
                else: yield node
        assert list(walk([1, [2, [3]], 4])) == [1, 2, 3, 4]
    """, """
        : __main__.walk
        :   __main__.walk
        :     __main__.walk
    """),
    ("a context manager, the decorator inside and outside", """
        import contextlib
        @contextlib.contextmanager
        @profile
        def inside():
            yield 1
        @profile
        @contextlib.contextmanager
        def outside():
            yield 2
        @profile
        def body(): pass
        with inside(): body()
        with outside(): body()
    """, """
        : __main__.inside
        : __main__.body
        : __main__.outside
        : __main__.body
    """),
    ("generator methods and closures", """
        class C:
            @profile
            def items(self):
                yield 1
            @classmethod
            @profile
            def of(cls): yield cls
        def make(n):
            @profile
            def inner(): yield n
            return inner
        assert list(C().items()) == [1] and list(C.of()) == [C]
        one, two = make(1), make(2)
        assert list(zip(one(), two())) == [(1, 2)]
    """, """
        : __main__.C.items
        : __main__.C.of
        : __main__.make.<locals>.inner
        : __main__.make.<locals>.inner
    """),
    ("only one of two generator closures is decorated", """
        def make(n):
            def inner(): yield n
            return inner
        one, two = profile(make(1)), make(2)
        assert list(one()) == [1] and list(two()) == [2]
    """, """
        : __main__.make.<locals>.inner
    """),
    ("generator-based coroutines", """
        import types
        @types.coroutine
        @profile
        def step():
            value = yield 1
            return value
        async def main(): return await step()
        coroutine = main()
        assert coroutine.send(None) == 1
        try: coroutine.send("done")
        except StopIteration as stop: assert stop.value == "done"
    """, """
        : __main__.step
    """),
    ("coroutines that await each other", """
        import asyncio
        @profile
        async def outer():
            await inner(); await inner()
        @profile
        async def inner():
            await asyncio.sleep(0)
            leaf()
        @profile
        def leaf(): pass
        asyncio.run(outer())
    """, """
        task 1: __main__.outer
        task 1:   __main__.inner
        task 1:     __main__.leaf
        task 1:   __main__.inner
        task 1:     __main__.leaf
    """),
    ("concurrent tasks have separate lanes", """
        import asyncio
        @profile
        async def handle(n):
            await asyncio.sleep(0.01)
            await fetch(n)
            leaf()
        @profile
        async def fetch(n): await asyncio.sleep(0.01)
        @profile
        def leaf(): pass
        async def main(): await asyncio.gather(handle(1), handle(2))
        asyncio.run(main())
    """, """
        task 1: __main__.handle
        task 2: __main__.handle
        task 1:   __main__.fetch
        task 2:   __main__.fetch
        task 1:   __main__.leaf
        task 2:   __main__.leaf
    """),
    ("tasks with names", """
        import asyncio
        @profile
        async def handle(): await asyncio.sleep(0)
        async def main():
            task = asyncio.create_task(handle())
            task.set_name("GET /index")
            await task
        asyncio.run(main())
    """, """
        GET /index: __main__.handle
    """),
    ("a task in a task, and the plain function around all", """
        import asyncio
        @profile
        def program(): asyncio.run(main())
        @profile
        async def main():
            task = asyncio.create_task(child())
            await task
        @profile
        async def child(): await asyncio.sleep(0)
        program()
    """, """
        : __main__.program
        task 1: __main__.main
        task 2: __main__.child
    """),
    ("a task that is cancelled", """
        import asyncio
        @profile
        async def forever():
            try: await asyncio.sleep(3600)
            finally: cleanup()
        @profile
        def cleanup(): pass
        async def main():
            task = asyncio.create_task(forever())
            await asyncio.sleep(0.01)
            task.cancel()
            try: await task
            except asyncio.CancelledError: pass
            try: await asyncio.wait_for(forever(), 0.01)
            except asyncio.TimeoutError: pass
        asyncio.run(main())
    """, """
        task 1: __main__.forever !
        task 1:   __main__.cleanup
        task 1: __main__.forever !
        task 1:   __main__.cleanup
    """),
    ("a coroutine that fails", """
        import asyncio
        @profile
        async def outer():
            try: await fails()
            except KeyError: await works()
        @profile
        async def fails():
            await asyncio.sleep(0)
            raise KeyError
        @profile
        async def works(): return 1
        asyncio.run(outer())
    """, """
        task 1: __main__.outer
        task 1:   __main__.fails !
        task 1:   __main__.works
    """),
    ("async generators", """
        import asyncio
        @profile
        async def main():
            async for n in numbers(): leaf()
            iterator = numbers()
            assert await iterator.__anext__() == 0
            assert await iterator.asend(None) == 1
            await iterator.aclose()
            leaf()
        @profile
        async def numbers():
            for n in range(2):
                await asyncio.sleep(0)
                yield n
        @profile
        def leaf(): pass
        asyncio.run(main())
    """, """
        task 1: __main__.main
        task 1:   __main__.numbers
        task 1:   __main__.leaf
        task 1:   __main__.leaf
        task 1:   __main__.numbers
        task 1:   __main__.leaf
    """),
    ("async generators that fail, are thrown into, or are dropped", """
        import asyncio
        @profile
        async def fails():
            yield 1
            raise KeyError
        @profile
        async def catches():
            try: yield 1
            except KeyError: yield 2
        @profile
        async def dropped():
            yield 1
        async def main():
            try:
                async for _ in fails(): pass
            except KeyError: pass
            iterator = catches()
            await iterator.__anext__()
            assert await iterator.athrow(KeyError) == 2
            await iterator.aclose()
            async for _ in dropped(): break
        asyncio.run(main())
    """, """
        task 1: __main__.fails !
        task 1: __main__.catches
        task 1: __main__.dropped
    """),
    ("async context managers", """
        import asyncio, contextlib
        @contextlib.asynccontextmanager
        @profile
        async def resource():
            await asyncio.sleep(0)
            yield 1
            await asyncio.sleep(0)
        @profile
        async def body(): pass
        async def main():
            async with resource(): await body()
        asyncio.run(main())
    """, """
        task 1: __main__.resource
        task 1: __main__.body
    """),
    ("a coroutine driven by hand", """
        import types
        @types.coroutine
        def pause(): yield
        @profile
        async def main():
            await pause(); leaf()
        @profile
        def leaf(): pass
        coroutine = main()
        coroutine.send(None); leaf()
        try: coroutine.send(None)
        except StopIteration: pass
        coroutine = main()
        coroutine.send(None)
        coroutine.close()
    """, """
        : __main__.main
        : __main__.leaf
        :   __main__.leaf
        : __main__.main
    """),
    ("an event loop in another thread", """
        import asyncio, threading
        @profile
        async def work(): await asyncio.sleep(0)
        def run(): asyncio.run(work())
        thread = threading.Thread(target=run); thread.start(); thread.join()
    """, """
        task 1: __main__.work
    """),
    ("a plain function in an executor", """
        import asyncio
        @profile
        def blocking(): pass
        @profile
        async def main():
            loop = asyncio.get_running_loop()
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(1, "pool") as pool:
                await loop.run_in_executor(pool, blocking)
        asyncio.run(main())
    """, """
        task 1: __main__.main
        pool_0: __main__.blocking
    """),
]

GREENLETS = [
    ("greenlets that switch", """
        import greenlet
        @profile
        def left():
            inner(); right_greenlet.switch(); inner()
        @profile
        def right():
            inner(); left_greenlet.switch()
        @profile
        def inner(): pass
        @profile
        def main(): left_greenlet.switch(); inner()
        left_greenlet = greenlet.greenlet(left)
        right_greenlet = greenlet.greenlet(right)
        main()
        del right_greenlet
    """, """
        : __main__.main
        greenlet 1: __main__.left
        greenlet 1:   __main__.inner
        greenlet 2: __main__.right !
        greenlet 2:   __main__.inner
        greenlet 1:   __main__.inner
        :   __main__.inner
    """),
    ("a lane number is reused", """
        import greenlet
        @profile
        def work(): pass
        for n in range(100): greenlet.greenlet(work).switch()
    """, "\n".join(["        greenlet 1: __main__.work"] * 100)),
    ("greenlet is imported inside a decorated function", """
        @profile
        def main():
            import greenlet
            work()
            greenlet.greenlet(work).switch()
            work()
        @profile
        def work(): pass
        main()
    """, """
        : __main__.main
        :   __main__.work
        greenlet 1: __main__.work
        :   __main__.work
    """),
]

GEVENT = [
    ("requests that wait for each other", """
        import gevent.monkey; gevent.monkey.patch_all()
        import gevent, time
        @profile
        def handle(n):
            time.sleep(0.01); fetch(n)
        @profile
        def fetch(n): time.sleep(0.01)
        gevent.joinall([gevent.spawn(handle, n) for n in range(2)])
    """, """
        greenlet 1: __main__.handle
        greenlet 2: __main__.handle
        greenlet 1:   __main__.fetch
        greenlet 2:   __main__.fetch
    """),
    ("greenlets in threads of gevent's pool", """
        import gevent.monkey; gevent.monkey.patch_all()
        import gevent
        @profile
        def blocking(): pass
        pool = gevent.get_hub().threadpool
        pool.apply(blocking)
    """, None),
]

add_programs(Suspended, PROGRAMS)
add_programs(Suspended, GREENLETS, "greenlet")
add_programs(Suspended, GEVENT, "gevent")


if __name__ == "__main__":
    unittest.main()
