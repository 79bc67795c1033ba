"""sphinx-gallery's option show_memory, which uses memory_usage for each example."""

import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pythons  # noqa: E402
from mprof_test import MPROF, TestCase  # noqa: E402

CONF = """
import memory_profiler
assert "mprof" in memory_profiler.__doc__, "not the module under test"
extensions = ["sphinx_gallery.gen_gallery"]
project = "examples"
sphinx_gallery_conf = {"examples_dirs": "examples", "gallery_dirs": "gallery", "show_memory": True}
"""

EXAMPLE = '''"""
Memory
======
An example.
"""
import time
block = bytearray(64 << 20)
time.sleep(0.3)
print(len(block))
'''


class Gallery(TestCase):
    def test_show_memory(self):
        if subprocess.run([sys.executable, "-c", "import sphinx_gallery"],
                          capture_output=True).returncode != 0:
            raise unittest.SkipTest("python3-sphinx-gallery is not installed")
        for name, text in (("conf.py", CONF), ("index.rst", "x\n=\n\n.. toctree::\n\n   gallery/index\n"),
                           ("examples/README.rst", "All\n===\n"), ("examples/plot_memory.py", EXAMPLE)):
            path = self.directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        environment = pythons.environment(PYTHONPATH=str(pathlib.Path(MPROF).parent / "python"))
        done = subprocess.run([sys.executable, "-m", "sphinx", "-q", ".", "html"], cwd=self.directory,
                              env=environment, capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (self.directory / "gallery" / "plot_memory.rst").read_text()
        self.assertIn("67108864", page)
        memory = re.search(r"\*\*Estimated memory usage:\*\* +([0-9]+) MB", page)
        self.assertTrue(memory, page)
        self.assertGreater(int(memory[1]), 60)
        self.assertLess(int(memory[1]), 500)


if __name__ == "__main__":
    unittest.main()
