"""Uses the whole interface, for a type checker; never run. The checker must reject each line that ends in
`# wrong`."""
import asyncio
import io
import logging
import pathlib
import subprocess
from typing import AsyncIterator, Iterator, List, Tuple

import memory_profiler
import mprof
from memory_profiler import (CodeMap, LineProfiler, LogFile, MemTimer, MemitResult, TimeStamper,
                             choose_backend, exec_with_profiler, memory_usage, profile,
                             run_module_with_profiler, show_results)


@profile
def plain(n: int) -> List[int]:
    return [n] * 3


@profile(precision=4, stream=io.StringIO(), columns=["mem", "peak"], sort="peak", threshold=0.5,
         color="auto", format="json")
def with_arguments(n: int, name: str = "x") -> Tuple[int, str]:
    return n, name


@profile
def numbers() -> Iterator[int]:
    yield 1


@profile
async def coroutine() -> str:
    await asyncio.sleep(0)
    return "x"


@profile
async def agenerator() -> AsyncIterator[int]:
    yield 1


class Thing:
    @profile
    def method(self, n: int) -> int:
        return n

    @staticmethod
    @profile
    def static(n: int) -> int:
        return n

    @property
    @profile
    def size(self) -> int:
        return 3


def use() -> None:
    a: List[int] = plain(3)
    b: Tuple[int, str] = with_arguments(3, name="y")
    c: List[int] = list(numbers())
    d: str = asyncio.run(coroutine())
    e: int = Thing().method(1) + Thing.static(2) + Thing().size
    print(a, b, c, d, e, agenerator)

    one: List[float] = memory_usage()
    many: List[float] = memory_usage(-1, interval=0.1, timeout=0.2)
    highest: float = memory_usage((plain, (3,), {}), max_usage=True)
    pairs: List[Tuple[float, float]] = memory_usage(plain, timestamps=True)
    values, returned = memory_usage((plain, (3,)), retval=True)
    child = subprocess.Popen(["true"])
    memory_usage(child, multiprocess=True, include_children=True, stream=io.StringIO(),
                 backend=choose_backend("psutil_pss"), max_iterations=1)
    print(one, many, highest, pairs, values, returned)

    profiler = LineProfiler(backend="psutil", include_children=True, max_mem=100.0,
                            columns=["peak", "time"])
    wrapped = profiler(plain)
    result: List[int] = wrapped(3)
    profiler.add_function(plain)
    profiler.runctx("plain(1)", globals(), {})
    profiler.enable_by_count()
    profiler.disable_by_count()
    with profiler:
        plain(1)
    show_results(profiler, stream=io.StringIO(), precision=2, columns=("mem", "inc"), sort="inc",
                 threshold=1.0, color="never", format="html")
    for filename, lines in profiler.code_map.items():
        for number, line in lines:
            if line is not None:
                increment, memory, hits = line
                print(filename.upper(), number + 1, increment + memory, hits + 1)
    print(result, CodeMap(include_children=False, backend="psutil"))

    stamps = TimeStamper("psutil")
    stamped = stamps(plain)
    with stamps.timestamp("block"):
        stamped(1)
    stamps.show_results(stream=io.StringIO())
    show_results(profiler, stream=LogFile("memory", reportIncrementFlag=True))
    LogFile("x").write("text", level=logging.INFO)
    print(MemitResult([1.0], 0.5, 1, None, 0.1, False), MemTimer)
    exec_with_profiler("script.py", profiler, "psutil", ["x"])
    run_module_with_profiler("module", stamps, "psutil")

    recording = mprof.read_mprofile_file("a.dat")
    for name, spans in recording["func_timestamp"].items():
        print(name.upper(), spans[0][0] + 1.0)
    for pid, samples in recording["children"].items():
        print(pid.upper(), samples[0][1])
    curve: List[float] = recording["mem_usage"]
    labels = mprof.function_labels(["a.b", "a.c"])
    print(curve, labels["a.b"].upper(), mprof.get_profile_filenames(["0"])[0].upper())
    print(memory_profiler.__version__.upper())


def draw(path: pathlib.Path) -> float:
    picture = mprof.plot(path, flame=True, window=(0, 5), size="14x6in", limit=[512, "2GiB:quota"],
                         mark={3.5: "loaded"}, label={"a.dat": "before"}, memory=["pss"], dpi=180)
    mprof.plot("a.dat", -1, stack=True)
    mprof.plot(["a.dat", path], as_one=True)
    saved: str = picture.save(path, format="png") + picture.svg(script=False) + mprof.svg_script()
    drawn: bytes = picture.png(dpi=90) + picture.pdf() + picture.eps()
    for function in picture.functions:
        print(function.label.upper(), function.calls + 1, function.change_mib + 0.5)
    for process in picture.processes:
        print(process.name.upper(), process.pid, process.peak_mib)
    print(saved, drawn, picture.title.upper(), picture.width + picture.height)
    return picture.peak + sum(picture.peaks)


@mprof.limit_memory("10 MB")
def limited() -> int:
    with mprof.limit_memory(1 << 20) as limit, mprof.record("a.dat", interval=0.1, functions=["a:*"]) as recording:
        pass
    return limit.peak_bytes + recording.peak_bytes + recording.growth_bytes


def misuse(profiler: LineProfiler) -> None:
    memory_usage(interval="often")  # wrong
    memory_usage(3.5)  # wrong
    profile(precision="high")  # wrong
    profile(plain, plain)  # wrong
    plain("x")  # wrong
    with_arguments()  # wrong
    Thing().method("x")  # wrong
    LineProfiler(columns=3)  # wrong
    LineProfiler("psutil")  # wrong
    show_results("x")  # wrong
    show_results(profiler, stream=3)  # wrong
    choose_backend(3)  # wrong
    mprof.read_mprofile_file("a.dat")["nothing"]  # wrong
    mprof.function_labels(3)  # wrong
    mprof.limit_memory(1.5)  # wrong
    mprof.record(interval="x")  # wrong
    mprof.plot("a.dat", flame="yes")  # wrong
    mprof.plot("a.dat", window=3)  # wrong
    mprof.plot("a.dat", colour="red")  # wrong
    mprof.plot("a.dat").save()  # wrong
