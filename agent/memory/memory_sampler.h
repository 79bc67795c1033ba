/* Samples a process's memory at an interval, in a thread that never takes the GIL: it samples also
 * while the measured program holds it. */
#ifndef MPROF_AGENT_MEMORY_SAMPLER_H
#define MPROF_AGENT_MEMORY_SAMPLER_H

#include "process_memory.h"

typedef struct mprof__memory_sampler mprof__memory_sampler;

typedef struct mprof__measurement {
    int64_t bytes;
    double time_s; /* unix seconds */
    bool on_time;  /* at a multiple of the interval; false: an extra one of the early phase */
} mprof__measurement;

typedef struct mprof__memory_sampler_options {
    pid_t pid;
    enum mprof__process_memory_kind kind;
    bool children; /* memory of descendants is added */
    double interval_s;
    bool peak_only; /* keep only the highest */
} mprof__memory_sampler_options;

/* Takes a first measurement before it returns. NULL with errno set. */
mprof__memory_sampler *mprof__memory_sampler_start(const mprof__memory_sampler_options *options);

/* Takes a last measurement, ends the thread and waits for it. In the child of a fork, which has no
 * such thread, it only marks the sampler stopped. Further calls do nothing. */
void mprof__memory_sampler_stop(mprof__memory_sampler *sampler);

/* All measurements in order, of a stopped sampler; with peak_only: one. Owned by the sampler. */
const mprof__measurement *mprof__memory_sampler_measurements(const mprof__memory_sampler *sampler,
                                                             size_t *count);

/* The number of measurements taken, kept or not. */
size_t mprof__memory_sampler_count(const mprof__memory_sampler *sampler);

/* Stops and frees. NULL is fine. */
void mprof__memory_sampler_free(mprof__memory_sampler *sampler);

#endif
