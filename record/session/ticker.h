/* When to take the next sample: deadlines at start + n * interval, for ever, whatever a tick costs.
 * A deadline that has passed is counted and left out; it is never caught up in a burst. A program
 * that has just begun may be over before the second one: early deadlines come in between. */
#ifndef MPROF_RECORD_TICKER_H
#define MPROF_RECORD_TICKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__ticker {
    int64_t interval_ns;
    int64_t next_ns; /* CLOCK_MONOTONIC */
    uint64_t ticks;
    uint64_t missed;
    int64_t start_ns;
    size_t early; /* the next early deadline; MPROF__TICKER_EARLY_COUNT: none */
} mprof__ticker;

#define MPROF__TICKER_EARLY_COUNT 6

/* The first deadline is `now_ns` itself. interval_ns > 0. */
void mprof__ticker_init(mprof__ticker *ticker, int64_t now_ns, int64_t interval_ns);

/* Adds the early deadlines: 1, 2, 5, 10, 20 and 50 ms after the first one, as far as that is
 * less than half an interval. */
void mprof__ticker_begin_early(mprof__ticker *ticker);

/* 1 if an early deadline has come and no other; it is taken, and those that have passed with it. */
bool mprof__ticker_advance_early(mprof__ticker *ticker, int64_t now_ns);

/* Nanoseconds to the next deadline; 0 if it has come. */
int64_t mprof__ticker_remaining_ns(const mprof__ticker *ticker, int64_t now_ns);

/* Takes the deadline that has come and moves on to the first one after `now_ns`. Returns how many
 * were missed in between. */
uint64_t mprof__ticker_advance(mprof__ticker *ticker, int64_t now_ns);

#endif
