"""Small programs, and the line-by-line reports expected of them.

Run by the interpreter under test: prints, as JSON, the lines of each program's report, and for each of SUMS two
numbers that should be equal. The expectation follows each line that runs: `#: <occurrences> <MiB>`, exact to less than
one MiB. Alternatives, as in `6|12`, are for versions of Python that compile a line to several places. A line without
the mark must not run.

M is 8 MiB; a block of that size returns to the system as soon as it is freed.
"""

import gc
import json
import sys
import tempfile
import os

PROGRAMS = {}
PROGRAMS["straight-line code"] = """
@profile                                    #: 1 0
def f():
    a = b"x" * M                            #: 1 8
    b = b"x" * M                            #: 1 8
    del a                                   #: 1 -8
    return len(b)                           #: 1 0
f()
"""
PROGRAMS["never run"] = """
@profile                                    #: 1 0
def f(flag):
    if flag:                                #: 1 0
        a = b"x" * M
    else:
        a = b"y" * M                        #: 1 8
    return len(a)                           #: 1 0
f(False)
"""
PROGRAMS["called three times"] = """
@profile                                    #: 3 0
def f():
    a = b"x" * M                            #: 3 24
    del a                                   #: 3 -24
for _ in range(3): f()
"""
PROGRAMS["for loop that keeps"] = """
@profile                                    #: 1 0
def f():
    kept = []                               #: 1 0
    for i in range(5):                      #: 6 0
        kept.append(b"x" * M)               #: 5 40
    return len(kept)                        #: 1 0
f()
"""
PROGRAMS["for loop that frees"] = """
@profile                                    #: 1 0
def f():
    for i in range(5):                      #: 6 0
        a = b"x" * M                        #: 5 40
        b = len(a)                          #: 5 0
        del a                               #: 5 -40
f()
"""
PROGRAMS["for loop that rebinds"] = """
@profile                                    #: 1 0
def f():
    a = None                                #: 1 0
    for i in range(4):                      #: 5 0
        a = None                            #: 4 -24
        a = b"x" * M                        #: 4 32
    return len(a)                           #: 1 0
f()
"""
PROGRAMS["while loop"] = """
@profile                                    #: 1 0
def f():
    kept = []                               #: 1 0
    while len(kept) < 3:                    #: 4 0
        kept.append(b"x" * M)               #: 3 24
    while kept:                             #: 4 0
        kept.pop()                          #: 3 -24
f()
"""
PROGRAMS["nested loops"] = """
@profile                                    #: 1 0
def f():
    kept = []                               #: 1 0
    for i in range(2):                      #: 3 0
        for j in range(3):                  #: 8 0
            kept.append(b"x" * M)           #: 6 48
        kept.clear()                        #: 2 -48
f()
"""
PROGRAMS["break, continue and else"] = """
@profile                                    #: 1 0
def f():
    kept = []                               #: 1 0
    for i in range(9):                      #: 5 0
        if i < 2:                           #: 5 0
            continue                        #: 2 0
        if i == 4:                          #: 3 0
            break                           #: 1 0
        kept.append(b"x" * M)               #: 2 16
    else:
        kept = None
    for i in range(2):                      #: 3 0
        pass                                #: 2 0
    else:
        kept = None                         #: 1 -16
f()
"""
PROGRAMS["loop in one line"] = """
@profile                                    #: 1 0
def f():
    kept = []                               #: 1 0
    for i in range(3): kept.append(b"x" * M)     #: 4 24
    return len(kept)                        #: 1 0
f()
"""
PROGRAMS["function in one line"] = """
def g(n): return b"x" * n                   #: 2 16
g = profile(g)
kept = g(M), g(M)
"""
PROGRAMS["list comprehension"] = """
@profile                                    #: 1 0
def f():
    kept = [b"x" * M for i in range(4)]     #: 5 32
    return len(kept)                        #: 1 0
f()
"""
PROGRAMS["dict comprehension"] = """
@profile                                    #: 1 0
def f():
    kept = {i: b"x" * M for i in range(4)}  #: 5 32
    del kept                                #: 1 -32
f()
"""
PROGRAMS["set comprehension"] = """
@profile                                    #: 1 0
def f():
    kept = {b"%d" % i * M for i in range(3)}     #: 4 24
    return len(kept)                        #: 1 0
f()
"""
PROGRAMS["comprehension in several lines"] = """
@profile                                    #: 1 0
def f():
    kept = [                                #: 2|6|7|12 *
        b"x" * M                            #: 5 40
        for i in range(5)                   #: 6|7 *
    ]
    return len(kept)                        #: 1 0
f()
"""
PROGRAMS["comprehension in a comprehension"] = """
@profile                                    #: 1 0
def f():
    kept = [[b"x" * M for i in range(2)] for j in range(2)]     #: 7|8|9|10|11 32
    return len(kept)                        #: 1 0
f()
"""
PROGRAMS["comprehension that keeps nothing"] = """
@profile                                    #: 1 0
def f():
    n = sum([len(b"x" * M) for i in range(6)])  #: 7 0
    return n                                #: 1 0
f()
"""
PROGRAMS["generator expression"] = """
@profile                                    #: 1 0
def f():
    n = max(len(b"x" * M) for i in range(4))     #: 6 0
    kept = list(b"x" * M for i in range(4))      #: 6|10 32
    return n                                #: 1 0
f()
"""
PROGRAMS["generator"] = """
@profile                                    #: 1 0
def g():
    for i in range(3):                      #: 4 0
        a = b"x" * M                        #: 3 24
        yield len(a)                        #: 3 0
        del a                               #: 3 -24
assert list(g()) == [M] * 3
"""
PROGRAMS["generator and its consumer"] = """
@profile                                    #: 1 0
def g():
    yield b"x" * M                          #: 1 8
    yield b"x" * M                          #: 1 8
@profile                                    #: 1 0
def f():
    kept = []                               #: 1 0
    for block in g():                       #: 3 16
        kept.append(block)                  #: 2 0
f()
"""
PROGRAMS["generator that is closed"] = """
@profile                                    #: 1 0
def g():
    a = b"x" * M                            #: 1 8
    try:                                    #: 1 0
        yield 1                             #: 1 0
        yield 2
    finally:
        del a                               #: 1 -8
i = g(); next(i); i.close()
"""
PROGRAMS["generator with memory changing outside"] = """
@profile                                    #: 1 0
def g():
    yield 1                                 #: 1 0
    yield 2                                 #: 1 0
kept = []
for i in g(): kept.append(b"x" * M)
"""
PROGRAMS["send and throw"] = """
@profile                                    #: 1 0
def g():
    kept = []                               #: 1 0
    while True:                             #: 0|1|3|4 0
        try:                                #: 3 0
            n = yield                       #: 3 0
            kept.append(b"x" * n)           #: 1 8
        except ValueError:                  #: 2 0
            kept.clear()                    #: 1 -8
i = g(); next(i); i.send(M); i.throw(ValueError); i.close()
"""
PROGRAMS["yield from"] = """
@profile                                    #: 1 0
def inner():
    a = b"x" * M                            #: 1 8
    yield 1                                 #: 1 0
    del a                                   #: 1 -8
    return 2                                #: 1 0
@profile                                    #: 1 0
def outer():
    n = yield from inner()                  #: 1 0
    assert n == 2                           #: 1 0
assert list(outer()) == [1]
"""
PROGRAMS["recursion"] = """
@profile                                    #: 6 0
def f(n):
    if n == 0:                              #: 6 0
        return b"x" * M                     #: 1 8
    a = f(n - 1)                            #: 5 0
    return a                                #: 5 0
kept = f(5)
"""
PROGRAMS["recursion that keeps at every depth"] = """
@profile                                    #: 4 0
def f(n, kept):
    kept.append(b"x" * M)                   #: 4 32
    if n:                                   #: 4 0
        f(n - 1, kept)                      #: 3 0
kept = []; f(3, kept)
"""
PROGRAMS["mutual recursion"] = """
@profile                                    #: 3 0
def even(n, kept):
    kept.append(b"x" * M)                   #: 3 24
    if n: odd(n - 1, kept)                  #: 3 16
@profile                                    #: 2 0
def odd(n, kept):
    kept.append(b"x" * M)                   #: 2 16
    even(n - 1, kept)                       #: 2 16
kept = []; even(4, kept)
"""
PROGRAMS["profiled function in a profiled function"] = """
@profile                                    #: 2 0
def g():
    return b"x" * M                         #: 2 16
@profile                                    #: 1 0
def f():
    a = g()                                 #: 1 8
    b = g()                                 #: 1 8
f()
"""
PROGRAMS["inner function"] = """
@profile                                    #: 1 0
def f():
    def inner():                            #: 3 0
        return b"x" * M                     #: 2 16
    a = inner()                             #: 1 0
    b = inner()                             #: 1 0
    return len(a) + len(b)                  #: 1 0
f()
"""
PROGRAMS["lambda"] = """
@profile                                    #: 1 0
def f():
    make = lambda n: b"x" * n               #: 3 16
    a = make(M)                             #: 1 0
    b = make(M)                             #: 1 0
f()
"""
PROGRAMS["class in a function"] = """
@profile                                    #: 1 0
def f():
    class Thing:                            #: 2 0
        block = b"x" * M                    #: 1 8
        def size(self):                     #: 2 0
            return len(self.block)          #: 1 0
    return Thing().size()                   #: 1 0
f()
"""
PROGRAMS["exception caught inside"] = """
@profile                                    #: 1 0
def f():
    try:                                    #: 1 0
        a = b"x" * M                        #: 1 8
        raise ValueError                    #: 1 0
    except ValueError:                      #: 1 0
        del a                               #: 1 -8
    finally:
        b = b"x" * M                        #: 1 8
f()
"""
PROGRAMS["exception leaves the function"] = """
@profile                                    #: 2 0
def f():
    a = b"x" * M                            #: 2 16
    raise ValueError                        #: 2 0
for _ in range(2):
    try: f()
    except ValueError: pass
"""
PROGRAMS["exception passes through"] = """
@profile                                    #: 1 0
def g():
    return 1 // 0                           #: 1 0
@profile                                    #: 1 0
def f():
    a = b"x" * M                            #: 1 8
    g()                                     #: 1 0
    del a
try: f()
except ZeroDivisionError: pass
"""
PROGRAMS["with"] = """
class Block:
    def __enter__(self): self.block = b"x" * M
    def __exit__(self, *unused): pass
@profile                                    #: 1 0
def f():
    block = Block()                         #: 1 0
    with block:                             #: 1|2 8
        b = b"x" * M                        #: 1 8
    block.block = None                      #: 1 -8
    return len(b)                           #: 1 0
f()
"""
PROGRAMS["coroutine"] = """
import asyncio
@profile                                    #: 1 0
async def f():
    a = b"x" * M                            #: 1 8
    await asyncio.sleep(0.001)              #: 1 0
    b = b"x" * M                            #: 1 8
    await asyncio.sleep(0.001)              #: 1 0
    del a, b                                #: 1 -16
asyncio.run(f())
"""
PROGRAMS["two coroutines at once"] = """
import asyncio
@profile                                    #: 1 0
async def f():
    a = b"x" * M                            #: 1 8
    await asyncio.sleep(0.01)               #: 1 0
    del a                                   #: 1 -8
@profile                                    #: 1 0
async def g():
    await asyncio.sleep(0.002)              #: 1 0
    b = [b"x" * M, b"x" * M]                #: 1 16
    await asyncio.sleep(0.02)               #: 1 0
    del b                                   #: 1 -16
async def both():
    await asyncio.gather(f(), g())
asyncio.run(both())
"""
PROGRAMS["coroutine that awaits a profiled one"] = """
import asyncio
@profile                                    #: 1 0
async def g():
    await asyncio.sleep(0)                  #: 1 0
    return b"x" * M                         #: 1 8
@profile                                    #: 1 0
async def f():
    a = await g()                           #: 1 8
    return len(a)                           #: 1 0
asyncio.run(f())
"""
PROGRAMS["async generator, async for"] = """
import asyncio
@profile                                    #: 1 0
async def g():
    for i in range(2):                      #: 3 0
        await asyncio.sleep(0)              #: 2 0
        yield b"x" * M                      #: 2 16
@profile                                    #: 1 0
async def f():
    kept = []                               #: 1 0
    async for block in g():                 #: 3 16
        kept.append(block)                  #: 2|3 0
asyncio.run(f())
"""
PROGRAMS["async with"] = """
import asyncio
class Block:
    async def __aenter__(self): self.block = b"x" * M
    async def __aexit__(self, *unused): await asyncio.sleep(0)
@profile                                    #: 1 0
async def f():
    block = Block()                         #: 1 0
    async with block:                       #: 1|2 8
        pass                                #: 1 0
    block.block = None                      #: 1 -8
asyncio.run(f())
"""
PROGRAMS["in a thread"] = """
import threading
@profile                                    #: 1 0
def f():
    a = b"x" * M                            #: 1 8
    del a                                   #: 1 -8
thread = threading.Thread(target=f); thread.start(); thread.join()
"""
PROGRAMS["in two threads, one after the other"] = """
import threading, time
done = threading.Event()
def f_waits():
    while not done._cond._waiters: time.sleep(0.001)
@profile                                    #: 1 0
def f():
    a = b"x" * M                            #: 1 8
    done.wait(20)                           #: 1 16
@profile                                    #: 1 0
def g():
    f_waits()                               #: 1 *
    b = [b"x" * M, b"x" * M]                #: 1 16
    done.set()                              #: 1 0
    return b                                #: 1 *
kept = []
threads = [threading.Thread(target=f), threading.Thread(target=lambda: kept.append(g()))]
for t in threads: t.start()
for t in threads: t.join()
"""
PROGRAMS["methods"] = """
class Thing:
    @profile                                #: 1 0
    def method(self):
        self.a = b"x" * M                   #: 1 8
    @profile                                #: 1 0
    @classmethod
    def of_class(cls):
        cls.b = b"x" * M                    #: 1 8
    @profile                                #: 1 0
    @staticmethod
    def static():
        return b"x" * M                     #: 1 8
    @profile                                #: 1 0
    @property
    def size(self):
        return len(self.a)                  #: 1 0
thing = Thing()
thing.method(); Thing.of_class(); kept = thing.static(); assert thing.size == M
"""
PROGRAMS["a whole class"] = """
@profile
class Thing:
    def __init__(self):                     #: 1 0
        self.a = b"x" * M                   #: 1 8
    @classmethod                            #: 1 0
    def of_class(cls):
        cls.b = b"x" * M                    #: 1 8
    @staticmethod                           #: 1 0
    def static():
        return b"x" * M                     #: 1 8
    @property                               #: 1 0
    def size(self):
        return len(self.a)                  #: 1 0
    class Inner:
        def method(self): pass
thing = Thing()
thing.of_class(); kept = thing.static(); assert thing.size == M; Thing.Inner().method()
assert isinstance(thing, Thing)
"""
PROGRAMS["below another decorator"] = """
import functools
def twice(function):
    @functools.wraps(function)
    def wrapper(): return function(), function()
    return wrapper
@twice                                      #: 2 0
@profile
def f():
    return b"x" * M                         #: 2 16
kept = f()
"""
PROGRAMS["above another decorator"] = """
import functools
@profile                                    #: 1 0
@functools.lru_cache(None)
def f():
    return b"x" * M                         #: 1 8
f(); f()
"""
PROGRAMS["above a decorator in Python"] = """
import functools
def twice(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments), function(*arguments)
    return wrapper
@profile                                    #: 2 0
@twice
def f(n):
    a = b"x" * n                            #: 2 16
    return a                                #: 2 0
kept = f(M)
"""
PROGRAMS["call in several lines"] = """
def g(*blocks):
    return list(blocks)
@profile                                    #: 1 0
def f():
    kept = g(                               #: 1|2 *
        b"x" * M,                           #: 1 8
        b"x" * M)                           #: 1 8
    return len(kept)                        #: 1 0
f()
"""
PROGRAMS["walrus and conditions"] = """
@profile                                    #: 1 0
def f():
    kept = []                               #: 1 0
    while (n := len(kept)) < 2:             #: 3 0
        kept += [b"x" * M] if n >= 0 else []     #: 2 16
    return n and kept or None               #: 1 0
f()
"""
PROGRAMS["callee that is not profiled"] = """
def make(): return b"x" * M
def drop(kept): kept.clear()
@profile                                    #: 1 0
def f():
    kept = [make()]                         #: 1 8
    drop(kept)                              #: 1 -8
f()
"""
PROGRAMS["finalizer"] = """
class Block:
    def __init__(self): self.block = b"x" * M
    def __del__(self): del self.block
@profile                                    #: 1 0
def f():
    a = Block()                             #: 1 8
    a = None                                #: 1 -8
f()
"""
PROGRAMS["called by C code"] = """
kept = []
@profile                                    #: 3 0
def key(n):
    kept.append(b"x" * M)                   #: 3 24
    return -n                               #: 3 0
assert sorted([1, 2, 3], key=key) == [3, 2, 1]
"""
PROGRAMS["source without a file"] = """
import linecache
text = "def f(n):\\n    return b'x' * n\\n"
linecache.cache["<made>"] = (len(text), None, text.splitlines(True), "<made>")
space = {}
exec(compile(text, "<made>", "exec"), space)
kept = profile(space["f"])(M)
#: <made> 1 1 0
#: <made> 2 1 8
"""
PROGRAMS["added and enabled explicitly"] = """
def f():                                    #: 1 0
    return b"x" * M                         #: 1 8
profile.add_function(f)
kept = [f()]
with profile:
    kept.append(f())
kept.append(f())
"""
PROGRAMS["enabled by count"] = """
def f():                                    #: 2 0
    return b"x" * M                         #: 2 16
profile.add_function(f)
kept = []
profile.enable_by_count(); profile.enable_by_count()
kept.append(f()); profile.disable_by_count()
kept.append(f()); profile.disable_by_count()
kept.append(f()); profile.disable_by_count()
"""

# Programs like those for which upstream's users reported wrong numbers, by the number of the report; most
# have increments in loops. Each calls memory() in its first and last line: the increments add up to the
# difference. A program with "(kept)" in its name frees nothing, so no line is negative.
SUMS = {}
SUMS["77: a call that frees more than it allocates"] = """
class Model:
    def __init__(self): self.work = [b"x" * (10 << 20) for _ in range(4)]
    def fit(self, data):
        self.fitted = b"x" * len(data)
        self.work = None
@profile
def f():
    start = memory()
    model = Model()
    data = b"x" * (8 << 20)
    model.fit(data)
    for _ in range(3):
        model.work = [data * 2]
        model.fit(data)
    total(start)
f()
"""
SUMS["195: a bound method, profiled by hand"] = """
class Thing:
    def f(self, n):
        start = memory()
        parts = []
        for i in range(n):
            part = b"x" * (i << 16)
            part = part[:len(part) // 2]
            parts.append(part)
            parts = parts[-3:]
        total(start)
profile(Thing().f)(30)
"""
SUMS["195: a file copied line by line"] = """
import tempfile
@profile
def f():
    start = memory()
    with tempfile.TemporaryFile("w+") as file, tempfile.TemporaryFile("w+") as copy:
        for i in range(3000):
            file.write("line %d of the file\\n" % i)
        file.seek(0)
        for line in file:
            copy.write(line)
    total(start)
f()
"""
SUMS["211: objects made in a loop (kept)"] = """
class Person:
    def __init__(self, name): self.name = name
@profile
def f():
    start = memory()
    people = []
    for i in range(30000):
        people.append(Person(str(i)))
    total(start)
f()
"""
SUMS["211: dicts made in a loop (kept)"] = """
@profile
def f():
    start = memory()
    kept = []
    for _ in range(30000):
        kept.append({})
    total(start)
f()
"""
SUMS["219: lists made and dropped in a loop"] = """
@profile
def f(n):
    start = memory()
    result = 0
    for i in range(5):
        numbers = [j ^ (j >> i) for j in range(n)]
        result += sum(numbers)
        del numbers
    total(start)
f(40000)
"""
SUMS["226: the example of the manual"] = """
@profile
def f():
    start = memory()
    a = [1] * (10 ** 6)
    b = [2] * (4 * 10 ** 6)
    del b
    total(start)
f()
"""
SUMS["226: the same in a loop, in a program that also measures itself"] = """
from memory_profiler import memory_usage
@profile
def f():
    start = memory()
    kept = []
    for i in range(200):
        kept.append([i] * 10000)
        if i % 20 == 19:
            memory_usage()
            del kept[::2]
    total(start)
f()
"""
SUMS["234: a profiled function in a profiled function"] = """
@profile
def inner(n):
    output = [0] * n
    for i in range(n // 100):
        k = i
        while k < i + 2:
            k += 1
        output[i] = [k]
    return output
def f():
    start = memory()
    kept = inner(200000)
    for i in range(3):
        kept += inner(100000)
    total(start)
f = profile(f)
f()
"""
SUMS["238: comprehensions (kept)"] = """
class Particle:
    def __init__(self, x): self.x = x
@profile
def f():
    start = memory()
    particles = [Particle(i) for i in range(30000)]
    others = [Particle(i) for i in range(30000)]
    sizes = {i: [i] for i in range(20000)}
    for p in particles:
        p.x += 4
    total(start)
f()
"""
SUMS["122: a callee that takes memory once (kept)"] = """
cache = []
def fill():
    if not cache: cache.append(b"x" * (40 << 20))
@profile
def f():
    start = memory()
    a = list(range(90000))
    for i in range(10):
        b = i
        fill()
        g = i
    total(start)
f()
"""
SUMS["294: recursion that allocates and frees"] = """
@profile
def f(n):
    if n == 6:
        start = memory()
    block = b"x" * (n << 19)
    if n:
        kept = f(n - 1)
        block = block[:len(block) // 2] + kept
    if n == 6:
        total(start)
    return block
f(6)
"""
SUMS["317: a long function, calls and loops in loops"] = """
def read(n): return [b"x" * (1 << 16) for _ in range(n)]
def merge(parts): return [b"".join(parts)]
@profile
def f():
    start = memory()
    parts, merged = [], []
    for i in range(12):
        parts += read(30)
        while len(parts) > 40:
            parts.pop()
        for part in parts:
            if len(part) < i:
                break
        merged = merge(parts)
        if i % 4 == 3:
            parts = merged
            merged = None
    total(start)
f()
"""
SUMS["396: memory that the garbage collector frees at some line"] = """
import gc
class Node:
    def __init__(self, size): self.me, self.block = self, b"x" * size
@profile
def f():
    start = memory()
    for i in range(60):
        node = Node(1 << 20)
        if i % 15 == 14:
            gc.collect()
    node = None
    gc.collect()
    total(start)
f()
"""
SUMS["400: memory that rises and falls in each round"] = """
@profile
def f():
    start = memory()
    kept = {}
    for i in range(40):
        block = b"x" * ((i * 7919 % 13) << 18)
        if i % 3 == 0:
            kept[i % 5] = block
            continue
        elif i % 7 == 0:
            kept.clear()
        block = None
    total(start)
f()
"""


def check_sum(name, directory):
    """(the sum of the increments of f, the change that f measured, the lowest increment of a line)"""
    from memory_profiler import LineProfiler, memory_usage
    path = os.path.join(directory, "program.py")
    with open(path, "w") as file:
        file.write(SUMS[name])
    gc.collect()  # what other programs have left
    seen = []
    profiler = LineProfiler()
    memory = lambda: memory_usage()[0]  # noqa: E731
    space = {"profile": profiler, "memory": memory, "__name__": "program",
             "total": lambda start: seen.append(memory() - start)}
    exec(compile(SUMS[name], path, "exec"), space)
    (code,) = [code for _, code, _ in profiler.code_map.reports() if code.co_name == "f"]
    increments = [row[1] for row in profiler.code_map.measures(code)]
    return sum(increments), seen[0], min(increments)


def check(name, directory):
    """Runs one program; [(file or None, line, hits, MiB, MiB in the end), ...] of its reports."""
    from memory_profiler import LineProfiler
    path = os.path.join(directory, name.replace(" ", "_").replace(",", "") + ".py")
    with open(path, "w") as file:
        file.write(PROGRAMS[name])
    gc.collect()  # what other programs have left
    profiler = LineProfiler()
    space = {"profile": profiler, "M": 8 << 20, "__name__": "program"}
    exec(compile(PROGRAMS[name], path, "exec"), space)
    lines = []
    for filename, code, _ in profiler.code_map.reports():
        for line, change, most, hits, *_ in profiler.code_map.measures(code):
            lines.append((None if filename == path else filename, line, hits, change, most))
    return lines


def main():
    with tempfile.TemporaryDirectory() as directory:
        found = {"programs": {name: check(name, directory) for name in PROGRAMS},
                 "sums": {name: check_sum(name, directory) for name in SUMS}}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
