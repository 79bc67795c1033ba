/* Splits blocks of bytes into lines, and lines into records, in file order.
 *
 * The buffer holds one block and the line that its end cut; it grows only for longer lines. Before
 * the first record is passed on, the first block is surveyed: is this a recording, and what is its
 * range of time? */
#include "reader_steps.h"

#include "buffer.h"
#include "extremes.h"
#include "line.h"
#include "number.h"
#include "source.h"
#include "swar.h"
#include "translation.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SIZE = 256 * 1024,
    LINE_LIMIT = 8 * 1024 * 1024,
    BATCH_SIZE = 512,
    BYTES_PER_SAMPLE = 28, /* of a line, at least */
    ERA_COUNT = 16,
    FOREIGN_LINES = 1000, /* after this many unknown lines the file is not a recording */
    FOREIGN_BYTES = 128 * 1024 * 1024, /* nor after this many bytes without a record */
};

/* Times closer than this belong to one recording. */
#define ERA_S (10 * 365.25 * 86400.0)

/* Times of ten digits, 2001-09-09 to 2286-11-20: a clock that was set shows one of these. */
#define EPOCH_FIRST_S 1e9
#define EPOCH_LAST_S 1e10

/* A range of time around those seen in the survey. */
typedef struct era {
    double first_s, last_s;
    uint64_t moments;
} era;

typedef struct mprof__reader {
    mprof_source *source;
    const mprof_visitor *visitor;
    mprof_error *error;
    mprof_status status;

    char *bytes; /* owned; capacity + MPROF__SWAR_SLACK */
    size_t capacity;
    size_t begin, end; /* bytes not yet parsed */
    uint64_t offset;   /* of `bytes` in the source */
    bool at_end;       /* the source has no more */
    bool skips_line;   /* within a line that is too long */
    char line_end;     /* '\n', or '\r' in files of old Macs */
    unsigned long line;

    bool known;                 /* a record word has been seen */
    unsigned long command_line; /* line of the last CMDLINE; 0: none yet */
    bool run_has_sample;        /* since that line */
    bool has_run;               /* a run with a command line and samples */
    uint64_t foreign_bytes;     /* read without one */

    bool is_survey;
    bool run_begins; /* and is not surveyed yet */
    era eras[ERA_COUNT];
    size_t era_count;
    bool has_era; /* first_s and last_s are valid */
    double first_s, last_s;

    mprof__swar_cache cache;
    size_t batch_count, batch_size;
    mprof_record record;
    mprof_record child; /* for CHLD; its other members stay empty */
    mprof__buffer scratch;
    bool is_begun;
    mprof_sample batch[];
} reader;

/* ---- moments ---- */

static void survey_moment(reader *r, double time_s)
{
    for (size_t i = 0; i < r->era_count; i++) {
        era *at = &r->eras[i];
        if (time_s >= at->last_s - ERA_S && time_s <= at->first_s + ERA_S) {
            at->first_s = mprof__smaller(at->first_s, time_s);
            at->last_s = mprof__larger(at->last_s, time_s);
            at->moments++;
            return;
        }
    }
    if (r->era_count < ERA_COUNT) {
        r->eras[r->era_count++] = (era){time_s, time_s, 1};
    }
}

static bool is_epoch(const era *at)
{
    return at->first_s >= EPOCH_FIRST_S && at->first_s < EPOCH_LAST_S;
}

/* Chooses the era with the most times; of equals, one in which clocks were set. */
static void choose_era(reader *r)
{
    const era *best = NULL;
    for (size_t i = 0; i < r->era_count; i++) {
        const era *at = &r->eras[i];
        if (!best || at->moments > best->moments ||
            (at->moments == best->moments && is_epoch(at) && !is_epoch(best))) {
            best = at;
        }
    }
    if (best) {
        r->first_s = best->first_s - ERA_S;
        r->last_s = best->last_s + ERA_S;
        r->has_era = true;
    }
    r->era_count = 0;
}

static bool is_far(const reader *r, double time_s)
{
    return time_s < r->first_s || time_s > r->last_s;
}

static bool has_moment(mprof_record_kind kind)
{
    return kind != MPROF_RECORD_CMDLINE && kind != MPROF_RECORD_ARGV && kind != MPROF_RECORD_FACT &&
           kind != MPROF_RECORD_FRAME && kind != MPROF_RECORD_RANK;
}

static void survey_record(reader *r, const mprof_record *record)
{
    if (record->kind == MPROF_RECORD_FUNC) {
        survey_moment(r, record->call.enter.time_s);
        survey_moment(r, record->call.exit.time_s);
    } else if (has_moment(record->kind)) {
        survey_moment(r, record->sample.time_s);
    }
}

static bool record_is_far(const reader *r, const mprof_record *record)
{
    if (record->kind == MPROF_RECORD_FUNC) {
        return is_far(r, record->call.enter.time_s) || is_far(r, record->call.exit.time_s);
    }
    return has_moment(record->kind) && is_far(r, record->sample.time_s);
}

/* ---- records out ---- */

static void warn_at(const reader *r, mprof_warning warning, unsigned long line)
{
    if (!r->is_survey && r->visitor->warning) {
        r->visitor->warning(r->visitor->data, warning, line);
    }
}

static void warn(const reader *r, mprof_warning warning)
{
    warn_at(r, warning, r->line);
}

static mprof_status flush_samples(reader *r)
{
    if (r->batch_count > 0) {
        r->run_has_sample = true;
        if (r->status == MPROF_OK && r->visitor->samples) {
            r->status = r->visitor->samples(r->visitor->data, r->batch, r->batch_count);
        }
        r->batch_count = 0;
    }
    return r->status;
}

static mprof_status push_sample(reader *r, mprof_sample sample)
{
    r->batch[r->batch_count++] = sample;
    return r->batch_count == r->batch_size ? flush_samples(r) : MPROF_OK;
}

/* Another run begins, unless the one before has no sample yet. Each run has an era of its own: a
 * clock may have been set in between. */
static void begin_run(reader *r)
{
    if (r->command_line > 0 && !r->run_has_sample) {
        warn_at(r, MPROF_WARNING_NO_SAMPLE, r->command_line);
    }
    if (r->run_has_sample) {
        r->has_run |= r->command_line > 0;
        r->run_begins = true;
        r->has_era = false;
        r->first_s = -INFINITY;
        r->last_s = INFINITY;
    }
    r->command_line = r->line;
    r->run_has_sample = false;
}

static mprof_status push_record(reader *r, const mprof_record *record)
{
    if (record->kind == MPROF_RECORD_MEM) {
        return push_sample(r, record->sample);
    }
    mprof_status status = flush_samples(r);
    if (record->kind == MPROF_RECORD_CMDLINE) {
        begin_run(r);
    }
    if (status == MPROF_OK && r->visitor->record) {
        r->status = r->visitor->record(r->visitor->data, record);
    }
    return r->status;
}

/* Where a CMDLINE begins in a line that was torn before it: a recorder was killed while it wrote,
 * and another one appended. NULL if none exists. */
static const char *find_command(const char *line, size_t length, mprof_warning warning)
{
    static const char word[] = "CMDLINE ";
    enum { WORD_MAX = 4 }; /* of a record that recorders append to */
    const char *found = length > 0 ? memmem(line + 1, length - 1, word, sizeof word - 1) : NULL;
    bool is_ours = warning != MPROF_WARNING_UNKNOWN || (found && found - line <= WORD_MAX);
    return is_ours ? found : NULL;
}

static mprof_status read_one_line(reader *r, const char *line, size_t length)
{
    mprof_warning warning;
    const char *command;
    switch (mprof__line_parse(&r->record, &warning, &r->scratch, line, length)) {
    case MPROF__LINE_ENOMEM:
        return r->status = mprof_error_set(r->error, MPROF_ENOMEM, "out of memory");
    case MPROF__LINE_BAD:
        r->known |= warning != MPROF_WARNING_UNKNOWN && warning != MPROF_WARNING_BLANK;
        command = find_command(line, length, warning);
        warn(r, command ? MPROF_WARNING_TORN : warning);
        return command ? read_one_line(r, command, (size_t)(line + length - command)) : MPROF_OK;
    case MPROF__LINE_REPAIRED:
        warn(r, MPROF_WARNING_ENCODING);
        break;
    case MPROF__LINE_GOOD:
        break;
    }
    r->known = true;
    if (r->is_survey) {
        survey_record(r, &r->record);
        if (r->record.kind == MPROF_RECORD_CMDLINE && r->era_count > 0) {
            r->begin = r->end; /* another run: the survey ends */
        }
        return MPROF_OK;
    }
    r->record.offset = r->offset + (uint64_t)(line - r->bytes);
    r->record.line = r->line;
    if (record_is_far(r, &r->record)) {
        warn(r, MPROF_WARNING_FAR);
        return MPROF_OK;
    }
    return push_record(r, &r->record);
}

/* NUL bytes in front of a record replace lines that a crash lost. */
static mprof_status read_line_with_nul(reader *r, const char *line, size_t length)
{
    warn(r, MPROF_WARNING_NUL);
    while (length > 0 && line[0] == '\0') {
        line++;
        length--;
    }
    return length == 0 || memchr(line, '\0', length) ? MPROF_OK : read_one_line(r, line, length);
}

/* A line without its end. Carriage returns end a line where a record follows them. */
static mprof_status read_line(reader *r, const char *line, size_t length)
{
    if (r->line_end == '\r') {
        warn(r, MPROF_WARNING_ENCODING);
    } else if (length > 0 && line[length - 1] == '\r') {
        warn(r, MPROF_WARNING_ENCODING);
        length--;
    }
    const char *end = line + length;
    for (const char *at = memchr(line, '\r', length); at && r->status == MPROF_OK;
         at = memchr(at + 1, '\r', (size_t)(end - at) - 1)) {
        if (mprof__line_is_known(at + 1, (size_t)(end - at) - 1)) {
            warn(r, MPROF_WARNING_ENCODING);
            read_one_line(r, line, (size_t)(at - line));
            line = at + 1;
        }
    }
    if (r->status != MPROF_OK) {
        return r->status;
    }
    length = (size_t)(end - line);
    return memchr(line, '\0', length) ? read_line_with_nul(r, line, length)
                                      : read_one_line(r, line, length);
}

/* ---- lines out of the buffer ---- */

/* Most of a recording is MEM lines of the shape that swar.h reads. Parses all of them from `at` on
 * and returns where they end. */
static const char *read_usual_memory(reader *r, const char *at)
{
    mprof__swar_cache cache = r->cache;
    unsigned long lines = 0;
    size_t count = r->batch_count;
    while (memcmp(at, "MEM ", 4) == 0) {
        mprof_sample *sample = &r->batch[count];
        size_t length = mprof__swar_sample(sample, at + 4, &cache);
        if (length == 0 || is_far(r, sample->time_s)) {
            break;
        }
        at += 4 + length;
        lines++;
        if (++count == r->batch_size) {
            r->batch_count = count;
            count = 0;
            if (flush_samples(r) != MPROF_OK) {
                break;
            }
        }
    }
    r->batch_count = count;
    r->line += lines;
    r->cache = cache;
    return at;
}

/* Returns the length of the line, or 0 if it is anything else. */
static size_t read_usual_child(reader *r, const char *text)
{
    enum { MOST_DIGITS = 12 };
    const char *at = text + 5;
    int64_t pid = 0;
    while (*at >= '0' && *at <= '9' && at < text + 5 + MOST_DIGITS) {
        pid = pid * 10 + (*at++ - '0');
    }
    if (at == text + 5 || *at != ' ') {
        return 0;
    }
    size_t length = mprof__swar_sample(&r->child.sample, at + 1, &r->cache);
    if (length == 0) {
        return 0;
    }
    if (r->is_survey) {
        r->known = true;
        survey_moment(r, r->child.sample.time_s);
    } else if (is_far(r, r->child.sample.time_s)) {
        return 0;
    } else {
        r->child.pid = pid;
        push_record(r, &r->child);
    }
    return (size_t)(at - text) + 1 + length;
}

static size_t survey_usual_memory(reader *r, const char *text)
{
    mprof_sample sample;
    size_t length = mprof__swar_sample(&sample, text + 4, &r->cache);
    if (length == 0) {
        return 0;
    }
    r->known = true;
    survey_moment(r, sample.time_s);
    r->line++;
    return 4 + length;
}

/* Parses lines of the usual shape; returns their length in bytes. */
static size_t read_usual_lines(reader *r, const char *text)
{
    /* four bytes compare as one number */
    if (memcmp(text, "MEM ", 4) == 0) {
        return r->is_survey ? survey_usual_memory(r, text)
                            : (size_t)(read_usual_memory(r, text) - text);
    }
    if (memcmp(text, "CHLD", 4) == 0 && text[4] == ' ') {
        size_t length = read_usual_child(r, text);
        r->line += length > 0;
        return length;
    }
    return 0;
}

static mprof_status read_lines(reader *r);

/* Parses the buffer, up to the next run, for times and record words only. Returns the number of
 * lines. */
static unsigned long survey_lines(reader *r)
{
    size_t begin = r->begin;
    unsigned long line = r->line;
    r->run_begins = false;
    r->is_survey = true;
    read_lines(r);
    r->is_survey = false;
    unsigned long lines = r->line - line;
    r->begin = begin;
    r->line = line;
    choose_era(r);
    return lines;
}

static int64_t read_digits(const char **at)
{
    int64_t value = 0;
    size_t length = strspn(*at, "0123456789");
    (void)mprof__integer_parse(&value, *at, length);
    *at += length;
    return value;
}

/* "<line>", or "<line> <warning>", and a line end. */
static void read_mark(reader *r, const char *text)
{
    r->line = (unsigned long)read_digits(&text);
    if (*text == ' ') {
        text++;
        int64_t warning = read_digits(&text);
        warn(r, warning < MPROF_WARNING_COUNT ? (mprof_warning)warning : MPROF_WARNING_UNKNOWN);
    }
}

/* Parses all whole lines of the buffer. */
static mprof_status read_lines(reader *r)
{
    char *stop = r->bytes + r->end;
    memset(stop, 0, MPROF__SWAR_SLACK);
    while (r->begin < r->end && r->status == MPROF_OK) {
        char *line = r->bytes + r->begin;
        size_t usual = r->line_end == '\n' ? read_usual_lines(r, line) : 0;
        if (usual > 0) {
            r->begin += usual;
            continue;
        }
        char *end = memchr(line, r->line_end, r->end - r->begin);
        if (!end) {
            break;
        }
        if (*line == MPROF__TRANSLATION_MARK && mprof__source_has_translator(r->source)) {
            read_mark(r, line + 1);
            r->begin += (size_t)(end - line) + 1;
            continue;
        }
        read_line(r, line, (size_t)(end - line));
        r->begin += (size_t)(end - line) + 1;
        r->line++;
        if (r->run_begins && !r->is_survey) {
            survey_lines(r);
        }
    }
    return r->status;
}

/* Skips the rest of a line that is too long. */
static void skip_line(reader *r)
{
    const char *line = r->bytes + r->begin;
    const char *end = memchr(line, r->line_end, r->end - r->begin);
    if (end) {
        r->begin += (size_t)(end - line) + 1;
        r->line++;
        r->skips_line = false;
    } else {
        r->begin = r->end;
    }
}

/* Makes room for a line that fills the buffer, or skips it. */
static mprof_status grow_buffer(reader *r)
{
    if (r->capacity >= LINE_LIMIT) {
        warn(r, r->bytes[0] == '\0' ? MPROF_WARNING_NUL : MPROF_WARNING_LONG);
        r->known |= mprof__line_is_known(r->bytes, 16);
        r->offset += r->end;
        r->begin = r->end = 0;
        r->skips_line = true;
        return MPROF_OK;
    }
    size_t capacity = r->capacity * 2;
    char *bytes = realloc(r->bytes, capacity + MPROF__SWAR_SLACK);
    if (!bytes) {
        return r->status = mprof_error_set(r->error, MPROF_ENOMEM, "out of memory");
    }
    r->bytes = bytes;
    r->capacity = capacity;
    return MPROF_OK;
}

/* Moves what is left to the front of the buffer, then fills it. */
static mprof_status fill_buffer(reader *r)
{
    memmove(r->bytes, r->bytes + r->begin, r->end - r->begin);
    r->offset += r->begin;
    r->end -= r->begin;
    r->begin = 0;
    if (r->end == r->capacity && grow_buffer(r) != MPROF_OK) {
        return r->status;
    }
    while (r->end < r->capacity && !r->at_end && r->status == MPROF_OK) {
        size_t count;
        r->status = mprof__source_read(r->source, r->bytes + r->end, r->capacity - r->end, &count,
                                       r->error);
        r->end += count;
        r->at_end = r->status == MPROF_OK && count == 0;
    }
    return r->status;
}

/* ---- is it a recording? ---- */

static bool starts_with(const reader *r, const char *bytes, size_t count)
{
    return r->end >= count && memcmp(r->bytes, bytes, count) == 0;
}

static const char *foreign_format(const reader *r)
{
    if (starts_with(r,
                    "\xfd"
                    "7zXZ",
                    5) ||
        starts_with(r, "BZh", 3)) {
        return "is compressed with xz or bzip2: unpack it first (gzip and zstd are read)";
    }
    if (starts_with(r, "\xff\xfe", 2) || starts_with(r, "\xfe\xff", 2) ||
        starts_with(r, "M\0E\0M\0", 6) || starts_with(r, "C\0M\0D\0", 6) ||
        starts_with(r, "F\0U\0N\0", 6)) {
        return "is UTF-16 text, not UTF-8";
    }
    return NULL;
}

/* Checks the first bytes of the source: compression, encoding, line ends. */
static mprof_status begin_file(reader *r)
{
    const char *foreign = foreign_format(r);
    if (foreign) {
        return r->status = mprof_error_set(r->error, MPROF_EFORMAT, "%s", foreign);
    }
    r->known |= mprof__source_has_translator(r->source); /* it knows its log */
    if (r->end == 0 && !r->known) {
        return r->status = mprof_error_set(r->error, MPROF_EFORMAT, "is empty");
    }
    if (starts_with(r, "\xef\xbb\xbf", 3)) {
        warn(r, MPROF_WARNING_ENCODING);
        r->begin = 3;
    }
    if (!memchr(r->bytes, '\n', r->end) && memchr(r->bytes, '\r', r->end)) {
        r->line_end = '\r';
    }
    return MPROF_OK;
}

static mprof_status refuse(const reader *r)
{
    return mprof_error_set(r->error, MPROF_EFORMAT, "is not a recording of memory%s",
                           mprof__source_hint(r->source));
}

static mprof_status survey_buffer(reader *r)
{
    unsigned long lines = r->line - mprof__source_line(r->source) + survey_lines(r);
    if (r->status != MPROF_OK) {
        return r->status;
    }
    r->foreign_bytes += r->end - r->begin;
    if (!r->known && (lines >= FOREIGN_LINES || r->foreign_bytes >= FOREIGN_BYTES ||
                      memchr(r->bytes + r->begin, '\0', r->end - r->begin))) {
        r->status = refuse(r);
    }
    return r->status;
}

/* ---- all ---- */

static void finish_file(reader *r)
{
    if (r->begin < r->end && !r->skips_line) {
        const char *rest = r->bytes + r->begin;
        warn(r, memchr(rest, '\0', r->end - r->begin) ? MPROF_WARNING_NUL : MPROF_WARNING_TORN);
    }
    if (mprof__source_is_cut(r->source)) {
        warn(r, MPROF_WARNING_COMPRESSED);
    }
    flush_samples(r);
    if (r->has_run && !r->run_has_sample) {
        warn_at(r, MPROF_WARNING_NO_SAMPLE, r->command_line);
    }
    if (r->status == MPROF_OK && !r->known) {
        r->status = refuse(r);
    }
}

/* Reads one block. True: there may be more. */
static bool read_block(reader *r)
{
    size_t left = r->end - r->begin;
    if (r->status != MPROF_OK || (r->at_end && r->begin == r->end) || fill_buffer(r) != MPROF_OK ||
        (!r->is_begun && begin_file(r) != MPROF_OK)) {
        return false;
    }
    r->is_begun = true;
    if (r->at_end && r->end - r->begin == left && left > 0) {
        return false; /* no more input, and no whole line left */
    }
    if (r->skips_line) {
        skip_line(r);
    }
    if (!r->skips_line && (r->has_era && r->known ? MPROF_OK : survey_buffer(r)) == MPROF_OK) {
        read_lines(r);
    }
    return r->status == MPROF_OK;
}

mprof_status mprof__reader_open(mprof__reader **out, mprof_source *source,
                                const mprof_visitor *visitor, size_t block_size, mprof_error *error)
{
    size_t batch = block_size / BYTES_PER_SAMPLE;
    batch = batch < BATCH_SIZE ? batch + 1 : BATCH_SIZE;
    reader *r = calloc(1, sizeof *r + batch * sizeof *r->batch);
    /* one more byte, so that the end of the source is seen at once */
    size_t capacity = mprof__source_size(source, block_size - 1) + 1;
    char *bytes = malloc(capacity + MPROF__SWAR_SLACK);
    *out = NULL;
    if (!r || !bytes) {
        free(r);
        free(bytes);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    r->source = source;
    r->visitor = visitor;
    r->error = error;
    r->bytes = bytes;
    r->capacity = capacity;
    r->batch_size = batch;
    r->line_end = '\n';
    r->cache = (mprof__swar_cache)MPROF__SWAR_CACHE_INIT;
    r->child.kind = MPROF_RECORD_CHLD;
    r->line = mprof__source_line(source);
    *out = r;
    return MPROF_OK;
}

void mprof__reader_set_range(mprof__reader *r, double first_s, double last_s)
{
    r->known = true;
    r->has_era = true;
    r->first_s = first_s;
    r->last_s = last_s;
}

mprof_status mprof__reader_step(mprof__reader *r, bool *is_done)
{
    *is_done = !read_block(r);
    if (*is_done) {
        finish_file(r);
    } else {
        flush_samples(r);
        *is_done = r->status != MPROF_OK;
    }
    if (r->status != MPROF_OK) {
        mprof_error_at(r->error, mprof__source_name(r->source), 0);
    }
    return r->status;
}

void mprof__reader_free(mprof__reader *r)
{
    if (r) {
        mprof__buffer_free(&r->scratch);
        free(r->bytes);
        free(r);
    }
}

mprof_status mprof_read(mprof_source *source, const mprof_visitor *visitor, mprof_error *error)
{
    reader *r;
    mprof_status status = mprof__reader_open(&r, source, visitor, BLOCK_SIZE, error);
    if (status != MPROF_OK) {
        mprof_error_at(error, mprof__source_name(source), 0);
        return status;
    }
    while (read_block(r)) {
    }
    finish_file(r);
    status = r->status;
    if (status != MPROF_OK) {
        mprof_error_at(error, mprof__source_name(source), 0);
    }
    mprof__reader_free(r);
    return status;
}
