/* mprof check: holds recordings against limits, and says so by its exit code. */
#include "check_command.h"

#include "command.h"
#include "command_parts.h"
#include "parse/check/result_text.h"
#include "parse/plain_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 80

enum {
    KEY_MAX = 0x300,
    KEY_MAX_CHILD,
    KEY_MIN,
    KEY_MAX_GROWTH,
    KEY_MAX_TIME,
    KEY_FUNC,
    KEY_KIND,
    KEY_BASELINE,
    KEY_TOLERANCE,
    KEY_FLOOR,
    KEY_CONFIG,
    KEY_UPDATE_BASELINE,
    KEY_REPORT_ONLY,
};

/* The first one is not an option of `run', which has another --func. */
static const struct argp_option limit_options[] = {
    {"func", KEY_FUNC, "NAME:SIZE", 0, "no call of this function may add more memory", 0},
    {"max", KEY_MAX, "SIZE", 0, "the peak must not be above SIZE, such as 500MiB", 0},
    {"max-child", KEY_MAX_CHILD, "SIZE", 0, "nor the peak of any single child", 0},
    {"min", KEY_MIN, "SIZE", 0, "the peak must not be below SIZE", 0},
    {"max-growth", KEY_MAX_GROWTH, "SIZE/TIME", 0,
     "memory must not grow faster, such as 1MiB/min, from trough to trough after warm-up", 0},
    {"max-time", KEY_MAX_TIME, "TIME", 0, "the program must not run longer, such as 30s", 0},
    {"kind", KEY_KIND, "KIND:SIZE", 0,
     "the peak of this kind of memory must not be above SIZE: pss, uss, ... of `run --memory'", 0},
    {"baseline", KEY_BASELINE, "FILE|DIR", 0,
     "the peak must not be above that of these known-good recordings, or of a file of baselines",
     0},
    {"tolerance", KEY_TOLERANCE, "PERCENT", 0, "by more than this (5%)", 0},
    {"floor", KEY_FLOOR, "SIZE", 0, "and by more than this (2MiB)", 0},
    {"update-baseline", KEY_UPDATE_BASELINE, NULL, 0,
     "write the peaks into the file of baselines instead of comparing with it", 0},
    {"config", KEY_CONFIG, "FILE", 0, "read limits from FILE (mprof.ini)", 0},
    {"report-only", KEY_REPORT_ONLY, NULL, 0, "exit with 0 whatever the results are", 0},
    {0},
};

/* The name of an option, without dashes. */
static const char *option_name(int key)
{
    for (const struct argp_option *option = limit_options; option->name; option++) {
        if (option->key == key) {
            return option->name;
        }
    }
    return "";
}

static error_t parse_limit(int key, char *argument, struct argp_state *state)
{
    mprof__check_request *request = state->input;
    mprof_error error = MPROF_ERROR_INIT;
    if (key != ARGP_KEY_INIT) {
        argument = mprof__command_argument(argument);
    }
    switch (key) {
    case ARGP_KEY_INIT:
        if (state->child_inputs) { /* `report' writes its results itself */
            state->child_inputs[0] = &request->output;
        }
        return 0;
    case KEY_CONFIG:
        request->config = argument;
        break;
    case KEY_UPDATE_BASELINE:
        request->options.update_baseline = true;
        break;
    case KEY_REPORT_ONLY:
        request->options.report_only = true;
        break;
    case KEY_MAX:
    case KEY_MAX_CHILD:
    case KEY_MIN:
    case KEY_MAX_GROWTH:
    case KEY_MAX_TIME:
    case KEY_FUNC:
    case KEY_KIND:
    case KEY_BASELINE:
    case KEY_TOLERANCE:
    case KEY_FLOOR: {
        mprof_status status =
            mprof__limits_set(&request->options.limits, option_name(key), argument, &error);
        if (status != MPROF_OK) {
            argp_failure(state, status == MPROF_ENOMEM ? MPROF_EXIT_FAILED : MPROF_EXIT_USAGE, 0,
                         "--%s: %s", option_name(key), error.message);
        }
        break;
    }
    default:
        return ARGP_ERR_UNKNOWN;
    }
    request->is_given = true;
    return 0;
}

static const struct argp_child output_children[] = {{&mprof__result_output_argp, 0, NULL, 0}, {0}};

const struct argp mprof__check_argp = {
    .options = limit_options, .parser = parse_limit, .children = output_children};
const struct argp mprof__check_run_argp = {
    .options = limit_options + 1, .parser = parse_limit, .children = output_children};

/* A missing mprof.ini is no error; a missing --config is. */
int mprof__check_request_load(mprof__check_request *request)
{
    mprof_error error = MPROF_ERROR_INIT;
    const char *file = request->config ? request->config : MPROF__CONFIG_FILE;
    if (!request->config && access(file, F_OK) != 0 && errno == ENOENT) {
        return MPROF_EXIT_OK;
    }
    mprof_status status = mprof__config_load(&request->options.config, file, &error);
    if (status == MPROF_OK) {
        return MPROF_EXIT_OK;
    }
    mprof__command_fail(&error);
    return MPROF_EXIT_USAGE;
}

void mprof__check_request_free(mprof__check_request *request)
{
    mprof__check_options_free(&request->options);
}

/* ---- output ---- */

static size_t width_of(FILE *stream)
{
    struct winsize size;
    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 &&
        size.ws_col >= 60) {
        return size.ws_col < 120 ? size.ws_col : 120;
    }
    return WIDTH;
}

static void write_text(FILE *stream, bool is_coloured, void *data)
{
    mprof__text_style style = {
        .is_utf8 = mprof__locale_is_utf8(), .is_coloured = is_coloured, .width = width_of(stream)};
    mprof__write_results(stream, data, &style);
}

static void print_warnings(const mprof__results *results)
{
    for (size_t i = 0; i < results->subject_count; i++) {
        const mprof__subject *subject = &results->subjects[i];
        if (subject->warnings) {
            mprof_error error = MPROF_ERROR_INIT;
            mprof_error_set(&error, MPROF_EFORMAT, "%s", subject->warnings);
            mprof_error_at(&error, subject->file, 0);
            mprof__command_fail(&error);
        }
    }
}

int mprof__check_request_run(const mprof__check_request *request, const char *const *paths,
                             size_t path_count, int program_code)
{
    mprof__results results = {.program_code = program_code};
    mprof_error error = MPROF_ERROR_INIT;
    int exit_code;
    mprof_status status = mprof__check(&results, paths, path_count, &request->options, &error);
    if (status == MPROF_OK) {
        const mprof__format_input input = {.command = "check", .results = &results};
        exit_code = mprof__results_exit_code(&results);
        if (mprof__result_output_write(&request->output, &input, write_text, &results) !=
                MPROF_EXIT_OK &&
            exit_code == MPROF_EXIT_OK) {
            exit_code = MPROF_EXIT_INCONCLUSIVE;
        }
        print_warnings(&results);
    } else {
        mprof__command_fail(&error);
        exit_code = program_code != 0 ? program_code : MPROF_EXIT_USAGE;
    }
    mprof__results_free(&results);
    return exit_code;
}

/* ---- the command ---- */

typedef struct request {
    mprof__check_request check;
    mprof__arguments arguments;
} request;

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    request *r = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &r->check;
        return 0;
    case ARGP_KEY_ARG:
        return mprof__arguments_add(&r->arguments, argument);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&mprof__check_argp, 0, NULL, 0}, {0}};

static const struct argp arguments = {
    .parser = parse_option,
    .children = children,
    .args_doc = "[FILE|DIR|NUMBER...]",
    .doc = "Holds recordings against limits. A directory stands for the recordings in it; those of "
           "one command line are repeated runs. Without an argument: the newest recording of this "
           "directory.\v"
           "Limits are also read from mprof.ini, in sections by the name of a program or test; "
           "names are those of options: `max = 500MiB'.\n"
           "Exit codes: 0 passed; 1 a limit was crossed; 3 inconclusive or not measured; 2 the "
           "command line or mprof.ini cannot be used."};

/* Arguments that exist are taken as they are; numbers are those of `mprof list'. NULL, with the
 * reason printed: there is no recording, or no memory. */
static const char **choose_paths(const request *r, const mprof_recordings *recordings,
                                 size_t *count)
{
    const char **paths = calloc(r->arguments.count + 1, sizeof *paths);
    size_t listed = mprof_recordings_count(recordings);
    *count = r->arguments.count;
    for (size_t i = 0; i < r->arguments.count && paths; i++) {
        const char *argument = r->arguments.items[i];
        paths[i] = argument;
        if (access(argument, F_OK) != 0 &&
            mprof_recordings_resolve(recordings, argument, &paths[i], NULL) != MPROF_OK) {
            paths[i] = argument; /* reported as not measured */
        }
    }
    if (paths && r->arguments.count == 0 && listed > 0) {
        paths[0] = mprof_recordings_name(recordings, listed - 1);
        *count = 1;
    } else if (paths && r->arguments.count == 0) {
        mprof_error error = MPROF_ERROR_INIT;
        mprof_error_set(&error, MPROF_ENOTFOUND,
                        "no recording here (mprofile_*.dat): name a file or a directory");
        mprof__command_fail(&error);
        free(paths);
        return NULL;
    }
    return paths;
}

int mprof_check_command(int argc, char **argv)
{
    request r = {0};
    size_t count = 0;
    mprof__command_parse(&arguments, argc, argv, 0, &r);
    int exit_code = mprof__check_request_load(&r.check);
    mprof_recordings *recordings = exit_code == MPROF_EXIT_OK ? mprof__recordings_here() : NULL;
    const char **paths = recordings ? choose_paths(&r, recordings, &count) : NULL;
    if (paths) {
        exit_code = mprof__check_request_run(&r.check, paths, count, 0);
    } else if (exit_code == MPROF_EXIT_OK) {
        exit_code = MPROF_EXIT_INCONCLUSIVE;
    }
    free(paths);
    mprof_recordings_free(recordings);
    mprof__arguments_free(&r.arguments);
    mprof__check_request_free(&r.check);
    return exit_code;
}
