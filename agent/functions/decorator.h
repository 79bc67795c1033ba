/* The decorator `profile`, and what it makes of a function. */
#ifndef MPROF_AGENT_DECORATOR_H
#define MPROF_AGENT_DECORATOR_H

#include "agent/python_api.h"

/* Makes the types of what follows, once. false with an exception. */
bool mprof__decorator_setup(void);

/* The object that is bound to the name `profile`; one for the process. `is_off`: it hands
 * everything back as it is. New reference, NULL with an exception. */
PyObject *mprof__decorator_new(bool is_off);

/* A stand-in for a function, in every version. New reference, NULL with an exception. */
PyObject *mprof__decorator_new_stand_in(PyObject *function);

/* Has the very function told of (3.12 and later). false, without an exception: it cannot be. */
bool mprof__decorator_mark(PyObject *function);

/* Whether it is a stand-in already. */
bool mprof__decorator_is_stand_in(PyObject *function);

/* The function that a stand-in stands in for; NULL: it is no stand-in of a function. Borrowed. */
PyObject *mprof__decorator_function_of(PyObject *object);

#endif
