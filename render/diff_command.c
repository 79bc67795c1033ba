/* `mprof diff --plot': the comparison and its text are those of the command without it. */
#include "parse/commands/diff_command.h"
#include "command.h"
#include "figure/difference_figure.h"
#include "parse/commands/command.h"
#include "render/draw/draw.h"

#include <mprof/draw.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_WIDTH_PX 1260.0
#define DEFAULT_HEIGHT_PX 640.0

typedef struct picture {
    mprof_figure_options figure;
    mprof_draw_options draw;
    const char *path;
} picture;

static mprof_status set_theme(picture *p, const char *name, mprof_error *error)
{
    static const struct {
        const char *name;
        mprof_theme theme;
    } themes[] = {{"auto", MPROF_THEME_AUTO},
                  {"light", MPROF_THEME_LIGHT},
                  {"dark", MPROF_THEME_DARK},
                  {"paper", MPROF_THEME_PAPER}};
    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++) {
        if (strcmp(themes[i].name, name) == 0) {
            p->draw.theme = themes[i].theme;
            return MPROF_OK;
        }
    }
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "--theme must be one of light, dark, paper, auto, not '%s'", name);
}

static mprof_status set_size(picture *p, const char *text, mprof_error *error)
{
    double width, height;
    char rest;
    if (sscanf(text, "%lfx%lf%c", &width, &height, &rest) != 2 ||
        !(width >= 90 && width <= 20000 && height >= 60 && height <= 20000)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "--size must be WIDTHxHEIGHT, 90x60 to 20000x20000 pixels, not '%s'",
                               text);
    }
    p->figure.width_px = width;
    p->figure.height_px = height;
    return MPROF_OK;
}

static mprof_status set_options(picture *p, const mprof__diff_request *request, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    *p = (picture){.figure = MPROF_FIGURE_OPTIONS_INIT, .draw = MPROF_DRAW_OPTIONS_INIT};
    p->path = request->picture ? request->picture : "diff.svg";
    p->figure.width_px = DEFAULT_WIDTH_PX;
    p->figure.height_px = DEFAULT_HEIGHT_PX;
    p->figure.title = request->title;
    p->draw.format = MPROF_FORMAT_SVG;
    if (request->theme) {
        status = set_theme(p, request->theme, error);
    }
    if (status == MPROF_OK && request->size) {
        status = set_size(p, request->size, error);
    }
    if (status == MPROF_OK && strcmp(p->path, "-") != 0) {
        status = mprof_format_from_path(&p->draw.format, p->path, error);
    }
    return status;
}

static mprof_status write_picture(const picture *p, const mprof__comparison *comparison,
                                  mprof_error *error)
{
    mprof_text_engine *engine = NULL;
    mprof_figure *figure = NULL;
    mprof_output *output = NULL;
    mprof_status status = mprof_text_engine_new(&engine, NULL, error);
    if (status == MPROF_OK) {
        mprof_measure measure = mprof_text_engine_measure(engine);
        status = mprof__difference_figure(&figure, comparison, &p->figure, &measure, error);
    }
    status = status == MPROF_OK ? mprof_output_open(&output, p->path, error) : status;
    status =
        status == MPROF_OK ? mprof_figure_draw(figure, &p->draw, engine, output, error) : status;
    status = status == MPROF_OK ? mprof_output_commit(output, error) : status;
    mprof_output_free(output);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
    if (status != MPROF_OK) {
        mprof_error_at(error, p->path, 0);
    }
    return status;
}

static int draw(const mprof__diff_request *request, const mprof__comparisons *comparisons)
{
    picture p;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = set_options(&p, request, &error);
    if (comparisons->count == 0) {
        return MPROF_EXIT_OK; /* why is in the text */
    }
    if (status == MPROF_OK && comparisons->count != 1) {
        status = mprof_error_set(&error, MPROF_EARGUMENT,
                                 "--plot draws one comparison, and there are %zu: name two "
                                 "recordings, or directories of one program each",
                                 comparisons->count);
    }
    status = status == MPROF_OK ? write_picture(&p, &comparisons->items[0], &error) : status;
    return status == MPROF_OK ? MPROF_EXIT_OK : mprof__command_fail(&error);
}

int mprof_diff_plot_command(int argc, char **argv)
{
    mprof__diff_request request;
    picture p;
    mprof_error error = MPROF_ERROR_INIT;
    mprof__diff_request_parse(&request, argc, argv);
    if (request.is_plot && set_options(&p, &request, &error) != MPROF_OK) {
        mprof__command_fail(&error);
        return MPROF_EXIT_USAGE;
    }
    return mprof__diff_request_run(&request, request.is_plot ? draw : NULL);
}
