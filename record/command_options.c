/* An option that is wrong ends the process: one line, exit code 2, and nothing was started. */
#include "command_options.h"

#include "parse/commands/command.h"
#include "parse/compression.h"
#include "record/launch/launcher.h"
#include "record/session/memory_kinds.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Limits of the options that take seconds. */
#define INTERVAL_MIN_S 1e-5
#define INTERVAL_MAX_S 1e6
#define TIMEOUT_MAX_S 1e9

/* Read by the agent: agent/entry/agent.c. */
#define PATTERNS "MPROF_FUNC"
#define LINES "MPROF_LINES"

enum {
    KEY_PYTHON = 0x100,
    KEY_NOPYTHON,
    KEY_BACKEND,
    KEY_NEWEST,
    KEY_OWN_AGENT,
    KEY_FUNC,
    KEY_LINES,
    KEY_STACKS,
    KEY_STACKS_INTERVAL,
    KEY_NO_STACKS_EVENTS,
    KEY_DELAY,
    KEY_UNTIL_PEAK,
    KEY_LIVE,
    KEY_PEAK_INTERVAL,
    KEY_FOLLOW,
    KEY_MEMORY,
    KEY_REDACT,
    KEY_TEXTFILE,
    KEY_CHECK,
    KEY_REPEAT
};

#define REPEAT_MOST 10000

/* The first two are not options of `attach'. */
static const struct argp_option option_table[] = {
    {"check", KEY_CHECK, NULL, 0,
     "hold the recording against the limits below, or of mprof.ini: exit with 0 if it passed, 1 if "
     "a limit was crossed, 3 if it cannot be judged; with the program's code if that failed",
     0},
    {"repeat", KEY_REPEAT, "N", 0,
     "record N runs, one after the other, into run-1.dat, run-2.dat ... of the directory that -o "
     "names (mprofile_<YYYYmmddHHMMSS>)",
     0},
    {"python", KEY_PYTHON, NULL, 0,
     "the program is Python: a script, a module, or an interpreter with its script", 0},
    {"nopython", KEY_NOPYTHON, NULL, 0, "run the program unchanged, and record no functions", 0},
    {"func", KEY_FUNC, "PATTERN", 0,
     "record Python functions without a decorator: module:name, both with wildcards; a module or a "
     "class stands for all that it defines",
     0},
    {"functions", KEY_FUNC, "PATTERN", 0,
     "the same; attach loads the agent into the running Python for it", 0},
    {"lines", KEY_LINES, NULL, 0,
     "at the end print how the lines of decorated Python functions changed memory", 0},
    {"stacks", KEY_STACKS, "own|all|PATTERN", OPTION_ARG_OPTIONAL,
     "sample what every Python thread runs, and who makes memory grow, from outside, without any "
     "change to the program; show frames of its own files (own), all, or those that match a "
     "pattern as of --func",
     0},
    {"stacks-interval", KEY_STACKS_INTERVAL, "SECONDS", 0,
     "time between samples of stacks (as --interval)", 0},
    {"no-stacks-events", KEY_NO_STACKS_EVENTS, NULL, 0,
     "take no further samples of stacks while memory grows", 0},
    {"interval", 'T', "SECONDS", 0, "time between samples (0.1)", 0},
    {"include-children", 'C', NULL, 0, "MEM is the sum over the program and its descendants", 0},
    {"multiprocess", 'M', NULL, 0, "also record each descendant by itself", 0},
    {"exit-code", 'E', NULL, 0,
     "exit with the program's code, or 128 plus the number of the signal that ended it", 0},
    {"memory", KEY_MEMORY, "KIND,...", 0,
     "also record these kinds of memory of every process: rss, pss, uss, swap, anon, file, shmem, "
     "lazyfree, hugetlb; group: the memory of the program's control group",
     0},
    {"follow", KEY_FOLLOW, NULL, 0,
     "record until no descendant is left, daemons included; implies -C unless -M is given", 0},
    {"peak-interval", KEY_PEAK_INTERVAL, NULL, 0,
     "record the exact peak of every interval, by resetting the kernel's high-water mark: the "
     "program can no longer read its own peak",
     0},
    {"redact", KEY_REDACT, NULL, 0,
     "leave passwords, tokens and keys out of the command lines in the recording", 0},
    {"attach", 'a', NULL, 0, "record a process that is already running, by pid or name", 0},
    {"newest", KEY_NEWEST, NULL, 0, "of several processes with that name, take the newest", 0},
    /* for %%mprof: docs/agent.md */
    {"own-agent", KEY_OWN_AGENT, NULL, OPTION_HIDDEN,
     "of attach: the program loads the agent itself; print what it needs for that", 0},
    {"timeout", 't', "SECONDS", 0, "stop recording after this time", 0},
    {"delay", KEY_DELAY, "SECONDS", 0, "start recording this long after the program", 0},
    {"until-peak", KEY_UNTIL_PEAK, "MIB[:SIGNAL]", 0,
     "when the memory reaches MIB, end the program (attach: the recording) and exit 124; with "
     "SIGNAL, send it to the program and go on",
     0},
    {"live", KEY_LIVE, NULL, 0,
     "show memory, peak, slope and running functions on the terminal's last line", 0},
    {"textfile", KEY_TEXTFILE, "DIR", 0,
     "once a second write the current values into this directory, for Prometheus' node exporter",
     0},
    {"quiet", 'q', NULL, 0, "print no messages about a recording that goes well", 0},
    {"output", 'o', "FILE", 0,
     "record into FILE (mprofile_<YYYYmmddHHMMSS>.dat); %h host, %r rank, %j job, %p pid, %n pod, "
     "%t time",
     0},
    {"backend", KEY_BACKEND, "NAME", 0,
     "what is measured: psutil or posix (RSS), psutil_pss, psutil_uss", 0},
    {0},
};

/* Options without an argument. */
static const struct {
    int key;
    size_t offset; /* of a bool in mprof__command_options */
} flags[] = {
    {'C', offsetof(mprof__command_options, include_children)},
    {'M', offsetof(mprof__command_options, multiprocess)},
    {'E', offsetof(mprof__command_options, exit_code)},
    {'a', offsetof(mprof__command_options, attach)},
    {'q', offsetof(mprof__command_options, quiet)},
    {KEY_CHECK, offsetof(mprof__command_options, check)},
    {KEY_FOLLOW, offsetof(mprof__command_options, follow)},
    {KEY_LIVE, offsetof(mprof__command_options, live)},
    {KEY_NEWEST, offsetof(mprof__command_options, newest)},
    {KEY_OWN_AGENT, offsetof(mprof__command_options, own_agent)},
    {KEY_PEAK_INTERVAL, offsetof(mprof__command_options, peak_interval)},
    {KEY_REDACT, offsetof(mprof__command_options, redact)},
    {KEY_NO_STACKS_EVENTS, offsetof(mprof__command_options, without_stacks_events)},
};

/* Options that take a number of seconds. */
static const struct {
    int key;
    size_t offset; /* of a double in mprof__command_options */
    const char *name;
    double lowest;
    double highest;
} durations[] = {
    {'T', offsetof(mprof__command_options, interval_s), "--interval", INTERVAL_MIN_S,
     INTERVAL_MAX_S},
    {KEY_STACKS_INTERVAL, offsetof(mprof__command_options, stacks_interval_s), "--stacks-interval",
     INTERVAL_MIN_S, INTERVAL_MAX_S},
    {'t', offsetof(mprof__command_options, timeout_s), "--timeout", INTERVAL_MIN_S, TIMEOUT_MAX_S},
    {KEY_DELAY, offsetof(mprof__command_options, delay_s), "--delay", 0, TIMEOUT_MAX_S},
};

static bool set_flag(mprof__command_options *options, int key)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (flags[i].key == key) {
            *(bool *)((char *)options + flags[i].offset) = true;
            return true;
        }
    }
    return false;
}

static bool parse_plain_number(double *value, const char *text)
{
    char *end;

    errno = 0;
    *value = strtod(text, &end);
    /* strtod also takes hexadecimal numbers, nan and inf */
    return text[strspn(text, "0123456789.eE+-")] == '\0' && end != text && *end == '\0' &&
           isfinite(*value);
}

static bool set_duration(struct argp_state *state, int key, const char *text)
{
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        double seconds;

        if (durations[i].key != key) {
            continue;
        }
        if (!parse_plain_number(&seconds, text) || seconds < durations[i].lowest ||
            seconds > durations[i].highest) {
            argp_failure(state, MPROF_EXIT_USAGE, 0,
                         "%s must be between %g and %g seconds, not '%s'", durations[i].name,
                         durations[i].lowest, durations[i].highest, text);
        }
        *(double *)((char *)state->input + durations[i].offset) = seconds;
        return true;
    }
    return false;
}

static void parse_threshold(struct argp_state *state, mprof__until_peak *out, const char *text)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (mprof__until_peak_parse(out, text, &error) != MPROF_OK) {
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
                     "--backend: tracemalloc counts objects inside one Python process and cannot "
                     "record a program; use psutil_uss for the memory that only it has");
    } else {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--backend must be psutil, psutil_pss, psutil_uss or posix, not '%s'", name);
    }
    return MPROF__METRIC_RSS;
}

static void set_environment(struct argp_state *state, const char *name, const char *value)
{
    if (setenv(name, value, 1) != 0) {
        argp_failure(state, MPROF_EXIT_FAILED, 0, "out of memory");
    }
}

/* The environment carries the patterns to the agent of every process, one a line. */
static void add_pattern(struct argp_state *state, const char *pattern)
{
    const char *before = getenv(PATTERNS);
    char *all = NULL;

    if (!*pattern || *pattern == ':' || strchr(pattern, '\n')) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--func must name a module, as in module:name, not '%s'", pattern);
    }
    if (asprintf(&all, "%s%s%s", before ? before : "", before ? "\n" : "", pattern) < 0) {
        argp_failure(state, MPROF_EXIT_FAILED, 0, "out of memory");
        return;
    }
    set_environment(state, PATTERNS, all);
    free(all);
}

/* NAME:SIZE is the limit of a function: no name of one begins with a digit. module:name:SIZE also
 * records it. */
static void add_function(struct argp_state *state, mprof__command_options *options,
                         const char *text)
{
    const char *colon = strrchr(text, ':');
    mprof_error error = MPROF_ERROR_INIT;

    if (!colon || options->attach || !strchr("0123456789.", colon[1]) || !colon[1]) {
        add_pattern(state, text);
        options->functions = true;
        return;
    }
    if (mprof__limits_set(&options->limits.options.limits, "func", text, &error) != MPROF_OK) {
        argp_failure(state, MPROF_EXIT_USAGE, 0, "--func: %s", error.message);
    }
    options->limits.is_given = true;
    char *pattern = strndup(text, (size_t)(colon - text));
    if (!pattern) {
        argp_failure(state, MPROF_EXIT_FAILED, 0, "out of memory");
    } else if (strchr(pattern, ':')) {
        add_pattern(state, pattern);
        options->functions = true;
    }
    free(pattern);
}

/* NULL: own. Patterns of several options are kept one a line. */
static void add_stacks(struct argp_state *state, mprof__command_options *options, const char *text)
{
    bool is_word = !text || strcmp(text, "own") == 0 || strcmp(text, "all") == 0;

    if (text && (!*text || *text == ':' || strchr(text, '\n'))) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--stacks must be own, all, or name a module, as in module:name, not '%s'",
                     text);
    }
    if (is_word) {
        free(options->stacks);
        options->stacks = strdup(text ? text : "own");
    } else {
        char *before = options->stacks;
        bool has_patterns = before && strcmp(before, "own") != 0 && strcmp(before, "all") != 0;

        if (asprintf(&options->stacks, "%s%s%s", has_patterns ? before : "",
                     has_patterns ? "\n" : "", text) < 0) {
            options->stacks = NULL;
        }
        free(before);
    }
    if (!options->stacks) {
        argp_failure(state, MPROF_EXIT_FAILED, 0, "out of memory");
    }
}

static void parse_repeat(struct argp_state *state, mprof__command_options *options,
                         const char *text)
{
    char *end;
    unsigned long count = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || count < 1 || count > REPEAT_MOST) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--repeat must be a number of runs from 1 to %d, not '%s'", REPEAT_MOST, text);
    }
    options->repeat = (unsigned)count;
}

static void parse_kinds(struct argp_state *state, mprof__command_options *options, const char *list)
{
    const char *wrong;

    if (mprof__memory_kinds_parse(&options->kinds, &options->group, &wrong, list) != 0) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--memory: unknown kind '%.*s'; use rss, pss, uss, swap, anon, file, shmem, "
                     "lazyfree, hugetlb or group",
                     (int)strcspn(wrong, ","), wrong);
    }
}

/* "job-%h-%r.dat" */
static void expand_output(struct argp_state *state, mprof__command_options *options,
                          const char *argument)
{
    mprof_error error = MPROF_ERROR_INIT;
    int is_pattern;

    free(options->output);
    mprof_status status = mprof__launcher_expand(&options->output, &is_pattern, argument, &error);
    if (status == MPROF_OK) {
        status = mprof__compression_check_name(options->output, &error);
    }
    if (status != MPROF_OK) {
        argp_failure(state, status == MPROF_ENOMEM ? MPROF_EXIT_FAILED : MPROF_EXIT_USAGE, 0, "%s",
                     error.message);
    }
}

/* The first argument. Whatever follows it belongs to the program. */
static void set_arguments(struct argp_state *state, mprof__command_options *options)
{
    char **first = &state->argv[state->next - 1];

    if (options->attach) {
        if (options->argv) {
            argp_failure(state, MPROF_EXIT_USAGE, 0,
                         "only one process can be recorded at a time: leave out '%s'", *first);
        }
        options->argv = first;
        options->argc = 1;
        return;
    }
    options->argv = first;
    options->argc = (size_t)(state->argc - state->next + 1);
    state->next = state->argc;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    mprof__command_options *options = state->input;

    if (set_flag(options, key) || set_duration(state, key, argument)) {
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        if (!options->attach) {
            state->child_inputs[0] = &options->limits;
        }
        return 0;
    case KEY_PYTHON:
        options->mode = MPROF__PROGRAM_PYTHON;
        return 0;
    case KEY_NOPYTHON:
        options->mode = MPROF__PROGRAM_NOPYTHON;
        return 0;
    case KEY_FUNC:
        add_function(state, options, argument);
        return 0;
    case KEY_STACKS:
        add_stacks(state, options, argument);
        return 0;
    case KEY_REPEAT:
        parse_repeat(state, options, argument);
        return 0;
    case KEY_LINES:
        set_environment(state, LINES, "1");
        return 0;
    case KEY_BACKEND:
        options->metric = parse_backend(state, argument);
        options->backend = argument;
        return 0;
    case KEY_UNTIL_PEAK:
        parse_threshold(state, &options->threshold, argument);
        return 0;
    case KEY_MEMORY:
        parse_kinds(state, options, argument);
        return 0;
    case 'o':
        expand_output(state, options, argument);
        return 0;
    case KEY_TEXTFILE:
        options->textfile = argument;
        return 0;
    case ARGP_KEY_ARG:
        set_arguments(state, options);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     options->attach ? "no process given: name one by its pid or its name"
                                     : "no program given: name the program to run");
        return 0;
    case ARGP_KEY_END:
        if (!options->stacks &&
            (options->stacks_interval_s > 0 || options->without_stacks_events)) {
            const char *name =
                options->stacks_interval_s > 0 ? "--stacks-interval" : "--no-stacks-events";

            argp_failure(state, MPROF_EXIT_USAGE, 0, "%s needs --stacks: add it, or leave %s out",
                         name, name);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child run_children[] = {{&mprof__check_run_argp, 0, "Limits:", 1}, {0}};

static const struct argp run_argp = {
    option_table,
    parse_option,
    "PROGRAM [ARGUMENT...]",
    "Runs a program and records its memory over time into a .dat file.\v"
    "A program ending in .py is run by python3. Functions decorated with @profile are recorded "
    "from every Python process of the program.",
    run_children,
    NULL,
    NULL,
};

static const struct argp attach_argp = {
    option_table + 2,
    parse_option,
    "PID|NAME",
    "Records the memory of a running process over time into a .dat file, until it ends.",
    NULL,
    NULL,
    NULL,
};

void mprof__command_options_parse(mprof__command_options *options, int argc, char **argv,
                                  bool attach)
{
    memset(options, 0, sizeof *options);
    options->interval_s = 0.1;
    options->backend = "psutil";
    options->metric = MPROF__METRIC_RSS;
    options->attach = attach;
    mprof__command_parse(attach ? &attach_argp : &run_argp, argc, argv, ARGP_IN_ORDER, options);
    if (mprof__result_output_is_document(&options->limits.output)) {
        options->quiet = true;
    }
}

void mprof__command_options_free(mprof__command_options *options)
{
    mprof__check_request_free(&options->limits);
    free(options->stacks);
    free(options->output);
}

const char *mprof__command_options_patterns(void)
{
    return getenv(PATTERNS);
}
