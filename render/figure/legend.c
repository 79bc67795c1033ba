/* Arranges the tables side by side and draws them. The last line counts rows without room. */
#include "legend.h"

#include "colour_slots.h"
#include "fit_text.h"
#include "format_units.h"
#include "legend_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_PX 19.0
#define HEAD_PX 20.0
#define COLUMN_GAP_PX 26.0
#define TABLE_GAP_PX 56.0
#define SWATCH_PX 10.0
#define SWATCH_GAP_PX 8.0
#define LINE_SWATCH_PX 14.0 /* a dashed line begins further left, so that its dash shows */
#define NAME_MAX_PX 260.0

void mprof__legend_free(mprof__legend *legend)
{
    if (!legend) {
        return;
    }
    for (size_t i = 0; i < legend->table_count; i++) {
        free(legend->tables[i].rows);
    }
    free(legend);
}

/* Drops the last columns if the page is too narrow for them. */
static void measure_table(mprof__legend_table *table, const mprof__layout *layout, double width_px)
{
    table->width = SWATCH_PX + SWATCH_GAP_PX;
    for (int c = 0; c < table->columns; c++) {
        double width = mprof__text_width(layout, MPROF_ROLE_LEGEND_HEAD, table->heads[c],
                                         strlen(table->heads[c]));
        for (size_t i = 0; i < table->count; i++) {
            const char *text = c ? table->rows[i].cells[c - 1] : table->rows[i].name;
            mprof_role role = c ? MPROF_ROLE_LEGEND_CELL : MPROF_ROLE_LEGEND_NAME;
            width = fmax(width, mprof__text_width(layout, role, text, strlen(text)));
        }
        table->widths[c] = fmax(width, c ? 48 : 110);
        double width_with = table->width + table->widths[c] + (c ? COLUMN_GAP_PX : 0);
        if (width_with > width_px && c) {
            table->columns = c;
            break;
        }
        table->width = width_with;
    }
}

/* Leaves the last column out where that makes room for a second block of rows. */
static void trade_column(mprof__legend_table *table, size_t rows, double width_px)
{
    double without = table->width - table->widths[table->columns - 1] - COLUMN_GAP_PX;
    if (table->has_spare_column && table->total > rows &&
        2 * table->width + TABLE_GAP_PX > width_px && 2 * without + TABLE_GAP_PX <= width_px) {
        table->width = without;
        table->columns--;
    }
}

/* Tables are side by side; a long one is split into blocks where there is room. */
static void arrange(mprof__legend *legend, double width_px, double most_height_px)
{
    size_t rows = (size_t)fmax(1, floor((most_height_px - HEAD_PX) / ROW_PX));
    size_t highest = 0;
    double used = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        if (legend->table_count == 1) {
            trade_column(&legend->tables[i], rows, width_px);
        }
        used += legend->tables[i].width + (i ? TABLE_GAP_PX : 0);
    }
    for (size_t i = 0; i < legend->table_count; i++) {
        mprof__legend_table *table = &legend->tables[i];
        size_t blocks = 1;
        while (table->total > rows * blocks && used + table->width + TABLE_GAP_PX <= width_px) {
            used += table->width + TABLE_GAP_PX;
            blocks++;
        }
        table->blocks = blocks;
        size_t room = rows * blocks;
        /* the last line counts the rows that are left out */
        table->shown = table->total <= room ? table->total : room - 1;
        if (table->shown > table->count) {
            table->shown = table->count;
        }
        size_t lines = table->shown + (table->shown < table->total);
        size_t height = (lines + blocks - 1) / blocks;
        highest = height > highest ? height : highest;
    }
    legend->width = used;
    legend->height = legend->table_count ? HEAD_PX + (double)highest * ROW_PX : 0;
}

/* Measures again without the rows that are left out. */
static void measure_shown(mprof__legend *legend, const mprof__layout *layout, double width_px)
{
    legend->width = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        mprof__legend_table *table = &legend->tables[i];
        if (table->shown < table->count) {
            table->count = table->shown;
            mprof__legend_remove_empty_columns(table);
            measure_table(table, layout, width_px);
        }
        legend->width +=
            (double)table->blocks * (table->width + TABLE_GAP_PX) - (i ? 0 : TABLE_GAP_PX);
    }
}

static mprof__legend *legend_with_names(const mprof__layout *layout, double width_px,
                                        double most_height_px, double name_most_px)
{
    mprof__legend *legend = calloc(1, sizeof *legend);
    if (!legend) {
        return NULL;
    }
    legend->name_most_px = name_most_px;
    size_t most = (size_t)fmax(2, most_height_px / ROW_PX * 3);
    if (!mprof__legend_add_recordings(legend, layout) || !mprof__legend_add_kinds(legend, layout) ||
        !mprof__legend_add_functions(legend, layout, most) ||
        !mprof__legend_add_processes(legend, layout, most) ||
        !mprof__legend_add_commands(legend, layout, most)) {
        mprof__legend_free(legend);
        return NULL;
    }
    for (size_t i = 0; i < legend->table_count; i++) {
        int columns = legend->tables[i].columns;
        measure_table(&legend->tables[i], layout, width_px);
        legend->is_crowded = legend->is_crowded || legend->tables[i].columns < columns;
    }
    /* drop tables that have no room, the last first */
    double used = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        used += legend->tables[i].width + (i ? TABLE_GAP_PX : 0);
        if (used > width_px && i > 0) {
            legend->is_crowded = true;
            while (legend->table_count > i) {
                free(legend->tables[--legend->table_count].rows);
            }
        }
    }
    arrange(legend, width_px, most_height_px);
    measure_shown(legend, layout, width_px);
    return legend;
}

static size_t shown_cells(const mprof__legend *legend)
{
    size_t cells = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        cells += legend->tables[i].shown * (size_t)legend->tables[i].columns;
    }
    return cells;
}

/* Shortens names if that makes room for all tables; else keeps the usual length. */
static mprof__legend *legend_with_all_tables(const mprof__layout *layout, double width_px,
                                             double most_height_px, double usual_px)
{
    static const double shares[] = {0.75, 0.55};
    mprof__legend *legend = legend_with_names(layout, width_px, most_height_px, usual_px);
    for (size_t i = 0; legend && legend->is_crowded && i < sizeof shares / sizeof *shares; i++) {
        mprof__legend *other =
            legend_with_names(layout, width_px, most_height_px, usual_px * shares[i]);
        if (other && !other->is_crowded) {
            mprof__legend_free(legend);
            return other;
        }
        mprof__legend_free(other);
    }
    return legend;
}

mprof__legend *mprof__legend_new(mprof__layout *layout, double width_px, double most_height_px)
{
    double usual = fmin(NAME_MAX_PX, layout->options->width_px * 0.3);
    mprof__legend *legend = legend_with_all_tables(layout, width_px, most_height_px, usual);
    if (!legend || !legend->has_cut_names || legend->width >= width_px) {
        return legend;
    }
    /* names may differ in their ends only: widen them as long as no cell is lost */
    double widest = 0, spare = width_px - legend->width;
    for (size_t i = 0; i < legend->table_count; i++) {
        widest = fmax(widest, legend->tables[i].widths[0]);
    }
    for (size_t share = 1; share <= legend->table_count; share++) {
        mprof__legend *wide = legend_with_names(layout, width_px, most_height_px,
                                                widest + floor(spare / (double)share));
        if (wide && shown_cells(wide) >= shown_cells(legend)) {
            mprof__legend_free(legend);
            return wide;
        }
        mprof__legend_free(wide);
    }
    return legend;
}

double mprof__legend_rows_height(size_t rows)
{
    return HEAD_PX + ROW_PX * (double)rows;
}

double mprof__legend_width(const mprof__legend *legend)
{
    return legend->width;
}

double mprof__legend_height(const mprof__legend *legend)
{
    return legend->height;
}

static void draw_cells(mprof__layout *layout, const mprof__legend_table *table,
                       const mprof__legend_row *row, double x, double baseline)
{
    for (int c = 0; c < table->columns; c++) {
        const char *text = !row ? table->heads[c] : c ? row->cells[c - 1] : row->name;
        mprof_role role = !row ? MPROF_ROLE_LEGEND_HEAD
                          : c  ? MPROF_ROLE_LEGEND_CELL
                               : MPROF_ROLE_LEGEND_NAME;
        mprof__add_measured_text(
            layout, (mprof__text_item){.role = role,
                                       .colour = MPROF_COLOUR_NONE,
                                       .anchor = c ? MPROF_ANCHOR_END : MPROF_ANCHOR_START,
                                       .x = c ? x + table->widths[c] : x,
                                       .y = baseline,
                                       .text = text,
                                       .length = strlen(text)});
        x += table->widths[c] + COLUMN_GAP_PX;
    }
}

static void draw_table(mprof__layout *layout, const mprof__legend_table *table, double x, double y)
{
    size_t lines = table->shown + (table->shown < table->total);
    size_t per_block = (lines + table->blocks - 1) / table->blocks;
    for (size_t b = 0; b * per_block < lines; b++) {
        double left = x + (double)b * (table->width + TABLE_GAP_PX);
        double text_x = left + SWATCH_PX + SWATCH_GAP_PX;
        draw_cells(layout, table, NULL, text_x, y + 11);
        mprof__add_segment(
            layout->figure, MPROF_ROLE_LEGEND_RULE, MPROF_COLOUR_NONE,
            (mprof__segment){left, y + HEAD_PX - 2.5, left + table->width, y + HEAD_PX - 2.5});
        for (size_t i = 0; i < per_block && b * per_block + i < lines; i++) {
            size_t n = b * per_block + i;
            double top = y + HEAD_PX + (double)i * ROW_PX;
            if (n == table->shown) {
                char text[40], count[32];
                snprintf(text, sizeof text, "+ %s more",
                         mprof__count_text(count, sizeof count, table->total - table->shown));
                mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_LEGEND_MORE,
                                                                    .colour = MPROF_COLOUR_NONE,
                                                                    .x = text_x,
                                                                    .y = top + 13.5,
                                                                    .text = text,
                                                                    .length = strlen(text)});
                continue;
            }
            const mprof__legend_row *row = &table->rows[n];
            if (row->swatch == MPROF_ROLE_SWATCH) {
                mprof__add_rect(layout->figure, row->swatch, row->colour,
                                (mprof_box){left, top + 4.5, SWATCH_PX, SWATCH_PX},
                                MPROF_ABOUT_NONE);
            } else if (row->swatch != MPROF_ROLE_COUNT) {
                mprof__add_segment(
                    layout->figure, row->swatch, row->colour,
                    (mprof__segment){left - (row->colour >= MPROF__LINE_SLOT ? LINE_SWATCH_PX : 0),
                                     top + 9.5, left + SWATCH_PX, top + 9.5});
            }
            draw_cells(layout, table, row, text_x, top + 13.5);
        }
    }
}

void mprof__draw_legend(mprof__layout *layout, const mprof__legend *legend, double x, double y)
{
    mprof__begin_group(layout->figure, MPROF_GROUP_LEGEND);
    for (size_t i = 0; i < legend->table_count; i++) {
        const mprof__legend_table *table = &legend->tables[i];
        draw_table(layout, table, x, y);
        x += (double)table->blocks * (table->width + TABLE_GAP_PX);
    }
}
