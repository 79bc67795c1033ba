/* A table of columns says which member of the recording each shows, and how. */
#include "report_tables.h"

#include "render/draw/theme.h"
#include "render/figure/colour_slots.h"
#include "report_model.h"
#include "report_words.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_WIDTH 90
#define NAME_BYTES 240
#define LONG_TABLE 14    /* rows; the page shows the first of a longer one */
#define FILTERED_TABLE 5 /* rows; a longer one can be filtered */

enum value_type { BYTES, CHANGE, SECONDS, MOMENT, COUNT, NUMBER, END };

struct column {
    const char *title, *member;
    enum value_type type;
    bool has_bar;
};

static const struct column function_columns[] = {
    {"most a call added", "most_added_bytes", CHANGE, true},
    {"in the baseline", "baseline_most_added_bytes", CHANGE, false},
    {"all calls added", "change_bytes", CHANGE, false},
    {"highest", "peak_bytes", BYTES, false},
    {"calls", "calls", COUNT, false},
    {"total", "total_s", SECONDS, false},
    {"own", "own_s", SECONDS, false},
    {"longest", "longest_s", SECONDS, false},
};

static const struct column process_columns[] = {
    {"peak", "peak_bytes", BYTES, true},
    {"exact peak", "kernel_peak_bytes", BYTES, false},
    {"mean", "mean_bytes", BYTES, false},
    {"started", "started_s", MOMENT, false},
    {"lasted", "duration_s", SECONDS, false},
    {"pid", "pid", NUMBER, false},
    {"end", "end", END, false},
};

struct row {
    const json_t *item;
    double key;  /* of the order: the first column */
    double less; /* of those that have none, or the same */
    int slot;    /* colour; -1: none */
};

#define COLUMN_MAX 16

struct table {
    struct column columns[COLUMN_MAX];
    size_t column_count;
    struct row *rows;
    size_t row_count;
    mprof__column_unit bytes, seconds;
    double largest; /* of the first column */
};

char *mprof__end_word(char *text, const json_t *end)
{
    const char *cause = mprof__report_string(end, "cause");
    int value = (int)json_integer_value(json_object_get(end, "value"));
    if (strcmp(cause, "status") == 0) {
        snprintf(text, MPROF__WORD_SIZE, "exit" MPROF__NBSP "%d", value);
    } else if (strcmp(cause, "signal") == 0) {
        snprintf(text, MPROF__WORD_SIZE, "killed by signal" MPROF__NBSP "%d", value);
    } else if (strcmp(cause, "out of memory") == 0) {
        snprintf(text, MPROF__WORD_SIZE, "killed, out of memory");
    } else {
        snprintf(text, MPROF__WORD_SIZE, "%s", *cause ? "ended" : MPROF__UNKNOWN);
    }
    return text;
}

static int by_key(const void *a, const void *b)
{
    const struct row *first = a, *second = b;
    double left = isnan(first->key) ? -INFINITY : first->key;
    double right = isnan(second->key) ? -INFINITY : second->key;
    if (left == right) {
        left = isnan(first->less) ? -INFINITY : first->less;
        right = isnan(second->less) ? -INFINITY : second->less;
    }
    return left > right ? -1 : left < right;
}

static bool is_bytes(enum value_type type)
{
    return type == BYTES || type == CHANGE;
}

static bool is_time(enum value_type type)
{
    return type == SECONDS || type == MOMENT;
}

static void choose_units(struct table *table)
{
    double bytes = 0, seconds = 0;
    for (size_t i = 0; i < table->row_count; i++) {
        for (size_t c = 0; c < table->column_count; c++) {
            double value = mprof__report_number(table->rows[i].item, table->columns[c].member);
            bytes = is_bytes(table->columns[c].type) ? fmax(bytes, fabs(value)) : bytes;
            seconds = is_time(table->columns[c].type) ? fmax(seconds, value) : seconds;
        }
        table->largest = fmax(table->largest, table->rows[i].key);
    }
    table->bytes = mprof__bytes_unit(bytes);
    table->seconds = mprof__seconds_unit(seconds);
}

static json_t *column_of(const struct table *table, size_t index)
{
    const struct column *column = &table->columns[index];
    const char *unit = is_bytes(column->type)  ? table->bytes.name
                       : is_time(column->type) ? table->seconds.name
                                               : "";
    char title[MPROF__WORD_SIZE];
    snprintf(title, sizeof title, "%s%s%s", column->title, *unit ? "," MPROF__NBSP : "", unit);
    return json_pack("{s:s,s:b,s:s?}", "title", title, "is_left", column->type == END, "sorted",
                     index == 0 ? "descending" : NULL);
}

static json_t *cell_of(const struct table *table, const struct row *row,
                       const struct column *column)
{
    char text[MPROF__WORD_SIZE], value_text[MPROF__WORD_SIZE];
    double value = mprof__report_number(row->item, column->member);
    switch (column->type) {
    case BYTES:
    case CHANGE:
        mprof__value_word(text, value, table->bytes, column->type == CHANGE);
        break;
    case SECONDS:
        mprof__value_word(text, value, table->seconds, false);
        break;
    case MOMENT: /* a process that is older than the recording was there at its start */
        mprof__value_word(text, value < 0 ? 0 : value, table->seconds, false);
        break;
    case COUNT:
        mprof__count_word(text, value);
        break;
    case NUMBER:
        snprintf(text, sizeof text, isnan(value) ? MPROF__UNKNOWN : "%.0f", value);
        break;
    case END:
        mprof__end_word(text, json_object_get(row->item, column->member));
        break;
    }
    if (column->type == END) {
        snprintf(value_text, sizeof value_text, "%s", text);
    } else if (isnan(value)) {
        value_text[0] = '\0';
    } else {
        snprintf(value_text, sizeof value_text, "%.17g", value);
    }
    json_t *cell = json_pack("{s:s,s:s,s:b}", "text", text, "value", value_text, "is_left",
                             column->type == END);
    if (column->has_bar) {
        double share = table->largest > 0 && value > 0 ? value / table->largest : 0;
        json_t *bar = json_pack("{s:i}", "width", (int)lround(share * BAR_WIDTH));
        if (json_object_set_new(cell, "bar", bar) != 0) {
            json_decref(cell);
            return NULL;
        }
    }
    return cell;
}

static json_t *row_of(const struct table *table, const struct row *row)
{
    static const mprof__looks looks = {MPROF__PALETTE_LIGHT, NULL};
    char light[16];
    const char *name = mprof__report_string(row->item, "label");
    double pid = mprof__report_number(row->item, "pid");
    char number[MPROF__WORD_SIZE];
    name = *name ? name : mprof__report_string(row->item, "name");
    snprintf(number, sizeof number, isnan(pid) ? "main process" : "process" MPROF__NBSP "%.0f",
             pid);
    json_t *cells = json_array();
    for (size_t c = 0; cells && c < table->column_count; c++) {
        if (json_array_append_new(cells, cell_of(table, row, &table->columns[c])) != 0) {
            json_decref(cells);
            return NULL;
        }
    }
    json_t *view = json_pack("{s:o,s:o}", "name",
                             mprof__name_word(*name ? name : number, NAME_BYTES), "cells", cells);
    if (row->slot >= 0) {
        snprintf(light, sizeof light, "#%06x",
                 mprof__tone_colour(&looks, MPROF__TONE_SLOT, row->slot));
        json_t *slot = json_pack("{s:i,s:s}", "number", row->slot, "light", light);
        if (json_object_set_new(view, "slot", slot) != 0) {
            json_decref(view);
            return NULL;
        }
    }
    return view;
}

static json_t *lists_of(const struct table *table, size_t row_max, const char *things)
{
    char text[128], count[MPROF__WORD_SIZE];
    json_t *columns = json_array(), *rows = json_array();
    bool good = columns && rows;
    for (size_t c = 0; good && c < table->column_count; c++) {
        good = json_array_append_new(columns, column_of(table, c)) == 0;
    }
    for (size_t i = 0; good && i < table->row_count && i < row_max; i++) {
        good = json_array_append_new(rows, row_of(table, &table->rows[i])) == 0;
    }
    json_t *view =
        json_pack("{s:o,s:o,s:b,s:b}", "columns", columns, "rows", rows, "is_long",
                  table->row_count > LONG_TABLE, "has_filter", table->row_count > FILTERED_TABLE);
    if (good && table->row_count > row_max) {
        snprintf(text, sizeof text, "%s more %s with less are left out here.",
                 mprof__count_word(count, (double)(table->row_count - row_max)), things);
        good = json_object_set_new(view, "left_out", json_string(text)) == 0;
    }
    if (!good) {
        json_decref(view);
        return NULL;
    }
    return view;
}

/* True if one of the items has a value there. */
static bool has_values(const json_t *items, const struct column *column)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *value = json_object_get(json_array_get(items, i), column->member);
        if (value && !json_is_null(value)) {
            return true;
        }
    }
    return false;
}

static bool fill_rows(struct table *table, const json_t *items, const struct column *columns,
                      size_t column_count)
{
    for (size_t i = 0; i < column_count; i++) {
        if (has_values(items, &columns[i])) {
            table->columns[table->column_count++] = columns[i];
        }
    }
    table->columns[0].has_bar = is_bytes(table->columns[0].type);
    table->row_count = json_array_size(items);
    table->rows = calloc(table->row_count + 1, sizeof *table->rows);
    for (size_t i = 0; table->rows && i < table->row_count; i++) {
        const json_t *item = json_array_get(items, i);
        double key = mprof__report_number(item, table->columns[0].member);
        double less = mprof__report_number(item, table->columns[1].member);
        table->rows[i] = (struct row){item, key, less, -1};
    }
    return table->rows != NULL;
}

/* ---- functions ---- */

static int by_total(const void *a, const void *b)
{
    const struct row *first = a, *second = b;
    double left = mprof__report_number(first->item, "total_s");
    double right = mprof__report_number(second->item, "total_s");
    if (left != right) {
        return left > right ? -1 : 1;
    }
    return strcmp(mprof__report_string(first->item, "name"),
                  mprof__report_string(second->item, "name"));
}

/* The colours that the picture gives them: by total time. */
static bool assign_colours(struct table *table)
{
    int8_t *slots = calloc(table->row_count + 1, sizeof *slots);
    const char **names = calloc(table->row_count + 1, sizeof *names);
    bool good = slots && names;
    if (good) {
        qsort(table->rows, table->row_count, sizeof *table->rows, by_total);
        for (size_t i = 0; i < table->row_count; i++) {
            names[i] = mprof__report_string(table->rows[i].item, "name");
        }
        mprof__assign_colour_slots(slots, names, table->row_count);
        for (size_t i = 0; i < table->row_count; i++) {
            table->rows[i].slot = slots[i];
        }
    }
    free(slots);
    free(names);
    return good;
}

static json_t *add_head(json_t *view, const char *prefix, const char *id, const char *title,
                        const char *note)
{
    char unique[MPROF__WORD_SIZE];
    snprintf(unique, sizeof unique, "%s%s", prefix, id);
    json_t *head = json_pack("{s:s,s:s,s:s}", "id", unique, "title", title, "note", note);
    if (!view || json_object_update(view, head) != 0) {
        json_decref(view);
        view = NULL;
    }
    json_decref(head);
    return view;
}

json_t *mprof__functions_table(const json_t *recording, const char *prefix, size_t row_max)
{
    struct table table = {0};
    const json_t *items = json_object_get(recording, "functions");
    char count[MPROF__WORD_SIZE];
    json_t *view = NULL;
    if (json_array_size(items) == 0) {
        return json_null();
    }
    if (fill_rows(&table, items, function_columns,
                  sizeof function_columns / sizeof *function_columns) &&
        assign_colours(&table)) {
        qsort(table.rows, table.row_count, sizeof *table.rows, by_key);
        choose_units(&table);
        view = lists_of(&table, row_max, "functions");
        view = add_head(view, prefix, "functions", "Functions",
                        mprof__count_word(count, (double)table.row_count));
    }
    free(table.rows);
    return view;
}

json_t *mprof__processes_table(const json_t *recording, const char *prefix, size_t row_max)
{
    struct table table = {0};
    char count[MPROF__WORD_SIZE];
    json_t *view = NULL;
    if (fill_rows(&table, json_object_get(recording, "processes"), process_columns,
                  sizeof process_columns / sizeof *process_columns)) {
        qsort(table.rows, table.row_count, sizeof *table.rows, by_key);
        choose_units(&table);
        view = lists_of(&table, row_max, "processes");
        view = add_head(view, prefix, "processes", "Processes",
                        mprof__count_word(count, (double)table.row_count));
    }
    free(table.rows);
    return view;
}
