/* The kernel's clocks, whatever stands in front of clock_gettime in this process (libfaketime
 * does): the recorder reads the same ones. */
#ifndef MPROF_AGENT_CLOCK_H
#define MPROF_AGENT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Looks up the libc's own function; may be called again. Before that the clocks are read by a
 * system call, which costs more. */
void mprof__clock_setup(void);

void mprof__clock_read(clockid_t id, struct timespec *now);

uint64_t mprof__clock_ns(clockid_t id);

/* CLOCK_MONOTONIC and CLOCK_REALTIME of the same moment, within some microseconds. */
void mprof__clock_pair(uint64_t *monotonic_ns, uint64_t *wall_ns);

#endif
