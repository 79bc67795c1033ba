/* Word, shape and colour say the same: red is a limit that was crossed, and nothing else. */
#include "report_limits_view.h"

#include "report_model.h"
#include "report_view.h"
#include "report_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_LIMIT_X 150 /* of all bars: where the limit is */
#define BAR_WIDTH 200
#define CLAUSE_SIZE 512

static const struct verdict {
    const char *verdict, *class, *word, *head, *sign;
} verdicts[] = {
    [MPROF__RANK_FAILED] = {"failed", "fail", "crossed", "Failed:", "\xE2\x9D\x8C"},
    [MPROF__RANK_NOT_MEASURED] = {"not measured", "none", "not measured",
                                  "Not measured:", "\xE2\x9A\xAA"},
    [MPROF__RANK_INCONCLUSIVE] = {"inconclusive", "inc", "inconclusive",
                                  "Inconclusive:", "\xE2\x9A\xA0"},
    [MPROF__RANK_PASSED] = {"passed", "pass", "passed", "Passed:", "\xE2\x9C\x85"},
};

int mprof__verdict_rank(const char *verdict)
{
    for (int rank = 0; rank < MPROF__RANK_NONE; rank++) {
        if (strcmp(verdicts[rank].verdict, verdict) == 0) {
            return rank;
        }
    }
    return MPROF__RANK_NONE;
}

json_t *mprof__verdict_view(const char *verdict)
{
    int rank = mprof__verdict_rank(verdict);
    if (rank == MPROF__RANK_NONE) {
        return json_null();
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:b}", "class", verdicts[rank].class, "word",
                     verdicts[rank].word, "head", verdicts[rank].head, "sign", verdicts[rank].sign,
                     "is_bad", rank == MPROF__RANK_FAILED);
}

/* ---- numbers ---- */

static char *value_word(char *text, double value, const char *unit, bool is_change)
{
    char word[MPROF__WORD_SIZE];
    bool is_rate = strcmp(unit, "bytes/s") == 0;
    if (strcmp(unit, "s") == 0) {
        const char *sign = !is_change || isnan(value) ? "" : value < 0 ? "\xE2\x88\x92" : "+";
        snprintf(text, MPROF__WORD_SIZE, "%s%s", sign,
                 mprof__seconds_word(word, is_change ? fabs(value) : value));
        return text;
    }
    value *= is_rate ? 60 : 1;
    is_change ? mprof__bytes_change_word(word, value) : mprof__bytes_word(word, value);
    snprintf(text, MPROF__WORD_SIZE, "%s%s", word, is_rate && isfinite(value) ? "/min" : "");
    return text;
}

static double number(const json_t *limit, const char *name)
{
    return mprof__report_number(limit, name);
}

/* "463.9 MiB", "≥ 98.3 MiB", "−3.1 to +9.4 MiB/min" */
static char *measured_word(char *text, size_t size, const json_t *limit)
{
    const char *unit = mprof__report_string(limit, "unit");
    const json_t *interval = json_object_get(limit, "interval");
    double low = number(interval, "low"), high = number(interval, "high");
    char first[MPROF__WORD_SIZE], second[MPROF__WORD_SIZE];
    if (isfinite(low) && isfinite(high)) {
        snprintf(text, size, "%s to %s", value_word(first, low, unit, true),
                 value_word(second, high, unit, true));
    } else {
        bool at_least = json_is_true(json_object_get(limit, "is_at_least"));
        snprintf(text, size, "%s%s", at_least ? "\xE2\x89\xA5" MPROF__NBSP : "",
                 value_word(first, number(limit, "measured"), unit, false));
    }
    return text;
}

static char *margin_word(char *text, size_t size, const json_t *limit)
{
    char margin[MPROF__WORD_SIZE], share[MPROF__WORD_SIZE];
    const char *reason = mprof__report_string(limit, "reason");
    int rank = mprof__verdict_rank(mprof__report_string(limit, "verdict"));
    double part = number(limit, "margin_share");
    bool is_explained = isfinite(number(limit, "baseline")) && *reason;
    if (is_explained || rank == MPROF__RANK_NOT_MEASURED || rank == MPROF__RANK_INCONCLUSIVE) {
        snprintf(text, size, "%s", reason);
    } else if (rank == MPROF__RANK_FAILED && isfinite(part)) {
        snprintf(
            text, size, "%s, %s",
            value_word(margin, number(limit, "margin"), mprof__report_string(limit, "unit"), true),
            mprof__share_change_word(share, part));
    } else {
        snprintf(
            text, size, "%s",
            value_word(margin, number(limit, "margin"), mprof__report_string(limit, "unit"), true));
    }
    return text;
}

/* ---- headlines ---- */

/* The limit with the worst verdict; of several the first, since the most general come first, or the
 * one that is nearest to be crossed. */
static const json_t *worst_limit(const json_t *recording)
{
    const json_t *limits = json_object_get(recording, "limits"), *worst = NULL;
    int worst_rank = MPROF__RANK_COUNT;
    double worst_share = -INFINITY;
    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *limit = json_array_get(limits, i);
        int rank = mprof__verdict_rank(mprof__report_string(limit, "verdict"));
        double share = number(limit, "margin_share");
        share = isnan(share) || rank != MPROF__RANK_PASSED ? -1 : share;
        if (rank < worst_rank || (rank == worst_rank && share > worst_share)) {
            worst = limit;
            worst_rank = rank;
            worst_share = share;
        }
    }
    return worst;
}

static void failed_clause(char *text, size_t size, const json_t *limit)
{
    char measured[CLAUSE_SIZE], margin[MPROF__WORD_SIZE], of[MPROF__WORD_SIZE];
    const char *unit = mprof__report_string(limit, "unit");
    bool is_lowest = json_is_true(json_object_get(limit, "is_lowest"));
    double baseline = number(limit, "baseline");
    if (isfinite(baseline)) {
        snprintf(text, size, "peak %s, %s over the baseline of %s",
                 measured_word(measured, sizeof measured, limit),
                 value_word(margin, number(limit, "measured") - baseline, unit, false),
                 value_word(of, baseline, unit, false));
        return;
    }
    snprintf(text, size, "%s %s, %s %s the limit of %s", mprof__report_string(limit, "name"),
             measured_word(measured, sizeof measured, limit),
             value_word(margin, fabs(number(limit, "margin")), unit, false),
             is_lowest ? "below" : "over", value_word(of, number(limit, "limit"), unit, false));
}

bool mprof__limits_headline(const json_t *recording, char *text, size_t size)
{
    char measured[CLAUSE_SIZE], of[MPROF__WORD_SIZE];
    const json_t *limits = json_object_get(recording, "limits");
    const json_t *limit = worst_limit(recording);
    if (!limit) {
        return false;
    }
    const char *name = mprof__report_string(limit, "name");
    switch (mprof__verdict_rank(mprof__report_string(limit, "verdict"))) {
    case MPROF__RANK_FAILED:
        failed_clause(text, size, limit);
        break;
    case MPROF__RANK_PASSED:
        snprintf(text, size, "%s %s of %s%s", name, measured_word(measured, sizeof measured, limit),
                 value_word(of, number(limit, "limit"), mprof__report_string(limit, "unit"), false),
                 json_array_size(limits) > 1 ? ", and all other limits" : "");
        break;
    default:
        snprintf(text, size, "%s%s%s", name, *mprof__report_string(limit, "reason") ? ", " : "",
                 mprof__report_string(limit, "reason"));
    }
    return true;
}

json_t *mprof__summary_headline(const size_t ranks[MPROF__RANK_COUNT], size_t count, char *text,
                                size_t size)
{
    static const char *const clauses[] = {
        [MPROF__RANK_FAILED] = "crossed a limit",
        [MPROF__RANK_NOT_MEASURED] = "could not be measured",
        [MPROF__RANK_INCONCLUSIVE] = "cannot be told",
        [MPROF__RANK_PASSED] = "are within their limits",
    };
    for (int rank = 0; rank < MPROF__RANK_NONE; rank++) {
        if (ranks[rank]) {
            snprintf(text, size, "%zu of %zu recordings %s", ranks[rank], count, clauses[rank]);
            return mprof__verdict_view(verdicts[rank].verdict);
        }
    }
    snprintf(text, size, "%zu recording%s", count, count == 1 ? "" : "s");
    return json_null();
}

void mprof__verdict_counts(char *text, size_t size, const size_t ranks[MPROF__RANK_COUNT])
{
    size_t used = 0;
    *text = '\0';
    for (int rank = 0; rank < MPROF__RANK_NONE; rank++) {
        if (ranks[rank] && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%zu %s", used ? ", " : "",
                                     ranks[rank], verdicts[rank].word);
        }
    }
}

/* ---- the table ---- */

/* Every bar has its limit at the same place. */
static json_t *bar_of(const json_t *limit)
{
    double share = number(limit, "measured") / number(limit, "limit");
    if (!isfinite(share) || json_is_object(json_object_get(limit, "interval")) || share < 0) {
        return json_null();
    }
    int width = (int)lround(fmin(share * BAR_LIMIT_X, BAR_WIDTH));
    bool is_over =
        width > BAR_LIMIT_X &&
        mprof__verdict_rank(mprof__report_string(limit, "verdict")) == MPROF__RANK_FAILED;
    return json_pack("{s:i,s:i,s:b}", "width", is_over ? BAR_LIMIT_X : width, "over",
                     is_over ? width - BAR_LIMIT_X : 0, "is_over", is_over);
}

static json_t *row_of(const json_t *limit)
{
    char measured[CLAUSE_SIZE], of[MPROF__WORD_SIZE], margin[CLAUSE_SIZE];
    const char *verdict = mprof__report_string(limit, "verdict");
    json_t *row = json_pack(
        "{s:o,s:o,s:o,s:s,s:s,s:o}", "verdict", mprof__verdict_view(verdict), "name",
        mprof__name_word(mprof__report_string(limit, "name"), CLAUSE_SIZE / 2), "margin",
        mprof__name_word(margin_word(margin, sizeof margin, limit), CLAUSE_SIZE), "measured",
        measured_word(measured, sizeof measured, limit), "limit",
        value_word(of, number(limit, "limit"), mprof__report_string(limit, "unit"), false), "bar",
        bar_of(limit));
    return row;
}

static void count_words(char *text, size_t size, const json_t *limits)
{
    size_t ranks[MPROF__RANK_COUNT] = {0};
    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *limit = json_array_get(limits, i);
        ranks[mprof__verdict_rank(mprof__report_string(limit, "verdict"))]++;
    }
    mprof__verdict_counts(text, size, ranks);
}

json_t *mprof__limits_view(const json_t *recording)
{
    char note[CLAUSE_SIZE];
    const json_t *limits = json_object_get(recording, "limits");
    json_t *rows = json_array();
    if (json_array_size(limits) == 0) {
        json_decref(rows);
        return json_null();
    }
    for (int rank = 0; rank <= MPROF__RANK_NONE; rank++) {
        for (size_t i = 0; i < json_array_size(limits); i++) {
            const json_t *limit = json_array_get(limits, i);
            if (mprof__verdict_rank(mprof__report_string(limit, "verdict")) == rank &&
                json_array_append_new(rows, row_of(limit)) != 0) {
                json_decref(rows);
                return NULL;
            }
        }
    }
    count_words(note, sizeof note, limits);
    return json_pack("{s:o,s:s}", "rows", rows, "count", note);
}

/* ---- what ran when a limit was crossed ---- */

/* "build_index had run for 0.98 s and added 205.3 MiB, 142.2 MiB in the baseline" */
static void add_call_words(char *text, size_t size, const json_t *call, double at_s)
{
    char name[CLAUSE_SIZE], time[MPROF__WORD_SIZE], added[MPROF__WORD_SIZE];
    char before[MPROF__WORD_SIZE], many[MPROF__WORD_SIZE] = "";
    size_t used = strlen(text);
    double since_s = number(call, "since_s"), baseline = number(call, "baseline_bytes");
    double processes = number(call, "process_count");
    json_t *visible = mprof__name_word(mprof__report_string(call, "name"), CLAUSE_SIZE / 2);
    snprintf(name, sizeof name, "%s", visible ? json_string_value(visible) : "");
    json_decref(visible);
    if (processes > 1) {
        snprintf(many, sizeof many, " in %.0f processes", processes);
    }
    mprof__bytes_word(added, number(call, "added_bytes"));
    mprof__seconds_word(time, at_s - since_s);
    if (json_is_true(json_object_get(call, "is_process")) || isnan(since_s)) {
        used += (size_t)snprintf(text + used, size - used, "%s%s had %s", name, many, added);
    } else {
        used += (size_t)snprintf(text + used, size - used, "%s%s had run for %s and added %s", name,
                                 many, time, added);
    }
    if (isfinite(baseline) && used < size) {
        snprintf(text + used, size - used, ", %s in the baseline",
                 mprof__bytes_word(before, baseline));
    }
}

bool mprof__running_sentence(const json_t *recording, char *text, size_t size)
{
    char word[MPROF__WORD_SIZE];
    const json_t *limit = worst_limit(recording);
    const json_t *running = json_object_get(limit, "running");
    double at_s = number(limit, "at_s");
    if (!limit || json_array_size(running) == 0 || isnan(at_s)) {
        return false;
    }
    const char *key = mprof__report_string(limit, "key");
    bool is_peak = strcmp(key, "max") == 0 || strcmp(key, "baseline") == 0;
    snprintf(text, size, "%s%s after the start%s ", is_peak ? "At the peak, " : "",
             mprof__seconds_word(word, at_s), is_peak ? "," : ":");
    for (size_t i = 0; i < json_array_size(running); i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s", i ? "; " : "");
        add_call_words(text, size, json_array_get(running, i), at_s);
    }
    size_t used = strlen(text);
    snprintf(text + used, size - used, ".");
    return true;
}
