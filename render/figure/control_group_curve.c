/* Shows how far the program's control group was from running out of memory. A recorded value
 * applies until the next one. The memory axis reaches group and limit only if the curve keeps its
 * height: most groups have far more memory than their program needs. */
#include "control_group_curve.h"

#include "curve.h"
#include "format_units.h"
#include "gaps.h"
#include "layout.h"
#include "occupancy.h"
#include "parse/array.h"
#include "process_curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The axis may become this many times longer. A group whose memory came near the limit is worth
 * more: that is what a reader looks for. */
#define USUAL_FACTOR 4.0
#define NEAR_FACTOR 12.0
#define NEAR_SHARE 0.9
/* If the next value came later than this, the old one applied until one interval before it. */
#define HOLD_INTERVALS 1.5
#define GAP_LEAST_PX 3.0
#define LABEL_ABOVE_PX 17.0
#define LABEL_HEIGHT_PX 13.0
#define LIMIT_TEXT_BYTES 64
#define LONG_SHARE 0.2 /* of the time that is shown */

/* ---- values between changes ---- */

static mprof_status add_point(mprof__control_group *group, double mib, double time_s)
{
    mprof_sample *points =
        mprof__array_grow(group->points, group->point_count, &group->point_room, sizeof *points);
    if (!points) {
        return MPROF_ENOMEM;
    }
    group->points = points;
    points[group->point_count++] = (mprof_sample){mib, time_s};
    return MPROF_OK;
}

/* Extends the last value to `until_s`, without the gaps of the curve: there the group was not read
 * either. *at: index of the line's next point. */
static mprof_status hold_until(mprof__control_group *group, const mprof__figure_input *input,
                               size_t *at, double least_s, double mib, double until_s)
{
    const mprof_series *line = input->line;
    mprof_status status = MPROF_OK;
    for (; *at + 1 < line->point_count && line->points[*at].time_s < until_s; ++*at) {
        double from_s = line->points[*at].time_s, to_s = line->points[*at + 1].time_s;
        if (!mprof__is_gap(input, from_s, to_s, least_s) ||
            from_s < group->points[group->point_count - 1].time_s) {
            continue;
        }
        status = add_point(group, mib, from_s);
        if (status == MPROF_OK) {
            status = add_point(group, NAN, NAN);
        }
        if (status == MPROF_OK && to_s < until_s) {
            status = add_point(group, mib, to_s);
        } else if (status == MPROF_OK) {
            until_s = -INFINITY; /* the next value starts a new piece */
        }
        if (status != MPROF_OK) {
            return status;
        }
    }
    return until_s > group->points[group->point_count - 1].time_s ? add_point(group, mib, until_s)
                                                                  : MPROF_OK;
}

static mprof_status fill_points(const mprof__layout *layout, mprof__figure_input *input)
{
    mprof__control_group *group = &input->group;
    const mprof_series *recorded = &group->recorded->current;
    double pixel_s = (layout->to_s - layout->from_s) / layout->options->width_px;
    double least_s = GAP_LEAST_PX * pixel_s;
    double interval_s = isfinite(input->pauses.interval_s) ? input->pauses.interval_s : 0;
    size_t at = 0;
    mprof_status status = MPROF_OK;
    for (size_t i = 0; status == MPROF_OK && i < recorded->point_count; i++) {
        const mprof_sample *point = &recorded->points[i];
        bool is_last = i + 1 == recorded->point_count;
        double until_s = is_last ? mprof_profile_end_s(input->profile)
                                 : recorded->points[i + 1].time_s - interval_s;
        status = add_point(group, point->mib, point->time_s);
        if (status == MPROF_OK && until_s - point->time_s > (HOLD_INTERVALS - 1) * interval_s) {
            status = hold_until(group, input, &at, least_s, point->mib, until_s);
        }
    }
    return status;
}

mprof_status mprof__read_control_group(const mprof__layout *layout, mprof__figure_input *input)
{
    mprof__control_group *group = &input->group;
    const mprof_control_group *recorded = mprof_profile_control_group(input->profile);
    if (layout->input_count != 1 || !recorded->current.point_count) {
        return MPROF_OK;
    }
    group->recorded = recorded;
    group->limits = calloc(recorded->limit_count + 1, sizeof *group->limits);
    if (!group->limits) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < recorded->limit_count; i++) {
        bool is_last = i + 1 == recorded->limit_count;
        double from_s = recorded->limits[i].time_s - input->start_s;
        double to_s =
            (is_last ? mprof_profile_end_s(input->profile) : recorded->limits[i + 1].time_s) -
            input->start_s;
        mprof__limit limit = {.mib = recorded->limits[i].mib,
                              .from_s = fmax(from_s, layout->from_s),
                              .to_s = fmin(to_s, layout->to_s)};
        if (isfinite(limit.mib) && limit.to_s > limit.from_s) {
            group->limits[group->limit_count++] = limit;
        }
    }
    return fill_points(layout, input);
}

void mprof__free_control_group(mprof__figure_input *input)
{
    free(input->group.points);
    free(input->group.limits);
}

/* ---- the memory axis ---- */

/* The next piece without a pause, from point *at on; empty at the end. */
static mprof_series next_piece(const mprof__control_group *group, size_t *at)
{
    while (*at < group->point_count && isnan(group->points[*at].time_s)) {
        ++*at;
    }
    mprof_series piece = {.points = group->points + *at};
    while (*at < group->point_count && !isnan(group->points[*at].time_s)) {
        piece.point_count++;
        ++*at;
    }
    return piece;
}

static double lowest_limit(const mprof__control_group *group)
{
    double lowest = INFINITY;
    for (size_t i = 0; i < group->limit_count; i++) {
        lowest = fmin(lowest, group->limits[i].mib);
    }
    return lowest;
}

static double length_of(mprof__range axis)
{
    return axis.high - axis.low;
}

mprof__range mprof__widen_by_control_group(mprof__layout *layout, mprof__range range)
{
    mprof__figure_input *input = &layout->inputs[0];
    mprof__control_group *group = &input->group;
    mprof__range with = range, memory = {INFINITY, 0};
    mprof_series piece;
    if (!group->point_count) {
        return range;
    }
    for (size_t at = 0; (piece = next_piece(group, &at)).point_count;) {
        mprof__widen_by_series(&memory, layout, input, &piece);
    }
    group->is_shown = false;
    if (!(memory.high >= memory.low)) {
        return range;
    }
    double factor = layout->options->group                            ? INFINITY
                    : memory.high >= NEAR_SHARE * lowest_limit(group) ? NEAR_FACTOR
                                                                      : USUAL_FACTOR;
    double most = factor * length_of(mprof__memory_axis(layout, range));
    mprof__widen(&with, memory.low);
    mprof__widen(&with, memory.high);
    if (length_of(mprof__memory_axis(layout, with)) > most) {
        return range;
    }
    group->is_shown = true;
    range = with;
    for (size_t i = 0; i < group->limit_count; i++) {
        with = range;
        mprof__widen(&with, group->limits[i].mib);
        group->limits[i].is_shown = length_of(mprof__memory_axis(layout, with)) <= most;
        if (group->limits[i].is_shown) {
            range = with;
        }
    }
    return range;
}

/* ---- drawing ---- */

static uint32_t about(mprof__layout *layout, const char *text)
{
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

static void add_reserved_segment(mprof__layout *layout, double x0, double y0, double x1, double y1)
{
    mprof__add_path_point(layout->figure, x0, y0);
    mprof__add_path_point(layout->figure, x1, y1);
    mprof__occupancy_reserve_segment(layout->occupancy, (mprof__segment){x0, y0, x1, y1}, 2);
}

/* As steps: one line for consecutive limits that are all shown. */
static void draw_limits(mprof__layout *layout, const mprof__control_group *group)
{
    size_t first = layout->figure->point_count;
    uint32_t what = MPROF_ABOUT_NONE;
    for (size_t i = 0; i < group->limit_count; i++) {
        const mprof__limit *limit = &group->limits[i];
        if (!limit->is_shown) {
            continue;
        }
        double y = mprof__scale_at(&layout->memory, limit->mib);
        add_reserved_segment(layout, mprof__scale_at(&layout->time, limit->from_s), y,
                             mprof__scale_at(&layout->time, limit->to_s), y);
        bool goes_on = i + 1 < group->limit_count && group->limits[i + 1].is_shown &&
                       group->limits[i + 1].from_s <= limit->to_s;
        if (goes_on) {
            continue;
        }
        if (what == MPROF_ABOUT_NONE) {
            what = about(layout, "limit");
        }
        mprof__add_path(layout->figure, MPROF_SHAPE_LINE, MPROF_ROLE_LIMIT, MPROF_COLOUR_NONE,
                        first, what);
        first = layout->figure->point_count;
    }
}

static void draw_memory(mprof__layout *layout, const mprof__figure_input *input, mprof_role line,
                        uint32_t what)
{
    mprof__stroke stroke = {.line = line,
                            .area = MPROF_ROLE_COUNT,
                            .dot = MPROF_ROLE_COUNT,
                            .colour = MPROF_COLOUR_NONE,
                            .about = what,
                            .gap_s = INFINITY,
                            .reserve = true};
    mprof_series piece;
    for (size_t at = 0; (piece = next_piece(&input->group, &at)).point_count;) {
        mprof__draw_series(layout, input, &piece, &stroke);
    }
}

void mprof__reserve_control_group(mprof__layout *layout, const mprof__figure_input *input)
{
    if (input->group.is_shown) {
        draw_memory(layout, input, MPROF_ROLE_COUNT, MPROF_ABOUT_NONE);
    }
}

void mprof__draw_control_group(mprof__layout *layout, const mprof__figure_input *input)
{
    if (!input->group.is_shown) {
        return;
    }
    draw_memory(layout, input, MPROF_ROLE_CONTROL_GROUP, about(layout, "control group"));
    draw_limits(layout, &input->group);
}

/* ---- labels ---- */

static void limit_text(char *text, size_t size, const mprof__layout *layout,
                       const mprof__limit *limit)
{
    char memory[40];
    snprintf(text, size, "limit %s",
             mprof__memory_text_in(memory, sizeof memory, layout->options->unit, limit->mib));
}

/* Above the line at its right end, where a program that reaches the limit ends; else elsewhere at
 * the line. */
static void place_limit_label(mprof__layout *layout, mprof__limit *limit)
{
    char text[LIMIT_TEXT_BYTES];
    double x0 = mprof__scale_at(&layout->time, limit->from_s);
    double x1 = mprof__scale_at(&layout->time, limit->to_s);
    double y = mprof__scale_at(&layout->memory, limit->mib);
    limit_text(text, sizeof text, layout, limit);
    double width = mprof__text_width(layout, MPROF_ROLE_LIMIT_NAME, text, strlen(text));
    const double lefts[] = {x1 - width - 6, x0 + 6, (x0 + x1 - width) / 2};
    limit->label_width = 0;
    for (size_t i = 0; i < 2 * sizeof lefts / sizeof *lefts; i++) {
        mprof_box place = {lefts[i / 2] - 2, i % 2 ? y + 4 : y - LABEL_ABOVE_PX, width + 4,
                           LABEL_HEIGHT_PX};
        if (place.x < x0 || place.x + place.width > x1 ||
            !mprof__occupancy_is_free(layout->occupancy, place)) {
            continue;
        }
        mprof__occupancy_reserve(layout->occupancy, place);
        limit->label_x = place.x + 2;
        limit->label_y = place.y + 10;
        limit->label_width = width;
        return;
    }
}

void mprof__place_limit_labels(mprof__layout *layout)
{
    mprof__control_group *group = &layout->inputs[0].group;
    for (size_t i = group->limit_count; group->is_shown && i-- > 0;) {
        if (group->limits[i].is_shown) {
            place_limit_label(layout, &group->limits[i]);
        }
    }
}

/* The middle of the longest constant stretch, if that is long enough; else the highest point. */
static mprof_sample label_position(const mprof__layout *layout, const mprof__figure_input *input)
{
    const mprof__control_group *group = &input->group;
    double longest_s = (layout->to_s - layout->from_s) * LONG_SHARE;
    mprof_sample place = group->recorded->highest;
    for (size_t i = 1; i < group->point_count; i++) {
        double from_s = fmax(group->points[i - 1].time_s, input->start_s + layout->from_s);
        double to_s = fmin(group->points[i].time_s, input->start_s + layout->to_s);
        if (isnan(group->points[i].time_s) || isnan(group->points[i - 1].time_s) ||
            group->points[i].mib != group->points[i - 1].mib || to_s - from_s <= longest_s) {
            continue;
        }
        longest_s = to_s - from_s;
        place = (mprof_sample){group->points[i].mib, (from_s + to_s) / 2};
    }
    return place;
}

void mprof__label_control_group(mprof__layout *layout, const mprof__figure_input *input)
{
    const mprof__control_group *group = &input->group;
    char text[LIMIT_TEXT_BYTES];
    if (!group->is_shown) {
        return;
    }
    for (size_t i = 0; i < group->limit_count; i++) {
        const mprof__limit *limit = &group->limits[i];
        if (!limit->is_shown || !(limit->label_width > 0)) {
            continue;
        }
        limit_text(text, sizeof text, layout, limit);
        mprof__add_text(layout->figure, &(mprof__text_item){.role = MPROF_ROLE_LIMIT_NAME,
                                                            .colour = MPROF_COLOUR_NONE,
                                                            .x = limit->label_x,
                                                            .y = limit->label_y,
                                                            .width = limit->label_width,
                                                            .text = text,
                                                            .length = strlen(text)});
    }
    mprof_series held = {.points = group->points,
                         .point_count = group->point_count,
                         .peak = label_position(layout, input)};
    mprof__label_series(layout, input, &held, MPROF_ROLE_CONTROL_GROUP_NAME, MPROF_COLOUR_NONE,
                        "control group");
}
