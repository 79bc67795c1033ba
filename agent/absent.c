/* See absent.h. Programs that say @profile are not to fail because their Python is one that we know
 * too little of. How large its objects are, or what our copy of its macros would do to them, is
 * among the unknown; so it is told in its own language, through a function that every Python has.
 */
#include "absent.h"

#include <dlfcn.h>
#include <stddef.h>

typedef int run_text(const char *text);

static const char provide[] =
    "exec('''\n"
    "import builtins, sys\n"
    "def profile(func=None, *unused, **ignored):\n"
    "    return profile if func is None else func\n"
    "class Block:\n"
    "    def __enter__(self): return self\n"
    "    def __exit__(self, *unused): return None\n"
    "profile.timestamp = lambda name=None: Block()\n"
    "profile.__module__ = 'builtins'\n"
    "class Finder:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        return type(sys.__spec__)(name, self) if name == 'memory_profiler' else None\n"
    "    def create_module(self, spec): return None\n"
    "    def exec_module(self, module): module.profile = profile\n"
    "builtins.profile = profile\n"
    "sys.meta_path.append(Finder())\n"
    "''', {})\n";

void mprof__absent_provide(void)
{
    run_text *run = __extension__(run_text *) dlsym(RTLD_DEFAULT, "PyRun_SimpleString");
    if (run) {
        run(provide);
    }
}
