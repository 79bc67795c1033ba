/* The files a command works on, and their removal. */
#include "command.h"
#include "command_parts.h"
#include "parse/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int mprof__file_list_add(mprof__file_list *list, const char *path)
{
    size_t length = strlen(path);
    if (mprof__map_find(&list->known, path, length) != MPROF__MAP_NONE) {
        return MPROF_EXIT_OK;
    }
    const char **paths =
        mprof__array_grow(list->paths, list->count, &list->capacity, sizeof *paths);
    list->paths = paths ? paths : list->paths;
    char *copy = mprof__arena_copy(&list->strings, path, length);
    if (!paths || !copy ||
        mprof__map_set(&list->known, &list->strings, path, length, (uint32_t)list->count) != 0) {
        mprof_error error = MPROF_ERROR_INIT;
        mprof_error_set(&error, MPROF_ENOMEM, "out of memory");
        return mprof__command_fail(&error);
    }
    paths[list->count++] = copy;
    return MPROF_EXIT_OK;
}

void mprof__file_list_free(mprof__file_list *list)
{
    free(list->paths);
    mprof__map_free(&list->known);
    mprof__arena_free(&list->strings);
    memset(list, 0, sizeof *list);
}

mprof_recordings *mprof__recordings_here(void)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_recordings *recordings;
    if (mprof_recordings_open(&recordings, ".", &error) != MPROF_OK) {
        mprof__command_fail(&error);
        return NULL;
    }
    return recordings;
}

static int is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* upstream's companion of x.dat: x_ts.dat */
static int add_companion(mprof__file_list *list, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t stem = dot && dot > base ? (size_t)(dot - path) : strlen(path);
    char *companion = malloc(strlen(path) + sizeof "_ts");
    if (!companion) {
        return MPROF_EXIT_OK; /* no reason to keep the recording itself */
    }
    memcpy(companion, path, stem);
    memcpy(companion + stem, "_ts", 3);
    memcpy(companion + stem + 3, path + stem, strlen(path + stem) + 1);
    int status = is_file(companion) ? mprof__file_list_add(list, companion) : MPROF_EXIT_OK;
    free(companion);
    return status;
}

static void print_files(const mprof__file_list *list)
{
    printf("Files to be removed: \n");
    for (size_t i = 0; i < list->count; i++) {
        mprof__print_plain(stdout, list->paths[i]);
        putchar('\n');
    }
}

int mprof__remove_files(mprof__file_list *list, int dry_run)
{
    int result = MPROF_EXIT_OK;
    for (size_t i = list->count; i-- > 0 && result == MPROF_EXIT_OK;) {
        result = add_companion(list, list->paths[i]);
    }
    if (result != MPROF_EXIT_OK) {
        return result;
    }
    if (dry_run) {
        print_files(list);
        return result;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (unlink(list->paths[i]) != 0) {
            mprof_error error = MPROF_ERROR_INIT;
            mprof_error_set_errno(&error, errno, "cannot remove");
            mprof_error_at(&error, list->paths[i], 0);
            result = mprof__command_fail(&error);
        }
    }
    return result;
}
