/* Functions that are recorded without a decorator, because a pattern wants them (pattern.h). */
#ifndef MPROF_AGENT_MARK_FUNCTIONS_H
#define MPROF_AGENT_MARK_FUNCTIONS_H

#include "agent/python_api.h"

/* Told at most once each: what cannot be done, as a line for standard error. */
typedef void mprof__mark_notice(const char *topic, const char *line);

/* From now on modules are looked through as they have been loaded. Patterns were set. */
void mprof__mark_functions_of_imports(mprof__mark_notice *notice);

/* Looks through what is loaded already. Before mprof__mark_functions_undo, everything that is done
 * can be undone. Returns how many functions were found. */
unsigned mprof__mark_functions_loaded(mprof__mark_notice *notice);

/* Leaves modules and functions as they were found. */
void mprof__mark_functions_undo(void);

/* The interpreter begins with what it was started for: a script, -c, -m. */
void mprof__mark_functions_started(void);

/* A code object is about to be executed: the program's own script, perhaps, which no import loads.
 */
void mprof__mark_functions_executing(PyObject *code);

#endif
