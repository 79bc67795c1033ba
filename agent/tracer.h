/* From "a line begins" and "a frame ends" to numbers per line. Here live the profilers, the code
 * objects they look at, and per thread the frames that are running under them. Where the events
 * come from is settrace.c's and monitoring.c's business. With the GIL held.
 *
 * A line's change is memory after it minus memory before it. Two things would count the same bytes
 * twice in one report, and are told apart: while a frame of the same report runs (a recursive call,
 * an inner function, a comprehension), the line that called it stands still; and while a generator
 * or coroutine is suspended, its line does. So the changes of a report add up to what the function
 * did. */
#ifndef MPROF_AGENT_TRACER_H
#define MPROF_AGENT_TRACER_H

#include "lines.h"
#include "meter.h"

/* How a profiler measures: mprof__profiler_new's flags. */
enum {
    MPROF_PROFILER_CHILDREN = 1, /* memory of child processes is added */
    MPROF_PROFILER_PEAKS = 2,    /* the highest value within a line */
    MPROF_PROFILER_TIMES = 4,    /* wall time of a line */
};

typedef struct mprof_profiler mprof_profiler;

/* One report: a function and the functions, lambdas and comprehensions written in it. */
typedef struct mprof_block {
    mprof_profiler *profiler; /* borrowed: it owns us */
    mprof_lines lines;
    unsigned running; /* frames of it that are being traced */
} mprof_block;

/* A code object that some profiler looks at. */
typedef struct mprof_code {
    PyObject *code; /* owned */
    struct mprof_code *next;
    struct mprof_code_link *links; /* the blocks it belongs to, one per profiler */
    int first_line;
    bool generator;     /* its frames can be suspended */
    bool comprehension; /* a frame of its own before 3.12: part of the line it stands in */
    bool watched;       /* sys.monitoring sends its events */
    struct {
        int offset; /* of a backward jump, plus 1 */
        bool same_line;
    } jumps[8];
} mprof_code;

/* A new profiler, or NULL with an exception. limit_bytes: above it `on_limit(frame, line, bytes)`
 * is called when the value is first seen to have crossed it; 0 for none. */
mprof_profiler *mprof__profiler_new(const char *backend, unsigned flags, int64_t limit_bytes,
                                    PyObject *on_limit);

/* Forgets the profiler; it is freed when no frame under it is running any more. */
void mprof__profiler_release(mprof_profiler *profiler);

/* Adds a code object to the block with this index, or to a new one if `block` is -1. Returns the
 * index of the block it belongs to (the one it already had, where it is known), -1 with an
 * exception. */
int mprof__profiler_add(mprof_profiler *profiler, PyObject *code, int block);

/* Profiling in this thread goes on until disabled as often as enabled. 0, or -1 with an exception.
 */
int mprof__profiler_enable(mprof_profiler *profiler);
int mprof__profiler_disable(mprof_profiler *profiler);

/* NULL: no such block. */
mprof_block *mprof__profiler_block(mprof_profiler *profiler, int index);

/* What an event source tells. `frame` is the frame's identity and is not kept. Each returns 0, or
 * -1 with an exception (of on_limit) that is to be raised in the program. */

/* The code object's entry, NULL if no profiler looks at it. */
mprof_code *mprof__code_find(PyObject *code);

/* The frames of one thread that are running under a profiler. */
typedef struct mprof_tracer mprof_tracer;

/* Those of this thread. To be asked for once per event: finding them takes as long as most of what
 * is done with them. */
mprof_tracer *mprof__tracer_here(void);
/* Whether there are any. */
bool mprof__tracer_is_running(const mprof_tracer *tracer);
/* Whether the thread has a profiler that is enabled. */
bool mprof__tracer_is_enabled(const mprof_tracer *tracer);
/* Whether the running frame may be one of them: most are of code that nobody profiles. */
bool mprof__tracer_looks_at(const mprof_tracer *tracer, PyObject *frame);

/* A frame begins (fresh), or goes on at `line` after it was suspended. */
int mprof__tracer_enter(mprof_tracer *tracer, PyObject *frame, mprof_code *code, int line,
                        bool fresh);
/* A line begins, which ends the one before it. */
int mprof__tracer_line(mprof_tracer *tracer, PyObject *frame, int line);
/* The same line begins once more: a loop that is written in one line. */
int mprof__tracer_again(mprof_tracer *tracer, PyObject *frame);
/* A frame ends or is suspended. */
int mprof__tracer_leave(mprof_tracer *tracer, PyObject *frame);

/* What an event source provides. */

/* The first profiler of this thread was enabled, the last one disabled. 0, or -1 with an exception.
 */
int mprof__events_start(void);
void mprof__events_stop(void);
/* A code object is to be watched from now on, or not any more. 0, or -1 with an exception. */
int mprof__events_watch(mprof_code *code);
void mprof__events_forget(mprof_code *code);

#endif
