/* Loads a recording, and answers questions about it. */
#include <mprof/profile.h>

#include "extremes.h"
#include "options.h"
#include "profile_parts.h"
#include "source.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void mprof_load_options_init(mprof_load_options *options, size_t size)
{
    const mprof_load_options defaults = MPROF_LOAD_OPTIONS_INIT;
    mprof__options_init(options, size, &defaults, sizeof defaults);
}

/* Frees all but the name. */
static void free_contents(mprof_profile *profile)
{
    for (size_t i = 0; i < profile->process_count; i++) {
        if (i > 0 || !profile->main_is_line) {
            free((void *)(uintptr_t)profile->processes[i].series.points);
        }
    }
    if (profile->line_is_own) {
        free((void *)(uintptr_t)profile->line.points);
    }
    free((void *)(uintptr_t)profile->samples.points);
    free((void *)(uintptr_t)profile->others.points);
    free((void *)(uintptr_t)profile->group.current.points);
    free((void *)(uintptr_t)profile->group.limits);
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        free((void *)(uintptr_t)profile->kinds[kind].series.points);
    }
    for (int i = 0; i < 2; i++) {
        free((void *)(uintptr_t)profile->ticks[i].ticks);
        free((void *)(uintptr_t)profile->ticks[i].processes);
        free((void *)(uintptr_t)profile->ticks[i].total.points);
    }
    free(profile->processes);
    free(profile->ranks);
    free(profile->lanes);
    free(profile->functions);
    free(profile->spans);
    free(profile->frames);
    free(profile->stacks);
    free(profile->facts);
    mprof__arena_free(&profile->strings);
}

static void begin_profile(mprof_profile *profile, char *file)
{
    memset(profile, 0, sizeof *profile);
    profile->file = file;
    profile->start_s = INFINITY;
    profile->end_s = -INFINITY;
    profile->from_s = -INFINITY;
    profile->to_s = INFINITY;
    profile->other_kernel_peak_mib = NAN;
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        profile->kind_peaks_mib[0][kind] = profile->kind_peaks_mib[1][kind] = NAN;
    }
    mprof__group_clear(&profile->group);
}

void mprof_profile_free(mprof_profile *profile)
{
    if (!profile) {
        return;
    }
    free_contents(profile);
    free(profile->file);
    free(profile);
}

/* ---- what belongs together ---- */

bool mprof__span_fits_line(const mprof_profile *profile, const mprof_span *span)
{
    return span->process == 0 && (!(span->open & MPROF__SPAN_HAS_PID) || profile->mem_is_main);
}

/* Adds the entry and exit values of a call to a curve. */
static int push_span(mprof__profile_builder *builder, mprof__curve *curve, const mprof_span *span)
{
    const mprof_sample ends[] = {span->enter, span->exit};
    for (size_t i = 0; i < 2 && mprof__span_is_measured(span); i++) {
        if (mprof__curve_push_within(curve, ends[i], builder->from_s, builder->to_s) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool has_calls_on_line(const mprof_profile *profile)
{
    for (size_t i = 0; i < profile->span_count; i++) {
        if (mprof__span_fits_line(profile, &profile->spans[i]) &&
            mprof__span_is_measured(&profile->spans[i])) {
            return true;
        }
    }
    return false;
}

/* ---- curves ---- */

static mprof_status fail_without_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

static int fill_line(mprof__profile_builder *builder, mprof__curve *line)
{
    mprof_profile *profile = builder->profile;
    const mprof__curve *samples = &builder->samples;
    size_t before = mprof__curve_outside(samples, 0), after = mprof__curve_outside(samples, 1);
    line->totals = samples->totals;
    memcpy(line->outside, samples->outside, sizeof line->outside);
    if (mprof__curve_push_points(line, profile->samples.points + before,
                                 profile->samples.point_count - before - after)) {
        return -1;
    }
    for (size_t i = 0; i < profile->span_count; i++) {
        const mprof_span *span = &profile->spans[i];
        if (mprof__span_fits_line(profile, span) && push_span(builder, line, span) != 0) {
            return -1;
        }
    }
    return mprof__curve_finish(line, &profile->line, profile->start_s);
}

/* Finishes the curve of MEM, and the line to draw. */
static mprof_status finish_line(mprof__profile_builder *builder, mprof_error *error)
{
    mprof_profile *profile = builder->profile;
    if (mprof__curve_finish(&builder->samples, &profile->samples, profile->start_s) != 0) {
        return fail_without_memory(error);
    }
    if (!has_calls_on_line(profile)) {
        profile->line = profile->samples;
        return MPROF_OK;
    }
    mprof__curve line;
    mprof__curve_init(&line, builder->options->max_points);
    int status = fill_line(builder, &line);
    profile->line.mean_mib = profile->samples.mean_mib; /* not of the values of many short calls */
    profile->line_is_own = status == 0;
    mprof__curve_free(&line);
    return status == 0 ? MPROF_OK : fail_without_memory(error);
}

static mprof_status finish_children(mprof__profile_builder *builder, mprof_error *error)
{
    mprof_profile *profile = builder->profile;
    for (size_t i = 0; i < profile->process_count; i++) {
        mprof__totals_describe(&builder->curves[i].totals, &profile->processes[i].series,
                               profile->start_s);
    }
    for (size_t i = 0; i < profile->span_count; i++) {
        const mprof_span *span = &profile->spans[i];
        mprof__curve *curve = &builder->curves[span->process];
        if (curve->totals.count > 0 && push_span(builder, curve, span) != 0) {
            return fail_without_memory(error);
        }
    }
    for (size_t i = 0; i < profile->process_count; i++) {
        mprof_series *series = &profile->processes[i].series;
        double mean_mib = series->mean_mib;
        if (mprof__curve_finish(&builder->curves[i], series, profile->start_s) != 0) {
            return fail_without_memory(error);
        }
        series->mean_mib = mean_mib;
    }
    if (profile->mem_is_main && profile->processes[0].series.sample_count == 0) {
        free((void *)(uintptr_t)profile->processes[0]
                 .series.points); /* samples outside the window */
        profile->processes[0].series = profile->line;
        profile->main_is_line = true;
    }
    return MPROF_OK;
}

static void raise_peak(mprof_series *series, const mprof_profile *profile, mprof_sample sample)
{
    if (sample.mib > series->peak.mib && sample.time_s >= profile->from_s &&
        sample.time_s <= profile->to_s) {
        series->peak = sample;
    }
}

/* The calls of the main process measured it alone, between ticks, too. */
static void raise_main_rest(mprof_profile *profile)
{
    for (size_t i = 0; i < profile->span_count && profile->spans[i].process == 0; i++) {
        const mprof_span *span = &profile->spans[i];
        if (!mprof__span_fits_line(profile, span) && mprof__span_is_measured(span)) {
            raise_peak(&profile->main_rest, profile, span->enter);
            raise_peak(&profile->main_rest, profile, span->exit);
        }
    }
}

static mprof_status finish_others(mprof__profile_builder *builder, mprof_error *error)
{
    mprof_profile *profile = builder->profile;
    profile->kinds_recorded = builder->kinds.recorded;
    if (mprof__group_curves_finish(&builder->group, &profile->group, profile->start_s) != 0 ||
        mprof__kind_curves_finish(&builder->kinds, profile->kinds, builder->from_s, builder->to_s,
                                  profile->start_s) != 0 ||
        mprof__ticks_finish(&builder->ticks, profile->ticks, profile->start_s) != 0) {
        return fail_without_memory(error);
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT && profile->rank_count > 1; kind++) {
        if (profile->kinds[kind].process_count > 0 ||
            profile->kinds[kind].series.sample_count > 0) {
            profile->kinds[kind].process_count = profile->rank_count; /* recorded as one sum */
        }
    }
    mprof__totals_describe(&builder->ticks.rest, &profile->main_rest, profile->start_s);
    raise_main_rest(profile);
    profile->mem_is_sum = mprof__profile_find_whether_sum(profile);
    mprof__profile_find_peak(profile);
    return MPROF_OK;
}

/* ---- time ---- */

static void widen_by_totals(mprof_profile *profile, const mprof__totals *totals)
{
    if (totals->count > 0) {
        profile->start_s = mprof__smaller(profile->start_s, totals->first_s);
        profile->end_s = mprof__larger(profile->end_s, totals->last_s);
    }
}

static void find_range(mprof__profile_builder *builder)
{
    mprof_profile *profile = builder->profile;
    widen_by_totals(profile, &builder->samples.totals);
    for (size_t i = 0; i < profile->process_count; i++) {
        widen_by_totals(profile, &builder->curves[i].totals);
    }
    if (builder->choice) {
        profile->start_s = mprof__smaller(profile->start_s, builder->choice->from_s);
        profile->end_s = mprof__larger(profile->end_s, builder->choice->to_s);
    }
    for (size_t i = 0; i < profile->span_count; i++) {
        profile->start_s = mprof__smaller(profile->start_s, profile->spans[i].enter.time_s);
        profile->end_s = mprof__larger(profile->end_s, profile->spans[i].exit.time_s);
    }
}

static bool has_window(const mprof_load_options *options)
{
    return options->window_s[0] != 0 || options->window_s[1] != 0;
}

static mprof_status open_window(mprof__profile_builder *builder, mprof_source *source,
                                mprof_error *error)
{
    mprof_status status = mprof__profile_builder_read_range(builder, source);
    if (status == MPROF_OK) {
        status = mprof_source_rewind(source, error);
    }
    builder->from_s = builder->profile->start_s + builder->options->window_s[0];
    builder->to_s = builder->profile->start_s + builder->options->window_s[1];
    builder->ticks.from_s = builder->profile->from_s = builder->from_s;
    builder->ticks.to_s = builder->profile->to_s = builder->to_s;
    return status;
}

/* ---- loading ---- */

static mprof_status check_samples(const mprof__profile_builder *builder, mprof_error *error)
{
    char text[160];
    const mprof__curve *samples = &builder->samples;
    if (samples->totals.count > 0 ||
        (mprof__curve_outside(samples, 0) && mprof__curve_outside(samples, 1))) {
        return MPROF_OK;
    }
    if (has_window(builder->options)) {
        return mprof_error_set(error, MPROF_EEMPTY, "no sample of memory within the window");
    }
    return mprof_warnings_format(&builder->profile->warnings, text, sizeof text)
               ? mprof_error_set(error, MPROF_EEMPTY, "no sample of memory (%s)", text)
               : mprof_error_set(error, MPROF_EEMPTY, "no sample of memory");
}

static mprof_status make_profile(mprof__profile_builder *builder, mprof_source *source,
                                 mprof_error *error)
{
    mprof_profile *profile = builder->profile;
    mprof_status status = mprof__profile_builder_read(builder, source);
    if (status == MPROF_OK) {
        status = check_samples(builder, error);
    }
    if (status == MPROF_OK) {
        mprof__profile_builder_choose_main(builder);
        find_range(builder);
        status = mprof__profile_nest(profile, error);
    }
    if (status == MPROF_OK) {
        status = mprof__profile_find_peaks(profile, builder, source, error);
    }
    if (status == MPROF_OK) {
        status = finish_line(builder, error);
    }
    if (status == MPROF_OK) {
        status = finish_children(builder, error);
    }
    if (status == MPROF_OK) {
        mprof__profile_clip_changes(profile);
        status = finish_others(builder, error);
    }
    if (status == MPROF_OK) {
        status = mprof__profile_label(profile, error);
    }
    if (status == MPROF_OK) {
        status = mprof__profile_builder_name_children(builder);
    }
    if (status == MPROF_OK) {
        status = mprof__profile_name_ranks(builder);
    }
    for (size_t i = 0; i < profile->span_count; i++) {
        profile->spans[i].open &= MPROF__SPAN_OPEN;
        mprof__profile_builder_set_sampled(builder, &profile->spans[i]);
    }
    if (status == MPROF_OK) {
        status = mprof__profile_use_stack_peaks(profile, error);
    }
    return status;
}

/* True if the source may be read a second time. Only of a file is it known how many samples it has.
 */
static bool may_need_rewind(const mprof_load_options *options)
{
    return has_window(options) || options->max_processes > 0 ||
           (!options->skip_calls && options->max_points > 0) || options->run != NULL;
}

/* Reads from the beginning of the source. *is_crowded: there are more than max_processes, and the
 * profile is incomplete. choice: processes that get curves; NULL: all. */
static mprof_status read_profile(mprof_profile *profile, mprof_source *source,
                                 const mprof_load_options *options, mprof__process_choice *choice,
                                 bool *is_crowded, mprof_error *error)
{
    mprof__profile_builder builder;
    mprof_status status = MPROF_OK;
    mprof__profile_builder_init(&builder, profile, options, error);
    builder.choice = choice;
    if (has_window(options)) {
        status = open_window(&builder, source, error);
    }
    if (status == MPROF_OK) {
        status = make_profile(&builder, source, error);
    }
    *is_crowded = builder.is_crowded;
    mprof__profile_builder_free(&builder);
    return status;
}

/* The window of a profile whose start is known, in unix seconds. */
static void find_window(double window_s[2], const mprof_profile *profile,
                        const mprof_load_options *options)
{
    window_s[0] = has_window(options) ? profile->start_s + options->window_s[0] : -INFINITY;
    window_s[1] = has_window(options) ? profile->start_s + options->window_s[1] : INFINITY;
}

/* Reads the source again, with the processes that matter most. */
static mprof_status read_crowd(mprof_profile *profile, mprof_source *source,
                               const mprof_load_options *options, const double window_s[2],
                               mprof_error *error)
{
    mprof__process_choice choice = {0};
    bool is_crowded;
    mprof_status status = mprof_source_rewind(source, error);
    if (status == MPROF_OK) {
        status = mprof__process_choice_make(&choice, source, options->max_processes, window_s[0],
                                            window_s[1], error);
    }
    if (status == MPROF_OK) {
        status = mprof_source_rewind(source, error);
    }
    if (status == MPROF_OK) {
        status = read_profile(profile, source, options, &choice, &is_crowded, error);
    }
    if (status == MPROF_OK) {
        profile->other_count = choice.other_count;
        status = mprof__process_choice_sum(&choice, &profile->others, profile->start_s);
        status = status == MPROF_OK ? MPROF_OK : fail_without_memory(error);
    }
    mprof__process_choice_free(&choice);
    return status;
}

/* What the profile keeps of the run. */
static mprof_status keep_run(mprof_profile *profile, const mprof_run *run, mprof_error *error)
{
    profile->run = *run;
    profile->run.command_line =
        mprof__arena_copy(&profile->strings, run->command_line, strlen(run->command_line));
    return profile->run.command_line ? MPROF_OK : fail_without_memory(error);
}

static mprof_status load(mprof_profile *profile, mprof_source *source,
                         const mprof_load_options *options, mprof_error *error)
{
    mprof_error first = MPROF_ERROR_INIT;
    bool is_crowded = false;
    mprof_status status = MPROF_OK;
    if (may_need_rewind(options)) {
        status = mprof__source_keep(source, error);
    }
    if (status != MPROF_OK) {
        return status;
    }
    status = read_profile(profile, source, options, NULL, &is_crowded, &first);
    if (is_crowded) {
        double window_s[2];
        find_window(window_s, profile, options);
        free_contents(profile);
        begin_profile(profile, profile->file);
        return read_crowd(profile, source, options, window_s, error);
    }
    if (status != MPROF_OK && error && error->status == MPROF_OK) {
        *error = first;
    }
    return status;
}

/* A part of the source is read as if it were all. */
static mprof_status load_run(mprof_profile *profile, mprof_source *source,
                             const mprof_load_options *options, mprof_error *error)
{
    mprof__source_limit(source, options->run->offset, options->run->size, options->run->line);
    mprof_status status = mprof_source_rewind(source, error);
    if (status == MPROF_OK) {
        status = load(profile, source, options, error);
    }
    mprof__source_limit(source, 0, UINT64_MAX, 1);
    return status == MPROF_OK ? keep_run(profile, options->run, error) : status;
}

mprof_status mprof_profile_load(mprof_profile **out, mprof_source *source,
                                const mprof_load_options *options, mprof_error *error)
{
    mprof_load_options own = MPROF_LOAD_OPTIONS_INIT;
    *out = NULL;
    mprof_status status =
        options ? mprof__options_copy(&own, sizeof own, options, "mprof_load_options", error)
                : MPROF_OK;
    if (status != MPROF_OK) {
        return status;
    }
    mprof_profile *profile = calloc(1, sizeof *profile);
    status = MPROF_ENOMEM;
    if (profile) {
        begin_profile(profile, strdup(mprof__source_name(source)));
    }
    if (!profile || !profile->file) {
        fail_without_memory(error);
    } else {
        status =
            own.run ? load_run(profile, source, &own, error) : load(profile, source, &own, error);
    }
    if (status != MPROF_OK) {
        mprof_error_at(error, mprof__source_name(source), 0);
        mprof_profile_free(profile);
        return status;
    }
    *out = profile;
    return MPROF_OK;
}

mprof_status mprof_profile_load_file(mprof_profile **out, const char *path,
                                     const mprof_load_options *options, mprof_error *error)
{
    mprof_source *source;
    *out = NULL;
    mprof_status status = mprof_source_open(&source, path, error);
    if (status == MPROF_OK) {
        status = mprof_profile_load(out, source, options, error);
        mprof_source_free(source);
    }
    return status;
}

/* ---- questions ---- */

const char *mprof_profile_file(const mprof_profile *profile)
{
    return profile->file;
}

size_t mprof_profile_run_count(const mprof_profile *profile)
{
    return profile->run.count > 0 || profile->run_count < 1 ? 1 : profile->run_count;
}

const mprof_run *mprof_profile_run(const mprof_profile *profile)
{
    return profile->run.count > 0 ? &profile->run : NULL;
}

const char *mprof_profile_command_line(const mprof_profile *profile)
{
    return profile->command_line ? profile->command_line : "";
}

double mprof_profile_start_s(const mprof_profile *profile)
{
    return profile->start_s;
}

double mprof_profile_end_s(const mprof_profile *profile)
{
    return profile->end_s;
}

const mprof_series *mprof_profile_samples(const mprof_profile *profile)
{
    return &profile->samples;
}

const mprof_series *mprof_profile_line(const mprof_profile *profile)
{
    return &profile->line;
}

const mprof_process *mprof_profile_processes(const mprof_profile *profile, size_t *count)
{
    *count = profile->process_count;
    return profile->processes;
}

const mprof_series *mprof_profile_other_processes(const mprof_profile *profile, size_t *count)
{
    *count = profile->other_count;
    return &profile->others;
}

const mprof_lane *mprof_profile_lanes(const mprof_profile *profile, size_t *count)
{
    *count = profile->lane_count;
    return profile->lanes;
}

const mprof_function *mprof_profile_functions(const mprof_profile *profile, size_t *count)
{
    *count = profile->function_count;
    return profile->functions;
}

const mprof_span *mprof_profile_spans(const mprof_profile *profile, size_t *count)
{
    *count = profile->span_count;
    return profile->spans;
}

const mprof_sampled_frame *mprof_profile_sampled_frames(const mprof_profile *profile, size_t *count)
{
    *count = profile->frame_count;
    return profile->frames;
}

const mprof_sampled_stack *mprof_profile_sampled_stacks(const mprof_profile *profile, size_t *count)
{
    *count = profile->stack_count;
    return profile->stacks;
}

const mprof_fact *mprof_profile_facts(const mprof_profile *profile, size_t *count)
{
    *count = profile->fact_count;
    return profile->facts;
}

const char *mprof_profile_fact(const mprof_profile *profile, const char *key)
{
    for (size_t i = 0; i < profile->fact_count; i++) {
        if (strcmp(profile->facts[i].key, key) == 0) {
            return profile->facts[i].value;
        }
    }
    return NULL;
}

const mprof_warnings *mprof_profile_warnings(const mprof_profile *profile)
{
    return &profile->warnings;
}

const mprof_control_group *mprof_profile_control_group(const mprof_profile *profile)
{
    return &profile->group;
}

unsigned mprof_profile_kinds(const mprof_profile *profile)
{
    return profile->kinds_recorded;
}

mprof_kind mprof_profile_measured_kind(const mprof_profile *profile)
{
    const char *backend = mprof_profile_fact(profile, "backend");
    if (backend && strcmp(backend, "psutil_pss") == 0) {
        return MPROF_KIND_PSS;
    }
    if (backend && strcmp(backend, "psutil_uss") == 0) {
        return MPROF_KIND_USS;
    }
    return MPROF_KIND_RSS;
}

const mprof_kind_series *mprof_profile_kind(const mprof_profile *profile, mprof_kind kind)
{
    return &profile->kinds[kind];
}

double mprof_profile_kind_peak(const mprof_profile *profile, mprof_kind kind, int of_sum)
{
    return profile->kind_peaks_mib[of_sum != 0][kind];
}

const mprof_ticks *mprof_profile_ticks(const mprof_profile *profile, int mem_is_sum)
{
    return &profile->ticks[mem_is_sum != 0];
}

double mprof_profile_other_kernel_peak(const mprof_profile *profile)
{
    return profile->other_kernel_peak_mib;
}

uint64_t mprof_profile_lost_calls(const mprof_profile *profile)
{
    return profile->lost_calls;
}
