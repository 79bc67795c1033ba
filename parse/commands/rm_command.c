/* mprof rm: removes recordings by number or name. Nothing is removed unless all of them are there.
 */
#include "command.h"
#include "command_parts.h"
#include "parse/recordings_parts.h"

typedef struct request {
    int dry_run;
    const mprof_recordings *recordings;
    mprof__file_list list;
    int result;
} request;

static void add_argument(request *r, const char *argument)
{
    const char *path = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    if (!mprof__recordings_by_number(r->recordings, argument, &path, &error)) {
        mprof_recordings_resolve(r->recordings, argument, &path, &error);
    }
    if (error.status != MPROF_OK) {
        r->result = mprof__command_fail(&error);
    } else if (mprof__file_list_add(&r->list, path) != MPROF_EXIT_OK) {
        r->result = MPROF_EXIT_FAILED;
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    request *r = state->input;
    switch (key) {
    case 'n':
        r->dry_run = 1;
        return 0;
    case ARGP_KEY_ARG:
        add_argument(r, argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"dry-run", 'n', NULL, 0, "say what would be removed, remove nothing", 0},
    {0},
};

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .args_doc = "NUMBER|FILE...",
    .doc = "Removes recordings, named or by their number in `mprof list'; -1 is the newest."};

int mprof_rm_command(int argc, char **argv)
{
    mprof_recordings *recordings = mprof__recordings_here();
    if (!recordings) {
        return MPROF_EXIT_FAILED;
    }
    request r = {.recordings = recordings};
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    if (r.result == MPROF_EXIT_OK && r.list.count == 0) {
        mprof_error error = MPROF_ERROR_INIT;
        mprof_error_set(&error, MPROF_EARGUMENT,
                        "a recording to remove must be given, by number or by name");
        r.result = mprof__command_fail(&error);
    }
    if (r.result == MPROF_EXIT_OK) {
        r.result = mprof__remove_files(&r.list, r.dry_run);
    }
    mprof__file_list_free(&r.list);
    mprof_recordings_free(recordings);
    return r.result == MPROF_EXIT_OK ? mprof__command_finish() : r.result;
}
