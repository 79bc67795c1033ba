"""The public headers document every function, parameter, result, struct and member; and every
function that they declare is exported."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE  # noqa: E402

HEADERS = sorted(SOURCE.glob("*/include/mprof/*.h"))

UNDOCUMENTED = """/** @file
 * A header. */
/** Adds.
 *
 * @param one  a number
 * @return the sum */
int add(int one, int other);
"""


def doxygen(*settings):
    """Its complaints."""
    with tempfile.TemporaryDirectory() as directory:
        text = (SOURCE / "docs" / "Doxyfile").read_text()
        text += "\n".join(["", f"OUTPUT_DIRECTORY = {directory}", "WARN_AS_ERROR = NO", *settings, ""])
        done = subprocess.run(["doxygen", "-"], cwd=SOURCE, input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr.replace(f"{SOURCE}/", "")


class Interfaces(unittest.TestCase):
    def test_nothing_is_undocumented(self):
        self.assertEqual(doxygen(), "")

    def test_a_missing_parameter_would_be_found(self):
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory, "x.h").write_text(UNDOCUMENTED)
            self.assertIn("parameter 'other'", doxygen(f"INPUT = {directory}"))

    def test_who_may_call_it_is_said(self):
        """Each function says for which threads it is, or its type does."""
        for path in HEADERS:
            text = path.read_text()
            types = re.findall(r"/\*\*((?:(?!\*/).)*?)\*/\s*typedef struct (\w+) \w+;", text, re.S)
            shared = [name for words, name in types if "thread" in words]
            for words, declaration in re.findall(
                    r"/\*\*((?:(?!\*/).)*?)\*/\s*MPROF_API ([^;]*?)(?:__attribute__|;)", text, re.S):
                name = re.search(r"(\w+)\(", declaration)[1]
                with self.subTest(header=path.name, function=name):
                    self.assertTrue("thread" in words or any(f"{type} *" in declaration
                                                             for type in shared))

    def test_every_function_is_exported(self):
        functions = 0
        for path in HEADERS:
            text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
            for line in re.findall(r"^(?!static|typedef|#| )[^\n;{}]*\bmprof_\w+\(", text, re.M):
                functions += 1
                with self.subTest(header=path.name, line=line):
                    self.assertTrue(line.startswith("MPROF_API "))
        self.assertGreater(functions, 60)


if __name__ == "__main__":
    unittest.main()
