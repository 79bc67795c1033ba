/* Owns the arithmetic of recent slopes and small graphs. */
#include "sparkline.h"

#include <string.h>

/* A sample of so long ago weighs less than half as much as a new one. */
#define MEMORY_S 10.0

/* The sums are kept relative to the last sample; the older ones move away from it, and fade. */
static void move_sums(mprof__sparkline *trend, double seconds)
{
    double fade = MEMORY_S / (MEMORY_S + seconds);

    trend->sum_xy -= seconds * trend->sum_y;
    trend->sum_xx += seconds * (seconds * trend->weight - 2 * trend->sum_x);
    trend->sum_x -= seconds * trend->weight;
    trend->weight *= fade;
    trend->sum_x *= fade;
    trend->sum_y *= fade;
    trend->sum_xx *= fade;
    trend->sum_xy *= fade;
}

static void move_cells(mprof__sparkline *trend, int64_t cell)
{
    int64_t from = trend->cell + 1;

    if (cell - from > MPROF__TREND_CELLS) {
        from = cell - MPROF__TREND_CELLS;
    }
    for (int64_t i = from; i <= cell; i++) {
        trend->cells[i % MPROF__TREND_CELLS] = -1;
    }
    trend->cell = cell;
}

static void start(mprof__sparkline *trend, int64_t bytes, int64_t now_ns)
{
    trend->first_ns = now_ns;
    trend->last_ns = now_ns;
    trend->first_bytes = bytes;
    for (size_t i = 0; i < MPROF__TREND_CELLS; i++) {
        trend->cells[i] = -1;
    }
}

void mprof__sparkline_add(mprof__sparkline *trend, int64_t bytes, int64_t now_ns)
{
    int64_t *cell;

    if (trend->count++ == 0) {
        start(trend, bytes, now_ns);
    }
    if (now_ns > trend->last_ns) {
        move_sums(trend, (double)(now_ns - trend->last_ns) / 1e9);
        trend->last_ns = now_ns;
        move_cells(trend, (now_ns - trend->first_ns) / MPROF__TREND_CELL_NS);
    }
    trend->weight += 1;
    trend->sum_y += (double)(bytes - trend->first_bytes);
    trend->bytes = bytes;
    if (bytes > trend->peak_bytes) {
        trend->peak_bytes = bytes;
    }
    cell = &trend->cells[trend->cell % MPROF__TREND_CELLS];
    if (bytes > *cell) {
        *cell = bytes;
    }
}

double mprof__sparkline_slope(const mprof__sparkline *trend)
{
    double spread = trend->weight * trend->sum_xx - trend->sum_x * trend->sum_x;

    if (trend->last_ns == trend->first_ns || spread <= 0) {
        return 0;
    }
    return (trend->weight * trend->sum_xy - trend->sum_x * trend->sum_y) / spread;
}

void mprof__sparkline_draw(const mprof__sparkline *trend, size_t count, char *text, size_t size)
{
    static const char blocks[][4] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const size_t steps = sizeof blocks / sizeof *blocks;
    int64_t most = 1;
    size_t used = 0;

    if (count > MPROF__TREND_CELLS) {
        count = MPROF__TREND_CELLS;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            int64_t cell = trend->cell - (int64_t)(count - 1 - i);
            int64_t bytes =
                trend->count > 0 && cell >= 0 ? trend->cells[cell % MPROF__TREND_CELLS] : -1;

            if (pass == 0) {
                most = bytes > most ? bytes : most;
            } else if (used + sizeof *blocks < size) {
                size_t step = (size_t)((double)(bytes < 0 ? 0 : bytes) / (double)most *
                                       ((double)steps - 0.001));
                const char *block = bytes < 0 ? " " : blocks[step];

                memcpy(text + used, block, strlen(block));
                used += strlen(block);
            }
        }
    }
    text[used] = '\0';
}
