/* "Exact kernel peaks count": the kernel's high-water mark of one process is a lower bound of every
 * sum with it, and of the process itself the peak, however short it was. */
#include "figures.h"

#include "most_added.h"

#include "parse/plain_text.h"
#include "parse/process_group.h"
#include "parse/ranks.h"
#include "parse/redact.h"
#include "parse/similar_name.h"
#include "running.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *keep(mprof__arena *arena, const char *text)
{
    return mprof__arena_copy(arena, text, strlen(text));
}

/* ---- the run ---- */

static bool fact_is(const mprof_profile *profile, const char *key, const char *value)
{
    const char *fact = mprof_profile_fact(profile, key);
    return fact && strcmp(fact, value) == 0;
}

static const mprof_process *main_process(const mprof_profile *profile)
{
    size_t count;
    return mprof_profile_processes(profile, &count);
}

static double first_time(const mprof_profile *profile)
{
    return mprof_profile_start_s(profile);
}

/* As recorded, without secrets: verdicts are printed in logs that others read. */
static const char *keep_command_line(mprof__arena *arena, const char *line)
{
    size_t size = 4 * strlen(line) + 1; /* a mask may be longer than what it hides */
    char *text = malloc(size);
    if (!text) {
        return NULL;
    }
    mprof__redact_text(text, size, line);
    const char *kept = keep(arena, text);
    free(text);
    return kept;
}

/* The last part of a path. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The name of the program: that of the process, or from the command line. Upstream writes the
 * latter for Python programs with the interpreter in front. */
static const char *find_program(mprof__arena *arena, const mprof_profile *profile)
{
    char name[120], group[120];
    const char *line = mprof_profile_command_line(profile);
    const char *process = main_process(profile)->name;
    mprof__text_copy(name, sizeof name, process, strlen(process));
    if (!*name || strncmp(name, "child ", 6) == 0) {
        size_t first = strcspn(line, " ");
        mprof__text_copy(name, sizeof name, line, first);
        const char *base = base_name(name);
        if (strncmp(base, "python", 6) == 0 && line[first] == ' ' && line[first + 1] != '-') {
            size_t second = strcspn(line + first + 1, " ");
            mprof__text_copy(name, sizeof name, line + first + 1, second);
        }
        memmove(name, base_name(name), strlen(base_name(name)) + 1);
    }
    if (mprof__process_group_key(group, sizeof group, name) == 0) {
        return "";
    }
    return keep(arena, base_name(group));
}

/* What is known of a file of which most is missing is no measurement. */
static const char *find_damage(mprof__arena *arena, const mprof_profile *profile)
{
    static const mprof_warning lost[] = {MPROF_WARNING_NUL, MPROF_WARNING_NUMBER,
                                         MPROF_WARNING_FIELDS, MPROF_WARNING_FAR,
                                         MPROF_WARNING_LONG};
    const mprof_warnings *warnings = mprof_profile_warnings(profile);
    uint64_t sample_count = mprof_profile_samples(profile)->sample_count;
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        count += warnings->count[lost[i]];
    }
    if (warnings->count[MPROF_WARNING_COMPRESSED] > 0) {
        return "the compressed file is damaged: the rest of it is missing";
    }
    if (count <= sample_count) {
        return "";
    }
    return mprof__keep_format(arena, "%llu line%s could not be read, and only %llu sample%s",
                              (unsigned long long)count, count == 1 ? "" : "s",
                              (unsigned long long)sample_count,
                              sample_count == 1 ? " could" : "s could");
}

static void set_ending(mprof__figures *f, mprof__arena *arena)
{
    size_t killed;
    const mprof_process *process = mprof__ending_process(f->profile, &killed);
    static const mprof__ending endings[] = {
        [MPROF_EXIT_UNKNOWN] = MPROF__ENDING_UNKNOWN,
        [MPROF_EXIT_STATUS] = MPROF__ENDING_STATUS,
        [MPROF_EXIT_SIGNAL] = MPROF__ENDING_SIGNAL,
        [MPROF_EXIT_OOM] = MPROF__ENDING_OOM,
    };
    if (process->ended) {
        f->ending = endings[process->cause];
        f->ending_value = process->exit_value;
    }
    if (f->ending == MPROF__ENDING_SIGNAL) {
        f->cut_reason = mprof__keep_format(arena, "ended by signal %lld after %.2f s",
                                           (long long)f->ending_value, f->duration_s);
    } else if (f->ending == MPROF__ENDING_OOM) {
        f->cut_reason = mprof__keep_format(arena, "ended by the out-of-memory killer after %.2f s",
                                           f->duration_s);
    } else if (!process->ended && mprof_profile_fact(f->profile, "machine") &&
               !mprof_profile_fact(f->profile, "ended")) {
        f->cut_reason = "the recording has no end: it goes on, or its recorder was killed";
    }
    size_t count;
    const mprof_process *processes = mprof_profile_processes(f->profile, &count);
    for (size_t i = 1; i < count && f->cut_reason && !*f->cut_reason; i++) {
        if (processes[i].ended && processes[i].cause == MPROF_EXIT_OOM) {
            f->cut_reason = "the out-of-memory killer ended one of its processes";
        }
    }
    if (f->cut_reason && !*f->cut_reason) {
        f->cut_reason = find_damage(arena, f->profile);
    }
    f->is_cut = f->cut_reason && *f->cut_reason;
}

/* The curve of what a peak applies to. */
static void choose_samples(mprof__figures *f)
{
    bool is_sum = mprof_profile_mem_is_sum(f->profile) != 0;
    const mprof_ticks *ticks = mprof_profile_ticks(f->profile, is_sum);
    size_t count;
    mprof_profile_processes(f->profile, &count);
    const mprof_series *series = mprof_profile_samples(f->profile);
    if (count > 1 && ticks->total.sample_count > 0 && !is_sum) {
        series = &ticks->total;
    }
    f->samples = series->points;
    f->sample_count = series->point_count;
}

static bool has_marks(const mprof_profile *profile)
{
    return mprof_profile_measured_kind(profile) == MPROF_KIND_RSS;
}

static void raise_peak(mprof__figures *f, double mib)
{
    f->peak_mib = mib > f->peak_mib ? mib : f->peak_mib;
}

/* A sum of processes is at least what is known of each of them. */
static void raise_by_parts(mprof__figures *f)
{
    size_t count, function_count;
    const mprof_process *processes = mprof_profile_processes(f->profile, &count);
    const mprof_function *functions = mprof_profile_functions(f->profile, &function_count);
    for (size_t i = 0; i < count; i++) {
        if (processes[i].series.sample_count > 0) {
            raise_peak(f, processes[i].series.peak.mib);
        }
        if (has_marks(f->profile)) {
            raise_peak(f, processes[i].kernel_peak_mib);
        }
    }
    for (size_t i = 0; i < function_count; i++) {
        raise_peak(f, functions[i].peak_mib);
    }
    if (has_marks(f->profile)) {
        raise_peak(f, mprof_profile_other_kernel_peak(f->profile));
    }
}

/* The highest that is proven, whatever was sampled; where that is between samples, the time is that
 * of the highest sample. */
static void set_peak(mprof__figures *f)
{
    mprof_sample peak = mprof_profile_peak(f->profile);
    mprof_kind measured = mprof_profile_measured_kind(f->profile);
    f->peak_mib = peak.mib;
    f->peak_at_s = peak.time_s - first_time(f->profile);
    if (f->is_of_all) {
        raise_by_parts(f);
    } else if (has_marks(f->profile)) {
        raise_peak(f, main_process(f->profile)->kernel_peak_mib);
    }
    if (mprof_profile_kinds(f->profile) >> measured & 1) {
        raise_peak(f, mprof_profile_kind_peak(f->profile, measured, f->is_of_all));
    }
}

static void set_duration(mprof__figures *f)
{
    const mprof_process *process = main_process(f->profile);
    double end_s = mprof_profile_end_s(f->profile);
    if (process->ended && process->end_s > end_s) {
        end_s = process->end_s;
    }
    f->duration_s = end_s - first_time(f->profile);
}

int mprof__figures_begin(mprof__figures *figures, mprof__arena *arena, const mprof_profile *profile)
{
    const char *machine = mprof_profile_fact(profile, "machine");
    const char *test = mprof_profile_fact(profile, "test");
    const mprof_run *run = mprof_profile_run(profile);
    bool is_of_all = mprof_profile_mem_is_sum(profile) ||
                     mprof_profile_ticks(profile, 0)->total.sample_count > 0;
    char warnings[300];
    bool has_warnings =
        mprof_warnings_format(mprof_profile_warnings(profile), warnings, sizeof warnings) != 0;
    *figures = (mprof__figures){
        .profile = profile,
        .file = keep(arena, mprof_profile_file(profile)),
        .run_number = run ? run->number : 1,
        .run_count = mprof_profile_run_count(profile),
        .command_line = keep_command_line(arena, mprof_profile_command_line(profile)),
        .program = find_program(arena, profile),
        .test = test ? keep(arena, test) : NULL,
        .machine = machine && *machine ? keep(arena, machine) : "unknown",
        .is_of_all = is_of_all,
        .memory =
            mprof__keep_format(arena, "%s%s", mprof_kind_name(mprof_profile_measured_kind(profile)),
                               is_of_all ? "+children" : ""),
        .cut_reason = "",
        .warnings = has_warnings ? keep(arena, warnings) : NULL,
    };
    set_duration(figures);
    set_ending(figures, arena);
    set_peak(figures);
    choose_samples(figures);
    return figures->file && figures->command_line && figures->program && figures->machine &&
                   figures->memory && figures->cut_reason && (!test || figures->test) &&
                   (!has_warnings || figures->warnings)
               ? 0
               : -1;
}

void mprof__figures_finish(mprof__figures *figures)
{
    free(figures->owned_samples);
    figures->owned_samples = NULL;
    figures->samples = NULL;
    figures->profile = NULL;
}

/* ---- single limits ---- */

static int set_value(const mprof__figures *f, mprof__arena *arena, mprof__figure_value *value,
                     double mib, double time_s)
{
    value->mib = mib;
    value->at_s = time_s - first_time(f->profile);
    if (isnan(time_s)) {
        return 0;
    }
    return mprof__running_find(value->running, &value->running_count, arena, f->profile, time_s);
}

static int measure_child(const mprof__figures *f, mprof__arena *arena, mprof__figure_value *value)
{
    size_t count;
    const mprof_process *processes = mprof_profile_processes(f->profile, &count);
    double highest = NAN, at_s = NAN;
    for (size_t i = 1; i < count; i++) {
        const mprof_series *series = &processes[i].series;
        if (series->sample_count > 0 && !(series->peak.mib <= highest)) {
            highest = series->peak.mib;
            at_s = series->peak.time_s;
        }
        if (has_marks(f->profile) && processes[i].kernel_peak_mib > 0 &&
            !(processes[i].kernel_peak_mib <= highest)) {
            highest = processes[i].kernel_peak_mib;
            at_s = series->sample_count > 0 ? series->peak.time_s : processes[i].birth_s;
        }
    }
    if (has_marks(f->profile)) {
        double other = mprof_profile_other_kernel_peak(f->profile);
        at_s = other > highest ? NAN : at_s;
        highest = fmax(highest, other);
    }
    if (isnan(highest)) {
        bool follows = fact_is(f->profile, "multiprocess", "yes") ||
                       fact_is(f->profile, "include-children", "yes");
        value->reason = count > 1 ? "no sample of a child: record with -M"
                        : follows ? "the program had no child"
                                  : "no child was recorded: record with -M";
        value->is_none = count == 1 && follows;
    }
    return set_value(f, arena, value, highest, at_s);
}

static int measure_group(const mprof__figures *f, mprof__arena *arena, mprof__figure_value *value)
{
    const mprof_control_group *group = mprof_profile_control_group(f->profile);
    if (isnan(group->highest.mib)) {
        value->reason = "recorded without --memory group";
        return 0;
    }
    return set_value(f, arena, value, group->highest.mib, group->highest.time_s);
}

static int measure_kind(const mprof__figures *f, mprof__arena *arena, mprof_kind kind,
                        mprof__figure_value *value)
{
    if (kind == MPROF__KIND_GROUP) {
        return measure_group(f, arena, value);
    }
    double mib = mprof_profile_kind_peak(f->profile, kind, mprof_kind_adds_up(kind));
    const mprof_series *series = &mprof_profile_kind(f->profile, kind)->series;
    if (kind == mprof_profile_measured_kind(f->profile)) {
        return set_value(f, arena, value, f->peak_mib, first_time(f->profile) + f->peak_at_s);
    }
    if (isnan(mib) || !(mprof_profile_kinds(f->profile) >> kind & 1)) {
        value->reason =
            mprof__keep_format(arena, "recorded without --memory %s", mprof_kind_name(kind));
        return value->reason ? 0 : -1;
    }
    return set_value(f, arena, value, mib, series->sample_count > 0 ? series->peak.time_s : NAN);
}

/* ---- functions ---- */

/* True if `name` is the function, or the end of its dotted name. */
static bool is_named(const mprof_function *function, const char *name)
{
    size_t whole = strlen(function->name), length = strlen(name);
    return whole >= length && strcmp(function->name + whole - length, name) == 0 &&
           (whole == length || function->name[whole - length - 1] == '.');
}

/* Sets what is measured: the functions of that name. Returns how many there are. */
static size_t choose_functions(const mprof_profile *profile, const char *name, bool *is_chosen,
                               const char **first, const char **second)
{
    size_t count, chosen = 0;
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            is_chosen[i] = true;
            return 1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        is_chosen[i] = is_named(&functions[i], name);
        if (is_chosen[i]) {
            *(chosen ? second : first) = functions[i].name;
            chosen++;
        }
    }
    return chosen;
}

/* Why no function has the name; NULL without memory. */
static const char *explain_missing(mprof__arena *arena, const mprof_profile *profile,
                                   const char *name)
{
    size_t count;
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    mprof__similar_name similar;
    mprof__similar_name_init(&similar, name, strlen(name));
    for (size_t i = 0; i < count; i++) {
        mprof__similar_name_offer(&similar, functions[i].name);
        mprof__similar_name_offer(&similar, functions[i].label);
    }
    if (similar.nearest) {
        return mprof__keep_format(arena, "no call of it was recorded; did you mean %s?",
                                  similar.nearest);
    }
    return count ? "no call of it was recorded" : "the recording has no functions";
}

static int measure_function(const mprof__figures *f, mprof__arena *arena, const char *name,
                            mprof__figure_value *value)
{
    size_t function_count;
    const char *first = "", *second = "";
    mprof_profile_functions(f->profile, &function_count);
    bool *is_chosen = calloc(function_count + 1, sizeof *is_chosen);
    mprof_sample *all = calloc(function_count + 1, sizeof *all);
    if (!is_chosen || !all) {
        free(is_chosen);
        free(all);
        return -1;
    }
    size_t chosen = choose_functions(f->profile, name, is_chosen, &first, &second);
    mprof_sample most = {NAN, NAN};
    int failed = 0;
    if (chosen == 1) {
        failed = mprof__most_added_find(all, is_chosen, f->profile);
        for (size_t i = 0; i < function_count; i++) {
            most = is_chosen[i] ? all[i] : most;
        }
        failed = failed ? failed : set_value(f, arena, value, most.mib, most.time_s);
        value->reason = "";
    } else if (chosen > 1) {
        value->reason =
            mprof__keep_format(arena, "several functions have this name: %s, %s", first, second);
    } else {
        value->reason = explain_missing(arena, f->profile, name);
    }
    free(is_chosen);
    free(all);
    return failed == 0 && value->reason ? 0 : -1;
}

int mprof__figures_measure(const mprof__figures *f, mprof__arena *arena, const mprof__limit *limit,
                           mprof__figure_value *value)
{
    *value = (mprof__figure_value){.mib = NAN, .at_s = NAN, .reason = ""};
    switch (limit->kind) {
    case MPROF__LIMIT_CHILD:
        return measure_child(f, arena, value);
    case MPROF__LIMIT_KIND:
        return measure_kind(f, arena, limit->memory, value);
    case MPROF__LIMIT_FUNCTION:
        return measure_function(f, arena, limit->function, value);
    default:
        return set_value(f, arena, value, f->peak_mib, first_time(f->profile) + f->peak_at_s);
    }
}

void mprof__figures_describe(const mprof__figures *figures, mprof__subject *subject)
{
    subject->file = figures->file;
    subject->program = figures->program;
    subject->command_line = figures->command_line;
    subject->peak_mib = figures->peak_mib;
    subject->peak_at_s = figures->peak_at_s;
    subject->peak_at_least = figures->is_cut;
    subject->duration_s = figures->duration_s;
    subject->ending = figures->ending;
    subject->ending_value = figures->ending_value;
    subject->warnings = figures->warnings;
}
