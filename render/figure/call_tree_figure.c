/* From top to bottom: heading, the memory as a strip, the tree, a table of functions. */
#include "call_tree_figure.h"

#include "axes.h"
#include "colour_slots.h"
#include "curve.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "parse/array.h"
#include "visible_text.h"

#include <math.h>
#include <mprof/moment.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRIP_PX 44.0
#define STRIP_LEAST_PX 16.0
#define SMALL_STRIP_SHARE 0.22 /* of the height of a small page */
#define PEAK_PX 18.0           /* above the strip, with its label */
#define SMALL_PEAK_PX 3.0
#define CAPTION_PX 24.0 /* above the tree */
#define SMALL_CAPTION_PX 15.0
#define ROW_PX 24.0
#define SMALL_ROW_PX 14.0
#define ROW_GAP_PX 3.0
#define ROWS_MOST 40 /* of a page that grows */
#define ROWS_FIRST 8 /* of the tree, before the table gets room */
#define OWN_PX 3.0
#define EDGE_PX 3.0
#define PADDING_PX 7.0
#define FINE_PX 2.5
#define LEAST_PX 0.5
#define LEAST_LETTERS 3
#define TABLE_GAP_PX 22.0
#define TABLE_ROW_PX 19.0
#define TABLE_MOST 12
#define TABLE_LEAST 3 /* with the line that says how many more there are */
#define TABLE_SWATCH_PX 18.0
#define TABLE_NAME_PX 170.0
#define TABLE_CELL_LEAST_PX 40.0
#define TABLE_CELL_GAP_PX 22.0
#define TABLE_COLUMNS 9
#define NODES_MOST 4000 /* that the script gets */
#define NODE_LEAST 5e-5 /* part of everything */

typedef struct drawing {
    mprof__layout *layout;
    const mprof_profile *profile;
    mprof_call_tree *tree;              /* owned */
    const mprof_call_function **sorted; /* owned; the most important first */
    int8_t *colours;                    /* owned; by function of the tree */
    char **labels;                      /* owned, visible; by function of the tree */
    uint32_t *numbers;                  /* owned; by function of the tree: in the figure */
    mprof__tree_boxes boxes;
    mprof_box area; /* of the rows */
    double row_px;
    size_t table_rows;
} drawing;

static mprof_tree_measure measure_of(const drawing *d)
{
    return d->layout->options->tree;
}

/* ---- functions ---- */

static double importance(const mprof_call_function *function, mprof_tree_measure measure)
{
    return mprof__tree_value(&function->total, measure, false);
}

static int compare_growth(const void *a, const void *b, mprof_tree_measure measure)
{
    const mprof_call_function *x = *(const mprof_call_function *const *)a;
    const mprof_call_function *y = *(const mprof_call_function *const *)b;
    double left = importance(x, measure), right = importance(y, measure);
    return left != right ? (left > right ? -1 : 1) : strcmp(x->name, y->name);
}

static int by_growth(const void *a, const void *b)
{
    return compare_growth(a, b, MPROF_TREE_GROWTH);
}

static int by_time(const void *a, const void *b)
{
    return compare_growth(a, b, MPROF_TREE_TIME);
}

static int by_memory_time(const void *a, const void *b)
{
    return compare_growth(a, b, MPROF_TREE_MEMORY_TIME);
}

/* On paper the first few have patterns, and all others one. */
static mprof_status choose_colours(drawing *d)
{
    size_t count = d->tree->function_count;
    size_t most = (size_t)d->layout->options->colours_most;
    const char **names = malloc((count + 1) * sizeof *names);
    int8_t *slots = malloc(count + 1);
    d->colours = malloc(count + 1);
    if (names && slots && d->colours) {
        for (size_t i = 0; i < count; i++) {
            names[i] = d->sorted[i]->name;
        }
        mprof__choose_hues(d->layout, slots, names, count);
        for (size_t i = 0; i < count; i++) {
            int8_t pattern = (int8_t)(i < most ? i : most);
            d->colours[d->sorted[i] - d->tree->functions] = most ? pattern : slots[i];
        }
    }
    mprof_status status = names && slots && d->colours ? MPROF_OK : MPROF_ENOMEM;
    free(names);
    free(slots);
    return status;
}

static mprof_status add_functions(drawing *d)
{
    mprof_figure *figure = d->layout->figure;
    size_t count = d->tree->function_count;
    d->labels = calloc(count + 1, sizeof *d->labels);
    d->numbers = calloc(count + 1, sizeof *d->numbers);
    if (!d->labels || !d->numbers) {
        return MPROF_ENOMEM;
    }
    figure->function_count = 0; /* those of recorded calls alone */
    for (size_t i = 0; i < count; i++) {
        const mprof_call_function *function = d->sorted[i];
        size_t at = (size_t)(function - d->tree->functions);
        char *name = mprof__visible_text(function->name, strlen(function->name), 1000);
        d->labels[at] = mprof__visible_text(function->label, strlen(function->label), 240);
        if (!name || !d->labels[at]) {
            free(name);
            return MPROF_ENOMEM;
        }
        mprof__add_function(figure, name, d->labels[at]);
        if (figure->function_count == i + 1) {
            figure->functions[i].calls = function->call_count;
        }
        d->numbers[at] = (uint32_t)i;
        free(name);
    }
    return figure->status;
}

static mprof_status prepare(drawing *d, mprof_error *error)
{
    static int (*const orders[])(const void *, const void *) = {by_growth, by_time, by_memory_time};
    if (d->layout->input_count > 1) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "--tree is of one recording, not of %zu: name one, or one run "
                               "with --run",
                               d->layout->input_count);
    }
    mprof_status status = mprof_call_tree_make(&d->tree, d->profile, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (d->tree->function_count == 0) {
        status = mprof_error_set(error, MPROF_EARGUMENT,
                                 "no calls were recorded: mark functions with --func, or record "
                                 "with --stacks");
        mprof_error_at(error, mprof_profile_file(d->profile), 0);
        return status;
    }
    d->sorted = malloc(d->tree->function_count * sizeof *d->sorted);
    if (!d->sorted) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < d->tree->function_count; i++) {
        d->sorted[i] = &d->tree->functions[i];
    }
    qsort(d->sorted, d->tree->function_count, sizeof *d->sorted, orders[measure_of(d)]);
    status = choose_colours(d);
    return status == MPROF_OK ? add_functions(d) : status;
}

/* ---- words ---- */

/* A value of the measure: MiB, seconds, or MiB seconds. */
static char *value_text(const drawing *d, char *text, size_t size, double value)
{
    mprof_unit unit = d->layout->options->unit;
    if (measure_of(d) == MPROF_TREE_TIME) {
        return mprof__duration_text(text, size, value);
    }
    mprof__memory_text_in(text, size, unit, value);
    if (measure_of(d) == MPROF_TREE_MEMORY_TIME) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "\xC2\xB7s");
    }
    return text;
}

static void signed_text(const drawing *d, char *text, size_t size, double value, bool is_release)
{
    char amount[48];
    value_text(d, amount, sizeof amount, value);
    const char *sign = measure_of(d) != MPROF_TREE_GROWTH || !(value > 0) ? ""
                       : is_release                                       ? "\xE2\x88\x92"
                                                                          : "+";
    snprintf(text, size, "%s%s", sign, amount);
}

static const mprof_estimate *estimate_of(const mprof_call_sum *sum, mprof_tree_measure measure,
                                         bool is_release)
{
    return measure == MPROF_TREE_TIME ? &sum->time_s
           : is_release               ? &sum->release_mib
                                      : &sum->growth_mib;
}

static double doubt_of(const mprof_estimate *e)
{
    double doubt = fmax(e->high - e->value, e->value - e->low);
    return doubt > 0.005 * e->value ? doubt : 0; /* else it would not be seen */
}

/* The number alone if it has the unit of the text that it follows. */
static void drop_unit(char *amount, const char *after)
{
    char *unit = strrchr(amount, ' ');
    const char *known = strrchr(after, ' ');
    if (unit && known && strcmp(unit, known) == 0) {
        *unit = '\0';
    }
}

/* " ±12.0", behind an amount, where that is not exact. */
static void doubt_text(const drawing *d, char *text, size_t size, const mprof_call_sum *sum,
                       bool is_release, const char *after)
{
    char amount[48];
    double doubt = measure_of(d) == MPROF_TREE_MEMORY_TIME
                       ? 0
                       : doubt_of(estimate_of(sum, measure_of(d), is_release));
    *text = '\0';
    if (doubt > 0) {
        value_text(d, amount, sizeof amount, doubt);
        drop_unit(amount, after);
        snprintf(text, size, " \xC2\xB1%s", amount);
    }
}

/* Each further step is shorter. */
static void caption_text(const drawing *d, char *text, size_t size, const mprof__tree_box *box,
                         int step)
{
    const mprof_call_node *node = &d->tree->nodes[box->node];
    const char *name = box->is_outside ? "outside of calls"
                       : !box->node    ? "all"
                                       : d->labels[node->function];
    const mprof_call_sum *sum = box->is_outside ? &node->own : &node->total;
    double whole = mprof__tree_value(sum, measure_of(d), box->is_release);
    double own = mprof__tree_value(&node->own, measure_of(d), box->is_release);
    char amount[64], doubt[64], own_amount[48];
    signed_text(d, amount, sizeof amount, whole, box->is_release);
    doubt_text(d, doubt, sizeof doubt, sum, box->is_release, amount);
    value_text(d, own_amount, sizeof own_amount, own);
    drop_unit(own_amount, amount);
    bool has_own = box->node && !box->is_outside && own > 0 && own < whole;
    if (step == 0 && has_own) {
        snprintf(text, size, "%s \xC2\xB7 %s%s (own %s)", name, amount, doubt, own_amount);
    } else if (step <= 1) {
        snprintf(text, size, "%s \xC2\xB7 %s%s", name, amount, doubt);
    } else if (step == 2) {
        snprintf(text, size, "%s \xC2\xB7 %s", name, amount);
    } else {
        snprintf(text, size, "%s", name);
    }
}

static void __attribute__((format(printf, 3, 4)))
add_words(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void add_amount(const drawing *d, char *text, size_t size, const char *word,
                       const mprof_estimate *total, const mprof_estimate *own, const char *sign)
{
    char amount[48];
    mprof_unit unit = d->layout->options->unit;
    mprof__memory_text_in(amount, sizeof amount, unit, total->value);
    add_words(text, size, " \xC2\xB7 %s %s%s", word, total->value > 0 ? sign : "", amount);
    if (doubt_of(total) > 0) {
        mprof__memory_text_in(amount, sizeof amount, unit, doubt_of(total));
        add_words(text, size, " \xC2\xB1%s", amount);
    }
    mprof__memory_text_in(amount, sizeof amount, unit, own->value);
    add_words(text, size, ", own %s", amount);
}

/* The tooltip; tree.js makes the same of its numbers. */
static void about_text(const drawing *d, char *text, size_t size, const mprof__tree_box *box)
{
    const mprof_call_node *node = &d->tree->nodes[box->node];
    const mprof_call_sum *sum = box->is_outside ? &node->own : &node->total;
    char amount[48];
    snprintf(text, size, "%s",
             box->is_outside ? "outside of calls"
             : !box->node    ? "all"
                             : d->tree->functions[node->function].name);
    add_amount(d, text, size, "grew", &sum->growth_mib, &node->own.growth_mib, "+");
    add_amount(d, text, size, "released", &sum->release_mib, &node->own.release_mib,
               "\xE2\x88\x92");
    add_words(text, size, " \xC2\xB7 %s",
              mprof__duration_text(amount, sizeof amount, sum->time_s.value));
    if (node->call_count > 0) {
        add_words(text, size, " \xC2\xB7 %s call%s",
                  mprof__count_text(amount, sizeof amount, node->call_count),
                  node->call_count == 1 ? "" : "s");
    }
    if (!isnan(node->peak_mib) && !box->is_outside) {
        mprof__memory_text_in(amount, sizeof amount, d->layout->options->unit, node->peak_mib);
        add_words(text, size, " \xC2\xB7 peak %s", amount);
    }
}

static mprof_status set_facts(drawing *d)
{
    static const char *const widths[] = {"growth", "time", "memory \xC3\x97 time"};
    const mprof_call_sum *all = &d->tree->nodes[0].total;
    char text[900], amount[48], more[48], net[48];
    uint64_t calls = 0;
    mprof_unit unit = d->layout->options->unit;
    for (size_t i = 0; i < d->tree->function_count; i++) {
        calls += d->tree->functions[i].call_count;
    }
    snprintf(text, sizeof text, "%s" MPROF__FACT_SEPARATOR,
             mprof__duration_text(amount, sizeof amount, d->tree->duration_s));
    if (calls > 0) {
        add_words(text, sizeof text, "%s call%s of ",
                  mprof__count_text(amount, sizeof amount, calls), calls == 1 ? "" : "s");
    }
    add_words(text, sizeof text, "%s function%s",
              mprof__count_text(amount, sizeof amount, d->tree->function_count),
              d->tree->function_count == 1 ? "" : "s");
    if (d->tree->has_samples) {
        add_words(text, sizeof text, ", sampled");
    }
    mprof__memory_text_in(amount, sizeof amount, unit, mprof_profile_peak(d->profile).mib);
    add_words(text, sizeof text, MPROF__FACT_SEPARATOR "peak %s", amount);
    mprof__memory_text_in(amount, sizeof amount, unit, all->growth_mib.value);
    mprof__memory_text_in(more, sizeof more, unit, all->release_mib.value);
    mprof__change_text_in(net, sizeof net, unit, d->tree->net_mib);
    add_words(text, sizeof text,
              MPROF__FACT_SEPARATOR "+%s, \xE2\x88\x92%s: %s" MPROF__FACT_SEPARATOR
                                    "width: %s" MPROF__FACT_SEPARATOR "underlined: own, no callee",
              amount, more, net, widths[measure_of(d)]);
    free(d->layout->figure->facts);
    d->layout->figure->facts = mprof__visible_text(text, strlen(text), sizeof text);
    return d->layout->figure->facts ? MPROF_OK : MPROF_ENOMEM;
}

/* ---- the page ---- */

static mprof_status make_boxes(drawing *d, uint32_t row_most)
{
    mprof__tree_view view = {.tree = d->tree,
                             .measure = measure_of(d),
                             .x = d->layout->plot.x,
                             .width = d->layout->plot.width,
                             .least_px = LEAST_PX,
                             .row_most = row_most};
    mprof__tree_boxes_dispose(&d->boxes);
    return mprof__tree_boxes_make(&d->boxes, &view) == 0 ? MPROF_OK : MPROF_ENOMEM;
}

static mprof_status fail_small(const drawing *d, mprof_error *error)
{
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "a page of %.0f x %.0f pixels is too small: make it larger",
                           d->layout->options->width_px, d->layout->options->height_px);
}

static double table_height(size_t rows)
{
    return rows > 0 ? TABLE_GAP_PX + TABLE_ROW_PX * ((double)rows + 1) : 0;
}

/* The table gives way to the rows of the tree, as far as these are few. */
static void fit_height(drawing *d, double rest_px, uint32_t wanted_rows)
{
    bool grows = d->layout->options->grow != 0;
    double room = d->layout->figure->height_px - rest_px;
    uint32_t rows = wanted_rows < ROWS_MOST ? wanted_rows : ROWS_MOST;
    bool has_table =
        !d->layout->figure->sizes.small && !(d->layout->options->without & MPROF_PART_LEGEND);
    size_t count = d->tree->function_count;
    d->table_rows = !has_table ? 0 : count < TABLE_MOST ? count : TABLE_MOST;
    if (!grows) {
        double needed = d->row_px * (rows < ROWS_FIRST ? rows : ROWS_FIRST);
        while (d->table_rows > 0 && room - table_height(d->table_rows) < needed) {
            d->table_rows--;
        }
        d->table_rows = d->table_rows < count && d->table_rows < TABLE_LEAST ? 0 : d->table_rows;
        double fitting = floor((room - table_height(d->table_rows)) / d->row_px);
        rows = fitting < rows ? (uint32_t)fmax(fitting, 0) : rows;
    }
    d->area.height = d->row_px * rows;
    if (grows) {
        d->layout->figure->height_px = rest_px + d->area.height + table_height(d->table_rows);
    }
}

static mprof_status divide_page(drawing *d, mprof_error *error)
{
    mprof__layout *layout = d->layout;
    mprof_figure *figure = layout->figure;
    const mprof__page_sizes *sizes = &figure->sizes;
    bool has_peak = !(layout->options->without & MPROF_PART_PEAK);
    double peak_px = sizes->small || !has_peak ? SMALL_PEAK_PX : PEAK_PX;
    double caption_px = sizes->small ? SMALL_CAPTION_PX : CAPTION_PX;
    double strip_px =
        sizes->small ? fmin(STRIP_PX, layout->options->height_px * SMALL_STRIP_SHARE) : STRIP_PX;
    double peak_mib = mprof_profile_peak(d->profile).mib;
    char label[48];
    d->row_px = sizes->small ? SMALL_ROW_PX : ROW_PX;
    strip_px = floor(fmax(strip_px, STRIP_LEAST_PX));
    layout->memory = (mprof__scale){0, peak_mib > 0 ? peak_mib : 1.0 / 1024, 0, 0, false};
    mprof__memory_text_in(label, sizeof label, layout->options->unit, layout->memory.to);
    double gutter =
        mprof__text_width(layout, MPROF_ROLE_TICK, label, strlen(label)) + sizes->tick_gap;
    gutter = gutter <= sizes->gutter_most ? gutter : 0;
    layout->plot = (mprof_box){ceil(sizes->margin + gutter), sizes->head + peak_px, 0, strip_px};
    layout->plot.width = figure->width_px - sizes->margin - layout->plot.x;
    layout->memory.start = layout->plot.y + strip_px;
    layout->memory.extent = -strip_px;
    layout->highest_mib = layout->memory.to;
    layout->time =
        (mprof__scale){layout->from_s, layout->to_s, layout->plot.x, layout->plot.width, false};
    d->area = (mprof_box){layout->plot.x, layout->plot.y + strip_px + sizes->tick_row + caption_px,
                          layout->plot.width, 0};
    mprof_status status = layout->plot.width > 1 ? make_boxes(d, UINT32_MAX) : MPROF_EARGUMENT;
    if (status == MPROF_EARGUMENT || figure->width_px < MPROF__WIDTH_LEAST_PX) {
        return fail_small(d, error);
    }
    if (status == MPROF_OK) {
        fit_height(d, d->area.y + sizes->foot, d->boxes.row_count > 0 ? d->boxes.row_count : 1);
        status = d->area.height >= d->row_px ? MPROF_OK : fail_small(d, error);
    }
    return status == MPROF_OK ? make_boxes(d, (uint32_t)(d->area.height / d->row_px)) : status;
}

/* ---- the strip ---- */

static double put_text(drawing *d, mprof_role role, mprof_anchor anchor, double x, double y,
                       const char *text)
{
    return mprof__add_measured_text(d->layout, (mprof__text_item){.role = role,
                                                                  .colour = MPROF_COLOUR_NONE,
                                                                  .anchor = anchor,
                                                                  .x = x,
                                                                  .y = y,
                                                                  .text = text,
                                                                  .length = strlen(text)});
}

static void draw_memory_axis(drawing *d)
{
    mprof__layout *layout = d->layout;
    char label[48];
    double x = layout->plot.x - layout->figure->sizes.tick_gap;
    mprof__begin_group(layout->figure, MPROF_GROUP_MEMORY_AXIS);
    if (layout->plot.x <= layout->figure->sizes.margin + 1) {
        return;
    }
    mprof__memory_text_in(label, sizeof label, layout->options->unit, layout->memory.to);
    put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_END, x, layout->plot.y + 4, label);
    put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_END, x, layout->plot.y + layout->plot.height + 4,
             "0");
}

static void draw_curve(drawing *d)
{
    const mprof__figure_input *input = &d->layout->inputs[0];
    mprof__stroke stroke = {.line = MPROF_ROLE_CURVE,
                            .area = MPROF_ROLE_AREA,
                            .dot = MPROF_ROLE_SAMPLE,
                            .colour = MPROF_COLOUR_NONE,
                            .about = MPROF_ABOUT_NONE};
    bool is_total = input->is_part && input->total.point_count > 0;
    stroke.bridged_s = is_total ? input->bridged_s : 0;
    mprof__begin_group(d->layout->figure, MPROF_GROUP_CURVES);
    mprof__draw_series(d->layout, input, is_total ? &input->total : input->line, &stroke);
}

/* "peak 128.2 MiB at 0.23 s", with what ran where there is room. */
static mprof_status draw_peak(drawing *d)
{
    mprof__layout *layout = d->layout;
    mprof_sample peak = mprof_profile_peak(d->profile);
    char text[MPROF_MOMENT_TEXT_SIZE + 120], phrase[MPROF_MOMENT_TEXT_SIZE], amount[48], at[48];
    mprof_moment *moment = NULL;
    double x = mprof__time_x(layout, &layout->inputs[0], peak.time_s);
    mprof__begin_group(layout->figure, MPROF_GROUP_MARKS);
    bool is_shown = !(layout->options->without & MPROF_PART_PEAK) && peak.mib > 0 &&
                    x >= layout->plot.x - 1 && x <= layout->plot.x + layout->plot.width + 1;
    if (is_shown) {
        mprof__add_dot(layout->figure, MPROF_ROLE_PEAK_DOT, MPROF_COLOUR_NONE, x,
                       mprof__scale_at(&layout->memory, peak.mib),
                       layout->figure->sizes.small ? 2.5 : 4);
    }
    mprof__begin_group(layout->figure, MPROF_GROUP_NAMES);
    if (!is_shown || layout->figure->sizes.small) {
        return MPROF_OK;
    }
    if (mprof_moment_find(&moment, d->profile, peak.time_s, NULL) != MPROF_OK) {
        return MPROF_ENOMEM;
    }
    mprof_moment_phrase(phrase, sizeof phrase, moment, d->profile, MPROF_PROCESS_ANY);
    mprof_moment_free(moment);
    char *visible = mprof__visible_text(phrase, strlen(phrase), sizeof phrase);
    if (!visible) {
        return MPROF_ENOMEM;
    }
    mprof__memory_text_in(amount, sizeof amount, layout->options->unit, peak.mib);
    mprof__duration_text(at, sizeof at, mprof__axis_time_s(&layout->inputs[0], peak.time_s));
    snprintf(text, sizeof text, "peak %s at %s%s", amount, at, visible);
    double width = mprof__text_width(layout, MPROF_ROLE_PEAK_NAME, text, strlen(text));
    if (width > layout->plot.width / 2) {
        snprintf(text, sizeof text, "peak %s at %s", amount, at);
        width = mprof__text_width(layout, MPROF_ROLE_PEAK_NAME, text, strlen(text));
    }
    free(visible);
    double left = fmin(x - width / 2, layout->plot.x + layout->plot.width - width);
    put_text(d, MPROF_ROLE_PEAK_NAME, MPROF_ANCHOR_START, fmax(left, layout->plot.x),
             layout->plot.y - 9, text);
    return MPROF_OK;
}

/* ---- the tree ---- */

static void draw_caption(drawing *d, const mprof__tree_box *box, mprof_box at)
{
    char text[700], fitted[700];
    double room = at.width - EDGE_PX - 2 * PADDING_PX;
    size_t length = 0;
    if (room < 8) {
        return;
    }
    for (int step = 0; step < 4 && length == 0; step++) {
        caption_text(d, text, sizeof text, box, step);
        if (mprof__text_width(d->layout, MPROF_ROLE_BOX_NAME, text, strlen(text)) <= room) {
            length = strlen(text);
            memcpy(fitted, text, length + 1);
        }
    }
    if (length == 0) {
        length = mprof__fit_text(d->layout, MPROF_ROLE_BOX_NAME, fitted, sizeof fitted, text, room);
        if (length < LEAST_LETTERS + 3) {
            return;
        }
        fitted[length] = '\0';
    }
    put_text(d, MPROF_ROLE_BOX_NAME, MPROF_ANCHOR_START, at.x + EDGE_PX + PADDING_PX,
             at.y + at.height / 2 + (d->layout->figure->sizes.small ? 3 : 4) - OWN_PX / 2 + 0.5,
             fitted);
}

static uint32_t add_about(drawing *d, const mprof__tree_box *box)
{
    char text[1600];
    const mprof_call_node *node = &d->tree->nodes[box->node];
    about_text(d, text, sizeof text, box);
    char *visible = mprof__visible_text(text, strlen(text), sizeof text);
    if (!visible) {
        mprof__fail(d->layout->figure, MPROF_ENOMEM);
        return MPROF_ABOUT_NONE;
    }
    mprof_about about = {.function = MPROF_FUNCTION_NONE};
    if (box->node) {
        uint32_t number = d->numbers[node->function];
        about = (mprof_about){.function = number,
                              .calls = 1,
                              .functions = UINT64_C(1) << (number < 63 ? number : 63),
                              .start_s = d->layout->from_s,
                              .end_s = d->layout->to_s};
    }
    uint32_t index = mprof__add_about(d->layout->figure, about, visible);
    free(visible);
    return index;
}

static void keep_place(drawing *d, const mprof__tree_box *box)
{
    struct mprof__tree_table *table = d->layout->figure->tree_table;
    if (!table) {
        return;
    }
    mprof__tree_place *places = mprof__array_grow(table->places, table->place_count,
                                                  &table->place_capacity, sizeof *places);
    if (!places) {
        mprof__fail(d->layout->figure, MPROF_ENOMEM);
        return;
    }
    table->places = places;
    places[table->place_count++] = (mprof__tree_place){box->node, box->is_release, box->is_outside};
}

static double row_gap(const drawing *d)
{
    return d->row_px > SMALL_ROW_PX ? ROW_GAP_PX : 1;
}

static void draw_box(drawing *d, const mprof__tree_box *box)
{
    mprof_figure *figure = d->layout->figure;
    double gap = box->width >= 3 ? 1 : 0;
    /* hollow boxes have their line inside, and the gap on the side of the axis */
    mprof_box at = {box->x + (box->is_release ? gap : 0), d->area.y + box->row * d->row_px,
                    fmax(box->width - gap, LEAST_PX), d->row_px - row_gap(d)};
    bool is_neutral = !box->node;
    bool is_fine = at.width < FINE_PX;
    int colour = is_neutral ? MPROF_COLOUR_NONE : d->colours[d->tree->nodes[box->node].function];
    mprof_role role = is_neutral        ? MPROF_ROLE_BOX_ALL
                      : is_fine         ? MPROF_ROLE_BOX_FINE
                      : box->is_release ? MPROF_ROLE_BOX_RELEASE
                                        : MPROF_ROLE_BOX;
    mprof_box drawn = at;
    if (role == MPROF_ROLE_BOX_RELEASE) {
        drawn =
            (mprof_box){at.x + 0.75, at.y + 0.75, fmax(at.width - 1.5, LEAST_PX), at.height - 1.5};
    }
    mprof__add_rect(figure, role, colour, drawn, add_about(d, box));
    keep_place(d, box);
    if (role == MPROF_ROLE_BOX) {
        mprof__add_rect(figure, MPROF_ROLE_BOX_EDGE, colour,
                        (mprof_box){at.x, at.y, fmin(EDGE_PX, at.width / 3), at.height},
                        MPROF_ABOUT_NONE);
    }
    if (!is_neutral && !is_fine && box->own_width >= LEAST_PX) {
        double own_x = fmax(box->own_x, at.x);
        double own_px = fmin(box->own_x + box->own_width, at.x + at.width) - own_x;
        mprof__add_rect(
            figure, MPROF_ROLE_BOX_OWN, colour,
            (mprof_box){own_x, at.y + at.height - OWN_PX, fmax(own_px, LEAST_PX), OWN_PX},
            MPROF_ABOUT_NONE);
    }
    draw_caption(d, box, at);
}

/* What both sides are, above them. */
static void draw_sides(drawing *d)
{
    char amount[48], text[200];
    const mprof_call_sum *all = &d->tree->nodes[0].total;
    bool is_growth = measure_of(d) == MPROF_TREE_GROWTH;
    double y = d->area.y - (d->layout->figure->sizes.small ? 4 : 6);
    double axis_x = d->boxes.axis_x;
    value_text(d, amount, sizeof amount, mprof__tree_value(all, measure_of(d), false));
    snprintf(text, sizeof text, is_growth ? "grew %s \xE2\x86\x92" : "%s \xE2\x86\x92", amount);
    mprof__memory_text_in(amount, sizeof amount, d->layout->options->unit, all->release_mib.value);
    if (is_growth && !d->boxes.has_release) {
        add_words(text, sizeof text, MPROF__FACT_SEPARATOR "released %s", amount);
    }
    double room = d->area.x + d->area.width - axis_x - 8;
    if (mprof__text_width(d->layout, MPROF_ROLE_TICK, text, strlen(text)) <= room) {
        put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_START, axis_x + 7, y, text);
    }
    if (!d->boxes.has_release) {
        return;
    }
    snprintf(text, sizeof text, "\xE2\x86\x90 released %s", amount);
    if (mprof__text_width(d->layout, MPROF_ROLE_TICK, text, strlen(text)) <= axis_x - d->area.x) {
        put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_END, axis_x - 7, y, text);
    }
    double line_x = floor(axis_x) + 0.5;
    mprof__add_segment(
        d->layout->figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
        (mprof__segment){line_x, y - 10, line_x, d->area.y + d->row_px * d->boxes.row_count});
}

static void draw_tree(drawing *d)
{
    char text[100];
    mprof__begin_group(d->layout->figure, MPROF_GROUP_TREE);
    draw_sides(d);
    for (size_t i = 0; i < d->boxes.count; i++) {
        draw_box(d, &d->boxes.items[i]);
    }
    if (d->boxes.hidden_rows > 0) {
        snprintf(text, sizeof text, "%u deeper level%s not shown", d->boxes.hidden_rows,
                 d->boxes.hidden_rows == 1 ? "" : "s");
        put_text(d, MPROF_ROLE_LEGEND_MORE, MPROF_ANCHOR_END, d->area.x + d->area.width,
                 d->area.y - 6, text);
    }
}

/* ---- the table ---- */

#define CELL_SIZE 64

/* Texts and the right ends of columns; NAN: one that is left out. */
typedef struct cell_table {
    char (*cells)[TABLE_COLUMNS][CELL_SIZE]; /* owned; by row */
    double right[TABLE_COLUMNS];
    size_t columns; /* that have room */
} cell_table;

static const char *const table_heads[TABLE_COLUMNS] = {
    "calls", "growth", "share", "own growth", "own release", "release", "time", "share", "peak"};

static void share_text(char *text, size_t size, double part, double whole)
{
    if (whole > 0) {
        mprof__percent_text(text, size, part / whole);
    }
}

static void change_cell(const drawing *d, char *cell, const mprof_estimate *e, double sign)
{
    char doubt[48];
    mprof_unit unit = d->layout->options->unit;
    mprof__change_text_in(cell, CELL_SIZE, unit, sign * e->value);
    if (sign > 0 && doubt_of(e) > 0) {
        mprof__memory_text_in(doubt, sizeof doubt, unit, doubt_of(e));
        drop_unit(doubt, cell);
        add_words(cell, CELL_SIZE, " \xC2\xB1%s", doubt);
    }
}

/* "" where there is nothing to say. */
static void fill_cells(const drawing *d, char cells[TABLE_COLUMNS][CELL_SIZE],
                       const mprof_call_function *function)
{
    mprof_unit unit = d->layout->options->unit;
    const mprof_call_sum *total = &function->total, *own = &function->own;
    if (function->call_count > 0) {
        mprof__count_text(cells[0], CELL_SIZE, function->call_count);
    }
    change_cell(d, cells[1], &total->growth_mib, 1);
    share_text(cells[2], CELL_SIZE, total->growth_mib.value,
               d->tree->nodes[0].total.growth_mib.value);
    change_cell(d, cells[3], &own->growth_mib, 1);
    change_cell(d, cells[4], &own->release_mib, -1);
    change_cell(d, cells[5], &total->release_mib, -1);
    mprof__duration_text(cells[6], CELL_SIZE, total->time_s.value);
    share_text(cells[7], CELL_SIZE, total->time_s.value, d->tree->duration_s);
    double doubt = d->tree->duration_s > 0 ? doubt_of(&total->time_s) / d->tree->duration_s : 0;
    if (doubt >= 0.005) {
        add_words(cells[7], CELL_SIZE, " \xC2\xB1%.0f", doubt * 100);
    }
    if (!isnan(function->peak_mib)) {
        mprof__memory_text_in(cells[8], CELL_SIZE, unit, function->peak_mib);
    }
}

/* The last row may say how many there are besides. */
static size_t functions_in_table(const drawing *d)
{
    return d->table_rows < d->tree->function_count ? d->table_rows - 1 : d->table_rows;
}

static bool fill_table_texts(const drawing *d, cell_table *t)
{
    size_t rows = functions_in_table(d);
    double x = d->area.x + TABLE_NAME_PX;
    t->cells = calloc(rows + 1, sizeof *t->cells);
    for (size_t i = 0; t->cells && i < rows; i++) {
        fill_cells(d, t->cells[i], d->sorted[i]);
    }
    for (size_t c = 0; t->cells && c < TABLE_COLUMNS; c++) {
        double width = mprof__text_width(d->layout, MPROF_ROLE_LEGEND_HEAD, table_heads[c],
                                         strlen(table_heads[c]));
        for (size_t i = 0; i < rows; i++) {
            width = fmax(width, mprof__text_width(d->layout, MPROF_ROLE_LEGEND_CELL, t->cells[i][c],
                                                  strlen(t->cells[i][c])));
        }
        bool is_empty = true; /* as calls of sampled stacks are */
        for (size_t i = 0; i < rows; i++) {
            is_empty = is_empty && !*t->cells[i][c];
        }
        x += is_empty ? 0 : fmax(width, TABLE_CELL_LEAST_PX) + TABLE_CELL_GAP_PX;
        t->right[c] = is_empty ? NAN : x;
        t->columns += x <= d->area.x + d->area.width && t->columns == c;
    }
    return t->cells != NULL;
}

static void draw_table_row(drawing *d, const mprof_call_function *function, double y)
{
    char name[300];
    size_t at = (size_t)(function - d->tree->functions);
    double x = d->area.x;
    mprof__add_rect(d->layout->figure, MPROF_ROLE_SWATCH, d->colours[at],
                    (mprof_box){x, y - 9, 10, 10}, MPROF_ABOUT_NONE);
    size_t length = mprof__fit_text(d->layout, MPROF_ROLE_LEGEND_NAME, name, sizeof name,
                                    d->labels[at], TABLE_NAME_PX - TABLE_SWATCH_PX - 10);
    name[length] = '\0';
    put_text(d, MPROF_ROLE_LEGEND_NAME, MPROF_ANCHOR_START, x + TABLE_SWATCH_PX, y, name);
}

static void draw_table_heads(drawing *d, const cell_table *t, double y)
{
    double x = d->area.x, rule_y = floor(y + 6) + 0.5;
    put_text(d, MPROF_ROLE_LEGEND_HEAD, MPROF_ANCHOR_START, x + TABLE_SWATCH_PX, y, "function");
    double right = x + TABLE_NAME_PX;
    for (size_t i = 0; i < t->columns; i++) {
        if (!isnan(t->right[i])) {
            put_text(d, MPROF_ROLE_LEGEND_HEAD, MPROF_ANCHOR_END, t->right[i], y, table_heads[i]);
            right = t->right[i];
        }
    }
    mprof__add_segment(d->layout->figure, MPROF_ROLE_LEGEND_RULE, MPROF_COLOUR_NONE,
                       (mprof__segment){x, rule_y, right, rule_y});
}

static mprof_status draw_table(drawing *d)
{
    cell_table t = {.cells = NULL};
    mprof__begin_group(d->layout->figure, MPROF_GROUP_LEGEND);
    if (d->table_rows == 0) {
        return MPROF_OK;
    }
    if (!fill_table_texts(d, &t)) {
        return MPROF_ENOMEM;
    }
    double y = d->area.y + d->area.height + TABLE_GAP_PX;
    size_t rows = functions_in_table(d);
    draw_table_heads(d, &t, y);
    y += 3;
    for (size_t i = 0; i < rows; i++) {
        y += TABLE_ROW_PX;
        draw_table_row(d, d->sorted[i], y);
        for (size_t c = 0; c < t.columns; c++) {
            if (*t.cells[i][c]) {
                put_text(d, MPROF_ROLE_LEGEND_CELL, MPROF_ANCHOR_END, t.right[c], y, t.cells[i][c]);
            }
        }
    }
    if (rows < d->table_rows) {
        char text[64];
        snprintf(text, sizeof text, "%zu more functions", d->tree->function_count - rows);
        put_text(d, MPROF_ROLE_LEGEND_MORE, MPROF_ANCHOR_START, d->area.x + TABLE_SWATCH_PX,
                 y + TABLE_ROW_PX, text);
    }
    free(t.cells);
    return MPROF_OK;
}

/* ---- for the script ---- */

void mprof__tree_table_free(struct mprof__tree_table *table)
{
    if (table) {
        free(table->nodes);
        free(table->colours);
        free(table->places);
        free(table);
    }
}

/* The largest part of everything that a node has, by any measure. */
static double weight(const mprof_call_node *node, const mprof_call_node *all)
{
    double most = 0;
    for (int measure = 0; measure < 3; measure++) {
        for (int side = 0; side < 2; side++) {
            double whole = mprof__tree_value(&all->total, (mprof_tree_measure)measure, side);
            double part = mprof__tree_value(&node->total, (mprof_tree_measure)measure, side);
            most = whole > 0 ? fmax(most, part / whole) : most;
        }
    }
    return most;
}

/* Nodes of some weight; a caller has at least that of what it calls, so none is left alone. */
static size_t keep_nodes(const drawing *d, struct mprof__tree_table *table, uint32_t *places,
                         double least)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->tree->node_count; i++) {
        const mprof_call_node *node = &d->tree->nodes[i];
        places[i] = UINT32_MAX;
        bool has_parent = i == 0 || places[node->parent] != UINT32_MAX;
        if (!has_parent || (i > 0 && weight(node, &d->tree->nodes[0]) < least)) {
            continue;
        }
        places[i] = (uint32_t)kept;
        table->nodes[kept] = *node;
        table->nodes[kept].parent = i ? places[node->parent] : MPROF_CALL_NODE_NONE;
        table->nodes[kept].function = i ? d->numbers[node->function] : 0;
        kept++;
    }
    return kept;
}

static mprof_status fill_table(drawing *d, struct mprof__tree_table *table)
{
    uint32_t *places = malloc(d->tree->node_count * sizeof *places);
    double least = NODE_LEAST;
    table->nodes = malloc(d->tree->node_count * sizeof *table->nodes);
    table->colours = malloc(d->tree->function_count + 1);
    if (!places || !table->nodes || !table->colours) {
        free(places);
        return MPROF_ENOMEM;
    }
    do {
        table->node_count = keep_nodes(d, table, places, least);
        least *= 2;
    } while (table->node_count > NODES_MOST);
    for (size_t i = 0; i < d->tree->function_count; i++) {
        table->colours[d->numbers[i]] = d->colours[i];
    }
    /* boxes whose nodes the script does not get are not alive */
    for (size_t i = 0; i < table->place_count; i++) {
        table->places[i].node = places[table->places[i].node];
    }
    table->measure = measure_of(d);
    table->duration_s = d->tree->duration_s;
    table->box = d->area;
    table->row_px = d->row_px;
    table->least_px = LEAST_PX;
    table->gap_px = row_gap(d);
    free(places);
    return MPROF_OK;
}

static void set_frame(mprof__layout *layout)
{
    mprof_frame *frame = &layout->figure->frame;
    frame->plot = layout->plot;
    frame->bottom = layout->plot.y + layout->plot.height;
    frame->from_s = layout->from_s;
    frame->to_s = layout->to_s;
    frame->low_mib = layout->memory.from;
    frame->high_mib = layout->memory.to;
    frame->origin_s = layout->inputs[0].start_s;
    frame->unit = layout->options->unit;
    frame->clipped = 1; /* the axis ends at the peak */
}

static mprof_status draw_page(drawing *d, mprof_error *error)
{
    mprof__layout *layout = d->layout;
    mprof_status status = set_facts(d);
    if (status == MPROF_OK) {
        status = divide_page(d, error);
    }
    if (status == MPROF_OK && layout->options->states) {
        layout->figure->tree_table = calloc(1, sizeof *layout->figure->tree_table);
        status = layout->figure->tree_table ? MPROF_OK : MPROF_ENOMEM;
    }
    if (status != MPROF_OK) {
        return status;
    }
    set_frame(layout);
    mprof__draw_heading(layout);
    draw_memory_axis(d);
    mprof__draw_time_axis(layout, layout->plot.y + layout->plot.height);
    draw_curve(d);
    status = draw_peak(d);
    draw_tree(d);
    if (status == MPROF_OK) {
        status = draw_table(d);
    }
    if (status == MPROF_OK && layout->figure->tree_table) {
        status = fill_table(d, layout->figure->tree_table);
    }
    return status == MPROF_OK ? layout->figure->status : status;
}

mprof_status mprof__draw_call_tree(mprof__layout *layout, mprof_error *error)
{
    drawing d = {.layout = layout, .profile = layout->inputs[0].profile};
    mprof_status status = prepare(&d, error);
    if (status == MPROF_OK) {
        status = draw_page(&d, error);
    }
    for (size_t i = 0; d.labels && i < d.tree->function_count; i++) {
        free(d.labels[i]);
    }
    free(d.labels);
    free(d.numbers);
    free(d.colours);
    free(d.sorted);
    mprof__tree_boxes_dispose(&d.boxes);
    mprof_call_tree_free(d.tree);
    return status;
}
