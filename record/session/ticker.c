/* Only computes deadlines; the event loop waits. */
#include "ticker.h"

#include <assert.h>

/* Two steps of the times in a recording, which has four decimals from 1 ms of interval on. */
#define SPACING_MAX_NS INT64_C(200000)

static const int64_t early_ns[MPROF__TICKER_EARLY_COUNT] = {1000000,  2000000,  5000000,
                                                            10000000, 20000000, 50000000};

void mprof__ticker_init(mprof__ticker *ticker, int64_t now_ns, int64_t interval_ns)
{
    assert(interval_ns >= 10);
    ticker->interval_ns = interval_ns;
    ticker->next_ns = now_ns;
    ticker->ticks = 0;
    ticker->missed = 0;
    ticker->start_ns = now_ns;
    ticker->early = MPROF__TICKER_EARLY_COUNT;
}

void mprof__ticker_begin_early(mprof__ticker *ticker)
{
    ticker->early = 0;
}

/* What is sampled late must not have the time of the next sample, nor one that is read the same. */
static int64_t spacing_ns(const mprof__ticker *ticker)
{
    int64_t tenth_ns = ticker->interval_ns / 10;
    return tenth_ns < SPACING_MAX_NS ? tenth_ns : SPACING_MAX_NS;
}

/* INT64_MAX: none. */
static int64_t next_early_ns(const mprof__ticker *ticker)
{
    if (ticker->early == MPROF__TICKER_EARLY_COUNT ||
        early_ns[ticker->early] * 2 >= ticker->interval_ns) {
        return INT64_MAX;
    }
    return ticker->start_ns + early_ns[ticker->early];
}

bool mprof__ticker_advance_early(mprof__ticker *ticker, int64_t now_ns)
{
    int64_t after_ns = now_ns + spacing_ns(ticker);
    bool is_due = now_ns >= next_early_ns(ticker);

    if (is_due || now_ns >= ticker->next_ns) {
        while (after_ns > next_early_ns(ticker)) {
            ticker->early++;
        }
    }
    return is_due && after_ns <= ticker->next_ns;
}

int64_t mprof__ticker_remaining_ns(const mprof__ticker *ticker, int64_t now_ns)
{
    int64_t early = next_early_ns(ticker);
    int64_t next_ns = early < ticker->next_ns ? early : ticker->next_ns;

    return next_ns > now_ns ? next_ns - now_ns : 0;
}

uint64_t mprof__ticker_advance(mprof__ticker *ticker, int64_t now_ns)
{
    int64_t late_ns = now_ns + spacing_ns(ticker) - ticker->next_ns;
    int64_t missed = late_ns > 0 ? (late_ns - 1) / ticker->interval_ns : 0;

    ticker->next_ns += (missed + 1) * ticker->interval_ns;
    ticker->ticks++;
    ticker->missed += (uint64_t)missed;
    return (uint64_t)missed;
}
