/* Before 3.15 the events of frames that an exception ends or resumes (PY_UNWIND, PY_THROW) cannot
 * be requested per code object. They are on for all code, and cost only where exceptions pass. */
#include "line_events_monitoring.h"

#include <string.h>

#include "tracer.h"

#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080 /* not in the limited API before 3.10; the number never changed */
#endif

static struct {
    PyObject *monitoring; /* owned: sys.monitoring */
    PyObject *disable;    /* owned */
    int tool;             /* -1: not claimed yet */
    long local_events;
} state = {.tool = -1};

static PyObject *none(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *none_or_error(int status)
{
    return status < 0 ? NULL : none();
}

static PyObject *running_frame(void)
{
    return (PyObject *)PyEval_GetFrame();
}

/* code, offset */
static PyObject *on_start(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    (void)count;
    mprof__tracer *tracer = mprof__tracer_here();
    mprof__code *code = mprof__code_find(arguments[0]);
    if (!code || (code->roots == 0 && !mprof__tracer_is_enabled(tracer))) {
        return none();
    }
    return none_or_error(
        mprof__tracer_enter(tracer, running_frame(), code, code->first_line, true));
}

/* code, offset [, exception] */
static PyObject *on_resume(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    (void)count;
    mprof__tracer *tracer = mprof__tracer_here();
    mprof__code *code = mprof__code_find(arguments[0]);
    if (!code || (code->roots == 0 && !mprof__tracer_is_enabled(tracer))) {
        return none();
    }
    PyObject *frame = running_frame();
    int line = mprof__python_frames.frame_line(frame);
    return none_or_error(mprof__tracer_enter(tracer, frame, code, line, false));
}

/* code, line */
static PyObject *on_line(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    (void)count;
    mprof__tracer *tracer = mprof__tracer_here();
    if (!mprof__tracer_is_running(tracer)) {
        return none();
    }
    return none_or_error(
        mprof__tracer_line(tracer, running_frame(), (int)PyLong_AsLong(arguments[1])));
}

/* Whether a jump leads back within its line; the answer is cached. */
static bool is_loop_in_line(mprof__code *code, int from, int to)
{
    size_t slot = ((size_t)from >> 1) % (sizeof code->jumps / sizeof code->jumps[0]);

    if (code->jumps[slot].offset != from + 1) {
        code->jumps[slot].offset = from + 1;
        code->jumps[slot].same_line =
            to < from && mprof__python_frames.code_line(code->code, from) ==
                             mprof__python_frames.code_line(code->code, to);
    }
    return code->jumps[slot].same_line;
}

/* code, offset, destination. A loop in one line has a LINE event for its first round only. */
static PyObject *on_jump(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    (void)count;
    mprof__tracer *tracer = mprof__tracer_here();
    mprof__code *code = mprof__code_find(arguments[0]);
    if (code &&
        is_loop_in_line(code, (int)PyLong_AsLong(arguments[1]), (int)PyLong_AsLong(arguments[2]))) {
        return none_or_error(mprof__tracer_is_running(tracer)
                                 ? mprof__tracer_repeat_line(tracer, running_frame())
                                 : 0);
    }
    Py_INCREF(state.disable);
    return state.disable;
}

/* code, offset, value or exception */
static PyObject *on_leave(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    (void)arguments;
    (void)count;
    mprof__tracer *tracer = mprof__tracer_here();
    return none_or_error(
        mprof__tracer_is_running(tracer) ? mprof__tracer_leave(tracer, running_frame()) : 0);
}

#define CALLBACK(name, function)                                                                   \
    {                                                                                              \
        (name), (PyCFunction)(void (*)(void))(function), METH_FASTCALL, NULL                       \
    }

static struct {
    PyMethodDef method; /* its name is the event's */
    bool local;
} events[] = {
    {CALLBACK("PY_START", on_start), true},   {CALLBACK("PY_RESUME", on_resume), true},
    {CALLBACK("PY_RETURN", on_leave), true},  {CALLBACK("PY_YIELD", on_leave), true},
    {CALLBACK("LINE", on_line), true},        {CALLBACK("JUMP", on_jump), true},
    {CALLBACK("PY_UNWIND", on_leave), false}, {CALLBACK("PY_THROW", on_resume), false},
};

/* The profilers' number first, then those that PEP 669 assigns to no kind of tool, then any. */
static int claim_tool(void)
{
    static const int preferred[] = {2, 3, 4, 1, 5, 0};

    for (size_t i = 0; i < sizeof preferred / sizeof preferred[0]; i++) {
        PyObject *result =
            PyObject_CallMethod(state.monitoring, "use_tool_id", "is", preferred[i], "mprof");
        if (result) {
            Py_DECREF(result);
            state.tool = preferred[i];
            return 0;
        }
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return -1;
        }
        PyErr_Clear();
    }
    PyErr_SetString(PyExc_RuntimeError,
                    "all six tool numbers of sys.monitoring are in use: free one");
    return -1;
}

static int register_event(PyObject *numbers, size_t i, long *global_events)
{
    int status = -1;
    PyObject *number = PyObject_GetAttrString(numbers, events[i].method.ml_name);
    PyObject *function = PyCFunction_NewEx(&events[i].method, NULL, NULL);
    PyObject *result = NULL;

    if (number && function) {
        result = PyObject_CallMethod(state.monitoring, "register_callback", "iOO", state.tool,
                                     number, function);
    }
    if (result) {
        long *set = events[i].local ? &state.local_events : global_events;
        *set |= PyLong_AsLong(number);
        status = 0;
    }
    Py_XDECREF(result);
    Py_XDECREF(function);
    Py_XDECREF(number);
    return status;
}

static int register_all(void)
{
    long global_events = 0;
    int status = 0;
    PyObject *numbers = PyObject_GetAttrString(state.monitoring, "events");

    for (size_t i = 0; numbers && i < sizeof events / sizeof events[0]; i++) {
        status |= register_event(numbers, i, &global_events);
    }
    if (!numbers || status != 0) {
        Py_XDECREF(numbers);
        return -1;
    }
    Py_DECREF(numbers);
    PyObject *result =
        PyObject_CallMethod(state.monitoring, "set_events", "il", state.tool, global_events);
    Py_XDECREF(result);
    return !result ? -1 : 0;
}

int mprof__monitoring_start(void)
{
    if (state.tool >= 0) {
        return 0;
    }
    if (!state.monitoring) {
        PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
        if (!monitoring) {
            PyErr_SetString(PyExc_RuntimeError, "sys.monitoring is missing");
            return -1;
        }
        state.disable = PyObject_GetAttrString(monitoring, "DISABLE");
        if (!state.disable) {
            return -1;
        }
        Py_INCREF(monitoring);
        state.monitoring = monitoring;
    }
    return claim_tool() != 0 ? -1 : register_all();
}

static int set_local_events(mprof__code *code, long wanted)
{
    PyObject *result = PyObject_CallMethod(state.monitoring, "set_local_events", "iOl", state.tool,
                                           code->code, wanted);
    Py_XDECREF(result);
    return !result ? -1 : 0;
}

static void unwatch(mprof__code *code)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (set_local_events(code, 0) != 0) {
        PyErr_Clear(); /* a finalised interpreter has no sys.monitoring any more */
    }
    PyErr_Restore(type, value, traceback);
    code->unwatch = NULL;
}

int mprof__monitoring_watch(mprof__code *code)
{
    if (mprof__monitoring_start() != 0 || set_local_events(code, state.local_events) != 0) {
        return -1;
    }
    code->unwatch = unwatch;
    return 0;
}
