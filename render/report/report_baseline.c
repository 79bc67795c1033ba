/* Numbers of a comparison in bytes and seconds, and their words. */
#include "report_baseline.h"

#include "parse/check/comparison.h"
#include "parse/check/limits.h"
#include "parse/formats/json.h"
#include "report_limits_view.h"
#include "report_model.h"
#include "report_words.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BYTES_PER_MIB 1048576.0

static const struct unit {
    const char *name, *suffix; /* suffix: behind an amount of memory */
    double factor;             /* of the comparison's unit; 1: seconds */
    double shown;              /* factor of what is printed */
} units[MPROF__CHANGE_KIND_COUNT] = {
    [MPROF__CHANGE_PEAK] = {"bytes", "", BYTES_PER_MIB, 1},
    [MPROF__CHANGE_MEAN] = {"bytes", "", BYTES_PER_MIB, 1},
    [MPROF__CHANGE_AREA] = {"bytes*s", "\xC2\xB7s", BYTES_PER_MIB, 1},
    [MPROF__CHANGE_DURATION] = {"s", "", 1, 1},
    [MPROF__CHANGE_GROWTH] = {"bytes/s", "/min", BYTES_PER_MIB / 60, 60},
};

/* ---- numbers ---- */

static json_t *change_of(const mprof__change *change, mprof__change_kind kind)
{
    double factor = units[kind].factor;
    return json_pack(
        "{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s}", "name", mprof__change_name(kind), "unit",
        units[kind].name, "before", mprof__json_number(change->values[MPROF__BEFORE] * factor),
        "now", mprof__json_number(change->values[MPROF__NOW] * factor), "difference",
        mprof__json_number(change->difference * factor), "p_value",
        mprof__json_number(change->is_judged ? change->p_value : NAN), "verdict",
        change->is_judged ? json_string(mprof__verdict_text(change->verdict)) : json_null(),
        "reason", change->is_judged && change->reason ? change->reason : "");
}

static bool add_functions(json_t *recording, const mprof__comparison *comparison)
{
    json_t *functions = json_object_get(recording, "functions");
    for (size_t i = 0; i < json_array_size(functions); i++) {
        json_t *function = json_array_get(functions, i);
        const char *name = mprof__report_string(function, "name");
        for (size_t k = 0; k < comparison->function_count; k++) {
            const mprof__function_change *change = &comparison->functions[k];
            if (change->is_there[MPROF__BEFORE] && strcmp(change->name, name) == 0 &&
                json_object_set_new(function, "baseline_most_added_bytes",
                                    mprof__json_bytes(change->added_mib[MPROF__BEFORE])) != 0) {
                return false;
            }
        }
    }
    return true;
}

static bool add_comparison(json_t *recording, const mprof__comparison *comparison)
{
    json_t *changes = json_array();
    for (int kind = 0; changes && kind < MPROF__CHANGE_KIND_COUNT; kind++) {
        const mprof__change *change = &comparison->changes[kind];
        if (isfinite(change->values[MPROF__BEFORE]) || isfinite(change->values[MPROF__NOW])) {
            mprof__json_append(&changes, change_of(change, (mprof__change_kind)kind));
        }
    }
    json_t *baseline = json_pack(
        "{s:o,s:I,s:o,s:o,s:o}", "name", mprof__json_text(comparison->names[MPROF__BEFORE]),
        "run_count", (json_int_t)comparison->run_counts[MPROF__BEFORE], "headline",
        mprof__json_text(comparison->headline), "sustained_bytes",
        mprof__json_bytes(isnan(comparison->sustained.window_s) ? NAN : comparison->sustained.mib),
        "changes", changes);
    return json_object_set_new(recording, "baseline", baseline) == 0 &&
           add_functions(recording, comparison);
}

mprof_status mprof__report_add_baseline(json_t *recording, const struct mprof__limits *limits,
                                        const char *path)
{
    const char *const paths[2] = {limits->baseline, path};
    mprof__comparisons comparisons = {0};
    mprof__compare_options options = {
        .tolerance = limits->has_tolerance ? limits->tolerance : MPROF__DEFAULT_TOLERANCE,
        .floor_mib = limits->has_floor ? limits->floor_mib : MPROF__DEFAULT_FLOOR_MIB,
    };
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof__compare(&comparisons, paths, &options, &error);
    if (status == MPROF_OK && comparisons.count > 0) {
        status = add_comparison(recording, &comparisons.items[0]) ? MPROF_OK : MPROF_ENOMEM;
    }
    mprof__comparisons_free(&comparisons);
    return status == MPROF_ENOMEM ? status : MPROF_OK;
}

/* ---- words ---- */

static const struct unit *unit_of(const json_t *change)
{
    const char *name = mprof__report_string(change, "unit");
    for (size_t i = 0; i < MPROF__CHANGE_KIND_COUNT; i++) {
        if (strcmp(units[i].name, name) == 0) {
            return &units[i];
        }
    }
    return &units[0];
}

static char *value_word(char *text, double value, const struct unit *unit, bool is_change)
{
    char word[MPROF__WORD_SIZE];
    if (unit->factor == 1) {
        const char *sign = !is_change || value == 0 ? "" : value < 0 ? "\xE2\x88\x92" : "+";
        snprintf(text, MPROF__WORD_SIZE, "%s%s", isfinite(value) ? sign : "",
                 mprof__seconds_word(word, is_change ? fabs(value) : value));
        return text;
    }
    value *= unit->shown;
    is_change ? mprof__bytes_change_word(word, value) : mprof__bytes_word(word, value);
    snprintf(text, MPROF__WORD_SIZE, "%s%s", word, isfinite(value) ? unit->suffix : "");
    return text;
}

static json_t *row_of(const json_t *change)
{
    char before[MPROF__WORD_SIZE], now[MPROF__WORD_SIZE], difference[MPROF__WORD_SIZE];
    char share[MPROF__WORD_SIZE];
    const struct unit *unit = unit_of(change);
    double was = mprof__report_number(change, "before");
    double more = mprof__report_number(change, "difference");
    const char *verdict = mprof__report_string(change, "verdict");
    const char *name = mprof__report_string(change, "name");
    if (strcmp(name, mprof__change_name(MPROF__CHANGE_AREA)) == 0) {
        name = "memory \xC3\x97 time"; /* the name is ASCII */
    }
    return json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:s}", "verdict",
                     *verdict ? mprof__verdict_view(verdict) : json_null(), "name", name, "before",
                     value_word(before, was, unit, false), "now",
                     value_word(now, mprof__report_number(change, "now"), unit, false),
                     "difference", value_word(difference, more, unit, true), "share",
                     was > 0 ? mprof__share_change_word(share, more / was) : MPROF__UNKNOWN,
                     "reason", mprof__report_string(change, "reason"));
}

json_t *mprof__baseline_view(const json_t *recording)
{
    char note[MPROF__WORD_SIZE];
    const json_t *baseline = json_object_get(recording, "baseline");
    const json_t *changes = json_object_get(baseline, "changes");
    if (!baseline) {
        return json_null();
    }
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < json_array_size(changes); i++) {
        mprof__json_append(&rows, row_of(json_array_get(changes, i)));
    }
    double runs = mprof__report_number(baseline, "run_count");
    snprintf(note, sizeof note, "%.0f run%s", runs, runs == 1 ? "" : "s");
    return json_pack("{s:o,s:s,s:o,s:o}", "name",
                     mprof__name_word(mprof__report_string(baseline, "name"), 200), "note", note,
                     "headline", mprof__name_word(mprof__report_string(baseline, "headline"), 500),
                     "rows", rows);
}
