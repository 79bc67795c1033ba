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

/* A curve on its way to the page. Where nothing else clips it, it ends at the edges of its box. */
struct pen {
    struct line line;
    const mprof__member_plot *plot;
    mprof_role role;
    bool is_cut;  /* only what is within the box is drawn */
    bool is_area; /* its edge follows that of the box where it leaves it */
    bool has_point;
    uint32_t about;
    double x, y; /* the point before */
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

/* ---- at the edges of a box ---- */

static void pen_begin(struct pen *pen, mprof_figure *figure)
{
    line_begin(&pen->line, figure, pen->plot);
    pen->has_point = false;
}

/* A single point is no line. */
static void pen_end(struct pen *pen)
{
    mprof_figure *figure = pen->line.figure;
    line_end(&pen->line);
    if (pen->is_cut && figure->point_count - pen->line.first < 2) {
        figure->point_count = pen->line.first;
    } else {
        mprof__add_path(figure, pen->is_area ? MPROF_SHAPE_AREA : MPROF_SHAPE_LINE, pen->role,
                        MPROF_COLOUR_NONE, pen->line.first, pen->about);
    }
    line_begin(&pen->line, figure, pen->plot);
}

static double within(const mprof__member_plot *plot, double y)
{
    return fmin(fmax(y, plot->box.y), plot->box.y + plot->box.height);
}

static bool is_within(const mprof__member_plot *plot, double y)
{
    return y >= plot->box.y && y <= plot->box.y + plot->box.height;
}

/* Adds the part of a segment that is within the box, as shares of its length. */
static void add_inner_part(struct pen *pen, double x, double y)
{
    const mprof_box *box = &pen->plot->box;
    double dx = x - pen->x, dy = y - pen->y;
    double first = (box->y - pen->y) / dy, second = (box->y + box->height - pen->y) / dy;
    double enters = fmax(0, fmin(first, second)), leaves = fmin(1, fmax(first, second));
    if (dy == 0 || enters > leaves) {
        return; /* all of it is on one side */
    }
    if (enters > 0 && enters < 1) {
        line_to(&pen->line, pen->x + dx * enters, within(pen->plot, pen->y + dy * enters));
    }
    if (leaves > 0 && leaves < 1) {
        line_to(&pen->line, pen->x + dx * leaves, within(pen->plot, pen->y + dy * leaves));
    }
    if (leaves < 1 && !pen->is_area) {
        pen_end(pen);
    }
}

static void pen_to(struct pen *pen, double x, double y)
{
    if (pen->is_cut && pen->has_point) {
        add_inner_part(pen, x, y);
    }
    if (!pen->is_cut) {
        line_to(&pen->line, x, y);
    } else if (pen->is_area || is_within(pen->plot, y)) {
        line_to(&pen->line, x, within(pen->plot, y));
    }
    pen->x = x;
    pen->y = y;
    pen->has_point = true;
}

/* ---- one member ---- */

double mprof__member_column_x(const mprof__members *members, const mprof__member_plot *plot,
                              size_t column)
{
    return plot->box.x + plot->box.width * ((double)column + 0.5) / (double)members->column_count;
}

double mprof__member_y(const mprof__member_plot *plot, double mib)
{
    double y = mprof__scale_at(&plot->memory, mib);
    return fmin(fmax(y, plot->box.y - OUTSIDE_MOST_PX),
                plot->box.y + plot->box.height + OUTSIDE_MOST_PX);
}

struct part {
    size_t item, first, end; /* columns without a gap, [first, end) */
    bool filled;             /* down to the floor */
};

static void trace_part(struct pen *pen, const mprof__members *members, const struct part *part)
{
    const mprof__member_plot *plot = pen->plot;
    const float *low = mprof__member_row(members, members->low, part->item);
    const float *high = mprof__member_row(members, members->high, part->item);
    const float *mean = mprof__member_row(members, members->mean, part->item);
    double floor_y = plot->box.y + plot->box.height, last_y = floor_y;
    double left = mprof__member_column_x(members, plot, part->first);
    double right = mprof__member_column_x(members, plot, part->end - 1);
    bool is_brief = part->end - part->first == 1; /* it ran for less than two columns */
    if (is_brief) {
        left -= LEAST_PX / 2;
        right += LEAST_PX / 2;
    }
    if (part->filled) {
        pen_to(pen, left, floor_y);
    }
    for (size_t i = part->first; i < part->end; i++) {
        double x = is_brief ? left : mprof__member_column_x(members, plot, i);
        double low_y = mprof__member_y(plot, (double)low[i]);
        double high_y = mprof__member_y(plot, (double)high[i]);
        if (low_y - high_y < LEVEL_PX) {
            last_y = low_y - high_y < plot->straight_px ? high_y
                                                        : mprof__member_y(plot, (double)mean[i]);
            pen_to(pen, x, last_y);
            continue;
        }
        bool is_low_first = fabs(last_y - low_y) < fabs(last_y - high_y);
        pen_to(pen, x, is_low_first ? low_y : high_y);
        last_y = is_low_first ? high_y : low_y;
        pen_to(pen, x, last_y);
    }
    if (is_brief) {
        pen_to(pen, right, last_y);
    }
    if (part->filled) {
        pen_to(pen, right, floor_y);
    }
    pen_end(pen);
}

static bool leaves_box(const mprof__members *members, const mprof__member_plot *plot,
                       const struct part *part)
{
    const float *low = mprof__member_row(members, members->low, part->item);
    const float *high = mprof__member_row(members, members->high, part->item);
    for (size_t i = part->first; i < part->end; i++) {
        if (!is_within(plot, mprof__member_y(plot, (double)low[i])) ||
            !is_within(plot, mprof__member_y(plot, (double)high[i]))) {
            return true;
        }
    }
    return false;
}

/* A curve with its area is one path, unless it leaves the box: then the area's edge is not drawn.
 */
static void draw_part(mprof_figure *figure, const mprof__members *members,
                      const mprof__member_plot *plot, const struct part *part, mprof_role role)
{
    struct pen pen = {.plot = plot, .role = role, .about = MPROF_ABOUT_NONE};
    bool is_worst = role == MPROF_ROLE_MEMBER_WORST;
    pen.is_cut = !plot->is_clipped && leaves_box(members, plot, part);
    if (pen.is_cut && part->filled) {
        pen.is_area = true;
        pen.role = is_worst ? MPROF_ROLE_MEMBER_AREA_WORST : MPROF_ROLE_MEMBER_AREA;
        pen_begin(&pen, figure);
        trace_part(&pen, members, part);
        pen.is_area = false;
        pen.role = is_worst ? MPROF_ROLE_MEMBER_LINE_WORST : MPROF_ROLE_MEMBER_LINE;
    }
    pen_begin(&pen, figure);
    trace_part(&pen, members, part);
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
            draw_part(figure, members, plot, &(struct part){item, i, end, filled}, role);
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
        struct pen pen = {.plot = plot, .role = role, .is_cut = !plot->is_clipped, .about = about};
        pen_begin(&pen, figure);
        for (size_t i = first; i < end; i++) {
            pen_to(&pen, mprof__member_column_x(members, plot, i),
                   mprof__member_y(plot, value(&members->columns[i])));
        }
        pen_end(&pen);
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
