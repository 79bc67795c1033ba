/* See tracer.h. */
#include "tracer.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS 1024 /* of code objects; a power of two */

typedef struct mprof_code_link {
    mprof_block *block;
    struct mprof_code_link *next;
} code_link;

/* How often a thread has enabled a profiler. */
typedef struct enabling {
    const void *thread;
    unsigned count;
} enabling;

struct mprof_profiler {
    mprof_meter meter;
    unsigned flags;
    unsigned references; /* the owner's and one per frame that is running */
    int64_t limit_bytes;
    bool above_limit;
    PyObject *on_limit; /* owned */
    mprof_block **blocks;
    int block_count;
    mprof_code **codes; /* whose links lead to us */
    int code_count;
    enabling *enablings;
    int enabling_count;
};

/* A frame that is running under a profiler; a frame has one for each profiler that looks at it, and
 * they lie side by side. */
typedef struct running {
    PyObject *frame; /* identity alone */
    mprof_code *code;
    mprof_block *block;
    int line;
    bool counts; /* when the line ends, that is an execution of it */
    bool untold; /* nothing of the frame's first line has run yet */
    int64_t since_bytes;
    uint64_t since_ns;
    int64_t peak_bytes; /* the highest of this line so far, seen by frames it called */
    int64_t frame_peak_bytes;
} running;

struct mprof_tracer {
    running *top; /* the array; the innermost is the last */
    size_t count;
    size_t capacity;
    unsigned enabled; /* profilers, each as often as it was enabled */
};

static __thread mprof_tracer here;

static mprof_code *codes[BUCKETS];
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

/* Code objects */

static size_t bucket_of(PyObject *code)
{
    return ((uintptr_t)code >> 4) & (BUCKETS - 1);
}

mprof_code *mprof__code_find(PyObject *code)
{
    mprof_code *entry = codes[bucket_of(code)];
    while (entry != NULL && entry->code != code) {
        entry = entry->next;
    }
    return entry;
}

static long attribute_number(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    long number = value != NULL ? PyLong_AsLong(value) : -1;
    Py_XDECREF(value);
    return number;
}

static bool is_comprehension(PyObject *code)
{
    static const char *const names[] = {"<listcomp>", "<setcomp>", "<dictcomp>"};
    bool result = false;
    PyObject *name = PyObject_GetAttrString(code, "co_name");

    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        result |= PyUnicode_CompareWithASCIIString(name, names[i]) == 0;
    }
    Py_XDECREF(name);
    return result;
}

static mprof_code *code_entry(PyObject *code)
{
    mprof_code *entry = mprof__code_find(code);
    if (entry != NULL) {
        return entry;
    }
    long first_line = attribute_number(code, "co_firstlineno");
    long flags = attribute_number(code, "co_flags");
    bool comprehension = is_comprehension(code);
    if (PyErr_Occurred()) {
        return NULL;
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
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

static void drop_code(mprof_code *entry)
{
    mprof_code **place = &codes[bucket_of(entry->code)];
    while (*place != entry) {
        place = &(*place)->next;
    }
    *place = entry->next;
    mprof__events_forget(entry);
    PyObject *code = entry->code;
    free(entry);
    Py_DECREF(code);
}

static mprof_block *block_of(const mprof_code *entry, const mprof_profiler *profiler)
{
    for (code_link *link = entry->links; link != NULL; link = link->next) {
        if (link->block->profiler == profiler) {
            return link->block;
        }
    }
    return NULL;
}

static void unlink_code(mprof_code *entry, const mprof_profiler *profiler)
{
    for (code_link **place = &entry->links; *place != NULL; place = &(*place)->next) {
        code_link *link = *place;
        if (link->block->profiler == profiler) {
            *place = link->next;
            free(link);
            break;
        }
    }
    if (entry->links == NULL) {
        drop_code(entry);
    }
}

/* Profilers */

mprof_profiler *mprof__profiler_new(const char *backend, unsigned flags, int64_t limit_bytes,
                                    PyObject *on_limit)
{
    mprof_profiler *profiler = calloc(1, sizeof *profiler);

    if (profiler == NULL) {
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

static void unreference(mprof_profiler *profiler)
{
    if (--profiler->references > 0) {
        return;
    }
    for (int i = 0; i < profiler->block_count; i++) {
        mprof__lines_free(&profiler->blocks[i]->lines);
        free(profiler->blocks[i]);
    }
    PyObject *on_limit = profiler->on_limit;
    mprof_meter meter = profiler->meter;
    free(profiler->blocks);
    free(profiler->codes);
    free(profiler->enablings);
    free(profiler);
    mprof__meter_clear(&meter);
    Py_XDECREF(on_limit);
}

void mprof__profiler_release(mprof_profiler *profiler)
{
    profiler->references++;
    while (profiler->code_count > 0) {
        unlink_code(profiler->codes[--profiler->code_count], profiler);
    }
    unreference(profiler);
    unreference(profiler);
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
    if (more != NULL) {
        memcpy(array, &more, sizeof more);
    }
    return more != NULL;
}

static mprof_block *new_block(mprof_profiler *profiler)
{
    mprof_block *block = calloc(1, sizeof *block);
    if (block == NULL || !reserve(&profiler->blocks, profiler->block_count)) {
        free(block);
        return NULL;
    }
    block->profiler = profiler;
    profiler->blocks[profiler->block_count++] = block;
    return block;
}

static int index_of(const mprof_profiler *profiler, const mprof_block *block)
{
    int index = 0;
    while (profiler->blocks[index] != block) {
        index++;
    }
    return index;
}

int mprof__profiler_add(mprof_profiler *profiler, PyObject *code, int block)
{
    mprof_code *entry = code_entry(code);
    if (entry == NULL) {
        return -1;
    }
    mprof_block *owner = block_of(entry, profiler);
    if (owner != NULL) {
        return index_of(profiler, owner);
    }
    owner = block >= 0 ? mprof__profiler_block(profiler, block) : new_block(profiler);
    code_link *link = malloc(sizeof *link);
    if (owner == NULL || link == NULL || !reserve(&profiler->codes, profiler->code_count)) {
        free(link);
        if (entry->links == NULL) {
            drop_code(entry);
        }
        PyErr_NoMemory();
        return -1;
    }
    profiler->codes[profiler->code_count++] = entry;
    *link = (code_link){owner, entry->links};
    entry->links = link;
    if (profiler->enabling_count > 0 && mprof__events_watch(entry) != 0) {
        return -1;
    }
    return index_of(profiler, owner);
}

mprof_block *mprof__profiler_block(mprof_profiler *profiler, int index)
{
    return index >= 0 && index < profiler->block_count ? profiler->blocks[index] : NULL;
}

static enabling *enabling_of(const mprof_profiler *profiler, const mprof_tracer *tracer)
{
    for (int i = 0; i < profiler->enabling_count; i++) {
        if (profiler->enablings[i].thread == tracer) {
            return &profiler->enablings[i];
        }
    }
    return NULL;
}

/* Running frames */

static int64_t read_meter(mprof_meter **known, int64_t *value, mprof_meter *meter)
{
    if (*known != meter) {
        *known = meter;
        *value = mprof__meter_read(meter);
    }
    return *value;
}

static uint64_t clock_of(const mprof_profiler *profiler)
{
    struct timespec now;
    if ((profiler->flags & MPROF_PROFILER_TIMES) == 0) {
        return 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Adds what happened since the line was last looked at. */
static void tell(running *frame, bool ended, int64_t now_bytes)
{
    mprof_profiler *profiler = frame->block->profiler;
    bool peaks = (profiler->flags & MPROF_PROFILER_PEAKS) != 0;

    if (peaks) {
        int64_t peak = mprof__meter_peak(&profiler->meter, now_bytes);
        peak = peak > frame->since_bytes ? peak : frame->since_bytes; /* the kernel's mark lags */
        frame->peak_bytes = peak > frame->peak_bytes ? peak : frame->peak_bytes;
    }
    mprof_line_part part = {
        .ended = ended,
        .hit = ended && frame->counts,
        .change_bytes = now_bytes - frame->since_bytes,
        .now_bytes = now_bytes,
        .peak_bytes = frame->peak_bytes,
        .time_ns = clock_of(profiler) - frame->since_ns,
    };
    mprof__lines_add(&frame->block->lines, frame->line, &part);
    if (frame->peak_bytes > frame->frame_peak_bytes) {
        frame->frame_peak_bytes = frame->peak_bytes;
    }
    if (ended) {
        frame->peak_bytes = 0;
    }
}

static void restart(running *frame, int64_t now_bytes)
{
    frame->since_bytes = now_bytes;
    frame->since_ns = clock_of(frame->block->profiler);
}

/* The innermost frame of the block below position `index`. */
static running *caller_in_block(const mprof_tracer *tracer, size_t index, const mprof_block *block)
{
    for (size_t i = block->running > 1 ? index : 0; i-- > 0;) {
        if (tracer->top[i].block == block) {
            return &tracer->top[i];
        }
    }
    return NULL;
}

static void free_thread(void *unused)
{
    (void)unused;
    free(here.top);
    memset(&here, 0, sizeof here);
}

static void make_thread_end(void)
{
    pthread_key_create(&thread_end, free_thread);
}

static running *push(mprof_tracer *tracer)
{
    if (tracer->count == tracer->capacity) {
        size_t capacity = tracer->capacity > 0 ? 2 * tracer->capacity : 16;
        running *more = realloc(tracer->top, capacity * sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        pthread_once(&thread_end_once, make_thread_end);
        pthread_setspecific(thread_end, tracer);
        tracer->top = more;
        tracer->capacity = capacity;
    }
    return &tracer->top[tracer->count++];
}

/* Takes out the frame at `index`, whose line was told. */
static void remove_running(mprof_tracer *tracer, size_t index, int64_t now_bytes)
{
    running gone = tracer->top[index];
    running *caller = caller_in_block(tracer, index, gone.block);

    if (caller != NULL) {
        restart(caller, now_bytes);
    }
    if (index > 0 && tracer->top[index - 1].peak_bytes < gone.frame_peak_bytes) {
        tracer->top[index - 1].peak_bytes = gone.frame_peak_bytes;
    }
    tracer->count--;
    memmove(&tracer->top[index], &tracer->top[index + 1], (tracer->count - index) * sizeof gone);
    gone.block->running--;
    unreference(gone.block->profiler);
}

/* Position of the outermost entry of the frame, its entries moved to the top: a greenlet that goes
 * on brings back frames that lay below those of others. tracer->count if the frame is not traced.
 */
static size_t bring_up(mprof_tracer *tracer, PyObject *frame)
{
    size_t end = tracer->count;

    while (end > 0 && tracer->top[end - 1].frame != frame) {
        end--;
    }
    if (end == 0) {
        return tracer->count;
    }
    size_t begin = end - 1;
    while (begin > 0 && tracer->top[begin - 1].frame == frame) {
        begin--;
    }
    while (end < tracer->count) { /* rare: one turn per entry above */
        running lowest = tracer->top[begin];
        size_t mine = end - begin;
        running above = tracer->top[end];
        memmove(&tracer->top[begin + 1], &tracer->top[begin], mine * sizeof lowest);
        tracer->top[begin] = above;
        begin++;
        end++;
    }
    return begin;
}

static int ask_limit(const mprof_tracer *tracer, PyObject *frame, mprof_profiler *profiler,
                     int line, int64_t now_bytes)
{
    bool above = now_bytes >= profiler->limit_bytes;
    bool crossed = above && !profiler->above_limit;

    profiler->above_limit = above;
    if (!crossed || profiler->on_limit == NULL) {
        return 0;
    }
    PyObject *result =
        PyObject_CallFunction(profiler->on_limit, "OiL", frame, line, (long long)now_bytes);
    if (result == NULL) {
        return -1;
    }
    Py_DECREF(result);
    return tracer->enabled > 0 ? mprof__events_start()
                               : 0; /* a debugger may have put itself there */
}

mprof_tracer *mprof__tracer_here(void)
{
    return &here;
}

bool mprof__tracer_is_running(const mprof_tracer *tracer)
{
    return tracer->count > 0;
}

bool mprof__tracer_is_enabled(const mprof_tracer *tracer)
{
    return tracer->enabled > 0;
}

bool mprof__tracer_looks_at(const mprof_tracer *tracer, PyObject *frame)
{
    return tracer->count > 0 && (tracer->top[tracer->count - 1].frame == frame ||
                                 mprof__code_find(mprof__python_frame_code(frame)) != NULL);
}

int mprof__tracer_enter(mprof_tracer *tracer, PyObject *frame, mprof_code *code, int line,
                        bool fresh)
{
    mprof_meter *meter = NULL;
    int64_t now_bytes = 0;

    for (code_link *link = code->links; link != NULL; link = link->next) {
        mprof_profiler *profiler = link->block->profiler;
        if (enabling_of(profiler, tracer) == NULL) {
            continue;
        }
        running *entry = push(tracer);
        if (entry == NULL) {
            continue;
        }
        read_meter(&meter, &now_bytes, &profiler->meter);
        profiler->references++;
        link->block->running++;
        running *caller = caller_in_block(tracer, tracer->count - 1, link->block);
        if (caller != NULL) {
            tell(caller, false, now_bytes);
        } else if ((profiler->flags & MPROF_PROFILER_PEAKS) != 0) {
            mprof__meter_peak(&profiler->meter, now_bytes); /* what was before is not ours */
        }
        *entry = (running){
            .frame = frame,
            .code = code,
            .block = link->block,
            .line = line,
            .counts = fresh && !code->comprehension,
            .untold = fresh,
        };
        restart(entry, now_bytes);
    }
    return 0;
}

/* The line of all entries of the frame ends, and `line` begins. */
static int next_line(mprof_tracer *tracer, PyObject *frame, int line, bool again)
{
    mprof_meter *meter = NULL;
    int64_t now_bytes = 0;
    int result = 0;

    for (size_t i = bring_up(tracer, frame); i < tracer->count; i++) {
        running *entry = &tracer->top[i];
        mprof_profiler *profiler = entry->block->profiler;
        int ended = entry->line;

        if (entry->untold && entry->line == line && !again) {
            entry->untold = false; /* a function in one line: its def is not another execution */
            continue;
        }
        read_meter(&meter, &now_bytes, &profiler->meter);
        tell(entry, true, now_bytes);
        entry->line = again ? ended : line;
        entry->counts = true;
        entry->untold = false;
        restart(entry, now_bytes);
        if (profiler->limit_bytes > 0) {
            size_t count = tracer->count;
            result |= ask_limit(tracer, frame, profiler, ended, now_bytes);
            if (tracer->count != count) {
                break; /* the debugger has disabled us */
            }
            restart(&tracer->top[i], mprof__meter_read(&profiler->meter));
        }
    }
    return result;
}

int mprof__tracer_line(mprof_tracer *tracer, PyObject *frame, int line)
{
    return next_line(tracer, frame, line, false);
}

int mprof__tracer_again(mprof_tracer *tracer, PyObject *frame)
{
    return next_line(tracer, frame, 0, true);
}

int mprof__tracer_leave(mprof_tracer *tracer, PyObject *frame)
{
    mprof_meter *meter = NULL;
    int64_t now_bytes = 0;
    int result = 0;
    size_t first = bring_up(tracer, frame);

    while (tracer->count > first) {
        size_t index = tracer->count - 1;
        running *entry = &tracer->top[index];
        mprof_profiler *profiler = entry->block->profiler;
        int line = entry->line;

        read_meter(&meter, &now_bytes, &profiler->meter);
        tell(entry, true, now_bytes);
        profiler->references++;
        remove_running(tracer, index, now_bytes);
        if (profiler->limit_bytes > 0) {
            result |= ask_limit(tracer, frame, profiler, line, now_bytes);
        }
        unreference(profiler);
    }
    return result;
}

/* Enabling */

static enabling *new_enabling(mprof_profiler *profiler, const mprof_tracer *tracer)
{
    size_t count = (size_t)profiler->enabling_count;
    enabling *more = realloc(profiler->enablings, (count + 1) * sizeof *more);
    if (more == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    profiler->enablings = more;
    profiler->enabling_count++;
    more[count] = (enabling){tracer, 0};
    return &more[count];
}

int mprof__profiler_enable(mprof_profiler *profiler)
{
    mprof_tracer *tracer = &here;
    enabling *mine = enabling_of(profiler, tracer);

    if (mine == NULL) {
        mine = new_enabling(profiler, tracer);
        if (mine == NULL) {
            return -1;
        }
        for (int i = 0; i < profiler->code_count; i++) {
            if (!profiler->codes[i]->watched && mprof__events_watch(profiler->codes[i]) != 0) {
                profiler->enabling_count--;
                return -1;
            }
        }
    }
    if (tracer->enabled == 0 && mprof__events_start() != 0) {
        if (mine->count == 0) {
            profiler->enabling_count--;
        }
        return -1;
    }
    mine->count++;
    tracer->enabled++;
    return 0;
}

int mprof__profiler_disable(mprof_profiler *profiler)
{
    mprof_tracer *tracer = &here;
    enabling *mine = enabling_of(profiler, tracer);

    if (mine == NULL) {
        return 0; /* more often disabled than enabled: as upstream, no matter */
    }
    tracer->enabled--;
    if (--mine->count == 0) {
        *mine = profiler->enablings[--profiler->enabling_count];
        for (size_t i = tracer->count; i-- > 0;) {
            if (tracer->top[i].block->profiler == profiler) {
                int64_t now_bytes = mprof__meter_read(&profiler->meter);
                tell(&tracer->top[i], true, now_bytes);
                remove_running(tracer, i, now_bytes);
            }
        }
    }
    if (tracer->enabled == 0) {
        mprof__events_stop();
    }
    return 0;
}
