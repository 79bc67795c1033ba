/* A call has an opening bracket at its entry and a closing one at its exit, each at the memory of
 * that moment. The longest calls get brackets and, where there is room, a label; the others are
 * fine ticks, so that a thousand calls stay readable. */
#include "brackets.h"

#include "annotations.h"
#include "fit_text.h"
#include "format_units.h"
#include "layout.h"
#include "merged_calls.h"
#include "occupancy.h"
#include "parse/array.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BRACKETS_PER_PX 0.085 /* at most, per pixel of width */
#define NEAR_PX 4.0           /* closer edges would hide each other */
#define SHIFT_PX 3.5
#define SHIFTED_MAX 6
#define FINE_PX 3.5 /* half height of a tick */
#define LABEL_HEIGHT_PX 13.0
#define LABEL_MARGIN_PX 2.0
#define LEVEL_PX 10 /* of a call that ends at about the memory it began with */
#define LABELLED_MAX 400

/* One call, or several of one function that begin in one pixel column and end in one. */
struct bracket {
    const mprof__figure_input *input;
    uint32_t span;
    float x0, y0, x1, y1;
    float duration_s;
    uint32_t call_count;
    float shift0, shift1; /* px; keep overlapping edges apart */
    bool cut_left, cut_right;
    uint32_t about;
};

struct brackets {
    struct bracket *list;
    size_t count, room;
};

static struct bracket *add_bracket(struct brackets *brackets)
{
    struct bracket *list =
        mprof__array_grow(brackets->list, brackets->count, &brackets->room, sizeof *list);
    if (!list) {
        return NULL;
    }
    brackets->list = list;
    return &list[brackets->count++];
}

static struct bracket bracket_of(const mprof__layout *layout, const mprof__figure_input *input,
                                 uint32_t index)
{
    const mprof_span *span = &input->spans[index];
    double start = span->enter.time_s - input->start_s;
    double end = span->exit.time_s - input->start_s;
    return (struct bracket){
        .input = input,
        .span = index,
        .x0 = (float)mprof__scale_at(&layout->time, fmax(start, layout->from_s)),
        .y0 = (float)mprof__scale_at(&layout->memory, span->enter.mib),
        .x1 = (float)mprof__scale_at(&layout->time, fmin(end, layout->to_s)),
        .y1 = (float)mprof__scale_at(&layout->memory, span->exit.mib),
        .duration_s = (float)(end - start),
        .call_count = 1,
        .cut_left = (start < layout->from_s),
        .cut_right = (end > layout->to_s),
    };
}

static bool share_columns(const struct bracket *a, const struct bracket *b)
{
    return (int)a->x0 == (int)b->x0 && (int)a->x1 == (int)b->x1 && fabsf(a->y0 - b->y0) < 4 &&
           fabsf(a->y1 - b->y1) < 4;
}

/* Calls are sorted by lane and time: only a function's last bracket can share its columns. */
static bool collect_brackets(struct brackets *brackets, const mprof__layout *layout,
                             const mprof__figure_input *input)
{
    size_t *last = malloc((input->function_count + 1) * sizeof *last);
    if (!last) {
        return false;
    }
    for (size_t i = 0; i < input->function_count; i++) {
        last[i] = SIZE_MAX;
    }
    for (size_t i = 0; i < input->shown_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        struct bracket next = bracket_of(layout, input, input->shown[i]);
        size_t before = last[span->function];
        if (before != SIZE_MAX && share_columns(&brackets->list[before], &next)) {
            struct bracket *shared = &brackets->list[before];
            next.call_count += shared->call_count;
            if (shared->duration_s >= next.duration_s) {
                next.span = shared->span;
                next.duration_s = shared->duration_s;
            }
            *shared = next;
            continue;
        }
        struct bracket *added = add_bracket(brackets);
        if (!added) {
            free(last);
            return false;
        }
        *added = next;
        last[span->function] = brackets->count - 1;
    }
    free(last);
    return true;
}

static int32_t level_of(const struct bracket *bracket)
{
    return bracket->input->spans[bracket->span].level;
}

static int by_duration(const void *a, const void *b)
{
    const struct bracket *x = a, *y = b;
    if (x->duration_s != y->duration_s) {
        return x->duration_s < y->duration_s ? 1 : -1;
    }
    return x->span < y->span ? -1 : x->span > y->span;
}

static double half_height(const struct bracket *bracket)
{
    double half = 10.5 - 1.5 * level_of(bracket);
    return half < 5 ? 5 : half;
}

/* One end of a bracket. Edges that overlap are shifted like nested parentheses: the outer call goes
 * further outside. */
struct edge {
    float x, y;
    int32_t level;
    uint32_t bracket;
};

static int by_position(const void *a, const void *b)
{
    const struct edge *p = a, *q = b;
    if (p->x != q->x) {
        return p->x < q->x ? -1 : 1;
    }
    return p->level != q->level ? (p->level > q->level ? -1 : 1)
                                : (p->bracket < q->bracket ? -1 : 1);
}

static int by_level(const void *a, const void *b)
{
    const struct edge *p = a, *q = b;
    if (p->level != q->level) {
        return p->level > q->level ? -1 : 1;
    }
    return p->x != q->x ? (p->x < q->x ? -1 : 1) : (p->bracket < q->bracket ? -1 : 1);
}

static void spread_edges(struct brackets *brackets, size_t count, struct edge *edges, bool enter)
{
    for (size_t i = 0; i < count; i++) {
        const struct bracket *bracket = &brackets->list[i];
        edges[i] = (struct edge){enter ? bracket->x0 : bracket->x1,
                                 enter ? bracket->y0 : bracket->y1, level_of(bracket), (uint32_t)i};
    }
    qsort(edges, count, sizeof *edges, by_position);
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && edges[end].x - edges[end - 1].x < (float)NEAR_PX &&
               fabsf(edges[end].y - edges[first].y) < 20) {
            end++;
        }
        if (end - first > 1) {
            qsort(edges + first, end - first, sizeof *edges, by_level);
            /* the innermost stays; each further one moves clear of the one before */
            float at = edges[first].x;
            for (size_t i = first + 1; i < end && i - first < SHIFTED_MAX; i++) {
                float wanted = enter ? at - (float)SHIFT_PX : at + (float)SHIFT_PX;
                float place = enter ? fminf(edges[i].x, wanted) : fmaxf(edges[i].x, wanted);
                struct bracket *bracket = &brackets->list[edges[i].bracket];
                *(enter ? &bracket->shift0 : &bracket->shift1) = place - edges[i].x;
                at = place;
            }
        }
        first = end;
    }
}

/* Inside the plot, also where memory is close to 0. */
static mprof_box edge_box(const mprof__layout *layout, const struct bracket *bracket, bool enter)
{
    double half = half_height(bracket);
    double arm = half * 0.45;
    double x =
        enter ? (double)(bracket->x0 + bracket->shift0) : (double)(bracket->x1 + bracket->shift1);
    double y = enter ? (double)bracket->y0 : (double)bracket->y1;
    y = fmin(y, layout->plot.y + layout->plot.height - half);
    return (mprof_box){enter ? x : x - arm, y - half, arm, 2 * half};
}

static void draw_edge(mprof__layout *layout, const struct bracket *bracket, bool enter, int colour,
                      uint32_t about)
{
    mprof_box box = edge_box(layout, bracket, enter);
    double spine = enter ? box.x : box.x + box.width;
    double tip = enter ? box.x + box.width : box.x;
    size_t first = layout->figure->point_count;
    mprof__add_path_point(layout->figure, tip, box.y);
    mprof__add_path_point(layout->figure, spine, box.y);
    mprof__add_path_point(layout->figure, spine, box.y + box.height);
    mprof__add_path_point(layout->figure, tip, box.y + box.height);
    mprof__add_path(layout->figure, MPROF_SHAPE_LINE, MPROF_ROLE_BRACKET, colour, first, about);
    mprof__set_anchor(layout->figure, (double)(enter ? bracket->x0 : bracket->x1),
                      (double)(enter ? bracket->y0 : bracket->y1));
    mprof__occupancy_reserve(layout->occupancy,
                             (mprof_box){box.x - 1, box.y - 1, box.width + 2, box.height + 2});
}

static int colour_of(const struct bracket *bracket)
{
    return bracket->input->function_colours[bracket->input->spans[bracket->span].function];
}

static void draw_bracket(mprof__layout *layout, struct bracket *bracket)
{
    const mprof_span *span = &bracket->input->spans[bracket->span];
    mprof__merged_call call = {.span = bracket->span,
                               .start_s = span->enter.time_s - bracket->input->start_s,
                               .end_s = span->exit.time_s - bracket->input->start_s,
                               .call_count = bracket->call_count,
                               .functions = mprof__function_bit(bracket->input, span),
                               .open = span->open != 0};
    int colour = colour_of(bracket);
    bracket->about = mprof__about_merged_call(layout, bracket->input, &call);
    if (!bracket->cut_left) {
        draw_edge(layout, bracket, true, colour, bracket->about);
    }
    if (!bracket->cut_right && !span->open) {
        draw_edge(layout, bracket, false, colour, bracket->about);
    }
}

/* Ticks for the other calls; each cell of the plot shows its longest call only. */
static bool draw_fine_ticks(mprof__layout *layout, const struct brackets *brackets, size_t first)
{
    size_t columns = (size_t)(layout->plot.width / 2) + 2,
           rows = (size_t)(layout->plot.height / 4) + 2;
    unsigned char *occupied = calloc(columns, rows);
    if (!occupied) {
        return false;
    }
    for (size_t i = first; i < brackets->count; i++) {
        const struct bracket *bracket = &brackets->list[i];
        for (int side = 0; side < 2; side++) {
            double x = side ? (double)bracket->x1 : (double)bracket->x0;
            double y = side ? (double)bracket->y1 : (double)bracket->y0;
            if (side ? bracket->cut_right : bracket->cut_left) {
                continue;
            }
            double column = (x - layout->plot.x) / 2, row = (y - layout->plot.y) / 4;
            if (column < 0 || row < 0 || column >= (double)columns || row >= (double)rows) {
                continue;
            }
            unsigned char *cell = &occupied[(size_t)row * columns + (size_t)column];
            if (*cell) {
                continue;
            }
            *cell = 1;
            mprof__add_segment(layout->figure, MPROF_ROLE_BRACKET_FINE, colour_of(bracket),
                               (mprof__segment){x, y - FINE_PX, x, y + FINE_PX});
            mprof__set_anchor(layout->figure, x, y);
        }
    }
    free(occupied);
    return true;
}

/* Tries places next to one of its brackets, the best first: above the opening bracket or the middle
 * of a level call, below, after the closing bracket, before the opening one. */
static bool place_label(mprof__layout *layout, const struct bracket *bracket, double width,
                        mprof_box *place)
{
    mprof_box enter = edge_box(layout, bracket, true), leave = edge_box(layout, bracket, false);
    double above = enter.y - LABEL_HEIGHT_PX - LABEL_MARGIN_PX;
    double below = enter.y + enter.height + LABEL_MARGIN_PX;
    double leave_above = leave.y - LABEL_HEIGHT_PX - LABEL_MARGIN_PX;
    double leave_below = leave.y + leave.height + LABEL_MARGIN_PX;
    double middle = (enter.x + leave.x + leave.width) / 2 - width / 2;
    double end = leave.x + leave.width;
    double enter_middle = enter.y + enter.height / 2 - LABEL_HEIGHT_PX / 2;
    double leave_middle = leave.y + leave.height / 2 - LABEL_HEIGHT_PX / 2;
    bool level = fabsf(bracket->y0 - bracket->y1) < LEVEL_PX && end - enter.x < 3 * width;
    const struct {
        double x, y;
    } places[] = {
        {level ? middle : enter.x, fmin(above, level ? leave_above : above)},
        {enter.x, above},
        {level ? middle : enter.x, fmax(below, level ? leave_below : below)},
        {enter.x, below},
        {enter.x + enter.width + 4, enter_middle},
        {end + 4, leave_middle},
        {enter.x - width - 4, enter_middle},
        {enter.x - width + 4, above},
        {enter.x - width + 4, below},
        {end - width, leave_above},
        {end - width, leave_below},
        {end, leave_above},
        {end, leave_below},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        *place = (mprof_box){places[i].x, places[i].y, width, LABEL_HEIGHT_PX};
        mprof_box room = {place->x - LABEL_MARGIN_PX, place->y, width + 2 * LABEL_MARGIN_PX,
                          LABEL_HEIGHT_PX};
        if (mprof__occupancy_is_free(layout->occupancy, room)) {
            mprof__occupancy_reserve(layout->occupancy, room);
            return true;
        }
    }
    return false;
}

static void draw_label(mprof__layout *layout, const struct bracket *bracket)
{
    const mprof_span *span = &bracket->input->spans[bracket->span];
    char name[MPROF__LABEL_SIZE], duration[32], text[MPROF__LABEL_SIZE + 64];
    size_t length = mprof__fit_text(layout, MPROF_ROLE_BRACKET_NAME, name, sizeof name,
                                    bracket->input->function_labels[span->function], 180);
    if (!length || bracket->cut_left) {
        return;
    }
    mprof__duration_text(duration, sizeof duration, (double)bracket->duration_s);
    if (bracket->call_count > 1) {
        snprintf(text, sizeof text, "%s %s \xC3\x97%u", name, duration, bracket->call_count);
    } else {
        snprintf(text, sizeof text, "%s %s%s", name, duration, span->open ? " \xE2\x80\xA6" : "");
    }
    for (int step = 0; step < 2; step++) {
        const char *shown = step ? name : text;
        double width = mprof__text_width(layout, MPROF_ROLE_BRACKET_NAME, shown, strlen(shown));
        mprof_box place;
        if (!place_label(layout, bracket, width, &place)) {
            continue;
        }
        mprof__add_text(layout->figure, &(mprof__text_item){.role = MPROF_ROLE_BRACKET_NAME,
                                                            .colour = colour_of(bracket),
                                                            .x = place.x,
                                                            .y = place.y + LABEL_HEIGHT_PX - 3,
                                                            .width = width,
                                                            .text = shown,
                                                            .length = strlen(shown)});
        mprof__set_about(layout->figure, bracket->about);
        return;
    }
}

void mprof__draw_brackets(mprof__layout *layout)
{
    struct brackets brackets = {NULL, 0, 0};
    bool good = true;
    for (size_t i = 0; good && i < layout->input_count; i++) {
        good = collect_brackets(&brackets, layout, &layout->inputs[i]);
    }
    if (good && brackets.count) {
        qsort(brackets.list, brackets.count, sizeof *brackets.list, by_duration);
    }
    size_t full = (size_t)(layout->plot.width * BRACKETS_PER_PX);
    full = brackets.count < full ? brackets.count : full;
    struct edge *edges = malloc((full + 1) * sizeof *edges);
    good = good && edges;
    if (good) {
        spread_edges(&brackets, full, edges, true);
        spread_edges(&brackets, full, edges, false);
        good = draw_fine_ticks(layout, &brackets, full);
        for (size_t i = full; i-- > 0;) {
            draw_bracket(layout, &brackets.list[i]);
        }
        mprof__draw_process_peak(layout); /* brackets come before its label */
        mprof__begin_group(layout->figure, MPROF_GROUP_NAMES);
        for (size_t i = 0; i < full && i < LABELLED_MAX; i++) {
            draw_label(layout, &brackets.list[i]);
        }
    }
    mprof__fail(layout->figure, good ? MPROF_OK : MPROF_ENOMEM);
    free(edges);
    free(brackets.list);
}
