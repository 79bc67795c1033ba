"""What a run of the tests reports: skips with their reasons, and which of them fail the run."""

import pathlib
import subprocess
import sys
import tempfile
import unittest
from xml.sax.saxutils import escape

SUPPORT = pathlib.Path(__file__).resolve().parent.parent / "support"

SCRIPT = """
import unittest
class Some(unittest.TestCase):
    def test_that_runs(self):
        {body}
    @unittest.skip("no such\\nkernel")
    def test_that_is_skipped(self):
        pass
unittest.main()
"""


class Results(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = pathlib.Path(directory.name)

    def run_script(self, body):
        script = self.place / "script.py"
        script.write_text(SCRIPT.format(body=body))
        return subprocess.run([sys.executable, str(SUPPORT / "run_unittest.py"), str(script)],
                              capture_output=True, text=True)

    def report(self, command, output, *expected, status="run", inside=""):
        results = self.place / "dev.xml"
        results.write_text(f'<testsuite><testcase name="room.topic" status="{status}">'
                           f"<system-out>{escape(output)}</system-out>{inside}</testcase></testsuite>")
        done = subprocess.run([sys.executable, str(SUPPORT / "results.py"), command,
                               *map(str, expected), str(results)], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done

    def test_a_script_reports_what_it_skipped(self):
        done = self.run_script("pass")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "SKIPPED Some.test_that_is_skipped: no such kernel\n")

    def test_a_script_that_skips_everything_has_not_passed(self):
        self.assertEqual(self.run_script("self.skipTest('neither')").returncode, 77)

    def test_a_script_that_fails_fails(self):
        self.assertEqual(self.run_script("self.fail()").returncode, 1)

    def test_skips_that_are_not_expected_fail_the_run(self):
        expected = self.place / "expected.txt"
        expected.write_text("# a comment\nroom . no such kernel\nroom test_in_c ^$\n")
        for output, code in (
                ("SKIPPED Some.test: no such kernel\n", 0),
                ("SKIPPED Some.test: a package is missing\n", 1),
                ("[  SKIPPED ] test_in_c\n[  SKIPPED ] 1 test(s), listed below:\n", 0),
                ("[  SKIPPED ] test_other\n", 1),
                ("OK\n", 0)):
            with self.subTest(output=output):
                done = self.report("skipped", output, expected)
                self.assertEqual(done.returncode, code, done.stdout)
                self.assertEqual("NOT EXPECTED" in done.stdout, bool(code))

    def test_what_failed_is_named_with_the_end_of_its_output(self):
        output = "".join(f"line {number}\n" for number in range(100))
        done = self.report("failed", output, status="fail")
        self.assertIn("== failed: room.topic (dev), the last 60 of 100 lines\nline 40\n", done.stdout)
        self.assertEqual(self.report("names", output, status="fail").stdout, "room.topic\n")
        self.assertEqual(self.report("names", output).stdout, "\n")

    def test_failures_that_are_not_listed_fail_the_run(self):
        listed = self.place / "listed.txt"
        listed.write_text("# a comment\nplace|elsewhere room.topic Some.test_a|test_in_c the reason\n")
        python = "FAIL: test_{} (__main__.Some.test_{}) (way='x')\nERROR: test_a (__main__.Some)\n"
        for output, status, others in (
                (python.format("a", "a"), "fail", ""),
                (python.format("b", "b"), "fail", "room.topic Some.test_b"),
                ("[  FAILED  ] test_in_c\n[  FAILED  ] 1 test(s), listed below:\n", "fail", ""),
                ("[  FAILED  ] test_in_d\n", "fail", "room.topic test_in_d"),
                ("", "fail", "room.topic -"),  # crashed
                (python.format("b", "b"), "run", ""),
                ("", "notrun", "room.topic -")):  # its program is missing
            with self.subTest(output=output, status=status):
                done = self.report("allowed", output, listed, "place", status=status)
                self.assertEqual(done.returncode, int(bool(others)), done.stdout)
                self.assertEqual(done.stdout.partition("NOT LISTED: ")[2].strip(), others)
                self.assertEqual(self.report("others", output, listed, "place", status=status).stdout,
                                 "room.topic\n" if others else "\n")
        self.assertEqual(self.report("allowed", "", listed, "place").stdout,
                         "   1 passed, 0 skipped, 0 failed as listed (0 tests within them)\n")
        skipped = '<skipped message="SKIP_RETURN_CODE=77"/>'
        self.assertEqual(self.report("allowed", "", listed, "place", status="notrun", inside=skipped).stdout,
                         "   0 passed, 1 skipped, 0 failed as listed (0 tests within them)\n")
        done = self.report("allowed", python.format("a", "a"), listed, "another place", status="fail")
        self.assertEqual(done.returncode, 1)

    def test_the_second_try_counts(self):
        listed = self.place / "listed.txt"
        listed.write_text("")
        for name, status in (("first", "fail"), ("again", "run")):
            (self.place / f"{name}.xml").write_text(
                f'<testsuite><testcase name="room.topic" status="{status}"/></testsuite>')
        for order, code in ((("first", "again"), 0), (("again", "first"), 1)):
            done = subprocess.run([sys.executable, str(SUPPORT / "results.py"), "allowed", str(listed), "place",
                                   *(str(self.place / f"{name}.xml") for name in order)])
            self.assertEqual(done.returncode, code)

    def test_a_run_without_tests_fails(self):
        listed = self.place / "listed.txt"
        listed.write_text("")
        done = subprocess.run([sys.executable, str(SUPPORT / "results.py"), "allowed", str(listed), "place",
                               str(self.place / "missing.xml")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
