/* psrecord's log: a table of blanks, or CSV. Its "MB" are MiB; times are seconds from its start. */
#include "importer.h"

#include <string.h>

typedef struct table {
    bool has_header;
    char separator;
    size_t time, memory; /* columns */
} table;

static bool is_plain_header(mprof_text line)
{
    return mprof__import_begins(line, "#") && mprof__import_contains(line, "Elapsed time") &&
           mprof__import_contains(line, "Real (MB)");
}

static bool recognise(mprof_text head)
{
    size_t at = 0;
    mprof_text line = mprof__import_head_line(head, &at);
    return is_plain_header(line) || (mprof__import_begins(line, "elapsed_time,") &&
                                     mprof__import_contains(line, ",mem_real"));
}

/* Names have blanks, columns are two apart. */
static size_t column_of_memory(mprof_text line)
{
    const char *name = memmem(line.bytes, line.length, "Real (MB)", 9);
    size_t column = 0;
    for (const char *at = line.bytes + 2; at < name; at++) {
        column += at[0] == ' ' && at[-1] == ' ' && at[1] != ' ';
    }
    return column;
}

static mprof_status read_header(mprof__importer *importer, table *columns, mprof_text line)
{
    const char *chosen = mprof__importer_options(importer)->memory_column;
    columns->has_header = true;
    if (is_plain_header(line)) {
        columns->separator = ' ';
        columns->time = 0; /* Elapsed time, CPU (%), Real (MB), Virtual (MB), ... */
        columns->memory = column_of_memory(line);
        if (chosen) {
            return mprof__importer_refuse(importer, "has the resident set as its only memory: "
                                                    "leave out --memory-column");
        }
    } else {
        mprof__import_row row;
        columns->separator = ',';
        mprof__import_split(&row, line, ',');
        columns->time = mprof__import_find(&row, "elapsed_time");
        columns->memory = mprof__import_find(&row, chosen ? chosen : "mem_real");
        if (columns->time == MPROF__IMPORT_FIELDS_MAX ||
            columns->memory == MPROF__IMPORT_FIELDS_MAX) {
            return mprof__importer_refuse(importer, "has no column '%s'",
                                          chosen ? chosen : "elapsed_time or mem_real");
        }
    }
    return mprof__importer_describe(importer, "psrecord", true);
}

static mprof_status read_line(mprof__importer *importer, mprof_text line)
{
    table *columns = mprof__importer_state(importer);
    mprof__import_row row;
    double time_s, mib;
    if (!columns->has_header) {
        return read_header(importer, columns, line);
    }
    mprof__import_split(&row, line, columns->separator);
    if (mprof__import_trim(line).length == 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_BLANK);
    }
    if (row.count <= columns->time || row.count <= columns->memory) {
        return mprof__importer_warn(importer, MPROF_WARNING_FIELDS);
    }
    if (mprof__import_number(&time_s, row.fields[columns->time]) != 0 ||
        mprof__import_number(&mib, row.fields[columns->memory]) != 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_NUMBER);
    }
    return mprof__importer_total(importer, time_s, mib);
}

const mprof__import_format mprof__import_psrecord = {
    .name = "psrecord", .state_size = sizeof(table), .recognise = recognise, .line = read_line};
