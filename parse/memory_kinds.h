/* Curves of memory by kinds. Private to this folder. */
#ifndef MPROF_PARSE_MEMORY_KINDS_H
#define MPROF_PARSE_MEMORY_KINDS_H

#include "curve.h"

#include <mprof/profile.h>
#include <mprof/record.h>

typedef struct mprof__kind_curves {
    unsigned kept;     /* 1 << mprof_kind: which curves are made */
    unsigned recorded; /* 1 << mprof_kind: which the recording has */
    size_t max_points; /* of each curve */
    int64_t main_pid;  /* its curve is kept where a sum means nothing */
    double tick_s;     /* time of the sums below; NAN: none yet */
    double sums_mib[MPROF_KIND_COUNT];
    size_t counts[MPROF_KIND_COUNT]; /* processes in the sum */
    size_t most[MPROF_KIND_COUNT];   /* the most at any tick */
    mprof__curve curves[MPROF_KIND_COUNT];
} mprof__kind_curves;

void mprof__kind_curves_init(mprof__kind_curves *curves, unsigned kept, size_t max_points);
void mprof__kind_curves_free(mprof__kind_curves *curves);

/* Adds one process at one tick; records of a tick have the same time and follow each other.
 * main_pid: MPROF_PID_NONE if not yet known. 0, or -1 without memory. */
int mprof__kind_curves_add(mprof__kind_curves *curves, const mprof_record *record, int64_t main_pid,
                           double from_s, double to_s);

/* Moves the points into kinds[MPROF_KIND_COUNT]. 0, or -1 without memory; what was moved by then
 * stays. */
int mprof__kind_curves_finish(mprof__kind_curves *curves, mprof_kind_series *kinds, double from_s,
                              double to_s, double start_s);

#endif
