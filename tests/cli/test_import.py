"""Logs of other tools: recognised by their content, read by every command, and imported. Those of pidstat,
valgrind and heaptrack are made by these tools here."""

import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, MPROF, UNKNOWN, Recording, TestCase, is_sanitized, upstream  # noqa: E402

MIB = 1 << 20

# Takes 2 MiB at a time, up to 40, then frees half, like its argument says how fast.
HOG = """
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    char *block[20];
    for (int i = 0; i < 20; i++) {
        block[i] = malloc(2 << 20);
        memset(block[i], 1, 2 << 20);
        usleep((unsigned)atoi(argv[1]));
    }
    for (int i = 0; i < 10; i++) {
        free(block[i]);
    }
    usleep((unsigned)atoi(argv[1]) * 4);
    return argc != 2;
}
"""

PRMON = """\
Time\twtime\tpss\trss\tswap\tvmem\tnprocs\tnthreads
1771507908\t1\t102400\t204800\t0\t829200\t1\t1
1771507910\t3\t204800\t307200\t1024\t829200\t2\t1
1771507912\t5\t51200\t102400\t0\t829200\t1\t1
"""
PRMON_SUMMARY = '{"Avg": {"rss": 204800}, "HW": {}, "Max": {"rss": 307200, "wtime": 5}, "prmon": {"Version": "3.1"}}\n'
PSRECORD = """\
# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)
       0.000        0.000       10.500       20.000
       0.250       99.000       30.500       40.000
       0.500       98.000       20.250       40.000
"""
PSRECORD_CSV = """\
elapsed_time,nproc,cpu,mem_real,mem_virtual
0.000,1,0.0,10.5,20.0
0.250,2,99.0,30.5,40.0
"""


def duct_line(stamp, total, **processes):
    return json.dumps({
        "timestamp": stamp, "num_samples": 3,
        "processes": {pid[1:]: {"pcpu": 1.0, "pmem": 0.1, "rss": rss, "vsz": 9 * MIB, "timestamp": stamp,
                                "etime": "00:01", "stat": {"Ss": 1}, "cmd": command}
                      for pid, (rss, command) in processes.items()},
        "totals": {"pmem": 0.1, "pcpu": 1.0, "rss": total, "vsz": 9 * MIB}, "averages": {"rss": 1, "num_samples": 3},
    }) + "\n"


CON_DUCT = (duct_line("2026-11-20T10:00:00.500000-04:00", 10 * MIB, p100=(10 * MIB, "bash run.sh"))
            + duct_line("2026-11-20T10:00:01.500000-04:00", 105 * MIB, p100=(10 * MIB, "bash run.sh"),
                        p101=(100 * MIB, "python3 'a b'|c")))


class Import(TestCase):
    def put(self, name, text):
        (self.directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def imported(self, name, *options, **how):
        done = self.run_mprof("import", *options, name, "-o", "imported.dat", **how)
        self.said = done.stderr
        return Recording(self.directory / "imported.dat")

    def peak_mib(self, name):
        return json.loads(self.run_mprof("peak", "--json", name).stdout)["recordings"][0]["runs"][0]["peak_bytes"] / MIB

    def refused(self, name, reason, *command, expect=1):
        done = self.run_mprof(*(command or ("peak",)), name, expect=expect)
        self.assertEqual(done.stderr, f"mprof: {name}{reason}\n")
        self.assertEqual(done.stdout, "")

    def hog(self):
        (self.directory / "hog.c").write_text(HOG)
        subprocess.run(["cc", "-O1", "-o", "hog", "hog.c"], cwd=self.directory, check=True)
        return self.directory / "hog"

    # ---- each tool ----

    def test_prmon(self):
        recording = self.imported(self.put("prmon.txt", PRMON))
        self.assertEqual(recording.mem, [(200.0, 1771507908.0), (300.0, 1771507910.0), (100.0, 1771507912.0)])
        self.assertEqual([kinds for _, _, kinds in recording.kinds][1], {"rss": 300.0, "pss": 200.0, "swap": 1.0})
        self.assertEqual(recording.facts["imported-from"], "prmon")
        self.assertEqual(recording.facts["include-children"], "yes")
        self.assertEqual(self.said, "")
        recording = self.imported("prmon.txt", "--memory-column", "pss")
        self.assertEqual([mib for mib, _ in recording.mem], [100.0, 200.0, 50.0])
        self.assertEqual(recording.facts["backend"], "psutil_pss")
        self.refused("prmon.txt", ":1: has no column 'uss'", "import", "--memory-column", "uss")
        self.refused(self.put("prmon.json", PRMON_SUMMARY), ":1: is prmon's summary, which has no memory over time: "
                     "use its time series, prmon.txt")

    def test_psrecord(self):
        recording = self.imported(self.put("ps.txt", PSRECORD))
        self.assertEqual(recording.mem, [(10.5, 0.0), (30.5, 0.25), (20.25, 0.5)])
        self.assertEqual(recording.facts["times"], "relative")
        self.assertEqual(self.said, "mprof: ps.txt: has times since its start only, so the recording has no date\n")
        self.assertEqual(self.imported(self.put("ps.csv", PSRECORD_CSV)).mem, [(10.5, 0.0), (30.5, 0.25)])
        more = "# Elapsed time     nproc        CPU (%)     Real (MB)   Virtual (MB)  Swap (MB)  \n 0.5 2 99.0 30.5 40.0 0.0\n"
        self.assertEqual(self.imported(self.put("more.txt", more)).mem, [(30.5, 0.5)])
        # nothing shows a date of 1970
        self.run_mprof("plot", "-o", "ps.svg", "ps.txt")
        self.run_mprof("report", "-o", "ps.html", "ps.txt")
        for name in ("ps.svg", "ps.html"):
            self.assertNotIn("1970", re.sub(r"<script.*?</script>", "", (self.directory / name).read_text(), flags=re.S))
        self.assertIsNone(json.loads(self.run_mprof("peak", "--json", "ps.txt").stdout)
                          ["recordings"][0]["runs"][0]["started_s"])

    def test_con_duct(self):
        recording = self.imported(self.put("usage.jsonl", CON_DUCT))
        self.assertEqual(recording.mem, [(10.0, 1795183200.5), (105.0, 1795183201.5)])
        # the highest values of a window are not of one moment, so the main process is not what is left of the sum
        self.assertEqual(recording.chld, [(100, 10.0, 1795183200.5), (100, 10.0, 1795183201.5), (101, 100.0, 1795183201.5)])
        self.assertEqual(recording.facts["pid"], "100")
        self.assertEqual([(pid, name) for pid, _, name in recording.named],
                         [(100, "bash run.sh"), (101, "python3 'a b'|c")])
        # a whole object needs no line end; a torn one has none of its values
        self.assertEqual(self.peak_mib(self.put("whole.jsonl", CON_DUCT.rstrip("\n"))), 105)
        done = self.run_mprof("peak", self.put("torn.jsonl", CON_DUCT[:-20]))
        self.assertEqual(done.stdout.splitlines()[0], "torn.jsonl\t10.000 MiB")
        self.assertIn("(line 2)", done.stderr)

    @unittest.skipUnless(shutil.which("pidstat"), "sysstat is not installed")
    def test_pidstat(self):
        """Against the kernel: two processes, whose sizes stay."""
        program = "import sys, time; block = bytearray(int(sys.argv[1]) << 20); print(len(block), flush=True); time.sleep(60)"
        sizes = {}
        for mib in (20, 60):
            process = self.start(sys.executable, "-c", program, mib)
            self.wait_for_output(process, r"\d+")
            sizes[process.pid] = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096 / MIB
        before = time.time()
        log = subprocess.run(["pidstat", "-r", "-H", "-h", "-p", ",".join(map(str, sizes)), "1", "2"],
                             capture_output=True, text=True, check=True, timeout=DEADLINE_S,
                             env={**os.environ, "LC_ALL": "C"}).stdout
        recording = self.imported(self.put("pid.txt", log))
        self.assertEqual(len(recording.mem), 2, log)
        first, second = sizes
        for mib, moment in recording.mem:
            self.assertAlmostEqual(mib, sum(sizes.values()), delta=2)
            self.assertTrue(before - 1 <= moment <= time.time() + 1, log)
        self.assertEqual({pid for pid, _, _ in recording.chld}, {second})
        self.assertAlmostEqual(recording.chld[0][1], sizes[second], delta=1)
        self.assertEqual(recording.facts["pid"], str(first))
        self.assertIn("python", recording.named[0][2])
        for options in (["-r", "-h"], ["-r"]):
            log = subprocess.run(["pidstat", *options, "-p", str(first), "1", "1"], capture_output=True, text=True,
                                 check=True, timeout=DEADLINE_S, env={**os.environ, "LC_ALL": "C"}).stdout
            done = self.run_mprof("peak", self.put("day.txt", log), expect=1)
            self.assertRegex(done.stderr, r"\Amprof: day.txt:\d+: .*: record with `pidstat -r -H -h'\n\Z")

    def test_a_row_of_pidstat_without_its_command(self):
        header = "#      Time   UID       PID  minflt/s  majflt/s     VSZ     RSS   %MEM  Command\n"
        row = "1795183200     0        {}      1.00      0.00   90000    {}   0.10"
        log = header + row.format(100, 10240) + "  python3\n" + row.format(101, 20480) + "\n"
        recording = self.imported(self.put("cut.txt", log))
        self.assertEqual(recording.mem, [(10.0, 1795183200.0)])
        self.assertIn("too few fields (line 3)", self.said)

    @unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
    def test_massif(self):
        hog = self.hog()
        subprocess.run(["valgrind", "-q", "--tool=massif", "--time-unit=ms", "--massif-out-file=m.out", hog, "10000"],
                       cwd=self.directory, check=True, capture_output=True, timeout=DEADLINE_S)
        recording = self.imported("m.out")
        self.assertIn("hog 10000", recording.command_line)
        self.assertEqual((recording.facts["imported-from"], recording.facts["measured"]), ("massif", "heap"))
        self.assertAlmostEqual(max(mib for mib, _ in recording.mem), 40, delta=0.5)
        self.assertTrue(0.2 < recording.mem[-1][1] - recording.mem[0][1] < DEADLINE_S)
        text = (self.directory / "m.out").read_text()
        self.refused(self.put("i.out", text.replace("time_unit: ms", "time_unit: i")),
                     ":3: counts its times in instructions: record with `valgrind --tool=massif --time-unit=ms'")
        # cut off within a snapshot
        done = self.run_mprof("peak", self.put("cut.out", text[:text.rindex("mem_heap_B=")]))
        self.assertIn("cut off within the last line", done.stderr)

    @unittest.skipUnless(shutil.which("heaptrack"), "heaptrack is not installed")
    def test_heaptrack(self):
        hog = self.hog()
        subprocess.run(["heaptrack", "-o", "trace", hog, "10000"], cwd=self.directory, capture_output=True,
                       timeout=DEADLINE_S)
        trace = next(self.directory.glob("trace*"))
        subprocess.run(["heaptrack_print", "-f", trace, "-M", "h.out"], cwd=self.directory, check=True,
                       capture_output=True, timeout=DEADLINE_S)
        recording = self.imported("h.out")
        self.assertEqual((recording.facts["imported-from"], recording.facts["measured"]), ("heaptrack", "heap"))
        self.assertAlmostEqual(max(mib for mib, _ in recording.mem), 40, delta=1)
        self.assertTrue(0.2 < recording.mem[-1][1] < DEADLINE_S)
        self.refused(trace.name, ":1: is heaptrack's trace: convert it with `heaptrack_print -f FILE -M massif.out'")
        self.assertIn("hog", json.loads(self.run_mprof("peak", "--json", "h.out").stdout)
                      ["recordings"][0]["runs"][0]["command_line"])

    # ---- tables ----

    def test_csv(self):
        for text, expected in (
                ("time,rss_kb\n1795330000,1024\n1795330001.5,2048\n", [(1.0, 1795330000.0), (2.0, 1795330001.5)]),
                ("timestamp;RSS (MiB)\n2026-11-22T14:06:40Z;1\n2026-11-22T16:06:41.5+02:00;2\n",
                 [(1.0, 1795356400.0), (2.0, 1795356401.5)]),
                ("# elapsed_ms\tmem_bytes\n0\t1048576\n500\t2097152\n", [(1.0, 0.0), (2.0, 0.5)]),
                ("epoch   memory_gib\n1795330000   1\n", [(1024.0, 1795330000.0)]),
                ('"when","time","used MB"\n"a, b",1795330000123,"1.5e1"\r\n', [(15.0, 1795330000.123)]),
                ("date,MemUsage\n2026-11-22T14:06:40Z,512KiB / 2GiB\n2026-11-22T14:06:41Z,1.5 MiB\n",
                 [(0.5, 1795356400.0), (1.5, 1795356401.0)]),
                ("\ufefftime,rss_kib\r\n1795330000,1024\r\n", [(1.0, 1795330000.0)])):
            with self.subTest(text=text):
                self.assertEqual(self.imported(self.put("x.csv", text)).mem, expected)
                self.assertEqual(self.peak_mib("x.csv"), max(expected)[0])

    def test_csv_of_processes(self):
        text = ("time,pid,rss_kib,comm\n1795330000,7,1024,main\n1795330000,9,2048,\"b, c\"\n"
                "1795330001,9,4096,x\n1795330001,7,1024,main\n")
        recording = self.imported(self.put("p.csv", text))
        self.assertEqual(recording.mem, [(3.0, 1795330000.0), (5.0, 1795330001.0)])
        self.assertEqual(recording.chld, [(9, 2.0, 1795330000.0), (9, 4.0, 1795330001.0)])
        self.assertEqual([name for _, _, name in recording.named], ["main", "b, c"])

    def test_scans_of_processes(self):
        """A scan takes a moment, has each process once, and may be repeated within a second."""
        text = "time,pid,rss_kib\n" + "".join(
            f"{1795330000 + second}.{100 + pid},{pid},1024\n" for second in (0, 1) for pid in (7, 8, 9))
        recording = self.imported(self.put("p.csv", text))
        self.assertEqual(recording.mem, [(3.0, 1795330000.107), (3.0, 1795330001.107)])
        self.assertEqual({moment for _, _, moment in recording.chld}, {1795330000.107, 1795330001.107})
        text = "time,pid,rss_kib\n" + "1795330000,7,1024\n1795330000,8,1024\n" * 2
        self.assertEqual(self.imported(self.put("p.csv", text)).mem, [(2.0, 1795330000.0)] * 2)
        by_process = "time,pid,rss_kib\n" + "".join(
            f"{1795330000 + second},{pid},1024\n" for pid in (7, 8) for second in (0, 1, 2))
        self.refused(self.put("q.csv", by_process), ":5: is not in the order of time, so processes do not add up: "
                     "sort its rows by time")

    def test_chosen_columns(self):
        self.put("x.csv", "a,b,c\n1795330000,5,1024\n1795330001,6,2048\n")
        self.assertIn("is not a recording", self.run_mprof("peak", "x.csv", expect=1).stderr)
        for columns in (("a", "c"), ("1", "3")):
            recording = self.imported("x.csv", "--time-column", columns[0], "--memory-column", columns[1], "--unit", "KiB")
            self.assertEqual([mib for mib, _ in recording.mem], [1.0, 2.0])
        self.assertEqual(self.imported(self.put("n.csv", "1795330000 5\n1795330001 6\n"), "--time-column", "1",
                                       "--memory-column", "2", "--unit", "MiB").mem[0], (5.0, 1795330000.0))
        self.assertEqual(self.imported("n.csv", "--time-column", "1", "--memory-column", "2", "--unit",
                                       "1000000").mem[0][0], round(5e6 / MIB, 6))
        self.refused("x.csv", ":1: has no column 'z'", "import", "--time-column", "z")
        self.refused("x.csv", ":1: has no column that is known: name it with --memory-column", "import",
                     "--time-column", "a")
        self.refused(self.put("u.csv", "time,rss\n1795330000,5\n"), ":2: does not say the unit of its column 'rss': "
                     "say it with `mprof import --unit KiB' (or B, MiB)")

    # ---- what is wrong ----

    def test_warnings_have_lines_of_the_log(self):
        text = PRMON + "bad\n1771507914\t7\tx\ty\t0\n\n1771507916\t7\t1024\t2048\t0\n1771507918\t9\t1"
        done = self.run_mprof("import", self.put("prmon.txt", text), "-o", "x.dat")
        self.assertEqual(done.stderr, "mprof: prmon.txt: 3 lines skipped: cut off within the last line (line 9), "
                         "not a plain decimal number, or out of range (line 6), too few fields (line 5)\n")
        self.assertEqual(len(Recording(self.directory / "x.dat").mem), 4)
        self.assertEqual(self.run_mprof("peak", "prmon.txt").stderr, done.stderr)
        # also those of the reader itself
        far = "time,pid,rss_kib\n" + "".join(f"{1795330000 + i},{p},1024\n" for i in range(5) for p in (1, 2)) + "5,1,1\n"
        self.assertIn("a time years away from all others (line 12)", self.run_mprof("peak", self.put("far.csv", far)).stderr)
        far = "time,rss_kib\n" + "# a comment\n" * 9 + "".join(f"{1795330000 + i},1024\n" for i in range(5)) + "5,1\n"
        self.assertIn("a time years away from all others (line 16)", self.run_mprof("peak", self.put("far.csv", far)).stderr)

    def test_odd_lines_of_each_tool(self):
        """A line that cannot be used costs that line only, and is named unless it is empty; what is around it counts."""
        pidstat = ("#  Time UID PID minflt/s majflt/s VSZ RSS %MEM Command\n"
                   "1795330000 0 7 1.0 0.0 9000 1024 0.1 python3\n")
        table = "time,pid,rss_kib\n1795330000,7,1024\n"
        massif = "desc: --time-unit=ms\ncmd: ./a\ntime_unit: ms\n"
        snapshot = "snapshot={}\ntime={}\nmem_heap_B={}\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=empty\n"
        heap = massif + snapshot.format(0, 1, MIB)
        broken = json.loads(CON_DUCT.splitlines()[1])
        broken["processes"]["101"]["rss"] = "many"
        rows = (
            ("blank", PSRECORD + "\n", "", 3),
            ("few", PSRECORD + "   0.750\n", "too few fields (line 5)", 3),
            ("word", PSRECORD + "   0.750  1.0  much  2.0\n", "not a plain decimal number, or out of range (line 5)", 3),
            ("duct-time", CON_DUCT + duct_line("today", MIB), "not a plain decimal number, or out of range (line 3)", 2),
            ("duct-few", CON_DUCT + '{"timestamp": "2026-11-20T10:00:02.5-04:00"}\n', "too few fields (line 3)", 2),
            ("duct-rss", CON_DUCT.splitlines(True)[0] + json.dumps(broken) + "\n",
             "not a plain decimal number, or out of range (line 2)", 2),
            ("pidstat", pidstat + "1795330001 0 seven 1.0 0.0 9000 1024 0.1 python3\n",
             "not a plain decimal number, or out of range (line 3)", 1),
            ("csv-few", table + "1795330001,7\n", "too few fields (line 3)", 1),
            ("csv-blank", table + " \n1795330001,7,2048\n", "", 2),
            ("csv-zone", table + "2026-11-20T10:00:00+0x,7,9\n", "not a plain decimal number, or out of range (line 3)", 1),
            ("csv-junk", table + "2026-11-20T10:00:00x,7,9\n", "not a plain decimal number, or out of range (line 3)", 1),
            ("nul", table + "1795330001,7,20\x0048\n1795330002,7,1024\n", "NUL bytes (line 3)", 2),
            ("long", table + "9" * (9 << 20) + "\n1795330002,7,1024\n", "too long (line 3)", 2),
            ("massif", heap + snapshot.format(1, "late", 5) + snapshot.format(2, 3000, MIB),
             "not a plain decimal number, or out of range (line 11)", 2),
            ("massif-torn", heap + "snapshot=1\ntime=2\nmem_heap_B=5\n", "cut off within the last line", 1),
        )
        for name, text, warning, count in rows:
            with self.subTest(name=name):
                done = self.run_mprof("import", self.put(name, text), "-o", "x.dat")
                self.assertIn(warning, done.stderr)
                self.assertEqual(len({moment for _, moment in Recording(self.directory / "x.dat").mem}), count)
        for name, text, reason in (
                ("unit", heap.replace("time_unit: ms", "time_unit: min"), ":3: has a time_unit other than ms and s"),
                ("late", massif.replace("time_unit: ms\n", "") + snapshot.format(0, 1, MIB) + "time_unit: ms\n",
                 ":9: names the unit of its times after its snapshots")):
            with self.subTest(name=name):
                self.refused(self.put(name, text), reason, "import", "--from", "massif")

    def test_times_of_the_day_without_a_zone_are_local(self):
        self.put("x.csv", "time,rss_kib\n2026-11-20 10:00:00,1024\n2026-11-20T10:00:01.5,2048\n")
        self.run_mprof("import", "x.csv", "-o", "x.dat", env=self.environment(TZ="UTC-2"))
        times = [moment for _, moment in Recording(self.directory / "x.dat").mem]
        self.assertEqual(times, [1795161600.0, 1795161601.5])

    def test_unknown_content(self):
        hint = f": {UNKNOWN}"
        for text in ("hello\nworld\n", "time,cpu\n1,2\n", '{"a": 1}\n'):
            self.refused(self.put("x.txt", text), hint)
            self.refused("x.txt", hint, "import")
        self.assertEqual(list(self.directory.glob("*.dat")), [])

    def test_nothing_is_written_if_nothing_is_read(self):
        self.refused(self.put("x.csv", "time,rss_kib\n"), ": no sample of memory", "import")
        self.put("old.dat", "kept")
        self.run_mprof("import", "x.csv", "-o", "old.dat", expect=1)
        self.assertEqual((self.directory / "old.dat").read_text(), "kept")
        self.run_mprof("import", "nowhere", expect=1)
        for wrong in ([], ["a", "b"], ["--from", "perf", "a"], ["--unit", "parsec", "a"], ["--unit", "0", "a"]):
            self.run_mprof("import", *wrong, expect=2)
        self.put("x.dat", "CMDLINE x\nMEM 1 1795330000\n")
        self.refused("x.dat", ": is a recording already: every command reads it as it is", "import")

    def test_logs_whose_numbers_cannot_be_read(self):
        for name, text in (("n.csv", "time,rss_kib\n1,nan\n2,nan\n"), ("n.prmon", PRMON.split("\n")[0] + "\n" + "\t".join(
                ["1771507908", "1", "nan", "nan", "0", "1", "1", "1"]) + "\n"),
                           ("n.txt", PSRECORD.replace("10.500 ", "nan ").replace("30.500", "nan").replace("20.250", "nan"))):
            done = self.run_mprof("import", self.put(name, text), expect=1)
            self.assertRegex(done.stderr, r": no sample of memory \([1-3] lines? skipped: not a plain decimal number")

    def test_ranges_of_logs_without_a_date(self):
        self.put("p.txt", PSRECORD)
        for command in (["export", "--to", "csv", "-w"], ["plot", "-o", "x.svg", "--xlim"]):
            for text in ("14:05,14:30", "2026-11-22,", "0,14:05"):
                done = self.run_mprof(*command, text, "p.txt", expect=1)
                self.assertEqual(done.stderr, "mprof: p.txt: has times since its start only, no clock times or dates: give the "
                                              "range in seconds, from 0 to 0.5\n")
        done = self.run_mprof("export", "--to", "csv", "-w", "5,6", "p.txt", expect=1)
        self.assertEqual(done.stderr, "mprof: p.txt: nothing was recorded from 5 s to 6 s; the recording lasts 0.5 s\n")

    def test_a_form_that_is_forced(self):
        self.refused(self.put("x.txt", "hello\n"), ": no sample of memory", "import", "--from", "massif")
        self.assertEqual(self.imported(self.put("y.txt", PSRECORD), "--from", "psrecord").mem[0], (10.5, 0.0))

    # ---- every command ----

    def test_commands_take_logs(self):
        self.put("usage.jsonl", CON_DUCT)
        self.put("usage.jsonl.gz", gzip.compress(CON_DUCT.encode()))
        self.imported("usage.jsonl")
        for name in ("usage.jsonl", "usage.jsonl.gz"):
            for command in (["plot", "-o", "x.svg"], ["check", "--max=200MiB"], ["report", "-o", "x.html"],
                            ["export", "--to", "csv", "-o", "x.csv"]):
                self.run_mprof(*command, name)
            self.assertIn("python3", (self.directory / "x.svg").read_text())
            self.run_mprof("check", "--max=50MiB", name, expect=1)
        self.run_mprof("diff", "usage.jsonl", "imported.dat")
        with open(self.directory / "usage.jsonl", "rb") as file:
            pipe = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
            self.assertIn("105.000 MiB", self.run_mprof("peak", "-", stdin=pipe.stdout).stdout)
            pipe.stdout.close()
            pipe.wait()

    def test_the_recording_is_one_for_upstream(self):
        recording = self.imported(self.put("usage.jsonl", CON_DUCT))
        read = upstream().read_mprofile_file(str(recording.path))
        self.assertEqual(read["mem_usage"], [10.0, 105.0])

    def test_compressed_output_and_standard_output(self):
        self.put("prmon.txt", PRMON)
        self.run_mprof("import", "prmon.txt", "-o", "x.dat.gz")
        text = gzip.decompress((self.directory / "x.dat.gz").read_bytes()).decode()
        self.assertEqual(self.run_mprof("import", "prmon.txt").stdout, text)
        self.assertTrue(text.startswith("MEM 200.000000 1771507908.0000\n#FACT|format|2 nan nan\n"), text)

    def test_long_logs_are_streamed(self):
        rows = "".join(f"{1795330000 + i},{i % 7 + 1},{i % 5000}\n" for i in range(300000))
        name = self.put("long.csv", "time,pid,rss_kib\n" + rows)
        if not is_sanitized():
            done = subprocess.run(["bash", "-c", 'ulimit -v 60000; exec "$0" peak long.csv', MPROF], cwd=self.directory,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.run_mprof("import", name, "-o", "long.dat")
        self.assertGreater(len(Recording(self.directory / "long.dat").mem), 200000)


if __name__ == "__main__":
    unittest.main()
