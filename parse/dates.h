/* Private to the program and libmprof-render. */
#ifndef MPROF_PARSE_DATES_H
#define MPROF_PARSE_DATES_H

#include <stdbool.h>
#include <time.h>

/* Whether a time is one of the calendar that localtime_r(3) can express. A start before 1980 is a
 * small number: logs of some tools count from their start. */
static inline bool mprof__is_date(double unix_s)
{
    return unix_s > 3.2e8 && unix_s < 1e11;
}

/* The local date and time of day; false: not a date. */
static inline bool mprof__local_time(struct tm *parts, double unix_s)
{
    if (!mprof__is_date(unix_s)) {
        return false;
    }
    time_t whole = (time_t)unix_s;
    return localtime_r(&whole, parts) != NULL;
}

#endif
