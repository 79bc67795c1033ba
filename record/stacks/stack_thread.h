/* One thread of a sampled process: makes spans of its samples. */
#ifndef MPROF_RECORD_STACK_THREAD_H
#define MPROF_RECORD_STACK_THREAD_H

#include "fault_counter.h"
#include "fault_events.h"
#include "frame_tree.h"
#include "python_stacks.h"
#include "shown_frames.h"
#include "stack_lane.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A shown frame that is on the stack. */
typedef struct mprof__stack_span {
    uint64_t address; /* of the frame in the process */
    uint32_t function;
    uint32_t node;
    bool is_recorded; /* the process records calls of this function itself */
    int64_t enter_ns; /* between the sample before and the first one */
    int64_t enter_bytes;
    int64_t uncertain_ns; /* how much earlier or later it may have been */
    int64_t first_ns;     /* the samples that show it */
    int64_t last_ns;
    int64_t grown_bytes;      /* credited to it and what it called */
    int64_t last_grown_bytes; /* at the last sample that shows it */
} mprof__stack_span;

/* A sample of a process: what all of its threads share. Times are CLOCK_MONOTONIC. */
typedef struct mprof__stack_moment {
    int64_t now_ns;
    int64_t rss_bytes;
    int64_t before_ns; /* of the sample before */
    int64_t before_bytes;
    uint32_t number; /* of the last regular sample */
} mprof__stack_moment;

#define MPROF__RECORDED_LEVELS_MAX 8

/* Which frames of a sample are functions that the process records itself, outermost first. */
typedef struct mprof__recorded_frames {
    int64_t time_ns;
    uint64_t bits[MPROF__SHOWN_FRAMES_MAX / 64 + 1];
    uint32_t functions[MPROF__RECORDED_LEVELS_MAX]; /* of the outermost of them */
    size_t depth;
    bool is_checked; /* again, with functions that were recorded for the first time since */
} mprof__recorded_frames;

typedef struct mprof__stack_thread {
    uint64_t state;          /* of its thread state in the process */
    int64_t tid;             /* 0: not known */
    mprof__stack_lane *lane; /* borrowed */
    mprof__fault_counter faults;
    mprof__fault_event event;
    bool is_seen;             /* in the present sample */
    uint32_t node;            /* of the innermost frame shown; 0: none */
    int64_t grown_faults;     /* since the last sample */
    int64_t early_faults;     /* those of them that are credited to the stack of the last sample */
    int64_t recent_faults;    /* since the last regular sample */
    double faults_per_ns;     /* how fast the present stack made some when it was sampled */
    mprof__stack_span *spans; /* owned; outermost first */
    size_t depth;
    size_t size;
    size_t kept;          /* how many outermost spans the last sample confirmed */
    uint32_t node_before; /* of the sample before that */
    size_t depth_before;
    mprof__recorded_frames recorded[2]; /* of the last sample, and of the one before */
} mprof__stack_thread;

/* What becomes of the spans that end. */
typedef struct mprof__stack_span_sink {
    void *data;
    void (*ended)(void *data, const mprof__stack_thread *thread, const mprof__stack_span *span,
                  size_t level, int64_t exit_ns, int64_t exit_bytes, bool is_open);
} mprof__stack_span_sink;

/* Ends the spans from `level` on, which were not seen at this moment any more. */
void mprof__stack_thread_end(mprof__stack_thread *thread, size_t level,
                             const mprof__stack_moment *moment, const mprof__stack_span_sink *sink);

/* Ends all spans because the recording ends, not the thread. */
void mprof__stack_thread_cut(mprof__stack_thread *thread, const mprof__stack_moment *moment,
                             const mprof__stack_span_sink *sink);

/* Takes over a sample: frames[count] outermost first, and their functions. A frame with the same
 * address and function as before continues its span. is_torn: inner frames are missing, those known
 * before may still be there. */
void mprof__stack_thread_update(mprof__stack_thread *thread, mprof__frame_tree *tree,
                                const mprof__python_frame *const *frames, const uint32_t *functions,
                                size_t count, bool is_torn, const mprof__stack_moment *moment,
                                const mprof__stack_span_sink *sink);

/* The stack has been the same up to this moment. */
void mprof__stack_thread_hold(mprof__stack_thread *thread, int64_t now_ns);

/* Credits growth to all spans on the stack, and to the sum of its innermost. */
void mprof__stack_thread_grow(mprof__stack_thread *thread, int64_t bytes,
                              const mprof__stack_moment *moment);

/* After growth is credited: notes what of it functions of the other sample may have had. early: of
 * that, what was credited to the stack before. is_late: frames that both samples have may have been
 * called anew, unless they were there for long. */
void mprof__stack_thread_note_doubt(mprof__stack_thread *thread, int64_t bytes, int64_t early_bytes,
                                    bool is_late, const mprof__stack_moment *moment);

/* Whether the process of a thread records calls of a function itself. */
typedef struct mprof__recorded_functions {
    void *data;
    bool (*contain)(void *data, uint32_t function);
} mprof__recorded_functions;

/* Notes which spans are of recorded functions, as of a sample that was taken over. */
void mprof__stack_thread_note_recorded(mprof__stack_thread *thread, int64_t now_ns,
                                       const mprof__recorded_functions *recorded);

/* The same again, for functions that were recorded for the first time since; once a sample. */
void mprof__stack_thread_check_again(mprof__stack_thread *thread,
                                     const mprof__recorded_functions *recorded);

/* How many spans the last sample shows around recorded calls; 0 if it shows no such call. */
int32_t mprof__stack_thread_levels_around(const mprof__stack_thread *thread);

/* Whether a sample during a recorded call may show it: a recorded function of that name and level.
 */
bool mprof__stack_thread_may_show(const mprof__stack_thread *thread, const mprof__frame_tree *tree,
                                  const mprof__event_log_call *call);

/* Returns how many spans of samples are around a recorded call that has ended; level: its own among
 * recorded calls. Spans inside of it end with it, although a frame in the same place has been seen
 * since. */
int32_t mprof__stack_thread_end_call(mprof__stack_thread *thread, int32_t level, int64_t enter_ns,
                                     int64_t exit_ns, const mprof__recorded_functions *recorded,
                                     const mprof__stack_span_sink *sink);

void mprof__stack_thread_close(mprof__stack_thread *thread);

#endif
