/* A line through columns needs few points: those on a straight line are left out. */
#include "member_line.h"

#include <math.h>
#include <stdlib.h>

#define LEVEL_PX 1.5        /* low and high of a column that are this near are one point */
#define LEAST_PX 1.0        /* width of what ran for a column only */
#define OUTSIDE_MOST_PX 1e5 /* coordinates that every format can write */

/* Points that are collected before those on straight lines are left out. */
struct line {
    mprof_figure *figure;
    size_t first;                /* of the figure's points */
    double top_slope, low_slope; /* that all points since then allow */
    mprof_point last;            /* not added yet */
    bool has_last;
    double straight_px;
};

static void line_begin(struct line *line, mprof_figure *figure, const mprof__member_plot *plot)
{
    *line = (struct line){
        .figure = figure, .first = figure->point_count, .straight_px = plot->straight_px};
}

static void start_range(struct line *line)
{
    line->top_slope = INFINITY;
    line->low_slope = -INFINITY;
}

/* Keeps the range of slopes from the fixed point that passes all later ones at a small distance;
 * a point outside of it fixes the one before. */
static void line_to(struct line *line, double x, double y)
{
    mprof_figure *figure = line->figure;
    mprof_point next = {(float)x, (float)y};
    if (figure->point_count == line->first || line->straight_px == 0) {
        mprof__add_path_point(figure, x, y);
        start_range(line);
        return;
    }
    if (figure->status != MPROF_OK) {
        return;
    }
    const mprof_point *fixed = &figure->points[figure->point_count - 1];
    double dx = (double)next.x - (double)fixed->x, dy = (double)next.y - (double)fixed->y;
    double slope = dx > 0 ? dy / dx : NAN;
    if (line->has_last && !(slope <= line->top_slope && slope >= line->low_slope)) {
        mprof__add_path_point(figure, (double)line->last.x, (double)line->last.y);
        if (figure->status != MPROF_OK) {
            return;
        }
        fixed = &figure->points[figure->point_count - 1];
        dx = (double)next.x - (double)fixed->x;
        dy = (double)next.y - (double)fixed->y;
        start_range(line);
    }
    line->last = next;
    line->has_last = true;
    if (dx > 0) {
        line->top_slope = fmin(line->top_slope, (dy + line->straight_px) / dx);
        line->low_slope = fmax(line->low_slope, (dy - line->straight_px) / dx);
    } else {
        line->top_slope = -INFINITY; /* upright: nothing else is on this line */
    }
}

static void line_end(struct line *line)
{
    if (line->has_last) {
        mprof__add_path_point(line->figure, (double)line->last.x, (double)line->last.y);
        line->has_last = false;
    }
}

double mprof__member_column_x(const mprof__members *members, const mprof__member_plot *plot,
                              size_t column)
{
    return plot->box.x + plot->box.width * ((double)column + 0.5) / (double)members->column_count;
}

double mprof__member_y(const mprof__member_plot *plot, double mib)
{
    double y = mprof__scale_at(&plot->memory, mib);
    double outside = plot->is_clipped ? OUTSIDE_MOST_PX : 0;
    return fmin(fmax(y, plot->box.y - outside), plot->box.y + plot->box.height + outside);
}

/* A part without gaps, [first, end). */
static void draw_part(mprof_figure *figure, const mprof__members *members, size_t item,
                      const mprof__member_plot *plot, size_t first, size_t end, mprof_role role,
                      bool filled)
{
    const float *low = mprof__member_row(members, members->low, item);
    const float *high = mprof__member_row(members, members->high, item);
    const float *mean = mprof__member_row(members, members->mean, item);
    double floor_y = plot->box.y + plot->box.height, last_y = floor_y;
    double left = mprof__member_column_x(members, plot, first);
    double right = mprof__member_column_x(members, plot, end - 1);
    struct line line;
    if (end - first == 1) { /* it ran for less than two columns */
        left -= LEAST_PX / 2;
        right += LEAST_PX / 2;
    }
    line_begin(&line, figure, plot);
    if (filled) {
        line_to(&line, left, floor_y);
    }
    for (size_t i = first; i < end; i++) {
        double x = end - first == 1 ? left : mprof__member_column_x(members, plot, i);
        double low_y = mprof__member_y(plot, (double)low[i]);
        double high_y = mprof__member_y(plot, (double)high[i]);
        if (low_y - high_y < LEVEL_PX) {
            last_y = low_y - high_y < plot->straight_px ? high_y
                                                        : mprof__member_y(plot, (double)mean[i]);
            line_to(&line, x, last_y);
            continue;
        }
        bool is_low_first = fabs(last_y - low_y) < fabs(last_y - high_y);
        line_to(&line, x, is_low_first ? low_y : high_y);
        last_y = is_low_first ? high_y : low_y;
        line_to(&line, x, last_y);
    }
    if (end - first == 1) {
        line_to(&line, right, last_y);
    }
    if (filled) {
        line_to(&line, right, floor_y);
    }
    line_end(&line);
    mprof__add_path(figure, MPROF_SHAPE_LINE, role, MPROF_COLOUR_NONE, line.first,
                    MPROF_ABOUT_NONE);
}

void mprof__draw_member(mprof_figure *figure, const mprof__members *members, size_t item,
                        const mprof__member_plot *plot, mprof_role role, bool filled)
{
    const float *high = mprof__member_row(members, members->high, item);
    for (size_t i = 0; i < members->column_count;) {
        size_t end = i;
        while (end < members->column_count && !isnan(high[end])) {
            end++;
        }
        if (end > i) {
            draw_part(figure, members, item, plot, i, end, role, filled);
        }
        i = end + 1;
    }
}

/* ---- all members ---- */

double mprof__column_low(const mprof__member_column *column)
{
    return column->low_mib;
}
double mprof__column_high(const mprof__member_column *column)
{
    return column->high_mib;
}
double mprof__column_mean(const mprof__member_column *column)
{
    return column->mean_mib;
}
double mprof__column_median(const mprof__member_column *column)
{
    return column->median_mib;
}
double mprof__column_tenth(const mprof__member_column *column)
{
    return column->tenth_mib;
}
double mprof__column_ninetieth(const mprof__member_column *column)
{
    return column->ninetieth_mib;
}

/* The next part in which at least `least` members ran, from *end on. */
static bool next_part(const mprof__members *members, size_t least, size_t *first, size_t *end)
{
    size_t i = *end;
    while (i < members->column_count && members->columns[i].count < least) {
        i++;
    }
    *first = i;
    while (i < members->column_count && members->columns[i].count >= least) {
        i++;
    }
    *end = i;
    return *first < i;
}

void mprof__draw_column_line(mprof_figure *figure, const mprof__members *members,
                             const mprof__member_plot *plot, mprof_role role,
                             mprof__column_value *value, size_t least, uint32_t about)
{
    size_t first, end = 0;
    while (next_part(members, least, &first, &end)) {
        struct line line;
        line_begin(&line, figure, plot);
        for (size_t i = first; i < end; i++) {
            line_to(&line, mprof__member_column_x(members, plot, i),
                    mprof__member_y(plot, value(&members->columns[i])));
        }
        line_end(&line);
        mprof__add_path(figure, MPROF_SHAPE_LINE, role, MPROF_COLOUR_NONE, line.first, about);
    }
}

void mprof__draw_column_band(mprof_figure *figure, const mprof__members *members,
                             const mprof__member_plot *plot, mprof_role role,
                             mprof__column_value *low, mprof__column_value *high, size_t least)
{
    size_t first, end = 0;
    while (next_part(members, least, &first, &end)) {
        size_t start = figure->point_count;
        for (size_t i = first; i < end; i++) {
            mprof__add_path_point(figure, mprof__member_column_x(members, plot, i),
                                  mprof__member_y(plot, high(&members->columns[i])));
        }
        for (size_t i = end; i-- > first;) {
            mprof__add_path_point(figure, mprof__member_column_x(members, plot, i),
                                  mprof__member_y(plot, low(&members->columns[i])));
        }
        mprof__add_path(figure, MPROF_SHAPE_AREA, role, MPROF_COLOUR_NONE, start, MPROF_ABOUT_NONE);
    }
}
