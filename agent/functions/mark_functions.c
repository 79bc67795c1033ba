/* See mark_functions.h. A module is scanned right after its execution, in the loader of source
 * files. By then its decorators may have put functions into registries (routes), so the function
 * objects themselves are changed, not replaced. function_events.h does that. In 3.11
 * the function gets the code of a trampoline, which calls a stand-in for the original. */
#include "mark_functions.h"

#include <stdio.h>
#include <string.h>

#include "agent/events/execution_context.h"
#include "agent/events/span.h"
#include "decorator.h"
#include "function_events.h"
#include "pattern.h"
#include "stand_in.h"
#include "trampoline.h"

#define MARKS_MAX 10000 /* a pattern with more matches is hardly meant: each costs time */

static PyObject *load_module; /* owned: the loaders' original exec_module */
static struct {
    PyObject *type;       /* owned: a loader */
    PyObject *descriptor; /* owned: our exec_module in it */
} loaders[2];
static bool is_undone;
static mprof__mark_notice *notice;
static unsigned marks;     /* functions so far */
static bool awaits_script; /* a pattern selects functions of __main__, which has not started */

/* A text attribute as UTF-8 in `text[size]`; false if none exists. Leaves no exception. */
static bool get_text(PyObject *object, const char *name, char *text, size_t size)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    const char *bytes = value && PyUnicode_Check(value) ? mprof__python.utf8(value, NULL) : NULL;
    bool fits = bytes && strlen(bytes) < size;

    if (fits) {
        strcpy(text, bytes);
    }
    PyErr_Clear();
    Py_XDECREF(value);
    return fits;
}

static bool may_mark_one_more(void)
{
    if (marks < MARKS_MAX) {
        return true;
    }
    notice("func-many", "mprof: --func: more than 10000 functions match; the others are not "
                        "recorded; use narrower patterns\n");
    return false;
}

/* ---- scanning a module ---- */

static void mark_function(PyObject *function, const char *module)
{
    char owner[256];
    char qualname[1024];

    if (!get_text(function, "__module__", owner, sizeof owner) || strcmp(owner, module) != 0 ||
        !get_text(function, "__qualname__", qualname, sizeof qualname) ||
        !mprof__pattern_matches(module, qualname) || mprof__is_stand_in(function) ||
        mprof__function_events_has(function) || !may_mark_one_more()) {
        return;
    }
    if (mprof__python.function_set_vectorcall) {
        marks += mprof__decorator_mark(function);
    } else {
        marks += mprof__trampoline_install(function);
    }
}

/* The innermost function of a chain of wrappers. New reference; NULL without an exception. */
static PyObject *unwrap(PyObject *value)
{
    PyObject *current = value;
    Py_INCREF(current);
    for (int depth = 0; depth < 100; depth++) {
        /* the function behind a stand-in is decorated already */
        PyObject *inner =
            mprof__is_stand_in(current) ? NULL : PyObject_GetAttrString(current, "__wrapped__");
        if (!inner) {
            PyErr_Clear();
            break;
        }
        Py_DECREF(current);
        current = inner;
    }
    if (Py_TYPE(current) != mprof__python.function_type) {
        Py_DECREF(current);
        return NULL;
    }
    return current;
}

static void mark_attribute(PyObject *object, const char *name, const char *module)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    PyObject *function = value ? unwrap(value) : NULL;

    if (function) {
        mark_function(function, module);
    }
    PyErr_Clear();
    Py_XDECREF(function);
    Py_XDECREF(value);
}

static void mark_namespace(PyObject *dict, const char *module, int depth);

static void mark_class(PyObject *type, const char *module, int depth)
{
    char owner[256];

    if (depth < 10 && get_text(type, "__module__", owner, sizeof owner) &&
        strcmp(owner, module) == 0) {
        PyObject *dict = PyObject_GetAttrString(type, "__dict__");
        if (dict) {
            mark_namespace(dict, module, depth + 1);
        }
        PyErr_Clear();
        Py_XDECREF(dict);
    }
}

static void mark_value(PyObject *value, const char *module, int depth)
{
    if (PyType_Check(value)) {
        mark_class(value, module, depth);
    } else if (Py_TYPE(value) == mprof__python.static_method_type ||
               Py_TYPE(value) == mprof__python.class_method_type) {
        mark_attribute(value, "__func__", module);
    } else if (Py_TYPE(value) == &PyProperty_Type) {
        mark_attribute(value, "fget", module);
        mark_attribute(value, "fset", module);
        mark_attribute(value, "fdel", module);
    } else if (PyCallable_Check(value)) {
        PyObject *function = unwrap(value);
        if (function) {
            mark_function(function, module);
            Py_DECREF(function);
        }
    }
}

static void mark_namespace(PyObject *dict, const char *module, int depth)
{
    PyObject *values = PyMapping_Values(dict); /* a copy: marking may change the dict */

    for (Py_ssize_t i = 0; values && i < PyList_Size(values); i++) {
        mark_value(PyList_GetItem(values, i), module, depth);
    }
    PyErr_Clear();
    Py_XDECREF(values);
}

static PyObject *exec_module(PyObject *loader, PyObject *module)
{
    char name[256];
    PyObject *result = PyObject_CallFunctionObjArgs(load_module, loader, module, NULL);

    if (!result || is_undone || !get_text(module, "__name__", name, sizeof name)) {
        return result;
    }
    mprof__context_imported(name); /* an attached agent gets no event of imports */
    if (mprof__pattern_matches_module(name)) {
        PyObject *dict = PyObject_GetAttrString(module, "__dict__");
        if (dict) {
            mark_namespace(dict, name, 0);
        }
        PyErr_Clear();
        Py_XDECREF(dict);
    }
    return result;
}

/* ---- the script itself ---- */

/* Marks the functions defined in this code and in its classes; not those inside functions. */
static void mark_code(PyObject *code)
{
    PyObject *constants = PyObject_GetAttrString(code, "co_consts");

    for (Py_ssize_t i = 0; constants && i < PyTuple_Size(constants); i++) {
        PyObject *inner = PyTuple_GetItem(constants, i);
        char qualname[1024];
        if (Py_TYPE(inner) != Py_TYPE(code) ||
            !get_text(inner, "co_qualname", qualname, sizeof qualname) || strchr(qualname, '<')) {
            continue;
        }
        if ((mprof__python_code_flags(inner) & MPROF_CODE_FUNCTION) != MPROF_CODE_FUNCTION) {
            mark_code(inner); /* a class */
        } else if (mprof__pattern_matches("__main__", qualname) && may_mark_one_more()) {
            char dotted[1100];
            int length = snprintf(dotted, sizeof dotted, "__main__.%s", qualname);
            mprof__name *name = mprof__name_intern(dotted, (size_t)length);
            marks += name && mprof__function_events_watch_code(inner, name);
        }
    }
    PyErr_Clear();
    Py_XDECREF(constants);
}

/* Whether this is the code of the script, of -c or of -m, not of a module or an exec(). */
static bool is_main(PyObject *code)
{
    char name[256];
    char file[4096];
    char main_file[4096];
    PyObject *main_module = PyImport_AddModule("__main__"); /* borrowed */

    if (!get_text(code, "co_name", name, sizeof name) || strcmp(name, "<module>") != 0 ||
        !get_text(code, "co_filename", file, sizeof file) || !main_module) {
        PyErr_Clear();
        return false;
    }
    if (get_text(main_module, "__file__", main_file, sizeof main_file)) {
        return strcmp(file, main_file) == 0;
    }
    return strcmp(file, "<string>") == 0 || strcmp(file, "<stdin>") == 0;
}

void mprof__mark_functions_started(void)
{
    awaits_script = mprof__pattern_matches_module("__main__");
}

void mprof__mark_functions_executing(PyObject *code)
{
    if (!awaits_script || !is_main(code)) {
        return;
    }
    awaits_script = false;
    if (mprof__python.code_extra_index) {
        mark_code(code);
    } else {
        notice("func-main", "mprof: --func: functions of the script itself are recorded only from "
                            "Python 3.12 on; decorate them, or move them into a module\n");
    }
}

void mprof__mark_functions_of_imports(mprof__mark_notice *report)
{
    static const char *const names[] = {"SourceFileLoader", "SourcelessFileLoader"};
    static PyMethodDef method = {"exec_module", exec_module, METH_O, "Execute the module."};
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    PyObject *machinery = PyDict_GetItemString(modules, "_frozen_importlib_external");

    notice = report;
    is_undone = false;
    for (size_t i = 0; machinery && i < sizeof names / sizeof names[0]; i++) {
        PyObject *type = PyObject_GetAttrString(machinery, names[i]);
        if (type && !load_module) {
            load_module = PyObject_GetAttrString(type, "exec_module");
        }
        PyObject *descriptor =
            type && load_module ? PyDescr_NewMethod((PyTypeObject *)(void *)type, &method) : NULL;
        if (descriptor && PyObject_SetAttrString(type, "exec_module", descriptor) == 0) {
            loaders[i].type = type;
            loaders[i].descriptor = descriptor;
            continue;
        }
        PyErr_Clear();
        Py_XDECREF(descriptor);
        Py_XDECREF(type);
    }
}

unsigned mprof__mark_functions_loaded(mprof__mark_notice *report)
{
    PyObject *modules = PyMapping_Items(PyImport_GetModuleDict());

    marks = 0;
    mprof__trampoline_remember();
    mprof__mark_functions_of_imports(report);
    for (Py_ssize_t i = 0; modules && i < PyList_Size(modules); i++) {
        PyObject *name = PyTuple_GetItem(PyList_GetItem(modules, i), 0);
        PyObject *module = PyTuple_GetItem(PyList_GetItem(modules, i), 1);
        const char *text = PyUnicode_Check(name) ? mprof__python.utf8(name, NULL) : NULL;
        if (!text || !PyModule_Check(module)) {
            PyErr_Clear();
            continue;
        }
        mprof__context_imported(text);
        if (mprof__pattern_matches_module(text)) {
            mark_namespace(PyModule_GetDict(module), text, 0);
        }
    }
    PyErr_Clear();
    Py_XDECREF(modules);
    return marks;
}

void mprof__mark_functions_undo(void)
{
    is_undone = true;
    for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++) {
        PyObject *now =
            loaders[i].type ? PyObject_GetAttrString(loaders[i].type, "exec_module") : NULL;
        if (now && now == loaders[i].descriptor) {
            PyObject_DelAttrString(loaders[i].type, "exec_module"); /* then it is inherited again */
        }
        PyErr_Clear();
        Py_XDECREF(now);
        Py_XDECREF(loaders[i].descriptor);
        Py_XDECREF(loaders[i].type);
        loaders[i].descriptor = NULL;
        loaders[i].type = NULL;
    }
    mprof__trampoline_undo_all();
}
