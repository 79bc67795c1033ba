/* Samples a process's memory at an interval, in a thread that knows nothing of Python: the program
 * that is measured need not give up the interpreter for it. */
#ifndef MPROF_AGENT_MEMORY_SAMPLER_H
#define MPROF_AGENT_MEMORY_SAMPLER_H

#include "process_memory.h"

typedef struct mprof__sampler mprof__sampler;

typedef struct mprof__measurement {
    int64_t bytes;
    double time_s; /* unix seconds */
    bool on_time;  /* one of the interval asked for; else one more, taken because it was early */
} mprof__measurement;

typedef struct mprof__sampler_options {
    pid_t pid;
    enum mprof__footprint_kind kind;
    bool children; /* memory of descendants is added */
    double interval_s;
    bool most_only; /* keep the highest one alone */
} mprof__sampler_options;

/* Starts with a first measurement, which is there when this returns. NULL with errno set. */
mprof__sampler *mprof__sampler_start(const mprof__sampler_options *options);

/* Takes a last measurement, ends the thread and waits for it. In the child of a fork, where there
 * is no such thread, it only forgets. More than once does nothing. */
void mprof__sampler_stop(mprof__sampler *sampler);

/* What was measured, in order; a stopped sampler's. Owned by the sampler. With most_only: one. */
const mprof__measurement *mprof__sampler_measurements(const mprof__sampler *sampler, size_t *count);

/* How many were taken, kept or not. */
size_t mprof__sampler_taken(const mprof__sampler *sampler);

/* Stops and frees. NULL is fine. */
void mprof__sampler_free(mprof__sampler *sampler);

#endif
