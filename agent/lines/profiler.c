/* See profiler.h. */
#include "profiler.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024 /* of code objects; a power of two */

typedef struct mprof__enabling {
    const void *thread;
    unsigned times;
} enabling;

static mprof__code *codes[BUCKETS];

/* Code objects */

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

static void drop_code(mprof__code *entry)
{
    mprof__code **place = &codes[bucket_of(entry->code)];
    while (*place != entry) {
        place = &(*place)->next;
    }
    *place = entry->next;
    if (entry->forget) {
        entry->forget(entry);
    }
    PyObject *code = entry->code;
    free(entry);
    Py_DECREF(code);
}

static mprof__block *block_of(const mprof__code *entry, const mprof__profiler *profiler)
{
    for (mprof__code_link *link = entry->links; link; link = link->next) {
        if (link->block->profiler == profiler) {
            return link->block;
        }
    }
    return NULL;
}

static void unlink_code(mprof__code *entry, const mprof__profiler *profiler)
{
    for (mprof__code_link **place = &entry->links; *place; place = &(*place)->next) {
        mprof__code_link *link = *place;
        if (link->block->profiler == profiler) {
            *place = link->next;
            entry->roots -= link->is_root;
            free(link);
            break;
        }
    }
    if (!entry->links) {
        drop_code(entry);
    }
}

/* Profilers */

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

void mprof__profiler_hold(mprof__profiler *profiler)
{
    profiler->references++;
}

void mprof__profiler_let_go(mprof__profiler *profiler)
{
    if (--profiler->references > 0) {
        return;
    }
    for (int i = 0; i < profiler->block_count; i++) {
        mprof__lines_free(&profiler->blocks[i]->lines);
        free(profiler->blocks[i]);
    }
    PyObject *on_limit = profiler->on_limit;
    mprof__meter meter = profiler->meter;
    free(profiler->blocks);
    free(profiler->codes);
    free(profiler->enablings);
    free(profiler);
    mprof__meter_clear(&meter);
    Py_XDECREF(on_limit);
}

void mprof__profiler_release(mprof__profiler *profiler)
{
    mprof__profiler_hold(profiler);
    while (profiler->code_count > 0) {
        unlink_code(profiler->codes[--profiler->code_count], profiler);
    }
    mprof__profiler_let_go(profiler);
    mprof__profiler_let_go(profiler);
}

/* Room for one more in an array of pointers. */
static bool reserve(void *array, int count)
{
    void **now;
    memcpy(&now, array, sizeof now);
    if ((count & (count - 1)) != 0) {
        return true; /* doubled at powers of two */
    }
    void **more = realloc(now, (count > 0 ? 2 * (size_t)count : 1) * sizeof *more);
    if (more) {
        memcpy(array, &more, sizeof more);
    }
    return more != NULL;
}

static mprof__block *new_block(mprof__profiler *profiler)
{
    mprof__block *block = calloc(1, sizeof *block);
    if (!block || !reserve(&profiler->blocks, profiler->block_count)) {
        free(block);
        return NULL;
    }
    block->profiler = profiler;
    profiler->blocks[profiler->block_count++] = block;
    return block;
}

static int index_of(const mprof__profiler *profiler, const mprof__block *block)
{
    int index = 0;
    while (profiler->blocks[index] != block) {
        index++;
    }
    return index;
}

int mprof__profiler_add(mprof__profiler *profiler, PyObject *code, int block)
{
    mprof__code *entry = code_entry(code);
    if (!entry) {
        return -1;
    }
    mprof__block *owner = block_of(entry, profiler);
    if (owner) {
        return index_of(profiler, owner);
    }
    owner = block >= 0 ? mprof__profiler_block(profiler, block) : new_block(profiler);
    mprof__code_link *link = malloc(sizeof *link);
    if (!owner || !link || !reserve(&profiler->codes, profiler->code_count)) {
        free(link);
        if (!entry->links) {
            drop_code(entry);
        }
        PyErr_NoMemory();
        return -1;
    }
    profiler->codes[profiler->code_count++] = entry;
    *link = (mprof__code_link){.block = owner, .next = entry->links};
    entry->links = link;
    return index_of(profiler, owner);
}

int mprof__profiler_add_root(mprof__profiler *profiler, PyObject *code)
{
    mprof__code *entry = mprof__code_find(code);
    mprof__code_link *link = entry ? entry->links : NULL;

    while (link && link->block->profiler != profiler) {
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

mprof__block *mprof__profiler_block(mprof__profiler *profiler, int index)
{
    return index >= 0 && index < profiler->block_count ? profiler->blocks[index] : NULL;
}

/* Enabling */

static enabling *enabling_of(const mprof__profiler *profiler, const void *thread)
{
    for (int i = 0; i < profiler->enabling_count; i++) {
        if (profiler->enablings[i].thread == thread) {
            return &profiler->enablings[i];
        }
    }
    return NULL;
}

unsigned mprof__profiler_enabled(const mprof__profiler *profiler, const void *thread)
{
    const enabling *its = enabling_of(profiler, thread);
    return its ? its->times : 0;
}

static enabling *new_enabling(mprof__profiler *profiler, const void *thread)
{
    size_t count = (size_t)profiler->enabling_count;
    enabling *more = realloc(profiler->enablings, (count + 1) * sizeof *more);
    if (!more) {
        PyErr_NoMemory();
        return NULL;
    }
    profiler->enablings = more;
    profiler->enabling_count++;
    more[count] = (enabling){thread, 0};
    return &more[count];
}

int mprof__profiler_set_enabled(mprof__profiler *profiler, const void *thread, unsigned times)
{
    enabling *its = enabling_of(profiler, thread);

    if (!its && times > 0) {
        its = new_enabling(profiler, thread);
        if (!its) {
            return -1;
        }
    }
    if (its) {
        its->times = times;
        if (times == 0) {
            *its = profiler->enablings[--profiler->enabling_count];
        }
    }
    return 0;
}
