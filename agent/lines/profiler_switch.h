/* Enables and disables profilers, and chooses the source of events: sys.monitoring from 3.12 on; a
 * trace function before, and where other tools hold all numbers of sys.monitoring. All functions
 * need the GIL. */
#ifndef MPROF_AGENT_PROFILER_SWITCH_H
#define MPROF_AGENT_PROFILER_SWITCH_H

#include "profiler.h"

/* mprof__profiler_add for a profiler that may be enabled already. */
int mprof__profiling_add(mprof__profiler *profiler, PyObject *code, int report);

/* Enables the profiler whenever this code, which was added before, runs, in the thread that runs
 * it. The function itself does not change. 1; 0 if this interpreter does not allow it; or -1 with
 * an exception. */
int mprof__profiling_add_root(mprof__profiler *profiler, PyObject *code);

/* A profiler is enabled in this thread until it was disabled as often as enabled. 0, or -1 with an
 * exception. */
int mprof__profiling_enable(mprof__profiler *profiler);
int mprof__profiling_disable(mprof__profiler *profiler);

#endif
