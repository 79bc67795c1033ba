/* A curve in the making: exact statistics of all samples, and points few enough to draw.
 * Private to this folder. */
#ifndef MPROF_PARSE_CURVE_H
#define MPROF_PARSE_CURVE_H

#include <mprof/profile.h>

#include <stdbool.h>

/* What is exactly known of any number of samples, in constant room. */
typedef struct mprof__totals {
    uint64_t count;
    double first_s, last_s;
    double lowest_mib;
    mprof_sample peak;
    /* sums over differences to `shift`, so that unix seconds leave digits for the slope */
    mprof_sample shift;
    long double time, memory, time_time, time_memory;
} mprof__totals;

/* All samples of a stretch of time, as four of them. */
typedef struct mprof__bin {
    mprof_sample first, lowest, highest, last;
} mprof__bin;

typedef struct mprof__curve {
    mprof__totals totals;
    size_t max_points;    /* 0: all are kept */
    mprof_sample *points; /* owned; NULL once thinned */
    size_t point_count, point_capacity;
    mprof_sample outside[2]; /* nearest to the window, before and behind; time_s NAN: none */
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

/* Adds what lies in a window, and keeps the nearest of what does not. 0, or -1 without memory. */
int mprof__curve_push_within(mprof__curve *curve, mprof_sample sample, double from_s, double to_s);

/* How many samples are kept of one side of the window, 0: before it, 1: behind it. */
size_t mprof__curve_outside(const mprof__curve *curve, int side);

/* The points only; statistics are the caller's business. */
int mprof__curve_push_points(mprof__curve *curve, const mprof_sample *samples, size_t count);

/* 1 if points were left out so far. */
bool mprof__curve_is_thinned(const mprof__curve *curve);

/* Puts the points in time order, those outside of a window around them, and fills *series, which
 * takes them over; the curve keeps its statistics. start_s: where the slope's line is asked for. 0,
 * or -1 without memory. */
int mprof__curve_finish(mprof__curve *curve, mprof_series *series, double start_s);

void mprof__totals_push(mprof__totals *totals, const mprof_sample *samples, size_t count);

/* Sorts by time; equal times keep their order. 0, or -1 without memory. */
int mprof__samples_sort(mprof_sample *samples, size_t count);

#endif
