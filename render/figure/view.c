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

void mprof__choose_memory_range(mprof__layout *layout)
{
    mprof__range range = mprof__widen_by_control_group(layout, memory_range(layout));
    mprof__range axis = mprof__memory_axis(layout, range);
    const double *wanted = layout->options->memory_mib;
    layout->highest_mib = range.high;
    if (wanted[1] > wanted[0]) {
        axis = (mprof__range){wanted[0], wanted[1]};
        layout->highest_mib = wanted[1];
    }
    layout->memory = (mprof__scale){axis.low, axis.high, layout->plot.y + layout->plot.height,
                                    -layout->plot.height};
}
