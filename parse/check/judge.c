/* The rules are in docs/check.md. */
#include "judge.h"

#include "parse/plain_text.h"
#include "statistics.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs whose peaks differ by no more than the larger of these need no test. */
#define AGREEMENT 0.005        /* of the median */
#define AGREEMENT_OF_FLOOR 0.1 /* of --floor: what does not matter anyway */
#define RUNS_NEEDED 4          /* of each side, for the U test */
#define SIGNIFICANCE 0.05

static void set_margin(mprof__result *result)
{
    result->margin = result->measured - result->limit;
    result->margin_share = result->limit > 0 ? result->margin / result->limit : NAN;
}

static void set_running(mprof__result *result, const mprof__figure_value *value)
{
    result->at_s = value->at_s;
    result->running_count = value->running_count;
    memcpy(result->running, value->running, sizeof result->running);
}

/* ---- names ---- */

static const char *const names[MPROF__LIMIT_KIND_COUNT] = {
    [MPROF__LIMIT_PEAK] = "peak",
    [MPROF__LIMIT_CHILD] = "peak of any child",
    [MPROF__LIMIT_LOWEST] = "peak, at least",
    [MPROF__LIMIT_GROWTH] = "growth",
    [MPROF__LIMIT_TIME] = "duration",
    [MPROF__LIMIT_BASELINE] = "peak, against baseline",
};

static const char *const keys[MPROF__LIMIT_KIND_COUNT] = {
    [MPROF__LIMIT_PEAK] = "max",      [MPROF__LIMIT_CHILD] = "max-child",
    [MPROF__LIMIT_LOWEST] = "min",    [MPROF__LIMIT_GROWTH] = "max-growth",
    [MPROF__LIMIT_TIME] = "max-time", [MPROF__LIMIT_BASELINE] = "baseline",
};

static int set_names(mprof__results *results, mprof__result *result, const mprof__limit *limit)
{
    if (limit->kind == MPROF__LIMIT_FUNCTION) {
        result->key = mprof__keep_format(&results->texts, "func:%s", limit->function);
        result->name =
            mprof__keep_format(&results->texts, "%s, most a call added", limit->function);
    } else if (limit->kind == MPROF__LIMIT_KIND) {
        result->key =
            mprof__keep_format(&results->texts, "kind:%s", mprof__limit_memory_name(limit->memory));
        result->name = mprof__keep_format(&results->texts, "peak of %s",
                                          mprof__limit_memory_name(limit->memory));
    } else {
        result->key = keys[limit->kind];
        result->name = names[limit->kind];
    }
    result->unit = limit->kind == MPROF__LIMIT_GROWTH ? MPROF__UNIT_MIB_PER_MIN
                   : limit->kind == MPROF__LIMIT_TIME ? MPROF__UNIT_S
                                                      : MPROF__UNIT_MIB;
    return result->key && result->name ? 0 : -1;
}

/* ---- one run ---- */

/* What a limit finds in one run. */
typedef struct finding {
    mprof__verdict verdict;
    double measured;
    const char *reason; /* "": none */
} finding;

/* Of a program that was killed nothing is known but that it had this much. */
static finding judge_value(const mprof__measured_run *run, const mprof__limit *limit, double value)
{
    finding found = {MPROF__PASSED, value, ""};
    bool is_lowest = limit->kind == MPROF__LIMIT_LOWEST;
    bool is_crossed = is_lowest ? value < limit->value : value > limit->value;
    if (isnan(value)) {
        found.verdict = MPROF__NOT_MEASURED;
    } else if (run->figures.is_cut && is_crossed == is_lowest) {
        /* more could still have crossed the limit, or have reached the lowest */
        found.verdict = MPROF__NOT_MEASURED;
        found.reason = run->figures.cut_reason;
    } else if (is_crossed) {
        found.verdict = MPROF__FAILED;
    }
    return found;
}

static finding judge_growth(const mprof__measured_run *run, const mprof__limit *limit)
{
    finding found = {.measured = run->growth.mib_per_min};
    found.verdict = mprof__growth_judge(&run->growth, limit->value, &found.reason);
    return found;
}

static finding judge_run(const mprof__measured_run *run, const mprof__limit *limit, size_t index)
{
    const mprof__figure_value *value = &run->values[index];
    if (limit->kind == MPROF__LIMIT_GROWTH) {
        return judge_growth(run, limit);
    }
    finding found = judge_value(
        run, limit, limit->kind == MPROF__LIMIT_TIME ? run->figures.duration_s : value->mib);
    if (isnan(found.measured)) {
        found.reason =
            run->figures.is_cut && !*value->reason ? run->figures.cut_reason : value->reason;
        found.verdict = value->is_none && !run->figures.is_cut ? MPROF__PASSED : found.verdict;
    }
    return found;
}

/* ---- all runs ---- */

static int weight(mprof__verdict verdict)
{
    static const int weights[MPROF__VERDICT_COUNT] = {
        [MPROF__PASSED] = 0,
        [MPROF__INCONCLUSIVE] = 1,
        [MPROF__NOT_MEASURED] = 2,
        [MPROF__FAILED] = 3,
    };
    return weights[verdict];
}

static bool is_worse(const finding *a, const finding *b, bool is_lowest)
{
    if (weight(a->verdict) != weight(b->verdict)) {
        return weight(a->verdict) > weight(b->verdict);
    }
    if (isnan(a->measured) || isnan(b->measured)) {
        return !isnan(a->measured);
    }
    return is_lowest ? a->measured < b->measured : a->measured > b->measured;
}

/* Adds how many runs there were, and of a failure how many crossed the limit. */
static const char *explain(mprof__results *results, const finding *worst, size_t run_count,
                           size_t crossing_count, bool is_lowest)
{
    const char *more = *worst->reason ? "; " : "";
    if (run_count == 1) {
        return mprof__results_text(results, worst->reason);
    }
    if (worst->verdict == MPROF__FAILED) {
        return mprof__keep_format(&results->texts, "%s%s%zu of %zu runs", worst->reason, more,
                                  crossing_count, run_count);
    }
    return mprof__keep_format(&results->texts, "%s%sthe %s of %zu runs", worst->reason, more,
                              is_lowest ? "lowest" : "highest", run_count);
}

static int fill_result(mprof__results *results, mprof__result *result, const mprof__group *group,
                       size_t index)
{
    const mprof__limit *limit = &group->limits.items[index];
    size_t worst_run = 0, crossing_count = 0;
    finding worst = {0};
    result->is_lowest = limit->kind == MPROF__LIMIT_LOWEST;
    for (size_t i = 0; i < group->run_count; i++) {
        finding found = judge_run(&group->runs[i], limit, index);
        crossing_count += found.verdict == MPROF__FAILED;
        if (i == 0 || is_worse(&found, &worst, result->is_lowest)) {
            worst = found;
            worst_run = i;
        }
    }
    const mprof__measured_run *run = &group->runs[worst_run];
    result->verdict = worst.verdict;
    result->limit = limit->value;
    result->measured = worst.measured;
    result->file = run->figures.file;
    if (limit->kind == MPROF__LIMIT_GROWTH) {
        result->low = run->growth.low;
        result->high = run->growth.high;
        result->confidence = MPROF__GROWTH_CONFIDENCE;
    } else if (!isnan(worst.measured)) {
        result->is_at_least = run->figures.is_cut;
    }
    if (isnan(run->growth.mib_per_min) && limit->kind == MPROF__LIMIT_GROWTH) {
        worst.reason = mprof__keep_format(
            &results->texts, "%s: %zu window%s, %d are needed",
            run->growth.windows_most < MPROF__GROWTH_WINDOWS_NEEDED ? "too short"
                                                                    : "too few troughs",
            run->growth.windows, run->growth.windows == 1 ? "" : "s", MPROF__GROWTH_WINDOWS_NEEDED);
        result->confidence = NAN;
    }
    set_margin(result);
    if (worst.verdict == MPROF__FAILED && limit->kind != MPROF__LIMIT_TIME && !result->is_lowest) {
        set_running(result, limit->kind == MPROF__LIMIT_GROWTH ? &run->peak : &run->values[index]);
    }
    result->reason =
        worst.reason ? explain(results, &worst, group->run_count, crossing_count, result->is_lowest)
                     : NULL;
    return result->reason ? 0 : -1;
}

int mprof__judge_limit(mprof__results *results, size_t subject, const mprof__group *group,
                       size_t index)
{
    mprof__result *result = mprof__results_add(results, subject, group->limits.items[index].kind);
    if (!result || set_names(results, result, &group->limits.items[index]) != 0) {
        return -1;
    }
    if (group->run_count == 0) {
        result->limit = group->limits.items[index].value;
        result->reason = group->error;
        return 0;
    }
    return fill_result(results, result, group, index);
}

/* ---- baselines ---- */

/* Both sides, sorted. */
typedef struct comparison {
    double *peaks; /* owned */
    size_t count;
    double *before; /* owned */
    size_t before_count;
    double median, before_median;
    double floor_mib;
    double allowed; /* by how much the medians may differ */
    mprof__u_test test;
} comparison;

static bool agree(const comparison *c)
{
    return c->before[c->before_count - 1] - c->before[0] <=
           fmax(AGREEMENT * c->before_median, AGREEMENT_OF_FLOOR * c->floor_mib);
}

static int fill_values(comparison *c, const double *peaks, size_t count, const double *before,
                       size_t before_count, double tolerance)
{
    c->peaks = malloc((count + 1) * sizeof *c->peaks);
    c->before = malloc((before_count + 1) * sizeof *c->before);
    if (!c->peaks || !c->before) {
        return -1;
    }
    c->count = count;
    c->before_count = before_count;
    memcpy(c->peaks, peaks, count * sizeof *c->peaks);
    memcpy(c->before, before, before_count * sizeof *c->before);
    c->median = mprof__quartiles_of(c->peaks, c->count).median;
    c->before_median = mprof__quartiles_of(c->before, c->before_count).median;
    c->allowed = fmax(tolerance * c->before_median, c->floor_mib);
    return mprof__u_test_make(&c->test, c->peaks, c->count, c->before, c->before_count);
}

static int make_comparison(comparison *c, const mprof__group *group,
                           const mprof__reference *reference)
{
    const mprof__limits *limits = &group->limits;
    double tolerance = limits->has_tolerance ? limits->tolerance : MPROF__DEFAULT_TOLERANCE;
    c->floor_mib = limits->has_floor ? limits->floor_mib : MPROF__DEFAULT_FLOOR_MIB;
    double *peaks = malloc((group->run_count + 1) * sizeof *peaks);
    if (!peaks) {
        return -1;
    }
    for (size_t i = 0; i < group->run_count; i++) {
        peaks[i] = group->runs[i].figures.peak_mib;
    }
    int failed =
        fill_values(c, peaks, group->run_count, reference->peaks_mib, reference->count, tolerance);
    free(peaks);
    return failed;
}

static bool needs_test(const comparison *c)
{
    return !agree(c);
}

static bool has_enough_runs(const comparison *c)
{
    return c->count >= RUNS_NEEDED && c->before_count >= RUNS_NEEDED;
}

static mprof__verdict decide(const comparison *c)
{
    bool is_beyond = c->median - c->before_median > c->allowed;
    if (needs_test(c) && !has_enough_runs(c)) {
        return MPROF__INCONCLUSIVE;
    }
    if (!is_beyond) {
        return MPROF__PASSED;
    }
    return needs_test(c) && c->test.p_value >= SIGNIFICANCE ? MPROF__INCONCLUSIVE : MPROF__FAILED;
}

/* Seven parameters: two lists with their lengths, and two limits. */
int mprof__judge_values(mprof__judged *judged, const double *values, size_t count,
                        const double *before, size_t before_count, double tolerance,
                        double floor_mib)
{
    comparison c = {.floor_mib = floor_mib};
    int failed = fill_values(&c, values, count, before, before_count, tolerance);
    if (!failed) {
        *judged = (mprof__judged){.verdict = decide(&c),
                                  .median = c.median,
                                  .before_median = c.before_median,
                                  .allowed = c.allowed,
                                  .p_value = has_enough_runs(&c) ? c.test.p_value : NAN};
    }
    free(c.peaks);
    free(c.before);
    return failed;
}

static const char *count_text(char *text, size_t size, const comparison *c)
{
    snprintf(text, size, "%zu run%s against %zu of the baseline", c->count,
             c->count == 1 ? "" : "s", c->before_count);
    return text;
}

/* "baseline 440.1 MiB, 4 runs, +5.4 %" and what follows. */
static const char *describe(mprof__results *results, const comparison *c, const char *more)
{
    double change = c->median - c->before_median;
    char share[40] = "";
    if (c->before_median > 0) {
        double percent = change / c->before_median * 100;
        snprintf(share, sizeof share, " (%+.1f %%)", fabs(percent) < 0.05 ? 0 : percent);
    }
    return mprof__keep_format(&results->texts, "baseline %.1f MiB of %zu run%s%s%s%s",
                              c->before_median, c->before_count, c->before_count == 1 ? "" : "s",
                              share, *more ? ": " : "", more);
}

/* Sets verdict, p-value and reason. */
static const char *judge_comparison(mprof__results *results, mprof__result *result,
                                    const comparison *c)
{
    double change = c->median - c->before_median;
    bool is_beyond = change > c->allowed;
    char counts[80], more[200];
    result->verdict = decide(c);
    if (!needs_test(c)) {
        return describe(results, c, -change > c->allowed ? "lower, update the baseline" : "");
    }
    if (!has_enough_runs(c)) {
        snprintf(more, sizeof more,
                 "its runs differ by %.1f %%, so %d are needed on each side; "
                 "there are %s",
                 (c->before[c->before_count - 1] - c->before[0]) / c->before_median * 100,
                 RUNS_NEEDED, count_text(counts, sizeof counts, c));
        return describe(results, c, more);
    }
    result->p_value = c->test.p_value;
    bool is_significant = c->test.p_value < SIGNIFICANCE;
    snprintf(more, sizeof more, "p = %.2g%s", c->test.p_value,
             is_beyond && !is_significant ? ", so it may be chance: record more runs" : "");
    return describe(results, c, more);
}

/* The run whose peak is nearest to the median. */
static const mprof__measured_run *typical_run(const mprof__group *group, double median)
{
    const mprof__measured_run *typical = &group->runs[0];
    for (size_t i = 1; i < group->run_count; i++) {
        if (fabs(group->runs[i].figures.peak_mib - median) <
            fabs(typical->figures.peak_mib - median)) {
            typical = &group->runs[i];
        }
    }
    return typical;
}

/* What the functions that were running had added at the baseline's peak: the median. */
static int add_before(mprof__result *result, const mprof__group *before)
{
    double *values = malloc((before->run_count + 1) * sizeof *values);
    if (!values) {
        return -1;
    }
    for (size_t i = 0; i < result->running_count; i++) {
        size_t count = 0;
        for (size_t run = 0; run < before->run_count; run++) {
            const mprof__figure_value *peak = &before->runs[run].peak;
            for (size_t j = 0; j < peak->running_count; j++) {
                if (strcmp(peak->running[j].name, result->running[i].name) == 0) {
                    values[count++] = peak->running[j].added_mib;
                    break;
                }
            }
        }
        result->running[i].before_mib = mprof__median(values, count);
    }
    free(values);
    return 0;
}

/* Only what was not killed can be compared; but what is above the limit anyway is. */
static const char *find_cut(const mprof__group *group)
{
    for (size_t i = 0; i < group->run_count; i++) {
        if (group->runs[i].figures.is_cut) {
            return group->runs[i].figures.cut_reason;
        }
    }
    return NULL;
}

static int fill_comparison(mprof__results *results, mprof__result *result,
                           const mprof__group *group, const mprof__reference *reference)
{
    comparison c = {0};
    const char *cut = find_cut(group);
    int failed = make_comparison(&c, group, reference);
    if (failed == 0) {
        const mprof__measured_run *run = typical_run(group, c.median);
        result->file = run->figures.file;
        result->measured = c.median;
        result->baseline = c.before_median;
        result->baseline_runs = c.before_count;
        result->limit = c.before_median + c.allowed;
        result->is_at_least = cut != NULL;
        set_margin(result);
        result->reason = judge_comparison(results, result, &c);
        if (cut && result->verdict != MPROF__FAILED) {
            result->verdict = MPROF__NOT_MEASURED;
            result->reason = mprof__results_text(results, cut);
        }
        if (result->verdict == MPROF__FAILED) {
            set_running(result, &run->peak);
            failed = reference->group ? add_before(result, reference->group) : 0;
        }
    }
    free(c.peaks);
    free(c.before);
    return failed == 0 && result->reason ? 0 : -1;
}

int mprof__judge_baseline(mprof__results *results, size_t subject, const mprof__group *group,
                          const mprof__reference *reference)
{
    mprof__limit limit = {.kind = MPROF__LIMIT_BASELINE};
    mprof__result *result = mprof__results_add(results, subject, MPROF__LIMIT_BASELINE);
    if (!result || set_names(results, result, &limit) != 0) {
        return -1;
    }
    if (group->run_count == 0 || reference->count == 0) {
        result->reason =
            mprof__results_text(results, group->run_count == 0 ? group->error : reference->reason);
        return result->reason ? 0 : -1;
    }
    return fill_comparison(results, result, group, reference);
}
