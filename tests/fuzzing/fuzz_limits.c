/* Any bytes as mprof.ini, as a file of baselines, and as the value of each option that is a limit.
 */
#include "parse/check/baseline.h"
#include "parse/check/config.h"
#include "parse/check/limits.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_error(mprof_status status, const mprof_error *error)
{
    assert((status == MPROF_OK) == (error->status == MPROF_OK));
    assert(status == MPROF_OK || (error->message[0] && !strchr(error->message, '\n')));
}

static void check_limits(const mprof__limits *limits)
{
    for (size_t i = 0; i < limits->count; i++) {
        const mprof__limit *limit = &limits->items[i];
        assert(isfinite(limit->value) && limit->value >= 0);
        assert((limit->kind == MPROF__LIMIT_FUNCTION) == (limit->function != NULL));
        assert(limit->memory <= MPROF__KIND_GROUP);
    }
    assert(!limits->has_tolerance || (isfinite(limits->tolerance) && limits->tolerance >= 0));
    assert(!limits->has_floor || (isfinite(limits->floor_mib) && limits->floor_mib >= 0));
}

static void read_config(const char *text, size_t size)
{
    static const char *const names[] = {"prog", "test_a[b]", ""};
    mprof__config config = {0};
    mprof__limits limits = {0};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof__config_read(&config, text, size, "a/mprof.ini", &error);
    check_error(status, &error);
    assert(status == MPROF_OK || (error.line > 0 && strcmp(error.file, "a/mprof.ini") == 0));
    if (status == MPROF_OK) {
        status = mprof__config_apply(&config, names, sizeof names / sizeof *names, &limits, &error);
        assert(status == MPROF_OK);
        mprof__limits_sort(&limits);
        check_limits(&limits);
    }
    mprof__limits_free(&limits);
    mprof__config_free(&config);
}

/* What was read and is written again reads the same. */
static void check_round_trip(mprof__baseline *baseline)
{
    char *text = NULL;
    size_t size = 0;
    mprof__baseline again = {0};
    FILE *stream = open_memstream(&text, &size);
    assert(stream);
    mprof__baseline_write(baseline, stream);
    assert(fclose(stream) == 0 && mprof__baseline_is_file(text, size));
    assert(mprof__baseline_read(&again, text, size, "again", NULL) == MPROF_OK);
    assert(again.count == baseline->count);
    for (size_t i = 0; i < again.count; i++) {
        const mprof__baseline_entry *a = &baseline->entries[i], *b = &again.entries[i];
        assert(strcmp(a->name, b->name) == 0 && strcmp(a->machine, b->machine) == 0);
        assert(strcmp(a->memory, b->memory) == 0 && a->count == b->count && a->count > 0);
        for (size_t j = 0; j < a->count; j++) {
            assert(fabs(a->peaks_mib[j] - b->peaks_mib[j]) <= 0.0006 + 1e-12 * a->peaks_mib[j]);
        }
    }
    mprof__baseline_free(&again);
    free(text);
}

static void read_baseline(const char *text, size_t size)
{
    mprof__baseline baseline = {0};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof__baseline_read(&baseline, text, size, "base", &error);
    check_error(status, &error);
    assert(status == MPROF_OK || strcmp(error.file, "base") == 0);
    if (status == MPROF_OK) {
        check_round_trip(&baseline);
    }
    mprof__baseline_free(&baseline);
}

static void read_options(const char *text, size_t size)
{
    static const char *const names[] = {"max",       "max-child", "min",  "max-growth",
                                        "max-time",  "func",      "kind", "baseline",
                                        "tolerance", "floor",     "other"};
    char *value = strndup(text, size);
    assert(value);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mprof__limits limits = {0};
        mprof_error error = MPROF_ERROR_INIT;
        mprof_status status = mprof__limits_set(&limits, names[i], value, &error);
        check_error(status, &error);
        if (status == MPROF_OK) {
            check_limits(&limits);
        }
        mprof__limits_free(&limits);
    }
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    read_config(text, size);
    read_baseline(text, size);
    read_options(text, size);
    return 0;
}
