/* Calls of plain functions that begin and end by events of their code. */
#ifndef MPROF_AGENT_FUNCTION_CALLS_H
#define MPROF_AGENT_FUNCTION_CALLS_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Begins a call in the lane that runs now. */
void mprof__function_call_begin(PyObject *code, mprof__name *name);

/* Ends the innermost call of this code in the lane that runs now, and all calls inside it, whose
 * ends caused no event. */
void mprof__function_call_end(PyObject *code, bool by_exception);

#endif
