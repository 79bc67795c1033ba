/* Samples all processes at each tick, and reads the kernel's high-water marks now and then. */
#ifndef MPROF_RECORD_SAMPLER_H
#define MPROF_RECORD_SAMPLER_H

#include "agent_check.h"
#include "memory_kinds.h"
#include "record/kernel/memory_probe.h"
#include "record/kernel/oom_killer.h"
#include "record/kernel/procfs.h"
#include "record/kernel/taskstats.h"
#include "record/output/event_log.h"
#include "record/processes/process_tree.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

typedef struct mprof__sampler {
    mprof__agent_check *agent;     /* NULL: no checks */
    mprof__event_log *log;         /* borrowed */
    mprof__process_tree *tree;     /* borrowed */
    mprof__oom_killer *oom_killer; /* borrowed; NULL: none */
    mprof__metric metric;
    const char *backend; /* the user's name for the metric */
    int64_t interval_ns;
    bool skips_idle;           /* do not read idle processes again */
    bool include_children;     /* MEM is the sum of the tree */
    bool multiprocess;         /* write each descendant by itself */
    mprof__memory_kinds kinds; /* recorded in addition to the metric */
    bool group;                /* record the control group, even without a limit */
    const char *group_name;    /* as written last; owned by oom_killer */
    int64_t group_bytes;       /* as written last */
    int64_t group_limit_bytes;
    int64_t group_highest_bytes;   /* highest value written */
    int64_t group_peak_bytes;      /* highest mark while it was recorded; 0: none */
    mprof__oom_killer_place place; /* the target's, as read last */
    bool group_is_missing;         /* reported already */
    bool follow;                   /* go on after the target's end */
    bool peak_interval;            /* read and reset high-water marks at every tick */
    bool root_is_child;            /* the target will be reaped, which finds its end */
    bool is_delayed;               /* some marks include processes that ended during the delay */
    int64_t highest_bytes;         /* highest known memory of any member */
    bool is_early;                 /* this tick is an early one, between the regular ones */
    int64_t launch_ns;             /* when we started the program; 0: we did not */
    int64_t launch_bytes;          /* the recorder's mark at launch: vfork shares its memory */
    int64_t mem_highest_bytes;     /* of the MEM samples written */
    /* The mark of the target and its children, if that is above what is known of the target; or 0.
     */
    int64_t child_bytes;
    uint64_t mem_count; /* MEM samples written */
    int64_t costly_ns;  /* no sample before this: the last one took long */
    uint64_t thinned;   /* ticks omitted for that */
    uint64_t denied;    /* readings without permission */
    int64_t mem_bytes;  /* the last MEM written; 0: none */
    uint64_t unreset;   /* high-water marks that could not be reset */
} mprof__sampler;

/* To be called right after we have started the program. */
void mprof__sampler_note_launch(mprof__sampler *sampler, int64_t now_ns);

/* Reads all processes and writes their samples. Removes processes that have ended from the tree. */
void mprof__sampler_tick(mprof__sampler *sampler, int64_t now_ns);

/* Removes processes that have ended from the tree, except the root. */
void mprof__sampler_find_ended(mprof__sampler *sampler, int64_t now_ns);

/* Writes the high-water marks of live processes that are above their samples. */
void mprof__sampler_write_peaks(mprof__sampler *sampler, int64_t now_ns);

/* Reads the control group for the last time. */
void mprof__sampler_finish_group(mprof__sampler *sampler, int64_t now_ns);

/* Makes marks of live processes count from now on. */
void mprof__sampler_reset_peaks(mprof__sampler *sampler);

/* Uses the mark that wait4(2) returned for a child, if it can only be the child's own. If it may be
 * of another process and is the highest known, it is written without a pid. stat: read while the
 * child was a zombie. */
void mprof__sampler_add_usage(mprof__sampler *sampler, mprof__process *process,
                              const struct rusage *usage, const mprof__procfs_stat *stat,
                              int64_t time_ns);

/* Uses the kernel's final mark of a process, if it had memory of its own. of_parent_bytes: the same
 * of its parent if that has ended, else 0. */
void mprof__sampler_add_taskstats(mprof__sampler *sampler, mprof__process *process,
                                  const mprof__taskstats_mark *mark, int64_t of_parent_bytes);

/* Writes the final mark of a process that has ended, as far as known. */
void mprof__sampler_write_final_peak(mprof__sampler *sampler, mprof__process *process,
                                     int64_t time_ns);

/* To be called when the target, a child of ours, has ended. If there was no sample, or only samples
 * that may show it being loaded, its final mark becomes the last sample. */
void mprof__sampler_write_last_sample(mprof__sampler *sampler, const mprof__process *process,
                                      const struct rusage *usage, int64_t reaped_faults,
                                      int64_t time_ns);

#endif
