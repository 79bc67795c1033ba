/* The calls of a column are sorted by their outermost function and stacked. The upper half of each
 * stack has the colour of that function, the lower half those of the functions that it was in. */
#include "calls_at_once.h"

#include "call_slots.h"
#include "format_units.h"
#include "layout.h"
#include "merged_calls.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_PX 2.0
#define PAIR_MAX 12  /* further kinds of calls count with the last one */
#define DEPTH_MAX 16 /* deeper calls do not count */
#define SPLIT_PX 3.0 /* a lower stack has no halves */
#define SEGMENT_MAX (2 * PAIR_MAX)

/* Calls with one outermost and one innermost function. */
struct pair {
    uint32_t outer, inner, count; /* functions */
};

struct column {
    struct pair pairs[PAIR_MAX];
    uint32_t pair_count, total;
};

struct mprof__calls_at_once {
    const mprof__figure_input *input;
    uint32_t process;
    double column_s;
    size_t column_count, most;
    struct column *columns;
};

struct event {
    double at; /* seconds from the left edge */
    uint32_t span;
    bool is_entry;
};

/* The calls that are open in one lane. */
struct stack {
    uint32_t functions[DEPTH_MAX];
    uint32_t depth;
    uint32_t place; /* in the list of busy lanes */
};

struct sweep {
    mprof__calls_at_once *at_once;
    struct event *events;
    size_t event_count;
    struct stack *stacks;
    uint32_t *busy; /* lanes with open calls */
    size_t busy_count;
};

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->at < y->at || x->at > y->at) {
        return x->at < y->at ? -1 : 1;
    }
    if (x->is_entry != y->is_entry) {
        return x->is_entry ? 1 : -1;
    }
    return x->span < y->span ? -1 : x->span > y->span;
}

static void collect_events(struct sweep *sweep, const mprof__layout *layout)
{
    const mprof__figure_input *input = sweep->at_once->input;
    double origin_s = input->start_s + layout->from_s, whole_s = layout->to_s - layout->from_s;
    for (size_t i = 0; i < input->barred_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        double from = fmax(0, span->enter.time_s - origin_s);
        double to = fmin(whole_s, span->exit.time_s - origin_s);
        bool own = sweep->at_once->process == MPROF__EVERY_PROCESS ||
                   sweep->at_once->process == span->process;
        if (own && to > from) {
            sweep->events[sweep->event_count++] = (struct event){from, input->shown[i], true};
            sweep->events[sweep->event_count++] = (struct event){to, input->shown[i], false};
        }
    }
    qsort(sweep->events, sweep->event_count, sizeof *sweep->events, by_time);
}

static void enter(struct sweep *sweep, const mprof_span *span)
{
    struct stack *stack = &sweep->stacks[span->lane];
    if (stack->depth == DEPTH_MAX) {
        return;
    }
    if (!stack->depth) {
        stack->place = (uint32_t)sweep->busy_count;
        sweep->busy[sweep->busy_count++] = span->lane;
    }
    stack->functions[stack->depth++] = span->function;
}

static void leave(struct sweep *sweep, const mprof_span *span)
{
    struct stack *stack = &sweep->stacks[span->lane];
    uint32_t i = stack->depth;
    while (i && stack->functions[i - 1] != span->function) {
        i--;
    }
    if (!i) {
        return;
    }
    memmove(stack->functions + i - 1, stack->functions + i,
            (stack->depth - i) * sizeof *stack->functions);
    if (--stack->depth) {
        return;
    }
    uint32_t last = sweep->busy[--sweep->busy_count];
    sweep->busy[stack->place] = last;
    sweep->stacks[last].place = stack->place;
}

static void add_pair(struct column *column, uint32_t outer, uint32_t inner)
{
    for (uint32_t i = 0; i < column->pair_count; i++) {
        struct pair *pair = &column->pairs[i];
        if ((pair->outer == outer && pair->inner == inner) || i + 1 == PAIR_MAX) {
            pair->count++;
            return;
        }
    }
    column->pairs[column->pair_count++] = (struct pair){outer, inner, 1};
}

/* Keeps what runs now for the columns from `from` to `to` where fewer calls ran before. */
static void keep_state(struct sweep *sweep, double from, double to)
{
    mprof__calls_at_once *at_once = sweep->at_once;
    size_t c = (size_t)(from / at_once->column_s);
    for (; c < at_once->column_count && (double)c * at_once->column_s < to; c++) {
        struct column *column = &at_once->columns[c];
        if (column->total >= sweep->busy_count) {
            continue;
        }
        column->total = (uint32_t)sweep->busy_count;
        column->pair_count = 0;
        for (size_t i = 0; i < sweep->busy_count; i++) {
            const struct stack *stack = &sweep->stacks[sweep->busy[i]];
            add_pair(column, stack->functions[0], stack->functions[stack->depth - 1]);
        }
        at_once->most = column->total > at_once->most ? column->total : at_once->most;
    }
}

static void sweep_events(struct sweep *sweep)
{
    const mprof__figure_input *input = sweep->at_once->input;
    for (size_t i = 0; i < sweep->event_count; i++) {
        const struct event *event = &sweep->events[i];
        if (i && event->at > event[-1].at && sweep->busy_count) {
            keep_state(sweep, event[-1].at, event->at);
        }
        if (event->is_entry) {
            enter(sweep, &input->spans[event->span]);
        } else {
            leave(sweep, &input->spans[event->span]);
        }
    }
}

mprof__calls_at_once *mprof__calls_at_once_new(const mprof__layout *layout,
                                               const mprof__figure_input *input, uint32_t process)
{
    mprof__calls_at_once *at_once = calloc(1, sizeof *at_once);
    if (!at_once) {
        return NULL;
    }
    at_once->input = input;
    at_once->process = process;
    at_once->column_s = COLUMN_PX / mprof__nominal_px_per_s(layout);
    at_once->column_count = (size_t)ceil((layout->to_s - layout->from_s) / at_once->column_s);
    at_once->columns = calloc(at_once->column_count, sizeof *at_once->columns);
    struct sweep sweep = {.at_once = at_once};
    sweep.events = malloc((2 * input->barred_count + 1) * sizeof *sweep.events);
    sweep.stacks = calloc(input->lane_count + 1, sizeof *sweep.stacks);
    sweep.busy = malloc((input->lane_count + 1) * sizeof *sweep.busy);
    bool good = at_once->columns && sweep.events && sweep.stacks && sweep.busy;
    if (good) {
        collect_events(&sweep, layout);
        sweep_events(&sweep);
    }
    free(sweep.events);
    free(sweep.stacks);
    free(sweep.busy);
    if (!good) {
        mprof__calls_at_once_free(at_once);
        return NULL;
    }
    return at_once;
}

void mprof__calls_at_once_free(mprof__calls_at_once *at_once)
{
    if (!at_once) {
        return;
    }
    free(at_once->columns);
    free(at_once);
}

size_t mprof__calls_at_once_most(const mprof__calls_at_once *at_once)
{
    return at_once->most;
}

/* ---- drawing ---- */

/* A piece of a column: calls of one outermost function, or those of them that were in another. */
struct segment {
    double y, height;
    uint32_t function, outer;
    uint32_t count, of;
};

struct pen {
    mprof__layout *layout;
    const mprof__calls_at_once *at_once;
    double y, unit_px;
    struct segment open[SEGMENT_MAX]; /* pieces that may continue in the next column */
    size_t open_from[SEGMENT_MAX];    /* their first columns */
    size_t open_count;
};

static int by_consumer(const void *a, const void *b, void *data)
{
    const struct pair *x = a, *y = b;
    const uint32_t *numbers = data;
    if (x->outer != y->outer) {
        return numbers[x->outer] < numbers[y->outer] ? -1 : 1;
    }
    if (x->inner == y->inner) {
        return 0;
    }
    if (x->inner == x->outer || y->inner == y->outer) {
        return x->inner == x->outer ? -1 : 1;
    }
    return numbers[x->inner] < numbers[y->inner] ? -1 : 1;
}

static size_t split_column(const struct pen *pen, struct column *column, struct segment *segments)
{
    size_t count = 0;
    double y = pen->y, unit = pen->unit_px;
    qsort_r(column->pairs, column->pair_count, sizeof *column->pairs, by_consumer,
            pen->at_once->input->function_numbers);
    for (uint32_t i = 0; i < column->pair_count;) {
        uint32_t end = i, calls = 0, outer = column->pairs[i].outer;
        for (; end < column->pair_count && column->pairs[end].outer == outer; end++) {
            calls += column->pairs[end].count;
        }
        bool split = unit >= SPLIT_PX && (end - i > 1 || column->pairs[i].inner != outer);
        double upper = calls * unit * (split ? 0.5 : 1), lower = y + upper;
        segments[count++] = (struct segment){y, upper, outer, outer, calls, calls};
        for (; split && i < end; i++) {
            double height = column->pairs[i].count * unit / 2;
            segments[count++] = (struct segment){
                lower, height, column->pairs[i].inner, outer, column->pairs[i].count, calls};
            lower += height;
        }
        i = end;
        y += calls * unit;
    }
    return count;
}

static bool is_same(const struct segment *a, const struct segment *b)
{
    return a->function == b->function && a->outer == b->outer && a->count == b->count &&
           a->of == b->of && fabs(a->y - b->y) < 0.001 && fabs(a->height - b->height) < 0.001;
}

static uint32_t about_segment(const struct pen *pen, const struct segment *segment, double from_s,
                              double to_s)
{
    const mprof__figure_input *input = pen->at_once->input;
    char text[900], begin[32], length[32], where[200] = "";
    const char *name = input->functions[segment->function].name;
    const char *outer = input->functions[segment->outer].name;
    if (!pen->layout->options->states) {
        return MPROF_ABOUT_NONE;
    }
    char *shown = mprof__visible_text(name, strlen(name), 240);
    char *shown_outer = mprof__visible_text(outer, strlen(outer), 240);
    if (pen->at_once->process != MPROF__EVERY_PROCESS && input->process_count > 1) {
        mprof__process_text(where, sizeof where, input, pen->at_once->process);
    }
    mprof__duration_text(begin, sizeof begin, from_s);
    mprof__duration_text(length, sizeof length, to_s - from_s);
    if (segment->function == segment->outer) {
        snprintf(text, sizeof text, "%s: %u call%s at once%s at %s for %s%s%s", shown ? shown : "",
                 segment->count, segment->count == 1 ? "" : "s",
                 segment->count < segment->of ? ", in no other function" : "", begin, length,
                 *where ? " \xC2\xB7 " : "", where);
    } else {
        snprintf(text, sizeof text, "%s: in %u of %u calls of %s at once at %s for %s%s%s",
                 shown ? shown : "", segment->count, segment->of, shown_outer ? shown_outer : "",
                 begin, length, *where ? " \xC2\xB7 " : "", where);
    }
    free(shown);
    free(shown_outer);
    uint32_t number = input->function_numbers[segment->function];
    return mprof__add_about(pen->layout->figure,
                            (mprof_about){.function = number,
                                          .calls = 1,
                                          .functions = UINT64_C(1) << (number < 63 ? number : 63),
                                          .start_s = from_s,
                                          .end_s = to_s},
                            text);
}

static void end_segment(struct pen *pen, size_t index, size_t column)
{
    const mprof__layout *layout = pen->layout;
    const struct segment *segment = &pen->open[index];
    double from_s = layout->from_s + pen->at_once->column_s * (double)pen->open_from[index];
    double to_s = fmin(layout->to_s, layout->from_s + pen->at_once->column_s * (double)column);
    double x0 = mprof__scale_at(&layout->time, from_s), x1 = mprof__scale_at(&layout->time, to_s);
    /* whole pixels: between two shades of one edge the paper would show */
    x0 = round(x0);
    x1 = round(x1);
    double y0 = round(segment->y), y1 = round(segment->y + segment->height);
    if (x1 <= x0 || y1 <= y0) {
        return; /* a small part of a high stack */
    }
    mprof__add_rect(layout->figure, MPROF_ROLE_AT_ONCE,
                    pen->at_once->input->function_colours[segment->function],
                    (mprof_box){x0, y0, x1 - x0, y1 - y0},
                    about_segment(pen, segment, from_s, to_s));
}

static void add_column(struct pen *pen, size_t index, const struct segment *segments, size_t count)
{
    struct segment open[SEGMENT_MAX];
    size_t open_from[SEGMENT_MAX];
    bool continues[SEGMENT_MAX] = {false};
    for (size_t i = 0; i < count; i++) {
        open[i] = segments[i];
        open_from[i] = index;
        for (size_t o = 0; o < pen->open_count; o++) {
            if (!continues[o] && is_same(&pen->open[o], &segments[i])) {
                open_from[i] = pen->open_from[o];
                continues[o] = true;
                break;
            }
        }
    }
    for (size_t o = 0; o < pen->open_count; o++) {
        if (!continues[o]) {
            end_segment(pen, o, index);
        }
    }
    memcpy(pen->open, open, count * sizeof *open);
    memcpy(pen->open_from, open_from, count * sizeof *open_from);
    pen->open_count = count;
}

void mprof__draw_calls_at_once(mprof__layout *layout, const mprof__calls_at_once *at_once, double y,
                               double unit_px)
{
    struct pen pen = {.layout = layout, .at_once = at_once, .y = y, .unit_px = unit_px};
    struct segment segments[SEGMENT_MAX];
    for (size_t c = 0; c < at_once->column_count; c++) {
        add_column(&pen, c, segments, split_column(&pen, &at_once->columns[c], segments));
    }
    add_column(&pen, at_once->column_count, segments, 0);
}
