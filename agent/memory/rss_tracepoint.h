/* Finds out without a system call whether the process's RSS can have changed. The kernel writes
 * each change through the tracepoint kmem:rss_stat into ring buffers that we map; while these have
 * not grown, the last value is still true.
 *
 * Needs the right to trace (root, or CAP_PERFMON with a readable tracefs). Without it the
 * tracepoint stays closed and the answer is always "may have changed". One thread at a time. */
#ifndef MPROF_AGENT_RSS_TRACEPOINT_H
#define MPROF_AGENT_RSS_TRACEPOINT_H

#include <stdbool.h>

/* true: RSS has not changed since the last call. The first 20000 answers are false, because opening
 * does not pay for short work. Environment: MPROF_ORACLE=0 keeps the tracepoint closed, 1 opens it
 * at the first call. */
bool mprof__rss_tracepoint_unchanged(void);

/* Whether it is open, for reports of how something was measured. */
bool mprof__rss_tracepoint_is_open(void);

/* Closes it for good, in children too: opening takes system calls that a filter may forbid. */
void mprof__rss_tracepoint_forbid(void);

/* In the child of a fork: the rings were not inherited. */
void mprof__rss_tracepoint_forked(void);

#endif
