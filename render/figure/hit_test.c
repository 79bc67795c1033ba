/* What is at a place of a figure: the shape under it, and the samples of its moment. */
#include "display_list.h"
#include "hit.h"
#include "scales.h"

#include <mprof/paint.h>

#include <math.h>

/* How far from a line a pointer still touches it, px. */
#define TOUCH_PX 3.0
/* Beyond this distance a moment has no sample, px. */
#define NEAR_PX 8.0
/* Of the height of a line of text. */
#define ASCENT_SHARE 0.8

mprof_point mprof_figure_place(const mprof_figure *figure, const mprof_box *rectangle, double x,
                               double y)
{
    mprof__placing placing = mprof__placing_of(figure, rectangle);
    return (mprof_point){(float)((x - placing.x) / placing.scale),
                         (float)((y - placing.y) / placing.scale)};
}

mprof__placing mprof__placing_of(const mprof_figure *figure, const mprof_box *rectangle)
{
    mprof__placing placing = {1, 0, 0};
    if (rectangle) {
        placing.scale =
            fmin(rectangle->width / figure->width_px, rectangle->height / figure->height_px);
        placing.x = rectangle->x + (rectangle->width - placing.scale * figure->width_px) / 2;
        placing.y = rectangle->y + (rectangle->height - placing.scale * figure->height_px) / 2;
    }
    return placing;
}

/* ---- shapes ---- */

static double distance_to_segment(mprof_point a, mprof_point b, double x, double y)
{
    double dx = (double)b.x - (double)a.x, dy = (double)b.y - (double)a.y;
    double length = dx * dx + dy * dy;
    double share = length > 0 ? ((x - (double)a.x) * dx + (y - (double)a.y) * dy) / length : 0;
    share = fmax(0, fmin(1, share));
    return hypot((double)a.x + share * dx - x, (double)a.y + share * dy - y);
}

static bool touches_line(const mprof_point *points, uint32_t count, double x, double y)
{
    for (uint32_t i = 1; i < count; i++) {
        if (distance_to_segment(points[i - 1], points[i], x, y) <= TOUCH_PX) {
            return true;
        }
    }
    return false;
}

/* Counts the edges that a ray to the right crosses. */
static bool is_inside(const mprof_point *points, uint32_t count, double x, double y)
{
    bool inside = false;
    for (uint32_t i = 0, k = count - 1; i < count; k = i++) {
        double ay = (double)points[i].y, by = (double)points[k].y;
        double ax = (double)points[i].x, bx = (double)points[k].x;
        if ((ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)) {
            inside = !inside;
        }
    }
    return inside;
}

static bool touches_item(const mprof_figure *figure, const mprof_item *item, double x, double y)
{
    double left = (double)item->x, top = (double)item->y;
    switch ((mprof_shape)item->shape) {
    case MPROF_SHAPE_RECT:
    case MPROF_SHAPE_CELLS:
        /* the narrowest boxes are drawn one pixel wide */
        return x >= left && x < left + fmax(1, (double)item->width) && y >= top &&
               y < top + fmax(1, (double)item->height);
    case MPROF_SHAPE_LINE:
        return touches_line(&figure->points[item->first], item->count, x, y);
    case MPROF_SHAPE_AREA:
        return is_inside(&figure->points[item->first], item->count, x, y);
    case MPROF_SHAPE_DOT:
        return hypot(x - left, y - top) <= (double)item->width / 2 + TOUCH_PX;
    case MPROF_SHAPE_TEXT: /* y is the baseline; labels of calls begin at x */
        return x >= left && x < left + (double)item->width &&
               y >= top - ASCENT_SHARE * (double)item->height &&
               y < top + (1 - ASCENT_SHARE) * (double)item->height;
    }
    return false;
}

static uint32_t find_item(const mprof_figure *figure, double x, double y)
{
    for (size_t i = figure->item_count; i-- > 0;) {
        const mprof_item *item = &figure->items[i];
        if (item->about != MPROF_ABOUT_NONE && touches_item(figure, item, x, y)) {
            return (uint32_t)i;
        }
    }
    return MPROF_HIT_NONE;
}

/* ---- samples ---- */

static double time_px(const mprof_figure *figure)
{
    return (figure->frame.to_s - figure->frame.from_s) / figure->frame.plot.width;
}

static double time_x(const mprof_figure *figure, double time_s)
{
    return figure->frame.plot.x + (time_s - figure->frame.from_s) / time_px(figure);
}

static double column_of(const mprof_figure *figure, double time_s)
{
    return floor(time_x(figure, time_s) + 1e-6);
}

/* The last tick at or before a moment, else the first. */
static size_t tick_before(const mprof_figure *figure, double time_s)
{
    size_t low = 0, high = figure->tick_count;
    while (high - low > 1) {
        size_t half = (low + high) / 2;
        if (figure->ticks[half].time_s <= time_s) {
            low = half;
        } else {
            high = half;
        }
    }
    return low;
}

/* The tick with the highest sum in the pixel column, else the nearest one. */
static uint32_t find_tick(const mprof_figure *figure, double time_s)
{
    const mprof_figure_tick *ticks = figure->ticks;
    if (figure->tick_count == 0) {
        return MPROF_HIT_NONE;
    }
    size_t before = tick_before(figure, time_s), best = SIZE_MAX;
    double column = column_of(figure, time_s);
    for (size_t i = before + 1; i-- > 0 && column_of(figure, ticks[i].time_s) == column;) {
        best = best == SIZE_MAX || ticks[i].total_mib >= ticks[best].total_mib ? i : best;
    }
    for (size_t i = before + 1;
         i < figure->tick_count && column_of(figure, ticks[i].time_s) == column; i++) {
        best = best == SIZE_MAX || ticks[i].total_mib > ticks[best].total_mib ? i : best;
    }
    if (best != SIZE_MAX) {
        return (uint32_t)best;
    }
    size_t after = before + 1 < figure->tick_count ? before + 1 : before;
    bool is_between =
        ticks[before].time_s < time_s && time_s < ticks[after].time_s && !ticks[after].is_after_gap;
    best =
        fabs(ticks[before].time_s - time_s) <= fabs(ticks[after].time_s - time_s) ? before : after;
    bool is_near = fabs(ticks[best].time_s - time_s) <= NEAR_PX * time_px(figure);
    return is_between || is_near ? (uint32_t)best : MPROF_HIT_NONE;
}

bool mprof__is_near(const mprof_figure *figure, double time_s, double other_s)
{
    return fabs(time_s - other_s) < NEAR_PX * time_px(figure);
}

/* The range of the points [first, end) in the column of one of them. */
static void widen_by_column(mprof__curve_sample *sample, const mprof_figure *figure,
                            const mprof_point *points, uint32_t first, uint32_t end, uint32_t at)
{
    uint32_t from = at, to = at + 1;
    while (from > first && floorf(points[from - 1].x) == floorf(points[at].x)) {
        from--;
    }
    while (to < end && floorf(points[to].x) == floorf(points[at].x)) {
        to++;
    }
    for (uint32_t i = from; i < to; i++) {
        double mib = mprof__frame_mib_at(&figure->frame, (double)points[i].y);
        sample->low_mib = fmin(sample->low_mib, mib);
        sample->high_mib = fmax(sample->high_mib, mib);
    }
}

bool mprof__curve_value(const mprof_figure *figure, const mprof_item *item, double time_s,
                        mprof__curve_sample *sample)
{
    const mprof_frame *frame = &figure->frame;
    const mprof_point *points = &figure->points[item->first];
    uint32_t first = item->anchor & MPROF_CUT_FIRST ? 1 : 0;
    uint32_t end = item->count - (item->anchor & MPROF_CUT_LAST ? 1 : 0), best = end;
    double x = time_x(figure, time_s);
    for (uint32_t i = first; i < end; i++) {
        if (best == end || fabs((double)points[i].x - x) < fabs((double)points[best].x - x)) {
            best = i;
        }
    }
    if (best == end) {
        return false;
    }
    bool is_between = x > (double)points[first].x && x < (double)points[end - 1].x;
    if (!is_between && fabs((double)points[best].x - x) > NEAR_PX) {
        return false;
    }
    double mib = mprof__frame_mib_at(frame, (double)points[best].y);
    *sample = (mprof__curve_sample){
        frame->from_s + ((double)points[best].x - frame->plot.x) * time_px(figure), mib, mib, mib};
    widen_by_column(sample, figure, points, first, end, best);
    return true;
}

bool mprof__is_curve(const mprof_item *item)
{
    switch ((mprof_role)item->role) {
    case MPROF_ROLE_CURVE:
    case MPROF_ROLE_CURVE_FINE:
    case MPROF_ROLE_CHILD:
    case MPROF_ROLE_KIND:
    case MPROF_ROLE_CONTROL_GROUP:
    case MPROF_ROLE_LIMIT:
    case MPROF_ROLE_WORST:
    case MPROF_ROLE_BAND_EDGE:
        return item->shape == MPROF_SHAPE_LINE;
    default:
        return false;
    }
}

/* The nearest sample of the curve of MEM: where several recordings or pieces have one, the nearest
 * of all. */
static void find_sample(const mprof_figure *figure, mprof_hit *hit)
{
    for (size_t i = 0; i < figure->item_count; i++) {
        const mprof_item *item = &figure->items[i];
        mprof__curve_sample sample;
        bool is_main = item->role == MPROF_ROLE_CURVE || item->role == MPROF_ROLE_CURVE_FINE;
        if (is_main && mprof__is_curve(item) &&
            mprof__curve_value(figure, item, hit->time_s, &sample) &&
            !(fabs(hit->sample_s - hit->time_s) <= fabs(sample.time_s - hit->time_s))) {
            hit->sample_s = sample.time_s;
            hit->sample_mib = sample.mib;
        }
    }
}

mprof_hit mprof_figure_hit_test(const mprof_figure *figure, double x, double y)
{
    const mprof_box *plot = &figure->frame.plot;
    mprof_hit hit = {MPROF_HIT_NOTHING,
                     NAN,
                     MPROF_HIT_NONE,
                     MPROF_ABOUT_NONE,
                     MPROF_FUNCTION_NONE,
                     MPROF_HIT_NONE,
                     NAN,
                     NAN};
    hit.item = find_item(figure, x, y);
    if (hit.item != MPROF_HIT_NONE) {
        hit.about = figure->items[hit.item].about;
        hit.function = figure->abouts[hit.about].function;
        hit.kind = hit.function == MPROF_FUNCTION_NONE ? MPROF_HIT_CURVE : MPROF_HIT_CALL;
    }
    if (!(x >= plot->x && x <= plot->x + plot->width && y >= plot->y &&
          y <= figure->frame.bottom)) {
        return hit;
    }
    hit.kind = hit.kind == MPROF_HIT_NOTHING ? MPROF_HIT_MOMENT : hit.kind;
    hit.time_s = figure->frame.from_s + (x - plot->x) * time_px(figure);
    hit.tick = find_tick(figure, hit.time_s);
    if (hit.tick != MPROF_HIT_NONE) {
        hit.sample_s = figure->ticks[hit.tick].time_s;
        hit.sample_mib = figure->ticks[hit.tick].total_mib;
    } else {
        find_sample(figure, &hit);
    }
    return hit;
}
