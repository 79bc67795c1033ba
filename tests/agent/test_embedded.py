"""Interpreters embedded in other programs: linked, loaded late as a plugin, initialised twice."""

import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, on_each_interpreter  # noqa: E402

ASK = ("import sysconfig as s, sys\n"
       "print(s.get_config_var('LIBDIR'), s.get_config_var('LDLIBRARY'), sys.prefix, sep='\\n')")

PLUGIN = r"""
#include <stdio.h>
extern void Py_Initialize(void), Py_InitializeEx(int);
extern int PyRun_SimpleString(const char *), Py_FinalizeEx(void);
int run(int times, int ex);
int run(int times, int ex)
{
    int status = 0;
    for (int i = 0; i < times; i++) {
        ex ? Py_InitializeEx(0) : Py_Initialize();
        status |= PyRun_SimpleString(
            "try: profile\n"
            "except NameError: profile = lambda function: function\n"
            "@profile\ndef f(): return 1\n"
            "assert f() == 1\n");
        status |= Py_FinalizeEx();
    }
    return status;
}
"""

LINKED = r"""
extern int run(int times, int ex);
int main(int argc, char **argv) { (void)argv; return run(argc > 1 ? 3 : 1, argc > 2); }
"""

HOST = r"""
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    void *plugin = dlopen(argv[1], RTLD_NOW | (argc > 2 ? RTLD_GLOBAL : RTLD_LOCAL));
    if (!plugin) { fprintf(stderr, "%s\n", dlerror()); return 9; }
    int (*run)(int, int) = (int (*)(int, int))dlsym(plugin, "run");
    return run(1, argc > 3);
}
"""


@unittest.skipUnless(shutil.which("cc"), "needs a compiler")
class Embedded(AgentCase):
    def build(self, interpreter):
        """(linked program, host program, plugin), or None without a shared libpython."""
        answer = subprocess.run([interpreter.path, "-c", ASK], capture_output=True, text=True,
                                check=True, env=self.environment()).stdout.splitlines()
        library = pathlib.Path(answer[0], answer[1])
        if library.suffix != ".so" or not library.exists():
            return None
        self.home = answer[2]
        for name, text in (("plugin.c", PLUGIN), ("linked.c", LINKED), ("host.c", HOST)):
            (self.directory / name).write_text(text)
        against = [str(library), f"-Wl,-rpath,{library.parent}"]
        for command in (["-shared", "-fPIC", "-o", "plugin.so", "plugin.c", *against],
                        ["-o", "linked", "linked.c", "plugin.c", *against],
                        ["-o", "host", "host.c", "-ldl"]):
            subprocess.run(["cc", *command], cwd=self.directory, check=True)
        return [str(self.directory / name) for name in ("linked", "host", "plugin.so")]

    @on_each_interpreter()
    def test_embedded(self, interpreter):
        built = self.build(interpreter)
        if not built:
            return
        linked, host, plugin = built
        for command in ((linked,), (host, plugin, "global"), (host, plugin),
                        (host, plugin, "global", "ex")):
            done = self.run_agent(command[0], *command[1:], env={"PYTHONHOME": self.home})
            self.assertEqual((done.tree, done.out, done.err), (["main: __main__.f"], "", ""),
                             command)

    @on_each_interpreter()
    def test_initialised_repeatedly(self, interpreter):
        """Only the first initialisation is recorded; later ones run as without the agent."""
        built = self.build(interpreter)
        if not built:
            return
        for arguments in (("3",), ("3", "ex")):
            done = self.run_agent(built[0], *arguments, env={"PYTHONHOME": self.home})
            self.assertEqual((done.tree, done.out, done.err), (["main: __main__.f"], "", ""))

    def test_without_a_recording(self):
        import interpreters
        from agent_test import PRELOAD
        for interpreter in interpreters.supported():
            built = self.build(interpreter)
            if built:
                done = subprocess.run([built[1], built[2], "global"], capture_output=True, text=True,
                                      env=self.environment(PYTHONHOME=self.home,
                                                           LD_PRELOAD=str(PRELOAD)))
                self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
