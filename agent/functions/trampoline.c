/* See trampoline.h. The trampoline is compiled from source, so that it fits every version. */
#include "trampoline.h"

#include <stdarg.h>
#include <stdio.h>

#include "decorator.h"
#include "stand_in.h"

/* The constant of the trampoline's code that the stand-in replaces. */
#define PLACEHOLDER 707070701

static PyObject *changed; /* owned: a list of (weak reference, original code, ours), or NULL */

typedef struct source_text {
    char bytes[4096];
    size_t length; /* of all that was added, even if it did not fit */
} source_text;

__attribute__((format(printf, 2, 3))) static void add(source_text *to, const char *format, ...)
{
    va_list values;
    size_t room = to->length < sizeof to->bytes ? sizeof to->bytes - to->length : 0;

    va_start(values, format);
    int length = vsnprintf(room > 0 ? to->bytes + to->length : NULL, room, format, values);
    va_end(values);
    to->length += length > 0 ? (size_t)length : 0;
}

static long number_of(PyObject *code, const char *attribute)
{
    PyObject *value = PyObject_GetAttrString(code, attribute);
    long number = value ? PyLong_AsLong(value) : 0;

    PyErr_Clear();
    Py_XDECREF(value);
    return number;
}

/* The parameters of a code, by their names, and how to pass them on. Libraries read them from the
 * function's code (pluggy: the arguments of a hook). The defaults remain the function's. */
static void add_parameters(source_text *parameters, source_text *arguments, PyObject *code)
{
    enum { VARARGS = 4, VARKEYWORDS = 8 }; /* of co_flags */
    long flags = mprof__python_code_flags(code);
    long positional_only = number_of(code, "co_posonlyargcount");
    long positional = number_of(code, "co_argcount");
    long keyword_only = number_of(code, "co_kwonlyargcount");
    PyObject *names = PyObject_GetAttrString(code, "co_varnames");
    long next = positional + keyword_only; /* index of the names of *args and **keywords */

    for (long i = 0; names && i < positional + keyword_only; i++) {
        const char *name = mprof__python.utf8(PyTuple_GetItem(names, i), NULL);
        if (i == positional && (flags & VARARGS) == 0) {
            add(parameters, "*, ");
        } else if (i == positional) {
            const char *rest = mprof__python.utf8(PyTuple_GetItem(names, next++), NULL);
            add(parameters, "*%s, ", rest);
            add(arguments, "*%s, ", rest);
        }
        add(parameters, i + 1 == positional_only ? "%s, /, " : "%s, ", name);
        add(arguments, i < positional ? "%s, " : "%s=%s, ", name, name);
    }
    if (names && keyword_only == 0 && (flags & VARARGS) != 0) {
        const char *rest = mprof__python.utf8(PyTuple_GetItem(names, next++), NULL);
        add(parameters, "*%s, ", rest);
        add(arguments, "*%s, ", rest);
    }
    if (names && (flags & VARKEYWORDS) != 0) {
        const char *rest = mprof__python.utf8(PyTuple_GetItem(names, next), NULL);
        add(parameters, "**%s", rest);
        add(arguments, "**%s", rest);
    }
    PyErr_Clear();
    Py_XDECREF(names);
}

/* The source of a trampoline, which must have as many free variables as the original. */
static bool write_source(source_text *source, PyObject *code, Py_ssize_t free_count)
{
    long flags = mprof__python_code_flags(code);
    const char *head = (flags & MPROF_CODE_COROUTINE) != 0 ? "async " : "";
    source_text parameters = {.length = 0};
    source_text arguments = {.length = 0};
    const char *call = "";

    if ((flags & MPROF_CODE_COROUTINE) != 0) {
        call = "await ";
    } else if ((flags & MPROF_CODE_GENERATOR) != 0) {
        call = "yield from ";
    }
    add_parameters(&parameters, &arguments, code);
    add(source, "def o():\n");
    for (Py_ssize_t i = 0; i < free_count; i++) {
        add(source, " mprof__v%d = 0\n", (int)i);
    }
    /* in one line: tracebacks show the line of the original's `def` */
    add(source, " %sdef t(%s): mprof__f = %d; 0 and (", head, parameters.bytes, PLACEHOLDER);
    for (Py_ssize_t i = 0; i < free_count; i++) {
        add(source, "mprof__v%d, ", (int)i);
    }
    add(source, "); return (%smprof__f(%s))\n", call, arguments.bytes);
    return parameters.length < sizeof parameters.bytes &&
           arguments.length < sizeof arguments.bytes && source->length < sizeof source->bytes;
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
    source_text source = {.length = 0};
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
    if (is_possible && names && write_source(&source, code, PyTuple_Size(names))) {
        copy = copy_function(function, code);
        stand_in = copy ? mprof__decorator_new_stand_in(copy) : NULL;
        trampoline =
            inner_code(inner_code(Py_CompileString(source.bytes, "<mprof>", Py_file_input)));
    }
    if (stand_in && trampoline) {
        completed = complete_code(trampoline, code, stand_in);
    }
    if (completed && PyObject_SetAttrString(function, "__code__", completed) == 0) {
        mprof__stand_in_hide_caller(stand_in, completed);
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
