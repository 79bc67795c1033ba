/* Sentences, cards and lists. A page begins with the verdict; what needs attention goes first. */
#include "report_view.h"

#include "parse/plain_text.h"
#include "parse/ranks.h"
#include "render/figure/format_units.h"
#include "report_baseline.h"
#include "report_limits_view.h"
#include "report_model.h"
#include "report_tables.h"
#include "report_words.h"
#include "sparkline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_BYTES 2000
#define NAME_BYTES 200
#define FACT_BYTES 1000
#define SENTENCE_SIZE 1024
#define ATTENTION_MAX 25 /* recordings to look at; the overview has the others, in that order */
#define CHART_VALUES 60

/* An object that is being built; after a failure nothing is added. */
struct view {
    json_t *object;
    bool failed;
};

static void set(struct view *view, const char *name, json_t *value)
{
    view->failed |= json_object_set_new(view->object, name, value) != 0;
}

static void set_text(struct view *view, const char *name, const char *text)
{
    set(view, name, json_string(text));
}

static void set_flag(struct view *view, const char *name, bool is_set)
{
    set(view, name, json_boolean(is_set));
}

static json_t *finish(struct view *view)
{
    if (view->failed) {
        json_decref(view->object);
        return NULL;
    }
    return view->object;
}

static void append(struct view *view, json_t *list, json_t *value)
{
    view->failed |= json_array_append_new(list, value) != 0;
}

/* ---- cards ---- */

static void append_card(struct view *view, json_t *cards, const char *name, const char *word,
                        const char *note)
{
    const char *gap = strstr(word, MPROF__NBSP);
    if (gap && strstr(gap + 1, MPROF__NBSP)) {
        gap = NULL; /* "3 min 20 s" has no single unit */
    }
    int length = gap ? (int)(gap - word) : (int)strlen(word);
    char value[MPROF__WORD_SIZE];
    snprintf(value, sizeof value, "%.*s", length, word);
    append(view, cards,
           json_pack("{s:s,s:s,s:s,s:s}", "name", name, "value", value, "unit",
                     gap ? gap + strlen(MPROF__NBSP) : "", "note", note));
}

static void set_cards(struct view *view, const json_t *recording)
{
    char word[MPROF__WORD_SIZE], other[MPROF__WORD_SIZE], note[160];
    json_t *cards = json_array();
    const json_t *peak = json_object_get(recording, "peak");
    double at_s = mprof__report_number(peak, "at_s");
    double calls = 0;
    const json_t *functions = json_object_get(recording, "functions");
    for (size_t i = 0; i < json_array_size(functions); i++) {
        calls += mprof__report_number(json_array_get(functions, i), "calls");
    }
    bool is_bound = json_is_true(json_object_get(peak, "is_lower_bound"));
    snprintf(note, sizeof note, "%sat %s", is_bound ? "or more, " : "",
             mprof__seconds_word(other, at_s));
    append_card(view, cards, "Peak", mprof__bytes_word(word, mprof__report_number(peak, "bytes")),
                note);
    double exact = mprof__report_number(peak, "kernel_bytes");
    if (isfinite(exact)) {
        append_card(view, cards, "Exact peak", mprof__bytes_word(word, exact), "from the kernel");
    }
    append_card(view, cards, "Mean",
                mprof__bytes_word(word, mprof__report_number(recording, "mean_bytes")),
                "of all samples");
    append_card(view, cards, "At the end",
                mprof__bytes_word(word, mprof__report_number(recording, "last_bytes")),
                "the last sample");
    snprintf(note, sizeof note, "%s samples",
             mprof__count_word(other, mprof__report_number(recording, "samples")));
    append_card(view, cards, "Duration",
                mprof__seconds_word(word, mprof__report_number(recording, "duration_s")), note);
    if (json_array_size(functions)) {
        snprintf(note, sizeof note, "%s calls of %zu functions", mprof__count_word(other, calls),
                 json_array_size(functions));
    } else {
        snprintf(note, sizeof note, "no function was recorded");
    }
    append_card(
        view, cards, "Processes",
        mprof__count_word(word, (double)json_array_size(json_object_get(recording, "processes"))),
        note);
    set(view, "cards", cards);
}

/* ---- environment ---- */

static void append_pair(struct view *view, json_t *pairs, const char *key, json_t *value,
                        bool is_code)
{
    append(view, pairs, json_pack("{s:s,s:o,s:b}", "key", key, "value", value, "is_code", is_code));
}

static const char *measured_words(const json_t *recording, char *text, size_t size)
{
    const json_t *facts = json_object_get(recording, "facts");
    const char *interval = mprof__report_string(facts, "interval");
    char kind[16], every[MPROF__WORD_SIZE];
    if (strcmp(mprof__report_string(facts, "measured"), "heap") == 0) {
        return "the heap of the program: what malloc gave it, and has not got back";
    }
    snprintf(kind, sizeof kind, "%s", mprof__report_string(recording, "kind"));
    for (char *letter = kind; *letter; letter++) {
        *letter = (char)(*letter >= 'a' && *letter <= 'z' ? *letter - 32 : *letter);
    }
    snprintf(text, size, "%s%s%s%s", kind,
             json_is_true(json_object_get(recording, "of_all_processes"))
                 ? ", sum of the program and its children"
                 : ", of the main process",
             *interval ? ", every " : "",
             *interval ? mprof__seconds_word(every, strtod(interval, NULL)) : "");
    return text;
}

static void set_environment(struct view *view, const json_t *recording)
{
    static const struct {
        const char *fact, *title;
    } shown[] = {{"host", "host"}, {"version", "recorded by mprof"}, {"test", "test"}};
    char text[160], date[40], zone[16];
    json_t *pairs = json_array();
    const json_t *facts = json_object_get(recording, "facts");
    double start_s = mprof__report_number(recording, "started_s");
    const char *command = mprof__report_string(recording, "command_line");
    append_pair(view, pairs, "file",
                mprof__name_word(mprof__report_string(recording, "file"), FACT_BYTES), true);
    if (*command) {
        append_pair(view, pairs,
                    json_is_true(json_object_get(recording, "command_is_redacted"))
                        ? "command, secrets masked"
                        : "command",
                    mprof__name_word(command, COMMAND_BYTES), true);
    }
    mprof__date_text(date, sizeof date, start_s);
    snprintf(text, sizeof text, "%s %s", date, mprof__zone_text(zone, sizeof zone, start_s));
    append_pair(view, pairs, "begun",
                json_string(*date ? text : "at an unknown time: times count from the start"),
                false);
    append_pair(view, pairs, "measured", json_string(measured_words(recording, text, sizeof text)),
                false);
    const json_t *merged = json_object_get(recording, "merged");
    if (json_is_object(merged)) {
        char word[MPROF__WORD_SIZE];
        mprof__ranks_text(text, sizeof text, (size_t)mprof__report_number(merged, "ranks"),
                          (size_t)mprof__report_number(merged, "hosts"));
        append_pair(view, pairs, "merged of", json_string(text), false);
        append_pair(view, pairs, "sum of the ranks' peaks",
                    json_string(mprof__bytes_word(
                        word, mprof__report_number(merged, "sum_of_peaks_bytes"))),
                    false);
    }
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const char *value = mprof__report_string(facts, shown[i].fact);
        if (*value) {
            append_pair(view, pairs, shown[i].title, mprof__name_word(value, FACT_BYTES), false);
        }
    }
    set(view, "environment", pairs);
}

/* ---- sentences ---- */

/* The kernel's mark, where it is so far above the highest sample that it reads otherwise; else that
 * sample. */
static double known_peak(const json_t *peak)
{
    char exact_word[MPROF__WORD_SIZE], word[MPROF__WORD_SIZE];
    double bytes = mprof__report_number(peak, "bytes");
    double exact = mprof__report_number(peak, "kernel_bytes");
    bool is_above = exact > bytes && strcmp(mprof__bytes_word(exact_word, exact),
                                            mprof__bytes_word(word, bytes)) != 0;
    return is_above ? exact : bytes;
}

/* "At the peak, 7.64 s after the start, main › load ran." */
static void set_at_peak(struct view *view, const json_t *recording)
{
    char text[SENTENCE_SIZE], word[MPROF__WORD_SIZE];
    const json_t *peak = json_object_get(recording, "peak");
    const char *running = mprof__report_string(peak, "running");
    double at_s = mprof__report_number(peak, "at_s");
    json_t *name = *running ? mprof__name_word(running, SENTENCE_SIZE / 2) : NULL;
    if (mprof__running_sentence(recording, text, sizeof text)) {
        set_text(view, "at_peak", text);
    } else if (name && isfinite(at_s)) {
        bool is_sampled = known_peak(peak) > mprof__report_number(peak, "bytes");
        snprintf(text, sizeof text, "At the %s, %s after the start: %s.",
                 is_sampled ? "highest sample" : "peak", mprof__seconds_word(word, at_s),
                 json_string_value(name));
        set_text(view, "at_peak", text);
    } else {
        set(view, "at_peak", json_null());
    }
    json_decref(name);
}

static void set_headline(struct view *view, const json_t *recording)
{
    char text[SENTENCE_SIZE], word[MPROF__WORD_SIZE], sampled[MPROF__WORD_SIZE];
    if (mprof__limits_headline(recording, text, sizeof text)) {
        set(view, "verdict", mprof__verdict_view(mprof__report_string(recording, "verdict")));
    } else {
        const json_t *peak = json_object_get(recording, "peak");
        double bytes = mprof__report_number(peak, "bytes"), highest = known_peak(peak);
        bool is_sampled = highest > bytes;
        snprintf(text, sizeof text, "Peak %s%s%s%s", mprof__bytes_word(word, highest),
                 is_sampled ? ", " : "", is_sampled ? mprof__bytes_word(sampled, bytes) : "",
                 is_sampled ? " sampled" : "");
        set(view, "verdict", json_null());
    }
    set_text(view, "headline", text);
}

/* Of a merged recording: the process that ended worst, its name with host and rank. */
static const json_t *worst_process(const json_t *processes)
{
    static const char *const causes[] = {"out of memory", "signal"};
    for (size_t n = 0; n < sizeof causes / sizeof *causes; n++) {
        for (size_t i = 0; i < json_array_size(processes); i++) {
            const json_t *process = json_array_get(processes, i);
            if (strcmp(mprof__report_string(json_object_get(process, "end"), "cause"), causes[n]) ==
                0) {
                return process;
            }
        }
    }
    return NULL;
}

/* "The program was killed by signal 9 after 1.96 s: it may have needed more." */
static void set_ending(struct view *view, const json_t *recording)
{
    char text[SENTENCE_SIZE], end[MPROF__WORD_SIZE], word[MPROF__WORD_SIZE];
    const json_t *processes = json_object_get(recording, "processes");
    const json_t *worst =
        json_is_object(json_object_get(recording, "merged")) ? worst_process(processes) : NULL;
    if (!json_is_true(json_object_get(json_object_get(recording, "peak"), "is_lower_bound"))) {
        set(view, "ending", json_null());
        return;
    }
    mprof__end_word(end, json_object_get(worst ? worst : json_array_get(processes, 0), "end"));
    if (worst) {
        double end_s =
            mprof__report_number(worst, "started_s") + mprof__report_number(worst, "duration_s");
        json_t *name = mprof__name_word(mprof__report_string(worst, "name"), SENTENCE_SIZE / 2);
        snprintf(text, sizeof text, "%s was %s after %s: the job may have needed more.",
                 name ? json_string_value(name) : "A rank", end, mprof__seconds_word(word, end_s));
        json_decref(name);
        set_text(view, "ending", text);
        return;
    }
    snprintf(text, sizeof text, "The program was %s after %s: it may have needed more.", end,
             mprof__seconds_word(word, mprof__report_number(recording, "duration_s")));
    set_text(view, "ending", text);
}

/* Red is a limit that was crossed, and nothing else. */
static bool is_peak_crossed(const json_t *recording)
{
    const json_t *limits = json_object_get(recording, "limits");
    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *limit = json_array_get(limits, i);
        const char *key = mprof__report_string(limit, "key");
        if ((strcmp(key, "max") == 0 || strcmp(key, "baseline") == 0) &&
            mprof__verdict_rank(mprof__report_string(limit, "verdict")) == MPROF__RANK_FAILED) {
            return true;
        }
    }
    return false;
}

double mprof__peak_limit_bytes(const json_t *recording)
{
    const json_t *limits = json_object_get(recording, "limits");
    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *limit = json_array_get(limits, i);
        if (strcmp(mprof__report_string(limit, "key"), "max") == 0) {
            return mprof__report_number(limit, "limit");
        }
    }
    return NAN;
}

/* ---- a chart of few values ---- */

/* {values: [{separator, value}], limit?, unit, time_unit, top, duration, step}: whole numbers,
 * which need no escaping. JSON null if the curve has fewer than two values. */
static json_t *chart_of(const json_t *recording)
{
    char step[MPROF__WORD_SIZE], duration[MPROF__WORD_SIZE];
    const json_t *curve = json_object_get(recording, "curve");
    const json_t *list = json_object_get(curve, "highest_bytes");
    size_t count = json_array_size(list), merged = (count + CHART_VALUES - 1) / CHART_VALUES;
    double limit = mprof__peak_limit_bytes(recording), top = isfinite(limit) ? limit : 1;
    if (count < 2) {
        return json_null();
    }
    for (size_t i = 0; i < count; i++) {
        top = fmax(top, json_number_value(json_array_get(list, i)));
    }
    mprof__column_unit unit = mprof__bytes_unit(top);
    json_t *values = json_array();
    double last = 0;
    for (size_t i = 0; values && i < count; i += merged) {
        double highest = -1;
        for (size_t k = i; k < count && k < i + merged; k++) {
            const json_t *value = json_array_get(list, k);
            highest = fmax(highest, json_is_number(value) ? json_number_value(value) : -1);
        }
        last = highest < 0 ? last : highest; /* no sample: the last one holds */
        json_array_append_new(values, json_pack("{s:s,s:I}", "separator", i ? ", " : "", "value",
                                                (json_int_t)llround(last / unit.factor)));
    }
    double duration_s = mprof__report_number(recording, "duration_s");
    mprof__column_unit time = mprof__seconds_unit(duration_s);
    snprintf(duration, sizeof duration, "%.3g", duration_s / time.factor);
    mprof__seconds_word(step, mprof__report_number(curve, "step_s") * (double)merged);
    json_t *chart = json_pack(
        "{s:o,s:s,s:s,s:I,s:s,s:s}", "values", values, "unit", unit.name, "time_unit", time.name,
        "top", (json_int_t)ceil(top * 1.05 / unit.factor), "duration", duration, "step", step);
    if (isfinite(limit) && chart) {
        json_object_set_new(chart, "limit", json_integer(llround(limit / unit.factor)));
    }
    return chart;
}

/* ---- a recording ---- */

/* The number of a recording, from 0, is the link to its details and to its picture. */
static void set_link(struct view *view, size_t number, const mprof__view_options *options)
{
    char id[32], link[512];
    snprintf(id, sizeof id, "r%zu", number + 1);
    if (options->layout == MPROF__REPORT_INDEX) {
        snprintf(link, sizeof link, "%s/%04zu.html", options->pages, number + 1);
    } else {
        snprintf(link, sizeof link, "#%s", id);
    }
    set_text(view, "id", id);
    set_text(view, "link", link);
    set(view, "number", json_integer((json_int_t)number));
}

static void set_tables(struct view *view, const json_t *recording, size_t number,
                       const mprof__view_options *options)
{
    char prefix[32] = "";
    if (options->layout == MPROF__REPORT_TOGETHER) {
        snprintf(prefix, sizeof prefix, "r%zu-", number + 1);
    }
    json_t *tables = json_array();
    json_t *functions = mprof__functions_table(recording, prefix, options->row_max);
    if (!json_is_null(functions)) {
        append(view, tables, functions);
    }
    append(view, tables, mprof__processes_table(recording, prefix, options->row_max));
    set_text(view, "prefix", prefix);
    set(view, "tables", tables);
}

static json_t *recording_view(const json_t *recording, size_t number,
                              const mprof__view_options *options)
{
    char word[MPROF__WORD_SIZE];
    struct view view = {json_object(), false};
    const json_t *peak = json_object_get(recording, "peak");
    set_link(&view, number, options);
    set(&view, "name", mprof__name_word(mprof__report_string(recording, "name"), NAME_BYTES));
    set(&view, "command",
        mprof__name_word(mprof__report_string(recording, "command_line"), COMMAND_BYTES));
    set_text(&view, "peak", mprof__bytes_word(word, mprof__report_number(peak, "bytes")));
    set_text(&view, "duration",
             mprof__seconds_word(word, mprof__report_number(recording, "duration_s")));
    set_headline(&view, recording);
    set_at_peak(&view, recording);
    set_ending(&view, recording);
    set_flag(&view, "is_calm", !is_peak_crossed(recording));
    set(&view, "limits", mprof__limits_view(recording));
    set(&view, "baseline", mprof__baseline_view(recording));
    set_cards(&view, recording);
    set_tables(&view, recording, number, options);
    set(&view, "warnings", json_deep_copy(json_object_get(recording, "warnings")));
    set_flag(&view, "has_warnings", json_array_size(json_object_get(recording, "warnings")) > 0);
    set_flag(&view, "has_rows", options->row_max > 0);
    set(&view, "chart", options->with_chart ? chart_of(recording) : json_null());
    set_environment(&view, recording);
    set_flag(&view, "is_alone", options->layout == MPROF__REPORT_ALONE);
    return finish(&view);
}

/* ---- overview ---- */

/* A small picture with its name and its numbers. */
static json_t *tile_of(const json_t *recording, size_t number, const mprof__view_options *options)
{
    char word[MPROF__WORD_SIZE], text[SENTENCE_SIZE];
    struct view view = {json_object(), false};
    const json_t *peak = json_object_get(recording, "peak");
    double limit = mprof__peak_limit_bytes(recording);
    double bytes = mprof__report_number(peak, "bytes");
    const char *verdict = mprof__report_string(recording, "verdict");
    set_link(&view, number, options);
    set(&view, "name", mprof__name_word(mprof__report_string(recording, "name"), NAME_BYTES));
    set(&view, "spark", mprof__sparkline(recording, limit));
    set_text(&view, "peak", mprof__bytes_word(word, bytes));
    set_text(&view, "of", isfinite(limit) ? mprof__bytes_word(word, limit) : "");
    set_flag(&view, "has_limit", isfinite(limit));
    set_text(&view, "duration",
             mprof__seconds_word(word, mprof__report_number(recording, "duration_s")));
    snprintf(word, sizeof word, "%.0f", isfinite(bytes) ? bytes : 0);
    set_text(&view, "peak_value", word);
    snprintf(word, sizeof word, "%.0f", isfinite(limit) ? limit : 0);
    set_text(&view, "limit_value", isfinite(limit) ? word : "");
    snprintf(word, sizeof word, "%.9g", mprof__report_number(recording, "duration_s"));
    set_text(&view, "duration_value", word);
    set(&view, "processes",
        json_integer((json_int_t)json_array_size(json_object_get(recording, "processes"))));
    set(&view, "verdict", *verdict ? mprof__verdict_view(verdict) : json_null());
    set(&view, "rank", json_integer(mprof__verdict_rank(verdict)));
    if (mprof__limits_headline(recording, text, sizeof text)) {
        set_text(&view, "reason", text);
    } else {
        set_text(&view, "reason", "");
    }
    return finish(&view);
}

struct order {
    size_t number;
    int rank;
    double key;
};

static int worst_first(const void *a, const void *b)
{
    const struct order *first = a, *second = b;
    if (first->rank != second->rank) {
        return first->rank - second->rank;
    }
    if (first->key != second->key) {
        return first->key > second->key ? -1 : 1;
    }
    return first->number < second->number ? -1 : 1;
}

/* The recordings of the report, those that need attention first; the caller frees. */
static struct order *order_of(const json_t *recordings)
{
    size_t count = json_array_size(recordings);
    struct order *order = calloc(count + 1, sizeof *order);
    for (size_t i = 0; order && i < count; i++) {
        const json_t *recording = json_array_get(recordings, i);
        double peak = mprof__report_number(json_object_get(recording, "peak"), "bytes");
        double limit = mprof__peak_limit_bytes(recording);
        double key = isfinite(limit) && limit > 0 ? peak / limit : peak;
        order[i] =
            (struct order){i, mprof__verdict_rank(mprof__report_string(recording, "verdict")),
                           isfinite(key) ? key : 0};
    }
    if (order) {
        qsort(order, count, sizeof *order, worst_first);
    }
    return order;
}

/* What a recording is shown under: the part of its name before the last "::", as tests are named,
 * or before the last slash. Returns its length; 0: no group. */
static size_t group_length(const char *name)
{
    const char *end = NULL;
    for (const char *at = name; (at = strstr(at, "::")); at += 2) {
        end = at;
    }
    end = end ? end : strrchr(name, '/');
    return end ? (size_t)(end - name) : 0;
}

static json_t *find_group(struct view *view, json_t *groups, const json_t *index, const char *key)
{
    const json_t *at = json_object_get(index, key);
    if (at) {
        return json_array_get(groups, (size_t)json_integer_value(at));
    }
    json_t *group = json_pack("{s:o,s:[]}", "group", mprof__name_word(key, NAME_BYTES), "members");
    append(view, groups, group);
    return group;
}

/* Groups in the order of their first tiles; one without a name if fewer than two would have one. */
static void set_groups(struct view *view, const json_t *tiles)
{
    json_t *groups = json_array(), *index = json_object();
    bool are_named = false;
    for (int attempt = 0; attempt < 2 && !view->failed; attempt++) {
        json_array_clear(groups);
        json_object_clear(index);
        for (size_t i = 0; i < json_array_size(tiles); i++) {
            json_t *tile = json_array_get(tiles, i);
            const char *name = mprof__report_string(tile, "name");
            size_t length = attempt == 0 ? group_length(name) : 0;
            char *key = strndup(name, length);
            json_t *group = key ? find_group(view, groups, index, key) : NULL;
            if (!group ||
                (!json_object_get(index, key) &&
                 json_object_set_new(index, key,
                                     json_integer((json_int_t)json_array_size(groups) - 1)) != 0)) {
                view->failed = true;
                free(key);
                break;
            }
            size_t skip = length ? length + (name[length] == ':' ? 2 : 1) : 0;
            json_object_set_new(tile, "short_name", json_string(name + skip));
            append(view, json_object_get(group, "members"), json_incref(tile));
            free(key);
        }
        are_named = json_array_size(groups) > 1;
        if (are_named) {
            break;
        }
    }
    for (size_t i = 0; i < json_array_size(groups); i++) {
        json_t *group = json_array_get(groups, i);
        size_t count = json_array_size(json_object_get(group, "members"));
        json_object_set_new(group, "count", json_integer((json_int_t)count));
    }
    json_decref(index);
    set(view, "groups", groups);
}

static void set_overview(struct view *view, const json_t *report,
                         const mprof__view_options *options)
{
    const json_t *recordings = json_object_get(report, "recordings");
    size_t count = json_array_size(recordings);
    struct order *order = order_of(recordings);
    json_t *attention = json_array(), *tiles = json_array();
    size_t attention_count = 0;
    for (size_t i = 0; order && i < count && i < options->recording_max; i++) {
        const json_t *recording = json_array_get(recordings, order[i].number);
        json_t *tile = tile_of(recording, order[i].number, options);
        if (tile && order[i].rank < MPROF__RANK_PASSED) {
            attention_count++;
            if (attention_count <= ATTENTION_MAX) {
                append(view, attention, json_incref(tile));
            }
        }
        append(view, tiles, tile);
    }
    set(view, "attention_count", json_integer((json_int_t)attention_count));
    set(view, "attention_more",
        attention_count > ATTENTION_MAX
            ? json_integer((json_int_t)(attention_count - ATTENTION_MAX))
            : json_null());
    set_flag(view, "has_attention", json_array_size(attention) > 0);
    set(view, "attention", attention);
    set_groups(view, tiles);
    set(view, "tiles", tiles);
    set_flag(view, "has_verdicts", order && count && order[0].rank <= MPROF__RANK_PASSED);
    set(view, "left_out",
        count > options->recording_max ? json_integer((json_int_t)(count - options->recording_max))
                                       : json_null());
    view->failed |= !order;
    free(order);
}

/* "Failed: 3 of 60 crossed a limit", or "60 recordings". */
static void set_summary(struct view *view, const json_t *report)
{
    char text[SENTENCE_SIZE], word[MPROF__WORD_SIZE];
    size_t ranks[MPROF__RANK_COUNT] = {0}, highest = 0;
    const json_t *recordings = json_object_get(report, "recordings");
    size_t count = json_array_size(recordings);
    double most = -1;
    for (size_t i = 0; i < count; i++) {
        const json_t *recording = json_array_get(recordings, i);
        double peak = mprof__report_number(json_object_get(recording, "peak"), "bytes");
        ranks[mprof__verdict_rank(mprof__report_string(recording, "verdict"))]++;
        if (peak > most) {
            most = peak;
            highest = i;
        }
    }
    set(view, "verdict", mprof__summary_headline(ranks, count, text, sizeof text));
    set_text(view, "headline", text);
    json_t *name =
        count ? mprof__name_word(mprof__report_string(json_array_get(recordings, highest), "name"),
                                 NAME_BYTES)
              : json_string("");
    mprof__verdict_counts(text, sizeof text, ranks);
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%sHighest peak: %s in %s.", used ? ". " : "",
             mprof__bytes_word(word, most), name ? json_string_value(name) : "");
    view->failed |= !name;
    json_decref(name);
    set_text(view, "at_peak", count ? text : "");
}

json_t *mprof__report_view(const json_t *report, const mprof__view_options *options)
{
    struct view view = {json_object(), false};
    const json_t *recordings = json_object_get(report, "recordings");
    json_t *details = json_array();
    struct order *order = options->worst_first ? order_of(recordings) : NULL;
    size_t count = options->layout == MPROF__REPORT_INDEX ? 0 : json_array_size(recordings);
    for (size_t i = 0; i < count && i < options->detail_max; i++) {
        size_t number = order ? order[i].number : i;
        append(&view, details, recording_view(json_array_get(recordings, number), number, options));
    }
    free(order);
    bool is_alone = options->layout == MPROF__REPORT_ALONE && json_array_size(details) == 1;
    if (is_alone) {
        const json_t *only = json_array_get(details, 0);
        set(&view, "verdict", json_incref(json_object_get(only, "verdict")));
        set(&view, "headline", json_incref(json_object_get(only, "headline")));
        set(&view, "subject", json_incref(json_object_get(only, "name")));
        set(&view, "overview", json_null());
    } else {
        struct view overview = {json_object(), false};
        set_summary(&view, report);
        set_overview(&overview, report, options);
        set(&overview, "at_peak", json_incref(json_object_get(view.object, "at_peak")));
        set(&view, "overview", finish(&overview));
        set_text(&view, "subject", "mprof report");
    }
    if (options->title) {
        set(&view, "subject", mprof__name_word(options->title, NAME_BYTES));
    }
    set(&view, "repeat",
        options->command ? mprof__name_word(options->command, COMMAND_BYTES) : json_null());
    set(&view, "index", options->index ? json_string(options->index) : json_null());
    set(&view, "recordings", details);
    set(&view, "unreadable", json_deep_copy(json_object_get(report, "unreadable")));
    set_flag(&view, "has_unreadable", json_array_size(json_object_get(report, "unreadable")) > 0);
    set(&view, "mprof", json_incref(json_object_get(report, "mprof")));
    return finish(&view);
}
