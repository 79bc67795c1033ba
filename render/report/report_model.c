/* Every number is taken from the profile; nothing is computed here but differences, and the short
 * curve. */
#include "report_model.h"

#include "parse/check/most_added.h"
#include "parse/formats/json.h"
#include "parse/ranks.h"
#include "parse/redact.h"

#include <mprof/moment.h>
#include <mprof/sums.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_SIZE 32768 /* a longer command line is cut */

double mprof__report_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *mprof__report_string(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

/* An object that is being built; after a failure nothing is added. */
struct builder {
    json_t *object;
    bool failed;
};

static void add(struct builder *builder, const char *name, json_t *value)
{
    if (json_object_set_new_nocheck(builder->object, name, value) != 0) {
        builder->failed = true;
    }
}

static void add_number(struct builder *builder, const char *name, double value)
{
    add(builder, name, mprof__json_number(value));
}

static void add_bytes(struct builder *builder, const char *name, double mib)
{
    add(builder, name, mprof__json_bytes(mib));
}

static void add_count(struct builder *builder, const char *name, uint64_t count)
{
    add(builder, name, json_integer((json_int_t)count));
}

static void add_text(struct builder *builder, const char *name, const char *text)
{
    add(builder, name, mprof__json_text(text));
}

static json_t *finish(struct builder *builder)
{
    if (builder->failed) {
        json_decref(builder->object);
        return NULL;
    }
    return builder->object;
}

/* Appends to a list; false: out of memory. */
static bool append(json_t *list, json_t *value)
{
    return json_array_append_new(list, value) == 0;
}

/* ---- functions and processes ---- */

static json_t *function_of(const mprof_function *function, double most_added_mib)
{
    struct builder builder = {json_object(), false};
    add_text(&builder, "name", function->name);
    add_text(&builder, "label", function->label);
    add_count(&builder, "calls", function->call_count);
    add_number(&builder, "total_s", function->total_s);
    add_number(&builder, "own_s", function->own_s);
    add_number(&builder, "longest_s", function->longest_s);
    add_bytes(&builder, "most_added_bytes", most_added_mib);
    add_bytes(&builder, "change_bytes", function->change_mib);
    add_bytes(&builder, "peak_bytes", function->peak_mib);
    return finish(&builder);
}

static json_t *functions_of(const mprof_profile *profile)
{
    size_t count;
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    mprof_sample *most = calloc(count + 1, sizeof *most);
    json_t *list = json_array();
    bool good = list && most && mprof__most_added_find(most, NULL, profile) == 0;
    for (size_t i = 0; good && i < count; i++) {
        good = append(list, function_of(&functions[i], most[i].mib));
    }
    free(most);
    if (!good) {
        json_decref(list);
    }
    return good ? list : NULL;
}

static json_t *end_of(const mprof_process *process)
{
    return process->ended ? mprof__json_end(process->cause, process->exit_value) : json_null();
}

static json_t *process_of(const mprof_process *process, const mprof_process_sum *sum,
                          double start_s)
{
    struct builder builder = {json_object(), false};
    bool is_known = sum->sample_count > 0;
    double from_s = isnan(process->birth_s) && is_known ? sum->first_s : process->birth_s;
    double to_s = isnan(process->end_s) && is_known ? sum->last_s : process->end_s;
    add_text(&builder, "name", process->name);
    add(&builder, "pid", process->pid == MPROF_PID_NONE ? json_null() : json_integer(process->pid));
    add(&builder, "ppid",
        process->ppid == MPROF_PID_NONE ? json_null() : json_integer(process->ppid));
    add_bytes(&builder, "peak_bytes", is_known ? sum->peak.mib : NAN);
    add_bytes(&builder, "kernel_peak_bytes", process->kernel_peak_mib);
    add(&builder, "kernel_peak_is_lower_bound", json_boolean(process->kernel_peak_at_least));
    add_bytes(&builder, "mean_bytes", is_known ? sum->mean_mib : NAN);
    add_bytes(&builder, "at_peak_bytes", sum->ran_at_peak ? sum->at_peak_mib : NAN);
    add_number(&builder, "started_s", from_s - start_s);
    add_number(&builder, "duration_s", to_s < from_s ? 0 : to_s - from_s);
    add(&builder, "end", end_of(process));
    return finish(&builder);
}

static json_t *processes_of(const mprof_profile *profile)
{
    size_t count;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    mprof_process_sum *sums = NULL;
    json_t *list = json_array();
    bool good = list && mprof_process_sums_make(&sums, &count, profile, NULL) == MPROF_OK;
    for (size_t i = mprof__first_process(profile); good && i < count; i++) {
        good = append(list, process_of(&processes[i], &sums[i], mprof_profile_start_s(profile)));
    }
    mprof_process_sums_free(sums);
    if (!good) {
        json_decref(list);
    }
    return good ? list : NULL;
}

/* ---- the curve ---- */

static bool has_others(const mprof_profile *profile)
{
    size_t count, other_count;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    (void)mprof_profile_other_processes(profile, &other_count);
    for (size_t i = 1; i < count; i++) {
        other_count += processes[i].series.sample_count > 0;
    }
    return other_count > 0;
}

/* The series of what the recording is about: all processes, where others than the main one were
 * sampled. */
static const mprof_series *main_series(const mprof_profile *profile, bool *is_of_all)
{
    const mprof_ticks *ticks = mprof_profile_ticks(profile, 0);
    *is_of_all = mprof_profile_mem_is_sum(profile) != 0;
    if (!*is_of_all && has_others(profile) && ticks->total.sample_count) {
        *is_of_all = true;
        return &ticks->total;
    }
    return mprof_profile_samples(profile);
}

/* The highest sample of each part of the duration; null for a part without samples. */
static json_t *curve_of(const mprof_profile *profile, const mprof_series *series)
{
    double from_s = mprof_profile_start_s(profile);
    double duration_s = mprof_profile_end_s(profile) - from_s;
    size_t size = series->point_count < MPROF__REPORT_CURVE_SIZE ? series->point_count
                                                                 : MPROF__REPORT_CURVE_SIZE;
    double highest[MPROF__REPORT_CURVE_SIZE];
    size = size > 0 && duration_s > 0 ? size : 1;
    for (size_t i = 0; i < size; i++) {
        highest[i] = NAN;
    }
    for (size_t i = 0; i < series->point_count; i++) {
        double share = duration_s > 0 ? (series->points[i].time_s - from_s) / duration_s : 0;
        size_t at = (size_t)fmax(0, fmin(share * (double)size, (double)size - 1));
        highest[at] = fmax(highest[at], series->points[i].mib);
    }
    struct builder builder = {json_object(), false};
    json_t *list = json_array();
    for (size_t i = 0; i < size; i++) {
        builder.failed |= !append(list, mprof__json_bytes(highest[i]));
    }
    add_number(&builder, "step_s", duration_s / (double)size);
    add(&builder, "highest_bytes", list);
    return finish(&builder);
}

/* ---- recording ---- */

static json_t *facts_of(const mprof_profile *profile)
{
    size_t count;
    const mprof_fact *facts = mprof_profile_facts(profile, &count);
    struct builder builder = {json_object(), false};
    for (size_t i = 0; i < count; i++) {
        json_t *key = mprof__json_text(facts[i].key);
        if (key && !json_object_get(builder.object, json_string_value(key))) {
            char text[COMMAND_SIZE];
            mprof__redact_fact(text, sizeof text, facts[i].key, facts[i].value);
            add_text(&builder, json_string_value(key), text);
        }
        json_decref(key);
    }
    return finish(&builder);
}

static bool add_warning(json_t *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool add_warning(json_t *list, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return append(list, mprof__json_text(text));
}

static json_t *warnings_of(const mprof_profile *profile, bool is_sum)
{
    char text[512];
    size_t process_count;
    json_t *list = json_array();
    bool good = list != NULL;
    (void)mprof_profile_processes(profile, &process_count);
    process_count -= mprof__first_process(profile);
    if (good && mprof_warnings_format(mprof_profile_warnings(profile), text, sizeof text)) {
        good = add_warning(list, "In the file: %s.", text);
    }
    uint64_t lost = mprof_profile_lost_calls(profile);
    if (good && lost) {
        good = add_warning(list,
                           "%llu calls are missing: they came faster than they could be recorded.",
                           (unsigned long long)lost);
    }
    if (good && is_sum && process_count > 1 &&
        mprof_profile_measured_kind(profile) == MPROF_KIND_RSS) {
        good = add_warning(list,
                           "RSS counts pages that processes share once for each of them: with %zu "
                           "processes the sum is an upper bound. Record with --memory pss to "
                           "share them out.",
                           process_count);
    }
    if (!good) {
        json_decref(list);
    }
    return good ? list : NULL;
}

/* The calls that ran at the peak, in words. */
static void add_running(struct builder *builder, const mprof_profile *profile, double time_s)
{
    char text[MPROF_MOMENT_TEXT_SIZE];
    mprof_moment *moment = NULL;
    if (mprof_moment_find(&moment, profile, time_s, NULL) != MPROF_OK) {
        builder->failed = true;
        return;
    }
    mprof_moment_text(text, sizeof text, moment, profile);
    add_text(builder, "running", text);
    mprof_moment_free(moment);
}

/* It may have needed more. */
static bool was_killed(const mprof_process *process)
{
    return process->ended &&
           (process->cause == MPROF_EXIT_SIGNAL || process->cause == MPROF_EXIT_OOM);
}

static json_t *peak_of(const mprof_profile *profile)
{
    size_t count, killed;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    struct builder builder = {json_object(), false};
    mprof_sample peak = mprof_profile_peak(profile);
    bool is_known = isfinite(peak.mib);
    add_bytes(&builder, "bytes", peak.mib);
    add_number(&builder, "at_s", is_known ? peak.time_s - mprof_profile_start_s(profile) : NAN);
    add_bytes(&builder, "kernel_bytes", count == 1 ? processes[0].kernel_peak_mib : NAN);
    add(&builder, "is_lower_bound",
        json_boolean(was_killed(mprof__ending_process(profile, &killed))));
    if (is_known) {
        add_running(&builder, profile, peak.time_s);
    } else {
        add_text(&builder, "running", "");
    }
    return finish(&builder);
}

/* null: the recording was not merged. */
static json_t *merged_of(const mprof_profile *profile)
{
    struct builder builder = {json_object(), false};
    size_t count;
    mprof_profile_ranks(profile, &count);
    if (count == 0) {
        json_decref(builder.object);
        return json_null();
    }
    add_count(&builder, "ranks", count);
    add_count(&builder, "hosts", mprof_profile_host_count(profile));
    add_bytes(&builder, "sum_of_peaks_bytes", mprof_profile_sum_of_peaks(profile));
    return finish(&builder);
}

json_t *mprof__report_recording(const mprof_profile *profile, const char *file, const char *name)
{
    bool is_sum;
    const mprof_series *series = main_series(profile, &is_sum);
    const mprof_kind kind = mprof_profile_measured_kind(profile);
    double start_s = mprof_profile_start_s(profile);
    struct builder builder = {json_object(), false};
    char *command = malloc(COMMAND_SIZE);
    if (command) {
        mprof__redact_text(command, COMMAND_SIZE, mprof_profile_command_line(profile));
        add_text(&builder, "command_line", command);
        add(&builder, "command_is_redacted",
            json_boolean(strcmp(command, mprof_profile_command_line(profile)) != 0));
    }
    builder.failed |= !command;
    free(command);
    add_text(&builder, "file", file);
    add_text(&builder, "name", name);
    add_number(&builder, "started_s", start_s);
    add_number(&builder, "duration_s", mprof_profile_end_s(profile) - start_s);
    add_count(&builder, "samples", series->sample_count);
    add_text(&builder, "kind", mprof_kind_name(kind));
    add(&builder, "merged", merged_of(profile));
    add(&builder, "of_all_processes", json_boolean(is_sum));
    add(&builder, "peak", peak_of(profile));
    add_bytes(&builder, "mean_bytes", series->sample_count ? series->mean_mib : NAN);
    add_bytes(&builder, "lowest_bytes", series->sample_count ? series->lowest_mib : NAN);
    add_bytes(&builder, "last_bytes",
              series->point_count ? series->points[series->point_count - 1].mib : NAN);
    add(&builder, "curve", curve_of(profile, series));
    add(&builder, "functions", functions_of(profile));
    add(&builder, "processes", processes_of(profile));
    add(&builder, "limits", json_array());
    add(&builder, "warnings", warnings_of(profile, is_sum));
    add(&builder, "facts", facts_of(profile));
    return finish(&builder);
}

json_t *mprof__report_new(void)
{
    return mprof__json_document("report", json_pack("{s:[],s:[]}", "recordings", "unreadable"));
}
