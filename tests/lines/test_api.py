"""The functions and classes of memory_profiler, on every Python: memory_usage in all its forms,
TimeStamper, CodeMap, MemTimer and other names that programs import."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from mprof_test import UPSTREAM, TestCase, upstream  # noqa: E402

CASES = {}

CASES["this process, once and for a while"] = """
    one = memory_usage()
    assert len(one) == 1 and type(one[0]) is float and 1 < one[0] < 500, one
    assert memory_usage(-1) and memory_usage(str(os.getpid()))
    start = time.monotonic()
    many = memory_usage(-1, interval=.02, timeout=.1)
    assert len(many) == 5 and time.monotonic() - start >= .09, many
    pairs = memory_usage(timestamps=True, interval=.02, timeout=.06)
    assert [len(pair) for pair in pairs] == [2, 2, 2] and pairs[0][1] < pairs[2][1]
    assert type(memory_usage(timeout=.05, interval=.01, max_usage=True)) is float
"""
CASES["a function"] = """
    calls = []
    def f(*args, **kw):
        calls.append((args, kw))
        block = b"x" * (32 << 20)
        time.sleep(.3)
        return args, kw
    mem, ret = memory_usage((f, (1, 2), dict(a=1)), interval=.02, retval=True)
    assert ret == ((1, 2), {"a": 1}) and calls == [((1, 2), {"a": 1})]
    assert type(mem) is list and 5 <= len(mem) <= 60, len(mem)
    assert max(mem) - mem[0] > 31 and mem[0] - 1 < mem[-1] < mem[0] + 2, mem
    calls.clear()
    assert type(memory_usage((f,), max_usage=True)) is float
    assert memory_usage((f, (3,)), max_usage=True, retval=True)[1] == ((3,), {})
    assert len(memory_usage(f)) > 2
    assert len(calls) == 3
    pairs = memory_usage((f, (1,)), timestamps=True, interval=.05)
    mean = (pairs[-2][1] - pairs[0][1]) / (len(pairs) - 2)
    assert .04 < mean < 1 or len(pairs) < 8, pairs     # fewer: the machine is too busy
    for wrong in ((), (f, (), {}, 4)):
        try: memory_usage(wrong)
        except ValueError: pass
        else: assert False
"""
CASES["a short function is called once and measured often"] = """
    calls = []
    def f():
        calls.append(b"x" * (48 << 20))
        calls[-1] = None
    mem = memory_usage(f)
    assert len(calls) == 1 and len(mem) >= 4, mem
    def g():
        calls.append(b"x" * (96 << 20))
        calls[-1] = None
    highest = memory_usage(g, interval=10, max_usage=True)
    assert highest - memory_usage()[0] > 95, highest     # the kernel's high-water mark, between two samples
"""
CASES["an exception is passed on and nothing is left behind"] = """
    import signal, threading
    def fails(): raise NotImplementedError("Error")
    def exits(): raise SystemExit(3)
    for function, error in ((fails, NotImplementedError), (exits, SystemExit)):
        try: memory_usage(function, interval=.01)
        except error: pass
        else: assert False
    child = subprocess.Popen(["sleep", "30"])
    try: memory_usage(fails)
    except NotImplementedError: pass
    assert child.poll() is None      # upstream kills every child
    child.kill(); child.wait()
    assert len(os.listdir("/proc/self/task")) == 1 and threading.active_count() == 1
"""
CASES["a function that cannot be pickled"] = """
    import threading
    lock = threading.Lock()
    def make():
        unpicklable = lambda: lock
        return memory_usage((unpicklable,), retval=True)[1] is lock
    assert make()
"""
CASES["a function that holds the GIL"] = """
    def holds():
        sum(range(6000000))
    assert len(memory_usage(holds, interval=.01)) > 4
"""
CASES["a function that forks"] = """
    def forks():
        pid = os.fork()
        if pid == 0: os._exit(0 if memory_usage((lambda: 1,), interval=.01) else 1)
        return os.waitpid(pid, 0)[1]
    assert memory_usage(forks, retval=True)[1] == 0
    def nested():
        pid = os.fork()
        if pid == 0: return "child"
        os.waitpid(pid, 0)
        return "parent"
    mem, which = memory_usage(nested, retval=True)
    if which == "child": os._exit(0)     # stopping does not hang in a process without the thread
"""
CASES["forks at any moment of the sampling never hang"] = """
    def forks():
        for i in range(12):
            pid = os.fork()
            if pid == 0:
                memory_usage((bytes, (100000,)), interval=0, include_children=i % 2)
                return "child"
            assert os.waitpid(pid, 0)[1] == 0
            time.sleep(i * 3e-5)
    for backend in ("psutil", "tracemalloc"):
        mem, which = memory_usage(forks, interval=0, backend=backend, retval=True)
        if which == "child": os._exit(0)
        assert len(mem) > 4
"""
CASES["a started process"] = """
    CODE = "import time; time.sleep({}); a = b'x' * (40 << 20); time.sleep({})"
    def start(*times): return subprocess.Popen([sys.executable, "-I", "-S", "-c", CODE.format(*times)])
    mem = memory_usage(start(.2, .3), interval=.02)
    assert max(mem) - min(mem) > 35 and len(mem) > 4, mem
    assert memory_usage(start(0, .3), interval=.02, max_usage=True) > 40
    child = start(0, 30)
    assert len(memory_usage(child, interval=.02, timeout=.1)) == 5
    child.kill(); child.wait()
    gone = subprocess.Popen(["true"]); gone.wait()
    assert memory_usage(gone) == []
"""
CASES["a process that does not exist"] = """
    gone = subprocess.Popen(["true"]); gone.wait()
    for max_usage in (False, True):
        try: memory_usage(gone.pid, max_usage=max_usage)
        except ProcessLookupError as error: assert str(gone.pid) in str(error)
        else: assert False
"""
CASES["a process that does not exist, with psutil loaded"] = """
    try: import psutil
    except ImportError: sys.exit()
    gone = subprocess.Popen(["true"]); gone.wait()
    for error in (psutil.NoSuchProcess, ProcessLookupError):
        for call in (lambda: memory_usage(gone.pid), lambda: memory_usage(gone.pid, max_usage=True)):
            try: call()
            except error as found: assert found.pid == gone.pid
            else: assert False
"""
CASES["greenlets that switch within profiled functions"] = """
    try: import greenlet
    except ImportError: sys.exit()
    from memory_profiler import LineProfiler
    profiler = LineProfiler()
    @profiler
    def f(other, size):
        block = b"x" * (size << 20)
        other().switch()
        del block
        other().switch()
    @profiler
    def g():
        f(lambda: second, 4)
        return 1
    main = greenlet.getcurrent()
    first = greenlet.greenlet(lambda: g())
    second = greenlet.greenlet(lambda: f(lambda: first, 8))
    first.switch()
    while not (first.dead and second.dead):
        (second if first.dead else first).switch()
    lines = profiler.code_map[f.__wrapped__.__code__]
    start = f.__wrapped__.__code__.co_firstlineno
    assert [lines[start + i][2] for i in (0, 2, 3, 4, 5)] == [2] * 5, lines
    assert abs(lines[start + 2][0] - 12) < 1 and abs(lines[start + 4][0] + 12) < 1, lines
    lines = profiler.code_map[g.__wrapped__.__code__]
    assert [count for _, _, count in lines.values()] == [1, 3, 1], lines    # the lambda ran twice
"""
CASES["children"] = """
    CODE = "a = b'x' * (40 << 20); print(1, flush=True); input()"
    child = subprocess.Popen(["sh", "-c", '"$0" "$@"; true', sys.executable, "-I", "-S", "-c", CODE],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    alone, whole = memory_usage()[0], memory_usage(include_children=True)[0]
    assert whole - alone > 40, (alone, whole)
    (each,) = memory_usage(multiprocess=True)
    assert len(each) == 3 and max(each[1:]) > 40, each
    ((pair, *rest),) = memory_usage(multiprocess=True, timestamps=True)
    assert len(pair) == 2 and len(rest) == 2
    mem = memory_usage((time.sleep, (.05,)), interval=.01, include_children=True)
    assert min(mem) - alone > 39
    assert memory_usage(include_children=True, max_usage=True) - alone > 40
    child.communicate(b"\\n")
"""
CASES["a child in its parent's memory"] = """
    # from 3.10 on subprocess uses vfork: until exec the child shares its parent's memory
    CODE = ("import subprocess, sys; a = b'x' * (100 << 20); print(1, flush=True); input()\\n"
            "for _ in range(150): subprocess.run(['/bin/true'])")
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", CODE], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    alone = memory_usage()[0]
    child.stdin.write(b"\\n"); child.stdin.close()
    mem = memory_usage((child.wait, ()), interval=.0005, include_children=True)
    assert max(mem) - alone > 100 or sys.version_info < (3, 10), (alone, max(mem))
    assert max(mem) - alone < 160 or sys.version_info < (3, 10), (alone, max(mem))
"""
CASES["into a stream"] = """
    import io
    stream = io.StringIO()
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c",
                              "import subprocess; subprocess.call(['sleep', '0.4'])"])
    assert memory_usage(child, interval=.02, stream=stream, multiprocess=True) is None
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert {line[0] for line in lines} == {"MEM", "CHLD"}
    assert all(len(line) == (3 if line[0] == "MEM" else 4) for line in lines)
    stream = io.StringIO()
    assert memory_usage(interval=.01, timeout=.05, stream=stream) is None
    assert stream.getvalue().count("MEM ") == 5
    assert memory_usage((time.sleep, (.02,)), interval=.01, stream=stream) is None
    assert memory_usage((len, ("abc",)), stream=stream, retval=True)[1] == 3
"""
CASES["backends"] = """
    from memory_profiler import choose_backend
    assert choose_backend() == "psutil"
    for backend in ("psutil", "psutil_pss", "psutil_uss", "posix"):
        assert choose_backend(backend) == backend
        (value,) = memory_usage(backend=backend)
        assert 1 < value < 500, (backend, value)
        mem = memory_usage((time.sleep, (.05,)), interval=.01, backend=backend)
        assert 1 < min(mem) <= max(mem) < 500
    rss, uss = memory_usage()[0], memory_usage(backend="psutil_uss")[0]
    assert uss <= rss
    try: choose_backend("nonsense")
    except ValueError as error: assert "nonsense" in str(error)
    else: assert False
    def f(): return len(b"x" * (30 << 20))
    before = memory_usage(backend="tracemalloc")[0]
    assert before < 20
    highest = memory_usage(f, backend="tracemalloc", max_usage=True)
    if sys.version_info >= (3, 9):
        assert 30 <= highest < before + 32, highest
    assert len(memory_usage((time.sleep, (.5,)), interval=.01, backend="tracemalloc")) >= 4
"""
CASES["MemTimer"] = """
    from multiprocessing import Pipe
    from memory_profiler import MemTimer
    for max_usage in (False, True):
        theirs, ours = Pipe()
        timer = MemTimer(os.getpid(), .01, theirs, "psutil", timestamps=False, max_usage=max_usage)
        timer.start()
        assert ours.recv() == 0
        time.sleep(.3)
        ours.send(0)
        mem, count = ours.recv(), ours.recv()
        timer.join(5)
        assert not timer.is_alive() and count > 4
        assert len(mem) == 1 if max_usage else len(mem) > 4, mem
"""
CASES["MemitResult"] = """
    from memory_profiler import MemitResult
    result = MemitResult([10.0, 12.5], 9.25, 2, None, .1, False)
    assert str(result) == "peak memory: 12.50 MiB, increment: 3.25 MiB"
    class Printer:
        def text(self, text): self.got = text
    printer = Printer()
    result._repr_pretty_(printer, False)
    assert printer.got == "<MemitResult : peak memory: 12.50 MiB, increment: 3.25 MiB>"
"""
CASES["TimeStamper"] = """
    import asyncio, io, threading
    from memory_profiler import TimeStamper
    stamps = TimeStamper("psutil")
    @stamps
    def inner(fail=False):
        if fail: raise KeyError
        return 1
    @stamps(precision=3)
    def outer():
        inner()
        with stamps.timestamp("a block"):
            inner()
    @stamps
    def numbers():
        yield inner()
        yield inner()
    @stamps
    async def sleeps():
        await asyncio.sleep(.05)
        inner()
    class Thing:
        @stamps
        def method(self): pass
    try: inner(fail=True)
    except KeyError: pass
    outer()
    for n in numbers(): inner()
    async def both(): await asyncio.gather(sleeps(), sleeps())
    asyncio.run(both())
    Thing().method()
    thread = threading.Thread(target=outer)
    with stamps.timestamp("while a thread runs"):
        thread.start(); thread.join()
    out = io.StringIO()
    stamps.show_results(out)
    found = {}
    for line in out.getvalue().splitlines():
        word, rest = line.split(" ", 1)
        name, *values = rest.rsplit(" ", 5)
        assert word == "FUNC" and len(values) == 5, line
        found.setdefault(name, []).append(([float(value) for value in values[:4]], int(values[4])))
    levels = {name: [level for _, level in calls] for name, calls in found.items()}
    main = "__main__."
    assert levels[main + "inner"] == [0, 1, 2, 1, 0, 1, 0, 1, 1, 1, 2], levels
    assert levels[main + "outer"] == [0, 0] and levels[".a block"] == [1, 1]
    assert levels[main + "Thing.method"] == [0]
    for (before, entered, after, left), _ in found[main + "sleeps"]:
        assert left - entered >= .05
    for (before, entered, after, left), _ in found[main + "inner"]:
        assert left >= entered > 1e9 and before > 1
    assert stamps.current_stack_level == -1 and numbers.__name__ == "numbers"
"""
CASES["LineProfiler by hand"] = """
    import io, warnings
    from memory_profiler import LineProfiler, CodeMap, show_results
    profiler = LineProfiler()
    space = {"result": 0}
    def f(n):
        total = 0
        for i in range(n):
            total += i
        return total
    profiler.add_function(f)
    space["f"] = f
    assert profiler.runctx("result = f(4)", space, space) is profiler and space["result"] == 6
    assert profiler.enable_count == 0
    ((filename, lines),) = profiler.code_map.items()
    assert filename == __file__
    lines = dict(lines)
    first = f.__code__.co_firstlineno
    assert [lines[first + i][2] for i in range(5)] == [1, 1, 5, 4, 1], lines
    assert f.__code__ in profiler.code_map and len(profiler.code_map) == 1
    assert profiler.code_map[f.__code__] == profiler.code_map.get(f.__code__)
    assert list(profiler.code_map) == [f.__code__]
    inc, mem, count = profiler.code_map[f.__code__][first + 1]
    assert mem > 1 and abs(inc) < 1 and count == 1
    profiler.disable_by_count()      # more often than enabled
    f(3)
    assert profiler.code_map[f.__code__][first + 1][2] == 1
    profiler.enable(); f(3); profiler.disable()
    assert profiler.code_map[f.__code__][first + 1][2] == 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wrapped = profiler(len)
        assert wrapped("abc") == 3 and len(caught) == 1
    code_map = CodeMap(include_children=False, backend="psutil")
    code_map.add(f.__code__)
    code_map.trace(f.__code__, first + 1, first)
    code_map.trace(f.__code__, first + 2, first + 1)
    assert code_map[f.__code__][first + 2][2] == 1
    for columns in (["nonsense"], ["mem", "mem"]):
        try: LineProfiler(columns=columns)
        except ValueError: pass
        else: assert False
    try: show_results(profiler, stream=io.StringIO(), columns=["peak"])
    except ValueError as error: assert "was not measured" in str(error)
    else: assert False
    try: profiler(None or 3)
    except ValueError: pass
    else: assert False
"""
CASES["private names of 0.61 that programs use"] = """
    from memory_profiler import (MemTimer, Pipe, Process, _get_child_memory, _get_memory,
                                 choose_backend, tracemalloc)
    import memory_profiler, multiprocessing
    assert (Pipe, Process) == (multiprocessing.Pipe, multiprocessing.Process)
    assert "Pipe" in dir(memory_profiler)
    backend = choose_backend("psutil")
    here = _get_memory(os.getpid(), backend)
    assert type(here) is float and abs(here - _get_memory(-1, backend)) < 2
    mib, moment = _get_memory(os.getpid(), "psutil", timestamps=True, include_children=False,
                              filename=__file__)
    assert abs(mib - here) < 2 and abs(moment - time.time()) < 60
    child = subprocess.Popen(["sleep", "60"])
    try:
        while _get_memory(child.pid, backend) < 0.5:
            time.sleep(0.01)  # the child is still starting
        for process in (os.getpid(), -1):
            assert [pid for pid, _ in _get_child_memory(process)] == [child.pid]
        (_, rss), = _get_child_memory(os.getpid())
        (_, uss), = _get_child_memory(os.getpid(), "memory_full_info", "uss")
        assert 0 < uss < rss, (uss, rss)
        assert list(_get_child_memory(child)) == []
        both = _get_memory(os.getpid(), backend, include_children=True)
        assert both > _get_memory(child.pid, backend) + 1
        try: list(_get_child_memory(-1, None, "vms"))
        except ValueError as error: assert "'rss'" in str(error)
        else: assert False
    finally:
        child.kill(); child.wait()
    for gone in (lambda: _get_memory(child.pid, backend), lambda: list(_get_child_memory(child.pid))):
        try: gone()
        except ProcessLookupError: pass
        else: assert False
    tracemalloc.start()
    traced = bytearray(1000)
    assert _get_memory(-1, "tracemalloc", filename=__file__) > 0
    tracemalloc.stop()
    sys.modules["psutil"] = None
    assert not hasattr(memory_profiler, "psutil")

    # A subclass of MemTimer with its own loop.
    class Timer(MemTimer):
        def __init__(self, monitor_pid, interval, pipe, backend, max_usage=False, *args, **kw):
            self.extra = kw.pop("extra", None)
            super().__init__(monitor_pid, interval, pipe, backend, max_usage, *args, **kw)
        def run(self):
            self.pipe.send(0)
            stop = False
            while not stop:
                stop = self.pipe.poll(self.interval)
                self.mem_usage.append(_get_memory(self.monitor_pid, self.backend,
                                                  timestamps=self.timestamps))
                self.n_measurements += 1
            self.pipe.send(self.mem_usage)
            self.pipe.send(self.n_measurements)
    inner, outer = Pipe()
    timer = Timer(os.getpid(), .01, inner, backend, timestamps=True, extra=1)
    timer.start()
    outer.recv(); time.sleep(.05); outer.send(0)
    found, count = outer.recv(), outer.recv()
    timer.join(5)
    assert len(found) == count > 1 and len(found[0]) == 2 and timer.extra == 1
"""
CASES["a code map of another class"] = """
    import io
    from memory_profiler import CodeMap, LineProfiler, show_results
    class Map(dict):
        def items(self):
            yield __file__, iter([(1, (0.5, 10.25, 3)), (2, None), (4, (1.5, 11.75)), (10**6, ())])
    class Foreign:
        code_map = Map()
    out = io.StringIO()
    show_results(Foreign(), stream=out, precision=2)
    source = open(__file__).read().split("\\n")
    rows = out.getvalue().split("\\n")
    assert rows[0] == "Filename: " + __file__
    assert rows[4:8] == [
        "     1    10.25 MiB     0.50 MiB           3   " + source[0],
        "     2                                         " + source[1],
        "     4    11.75 MiB     1.50 MiB           1   " + source[3],
        "1000000                                         "], rows
    for format in ("json", "html"):
        out = io.StringIO()
        show_results(Foreign(), stream=out, format=format)
        assert "11.75" in out.getvalue() or "11.8" in out.getvalue()

    # A subclass that adds code objects and lists them itself.
    class Recursive(CodeMap):
        def __init__(self, include_children, backend):
            super().__init__(include_children=include_children, backend=backend)
            self.entered = []
        def add(self, code, toplevel_code=None):
            if code in self: return
            self.entered.append(code)
            self[code] = {} if toplevel_code is None else self[toplevel_code]
        def items(self):
            for code in self.entered:
                if self[code]: yield code.co_filename, sorted(self[code].items())
    def called():
        return bytearray(8 << 20)
    def f():
        block = called()
        return len(block)
    profiler = LineProfiler()
    profiler.code_map = Recursive(include_children=False, backend="psutil")
    profiler.code_map.add(f.__code__)
    profiler.code_map.add(called.__code__, toplevel_code=f.__code__)
    assert profiler(f)() == 8 << 20
    first = f.__code__.co_firstlineno
    lines = profiler.code_map[f.__code__]
    assert profiler.code_map[called.__code__] is lines
    assert lines[called.__code__.co_firstlineno + 1][0] > 7 and lines[first + 2][2] == 1, lines
    out = io.StringIO()
    show_results(profiler, stream=out)
    assert out.getvalue().count("Filename: ") == 2, out.getvalue()
"""
CASES["as pytest-monitor and sphinx-gallery call it"] = """
    def returns(): return 3
    def fails(): return ValueError("told")
    memory, result = memory_usage((returns, ()), max_iterations=1, max_usage=True, retval=True)
    assert type(memory) is float and memory > 1 and result == 3
    assert isinstance(memory_usage((fails, ()), max_iterations=1, max_usage=True, retval=True)[1],
                      ValueError)
    memory, result = memory_usage(returns, max_usage=True, retval=True, multiprocess=True)
    try: memory = memory[0]    # a list in old versions
    except TypeError: pass
    assert memory > 1 and result == 3
    calls = []
    def takes(*args, **kw): calls.append((args, kw)); return args
    assert memory_usage((takes, (1,), {"a": 2}), max_usage=True, retval=True)[1] == (1,)
    assert memory_usage((takes, [1], {"a": 2}), retval=True, interval=1)[1] == (1,)
    assert calls == [((1,), {"a": 2})] * 2
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(.2)"])
    assert max(memory_usage(process, interval=1e-3, timeout=.1)) > 1
    process.kill(); process.wait()
"""
CASES["two profilers at once"] = """
    from memory_profiler import LineProfiler
    one, two = LineProfiler(), LineProfiler(backend="psutil_uss", columns=["time"])
    def f():
        time.sleep(.01)
    g = one(two(f))
    g(); g(); two(f)()
    (a,), (b,) = one.code_map.values(), two.code_map.values()
    line = f.__code__.co_firstlineno + 1
    assert a[line][2] == 2 and b[line][2] == 3, (a, b)
    assert two.code_map.measures(f.__code__)[-1][5] >= .03
    del one, g
    two(f)()
    assert two.code_map[f.__code__][line][2] == 4
"""
CASES["a profiler that is freed while its function runs"] = """
    from memory_profiler import LineProfiler
    import gc
    def f():
        global profiler
        profiler = None
        gc.collect()
        return 1
    profiler = LineProfiler()
    profiler.add_function(f)
    profiler.enable()
    assert f() == 1
    profiler = None
    gc.collect()
    for i in range(1000):
        p = LineProfiler()
        def g(): return i
        assert p(g)() == i
"""
CASES["running a script and a module"] = """
    import io
    from memory_profiler import (LineProfiler, exec_with_profiler, run_module_with_profiler,
                                 show_results)
    path = os.path.join(os.getcwd(), "some_module.py")
    with open(path, "w") as file:
        file.write("@profile\\ndef f(): return 1\\nf()\\nimport sys\\nsys.seen = sys.argv\\n")
    for run, target in ((exec_with_profiler, path), (run_module_with_profiler, "some_module")):
        sys.path.insert(0, os.getcwd())
        profiler = LineProfiler()
        run(target, profiler, "psutil", ["x", "y"])
        assert sys.seen == [target, "x", "y"], sys.seen
        out = io.StringIO()
        show_results(profiler, stream=out)
        assert out.getvalue().count("Filename") == 1
    profiler = LineProfiler(backend="tracemalloc")
    exec_with_profiler(path, profiler, "tracemalloc")
    import tracemalloc
    assert not tracemalloc.is_tracing()
"""
CASES["free-threaded builds are refused with the reason"] = """
    for name in [name for name in sys.modules if name.startswith("memory_profiler")]:
        del sys.modules[name]
    sys.modules["_mprof"] = None      # as in such a build, which does not find objects of the stable ABI
    for flags, text in ("t", "free-threaded"), ("", "_mprof"):
        sys.abiflags = flags
        try: import memory_profiler
        except ImportError as error: assert text in str(error), error
        else: assert False
"""
CASES["names"] = """
    import memory_profiler, mprof
    assert memory_profiler.__version__ == "0.61.0"
    for name in memory_profiler.__all__:
        if name != "MemoryProfilerMagics": getattr(memory_profiler, name)
    for name in mprof.__all__: getattr(mprof, name)
    assert "psutil" not in sys.modules and "IPython" not in sys.modules
    try: memory_profiler.nonsense
    except AttributeError: pass
    else: assert False
"""


# Prints the shape of the result and output of each combination of arguments. A function with a stream is
# left out: upstream then returns and writes nothing.
SHAPES = """\
import io, itertools, multiprocessing, os, subprocess, time
multiprocessing.set_start_method("fork")  # upstream's timer needs it; 3.14 has another default
from memory_profiler import memory_usage
def shape(x):
    if isinstance(x, list): return ["list", shape(x[0])] if x else ["empty"]
    return ["tuple", *map(shape, x)] if isinstance(x, tuple) else type(x).__name__
def f(*a, **k):
    time.sleep(.02)
    return 5
NAMES = ["timestamps", "include_children", "multiprocess", "max_usage", "retval", "stream"]
for kind in "self", "popen", "call":
    for flags in itertools.product([False, True], repeat=6):
        options = dict(zip(NAMES, flags), interval=.01)
        # Arguments without effect on the shape are tried with one kind.
        if kind == "call" and (options["stream"] or options["multiprocess"]): continue
        if kind == "popen" and (options["retval"] or options["include_children"]): continue
        stream = options["stream"] = io.StringIO() if options["stream"] else None
        child = None
        if kind != "call": options["timeout"] = .03
        if kind == "popen": child = subprocess.Popen(["sleep", "600"])
        proc = {"self": -1, "popen": child, "call": (f, (1,), {"a": 2})}[kind]
        found = shape(memory_usage(proc, **options))
        if child:
            child.kill()
            child.wait()
        lines = {(line.split()[0], len(line.split())) for line in stream.getvalue().splitlines()} \
            if stream else None
        print(kind, flags, found, lines)
"""


class Api(TestCase):
    def run_case(self, python, name):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        path = folder / "case.py"
        path.write_text("import os, subprocess, sys, time\nfrom memory_profiler import memory_usage\n"
                        + textwrap.dedent(CASES[name]))
        return subprocess.run([str(python), str(path)], cwd=folder, capture_output=True,
                              text=True, timeout=180,
                              env=pythons.environment(MALLOC_MMAP_THRESHOLD_="1048576"))

    def test_every_case_on_every_python(self):
        # The sanitizer's allocator does not handle forks, as glibc's does: a child forked while another
        # thread allocates waits for that thread in its first allocation.
        skipped = "forks" if "MPROF_SANITIZER" in os.environ else None
        jobs = [(python, name) for python in pythons.found() for name in CASES
                if not skipped or skipped not in name]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for (python, name), done in zip(jobs, pool.map(lambda job: self.run_case(*job), jobs)):
                with self.subTest(python=str(python), case=name):
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_combination_of_memory_usage_as_upstream(self):
        upstream()  # skips where it is not installed
        path = self.directory / "shapes.py"
        path.write_text(SHAPES)
        packages = (pythons.PACKAGE, UPSTREAM)
        both = [subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True,
                                 env=pythons.environment(PYTHONPATH=str(package)))
                for package in packages]
        ours, theirs = (process.communicate(timeout=1800)[0].splitlines() for process in both)
        self.assertEqual([process.returncode for process in both], [0, 0])
        self.assertEqual(len(ours), 96)
        self.assertEqual(ours, theirs)

    def test_names_are_those_of_upstream(self):
        upstream()  # skips where it is not installed
        ask = ("import memory_profiler, inspect, json; print(json.dumps({name: str(inspect.signature"
               "(getattr(memory_profiler, name))) for name in %r}))")
        names = ["profile", "memory_usage", "choose_backend", "show_results", "exec_with_profiler",
                 "run_module_with_profiler", "LogFile", "MemTimer", "MemitResult", "LineProfiler",
                 "TimeStamper", "CodeMap"]
        texts = []
        for path in (pythons.PACKAGE, UPSTREAM):
            done = subprocess.run([sys.executable, "-c", ask % names], capture_output=True,
                                  text=True, check=True,
                                  env=pythons.environment(PYTHONPATH=str(path)))
            texts.append(eval(done.stdout))
        ours, theirs = texts
        for name in names:
            wanted = theirs[name].rstrip(")")
            with self.subTest(name=name):
                if name in ("TimeStamper",):
                    wanted = "(backend"  # ours has a default
                self.assertTrue(ours[name].startswith(wanted.split(", *")[0]),
                                f"{ours[name]} {theirs[name]}")


if __name__ == "__main__":
    unittest.main()
