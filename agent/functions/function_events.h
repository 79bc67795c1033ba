/* Records the calls of a function without replacing the object: there is nothing of ours to pickle,
 * inspect or recurse through. From CPython 3.12 on the interpreter itself reports the calls
 * (sys.monitoring, PEP 669); up to 3.10 the function gets another entry point. Not in 3.11. */
#ifndef MPROF_AGENT_FUNCTION_EVENTS_H
#define MPROF_AGENT_FUNCTION_EVENTS_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Records the calls of this function from now on, under this name. false, without an exception, if
 * that is impossible: 3.11, no tool number free, not a function. */
bool mprof__function_events_watch(PyObject *function, mprof__name *name);

/* The same for all functions that will be made of this code. From 3.12 on. */
bool mprof__function_events_watch_code(PyObject *code, mprof__name *name);

/* Whether its calls are recorded already. */
bool mprof__function_events_has(PyObject *function);

/* Leaves every function as it was found. Calls in flight are not recorded any more. */
void mprof__function_events_release(void);

/* Ends the spans of frames that have been deallocated. For the end of the interpreter. */
void mprof__function_events_flush(void);

#endif
