/* Turns events of lines and frames into numbers per line. Keeps, for each thread, the frames that
 * run under a profiler. line_events_monitoring.c and line_events_settrace.c emit the events. All
 * functions need the GIL.
 *
 * A line's change is memory after it minus memory before it. No byte counts twice in a report: a
 * line is not measured while a frame of the same report that it called runs (a recursive call, an
 * inner function, a comprehension), nor while its generator or coroutine is suspended. So the
 * changes of a report add up to what the function did. */
#ifndef MPROF_AGENT_TRACER_H
#define MPROF_AGENT_TRACER_H

#include "profiler.h"

typedef struct mprof__tracer mprof__tracer;

/* The tracer of this thread. Call it once per event: the look-up of the thread-local variable costs
 * as much as most of the work. */
mprof__tracer *mprof__tracer_here(void);
/* Whether any frame of the thread runs under a profiler. */
bool mprof__tracer_is_running(const mprof__tracer *tracer);
/* Whether the thread has an enabled profiler. */
bool mprof__tracer_is_enabled(const mprof__tracer *tracer);
/* Whether the frame may run under a profiler: a quick check, since most do not. */
bool mprof__tracer_may_hold(const mprof__tracer *tracer, PyObject *frame);

/* ---- events ---- */

/* `frame` only identifies the frame; no reference is kept. Each returns 0; 1 if on_limit was
 * called, which may have replaced the trace function by a debugger's; or -1 with an exception of
 * on_limit, which the caller raises in the program. */

/* A frame begins (fresh), or resumes at `line`. */
int mprof__tracer_enter(mprof__tracer *tracer, PyObject *frame, mprof__code *code, int line,
                        bool fresh);
/* A line begins, which ends the one before it. */
int mprof__tracer_line(mprof__tracer *tracer, PyObject *frame, int line);
/* The same line begins again: a loop written in one line. */
int mprof__tracer_repeat_line(mprof__tracer *tracer, PyObject *frame);
/* A frame ends or is suspended. */
int mprof__tracer_leave(mprof__tracer *tracer, PyObject *frame);

/* ---- enabling ---- */

/* change: 1 when a profiler was enabled, -1 when it was disabled. */
void mprof__tracer_count_enabled(mprof__tracer *tracer, int change);
/* Ends the lines of all frames under this profiler, and removes the frames. */
void mprof__tracer_remove_profiler(mprof__tracer *tracer, mprof__profiler *profiler);

#endif
