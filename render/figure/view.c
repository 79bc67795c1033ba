/* Chooses the ranges of time and memory from the options and the recordings. */
#include "view.h"

#include "control_group_curve.h"
#include "layout.h"
#include "memory_kind_curves.h"
#include "notes.h"

#include <math.h>

mprof_status mprof__choose_time_range(mprof__layout *layout, mprof_error *error)
{
    const double *window = layout->options->window_s;
    layout->from_s = 0;
    layout->to_s = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        layout->to_s = fmax(layout->to_s, mprof_profile_end_s(layout->inputs[r].profile) -
                                              layout->inputs[r].start_s);
    }
    if (layout->options->log && (layout->options->stack || layout->options->slope)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "a logarithmic axis shows neither a stack nor a slope");
    }
    if (layout->options->log && layout->options->memory_mib[1] > 0 &&
        !(layout->options->memory_mib[0] > 0)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "a logarithmic axis must begin above 0, not at %g MiB",
                               layout->options->memory_mib[0]);
    }
    if (window[0] != 0 || window[1] != 0) {
        layout->from_s = window[0];
        layout->to_s = window[1];
        if (!(window[1] > window[0])) {
            return mprof_error_set(
                error, MPROF_EARGUMENT,
                "the window must end after it begins, not run from %g to %g seconds", window[0],
                window[1]);
        }
    }
    if (!(layout->to_s > layout->from_s)) {
        layout->to_s = layout->from_s + 1; /* a single sample */
    }
    return MPROF_OK;
}

/* Of all that is drawn on the memory axis but the control group. */
static mprof__range memory_range(const mprof__layout *layout)
{
    mprof__range range = {INFINITY, 0};
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        mprof__widen_by_series(&range, layout, input, input->line);
        mprof__widen_by_series(&range, layout, input, &input->total);
        mprof__widen_by_series(&range, layout, input, &input->outline);
        for (size_t i = 1; i < input->process_count; i++) {
            mprof__widen_by_series(&range, layout, input, &input->processes[i].series);
        }
        mprof__kind_curve kind = {.series = NULL};
        while (mprof__next_kind(layout, input, &kind)) {
            mprof__widen_by_series(&range, layout, input, kind.series);
        }
        for (size_t i = 0; !layout->options->flame && i < input->shown_count; i++) {
            const mprof_span *span = &input->spans[input->shown[i]];
            if (span->enter.time_s - input->start_s >= layout->from_s) {
                mprof__widen(&range, span->enter.mib);
            }
            if (span->exit.time_s - input->start_s <= layout->to_s) {
                mprof__widen(&range, span->exit.mib);
            }
        }
    }
    range = mprof__widen_by_notes(layout, range);
    if (!isfinite(range.low)) {
        range.low = 0;
    }
    if (!(range.high > 0)) {
        range.high = 1.0 / 1024;
    }
    return range;
}

static void find_lowest(double *lowest, const mprof__layout *layout,
                        const mprof__figure_input *input, const mprof_series *series)
{
    double from = mprof__recording_time_s(input, layout->from_s);
    double to = mprof__recording_time_s(input, layout->to_s);
    for (size_t i = 0; i < series->point_count; i++) {
        const mprof_sample *point = &series->points[i];
        if (point->time_s >= from && point->time_s <= to && point->mib > 0) {
            *lowest = fmin(*lowest, point->mib);
        }
    }
}

static void find_lowest_of_calls(double *lowest, const mprof__layout *layout,
                                 const mprof__figure_input *input)
{
    for (size_t i = 0; !layout->options->flame && i < input->shown_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        const mprof_sample ends[] = {span->enter, span->exit};
        for (size_t end = 0; end < 2; end++) {
            double time_s = ends[end].time_s - input->start_s;
            if (time_s >= layout->from_s && time_s <= layout->to_s && ends[end].mib > 0) {
                *lowest = fmin(*lowest, ends[end].mib);
            }
        }
    }
}

/* Of all that is drawn, above 0; infinite if there is nothing. */
static double lowest_positive(const mprof__layout *layout)
{
    double lowest = INFINITY;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        find_lowest(&lowest, layout, input, input->line);
        for (size_t i = 1; i < input->process_count; i++) {
            find_lowest(&lowest, layout, input, &input->processes[i].series);
        }
        mprof__kind_curve kind = {.series = NULL};
        while (mprof__next_kind(layout, input, &kind)) {
            find_lowest(&lowest, layout, input, kind.series);
        }
        find_lowest_of_calls(&lowest, layout, input);
    }
    for (size_t i = 0; i < layout->options->note_count; i++) {
        const mprof_note *note = &layout->options->notes[i];
        if (note->kind != MPROF_NOTE_MARK && note->at > 0) {
            lowest = fmin(lowest, note->at);
        }
    }
    return lowest;
}

void mprof__choose_memory_range(mprof__layout *layout)
{
    mprof__range range = mprof__widen_by_control_group(layout, memory_range(layout));
    bool is_log = layout->options->log != 0;
    mprof__range axis = is_log ? mprof__log_memory_axis(layout, lowest_positive(layout), range.high)
                               : mprof__memory_axis(layout, range);
    mprof__set_memory_scale(layout, axis, range.high);
}
