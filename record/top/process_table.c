/* Only the last few processes that have ended keep a row: a program may have a million children. */
#include "process_table.h"

#include "parse/array.h"
#include "parse/number_map.h"
#include "parse/plain_text.h"
#include "record/session/until_peak.h"
#include "record/terminal/live_line.h"
#include "record/terminal/sparkline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)
#define ROWS_MAX (1U << 20)
#define ENDED_MAX 8
#define NAME_COLUMNS 28
#define NAME_SHARE 0.6 /* of what the numbers leave */
/* Narrower terminals show fewer numbers. */
#define COLUMNS_WITH_SLOPE 64
#define COLUMNS_WITH_PEAK 48
#define NAME_SIZE 96
#define FUNCTION_SIZE 256
/* A process counts as ended after this many ticks without a sample: not every file records ends. */
#define TICKS_UNTIL_GONE 10
#define FIRST_SWEEP 1024

/* Kept small: a recording may have a hundred thousand processes. */
typedef struct table_row {
    int64_t pid;
    char *name;              /* owned; NULL: unknown */
    char *function;          /* owned; NULL: unknown */
    mprof__sparkline *slope; /* owned; NULL before the second sample */
    int64_t bytes;           /* the last sample */
    int64_t time_ns;
    int64_t peak_bytes; /* the highest sample or the kernel's high-water mark; 0: neither */
    uint32_t tick;      /* of the last sample; 0: none */
    uint32_t calls;
    mprof_exit_cause cause;
    int32_t value;
} table_row;

struct mprof__process_table {
    char title[512];
    mprof__sparkline total;
    table_row **rows; /* of running processes */
    size_t count;
    size_t size;
    mprof__number_map by_pid;    /* pid -> index in rows */
    table_row *ended[ENDED_MAX]; /* the last ones, as a ring */
    uint64_t ended_count;
    uint32_t tick;      /* totals so far */
    size_t swept_count; /* rows left by the last sweep of end_silent_rows */
};

static void free_row(table_row *row)
{
    if (row) {
        free(row->name);
        free(row->function);
        free(row->slope);
        free(row);
    }
}

mprof_status mprof__process_table_new(mprof__process_table **out, mprof_error *error)
{
    mprof__process_table *table = calloc(1, sizeof *table);

    *out = table;
    if (!table) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    table->by_pid.limit = ROWS_MAX;
    return MPROF_OK;
}

void mprof__process_table_free(mprof__process_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        free_row(table->rows[i]);
    }
    for (size_t i = 0; i < ENDED_MAX; i++) {
        free_row(table->ended[i]);
    }
    free(table->rows);
    mprof__number_map_free(&table->by_pid);
    free(table);
}

static void copy_text(char *text, size_t size, const char *bytes, size_t length)
{
    length = mprof__text_copy(text, size, bytes, length);
    for (char *at = text; (at = memchr(at, '\0', (size_t)(text + length - at)));) {
        *at = ' '; /* NUL separates the arguments of a command line */
    }
}

/* Replaces *text by a copy of at most `size` bytes with NUL. If memory is out, the old text
 * stays. */
static void replace_text(char **text, size_t size, const char *bytes, size_t length)
{
    char *copy = malloc(length < size ? length + 1 : size);

    if (copy) {
        copy_text(copy, length < size ? length + 1 : size, bytes, length);
        free(*text);
        *text = copy;
    }
}

void mprof__process_table_set_title(mprof__process_table *table, const char *bytes, size_t length)
{
    copy_text(table->title, sizeof table->title, bytes, length);
}

static table_row *find_row(const mprof__process_table *table, int64_t pid)
{
    uint32_t index;

    return mprof__number_map_find_index(&table->by_pid, (uint64_t)pid, &index) ? table->rows[index]
                                                                               : NULL;
}

static bool reserve_row(mprof__process_table *table)
{
    table_row **rows = mprof__array_grow(table->rows, table->count, &table->size, sizeof *rows);

    if (!rows) {
        return false;
    }
    table->rows = rows;
    return true;
}

/* NULL if out of memory. */
static table_row *find_or_add_row(mprof__process_table *table, int64_t pid)
{
    table_row *row = find_row(table, pid);

    if (row || !reserve_row(table)) {
        return row;
    }
    row = calloc(1, sizeof *row);
    if (!row || mprof__number_map_put_index(&table->by_pid, (uint64_t)pid,
                                            (uint32_t)table->count) != MPROF__PUT_DONE) {
        free(row);
        return NULL;
    }
    row->pid = pid;
    table->rows[table->count++] = row;
    return row;
}

/* Ends processes without a sample in the last ticks. Sweeps only when the rows have doubled, so
 * that it costs little per row. */
static void end_silent_rows(mprof__process_table *table)
{
    size_t i = 0;

    if (table->count < 2 * table->swept_count + FIRST_SWEEP) {
        return;
    }
    while (i < table->count) {
        const table_row *row = table->rows[i];

        if (row->tick != 0 && table->tick - row->tick > TICKS_UNTIL_GONE) {
            mprof__process_table_end(table, row->pid, MPROF_EXIT_UNKNOWN, 0);
        } else {
            i++;
        }
    }
    table->swept_count = table->count;
}

void mprof__process_table_add_total(mprof__process_table *table, int64_t bytes, int64_t time_ns)
{
    mprof__sparkline_add(&table->total, bytes, time_ns);
    table->tick++;
    end_silent_rows(table);
}

void mprof__process_table_set_name(mprof__process_table *table, int64_t pid, const char *bytes,
                                   size_t length)
{
    table_row *row = find_or_add_row(table, pid);

    if (row) {
        replace_text(&row->name, NAME_SIZE, bytes, length);
    }
}

void mprof__process_table_add_sample(mprof__process_table *table, int64_t pid, int64_t bytes,
                                     int64_t time_ns)
{
    table_row *row = find_or_add_row(table, pid);

    if (!row) {
        return;
    }
    if (row->tick != 0 && !row->slope) {
        row->slope = calloc(1, sizeof *row->slope); /* NULL: no slope is shown */
        if (row->slope) {
            mprof__sparkline_add(row->slope, row->bytes, row->time_ns);
        }
    }
    if (row->slope) {
        mprof__sparkline_add(row->slope, bytes, time_ns);
    }
    row->bytes = bytes;
    row->time_ns = time_ns;
    row->tick = table->tick + (table->tick == 0);
    if (bytes > row->peak_bytes) {
        row->peak_bytes = bytes;
    }
}

void mprof__process_table_add_peak(mprof__process_table *table, int64_t pid, int64_t bytes)
{
    table_row *row = find_row(table, pid); /* NULL: it has ended */

    if (row && bytes > row->peak_bytes) {
        row->peak_bytes = bytes;
    }
}

void mprof__process_table_end(mprof__process_table *table, int64_t pid, mprof_exit_cause cause,
                              int64_t value)
{
    table_row *row = find_or_add_row(table, pid);
    table_row **place = &table->ended[table->ended_count % ENDED_MAX];
    uint32_t index;

    if (!row || !mprof__number_map_remove_index(&table->by_pid, (uint64_t)pid, &index)) {
        return;
    }
    row->cause = cause;
    row->value = (int32_t)value;
    row->calls = 0;
    free(row->slope);
    row->slope = NULL;
    free_row(*place);
    *place = row;
    table->ended_count++;
    table->count--;
    if (index < table->count) { /* the last row moves into the gap */
        table->rows[index] = table->rows[table->count];
        (void)mprof__number_map_put_index(&table->by_pid, (uint64_t)table->rows[index]->pid, index);
    }
}

bool mprof__process_table_is_alive(const mprof__process_table *table, int64_t pid)
{
    return find_row(table, pid) != NULL;
}

void mprof__process_table_clear_calls(mprof__process_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        table->rows[i]->calls = 0;
    }
}

void mprof__process_table_set_calls(mprof__process_table *table, int64_t pid, size_t count,
                                    const char *function)
{
    table_row *row = find_row(table, pid); /* NULL: it has ended */

    if (row) {
        row->calls = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
        replace_text(&row->function, FUNCTION_SIZE, function, strlen(function));
    }
}

void mprof__process_table_copy_names(mprof__process_table *table, const mprof__process_table *from)
{
    for (size_t i = 0; i < from->count; i++) {
        table_row *row = find_row(table, from->rows[i]->pid);

        if (row && from->rows[i]->name) {
            replace_text(&row->name, NAME_SIZE, from->rows[i]->name, strlen(from->rows[i]->name));
        }
    }
}

/* ---- text ---- */

/* The columns of a table, chosen by the room there is and by the names. */
typedef struct table_columns {
    bool has_peak;
    bool has_slope;
    size_t name; /* width */
} table_columns;

static size_t width_of_name(const table_row *row, size_t most, bool utf8)
{
    mprof__terminal_text text;

    mprof__terminal_text_init(&text, most, utf8);
    mprof__terminal_text_put_foreign(&text, row->name ? row->name : "", most);
    return text.columns;
}

static table_columns choose_columns(const mprof__process_table_view *view,
                                    const table_row *const *shown, size_t count)
{
    table_columns columns = {.has_peak = view->columns >= COLUMNS_WITH_PEAK,
                             .has_slope = view->columns >= COLUMNS_WITH_SLOPE};
    size_t numbers = 18;
    numbers += columns.has_peak ? 9 : 0;
    numbers += columns.has_slope ? 10 : 0;
    size_t left = view->columns > numbers + 2 ? view->columns - numbers - 2 : 1;
    size_t most = (size_t)((double)left * NAME_SHARE + 0.5);

    columns.name = most < NAME_COLUMNS ? most : NAME_COLUMNS;
    for (size_t i = 0; i < count && columns.name < most; i++) {
        size_t width = width_of_name(shown[i], most, view->utf8);

        columns.name = width > columns.name ? width : columns.name;
    }
    return columns;
}

static void put_mib(mprof__terminal_text *text, bool is_known, int64_t bytes)
{
    if (is_known) {
        (void)mprof__terminal_text_put(text, " %8.1f", (double)bytes / MIB);
    } else {
        (void)mprof__terminal_text_put(text, " %8s", "-");
    }
}

/* Without "ended: " where that has no room: the row has no memory then, which says the same. */
static void put_end(mprof__terminal_text *text, const table_row *row)
{
    static const char before[] = "ended: ";
    char name[16], end[48] = "ended";

    mprof__signal_name(name, sizeof name, (int)row->value);
    switch (row->cause) {
    case MPROF_EXIT_STATUS:
        snprintf(end, sizeof end, "%sstatus %d", before, (int)row->value);
        break;
    case MPROF_EXIT_SIGNAL:
        snprintf(end, sizeof end, "%ssignal %s", before, name);
        break;
    case MPROF_EXIT_OOM:
        snprintf(end, sizeof end, "%sout of memory", before);
        break;
    case MPROF_EXIT_UNKNOWN:
        break;
    }
    bool fits = strlen(end) <= text->room - text->columns;
    bool has_more = strlen(end) > sizeof before - 1;
    (void)mprof__terminal_text_put(text, "%s", fits || !has_more ? end : end + sizeof before - 1);
}

static void put_calls(mprof__terminal_text *text, const table_row *row)
{
    char more[32] = "";

    if (row->calls > 1) {
        snprintf(more, sizeof more, " +%u", row->calls - 1);
    }
    if (row->calls > 0 && text->room > text->columns + strlen(more)) {
        mprof__terminal_text_put_foreign(text, row->function ? row->function : "",
                                         text->room - text->columns - strlen(more));
        (void)mprof__terminal_text_put(text, "%s", more);
    }
}

static bool has_slope(const mprof__sparkline *line)
{
    return line && line->last_ns > line->first_ns;
}

static void put_row(mprof__terminal_text *text, const table_columns *columns, const table_row *row,
                    bool has_ended)
{
    (void)mprof__terminal_text_put(text, "%7lld", (long long)row->pid);
    put_mib(text, row->tick != 0 && !has_ended, row->bytes);
    if (columns->has_peak) {
        put_mib(text, row->peak_bytes > 0, row->peak_bytes);
    }
    if (columns->has_slope && has_slope(row->slope) && !has_ended) {
        (void)mprof__terminal_text_put(text, " %+9.2f", mprof__sparkline_slope(row->slope) / MIB);
    } else if (columns->has_slope) {
        (void)mprof__terminal_text_put(text, " %9s", "-");
    }
    (void)mprof__terminal_text_put(text, "  ");
    size_t start = text->columns;
    mprof__terminal_text_put_name(text, row->name ? row->name : "", columns->name);
    mprof__terminal_text_pad(text, start + columns->name + 2);
    if (has_ended) {
        put_end(text, row);
    } else {
        put_calls(text, row);
    }
}

static int compare_rows(const void *left, const void *right)
{
    const table_row *a = *(const table_row *const *)left;
    const table_row *b = *(const table_row *const *)right;

    if (a->bytes != b->bytes) {
        return a->bytes > b->bytes ? -1 : 1;
    }
    return (a->pid > b->pid) - (a->pid < b->pid);
}

/* The rows by memory, largest first; NULL if out of memory. */
static const table_row **sort_rows(const mprof__process_table *table)
{
    const table_row **sorted = malloc((table->count + 1) * sizeof *sorted);

    for (size_t i = 0; sorted && i < table->count; i++) {
        sorted[i] = table->rows[i];
    }
    if (sorted && table->count > 0) {
        qsort(sorted, table->count, sizeof *sorted, compare_rows);
    }
    return sorted;
}

/* How many of the rows of ended processes are kept. */
static uint64_t count_ended_rows(const mprof__process_table *table)
{
    return table->ended_count < ENDED_MAX ? table->ended_count : ENDED_MAX;
}

/* back: 1 is the one that ended last. */
static const table_row *ended_row(const mprof__process_table *table, uint64_t back)
{
    return table->ended[(table->ended_count - back) % ENDED_MAX];
}

static mprof__process_row row_of(const table_row *row, bool has_ended)
{
    return (mprof__process_row){
        .pid = row->pid,
        .name = row->name,
        .function = row->function,
        .has_sample = row->tick != 0,
        .bytes = row->bytes,
        .peak_bytes = row->peak_bytes,
        .slope_bytes_per_s = has_slope(row->slope) ? mprof__sparkline_slope(row->slope) : NAN,
        .calls = row->calls,
        .has_ended = has_ended,
        .cause = row->cause,
        .value = row->value,
    };
}

bool mprof__process_table_visit(const mprof__process_table *table,
                                void (*visit)(void *data, const mprof__process_row *row),
                                void *data)
{
    const table_row **sorted = sort_rows(table);

    for (size_t i = 0; sorted && i < table->count; i++) {
        mprof__process_row row = row_of(sorted[i], false);
        visit(data, &row);
    }
    for (uint64_t back = 1; sorted && back <= count_ended_rows(table); back++) {
        mprof__process_row row = row_of(ended_row(table, back), true);
        visit(data, &row);
    }
    free(sorted);
    return sorted != NULL;
}

void mprof__process_table_totals(const mprof__process_table *table, mprof__process_totals *totals)
{
    *totals = (mprof__process_totals){
        .title = table->title,
        .has_sample = table->total.count > 0,
        .bytes = table->total.bytes,
        .peak_bytes = table->total.peak_bytes,
        .slope_bytes_per_s = has_slope(&table->total) ? mprof__sparkline_slope(&table->total) : NAN,
        .lasts_ns = table->total.last_ns - table->total.first_ns,
        .running_count = table->count,
        .ended_count = table->ended_count,
    };
    /* with only one process its high-water mark is that of the total */
    if (table->count == 1 && table->ended_count == 0 &&
        table->rows[0]->peak_bytes > totals->peak_bytes) {
        totals->peak_bytes = table->rows[0]->peak_bytes;
    }
}

/* The same text as the live line. */
static void put_total(mprof__terminal_text *text, const mprof__process_table *table)
{
    mprof__process_totals totals;
    mprof__live_line_view view = {0};

    mprof__process_table_totals(table, &totals);
    view.peak_bytes = totals.peak_bytes;
    view.lasts_ns = totals.lasts_ns;
    view.processes = totals.running_count;
    mprof__live_line_format(text, &table->total, &view);
}

static void put_title(mprof__terminal_text *text, const mprof__process_table *table,
                      const char *state)
{
    (void)mprof__terminal_text_put(text, " %s: ", state);
    mprof__terminal_text_put_foreign(text, table->title, text->room);
}

static void put_header(mprof__terminal_text *text, const table_columns *columns)
{
    (void)mprof__terminal_text_put(text, "%7s %8s", "PID", "MiB");
    if (columns->has_peak) {
        (void)mprof__terminal_text_put(text, " %8s", "PEAK");
    }
    if (columns->has_slope) {
        (void)mprof__terminal_text_put(text, " %9s", "MiB/s");
    }
    (void)mprof__terminal_text_put(text, "  %-*s  ", (int)columns->name, "NAME");
    (void)mprof__terminal_text_put(text, "IN FLIGHT");
}

void mprof__process_table_write(const mprof__process_table *table,
                                const mprof__process_table_view *view,
                                void (*write_line)(void *data, const char *text), void *data)
{
    const table_row **sorted = sort_rows(table);
    uint64_t ended = count_ended_rows(table);
    mprof__terminal_text text;
    table_columns columns = {0};

    if (sorted) {
        size_t shown = table->count < view->rows ? table->count : view->rows;

        columns = choose_columns(view, sorted, shown);
    }
    for (size_t i = 0; i < view->rows && sorted; i++) {
        size_t row = i - 3;

        mprof__terminal_text_init(&text, view->columns, view->utf8);
        if (i == 0) {
            put_title(&text, table, view->state);
        } else if (i == 1) {
            put_total(&text, table);
        } else if (i == 2) {
            put_header(&text, &columns);
        } else if (row < table->count) {
            put_row(&text, &columns, sorted[row], false);
        } else if (row - table->count < ended) {
            put_row(&text, &columns, ended_row(table, row - table->count + 1), true);
        } else if (row - table->count == ended && table->ended_count > ended) {
            (void)mprof__terminal_text_put(&text, "%7s more have ended: %llu", "",
                                           (unsigned long long)(table->ended_count - ended));
        } else {
            break;
        }
        write_line(data, text.bytes);
    }
    free(sorted);
}
