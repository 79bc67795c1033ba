/* `mprof plot`: options, loading, one layout, one picture. */
#include "command.h"
#include "parse/commands/command.h"
#include "plot.h"
#include "render/draw/draw.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    OPTION_MEMORY,
    OPTION_EACH,
    OPTION_NO_SCRIPT,
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "write to FILE: .png, .svg, .svg.gz or .pdf; - is standard output",
     0},
    {"title", 't', "TEXT", 0, "title in place of the command line", 0},
    {"no-function-ts", 'n', NULL, 0, "leave the calls of functions out", 0},
    {"window", 'w', "FROM,TO", 0, "show only these seconds from the start", 0},
    {"flame", 'f', NULL, 0, "draw calls as lanes of boxes below the memory", 0},
    {"slope", 's', NULL, 0, "draw the trend line and tell its slope", 0},
    {"stack", OPTION_STACK, NULL, 0, "stack the processes on top of each other", 0},
    {"memory", OPTION_MEMORY, "KIND,...", 0,
     "also curves of what `run --memory' recorded: pss, uss, lazyfree (summed over all processes), "
     "rss, "
     "swap, anon, file, shmem, hugetlb (of the main one); group: the control group however far "
     "above it is",
     0},
    {"func", OPTION_FUNC, "PATTERN", 0, "only functions whose name matches", 0},
    {"min-duration", OPTION_MIN_DURATION, "SECONDS", 0, "leave shorter calls out", 0},
    {"by", OPTION_BY, "process|function", 0, "what the lanes of --flame are for", 0},
    {"theme", OPTION_THEME, "light|dark|auto", 0, "colours; auto: an SVG follows its reader", 0},
    {"size", OPTION_SIZE, "WIDTHxHEIGHT", 0, "size in pixels, or inches with 'in' (1260x540)", 0},
    {"dpi", OPTION_DPI, "N", 0, "resolution of a PNG (90)", 0},
    {"font", OPTION_FONT, "FAMILY", 0, "font family, or several separated by commas", 0},
    {"no-script", OPTION_NO_SCRIPT, NULL, 0, "an SVG that is small and does nothing", 0},
    {"format", OPTION_FORMAT, "png|svg|pdf", 0,
     "format, whatever the name says; with --each several, separated by commas", 0},
    {"each", OPTION_EACH, NULL, 0,
     "a picture for each recording, of directories too; --output names a directory", 0},
    {"jobs", 'j', "N", 0, "so many processes for --each (one per CPU)", 0},
    {"backend", OPTION_BACKEND, "NAME", 0, "accepted, as upstream does", 0},
    {0},
};

static double parse_number(struct argp_state *state, const char *text, char **end, const char *what)
{
    errno = 0;
    double value = strtod(text, end);
    if (*end == text || errno || !isfinite(value)) {
        argp_error(state, "%s is not a number: %s", what, text);
    }
    return value;
}

static void parse_window(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    char *end;
    plot->figure.window_s[0] = parse_number(state, text, &end, "the window's begin");
    if (*end != ',') {
        argp_error(state, "a window is FROM,TO: %s", text);
    }
    plot->figure.window_s[1] = parse_number(state, end + 1, &end, "the window's end");
    if (*end || plot->figure.window_s[1] <= plot->figure.window_s[0]) {
        argp_error(state, "a window is FROM,TO with FROM before TO: %s", text);
    }
}

static void parse_size(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    char *end;
    double width = parse_number(state, text, &end, "the width");
    if (*end != 'x') {
        argp_error(state, "a size is WIDTHxHEIGHT: %s", text);
    }
    double height = parse_number(state, end + 1, &end, "the height");
    if (strcmp(end, "in") == 0) {
        width *= MPROF_DEFAULT_DPI;
        height *= MPROF_DEFAULT_DPI;
    } else if (*end && strcmp(end, "px") != 0) {
        argp_error(state, "a size is WIDTHxHEIGHT in px or in: %s", text);
    }
    if (!(width >= 300 && width <= 20000 && height >= 200 && height <= 20000)) {
        argp_error(state, "a size lies between 300x200 and 20000x20000 pixels: %s", text);
    }
    plot->figure.width_px = width;
    plot->figure.height_px = height;
    plot->figure.grow = 0;
}

static int choice(struct argp_state *state, const char *const *names, const char *text,
                  const char *what)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            return i;
        }
    }
    char known[80] = "";
    for (int i = 0; names[i]; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    argp_error(state, "no such %s: %s; there are %s", what, text, known);
    return 0;
}

static void parse_formats(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    const char *names[MPROF_FORMAT_COUNT + 1];
    for (int i = 0; i <= MPROF_FORMAT_COUNT; i++) {
        names[i] = mprof_format_name((mprof_format)i);
    }
    plot->format_count = 0;
    while (*text) {
        char name[8] = "";
        size_t length = strcspn(text, ",");
        memcpy(name, text, length < sizeof name ? length : sizeof name - 1);
        if (plot->format_count == MPROF_FORMAT_COUNT) {
            argp_error(state, "a format is named twice");
        }
        plot->formats[plot->format_count++] = (mprof_format)choice(state, names, name, "format");
        text += length + (text[length] == ',');
    }
    if (!plot->format_count) {
        argp_error(state, "no format is named");
    }
}

static void parse_kinds(struct mprof__plot *plot, struct argp_state *state, const char *text)
{
    for (;; text++) {
        size_t length = strcspn(text, ",");
        mprof_kind kind = mprof_kind_find(text, length);
        if (length == 5 && memcmp(text, "group", 5) == 0) {
            plot->figure.group = 1;
        } else if (kind == MPROF_KIND_COUNT) {
            argp_error(state,
                       "--memory: '%.*s' is none of rss, pss, uss, swap, anon, file, shmem, "
                       "lazyfree, hugetlb, group",
                       (int)length, text);
        } else {
            plot->figure.kinds |= 1U << kind;
        }
        text += length;
        if (!*text) {
            return;
        }
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    static const char *const themes[] = {"auto", "light", "dark", NULL};
    static const char *const orders[] = {"process", "function", NULL};
    struct mprof__plot *plot = state->input;
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
    case OPTION_MEMORY:
        parse_kinds(plot, state, argument);
        return 0;
    case OPTION_FUNC:
        plot->figure.function = argument;
        return 0;
    case OPTION_MIN_DURATION:
        plot->figure.min_duration_s = parse_number(state, argument, &end, "the duration");
        if (*end || plot->figure.min_duration_s < 0) {
            argp_error(state, "not a duration: %s", argument);
        }
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
        if (*end || plot->draw.dpi < 20 || plot->draw.dpi > 1200) {
            argp_error(state, "a resolution lies between 20 and 1200: %s", argument);
        }
        return 0;
    case OPTION_FONT:
        plot->font = argument;
        return 0;
    case OPTION_FORMAT:
        parse_formats(plot, state, argument);
        return 0;
    case OPTION_NO_SCRIPT:
        plot->draw.still = 1;
        return 0;
    case OPTION_EACH:
        plot->each = 1;
        return 0;
    case 'j':
        plot->jobs = (long)parse_number(state, argument, &end, "the number of jobs");
        if (*end || plot->jobs < 1) {
            argp_error(state, "not a number of jobs: %s", argument);
        }
        return 0;
    case OPTION_BACKEND:
        return 0; /* says how memory was measured; nothing to draw differently */
    case ARGP_KEY_INIT:
        plot->inputs = calloc((size_t)state->argc + 1, sizeof *plot->inputs);
        return plot->inputs ? 0 : ENOMEM;
    case ARGP_KEY_END:
        if (!plot->each && plot->format_count > 1) {
            argp_error(state, "several formats need --each");
        }
        return 0;
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
        "Draws a recording, or several on top of each other; the newest one here if none is named.",
};

/* A new file whose name has no ending becomes a PNG with one, as upstream's pictures do. */
static int lacks_ending(const char *path)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    name += strspn(name, ".");
    return *name && !strchr(name, '.') && (stat(path, &status) != 0 || S_ISREG(status.st_mode));
}

/* Everything into one picture. Without a name for it, it lies beside the recording and is shown. */
static mprof_status plot_together(struct mprof__plot *plot, const char *const *paths, size_t count,
                                  mprof_error *error)
{
    mprof_text_engine *engine = NULL;
    mprof_figure *figure = NULL;
    char *beside = NULL, *named = NULL;
    mprof_format format = plot->formats[0];
    mprof_status status = MPROF_OK;
    if (!plot->output) {
        if (!plot->format_count) {
            format = MPROF_FORMAT_SVG;
        }
        beside = mprof__plot_path("", paths[0], 0, format);
        if (!beside) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
    } else if (!plot->format_count && lacks_ending(plot->output) &&
               strcmp(plot->output, "-") != 0) {
        format = MPROF_FORMAT_PNG;
        if (asprintf(&named, "%s.png", plot->output) < 0) {
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
    } else if (!plot->format_count && strcmp(plot->output, "-") != 0) {
        status = mprof_format_from_path(&format, plot->output, error);
    }
    plot->formats[0] = format;
    plot->format_count = 1;
    if (status == MPROF_OK) {
        status = mprof_text_engine_new(&engine, plot->font, error);
    }
    if (status == MPROF_OK) {
        mprof_measure measure = mprof_text_engine_measure(engine);
        status = mprof__plot_figure(&figure, plot, &measure, paths, count, error);
    }
    if (status == MPROF_OK) {
        const char *path = beside ? beside : named ? named : plot->output;
        status = mprof__plot_write(figure, engine, plot, format, path, error);
    }
    if (status == MPROF_OK && beside) {
        mprof__plot_show(plot, engine, paths, count, beside);
    }
    if (status == MPROF_OK) {
        mprof__plot_note_missing(engine);
    }
    mprof_figure_free(figure);
    mprof_text_engine_free(engine);
    free(beside);
    free(named);
    return status;
}

static int plot_one(struct mprof__plot *plot)
{
    mprof_error error = MPROF_ERROR_INIT;
    char **paths;
    size_t count;
    int code = mprof__command_inputs(&paths, &count, plot->inputs, plot->input_count);
    if (code == MPROF_EXIT_OK && !plot->input_count) {
        fputs("Using last profile data.\n",
              plot->output && strcmp(plot->output, "-") == 0 ? stderr : stdout);
    }
    if (code == MPROF_EXIT_OK &&
        plot_together(plot, (const char *const *)paths, count, &error) != MPROF_OK) {
        code = mprof__command_fail(&error);
    }
    mprof__command_inputs_free(paths, count);
    return code;
}

int mprof_plot_command(int argc, char **argv)
{
    static char here[] = ".";
    struct mprof__plot plot = {.draw = MPROF_DRAW_OPTIONS_INIT};
    mprof_figure_options_init(&plot.figure);
    mprof__command_parse(&plot_argp, argc, argv, 0, &plot);
    if (plot.each && !plot.input_count) {
        plot.inputs[plot.input_count++] = here;
    }
    if (plot.each && !plot.format_count) {
        plot.formats[plot.format_count++] = MPROF_FORMAT_SVG;
    }
    mprof__output_clean_at_signals();
    int code = plot.each ? mprof__plot_each(&plot) : plot_one(&plot);
    free(plot.inputs);
    return code;
}
