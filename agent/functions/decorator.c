/* See decorator.h. A stand-in calls its function between the begin and the end of a span. Its
 * attributes, class, signature, binding and pickling are the function's, so that programs and
 * libraries see no difference. */
#include "decorator.h"

#include <stddef.h>
#include <string.h>

#include "agent/events/span.h"
#include "agent/events/stack.h"
#include "block.h"
#include "function_events.h"
#include "module.h"
#include "suspendable.h"

typedef struct decorated {
    PyObject ob_base;
    PyObject *function; /* owned */
    mprof__vectorcall vectorcall;
    mprof__name *name;
    bool makes_suspendable; /* the span is that of the returned generator or coroutine */
    PyObject *weaklist;
} decorated;

static PyObject *decorated_type; /* owned, never freed; for functions */
static PyObject *callable_type;  /* the same, for other callables */
static bool is_profile_off;

static PyObject *decorate(PyObject *target);

static decorated *as_decorated(PyObject *object)
{
    return (decorated *)(void *)object;
}

static bool is_decorated(PyObject *object)
{
    return (PyObject *)Py_TYPE(object) == decorated_type ||
           (PyObject *)Py_TYPE(object) == callable_type;
}

static PyObject *raise_recursion_error(void)
{
    PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
    return NULL;
}

static PyObject *call_vector(PyObject *self, PyObject *const *arguments, size_t count,
                             PyObject *keywords)
{
    decorated *one = as_decorated(self);
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
    PyObject *result = mprof__python.vectorcall(one->function, arguments, count, keywords);
    mprof__span_end(&span, !result);
    return result;
}

static PyObject *call_tuple(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    decorated *one = as_decorated(self);
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
    return PyObject_GetAttr(as_decorated(self)->function, name);
}

static int set_attribute(PyObject *self, PyObject *name, PyObject *value)
{
    int result = PyObject_SetAttr(as_decorated(self)->function, name, value);
    if (result == 0 && PyUnicode_CompareWithASCIIString(name, "__code__") == 0) {
        as_decorated(self)->makes_suspendable =
            mprof__suspendable_is_made_by(as_decorated(self)->function);
    }
    return result;
}

static PyObject *represent(PyObject *self)
{
    return PyObject_Repr(as_decorated(self)->function);
}

static PyObject *new_decorated(PyObject *function, mprof__name *name);

static PyObject *bind(PyObject *self, PyObject *instance, PyObject *owner)
{
    PyObject *function = as_decorated(self)->function;

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
    if (PyObject_HasAttrString(type, "__get__")) {
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
    PyObject *result = new_decorated(bound, as_decorated(self)->name);
    Py_DECREF(bound);
    return result;
}

static int visit_decorated(PyObject *self, visitproc visit, void *context)
{
    PyObject *function = as_decorated(self)->function;
    int result = function ? visit(function, context) : 0;
    return result != 0 ? result : mprof__python_visit_type(self, visit, context);
}

static int clear_decorated(PyObject *self)
{
    PyObject *function = as_decorated(self)->function;
    as_decorated(self)->function = NULL;
    Py_XDECREF(function);
    return 0;
}

static void free_decorated(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    if (as_decorated(self)->weaklist) {
        PyObject_ClearWeakRefs(self);
    }
    clear_decorated(self);
    mprof__python_free(self);
}

static PyObject *get_wrapped(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *function = as_decorated(self)->function;
    Py_INCREF(function);
    return function;
}

/* A name suffices: pickle looks it up and finds the stand-in; copy returns the stand-in itself. */
static PyObject *reduce(PyObject *self, PyObject *protocol)
{
    (void)protocol;
    PyObject *name = PyObject_GetAttrString(as_decorated(self)->function, "__qualname__");
    if (name) {
        return name;
    }
    PyErr_Clear();
    return PyObject_CallMethod(as_decorated(self)->function, "__reduce__", NULL);
}

/* Bypasses the metaclass's __setattr__, which may forbid or change assignments. */
static bool set_type_attribute(PyObject *type, PyObject *name, PyObject *value)
{
    PyObject *done =
        PyObject_CallMethod((PyObject *)&PyType_Type, "__setattr__", "OOO", type, name, value);
    Py_XDECREF(done);
    return done != NULL;
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
    PyObject *function = as_decorated(self)->function;
    PyObject *owner;
    PyObject *name;

    if (!PyArg_ParseTuple(arguments, "OO:__set_name__", &owner, &name)) {
        return NULL;
    }
    if (Py_TYPE(function) != mprof__python.function_type) {
        PyObject *type = (PyObject *)Py_TYPE(function);
        if (PyObject_HasAttrString(type, "__set_name__")) {
            return PyObject_CallMethod(type, "__set_name__", "OOO", function, owner, name);
        }
    } else if (PyUnicode_Check(name) && PyType_Check(owner)) {
        PyTypeObject *kind = implicit_method_type(name);
        PyObject *method = kind ? PyObject_CallFunctionObjArgs((PyObject *)kind, self, NULL) : NULL;
        if (kind && (!method || !set_type_attribute(owner, name, method))) {
            Py_XDECREF(method);
            return NULL;
        }
        Py_XDECREF(method);
    }
    Py_INCREF(Py_None);
    return Py_None;
}

static PyMethodDef decorated_methods[] = {
    {"__set_name__", set_name, METH_VARARGS, NULL},
    {"__reduce_ex__", reduce, METH_O, NULL},
    {"__reduce__", reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef decorated_getset[] = {
    {"__wrapped__", get_wrapped, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Libraries look functions up in tables by their exact type (dill, yaml), or compare the type with
 * types.FunctionType. So the stand-ins' type is equal to that and has the same hash, by a metatype
 * of its own. */
static PyObject *compare_types(PyObject *left, PyObject *right, int operation)
{
    bool is_same = (left == decorated_type || left == (PyObject *)mprof__python.function_type) &&
                   (right == decorated_type || right == (PyObject *)mprof__python.function_type);
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

static PyObject *make_decorated_type(unsigned flags)
{
    static const mprof__python_layout layout = {
        .shown_name = "function",
        .vectorcall_offset = offsetof(decorated, vectorcall),
        .weaklist_offset = offsetof(decorated, weaklist),
    };
    PyType_Slot slots[] = {
        MPROF_SLOT(Py_tp_call, call_tuple),
        MPROF_SLOT(Py_tp_getattro, get_attribute),
        MPROF_SLOT(Py_tp_setattro, set_attribute),
        MPROF_SLOT(Py_tp_repr, represent),
        MPROF_SLOT(Py_tp_descr_get, bind),
        MPROF_SLOT(Py_tp_traverse, visit_decorated),
        MPROF_SLOT(Py_tp_clear, clear_decorated),
        MPROF_SLOT(Py_tp_dealloc, free_decorated),
        {Py_tp_methods, decorated_methods},
        {Py_tp_getset, decorated_getset},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "mprof.function",
        .basicsize = sizeof(decorated),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | flags,
        .slots = slots,
    };
    return mprof__python_type(&spec, &layout);
}

static PyObject *new_decorated(PyObject *function, mprof__name *name)
{
    bool is_function = Py_TYPE(function) == mprof__python.function_type;
    PyObject *type = is_function ? decorated_type : callable_type;
    PyObject *self = PyType_GenericAlloc((PyTypeObject *)(void *)type, 0);

    if (self) {
        Py_INCREF(function);
        as_decorated(self)->function = function;
        as_decorated(self)->vectorcall = call_vector;
        as_decorated(self)->name = name;
        as_decorated(self)->makes_suspendable = mprof__suspendable_is_made_by(function);
    }
    return self;
}

/* A text attribute, or NULL without an exception. New reference. */
static PyObject *text_attribute(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    if (!value || !PyUnicode_Check(value)) {
        PyErr_Clear();
        Py_XDECREF(value);
        return NULL;
    }
    return value;
}

/* "module.qualname" of a callable; for a partial, that of its function; else that of its type. */
static PyObject *dotted_name(PyObject *callable)
{
    PyObject *qualname = text_attribute(callable, "__qualname__");
    PyObject *inner = NULL;

    if (!qualname && (inner = PyObject_GetAttrString(callable, "func"))) {
        PyObject *result = PyCallable_Check(inner) ? dotted_name(inner) : NULL;
        Py_DECREF(inner);
        if (result) {
            return result;
        }
    }
    PyErr_Clear();
    PyObject *named = qualname ? callable : (PyObject *)Py_TYPE(callable);
    if (!qualname) {
        qualname = text_attribute(named, "__qualname__");
    }
    PyObject *module = text_attribute(named, "__module__");
    PyObject *result = NULL;
    if (qualname) {
        result = module ? PyUnicode_FromFormat("%U.%U", module, qualname)
                        : PyUnicode_FromFormat("%U", qualname);
    }
    Py_XDECREF(module);
    Py_XDECREF(qualname);
    PyErr_Clear();
    return result;
}

static mprof__name *name_of_text(PyObject *text)
{
    Py_ssize_t size;
    const char *utf8 = text ? mprof__python.utf8(text, &size) : NULL;
    if (utf8) {
        return mprof__name_intern(utf8, (size_t)size);
    }
    PyErr_Clear(); /* lone surrogates */
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape") : NULL;
    if (text && !bytes) {
        PyErr_Clear();
        bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    }
    mprof__name *name =
        bytes ? mprof__name_intern(PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes))
              : mprof__name_intern("?", 1);
    PyErr_Clear();
    Py_XDECREF(bytes);
    return name;
}

static mprof__name *name_of(PyObject *callable)
{
    PyObject *dotted = dotted_name(callable);
    mprof__name *name = name_of_text(dotted);
    Py_XDECREF(dotted);
    return name;
}

static PyObject *decorate_as(PyObject *callable, mprof__name *name)
{
    if (!name) {
        return PyErr_NoMemory();
    }
    mprof__span_expect_calls();
    PyObject *watched = mprof__module_watch_lines(callable);
    if (mprof__function_events_watch(watched, name)) {
        return watched;
    }
    PyObject *result = new_decorated(watched, name);
    Py_DECREF(watched);
    return result;
}

static PyObject *decorate_callable(PyObject *callable)
{
    return decorate_as(callable, name_of(callable));
}

PyObject *mprof__decorator_new_stand_in(PyObject *function)
{
    mprof__name *name = name_of(function);
    if (!name) {
        return PyErr_NoMemory();
    }
    mprof__span_expect_calls();
    return new_decorated(function, name);
}

bool mprof__decorator_mark(PyObject *function)
{
    mprof__name *name = name_of(function);
    mprof__span_expect_calls();
    return name && mprof__function_events_watch(function, name);
}

bool mprof__decorator_is_stand_in(PyObject *function)
{
    return is_decorated(function);
}

PyObject *mprof__decorator_function_of(PyObject *object)
{
    return (PyObject *)Py_TYPE(object) == decorated_type ? as_decorated(object)->function : NULL;
}

/* A staticmethod or classmethod around the decorated function. */
static PyObject *decorate_method(PyObject *method)
{
    PyObject *result = NULL;
    PyObject *function = PyObject_GetAttrString(method, "__func__");
    PyObject *inner = function ? decorate(function) : NULL;
    if (inner && inner == function) {
        Py_INCREF(method);
        result = method;
    } else if (inner) {
        result = PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(method), inner, NULL);
    }
    Py_XDECREF(function);
    Py_XDECREF(inner);
    return result;
}

/* A property with each of its functions decorated. */
static PyObject *decorate_property(PyObject *property)
{
    static const char *const parts[][2] = {
        {"fget", "getter"}, {"fset", "setter"}, {"fdel", "deleter"}};
    PyObject *result = property;

    Py_INCREF(result);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && result; i++) {
        PyObject *function = PyObject_GetAttrString(property, parts[i][0]);
        PyObject *inner = NULL;
        PyObject *next = NULL;
        if (function == Py_None) {
            Py_DECREF(function);
            continue;
        }
        if (function && (inner = decorate(function))) {
            if (inner == function) {
                Py_INCREF(result);
                next = result;
            } else {
                next = PyObject_CallMethod(result, parts[i][1], "O", inner);
            }
        }
        Py_XDECREF(function);
        Py_XDECREF(inner);
        Py_DECREF(result);
        result = next;
    }
    return result;
}

/* New reference; NULL without an exception. */
static PyObject *attribute_or_null(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    PyErr_Clear();
    return value;
}

/* The file of the running code, usually that of the class's body. New reference, or NULL. */
static PyObject *running_file(void)
{
    PyObject *frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    PyObject *code = frame ? attribute_or_null(frame, "f_code") : NULL;
    PyObject *file = code ? attribute_or_null(code, "co_filename") : NULL;

    Py_XDECREF(code);
    return file;
}

static bool differ(PyObject *left, PyObject *right)
{
    return left && right && PyUnicode_Check(left) && PyUnicode_Check(right) &&
           PyUnicode_Compare(left, right) != 0;
}

/* Whether another decorator has generated the function: its file is "<string>" or the like. */
static bool is_generated(PyObject *function, PyObject *file)
{
    PyObject *code = attribute_or_null(function, "__code__");
    PyObject *its = code ? attribute_or_null(code, "co_filename") : NULL;
    bool result =
        its && PyUnicode_Check(its) && differ(its, file) && PyUnicode_ReadChar(its, 0) == '<';

    PyErr_Clear(); /* an empty name */
    Py_XDECREF(its);
    Py_XDECREF(code);
    return result;
}

/* Whether a function was written in the class's body, not added by a metaclass (Enum) or generated
 * by another decorator (dataclass). */
static bool is_of_body(PyObject *type, PyObject *function, PyObject *file)
{
    PyObject *its = attribute_or_null(function, "__module__");
    PyObject *module = attribute_or_null(type, "__module__");
    bool result = !differ(its, module) && !is_generated(function, file);

    Py_XDECREF(its);
    Py_XDECREF(module);
    return result;
}

/* The same for a method of any kind. */
static bool is_method_of_body(PyObject *type, PyObject *method, PyObject *file)
{
    static const char *const parts[] = {"__func__", "fget", "fset", "fdel"};

    if (Py_TYPE(method) == mprof__python.function_type) {
        return is_of_body(type, method, file);
    }
    bool is_method = Py_TYPE(method) == &PyProperty_Type ||
                     Py_TYPE(method) == mprof__python.static_method_type ||
                     Py_TYPE(method) == mprof__python.class_method_type;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && is_method; i++) {
        PyObject *part = attribute_or_null(method, parts[i]);
        is_method = !part || part == Py_None || is_of_body(type, part, file);
        Py_XDECREF(part);
    }
    return is_method;
}

/* A member that cannot be set at all stays as it is. */
static void set_member(PyObject *type, PyObject *name, PyObject *value)
{
    if (!set_type_attribute(type, name, value)) {
        PyErr_Clear();
        (void)PyObject_SetAttr(type, name, value);
        PyErr_Clear();
    }
}

/* Decorates the methods that the class's own body defines. Returns the class itself. */
static PyObject *decorate_class(PyObject *type)
{
    PyObject *dict = PyObject_GetAttrString(type, "__dict__");
    PyObject *items = dict ? PyMapping_Items(dict) : NULL;
    PyObject *file = items ? running_file() : NULL;
    Py_ssize_t count = items ? PyList_Size(items) : -1;
    bool failed = !items;

    for (Py_ssize_t i = 0; i < count && !failed; i++) {
        PyObject *item = PyList_GetItem(items, i); /* borrowed, as what is in it */
        PyObject *value = PyTuple_GetItem(item, 1);
        if (is_method_of_body(type, value, file)) {
            PyObject *marked = decorate(value);
            failed = !marked;
            if (marked && marked != value) {
                set_member(type, PyTuple_GetItem(item, 0), marked);
            }
            Py_XDECREF(marked);
        }
    }
    Py_XDECREF(dict);
    Py_XDECREF(items);
    Py_XDECREF(file);
    if (failed) {
        return NULL;
    }
    Py_INCREF(type);
    return type;
}

/* New reference, NULL with an exception. */
static PyObject *decorate(PyObject *target)
{
    if (is_profile_off || is_decorated(target)) {
        Py_INCREF(target);
        return target;
    }
    if (Py_TYPE(target) == mprof__python.static_method_type ||
        Py_TYPE(target) == mprof__python.class_method_type) {
        return decorate_method(target);
    }
    if (Py_TYPE(target) == &PyProperty_Type) {
        return decorate_property(target);
    }
    if (PyType_Check(target)) {
        return decorate_class(target);
    }
    if (!PyCallable_Check(target)) {
        PyErr_Format(PyExc_ValueError, "profile: expected a function or another callable, not %R",
                     target);
        return NULL;
    }
    return decorate_callable(target);
}

/* profile(func=None, stream=None, precision=1, backend='psutil'). The arguments after the first
 * belong to line reports; a timeline does not use them. */
static PyObject *call_profile(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char function_word[] = "func";
    static char stream_word[] = "stream";
    static char precision_word[] = "precision";
    static char backend_word[] = "backend";
    static char *words[] = {function_word, stream_word, precision_word, backend_word, NULL};
    PyObject *function = Py_None;
    PyObject *ignored[3];

    /* the usual @profile, without the argument parser, which would bring its code into memory */
    if (!keywords && PyTuple_Size(arguments) == 1 && PyTuple_GetItem(arguments, 0) != Py_None) {
        return decorate(PyTuple_GetItem(arguments, 0));
    }
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|OOOO:profile", words, &function,
                                     &ignored[0], &ignored[1], &ignored[2])) {
        return NULL;
    }
    if (function == Py_None) {
        Py_INCREF(self); /* @profile(precision=4): returns the decorator itself */
        return self;
    }
    return decorate(function);
}

/* The label is the whole name of the block, without a module. */
static PyObject *timestamp(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char name_word[] = "name";
    static char *words[] = {name_word, NULL};
    PyObject *label = NULL;
    mprof__name *name = NULL;
    (void)self;

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|U:timestamp", words, &label)) {
        return NULL;
    }
    if (!is_profile_off) {
        name = label ? name_of_text(label) : mprof__name_intern("<block>", 7);
        if (!name) {
            return PyErr_NoMemory();
        }
        mprof__span_expect_calls();
    }
    return mprof__block_new(name);
}

/* _arrive(None, name, function): decorates a function that was pickled by value (_pickling.py). The
 * name is passed because a function that calls itself is still incomplete here. */
static PyObject *arrive(PyObject *self, PyObject *arguments)
{
    PyObject *unused;
    PyObject *name;
    PyObject *function;
    (void)self;

    if (!PyArg_ParseTuple(arguments, "OUO:_arrive", &unused, &name, &function)) {
        return NULL;
    }
    if (!is_profile_off && Py_TYPE(function) == mprof__python.function_type) {
        return decorate_as(function, name_of_text(name));
    }
    return decorate(function);
}

static PyObject *represent_profile(PyObject *self)
{
    (void)self;
    return PyUnicode_FromString("<function profile of mprof>");
}

static PyObject *reduce_profile(PyObject *self, PyObject *protocol)
{
    (void)self;
    (void)protocol;
    return PyUnicode_FromString("profile");
}

static PyObject *text_of_profile(PyObject *self, void *text)
{
    (void)self;
    return PyUnicode_FromString(text);
}

static PyMethodDef profile_methods[] = {
    {"timestamp", (PyCFunction)(void (*)(void))timestamp, METH_VARARGS | METH_KEYWORDS,
     "timestamp(name='<block>')\n--\n\nContext manager: mprof records the block under this name."},
    {"_arrive", arrive, METH_VARARGS, NULL},
    {"__reduce_ex__", reduce_profile, METH_O, NULL},
    {"__reduce__", reduce_profile, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static char profile_text[] = "profile";
static char builtins_text[] = "builtins";

static PyGetSetDef profile_getset[] = {
    {"__name__", text_of_profile, NULL, NULL, profile_text},
    {"__qualname__", text_of_profile, NULL, NULL, profile_text},
    {"__module__", text_of_profile, NULL, NULL, builtins_text},
    {NULL, NULL, NULL, NULL, NULL},
};

static char profile_doc[] =
    "profile(func=None, stream=None, precision=1, backend='psutil')\n--\n\n"
    "Decorator: mprof records when the function runs and the memory before and after it.";

static void free_profile(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

bool mprof__decorator_setup(void)
{
    if (!decorated_type && mprof__suspendable_setup()) {
        PyObject *type = make_decorated_type(CALLED_UNBOUND);
        callable_type = type ? make_decorated_type(0) : NULL;
        if (callable_type && make_equal_to_function_type(type)) {
            decorated_type = type;
        }
    }
    return decorated_type != NULL;
}

PyObject *mprof__decorator_new(bool is_off)
{
    static const mprof__python_layout layout = {0};
    PyType_Slot slots[] = {
        MPROF_SLOT(Py_tp_call, call_profile),
        MPROF_SLOT(Py_tp_repr, represent_profile),
        MPROF_SLOT(Py_tp_dealloc, free_profile),
        {Py_tp_methods, profile_methods},
        {Py_tp_getset, profile_getset},
        {Py_tp_doc, profile_doc},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "mprof.profile",
        .basicsize = sizeof(PyObject),
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };

    is_profile_off = is_off;
    if (!mprof__decorator_setup()) {
        return NULL;
    }
    PyObject *type = mprof__python_type(&spec, &layout);
    PyObject *self = type ? PyType_GenericAlloc((PyTypeObject *)(void *)type, 0) : NULL;
    Py_XDECREF(type);
    return self;
}
