/* --format gitlab-metrics: OpenMetrics text, which GitLab compares with that of the target branch.
 *
 * GitLab compares values as text and reports each difference: they are rounded to three digits. A
 * family is written at once, as OpenMetrics asks, so that Prometheus reads the same file. */
#include "escape_text.h"
#include "formats.h"
#include "measures.h"
#include "name_counter.h"

#include <math.h>
#include <stdlib.h>

#define DIGITS 3
#define LABEL_MOST 1024

static const struct {
    const char *name, *unit, *help, *of; /* of: the label of the function or kind */
} families[MPROF__MEASURE_KIND_COUNT] = {
    [MPROF__MEASURE_PEAK] = {"mprof_peak_bytes", "bytes", "Highest memory.", NULL},
    [MPROF__MEASURE_DURATION] = {"mprof_duration_seconds", "seconds", "Time recorded.", NULL},
    [MPROF__MEASURE_CHILD] = {"mprof_child_peak_bytes", "bytes", "Highest memory of any child.",
                              NULL},
    [MPROF__MEASURE_GROWTH] = {"mprof_growth_bytes_per_second", "bytes_per_second",
                               "Growth from trough to trough.", NULL},
    [MPROF__MEASURE_FUNCTION] = {"mprof_function_added_bytes", "bytes",
                                 "Most memory that one call added.", "function"},
    [MPROF__MEASURE_MEMORY] = {"mprof_kind_peak_bytes", "bytes", "Highest memory of a kind.",
                               "kind"},
};

static const char *escape_label(uint32_t character)
{
    switch (character) {
    case '\\':
        return "\\\\";
    case '"':
        return "\\\"";
    case '\n':
        return "\\n";
    default:
        return NULL;
    }
}

/* Whole numbers without an exponent. */
static double round_digits(double value)
{
    if (value == 0) {
        return 0;
    }
    double step = pow(10, floor(log10(fabs(value))) - (DIGITS - 1));
    return round(value / step) * step;
}

static void write_sample(FILE *stream, const mprof__results *results, const mprof__measure *measure,
                         mprof__name_counter *names)
{
    char suffix[16];
    const char *subject = results->subjects[measure->subject].name;
    double value = round_digits(mprof__base_value(measure->value, measure->unit));
    mprof__name_counter_suffix(
        names, suffix, LABEL_MOST, escape_label,
        (const char *const[]){families[measure->kind].name, measure->of, subject});
    fprintf(stream, "%s{subject=\"", families[measure->kind].name);
    mprof__escape_text(stream, subject, LABEL_MOST, escape_label);
    fputs(suffix, stream);
    if (families[measure->kind].of) {
        fprintf(stream, "\",%s=\"", families[measure->kind].of);
        mprof__escape_text(stream, measure->of, LABEL_MOST, escape_label);
    }
    fprintf(stream, "\"} %.*f\n", fabs(value) < 1000 ? DIGITS : 0, value);
}

int mprof__format_gitlab_metrics(FILE *stream, const mprof__format_input *input)
{
    mprof__measures measures;
    mprof__name_counter names = {0};
    if (mprof__measures_collect(&measures, input->results) != 0) {
        return -1;
    }
    for (int kind = 0; kind < MPROF__MEASURE_KIND_COUNT; kind++) {
        int samples = 0;
        for (size_t i = 0; i < measures.count; i++) {
            if ((int)measures.items[i].kind != kind) {
                continue;
            }
            if (samples++ == 0) {
                fprintf(stream, "# TYPE %s gauge\n# UNIT %s %s\n# HELP %s %s\n",
                        families[kind].name, families[kind].name, families[kind].unit,
                        families[kind].name, families[kind].help);
            }
            write_sample(stream, input->results, &measures.items[i], &names);
        }
    }
    fputs("# EOF\n", stream);
    mprof__measures_free(&measures);
    mprof__name_counter_free(&names);
    return names.failed ? -1 : 0;
}
