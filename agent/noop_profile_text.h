/* Python code that defines a builtin `profile` that returns its argument. The shim runs it too,
 * where it cannot load the agent. */
#ifndef MPROF_AGENT_NOOP_PROFILE_TEXT_H
#define MPROF_AGENT_NOOP_PROFILE_TEXT_H

static const char mprof__noop_profile_text[] =
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

#endif
