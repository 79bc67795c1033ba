/* Tables of any program: with commas, semicolons, tabs or blanks, and a header that names a column
 * of time and one of memory. With a column of pids, rows with equal times are a tick. */
#include "importer.h"

#include "parse/number.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

enum { NONE = MPROF__IMPORT_FIELDS_MAX, NAME_SIZE = 64 };

typedef struct table {
    bool has_header;
    bool is_described;
    char separator;
    size_t time, memory, pid, command; /* columns; NONE: it has none */
    double unit_bytes;                 /* of memory; 0: values have units, or it is unknown */
    char memory_name[NAME_SIZE];
    double first_s, last_s; /* of the rows; 0: none yet */
    double unit_s;          /* of times that are not dates */
} table;

/* Without their unit; the first that a table has is taken. */
static const char *const time_names[] = {"time",      "timestamp",    "ts",       "datetime",
                                         "date",      "date_time",    "epoch",    "unix_time",
                                         "elapsed",   "elapsed_time", "seconds",  "secs",
                                         "wall_time", "wtime",        "unixtime", "t",
                                         NULL};
static const char *const memory_names[] = {"rss",
                                           "vmrss",
                                           "rss_memory",
                                           "memory_rss",
                                           "mem_rss",
                                           "mem_real",
                                           "resident",
                                           "res",
                                           "memory",
                                           "mem",
                                           "memory_usage",
                                           "mem_usage",
                                           "memory_used",
                                           "mem_used",
                                           "used_memory",
                                           "used",
                                           "working_set",
                                           "resident_memory",
                                           "process_resident_memory",
                                           "memusage",
                                           "heap_used",
                                           "heap",
                                           "pss",
                                           "uss",
                                           NULL};
static const char *const pid_names[] = {"pid", NULL};
static const char *const command_names[] = {"command", "comm", "cmd",          "name",
                                            "process", "args", "process_name", NULL};

/* "RSS (KiB)" becomes "rss_kib". */
static void normalise(char name[NAME_SIZE], mprof_text text)
{
    size_t used = 0;
    for (size_t i = 0; i < text.length && used < NAME_SIZE - 1; i++) {
        unsigned char letter = (unsigned char)text.bytes[i];
        if (isalnum(letter)) {
            name[used++] = (char)tolower(letter);
        } else if (used > 0 && name[used - 1] != '_') {
            name[used++] = '_';
        }
    }
    while (used > 0 && name[used - 1] == '_') {
        used--;
    }
    name[used] = '\0';
}

/* The seconds of the unit that ends a normalised name, as in time_ms; that is cut off then. */
static double cut_time_unit(char *name)
{
    static const struct {
        const char *end;
        double seconds;
    } units[] = {{"_s", 1},     {"_sec", 1},     {"_secs", 1},  {"_seconds", 1},
                 {"_ms", 1e-3}, {"_msec", 1e-3}, {"_us", 1e-6}, {"_ns", 1e-9}};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t size = strlen(units[i].end);
        if (length > size && strcmp(name + length - size, units[i].end) == 0) {
            name[length - size] = '\0';
            return units[i].seconds;
        }
    }
    return 1;
}

static void cut_memory_unit(char *name)
{
    char *last = strrchr(name, '_');
    if (last && mprof__import_unit_of_name((mprof_text){name, strlen(name)}) > 0) {
        *last = '\0';
    }
}

static bool is_among(const char *name, const char *const *names, size_t *rank)
{
    for (*rank = 0; names[*rank]; (*rank)++) {
        if (strcmp(name, names[*rank]) == 0) {
            return true;
        }
    }
    return false;
}

/* The column whose name is the earliest in the list. */
static size_t find_known(const mprof__import_row *header, const char *const *names)
{
    size_t best = NONE, best_rank = SIZE_MAX;
    for (size_t i = 0; i < header->count; i++) {
        char name[NAME_SIZE];
        size_t rank;
        normalise(name, header->fields[i]);
        bool is_known = is_among(name, names, &rank);
        if (!is_known && names == time_names) {
            (void)cut_time_unit(name);
            is_known = is_among(name, names, &rank);
        } else if (!is_known && names == memory_names) {
            cut_memory_unit(name);
            is_known = is_among(name, names, &rank);
        }
        if (is_known && rank < best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

static char separator_of(mprof_text line)
{
    static const char separators[] = "\t;,";
    for (size_t i = 0; separators[i]; i++) {
        if (memchr(line.bytes, separators[i], line.length)) {
            return separators[i];
        }
    }
    return ' ';
}

/* "# time rss" is a header, too. */
static void split_header(mprof__import_row *row, mprof_text line, char separator)
{
    while (line.length > 0 && (line.bytes[0] == '#' || line.bytes[0] == ' ')) {
        line.bytes++;
        line.length--;
    }
    mprof__import_split(row, line, separator);
}

static bool recognise(mprof_text head)
{
    size_t at = 0;
    mprof_text line = {"", 0};
    mprof__import_row header;
    while (line.length == 0 && at < head.length) {
        line = mprof__import_head_line(head, &at);
    }
    if (line.length == 0 || memchr(line.bytes, '\0', line.length)) {
        return false;
    }
    split_header(&header, line, separator_of(line));
    return header.count >= 2 && find_known(&header, time_names) != NONE &&
           find_known(&header, memory_names) != NONE;
}

/* ---- the header ---- */

/* A column that the user named, by its name or its number from 1. */
static size_t find_chosen(const mprof__import_row *header, const char *chosen)
{
    int64_t number;
    size_t column = mprof__import_find(header, chosen);
    if (column == NONE && mprof__integer_parse(&number, chosen, strlen(chosen)) == 0 &&
        number >= 1 && (uint64_t)number <= header->count) {
        column = (size_t)number - 1;
    }
    return column;
}

static mprof_status find_column(size_t *column, mprof__importer *importer,
                                const mprof__import_row *header, const char *chosen,
                                const char *const *names, const char *option)
{
    *column = chosen ? find_chosen(header, chosen) : find_known(header, names);
    if (*column != NONE) {
        return MPROF_OK;
    }
    return chosen ? mprof__importer_refuse(importer, "has no column '%s'", chosen)
                  : mprof__importer_refuse(importer, "has no column that is known: name it with %s",
                                           option);
}

/* Columns chosen by number need no header: then the first line is a row. */
static bool is_row(const table *columns, const mprof__import_row *first)
{
    double value, unit_bytes;
    bool is_relative;
    return columns->time < first->count && columns->memory < first->count &&
           mprof__import_moment(&value, &is_relative, first->fields[columns->time]) == 0 &&
           mprof__import_size(&value, &unit_bytes, first->fields[columns->memory]) == 0;
}

static void find_unit(table *columns, const mprof__import_options *options, mprof_text name)
{
    columns->unit_bytes =
        options->unit_bytes > 0 ? options->unit_bytes : mprof__import_unit_of_name(name);
    snprintf(columns->memory_name, sizeof columns->memory_name, "%.*s",
             (int)(name.length < NAME_SIZE ? name.length : NAME_SIZE), name.bytes);
}

/* *is_header: the line is one, and no row. */
static mprof_status read_header(mprof__importer *importer, table *columns, mprof_text line,
                                bool *is_header)
{
    const mprof__import_options *options = mprof__importer_options(importer);
    mprof__import_row header;
    char name[NAME_SIZE];
    columns->separator = separator_of(line);
    split_header(&header, line, columns->separator);
    mprof_status status = find_column(&columns->time, importer, &header, options->time_column,
                                      time_names, "--time-column");
    if (status == MPROF_OK) {
        status = find_column(&columns->memory, importer, &header, options->memory_column,
                             memory_names, "--memory-column");
    }
    if (status != MPROF_OK) {
        return status;
    }
    *is_header = !is_row(columns, &header);
    columns->has_header = true;
    columns->pid = *is_header ? find_known(&header, pid_names) : NONE;
    columns->command = *is_header ? find_known(&header, command_names) : NONE;
    normalise(name, header.fields[columns->time]);
    columns->unit_s = *is_header ? cut_time_unit(name) : 1;
    find_unit(columns, options, *is_header ? header.fields[columns->memory] : (mprof_text){"", 0});
    return MPROF_OK;
}

/* ---- rows ---- */

/* One process after the other, each with all its times. A clock that was set back a little, or not
 * set at all, is not that: the reader leaves out what is years away. */
static bool is_unsorted(const table *columns, double time_s)
{
    double back_s = columns->last_s - time_s;
    return back_s > 0 && back_s < 3e8 && (back_s > 10 || time_s <= columns->first_s);
}

static void note_time(table *columns, double time_s)
{
    if (columns->last_s - time_s < 3e8) {
        columns->last_s = time_s;
    }
    if (columns->first_s == 0) {
        columns->first_s = time_s;
    }
}

static mprof_status add_row(mprof__importer *importer, table *columns, const mprof__import_row *row)
{
    double time_s, memory, unit_bytes;
    int64_t pid = 0;
    bool is_relative;
    bool has_pid = columns->pid < row->count;
    if (row->count <= columns->time || row->count <= columns->memory ||
        (columns->pid != NONE && !has_pid)) {
        return mprof__importer_warn(importer, MPROF_WARNING_FIELDS);
    }
    mprof_text number = has_pid ? row->fields[columns->pid] : (mprof_text){"", 0};
    if (mprof__import_moment(&time_s, &is_relative, row->fields[columns->time]) != 0 ||
        mprof__import_size(&memory, &unit_bytes, row->fields[columns->memory]) != 0 ||
        (has_pid && mprof__integer_parse(&pid, number.bytes, number.length) != 0)) {
        return mprof__importer_warn(importer, MPROF_WARNING_NUMBER);
    }
    unit_bytes = unit_bytes > 0 ? unit_bytes : columns->unit_bytes;
    if (unit_bytes == 0) {
        return mprof__importer_refuse(importer,
                                      "does not say the unit of its column '%s': say it with "
                                      "`mprof import --unit KiB' (or B, MiB)",
                                      columns->memory_name);
    }
    if (is_relative) {
        time_s *= columns->unit_s;
    }
    if (has_pid && is_unsorted(columns, time_s)) {
        return mprof__importer_refuse(importer, "is not in the order of time, so processes do not "
                                                "add up: sort its rows by time");
    }
    note_time(columns, time_s);
    mprof_status status = MPROF_OK;
    if (!columns->is_described) {
        columns->is_described = true;
        status = mprof__importer_describe(importer, "CSV", is_relative);
    }
    if (status != MPROF_OK || !has_pid) {
        return status == MPROF_OK
                   ? mprof__importer_total(importer, time_s, memory * unit_bytes / MIB)
                   : status;
    }
    return mprof__importer_process(importer, time_s, pid, memory * unit_bytes / MIB,
                                   columns->command < row->count ? row->fields[columns->command]
                                                                 : (mprof_text){"", 0});
}

static mprof_status read_line(mprof__importer *importer, mprof_text line)
{
    table *columns = mprof__importer_state(importer);
    mprof__import_row row;
    if (mprof__import_trim(line).length == 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_BLANK);
    }
    if (!columns->has_header) {
        bool is_header;
        mprof_status status = read_header(importer, columns, line, &is_header);
        if (status != MPROF_OK || is_header) {
            return status;
        }
    }
    if (line.bytes[0] == '#') {
        return MPROF_OK; /* a comment, or the header again */
    }
    mprof__import_split(&row, line, columns->separator);
    return add_row(importer, columns, &row);
}

const mprof__import_format mprof__import_csv = {
    .name = "csv", .state_size = sizeof(table), .recognise = recognise, .line = read_line};
