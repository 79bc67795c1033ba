/* Builds a profile in one pass: samples into curves, calls into spans, with their processes, lanes
 * and functions. */
#include "array.h"
#include "buffer.h"
#include "extremes.h"
#include "number.h"
#include "profile_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FULL_CURVES = 64,     /* this many children may have max_points each */
    FEWEST_POINTS = 1024, /* more than a picture has columns */
};

void mprof__profile_builder_init(mprof__profile_builder *builder, mprof_profile *profile,
                                 const mprof_load_options *options, mprof_error *error)
{
    memset(builder, 0, sizeof *builder);
    builder->profile = profile;
    builder->options = options;
    builder->error = error;
    builder->from_s = -INFINITY;
    builder->to_s = INFINITY;
    builder->main_pid = MPROF_PID_NONE;
    mprof__curve_init(&builder->samples, options->max_points);
    mprof__curve_init(&builder->early_child, options->max_points);
    mprof__group_curves_init(&builder->group, options->max_points);
    mprof__kind_curves_init(&builder->kinds, options->kinds, options->max_points);
    mprof__ticks_init(&builder->ticks, options->max_points);
    builder->kind_tick_s = NAN;
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        builder->kind_sums_mib[kind] = NAN;
    }
}

void mprof__profile_builder_free(mprof__profile_builder *builder)
{
    mprof__curve_free(&builder->samples);
    mprof__curve_free(&builder->early_child);
    mprof__group_curves_free(&builder->group);
    mprof__kind_curves_free(&builder->kinds);
    mprof__ticks_free(&builder->ticks);
    for (size_t i = 0; i < builder->profile->process_count; i++) {
        mprof__curve_free(&builder->curves[i]);
    }
    free(builder->curves);
    mprof__map_free(&builder->pids);
    mprof__map_free(&builder->functions);
    mprof__map_free(&builder->lanes);
    mprof__map_free(&builder->frame_texts);
    mprof__map_free(&builder->stack_lanes);
    mprof__number_map_free(&builder->frames);
    free(builder->sampled_s);
    mprof__arena_free(&builder->keys);
    mprof__buffer_free(&builder->key);
    free(builder->ranges);
}

static mprof_status fail_without_memory(mprof__profile_builder *builder)
{
    return mprof_error_set(builder->error, MPROF_ENOMEM, "out of memory");
}

static void count_warning(void *data, mprof_warning warning, unsigned long line)
{
    mprof__profile_builder *builder = data;
    mprof_warnings *warnings = &builder->profile->warnings;
    if (warnings->count[warning]++ == 0) {
        warnings->first_line[warning] = line;
    }
    warnings->total++;
}

static void widen_range(mprof_profile *profile, double time_s)
{
    profile->start_s = time_s < profile->start_s ? time_s : profile->start_s;
    profile->end_s = time_s > profile->end_s ? time_s : profile->end_s;
}

/* Copies text as a C string; a NUL becomes U+FFFD. */
const char *mprof__profile_keep_text(mprof__profile_builder *builder, mprof_text text)
{
    mprof__arena *strings = &builder->profile->strings;
    if (text.length == 0 || !memchr(text.bytes, '\0', text.length)) {
        return mprof__arena_copy(strings, text.bytes, text.length);
    }
    mprof__buffer shown = {NULL, 0, 0};
    const char *copy = NULL;
    int status = 0;
    for (size_t i = 0; i < text.length && status == 0; i++) {
        status = text.bytes[i] ? mprof__buffer_append(&shown, text.bytes + i, 1)
                               : mprof__buffer_append(&shown, "\xef\xbf\xbd", 3);
    }
    if (status == 0) {
        copy = mprof__arena_copy(strings, shown.bytes, shown.length);
    }
    mprof__buffer_free(&shown);
    return copy;
}

/* ---- who is who ---- */

/* Appends a process. Its index, or MPROF__MAP_NONE without memory. */
static uint32_t add_process(mprof__profile_builder *builder, int64_t pid)
{
    mprof_profile *profile = builder->profile;
    size_t most = builder->options->max_processes;
    if (most > 0 && !builder->choice && profile->process_count > most) {
        builder->is_crowded = true;
        return MPROF__MAP_NONE;
    }
    mprof__curve *curves = mprof__array_grow(builder->curves, profile->process_count,
                                             &builder->curve_capacity, sizeof *curves);
    if (!curves) {
        return MPROF__MAP_NONE;
    }
    builder->curves = curves;
    mprof_process *processes = mprof__array_grow(profile->processes, profile->process_count,
                                                 &profile->process_capacity, sizeof *processes);
    if (!processes) {
        return MPROF__MAP_NONE;
    }
    profile->processes = processes;
    uint32_t index = (uint32_t)profile->process_count;
    if (pid != MPROF_PID_NONE && mprof__map_set(&builder->pids, &builder->keys, (const char *)&pid,
                                                sizeof pid, index) != 0) {
        return MPROF__MAP_NONE;
    }
    mprof__curve_init(&curves[index], builder->options->max_points);
    processes[index] = (mprof_process){.pid = pid,
                                       .ppid = MPROF_PID_NONE,
                                       .name = "",
                                       .birth_s = NAN,
                                       .end_s = NAN,
                                       .kernel_peak_mib = NAN,
                                       .rank = MPROF_RANK_NONE,
                                       .own_pid = pid};
    profile->process_count++;
    return index;
}

static bool has_own_curve(const mprof__profile_builder *builder, int64_t pid)
{
    return !builder->choice || mprof__process_choice_has(builder->choice, pid);
}

/* The process that has the pid at this place of the file. */
static uint32_t find_process(mprof__profile_builder *builder, int64_t pid)
{
    if (pid == MPROF_PID_NONE) {
        return 0;
    }
    uint32_t index = mprof__map_find(&builder->pids, (const char *)&pid, sizeof pid);
    return index != MPROF__MAP_NONE ? index : add_process(builder, pid);
}

static uint32_t find_function(mprof__profile_builder *builder, mprof_text name)
{
    mprof_profile *profile = builder->profile;
    uint32_t index = mprof__map_find(&builder->functions, name.bytes, name.length);
    if (index != MPROF__MAP_NONE) {
        return index;
    }
    mprof_function *functions = mprof__array_grow(profile->functions, profile->function_count,
                                                  &profile->function_capacity, sizeof *functions);
    if (!functions) {
        return MPROF__MAP_NONE;
    }
    profile->functions = functions;
    const char *copy = mprof__profile_keep_text(builder, name);
    index = (uint32_t)profile->function_count;
    bool is_same = copy && strlen(copy) == name.length; /* no NUL had to be replaced */
    if (!copy || mprof__map_set(&builder->functions, is_same ? NULL : &builder->keys,
                                is_same ? copy : name.bytes, name.length, index) != 0) {
        return MPROF__MAP_NONE;
    }
    functions[index] =
        (mprof_function){.name = copy, .label = copy, .peak_mib = NAN, .sample_peak_mib = NAN};
    profile->function_count++;
    return index;
}

static uint32_t find_lane(mprof__profile_builder *builder, uint32_t process, mprof_text name)
{
    mprof_profile *profile = builder->profile;
    mprof__buffer *key = &builder->key;
    key->length = 0;
    if (mprof__buffer_append(key, &process, sizeof process) != 0 ||
        mprof__buffer_append(key, name.bytes, name.length) != 0) {
        return MPROF__MAP_NONE;
    }
    uint32_t index = mprof__map_find(&builder->lanes, key->bytes, key->length);
    if (index != MPROF__MAP_NONE) {
        return index;
    }
    mprof_lane *lanes = mprof__array_grow(profile->lanes, profile->lane_count,
                                          &profile->lane_capacity, sizeof *lanes);
    if (!lanes) {
        return MPROF__MAP_NONE;
    }
    profile->lanes = lanes;
    const char *copy = mprof__profile_keep_text(builder, name);
    index = (uint32_t)profile->lane_count;
    if (!copy ||
        mprof__map_set(&builder->lanes, &builder->keys, key->bytes, key->length, index) != 0) {
        return MPROF__MAP_NONE;
    }
    lanes[index] = (mprof_lane){.process = process, .name = copy};
    profile->lane_count++;
    return index;
}

/* ---- records ---- */

/* The last command line with samples counts, as upstream reads a file with several runs. */
static void set_command_line(mprof__profile_builder *builder)
{
    if (builder->command_line) {
        builder->profile->command_line = builder->command_line;
    }
}

/* rank: of the process, in a merged recording */
static mprof_status add_to_tick(mprof__profile_builder *builder, uint32_t what, uint32_t rank,
                                mprof_sample sample)
{
    return mprof__ticks_add(&builder->ticks, &builder->samples, what, rank, sample,
                            builder->children_fact != NULL) == 0
               ? MPROF_OK
               : fail_without_memory(builder);
}

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    mprof__profile_builder *builder = data;
    mprof_status status = MPROF_OK;
    if (!builder->run_has_sample) {
        builder->run_has_sample = true;
        builder->profile->run_count++;
        set_command_line(builder);
    }
    for (size_t i = 0; i < count && builder->choice; i++) {
        mprof__process_choice_tick(builder->choice, samples[i].time_s);
    }
    for (size_t i = 0; i < count && builder->ticks.is_needed && status == MPROF_OK; i++) {
        status = add_to_tick(builder, MPROF__TICK_MEM, 0, samples[i]);
    }
    if (status != MPROF_OK) {
        return status;
    }
    mprof__ticks_note(&builder->ticks, samples[count - 1]);
    if (builder->from_s == -INFINITY && builder->to_s == INFINITY) {
        return mprof__curve_push(&builder->samples, samples, count) ? fail_without_memory(builder)
                                                                    : MPROF_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (mprof__curve_push_within(&builder->samples, samples[i], builder->from_s,
                                     builder->to_s) != 0) {
            return fail_without_memory(builder);
        }
    }
    return MPROF_OK;
}

/* Bounds the points of all children together: where there are many, each has fewer. */
static void limit_points(mprof__profile_builder *builder, mprof__curve *curve)
{
    size_t most = builder->options->max_points;
    size_t count = builder->profile->process_count;
    if (count > FULL_CURVES && most > FEWEST_POINTS && !mprof__curve_is_thinned(curve)) {
        size_t share = most * FULL_CURVES / count;
        curve->max_points = share > FEWEST_POINTS ? share : FEWEST_POINTS;
    }
}

/* Child 0 has memory: what was found before is the beginning of its curve. */
static uint32_t add_first_child(mprof__profile_builder *builder)
{
    uint32_t process = add_process(builder, 0);
    if (process != MPROF__MAP_NONE) {
        mprof__curve_free(&builder->curves[process]);
        builder->curves[process] = builder->early_child;
        mprof__curve_init(&builder->early_child, builder->options->max_points);
    }
    return process;
}

/* Ranges of pids are sorted by the first sample. Neighbours in the file are often of one rank. */
static uint32_t rank_of(mprof__profile_builder *builder, int64_t pid)
{
    const mprof_profile *profile = builder->profile;
    if (profile->rank_count == 0) {
        return MPROF_RANK_NONE;
    }
    if (builder->range_count != profile->rank_count) {
        free(builder->ranges);
        builder->ranges = mprof__rank_ranges(profile->ranks, profile->rank_count);
        builder->range_count = builder->ranges ? profile->rank_count : 0;
    }
    return mprof__rank_of_pid(builder->ranges, builder->range_count, pid);
}

static mprof_status add_child_sample(mprof__profile_builder *builder, const mprof_record *record)
{
    static const int64_t first = 0;
    bool has_memory = record->sample.mib > 0;
    /* pid 0 is the kernel's, and pid 1 is no child: these are numbers */
    builder->has_numbers |= record->pid <= 1 && has_memory;
    if (record->pid == 0 &&
        mprof__map_find(&builder->pids, (const char *)&first, sizeof first) == MPROF__MAP_NONE) {
        /* Upstream also writes "CHLD 0 0.000000" for a child that vanished during the tick. */
        if (!has_memory) {
            return mprof__curve_push_within(&builder->early_child, record->sample, builder->from_s,
                                            builder->to_s) == 0
                       ? MPROF_OK
                       : fail_without_memory(builder);
        }
        if (has_own_curve(builder, 0) && add_first_child(builder) == MPROF__MAP_NONE) {
            return fail_without_memory(builder);
        }
    }
    if (!has_own_curve(builder, record->pid)) {
        mprof__process_choice_add(builder->choice, record->sample);
        return add_to_tick(builder, MPROF__TICK_OTHERS, rank_of(builder, record->pid),
                           record->sample);
    }
    uint32_t process = find_process(builder, record->pid);
    if (process != MPROF__MAP_NONE) {
        limit_points(builder, &builder->curves[process]);
    }
    if (process == MPROF__MAP_NONE ||
        mprof__curve_push_within(&builder->curves[process], record->sample, builder->from_s,
                                 builder->to_s) != 0) {
        return fail_without_memory(builder);
    }
    if (builder->has_pid_fact && record->pid == builder->main_pid) {
        return MPROF_OK; /* MEM includes it */
    }
    return add_to_tick(builder, process, rank_of(builder, record->pid), record->sample);
}

#define SAMPLED_MAX_S 1e6 /* half of the longest interval there may be */

/* How uncertain the next call is; those before that have no number are exact. */
static int keep_sampled(mprof__profile_builder *builder, float sampled_s)
{
    size_t index = builder->profile->span_count;
    while (builder->sampled_count <= index) {
        float *all = mprof__array_grow(builder->sampled_s, builder->sampled_count,
                                       &builder->sampled_capacity, sizeof *all);
        if (!all) {
            return -1;
        }
        builder->sampled_s = all;
        all[builder->sampled_count++] = 0;
    }
    builder->sampled_s[index] = sampled_s;
    return 0;
}

static mprof_status add_call(mprof__profile_builder *builder, const mprof_call *call)
{
    mprof_profile *profile = builder->profile;
    if (builder->options->skip_calls || call->exit.time_s < builder->from_s ||
        call->enter.time_s > builder->to_s) {
        return MPROF_OK;
    }
    mprof_span *spans = mprof__array_grow(profile->spans, profile->span_count,
                                          &profile->span_capacity, sizeof *spans);
    if (!spans) {
        return fail_without_memory(builder);
    }
    profile->spans = spans;
    uint32_t process = find_process(builder, call->pid);
    uint32_t function = find_function(builder, call->name);
    uint32_t lane = process == MPROF__MAP_NONE ? process : find_lane(builder, process, call->lane);
    if (lane == MPROF__MAP_NONE || function == MPROF__MAP_NONE) {
        return fail_without_memory(builder);
    }
    uint32_t bits = (call->open ? MPROF__SPAN_OPEN : 0u) |
                    (call->pid != MPROF_PID_NONE ? MPROF__SPAN_HAS_PID : 0u) |
                    (call->level == MPROF_LEVEL_NONE ? MPROF__SPAN_NO_LEVEL : 0u) |
                    (call->sampled_s > 0 ? MPROF__SPAN_SAMPLED : 0u);
    spans[profile->span_count] = (mprof_span){.enter = call->enter,
                                              .exit = call->exit,
                                              .function = function,
                                              .process = process,
                                              .lane = lane,
                                              .level = call->level,
                                              .count = call->count,
                                              .open = bits};
    mprof__span_set_order(&spans[profile->span_count], (uint32_t)profile->span_count);
    double sampled_s = mprof__smaller(call->sampled_s, SAMPLED_MAX_S);
    if (sampled_s > 0 && keep_sampled(builder, (float)sampled_s) != 0) {
        return fail_without_memory(builder);
    }
    profile->span_count++;
    return MPROF_OK;
}

void mprof__profile_builder_set_sampled(const mprof__profile_builder *builder, mprof_span *span)
{
    uint32_t order = mprof__span_order(span);
    span->sampled_s = order < builder->sampled_count ? builder->sampled_s[order] : 0;
}

/* ---- sampled stacks ---- */

static void warn(mprof__profile_builder *builder, mprof_warning warning, const mprof_record *record)
{
    count_warning(builder, warning, record->line);
}

/* Names and files of frames are kept once: the map has 2 * index of a frame that has the text, plus
 * 1 if it is the file. `place`: of this text. NULL without memory. */
static const char *keep_frame_text(mprof__profile_builder *builder, mprof_text text, uint32_t place)
{
    const mprof_sampled_frame *frames = builder->profile->frames;
    uint32_t known = mprof__map_find(&builder->frame_texts, text.bytes, text.length);
    if (known != MPROF__MAP_NONE) {
        return known % 2 ? frames[known / 2].file : frames[known / 2].name;
    }
    const char *copy = mprof__profile_keep_text(builder, text);
    return copy && mprof__map_set(&builder->frame_texts, &builder->keys, text.bytes, text.length,
                                  place) == 0
               ? copy
               : NULL;
}

static mprof_status add_frame(mprof__profile_builder *builder, const mprof_record *record)
{
    mprof_profile *profile = builder->profile;
    const mprof_stack_frame *from = &record->frame;
    uint32_t parent = MPROF_SAMPLED_FRAME_NONE;
    if (builder->options->skip_calls) {
        return MPROF_OK;
    }
    if (from->parent < 0 || from->name.length == 0 ||
        (from->parent > 0 &&
         !mprof__number_map_find_index(&builder->frames, (uint64_t)from->parent, &parent))) {
        warn(builder, MPROF_WARNING_FRAME, record);
        return MPROF_OK;
    }
    mprof_sampled_frame *frames = mprof__array_grow(profile->frames, profile->frame_count,
                                                    &profile->frame_capacity, sizeof *frames);
    if (!frames) {
        return fail_without_memory(builder);
    }
    profile->frames = frames;
    uint32_t index = (uint32_t)profile->frame_count;
    frames[index] = (mprof_sampled_frame){.line = from->line, .parent = parent};
    frames[index].name = keep_frame_text(builder, from->name, 2 * index);
    if (frames[index].name) {
        frames[index].file = keep_frame_text(builder, from->file, 2 * index + 1);
    }
    if (!frames[index].file || mprof__number_map_put_index(&builder->frames, (uint64_t)from->id,
                                                           index) != MPROF__PUT_DONE) {
        return fail_without_memory(builder);
    }
    profile->frame_count++;
    return MPROF_OK;
}

/* More samples, or seconds, than any recording has. */
#define SAMPLES_MAX 1e15

static bool is_plausible(const mprof_stack_samples *stack)
{
    return (double)stack->samples <= SAMPLES_MAX && stack->seconds >= 0 &&
           stack->seconds <= SAMPLES_MAX && stack->grown_mib >= 0 && stack->released_mib >= 0 &&
           stack->peak_mib >= 0 && stack->grown_rms_mib >= 0 && stack->seen_mib >= 0 &&
           stack->seen_rms_mib >= 0 && stack->doubtful_mib >= 0 && stack->shared_mib >= 0;
}

/* Lanes of stacks, each text once. NULL without memory. */
static const char *keep_lane(mprof__profile_builder *builder, mprof_text name)
{
    const mprof_sampled_stack *stacks = builder->profile->stacks;
    if (name.length == 0) {
        return "";
    }
    uint32_t known = mprof__map_find(&builder->stack_lanes, name.bytes, name.length);
    if (known != MPROF__MAP_NONE) {
        return stacks[known].lane;
    }
    const char *copy = mprof__profile_keep_text(builder, name);
    return copy && mprof__map_set(&builder->stack_lanes, &builder->keys, name.bytes, name.length,
                                  (uint32_t)builder->profile->stack_count) == 0
               ? copy
               : NULL;
}

static mprof_status add_stack(mprof__profile_builder *builder, const mprof_record *record)
{
    mprof_profile *profile = builder->profile;
    const mprof_stack_samples *from = &record->stack;
    uint32_t frame = MPROF_SAMPLED_FRAME_NONE;
    if (builder->options->skip_calls || record->sample.time_s < builder->from_s ||
        from->from_s > builder->to_s) {
        return MPROF_OK;
    }
    if (!is_plausible(from)) {
        warn(builder, MPROF_WARNING_NUMBER, record);
        return MPROF_OK;
    }
    bool is_known = from->frame == 0 ||
                    (from->frame > 0 &&
                     mprof__number_map_find_index(&builder->frames, (uint64_t)from->frame, &frame));
    if (!is_known) {
        warn(builder, MPROF_WARNING_FRAME, record);
        return MPROF_OK;
    }
    mprof_sampled_stack *stacks = mprof__array_grow(profile->stacks, profile->stack_count,
                                                    &profile->stack_capacity, sizeof *stacks);
    if (!stacks) {
        return fail_without_memory(builder);
    }
    profile->stacks = stacks;
    uint32_t process = MPROF_PROCESS_NONE;
    if (record->pid >= 0 && has_own_curve(builder, record->pid)) {
        process = find_process(builder, record->pid);
        if (process == MPROF__MAP_NONE) {
            return fail_without_memory(builder);
        }
    }
    const char *lane = keep_lane(builder, from->lane);
    if (!lane) {
        return fail_without_memory(builder);
    }
    stacks[profile->stack_count++] = (mprof_sampled_stack){.lane = lane,
                                                           .process = process,
                                                           .frame = frame,
                                                           .from_s = from->from_s,
                                                           .to_s = record->sample.time_s,
                                                           .samples = from->samples,
                                                           .seconds = from->seconds,
                                                           .grown_mib = from->grown_mib,
                                                           .released_mib = from->released_mib,
                                                           .peak_mib = from->peak_mib,
                                                           .grown_rms_mib = from->grown_rms_mib,
                                                           .seen_mib = from->seen_mib,
                                                           .seen_rms_mib = from->seen_rms_mib,
                                                           .doubtful_mib = from->doubtful_mib,
                                                           .shared_mib = from->shared_mib};
    return MPROF_OK;
}

/* The pid that a fact holds; MPROF_PID_NONE if it is not a number. */
static int64_t read_pid(const char *value)
{
    int64_t pid;
    return mprof__integer_parse(&pid, value, strlen(value)) == 0 && pid > 0 ? pid : MPROF_PID_NONE;
}

static mprof_status add_fact(mprof__profile_builder *builder, const mprof_record *record)
{
    mprof_profile *profile = builder->profile;
    mprof_fact *facts = mprof__array_grow(profile->facts, profile->fact_count,
                                          &profile->fact_capacity, sizeof *facts);
    if (!facts) {
        return fail_without_memory(builder);
    }
    profile->facts = facts;
    mprof_fact *fact = &facts[profile->fact_count];
    fact->key = mprof__profile_keep_text(builder, record->key);
    fact->value = mprof__profile_keep_text(builder, record->text);
    if (!fact->key || !fact->value) {
        return fail_without_memory(builder);
    }
    profile->fact_count++;
    if (!builder->has_pid_fact && strcmp(fact->key, "pid") == 0) {
        builder->has_pid_fact = true;
        builder->main_pid = read_pid(fact->value);
    } else if (!builder->children_fact && strcmp(fact->key, "include-children") == 0) {
        builder->children_fact = fact->value;
    } else if (!builder->group_fact && strcmp(fact->key, "control-group") == 0) {
        builder->group_fact = fact->value;
    } else if (!builder->format_fact && strcmp(fact->key, "format") == 0) {
        builder->format_fact = fact->value;
    }
    return MPROF_OK;
}

static mprof_status add_birth(mprof__profile_builder *builder, const mprof_record *record)
{
    mprof_profile *profile = builder->profile;
    uint32_t index = find_process(builder, record->pid);
    if (index != MPROF__MAP_NONE && record->pid != MPROF_PID_NONE &&
        profile->processes[index].ended) {
        index = add_process(builder, record->pid); /* the number was used again */
    }
    const char *name = mprof__profile_keep_text(builder, record->text);
    if (index == MPROF__MAP_NONE || !name) {
        return fail_without_memory(builder);
    }
    mprof_process *process = &profile->processes[index];
    process->name = name;
    process->ppid = record->ppid;
    if (isnan(process->birth_s)) {
        process->birth_s = record->sample.time_s;
    }
    return MPROF_OK;
}

static mprof_status add_end(mprof__profile_builder *builder, const mprof_record *record)
{
    uint32_t index = find_process(builder, record->pid);
    if (index == MPROF__MAP_NONE) {
        return fail_without_memory(builder);
    }
    mprof_process *process = &builder->profile->processes[index];
    process->ended = 1;
    process->end_s = record->sample.time_s;
    process->cause = record->cause;
    process->exit_value = record->value;
    return MPROF_OK;
}

static mprof_status add_kernel_peak(mprof__profile_builder *builder, const mprof_record *record)
{
    double *other_mib = &builder->profile->other_kernel_peak_mib;
    if (record->pid == MPROF_PID_NONE || !has_own_curve(builder, record->pid)) {
        *other_mib = mprof__larger(*other_mib, record->sample.mib);
        return MPROF_OK;
    }
    uint32_t index = find_process(builder, record->pid);
    if (index == MPROF__MAP_NONE) {
        return fail_without_memory(builder);
    }
    mprof_process *process = &builder->profile->processes[index];
    process->kernel_peak_mib = mprof__larger(process->kernel_peak_mib, record->sample.mib);
    process->kernel_peak_at_least |= record->at_least;
    return MPROF_OK;
}

/* Of the groups of a merged recording a fact names the one to show. */
static bool is_other_group(const char *shown, mprof_text path)
{
    return shown && (path.length != strlen(shown) || memcmp(path.bytes, shown, path.length) != 0);
}

static mprof_status add_group(mprof__profile_builder *builder, const mprof_record *record)
{
    if (is_other_group(builder->group_fact, record->text)) {
        return MPROF_OK;
    }
    mprof__group_add(&builder->profile->group, record);
    return mprof__group_curves_add(&builder->group, record, builder->from_s, builder->to_s) == 0
               ? MPROF_OK
               : fail_without_memory(builder);
}

/* Raises the peaks of the sums of kinds by those of the last tick. */
static void end_kind_tick(mprof__profile_builder *builder, double time_s)
{
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        double *peak_mib = &builder->profile->kind_peaks_mib[1][kind];
        *peak_mib = mprof__larger(*peak_mib, builder->kind_sums_mib[kind]);
        builder->kind_sums_mib[kind] = NAN;
    }
    builder->kind_tick_s = time_s;
}

static void raise_kind_peaks(mprof__profile_builder *builder, const mprof_record *record)
{
    if (record->sample.time_s < builder->from_s || record->sample.time_s > builder->to_s) {
        return;
    }
    if (record->sample.time_s != builder->kind_tick_s) {
        end_kind_tick(builder, record->sample.time_s);
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        double mib = record->kinds_mib[kind], *sum_mib = &builder->kind_sums_mib[kind];
        double *main_mib = &builder->profile->kind_peaks_mib[0][kind];
        if (record->pid == builder->kinds.main_pid) {
            *main_mib = mprof__larger(*main_mib, mib);
        }
        *sum_mib = isnan(*sum_mib) ? mib : isnan(mib) ? *sum_mib : *sum_mib + mib;
    }
}

static mprof_status add_kinds(mprof__profile_builder *builder, const mprof_record *record)
{
    mprof_status status = MPROF_OK;
    bool is_merged = builder->profile->rank_count > 0;
    if (is_merged && record->pid != 0) {
        return MPROF_OK; /* the sum over all ranks is recorded */
    }
    if (mprof__kind_curves_add(&builder->kinds, record, is_merged ? 0 : builder->main_pid,
                               builder->from_s, builder->to_s) != 0) {
        return fail_without_memory(builder);
    }
    raise_kind_peaks(builder, record);
    for (mprof_kind kind = 0; kind < MPROF_KIND_COUNT && status == MPROF_OK; kind++) {
        mprof_sample sample = {record->kinds_mib[kind], record->sample.time_s};
        if (builder->options->kinds & 1U << kind && !isnan(sample.mib) &&
            (mprof_kind_adds_up(kind) || record->pid == builder->kinds.main_pid)) {
            status = add_to_tick(builder, MPROF__TICK_KIND + (uint32_t)kind, 0, sample);
        }
    }
    return status;
}

static mprof_status add_command_line(mprof__profile_builder *builder, const mprof_record *record)
{
    const char *copy = mprof__profile_keep_text(builder, record->text);
    if (!copy) {
        return fail_without_memory(builder);
    }
    builder->run_has_sample = false;
    mprof__number_map_clear(&builder->frames); /* ids count from 1 again */
    builder->command_line = copy;
    if (!builder->profile->command_line) {
        set_command_line(builder); /* it may be the only one, after all samples */
    }
    return MPROF_OK;
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    mprof__profile_builder *builder = data;
    if ((record->kind == MPROF_RECORD_PROC || record->kind == MPROF_RECORD_EXIT) &&
        !has_own_curve(builder, record->pid)) {
        return MPROF_OK;
    }
    switch (record->kind) {
    case MPROF_RECORD_CMDLINE:
        return add_command_line(builder, record);
    case MPROF_RECORD_CHLD:
        return add_child_sample(builder, record);
    case MPROF_RECORD_FUNC:
        return add_call(builder, &record->call);
    case MPROF_RECORD_FACT:
        return add_fact(builder, record);
    case MPROF_RECORD_PROC:
        return add_birth(builder, record);
    case MPROF_RECORD_EXIT:
        return add_end(builder, record);
    case MPROF_RECORD_PEAK:
        return add_kernel_peak(builder, record);
    case MPROF_RECORD_LOST:
        builder->profile->lost_calls += (uint64_t)record->value;
        return MPROF_OK;
    case MPROF_RECORD_GROUP:
        return add_group(builder, record);
    case MPROF_RECORD_KINDS:
        return add_kinds(builder, record);
    case MPROF_RECORD_RANK:
        return mprof__profile_add_rank(builder, &record->rank);
    case MPROF_RECORD_MEM:
    case MPROF_RECORD_ARGV:
        break;
    case MPROF_RECORD_FRAME:
        return add_frame(builder, record);
    case MPROF_RECORD_STACK:
        return add_stack(builder, record);
    }
    return MPROF_OK;
}

mprof_status mprof__profile_builder_read(mprof__profile_builder *builder, mprof_source *source)
{
    mprof_visitor visitor = {builder, add_samples, add_record, count_warning};
    if (builder->profile->process_count == 0 &&
        add_process(builder, MPROF_PID_NONE) == MPROF__MAP_NONE) {
        return fail_without_memory(builder);
    }
    mprof_status status = mprof_read(source, &visitor, builder->error);
    end_kind_tick(builder, NAN);
    if (status == MPROF_OK &&
        mprof__ticks_end(&builder->ticks, builder->children_fact != NULL) != 0) {
        status = fail_without_memory(builder);
    }
    return status;
}

/* ---- the range of time ---- */

static mprof_status scan_samples(void *data, const mprof_sample *samples, size_t count)
{
    mprof__profile_builder *builder = data;
    for (size_t i = 0; i < count; i++) {
        widen_range(builder->profile, samples[i].time_s);
    }
    return MPROF_OK;
}

static mprof_status scan_record(void *data, const mprof_record *record)
{
    mprof__profile_builder *builder = data;
    if (record->kind == MPROF_RECORD_CHLD && (record->pid != 0 || record->sample.mib > 0)) {
        widen_range(builder->profile, record->sample.time_s);
    } else if (record->kind == MPROF_RECORD_FUNC) {
        widen_range(builder->profile, record->call.enter.time_s);
        widen_range(builder->profile, record->call.exit.time_s);
    }
    return MPROF_OK;
}

mprof_status mprof__profile_builder_read_range(mprof__profile_builder *builder,
                                               mprof_source *source)
{
    mprof_visitor visitor = {builder, scan_samples, scan_record, NULL};
    return mprof_read(source, &visitor, builder->error);
}

/* ---- the main process ---- */

/* Moves process `from` to index 0, which was reserved for it. */
static void move_to_front(mprof__profile_builder *builder, uint32_t from)
{
    mprof_profile *profile = builder->profile;
    mprof__curve_free(&builder->curves[0]);
    profile->processes[0] = profile->processes[from];
    builder->curves[0] = builder->curves[from];
    size_t after = profile->process_count - from - 1;
    memmove(profile->processes + from, profile->processes + from + 1,
            after * sizeof *profile->processes);
    memmove(builder->curves + from, builder->curves + from + 1, after * sizeof *builder->curves);
    profile->process_count--;
    mprof__ticks_move_to_front(&builder->ticks, from);
    for (size_t i = 0; i < profile->span_count; i++) {
        uint32_t process = profile->spans[i].process;
        profile->spans[i].process = process == from ? 0 : process - (process > from);
    }
    for (size_t i = 0; i < profile->lane_count; i++) {
        uint32_t process = profile->lanes[i].process;
        profile->lanes[i].process = process == from ? 0 : process - (process > from);
    }
    for (size_t i = 0; i < profile->stack_count; i++) {
        uint32_t process = profile->stacks[i].process;
        if (process != MPROF_PROCESS_NONE) {
            profile->stacks[i].process = process == from ? 0 : process - (process > from);
        }
    }
}

/* From format 2 on, calls of the main process carry no pid. */
static bool omits_main_pid(const mprof__profile_builder *builder)
{
    int64_t format;
    const char *value = builder->format_fact;
    return value && mprof__integer_parse(&format, value, strlen(value)) == 0 && format >= 2;
}

void mprof__profile_builder_choose_main(mprof__profile_builder *builder)
{
    mprof_profile *profile = builder->profile;
    const char *children = builder->children_fact;
    int64_t pid = builder->main_pid;
    profile->mem_is_main = !children || strcmp(children, "no") == 0;
    for (uint32_t i = 1; i < profile->process_count && pid != MPROF_PID_NONE; i++) {
        if (profile->processes[i].pid == pid) {
            move_to_front(builder, i);
            break;
        }
    }
    profile->processes[0].pid = profile->processes[0].own_pid = pid;
    if (pid != MPROF_PID_NONE && omits_main_pid(builder)) {
        for (size_t i = 0; i < profile->span_count; i++) {
            profile->spans[i].open |= MPROF__SPAN_HAS_PID;
        }
    }
}

mprof_status mprof__profile_builder_name_children(mprof__profile_builder *builder)
{
    mprof_profile *profile = builder->profile;
    if (!builder->has_numbers || builder->has_pid_fact || builder->format_fact) {
        return MPROF_OK;
    }
    for (size_t i = 1; i < profile->process_count; i++) {
        char name[32];
        mprof_process *process = &profile->processes[i];
        int length = snprintf(name, sizeof name, "child %lld", (long long)process->pid);
        process->pid = process->own_pid = MPROF_PID_NONE;
        process->name = mprof__arena_copy(&profile->strings, name, (size_t)length);
        if (!process->name) {
            return fail_without_memory(builder);
        }
    }
    return MPROF_OK;
}
