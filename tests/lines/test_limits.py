"""limit_memory and record, for test programs of any kind, in every Python."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, TestCase  # noqa: E402


class Limits(TestCase):
    def run_program(self, program, interpreters=None):
        for python in interpreters or pythons.found():
            with self.subTest(python=str(python)):
                done = subprocess.run([python, "-c", program], cwd=self.directory, env=pythons.environment(),
                                      capture_output=True, text=True, timeout=DEADLINE_S)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_blocks_and_functions(self):
        self.run_program('''
import mprof, unittest
def raises(mib, limit="100 MB"):
    try:
        with mprof.limit_memory(limit) as block:
            bytearray(mib << 20)
    except mprof.MemoryLimitError as error:
        assert isinstance(error, AssertionError)
        assert "limit" in str(error) and "MiB" in str(error), error
        return True
    assert (mib - 1) << 20 <= block.peak_bytes <= (mib + 8) << 20, block.peak_bytes
    return False
assert raises(150) and not raises(50) and raises(2, 1 << 20)
@mprof.limit_memory("10 MB")
def decorated(mib): return len(bytearray(mib << 20))
assert decorated(1) == 1 << 20
try: decorated(20)
except mprof.MemoryLimitError: pass
else: assert 0
try:
    with mprof.limit_memory("1 MB"):
        bytearray(20 << 20)
        raise KeyError  # the program's own error wins
except KeyError: pass
for wrong in ("", "x", "1 XB", -1, None, 1.5, True):
    try: mprof.limit_memory(wrong)
    except ValueError: pass
    else: assert 0, wrong
''')

    def test_blocks_nest(self):
        self.run_program('''
import mprof
with mprof.record() as outer:
    bytearray(60 << 20)
    with mprof.record() as inner:
        bytearray(30 << 20)
    with mprof.record() as last:
        pass
    mib = [one.peak_bytes >> 20 for one in (outer, inner, last)]
    assert 59 <= mib[0] <= 66 and 29 <= mib[1] <= 36 and mib[2] <= 4, mib
''')

    def test_a_recording(self):
        self.run_program('''
import mprof, os
if os.path.exists("x.dat"): os.unlink("x.dat")
with mprof.record("x.dat") as recording:
    block = bytearray(60 << 20)
    with mprof.record("y.dat") as second: bytearray(30 << 20)
assert recording.path == "x.dat" and not recording.notes
assert second.path is None and second.notes, "one recording at a time"
assert 89 <= recording.peak_bytes >> 20 <= 98, recording.peak_bytes
assert 59 <= recording.growth_bytes >> 20 <= 66
assert max(mprof.read_mprofile_file("x.dat")["mem_usage"]) > 60
''', [pythons.found()[0], pythons.found()[-1]])


if __name__ == "__main__":
    unittest.main()
