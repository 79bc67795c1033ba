/* Scales, and the values that the memory axis has to cover. */
#include "scales.h"

#include "format_units.h"
#include "layout.h"
#include "ticks.h"

#include <math.h>

#define HEADROOM_SHARE_MAX 0.4 /* of the plot */
#define DECADES_MAX 5.0
#define LEAST_OF_GIVEN 1e-6 /* 0 has no logarithm */

double mprof__scale_share(const mprof__scale *scale, double value)
{
    if (!scale->is_log) {
        return (value - scale->from) / (scale->to - scale->from);
    }
    double least = scale->is_given ? scale->from * LEAST_OF_GIVEN : scale->from;
    return log(fmax(value, least) / scale->from) / log(scale->to / scale->from);
}

double mprof__scale_at(const mprof__scale *scale, double value)
{
    return scale->start + mprof__scale_share(scale, value) * scale->extent;
}

mprof__scale mprof__time_scale(const mprof__layout *layout)
{
    return (mprof__scale){.from = layout->from_s,
                          .to = layout->to_s,
                          .start = layout->plot.x,
                          .extent = layout->plot.width};
}

double mprof__frame_mib_at(const mprof_frame *frame, double y)
{
    double share = (frame->plot.y + frame->plot.height - y) / frame->plot.height;
    if (frame->log) {
        return share > 0 || frame->clipped
                   ? frame->low_mib * pow(frame->high_mib / frame->low_mib, share)
                   : 0;
    }
    return frame->low_mib + share * (frame->high_mib - frame->low_mib);
}

void mprof__set_memory_scale(mprof__layout *layout, mprof__range axis, double highest_mib)
{
    const double *wanted = layout->options->memory_mib;
    bool is_given = wanted[1] > wanted[0];

    layout->highest_mib = is_given ? wanted[1] : highest_mib;
    layout->memory = (mprof__scale){.from = is_given ? wanted[0] : axis.low,
                                    .to = is_given ? wanted[1] : axis.high,
                                    .start = layout->plot.y + layout->plot.height,
                                    .extent = -layout->plot.height,
                                    .is_log = layout->options->log != 0,
                                    .is_given = is_given};
}

bool mprof__is_in_plot(const mprof__layout *layout, double y)
{
    return y >= layout->plot.y - 0.5 && y <= layout->plot.y + layout->plot.height + 0.5;
}

double mprof__headroom(const mprof_figure *figure, double plot_px)
{
    return fmin(figure->sizes.headroom, plot_px * HEADROOM_SHARE_MAX);
}

void mprof__widen(mprof__range *range, double mib)
{
    range->low = fmin(range->low, mib);
    range->high = fmax(range->high, mib);
}

/* A line that crosses the edge of the window is drawn up to the edge. */
static void widen_at_edge(mprof__range *range, const mprof_sample *before, double edge_s)
{
    const mprof_sample *after = before + 1;
    if (before->time_s < edge_s && after->time_s > edge_s) {
        mprof__widen(range, before->mib + (after->mib - before->mib) * (edge_s - before->time_s) /
                                              (after->time_s - before->time_s));
    }
}

void mprof__widen_by_series(mprof__range *range, const mprof__layout *layout,
                            const mprof__figure_input *input, const mprof_series *series)
{
    double from = mprof__recording_time_s(input, layout->from_s);
    double to = mprof__recording_time_s(input, layout->to_s);
    for (size_t i = 0; i < series->point_count; i++) {
        if (series->points[i].time_s >= from && series->points[i].time_s <= to) {
            mprof__widen(range, series->points[i].mib);
        }
        if (i + 1 < series->point_count) {
            widen_at_edge(range, &series->points[i], from);
            widen_at_edge(range, &series->points[i], to);
        }
    }
}

/* It starts at a decade, in the unit of the ticks. */
mprof__range mprof__log_memory_axis(const mprof__layout *layout, double lowest, double high)
{
    double plot_px = layout->plot.height;
    double usable = 1 - mprof__headroom(layout->figure, plot_px) / plot_px;
    double unit = mprof__unit_of(mprof__log_unit(layout->options->unit, high))->mib;
    double least = fmax(fmin(lowest, high), high * pow(10, -DECADES_MAX));
    double low = pow(10, floor(log10(least / unit) + 1e-9)) * unit;
    return (mprof__range){low, low * pow(fmax(high / low, 2), 1 / usable)};
}

/* The axis starts at 0, unless a window shows a small change of a large value. The layers of a
 * stack always start at 0. */
mprof__range mprof__memory_axis(const mprof__layout *layout, mprof__range range)
{
    bool window = layout->options->window_s[0] != 0 || layout->options->window_s[1] != 0;
    double low = 0;
    double usable = layout->plot.height - mprof__headroom(layout->figure, layout->plot.height);
    double spread = range.high - range.low;
    if (window && !layout->options->stack && spread < range.high / 3 &&
        spread > range.high * 1e-4) {
        low = fmax(0, range.low - spread * 0.15);
    }
    return (mprof__range){low, low + (range.high - low) * layout->plot.height / usable};
}
