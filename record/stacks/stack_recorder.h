/* Samples the Python stacks of all processes of a recording, between and at its ticks: regularly,
 * more often where memory grows, and at the kernel's page-fault events. Writes the spans and sums
 * that come of it. Never stops or changes a process. */
#ifndef MPROF_RECORD_STACK_RECORDER_H
#define MPROF_RECORD_STACK_RECORDER_H

#include "record/output/event_log.h"
#include "record/processes/process_tree.h"

#include <mprof/error.h>
#include <mprof/record.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__stack_recorder mprof__stack_recorder;

/* How stacks are sampled. */
typedef struct mprof__stack_plan {
    const char *chosen;  /* "own", "all", or patterns, one a line; NULL: no stacks; borrowed */
    int64_t interval_ns; /* between regular samples */
    bool without_events; /* sample at regular times alone */
    bool from_start;     /* all processes are born while they are recorded */
} mprof__stack_plan;

/* Whether a function is recorded by its process itself: then its calls are in the file already. */
typedef struct mprof__recorded_check {
    bool (*is_recorded)(void *data, int64_t pid, mprof_text name);
    void *data;
} mprof__recorded_check;

/* log and tree are borrowed and must outlive the recorder. MPROF_ENOMEM. */
mprof_status mprof__stack_recorder_open(mprof__stack_recorder **out, const mprof__stack_plan *plan,
                                        mprof__event_log *log, mprof__process_tree *tree,
                                        mprof_error *error);
void mprof__stack_recorder_free(mprof__stack_recorder *recorder);

/* Leaves out spans of functions that are recorded anyway. */
void mprof__stack_recorder_set_check(mprof__stack_recorder *recorder, mprof__recorded_check check);

/* The first sample is due now. Times: CLOCK_MONOTONIC. */
void mprof__stack_recorder_begin(mprof__stack_recorder *recorder, int64_t now_ns);

/* When the next sample is due; INT64_MAX: it has not begun. */
int64_t mprof__stack_recorder_due_ns(const mprof__stack_recorder *recorder);

/* Takes the samples that are due. is_fresh: resident memory of all processes has just been read. */
void mprof__stack_recorder_tick(mprof__stack_recorder *recorder, bool is_fresh, int64_t now_ns);

/* A descriptor that is readable when memory grows; -1: none, or not now, since such samples may
 * take a twentieth of the time only. Then one is due later. */
int mprof__stack_recorder_events_fd(const mprof__stack_recorder *recorder);

/* Samples the processes whose memory grows. */
void mprof__stack_recorder_read_events(mprof__stack_recorder *recorder, int64_t now_ns);

/* A process executes another program, or has ended. */
void mprof__stack_recorder_exec(mprof__stack_recorder *recorder, int64_t pid, int64_t now_ns);
void mprof__stack_recorder_end(mprof__stack_recorder *recorder, int64_t pid, int64_t end_ns);

/* A recorded call is about to be written: ends the spans of samples inside of it, and returns how
 * many are around it, so that it is drawn below them. */
int32_t mprof__stack_recorder_end_call(mprof__stack_recorder *recorder,
                                       const mprof__event_log_call *call);

/* Writes the spans that have ended. To be called after samples, once recorded calls that ended
 * before them are written. */
void mprof__stack_recorder_write_spans(mprof__stack_recorder *recorder);

/* The recording ends: writes all that is left. */
void mprof__stack_recorder_finish(mprof__stack_recorder *recorder, int64_t now_ns);

#endif
