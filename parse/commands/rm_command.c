/* mprof rm: removes recordings by number or name, all that are named or none. */
#include "command.h"
#include "parse/recordings_parts.h"
#include "remove_command.h"

static int add_argument(mprof__file_list *list, const mprof_recordings *recordings,
                        const char *argument)
{
    const char *path = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    if (!mprof__recordings_by_number(recordings, argument, &path, &error)) {
        mprof_recordings_resolve(recordings, argument, &path, &error);
    }
    return error.status == MPROF_OK ? mprof__file_list_add(list, path)
                                    : mprof__command_fail(&error);
}

static int choose_named(mprof__file_list *list, const mprof_recordings *recordings,
                        const mprof__arguments *arguments)
{
    int result = MPROF_EXIT_OK;
    for (size_t i = 0; i < arguments->count; i++) {
        if (add_argument(list, recordings, arguments->items[i]) != MPROF_EXIT_OK) {
            result = MPROF_EXIT_FAILED;
        }
    }
    if (arguments->count == 0) {
        mprof_error error = MPROF_ERROR_INIT;
        mprof_error_set(&error, MPROF_EARGUMENT,
                        "rm needs a recording, by number or name: `mprof list' shows them");
        result = mprof__command_fail(&error);
    }
    return result;
}

static const struct argp arguments = {
    .options = mprof__removal_options,
    .parser = mprof__removal_parse,
    .args_doc = "NUMBER|FILE...",
    .doc = "Removes recordings, by name or by their number in `mprof list'; -1 is the newest."};

int mprof_rm_command(int argc, char **argv)
{
    return mprof__removal_command(&arguments, choose_named, argc, argv);
}
