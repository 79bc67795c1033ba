/* `mprof top`: a recording in progress, or a running process, as a table that updates itself. */
#include "record/command.h"

#include "parse/commands/command.h"
#include "parse/plain_text.h"
#include "process_table.h"
#include "process_watch.h"
#include "record/calls/calls_in_flight.h"
#include "record/calls/ring_folder.h"
#include "record/find_process.h"
#include "record/output/recorded_names.h"
#include "record/terminal/screen.h"
#include "record/terminal/signals.h"
#include "record/terminal/terminal_text.h"
#include "recording_tail.h"
#include "top_json.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INTERVAL_MIN_S 0.05
#define INTERVAL_MAX_S 3600.0
#define COUNT_MAX 1000000000L
/* Limits of a table that is printed into a file or a pipe; on a terminal its width counts. */
#define BATCH_ROWS 100000
#define BATCH_COLUMNS 1000
#define NS_PER_S 1e9
/* How long to wait for the recorder's first answer about calls in flight. */
#define ANSWER_S 0.6
#define ANSWER_TRIES 20

enum { KEY_ONCE = 0x100, KEY_JSON };

typedef struct top_options {
    double interval_s;
    long count; /* updates; 0: until the recording or process ends */
    bool is_json;
    const char *source;
} top_options;

/* What is shown: a file or a process. */
typedef struct source {
    mprof__process_table *table;
    mprof__recording_tail *file;
    mprof__process_watch *watch;
    int folder_fd;                /* rings of the recorder, for calls in flight; -1: unknown */
    mprof__recording_tail *names; /* of a process that is recorded: what the recorder writes */
    mprof__process_table *name_table;
    bool is_over;
} source;

static const struct argp_option option_table[] = {
    {"interval", 'T', "SECONDS", 0, "time between updates (1)", 0},
    {"count", 'n', "N", 0, "end after N updates", 0},
    {"once", KEY_ONCE, NULL, 0, "print the table once: the same as -n 1", 0},
    {"json", KEY_JSON, NULL, 0,
     "print each update as a line of JSON, once without -n: docs/json.md", 0},
    {0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    top_options *options = state->input;
    char *end;

    switch (key) {
    case 'T':
        options->interval_s = strtod(argument, &end);
        if (end == argument || *end != '\0' || !(options->interval_s >= INTERVAL_MIN_S) ||
            options->interval_s > INTERVAL_MAX_S) {
            argp_failure(state, MPROF_EXIT_USAGE, 0,
                         "--interval must be between %g and %g seconds, not '%s'", INTERVAL_MIN_S,
                         INTERVAL_MAX_S, argument);
        }
        return 0;
    case 'n':
        options->count = strtol(argument, &end, 10);
        if (end == argument || *end != '\0' || options->count < 1 || options->count > COUNT_MAX) {
            argp_failure(state, MPROF_EXIT_USAGE, 0,
                         "--count must be a whole number from 1 to %ld, not '%s'", COUNT_MAX,
                         argument);
        }
        return 0;
    case KEY_ONCE:
        options->count = 1;
        return 0;
    case KEY_JSON:
        options->is_json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->source) {
            argp_failure(state, MPROF_EXIT_USAGE, 0,
                         "only one recording or process can be shown: leave out '%s'", argument);
        }
        options->source = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp top_argp = {
    option_table,
    parse_option,
    "[FILE|PID]",
    "Shows a recording in progress, or a running process, with all its processes: memory, peak, "
    "slope, functions in flight. Without an argument: the newest recording of this directory.\v"
    "Ends when the recording or the process ends, or with the key q. If standard output is not a "
    "terminal, the table is printed once, or N times with -n N.",
    NULL,
    NULL,
    NULL,
};

/* ---- reading ---- */

/* multiprocessing's names are in the recording only. Without them the table is as good as for a
 * process that is not recorded. */
static void open_names(source *shown)
{
    char path[64];
    int64_t recorder = mprof__ring_folder_recorder(shown->folder_fd);

    if (recorder > 0 && mprof__recorded_file(recorder, path, sizeof path) &&
        mprof__process_table_new(&shown->name_table, NULL) == MPROF_OK) {
        (void)mprof__recording_tail_open(&shown->names, path, shown->name_table, NULL);
    }
}

static mprof_status open_process(source *shown, const char *text, mprof_error *error)
{
    char **argv = NULL;
    char title[512] = "";
    size_t argc = 0;
    int64_t pid = 0;
    char *matches; /* stays NULL: a pid has no several matches */
    mprof_status status = mprof__find_process(&pid, text, false, &matches, error);

    if (status == MPROF_OK) {
        status = mprof__process_arguments(&argv, &argc, pid, error);
    }
    for (size_t i = 0; i < argc; i++) {
        size_t used = strlen(title);

        mprof__text_format(title + used, sizeof title - used, "%s%s", i ? " " : "", argv[i]);
    }
    free(argv);
    if (status == MPROF_OK) {
        mprof__process_table_set_title(shown->table, title, strlen(title));
        status = mprof__process_watch_open(&shown->watch, pid, shown->table, error);
        shown->folder_fd = mprof__ring_folder_find_of_process(pid);
        if (shown->folder_fd < 0) {
            shown->folder_fd = mprof__ring_folder_find(pid); /* the pid may be a recorder's */
        }
        open_names(shown);
    }
    return status;
}

static mprof_status open_source(source *shown, const char *text, mprof_error *error)
{
    mprof_status status = mprof__process_table_new(&shown->table, error);

    if (status != MPROF_OK) {
        return status;
    }
    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
        return open_process(shown, text, error);
    }
    return mprof__recording_tail_open(&shown->file, text, shown->table, error);
}

static void close_source(source *shown)
{
    if (shown->folder_fd >= 0) {
        close(shown->folder_fd);
    }
    mprof__recording_tail_free(shown->file);
    mprof__recording_tail_free(shown->names);
    mprof__process_table_free(shown->name_table);
    mprof__process_watch_free(shown->watch);
    mprof__process_table_free(shown->table);
}

static void set_calls(void *data, int64_t pid, size_t count, const char *function)
{
    source *shown = data;

    mprof__process_table_set_calls(shown->table, pid, count, function);
}

/* Reads the recorder's answer and requests the next one. False: there was no answer. */
static bool update_calls(source *shown)
{
    mprof__process_table_clear_calls(shown->table);
    bool is_answered = mprof__calls_in_flight_read(shown->folder_fd, set_calls, shown) == 0;
    mprof__calls_in_flight_request(shown->folder_fd, false);
    return is_answered;
}

static mprof_status update(source *shown, mprof_error *error)
{
    mprof_status status = MPROF_OK;

    if (shown->watch) {
        shown->is_over = !mprof__process_watch_update(shown->watch);
        if (shown->names && mprof__recording_tail_read(shown->names, NULL) == MPROF_OK) {
            mprof__process_table_copy_names(shown->table, shown->name_table);
        }
    } else {
        /* first the lock, then the file: so the last lines are read, too */
        int64_t recorder = mprof__recording_tail_recorder(shown->file);

        shown->is_over = recorder == 0;
        if (shown->folder_fd < 0 && recorder > 0) {
            shown->folder_fd = mprof__ring_folder_find(recorder);
        }
        status = mprof__recording_tail_read(shown->file, error);
    }
    if (shown->folder_fd >= 0) {
        (void)update_calls(shown);
    }
    return status;
}

static const char *state_name(const source *shown)
{
    if (shown->watch) {
        return shown->is_over ? "ended" : "running";
    }
    return shown->is_over ? "not recording" : "recording";
}

/* ---- showing ---- */

static void print_line(void *data, const char *text)
{
    (void)data;
    puts(text);
}

static void print_table(const source *shown)
{
    mprof__process_table_view view = {state_name(shown), BATCH_ROWS, BATCH_COLUMNS,
                                      mprof__locale_is_utf8()};
    struct winsize size;

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        view.columns = size.ws_col;
    }

    mprof__process_table_write(shown->table, &view, print_line, NULL);
    mprof__command_flush();
}

static void draw_line(void *data, const char *text)
{
    mprof__screen_line(data, text);
}

static void draw_table(mprof__screen *screen, const source *shown)
{
    mprof__process_table_view view = {.state = state_name(shown), .utf8 = mprof__locale_is_utf8()};

    mprof__screen_begin(screen);
    view.rows = screen->rows - 1;
    view.columns = screen->columns;
    mprof__process_table_write(shown->table, &view, draw_line, screen);
    mprof__screen_end(screen);
}

typedef struct session {
    const top_options *options;
    mprof__signals signals;
    mprof__screen screen;
    bool has_screen; /* else the table is printed */
    bool quits;
    int signal; /* to die of; 0: none */
} session;

static void handle_signal(session *run, int number)
{
    if (number == SIGTSTP && run->has_screen) {
        mprof__screen_close(&run->screen);
        mprof__signal_stop(number);
        mprof__screen_open(&run->screen, STDOUT_FILENO, STDIN_FILENO);
    } else if (mprof__signal_ends(number)) {
        run->signal = number;
        run->quits = true;
    }
}

/* Waits, but returns early after a signal or a key. */
static void wait_for_input(session *run, double seconds)
{
    struct pollfd polls[2] = {{run->signals.fd, POLLIN, 0},
                              {run->has_screen ? run->screen.key_fd : -1, POLLIN, 0}};
    struct signalfd_siginfo info;
    struct timespec left;
    char key;

    left.tv_sec = (time_t)seconds;
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * NS_PER_S);
    if (ppoll(polls, 2, &left, NULL) <= 0) {
        return;
    }
    while (mprof__signals_next(&run->signals, &info)) {
        handle_signal(run, (int)info.ssi_signo);
    }
    while (polls[1].revents && (key = mprof__screen_key(&run->screen)) != 0) {
        run->quits |= key == 'q' || key == 'Q';
    }
    if (polls[1].revents & (POLLHUP | POLLERR)) {
        run->screen.key_fd = -1;
    }
}

/* Waits for the recorder's first answer about calls in flight, for a limited time. */
static void wait_for_answer(session *run, source *shown)
{
    mprof__calls_in_flight_request(shown->folder_fd, true);
    for (int i = 0; i < ANSWER_TRIES && !run->quits; i++) {
        wait_for_input(run, ANSWER_S / ANSWER_TRIES);
        if (update_calls(shown)) {
            return;
        }
    }
}

/* Tables in a pipe are separated by empty lines. */
static void print_next_table(const source *shown, long updates)
{
    if (updates > 1) {
        putchar('\n');
    }
    print_table(shown);
}

static mprof_status watch(session *run, source *shown, mprof_error *error)
{
    mprof_status status = update(shown, error);

    if (status == MPROF_OK && shown->folder_fd >= 0) {
        wait_for_answer(run, shown);
        status = update(shown, error);
    }
    for (long updates = 1; status == MPROF_OK && !run->quits; updates++) {
        if (run->has_screen) {
            draw_table(&run->screen, shown);
        } else if (run->options->is_json) {
            status = mprof__top_json_write(stdout, shown->table, state_name(shown), error);
            mprof__command_flush();
        } else {
            print_next_table(shown, updates);
        }
        if (shown->is_over || updates == run->options->count) {
            break;
        }
        wait_for_input(run, run->options->interval_s);
        if (!run->quits) {
            status = update(shown, error);
        }
    }
    return status;
}

static int top(const top_options *options, const char *text)
{
    session run = {.options = options, .signals = {.fd = -1}};
    mprof_error error = MPROF_ERROR_INIT;
    source shown = {.folder_fd = -1};
    mprof_status status = open_source(&shown, text, &error);

    run.has_screen = isatty(STDOUT_FILENO) && options->count != 1 && !options->is_json;
    if (status == MPROF_OK) {
        status = mprof__signals_open(&run.signals, true, &error);
    }
    if (status == MPROF_OK) {
        if (run.has_screen) {
            mprof__screen_open(&run.screen, STDOUT_FILENO, STDIN_FILENO);
        }
        status = watch(&run, &shown, &error);
        if (run.has_screen) {
            mprof__screen_close(&run.screen);
        }
        if (run.has_screen && status == MPROF_OK && shown.is_over) {
            print_table(&shown); /* the last state stays on the terminal */
        }
    }
    close_source(&shown);
    if (run.signal != 0) {
        mprof__signal_die(run.signal);
    }
    mprof__signals_close(&run.signals);
    return status == MPROF_OK ? mprof__command_finish() : mprof__command_fail(&error);
}

int mprof_top_command(int argc, char **argv)
{
    top_options options = {.interval_s = 1};
    char **paths = NULL;
    size_t path_count = 0;
    int result = MPROF_EXIT_OK;

    mprof__command_parse(&top_argp, argc, argv, 0, &options);
    if (!options.source) {
        result = mprof__command_inputs(&paths, &path_count, NULL, 0);
        options.source = path_count > 0 ? paths[0] : NULL;
    }
    if ((!isatty(STDOUT_FILENO) || options.is_json) && options.count == 0) {
        options.count = 1;
    }
    if (result == MPROF_EXIT_OK && options.source) {
        result = top(&options, options.source);
    }
    mprof__command_inputs_free(paths, path_count);
    return result;
}
