/* `mprof plot`: options, loading, one layout, one picture. */
#include "../parse/command.h"
#include "command.h"

#include <errno.h>
#include <math.h>
#include <mprof/draw.h>
#include <mprof/recordings.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_PER_PX 10

struct plot {
    mprof_figure_options figure;
    mprof_draw_options draw;
    const char *output;
    const char *format;
    const char *font;
    const char **inputs;
    size_t input_count;
    mprof_profile **profiles;
};

enum {
    OPTION_BACKEND = 256,
    OPTION_THEME,
    OPTION_SIZE,
    OPTION_DPI,
    OPTION_FONT,
    OPTION_FORMAT,
    OPTION_BY,
    OPTION_MIN_DURATION,
    OPTION_FUNC,
    OPTION_STACK,
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "Write to FILE: .png, .svg, .svg.gz or .pdf; - is standard output",
     0},
    {"title", 't', "TEXT", 0, "Title in place of the command line", 0},
    {"no-function-ts", 'n', NULL, 0, "Leave the calls of functions out", 0},
    {"window", 'w', "FROM,TO", 0, "Show only these seconds from the start", 0},
    {"flame", 'f', NULL, 0, "Draw calls as lanes of boxes below the memory", 0},
    {"slope", 's', NULL, 0, "Draw the trend line and tell its slope", 0},
    {"stack", OPTION_STACK, NULL, 0, "Stack the processes on top of each other", 0},
    {"func", OPTION_FUNC, "PATTERN", 0, "Only functions whose name matches", 0},
    {"min-duration", OPTION_MIN_DURATION, "SECONDS", 0, "Leave shorter calls out", 0},
    {"by", OPTION_BY, "process|function", 0, "What the lanes of --flame are for", 0},
    {"theme", OPTION_THEME, "light|dark|auto", 0, "Colours; auto: an SVG follows its reader", 0},
    {"size", OPTION_SIZE, "WIDTHxHEIGHT", 0, "Size in pixels, or inches with 'in' (1260x540)", 0},
    {"dpi", OPTION_DPI, "N", 0, "Resolution of a PNG (90)", 0},
    {"font", OPTION_FONT, "FAMILY", 0, "Font family, or several separated by commas", 0},
    {"format", OPTION_FORMAT, "png|svg|pdf", 0, "Format, where the file's name does not tell it",
     0},
    {"backend", OPTION_BACKEND, "NAME", 0, "Accepted, as upstream has it", 0},
    {0},
};

static double parse_number(struct argp_state *state, const char *text, char **end, const char *what)
{
    errno = 0;
    double value = strtod(text, end);
    if (*end == text || errno || !isfinite(value))
        argp_error(state, "%s is not a number: %s", what, text);
    return value;
}

static void parse_window(struct plot *plot, struct argp_state *state, const char *text)
{
    char *end;
    plot->figure.window_s[0] = parse_number(state, text, &end, "the window's begin");
    if (*end != ',')
        argp_error(state, "a window is FROM,TO: %s", text);
    plot->figure.window_s[1] = parse_number(state, end + 1, &end, "the window's end");
    if (*end || plot->figure.window_s[1] <= plot->figure.window_s[0])
        argp_error(state, "a window is FROM,TO with FROM before TO: %s", text);
}

static void parse_size(struct plot *plot, struct argp_state *state, const char *text)
{
    char *end;
    double width = parse_number(state, text, &end, "the width");
    if (*end != 'x')
        argp_error(state, "a size is WIDTHxHEIGHT: %s", text);
    double height = parse_number(state, end + 1, &end, "the height");
    if (strcmp(end, "in") == 0) {
        width *= MPROF_DEFAULT_DPI;
        height *= MPROF_DEFAULT_DPI;
    } else if (*end && strcmp(end, "px") != 0) {
        argp_error(state, "a size is WIDTHxHEIGHT in px or in: %s", text);
    }
    if (!(width >= 200 && width <= 20000 && height >= 150 && height <= 20000))
        argp_error(state, "a size lies between 200x150 and 20000x20000 pixels: %s", text);
    plot->figure.width_px = width;
    plot->figure.height_px = height;
    plot->figure.grow = 0;
}

static int choice(struct argp_state *state, const char *const *names, const char *text,
                  const char *what)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    argp_error(state, "no such %s: %s", what, text);
    return 0;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    static const char *const themes[] = {"auto", "light", "dark", NULL};
    static const char *const orders[] = {"process", "function", NULL};
    static const char *const formats[] = {"png", "svg", "pdf", NULL};
    struct plot *plot = state->input;
    char *end;
    switch (key) {
    case 'o':
        plot->output = argument;
        return 0;
    case 't':
        plot->figure.title = argument;
        return 0;
    case 'n':
        plot->figure.functions = 0;
        return 0;
    case 'w':
        parse_window(plot, state, argument);
        return 0;
    case 'f':
        plot->figure.flame = 1;
        return 0;
    case 's':
        plot->figure.slope = 1;
        return 0;
    case OPTION_STACK:
        plot->figure.stack = 1;
        return 0;
    case OPTION_FUNC:
        plot->figure.function = argument;
        return 0;
    case OPTION_MIN_DURATION:
        plot->figure.min_duration_s = parse_number(state, argument, &end, "the duration");
        if (*end || plot->figure.min_duration_s < 0)
            argp_error(state, "not a duration: %s", argument);
        return 0;
    case OPTION_BY:
        plot->figure.order = (mprof_order)choice(state, orders, argument, "order");
        return 0;
    case OPTION_THEME:
        plot->draw.theme = (mprof_theme)choice(state, themes, argument, "theme");
        return 0;
    case OPTION_SIZE:
        parse_size(plot, state, argument);
        return 0;
    case OPTION_DPI:
        plot->draw.dpi = parse_number(state, argument, &end, "the resolution");
        if (*end || plot->draw.dpi < 20 || plot->draw.dpi > 1200)
            argp_error(state, "a resolution lies between 20 and 1200: %s", argument);
        return 0;
    case OPTION_FONT:
        plot->font = argument;
        return 0;
    case OPTION_FORMAT:
        choice(state, formats, argument, "format");
        plot->format = argument;
        return 0;
    case OPTION_BACKEND:
        return 0; /* says how memory was measured; nothing to draw differently */
    case ARGP_KEY_INIT:
        plot->inputs = calloc((size_t)state->argc + 1, sizeof *plot->inputs);
        return plot->inputs ? 0 : ENOMEM;
    case ARGP_KEY_ARG:
        plot->inputs[plot->input_count++] = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp plot_argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "[FILE|INDEX...]",
    .doc =
        "Draw a recording, or several on top of each other; the newest one here if none is named.",
};

static int name_ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length > end_length && strcasecmp(name + length - end_length, end) == 0;
}

static mprof_status choose_format(struct plot *plot, mprof_error *error)
{
    static const struct {
        const char *end;
        mprof_format format;
    } endings[] = {
        {".png", MPROF_FORMAT_PNG},    {".svg", MPROF_FORMAT_SVG}, {".svgz", MPROF_FORMAT_SVG},
        {".svg.gz", MPROF_FORMAT_SVG}, {".pdf", MPROF_FORMAT_PDF},
    };
    if (plot->format) {
        plot->draw.format = *plot->format == 's'               ? MPROF_FORMAT_SVG
                            : strcmp(plot->format, "pdf") == 0 ? MPROF_FORMAT_PDF
                                                               : MPROF_FORMAT_PNG;
        return MPROF_OK;
    }
    if (strcmp(plot->output, "-") == 0)
        return MPROF_OK;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (name_ends_with(plot->output, endings[i].end)) {
            plot->draw.format = endings[i].format;
            return MPROF_OK;
        }
    mprof_error_set(error, MPROF_EARGUMENT,
                    "the name tells no known format (.png, .svg, .svg.gz, .pdf)");
    mprof_error_at(error, plot->output, 0);
    return MPROF_EARGUMENT;
}

/* A picture that was not named lies beside the recording it shows. */
static mprof_status default_output(char **path, const char *recording, mprof_error *error)
{
    size_t length = strlen(recording);
    if (name_ends_with(recording, ".dat"))
        length -= 4;
    if (strcmp(recording, "-") == 0)
        recording = "mprofile", length = strlen(recording);
    if (asprintf(path, "%.*s.svg", (int)length, recording) < 0) {
        *path = NULL;
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    return MPROF_OK;
}

static mprof_status load_profiles(struct plot *plot, const mprof_recordings *recordings,
                                  mprof_error *error)
{
    mprof_load_options load;
    mprof_load_options_init(&load);
    load.window_s[0] = plot->figure.window_s[0];
    load.window_s[1] = plot->figure.window_s[1];
    load.skip_calls = !plot->figure.functions;
    /* several bins for every pixel column, and no more memory than that takes */
    load.max_points = (size_t)(plot->figure.width_px * POINTS_PER_PX);
    for (size_t i = 0; i < plot->input_count; i++) {
        const char *path;
        mprof_status status = mprof_recordings_resolve(recordings, plot->inputs[i], &path, error);
        if (status == MPROF_OK)
            status = mprof_profile_load_file(&plot->profiles[i], path, &load, error);
        if (status != MPROF_OK) {
            mprof_error_at(error, plot->inputs[i], 0);
            return status;
        }
        mprof__command_warn(plot->profiles[i]);
    }
    return MPROF_OK;
}

static mprof_status draw(struct plot *plot, mprof_error *error)
{
    mprof_text_engine *engine = NULL;
    mprof_figure *figure = NULL;
    mprof_output *output = NULL;
    mprof_status status = mprof_output_open(&output, plot->output, error);
    if (status != MPROF_OK)
        goto out;
    status = mprof_text_engine_new(&engine, plot->font, error);
    if (status != MPROF_OK)
        goto out;
    plot->figure.states = plot->draw.format == MPROF_FORMAT_SVG;
    mprof_measure measure = mprof_text_engine_measure(engine);
    status = mprof_figure_layout(&figure, (const mprof_profile *const *)plot->profiles,
                                 plot->input_count, &plot->figure, &measure, error);
    if (status == MPROF_OK)
        status = mprof_figure_draw(figure, &plot->draw, engine, output, error);
    if (status == MPROF_OK)
        status = mprof_output_commit(output, error);
out:
    mprof_output_free(output);
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
    return status;
}

int mprof_plot_command(int argc, char **argv)
{
    struct plot plot = {.draw = {.dpi = MPROF_DEFAULT_DPI}};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_recordings *recordings = NULL;
    char *path = NULL;
    mprof_figure_options_init(&plot.figure);
    mprof__command_parse(&plot_argp, argc, argv, 0, &plot);
    mprof_status status = mprof_recordings_open(&recordings, ".", &error);
    if (status != MPROF_OK)
        goto out;
    if (!plot.input_count) {
        size_t count = mprof_recordings_count(recordings);
        if (!count) {
            status = mprof_error_set(&error, MPROF_ENOTFOUND, "no recording here");
            goto out;
        }
        plot.inputs[plot.input_count++] = mprof_recordings_name(recordings, count - 1);
        fprintf(plot.output && strcmp(plot.output, "-") == 0 ? stderr : stdout,
                "Using last profile data.\n");
    }
    if (!plot.output) {
        const char *first;
        status = mprof_recordings_resolve(recordings, plot.inputs[0], &first, &error);
        if (status == MPROF_OK)
            status = default_output(&path, first, &error);
        if (status != MPROF_OK)
            goto out;
        plot.output = path;
    }
    status = choose_format(&plot, &error);
    if (status != MPROF_OK)
        goto out;
    plot.profiles = calloc(plot.input_count, sizeof *plot.profiles);
    status = plot.profiles ? load_profiles(&plot, recordings, &error) : MPROF_ENOMEM;
    if (status == MPROF_OK)
        status = draw(&plot, &error);
    if (status == MPROF_OK && path) {
        mprof__print_plain(stdout, path);
        putchar('\n');
    }
out:
    for (size_t i = 0; plot.profiles && i < plot.input_count; i++)
        mprof_profile_free(plot.profiles[i]);
    free(plot.profiles);
    free(plot.inputs);
    free(path);
    mprof_recordings_free(recordings);
    return status == MPROF_OK ? MPROF_EXIT_OK : mprof__command_fail(&error);
}
