/* Events of lines and frames before CPython 3.12, from a trace function in C, set per thread. All
 * functions need the GIL. */
#ifndef MPROF_AGENT_LINE_EVENTS_SETTRACE_H
#define MPROF_AGENT_LINE_EVENTS_SETTRACE_H

/* Sets our trace function in this thread. It passes all events on to the one that was set before (a
 * debugger, a coverage tool). 0, or -1 with an exception. */
int mprof__settrace_start(void);

/* Restores the trace function that was set before. */
void mprof__settrace_stop(void);

#endif
