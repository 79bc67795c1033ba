/* How deep the calls of a thread are nested, as the interpreter counts it. The frames of runpy and
 * of our package below a program must not use up its recursion limit. */
#ifndef MPROF_AGENT_RECURSION_DEPTH_H
#define MPROF_AGENT_RECURSION_DEPTH_H

#include "agent/python_api.h"

/* Sets the depth of this thread and returns the former one. Does nothing if the interpreter's count
 * cannot be found. */
int mprof__recursion_depth_set(int depth);

#endif
