/* 3.8 passes other arguments to a frame evaluator than 3.9 and later. */
#include "frame_entry.h"

#include <string.h>

#include "agent/events/stack.h"
#include "line_events_settrace.h"
#include "tracer.h"

static mprof__frame_evaluator next; /* the evaluator that ours replaces */
static mprof__frame_evaluator_of_38 next_of_38;

static bool is_root(PyObject *code)
{
    mprof__code *entry = mprof__code_find(code);
    return entry && entry->roots > 0;
}

static void begin(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (!mprof__tracer_is_enabled(mprof__tracer_here())) {
        PyErr_Fetch(&type, &value, &traceback); /* an exception thrown into a generator */
        if (mprof__settrace_start() != 0) {
            PyErr_Clear();
        }
        PyErr_Restore(type, value, traceback);
    }
}

/* Ends the frame here too: its end has no event if the program has replaced the trace function. */
static void end(PyObject *frame)
{
    mprof__tracer *tracer = mprof__tracer_here();
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (frame && mprof__tracer_leave(tracer, frame) < 0) {
        PyErr_Clear();
    }
    if (!mprof__tracer_is_enabled(tracer)) {
        mprof__settrace_stop();
    }
    PyErr_Restore(type, value, traceback);
}

static PyObject *evaluate_of_38(void *frame, int is_throw)
{
    if (!is_root(mprof__python_evaluated_code(frame))) {
        return next_of_38(frame, is_throw);
    }
    begin();
    PyObject *result = next_of_38(frame, is_throw);
    end(mprof__python_evaluated_frame(frame));
    return result;
}

/* 3.11 calls Python functions without C stack, and so does not check it; with our evaluator each
 * call needs some. */
static bool is_too_deep(PyObject *code)
{
    return mprof__python.version >= 0x030b0000 && mprof__stack_is_short() &&
           (mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) == 0;
}

static PyObject *evaluate(void *thread, void *frame, int is_throw)
{
    PyObject *code = mprof__python_evaluated_code(frame);

    if (is_too_deep(code)) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
        return NULL;
    }
    if (!is_root(code)) {
        return next(thread, frame, is_throw);
    }
    begin();
    PyObject *result = next(thread, frame, is_throw);
    end(mprof__python_evaluated_frame(frame));
    return result;
}

bool mprof__frame_entry_watch(void)
{
    if (!next) {
        next = mprof__python_replace_evaluator(evaluate, evaluate_of_38);
        memcpy(&next_of_38, &next, sizeof next);
    }
    return next != NULL;
}
