"""The offsets that stacks are read by are those of the headers that each interpreter was built with."""

import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import on_each_interpreter  # noqa: E402
from stack_test import StackCase  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().with_name("offsets.c")
ASK = "import sysconfig as s; print(s.get_path('include'), s.get_path('platinclude'), sep='\\n')"


@unittest.skipUnless(shutil.which("cc"), "needs a compiler")
class Layouts(StackCase):
    compared = 0

    @on_each_interpreter()
    def test_offsets(self, interpreter):
        folders = subprocess.run([interpreter.path, "-c", ASK], capture_output=True, text=True, check=True,
                                 env=self.environment()).stdout.split()
        if not pathlib.Path(folders[0], "internal").is_dir():
            return  # without headers
        folders.append(str(pathlib.Path(folders[0]).parent))  # Debian's pyconfig.h is below it
        for debug in ([], ["-DPy_DEBUG"]):
            flags = [f"-I{folder}" for folder in (*folders, folders[0] + "/internal")]
            subprocess.run(["cc", "-w", "-DPy_BUILD_CORE", *debug, *flags, "-o", "offsets", str(SOURCE)],
                           cwd=self.directory, check=True)
            theirs = dict(line.split() for line in subprocess.run(
                ["./offsets"], cwd=self.directory, capture_output=True, text=True, check=True).stdout.splitlines())
            process = self.start_python(interpreter, "print('ready', flush=True)\ninput()\n")
            done = self.run_tool("--layout", process.pid)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            ours = dict(line.split() for line in done.stdout.splitlines())
            executing = theirs.pop("executing", "0")
            self.assertEqual(executing, "0")
            self.assertEqual({name: ours[name] for name in theirs}, theirs)
            self.assertGreaterEqual(len(theirs), 30)
            self.stop(process)
        type(self).compared += 1

    def test_some_were_compared(self):
        """Runs after the other one."""
        if self.compared == 0:
            self.skipTest("no interpreter with its headers")


if __name__ == "__main__":
    unittest.main()
