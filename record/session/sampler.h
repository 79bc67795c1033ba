/* The taking of samples: at each tick the memory of every process of the tree, and now and then the
 * kernel's own account of the most there was. */
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
    mprof__agent_check *agent;     /* of the lifecycle; NULL: nothing is checked */
    mprof__event_log *log;         /* the caller's */
    mprof__process_tree *tree;     /* the caller's */
    mprof__oom_killer *oom_killer; /* the caller's; NULL: none */
    mprof__metric metric;
    const char *backend; /* how the user names the metric */
    int64_t interval_ns;
    bool skips_idle;           /* what has not run is not read again */
    bool include_children;     /* MEM is the sum of the tree */
    bool multiprocess;         /* each descendant is written by itself */
    mprof__memory_kinds kinds; /* recorded beside the metric */
    bool group;                /* the control group is recorded, even without a limit */
    const char *group_name;    /* as told last; the watcher's */
    int64_t group_bytes;       /* as told last */
    int64_t group_limit_bytes;
    int64_t group_highest_bytes;   /* of all that was told */
    int64_t group_peak_bytes;      /* the highest mark of its own time; 0: none */
    mprof__oom_killer_place place; /* of the root, as it was last */
    bool group_is_missing;         /* and that has been reported */
    bool follow;                   /* what is left when the root has ended is told, too */
    bool peak_interval;            /* high-water marks are read and reset at every tick */
    bool root_is_ours;     /* the root will be reaped: its end is not for the sampler to find */
    bool is_delayed;       /* what ended before the delay was over is in some accounts */
    int64_t highest_bytes; /* the most that any member is known to have had */
    bool is_early;         /* this tick comes between the regular ones, soon after the start */
    int64_t launch_ns;     /* when the program was started by us; 0: it was not */
    int64_t launch_bytes;  /* the recorder's own mark when the program was on its memory: vfork */
    int64_t mem_highest_bytes; /* of the MEM samples written */
    uint64_t mem_count;        /* MEM samples written */
    int64_t costly_ns;         /* no sample before this: the last one was expensive */
    uint64_t thinned;          /* ticks left out for that */
    uint64_t denied;           /* readings that were not allowed */
    int64_t mem_bytes;         /* the last MEM written; 0 before the first */
    uint64_t kept;             /* high-water marks that could not be reset */
} mprof__sampler;

/* To be called when the program has just been started by us. */
void mprof__sampler_note_launch(mprof__sampler *sampler, int64_t now_ns);

/* Reads all processes and writes the samples of this moment. Processes found to have ended are told
 * to the tree. */
void mprof__sampler_tick(mprof__sampler *sampler, int64_t now_ns);

/* Tells the tree of the processes that have ended since, other than the root. */
void mprof__sampler_find_ended(mprof__sampler *sampler, int64_t now_ns);

/* Writes the high-water marks of all that are alive, where they say more than the samples. */
void mprof__sampler_write_peaks(mprof__sampler *sampler, int64_t now_ns);

/* Reads the control group for the last time: what happened since the last tick. */
void mprof__sampler_finish_group(mprof__sampler *sampler, int64_t now_ns);

/* Takes the marks of all that are alive as told: those that follow are of what comes. */
void mprof__sampler_reset_peaks(mprof__sampler *sampler);

/* A child of ours has ended: takes what wait4(2) says of its mark, if that can only be of itself.
 * If it is of one of several, and more than anything known, it is written as that. stat: read while
 * it was a zombie. */
void mprof__sampler_add_usage(mprof__sampler *sampler, mprof__process *process,
                              const struct rusage *usage, const mprof__procfs_stat *stat,
                              int64_t time_ns);

/* Takes the kernel's last word on a process, if that is on memory of its own. of_parent_bytes: the
 * same of its parent, if that has ended as well; else 0. */
void mprof__sampler_add_taskstats(mprof__sampler *sampler, mprof__process *process,
                                  const mprof__taskstats_mark *mark, int64_t of_parent_bytes);

/* Writes the mark of a process that has ended, of what has been taken before. */
void mprof__sampler_write_final_peak(mprof__sampler *sampler, mprof__process *process,
                                     int64_t time_ns);

/* The first process has ended, which was a child of ours. If it was over before there was a sample,
 * or so soon that samples may have met it while it was being loaded, its mark is the last one. */
void mprof__sampler_write_last_sample(mprof__sampler *sampler, const mprof__process *process,
                                      const struct rusage *usage, int64_t reaped_faults,
                                      int64_t time_ns);

#endif
