/* --to csv: one row for each value (RFC 4180), in bytes, by time. */
#include "export.h"

#include "parse/plain_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME_MAX_S 253402300800.0 /* the year 10000 */

/* The fields of a process, ready to be written. */
typedef struct process_fields {
    char *name, *rest; /* owned; NULL until they are needed */
} process_fields;

typedef struct csv {
    process_fields *processes; /* of the run, and one more: no process */
    size_t count;
    int64_t second; /* which `day` shows */
    char day[40];
} csv;

static mprof_status fail_memory(const mprof__export_out *out)
{
    return mprof_error_set(out->error, MPROF_ENOMEM, "out of memory");
}

/* Quoted where the syntax asks for it. */
static void write_field(FILE *stream, const char *text)
{
    size_t left = strlen(text), size;
    bool is_quoted = strpbrk(text, "\",\r\n") != NULL;
    if (is_quoted) {
        putc('"', stream);
    }
    for (; left > 0; text += size, left -= size) {
        uint32_t code = mprof__text_decode(text, left, &size);
        if (code == '"') {
            fputs("\"\"", stream);
        } else if (mprof__text_is_unsafe(code) && code != '\n' && code != '\t') {
            fputs("\xef\xbf\xbd", stream);
        } else {
            fwrite(text, 1, size, stream);
        }
    }
    if (is_quoted) {
        putc('"', stream);
    }
}

static void free_fields(csv *state)
{
    for (size_t i = 0; i < state->count; i++) {
        free(state->processes[i].name);
        free(state->processes[i].rest);
    }
    free(state->processes);
    state->processes = NULL;
    state->count = 0;
}

static mprof_status begin(mprof__export_out *out)
{
    out->state = calloc(1, sizeof(csv));
    fputs("time,process,kind,value,pid,host,rank,run,recording\r\n", out->stream);
    return out->state ? MPROF_OK : fail_memory(out);
}

static mprof_status begin_run(mprof__export_out *out, const mprof__export_run *run)
{
    csv *state = out->state;
    free_fields(state);
    state->second = INT64_MIN;
    state->processes = calloc(run->process_count + 1, sizeof *state->processes);
    state->count = state->processes ? run->process_count + 1 : 0;
    return state->processes ? MPROF_OK : fail_memory(out);
}

/* NULL without memory. */
static char *make_name(const char *name)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) {
        return NULL;
    }
    write_field(stream, name);
    return fclose(stream) == 0 ? text : NULL;
}

static char *make_rest(const mprof__export_run *run, const mprof__export_process *process)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) {
        return NULL;
    }
    putc(',', stream);
    if (process && process->pid != MPROF_PID_NONE) {
        fprintf(stream, "%" PRId64, process->pid);
    }
    putc(',', stream);
    write_field(stream, process ? process->host : run->host);
    putc(',', stream);
    write_field(stream, process ? process->rank : "");
    fprintf(stream, ",%zu,", run->number);
    write_field(stream, run->file);
    fputs("\r\n", stream);
    return fclose(stream) == 0 ? text : NULL;
}

static const process_fields *fields_of(csv *state, const mprof__export_run *run, uint32_t index)
{
    bool is_process = index != MPROF__EXPORT_NO_PROCESS;
    process_fields *fields = &state->processes[is_process ? index : run->process_count];
    if (!fields->name) {
        const mprof__export_process *process = is_process ? &run->processes[index] : NULL;
        fields->name = make_name(process ? process->name : "");
        fields->rest = make_rest(run, process);
    }
    return fields->name && fields->rest ? fields : NULL;
}

/* "2026-11-28T18:45:30.592409Z", or seconds: off the calendar. */
static void write_time(csv *state, mprof__export_out *out, const mprof__export_run *run,
                       double time_s)
{
    int64_t micros = llround(time_s * 1e6), second = micros / 1000000;
    if (out->options->unix_time || !run->is_on_calendar || time_s >= TIME_MAX_S) {
        fprintf(out->stream, "%" PRId64 ".%06d", second, (int)(micros % 1000000));
        return;
    }
    if (second != state->second) {
        struct tm parts;
        time_t moment = (time_t)second;
        gmtime_r(&moment, &parts);
        strftime(state->day, sizeof state->day, "%Y-%m-%dT%H:%M:%S", &parts);
        state->second = second;
    }
    fprintf(out->stream, "%s.%06dZ", state->day, (int)(micros % 1000000));
}

static mprof_status value(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_value *value)
{
    csv *state = out->state;
    const process_fields *fields = fields_of(state, run, value->process);
    bool is_of_all =
        value->process == MPROF__EXPORT_NO_PROCESS && !mprof__export_is_of_group(value->what);
    if (!fields) {
        return fail_memory(out);
    }
    write_time(state, out, run, value->time_s);
    putc(',', out->stream);
    fputs(is_of_all ? "all processes" : fields->name, out->stream);
    fprintf(out->stream, ",%s,%" PRId64, mprof__export_what_name(run, value->what),
            mprof__export_bytes(value->mib));
    fputs(fields->rest, out->stream);
    return MPROF_OK;
}

static void release(mprof__export_out *out)
{
    if (out->state) {
        free_fields(out->state);
        free(out->state);
    }
}

const mprof__export_format mprof__export_csv = {
    .name = "csv",
    .extension = ".csv",
    .help = "a row for each sample: time, process, kind, value in bytes",
    .is_on_calendar = true,
    .has_time_forms = true,
    .begin = begin,
    .begin_run = begin_run,
    .value = value,
    .release = release,
};
