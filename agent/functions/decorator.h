/* The decorator `profile`, and the stand-ins that it puts in the place of functions. */
#ifndef MPROF_AGENT_DECORATOR_H
#define MPROF_AGENT_DECORATOR_H

#include "agent/python_api.h"

/* Makes the types, once. false with an exception. */
bool mprof__decorator_setup(void);

/* The builtin `profile`; one per process. `is_off`: it returns its argument. New reference, NULL
 * with an exception. */
PyObject *mprof__decorator_new(bool is_off);

/* Makes a stand-in for a function, in every version. New reference, NULL with an exception. */
PyObject *mprof__decorator_new_stand_in(PyObject *function);

/* Records the calls of the function itself, from 3.12 on. false, without an exception, if that is
 * impossible. */
bool mprof__decorator_mark(PyObject *function);

/* Whether the object is a stand-in. */
bool mprof__decorator_is_stand_in(PyObject *function);

/* The function behind a stand-in; NULL: the object is not a stand-in for a function. Borrowed. */
PyObject *mprof__decorator_function_of(PyObject *object);

#endif
