/* From top to bottom: heading, the memory as a strip, the tree, a table of functions. */
#include "call_tree_parts.h"

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
#define TABLE_MOST 12
#define TABLE_LEAST 3   /* with the line that says how many more there are */
#define NODES_MOST 4000 /* that the script gets */
#define NODE_LEAST 5e-5 /* part of everything */

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
static mprof_status choose_colours(mprof__tree_drawing *d)
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
            int8_t pattern = (int8_t)(i < most ? i : MPROF__REST_SLOT);
            d->colours[d->sorted[i] - d->tree->functions] = most ? pattern : slots[i];
        }
    }
    mprof_status status = names && slots && d->colours ? MPROF_OK : MPROF_ENOMEM;
    free(names);
    free(slots);
    return status;
}

static mprof_status add_functions(mprof__tree_drawing *d)
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

static mprof_status prepare(mprof__tree_drawing *d, mprof_error *error)
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
    qsort(d->sorted, d->tree->function_count, sizeof *d->sorted, orders[mprof__tree_measure_of(d)]);
    status = choose_colours(d);
    return status == MPROF_OK ? add_functions(d) : status;
}

/* ---- the page ---- */

static mprof_status make_boxes(mprof__tree_drawing *d, uint32_t row_most)
{
    mprof__tree_view view = {.tree = d->tree,
                             .measure = mprof__tree_measure_of(d),
                             .x = d->layout->plot.x,
                             .width = d->layout->plot.width,
                             .least_px = LEAST_PX,
                             .row_most = row_most};
    mprof__tree_boxes_dispose(&d->boxes);
    return mprof__tree_boxes_make(&d->boxes, &view) == 0 ? MPROF_OK : MPROF_ENOMEM;
}

static mprof_status fail_small(const mprof__tree_drawing *d, mprof_error *error)
{
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "a page of %.0f x %.0f pixels is too small: make it larger",
                           d->layout->options->width_px, d->layout->options->height_px);
}

/* The table gives way to the rows of the tree, as far as these are few. */
static void fit_height(mprof__tree_drawing *d, double rest_px, uint32_t wanted_rows)
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
        while (d->table_rows > 0 && room - mprof__tree_table_height(d->table_rows) < needed) {
            d->table_rows--;
        }
        d->table_rows = d->table_rows < count && d->table_rows < TABLE_LEAST ? 0 : d->table_rows;
        double fitting = floor((room - mprof__tree_table_height(d->table_rows)) / d->row_px);
        rows = fitting < rows ? (uint32_t)fmax(fitting, 0) : rows;
    }
    d->area.height = d->row_px * rows;
    if (grows) {
        d->layout->figure->height_px =
            rest_px + d->area.height + mprof__tree_table_height(d->table_rows);
    }
}

static mprof_status divide_page(mprof__tree_drawing *d, mprof_error *error)
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
    layout->memory = (mprof__scale){.to = peak_mib > 0 ? peak_mib : 1.0 / 1024};
    mprof__memory_text_in(label, sizeof label, layout->options->unit, layout->memory.to);
    double gutter =
        mprof__text_width(layout, MPROF_ROLE_TICK, label, strlen(label)) + sizes->tick_gap;
    gutter = gutter <= sizes->gutter_most ? gutter : 0;
    layout->plot = (mprof_box){ceil(sizes->margin + gutter), sizes->head + peak_px, 0, strip_px};
    layout->plot.width = figure->width_px - sizes->margin - layout->plot.x;
    layout->memory.start = layout->plot.y + strip_px;
    layout->memory.extent = -strip_px;
    layout->highest_mib = layout->memory.to;
    layout->time = mprof__time_scale(layout);
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

static void draw_memory_axis(mprof__tree_drawing *d)
{
    mprof__layout *layout = d->layout;
    char label[48];
    double x = layout->plot.x - layout->figure->sizes.tick_gap;
    mprof__begin_group(layout->figure, MPROF_GROUP_MEMORY_AXIS);
    if (layout->plot.x <= layout->figure->sizes.margin + 1) {
        return;
    }
    mprof__memory_text_in(label, sizeof label, layout->options->unit, layout->memory.to);
    mprof__tree_put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_END, x, layout->plot.y + 4, label);
    mprof__tree_put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_END, x,
                         layout->plot.y + layout->plot.height + 4, "0");
}

static void draw_curve(mprof__tree_drawing *d)
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
static mprof_status draw_peak(mprof__tree_drawing *d)
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
    mprof__tree_put_text(d, MPROF_ROLE_PEAK_NAME, MPROF_ANCHOR_START, fmax(left, layout->plot.x),
                         layout->plot.y - 9, text);
    return MPROF_OK;
}

/* ---- the tree ---- */

static void draw_caption(mprof__tree_drawing *d, const mprof__tree_box *box, mprof_box at)
{
    char text[700], fitted[700];
    double room = at.width - EDGE_PX - 2 * PADDING_PX;
    size_t length = 0;
    if (room < 8) {
        return;
    }
    for (int step = 0; step < 4 && length == 0; step++) {
        mprof__tree_caption_text(d, text, sizeof text, box, step);
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
    mprof__tree_put_text(
        d, MPROF_ROLE_BOX_NAME, MPROF_ANCHOR_START, at.x + EDGE_PX + PADDING_PX,
        at.y + at.height / 2 + (d->layout->figure->sizes.small ? 3 : 4) - OWN_PX / 2 + 0.5, fitted);
}

static uint32_t add_about(mprof__tree_drawing *d, const mprof__tree_box *box)
{
    char text[1600];
    const mprof_call_node *node = &d->tree->nodes[box->node];
    mprof__tree_about_text(d, text, sizeof text, box);
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

static void keep_place(mprof__tree_drawing *d, const mprof__tree_box *box)
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

static double row_gap(const mprof__tree_drawing *d)
{
    return d->row_px > SMALL_ROW_PX ? ROW_GAP_PX : 1;
}

static void draw_box(mprof__tree_drawing *d, const mprof__tree_box *box)
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
static void draw_sides(mprof__tree_drawing *d)
{
    char amount[48], text[200];
    const mprof_call_sum *all = &d->tree->nodes[0].total;
    bool is_growth = mprof__tree_measure_of(d) == MPROF_TREE_GROWTH;
    double y = d->area.y - (d->layout->figure->sizes.small ? 4 : 6);
    double axis_x = d->boxes.axis_x;
    mprof__tree_value_text(d, amount, sizeof amount,
                           mprof__tree_value(all, mprof__tree_measure_of(d), false));
    snprintf(text, sizeof text, is_growth ? "grew %s \xE2\x86\x92" : "%s \xE2\x86\x92", amount);
    mprof__memory_text_in(amount, sizeof amount, d->layout->options->unit, all->release_mib.value);
    if (is_growth && !d->boxes.has_release) {
        mprof__tree_add_words(text, sizeof text, MPROF__FACT_SEPARATOR "released %s", amount);
    }
    double room = d->area.x + d->area.width - axis_x - 8;
    if (mprof__text_width(d->layout, MPROF_ROLE_TICK, text, strlen(text)) <= room) {
        mprof__tree_put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_START, axis_x + 7, y, text);
    }
    if (!d->boxes.has_release) {
        return;
    }
    snprintf(text, sizeof text, "\xE2\x86\x90 released %s", amount);
    if (mprof__text_width(d->layout, MPROF_ROLE_TICK, text, strlen(text)) <= axis_x - d->area.x) {
        mprof__tree_put_text(d, MPROF_ROLE_TICK, MPROF_ANCHOR_END, axis_x - 7, y, text);
    }
    double line_x = floor(axis_x) + 0.5;
    mprof__add_segment(
        d->layout->figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
        (mprof__segment){line_x, y - 10, line_x, d->area.y + d->row_px * d->boxes.row_count});
}

static void draw_tree(mprof__tree_drawing *d)
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
        mprof__tree_put_text(d, MPROF_ROLE_LEGEND_MORE, MPROF_ANCHOR_END, d->area.x + d->area.width,
                             d->area.y - 6, text);
    }
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
static size_t keep_nodes(const mprof__tree_drawing *d, struct mprof__tree_table *table,
                         uint32_t *places, double least)
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

static mprof_status fill_table(mprof__tree_drawing *d, struct mprof__tree_table *table)
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
    table->measure = mprof__tree_measure_of(d);
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

static mprof_status draw_page(mprof__tree_drawing *d, mprof_error *error)
{
    mprof__layout *layout = d->layout;
    mprof_status status = mprof__tree_set_facts(d);
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
        status = mprof__tree_draw_table(d);
    }
    if (status == MPROF_OK && layout->figure->tree_table) {
        status = fill_table(d, layout->figure->tree_table);
    }
    return status == MPROF_OK ? layout->figure->status : status;
}

mprof_status mprof__draw_call_tree(mprof__layout *layout, mprof_error *error)
{
    mprof__tree_drawing d = {.layout = layout, .profile = layout->inputs[0].profile};
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
