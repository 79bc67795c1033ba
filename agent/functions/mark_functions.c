/* See mark_functions.h. A module is scanned right after its execution, in the loader of source
 * files. By then its decorators may have put functions into registries (routes), so the function
 * objects themselves are changed, not replaced. From 3.12 on function_events.h does that. Before,
 * the function gets the code of a trampoline, which calls a stand-in for the original. */
#include "mark_functions.h"

#include <stdio.h>
#include <string.h>

#include "agent/events/execution_context.h"
#include "agent/events/span.h"
#include "decorator.h"
#include "function_events.h"
#include "pattern.h"

#define MARKS_MAX 10000 /* a pattern with more matches is hardly meant: each costs time */

/* The constant of the trampoline's code that the stand-in replaces. */
#define PLACEHOLDER 707070701

static PyObject *load_module; /* owned: the loaders' original exec_module */
static struct {
    PyObject *type;       /* owned: a loader */
    PyObject *descriptor; /* owned: our exec_module in it */
} loaders[2];
static PyObject *changed; /* owned: a list of (weak reference, original code, ours), or NULL */
static bool is_undone;
static mprof__mark_notice *notice;
static unsigned marks;     /* functions so far */
static bool awaits_script; /* a pattern selects functions of __main__, which has not started */

/* A text attribute as UTF-8 in `text[size]`; false if there is none. Leaves no exception. */
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

/* ---- before 3.12: trampolines ---- */

/* The source of a trampoline, which must have as many free variables as the original. */
static bool write_source(char *source, size_t size, long flags, Py_ssize_t free_count)
{
    const char *head = (flags & MPROF_CODE_COROUTINE) != 0 ? "async " : "";
    const char *call = "return x(*a, **k)";
    size_t length;

    if ((flags & MPROF_CODE_COROUTINE) != 0) {
        call = "return await x(*a, **k)";
    } else if ((flags & MPROF_CODE_GENERATOR) != 0) {
        call = "return (yield from x(*a, **k))";
    }
    length = (size_t)snprintf(source, size, "def o():\n");
    for (Py_ssize_t i = 0; i < free_count && length < size; i++) {
        length += (size_t)snprintf(source + length, size - length, " v%d = 0\n", (int)i);
    }
    if (length < size) {
        length += (size_t)snprintf(source + length, size - length,
                                   " %sdef t(*a, **k):\n  x = %d\n  if 0: pass", head, PLACEHOLDER);
    }
    for (Py_ssize_t i = 0; i < free_count && length < size; i++) {
        length += (size_t)snprintf(source + length, size - length, "; v%d", (int)i);
    }
    if (length < size) {
        length += (size_t)snprintf(source + length, size - length, "\n  %s\n", call);
    }
    return length < size;
}

/* The code object in a code's constants. Steals the reference to `code`; new reference or NULL. */
static PyObject *inner_code(PyObject *code)
{
    PyObject *constants = code ? PyObject_GetAttrString(code, "co_consts") : NULL;
    PyObject *found = NULL;

    for (Py_ssize_t i = 0; constants && i < PyTuple_Size(constants); i++) {
        PyObject *constant = PyTuple_GetItem(constants, i);
        if (Py_TYPE(constant) == Py_TYPE(code)) {
            found = constant;
            Py_INCREF(found);
            break;
        }
    }
    Py_XDECREF(constants);
    Py_XDECREF(code);
    return found;
}

/* The constants of `code` with the stand-in instead of PLACEHOLDER. New reference or NULL. */
static PyObject *fill_constants(PyObject *code, PyObject *stand_in)
{
    PyObject *constants = PyObject_GetAttrString(code, "co_consts");
    PyObject *list = constants ? PySequence_List(constants) : NULL;
    PyObject *result = NULL;

    for (Py_ssize_t i = 0; list && i < PyList_Size(list); i++) {
        PyObject *constant = PyList_GetItem(list, i);
        if (PyLong_Check(constant) && PyLong_AsLong(constant) == PLACEHOLDER) {
            Py_INCREF(stand_in);
            PyList_SetItem(list, i, stand_in);
        }
        PyErr_Clear(); /* an int too large for a long */
    }
    if (list) {
        result = PyList_AsTuple(list);
    }
    Py_XDECREF(constants);
    Py_XDECREF(list);
    return result;
}

static bool copy_attribute(PyObject *to, PyObject *from, const char *name)
{
    PyObject *value = PyObject_GetAttrString(from, name);
    bool done = value && PyObject_SetAttrString(to, name, value) == 0;

    Py_XDECREF(value);
    PyErr_Clear();
    return done;
}

/* A copy of `function` with all attributes. New reference or NULL. */
static PyObject *copy_function(PyObject *function, PyObject *code)
{
    static const char *const parts[] = {"__globals__", "__name__", "__defaults__", "__closure__"};
    PyObject *values[4] = {NULL};
    PyObject *copy = NULL;
    bool all = true;

    for (size_t i = 0; i < 4; i++) {
        values[i] = PyObject_GetAttrString(function, parts[i]);
        all &= values[i] != NULL;
    }
    if (all) {
        copy = PyObject_CallFunctionObjArgs((PyObject *)mprof__python.function_type, code,
                                            values[0], values[1], values[2], values[3], NULL);
    }
    if (copy) {
        copy_attribute(copy, function, "__kwdefaults__");
        copy_attribute(copy, function, "__qualname__");
        copy_attribute(copy, function, "__module__");
        copy_attribute(copy, function, "__doc__");
        copy_attribute(copy, function, "__annotations__");
    }
    for (size_t i = 0; i < 4; i++) {
        Py_XDECREF(values[i]);
    }
    return copy;
}

/* The trampoline's code with the constants, and with name, file and line of the original. New
 * reference or NULL. */
static PyObject *complete_code(PyObject *trampoline, PyObject *code, PyObject *stand_in)
{
    static const char *const attributes[] = {"co_name", "co_filename", "co_firstlineno",
                                             "co_qualname"};
    PyObject *changes = PyDict_New();
    PyObject *constants = fill_constants(trampoline, stand_in);
    PyObject *replace = PyObject_GetAttrString(trampoline, "replace");
    PyObject *none = PyTuple_New(0);
    PyObject *completed = NULL;

    if (changes && constants && replace && none &&
        PyDict_SetItemString(changes, "co_consts", constants) == 0) {
        for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
            PyObject *attribute =
                PyObject_GetAttrString(code, attributes[i]); /* co_qualname: from 3.11 on */
            if (attribute) {
                PyDict_SetItemString(changes, attributes[i], attribute);
            }
            Py_XDECREF(attribute);
            PyErr_Clear();
        }
        completed = PyObject_Call(replace, none, changes);
    }
    Py_XDECREF(changes);
    Py_XDECREF(constants);
    Py_XDECREF(replace);
    Py_XDECREF(none);
    return completed;
}

static void remember_change(PyObject *function, PyObject *code, PyObject *ours)
{
    PyObject *weak = changed ? PyWeakref_NewRef(function, NULL) : NULL;
    PyObject *change = weak ? PyTuple_New(3) : NULL;

    if (change) {
        Py_INCREF(code);
        Py_INCREF(ours);
        PyTuple_SetItem(change, 0, weak);
        PyTuple_SetItem(change, 1, code);
        PyTuple_SetItem(change, 2, ours);
        PyList_Append(changed, change);
        Py_DECREF(change);
    } else {
        Py_XDECREF(weak);
    }
}

static void undo_change(PyObject *change)
{
    /* a call, because each C function for that is missing in some version */
    PyObject *function = PyObject_CallFunctionObjArgs(PyTuple_GetItem(change, 0), NULL);
    PyObject *code =
        function && function != Py_None ? PyObject_GetAttrString(function, "__code__") : NULL;
    if (code && code == PyTuple_GetItem(change, 2) &&
        PyObject_SetAttrString(function, "__code__", PyTuple_GetItem(change, 1)) == 0) {
        PyObject_DelAttrString(function, "__wrapped__");
    }
    PyErr_Clear();
    Py_XDECREF(code);
    Py_XDECREF(function);
}

/* Gives the function the code of a trampoline, which calls a stand-in for a copy of it. */
static bool replace_code(PyObject *function)
{
    char source[4096];
    long flags = mprof__python_attribute_code_flags(function, "__code__");
    PyObject *code = PyObject_GetAttrString(function, "__code__");
    PyObject *names = code ? PyObject_GetAttrString(code, "co_freevars") : NULL;
    PyObject *copy = NULL;
    PyObject *stand_in = NULL;
    PyObject *trampoline = NULL;
    PyObject *completed = NULL;
    bool done = false;

    /* a trampoline would change the behaviour of these */
    bool is_possible = (flags & (MPROF_CODE_ASYNC_GENERATOR | MPROF_CODE_ITERABLE_COROUTINE)) == 0;
    if (is_possible && names && write_source(source, sizeof source, flags, PyTuple_Size(names))) {
        copy = copy_function(function, code);
        stand_in = copy ? mprof__decorator_new_stand_in(copy) : NULL;
        trampoline = inner_code(inner_code(Py_CompileString(source, "<mprof>", Py_file_input)));
    }
    if (stand_in && trampoline) {
        completed = complete_code(trampoline, code, stand_in);
    }
    if (completed && PyObject_SetAttrString(function, "__code__", completed) == 0) {
        /* inspect.signature and others follow __wrapped__; so does unwrap() */
        done = true;
        remember_change(function, code, completed);
        PyObject_SetAttrString(function, "__wrapped__", stand_in);
    }
    PyErr_Clear();
    Py_XDECREF(code);
    Py_XDECREF(names);
    Py_XDECREF(copy);
    Py_XDECREF(stand_in);
    Py_XDECREF(trampoline);
    Py_XDECREF(completed);
    return done;
}

/* ---- scanning a module ---- */

static void mark_function(PyObject *function, const char *module)
{
    char owner[256];
    char qualname[1024];

    if (!get_text(function, "__module__", owner, sizeof owner) || strcmp(owner, module) != 0 ||
        !get_text(function, "__qualname__", qualname, sizeof qualname) ||
        !mprof__pattern_matches(module, qualname) || mprof__decorator_is_stand_in(function) ||
        mprof__function_events_has(function) || !may_mark_one_more()) {
        return;
    }
    if (mprof__python.function_set_vectorcall) {
        marks += mprof__decorator_mark(function);
    } else {
        marks += replace_code(function);
    }
}

/* The innermost function of a chain of wrappers. New reference; NULL without an exception. */
static PyObject *unwrap(PyObject *value)
{
    PyObject *current = value;
    Py_INCREF(current);
    for (int depth = 0; depth < 100; depth++) {
        /* the function behind a stand-in is decorated already */
        PyObject *inner = mprof__decorator_is_stand_in(current)
                              ? NULL
                              : PyObject_GetAttrString(current, "__wrapped__");
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
    if (mprof__python.function_set_vectorcall) {
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
    Py_XDECREF(changed);
    changed = PyList_New(0);
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
    for (Py_ssize_t i = 0; changed && i < PyList_Size(changed); i++) {
        undo_change(PyList_GetItem(changed, i));
    }
    Py_XDECREF(changed);
    changed = NULL;
}
