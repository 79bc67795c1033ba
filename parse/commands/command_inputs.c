/* Resolves the arguments of commands to files. */
#include "command.h"
#include "command_parts.h"
#include "parse/compression.h"
#include "parse/recording_name.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_recording(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && mprof__recording_stem(entry->d_name) > 0;
}

/* Adds all recordings of a directory, in natural order of their names. */
static int add_directory(mprof__file_list *list, const char *directory)
{
    struct dirent **entries;
    mprof_error error = MPROF_ERROR_INIT;
    int count = scandir(directory, &entries, is_recording, versionsort);
    if (count <= 0) {
        if (count < 0) {
            mprof_error_set_errno(&error, errno, "cannot read the directory");
        } else {
            free(entries);
            mprof_error_set(&error, MPROF_ENOTFOUND, "no recording (*.dat) in this directory");
        }
        mprof_error_at(&error, directory, 0);
        return mprof__command_fail(&error);
    }
    size_t length = strlen(directory);
    int result = MPROF_EXIT_OK;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        const char *slash = length && directory[length - 1] == '/' ? "" : "/";
        if (result == MPROF_EXIT_OK &&
            asprintf(&path, "%s%s%s", directory, slash, entries[i]->d_name) < 0) {
            path = NULL;
            mprof_error_set(&error, MPROF_ENOMEM, "out of memory");
            result = mprof__command_fail(&error);
        }
        result = path ? mprof__file_list_add(list, path) : result;
        free(path);
        free(entries[i]);
    }
    free(entries);
    return result;
}

/* A wrong argument does not stop the others. */
static int add_input(mprof__file_list *list, const mprof_recordings *recordings,
                     const char *argument, bool take_directories)
{
    const char *path;
    struct stat status;
    mprof_error error = MPROF_ERROR_INIT;
    if (take_directories && stat(argument, &status) == 0 && S_ISDIR(status.st_mode)) {
        return add_directory(list, argument);
    }
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

static int find_inputs(char ***paths, size_t *path_count, char *const arguments[],
                       size_t argument_count, bool take_directories)
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
        result = add_input(&list, recordings, arguments[i], take_directories) == MPROF_EXIT_OK
                     ? result
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

int mprof__command_inputs(char ***paths, size_t *path_count, char *const arguments[],
                          size_t argument_count)
{
    return find_inputs(paths, path_count, arguments, argument_count, false);
}

int mprof__command_inputs_and_directories(char ***paths, size_t *path_count,
                                          char *const arguments[], size_t argument_count)
{
    return find_inputs(paths, path_count, arguments, argument_count, true);
}

void mprof__command_inputs_free(char **paths, size_t path_count)
{
    for (size_t i = 0; paths && i < path_count; i++) {
        free(paths[i]);
    }
    free(paths);
}

void mprof__command_check_plain(struct argp_state *state, const char *option, const char *path)
{
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof_compression_of_name(path) != MPROF_COMPRESSION_NONE ||
        mprof__compression_check_name(path, &error) != MPROF_OK) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "%s writes plain text, not what '%s' ends in: leave that end out", option,
                     path);
    }
}

void mprof__command_check_output(struct argp_state *state, const char *output)
{
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof__compression_check_name(output, &error) != MPROF_OK) {
        argp_error(state, "%s", error.message);
    }
}
