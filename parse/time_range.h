/* Ranges of time as people write them: seconds from the start, clock times, dates. Private to the
 * program. */
#ifndef MPROF_PARSE_TIME_RANGE_H
#define MPROF_PARSE_TIME_RANGE_H

#include <mprof/error.h>
#include <stdbool.h>
#include <time.h>

/* One end of a range. */
typedef struct mprof__time_point {
    enum { MPROF__TIME_OPEN, MPROF__TIME_SECONDS, MPROF__TIME_CLOCK, MPROF__TIME_DATE } kind;
    double seconds; /* from the start; of a clock time since midnight; of a date of its minute */
    struct tm date; /* of a date, in local time, without seconds */
} mprof__time_point;

typedef struct mprof__time_range {
    mprof__time_point from, to;
} mprof__time_range;

/* "5,10", "14:05,14:30:15", "2026-11-22 14:05,", ",30". False: something else. */
bool mprof__time_range_read(mprof__time_range *range, const char *text);
/* Both ends are seconds from the start: no recording is needed to know the window. */
bool mprof__time_range_is_plain(const mprof__time_range *range);
/* It has a clock time or a date. */
bool mprof__time_range_has_clock(const mprof__time_range *range);
/* Seconds from the start of a recording that lasted from start_s to end_s, in unix seconds.
 * MPROF_EARGUMENT: nothing of the recording is in the range. */
mprof_status mprof__time_range_resolve(double window_s[2], const mprof__time_range *range,
                                       double start_s, double end_s, mprof_error *error);

#endif
