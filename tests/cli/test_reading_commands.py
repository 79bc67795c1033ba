"""peak, list, rm and clean: unreadable files (B6), foreign files (B10), escape sequences in names (S4), exit
codes, options."""

import errno
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from interpreters import IS_MUSL  # noqa: E402
from mprof_test import (  # noqa: E402
    UNKNOWN, DEADLINE_S, FIXTURES, HAS_DRAWING, MPROF, TestCase, own_line, program_for_all)

NESTED = FIXTURES / "dat" / "nested.dat"
PEAK = "128.238 MiB"


def facts_of(include_children):
    return own_line("FACT", "pid", 1) + own_line("FACT", "format", 2) + \
        own_line("FACT", "include-children", include_children)


GOOD = "CMDLINE x\nMEM 5.0 1795330000.0\n"


class Unreadable(TestCase):
    """B6: one line that names the file and the reason, exit code 1, at once."""

    def assert_refused(self, name, reason, **options):
        start = time.monotonic()
        done = self.run_mprof("peak", name, expect=1, timeout_s=20, **options)
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual(done.stdout, "")
        shown = "<stdin>" if name == "-" else name
        self.assertEqual(done.stderr, f"mprof: {shown}: {reason}\n")

    def write(self, content):
        (self.directory / "x.dat").write_bytes(content)
        return "x.dat"

    def test_empty(self):
        self.assert_refused(self.write(b""), "is empty")

    def test_command_line_only(self):
        self.assert_refused(self.write(b"CMDLINE x\n"), "no sample of memory")

    def test_program_that_ended_before_its_first_sample(self):
        name = self.write(b"CMDLINE true\nFACT pid 7\nPROC 7 1 1795330000.1 true\n"
                          b"PEAK 7 0.992188 1795330000.2\nEXIT 7 1795330000.2 status 0\n")
        done = self.run_mprof("peak", name, expect=1)
        self.assertEqual(done.stderr, "mprof: x.dat: no sample of memory; "
                         "the kernel's peak is 0.992 MiB\n")

    def test_utf16(self):
        for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
            with self.subTest(encoding=encoding):
                reason = (UNKNOWN if encoding == "utf-16-be"
                          else "is UTF-16 text, not UTF-8")
                self.assert_refused(self.write(GOOD.encode(encoding)), reason)

    def test_binary(self):
        self.assert_refused(self.write(pathlib.Path(MPROF).read_bytes()[:200000]),
                            UNKNOWN)
        self.assert_refused(self.write(bytes(1 << 20)), UNKNOWN)

    def test_other_text(self):
        self.assert_refused(self.write(b"Lorem ipsum dolor sit amet\n" * 1000),
                            UNKNOWN)
        self.assert_refused(self.write(b"hello\n"), UNKNOWN)

    def test_directory(self):
        (self.directory / "x.dat").mkdir()
        self.assert_refused("x.dat", "is a directory, not a recording")

    def test_fifo_without_a_writer(self):
        os.mkfifo(self.directory / "x.dat")
        self.assert_refused("x.dat", "is a pipe without a writer")

    def test_devices(self):
        for device in ("/dev/zero", "/dev/null", "/dev/urandom"):
            with self.subTest(device=device):
                self.assert_refused(device, "is a device, not a recording")
                with open(device, "rb") as file:
                    self.assert_refused("-", "is a device, not a recording", stdin=file)

    def test_endless_pipes(self):
        for command in (["yes"], ["cat", "/dev/zero"], ["yes", "x" * 100000]):
            with self.subTest(command=command[0]):
                with subprocess.Popen(command, stdout=subprocess.PIPE) as source:
                    self.assert_refused("-", UNKNOWN, stdin=source.stdout)
                    source.stdout.close()
                    source.kill()

    def test_missing(self):
        self.assert_refused("x.dat", "cannot open: No such file or directory")
        self.assert_refused("nowhere/x.dat", "cannot open: No such file or directory")

    def test_dangling_link(self):
        (self.directory / "x.dat").symlink_to("nowhere")
        self.assert_refused("x.dat", "cannot open: No such file or directory")

    def test_link_to_itself(self):
        (self.directory / "x.dat").symlink_to("x.dat")
        self.assert_refused("x.dat", f"cannot open: {os.strerror(errno.ELOOP)}")

    def test_no_permission(self):
        path = self.directory / "x.dat"
        path.write_text(GOOD)
        path.chmod(0)
        if os.access(path, os.R_OK):
            # root may read everything: run as another user
            self.directory.chmod(0o755)
            done = subprocess.run([program_for_all(), "peak", "x.dat"], cwd=self.directory, text=True, user=65534,
                                  group=65534, extra_groups=[], capture_output=True,
                                  env=self.environment(), timeout=DEADLINE_S)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (1, "", "mprof: x.dat: cannot open: Permission denied\n"))
        else:
            self.assert_refused("x.dat", "cannot open: Permission denied")

    def test_one_bad_file_does_not_stop_the_others(self):
        self.write(b"hello\n")
        (self.directory / "good.dat").write_text(GOOD)
        done = self.run_mprof("peak", "x.dat", "good.dat", "missing.dat", "y", expect=1)
        self.assertEqual(done.stdout, "good.dat\t5.000 MiB\n")
        self.assertEqual(sorted(done.stderr.splitlines()), [
            "mprof: missing.dat: cannot open: No such file or directory",
            f"mprof: x.dat: {UNKNOWN}",
            "mprof: y: cannot open: No such file or directory"])


class Readable(TestCase):
    def test_pipes(self):
        with open(NESTED, "rb") as file:
            self.assertEqual(self.run_mprof("peak", "-", stdin=file).stdout, f"-\t{PEAK}\n")
        with subprocess.Popen(["cat", NESTED], stdout=subprocess.PIPE) as source:
            self.assertEqual(self.run_mprof("peak", "-", stdin=source.stdout).stdout, f"-\t{PEAK}\n")

    def test_process_substitution(self):
        done = subprocess.run(["bash", "-c", '"$0" peak <(cat "$1") && '
                               '"$0" peak --func __main__.nothing <(cat "$1")', MPROF, NESTED],
                              capture_output=True, text=True, timeout=DEADLINE_S)
        self.assertRegex(done.stdout, rf"\A/dev/fd/\d+\t{PEAK}\n/dev/fd/\d+\tNaN MiB\n\Z")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\Amprof: /dev/fd/\d+: no call of '__main__.nothing' was recorded; [^\n]*\n\Z")

    def test_function_through_a_pipe(self):
        """Two passes over a pipe."""
        path = FIXTURES / "dat" / "article-flask-profile.dat"
        whole = self.run_mprof("peak", "--func", "__main__.test2", path).stdout.split("\t")[1]
        with open(path, "rb") as file, subprocess.Popen(["cat"], stdin=file,
                                                        stdout=subprocess.PIPE) as source:
            done = self.run_mprof("peak", "--func=__main__.test2", "-", stdin=source.stdout)
        self.assertEqual(done.stdout, f"-\t{whole}")

    def test_what_ran_at_the_peak(self):
        """--stack: through a pipe, too; of the highest run of a file; of a tree whose MEM is the main process."""
        inside = "MEM 1 10\nMEM 9 15\nMEM 1 20\n"
        children = "MEM 8 10\n" + facts_of("no") + "CHLD 2 3 10\nMEM 7 11\nCHLD 2 9 11\n"
        rows = [
            (inside, ["peak 9.000 MiB at 5.000 s, no calls were recorded"]),
            (inside + "FUNC m.f 1 11 1 18 0\n", ["peak 9.000 MiB at 5.000 s in f"]),
            (inside + "FUNC m.f 1 16 1 18 0\n", ["peak 9.000 MiB at 5.000 s, outside of all recorded calls"]),
            (inside + "FUNC m.f 1 11 12 18 0\nFUNC m.g\x1b[1m 1 12 1 19 1\n",
             ["peak 12.000 MiB at 8.000 s, 2 calls at once: f, g\\x1b[1m"]),
            (f"CMDLINE a\n{inside}FUNC m.f 1 11 1 18 0\nCMDLINE a\nMEM 2 100\nMEM 30 107\nFUNC m.h 1 101 1 109 0\n",
             ["peak 30.000 MiB at 7.000 s of run 2 in h"]),
            (children + "FUNC m.f 1 10 1 10.5 0\nFUNC m.w 1 10.6 1 12 0 pid=2\nFUNC m.f 1 10.7 1 12 0\n",
             ["peak of the main process 8.000 MiB at 0.000 s in f",
              "peak of all processes 16.000 MiB at 1.000 s, 2 calls at once: w, f"]),
        ]
        for text, lines in rows:
            with self.subTest(lines=lines):
                (self.directory / "x.dat").write_text(text)
                found = self.run_mprof("peak", "--stack", "x.dat").stdout.splitlines()
                self.assertEqual([line[2:] for line in found if line.startswith("  peak")], lines)
                with subprocess.Popen(["cat", self.directory / "x.dat"], stdout=subprocess.PIPE) as source:
                    piped = self.run_mprof("peak", "--stack", "-", stdin=source.stdout).stdout.splitlines()
                self.assertEqual(piped[1:], found[1:])

    def test_what_ran_is_of_the_whole_recording(self):
        done = self.run_mprof("peak", "--stack", "--func", "m.f", NESTED, expect=2)
        self.assertEqual(done.stderr, "mprof peak: --stack prints what ran at the peak of the whole recording; "
                         "leave --func out\n")

    def test_named_pipe_with_a_slow_writer(self):
        os.mkfifo(self.directory / "pipe")
        writer = subprocess.Popen(["bash", "-c", 'exec 3>pipe; sleep 0.3; cat "$0" >&3', NESTED],
                                  cwd=self.directory)
        self._started.append(writer)
        # opens once the writer waits for a reader
        reader = os.open(self.directory / "pipe", os.O_RDONLY)
        done = self.run_mprof("peak", "pipe")
        os.close(reader)
        self.assertEqual(done.stdout, f"pipe\t{PEAK}\n")

    def test_file_offset_of_standard_input(self):
        with open(self.directory / "x.dat", "wb+") as file:
            file.write(b"skip this\n" + GOOD.encode())
            file.flush()
            file.seek(10)
            done = self.run_mprof("peak", "--func", "none", "-", stdin=file)
        self.assertEqual(done.stdout, "-\tNaN MiB\n")
        self.assertIn("no call of 'none' was recorded", done.stderr)

    def test_warnings(self):
        (self.directory / "x.dat").write_text(GOOD + "MEM nan 1795330001.0\nGPU 7\nMEM 6.0 179533")
        done = self.run_mprof("peak", "x.dat")
        self.assertEqual(done.stdout, "x.dat\t5.000 MiB\n")
        self.assertEqual(done.stderr, "mprof: x.dat: 3 lines skipped: cut off within the last line "
                         "(line 5), not a plain decimal number, or out of range (line 3), "
                         "unknown record (line 4)\n")

    def test_function_without_a_sample(self):
        (self.directory / "x.dat").write_text(GOOD + "FUNC a.f 5 1795330000.1 6 1795330000.2 0\n")
        done = self.run_mprof("peak", "--func", "a.f", "x.dat")
        self.assertEqual(done.stdout, "x.dat\tNaN MiB\n")
        self.assertEqual(done.stderr, "")

    def test_function_that_was_never_called(self):
        (self.directory / "x.dat").write_text(
            GOOD + "FUNC a.g.f 5 1795330000.0 6 1795330000.2 0\n"
            "FUNC b.f 5 1795330000.0 6 1795330000.2 0\n")
        for name, hint in (("f", "; there is 'a.g.f'"), ("g.f", "; there is 'a.g.f'"),
                           ("g", ""), (".f", ""), ("a.g.f.x", ""), ("", "")):
            with self.subTest(name=name):
                done = self.run_mprof("peak", "--func", name, "x.dat")
                self.assertEqual(done.stdout, "x.dat\tNaN MiB\n")
                said = hint or " was recorded; `mprof functions' lists those that were"
                self.assertEqual(done.stderr, f"mprof: x.dat: no call of '{name}'{said}\n")

    def test_function_named_with_escapes(self):
        (self.directory / "x.dat").write_text(
            GOOD + "FUNC a.\\x20b\\\\ 5 1795330000.0 6 1795330000.2 0 count=1\n")
        self.assertEqual(self.run_mprof("peak", "--func", "a. b\\", "x.dat").stdout,
                         "x.dat\t5.000 MiB\n")

    def test_kernel_peaks_that_may_be_higher(self):
        head = ("CMDLINE x\nFACT pid 7\nFACT include-children {}\nMEM 5.0 1795330000.0\n"
                "CHLD 8 3.0 1795330000.0\nPROC 9 7 1795330000.0 nine\n")
        some = "  some descendant, or the program, exact (kernel)\t{} MiB\n".format
        for text, expected in (
                ("PEAK 7 9.5 1795330000.0 least\n", "  at least (kernel)\t\t9.500 MiB\n"),
                ("PEAK 8 4.0 1795330000.0\nPEAK 8 4.0 1795330001.0 least\n",
                 "  Child 8 at least (kernel)\t4.000 MiB\n"),
                ("PEAK 9 4.0 1795330000.0 least\n",
                 "  Process 9 at least (kernel)\t4.000 MiB\tnine\n"),
                ("PEAK 9 4.0 1795330000.0 nonsense\n",
                 "  Process 9 exact (kernel)\t4.000 MiB\tnine\n"),
                ("PEAK 0 5.5 1795330000.0\n", some("5.500")),
                ("PEAK 0 5.0 1795330000.0\n", ""),
                ("PEAK 7 6.0 1795330000.0\nPEAK 0 5.5 1795330001.0\n",
                 "  exact (kernel)\t\t6.000 MiB\n")):
            with self.subTest(text=text):
                (self.directory / "x.dat").write_text(head.format("no") + text)
                self.assertEqual(self.run_mprof("peak", "--exact", "x.dat").stdout,
                                 f"x.dat\t5.000 MiB\n  Child 8\t\t\t3.000 MiB\n{expected}")
        # a sum says nothing of one process
        (self.directory / "x.dat").write_text(head.format("yes") + "PEAK 0 4.5 1795330000.0\n")
        self.assertIn(some("4.500"), self.run_mprof("peak", "--exact", "x.dat").stdout)

    def test_kernel_peaks(self):
        """The kernel's marks where they are above the samples of the same memory."""
        base = ("CMDLINE x\n{}MEM 5.0 1795330000.0\nCHLD 8 3.0 1795330000.0\n"
                "CHLD 9 3.0 1795330000.0\nPEAK 7 9.5 1795330000.0\nPEAK 8 4.0 1795330000.0\n"
                "PEAK 9 3.0 1795330000.0\nPEAK 10 77.0 1795330000.0\nPEAK 7 9.25 1795330001.0\n")
        children = "  Child 8\t\t\t3.000 MiB\n  Child 9\t\t\t3.000 MiB\n"
        child = "  Child 8 exact (kernel)\t4.000 MiB\n"
        main = "  exact (kernel)\t\t9.500 MiB\n"
        for facts, expected in (
                ("FACT pid 7\n", main + child),
                ("FACT pid 7\nFACT backend psutil\nFACT include-children no\n", main + child),
                ("FACT pid 7\nFACT include-children yes\n",
                 child + "  a sum of RSS: shared pages count once for each process; --memory pss or "
                 "--backend psutil_pss splits them\n"),
                ("FACT pid 7\nFACT backend psutil_pss\n", ""),
                ("", child)):
            with self.subTest(facts=facts):
                (self.directory / "x.dat").write_text(base.format(facts))
                self.assertEqual(self.run_mprof("peak", "--exact", "x.dat").stdout,
                                 "x.dat\t5.000 MiB\n" + children + expected)

    def test_kernel_peaks_of_processes_that_were_not_sampled(self):
        def births(pids):
            return "".join(f"PROC {pid} 7 1795330000.0 name {pid}\n"
                           f"PEAK {pid} {pid}.5 1795330000.0\n" for pid in pids)
        ten = "".join(f"  Process {pid} exact (kernel)\t{pid}.500 MiB\tname {pid}\n"
                      for pid in range(90, 80, -1))
        for name, text, expected in (
                ("the main one, of a sum", "FACT pid 7\nFACT include-children yes\n" + births([7]),
                 "  Process 7 exact (kernel)\t7.500 MiB\tname 7\n"),
                ("the main one, sampled by itself", "FACT pid 7\n" + births([7]),
                 "  exact (kernel)\t\t7.500 MiB\n"),
                ("a child with samples", "CHLD 12 3.0 1795330000.0\n" + births([12]),
                 "  Child 12\t\t\t3.000 MiB\tname 12\n  Child 12 exact (kernel)\t12.500 MiB\n"),
                ("no mark", "PROC 8 7 1795330000.0 x\n", ""),
                ("no birth", "PEAK 8 8.5 1795330000.0\n", ""),
                ("renamed", births([8]) + "PROC 8 7 1795330000.0 a\\x1b[1mb\n",
                 "  Process 8 exact (kernel)\t8.500 MiB\ta\\x1b[1mb\n"),
                ("another kind of memory", "FACT backend psutil_uss\n" + births([8]), ""),
                ("as many as are printed", births(range(81, 91)), ten),
                ("many more", births(range(20, 91)),
                 ten + "  61 more, none above\t\t80.500 MiB\n")):
            with self.subTest(name):
                (self.directory / "x.dat").write_text(GOOD + text)
                self.assertEqual(self.run_mprof("peak", "--exact", "x.dat").stdout,
                                 "x.dat\t5.000 MiB\n" + expected)

    def test_kinds_and_the_control_group(self):
        text = ("CHLD 8 3.0 1795330000.0\n"
                "KINDS 7 1795330000.0 pss=5 swap=1\nKINDS 8 1795330000.0 pss=3 later=x\n"
                "KINDS 7 1795330001.0 pss=4 swap=2\nKINDS 8 1795330001.0 pss=4.5 swap=0.5\n"
                "GROUP 90.5 1795330000.0 100 /a\nGROUP 80 1795330001.0 128\n")
        child = "  Child 8\t\t\t3.000 MiB\n"
        kinds = "  Child 8 pss\t\t4.500 MiB\n  Child 8 swap\t\t0.500 MiB\n"
        group = "  control group\t\t90.500 MiB (limit 128.000 MiB)\n"
        left_out = "FACT left-out 9 psutil\nFACT left-out 10 psutil\n"
        for facts, expected, remarks in (
                ("FACT pid 7\n", "  pss\t\t\t5.000 MiB\n  swap\t\t\t2.000 MiB\n", ""),
                ("FACT pid 7\nFACT include-children yes\n" + left_out,  # the highest of the sums
                 "  pss\t\t\t8.500 MiB\n  swap\t\t\t2.500 MiB\n",
                 "  a sum of RSS: shared pages count once for each process; pss splits them\n"
                 "  left out: 2 processes that could not be read\n")):
            with self.subTest(facts=facts):
                (self.directory / "x.dat").write_text(GOOD + facts + text)
                done = self.run_mprof("peak", "--exact", "x.dat")
                self.assertEqual(done.stdout, "x.dat\t5.000 MiB\n" + child + expected + kinds + group
                                 + remarks)
                self.assertEqual(done.stderr, "")
        (self.directory / "x.dat").write_text(GOOD + "GROUP 90.5 1795330000.0 max /a\n")
        self.assertEqual(self.run_mprof("peak", "--exact", "x.dat").stdout,
                         "x.dat\t5.000 MiB\n  control group\t\t90.500 MiB (no limit)\n")
        for line, reason in (("KINDS 7 1795330000.0", "too few fields"),
                             ("KINDS 7 1795330000.0 pss", "not a plain decimal number"),
                             ("KINDS 7 1795330000.0 pss=1e3", "not a plain decimal number"),
                             ("KINDS x 1795330000.0 pss=1", "not a plain decimal number"),
                             ("GROUP 1 1795330000.0", "too few fields"),
                             ("GROUP 1 1795330000.0 maximum", "not a plain decimal number"),
                             ("GROUP -1 1795330000.0 max", "not a plain decimal number")):
            with self.subTest(line=line):
                (self.directory / "x.dat").write_text(GOOD + line + "\n")
                done = self.run_mprof("peak", "--exact", "x.dat")
                self.assertEqual(done.stdout, "x.dat\t5.000 MiB\n")
                self.assertIn(f"1 line skipped: {reason}", done.stderr)

    def test_full_standard_output(self):
        for command in (["peak", str(NESTED)], ["list"], ["--version"], ["--help"], ["-h"],
                        ["run", "--help"], ["peak", "--version"], ["functions", str(NESTED)],
                        ["top", "--once", str(NESTED)], ["peak", "--func", "nothing", str(NESTED)]):
            shutil.copy(NESTED, self.directory / "mprofile_20240102030405.dat")
            with self.subTest(command=command), open("/dev/full", "wb") as full:
                done = subprocess.run([MPROF, *command], cwd=self.directory, stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S)
                self.assertEqual(done.returncode, 1)
                said = done.stderr.splitlines(keepends=True)
                self.assertEqual(said[-1], "mprof: cannot write to standard output: No space left on device\n")
                self.assertEqual(len(said), 1 + ("--func" in command))

    def test_a_call_within_another_of_its_function(self):
        """The outer call continues after the inner one has returned."""
        (self.directory / "x.dat").write_text(
            "CMDLINE x\nMEM 5 1000\nMEM 90 1050\nMEM 70 1015\nMEM 99 1150\n"
                   "FUNC m.f 1 1000 1 1100 0\nFUNC m.f 1 1010 1 1020 1\nFUNC m.f 1 1080 1 1120 1\n")
        self.assertEqual(self.run_mprof("peak", "-f", "m.f", "x.dat").stdout, "x.dat\t90.000 MiB\n")


class Directory(TestCase):
    FOREIGN = ["mprofile_important_data.dat", "mprofile_2024010203040.dat",
               "mprofile_202401020304055.dat", "mprofile_20240102030405.dat.bak",
               "mprofile_2024010203040x.dat", "xmprofile_20240102030405.dat",
               "mprofile_20240102030405.txt", "mprofile_\u0662\u0662.dat", "notes.txt",
               "mprofile_aaaaaaaaaaaaaa.dat", "mprofile_20240102030405_ts.dat.keep",
               "mprofile_20990102030405_ts.dat"]

    def setUp(self):
        super().setUp()
        for name in self.FOREIGN:
            (self.directory / name).write_text("precious")

    def names(self):
        return sorted(os.listdir(self.directory))

    def test_clean_keeps_other_files(self):
        for name in ("mprofile_20240102030405.dat", "mprofile_20240102030406.dat",
                     "mprofile_20240102030405_ts.dat"):
            (self.directory / name).write_text(GOOD)
        dry = self.run_mprof("clean", "--dry-run")
        self.assertEqual(dry.stdout, "Files to be removed: \nmprofile_20240102030405.dat\n"
                         "mprofile_20240102030406.dat\nmprofile_20240102030405_ts.dat\n")
        self.assertEqual(len(self.names()), len(self.FOREIGN) + 3)
        self.run_mprof("clean")
        self.assertEqual(self.names(), sorted(self.FOREIGN))
        self.run_mprof("clean")
        self.assertEqual(self.run_mprof("list").stdout, "")

    def test_names_with_escape_sequences(self):
        evil = "a\x1b]0;owned\x07\nb\u202e\u009b.dat"
        (self.directory / evil).write_text("CMDLINE x\nMEM 5.0 1795330000.0\nMEM x 1\n")
        shown = "a\\x1b]0;owned\\x07\\x0ab\\xe2\\x80\\xae\\xc2\\x9b.dat"
        done = self.run_mprof("peak", evil)
        self.assertEqual(done.stdout, f"{shown}\t5.000 MiB\n")
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn(shown, done.stderr)
        dry = self.run_mprof("rm", "--dry-run", evil)
        self.assertEqual(dry.stdout, f"Files to be removed: \n{shown}\n")
        done = self.run_mprof("peak", "x\x1b[2J\n.dat", expect=1)
        self.assertNotIn("\x1b", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.run_mprof("rm", evil)
        self.assertNotIn(evil, self.names())

    def test_list_is_a_table_of_recordings_only(self):
        (self.directory / "mprofile_\n1234567890123.dat").write_text("")
        (self.directory / "mprofile_20240102030405.dat").write_text("")
        (self.directory / "mprofile_20240102030406.dat").mkdir()
        self.assertEqual(self.run_mprof("list").stdout,
                         "0 mprofile_20240102030405.dat 03:04:05 02/01/2024\n")

    def test_rm(self):
        (self.directory / "mprofile_20240102030405.dat").write_text(GOOD)
        (self.directory / "mprofile_20250102030405.dat").write_text(GOOD)
        for arguments, reason in (
                ([], "rm needs a recording, by number or name: `mprof list' shows them"),
                (["2"], "no recording number 2: this directory has 2"),
                (["-3"], "no recording number -3: this directory has 2"),
                (["0", "nothing"], "nothing: cannot open: No such file or directory"),
                (["0", "."], ".: is a directory, not a recording")):
            with self.subTest(arguments=arguments):
                done = self.run_mprof("rm", *arguments, expect=1)
                self.assertEqual((done.stdout, done.stderr), ("", f"mprof: {reason}\n"))
                self.assertEqual(len(self.names()), len(self.FOREIGN) + 2)
        # a number is an index, even if a file has that name
        (self.directory / "1").write_text("precious")
        self.run_mprof("rm", "1")
        self.assertIn("1", self.names())
        self.assertNotIn("mprofile_20250102030405.dat", self.names())
        self.run_mprof("rm", "--dry-run", "--", "-1")
        self.run_mprof("rm", "-1")
        self.assertEqual(self.names(), sorted(self.FOREIGN + ["1"]))

    def test_removal_that_fails(self):
        if os.geteuid() != 0:
            self.skipTest("needs another user")
        path = self.directory / "mprofile_20240102030405.dat"
        path.write_text(GOOD)
        self.directory.chmod(stat.S_IRUSR | stat.S_IXUSR | 0o055)
        done = subprocess.run([program_for_all(), "clean"], cwd=self.directory, text=True, user=65534,
                              group=65534, extra_groups=[], capture_output=True,
                              env=self.environment(), timeout=DEADLINE_S)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "mprof: mprofile_20240102030405.dat: cannot remove: "
                         "Permission denied\n")

    def test_no_recordings(self):
        done = self.run_mprof("peak", expect=1)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("No input file found.\n"))

        for arguments, says in ((["peak", "0"], "no recording number 0: this directory has none"),
                                (["peak", ""], "the name of a recording must not be empty")):
            self.assertEqual(self.run_mprof(*arguments, expect=1).stderr, f"mprof: {says}\n")

    def test_many_recordings(self):
        for i in range(3000):
            (self.directory / f"mprofile_{20240000000000 + i}.dat").touch()
        start = time.monotonic()
        self.assertEqual(self.run_mprof("list").stdout.count("\n"), 3000)
        self.run_mprof("clean")
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual(self.names(), sorted(self.FOREIGN))


class Options(TestCase):
    def test_help_of_a_command(self):
        self.assertEqual(self.run_mprof("help").stdout, self.run_mprof("--help").stdout)
        for command in ("run", "attach", "top", *(["plot"] if HAS_DRAWING else []), "peak", "list", "rm", "clean"):
            with self.subTest(command=command):
                done = self.run_mprof("help", command)
                self.assertTrue(done.stdout.startswith(f"Usage: mprof {command}"), done.stdout)
                self.assertEqual(done.stdout, self.run_mprof(command, "--help").stdout)
        done = self.run_mprof("help", "nothing", expect=1)
        self.assertEqual((done.stdout, done.stderr),
                         ("", "mprof: there is no command 'nothing': `mprof --help' lists them\n"))

    def test_did_you_mean(self):
        for typed, meant in (("plto", "plot"), ("hlep", "help"), ("pek", "peak"), ("lsit", "list"), ("cleann", "clean"),
                             ("pl", "plot"), ("att", "attach"), ("xy", None), ("ru", "run"), ("-x", None), ("p" * 50, None),
                             ("\x1b[31m", None)):
            with self.subTest(typed=typed):
                says = f"did you mean `{meant}'?" if meant else "`mprof --help' lists them"
                stderr = self.run_mprof(typed, expect=1).stderr
                self.assertTrue(stderr.endswith(f"': {says}\n"), stderr)
                self.assertNotIn("\x1b", stderr)
        for command, typed, meant in (("plot", "--falme", "flame"), ("plot", "--windw=1,2", "window"), ("peak", "--fnuc", "func"),
                                      ("run", "--include-childern", "include-children"), ("attach", "--newst", "newest"),
                                      ("rm", "--drv-run", "dry-run"), ("list", "--hlep", "help"), ("plot", "--xyzzy", None)):
            if command == "plot" and not HAS_DRAWING:
                continue
            with self.subTest(command=command, typed=typed):
                hint = f": did you mean `--{meant}'?" if meant else ""
                option = f": {typed[2:]}" if IS_MUSL else f" '{typed}'"  # getopt's words
                self.assertEqual(self.run_mprof(command, typed, "x", expect=2).stderr,
                                 f"mprof {command}: unrecognized option{option}{hint}\n")

    def test_usage(self):
        for arguments, code in (([], 1), (["no-such-command"], 1), (["--help"], 0), (["-h"], 0)):
            with self.subTest(arguments=arguments):
                done = self.run_mprof(*arguments, expect=code)
                self.assertIn("Usage: mprof COMMAND", done.stdout)
                self.assertEqual(done.stderr, "mprof: there is no command 'no-such-command': `mprof --help' lists them\n"
                                 if arguments == ["no-such-command"] else "")
                for command in ("run", "attach", "plot", "peak", "list", "rm", "clean"):
                    self.assertRegex(done.stdout, rf"(?m)^  {command} ")

    def test_help_and_version(self):
        version = self.run_mprof("--version").stdout
        self.assertRegex(version, r"\Amprof \d+\.\d+\.\d+\n\Z")
        for command in ("peak", "list", "rm", "clean"):
            with self.subTest(command=command):
                self.assertIn(f"Usage: mprof {command}", self.run_mprof(command, "--help").stdout)
                self.assertIn(f"Usage: mprof {command}", self.run_mprof(command, "-h").stdout)
                self.assertEqual(self.run_mprof(command, "--version").stdout, version)

    def test_bad_options(self):
        for arguments in (["peak", "--no-such"], ["peak", "-q"], ["peak", "--func"], ["list", "x"],
                          ["clean", "x"], ["rm", "--force", "1"], ["list", "-1"]):
            with self.subTest(arguments=arguments):
                done = self.run_mprof(*arguments, expect=2)
                self.assertEqual(done.stdout, "")
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertTrue(done.stderr.startswith(f"mprof {arguments[0]}: "), done.stderr)

    def test_negative_numbers_are_arguments(self):
        (self.directory / "mprofile_20240102030405.dat").write_text(GOOD)
        for arguments in (["-1"], ["-1", "--func", "x"], ["--func", "-5", "-1"], ["--", "-1"]):
            with self.subTest(arguments=arguments):
                done = self.run_mprof("peak", *arguments)
                self.assertTrue(done.stdout.startswith("mprofile_20240102030405.dat\t"))

    def test_broken_pipe(self):
        """A closed pipe ends it by SIGPIPE as any program; if that is ignored, with a reason."""
        for ignored in (False, True):
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run(
                [MPROF, "peak", str(NESTED)], stdout=writer, stderr=subprocess.PIPE, text=True,
                timeout=DEADLINE_S, restore_signals=not ignored)
            os.close(writer)
            with self.subTest(ignored=ignored):
                self.assertEqual((done.returncode, done.stderr), (
                    1, "mprof: cannot write to standard output: Broken pipe\n") if ignored
                    else (-signal.SIGPIPE, ""))


if __name__ == "__main__":
    unittest.main()
