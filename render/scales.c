/* The scales of time and memory: which part of the recordings the figure shows. */
#include "layout.h"

#include <math.h>

#define HEADROOM_PX 40.0 /* above the highest point, for the peak's name and brackets */

double mprof__scale_at(const mprof__scale *scale, double value)
{
    return scale->start + (value - scale->from) / (scale->to - scale->from) * scale->extent;
}

mprof_status mprof__choose_time(mprof__layout *layout, mprof_error *error)
{
    const double *window = layout->options->window_s;
    layout->from_s = 0;
    layout->to_s = 0;
    for (size_t r = 0; r < layout->recording_count; r++)
        layout->to_s = fmax(layout->to_s, mprof_profile_end_s(layout->recordings[r].profile) -
                                              layout->recordings[r].start_s);
    if (window[0] != 0 || window[1] != 0) {
        layout->from_s = window[0];
        layout->to_s = window[1];
        if (!(window[1] > window[0]))
            return mprof_error_set(error, MPROF_EARGUMENT, "the window ends before it begins");
    }
    if (!(layout->to_s > layout->from_s))
        layout->to_s = layout->from_s + 1; /* a single moment */
    return MPROF_OK;
}

void mprof__widen(mprof__range *range, double mib)
{
    range->low = fmin(range->low, mib);
    range->high = fmax(range->high, mib);
}

/* Where the line between two samples crosses the edge of the window, it is drawn up to there. */
static void widen_at_edge(mprof__range *range, const mprof_sample *before, double edge_s)
{
    const mprof_sample *after = before + 1;
    if (before->time_s < edge_s && after->time_s > edge_s)
        mprof__widen(range, before->mib + (after->mib - before->mib) * (edge_s - before->time_s) /
                                              (after->time_s - before->time_s));
}

void mprof__widen_by_series(mprof__range *range, const mprof__layout *layout,
                            const mprof__recording *recording, const mprof_series *series)
{
    double from = recording->start_s + layout->from_s, to = recording->start_s + layout->to_s;
    for (size_t i = 0; i < series->point_count; i++) {
        if (series->points[i].time_s >= from && series->points[i].time_s <= to)
            mprof__widen(range, series->points[i].mib);
        if (i + 1 < series->point_count) {
            widen_at_edge(range, &series->points[i], from);
            widen_at_edge(range, &series->points[i], to);
        }
    }
}

/* Everything but the control group that will be drawn against the memory axis and lies in the
 * window. */
static mprof__range memory_range(const mprof__layout *layout)
{
    mprof__range range = {INFINITY, 0};
    for (size_t r = 0; r < layout->recording_count; r++) {
        const mprof__recording *recording = &layout->recordings[r];
        mprof__widen_by_series(&range, layout, recording, recording->line);
        mprof__widen_by_series(&range, layout, recording, &recording->total);
        for (size_t i = 1; i < recording->process_count; i++)
            mprof__widen_by_series(&range, layout, recording, &recording->processes[i].series);
        mprof__kind_curve kind = {.series = NULL};
        while (mprof__next_kind(layout, recording, &kind))
            mprof__widen_by_series(&range, layout, recording, kind.series);
        for (size_t i = 0; !layout->options->flame && i < recording->shown_count; i++) {
            const mprof_span *span = &recording->spans[recording->shown[i]];
            if (span->enter.time_s - recording->start_s >= layout->from_s)
                mprof__widen(&range, span->enter.mib);
            if (span->exit.time_s - recording->start_s <= layout->to_s)
                mprof__widen(&range, span->exit.mib);
        }
    }
    if (!isfinite(range.low))
        range.low = 0;
    if (!(range.high > 0))
        range.high = 1.0 / 1024;
    return range;
}

/* The axis starts at nothing, except in a window that shows a small change of something large; but
 * a stack stands on the ground. */
mprof__range mprof__memory_axis(const mprof__layout *layout, mprof__range range)
{
    bool window = layout->options->window_s[0] != 0 || layout->options->window_s[1] != 0;
    double low = 0;
    double usable = layout->plot.height - HEADROOM_PX;
    double spread = range.high - range.low;
    if (window && !layout->options->stack && spread < range.high / 3 && spread > range.high * 1e-4)
        low = fmax(0, range.low - spread * 0.15);
    return (mprof__range){low, low + (range.high - low) * layout->plot.height / usable};
}

void mprof__choose_memory(mprof__layout *layout)
{
    mprof__range range = mprof__widen_by_group(layout, memory_range(layout));
    mprof__range axis = mprof__memory_axis(layout, range);
    layout->memory = (mprof__scale){axis.low, axis.high, layout->plot.y + layout->plot.height,
                                    -layout->plot.height};
}
