/* What differs between two recordings, or two groups of repeated runs. Writers of text, JSON and
 * pictures read this and nothing else. In arrays of two the first value is of the time before, the
 * second of now; a difference is now less before. Private to the program. */
#ifndef MPROF_PARSE_CHECK_COMPARISON_H
#define MPROF_PARSE_CHECK_COMPARISON_H

#include "verdict.h"

#include <mprof/error.h>

#include <stdbool.h>
#include <stddef.h>

enum { MPROF__BEFORE, MPROF__NOW };

/* Which moments are compared with each other. */
typedef enum mprof__alignment {
    MPROF__ALIGN_AUTO,
    MPROF__ALIGN_CALLS,    /* each call with the same call */
    MPROF__ALIGN_START,    /* equal times since the start */
    MPROF__ALIGN_FRACTION, /* equal shares of the duration */
} mprof__alignment;

typedef enum mprof__change_kind {
    MPROF__CHANGE_PEAK,
    MPROF__CHANGE_MEAN,
    MPROF__CHANGE_AREA,     /* memory x time, MiB s */
    MPROF__CHANGE_DURATION, /* s */
    MPROF__CHANGE_GROWTH,   /* MiB/min */
    MPROF__CHANGE_KIND_COUNT
} mprof__change_kind;

/* A figure of the whole run: medians over runs. */
typedef struct mprof__change {
    double values[2]; /* NAN: not measured */
    double difference;
    bool is_at_least[2];    /* all runs were killed: the true value may be higher */
    bool is_judged;         /* else what follows means nothing */
    mprof__verdict verdict; /* failed: higher by more than `allowed` */
    bool is_lower;          /* by more than `allowed` */
    double allowed;
    double p_value;     /* of the U test; NAN: not made */
    const char *reason; /* a clause; "": nothing to add */
} mprof__change;

typedef struct mprof__function_change {
    const char *name, *label;
    bool is_there[2];
    double calls[2], time_s[2];
    double change_mib[2], peak_mib[2]; /* NAN: unknown; as the next one */
    double added_mib[2];               /* the most that a call added */
} mprof__function_change;

/* Processes of one name. */
typedef struct mprof__process_change {
    const char *name;
    double count[2];
    double peak_mib[2]; /* of the largest; NAN: unknown */
    double mean_mib[2]; /* of all together, over the whole run; NAN: unknown */
} mprof__process_change;

/* A pair of moments that are compared. */
typedef struct mprof__compared_point {
    double times_s[2];      /* NAN: that side has ended */
    double mib[2];          /* median over runs; NAN: not sampled */
    double low[2], high[2]; /* over runs */
    double at_s;            /* on a common axis: the mean of both times */
    double slack_s;         /* by how much equal steps may be apart */
    double difference;      /* NAN if either is */
} mprof__compared_point;

/* A difference that lasts. */
typedef struct mprof__sustained {
    double mib;          /* with its sign: the difference was at least that; 0: none */
    double from_s, to_s; /* of now, or if it has ended, of before */
    double window_s;     /* how long a difference must last to count; NAN: nothing to compare */
    const char *running; /* functions that ran then, the outermost first; "" */
} mprof__sustained;

typedef struct mprof__comparison {
    const char *names[2];  /* as given, or of the file */
    const char *files[2];  /* the runs nearest to the median peak */
    size_t run_numbers[2]; /* of those files */
    const char *program;
    const char *command_line; /* of now; "" if unknown */
    size_t run_counts[2];
    mprof__alignment by;
    size_t matched_calls;
    mprof__change changes[MPROF__CHANGE_KIND_COUNT];
    mprof__function_change *functions; /* owned; the largest difference of added_mib first */
    size_t function_count;
    mprof__process_change *processes; /* owned; the largest difference of mean_mib first */
    size_t process_count;
    mprof__compared_point *points; /* owned */
    size_t point_count;
    mprof__sustained sustained;
    double floor_mib, tolerance;
    const char *headline; /* a sentence */
} mprof__comparison;

/* Text is the results' own. All zero: none. */
typedef struct mprof__comparisons {
    mprof__comparison *items; /* owned; pairs */
    size_t count, capacity;
    const char **alone; /* owned; names of what only one side has: "name (only before)" */
    size_t alone_count, alone_capacity;
    mprof__results results; /* the judged changes, as results of a check */
} mprof__comparisons;

typedef struct mprof__compare_options {
    mprof__alignment by;
    double tolerance, floor_mib;
    bool has_limits; /* else the exit code is 0 whatever the verdicts are */
} mprof__compare_options;

/* Compares two files or directories. What cannot be read, and what has no counterpart, is in the
 * results. MPROF_ENOMEM, or MPROF_EARGUMENT: both are the standard input. Free them even so. */
mprof_status mprof__compare(mprof__comparisons *comparisons, const char *const paths[2],
                            const mprof__compare_options *options, mprof_error *error);

/* 0 no worse; 1 worse; 3 unclear, or something could not be read or compared. */
int mprof__comparisons_exit_code(const mprof__comparisons *comparisons);

/* Static text: "peak", "memory x time". */
const char *mprof__change_name(mprof__change_kind kind);
const char *mprof__change_unit(mprof__change_kind kind);

void mprof__comparisons_free(mprof__comparisons *comparisons);

#endif
