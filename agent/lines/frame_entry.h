/* Before CPython 3.12, where events come from a trace function: switches it on while code runs that
 * enables a profiler. The interpreter asks us for each frame (PEP 523), so the function needs no
 * wrapper, which would show in tracebacks and take levels of recursion. With the GIL held. */
#ifndef MPROF_AGENT_FRAME_ENTRY_H
#define MPROF_AGENT_FRAME_ENTRY_H

#include <stdbool.h>

/* From now on, in this interpreter. false, without an exception: it cannot be. */
bool mprof__frame_entry_watch(void);

#endif
