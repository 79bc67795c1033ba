"""`peak`, `peak --func`, `list`, `rm` and `clean` print what upstream's print."""

import contextlib
import io
import os
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import FIXTURES, TestCase, upstream  # noqa: E402


class Commands(TestCase):
    def upstream(self, *arguments):
        """The output of upstream's command, run in this process, which saves its start-up."""
        printed = io.StringIO()
        before, argv = os.getcwd(), sys.argv
        os.chdir(self.directory)
        sys.argv = ["mprof", *map(str, arguments)]
        try:
            with contextlib.redirect_stdout(printed):
                upstream().main()
        finally:
            os.chdir(before)
            sys.argv = argv
        return printed.getvalue()

    def assert_same(self, *arguments, stderr=""):
        theirs = self.upstream(*arguments)
        ours = self.run_mprof(*arguments)
        self.assertEqual(ours.stdout, theirs)
        self.assertEqual(ours.stderr, stderr)
        return ours.stdout

    def setUp(self):
        super().setUp()
        upstream()  # skips where it is not installed
        for path in (FIXTURES / "dat").glob("*.dat"):
            shutil.copy(path, self.directory)

    def recordings(self):
        return sorted(path.name for path in self.directory.glob("*.dat"))

    def test_peak(self):
        for name in self.recordings():
            with self.subTest(name=name):
                self.assertIn(" MiB\n", self.assert_same("peak", name))
        self.assert_same("peak", *self.recordings())
        self.assert_same("peak", "nested.dat", "nested.dat")

    def test_peak_of_functions(self):
        asked = 0
        for name in self.recordings():
            read = upstream().read_mprofile_file(str(self.directory / name))
            for function in read["func_timestamp"]:
                if not upstream().filter_mprofile_mem_usage_by_function(read, function):
                    continue  # upstream ends in a traceback if no sample is within a call
                asked += 1
                with self.subTest(name=name, function=function):
                    self.assert_same("peak", "--func", function, name)
        self.assertGreater(asked, 10)
        reason = "mprof: nested.dat: no call of 'no.such' was recorded; `mprof functions' lists those that were\n"
        self.assertEqual(self.assert_same("peak", "--func", "no.such", "nested.dat", stderr=reason),
                         "nested.dat\tNaN MiB\n")

    def test_peak_of_a_child_that_vanished(self):
        (self.directory / "phantom.dat").write_text(
            "CMDLINE x\nMEM 1.0 1795330000.0\nCHLD 0 0.000000 1795330000.0\n"
            "CHLD 12 3.5 1795330000.0\n")
        self.assertIn("Child 0\t\t\t0.000 MiB", self.assert_same("peak", "phantom.dat"))

    def with_dates(self):
        for date in ("20240102030405", "20231231235959", "20250607080910"):
            shutil.copy(self.directory / "nested.dat", self.directory / f"mprofile_{date}.dat")
        (self.directory / "mprofile_20240102030405_ts.dat").touch()

    def test_list(self):
        self.with_dates()
        # upstream lists the companion as a recording, with `::` as its time
        (self.directory / "mprofile_20240102030405_ts.dat").unlink()
        self.assertEqual(self.assert_same("list").count("\n"), 3)

    def test_peak_by_number(self):
        self.with_dates()
        for number in ("0", "1", "2", "-1", "-3"):
            with self.subTest(number=number):
                self.assert_same("peak", number)
        self.assertTrue(self.assert_same("peak").startswith("Using last profile data.\n"))

    def test_dry_runs(self):
        self.with_dates()
        for arguments in (("clean", "--dry-run"), ("rm", "--dry-run", "0", "-1"),
                          ("rm", "--dry-run", "1", "nested.dat"), ("rm", "--dry-run", "-1", "-2")):
            with self.subTest(arguments=arguments):
                before = self.recordings()
                self.assert_same(*arguments)
                self.assertEqual(self.recordings(), before)

    def test_removal(self):
        self.with_dates()
        kept = set(self.recordings())
        self.assertEqual(self.run_mprof("rm", "1", "example.dat").stdout, "")
        kept -= {"mprofile_20240102030405.dat", "mprofile_20240102030405_ts.dat", "example.dat"}
        self.assertEqual(set(self.recordings()), kept)
        self.assertEqual(self.run_mprof("clean").stdout, "")
        kept -= {"mprofile_20231231235959.dat", "mprofile_20250607080910.dat"}
        self.assertEqual(set(self.recordings()), kept)


if __name__ == "__main__":
    unittest.main()
