/* What is kept of a recording's control group. Private to this folder. */
#ifndef MPROF_GROUP_H
#define MPROF_GROUP_H

#include <mprof/profile.h>
#include <mprof/record.h>

#include <math.h>

static inline void mprof__group_clear(mprof_control_group *group)
{
    group->highest.mib = NAN;
    group->limit_mib = NAN;
}

static inline void mprof__group_take(mprof_control_group *group, const mprof_record *record)
{
    if (isnan(group->highest.mib) || record->sample.mib > group->highest.mib) {
        group->highest = record->sample;
    }
    group->limit_mib = record->limit_mib;
}

#endif
