/* Calls on the memory curve: an opening bracket where the function was entered, a closing one where
 * it returned, both at the memory of that moment. The longest calls get brackets and, where there
 * is room, a label; what is left becomes fine ticks, so that a thousand calls stay readable. */
#include "brackets.h"

#include "annotations.h"
#include "fit_text.h"
#include "format_units.h"
#include "layout.h"
#include "merged_calls.h"
#include "occupancy.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL_PER_PX 0.085 /* brackets per pixel of width, at most */
#define NEAR_PX 4.0       /* closer edges than this would hide each other */
#define FAN_PX 3.5
#define FAN_MAX 6
#define FINE_PX 3.5 /* half height of a tick */
#define LABEL_HEIGHT_PX 13.0
#define LABEL_MARGIN_PX 2.0
#define LEVEL_PX 10 /* a call that ends at about the memory it began with */
#define LABEL_TRIES_MAX 400

/* A call, or several of one function that share both pixel columns. */
struct mark {
    const mprof__figure_input *recording;
    uint32_t span;
    float x0, y0, x1, y1;
    float duration_s;
    uint32_t calls;
    float fan0, fan1; /* shifts that pull overlapping edges apart */
    bool cut_left, cut_right;
    uint32_t about;
};

struct marks {
    struct mark *list;
    size_t count, room;
};

static struct mark *add_mark(struct marks *marks)
{
    if (marks->count == marks->room) {
        size_t room = marks->room ? marks->room * 2 : 256;
        struct mark *grown = realloc(marks->list, room * sizeof *grown);
        if (!grown) {
            return NULL;
        }
        marks->list = grown;
        marks->room = room;
    }
    return &marks->list[marks->count++];
}

static struct mark mark_of(const mprof__layout *layout, const mprof__figure_input *recording,
                           uint32_t index)
{
    const mprof_span *span = &recording->spans[index];
    double start = span->enter.time_s - recording->start_s;
    double end = span->exit.time_s - recording->start_s;
    return (struct mark){
        .recording = recording,
        .span = index,
        .x0 = (float)mprof__scale_at(&layout->time, fmax(start, layout->from_s)),
        .y0 = (float)mprof__scale_at(&layout->memory, span->enter.mib),
        .x1 = (float)mprof__scale_at(&layout->time, fmin(end, layout->to_s)),
        .y1 = (float)mprof__scale_at(&layout->memory, span->exit.mib),
        .duration_s = (float)(end - start),
        .calls = 1,
        .cut_left = start<layout->from_s, .cut_right = end> layout->to_s,
    };
}

static int share_columns(const struct mark *a, const struct mark *b)
{
    return (int)a->x0 == (int)b->x0 && (int)a->x1 == (int)b->x1 && fabsf(a->y0 - b->y0) < 4 &&
           fabsf(a->y1 - b->y1) < 4;
}

/* Calls come sorted by lane and time, so the last mark of a function is the one to share with. */
static int gather(struct marks *marks, const mprof__layout *layout,
                  const mprof__figure_input *recording)
{
    size_t *last = malloc((recording->function_count + 1) * sizeof *last);
    if (!last) {
        return 0;
    }
    for (size_t i = 0; i < recording->function_count; i++) {
        last[i] = SIZE_MAX;
    }
    for (size_t i = 0; i < recording->shown_count; i++) {
        const mprof_span *span = &recording->spans[recording->shown[i]];
        struct mark next = mark_of(layout, recording, recording->shown[i]);
        size_t before = last[span->function];
        if (before != SIZE_MAX && share_columns(&marks->list[before], &next)) {
            struct mark *shared = &marks->list[before];
            next.calls += shared->calls;
            if (shared->duration_s >= next.duration_s) {
                next.span = shared->span;
                next.duration_s = shared->duration_s;
            }
            *shared = next;
            continue;
        }
        struct mark *added = add_mark(marks);
        if (!added) {
            free(last);
            return 0;
        }
        *added = next;
        last[span->function] = marks->count - 1;
    }
    free(last);
    return 1;
}

static int32_t level_of(const struct mark *mark)
{
    return mark->recording->spans[mark->span].level;
}

static int by_duration(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->duration_s != y->duration_s) {
        return x->duration_s < y->duration_s ? 1 : -1;
    }
    return x->span < y->span ? -1 : x->span > y->span;
}

static double half_height(const struct mark *mark)
{
    double half = 10.5 - 1.5 * level_of(mark);
    return half < 5 ? 5 : half;
}

/* Edges that meet are fanned out as parentheses are: the outer call stands further outside. */
struct edge {
    float x, y;
    int32_t level;
    uint32_t mark;
};

static int by_place(const void *a, const void *b)
{
    const struct edge *p = a, *q = b;
    if (p->x != q->x) {
        return p->x < q->x ? -1 : 1;
    }
    return p->level != q->level ? (p->level > q->level ? -1 : 1) : (p->mark < q->mark ? -1 : 1);
}

static int by_level(const void *a, const void *b)
{
    const struct edge *p = a, *q = b;
    if (p->level != q->level) {
        return p->level > q->level ? -1 : 1;
    }
    return p->x != q->x ? (p->x < q->x ? -1 : 1) : (p->mark < q->mark ? -1 : 1);
}

static void fan_out(struct marks *marks, size_t count, struct edge *edges, bool enter)
{
    for (size_t i = 0; i < count; i++) {
        const struct mark *mark = &marks->list[i];
        edges[i] = (struct edge){enter ? mark->x0 : mark->x1, enter ? mark->y0 : mark->y1,
                                 level_of(mark), (uint32_t)i};
    }
    qsort(edges, count, sizeof *edges, by_place);
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && edges[end].x - edges[end - 1].x < (float)NEAR_PX &&
               fabsf(edges[end].y - edges[first].y) < 20) {
            end++;
        }
        if (end - first > 1) {
            qsort(edges + first, end - first, sizeof *edges, by_level);
            /* the innermost stays, each further one goes where it clears the one before */
            float at = enter ? edges[first].x : edges[first].x;
            for (size_t i = first + 1; i < end && i - first < FAN_MAX; i++) {
                float wanted = enter ? at - (float)FAN_PX : at + (float)FAN_PX;
                float place = enter ? fminf(edges[i].x, wanted) : fmaxf(edges[i].x, wanted);
                struct mark *mark = &marks->list[edges[i].mark];
                *(enter ? &mark->fan0 : &mark->fan1) = place - edges[i].x;
                at = place;
            }
        }
        first = end;
    }
}

/* Kept inside the plot, also where memory is next to nothing. */
static mprof_box edge_box(const mprof__layout *layout, const struct mark *mark, bool enter)
{
    double half = half_height(mark);
    double arm = half * 0.45;
    double x = enter ? (double)(mark->x0 + mark->fan0) : (double)(mark->x1 + mark->fan1);
    double y = enter ? (double)mark->y0 : (double)mark->y1;
    y = fmin(y, layout->plot.y + layout->plot.height - half);
    return (mprof_box){enter ? x : x - arm, y - half, arm, 2 * half};
}

static void draw_edge(mprof__layout *layout, const struct mark *mark, bool enter, int colour,
                      uint32_t about)
{
    mprof_box box = edge_box(layout, mark, enter);
    double spine = enter ? box.x : box.x + box.width;
    double tip = enter ? box.x + box.width : box.x;
    size_t first = layout->figure->point_count;
    mprof__add_path_point(layout->figure, tip, box.y);
    mprof__add_path_point(layout->figure, spine, box.y);
    mprof__add_path_point(layout->figure, spine, box.y + box.height);
    mprof__add_path_point(layout->figure, tip, box.y + box.height);
    mprof__add_path(layout->figure, MPROF_SHAPE_LINE, MPROF_ROLE_BRACKET, colour, first, about);
    mprof__set_anchor(layout->figure, (double)(enter ? mark->x0 : mark->x1),
                      (double)(enter ? mark->y0 : mark->y1));
    mprof__space_take(layout->space,
                      (mprof_box){box.x - 1, box.y - 1, box.width + 2, box.height + 2});
}

static int colour_of(const struct mark *mark)
{
    return mark->recording->function_colours[mark->recording->spans[mark->span].function];
}

static void draw_full(mprof__layout *layout, struct mark *mark)
{
    const mprof_span *span = &mark->recording->spans[mark->span];
    mprof__run run = {.span = mark->span,
                      .start_s = span->enter.time_s - mark->recording->start_s,
                      .end_s = span->exit.time_s - mark->recording->start_s,
                      .calls = mark->calls,
                      .functions = mprof__function_bit(mark->recording, span),
                      .open = span->open != 0};
    int colour = colour_of(mark);
    mark->about = mprof__about_run(layout, mark->recording, &run);
    if (!mark->cut_left) {
        draw_edge(layout, mark, true, colour, mark->about);
    }
    if (!mark->cut_right && !span->open) {
        draw_edge(layout, mark, false, colour, mark->about);
    }
}

/* Ticks for the rest; a cell of the plot shows the longest call that touches it. */
static int draw_fine(mprof__layout *layout, const struct marks *marks, size_t first)
{
    size_t columns = (size_t)(layout->plot.width / 2) + 2,
           rows = (size_t)(layout->plot.height / 4) + 2;
    unsigned char *taken = calloc(columns, rows);
    if (!taken) {
        return 0;
    }
    for (size_t i = first; i < marks->count; i++) {
        const struct mark *mark = &marks->list[i];
        for (int side = 0; side < 2; side++) {
            double x = side ? (double)mark->x1 : (double)mark->x0;
            double y = side ? (double)mark->y1 : (double)mark->y0;
            if (side ? mark->cut_right : mark->cut_left) {
                continue;
            }
            double column = (x - layout->plot.x) / 2, row = (y - layout->plot.y) / 4;
            if (column < 0 || row < 0 || column >= (double)columns || row >= (double)rows) {
                continue;
            }
            unsigned char *cell = &taken[(size_t)row * columns + (size_t)column];
            if (*cell) {
                continue;
            }
            *cell = 1;
            mprof__add_segment(layout->figure, MPROF_ROLE_BRACKET_FINE, colour_of(mark), x,
                               y - FINE_PX, x, y + FINE_PX);
            mprof__set_anchor(layout->figure, x, y);
        }
    }
    free(taken);
    return 1;
}

/* Where a label may stand, best first: above the opening bracket, above the middle of a level call,
 * below, behind the closing bracket, before the opening one. Always next to one of its brackets. */
static int place_label(mprof__layout *layout, const struct mark *mark, double width,
                       mprof_box *place)
{
    mprof_box enter = edge_box(layout, mark, true), leave = edge_box(layout, mark, false);
    double above = enter.y - LABEL_HEIGHT_PX - LABEL_MARGIN_PX;
    double below = enter.y + enter.height + LABEL_MARGIN_PX;
    double leave_above = leave.y - LABEL_HEIGHT_PX - LABEL_MARGIN_PX;
    double leave_below = leave.y + leave.height + LABEL_MARGIN_PX;
    double middle = (enter.x + leave.x + leave.width) / 2 - width / 2;
    double end = leave.x + leave.width;
    double enter_middle = enter.y + enter.height / 2 - LABEL_HEIGHT_PX / 2;
    double leave_middle = leave.y + leave.height / 2 - LABEL_HEIGHT_PX / 2;
    bool level = fabsf(mark->y0 - mark->y1) < LEVEL_PX && end - enter.x < 3 * width;
    const struct {
        double x, y;
    } tries[] = {
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
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        *place = (mprof_box){tries[i].x, tries[i].y, width, LABEL_HEIGHT_PX};
        mprof_box room = {place->x - LABEL_MARGIN_PX, place->y, width + 2 * LABEL_MARGIN_PX,
                          LABEL_HEIGHT_PX};
        if (mprof__space_is_free(layout->space, room)) {
            mprof__space_take(layout->space, room);
            return 1;
        }
    }
    return 0;
}

static void draw_label(mprof__layout *layout, const struct mark *mark)
{
    const mprof_span *span = &mark->recording->spans[mark->span];
    char name[MPROF__LABEL_SIZE], duration[32], text[MPROF__LABEL_SIZE + 64];
    size_t length = mprof__fit_text(layout, MPROF_ROLE_BRACKET_NAME, name, sizeof name,
                                    mark->recording->function_labels[span->function], 180);
    if (!length || mark->cut_left) {
        return;
    }
    mprof__duration_text(duration, sizeof duration, (double)mark->duration_s);
    if (mark->calls > 1) {
        snprintf(text, sizeof text, "%s %s \xC3\x97%u", name, duration, mark->calls);
    } else {
        snprintf(text, sizeof text, "%s %s%s", name, duration, span->open ? " \xE2\x80\xA6" : "");
    }
    for (int step = 0; step < 2; step++) {
        const char *shown = step ? name : text;
        double width = mprof__text_width(layout, MPROF_ROLE_BRACKET_NAME, shown, strlen(shown));
        mprof_box place;
        if (!place_label(layout, mark, width, &place)) {
            continue;
        }
        mprof__add_text(layout->figure, MPROF_ROLE_BRACKET_NAME, colour_of(mark),
                        MPROF_ANCHOR_START, place.x, place.y + LABEL_HEIGHT_PX - 3, width, shown,
                        strlen(shown));
        mprof__set_about(layout->figure, mark->about);
        return;
    }
}

void mprof__draw_brackets(mprof__layout *layout)
{
    struct marks marks = {NULL, 0, 0};
    int good = 1;
    for (size_t i = 0; good && i < layout->recording_count; i++) {
        good = gather(&marks, layout, &layout->recordings[i]);
    }
    if (good && marks.count) {
        qsort(marks.list, marks.count, sizeof *marks.list, by_duration);
    }
    size_t full = (size_t)(layout->plot.width * FULL_PER_PX);
    full = marks.count < full ? marks.count : full;
    struct edge *edges = malloc((full + 1) * sizeof *edges);
    good = good && edges;
    if (good) {
        fan_out(&marks, full, edges, true);
        fan_out(&marks, full, edges, false);
        good = draw_fine(layout, &marks, full);
        for (size_t i = full; i-- > 0;) {
            draw_full(layout, &marks.list[i]);
        }
        mprof__draw_child_peak(layout); /* its name gives way to brackets */
        mprof__group(layout->figure, MPROF_GROUP_NAMES);
        for (size_t i = 0; i < full && i < LABEL_TRIES_MAX; i++) {
            draw_label(layout, &marks.list[i]);
        }
    }
    if (!good && layout->figure->status == MPROF_OK) {
        layout->figure->status = MPROF_ENOMEM;
    }
    free(edges);
    free(marks.list);
}
