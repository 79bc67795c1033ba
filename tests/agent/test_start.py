"""Every way to start a Python program, and every way to import the decorator."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import interpreters  # noqa: E402
import mprof_test  # noqa: E402
from agent_test import PRELOAD, AgentCase, on_each_interpreter  # noqa: E402

PROGRAM = """
    @profile
    def f(): return 42
    if f() != 42: raise AssertionError
"""

IMPORTING = """
    from memory_profiler import profile as imported
    import builtins, memory_profiler
    assert imported is builtins.profile is memory_profiler.profile
    @imported
    def f(): pass
    f()
"""

# Stands for an installed memory_profiler: a module with its own `profile`.
INSTALLED = """
    __version__ = "installed"
    def profile(func=None): raise AssertionError("the decorator of the installed module")
    def memory_usage(): return "usage"
"""


class Start(AgentCase):
    @on_each_interpreter()
    def test_script_command_module_and_stdin(self, interpreter):
        path = self.write("program.py", PROGRAM)
        source = path.read_text()
        for arguments, options in (
                ((path,), {}),
                (("program.py",), {}),
                (("-c", source), {}),
                (("-m", "program"), {}),
                (("-",), {"input": source}),
                ((), {"input": source}),
                (("-I", path), {}),
                (("-E", path), {}),
                (("-S", path), {}),
                (("-s", "-S", "-E", "-I", path), {}),
                (("-O", "-B", path), {}),
                (("-X", "dev", path), {})):
            done = self.run_agent(interpreter, *arguments, **options)
            self.assertEqual(done.tree, ["main: __main__.f"], arguments)
            self.assertEqual((done.out, done.err), ("", ""), arguments)

    @on_each_interpreter()
    def test_zipapp_and_directory(self, interpreter):
        path = self.write("app/__main__.py", PROGRAM)
        with zipfile.ZipFile(self.directory / "app.pyz", "w") as archive:
            archive.write(path, "__main__.py")
        for app in ("app", "app.pyz"):
            self.assertEqual(self.run_agent(interpreter, app).tree, ["main: __main__.f"])

    @on_each_interpreter()
    def test_interactive(self, interpreter):
        done = self.run_agent(interpreter, "-i", "-q",
                              input="@profile\ndef f(): return 42\n\nf()\n")
        self.assertEqual(done.tree, ["main: __main__.f"])
        self.assertEqual(done.out, "42\n")

    @on_each_interpreter("venv")
    def test_virtual_environment(self, interpreter):
        path = self.write("program.py", IMPORTING)
        venv = self.directory / "venv"
        shutil.rmtree(venv, ignore_errors=True)
        for style in ("--symlinks", "--copies"):
            shutil.rmtree(venv, ignore_errors=True)
            subprocess.run([interpreter.path, "-m", "venv", "--without-pip", style, venv],
                           check=True, env=self.environment())
            done = self.run_agent(str(venv / "bin/python"), path)
            self.assertEqual(done.tree, ["main: __main__.f"])

    @on_each_interpreter()
    def test_code_that_runs_before_the_program(self, interpreter):
        self.write("early/sitecustomize.py", "@profile\ndef f(): pass\nf()\n")
        done = self.run_agent(interpreter, "-c", "profile",
                              env={"PYTHONPATH": str(self.directory / "early")})
        self.assertEqual(done.tree, ["main: sitecustomize.f"])

    @on_each_interpreter()
    def test_shell_in_between(self, interpreter):
        path = self.write("program.py", PROGRAM)
        done = self.run_agent("/bin/sh", "-c", f"true; env {interpreter.path} {path} | cat")
        self.assertEqual(done.tree, ["main: __main__.f"])

    @on_each_interpreter()
    def test_without_mprof_the_name_stays_unknown(self, interpreter):
        path = self.write("program.py", PROGRAM)
        done = self.run_plain(interpreter, path)
        self.assertIn("NameError", done.stderr)
        # the shim alone does nothing: `mprof run --nopython`, or the recorder has ended
        done = self.run_plain(interpreter, path, env={"LD_PRELOAD": str(PRELOAD)})
        self.assertIn("NameError", done.stderr)

    @on_each_interpreter()
    def test_switched_off(self, interpreter):
        done = self.run_agent(interpreter, self.write("program.py", """
            def f(): return 42
            class C:
                @property
                def p(self): return 1
            assert profile(f) is f and profile(C) is C and profile()(f) is f
            from memory_profiler import profile as imported
            assert imported is profile
            with profile.timestamp("nothing"): f()
        """), env={"MPROF_OFF": "1"})
        self.assertEqual((done.out, done.err, done.rings), ("", "", {}))

    @on_each_interpreter()
    def test_recorder_is_gone(self, interpreter):
        path = self.write("program.py", PROGRAM)
        done = self.run_plain(interpreter, path, env={"LD_PRELOAD": str(PRELOAD),
                                                      "MPROF_RINGS": "/nonexistent/rings"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_versions_that_are_not_supported(self):
        others = [one for one in interpreters.every() if one not in interpreters.supported()]
        for interpreter in others:
            with self.subTest(python=str(interpreter)):
                source = "try: profile\nexcept NameError: print('none')\n"
                done = self.run_source(interpreter, source)
                self.assertEqual((done.out, done.tree), ("none\n", []))
                notices = done.err.count("mprof: ")
                self.assertEqual(notices, 1 if interpreter.free_threaded else 0, done.err)

    def test_other_programs_are_unchanged(self):
        for command in (["/bin/sh", "-c", "echo $((1 + 1)); exit 7"], ["/bin/cat", "/dev/null"],
                        ["/usr/bin/env"], ["perl", "-e", "print 1"]):
            if not shutil.which(command[0]):
                continue
            plain = subprocess.run(command, capture_output=True, text=True, env=self.environment())
            done = self.run_agent(command[0], *command[1:], expect=plain.returncode)
            kept = [line for line in done.out.splitlines(True)
                    if not line.startswith(("MPROF_RINGS=", "LD_PRELOAD="))]
            self.assertEqual(("".join(kept), done.err), (plain.stdout, plain.stderr))
            self.assertEqual(done.rings, {})

    @on_each_interpreter()
    def test_a_program_without_decorator_makes_no_ring(self, interpreter):
        done = self.run_source(interpreter, "print('hello')")
        self.assertEqual((done.out, done.rings), ("hello\n", {}))


class Import(AgentCase):
    @on_each_interpreter()
    def test_nothing_installed(self, interpreter):
        done = self.run_agent(interpreter, "-S", self.write("program.py", IMPORTING))
        self.assertEqual(done.tree, ["main: __main__.f"])
        self.assertEqual((done.out, done.err), ("", ""))

    @on_each_interpreter()
    def test_installed(self, interpreter):
        self.write("installed/memory_profiler.py", INSTALLED)
        done = self.run_agent(interpreter, self.write("program.py", IMPORTING + """
    assert memory_profiler.__version__ == "installed" and memory_profiler.memory_usage() == "usage"
            """), env={"PYTHONPATH": str(self.directory / "installed")})
        self.assertEqual(done.tree, ["main: __main__.f"])
        self.assertEqual((done.out, done.err), ("", ""))

    @on_each_interpreter("memory_profiler")
    def test_upstreams_memory_profiler(self, interpreter):
        done = self.run_source(interpreter, IMPORTING + """
    assert callable(memory_profiler.memory_usage) and memory_profiler.__file__
            """)
        self.assertEqual(done.tree, ["main: __main__.f"])
        self.assertEqual((done.out, done.err), ("", ""))

    @on_each_interpreter()
    def test_every_spelling(self, interpreter):
        done = self.run_agent(interpreter, "-S", self.write("program.py", """
            def spelling_a():
                import memory_profiler
                return memory_profiler.profile
            def spelling_b():
                import memory_profiler as mp
                return mp.profile
            def spelling_c():
                from memory_profiler import profile as p
                return p
            def spelling_d():
                return __import__("memory_profiler").profile
            def spelling_e():
                try:
                    from memory_profiler import profile as p
                except ImportError:
                    p = lambda function: function
                return p
            def spelling_f():
                import importlib
                return importlib.import_module("memory_profiler").profile
            import sys
            for way in (spelling_a, spelling_b, spelling_c, spelling_d, spelling_e, spelling_f):
                sys.modules.pop("memory_profiler", None)
                assert way() is profile, way
            import importlib
            assert importlib.import_module("colorsys") is sys.modules["colorsys"]
            assert importlib.import_module(".tool", "json") is sys.modules["json.tool"]
            try:
                importlib.import_module("nothing_of_this_name")
            except ModuleNotFoundError as error:
                assert error.name == "nothing_of_this_name"
        """))
        self.assertEqual(done.err, "")

    @on_each_interpreter()
    def test_in_several_threads_at_once(self, interpreter):
        self.write("slow/memory_profiler.py", "import time; time.sleep(0.2)\n"
                   "def profile(function): raise AssertionError\n")
        done = self.run_agent(interpreter, self.write("program.py", """
            import threading
            seen = []
            def load():
                import memory_profiler
                seen.append(memory_profiler.profile)
            threads = [threading.Thread(target=load) for _ in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert len(seen) == 8 and set(seen) == {profile}, seen
        """), env={"PYTHONPATH": str(self.directory / "slow")})
        self.assertEqual(done.err, "")

    @on_each_interpreter()
    def test_broken_memory_profiler(self, interpreter):
        for text, error in (("import psutil_that_is_not_there", "ModuleNotFoundError"),
                            ("1 / 0", "ZeroDivisionError"), ("(", "SyntaxError")):
            self.write("broken/memory_profiler.py", text)
            path = self.write("program.py", "import memory_profiler")
            env = {"PYTHONPATH": str(self.directory / "broken")}
            plain = self.run_plain(interpreter, path, env=env)
            done = self.run_agent(interpreter, path, env=env, expect=1)
            self.assertEqual(done.err, plain.stderr)
            self.assertIn(error, done.err)

    @on_each_interpreter()
    def test_planted_modules_are_not_run(self, interpreter):
        """S1: the agent runs nothing from the working directory."""
        names = ("psutil", "memory_profiler", "mprof", "usercustomize", "asyncio", "greenlet",
                 "threading", "_asyncio")
        for name in names:
            self.write(f"{name}.py", f"print('planted {name}')\n")
        done = self.run_agent(interpreter, "-c", "@profile\ndef f(): pass\nf()")
        self.assertEqual((done.out, done.err), ("", ""))
        self.assertEqual(done.tree, ["main: __main__.f"])
        for name in names:
            os.unlink(self.directory / f"{name}.py")


if __name__ == "__main__":
    unittest.main()
