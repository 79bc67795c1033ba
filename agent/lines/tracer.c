/* A stack of frames for each thread; freed when the thread ends. */
#include "tracer.h"

#include "parse/array.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A frame that runs under a profiler. A frame has one entry for each profiler, side by side. */
typedef struct traced_frame {
    PyObject *frame; /* for comparison only */
    mprof__code *code;
    mprof__report *report;
    int line;
    bool counts;  /* the end of the line counts as an execution */
    bool fresh;   /* the frame's first line has not begun yet */
    bool enables; /* enables its profiler while it runs */
    int64_t since_bytes;
    uint64_t since_ns;
    int64_t peak_bytes; /* of this line so far, with the frames it called */
    int64_t frame_peak_bytes;
} traced_frame;

struct mprof__tracer {
    traced_frame *frames; /* innermost last */
    size_t count;
    size_t capacity;
    unsigned enabled; /* sum of how often each profiler is enabled */
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

/* Adds to the report what happened since the line's last measurement. */
static void record_line(traced_frame *frame, bool ended, int64_t now_bytes)
{
    mprof__profiler *profiler = frame->report->profiler;
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
    mprof__lines_add(&frame->report->lines, frame->line, &part);
    if (frame->peak_bytes > frame->frame_peak_bytes) {
        frame->frame_peak_bytes = frame->peak_bytes;
    }
    if (ended) {
        frame->peak_bytes = 0;
    }
}

static void restart(traced_frame *frame, int64_t now_bytes)
{
    frame->since_bytes = now_bytes;
    frame->since_ns = clock_of(frame->report->profiler);
}

/* The innermost frame of the report below position `index`. */
static traced_frame *caller_in_report(const mprof__tracer *tracer, size_t index,
                                      const mprof__report *report)
{
    for (size_t i = report->running > 1 ? index : 0; i-- > 0;) {
        if (tracer->frames[i].report == report) {
            return &tracer->frames[i];
        }
    }
    return NULL;
}

static void free_thread(void *unused)
{
    (void)unused;
    free(here.frames);
    memset(&here, 0, sizeof here);
}

static void make_thread_end(void)
{
    pthread_key_create(&thread_end, free_thread);
}

static traced_frame *push(mprof__tracer *tracer)
{
    if (tracer->count == tracer->capacity) {
        traced_frame *frames =
            mprof__array_grow(tracer->frames, tracer->count, &tracer->capacity, sizeof *frames);
        if (!frames) {
            return NULL;
        }
        pthread_once(&thread_end_once, make_thread_end);
        pthread_setspecific(thread_end, tracer);
        tracer->frames = frames;
    }
    return &tracer->frames[tracer->count++];
}

/* Enables the profiler for a root function that begins. false: out of memory. */
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

/* Undoes enable_before, unless the function has disabled the profiler itself. */
static void disable_after(mprof__tracer *tracer, mprof__profiler *profiler)
{
    unsigned times = mprof__profiler_enabled(profiler, tracer);

    if (times > 0) {
        (void)mprof__profiler_set_enabled(profiler, tracer, times - 1); /* never allocates */
        tracer->enabled--;
    }
}

/* Removes the frame at `index`, whose line has been recorded. */
static void remove_frame(mprof__tracer *tracer, size_t index, int64_t now_bytes)
{
    traced_frame removed = tracer->frames[index];
    traced_frame *caller = caller_in_report(tracer, index, removed.report);

    if (caller) {
        restart(caller, now_bytes);
    }
    if (index > 0 && tracer->frames[index - 1].peak_bytes < removed.frame_peak_bytes) {
        tracer->frames[index - 1].peak_bytes = removed.frame_peak_bytes;
    }
    tracer->count--;
    memmove(&tracer->frames[index], &tracer->frames[index + 1],
            (tracer->count - index) * sizeof removed);
    removed.report->running--;
    if (removed.enables) {
        disable_after(tracer, removed.report->profiler);
    }
    mprof__profiler_unref(removed.report->profiler);
}

/* Moves the entries of the frame to the top and returns the position of the first; tracer->count if
 * the frame is not traced. A greenlet that resumes continues frames below those of other greenlets.
 */
static size_t move_to_top(mprof__tracer *tracer, PyObject *frame)
{
    size_t end = tracer->count;

    while (end > 0 && tracer->frames[end - 1].frame != frame) {
        end--;
    }
    if (end == 0) {
        return tracer->count;
    }
    size_t begin = end - 1;
    while (begin > 0 && tracer->frames[begin - 1].frame == frame) {
        begin--;
    }
    while (end < tracer->count) { /* rare; one round per entry above */
        traced_frame lowest = tracer->frames[begin];
        size_t mine = end - begin;
        traced_frame above = tracer->frames[end];
        memmove(&tracer->frames[begin + 1], &tracer->frames[begin], mine * sizeof lowest);
        tracer->frames[begin] = above;
        begin++;
        end++;
    }
    return begin;
}

/* 0; 1 if on_limit was called; -1 if it raised an exception. */
static int check_limit(PyObject *frame, mprof__profiler *profiler, int line, int64_t now_bytes)
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

bool mprof__tracer_may_hold(const mprof__tracer *tracer, PyObject *frame)
{
    return tracer->count > 0 && (tracer->frames[tracer->count - 1].frame == frame ||
                                 mprof__code_find(mprof__python_frame_code(frame)));
}

int mprof__tracer_enter(mprof__tracer *tracer, PyObject *frame, mprof__code *code, int line,
                        bool fresh)
{
    mprof__meter *meter = NULL;
    int64_t now_bytes = 0;

    for (mprof__code_link *link = code->links; link; link = link->next) {
        mprof__profiler *profiler = link->report->profiler;
        if (!link->is_root && mprof__profiler_enabled(profiler, tracer) == 0) {
            continue;
        }
        traced_frame *entry = push(tracer);
        if (!entry) {
            continue;
        }
        read_meter(&meter, &now_bytes, &profiler->meter);
        mprof__profiler_ref(profiler);
        link->report->running++;
        traced_frame *caller = caller_in_report(tracer, tracer->count - 1, link->report);
        if (caller) {
            record_line(caller, false, now_bytes);
        } else if ((profiler->flags & MPROF_PROFILER_PEAKS) != 0) {
            mprof__meter_peak(&profiler->meter, now_bytes); /* discard the peak before this call */
        }
        *entry = (traced_frame){
            .frame = frame,
            .code = code,
            .report = link->report,
            .line = line,
            .counts = fresh && !code->comprehension,
            .fresh = fresh,
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

    for (size_t i = move_to_top(tracer, frame); i < tracer->count; i++) {
        traced_frame *entry = &tracer->frames[i];
        mprof__profiler *profiler = entry->report->profiler;
        int ended = entry->line;

        if (entry->fresh && entry->line == line && !again) {
            entry->fresh = false; /* a function in one line: its def is no execution */
            continue;
        }
        read_meter(&meter, &now_bytes, &profiler->meter);
        record_line(entry, true, now_bytes);
        entry->line = again ? ended : line;
        entry->counts = true;
        entry->fresh = false;
        restart(entry, now_bytes);
        if (profiler->limit_bytes > 0) {
            size_t count = tracer->count;
            result |= check_limit(frame, profiler, ended, now_bytes);
            if (tracer->count != count) {
                break; /* the debugger has disabled the profiler */
            }
            restart(&tracer->frames[i], mprof__meter_read(&profiler->meter));
        }
    }
    return result;
}

int mprof__tracer_line(mprof__tracer *tracer, PyObject *frame, int line)
{
    return next_line(tracer, frame, line, false);
}

int mprof__tracer_repeat_line(mprof__tracer *tracer, PyObject *frame)
{
    return next_line(tracer, frame, 0, true);
}

int mprof__tracer_leave(mprof__tracer *tracer, PyObject *frame)
{
    mprof__meter *meter = NULL;
    int64_t now_bytes = 0;
    int result = 0;
    size_t first = move_to_top(tracer, frame);

    while (tracer->count > first) {
        size_t index = tracer->count - 1;
        traced_frame *entry = &tracer->frames[index];
        mprof__profiler *profiler = entry->report->profiler;
        int line = entry->line;

        read_meter(&meter, &now_bytes, &profiler->meter);
        record_line(entry, true, now_bytes);
        mprof__profiler_ref(profiler);
        remove_frame(tracer, index, now_bytes);
        if (profiler->limit_bytes > 0) {
            result |= check_limit(frame, profiler, line, now_bytes);
        }
        mprof__profiler_unref(profiler);
    }
    return result;
}

void mprof__tracer_remove_profiler(mprof__tracer *tracer, mprof__profiler *profiler)
{
    for (size_t i = tracer->count; i-- > 0;) {
        if (tracer->frames[i].report->profiler == profiler) {
            int64_t now_bytes = mprof__meter_read(&profiler->meter);
            record_line(&tracer->frames[i], true, now_bytes);
            remove_frame(tracer, i, now_bytes);
        }
    }
}

void mprof__tracer_count_enabled(mprof__tracer *tracer, int change)
{
    tracer->enabled += (unsigned)change;
}
