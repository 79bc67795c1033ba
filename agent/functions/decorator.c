/* See decorator.h. The calls of a function are recorded by its events or its entry point; other
 * callables, and functions of 3.11, are replaced by stand-ins. */
#include "decorator.h"

#include "agent/events/span.h"
#include "block.h"
#include "function_events.h"
#include "module.h"
#include "stand_in.h"

static bool is_profile_off;

static PyObject *decorate(PyObject *target);

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
    PyObject *result = mprof__stand_in_new(watched, name);
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
    return mprof__stand_in_new(function, name);
}

bool mprof__decorator_mark(PyObject *function)
{
    mprof__name *name = name_of(function);
    mprof__span_expect_calls();
    return name && mprof__function_events_watch(function, name);
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
    if (!mprof__python_set_type_attribute(type, name, value)) {
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
    if (is_profile_off || mprof__is_stand_in(target)) {
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

/* Tools that list builtins expect a signature of each. Made only if inspect is loaded, which asks
 * for it. */
static PyObject *signature_of_profile(PyObject *self, void *unused)
{
    PyObject *inspect = PyDict_GetItemString(PyImport_GetModuleDict(), "inspect"); /* borrowed */
    PyObject *globals = NULL;
    PyObject *code = NULL;
    PyObject *function = NULL;
    PyObject *result = NULL;
    (void)self;
    (void)unused;

    if (!inspect) {
        PyErr_SetString(PyExc_AttributeError, "__signature__");
        return NULL;
    }
    globals = PyDict_New();
    code = Py_CompileString("lambda func=None, stream=None, precision=1, backend='psutil': None",
                            "<mprof>", Py_eval_input);
    if (globals && code) {
        function = PyEval_EvalCode(code, globals, globals);
    }
    if (function) {
        result = PyObject_CallMethod(inspect, "signature", "O", function);
    }
    Py_XDECREF(globals);
    Py_XDECREF(code);
    Py_XDECREF(function);
    return result;
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
    {"__signature__", signature_of_profile, NULL, NULL, NULL},
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
        .name = "builtins.profile", /* 3.8 overwrites __module__ by its first part */
        .basicsize = sizeof(PyObject),
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };

    is_profile_off = is_off;
    if (!mprof__stand_in_setup()) {
        return NULL;
    }
    PyObject *type = mprof__python_type(&spec, &layout);
    PyObject *self = type ? PyType_GenericAlloc((PyTypeObject *)(void *)type, 0) : NULL;
    Py_XDECREF(type);
    return self;
}
