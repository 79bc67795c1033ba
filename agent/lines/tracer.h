/* From "a line begins" and "a frame ends" to numbers per line: per thread the frames that are
 * running under a profiler. Where the events come from is settrace.c's and monitoring.c's business.
 * With the GIL held.
 *
 * A line's change is memory after it minus memory before it. Two things would count the same bytes
 * twice in one report, and are told apart: while a frame of the same report runs (a recursive call,
 * an inner function, a comprehension), the line that called it stands still; and while a generator
 * or coroutine is suspended, its line does. So the changes of a report add up to what the function
 * did. */
#ifndef MPROF_AGENT_TRACER_H
#define MPROF_AGENT_TRACER_H

#include "profiler.h"

/* The frames of one thread that are running under a profiler. */
typedef struct mprof__tracer mprof__tracer;

/* Those of this thread. To be asked for once per event: finding them takes as long as most of what
 * is done with them. */
mprof__tracer *mprof__tracer_here(void);
/* Whether there are any. */
bool mprof__tracer_is_running(const mprof__tracer *tracer);
/* Whether the thread has a profiler that is enabled. */
bool mprof__tracer_is_enabled(const mprof__tracer *tracer);
/* Whether the running frame may be one of them: most are of code that nobody profiles. */
bool mprof__tracer_looks_at(const mprof__tracer *tracer, PyObject *frame);

/* What an event source tells. `frame` is the frame's identity and is not kept. Each returns 0; 1 if
 * on_limit was called, which may have put a debugger in the source's place; or -1 with an exception
 * (of on_limit) that is to be raised in the program. */

/* A frame begins (fresh), or goes on at `line` after it was suspended. */
int mprof__tracer_enter(mprof__tracer *tracer, PyObject *frame, mprof__code *code, int line,
                        bool fresh);
/* A line begins, which ends the one before it. */
int mprof__tracer_line(mprof__tracer *tracer, PyObject *frame, int line);
/* The same line begins once more: a loop that is written in one line. */
int mprof__tracer_again(mprof__tracer *tracer, PyObject *frame);
/* A frame ends or is suspended. */
int mprof__tracer_leave(mprof__tracer *tracer, PyObject *frame);

/* What those who enable profilers tell. */

/* One more is enabled (1), or one less (-1). */
void mprof__tracer_count_enabled(mprof__tracer *tracer, int change);
/* The profiler is disabled: the lines its frames are on end here. */
void mprof__tracer_drop(mprof__tracer *tracer, mprof__profiler *profiler);

#endif
