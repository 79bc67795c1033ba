"""Memory by kinds and of the control group, and the limit on the cost of expensive readings."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import HAS_DRAWING, Recording, python  # noqa: E402

KINDS = ("rss", "pss", "uss", "swap", "anon", "file", "shmem", "lazyfree", "hugetlb")


class Memory(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def record(self, program, *flags, command=None):
        (self.directory / "program.py").write_text(program)
        self.run_mprof("run", *flags, "-o", self.path, *(command or (python(), "program.py")))
        recording = Recording(self.path)
        self.assert_upstream_reads_the_same(recording)
        return recording

    def kinds(self, recording):
        """[(pid, time, {kind: MiB})]"""
        found = []
        for pid, moment, *values in recording.records("KINDS"):
            pairs = [value.split("=") for value in values]
            found.append((int(pid), float(moment), {key: float(mib) for key, mib in pairs}))
        return found

    def test_each_kind_is_correct(self):
        # its own buffer: a heap may free blocks lazily, as musl's does
        recording = self.record("""
import mmap, os, time
recording = os.open('out.dat', os.O_RDONLY)
buffer = bytearray(1 << 20)
def recorded():
    return buffer.count(b'#KINDS|', 0, os.preadv(recording, [buffer], 0))
def rest():  # until it was sampled
    before = recorded()
    while recorded() < before + 3:
        time.sleep(0.01)
rest()
anonymous = bytearray(40 << 20)
rest()
shared = mmap.mmap(-1, 30 << 20)
shared.write(bytes(30 << 20))
rest()
""", "-T", "0.01", "--memory", ",".join(KINDS))
        rows = [values for _, _, values in self.kinds(recording)]
        left_out = int(recording.facts.get("thinned-kinds", 0))
        # the program may end between its sample and its kinds
        self.assertLessEqual(abs(len(recording.mem) - len(rows) - left_out), 2)
        for values in rows:
            self.assertEqual(tuple(values), KINDS)
            self.assertAlmostEqual(values["anon"] + values["file"] + values["shmem"],
                                   values["rss"], places=5)
            self.assertLessEqual(values["uss"], values["pss"] + 0.002)  # whole KiB
        rise = {kind: max(values[kind] for values in rows) - rows[0][kind] for kind in KINDS}
        for kind, low in (("rss", 69), ("pss", 69), ("uss", 69), ("anon", 39), ("shmem", 29)):
            self.assertGreater(rise[kind], low, rise)
        self.assertLess(rise["anon"], 65)
        self.assertLess(rise["shmem"], 35)
        self.assertEqual(rise["lazyfree"], 0)
        self.assertEqual(recording.facts["backend"], "psutil")
        printed = self.run_mprof("peak", "--exact", self.path).stdout
        for kind in KINDS:
            highest = max(values[kind] for values in rows)
            self.assertIn(f"\n  {kind}\t\t\t{highest:.3f} MiB\n", printed)

    def test_kinds_of_every_process(self):
        recording = self.record("import os, time\n"
                                "if os.fork() == 0:\n"
                                "    memory = bytearray(20 << 20); time.sleep(0.5); os._exit(0)\n"
                                "os.wait()\n", "-C", "-M", "-T", "0.02", "--memory", "uss,anon")
        main = int(recording.facts["pid"])
        child, = {pid for pid, _, _ in recording.chld}
        rows = self.kinds(recording)
        self.assertEqual({pid for pid, _, _ in rows}, {main, child})
        for pid, moment, values in rows:
            self.assertTrue(set(values) <= {"uss", "anon"})
        self.assertGreater(max(values["uss"] for pid, _, values in rows if pid == child), 20)
        # at the times of its samples
        sampled = {round(moment, 3) for _, _, moment in recording.chld}
        for pid, moment, _ in rows:
            if pid == child:
                self.assertTrue(any(abs(moment - other) < 0.001 for other in sampled))

    # Keeps its memory until it is recorded.
    WAITING = ("import ctypes, mmap, re, time\n"
               "def wait_for(pattern):\n"
               "    while not re.search(pattern, open('out.dat').read()): time.sleep(0.02)\n")

    def test_lazily_freed_memory(self):
        """Memory freed by MADV_FREE stays resident until memory is short."""
        recording = self.record(self.WAITING +
                                "food = mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
                                "food.write(bytes(64 << 20))\n"
                                "food.madvise(8)\n"  # MADV_FREE
                                "wait_for(r'lazyfree=6[0-9]')\n",
                                "-T", "0.05", "--memory", "lazyfree,rss")
        rows = [values for _, _, values in self.kinds(recording)]
        self.assertGreater(max(values["lazyfree"] for values in rows), 60)
        self.assertGreater(max(values["rss"] for values in rows), 64)
        self.assertRegex(self.run_mprof("peak", "--exact", self.path).stdout, r"\n  lazyfree\t\t\t6\d\.")
        self.assert_draws(self.path, options=("--memory", "lazyfree"))

    def test_huge_pages(self):
        """RSS excludes huge pages: they have their own kind."""
        pool = pathlib.Path("/proc/sys/vm/nr_hugepages")
        try:
            before = pool.read_text()
            pool.write_text(str(int(before) + 16))
        except OSError as error:
            self.skipTest(f"no huge pages can be reserved here: {error}")
        self.addCleanup(pool.write_text, before)
        if int(pool.read_text()) < int(before) + 16:
            self.skipTest("no huge pages are free here")
        program = (self.WAITING +
                   "food = mmap.mmap(-1, 32 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)\n"
                   "food.write(bytes(32 << 20))\n")
        recording = self.record(program + "wait_for(r'hugetlb=32')\n",
                                "-T", "0.05", "--memory", "hugetlb,uss,rss")
        highest = {kind: max(values[kind] for _, _, values in self.kinds(recording))
                   for kind in ("hugetlb", "uss", "rss")}
        self.assertEqual(highest["hugetlb"], 32)
        self.assertGreater(highest["uss"], 32)
        self.assertLess(highest["rss"], 32)
        self.path.unlink()
        (self.directory / "program.py").write_text(program + "wait_for('huge-pages')\n")
        done = self.run_mprof("run", "-T", "0.05", "-o", self.path, python(), "program.py")
        self.assertEqual(done.stderr.count("huge pages"), 1, done.stderr)
        recording = Recording(self.path)
        pid, mib = recording.facts["huge-pages"].split(" ")
        self.assertEqual(pid, recording.facts["pid"])
        self.assertTrue(0 < float(mib) <= 32, mib)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"),
                         "needs root and setpriv(1) to become another user")
    def test_R24_unreadable_process_is_reported(self):
        """A process that made itself undumpable, as ssh-agent does, recorded by the same user."""
        os.chmod(self.directory, 0o777)
        as_nobody = ["setpriv", "--reuid", "nobody", "--clear-groups", "--bounding-set=-all",
                     mprof_test.program_for_all()]
        (self.directory / "program.py").write_text(
            self.WAITING + "import os\n"
            "dumpable = lambda yes: ctypes.CDLL(None).prctl(4, yes)\n"
            "dumpable(0)\n"
            "if os.fork() == 0:\n"
            "    time.sleep(0.8)\n"
            "    os._exit(0)\n"
            "dumpable(1)\n"
            "os.wait()\n")
        for flags, how in ((("--backend", "psutil_pss"), "psutil_pss"),
                           (("--memory", "pss"), "smaps_rollup")):
            with self.subTest(flags=flags):
                done = subprocess.run([*as_nobody, "run", "-C", "-T", "0.05", *flags, "-o", self.path,
                                       python(), "program.py"],
                                      capture_output=True, text=True, cwd=self.directory,
                                      env=self.environment(), check=True)
                recording = Recording(self.path)
                child, = ({pid for pid, _, _ in recording.processes}
                          - {int(recording.facts["pid"])})
                self.assertEqual(recording.facts["left-out"], f"{child} {how}")
                self.assertEqual(done.stderr, f"mprof: no permission to read the memory of process {child} "
                                 f"({how}): it is left out\n")
                self.assertIn("left out: 1 process that could not be read\n",
                              self.run_mprof("peak", "--exact", self.path).stdout)
                if HAS_DRAWING:
                    self.run_mprof("plot", "-o", "out.svg", self.path)
                    self.assertIn("1 process left out", (self.directory / "out.svg").read_text())
                self.path.unlink()

    def test_sum_of_rss_mentions_shared_pages(self):
        self.record("import os, time\n"
                    "if os.fork() == 0: time.sleep(0.5); os._exit(0)\n"
                    "os.wait()\n", "-C", "-T", "0.05")
        self.assertIn("shared pages count once for each process; --memory pss",
                      self.run_mprof("peak", "--exact", self.path).stdout)
        if HAS_DRAWING:
            self.run_mprof("plot", "-o", "out.svg", self.path)
            self.assertIn("RSS counts shared pages in each process; --memory pss does not",
                          (self.directory / "out.svg").read_text())
        for flags, program in ((("-C", "--backend", "psutil_pss"), "import os, time\n"
                                "if os.fork() == 0: time.sleep(0.5); os._exit(0)\n"
                                "os.wait()\n"), (("-C",), "import time; time.sleep(0.3)\n")):
            self.path.unlink()
            self.record(program, "-T", "0.05", *flags)
            self.assertNotIn("shared pages", self.run_mprof("peak", "--exact", self.path).stdout)

    def test_unknown_kind(self):
        for text, wrong in (("pss,heap", "heap"), ("", ""), ("pss,", ""), ("PSS", "PSS"),
                            ("pss uss", "pss uss")):
            with self.subTest(text):
                done = self.run_mprof("run", "--memory", text, "-o", self.path, "true", expect=2)
                self.assertIn(f"--memory: unknown kind '{wrong}'; use rss, ", done.stderr)
                self.assertFalse(self.path.exists())

    # --- the control group ---

    def groups(self, recording):
        """[(MiB, time, limit or None, name or '')]"""
        found = []
        for mib, moment, limit, *name in recording.records("GROUP"):
            found.append((float(mib), float(moment), None if limit == "max" else float(limit),
                          name[0] if name else ""))
        return found

    def test_group_with_a_limit(self):
        with mprof_test.memory_limit("96m") as enter:
            name = re.search(r"/(mprof-test-\d+)/", enter)[1]
            recording = self.record(
                "import time\ntime.sleep(0.3)\nx = bytearray(40 << 20)\ntime.sleep(0.5)\n",
                "-T", "0.02", command=("sh", "-c", f"{enter}; exec {python()} program.py"))
        groups = [group for group in self.groups(recording) if group[2] == 96]
        self.assertTrue(groups, recording.lines)
        self.assertTrue(groups[0][3].endswith("/" + name), groups)
        self.assertEqual({group[3] for group in groups[1:]}, {""})
        highest = max(group[0] for group in groups)
        self.assertGreater(highest, 40)
        self.assertLessEqual(highest, 96)
        self.assertIn(" MiB (limit 96.000 MiB)\n", self.run_mprof("peak", "--exact", self.path).stdout)

    # Takes 120 MiB and gives them back while the recorder is stopped.
    SPIKE = ("import os, signal, time\n"
             "def lines(): return open('out.dat').read().count('GROUP')\n"
             "while lines() < 1: time.sleep(0.02)\n"
             "time.sleep(0.3)\n"
             "recorder = os.getppid()\n"
             "os.kill(recorder, signal.SIGSTOP)\n"
             "food = bytearray(120 << 20)\n"
             "del food\n"
             "os.kill(recorder, signal.SIGCONT)\n"
             "time.sleep(0.5)\n")

    def test_group_between_samples(self):
        """The kernel's high-water mark counts if it rises during the recording."""
        for before, flags in (("", ()), ("", ("--memory", "group")),
                              (f"{python()} -c 'x = bytearray(300 << 20)'; ", ())):
            with self.subTest(before=before, flags=flags), mprof_test.memory_limit("800m") as enter:
                (self.directory / "program.py").write_text(self.SPIKE)
                subprocess.run(["sh", "-c", f"{enter}; {before}exec {mprof_test.MPROF} run -T 0.1 "
                                f"{' '.join(flags)} -o out.dat {python()} program.py"],
                               cwd=self.directory, env=self.environment(), check=True,
                               capture_output=True)
                highest = max(group[0] for group in self.groups(Recording(self.path)))
                self.assertLess(highest, 250)
                if not before:
                    self.assertGreater(highest, 120)
                self.path.unlink()

    def test_missing_group_is_reported(self):
        """Requested, but no control groups are mounted."""
        hidden = ["unshare", "-m", "sh", "-c", "umount -R /sys/fs/cgroup 2>/dev/null; "
                  "! grep -q ' cgroup' /proc/self/mountinfo && exec \"$@\"", "sh"]
        if subprocess.run([*hidden, "true"], capture_output=True).returncode != 0:
            self.skipTest("control groups cannot be hidden here")
        done = subprocess.run([*hidden, mprof_test.MPROF, "run", "-T", "0.05", "--memory", "group",
                               "-o", self.path, "sleep", "0.4"], capture_output=True, text=True,
                              cwd=self.directory, env=self.environment(), check=True)
        self.assertEqual(done.stderr, "mprof: the control group is not recorded: no control groups "
                         "that count memory are mounted\n")
        self.assertIn("no-group", Recording(self.path).facts)

    def test_group_only_with_a_limit_or_on_request(self):
        recording = self.record("import time\ntime.sleep(0.2)\n", "-T", "0.02")
        self.assertEqual([group for group in self.groups(recording) if group[2] is None], [])
        asked = self.groups(self.record("import time\ntime.sleep(0.2)\n", "-T", "0.02", "--memory",
                                        "group"))
        if not asked:
            self.skipTest("the control group of this process is not visible here")
        self.assertTrue(asked[0][3].startswith("/"))
        self.assertGreater(asked[0][0], 0)

    # --- expensive readings ---

    # 128 MiB in pages of 4 KiB: reading its PSS takes longer than the interval. Waits for one reading.
    EXPENSIVE = r"""
import mmap, re, time
memory = mmap.mmap(-1, 128 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_NOHUGEPAGE)
memory.write(bytes(128 << 20))
while not re.search(r'\n%s(1[3-9]\d|12[89])\.', open('out.dat').read()):
    time.sleep(0.05)
time.sleep(0.2)
"""

    def test_expensive_samples_take_a_tenth_of_the_time(self):
        """Counted, not timed: after a reading that takes longer than an interval, ten times as many are
        left out, or were missed."""
        recording = self.record(self.EXPENSIVE % "MEM ", "-T", "0.0001", "--backend",
                                "psutil_pss")
        expensive = len([mib for mib, _ in recording.mem if mib > 128])
        left_out = int(recording.facts["thinned-ticks"])
        missed = int(recording.facts.get("missed-ticks", 0))
        self.assertGreater(expensive, 0)
        self.assertGreater(left_out, 0)
        self.assertGreaterEqual(left_out + missed, 9 * (expensive - 1))

    def test_expensive_kinds_do_not_cost_samples(self):
        """Every tick has a sample, and kinds or a count of those left out."""
        recording = self.record(self.EXPENSIVE % r"#KINDS\|.*\|pss=", "-T", "0.0001", "--memory",
                                "pss,anon")
        rows = self.kinds(recording)
        expensive = len([values for _, _, values in rows if values["pss"] > 128])
        left_out = int(recording.facts["thinned-kinds"])
        missed = int(recording.facts.get("missed-ticks", 0))
        self.assertGreater(expensive, 0)
        self.assertNotIn("thinned-ticks", recording.facts)
        # the program may end between its sample and its kinds
        self.assertLessEqual(abs(len(recording.mem) - len(rows) - left_out), 2)
        self.assertGreaterEqual(left_out + missed, 9 * (expensive - 1))


if __name__ == "__main__":
    unittest.main()
