/* Curves of the control group. Both numbers hold until the next record, so the last one before a
 * window is as good as a sample at its edge. */
#include "control_group.h"

void mprof__group_curves_init(mprof__group_curves *curves, size_t max_points)
{
    mprof__curve_init(&curves->current, max_points);
    mprof__curve_init(&curves->limits, max_points);
    curves->limit_mib = NAN;
}

void mprof__group_curves_free(mprof__group_curves *curves)
{
    mprof__curve_free(&curves->current);
    mprof__curve_free(&curves->limits);
}

int mprof__group_curves_add(mprof__group_curves *curves, const mprof_record *record, double from_s,
                            double to_s)
{
    mprof_sample limit = {isnan(record->limit_mib) ? INFINITY : record->limit_mib,
                          record->sample.time_s};
    if (mprof__curve_push_within(&curves->current, record->sample, from_s, to_s) != 0) {
        return -1;
    }
    if (limit.mib == curves->limit_mib) {
        return 0;
    }
    curves->limit_mib = limit.mib;
    return mprof__curve_push_within(&curves->limits, limit, from_s, to_s);
}

int mprof__group_curves_finish(mprof__group_curves *curves, mprof_control_group *group,
                               double start_s)
{
    mprof_series limits;
    if (mprof__curve_finish(&curves->current, &group->current, start_s) != 0 ||
        mprof__curve_finish(&curves->limits, &limits, start_s) != 0) {
        return -1;
    }
    group->limits = limits.points;
    group->limit_count = limits.point_count;
    return 0;
}
