/* See direct_calls.h. A frame does not show its function, so a direct call is recorded if a
 * decorated function has the frame's code and variables. A generator function that is called
 * directly is not recorded. */
#include "direct_calls.h"

#include <string.h>

#include "watched_functions.h"

static bool has_modules;
static bool has_functions;
static bool is_observing;
static mprof__frame_evaluator next; /* the evaluator that ours replaces */
static mprof__frame_evaluator_of_38 next_of_38;
static __thread PyObject *entered; /* borrowed: the code of a function whose entry was called */

static bool are_possible(void)
{
    return mprof__python.version < 0x030a0000;
}

/* Whether the frame is a direct call of a decorated function. Begins its span. */
static bool begin(mprof__span *span, void *frame)
{
    PyObject *code = mprof__python_evaluated_code(frame);
    mprof__name *name = mprof__watched_function_of_frame(frame, code);

    if (!name || (mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) != 0) {
        return false;
    }
    if (entered == code) {
        entered = NULL;
        return false;
    }
    if (mprof__span_recorder_is_gone) {
        mprof__span_detach();
        return false;
    }
    mprof__span_begin(span, name);
    return true;
}

static PyObject *evaluate_of_38(void *frame, int is_throw)
{
    mprof__span span;

    if (!begin(&span, frame)) {
        return next_of_38(frame, is_throw);
    }
    PyObject *result = next_of_38(frame, is_throw);
    mprof__span_end(&span, !result);
    return result;
}

static PyObject *evaluate(void *thread, void *frame, int is_throw)
{
    mprof__span span;

    if (!begin(&span, frame)) {
        return next(thread, frame, is_throw);
    }
    PyObject *result = next(thread, frame, is_throw);
    mprof__span_end(&span, !result);
    return result;
}

static void observe_if_needed(void)
{
    if (has_modules && has_functions && !is_observing) {
        mprof__frame_evaluator before = mprof__python_replace_evaluator(evaluate, evaluate_of_38);
        if (before) {
            next = before;
            memcpy(&next_of_38, &next, sizeof next);
            is_observing = true;
        }
    }
}

/* The interpreter's own extension modules are not made by Cython. */
static bool is_own_module(const char *file)
{
    return strstr(file, "/lib-dynload/") != NULL;
}

void mprof__direct_calls_expect_module(const char *file)
{
    if (are_possible() && !has_modules && (!file || !is_own_module(file))) {
        has_modules = true;
        observe_if_needed();
    }
}

bool mprof__direct_calls_expect_function(void)
{
    if (are_possible() && !has_functions) {
        has_functions = true;
        observe_if_needed();
    }
    return are_possible();
}

void mprof__direct_calls_enter(PyObject *code)
{
    if (is_observing) {
        entered = code;
    }
}

void mprof__direct_calls_leave(void)
{
    if (is_observing) {
        entered = NULL; /* the call may have failed without a frame */
    }
}

/* Another evaluator, put in front of ours, may still call ours: then it finds no functions. */
void mprof__direct_calls_release(void)
{
    has_functions = false;
    if (is_observing && mprof__python_restore_evaluator(evaluate, evaluate_of_38, next)) {
        is_observing = false;
    }
}
