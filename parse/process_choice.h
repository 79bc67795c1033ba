/* Of a recording with very many processes: which have curves of their own, and what the others sum
 * up to. Private to this folder. */
#ifndef MPROF_PARSE_PROCESS_CHOICE_H
#define MPROF_PARSE_PROCESS_CHOICE_H

#include "map.h"

#include <mprof/profile.h>

#include <stdbool.h>

typedef struct mprof__process_choice {
    int64_t *pids; /* owned; the chosen ones */
    size_t pid_count;
    mprof__index index;
    size_t other_count; /* processes that are not among them */
    /* the others' memory: its sum over all samples of a bin, and how many ticks fell into it */
    double *sums_mib;
    uint32_t *ticks;
    size_t bin_count;
    double from_s, to_s; /* what the bins cover: all samples within the window */
} mprof__process_choice;

/* Reads the source once and chooses `most` processes: those with calls, the main one, then those
 * with the highest samples. Samples count that lie in from_s..to_s. MPROF_ENOMEM, and what
 * mprof_read returns. */
mprof_status mprof__process_choice_make(mprof__process_choice *choice, mprof_source *source,
                                        size_t most, double from_s, double to_s,
                                        mprof_error *error);
void mprof__process_choice_free(mprof__process_choice *choice);

bool mprof__process_choice_has(const mprof__process_choice *choice, int64_t pid);

/* A sample of one of the others, and a tick of MEM. */
void mprof__process_choice_add(mprof__process_choice *choice, mprof_sample sample);
void mprof__process_choice_tick(mprof__process_choice *choice, double time_s);

/* The sum of the others, as its mean in each bin. MPROF_ENOMEM. */
mprof_status mprof__process_choice_sum(const mprof__process_choice *choice, mprof_series *series,
                                       double start_s);

#endif
