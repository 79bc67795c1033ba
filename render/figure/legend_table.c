#include "legend_table.h"

#include "fit_text.h"

#include "parse/plain_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mprof__legend_set_name(mprof__legend *legend, const mprof__layout *layout,
                            mprof__legend_row *row, const char *name)
{
    mprof__fit_text(layout, MPROF_ROLE_LEGEND_NAME, row->name, sizeof row->name, name,
                    legend->name_most_px);
    legend->has_cut_names = legend->has_cut_names || strcmp(row->name, name) != 0;
}

void mprof__legend_set_full_name(mprof__legend_row *row, const char *name)
{
    mprof__text_copy(row->full, sizeof row->full, name, strlen(name));
}

void mprof__legend_fit_names(mprof__legend *legend, const mprof__layout *layout,
                             mprof__legend_table *table, size_t apart)
{
    mprof__name_prefix prefix = {.names = 0};
    for (size_t i = apart; i < table->count; i++) {
        mprof__add_to_prefix(&prefix, table->rows[i].full);
    }
    for (size_t i = 0; i < table->count; i++) {
        mprof__legend_row *row = &table->rows[i];
        mprof__fit_name(layout, MPROF_ROLE_LEGEND_NAME, row->name, sizeof row->name, row->full,
                        &prefix, legend->name_most_px);
        legend->has_cut_names = legend->has_cut_names || strcmp(row->name, row->full) != 0;
    }
}

mprof__legend_table *mprof__legend_add_table(mprof__legend *legend, size_t rows)
{
    mprof__legend_row *list = calloc(rows ? rows : 1, sizeof *list);
    if (!list) {
        return NULL;
    }
    mprof__legend_table *table = &legend->tables[legend->table_count++];
    table->rows = list;
    return table;
}

void mprof__legend_add_head(mprof__legend_table *table, const char *head)
{
    snprintf(table->heads[table->columns++], sizeof *table->heads, "%s", head);
}

void mprof__legend_set_heads(mprof__legend_table *table, const char *const *heads)
{
    while (heads[table->columns]) {
        mprof__legend_add_head(table, heads[table->columns]);
    }
}

static bool is_empty(const mprof__legend_table *table, int column)
{
    for (size_t i = 0; i < table->count; i++) {
        if (*table->rows[i].cells[column]) {
            return false;
        }
    }
    return true;
}

void mprof__legend_remove_column(mprof__legend_table *table, int column)
{
    int following = table->columns - 1 - (column + 1);
    memmove(table->heads[column + 1], table->heads[column + 2],
            (size_t)following * sizeof *table->heads);
    for (size_t i = 0; i < table->count; i++) {
        memmove(table->rows[i].cells[column], table->rows[i].cells[column + 1],
                (size_t)following * sizeof *table->rows[i].cells);
    }
    table->columns--;
}

void mprof__legend_remove_empty_columns(mprof__legend_table *table)
{
    for (int column = table->columns - 2; column >= 0; column--) {
        if (is_empty(table, column)) {
            mprof__legend_remove_column(table, column);
        }
    }
}
