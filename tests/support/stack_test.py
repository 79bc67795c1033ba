"""Reads the stacks of Python programs from outside, by the tool print-stacks, and shows them as text, outermost
first: "__main__.<module>:9 > __main__.outer:4". Names of 3.8 to 3.10 are without their class."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import textwrap
import time
import unittest

import mprof_test

TOOL = pathlib.Path(mprof_test.MPROF).parent / "tests/unit/print-stacks"


class Thread:
    def __init__(self, raw):
        self.__dict__.update(raw)
        self.names = [f"{frame[0]}.{frame[1]}" for frame in reversed(self.frames)]
        self.lines = [frame[3] for frame in reversed(self.frames)]
        self.files = [frame[2] for frame in reversed(self.frames)]
        self.text = " > ".join(f"{name}:{line}" for name, line in zip(self.names, self.lines))


class StackCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.assertTrue(TOOL.is_file(), f"no tool at {TOOL}")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mprof-stacks-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def environment(self, **changes):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("MPROF", "PYTHON", "LD_"))}
        environment.update(PYTHONDONTWRITEBYTECODE="1", **changes)
        return environment

    def write(self, name, source):
        path = self.directory / name
        path.write_text(textwrap.dedent(source))
        return path

    def start(self, *command, ready=True, **options):
        """Starts a program, and waits until it has written a line."""
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, cwd=self.directory, text=True, env=self.environment(**options))
        self.addCleanup(self.stop, process)
        process.said = process.stdout.readline().strip() if ready else ""
        return process

    @staticmethod
    def stop(process):
        """Not communicate(): a child may keep its end of the pipe open."""
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def start_python(self, interpreter, source, *arguments, **options):
        return self.start(interpreter.path, self.write("program.py", source), *arguments, **options)

    def run_tool(self, *arguments):
        return subprocess.run([str(TOOL), *map(str, arguments)], capture_output=True, text=True,
                              timeout=mprof_test.DEADLINE_S)

    def sample(self, pid, count=1, interval_us=0):
        """The threads of each sample."""
        done = self.run_tool(pid, count, interval_us)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [[Thread(thread) for thread in json.loads(line)["threads"]]
                for line in done.stdout.splitlines()]

    def main_thread(self, pid):
        """The stack of the first thread once it waits: it sleeps, and two samples agree."""
        deadline = time.monotonic() + mprof_test.DEADLINE_S
        while True:
            is_waiting = self.sleeps(pid)
            first, second = self.sample(pid, 2, 5000)
            if (is_waiting and first and second and second[-1].is_unchanged
                    and first[-1].text == second[-1].text and self.sleeps(pid)):
                return second[-1]
            self.assertLess(time.monotonic(), deadline, "the stack changes all the time")

    @staticmethod
    def sleeps(pid):
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return text.rpartition(")")[2].split()[0] == "S"

    def folded(self, pid, count, interval_us):
        """How often each stack was seen: {names outermost first: number}, and the number of stacks of which
        inner frames are missing."""
        done = self.run_tool("--folded", pid, count, interval_us)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        stacks, torn = {}, 0
        for line in done.stdout.splitlines():
            number, _, text = line.partition(" ")
            names = [name for name in text.split(";") if name]
            if names[-1:] == ["~"]:
                names.pop()
                torn += int(number)
            stacks[tuple(names)] = stacks.get(tuple(names), 0) + int(number)
        return stacks, torn
