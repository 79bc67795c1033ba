"""What is measured beside the one number: memory by kinds, the control group; and what expensive
readings may cost."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import Recording, python  # noqa: E402

KINDS = ("rss", "pss", "uss", "swap", "anon", "file", "shmem")


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

    def test_each_kind_is_what_it_says(self):
        recording = self.record("""
import mmap, os, time
def told():
    return open('out.dat').read().count('#KINDS|')
def rest():  # until it has been looked at
    before = told()
    while told() < before + 3:
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
        # it may end between its sample and its kinds
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
        self.assertEqual(recording.facts["backend"], "psutil")
        told = self.run_mprof("peak", "--exact", self.path).stdout
        for kind in KINDS:
            highest = max(values[kind] for values in rows)
            self.assertIn(f"\n  {kind}\t\t\t{highest:.3f} MiB\n", told)

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

    def test_no_such_kind(self):
        for text, wrong in (("pss,heap", "heap"), ("", ""), ("pss,", ""), ("PSS", "PSS"),
                            ("pss uss", "pss uss")):
            with self.subTest(text):
                done = self.run_mprof("run", "--memory", text, "-o", self.path, "true", expect=2)
                self.assertIn(f"--memory: '{wrong}' is none of rss, ", done.stderr)
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

    def test_group_only_with_a_limit_or_on_request(self):
        recording = self.record("import time\ntime.sleep(0.2)\n", "-T", "0.02")
        self.assertEqual([group for group in self.groups(recording) if group[2] is None], [])
        asked = self.groups(self.record("import time\ntime.sleep(0.2)\n", "-T", "0.02", "--memory",
                                        "group"))
        if not asked:
            self.skipTest("the control group of this process is not to be seen here")
        self.assertTrue(asked[0][3].startswith("/"))
        self.assertGreater(asked[0][0], 0)

    # --- expensive readings ---

    # 128 MiB in pages of 4 KiB: reading its PSS takes longer than the interval. It waits for one.
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
        """Counted, not timed: a reading that takes longer than an interval is followed by ten times
        as many that are left out, or were missed."""
        recording = self.record(self.EXPENSIVE % "MEM ", "-T", "0.0001", "--backend",
                                "psutil_pss")
        expensive = len([mib for mib, _ in recording.mem if mib > 128])
        left_out = int(recording.facts["thinned-ticks"])
        missed = int(recording.facts.get("missed-ticks", 0))
        self.assertGreater(expensive, 0)
        self.assertGreater(left_out, 0)
        self.assertGreaterEqual(left_out + missed, 9 * (expensive - 1))

    def test_expensive_kinds_do_not_cost_samples(self):
        """At every tick there is a sample, and kinds or a count of them."""
        recording = self.record(self.EXPENSIVE % r"#KINDS\|.*\|pss=", "-T", "0.0001", "--memory",
                                "pss,anon")
        rows = self.kinds(recording)
        expensive = len([values for _, _, values in rows if values["pss"] > 128])
        left_out = int(recording.facts["thinned-kinds"])
        missed = int(recording.facts.get("missed-ticks", 0))
        self.assertGreater(expensive, 0)
        self.assertNotIn("thinned-ticks", recording.facts)
        # it may end between its sample and its kinds
        self.assertLessEqual(abs(len(recording.mem) - len(rows) - left_out), 2)
        self.assertGreaterEqual(left_out + missed, 9 * (expensive - 1))


if __name__ == "__main__":
    unittest.main()
