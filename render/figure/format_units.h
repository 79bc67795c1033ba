/* Formats numbers for people. Each function returns its first argument. Private to the folder. */
#ifndef MPROF_RENDER_FORMAT_UNITS_H
#define MPROF_RENDER_FORMAT_UNITS_H

#include <mprof/figure.h>
#include <stddef.h>
#include <stdint.h>

char *mprof__duration_text(char *text, size_t size, double seconds);
/* With how much it may be off: "0.5 s ±0.1". */
char *mprof__unsure_duration_text(char *text, size_t size, double seconds, double doubt_s);
#define MPROF__PLACES_MAX 9 /* decimals of memory in a fixed unit */

typedef struct mprof__memory_unit {
    const char *name;
    double mib; /* of one */
    int places; /* decimals of a usual value */
} mprof__memory_unit;

const mprof__memory_unit *mprof__unit_of(mprof_unit unit);
/* In the unit that suits the value; or in a fixed one, with as many decimals as are worth it. */
char *mprof__memory_text(char *text, size_t size, double mib);
char *mprof__memory_text_in(char *text, size_t size, mprof_unit unit, double mib);
/* "1.0 – 2.5 MiB"; a single value where both texts are the same. */
char *mprof__memory_range_text(char *text, size_t size, mprof_unit unit, double low_mib,
                               double high_mib);
char *mprof__change_text(char *text, size_t size, double mib); /* with a sign */
char *mprof__change_text_in(char *text, size_t size, mprof_unit unit, double mib);
char *mprof__count_text(char *text, size_t size, uint64_t count); /* 12,345 */
char *mprof__percent_text(char *text, size_t size, double share); /* whole per cent, "< 1 %" */
char *mprof__rate_text(char *text, size_t size, double per_s);    /* "56/s", "3.2/min" */
char *mprof__date_text(char *text, size_t size, double unix_s);
/* The zone of such a date: "UTC", or the distance from it, +01:00. */
char *mprof__zone_text(char *text, size_t size, double unix_s);

#endif
