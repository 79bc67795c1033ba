"""Runs programs with the agent, on every interpreter of the machine, and shows the recorded calls as text:

    main: __main__.outer          lane, colon, name; in the order of entry
    main:   __main__.inner !      two spaces per level; ! raised an exception; ... never returned

A program is given as source; its calls are compared as a whole."""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import textwrap
import types
import unittest

import interpreters
import mprof_test
from rings import Rings

PRELOAD = (mprof_test.preloadable(pathlib.Path(mprof_test.MPROF).parent) /
           "preload/any/libmprof-before-libasan.so")


def tree(calls):
    """The calls as lines of text."""
    lines = []
    for call in calls:
        mark = " ..." if call.open else " !" if call.failed else ""
        lines.append(f"{call.lane or 'main'}: {'  ' * call.level}{call.name}{mark}")
    return lines


def on_each_interpreter(*modules):
    """Decorator: runs a test once for each interpreter (that has the modules), as its argument."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            chosen = [one for one in interpreters.supported() if not modules or one.has(*modules)]
            if not chosen:
                self.skipTest(f"no interpreter with {', '.join(modules) or 'version 3.8 or later'}")
            for one in chosen:
                with self.subTest(python=str(one)):
                    test(self, one)
        return run
    return decorate


class AgentCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.assertTrue(PRELOAD.is_file(), f"no shim at {PRELOAD}")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mprof-agent-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def environment(self, **changes):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("MPROF", "PYTHON", "LD_"))}
        environment.update(PYTHONDONTWRITEBYTECODE="1", **changes)
        return environment

    def write(self, name, source):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    def run_plain(self, interpreter, *arguments, **options):
        """Runs an interpreter without the agent."""
        options.setdefault("cwd", self.directory)
        return subprocess.run([interpreter.path, *map(str, arguments)], capture_output=True,
                              text=True, timeout=mprof_test.DEADLINE_S,
                              env=self.environment(**options.pop("env", {})), **options)

    def run_agent(self, interpreter, *arguments, env=None, expect=0, **options):
        """Runs an interpreter with the agent to its end. Returns its output, exit code, and calls."""
        recorder = Rings()
        options.setdefault("cwd", self.directory)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        environment = self.environment(**recorder.environment(PRELOAD))
        environment.update(env or {})
        try:
            done = subprocess.run([getattr(interpreter, "path", interpreter), *map(str, arguments)],
                                  capture_output=True, text=True, env=environment,
                                  timeout=mprof_test.DEADLINE_S, **options)
        finally:
            calls = recorder.finish()
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return types.SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr,
                                     calls=calls, tree=tree(calls), dropped=recorder.dropped,
                                     rings=recorder.rings, names=recorder.names)

    def run_source(self, interpreter, source, *arguments, **options):
        return self.run_agent(interpreter, self.write("program.py", source), *arguments, **options)


def add_programs(case, programs, *modules):
    """Adds a test for each (name, source, calls): every call, its lane, its level and how it ended, in the
    order of entry. Without a lane before the colon it is the main one. With None for the calls only the
    program's success and silence are tested."""
    for name, source, expected in programs:
        _add_program(case, name, source, expected, modules)


def _add_program(case, name, source, expected, modules):
    lines = []
    for line in textwrap.dedent(expected or "").strip().split("\n"):
        lane, _, call = line.partition(":")
        call = call.replace("\\n", "\n").replace("\\udcff", "\udcff")
        lines.append(f"{lane or 'main'}:{call}")

    def test(self, interpreter):
        done = self.run_source(interpreter, source)
        if expected is not None:
            self.assertEqual(done.tree, lines)
        self.assertEqual([call for call in done.calls if call.open], [])
        self.assertEqual((done.out, done.err), ("", ""))

    title = "test_" + "".join(letter if letter.isalnum() else "_" for letter in name)
    test.__doc__ = name
    assert not hasattr(case, title), title
    setattr(case, title, on_each_interpreter(*modules)(test))
