/* Parses one line by the grammar of docs/dat-format.md. */
#include "line.h"

#include "escape.h"
#include "number.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* More memory than 64 bits can address, and moments beyond any calendar, are damage. */
#define MEMORY_MAX_MIB 17592186044416.0
#define TIME_MAX_S 1e15

/* The part of a line that is not yet parsed. */
typedef struct cursor {
    const char *at;
    const char *end;
    bool has_bars; /* fields are separated by '|', not by blanks */
    bool repaired; /* tabs, doubled spaces or bars */
} cursor;

typedef struct word {
    const char *text;
    mprof_record_kind kind;
    bool is_ours;
} word;

static const word words[] = {
    {"MEM", MPROF_RECORD_MEM, 0},     {"CHLD", MPROF_RECORD_CHLD, 0},
    {"FUNC", MPROF_RECORD_FUNC, 0},   {"CMDLINE", MPROF_RECORD_CMDLINE, 0},
    {"PROC", MPROF_RECORD_PROC, 1},   {"EXIT", MPROF_RECORD_EXIT, 1},
    {"PEAK", MPROF_RECORD_PEAK, 1},   {"FACT", MPROF_RECORD_FACT, 1},
    {"ARGV", MPROF_RECORD_ARGV, 1},   {"LOST", MPROF_RECORD_LOST, 1},
    {"KINDS", MPROF_RECORD_KINDS, 1}, {"GROUP", MPROF_RECORD_GROUP, 1},
    {"FRAME", MPROF_RECORD_FRAME, 1}, {"STACK", MPROF_RECORD_STACK, 1},
    {"RANK", MPROF_RECORD_RANK, 1},
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_separator(const cursor *line, char byte)
{
    return line->has_bars ? byte == '|' : is_blank(byte);
}

/* Skips separators; there should be one space, or one bar. */
static void skip_separators(cursor *line)
{
    const char *start = line->at;
    while (line->at < line->end && is_separator(line, *line->at)) {
        line->at++;
    }
    if (line->at - start > 1 || (line->at > start && *start == '\t')) {
        line->repaired = true;
    }
}

static mprof_text read_field(cursor *line)
{
    const char *start = line->at, *at = start;
    if (line->has_bars) {
        while (at < line->end && *at != '|') {
            at++;
        }
    } else {
        while (at < line->end && !is_blank(*at)) {
            at++;
        }
    }
    line->at = at;
    return (mprof_text){start, (size_t)(at - start)};
}

/* The next field; of length 0 at the end of the line. */
static mprof_text next_field(cursor *line)
{
    skip_separators(line);
    return read_field(line);
}

/* The rest of the line after one separator: text with spaces. */
static mprof_text rest_of_line(cursor *line)
{
    if (line->at >= line->end) {
        return (mprof_text){line->end, 0};
    }
    line->at++;
    return (mprof_text){line->at, (size_t)(line->end - line->at)};
}

static const word *find_word(mprof_text field)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].text) == field.length &&
            memcmp(words[i].text, field.bytes, field.length) == 0) {
            return &words[i];
        }
    }
    return NULL;
}

/* Reads the record word. '#' marks our records, with fields between bars; older recordings have
 * them without the mark, with blanks. */
static const word *next_word(cursor *line)
{
    if (line->at < line->end && *line->at == '#') {
        line->at++;
        line->has_bars = true;
    }
    const word *found = find_word(read_field(line));
    return found && line->has_bars && !found->is_ours ? NULL : found;
}

bool mprof__line_is_known(const char *line, size_t length)
{
    /* no word is longer; a field may be as long as the line */
    enum { ENOUGH = 16 };
    cursor start = {line, line + (length < ENOUGH ? length : ENOUGH), 0, 0};
    skip_separators(&start);
    return next_word(&start) != NULL;
}

static bool is_nan(mprof_text field)
{
    return field.length == 3 && memcmp(field.bytes, "nan", 3) == 0;
}

/* Cuts off the trailing "nan nan" of our records, or fails: the line was torn. Our fields contain
 * no blank, so the trailer begins at the first one. */
static int cut_trailer(cursor *line)
{
    const char *at = line->at;
    while (at < line->end && !is_blank(*at)) {
        at++;
    }
    cursor trailer = {at, line->end, 0, 0};
    bool is_whole = is_nan(next_field(&trailer)) && is_nan(next_field(&trailer));
    line->end = at;
    line->repaired |= trailer.repaired;
    return is_whole ? 0 : -1;
}

static mprof__verdict bad(mprof_warning *warning, mprof_warning reason)
{
    *warning = reason;
    return MPROF__LINE_BAD;
}

static int read_memory(double *mib, mprof_text field)
{
    return mprof__number_parse(mib, field.bytes, field.length) || *mib > MEMORY_MAX_MIB;
}

static int read_time(double *time_s, mprof_text field)
{
    return mprof__number_parse(time_s, field.bytes, field.length) || *time_s > TIME_MAX_S;
}

/* "MiB time" of MEM, CHLD and PEAK. */
static mprof__verdict parse_sample(mprof_sample *sample, mprof_warning *warning, cursor *line)
{
    mprof_text memory = next_field(line);
    mprof_text time = next_field(line);
    if (time.length == 0) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    if (read_memory(&sample->mib, memory) || read_time(&sample->time_s, time)) {
        return bad(warning, MPROF_WARNING_NUMBER);
    }
    return MPROF__LINE_GOOD;
}

static mprof__verdict parse_integer(int64_t *value, mprof_warning *warning, cursor *line)
{
    mprof_text field = next_field(line);
    if (field.length == 0) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    return mprof__integer_parse(value, field.bytes, field.length) != 0
               ? bad(warning, MPROF_WARNING_NUMBER)
               : MPROF__LINE_GOOD;
}

static mprof__verdict parse_time(double *time_s, mprof_warning *warning, cursor *line)
{
    mprof_text field = next_field(line);
    if (field.length == 0) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    return read_time(time_s, field) ? bad(warning, MPROF_WARNING_NUMBER) : MPROF__LINE_GOOD;
}

/* Replaces *text by its unescaped form. Room was reserved, so earlier texts do not move. */
static void unescape(mprof_text *text, mprof__buffer *scratch)
{
    if (text->length > 0 && memchr(text->bytes, '\\', text->length)) {
        size_t start = scratch->length;
        mprof__unescape_append(scratch, *text);
        *text = (mprof_text){scratch->bytes + start, scratch->length - start};
    }
}

/* ---- FUNC ---- */

static int read_level(int32_t *level, mprof_text field)
{
    int64_t value;
    if (mprof__integer_parse(&value, field.bytes, field.length) != 0 || value > MPROF__LEVEL_MAX) {
        return -1;
    }
    *level = (int32_t)value;
    return 0;
}

static int read_call_numbers(mprof_call *call, const mprof_text fields[4])
{
    return read_memory(&call->enter.mib, fields[0]) || read_time(&call->enter.time_s, fields[1]) ||
           read_memory(&call->exit.mib, fields[2]) || read_time(&call->exit.time_s, fields[3]);
}

static bool has_prefix(mprof_text field, const char *prefix, mprof_text *value)
{
    size_t length = strlen(prefix);
    if (field.length < length || memcmp(field.bytes, prefix, length) != 0) {
        return false;
    }
    *value = (mprof_text){field.bytes + length, field.length - length};
    return true;
}

/* 1, or -1 with a bad value. No process has pid 0. */
static int read_call_pid(int64_t *pid, mprof_text value)
{
    if (mprof__integer_parse(pid, value.bytes, value.length) != 0) {
        return -1;
    }
    *pid = *pid == 0 ? MPROF_PID_NONE : *pid;
    return 1;
}

/* Reads a field after the level. 1: ours; 0: unknown; -1: ours, with a bad value. */
static int read_call_field(mprof_call *call, mprof_text field)
{
    mprof_text value;
    int64_t count;
    if (has_prefix(field, "pid=", &value)) {
        return read_call_pid(&call->pid, value);
    }
    if (has_prefix(field, "lane=", &call->lane)) {
        return 1;
    }
    if (has_prefix(field, "count=", &value)) {
        if (mprof__integer_parse(&count, value.bytes, value.length) != 0 || count < 1) {
            return -1;
        }
        call->count = (uint64_t)count;
        return 1;
    }
    if (has_prefix(field, "suspended=", &value)) {
        return mprof__number_parse(&call->suspended_s, value.bytes, value.length) ? -1 : 1;
    }
    if (has_prefix(field, "sampled=", &value)) {
        return mprof__number_parse(&call->sampled_s, value.bytes, value.length) ? -1 : 1;
    }
    if (field.length == 4 && memcmp(field.bytes, "open", 4) == 0) {
        call->open = 1;
        return 1;
    }
    return 0;
}

static int read_call_fields(mprof_call *call, cursor *line, mprof__buffer *scratch)
{
    bool ours = false;
    for (;;) {
        mprof_text field = next_field(line);
        if (field.length == 0) {
            break;
        }
        int found = read_call_field(call, field);
        if (found < 0) {
            return -1;
        }
        ours |= found > 0;
    }
    if (ours) {
        unescape(&call->name, scratch);
        unescape(&call->lane, scratch);
    }
    return 0;
}

/* Reads a call as upstream does, the name being one field. *field_count: number of fields, up to 6.
 */
static int read_call_from_left(mprof_call *call, cursor *line, mprof__buffer *scratch,
                               int *field_count)
{
    mprof_text fields[6];
    int count = 0;
    while (count < 6) {
        fields[count] = next_field(line);
        if (fields[count].length == 0) {
            break;
        }
        count++;
    }
    *field_count = count;
    if (count < 5 || read_call_numbers(call, fields + 1) != 0 ||
        (count == 6 && read_level(&call->level, fields[5]) != 0)) {
        return -1;
    }
    call->name = fields[0];
    return count == 6 ? read_call_fields(call, line, scratch) : 0;
}

static mprof_text last_field(const char *start, const char **end)
{
    const char *stop = *end;
    while (stop > start && is_blank(stop[-1])) {
        stop--;
    }
    const char *at = stop;
    while (at > start && !is_blank(at[-1])) {
        at--;
    }
    *end = at;
    return (mprof_text){at, (size_t)(stop - at)};
}

static bool is_number(mprof_text field)
{
    double ignored;
    return mprof__number_parse(&ignored, field.bytes, field.length) == 0;
}

/* Reads a call whose name contains spaces, which upstream does not escape: the numbers are counted
 * from the right. The last field is the level if it is a whole number, as times have decimals. A
 * name that ends in a number is ambiguous: such a line is rejected. */
static int read_call_from_right(mprof_call *call, const char *start, const char *end)
{
    mprof_text fields[4];
    const char *before = end;
    mprof_text last = last_field(start, &before);
    if (!memchr(last.bytes, '.', last.length)) {
        if (read_level(&call->level, last) != 0) {
            return -1;
        }
        end = before;
    }
    for (int i = 3; i >= 0; i--) {
        fields[i] = last_field(start, &end);
    }
    mprof_text name_tail = last_field(start, &end);
    if (name_tail.length == 0 || is_number(name_tail) || read_call_numbers(call, fields) != 0) {
        return -1;
    }
    const char *name_end = name_tail.bytes + name_tail.length;
    call->name = (mprof_text){start, (size_t)(name_end - start)};
    return 0;
}

static mprof__verdict parse_call(mprof_call *call, mprof_warning *warning, mprof__buffer *scratch,
                                 cursor *line)
{
    static const mprof_call empty = {.level = MPROF_LEVEL_NONE, .pid = MPROF_PID_NONE, .count = 1};
    int field_count;
    skip_separators(line);
    const char *start = line->at;
    *call = empty;
    if (read_call_from_left(call, line, scratch, &field_count) != 0) {
        if (field_count < 5) {
            return bad(warning, MPROF_WARNING_FIELDS);
        }
        *call = empty;
        if (read_call_from_right(call, start, line->end) != 0) {
            return bad(warning, MPROF_WARNING_NUMBER);
        }
    }
    return call->exit.time_s < call->enter.time_s ? bad(warning, MPROF_WARNING_INTERVAL)
                                                  : MPROF__LINE_GOOD;
}

/* ---- ours ---- */

static void parse_arguments(mprof_text *text, mprof__buffer *scratch, cursor *line)
{
    size_t start = scratch->length;
    for (;;) {
        mprof_text argument = next_field(line);
        if (argument.length == 0) {
            break;
        }
        mprof__unescape_append(scratch, argument);
        mprof__buffer_append(scratch, "", 1);
    }
    *text = (mprof_text){scratch->bytes + start, scratch->length - start};
}

static mprof__verdict parse_fact(mprof_record *record, mprof_warning *warning,
                                 mprof__buffer *scratch, cursor *line)
{
    record->key = next_field(line);
    if (record->key.length == 0) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    record->text = rest_of_line(line);
    unescape(&record->key, scratch);
    unescape(&record->text, scratch);
    return MPROF__LINE_GOOD;
}

static mprof__verdict parse_process(mprof_record *record, mprof_warning *warning,
                                    mprof__buffer *scratch, cursor *line)
{
    mprof__verdict verdict = parse_integer(&record->pid, warning, line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_integer(&record->ppid, warning, line);
    }
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&record->sample.time_s, warning, line);
    }
    record->text = rest_of_line(line);
    unescape(&record->text, scratch);
    return verdict;
}

static mprof__verdict parse_exit(mprof_record *record, mprof_warning *warning, cursor *line)
{
    static const struct {
        const char *text;
        mprof_exit_cause cause;
    } causes[] = {
        {"status", MPROF_EXIT_STATUS}, {"signal", MPROF_EXIT_SIGNAL}, {"oom", MPROF_EXIT_OOM}};
    mprof__verdict verdict = parse_integer(&record->pid, warning, line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&record->sample.time_s, warning, line);
    }
    if (verdict != MPROF__LINE_GOOD) {
        return verdict;
    }
    mprof_text cause = next_field(line);
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (strlen(causes[i].text) == cause.length &&
            memcmp(causes[i].text, cause.bytes, cause.length) == 0) {
            record->cause = causes[i].cause;
            return parse_integer(&record->value, warning, line);
        }
    }
    /* an unknown cause, of a later version: the process has ended all the same */
    record->cause = MPROF_EXIT_UNKNOWN;
    return cause.length ? MPROF__LINE_GOOD : bad(warning, MPROF_WARNING_FIELDS);
}

static mprof__verdict parse_pid_sample(mprof_record *record, mprof_warning *warning, cursor *line)
{
    mprof__verdict verdict = parse_integer(&record->pid, warning, line);
    return verdict == MPROF__LINE_GOOD ? parse_sample(&record->sample, warning, line) : verdict;
}

static mprof__verdict parse_peak(mprof_record *record, mprof_warning *warning, cursor *line)
{
    static const char least[] = "least";
    mprof__verdict verdict = parse_pid_sample(record, warning, line);
    mprof_text field = next_field(line);
    record->pid = record->pid == 0 ? MPROF_PID_NONE : record->pid; /* of an unknown process */
    record->at_least =
        field.length == sizeof least - 1 && memcmp(field.bytes, least, field.length) == 0;
    return verdict;
}

static mprof__verdict parse_lost(mprof_record *record, mprof_warning *warning, cursor *line)
{
    mprof__verdict verdict = parse_integer(&record->pid, warning, line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&record->sample.time_s, warning, line);
    }
    return verdict == MPROF__LINE_GOOD ? parse_integer(&record->value, warning, line) : verdict;
}

const char *mprof_kind_name(mprof_kind kind)
{
    static const char *const names[MPROF_KIND_COUNT] = {
        "rss", "pss", "uss", "swap", "anon", "file", "shmem", "lazyfree", "hugetlb"};
    return names[kind];
}

mprof_kind mprof_kind_find(const char *name, size_t length)
{
    mprof_kind kind = 0;
    while (kind < MPROF_KIND_COUNT && (strlen(mprof_kind_name(kind)) != length ||
                                       memcmp(mprof_kind_name(kind), name, length) != 0)) {
        kind++;
    }
    return kind;
}

int mprof_kind_adds_up(mprof_kind kind)
{
    return kind == MPROF_KIND_PSS || kind == MPROF_KIND_USS || kind == MPROF_KIND_LAZYFREE;
}

/* Reads "name=MiB". Names of later versions are ignored. */
static int read_kind(mprof_record *record, mprof_text field)
{
    const char *equals = memchr(field.bytes, '=', field.length);
    if (!equals) {
        return -1;
    }
    size_t length = (size_t)(equals - field.bytes);
    mprof_text value = {equals + 1, field.length - length - 1};
    mprof_kind kind = mprof_kind_find(field.bytes, length);
    return kind < MPROF_KIND_COUNT ? read_memory(&record->kinds_mib[kind], value) : 0;
}

static mprof__verdict parse_kinds(mprof_record *record, mprof_warning *warning, cursor *line)
{
    mprof__verdict verdict = parse_integer(&record->pid, warning, line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&record->sample.time_s, warning, line);
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        record->kinds_mib[kind] = NAN;
    }
    mprof_text field = next_field(line);
    if (verdict == MPROF__LINE_GOOD && field.length == 0) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    for (; verdict == MPROF__LINE_GOOD && field.length > 0; field = next_field(line)) {
        if (read_kind(record, field) != 0) {
            return bad(warning, MPROF_WARNING_NUMBER);
        }
    }
    return verdict;
}

static mprof__verdict parse_group(mprof_record *record, mprof_warning *warning,
                                  mprof__buffer *scratch, cursor *line)
{
    mprof__verdict verdict = parse_sample(&record->sample, warning, line);
    mprof_text limit = next_field(line);
    if (verdict != MPROF__LINE_GOOD) {
        return verdict;
    }
    if (limit.length == 0) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    record->limit_mib = NAN;
    if ((limit.length != 3 || memcmp(limit.bytes, "max", 3) != 0) &&
        read_memory(&record->limit_mib, limit) != 0) {
        return bad(warning, MPROF_WARNING_NUMBER);
    }
    record->text = rest_of_line(line);
    unescape(&record->text, scratch);
    return MPROF__LINE_GOOD;
}

static mprof__verdict parse_frame(mprof_stack_frame *frame, mprof_warning *warning,
                                  mprof__buffer *scratch, cursor *line)
{
    mprof__verdict verdict = parse_integer(&frame->id, warning, line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_integer(&frame->parent, warning, line);
    }
    frame->name = next_field(line);
    frame->file = next_field(line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_integer(&frame->line, warning, line);
    }
    unescape(&frame->name, scratch);
    unescape(&frame->file, scratch);
    if (verdict == MPROF__LINE_GOOD && (frame->id < 1 || frame->parent >= frame->id)) {
        return bad(warning, MPROF_WARNING_NUMBER); /* so a tree has no cycle */
    }
    return verdict;
}

/* The numbers after the frame's id. */
static mprof__verdict parse_stack_numbers(mprof_stack_samples *stack, mprof_warning *warning,
                                          cursor *line)
{
    mprof_text fields[5];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        fields[i] = next_field(line);
        if (fields[i].length == 0) {
            return bad(warning, MPROF_WARNING_FIELDS);
        }
    }
    int64_t samples;
    if (mprof__integer_parse(&samples, fields[0].bytes, fields[0].length) != 0 ||
        read_time(&stack->seconds, fields[1]) || read_memory(&stack->grown_mib, fields[2]) ||
        read_memory(&stack->released_mib, fields[3]) || read_memory(&stack->peak_mib, fields[4])) {
        return bad(warning, MPROF_WARNING_NUMBER);
    }
    stack->samples = (uint64_t)samples;
    double *more[] = {&stack->grown_rms_mib, &stack->seen_mib, &stack->seen_rms_mib,
                      &stack->doubtful_mib, &stack->shared_mib};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        mprof_text field = next_field(line);
        if (field.length > 0 && read_memory(more[i], field)) {
            return bad(warning, MPROF_WARNING_NUMBER);
        }
    }
    return MPROF__LINE_GOOD;
}

static mprof__verdict parse_stack(mprof_record *record, mprof_warning *warning,
                                  mprof__buffer *scratch, cursor *line)
{
    mprof_stack_samples *stack = &record->stack;
    mprof__verdict verdict = parse_integer(&record->pid, warning, line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&stack->from_s, warning, line);
    }
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&record->sample.time_s, warning, line);
    }
    stack->lane = next_field(line);
    unescape(&stack->lane, scratch);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_integer(&stack->frame, warning, line);
    }
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_stack_numbers(stack, warning, line);
    }
    return verdict == MPROF__LINE_GOOD && record->sample.time_s < stack->from_s
               ? bad(warning, MPROF_WARNING_INTERVAL)
               : verdict;
}

/* Reads "name=value" of a rank. Names of later versions are ignored. */
static int read_rank_field(mprof_rank_record *rank, mprof_text field, mprof__buffer *scratch)
{
    mprof_text value;
    const struct {
        const char *prefix;
        mprof_text *text;
    } texts[] = {{"host=", &rank->host},
                 {"rank=", &rank->name},
                 {"file=", &rank->file},
                 {"command=", &rank->command}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (has_prefix(field, texts[i].prefix, &value)) {
            *texts[i].text = value;
            unescape(texts[i].text, scratch);
            return 0;
        }
    }
    if (has_prefix(field, "pid=", &value)) {
        return mprof__integer_parse(&rank->main_pid, value.bytes, value.length) != 0 ||
               rank->main_pid < rank->first_pid || rank->main_pid > rank->last_pid;
    }
    if (has_prefix(field, "offset=", &value)) {
        bool is_back = value.length > 0 && *value.bytes == '-';
        value = (mprof_text){value.bytes + is_back, value.length - is_back};
        if (read_time(&rank->offset_s, value) != 0) {
            return -1;
        }
        rank->offset_s = is_back ? -rank->offset_s : rank->offset_s;
    }
    return 0;
}

static mprof__verdict parse_rank(mprof_record *record, mprof_warning *warning,
                                 mprof__buffer *scratch, cursor *line)
{
    mprof_rank_record *rank = &record->rank;
    rank->main_pid = MPROF_PID_NONE;
    mprof__verdict verdict = parse_integer(&rank->first_pid, warning, line);
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_integer(&rank->last_pid, warning, line);
    }
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&rank->begin_s, warning, line);
    }
    if (verdict == MPROF__LINE_GOOD) {
        verdict = parse_time(&rank->end_s, warning, line);
    }
    if (verdict != MPROF__LINE_GOOD) {
        return verdict;
    }
    mprof_text peak = next_field(line);
    if (peak.length == 0) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    if (read_memory(&rank->peak_mib, peak) != 0 || rank->last_pid < rank->first_pid) {
        return bad(warning, MPROF_WARNING_NUMBER);
    }
    for (mprof_text field = next_field(line); field.length > 0; field = next_field(line)) {
        if (read_rank_field(rank, field, scratch) != 0) {
            return bad(warning, MPROF_WARNING_NUMBER);
        }
    }
    return MPROF__LINE_GOOD;
}

/* ---- all ---- */

static mprof__verdict parse_fields(mprof_record *record, mprof_warning *warning,
                                   mprof__buffer *scratch, cursor *line)
{
    switch (record->kind) {
    case MPROF_RECORD_CMDLINE:
        record->text = rest_of_line(line);
        return MPROF__LINE_GOOD;
    case MPROF_RECORD_MEM:
        return parse_sample(&record->sample, warning, line);
    case MPROF_RECORD_CHLD:
        return parse_pid_sample(record, warning, line);
    case MPROF_RECORD_PEAK:
        return parse_peak(record, warning, line);
    case MPROF_RECORD_FUNC:
        return parse_call(&record->call, warning, scratch, line);
    case MPROF_RECORD_ARGV:
        parse_arguments(&record->text, scratch, line);
        return MPROF__LINE_GOOD;
    case MPROF_RECORD_FACT:
        return parse_fact(record, warning, scratch, line);
    case MPROF_RECORD_PROC:
        return parse_process(record, warning, scratch, line);
    case MPROF_RECORD_EXIT:
        return parse_exit(record, warning, line);
    case MPROF_RECORD_LOST:
        return parse_lost(record, warning, line);
    case MPROF_RECORD_KINDS:
        return parse_kinds(record, warning, line);
    case MPROF_RECORD_FRAME:
        return parse_frame(&record->frame, warning, scratch, line);
    case MPROF_RECORD_STACK:
        return parse_stack(record, warning, scratch, line);
    case MPROF_RECORD_RANK:
        return parse_rank(record, warning, scratch, line);
    case MPROF_RECORD_GROUP:
        break;
    }
    return parse_group(record, warning, scratch, line);
}

mprof__verdict mprof__line_parse(mprof_record *record, mprof_warning *warning,
                                 mprof__buffer *scratch, const char *line, size_t length)
{
    cursor rest = {line, line + length, 0, 0};
    scratch->length = 0;
    if (length > 0 && is_blank(line[0])) {
        rest.repaired = true;
    }
    skip_separators(&rest);
    if (rest.at == rest.end) {
        return bad(warning, MPROF_WARNING_BLANK);
    }
    bool is_torn = *rest.at == '#' && cut_trailer(&rest) != 0;
    const word *found = next_word(&rest);
    if (!found) {
        return bad(warning, MPROF_WARNING_UNKNOWN);
    }
    if (is_torn) {
        return bad(warning, MPROF_WARNING_FIELDS);
    }
    /* Unescaped text is never longer than the line, except for a NUL after the last argument. */
    if (mprof__buffer_reserve(scratch, length + 2) != 0) {
        return MPROF__LINE_ENOMEM;
    }
    memset(record, 0, sizeof *record);
    record->kind = found->kind;
    mprof__verdict verdict = parse_fields(record, warning, scratch, &rest);
    return verdict == MPROF__LINE_GOOD && rest.repaired ? MPROF__LINE_REPAIRED : verdict;
}
