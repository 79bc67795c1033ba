/* A call has an opening bracket at its entry and a closing one at its exit, each at the memory of
 * that moment. The longest calls get brackets, as long as a reader can tell which two belong
 * together, and a label where there is room; all calls are bars below. A process whose calls
 * overlap has none: an exit would look like the end of the call that began last. */
#include "brackets.h"

#include "annotations.h"
#include "fit_text.h"
#include "format_units.h"
#include "layout.h"
#include "merged_calls.h"
#include "occupancy.h"
#include "parse/array.h"
#include "process_curves.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIR_PX 24.0  /* a narrower call has no brackets */
#define CLEAR_PX 12.0 /* between two edges */
#define LABEL_HEIGHT_PX 13.0
#define LABEL_MARGIN_PX 2.0
#define LEVEL_PX 10 /* of a call that ends at about the memory it began with */
#define LABELLED_MAX 400

struct bracket {
    const mprof__figure_input *input;
    uint32_t span;
    float x0, y0, x1, y1;
    float duration_s;
    bool cut_left, cut_right;
    uint32_t about;
};

struct brackets {
    struct bracket *list;
    size_t count, room;
};

/* The edges on the curves of one recording, sorted by x. */
struct edges {
    const mprof__figure_input *input;
    float *x;
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
        .cut_left = (start < layout->from_s),
        .cut_right = (end > layout->to_s),
    };
}

/* The plot shows the memory of the process, and one call at a time. */
static bool has_brackets(const mprof__figure_input *input, uint32_t process)
{
    if (input->overlapping[process] || mprof__has_own_strip(input, process)) {
        return false;
    }
    if (!input->processes_overlap) {
        return process == 0 || mprof__has_own_line(input, process);
    }
    return process == 0 && !input->main_is_sum;
}

/* All calls that are wide enough. */
static bool collect_brackets(struct brackets *brackets, const mprof__layout *layout,
                             const mprof__figure_input *input)
{
    double least_s = PAIR_PX / layout->time.extent * (layout->to_s - layout->from_s);
    for (size_t i = 0; i < input->barred_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        if (span->exit.time_s - span->enter.time_s < least_s ||
            !has_brackets(input, span->process)) {
            continue;
        }
        struct bracket next = bracket_of(layout, input, input->shown[i]);
        if (next.x1 - next.x0 < (float)PAIR_PX) {
            continue;
        }
        struct bracket *added = add_bracket(brackets);
        if (!added) {
            return false;
        }
        *added = next;
    }
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

/* The first edge that is not left of x. */
static size_t edge_from(const struct edges *edges, float x)
{
    size_t low = 0, high = edges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (edges->x[middle] < x) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_clear(const struct edges *edges, float x)
{
    size_t after = edge_from(edges, x - (float)CLEAR_PX);
    return after == edges->count || edges->x[after] >= x + (float)CLEAR_PX;
}

static bool add_edge(struct edges *edges, float x)
{
    float *list = mprof__array_grow(edges->x, edges->count, &edges->room, sizeof *list);
    if (!list) {
        return false;
    }
    edges->x = list;
    size_t at = edge_from(edges, x);
    memmove(list + at + 1, list + at, (edges->count - at) * sizeof *list);
    list[at] = x;
    edges->count++;
    return true;
}

/* The recordings with brackets. */
struct curves {
    struct edges *list;
    size_t count, room;
};

static struct edges *edges_of(struct curves *curves, const struct bracket *bracket)
{
    for (size_t i = 0; i < curves->count; i++) {
        if (curves->list[i].input == bracket->input) {
            return &curves->list[i];
        }
    }
    struct edges *list =
        mprof__array_grow(curves->list, curves->count, &curves->room, sizeof *list);
    if (!list) {
        return NULL;
    }
    curves->list = list;
    list[curves->count] = (struct edges){.input = bracket->input};
    return &list[curves->count++];
}

/* Keeps the longest calls whose edges are clear of those of longer ones in the same recording.
 * False: no memory. */
static bool thin_brackets(struct brackets *brackets)
{
    struct curves curves = {NULL, 0, 0};
    size_t kept = 0;
    bool good = true;
    for (size_t i = 0; good && i < brackets->count; i++) {
        const struct bracket bracket = brackets->list[i];
        bool enters = !bracket.cut_left;
        bool leaves = !bracket.cut_right && !bracket.input->spans[bracket.span].open;
        struct edges *edges = edges_of(&curves, &bracket);
        if (!edges) {
            good = false;
        } else if ((!enters || is_clear(edges, bracket.x0)) &&
                   (!leaves || is_clear(edges, bracket.x1))) {
            good = (!enters || add_edge(edges, bracket.x0)) &&
                   (!leaves || add_edge(edges, bracket.x1));
            brackets->list[kept++] = bracket;
        }
    }
    for (size_t i = 0; i < curves.count; i++) {
        free(curves.list[i].x);
    }
    free(curves.list);
    brackets->count = kept;
    return good;
}

static double half_height(const struct bracket *bracket)
{
    double half = 10.5 - 1.5 * level_of(bracket);
    return half < 5 ? 5 : half;
}

/* Inside the plot, also where memory is close to 0. */
static mprof_box edge_box(const mprof__layout *layout, const struct bracket *bracket, bool enter)
{
    double half = half_height(bracket);
    double arm = half * 0.45;
    double x = enter ? (double)bracket->x0 : (double)bracket->x1;
    double y = enter ? (double)bracket->y0 : (double)bracket->y1;
    y = fmin(y, layout->plot.y + layout->plot.height - half);
    return (mprof_box){enter ? x : x - arm, y - half, arm, 2 * half};
}

static void draw_edge(mprof__layout *layout, const struct bracket *bracket, bool enter, int colour,
                      uint32_t about)
{
    mprof_box box = edge_box(layout, bracket, enter);
    if (!mprof__is_in_plot(layout, box.y) || !mprof__is_in_plot(layout, box.y + box.height)) {
        return;
    }
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
                               .call_count = span->count ? span->count : 1,
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
    snprintf(text, sizeof text, "%s %s%s", name, duration, span->open ? " \xE2\x80\xA6" : "");
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
        good = thin_brackets(&brackets);
    }
    for (size_t i = brackets.count; good && i-- > 0;) {
        draw_bracket(layout, &brackets.list[i]);
    }
    mprof__draw_process_peak(layout); /* brackets come before its label */
    mprof__begin_group(layout->figure, MPROF_GROUP_NAMES);
    for (size_t i = 0; good && i < brackets.count && i < LABELLED_MAX; i++) {
        draw_label(layout, &brackets.list[i]);
    }
    mprof__fail(layout->figure, good ? MPROF_OK : MPROF_ENOMEM);
    free(brackets.list);
}
