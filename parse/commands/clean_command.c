/* mprof clean: removes all recordings of this directory, and nothing else. */
#include "command.h"
#include "command_parts.h"

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    int *dry_run = state->input;
    switch (key) {
    case 'n':
        *dry_run = 1;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument `%s'", argument);
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
    .doc = "Removes all recordings of this directory: mprofile_ with 14 digits and .dat."};

int mprof_clean_command(int argc, char **argv)
{
    int dry_run = 0;
    mprof__command_parse(&arguments, argc, argv, 0, &dry_run);
    mprof_recordings *recordings = mprof__recordings_here();
    if (!recordings) {
        return MPROF_EXIT_FAILED;
    }
    mprof__file_list list = {0};
    int result = MPROF_EXIT_OK;
    for (size_t i = 0; i < mprof_recordings_count(recordings) && result == MPROF_EXIT_OK; i++) {
        result = mprof__file_list_add(&list, mprof_recordings_name(recordings, i));
    }
    if (result == MPROF_EXIT_OK) {
        result = mprof__remove_files(&list, dry_run);
    }
    mprof__file_list_free(&list);
    mprof_recordings_free(recordings);
    return result == MPROF_EXIT_OK ? mprof__command_finish() : result;
}
