/* JSON of recordings, the same in all documents. */
#include "json_runs.h"

#include "command.h"
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

json_t *mprof__json_failed(const char *path, const char *reason)
{
    return json_pack("{s:o, s:o}", "file", mprof__json_text(path), "error",
                     mprof__json_text(reason));
}

void mprof__json_add_unresolved(json_t **items, const mprof__arguments *arguments)
{
    mprof_recordings *recordings = mprof__recordings_here();
    for (size_t i = 0; recordings && i < arguments->count; i++) {
        const char *path;
        mprof_error error = MPROF_ERROR_INIT;
        if (mprof_recordings_resolve(recordings, arguments->items[i], &path, &error) != MPROF_OK) {
            mprof__json_append(items, mprof__json_failed(arguments->items[i], error.message));
        }
    }
    mprof_recordings_free(recordings);
}

int mprof__json_print_recordings(const char *kind, json_t *items)
{
    mprof_error error = MPROF_ERROR_INIT;
    json_t *document = mprof__json_document(kind, json_pack("{s:o}", "recordings", items));
    return mprof__json_print(stdout, document, false, &error) == MPROF_OK
               ? MPROF_EXIT_OK
               : mprof__command_fail(&error);
}
