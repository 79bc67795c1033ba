/* An unclear result never counts as passed. */
#include "verdict.h"

#include "parse/array.h"
#include "parse/plain_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *mprof__keep_format(mprof__arena *arena, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mprof__text_trim(text);
    return mprof__arena_copy(arena, text, strlen(text));
}

const char *mprof__results_text(mprof__results *results, const char *text)
{
    return mprof__arena_copy(&results->texts, text, strlen(text));
}

mprof__subject *mprof__results_add_subject(mprof__results *results)
{
    mprof__subject *subjects = mprof__array_grow(results->subjects, results->subject_count,
                                                 &results->subject_capacity, sizeof *subjects);
    if (!subjects) {
        return NULL;
    }
    results->subjects = subjects;
    mprof__subject *subject = &subjects[results->subject_count++];
    *subject = (mprof__subject){.name = "",
                                .file = "",
                                .program = "",
                                .command_line = "",
                                .peak_mib = NAN,
                                .peak_at_s = NAN,
                                .duration_s = NAN};
    return subject;
}

mprof__result *mprof__results_add(mprof__results *results, size_t subject, mprof__limit_kind kind)
{
    mprof__result *items =
        mprof__array_grow(results->results, results->count, &results->capacity, sizeof *items);
    if (!items) {
        return NULL;
    }
    results->results = items;
    mprof__result *result = &items[results->count++];
    *result = (mprof__result){.subject = subject,
                              .kind = kind,
                              .verdict = MPROF__NOT_MEASURED,
                              .key = "",
                              .name = "",
                              .limit = NAN,
                              .measured = NAN,
                              .margin = NAN,
                              .margin_share = NAN,
                              .low = NAN,
                              .high = NAN,
                              .confidence = NAN,
                              .p_value = NAN,
                              .baseline = NAN,
                              .reason = "",
                              .file = "",
                              .at_s = NAN};
    return result;
}

void mprof__results_count(mprof__results *results)
{
    memset(results->counts, 0, sizeof results->counts);
    for (size_t i = 0; i < results->count; i++) {
        results->counts[results->results[i].verdict]++;
    }
}

/* From the worst on. */
static const mprof__verdict by_weight[] = {MPROF__FAILED, MPROF__NOT_MEASURED, MPROF__INCONCLUSIVE};

mprof__verdict mprof__results_worst(const mprof__results *results, size_t subject)
{
    for (size_t weight = 0; weight < sizeof by_weight / sizeof *by_weight; weight++) {
        for (size_t i = 0; i < results->count; i++) {
            const mprof__result *result = &results->results[i];
            if ((subject == SIZE_MAX || result->subject == subject) &&
                result->verdict == by_weight[weight]) {
                return by_weight[weight];
            }
        }
    }
    return MPROF__PASSED;
}

int mprof__results_exit_code(const mprof__results *results)
{
    if (results->program_code != 0 || results->report_only) {
        return results->program_code;
    }
    mprof__verdict worst = mprof__results_worst(results, SIZE_MAX);
    if (worst == MPROF__FAILED) {
        return 1;
    }
    return worst != MPROF__PASSED || results->has_error || results->count == 0 ? 3 : 0;
}

const char *mprof__verdict_text(mprof__verdict verdict)
{
    static const char *const texts[MPROF__VERDICT_COUNT] = {"passed", "failed", "inconclusive",
                                                            "not measured"};
    return texts[verdict];
}

const char *mprof__unit_text(mprof__unit unit)
{
    static const char *const texts[] = {"MiB", "MiB/min", "s"};
    return texts[unit];
}

/* ---- the headline ---- */

typedef struct headline {
    char *text;
    size_t size, length;
} headline;

static void append(headline *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(headline *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int needed = vsnprintf(out->text + out->length, out->size - out->length, format, arguments);
    va_end(arguments);
    size_t left = out->size - out->length - 1;
    out->length += needed > 0 && (size_t)needed < left ? (size_t)needed : needed > 0 ? left : 0;
}

/* "failed: 1 of 6 limits crossed, 1 not measured" */
static void append_limits(headline *line, const mprof__results *results)
{
    const size_t *counts = results->counts;
    size_t not_measured = counts[MPROF__NOT_MEASURED], unclear = counts[MPROF__INCONCLUSIVE];
    const char *limits = results->count == 1 ? "limit" : "limits";
    if (results->count == 0) {
        append(line, "not measured: no limit was checked");
    } else if (counts[MPROF__FAILED]) {
        append(line, "failed: %zu of %zu %s crossed", counts[MPROF__FAILED], results->count,
               limits);
        if (not_measured) {
            append(line, ", %zu not measured", not_measured);
        }
    } else if (not_measured || unclear) {
        append(line, "%s: %zu of %zu %s", not_measured ? "not measured" : "inconclusive",
               not_measured ? not_measured : unclear, results->count, limits);
    } else {
        append(line, "passed: %zu %s", results->count, limits);
    }
    if (unclear && (not_measured || counts[MPROF__FAILED])) {
        append(line, ", %zu inconclusive", unclear);
    }
    if (counts[MPROF__PASSED] && !counts[MPROF__FAILED] && (not_measured || unclear)) {
        append(line, ", the other%s passed", counts[MPROF__PASSED] == 1 ? "" : "s");
    }
}

/* "60 recordings: 3 failed, 1 not measured, 2 inconclusive, 54 passed" */
static void append_subjects(headline *line, const mprof__results *results)
{
    static const mprof__verdict order[] = {MPROF__FAILED, MPROF__NOT_MEASURED, MPROF__INCONCLUSIVE,
                                           MPROF__PASSED};
    size_t counts[MPROF__VERDICT_COUNT] = {0};
    bool has_runs = false, is_first = true;
    for (size_t i = 0; i < results->subject_count; i++) {
        mprof__verdict worst = mprof__results_worst(results, i);
        bool is_unread = results->subjects[i].error && worst == MPROF__PASSED;
        counts[is_unread ? MPROF__NOT_MEASURED : worst]++;
        has_runs = has_runs || results->subjects[i].run_count > 1;
    }
    append(line, "%zu %s:", results->subject_count, has_runs ? "programs" : "recordings");
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (counts[order[i]]) {
            append(line, "%s %zu %s", is_first ? "" : ",", counts[order[i]],
                   mprof__verdict_text(order[i]));
            is_first = false;
        }
    }
}

size_t mprof__results_headline(const mprof__results *results, char *text, size_t size)
{
    headline line = {text, size, 0};
    text[0] = '\0';
    if (results->subject_count > 1) {
        append_subjects(&line, results);
    } else {
        append_limits(&line, results);
    }
    if (results->program_code != 0) {
        append(&line, "; the program failed");
    }
    append(&line, results->report_only ? " (report only: exit %d)" : " (exit %d)",
           mprof__results_exit_code(results));
    return line.length;
}

void mprof__results_free(mprof__results *results)
{
    free(results->subjects);
    free(results->results);
    mprof__arena_free(&results->texts);
    memset(results, 0, sizeof *results);
}
