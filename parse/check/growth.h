/* Whether memory grows: the slope of its lowest values after warm-up. Private to the program. */
#ifndef MPROF_PARSE_CHECK_GROWTH_H
#define MPROF_PARSE_CHECK_GROWTH_H

#include "verdict.h"

#include <mprof/record.h>
#include <stddef.h>

#define MPROF__GROWTH_CONFIDENCE 0.99
#define MPROF__GROWTH_WINDOWS_NEEDED 8

typedef struct mprof__growth {
    double mib_per_min;      /* NAN: fewer windows than needed */
    double low, high;        /* its interval, of MPROF__GROWTH_CONFIDENCE */
    double late_mib_per_min; /* in the last quarter */
    double late_margin;      /* three times the standard error of that */
    double end_highest; /* what the slope within the last quarter is not above; INFINITY: unknown */
    size_t windows;     /* of equal time; most hold a trough of the curve */
    size_t windows_most; /* as many as the samples allow */
    double from_s, to_s; /* unix seconds: what was used, without warm-up and end */
} mprof__growth;

/* Samples in order of time, of what a limit applies to. 0, or -1 without memory. */
int mprof__growth_find(mprof__growth *growth, const mprof_sample *samples, size_t count);

/* Passed, failed or inconclusive. *reason: static text, a clause; "": nothing to add. */
mprof__verdict mprof__growth_judge(const mprof__growth *growth, double limit_mib_per_min,
                                   const char **reason);

#endif
