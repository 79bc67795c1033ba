/* Recent samples in constant memory: the last and the highest value, the slope of about the last
 * ten seconds, and the last minute as a small graph. */
#ifndef MPROF_RECORD_SPARKLINE_H
#define MPROF_RECORD_SPARKLINE_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__SPARKLINE_CELLS 60
#define MPROF__SPARKLINE_CELL_NS INT64_C(1000000000)

/* All zero: no sample yet. */
typedef struct mprof__sparkline {
    uint64_t count;
    int64_t first_ns;
    int64_t last_ns;
    int64_t first_bytes; /* subtracted from samples, for precision */
    int64_t bytes;       /* the last one */
    int64_t peak_bytes;
    double weight, sum_x, sum_y, sum_xx, sum_xy; /* x: seconds before the last sample; y: bytes */
    int64_t cells[MPROF__SPARKLINE_CELLS];       /* highest in each second, as a ring; -1: none */
    int64_t cell;                                /* of the last sample, counted from the first */
} mprof__sparkline;

/* Adds a sample. A time before that of the last sample is replaced by it. */
void mprof__sparkline_add(mprof__sparkline *line, int64_t bytes, int64_t now_ns);

/* Bytes a second over about the last ten seconds: least squares, older samples weigh less. 0 until
 * there are samples of two times. */
double mprof__sparkline_slope(const mprof__sparkline *line);

/* The last `count` seconds as a row of blocks, UTF-8, oldest first, scaled from 0 to the highest of
 * them; seconds without a sample are blank. Ends with NUL. */
void mprof__sparkline_draw(const mprof__sparkline *line, size_t count, char *text, size_t size);

#endif
