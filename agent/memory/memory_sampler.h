/* Samples a process's memory at an interval, in a thread that knows nothing of Python: the program
 * that is measured need not give up the interpreter for it. */
#ifndef MPROF_AGENT_MEMORY_SAMPLER_H
#define MPROF_AGENT_MEMORY_SAMPLER_H

#include "process_memory.h"

typedef struct mprof_sampler mprof_sampler;

typedef struct mprof_measurement {
    int64_t bytes;
    double time_s; /* unix seconds */
    bool on_time;  /* one of the interval asked for; else one more, taken because it was early */
} mprof_measurement;

typedef struct mprof_sampler_options {
    pid_t pid;
    enum mprof_footprint_kind kind;
    bool children; /* memory of descendants is added */
    double interval_s;
    bool most_only; /* keep the highest one alone */
} mprof_sampler_options;

/* Starts with a first measurement, which is there when this returns. NULL with errno set. */
mprof_sampler *mprof__sampler_start(const mprof_sampler_options *options);

/* Takes a last measurement, ends the thread and waits for it. In the child of a fork, where there
 * is no such thread, it only forgets. More than once does nothing. */
void mprof__sampler_stop(mprof_sampler *sampler);

/* What was measured, in order; a stopped sampler's. Owned by the sampler. With most_only: one. */
const mprof_measurement *mprof__sampler_measurements(const mprof_sampler *sampler, size_t *count);

/* How many were taken, kept or not. */
size_t mprof__sampler_taken(const mprof_sampler *sampler);

/* Stops and frees. NULL is fine. */
void mprof__sampler_free(mprof_sampler *sampler);

#endif
