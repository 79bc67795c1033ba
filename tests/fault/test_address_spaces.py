"""Memory that processes share counts once: between vfork and exec a child runs in its parent's memory,
after clone with CLONE_VM for life.

Each test runs with the kernel's process events, where they are allowed, and by scanning /proc; and with
kcmp(2) refused, as containers refuse it."""

import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, SOURCE, WITHOUT_EVENTS, Recording, python, wait_until  # noqa: E402

TOOLS = pathlib.Path(os.environ.get("MPROF_TEST_TOOLS", SOURCE / "build/dev/tests/fault"))
SHARE = TOOLS / "share-memory"
MIB = 100
# The most that a small program has.
SMALL_MIB = 8

WITHOUT_KCMP = '''
import ctypes, os, struct, sys
number = {"x86_64": 312, "aarch64": 272}[os.uname().machine]
code = b"".join(struct.pack("HBBI", *one) for one in (
    (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)))
place = ctypes.create_string_buffer(code, len(code))
program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(place))
libc = ctypes.CDLL(None)
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
    sys.exit("no filter")
os.execvp(sys.argv[1], sys.argv[1:])
'''

PREFIXES = {"as it is": (), "by scanning": tuple(WITHOUT_EVENTS),
            "without kcmp": (python(), "-c", WITHOUT_KCMP)}


class AddressSpaces(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def samples(self):
        text = self.path.read_text() if self.path.exists() else ""
        return text.count("\nMEM ")

    def start_sharing(self, way, *options, prefix=()):
        """Starts a recording; returns once both processes run and were sampled."""
        (self.directory / "go").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        process = self.start(*prefix, MPROF, "run", "-C", "-M", "-T", "0.01", *options, "-o",
                             self.path, SHARE, way)
        child = int(self.wait_for_output(process, r"child (\d+)\n")[1])
        self.wait_for_samples(12)
        return process, child

    def wait_for_samples(self, count):
        before = self.samples()
        wait_until(lambda: self.samples() >= before + count, "samples")

    def finish(self, process):
        (self.directory / "go").touch()
        self.assertEqual(self.wait_for_end(process), 0, self.output(process))
        return Recording(self.path)

    def assert_counted_once(self, recording):
        self.assertLess(max(mib for mib, _ in recording.mem), MIB + SMALL_MIB)
        self.assertGreater(max(mib for mib, _ in recording.mem), MIB)

    def each(self, ways, check, *options):
        for name, prefix in PREFIXES.items():
            for way in ways:
                with self.subTest(way=way, prefix=name):
                    for _ in range(20):
                        process, child = self.start_sharing(way, *options, prefix=prefix)
                        recording = self.finish(process)
                        if "late" not in self.output(process):
                            break
                    else:
                        self.fail("on this machine no child executes its program in time")
                    self.assert_counted_once(recording)
                    check(recording, child)

    def assert_small(self, recording, child):
        """The child has only the memory of the program that it executed."""
        self.assertLess(max((mib for pid, mib, _ in recording.chld if pid == child), default=0),
                        SMALL_MIB)
        self.assertLess(max((mib for pid, mib, _ in recording.peaks if pid == child), default=0),
                        SMALL_MIB)

    def test_shared_until_exec(self):
        self.each(("vfork", "again", "thread", "fork"), self.assert_small)

    def test_sizes_change_while_they_are_compared(self):
        """Without kcmp two texts of one address space differ whenever a thread changes its size
        between the two readings."""
        prefix = PREFIXES["without kcmp"]
        for _ in range(5):
            process, child = self.start_sharing("thread", prefix=prefix)
            recording = self.finish(process)
            self.assert_counted_once(recording)
            self.assert_small(recording, child)

    def test_shared_for_life(self):
        def check(recording, child):
            self.assertNotIn(child, [pid for pid, _, _ in recording.chld])
            self.assertIn(child, [pid for pid, _, _ in recording.processes])
        self.each(("life",), check)

    def test_shared_by_a_sibling(self):
        self.each(("sibling",), lambda recording, child: None)

    def test_owner_ends_first(self):
        """Two orphans that share memory, and a child whose parent executes another program."""
        for way in ("orphans", "exec"):
            with self.subTest(way=way):
                process, _ = self.start_sharing(way, "--follow", prefix=WITHOUT_EVENTS)
                self.wait_for_samples(30)
                wait_until(lambda: [mib for pid, mib, _ in Recording(self.path).chld if mib > MIB],
                           "the remaining one")
                # at the end one of two orphans may outlive the other, and have the memory alone
                owners = {pid for pid, mib, _ in Recording(self.path).chld if mib > MIB}
                self.assertEqual(len(owners), 1)
                self.assert_counted_once(self.finish(process))

    def test_pss_and_kinds(self):
        for option, value in (("--backend", "psutil_pss"), ("--backend", "psutil_uss")):
            with self.subTest(value=value):
                process, child = self.start_sharing("vfork", option, value, prefix=WITHOUT_EVENTS)
                recording = self.finish(process)
                self.assert_counted_once(recording)
                self.assert_small(recording, child)
        process, child = self.start_sharing("vfork", "--memory", "pss,uss", prefix=WITHOUT_EVENTS)
        recording = self.finish(process)
        sums = {}
        for pid, moment, kinds in recording.kinds:
            sums[moment] = sums.get(moment, 0) + kinds["uss"]
            if pid == child:
                self.assertLess(kinds["pss"], SMALL_MIB)
        self.assertLess(max(sums.values()), MIB + SMALL_MIB)
        self.assertGreater(max(sums.values()), MIB)

    def test_threshold(self):
        process, _ = self.start_sharing("vfork", "--until-peak", str(MIB * 2 - 10))
        self.finish(process)
        self.assertNotIn("reached", self.output(process))

    def test_top(self):
        program = self.start(SHARE, "vfork")
        child = self.wait_for_output(program, r"child (\d+)\n")[1]
        table = self.run_mprof("top", "--once", program.pid).stdout
        self.assertLess(float(re.search(r"([\d.]+) MiB", table)[1]), MIB + SMALL_MIB)
        self.assertRegex(table, rf"(?m)^ *{program.pid} +1\d\d\.\d ")
        self.assertRegex(table, rf"(?m)^ *{child} +- +- ")
        (self.directory / "go").touch()
        self.wait_for_end(program)


if __name__ == "__main__":
    unittest.main()
