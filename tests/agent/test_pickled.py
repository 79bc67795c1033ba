"""Decorated functions in code that checks the exact type of functions or pickles them by value (cloudpickle,
dill, and libraries that use them): the program behaves as without the agent, functions arrive decorated, and
their calls in workers are recorded."""

import collections
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
from agent_test import AgentCase, on_each_interpreter  # noqa: E402

OR_NOTHING = """
try: profile
except NameError: profile = lambda function: function
"""

IMPLICIT = """
class A:
    @profile
    def __new__(cls, *rest): return super().__new__(cls)
    @profile
    def __init_subclass__(cls, **options): cls.options = options
    @profile
    def __class_getitem__(cls, item): return cls.__name__, item
    @profile
    def __set_name__(self, owner, name): self.name = name
    held = None
class B(A, x=3):
    held = A()
print(B.options, B[5], A[int], B().held.name, A.__new__.__name__)
print([type(vars(A)[name]).__name__ for name in ("__new__", "__init_subclass__", "__class_getitem__")])
C = type("C", (), {"__init_subclass__": profile(lambda cls: setattr(cls, "made", True))})
print(type("D", (C,), {}).made)
class Guard(type):
    def __setattr__(cls, name, value): raise TypeError("nothing is set on " + cls.__name__)
class E(metaclass=Guard):
    @profile
    def __class_getitem__(cls, item): return item
@profile
class F(metaclass=Guard):
    def method(self): return 6
print(E[4], F().method())
"""

# Code that decides by the exact type of a function, other than by `is`.
BY_TYPE = """
import copy, functools, pickle, types
@profile
def f(x: int, *, y=2): return x
def plain(x): return x
F = types.FunctionType
print(type(f) == F, F == type(f), type(f) != F, type(f) in (int, F), type(f) in {F}, {F: 1}.get(type(f)))
print(type(f) == int, type(f) != int, type(f) == type(plain), hash(type(f)) == hash(F), isinstance(f, F))
print(type(profile(len)) == F, type(profile(functools.partial(plain, 1))) == F)
print(copy.copy(f) is f, copy.deepcopy([f])[0] is f)
for protocol in range(6):
    print(pickle.loads(pickle._dumps(f, protocol)) is f, pickle.loads(pickle.dumps(f, protocol)) is f)
f(1)
"""

BY_VALUE = """
import pickle, subprocess, sys
import {library} as library
G = 5
@profile
def f(n, *, k: int = 2) -> "int":
    "doc"
    return n * k + G
f.attribute = 3
@profile
def generated(n):
    for i in range(n): yield i
def outer(k):
    @profile
    def closure(x): return f(x) * k
    return closure
class C:
    @profile
    def m(self): return 3
    @profile
    @classmethod
    def k(cls): return cls.__name__
    @profile
    @staticmethod
    def s(): return 9
    @property
    @profile
    def p(self): return 8
pickled = library.dumps((f, outer(3), C, generated), {options})
code = '''import sys, {loader}
f, closure, C, generated = {loader}.load(sys.stdin.buffer)
print(f(3), f(3, k=4), closure(4), list(generated(3)), C().m(), C.k(), C.s(), C().p)
print(f.__doc__, f.__annotations__, f.__qualname__, f.__module__, vars(f), f.__kwdefaults__)'''
done = subprocess.run([sys.executable, "-c", code], input=pickled, capture_output=True)
print(done.stdout.decode(), done.stderr.decode())
done.check_returncode()
"""

BY_VALUE_CALLS = {"__main__.f": 3, "__main__.outer.<locals>.closure": 1, "__main__.generated": 1,
                  "__main__.C.m": 1, "__main__.C.k": 1, "__main__.C.s": 1, "__main__.C.p": 1}

# Recursive functions: pickling one finds it again inside itself.
RECURSIVE = """
import pickle, subprocess, sys
import cloudpickle
@profile
def fact(n): return 1 if n == 0 else n * fact(n - 1)
def outer():
    @profile
    def inner(n): return 1 if n == 0 else n * inner(n - 1)
    return inner
class C:
    @profile
    def m(self, n): return n if n == 0 else C().m(n - 1)
code = "import pickle, sys; f, g, C = pickle.load(sys.stdin.buffer); print(f(3), g(2), C().m(1))"
pickled = cloudpickle.dumps((fact, outer(), C))
done = subprocess.run([sys.executable, "-c", code], input=pickled, capture_output=True)
print(done.stdout.decode(), done.stderr.decode())
same = cloudpickle.loads(cloudpickle.dumps([fact, fact]))
print(same[0] is same[1], same[0](0))
"""

# Unpickled without mprof, the functions are undecorated.
ELSEWHERE = """
import os, pickle, subprocess, sys
import cloudpickle
@profile
def f(n): return n + 1
code = "import pickle, sys; f = pickle.load(sys.stdin.buffer); print(f(3), type(f), vars(f))"
environment = {name: text for name, text in os.environ.items() if name not in ("LD_PRELOAD", "MPROF_RINGS")}
done = subprocess.run([sys.executable, "-c", code], input=cloudpickle.dumps(f), capture_output=True,
                      env=environment)
print(done.stdout.decode(), done.stderr.decode())
f(1)
"""

JOBLIB = """
from joblib import Parallel, delayed
@profile
def f(n): return n * 2
def main():
    @profile
    def g(n): return f(n) + 1
    print(Parallel(n_jobs=2)(delayed(g)(i) for i in range(6)))
main()
"""

DASK = """
import dask, dask.multiprocessing
@profile
def f(n): return n * 2
if __name__ == "__main__":
    print(dask.compute(*[dask.delayed(f)(i) for i in range(6)], scheduler="processes", num_workers=2))
"""

DISTRIBUTED = """
from dask.distributed import Client, LocalCluster
@profile
def f(n): return n * 2
if __name__ == "__main__":
    with LocalCluster(n_workers=2, processes=True, threads_per_worker=1, dashboard_address=None,
                      silence_logs=50) as cluster, Client(cluster) as client:
        print(sorted(client.gather(client.map(f, range(6)))))
"""

CANNED = """
from ipyparallel.serialize import can, deserialize_object, serialize_object
@profile
def f(n): return n + 1
print(type(can(f)).__name__, deserialize_object(serialize_object(f))[0](3))
f(1)
"""

MULTIPROCESS = """
import multiprocess
@profile
def f(n): return n * 2
def main():
    @profile
    def g(n): return n + 1
    with multiprocess.get_context("fork").Pool(2) as pool:
        print(pool.map(f, range(3)), pool.map(g, range(3)), pool.map(lambda n: n + 3, range(2)))
        pool.close()
        pool.join()
main()
"""


def folder_of(package):
    """The folder of a pure Python package in any interpreter of the machine."""
    places = (one.place_of(package) for one in interpreters.every())
    place = next(filter(None, places), None)
    return pathlib.Path(place).parent if place else None


class Pickled(AgentCase):
    def compare(self, interpreter, source, calls, *packages, plain_may_fail=False):
        """Checks that the program behaves as without the agent, and the number of calls by name. Interpreters
        without `packages` use those of another one; where they do not work, nothing is compared."""
        path = self.directory / "lent"
        path.mkdir(exist_ok=True)
        for package in packages:
            folder = folder_of(package)
            if folder is None:
                self.skipTest(f"no interpreter with {package}")
            if not (path / package).exists():
                (path / package).symlink_to(folder)
        environment = {"PYTHONPATH": str(path)} if packages else {}
        program = self.write("program.py", OR_NOTHING + source)
        plain = self.run_plain(interpreter, program, env=environment)
        if plain.returncode != 0 and plain_may_fail:
            return
        self.assertEqual(plain.returncode, 0, plain.stderr)
        done = self.run_agent(interpreter, program, env=environment)
        self.assertEqual((done.out, done.err), (plain.stdout, plain.stderr))
        if calls is not None:
            self.assertEqual(collections.Counter(call.name for call in done.calls), calls)
        self.assertEqual([call for call in done.calls if call.open], [])
        return done

    @on_each_interpreter()
    def test_implicit_methods(self, interpreter):
        done = self.compare(interpreter, IMPLICIT, None)
        counts = collections.Counter(call.name for call in done.calls)
        self.assertEqual((counts["__main__.A.__init_subclass__"], counts["__main__.A.__class_getitem__"],
                          counts["__main__.A.__new__"], counts["__main__.F.method"]), (1, 2, 2, 1))

    @on_each_interpreter()
    def test_exact_type(self, interpreter):
        self.compare(interpreter, BY_TYPE, {"__main__.f": 1})

    @on_each_interpreter()
    def test_cloudpickle(self, interpreter):
        source = BY_VALUE.format(library="cloudpickle", options="protocol=2", loader="pickle")
        self.compare(interpreter, source, BY_VALUE_CALLS, "cloudpickle")

    @on_each_interpreter()
    def test_own_copy_of_cloudpickle(self, interpreter):
        """As in joblib, ray and pyspark."""
        folder = folder_of("cloudpickle")
        if folder is None:
            self.skipTest("no interpreter with cloudpickle")
        self.write("vendor/__init__.py", "")
        for path in folder.glob("*.py"):
            text = path.read_text().replace("from cloudpickle", "from vendor.cloudpickle")
            self.write(f"vendor/cloudpickle/{path.name}", text)
        source = BY_VALUE.format(library="vendor.cloudpickle", options="", loader="pickle")
        self.compare(interpreter, source, BY_VALUE_CALLS)

    @on_each_interpreter()
    def test_functions_that_call_themselves(self, interpreter):
        self.compare(interpreter, RECURSIVE, {"__main__.fact": 5, "__main__.outer.<locals>.inner": 3,
                                              "__main__.C.m": 2}, "cloudpickle")

    @on_each_interpreter()
    def test_unpickled_elsewhere(self, interpreter):
        self.compare(interpreter, ELSEWHERE, {"__main__.f": 1}, "cloudpickle")

    @on_each_interpreter()
    def test_dill(self, interpreter):
        source = BY_VALUE.format(library="dill", options="recurse=True", loader="dill")
        self.compare(interpreter, source, BY_VALUE_CALLS, "dill", plain_may_fail=True)

    @on_each_interpreter("joblib")
    def test_joblib(self, interpreter):
        done = self.compare(interpreter, JOBLIB,
                            {"__main__.f": 6, "__main__.main.<locals>.g": 6})
        self.assertEqual({call.level for call in done.calls if call.name == "__main__.f"}, {1})

    @on_each_interpreter("dask.multiprocessing", "cloudpickle")
    def test_dask(self, interpreter):
        self.compare(interpreter, DASK, {"__main__.f": 6})

    @on_each_interpreter("dask.distributed")
    def test_distributed(self, interpreter):
        self.compare(interpreter, DISTRIBUTED, {"__main__.f": 6})

    @on_each_interpreter("ipyparallel")
    def test_ipyparallel(self, interpreter):
        self.compare(interpreter, CANNED, None)

    @on_each_interpreter("multiprocess")
    def test_multiprocess(self, interpreter):
        self.compare(interpreter, MULTIPROCESS, {"__main__.f": 3, "__main__.main.<locals>.g": 3})


if __name__ == "__main__":
    unittest.main()
