/* Builds a curve: exact statistics of all samples, and few enough points to draw. Private to this
 * folder. */
#ifndef MPROF_PARSE_CURVE_H
#define MPROF_PARSE_CURVE_H

#include <mprof/profile.h>

#include <stdbool.h>

/* Exact statistics of any number of samples, in constant room. */
typedef struct mprof__totals {
    uint64_t count;
    double first_s, last_s;
    double lowest_mib;
    mprof_sample peak;
    /* sums of differences to `shift`: unix seconds would leave no digits for the slope */
    mprof_sample shift;
    long double time, memory, time_time, time_memory;
} mprof__totals;

/* The samples of one bin, reduced to four. */
typedef struct mprof__bin {
    mprof_sample first, lowest, highest, last;
} mprof__bin;

typedef struct mprof__curve {
    mprof__totals totals;
    size_t max_points;    /* 0: all are kept */
    mprof_sample *points; /* owned; NULL once thinned */
    size_t point_count, point_capacity;
    mprof_sample outside[2]; /* nearest samples before and after the window; time_s NAN: none */
    /* thinned: bin i covers [origin_s + i * width_s, + width_s); both are multiples of a power of
     * two, so that every bound is exact */
    mprof__bin *bins;               /* owned */
    size_t bin_count, bin_capacity; /* used from 0 on; an unused one has first.time_s NAN */
    double origin_s, width_s;
} mprof__curve;

void mprof__curve_init(mprof__curve *curve, size_t max_points);
void mprof__curve_free(mprof__curve *curve);

/* Adds samples in any order. 0, or -1 without memory. */
int mprof__curve_push(mprof__curve *curve, const mprof_sample *samples, size_t count);

/* Adds a sample within the window, or keeps it if it is the nearest one outside. 0, or -1 without
 * memory. */
int mprof__curve_push_within(mprof__curve *curve, mprof_sample sample, double from_s, double to_s);

/* Samples kept outside the window, 0 or 1. side 0: before it, 1: after it. */
size_t mprof__curve_outside(const mprof__curve *curve, int side);

/* Adds to the points, not to the statistics. */
int mprof__curve_push_points(mprof__curve *curve, const mprof_sample *samples, size_t count);

/* Copies the points there are: all, or the ends and extremes of each bin. The caller frees them. 0,
 * or -1 without memory. */
int mprof__curve_copy_points(const mprof__curve *curve, mprof_sample **points, size_t *count);

/* True if points have been dropped. */
bool mprof__curve_is_thinned(const mprof__curve *curve);

/* Sorts the points, adds those outside the window, and moves them into *series with the statistics,
 * which the curve keeps as well. start_s: time of slope_offset_mib. 0, or -1 without memory. */
int mprof__curve_finish(mprof__curve *curve, mprof_series *series, double start_s);

void mprof__totals_push(mprof__totals *totals, const mprof_sample *samples, size_t count);

/* Sets the statistics of *series. start_s: time of slope_offset_mib. */
void mprof__totals_describe(const mprof__totals *totals, mprof_series *series, double start_s);

/* Sorts by time; equal times keep their order. 0, or -1 without memory. */
int mprof__samples_sort(mprof_sample *samples, size_t count);

#endif
