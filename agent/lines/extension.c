/* The module _mprof: the part of the Python packages that must be fast or needs C. One shared
 * object for CPython 3.8 and later. It returns capsules; the public classes are in Python. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/memory/memory_sampler.h"
#include "agent/memory/process_memory.h"
#include "agent/memory/rss_tracepoint.h"
#include "line_meter.h"
#include "profiler_switch.h"
#include "recording_reader.h"
#include "recursion_depth.h"

#define PROFILER "mprof.profiler"
#define SAMPLER "mprof.sampler"
#define MIB 1048576.0

static PyObject *none_or_error(int status)
{
    if (status != 0) {
        return NULL;
    }
    Py_INCREF(Py_None);
    return Py_None;
}

/* ---- profilers ---- */

static void free_profiler(PyObject *capsule)
{
    mprof__profiler_release(PyCapsule_GetPointer(capsule, PROFILER));
}

static mprof__profiler *profiler_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, PROFILER);
}

/* profiler_new(backend, flags, limit_mib or None, on_limit or None) */
static PyObject *profiler_new(PyObject *module, PyObject *arguments)
{
    const char *backend;
    unsigned flags;
    PyObject *limit;
    PyObject *on_limit;
    double limit_mib = 0;
    int64_t limit_bytes = 0;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "sIOO", &backend, &flags, &limit, &on_limit)) {
        return NULL;
    }
    if (limit != Py_None) {
        limit_mib = PyFloat_AsDouble(limit);
        if (PyErr_Occurred()) {
            return NULL;
        }
        if (!(limit_mib >= 0 && limit_mib < 1e12)) {
            PyErr_SetString(PyExc_ValueError, "max_mem must be a size between 0 and 1e12 MiB");
            return NULL;
        }
        limit_bytes = limit_mib > 0 ? (int64_t)(limit_mib * MIB) : 1; /* 0 means no limit */
    }
    mprof__profiler *profiler =
        mprof__profiler_new(backend, flags, limit_bytes, on_limit == Py_None ? NULL : on_limit);
    if (!profiler) {
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(profiler, PROFILER, free_profiler);
    if (!capsule) {
        mprof__profiler_release(profiler);
    }
    return capsule;
}

/* profiler_add(profiler, code, report or -1) -> report */
static PyObject *profiler_add(PyObject *module, PyObject *arguments)
{
    PyObject *capsule;
    PyObject *code;
    int report;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "OOi", &capsule, &code, &report)) {
        return NULL;
    }
    mprof__profiler *profiler = profiler_of(capsule);
    if (!profiler) {
        return NULL;
    }
    int index = mprof__profiling_add(profiler, code, report);
    return index < 0 ? NULL : PyLong_FromLong(index);
}

/* profiler_add_root(profiler, code) -> whether this interpreter allows it */
static PyObject *profiler_add_root(PyObject *module, PyObject *arguments)
{
    PyObject *capsule;
    PyObject *code;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "OO", &capsule, &code)) {
        return NULL;
    }
    mprof__profiler *profiler = profiler_of(capsule);
    int done = profiler ? mprof__profiling_add_root(profiler, code) : -1;
    return done < 0 ? NULL : PyBool_FromLong(done);
}

static PyObject *profiler_enable(PyObject *module, PyObject *capsule)
{
    mprof__profiler *profiler = profiler_of(capsule);
    (void)module;
    return !profiler ? NULL : none_or_error(mprof__profiling_enable(profiler));
}

static PyObject *profiler_disable(PyObject *module, PyObject *capsule)
{
    mprof__profiler *profiler = profiler_of(capsule);
    (void)module;
    return !profiler ? NULL : none_or_error(mprof__profiling_disable(profiler));
}

static int compare_order(const void *a, const void *b)
{
    const mprof__line *left = *(const mprof__line *const *)a;
    const mprof__line *right = *(const mprof__line *const *)b;
    return (left->order > right->order) - (left->order < right->order);
}

/* (number, change_mib, highest_mib, hits, peak_mib, seconds) */
static PyObject *line_tuple(const mprof__lines *lines, const mprof__line *line)
{
    int number = lines->first + (int)(line - lines->lines);
    return Py_BuildValue("iddKdd", number, (double)line->change_bytes / MIB,
                         (double)line->highest_bytes / MIB, (unsigned long long)line->hits,
                         (double)line->peak_bytes / MIB, (double)line->time_ns * 1e-9);
}

static PyObject *list_lines(const mprof__lines *lines)
{
    const mprof__line **sorted = malloc((lines->ended + 1) * sizeof *sorted);
    PyObject *list = PyList_New(0);
    size_t count = 0;

    if (!sorted || !list) {
        free(sorted);
        Py_XDECREF(list);
        return PyErr_NoMemory();
    }
    for (int i = 0; i < lines->count; i++) {
        if (lines->lines[i].order > 0) {
            sorted[count++] = &lines->lines[i];
        }
    }
    qsort(sorted, count, sizeof *sorted, compare_order);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item = line_tuple(lines, sorted[i]);
        if (!item || PyList_Append(list, item) != 0) {
            Py_DECREF(list);
            list = NULL;
        }
        Py_XDECREF(item);
    }
    free(sorted);
    return list;
}

static mprof__report *report_argument(PyObject *capsule, int index)
{
    mprof__profiler *profiler = profiler_of(capsule);
    mprof__report *report = profiler ? mprof__profiler_report(profiler, index) : NULL;
    if (profiler && !report) {
        PyErr_SetString(PyExc_IndexError, "the profiler has no report with this index");
    }
    return report;
}

/* profiler_lines(profiler, report) -> list of tuples, in the order in which lines ended first */
static PyObject *profiler_lines(PyObject *module, PyObject *arguments)
{
    PyObject *capsule;
    int index;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "Oi", &capsule, &index)) {
        return NULL;
    }
    mprof__report *report = report_argument(capsule, index);
    return !report ? NULL : list_lines(&report->lines);
}

/* profiler_record(profiler, report, line, change_mib, now_mib): adds a value of the caller's */
static PyObject *profiler_record(PyObject *module, PyObject *arguments)
{
    PyObject *capsule;
    int index;
    int line;
    double change_mib;
    double now_mib;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "Oiidd", &capsule, &index, &line, &change_mib, &now_mib)) {
        return NULL;
    }
    mprof__report *report = report_argument(capsule, index);
    if (!report) {
        return NULL;
    }
    mprof__line_part part = {
        .ended = true,
        .hit = true,
        .change_bytes = (int64_t)(change_mib * MIB),
        .now_bytes = (int64_t)(now_mib * MIB),
    };
    mprof__lines_add(&report->lines, line, &part);
    return none_or_error(0);
}

/* ---- functions whose code is replaced ---- */

static PyObject *code_follower; /* owned: called with the old and the new code */

/* Sees every audit event; acts on `function.__code__ = code`, before it happens. */
static int on_audit_event(const char *event, PyObject *arguments, void *unused)
{
    (void)unused;
    if (strcmp(event, "object.__setattr__") != 0 || !code_follower || !PyTuple_Check(arguments) ||
        PyTuple_Size(arguments) != 3) {
        return 0;
    }
    PyObject *function = PyTuple_GetItem(arguments, 0); /* all borrowed */
    PyObject *name = PyTuple_GetItem(arguments, 1);
    PyObject *code = PyTuple_GetItem(arguments, 2);
    mprof__code *known = Py_TYPE(function) == mprof__python.function_type &&
                                 PyUnicode_Check(name) &&
                                 PyUnicode_CompareWithASCIIString(name, "__code__") == 0
                             ? mprof__code_find(mprof__python.function_code(function))
                             : NULL;
    if (known && known->roots > 0) {
        PyObject *result = PyObject_CallFunctionObjArgs(code_follower, known->code, code, NULL);
        Py_XDECREF(result);
        PyErr_Clear();
    }
    return 0;
}

/* follow_code(function(before, after)) */
static PyObject *follow_code(PyObject *module, PyObject *follower)
{
    (void)module;
    if (!code_follower && mprof__python_frames.add_audit_hook(on_audit_event, NULL) != 0) {
        PyErr_Clear(); /* the program's own hook forbids it: replaced code is not followed */
    }
    Py_INCREF(follower);
    Py_XDECREF(code_follower);
    code_follower = follower;
    return none_or_error(0);
}

/* ---- running the program ---- */

/* Keeps the levels that the program has not left, in case it was interrupted in one. */
static PyObject *restore_depth(int before, int begin, PyObject *result)
{
    int now = mprof__recursion_depth_set(before);
    mprof__recursion_depth_set(before + now - begin);
    return result;
}

/* exec_at_depth(code, globals, depth): as exec(), in a frame at that depth of recursion */
static PyObject *exec_at_depth(PyObject *module, PyObject *arguments)
{
    PyObject *code;
    PyObject *globals;
    int depth;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "O!O!i", mprof__python.code_type, &code, &PyDict_Type,
                          &globals, &depth)) {
        return NULL;
    }
    int before = mprof__recursion_depth_set(depth - 1);
    return restore_depth(before, depth - 1, PyEval_EvalCode(code, globals, globals));
}

/* call_at_depth(function, arguments, depth): calls it in a frame at that depth of recursion */
static PyObject *call_at_depth(PyObject *module, PyObject *arguments)
{
    PyObject *function;
    PyObject *values;
    int depth;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "OO!i", &function, &PyTuple_Type, &values, &depth)) {
        return NULL;
    }
    int before = mprof__recursion_depth_set(depth - 1);
    return restore_depth(before, depth - 1, PyObject_CallObject(function, values));
}

/* ---- processes ---- */

static PyObject *raise_for_process(long pid)
{
    PyObject *type = errno == ENOENT || errno == ESRCH   ? PyExc_ProcessLookupError
                     : errno == EACCES || errno == EPERM ? PyExc_PermissionError
                                                         : PyExc_OSError;
    const char *reason =
        type == PyExc_ProcessLookupError ? "there is no such process" : strerror(errno);
    PyErr_Format(type, "cannot read the memory of process %ld: %s", pid, reason);
    return NULL;
}

/* process_memory(pid, backend, include_children) -> MiB */
static PyObject *process_memory(PyObject *module, PyObject *arguments)
{
    long pid;
    const char *backend;
    int children;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "lsp", &pid, &backend, &children)) {
        return NULL;
    }
    int kind = mprof__meter_memory_kind(backend);
    if (kind < 0) {
        return NULL;
    }
    int64_t bytes = mprof__process_memory_read_total(
        (pid_t)pid, (enum mprof__process_memory_kind)kind, children);
    return bytes < 0 ? raise_for_process(pid) : PyFloat_FromDouble((double)bytes / MIB);
}

/* reset_peak(): resets the kernel's high-water mark of this process */
static PyObject *reset_peak(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    mprof__meter_reset_high_water();
    return none_or_error(0);
}

/* children_memory(pid, backend) -> [(pid, MiB), ...] */
static PyObject *children_memory(PyObject *module, PyObject *arguments)
{
    long pid;
    const char *backend;
    mprof__process_memory *list;
    (void)module;

    if (!PyArg_ParseTuple(arguments, "ls", &pid, &backend)) {
        return NULL;
    }
    int kind = mprof__meter_memory_kind(backend);
    if (kind < 0) {
        return NULL;
    }
    ssize_t count = mprof__process_memory_read_children(&list, (pid_t)pid,
                                                        (enum mprof__process_memory_kind)kind);
    PyObject *result = count < 0 ? PyErr_NoMemory() : PyList_New(0);
    for (ssize_t i = 0; result && i < count; i++) {
        PyObject *item = Py_BuildValue("ld", (long)list[i].pid, (double)list[i].bytes / MIB);
        if (!item || PyList_Append(result, item) != 0) {
            Py_DECREF(result);
            result = NULL;
        }
        Py_XDECREF(item);
    }
    free(list);
    return result;
}

/* ---- sampling ---- */

static void free_sampler(PyObject *capsule)
{
    mprof__memory_sampler *sampler = PyCapsule_GetPointer(capsule, SAMPLER);
    Py_BEGIN_ALLOW_THREADS;
    mprof__memory_sampler_free(sampler);
    Py_END_ALLOW_THREADS;
}

/* sampler_start(pid, interval, backend, include_children, most_only) */
static PyObject *sampler_start(PyObject *module, PyObject *arguments)
{
    long pid;
    const char *backend;
    int children;
    int most_only;
    mprof__memory_sampler_options options = {.pid = 0};
    (void)module;

    if (!PyArg_ParseTuple(arguments, "ldspp", &pid, &options.interval_s, &backend, &children,
                          &most_only)) {
        return NULL;
    }
    int kind = mprof__meter_memory_kind(backend);
    if (kind < 0) {
        return NULL;
    }
    if (!(options.interval_s >= 0)) {
        PyErr_SetString(PyExc_ValueError, "the interval must be a number of seconds, at least 0");
        return NULL;
    }
    options.pid = (pid_t)pid;
    options.kind = (enum mprof__process_memory_kind)kind;
    options.children = children != 0;
    options.peak_only = most_only != 0;
    mprof__memory_sampler *sampler = mprof__memory_sampler_start(&options);
    if (!sampler) {
        return raise_for_process(pid);
    }
    PyObject *capsule = PyCapsule_New(sampler, SAMPLER, free_sampler);
    if (!capsule) {
        mprof__memory_sampler_free(sampler);
    }
    return capsule;
}

/* sampler_stop(sampler) -> ([(MiB, time, on_time), ...], taken) */
static PyObject *sampler_stop(PyObject *module, PyObject *capsule)
{
    mprof__memory_sampler *sampler = PyCapsule_GetPointer(capsule, SAMPLER);
    size_t count;
    (void)module;

    if (!sampler) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    mprof__memory_sampler_stop(sampler);
    Py_END_ALLOW_THREADS;
    const mprof__measurement *measurements = mprof__memory_sampler_measurements(sampler, &count);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item =
            Py_BuildValue("ddN", (double)measurements[i].bytes / MIB, measurements[i].time_s,
                          PyBool_FromLong(measurements[i].on_time));
        if (!item) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SetItem(list, (Py_ssize_t)i, item);
    }
    return !list ? NULL
                 : Py_BuildValue("Nn", list, (Py_ssize_t)mprof__memory_sampler_count(sampler));
}

static PyObject *tracepoint_is_open(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyBool_FromLong(mprof__rss_tracepoint_is_open());
}

static PyMethodDef methods[] = {
    {"profiler_new", profiler_new, METH_VARARGS, NULL},
    {"profiler_add", profiler_add, METH_VARARGS, NULL},
    {"profiler_add_root", profiler_add_root, METH_VARARGS, NULL},
    {"follow_code", follow_code, METH_O, NULL},
    {"profiler_enable", profiler_enable, METH_O, NULL},
    {"profiler_disable", profiler_disable, METH_O, NULL},
    {"profiler_lines", profiler_lines, METH_VARARGS, NULL},
    {"profiler_record", profiler_record, METH_VARARGS, NULL},
    {"exec_at_depth", exec_at_depth, METH_VARARGS, NULL},
    {"call_at_depth", call_at_depth, METH_VARARGS, NULL},
    {"process_memory", process_memory, METH_VARARGS, NULL},
    {"children_memory", children_memory, METH_VARARGS, NULL},
    {"reset_peak", reset_peak, METH_NOARGS, NULL},
    {"sampler_start", sampler_start, METH_VARARGS, NULL},
    {"sampler_stop", sampler_stop, METH_O, NULL},
    {"tracepoint_is_open", tracepoint_is_open, METH_NOARGS, NULL},
    {"read_recording", mprof__recording_read, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_mprof",
    .m_doc = "The part of memory_profiler and mprof in C; its interface may change.",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__mprof(void);

PyMODINIT_FUNC PyInit__mprof(void)
{
    mprof__python_fit fit = mprof__python_load();
    if (fit != MPROF_PYTHON_FITS || !mprof__python_frames_load()) {
        char python[64];
        mprof__python_unfit(python, sizeof python, fit);
        PyErr_Format(PyExc_ImportError, "mprof: %s is not supported", python);
        return NULL;
    }
    mprof__meter_setup();
    PyObject *module = PyModule_Create(&definition);
    if (!module || PyModule_AddStringConstant(module, "version", MPROF_VERSION) != 0 ||
        PyModule_AddIntConstant(module, "CHILDREN", MPROF_PROFILER_CHILDREN) != 0 ||
        PyModule_AddIntConstant(module, "PEAKS", MPROF_PROFILER_PEAKS) != 0 ||
        PyModule_AddIntConstant(module, "TIMES", MPROF_PROFILER_TIMES) != 0) {
        Py_XDECREF(module);
        return NULL;
    }
    return module;
}
