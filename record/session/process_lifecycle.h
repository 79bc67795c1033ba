/* Births, new names and ends of the recorded processes, reported to the file, the calls and the
 * sampler. */
#ifndef MPROF_RECORD_PROCESS_LIFECYCLE_H
#define MPROF_RECORD_PROCESS_LIFECYCLE_H

#include "agent_check.h"
#include "record/calls/calls.h"
#include "record/kernel/oom_killer.h"
#include "record/kernel/taskstats.h"
#include "record/output/event_log.h"
#include "record/processes/process.h"
#include "record/processes/process_tree.h"
#include "record/stacks/stack_recorder.h"
#include "sampler.h"
#include "target.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__process_lifecycle {
    mprof__event_log *log; /* borrowed, as the next three */
    mprof__sampler *sampler;
    mprof__calls *calls;           /* NULL: no functions */
    mprof__stack_recorder *stacks; /* NULL: no stacks */
    mprof__agent_check agent;
    mprof__target *target;                /* has_ended is set here */
    bool follow;                          /* the recording goes on after the target's end */
    char title[MPROF__PROCESS_NAME_SIZE]; /* of the target, if it is our child */
    mprof__process_tree *tree;            /* owned, as the next two */
    mprof__taskstats *stats;              /* NULL: no taskstats */
    mprof__oom_killer *oom_killer;        /* NULL: out of memory */
    int64_t events_due_ns; /* process events are not read before this, CLOCK_MONOTONIC */
    int64_t pause_ns;      /* between two readings of events */
    int idle_ticks;        /* ticks in a row without any process event */
    bool has_begun;        /* false: processes are known, but not written yet */
    bool is_empty;         /* all was over before it began */
} mprof__process_lifecycle;

/* To be opened before the program starts. *lifecycle: zeros, and the borrowed fields, which may
 * also be set before the first update. descendants: they belong to the tree. MPROF_ENOMEM: close it
 * even so. */
mprof_status mprof__process_lifecycle_open(mprof__process_lifecycle *lifecycle, bool descendants,
                                           mprof_error *error);
void mprof__process_lifecycle_close(mprof__process_lifecycle *lifecycle);

/* Finds and reports what has happened since. Problems go to the log. Times here and below:
 * CLOCK_MONOTONIC. */
void mprof__process_lifecycle_update(mprof__process_lifecycle *lifecycle, int64_t now_ns);

/* The same when there may be process events. Sets when to read them next: the less often, the
 * longer they were all about other programs. */
void mprof__process_lifecycle_read_events(mprof__process_lifecycle *lifecycle, int64_t now_ns);

/* The same at a tick. is_quiet: the wait has shown that there are no events. */
void mprof__process_lifecycle_tick(mprof__process_lifecycle *lifecycle, int64_t now_ns,
                                   bool is_quiet);

/* The delay is over: reports all known processes as of now. */
void mprof__process_lifecycle_begin(mprof__process_lifecycle *lifecycle, int64_t now_ns);

/* Begins a recording that has not begun when everything is over, and marks it as empty. */
void mprof__process_lifecycle_begin_if_needed(mprof__process_lifecycle *lifecycle);

/* Reaps all children that have ended. is_recorded: the file is still being written. */
void mprof__process_lifecycle_reap(mprof__process_lifecycle *lifecycle, bool is_recorded);

/* To be called when the target, which is not our child, has ended. */
void mprof__process_lifecycle_end_target(mprof__process_lifecycle *lifecycle);

/* Whether the target or a descendant of it is alive. */
bool mprof__process_lifecycle_has_members(const mprof__process_lifecycle *lifecycle);

#endif
