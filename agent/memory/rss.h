/* The process's own RSS, read from a /proc/self/statm that stays open. */
#ifndef MPROF_AGENT_RSS_H
#define MPROF_AGENT_RSS_H

#include <stdint.h>

/* RSS in bytes; the last known value if /proc cannot be read. Changes errno. One thread at a time.
 */
uint64_t mprof__rss_read(void);

/* In the child of a fork: the open file still shows the parent, so the next read opens it anew. */
void mprof__rss_forked(void);

/* A seccomp filter may be active from now on and kill the process for an unexpected system call.
 * Nothing is opened or checked any more, and the open file is read by lseek(2) and read(2), which
 * every filter allows. */
void mprof__rss_avoid_syscalls(void);

#endif
