#include "sparkline.h"

#include <string.h>

/* Age at which a sample has about half its weight. */
#define MEMORY_S 10.0

/* The sums are relative to the last sample: the older ones move away from it and lose weight. */
static void move_sums(mprof__sparkline *line, double seconds)
{
    double fade = MEMORY_S / (MEMORY_S + seconds);

    line->sum_xy -= seconds * line->sum_y;
    line->sum_xx += seconds * (seconds * line->weight - 2 * line->sum_x);
    line->sum_x -= seconds * line->weight;
    line->weight *= fade;
    line->sum_x *= fade;
    line->sum_y *= fade;
    line->sum_xx *= fade;
    line->sum_xy *= fade;
}

static void move_cells(mprof__sparkline *line, int64_t cell)
{
    int64_t from = line->cell + 1;

    if (cell - from > MPROF__SPARKLINE_CELLS) {
        from = cell - MPROF__SPARKLINE_CELLS;
    }
    for (int64_t i = from; i <= cell; i++) {
        line->cells[i % MPROF__SPARKLINE_CELLS] = -1;
    }
    line->cell = cell;
}

static void start(mprof__sparkline *line, int64_t bytes, int64_t now_ns)
{
    line->first_ns = now_ns;
    line->last_ns = now_ns;
    line->first_bytes = bytes;
    for (size_t i = 0; i < MPROF__SPARKLINE_CELLS; i++) {
        line->cells[i] = -1;
    }
}

void mprof__sparkline_add(mprof__sparkline *line, int64_t bytes, int64_t now_ns)
{
    int64_t *cell;

    if (line->count++ == 0) {
        start(line, bytes, now_ns);
    }
    if (now_ns > line->last_ns) {
        move_sums(line, (double)(now_ns - line->last_ns) / 1e9);
        line->last_ns = now_ns;
        move_cells(line, (now_ns - line->first_ns) / MPROF__SPARKLINE_CELL_NS);
    }
    line->weight += 1;
    line->sum_y += (double)(bytes - line->first_bytes);
    line->bytes = bytes;
    if (bytes > line->peak_bytes) {
        line->peak_bytes = bytes;
    }
    cell = &line->cells[line->cell % MPROF__SPARKLINE_CELLS];
    if (bytes > *cell) {
        *cell = bytes;
    }
}

double mprof__sparkline_slope(const mprof__sparkline *line)
{
    double spread = line->weight * line->sum_xx - line->sum_x * line->sum_x;

    if (line->last_ns == line->first_ns || spread <= 0) {
        return 0;
    }
    return (line->weight * line->sum_xy - line->sum_x * line->sum_y) / spread;
}

void mprof__sparkline_draw(const mprof__sparkline *line, size_t count, char *text, size_t size)
{
    static const char blocks[][4] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const size_t steps = sizeof blocks / sizeof *blocks;
    int64_t most = 1;
    size_t used = 0;

    if (count > MPROF__SPARKLINE_CELLS) {
        count = MPROF__SPARKLINE_CELLS;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            int64_t cell = line->cell - (int64_t)(count - 1 - i);
            int64_t bytes =
                line->count > 0 && cell >= 0 ? line->cells[cell % MPROF__SPARKLINE_CELLS] : -1;

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
