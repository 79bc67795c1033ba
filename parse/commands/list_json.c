/* The document of `mprof list --json`. A recording that cannot be read has an item, too: its number
 * counts. */
#include "list_json.h"

#include "command.h"
#include "json_runs.h"
#include "parse/summary.h"

static json_t *recording_item(size_t number, const char *path)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_source *source = NULL;
    mprof__summary summary;
    json_t *runs = json_array(), *warnings = json_null();
    mprof_status status = mprof_source_open(&source, path, &error);
    if (status == MPROF_OK) {
        status = mprof__summary_read(&summary, source, NULL, &error);
        if (status == MPROF_OK) {
            json_decref(runs);
            runs = mprof__json_runs(&summary.runs);
            warnings = mprof__json_warnings(&summary.warnings);
            mprof__command_warn_file(path, &summary.warnings);
        }
        mprof__summary_free(&summary);
        mprof_source_free(source);
    }
    return json_pack("{s:I, s:o, s:o, s:o, s:o}", "number", (json_int_t)number, "file",
                     mprof__json_text(path), "error",
                     status == MPROF_OK ? json_null() : mprof__json_text(error.message), "runs",
                     runs, "warnings", warnings);
}

int mprof__list_json(const mprof_recordings *recordings)
{
    mprof_error error = MPROF_ERROR_INIT;
    json_t *items = json_array();
    for (size_t i = 0; i < mprof_recordings_count(recordings); i++) {
        mprof__json_append(&items, recording_item(i, mprof_recordings_name(recordings, i)));
    }
    json_t *document = mprof__json_document("list", json_pack("{s:o}", "recordings", items));
    return mprof__json_print(stdout, document, false, &error) == MPROF_OK
               ? MPROF_EXIT_OK
               : mprof__command_fail(&error);
}
