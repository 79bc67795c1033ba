/* The file is published last: if anything fails before, no file is left. */
#include "command_recorder.h"

#include "parse/commands/command.h"
#include "parse/redact.h"
#include "record/launch/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- messages ---- */

/* In one write: the program may be writing to the same terminal. */
void mprof__command_note(const char *what, const char *text)
{
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size), *out = stream ? stream : stderr;

    fflush(stdout);
    fputs("mprof: ", out);
    mprof__print_plain(out, what);
    fputc(' ', out);
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

/* A script may compare what the program writes to standard error, so this is for terminals only,
 * and not for a job in the background. */
static void print_result(const mprof__command_recorder *recorder, const char *path,
                         const mprof__recorder_outcome *outcome)
{
    char *line = NULL;
    size_t size = 0;
    bool is_default = !recorder->options->output;

    if (recorder->options->quiet || !path || outcome->failed || outcome->sample_count == 0 ||
        !isatty(STDERR_FILENO) || tcgetpgrp(STDERR_FILENO) != getpgrp()) {
        return;
    }
    FILE *stream = open_memstream(&line, &size);
    if (stream) {
        fprintf(stream, "peak %.1f MiB in %.*f s, %llu sample%s",
                (double)outcome->peak_bytes / (1024.0 * 1024.0),
                (double)outcome->lasted_ns < 10e9 ? 2 : 0, (double)outcome->lasted_ns / 1e9,
                (unsigned long long)outcome->sample_count, outcome->sample_count == 1 ? "" : "s");
        if (outcome->child_bytes > 0) {
            fprintf(stream, ", up to %.1f MiB in a child or between samples (-C adds children)",
                    (double)outcome->child_bytes / (1024.0 * 1024.0));
        }
        fprintf(stream, "; draw it: mprof plot%s%s", is_default ? "" : " ", is_default ? "" : path);
        if (fclose(stream) == 0) {
            char *name = NULL;
            if (asprintf(&name, "%s:", path) > 0) {
                mprof__command_note(name, line);
                free(name);
            }
        }
    }
    free(line);
}

static void unlock_file(void *data)
{
    mprof__output_file_unlock(data);
}

/* As upstream prints it: always with a decimal point. */
static void print_interval(double interval_s)
{
    char text[40];

    snprintf(text, sizeof text, "%.15g", interval_s);
    printf("mprof: Sampling memory every %s%ss\n", text, strpbrk(text, ".e") ? "" : ".0");
}

/* ---- opening ---- */

void mprof__command_recorder_init(mprof__command_recorder *recorder,
                                  const mprof__command_options *options)
{
    const mprof__output_file closed = MPROF__OUTPUT_FILE_INIT;

    memset(recorder, 0, sizeof *recorder);
    recorder->options = options;
    recorder->file = closed;
    recorder->signals.fd = -1;
}

static void plan_recording(const mprof__command_recorder *recorder, mprof__recorder_plan *plan)
{
    const mprof__command_options *options = recorder->options;

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
    plan->stacks.chosen = options->stacks;
    plan->stacks.interval_ns = options->stacks_interval_s > 0
                                   ? (int64_t)(options->stacks_interval_s * 1e9 + 0.5)
                                   : plan->interval_ns;
    plan->stacks.without_events = options->without_stacks_events;
    plan->redact = options->redact;
    plan->is_child = !options->attach;
    plan->stacks.from_start = plan->is_child && plan->delay_ns == 0;
}

/* Without a terminal the recording is made all the same. */
static void open_live(mprof__command_recorder *recorder)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (recorder->options->live &&
        mprof__live_line_open(&recorder->live, STDERR_FILENO, &error) != MPROF_OK) {
        mprof__command_note("--live shows nothing:", error.message);
    }
}

static void note_other_name(const mprof__output_file *file)
{
    char *text = NULL;

    if (asprintf(&text, "into %s, since %s is %s", file->path, file->wanted,
                 file->wanted_is_finished ? "a recording of another rank"
                                          : "being recorded by another process") >= 0) {
        mprof__command_note("recording", text);
        free(text);
    }
}

mprof_status mprof__command_recorder_open(mprof__command_recorder *recorder, size_t argc,
                                          char *const argv[], mprof_error *error)
{
    mprof__recorder_plan plan;
    char **redacted = NULL;
    mprof_status status = MPROF_OK;

    if (recorder->options->redact) {
        status = mprof__redact_arguments(&redacted, argc, argv, error);
        argv = redacted;
    }
    if (status == MPROF_OK) {
        recorder->file.rank = mprof__launcher_rank();
        status = mprof__output_file_open(&recorder->file, recorder->options->output, error);
    }
    if (status != MPROF_OK) {
        free(redacted);
        return status;
    }
    open_live(recorder);
    plan_recording(recorder, &plan);
    status = mprof_writer_open(&recorder->writer, recorder->file.fd,
                               recorder->file.path ? recorder->file.path : "", error);
    if (status == MPROF_OK && recorder->options->output) {
        status = mprof_writer_compress(recorder->writer,
                                       mprof_compression_of_name(recorder->options->output),
                                       recorder->options->interval_s, error);
    }
    if (status == MPROF_OK) {
        status = mprof__signals_open(&recorder->signals, recorder->live != NULL, error);
    }
    if (status == MPROF_OK && recorder->options->textfile) {
        status = mprof__textfile_open(&recorder->textfile, recorder->options->textfile, error);
    }
    if (status == MPROF_OK) {
        plan.signals = &recorder->signals;
        plan.folder = recorder->folder;
        plan.agent_missing = recorder->agent_missing[0] ? recorder->agent_missing : NULL;
        plan.no_agent = recorder->no_agent;
        plan.writer = recorder->writer;
        plan.live = recorder->live;
        plan.textfile = recorder->textfile;
        plan.notice = print_notice;
        plan.finished = unlock_file;
        plan.notice_data = &recorder->file;
        status = mprof__recorder_open(&recorder->recording, &plan, argc, argv, error);
    }
    if (status == MPROF_OK) {
        status = mprof__output_file_publish(&recorder->file, error);
    }
    if (status == MPROF_OK && recorder->textfile) {
        status = mprof__textfile_set_recording(recorder->textfile, recorder->file.path, error);
    }
    free(redacted);
    if (status != MPROF_OK) {
        return status;
    }
    if (recorder->file.wanted) {
        note_other_name(&recorder->file);
    }
    if (recorder->file.kept) {
        mprof__command_note("the older file is kept as", recorder->file.kept);
    }
    if (!recorder->options->quiet) {
        print_interval(recorder->options->interval_s);
    }
    return MPROF_OK;
}

static void release(mprof__command_recorder *recorder)
{
    mprof__textfile_free(recorder->textfile);
    mprof__live_line_free(recorder->live);
    mprof__recorder_free(recorder->recording);
    mprof_writer_free(recorder->writer);
    mprof__ring_folder_free(recorder->folder);
}

/* ---- recording and exit code ---- */

static int exit_code_of(const mprof__command_options *options,
                        const mprof__recorder_outcome *outcome)
{
    if (options->exit_code && outcome->ended && !options->attach) {
        return WIFSIGNALED(outcome->wait_status) ? 128 + WTERMSIG(outcome->wait_status)
                                                 : WEXITSTATUS(outcome->wait_status);
    }
    if (outcome->failed || outcome->is_unread) {
        return MPROF_EXIT_FAILED;
    }
    return outcome->is_cut ? MPROF_EXIT_LIMIT : MPROF_EXIT_OK;
}

/* Whether mprof dies of the signal that ended the recording. With -E only if the program did, too:
 * then mprof ends as the program has. */
static bool dies_of_signal(const mprof__command_options *options,
                           const mprof__recorder_outcome *outcome)
{
    return outcome->signal != 0 && (!options->exit_code || options->attach ||
                                    (WIFSIGNALED(outcome->wait_status) &&
                                     WTERMSIG(outcome->wait_status) == outcome->signal));
}

/* A pattern that matched nothing is usually mistyped. */
static void report_unmatched(const mprof__command_options *options,
                             const mprof__recorder_outcome *outcome)
{
    const char *patterns = options->functions ? getenv("MPROF_FUNC") : NULL;
    char text[200];

    if (!patterns || options->quiet || !outcome->lacks_calls || outcome->sample_count == 0) {
        return;
    }
    snprintf(text, sizeof text,
             "%.*s matched no function that was called; patterns are module:name",
             (int)strcspn(patterns, "\n"), patterns);
    mprof__command_note("--func:", text);
}

int mprof__command_recorder_run(mprof__command_recorder *recorder, int64_t pid)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__recorder_outcome outcome = {.ended = false};

    if (mprof__recorder_run(recorder->recording, pid, &outcome, &error) != MPROF_OK) {
        mprof__command_fail(&error);
        outcome.failed = true;
    }
    char *path = recorder->file.path ? strdup(recorder->file.path) : NULL;
    if (mprof__output_file_close(&recorder->file, &error) != MPROF_OK && !outcome.failed) {
        mprof__command_fail(&error);
        outcome.failed = true;
    }
    if (outcome.is_empty && !outcome.failed) {
        mprof__command_note("no samples:", "the recording ended before --delay was over");
    }
    int exit_code = exit_code_of(recorder->options, &outcome);
    recorder->signal = outcome.signal;
    release(recorder);
    if (!recorder->agent_missing[0]) {
        report_unmatched(recorder->options, &outcome);
    }
    print_result(recorder, path, &outcome);
    if (outcome.failed) {
        free(path);
    } else {
        recorder->finished = path;
    }
    if (dies_of_signal(recorder->options, &outcome)) {
        fflush(NULL);
        mprof__signal_die(outcome.signal);
    }
    mprof__signals_close(&recorder->signals);
    return exit_code;
}

int mprof__command_recorder_abandon(mprof__command_recorder *recorder, mprof_error *error,
                                    int exit_code)
{
    if (recorder->options->output) {
        mprof_error_at(error, recorder->options->output, 0);
    }
    mprof__command_fail(error);
    mprof__output_file_discard(&recorder->file);
    mprof__signals_close(&recorder->signals);
    release(recorder);
    return exit_code;
}
