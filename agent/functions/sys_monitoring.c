/* See sys_monitoring.h. Until 3.15 the events of exceptions exist only for all code at once. */
#include "sys_monitoring.h"

#include <string.h>

#define FASTCALL 0x0080 /* METH_FASTCALL, which the limited API of 3.8 does not name */
#define EVENTS 6

static PyObject *monitoring; /* owned: sys.monitoring */
static long tool;
static long call_events;
static long suspension_events;
static long exception_events; /* PY_UNWIND | PY_THROW */
static bool exception_is_local;
static bool is_calling; /* sys.monitoring, which has not raised its audit event yet */

static long event_number(const char *name)
{
    PyObject *events = PyObject_GetAttrString(monitoring, "events");
    PyObject *value = events ? PyObject_GetAttrString(events, name) : NULL;
    long number = value ? PyLong_AsLong(value) : -1;

    Py_XDECREF(events);
    Py_XDECREF(value);
    return number;
}

/* Calls a function of sys.monitoring; only its failure matters. Consumes the exception. */
static bool call_monitoring(const char *method, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *arguments = Py_VaBuildValue(format, values);
    va_end(values);
    PyObject *function = arguments ? PyObject_GetAttrString(monitoring, method) : NULL;
    is_calling = true;
    PyObject *result = function ? PyObject_Call(function, arguments, NULL) : NULL;
    is_calling = false;

    Py_XDECREF(arguments);
    Py_XDECREF(function);
    Py_XDECREF(result);
    PyErr_Clear();
    return result != NULL;
}

bool mprof__sys_monitoring_caused_event(void)
{
    bool caused = is_calling;
    is_calling = false;
    return caused;
}

/* Tries the numbers first that are not reserved for a kind of tool. */
static bool take_tool_number(void)
{
    static const long numbers[] = {4, 3};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (call_monitoring("use_tool_id", "(ls)", numbers[i], "mprof")) {
            tool = numbers[i];
            return true;
        }
    }
    return false;
}

static bool register_callbacks(const mprof__monitoring_callbacks *callbacks)
{
    const struct {
        const char *event;
        mprof__monitoring_callback *function;
    } rows[EVENTS] = {
        {"PY_START", callbacks->on_start},   {"PY_RETURN", callbacks->on_return},
        {"PY_UNWIND", callbacks->on_unwind}, {"PY_YIELD", callbacks->on_yield},
        {"PY_RESUME", callbacks->on_resume}, {"PY_THROW", callbacks->on_resume},
    };
    static PyMethodDef methods[EVENTS];

    for (size_t i = 0; i < EVENTS; i++) {
        long event = event_number(rows[i].event);
        methods[i] = (PyMethodDef){rows[i].event, NULL, FASTCALL, NULL};
        memcpy(&methods[i].ml_meth, &rows[i].function, sizeof methods[i].ml_meth);
        PyObject *function = mprof__python.builtin_new(&methods[i], NULL, NULL, NULL);
        bool done = event > 0 && function &&
                    call_monitoring("register_callback", "(llO)", tool, event, function);
        Py_XDECREF(function);
        if (!done) {
            return false;
        }
    }
    return true;
}

bool mprof__sys_monitoring_find(void)
{
    if (!monitoring) {
        PyObject *sys = mprof__python_module("sys");
        monitoring = sys ? PyObject_GetAttrString(sys, "monitoring") : NULL;
        Py_XDECREF(sys);
    }
    return monitoring != NULL;
}

bool mprof__sys_monitoring_open(const mprof__monitoring_callbacks *callbacks)
{
    if (!take_tool_number()) {
        return false;
    }
    if (!register_callbacks(callbacks)) {
        call_monitoring("free_tool_id", "(l)", tool);
        return false;
    }
    call_events = event_number("PY_START") | event_number("PY_RETURN");
    suspension_events = event_number("PY_YIELD") | event_number("PY_RESUME");
    exception_events = event_number("PY_UNWIND") | event_number("PY_THROW");
    exception_is_local = true; /* until it is refused */
    return true;
}

bool mprof__sys_monitoring_watch(PyObject *code, bool suspends)
{
    long events = suspends ? call_events | suspension_events : call_events;

    if (exception_is_local) {
        if (call_monitoring("set_local_events", "(lOl)", tool, code, events | exception_events)) {
            return true;
        }
        exception_is_local = false;
        if (!call_monitoring("set_events", "(ll)", tool, exception_events)) {
            return false;
        }
    }
    return call_monitoring("set_local_events", "(lOl)", tool, code, events);
}

void mprof__sys_monitoring_unwatch(PyObject *code)
{
    call_monitoring("set_local_events", "(lOl)", tool, code, 0L);
}

void mprof__sys_monitoring_close(void)
{
    static const char *const events[EVENTS] = {"PY_START", "PY_RETURN", "PY_UNWIND",
                                               "PY_YIELD", "PY_RESUME", "PY_THROW"};

    call_monitoring("set_events", "(ll)", tool, 0L);
    for (size_t i = 0; i < EVENTS; i++) {
        call_monitoring("register_callback", "(llO)", tool, event_number(events[i]), Py_None);
    }
    call_monitoring("free_tool_id", "(l)", tool);
}
