"""The Python package keeps upstream's interface in words of its own: apart from signatures, no run of
more than 20 tokens is the same as in Debian's package."""

import pathlib
import sys
import tokenize
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE  # noqa: E402

UPSTREAM = [pathlib.Path("/usr/lib/python3/dist-packages", name)
            for name in ("memory_profiler.py", "mprof.py")]
MOST = 20

LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
          tokenize.ENCODING, tokenize.ENDMARKER}


def words(path):
    """(token, line) of a module, without layout and without the signatures of its functions."""
    depth, in_signature = 0, False
    with open(path, "rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in LAYOUT:
                continue
            depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
            if token.string == "def":
                in_signature = True
            elif in_signature:
                in_signature = not (token.string == ":" and depth == 0)
            else:
                yield token.string, token.start[0]


def runs(tokens):
    """Each run of one token more than may be the same, with the line where it begins."""
    for i in range(len(tokens) - MOST):
        yield tuple(word for word, _ in tokens[i:i + MOST + 1]), tokens[i][1]


class OwnWords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not all(path.exists() for path in UPSTREAM):
            raise unittest.SkipTest("python3-memory-profiler is not installed")
        cls.theirs = {run: f"{path.name}:{line}" for path in UPSTREAM
                      for run, line in runs(list(words(path)))}

    def test_no_long_run_is_the_same(self):
        checked = 0
        for path in sorted((SOURCE / "agent" / "python").rglob("*.py")):
            for run, line in runs(list(words(path))):
                checked += 1
                with self.subTest(place=f"{path.relative_to(SOURCE)}:{line}"):
                    self.assertNotIn(run, self.theirs, self.theirs.get(run))
        self.assertGreater(checked, 1000)

    def test_a_copy_would_be_found(self):
        copied = list(words(UPSTREAM[0]))
        self.assertTrue(all(run in self.theirs for run, _ in runs(copied[200:260])))


if __name__ == "__main__":
    unittest.main()
