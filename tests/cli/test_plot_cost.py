"""The instructions that drawing a small picture takes, as valgrind counts them: the same in each run, however busy
the machine is."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF  # noqa: E402

DRAW = pathlib.Path(MPROF).parent / "mprof-draw"

# tests/bench holds the release build to 60 million. This build has assertions, and other releases of Debian have
# other versions of Pango, fontconfig and zlib, which do most of the work (85 million in unstable).
MILLIONS = 95


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class PlotCost(mprof_test.TestCase):
    def count(self, *arguments):
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", DRAW, "plot", *map(str, arguments)],
            cwd=self.directory, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=4 * mprof_test.DEADLINE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(re.search(r"Collected : (\d+)", done.stderr)[1])

    def test_a_small_picture(self):
        (self.directory / "a.dat").write_text("CMDLINE x\n" + "".join(
            f"MEM {40 + i % 97 + i / 20:.6f} {1000 + i / 10:.4f}\n" for i in range(1000)))
        self.count("-o", "a.png", "a.dat")  # fontconfig may have to write its caches
        self.assertLess(self.count("-o", "a.png", "a.dat") / 1e6, MILLIONS)

    def test_pictures_of_many(self):
        """200 processes: within a few times of the picture of their sum, which reads the same file."""
        lines = ["CMDLINE x", "FACT pid 1", "FACT include-children no"]
        for tick in range(40):
            lines.append(f"MEM 1 {1000 + tick / 10:.1f}")
            lines += [f"CHLD {100 + i} {i * tick / 40:.3f} {1000 + tick / 10:.1f}" for i in range(1, 200)]
        (self.directory / "many.dat").write_text("\n".join(lines) + "\n")
        plain = self.count("--group", "none", "-o", "a.svg", "many.dat")
        for form, times in (("--small-multiples", 3), ("--heat", 5)):
            with self.subTest(form=form):
                self.assertLess(self.count(form, "-o", "a.svg", "many.dat") / plain, times)


if __name__ == "__main__":
    unittest.main()
