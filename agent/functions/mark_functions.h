/* Finds functions that a pattern selects (pattern.h), and records them without a decorator. */
#ifndef MPROF_AGENT_MARK_FUNCTIONS_H
#define MPROF_AGENT_MARK_FUNCTIONS_H

#include "agent/python_api.h"

/* Reports what cannot be recorded, by a line for standard error; each topic only once. */
typedef void mprof__mark_notice(const char *topic, const char *line);

/* Scans modules from now on when they have been loaded. Patterns must be set before. */
void mprof__mark_functions_of_imports(mprof__mark_notice *notice);

/* Scans modules that are loaded already, and later ones as above. All changes from here on can be
 * undone. Returns the number of functions found. */
unsigned mprof__mark_functions_loaded(mprof__mark_notice *notice);

/* Restores modules and functions as they were before mprof__mark_functions_loaded. */
void mprof__mark_functions_undo(void);

/* To be called when the interpreter starts its script, -c or -m. */
void mprof__mark_functions_started(void);

/* To be called before a code object is executed: it may be the script, which no import loads. */
void mprof__mark_functions_executing(PyObject *code);

#endif
