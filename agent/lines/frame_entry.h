/* Before CPython 3.12: sets the trace function while a root function of a profiler runs. Replaces
 * the interpreter's frame evaluator (PEP 523), so that functions need no wrapper, which would show
 * in tracebacks and use up levels of recursion. Needs the GIL. */
#ifndef MPROF_AGENT_FRAME_ENTRY_H
#define MPROF_AGENT_FRAME_ENTRY_H

#include <stdbool.h>

/* Watches frames of this interpreter from now on. false, without an exception: not possible. */
bool mprof__frame_entry_watch(void);

#endif
