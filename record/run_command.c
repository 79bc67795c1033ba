/* `mprof run` and `mprof attach`: their options, their words, their exit codes. */
#include "record/command.h"

#include "parse/command.h"
#include "record/attach.h"
#include "record/inject.h"
#include "record/kinds.h"
#include "record/launch.h"
#include "record/output_file.h"
#include "record/program.h"
#include "record/recording.h"
#include "record/redact.h"
#include "record/signals.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Limits of what a time option may say, in seconds. */
#define INTERVAL_MIN_S 1e-5
#define INTERVAL_MAX_S 1e6
#define TIMEOUT_MAX_S 1e9

#define PATTERNS "MPROF_FUNC" /* agent/agent.c */
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

typedef struct run_options {
    double interval_s;
    double delay_s;
    double timeout_s; /* 0: none */
    mprof__threshold threshold;
    mprof__program_mode mode;
    const char *output; /* NULL: a name made of the time */
    const char *backend;
    mprof__metric metric;
    int include_children;
    int multiprocess;
    int exit_code;
    int peak_interval;
    int redact;
    int follow;
    unsigned kinds;
    int group;
    int attach;
    int functions; /* some are wanted by a pattern */
    int newest;
    int live;
    size_t argc;
    char **argv;
} run_options;

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
     "record of every process, beside what is sampled: rss, pss, uss, swap, anon, file, shmem; and "
     "the memory of the program's control group: group",
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

static void parse_kinds(struct argp_state *state, run_options *options, const char *list)
{
    const char *wrong;

    if (mprof__kinds_parse(&options->kinds, &options->group, &wrong, list) != 0) {
        argp_failure(state, MPROF_EXIT_USAGE, 0,
                     "--memory: '%.*s' is none of rss, pss, uss, swap, anon, file, shmem, group",
                     (int)strcspn(wrong, ","), wrong);
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    run_options *options = state->input;

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

/* --- words --- */

/* In one write: the program may be writing to the same terminal. */
static void note(const char *what, const char *text)
{
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size), *out = stream ? stream : stderr;

    fflush(stdout);
    fprintf(out, "mprof: %s ", what);
    mprof__print_plain(out, text);
    fputc('\n', out);
    if (stream && fclose(stream) == 0) {
        fwrite(line, 1, size, stderr);
    }
    free(line);
}

static void print_notice(void *data, const mprof_error *error)
{
    const mprof__output_file *file = data;
    mprof_error copy = *error;

    if (copy.system_errno != 0) {
        mprof_error_at(&copy, file->path, 0);
    }
    mprof__command_fail(&copy);
}

static void unlock_file(void *data)
{
    mprof__output_file_unlock(data);
}

/* A number of seconds as upstream prints it: with a decimal point always. */
static void print_interval(double interval_s)
{
    char text[40];

    snprintf(text, sizeof text, "%.15g", interval_s);
    printf("mprof: Sampling memory every %s%ss\n", text, strpbrk(text, ".e") ? "" : ".0");
}

/* --- the two commands --- */

/* What is made before the program starts, and unmade if it cannot. */
typedef struct session {
    const run_options *options;
    mprof__program program;
    mprof__output_file file;
    mprof__signals signals;
    mprof__ring_folder *folder;
    mprof_writer *writer;
    mprof__live *live; /* NULL: nothing is shown */
    mprof__recording *recording;
    char **environment; /* NULL: our own */
} session;

static void plan_recording(const session *run, mprof__recording_plan *plan)
{
    const run_options *options = run->options;

    memset(plan, 0, sizeof *plan);
    plan->interval_ns = (int64_t)(options->interval_s * 1e9 + 0.5);
    plan->timeout_ns = (int64_t)(options->timeout_s * 1e9 + 0.5);
    plan->delay_ns = (int64_t)(options->delay_s * 1e9 + 0.5);
    plan->threshold = options->threshold;
    plan->metric = options->metric;
    plan->backend = options->backend;
    plan->include_children =
        options->include_children || (options->follow && !options->multiprocess);
    plan->follow = options->follow;
    plan->kinds = options->kinds;
    plan->group = options->group;
    plan->multiprocess = options->multiprocess;
    plan->peak_interval = options->peak_interval;
    plan->redact = options->redact;
    plan->is_child = !options->attach;
}

/* What is shown is a convenience: where it cannot be, the recording is made all the same. */
static void open_live(session *run)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (run->options->live && mprof__live_open(&run->live, STDERR_FILENO, &error) != MPROF_OK) {
        note("nothing is shown:", error.message);
    }
}

/* Opens everything that can fail before anything has been started. argv: what the recording is to
 * say that was executed. */
static mprof_status prepare(session *run, size_t argc, char *const argv[], mprof_error *error)
{
    mprof__recording_plan plan;
    char **redacted = NULL;
    mprof_status status = MPROF_OK;

    if (run->options->redact) {
        status = mprof__redact_arguments(&redacted, argc, argv, error);
        argv = redacted;
    }
    if (status == MPROF_OK) {
        status = mprof__output_file_open(&run->file, run->options->output, error);
    }
    if (status != MPROF_OK) {
        free(redacted);
        return status;
    }
    open_live(run);
    plan_recording(run, &plan);
    status =
        mprof_writer_open(&run->writer, run->file.fd, run->file.path ? run->file.path : "", error);
    if (status == MPROF_OK) {
        status = mprof__signals_open(&run->signals, run->live != NULL, error);
    }
    if (status == MPROF_OK) {
        plan.signals = &run->signals;
        plan.folder = run->folder;
        plan.writer = run->writer;
        plan.live = run->live;
        plan.notice = print_notice;
        plan.finished = unlock_file;
        plan.notice_data = &run->file;
        status = mprof__recording_open(&run->recording, &plan, argc, argv, error);
    }
    if (status == MPROF_OK) {
        status = mprof__output_file_publish(&run->file, error);
    }
    free(redacted);
    if (status == MPROF_OK && run->file.kept) {
        note("the older file is kept as", run->file.kept);
    }
    return status;
}

static void release(session *run)
{
    mprof__live_free(run->live);
    mprof__recording_free(run->recording);
    mprof_writer_free(run->writer);
    mprof__ring_folder_free(run->folder);
    free(run->environment);
    mprof__program_free(&run->program);
}

/* LD_PRELOAD has no way to write a space or a colon: a preload that lies behind one is reached
 * through the folder of rings. What outlives the recorder is told by the loader that it is gone.
 * 0, or -1. */
static int shorten_preload(mprof__ring_folder *folder, char *preload, size_t size)
{
    char *slash = strrchr(preload, '/');
    char name[64];
    int length;

    if (!strpbrk(preload, " :")) {
        return 0;
    }
    snprintf(name, sizeof name, "%s", slash + 1);
    *slash = '\0';
    if (mprof__ring_folder_link(folder, preload) != 0) {
        return -1;
    }
    length = snprintf(preload, size, "%s/" MPROF__RING_FOLDER_LINK "/%s",
                      mprof__ring_folder_path(folder), name);
    return length > 0 && (size_t)length < size && !strpbrk(preload, " :") ? 0 : -1;
}

/* The agent is a convenience: without it the program is recorded all the same, without functions.
 */
static void prepare_agent(session *run)
{
    mprof_error error = MPROF_ERROR_INIT;
    char preload[4096];
    const char *reason = run->program.agent_refusal;

    if (run->options->mode == MPROF__PROGRAM_NOPYTHON) {
        return;
    }
    if (mprof__installed_file("libmprof-preload.so", preload, sizeof preload) != 0) {
        reason = "the agent (libmprof-preload.so) is not installed";
    } else if (mprof__ring_folder_open(&run->folder, &error) != MPROF_OK) {
        reason = error.message;
    } else if (shorten_preload(run->folder, preload, sizeof preload) != 0) {
        reason = "the agent lies in a directory with a space or colon in its name";
    } else {
        run->environment =
            mprof__launch_environment(environ, preload, mprof__ring_folder_path(run->folder));
        if (!run->environment) {
            reason = "out of memory";
        }
    }
    if (reason && run->program.python) {
        note("functions are not recorded:", reason);
    }
}

static int exit_code_of(const run_options *options, const mprof__recording_outcome *outcome)
{
    if (options->exit_code && outcome->ended && !options->attach) {
        return WIFSIGNALED(outcome->wait_status) ? 128 + WTERMSIG(outcome->wait_status)
                                                 : WEXITSTATUS(outcome->wait_status);
    }
    if (outcome->failed) {
        return MPROF_EXIT_FAILED;
    }
    return outcome->is_cut ? MPROF_EXIT_LIMIT : MPROF_EXIT_OK;
}

/* With -E the program's own end is what is told; a signal only if it died of it, too. */
static int is_to_die(const run_options *options, const mprof__recording_outcome *outcome)
{
    return outcome->signal != 0 && (!options->exit_code || options->attach ||
                                    (WIFSIGNALED(outcome->wait_status) &&
                                     WTERMSIG(outcome->wait_status) == outcome->signal));
}

/* Records process `pid` and returns mprof's exit code. */
static int record(session *run, int64_t pid)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__recording_outcome outcome;
    int exit_code;

    if (mprof__recording_run(run->recording, pid, &outcome, &error) != MPROF_OK) {
        mprof__command_fail(&error);
        outcome.failed = 1;
    }
    if (mprof__output_file_close(&run->file, &error) != MPROF_OK && !outcome.failed) {
        mprof__command_fail(&error);
        outcome.failed = 1;
    }
    if (outcome.is_empty && !outcome.failed) {
        note("no samples:", "all was over before the delay was");
    }
    exit_code = exit_code_of(run->options, &outcome);
    release(run);
    if (is_to_die(run->options, &outcome)) {
        fflush(NULL);
        mprof__signal_die(outcome.signal);
    }
    mprof__signals_close(&run->signals);
    return exit_code;
}

/* Takes everything back: nothing has been started. */
static int abandon(session *run, mprof_error *error, int exit_code)
{
    if (run->options->output) {
        mprof_error_at(error, run->options->output, 0);
    }
    mprof__command_fail(error);
    mprof__output_file_discard(&run->file);
    mprof__signals_close(&run->signals);
    release(run);
    return exit_code;
}

static int run_program(const run_options *options)
{
    mprof_error error = MPROF_ERROR_INIT;
    session run = {.options = options, .file = MPROF__OUTPUT_FILE_INIT, .signals = {.fd = -1}};
    mprof_status status;
    pid_t pid = 0;

    if (mprof__program_init(&run.program, options->argc, options->argv, options->mode,
                            getenv("PATH"), &error) != MPROF_OK) {
        return abandon(&run, &error, MPROF_EXIT_FAILED);
    }
    prepare_agent(&run);
    if (prepare(&run, run.program.argc, run.program.argv, &error) != MPROF_OK) {
        return abandon(&run, &error, MPROF_EXIT_USAGE);
    }
    print_interval(options->interval_s);
    puts("running new process");
    if (run.program.python) {
        puts("running as a Python program...");
    }
    fflush(stdout);
    status = mprof__launch(&pid, run.program.argv, run.environment ? run.environment : environ,
                           &run.signals.before, &run.signals.to_default, &error);
    if (status != MPROF_OK) {
        return abandon(&run, &error,
                       status == MPROF_ENOTFOUND ? MPROF_EXIT_NOT_FOUND
                                                 : MPROF_EXIT_NOT_EXECUTABLE);
    }
    return record(&run, pid);
}

/* Whether the process may be looked at in the way that is asked for. */
static mprof_status check_access(const run_options *options, int64_t pid, mprof_error *error)
{
    mprof__probe_result result;
    mprof__probe probe;
    int64_t bytes;

    mprof__probe_open(&probe, pid);
    result = mprof__probe_read(&probe, options->metric, &bytes);
    mprof__probe_close(&probe);
    return result == MPROF__PROBE_DENIED
               ? mprof_error_set(
                     error, MPROF_EARGUMENT,
                     "memory of process %lld may not be read (%s): it is another user's",
                     (long long)pid, options->backend)
               : MPROF_OK;
}

/* What the agent says of itself is kept short: it comes from inside of the process. */
static void tell_functions(int is_in, const char *words)
{
    char *end;
    unsigned long count = strtoul(words + strcspn(words, " "), &end, 10);

    if (!is_in) {
        puts("functions are recorded as soon as the program's main thread runs Python again");
    } else {
        printf("functions are recorded: %lu found%s\n", *end == '\0' ? count : 0,
               count == 0 ? " so far" : "");
    }
    fflush(stdout);
}

/* Without it the process is recorded all the same, without functions. */
static void enter_process(session *run, int64_t pid)
{
    mprof_error error = MPROF_ERROR_INIT;
    const char *patterns = getenv(PATTERNS);
    char words[256];
    int is_in;

    if (!run->folder) {
        return;
    }
    if (mprof__inject(&is_in, words, sizeof words, pid, run->folder, patterns, &error) ==
        MPROF_OK) {
        tell_functions(is_in, words);
    } else {
        note("functions are not recorded:", error.message);
    }
}

/* The patterns are asked for by options only: the environment is that of children. */
static void prepare_entry(session *run)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (run->options->functions && mprof__ring_folder_open(&run->folder, &error) != MPROF_OK) {
        note("functions are not recorded:", error.message);
    }
}

/* A failure is told here: with all processes that may have been meant. */
static mprof_status find_process(const run_options *options, int64_t *pid, mprof_error *error)
{
    char *matches;
    mprof_status status =
        mprof__attach_find(pid, options->argv[0], options->newest, &matches, error);

    if (status != MPROF_OK && matches) {
        snprintf(error->message + strlen(error->message),
                 sizeof error->message - strlen(error->message), ":");
        note(error->message, matches);
    } else if (status != MPROF_OK) {
        mprof__command_fail(error);
    }
    free(matches);
    return status;
}

static int attach_to_process(const run_options *options)
{
    mprof_error error = MPROF_ERROR_INIT;
    session run = {.options = options, .file = MPROF__OUTPUT_FILE_INIT, .signals = {.fd = -1}};
    char **argv = NULL;
    size_t argc = 0;
    int64_t pid = 0;
    mprof_status status;

    if (find_process(options, &pid, &error) != MPROF_OK) {
        return MPROF_EXIT_FAILED;
    }
    if (check_access(options, pid, &error) != MPROF_OK ||
        mprof__attach_arguments(&argv, &argc, pid, &error) != MPROF_OK) {
        return mprof__command_fail(&error);
    }
    prepare_entry(&run);
    status = prepare(&run, argc, argv, &error);
    free(argv);
    if (status != MPROF_OK) {
        return abandon(&run, &error, MPROF_EXIT_USAGE);
    }
    print_interval(options->interval_s);
    printf("attaching to existing process, using hint: ");
    mprof__print_plain(stdout, options->argv[0]);
    putchar('\n');
    fflush(stdout);
    enter_process(&run, pid);
    return record(&run, pid);
}

static int main_of(int argc, char **argv, int attach)
{
    run_options options = {
        .interval_s = 0.1, .backend = "psutil", .metric = MPROF__METRIC_RSS, .attach = attach};

    mprof__command_parse(attach ? &attach_argp : &run_argp, argc, argv, ARGP_IN_ORDER, &options);
    return options.attach ? attach_to_process(&options) : run_program(&options);
}

int mprof_run_command(int argc, char **argv)
{
    return main_of(argc, argv, 0);
}

int mprof_attach_command(int argc, char **argv)
{
    return main_of(argc, argv, 1);
}
