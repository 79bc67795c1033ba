/* Events of lines and frames from CPython 3.12 on (PEP 669), requested per code object, so that
 * other code runs at full speed. All functions need the GIL. */
#ifndef MPROF_AGENT_LINE_EVENTS_MONITORING_H
#define MPROF_AGENT_LINE_EVENTS_MONITORING_H

#include "profiler.h"

/* Claims a tool number and registers the callbacks, once per process. 0, or -1 with an
 * exception. */
int mprof__monitoring_start(void);

/* Switches the events of a code object on, until its `unwatch` is called. 0, or -1 with an
 * exception. */
int mprof__monitoring_watch(mprof__code *code);

#endif
