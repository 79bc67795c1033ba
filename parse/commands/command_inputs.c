/* Resolves the arguments of `peak` and `plot` to files. */
#include "command.h"
#include "command_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A wrong argument does not stop the others. */
static int add_input(mprof__file_list *list, const mprof_recordings *recordings,
                     const char *argument)
{
    const char *path;
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof_recordings_resolve(recordings, argument, &path, &error) != MPROF_OK) {
        return mprof__command_fail(&error);
    }
    return mprof__file_list_add(list, path);
}

static int add_newest(mprof__file_list *list, const mprof_recordings *recordings)
{
    size_t count = mprof_recordings_count(recordings);
    if (count == 0) {
        fputs("No input file found.\n"
              "There is no recording here: no mprofile_*.dat, as `mprof run' writes them.\n",
              stderr);
        return MPROF_EXIT_FAILED;
    }
    return mprof__file_list_add(list, mprof_recordings_name(recordings, count - 1));
}

int mprof__command_inputs(char ***paths, size_t *path_count, char *const arguments[],
                          size_t argument_count)
{
    mprof__file_list list = {0};
    int result = MPROF_EXIT_OK;
    *paths = NULL;
    *path_count = 0;
    mprof_recordings *recordings = mprof__recordings_here();
    if (!recordings) {
        return MPROF_EXIT_FAILED;
    }
    for (size_t i = 0; i < argument_count; i++) {
        result = add_input(&list, recordings, arguments[i]) == MPROF_EXIT_OK ? result
                                                                             : MPROF_EXIT_FAILED;
    }
    if (argument_count == 0) {
        result = add_newest(&list, recordings);
    }
    *paths = calloc(list.count + 1, sizeof **paths);
    for (size_t i = 0; *paths && i < list.count; i++) {
        (*paths)[i] = strdup(list.paths[i]);
        *path_count += (*paths)[i] != NULL;
    }
    if (*path_count < list.count) {
        mprof_error error = MPROF_ERROR_INIT;
        mprof_error_set(&error, MPROF_ENOMEM, "out of memory");
        result = mprof__command_fail(&error);
    }
    mprof__file_list_free(&list);
    mprof_recordings_free(recordings);
    return result;
}

void mprof__command_inputs_free(char **paths, size_t path_count)
{
    for (size_t i = 0; paths && i < path_count; i++) {
        free(paths[i]);
    }
    free(paths);
}
