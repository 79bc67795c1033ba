/* Times of a recording: the wall clock is read once, at the start, and the monotonic clock counts
 * from there. So setting the wall clock does not distort a curve, and events of the agent, which
 * uses the same monotonic clock, fit the samples. */
#ifndef MPROF_RECORD_CLOCK_H
#define MPROF_RECORD_CLOCK_H

#include <stdint.h>

typedef struct mprof__clock {
    int64_t offset_ns; /* wall minus monotonic, at the start */
} mprof__clock;

/* Reads the present offset between the two clocks. */
void mprof__clock_init(mprof__clock *clock);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t mprof__clock_now_ns(void);

/* A moment that many nanoseconds ago, in the unit of start times in /proc. */
uint64_t mprof__clock_ticks_since_boot(int64_t ago_ns);

/* Converts to Unix seconds. */
double mprof__clock_wall_s(const mprof__clock *clock, int64_t monotonic_ns);

#endif
