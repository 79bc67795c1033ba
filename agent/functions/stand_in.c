/* See stand_in.h. A stand-in calls its function between the begin and the end of a span. Its
 * attributes, class, signature, binding and pickling are the function's, so that programs and
 * libraries see no difference. */
#include "stand_in.h"

#include <stddef.h>
#include <string.h>

#include "agent/events/stack.h"
#include "suspendable.h"

typedef struct stand_in {
    PyObject ob_base;
    PyObject *function; /* owned */
    mprof__vectorcall vectorcall;
    mprof__name *name;
    bool makes_suspendable; /* the span is that of the returned generator or coroutine */
    PyObject *hidden_code;  /* borrowed: of a trampoline; or NULL */
    PyObject *weaklist;
} stand_in;

static PyObject *type_for_functions; /* owned, never freed; for functions */
static PyObject *type_for_callables; /* the same, for other callables */

static stand_in *as_stand_in(PyObject *object)
{
    return (stand_in *)(void *)object;
}

bool mprof__is_stand_in(PyObject *object)
{
    return (PyObject *)Py_TYPE(object) == type_for_functions ||
           (PyObject *)Py_TYPE(object) == type_for_callables;
}

static PyObject *raise_recursion_error(void)
{
    PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
    return NULL;
}

static PyObject *call_vector(PyObject *self, PyObject *const *arguments, size_t count,
                             PyObject *keywords)
{
    stand_in *one = as_stand_in(self);
    mprof__span span;

    mprof__span_check();
    if (one->makes_suspendable) {
        PyObject *made = mprof__python.vectorcall(one->function, arguments, count, keywords);
        return mprof__suspendable_wrap(made, one->name);
    }
    if (mprof__stack_is_short()) {
        return raise_recursion_error();
    }
    mprof__span_begin(&span, one->name);
    void *hidden = one->hidden_code ? mprof__python_hide_frame(one->hidden_code) : NULL;
    PyObject *result = mprof__python.vectorcall(one->function, arguments, count, keywords);
    if (hidden) {
        mprof__python_show_frame(hidden);
    }
    mprof__span_end(&span, !result);
    return result;
}

static PyObject *call_tuple(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    stand_in *one = as_stand_in(self);
    mprof__span span;

    mprof__span_check();
    if (one->makes_suspendable) {
        PyObject *made = PyObject_Call(one->function, arguments, keywords);
        return mprof__suspendable_wrap(made, one->name);
    }
    if (mprof__stack_is_short()) {
        return raise_recursion_error();
    }
    mprof__span_begin(&span, one->name);
    PyObject *result = PyObject_Call(one->function, arguments, keywords);
    mprof__span_end(&span, !result);
    return result;
}

/* Whether the attribute is the stand-in's, not the function's. */
static bool is_own_attribute(PyObject *name)
{
    static const char *const own[] = {"__wrapped__", "__reduce__", "__reduce_ex__", "__call__",
                                      "__get__"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (PyUnicode_CompareWithASCIIString(name, own[i]) == 0) {
            return true;
        }
    }
    return false;
}

static PyObject *get_attribute(PyObject *self, PyObject *name)
{
    if (is_own_attribute(name)) {
        return PyObject_GenericGetAttr(self, name);
    }
    return PyObject_GetAttr(as_stand_in(self)->function, name);
}

static int set_attribute(PyObject *self, PyObject *name, PyObject *value)
{
    int result = PyObject_SetAttr(as_stand_in(self)->function, name, value);
    if (result == 0 && PyUnicode_CompareWithASCIIString(name, "__code__") == 0) {
        as_stand_in(self)->makes_suspendable =
            mprof__suspendable_is_made_by(as_stand_in(self)->function);
    }
    return result;
}

static PyObject *represent(PyObject *self)
{
    return PyObject_Repr(as_stand_in(self)->function);
}

/* PyObject_HasAttrString() would take an exception for "no". Returns -1 with an exception. */
static int has_attribute(PyObject *object, const char *name)
{
    PyObject *found = PyObject_GetAttrString(object, name);
    if (found) {
        Py_DECREF(found);
        return 1;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

static PyObject *bind(PyObject *self, PyObject *instance, PyObject *owner)
{
    PyObject *function = as_stand_in(self)->function;

    if (Py_TYPE(function) == mprof__python.function_type) {
        if (!instance || instance == Py_None) {
            Py_INCREF(self);
            return self;
        }
        return mprof__python.method_new(self, instance);
    }

    /* another callable: it binds in its own way, or not at all */
    PyObject *type = (PyObject *)Py_TYPE(function);
    PyObject *bound = NULL;
    int is_binding = has_attribute(type, "__get__");
    if (is_binding < 0) {
        return NULL;
    }
    if (is_binding) {
        bound = PyObject_CallMethod(type, "__get__", "OOO", function, instance ? instance : Py_None,
                                    owner ? owner : Py_None);
        if (!bound) {
            return NULL;
        }
    }
    if (!bound || bound == function) {
        Py_XDECREF(bound);
        Py_INCREF(self);
        return self;
    }
    PyObject *result = mprof__stand_in_new(bound, as_stand_in(self)->name);
    Py_DECREF(bound);
    return result;
}

static int visit_stand_in(PyObject *self, visitproc visit, void *context)
{
    PyObject *function = as_stand_in(self)->function;
    int result = function ? visit(function, context) : 0;
    return result != 0 ? result : mprof__python_visit_type(self, visit, context);
}

static int clear_stand_in(PyObject *self)
{
    PyObject *function = as_stand_in(self)->function;
    as_stand_in(self)->function = NULL;
    Py_XDECREF(function);
    return 0;
}

static void free_stand_in(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    if (as_stand_in(self)->weaklist) {
        PyObject_ClearWeakRefs(self);
    }
    clear_stand_in(self);
    mprof__python_free(self);
}

static PyObject *get_wrapped(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *function = as_stand_in(self)->function;
    Py_INCREF(function);
    return function;
}

/* pydoc and help() look it up without our get_attribute. */
static PyObject *get_doc(PyObject *self, void *closure)
{
    (void)closure;
    return PyObject_GetAttrString(as_stand_in(self)->function, "__doc__");
}

/* A name suffices: pickle looks it up and finds the stand-in; copy returns the stand-in itself. */
static PyObject *reduce(PyObject *self, PyObject *protocol)
{
    (void)protocol;
    PyObject *name = PyObject_GetAttrString(as_stand_in(self)->function, "__qualname__");
    if (name) {
        return name;
    }
    PyErr_Clear();
    return PyObject_CallMethod(as_stand_in(self)->function, "__reduce__", NULL);
}

/* The type of method that the creation of a class makes of a function with this name; NULL: a plain
 * function. */
static PyTypeObject *implicit_method_type(PyObject *name)
{
    if (PyUnicode_CompareWithASCIIString(name, "__new__") == 0) {
        return mprof__python.static_method_type;
    }
    if (PyUnicode_CompareWithASCIIString(name, "__init_subclass__") == 0 ||
        PyUnicode_CompareWithASCIIString(name, "__class_getitem__") == 0) {
        return mprof__python.class_method_type;
    }
    return NULL;
}

/* Called for a stand-in in the body of a new class. The interpreter makes functions with some names
 * static or class methods, but does not recognise a stand-in as a function; so this does it. */
static PyObject *set_name(PyObject *self, PyObject *arguments)
{
    PyObject *function = as_stand_in(self)->function;
    PyObject *owner;
    PyObject *name;

    if (!PyArg_ParseTuple(arguments, "OO:__set_name__", &owner, &name)) {
        return NULL;
    }
    if (Py_TYPE(function) != mprof__python.function_type) {
        PyObject *type = (PyObject *)Py_TYPE(function);
        int is_named = has_attribute(type, "__set_name__");
        if (is_named < 0) {
            return NULL;
        }
        if (is_named) {
            return PyObject_CallMethod(type, "__set_name__", "OOO", function, owner, name);
        }
    } else if (PyUnicode_Check(name) && PyType_Check(owner)) {
        PyTypeObject *kind = implicit_method_type(name);
        PyObject *method = kind ? PyObject_CallFunctionObjArgs((PyObject *)kind, self, NULL) : NULL;
        if (kind && (!method || !mprof__python_set_type_attribute(owner, name, method))) {
            Py_XDECREF(method);
            return NULL;
        }
        Py_XDECREF(method);
    }
    Py_INCREF(Py_None);
    return Py_None;
}

static PyMethodDef methods[] = {
    {"__set_name__", set_name, METH_VARARGS, NULL},
    {"__reduce_ex__", reduce, METH_O, NULL},
    {"__reduce__", reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"__wrapped__", get_wrapped, NULL, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Libraries look functions up in tables by their exact type (dill, yaml), or compare the type with
 * types.FunctionType. So the stand-ins' type is equal to that and has the same hash, by a metatype
 * of its own. */
static PyObject *compare_types(PyObject *left, PyObject *right, int operation)
{
    bool is_same =
        (left == type_for_functions || left == (PyObject *)mprof__python.function_type) &&
        (right == type_for_functions || right == (PyObject *)mprof__python.function_type);
    PyObject *result = Py_NotImplemented;

    if (is_same && operation == Py_EQ) {
        result = Py_True;
    } else if (is_same && operation == Py_NE) {
        result = Py_False;
    }
    Py_INCREF(result);
    return result;
}

static Py_hash_t hash_type(PyObject *type)
{
    (void)type;
    return PyObject_Hash((PyObject *)mprof__python.function_type);
}

static bool make_equal_to_function_type(PyObject *type)
{
    PyType_Slot slots[] = {
        MPROF_SLOT(Py_tp_richcompare, compare_types),
        MPROF_SLOT(Py_tp_hash, hash_type),
        {0, NULL},
    };
    PyType_Spec spec = {.name = "mprof.type", .flags = Py_TPFLAGS_DEFAULT, .slots = slots};
    PyObject *bases = PyTuple_Pack(1, &PyType_Type);
    PyObject *meta = bases ? PyType_FromSpecWithBases(&spec, bases) : NULL;

    Py_XDECREF(bases);
    if (meta) {
        type->ob_type = (PyTypeObject *)(void *)meta; /* which has the layout of `type` */
    }
    return meta != NULL;
}

/* The interpreter calls such objects like functions, without binding them first, and names them
 * like functions in its message about a failed finaliser. Value of Py_TPFLAGS_METHOD_DESCRIPTOR. */
#define CALLED_UNBOUND (1U << 17)

static PyObject *make_type(unsigned flags)
{
    static const mprof__python_layout layout = {
        .shown_name = "function",
        .vectorcall_offset = offsetof(stand_in, vectorcall),
        .weaklist_offset = offsetof(stand_in, weaklist),
    };
    PyType_Slot slots[] = {
        MPROF_SLOT(Py_tp_call, call_tuple),
        MPROF_SLOT(Py_tp_getattro, get_attribute),
        MPROF_SLOT(Py_tp_setattro, set_attribute),
        MPROF_SLOT(Py_tp_repr, represent),
        MPROF_SLOT(Py_tp_descr_get, bind),
        MPROF_SLOT(Py_tp_traverse, visit_stand_in),
        MPROF_SLOT(Py_tp_clear, clear_stand_in),
        MPROF_SLOT(Py_tp_dealloc, free_stand_in),
        {Py_tp_methods, methods},
        {Py_tp_getset, getset},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "mprof.function",
        .basicsize = sizeof(stand_in),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | flags,
        .slots = slots,
    };
    return mprof__python_type(&spec, &layout);
}

PyObject *mprof__stand_in_new(PyObject *function, mprof__name *name)
{
    bool is_function = Py_TYPE(function) == mprof__python.function_type;
    PyObject *type = is_function ? type_for_functions : type_for_callables;
    PyObject *self = PyType_GenericAlloc((PyTypeObject *)(void *)type, 0);

    if (self) {
        Py_INCREF(function);
        as_stand_in(self)->function = function;
        as_stand_in(self)->vectorcall = call_vector;
        as_stand_in(self)->name = name;
        as_stand_in(self)->makes_suspendable = mprof__suspendable_is_made_by(function);
    }
    return self;
}

void mprof__stand_in_hide_caller(PyObject *object, PyObject *code)
{
    as_stand_in(object)->hidden_code = code;
}

bool mprof__stand_in_setup(void)
{
    if (!type_for_functions && mprof__suspendable_setup()) {
        PyObject *type = make_type(CALLED_UNBOUND);
        type_for_callables = type ? make_type(0) : NULL;
        if (type_for_callables && make_equal_to_function_type(type)) {
            type_for_functions = type;
        }
    }
    return type_for_functions != NULL;
}

PyObject *mprof__stand_in_function(PyObject *object)
{
    return (PyObject *)Py_TYPE(object) == type_for_functions ? as_stand_in(object)->function : NULL;
}
