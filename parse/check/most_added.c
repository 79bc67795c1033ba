/* A call's memory is that of its process. */
#include "most_added.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The highest of points[0..count) in each part of a binary tree, so that the highest between two
 * times is found in logarithmic time, however many calls there are. */
typedef struct heights {
    mprof_sample *points; /* owned; by time */
    size_t count;
    size_t *highest; /* owned; tree: leaf i is node count + i, node n covers 2n and 2n + 1 */
} heights;

static int compare_samples(const void *a, const void *b)
{
    const mprof_sample *left = a, *right = b;
    return (left->time_s > right->time_s) - (left->time_s < right->time_s);
}

static size_t higher(const heights *h, size_t a, size_t b)
{
    return h->points[b].mib > h->points[a].mib ? b : a;
}

/* spans[0..count) are all of one process. */
static int gather_heights(heights *h, const mprof_series *series, const mprof_span *spans,
                          size_t count)
{
    h->count = series->point_count + 2 * count;
    h->points = malloc((h->count + 1) * sizeof *h->points);
    h->highest = malloc((2 * h->count + 1) * sizeof *h->highest);
    if (!h->points || !h->highest) {
        return -1;
    }
    if (series->point_count > 0) {
        memcpy(h->points, series->points, series->point_count * sizeof *h->points);
    }
    for (size_t i = 0; i < count; i++) {
        h->points[series->point_count + 2 * i] = spans[i].enter;
        h->points[series->point_count + 2 * i + 1] = spans[i].exit;
    }
    qsort(h->points, h->count, sizeof *h->points, compare_samples);
    for (size_t i = 0; i < h->count; i++) {
        h->highest[h->count + i] = i;
    }
    for (size_t node = h->count; node-- > 1;) {
        h->highest[node] = higher(h, h->highest[2 * node], h->highest[2 * node + 1]);
    }
    return 0;
}

static size_t first_from(const heights *h, double time_s, bool behind)
{
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before =
            behind ? h->points[middle].time_s <= time_s : h->points[middle].time_s < time_s;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    return low;
}

/* The highest point within a call, which has at least its own two. */
static mprof_sample highest_within(const heights *h, const mprof_span *span)
{
    size_t low = first_from(h, span->enter.time_s, false), found = low;
    size_t high = first_from(h, span->exit.time_s, true);
    for (low += h->count, high += h->count; low < high; low /= 2, high /= 2) {
        if (low & 1) {
            found = higher(h, found, h->highest[low++]);
        }
        if (high & 1) {
            found = higher(h, found, h->highest[--high]);
        }
    }
    return h->points[found];
}

/* The memory of a call is that of its process; where MEM is a sum, that of the main process alone
 * is known from its calls only, unless it had no children. */
static const mprof_series *series_of(const mprof_profile *profile, uint32_t process)
{
    static const mprof_series none;
    size_t count;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    if (process == 0 && mprof_profile_mem_is_sum(profile)) {
        return count == 1 ? mprof_profile_line(profile) : &none;
    }
    return &processes[process].series;
}

/* Raises most[] by the calls of one process. */
static int measure_calls(mprof_sample *most, const bool *is_wanted, const mprof_profile *profile,
                         const mprof_span *spans, size_t count)
{
    heights h = {0};
    bool has_one = !is_wanted;
    for (size_t i = 0; i < count && !has_one; i++) {
        has_one = is_wanted[spans[i].function];
    }
    if (!has_one) {
        return 0;
    }
    int failed = gather_heights(&h, series_of(profile, spans->process), spans, count);
    for (size_t i = 0; i < count && failed == 0; i++) {
        if (!is_wanted || is_wanted[spans[i].function]) {
            mprof_sample highest = highest_within(&h, &spans[i]);
            double added = highest.mib - spans[i].enter.mib;
            if (!(added <= most[spans[i].function].mib)) {
                most[spans[i].function] = (mprof_sample){added, highest.time_s};
            }
        }
    }
    free(h.points);
    free(h.highest);
    return failed;
}

int mprof__most_added_find(mprof_sample *most, const bool *is_wanted, const mprof_profile *profile)
{
    size_t count, function_count;
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    int failed = 0;
    mprof_profile_functions(profile, &function_count);
    for (size_t i = 0; i < function_count; i++) {
        most[i] = (mprof_sample){NAN, NAN};
    }
    for (size_t begin = 0, end; begin < count && failed == 0; begin = end) {
        for (end = begin; end < count && spans[end].process == spans[begin].process;) {
            end++;
        }
        failed = measure_calls(most, is_wanted, profile, spans + begin, end - begin);
    }
    return failed;
}
