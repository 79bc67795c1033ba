"""Trees of processes: forked, executed, pooled, and ended in every way."""

import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, on_each_interpreter, tree  # noqa: E402


def by_process(calls):
    """The calls of each process as text, in the order of their first call."""
    pids = list(dict.fromkeys(call.pid for call in calls))
    return [tree(call for call in calls if call.pid == pid) for pid in pids]


class Processes(AgentCase):
    @on_each_interpreter()
    def test_fork_inside_a_decorated_function(self, interpreter):
        done = self.run_source(interpreter, """
            import os
            @profile
            def parent():
                pid = os.fork()
                if pid == 0:
                    child()
                    return "child"
                os.waitpid(pid, 0)
                after()
                return "parent"
            @profile
            def child(): nested()
            @profile
            def nested(): pass
            @profile
            def after(): pass
            who = parent()
            child()
        """)
        self.assertEqual(by_process(done.calls), [
            ["main: __main__.parent", "main:   __main__.after",
             "main: __main__.child", "main:   __main__.nested"],
            # calls in flight belong to the parent: the child begins at level 0
            ["main: __main__.child", "main:   __main__.nested",
             "main: __main__.child", "main:   __main__.nested"]])

    @on_each_interpreter()
    def test_fork_in_a_thread(self, interpreter):
        done = self.run_source(interpreter, """
            import os, threading
            @profile
            def work():
                pid = os.fork()
                if pid == 0:
                    inner(); os._exit(0)
                os.waitpid(pid, 0)
            @profile
            def inner(): pass
            thread = threading.Thread(target=work, name="forker")
            thread.start(); thread.join()
        """)
        self.assertEqual(by_process(done.calls),
                         [["forker: __main__.work"], ["main: __main__.inner"]])

    @on_each_interpreter()
    def test_grandchildren(self, interpreter):
        done = self.run_source(interpreter, """
            import os
            @profile
            def generation(n): pass
            for n in range(5):
                generation(n)
                pid = os.fork()
                if pid:
                    os.waitpid(pid, 0)
                    os._exit(0)
        """)
        self.assertEqual(by_process(done.calls), [["main: __main__.generation"]] * 5)

    @on_each_interpreter()
    def test_fork_storm(self, interpreter):
        done = self.run_source(interpreter, """
            import os
            @profile
            def f(): pass
            for n in range(200):
                pid = os.fork()
                if pid == 0:
                    f(); os._exit(0)
                os.waitpid(pid, 0)
        """)
        self.assertEqual([call.name for call in done.calls], ["__main__.f"] * 200)
        self.assertEqual(len({call.pid for call in done.calls}), 200)

    @on_each_interpreter()
    def test_subprocess_and_exec(self, interpreter):
        self.write("worker.py", """
            import os, sys
            @profile
            def work(n):
                if n: os.execv(sys.executable, [sys.executable, "worker.py", str(n - 1)])
            work(int(sys.argv[1]))
        """)
        done = self.run_source(interpreter, """
            import subprocess, sys
            @profile
            def main(): subprocess.run([sys.executable, "worker.py", "2"], check=True)
            main()
        """)
        # one process executes three programs: calls in flight at an exec never return
        self.assertEqual(by_process(done.calls), [
            ["main: __main__.main"],
            ["main: __main__.work ...", "main: __main__.work ...", "main: __main__.work"]])

    @on_each_interpreter()
    def test_ways_to_end(self, interpreter):
        for how, code in (("os._exit(3)", 3), ("os.abort()", -signal.SIGABRT),
                          ("os.kill(os.getpid(), 9)", -signal.SIGKILL),
                          ("os.kill(os.getpid(), 15); signal.pause()", -signal.SIGTERM),
                          ("ctypes.string_at(0)", -signal.SIGSEGV)):
            done = self.run_source(interpreter, f"""
                import ctypes, os, resource, signal
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                @profile
                def outer():
                    inner()
                    inner()
                    last()
                @profile
                def inner(): pass
                @profile
                def last(): {how}
                outer()
            """, expect=code)
            self.assertEqual(done.tree, [
                "main: __main__.outer ...", "main:   __main__.inner",
                "main:   __main__.inner", "main:   __main__.last ..."], how)

    @on_each_interpreter()
    def test_pool_without_a_decorator_ends_as_without_mprof(self, interpreter):
        for method in ("fork", "spawn", "forkserver"):
            path = self.write("program.py", f"""
                import multiprocessing
                def square(n): return n * n
                if __name__ == "__main__":
                    multiprocessing.set_start_method("{method}")
                    with multiprocessing.Pool(2) as pool:
                        print(pool.map(square, range(5)))
            """)
            plain = self.run_plain(interpreter, path)
            done = self.run_agent(interpreter, path)
            self.assertEqual((done.out, done.err, done.code),
                             (plain.stdout, plain.stderr, plain.returncode))
            self.assertEqual(done.out, "[0, 1, 4, 9, 16]\n")

    @on_each_interpreter()
    def test_pool_of_decorated_functions(self, interpreter):
        for method in ("fork", "spawn", "forkserver"):
            done = self.run_source(interpreter, f"""
                import multiprocessing, time
                @profile
                def square(n):
                    time.sleep(0.02)
                    return n * n
                if __name__ == "__main__":
                    multiprocessing.set_start_method("{method}")
                    with multiprocessing.Pool(2) as pool:
                        print(pool.map(square, range(8), chunksize=1))
                        pool.close(); pool.join()
            """)
            self.assertEqual(done.out, "[0, 1, 4, 9, 16, 25, 36, 49]\n", done.err)
            self.assertEqual(done.err, "")
            module = "__main__" if method == "fork" else "__mp_main__"
            self.assertEqual([call.name for call in done.calls], [f"{module}.square"] * 8)
            self.assertLessEqual(len({call.pid for call in done.calls}), 2)
            self.assertFalse(any(call.open or call.level for call in done.calls))

    @on_each_interpreter()
    def test_executors(self, interpreter):
        done = self.run_source(interpreter, """
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
            @profile
            def cube(n): return n ** 3
            if __name__ == "__main__":
                with ProcessPoolExecutor(1) as pool: print(list(pool.map(cube, [1, 2])))
                with ThreadPoolExecutor(1, "web") as pool: print(list(pool.map(cube, [3])))
        """)
        self.assertEqual(done.out, "[1, 8]\n[27]\n", done.err)
        lanes = [(call.lane, call.level) for call in done.calls]
        self.assertEqual(lanes, [("", 0), ("", 0), ("web_0", 0)])

    @on_each_interpreter()
    def test_daemon_that_closes_everything(self, interpreter):
        done = self.run_source(interpreter, """
            import os, time
            @profile
            def work(n):
                block = bytearray(20_000_000)
                return len(block)
            work(0)
            if os.fork(): os._exit(0)
            os.setsid()
            if os.fork(): os._exit(0)
            work(1)
            out = os.dup2(1, 900)
            os.closerange(0, 900); os.closerange(901, 2000)
            for n in range(5): os.open("/dev/null", os.O_RDWR)
            os.dup2(0, 1000)
            for n in range(3): work(2)
            os.write(900, b"done")
        """)
        self.assertEqual(done.out, "done")
        self.assertEqual([call.name for call in done.calls], ["__main__.work"] * 5)
        for call in done.calls:
            self.assertGreater(call.exit_rss, 1 << 20)

    @on_each_interpreter()
    def test_user_changes(self, interpreter):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        if not pathlib.Path(interpreter.path).is_relative_to("/usr"):
            self.skipTest("lies where other users must not look")
        self.directory.chmod(0o755)
        done = self.run_source(interpreter, """
            import os
            @profile
            def f(): pass
            pid = os.fork()
            if pid == 0:
                os.setgid(65534); os.setuid(65534)
                f()
                os._exit(0)
            os.waitpid(pid, 0)
            os.setgid(65534); os.setuid(65534)
            f()
        """)
        self.assertEqual(by_process(done.calls), [["main: __main__.f"], ["main: __main__.f"]])

    @on_each_interpreter()
    def test_killed_at_random_moments(self, interpreter):
        """Completed calls are recorded once; only calls in flight are open."""
        for milliseconds in range(1, 20, 4):
            done = self.run_source(interpreter, f"""
                import os, signal, threading, time
                @profile
                def outer():
                    for i in range(3): inner(i)
                @profile
                def inner(i): time.sleep(0.0001)
                def kill():
                    time.sleep(0.001 * {milliseconds})
                    os.kill(os.getpid(), signal.SIGKILL)
                threading.Thread(target=kill).start()
                while True: outer()
            """, expect=-signal.SIGKILL)
            self.assertEqual(done.dropped, 0)
            whole = ["main: __main__.outer"] + ["main:   __main__.inner"] * 3
            begun = len(done.tree) % 4
            complete = done.tree[:len(done.tree) - begun]
            if not begun and complete and done.calls[-4].open:
                begun, complete = 4, complete[:-4]
            self.assertEqual(complete, whole * (len(complete) // 4))
            last = done.tree[len(complete):]
            self.assertIn(last, [
                [],
                ["main: __main__.outer ..."],
                *(["main: __main__.outer ..."] + ["main:   __main__.inner"] * count + end
                  for count in range(4) for end in ([], ["main:   __main__.inner ..."]))])


if __name__ == "__main__":
    unittest.main()
