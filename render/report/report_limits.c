/* The results themselves are spelled as by `mprof check --format json`. */
#include "report_limits.h"

#include "parse/formats/results_json.h"
#include "parse/number.h"
#include "report_model.h"

#include <math.h>
#include <string.h>

/* Peaks of one run that was read twice differ by rounding only. */
static bool is_about(const mprof__subject *subject, const json_t *recording, const char *path,
                     bool is_only_run)
{
    double peak = mprof__report_number(json_object_get(recording, "peak"), "bytes");
    return subject->file && strcmp(subject->file, path) == 0 && !subject->error &&
           (is_only_run || fabs(mprof__bytes_of_mib(subject->peak_mib) - peak) <= 1);
}

mprof_status mprof__report_add_limits(json_t *recording, const mprof__results *results,
                                      const char *path, bool is_only_run)
{
    json_t *limits = json_object_get(recording, "limits");
    for (size_t i = 0; i < results->count; i++) {
        const mprof__result *result = &results->results[i];
        const mprof__subject *subject = &results->subjects[result->subject];
        if (!is_about(subject, recording, path, is_only_run)) {
            continue;
        }
        const char *verdict = mprof__verdict_text(mprof__results_worst(results, result->subject));
        if (json_array_append_new(limits, mprof__json_result(result)) != 0 ||
            json_object_set_new(recording, "verdict", json_string(verdict)) != 0 ||
            json_object_set_new(recording, "run_count",
                                json_integer((json_int_t)subject->run_count)) != 0) {
            return MPROF_ENOMEM;
        }
    }
    return MPROF_OK;
}
