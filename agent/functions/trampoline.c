/* See trampoline.h. The trampoline is compiled from source, so that it fits every version. */
#include "trampoline.h"

#include <stdio.h>

#include "decorator.h"

/* The constant of the trampoline's code that the stand-in replaces. */
#define PLACEHOLDER 707070701

static PyObject *changed; /* owned: a list of (weak reference, original code, ours), or NULL */

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

bool mprof__trampoline_install(PyObject *function)
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

void mprof__trampoline_remember(void)
{
    Py_XDECREF(changed);
    changed = PyList_New(0);
}

void mprof__trampoline_undo_all(void)
{
    for (Py_ssize_t i = 0; changed && i < PyList_Size(changed); i++) {
        undo_change(PyList_GetItem(changed, i));
    }
    Py_XDECREF(changed);
    changed = NULL;
}
