/* The table of `mprof top`: a row for each process with its latest memory, peak, slope and calls.
 * Filled from a recording that grows or from running processes. */
#ifndef MPROF_RECORD_PROCESS_TABLE_H
#define MPROF_RECORD_PROCESS_TABLE_H

#include <mprof/error.h>
#include <mprof/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__process_table mprof__process_table;

/* MPROF_ENOMEM. */
mprof_status mprof__process_table_new(mprof__process_table **out, mprof_error *error);
void mprof__process_table_free(mprof__process_table *table);

/* The title: untrusted bytes, copied; escaped when written. */
void mprof__process_table_set_title(mprof__process_table *table, const char *bytes, size_t length);

/* Adds a sample of the total. Times are in nanoseconds of any one clock. */
void mprof__process_table_add_total(mprof__process_table *table, int64_t bytes, int64_t time_ns);

/* Each adds a row for a new process, but add_peak does not. They do nothing if memory is out. */
void mprof__process_table_set_name(mprof__process_table *table, int64_t pid, const char *bytes,
                                   size_t length);
void mprof__process_table_add_sample(mprof__process_table *table, int64_t pid, int64_t bytes,
                                     int64_t time_ns);
void mprof__process_table_add_peak(mprof__process_table *table, int64_t pid, int64_t bytes);
void mprof__process_table_end(mprof__process_table *table, int64_t pid, mprof_exit_cause cause,
                              int64_t value);

/* Names of running processes, by pid, from another table: a recording has more names. */
void mprof__process_table_copy_names(mprof__process_table *table, const mprof__process_table *from);

/* Whether the process has a row and has not ended. */
bool mprof__process_table_is_alive(const mprof__process_table *table, int64_t pid);

/* Calls in flight: first clear those of all processes, then set the new ones. */
void mprof__process_table_clear_calls(mprof__process_table *table);
void mprof__process_table_set_calls(mprof__process_table *table, int64_t pid, size_t count,
                                    const char *function);

/* One process, for readers other than a terminal. Texts are valid until the table changes. */
typedef struct mprof__process_row {
    int64_t pid;
    const char *name;     /* untrusted bytes; NULL: unknown */
    const char *function; /* the last one to begin of its calls in flight; NULL: unknown */
    bool has_sample;
    int64_t bytes;            /* of the last sample */
    int64_t peak_bytes;       /* 0: unknown */
    double slope_bytes_per_s; /* NAN: unknown */
    uint32_t calls;           /* in flight */
    bool has_ended;
    mprof_exit_cause cause; /* of one that has ended */
    int32_t value;
} mprof__process_row;

/* Calls visit for each row: running processes, most memory first, then those that ended last.
 * False without memory. */
bool mprof__process_table_visit(const mprof__process_table *table,
                                void (*visit)(void *data, const mprof__process_row *row),
                                void *data);

typedef struct mprof__process_totals {
    const char *title;
    bool has_sample;
    int64_t bytes, peak_bytes;
    double slope_bytes_per_s; /* NAN before samples of two times */
    int64_t lasts_ns;
    size_t running_count;
    uint64_t ended_count;
} mprof__process_totals;

void mprof__process_table_totals(const mprof__process_table *table, mprof__process_totals *totals);

typedef struct mprof__process_table_view {
    const char *state; /* shown before the title: "recording", "ended" ... */
    size_t rows;       /* most lines to write */
    size_t columns;    /* most columns of a line */
    bool utf8;         /* else ASCII only */
} mprof__process_table_view;

/* Calls write_line for each line of the table, escaped: title and total, then running processes,
 * most memory first, then those that ended last. */
void mprof__process_table_write(const mprof__process_table *table,
                                const mprof__process_table_view *view,
                                void (*write_line)(void *data, const char *text), void *data);

#endif
