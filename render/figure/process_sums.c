/* Sums are those of ticks: there all processes were sampled together, so a sum is true, and the
 * parts of a peak add up to it. Between two ticks values are known of some processes only: a
 * function measures that of its own. */
#include "process_sums.h"

#include "curve.h"
#include "gaps.h"
#include "layout.h"

#include "parse/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of a recording with more ticks, those with the lowest and the highest memory of each of half as
 * many stretches of time. */
#define MOMENTS_MAX 1200

/* ---- ticks ---- */

static void add_moment(mprof__figure_input *input, double time_s)
{
    if (!input->moment_count || time_s > input->moments[input->moment_count - 1]) {
        input->moments[input->moment_count++] = time_s;
    }
}

/* Adds the lowest and the highest of points[first, end). */
static void add_extremes(mprof__figure_input *input, size_t first, size_t end)
{
    const mprof_sample *points = input->line->points;
    size_t low = first, high = first;
    for (size_t i = first; i < end; i++) {
        low = points[i].mib < points[low].mib ? i : low;
        high = points[i].mib > points[high].mib ? i : high;
    }
    add_moment(input, points[low < high ? low : high].time_s);
    add_moment(input, points[low < high ? high : low].time_s);
}

/* Those in the window, and one before and after it. */
static mprof_status choose_moments(const mprof__layout *layout, mprof__figure_input *input)
{
    const mprof_series *line = input->line;
    double from = input->start_s + layout->from_s, to = input->start_s + layout->to_s;
    size_t first = mprof__first_point_from(line, from), end = first;
    while (end < line->point_count && line->points[end].time_s <= to) {
        end++;
    }
    first -= first > 0;
    end += end < line->point_count;
    size_t count = end - first;
    input->moments =
        malloc(((count < MOMENTS_MAX ? count : MOMENTS_MAX) + 8) * sizeof *input->moments);
    if (!input->moments) {
        return MPROF_ENOMEM;
    }
    if (count <= MOMENTS_MAX) {
        for (size_t i = first; i < end; i++) {
            add_moment(input, line->points[i].time_s);
        }
        return MPROF_OK;
    }
    double step_s = (to - from) / (MOMENTS_MAX / 2);
    input->bridged_s = 2.5 * step_s;
    add_moment(input, line->points[first].time_s);
    for (size_t i = first + 1; i + 1 < end;) {
        double bin = floor((line->points[i].time_s - from) / step_s);
        size_t begin = i;
        while (i + 1 < end && floor((line->points[i].time_s - from) / step_s) == bin) {
            i++;
        }
        add_extremes(input, begin, i);
    }
    add_moment(input, line->points[end - 1].time_s);
    return MPROF_OK;
}

/* The sum of all processes may be highest where their main one is not. There is room for it. */
static void insert_moment(mprof__figure_input *input, double time_s)
{
    size_t at = input->moment_count;
    while (at > 0 && input->moments[at - 1] > time_s) {
        at--;
    }
    if (at == 0 || at == input->moment_count || input->moments[at - 1] == time_s) {
        return;
    }
    memmove(input->moments + at + 1, input->moments + at,
            (input->moment_count - at) * sizeof *input->moments);
    input->moments[at] = time_s;
    input->moment_count++;
}

static size_t first_moment_from(const mprof__figure_input *input, double time_s)
{
    size_t low = 0, high = input->moment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (input->moments[middle] < time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- processes ---- */

/* Of a rank, a sample counts until the next one: ranks were not sampled together. */
static double held_mib_at(const mprof_series *series, size_t next, double at_s)
{
    bool is_sampled = next < series->point_count && series->points[next].time_s == at_s;
    return is_sampled ? series->points[next].mib : next > 0 ? series->points[next - 1].mib : 0;
}

/* A rank's main process is sampled at each tick of the rank. */
double mprof__held_until_s(bool *is_before, const mprof__figure_input *input, uint32_t process)
{
    size_t rank_count;
    const mprof_rank *ranks = mprof_profile_ranks(input->profile, &rank_count);
    const mprof_process *own = &input->processes[process];
    const mprof_series *series = &own->series;
    double last_s = series->point_count ? series->points[series->point_count - 1].time_s : NAN;
    *is_before = false;
    if (!(own->rank < rank_count) || isnan(last_s)) {
        return last_s;
    }
    const mprof_rank *rank = &ranks[own->rank];
    const mprof_series *main = &input->processes[rank->main].series;
    size_t next = rank->main ? mprof__first_point_from(main, last_s) : 0;
    while (rank->main && next < main->point_count && main->points[next].time_s <= last_s) {
        next++;
    }
    if (rank->main && next < main->point_count) {
        *is_before = true;
        return main->points[next].time_s;
    }
    double interval_s = series->sample_count > 1 ? (series->last_s - series->first_s) /
                                                       (double)(series->sample_count - 1)
                                                 : input->pauses.interval_s;
    bool is_main = rank->main == process;
    return fmax(last_s, is_main ? rank->end_s : fmin(rank->end_s, last_s + 1.5 * interval_s));
}

static void add_series(double *mib, uint32_t *running, const mprof__figure_input *input,
                       const mprof_series *series, bool is_held, double until_s, bool is_before)
{
    const mprof_sample *points = series->points;
    double interval_s = input->pauses.tick_s;
    /* only its life: there may be thousands of short processes */
    double begin_s = points[0].time_s - interval_s;
    double end_s = is_held ? until_s : points[series->point_count - 1].time_s;
    size_t next = 0;
    for (size_t i = first_moment_from(input, begin_s);
         i < input->moment_count && input->moments[i] <= end_s + interval_s; i++) {
        double at = input->moments[i];
        if (is_before && at >= until_s) {
            break;
        }
        while (next < series->point_count && points[next].time_s < at) {
            next++;
        }
        mib[i] += is_held ? held_mib_at(series, next, at)
                          : mprof__series_mib_at(&input->pauses, series, next, at, interval_s);
        if (running && at <= end_s) {
            running[i]++;
        }
    }
}

void mprof__add_process(double *mib, uint32_t *running, const mprof__figure_input *input,
                        uint32_t process)
{
    const mprof_series *series = &input->processes[process].series;
    bool is_held = mprof__is_merged(input), is_before = false;
    if (series->point_count) {
        double until_s = is_held ? mprof__held_until_s(&is_before, input, process) : NAN;
        add_series(mib, running, input, series, is_held, until_s, is_before);
    }
}

void mprof__add_others(double *mib, const mprof__figure_input *input)
{
    const mprof_series *others = input->others;
    if (others->point_count) {
        add_series(mib, NULL, input, others, mprof__is_merged(input),
                   others->points[others->point_count - 1].time_s, false);
    }
}

double mprof__line_mib_at(const mprof__figure_input *input, double time_s)
{
    size_t next = mprof__first_point_from(input->line, time_s);
    return input->line->point_count
               ? mprof__series_mib_at(&input->pauses, input->line, next, time_s, 0)
               : 0;
}

/* ---- their sum ---- */

/* The upper edge of a stack. */
static mprof_status make_outline(mprof__figure_input *input, const double *values)
{
    size_t count = input->moment_count;
    mprof_sample *points = malloc((count + 1) * sizeof *points);
    if (!points) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        points[i] = (mprof_sample){values[i], input->moments[i]};
    }
    input->outline = (mprof_series){.points = points, .point_count = count};
    input->outline_points = points;
    return MPROF_OK;
}

mprof_status mprof__sum_processes(const mprof__layout *layout, mprof__figure_input *input)
{
    if (!input->child_count && !layout->options->stack) {
        return MPROF_OK;
    }
    mprof_status status = choose_moments(layout, input);
    if (status != MPROF_OK) {
        return status;
    }
    insert_moment(input, mprof_profile_ticks(input->profile, 0)->total.peak.time_s);
    size_t count = input->moment_count;
    input->main_mib = calloc(count + 1, sizeof *input->main_mib);
    input->children_mib = calloc(count + 1, sizeof *input->children_mib);
    double *mem = calloc(count + 1, sizeof *mem);
    if (!input->main_mib || !input->children_mib || !mem) {
        free(mem);
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        mem[i] = mprof__line_mib_at(input, input->moments[i]);
    }
    for (size_t i = 0; i < input->child_count; i++) {
        mprof__add_process(input->children_mib, NULL, input, input->children[i]);
    }
    mprof__add_others(input->children_mib, input);
    for (size_t i = 0; i < count; i++) {
        double children = input->children_mib[i];
        input->main_mib[i] = mprof__is_merged(input) ? 0
                             : input->main_is_sum    ? fmax(0, mem[i] - children)
                                                     : mem[i];
        mem[i] = input->main_mib[i] + children;
    }
    if (input->child_count && !input->main_is_sum) {
        input->total = mprof_profile_ticks(input->profile, 0)->total;
    }
    if (input->child_count && layout->options->stack) {
        status = make_outline(input, mem);
    }
    free(mem);
    return status;
}

mprof_status mprof__main_without_children(const mprof__figure_input *input, mprof_series *series,
                                          mprof_sample **points)
{
    size_t count = input->moment_count;
    *points = malloc((count + 1) * sizeof **points);
    if (!*points) {
        return MPROF_ENOMEM;
    }
    *series = (mprof_series){.points = *points, .point_count = count, .sample_count = count};
    for (size_t i = 0; i < count; i++) {
        (*points)[i] = (mprof_sample){input->main_mib[i], input->moments[i]};
        if (i == 0 || input->main_mib[i] > series->peak.mib) {
            series->peak = (*points)[i];
        }
    }
    return MPROF_OK;
}

void mprof__free_process_sums(mprof__figure_input *input)
{
    free(input->moments);
    free(input->main_mib);
    free(input->children_mib);
    free(input->outline_points);
}
