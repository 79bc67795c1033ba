/* Steps of drawing that a single picture and --each share: load, lay out, write, choose a path. */
#include "plot.h"
#include "render/draw/draw.h"

#include "parse/commands/command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bounds the memory that a long recording takes: several bins for each pixel column. */
#define POINTS_PER_PX 10

/* More curves than this cannot be distinguished, and take time. */
#define PROCESSES_MAX 10000

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length > end_length && strcasecmp(name + length - end_length, end) == 0;
}

static bool has_format(const struct mprof__plot *plot, mprof_format format)
{
    for (size_t i = 0; i < plot->format_count; i++) {
        if (plot->formats[i] == format) {
            return true;
        }
    }
    return false;
}

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

mprof_status mprof__plot_figure(mprof_figure **figure, const struct mprof__plot *plot,
                                const mprof_measure *measure, const char *const *recordings,
                                size_t count, mprof_error *error)
{
    mprof_load_options load;
    mprof_figure_options options = plot->figure;
    mprof_profile **profiles = calloc(count, sizeof *profiles);
    mprof_status status = MPROF_OK;
    *figure = NULL;
    if (!profiles) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof_load_options_init(&load);
    load.window_s[0] = options.window_s[0];
    load.window_s[1] = options.window_s[1];
    load.skip_calls = !options.functions;
    load.kinds = options.kinds;
    load.max_processes = PROCESSES_MAX;
    load.max_points = (size_t)(options.width_px * POINTS_PER_PX);
    options.states = has_format(plot, MPROF_FORMAT_SVG) && !plot->draw.still;
    for (size_t i = 0; status == MPROF_OK && i < count; i++) {
        status = mprof_profile_load_file(&profiles[i], recordings[i], &load, error);
        if (status == MPROF_OK) {
            mprof__command_warn(profiles[i]);
            status = check_kinds(profiles[i], options.kinds, options.group, error);
        }
        if (status != MPROF_OK) {
            mprof_error_at(error, recordings[i], 0);
        }
    }
    if (status == MPROF_OK) {
        status = mprof_figure_layout(figure, (const mprof_profile *const *)profiles, count,
                                     &options, measure, error);
    }
    for (size_t i = 0; i < count; i++) {
        mprof_profile_free(profiles[i]);
    }
    free(profiles);
    return status;
}

mprof_status mprof__plot_write(const mprof_figure *figure, mprof_text_engine *engine,
                               const struct mprof__plot *plot, mprof_format format,
                               const char *path, mprof_error *error)
{
    mprof_output *output = NULL;
    mprof_draw_options draw = plot->draw;
    draw.format = format;
    mprof_status status = mprof_output_open(&output, path, error);
    if (status == MPROF_OK) {
        status = mprof_figure_draw(figure, &draw, engine, output, error);
    }
    if (status == MPROF_OK) {
        status = mprof_output_commit(output, error);
    }
    mprof_output_free(output);
    if (status != MPROF_OK) {
        mprof_error_at(error, path, 0);
    }
    return status;
}

void mprof__plot_report_missing_glyph(const mprof_text_engine *engine)
{
    mprof_error note = MPROF_ERROR_INIT;
    uint32_t missing = mprof__text_missing(engine);
    if (missing) {
        mprof_error_set(
            &note, MPROF_EDRAW,
            "no installed font has U+%04X, so a box is drawn instead; install a font for "
            "its script",
            missing);
        mprof__command_fail(&note);
    }
}

char *mprof__plot_path(const char *directory, const char *recording, unsigned number,
                       mprof_format format)
{
    char *path, suffix[16] = "";
    const char *slash = strrchr(recording, '/');
    const char *name = slash ? slash + 1 : recording;
    int directory_length = slash ? (int)(slash - recording + 1) : 0;
    if (strcmp(recording, "-") == 0) {
        name = "mprofile";
    }
    int stem = (int)strlen(name) - (ends_with(name, ".dat") ? 4 : 0);
    if (number) {
        snprintf(suffix, sizeof suffix, "-%u", number);
    }
    int length = *directory ? asprintf(&path, "%s/%.*s%s.%s", directory, stem, name, suffix,
                                       mprof_format_name(format))
                            : asprintf(&path, "%.*s%.*s%s.%s", directory_length, recording, stem,
                                       name, suffix, mprof_format_name(format));
    return length < 0 ? NULL : path;
}
