"""Memory runs out within the interpreter: each of its allocations fails once, in turn. The program gets the MemoryError
that it would get without mprof, nothing else, and is recorded afterwards."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from agent_test import AgentCase  # noqa: E402

# 3.12 ends by a segmentation fault, also without mprof. So do versions before it at `dict.items()`, which decorating a
# class needs: that is not tried.
FIRST_THAT_CRASHES = (3, 12)

PROGRAM = """
    import _testcapi, functools
    def plain():
        @profile
        def f(a, b=2): return a
        return f(1) + f(1, b=3)
    def callables():
        class C:
            @profile
            @functools.lru_cache(None)
            def m(self): return 1
            @profile
            @staticmethod
            def s(): return 2
            @profile
            @classmethod
            def k(cls): return 3
            @profile
            @property
            def p(self): return 4
            x = profile(functools.partial(max, 1))
        c = C()
        return c.m() + c.s() + c.k() + c.p + c.x(2)
    def generators():
        @profile
        def g():
            got = yield 1
            yield got
        it = g(); next(it); it.send(2); it.close()
        for _ in g(): pass
    def coroutines():
        @profile
        async def c(): return 1
        @profile
        async def a(): yield 1
        async def main():
            async for _ in a(): pass
            return await c()
        try: main().send(None)
        except StopIteration as end: return end.value
    def blocks():
        with profile.timestamp("a block"): pass
    for scenario in (plain, callables, generators, coroutines, blocks):
        failures = succeeded = n = 0
        while succeeded < 30:
            _testcapi.set_nomemory(n, n + 1)
            try:
                try: scenario()
                finally: _testcapi.remove_mem_hooks()
            except MemoryError:
                failures += 1
                succeeded = 0
            except RuntimeError as error: # so reported by the creation of a class
                if not isinstance(error.__cause__, MemoryError): raise
            else: succeeded += 1
            n += 1
        print(scenario.__name__, failures > 0)
    @profile
    def last(): return 5
    assert last() == 5
"""


class NoMemory(AgentCase):
    def test_each_allocation(self):
        chosen = [one for one in interpreters.supported()
                  if one.version < FIRST_THAT_CRASHES and one.has("_testcapi")]
        if not chosen:
            self.skipTest("no interpreter whose allocations can fail")
        for interpreter in (chosen[0], chosen[-1]):
            with self.subTest(python=str(interpreter)):
                done = self.run_agent(interpreter, "-W", "ignore", self.write("program.py", PROGRAM))
                self.assertEqual(done.out.split(), "plain True callables True generators True coroutines True "
                                                   "blocks True".split())
                self.assertEqual(done.err, "")
                self.assertEqual([call.name for call in done.calls][-1], "__main__.last")


if __name__ == "__main__":
    unittest.main()
