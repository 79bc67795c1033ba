/* A line for each update, so that a reader of a pipe can handle it at once. */
#include "top_json.h"

#include "parse/formats/json.h"
#include "record/session/until_peak.h"

#include <math.h>

#define NS_PER_S 1e9

static json_t *integer_or_null(bool is_known, int64_t value)
{
    return is_known ? json_integer(value) : json_null();
}

static json_t *row_item(const mprof__process_row *row)
{
    bool is_running = !row->has_ended;
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "pid", (json_int_t)row->pid,
                     "name", mprof__json_text(row->name), "memory_bytes",
                     integer_or_null(row->has_sample && is_running, row->bytes), "peak_bytes",
                     integer_or_null(row->peak_bytes > 0, row->peak_bytes), "slope_bytes_per_s",
                     mprof__json_number(row->slope_bytes_per_s), "calls_in_flight",
                     (json_int_t)row->calls, "function",
                     mprof__json_text(row->calls > 0 ? row->function : NULL), "end",
                     is_running ? json_null() : mprof__json_end(row->cause, row->value));
}

static void add_row(void *data, const mprof__process_row *row)
{
    mprof__json_append(data, row_item(row));
}

mprof_status mprof__top_json_write(FILE *stream, const mprof__process_table *table,
                                   const char *state, mprof_error *error)
{
    mprof__process_totals totals;
    json_t *rows = json_array();
    if (!mprof__process_table_visit(table, add_row, &rows)) {
        json_decref(rows);
        rows = NULL;
    }
    mprof__process_table_totals(table, &totals);
    json_t *body = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "state", state,
                             "title", mprof__json_text(totals.title), "memory_bytes",
                             integer_or_null(totals.has_sample, totals.bytes), "peak_bytes",
                             integer_or_null(totals.has_sample, totals.peak_bytes),
                             "slope_bytes_per_s", mprof__json_number(totals.slope_bytes_per_s),
                             "duration_s", mprof__json_number((double)totals.lasts_ns / NS_PER_S),
                             "running_count", (json_int_t)totals.running_count, "ended_count",
                             (json_int_t)totals.ended_count, "processes", rows);
    return mprof__json_print(stream, mprof__json_document("top", body), true, error);
}
