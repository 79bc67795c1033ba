/* What is known of the processes of a recording at this moment, as a table for people: filled from
 * a recording that grows or from processes that run, and told as lines of text. */
#ifndef MPROF_RECORD_PROCESS_TABLE_H
#define MPROF_RECORD_PROCESS_TABLE_H

#include <mprof/error.h>
#include <mprof/record.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__process_table mprof__process_table;

/* MPROF_ENOMEM. */
mprof_status mprof__process_table_new(mprof__process_table **out, mprof_error *error);
void mprof__process_table_free(mprof__process_table *board);

/* What the table is about: anything, copied, not yet harmless. */
void mprof__process_table_set_title(mprof__process_table *board, const char *bytes, size_t length);

/* Memory of the whole. Times are on any clock, in nanoseconds. */
void mprof__process_table_add_total(mprof__process_table *board, int64_t bytes, int64_t time_ns);

/* Each makes the process known if it is not. Nothing happens where there is no memory for it. */
void mprof__process_table_name(mprof__process_table *board, int64_t pid, const char *bytes,
                               size_t length);
void mprof__process_table_add(mprof__process_table *board, int64_t pid, int64_t bytes,
                              int64_t time_ns);
void mprof__process_table_peak(mprof__process_table *board, int64_t pid, int64_t bytes);
void mprof__process_table_end(mprof__process_table *board, int64_t pid, mprof_exit_cause cause,
                              int64_t value);

/* Whether that one runs, as far as is known. */
int mprof__process_table_is_alive(const mprof__process_table *board, int64_t pid);

/* Calls in flight: all are forgotten, then told anew. */
void mprof__process_table_clear_calls(mprof__process_table *board);
void mprof__process_table_calls(mprof__process_table *board, int64_t pid, size_t count,
                                const char *function);

/* Hands over the table line by line, harmless, none wider than `columns`, no more than `rows`: the
 * whole first, then what runs, most memory first, then what has ended lately. state: one word on
 * how the recording stands. */
void mprof__process_table_tell(const mprof__process_table *board, const char *state, size_t rows,
                               size_t columns, int utf8, void (*line)(void *data, const char *text),
                               void *data);

#endif
