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

    def report(self, command, output, *expected, status="run"):
        results = self.place / "dev.xml"
        results.write_text(f'<testsuite><testcase name="room.topic" status="{status}">'
                           f"<system-out>{escape(output)}</system-out></testcase></testsuite>")
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


if __name__ == "__main__":
    unittest.main()
