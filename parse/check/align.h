/* Which moment of one run is which moment of another. Private to the folder. */
#ifndef MPROF_PARSE_CHECK_ALIGN_H
#define MPROF_PARSE_CHECK_ALIGN_H

#include "compared_run.h"
#include "comparison.h"

#include <stddef.h>

/* A moment that both runs have. */
typedef struct mprof__anchor {
    double first_s, second_s;
    bool ends_call; /* a call that both have fills the time from the one before */
} mprof__anchor;

typedef struct mprof__aligned {
    mprof__alignment by;
    mprof__anchor *anchors; /* owned; both times never fall; at least one */
    size_t count;
    size_t call_count; /* entries and exits that were matched, halved */
} mprof__aligned;

/* MPROF__ALIGN_AUTO: by calls where both have them, else what leaves the smaller difference. The
 * same whichever of the two is the first. 0, or -1 without memory. */
int mprof__align(mprof__aligned *aligned, const mprof__compared_run *first,
                 const mprof__compared_run *second, mprof__alignment wanted);

/* The moment of the second run; NAN outside of the anchors. */
double mprof__aligned_second(const mprof__aligned *aligned, double first_s);
void mprof__aligned_free(mprof__aligned *aligned);

#endif
