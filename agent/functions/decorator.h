/* The decorator `profile`: what it returns for functions, methods, properties and classes. */
#ifndef MPROF_AGENT_DECORATOR_H
#define MPROF_AGENT_DECORATOR_H

#include "agent/python_api.h"

/* The builtin `profile`; one per process. `is_off`: it returns its argument. New reference, NULL
 * with an exception. */
PyObject *mprof__decorator_new(bool is_off);

/* Makes a stand-in for a function, in every version. New reference, NULL with an exception. */
PyObject *mprof__decorator_new_stand_in(PyObject *function);

/* Records the calls of the function itself, not in 3.11. false, without an exception, if that is
 * impossible. */
bool mprof__decorator_mark(PyObject *function);

#endif
