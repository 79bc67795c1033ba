/* Memory by kinds over time, in the making. Private to this folder. */
#ifndef MPROF_PARSE_MEMORY_KINDS_H
#define MPROF_PARSE_MEMORY_KINDS_H

#include "curve.h"

#include <mprof/profile.h>
#include <mprof/record.h>

typedef struct mprof__kind_curves {
    unsigned kept;     /* 1 << mprof_kind: which curves are made */
    unsigned recorded; /* which there could be */
    size_t max_points; /* of each */
    int64_t main_pid;  /* whose curve it is where a sum means nothing */
    double tick_s;     /* of the sums that follow; NAN: none yet */
    double sums_mib[MPROF_KIND_COUNT];
    size_t counts[MPROF_KIND_COUNT]; /* processes in the sum */
    size_t most[MPROF_KIND_COUNT];   /* of all ticks */
    mprof__curve curves[MPROF_KIND_COUNT];
} mprof__kind_curves;

void mprof__kind_curves_init(mprof__kind_curves *curves, unsigned kept, size_t max_points);
void mprof__kind_curves_free(mprof__kind_curves *curves);

/* Adds one process at one tick; those of a tick carry one time and stand together. main_pid: as far
 * as it is known by now, else MPROF_PID_NONE. 0, or -1 without memory. */
int mprof__kind_curves_add(mprof__kind_curves *curves, const mprof_record *record, int64_t main_pid,
                           double from_s, double to_s);

/* Hands the points over, into kinds[MPROF_KIND_COUNT]. 0, or -1 without memory; what was handed
 * over until then stays. */
int mprof__kind_curves_finish(mprof__kind_curves *curves, mprof_kind_series *kinds, double from_s,
                              double to_s, double start_s);

#endif
