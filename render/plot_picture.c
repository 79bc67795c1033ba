/* Steps of drawing that a single picture and --each share: load, lay out, write, choose a path. */
#include "plot.h"
#include "render/draw/draw.h"

#include "parse/commands/command.h"
#include "parse/recording_name.h"

#include <mprof/profiles.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool has_format(const struct mprof__plot *plot, mprof_format format)
{
    for (size_t i = 0; i < plot->format_count; i++) {
        if (plot->formats[i] == format) {
            return true;
        }
    }
    return false;
}

static void print_warning(void *data, const char *file, const char *text)
{
    (void)data;
    mprof__command_warn_text(file, text);
}

/* Warnings are printed once, if a picture is also shown. */
static mprof_status load(mprof_profiles **profiles, const struct mprof__plot *plot,
                         mprof_figure_options *figure, const char *const *recordings, size_t count,
                         mprof_error *error)
{
    mprof_profiles_options options = MPROF_PROFILES_OPTIONS_INIT;
    options.run = (size_t)plot->run;
    options.warn = plot->is_shown_again ? NULL : print_warning;
    return mprof_profiles_load(profiles, recordings, count, figure, &options, error);
}

mprof_status mprof__plot_figure(mprof_figure **figure, const struct mprof__plot *plot,
                                const mprof_measure *measure, const char *const *recordings,
                                size_t count, mprof_error *error)
{
    mprof_profiles *profiles;
    mprof_figure_options options = plot->figure;
    *figure = NULL;
    options.name_file = plot->several;
    options.states = has_format(plot, MPROF_FORMAT_SVG) && !plot->draw.still;
    mprof_status status = load(&profiles, plot, &options, recordings, count, error);
    if (status == MPROF_OK) {
        const mprof_profile *const *list = mprof_profiles_list(profiles, &count);
        mprof_figure_options_choose_form(&options, list, count);
        status = mprof_figure_layout(figure, list, count, &options, measure, error);
        if (status == MPROF_OK && !plot->is_shown_again && !plot->each) {
            mprof__plot_report_unmatched(plot, list, count);
            mprof__plot_report_notes(plot, *figure);
        }
    }
    mprof_profiles_free(profiles);
    return status;
}

mprof_status mprof__plot_chart(mprof__terminal_chart *chart, const struct mprof__plot *plot,
                               const mprof__terminal_room *room, const char *const *recordings,
                               size_t count, mprof_error *error)
{
    mprof_profiles *profiles;
    mprof_figure_options options = plot->figure;
    *chart = (mprof__terminal_chart){0, 0, NULL};
    mprof_status status = load(&profiles, plot, &options, recordings, count, error);
    if (status == MPROF_OK) {
        const mprof_profile *const *list = mprof_profiles_list(profiles, &count);
        mprof_figure_options_choose_form(&options, list, count);
        status = mprof__terminal_chart_new(chart, list, count, &options, room, error);
    }
    mprof_profiles_free(profiles);
    return status;
}

/* Figure and engine are the caller's, who draws one figure in several formats. */
mprof_status mprof__plot_write(const mprof_figure *figure, mprof_text_engine *engine,
                               const struct mprof__plot *plot, mprof_format format,
                               const char *const *recordings, size_t count, const char *path,
                               mprof_error *error)
{
    mprof_output *output = NULL;
    mprof_draw_options draw = plot->draw;
    mprof__command_text files = {NULL, 0, 0, false};
    draw.format = format;
    mprof__command_add_files(&files, recordings, count);
    draw.command = plot->command.failed || files.failed ? NULL : plot->command.text;
    draw.command_files = files.text;
    mprof_status status = mprof_output_open(&output, path, error);
    if (status == MPROF_OK) {
        status = mprof_figure_draw(figure, &draw, engine, output, error);
    }
    if (status == MPROF_OK) {
        status = mprof_output_commit(output, error);
    }
    mprof_output_free(output);
    free(files.text);
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
    int stem = (int)mprof__recording_stem(name);
    if (stem == 0) {
        stem = (int)strlen(name);
    }
    if (number) {
        snprintf(suffix, sizeof suffix, "-%u", number);
    }
    int length = *directory ? asprintf(&path, "%s/%.*s%s.%s", directory, stem, name, suffix,
                                       mprof_format_name(format))
                            : asprintf(&path, "%.*s%.*s%s.%s", directory_length, recording, stem,
                                       name, suffix, mprof_format_name(format));
    return length < 0 ? NULL : path;
}
