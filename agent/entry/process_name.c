/* See process_name.h. With every start method a child gets its name in Process._bootstrap, which
 * then calls `util._run_after_forkers`. So two functions get a stand-in: that one, and the setter
 * of Process.name. No Python function runs that would not run without us, so tracers and profilers
 * see the same calls. */
#include "process_name.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "agent/events/span.h"
#include "agent/python_api.h"

#define TRIES 1000 /* checks of a module that is loaded, but not completely yet */

/* multiprocessing, and its forks: celery's billiard, and pathos's multiprocess. */
static struct package {
    const char *name;
    const char *util;
    const char *process;
    int tries; /* left; 0: not imported, or done */
} packages[] = {
    {"multiprocessing", "multiprocessing.util", "multiprocessing.process", 0},
    {"billiard", "billiard.util", "billiard.process", 0},
    {"multiprocess", "multiprocess.util", "multiprocess.process", 0},
};

#define PACKAGES (sizeof packages / sizeof packages[0])

#define AFTER_FORK "_run_after_forkers"

typedef struct stand_in {
    PyObject ob_base;
    PyObject *function; /* owned */
    const struct package *package;
    bool is_setter; /* else the function that is called after a fork */
} stand_in;

bool mprof__process_name_waits;

static stand_in *as_stand_in(PyObject *object)
{
    return (stand_in *)(void *)object;
}

/* A global of a loaded module, or NULL without an exception, also at the end of the interpreter.
 * Borrowed. */
static PyObject *global(const char *module_name, const char *name)
{
    PyObject *modules = PySys_GetObject("modules"); /* borrowed */
    PyObject *module =
        modules && PyDict_Check(modules) ? PyDict_GetItemString(modules, module_name) : NULL;
    return module && PyModule_Check(module) ? PyDict_GetItemString(PyModule_GetDict(module), name)
                                            : NULL;
}

/* The package's object for this process. Borrowed; NULL without an exception. */
static PyObject *current_process(const struct package *package)
{
    return global(package->process, "_current_process");
}

/* Reads the attribute without the class's own code: none of the program's code runs. The caller
 * frees it. */
static char *name_of(PyObject *process)
{
    PyObject *key = PyUnicode_FromString("_name");
    PyObject *value = key ? PyObject_GenericGetAttr(process, key) : NULL;
    char *name = mprof__python_text(value);

    PyErr_Clear();
    Py_XDECREF(key);
    Py_XDECREF(value);
    return name;
}

/* Reports the name of this process, unless it is `default_name`. */
static void report_name(const struct package *package, const char *default_name)
{
    PyObject *process = current_process(package);
    char *name = process ? name_of(process) : NULL;

    if (name && strcmp(name, default_name) != 0) {
        mprof__span_name_process(name);
    }
    free(name);
}

static PyObject *call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    const stand_in *one = as_stand_in(self);

    if (!one->is_setter) {
        report_name(one->package, "");
    }
    PyObject *result = PyObject_Call(one->function, arguments, keywords);
    if (one->is_setter && result && PyTuple_Size(arguments) > 0 &&
        PyTuple_GetItem(arguments, 0) == current_process(one->package)) {
        report_name(one->package, "");
    }
    return result;
}

static PyObject *get_attribute(PyObject *self, PyObject *name)
{
    return PyObject_GetAttr(as_stand_in(self)->function, name);
}

static int set_attribute(PyObject *self, PyObject *name, PyObject *value)
{
    return PyObject_SetAttr(as_stand_in(self)->function, name, value);
}

static PyObject *represent(PyObject *self)
{
    return PyObject_Repr(as_stand_in(self)->function);
}

static int visit(PyObject *self, visitproc visitor, void *context)
{
    PyObject *function = as_stand_in(self)->function;
    int result = function ? visitor(function, context) : 0;
    return result != 0 ? result : mprof__python_visit_type(self, visitor, context);
}

/* The function is released only with the stand-in, which may still be called: there is no tp_clear.
 * Cycles are broken at the dictionary of the function's module, which leads to both. */
static void release(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(as_stand_in(self)->function);
    mprof__python_free(self);
}

static PyObject *stand_in_type(void)
{
    static PyObject *type; /* owned, never freed */
    static const mprof__python_layout layout = {.shown_name = "function"};
    PyType_Slot slots[] = {
        MPROF_SLOT(Py_tp_call, call),
        MPROF_SLOT(Py_tp_getattro, get_attribute),
        MPROF_SLOT(Py_tp_setattro, set_attribute),
        MPROF_SLOT(Py_tp_repr, represent),
        MPROF_SLOT(Py_tp_traverse, visit),
        MPROF_SLOT(Py_tp_dealloc, release),
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "mprof.function",
        .basicsize = sizeof(stand_in),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    if (!type) {
        type = mprof__python_type(&spec, &layout);
    }
    return type;
}

/* New reference, or NULL with an exception. */
static PyObject *new_stand_in(PyObject *function, const struct package *package, bool is_setter)
{
    PyObject *type = stand_in_type();
    PyObject *self = type ? PyType_GenericAlloc((PyTypeObject *)(void *)type, 0) : NULL;

    if (self) {
        Py_INCREF(function);
        as_stand_in(self)->function = function;
        as_stand_in(self)->package = package;
        as_stand_in(self)->is_setter = is_setter;
    }
    return self;
}

static void watch_forks(const struct package *package, PyObject *function)
{
    PyObject *modules = PySys_GetObject("modules"); /* borrowed */
    PyObject *util = PyDict_GetItemString(modules, package->util);
    PyObject *ours = new_stand_in(function, package, false);

    if (ours) {
        PyDict_SetItemString(PyModule_GetDict(util), AFTER_FORK, ours);
    }
    PyErr_Clear();
    Py_XDECREF(ours);
}

/* New reference, or NULL without an exception. */
static PyObject *attribute(PyObject *object, const char *name)
{
    PyObject *value = object ? PyObject_GetAttrString(object, name) : NULL;
    if (!value) {
        PyErr_Clear();
    }
    return value;
}

/* Gives the property Process.name another setter; it remains the same object. */
static void watch_setter(const struct package *package)
{
    PyObject *property = attribute(global(package->process, "BaseProcess"), "name");
    PyObject *getter = attribute(property, "fget");
    PyObject *setter = attribute(property, "fset");
    PyObject *deleter = attribute(property, "fdel");

    if (getter && deleter && setter && PyCallable_Check(setter)) {
        PyObject *ours = new_stand_in(setter, package, true);
        PyObject *done =
            ours ? PyObject_CallMethod(property, "__init__", "OOO", getter, ours, deleter) : NULL;
        Py_XDECREF(done);
        Py_XDECREF(ours);
    }
    PyErr_Clear();
    Py_XDECREF(deleter);
    Py_XDECREF(setter);
    Py_XDECREF(getter);
    Py_XDECREF(property);
}

static void try_package(struct package *package)
{
    PyObject *function = global(package->util, AFTER_FORK);

    if (function && current_process(package)) {
        package->tries = 0;
        watch_forks(package, function);
        watch_setter(package);
        report_name(package, "MainProcess");
    } else if (global(package->util, "__name__")) {
        package->tries--;
    }
}

void mprof__process_name_retry(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    int kept_errno = errno;

    if (mprof__python.interpreter_get() != mprof__python.interpreter_main()) {
        return;
    }
    mprof__process_name_waits = false; /* the work below may raise events of its own */
    PyErr_Fetch(&type, &value, &traceback);
    bool waits = false;
    for (size_t i = 0; i < PACKAGES; i++) {
        if (packages[i].tries > 0) {
            try_package(&packages[i]);
            waits |= packages[i].tries > 0;
        }
    }
    PyErr_Restore(type, value, traceback);
    mprof__process_name_waits = waits;
    errno = kept_errno;
}

/* Any module of the package counts, because not every import raises an event. */
void mprof__process_name_imported(const char *module)
{
    static bool seen[PACKAGES];

    if (*module != 'm' && *module != 'b') {
        return;
    }
    for (size_t i = 0; i < PACKAGES; i++) {
        size_t length = strlen(packages[i].name);
        if (!seen[i] && strncmp(module, packages[i].name, length) == 0 &&
            (module[length] == '.' || module[length] == '\0')) {
            seen[i] = true;
            packages[i].tries = TRIES;
            mprof__process_name_waits = true;
        }
    }
}

void mprof__process_name_report(void)
{
    for (size_t i = 0; i < PACKAGES; i++) {
        report_name(&packages[i], "MainProcess");
    }
}
