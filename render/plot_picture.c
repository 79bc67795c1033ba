/* One picture: recordings in, a figure, a file out. */
#include "plot.h"
#include "render/draw/draw.h"

#include "parse/commands/command.h"

#include <stdlib.h>
#include <string.h>

/* Several bins for every pixel column, and no more memory than that takes. */
#define POINTS_PER_PX 10

/* Curves of more processes would not be told apart. */
#define PROCESSES_MAX 10000

static int ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length > end_length && strcasecmp(name + length - end_length, end) == 0;
}

static int wants(const struct mprof__plot *plot, mprof_format format)
{
    for (size_t i = 0; i < plot->format_count; i++) {
        if (plot->formats[i] == format) {
            return 1;
        }
    }
    return 0;
}

/* "rss, pss"; "none" */
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

/* What was sampled is there without a curve of its own. */
static mprof_status check_kinds(const mprof_profile *profile, unsigned kinds, int group,
                                mprof_error *error)
{
    char missing[64], list[64], others[96];
    unsigned told = mprof_profile_kinds(profile);
    unsigned absent = kinds & ~told & ~(1U << mprof_profile_measured_kind(profile));
    if (!absent && group && !mprof_profile_control_group(profile)->current.point_count) {
        mprof_error_set(error, MPROF_ENOTFOUND,
                        "the control group was not recorded; `mprof run --memory group' does");
        return MPROF_ENOTFOUND;
    }
    if (!absent) {
        return MPROF_OK;
    }
    list_kinds(missing, sizeof missing, absent, ", ");
    list_kinds(list, sizeof list, absent, ",");
    list_kinds(others, sizeof others, told, ", ");
    mprof_error_set(error, MPROF_ENOTFOUND,
                    "%s %s not recorded (memory by kinds in it: %s); `mprof run --memory %s' does",
                    missing, absent & (absent - 1) ? "were" : "was", others, list);
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
    options.states = wants(plot, MPROF_FORMAT_SVG) && !plot->draw.still;
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

void mprof__plot_note_missing(const mprof_text_engine *engine)
{
    mprof_error note = MPROF_ERROR_INIT;
    uint32_t missing = mprof__text_missing(engine);
    if (missing) {
        mprof_error_set(&note, MPROF_EDRAW,
                        "no font that is installed has U+%04X, and a box is drawn in its place; "
                        "install a font for its script",
                        missing);
        mprof__command_fail(&note);
    }
}

char *mprof__plot_path(const char *directory, const char *recording, unsigned number,
                       mprof_format format)
{
    char *path, place[16] = "";
    const char *slash = strrchr(recording, '/');
    const char *name = slash ? slash + 1 : recording;
    int own = slash ? (int)(slash - recording + 1) : 0; /* length of its own directory's name */
    if (strcmp(recording, "-") == 0) {
        name = "mprofile";
    }
    int stem = (int)strlen(name) - (ends_with(name, ".dat") ? 4 : 0);
    if (number) {
        snprintf(place, sizeof place, "-%u", number);
    }
    int made = *directory ? asprintf(&path, "%s/%.*s%s.%s", directory, stem, name, place,
                                     mprof_format_name(format))
                          : asprintf(&path, "%.*s%.*s%s.%s", own, recording, stem, name, place,
                                     mprof_format_name(format));
    return made < 0 ? NULL : path;
}
