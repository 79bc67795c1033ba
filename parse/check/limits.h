/* Limits as users write them: in options, and with the same names and values in mprof.ini. Private
 * to the program. */
#ifndef MPROF_PARSE_CHECK_LIMITS_H
#define MPROF_PARSE_CHECK_LIMITS_H

#include "verdict.h"

#include <mprof/error.h>
#include <mprof/record.h>

#include <stdbool.h>
#include <stddef.h>

#define MPROF__DEFAULT_TOLERANCE 0.05
#define MPROF__DEFAULT_FLOOR_MIB 2.0

/* "500MiB", "1.5 GiB", "512k", "500MB" (of 1000 * 1000 bytes), "500" (MiB). MPROF_EARGUMENT with
 * what was expected. */
mprof_status mprof__size_parse(double *mib, const char *text, mprof_error *error);

/* "1MiB/min", "100KiB/s", "2GiB/h". */
mprof_status mprof__rate_parse(double *mib_per_min, const char *text, mprof_error *error);

/* "30", "30s", "500ms", "2min", "1.5h". */
mprof_status mprof__time_parse(double *seconds, const char *text, mprof_error *error);

/* "5%": 0.05. */
mprof_status mprof__share_parse(double *share, const char *text, mprof_error *error);

#define MPROF__KIND_GROUP MPROF_KIND_COUNT /* memory of the control group, as a kind */

/* One limit. */
typedef struct mprof__limit {
    mprof__limit_kind kind;
    double value;      /* MiB, MiB/min or seconds */
    char *function;    /* owned; dotted name; NULL: of no function */
    mprof_kind memory; /* MPROF__LIMIT_KIND: which, or MPROF__KIND_GROUP */
} mprof__limit;

/* The limits of one subject, and how it is compared with a baseline. All zero: none. */
typedef struct mprof__limits {
    mprof__limit *items; /* owned; each kind, function and kind of memory once */
    size_t count, capacity;
    char *baseline;   /* owned; NULL: none */
    double tolerance; /* a share; used if has_tolerance, else MPROF__DEFAULT_TOLERANCE */
    double floor_mib; /* the same */
    bool has_tolerance, has_floor;
} mprof__limits;

/* Sets a limit by the name of its option, without dashes: "max", "func" and so on. A later value
 * replaces an earlier one. MPROF_ENOTFOUND: no such name; MPROF_EARGUMENT: a value that cannot be
 * used; MPROF_ENOMEM. */
mprof_status mprof__limits_set(mprof__limits *limits, const char *name, const char *value,
                               mprof_error *error);

/* Sets all that `more` has. */
mprof_status mprof__limits_merge(mprof__limits *limits, const mprof__limits *more,
                                 mprof_error *error);

/* By kind, then by name. */
void mprof__limits_sort(mprof__limits *limits);

void mprof__limits_free(mprof__limits *limits);

/* The name of a kind of memory, or "group". */
const char *mprof__limit_memory_name(mprof_kind memory);

#endif
