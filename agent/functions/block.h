/* The context manager of a block: with profile.timestamp("load data"): ... */
#ifndef MPROF_AGENT_BLOCK_H
#define MPROF_AGENT_BLOCK_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* `name` NULL: it records nothing. New reference, NULL with an exception. */
PyObject *mprof__block_new(mprof__name *name);

#endif
