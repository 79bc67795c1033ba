/* The table of functions below a tree of calls. */
#include "call_tree_parts.h"

#include "fit_text.h"
#include "format_units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_GAP_PX 22.0
#define TABLE_ROW_PX 19.0
#define TABLE_SWATCH_PX 18.0
#define TABLE_NAME_PX 170.0
#define TABLE_CELL_LEAST_PX 40.0
#define TABLE_CELL_GAP_PX 22.0
#define TABLE_COLUMNS 9

double mprof__tree_table_height(size_t rows)
{
    return rows > 0 ? TABLE_GAP_PX + TABLE_ROW_PX * ((double)rows + 1) : 0;
}

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

static void change_cell(const mprof__tree_drawing *d, char *cell, const mprof_estimate *e,
                        double sign)
{
    char doubt[48];
    mprof_unit unit = d->layout->options->unit;
    mprof__change_text_in(cell, CELL_SIZE, unit, sign * e->value);
    if (sign > 0 && mprof__estimate_doubt(e) > 0) {
        mprof__memory_text_in(doubt, sizeof doubt, unit, mprof__estimate_doubt(e));
        mprof__tree_drop_unit(doubt, cell);
        mprof__tree_add_words(cell, CELL_SIZE, " \xC2\xB1%s", doubt);
    }
}

/* "" where there is nothing to say. */
static void fill_cells(const mprof__tree_drawing *d, char cells[TABLE_COLUMNS][CELL_SIZE],
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
    double doubt =
        d->tree->duration_s > 0 ? mprof__estimate_doubt(&total->time_s) / d->tree->duration_s : 0;
    if (doubt >= 0.005) {
        mprof__tree_add_words(cells[7], CELL_SIZE, " \xC2\xB1%.0f", doubt * 100);
    }
    if (!isnan(function->peak_mib)) {
        mprof__memory_text_in(cells[8], CELL_SIZE, unit, function->peak_mib);
    }
}

/* The last row may say how many there are besides. */
static size_t functions_in_table(const mprof__tree_drawing *d)
{
    return d->table_rows < d->tree->function_count ? d->table_rows - 1 : d->table_rows;
}

static bool fill_table_texts(const mprof__tree_drawing *d, cell_table *t)
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

static void draw_table_row(mprof__tree_drawing *d, const mprof_call_function *function, double y)
{
    char name[300];
    size_t at = (size_t)(function - d->tree->functions);
    double x = d->area.x;
    mprof__add_rect(d->layout->figure, MPROF_ROLE_SWATCH, d->colours[at],
                    (mprof_box){x, y - 9, 10, 10}, MPROF_ABOUT_NONE);
    size_t length = mprof__fit_text(d->layout, MPROF_ROLE_LEGEND_NAME, name, sizeof name,
                                    d->labels[at], TABLE_NAME_PX - TABLE_SWATCH_PX - 10);
    name[length] = '\0';
    mprof__tree_put_text(d, MPROF_ROLE_LEGEND_NAME, MPROF_ANCHOR_START, x + TABLE_SWATCH_PX, y,
                         name);
}

static void draw_table_heads(mprof__tree_drawing *d, const cell_table *t, double y)
{
    double x = d->area.x, rule_y = floor(y + 6) + 0.5;
    mprof__tree_put_text(d, MPROF_ROLE_LEGEND_HEAD, MPROF_ANCHOR_START, x + TABLE_SWATCH_PX, y,
                         "function");
    double right = x + TABLE_NAME_PX;
    for (size_t i = 0; i < t->columns; i++) {
        if (!isnan(t->right[i])) {
            mprof__tree_put_text(d, MPROF_ROLE_LEGEND_HEAD, MPROF_ANCHOR_END, t->right[i], y,
                                 table_heads[i]);
            right = t->right[i];
        }
    }
    mprof__add_segment(d->layout->figure, MPROF_ROLE_LEGEND_RULE, MPROF_COLOUR_NONE,
                       (mprof__segment){x, rule_y, right, rule_y});
}

mprof_status mprof__tree_draw_table(mprof__tree_drawing *d)
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
                mprof__tree_put_text(d, MPROF_ROLE_LEGEND_CELL, MPROF_ANCHOR_END, t.right[c], y,
                                     t.cells[i][c]);
            }
        }
    }
    if (rows < d->table_rows) {
        char text[64];
        snprintf(text, sizeof text, "%zu more functions", d->tree->function_count - rows);
        mprof__tree_put_text(d, MPROF_ROLE_LEGEND_MORE, MPROF_ANCHOR_START,
                             d->area.x + TABLE_SWATCH_PX, y + TABLE_ROW_PX, text);
    }
    free(t.cells);
    return MPROF_OK;
}
