/* Makes one recording, from its first line to its last. */
#ifndef MPROF_RECORD_RECORDER_H
#define MPROF_RECORD_RECORDER_H

#include "plan.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__recorder mprof__recorder;

typedef struct mprof__recorder_outcome {
    bool ended;       /* the program has ended */
    int wait_status;  /* as of wait(2); only for our child */
    int signal;       /* by which mprof must die, or 0 */
    bool failed;      /* the recording could not be written completely */
    bool is_cut;      /* the threshold was reached and ended the recording */
    bool is_unread;   /* no sample: nothing could be read, which was reported */
    bool is_empty;    /* all was over before the recording began */
    bool lacks_calls; /* none was recorded, and no line said why */
    uint64_t sample_count;
    int64_t peak_bytes; /* the highest memory known */
    /* A child that is not recorded, or the program between samples, had as much; 0: no more. */
    int64_t child_bytes;
    int64_t lasted_ns;
} mprof__recorder_outcome;

/* Prepares everything that must exist before the program starts, and writes the head of the file:
 * command line and facts. *plan is copied. MPROF_ENOMEM, MPROF_EIO. */
mprof_status mprof__recorder_open(mprof__recorder **out, const mprof__recorder_plan *plan,
                                  size_t argc, char *const argv[], mprof_error *error);

/* Records process `pid` until it ends (with follow: until its last descendant ends), the time limit
 * is over, or a signal ends it. Always waits for a child of ours. MPROF_ENOMEM, MPROF_EIO (no
 * descriptor to wait with). */
mprof_status mprof__recorder_run(mprof__recorder *recorder, int64_t pid,
                                 mprof__recorder_outcome *outcome, mprof_error *error);

void mprof__recorder_free(mprof__recorder *recorder);

#endif
