/* What is to be recorded, and how: decided before anything starts, and not changed any more. */
#ifndef MPROF_RECORD_PLAN_H
#define MPROF_RECORD_PLAN_H

#include "record/calls/ring_folder.h"
#include "record/kernel/memory_probe.h"
#include "record/terminal/live_line.h"
#include "record/terminal/signals.h"
#include "threshold.h"

#include <mprof/error.h>
#include <mprof/writer.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__recorder_plan {
    int64_t interval_ns; /* > 0 */
    int64_t delay_ns;    /* after the start of the program, or the attaching to it */
    int64_t timeout_ns;  /* from then on; 0: until the program ends */
    mprof__threshold threshold;
    mprof__metric metric;
    const char *backend; /* as the user named the metric; not owned */
    bool include_children;
    bool multiprocess;
    bool follow;                /* the recording goes on until no descendant is left */
    unsigned kinds;             /* 1 << mprof_kind: recorded beside the metric */
    bool group;                 /* the control group is recorded, even without a limit */
    bool redact;                /* command lines and names without secrets */
    bool peak_interval;         /* the high-water marks are read and reset at every tick */
    bool is_child;              /* the program is ours to reap and to pass signals to */
    mprof__signals *signals;    /* open; the caller's */
    mprof__ring_folder *folder; /* the caller's; NULL: no functions */
    const char *agent_missing;  /* why the program's functions are missing, as was said; or NULL */
    mprof_writer *writer;       /* the caller's */
    mprof__live_line *live;     /* the caller's; NULL: nothing is shown */
    /* Told at once of what goes wrong while the program runs on; may be NULL. */
    void (*notice)(void *data, const mprof_error *error);
    /* The file is complete, though the program may go on; may be NULL. */
    void (*finished)(void *data);
    void *notice_data; /* for both */
} mprof__recorder_plan;

#endif
