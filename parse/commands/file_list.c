/* Lists of arguments and of files that a command works on. */
#include "command.h"
#include "command_parts.h"
#include "parse/array.h"

#include <stdlib.h>
#include <string.h>

error_t mprof__arguments_add(mprof__arguments *arguments, char *argument)
{
    char **items =
        mprof__array_grow(arguments->items, arguments->count, &arguments->capacity, sizeof *items);
    if (!items) {
        return ENOMEM;
    }
    arguments->items = items;
    items[arguments->count++] = argument;
    return 0;
}

void mprof__arguments_free(mprof__arguments *arguments)
{
    free(arguments->items);
    memset(arguments, 0, sizeof *arguments);
}

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
