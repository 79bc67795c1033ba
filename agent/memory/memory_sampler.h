/* Samples a process's memory at an interval, in a thread that knows nothing of Python: the program
 * that is measured need not give up the interpreter for it. */
#ifndef MPROF_AGENT_MEMORY_SAMPLER_H
#define MPROF_AGENT_MEMORY_SAMPLER_H

#include "process_memory.h"

typedef struct mprof__memory_sampler mprof__memory_sampler;

typedef struct mprof__measurement {
    int64_t bytes;
    double time_s; /* unix seconds */
    bool on_time;  /* one of the interval asked for; else one more, taken because it was early */
} mprof__measurement;

typedef struct mprof__memory_sampler_options {
    pid_t pid;
    enum mprof__process_memory_kind kind;
    bool children; /* memory of descendants is added */
    double interval_s;
    bool most_only; /* keep the highest one alone */
} mprof__memory_sampler_options;

/* Starts with a first measurement, which is there when this returns. NULL with errno set. */
mprof__memory_sampler *mprof__memory_sampler_start(const mprof__memory_sampler_options *options);

/* Takes a last measurement, ends the thread and waits for it. In the child of a fork, where there
 * is no such thread, it only forgets. More than once does nothing. */
void mprof__memory_sampler_stop(mprof__memory_sampler *sampler);

/* What was measured, in order; a stopped sampler's. Owned by the sampler. With most_only: one. */
const mprof__measurement *mprof__memory_sampler_measurements(const mprof__memory_sampler *sampler,
                                                             size_t *count);

/* How many were taken, kept or not. */
size_t mprof__memory_sampler_count(const mprof__memory_sampler *sampler);

/* Stops and frees. NULL is fine. */
void mprof__memory_sampler_free(mprof__memory_sampler *sampler);

#endif
