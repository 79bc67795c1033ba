/* Profiling on and off, and what that takes in this Python: events come from sys.monitoring
 * from 3.12 on, from a trace function before and where other tools have taken sys.monitoring. With
 * the GIL held. */
#ifndef MPROF_AGENT_PROFILER_SWITCH_H
#define MPROF_AGENT_PROFILER_SWITCH_H

#include "profiler.h"

/* As mprof__profiler_add, of a profiler that may be enabled already. */
int mprof__profiling_add(mprof__profiler *profiler, PyObject *code, int block);

/* The profiler is enabled whenever this code runs, which was added: in its thread, for as long as
 * it does. The function stays what it is. 1; 0 if that cannot be done in this interpreter; or -1
 * with an exception. */
int mprof__profiling_add_root(mprof__profiler *profiler, PyObject *code);

/* Profiling in this thread goes on until disabled as often as enabled. 0, or -1 with an exception.
 */
int mprof__profiling_enable(mprof__profiler *profiler);
int mprof__profiling_disable(mprof__profiler *profiler);

#endif
