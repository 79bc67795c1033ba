/* Draws the two axes; time_ticks.c and memory_ticks.c choose their ticks. */
#include "axes.h"

#include "layout.h"
#include "ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TICK_GAP_PX 10.0

static size_t memory_ticks(const mprof__layout *layout, mprof__tick *ticks)
{
    return mprof__memory_ticks(ticks, layout->memory.from, layout->memory.to, layout->plot.height);
}

double mprof__memory_gutter(const mprof__layout *layout)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    size_t count = memory_ticks(layout, ticks);
    double width = 0;
    for (size_t i = 0; i < count; i++) {
        width = fmax(width, mprof__text_width(layout, MPROF_ROLE_TICK, ticks[i].text,
                                              strlen(ticks[i].text)));
    }
    return width + TICK_GAP_PX;
}

void mprof__draw_memory_axis(mprof__layout *layout)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    size_t count = memory_ticks(layout, ticks);
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
        mprof__add_text(layout->figure,
                        &(mprof__text_item){.role = MPROF_ROLE_TICK,
                                            .colour = MPROF_COLOUR_NONE,
                                            .anchor = MPROF_ANCHOR_END,
                                            .x = layout->plot.x - TICK_GAP_PX,
                                            .y = y + 4,
                                            .width = mprof__text_width(layout, MPROF_ROLE_TICK,
                                                                       ticks[i].text, length),
                                            .text = ticks[i].text,
                                            .length = length});
    }
}

/* Per cent of each recording. */
static size_t share_ticks(mprof__tick *ticks)
{
    size_t count = 0;
    for (int share = 0; share <= 100; share += 10) {
        ticks[count].value = share;
        snprintf(ticks[count++].text, sizeof ticks->text, "%d %%", share);
    }
    return count;
}

void mprof__draw_time_axis(mprof__layout *layout, double label_y)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    mprof_figure *figure = layout->figure;
    double origin = mprof__is_overlay(layout) ? 0 : layout->inputs[0].start_s;
    size_t count = layout->is_share ? share_ticks(ticks)
                                    : mprof__time_ticks(ticks, layout->from_s, layout->to_s, origin,
                                                        layout->plot.width, layout->measure);
    double axis_y = layout->plot.y + layout->plot.height + 0.5;
    mprof__begin_group(figure, MPROF_GROUP_TIME_AXIS);
    mprof__add_segment(
        figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
        (mprof__segment){layout->plot.x, axis_y, layout->plot.x + layout->plot.width, axis_y});
    for (size_t i = 0; i < count; i++) {
        double x = mprof__scale_at(&layout->time, ticks[i].value);
        size_t length = strlen(ticks[i].text);
        double width = mprof__text_width(layout, MPROF_ROLE_TICK, ticks[i].text, length);
        mprof_anchor anchor =
            x + width / 2 > figure->width_px - 6 ? MPROF_ANCHOR_END : MPROF_ANCHOR_MIDDLE;
        if (anchor == MPROF_ANCHOR_END) {
            x = figure->width_px - 6;
        }
        double tick_x = floor(mprof__scale_at(&layout->time, ticks[i].value)) + 0.5;
        if (layout->lanes.height > 0) {
            mprof__add_segment(figure, MPROF_ROLE_GRID, MPROF_COLOUR_NONE,
                               (mprof__segment){tick_x, axis_y + 1, tick_x,
                                                layout->lanes.y + layout->lanes.height});
        } else {
            mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
                               (mprof__segment){tick_x, label_y - 14, tick_x, label_y - 10});
        }
        mprof__add_text(figure, &(mprof__text_item){.role = MPROF_ROLE_TICK,
                                                    .colour = MPROF_COLOUR_NONE,
                                                    .anchor = anchor,
                                                    .x = x,
                                                    .y = label_y + 3,
                                                    .width = width,
                                                    .text = ticks[i].text,
                                                    .length = length});
    }
}
