/* When to take the next sample: deadlines at start + n * interval, for ever, whatever a tick costs.
 * A deadline that has passed is counted and left out; it is never caught up in a burst. */
#ifndef MPROF_RECORD_TICKER_H
#define MPROF_RECORD_TICKER_H

#include <stdint.h>

typedef struct mprof__ticker {
    int64_t interval_ns;
    int64_t next_ns; /* CLOCK_MONOTONIC */
    uint64_t ticks;
    uint64_t missed;
} mprof__ticker;

/* The first deadline is `now_ns` itself. interval_ns > 0. */
void mprof__ticker_init(mprof__ticker *ticker, int64_t now_ns, int64_t interval_ns);

/* Nanoseconds to the next deadline; 0 if it has come. */
int64_t mprof__ticker_remaining_ns(const mprof__ticker *ticker, int64_t now_ns);

/* Takes the deadline that has come and moves on to the first one after `now_ns`. Returns how many
 * were missed in between. */
uint64_t mprof__ticker_advance(mprof__ticker *ticker, int64_t now_ns);

#endif
