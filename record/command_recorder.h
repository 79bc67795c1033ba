/* The recorder that both `mprof run` and `mprof attach` are: everything a recording needs besides a
 * process, opened before one is started or entered; the recording itself; and how mprof ends. */
#ifndef MPROF_RECORD_COMMAND_RECORDER_H
#define MPROF_RECORD_COMMAND_RECORDER_H

#include "command_options.h"
#include "record/calls/ring_folder.h"
#include "record/output/output_file.h"
#include "record/session/recorder.h"
#include "record/terminal/live_line.h"
#include "record/terminal/signals.h"

#include <mprof/error.h>
#include <mprof/writer.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__command_recorder {
    const mprof__command_options *options; /* the caller's */
    mprof__ring_folder *folder; /* owned; made by the command beforehand, NULL: no functions */
    char agent_missing[256];    /* why the program's functions are missing; "": they are not */
    mprof__output_file file;
    mprof__signals signals;
    mprof_writer *writer;
    mprof__live_line *live; /* NULL: nothing is shown */
    mprof__recorder *recording;
} mprof__command_recorder;

/* Nothing is open. */
void mprof__command_recorder_init(mprof__command_recorder *recorder,
                                  const mprof__command_options *options);

/* Opens everything that can fail before anything has been started, and says what sampling there
 * will be. argv[argc]: what the recording is to say that was executed; not kept.
 * MPROF_EIO, MPROF_EARGUMENT, MPROF_ENOMEM: to be abandoned. */
mprof_status mprof__command_recorder_open(mprof__command_recorder *recorder, size_t argc,
                                          char *const argv[], mprof_error *error);

/* Takes everything back: nothing has been started. Says why, and returns exit_code. */
int mprof__command_recorder_abandon(mprof__command_recorder *recorder, mprof_error *error,
                                    int exit_code);

/* Records process `pid`, closes everything, and returns mprof's exit code; or dies of the signal it
 * was given. What goes wrong is told where it does. */
int mprof__command_recorder_run(mprof__command_recorder *recorder, int64_t pid);

/* "mprof: <what> <text>" on standard error; the text may be anything. */
void mprof__command_note(const char *what, const char *text);

#endif
