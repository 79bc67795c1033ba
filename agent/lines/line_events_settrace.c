/* Passes events on as sys.settrace would have sent them. */
#include "line_events_settrace.h"

#include <string.h>

#include "tracer.h"

/* PyTrace_CALL and so on: the same in every version */
enum { EVENT_CALL = 0, EVENT_EXCEPTION = 1, EVENT_LINE = 2, EVENT_RETURN = 3, EVENT_OPCODE = 7 };

typedef struct thread_state {
    PyObject *next; /* owned: the trace function that was set before */
} thread_state;

static __thread thread_state here;

static unsigned threads_with_next; /* checked first: reading `here` is slower */

static PyObject *trace_object; /* owned: what sys.gettrace() returns */

/* Takes over the reference to `next`. The previous one is released last: that may run any code. */
static void set_next(PyObject *next)
{
    PyObject *before = here.next;

    threads_with_next += (next ? 1U : 0U) - (before ? 1U : 0U);
    here.next = next;
    Py_XDECREF(before);
}

static const char *event_name(int what)
{
    return what == EVENT_CALL        ? "call"
           : what == EVENT_EXCEPTION ? "exception"
           : what == EVENT_LINE      ? "line"
           : what == EVENT_RETURN    ? "return"
           : what == EVENT_OPCODE    ? "opcode"
                                     : NULL;
}

/* As CPython calls a function set by sys.settrace: at the call of a frame; what it returns there
 * becomes the frame's f_trace, which is called at all further events of the frame. */
static int call_next(PyObject *frame, int what, PyObject *argument)
{
    const char *name = event_name(what);
    PyObject *local = NULL;
    PyObject *answer;
    int status = 0;

    if (!here.next || !name) {
        return 0;
    }
    if (what == EVENT_CALL) {
        local = here.next;
        Py_INCREF(local);
    } else {
        local = PyObject_GetAttrString(frame, "f_trace");
    }
    if (!local || local == Py_None) {
        Py_XDECREF(local);
        PyErr_Clear();
        return 0;
    }
    answer = PyObject_CallFunction(local, "OsO", frame, name, argument ? argument : Py_None);
    if (!answer) {
        set_next(NULL); /* as CPython does: one that fails is not called again */
        status = -1;
    } else if (answer != Py_None) {
        status = PyObject_SetAttrString(frame, "f_trace", answer);
    }
    Py_XDECREF(answer);
    Py_DECREF(local);
    return status;
}

static int on_call(PyObject *frame)
{
    PyObject *code = mprof__python_frame_code(frame);
    mprof__code *entry = mprof__code_find(code);

    if (!entry) {
        return 0;
    }
    bool fresh = !entry->generator || mprof__python_frame_begins(frame, code);
    int line = fresh ? entry->first_line : mprof__python_frames.frame_line(frame);
    return mprof__tracer_enter(mprof__tracer_here(), frame, entry, line, fresh);
}

static int trace(PyObject *self, PyObject *frame, int what, PyObject *argument)
{
    int status = 0;
    (void)self;

    if (what == EVENT_CALL) {
        status = on_call(frame);
    } else if (what == EVENT_LINE || what == EVENT_RETURN) {
        mprof__tracer *tracer = mprof__tracer_here();
        if (!mprof__tracer_may_hold(tracer, frame)) {
            status = 0;
        } else if (what == EVENT_LINE) {
            status = mprof__tracer_line(tracer, frame, mprof__python_frame_event_line(frame));
        } else {
            status = mprof__tracer_leave(tracer, frame);
        }
        if (status > 0) {
            status = mprof__tracer_is_enabled(tracer) ? mprof__settrace_start() : 0;
        }
    }
    return threads_with_next == 0 || status != 0 ? status : call_next(frame, what, argument);
}

/* For programs that save what sys.gettrace() returns and later give it to sys.settrace. */
static PyObject *call_from_python(PyObject *self, PyObject *arguments)
{
    PyObject *frame;
    const char *name;
    PyObject *argument;

    if (!PyArg_ParseTuple(arguments, "OsO", &frame, &name, &argument)) {
        return NULL;
    }
    mprof__python_frames.set_trace(trace, trace_object);
    for (int what = EVENT_CALL; what <= EVENT_OPCODE; what++) {
        const char *known = event_name(what);
        if (known && strcmp(known, name) == 0 &&
            trace(self, frame, what, argument == Py_None ? NULL : argument) != 0) {
            return NULL;
        }
    }
    Py_INCREF(trace_object);
    return trace_object;
}

static PyMethodDef trace_method = {"mprof__trace", call_from_python, METH_VARARGS, NULL};

/* Borrowed; NULL if none is set. */
static PyObject *current_trace_function(void)
{
    PyObject *getter = PySys_GetObject("gettrace");
    PyObject *set = getter ? PyObject_CallObject(getter, NULL) : NULL;
    if (!set) {
        PyErr_Clear();
        return NULL;
    }
    Py_DECREF(set); /* the thread holds it */
    return set == Py_None ? NULL : set;
}

int mprof__settrace_start(void)
{
    PyObject *set = current_trace_function();

    if (!trace_object) {
        trace_object = PyCFunction_NewEx(&trace_method, NULL, NULL);
        if (!trace_object) {
            return -1;
        }
    }
    if (set != trace_object) {
        Py_XINCREF(set);
        set_next(set);
    }
    mprof__python_frames.set_trace(trace, trace_object);
    return 0;
}

void mprof__settrace_stop(void)
{
    PyObject *next = here.next;

    Py_XINCREF(next);
    set_next(NULL);
    if (current_trace_function() == trace_object) {
        mprof__python_frames.set_trace(NULL, NULL);
        PyObject *setter = next ? PySys_GetObject("settrace") : NULL;
        PyObject *result = setter ? PyObject_CallFunctionObjArgs(setter, next, NULL) : NULL;
        Py_XDECREF(result);
        PyErr_Clear();
    }
    Py_XDECREF(next);
}
