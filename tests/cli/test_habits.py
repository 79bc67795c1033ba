"""How public scripts call mprof and parse its output. Where upstream is installed, its output for the same
files is compared."""

import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, Recording, own_line, python  # noqa: E402

BUILD = pathlib.Path(MPROF).parent
UPSTREAM = "/usr/bin/python3-mprof"

# Every kind of record besides samples.
RICH = "".join([
    "CMDLINE python3 app.py\n", "MEM 5.5 1795330000.0\n", own_line("FACT", "pid", 7),
    own_line("PROC", 7, 1, "1795330000.0", "app"), own_line("PROC", 8, 7, "1795330000.0", "worker 1"),
    "CHLD 8 3.0 1795330000.0\n", own_line("KINDS", 7, "1795330000.0", "pss=5", "swap=1"),
    own_line("KINDS", 8, "1795330000.0", "pss=3.5"), own_line("PEAK", 7, "9.5", "1795330000.5"),
    own_line("PEAK", 8, "4.0", "1795330000.5"), own_line("PROC", 9, 7, "1795330000.0", "short"),
    own_line("PEAK", 9, "77.0", "1795330000.5"), own_line("GROUP", "90.5", "1795330000.0", "100", "/a"),
    "MEM 4.25 1795330001.0\n", own_line("EXIT", 8, "1795330001.0", "status", 0)])

PLAIN = "x.dat\t5.500 MiB\n  Child 8\t\t\t3.000 MiB\n"


class Habits(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = os.pathsep.join([str(pathlib.Path(MPROF).parent), os.environ["PATH"]])
        (self.directory / "x.dat").write_text(RICH)

    def shell(self, script, expect=0):
        """The output of a script that finds mprof in PATH."""
        done = subprocess.run(["bash", "-c", script], cwd=self.directory, capture_output=True, text=True,
                              env=self.environment(PATH=self.path), timeout=mprof_test.DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (expect, ""), done.stdout)
        return done.stdout

    def program(self, name="script.py", text="import time\nx = b'x' * (10 << 20)\ntime.sleep(0.2)\n"):
        (self.directory / name).write_text(text)
        return name

    def recorded(self):
        path, = self.recordings()
        return path

    # ---- the output of peak ----

    def test_peak_into_a_pipe_is_upstreams(self):
        self.assertEqual(self.run_mprof("peak", "x.dat").stdout, PLAIN)
        self.shell("mprof peak x.dat > out.txt; mprof peak x.dat >> out.txt")
        self.assertEqual((self.directory / "out.txt").read_text(), PLAIN * 2)
        if os.path.exists(UPSTREAM):
            done = subprocess.run([UPSTREAM, "peak", "x.dat"], cwd=self.directory, capture_output=True,
                                  text=True)
            self.assertEqual(done.stdout, PLAIN)

    def test_peak_on_a_terminal_prints_more(self):
        exact = self.run_mprof("peak", "--exact", "x.dat").stdout
        for text in ("x.dat\t5.500 MiB\n", "Child 8\t\t\t3.000 MiB\tworker 1\n",
                     "exact (kernel)\t\t9.500 MiB\n", "Child 8 exact (kernel)\t4.000 MiB\n",
                     "Process 9 exact (kernel)\t77.000 MiB\tshort\n", "pss\t\t\t5.000 MiB\n",
                     "control group\t\t90.500 MiB (limit 100.000 MiB)\n"):
            self.assertIn(text, exact)
        ours, theirs = pty.openpty()
        done = subprocess.run([MPROF, "peak", "x.dat"], stdin=subprocess.DEVNULL, stdout=theirs,
                              cwd=self.directory)
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:
            pass  # EIO: all was read
        os.close(ours)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(shown.decode().replace("\r\n", "\n").expandtabs(), exact.expandtabs())

    def test_output_parsed_by_scripts(self):
        self.shell(f"mprof run -C -T 0.01 {self.program()}")
        highest = f"{max(mib for mib, _ in Recording(self.recorded()).mem):.3f}"
        self.assertEqual(self.shell("mprof peak | grep -Eo '[+-]?([0-9]*[.])?[0-9]+ MiB'"),
                         highest + " MiB\n")
        self.assertEqual(self.shell("mprof peak | awk '/MiB/ {print $(NF-1)}'"), highest + "\n")
        self.assertEqual(self.shell("mprof peak | grep mprofile | awk '{print $2}'"), highest + "\n")
        self.assertEqual(self.shell("mprof peak | tail -1 | sed -r 's/.*\\s([0-9]+\\.[0-9]+) MiB/\\1/'"),
                         highest + "\n")
        answer = self.run_mprof("peak").stdout
        self.assertEqual(re.split("\t", re.split("\n", answer)[1])[-1], highest + " MiB")
        self.assertEqual(answer.split()[-2:], [highest, "MiB"])
        self.assertEqual(re.search(r"(\d+\.\d+)", answer).group(1), highest)
        self.assertEqual(answer.splitlines()[0], "Using last profile data.")

    # ---- how it is called ----

    def test_options_in_one_word_and_options_of_the_program(self):
        self.program("tool", f"#!{python()}\nimport os, sys, time\nprint(sys.argv[1:])\n"
                     "os.fork() or time.sleep(.2) or os._exit(0)\nos.wait()\n")
        (self.directory / "tool").chmod(0o755)
        out = self.shell("mprof run -CM -T 0.02 ./tool spec.yaml -o results -T 1 -C conf --timeout 5")
        self.assertTrue(out.endswith("['spec.yaml', '-o', 'results', '-T', '1', '-C', 'conf', "
                                     "'--timeout', '5']\n"), out)
        recording = Recording(self.recorded())
        self.assertEqual(recording.facts["include-children"], "yes")
        self.assertTrue(recording.chld)
        self.assertFalse((self.directory / "results").exists())

    def test_unusual_file_names(self):
        self.program()
        for name in ("run.mprof", "memory", "data.txt", "a.b.prof"):
            with self.subTest(name=name):
                self.shell(f"mprof run -T 0.01 -o {name} script.py > log.txt && mprof peak {name} && "
                           f"mprof plot -s {name} -o {name}.png")
                self.assertTrue((self.directory / f"{name}.png").read_bytes().startswith(b"\x89PNG"))
        self.assertEqual(self.recordings(), [])

    @unittest.skipUnless(shutil.which("mprof-draw", path=str(BUILD)), "drawing was not built")
    def test_names_of_pictures(self):
        for option, picture in (("-o memory", "memory.png"), ("'-o output.png'", " output.png"),
                                ("--output=p.pdf --backend agg", "p.pdf"), ("-o a.dir/m", "a.dir/m.png"),
                                ("-o x.dat.png", "x.dat.png"), ("-o .hidden", ".hidden.png"),
                                ("-o raw --format svg", "raw")):
            with self.subTest(option=option):
                (self.directory / "a.dir").mkdir(exist_ok=True)
                before = set(self.directory.rglob("*"))
                self.shell(f"mprof plot {option} x.dat")
                self.assertEqual(set(self.directory.rglob("*")) - before, {self.directory / picture})
        for option in ("-o a.dir", "-o /dev/null", "-o x.prof"):
            done = self.run_mprof("plot", *option.split(), "x.dat", expect=1)
            self.assertIn("the name must end in .png", done.stderr)
        (self.directory / "memory").write_text("precious")
        self.shell("mprof plot -o memory x.dat")
        self.assertEqual((self.directory / "memory").read_text(), "precious")

    def test_as_a_module_of_python(self):
        self.program()
        environment = self.environment(PYTHONPATH=str(BUILD / "python"))
        for arguments, says in ((["run", "-C", "script.py"], "Sampling memory every 0.1s"),
                                (["peak"], " MiB\n"), (["list"], "0 mprofile_"), (["clean"], "")):
            done = subprocess.run([python(), "-m", "mprof", *arguments], cwd=self.directory,
                                  env=environment, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(says, done.stdout)
        self.assertEqual(self.recordings(), [])

    def test_finding_the_newest_file(self):
        """By suffix, by pattern, by time; and `clean` of the working directory."""
        (self.directory / "x.dat").unlink()
        self.shell(f"mprof run -T 0.01 --python {self.program()} > memoryout.txt")
        found, = [name for name in os.listdir(self.directory) if os.path.splitext(name)[1] == ".dat"]
        self.assertRegex(found, r"\Amprofile_\d{14}\.dat\Z")
        code = ("import sys, mprof; read = mprof.read_mprofile_file(sys.argv[1]); read.pop('children'); "
                "print(max(read['mem_usage']), read.pop('cmd_line'))")
        done = subprocess.run([python(), "-c", code, found], cwd=self.directory, capture_output=True,
                              text=True, env=self.environment(PYTHONPATH=str(BUILD / "python")))
        self.assertEqual(done.stderr, "")
        self.assertGreater(float(done.stdout.split()[0]), 10)
        self.shell("files=( mprofile_*.dat ); mv ${files[0]} kept.dat; mprof clean; mprof peak kept.dat")
        self.assertEqual(self.recordings(), [])

    def test_run_under_timeout(self):
        """`timeout` ends it, its output goes through `tee`, and the file is complete."""
        self.program("long.py", "import time\ntime.sleep(60)\n")
        self.shell("timeout 1 mprof run -T 0.05 python3 long.py 2>&1 | tee log.txt > /dev/null")
        recording = Recording(self.recorded())
        self.assertGreater(len(recording.mem), 5)
        self.assert_no_process_left()

    def test_a_measured_program_without_python(self):
        self.shell("mprof run -M -T 0.01 -o unit.dat --include-children /usr/bin/env sh -c 'sleep 0.1 | cat' "
                   "|& tee log.txt >/dev/null; exit ${PIPESTATUS[0]}")
        self.assertEqual(Recording(self.directory / "unit.dat").facts["include-children"], "yes")


if __name__ == "__main__":
    unittest.main()
