/* con-duct's usage.jsonl: a JSON object a line, with the highest values since the line before, in
 * bytes. */
#include "importer.h"

#include "parse/number.h"

#include <jansson.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

typedef struct con_duct {
    bool is_described;
} con_duct;

static bool recognise(mprof_text head)
{
    return mprof__import_begins(mprof__import_trim(head), "{") &&
           mprof__import_contains(head, "\"timestamp\"") &&
           mprof__import_contains(head, "\"processes\"");
}

static mprof_text text_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? (mprof_text){json_string_value(value), json_string_length(value)}
                                 : (mprof_text){"", 0};
}

/* Bytes of memory, as MiB. 0, or -1. */
static int mib_member(double *mib, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    *mib = json_number_value(value) / MIB;
    return json_is_number(value) && *mib >= 0 ? 0 : -1;
}

static mprof_status add_processes(mprof__importer *importer, json_t *processes, double time_s)
{
    const char *key;
    json_t *process;
    mprof_status status = MPROF_OK;
    json_object_foreach(processes, key, process)
    {
        double mib;
        int64_t pid;
        if (mprof__integer_parse(&pid, key, strlen(key)) != 0 ||
            mib_member(&mib, process, "rss") != 0) {
            status = mprof__importer_warn(importer, MPROF_WARNING_NUMBER);
        } else {
            status =
                mprof__importer_process(importer, time_s, pid, mib, text_member(process, "cmd"));
        }
        if (status != MPROF_OK) {
            return status;
        }
    }
    return status;
}

static mprof_status add_object(mprof__importer *importer, const json_t *object)
{
    con_duct *file = mprof__importer_state(importer);
    json_t *processes = json_object_get(object, "processes");
    double time_s;
    bool is_relative;
    if (mprof__import_moment(&time_s, &is_relative, text_member(object, "timestamp")) != 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_NUMBER);
    }
    if (!json_is_object(processes)) {
        return mprof__importer_warn(importer, MPROF_WARNING_FIELDS);
    }
    mprof_status status = MPROF_OK;
    if (!file->is_described) {
        file->is_described = true;
        status = mprof__importer_describe(importer, "con-duct", is_relative);
    }
    if (status == MPROF_OK) {
        status = add_processes(importer, processes, time_s);
    }
    /* the highest sum, which is less than the sum of the highest values */
    double mib;
    if (status == MPROF_OK && mib_member(&mib, json_object_get(object, "totals"), "rss") == 0) {
        mprof__importer_tick_total(importer, mib);
    }
    return status;
}

static mprof_status read_line(mprof__importer *importer, mprof_text line)
{
    json_error_t reason;
    if (mprof__import_trim(line).length == 0) {
        return mprof__importer_warn(importer, MPROF_WARNING_BLANK);
    }
    json_t *object = json_loadb(line.bytes, line.length, 0, &reason);
    if (!json_is_object(object)) {
        json_decref(object);
        return mprof__importer_warn(importer, MPROF_WARNING_UNKNOWN);
    }
    mprof_status status = add_object(importer, object);
    json_decref(object);
    return status;
}

const mprof__import_format mprof__import_con_duct = {.name = "con-duct",
                                                     .state_size = sizeof(con_duct),
                                                     .recognise = recognise,
                                                     .line = read_line,
                                                     .takes_torn_lines = true};
