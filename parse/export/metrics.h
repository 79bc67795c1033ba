/* Names of metrics in Prometheus: those of recordings that are exported, and of a program that is
 * being recorded (`run --textfile`). Needs libc only. Private to the program. */
#ifndef MPROF_PARSE_EXPORT_METRICS_H
#define MPROF_PARSE_EXPORT_METRICS_H

#include <stdbool.h>
#include <stdio.h>

typedef enum mprof__exported_metric {
    MPROF__METRIC_MEMORY,         /* what the samples are of: the main process, or all */
    MPROF__METRIC_PROCESS,        /* a process */
    MPROF__METRIC_KIND,           /* a kind of memory of a process */
    MPROF__METRIC_HIGH_WATER,     /* the kernel's mark of a process */
    MPROF__METRIC_GROUP,          /* the control group */
    MPROF__METRIC_GROUP_LIMIT,    /* its limit */
    MPROF__METRIC_PEAK,           /* the highest memory so far */
    MPROF__METRIC_DURATION,       /* time recorded so far */
    MPROF__METRIC_FUNCTION_CALLS, /* calls of a function that have ended */
    MPROF__METRIC_FUNCTION_TIME,  /* time in them */
    MPROF__METRIC_COUNT
} mprof__exported_metric;

typedef struct mprof__metric_family {
    const char *name; /* with its unit at its end */
    const char *unit; /* "": none */
    const char *help;
    bool is_counter; /* samples have the suffix "_total" */
} mprof__metric_family;

extern const mprof__metric_family mprof__metric_families[MPROF__METRIC_COUNT];

/* Writes name="value", with what the text format escapes; bytes that are not UTF-8 become U+FFFD.
 */
void mprof__metric_label(FILE *stream, const char *name, const char *value);

#endif
