/* Reads a recording for the writers. Samples go on in time order; calls nested in tracks. Both are
 * sorted outside of memory, so that its need does not depend on the size of the recording. */
#include "export.h"
#include "sorter.h"

#include "parse/array.h"
#include "parse/map.h"
#include "parse/plain_text.h"
#include "parse/profile_parts.h"
#include "parse/redact.h"
#include "parse/source.h"

#include <math.h>
#include <mprof/call_tree.h>
#include <stdlib.h>
#include <string.h>

enum {
    SORTED_BYTES = 3 * 1024 * 1024, /* of items in memory, for each sorter */
    TRACKS_MOST = 4096,             /* of a lane: each call looks at all of them */
    NAME_SIZE = 4096,
    POINTS = 64, /* of the curves, which are not used */
};

#define CALENDAR_FIRST_S 1e9

/* A pid, and the process that has it at this place of the file. */
typedef struct pid_owner {
    int64_t pid; /* the first member: see mprof__index */
    uint32_t process, last;
    bool has_ended;
} pid_owner;

/* What was sampled together, where samples are sums: the main process is what the others leave. */
typedef struct open_tick {
    double time_s; /* NAN: none */
    double total_mib, children_mib;
} open_tick;

typedef struct reading {
    mprof__export_reader *reader;
    const mprof__export_format *format;
    mprof__export_out *out;
    mprof_error *error;
    mprof__export_run run;
    double start_s, end_s; /* of all samples and calls */
    open_tick tick;
    bool ticks_have_one_time; /* else a tick is a sample and what follows it */
    bool main_is_sampled;     /* by itself */
    bool main_is_unknown;     /* only the sum of all processes was recorded */
    size_t rank_count;        /* of a merged recording, in which all main processes are sampled */
    bool main_has_ended;
    mprof__export_process *processes;
    uint32_t *next_owners; /* of the same pid */
    pid_owner *owners;
    size_t owner_count, owner_capacity;
    mprof__index pids;
    mprof__export_lane *lanes;
    size_t lane_capacity;
    mprof__map lane_numbers;
    const char **functions;
    size_t function_capacity;
    mprof__map function_numbers;
    mprof__export_frame *frames;
    size_t frame_capacity;
    mprof__index frame_ids;
    mprof__arena texts;
    mprof__sorter *values, *calls, *tracks, *stacks;
    bool has_stacks;
} reading;

static mprof_status fail_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

/* The caller of the writers finds the reason in the stream. */
static mprof_status check_stream(const reading *r, mprof_status status)
{
    return status == MPROF_OK && ferror(r->out->stream) ? MPROF_EIO : status;
}

/* ---- what is known of a run ---- */

static const char *keep_redacted(reading *r, const char *from)
{
    char text[NAME_SIZE];
    mprof__redact_text(text, sizeof text, from);
    return mprof__arena_copy(&r->texts, text, strlen(text));
}

/* Upstream's numbers of children are in their names alone. */
static int64_t number_of(const mprof_process *process)
{
    static const char word[] = "child ";
    bool is_numbered = process->pid == MPROF_PID_NONE && strncmp(process->name, word, 6) == 0;
    return is_numbered ? strtoll(process->name + 6, NULL, 10) : process->pid;
}

static const char *name_process(reading *r, const mprof_process *process, bool is_main)
{
    char text[64];
    if (*process->name) {
        return keep_redacted(r, process->name);
    }
    if (is_main && *r->run.command_line) {
        return r->run.command_line;
    }
    if (process->pid == MPROF_PID_NONE) {
        return "main process";
    }
    int length = snprintf(text, sizeof text, "process %lld", (long long)process->pid);
    return mprof__arena_copy(&r->texts, text, (size_t)length);
}

static mprof_status add_owner(reading *r, int64_t pid, uint32_t process)
{
    uint32_t at = mprof__index_find(&r->pids, r->owners, sizeof *r->owners, pid);
    if (at != MPROF__MAP_NONE) {
        r->next_owners[r->owners[at].last] = process;
        r->owners[at].last = process;
        return MPROF_OK;
    }
    pid_owner *owners =
        mprof__array_grow(r->owners, r->owner_count, &r->owner_capacity, sizeof *owners);
    if (!owners) {
        return fail_memory(r->error);
    }
    r->owners = owners;
    owners[r->owner_count] = (pid_owner){pid, process, process, false};
    return mprof__index_add(&r->pids, owners, sizeof *owners, (uint32_t)r->owner_count++) == 0
               ? MPROF_OK
               : fail_memory(r->error);
}

static void describe_process(const reading *r, mprof__export_process *to, const char *name,
                             const mprof_process *from)
{
    size_t count;
    const mprof_rank *ranks = mprof_profile_ranks(r->run.profile, &count);
    *to = (mprof__export_process){name, from->pid, r->run.host, ""};
    if (from->rank != MPROF_RANK_NONE) {
        to->pid = from->own_pid;
        to->host = ranks[from->rank].host;
        to->rank = ranks[from->rank].name;
    }
}

static mprof_status describe_processes(reading *r)
{
    size_t count;
    const mprof_process *processes = mprof_profile_processes(r->run.profile, &count);
    r->processes = calloc(count, sizeof *r->processes);
    r->next_owners = malloc(count * sizeof *r->next_owners);
    if (!r->processes || !r->next_owners) {
        return fail_memory(r->error);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = name_process(r, &processes[i], i == 0);
        int64_t number = number_of(&processes[i]);
        r->next_owners[i] = MPROF__EXPORT_NO_PROCESS;
        if (!name || (number != MPROF_PID_NONE && add_owner(r, number, (uint32_t)i) != MPROF_OK)) {
            return fail_memory(r->error);
        }
        describe_process(r, &r->processes[i], name, &processes[i]);
    }
    r->run.processes = r->processes;
    r->run.process_count = count;
    r->run.mem_is_total = mprof_profile_mem_is_sum(r->run.profile) && count > 1;
    (void)mprof_profile_ranks(r->run.profile, &r->rank_count);
    r->main_is_sampled = r->rank_count > 0;
    r->main_is_unknown = mprof__profile_has_sum_alone(r->run.profile);
    r->ticks_have_one_time = mprof_profile_fact(r->run.profile, "include-children") != NULL;
    r->tick.time_s = NAN;
    return MPROF_OK;
}

/* Clocks that were set show ten digits of seconds. */
static bool is_on_calendar(const mprof_profile *profile)
{
    const char *times = mprof_profile_fact(profile, "times");
    return mprof_profile_start_s(profile) >= CALENDAR_FIRST_S &&
           !(times && strcmp(times, "relative") == 0);
}

static mprof_status describe_run(reading *r, const mprof_run *run, const char *file)
{
    const mprof_profile *profile = r->run.profile;
    const char *host = mprof_profile_fact(profile, "host");
    r->run.file = file;
    r->run.ordinal = r->reader->run_count;
    r->run.number = run->number;
    r->run.count = run->count;
    r->run.host = host ? host : "";
    r->run.command_line = keep_redacted(r, mprof_profile_command_line(profile));
    r->run.is_on_calendar = is_on_calendar(profile);
    r->run.from_s = -INFINITY;
    r->run.to_s = INFINITY;
    return r->run.command_line ? describe_processes(r) : fail_memory(r->error);
}

/* ---- records ---- */

static void widen(reading *r, double time_s)
{
    r->start_s = time_s < r->start_s ? time_s : r->start_s;
    r->end_s = time_s > r->end_s ? time_s : r->end_s;
}

static pid_owner *owner_of(reading *r, int64_t pid)
{
    uint32_t at = mprof__index_find(&r->pids, r->owners, sizeof *r->owners, pid);
    return at == MPROF__MAP_NONE ? NULL : &r->owners[at];
}

/* The process of a record; none if the pid is unknown: a file that grows has new ones. */
static uint32_t process_of(reading *r, int64_t pid)
{
    const pid_owner *owner = pid == MPROF_PID_NONE ? NULL : owner_of(r, pid);
    return owner ? owner->process : MPROF__EXPORT_NO_PROCESS;
}

static mprof_status add_value(reading *r, mprof_sample sample, uint32_t process, uint32_t what)
{
    if (sample.time_s < r->run.from_s || sample.time_s > r->run.to_s || isnan(sample.mib)) {
        return MPROF_OK;
    }
    mprof__export_value value = {sample.time_s, sample.mib, process, what};
    if (!r->format->value) {
        return MPROF_OK;
    }
    if (r->format->any_order) {
        return check_stream(r, r->format->value(r->out, &r->run, &value));
    }
    return mprof__sorter_add(r->values, &value, r->error);
}

/* The main process had at least 0: the others are sampled slightly later. */
static mprof_status end_tick(reading *r)
{
    mprof_sample left = {fmax(0, r->tick.total_mib - r->tick.children_mib), r->tick.time_s};
    r->tick.time_s = NAN;
    return isnan(left.time_s) || r->main_is_sampled || r->main_is_unknown
               ? MPROF_OK
               : add_value(r, left, 0, MPROF__EXPORT_MEMORY);
}

static mprof_status begin_tick(reading *r, mprof_sample sample)
{
    mprof_status status = end_tick(r);
    if (!r->main_has_ended) {
        r->tick = (open_tick){sample.time_s, sample.mib, 0};
    }
    return status;
}

static mprof_status read_child(reading *r, const mprof_record *record)
{
    uint32_t process = process_of(r, record->pid);
    if (process == MPROF__EXPORT_NO_PROCESS) {
        return MPROF_OK;
    }
    r->main_is_sampled |= process == 0;
    if (!r->ticks_have_one_time || record->sample.time_s == r->tick.time_s) {
        r->tick.children_mib += record->sample.mib;
    }
    widen(r, record->sample.time_s);
    return add_value(r, record->sample, process, MPROF__EXPORT_MEMORY);
}

static mprof_status read_samples(void *data, const mprof_sample *samples, size_t count)
{
    reading *r = data;
    mprof_status status = MPROF_OK;
    uint32_t process = r->run.mem_is_total ? MPROF__EXPORT_NO_PROCESS : 0;
    uint32_t what = r->run.mem_is_total ? MPROF__EXPORT_TOTAL : MPROF__EXPORT_MEMORY;
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        widen(r, samples[i].time_s);
        status = add_value(r, samples[i], process, what);
        if (status == MPROF_OK && r->run.mem_is_total) {
            status = begin_tick(r, samples[i]);
        }
    }
    return status;
}

/* Writers get C strings, so names that differ only behind a NUL are one. */
static mprof_text until_nul(mprof_text text)
{
    return (mprof_text){text.bytes, text.length ? strnlen(text.bytes, text.length) : 0};
}

/* Index of a text; MPROF__MAP_NONE without memory. The texts must not change afterwards. */
static uint32_t find_function(reading *r, mprof_text name)
{
    name = until_nul(name);
    uint32_t at = mprof__map_find(&r->function_numbers, name.bytes, name.length);
    if (at != MPROF__MAP_NONE) {
        return at;
    }
    const char **functions = mprof__array_grow(r->functions, r->run.function_count,
                                               &r->function_capacity, sizeof *functions);
    const char *copy = mprof__arena_copy(&r->texts, name.bytes, name.length);
    if (functions) {
        r->functions = functions;
        r->run.functions = functions;
    }
    at = (uint32_t)r->run.function_count;
    if (!functions || !copy ||
        mprof__map_set(&r->function_numbers, NULL, copy, name.length, at) != 0) {
        return MPROF__MAP_NONE;
    }
    functions[at] = copy;
    r->run.function_count++;
    return at;
}

static uint32_t find_lane(reading *r, uint32_t process, mprof_text name)
{
    char key[sizeof process + NAME_SIZE];
    name = until_nul(name);
    size_t length = mprof__text_cut(name.bytes, name.length, NAME_SIZE);
    memcpy(key, &process, sizeof process);
    if (length > 0) {
        memcpy(key + sizeof process, name.bytes, length);
    }
    uint32_t at = mprof__map_find(&r->lane_numbers, key, sizeof process + length);
    if (at != MPROF__MAP_NONE) {
        return at;
    }
    mprof__export_lane *lanes =
        mprof__array_grow(r->lanes, r->run.lane_count, &r->lane_capacity, sizeof *lanes);
    const char *copy = mprof__arena_copy(&r->texts, name.bytes, length);
    if (lanes) {
        r->lanes = lanes;
        r->run.lanes = lanes;
    }
    at = (uint32_t)r->run.lane_count;
    if (!lanes || !copy ||
        mprof__map_set(&r->lane_numbers, &r->texts, key, sizeof process + length, at) != 0) {
        return MPROF__MAP_NONE;
    }
    lanes[at] = (mprof__export_lane){process, copy};
    r->run.lane_count++;
    return at;
}

/* A call is cut to the window. */
static mprof_status read_call(reading *r, const mprof_call *from)
{
    uint32_t process = from->pid == MPROF_PID_NONE ? 0 : process_of(r, from->pid);
    widen(r, from->enter.time_s);
    widen(r, from->exit.time_s);
    if (!r->calls || process == MPROF__EXPORT_NO_PROCESS || from->exit.time_s < r->run.from_s ||
        from->enter.time_s > r->run.to_s) {
        return MPROF_OK;
    }
    mprof__export_call call = {.enter = from->enter,
                               .exit = from->exit,
                               .suspended_s = from->suspended_s,
                               .sampled_s = from->sampled_s,
                               .count = from->count,
                               .function = find_function(r, from->name),
                               .lane = find_lane(r, process, from->lane),
                               .level = from->level,
                               .open = from->open != 0};
    if (call.function == MPROF__MAP_NONE || call.lane == MPROF__MAP_NONE) {
        return fail_memory(r->error);
    }
    call.enter.time_s = fmax(call.enter.time_s, r->run.from_s);
    call.exit.time_s = fmin(call.exit.time_s, r->run.to_s);
    r->reader->call_count++;
    return mprof__sorter_add(r->calls, &call, r->error);
}

/* A frame comes before those that it calls. */
static mprof_status read_frame(reading *r, const mprof_stack_frame *from)
{
    mprof__export_frame *frames =
        mprof__array_grow(r->frames, r->run.frame_count, &r->frame_capacity, sizeof *frames);
    if (!frames) {
        return fail_memory(r->error);
    }
    r->frames = frames;
    r->run.frames = frames;
    if (mprof__index_find(&r->frame_ids, frames, sizeof *frames, from->id) != MPROF__MAP_NONE) {
        return MPROF_OK;
    }
    uint32_t at = (uint32_t)r->run.frame_count;
    frames[at] = (mprof__export_frame){
        .id = from->id,
        .parent = mprof__index_find(&r->frame_ids, frames, sizeof *frames, from->parent),
        .name = mprof__arena_copy(&r->texts, from->name.bytes, from->name.length),
        .file = mprof__arena_copy(&r->texts, from->file.bytes, from->file.length),
        .line = from->line};
    if (!frames[at].name || !frames[at].file ||
        mprof__index_add(&r->frame_ids, frames, sizeof *frames, at) != 0) {
        return fail_memory(r->error);
    }
    r->run.frame_count++;
    return MPROF_OK;
}

/* What of a period is in the window counts in proportion. */
static double share_in_window(const reading *r, double from_s, double to_s)
{
    double inside_s = fmin(to_s, r->run.to_s) - fmax(from_s, r->run.from_s);
    return inside_s < 0 ? 0 : to_s > from_s ? inside_s / (to_s - from_s) : 1;
}

static bool is_memory(mprof_text lane)
{
    return lane.length == strlen(MPROF_LANE_MEMORY) &&
           memcmp(lane.bytes, MPROF_LANE_MEMORY, lane.length) == 0;
}

static mprof_status read_stack(reading *r, const mprof_record *record)
{
    const mprof_stack_samples *from = &record->stack;
    uint32_t process = process_of(r, record->pid);
    uint32_t frame = mprof__index_find(&r->frame_ids, r->frames, sizeof *r->frames, from->frame);
    double share = share_in_window(r, from->from_s, record->sample.time_s);
    if (process == MPROF__EXPORT_NO_PROCESS || (frame == MPROF__MAP_NONE && from->frame != 0) ||
        share <= 0 || is_memory(from->lane)) {
        return MPROF_OK;
    }
    mprof__export_stack stack = {.from_s = from->from_s,
                                 .seconds = from->seconds * share,
                                 .lane = find_lane(r, process, from->lane),
                                 .frame = frame};
    r->has_stacks = true;
    r->reader->call_count++;
    return stack.lane == MPROF__MAP_NONE ? fail_memory(r->error)
                                         : mprof__sorter_add(r->stacks, &stack, r->error);
}

/* In a merged recording, those of pid 0 are the sum over all ranks. */
static mprof_status read_kinds(reading *r, const mprof_record *record)
{
    bool is_sum = record->pid == 0 && r->rank_count > 0;
    uint32_t process = process_of(r, record->pid);
    mprof_status status = MPROF_OK;
    for (int kind = 0; kind < MPROF_KIND_COUNT && status == MPROF_OK; kind++) {
        mprof_sample sample = {record->kinds_mib[kind], record->sample.time_s};
        if (process != MPROF__EXPORT_NO_PROCESS || is_sum) {
            status = add_value(r, sample, process, MPROF__EXPORT_KIND + (uint32_t)kind);
        }
    }
    return status;
}

static mprof_status read_group(reading *r, const mprof_record *record)
{
    mprof_sample limit = {record->limit_mib, record->sample.time_s};
    mprof_status status =
        add_value(r, record->sample, MPROF__EXPORT_NO_PROCESS, MPROF__EXPORT_GROUP);
    return status == MPROF_OK
               ? add_value(r, limit, MPROF__EXPORT_NO_PROCESS, MPROF__EXPORT_GROUP_LIMIT)
               : status;
}

static void follow_process(reading *r, const mprof_record *record)
{
    pid_owner *owner = owner_of(r, record->pid);
    if (owner && record->kind == MPROF_RECORD_EXIT) {
        owner->has_ended = true;
        r->main_has_ended |= owner->process == 0;
    } else if (owner && owner->has_ended) {
        uint32_t next = r->next_owners[owner->process];
        owner->process = next == MPROF__EXPORT_NO_PROCESS ? owner->process : next;
        owner->has_ended = false;
    }
}

static mprof_status read_of_process(reading *r, const mprof_record *record, uint32_t what)
{
    uint32_t process = process_of(r, record->pid);
    return process == MPROF__EXPORT_NO_PROCESS ? MPROF_OK
                                               : add_value(r, record->sample, process, what);
}

static mprof_status read_record(void *data, const mprof_record *record)
{
    reading *r = data;
    switch (record->kind) {
    case MPROF_RECORD_CHLD:
        return read_child(r, record);
    case MPROF_RECORD_PEAK:
        return read_of_process(r, record, MPROF__EXPORT_HIGH_WATER);
    case MPROF_RECORD_FUNC:
        return read_call(r, &record->call);
    case MPROF_RECORD_KINDS:
        return read_kinds(r, record);
    case MPROF_RECORD_FRAME:
        return r->stacks ? read_frame(r, &record->frame) : MPROF_OK;
    case MPROF_RECORD_STACK:
        return r->stacks ? read_stack(r, record) : MPROF_OK;
    case MPROF_RECORD_GROUP:
        return read_group(r, record);
    case MPROF_RECORD_PROC:
    case MPROF_RECORD_EXIT:
        follow_process(r, record);
        return MPROF_OK;
    default:
        return MPROF_OK;
    }
}

/* ---- the window ---- */

static mprof_status scan_samples(void *data, const mprof_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        widen(data, samples[i].time_s);
    }
    return MPROF_OK;
}

static mprof_status scan_record(void *data, const mprof_record *record)
{
    if (record->kind == MPROF_RECORD_FUNC) {
        widen(data, record->call.enter.time_s);
        widen(data, record->call.exit.time_s);
    } else if (record->kind == MPROF_RECORD_CHLD && (record->pid != 0 || record->sample.mib > 0)) {
        widen(data, record->sample.time_s);
    }
    return MPROF_OK;
}

/* The window counts from the first sample or call. */
static mprof_status find_window(reading *r, mprof_source *source)
{
    double window_s[2];
    mprof_visitor visitor = {r, scan_samples, scan_record, NULL};
    mprof_status status = mprof_source_rewind(source, r->error);
    if (status == MPROF_OK) {
        status = mprof_read(source, &visitor, r->error);
    }
    if (status == MPROF_OK) {
        status = mprof__time_range_resolve(window_s, r->out->options->window, r->start_s, r->end_s,
                                           r->error);
    }
    if (status == MPROF_OK) {
        r->run.from_s = r->start_s + window_s[0];
        r->run.to_s = r->start_s + window_s[1];
    }
    return status;
}

/* ---- in order ---- */

static int compare_values(const void *a, const void *b)
{
    const mprof__export_value *left = a, *right = b;
    return (left->time_s > right->time_s) - (left->time_s < right->time_s);
}

/* By lane and entry; enclosing calls first. */
static int compare_calls(const void *a, const void *b)
{
    const mprof__export_call *left = a, *right = b;
    int order = (left->lane > right->lane) - (left->lane < right->lane);
    order = order ? order
                  : compare_values(&(mprof__export_value){.time_s = left->enter.time_s},
                                   &(mprof__export_value){.time_s = right->enter.time_s});
    order = order ? order : (left->level > right->level) - (left->level < right->level);
    return order ? order
                 : (right->exit.time_s > left->exit.time_s) -
                       (right->exit.time_s < left->exit.time_s);
}

static int compare_stacks(const void *a, const void *b)
{
    const mprof__export_stack *left = a, *right = b;
    int order = (left->lane > right->lane) - (left->lane < right->lane);
    return order ? order : (left->from_s > right->from_s) - (left->from_s < right->from_s);
}

static int compare_tracks(const void *a, const void *b)
{
    const mprof__export_call *left = a, *right = b;
    int order = (left->lane > right->lane) - (left->lane < right->lane);
    return order ? order : (left->track > right->track) - (left->track < right->track);
}

static mprof_status write_values(reading *r)
{
    const void *item = NULL;
    mprof_status status = MPROF_OK;
    while (r->values && (status = mprof__sorter_next(r->values, &item, r->error)) == MPROF_OK &&
           item) {
        status = check_stream(r, r->format->value(r->out, &r->run, item));
        if (status != MPROF_OK) {
            break;
        }
    }
    return status;
}

static mprof_status write_stacks(reading *r)
{
    const void *item = NULL;
    mprof_status status = MPROF_OK;
    while ((status = mprof__sorter_next(r->stacks, &item, r->error)) == MPROF_OK && item) {
        status = check_stream(r, r->format->stack(r->out, &r->run, item));
        if (status != MPROF_OK) {
            break;
        }
    }
    return status;
}

/* ---- tracks ---- */

/* The calls of a track that have not ended. */
typedef struct track {
    mprof__export_call *calls; /* owned */
    size_t count, capacity;
} track;

typedef struct track_list {
    track *items; /* owned */
    size_t count, capacity;
} track_list;

static void free_tracks(track_list *tracks)
{
    for (size_t i = 0; i < tracks->count; i++) {
        free(tracks->items[i].calls);
    }
    free(tracks->items);
    *tracks = (track_list){0};
}

/* A call at the moment at which another one ends is inside of it if it has no duration and is
 * deeper. */
static bool has_ended(const mprof__export_call *call, const mprof__export_call *next)
{
    if (call->exit.time_s < next->enter.time_s) {
        return true;
    }
    return call->exit.time_s == next->enter.time_s &&
           (next->exit.time_s > next->enter.time_s || next->level <= call->level);
}

static bool fits(track *of, const mprof__export_call *call)
{
    while (of->count > 0 && has_ended(&of->calls[of->count - 1], call)) {
        of->count--;
    }
    return of->count == 0 || of->calls[of->count - 1].exit.time_s >= call->exit.time_s;
}

static int push_call(track *of, const mprof__export_call *call)
{
    mprof__export_call *calls =
        mprof__array_grow(of->calls, of->count, &of->capacity, sizeof *calls);
    if (!calls) {
        return -1;
    }
    of->calls = calls;
    calls[of->count++] = *call;
    return 0;
}

/* Puts the call into the first track that it fits into. Beyond TRACKS_MOST, it ends with the call
 * around it. */
static mprof_status choose_track(reading *r, track_list *tracks, mprof__export_call *call)
{
    size_t at = 0;
    while (at < tracks->count && !fits(&tracks->items[at], call)) {
        at++;
    }
    if (at == TRACKS_MOST) {
        const track *last = &tracks->items[--at];
        call->exit.time_s = last->calls[last->count - 1].exit.time_s;
    } else if (at == tracks->count) {
        track *items =
            mprof__array_grow(tracks->items, tracks->count, &tracks->capacity, sizeof *items);
        if (!items) {
            return fail_memory(r->error);
        }
        tracks->items = items;
        items[tracks->count++] = (track){0};
    }
    call->track = (uint32_t)at;
    call->depth = (uint32_t)tracks->items[at].count;
    return push_call(&tracks->items[at], call) == 0 ? mprof__sorter_add(r->tracks, call, r->error)
                                                    : fail_memory(r->error);
}

static mprof_status choose_tracks(reading *r)
{
    const void *item;
    track_list tracks = {0};
    uint32_t lane = 0;
    mprof_status status;
    while ((status = mprof__sorter_next(r->calls, &item, r->error)) == MPROF_OK && item) {
        mprof__export_call call = *(const mprof__export_call *)item;
        if (call.lane != lane) {
            free_tracks(&tracks);
            lane = call.lane;
        }
        status = choose_track(r, &tracks, &call);
        if (status != MPROF_OK) {
            break;
        }
    }
    free_tracks(&tracks);
    return status;
}

static mprof_status leave_calls(reading *r, track *open, size_t depth)
{
    mprof_status status = MPROF_OK;
    while (open->count > depth && status == MPROF_OK) {
        open->count--;
        if (r->format->leave) {
            status = r->format->leave(r->out, &r->run, &open->calls[open->count]);
        }
    }
    return status;
}

static mprof_status write_calls(reading *r)
{
    const void *item;
    track open = {0};
    uint32_t lane = 0, number = 0;
    mprof_status status = choose_tracks(r);
    while (status == MPROF_OK &&
           (status = mprof__sorter_next(r->tracks, &item, r->error)) == MPROF_OK && item) {
        const mprof__export_call *call = item;
        bool is_same = call->lane == lane && call->track == number;
        lane = call->lane;
        number = call->track;
        status = leave_calls(r, &open, is_same ? call->depth : 0);
        if (status == MPROF_OK && r->format->enter) {
            status = r->format->enter(r->out, &r->run, call);
        }
        if (status == MPROF_OK && push_call(&open, call) != 0) {
            status = fail_memory(r->error);
        }
        status = check_stream(r, status);
    }
    if (status == MPROF_OK) {
        status = leave_calls(r, &open, 0);
    }
    free(open.calls);
    return status;
}

/* ---- all ---- */

static mprof_status make_sorters(reading *r)
{
    mprof_status status = MPROF_OK;
    if (r->format->value && !r->format->any_order) {
        status = mprof__sorter_new(&r->values, sizeof(mprof__export_value), SORTED_BYTES,
                                   compare_values, r->error);
    }
    bool has_calls = r->format->enter || r->format->leave;
    if (status == MPROF_OK && has_calls) {
        status = mprof__sorter_new(&r->calls, sizeof(mprof__export_call), SORTED_BYTES,
                                   compare_calls, r->error);
    }
    if (status == MPROF_OK && r->format->stack) {
        status = mprof__sorter_new(&r->stacks, sizeof(mprof__export_stack), SORTED_BYTES,
                                   compare_stacks, r->error);
    }
    if (status == MPROF_OK && has_calls) {
        status = mprof__sorter_new(&r->tracks, sizeof(mprof__export_call), SORTED_BYTES,
                                   compare_tracks, r->error);
    }
    return status;
}

/* The tree is that of `mprof functions`: it keeps the recording in memory. */
static mprof_status write_growth(reading *r, mprof_source *source, const mprof_run *run)
{
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    mprof_profile *profile = NULL;
    mprof_call_tree *tree = NULL;
    size_t span_count;
    options.max_points = 0; /* every rise and fall */
    options.run = run->count > 1 ? run : NULL;
    if (r->out->options->window) {
        options.window_s[0] = r->run.from_s - r->start_s;
        options.window_s[1] = r->run.to_s - r->start_s;
    }
    mprof_status status = mprof_source_rewind(source, r->error);
    if (status == MPROF_OK) {
        status = mprof_profile_load(&profile, source, &options, r->error);
    }
    if (status == MPROF_OK) {
        status = mprof_call_tree_make(&tree, profile, r->error);
    }
    if (status == MPROF_OK) {
        r->reader->has_failed = true;
        (void)mprof_profile_spans(profile, &span_count);
        r->reader->call_count += span_count + (tree->has_samples != 0);
        status = r->format->growth(r->out, &r->run, tree);
    }
    if (status == MPROF_OK) {
        r->reader->has_failed = false;
        r->reader->run_count++;
    }
    mprof_call_tree_free(tree);
    mprof_profile_free(profile);
    return check_stream(r, status);
}

/* From the first callback on, the output is not whole until the last one. */
static mprof_status write_run(reading *r, mprof_source *source)
{
    mprof_visitor visitor = {r, read_samples, read_record, NULL};
    mprof_status status = mprof_source_rewind(source, r->error);
    r->reader->has_failed = true;
    if (status == MPROF_OK && r->format->begin_run) {
        status = r->format->begin_run(r->out, &r->run);
    }
    if (status == MPROF_OK) {
        status = mprof_read(source, &visitor, r->error);
    }
    if (status == MPROF_OK) {
        status = end_tick(r);
    }
    if (status == MPROF_OK && !r->out->options->window) {
        r->run.from_s = r->start_s;
        r->run.to_s = r->end_s;
    }
    if (status == MPROF_OK) {
        status = write_values(r);
    }
    if (status == MPROF_OK && r->has_stacks) {
        status = write_stacks(r);
    } else if (status == MPROF_OK && r->calls) {
        status = write_calls(r);
    }
    if (status == MPROF_OK && r->format->end_run) {
        status = r->format->end_run(r->out, &r->run);
    }
    if (status == MPROF_OK) {
        r->reader->has_failed = false;
        r->reader->run_count++;
    }
    return check_stream(r, status);
}

static void free_reading(reading *r)
{
    mprof__sorter_free(r->values);
    mprof__sorter_free(r->calls);
    mprof__sorter_free(r->tracks);
    mprof__sorter_free(r->stacks);
    mprof__index_free(&r->frame_ids);
    free(r->frames);
    mprof__index_free(&r->pids);
    mprof__map_free(&r->lane_numbers);
    mprof__map_free(&r->function_numbers);
    mprof__arena_free(&r->texts);
    free(r->processes);
    free(r->next_owners);
    free(r->owners);
    free(r->lanes);
    free(r->functions);
}

static void limit_to_run(mprof_source *source, const mprof_run *run)
{
    bool is_part = run->count > 1;
    mprof__source_limit(source, is_part ? run->offset : 0, is_part ? run->size : UINT64_MAX,
                        is_part ? run->line : 1);
}

static mprof_status export_run(mprof__export_reader *reader, mprof_source *source,
                               const mprof_run *run, mprof_error *error)
{
    reading r = {.reader = reader,
                 .format = reader->format,
                 .out = reader->out,
                 .error = error,
                 .start_s = INFINITY,
                 .end_s = -INFINITY};
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    mprof_profile *profile = NULL;
    options.max_points = POINTS;
    options.skip_calls = 1;
    options.run = run->count > 1 ? run : NULL;
    mprof_status status = mprof_source_rewind(source, error);
    if (status == MPROF_OK) {
        status = mprof_profile_load(&profile, source, &options, error);
    }
    if (status == MPROF_OK) {
        r.run.profile = profile;
        limit_to_run(source, run); /* loading has lifted the limit */
        status = describe_run(&r, run, mprof__source_name(source));
    }
    if (status == MPROF_OK && reader->out->options->window) {
        status = find_window(&r, source);
    }
    if (status == MPROF_OK && reader->format->growth &&
        reader->out->options->by == MPROF__EXPORT_BY_GROWTH) {
        status = write_growth(&r, source, run);
    } else if (status == MPROF_OK) {
        status = make_sorters(&r);
        status = status == MPROF_OK ? write_run(&r, source) : status;
    }
    if (status == MPROF_OK && reader->note && reader->format->is_on_calendar &&
        !r.run.is_on_calendar) {
        reader->note(r.run.file, "its times count from an unknown moment, so those in the output "
                                 "are no dates");
    }
    if (status == MPROF_OK && reader->warn) {
        reader->warn(profile);
    }
    free_reading(&r);
    mprof_profile_free(profile);
    return status;
}

mprof_status mprof__export_read_source(mprof__export_reader *reader, mprof_source *source,
                                       mprof_error *error)
{
    mprof_runs *runs = NULL;
    size_t count = 0;
    mprof_status status = mprof__source_keep(source, error);
    if (status == MPROF_OK) {
        status = mprof_runs_read(&runs, source, error);
    }
    const mprof_run *list = runs ? mprof_runs_list(runs, &count) : NULL;
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        status = export_run(reader, source, &list[i], error);
    }
    if (status != MPROF_OK) {
        mprof_error_at(error, mprof__source_name(source), 0);
    }
    mprof_runs_free(runs);
    return status;
}

mprof_status mprof__export_read(mprof__export_reader *reader, const char *path, mprof_error *error)
{
    mprof_source *source;
    mprof_status status = mprof_source_open(&source, path, error);
    if (status == MPROF_OK) {
        status = mprof__export_read_source(reader, source, error);
        mprof_source_free(source);
    }
    return status;
}
