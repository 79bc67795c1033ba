/* --to json: all samples and calls, under the names that reports use. What is said of a recording
 * is made by jansson; rows, of which there may be millions, are written as they come. */
#include "export.h"

#include "parse/formats/json.h"
#include "parse/redact.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 32768 }; /* a longer fact is cut */

typedef struct samples_json {
    enum { BEFORE_RUN, IN_SAMPLES, IN_CALLS } part; /* of the run */
    bool has_run, has_row;
    json_t *unreadable; /* owned */
} samples_json;

static mprof_status fail_memory(const mprof__export_out *out)
{
    return mprof_error_set(out->error, MPROF_ENOMEM, "out of memory");
}

static int write_bytes(const char *bytes, size_t size, void *stream)
{
    (void)fwrite(bytes, 1, size, stream);
    return 0;
}

/* Writes "name": value, and takes the value. */
static mprof_status put(mprof__export_out *out, const char *before, const char *name, json_t *value)
{
    fprintf(out->stream, "%s\"%s\": ", before, name);
    int status = value
                     ? json_dump_callback(value, write_bytes, out->stream,
                                          JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(16))
                     : -1;
    json_decref(value);
    return status == 0 ? MPROF_OK : fail_memory(out);
}

static mprof_status begin(mprof__export_out *out)
{
    samples_json *state = calloc(1, sizeof *state);
    out->state = state;
    if (!state || !(state->unreadable = json_array())) {
        return fail_memory(out);
    }
    fprintf(out->stream,
            "{\"format\": \"mprof-export\", \"version\": %d, \"mprof\": \"%s\", \"recordings\": [",
            MPROF__JSON_VERSION, MPROF_VERSION);
    return MPROF_OK;
}

static mprof_status begin_run(mprof__export_out *out, const mprof__export_run *run)
{
    samples_json *state = out->state;
    (void)run;
    state->part = BEFORE_RUN;
    return MPROF_OK;
}

/* ---- what is known of a run ---- */

static json_t *seconds_from_start(const mprof__export_run *run, double time_s)
{
    return mprof__json_number(time_s - run->from_s);
}

static json_t *process_item(const mprof__export_run *run, size_t index)
{
    size_t count;
    const mprof_process *process = &mprof_profile_processes(run->profile, &count)[index];
    const mprof__export_process *own = &run->processes[index];
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "name", mprof__json_text(own->name),
        "pid", own->pid == MPROF_PID_NONE ? json_null() : json_integer((json_int_t)own->pid),
        "host", *own->host ? mprof__json_text(own->host) : json_null(), "rank",
        *own->rank ? mprof__json_text(own->rank) : json_null(), "ppid",
        process->ppid == MPROF_PID_NONE ? json_null() : json_integer((json_int_t)process->ppid),
        "kernel_peak_bytes", mprof__json_bytes(process->kernel_peak_mib),
        "kernel_peak_is_lower_bound", process->kernel_peak_at_least, "started_s",
        seconds_from_start(run, process->birth_s), "duration_s",
        mprof__json_number(process->end_s - process->birth_s), "end",
        process->ended ? mprof__json_end(process->cause, process->exit_value) : json_null());
}

static json_t *process_items(const mprof__export_run *run)
{
    json_t *items = json_array();
    for (size_t i = 0; i < run->process_count; i++) {
        mprof__json_append(&items, process_item(run, i));
    }
    return items;
}

/* The first of each key, without secrets. */
static json_t *facts_of(const mprof__export_run *run)
{
    size_t count;
    const mprof_fact *facts = mprof_profile_facts(run->profile, &count);
    json_t *object = json_object();
    char *text = malloc(TEXT_SIZE);
    bool is_good = object && text;
    for (size_t i = 0; i < count && is_good; i++) {
        json_t *key = mprof__json_text(facts[i].key);
        if (key && !json_object_get(object, json_string_value(key))) {
            mprof__redact_fact(text, TEXT_SIZE, facts[i].key, facts[i].value);
            is_good =
                json_object_set_new(object, json_string_value(key), mprof__json_text(text)) == 0;
        }
        is_good = is_good && key;
        json_decref(key);
    }
    free(text);
    if (!is_good) {
        json_decref(object);
    }
    return is_good ? object : NULL;
}

/* Of the whole recording; null for a part of it. */
static json_t *peak_of(const mprof__export_out *out, const mprof__export_run *run)
{
    mprof_sample peak = mprof_profile_peak(run->profile);
    if (out->options->window) {
        return json_null();
    }
    return json_pack("{s:o, s:o}", "bytes", mprof__json_bytes(peak.mib), "at_s",
                     seconds_from_start(run, peak.time_s));
}

static mprof_status begin_rows(mprof__export_out *out, const char *name, const char *columns)
{
    samples_json *state = out->state;
    fprintf(out->stream, ",\n \"%s\": {\"columns\": [%s], \"rows\": [", name, columns);
    state->has_row = false;
    return MPROF_OK;
}

/* The first value, or the end: now it is known when the run began. */
static mprof_status write_run(mprof__export_out *out, const mprof__export_run *run)
{
    samples_json *state = out->state;
    const char *next = ",\n ", *host = mprof_profile_fact(run->profile, "host");
    mprof_status status =
        put(out, state->has_run ? ",\n{" : "\n{", "file", mprof__json_text(run->file));
    const struct {
        const char *name;
        json_t *value;
    } members[] = {
        {"run", json_integer((json_int_t)run->number)},
        {"run_count", json_integer((json_int_t)run->count)},
        {"host", mprof__json_text(host)},
        {"command_line", mprof__json_text(run->command_line)},
        {"started_s", run->is_on_calendar ? mprof__json_number(run->from_s) : json_null()},
        {"duration_s", mprof__json_number(run->to_s - run->from_s)},
        {"kind", mprof__json_text(mprof__export_what_name(run, MPROF__EXPORT_TOTAL))},
        {"of_all_processes", json_boolean(run->mem_is_total)},
        {"peak", peak_of(out, run)},
        {"processes", process_items(run)},
        {"facts", facts_of(run)},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (status == MPROF_OK) {
            status = put(out, next, members[i].name, members[i].value);
        } else {
            json_decref(members[i].value);
        }
    }
    state->has_run = true;
    state->part = IN_SAMPLES;
    return status == MPROF_OK
               ? begin_rows(out, "samples", "\"at_s\", \"process\", \"kind\", \"bytes\"")
               : status;
}

/* ---- rows ---- */

static void begin_row(mprof__export_out *out)
{
    samples_json *state = out->state;
    fputs(state->has_row ? ",\n  [" : "\n  [", out->stream);
    state->has_row = true;
}

static mprof_status value(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_value *value)
{
    const samples_json *state = out->state;
    mprof_status status = state->part == BEFORE_RUN ? write_run(out, run) : MPROF_OK;
    if (status != MPROF_OK) {
        return status;
    }
    begin_row(out);
    fprintf(out->stream, "%.6f,", fmax(0, value->time_s - run->from_s));
    if (value->process == MPROF__EXPORT_NO_PROCESS) {
        fputs("null", out->stream);
    } else {
        fprintf(out->stream, "%" PRIu32, value->process);
    }
    fprintf(out->stream, ",\"%s\",%" PRId64 "]", mprof__export_what_name(run, value->what),
            mprof__export_bytes(value->mib));
    return MPROF_OK;
}

/* Ends the samples of a run; there may be none in the window. */
static mprof_status begin_calls(mprof__export_out *out, const mprof__export_run *run)
{
    samples_json *state = out->state;
    mprof_status status = state->part == BEFORE_RUN ? write_run(out, run) : MPROF_OK;
    if (status != MPROF_OK || state->part == IN_CALLS) {
        return status;
    }
    state->part = IN_CALLS;
    fputs("]}", out->stream);
    return begin_rows(out, "calls",
                      "\"name\", \"process\", \"lane\", \"started_s\", \"duration_s\", "
                      "\"enter_bytes\", \"exit_bytes\", \"level\", \"calls\", \"is_open\", "
                      "\"suspended_s\", \"sampled_s\"");
}

static mprof_status enter(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    const mprof__export_lane *lane = &run->lanes[call->lane];
    mprof_status status = begin_calls(out, run);
    if (status != MPROF_OK) {
        return status;
    }
    begin_row(out);
    mprof__export_json_text(out->stream, run->functions[call->function]);
    fprintf(out->stream, ",%" PRIu32 ",", lane->process);
    mprof__export_json_text(out->stream, lane->name);
    fprintf(out->stream, ",%.6f,%.6f,%" PRId64 ",%" PRId64 ",",
            fmax(0, call->enter.time_s - run->from_s), call->exit.time_s - call->enter.time_s,
            mprof__export_bytes(call->enter.mib), mprof__export_bytes(call->exit.mib));
    if (call->level == MPROF_LEVEL_NONE) {
        fputs("null", out->stream);
    } else {
        fprintf(out->stream, "%" PRId32, call->level);
    }
    fprintf(out->stream, ",%" PRIu64 ",%s,%.6f,%.6f]", call->count > 1 ? call->count : 1,
            call->open ? "true" : "false", call->suspended_s, call->sampled_s);
    return MPROF_OK;
}

static mprof_status end_run(mprof__export_out *out, const mprof__export_run *run)
{
    char text[512];
    const mprof_warnings *warnings = mprof_profile_warnings(run->profile);
    mprof_status status = begin_calls(out, run);
    json_t *list = json_array();
    if (list && mprof_warnings_format(warnings, text, sizeof text)) {
        mprof__json_append(&list, mprof__json_text(text));
    }
    if (status == MPROF_OK) {
        fputs("]}", out->stream);
        status = put(out, ",\n ", "warnings", list);
        fputs("}", out->stream);
        return status;
    }
    json_decref(list);
    return status;
}

static mprof_status unreadable(mprof__export_out *out, const char *file, const char *reason)
{
    samples_json *state = out->state;
    mprof__json_append(&state->unreadable, json_pack("{s:o, s:o}", "file", mprof__json_text(file),
                                                     "reason", mprof__json_text(reason)));
    return state->unreadable ? MPROF_OK : fail_memory(out);
}

static mprof_status end(mprof__export_out *out)
{
    samples_json *state = out->state;
    json_t *unreadable = state->unreadable;
    state->unreadable = NULL;
    mprof_status status = put(out, "\n], ", "unreadable", unreadable);
    fputs("}\n", out->stream);
    return status;
}

static void release(mprof__export_out *out)
{
    samples_json *state = out->state;
    if (state) {
        json_decref(state->unreadable);
        free(state);
    }
}

const mprof__export_format mprof__export_json = {
    .name = "json",
    .extension = ".json",
    .help = "all samples and calls, with the words of reports",
    .begin = begin,
    .begin_run = begin_run,
    .value = value,
    .enter = enter,
    .end_run = end_run,
    .unreadable = unreadable,
    .end = end,
    .release = release,
};
