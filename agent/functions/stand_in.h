/* Stand-ins for functions and other callables: objects that record each call. */
#ifndef MPROF_AGENT_STAND_IN_H
#define MPROF_AGENT_STAND_IN_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Makes the types, once. false with an exception. */
bool mprof__stand_in_setup(void);

/* A stand-in whose calls are recorded under this name. New reference, NULL with an exception. */
PyObject *mprof__stand_in_new(PyObject *function, mprof__name *name);

bool mprof__is_stand_in(PyObject *object);

/* The function behind a stand-in; NULL: the object is not a stand-in for a function. Borrowed. */
PyObject *mprof__stand_in_function(PyObject *object);

#endif
