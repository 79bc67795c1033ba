"""What was built: what it needs to run, and which names it shows to others."""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
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


def symbols_text(path):
    return subprocess.run(["nm", "-D", str(path)], capture_output=True, text=True, check=True).stdout


class Binaries(unittest.TestCase):
    def test_recording_needs_libc_alone(self):
        for name in ("mprof", "libmprof-preload.so", "libmprof-agent.so"):
            with self.subTest(file=name):
                for library in needed(BUILD / name):
                    self.assertRegex(library, LIBC)

    def test_what_is_loaded_by_others_needs_no_new_libc(self):
        # The programs may run on an older system than the one of the build, in a container.
        if "asan" in symbols_text(BUILD / "mprof"):
            self.skipTest("the sanitizers choose their own")
        for name in ("libmprof-agent.so", "libmprof-mark.so", "python/_mprof.abi3.so"):
            with self.subTest(file=name):
                versions = re.findall(r"@GLIBC_2\.(\d+)", symbols_text(BUILD / name))
                self.assertTrue(versions)
                self.assertLessEqual(max(map(int, versions)), 28)

    # What the headers of glibc 2.38 and later call by other names, in any program that is built there.
    RENAMED = ("strtol", "strtoll", "strtoul", "strtoull", "strtoimax", "strtoumax",
               "sscanf", "fscanf", "vsscanf", "vfscanf")

    def test_new_names_of_old_functions_are_asked_for_under_the_old_ones(self):
        if os.uname().machine not in ("x86_64", "aarch64"):
            self.skipTest("agent/glibc.h knows two architectures")
        with tempfile.TemporaryDirectory() as directory:
            source, library = pathlib.Path(directory, "new.c"), pathlib.Path(directory, "new.so")
            source.write_text("".join(f"int __isoc23_{name}();\n" for name in self.RENAMED)
                              + "int all(void);\nint all(void)\n{\n    return "
                              + " + ".join(f"__isoc23_{name}()" for name in self.RENAMED) + ";\n}\n")
            subprocess.run(["cc", "-std=c11", "-shared", "-fPIC", "-include",
                            mprof_test.SOURCE / "agent" / "glibc.h", "-o", library, source], check=True)
            found = re.findall(r"U (\w+)@(?:GLIBC_2\.(\d+))", symbols_text(library))
        self.assertEqual({name.replace("__isoc99_", "") for name, _ in found}, set(self.RENAMED))
        self.assertLessEqual(max(int(version) for _, version in found), 28)

    def test_the_reader_calls_nothing_that_is_renamed(self):
        # It is linked into the loaded objects, and also into static programs, which have no versions.
        names = {name.replace("__isoc23_", "").replace("__isoc99_", "")
                 for name in re.findall(r"U (\w+)$", subprocess.run(
                     ["nm", "-u", BUILD / "parse" / "libmprof.a"], capture_output=True, text=True,
                     check=True).stdout, re.M)}
        self.assertIn("memcpy", names)
        self.assertEqual(names & set(self.RENAMED), set())

    def test_the_preloaded_object_needs_no_symbol_of_python(self):
        # It is loaded into every process of the tree; most are no Python. The agent, which it loads
        # on demand, may need what every Python has. What is weak need not be there.
        undefined = symbols(BUILD / "libmprof-preload.so", "-D", "-u")
        self.assertEqual(sorted(undefined),
                         [("w", "PySys_AddAuditHook"), ("w", "__errno_location"),
                          ("w", "_r_debug"), ("w", "dlsym"), ("w", "environ")])

    def test_the_preloaded_object_is_as_cheap_as_one_can_be(self):
        # Paid at every exec of a recorded tree: docs/decisions/0017-preload-a-shim-without-libraries.md.
        shim = BUILD / "libmprof-preload.so"
        self.assertEqual(needed(shim), [])
        text = subprocess.run(["readelf", "-lrW", str(shim)], capture_output=True, text=True,
                              check=True).stdout
        loaded = re.findall(r"^  LOAD +\S+ \S+ \S+ \S+ 0x([0-9a-f]+)", text, re.M)
        self.assertEqual(len(loaded), 2)  # code, data
        self.assertLessEqual([int(size, 16) for size in loaded], [8192, 4096])
        self.assertNotIn("GNU_RELRO", text)
        self.assertIn("GNU_STACK", text)  # without it the stack would become executable
        # five names, the address of the constructor, and that of the dynamic section
        self.assertEqual(len(re.findall(r"^[0-9a-f]{12,}\s+[0-9a-f]{12,} R_", text, re.M)), 7)

    def test_a_program_pays_only_for_the_map_of_the_preloaded_object(self):
        shim = mprof_test.preloadable(BUILD.absolute()) / "libmprof-preload.so"
        plain = self.system_calls()
        inside = self.system_calls(LD_PRELOAD=str(shim), MPROF_RINGS="/nowhere")
        self.assertIn("execve", plain)
        inside.subtract(plain)
        inside["newfstatat"] += inside.pop("fstat", 0)
        more = {name: count for name, count in inside.items() if count}
        self.assertEqual(more, {"openat": 1, "read": 1, "newfstatat": 1, "mmap": 2, "close": 1})

    def system_calls(self, **environment):
        """How often each is made by a program that does nothing."""
        environment = {"PATH": os.defpath, **environment}
        trace = ["strace", *(f"-E{name}={value}" for name, value in environment.items()), "/bin/true"]
        try:
            result = subprocess.run(trace, capture_output=True, text=True, env={"PATH": os.defpath},
                                    timeout=mprof_test.DEADLINE_S, check=False)
        except FileNotFoundError:
            self.skipTest("no strace")
        calls = re.findall(r"^(\w+)\(", result.stderr, re.M)
        if not calls:
            self.skipTest(f"strace may not trace: {result.stderr.strip()}")
        return collections.Counter(calls)

    def test_only_our_prefix_is_exported(self):
        libraries = sorted(BUILD.rglob("lib*.a"))
        self.assertTrue(libraries)
        for library in libraries:
            with self.subTest(library=library.name):
                names = [name for kind, name in symbols(library, "--defined-only")
                         if kind in "TDBRVWC"]
                self.assertTrue(names)
                self.assertEqual([name for name in names if not name.startswith("mprof_")], [])

    # The shim stands in front of what programs call that load Python as a plugin, and of what
    # executes other programs: docs/decisions/0032-put-the-shim-last-in-ld-preload.md.
    IN_FRONT = {"Py_Initialize", "Py_InitializeEx", "Py_InitializeFromConfig",
                "execl", "execle", "execlp", "execv", "execve", "execveat", "execvp", "execvpe",
                "fexecve", "popen", "posix_spawn", "posix_spawnp", "system"}

    def test_preloaded_objects_show_no_name_that_could_collide(self):
        for name in ("libmprof-preload.so", "libmprof-agent.so"):
            with self.subTest(file=name):
                names = [symbol for _, symbol in symbols(BUILD / name, "-D", "--defined-only")]
                self.assertEqual([n for n in names if not n.startswith("mprof_")
                                  and n not in self.IN_FRONT], [])


if __name__ == "__main__":
    unittest.main()
