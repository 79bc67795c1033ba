/* The module memory_profiler of a recorded program: the installed one with our decorator in it; if
 * none is installed, our own package; if that is missing too, a module with only the decorator. */
#ifndef MPROF_AGENT_MODULE_H
#define MPROF_AGENT_MODULE_H

#include "agent/python_api.h"

/* To be called before the program imports memory_profiler. Puts the module into sys.modules, or the
 * import fails as it does without mprof. Keeps the current exception. */
void mprof__module_provide(PyObject *profile);

/* To be called before the program imports importlib: importlib.import_module, which raises no audit
 * event, then finds the same module. Keeps the current exception. */
void mprof__module_hook_importlib(PyObject *profile);

/* Turns line-by-line reports on (mprof run --lines): our package is used even if another is
 * installed. */
void mprof__module_want_lines(void);

/* Returns the function with its lines recorded if that is turned on and possible, else the function
 * itself. New reference, never NULL. Keeps the current exception. */
PyObject *mprof__module_watch_lines(PyObject *function);

#endif
