"""memory_usage: samples during a call, or of another process."""

import os
import subprocess
import threading
import time

import _mprof

from ._memory import (children_memory, choose_backend, process_memory, raise_for, start_tracing,
                      tracemalloc)


class _TracemallocSampler:
    """The sampler for tracemalloc. It needs the interpreter, so it is a Python thread."""

    def __init__(self, interval, most_only):
        self._interval = max(interval, 1e-4)
        self._most_only = most_only
        self._stop = threading.Event()
        self._list = []
        if most_only and hasattr(tracemalloc, "reset_peak"):
            tracemalloc.reset_peak()
        self._measure()
        self._owner = os.getpid()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _measure(self):
        self._list.append((tracemalloc.get_traced_memory()[0] / 1048576.0, time.time(), True))

    def _run(self):
        deadline = time.monotonic()
        while not self._stop.is_set():
            deadline += self._interval
            self._stop.wait(max(0, deadline - time.monotonic()))
            self._measure()

    def stop(self):
        if self._owner == os.getpid():  # a forked child has no such thread, but may have its locks
            self._stop.set()
            self._thread.join()
        if self._most_only:
            taken = len(self._list)
            highest = max(self._list)
            peak = tracemalloc.get_traced_memory()[1] / 1048576.0
            if hasattr(tracemalloc, "reset_peak") and peak > highest[0]:
                highest = (peak, *highest[1:])
            return [highest], taken
        return self._list, len(self._list)


class _Sampler:
    """Samples a process until it is stopped, in a thread that does not need the interpreter."""

    def __init__(self, pid, interval, backend, include_children, most_only):
        self._interval = interval
        self._traced = None
        if backend == "tracemalloc":
            self._traced = _TracemallocSampler(interval, most_only)
            return
        try:
            self._core = _mprof.sampler_start(pid, interval, backend, include_children, most_only)
        except ProcessLookupError as error:
            raise_for(error, pid)

    def stop(self):
        """[(MiB, time), ...] and the number of samples taken. For work of a few intervals the list also has
        samples between the ticks."""
        if self._traced is not None:
            found, taken = self._traced.stop()
        else:
            found, taken = _mprof.sampler_stop(self._core)
        even = [item for item in found if item[2]]
        if len(even) > 4 and found[-1][1] - found[0][1] > 4 * self._interval:
            found = even
        return [item[:2] for item in found], taken


class MemTimer(threading.Thread):
    """Samples a process until something arrives in the pipe; then sends the samples and their number."""

    def __init__(self, monitor_pid, interval, pipe, backend, max_usage=False, *args,
                 timestamps=False, include_children=False, daemon=True, **kw):
        super().__init__(*args, daemon=daemon, **kw)
        memory = process_memory(monitor_pid, backend, include_children)
        self.mem_usage = [(memory, time.time()) if timestamps else memory]
        self.n_measurements = len(self.mem_usage)
        self.cont = True
        self.monitor_pid, self.include_children, self.backend = monitor_pid, include_children, backend
        self.interval, self.max_usage, self.timestamps = interval, max_usage, timestamps
        self.pipe = pipe

    def run(self):
        sampler = _Sampler(self.monitor_pid, self.interval, self.backend, self.include_children,
                           self.max_usage)
        try:
            self.pipe.send(0)
            while not self.pipe.poll(None):
                pass
        finally:
            found, self.n_measurements = sampler.stop()
            self.mem_usage = found if self.timestamps else [memory for memory, _ in found]
        self.pipe.send(self.mem_usage)
        self.pipe.send(self.n_measurements)


class MemitResult:
    """The result of %memit, in MiB."""

    def __init__(self, mem_usage, baseline, repeat, timeout, interval, include_children):
        self.mem_usage, self.baseline = mem_usage, baseline
        self.repeat, self.timeout, self.interval = repeat, timeout, interval
        self.include_children = include_children

    def __str__(self):
        peak = max(self.mem_usage)
        return f"peak memory: {peak:.02f} MiB, increment: {peak - self.baseline:.02f} MiB"

    def _repr_pretty_(self, p, cycle):
        p.text(f"<MemitResult : {self}>")


def _call_of(proc):
    """(function, args, kwargs), or None if proc is a process."""
    if callable(proc):
        return proc, (), {}
    if not isinstance(proc, (list, tuple)):
        return None
    if not 1 <= len(proc) <= 3:
        raise ValueError("proc must be (f,), (f, args) or (f, args, kw), "
                         f"not a sequence of {len(proc)}")
    return (*proc, *((), {})[len(proc) - 1:])


def _measure_call(call, interval, backend, timestamps, include_children, max_usage, retval,
                  stream):
    function, args, kw = call
    sampler = _Sampler(os.getpid(), interval, backend, include_children, max_usage)
    try:
        returned = function(*args, **kw)
    finally:
        found, _ = sampler.stop()
    if stream is not None:
        for memory, moment in found:
            stream.write("MEM {0:.6f} {1:.4f}\n".format(memory, moment))
        stream.flush()
    result = found if timestamps else [memory for memory, _ in found]
    result = result[0] if max_usage else result
    return (result, returned) if retval else None if stream is not None else result


class _ProcessSampler:
    """Samples of a process, kept or written to a stream."""

    def __init__(self, pid, backend, timestamps, include_children, multiprocess, max_usage, stream):
        self._pid = os.getpid() if pid == -1 else pid
        self._backend = backend
        self._timestamps = timestamps
        self._include_children = include_children
        self._multiprocess = multiprocess
        self._max_usage = max_usage
        self._stream = stream
        self._found = []
        self._highest = -1

    def sample(self):
        memory = process_memory(self._pid, self._backend, self._include_children)
        moment = time.time()
        if self._max_usage:
            self._highest = max(self._highest, memory)
            return
        children = children_memory(self._pid, self._backend) if self._multiprocess else []
        if self._stream is not None:
            self._write(memory, children, moment)
            return
        item = (memory, moment) if self._timestamps else memory
        self._found.append([item, *(mib for _, mib in children)] if self._multiprocess else item)

    def _write(self, memory, children, moment):
        self._stream.write("MEM {0:.6f} {1:.4f}\n".format(memory, moment))
        for pid, mib in children:
            self._stream.write("CHLD {0} {1:.6f} {2:.4f}\n".format(pid, mib, moment))
        self._stream.flush()

    def result(self):
        if self._stream is not None:
            return None
        return self._highest if self._max_usage else self._found


def _is_gone(process):
    return isinstance(process, subprocess.Popen) and process.poll() is not None


def _sample_process(sampler, process, interval, times):
    """Takes samples at ticks that do not drift. times: how many; None: until the process ends."""
    start = time.monotonic()
    count = 0
    while times is None or count < times:
        try:
            sampler.sample()
        except ProcessLookupError:
            if count == 0 and not _is_gone(process):
                raise
            break
        count += 1
        deadline = start + count * interval
        while not _is_gone(process) and time.monotonic() < deadline:
            time.sleep(max(0, min(deadline - time.monotonic(), 0.05)))
        if _is_gone(process):
            break


def memory_usage(proc=-1, interval=.1, timeout=None, timestamps=False, include_children=False,
                 multiprocess=False, max_usage=False, retval=False, stream=None, backend=None,
                 max_iterations=None):
    """Samples of memory in MiB, one each `interval` seconds.

    proc: -1 (this process), a pid, a subprocess.Popen (sampled until it ends), a function or
    (f, args, kw), which is called once. timeout: seconds to sample a process; default: one sample of a
    pid. timestamps: each sample is (MiB, unix seconds). include_children: adds the memory of
    descendants. multiprocess: each sample is [process, descendant, ...]. max_usage: returns only the
    highest. retval: returns (samples, what the function returned). stream: gets MEM and CHLD records
    in place of a result. backend: psutil or posix (RSS), psutil_pss, psutil_uss, tracemalloc.
    max_iterations: ignored; a function is called once.
    """
    backend = choose_backend(backend)
    start_tracing(backend)
    call = _call_of(proc)
    if call is not None:
        return _measure_call(call, interval, backend, timestamps, include_children, max_usage,
                             retval, stream)
    is_child = isinstance(proc, subprocess.Popen)
    pid = proc.pid if is_child else int(proc)
    times = None if is_child else 1
    if timeout is not None:
        times = max(1, int(round(timeout / interval))) if interval > 0 else 1
    sampler = _ProcessSampler(pid, backend, timestamps, include_children, multiprocess, max_usage, stream)
    _sample_process(sampler, proc, interval, times)
    return sampler.result()
