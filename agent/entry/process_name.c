/* See naming.h. A child learns its name when it runs already, in Process._bootstrap, whatever the
 * start method; right behind that multiprocessing calls `util._run_after_forkers`. So two of its
 * functions have a stand-in of ours in front of them: that one, and the setter of Process.name. No
 * function of Python's is run that the program would not have run, and no code is looked up by way
 * of Python's: its tracers and profilers see what they would have seen. */
#include "process_name.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "agent/events/span.h"
#include "agent/python_api.h"

/* Looks into a module that is there, but has not all that is needed yet. */
#define TRIES 1000

/* multiprocessing, and those who go by its ways: celery's fork of it, and that of pathos. */
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

/* Shows every attribute of the function as its own. */
typedef struct stand_in {
    PyObject ob_base;
    PyObject *function; /* owned */
    const struct package *package;
    bool is_setter; /* else called after a fork */
} stand_in;

bool mprof__naming_waits;

static stand_in *as_stand_in(PyObject *object)
{
    return (stand_in *)(void *)object;
}

/* What a module that is loaded has under a name, or NULL without an exception, even when the
 * interpreter comes to its end. Borrowed. */
static PyObject *global(const char *module_name, const char *name)
{
    PyObject *modules = PySys_GetObject("modules"); /* borrowed */
    PyObject *module =
        modules && PyDict_Check(modules) ? PyDict_GetItemString(modules, module_name) : NULL;
    return module && PyModule_Check(module) ? PyDict_GetItemString(PyModule_GetDict(module), name)
                                            : NULL;
}

/* What the package takes this process for. Borrowed; NULL without an exception. */
static PyObject *current_process(const struct package *package)
{
    return global(package->process, "_current_process");
}

/* Past whatever its class has made of attributes: no code of the program's is run. To be freed. */
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

/* Tells the name of this process; the one that nobody has made is called as in `but` by itself. */
static void tell(const struct package *package, const char *but)
{
    PyObject *process = current_process(package);
    char *name = process ? name_of(process) : NULL;

    if (name && strcmp(name, but) != 0) {
        mprof__span_name_process(name);
    }
    free(name);
}

static PyObject *call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    const stand_in *one = as_stand_in(self);

    if (!one->is_setter) {
        tell(one->package, "");
    }
    PyObject *result = PyObject_Call(one->function, arguments, keywords);
    if (one->is_setter && result && PyTuple_Size(arguments) > 0 &&
        PyTuple_GetItem(arguments, 0) == current_process(one->package)) {
        tell(one->package, "");
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

/* The function stays until the stand-in goes: somebody may still call it. Both are reached from the
 * function's module, whose dictionary is what a cycle is broken at. */
static void release(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(as_stand_in(self)->function);
    mprof__python_free(self);
}

static PyObject *stand_in_type(void)
{
    static PyObject *type; /* owned, for the life of the process */
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

/* Process.name stays the property it is, and is given another setter. */
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
        tell(package, "MainProcess");
    } else if (global(package->util, "__name__")) {
        package->tries--;
    }
}

void mprof__naming_try(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    int kept_errno = errno;

    if (mprof__python.interpreter_get() != mprof__python.interpreter_main()) {
        return;
    }
    mprof__naming_waits = false; /* what is done here may raise events of its own */
    PyErr_Fetch(&type, &value, &traceback);
    bool waits = false;
    for (size_t i = 0; i < PACKAGES; i++) {
        if (packages[i].tries > 0) {
            try_package(&packages[i]);
            waits |= packages[i].tries > 0;
        }
    }
    PyErr_Restore(type, value, traceback);
    mprof__naming_waits = waits;
    errno = kept_errno;
}

/* Any part of the package will do: not every import is announced. */
void mprof__naming_imported(const char *module)
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
            mprof__naming_waits = true;
        }
    }
}

void mprof__naming_look(void)
{
    for (size_t i = 0; i < PACKAGES; i++) {
        tell(&packages[i], "MainProcess");
    }
}
