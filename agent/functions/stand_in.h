/* Stand-ins for functions and other callables: objects that record each call. */
#ifndef MPROF_AGENT_STAND_IN_H
#define MPROF_AGENT_STAND_IN_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Makes the types, once. false with an exception. */
bool mprof__stand_in_setup(void);

/* A stand-in whose calls are recorded under this name. New reference, NULL with an exception. */
PyObject *mprof__stand_in_new(PyObject *function, mprof__name *name);

/* Makes functions that are called through the stand-in by a frame with this code believe that they
 * are called by that frame's caller. In 3.11. `code` is borrowed and outlives its running frames.
 */
void mprof__stand_in_hide_caller(PyObject *object, PyObject *code);

bool mprof__is_stand_in(PyObject *object);

/* The function behind a stand-in; NULL: the object is not a stand-in for a function. Borrowed. */
PyObject *mprof__stand_in_function(PyObject *object);

#endif
