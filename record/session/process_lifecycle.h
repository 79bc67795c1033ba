/* What becomes of the recorded processes: births, new names and ends, from wherever they are
 * learnt, and what is told of them: to the file, to the calls, to the sampler. */
#ifndef MPROF_RECORD_PROCESS_LIFECYCLE_H
#define MPROF_RECORD_PROCESS_LIFECYCLE_H

#include "agent_check.h"
#include "record/calls/calls.h"
#include "record/kernel/oom_killer.h"
#include "record/kernel/taskstats.h"
#include "record/output/event_log.h"
#include "record/processes/process.h"
#include "record/processes/process_tree.h"
#include "sampler.h"
#include "target.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__process_lifecycle {
    mprof__event_log *log; /* the caller's, as the next three */
    mprof__sampler *sampler;
    mprof__calls *calls; /* NULL: no functions */
    mprof__agent_check agent;
    mprof__target *target;                /* whose end is noted there */
    bool follow;                          /* the end of the target is not that of the recording */
    char title[MPROF__PROCESS_NAME_SIZE]; /* of the target, where it is our child */
    mprof__process_tree *tree;            /* owned, as the next two */
    mprof__taskstats *stats;              /* NULL: the kernel does not tell of ends */
    mprof__oom_killer *oom_killer;        /* NULL: out of memory */
    int64_t events_due_ns; /* no look at process events before this, CLOCK_MONOTONIC */
    int64_t pause_ns;      /* how long after a look */
    int quiet;             /* ticks in a row at which there were no events, of whatever process */
    bool has_begun;        /* else everything is known, and nothing told yet */
    bool is_empty;         /* all was over before it had begun */
} mprof__process_lifecycle;

/* To be made before the program is started. *lifecycle: initialised with zeros, but for what is the
 * caller's, which may be filled in before the first update as well. descendants: they belong to the
 * tree. MPROF_ENOMEM: *lifecycle is to be closed all the same. */
mprof_status mprof__process_lifecycle_open(mprof__process_lifecycle *lifecycle, bool descendants,
                                           mprof_error *error);
void mprof__process_lifecycle_close(mprof__process_lifecycle *lifecycle);

/* Finds out what has happened since. What goes wrong is told to the log. Times here and below:
 * CLOCK_MONOTONIC. */
void mprof__process_lifecycle_update(mprof__process_lifecycle *lifecycle, int64_t now_ns);

/* The same when the kernel may have told something, of whatever process; sets when to look next:
 * the less often, the longer it was all of other programs. */
void mprof__process_lifecycle_read_events(mprof__process_lifecycle *lifecycle, int64_t now_ns);

/* The same at a tick. are_quiet: events have been waited for, and there are none. */
void mprof__process_lifecycle_tick(mprof__process_lifecycle *lifecycle, int64_t now_ns,
                                   bool are_quiet);

/* The delay is over: what is known by now is told as of this moment. */
void mprof__process_lifecycle_begin(mprof__process_lifecycle *lifecycle, int64_t now_ns);

/* Everything is over; if it had not begun, it begins and was empty. */
void mprof__process_lifecycle_begin_if_needed(mprof__process_lifecycle *lifecycle);

/* Reaps all children that have ended. is_recorded: the file is not complete yet. */
void mprof__process_lifecycle_reap(mprof__process_lifecycle *lifecycle, bool is_recorded);

/* The target, which is not our child, has gone. */
void mprof__process_lifecycle_end_target(mprof__process_lifecycle *lifecycle);

/* Whether the target, or anything that descends from it, is alive. */
bool mprof__process_lifecycle_has_members(const mprof__process_lifecycle *lifecycle);

#endif
