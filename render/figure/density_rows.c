/* Calls narrower than a pixel or two cannot be drawn one by one: neighbours would merge where they
 * happen to share a pixel, and show phases that do not exist. A function whose calls are mostly
 * narrower than 3 px, and more than one per 24 px, is crowded: all of its calls are one row, never
 * some of them. The decision depends on the page's width in steps, so that it does not flicker. */
#include "density_rows.h"

#include "call_slots.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "layout.h"
#include "visible_text.h"

#include "parse/array.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NARROW_PX 3.0
#define NARROW_BOX_PX 1.0 /* in a flame chart, where a call has a row of its own */
#define PX_PER_CALL 24.0  /* fewer calls are not crowded */
#define NARROW_MAX 10000  /* boxes of a flame chart that are narrower than NARROW_PX */
#define COLUMN_LEAST_PX 2.0
#define COLUMN_MOST_PX 32.0
#define GAPS_PER_COLUMN 8 /* a column spans that many usual gaps between two calls */
#define PROBES 501
#define ROW_PX 16.0
#define ROW_GAP_PX 5.0
#define SMALL_ROW_PX 8.0
#define SMALL_HEAD_PX 2.0
#define HEAD_PX 20.0 /* the line that explains the rows */
#define FOOT_PX 3.0
#define ROW_MAX 8
#define PAGE_SHARE 0.25 /* of the page's height, at most */
#define ROOM_SHARE 0.6  /* of the room for calls, unless one row needs more */
#define LEAST_PX 1.0    /* height of a column whose calls took next to no time */
#define GUTTER_MAX_PX 150.0
#define GUTTER_GAP_PX 10.0

/* ---- which functions are crowded ---- */

struct tally {
    uint64_t calls, narrow;
};

static uint64_t calls_of(const mprof_span *span)
{
    return span->count ? span->count : 1;
}

/* Thousands of functions of a few calls each are a crowd together: a flame chart with more narrow
 * boxes than NARROW_MAX takes ten seconds to open, and they cannot be seen apart. */
static bool has_many_narrow_boxes(const mprof__layout *layout, const mprof__figure_input *input)
{
    double narrow_s = NARROW_PX / mprof__nominal_px_per_s(layout);
    size_t narrow = 0;
    for (size_t i = 0; layout->options->flame && i < input->shown_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        narrow += span->exit.time_s - span->enter.time_s < narrow_s;
    }
    return narrow > NARROW_MAX;
}

static bool *find_crowded(const mprof__layout *layout, const mprof__figure_input *input, bool *any)
{
    double px_per_s = mprof__nominal_px_per_s(layout);
    bool any_number = has_many_narrow_boxes(layout, input);
    bool boxes = layout->options->flame && !any_number;
    double narrow_s = (boxes ? NARROW_BOX_PX : NARROW_PX) / px_per_s;
    double many = any_number ? 0 : px_per_s * (layout->to_s - layout->from_s) / PX_PER_CALL;
    struct tally *tallies = calloc(input->function_count + 1, sizeof *tallies);
    bool *crowded = calloc(input->function_count + 1, sizeof *crowded);
    *any = false;
    if (!tallies || !crowded) {
        free(tallies);
        free(crowded);
        return NULL;
    }
    for (size_t i = 0; i < input->shown_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        struct tally *tally = &tallies[span->function];
        uint64_t calls = calls_of(span);
        bool narrow = span->exit.time_s - span->enter.time_s < narrow_s * (double)calls;
        tally->calls += calls;
        tally->narrow += narrow ? calls : 0;
    }
    for (size_t i = 0; i < input->function_count; i++) {
        crowded[i] = (double)tallies[i].calls > many && 2 * tallies[i].narrow > tallies[i].calls;
        *any = *any || crowded[i];
    }
    free(tallies);
    return crowded;
}

/* Both parts keep their order. */
static bool part_calls(mprof__figure_input *input)
{
    uint32_t *others = malloc(input->shown_count * sizeof *others);
    size_t kept = 0, moved = 0;
    if (!others) {
        return false;
    }
    for (size_t i = 0; i < input->shown_count; i++) {
        uint32_t index = input->shown[i];
        if (input->crowded[input->spans[index].function]) {
            others[moved++] = index;
        } else {
            input->shown[kept++] = index;
        }
    }
    memcpy(input->shown + kept, others, moved * sizeof *others);
    input->barred_count = kept;
    free(others);
    return true;
}

/* ---- columns ---- */

/* A call inside the window, in seconds from the left edge of the plot. */
struct interval {
    double from, to;
    uint64_t calls;
    uint32_t span;
};

static int by_start(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    if (x->from < y->from || x->from > y->from) {
        return x->from < y->from ? -1 : 1;
    }
    return x->span < y->span ? -1 : x->span > y->span;
}

/* Calls of one lane are sorted already. */
static void sort_intervals(struct interval *intervals, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (intervals[i].from < intervals[i - 1].from) {
            qsort(intervals, count, sizeof *intervals, by_start);
            return;
        }
    }
}

/* The median time from one call to the next, of at most PROBES. */
static double usual_gap(const struct interval *intervals, size_t count)
{
    double gaps[PROBES];
    size_t found = 0, stride = count / PROBES + 1;
    for (size_t i = 1; i < count && found < PROBES; i += stride) {
        gaps[found++] =
            (intervals[i].from - intervals[i - 1].from) / (double)intervals[i - 1].calls;
    }
    if (!found) {
        return 0;
    }
    qsort(gaps, found, sizeof *gaps, mprof__compare_doubles);
    return gaps[found / 2];
}

static void choose_columns(mprof__density *density, const mprof__layout *layout,
                           const struct interval *intervals, size_t count)
{
    double px_s = 1 / mprof__nominal_px_per_s(layout);
    double wanted_s = GAPS_PER_COLUMN * usual_gap(intervals, count);
    density->column_s = COLUMN_LEAST_PX * px_s;
    while (density->column_s < wanted_s && density->column_s < COLUMN_MOST_PX * px_s) {
        density->column_s *= 2;
    }
    density->column_count = (size_t)ceil((layout->to_s - layout->from_s) / density->column_s);
}

static size_t column_at(const mprof__density *density, double at)
{
    size_t column = (size_t)(at / density->column_s);
    return column < density->column_count ? column : density->column_count - 1;
}

/* Adds the time between `from` and `to` to the columns. */
void mprof__density_add(double *ran_s, const mprof__density *density, double from, double to)
{
    for (size_t c = column_at(density, from); c < density->column_count; c++) {
        double begin = (double)c * density->column_s, end = begin + density->column_s;
        if (to <= begin) {
            return;
        }
        ran_s[c] += fmin(to, end) - fmax(from, begin);
    }
}

/* Time in which several calls ran counts once. */
static void fill_columns(mprof__density *density, double *ran_s, uint64_t *began,
                         const struct interval *intervals, size_t count)
{
    double until = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        began[column_at(density, intervals[i].from)] += intervals[i].calls;
        density->calls += intervals[i].calls;
        if (intervals[i].to > until) {
            mprof__density_add(ran_s, density, fmax(intervals[i].from, until), intervals[i].to);
            until = intervals[i].to;
        }
    }
}

static void summarise(mprof__density *density, double whole_s, const double *ran_s,
                      const uint64_t *began)
{
    double ran = 0, used = 0;
    for (size_t c = 0; c < density->column_count; c++) {
        bool any = began[c] || ran_s[c] > 0;
        /* the last column may end with the plot */
        double width_s = fmin(density->column_s, whole_s - (double)c * density->column_s);
        density->shares[c] = any ? (float)fmin(1, ran_s[c] / width_s) : -1;
        density->most_per_s = fmax(density->most_per_s, (double)began[c] / density->column_s);
        ran += ran_s[c];
        used += any ? width_s : 0;
    }
    density->busy = used > 0 ? fmin(1, ran / used) : 0;
}

static void set_ends(mprof__density *density, const mprof__figure_input *input,
                     const struct interval *intervals, size_t count)
{
    const mprof_span *first = &input->spans[intervals[0].span], *last = first;
    for (size_t i = 1; i < count; i++) {
        const mprof_span *span = &input->spans[intervals[i].span];
        last = span->exit.time_s > last->exit.time_s ? span : last;
    }
    density->start_s = first->enter.time_s - input->start_s;
    density->end_s = last->exit.time_s - input->start_s;
    density->enter_mib = first->enter.mib;
    density->exit_mib = last->exit.mib;
}

static bool make_density(mprof__density *density, const mprof__layout *layout,
                         const mprof__figure_input *input, struct interval *intervals, size_t count)
{
    sort_intervals(intervals, count);
    choose_columns(density, layout, intervals, count);
    double *ran_s = calloc(density->column_count, sizeof *ran_s);
    uint64_t *began = calloc(density->column_count, sizeof *began);
    density->shares = malloc(density->column_count * sizeof *density->shares);
    bool good = ran_s && began && density->shares;
    if (good) {
        fill_columns(density, ran_s, began, intervals, count);
        summarise(density, layout->to_s - layout->from_s, ran_s, began);
        set_ends(density, input, intervals, count);
    }
    free(ran_s);
    free(began);
    return good;
}

/* ---- rows ---- */

struct by_total {
    const mprof_function *functions;
};

static int longest_first(const void *a, const void *b, void *data)
{
    const struct by_total *sorting = data;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    double x = sorting->functions[i].total_s, y = sorting->functions[j].total_s;
    if (x < y || x > y) {
        return x < y ? 1 : -1;
    }
    return i < j ? -1 : i > j;
}

double mprof__density_row_px(const mprof__layout *layout)
{
    return layout->figure->sizes.small ? SMALL_ROW_PX : ROW_PX;
}

/* A small page has no line that explains the rows, and no names. */
static double head_height(const mprof__layout *layout)
{
    return layout->figure->sizes.small ? SMALL_HEAD_PX : HEAD_PX;
}

static double rows_height(const mprof__layout *layout, size_t rows)
{
    double row = mprof__density_row_px(layout) + ROW_GAP_PX;
    return rows ? head_height(layout) + FOOT_PX + (double)rows * row - ROW_GAP_PX : 0;
}

/* Of one recording. */
static size_t most_rows(const mprof__layout *layout)
{
    double most = layout->options->height_px * PAGE_SHARE;
    most = fmin(most, fmax(layout->calls_room_px * ROOM_SHARE,
                           fmin(layout->calls_room_px, rows_height(layout, 1))));
    size_t rows = ROW_MAX;
    while (rows && rows_height(layout, rows) * (double)layout->input_count > most) {
        rows--;
    }
    return rows;
}

/* Which row shows a function's calls; the last one shows all that have no row of their own. */
static size_t assign_rows(const mprof__layout *layout, mprof__figure_input *input, uint32_t *row_of,
                          uint32_t *order)
{
    struct by_total sorting = {input->functions};
    size_t count = 0, most = most_rows(layout);
    for (uint32_t i = 0; i < input->function_count; i++) {
        if (input->crowded[i]) {
            order[count++] = i;
        }
    }
    qsort_r(order, count, sizeof *order, longest_first, &sorting);
    size_t rows = count < most ? count : most;
    for (size_t i = 0; rows && i < count; i++) {
        size_t row = i < rows ? i : rows - 1;
        row_of[order[i]] = (uint32_t)row;
        if (i < rows) {
            input->densities[row].function = order[i];
        }
        input->densities[row].function_count++;
    }
    return rows;
}

/* Sorts the crowded calls by row, keeping their order, and computes each row. */
static bool make_rows(const mprof__layout *layout, mprof__figure_input *input,
                      const uint32_t *row_of, struct interval *intervals)
{
    size_t ends[ROW_MAX + 1] = {0};
    const uint32_t *crowd = input->shown + input->barred_count;
    size_t count = input->shown_count - input->barred_count;
    double origin_s = input->start_s + layout->from_s, whole_s = layout->to_s - layout->from_s;
    for (size_t i = 0; i < count; i++) {
        ends[row_of[input->spans[crowd[i]].function] + 1]++;
    }
    for (size_t r = 0; r < input->density_count; r++) {
        ends[r + 1] += ends[r];
    }
    for (size_t i = 0; i < count; i++) {
        const mprof_span *span = &input->spans[crowd[i]];
        intervals[ends[row_of[span->function]]++] = (struct interval){
            fmax(0, span->enter.time_s - origin_s), fmin(whole_s, span->exit.time_s - origin_s),
            calls_of(span), crowd[i]};
    }
    bool good = true;
    for (size_t r = 0; good && r < input->density_count; r++) {
        size_t first = r ? ends[r - 1] : 0;
        good =
            make_density(&input->densities[r], layout, input, intervals + first, ends[r] - first);
    }
    return good;
}

static mprof_status compute_rows(const mprof__layout *layout, mprof__figure_input *input)
{
    size_t crowd = input->shown_count - input->barred_count;
    uint32_t *row_of = calloc(2 * input->function_count, sizeof *row_of);
    struct interval *intervals = malloc(crowd * sizeof *intervals);
    input->densities = calloc(ROW_MAX, sizeof *input->densities);
    bool good = row_of && intervals && input->densities;
    if (good) {
        input->density_count = assign_rows(layout, input, row_of, row_of + input->function_count);
        good = !input->density_count || make_rows(layout, input, row_of, intervals);
    }
    free(row_of);
    free(intervals);
    return good ? MPROF_OK : MPROF_ENOMEM;
}

mprof_status mprof__part_crowded_calls(const mprof__layout *layout, mprof__figure_input *input)
{
    bool any;
    if (!input->shown_count) {
        return MPROF_OK;
    }
    input->crowded = find_crowded(layout, input, &any);
    if (!input->crowded) {
        return MPROF_ENOMEM;
    }
    if (!any) {
        return MPROF_OK;
    }
    if (!part_calls(input)) {
        return MPROF_ENOMEM;
    }
    return layout->options->flame ? MPROF_OK : compute_rows(layout, input);
}

void mprof__free_densities(mprof__figure_input *input)
{
    for (size_t i = 0; i < input->density_count; i++) {
        free(input->densities[i].shares);
    }
    free(input->densities);
    free(input->crowded);
}

const mprof__density *mprof__density_of(const mprof__figure_input *input, uint32_t function)
{
    for (size_t i = 0; i < input->density_count; i++) {
        if (input->densities[i].function == function && input->densities[i].function_count == 1) {
            return &input->densities[i];
        }
    }
    return NULL;
}

/* ---- drawing ---- */

static size_t row_count(const mprof__layout *layout)
{
    size_t rows = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        rows += layout->inputs[r].density_count;
    }
    return rows;
}

double mprof__density_rows_height(const mprof__layout *layout)
{
    return rows_height(layout, row_count(layout));
}

/* The function; of several recordings also which. */
static void row_name(char *text, size_t size, const mprof__layout *layout,
                     const mprof__figure_input *input, const mprof__density *density)
{
    char name[80] = "";
    if (layout->input_count > 1) {
        mprof__recording_name(name, sizeof name, layout, input);
    }
    if (density->function_count > 1) {
        snprintf(text, size, "%zu functions%s%s", density->function_count, *name ? ", " : "", name);
    } else {
        snprintf(text, size, "%s%s%s", input->function_labels[density->function], *name ? ", " : "",
                 name);
    }
}

double mprof__density_gutter(const mprof__layout *layout)
{
    double width = 0;
    if (layout->figure->sizes.small) {
        return 0;
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        for (size_t i = 0; i < layout->inputs[r].density_count; i++) {
            char text[MPROF__LABEL_SIZE + 80];
            row_name(text, sizeof text, layout, &layout->inputs[r],
                     &layout->inputs[r].densities[i]);
            width =
                fmax(width, mprof__text_width(layout, MPROF_ROLE_DENSITY_NAME, text, strlen(text)));
        }
    }
    return width > 0 ? fmin(width, GUTTER_MAX_PX) + GUTTER_GAP_PX : 0;
}

static int colour_of(const mprof__figure_input *input, const mprof__density *density)
{
    return density->function_count > 1 ? MPROF_COLOUR_NONE
                                       : input->function_colours[density->function];
}

static uint64_t bits_of(const mprof__figure_input *input, const mprof__density *density)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < input->function_count; i++) {
        bool own = density->function_count > 1
                       ? input->crowded[i] && !mprof__density_of(input, (uint32_t)i)
                       : i == density->function;
        uint32_t number = input->function_numbers[i];
        bits |= own ? UINT64_C(1) << (number < 63 ? number : 63) : 0;
    }
    return bits;
}

static uint32_t about_row(mprof__layout *layout, const mprof__figure_input *input,
                          const mprof__density *density)
{
    char text[600], count[32], width[32], share[32], rate[32];
    const mprof_function *function = &input->functions[density->function];
    char *name = mprof__visible_text(function->name, strlen(function->name), 240);
    if (!layout->options->states || !name) {
        free(name);
        return MPROF_ABOUT_NONE;
    }
    mprof__count_text(count, sizeof count, density->calls);
    mprof__duration_text(width, sizeof width, density->column_s);
    mprof__percent_text(share, sizeof share, density->busy);
    mprof__rate_text(rate, sizeof rate, density->most_per_s);
    char more[64] = "";
    if (density->function_count > 1) {
        snprintf(more, sizeof more, " and %zu more functions", density->function_count - 1);
    }
    snprintf(text, sizeof text,
             "%s%s: %s calls \xC2\xB7 %s busy where it ran \xC2\xB7 at most %s, in %s", name, more,
             count, share, rate, width);
    free(name);
    return mprof__add_about(layout->figure,
                            (mprof_about){.function = input->function_numbers[density->function],
                                          .calls = density->calls,
                                          .functions = bits_of(input, density),
                                          .start_s = density->start_s,
                                          .end_s = density->end_s,
                                          .enter_mib = density->enter_mib,
                                          .exit_mib = density->exit_mib},
                            text);
}

/* A closed outline in steps, along the floor where there is no call. */
static void draw_shape(mprof__layout *layout, const mprof__figure_input *input,
                       const mprof__density *density, double top)
{
    mprof_figure *figure = layout->figure;
    size_t first = figure->point_count;
    double floor_y = top + mprof__density_row_px(layout), last_y = floor_y;
    double left = layout->plot.x, right = layout->plot.x + layout->plot.width;
    mprof__add_path_point(figure, left, floor_y);
    for (size_t c = 0; c < density->column_count; c++) {
        double share = (double)density->shares[c];
        double y =
            share < 0 ? floor_y : floor_y - fmax(LEAST_PX, share * mprof__density_row_px(layout));
        double x = mprof__scale_at(&layout->time, layout->from_s + density->column_s * (double)c);
        if (fabs(y - last_y) > 0.001) {
            mprof__add_path_point(figure, fmin(x, right), last_y);
            mprof__add_path_point(figure, fmin(x, right), y);
            last_y = y;
        }
    }
    mprof__add_path_point(figure, right, last_y);
    mprof__add_path_point(figure, right, floor_y);
    mprof__add_path(figure, MPROF_SHAPE_AREA, MPROF_ROLE_DENSITY, colour_of(input, density), first,
                    about_row(layout, input, density));
}

static void draw_rule(mprof__layout *layout, mprof_role role, double y)
{
    mprof__add_segment(layout->figure, role, MPROF_COLOUR_NONE,
                       (mprof__segment){layout->plot.x, floor(y) + 0.5,
                                        layout->plot.x + layout->plot.width, floor(y) + 0.5});
}

void mprof__draw_density_rows(mprof__layout *layout, double y)
{
    double top = y + head_height(layout);
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->density_count; i++) {
            draw_rule(layout, MPROF_ROLE_WHOLE, top - 1);
            draw_rule(layout, MPROF_ROLE_LANE_RULE, top + mprof__density_row_px(layout));
            draw_shape(layout, input, &input->densities[i], top);
            top += mprof__density_row_px(layout) + ROW_GAP_PX;
        }
    }
}

static void add_name(mprof__layout *layout, mprof__text_item item, const char *name, double room)
{
    char text[MPROF__LABEL_SIZE + 80];
    item.length = mprof__fit_text(layout, item.role, text, sizeof text, name, room);
    item.text = text;
    mprof__add_measured_text(layout, item);
}

void mprof__draw_density_names(mprof__layout *layout, double y)
{
    static const char head[] = "share of time that a function ran; dotted: 100 %";
    double top = y + head_height(layout);
    if (layout->figure->sizes.small) {
        return;
    }
    if (row_count(layout)) {
        add_name(layout,
                 (mprof__text_item){.role = MPROF_ROLE_LANE_NAME,
                                    .colour = MPROF_COLOUR_NONE,
                                    .x = layout->plot.x,
                                    .y = y + 14},
                 head, layout->plot.width);
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->density_count; i++) {
            char text[MPROF__LABEL_SIZE + 80];
            row_name(text, sizeof text, layout, input, &input->densities[i]);
            add_name(layout,
                     (mprof__text_item){.role = MPROF_ROLE_DENSITY_NAME,
                                        .colour = colour_of(input, &input->densities[i]),
                                        .anchor = MPROF_ANCHOR_END,
                                        .x = layout->plot.x - GUTTER_GAP_PX,
                                        .y = top + mprof__density_row_px(layout) / 2 + 4},
                     text, layout->plot.x - GUTTER_GAP_PX - 4);
            top += mprof__density_row_px(layout) + ROW_GAP_PX;
        }
    }
}
