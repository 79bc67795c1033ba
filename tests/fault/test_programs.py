"""R10, R15, R16: programs of every kind run as without mprof."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, Recording, program_for_all, python  # noqa: E402

TOOLS = mprof_test.preloadable(os.environ.get("MPROF_TEST_TOOLS", "."))
# A name that AddressSanitizer accepts before its own runtime.
PRELOADS = TOOLS / "before-libasan.so"


class Programs(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    # --- R15: as without mprof ---

    def test_R15_standard_input_reaches_the_program(self):
        done = subprocess.run([MPROF, "run", "-o", self.path, "tr", "a-z", "A-Z"],
                              input="some text\n", capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines()[-1], "SOME TEXT")

    def test_R15_standard_error_has_program_output_only(self):
        done = self.run_mprof("run", "-o", self.path, "sh", "-c", "echo oops >&2; exit 3")
        self.assertEqual(done.stderr, "oops\n")

    def test_R15_output_without_a_reader(self):
        """EPIPE of our own output does no harm, and SIGPIPE still ends the program."""
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([MPROF, "run", "-E", "-o", self.path, "sh", "-c",
                               "until [ $(grep -c ^MEM out.dat) -gt 1 ]; do sleep 0.05; done;"
                               "echo x; exit 0"], stdout=writer, stderr=subprocess.PIPE,
                              cwd=self.directory, timeout=mprof_test.DEADLINE_S)
        os.close(writer)
        self.assertIn(done.returncode, (128 + 13, 2))  # sh: killed, or reports a write error
        recording = Recording(self.path)
        self.assertGreater(len(recording.mem), 1)
        self.assertEqual(len(recording.exits), 1)

    def test_R15_closed_descriptors(self):
        for closed in ([0], [1], [2], [0, 1, 2]):
            with self.subTest(closed=closed):
                done = subprocess.run(
                    ["sh", "-c", "exec \"$@\" " + " ".join(f"{n}>&-" for n in closed), "sh", MPROF,
                     "run", "-E", "-o", str(self.path), "sh", "-c", "exit 6"],
                    stdin=subprocess.DEVNULL, capture_output=True, cwd=self.directory)
                self.assertEqual(done.returncode, 6)
                text = self.path.read_bytes()
                self.assertTrue(text.startswith(b"CMDLINE sh -c 'exit 6'\n"), text[:60])
                self.assertNotIn(b"Sampling", text)
                self.path.unlink()

    def test_R15_descriptors_are_passed_on(self):
        reader, writer = os.pipe()
        subprocess.run([MPROF, "run", "-o", self.path, "sh", "-c", f"echo hello >&{writer}"],
                       pass_fds=[writer], check=True, capture_output=True)
        os.close(writer)
        self.assertEqual(os.read(reader, 100), b"hello\n")
        os.close(reader)

    def test_R15_user_preload_is_kept(self):
        done = self.run_mprof("run", "-o", self.path, python(), "-c",
                              "import os; print(os.environ.get('LD_PRELOAD'), hasattr("
                              "__builtins__, 'profile'))",
                              env=self.environment(LD_PRELOAD=str(PRELOADS / "step-clock.so"),
                                                   MPROF_TEST_STEPS=""))
        self.assertIn("step-clock.so", done.stdout)
        self.assertTrue(done.stdout.endswith("True\n"))

    # --- R16: programs without the agent ---

    def test_R16_statically_linked(self):
        done = self.run_mprof("run", "-E", "-o", self.path, TOOLS / "static-program", "300",
                              expect=3)
        self.assertEqual(done.stderr, "")
        self.assertGreater(len(Recording(self.path).mem), 2)

    def test_R16_static_interpreter_is_reported(self):
        shutil.copy(TOOLS / "static-program", self.directory / "python3")
        done = self.run_mprof("run", "-E", "-o", self.path, "./python3", "50", expect=3)
        self.assertEqual(done.stderr,
                         "mprof: functions are not recorded: the interpreter is statically linked\n")
        self.assertIn("running as a Python program...\n", done.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to make another user's program")
    def test_R16_setuid_and_another_user(self):
        os.chmod(self.directory, 0o755)
        program = self.directory / "python3"
        shutil.copy(TOOLS / "static-program", program)
        shutil.chown(program, "nobody")
        program.chmod(0o4755)
        done = self.run_mprof("run", "-E", "-o", self.path, program, "200", expect=3)
        self.assertIn("functions are not recorded: the interpreter is setuid", done.stderr)
        self.assertGreater(len(Recording(self.path).mem), 1)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"),
                         "needs root and setpriv(1) to become another user")
    def test_R16_a_program_that_becomes_another_user(self):
        self.run_mprof("run", "-C", "-o", self.path, "setpriv", "--reuid", "nobody",
                       "--clear-groups", "sleep", "0.3")
        recording = Recording(self.path)
        self.assertGreater(len(recording.mem), 2)
        self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 0))

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"),
                         "needs root and setpriv(1) to become another user")
    def test_R16_the_recorder_as_another_user_of_a_setuid_program(self):
        """Resident memory may always be read; a setuid program's PSS may not: one line says so."""
        os.chmod(self.directory, 0o777)
        program = self.directory / "other"
        shutil.copy(TOOLS / "static-program", program)
        program.chmod(0o4755)
        as_nobody = ["setpriv", "--reuid", "nobody", "--clear-groups", program_for_all()]
        for backend, notices in (("psutil", 0), ("psutil_pss", 1)):
            done = subprocess.run([*as_nobody, "run", "-E", "--backend", backend, "-o",
                                   f"{backend}.dat", program, "300"], cwd=self.directory,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertEqual(done.stderr.count("no permission to read"), notices, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), notices)

    def test_R16_not_python(self):
        done = self.run_mprof("run", "-o", self.path, "sh", "-c", "sleep 0.2")
        self.assertEqual(done.stderr, "")
        self.assertEqual(Recording(self.path).calls, [])

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"),
                         "needs root and unshare(1) for a root directory of its own")
    def test_static_recorder_in_an_empty_directory(self):
        """Linked statically, the recorder needs /proc and nothing else."""
        headers = subprocess.run(["readelf", "--program-headers", MPROF], capture_output=True,
                                 text=True, check=True).stdout
        if "INTERP" in headers:
            self.skipTest("mprof is linked dynamically in this build")
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
            self.skipTest("no mount namespace can be made here, as behind a chroot")
        shutil.copy(MPROF, self.directory / "mprof")
        shutil.copy(TOOLS / "static-program", self.directory / "program")
        (self.directory / "proc").mkdir()
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c",
             "mount -t proc proc proc && exec chroot . /mprof run -E -C -M -T 0.02"
             " -o /out.dat /program 1500"], cwd=self.directory, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        recording = Recording(self.path)
        self.assertGreater(len(recording.mem), 2)
        self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 3))

    # --- R10 ---

    def test_R10_names_of_functions_and_threads(self):
        (self.directory / "names.py").write_text(
            "import threading\n"
            "def call(name):\n"
            "    def f(): pass\n"
            "    f.__qualname__ = name\n"
            "    profile(f)()\n"
            "names = ['a b', 'x\\ny', '\\x1b[31m', 'ü€😀', '\\\\x20', '', '<lambda>', '\\x7f', 'a\\tb']\n"
            "for name in names: call(name)\n"
            "t = threading.Thread(target=call, args=('in thread',), name='lane \\n [31m ü')\n"
            "t.start(); t.join()\n")
        self.run_mprof("run", "-o", self.path, "names.py")
        recording = Recording(self.path)
        self.assert_upstream_reads_the_same(recording)
        names = [mprof_test.unescape(os.fsencode(call.name)).decode() if call.escaped else call.name
                 for call in recording.calls]
        self.assertEqual(names, ["__main__." + name for name in
                                 ["a b", "x\ny", "\x1b[31m", "ü€😀", "\\x20", "", "<lambda>",
                                  "\x7f", "a\tb", "in thread"]])
        self.assertIn("\n [31m ü",
                      mprof_test.unescape(os.fsencode(recording.calls[-1].lane)).decode())


if __name__ == "__main__":
    unittest.main()
