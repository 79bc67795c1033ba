/* Says without a system call whether this process's resident memory can have changed: the kernel
 * tells of every change of it through the tracepoint kmem:rss_stat, into rings that we map. While
 * they have not grown, a value read before is still true.
 *
 * Needs the right to trace (root, or CAP_PERFMON with a readable tracefs); elsewhere it never opens
 * and the answer is always "may have changed". One thread at a time. */
#ifndef MPROF_AGENT_RSS_TRACEPOINT_H
#define MPROF_AGENT_RSS_TRACEPOINT_H

#include <stdbool.h>

/* Environment: MPROF_ORACLE=0 keeps it closed, 1 opens it at once.
 *
 * true: memory is what it was when this was last asked. The first some ten thousand answers are
 * false: short work is not worth opening it , long work does not notice. */
bool mprof__rss_tracepoint_unchanged(void);

/* Whether it is open, for those who report how something was measured. */
bool mprof__rss_tracepoint_is_open(void);

/* It is not opened any more, in children neither: that takes system calls of its own. */
void mprof__rss_tracepoint_forbid(void);

/* In the child of a fork: the rings were not inherited. */
void mprof__rss_tracepoint_forked(void);

#endif
