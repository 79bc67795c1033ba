/* `mprof attach`: records a process that is running already. */
#include "attach_command.h"

#include "command.h"
#include "command_recorder.h"
#include "find_process.h"
#include "parse/commands/command.h"
#include "record/inject/inject.h"
#include "record/kernel/memory_probe.h"
#include "record/launch/executable.h"
#include "record/launch/preload_env.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static mprof_status check_access(const mprof__command_options *options, int64_t pid,
                                 mprof_error *error)
{
    mprof__memory_probe probe;
    int64_t bytes;

    mprof__memory_probe_open(&probe, pid);
    mprof__memory_probe_result result = mprof__memory_probe_read(&probe, options->metric, &bytes);
    mprof__memory_probe_close(&probe);
    return result == MPROF__PROBE_DENIED
               ? mprof_error_set(
                     error, MPROF_EARGUMENT,
                     "no permission to read the memory of process %lld (backend %s): it is "
                     "another user's; run mprof as that user or as root",
                     (long long)pid, options->backend)
               : MPROF_OK;
}

/* answer: the agent's, "... COUNT". Only the number is used: the process may have written
 * anything. */
static void print_agent_state(bool is_loaded, const char *answer)
{
    char *end;
    unsigned long count = strtoul(answer + strcspn(answer, " "), &end, 10);

    if (!is_loaded) {
        puts("functions are recorded as soon as the program's main thread runs Python again");
    } else {
        printf("functions are recorded: %lu found%s\n", *end == '\0' ? count : 0,
               count == 0 ? " so far" : "");
    }
    fflush(stdout);
}

/* If the agent cannot be loaded, memory is recorded all the same. */
static void load_agent(mprof__command_recorder *recorder, int64_t pid)
{
    mprof_error error = MPROF_ERROR_INIT;
    const char *patterns = mprof__command_options_patterns();
    mprof__inject_result result;

    if (!recorder->folder) {
        return;
    }
    if (mprof__inject(&result, pid, recorder->folder, patterns, &error) == MPROF_OK) {
        print_agent_state(result.is_loaded, result.answer);
    } else {
        mprof__command_note("functions are not recorded:", error.message);
        snprintf(recorder->agent_missing, sizeof recorder->agent_missing, "%s", error.message);
    }
}

/* Prints the settings that the program needs: where the agent is to write, and what makes programs
 * that it executes load the agent, too. One line each; no line: functions are not recorded. */
static void print_settings(mprof__command_recorder *recorder)
{
    mprof_error error = MPROF_ERROR_INIT;
    char preload[PATH_MAX];
    char **environment = NULL;

    if (mprof__installed_file("libmprof-preload.so", preload, sizeof preload) != 0) {
        mprof__command_note("functions are not recorded:", "libmprof-preload.so is not installed");
        return;
    }
    if (mprof__preload_env_prepare(&environment, &recorder->folder, environ, preload, &error) !=
        MPROF_OK) {
        mprof__command_note("functions are not recorded:", error.message);
    } else {
        printf("MPROF_RINGS=%s\n", mprof__ring_folder_path(recorder->folder));
        for (char **entry = environment; *entry; entry++) {
            if (strncmp(*entry, "LD_PRELOAD=", strlen("LD_PRELOAD=")) == 0) {
                puts(*entry);
            }
        }
        fflush(stdout);
    }
    free(environment);
}

/* Only the options count here: MPROF_FUNC in the environment is meant for children. */
static void open_rings(mprof__command_recorder *recorder)
{
    mprof_error error = MPROF_ERROR_INIT;

    if (recorder->options->own_agent) {
        print_settings(recorder);
    } else if (recorder->options->functions &&
               mprof__ring_folder_open(&recorder->folder, &error) != MPROF_OK) {
        mprof__command_note("functions are not recorded:", error.message);
    }
}

/* Prints the reason of a failure, with all processes that the name may mean. */
static mprof_status find_process(const mprof__command_options *options, int64_t *pid,
                                 mprof_error *error)
{
    char *matches;
    mprof_status status =
        mprof__find_process(pid, options->argv[0], options->newest, &matches, error);

    if (status != MPROF_OK && matches) {
        snprintf(error->message + strlen(error->message),
                 sizeof error->message - strlen(error->message), ":");
        mprof__command_note(error->message, matches);
    } else if (status != MPROF_OK) {
        mprof__command_fail(error);
    }
    free(matches);
    return status;
}

int mprof__attach_to_process(const mprof__command_options *options)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__command_recorder recorder;
    char **argv = NULL;
    size_t argc = 0;
    int64_t pid = 0;

    if (find_process(options, &pid, &error) != MPROF_OK) {
        return MPROF_EXIT_FAILED;
    }
    if (check_access(options, pid, &error) != MPROF_OK ||
        mprof__process_arguments(&argv, &argc, pid, &error) != MPROF_OK) {
        return mprof__command_fail(&error);
    }
    mprof__command_recorder_init(&recorder, options);
    open_rings(&recorder);
    mprof_status status = mprof__command_recorder_open(&recorder, argc, argv, &error);
    free(argv);
    if (status != MPROF_OK) {
        return mprof__command_recorder_abandon(&recorder, &error, MPROF_EXIT_USAGE);
    }
    if (!options->quiet) {
        printf("attaching to existing process, using hint: ");
        mprof__print_plain(stdout, options->argv[0]);
        putchar('\n');
        fflush(stdout);
    }
    if (!options->own_agent) {
        load_agent(&recorder, pid);
    }
    int exit_code = mprof__command_recorder_run(&recorder, pid);
    free(recorder.finished);
    return exit_code;
}

int mprof_attach_command(int argc, char **argv)
{
    mprof__command_options options;

    mprof__command_options_parse(&options, argc, argv, true);
    int exit_code = mprof__attach_to_process(&options);
    mprof__command_options_free(&options);
    return exit_code;
}
