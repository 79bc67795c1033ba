/* --to chrome: the trace event format of chrome://tracing, which Perfetto, speedscope and others
 * read, too. Times are whole microseconds of the calendar. */
#include "export.h"

#include "pid_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

typedef struct chrome {
    mprof__pid_table pids;
    bool *is_named;       /* processes of the run */
    uint32_t lane, track; /* which the last call was in */
    int64_t tid;
    bool has_event;
} chrome;

static mprof_status fail_memory(const mprof__export_out *out)
{
    return mprof_error_set(out->error, MPROF_ENOMEM, "out of memory");
}

static int64_t micros(double time_s)
{
    return llround(time_s * 1e6);
}

/* Begins an event: {"ph":"X", */
static void begin_event(mprof__export_out *out, const char *phase)
{
    chrome *state = out->state;
    fprintf(out->stream, "%s{\"ph\":\"%s\",", state->has_event ? ",\n" : "", phase);
    state->has_event = true;
}

static void write_metadata(mprof__export_out *out, const char *what, int64_t pid, int64_t tid,
                           const char *name)
{
    begin_event(out, "M");
    fprintf(out->stream,
            "\"name\":\"%s\",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"args\":{\"name\":", what,
            pid, tid);
    mprof__export_json_text(out->stream, name);
    fputs("}}", out->stream);
}

static mprof_status begin(mprof__export_out *out)
{
    out->state = calloc(1, sizeof(chrome));
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", out->stream);
    return out->state ? MPROF_OK : fail_memory(out);
}

static mprof_status begin_run(mprof__export_out *out, const mprof__export_run *run)
{
    chrome *state = out->state;
    free(state->is_named);
    state->is_named = calloc(run->process_count + 1, sizeof *state->is_named);
    state->lane = UINT32_MAX;
    return state->is_named && mprof__pid_table_begin_run(&state->pids, run) == 0 ? MPROF_OK
                                                                                 : fail_memory(out);
}

/* The pid of a process, which is named at its first event. Values of no process have one of their
 * own. */
static int64_t name_process(mprof__export_out *out, const mprof__export_run *run, uint32_t process)
{
    chrome *state = out->state;
    char title[MPROF__EXPORT_TITLE_SIZE];
    bool is_process = process != MPROF__EXPORT_NO_PROCESS;
    size_t index = is_process ? process : run->process_count;
    int64_t pid = mprof__pid_table_pid(&state->pids, index);
    if (!state->is_named[index]) {
        state->is_named[index] = true;
        mprof__export_process_title(title, sizeof title, out, run, process);
        write_metadata(out, "process_name", pid, pid, title);
    }
    return pid;
}

static mprof_status value(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_value *value)
{
    int64_t pid = name_process(out, run, value->process);
    begin_event(out, "C");
    fprintf(out->stream,
            "\"name\":\"%s\",\"pid\":%" PRId64 ",\"ts\":%" PRId64 ",\"args\":{\"bytes\":%" PRId64
            "}}",
            mprof__export_what_name(run, value->what), pid, micros(value->time_s),
            mprof__export_bytes(value->mib));
    return MPROF_OK;
}

static mprof_status enter(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    chrome *state = out->state;
    const mprof__export_lane *lane = &run->lanes[call->lane];
    int64_t pid = name_process(out, run, lane->process);
    if (call->lane != state->lane || call->track != state->track) {
        bool is_main = !*lane->name && call->track == 0;
        state->lane = call->lane;
        state->track = call->track;
        state->tid = is_main ? pid : mprof__pid_table_unused(&state->pids);
        write_metadata(out, "thread_name", pid, state->tid, *lane->name ? lane->name : "main");
    }
    begin_event(out, "X");
    fputs("\"name\":", out->stream);
    mprof__export_json_text(out->stream, run->functions[call->function]);
    int64_t start = micros(call->enter.time_s);
    fprintf(out->stream,
            ",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"ts\":%" PRId64 ",\"dur\":%" PRId64
            ",\"args\":{\"enter_bytes\":%" PRId64 ",\"exit_bytes\":%" PRId64,
            pid, state->tid, start, micros(call->exit.time_s) - start,
            mprof__export_bytes(call->enter.mib), mprof__export_bytes(call->exit.mib));
    if (call->count > 1) {
        fprintf(out->stream, ",\"calls\":%" PRIu64, call->count);
    }
    if (call->suspended_s > 0) {
        fprintf(out->stream, ",\"suspended_s\":%.6f", call->suspended_s);
    }
    if (call->sampled_s > 0) {
        fprintf(out->stream, ",\"sampled_s\":%.6f", call->sampled_s);
    }
    fputs(call->open ? ",\"never_returned\":true}}" : "}}", out->stream);
    return MPROF_OK;
}

static mprof_status end(mprof__export_out *out)
{
    fputs("\n]}\n", out->stream);
    return MPROF_OK;
}

static void release(mprof__export_out *out)
{
    chrome *state = out->state;
    if (state) {
        mprof__pid_table_free(&state->pids);
        free(state->is_named);
        free(state);
    }
}

const mprof__export_format mprof__export_chrome = {
    .name = "chrome",
    .extension = ".trace.json",
    .help = "trace event JSON for chrome://tracing and other viewers",
    .any_order = true,
    .begin = begin,
    .begin_run = begin_run,
    .value = value,
    .enter = enter,
    .end = end,
    .release = release,
};
