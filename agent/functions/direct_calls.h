/* Calls of decorated functions that bypass the functions' entry points. In CPython 3.8 and 3.9
 * extension modules made by Cython 0.29 (pandas, for one) evaluate the code of a Python function
 * themselves. Where these modules can be, frames are observed (PEP 523). */
#ifndef MPROF_AGENT_DIRECT_CALLS_H
#define MPROF_AGENT_DIRECT_CALLS_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* An extension module is loaded from this file; NULL: any may have been loaded. */
void mprof__direct_calls_expect_module(const char *file);

/* A function is decorated. Whether direct calls are possible in this version. */
bool mprof__direct_calls_expect_function(void);

/* Around a call through the entry point, whose frame is not one of a direct call. */
void mprof__direct_calls_enter(PyObject *code);
void mprof__direct_calls_leave(void);

/* Stops observing frames. */
void mprof__direct_calls_release(void);

#endif
