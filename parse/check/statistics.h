/* Statistics of small samples: order statistics, the U test, robust lines, and intervals by
 * resampling. tests/oracle compares them with scipy's. Values are finite. Private to the program.
 */
#ifndef MPROF_PARSE_CHECK_STATISTICS_H
#define MPROF_PARSE_CHECK_STATISTICS_H

#include <mprof/record.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorts in place. */
void mprof__sort_values(double *values, size_t count);

/* The value below which `share` (0 to 1) of sorted values are, linear between two of them, as numpy
 * computes it. NAN if count is 0. */
double mprof__quantile(const double *sorted, size_t count, double share);

typedef struct mprof__quartiles {
    double lowest, first, median, third, highest; /* NAN of no values */
} mprof__quartiles;

/* Sorts the values in place. */
mprof__quartiles mprof__quartiles_of(double *values, size_t count);

/* The median; reorders the values. NAN if count is 0. */
double mprof__median(double *values, size_t count);

/* Mann and Whitney's U test of two independent samples, two-sided. */
typedef struct mprof__u_test {
    double u;       /* of the first sample */
    double p_value; /* NAN if one sample is empty */
    bool is_exact;  /* no ties, and one sample has at most 8 values; else by the normal
                       approximation, corrected for ties and continuity */
} mprof__u_test;

/* 0, or -1 without memory. */
int mprof__u_test_make(mprof__u_test *test, const double *first, size_t first_count,
                       const double *second, size_t second_count);

/* A line y = offset + slope * x. */
typedef struct mprof__robust_line {
    double slope, offset;
} mprof__robust_line;

/* Theil and Sen's line: the slope is the median over all pairs, the offset median(y) - slope *
 * median(x). Of time quadratic in count. NAN if all x are the same. 0, or -1 without memory. */
int mprof__theil_sen(mprof__robust_line *line, const double *x, const double *y, size_t count);

/* Divides [from_s, to_s] into `windows` equal parts and finds the lowest sample in each; samples
 * are in order of time. An empty window has no minimum. Returns the number of minima;
 * minima[windows]. */
size_t mprof__window_minima(mprof_sample *minima, size_t windows, const mprof_sample *samples,
                            size_t count, double from_s, double to_s);

typedef struct mprof__interval {
    double low, high;
} mprof__interval;

/* The interval of Theil and Sen's slope, by a circular block bootstrap of its residuals, widened as
 * Student's t is: blocks keep what neighbours have in common. The generator starts with a fixed
 * seed, so that equal input gives an equal interval. NAN of fewer than three values. 0, or -1
 * without memory. */
int mprof__bootstrap_slope(mprof__interval *interval, const double *x, const double *y,
                           size_t count, const mprof__robust_line *line, double confidence);

#endif
