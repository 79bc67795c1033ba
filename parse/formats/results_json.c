/* --format json: all that is known, in bytes and seconds. */
#include "results_json.h"

#include "comparison_json.h"
#include "formats.h"
#include "json.h"
#include "measures.h"

#include <math.h>

static const char *const units[] = {
    [MPROF__UNIT_MIB] = "bytes", [MPROF__UNIT_MIB_PER_MIN] = "bytes/s", [MPROF__UNIT_S] = "s"};

static json_t *value_of(double value, mprof__unit unit)
{
    return unit == MPROF__UNIT_MIB ? mprof__json_bytes(value)
                                   : mprof__json_number(mprof__base_value(value, unit));
}

static json_t *running_items(const mprof__result *result)
{
    json_t *items = json_array();
    for (size_t i = 0; i < result->running_count; i++) {
        const mprof__running_call *call = &result->running[i];
        mprof__json_append(&items,
                           json_pack("{s:o, s:b, s:I, s:o, s:o, s:o}", "name",
                                     mprof__json_text(call->name), "is_process", call->is_process,
                                     "process_count", (json_int_t)call->process_count, "since_s",
                                     mprof__json_number(call->since_s), "added_bytes",
                                     mprof__json_bytes(call->added_mib), "baseline_bytes",
                                     mprof__json_bytes(call->before_mib)));
    }
    return items;
}

static json_t *interval_of(const mprof__result *result)
{
    return isnan(result->low) || isnan(result->high)
               ? json_null()
               : json_pack("{s:o, s:o, s:o}", "low", value_of(result->low, result->unit), "high",
                           value_of(result->high, result->unit), "confidence",
                           mprof__json_number(result->confidence));
}

json_t *mprof__json_result(const mprof__result *result)
{
    mprof__unit unit = result->unit;
    json_t *item = json_pack(
        "{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:b}", "key", mprof__json_text(result->key),
        "name", mprof__json_text(result->name), "verdict", mprof__verdict_text(result->verdict),
        "unit", units[unit], "measured", value_of(result->measured, unit), "limit",
        value_of(result->limit, unit), "margin", value_of(result->margin, unit), "margin_share",
        mprof__json_number(result->margin_share), "is_lowest", result->is_lowest, "is_at_least",
        result->is_at_least);
    json_t *more = json_pack(
        "{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "interval", interval_of(result), "p_value",
        mprof__json_number(result->p_value), "baseline", value_of(result->baseline, unit),
        "baseline_runs", (json_int_t)result->baseline_runs, "reason",
        mprof__json_text(result->reason), "file", mprof__json_text(result->file), "at_s",
        mprof__json_number(result->at_s), "running", running_items(result));
    if (!item || !more || json_object_update(item, more) != 0) {
        json_decref(item);
        item = NULL;
    }
    json_decref(more);
    return item;
}

static json_t *end_of(const mprof__subject *subject)
{
    static const mprof_exit_cause causes[] = {[MPROF__ENDING_UNKNOWN] = MPROF_EXIT_UNKNOWN,
                                              [MPROF__ENDING_STATUS] = MPROF_EXIT_STATUS,
                                              [MPROF__ENDING_SIGNAL] = MPROF_EXIT_SIGNAL,
                                              [MPROF__ENDING_OOM] = MPROF_EXIT_OOM};
    return mprof__json_end(causes[subject->ending], subject->ending_value);
}

/* Takes the results. */
static json_t *subject_item(const mprof__subject *subject, const char *verdict, json_t *results)
{
    static const char *const kinds[] = {[MPROF__SUBJECT_RECORDING] = "recording",
                                        [MPROF__SUBJECT_RUNS] = "runs",
                                        [MPROF__SUBJECT_TEST] = "test"};
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "name", mprof__json_text(subject->name), "kind", kinds[subject->kind],
                     "verdict", verdict, "file", mprof__json_text(subject->file), "program",
                     mprof__json_text(subject->program), "command_line",
                     mprof__json_text(subject->command_line), "run_count",
                     (json_int_t)subject->run_count, "peak_bytes",
                     mprof__json_bytes(subject->peak_mib), "peak_is_lower_bound",
                     subject->peak_at_least, "peak_at_s", mprof__json_number(subject->peak_at_s),
                     "duration_s", mprof__json_number(subject->duration_s), "end", end_of(subject),
                     "error", mprof__json_text(subject->error), "warnings",
                     mprof__json_text(subject->warnings), "results", results);
}

static json_t *subject_items(const mprof__results *results)
{
    json_t *items = json_array();
    size_t next = 0; /* results are in the order of the subjects */
    for (size_t i = 0; i < results->subject_count; i++) {
        json_t *own = json_array();
        for (; next < results->count && results->results[next].subject == i; next++) {
            mprof__json_append(&own, mprof__json_result(&results->results[next]));
        }
        mprof__verdict worst =
            results->subjects[i].error ? MPROF__NOT_MEASURED : mprof__results_worst(results, i);
        mprof__json_append(&items,
                           subject_item(&results->subjects[i], mprof__verdict_text(worst), own));
    }
    return items;
}

int mprof__format_json(FILE *stream, const mprof__format_input *input)
{
    const mprof__results *results = input->results;
    char headline[512];
    mprof__results_headline(results, headline, sizeof headline);
    json_t *counts =
        json_pack("{s:I, s:I, s:I, s:I}", "passed", (json_int_t)results->counts[MPROF__PASSED],
                  "failed", (json_int_t)results->counts[MPROF__FAILED], "inconclusive",
                  (json_int_t)results->counts[MPROF__INCONCLUSIVE], "not_measured",
                  (json_int_t)results->counts[MPROF__NOT_MEASURED]);
    json_t *body =
        json_pack("{s:i, s:b, s:o, s:o, s:o}", "exit_code", mprof__results_exit_code(results),
                  "report_only", results->report_only, "headline", mprof__json_text(headline),
                  "counts", counts, "subjects", subject_items(results));
    if (input->comparisons &&
        json_object_set_new(body, "comparisons", mprof__json_comparisons(input->comparisons)) !=
            0) {
        json_decref(body);
        body = NULL;
    }
    return mprof__json_print(stream, mprof__json_document(input->command, body), false, NULL) ==
                   MPROF_OK
               ? 0
               : -1;
}
