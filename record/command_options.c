/* Owns the table of options, and the texts a user is told of what is wrong with one. */
#include "command_options.h"

#include "parse/commands/command.h"
#include "record/session/memory_kinds.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Limits of what a time option may say, in seconds. */
#define INTERVAL_MIN_S 1e-5
#define INTERVAL_MAX_S 1e6
#define TIMEOUT_MAX_S 1e9

#define PATTERNS "MPROF_FUNC" /* agent/entry/agent.c */
#define LINES "MPROF_LINES"   /* likewise */

enum {
    KEY_PYTHON = 0x100,
    KEY_NOPYTHON,
    KEY_BACKEND,
    KEY_NEWEST,
    KEY_FUNC,
    KEY_LINES,
    KEY_DELAY,
    KEY_UNTIL_PEAK,
    KEY_LIVE,
    KEY_PEAK_INTERVAL,
    KEY_FOLLOW,
    KEY_MEMORY,
    KEY_REDACT
};

static const struct argp_option option_table[] = {
    {"python", KEY_PYTHON, NULL, 0,
     "the program is Python: a script, a module, or an interpreter with its script", 0},
    {"nopython", KEY_NOPYTHON, NULL, 0, "run it as it stands, and record no functions", 0},
    {"func", KEY_FUNC, "PATTERN", 0,
     "record Python functions that bear no decorator: module:name, either with wildcards; a module "
     "or a class means all it defines",
     0},
    {"functions", KEY_FUNC, "PATTERN", 0,
     "the same; when attaching, the agent is let into the running Python for that", 0},
    {"lines", KEY_LINES, NULL, 0,
     "at the end print what the lines of decorated Python functions did to memory", 0},
    {"interval", 'T', "SECONDS", 0, "time between samples (0.1)", 0},
    {"include-children", 'C', NULL, 0, "MEM is the sum over the program and its descendants", 0},
    {"multiprocess", 'M', NULL, 0, "record each descendant by itself, too", 0},
    {"exit-code", 'E', NULL, 0,
     "end with the program's exit code, or 128 plus the number of the signal it died of", 0},
    {"memory", KEY_MEMORY, "KIND,...", 0,
     "record of every process, beside what is sampled: rss, pss, uss, swap, anon, file, shmem, "
     "lazyfree, hugetlb; and the memory of the program's control group: group",
     0},
    {"follow", KEY_FOLLOW, NULL, 0,
     "record until no descendant is left, daemons included; implies -C unless -M is given", 0},
    {"peak-interval", KEY_PEAK_INTERVAL, NULL, 0,
     "record the exact peak of every interval, by resetting the kernel's high-water mark: the "
     "program's own view of its peak is lost",
     0},
    {"redact", KEY_REDACT, NULL, 0,
     "leave passwords, tokens and keys out of the command lines in the recording", 0},
    {"attach", 'a', NULL, 0, "record a process that is already running, by pid or name", 0},
    {"newest", KEY_NEWEST, NULL, 0, "of several processes of that name take the newest", 0},
    {"timeout", 't', "SECONDS", 0, "stop recording after that time", 0},
    {"delay", KEY_DELAY, "SECONDS", 0, "start recording so long after the program", 0},
    {"until-peak", KEY_UNTIL_PEAK, "MIB[:SIGNAL]", 0,
     "when the memory reaches MIB, end the program (attached: the recording) and exit 124; with a "
     "SIGNAL, send that to the program and go on",
     0},
    {"live", KEY_LIVE, NULL, 0,
     "show on the terminal's last line how things stand: memory, peak, slope, functions in flight",
     0},
    {"output", 'o', "FILE", 0, "record into FILE (mprofile_<YYYYmmddHHMMSS>.dat)", 0},
    {"backend", KEY_BACKEND, "NAME", 0,
     "what is measured: psutil or posix (RSS), psutil_pss, psutil_uss", 0},
    {0},
};

static double parse_seconds(struct argp_state *state, const char *text, const char *option,
                            double lowest, double highest)
{
    char *end;
    double value;

    errno = 0;
    value = strtod(text, &end);
    if (text[strspn(text, "0123456789.eE+-")] != '\0' || end == text || *end != '\0' ||
        !isfinite(value) || value < lowest || value > highest) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "%s: '%s' is no number of seconds between %g and %g", option, text, lowest,
                     highest);
    }
    return value;
}

static void parse_threshold(struct argp_state *state, mprof__threshold *out, const char *text)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (mprof__threshold_parse(out, text, &error) != MPROF_OK) {
        argp_failure(state, MPROF_EXIT_USAGE, 0, "--until-peak: %s", error.message);
    }
}

static mprof__metric parse_backend(struct argp_state *state, const char *name)
{
    static const struct {
        const char *name;
        mprof__metric metric;
    } backends[] = {
        {"psutil", MPROF__METRIC_RSS},
        {"posix", MPROF__METRIC_RSS},
        {"psutil_pss", MPROF__METRIC_PSS},
        {"psutil_uss", MPROF__METRIC_USS},
    };

    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (strcmp(name, backends[i].name) == 0) {
            return backends[i].metric;
        }
    }
    if (strcmp(name, "tracemalloc") == 0) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--backend: tracemalloc counts objects from inside one Python process and "
                     "cannot record a program; use psutil_uss for memory of its own");
    } else {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--backend: '%s' is none of psutil, psutil_pss, psutil_uss, posix", name);
    }
    return MPROF__METRIC_RSS;
}

/* The patterns reach the agent in every process by the environment, one a line. */
static void add_pattern(struct argp_state *state, const char *pattern)
{
    const char *before = getenv(PATTERNS);
    char *all = NULL;

    if (!*pattern || *pattern == ':' || strchr(pattern, '\n')) {
        argp_failure(state, MPROF_EXIT_USAGE, 0, "--func: '%s' names no module", pattern);
    }
    if (asprintf(&all, "%s%s%s", before ? before : "", before ? "\n" : "", pattern) < 0 ||
        setenv(PATTERNS, all, 1) != 0) {
        argp_failure(state, MPROF_EXIT_FAILED, 0, "out of memory");
    }
    free(all);
}

static void parse_kinds(struct argp_state *state, mprof__command_options *options, const char *list)
{
    const char *wrong;

    if (mprof__memory_kinds_parse(&options->kinds, &options->group, &wrong, list) != 0) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--memory: '%.*s' is none of rss, pss, uss, swap, anon, file, shmem, "
                     "lazyfree, hugetlb, group",
                     (int)strcspn(wrong, ","), wrong);
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    mprof__command_options *options = state->input;

    switch (key) {
    case KEY_PYTHON:
        options->mode = MPROF__PROGRAM_PYTHON;
        return 0;
    case KEY_NOPYTHON:
        options->mode = MPROF__PROGRAM_NOPYTHON;
        return 0;
    case KEY_FUNC:
        add_pattern(state, argument);
        options->functions = 1;
        return 0;
    case KEY_LINES:
        if (setenv(LINES, "1", 1) != 0) {
            argp_failure(state, MPROF_EXIT_FAILED, 0, "out of memory");
        }
        return 0;
    case KEY_NEWEST:
        options->newest = 1;
        return 0;
    case KEY_BACKEND:
        options->metric = parse_backend(state, argument);
        options->backend = argument;
        return 0;
    case 'T':
        options->interval_s =
            parse_seconds(state, argument, "--interval", INTERVAL_MIN_S, INTERVAL_MAX_S);
        return 0;
    case 't':
        options->timeout_s =
            parse_seconds(state, argument, "--timeout", INTERVAL_MIN_S, TIMEOUT_MAX_S);
        return 0;
    case KEY_LIVE:
        options->live = 1;
        return 0;
    case KEY_DELAY:
        options->delay_s = parse_seconds(state, argument, "--delay", 0, TIMEOUT_MAX_S);
        return 0;
    case KEY_UNTIL_PEAK:
        parse_threshold(state, &options->threshold, argument);
        return 0;
    case 'C':
        options->include_children = 1;
        return 0;
    case 'M':
        options->multiprocess = 1;
        return 0;
    case 'E':
        options->exit_code = 1;
        return 0;
    case KEY_MEMORY:
        parse_kinds(state, options, argument);
        return 0;
    case KEY_FOLLOW:
        options->follow = 1;
        return 0;
    case KEY_REDACT:
        options->redact = 1;
        return 0;
    case KEY_PEAK_INTERVAL:
        options->peak_interval = 1;
        return 0;
    case 'a':
        options->attach = 1;
        return 0;
    case 'o':
        options->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (options->attach) {
            if (options->argv) {
                argp_failure(state, MPROF_EXIT_USAGE, 0,
                             "one process at a time: '%s' is one too many", argument);
            }
            options->argv = &state->argv[state->next - 1];
            options->argc = 1;
            return 0;
        }
        /* everything from here on is the program's */
        options->argv = &state->argv[state->next - 1];
        options->argc = (size_t)(state->argc - state->next + 1);
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     options->attach ? "a process to record must be named, by pid or name"
                                     : "a program to run must be named");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp run_argp = {
    option_table,
    parse_option,
    "PROGRAM [ARGUMENT...]",
    "Runs a program and records its memory over time into a .dat file.\v"
    "A program ending in .py is run by python3. Functions decorated with @profile are recorded "
    "from every Python process of the program.",
    NULL,
    NULL,
    NULL,
};

static const struct argp attach_argp = {
    option_table,
    parse_option,
    "PID|NAME",
    "Records the memory of a running process over time into a .dat file, until it ends.",
    NULL,
    NULL,
    NULL,
};

void mprof__command_options_parse(mprof__command_options *options, int argc, char **argv,
                                  int attach)
{
    memset(options, 0, sizeof *options);
    options->interval_s = 0.1;
    options->backend = "psutil";
    options->metric = MPROF__METRIC_RSS;
    options->attach = attach;
    mprof__command_parse(attach ? &attach_argp : &run_argp, argc, argv, ARGP_IN_ORDER, options);
}

const char *mprof__command_options_patterns(void)
{
    return getenv(PATTERNS);
}
