/* The runs of a recording as JSON, the same in all documents. */
#include "json_runs.h"

#include "parse/dates.h"

#include <math.h>

json_t *mprof__json_runs(const mprof__run_finder *finder)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < finder->count; i++) {
        const mprof_run *run = &finder->runs[i];
        mprof__json_append(
            &runs,
            json_pack("{s:I, s:o, s:o, s:o, s:I, s:I, s:o}", "number", (json_int_t)run->number,
                      "started_s",
                      mprof__json_number(mprof__is_date(run->first_s) ? run->first_s : NAN),
                      "duration_s", mprof__json_number(run->last_s - run->first_s), "peak_bytes",
                      mprof__json_bytes(run->peak_mib), "samples", (json_int_t)run->sample_count,
                      "process_count", (json_int_t)run->process_count, "command_line",
                      mprof__json_text(run->command_line)));
    }
    return runs;
}

json_t *mprof__json_warnings(const mprof_warnings *warnings)
{
    char text[512];
    return mprof_warnings_format(warnings, text, sizeof text) ? mprof__json_text(text)
                                                              : json_null();
}
