/* What to record, and how. Fixed before the recording starts. */
#ifndef MPROF_RECORD_PLAN_H
#define MPROF_RECORD_PLAN_H

#include "record/calls/ring_folder.h"
#include "record/kernel/memory_probe.h"
#include "record/output/textfile.h"
#include "record/stacks/stack_recorder.h"
#include "record/terminal/live_line.h"
#include "record/terminal/signals.h"
#include "until_peak.h"

#include <mprof/error.h>
#include <mprof/writer.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__recorder_plan {
    int64_t interval_ns; /* > 0 */
    int64_t delay_ns;    /* after the start of the program, or the attach */
    int64_t timeout_ns;  /* after the delay; 0: until the program ends */
    mprof__until_peak threshold;
    mprof__metric metric;
    const char *backend; /* the user's name for the metric; borrowed */
    bool include_children;
    bool multiprocess;
    bool follow;                /* record until no descendant is left */
    unsigned kinds;             /* 1 << mprof_kind: recorded in addition to the metric */
    bool group;                 /* record the control group, even without a limit */
    mprof__stack_plan stacks;   /* chosen NULL: none */
    bool redact;                /* mask secrets in command lines and names */
    bool peak_interval;         /* read and reset high-water marks at every tick */
    bool is_child;              /* the program is our child: reap it, and pass signals to it */
    mprof__signals *signals;    /* open; borrowed */
    mprof__ring_folder *folder; /* borrowed; NULL: no functions */
    const char *agent_missing;  /* reported reason why functions are missing, or NULL */
    const char *no_agent;       /* why no process has the agent, or NULL; borrowed */
    mprof_writer *writer;       /* borrowed */
    mprof__live_line *live;     /* borrowed; NULL: no live line */
    mprof__textfile *textfile;  /* borrowed; NULL: none */
    /* Called at once with each problem during the recording; may be NULL. */
    void (*notice)(void *data, const mprof_error *error);
    /* Called when the file is complete; the program may still run. May be NULL. */
    void (*finished)(void *data);
    void *notice_data; /* for both callbacks */
} mprof__recorder_plan;

#endif
