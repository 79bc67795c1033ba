/* Draws the two axes; time_ticks.c and memory_ticks.c choose their ticks. */
#include "axes.h"

#include "fit_text.h"
#include "layout.h"
#include "ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TICK_PX 4.0

static size_t memory_ticks(const mprof__layout *layout, mprof__tick *ticks)
{
    return mprof__memory_ticks(ticks, &(mprof__memory_range){.low_mib = layout->memory.from,
                                                             .high_mib = layout->memory.to,
                                                             .highest_mib = layout->highest_mib,
                                                             .height_px = layout->plot.height,
                                                             .unit = layout->options->unit,
                                                             .is_log = layout->memory.is_log});
}

/* 0: the labels are too wide for the page. */
double mprof__memory_gutter(const mprof__layout *layout)
{
    const mprof__page_sizes *sizes = &layout->figure->sizes;
    mprof__tick ticks[MPROF__TICK_MAX];
    size_t count = memory_ticks(layout, ticks);
    double width = 0;
    for (size_t i = 0; i < count; i++) {
        width = fmax(width, mprof__text_width(layout, MPROF_ROLE_TICK, ticks[i].text,
                                              strlen(ticks[i].text)));
    }
    width += sizes->tick_gap;
    return width <= sizes->gutter_most ? width : 0;
}

void mprof__draw_memory_axis(mprof__layout *layout)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    size_t count = memory_ticks(layout, ticks);
    bool has_labels = mprof__memory_gutter(layout) > 0;
    mprof__begin_group(layout->figure, MPROF_GROUP_MEMORY_AXIS);
    for (size_t i = 0; i < count; i++) {
        double y = mprof__scale_at(&layout->memory, ticks[i].value);
        size_t length = strlen(ticks[i].text);
        if (y < layout->plot.y + layout->plot.height - 1) {
            mprof__add_segment(layout->figure, MPROF_ROLE_GRID, MPROF_COLOUR_NONE,
                               (mprof__segment){layout->plot.x, floor(y) + 0.5,
                                                layout->plot.x + layout->plot.width,
                                                floor(y) + 0.5});
        }
        if (!has_labels) {
            continue;
        }
        mprof__add_measured_text(
            layout, (mprof__text_item){.role = MPROF_ROLE_TICK,
                                       .colour = MPROF_COLOUR_NONE,
                                       .anchor = MPROF_ANCHOR_END,
                                       .x = layout->plot.x - layout->figure->sizes.tick_gap,
                                       .y = y + (layout->figure->sizes.small ? 3.5 : 4),
                                       .text = ticks[i].text,
                                       .length = length});
    }
}

/* Per cent of each recording. */
static size_t share_ticks(mprof__tick *ticks, double width_px)
{
    size_t count = 0;
    int step = width_px >= 550 ? 10 : width_px >= 250 ? 20 : 50;
    for (int share = 0; share <= 100; share += step) {
        ticks[count].value = share;
        snprintf(ticks[count++].text, sizeof ticks->text, "%d %%", share);
    }
    return count;
}

/* Labels at the ends stay on the page. */
static mprof_anchor keep_on_page(const mprof_figure *figure, double *x, double width)
{
    double left = figure->sizes.margin / 4, right = figure->width_px - left;
    if (*x + width / 2 > right) {
        *x = right;
        return MPROF_ANCHOR_END;
    }
    if (*x - width / 2 < left) {
        *x = left;
        return MPROF_ANCHOR_START;
    }
    return MPROF_ANCHOR_MIDDLE;
}

void mprof__draw_time_axis(mprof__layout *layout, double top)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    mprof_figure *figure = layout->figure;
    double origin = mprof__is_overlay(layout) ? 0 : layout->inputs[0].start_s;
    size_t count = layout->is_share ? share_ticks(ticks, layout->plot.width)
                                    : mprof__time_ticks(ticks, layout->from_s, layout->to_s, origin,
                                                        layout->plot.width, figure->sizes.small,
                                                        layout->measure);
    double axis_y = layout->plot.y + layout->plot.height + 0.5;
    mprof__begin_group(figure, MPROF_GROUP_TIME_AXIS);
    mprof__add_segment(
        figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
        (mprof__segment){layout->plot.x, axis_y, layout->plot.x + layout->plot.width, axis_y});
    for (size_t i = 0; i < count; i++) {
        double x = mprof__scale_at(&layout->time, ticks[i].value);
        size_t length = strlen(ticks[i].text);
        double width = mprof__text_width(layout, MPROF_ROLE_TICK, ticks[i].text, length);
        mprof_anchor anchor = keep_on_page(figure, &x, width);
        double tick_x = floor(mprof__scale_at(&layout->time, ticks[i].value)) + 0.5;
        if (layout->lanes.height > 0) {
            mprof__add_segment(figure, MPROF_ROLE_GRID, MPROF_COLOUR_NONE,
                               (mprof__segment){tick_x, axis_y + 1, tick_x,
                                                layout->lanes.y + layout->lanes.height});
        } else {
            mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
                               (mprof__segment){tick_x, top, tick_x, top + TICK_PX});
        }
        mprof__add_text(figure, &(mprof__text_item){.role = MPROF_ROLE_TICK,
                                                    .colour = MPROF_COLOUR_NONE,
                                                    .anchor = anchor,
                                                    .x = x,
                                                    .y = top + figure->sizes.tick_y,
                                                    .width = width,
                                                    .text = ticks[i].text,
                                                    .length = length});
    }
}
