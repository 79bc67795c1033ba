/* massif.out: snapshots of a heap in lines of key=value. Times count from the program's start.
 * heaptrack_print --print-massif writes the same, in seconds; some versions write the header last.
 */
#include "importer.h"

#include <string.h>

#define MIB (1024.0 * 1024.0)

typedef struct massif {
    double unit_s; /* of its times; 0: not known yet */
    bool is_heaptrack;
    bool has_snapshot;
    double time_s, bytes; /* of the snapshot that is being read */
    unsigned values;      /* bits: which of the lines it has */
} massif;

enum { HAS_TIME = 1, HAS_HEAP = 2 };

/* heaptrack's own file: "v 10400 3", then "X" and the command. */
static bool is_trace(mprof_text head)
{
    return mprof__import_begins(head, "v 1") && mprof__import_contains(head, "\nX ");
}

static bool recognise(mprof_text head)
{
    return is_trace(head) ||
           (mprof__import_begins(head, "desc:") && mprof__import_contains(head, "\ncmd:") &&
            mprof__import_contains(head, "\ntime_unit:")) ||
           (mprof__import_begins(head, "#-----------\nsnapshot=") &&
            mprof__import_contains(head, "\nmem_heap_B="));
}

static mprof_text after(mprof_text line, const char *key)
{
    size_t length = strlen(key);
    return mprof__import_trim((mprof_text){line.bytes + length, line.length - length});
}

static mprof_status describe(mprof__importer *importer, const massif *file)
{
    mprof_status status =
        mprof__importer_describe(importer, file->is_heaptrack ? "heaptrack" : "massif", true);
    return status == MPROF_OK ? mprof__importer_fact(importer, "measured", "heap") : status;
}

static mprof_status read_unit(mprof__importer *importer, massif *file, mprof_text unit)
{
    bool is_known = file->unit_s > 0;
    if (mprof__import_equals(unit, "ms")) {
        file->unit_s = 0.001;
    } else if (mprof__import_equals(unit, "s")) {
        file->unit_s = 1;
    } else if (mprof__import_equals(unit, "i") || mprof__import_equals(unit, "B")) {
        return mprof__importer_refuse(importer,
                                      "counts its times in %s: record with `valgrind --tool=massif "
                                      "--time-unit=ms'",
                                      mprof__import_equals(unit, "i") ? "instructions" : "bytes");
    } else {
        return mprof__importer_refuse(importer, "has a time_unit other than ms and s");
    }
    if (is_known && file->unit_s != 1) {
        return mprof__importer_refuse(importer, "names the unit of its times after its snapshots");
    }
    return is_known ? MPROF_OK : describe(importer, file);
}

static mprof_status begin_snapshot(mprof__importer *importer, massif *file)
{
    file->has_snapshot = true;
    file->values = 0;
    file->bytes = 0;
    if (file->unit_s > 0) {
        return MPROF_OK;
    }
    file->unit_s = 1; /* massif writes its header first */
    file->is_heaptrack = true;
    return describe(importer, file);
}

/* A snapshot ends where its heap tree is named. */
static mprof_status end_snapshot(mprof__importer *importer, massif *file)
{
    bool is_whole = file->values == (HAS_TIME | HAS_HEAP);
    file->has_snapshot = false;
    return is_whole ? mprof__importer_total(importer, file->time_s, file->bytes / MIB)
                    : mprof__importer_warn(importer, MPROF_WARNING_FIELDS);
}

static mprof_status read_value(mprof__importer *importer, massif *file, mprof_text line)
{
    static const struct {
        const char *key;
        unsigned bit;
    } keys[] = {{"time=", HAS_TIME},
                {"mem_heap_B=", HAS_HEAP},
                {"mem_heap_extra_B=", 0},
                {"mem_stacks_B=", 0}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        double value;
        if (!mprof__import_begins(line, keys[i].key)) {
            continue;
        }
        if (mprof__import_number(&value, after(line, keys[i].key)) != 0) {
            return mprof__importer_warn(importer, MPROF_WARNING_NUMBER);
        }
        file->values |= keys[i].bit;
        if (keys[i].bit == HAS_TIME) {
            file->time_s = value * file->unit_s;
        } else {
            file->bytes += value;
        }
        return MPROF_OK;
    }
    return MPROF_OK; /* of the heap tree */
}

static mprof_status read_line(mprof__importer *importer, mprof_text line)
{
    massif *file = mprof__importer_state(importer);
    if (mprof__import_begins(line, "v 1")) {
        return mprof__importer_refuse(importer, "is heaptrack's trace: convert it with "
                                                "`heaptrack_print -f FILE -M massif.out'");
    }
    if (mprof__import_begins(line, "desc:")) {
        file->is_heaptrack = mprof__import_contains(line, "heaptrack");
        return MPROF_OK;
    }
    if (mprof__import_begins(line, "cmd:")) {
        return mprof__importer_command(importer, after(line, "cmd:"));
    }
    if (mprof__import_begins(line, "time_unit:")) {
        return read_unit(importer, file, after(line, "time_unit:"));
    }
    if (mprof__import_begins(line, "snapshot=")) {
        return begin_snapshot(importer, file);
    }
    if (!file->has_snapshot || file->unit_s == 0) {
        return MPROF_OK;
    }
    return mprof__import_begins(line, "heap_tree=") ? end_snapshot(importer, file)
                                                    : read_value(importer, file, line);
}

/* The file ends within a snapshot. */
static mprof_status finish(mprof__importer *importer)
{
    massif *file = mprof__importer_state(importer);
    return file->has_snapshot ? mprof__importer_warn(importer, MPROF_WARNING_TORN) : MPROF_OK;
}

const mprof__import_format mprof__import_massif = {.name = "massif",
                                                   .state_size = sizeof(massif),
                                                   .recognise = recognise,
                                                   .line = read_line,
                                                   .end = finish};
