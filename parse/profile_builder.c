/* The pass over a file that gathers a profile: samples into curves, calls into spans, and who is
 * who among processes, lanes and functions. */
#include "array.h"
#include "buffer.h"
#include "extremes.h"
#include "number.h"
#include "profile_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FULL_CURVES = 64,     /* so many children may have as many points as were asked for */
    FEWEST_POINTS = 1024, /* more than a picture has columns of which one child is told apart */
};

void mprof__collector_init(mprof__collector *collector, mprof_profile *profile,
                           const mprof_load_options *options, mprof_error *error)
{
    memset(collector, 0, sizeof *collector);
    collector->profile = profile;
    collector->options = options;
    collector->error = error;
    collector->from_s = -INFINITY;
    collector->to_s = INFINITY;
    mprof__curve_init(&collector->samples, options->max_points);
    mprof__group_curves_init(&collector->group, options->max_points);
    mprof__kind_curves_init(&collector->kinds, options->kinds, options->max_points);
}

void mprof__collector_free(mprof__collector *collector)
{
    mprof__curve_free(&collector->samples);
    mprof__group_curves_free(&collector->group);
    mprof__kind_curves_free(&collector->kinds);
    for (size_t i = 0; i < collector->profile->process_count; i++) {
        mprof__curve_free(&collector->curves[i]);
    }
    free(collector->curves);
    mprof__map_free(&collector->pids);
    mprof__map_free(&collector->functions);
    mprof__map_free(&collector->lanes);
    mprof__arena_free(&collector->keys);
    mprof__buffer_free(&collector->key);
}

static mprof_status fail_without_memory(mprof__collector *collector)
{
    return mprof_error_set(collector->error, MPROF_ENOMEM, "out of memory");
}

static void count_warning(void *data, mprof_warning warning, unsigned long line)
{
    mprof__collector *collector = data;
    mprof_warnings *warnings = &collector->profile->warnings;
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

/* A copy of text that a C string can hold: what it cannot is shown as U+FFFD. */
static const char *keep_text(mprof__collector *collector, mprof_text text)
{
    mprof__arena *strings = &collector->profile->strings;
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

/* --- who is who ---------------------------------------------------------------------------- */

/* Appends a process. Its index, or MPROF__MAP_NONE without memory. */
static uint32_t add_process(mprof__collector *collector, int64_t pid)
{
    mprof_profile *profile = collector->profile;
    size_t most = collector->options->max_processes;
    if (most > 0 && !collector->choice && profile->process_count > most) {
        collector->is_crowded = 1;
        return MPROF__MAP_NONE;
    }
    mprof__curve *curves = mprof__array_grow(collector->curves, profile->process_count,
                                             &collector->curve_capacity, sizeof *curves);
    if (!curves) {
        return MPROF__MAP_NONE;
    }
    collector->curves = curves;
    mprof_process *processes = mprof__array_grow(profile->processes, profile->process_count,
                                                 &profile->process_capacity, sizeof *processes);
    if (!processes) {
        return MPROF__MAP_NONE;
    }
    profile->processes = processes;
    uint32_t index = (uint32_t)profile->process_count;
    if (pid != MPROF_PID_NONE && mprof__map_set(&collector->pids, &collector->keys,
                                                (const char *)&pid, sizeof pid, index) != 0) {
        return MPROF__MAP_NONE;
    }
    mprof__curve_init(&curves[index], collector->options->max_points);
    processes[index] = (mprof_process){.pid = pid,
                                       .ppid = MPROF_PID_NONE,
                                       .name = "",
                                       .birth_s = NAN,
                                       .end_s = NAN,
                                       .kernel_peak_mib = NAN};
    profile->process_count++;
    return index;
}

static int is_told_alone(const mprof__collector *collector, int64_t pid)
{
    return !collector->choice || mprof__process_choice_has(collector->choice, pid);
}

/* The process that a pid stands for at this place of the file. */
static uint32_t find_process(mprof__collector *collector, int64_t pid)
{
    if (pid == MPROF_PID_NONE) {
        return 0;
    }
    uint32_t index = mprof__map_find(&collector->pids, (const char *)&pid, sizeof pid);
    return index != MPROF__MAP_NONE ? index : add_process(collector, pid);
}

static uint32_t find_function(mprof__collector *collector, mprof_text name)
{
    mprof_profile *profile = collector->profile;
    uint32_t index = mprof__map_find(&collector->functions, name.bytes, name.length);
    if (index != MPROF__MAP_NONE) {
        return index;
    }
    mprof_function *functions = mprof__array_grow(profile->functions, profile->function_count,
                                                  &profile->function_capacity, sizeof *functions);
    if (!functions) {
        return MPROF__MAP_NONE;
    }
    profile->functions = functions;
    const char *copy = keep_text(collector, name);
    index = (uint32_t)profile->function_count;
    int is_same = copy && strlen(copy) == name.length; /* no NUL had to be replaced */
    if (!copy || mprof__map_set(&collector->functions, is_same ? NULL : &collector->keys,
                                is_same ? copy : name.bytes, name.length, index) != 0) {
        return MPROF__MAP_NONE;
    }
    functions[index] =
        (mprof_function){.name = copy, .label = copy, .peak_mib = NAN, .sample_peak_mib = NAN};
    profile->function_count++;
    return index;
}

static uint32_t find_lane(mprof__collector *collector, uint32_t process, mprof_text name)
{
    mprof_profile *profile = collector->profile;
    mprof__buffer *key = &collector->key;
    key->length = 0;
    if (mprof__buffer_append(key, &process, sizeof process) != 0 ||
        mprof__buffer_append(key, name.bytes, name.length) != 0) {
        return MPROF__MAP_NONE;
    }
    uint32_t index = mprof__map_find(&collector->lanes, key->bytes, key->length);
    if (index != MPROF__MAP_NONE) {
        return index;
    }
    mprof_lane *lanes = mprof__array_grow(profile->lanes, profile->lane_count,
                                          &profile->lane_capacity, sizeof *lanes);
    if (!lanes) {
        return MPROF__MAP_NONE;
    }
    profile->lanes = lanes;
    const char *copy = keep_text(collector, name);
    index = (uint32_t)profile->lane_count;
    if (!copy ||
        mprof__map_set(&collector->lanes, &collector->keys, key->bytes, key->length, index) != 0) {
        return MPROF__MAP_NONE;
    }
    lanes[index] = (mprof_lane){.process = process, .name = copy};
    profile->lane_count++;
    return index;
}

/* --- records ------------------------------------------------------------------------------- */

static mprof_status take_samples(void *data, const mprof_sample *samples, size_t count)
{
    mprof__collector *collector = data;
    for (size_t i = 0; i < count && collector->choice; i++) {
        mprof__process_choice_tick(collector->choice, samples[i].time_s);
    }
    if (collector->from_s == -INFINITY && collector->to_s == INFINITY) {
        return mprof__curve_push(&collector->samples, samples, count)
                   ? fail_without_memory(collector)
                   : MPROF_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (mprof__curve_push_within(&collector->samples, samples[i], collector->from_s,
                                     collector->to_s) != 0) {
            return fail_without_memory(collector);
        }
    }
    return MPROF_OK;
}

/* The points of all children together are bounded: where there are many, each has fewer. */
static void limit_points(mprof__collector *collector, mprof__curve *curve)
{
    size_t most = collector->options->max_points;
    size_t count = collector->profile->process_count;
    if (count > FULL_CURVES && most > FEWEST_POINTS && !mprof__curve_is_thinned(curve)) {
        size_t share = most * FULL_CURVES / count;
        curve->max_points = share > FEWEST_POINTS ? share : FEWEST_POINTS;
    }
}

static mprof_status take_child_sample(mprof__collector *collector, const mprof_record *record)
{
    /* Upstream writes "CHLD 0 0.000000" for a child that vanished during the tick: no process. */
    if (record->pid == MPROF_PID_NONE) {
        return MPROF_OK;
    }
    if (!is_told_alone(collector, record->pid)) {
        mprof__process_choice_add(collector->choice, record->sample);
        return MPROF_OK;
    }
    uint32_t process = find_process(collector, record->pid);
    if (process != MPROF__MAP_NONE) {
        limit_points(collector, &collector->curves[process]);
    }
    if (process == MPROF__MAP_NONE ||
        mprof__curve_push_within(&collector->curves[process], record->sample, collector->from_s,
                                 collector->to_s) != 0) {
        return fail_without_memory(collector);
    }
    return MPROF_OK;
}

static mprof_status take_call(mprof__collector *collector, const mprof_call *call)
{
    mprof_profile *profile = collector->profile;
    if (collector->options->skip_calls || call->exit.time_s < collector->from_s ||
        call->enter.time_s > collector->to_s) {
        return MPROF_OK;
    }
    mprof_span *spans = mprof__array_grow(profile->spans, profile->span_count,
                                          &profile->span_capacity, sizeof *spans);
    if (!spans) {
        return fail_without_memory(collector);
    }
    profile->spans = spans;
    uint32_t process = find_process(collector, call->pid);
    uint32_t function = find_function(collector, call->name);
    uint32_t lane =
        process == MPROF__MAP_NONE ? process : find_lane(collector, process, call->lane);
    if (lane == MPROF__MAP_NONE || function == MPROF__MAP_NONE) {
        return fail_without_memory(collector);
    }
    uint32_t bits = (call->open ? MPROF__SPAN_OPEN : 0u) |
                    (call->pid != MPROF_PID_NONE ? MPROF__SPAN_HAS_PID : 0u) |
                    (call->level == MPROF_LEVEL_NONE ? MPROF__SPAN_NO_LEVEL : 0u);
    spans[profile->span_count] = (mprof_span){.enter = call->enter,
                                              .exit = call->exit,
                                              .function = function,
                                              .process = process,
                                              .lane = lane,
                                              .level = call->level,
                                              .count = call->count,
                                              .open = bits,
                                              .reserved = (uint32_t)profile->span_count};
    profile->span_count++;
    return MPROF_OK;
}

/* The number a fact tells; MPROF_PID_NONE if it is none. */
static int64_t read_pid(const char *value)
{
    int64_t pid;
    return mprof__integer_parse(&pid, value, strlen(value)) == 0 && pid > 0 ? pid : MPROF_PID_NONE;
}

static mprof_status take_fact(mprof__collector *collector, const mprof_record *record)
{
    mprof_profile *profile = collector->profile;
    mprof_fact *facts = mprof__array_grow(profile->facts, profile->fact_count,
                                          &profile->fact_capacity, sizeof *facts);
    if (!facts) {
        return fail_without_memory(collector);
    }
    profile->facts = facts;
    mprof_fact *fact = &facts[profile->fact_count];
    fact->key = keep_text(collector, record->key);
    fact->value = keep_text(collector, record->text);
    if (!fact->key || !fact->value) {
        return fail_without_memory(collector);
    }
    profile->fact_count++;
    if (!collector->has_pid_fact && strcmp(fact->key, "pid") == 0) {
        collector->has_pid_fact = 1;
        collector->main_pid = read_pid(fact->value);
    } else if (!collector->children_fact && strcmp(fact->key, "include-children") == 0) {
        collector->children_fact = fact->value;
    } else if (!collector->format_fact && strcmp(fact->key, "format") == 0) {
        collector->format_fact = fact->value;
    }
    return MPROF_OK;
}

static mprof_status take_birth(mprof__collector *collector, const mprof_record *record)
{
    mprof_profile *profile = collector->profile;
    uint32_t index = find_process(collector, record->pid);
    if (index != MPROF__MAP_NONE && record->pid != MPROF_PID_NONE &&
        profile->processes[index].ended) {
        index = add_process(collector, record->pid); /* the number was used again */
    }
    const char *name = keep_text(collector, record->text);
    if (index == MPROF__MAP_NONE || !name) {
        return fail_without_memory(collector);
    }
    mprof_process *process = &profile->processes[index];
    process->name = name;
    process->ppid = record->ppid;
    if (isnan(process->birth_s)) {
        process->birth_s = record->sample.time_s;
    }
    return MPROF_OK;
}

static mprof_status take_end(mprof__collector *collector, const mprof_record *record)
{
    uint32_t index = find_process(collector, record->pid);
    if (index == MPROF__MAP_NONE) {
        return fail_without_memory(collector);
    }
    mprof_process *process = &collector->profile->processes[index];
    process->ended = 1;
    process->end_s = record->sample.time_s;
    process->cause = record->cause;
    process->exit_value = record->value;
    return MPROF_OK;
}

static mprof_status take_kernel_peak(mprof__collector *collector, const mprof_record *record)
{
    if (record->pid == MPROF_PID_NONE) {
        return MPROF_OK; /* it is not known whose */
    }
    uint32_t index = find_process(collector, record->pid);
    if (index == MPROF__MAP_NONE) {
        return fail_without_memory(collector);
    }
    mprof_process *process = &collector->profile->processes[index];
    process->kernel_peak_mib = mprof__larger(process->kernel_peak_mib, record->sample.mib);
    process->kernel_peak_at_least |= record->at_least;
    return MPROF_OK;
}

static mprof_status take_group(mprof__collector *collector, const mprof_record *record)
{
    mprof__group_take(&collector->profile->group, record);
    return mprof__group_curves_take(&collector->group, record, collector->from_s,
                                    collector->to_s) == 0
               ? MPROF_OK
               : fail_without_memory(collector);
}

static mprof_status take_kinds(mprof__collector *collector, const mprof_record *record)
{
    return mprof__kind_curves_take(&collector->kinds, record, collector->main_pid,
                                   collector->from_s, collector->to_s) == 0
               ? MPROF_OK
               : fail_without_memory(collector);
}

static mprof_status take_command_line(mprof__collector *collector, const mprof_record *record)
{
    mprof_profile *profile = collector->profile;
    if (profile->command_line) {
        return MPROF_OK; /* the reader has counted it */
    }
    const char *copy = keep_text(collector, record->text);
    profile->command_line = copy ? mprof__arena_copy(&profile->strings, copy, strlen(copy)) : NULL;
    return profile->command_line ? MPROF_OK : fail_without_memory(collector);
}

static mprof_status take_record(void *data, const mprof_record *record)
{
    mprof__collector *collector = data;
    if ((record->kind == MPROF_RECORD_PROC || record->kind == MPROF_RECORD_EXIT ||
         record->kind == MPROF_RECORD_PEAK) &&
        !is_told_alone(collector, record->pid)) {
        return MPROF_OK;
    }
    switch (record->kind) {
    case MPROF_RECORD_CMDLINE:
        return take_command_line(collector, record);
    case MPROF_RECORD_CHLD:
        return take_child_sample(collector, record);
    case MPROF_RECORD_FUNC:
        return take_call(collector, &record->call);
    case MPROF_RECORD_FACT:
        return take_fact(collector, record);
    case MPROF_RECORD_PROC:
        return take_birth(collector, record);
    case MPROF_RECORD_EXIT:
        return take_end(collector, record);
    case MPROF_RECORD_PEAK:
        return take_kernel_peak(collector, record);
    case MPROF_RECORD_LOST:
        collector->profile->lost_calls += (uint64_t)record->value;
        return MPROF_OK;
    case MPROF_RECORD_GROUP:
        return take_group(collector, record);
    case MPROF_RECORD_KINDS:
        return take_kinds(collector, record);
    case MPROF_RECORD_MEM:
    case MPROF_RECORD_ARGV:
        break;
    }
    return MPROF_OK;
}

mprof_status mprof__collector_read(mprof__collector *collector, mprof_source *source)
{
    mprof_visitor visitor = {collector, take_samples, take_record, count_warning};
    if (collector->profile->process_count == 0 &&
        add_process(collector, MPROF_PID_NONE) == MPROF__MAP_NONE) {
        return fail_without_memory(collector);
    }
    return mprof_read(source, &visitor, collector->error);
}

/* --- the range of time --------------------------------------------------------------------- */

static mprof_status see_samples(void *data, const mprof_sample *samples, size_t count)
{
    mprof__collector *collector = data;
    for (size_t i = 0; i < count; i++) {
        widen_range(collector->profile, samples[i].time_s);
    }
    return MPROF_OK;
}

static mprof_status see_record(void *data, const mprof_record *record)
{
    mprof__collector *collector = data;
    if (record->kind == MPROF_RECORD_CHLD && record->pid != MPROF_PID_NONE) {
        widen_range(collector->profile, record->sample.time_s);
    } else if (record->kind == MPROF_RECORD_FUNC) {
        widen_range(collector->profile, record->call.enter.time_s);
        widen_range(collector->profile, record->call.exit.time_s);
    }
    return MPROF_OK;
}

mprof_status mprof__collector_read_range(mprof__collector *collector, mprof_source *source)
{
    mprof_visitor visitor = {collector, see_samples, see_record, NULL};
    return mprof_read(source, &visitor, collector->error);
}

/* --- the main process ---------------------------------------------------------------------- */

/* Moves the first process of number `from` into the place 0 that was kept for it. */
static void move_to_front(mprof__collector *collector, uint32_t from)
{
    mprof_profile *profile = collector->profile;
    mprof__curve_free(&collector->curves[0]);
    profile->processes[0] = profile->processes[from];
    collector->curves[0] = collector->curves[from];
    size_t behind = profile->process_count - from - 1;
    memmove(profile->processes + from, profile->processes + from + 1,
            behind * sizeof *profile->processes);
    memmove(collector->curves + from, collector->curves + from + 1,
            behind * sizeof *collector->curves);
    profile->process_count--;
    for (size_t i = 0; i < profile->span_count; i++) {
        uint32_t process = profile->spans[i].process;
        profile->spans[i].process = process == from ? 0 : process - (process > from);
    }
    for (size_t i = 0; i < profile->lane_count; i++) {
        uint32_t process = profile->lanes[i].process;
        profile->lanes[i].process = process == from ? 0 : process - (process > from);
    }
}

/* From format 2 on a call without a pid is one of the main process. */
static int names_no_main(const mprof__collector *collector)
{
    int64_t format;
    const char *value = collector->format_fact;
    return value && mprof__integer_parse(&format, value, strlen(value)) == 0 && format >= 2;
}

void mprof__collector_settle_main(mprof__collector *collector)
{
    mprof_profile *profile = collector->profile;
    const char *children = collector->children_fact;
    int64_t pid = collector->main_pid;
    profile->is_alone = !children || strcmp(children, "no") == 0;
    for (uint32_t i = 1; i < profile->process_count && pid != MPROF_PID_NONE; i++) {
        if (profile->processes[i].pid == pid) {
            move_to_front(collector, i);
            break;
        }
    }
    profile->processes[0].pid = pid;
    if (pid != MPROF_PID_NONE && names_no_main(collector)) {
        for (size_t i = 0; i < profile->span_count; i++) {
            profile->spans[i].open |= MPROF__SPAN_HAS_PID;
        }
    }
}
