/* --to perfetto: a trace of https://ui.perfetto.dev, in the wire format of protocol buffers. The
 * numbers of fields are Perfetto's (protos/perfetto/trace). Names of functions are written once,
 * and referred to; times are nanoseconds of the calendar, so that traces of several hosts fit. */
#include "export.h"

#include "pid_table.h"
#include "protobuf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REALTIME = 1 }; /* of clocks */

enum { /* fields of Trace and TracePacket */
       TRACE_PACKET = 1,
       PACKET_CLOCK_SNAPSHOT = 6,
       PACKET_TIMESTAMP = 8,
       PACKET_SEQUENCE = 10,
       PACKET_TRACK_EVENT = 11,
       PACKET_INTERNED = 12,
       PACKET_SEQUENCE_FLAGS = 13,
       PACKET_CLOCK = 58,
       PACKET_TRACK = 60,
};

enum { SEQUENCE_CLEARED = 1, SEQUENCE_NEEDED = 2 };

enum { SNAPSHOT_CLOCKS = 1, SNAPSHOT_PRIMARY = 2, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2 };

enum { /* of TrackDescriptor, and its parts */
       TRACK_UUID = 1,
       TRACK_NAME = 2,
       TRACK_PROCESS = 3,
       TRACK_THREAD = 4,
       TRACK_PARENT = 5,
       TRACK_COUNTER = 8,
       PROCESS_PID = 1,
       PROCESS_NAME = 6,
       THREAD_PID = 1,
       THREAD_TID = 2,
       THREAD_NAME = 5,
       COUNTER_UNIT = 3,
       COUNTER_UNIT_BYTES = 3,
};

enum { /* of TrackEvent, and its parts */
       EVENT_ANNOTATION = 4,
       EVENT_TYPE = 9,
       EVENT_NAME_ID = 10,
       EVENT_TRACK = 11,
       EVENT_COUNTER = 30,
       TYPE_BEGIN = 1,
       TYPE_END = 2,
       TYPE_COUNTER = 4,
       ANNOTATION_BOOL = 2,
       ANNOTATION_UINT = 3,
       ANNOTATION_INT = 4,
       ANNOTATION_NAME = 10,
       INTERNED_EVENT_NAMES = 2,
       NAME_ID = 1,
       NAME_TEXT = 2,
};

typedef struct perfetto {
    mprof__pid_table pids;
    mprof__protobuf packet, part, inner, leaf; /* messages that are being made */
    uint64_t base;                             /* before the uuids of the run */
    unsigned char *described; /* owned; one bit for each track of a process and each counter */
    size_t described_count;
    unsigned char *names; /* owned; one bit for each function that was written */
    size_t name_bytes;
    uint64_t call_tracks; /* of the run, so far */
    uint32_t lane, track; /* which the last call was in */
    uint64_t track_uuid;  /* of them */
    uint64_t lane_uuid;   /* of the lane's first track */
    uint32_t sequence;    /* a run is a sequence: names count anew */
} perfetto;

static mprof_status fail_memory(const mprof__export_out *out)
{
    return mprof_error_set(out->error, MPROF_ENOMEM, "out of memory");
}

/* ---- uuids ---- */

/* FNV-1a. Traces of several recordings can be joined by cat(1): their uuids must not be equal. */
static uint64_t hash(uint64_t value, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        value = (value ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return value;
}

static uint64_t base_of(const mprof__export_run *run)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    double start_s = mprof_profile_start_s(run->profile);
    value = hash(value, run->host, strlen(run->host));
    value = hash(value, run->command_line, strlen(run->command_line));
    value = hash(value, &run->processes[0].pid, sizeof run->processes[0].pid);
    value = hash(value, run->file, strlen(run->file));
    value = hash(value, &run->number, sizeof run->number);
    value = hash(value, &run->ordinal, sizeof run->ordinal);
    value = hash(value, &start_s, sizeof start_s);
    return (value & ~(UINT64_C(0xffffffff))) | 1; /* never 0, and room to count */
}

/* Numbers of tracks: processes, then the counters of each, then the tracks of calls. */
static size_t process_slot(const mprof__export_run *run, uint32_t process)
{
    return process == MPROF__EXPORT_NO_PROCESS ? run->process_count : process;
}

static size_t counter_slot(const mprof__export_run *run, const mprof__export_value *value)
{
    return (run->process_count + 1) * (1 + value->what) + process_slot(run, value->process);
}

/* True the first time. */
static bool set_bit(unsigned char *bits, size_t index)
{
    unsigned char mask = (unsigned char)(1U << index % 8), *byte = &bits[index / 8];
    bool was_set = *byte & mask;
    *byte |= mask;
    return !was_set;
}

/* ---- packets ---- */

static uint64_t nanoseconds(double time_s)
{
    /* times have whole microseconds; a double has not all nanoseconds of today */
    return (uint64_t)llround(time_s * 1e6) * 1000;
}

static mprof_status write_packet(mprof__export_out *out, unsigned flags)
{
    perfetto *state = out->state;
    mprof__protobuf_number(&state->packet, PACKET_SEQUENCE, state->sequence);
    if (flags) {
        mprof__protobuf_number(&state->packet, PACKET_SEQUENCE_FLAGS, flags);
    }
    bool is_good = mprof__protobuf_write(out->stream, TRACE_PACKET, &state->packet);
    mprof__protobuf_clear(&state->packet);
    mprof__protobuf_clear(&state->part);
    mprof__protobuf_clear(&state->inner);
    mprof__protobuf_clear(&state->leaf);
    return is_good ? MPROF_OK : fail_memory(out);
}

static void put_time(perfetto *state, double time_s)
{
    mprof__protobuf_number(&state->packet, PACKET_TIMESTAMP, nanoseconds(time_s));
    mprof__protobuf_number(&state->packet, PACKET_CLOCK, REALTIME);
}

/* The trace's clock is that of the calendar. */
static mprof_status write_clock(mprof__export_out *out, double time_s)
{
    perfetto *state = out->state;
    mprof__protobuf_number(&state->inner, CLOCK_ID, REALTIME);
    mprof__protobuf_number(&state->inner, CLOCK_TIMESTAMP, nanoseconds(time_s));
    mprof__protobuf_message(&state->part, SNAPSHOT_CLOCKS, &state->inner);
    mprof__protobuf_number(&state->part, SNAPSHOT_PRIMARY, REALTIME);
    mprof__protobuf_message(&state->packet, PACKET_CLOCK_SNAPSHOT, &state->part);
    return write_packet(out, SEQUENCE_CLEARED);
}

/* Writes state->part, a description of a track. */
static mprof_status write_track(mprof__export_out *out)
{
    perfetto *state = out->state;
    mprof__protobuf_message(&state->packet, PACKET_TRACK, &state->part);
    return write_packet(out, 0);
}

static mprof_status begin(mprof__export_out *out)
{
    out->state = calloc(1, sizeof(perfetto));
    return out->state ? MPROF_OK : fail_memory(out);
}

static mprof_status begin_run(mprof__export_out *out, const mprof__export_run *run)
{
    perfetto *state = out->state;
    size_t slots = (run->process_count + 1) * (1 + MPROF__EXPORT_WHAT_COUNT);
    free(state->described);
    free(state->names);
    state->names = NULL;
    state->name_bytes = 0;
    state->described = calloc(slots / 8 + 1, 1);
    state->described_count = slots;
    state->base = base_of(run);
    state->call_tracks = 0;
    state->lane = UINT32_MAX;
    state->sequence = (uint32_t)run->ordinal + 1;
    if (!state->described || mprof__pid_table_begin_run(&state->pids, run) != 0) {
        return fail_memory(out);
    }
    return write_clock(out, mprof_profile_start_s(run->profile));
}

/* ---- tracks ---- */

static uint64_t uuid_of_process(const perfetto *state, uint32_t process)
{
    return state->base + process;
}

static mprof_status describe_process(mprof__export_out *out, const mprof__export_run *run,
                                     uint32_t process)
{
    perfetto *state = out->state;
    char title[MPROF__EXPORT_TITLE_SIZE];
    if (process == MPROF__EXPORT_NO_PROCESS || !set_bit(state->described, process)) {
        return MPROF_OK;
    }
    mprof__export_process_title(title, sizeof title, out, run, process);
    mprof__protobuf_number(&state->inner, PROCESS_PID,
                           (uint64_t)mprof__pid_table_pid(&state->pids, process));
    mprof__protobuf_text(&state->inner, PROCESS_NAME, title);
    mprof__protobuf_number(&state->part, TRACK_UUID, uuid_of_process(state, process));
    mprof__protobuf_message(&state->part, TRACK_PROCESS, &state->inner);
    return write_track(out);
}

/* A counter of no process is at the top: its name says of what it is. */
static mprof_status describe_counter(mprof__export_out *out, const mprof__export_run *run,
                                     const mprof__export_value *value, uint64_t uuid)
{
    perfetto *state = out->state;
    char title[MPROF__EXPORT_TITLE_SIZE], name[MPROF__EXPORT_TITLE_SIZE + 64];
    const char *what = mprof__export_what_name(run, value->what);
    mprof_status status = describe_process(out, run, value->process);
    if (status != MPROF_OK) {
        return status;
    }
    mprof__export_process_title(title, sizeof title, out, run, MPROF__EXPORT_NO_PROCESS);
    snprintf(name, sizeof name, "%s of %s", what, title);
    mprof__protobuf_number(&state->inner, COUNTER_UNIT, COUNTER_UNIT_BYTES);
    mprof__protobuf_number(&state->part, TRACK_UUID, uuid);
    if (value->process == MPROF__EXPORT_NO_PROCESS) {
        mprof__protobuf_text(&state->part, TRACK_NAME, name);
    } else {
        mprof__protobuf_text(&state->part, TRACK_NAME, what);
        mprof__protobuf_number(&state->part, TRACK_PARENT, uuid_of_process(state, value->process));
    }
    mprof__protobuf_message(&state->part, TRACK_COUNTER, &state->inner);
    return write_track(out);
}

/* A lane is a thread; calls of it that do not nest go to tracks below that. */
static mprof_status describe_calls(mprof__export_out *out, const mprof__export_run *run,
                                   const mprof__export_call *call)
{
    perfetto *state = out->state;
    const mprof__export_lane *lane = &run->lanes[call->lane];
    int64_t pid = mprof__pid_table_pid(&state->pids, lane->process);
    const char *name = *lane->name ? lane->name : "main";
    mprof_status status = describe_process(out, run, lane->process);
    if (status != MPROF_OK) {
        return status;
    }
    state->lane = call->lane;
    state->track = call->track;
    state->track_uuid = state->base + state->described_count + state->call_tracks++;
    mprof__protobuf_number(&state->part, TRACK_UUID, state->track_uuid);
    if (call->track == 0) {
        int64_t tid = *lane->name ? mprof__pid_table_unused(&state->pids) : pid;
        state->lane_uuid = state->track_uuid;
        mprof__protobuf_number(&state->inner, THREAD_PID, (uint64_t)pid);
        mprof__protobuf_number(&state->inner, THREAD_TID, (uint64_t)tid);
        mprof__protobuf_text(&state->inner, THREAD_NAME, name);
        mprof__protobuf_number(&state->part, TRACK_PARENT, uuid_of_process(state, lane->process));
        mprof__protobuf_message(&state->part, TRACK_THREAD, &state->inner);
    } else {
        mprof__protobuf_text(&state->part, TRACK_NAME, name);
        mprof__protobuf_number(&state->part, TRACK_PARENT, state->lane_uuid);
    }
    return write_track(out);
}

/* ---- events ---- */

static mprof_status value(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_value *value)
{
    perfetto *state = out->state;
    size_t slot = counter_slot(run, value);
    uint64_t uuid = state->base + slot;
    if (set_bit(state->described, slot)) {
        mprof_status status = describe_counter(out, run, value, uuid);
        if (status != MPROF_OK) {
            return status;
        }
    }
    mprof__protobuf_number(&state->part, EVENT_TYPE, TYPE_COUNTER);
    mprof__protobuf_number(&state->part, EVENT_TRACK, uuid);
    mprof__protobuf_number(&state->part, EVENT_COUNTER, (uint64_t)mprof__export_bytes(value->mib));
    put_time(state, value->time_s);
    mprof__protobuf_message(&state->packet, PACKET_TRACK_EVENT, &state->part);
    return write_packet(out, 0);
}

static void annotate(perfetto *state, const char *name, unsigned kind, uint64_t value)
{
    mprof__protobuf_clear(&state->inner);
    mprof__protobuf_text(&state->inner, ANNOTATION_NAME, name);
    mprof__protobuf_number(&state->inner, kind, value);
    mprof__protobuf_message(&state->part, EVENT_ANNOTATION, &state->inner);
}

/* Adds the name of a function to the packet that uses it first. */
static mprof_status intern_name(mprof__export_out *out, const mprof__export_run *run,
                                uint32_t function)
{
    perfetto *state = out->state;
    if (function / 8 >= state->name_bytes) {
        size_t wanted = run->function_count / 8 + 1;
        unsigned char *names = realloc(state->names, wanted);
        if (!names) {
            return fail_memory(out);
        }
        memset(names + state->name_bytes, 0, wanted - state->name_bytes);
        state->names = names;
        state->name_bytes = wanted;
    }
    if (set_bit(state->names, function)) {
        mprof__protobuf_number(&state->leaf, NAME_ID, function + 1);
        mprof__protobuf_text(&state->leaf, NAME_TEXT, run->functions[function]);
        mprof__protobuf_message(&state->part, INTERNED_EVENT_NAMES, &state->leaf);
        mprof__protobuf_message(&state->packet, PACKET_INTERNED, &state->part);
        mprof__protobuf_clear(&state->part);
    }
    return MPROF_OK;
}

static mprof_status enter(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    perfetto *state = out->state;
    mprof_status status = MPROF_OK;
    if (call->lane != state->lane || call->track != state->track) {
        status = describe_calls(out, run, call);
    }
    if (status == MPROF_OK) {
        status = intern_name(out, run, call->function);
    }
    if (status != MPROF_OK) {
        return status;
    }
    mprof__protobuf_number(&state->part, EVENT_TYPE, TYPE_BEGIN);
    mprof__protobuf_number(&state->part, EVENT_NAME_ID, call->function + 1);
    mprof__protobuf_number(&state->part, EVENT_TRACK, state->track_uuid);
    annotate(state, "enter_bytes", ANNOTATION_INT, (uint64_t)mprof__export_bytes(call->enter.mib));
    annotate(state, "exit_bytes", ANNOTATION_INT, (uint64_t)mprof__export_bytes(call->exit.mib));
    if (call->count > 1) {
        annotate(state, "calls", ANNOTATION_UINT, call->count);
    }
    if (call->suspended_s > 0) {
        annotate(state, "suspended_us", ANNOTATION_UINT,
                 (uint64_t)llround(call->suspended_s * 1e6));
    }
    if (call->sampled_s > 0) {
        annotate(state, "sampled_us", ANNOTATION_UINT, (uint64_t)llround(call->sampled_s * 1e6));
    }
    if (call->open) {
        annotate(state, "never_returned", ANNOTATION_BOOL, 1);
    }
    put_time(state, call->enter.time_s);
    mprof__protobuf_message(&state->packet, PACKET_TRACK_EVENT, &state->part);
    return write_packet(out, SEQUENCE_NEEDED);
}

static mprof_status leave(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    perfetto *state = out->state;
    (void)run;
    mprof__protobuf_number(&state->part, EVENT_TYPE, TYPE_END);
    mprof__protobuf_number(&state->part, EVENT_TRACK, state->track_uuid);
    put_time(state, call->exit.time_s);
    mprof__protobuf_message(&state->packet, PACKET_TRACK_EVENT, &state->part);
    return write_packet(out, 0);
}

static void release(mprof__export_out *out)
{
    perfetto *state = out->state;
    if (state) {
        mprof__pid_table_free(&state->pids);
        mprof__protobuf_free(&state->packet);
        mprof__protobuf_free(&state->part);
        mprof__protobuf_free(&state->inner);
        mprof__protobuf_free(&state->leaf);
        free(state->described);
        free(state->names);
        free(state);
    }
}

const mprof__export_format mprof__export_perfetto = {
    .name = "perfetto",
    .extension = ".pftrace",
    .help = "a trace for https://ui.perfetto.dev: memory and calls on the clock of the calendar",
    .is_binary = true,
    .any_order = true,
    .is_on_calendar = true,
    .begin = begin,
    .begin_run = begin_run,
    .value = value,
    .enter = enter,
    .leave = leave,
    .release = release,
};
