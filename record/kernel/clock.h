/* Time of a recording: the wall clock is read once, at the start; from then on the monotonic clock
 * counts. So a step of the wall clock can bend no curve, and the agent's events, stamped by the
 * same monotonic clock, fall on the same axis. */
#ifndef MPROF_RECORD_CLOCK_H
#define MPROF_RECORD_CLOCK_H

#include <stdint.h>

typedef struct mprof__clock {
    int64_t offset_ns; /* wall minus monotonic, as it was at the start */
} mprof__clock;

/* Takes the offset between the two clocks of this moment. */
void mprof__clock_init(mprof__clock *clock);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t mprof__clock_now_ns(void);

/* Unix seconds of a monotonic moment. */
double mprof__clock_wall_s(const mprof__clock *clock, int64_t monotonic_ns);

#endif
