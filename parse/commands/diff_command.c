/* mprof diff: what changed between two recordings. A picture is drawn by another program, which is
 * executed in place of this one. */
#include "diff_command.h"

#include "command.h"
#include "command_parts.h"
#include "parse/check/comparison_text.h"
#include "parse/check/limits.h"
#include "parse/plain_text.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 80
#define WIDTH_MOST 120

enum { KEY_TOLERANCE = 0x700, KEY_FLOOR, KEY_ALIGN, KEY_PLOT, KEY_THEME, KEY_SIZE };

static const struct argp_option options[] = {
    {"tolerance", KEY_TOLERANCE, "PERCENT", 0,
     "fail if peak or mean are higher by more than this (5%)", 0},
    {"floor", KEY_FLOOR, "SIZE", 0, "and by more than this (2MiB)", 0},
    {"align", KEY_ALIGN, "auto|calls|start|fraction", 0,
     "compare moments by calls, by time since the start, or by the share of the duration (auto: by "
     "calls where both have them)",
     0},
    {"plot", KEY_PLOT, NULL, 0, "draw both curves and their difference", 0},
    {"output", 'o', "FILE", 0, "of --plot: .svg, .png or .pdf (diff.svg); - is standard output", 0},
    {"title", 't', "TEXT", 0, "of --plot: the title", 0},
    {"theme", KEY_THEME, "light|dark|auto|paper", 0, "of --plot: the colours (auto, or light)", 0},
    {"size", KEY_SIZE, "WxH", 0, "of --plot: the size in pixels (1260x640)", 0},
    {0},
};

static void parse_limit(mprof__diff_request *request, int key, const char *argument,
                        struct argp_state *state)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = key == KEY_FLOOR
                              ? mprof__size_parse(&request->options.floor_mib, argument, &error)
                              : mprof__share_parse(&request->options.tolerance, argument, &error);
    request->options.has_limits = true;
    if (status != MPROF_OK) {
        argp_failure(state, MPROF_EXIT_USAGE, 0, "--%s: %s",
                     key == KEY_FLOOR ? "floor" : "tolerance", error.message);
    }
}

static mprof__alignment parse_alignment(const char *argument, struct argp_state *state)
{
    static const char *const names[] = {"auto", "calls", "start", "fraction"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(argument, names[i]) == 0) {
            return (mprof__alignment)i;
        }
    }
    argp_error(state, "--align must be one of auto, calls, start, fraction, not '%s'", argument);
    return MPROF__ALIGN_AUTO;
}

static error_t end_of_arguments(mprof__diff_request *request, struct argp_state *state)
{
    if (request->path_count != 2) {
        argp_error(state, "name two recordings, or directories of recordings: before and now");
    }
    if (!request->is_plot &&
        (request->picture || request->title || request->theme || request->size)) {
        argp_error(state, "--output, --title, --theme and --size need --plot");
    }
    return 0;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    mprof__diff_request *request = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->output;
        return 0;
    case KEY_TOLERANCE:
    case KEY_FLOOR:
        parse_limit(request, key, argument, state);
        return 0;
    case KEY_ALIGN:
        request->options.by = parse_alignment(argument, state);
        return 0;
    case KEY_PLOT:
        request->is_plot = true;
        return 0;
    case 'o':
        request->picture = argument;
        return 0;
    case 't':
        request->title = argument;
        return 0;
    case KEY_THEME:
        request->theme = argument;
        return 0;
    case KEY_SIZE:
        request->size = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (request->path_count == 2) {
            argp_error(state,
                       "two recordings are compared, '%s' is one more: put repeated runs "
                       "into directories",
                       argument);
        }
        request->paths[request->path_count++] = argument;
        return 0;
    case ARGP_KEY_END:
        return end_of_arguments(request, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&mprof__result_output_argp, 0, NULL, 0}, {0}};

static const struct argp arguments = {
    .options = options,
    .parser = parse_option,
    .children = children,
    .args_doc = "BEFORE NOW",
    .doc =
        "Compares two recordings, or two directories of repeated runs. Numbers are those of "
        "`mprof list'.\v"
        "Exit codes with --tolerance or --floor: 0 no worse; 1 worse; 3 unclear. Without them 0, "
        "or 3 if something could not be read or compared. 2: the command line cannot be used."};

void mprof__diff_request_parse(mprof__diff_request *request, int argc, char **argv)
{
    *request = (mprof__diff_request){
        .options = {.tolerance = MPROF__DEFAULT_TOLERANCE, .floor_mib = MPROF__DEFAULT_FLOOR_MIB}};
    mprof__command_parse(&arguments, argc, argv, 0, request);
}

/* ---- output ---- */

static void write_text(FILE *stream, bool is_coloured, void *data)
{
    struct winsize size;
    mprof__text_style style = {
        .is_utf8 = mprof__locale_is_utf8(), .is_coloured = is_coloured, .width = WIDTH};
    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 &&
        size.ws_col > WIDTH) {
        style.width = size.ws_col < WIDTH_MOST ? size.ws_col : WIDTH_MOST;
    }
    mprof__write_comparisons(stream, data, &style);
}

static int print(const mprof__diff_request *request, mprof__comparisons *comparisons, int exit_code)
{
    const mprof__format_input input = {
        .command = "diff", .results = &comparisons->results, .comparisons = comparisons};
    int printed = mprof__result_output_write(&request->output, &input, write_text, comparisons);
    for (size_t i = 0; i < comparisons->results.subject_count; i++) {
        const mprof__subject *subject = &comparisons->results.subjects[i];
        if (subject->warnings) {
            mprof__command_warn_text(subject->file, subject->warnings);
        }
    }
    return printed != MPROF_EXIT_OK && exit_code == MPROF_EXIT_OK ? MPROF_EXIT_INCONCLUSIVE
                                                                  : exit_code;
}

/* Arguments that exist are taken as they are; numbers are those of `mprof list'. */
static void resolve(mprof__diff_request *request, const mprof_recordings *recordings)
{
    for (size_t i = 0; i < 2; i++) {
        const char *path = request->paths[i];
        if (access(path, F_OK) != 0 &&
            mprof_recordings_resolve(recordings, path, &request->paths[i], NULL) != MPROF_OK) {
            request->paths[i] = path; /* reported as not measured */
        }
    }
}

int mprof__diff_request_run(mprof__diff_request *request,
                            int (*draw)(const mprof__diff_request *request,
                                        const mprof__comparisons *comparisons))
{
    mprof__comparisons comparisons = {0};
    mprof_error error = MPROF_ERROR_INIT;
    int exit_code = MPROF_EXIT_USAGE;
    mprof_recordings *recordings = mprof__recordings_here();
    if (recordings) {
        resolve(request, recordings);
    }
    mprof_status status = mprof__compare(&comparisons, request->paths, &request->options, &error);
    if (status == MPROF_OK) {
        exit_code = mprof__comparisons_exit_code(&comparisons);
        int drawn = draw ? draw(request, &comparisons) : MPROF_EXIT_OK;
        bool is_taken = draw && request->picture && strcmp(request->picture, "-") == 0;
        if (!is_taken) {
            exit_code = print(request, &comparisons, exit_code);
        }
        exit_code = exit_code == MPROF_EXIT_OK && drawn != MPROF_EXIT_OK ? MPROF_EXIT_INCONCLUSIVE
                                                                         : exit_code;
    } else {
        mprof__command_fail(&error);
        exit_code = status == MPROF_EARGUMENT ? MPROF_EXIT_USAGE : MPROF_EXIT_INCONCLUSIVE;
    }
    mprof__comparisons_free(&comparisons);
    mprof_recordings_free(recordings);
    return exit_code;
}

int mprof_diff_command(int argc, char **argv)
{
    mprof__diff_request request;
    mprof__diff_request_parse(&request, argc, argv);
    return request.is_plot ? mprof_draw_command(argc, argv)
                           : mprof__diff_request_run(&request, NULL);
}
