/* Owns the arithmetic of deadlines; it waits for nothing itself. */
#include "ticker.h"

#include <assert.h>

void mprof__ticker_init(mprof__ticker *ticker, int64_t now_ns, int64_t interval_ns)
{
    assert(interval_ns > 0);
    ticker->interval_ns = interval_ns;
    ticker->next_ns = now_ns;
    ticker->ticks = 0;
    ticker->missed = 0;
}

int64_t mprof__ticker_remaining_ns(const mprof__ticker *ticker, int64_t now_ns)
{
    return ticker->next_ns > now_ns ? ticker->next_ns - now_ns : 0;
}

uint64_t mprof__ticker_advance(mprof__ticker *ticker, int64_t now_ns)
{
    int64_t late_ns = now_ns - ticker->next_ns;
    int64_t missed = late_ns > 0 ? late_ns / ticker->interval_ns : 0;

    ticker->next_ns += (missed + 1) * ticker->interval_ns;
    ticker->ticks++;
    ticker->missed += (uint64_t)missed;
    return (uint64_t)missed;
}
