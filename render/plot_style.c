/* A style file has the options of the command line, by their long names: `theme = dark'. */
#include "plot_style.h"

#include "parse/array.h"
#include "parse/check/ini.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct mprof__plot *plot;
    mprof__style_setter *set;
};

void mprof__style_texts_free(mprof__style_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->items[i]);
    }
    free(texts->items);
}

char *mprof__style_texts_keep(mprof__style_texts *texts, const char *text)
{
    char **items =
        mprof__array_grow(texts->items, texts->count, &texts->capacity, sizeof *texts->items);
    if (!items) {
        return NULL;
    }
    texts->items = items;
    items[texts->count] = strdup(text);
    return items[texts->count] ? items[texts->count++] : NULL;
}

static mprof_status read_section(void *data, const char *name, mprof_error *error)
{
    (void)data;
    return strcmp(name, "plot") == 0
               ? MPROF_OK
               : mprof_error_set(error, MPROF_EFORMAT,
                                 "a style has one section, [plot], or none: not [%s]", name);
}

static mprof_status read_value(void *data, const char *name, const char *value, mprof_error *error)
{
    struct reading *reading = data;
    char *kept = mprof__style_texts_keep(&reading->plot->style_texts, value);
    if (!kept) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    return reading->set(reading->plot, name, kept)
               ? MPROF_OK
               : mprof_error_set(error, MPROF_EFORMAT,
                                 "a style has no '%s'; it has the options of `mprof plot' that "
                                 "say how a picture looks",
                                 name);
}

static mprof_status read_file(struct mprof__plot *plot, const char *file, bool may_be_missing,
                              mprof__style_setter *set, mprof_error *error)
{
    struct reading reading = {plot, set};
    const mprof__ini_visitor visitor = {
        &reading, read_section, read_value, &plot->style_line, "an option, as in `theme = dark',",
        1};
    mprof_error reason = MPROF_ERROR_INIT;
    char *bytes;
    size_t size;
    mprof_status status = mprof__ini_load(&bytes, &size, file, &reason);
    if (status == MPROF_ENOTFOUND && may_be_missing) {
        return MPROF_OK;
    }
    if (status == MPROF_OK) {
        plot->style_file = file;
        status = mprof__ini_read(bytes, size, file, &visitor, &reason);
        plot->style_file = NULL;
    }
    free(bytes);
    if (status != MPROF_OK) {
        *error = reason;
    }
    return status;
}

/* The XDG base directory specification: a relative XDG_CONFIG_HOME counts as none. */
static char *path_of_user(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int length = -1;
    if (config && *config == '/') {
        length = asprintf(&path, "%s/mprof/style.ini", config);
    } else if (home && *home == '/') {
        length = asprintf(&path, "%s/.config/mprof/style.ini", home);
    }
    return length < 0 ? NULL : path;
}

mprof_status mprof__style_read(struct mprof__plot *plot, const char *style,
                               mprof__style_setter *set, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    if (style && strcmp(style, "none") == 0) {
        return MPROF_OK;
    }
    char *path = path_of_user();
    if (path) {
        status = read_file(plot, path, true, set, error);
    }
    free(path);
    return status == MPROF_OK && style ? read_file(plot, style, false, set, error) : status;
}
