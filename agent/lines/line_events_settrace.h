/* Events of lines and frames before CPython 3.12: a trace function in C, per thread. With the GIL
 * held. */
#ifndef MPROF_AGENT_LINE_EVENTS_SETTRACE_H
#define MPROF_AGENT_LINE_EVENTS_SETTRACE_H

/* Puts our trace function in front of the one that is set in this thread, if any: a debugger, a
 * coverage tool, which is then told everything by us. 0, or -1 with an exception. */
int mprof__settrace_start(void);

/* Puts the one that was there before back. */
void mprof__settrace_stop(void);

#endif
