"""What the stacks of programs look like that wait at a known place: each frame with its line."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import on_each_interpreter  # noqa: E402
from stack_test import StackCase  # noqa: E402


def short(interpreter, *names):
    """Names as this version has them."""
    if interpreter.version >= (3, 11):
        return list(names)
    return [f"{name.split('.')[0]}.{name.split('.')[-1]}" for name in names]


class Waiting(StackCase):
    """Each program says "ready" from its innermost function, where it then waits for input."""

    def check(self, interpreter, source, expected, **options):
        """`expected`: qualified names of __main__, outermost first; lines are those marked in the source by
        the comment "# at <name>"."""
        process = self.start_python(interpreter, source, **options)
        thread = self.main_thread(process.pid)
        main = [(name, line) for name, line, file in zip(thread.names, thread.lines, thread.files)
                if file.endswith("program.py")]
        lines = self.write("program.py", source).read_text().splitlines()
        self.assertEqual([name for name, _ in main], short(interpreter, *(f"__main__.{name}" for name in expected)))
        for name, line in main:
            self.assertIn("# at", lines[line - 1], f"{name}:{line}")
        self.assertEqual(thread.tid, process.pid)
        self.assertFalse(thread.is_torn or thread.is_cut)
        return thread

    WAIT = """
import sys
def wait():
    print("ready", flush=True)
    sys.stdin.readline() # at
"""

    @on_each_interpreter()
    def test_nested(self, interpreter):
        self.check(interpreter, self.WAIT + """
def inner(): wait() # at
def outer():
    x = 1
    inner() # at
    return x
outer() # at
""", ["<module>", "outer", "inner", "wait"])

    @on_each_interpreter()
    def test_recursive(self, interpreter):
        self.check(interpreter, self.WAIT + """
def down(n):
    if n == 0: wait() # at
    else: down(n - 1) # at
down(300) # at
""", ["<module>", *["down"] * 301, "wait"])

    @on_each_interpreter()
    def test_generators(self, interpreter):
        self.check(interpreter, self.WAIT + """
def inner():
    yield 1
    wait() # at
def middle():
    yield from inner() # at
def use():
    return [x for x in middle()] if sys.version_info > (3, 12) else list(middle()) # at
use() # at
""", ["<module>", "use", "middle", "inner", "wait"])

    @on_each_interpreter()
    def test_callbacks_through_c(self, interpreter):
        self.check(interpreter, self.WAIT + """
import functools, re
def key(x):
    if x == 2: re.sub("a", replace, "a") # at
    return x
def replace(match):
    functools.reduce(fold, [1, 2]) # at
    return "b"
def fold(a, b):
    wait() # at
    return a
def use(): sorted([1, 2], key=key) # at
use() # at
""", ["<module>", "use", "key", "replace", "fold", "wait"])

    @on_each_interpreter()
    def test_classes(self, interpreter):
        self.check(interpreter, self.WAIT + """
class Base:
    def __init__(self, value): self.value = value # at
class Thing(Base):
    def __init__(self):
        super().__init__(3)
        self.open() # at
    def open(self):
        with self: self.value # at
    def __enter__(self): return self
    def __exit__(self, *what):
        self.shape # at
    @property
    def shape(self): return Thing.make() # at
    @classmethod
    def make(cls): return cls.static() # at
    @staticmethod
    def static(): wait() # at
for i in range(200): Base(i) # specialised by then
Thing() # at
""", ["<module>", "Thing.__init__", "Thing.open", "Thing.__exit__", "Thing.shape", "Thing.make",
      "Thing.static", "wait"])

    @on_each_interpreter()
    def test_class_bodies_and_lambdas(self, interpreter):
        self.check(interpreter, self.WAIT + """
def make():
    class Local: # at
        made = (lambda: wait())() # at
make() # at
""", ["<module>", "make", "make.<locals>.Local", "make.<locals>.Local.<lambda>", "wait"])

    @on_each_interpreter()
    def test_exceptions_and_finalisers(self, interpreter):
        self.check(interpreter, self.WAIT + """
class Last:
    def __del__(self): wait() # at
def use():
    last = Last()
    try:
        raise KeyError
    except KeyError:
        try: 1 / 0
        finally: drop([last, last := None]) # at
def drop(them):
    them.clear() # at
use() # at
""" if interpreter.version >= (3, 9) else self.WAIT + "wait() # at\n",
                   ["<module>", "use", "drop", "Last.__del__", "wait"] if interpreter.version >= (3, 9)
                   else ["<module>", "wait"])

    @on_each_interpreter()
    def test_coroutines(self, interpreter):
        thread = self.check(interpreter, self.WAIT + """
import asyncio
async def leaf():
    await asyncio.sleep(0)
    wait() # at
async def agen():
    await leaf() # at
    yield 1
async def main():
    async for _ in agen(): pass # at
asyncio.run(main()) # at
""", ["<module>", "main", "agen", "leaf", "wait"])
        self.assertIn("asyncio.base_events.run_until_complete",
                      [name.replace("BaseEventLoop.", "") for name in thread.names])

    @on_each_interpreter()
    def test_names_beyond_ascii(self, interpreter):
        process = self.start_python(interpreter, self.WAIT + """
def größe(): wait()
def 関数(): größe()
def long(): 関数()
long.__code__ = long.__code__.replace(co_name="𝒳é" + "x" * 5000)
long()
""")
        names = self.main_thread(process.pid).names
        # replace() keeps the qualified name from 3.11 on
        self.assertEqual(names[2:4], ["__main__.関数", "__main__.größe"])
        if interpreter.version < (3, 11):
            self.assertTrue(names[1].startswith("__main__.𝒳é" + "x" * 900) and len(names[1]) < 1100, names[1])

    @on_each_interpreter()
    def test_modules(self, interpreter):
        """The module is that of the globals; code without one has none."""
        self.write("shop.py", "import sys\ndef serve(f): f()\n")
        process = self.start_python(interpreter, self.WAIT + """
import shop
def run(): exec(compile("def f(): wait()\\nf()", "<rules>", "exec"), {"wait": wait})
shop.serve(run)
""")
        thread = self.main_thread(process.pid)
        self.assertEqual(thread.names, short(interpreter, "__main__.<module>", "shop.serve", "__main__.run")
                         + [".<module>", ".f", "__main__.wait"])
        self.assertEqual(thread.files[3], "<rules>")

    @on_each_interpreter()
    def test_deeper_than_the_limit(self, interpreter):
        process = self.start_python(interpreter, self.WAIT + """
sys.setrecursionlimit(4000)
def down(n): wait() if n == 0 else down(n - 1)
down(2500)
""")
        thread = self.main_thread(process.pid)
        self.assertTrue(thread.is_cut)
        self.assertEqual(len(thread.names), 1024)
        self.assertEqual(thread.names[-2:], ["__main__.down", "__main__.wait"])


if __name__ == "__main__":
    unittest.main()
