/* Usage and limit of the control group. Private to this folder. */
#ifndef MPROF_PARSE_CONTROL_GROUP_H
#define MPROF_PARSE_CONTROL_GROUP_H

#include "curve.h"

#include <mprof/profile.h>
#include <mprof/record.h>

#include <math.h>

static inline void mprof__group_clear(mprof_control_group *group)
{
    group->highest.mib = NAN;
    group->limit_mib = NAN;
}

static inline void mprof__group_add(mprof_control_group *group, const mprof_record *record)
{
    if (isnan(group->highest.mib) || record->sample.mib > group->highest.mib) {
        group->highest = record->sample;
    }
    group->limit_mib = record->limit_mib;
}

/* Both over time. */
typedef struct mprof__group_curves {
    mprof__curve current;
    mprof__curve limits; /* where it changed; INFINITY: none */
    double limit_mib;    /* the latest; NAN: none yet */
} mprof__group_curves;

void mprof__group_curves_init(mprof__group_curves *curves, size_t max_points);
void mprof__group_curves_free(mprof__group_curves *curves);

/* Adds a record within the window, or keeps the nearest outside. 0, or -1 without memory. */
int mprof__group_curves_add(mprof__group_curves *curves, const mprof_record *record, double from_s,
                            double to_s);

/* Moves the points into *group. 0, or -1 without memory; what was moved by then stays. */
int mprof__group_curves_finish(mprof__group_curves *curves, mprof_control_group *group,
                               double start_s);

#endif
