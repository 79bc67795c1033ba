/* Only here are bytes turned into MiB, and monotonic times into wall-clock times. */
#include "event_log.h"

#include "textfile.h"

#include "parse/extremes.h"
#include "parse/redact.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

static mprof_text text_of(const char *bytes)
{
    mprof_text text = {bytes, strlen(bytes)};

    return text;
}

static mprof_sample sample_of(const mprof__event_log *log, int64_t bytes, int64_t time_ns)
{
    mprof_sample sample = {(double)bytes / MIB, mprof__clock_wall_s(&log->clock, time_ns)};

    return sample;
}

static mprof_record record_of(mprof_record_kind kind)
{
    mprof_record record;

    memset(&record, 0, sizeof record);
    record.kind = kind;
    return record;
}

/* The writer keeps its first error until the commit. */
static void append(mprof__event_log *log, const mprof_record *record)
{
    (void)mprof_writer_append(log->writer, record);
}

void mprof__event_log_init(mprof__event_log *log, mprof_writer *writer,
                           void (*notice)(void *data, const mprof_error *error), void *notice_data)
{
    memset(log, 0, sizeof *log);
    log->writer = writer;
    log->notice = notice;
    log->notice_data = notice_data;
    mprof__clock_init(&log->clock);
}

void mprof__event_log_notice(mprof__event_log *log, const mprof_error *error)
{
    if (log->notice) {
        log->notice(log->notice_data, error);
    }
}

void mprof__event_log_fact(mprof__event_log *log, const char *key, const char *value)
{
    mprof_record record = record_of(MPROF_RECORD_FACT);

    record.key = text_of(key);
    record.text = text_of(value);
    append(log, &record);
}

void mprof__event_log_number(mprof__event_log *log, const char *key, double value)
{
    char text[64];

    snprintf(text, sizeof text, "%.15g", value);
    mprof__event_log_fact(log, key, text);
}

void mprof__event_log_mem(mprof__event_log *log, int64_t bytes, int64_t time_ns)
{
    (void)mprof_writer_append_mem(log->writer, sample_of(log, bytes, time_ns));
}

void mprof__event_log_chld(mprof__event_log *log, int64_t pid, int64_t bytes, int64_t time_ns)
{
    (void)mprof_writer_append_chld(log->writer, pid, sample_of(log, bytes, time_ns));
}

void mprof__event_log_peak(mprof__event_log *log, int64_t pid, int64_t bytes, bool at_least,
                           int64_t time_ns)
{
    mprof_record record = record_of(MPROF_RECORD_PEAK);

    record.pid = pid;
    record.sample = sample_of(log, bytes, time_ns);
    record.at_least = at_least;
    append(log, &record);
}

void mprof__event_log_kinds(mprof__event_log *log, int64_t pid, const int64_t *bytes,
                            int64_t time_ns)
{
    mprof_record record = record_of(MPROF_RECORD_KINDS);

    record.pid = pid;
    record.sample = sample_of(log, 0, time_ns);
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        record.kinds_mib[kind] = bytes[kind] < 0 ? NAN : (double)bytes[kind] / MIB;
    }
    append(log, &record);
    if (log->textfile) {
        mprof__textfile_note_kinds(log->textfile, pid, bytes, time_ns);
    }
}

void mprof__event_log_group(mprof__event_log *log, int64_t bytes, int64_t limit_bytes,
                            const char *name, int64_t time_ns)
{
    mprof_record record = record_of(MPROF_RECORD_GROUP);

    record.sample = sample_of(log, bytes, time_ns);
    record.limit_mib = limit_bytes < 0 ? NAN : (double)limit_bytes / MIB;
    record.text = text_of(name);
    append(log, &record);
}

void mprof__event_log_process(mprof__event_log *log, const mprof__process *process, int64_t time_ns)
{
    mprof_record record = record_of(MPROF_RECORD_PROC);
    char name[MPROF__PROCESS_NAME_SIZE];

    if (log->redact) {
        mprof__redact_text(name, sizeof name, process->name);
    } else {
        memcpy(name, process->name, sizeof name);
    }
    record.pid = process->pid;
    record.ppid = process->ppid;
    record.sample = sample_of(log, 0, time_ns < process->born_ns ? process->born_ns : time_ns);
    record.text = text_of(name);
    append(log, &record);
}

void mprof__event_log_end(mprof__event_log *log, int64_t pid, const mprof__process_end *end)
{
    mprof_record record = record_of(MPROF_RECORD_EXIT);

    record.pid = pid;
    record.sample = sample_of(log, 0, end->time_ns);
    record.cause = end->cause;
    record.value = end->value;
    append(log, &record);
}

void mprof__event_log_func(mprof__event_log *log, const mprof__event_log_call *call)
{
    mprof_record record = record_of(MPROF_RECORD_FUNC);

    record.call.pid = call->pid;
    record.call.name = call->name;
    record.call.lane = call->lane;
    record.call.level = call->level;
    record.call.enter = sample_of(log, call->enter_bytes, call->enter_ns);
    record.call.exit = sample_of(log, call->exit_bytes, call->exit_ns);
    record.call.count = call->count;
    record.call.suspended_s = (double)call->suspended_ns / 1e9;
    record.call.sampled_s = (double)call->sampled_ns / 1e9;
    record.call.open = call->open;
    append(log, &record);
}

void mprof__event_log_frame(mprof__event_log *log, uint32_t node, uint32_t parent, const char *name,
                            const char *file, int32_t line)
{
    mprof_record record = record_of(MPROF_RECORD_FRAME);
    char shown[4096];

    record.frame.id = node;
    record.frame.parent = parent;
    record.frame.name = text_of(name);
    record.frame.file = text_of(file);
    record.frame.line = line > 0 ? line : 0;
    if (log->redact) {
        mprof__redact_text(shown, sizeof shown, file);
        record.frame.file = text_of(shown);
    }
    append(log, &record);
}

void mprof__event_log_stack(mprof__event_log *log, int64_t pid, const char *lane, int64_t from_ns,
                            int64_t to_ns, const mprof__stack_sum *sum)
{
    mprof_record record = record_of(MPROF_RECORD_STACK);

    record.pid = pid;
    record.sample = sample_of(log, 0, to_ns);
    record.stack = (mprof_stack_samples){
        .frame = sum->node,
        .from_s = mprof__clock_wall_s(&log->clock, from_ns < to_ns ? from_ns : to_ns),
        .lane = text_of(lane),
        .samples = sum->samples,
        .seconds = (double)sum->lasted_ns / 1e9,
        .grown_mib = (double)sum->grown_bytes / MIB,
        .released_mib = (double)sum->released_bytes / MIB,
        .peak_mib = (double)sum->peak_bytes / MIB,
        .grown_rms_mib = mprof__square_root(sum->grown_squares) / MIB,
        .seen_mib = sum->seen_bytes / MIB,
        .seen_rms_mib = mprof__square_root(sum->seen_squares) / MIB,
        .doubtful_mib = (double)sum->doubtful_bytes / MIB,
        .shared_mib = (double)sum->shared_bytes / MIB,
    };
    append(log, &record);
}

void mprof__event_log_lost(mprof__event_log *log, int64_t pid, uint64_t count, int64_t time_ns)
{
    mprof_record record = record_of(MPROF_RECORD_LOST);

    record.pid = pid;
    record.sample = sample_of(log, 0, time_ns);
    record.value = count > INT64_MAX ? INT64_MAX : (int64_t)count;
    append(log, &record);
}

static void report_failure(mprof__event_log *log)
{
    mprof_error error = MPROF_ERROR_INIT;

    log->failed = true;
    (void)mprof_writer_commit(log->writer, &error); /* commits nothing, but returns the error */
    mprof__event_log_notice(log, &error);
}

void mprof__event_log_commit(mprof__event_log *log)
{
    if (mprof_writer_commit(log->writer, NULL) != MPROF_OK && !log->failed) {
        report_failure(log);
    }
}

void mprof__event_log_finish(mprof__event_log *log)
{
    if (mprof_writer_finish(log->writer, NULL) != MPROF_OK && !log->failed) {
        report_failure(log);
    }
}
