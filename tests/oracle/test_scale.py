"""B7: very large input. Time and memory grow at most in proportion: of each kind a small and a much larger
recording are read, and CPU times compared."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, MPROF, TestCase  # noqa: E402

BUILD = pathlib.Path(MPROF).parent
BASE = 1795330000
HEAD = f"CMDLINE x\nMEM 1.0 {BASE}.0\nMEM 2.0 {BASE + 5000}.0\n"


def call(name, start, length, level=" 0"):
    return f"FUNC {name} 1.0 {BASE + start:.4f} 2.0 {BASE + start + length:.4f}{level}\n"


class Scale(TestCase):
    def usage(self, *command):
        """(CPU seconds, peak RSS in MiB) of a command that succeeds."""
        done = subprocess.run([BUILD / "bench-spawn", *command], cwd=self.directory, text=True,
                              capture_output=True, timeout=DEADLINE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        code, user, system, _, rss = map(int, done.stdout.split())
        self.assertEqual(code, 0, done.stderr)
        return (user + system) / 1e6, rss / 1024

    def write(self, name, lines):
        path = self.directory / name
        with open(path, "w", encoding="ascii") as file:
            file.write(HEAD)
            file.writelines(lines)
            file.write("\n")
        return path

    def check(self, make, count, rss_mib, factor=8):
        """Reads make(i) for `count` and for `factor` times as many lines, as a profile and as peaks.
        CPU time may grow three times as much as the file: quadratic time grows eight times as much, and
        the margin allows for a busy machine."""
        small = self.write("small.dat", (make(i) for i in range(count)))
        large = self.write("large.dat", (make(i) for i in range(factor * count)))
        growth = large.stat().st_size / small.stat().st_size
        for command in ([BUILD / "tests/unit/dump-profile", "--silent"],
                        [MPROF, "peak", "--func", "m.f1"]):
            few = self.usage(*command, small)[0]
            many, rss = self.usage(*command, large)
            with self.subTest(command=command):
                self.assertLess(many, 3 * growth * few + 0.2, f"{few} s, then {many} s")
                self.assertLess(rss, rss_mib)

    def test_names(self):
        self.check(lambda i: call(f"m.name_{i}", i * 0.0005, 0.0004), 30_000, 96)

    def test_names_with_a_long_common_end(self):
        end = ".".join(f"part{i}" for i in range(20))
        self.check(lambda i: call(f"n{i}.{end}", i * 0.0005, 0.0004), 10_000, 64)

    def test_names_of_many_parts(self):
        parts = ".".join("x" * (i % 3 + 1) for i in range(20_000))
        self.check(lambda i: call(f"y{i}.{parts}", 0, 1), 8, 64)

    def test_names_that_are_suffixes_of_others(self):
        """a, a.a, a.a.a, ...: every name is ambiguous down to its first part."""
        self.check(lambda i: call(".".join("a" * (i + 1)), 0, 1), 350, 64)

    def test_names_of_100_kilobytes(self):
        self.check(lambda i: call(f"{i}{'y' * 100_000}", 0, 1), 13, 64)

    def test_calls_side_by_side(self):
        self.check(lambda i: call(f"m.f{i % 500}", i * 0.005, 0.004, ""), 15_000, 64)

    def test_calls_that_overlap(self):
        self.check(lambda i: call(f"m.f{i % 500}", i * 0.001, 50, ""), 15_000, 64)

    def test_nested_calls(self):
        self.check(lambda i: call("m.f1", i * 0.0001, 4000 - i * 0.0002, ""), 15_000, 64)

    def test_processes(self):
        self.check(lambda i: f"CHLD {i + 1} 1.0 {BASE}.0\n", 7_500, 64)

    def test_a_million_processes(self):
        """B13: each command, in bounded memory."""
        files = [self.write(f"{count}.dat", (f"CHLD {i + 1} {i % 40}.5 {BASE + i % 1000}.0\n"
                                             for i in range(count)))
                 for count in (125_000, 1_000_000)]
        draw = BUILD / "mprof-draw"
        commands = [[MPROF, "peak"]]
        if draw.exists():
            commands += [[draw, "plot", "-o", self.directory / "out.png"],
                         [draw, "plot", "--stack", "-o", self.directory / "out.svg"]]
        for command in commands:
            with self.subTest(command=command[:2]):
                few = self.usage(*command, files[0])[0]
                many, rss = self.usage(*command, files[1])
                self.assertLess(many, 3 * 8 * few + 0.2, f"{few} s, then {many} s")
                self.assertLess(rss, 64)

    def test_facts(self):
        self.check(lambda i: f"FACT k{i} v\n", 15_000, 64)

    def test_facts_with_calls(self):
        self.check(lambda i: (f"FACT k{i} v\n", call("f", i * 0.01, 1, " 0 pid=7"))[i % 2], 15_000, 64)

    def test_carriage_returns_in_one_line(self):
        """Each might begin a record."""
        self.check(lambda i: "\r" * 10_000, 30, 64)
        self.check(lambda i: "\rx y " * 1000, 30, 64)

    def test_many_words_in_one_line(self):
        self.check(lambda i: ("FUNC " if i == 0 else "") + "1 " * 10_000, 30, 64)

    def test_faulty_lines(self):
        self.check(lambda i: ("MEM x\n", "\n", "GPU\n", f"FUNC {'a ' * 50}\n")[i % 4], 15_000, 16)

    def test_samples_of_many_children(self):
        self.check(lambda i: f"CHLD {i % 200 + 1} 1.0 {BASE + i * 0.01:.4f}\n", 25_000, 64)

    def test_samples(self):
        """5 million of them, and RSS that does not follow."""
        block = "".join(f"MEM {i % 977}.500000 {BASE + i * 0.001:.4f}\n" for i in range(1_000_000))
        path = self.write("samples.dat", [block] * 5)
        for command in ([BUILD / "tests/unit/dump-profile", "--silent"], [MPROF, "peak"]):
            cpu, rss = self.usage(*command, path)
            self.assertLess(rss, 8)
            self.assertLess(cpu, 20)

    def test_one_line_of_100_megabytes(self):
        long = "1" * 100_000_000
        for lines in ([f"MEM {long}\n"], [f"{long}\n"], [f"FUNC {long} 1 1 1 1 1\n", "MEM 3 4\n"]):
            path = self.write("long.dat", [*lines, f"MEM 7.5 {BASE}.0\n"])
            for command in ([BUILD / "tests/unit/dump-profile", "--silent"], [MPROF, "peak"]):
                _, rss = self.usage(*command, path)
                self.assertLess(rss, 32)
            self.assertEqual(self.run_mprof("peak", path).stdout, f"{path}\t7.500 MiB\n")
        first = self.directory / "first.dat"
        first.write_text(f"{long}\nMEM 7.5 {BASE}.0\n")
        self.assertEqual(self.run_mprof("peak", first).stdout, f"{first}\t7.500 MiB\n")


if __name__ == "__main__":
    unittest.main()
