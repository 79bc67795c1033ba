/* What a generator, coroutine or async generator function returns, with a span around its life:
 * from the first time it is resumed to its end, however it ends. Stands in for the object where the
 * interpreter cannot be asked to tell of its resumptions (before 3.12). */
#ifndef MPROF_AGENT_SUSPENDABLE_H
#define MPROF_AGENT_SUSPENDABLE_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Makes the types. false with an exception. */
bool mprof__suspendable_setup(void);

/* Whether calling this function gives something that is resumed. No exception is left. */
bool mprof__suspendable_is_made_by(PyObject *function);

/* The stand-in for what such a function has returned; anything else is handed back as it is. Steals
 * the reference to `made`, which may be NULL with an exception. New reference or NULL. */
PyObject *mprof__suspendable_wrap(PyObject *made, mprof__name *name);

#endif
