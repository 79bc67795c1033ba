/* A recording may have parts with short and parts with long intervals, so a pause is compared with
 * those around it. */
#include "pauses.h"

#include "array.h"
#include "extremes.h"
#include "series.h"

#include <math.h>
#include <stdlib.h>

#define NEIGHBOURS 8       /* intervals on either side */
#define FEWEST_INTERVALS 2 /* fewer have no median */
#define PROBES 501         /* the typical interval is the median of at most this many */

/* The four points of a time bin are close to each other. */
double mprof__reduced_interval_s(const mprof_series *series)
{
    return series->sample_count > series->point_count && series->point_count > 0
               ? (series->last_s - series->first_s) * 2 / (double)series->point_count
               : 0;
}

double mprof__typical_interval_s(const mprof_series *series, double otherwise)
{
    double intervals[PROBES];
    size_t count = 0;
    size_t stride = series->point_count / PROBES + 1;
    for (size_t i = 1; i < series->point_count && count < PROBES; i += stride) {
        double pause = series->points[i].time_s - series->points[i - 1].time_s;
        if (pause > 0) {
            intervals[count++] = pause;
        }
    }
    if (count < 3) {
        return otherwise;
    }
    qsort(intervals, count, sizeof *intervals, mprof__compare_doubles);
    return mprof__larger(intervals[count / 2], mprof__reduced_interval_s(series));
}

/* From the fact `interval`; infinite without one. */
static double recorded_interval_s(const mprof_profile *profile)
{
    const char *text = mprof_profile_fact(profile, "interval");
    double interval_s = text ? strtod(text, NULL) : 0;
    return interval_s > 0 ? interval_s : INFINITY;
}

/* mprof gives all samples of a tick one time; upstream samples one process after the other. */
void mprof__pauses_init(mprof__pauses *pauses, const mprof_profile *profile)
{
    bool one_time = mprof_profile_fact(profile, "include-children") != NULL;
    pauses->samples = mprof_profile_samples(profile);
    pauses->interval_s = mprof__typical_interval_s(pauses->samples, recorded_interval_s(profile));
    pauses->least_interval_s = mprof__reduced_interval_s(pauses->samples);
    /* a program is sampled faster at first */
    double recorded_s = recorded_interval_s(profile);
    if (isfinite(recorded_s)) {
        pauses->least_interval_s = mprof__larger(pauses->least_interval_s, recorded_s);
    }
    pauses->tick_s = one_time || !isfinite(pauses->interval_s) ? 0 : pauses->interval_s;
}

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

bool mprof__is_pause(const mprof__pauses *pauses, double from_s, double to_s, double least_s)
{
    const mprof_series *samples = pauses->samples;
    double pause_s = to_s - from_s;
    if (!(pause_s > least_s)) {
        return false;
    }
    size_t before = mprof__first_point_from(samples, from_s);
    size_t after = mprof__first_point_from(samples, to_s);
    before += before < samples->point_count && samples->points[before].time_s <= from_s;
    size_t first = before > NEIGHBOURS + 1 ? before - NEIGHBOURS - 1 : 0;
    double usual_s = mprof__larger(usual_interval_s(samples->points, first, before),
                                   usual_interval_s(samples->points, after, samples->point_count));
    if (isnan(usual_s)) {
        usual_s = pauses->interval_s;
    }
    return pause_s > MPROF__GAP_FACTOR * mprof__larger(usual_s, pauses->least_interval_s);
}

double mprof__series_mib_at(const mprof__pauses *pauses, const mprof_series *series, size_t next,
                            double at_s, double rise_s)
{
    const mprof_sample *points = series->points;
    mprof_sample before, after;
    bool is_inside = next > 0 && next < series->point_count;
    if (next == 0) {
        after = points[0];
        before = (mprof_sample){0, after.time_s - rise_s};
    } else if (next == series->point_count) {
        before = points[next - 1];
        after = (mprof_sample){0, before.time_s + rise_s};
    } else {
        before = points[next - 1];
        after = points[next];
    }
    if (at_s == after.time_s) {
        return after.mib;
    }
    double pause = after.time_s - before.time_s;
    if (at_s < before.time_s || at_s > after.time_s ||
        (is_inside &&
         mprof__is_pause(pauses, before.time_s, after.time_s,
                         MPROF__REDUCED_GAP_FACTOR * mprof__reduced_interval_s(series)))) {
        return 0;
    }
    return before.mib + (after.mib - before.mib) * (at_s - before.time_s) / pause;
}

bool mprof__series_covers(const mprof__pauses *pauses, const mprof_series *series, double at_s)
{
    const mprof_sample *points = series->points;
    return series->point_count && at_s >= points[0].time_s - pauses->tick_s &&
           at_s <= points[series->point_count - 1].time_s;
}
