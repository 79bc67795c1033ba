/* Reduces any number of samples to a curve of bounded size that keeps every extreme.
 *
 * Up to max_points samples are kept. Beyond that, time is divided into bins, and the first, lowest,
 * highest and last sample of each bin are kept; when a time falls outside of the bins, they become
 * twice as wide. So a picture drawn from the points has the same envelope as one of all samples, at
 * any width below the number of bins. */
#include "curve.h"

#include "array.h"
#include "extremes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_PER_BIN = 4, FEWEST_BINS = 16 };

/* ---- statistics ---- */

static void begin_totals(mprof__totals *totals, mprof_sample first)
{
    totals->first_s = totals->last_s = first.time_s;
    totals->lowest_mib = first.mib;
    totals->peak = first;
    totals->shift = first;
}

void mprof__totals_push(mprof__totals *totals, const mprof_sample *samples, size_t count)
{
    /* Sums of a few hundred in double, sums of those in long double: fast, and exact enough for the
     * slope over 1e9 samples. */
    enum { PART = 512 };
    if (totals->count == 0 && count > 0) {
        begin_totals(totals, samples[0]);
    }
    totals->count += count;
    while (count > 0) {
        size_t part = count < PART ? count : PART;
        double time = 0, memory = 0, time_time = 0, time_memory = 0;
        for (size_t i = 0; i < part; i++) {
            mprof_sample sample = samples[i];
            double x = sample.time_s - totals->shift.time_s;
            double y = sample.mib - totals->shift.mib;
            time += x;
            memory += y;
            time_time += x * x;
            time_memory += x * y;
            totals->first_s = sample.time_s < totals->first_s ? sample.time_s : totals->first_s;
            totals->last_s = sample.time_s > totals->last_s ? sample.time_s : totals->last_s;
            totals->lowest_mib = sample.mib < totals->lowest_mib ? sample.mib : totals->lowest_mib;
            if (sample.mib >= totals->peak.mib &&
                (sample.mib > totals->peak.mib || sample.time_s < totals->peak.time_s)) {
                totals->peak = sample;
            }
        }
        totals->time += time;
        totals->memory += memory;
        totals->time_time += time_time;
        totals->time_memory += time_memory;
        samples += part;
        count -= part;
    }
}

void mprof__totals_describe(const mprof__totals *totals, mprof_series *series, double start_s)
{
    long double n = (long double)totals->count;
    series->sample_count = totals->count;
    series->first_s = totals->first_s;
    series->last_s = totals->last_s;
    series->lowest_mib = totals->lowest_mib;
    series->peak = totals->peak;
    if (totals->count == 0) {
        return;
    }
    long double mean_time = totals->time / n;
    long double mean_memory = totals->memory / n;
    long double spread = totals->time_time - totals->time * mean_time;
    long double together = totals->time_memory - totals->memory * mean_time;
    series->mean_mib = (double)(mean_memory + totals->shift.mib);
    long double slope = totals->first_s < totals->last_s && spread > 0 ? together / spread : 0;
    series->slope_mib_per_s = (double)slope;
    long double from_mean = (long double)start_s - totals->shift.time_s - mean_time;
    series->slope_offset_mib = (double)(mean_memory + totals->shift.mib + slope * from_mean);
}

/* ---- order ---- */

static bool is_sorted(const mprof_sample *samples, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (samples[i].time_s < samples[i - 1].time_s) {
            return false;
        }
    }
    return true;
}

static void merge_runs(mprof_sample *to, const mprof_sample *from, size_t start, size_t middle,
                       size_t end)
{
    size_t left = start, right = middle;
    for (size_t at = start; at < end; at++) {
        bool from_right = left == middle || (right < end && from[right].time_s < from[left].time_s);
        to[at] = from_right ? from[right++] : from[left++];
    }
}

int mprof__samples_sort(mprof_sample *samples, size_t count)
{
    if (is_sorted(samples, count)) {
        return 0;
    }
    mprof_sample *other = malloc(count * sizeof *other);
    if (!other) {
        return -1;
    }
    mprof_sample *from = samples, *to = other;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += 2 * run) {
            size_t middle = start + run < count ? start + run : count;
            size_t end = middle + run < count ? middle + run : count;
            merge_runs(to, from, start, middle, end);
        }
        mprof_sample *swap = from;
        from = to;
        to = swap;
    }
    if (from != samples) {
        memcpy(samples, from, count * sizeof *samples);
    }
    free(other);
    return 0;
}

/* ---- bins ---- */

static bool is_used(const mprof__bin *bin)
{
    return !isnan(bin->first.time_s);
}

static void clear_bins(mprof__bin *bins, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bins[i].first.time_s = NAN;
    }
}

/* Of equal values the earlier one wins. */
static bool is_lower(mprof_sample a, mprof_sample b)
{
    return a.mib < b.mib || (a.mib == b.mib && a.time_s < b.time_s);
}

static bool is_higher(mprof_sample a, mprof_sample b)
{
    return a.mib > b.mib || (a.mib == b.mib && a.time_s < b.time_s);
}

static void add_to_bin(mprof__bin *bin, mprof_sample sample)
{
    if (!is_used(bin)) {
        bin->first = bin->lowest = bin->highest = bin->last = sample;
        return;
    }
    if (sample.time_s >= bin->last.time_s) {
        bin->last = sample;
    } else if (sample.time_s < bin->first.time_s) {
        bin->first = sample;
    }
    if (is_lower(sample, bin->lowest)) {
        bin->lowest = sample;
    }
    if (is_higher(sample, bin->highest)) {
        bin->highest = sample;
    }
}

/* `later`: the samples that came later, or the bin to the right. */
static void join_bins(mprof__bin *bin, const mprof__bin *later)
{
    if (!is_used(later)) {
        return;
    }
    if (!is_used(bin)) {
        *bin = *later;
        return;
    }
    bin->last = later->last.time_s >= bin->last.time_s ? later->last : bin->last;
    bin->first = later->first.time_s < bin->first.time_s ? later->first : bin->first;
    bin->lowest = is_lower(later->lowest, bin->lowest) ? later->lowest : bin->lowest;
    bin->highest = is_higher(later->highest, bin->highest) ? later->highest : bin->highest;
}

/* Makes every bin twice as wide. */
static void widen_bins(mprof__curve *curve)
{
    double width = curve->width_s * 2;
    double origin = mprof__whole(curve->origin_s / width) * width;
    size_t offset = origin < curve->origin_s; /* the first bin is a right half */
    size_t count = (curve->bin_count + offset + 1) / 2;
    for (size_t i = 0; i < count; i++) {
        mprof__bin joined;
        clear_bins(&joined, 1);
        for (size_t half = 0; half < 2; half++) {
            size_t old = 2 * i + half - offset; /* wraps where there is no left half */
            if (old < curve->bin_count) {
                join_bins(&joined, &curve->bins[old]);
            }
        }
        curve->bins[i] = joined;
    }
    curve->bin_count = count;
    curve->width_s = width;
    curve->origin_s = origin;
}

/* Moves all bins to the right. */
static void shift_bins(mprof__curve *curve, size_t by)
{
    memmove(curve->bins + by, curve->bins, curve->bin_count * sizeof *curve->bins);
    clear_bins(curve->bins, by);
    curve->bin_count += by;
    curve->origin_s -= (double)by * curve->width_s;
}

/* Makes room for an earlier moment. */
static void extend_left(mprof__curve *curve, double time_s)
{
    while (time_s < curve->origin_s) {
        double needed = mprof__whole((curve->origin_s - time_s) / curve->width_s) + 1;
        size_t room = curve->bin_capacity - curve->bin_count;
        if (needed <= (double)room) {
            /* half of the room at once, else samples in reverse order would shift each time */
            size_t by = (size_t)needed;
            shift_bins(curve, by > room / 2 ? by : room / 2);
        } else {
            widen_bins(curve);
        }
    }
}

static mprof__bin *bin_of(mprof__curve *curve, double time_s)
{
    if (time_s < curve->origin_s) {
        extend_left(curve, time_s);
    }
    double index = (time_s - curve->origin_s) / curve->width_s;
    while (index >= (double)curve->bin_capacity) {
        widen_bins(curve);
        index = (time_s - curve->origin_s) / curve->width_s;
    }
    size_t at = (size_t)index;
    if (at >= curve->bin_count) {
        clear_bins(curve->bins + curve->bin_count, at + 1 - curve->bin_count);
        curve->bin_count = at + 1;
    }
    return &curve->bins[at];
}

static void push_to_bins(mprof__curve *curve, const mprof_sample *samples, size_t count)
{
    mprof__bin *bin = NULL;
    double from_s = 0, to_s = 0; /* range of `bin` */
    for (size_t i = 0; i < count; i++) {
        double time_s = samples[i].time_s;
        if (!(time_s >= from_s && time_s < to_s)) {
            bin = bin_of(curve, time_s);
            from_s = curve->origin_s + (double)(bin - curve->bins) * curve->width_s;
            to_s = from_s + curve->width_s;
        }
        add_to_bin(bin, samples[i]);
    }
}

/* A power of two that puts the present samples into at most half of the bins, and divides their
 * times exactly. */
static double first_width(double first_s, double last_s, size_t bins)
{
    double wanted = (last_s - first_s) / (double)(bins / 2);
    double finest = last_s * 0x1p-48;
    double width = 0x1p-30;
    while (width < wanted || width < finest) {
        width *= 2;
    }
    return width;
}

static int begin_bins(mprof__curve *curve)
{
    size_t bins = curve->max_points / POINTS_PER_BIN;
    curve->bin_capacity = bins < FEWEST_BINS ? FEWEST_BINS : bins;
    curve->bins = malloc(curve->bin_capacity * sizeof *curve->bins);
    if (!curve->bins) {
        return -1;
    }
    double first_s = curve->points[0].time_s, last_s = first_s;
    for (size_t i = 1; i < curve->point_count; i++) {
        first_s = mprof__smaller(first_s, curve->points[i].time_s);
        last_s = mprof__larger(last_s, curve->points[i].time_s);
    }
    curve->width_s = first_width(first_s, last_s, curve->bin_capacity);
    curve->origin_s = mprof__whole(first_s / curve->width_s) * curve->width_s;
    curve->bin_count = 0;
    push_to_bins(curve, curve->points, curve->point_count);
    free(curve->points);
    curve->points = NULL;
    curve->point_count = curve->point_capacity = 0;
    return 0;
}

static size_t write_bin(mprof_sample *to, const mprof__bin *bin)
{
    bool lowest_first = bin->lowest.time_s <= bin->highest.time_s;
    const mprof_sample candidates[POINTS_PER_BIN] = {
        bin->first, lowest_first ? bin->lowest : bin->highest,
        lowest_first ? bin->highest : bin->lowest, bin->last};
    size_t count = 0;
    for (size_t i = 0; i < POINTS_PER_BIN; i++) {
        if (count == 0 || candidates[i].time_s != to[count - 1].time_s ||
            candidates[i].mib != to[count - 1].mib) {
            to[count++] = candidates[i];
        }
    }
    return count;
}

static int write_bins(const mprof__curve *curve, mprof_sample **to, size_t *count)
{
    mprof_sample *points = malloc((POINTS_PER_BIN * curve->bin_count + 1) * sizeof *points);
    if (!points) {
        return -1;
    }
    *count = 0;
    for (size_t i = 0; i < curve->bin_count; i++) {
        if (is_used(&curve->bins[i])) {
            *count += write_bin(points + *count, &curve->bins[i]);
        }
    }
    *to = points;
    return 0;
}

static int finish_bins(mprof__curve *curve)
{
    if (write_bins(curve, &curve->points, &curve->point_count) != 0) {
        return -1;
    }
    free(curve->bins);
    curve->bins = NULL;
    return 0;
}

int mprof__curve_copy_points(const mprof__curve *curve, mprof_sample **points, size_t *count)
{
    if (curve->bins) {
        return write_bins(curve, points, count);
    }
    *points = malloc((curve->point_count + 1) * sizeof **points);
    if (!*points) {
        return -1;
    }
    if (curve->point_count > 0) {
        memcpy(*points, curve->points, curve->point_count * sizeof **points);
    }
    *count = curve->point_count;
    return 0;
}

/* ---- the curve ---- */

void mprof__curve_init(mprof__curve *curve, size_t max_points)
{
    memset(curve, 0, sizeof *curve);
    curve->max_points = max_points;
    curve->outside[0].time_s = curve->outside[1].time_s = NAN;
}

void mprof__curve_free(mprof__curve *curve)
{
    free(curve->points);
    free(curve->bins);
    curve->points = NULL;
    curve->bins = NULL;
}

bool mprof__curve_is_thinned(const mprof__curve *curve)
{
    return curve->bins != NULL;
}

static int push_exact(mprof__curve *curve, const mprof_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mprof_sample *points = mprof__array_grow(curve->points, curve->point_count,
                                                 &curve->point_capacity, sizeof *points);
        if (!points) {
            return -1;
        }
        curve->points = points;
        points[curve->point_count++] = samples[i];
    }
    return 0;
}

int mprof__curve_push_points(mprof__curve *curve, const mprof_sample *samples, size_t count)
{
    if (!curve->bins) {
        size_t room = count;
        if (curve->max_points > 0 && curve->point_count + count > curve->max_points) {
            /* the limit may have been lowered since */
            room =
                curve->point_count < curve->max_points ? curve->max_points - curve->point_count : 0;
        }
        if (push_exact(curve, samples, room) != 0) {
            return -1;
        }
        if (room == count) {
            return 0;
        }
        samples += room;
        count -= room;
        if (begin_bins(curve) != 0) {
            return -1;
        }
    }
    push_to_bins(curve, samples, count);
    return 0;
}

int mprof__curve_push(mprof__curve *curve, const mprof_sample *samples, size_t count)
{
    mprof__totals_push(&curve->totals, samples, count);
    return mprof__curve_push_points(curve, samples, count);
}

int mprof__curve_push_within(mprof__curve *curve, mprof_sample sample, double from_s, double to_s)
{
    mprof_sample *before = &curve->outside[0], *after = &curve->outside[1];
    if (sample.time_s >= from_s && sample.time_s <= to_s) {
        return mprof__curve_push(curve, &sample, 1);
    }
    if (sample.time_s < from_s && !(sample.time_s < before->time_s)) {
        *before = sample;
    }
    if (sample.time_s > to_s && !(sample.time_s >= after->time_s)) {
        *after = sample;
    }
    return 0;
}

size_t mprof__curve_outside(const mprof__curve *curve, int side)
{
    if (isnan(curve->outside[side].time_s)) {
        return 0;
    }
    return 1;
}

static int add_outside(mprof__curve *curve)
{
    size_t count = curve->point_count;
    size_t first = mprof__curve_outside(curve, 0), last = mprof__curve_outside(curve, 1);
    if (first + last == 0) {
        return 0;
    }
    mprof_sample *points = realloc(curve->points, (count + first + last) * sizeof *points);
    if (!points) {
        return -1;
    }
    memmove(points + first, points, count * sizeof *points);
    if (first) {
        points[0] = curve->outside[0];
    }
    if (last) {
        points[first + count] = curve->outside[1];
    }
    curve->points = points;
    curve->point_count = first + count + last;
    return 0;
}

int mprof__curve_finish(mprof__curve *curve, mprof_series *series, double start_s)
{
    memset(series, 0, sizeof *series);
    if (curve->bins && finish_bins(curve) != 0) {
        return -1;
    }
    if (mprof__samples_sort(curve->points, curve->point_count) != 0 || add_outside(curve) != 0) {
        return -1;
    }
    mprof__totals_describe(&curve->totals, series, start_s);
    series->points = curve->points;
    series->point_count = curve->point_count;
    curve->points = NULL;
    curve->point_count = curve->point_capacity = 0;
    return 0;
}
