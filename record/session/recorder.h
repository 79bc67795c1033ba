/* One recording from its first line to its last: samples at deadlines, births and ends of
 * processes, calls from the rings, and what is to be done about signals meanwhile. */
#ifndef MPROF_RECORD_RECORDER_H
#define MPROF_RECORD_RECORDER_H

#include "plan.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__recorder mprof__recorder;

typedef struct mprof__recorder_outcome {
    bool ended;      /* the program has ended */
    int wait_status; /* as of wait(2); only where it was our child */
    int signal;      /* by which mprof is to die now, or 0 */
    bool failed;     /* the recording could not be written to its end */
    bool is_cut;     /* the threshold has been reached, and that was to be the end */
    bool is_unread;  /* there is no sample, since nothing could be read: that has been reported */
    bool is_empty;   /* all was over before the recording began */
} mprof__recorder_outcome;

/* Gets everything ready that is to be there before the program starts, and writes the head of the
 * file: command line and facts. *plan is copied. MPROF_ENOMEM, MPROF_EIO. */
mprof_status mprof__recorder_open(mprof__recorder **out, const mprof__recorder_plan *plan,
                                  size_t argc, char *const argv[], mprof_error *error);

/* Records process `pid` until it ends (or, followed, the last of its descendants), the time is
 * over, or a signal says so; a program of ours is waited for in any case. MPROF_ENOMEM, MPROF_EIO
 * (nothing to wait with). */
mprof_status mprof__recorder_run(mprof__recorder *recorder, int64_t pid,
                                 mprof__recorder_outcome *outcome, mprof_error *error);

void mprof__recorder_free(mprof__recorder *recorder);

#endif
