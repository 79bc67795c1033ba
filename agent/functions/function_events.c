/* See function_events.h. From CPython 3.12 on sys.monitoring reports events, which belong to code,
 * not to functions. A function of a module or class
 * has its code for itself: the events of the code are its calls (function_calls.h). A closure
 * shares its code with others, decorated or not: its own entry point is replaced
 * (watched_functions.h). Generators and coroutines are known from their creation, through that
 * entry point too, and then by their frames (suspendable_frames.h). */
#include "function_events.h"

#include "function_calls.h"
#include "suspendable_frames.h"
#include "sys_monitoring.h"
#include "watched_code.h"
#include "watched_functions.h"

static enum { UNTRIED, READY, FAILED, ENDED } state;
static bool has_code_events; /* if not, the entry points of all functions are replaced */

static PyObject *return_none(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *on_start(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    mprof__suspendable_frames_settle();
    mprof__span_check();
    mprof__watched_code *code = mprof__watched_code_find(arguments[0]);
    (void)self;
    (void)count;
    if (code && code->name) {
        if (!code->is_shared) {
            mprof__function_call_begin(arguments[0], code->name);
        }
    } else if (code) {
        mprof__suspendable_frame_begin(code->frame_name);
    }
    return return_none();
}

static PyObject *on_return(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    mprof__watched_code *code = mprof__watched_code_find(arguments[0]);
    (void)self;
    (void)count;
    if (code && code->name) {
        mprof__function_call_end(arguments[0], false);
    } else if (code) {
        mprof__suspendable_frame_end(false);
    }
    return return_none();
}

static PyObject *on_unwind(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    mprof__watched_code *code = mprof__watched_code_find(arguments[0]);
    (void)self;
    if (code && code->name) {
        mprof__function_call_end(arguments[0], true);
    } else if (code) {
        bool is_close = count > 2 && PyErr_GivenExceptionMatches(arguments[2], PyExc_GeneratorExit);
        mprof__suspendable_frame_end(!is_close);
    }
    return return_none();
}

static PyObject *on_yield(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    (void)arguments;
    (void)count;
    mprof__suspendable_frame_suspend();
    return return_none();
}

static PyObject *on_resume(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    (void)count;
    if (mprof__watched_code_find(arguments[0])) {
        mprof__suspendable_frame_resume();
    }
    return return_none();
}

static bool set_up(void)
{
    static const mprof__monitoring_callbacks callbacks = {
        .on_start = on_start,
        .on_return = on_return,
        .on_unwind = on_unwind,
        .on_yield = on_yield,
        .on_resume = on_resume,
    };
    if (!mprof__python.function_set_vectorcall) {
        return false;
    }
    has_code_events = mprof__python.code_extra_index != NULL;
    if (!has_code_events) {
        return mprof__watched_functions_setup();
    }
    return mprof__sys_monitoring_find() && mprof__suspendable_frames_setup() &&
           mprof__watched_code_setup() && mprof__watched_functions_setup() &&
           mprof__sys_monitoring_open(&callbacks);
}

static bool is_ready(void)
{
    if (state == UNTRIED) {
        state = set_up() ? READY : FAILED;
        PyErr_Clear();
    }
    return state == READY;
}

static bool is_equal_text(PyObject *left, PyObject *right)
{
    return left && right && PyUnicode_Check(left) && PyUnicode_Check(right) &&
           PyUnicode_Compare(left, right) == 0;
}

/* Whether the code belongs to this function alone: the function still has the name it was defined
 * with, and was not defined inside another function. */
static bool owns_its_code(PyObject *function, PyObject *code)
{
    PyObject *named = PyObject_GetAttrString(function, "__qualname__");
    PyObject *defined = PyObject_GetAttrString(code, "co_qualname");
    PyObject *locals = PyUnicode_FromString("<locals>");
    bool result =
        is_equal_text(named, defined) && locals && PyUnicode_Contains(defined, locals) == 0;

    Py_XDECREF(named);
    Py_XDECREF(defined);
    Py_XDECREF(locals);
    PyErr_Clear();
    return result;
}

static bool is_suspendable(PyObject *code)
{
    return (mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) != 0;
}

static bool watch(PyObject *function, PyObject *code, mprof__name *name)
{
    bool makes_suspendable = is_suspendable(code);

    if (mprof__watched_function_exists(function, code)) {
        return true;
    }
    if (has_code_events && !makes_suspendable && owns_its_code(function, code) &&
        mprof__watched_code_add(code, name)) {
        /* failure only means that a change of its code will not be followed */
        mprof__watched_function_add(function, name, false, true);
        return true;
    }
    return mprof__watched_function_add(function, name, makes_suspendable, false);
}

bool mprof__function_events_watch(PyObject *function, mprof__name *name)
{
    if (Py_TYPE(function) != mprof__python.function_type || !is_ready()) {
        return false;
    }
    bool done = watch(function, mprof__python.function_code(function), name);
    PyErr_Clear();
    return done;
}

bool mprof__function_events_watch_code(PyObject *code, mprof__name *name)
{
    if (!is_ready() || !has_code_events) {
        return false;
    }
    mprof__span_expect_calls();
    if (!is_suspendable(code)) {
        if (!mprof__watched_code_add(code, name)) {
            return false;
        }
        mprof__watched_code_find(code)->is_pattern = true;
        return true;
    }
    if (!mprof__watched_code_add(code, NULL)) {
        return false;
    }
    mprof__watched_code_find(code)->frame_name = name;
    return true;
}

bool mprof__function_events_has(PyObject *function)
{
    if (state != READY || Py_TYPE(function) != mprof__python.function_type) {
        return false;
    }
    PyObject *code = mprof__python.function_code(function);
    return mprof__watched_code_has_calls(mprof__watched_code_find(code)) ||
           mprof__watched_function_exists(function, code);
}

void mprof__function_events_release(void)
{
    if (state != READY) {
        return;
    }
    mprof__suspendable_frames_settle();
    if (has_code_events) {
        mprof__watched_code_release_all();
        mprof__sys_monitoring_close();
    }
    mprof__watched_functions_release_all();
    mprof__suspendable_frames_release_all();
    state = UNTRIED;
}

void mprof__function_events_flush(void)
{
    mprof__suspendable_frames_finalise();
    state = ENDED;
}
