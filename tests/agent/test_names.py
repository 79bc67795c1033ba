"""The agent emits the name that multiprocessing gives a process."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, on_each_interpreter  # noqa: E402

METHODS = ("fork", "spawn", "forkserver")

# Each child prints its name; it has no decorated function.
MANY = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
def say(*nothing):
    name = multiprocessing.current_process().name
    os.write(1, f"{os.getpid()} {name}\\n".encode())
class Reader(multiprocessing.Process):
    def run(self): say()
def nest():
    say()
    inner = multiprocessing.Process(target=say)
    inner.start(); inner.join()
def main():
    multiprocessing.set_start_method(METHOD)
    with multiprocessing.Pool(2, say) as pool:
        pool.close(); pool.join()
    for process in (multiprocessing.Process(target=say, name="the reader"),
                    multiprocessing.Process(target=nest), Reader(name="own")):
        process.start(); process.join()
    with ProcessPoolExecutor(1) as executor:
        executor.submit(say).result()
if __name__ == "__main__": main()
"""

RENAMED = """
import multiprocessing
def work(name):
    process = multiprocessing.current_process()
    for one in ("other", name):
        process.name = one
        assert process.name == one
    try: process.name = 3
    except AssertionError as error: assert error.args == ("name must be a string",)
    else: assert False
    assert process.name == name
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    for name in NAMES:
        process = multiprocessing.Process(target=work, args=(name,))
        multiprocessing.Process(target=work).name = "never started"
        process.start(); process.join()
        print(process.pid, process.exitcode)
"""

# What a tracer and a profiler see when a process starts and is renamed; the module's attributes.
SEEN = """
import gc, inspect, multiprocessing, multiprocessing.util, os, sys
from multiprocessing.process import BaseProcess
gc.disable()
seen = []
def trace(frame, event, argument):
    seen.append(("trace", event, frame.f_code.co_name, frame.f_lineno))
    return trace
def profile_calls(frame, event, argument):
    seen.append((event, frame.f_code.co_name, getattr(argument, "__name__", None)
                 if event.startswith("c_") else None))
def work():
    multiprocessing.current_process().name = "renamed"
    sys.settrace(None); sys.setprofile(None)
    os.write(1, "\\n".join(map(str, seen)).encode())
    name = BaseProcess.name
    print(type(name), name.__doc__, name.fget, name.fget.__name__, name.fdel, inspect.isdatadescriptor(name),
          inspect.signature(BaseProcess._bootstrap), multiprocessing.util._run_after_forkers.__name__,
          sorted(vars(BaseProcess)), sorted(vars(multiprocessing.util)),
          inspect.isfunction(name.fset), inspect.getsource(name.fset), inspect.getsource(multiprocessing.util._run_after_forkers), flush=True)
process = multiprocessing.get_context("fork").Process(target=work)
process.name = "reader"
sys.settrace(trace) if TOOL == "trace" else sys.setprofile(profile_calls)
process.start()
sys.settrace(None); sys.setprofile(None)
process.join()
"""


class Names(AgentCase):
    @on_each_interpreter()
    def test_every_start_method(self, interpreter):
        for method in METHODS:
            with self.subTest(method=method):
                done = self.run_source(interpreter, MANY.replace("METHOD", repr(method)))
                said = {int(pid): name for pid, name in
                        (line.split(" ", 1) for line in done.out.splitlines())}
                self.assertEqual(done.names, said, done.err)
                self.assertEqual(len(said), 7)
                self.assertIn("the reader", said.values())
                self.assertEqual(done.rings, {})  # a process without recorded calls has no ring
                self.assertEqual(done.err, "")

    @on_each_interpreter()
    def test_renamed(self, interpreter):
        names = {"a name, no path: /etc/x": "a name, no path: /etc/x", "one\nof two": "one\nof two",
                 "ü€😀": "ü€😀", "cut\0here": "cut", "\udcff": "\\udcff", "": "other",
                 "x" * 5000: "x" * 255}
        done = self.run_source(interpreter, RENAMED.replace("NAMES", ascii(list(names))))
        children = [line.split() for line in done.out.splitlines()]
        self.assertEqual([code for _, code in children], ["0"] * len(names), done.err)
        self.assertEqual([done.names.get(int(pid)) for pid, _ in children], list(names.values()))

    @on_each_interpreter()
    def test_processes_without_a_name(self, interpreter):
        """The main process, children of os.fork, and programs that import multiprocessing without using
        it."""
        done = self.run_source(interpreter, """
            import multiprocessing, os, subprocess, sys
            import concurrent.futures.process
            def fork():
                if os.fork() == 0: os._exit(0)
                os.wait()
            fork()
            import multiprocessing.util, multiprocessing.pool
            fork()
            subprocess.run([sys.executable, "-c", "import multiprocessing.util, os; os.fork()"])
            assert multiprocessing.current_process().name == "MainProcess"
        """)
        self.assertEqual(done.names, {})
        done = self.run_source(interpreter, """
            import multiprocessing.util, os
            multiprocessing.current_process().name = "master"
            open(os.devnull).close()  # the audit event that loads the agent
            print(os.getpid())
        """)
        self.assertEqual(done.names, {int(done.out): "master"})

    @on_each_interpreter()
    def test_stand_ins_are_invisible(self, interpreter):
        for tool in ("trace", "profile"):
            path = self.write("program.py", SEEN.replace("TOOL", repr(tool)))
            plain = self.run_plain(interpreter, path)
            self.assertEqual(plain.returncode, 0, plain.stderr)
            self.assertIn("_bootstrap", plain.stdout)
            done = self.run_agent(interpreter, path)
            self.assertEqual(self.without_addresses(done.out),
                             self.without_addresses(plain.stdout))
            self.assertEqual(list(done.names.values()), ["renamed"])

    @staticmethod
    def without_addresses(text):
        return [line.partition(" at 0x")[0] for line in text.splitlines()]

    @on_each_interpreter()
    def test_no_directory_of_rings(self, interpreter):
        """The directory of rings is missing or not writable."""
        done = self.run_source(interpreter, """
            import multiprocessing
            def work(): assert multiprocessing.current_process().name == "reader"
            process = multiprocessing.get_context("fork").Process(target=work, name="reader")
            process.start(); process.join()
            print(process.exitcode)
        """, env={"MPROF_RINGS": str(self.directory / "gone")})
        self.assertEqual((done.out, done.err, done.names), ("0\n", "", {}))


if __name__ == "__main__":
    unittest.main()
