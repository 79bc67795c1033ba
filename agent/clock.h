/* The kernel's clocks, which the recorder reads as well, even where a preloaded library replaces
 * clock_gettime (libfaketime does). */
#ifndef MPROF_AGENT_CLOCK_H
#define MPROF_AGENT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Looks up libc's own function; may be called again. Before the first call, clocks are read by the
 * slower system call. */
void mprof__clock_setup(void);

void mprof__clock_read(clockid_t id, struct timespec *now);

uint64_t mprof__clock_ns(clockid_t id);

/* CLOCK_MONOTONIC and CLOCK_REALTIME at the same moment, within some microseconds. */
void mprof__clock_pair(uint64_t *monotonic_ns, uint64_t *wall_ns);

#endif
