/* --format github-benchmark, bencher and benchstat: one number for each measurement, for systems
 * that compare it with those of earlier builds.
 *
 * Units and names of a measurement never change: a system would begin another series. */
#include "escape_text.h"
#include "formats.h"
#include "json.h"
#include "measures.h"
#include "memory_stream.h"
#include "name_counter.h"

#include <math.h>
#include <stdlib.h>

#define NAME_MOST 1000 /* bytes; Bencher takes 1,024 characters */

static const struct {
    const char *words; /* behind the name of the subject */
    const char *slug;  /* Bencher's measure */
    const char *unit;  /* of benchstat */
} names[MPROF__MEASURE_KIND_COUNT] = {
    [MPROF__MEASURE_PEAK] = {"peak", "peak-bytes", "peak-bytes"},
    [MPROF__MEASURE_DURATION] = {"duration", "duration-s", "duration-s"},
    [MPROF__MEASURE_CHILD] = {"peak of any child", "child-peak-bytes", "child-peak-bytes"},
    [MPROF__MEASURE_GROWTH] = {"growth", "growth-bytes-per-s", "growth-bytes/s"},
    [MPROF__MEASURE_FUNCTION] = {"most added by a call", "added-bytes", "added-bytes"},
    [MPROF__MEASURE_MEMORY] = {"peak of a kind of memory", "kind-peak-bytes", "kind-peak-bytes"},
};

static const char *escape_nothing(uint32_t character)
{
    (void)character;
    return NULL;
}

/* The subject, the function or kind, and the words; unique among the names of the series. The
 * caller's; NULL without memory. */
static char *name_of(const mprof__results *results, const mprof__measure *measure,
                     mprof__name_counter *counter, const char *series, const char *words)
{
    const char *subject = results->subjects[measure->subject].name;
    char *whole, *name = NULL, suffix[16];
    size_t size;
    if (asprintf(&whole, "%s%s%s%s%s", subject, *measure->of ? ": " : "", measure->of,
                 *words ? ": " : "", words) < 0) {
        return NULL;
    }
    FILE *stream = open_memstream(&name, &size);
    if (stream) {
        mprof__name_counter_suffix(counter, suffix, NAME_MOST, escape_nothing,
                                   (const char *const[]){series, "", whole});
        mprof__escape_text(stream, whole, NAME_MOST, escape_nothing);
        fputs(suffix, stream);
    }
    free(whole);
    if (mprof__memory_stream_close(stream, &name) && counter->failed) {
        free(name);
        name = NULL;
    }
    return name;
}

/* Sets a member of *object and takes it. *object becomes NULL without memory. */
static void set(json_t **object, const char *key, json_t *value)
{
    if (!*object) {
        json_decref(value);
    } else if (json_object_set_new(*object, key, value) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}

/* ---- github-action-benchmark, tool customSmallerIsBetter ---- */

static json_t *benchmark_item(const mprof__results *results, const mprof__measure *measure,
                              mprof__name_counter *counter)
{
    char *name = name_of(results, measure, counter, "", names[measure->kind].words);
    json_t *item =
        name ? json_pack("{s:s, s:s, s:o}", "name", name, "unit", mprof__unit_text(measure->unit),
                         "value", mprof__json_number(measure->value))
             : NULL;
    free(name);
    if (item && !isnan(measure->low) && !isnan(measure->high)) {
        char range[64];
        snprintf(range, sizeof range, "\xc2\xb1 %.3f", (measure->high - measure->low) / 2);
        set(&item, "range", json_string(range));
    }
    if (item && measure->result) {
        char extra[128];
        snprintf(extra, sizeof extra, "%s, limit %.3f %s",
                 mprof__verdict_text(measure->result->verdict), measure->result->limit,
                 mprof__unit_text(measure->unit));
        set(&item, "extra", json_string(extra));
    }
    return item;
}

int mprof__format_github_benchmark(FILE *stream, const mprof__format_input *input)
{
    mprof__measures measures;
    mprof__name_counter counter = {0};
    json_t *items = json_array();
    if (mprof__measures_collect(&measures, input->results) != 0) {
        json_decref(items);
        return -1;
    }
    for (size_t i = 0; i < measures.count; i++) {
        mprof__json_append(&items, benchmark_item(input->results, &measures.items[i], &counter));
    }
    mprof__measures_free(&measures);
    mprof__name_counter_free(&counter);
    return mprof__json_print(stream, items, false, NULL) == MPROF_OK ? 0 : -1;
}

/* ---- Bencher Metric Format ---- */

static json_t *bench_value(const mprof__measure *measure)
{
    json_t *value = json_pack("{s:o}", "value",
                              mprof__json_number(mprof__base_value(measure->value, measure->unit)));
    if (value && !isnan(measure->low) && !isnan(measure->high)) {
        set(&value, "lower_value",
            mprof__json_number(mprof__base_value(measure->low, measure->unit)));
        set(&value, "upper_value",
            mprof__json_number(mprof__base_value(measure->high, measure->unit)));
    }
    return value;
}

static int add_bench(json_t *document, const mprof__results *results, const mprof__measure *measure,
                     mprof__name_counter *counter)
{
    const char *slug = names[measure->kind].slug;
    char *name = name_of(results, measure, counter, slug, "");
    json_t *bench = name ? json_object_get(document, name) : NULL;
    int status = name ? 0 : -1;
    if (name && !bench) {
        bench = json_object();
        status = json_object_set_new(document, name, bench);
    }
    free(name);
    return status == 0 ? json_object_set_new(bench, slug, bench_value(measure)) : -1;
}

int mprof__format_bencher(FILE *stream, const mprof__format_input *input)
{
    mprof__measures measures;
    mprof__name_counter counter = {0};
    json_t *document = json_object();
    if (!document || mprof__measures_collect(&measures, input->results) != 0) {
        json_decref(document);
        return -1;
    }
    int status = 0;
    for (size_t i = 0; i < measures.count && status == 0; i++) {
        status = add_bench(document, input->results, &measures.items[i], &counter);
    }
    mprof__measures_free(&measures);
    mprof__name_counter_free(&counter);
    if (status != 0) {
        json_decref(document);
        return -1;
    }
    return mprof__json_print(stream, document, false, NULL) == MPROF_OK ? 0 : -1;
}

/* ---- Go's benchmark format ---- */

/* A field ends at white space, and -N at the end of a name would be a number of processors. */
static const char *escape_benchmark(uint32_t character)
{
    return character <= ' ' || character == 0xA0 || (character >= 0x2000 && character <= 0x200A) ||
                   character == 0x3000 || character == 0x1680 || character == 0x202F ||
                   character == 0x205F
               ? "_"
           : character == '-' ? "_"
                              : NULL;
}

int mprof__format_benchstat(FILE *stream, const mprof__format_input *input)
{
    mprof__measures measures;
    if (mprof__measures_collect(&measures, input->results) != 0) {
        return -1;
    }
    for (int kind = 0; kind < MPROF__MEASURE_KIND_COUNT; kind++) {
        fprintf(stream, "Unit %s better=lower\n", names[kind].unit);
    }
    fputc('\n', stream);
    for (size_t i = 0; i < measures.count; i++) {
        const mprof__measure *measure = &measures.items[i];
        fputs("Benchmark/", stream);
        mprof__escape_text(stream, input->results->subjects[measure->subject].name, SIZE_MAX,
                           escape_benchmark);
        if (*measure->of) {
            fputc('/', stream);
            mprof__escape_text(stream, measure->of, SIZE_MAX, escape_benchmark);
        }
        fprintf(stream, " 1 %.*f %s\n", measure->unit == MPROF__UNIT_MIB ? 0 : 3,
                mprof__base_value(measure->value, measure->unit), names[measure->kind].unit);
    }
    mprof__measures_free(&measures);
    return 0;
}
