/* A sum of processes is at least what one of them had. Samples of a sum are an interval apart, so
 * the memory that a function measured in between, or a high-water mark of the kernel, may be above
 * all of them. Then the curve is raised where the time is known, and the heading gives the better
 * bound. */
#include "bounds.h"

#include "curve.h"
#include "format_units.h"
#include "memory_kind_curves.h"
#include "process_curves.h"

#include "parse/series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *mprof__bound_text(char *text, size_t size, mprof_unit unit, mprof__bound bound)
{
    char memory[40];
    snprintf(text, size, "%s%s", bound.is_at_least ? "\xE2\x89\xA5 " : "",
             mprof__memory_text_in(memory, sizeof memory, unit, bound.mib));
    return text;
}

bool mprof__is_same_memory(double a_mib, double b_mib)
{
    char a[40], b[40];
    return a_mib == b_mib || strcmp(mprof__memory_text(a, sizeof a, a_mib),
                                    mprof__memory_text(b, sizeof b, b_mib)) == 0;
}

bool mprof__has_kernel_marks(const mprof__layout *layout, const mprof__figure_input *input)
{
    const double *window = layout->options->window_s;
    return window[0] == 0 && window[1] == 0 &&
           mprof_profile_measured_kind(input->profile) == MPROF_KIND_RSS;
}

/* ---- curves ---- */

struct proofs {
    const mprof_series *series; /* the sum */
    double from_s, to_s;        /* what is shown, in unix seconds */
    mprof_sample *samples;      /* owned */
    size_t count, room;
};

/* The curve at a moment; before its first and after its last point, the value there. */
static double value_at(const mprof_series *series, double time_s)
{
    size_t next = mprof__first_point_from(series, time_s);
    const mprof_sample *points = series->points;
    if (next == series->point_count) {
        return next ? points[next - 1].mib : 0;
    }
    if (next == 0 || points[next].time_s <= time_s) {
        /* of several points at this time, the highest */
        double highest = points[next].mib;
        for (; next < series->point_count && points[next].time_s <= time_s; next++) {
            highest = fmax(highest, points[next].mib);
        }
        return highest;
    }
    mprof_sample before = points[next - 1], after = points[next];
    return before.mib +
           (after.mib - before.mib) * (time_s - before.time_s) / (after.time_s - before.time_s);
}

static bool add_proof(struct proofs *proofs, mprof_sample sample)
{
    if (sample.time_s < proofs->from_s || sample.time_s > proofs->to_s ||
        (proofs->series->sample_count && sample.mib <= proofs->series->lowest_mib) ||
        sample.mib <= value_at(proofs->series, sample.time_s)) {
        return true;
    }
    if (proofs->count == proofs->room) {
        size_t room = proofs->room * 2 + 64;
        mprof_sample *grown = realloc(proofs->samples, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        proofs->samples = grown;
        proofs->room = room;
    }
    proofs->samples[proofs->count++] = sample;
    return true;
}

static int by_time(const void *a, const void *b)
{
    const mprof_sample *x = a, *y = b;
    if (x->time_s != y->time_s) {
        return x->time_s < y->time_s ? -1 : 1;
    }
    return (x->mib < y->mib) - (x->mib > y->mib);
}

/* Merges the series with the proofs; of a time that both have, the higher value counts. */
static bool raise(mprof_series *raised, mprof_sample **owned, struct proofs *proofs)
{
    const mprof_series *series = proofs->series;
    mprof_sample *points = malloc((series->point_count + proofs->count + 1) * sizeof *points);
    size_t count = 0, next = 0;
    if (!points) {
        return false;
    }
    qsort(proofs->samples, proofs->count, sizeof *proofs->samples, by_time);
    *raised = *series;
    for (size_t i = 0; i <= series->point_count; i++) {
        bool is_end = i == series->point_count;
        for (; next < proofs->count &&
               (is_end || proofs->samples[next].time_s < series->points[i].time_s);
             next++) {
            if (!count || points[count - 1].time_s != proofs->samples[next].time_s) {
                points[count++] = proofs->samples[next];
            }
        }
        if (is_end) {
            break;
        }
        points[count] = series->points[i];
        for (; next < proofs->count && proofs->samples[next].time_s == points[count].time_s;
             next++) {
            points[count].mib = fmax(points[count].mib, proofs->samples[next].mib);
        }
        count++;
    }
    for (size_t i = 0; i < proofs->count; i++) {
        if (!(proofs->samples[i].mib <= raised->peak.mib)) {
            raised->peak = proofs->samples[i];
        }
    }
    raised->points = points;
    raised->point_count = count;
    *owned = points;
    return true;
}

/* Raises `series` by the entry and exit values of recorded calls, and by the samples of `more`. */
static mprof_status raise_series(const mprof__layout *layout, const mprof__figure_input *input,
                                 const mprof_series *series, const mprof_series *more,
                                 mprof_series *raised, mprof_sample **owned)
{
    struct proofs proofs = {.series = series,
                            .from_s = input->start_s + layout->from_s,
                            .to_s = input->start_s + layout->to_s};
    bool good = true;
    if (!series->point_count) {
        return MPROF_OK;
    }
    for (size_t i = 0; good && i < input->span_count; i++) {
        good = input->spans[i].sampled_s > 0 || (add_proof(&proofs, input->spans[i].enter) &&
                                                 add_proof(&proofs, input->spans[i].exit));
    }
    for (size_t i = 0; good && more && i < more->point_count; i++) {
        good = add_proof(&proofs, more->points[i]);
    }
    if (good && proofs.count) {
        good = raise(raised, owned, &proofs);
    }
    free(proofs.samples);
    return good ? MPROF_OK : MPROF_ENOMEM;
}

/* ---- peaks ---- */

static void raise_bound(mprof__bound *bound, double mib)
{
    if (mib > bound->mib) {
        if (!mprof__is_same_memory(mib, bound->mib)) {
            *bound = (mprof__bound){.is_at_least = true};
        }
        bound->mib = mib;
    }
}

/* Raises the bound of a sum by all that is known of single processes. */
static void raise_by_parts(mprof__bound *bound, const mprof__layout *layout,
                           const mprof__figure_input *input)
{
    bool has_marks = mprof__has_kernel_marks(layout, input);
    mprof_kind measured = mprof_profile_measured_kind(input->profile);
    for (size_t i = 0; i < input->process_count; i++) {
        const mprof_process *process = &input->processes[i];
        if (process->series.sample_count) {
            raise_bound(bound, process->series.peak.mib);
        }
        if (has_marks) {
            raise_bound(bound, process->kernel_peak_mib);
        }
    }
    if (has_marks) {
        raise_bound(bound, mprof_profile_other_kernel_peak(input->profile));
    }
    for (size_t i = 0; i < input->function_count; i++) {
        if (input->function_colours[i] != MPROF_COLOUR_NONE) {
            raise_bound(bound, input->functions[i].peak_mib);
        }
    }
    raise_bound(bound, mprof_profile_kind_peak(input->profile, measured, 1));
}

static mprof_status find_sum_bounds(const mprof__layout *layout, mprof__figure_input *input)
{
    const mprof_series *totals = &mprof_profile_ticks(input->profile, 1)->total;
    mprof_status status = raise_series(layout, input, input->line, totals, &input->raised_line,
                                       &input->raised_points);
    input->peak.mib = input->line->sample_count ? input->line->peak.mib : 0;
    if (status == MPROF_OK && input->raised_points) {
        raise_bound(&input->peak, input->raised_line.peak.mib);
        input->line = &input->raised_line;
    }
    raise_by_parts(&input->peak, layout, input);
    return status;
}

/* True if there is memory of others than the main process: samples, calls or marks. */
static bool has_other_processes(const mprof__layout *layout, const mprof__figure_input *input)
{
    bool has_marks = mprof__has_kernel_marks(layout, input);
    for (size_t i = 1; i < input->process_count; i++) {
        const mprof_process *process = &input->processes[i];
        if (process->series.sample_count || (has_marks && process->kernel_peak_mib > 0)) {
            return true;
        }
    }
    if (has_marks && mprof_profile_other_kernel_peak(input->profile) > input->peak.mib) {
        return true;
    }
    mprof_kind measured = mprof_profile_measured_kind(input->profile);
    if (mprof_profile_kind_peak(input->profile, measured, 1) >
        mprof_profile_kind_peak(input->profile, measured, 0)) {
        return true;
    }
    for (size_t i = 0; i < input->span_count; i++) {
        if (input->spans[i].process && input->function_colours[input->spans[i].function] >= 0) {
            return true;
        }
    }
    return false;
}

/* The curve is the main process alone; the sum of all is known where the others were sampled. */
static mprof_status find_main_bounds(const mprof__layout *layout, mprof__figure_input *input)
{
    const mprof_process *main = &input->processes[0];
    mprof_status status = MPROF_OK;
    input->peak.mib = input->line->sample_count ? input->line->peak.mib : 0;
    if (mprof__has_kernel_marks(layout, input) && main->kernel_peak_mib > input->peak.mib &&
        !mprof__is_same_memory(main->kernel_peak_mib, input->peak.mib)) {
        input->peak = (mprof__bound){.mib = main->kernel_peak_mib,
                                     .is_at_least = main->kernel_peak_at_least != 0,
                                     .is_kernel_mark = true};
    }
    raise_bound(&input->peak, mprof_profile_kind_peak(
                                  input->profile, mprof_profile_measured_kind(input->profile), 0));
    input->is_part = has_other_processes(layout, input);
    if (!input->is_part) {
        return MPROF_OK;
    }
    status = raise_series(layout, input, &input->total, NULL, &input->raised_line,
                          &input->raised_points);
    input->total_peak.mib = input->total.sample_count ? input->total.peak.mib : 0;
    if (status == MPROF_OK && input->raised_points) {
        raise_bound(&input->total_peak, input->raised_line.peak.mib);
        input->total = input->raised_line;
    }
    input->total_peak.is_at_least = input->total_peak.is_at_least || !input->total.sample_count;
    raise_bound(&input->total_peak, input->peak.mib);
    raise_by_parts(&input->total_peak, layout, input);
    return status;
}

mprof_status mprof__find_bounds(const mprof__layout *layout, mprof__figure_input *input)
{
    return input->main_is_sum ? find_sum_bounds(layout, input) : find_main_bounds(layout, input);
}

void mprof__free_bounds(mprof__figure_input *input)
{
    free(input->raised_points);
}
