/* Draws a series point by point, or, where samples are dense, the lowest and highest of each pixel
 * column, so that no peak is lost. A pause in the recording is not bridged. */
#include "curve.h"

#include "gaps.h"
#include "layout.h"
#include "occupancy.h"

#include "parse/series.h"

#include <math.h>
#include <stdlib.h>

#define GAP_LEAST_PX 3.0
#define DOT_SPACING_PX 16.0
#define DOT_RADIUS_PX 1.8
#define CLEARANCE_PX 2.0

/* The pixel column being filled. */
struct column {
    int index;
    size_t count;
    mprof_point low, high; /* low: largest y */
    bool low_before_high;
};

static void add_new_point(mprof_figure *figure, mprof_point point)
{
    size_t n = figure->point_count;
    if (n && figure->points[n - 1].x == point.x && figure->points[n - 1].y == point.y) {
        return;
    }
    mprof__add_path_point(figure, (double)point.x, (double)point.y);
}

static void flush_column(mprof_figure *figure, struct column *column)
{
    if (!column->count) {
        return;
    }
    add_new_point(figure, column->low_before_high ? column->low : column->high);
    add_new_point(figure, column->low_before_high ? column->high : column->low);
    column->count = 0;
}

static void add_to_column(mprof_figure *figure, struct column *column, mprof_point point)
{
    int index = (int)floorf(point.x);
    if (!column->count || index != column->index) {
        flush_column(figure, column);
        column->index = index;
        column->low = column->high = point;
    }
    if (point.y > column->low.y) {
        column->low = point;
        column->low_before_high = false;
    }
    if (point.y < column->high.y) {
        column->high = point;
        column->low_before_high = true;
    }
    column->count++;
}

/* Adds the points [first, end) again as the edge of the area below; of a dense line only the
 * highest of each column. */
static void repeat_points(mprof_figure *figure, size_t first, size_t end, bool highest)
{
    for (size_t i = first; i < end && figure->status == MPROF_OK; i++) {
        mprof_point point = figure->points[i];
        while (highest && i + 1 < end && floorf(figure->points[i + 1].x) == floorf(point.x)) {
            i++;
            point.y = fminf(point.y, figure->points[i].y);
        }
        mprof__add_path_point(figure, (double)point.x, (double)point.y);
    }
}

/* Turns the points from `first` on into shapes. */
static void add_shapes(mprof__layout *layout, size_t first, const mprof__stroke *stroke, bool fine)
{
    mprof_figure *figure = layout->figure;
    size_t count = figure->point_count - first;
    mprof_role line =
        fine && stroke->line == MPROF_ROLE_CURVE ? MPROF_ROLE_CURVE_FINE : stroke->line;
    if (figure->status != MPROF_OK || count == 0) {
        return;
    }
    if (count == 1) {
        mprof_point only = figure->points[first];
        figure->point_count = first;
        if (stroke->dot == MPROF_ROLE_COUNT) {
            return;
        }
        mprof__add_dot(figure, stroke->dot, stroke->colour, (double)only.x, (double)only.y,
                       DOT_RADIUS_PX + 0.4);
        mprof__set_about(figure, stroke->about);
        return;
    }
    if (stroke->reserve && layout->occupancy) {
        for (size_t i = first + 1; i < figure->point_count; i++) {
            mprof__occupancy_reserve_segment(
                layout->occupancy,
                (mprof__segment){(double)figure->points[i - 1].x, (double)figure->points[i - 1].y,
                                 (double)figure->points[i].x, (double)figure->points[i].y},
                CLEARANCE_PX);
        }
    }
    if (line == MPROF_ROLE_COUNT && stroke->area == MPROF_ROLE_COUNT) {
        figure->point_count = first; /* only room was to be reserved */
        return;
    }
    if (stroke->area != MPROF_ROLE_COUNT) {
        double floor_y = layout->plot.y + layout->plot.height;
        double start_x = (double)figure->points[first].x;
        double end_x = (double)figure->points[first + count - 1].x;
        size_t edge = figure->point_count;
        repeat_points(figure, first, first + count, fine);
        mprof__add_path_point(figure, end_x, floor_y);
        mprof__add_path_point(figure, start_x, floor_y);
        mprof__add_path(figure, MPROF_SHAPE_AREA, stroke->area, stroke->colour, edge,
                        MPROF_ABOUT_NONE);
        if (line == MPROF_ROLE_COUNT) {
            return;
        }
        size_t again = figure->point_count;
        repeat_points(figure, first, first + count, false);
        first = again;
    }
    mprof__add_path(figure, MPROF_SHAPE_LINE, line, stroke->colour, first, stroke->about);
}

static mprof_sample between(mprof_sample a, mprof_sample b, double time_s)
{
    double share = (time_s - a.time_s) / (b.time_s - a.time_s);
    return (mprof_sample){a.mib + (b.mib - a.mib) * share, time_s};
}

struct pen {
    mprof__layout *layout;
    const mprof__stroke *stroke;
    const mprof__figure_input *input;
    bool by_column;
    struct column column;
    size_t first;
    uint8_t cut; /* of the line that is being drawn: mprof_cut */
};

static void add_sample(struct pen *pen, mprof_sample sample)
{
    mprof_point point = {
        (float)mprof__time_x(pen->layout, pen->input, sample.time_s),
        (float)mprof__scale_at(&pen->layout->memory, sample.mib),
    };
    if (pen->by_column) {
        add_to_column(pen->layout->figure, &pen->column, point);
    } else {
        add_new_point(pen->layout->figure, point);
    }
}

/* A point at an edge of the window that is no sample. In a column with samples it would hide the
 * highest of them. */
static void add_edge(struct pen *pen, mprof_sample edge, mprof_sample neighbour, mprof_cut cut)
{
    double x = mprof__time_x(pen->layout, pen->input, edge.time_s);
    double next_x = mprof__time_x(pen->layout, pen->input, neighbour.time_s);
    if (!pen->by_column || floor(x) != floor(next_x)) {
        add_sample(pen, edge);
        pen->cut |= (uint8_t)cut;
    }
}

static void end_line(struct pen *pen)
{
    flush_column(pen->layout->figure, &pen->column);
    add_shapes(pen->layout, pen->first, pen->stroke, pen->by_column);
    if (pen->cut) {
        mprof__set_cut(pen->layout->figure, pen->cut);
        pen->cut = 0;
    }
    pen->first = pen->layout->figure->point_count;
}

static void draw_dots(mprof__layout *layout, const mprof__figure_input *input,
                      const mprof_series *series, const mprof__stroke *stroke, size_t begin,
                      size_t end)
{
    for (size_t i = begin; i < end; i++) {
        mprof__add_dot(layout->figure, stroke->dot, stroke->colour,
                       mprof__time_x(layout, input, series->points[i].time_s),
                       mprof__scale_at(&layout->memory, series->points[i].mib), DOT_RADIUS_PX);
    }
}

/* True if the line is interrupted between two points of the series. */
static bool is_interrupted(const mprof__layout *layout, const mprof__figure_input *input,
                           const mprof_series *series, const mprof__stroke *stroke,
                           mprof_sample before, mprof_sample after)
{
    double least_s = GAP_LEAST_PX * (layout->to_s - layout->from_s) / layout->plot.width;
    least_s = fmax(least_s / input->stretch, stroke->bridged_s);
    least_s = fmax(least_s, MPROF__REDUCED_GAP_FACTOR * mprof__reduced_interval_s(series));
    return stroke->gap_s > 0 ? after.time_s - before.time_s > fmax(stroke->gap_s, least_s)
                             : mprof__is_gap(input, before.time_s, after.time_s, least_s);
}

void mprof__draw_series(mprof__layout *layout, const mprof__figure_input *input,
                        const mprof_series *series, const mprof__stroke *stroke)
{
    double from = mprof__recording_time_s(input, layout->from_s);
    double to = mprof__recording_time_s(input, layout->to_s);
    size_t begin = mprof__first_point_from(series, from);
    size_t end = begin;
    while (end < series->point_count && series->points[end].time_s <= to) {
        end++;
    }
    const mprof_sample *points = series->points;
    struct pen pen = {.layout = layout,
                      .stroke = stroke,
                      .input = input,
                      .by_column = (double)(end - begin) > 2 * layout->plot.width,
                      .first = layout->figure->point_count};
    if (begin > 0 && begin < series->point_count && points[begin].time_s > from &&
        !is_interrupted(layout, input, series, stroke, points[begin - 1], points[begin])) {
        add_edge(&pen, between(points[begin - 1], points[begin], from), points[begin],
                 MPROF_CUT_FIRST);
    }
    for (size_t i = begin; i < end; i++) {
        if (i > begin && is_interrupted(layout, input, series, stroke, points[i - 1], points[i])) {
            end_line(&pen);
        }
        add_sample(&pen, points[i]);
    }
    if (end > 0 && end < series->point_count && points[end - 1].time_s < to &&
        !is_interrupted(layout, input, series, stroke, points[end - 1], points[end])) {
        add_edge(&pen, between(points[end - 1], points[end], to), points[end - 1], MPROF_CUT_LAST);
    }
    end_line(&pen);
    if (stroke->dots && (double)(end - begin) * DOT_SPACING_PX <= layout->plot.width) {
        draw_dots(layout, input, series, stroke, begin, end);
    }
}
