/* Uses the parser's streaming reader: a recording is not held in memory twice. */
#include "recording_reader.h"

#include <errno.h>
#include <mprof/reader.h>
#include <stdlib.h>
#include <string.h>

typedef struct content {
    PyObject *mem; /* all owned */
    PyObject *times;
    PyObject *functions;
    PyObject *command_line; /* NULL: none seen */
    PyObject *children;
} content;

static int append(PyObject *list, PyObject *item)
{
    int status = !item ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return status;
}

static mprof_status status_of(int python_status)
{
    return python_status == 0 ? MPROF_OK : MPROF_ENOMEM; /* the Python exception has the reason */
}

static PyObject *text_of(mprof_text text)
{
    return PyUnicode_DecodeUTF8(text.bytes, (Py_ssize_t)text.length, "surrogateescape");
}

/* Appends to the list at dict[key], which is made if missing. Takes over `item`. */
static int append_under(PyObject *dict, PyObject *key, PyObject *item)
{
    PyObject *list = PyDict_GetItemWithError(dict, key); /* borrowed */
    if (!list) {
        if (PyErr_Occurred()) {
            Py_XDECREF(item);
            return -1;
        }
        list = PyList_New(0);
        if (!list || PyDict_SetItem(dict, key, list) != 0) {
            Py_XDECREF(list);
            Py_XDECREF(item);
            return -1;
        }
        Py_DECREF(list); /* the dictionary holds it */
    }
    return append(list, item);
}

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    content *into = data;
    int status = 0;

    for (size_t i = 0; i < count && status == 0; i++) {
        status = append(into->mem, PyFloat_FromDouble(samples[i].mib)) |
                 append(into->times, PyFloat_FromDouble(samples[i].time_s));
    }
    return status_of(status);
}

static int add_call(content *into, const mprof_call *call)
{
    PyObject *name = text_of(call->name);
    PyObject *span;
    int status;

    if (!name) {
        return -1;
    }
    if (call->level == MPROF_LEVEL_NONE) {
        span = Py_BuildValue("[dddd]", call->enter.time_s, call->exit.time_s, call->enter.mib,
                             call->exit.mib);
    } else {
        span = Py_BuildValue("[ddddi]", call->enter.time_s, call->exit.time_s, call->enter.mib,
                             call->exit.mib, (int)call->level);
    }
    status = append_under(into->functions, name, span);
    Py_DECREF(name);
    return status;
}

static int add_child(content *into, const mprof_record *record)
{
    PyObject *pid = PyUnicode_FromFormat("%lld", (long long)record->pid);
    int status = -1;

    if (pid) {
        status = append_under(into->children, pid,
                              Py_BuildValue("(dd)", record->sample.mib, record->sample.time_s));
        Py_DECREF(pid);
    }
    return status;
}

static int set_command_line(content *into, mprof_text text)
{
    PyObject *line = text_of(text);
    PyObject *whole = line ? PyUnicode_FromFormat("%U\n", line) : NULL;

    Py_XDECREF(line);
    Py_XDECREF(into->command_line);
    into->command_line = whole;
    return !whole ? -1 : 0;
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    content *into = data;

    switch (record->kind) {
    case MPROF_RECORD_FUNC:
        return status_of(add_call(into, &record->call));
    case MPROF_RECORD_CHLD:
        return status_of(add_child(into, record));
    case MPROF_RECORD_CMDLINE:
        return status_of(set_command_line(into, record->text));
    default:
        return MPROF_OK;
    }
}

static void raise_error(const mprof_error *error, const char *path)
{
    char text[600];

    if (PyErr_Occurred()) {
        return;
    }
    if (error->status == MPROF_EIO && error->system_errno != 0) {
        errno = error->system_errno;
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
        return;
    }
    mprof_error_format(error, text, sizeof text);
    PyErr_SetString(error->status == MPROF_ENOTFOUND ? PyExc_FileNotFoundError : PyExc_ValueError,
                    text);
}

static int read_into(content *into, const char *path)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_source *source = NULL;
    mprof_visitor visitor = {.data = into, .samples = add_samples, .record = add_record};
    mprof_status status = mprof_source_open(&source, path, &error);

    if (status == MPROF_OK) {
        status = mprof_read(source, &visitor, &error);
    }
    mprof_source_free(source);
    if (status != MPROF_OK) {
        raise_error(&error, path);
        return -1;
    }
    return 0;
}

PyObject *mprof__recording_read(PyObject *module, PyObject *arguments)
{
    PyObject *path;
    PyObject *result = NULL;
    content into = {NULL, NULL, NULL, NULL, NULL};
    (void)module;

    if (!PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path)) {
        return NULL;
    }
    into.mem = PyList_New(0);
    into.times = PyList_New(0);
    into.functions = PyDict_New();
    into.children = PyDict_New();
    if (into.mem && into.times && into.functions && into.children &&
        read_into(&into, PyBytes_AsString(path)) == 0) {
        result = Py_BuildValue("OOOOO", into.mem, into.times, into.functions,
                               into.command_line ? into.command_line : Py_None, into.children);
    }
    Py_XDECREF(into.mem);
    Py_XDECREF(into.times);
    Py_XDECREF(into.functions);
    Py_XDECREF(into.command_line);
    Py_XDECREF(into.children);
    Py_DECREF(path);
    return result;
}
