"""The type stubs: a strict checker accepts a program that uses the whole interface and rejects misuse;
names and arguments of the stubs are those of the modules."""

import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402

PROGRAM = pathlib.Path(__file__).resolve().parent / "typed.py"

# Not in the stubs on purpose: private names, fields that ctypes adds, names that IPython adds, names that exist only for a type
# checker; and the arguments of dict.get, which have no names in dict's stub.
LEFT_OUT = """\
memory_profiler\\.CodeMap\\.(__init__|get)
memory_profiler\\.LineProfiler\\.(resume|suspend|end)
memory_profiler\\.(_magics\\.)?MemoryProfilerMagics(\\.magics|\\.registered)?
memory_profiler\\._memory\\.NoSuchProcess@.*
mprof\\._library\\..*
mprof\\._magics\\..*
mprof\\.(Recording|Function|Process|_Path|_Pair|_Notes?)
"""


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
class Types(unittest.TestCase):
    def mypy(self, module, *arguments):
        return subprocess.run([sys.executable, "-m", module, *map(str, arguments)],
                              capture_output=True, text=True, timeout=500,
                              env=pythons.environment(MYPYPATH=str(pythons.PACKAGE)))

    def test_strict_program(self):
        done = self.mypy("mypy", "--strict", "--cache-dir=/dev/null", PROGRAM)
        refused = {int(line) for line in re.findall(r"typed\.py:(\d+): error", done.stdout)}
        wrong = {number for number, line in enumerate(PROGRAM.read_text().splitlines(), 1)
                 if line.endswith("# wrong")}
        self.assertGreater(len(wrong), 10)
        self.assertEqual(refused, wrong, done.stdout + done.stderr)

    def test_stubs_and_modules_agree(self):
        with tempfile.TemporaryDirectory() as folder:
            allowed = pathlib.Path(folder) / "allowed"
            allowed.write_text(LEFT_OUT)
            config = pathlib.Path(folder) / "mypy.ini"
            config.write_text("[mypy]\nignore_missing_imports = True\ncache_dir = /dev/null\n")
            done = self.mypy("mypy.stubtest", "memory_profiler", "mprof", "--concise",
                             "--allowlist", allowed, "--mypy-config-file", config,
                             "--ignore-unused-allowlist")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
