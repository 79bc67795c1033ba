/* Shared by `mprof run` and `mprof attach`: opens all that a recording needs before the process is
 * started or entered, records, and decides mprof's exit code. */
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
    mprof__ring_folder *folder; /* owned; opened by the command first; NULL: no functions */
    char agent_missing[256];    /* why the program's functions are not recorded; "": they are */
    const char *no_agent;       /* why no process has the agent, or NULL; static text */
    mprof__output_file file;
    mprof__signals signals;
    mprof_writer *writer;
    mprof__live_line *live;    /* NULL: no live line */
    mprof__textfile *textfile; /* NULL: none */
    mprof__recorder *recording;
    int signal;     /* by which the user ended the recording, or 0 */
    char *finished; /* the caller's to free: the file, once it is complete; else NULL */
} mprof__command_recorder;

/* Opens nothing yet. */
void mprof__command_recorder_init(mprof__command_recorder *recorder,
                                  const mprof__command_options *options);

/* Opens everything that can fail, before anything is started, and prints the interval. argv[argc]:
 * the command line to record; copied. After MPROF_EIO, MPROF_EARGUMENT or MPROF_ENOMEM call
 * mprof__command_recorder_abandon. */
mprof_status mprof__command_recorder_open(mprof__command_recorder *recorder, size_t argc,
                                          char *const argv[], mprof_error *error);

/* Prints the error, closes everything and removes the file. Returns exit_code. */
int mprof__command_recorder_abandon(mprof__command_recorder *recorder, mprof_error *error,
                                    int exit_code);

/* Records process `pid`, closes everything, and returns mprof's exit code; or dies of the signal
 * that ended the recording. Errors are printed as they occur. */
int mprof__command_recorder_run(mprof__command_recorder *recorder, int64_t pid);

/* Prints "mprof: <what> <text>" on standard error, with control characters of the text escaped. */
void mprof__command_note(const char *what, const char *text);

#endif
