"""What was built: what it needs to run, and which names it shows to others."""

import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import MPROF  # noqa: E402

BUILD = pathlib.Path(MPROF).parent
# libm is a part of libc that lies in a file of its own: same source, same package.
LIBC = re.compile(r"^(libc\.so\.\d+|libm\.so\.\d+|ld-linux[\w.-]*\.so\.\d+)$")


def needed(path):
    """Shared libraries that a binary names as its own needs."""
    text = subprocess.run(["readelf", "-d", str(path)], capture_output=True, text=True,
                          check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", text)


def symbols(path, *options):
    """(type letter, name) of the global symbols that a file defines or needs."""
    text = subprocess.run(["nm", "-g", *options, str(path)], capture_output=True, text=True,
                          check=True).stdout
    return re.findall(r"^(?:[0-9a-f]+)?\s*([A-Za-z]) (\S+)$", text, re.M)


class Binaries(unittest.TestCase):
    def test_recording_needs_libc_alone(self):
        for name in ("mprof", "libmprof-preload.so", "libmprof-agent.so"):
            with self.subTest(file=name):
                for library in needed(BUILD / name):
                    self.assertRegex(library, LIBC)

    def test_the_preloaded_object_needs_no_symbol_of_python(self):
        # It is loaded into every process of the tree; most are no Python. The agent, which it loads
        # on demand, may need what every Python has.
        undefined = [symbol for _, symbol in symbols(BUILD / "libmprof-preload.so", "-D", "-u")]
        self.assertTrue(undefined)
        self.assertEqual([s for s in undefined if re.match(r"_?Py", s)], [])

    def test_only_our_prefix_is_exported(self):
        libraries = sorted(BUILD.rglob("lib*.a"))
        self.assertTrue(libraries)
        for library in libraries:
            with self.subTest(library=library.name):
                names = [name for kind, name in symbols(library, "--defined-only")
                         if kind in "TDBRVWC"]
                self.assertTrue(names)
                self.assertEqual([name for name in names if not name.startswith("mprof_")], [])

    # What programs call that load Python as a plugin: the shim stands in front of it.
    EMBEDDING = {"Py_Initialize", "Py_InitializeEx", "Py_InitializeFromConfig"}

    def test_preloaded_objects_show_no_name_that_could_collide(self):
        for name in ("libmprof-preload.so", "libmprof-agent.so"):
            with self.subTest(file=name):
                names = [symbol for _, symbol in symbols(BUILD / name, "-D", "--defined-only")]
                self.assertEqual([n for n in names if not n.startswith("mprof_")
                                  and n not in self.EMBEDDING], [])


if __name__ == "__main__":
    unittest.main()
