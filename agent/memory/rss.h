/* Resident memory of this very process, read from a kept /proc/self/statm. */
#ifndef MPROF_AGENT_RSS_H
#define MPROF_AGENT_RSS_H

#include <stdint.h>

/* RSS in bytes; the last known value if /proc cannot be read. Changes errno. One thread at a time.
 */
uint64_t mprof__rss_read(void);

/* After a fork the kept file still tells of the parent: the next read opens it anew. */
void mprof__rss_forked(void);

/* From now on a filter of system calls (seccomp) may lie over the process, which ends it for one
 * that it does not expect: nothing is opened or looked at any more, and the file that is open is
 * read by lseek(2) and read(2), as every program reads. */
void mprof__rss_avoid_syscalls(void);

#endif
