/* When to take the next sample: at start + n * interval, whatever a tick costs. A missed deadline
 * is counted and omitted, never caught up in a burst; so is one that comes right after a late
 * sample. A program may end before the second deadline, so there are early ones in between. */
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

/* The first deadline is now_ns. interval_ns >= 10. */
void mprof__ticker_init(mprof__ticker *ticker, int64_t now_ns, int64_t interval_ns);

/* Adds early deadlines: 1, 2, 5, 10, 20 and 50 ms after the first one, if less than half an
 * interval. */
void mprof__ticker_begin_early(mprof__ticker *ticker);

/* Whether an early deadline has come, and not right before the next regular one. Skips all early
 * deadlines that have passed, or come right after now_ns. */
bool mprof__ticker_advance_early(mprof__ticker *ticker, int64_t now_ns);

/* Nanoseconds to the next deadline; 0 if it has come. */
int64_t mprof__ticker_remaining_ns(const mprof__ticker *ticker, int64_t now_ns);

/* Moves on to the first deadline after now_ns, not right after it. Returns how many were missed in
 * between. */
uint64_t mprof__ticker_advance(mprof__ticker *ticker, int64_t now_ns);

#endif
