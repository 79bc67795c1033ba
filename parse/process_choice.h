/* For recordings with very many processes: which get curves of their own, and the sum of the
 * others. Private to this folder. */
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
    /* the others: sum of all samples in a bin, and number of ticks in it */
    double *sums_mib;
    uint32_t *ticks;
    size_t bin_count;
    double from_s, to_s; /* range of the bins: all samples within the window */
} mprof__process_choice;

/* Reads the source once and chooses `most` processes: those with calls, the main one, then those
 * with the highest samples within from_s..to_s. MPROF_ENOMEM, or what mprof_read returns. */
mprof_status mprof__process_choice_make(mprof__process_choice *choice, mprof_source *source,
                                        size_t most, double from_s, double to_s,
                                        mprof_error *error);
void mprof__process_choice_free(mprof__process_choice *choice);

bool mprof__process_choice_has(const mprof__process_choice *choice, int64_t pid);

/* Adds a sample of another process, or a tick of MEM. */
void mprof__process_choice_add(mprof__process_choice *choice, mprof_sample sample);
void mprof__process_choice_tick(mprof__process_choice *choice, double time_s);

/* The sum of the others: the mean over the ticks of each bin. MPROF_ENOMEM. */
mprof_status mprof__process_choice_sum(const mprof__process_choice *choice, mprof_series *series,
                                       double start_s);

#endif
