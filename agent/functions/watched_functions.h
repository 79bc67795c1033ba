/* Decorated functions, and the entry points of those whose calls are not events of their code:
 * functions that share their code, generator functions and coroutine functions; up to CPython 3.10
 * all functions. Not in 3.11. */
#ifndef MPROF_AGENT_WATCHED_FUNCTIONS_H
#define MPROF_AGENT_WATCHED_FUNCTIONS_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Watches the interpreter's functions for their ends and changes of their code. false with or
 * without an exception: no watcher is free. */
bool mprof__watched_functions_setup(void);

/* Records the calls of a function under this name; `by_code`: they are events of its code, else its
 * entry point is replaced. false: out of memory. */
bool mprof__watched_function_add(PyObject *function, mprof__name *name, bool makes_suspendable,
                                 bool by_code);

/* Whether the function with this code is recorded already. */
bool mprof__watched_function_exists(PyObject *function, PyObject *code);

/* The name of the function whose frame with this code is about to run; NULL: it is not recorded.
 * For direct calls. */
mprof__name *mprof__watched_function_of_frame(void *frame, PyObject *code);

/* Restores all entry points. */
void mprof__watched_functions_release_all(void);

#endif
