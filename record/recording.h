/* One recording from its first line to its last: samples at deadlines, births and ends of
 * processes, calls from the rings, and what is to be done about signals meanwhile. */
#ifndef MPROF_RECORD_RECORDING_H
#define MPROF_RECORD_RECORDING_H

#include "record/live.h"
#include "record/probe.h"
#include "record/ring_folder.h"
#include "record/signals.h"
#include "record/threshold.h"

#include <mprof/error.h>
#include <mprof/writer.h>
#include <stdint.h>

typedef struct mprof__recording mprof__recording;

typedef struct mprof__recording_plan {
    int64_t interval_ns; /* > 0 */
    int64_t delay_ns;    /* after the start of the program, or the attaching to it */
    int64_t timeout_ns;  /* from then on; 0: until the program ends */
    mprof__threshold threshold;
    mprof__metric metric;
    const char *backend; /* as the user named the metric; not owned */
    int include_children;
    int multiprocess;
    int follow;                 /* the recording goes on until no descendant is left */
    unsigned kinds;             /* 1 << mprof_kind: recorded beside the metric */
    int group;                  /* the control group is recorded, even without a limit */
    int redact;                 /* command lines and names without secrets */
    int peak_interval;          /* the high-water marks are read and reset at every tick */
    int is_child;               /* the program is ours to reap and to pass signals to */
    mprof__signals *signals;    /* open; the caller's */
    mprof__ring_folder *folder; /* the caller's; NULL: no functions */
    mprof_writer *writer;       /* the caller's */
    mprof__live *live;          /* the caller's; NULL: nothing is shown */
    /* Told at once of what goes wrong while the program runs on; may be NULL. */
    void (*notice)(void *data, const mprof_error *error);
    /* The file is complete, though the program may go on; may be NULL. */
    void (*finished)(void *data);
    void *notice_data; /* for both */
} mprof__recording_plan;

typedef struct mprof__recording_outcome {
    int ended;       /* the program has ended */
    int wait_status; /* as of wait(2); only where it was our child */
    int signal;      /* by which mprof is to die now, or 0 */
    int failed;      /* the recording could not be written to its end */
    int is_cut;      /* the threshold has been reached, and that was to be the end */
    int is_empty;    /* all was over before the recording began */
} mprof__recording_outcome;

/* Gets everything ready that is to be there before the program starts, and writes the head of the
 * file: command line and facts. *plan is copied. MPROF_ENOMEM, MPROF_EIO. */
mprof_status mprof__recording_open(mprof__recording **out, const mprof__recording_plan *plan,
                                   size_t argc, char *const argv[], mprof_error *error);

/* Records process `pid` until it ends (or, followed, the last of its descendants), the time is
 * over, or a signal says so; a program of ours is waited for in any case. MPROF_ENOMEM, MPROF_EIO
 * (nothing to wait with). */
mprof_status mprof__recording_run(mprof__recording *recording, int64_t pid,
                                  mprof__recording_outcome *outcome, mprof_error *error);

void mprof__recording_free(mprof__recording *recording);

#endif
