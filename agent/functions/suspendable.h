/* Stand-ins for generators, coroutines and async generators, in versions without events of their
 * steps (before 3.12). Each has a span from its first step to its end. */
#ifndef MPROF_AGENT_SUSPENDABLE_H
#define MPROF_AGENT_SUSPENDABLE_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Makes the types. false with an exception. */
bool mprof__suspendable_setup(void);

/* Whether calls of this function return one of these. Leaves no exception. */
bool mprof__suspendable_is_made_by(PyObject *function);

/* The stand-in for what such a function has returned; for anything else, the object itself. Steals
 * the reference to `made`, which may be NULL with an exception. New reference or NULL. */
PyObject *mprof__suspendable_wrap(PyObject *made, mprof__name *name);

#endif
