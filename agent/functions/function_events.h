/* From CPython 3.12 on the interpreter itself tells of a function's calls (sys.monitoring, PEP
 * 669), and a decorated function stays the very object it was: nothing to pickle, inspect or
 * recurse through but the program's own. */
#ifndef MPROF_AGENT_FUNCTION_EVENTS_H
#define MPROF_AGENT_FUNCTION_EVENTS_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Tells of the calls of this function from now on, under this name. false, without an exception, if
 * that cannot be done: an older version, no tool number free, not a function. */
bool mprof__function_events_watch(PyObject *function, mprof__name *name);

/* The same of all functions that will be made of this code. */
bool mprof__function_events_watch_code(PyObject *code, mprof__name *name);

/* Whether its calls are told of already. */
bool mprof__function_events_has(PyObject *function);

/* Leaves every function as it was found. What runs is not told of any more. */
void mprof__function_events_release(void);

/* Tells of what is known to have ended, but not yet told. For the end of the interpreter. */
void mprof__function_events_flush(void);

/* Whether the audit event that is told now is sys.monitoring's own, of something we asked it for.
 */
bool mprof__sys_monitoring_caused_event(void);

#endif
