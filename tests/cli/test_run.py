"""`mprof run`: options, words, exit codes, the file that comes out. Each case of the list of faults is
named in its test."""

import os
import pathlib
import re
import resource
import shutil
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, Recording, python, upstream, wait_until  # noqa: E402


class Run(mprof_test.TestCase):
    def write(self, name, text, mode=0o644):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def assert_refused(self, *arguments, says, expect=2, **options):
        """One line on standard error, nothing started, no file left."""
        before = set(os.listdir(self.directory))
        done = self.run_mprof(*arguments, expect=expect, **options)
        self.assertRegex(done.stderr, r"\Amprof[^\n]*: [^\n]*\n\Z")
        self.assertRegex(done.stderr, says)
        self.assertEqual(set(os.listdir(self.directory)), before)
        return done

    # --- what is printed, and the file ---

    def test_words_and_file_of_a_plain_program(self):
        done = self.run_mprof("run", "sleep", "0.35")
        self.assertEqual(done.stdout, "mprof: Sampling memory every 0.1s\nrunning new process\n")
        self.assertEqual(done.stderr, "")
        recording = self.only_recording()
        self.assertRegex(recording.path.name, r"\Amprofile_\d{14}\.dat\Z")
        self.assertEqual(recording.lines[0], "CMDLINE sleep 0.35")
        self.assertRegex(recording.lines[1], r"\AMEM [0-9.]+ [0-9.]+\Z")
        self.assertEqual(recording.lines[2], "#ARGV|sleep|0.35 nan nan")
        self.assertGreaterEqual(len(recording.mem), 4)  # more while it is young
        self.assertEqual([cause for cause, _ in recording.exits.values()], ["status"])
        self.assertEqual(recording.facts["backend"], "psutil")
        self.assertEqual(recording.facts["format"], "2")
        self.assertEqual(recording.processes[0][0], int(recording.facts["pid"]))
        self.assert_upstream_reads_the_same(recording)

    def test_a_script_is_run_by_python3_of_the_path(self):
        self.write("script.py", "import sys; print(sys.argv, sys.executable)\n")
        done = self.run_mprof("run", "-T", "1", "script.py", "-T", "x y")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:3], ["mprof: Sampling memory every 1.0s", "running new process",
                                     "running as a Python program..."])
        self.assertEqual(lines[3],
                         f"['script.py', '-T', 'x y'] {os.path.join(os.path.dirname(python()), 'python3')}")
        recording = self.only_recording()
        self.assertEqual(recording.command_line, "python3 script.py -T 'x y'")
        self.assertEqual(recording.lines[2], r"#ARGV|python3|script.py|-T|x\x20y nan nan")

    def test_interpreters_are_recognised(self):
        self.write("script.py", "import builtins; print(hasattr(builtins, 'profile'))\n")
        self.write("tool", f"#!{python()}\nimport builtins; print(hasattr(builtins, 'profile'))\n",
                   0o755)
        (self.directory / "snake").symlink_to(os.path.realpath(python()))
        subprocess.run([python(), "-m", "venv", "--without-pip", self.directory / "venv"],
                       check=True)
        for command in (["python3", "script.py"], [python(), "script.py"],
                        ["env", "A=1", "python3", "script.py"], ["./tool"], ["./snake", "script.py"],
                        ["venv/bin/python", "script.py"], ["--python", "./script.py"],
                        ["--python", "script"], ["--python", python(), "script.py"]):
            with self.subTest(command=command):
                done = self.run_mprof("run", "-o", "out.dat", *command)
                self.assertIn("running as a Python program...\n", done.stdout)
                self.assertIn("True\n", done.stdout)
        done = self.run_mprof("run", "--nopython", "-o", "out.dat", "python3", "script.py")
        self.assertNotIn("running as a Python program...", done.stdout)
        self.assertIn("False\n", done.stdout)

    def test_options_end_at_the_program(self):
        done = self.run_mprof("run", "-o", "out.dat", "echo", "-C", "--interval", "x", "-1", "--")
        self.assertTrue(done.stdout.endswith("-C --interval x -1 --\n"))
        done = self.run_mprof("run", "-o", "out.dat", "--", "echo", "-C")
        self.assertTrue(done.stdout.endswith("-C\n"))

    def test_options_may_be_shortened_and_joined(self):
        self.run_mprof("run", "-CMET0.05", "-oout.dat", "true")
        recording = Recording(self.directory / "out.dat")
        self.assertEqual(recording.facts["interval"], "0.05")
        self.assertEqual(recording.facts["include-children"], "yes")
        self.assertEqual(recording.facts["multiprocess"], "yes")
        self.run_mprof("run", "--inter", "0.5", "--out=out2.dat", "true")
        self.assertEqual(Recording(self.directory / "out2.dat").facts["interval"], "0.5")

    def test_the_words_come_before_the_program_s(self):
        done = subprocess.run([MPROF, "run", "-o", "out.dat", "sh", "-c", "echo program"],
                              stdout=subprocess.PIPE, text=True, cwd=self.directory)
        self.assertEqual(done.stdout.splitlines()[-1], "program")

    def test_the_file_grows_by_whole_lines_while_it_runs(self):
        process = self.start_mprof("run", "-T", "0.02", "-o", "out.dat", "sleep", "60")
        path = self.directory / "out.dat"
        sizes = set()
        for _ in range(5):
            seen = len(sizes)
            wait_until(lambda: path.exists() and path.stat().st_size not in sizes, "more lines")
            data = path.read_bytes()
            self.assertTrue(data.endswith(b"\n"))
            self.assertTrue(data.startswith(b"CMDLINE sleep 60\n"))
            sizes.add(len(data))
            self.assertGreater(len(sizes), seen)
        process.kill()

    def test_memory_is_that_of_the_program(self):
        self.write("big.py", "import time\nb = bytearray(200 << 20)\ntime.sleep(2)\n")
        self.run_mprof("run", "-T", "0.05", "-o", "out.dat", "big.py")
        ours = max(mib for mib, _ in Recording(self.directory / "out.dat").mem)
        self.assertGreater(ours, 200)
        self.assertLess(ours, 230)

    def test_backends(self):
        self.write("big.py", "import time\nb = bytearray(50 << 20)\ntime.sleep(2)\n")
        peaks = {}
        for backend in ("psutil", "posix", "psutil_pss", "psutil_uss"):
            self.run_mprof("run", "--backend", backend, "-o", f"{backend}.dat", "-T", "0.05",
                           "big.py")
            recording = Recording(self.directory / f"{backend}.dat")
            self.assertEqual(recording.facts["backend"], backend)
            peaks[backend] = max(mib for mib, _ in recording.mem)
        self.assertAlmostEqual(peaks["psutil"], peaks["posix"], delta=2)
        self.assertGreater(peaks["psutil_uss"], 50)
        self.assertLessEqual(peaks["psutil_uss"], peaks["psutil_pss"])
        self.assertLess(peaks["psutil_pss"], peaks["psutil"])

    # --- R1: what cannot be done is said before anything is started ---

    def test_R1_bad_options(self):
        for arguments, says in ((["--no-such-option", "true"], "no-such-option"),
                                (["-Z", "true"], "Z"),
                                (["-T"], "argument"),
                                ([], "no program given: name the program to run"),
                                (["--attach"], "no process given: name one by its pid or its name"),
                                (["--backend", "nonsense", "true"], "--backend must be psutil, psutil_pss, psutil_uss or posix, "
                                 "not 'nonsense'"),
                                (["--func", ":f", "true"], "--func must name a module"),
                                (["-T", "0x1", "true"], "--interval must be between 1e-05 and 1e.06 "
                                 "seconds, not '0x1'"),
                                (["--delay", "-1", "true"], "--delay must be between 0 and 1e.09 seconds, "
                                 "not '-1'"),
                                (["-t", "soon", "true"], "--timeout must be between 1e-05 and 1e.09 seconds, "
                                 "not 'soon'")):
            with self.subTest(arguments=arguments):
                self.assert_refused("run", *arguments, says=says)

    def test_R1_tracemalloc_names_what_serves_instead(self):
        self.assert_refused("run", "--backend", "tracemalloc", "true", says="psutil_uss")

    def started_marker(self):
        return self.write("marker.sh", "#!/bin/sh\ntouch started\n", 0o755)

    def test_R1_places_that_cannot_be_written(self):
        marker = self.started_marker()
        (self.directory / "folder").mkdir()
        self.write("file", "")
        for place, says in (("missing/out.dat", "No such file"), ("folder", "is a directory"),
                            ("file/out.dat", "Not a directory"), ("", "No such file"),
                            ("x" * 300, "too long"), ("/proc/out.dat", "."),
                            ("/dev/full", "not a regular file"),
                            ("/dev/null", "not a regular file")):
            with self.subTest(place=place[:20]):
                self.assert_refused("run", "-o", place, marker, says=says)

    @unittest.skipIf(os.geteuid() == 0, "root may write anywhere")
    def test_R1_directory_without_permission(self):
        os.chmod(self.directory, 0o555)
        self.addCleanup(os.chmod, self.directory, 0o755)
        self.assert_refused("run", "true", says="Permission denied")

    def test_R1_full_disk(self):
        marker = self.started_marker()
        with mprof_test.tiny_file_system(self.directory / "tiny", "64k") as place:
            filler = open(place / "filler", "wb", buffering=0)
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
            filler.close()
            done = self.run_mprof("run", "-o", place / "out.dat", marker, expect=2)
            self.assertRegex(done.stderr, r"\Amprof: [^\n]*out\.dat: [^\n]*No space left[^\n]*\n\Z")
            self.assertEqual(os.listdir(place), ["filler"])
        self.assertFalse((self.directory / "started").exists())

    def test_R1_file_size_limit(self):
        self.assert_refused(
            "run", self.started_marker(), says="File too large",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)))

    # --- R2: the program cannot be executed ---

    def test_R2_not_found(self):
        for name in ("no-such-program-at-all", "./missing", "missing/x"):
            with self.subTest(name=name):
                self.assert_refused("run", name, says=re.escape(name) + ": not found", expect=127)

    def test_R2_not_executable(self):
        self.write("data", "#!/bin/sh\n")
        self.write("binary", "\0\1\2\3", 0o755)
        self.write("bad-interpreter", "#!/no/such/shell\n", 0o755)
        self.assert_refused("run", "./data", says="data: cannot be executed: Permission denied",
                            expect=126)
        self.assert_refused("run", "./binary", says="binary: cannot be executed: Exec format",
                            expect=126)
        self.assert_refused("run", "/", says="cannot be executed", expect=126)
        self.assert_refused("run", "./bad-interpreter", says="not found", expect=127)

    def test_R2_an_older_file_is_put_back(self):
        self.write("out.dat", "precious")
        self.run_mprof("run", "-o", "out.dat", "./missing", expect=127)
        self.assertEqual((self.directory / "out.dat").read_text(), "precious")
        self.assertEqual(os.listdir(self.directory), ["out.dat"])

    def test_a_shell_script_without_its_first_line_runs(self):
        self.write("noline", "echo $0 $1\n", 0o755)
        done = self.run_mprof("run", "-o", "out.dat", "./noline", "x")
        self.assertTrue(done.stdout.endswith("./noline x\n"))

    # --- R3: how the program ends ---

    def test_R3_exit_status(self):
        for arguments, code in ((["-E"], 7), ([], 0)):
            self.run_mprof("run", *arguments, "-o", "out.dat", "sh", "-c", "exit 7", expect=code)
            recording = Recording(self.directory / "out.dat")
            self.assertEqual(list(recording.exits.values()), [("status", 7)])

    def test_R3_death_by_signal(self):
        for number in (9, 15, 6, 11):
            for arguments, code in ((["-E"], 128 + number), ([], 0)):
                with self.subTest(number=number, arguments=arguments):
                    self.run_mprof("run", *arguments, "-o", "out.dat", "sh", "-c",
                                   f"kill -{number} $$", expect=code)
                    recording = Recording(self.directory / "out.dat")
                    self.assertEqual(list(recording.exits.values()), [("signal", number)])

    # --- R8, S2: the file's name ---

    def test_R8_runs_of_one_second_have_their_own_names(self):
        processes = [self.start_mprof("run", "sh", "-c", f"sleep 0.3; exit {n}")
                     for n in range(8)]
        for process in processes:
            self.assertEqual(self.wait_for_end(process), 0)
        files = self.recordings()
        self.assertEqual(len(files), 8)
        ends = [next(iter(Recording(path).exits.values()))[1] for path in files]
        self.assertEqual(sorted(ends), list(range(8)))
        for path in files:
            self.assertRegex(path.name, r"\Amprofile_\d{14}\.dat\Z")
            self.assertEqual(path.read_text().count("CMDLINE"), 1)

    def test_R8_an_existing_file_is_kept(self):
        self.write("out.dat", "older\n")
        done = self.run_mprof("run", "-o", "out.dat", "true")
        self.assertEqual(done.stderr, "mprof: the older file is kept as out.dat.old\n")
        self.assertEqual((self.directory / "out.dat.old").read_text(), "older\n")
        self.assertEqual(Recording(self.directory / "out.dat").command_line, "true")

    def test_S2_a_planted_link_is_not_followed(self):
        self.write("victim", "precious")
        (self.directory / "out.dat").symlink_to("victim")
        (self.directory / "dangling.dat").symlink_to("created")
        for name in ("out.dat", "dangling.dat"):
            self.assert_refused("run", "-o", name, "true", says="symbolic link")
        now = time.time()
        for second in range(-1, 30):
            stamp = time.strftime("%Y%m%d%H%M%S", time.localtime(now + second))
            (self.directory / f"mprofile_{stamp}.dat").symlink_to("victim")
        self.run_mprof("run", "true")
        self.assertEqual((self.directory / "victim").read_text(), "precious")
        self.assertEqual(len([path for path in self.recordings() if not path.is_symlink()]), 1)

    def test_S2_only_the_user_may_read_it(self):
        self.run_mprof("run", "-o", "out.dat", "true", umask=0)
        self.assertEqual(stat.S_IMODE((self.directory / "out.dat").stat().st_mode), 0o600)

    def test_S2_rings_are_private_and_removed(self):
        self.write("look.py", "import os, stat\n"
                   "place = os.environ['MPROF_RINGS']\n"
                   "print(place, oct(stat.S_IMODE(os.stat(place).st_mode)),"
                   " *{oct(stat.S_IMODE(os.stat(place + '/' + name).st_mode))"
                   " for name in os.listdir(place) if name != 'installed'})\n")
        words = self.run_mprof("run", "-o", "out.dat", "look.py").stdout.splitlines()[-1].split()
        # root's program may become any user: the directory takes files, and shows none
        self.assertEqual(words[1:], ["0o1733", "0o622"] if os.geteuid() == 0
                         else ["0o700", "0o600"])
        self.assertFalse(os.path.exists(words[0]))

    # --- R10 (command lines), R18 ---

    def test_R10_any_argument_comes_back(self):
        for arguments in (["a b", "", "\t", "\n", "\\", "\\x20", "'", '"', "\x01\x7f", "ü€😀"],
                          [b"\xff\xfe", b"\xc3", b"a\xc3\xa9\xe2\x80"]):
            with self.subTest(arguments=arguments):
                out = self.directory / "out.dat"
                done = subprocess.run([MPROF, "run", "-o", "out.dat", "true", *arguments],
                                      cwd=self.directory, capture_output=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual([*map(os.fsencode, Recording(out).records("ARGV")[0])],
                                 [b"true", *map(os.fsencode, arguments)])
                self.assertEqual(out.read_bytes().count(b"CMDLINE"), 1)
                upstream().read_mprofile_file(str(out))

    def test_R18_intervals_that_are_none(self):
        for value in ("0", "-1", "nan", "inf", "-inf", "1e300", "text", "", "0x1", "1,5", " 1",
                      "1 ", "1e-9", "0.1s"):
            with self.subTest(value=value):
                self.assert_refused("run", f"--interval={value}", "true", says="--interval")
                self.assert_refused("run", f"--timeout={value}", "true", says="--timeout")

    def test_R18_at_expiry_the_file_is_complete_and_the_program_goes_on(self):
        process = self.start_mprof("run", "-E", "-t", "0.3", "-T", "0.05", "-o", "out.dat", "sh",
                                   "-c", "while [ ! -e go ]; do sleep 0.05; done; exit 5")
        path = self.directory / "out.dat"
        wait_until(lambda: path.exists() and "MEM" in path.read_text(), "a sample")
        sizes = []

        def is_still():
            sizes.append(path.stat().st_size)
            time.sleep(0.3)
            return len(sizes) > 1 and sizes[-1] == sizes[-2]
        wait_until(is_still, "an end of the recording")
        self.assertIsNone(process.poll())
        recording = Recording(path)
        self.assertLessEqual(recording.mem[-1][1] - recording.mem[0][1], 0.35)
        self.write("go", "")
        self.assertEqual(self.wait_for_end(process), 5)
        self.assertEqual(path.stat().st_size, sizes[-1])

    def test_S3_secrets_stay_out_of_the_recording(self):
        self.write("show.sh", "#!/bin/sh\necho \"$@\"\n")
        secret = ["--password=hunter2", "--token", "hunter2", "https://u:hunter2@host/?key=hunter2",
                  "API_KEY=hunter2"]
        plain = self.run_mprof("run", "-o", "plain.dat", "sh", "show.sh", *secret)
        done = self.run_mprof("run", "-C", "-M", "--redact", "-o", "out.dat", "sh", "show.sh", *secret)
        self.assertEqual(done.stdout, plain.stdout)  # the program is given what it was to be given
        self.assertIn("hunter2", done.stdout)
        self.assertIn("hunter2", Recording(self.directory / "plain.dat").text)
        recording = Recording(self.directory / "out.dat")
        self.assertNotIn("hunter2", recording.text)
        self.assertEqual(recording.command_line, "sh show.sh --password=*** --token *** "
                         "https://u:***@host/?key=*** API_KEY=***")
        self.assert_upstream_reads_the_same(recording)

    # --- oracle ---

    def test_patterns_that_match_nothing(self):
        said = "mprof: --func: {} matched no function that was called; patterns are module:name"
        program = [sys.executable, "-c", "import json; json.dumps(1)"]
        for pattern, lines in (("jso:dumps", 1), ("json:dunps", 1), ("json:dumps", 0)):
            done = self.run_mprof("run", "--func", pattern, "-o", "x.dat", *program)
            self.assertEqual(done.stderr.splitlines().count(said.format(pattern)), lines, done.stderr)
        done = self.run_mprof("run", "-q", "--func", "jso:dumps", "-o", "x.dat", *program)
        self.assertNotIn("matched no function", done.stderr)

    def test_upstream_sees_the_same_program(self):
        """The same sleeping program, measured by both: memory within a MiB, all samples there."""
        self.write("steady.py", "import time\nb = bytearray(64 << 20)\ntime.sleep(1)\n")
        self.run_mprof("run", "-o", "ours.dat", python(), "steady.py")
        subprocess.run([python(), "-m", "mprof", "run", "-o", "theirs.dat", python(), "steady.py"],
                       cwd=self.directory, check=True, capture_output=True,
                       env=self.environment())
        ours = upstream().read_mprofile_file(str(self.directory / "ours.dat"))
        theirs = upstream().read_mprofile_file(str(self.directory / "theirs.dat"))
        self.assertAlmostEqual(max(ours["mem_usage"]), max(theirs["mem_usage"]), delta=2)
        self.assertGreaterEqual(len(ours["mem_usage"]), 10)
        self.assertEqual(ours["cmd_line"], theirs["cmd_line"])


if __name__ == "__main__":
    unittest.main()
