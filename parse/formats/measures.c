/* Peak and duration are taken from every subject, also where no limit was set for them. */
#include "measures.h"

#include "parse/array.h"
#include "parse/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_PER_MIB 1048576.0
#define S_PER_MIN 60.0

double mprof__base_value(double value, mprof__unit unit)
{
    switch (unit) {
    case MPROF__UNIT_MIB:
        return mprof__bytes_of_mib(value);
    case MPROF__UNIT_MIB_PER_MIN:
        return value * BYTES_PER_MIB / S_PER_MIN;
    case MPROF__UNIT_S:
        break;
    }
    return value;
}

static int add(mprof__measures *measures, const mprof__measure *measure)
{
    if (!isfinite(measure->value)) {
        return 0;
    }
    mprof__measure *items =
        mprof__array_grow(measures->items, measures->count, &measures->capacity, sizeof *items);
    if (!items) {
        return -1;
    }
    measures->items = items;
    items[measures->count++] = *measure;
    return 0;
}

/* A subject and its results. */
typedef struct subject_results {
    size_t subject;
    const mprof__subject *of;
    const mprof__result *results;
    size_t count;
} subject_results;

static const mprof__result *find_result(const subject_results *from, mprof__limit_kind kind)
{
    for (size_t i = 0; i < from->count; i++) {
        if (from->results[i].kind == kind) {
            return &from->results[i];
        }
    }
    return NULL;
}

/* Of the subject itself: the measured value of its limit, if it has one, else the subject's own. */
static int add_own(mprof__measures *measures, const subject_results *from,
                   const mprof__result *result, mprof__measure measure)
{
    measure.subject = from->subject;
    measure.of = "";
    measure.value = result ? result->measured : measure.value;
    measure.low = NAN;
    measure.high = NAN;
    measure.result = result;
    return add(measures, &measure);
}

static int add_peak(mprof__measures *measures, const subject_results *from)
{
    const mprof__result *result = find_result(from, MPROF__LIMIT_PEAK);
    if (from->of->peak_at_least || (result && result->is_at_least)) {
        return 0;
    }
    return add_own(measures, from, result,
                   (mprof__measure){.kind = MPROF__MEASURE_PEAK,
                                    .unit = MPROF__UNIT_MIB,
                                    .value = from->of->peak_mib});
}

static int add_duration(mprof__measures *measures, const subject_results *from)
{
    if (from->of->peak_at_least) {
        return 0;
    }
    return add_own(measures, from, find_result(from, MPROF__LIMIT_TIME),
                   (mprof__measure){.kind = MPROF__MEASURE_DURATION,
                                    .unit = MPROF__UNIT_S,
                                    .value = from->of->duration_s});
}

static int add_result(mprof__measures *measures, const mprof__result *result)
{
    static const struct {
        mprof__limit_kind limit;
        mprof__measure_kind kind;
    } kinds[] = {{MPROF__LIMIT_CHILD, MPROF__MEASURE_CHILD},
                 {MPROF__LIMIT_GROWTH, MPROF__MEASURE_GROWTH},
                 {MPROF__LIMIT_FUNCTION, MPROF__MEASURE_FUNCTION},
                 {MPROF__LIMIT_KIND, MPROF__MEASURE_MEMORY}};
    const char *of = strchr(result->key, ':');
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].limit == result->kind && !result->is_at_least) {
            mprof__measure measure = {.subject = result->subject,
                                      .kind = kinds[i].kind,
                                      .of = of ? of + 1 : "",
                                      .unit = result->unit,
                                      .value = result->measured,
                                      .low = result->low,
                                      .high = result->high,
                                      .result = result};
            return add(measures, &measure);
        }
    }
    return 0;
}

int mprof__measures_collect(mprof__measures *measures, const mprof__results *results)
{
    *measures = (mprof__measures){0};
    int status = 0;
    size_t first = 0; /* results are in the order of the subjects */
    for (size_t subject = 0; subject < results->subject_count && status == 0; subject++) {
        subject_results from = {subject, &results->subjects[subject],
                                /* not even 0 may be added to NULL */
                                first < results->count ? &results->results[first] : NULL, 0};
        while (first < results->count && results->results[first].subject == subject) {
            first++;
            from.count++;
        }
        status = add_peak(measures, &from) || add_duration(measures, &from) ? -1 : 0;
        for (size_t i = 0; i < from.count && status == 0; i++) {
            status = add_result(measures, &from.results[i]);
        }
    }
    if (status != 0) {
        mprof__measures_free(measures);
    }
    return status;
}

void mprof__measures_free(mprof__measures *measures)
{
    free(measures->items);
    *measures = (mprof__measures){0};
}
