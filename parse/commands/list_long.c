/* mprof list --long. All recordings are read before the first line is printed: columns are as wide
 * as their content. */
#include "list_long.h"

#include "command.h"
#include "parse/array.h"
#include "parse/dates.h"
#include "parse/ranks.h"
#include "parse/summary.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NUMBER, FILE_NAME, RUN, STARTED, PEAK, LASTED, PROCESSES, COMMAND, COLUMN_COUNT };

static const struct {
    const char *head;
    bool is_number; /* aligned to the right */
} columns[COLUMN_COUNT] = {{"", true},          {"file", false},   {"run", false},
                           {"started", false},  {"peak", true},    {"lasted", true},
                           {"processes", true}, {"command", false}};

typedef struct row {
    char *cells[COLUMN_COUNT]; /* owned; NULL: empty */
    bool is_highest;           /* of several runs */
} row;

typedef struct table {
    row *rows; /* owned */
    size_t count, capacity;
    bool failed; /* out of memory */
} table;

/* NULL without memory. */
static row *add_row(table *t)
{
    row *rows = mprof__array_grow(t->rows, t->count, &t->capacity, sizeof *rows);
    if (!rows) {
        t->failed = true;
        return NULL;
    }
    t->rows = rows;
    rows[t->count] = (row){.is_highest = false};
    return &rows[t->count++];
}

__attribute__((format(printf, 4, 5))) static void set_cell(table *t, row *to, int column,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&to->cells[column], format, arguments) < 0) {
        to->cells[column] = NULL;
        t->failed = true;
    }
    va_end(arguments);
}

static void set_started(table *t, row *to, double time_s)
{
    char text[32];
    struct tm parts;
    if (mprof__local_time(&parts, time_s) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) > 0) {
        set_cell(t, to, STARTED, "%s", text);
    }
}

static void set_lasted(table *t, row *to, double seconds)
{
    unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (seconds < 100) {
        set_cell(t, to, LASTED, "%.1f s", seconds);
    } else if (whole < 3600) {
        set_cell(t, to, LASTED, "%llu min %02llu s", whole / 60, whole % 60);
    } else {
        set_cell(t, to, LASTED, "%llu h %02llu min", whole / 3600, whole / 60 % 60);
    }
}

static void add_run(table *t, const mprof_run *run, const mprof__summary *summary, size_t number,
                    const char *path)
{
    char ranks[80];
    row *to = add_row(t);
    if (!to) {
        return;
    }
    set_cell(t, to, NUMBER, "%zu", number);
    set_cell(t, to, FILE_NAME, "%s", path);
    if (run->count > 1) {
        set_cell(t, to, RUN, "%zu of %zu", run->number, run->count);
    }
    set_started(t, to, run->first_s);
    set_cell(t, to, PEAK, "%.1f MiB", run->peak_mib);
    set_lasted(t, to, run->last_s - run->first_s);
    set_cell(t, to, PROCESSES, "%zu", run->process_count);
    if (summary->rank_count > 0 && run->count == 1) {
        set_cell(t, to, COMMAND, "%s: %s",
                 mprof__ranks_text(ranks, sizeof ranks, summary->rank_count, summary->host_count),
                 run->command_line);
    } else {
        set_cell(t, to, COMMAND, "%s", run->command_line);
    }
}

static void add_runs(table *t, const mprof__summary *summary, size_t number, const char *path)
{
    const mprof__run_finder *finder = &summary->runs;
    size_t first = t->count, highest = 0;
    for (size_t i = 0; i < finder->count; i++) {
        add_run(t, &finder->runs[i], summary, number, path);
        highest = finder->runs[i].peak_mib > finder->runs[highest].peak_mib ? i : highest;
    }
    if (finder->count > 1 && first + highest < t->count) {
        t->rows[first + highest].is_highest = true;
    }
}

/* A recording that cannot be used has a line, too: its index counts. */
static void add_recording(table *t, size_t number, const char *path)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_source *source;
    mprof__summary summary;
    mprof_status status = mprof_source_open(&source, path, &error);
    if (status == MPROF_OK) {
        status = mprof__summary_read(&summary, source, NULL, &error);
        if (status == MPROF_OK) {
            add_runs(t, &summary, number, path);
            mprof__command_warn_file(path, &summary.warnings);
        }
        mprof__summary_free(&summary);
        mprof_source_free(source);
    }
    row *to = status == MPROF_OK ? NULL : add_row(t);
    if (to) {
        set_cell(t, to, NUMBER, "%zu", number);
        set_cell(t, to, FILE_NAME, "%s", path);
        set_cell(t, to, COMMAND, "(%s)", error.message);
    }
}

static const char *cell_of(const row *from, int column)
{
    return from->cells[column] ? from->cells[column] : "";
}

/* The command is the last column and not padded. */
static void print_row(const row *from, const size_t *widths, bool marks_highest)
{
    for (int c = 0; c < COLUMN_COUNT; c++) {
        int width = (int)widths[c];
        if (c == COMMAND) {
            mprof__print_plain(stdout, cell_of(from, c));
        } else if (width > 0) {
            printf("%*s", columns[c].is_number ? width : -width, cell_of(from, c));
            if (c == PEAK && marks_highest) {
                putchar(from->is_highest ? '*' : ' ');
            }
            fputs("  ", stdout);
        }
    }
    putchar('\n');
}

static void print_table(const table *t)
{
    size_t widths[COLUMN_COUNT] = {0};
    bool marks_highest = false;
    row head = {.is_highest = false};
    for (size_t i = 0; i < t->count; i++) {
        for (int c = 0; c < COMMAND; c++) {
            size_t width = strlen(cell_of(&t->rows[i], c));
            widths[c] = width > widths[c] ? width : widths[c];
        }
        marks_highest |= t->rows[i].is_highest;
    }
    for (int c = 0; c < COLUMN_COUNT; c++) {
        size_t width = strlen(columns[c].head);
        head.cells[c] = (char *)(uintptr_t)columns[c].head;
        widths[c] = widths[c] > 0 && width > widths[c] ? width : widths[c];
    }
    if (t->count > 0) {
        print_row(&head, widths, marks_highest);
    }
    for (size_t i = 0; i < t->count; i++) {
        print_row(&t->rows[i], widths, marks_highest);
    }
    if (marks_highest) {
        puts("* the highest of several runs");
    }
}

int mprof__list_long(const mprof_recordings *recordings)
{
    table t = {.rows = NULL};
    mprof_error error = MPROF_ERROR_INIT;
    for (size_t i = 0; i < mprof_recordings_count(recordings) && !t.failed; i++) {
        add_recording(&t, i, mprof_recordings_name(recordings, i));
    }
    if (t.failed) {
        mprof_error_set(&error, MPROF_ENOMEM, "out of memory");
        mprof__command_fail(&error);
    } else {
        print_table(&t);
    }
    for (size_t i = 0; i < t.count; i++) {
        for (int c = 0; c < COLUMN_COUNT; c++) {
            free(t.rows[i].cells[c]);
        }
    }
    free(t.rows);
    return t.failed ? MPROF_EXIT_FAILED : MPROF_EXIT_OK;
}

/* ---- how many runs ---- */

/* True if the bytes have more than one CMDLINE, which is rare. */
static bool may_have_runs(int fd)
{
    static const char word[] = "CMDLINE";
    enum { BLOCK_SIZE = 256 * 1024, WORD = sizeof word - 1 };
    char *bytes = malloc(BLOCK_SIZE + WORD);
    size_t kept = 0, found = 0;
    ssize_t count;
    while (bytes && found < 2 && (count = read(fd, bytes + kept, BLOCK_SIZE)) > 0) {
        size_t length = kept + (size_t)count;
        const char *at = bytes, *end = bytes + length;
        while (found < 2 && (at = memmem(at, (size_t)(end - at), word, WORD))) {
            found++;
            at += WORD;
        }
        kept = length < WORD - 1 ? length : WORD - 1;
        memmove(bytes, end - kept, kept);
    }
    free(bytes);
    return found > 1;
}

size_t mprof__count_runs(const char *path)
{
    mprof_source *source = NULL;
    mprof_runs *runs = NULL;
    size_t count = 1;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool has_runs = fd >= 0 && may_have_runs(fd);
    if (fd >= 0) {
        close(fd);
    }
    if (has_runs && mprof_source_open(&source, path, NULL) == MPROF_OK &&
        mprof_runs_read(&runs, source, NULL) == MPROF_OK) {
        mprof_runs_list(runs, &count);
    }
    mprof_runs_free(runs);
    mprof_source_free(source);
    return count;
}
