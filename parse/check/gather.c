/* A profile is freed as soon as its run is measured: there may be a thousand recordings. */
#include "gather.h"

#include "parse/array.h"
#include "parse/base_name.h"
#include "parse/plain_text.h"
#include "parse/recording_name.h"
#include "running.h"

#include <mprof/profile.h>
#include <mprof/runs.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct gathering {
    mprof__groups *groups;
    mprof__arena *arena;
    const mprof__config *config; /* NULL: none, as the next one */
    const mprof__limits *limits;
    const mprof__run_visitor *visitor;
    mprof_error *error;
} gathering;

static mprof_status fail_without_memory(const gathering *g)
{
    return mprof_error_set(g->error, MPROF_ENOMEM, "out of memory");
}

static const char *keep(const gathering *g, const char *text, size_t length)
{
    return mprof__arena_copy(g->arena, text, length);
}

/* ---- groups ---- */

/* Whether a recorder chose the name, as mprofile_YYYYmmddHHMMSS.dat, or a number, as run-2.dat. */
static bool is_made_name(const char *name)
{
    static const char *const prefixes[] = {"mprofile_", "run-"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        const char *number = strncmp(name, prefixes[i], length) == 0 ? name + length : "";
        size_t digits = strspn(number, "0123456789");
        size_t stem = mprof__recording_stem(name);
        if (digits > 0 && stem == length + digits) {
            return true;
        }
    }
    return strcmp(name, "-") == 0;
}

static bool add_name(mprof__group *group, const char *name)
{
    if (name && *name && group->name_count < MPROF__NAMES_MOST) {
        group->names[group->name_count++] = name;
    }
    return name != NULL;
}

static int set_file_names(const gathering *g, mprof__group *group, const char *file)
{
    const char *base = mprof__base_name(file), *dot = strrchr(base, '.');
    size_t stem = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return is_made_name(base) || (add_name(group, keep(g, base, stem)) &&
                                  add_name(group, keep(g, base, strlen(base))))
               ? 0
               : -1;
}

/* From the most to the least particular. */
static int set_names(const gathering *g, mprof__group *group, const mprof__figures *figures)
{
    if (figures->test) {
        add_name(group, figures->test);
    }
    bool is_good = set_file_names(g, group, figures->file) == 0;
    group->has_own_name = group->name_count > 0;
    if (*group->directory) {
        size_t length = strlen(group->directory);
        const char *end = group->directory + length, *begin = end;
        while (begin > group->directory && begin[-1] != '/') {
            begin--;
        }
        is_good = is_good && add_name(group, keep(g, begin, (size_t)(end - begin)));
        if (!group->has_own_name && group->name_count > 0) {
            /* the program names a group of runs better than their directory */
            const char *directory = group->names[--group->name_count];
            add_name(group, figures->program);
            add_name(group, directory);
        }
    }
    add_name(group, figures->program);
    add_name(group, figures->command_line);
    return is_good ? 0 : -1;
}

static mprof__group *add_group(const gathering *g, const char *file)
{
    mprof__groups *groups = g->groups;
    mprof__group *items =
        mprof__array_grow(groups->items, groups->count, &groups->capacity, sizeof *items);
    const char *slash = strrchr(file, '/');
    const char *directory = keep(g, file, slash ? (size_t)(slash - file) : 0);
    const char *copy = keep(g, file, strlen(file));
    if (items) {
        groups->items = items;
    }
    if (!items || !directory || !copy) {
        return NULL;
    }
    items[groups->count] = (mprof__group){.directory = directory, .file = copy};
    return &items[groups->count++];
}

/* Whether a run is one more of the group. */
static bool belongs(const mprof__group *group, const mprof__figures *figures)
{
    if (group->run_count == 0) {
        return false;
    }
    const mprof__figures *first = &group->runs[0].figures;
    const char *slash = strrchr(figures->file, '/');
    size_t length = slash ? (size_t)(slash - figures->file) : 0;
    if (strlen(group->directory) != length ||
        memcmp(group->directory, figures->file, length) != 0) {
        return false;
    }
    if (first->test || figures->test) {
        return first->test && figures->test && strcmp(first->test, figures->test) == 0;
    }
    return (*figures->command_line && strcmp(first->command_line, figures->command_line) == 0) ||
           strcmp(first->file, figures->file) == 0;
}

static mprof_status apply_limits(const gathering *g, mprof__group *group)
{
    mprof_status status = MPROF_OK;
    if (g->config) {
        status = mprof__config_apply(g->config, group->names, group->name_count, &group->limits,
                                     g->error);
    }
    if (status == MPROF_OK && g->limits) {
        status = mprof__limits_merge(&group->limits, g->limits, g->error);
    }
    mprof__limits_sort(&group->limits);
    return status;
}

static mprof_status begin_group(const gathering *g, mprof__group **out,
                                const mprof__figures *figures)
{
    *out = NULL;
    for (size_t i = 0; i < g->groups->count; i++) {
        if (belongs(&g->groups->items[i], figures)) {
            *out = &g->groups->items[i];
            return MPROF_OK;
        }
    }
    mprof__group *group = add_group(g, figures->file);
    if (!group || set_names(g, group, figures) != 0) {
        return fail_without_memory(g);
    }
    *out = group;
    return apply_limits(g, group);
}

/* ---- runs ---- */

static mprof_status measure_run(const gathering *g, mprof__group *group, mprof__figures *figures)
{
    mprof__limit peak = {.kind = MPROF__LIMIT_PEAK};
    mprof__measured_run *runs =
        mprof__array_grow(group->runs, group->run_count, &group->run_capacity, sizeof *runs);
    mprof__figure_value *values = calloc(group->limits.count + 1, sizeof *values);
    if (runs) {
        group->runs = runs;
    }
    if (!runs || !values) {
        free(values);
        return fail_without_memory(g);
    }
    mprof__measured_run *run = &runs[group->run_count++];
    *run = (mprof__measured_run){.values = values};
    int failed = mprof__growth_find(&run->growth, figures->samples, figures->sample_count) != 0 ||
                 mprof__figures_measure(figures, g->arena, &peak, &run->peak) != 0;
    for (size_t i = 0; i < group->limits.count && !failed; i++) {
        failed =
            mprof__figures_measure(figures, g->arena, &group->limits.items[i], &values[i]) != 0;
    }
    if (g->visitor && !failed) {
        failed = g->visitor->visit(g->visitor->data, run, figures, figures->profile) != 0;
    }
    mprof__figures_finish(figures);
    run->figures = *figures;
    return failed ? fail_without_memory(g) : MPROF_OK;
}

/* The options that measuring needs: see mprof__figures_begin(). */
static void set_options(mprof_load_options *options, const mprof_run *run)
{
    mprof_load_options_init(options, sizeof *options);
    options->max_points = 0;
    options->kinds = (1U << MPROF_KIND_COUNT) - 1;
    options->run = run;
}

static mprof_status add_run(const gathering *g, const mprof_profile *profile)
{
    mprof__figures figures;
    mprof__group *group;
    if (mprof__figures_begin(&figures, g->arena, profile) != 0) {
        mprof__figures_finish(&figures);
        return fail_without_memory(g);
    }
    mprof_status status = begin_group(g, &group, &figures);
    if (status == MPROF_OK) {
        group->file_count += figures.run_number == 1;
        status = measure_run(g, group, &figures);
    }
    mprof__figures_finish(&figures);
    return status;
}

/* Adds a group that says why there is no run. MPROF_ENOMEM is not that. */
static mprof_status add_error(const gathering *g, const char *file, const mprof_error *failure)
{
    if (failure->status == MPROF_ENOMEM) {
        return fail_without_memory(g);
    }
    mprof__group *group = add_group(g, file);
    const char *message = keep(g, failure->message, strlen(failure->message));
    if (!group || !message || set_file_names(g, group, file) != 0) {
        return fail_without_memory(g);
    }
    group->error = message;
    group->file_count = 1;
    return apply_limits(g, group);
}

static mprof_status add_runs(const gathering *g, mprof_source *source, const char *file)
{
    mprof_error failure = MPROF_ERROR_INIT;
    mprof_runs *runs = NULL;
    size_t count = 0;
    mprof_status status = mprof_source_rewind(source, &failure);
    status = status == MPROF_OK ? mprof_runs_read(&runs, source, &failure) : status;
    const mprof_run *list = status == MPROF_OK ? mprof_runs_list(runs, &count) : NULL;
    mprof_status result = MPROF_OK;
    for (size_t i = 0; i < count && status == MPROF_OK && result == MPROF_OK; i++) {
        mprof_load_options options;
        mprof_profile *profile = NULL;
        set_options(&options, &list[i]);
        status = mprof_profile_load(&profile, source, &options, &failure);
        result = status == MPROF_OK ? add_run(g, profile) : MPROF_OK;
        mprof_profile_free(profile);
    }
    mprof_runs_free(runs);
    return status == MPROF_OK ? result : add_error(g, file, &failure);
}

/* Whether a file was named before. */
static bool is_known(const gathering *g, const char *file)
{
    for (size_t i = 0; i < g->groups->count; i++) {
        const mprof__group *group = &g->groups->items[i];
        for (size_t j = 0; j < group->run_count; j++) {
            if (strcmp(group->runs[j].figures.file, file) == 0) {
                return true;
            }
        }
        if (group->error && strcmp(group->file, file) == 0) {
            return true;
        }
    }
    return false;
}

static mprof_status add_file(const gathering *g, const char *file)
{
    if (is_known(g, file)) {
        return MPROF_OK;
    }
    mprof_error failure = MPROF_ERROR_INIT;
    mprof_load_options options;
    mprof_source *source = NULL;
    mprof_profile *profile = NULL;
    set_options(&options, NULL);
    mprof_status status = mprof_source_open(&source, file, &failure);
    status = status == MPROF_OK ? mprof_profile_load(&profile, source, &options, &failure) : status;
    if (status != MPROF_OK) {
        status = add_error(g, file, &failure);
    } else if (mprof_profile_run_count(profile) > 1 && mprof_source_can_rewind(source)) {
        mprof_profile_free(profile);
        profile = NULL;
        status = add_runs(g, source, file);
    } else {
        status = add_run(g, profile);
    }
    mprof_profile_free(profile);
    mprof_source_free(source);
    return status;
}

/* ---- directories ---- */

static int is_recording(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && mprof__recording_stem(entry->d_name) > 0;
}

static mprof_status add_directory(const gathering *g, const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_recording, versionsort);
    mprof_status status = MPROF_OK;
    mprof_error failure = MPROF_ERROR_INIT;
    if (count <= 0) {
        if (count < 0) {
            mprof_error_set_errno(&failure, errno, "cannot read the directory");
        } else {
            mprof_error_set(&failure, MPROF_EEMPTY, "no recording (*.dat) in this directory");
        }
        free(entries);
        return add_error(g, directory, &failure);
    }
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') {
        length--;
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (status == MPROF_OK &&
            asprintf(&path, "%.*s/%s", (int)length, directory, entries[i]->d_name) < 0) {
            path = NULL;
            status = fail_without_memory(g);
        }
        status = status == MPROF_OK ? add_file(g, path) : status;
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static mprof_status add_paths(const gathering *g, const char *const *paths, size_t path_count)
{
    mprof_status status = MPROF_OK;
    for (size_t i = 0; i < path_count && status == MPROF_OK; i++) {
        struct stat file;
        bool is_directory =
            strcmp(paths[i], "-") != 0 && stat(paths[i], &file) == 0 && S_ISDIR(file.st_mode);
        status = is_directory ? add_directory(g, paths[i]) : add_file(g, paths[i]);
    }
    return status;
}

/* Seven parameters: where to find, what to look for, and where to put it; only its caller has them.
 */
mprof_status mprof__groups_gather(mprof__groups *groups, mprof__arena *arena,
                                  const char *const *paths, size_t path_count,
                                  const mprof__config *config, const mprof__limits *limits,
                                  mprof_error *error)
{
    gathering g = {groups, arena, config, limits, NULL, error};
    return add_paths(&g, paths, path_count);
}

mprof_status mprof__groups_gather_runs(mprof__groups *groups, mprof__arena *arena,
                                       const char *const *paths, size_t path_count,
                                       const mprof__run_visitor *visitor, mprof_error *error)
{
    gathering g = {groups, arena, NULL, NULL, visitor, error};
    return add_paths(&g, paths, path_count);
}

void mprof__groups_free(mprof__groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        mprof__group *group = &groups->items[i];
        for (size_t j = 0; j < group->run_count; j++) {
            free(group->runs[j].values);
        }
        free(group->runs);
        mprof__limits_free(&group->limits);
    }
    free(groups->items);
    memset(groups, 0, sizeof *groups);
}
