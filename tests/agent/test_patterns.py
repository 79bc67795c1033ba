"""mprof run --func: functions recorded by patterns, without a decorator."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from agent_test import AgentCase, on_each_interpreter  # noqa: E402
from mprof_test import Recording, python  # noqa: E402

# Functions of every kind; other objects hold most of them before the module is loaded.
MODULE = '''
import functools
registry = {}
def route(function):
    registry[function.__name__] = function
    return function
def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs): return function(*args, **kwargs)
    return wrapper
@route
def view(a, b=2, *rest, key="k", **more) -> int:
    "What it shows."
    return helper(a) + b
@logged
def shown(): return "shown"
def helper(x): return x
def numbers(n):
    got = yield n
    yield got
async def fetch(x):
    return x
class Base:
    def greet(self): return "base"
class Thing(Base):
    def __init__(self, x): self.x = x
    def greet(self): return super().greet() + str(self.x)
    @staticmethod
    def fixed(): return "fixed"
    @classmethod
    def made(cls): return cls(1)
    @property
    def doubled(self): return self.x * 2
    class Inner:
        def deep(self): return "deep"
from os.path import join
alias = helper
'''

USE = '''
import asyncio, importlib, inspect
module = importlib.import_module("pkg.mod")
assert module.registry["view"](1) == 3 and module.view(1, b=4, key="x", other=1) == 5
assert module.shown() == "shown" and module.alias(9) == 9
generator = module.numbers(1)
assert next(generator) == 1 and generator.send(5) == 5
assert list(module.numbers(2)) == [2, None]
assert asyncio.run(module.fetch(3)) == 3
thing = module.Thing.made()
assert thing.greet() == "base1" and thing.fixed() == "fixed" and thing.doubled == 2
assert module.Thing.Inner().deep() == "deep"
assert module.join("a", "b") == "a/b"
assert str(inspect.signature(module.view)) == "(a, b=2, *rest, key='k', **more) -> int"
assert module.view.__doc__ == "What it shows." and module.view.__name__ == "view"
assert inspect.iscoroutinefunction(module.fetch) and inspect.isgeneratorfunction(module.numbers)
assert module.view.__module__ == "pkg.mod" and inspect.isfunction(module.view)
'''

EVERYTHING = """
    pkg.mod.view
      pkg.mod.helper
    pkg.mod.view
      pkg.mod.helper
    pkg.mod.shown
    pkg.mod.helper
    pkg.mod.numbers
    pkg.mod.numbers
    pkg.mod.fetch
    pkg.mod.Thing.made
      pkg.mod.Thing.__init__
    pkg.mod.Thing.greet
      pkg.mod.Base.greet
    pkg.mod.Thing.fixed
    pkg.mod.Thing.doubled
    pkg.mod.Thing.Inner.deep
"""


class Patterns(AgentCase):
    def setUp(self):
        super().setUp()
        self.write("pkg/__init__.py", "")
        self.write("pkg/mod.py", MODULE)

    def names(self, done):
        return ["  " * call.level + call.name + (" !" if call.failed else "")
                for call in done.calls if ".route" not in call.name and "logged" not in call.name]

    def run_with(self, interpreter, patterns, source=USE, **options):
        done = self.run_agent(interpreter, self.write("program.py", source),
                              env={"MPROF_FUNC": "\n".join(patterns)}, **options)
        self.assertEqual((done.out, done.err), ("", ""))
        self.assertFalse(any(call.open for call in done.calls))
        return done

    @on_each_interpreter()
    def test_a_whole_module(self, interpreter):
        expected = [line[4:] for line in EVERYTHING.strip("\n").split("\n")]
        for pattern in ("pkg.mod", "pkg.mod:*", "pkg.*", "*.mod:*"):
            done = self.run_with(interpreter, [pattern])
            self.assertEqual(self.names(done), expected, pattern)

    @on_each_interpreter()
    def test_single_functions(self, interpreter):
        for patterns, expected in (
                (["pkg.mod:view"], ["pkg.mod.view", "pkg.mod.view"]),
                (["pkg.mod:Thing.greet", "pkg.mod:sh*"], ["pkg.mod.shown", "pkg.mod.Thing.greet"]),
                (["pkg.mod:Thing"], [
                    "pkg.mod.Thing.made", "  pkg.mod.Thing.__init__", "pkg.mod.Thing.greet",
                    "pkg.mod.Thing.fixed", "pkg.mod.Thing.doubled", "pkg.mod.Thing.Inner.deep"]),
                (["pkg.mod:Inner", "other:*", "pkg:*"], [])):
            done = self.run_with(interpreter, patterns)
            self.assertEqual(self.names(done), expected, patterns)

    @on_each_interpreter()
    def test_together_with_the_decorator(self, interpreter):
        self.write("both.py", "@profile\ndef f(): pass\ndef g(): f()\n")
        done = self.run_with(interpreter, ["both"], "import both; both.g()")
        self.assertEqual(self.names(done), ["both.g", "  both.f"])

    @on_each_interpreter()
    def test_exceptions_pass_through(self, interpreter):
        self.write("fails.py", "def f(): raise KeyError('x')\n")
        source = ("import fails, traceback\n"
                  "try: fails.f()\n"
                  "except KeyError: traceback.print_exc()\n")
        done = self.run_agent(interpreter, self.write("program.py", source),
                              env={"MPROF_FUNC": "fails"})
        self.assertEqual(self.names(done), ["fails.f !"])
        self.assertIn("fails.py\", line 1, in f", done.err)
        self.assertTrue(done.err.endswith("KeyError: 'x'\n"))

    @on_each_interpreter()
    def test_modules_that_fail_are_loaded_once(self, interpreter):
        self.write("broken.py", "print('executed')\nimport nothing_of_this_name\n")
        done = self.run_agent(interpreter, "-c", "try: import broken\nexcept ImportError: pass",
                              env={"MPROF_FUNC": "broken"})
        self.assertEqual((done.out, done.err), ("executed\n", ""))

    @on_each_interpreter()
    def test_callers_are_seen(self, interpreter):
        self.write("watched.py", """
            import inspect, sys, warnings
            def caller(): return sys._getframe(1).f_code.co_name, sys._getframe(1).f_lineno
            def deprecated(*, old=None): warnings.warn("use another", DeprecationWarning, stacklevel=2)
            def stack(n): return stack(n - 1) if n else [one.function for one in inspect.stack()]
            def fails(): raise KeyError(inspect.stack()[1].function)
            class C:
                def m(self, *args, **more): return caller(), args, more
        """)
        source = """
            import threading, warnings, watched
            warnings.simplefilter("always")
            def outer():
                print(watched.caller(), watched.C().m(1, b=2), watched.stack(3))
                watched.deprecated(old=1)
                try: watched.fails()
                except KeyError as error: print(error)
                print(getattr(watched.caller, "__wrapped__", watched.caller)())
            outer()
            thread = threading.Thread(target=watched.stack, args=(2,)); thread.start(); thread.join()
        """
        path = self.write("program.py", source)
        plain = self.run_plain(interpreter, path)
        done = self.run_agent(interpreter, path, env={"MPROF_FUNC": "watched:*"})
        self.assertEqual((done.out, done.err), (plain.stdout, plain.stderr))
        self.assertEqual(len(done.calls), 13)

    @on_each_interpreter()
    def test_tracebacks(self, interpreter):
        """In 3.11 they have one more entry, at the line of the `def`."""
        self.write("watched.py", """
            def fails(n):
                if n:
                    return fails(n - 1)
                raise KeyError
            def outer(n):
                def inner():

                    return n
                fails(inner())
        """)
        path = self.write("program.py", """
            import traceback, watched
            try: watched.outer(1)
            except KeyError as error: print([f"{one.name}:{one.lineno}" for one in
                                             traceback.extract_tb(error.__traceback__)][1:])
        """)
        done = self.run_agent(interpreter, path, env={"MPROF_FUNC": "watched:*"})
        expected = ["outer:10", "fails:4", "fails:5"]
        if interpreter.version[:2] == (3, 11):
            expected = ["outer:6", "outer:10", "fails:2", "fails:4", "fails:2", "fails:5"]
        self.assertEqual((done.out, done.err), (f"{expected}\n", ""))

    @on_each_interpreter()
    def test_parameters_are_seen(self, interpreter):
        """Libraries read them from the code: pluggy does."""
        self.write("watched.py", """
            def none(): return ()
            def plain(a, b=2): return a, b
            def all_kinds(a, /, b, c=3, *rest, d, e=5, **more): return a, b, c, rest, d, e, more
            def keywords(*, d=4, t=1): return d, t
            def rest(*a): return a
            def more(**k): return sorted(k)
            async def coroutine(a, *, b): return a, b
            def generator(a, *b): yield a; return b
            class C:
                def m(self, x, __y=1): return x, __y
            def outer(a):
                def inner(b=1): return a + b
                return inner
        """)
        source = """
            import inspect, watched
            for f in (watched.none, watched.plain, watched.all_kinds, watched.keywords, watched.rest,
                      watched.more, watched.coroutine, watched.generator, watched.C.m, watched.outer):
                code = f.__code__
                count = code.co_argcount + code.co_kwonlyargcount
                print(f.__name__, inspect.signature(f), inspect.getfullargspec(f), code.co_argcount,
                      code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames[:count],
                      f.__defaults__, f.__kwdefaults__)
                try: print(f(bad=1))
                except TypeError as error: print(error)
            print(watched.none(), watched.plain(1), watched.plain(b=1, a=3), watched.keywords(t=2),
                  watched.all_kinds(1, 2, 3, 4, 5, d=6, f=7), watched.all_kinds(1, b=2, d=3),
                  watched.rest(1, 2), watched.more(a=1, b=2), list(watched.generator(1, 2)),
                  watched.C().m(3), watched.outer(1)(2))
            try: watched.coroutine(1, b=2).send(None)
            except StopIteration as error: print(error)
            watched.plain.__defaults__ = 7,
            print(watched.plain(1))
        """
        path = self.write("program.py", source)
        plain = self.run_plain(interpreter, path)
        self.assertEqual(plain.returncode, 0, plain.stderr)
        done = self.run_agent(interpreter, path, env={"MPROF_FUNC": "watched:*"})
        self.assertEqual((done.out, done.err), (plain.stdout, plain.stderr))
        self.assertGreater(len(done.calls), 13)

    @on_each_interpreter()
    def test_the_script_itself(self, interpreter):
        source = """
            def outer(): return inner()
            def inner(): return 1
            class C:
                def m(self): return list(self.numbers())
                def numbers(self): yield outer()
            C().m()
        """
        path = self.write("script.py", source)
        for arguments in ((path,), ("-c", path.read_text()), ("-m", "script")):
            done = self.run_agent(interpreter, *arguments,
                                  env={"MPROF_FUNC": "__main__:C\n__main__:outer"})
            if interpreter.version >= (3, 12):
                self.assertEqual(self.names(done), ["__main__.C.m", "  __main__.C.numbers",
                                                    "    __main__.outer"])
                self.assertEqual(done.err, "")
            else:
                self.assertEqual(done.err.count("mprof: --func: "), 1)

    @on_each_interpreter()
    def test_in_children(self, interpreter):
        done = self.run_agent(interpreter, self.write("program.py", """
            import multiprocessing, pkg.mod
            if __name__ == "__main__":
                multiprocessing.set_start_method("spawn")
                with multiprocessing.Pool(1) as pool:
                    assert pool.map(pkg.mod.helper, [1, 2]) == [1, 2]
        """), env={"MPROF_FUNC": "pkg.mod:helper"})
        self.assertEqual([call.name for call in done.calls], ["pkg.mod.helper"] * 2)

    @on_each_interpreter()
    def test_limit_of_marked_functions(self, interpreter):
        self.write("many.py", "".join(f"def f{n}(): pass\n" for n in range(10001)))
        done = self.run_agent(interpreter, "-c", "import many; many.f0(); many.f9999(); many.f10000()",
                              env={"MPROF_FUNC": "many"})
        self.assertEqual(self.names(done), ["many.f0", "many.f9999"])
        self.assertEqual(done.err.count("mprof: --func: more than 10000"), 1)

    @on_each_interpreter()
    def test_a_module_of_the_standard_library(self, interpreter):
        done = self.run_agent(interpreter, "-c", "import json; print(json.loads(json.dumps([1])))",
                              env={"MPROF_FUNC": "json*"})
        self.assertEqual(done.out, "[1]\n")
        self.assertIn("json.dumps", [call.name for call in done.calls])
        self.assertIn("json.decoder.JSONDecoder.decode", [call.name for call in done.calls])

    @on_each_interpreter("flask")
    def test_flask(self, interpreter):
        self.write("web.py", """
            import flask
            app = flask.Flask(__name__)
            @app.route("/")
            def index(): return helper()
            def helper(): return "hello"
        """)
        done = self.run_agent(interpreter, "-c", "import web\n"
                              "print(web.app.test_client().get('/').get_data(as_text=True))",
                              env={"MPROF_FUNC": "web:*"})
        self.assertEqual((done.out, self.names(done)), ("hello\n", ["web.index", "  web.helper"]))


class Command(mprof_test.TestCase):
    def test_options(self):
        (self.directory / "mod.py").write_text("def f(): g()\ndef g(): pass\ndef h(): pass\n")
        (self.directory / "program.py").write_text("import mod; mod.f(); mod.h()\n")
        self.run_mprof("run", "--func", "mod:f", "--func=mod:h", "-o", "out.dat", python(),
                       "program.py")
        names = [call.name for call in Recording(self.directory / "out.dat").calls]
        self.assertEqual(names, ["mod.f", "mod.h"])

    def test_bad_patterns(self):
        for pattern in ("", ":f", "a\nb"):
            done = self.run_mprof("run", "--func", pattern, "-o", "out.dat", "true", expect=2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertFalse((self.directory / "out.dat").exists())


if __name__ == "__main__":
    unittest.main()
