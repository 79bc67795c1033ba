/* `mprof run`: starts a program and records it. */
#include "command.h"

#include "attach_command.h"
#include "command_options.h"
#include "command_recorder.h"
#include "parse/commands/command.h"
#include "record/launch/command_line.h"
#include "record/launch/executable.h"
#include "record/launch/launch.h"
#include "record/launch/preload_env.h"
#include "run_check_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A file of the installation that is loaded into the program. */
typedef struct loaded_file {
    const char *name;
    const char *absence; /* the reasons why functions are not recorded */
    const char *damage;
} loaded_file;

/* NULL: it is at this path. */
static const char *find_file(const loaded_file *file, char *path, size_t size)
{
    mprof__executable found;

    if (mprof__installed_file(file->name, path, size) != 0) {
        return file->absence;
    }
    mprof__executable_inspect(&found, path, "");
    /* a shared object, like a static program, names no loader */
    return found.kind == MPROF__EXECUTABLE_STATIC ? NULL : file->damage;
}

#define DAMAGED ") is damaged, or of another architecture"

/* Without the agent the program is recorded all the same, without functions. */
static void prepare_agent(mprof__command_recorder *recorder, char ***environment,
                          const mprof__command_line *program)
{
    static const loaded_file shim = {"libmprof-preload.so",
                                     "the agent (libmprof-preload.so) is not installed",
                                     "the agent (libmprof-preload.so" DAMAGED};
    static const loaded_file agent = {"libmprof-agent.so",
                                      "the agent (libmprof-agent.so) is not installed",
                                      "the agent (libmprof-agent.so" DAMAGED};
    mprof_error error = MPROF_ERROR_INIT;
    char preload[4096];
    char path[4096];
    const char *reason = program->agent_refusal;

    if (recorder->options->mode == MPROF__PROGRAM_NOPYTHON) {
        return;
    }
    recorder->no_agent = find_file(&shim, preload, sizeof preload);
    if (recorder->no_agent) {
        *environment = mprof__preload_env_without_shim(&recorder->folder, environ);
    } else if (mprof__preload_env_prepare(environment, &recorder->folder, environ, preload,
                                          &error) != MPROF_OK) {
        reason = error.message;
    } else {
        recorder->no_agent = find_file(&agent, path, sizeof path);
    }
    reason = recorder->no_agent ? recorder->no_agent : reason;
    if (reason && program->python) {
        mprof__command_note("functions are not recorded:", reason);
        snprintf(recorder->agent_missing, sizeof recorder->agent_missing, "%s", reason);
    }
}

/* mprof's exit code for a program that could not be started. */
static int start_failure_code(mprof_status status)
{
    return status == MPROF_ENOTFOUND ? MPROF_EXIT_NOT_FOUND : MPROF_EXIT_NOT_EXECUTABLE;
}

static int run_program(mprof__command_recorder *recorder, const mprof__command_line *program)
{
    mprof_error error = MPROF_ERROR_INIT;
    char **environment = NULL;
    pid_t pid = 0;

    prepare_agent(recorder, &environment, program);
    mprof_status status =
        mprof__command_recorder_open(recorder, program->argc, program->argv, &error);
    if (status != MPROF_OK) {
        free(environment);
        return mprof__command_recorder_abandon(recorder, &error, MPROF_EXIT_USAGE);
    }
    if (!recorder->options->quiet) {
        puts("running new process");
        if (program->python) {
            puts("running as a Python program...");
        }
        fflush(stdout);
    }
    status = mprof__launch(&pid, program->argv, environment ? environment : environ,
                           &recorder->signals.before, &recorder->signals.to_default, &error);
    free(environment);
    return status == MPROF_OK
               ? mprof__command_recorder_run(recorder, pid)
               : mprof__command_recorder_abandon(recorder, &error, start_failure_code(status));
}

/* Records one run. *file: receives its name, the caller's to free; NULL if it is not complete. */
static int record_once(const mprof__command_options *options, char **file)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__command_recorder recorder;
    mprof__command_line program;

    *file = NULL;
    mprof__command_recorder_init(&recorder, options);
    if (mprof__command_line_init(&program, options->argc, options->argv, options->mode,
                                 getenv("PATH"), &error) != MPROF_OK) {
        return mprof__command_recorder_abandon(&recorder, &error, MPROF_EXIT_FAILED);
    }
    int exit_code = run_program(&recorder, &program);
    mprof__command_line_free(&program);
    *file = recorder.finished;
    /* the program may take a signal and end well; those to come do not start */
    return exit_code == MPROF_EXIT_OK && recorder.signal != 0 && options->repeat > 0
               ? 128 + recorder.signal
               : exit_code;
}

int mprof_run_command(int argc, char **argv)
{
    mprof__command_options options;
    char *file = NULL;
    int exit_code;

    mprof__command_options_parse(&options, argc, argv, false);
    if (options.check || options.repeat > 0 || options.limits.is_given ||
        options.limits.output.count > 0) {
        exit_code = mprof__run_and_check(&options, record_once);
    } else if (options.attach) {
        exit_code = mprof__attach_to_process(&options);
    } else {
        exit_code = record_once(&options, &file);
        free(file);
    }
    mprof__command_options_free(&options);
    return exit_code;
}
