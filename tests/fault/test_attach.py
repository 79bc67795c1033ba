"""R12: attaching to a process that runs, ends, belongs to another user, or does not exist."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording, program_for_all, python, wait_until  # noqa: E402


# Processes are found by name: unique to this run of the tests, and of constant length.
MINE = f"p{os.getpid():07}"


class Attach(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def assert_refused(self, *arguments, says, expect=1):
        done = self.run_mprof(*arguments, expect=expect)
        self.assertRegex(done.stderr, r"\Amprof[^\n]*: [^\n]*\n\Z")
        self.assertRegex(done.stderr, says)
        self.assertEqual(self.recordings(), [])

    def start_named(self, name, seconds="60"):
        program = self.directory / name
        if not program.exists():
            shutil.copy(shutil.which("sleep"), program)
        process = self.start(program, seconds)
        wait_until(lambda: os.path.exists(f"/proc/{process.pid}/comm") and pathlib.Path(
            f"/proc/{process.pid}/comm").read_text().strip() == name[:15], "the program's name")
        return process

    def attach(self, hint, *options):
        process = self.start_mprof("attach", *options, "-T", "0.02", "-o", self.path, hint)
        wait_until(lambda: self.path.exists() and self.path.read_text().count("\nMEM ") > 3,
                   "samples")
        return process

    def test_R12_target_ends(self):
        for command in (["attach"], ["run", "--attach"], ["run", "-a"]):
            with self.subTest(command=command):
                for seconds in ("1", "8", "60"):  # longer where programs are slow to start
                    target = self.start_named("target", seconds)
                    done = self.run_mprof(*command, "-T", "0.05", "-o", self.path, target.pid)
                    if len(Recording(self.path).mem) > 2:
                        break
                    self.path.unlink()
                self.assertEqual(done.stdout, "mprof: Sampling memory every 0.05s\n"
                                 f"attaching to existing process, using hint: {target.pid}\n")
                self.assertEqual(done.stderr, "")
                target.wait()
                recording = Recording(self.path)
                self.assertTrue(recording.command_line.endswith(f"/target {seconds}"))
                self.assertEqual(int(recording.facts["pid"]), target.pid)
                self.assertIn(target.pid, recording.exits)
                self.assertGreater(len(recording.mem), 2)
                self.assert_upstream_reads_the_same(recording)
                self.path.unlink()

    def test_options_may_follow_the_process(self):
        target = self.start_named("target")
        self.run_mprof("attach", target.pid, "-t", "0.3", "-T", "0.05", "-o", self.path)
        self.assertGreater(len(Recording(self.path).mem), 2)
        self.path.unlink()
        self.assert_refused("attach", target.pid, "17", says="leave out '17'", expect=2)

    def test_R12_by_name(self):
        name = f"{MINE}-target-name"  # longer than the kernel's names
        target = self.start_named(name)
        for hint in (name, name[:14], name[1:]):
            with self.subTest(hint=hint):
                process = self.attach(hint)
                process.terminate()
                self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
                self.assertEqual(int(Recording(self.path).facts["pid"]), target.pid)
                self.assertIsNone(target.poll())
                self.path.unlink()

    def attach_and_end(self, hint, *options):
        """Returns the pid that this name matched."""
        process = self.attach(hint, *options)
        process.terminate()
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        pid = int(Recording(self.path).facts["pid"])
        self.path.unlink()
        return pid

    def test_R25_by_recorded_names(self):
        """A script, a module, and a title written over the arguments."""
        script = self.directory / f"{MINE}-script.py"
        script.write_text(mprof_test.RETITLED + "while not os.path.exists('go'): time.sleep(0.02)\n"
                          f"retitle('{MINE}: worker process')\nprint('done', flush=True)\n"
                          "time.sleep(60)\n")
        target = self.start(python(), script, "room" * 40)
        name = f"{pathlib.Path(python()).name} {script.name}"
        for hint in (name, script.name):
            with self.subTest(hint=hint):
                self.assertEqual(self.attach_and_end(hint), target.pid)
        (self.directory / "go").write_text("")
        self.wait_for_output(target, "done")
        for hint in (f"{MINE}: worker process", f"{MINE}: worker"):
            with self.subTest(hint=hint):
                self.assertEqual(self.attach_and_end(hint), target.pid)
        module = self.directory / f"m{MINE}.py"
        module.write_text("import time\ntime.sleep(60)\n")
        target = self.start(python(), "-m", module.stem)
        wait_until(lambda: module.stem in pathlib.Path(
            f"/proc/{target.pid}/cmdline").read_text(), "the module")
        self.assertEqual(self.attach_and_end(f"{pathlib.Path(python()).name} -m {module.stem}"), target.pid)

    def test_R25_by_multiprocessing_name(self):
        name = f"{MINE}-reader"
        (self.directory / "pool.py").write_text(
            "import multiprocessing, time\n"
            f"child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,), "
            f"name='{name}')\n"
            "child.start()\nprint(child.pid, flush=True)\nchild.join()\n")
        recorder = self.start_mprof("run", "-M", "-o", "pool.dat", python(), "pool.py")
        child = int(self.wait_for_output(recorder, r"(?m)^(\d+)$")[1])
        wait_until(lambda: name in (self.directory / "pool.dat").read_text(), "the name")
        self.assertEqual(self.attach_and_end(name), child)

    def test_R12_exact_name_takes_precedence(self):
        self.start_named(f"{MINE}-2")
        target = self.start_named(MINE)
        process = self.attach(MINE)
        process.terminate()
        self.wait_for_end(process)
        self.assertEqual(int(Recording(self.path).facts["pid"]), target.pid)

    def test_R12_several_of_one_name(self):
        first = self.start_named(MINE)
        time.sleep(0.05)
        second = self.start_named(MINE)
        self.assert_refused("attach", MINE, says=f"{first.pid} .*{second.pid}")
        process = self.attach(MINE, "--newest")
        process.terminate()
        self.wait_for_end(process)
        self.assertEqual(int(Recording(self.path).facts["pid"]), second.pid)

    def test_R12_all_of_one_name_are_listed(self):
        """However many there are: each with its pid and its command line."""
        name = f"{MINE}-many"
        targets = [self.start_named(name, f"{600 + n}") for n in range(40)]
        done = self.run_mprof("attach", name, expect=1)
        self.assertRegex(done.stderr, rf"\Amprof: 40 processes are named like '{name}'; give the pid of "
                         r"one, or use --newest: [^\n]*\n\Z")
        for n, target in enumerate(targets):
            self.assertIn(f"{target.pid} ({self.directory}/{name} {600 + n})", done.stderr)
        done = self.run_mprof("attach", "no-such-name\x1b[2J", expect=1)
        self.assertNotIn("\x1b", done.stderr)

    def test_R12_listed_command_lines_are_harmless(self):
        name = f"{MINE}-sh"
        shutil.copy(shutil.which("sh"), self.directory / name)
        for _ in range(2):
            self.start(self.directory / name, "-c", "\x1b[2J\n:; while [ ! -e go ]; do sleep 0.1; done")
        wait_until(lambda: sum(command == name for _, _, command
                               in mprof_test.process_table().values()) == 2, "both")
        done = self.run_mprof("attach", name, expect=1)
        self.assertRegex(done.stderr, r"\Amprof: [^\n]*\n\Z")
        self.assertNotIn("\x1b", done.stderr)
        self.assertIn(rf"{name} -c \x1b[2J\x0a:;", done.stderr)

    def test_R12_no_such_process(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        for hint, says in ((str(gone.pid), f"no process with pid {gone.pid}"),
                           ("0", "no process"), ("99999999999999999999", "no process"),
                           ("no-such-process-name", "no process named like"),
                           ("", "the name is empty; give a pid or a name")):
            with self.subTest(hint=hint):
                self.assert_refused("attach", hint, says=says)

    def test_R12_a_zombie(self):
        zombie = self.start("true")
        wait_until(lambda: mprof_test.process_table().get(zombie.pid, (0, ""))[1] == "Z", "a zombie")
        self.assert_refused("attach", str(zombie.pid), says="has ended already")

    def test_R12_the_output_cannot_be_written(self):
        target = self.start_named("target")
        self.assert_refused("attach", "-o", "missing/out.dat", str(target.pid), says="No such file",
                            expect=2)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"),
                         "needs root and setpriv(1) to become another user")
    def test_R12_process_of_another_user(self):
        target = self.start_named("target")
        os.chmod(self.directory, 0o777)
        as_nobody = ["setpriv", "--reuid", "nobody", "--clear-groups", program_for_all()]
        done = subprocess.run([*as_nobody, "attach", "--backend", "psutil_uss", str(target.pid)],
                              capture_output=True, text=True, cwd=self.directory)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Amprof: no permission to read the memory of process "
                         rf"{target.pid} [^\n]*another user's; run mprof as that user or as root\n\Z")
        self.assertEqual(self.recordings(), [])
        done = subprocess.run([*as_nobody, "attach", "-t", "0.3", str(target.pid)],
                              capture_output=True, text=True, cwd=self.directory)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(len(self.only_recording().mem), 1)

    def test_R18_timeout(self):
        target = self.start_named("target")
        self.run_mprof("attach", "-t", "0.3", "-T", "0.05", "-o", self.path, target.pid)
        recording = Recording(self.path)
        self.assertLess(recording.mem[-1][1] - recording.mem[0][1], 0.35)
        self.assertIsNone(target.poll())
        self.assertEqual(recording.exits, {})

    def test_no_time_limit_by_default(self):
        """Without -t only the end of the process ends the recording."""
        target = self.start_named("target")
        process = self.attach(str(target.pid))
        target.kill()
        self.assertEqual(self.wait_for_end(process), 0)

    def test_existing_children_are_recorded(self):
        (self.directory / "tree.py").write_text(
            "import os, time\n"
            "for n in range(3):\n"
            "    if os.fork() == 0:\n"
            "        time.sleep(60); os._exit(0)\n"
            "print('ready', flush=True)\n"
            "while not os.path.exists('go'): time.sleep(0.02)\n"
            "if os.fork() == 0:\n"
            "    time.sleep(60); os._exit(0)\n"
            "time.sleep(60)\n")
        target = self.start(python(), "tree.py")
        self.wait_for_output(target, "ready")
        process = self.attach(str(target.pid), "-C", "-M")
        (self.directory / "go").write_text("")
        wait_until(lambda: len({line.split(" ")[1] for line in self.path.read_text().split("\n")
                                if line.startswith("CHLD ")}) == 4, "four children")
        process.terminate()
        self.wait_for_end(process)
        recording = Recording(self.path)
        self.assertGreater(recording.mem[-1][0], sum(
            mib for _, mib, moment in recording.chld if moment == recording.mem[-1][1]))


if __name__ == "__main__":
    unittest.main()
