/* A line through all samples of a healthy program whose memory is a sawtooth may rise. Its troughs
 * do not: so windows are made long enough to hold one each, and only their minima count. Warm-up,
 * and the end, where a program frees everything, are left out. */
#include "growth.h"

#include "parse/array.h"
#include "statistics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define WARM_UP 0.1   /* of the time */
#define END 0.02      /* of the time */
#define END_SAMPLES 2 /* at least */
#define WINDOWS_MOST 24
#define SAMPLES_NEEDED 2  /* in a window */
#define TOOTH 0.35        /* of the range around the line: a rise or fall that counts */
#define GAP_QUANTILE 0.75 /* of the times between troughs: these windows hold one */
#define GAP_MARGIN 1.05
#define STILL_RISES 0.33         /* of the slope, in the last quarter */
#define END_MINIMA 4             /* to judge a quarter by itself */
#define DEVIATION 1.48           /* of values, from their median absolute residual */
#define DEVIATION_OF_MEDIAN 1.86 /* of a median, from the median absolute residual */

/* The samples to use, and what is found on the way. */
typedef struct growing {
    const mprof_sample *samples;
    size_t count;
    double from_s, to_s;
    mprof_sample minima[WINDOWS_MOST];
    double x[WINDOWS_MOST], y[WINDOWS_MOST]; /* minutes from from_s, MiB */
    size_t minimum_count;
    double *gaps; /* owned; seconds between troughs */
    size_t gap_count, gap_capacity;
} growing;

static void leave_out_ends(growing *g)
{
    if (g->count <= END_SAMPLES) {
        g->count = 0;
        return;
    }
    double first_s = g->samples[0].time_s, last_s = g->samples[g->count - 1].time_s;
    g->from_s = first_s + (last_s - first_s) * WARM_UP;
    g->to_s = last_s - (last_s - first_s) * END;
    g->count -= END_SAMPLES;
    while (g->count > 0 && g->samples[g->count - 1].time_s > g->to_s) {
        g->count--;
    }
    while (g->count > 0 && g->samples[0].time_s < g->from_s) {
        g->samples++;
        g->count--;
    }
    if (g->count > 0) {
        g->to_s = g->samples[g->count - 1].time_s;
    }
}

static void find_minima(growing *g, size_t windows)
{
    g->minimum_count =
        mprof__window_minima(g->minima, windows, g->samples, g->count, g->from_s, g->to_s);
    for (size_t i = 0; i < g->minimum_count; i++) {
        g->x[i] = (g->minima[i].time_s - g->from_s) / 60;
        g->y[i] = g->minima[i].mib;
    }
}

/* How far samples spread around the line, without the most extreme ones. */
static int find_range(const growing *g, const mprof__robust_line *line, double *range_mib)
{
    double *residuals = malloc(g->count * sizeof *residuals);
    if (!residuals) {
        return -1;
    }
    for (size_t i = 0; i < g->count; i++) {
        residuals[i] = g->samples[i].mib - line->slope * (g->samples[i].time_s - g->from_s) / 60;
    }
    mprof__sort_values(residuals, g->count);
    *range_mib =
        mprof__quantile(residuals, g->count, 0.95) - mprof__quantile(residuals, g->count, 0.05);
    free(residuals);
    return 0;
}

static int add_gap(growing *g, double gap_s)
{
    double *gaps = mprof__array_grow(g->gaps, g->gap_count, &g->gap_capacity, sizeof *gaps);
    if (!gaps) {
        return -1;
    }
    g->gaps = gaps;
    gaps[g->gap_count++] = gap_s;
    return 0;
}

/* Lists the times between troughs: lowest points between a fall and a rise of `tooth_mib`. The
 * parts before the first and after the last one count too, since a tooth may be that long. */
static int find_gaps(growing *g, double tooth_mib)
{
    double before_s = g->from_s;
    mprof_sample highest = g->samples[0], lowest = g->samples[0];
    bool falls = false;
    size_t troughs = 0;
    for (size_t i = 1; i < g->count; i++) {
        mprof_sample sample = g->samples[i];
        if (falls && sample.mib >= lowest.mib + tooth_mib) {
            if (add_gap(g, lowest.time_s - before_s) != 0) {
                return -1;
            }
            before_s = lowest.time_s;
            troughs++;
            falls = false;
            highest = sample;
        } else if (falls) {
            lowest = sample.mib <= lowest.mib ? sample : lowest;
        } else if (sample.mib <= highest.mib - tooth_mib) {
            falls = true;
            lowest = sample;
        } else if (sample.mib > highest.mib) {
            highest = sample;
        }
    }
    return troughs > 0 ? add_gap(g, g->to_s - before_s) : 0;
}

/* The number of windows of which most hold a trough. 0, or -1 without memory. */
static int choose_windows(growing *g, size_t *windows)
{
    mprof__robust_line line;
    double range_mib;
    *windows = g->count / SAMPLES_NEEDED;
    *windows = *windows < WINDOWS_MOST ? *windows : WINDOWS_MOST;
    if (*windows < MPROF__GROWTH_WINDOWS_NEEDED || !(g->to_s > g->from_s)) {
        return 0;
    }
    find_minima(g, *windows);
    if (mprof__theil_sen(&line, g->x, g->y, g->minimum_count) != 0 ||
        find_range(g, &line, &range_mib) != 0) {
        return -1;
    }
    if (!(range_mib > 0)) {
        return 0;
    }
    if (find_gaps(g, range_mib * TOOTH) != 0) {
        return -1;
    }
    if (g->gap_count > 0) {
        mprof__sort_values(g->gaps, g->gap_count);
        double gap_s = mprof__quantile(g->gaps, g->gap_count, GAP_QUANTILE) * GAP_MARGIN;
        double most = gap_s > 0 ? (g->to_s - g->from_s) / gap_s : WINDOWS_MOST;
        *windows = most < (double)*windows ? (size_t)most : *windows;
    }
    return 0;
}

static double mean(const double *values, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin; i < end; i++) {
        sum += values[i];
    }
    return sum / (double)(end - begin);
}

/* How far values are from their median; reorders them. */
static double spread(double *values, size_t count, double median)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = fabs(values[i] - median);
    }
    return mprof__median(values, count);
}

/* From the third quarter of the minima to the last. Reorders y. */
static void find_late_slope(growing *g, mprof__growth *growth)
{
    size_t count = g->minimum_count, half = count / 2, last = count - (count - half) / 2;
    double minutes = mean(g->x, last, count) - mean(g->x, half, last);
    double *third = g->y + half, *fourth = g->y + last;
    double before = mprof__median(third, last - half), after = mprof__median(fourth, count - last);
    double deviation = DEVIATION_OF_MEDIAN * fmax(spread(third, last - half, before),
                                                  spread(fourth, count - last, after));
    growth->late_mib_per_min = (after - before) / minutes;
    growth->late_margin =
        3 * deviation * sqrt(1.0 / (double)(last - half) + 1.0 / (double)(count - last)) / minutes;
}

/* The slope of minima [begin, end) and how far they spread around that line. 0, or -1 without
 * memory. */
static int find_part(const growing *g, size_t begin, size_t end, mprof__robust_line *line,
                     double *deviation)
{
    double residuals[WINDOWS_MOST];
    if (mprof__theil_sen(line, g->x + begin, g->y + begin, end - begin) != 0) {
        return -1;
    }
    for (size_t i = begin; i < end; i++) {
        residuals[i - begin] = fabs(g->y[i] - line->offset - line->slope * g->x[i]);
    }
    double count = (double)(end - begin);
    *deviation = DEVIATION * mprof__median(residuals, end - begin) * count / (count - 2);
    return 0;
}

/* Whether memory surely does not rise by the limit within the last quarter. What its minima spread
 * by is judged with the quarter before: a few of them may agree by chance. 0, or -1 without memory.
 */
static int find_end(const growing *g, mprof__growth *growth)
{
    size_t count = g->minimum_count, last = count - (count + 2) / 4, third = 2 * last - count;
    mprof__robust_line line, before;
    double deviation, deviation_before;
    growth->end_highest = INFINITY;
    if (count - last < END_MINIMA) {
        return 0;
    }
    if (find_part(g, last, count, &line, &deviation) != 0 ||
        find_part(g, third, last, &before, &deviation_before) != 0) {
        return -1;
    }
    double minutes = g->x[count - 1] - g->x[last];
    growth->end_highest = line.slope + 3 * fmax(deviation, deviation_before) * sqrt(12) /
                                           (minutes * sqrt((double)(count - last)));
    return 0;
}

static int find_slope(growing *g, mprof__growth *growth)
{
    mprof__robust_line line;
    mprof__interval interval;
    find_minima(g, growth->windows);
    growth->windows = g->minimum_count; /* a pause of the recording leaves some empty */
    if (g->minimum_count < MPROF__GROWTH_WINDOWS_NEEDED) {
        return 0;
    }
    if (mprof__theil_sen(&line, g->x, g->y, g->minimum_count) != 0 ||
        mprof__bootstrap_slope(&interval, g->x, g->y, g->minimum_count, &line,
                               MPROF__GROWTH_CONFIDENCE) != 0) {
        return -1;
    }
    growth->mib_per_min = line.slope;
    growth->low = interval.low;
    growth->high = interval.high;
    if (find_end(g, growth) != 0) {
        return -1;
    }
    find_late_slope(g, growth);
    return 0;
}

int mprof__growth_find(mprof__growth *growth, const mprof_sample *samples, size_t count)
{
    growing g = {.samples = samples, .count = count};
    *growth = (mprof__growth){.mib_per_min = NAN, .low = NAN, .high = NAN, .late_mib_per_min = NAN};
    leave_out_ends(&g);
    if (g.count == 0) {
        return 0;
    }
    growth->from_s = g.from_s;
    growth->to_s = g.to_s;
    growth->windows_most = g.count / SAMPLES_NEEDED;
    int failed = choose_windows(&g, &growth->windows);
    if (failed == 0 && growth->windows >= MPROF__GROWTH_WINDOWS_NEEDED) {
        failed = find_slope(&g, growth);
    }
    free(g.gaps);
    return failed;
}

mprof__verdict mprof__growth_judge(const mprof__growth *growth, double limit_mib_per_min,
                                   const char **reason)
{
    *reason = "";
    if (isnan(growth->mib_per_min)) {
        *reason = "too short, or too few troughs";
        return MPROF__INCONCLUSIVE;
    }
    if (growth->high <= limit_mib_per_min) {
        return MPROF__PASSED;
    }
    double late = fmin(growth->late_mib_per_min, growth->end_highest);
    bool rises = late > growth->mib_per_min * STILL_RISES;
    if (growth->low > limit_mib_per_min && rises) {
        return MPROF__FAILED;
    }
    if (growth->late_mib_per_min + growth->late_margin <= limit_mib_per_min ||
        growth->end_highest <= limit_mib_per_min * STILL_RISES) {
        *reason = "it rose, but no longer in the last quarter";
        return MPROF__PASSED;
    }
    *reason = growth->low > limit_mib_per_min
                  ? "it rose, perhaps not in the last quarter: record longer"
                  : "the interval includes the limit: record longer";
    return MPROF__INCONCLUSIVE;
}
