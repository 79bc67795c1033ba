/* Only * and ? are wildcards: names of tests have brackets. */
#include "config.h"

#include "ini.h"
#include "parse/array.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
    mprof__config *config;
    const char *directory; /* of the file, up to its last slash; not terminated */
    size_t directory_length;
} reading;

static mprof_status add_section(mprof__config *config, const char *pattern, mprof_error *error)
{
    mprof__config_section *sections =
        mprof__array_grow(config->sections, config->count, &config->capacity, sizeof *sections);
    char *copy = pattern ? strdup(pattern) : NULL;
    if (sections) {
        config->sections = sections;
    }
    if (!sections || (pattern && !copy)) {
        free(copy);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    sections[config->count++] = (mprof__config_section){.pattern = copy};
    return MPROF_OK;
}

static mprof_status begin_section(void *data, const char *name, mprof_error *error)
{
    const reading *r = data;
    return add_section(r->config, name, error);
}

static mprof_status set_value(void *data, const char *name, const char *value, mprof_error *error)
{
    const reading *r = data;
    if (r->config->count == 0 && add_section(r->config, NULL, error) != MPROF_OK) {
        return MPROF_ENOMEM;
    }
    mprof__limits *limits = &r->config->sections[r->config->count - 1].limits;
    if (strcmp(name, "baseline") == 0 && *value && *value != '/' && r->directory_length > 0) {
        char *path = NULL;
        if (asprintf(&path, "%.*s%s", (int)r->directory_length, r->directory, value) < 0) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
        mprof_status status = mprof__limits_set(limits, name, path, error);
        free(path);
        return status;
    }
    return mprof__limits_set(limits, name, value, error);
}

mprof_status mprof__config_read(mprof__config *config, const char *bytes, size_t size,
                                const char *file, mprof_error *error)
{
    const char *slash = strrchr(file, '/');
    reading r = {config, file, slash ? (size_t)(slash - file) + 1 : 0};
    mprof__ini_visitor visitor = {.data = &r, .section = begin_section, .value = set_value};
    return mprof__ini_read(bytes, size, file, &visitor, error);
}

mprof_status mprof__config_load(mprof__config *config, const char *file, mprof_error *error)
{
    char *bytes;
    size_t size;
    mprof_status status = mprof__ini_load(&bytes, &size, file, error);
    if (status == MPROF_OK) {
        status = mprof__config_read(config, bytes, size, file, error);
    }
    free(bytes);
    return status;
}

/* Goes back to the last * where a character does not match: it then covers one more. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL, *behind = text;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            behind = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++behind;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

mprof_status mprof__config_apply(const mprof__config *config, const char *const *names,
                                 size_t count, mprof__limits *limits, mprof_error *error)
{
    for (size_t i = 0; i < config->count; i++) {
        const mprof__config_section *section = &config->sections[i];
        bool is_match = !section->pattern;
        for (size_t j = 0; j < count && !is_match; j++) {
            is_match = names[j] && (strcmp(section->pattern, names[j]) == 0 ||
                                    matches(section->pattern, names[j]));
        }
        if (is_match) {
            mprof_status status = mprof__limits_merge(limits, &section->limits, error);
            if (status != MPROF_OK) {
                return status;
            }
        }
    }
    return MPROF_OK;
}

void mprof__config_free(mprof__config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        free(config->sections[i].pattern);
        mprof__limits_free(&config->sections[i].limits);
    }
    free(config->sections);
    memset(config, 0, sizeof *config);
}
