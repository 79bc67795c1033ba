/* Searches a series, whose points are in order of time. Private to the program. */
#ifndef MPROF_PARSE_SERIES_H
#define MPROF_PARSE_SERIES_H

#include <mprof/profile.h>

/* Index of the first point at or after `time_s`, else the number of points. */
size_t mprof__first_point_from(const mprof_series *series, double time_s);

#endif
