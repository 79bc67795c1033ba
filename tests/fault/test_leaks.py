"""Commands free their memory and close their descriptors, as valgrind observes."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, VALGRIND, python  # noqa: E402

# valgrind tracks allocations of dynamically linked programs only.
DYNAMIC = os.environ.get("MPROF_TEST_DYNAMIC", MPROF)
DRAW = pathlib.Path(MPROF).parent / "mprof-draw"
SUPPRESSIONS = pathlib.Path(__file__).resolve().parent.parent / "valgrind.supp"
FOUND = 99


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class Leaks(mprof_test.TestCase):
    def check(self, program, *arguments, kinds="all", expect=0):
        log = self.directory / "valgrind.log"
        done = subprocess.run(
            [*VALGRIND, "--num-callers=60", "--leak-check=full", "--track-fds=yes",
             f"--show-leak-kinds={kinds}", f"--errors-for-leak-kinds={kinds}",
             f"--suppressions={SUPPRESSIONS}", f"--error-exitcode={FOUND}", f"--log-file={log}",
             program, *map(str, arguments)], cwd=self.directory, env=self.environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=4 * mprof_test.DEADLINE_S)
        messages = log.read_text()
        self.assertEqual(done.returncode, expect, f"{arguments}\n{done.stdout}{done.stderr}{messages}")
        left = re.findall(r"Open (?:AF_\w+ socket|file descriptor) .*\n.*\n", messages)
        self.assertEqual([one for one in left if "<inherited from parent>" not in one], [],
                         f"{arguments}\n{messages}")

    def record(self):
        self.run_mprof("run", "-C", "-M", "-T", "0.01", "-o", "a.dat", "sh", "-c", "sleep 0.2")

    def test_run(self):
        (self.directory / "calls.py").write_text(
            "import os\n@profile\ndef f(): pass\nf()\nos.fork() or os._exit(f() or 0)\n"
            "os.wait()\nos._exit(5)\n")
        self.check(DYNAMIC, "run", "-E", "-C", "-M", "--backend", "psutil_pss", "-T", "0.02",
                   "-o", "out.dat", python(), "-S", "calls.py", expect=5)

    def test_attach(self):
        target = self.start("sleep", "600")
        self.check(DYNAMIC, "attach", "-C", "-M", "-t", "0.1", "-T", "0.02", "-o", "out.dat",
                   target.pid)

    def test_refused(self):
        self.check(DYNAMIC, "run", "-o", "no/such/place.dat", python(), "calls.py", expect=2)
        self.check(DYNAMIC, "peak", "no.dat", expect=1)

    def test_reading(self):
        self.record()
        shutil.copy(self.directory / "a.dat", self.directory / "mprofile_20260101000000.dat")
        self.check(DYNAMIC, "list")
        self.check(DYNAMIC, "peak", "a.dat")

    @unittest.skipUnless(DRAW.exists(), "built without the drawing half")
    def test_drawing(self):
        self.record()
        # Caches of libraries stay reachable to the end.
        self.check(DRAW, "plot", "-o", "picture.svg", "a.dat", kinds="definite,indirect")


if __name__ == "__main__":
    unittest.main()
