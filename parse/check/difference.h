/* The difference of two curves, or of the medians of two groups of curves. Private to the folder.
 */
#ifndef MPROF_PARSE_CHECK_DIFFERENCE_H
#define MPROF_PARSE_CHECK_DIFFERENCE_H

#include "compared_run.h"
#include "comparison.h"

#include <stddef.h>

typedef struct mprof__difference_side {
    const mprof__compared_run **runs; /* owned by the caller, like the runs */
    size_t count, typical;
} mprof__difference_side;

typedef struct mprof__difference {
    mprof__difference_side sides[2]; /* in */
    mprof__alignment wanted;
    double floor_mib;    /* smaller differences are none */
    mprof__alignment by; /* out, as what follows */
    size_t matched_calls;
    double length_s;               /* of a run, on average */
    mprof__compared_point *points; /* the caller's to free */
    size_t point_count;
    mprof__sustained sustained; /* without its text */
} mprof__difference;

/* running: receives what ran at the sustained difference, "load > parse"; "" if no call did. 0, or
 * -1 without memory. */
int mprof__difference_find(mprof__difference *difference, char *running, size_t size);

#endif
