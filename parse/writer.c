/* Formats records into lines of a .dat file; each commit hands them to one write(2). */
#include "writer_parts.h"

#include "buffer.h"
#include "encoder.h"
#include "escape.h"
#include "number.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct mprof_writer {
    int fd; /* borrowed */
    int time_decimals;
    bool awaits_sample; /* for the first sample; other lines gather in `held` */
    int64_t main_pid;   /* calls of this process carry no pid; MPROF_PID_NONE: all do */
    mprof__buffer lines;
    mprof__buffer held;
    mprof__encoder *encoder; /* owned; NULL: plain text */
    mprof__buffer packed;    /* not written yet */
    double interval_s;       /* between commits; 0: nothing is flushed before the end */
    double flushed_s;        /* when; -INFINITY: never */
    bool is_finished;
    uint64_t committed;
    mprof_error failure; /* the first one; sticky */
};

enum {
    MEMORY_DECIMALS = 6,
    SAMPLE_TIME_DECIMALS = 4,
    EVENT_TIME_DECIMALS = 6,
    SHORT_LINE = 4 * MPROF__NUMBER_SIZE /* a record word and up to three numbers */
};

/* What would end a field of our records, for us or another reader. */
#define OUR_FIELD (MPROF__ESCAPE_SPACE | MPROF__ESCAPE_BACKSLASH | MPROF__ESCAPE_BAR)

mprof_status mprof_writer_open(mprof_writer **out, int fd, const char *name, mprof_error *error)
{
    mprof_writer *writer = calloc(1, sizeof *writer);
    *out = writer;
    if (!writer) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    writer->fd = fd;
    writer->main_pid = MPROF_PID_NONE;
    writer->time_decimals = SAMPLE_TIME_DECIMALS;
    mprof_error_at(&writer->failure, name, 0);
    return MPROF_OK;
}

void mprof_writer_free(mprof_writer *writer)
{
    if (writer) {
        mprof__buffer_free(&writer->lines);
        mprof__buffer_free(&writer->held);
        mprof__buffer_free(&writer->packed);
        mprof__encoder_free(writer->encoder);
        free(writer);
    }
}

void mprof_writer_set_time_decimals(mprof_writer *writer, int decimals)
{
    assert(decimals >= 0 && decimals <= 9);
    writer->time_decimals = decimals;
}

void mprof_writer_set_main_pid(mprof_writer *writer, int64_t pid)
{
    writer->main_pid = pid;
}

void mprof_writer_begin_with_sample(mprof_writer *writer)
{
    writer->awaits_sample = true;
}

static mprof_status fail_without_memory(mprof_writer *writer)
{
    return mprof_error_set(&writer->failure, MPROF_ENOMEM, "out of memory");
}

static int append_word(mprof__buffer *out, const char *word)
{
    return mprof__buffer_append(out, word, strlen(word));
}

static int append_integer(mprof__buffer *out, int64_t value)
{
    char text[24];
    return mprof__buffer_append(out, text, mprof__integer_write(text, value));
}

/* NAN and infinity cannot be read back: they become 0. */
static int append_number(mprof__buffer *out, double value, int decimals)
{
    char text[MPROF__NUMBER_SIZE];
    size_t length = mprof__number_write(text, value, decimals);
    return length ? mprof__buffer_append(out, text, length) : append_word(out, "0");
}

/* For the hot paths: writes into reserved room. */
static char *put_sample(char *to, mprof_sample sample, int time_decimals)
{
    *to++ = ' ';
    to += mprof__number_write(to, isfinite(sample.mib) ? sample.mib : 0, MEMORY_DECIMALS);
    *to++ = ' ';
    to += mprof__number_write(to, isfinite(sample.time_s) ? sample.time_s : 0, time_decimals);
    return to;
}

/* "word[ pid]" MiB time */
static mprof_status append_sample(mprof_writer *writer, const char *word, const int64_t *pid,
                                  mprof_sample sample)
{
    mprof__buffer *out = &writer->lines;
    if (writer->failure.status != MPROF_OK) {
        return writer->failure.status;
    }
    if (mprof__buffer_reserve(out, SHORT_LINE) != 0) {
        return fail_without_memory(writer);
    }
    char *start = out->bytes + out->length;
    char *to = start;
    size_t length = strlen(word);
    memcpy(to, word, length);
    to += length;
    if (pid) {
        *to++ = ' ';
        to += mprof__integer_write(to, *pid);
    }
    to = put_sample(to, sample, writer->time_decimals);
    *to++ = '\n';
    out->length += (size_t)(to - start);
    return MPROF_OK;
}

mprof_status mprof_writer_release(mprof_writer *writer)
{
    writer->awaits_sample = false;
    if (writer->held.length > 0 && writer->failure.status == MPROF_OK &&
        mprof__buffer_append(&writer->lines, writer->held.bytes, writer->held.length) != 0) {
        return fail_without_memory(writer);
    }
    mprof__buffer_free(&writer->held);
    writer->held = (mprof__buffer){NULL, 0, 0};
    return writer->failure.status;
}

mprof_status mprof_writer_append_mem(mprof_writer *writer, mprof_sample sample)
{
    mprof_status status = append_sample(writer, "MEM", NULL, sample);
    return status == MPROF_OK && writer->awaits_sample ? mprof_writer_release(writer) : status;
}

mprof_status mprof_writer_append_chld(mprof_writer *writer, int64_t pid, mprof_sample sample)
{
    mprof_status status = writer->awaits_sample ? mprof_writer_release(writer) : MPROF_OK;
    return status == MPROF_OK ? append_sample(writer, "CHLD", &pid, sample) : status;
}

static int append_call_samples(mprof__buffer *out, const mprof_call *call)
{
    if (mprof__buffer_reserve(out, 2 * SHORT_LINE) != 0) {
        return -1;
    }
    char *start = out->bytes + out->length;
    char *to = put_sample(start, call->enter, EVENT_TIME_DECIMALS);
    to = put_sample(to, call->exit, EVENT_TIME_DECIMALS);
    out->length += (size_t)(to - start);
    return 0;
}

/* Suspensions shorter than the last digit are dropped. */
static bool is_suspended(const mprof_call *call)
{
    return call->suspended_s >= 1e-6;
}

static bool is_sampled(const mprof_call *call)
{
    return call->sampled_s >= 1e-6;
}

/* Our fields follow the level, where upstream does not look. The reader takes a name for escaped if
 * there is one of them; so an escaped name without one gets `count=1`. */
static int append_call_fields(mprof__buffer *out, const mprof_call *call, int64_t pid, bool escaped)
{
    bool ours = false;
    if (pid != MPROF_PID_NONE) {
        ours = true;
        if (append_word(out, " pid=") || append_integer(out, pid)) {
            return -1;
        }
    }
    if (call->lane.length > 0) {
        ours = true;
        if (append_word(out, " lane=") ||
            mprof__escape_append(out, call->lane, MPROF__ESCAPE_SPACE | MPROF__ESCAPE_BACKSLASH)) {
            return -1;
        }
    }
    if (call->open) {
        ours = true;
        if (append_word(out, " open")) {
            return -1;
        }
    }
    if (is_suspended(call)) {
        ours = true;
        if (append_word(out, " suspended=") ||
            append_number(out, call->suspended_s, EVENT_TIME_DECIMALS)) {
            return -1;
        }
    }
    if (is_sampled(call)) {
        ours = true;
        if (append_word(out, " sampled=") ||
            append_number(out, call->sampled_s, EVENT_TIME_DECIMALS)) {
            return -1;
        }
    }
    if (call->count > 1 || (escaped && !ours)) {
        if (append_word(out, " count=") ||
            append_integer(out, call->count > 1 ? (int64_t)call->count : 1)) {
            return -1;
        }
    }
    return 0;
}

static int append_call(mprof__buffer *out, const mprof_call *call, int64_t main_pid)
{
    int64_t pid = call->pid == main_pid || call->pid <= 0 ? MPROF_PID_NONE : call->pid;
    /* An empty name would shift every field. */
    mprof_text name = call->name.length > 0 ? call->name : (mprof_text){"?", 1};
    bool ours = pid != MPROF_PID_NONE || call->lane.length > 0 || call->open || call->count > 1 ||
                is_suspended(call) || is_sampled(call);
    bool escaped = ours || mprof__escape_needed(name, MPROF__ESCAPE_SPACE);
    int status = append_word(out, "FUNC ");
    if (escaped) {
        status = status ||
                 mprof__escape_append(out, name, MPROF__ESCAPE_SPACE | MPROF__ESCAPE_BACKSLASH);
    } else {
        status = status || mprof__buffer_append(out, name.bytes, name.length);
    }
    status = status || append_call_samples(out, call);
    if (!status && (escaped || call->level != MPROF_LEVEL_NONE)) {
        status = append_word(out, " ") || append_integer(out, call->level > 0 ? call->level : 0);
    }
    return status || (escaped && append_call_fields(out, call, pid, escaped)) ||
           mprof__buffer_append(out, "\n", 1);
}

/* ---- ours: "#WORD|field|field nan nan" ---- */

/* Other readers see a comment, or a word and two missing numbers. */
static int append_end(mprof__buffer *out)
{
    return append_word(out, " nan nan\n");
}

static int append_bar(mprof__buffer *out)
{
    return mprof__buffer_append(out, "|", 1);
}

static int append_time(mprof__buffer *out, double time_s)
{
    return append_number(out, time_s, EVENT_TIME_DECIMALS);
}

/* A field that may be empty. */
static int append_field(mprof__buffer *out, mprof_text text)
{
    return text.length == 0 ? append_word(out, "\\e") : mprof__escape_append(out, text, OUR_FIELD);
}

static int append_fact(mprof__buffer *out, const mprof_record *record)
{
    return append_word(out, "#FACT|") || mprof__escape_append(out, record->key, OUR_FIELD) ||
           append_bar(out) || mprof__escape_append(out, record->text, OUR_FIELD) || append_end(out);
}

static int append_process(mprof__buffer *out, const mprof_record *record)
{
    return append_word(out, "#PROC|") || append_integer(out, record->pid) || append_bar(out) ||
           append_integer(out, record->ppid) || append_bar(out) ||
           append_time(out, record->sample.time_s) || append_bar(out) ||
           mprof__escape_append(out, record->text, OUR_FIELD) || append_end(out);
}

static int append_exit(mprof__buffer *out, const mprof_record *record)
{
    static const char *const causes[] = {
        [MPROF_EXIT_UNKNOWN] = "|unknown",
        [MPROF_EXIT_STATUS] = "|status|",
        [MPROF_EXIT_SIGNAL] = "|signal|",
        [MPROF_EXIT_OOM] = "|oom|",
    };
    assert((unsigned)record->cause <= MPROF_EXIT_OOM);
    return append_word(out, "#EXIT|") || append_integer(out, record->pid) || append_bar(out) ||
           append_time(out, record->sample.time_s) || append_word(out, causes[record->cause]) ||
           (record->cause != MPROF_EXIT_UNKNOWN && append_integer(out, record->value)) ||
           append_end(out);
}

static int append_peak(mprof__buffer *out, const mprof_record *record)
{
    int64_t pid = record->pid == MPROF_PID_NONE ? 0 : record->pid;
    return append_word(out, "#PEAK|") || append_integer(out, pid) || append_bar(out) ||
           append_number(out, record->sample.mib, MEMORY_DECIMALS) || append_bar(out) ||
           append_time(out, record->sample.time_s) ||
           (record->at_least && append_word(out, "|least")) || append_end(out);
}

static int append_lost(mprof__buffer *out, const mprof_record *record)
{
    return append_word(out, "#LOST|") || append_integer(out, record->pid) || append_bar(out) ||
           append_time(out, record->sample.time_s) || append_bar(out) ||
           append_integer(out, record->value) || append_end(out);
}

static int append_kinds(mprof__buffer *out, const mprof_record *record)
{
    int status = append_word(out, "#KINDS|") || append_integer(out, record->pid) ||
                 append_bar(out) || append_time(out, record->sample.time_s);
    for (int kind = 0; kind < MPROF_KIND_COUNT && !status; kind++) {
        if (!isnan(record->kinds_mib[kind])) {
            status = append_bar(out) || append_word(out, mprof_kind_name((mprof_kind)kind)) ||
                     append_word(out, "=") ||
                     append_number(out, record->kinds_mib[kind], MEMORY_DECIMALS);
        }
    }
    return status || append_end(out);
}

static int append_group(mprof__buffer *out, const mprof_record *record)
{
    return append_word(out, "#GROUP|") || append_number(out, record->sample.mib, MEMORY_DECIMALS) ||
           append_bar(out) || append_time(out, record->sample.time_s) || append_bar(out) ||
           (isnan(record->limit_mib) ? append_word(out, "max")
                                     : append_number(out, record->limit_mib, MEMORY_DECIMALS)) ||
           (record->text.length > 0 && append_bar(out)) ||
           mprof__escape_append(out, record->text, OUR_FIELD) || append_end(out);
}

static int append_frame(mprof__buffer *out, const mprof_stack_frame *frame)
{
    return append_word(out, "#FRAME|") || append_integer(out, frame->id) || append_bar(out) ||
           append_integer(out, frame->parent) || append_bar(out) ||
           append_field(out, frame->name) || append_bar(out) || append_field(out, frame->file) ||
           append_bar(out) || append_integer(out, frame->line) || append_end(out);
}

static int append_stack(mprof__buffer *out, const mprof_record *record)
{
    const mprof_stack_samples *stack = &record->stack;
    const double numbers[] = {stack->seconds,      stack->grown_mib,     stack->released_mib,
                              stack->peak_mib,     stack->grown_rms_mib, stack->seen_mib,
                              stack->seen_rms_mib, stack->doubtful_mib,  stack->shared_mib};
    int status = append_word(out, "#STACK|") || append_integer(out, record->pid) ||
                 append_bar(out) || append_time(out, stack->from_s) || append_bar(out) ||
                 append_time(out, record->sample.time_s) || append_bar(out) ||
                 append_field(out, stack->lane) || append_bar(out) ||
                 append_integer(out, stack->frame) || append_bar(out) ||
                 append_integer(out, (int64_t)stack->samples);
    bool has_all = stack->grown_rms_mib > 0 || stack->seen_mib > 0 || stack->shared_mib > 0;
    size_t count = has_all ? sizeof numbers / sizeof *numbers : 4;
    for (size_t i = 0; i < count && !status; i++) {
        status = append_bar(out) || append_number(out, numbers[i], MEMORY_DECIMALS);
    }
    return status || append_end(out);
}

static int append_text_field(mprof__buffer *out, const char *name, mprof_text text)
{
    return text.length > 0 &&
           (append_word(out, name) || mprof__escape_append(out, text, OUR_FIELD));
}

/* Offsets of less than half a microsecond are none. */
static int append_offset(mprof__buffer *out, double offset_s)
{
    return fabs(offset_s) >= 5e-7 && (append_word(out, offset_s < 0 ? "|offset=-" : "|offset=") ||
                                      append_time(out, fabs(offset_s)));
}

static int append_rank(mprof__buffer *out, const mprof_rank_record *rank)
{
    return append_word(out, "#RANK|") || append_integer(out, rank->first_pid) || append_bar(out) ||
           append_integer(out, rank->last_pid) || append_bar(out) ||
           append_time(out, rank->begin_s) || append_bar(out) || append_time(out, rank->end_s) ||
           append_bar(out) || append_number(out, rank->peak_mib, MEMORY_DECIMALS) ||
           (rank->main_pid != MPROF_PID_NONE &&
            (append_word(out, "|pid=") || append_integer(out, rank->main_pid))) ||
           append_text_field(out, "|host=", rank->host) ||
           append_text_field(out, "|rank=", rank->name) || append_offset(out, rank->offset_s) ||
           append_text_field(out, "|file=", rank->file) ||
           append_text_field(out, "|command=", rank->command) || append_end(out);
}

/* text: the arguments, each followed by NUL. */
static int append_arguments(mprof__buffer *out, mprof_text text)
{
    int status = append_word(out, "#ARGV");
    size_t at = 0;
    while (!status && at < text.length) {
        const char *argument = text.bytes + at;
        const char *end = memchr(argument, '\0', text.length - at);
        size_t length = end ? (size_t)(end - argument) : text.length - at;
        status = append_bar(out) || append_field(out, (mprof_text){argument, length});
        at += length + 1;
    }
    return status || append_end(out);
}

static int append_other(mprof__buffer *out, const mprof_record *record, int64_t main_pid)
{
    switch (record->kind) {
    case MPROF_RECORD_CMDLINE:
        return append_word(out, "CMDLINE ") || mprof__escape_append(out, record->text, 0) ||
               mprof__buffer_append(out, "\n", 1);
    case MPROF_RECORD_FUNC:
        return append_call(out, &record->call, main_pid);
    case MPROF_RECORD_ARGV:
        return append_arguments(out, record->text);
    case MPROF_RECORD_FACT:
        return append_fact(out, record);
    case MPROF_RECORD_PROC:
        return append_process(out, record);
    case MPROF_RECORD_EXIT:
        return append_exit(out, record);
    case MPROF_RECORD_PEAK:
        return append_peak(out, record);
    case MPROF_RECORD_LOST:
        return append_lost(out, record);
    case MPROF_RECORD_KINDS:
        return append_kinds(out, record);
    case MPROF_RECORD_GROUP:
        return append_group(out, record);
    case MPROF_RECORD_FRAME:
        return append_frame(out, &record->frame);
    case MPROF_RECORD_STACK:
        return append_stack(out, record);
    case MPROF_RECORD_RANK:
        return append_rank(out, &record->rank);
    case MPROF_RECORD_MEM:
    case MPROF_RECORD_CHLD:
        break;
    }
    assert(!"a record kind of this format");
    return 0;
}

/* The buffer for lines other than CMDLINE and samples. */
static mprof__buffer *lines_of(mprof_writer *writer)
{
    enum { HELD_MAX = 64 * 1024 };
    if (writer->awaits_sample && writer->held.length > HELD_MAX) {
        (void)mprof_writer_release(writer); /* the failure stays in the writer */
    }
    return writer->awaits_sample ? &writer->held : &writer->lines;
}

mprof_status mprof_writer_append(mprof_writer *writer, const mprof_record *record)
{
    if (writer->failure.status != MPROF_OK) {
        return writer->failure.status;
    }
    switch (record->kind) {
    case MPROF_RECORD_MEM:
        return mprof_writer_append_mem(writer, record->sample);
    case MPROF_RECORD_CHLD:
        return mprof_writer_append_chld(writer, record->pid, record->sample);
    default:
        break;
    }
    mprof__buffer *out = record->kind == MPROF_RECORD_CMDLINE ? &writer->lines : lines_of(writer);
    size_t length = out->length;
    if (append_other(out, record, writer->main_pid) != 0) {
        out->length = length; /* whole lines only */
        return fail_without_memory(writer);
    }
    return MPROF_OK;
}

/* ---- for merging ---- */

int mprof__record_format(mprof__buffer *out, const mprof_record *record)
{
    size_t length = out->length;
    if (append_other(out, record, MPROF_PID_NONE) != 0) {
        out->length = length;
        return -1;
    }
    return 0;
}

mprof_status mprof__writer_append_lines(mprof_writer *writer, const char *bytes, size_t length)
{
    if (writer->failure.status == MPROF_OK &&
        mprof__buffer_append(&writer->lines, bytes, length) != 0) {
        return fail_without_memory(writer);
    }
    return writer->failure.status;
}

size_t mprof__writer_length(const mprof_writer *writer)
{
    return writer->lines.length;
}

mprof_status mprof__writer_insert_mem(mprof_writer *writer, size_t at, mprof_sample sample)
{
    char line[2 * SHORT_LINE];
    mprof__buffer *lines = &writer->lines;
    size_t end = lines->length;
    if (writer->failure.status != MPROF_OK || append_sample(writer, "MEM", NULL, sample)) {
        return writer->failure.status;
    }
    size_t length = lines->length - end;
    memcpy(line, lines->bytes + end, length);
    memmove(lines->bytes + at + length, lines->bytes + at, end - at);
    memcpy(lines->bytes + at, line, length);
    return MPROF_OK;
}

/* As upstream writes it: an argument with a blank in single quotes. */
static int append_command_line(mprof__buffer *out, size_t argc, char *const argv[])
{
    int status = append_word(out, "CMDLINE ");
    for (size_t i = 0; i < argc && !status; i++) {
        bool quoted = strpbrk(argv[i], " \t") != NULL;
        status = (i > 0 && append_word(out, " ")) || (quoted && append_word(out, "'")) ||
                 mprof__escape_append(out, (mprof_text){argv[i], strlen(argv[i])}, 0) ||
                 (quoted && append_word(out, "'"));
    }
    return status || mprof__buffer_append(out, "\n", 1);
}

static int append_argument_vector(mprof__buffer *out, size_t argc, char *const argv[])
{
    mprof__buffer arguments = {NULL, 0, 0};
    int status = 0;
    for (size_t i = 0; i < argc && !status; i++) {
        status = mprof__buffer_append(&arguments, argv[i], strlen(argv[i]) + 1);
    }
    status = status || append_arguments(out, (mprof_text){arguments.bytes, arguments.length});
    mprof__buffer_free(&arguments);
    return status;
}

mprof_status mprof_writer_append_command(mprof_writer *writer, size_t argc, char *const argv[])
{
    size_t length = writer->lines.length;
    size_t held_length = writer->held.length;
    if (writer->failure.status != MPROF_OK) {
        return writer->failure.status;
    }
    if (append_command_line(&writer->lines, argc, argv) != 0 ||
        append_argument_vector(lines_of(writer), argc, argv) != 0) {
        writer->lines.length = length;
        writer->held.length = held_length;
        return fail_without_memory(writer);
    }
    return MPROF_OK;
}

static size_t whole_lines(const char *bytes, size_t length)
{
    const char *end = length ? memrchr(bytes, '\n', length) : NULL;
    return end ? (size_t)(end - bytes) + 1 : 0;
}

/* Truncates the torn line that a failed write left at the end of a regular file, unless another
 * process has appended since. */
static void cut_back(int fd, off_t end, size_t excess)
{
    struct stat status;
    if (excess > 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == end &&
        ftruncate(fd, end - (off_t)excess) == 0) {
        lseek(fd, end - (off_t)excess, SEEK_SET);
    }
}

/* Writes all bytes, or up to the last whole line; compressed ones all or none. */
static void write_bytes(mprof_writer *writer, const mprof__buffer *bytes)
{
    size_t written = 0;
    while (writer->failure.status == MPROF_OK && written < bytes->length) {
        ssize_t count = write(writer->fd, bytes->bytes + written, bytes->length - written);
        if (count > 0) {
            written += (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            int number = count == 0 ? EIO : errno;
            size_t kept = writer->encoder ? 0 : whole_lines(bytes->bytes, written);
            cut_back(writer->fd, lseek(writer->fd, 0, SEEK_CUR), written - kept);
            written = kept;
            mprof_error_set_errno(&writer->failure, number, "cannot write");
        }
    }
    writer->committed += written;
}

static double monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* So that a kill loses no more than the last second: the next commit may be too late. */
static bool is_flush_due(const mprof_writer *writer, double now_s)
{
    return writer->interval_s > 0 && now_s + writer->interval_s - writer->flushed_s > 1;
}

static void write_packed(mprof_writer *writer, bool is_end)
{
    enum { PACKED_MAX = 64 * 1024 };
    mprof__buffer *lines = &writer->lines;
    double now_s = writer->interval_s > 0 ? monotonic_s() : 0;
    bool is_due = is_flush_due(writer, now_s);
    mprof__encode_how how = is_end   ? MPROF__ENCODE_END
                            : is_due ? MPROF__ENCODE_FLUSH
                                     : MPROF__ENCODE_MORE;
    if (writer->failure.status == MPROF_OK &&
        mprof__encoder_add(writer->encoder, lines->bytes, lines->length, how, &writer->packed) !=
            0) {
        fail_without_memory(writer);
    }
    if (is_end || is_due || (writer->interval_s <= 0 && writer->packed.length >= PACKED_MAX)) {
        write_bytes(writer, &writer->packed);
        writer->packed.length = 0;
        writer->flushed_s = now_s;
    }
    writer->is_finished = is_end;
}

static mprof_status commit(mprof_writer *writer, bool is_end, mprof_error *error)
{
    if (!writer->encoder) {
        write_bytes(writer, &writer->lines);
    } else if (!writer->is_finished) {
        write_packed(writer, is_end);
    }
    writer->lines.length = 0;
    if (writer->failure.status != MPROF_OK && error && error->status == MPROF_OK) {
        *error = writer->failure;
    }
    return writer->failure.status;
}

mprof_status mprof_writer_commit(mprof_writer *writer, mprof_error *error)
{
    return commit(writer, false, error);
}

mprof_status mprof_writer_finish(mprof_writer *writer, mprof_error *error)
{
    return commit(writer, true, error);
}

mprof_status mprof_writer_compress(mprof_writer *writer, mprof_compression compression,
                                   double interval_s, mprof_error *error)
{
    if (compression == MPROF_COMPRESSION_NONE) {
        return MPROF_OK;
    }
    if (!mprof_compression_is_supported(compression)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "this build of mprof cannot write %s: name a file without that end",
                               mprof__compression_suffix(compression));
    }
    writer->encoder = mprof__encoder_new(compression);
    writer->interval_s = interval_s;
    writer->flushed_s = -INFINITY;
    return writer->encoder ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

mprof__buffer *mprof__writer_lines(mprof_writer *writer)
{
    return &writer->lines;
}

uint64_t mprof_writer_committed(const mprof_writer *writer)
{
    return writer->committed;
}
