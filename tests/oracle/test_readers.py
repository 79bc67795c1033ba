"""Scripts read a recording by numpy, pandas, awk or gnuplot, as upstream writes it. They get the same samples
from our files: a reader that works on the file without our records works with them, and sees them as missing
values only."""

import csv
import math
import os
import pathlib
import signal
import subprocess
import sys
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import Recording, TestCase, python, upstream, wait_until  # noqa: E402

try:
    import numpy
    import pandas
except ImportError as error:
    raise unittest.SkipTest(f"{error.name} is not installed")

PLAIN = "import time\nfood = bytearray(20 << 20)\ntime.sleep(0.4)\n"

# Three processes whose names and arguments contain everything that could mislead a reader.
TREE = """
import os, sys, time
sys.stdout.flush()
for argument in ("a b", 'it"s', "it's", "#1", "x|y", "MEM 1 2", "\\t\\n", "\\u2028"):
    if os.fork() == 0:
        os.execv("/bin/sh", [argument, "-c", "sleep 0.3; exit 3", argument])
time.sleep(0.5)
"""


def split_lines(path):
    """The numbers of lines of three words, as a script without libraries reads them."""
    numbers = []
    for line in open(path, encoding="utf-8").read().splitlines()[1:]:
        _, mib, moment = line.split()
        numbers.append((float(mib), float(moment)))
    return numbers


def since_first_line(path):
    """Expects the first sample in the second line of the file."""
    lines = open(path, encoding="utf-8").readlines()
    start = float(lines[1].split()[2])
    return [(float(line.split()[1]), float(line.split()[2]) - start) for line in lines[1:]]


def csv_lines(path):
    with open(path, newline="", encoding="utf-8") as lines:
        return [[float(row[1]), float(row[2])] for row in list(csv.reader(lines, delimiter=" "))[1:]]


def table(path, **options):
    options.setdefault("header", None)
    options.setdefault("skiprows", 1)
    return pandas.read_csv(path, **options).iloc[:, 1:3].astype(float).values


def printed(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return [line.split()[:2] for line in done.stdout.splitlines() if line.split()]


def gnuplot(path, plot):
    """The points that gnuplot would draw."""
    rows = printed("gnuplot", "-e", f"set table; set format '%.6f'; plot '{path}' {plot}")
    return [row for row in rows if row[0][0] not in "#x" and "undefined" not in row]


READERS = {
    "loadtxt": lambda path: numpy.loadtxt(path, usecols=(1, 2), skiprows=1, delimiter=" "),
    "loadtxt, any blank": lambda path: numpy.loadtxt(path, usecols=(1, 2), skiprows=1),
    "loadtxt, unpacked": lambda path: numpy.transpose(
        numpy.loadtxt(path, usecols=(1, 2), skiprows=1, unpack=True)),
    "loadtxt, two rows": lambda path: numpy.loadtxt(path, usecols=(1, 2), skiprows=1, max_rows=2),
    "loadtxt, words": lambda path: numpy.loadtxt(path, dtype=str, skiprows=1)[:, 1:],
    "loadtxt, no comments": lambda path: numpy.loadtxt(path, usecols=(1, 2), skiprows=1,
                                                       comments=None),
    "genfromtxt": lambda path: numpy.genfromtxt(path, skip_header=1)[:, 1:],
    "genfromtxt, columns": lambda path: numpy.genfromtxt(path, skip_header=1, usecols=(1, 2)),
    "genfromtxt, names": lambda path: [list(row)[1:] for row in numpy.genfromtxt(
        path, skip_header=1, names=("word", "mib", "time"), dtype=None, encoding="utf-8")],
    "read_csv": lambda path: pandas.read_csv(path, sep=" ", skiprows=1, header=None,
                                             usecols=[1, 2]).astype(float).values,
    "read_csv, all columns": lambda path: table(path, sep=" "),
    "read_csv, names": lambda path: table(path, sep=" ", names=["word", "mib", "time"]),
    "read_csv, types": lambda path: table(path, sep=" ", dtype={1: float, 2: float}),
    "read_csv, comments": lambda path: table(path, sep=" ", comment="#"),
    "read_csv, python": lambda path: table(path, sep=" ", engine="python"),
    "read_csv, any blank": lambda path: table(path, delim_whitespace=True),
    "read_csv, blanks": lambda path: table(path, sep=r"\s+"),
    "read_csv, blanks, python": lambda path: table(path, sep=r"\s+", engine="python"),
    "read_csv, a header": lambda path: pandas.read_csv(path, sep=" ", engine="python", header=None,
                                                       names=range(40))[1:][[1, 2]].astype(float).values,
    "read_table": lambda path: pandas.read_table(path, sep=" ", skiprows=1, header=None,
                                                 usecols=[1, 2]).astype(float).values,
    "three words a line": split_lines,
    "since the first line": since_first_line,
    "csv": csv_lines,
    "words that begin with MEM": lambda path: [line.split()[1:3] for line in open(path, encoding="utf-8")
                                               if line.startswith("MEM")],
    "awk": lambda path: printed("awk", "/^MEM/ {print $2, $3}", path),
    "awk, by the first word": lambda path: printed("awk", '$1 == "MEM" {print $2, $3}', path),
    "grep and cut": lambda path: printed("sh", "-c", "grep '^MEM ' \"$0\" | cut -d ' ' -f 2,3", path),
    "gnuplot": lambda path: gnuplot(path, "using 3:2"),
    "gnuplot, skip": lambda path: gnuplot(path, "skip 1 using 3:2"),
}


def values(reader, path):
    """Rows of two numbers each, without those that are missing; the exception, if it raises one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            rows = [[float(value) for value in row] for row in reader(path)]
        except Exception as error:
            return error
    return [row for row in rows if not any(math.isnan(value) for value in row)]


class Readers(TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"
        (self.directory / "plain.py").write_text(PLAIN)
        (self.directory / "tree.py").write_text(TREE)

    def compare(self, path, at_least=READERS):
        """Each reader that can read upstream's file, and those of `at_least` in any case, reads the same from
        ours. Returns the number of our records."""
        plain = self.directory / "plain.dat"
        lines = path.read_bytes().split(b"\n")
        plain.write_bytes(b"\n".join(line for line in lines if not line.startswith(b"#")))
        for name, reader in READERS.items():
            with self.subTest(reader=name):
                expected = values(reader, plain)
                if name in at_least:
                    self.assertIsInstance(expected, list)
                if isinstance(expected, list):
                    self.assertEqual(values(reader, path), expected)
        self.assert_upstream_reads_the_same(Recording(path))
        return sum(line.startswith(b"#") for line in lines)

    def record(self, *options, program="plain.py", expect=0):
        self.run_mprof("run", "-T", "0.02", *options, "-o", self.path, python(), program, "a b|c", "#",
                       expect=expect)
        return self.path

    def test_one_process(self):
        self.assertGreater(self.compare(self.record()), 8)

    def test_sum_over_children(self):
        self.assertGreater(self.compare(self.record("-C", program="tree.py")), 20)

    def test_kinds_and_control_group(self):
        path = self.record("-C", "--memory", "pss,swap,group", program="tree.py")
        self.assertTrue(Recording(path).records("KINDS"))
        self.compare(path)

    def test_children_one_by_one(self):
        """CHLD lines have one more field, which many readers do not accept from upstream either."""
        path = self.record("-C", "-M", program="tree.py")
        self.assertTrue(Recording(path).chld)
        self.compare(path, ("loadtxt", "read_csv", "awk", "grep and cut", "gnuplot"))

    def test_functions(self):
        """Calls of a single process are written as upstream writes them."""
        (self.directory / "functions.py").write_text(
            "import time\n@profile\ndef outer(): time.sleep(.05); inner()\n"
            "@profile\ndef inner(): time.sleep(.05)\nouter()\n")
        for options in ([], ["-C"]):
            with self.subTest(options=options):
                path = self.record(*options, program="functions.py")
                lines = [line for line in Recording(path).lines if line.startswith("FUNC ")]
                for line, (name, level) in zip(sorted(lines), (("inner", "1"), ("outer", "0"))):
                    _, function, *numbers = line.split(" ")
                    self.assertEqual((function, numbers[4:]), (f"__main__.{name}", [level]))
                    self.assertRegex(" ".join(numbers[:4]), r"\A[0-9. ]+\Z")
                self.assertEqual({call.pid for call in Recording(path).calls},
                                 {int(Recording(path).facts["pid"])})
                self.compare(path, ("awk", "grep and cut", "words that begin with MEM"))
                path.unlink()

    def test_killed_recorder(self):
        process = self.start_mprof("run", "-C", "-T", "0.02", "-o", self.path, "sleep", "60")
        wait_until(lambda: self.path.exists() and self.path.read_text().count("\nMEM ") > 3, "samples")
        os.kill(process.pid, signal.SIGKILL)
        self.wait_for_end(process)
        self.compare(self.path)

    def test_while_it_is_recorded(self):
        process = self.start_mprof("run", "-T", "0.02", "-o", self.path, "sleep", "60")
        follows = subprocess.Popen(["sh", "-c", "tail -n +1 -F out.dat 2>/dev/null | awk -W interactive "
                                    "'/^MEM/ {print $2, $3; fflush()}'"], cwd=self.directory,
                                   stdout=subprocess.PIPE, text=True, start_new_session=True)
        try:
            followed = [[float(word) for word in follows.stdout.readline().split()] for _ in range(8)]
        finally:
            os.killpg(follows.pid, signal.SIGKILL)
            follows.wait()
            follows.stdout.close()
        copy = self.directory / "copy.dat"
        copy.write_bytes(self.path.read_bytes())
        self.compare(copy)
        process.terminate()
        self.wait_for_end(process)
        self.assertEqual([list(sample) for sample in Recording(self.path).mem[:8]], followed)

    def upstream_command(self, *arguments):
        done = subprocess.run(["/usr/bin/python3-mprof", *arguments], capture_output=True, text=True,
                              cwd=self.directory, env=self.environment(MPLBACKEND="Agg"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_upstream_commands(self):
        upstream()  # skips where it is not installed
        recording = Recording(self.record("-C", "-M", program="tree.py"))
        peaks = {pid: max(mib for of, mib, _ in recording.chld if of == pid)
                 for pid in dict.fromkeys(pid for pid, _, _ in recording.chld)}
        self.assertEqual(self.upstream_command("peak", "out.dat"),
                         f"out.dat\t{max(mib for mib, _ in recording.mem):.3f} MiB\n" +
                         "".join(f"  Child {pid}\t\t\t{mib:.3f} MiB\n" for pid, mib in peaks.items()))
        for options in ([], ["--flame"], ["-s"]):
            with self.subTest(options=options):
                self.upstream_command("plot", *options, "-o", "out.png", "out.dat")
                self.assertTrue((self.directory / "out.png").read_bytes().startswith(b"\x89PNG"))


if __name__ == "__main__":
    unittest.main()
