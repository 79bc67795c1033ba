/* The numbers of results for systems that draw them over many builds: each once, whatever number of
 * limits it was held against. Private to this folder. */
#ifndef MPROF_PARSE_FORMATS_MEASURES_H
#define MPROF_PARSE_FORMATS_MEASURES_H

#include "parse/check/verdict.h"

typedef enum mprof__measure_kind {
    MPROF__MEASURE_PEAK,
    MPROF__MEASURE_DURATION,
    MPROF__MEASURE_CHILD,
    MPROF__MEASURE_GROWTH,
    MPROF__MEASURE_FUNCTION,
    MPROF__MEASURE_MEMORY, /* the peak of a kind of memory */
    MPROF__MEASURE_KIND_COUNT
} mprof__measure_kind;

typedef struct mprof__measure {
    size_t subject; /* index into mprof__results.subjects */
    mprof__measure_kind kind;
    const char *of;              /* the function or kind of memory; else "" */
    mprof__unit unit;            /* always the same of a kind */
    double value;                /* not NAN */
    double low, high;            /* NAN: unknown */
    const mprof__result *result; /* NULL: it was held against no limit */
} mprof__measure;

typedef struct mprof__measures {
    mprof__measure *items; /* owned */
    size_t count, capacity;
} mprof__measures;

/* What was not measured is left out, and what is only a lower bound: a program that was killed
 * would look like an improvement. In the order of the subjects. 0, or -1 without memory. */
int mprof__measures_collect(mprof__measures *measures, const mprof__results *results);
void mprof__measures_free(mprof__measures *measures);

/* In bytes, bytes per second or seconds. */
double mprof__base_value(double value, mprof__unit unit);

#endif
