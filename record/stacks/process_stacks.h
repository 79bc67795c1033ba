/* The sampled stacks of one process: its reader, its threads, and who made its memory grow.
 *
 * Growth is gross: each thread's own page faults, credited to the stack that it has at the sample
 * after; see decision 0073 for samples at page faults. What the faults exceed the change of
 * resident memory by was released meanwhile; which thread released it cannot be known. */
#ifndef MPROF_RECORD_PROCESS_STACKS_H
#define MPROF_RECORD_PROCESS_STACKS_H

#include "fault_events.h"
#include "frame_tree.h"
#include "process_growth.h"
#include "python_stacks.h"
#include "record/kernel/idle_check.h"
#include "record/kernel/memory_probe.h"
#include "shown_frames.h"
#include "stack_lane.h"
#include "stack_thread.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Between samples of a process whose memory grows. */
#define MPROF__FAST_SAMPLE_NS INT64_C(10000000)

/* What all processes of a recording share. */
typedef struct mprof__stack_context {
    const char *chosen;  /* as in shown_frames.h; borrowed, as the next three */
    int64_t interval_ns; /* between regular samples */
    int64_t fresh_ns;    /* resident memory that was read at this time need not be read again */
    bool skips_idle;     /* a process that has not run has the same stacks */
    int64_t watch_ns;    /* how long a process that grows is watched at a sample; 0: not at all */
    mprof__frame_tree *tree;
    mprof__fault_events *events; /* NULL: not wanted */
    mprof__python_sample sample; /* owned */
    /* Whether the process records calls of this function itself. */
    bool (*is_recorded)(void *data, int64_t pid, uint32_t function);
    /* A span of a process has ended. */
    void (*ended)(void *data, int64_t pid, const mprof__stack_thread *thread,
                  const mprof__stack_span *span, size_t level, int64_t exit_ns, int64_t exit_bytes,
                  bool is_open);
    void *data;
} mprof__stack_context;

typedef struct mprof__process_stacks {
    mprof__stack_context *context; /* borrowed */
    int64_t pid;
    int64_t known_ns;             /* when it was found, or executed its program */
    mprof__memory_probe *probe;   /* borrowed: its resident memory */
    mprof__python_stacks *reader; /* NULL: no Python found yet */
    bool is_refused;              /* it cannot be read until it executes another program */
    bool is_new;                  /* it was born, or executed its program, while recorded */
    bool has_executed;            /* its memory is not a copy of its parent's */
    int64_t left_bytes;           /* memory at the last sample of the program before, or 0 */
    int64_t retry_ns;             /* when to look for a Python again */
    int64_t tried_ns;             /* when it was looked for last, in vain; 0: never */
    mprof__idle_check idle;
    mprof__process_growth growth;
    mprof__shown_frames shown;
    uint32_t *functions; /* by the id of a code: number in the tree + 1; 0: not looked up */
    size_t function_count;
    mprof__stack_lanes lanes;
    int64_t native_tid; /* a thread without Python; 0: none is known */
    mprof__stack_thread **threads;
    size_t thread_count;
    size_t thread_size;
    int64_t sampled_ns; /* the last sample, or up to when it holds; 0: none */
    int64_t sampled_bytes;
    int64_t running_ns; /* the last sample in which Python code ran; 0: none */
    int64_t running_bytes;
    int64_t timed_ns;      /* up to when time is accounted for */
    uint64_t held_samples; /* of the last stacks, not accounted for yet */
    int64_t held_ns;
    mprof__stack_lane *released_in; /* the release of the last sample; credited if it goes on */
    uint32_t released_node;
    int64_t released_bytes;

    unsigned still;        /* samples in a row at which faults were not counted */
    int64_t moved_faults;  /* since the last regular sample */
    int64_t recent_faults; /* since the last one that stands for time */
    double recent_bytes;
    uint32_t timed_number; /* counts those */
    size_t watch_turn;     /* which thread is watched next */
    bool is_fast;          /* sampled more often until the next regular sample */
} mprof__process_stacks;

/* is_new: it was born while it is recorded. now_ns: as everywhere here, CLOCK_MONOTONIC. */
mprof_status mprof__process_stacks_open(mprof__process_stacks **out, mprof__stack_context *context,
                                        int64_t pid, mprof__memory_probe *probe, bool is_new,
                                        int64_t now_ns);
void mprof__process_stacks_free(mprof__process_stacks *stacks);

/* The thread with this thread state; NULL: unknown. */
mprof__stack_thread *mprof__process_stacks_thread(const mprof__process_stacks *stacks,
                                                  uint64_t state, int64_t tid);

/* Takes a sample. is_timed: it stands for the time since the last such sample; else it was taken
 * because memory grew. parent: the process that forked it, if it runs the same program; may be
 * NULL. MPROF_EARGUMENT: stacks cannot be read, which is returned once, with the reason. MPROF_OK:
 * otherwise, also where there is no Python. */
mprof_status mprof__process_stacks_sample(mprof__process_stacks *stacks,
                                          const mprof__process_stacks *parent, bool is_timed,
                                          int64_t now_ns, mprof_error *error);

/* At a regular sample: decides whether to sample more often until the next one. */
void mprof__process_stacks_set_pace(mprof__process_stacks *stacks, int64_t now_ns);

/* A call that the process has recorded itself has ended: see stack_thread.h. */
int32_t mprof__process_stacks_end_call(mprof__process_stacks *stacks,
                                       const mprof__event_log_call *call);

/* The process has forked a child: they share its memory until one of them writes. */
void mprof__process_stacks_note_fork(mprof__process_stacks *stacks);

/* Writes the samples summed up so far. Returns how many records. */
size_t mprof__process_stacks_write(mprof__process_stacks *stacks, mprof__event_log *log,
                                   int64_t now_ns);

/* The process has ended, or executes another program: ends all spans, and closes the reader. */
void mprof__process_stacks_end(mprof__process_stacks *stacks, int64_t now_ns);

/* The same after an exec: the new program may have stacks that can be read. */
void mprof__process_stacks_restart(mprof__process_stacks *stacks, int64_t now_ns);

/* Whether the program that the process executes now is known to be the one that is read: an exec
 * may be noticed before its event comes. */
bool mprof__process_stacks_follow_program(mprof__process_stacks *stacks);

/* The recording ends while the process goes on. */
void mprof__process_stacks_cut(mprof__process_stacks *stacks, int64_t now_ns);

#endif
