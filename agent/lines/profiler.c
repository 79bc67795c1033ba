/* Code objects are in a hash table by address; a profiler has an array of its reports. */
#include "profiler.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024 /* of code objects; a power of two */

typedef struct mprof__enable_count {
    const void *thread;
    unsigned times;
} enable_count;

static mprof__code *codes[BUCKETS];

/* ---- code objects ---- */

static size_t bucket_of(PyObject *code)
{
    return ((uintptr_t)code >> 4) & (BUCKETS - 1);
}

mprof__code *mprof__code_find(PyObject *code)
{
    mprof__code *entry = codes[bucket_of(code)];
    while (entry && entry->code != code) {
        entry = entry->next;
    }
    return entry;
}

static long attribute_number(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    long number = value ? PyLong_AsLong(value) : -1;
    Py_XDECREF(value);
    return number;
}

static bool is_comprehension(PyObject *code)
{
    static const char *const names[] = {"<listcomp>", "<setcomp>", "<dictcomp>"};
    bool result = false;
    PyObject *name = PyObject_GetAttrString(code, "co_name");

    for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++) {
        result |= PyUnicode_CompareWithASCIIString(name, names[i]) == 0;
    }
    Py_XDECREF(name);
    return result;
}

static mprof__code *code_entry(PyObject *code)
{
    mprof__code *entry = mprof__code_find(code);
    if (entry) {
        return entry;
    }
    long first_line = attribute_number(code, "co_firstlineno");
    long flags = attribute_number(code, "co_flags");
    bool comprehension = is_comprehension(code);
    if (PyErr_Occurred()) {
        return NULL;
    }
    entry = calloc(1, sizeof *entry);
    if (!entry) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_INCREF(code);
    entry->code = code;
    entry->first_line = (int)first_line;
    entry->generator = (flags & (0x20 | 0x80 | 0x200)) != 0; /* generator, coroutine, async gen */
    entry->comprehension = comprehension;
    entry->next = codes[bucket_of(code)];
    codes[bucket_of(code)] = entry;
    return entry;
}

static void free_code(mprof__code *entry)
{
    mprof__code **place = &codes[bucket_of(entry->code)];
    while (*place != entry) {
        place = &(*place)->next;
    }
    *place = entry->next;
    if (entry->unwatch) {
        entry->unwatch(entry);
    }
    PyObject *code = entry->code;
    free(entry);
    Py_DECREF(code);
}

static mprof__report *report_of(const mprof__code *entry, const mprof__profiler *profiler)
{
    for (mprof__code_link *link = entry->links; link; link = link->next) {
        if (link->report->profiler == profiler) {
            return link->report;
        }
    }
    return NULL;
}

static void unlink_code(mprof__code *entry, const mprof__profiler *profiler)
{
    for (mprof__code_link **place = &entry->links; *place; place = &(*place)->next) {
        mprof__code_link *link = *place;
        if (link->report->profiler == profiler) {
            *place = link->next;
            entry->roots -= link->is_root;
            free(link);
            break;
        }
    }
    if (!entry->links) {
        free_code(entry);
    }
}

/* ---- profilers ---- */

mprof__profiler *mprof__profiler_new(const char *backend, unsigned flags, int64_t limit_bytes,
                                     PyObject *on_limit)
{
    mprof__profiler *profiler = calloc(1, sizeof *profiler);

    if (!profiler) {
        PyErr_NoMemory();
        return NULL;
    }
    if (mprof__meter_init(&profiler->meter, backend, (flags & MPROF_PROFILER_CHILDREN) != 0) != 0) {
        mprof__meter_clear(&profiler->meter);
        free(profiler);
        return NULL;
    }
    profiler->flags = flags;
    profiler->references = 1;
    profiler->limit_bytes = limit_bytes;
    profiler->on_limit = on_limit;
    Py_XINCREF(on_limit);
    return profiler;
}

void mprof__profiler_ref(mprof__profiler *profiler)
{
    profiler->references++;
}

void mprof__profiler_unref(mprof__profiler *profiler)
{
    if (--profiler->references > 0) {
        return;
    }
    for (int i = 0; i < profiler->report_count; i++) {
        mprof__lines_free(&profiler->reports[i]->lines);
        free(profiler->reports[i]);
    }
    PyObject *on_limit = profiler->on_limit;
    mprof__meter meter = profiler->meter;
    free(profiler->reports);
    free(profiler->codes);
    free(profiler->enable_counts);
    free(profiler);
    mprof__meter_clear(&meter);
    Py_XDECREF(on_limit);
}

void mprof__profiler_release(mprof__profiler *profiler)
{
    mprof__profiler_ref(profiler);
    while (profiler->code_count > 0) {
        unlink_code(profiler->codes[--profiler->code_count], profiler);
    }
    mprof__profiler_unref(profiler);
    mprof__profiler_unref(profiler);
}

/* Makes room for one more pointer. Arrays double at powers of two. */
static bool reserve(void *array, int count)
{
    void **now;
    memcpy(&now, array, sizeof now);
    if ((count & (count - 1)) != 0) {
        return true;
    }
    void **more = realloc(now, (count > 0 ? 2 * (size_t)count : 1) * sizeof *more);
    if (more) {
        memcpy(array, &more, sizeof more);
    }
    return more != NULL;
}

static mprof__report *new_report(mprof__profiler *profiler)
{
    mprof__report *report = calloc(1, sizeof *report);
    if (!report || !reserve(&profiler->reports, profiler->report_count)) {
        free(report);
        return NULL;
    }
    report->profiler = profiler;
    profiler->reports[profiler->report_count++] = report;
    return report;
}

static int index_of(const mprof__profiler *profiler, const mprof__report *report)
{
    int index = 0;
    while (profiler->reports[index] != report) {
        index++;
    }
    return index;
}

int mprof__profiler_add(mprof__profiler *profiler, PyObject *code, int report)
{
    mprof__code *entry = code_entry(code);
    if (!entry) {
        return -1;
    }
    mprof__report *owner = report_of(entry, profiler);
    if (owner) {
        return index_of(profiler, owner);
    }
    owner = report >= 0 ? mprof__profiler_report(profiler, report) : new_report(profiler);
    mprof__code_link *link = malloc(sizeof *link);
    if (!owner || !link || !reserve(&profiler->codes, profiler->code_count)) {
        free(link);
        if (!entry->links) {
            free_code(entry);
        }
        PyErr_NoMemory();
        return -1;
    }
    profiler->codes[profiler->code_count++] = entry;
    *link = (mprof__code_link){.report = owner, .next = entry->links};
    entry->links = link;
    return index_of(profiler, owner);
}

int mprof__profiler_add_root(mprof__profiler *profiler, PyObject *code)
{
    mprof__code *entry = mprof__code_find(code);
    mprof__code_link *link = entry ? entry->links : NULL;

    while (link && link->report->profiler != profiler) {
        link = link->next;
    }
    if (!link) {
        PyErr_SetString(PyExc_ValueError, "the code object was not added to the profiler");
        return -1;
    }
    if (!link->is_root) {
        link->is_root = true;
        entry->roots++;
        profiler->root_count++;
    }
    return 0;
}

mprof__report *mprof__profiler_report(mprof__profiler *profiler, int index)
{
    return index >= 0 && index < profiler->report_count ? profiler->reports[index] : NULL;
}

/* ---- enabling ---- */

static enable_count *enable_count_of(const mprof__profiler *profiler, const void *thread)
{
    for (int i = 0; i < profiler->enable_counts_length; i++) {
        if (profiler->enable_counts[i].thread == thread) {
            return &profiler->enable_counts[i];
        }
    }
    return NULL;
}

unsigned mprof__profiler_enabled(const mprof__profiler *profiler, const void *thread)
{
    const enable_count *entry = enable_count_of(profiler, thread);
    return entry ? entry->times : 0;
}

static enable_count *new_enable_count(mprof__profiler *profiler, const void *thread)
{
    size_t count = (size_t)profiler->enable_counts_length;
    enable_count *more = realloc(profiler->enable_counts, (count + 1) * sizeof *more);
    if (!more) {
        PyErr_NoMemory();
        return NULL;
    }
    profiler->enable_counts = more;
    profiler->enable_counts_length++;
    more[count] = (enable_count){thread, 0};
    return &more[count];
}

int mprof__profiler_set_enabled(mprof__profiler *profiler, const void *thread, unsigned times)
{
    enable_count *entry = enable_count_of(profiler, thread);

    if (!entry && times > 0) {
        entry = new_enable_count(profiler, thread);
        if (!entry) {
            return -1;
        }
    }
    if (entry) {
        entry->times = times;
        if (times == 0) {
            *entry = profiler->enable_counts[--profiler->enable_counts_length];
        }
    }
    return 0;
}
