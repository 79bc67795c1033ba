/* One limit of one subject, judged over all of its runs. Private to the folder. */
#ifndef MPROF_PARSE_CHECK_JUDGE_H
#define MPROF_PARSE_CHECK_JUDGE_H

#include "gather.h"
#include "limits.h"
#include "verdict.h"

#include <stddef.h>

/* Judges limit `index` of the group. A cap holds for every run: the worst decides. 0, or -1 without
 * memory. */
int mprof__judge_limit(mprof__results *results, size_t subject, const mprof__group *group,
                       size_t index);

/* Peaks of known-good runs. */
typedef struct mprof__reference {
    const double *peaks_mib; /* not owned */
    size_t count;            /* 0: none; then `reason` says why */
    const char *reason;
    const mprof__group *group; /* the recordings they are from; NULL: from a file of baselines */
} mprof__reference;

/* Judges the peaks of a group against known-good ones, with its tolerance and floor. 0, or -1
 * without memory. */
int mprof__judge_baseline(mprof__results *results, size_t subject, const mprof__group *group,
                          const mprof__reference *reference);

/* Two samples, and whether the first is higher. */
typedef struct mprof__judged {
    mprof__verdict verdict; /* passed, failed or inconclusive */
    double median, before_median;
    double allowed; /* by how much the medians may differ */
    double p_value; /* NAN: no test was needed, or possible */
} mprof__judged;

/* Judges values by the rule for peaks. Both counts are at least 1. 0, or -1 without memory. */
int mprof__judge_values(mprof__judged *judged, const double *values, size_t count,
                        const double *before, size_t before_count, double tolerance,
                        double floor_mib);

#endif
