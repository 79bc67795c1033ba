/* Events of lines and frames from CPython 3.12 on: PEP 669. They are asked for per code object, so
 * code that nobody profiles runs at its full speed. With the GIL held. */
#ifndef MPROF_AGENT_LINE_EVENTS_MONITORING_H
#define MPROF_AGENT_LINE_EVENTS_MONITORING_H

#include "profiler.h"

/* Takes a tool number and registers what is called; once per process. 0, or -1 with an exception.
 */
int mprof__monitoring_start(void);

/* Events of this code object are wanted, until its `forget` is called. 0, or -1 with an exception.
 */
int mprof__monitoring_watch(mprof__code *code);

#endif
