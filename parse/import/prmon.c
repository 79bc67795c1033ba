/* prmon.txt: a table with tabs, memory in KiB, times since 1970. All processes together. */
#include "importer.h"

#include <math.h>

enum { NONE = MPROF__IMPORT_FIELDS_MAX };

typedef struct table {
    bool has_header;
    size_t time, memory, rss, pss, swap; /* columns */
} table;

static bool recognise(mprof_text head)
{
    size_t at = 0;
    mprof_text line = mprof__import_head_line(head, &at);
    return (mprof__import_begins(line, "Time\twtime\t") && mprof__import_contains(line, "\trss")) ||
           (mprof__import_begins(mprof__import_trim(head), "{") &&
            mprof__import_contains(head, "\"Avg\"") && mprof__import_contains(head, "\"Max\""));
}

static mprof_status read_header(mprof__importer *importer, table *columns,
                                const mprof__import_row *row)
{
    const char *chosen = mprof__importer_options(importer)->memory_column;
    columns->has_header = true;
    columns->time = mprof__import_find(row, "Time");
    columns->rss = mprof__import_find(row, "rss");
    columns->pss = mprof__import_find(row, "pss");
    columns->swap = mprof__import_find(row, "swap");
    columns->memory = mprof__import_find(row, chosen ? chosen : "rss");
    if (columns->time == NONE || columns->memory == NONE) {
        return mprof__importer_refuse(importer, "has no column '%s'",
                                      columns->time == NONE ? "Time"
                                      : chosen              ? chosen
                                                            : "rss");
    }
    mprof_status status = mprof__importer_describe(importer, "prmon", false);
    if (status == MPROF_OK) {
        status = mprof__importer_fact(importer, "include-children", "yes");
    }
    return status == MPROF_OK && columns->memory == columns->pss
               ? mprof__importer_fact(importer, "backend", "psutil_pss")
               : status;
}

static double mib_at(const mprof__import_row *row, size_t column)
{
    double kib;
    return column < row->count && mprof__import_number(&kib, row->fields[column]) == 0 ? kib / 1024
                                                                                       : NAN;
}

static mprof_status read_line(mprof__importer *importer, mprof_text line)
{
    table *columns = mprof__importer_state(importer);
    mprof__import_row row;
    double time_s, kinds_mib[MPROF_KIND_COUNT];
    mprof__import_split(&row, line, '\t');
    if (!columns->has_header) {
        if (mprof__import_begins(line, "{")) {
            return mprof__importer_refuse(importer, "is prmon's summary, which has no memory over "
                                                    "time: use its time series, prmon.txt");
        }
        return read_header(importer, columns, &row);
    }
    if (line.length == 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_BLANK);
    }
    if (row.count <= columns->memory || row.count <= columns->time) {
        return mprof__importer_warn(importer, MPROF_WARNING_FIELDS);
    }
    double mib = mib_at(&row, columns->memory);
    if (isnan(mib) || mprof__import_number(&time_s, row.fields[columns->time]) != 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_NUMBER);
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        kinds_mib[kind] = NAN;
    }
    kinds_mib[MPROF_KIND_RSS] = mib_at(&row, columns->rss);
    kinds_mib[MPROF_KIND_PSS] = mib_at(&row, columns->pss);
    kinds_mib[MPROF_KIND_SWAP] = mib_at(&row, columns->swap);
    mprof_status status = mprof__importer_total(importer, time_s, mib);
    return status == MPROF_OK ? mprof__importer_kinds(importer, time_s, kinds_mib) : status;
}

const mprof__import_format mprof__import_prmon = {
    .name = "prmon", .state_size = sizeof(table), .recognise = recognise, .line = read_line};
