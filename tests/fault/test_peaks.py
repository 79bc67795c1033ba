"""Exact peaks: the kernel's high-water marks are in the file, to within some pages.

The programs print their own marks. Samples are too rare to see the bursts. The kernel counts pages of three
kinds per processor, and sums them up now and then: hence the margin."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import (  # noqa: E402
    MPROF, WITHOUT_EVENTS, Recording, program_for_all, python, python_for_all, records_in, wait_until)

PROCESSORS = os.cpu_count()
MARGIN_MIB = 1 + 3 * PROCESSORS * max(32, 2 * PROCESSORS) * 4096 / 2 ** 20

# Allocates 200 MiB, frees them, and prints the kernel's high-water mark, as `name pid MiB`.
BURST = """
import os, time
def wait_for(condition):
    while not condition():
        time.sleep(0.005)
def first_sample():
    wait_for(lambda: b'\\nMEM ' in open('out.dat', 'rb').read())
    time.sleep(0.3)  # the early samples are over
def burst(mib=200):
    memory = b'x' * (mib << 20)  # qemu-user ignores MAP_POPULATE
def print_mark(name):
    for line in open('/proc/self/status'):
        if line.startswith('VmHWM'):
            os.write(1, f'{name} {os.getpid()} {int(line.split()[1]) / 1024}\\n'.encode())
"""


class Peaks(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def read_marks(self, text):
        """{name: (pid, MiB)} of the program's output."""
        return {name: (int(pid), float(mib))
                for name, pid, mib in re.findall(r"^(\w+) (\d+) ([\d.]+)$", text, re.M)}

    def record(self, program, *flags, prefix=()):
        (self.directory / "program.py").write_text(BURST + program)
        self.path.unlink(missing_ok=True)
        done = subprocess.run([*prefix, MPROF, "run", *flags, "-o", self.path, python(),
                               "program.py"], capture_output=True, text=True, cwd=self.directory,
                              env=self.environment(), timeout=mprof_test.DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        recording = Recording(self.path)
        self.assert_upstream_reads_the_same(recording)
        return recording, self.read_marks(done.stdout)

    def assert_peak(self, recording, printed):
        pid, mib = printed
        self.assertGreater(mib, 200)
        peaks = [peak for of, peak, _ in recording.peaks if of == pid]
        self.assertTrue(peaks, recording.lines)
        self.assertAlmostEqual(max(peaks), mib, delta=MARGIN_MIB)

    def peak_lines(self):
        return self.run_mprof("peak", "--exact", self.path).stdout.split("\n")

    def test_burst_of_the_program_between_two_samples(self):
        recording, printed = self.record("first_sample(); burst(); print_mark('main')", "-T", "50")
        self.assertLess(max(mib for mib, _ in recording.mem), 200)
        self.assert_peak(recording, printed["main"])
        highest = max(mib for _, mib, _ in recording.peaks)
        self.assertIn(f"  exact (kernel)\t\t{highest:.3f} MiB", self.peak_lines())

    def test_burst_of_a_child_between_two_samples(self):
        """The child waits until its mark was read; the file has the burst, whether it was sampled or not."""
        for prefix in ((), WITHOUT_EVENTS):
            with self.subTest(prefix=prefix):
                (self.directory / "program.py").write_text(
                    BURST + "if os.fork() == 0:\n"
                    "    burst(); print_mark('child')\n"
                    "    wait_for(lambda: os.path.exists('seen'))\n"
                    "    os._exit(0)\n"
                    "os.wait()\n")
                (self.directory / "seen").unlink(missing_ok=True)
                process = self.start(*prefix, MPROF, "run", "-C", "-T", "0.03", "-o", self.path,
                                     python(), "program.py")
                printed = wait_until(lambda: self.read_marks(self.output(process)).get("child"), "the child")
                wait_until(lambda: [pid for pid, mib, _ in Recording(self.path).peaks
                                    if pid == printed[0] and mib > 200], "its peak")
                time.sleep(0.5)  # a reading during the burst is not the last one
                (self.directory / "seen").touch()
                self.wait_for_end(process)
                self.assert_peak(Recording(self.path), printed)

    def test_child_that_lives_between_two_samples(self):
        """As root, taskstats reports the final mark of each process."""
        recording, printed = self.record("first_sample()\nif os.fork() == 0:\n"
                                         "    burst(); print_mark('child'); os._exit(0)\n"
                                         "os.wait()\n", "-C", "-M", "-T", "50")
        pid = printed["child"][0]
        self.assertNotIn(pid, [of for of, _, _ in recording.chld])
        if recording.facts["peaks-by"] != "taskstats":
            self.assertEqual([peak for peak in recording.peaks if peak[0] == pid], [])
            self.skipTest("the kernel does not report ends here")
        self.assert_peak(recording, printed["child"])
        self.assertTrue([line for line in self.peak_lines()
                         if re.match(rf"  Process {pid} exact \(kernel\)\t2\d\d\.\d+ MiB\t", line)])

    def test_short_life_without_privileges(self):
        """As documented: it has no peak, and a fact says how peaks were found."""
        if not WITHOUT_EVENTS:
            self.skipTest("the other tests run without privileges")
        recording, printed = self.record("first_sample()\nif os.fork() == 0:\n"
                                         "    burst(); print_mark('child'); os._exit(0)\n"
                                         "os.wait()\n", "-C", "-M", "-T", "50", prefix=WITHOUT_EVENTS)
        self.assertEqual(recording.facts["peaks-by"], "looks")
        self.assertNotIn(printed["child"][0], [of for of, _, _ in recording.peaks])

    def test_orphan_is_reaped_with_its_peak(self):
        """A short-lived orphan becomes the recorder's child: its peak needs no privileges, if the orphan was
        seen alive."""
        program = ("if os.fork() == 0:\n"
                   "    if os.fork() == 0:\n"
                   "        os.setsid()\n"
                   "        wait_for(lambda: os.path.exists('seen'))\n"
                   "        burst(); print_mark('orphan'); os._exit(0)\n"
                   "    os._exit(0)\n"
                   "os.wait()\n"
                   "wait_for(lambda: os.path.exists('over'))\n")
        (self.directory / "program.py").write_text(BURST + program)
        process = self.start(*WITHOUT_EVENTS, MPROF, "run", "-C", "-M", "-T", "0.05", "-o",
                             self.path, python(), "program.py")
        wait_until(lambda: self.path.exists() and "CHLD " in self.path.read_text(), "the orphan")
        (self.directory / "seen").touch()
        printed = wait_until(lambda: self.read_marks(self.output(process)).get("orphan"), "its mark")
        wait_until(lambda: str(printed[0]) in [end[0] for end in records_in(self.path, "EXIT")], "its end")
        (self.directory / "over").touch()
        self.wait_for_end(process)
        recording = Recording(self.path)
        self.assertEqual(recording.exits[printed[0]], ("status", 0))
        highest = max([mib for pid, mib, _ in recording.peaks if pid == printed[0]] +
                      [mib for pid, mib, _ in recording.chld if pid == printed[0]])
        self.assertAlmostEqual(highest, printed[1], delta=MARGIN_MIB)

    def peaks_of(self, recording, pid):
        return [mib for of, mib, _ in recording.peaks if of == pid]

    def test_orphan_that_executes_a_small_program(self):
        """ru_maxrss survives an exec: the memory of the process it was forked from is not its own. The
        recorder is stopped meanwhile: what it reads between fork and exec is the process's own."""
        (self.directory / "program.py").write_text(
            "import os, signal, time\n"
            "memory = b'x' * (150 << 20)\n"
            "os.kill(os.getppid(), signal.SIGSTOP)\n"
            "reader, writer = os.pipe()\n"  # closed by both exec calls
            "os.system('sleep 0.5 & echo $!')\n"
            "if os.fork() == 0:\n"
            "    if os.fork() == 0:\n"
            "        print(os.getpid(), flush=True); os.execvp('sleep', ['sleep', '0.5'])\n"
            "    os._exit(0)\n"
            "os.wait(); os.close(writer); os.read(reader, 1)\n"
            "os.kill(os.getppid(), signal.SIGCONT); time.sleep(1)\n")
        for prefix in ((), WITHOUT_EVENTS):
            for flag in ("-C", "-CM"):
                with self.subTest(prefix=prefix, flag=flag):
                    done = subprocess.run([*prefix, MPROF, "run", flag, "-o", self.path, python(),
                                           "program.py"], capture_output=True, text=True,
                                          cwd=self.directory, env=self.environment(),
                                          timeout=mprof_test.DEADLINE_S)
                    recording = Recording(self.path)
                    orphans = [int(pid) for pid in re.findall(r"(?m)^(\d+)$", done.stdout)]
                    self.assertEqual(len(orphans), 2)
                    for pid in orphans:
                        self.assertLess(max(self.peaks_of(recording, pid), default=0), 50)
                        self.assertNotRegex("\n".join(self.peak_lines()), rf" {pid} .*1\d\d\.\d+ MiB")
                    self.assertLess(max(mib for mib, _ in recording.mem), 200)

    def test_mark_before_an_exec_is_kept(self):
        """The final mark covers the last program only; that of the program before was read."""
        (self.directory / "program.py").write_text(
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    memory = b'x' * (150 << 20)\n"
            "    print(os.getpid(), flush=True); time.sleep(0.6)\n"
            "    os.execvp('sleep', ['sleep', '0.3'])\n"
            "os.wait()\n")
        for prefix in ((), WITHOUT_EVENTS):
            with self.subTest(prefix=prefix):
                done = subprocess.run([*prefix, MPROF, "run", "-C", "-T", "0.05", "-o", self.path,
                                       python(), "program.py"], capture_output=True, text=True,
                                      cwd=self.directory, env=self.environment(),
                                      timeout=mprof_test.DEADLINE_S)
                pid = int(re.search(r"(?m)^(\d+)$", done.stdout)[1])
                self.assertGreater(max(self.peaks_of(Recording(self.path), pid)), 150)
                self.assertRegex("\n".join(self.peak_lines()),
                                 rf"  Process {pid} at least \(kernel\)\t1[5-9]\d\.\d+ MiB\tsleep")

    def test_late_burst_of_a_descendant(self):
        """Without privileges only the accounting of its parent shows it, without its owner; values read of the
        child are not called exact."""
        program = ("if os.fork() == 0:\n"
                   "    time.sleep(0.6); burst(); print_mark('child'); os._exit(0)\n"
                   "os.wait()\n")
        for flags in (("-C",), ("-C", "-M"), ()):
            with self.subTest(flags=flags):
                recording, printed = self.record(program, *flags, "-T", "50", prefix=WITHOUT_EVENTS)
                pid, mib = printed["child"]
                some = self.peaks_of(recording, 0)
                self.assertEqual(len(some), 1, recording.lines)
                self.assertAlmostEqual(some[0], mib, delta=MARGIN_MIB)
                self.assertIn("  some descendant, or the program, exact (kernel)\t"
                              f"{some[0]:.3f} MiB", self.peak_lines())
                self.assertFalse([line for line in self.peak_lines()
                                  if f" {pid} exact" in line], self.peak_lines())
                self.assert_draws(self.path)
        recording, printed = self.record(program, "-C", "-T", "50")
        if recording.facts["peaks-by"] == "taskstats":
            self.assert_peak(recording, printed["child"])
            self.assertEqual(self.peaks_of(recording, 0), [])

    def test_inherited_memory_is_not_a_peak(self):
        """A child that had its parent's memory to its end, by vfork or as a fork that was never read, has no
        exact peak of that size. Without privileges the program's own peak has no owner: its wait status covers
        its children, too."""
        for prefix in ((), WITHOUT_EVENTS):
            with self.subTest(prefix=prefix):
                recording, _ = self.record("memory = b'x' * (150 << 20)\n"
                                           "first_sample()\n"
                                           "for n in range(20):\n"
                                           "    if os.fork() == 0: os._exit(0)\n"
                                           "    os.wait()\n"
                                           "import subprocess\n"
                                           "for n in range(20):\n"
                                           "    try: subprocess.run(['/nowhere'])\n"
                                           "    except OSError: pass\n", "-C", "-T", "50", prefix=prefix)
                possible = {int(recording.facts["pid"])}
                if recording.facts["peaks-by"] != "taskstats":
                    possible.add(0)
                    self.assertRegex("\n".join(self.peak_lines()),
                                     r"(?m)^  some descendant, or the program, exact \(kernel\)"
                                     r"\t1[5-9]\d\.\d+ MiB$")
                self.assertEqual([(pid, mib) for pid, mib, _ in recording.peaks
                                  if pid not in possible and mib > 100], [])

    def test_peak_of_every_interval(self):
        """Bursts count in their own intervals, and the marks fall again in between. A burst between reading a
        mark and resetting it is lost, so bursts are repeated until one is recorded."""
        (self.directory / "program.py").write_text(
            BURST + "for step, mib in enumerate((200, 100, 200)):\n"
            "    wait_for(lambda: os.path.exists(f'go-{step}'))\n"
            "    while not os.path.exists(f'rest-{step}'):\n"
            "        burst(mib); time.sleep(0.01)\n"
            "    open(f'rests-{step}', 'w').close()\n"
            "wait_for(lambda: os.path.exists('over'))\n"
            "print_mark('main')\n")
        process = self.start_mprof("run", "--peak-interval", "-T", "0.02", "-o", self.path,
                                   python(), "program.py")

        def peaks():
            return [float(mib) for _, mib, _ in records_in(self.path, "PEAK")]
        for step, size in enumerate((200, 100, 200)):
            before = len(wait_until(lambda: peaks()[-1:] and peaks()[-1] < 100 and peaks(), "rest"))
            (self.directory / f"go-{step}").touch()
            wait_until(lambda: max(peaks()[before:], default=0) > size, f"bursts of {size} MiB")
            (self.directory / f"rest-{step}").touch()
            wait_until((self.directory / f"rests-{step}").exists, "the last burst")
            # the interval of the last burst, and one without
            count = len(peaks())
            wait_until(lambda: len(peaks()) >= count + 2 and peaks()[-1] < 100, "rest")
            self.assertLess(max(peaks()[before:]), size + 60)
        (self.directory / "over").touch()
        self.wait_for_end(process)
        recording = Recording(self.path)
        self.assertEqual(recording.facts["peak-interval"], "yes")
        # one for each sample, at its time
        moments = [moment for _, _, moment in recording.peaks]
        self.assertEqual([moment for _, moment in recording.mem
                          if not any(abs(other - moment) < 0.0001 for other in moments)], [])
        # the side effect: the program no longer knows its own peak
        self.assertLess(self.read_marks(self.output(process))["main"][1], 200)

    def test_mark_that_cannot_be_reset(self):
        """A program that makes itself untraceable: an ordinary user's recorder says so once, and goes on."""
        user = (("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
                if os.geteuid() == 0 and shutil.which("setpriv") else ())
        self.directory.chmod(0o777)
        program = self.directory / "program.py"
        program.write_text("import ctypes, time\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n"
                           "before = open('out.dat').read().count('\\nMEM ')\n"
                           "while open('out.dat').read().count('\\nMEM ') < before + 5: time.sleep(0.01)\n")
        done = subprocess.run([*user, program_for_all(), "run", "--peak-interval", "-T", "0.02", "-o", "out.dat",
                               python_for_all(), "program.py"], cwd=self.directory, env=self.environment(),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        pid = Recording(self.path).facts["pid"]
        self.assertEqual(done.stderr, f"mprof: cannot reset the peak of process {pid}: it covers the whole life of the "
                                      "process\n")
        self.assertGreater(len(Recording(self.path).peaks), 4)

    def test_no_reset_without_the_option(self):
        recording, printed = self.record("burst()\nimport time\n"
                                         "time.sleep(0.3)\nprint_mark('main')", "-T", "0.02")
        # a sample may have seen the burst
        highest = max([mib for mib, _ in recording.mem] + [mib for _, mib, _ in recording.peaks])
        self.assertAlmostEqual(highest, printed["main"][1], delta=MARGIN_MIB)


if __name__ == "__main__":
    unittest.main()
