/* Loads each file once. If it has several runs, each is loaded by itself, from the same source: a
 * pipe cannot be opened twice. */
#include "parse/time_range.h"

#include "parse/array.h"
#include "parse/options.h"

#include <float.h>
#include <math.h>
#include <mprof/profiles.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds the memory that a long recording takes: several bins for each pixel column. */
#define POINTS_PER_PX 10

/* Points of all processes of a picture of many, in which 64 curves share so many: of a thousand
 * processes each has a bin for every pixel column. */
#define MANY_POINTS 65536.0
#define MANY_POINTS_LEAST 2048.0 /* of one of many recordings */

/* More curves than this cannot be distinguished, and take time. */
#define PROCESSES_MAX 10000
#define RUNS_MAX 1000

/* Of more files, those that can be opened again are closed once they are read. */
#define FILES_OPEN_MAX 200

/* Narrower runs cannot be read. */
#define RUN_LEAST_PX 20

struct mprof_profiles {
    mprof_profile **items; /* owned */
    size_t count;
};

/* A run that was loaded, and from where. */
struct entry {
    mprof_profile *profile; /* owned until it is handed over; NULL: not in the window */
    size_t file;
    mprof_run run; /* count 0: the whole file */
};

struct file {
    const char *path;
    mprof_source *source; /* owned; NULL: closed */
    mprof_runs *runs;     /* owned; NULL: it has one */
};

struct loader {
    mprof_figure_options *figure;
    const mprof_profiles_options *options;
    mprof__time_range range; /* of figure->range */
    mprof_load_options load;
    bool as_one;
    double origin_s;    /* 0: where the first recording begins */
    struct file *files; /* owned */
    size_t file_count;
    struct entry *entries; /* owned */
    size_t count, capacity;
};

/* Writes "rss, pss", or "none". */
static void list_kinds(char *text, size_t size, unsigned kinds, const char *separator)
{
    size_t used = 0;
    snprintf(text, size, "none");
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        if (kinds & 1U << kind) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? separator : "",
                                     mprof_kind_name((mprof_kind)kind));
        }
    }
}

/* The kind that was sampled is the curve itself, so it is never missing. */
static mprof_status check_kinds(const mprof_profile *profile, unsigned kinds, bool group,
                                mprof_error *error)
{
    char missing[64], list[64], available[96];
    unsigned recorded = mprof_profile_kinds(profile);
    unsigned absent = kinds & ~recorded & ~(1U << mprof_profile_measured_kind(profile));
    if (!absent && group && !mprof_profile_control_group(profile)->current.point_count) {
        mprof_error_set(
            error, MPROF_ENOTFOUND,
            "the control group was not recorded; record it with `mprof run --memory group'");
        return MPROF_ENOTFOUND;
    }
    if (!absent) {
        return MPROF_OK;
    }
    list_kinds(missing, sizeof missing, absent, ", ");
    list_kinds(list, sizeof list, absent, ",");
    list_kinds(available, sizeof available, recorded, ", ");
    mprof_error_set(error, MPROF_ENOTFOUND,
                    "%s %s not recorded (recorded kinds: %s); record with `mprof run --memory %s'",
                    missing, absent & (absent - 1) ? "were" : "was", available, list);
    return MPROF_ENOTFOUND;
}

static bool has_window(const struct loader *loader)
{
    const double *window = loader->figure->window_s;
    return window[0] != 0 || window[1] != 0;
}

static mprof_status add_entry(struct loader *loader, const struct entry *entry, mprof_error *error)
{
    struct entry *entries =
        mprof__array_grow(loader->entries, loader->count, &loader->capacity, sizeof *entries);
    if (!entries) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    loader->entries = entries;
    entries[loader->count++] = *entry;
    return MPROF_OK;
}

/* So that a process with the usual limit of descriptors reads thousands of recordings. */
static void close_source(const struct loader *loader, struct file *file)
{
    if (loader->file_count > FILES_OPEN_MAX && strcmp(file->path, "-") != 0 &&
        mprof_source_can_rewind(file->source)) {
        mprof_source_free(file->source);
        file->source = NULL;
    }
}

/* Loads the run of an entry, or its whole file, from the beginning. */
static mprof_status load_entry(const struct loader *loader, struct entry *entry,
                               const double window_s[2], mprof_error *error)
{
    mprof_load_options load = loader->load;
    struct file *file = &loader->files[entry->file];
    if (!file->source) {
        mprof_status opened = mprof_source_open(&file->source, file->path, error);
        if (opened != MPROF_OK) {
            return opened;
        }
    }
    load.run = entry->run.count > 0 ? &entry->run : NULL;
    load.window_s[0] = window_s[0];
    load.window_s[1] = window_s[1];
    mprof_status status = mprof_source_rewind(file->source, error);
    if (status == MPROF_OK) {
        status = mprof_profile_load(&entry->profile, file->source, &load, error);
    }
    close_source(loader, file);
    return status;
}

static mprof_status fail_without_run(size_t chosen, size_t count, mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOTFOUND, "there is no run %zu: the file has %zu", chosen,
                           count);
}

/* Loads the runs of a file, those in the window. */
static mprof_status add_runs(struct loader *loader, size_t file, mprof_error *error)
{
    static const double everything[2] = {0, 0};
    const double *window = loader->as_one ? everything : loader->figure->window_s;
    mprof_error empty = MPROF_ERROR_INIT;
    size_t count, before = loader->count;
    const mprof_run *runs = mprof_runs_list(loader->files[file].runs, &count);
    mprof_status status = MPROF_OK;
    size_t chosen = loader->options->run;
    size_t first = chosen ? chosen - 1 : count > RUNS_MAX ? count - RUNS_MAX : 0;
    if (chosen > count) {
        return fail_without_run(chosen, count, error);
    }
    for (size_t i = first; i < (chosen ? chosen : count); i++) {
        struct entry entry = {.file = file, .run = runs[i]};
        mprof_error own = MPROF_ERROR_INIT;
        status = load_entry(loader, &entry, window, &own);
        if (status == MPROF_EEMPTY) {
            empty = own;
            continue;
        }
        if (status == MPROF_OK) {
            status = add_entry(loader, &entry, &own);
        }
        if (status != MPROF_OK) {
            mprof_profile_free(entry.profile);
            *error = own;
            return status;
        }
    }
    if (loader->count == before) {
        *error = empty;
        return empty.status;
    }
    return MPROF_OK;
}

/* Sets file->runs if the file has several. status: of having loaded all of it. */
static mprof_status find_runs(struct file *file, const mprof_profile *whole, mprof_status status,
                              mprof_error *error)
{
    size_t count;
    if (status != MPROF_OK ? status != MPROF_EEMPTY : mprof_profile_run_count(whole) == 1) {
        return status;
    }
    mprof_error ignored = MPROF_ERROR_INIT;
    if (mprof_source_rewind(file->source, &ignored) != MPROF_OK ||
        mprof_runs_read(&file->runs, file->source, &ignored) != MPROF_OK) {
        return status;
    }
    mprof_runs_list(file->runs, &count);
    if (count == 1) {
        mprof_runs_free(file->runs);
        file->runs = NULL;
        return status;
    }
    *error = (mprof_error)MPROF_ERROR_INIT;
    return MPROF_OK;
}

static mprof_status add_file(struct loader *loader, size_t index, size_t file_count,
                             mprof_error *error)
{
    struct file *file = &loader->files[index];
    struct entry whole = {.file = index};
    mprof_load_options load = loader->load;
    bool is_alone = file_count == 1;
    mprof_status status = mprof_source_open(&file->source, file->path, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (is_alone || !loader->as_one) {
        memcpy(load.window_s, loader->figure->window_s, sizeof load.window_s);
    }
    status = mprof_profile_load(&whole.profile, file->source, &load, error);
    status = find_runs(file, whole.profile, status, error);
    if (status == MPROF_OK && file->runs) {
        mprof_profile_free(whole.profile);
        /* layers need an axis on which runs do not overlap */
        loader->as_one |= is_alone && loader->figure->stack && !(loader->options->run > 0);
        return add_runs(loader, index, error);
    }
    if (status == MPROF_OK && loader->options->run > 1) {
        status = fail_without_run(loader->options->run, 1, error);
    }
    if (status == MPROF_OK) {
        status = add_entry(loader, &whole, error);
    }
    if (status != MPROF_OK) {
        mprof_profile_free(whole.profile);
    }
    close_source(loader, file);
    return status;
}

static double first_start_s(const struct loader *loader)
{
    double start_s = INFINITY;
    for (size_t i = 0; i < loader->count; i++) {
        start_s = fmin(start_s, mprof_profile_start_s(loader->entries[i].profile));
    }
    return start_s;
}

/* All are loaded again. On one axis a window counts from the start of the first recording. */
static mprof_status apply_window(struct loader *loader, mprof_error *error)
{
    const double *window = loader->figure->window_s;
    double start_s = first_start_s(loader);
    size_t kept = 0;
    mprof_error empty = MPROF_ERROR_INIT;
    if (loader->as_one) {
        loader->origin_s = fmax(start_s, DBL_MIN); /* 0 is none */
    }
    for (size_t i = 0; i < loader->count; i++) {
        struct entry *entry = &loader->entries[i];
        double shift_s = loader->as_one ? mprof_profile_start_s(entry->profile) - start_s : 0;
        const double own[2] = {window[0] - shift_s, window[1] - shift_s};
        mprof_error reason = MPROF_ERROR_INIT;
        mprof_profile_free(entry->profile);
        entry->profile = NULL;
        mprof_status status = load_entry(loader, entry, own, &reason);
        if (status == MPROF_EEMPTY) {
            empty = reason;
        } else if (status != MPROF_OK) {
            *error = reason;
            return status;
        }
    }
    for (size_t i = 0; i < loader->count; i++) {
        if (loader->entries[i].profile) {
            loader->entries[kept++] = loader->entries[i];
        }
    }
    loader->count = kept;
    if (kept == 0) {
        *error = empty;
        return empty.status;
    }
    return MPROF_OK;
}

/* The window that figure->range means, now that the recordings are known. */
static mprof_status apply_range(struct loader *loader, mprof_error *error)
{
    double start_s = first_start_s(loader), end_s = -INFINITY;
    if (mprof__time_range_has_clock(&loader->range) && loader->count > 1 && !loader->as_one) {
        return mprof_error_set(
            error, MPROF_EARGUMENT,
            "recordings that are laid over each other have no clock in common: "
            "give the range in seconds, or use one time axis for all (--as-one)");
    }
    for (size_t i = 0; i < loader->count; i++) {
        const mprof_profile *profile = loader->entries[i].profile;
        double shift_s = loader->as_one ? 0 : mprof_profile_start_s(profile) - start_s;
        end_s = fmax(end_s, mprof_profile_end_s(profile) - shift_s);
    }
    mprof_status status =
        mprof__time_range_resolve(loader->figure->window_s, &loader->range, start_s, end_s, error);
    if (status == MPROF_OK) {
        status = apply_window(loader, error);
    }
    if (status != MPROF_OK && loader->file_count == 1) {
        mprof_error_at(error, loader->files[0].path, 0);
    }
    return status;
}

/* Sets the window, or clears it until the recordings are known. */
static mprof_status read_range(struct loader *loader, mprof_error *error)
{
    mprof_figure_options *figure = loader->figure;
    bool is_read = mprof__time_range_read(&loader->range, figure->range);
    bool is_plain = is_read && mprof__time_range_is_plain(&loader->range);
    figure->window_s[0] = is_plain ? loader->range.from.seconds : 0;
    figure->window_s[1] = is_plain ? loader->range.to.seconds : 0;
    return is_read ? MPROF_OK
                   : mprof_error_set(error, MPROF_EARGUMENT,
                                     "'%s' is no range of seconds, clock times or dates",
                                     figure->range);
}

static void warn(const struct loader *loader, const char *file, const char *text)
{
    if (loader->options->warn) {
        loader->options->warn(loader->options->data, file, text);
    }
}

/* Warns; checks that all kinds of memory were recorded. */
static mprof_status check_entries(const struct loader *loader, mprof_error *error)
{
    char text[512];
    for (size_t i = 0; i < loader->count; i++) {
        const struct entry *entry = &loader->entries[i];
        if (mprof_warnings_format(mprof_profile_warnings(entry->profile), text, sizeof text)) {
            warn(loader, mprof_profile_file(entry->profile), text);
        }
        mprof_status status =
            check_kinds(entry->profile, loader->figure->kinds, loader->figure->group, error);
        if (status != MPROF_OK) {
            mprof_error_at(error, loader->files[entry->file].path, 0);
            return status;
        }
    }
    return MPROF_OK;
}

static void report_left_out(const struct loader *loader, const struct file *file)
{
    size_t count = 0;
    char text[80];
    if (file->runs) {
        mprof_runs_list(file->runs, &count);
    }
    if (count > RUNS_MAX && !loader->options->run) {
        snprintf(text, sizeof text, "only the last %d of %zu runs are drawn", RUNS_MAX, count);
        warn(loader, file->path, text);
    }
}

/* One axis for runs that are far apart leaves the shortest too little room. */
static void report_narrow_runs(const struct loader *loader)
{
    double start_s = INFINITY, end_s = -INFINITY, shortest_s = INFINITY;
    for (size_t i = 0; i < loader->count; i++) {
        const mprof_profile *profile = loader->entries[i].profile;
        double from_s = mprof_profile_start_s(profile), to_s = mprof_profile_end_s(profile);
        start_s = fmin(start_s, from_s);
        end_s = fmax(end_s, to_s);
        shortest_s = fmin(shortest_s, to_s - from_s);
    }
    double width_px = loader->figure->width_px * shortest_s / (end_s - start_s);
    if (loader->as_one && !loader->figure->as_one && !has_window(loader) && loader->count > 1 &&
        width_px < RUN_LEAST_PX) {
        warn(loader, loader->files[0].path,
             "its runs are far apart, so some are narrow: --run N draws only one");
    }
}

static mprof_status load_all(struct loader *loader, const char *const *recordings, size_t count,
                             mprof_error *error)
{
    mprof_status status = MPROF_OK;
    for (size_t i = 0; status == MPROF_OK && i < count; i++) {
        loader->files[i].path = recordings[i];
        loader->file_count++;
        status = add_file(loader, i, count, error);
        if (status != MPROF_OK) {
            mprof_error_at(error, recordings[i], 0);
        } else {
            report_left_out(loader, &loader->files[i]);
        }
    }
    bool has_range = loader->figure->range && !mprof__time_range_is_plain(&loader->range);
    if (status == MPROF_OK && has_range) {
        status = apply_range(loader, error);
    } else if (status == MPROF_OK && loader->as_one && loader->count > 1 && has_window(loader)) {
        status = apply_window(loader, error);
    }
    if (status == MPROF_OK) {
        report_narrow_runs(loader);
    }
    return status == MPROF_OK ? check_entries(loader, error) : status;
}

static void dispose_loader(struct loader *loader)
{
    for (size_t i = 0; i < loader->count; i++) {
        mprof_profile_free(loader->entries[i].profile);
    }
    for (size_t i = 0; i < loader->file_count; i++) {
        mprof_source_free(loader->files[i].source);
        mprof_runs_free(loader->files[i].runs);
    }
    free(loader->entries);
    free(loader->files);
}

/* Hands the loaded profiles over. */
static mprof_status take_profiles(mprof_profiles **out, struct loader *loader, mprof_error *error)
{
    mprof_profiles *profiles = calloc(1, sizeof *profiles);
    if (profiles) {
        profiles->items = calloc(loader->count + 1, sizeof *profiles->items);
    }
    if (!profiles || !profiles->items) {
        mprof_profiles_free(profiles);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < loader->count; i++) {
        profiles->items[profiles->count++] = loader->entries[i].profile;
        loader->entries[i].profile = NULL;
    }
    *out = profiles;
    return MPROF_OK;
}

static mprof_status load_profiles(mprof_profiles **out, const char *const *paths, size_t count,
                                  mprof_figure_options *figure,
                                  const mprof_profiles_options *options, mprof_error *error)
{
    struct loader loader = {.figure = figure, .options = options};
    mprof_error reason = MPROF_ERROR_INIT;
    mprof_status status = MPROF_ENOMEM;
    if (figure->range && read_range(&loader, error) != MPROF_OK) {
        return MPROF_EARGUMENT;
    }
    loader.as_one = figure->as_one != 0;
    loader.load = (mprof_load_options)MPROF_LOAD_OPTIONS_INIT;
    bool is_tree = figure->form == MPROF_FORM_TREE; /* has every call, rise and fall */
    loader.load.skip_calls = !figure->functions || (figure->form != MPROF_FORM_CURVES && !is_tree);
    loader.load.kinds = figure->kinds;
    loader.load.max_processes = PROCESSES_MAX;
    loader.load.max_points = (size_t)(figure->width_px * POINTS_PER_PX);
    if (is_tree) {
        loader.load.max_points = 0;
    } else if (figure->form != MPROF_FORM_CURVES) {
        loader.load.max_points =
            (size_t)fmax(MANY_POINTS_LEAST, MANY_POINTS / fmax(1, (double)count));
    }
    loader.files = calloc(count + 1, sizeof *loader.files);
    if (loader.files) {
        status = load_all(&loader, paths, count, &reason);
    } else {
        mprof_error_set(&reason, MPROF_ENOMEM, "out of memory");
    }
    if (status == MPROF_OK) {
        status = take_profiles(out, &loader, &reason);
    }
    if (status == MPROF_OK) {
        figure->as_one = loader.as_one;
        figure->origin_s = loader.origin_s;
    }
    dispose_loader(&loader);
    if (status != MPROF_OK && error && error->status == MPROF_OK) {
        *error = reason;
    }
    return status;
}

mprof_status mprof_profiles_load(mprof_profiles **out, const char *const *paths, size_t count,
                                 mprof_figure_options *figure,
                                 const mprof_profiles_options *options, mprof_error *error)
{
    mprof_profiles_options own = MPROF_PROFILES_OPTIONS_INIT;
    mprof_figure_options own_figure = MPROF_FIGURE_OPTIONS_INIT;
    *out = NULL;
    mprof_status status =
        mprof__options_copy(&own_figure, sizeof own_figure, figure, "mprof_figure_options", error);
    if (status == MPROF_OK && options) {
        status = mprof__options_copy(&own, sizeof own, options, "mprof_profiles_options", error);
    }
    if (status == MPROF_OK) {
        status = load_profiles(out, paths, count, &own_figure, &own, error);
        mprof__options_return(figure, &own_figure);
    }
    return status;
}

const mprof_profile *const *mprof_profiles_list(const mprof_profiles *profiles, size_t *count)
{
    *count = profiles->count;
    return (const mprof_profile *const *)profiles->items;
}

void mprof_profiles_free(mprof_profiles *profiles)
{
    for (size_t i = 0; profiles && i < profiles->count; i++) {
        mprof_profile_free(profiles->items[i]);
    }
    if (profiles) {
        free(profiles->items);
    }
    free(profiles);
}
