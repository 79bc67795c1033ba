"""Stacks of processes of every kind: children, embedded interpreters, other programs, other users."""

import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import on_each_interpreter  # noqa: E402
from stack_test import StackCase, Thread  # noqa: E402

WORKERS = """
import multiprocessing as m, os, threading, time
def inner(queue):
    queue.put((os.getpid(), threading.get_native_id()))
    while True: time.sleep(1000)
def work(queue): inner(queue)
if __name__ == "__main__":
    context = m.get_context({method!r})
    queue = context.Queue()
    worker = context.Process(target=work, args=(queue,), daemon=True)
    worker.start()
    print(queue.get()[0], flush=True)
    input()
"""

# Runs a program that may not call process_vm_readv(2).
FILTER = """
import ctypes, os, struct, sys
def step(code, yes, no, value): return struct.pack("HBBI", code, yes, no, value)
steps = ctypes.create_string_buffer(step(0x20, 0, 0, 0) + step(0x15, 0, 1, NUMBER) + step(6, 0, 0, 0x00050001)
                                    + step(6, 0, 0, 0x7fff0000))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
made = Filter(4, ctypes.addressof(steps))
libc = ctypes.CDLL(None)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(made), 0, 0):
    sys.exit("no filter")
os.execvp(sys.argv[1], sys.argv[1:])
"""

EMBEDDED = r"""
#include <Python.h>
int main(void)
{
    Py_Initialize();
    return PyRun_SimpleString("def outer(): inner()\n"
                              "def inner():\n"
                              "    import sys\n"
                              "    print('ready', flush=True)\n"
                              "    sys.stdin.readline()\n"
                              "outer()\n");
}
"""

ASK = ("import sysconfig as s, sys\n"
       "print(s.get_config_var('LIBDIR'), s.get_config_var('LDVERSION'), s.get_path('include'), "
       "s.get_config_var('LIBPL'), sys.prefix, s.get_config_var('LIBS') or '', "
       "s.get_config_var('SYSLIBS') or '', s.get_path('platinclude'), sep='\\n')")


class Processes(StackCase):
    @on_each_interpreter()
    def test_workers(self, interpreter):
        for method in ("fork", "spawn", "forkserver"):
            process = self.start_python(interpreter, WORKERS.format(method=method))
            thread = self.main_thread(int(process.said))
            self.assertEqual(thread.names[-2:], ["__mp_main__.work", "__mp_main__.inner"] if method != "fork"
                             else ["__main__.work", "__main__.inner"])
            self.assertEqual(thread.tid, int(process.said))
            os.kill(int(process.said), signal.SIGKILL)
            self.stop(process)

    @on_each_interpreter()
    def test_forked_by_another_thread(self, interpreter):
        """The child's only thread was not its parent's first."""
        process = self.start_python(interpreter, """
import os, threading, time, sys
def child():
    print(os.getpid(), flush=True)
    time.sleep(1000)
def fork():
    if os.fork() == 0: child()
threading.Thread(target=fork).start()
time.sleep(1000)
""")
        pid = int(process.said)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        sample = self.sample(pid, 2, 20000)[-1]
        self.assertEqual([(thread.tid, thread.names[-2:]) for thread in sample if "__main__.child" in thread.names],
                         [(pid, ["__main__.fork", "__main__.child"])])

    @on_each_interpreter()
    def test_threads_have_their_numbers(self, interpreter):
        process = self.start_python(interpreter, """
import threading, time
ids = []
def work():
    ids.append(threading.get_native_id())
    time.sleep(1000)
for i in range(3): threading.Thread(target=work, daemon=True).start()
while len(ids) < 3: time.sleep(0.01)
print(*ids, flush=True)
time.sleep(1000)
""")
        sample = self.sample(process.pid)[0]
        self.assertEqual(sorted(thread.tid for thread in sample),
                         sorted([process.pid, *map(int, process.said.split())]))

    def build(self, interpreter, static):
        answer = subprocess.run([interpreter.path, "-c", ASK], capture_output=True, text=True,
                                check=True, env=self.environment()).stdout.splitlines()
        libdir, version, include, config, prefix, libs, system, platform = answer
        archive = next((path for folder in (config, libdir)
                        if (path := pathlib.Path(folder, f"libpython{version}.a")).exists()), None)
        if not pathlib.Path(include, "Python.h").exists() or (static and not archive):
            return None
        (self.directory / "embedded.c").write_text(EMBEDDED)
        command = ["cc", "-w", "-o", "embedded", "embedded.c", f"-I{include}", f"-I{platform}"]
        if static:
            command += ["-static-libgcc", str(archive), *libs.split(), *system.split(), "-lm", "-lexpat", "-lz"]
        else:
            command += [f"-L{libdir}", f"-Wl,-rpath,{libdir}", f"-lpython{version}"]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            return None
        return {"PYTHONHOME": prefix}

    @on_each_interpreter()
    def test_embedded(self, interpreter):
        if not shutil.which("cc"):
            self.skipTest("needs a compiler")
        for static in (False, True):
            options = self.build(interpreter, static)
            if options is None:
                continue
            for strip in (False, True) if static else (False,):
                if strip:
                    subprocess.run(["strip", "--strip-all", self.directory / "embedded"], check=True)
                process = self.start(self.directory / "embedded", **options)
                if strip and interpreter.version < (3, 10):
                    done = self.run_tool(process.pid)
                    self.assertEqual((done.returncode, done.stderr), (1, "the process does not run Python\n"))
                    continue
                if strip and interpreter.version < (3, 13) and not self.exports(self.directory / "embedded"):
                    done = self.run_tool(process.pid)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("version of the Python in the process is not known", done.stderr)
                    continue
                thread = self.main_thread(process.pid)
                self.assertEqual([name.split(".")[-1] for name in thread.names], ["<module>", "outer", "inner"])
                self.stop(process)

    @staticmethod
    def exports(program):
        done = subprocess.run(["nm", "-D", str(program)], capture_output=True, text=True)
        return " _PyRuntime" in done.stdout

    @on_each_interpreter()
    def test_subinterpreters(self, interpreter):
        for module in ("_interpreters", "_xxsubinterpreters"):
            if interpreter.has(module):
                break
        else:
            return
        process = self.start_python(interpreter, f"""
import {module} as interpreters, threading, time
def run():
    one = interpreters.create()
    interpreters.run_string(getattr(one, "id", one), '''
import time
def inside():
    print("ready", flush=True)
    time.sleep(1000)
inside()
''')
threading.Thread(target=run, daemon=True).start()
time.sleep(1000)
""")
        sample = self.sample(process.pid, 2, 20000)[-1]
        stacks = {thread.interpreter: thread.names[-1] for thread in sample if thread.names}
        self.assertEqual(stacks.pop(0).split(".")[-1], "<module>")
        self.assertIn("__main__.inside", stacks.values())

    def test_other_programs(self):
        process = self.start("sleep", "1000", ready=False)
        done = self.run_tool(process.pid)
        self.assertEqual((done.returncode, done.stderr), (1, "the process does not run Python\n"))

    @on_each_interpreter()
    def test_ends_and_runs_another_program(self, interpreter):
        for last in ("os._exit(0)", "os.execv('/bin/sleep', ['sleep', '1000'])"):
            process = self.start_python(interpreter, f"""
import os, sys
print("ready", flush=True)
sys.stdin.readline()
{last}
""")
            tool = subprocess.Popen([str(self.tool()), str(process.pid), "1000000", "500"], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(self.stop, tool)
            self.assertTrue(tool.stdout.readline())
            process.stdin.write("\n")
            process.stdin.flush()
            _, error = tool.communicate(timeout=60)
            self.assertEqual((tool.returncode, error),
                             (1, "the process has ended or runs another program\n"))

    def test_killed_while_it_is_read(self):
        for _ in range(20):
            process = self.start_python(sys_interpreter(), "print('ready', flush=True)\nwhile True: pass\n")
            tool = subprocess.Popen([str(self.tool()), "--folded", str(process.pid), "100000000"], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(self.stop, tool)
            time.sleep(0.01)
            process.kill()
            process.wait()
            _, error = tool.communicate(timeout=60)
            self.assertEqual(tool.returncode, 1)
            self.assertIn(error, ("the process has ended or runs another program\n",
                                  "it has ended\n",
                                  "it has ended, or is a kernel thread\n"))

    @unittest.skipIf(os.getuid() != 0, "needs root")
    def test_no_permission(self):
        process = self.start_python(sys_interpreter(), "print('ready', flush=True)\ninput()\n")
        os.chmod(self.directory, 0o755)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               str(self.tool()), str(process.pid)], capture_output=True, text=True)
        if done.returncode == 127 or "Permission denied" in done.stderr:
            self.skipTest("another user cannot run the tool from here")
        self.assertEqual((done.returncode, done.stderr),
                         (1, "the process is another user's, or setuid; run mprof as root\n"))

    def test_where_the_system_call_is_forbidden(self):
        """As under docker's filter: through /proc/PID/mem."""
        number = {"x86_64": 310, "aarch64": 270}.get(platform.machine())
        path = self.write("filtering.py", FILTER.replace("NUMBER", str(number)))
        if number is None or subprocess.run([sys.executable, path, "true"]).returncode != 0:
            self.skipTest("system calls cannot be filtered here")
        process = self.start_python(sys_interpreter(), "def f():\n    print('ready', flush=True)\n    input()\nf()\n")
        expected = self.main_thread(process.pid).text
        done = subprocess.run([sys.executable, path, str(self.tool()), str(process.pid), "3"], capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for line in done.stdout.splitlines():
            self.assertEqual(Thread(json.loads(line)["threads"][-1]).text, expected)

    @staticmethod
    def tool():
        import stack_test
        return stack_test.TOOL


def sys_interpreter():
    import interpreters
    return interpreters.supported()[-1]


if __name__ == "__main__":
    unittest.main()
