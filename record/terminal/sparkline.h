/* Where a curve is going, from the samples as they come and in no more memory than this: its last
 * and highest value, the slope of its recent past, and its last minute for a small graph. */
#ifndef MPROF_RECORD_SPARKLINE_H
#define MPROF_RECORD_SPARKLINE_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__TREND_CELLS 60
#define MPROF__TREND_CELL_NS INT64_C(1000000000)

/* All zero: no sample yet. */
typedef struct mprof__sparkline {
    uint64_t count;
    int64_t first_ns;
    int64_t last_ns;
    int64_t first_bytes; /* slopes are reckoned from there, for the sake of precision */
    int64_t bytes;       /* the last one */
    int64_t peak_bytes;
    double weight, sum_x, sum_y, sum_xx, sum_xy; /* x: seconds before the last sample; y: bytes */
    int64_t cells[MPROF__TREND_CELLS];           /* highest in each second, as a ring; -1: none */
    int64_t cell;                                /* of the last sample, counted from the first */
} mprof__sparkline;

/* Takes a sample. Times must not run backwards: one that does counts as of the last. */
void mprof__sparkline_add(mprof__sparkline *trend, int64_t bytes, int64_t now_ns);

/* Bytes a second over about the last ten seconds: least squares, older samples weighing less. 0 as
 * long as there are no two moments. */
double mprof__sparkline_slope(const mprof__sparkline *trend);

/* The last `count` seconds as a row of blocks, UTF-8, oldest first, scaled from 0 to the highest of
 * them; seconds without a sample are blank. Terminated. */
void mprof__sparkline_draw(const mprof__sparkline *trend, size_t count, char *text, size_t size);

#endif
