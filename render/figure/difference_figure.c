/* Curves of both sides are on a common time axis, the mean of both times, so that calls that were
 * matched are at one place. Differences have an axis of their own: on that of the memory a small
 * one would not be seen. Single spikes do not choose it: they are cut, and marked. */
#include "difference_figure.h"

#include "axes.h"
#include "colour_slots.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "layout.h"
#include "occupancy.h"
#include "visible_text.h"

#include "parse/array.h"
#include "parse/check/text_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_PX 20.0
#define ROWS_MOST 8
#define TABLE_GAP_PX 14.0
#define CAPTION_PX 34.0 /* between the plots, with the caption */
#define SMALL_GAP_PX 8.0
#define DIFFERENCE_SHARE 0.34 /* of the height of both plots */
#define HATCH_PX 4.0
#define CLIP_SHARE 0.99 /* of the differences are within the axis */
#define BAR_WIDTH_PX 260.0
#define CELL_PX 80.0        /* a number */
#define WIDE_TABLE_PX 860.0 /* has all columns */
#define NAME_WIDTH_PX 200.0
#define TICKS_MOST 7
#define LABEL_STEP_PX 14.0 /* between places that are tried for a label */
#define LABEL_STEPS 6
#define LABEL_GAP_PX 5.0

typedef struct drawing {
    mprof__layout layout;
    const mprof__comparison *item;
    mprof_box below;          /* the plot of the difference */
    mprof__scale differences; /* MiB -> y */
    double step_mib;          /* between its ticks */
    double table_px;          /* with the gap above it; 0: none */
    size_t rows;
    double bar_px;   /* of the bars, both signs */
    size_t peaks[2]; /* points */
} drawing;

static double known(double value)
{
    return isnan(value) ? 0 : value;
}

static double added(const mprof__function_change *f)
{
    return known(f->added_mib[1]) - known(f->added_mib[0]);
}

static double x_of(const drawing *d, size_t i)
{
    return mprof__scale_at(&d->layout.time, d->item->points[i].at_s);
}

static double memory_y(const drawing *d, int side, size_t i)
{
    return mprof__scale_at(&d->layout.memory, known(d->item->points[i].mib[side]));
}

/* The last `parts` of a path. */
static const char *end_of_path(const char *path, int parts)
{
    const char *start = path + strlen(path);
    while (start > path && start[-1] == '/') {
        start--;
    }
    for (; start > path; start--) {
        if (start[-1] == '/' && --parts == 0) {
            break;
        }
    }
    return start;
}

/* Without directories: pictures are passed on to others. Equal names keep the last one. */
static const char *name_of(const drawing *d, int side)
{
    const char *const *names = d->item->names;
    bool is_same = strcmp(end_of_path(names[0], 1), end_of_path(names[1], 1)) == 0;
    return end_of_path(names[side], is_same ? 2 : 1);
}

/* ---- scales ---- */

/* 1, 2 or 5 times a power of ten: of MiB, or from 512 MiB on of GiB. */
static double nice_step(double least)
{
    double unit = least >= 512 ? 1024 : 1;
    double power = pow(10, floor(log10(least / unit)));
    double digit = least / unit / power;
    return (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power * unit;
}

static mprof_status choose_difference_range(drawing *d)
{
    const mprof__comparison *item = d->item;
    double *values = malloc((item->point_count + 1) * sizeof *values);
    size_t count = 0;
    if (!values) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < item->point_count; i++) {
        if (!isnan(item->points[i].difference)) {
            values[count++] = item->points[i].difference;
        }
    }
    qsort(values, count, sizeof *values, mprof__compare_doubles);
    double least = fmax(item->floor_mib, 0.01), low = -least, high = least;
    if (count > 0) {
        size_t cut = (size_t)((double)count * (1 - CLIP_SHARE) / 2);
        low = fmin(low, values[cut]);
        high = fmax(high, values[count - 1 - cut]);
    }
    free(values);
    low = fmin(low, item->sustained.mib);
    high = fmax(high, item->sustained.mib);
    double room = (high - low) * 0.12;
    d->step_mib = nice_step((high - low) / fmax(2, fmin(5, d->below.height / 28)));
    d->differences = (mprof__scale){.from = low - (low < -least ? room : 0),
                                    .to = high + room,
                                    .start = d->below.y + d->below.height,
                                    .extent = -d->below.height};
    return MPROF_OK;
}

static void find_peaks(drawing *d)
{
    for (int side = 0; side < 2; side++) {
        double highest = -INFINITY;
        for (size_t i = 0; i < d->item->point_count; i++) {
            const mprof__compared_point *point = &d->item->points[i];
            if (point->mib[side] > highest) {
                highest = point->mib[side];
                d->peaks[side] = i;
            }
            d->layout.highest_mib = fmax(d->layout.highest_mib, known(point->high[side]));
        }
    }
}

/* Zero is written without a sign and a unit. */
static void tick_text(const drawing *d, char *text, size_t size, double mib)
{
    if (fabs(mib) < d->step_mib / 2) {
        snprintf(text, size, "0");
    } else {
        mprof__change_text_in(text, size, d->layout.options->unit, mib);
    }
}

static double difference_gutter(const drawing *d)
{
    double width = 0;
    for (double at = ceil(d->differences.from / d->step_mib); at * d->step_mib <= d->differences.to;
         at++) {
        char text[48];
        tick_text(d, text, sizeof text, at * d->step_mib);
        width = fmax(width, mprof__text_width(&d->layout, MPROF_ROLE_TICK, text, strlen(text)));
    }
    width += d->layout.figure->sizes.tick_gap;
    return width <= d->layout.figure->sizes.gutter_most ? width : 0;
}

/* From top to bottom: heading, both curves, their difference, time labels, functions. */
static mprof_status divide_page(drawing *d, mprof_error *error)
{
    mprof__layout *layout = &d->layout;
    const mprof__page_sizes *sizes = &layout->figure->sizes;
    double gap = sizes->small ? SMALL_GAP_PX : CAPTION_PX;
    double room = layout->figure->height_px - sizes->head - sizes->tick_row - sizes->foot - gap;
    size_t rows = d->item->function_count < ROWS_MOST ? d->item->function_count : ROWS_MOST;
    if (sizes->small || layout->options->without & MPROF_PART_LEGEND) {
        rows = 0;
    }
    while (rows > 0 && room - TABLE_GAP_PX - ROW_PX * ((double)rows + 1) < 2 * sizes->plot_fair) {
        rows--;
    }
    d->rows = rows;
    d->table_px = rows > 0 ? TABLE_GAP_PX + ROW_PX * ((double)rows + 1) : 0;
    room -= d->table_px;
    if (room < 2 * sizes->plot_least || layout->figure->width_px < MPROF__WIDTH_LEAST_PX) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "a page of %.0f x %.0f pixels is too small: make it larger",
                               layout->figure->width_px, layout->figure->height_px);
    }
    layout->plot.y = sizes->head;
    layout->plot.height = floor(room * (1 - DIFFERENCE_SHARE));
    d->below.y = layout->plot.y + layout->plot.height + gap;
    d->below.height = floor(room - layout->plot.height);
    mprof__range range = mprof__memory_axis(layout, (mprof__range){0, layout->highest_mib});
    layout->memory = (mprof__scale){.from = range.low,
                                    .to = range.high,
                                    .start = layout->plot.y + layout->plot.height,
                                    .extent = -layout->plot.height};
    mprof_status status = choose_difference_range(d);
    if (status != MPROF_OK) {
        return status;
    }
    double gutter = fmax(mprof__memory_gutter(layout), difference_gutter(d));
    layout->plot.x = d->below.x = ceil(sizes->margin + gutter);
    layout->plot.width = d->below.width = layout->figure->width_px - sizes->margin - layout->plot.x;
    layout->time = mprof__time_scale(layout);
    return MPROF_OK;
}

/* ---- curves ---- */

/* Adds the points [first, end) of a side as a path; `step` -1 goes backwards. */
static void add_points(drawing *d, size_t first, size_t end, const double *values, size_t stride,
                       const mprof__scale *scale)
{
    for (size_t n = 0; n < end - first; n++) {
        double value = *(const double *)((const char *)values + (first + n) * stride);
        value = fmin(fmax(value, scale->from), scale->to);
        mprof__add_path_point(d->layout.figure, x_of(d, first + n), mprof__scale_at(scale, value));
    }
}

static void add_points_back(drawing *d, size_t first, size_t end, const double *values,
                            size_t stride, const mprof__scale *scale)
{
    for (size_t n = end; n-- > first;) {
        double value = *(const double *)((const char *)values + n * stride);
        value = fmin(fmax(value, scale->from), scale->to);
        mprof__add_path_point(d->layout.figure, x_of(d, n), mprof__scale_at(scale, value));
    }
}

#define STRIDE sizeof(mprof__compared_point)

static bool is_shown(const mprof__compared_point *point, int side)
{
    return !isnan(point->mib[side]);
}

/* Finds the next run of points of a side, from *end on; false after the last one. */
static bool next_part(const drawing *d, int side, size_t *first, size_t *end)
{
    const mprof__comparison *item = d->item;
    size_t i = *end;
    while (i < item->point_count && !is_shown(&item->points[i], side)) {
        i++;
    }
    *first = i;
    while (i < item->point_count && is_shown(&item->points[i], side)) {
        i++;
    }
    *end = i;
    return *first < i;
}

static void draw_band(drawing *d, int side)
{
    mprof_figure *figure = d->layout.figure;
    const mprof__compared_point *points = d->item->points;
    size_t first, end = 0;
    while (d->item->run_counts[side] > 1 && next_part(d, side, &first, &end)) {
        size_t start = figure->point_count;
        add_points(d, first, end, &points[0].high[side], STRIDE, &d->layout.memory);
        add_points_back(d, first, end, &points[0].low[side], STRIDE, &d->layout.memory);
        mprof__add_path(figure, MPROF_SHAPE_AREA, MPROF_ROLE_AREA, MPROF_COLOUR_NONE, start,
                        MPROF_ABOUT_NONE);
    }
}

static void draw_side(drawing *d, int side, uint32_t about)
{
    mprof_figure *figure = d->layout.figure;
    size_t first, end = 0;
    while (next_part(d, side, &first, &end)) {
        size_t start = figure->point_count;
        add_points(d, first, end, &d->item->points[0].mib[side], STRIDE, &d->layout.memory);
        mprof__add_path(figure, MPROF_SHAPE_LINE,
                        side == MPROF__NOW ? MPROF_ROLE_CURVE : MPROF_ROLE_CHILD, MPROF_COLOUR_NONE,
                        start, about);
    }
}

/* The sign of a difference that is worth a shade; 0: none. */
static int sign_at(const drawing *d, size_t i)
{
    double value = d->item->points[i].difference;
    return isnan(value) ? 0 : value > 0 ? 1 : value < 0 ? -1 : 0;
}

/* Vertical lines between two curves: less than before. */
static void hatch(drawing *d, size_t first, size_t end, const mprof__scale *scale, bool is_below)
{
    double next = x_of(d, first) + HATCH_PX / 2;
    for (size_t i = first; i < end; i++) {
        const mprof__compared_point *point = &d->item->points[i];
        double x = x_of(d, i);
        if (x < next) {
            continue;
        }
        double top = is_below ? 0 : point->mib[0],
               bottom = is_below ? point->difference : point->mib[1];
        bottom = fmin(fmax(bottom, scale->from), scale->to);
        mprof__add_segment(
            d->layout.figure, MPROF_ROLE_LEADER, MPROF_COLOUR_NONE,
            (mprof__segment){x, mprof__scale_at(scale, top), x, mprof__scale_at(scale, bottom)});
        next = x + HATCH_PX;
    }
}

static void shade(drawing *d, size_t first, size_t end, bool is_below)
{
    mprof_figure *figure = d->layout.figure;
    const mprof__compared_point *points = d->item->points;
    const mprof__scale *scale = is_below ? &d->differences : &d->layout.memory;
    if (sign_at(d, first) < 0) {
        hatch(d, first, end, scale, is_below);
        return;
    }
    size_t start = figure->point_count;
    if (is_below) {
        add_points(d, first, end, &points[0].difference, STRIDE, scale);
        mprof__add_path_point(figure, x_of(d, end - 1), mprof__scale_at(scale, 0));
        mprof__add_path_point(figure, x_of(d, first), mprof__scale_at(scale, 0));
    } else {
        add_points(d, first, end, &points[0].mib[1], STRIDE, scale);
        add_points_back(d, first, end, &points[0].mib[0], STRIDE, scale);
    }
    mprof__add_path(figure, MPROF_SHAPE_AREA, MPROF_ROLE_DIFFERENCE, MPROF_COLOUR_NONE, start,
                    MPROF_ABOUT_NONE);
}

static void draw_shades(drawing *d, bool is_below)
{
    for (size_t i = 0; i < d->item->point_count;) {
        int sign = sign_at(d, i);
        size_t end = i + 1;
        while (end < d->item->point_count && sign_at(d, end) == sign) {
            end++;
        }
        if (sign != 0 && end - i > 1) {
            shade(d, i, end, is_below);
        }
        i = end;
    }
}

static void draw_curves(drawing *d)
{
    mprof_figure *figure = d->layout.figure;
    uint32_t abouts[2];
    static const char *const words[] = {"before", "now"};
    for (int side = 0; side < 2; side++) {
        char text[300];
        snprintf(text, sizeof text, "%s: %s%s", words[side], name_of(d, side),
                 d->item->run_counts[side] > 1 ? ", the median" : "");
        char *visible = mprof__visible_text(text, strlen(text), sizeof text);
        if (!visible) {
            mprof__fail(figure, MPROF_ENOMEM);
            return;
        }
        abouts[side] =
            mprof__add_about(figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, visible);
        free(visible);
    }
    mprof__begin_group(figure, MPROF_GROUP_CURVES);
    draw_band(d, MPROF__BEFORE);
    draw_band(d, MPROF__NOW);
    draw_shades(d, false);
    draw_side(d, MPROF__BEFORE, abouts[0]);
    draw_side(d, MPROF__NOW, abouts[1]);
}

/* ---- labels ---- */

/* x NAN: there is no room for it. */
static double put_text(drawing *d, mprof_role role, mprof_anchor anchor, double x, double y,
                       const char *text)
{
    if (isnan(x)) {
        return 0;
    }
    return mprof__add_measured_text(&d->layout, (mprof__text_item){.role = role,
                                                                   .colour = MPROF_COLOUR_NONE,
                                                                   .anchor = anchor,
                                                                   .x = x,
                                                                   .y = y,
                                                                   .text = text,
                                                                   .length = strlen(text)});
}

/* A text above a point, within the plot. */
static void put_label(drawing *d, mprof_role role, double x, double y, const char *text)
{
    double width = mprof__text_width(&d->layout, role, text, strlen(text));
    double left = d->layout.plot.x, right = left + d->layout.plot.width - width;
    put_text(d, role, MPROF_ANCHOR_START, fmax(left, fmin(right, x - width / 2)), y, text);
}

/* What the curves leave free; NULL without memory. */
static mprof__occupancy *find_room(const drawing *d)
{
    mprof_box plot = d->layout.plot;
    mprof_box area = {plot.x, 0, plot.width, plot.y + plot.height};
    mprof__occupancy *room = mprof__occupancy_new(area);
    for (int side = 0; side < 2 && room; side++) {
        size_t first, end = 0;
        while (next_part(d, side, &first, &end)) {
            for (size_t i = first; i + 1 < end; i++) {
                mprof__segment segment = {x_of(d, i), memory_y(d, side, i), x_of(d, i + 1),
                                          memory_y(d, side, i + 1)};
                mprof__occupancy_reserve_segment(room, segment, 2);
            }
        }
    }
    return room;
}

/* A text near a point, where no curve crosses it: above or below, in the middle or to a side. */
static void put_label_apart(drawing *d, mprof__occupancy *room, mprof_role role, mprof_point point,
                            const char *text)
{
    static const struct {
        double share, gap_px; /* of the width to the left, and the distance from the point */
    } sides[] = {{0.5, 0}, {1, -LABEL_GAP_PX}, {0, LABEL_GAP_PX}};
    double width = mprof__text_width(&d->layout, role, text, strlen(text));
    double x = (double)point.x, y = (double)point.y;
    bool is_in_plot = y <= d->layout.plot.y + d->layout.plot.height;
    for (int step = 0; step < LABEL_STEPS; step++) {
        for (int i = 0; i < 6; i++) {
            bool is_below = i >= 3;
            double left = x - sides[i % 3].share * width + sides[i % 3].gap_px;
            double base = is_below ? y + 17 + step * LABEL_STEP_PX : y - 7 - step * LABEL_STEP_PX;
            mprof_box box = {left, base - 10, width, 10}; /* without tails of letters */
            if (mprof__occupancy_is_free(room, box)) {
                mprof__occupancy_reserve(room, box);
                put_text(d, role, MPROF_ANCHOR_START, left, base, text);
                return;
            }
        }
    }
    put_label(d, role, x, fmax(y - 7, is_in_plot ? 0 : d->below.y + 13), text);
}

static void draw_peaks(drawing *d)
{
    double x[2], y[2];
    static const char *const words[] = {"before", "now"};
    char text[2][80], amount[48];
    if (d->layout.options->without & MPROF_PART_PEAK) {
        mprof__begin_group(d->layout.figure, MPROF_GROUP_NAMES);
        return;
    }
    mprof__begin_group(d->layout.figure, MPROF_GROUP_MARKS);
    for (int side = 0; side < 2; side++) {
        const mprof__compared_point *point = &d->item->points[d->peaks[side]];
        x[side] = x_of(d, d->peaks[side]);
        y[side] = memory_y(d, side, d->peaks[side]);
        mprof__memory_text_in(amount, sizeof amount, d->layout.options->unit,
                              known(point->mib[side]));
        snprintf(text[side], sizeof text[side], "%s %s", words[side], amount);
        mprof__add_dot(d->layout.figure,
                       side == MPROF__NOW ? MPROF_ROLE_SAMPLE : MPROF_ROLE_CHILD_SAMPLE,
                       MPROF_COLOUR_NONE, x[side], y[side], 3);
    }
    bool is_near = fabs(x[0] - x[1]) < 130;
    double top = fmin(y[0], y[1]);
    mprof__begin_group(d->layout.figure, MPROF_GROUP_NAMES);
    if (is_near) {
        put_label(d, MPROF_ROLE_LANE_GROUP, x[1], top - 21, text[1]);
        put_label(d, MPROF_ROLE_CHILD_NAME, x[1], top - 7, text[0]);
        return;
    }
    mprof__occupancy *room = find_room(d);
    if (!room) {
        mprof__fail(d->layout.figure, MPROF_ENOMEM);
        return;
    }
    for (int side = 1; side >= 0; side--) {
        put_label_apart(d, room, side == MPROF__NOW ? MPROF_ROLE_LANE_GROUP : MPROF_ROLE_CHILD_NAME,
                        (mprof_point){(float)x[side], (float)y[side]}, text[side]);
    }
    mprof__occupancy_free(room);
}

/* ---- the difference ---- */

static void draw_difference_axis(drawing *d)
{
    mprof_figure *figure = d->layout.figure;
    bool has_labels = difference_gutter(d) > 0;
    mprof__begin_group(figure, MPROF_GROUP_LANE_NAMES);
    if (!figure->sizes.small) {
        char caption[120];
        snprintf(caption, sizeof caption, "now less before, %s",
                 d->item->by == MPROF__ALIGN_CALLS   ? "each call on the same call"
                 : d->item->by == MPROF__ALIGN_START ? "from the start"
                                                     : "by the share of the duration");
        put_text(d, MPROF_ROLE_LANE_GROUP, MPROF_ANCHOR_START, d->below.x, d->below.y - 10,
                 caption);
    }
    for (double at = ceil(d->differences.from / d->step_mib); at * d->step_mib <= d->differences.to;
         at++) {
        char text[48];
        double y = mprof__scale_at(&d->differences, at * d->step_mib);
        tick_text(d, text, sizeof text, at * d->step_mib);
        mprof__add_segment(figure, fabs(at) < 0.5 ? MPROF_ROLE_AXIS : MPROF_ROLE_GRID,
                           MPROF_COLOUR_NONE,
                           (mprof__segment){d->below.x, floor(y) + 0.5, d->below.x + d->below.width,
                                            floor(y) + 0.5});
        if (has_labels) {
            put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_END, d->below.x - figure->sizes.tick_gap,
                     y + 4, text);
        }
    }
}

/* A small mark where the difference goes beyond the axis. */
static void mark_clipped(drawing *d)
{
    double last = -INFINITY;
    for (size_t i = 0; i < d->item->point_count; i++) {
        double value = d->item->points[i].difference, x = x_of(d, i);
        bool is_above = value > d->differences.to;
        if ((!is_above && !(value < d->differences.from)) || x < last + 6) {
            continue;
        }
        double edge =
            mprof__scale_at(&d->differences, is_above ? d->differences.to : d->differences.from);
        double tip = is_above ? edge - 5 : edge + 5;
        size_t start = d->layout.figure->point_count;
        mprof__add_path_point(d->layout.figure, x - 3, edge);
        mprof__add_path_point(d->layout.figure, x, tip);
        mprof__add_path_point(d->layout.figure, x + 3, edge);
        mprof__add_path(d->layout.figure, MPROF_SHAPE_LINE, MPROF_ROLE_LEADER, MPROF_COLOUR_NONE,
                        start, MPROF_ABOUT_NONE);
        last = x;
    }
}

static void draw_difference(drawing *d)
{
    mprof_figure *figure = d->layout.figure;
    const mprof__comparison *item = d->item;
    mprof__begin_group(figure, MPROF_GROUP_STRIPS);
    /* the script counts the memory of a strip from the last such rule on */
    double zero_y = mprof__scale_at(&d->differences, 0) + 0.5;
    mprof__add_segment(figure, MPROF_ROLE_LANE_RULE, MPROF_COLOUR_NONE,
                       (mprof__segment){d->below.x, zero_y, d->below.x + d->below.width, zero_y});
    uint32_t about =
        mprof__add_about(figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, "now less before");
    draw_shades(d, true);
    for (size_t i = 0; i < item->point_count;) {
        size_t end = i;
        while (end < item->point_count && !isnan(item->points[end].difference)) {
            end++;
        }
        if (end > i + 1) {
            size_t start = figure->point_count;
            add_points(d, i, end, &item->points[0].difference, STRIDE, &d->differences);
            mprof__add_path(figure, MPROF_SHAPE_LINE, MPROF_ROLE_STRIP, MPROF_COLOUR_NONE, start,
                            about);
        }
        i = end + 1;
    }
    mark_clipped(d);
}

static mprof__occupancy *find_difference_room(const drawing *d)
{
    const mprof__compared_point *points = d->item->points;
    mprof__occupancy *room = mprof__occupancy_new(d->below);
    for (size_t i = 0; room && i + 1 < d->item->point_count; i++) {
        if (!isnan(points[i].difference) && !isnan(points[i + 1].difference)) {
            mprof__segment segment = {
                x_of(d, i), mprof__scale_at(&d->differences, points[i].difference), x_of(d, i + 1),
                mprof__scale_at(&d->differences, points[i + 1].difference)};
            mprof__occupancy_reserve_segment(room, segment, 2);
        }
    }
    return room;
}

/* The label of what lasts is near the middle of it. */
static void label_sustained(drawing *d)
{
    const mprof__sustained *sustained = &d->item->sustained;
    char text[64];
    if (d->layout.figure->sizes.small || sustained->mib == 0) {
        return;
    }
    size_t at = SIZE_MAX, last = 0;
    double most = 0; /* the label is above the highest, or below the lowest */
    for (size_t i = 0; i < d->item->point_count; i++) {
        double time_s = d->item->points[i].times_s[1], value = d->item->points[i].difference;
        if (time_s >= sustained->from_s && time_s <= sustained->to_s && !isnan(value)) {
            at = at == SIZE_MAX ? i : at;
            last = i;
            most = sustained->mib > 0 ? fmax(most, value) : fmin(most, value);
        }
    }
    if (at == SIZE_MAX) {
        return;
    }
    mprof__change_text_in(text, sizeof text, d->layout.options->unit, sustained->mib);
    mprof__occupancy *room = find_difference_room(d);
    if (!room) {
        mprof__fail(d->layout.figure, MPROF_ENOMEM);
        return;
    }
    mprof_point point = {(float)x_of(d, (at + last) / 2),
                         (float)mprof__scale_at(&d->differences, most)};
    put_label_apart(d, room, MPROF_ROLE_LANE_GROUP, point, text);
    mprof__occupancy_free(room);
}

/* ---- functions ---- */

static void number_text(const drawing *d, char *text, size_t size, double mib)
{
    if (isnan(mib)) {
        snprintf(text, size, "\xE2\x80\x93");
    } else {
        mprof__memory_text_in(text, size, d->layout.options->unit, mib);
    }
}

static void draw_row(drawing *d, const mprof__function_change *f, int colour, double y, double most,
                     const double columns[7])
{
    char text[MPROF__LABEL_SIZE], number[64];
    mprof_figure *figure = d->layout.figure;
    char *visible = mprof__visible_text(f->label, strlen(f->label), MPROF__LABEL_BYTES);
    if (!visible) {
        mprof__fail(figure, MPROF_ENOMEM);
        return;
    }
    mprof__add_rect(figure, MPROF_ROLE_SWATCH, colour, (mprof_box){columns[0], y - 9, 10, 10},
                    MPROF_ABOUT_NONE);
    size_t length = mprof__fit_text(&d->layout, MPROF_ROLE_LEGEND_NAME, text, sizeof text, visible,
                                    columns[1] - 80 - columns[0]);
    text[length] = '\0';
    free(visible);
    put_text(d, MPROF_ROLE_LEGEND_NAME, MPROF_ANCHOR_START, columns[0] + 18, y, text);
    for (int side = 0; side < 2; side++) {
        number_text(d, number, sizeof number, f->added_mib[side]);
        put_text(d, MPROF_ROLE_LEGEND_CELL, MPROF_ANCHOR_END, columns[1 + side], y, number);
    }
    double length_px = added(f) / most * d->bar_px / 2;
    if (fabs(length_px) >= 0.5) {
        mprof__add_rect(figure, MPROF_ROLE_RUG, colour,
                        (mprof_box){columns[3] + fmin(length_px, 0), y - 10, fabs(length_px), 11},
                        MPROF_ABOUT_NONE);
        mprof__change_text_in(number, sizeof number, d->layout.options->unit, added(f));
        put_text(d, MPROF_ROLE_LEGEND_CELL, length_px < 0 ? MPROF_ANCHOR_END : MPROF_ANCHOR_START,
                 columns[3] + length_px + (length_px < 0 ? -6 : 6), y, number);
    }
    double kept = known(f->change_mib[1]) - known(f->change_mib[0]);
    if (fabs(kept) < 0.05) {
        snprintf(number, sizeof number, "0");
    } else {
        mprof__change_text_in(number, sizeof number, d->layout.options->unit, kept);
    }
    put_text(d, MPROF_ROLE_LEGEND_CELL, MPROF_ANCHOR_END, columns[4], y, number);
    if (f->calls[0] == f->calls[1]) {
        snprintf(number, sizeof number, "%.0f", f->calls[1]);
    } else {
        snprintf(number, sizeof number, "%.0f \xE2\x86\x92 %.0f", f->calls[0], f->calls[1]);
    }
    put_text(d, MPROF_ROLE_LEGEND_CELL, MPROF_ANCHOR_END, columns[5], y, number);
    double change_s = f->time_s[1] - f->time_s[0];
    snprintf(number, sizeof number, "%s%.2f s",
             change_s <= -0.005  ? "\xE2\x88\x92"
             : change_s >= 0.005 ? "+"
                                 : "",
             fabs(change_s));
    put_text(d, MPROF_ROLE_LEGEND_CELL, MPROF_ANCHOR_END, columns[6], y, number);
}

static void draw_functions(drawing *d)
{
    static const char *const heads[] = {
        "function", "before", "now", "most a call added", "kept", "calls", "time, all calls"};
    mprof_figure *figure = d->layout.figure;
    const char *names[ROWS_MOST];
    int8_t slots[ROWS_MOST];
    double most = d->item->floor_mib, x = d->layout.plot.x;
    double right = figure->width_px - figure->sizes.margin, rest = right - x;
    /* names and bars take what the numbers leave */
    bool is_wide = rest >= WIDE_TABLE_PX;
    double name_px = fmax(120, fmin(NAME_WIDTH_PX, rest - 560)) + 80;
    double bars_px = right - (is_wide ? 230 : 100) - (x + name_px + 80) - 2 * CELL_PX;
    d->bar_px = fmax(20, fmin(BAR_WIDTH_PX, bars_px));
    const double columns[7] = {x,
                               x + name_px,
                               x + name_px + 80,
                               x + name_px + 80 + CELL_PX + d->bar_px / 2,
                               is_wide ? right - 160 : NAN,
                               is_wide ? right - 90 : NAN,
                               right};
    if (d->rows == 0) {
        return;
    }
    for (size_t i = 0; i < d->rows; i++) {
        names[i] = d->item->functions[i].name;
        most = fmax(most, fabs(added(&d->item->functions[i])));
    }
    mprof__assign_colour_slots(slots, names, d->rows);
    mprof__begin_group(figure, MPROF_GROUP_LEGEND);
    double y = d->below.y + d->below.height + figure->sizes.tick_row + TABLE_GAP_PX + 10;
    for (int i = 0; i < 7; i++) {
        put_text(d, MPROF_ROLE_LEGEND_HEAD,
                 i == 0   ? MPROF_ANCHOR_START
                 : i == 3 ? MPROF_ANCHOR_MIDDLE
                          : MPROF_ANCHOR_END,
                 columns[i] + (i == 0 ? 18 : 0), y, heads[i]);
    }
    mprof__add_segment(figure, MPROF_ROLE_LEGEND_RULE, MPROF_COLOUR_NONE,
                       (mprof__segment){x, floor(y + 6) + 0.5, right, floor(y + 6) + 0.5});
    for (size_t i = 0; i < d->rows; i++) {
        y += ROW_PX;
        draw_row(d, &d->item->functions[i], slots[i], y + 2, most, columns);
    }
    mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
                       (mprof__segment){floor(columns[3]) + 0.5, y + 6 - ROW_PX * (double)d->rows,
                                        floor(columns[3]) + 0.5, y + 6});
}

/* ---- the page ---- */

/* The time axis is below the difference: the plot above has a rule only. */
static void draw_time_axis(drawing *d)
{
    mprof_box plot = d->layout.plot;
    double floor_y = floor(plot.y + plot.height) + 0.5;
    mprof__add_segment(d->layout.figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
                       (mprof__segment){plot.x, floor_y, plot.x + plot.width, floor_y});
    d->layout.plot = d->below;
    mprof__draw_time_axis(&d->layout, d->below.y + d->below.height);
    d->layout.plot = plot;
}

static void set_frame(drawing *d)
{
    mprof_frame *frame = &d->layout.figure->frame;
    frame->plot = d->layout.plot;
    frame->bottom = d->below.y + d->below.height;
    frame->from_s = d->layout.from_s;
    frame->to_s = d->layout.to_s;
    frame->low_mib = d->layout.memory.from;
    frame->high_mib = d->layout.memory.to;
    frame->unit = d->layout.options->unit;
    frame->strip_mib = (d->differences.to - d->differences.from) / d->below.height;
}

static mprof_status set_texts(drawing *d)
{
    const mprof__comparison *item = d->item;
    mprof_figure *figure = d->layout.figure;
    char title[1000], facts[1300], source[1000];
    const char *own = d->layout.options->title;
    snprintf(title, sizeof title, "%.480s \xE2\x86\x92 %.480s", name_of(d, 0), name_of(d, 1));
    const mprof__change *peak = &item->changes[MPROF__CHANGE_PEAK];
    char amount[48] = "";
    if (!isnan(peak->difference)) {
        mprof__change_text_in(amount, sizeof amount, d->layout.options->unit, peak->difference);
    }
    snprintf(facts, sizeof facts, "%.900s%s%s", item->headline,
             *amount ? MPROF__FACT_SEPARATOR "peak " : "", amount);
    snprintf(source, sizeof source, "%.480s, %.480s", name_of(d, 0), name_of(d, 1));
    own = own ? own : title;
    mprof__text_spell_minus(facts, sizeof facts);
    figure->title = mprof__visible_text(own, strlen(own), 1000);
    figure->facts = mprof__visible_text(facts, strlen(facts), 1300);
    figure->source = mprof__visible_text(source, strlen(source), 1000);
    return figure->title && figure->facts && figure->source ? MPROF_OK : MPROF_ENOMEM;
}

static mprof_status draw_page(drawing *d, mprof_error *error)
{
    mprof_status status = set_texts(d);
    status = status == MPROF_OK ? divide_page(d, error) : status;
    if (status != MPROF_OK) {
        return status;
    }
    set_frame(d);
    mprof__draw_heading(&d->layout);
    mprof__draw_memory_axis(&d->layout);
    draw_time_axis(d);
    draw_curves(d);
    draw_peaks(d);
    label_sustained(d);
    draw_difference_axis(d);
    draw_difference(d);
    draw_functions(d);
    return d->layout.figure->status;
}

mprof_status mprof__difference_figure(mprof_figure **out, const mprof__comparison *comparison,
                                      const mprof_figure_options *options,
                                      const mprof_measure *measure, mprof_error *error)
{
    const mprof__compared_point *points = comparison->points;
    *out = NULL;
    if (comparison->point_count < 2 ||
        !(points[comparison->point_count - 1].at_s > points[0].at_s)) {
        return mprof_error_set(error, MPROF_EARGUMENT, "there are too few samples to draw");
    }
    /* two inputs that nothing reads: the time axis begins at 0 */
    drawing d = {.layout = {.options = options, .measure = measure, .input_count = 2},
                 .item = comparison};
    d.layout.from_s = points[0].at_s;
    d.layout.to_s = points[comparison->point_count - 1].at_s;
    mprof_figure *figure = calloc(1, sizeof *figure);
    if (!figure) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    d.layout.figure = figure;
    figure->width_px = options->width_px;
    figure->height_px = options->height_px;
    figure->sizes = mprof__page_sizes_of(options->width_px, options->height_px, options->without);
    find_peaks(&d);
    mprof_status status = draw_page(&d, error);
    if (status != MPROF_OK) {
        mprof_figure_free(figure);
        return mprof_error_set(error, status, "%s",
                               status == MPROF_ENOMEM ? "out of memory"
                                                      : "cannot lay out the figure");
    }
    *out = figure;
    return MPROF_OK;
}
