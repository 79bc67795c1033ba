/* `mprof top`: a recording in progress, or a process that runs, as a table that is kept up to date.
 */
#include "record/command.h"

#include "parse/commands/command.h"
#include "parse/plain_text.h"
#include "process_table.h"
#include "process_watch.h"
#include "record/calls/calls_in_flight.h"
#include "record/calls/ring_folder.h"
#include "record/find_process.h"
#include "record/terminal/screen.h"
#include "record/terminal/signals.h"
#include "record/terminal/terminal_text.h"
#include "recording_tail.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_MIN_S 0.05
#define INTERVAL_MAX_S 3600.0
#define COUNT_MAX 1000000000L
/* A table that goes into a file or a pipe: nobody's screen ends there. */
#define BATCH_ROWS 100000
#define BATCH_COLUMNS 1000
#define NS_PER_S 1e9
/* A recorder that is asked for calls in flight has answered by then, if its interval is short. */
#define ANSWER_S 0.6
#define ANSWER_TRIES 20

enum { KEY_ONCE = 0x100 };

typedef struct top_options {
    double interval_s;
    long count; /* 0: until it ends */
    const char *what;
} top_options;

/* What is looked at: a file or a process. */
typedef struct subject {
    mprof__process_table *board;
    mprof__recording_tail *file;
    mprof__process_watch *watch;
    int folder_fd; /* of the recorder, who is asked for calls in flight; -1: none known */
    int is_over;
} subject;

static const struct argp_option option_table[] = {
    {"interval", 'T', "SECONDS", 0, "time between two looks (1)", 0},
    {"count", 'n', "N", 0, "end after N looks", 0},
    {"once", KEY_ONCE, NULL, 0, "look once: the same as -n 1", 0},
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
                         "--interval: '%s' is no number of seconds between %g and %g", argument,
                         INTERVAL_MIN_S, INTERVAL_MAX_S);
        }
        return 0;
    case 'n':
        options->count = strtol(argument, &end, 10);
        if (end == argument || *end != '\0' || options->count < 1 || options->count > COUNT_MAX) {
            argp_failure(state, MPROF_EXIT_USAGE, 0, "--count: '%s' is no number above 0",
                         argument);
        }
        return 0;
    case KEY_ONCE:
        options->count = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (options->what) {
            argp_failure(state, MPROF_EXIT_USAGE, 0, "one at a time: '%s' is one too many",
                         argument);
        }
        options->what = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp top_argp = {
    option_table,
    parse_option,
    "[FILE|PID]",
    "Shows a recording while it is made, or a process that runs, with all its processes: memory, "
    "peak, slope, functions in flight. Without an argument: the newest recording of this "
    "directory.\v"
    "Ends when the recording does, or with the key q. Where standard output is no terminal, the "
    "table is printed once, or as often as -n says.",
    NULL,
    NULL,
    NULL,
};

/* --- what is looked at --- */

static mprof_status open_process(subject *what, const char *text, mprof_error *error)
{
    char **argv = NULL;
    char title[512] = "";
    size_t argc = 0;
    int64_t pid = 0;
    char *matches; /* a number is one process, or none */
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
        mprof__process_table_set_title(what->board, title, strlen(title));
        status = mprof__process_watch_open(&what->watch, pid, what->board, error);
        what->folder_fd = mprof__ring_folder_find_of_process(pid);
        if (what->folder_fd < 0) {
            what->folder_fd = mprof__ring_folder_find(pid); /* a recorder itself */
        }
    }
    return status;
}

static mprof_status open_subject(subject *what, const char *text, mprof_error *error)
{
    mprof_status status = mprof__process_table_new(&what->board, error);

    if (status != MPROF_OK) {
        return status;
    }
    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
        return open_process(what, text, error);
    }
    return mprof__recording_tail_open(&what->file, text, what->board, error);
}

static void close_subject(subject *what)
{
    if (what->folder_fd >= 0) {
        close(what->folder_fd);
    }
    mprof__recording_tail_free(what->file);
    mprof__process_watch_free(what->watch);
    mprof__process_table_free(what->board);
}

static void take_calls(void *data, int64_t pid, size_t count, const char *function)
{
    subject *what = data;

    mprof__process_table_calls(what->board, pid, count, function);
}

/* Takes what the recorder has answered, and asks for the next time. 0 if there was no answer. */
static int look_at_calls(subject *what)
{
    int is_answered;

    mprof__process_table_clear_calls(what->board);
    is_answered = mprof__calls_in_flight_read(what->folder_fd, take_calls, what) == 0;
    mprof__calls_in_flight_request(what->folder_fd, 0);
    return is_answered;
}

static mprof_status look(subject *what, mprof_error *error)
{
    mprof_status status = MPROF_OK;

    if (what->watch) {
        what->is_over = !mprof__process_watch_look(what->watch);
    } else {
        /* before: what it wrote last is read */
        int64_t recorder = mprof__recording_tail_recorder(what->file);

        what->is_over = recorder == 0;
        if (what->folder_fd < 0 && recorder > 0) {
            what->folder_fd = mprof__ring_folder_find(recorder);
        }
        status = mprof__recording_tail_read(what->file, error);
    }
    if (what->folder_fd >= 0) {
        (void)look_at_calls(what);
    }
    return status;
}

static const char *state_of(const subject *what)
{
    if (what->watch) {
        return what->is_over ? "ended" : "running";
    }
    return what->is_over ? "not recording" : "recording";
}

/* --- showing it --- */

static void print_line(void *data, const char *text)
{
    (void)data;
    puts(text);
}

static void print_table(const subject *what)
{
    mprof__process_table_tell(what->board, state_of(what), BATCH_ROWS, BATCH_COLUMNS,
                              mprof__terminal_text_is_utf8(), print_line, NULL);
    fflush(stdout);
}

static void draw_line(void *data, const char *text)
{
    mprof__screen_line(data, text);
}

static void draw_table(mprof__screen *screen, const subject *what)
{
    mprof__screen_begin(screen);
    mprof__process_table_tell(what->board, state_of(what), screen->rows - 1, screen->columns,
                              mprof__terminal_text_is_utf8(), draw_line, screen);
    mprof__screen_end(screen);
}

/* What a user may do meanwhile. */
typedef struct session {
    const top_options *options;
    mprof__signals signals;
    mprof__screen screen;
    int has_screen;
    int quits;
    int signal; /* to die of, or 0 */
} session;

static void take_signal(session *run, int number)
{
    if (number == SIGTSTP && run->has_screen) {
        mprof__screen_close(&run->screen);
        mprof__signal_stop(number);
        mprof__screen_open(&run->screen, STDOUT_FILENO, STDIN_FILENO);
    } else if (mprof__signal_ends(number)) {
        run->signal = number;
        run->quits = 1;
    }
}

/* Until it is time for the next look, or something is to be done at once. */
static void wait_for_next(session *run, double seconds)
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
        take_signal(run, (int)info.ssi_signo);
    }
    while (polls[1].revents && (key = mprof__screen_key(&run->screen)) != 0) {
        run->quits |= key == 'q' || key == 'Q';
    }
    if (polls[1].revents & (POLLHUP | POLLERR)) {
        run->screen.key_fd = -1;
    }
}

/* The first answer of the recorder takes its time, but not for ever. */
static void wait_for_answer(session *run, subject *what)
{
    mprof__calls_in_flight_request(what->folder_fd, 1);
    for (int i = 0; i < ANSWER_TRIES && !run->quits; i++) {
        wait_for_next(run, ANSWER_S / ANSWER_TRIES);
        if (look_at_calls(what)) {
            return;
        }
    }
}

static mprof_status watch(session *run, subject *what, mprof_error *error)
{
    mprof_status status = look(what, error);

    if (status == MPROF_OK && what->folder_fd >= 0) {
        wait_for_answer(run, what);
        status = look(what, error);
    }
    for (long looks = 1; status == MPROF_OK && !run->quits; looks++) {
        if (run->has_screen) {
            draw_table(&run->screen, what);
        } else if (looks > 1) {
            putchar('\n');
        }
        if (!run->has_screen) {
            print_table(what);
        }
        if (what->is_over || looks == run->options->count) {
            break;
        }
        wait_for_next(run, run->options->interval_s);
        if (!run->quits) {
            status = look(what, error);
        }
    }
    return status;
}

static int top(const top_options *options, const char *text)
{
    session run = {.options = options, .signals = {.fd = -1}};
    mprof_error error = MPROF_ERROR_INIT;
    subject what = {.folder_fd = -1};
    mprof_status status = open_subject(&what, text, &error);

    run.has_screen = isatty(STDOUT_FILENO) && options->count != 1;
    if (status == MPROF_OK) {
        status = mprof__signals_open(&run.signals, 1, &error);
    }
    if (status == MPROF_OK) {
        if (run.has_screen) {
            mprof__screen_open(&run.screen, STDOUT_FILENO, STDIN_FILENO);
        }
        status = watch(&run, &what, &error);
        if (run.has_screen) {
            mprof__screen_close(&run.screen);
        }
        if (run.has_screen && status == MPROF_OK && what.is_over) {
            print_table(&what); /* how it ended stays to be seen */
        }
    }
    close_subject(&what);
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
    if (!options.what) {
        result = mprof__command_inputs(&paths, &path_count, NULL, 0);
        options.what = path_count > 0 ? paths[0] : NULL;
    }
    if (!isatty(STDOUT_FILENO) && options.count == 0) {
        options.count = 1;
    }
    if (result == MPROF_EXIT_OK && options.what) {
        result = top(&options, options.what);
    }
    mprof__command_inputs_free(paths, path_count);
    return result;
}
