/* See tracer.h. */
#include "tracer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A frame that is running under a profiler; a frame has one for each profiler that looks at it, and
 * they lie side by side. */
typedef struct running {
    PyObject *frame; /* identity alone */
    mprof__code *code;
    mprof__block *block;
    int line;
    bool counts;  /* when the line ends, that is an execution of it */
    bool untold;  /* nothing of the frame's first line has run yet */
    bool enables; /* its profiler, for as long as it runs */
    int64_t since_bytes;
    uint64_t since_ns;
    int64_t peak_bytes; /* the highest of this line so far, seen by frames it called */
    int64_t frame_peak_bytes;
} running;

struct mprof__tracer {
    running *top; /* the array; the innermost is the last */
    size_t count;
    size_t capacity;
    unsigned enabled; /* profilers, each as often as it was enabled */
};

static __thread mprof__tracer here;

static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static int64_t read_meter(mprof__meter **known, int64_t *value, mprof__meter *meter)
{
    if (*known != meter) {
        *known = meter;
        *value = mprof__meter_read(meter);
    }
    return *value;
}

static uint64_t clock_of(const mprof__profiler *profiler)
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
    mprof__profiler *profiler = frame->block->profiler;
    bool peaks = (profiler->flags & MPROF_PROFILER_PEAKS) != 0;

    if (peaks) {
        int64_t peak = mprof__meter_peak(&profiler->meter, now_bytes);
        peak = peak > frame->since_bytes ? peak : frame->since_bytes; /* the kernel's mark lags */
        frame->peak_bytes = peak > frame->peak_bytes ? peak : frame->peak_bytes;
    }
    mprof__line_part part = {
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
static running *caller_in_block(const mprof__tracer *tracer, size_t index,
                                const mprof__block *block)
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

static running *push(mprof__tracer *tracer)
{
    if (tracer->count == tracer->capacity) {
        size_t capacity = tracer->capacity > 0 ? 2 * tracer->capacity : 16;
        running *more = realloc(tracer->top, capacity * sizeof *more);
        if (!more) {
            return NULL;
        }
        pthread_once(&thread_end_once, make_thread_end);
        pthread_setspecific(thread_end, tracer);
        tracer->top = more;
        tracer->capacity = capacity;
    }
    return &tracer->top[tracer->count++];
}

/* A function runs for which the profiler is enabled. false: out of memory. */
static bool enable_before(mprof__tracer *tracer, mprof__profiler *profiler)
{
    unsigned times = mprof__profiler_enabled(profiler, tracer);

    if (mprof__profiler_set_enabled(profiler, tracer, times + 1) != 0) {
        PyErr_Clear();
        return false;
    }
    tracer->enabled++;
    return true;
}

/* It has ended. It may have disabled the profiler itself. */
static void disable_after(mprof__tracer *tracer, mprof__profiler *profiler)
{
    unsigned times = mprof__profiler_enabled(profiler, tracer);

    if (times > 0) {
        (void)mprof__profiler_set_enabled(profiler, tracer, times - 1); /* fewer take no memory */
        tracer->enabled--;
    }
}

/* Takes out the frame at `index`, whose line was told. */
static void remove_running(mprof__tracer *tracer, size_t index, int64_t now_bytes)
{
    running gone = tracer->top[index];
    running *caller = caller_in_block(tracer, index, gone.block);

    if (caller) {
        restart(caller, now_bytes);
    }
    if (index > 0 && tracer->top[index - 1].peak_bytes < gone.frame_peak_bytes) {
        tracer->top[index - 1].peak_bytes = gone.frame_peak_bytes;
    }
    tracer->count--;
    memmove(&tracer->top[index], &tracer->top[index + 1], (tracer->count - index) * sizeof gone);
    gone.block->running--;
    if (gone.enables) {
        disable_after(tracer, gone.block->profiler);
    }
    mprof__profiler_let_go(gone.block->profiler);
}

/* Position of the outermost entry of the frame, its entries moved to the top: a greenlet that goes
 * on brings back frames that lay below those of others. tracer->count if the frame is not traced.
 */
static size_t bring_up(mprof__tracer *tracer, PyObject *frame)
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

/* 1 if the function was called. */
static int ask_limit(PyObject *frame, mprof__profiler *profiler, int line, int64_t now_bytes)
{
    bool above = now_bytes >= profiler->limit_bytes;
    bool crossed = above && !profiler->above_limit;

    profiler->above_limit = above;
    if (!crossed || !profiler->on_limit) {
        return 0;
    }
    PyObject *result =
        PyObject_CallFunction(profiler->on_limit, "OiL", frame, line, (long long)now_bytes);
    Py_XDECREF(result);
    return result ? 1 : -1;
}

mprof__tracer *mprof__tracer_here(void)
{
    return &here;
}

bool mprof__tracer_is_running(const mprof__tracer *tracer)
{
    return tracer->count > 0;
}

bool mprof__tracer_is_enabled(const mprof__tracer *tracer)
{
    return tracer->enabled > 0;
}

bool mprof__tracer_looks_at(const mprof__tracer *tracer, PyObject *frame)
{
    return tracer->count > 0 && (tracer->top[tracer->count - 1].frame == frame ||
                                 mprof__code_find(mprof__python_frame_code(frame)));
}

int mprof__tracer_enter(mprof__tracer *tracer, PyObject *frame, mprof__code *code, int line,
                        bool fresh)
{
    mprof__meter *meter = NULL;
    int64_t now_bytes = 0;

    for (mprof__code_link *link = code->links; link; link = link->next) {
        mprof__profiler *profiler = link->block->profiler;
        if (!link->is_root && mprof__profiler_enabled(profiler, tracer) == 0) {
            continue;
        }
        running *entry = push(tracer);
        if (!entry) {
            continue;
        }
        read_meter(&meter, &now_bytes, &profiler->meter);
        mprof__profiler_hold(profiler);
        link->block->running++;
        running *caller = caller_in_block(tracer, tracer->count - 1, link->block);
        if (caller) {
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
            .enables = link->is_root && enable_before(tracer, profiler),
        };
        restart(entry, now_bytes);
    }
    return 0;
}

/* The line of all entries of the frame ends, and `line` begins. */
static int next_line(mprof__tracer *tracer, PyObject *frame, int line, bool again)
{
    mprof__meter *meter = NULL;
    int64_t now_bytes = 0;
    int result = 0;

    for (size_t i = bring_up(tracer, frame); i < tracer->count; i++) {
        running *entry = &tracer->top[i];
        mprof__profiler *profiler = entry->block->profiler;
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
            result |= ask_limit(frame, profiler, ended, now_bytes);
            if (tracer->count != count) {
                break; /* the debugger has disabled us */
            }
            restart(&tracer->top[i], mprof__meter_read(&profiler->meter));
        }
    }
    return result;
}

int mprof__tracer_line(mprof__tracer *tracer, PyObject *frame, int line)
{
    return next_line(tracer, frame, line, false);
}

int mprof__tracer_again(mprof__tracer *tracer, PyObject *frame)
{
    return next_line(tracer, frame, 0, true);
}

int mprof__tracer_leave(mprof__tracer *tracer, PyObject *frame)
{
    mprof__meter *meter = NULL;
    int64_t now_bytes = 0;
    int result = 0;
    size_t first = bring_up(tracer, frame);

    while (tracer->count > first) {
        size_t index = tracer->count - 1;
        running *entry = &tracer->top[index];
        mprof__profiler *profiler = entry->block->profiler;
        int line = entry->line;

        read_meter(&meter, &now_bytes, &profiler->meter);
        tell(entry, true, now_bytes);
        mprof__profiler_hold(profiler);
        remove_running(tracer, index, now_bytes);
        if (profiler->limit_bytes > 0) {
            result |= ask_limit(frame, profiler, line, now_bytes);
        }
        mprof__profiler_let_go(profiler);
    }
    return result;
}

void mprof__tracer_drop(mprof__tracer *tracer, mprof__profiler *profiler)
{
    for (size_t i = tracer->count; i-- > 0;) {
        if (tracer->top[i].block->profiler == profiler) {
            int64_t now_bytes = mprof__meter_read(&profiler->meter);
            tell(&tracer->top[i], true, now_bytes);
            remove_running(tracer, i, now_bytes);
        }
    }
}

void mprof__tracer_count_enabled(mprof__tracer *tracer, int change)
{
    tracer->enabled += (unsigned)change;
}
