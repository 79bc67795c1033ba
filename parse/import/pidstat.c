/* pidstat -r -H -h: a row for each process and moment, RSS in KiB, times since 1970. A header is
 * repeated where pidstat's page ends. */
#include "importer.h"

#include "parse/number.h"

typedef struct table {
    bool has_header;
    size_t time, pid, vsz, rss, command; /* columns */
    size_t last;                         /* of those that a row must have */
} table;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool is_header(mprof_text line)
{
    return mprof__import_contains(line, "PID") && mprof__import_contains(line, "minflt/s") &&
           mprof__import_contains(line, "Command");
}

static bool recognise(mprof_text head)
{
    for (size_t at = 0, line = 0; at < head.length && line < 5; line++) {
        if (is_header(mprof__import_head_line(head, &at))) {
            return true;
        }
    }
    return false;
}

static mprof_status read_header(mprof__importer *importer, table *columns, mprof_text line)
{
    mprof__import_row row;
    if (!mprof__import_begins(line, "#")) {
        return mprof__importer_refuse(importer, "has no header in each row's form: record with "
                                                "`pidstat -r -H -h'");
    }
    mprof__import_split(&row, (mprof_text){line.bytes + 1, line.length - 1}, ' ');
    table found = {.has_header = true,
                   .time = mprof__import_find(&row, "Time"),
                   .pid = mprof__import_find(&row, "PID"),
                   .vsz = mprof__import_find(&row, "VSZ"),
                   .rss = mprof__import_find(&row, "RSS"),
                   .command = mprof__import_find(&row, "Command")};
    found.last = larger(larger(found.time, found.pid), larger(found.rss, found.command));
    bool is_first = !columns->has_header;
    *columns = found;
    if (found.last >= row.count) {
        return mprof__importer_refuse(importer, "has no column Time, PID, RSS or Command: record "
                                                "with `pidstat -r -H -h'");
    }
    return is_first ? mprof__importer_describe(importer, "pidstat", false) : MPROF_OK;
}

/* A command may have blanks. */
static mprof_text command_of(mprof_text line, const mprof__import_row *row, size_t column)
{
    const char *begin = row->fields[column].bytes;
    return mprof__import_trim((mprof_text){begin, (size_t)(line.bytes + line.length - begin)});
}

static mprof_status read_row(mprof__importer *importer, const table *columns, mprof_text line)
{
    mprof__import_row row;
    double time_s, kib, virtual_kib = 1;
    int64_t pid;
    mprof__import_split(&row, line, ' ');
    if (row.count <= columns->last) {
        return mprof__importer_warn(importer, MPROF_WARNING_FIELDS);
    }
    mprof_text moment = row.fields[columns->time];
    if (mprof__import_contains(moment, ":")) {
        return mprof__importer_refuse(importer, "has times of the day: record with "
                                                "`pidstat -r -H -h'");
    }
    mprof_text number = row.fields[columns->pid];
    if (mprof__import_number(&time_s, moment) != 0 ||
        mprof__import_number(&kib, row.fields[columns->rss]) != 0 ||
        mprof__integer_parse(&pid, number.bytes, number.length) != 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_NUMBER);
    }
    if (columns->vsz < row.count) {
        (void)mprof__import_number(&virtual_kib, row.fields[columns->vsz]);
    }
    if (kib == 0 && virtual_kib == 0) {
        return MPROF_OK; /* has just ended, or is a thread of the kernel */
    }
    return mprof__importer_process(importer, time_s, pid, kib / 1024,
                                   command_of(line, &row, columns->command));
}

static mprof_status read_line(mprof__importer *importer, mprof_text line)
{
    table *columns = mprof__importer_state(importer);
    if (is_header(line)) {
        return read_header(importer, columns, line);
    }
    if (!columns->has_header || mprof__import_trim(line).length == 0 ||
        mprof__import_begins(line, "Linux ") || mprof__import_begins(line, "Average:")) {
        return MPROF_OK;
    }
    return read_row(importer, columns, line);
}

const mprof__import_format mprof__import_pidstat = {
    .name = "pidstat", .state_size = sizeof(table), .recognise = recognise, .line = read_line};
