/* A recording may have parts with short and parts with long intervals, so a pause is compared with
 * those around it. */
#include "gaps.h"

#include "curve.h"

#include "parse/series.h"

#include <math.h>

#define NEIGHBOURS 8       /* intervals on either side */
#define FEWEST_INTERVALS 2 /* fewer have no median */

/* The median of the intervals between points [first, end); NAN if there are too few. */
static double usual_interval_s(const mprof_sample *points, size_t first, size_t end)
{
    double intervals[NEIGHBOURS];
    size_t count = 0;
    for (size_t i = first + 1; i < end && count < NEIGHBOURS; i++) {
        double interval_s = points[i].time_s - points[i - 1].time_s;
        size_t at = count;
        if (!(interval_s > 0)) {
            continue;
        }
        for (; at > 0 && intervals[at - 1] > interval_s; at--) {
            intervals[at] = intervals[at - 1];
        }
        intervals[at] = interval_s;
        count++;
    }
    return count < FEWEST_INTERVALS ? NAN : intervals[count / 2];
}

bool mprof__is_gap(const mprof__figure_input *input, double from_s, double to_s, double least_s)
{
    const mprof_series *samples = mprof_profile_samples(input->profile);
    double pause_s = to_s - from_s;
    if (!(pause_s > least_s)) {
        return false;
    }
    size_t before = mprof__first_point_from(samples, from_s);
    size_t after = mprof__first_point_from(samples, to_s);
    before += before < samples->point_count && samples->points[before].time_s <= from_s;
    size_t first = before > NEIGHBOURS + 1 ? before - NEIGHBOURS - 1 : 0;
    double usual_s = fmax(usual_interval_s(samples->points, first, before),
                          usual_interval_s(samples->points, after, samples->point_count));
    if (isnan(usual_s)) {
        usual_s = input->interval_s;
    }
    return pause_s > MPROF__GAP_FACTOR * fmax(usual_s, input->least_interval_s);
}
