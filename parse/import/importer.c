/* Lines of a log in, lines of a .dat out.
 *
 * Both are counted: where they drift apart, a mark says which line of the log comes next, so that
 * warnings name lines that the user can find. */
#include "importer.h"

#include "parse/number_map.h"
#include "parse/writer_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LIMIT = 8 * 1024 * 1024 };

struct mprof__importer {
    const mprof__import_format *format;
    const mprof__import_options *options;
    void *state; /* owned */
    mprof_writer *writer;
    mprof__buffer *out;
    mprof_error *error;

    mprof__buffer line; /* the beginning of one */
    bool skips_line;
    unsigned long line_number;   /* of the log, from 1 */
    unsigned long reader_number; /* that the reader gives to the next line */

    mprof__number_map pids; /* to the last tick that they were in */
    int64_t main_pid;
    bool has_main;

    double tick_s; /* NAN: no tick is open */
    double row_s;  /* of the last sample of the tick */
    uint64_t tick_number;
    double tick_mib;
    unsigned long tick_line, tick_last_line;
    mprof__buffer tick; /* struct tick_sample of all processes */
    bool has_total;     /* tick_mib is not their sum */
};

struct tick_sample {
    int64_t pid;
    double mib;
};

void *mprof__importer_state(mprof__importer *importer)
{
    return importer->state;
}

const mprof__import_options *mprof__importer_options(const mprof__importer *importer)
{
    return importer->options;
}

static mprof_status fail_without_memory(mprof__importer *importer)
{
    return mprof_error_set(importer->error, MPROF_ENOMEM, "out of memory");
}

/* ---- lines out ---- */

static mprof_status mark(mprof__importer *importer, unsigned long line, int warning)
{
    char text[64];
    int length = warning < 0 ? snprintf(text, sizeof text, "%c%lu\n", MPROF__TRANSLATION_MARK, line)
                             : snprintf(text, sizeof text, "%c%lu %d\n", MPROF__TRANSLATION_MARK,
                                        line, warning);
    importer->reader_number = line;
    return mprof__buffer_append(importer->out, text, (size_t)length) == 0
               ? MPROF_OK
               : fail_without_memory(importer);
}

/* One line, made of that line of the log. */
static mprof_status put(mprof__importer *importer, const mprof_record *record, unsigned long line)
{
    mprof_status status = importer->reader_number == line ? MPROF_OK : mark(importer, line, -1);
    mprof__buffer *lines = mprof__writer_lines(importer->writer);
    if (status != MPROF_OK) {
        return status;
    }
    if (mprof_writer_append(importer->writer, record) != MPROF_OK ||
        mprof__buffer_append(importer->out, lines->bytes, lines->length) != 0) {
        return fail_without_memory(importer);
    }
    lines->length = 0;
    importer->reader_number++;
    return MPROF_OK;
}

static mprof_text text_of(const char *bytes)
{
    return (mprof_text){bytes, strlen(bytes)};
}

mprof_status mprof__importer_fact(mprof__importer *importer, const char *key, const char *value)
{
    mprof_record record = {.kind = MPROF_RECORD_FACT, .key = text_of(key), .text = text_of(value)};
    return put(importer, &record, importer->line_number);
}

mprof_status mprof__importer_command(mprof__importer *importer, mprof_text command)
{
    mprof_record record = {.kind = MPROF_RECORD_CMDLINE, .text = command};
    return put(importer, &record, importer->line_number);
}

mprof_status mprof__importer_describe(mprof__importer *importer, const char *tool, bool is_relative)
{
    mprof_status status = mprof__importer_fact(importer, "imported-from", tool);
    if (status == MPROF_OK && is_relative) {
        status = mprof__importer_fact(importer, "times", "relative");
    }
    return status;
}

static mprof_status put_sample(mprof__importer *importer, mprof_record_kind kind, double time_s,
                               double mib, int64_t pid, unsigned long line)
{
    mprof_record record = {.kind = kind, .pid = pid, .sample = {mib, time_s}};
    return put(importer, &record, line);
}

mprof_status mprof__importer_total(mprof__importer *importer, double time_s, double mib)
{
    return put_sample(importer, MPROF_RECORD_MEM, time_s, mib, 0, importer->line_number);
}

mprof_status mprof__importer_kinds(mprof__importer *importer, double time_s,
                                   const double kinds_mib[MPROF_KIND_COUNT])
{
    mprof_record record = {.kind = MPROF_RECORD_KINDS, .sample = {0, time_s}};
    memcpy(record.kinds_mib, kinds_mib, sizeof record.kinds_mib);
    return put(importer, &record, importer->line_number);
}

/* ---- processes ---- */

/* A scan of processes takes a moment, and has each of them once. */
#define SCAN_GAP_S 0.05

static mprof_status end_tick(mprof__importer *importer)
{
    const struct tick_sample *samples = (const void *)importer->tick.bytes;
    size_t count = importer->tick.length / sizeof *samples;
    bool has_rows = importer->tick_last_line > importer->tick_line; /* one for each process */
    mprof_status status = MPROF_OK;
    if (!isnan(importer->tick_s)) {
        status = put_sample(importer, MPROF_RECORD_MEM, importer->tick_s, importer->tick_mib, 0,
                            importer->tick_line);
    }
    /* the main process is what the others leave of the sum */
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        if (importer->has_total || samples[i].pid != importer->main_pid) {
            status = put_sample(importer, MPROF_RECORD_CHLD, importer->tick_s, samples[i].mib,
                                samples[i].pid, importer->tick_line + (has_rows ? i : 0));
        }
    }
    importer->has_total = false;
    importer->tick.length = 0;
    importer->tick_s = NAN;
    return status;
}

static mprof_status begin_process(mprof__importer *importer, double time_s, int64_t pid,
                                  mprof_text name)
{
    char text[24];
    mprof_status status = MPROF_OK;
    if (!importer->has_main) {
        importer->has_main = true;
        importer->main_pid = pid;
        snprintf(text, sizeof text, "%lld", (long long)pid);
        status = mprof__importer_fact(importer, "pid", text);
        if (status == MPROF_OK) {
            status = mprof__importer_fact(importer, "include-children", "yes");
        }
        if (status == MPROF_OK) {
            status = mprof__importer_fact(importer, "multiprocess", "yes");
        }
    }
    if (status == MPROF_OK && name.length > 0) {
        mprof_record record = {.kind = MPROF_RECORD_PROC,
                               .pid = pid,
                               .ppid = pid == importer->main_pid ? 0 : importer->main_pid,
                               .sample = {0, time_s},
                               .text = name};
        status = put(importer, &record, importer->line_number);
    }
    return status;
}

static bool begins_tick(const mprof__importer *importer, double time_s, uint64_t last_tick)
{
    return isnan(importer->tick_s) || last_tick == importer->tick_number ||
           fabs(time_s - importer->row_s) > SCAN_GAP_S;
}

mprof_status mprof__importer_process(mprof__importer *importer, double time_s, int64_t pid,
                                     double mib, mprof_text name)
{
    uint64_t last_tick = mprof__number_map_find(&importer->pids, (uint64_t)pid);
    mprof_status status = MPROF_OK;
    if (begins_tick(importer, time_s, last_tick)) {
        status = end_tick(importer);
        importer->tick_number++;
        importer->tick_s = time_s;
        importer->tick_mib = 0;
        importer->tick_line = importer->line_number;
    }
    importer->row_s = time_s;
    if (mprof__number_map_put(&importer->pids, (uint64_t)pid, importer->tick_number) !=
        MPROF__PUT_DONE) {
        return fail_without_memory(importer);
    }
    if (status == MPROF_OK && last_tick == 0) {
        status = begin_process(importer, time_s, pid, name);
    }
    importer->tick_mib += mib;
    importer->tick_last_line = importer->line_number;
    if (status == MPROF_OK) {
        const struct tick_sample sample = {pid, mib};
        if (mprof__buffer_append(&importer->tick, &sample, sizeof sample) != 0) {
            return fail_without_memory(importer);
        }
    }
    return status;
}

void mprof__importer_tick_total(mprof__importer *importer, double mib)
{
    if (!isnan(importer->tick_s)) {
        importer->tick_mib = mib;
        importer->has_total = true;
    }
}

/* ---- faults ---- */

mprof_status mprof__importer_warn(mprof__importer *importer, mprof_warning warning)
{
    return mark(importer, importer->line_number, (int)warning);
}

mprof_status mprof__importer_refuse(mprof__importer *importer, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mprof_error_set(importer->error, MPROF_EFORMAT, "%s", text);
    if (importer->error) {
        importer->error->line = importer->line_number;
    }
    return MPROF_EFORMAT;
}

/* ---- lines in ---- */

static mprof_status read_line(mprof__importer *importer, const char *bytes, size_t length)
{
    if (length > 0 && bytes[length - 1] == '\r') {
        length--;
    }
    if (importer->line_number == 1 && length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    if (memchr(bytes, '\0', length)) {
        return mprof__importer_warn(importer, MPROF_WARNING_NUL);
    }
    return importer->format->line(importer, (mprof_text){bytes, length});
}

/* Line ends are searched for in the new bytes only. */
static mprof_status add_line(mprof__importer *importer, const char *bytes, size_t length)
{
    mprof_status status = MPROF_OK;
    importer->line_number++;
    if (importer->skips_line) {
        status = mprof__importer_warn(importer, MPROF_WARNING_LONG);
    } else if (importer->line.length == 0) {
        status = read_line(importer, bytes, length);
    } else if (mprof__buffer_append(&importer->line, bytes, length) != 0) {
        status = fail_without_memory(importer);
    } else {
        status = read_line(importer, importer->line.bytes, importer->line.length);
    }
    importer->skips_line = false;
    importer->line.length = 0;
    return status;
}

static mprof_status keep_rest(mprof__importer *importer, const char *bytes, size_t length)
{
    if (importer->line.length + length > LINE_LIMIT) {
        importer->skips_line = true;
        importer->line.length = 0;
    }
    return importer->skips_line || length == 0 ||
                   mprof__buffer_append(&importer->line, bytes, length) == 0
               ? MPROF_OK
               : fail_without_memory(importer);
}

static mprof_status finish(mprof__importer *importer)
{
    mprof_status status = MPROF_OK;
    if (importer->skips_line || importer->line.length > 0) {
        if (importer->format->takes_torn_lines && !importer->skips_line) {
            status = add_line(importer, "", 0);
        } else {
            importer->line_number++;
            status = mprof__importer_warn(importer, MPROF_WARNING_TORN);
        }
    }
    if (status == MPROF_OK && importer->format->end) {
        status = importer->format->end(importer);
    }
    return status == MPROF_OK ? end_tick(importer) : status;
}

static mprof_status add(void *translator, const char *bytes, size_t size, bool is_end,
                        mprof__buffer *out, mprof_error *error)
{
    mprof__importer *importer = translator;
    const char *stop = bytes + size;
    mprof_status status = MPROF_OK;
    importer->out = out;
    importer->error = error;
    while (status == MPROF_OK && bytes < stop) {
        const char *end = memchr(bytes, '\n', (size_t)(stop - bytes));
        if (!end) {
            break;
        }
        status = add_line(importer, bytes, (size_t)(end - bytes));
        bytes = end + 1;
    }
    if (status == MPROF_OK) {
        status = keep_rest(importer, bytes, (size_t)(stop - bytes));
    }
    return status == MPROF_OK && is_end ? finish(importer) : status;
}

/* ---- formats ---- */

/* CSV is last: its recognition is the least strict. */
static const mprof__import_format *const formats[] = {
    &mprof__import_prmon,  &mprof__import_psrecord, &mprof__import_con_duct,
    &mprof__import_massif, &mprof__import_pidstat,  &mprof__import_csv,
};

enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

const char *mprof__import_format_name(size_t index)
{
    return index < FORMAT_COUNT ? formats[index]->name : NULL;
}

static bool has_choice(const mprof__import_options *options)
{
    return options->time_column || options->memory_column || options->unit_bytes > 0;
}

static const mprof__import_format *find_format(const char *head, size_t size,
                                               const mprof__import_options *options)
{
    static const char mark_of_order[] = "\xef\xbb\xbf";
    mprof_text text = {head, size};
    if (size >= 3 && memcmp(head, mark_of_order, 3) == 0) {
        text = (mprof_text){head + 3, size - 3};
    }
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (options->format ? strcmp(formats[i]->name, options->format) == 0
                            : formats[i]->recognise(text)) {
            return formats[i];
        }
    }
    return has_choice(options) ? &mprof__import_csv : NULL;
}

static void release(void *translator)
{
    mprof__importer *importer = translator;
    mprof_writer_free(importer->writer);
    mprof__buffer_free(&importer->line);
    mprof__buffer_free(&importer->tick);
    mprof__number_map_free(&importer->pids);
    free(importer->state);
    free(importer);
}

static mprof_status begin(void **out, const char *head, size_t size, const void *options,
                          mprof_error *error)
{
    static const mprof__import_options none = {0};
    const mprof__import_options *chosen = options ? options : &none;
    const mprof__import_format *format = find_format(head, size, chosen);
    *out = NULL;
    if (!format) {
        return MPROF_OK;
    }
    mprof__importer *importer = calloc(1, sizeof *importer);
    if (!importer) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    importer->format = format;
    importer->options = chosen;
    importer->reader_number = 1;
    importer->tick_s = NAN;
    importer->main_pid = MPROF_PID_NONE;
    importer->state = calloc(1, format->state_size + 1);
    if (!importer->state || mprof_writer_open(&importer->writer, -1, "", error) != MPROF_OK) {
        release(importer);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    *out = importer;
    return MPROF_OK;
}

const mprof__translation mprof__import_translation = {
    .begin = begin,
    .add = add,
    .free = release,
    .hint = ", nor a log that `mprof import' knows: prmon, psrecord, con-duct, massif, heaptrack, "
            "pidstat, CSV",
};
