/* Which pauses between samples are gaps, and memory between two samples. Private to the program. */
#ifndef MPROF_PARSE_PAUSES_H
#define MPROF_PARSE_PAUSES_H

#include <mprof/profile.h>

#include <stdbool.h>

#define MPROF__GAP_FACTOR 8 /* a pause of more intervals is a gap */
/* In a reduced series, whose points are up to a bin apart, also of mprof__reduced_interval_s(),
 * which is half a bin. */
#define MPROF__REDUCED_GAP_FACTOR 2.5

/* How a recording was sampled. */
typedef struct mprof__pauses {
    const mprof_series *samples; /* MEM */
    double interval_s;           /* typical one between samples; infinite if unknown */
    double
        least_interval_s; /* the recorded one, or of a reduced series: shorter ones mean nothing */
    double tick_s;        /* how long one tick takes: 0 if its samples have one time */
} mprof__pauses;

void mprof__pauses_init(mprof__pauses *pauses, const mprof_profile *profile);

/* Typical interval between samples; `otherwise` if there are too few. */
double mprof__typical_interval_s(const mprof_series *series, double otherwise);
/* Samples of a reduced series are this far apart at most; 0 if all are there. */
double mprof__reduced_interval_s(const mprof_series *series);

/* True if the recording paused between these unix times, `least_s` or more: more than eight of the
 * intervals that are usual before or after. */
bool mprof__is_pause(const mprof__pauses *pauses, double from_s, double to_s, double least_s);

/* A series at a moment, interpolated; next: its first point that is not before. It rises from 0 and
 * falls to 0 within rise_s at its ends, as the sum of the tree does; in a gap it is 0. */
double mprof__series_mib_at(const mprof__pauses *pauses, const mprof_series *series, size_t next,
                            double at_s, double rise_s);
/* True if the moment is within the life of the process. */
bool mprof__series_covers(const mprof__pauses *pauses, const mprof_series *series, double at_s);

#endif
