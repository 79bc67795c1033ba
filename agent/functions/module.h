/* The module memory_profiler of a program under mprof: the installed one with our decorator in it;
 * where none is installed, our own package with it; where that is missing too, a module that has
 * just the decorator. */
#ifndef MPROF_AGENT_MODULE_H
#define MPROF_AGENT_MODULE_H

#include "agent/python_api.h"

/* To be called when the program is about to import memory_profiler; afterwards it is in
 * sys.modules, or its import will fail as it does without mprof. Keeps the current exception. */
void mprof__module_provide(PyObject *profile);

/* To be called when the program is about to import importlib: importlib.import_module, of which no
 * event tells, finds the same module then. Keeps the current exception. */
void mprof__module_hook_importlib(PyObject *profile);

/* Line by line reports are wanted (mprof run --lines): our package serves, whatever is installed.
 */
void mprof__module_want_lines(void);

/* What decorating is to begin with: the function with its lines recorded, where that is wanted and
 * can be done. New reference, always. Keeps the current exception. */
PyObject *mprof__module_watch_lines(PyObject *function);

#endif
