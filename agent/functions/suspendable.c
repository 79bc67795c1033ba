/* See suspendable.h. Each step (send, throw, close and their asynchronous versions) is passed on
 * between the resumption and the suspension of the span. All attributes, the class included, are
 * the object's, so isinstance, inspect and asyncio see no difference. */
#include "suspendable.h"

#include <stddef.h>
#include <string.h>

typedef enum span_state {
    STATE_NEW,
    STATE_RUNNING,
    STATE_SUSPENDED,
    STATE_ENDED,
} span_state;

typedef struct suspendable {
    PyObject ob_base;
    PyObject *inner; /* owned; the object behind the stand-in */
    /* Owned. Set in a part, which is an iterator over a coroutine or a step of an async generator:
     * the object whose span it continues. NULL: it has a span of its own. */
    struct suspendable *whole;
    bool is_closing; /* a step that ends the whole even if it returns normally */
    span_state state;
    mprof__name *name;
    mprof__span span;
    PyObject *weaklist;
} suspendable;

static PyTypeObject *generator_type; /* these six are owned and never freed */
static PyTypeObject *coroutine_type;
static PyTypeObject *iterable_coroutine_type;
static PyTypeObject *coroutine_iterator_type;
static PyTypeObject *async_generator_type;
static PyTypeObject *async_step_type;

static suspendable *as_suspendable(PyObject *object)
{
    return (suspendable *)(void *)object;
}

static PyObject *new_suspendable(PyTypeObject *type, PyObject *inner, suspendable *whole)
{
    PyObject *self = PyType_GenericAlloc(type, 0);
    if (self) {
        Py_INCREF(inner);
        Py_XINCREF(whole);
        as_suspendable(self)->inner = inner;
        as_suspendable(self)->whole = whole;
    }
    return self;
}

static void end_span(suspendable *whole, bool by_exception)
{
    whole->state = STATE_ENDED;
    mprof__span_end(&whole->span, by_exception);
}

/* Whether it was closed before its first step: by its own finaliser, if it was garbage once. */
static bool is_closed(const suspendable *whole)
{
    PyTypeObject *type = Py_TYPE(whole->inner);
    PyObject *frame = PyObject_GetAttrString(
        whole->inner, type == mprof__python.coroutine_type         ? "cr_frame"
                      : type == mprof__python.async_generator_type ? "ag_frame"
                                                                   : "gi_frame");
    bool result = frame == Py_None;

    if (!frame) {
        PyErr_Clear(); /* no memory for the name of the attribute */
    }
    Py_XDECREF(frame);
    return result;
}

/* Returns whether the step belongs to the span. A step inside another, or after the end, is an
 * error that the object itself will raise. */
static bool begin_step(suspendable *whole)
{
    if (whole->state == STATE_NEW && is_closed(whole)) {
        whole->state = STATE_ENDED;
    }
    if (whole->state == STATE_NEW) {
        whole->state = STATE_RUNNING;
        mprof__span_begin(&whole->span, whole->name);
        return true;
    }
    if (whole->state == STATE_SUSPENDED) {
        whole->state = STATE_RUNNING;
        mprof__span_resume(&whole->span);
        return true;
    }
    return false;
}

static bool is_end_of_iteration(void)
{
    return !PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_StopIteration) ||
           PyErr_ExceptionMatches(PyExc_StopAsyncIteration) ||
           PyErr_ExceptionMatches(PyExc_GeneratorExit);
}

/* A step of an async generator that ends in StopIteration has yielded a value. */
static bool has_yielded(const suspendable *self, PyObject *result)
{
    if (result) {
        return true;
    }
    return self->ob_base.ob_type == async_step_type && !self->is_closing && PyErr_Occurred() &&
           PyErr_ExceptionMatches(PyExc_StopIteration);
}

static PyObject *end_step(suspendable *self, suspendable *whole, PyObject *result)
{
    if (has_yielded(self, result)) {
        whole->state = STATE_SUSPENDED;
        mprof__span_suspend(&whole->span);
    } else {
        end_span(whole, !is_end_of_iteration());
    }
    return result;
}

/* Steals the reference to `arguments`, which may be NULL with an exception. */
static PyObject *step(PyObject *self, const char *method_name, PyObject *arguments)
{
    suspendable *part = as_suspendable(self);
    suspendable *whole = part->whole ? part->whole : part;
    PyObject *method = arguments ? PyObject_GetAttrString(part->inner, method_name) : NULL;
    PyObject *result = NULL;

    if (method) {
        Py_INCREF(self); /* the step may drop the last reference to us */
        bool is_ours = begin_step(whole);
        result = PyObject_CallObject(method, arguments);
        if (is_ours) {
            result = end_step(part, whole, result);
        }
        Py_DECREF(self);
    }
    Py_XDECREF(method);
    Py_XDECREF(arguments);
    return result;
}

/* `send(None)` without a call, which would count as one more level of recursion. NULL without an
 * exception: it has returned None. */
static PyObject *next_of(PyObject *inner)
{
    iternextfunc next = mprof__python_iternext(Py_TYPE(inner));
    if (next) {
        return next(inner);
    }
    PyObject *iterator = mprof__python_await(Py_TYPE(inner))(inner);
    PyObject *result = iterator ? mprof__python_iternext(Py_TYPE(iterator))(iterator) : NULL;
    Py_XDECREF(iterator);
    return result;
}

static PyObject *do_next(PyObject *self)
{
    suspendable *part = as_suspendable(self);
    suspendable *whole = part->whole ? part->whole : part;

    Py_INCREF(self); /* the step may drop the last reference to us */
    bool is_ours = begin_step(whole);
    PyObject *result = next_of(part->inner);
    if (is_ours) {
        result = end_step(part, whole, result);
    }
    Py_DECREF(self);
    return result;
}

static PyObject *do_send(PyObject *self, PyObject *value)
{
    if (value != Py_None) {
        return step(self, "send", PyTuple_Pack(1, value));
    }
    PyObject *result = do_next(self);
    if (!result && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    return result;
}

static PyObject *do_throw(PyObject *self, PyObject *arguments)
{
    Py_INCREF(arguments);
    return step(self, "throw", arguments);
}

/* Closing an object before its first step runs none of its code. */
static PyObject *do_close(PyObject *self, PyObject *unused)
{
    suspendable *part = as_suspendable(self);
    suspendable *whole = part->whole ? part->whole : part;
    (void)unused;

    if (whole->state == STATE_NEW) {
        return PyObject_CallMethod(part->inner, "close", NULL);
    }
    PyObject *result = step(self, "close", PyTuple_New(0));
    bool is_one_step = Py_TYPE(self) == async_step_type;
    if (result && whole->state == STATE_SUSPENDED && !is_one_step) {
        end_span(whole, false);
    }
    return result;
}

static PyObject *return_self(PyObject *self)
{
    Py_INCREF(self);
    return self;
}

static PyObject *do_await(PyObject *self)
{
    PyObject *inner = as_suspendable(self)->inner;
    PyObject *iterator = mprof__python_await(Py_TYPE(inner))(inner);
    PyObject *result = NULL;

    if (iterator) {
        result = new_suspendable(coroutine_iterator_type, iterator, as_suspendable(self));
        Py_DECREF(iterator);
    }
    return result;
}

/* The operator `await` refuses a coroutine that is suspended in another `await`. */
static PyObject *await_operator(PyObject *self)
{
    PyObject *awaited = PyObject_GetAttrString(as_suspendable(self)->inner, "cr_await");
    bool is_awaited = awaited && awaited != Py_None;

    PyErr_Clear();
    Py_XDECREF(awaited);
    if (is_awaited) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return NULL;
    }
    return do_await(self);
}

/* `yield from` a coroutine is allowed in other coroutines; nothing else iterates over one. */
static PyObject *iterate_coroutine(PyObject *self)
{
    long flags;

    if (!mprof__python_is_yielding_from(&flags)) {
        PyErr_SetString(PyExc_TypeError, "'coroutine' object is not iterable");
        return NULL;
    }
    if ((flags & (MPROF_CODE_COROUTINE | MPROF_CODE_ITERABLE_COROUTINE)) == 0) {
        PyErr_SetString(PyExc_TypeError, "cannot 'yield from' a coroutine object in a "
                                         "non-coroutine generator");
        return NULL;
    }
    return do_await(self);
}

static PyObject *await_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    return do_await(self);
}

/* A step of an async generator: an awaitable, which has steps itself. */
static PyObject *new_async_step(PyObject *self, const char *method_name, PyObject *arguments,
                                bool is_closing)
{
    PyObject *method = PyObject_GetAttrString(as_suspendable(self)->inner, method_name);
    PyObject *made = method ? PyObject_CallObject(method, arguments) : NULL;
    PyObject *result = NULL;

    if (made) {
        result = new_suspendable(async_step_type, made, as_suspendable(self));
        if (result) {
            as_suspendable(result)->is_closing = is_closing;
        }
    }
    Py_XDECREF(method);
    Py_XDECREF(made);
    return result;
}

static PyObject *do_anext(PyObject *self)
{
    return new_async_step(self, "__anext__", NULL, false);
}

static PyObject *anext_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    return do_anext(self);
}

static PyObject *aiter_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    return return_self(self);
}

static PyObject *asend_method(PyObject *self, PyObject *arguments)
{
    return new_async_step(self, "asend", arguments, false);
}

static PyObject *athrow_method(PyObject *self, PyObject *arguments)
{
    return new_async_step(self, "athrow", arguments, false);
}

static PyObject *aclose_method(PyObject *self, PyObject *arguments)
{
    if (as_suspendable(self)->state == STATE_NEW) {
        return PyObject_CallMethod(as_suspendable(self)->inner, "aclose", NULL);
    }
    return new_async_step(self, "aclose", arguments, true);
}

static PyObject *get_attribute(PyObject *self, PyObject *name)
{
    static const char *const own[] = {"send",     "throw",     "close",    "__next__",
                                      "__iter__", "__await__", "asend",    "athrow",
                                      "aclose",   "__anext__", "__aiter__"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (PyUnicode_CompareWithASCIIString(name, own[i]) == 0) {
            return PyObject_GenericGetAttr(self, name);
        }
    }
    return PyObject_GetAttr(as_suspendable(self)->inner, name);
}

static int set_attribute(PyObject *self, PyObject *name, PyObject *value)
{
    return PyObject_SetAttr(as_suspendable(self)->inner, name, value);
}

static PyObject *represent(PyObject *self)
{
    return PyObject_Repr(as_suspendable(self)->inner);
}

static int visit_suspendable(PyObject *self, visitproc visit, void *context)
{
    suspendable *one = as_suspendable(self);
    int result = one->inner ? visit(one->inner, context) : 0;
    if (result == 0 && one->whole) {
        result = visit((PyObject *)(void *)one->whole, context);
    }
    return result != 0 ? result : mprof__python_visit_type(self, visit, context);
}

static int clear_suspendable(PyObject *self)
{
    suspendable *one = as_suspendable(self);
    PyObject *inner = one->inner;
    suspendable *whole = one->whole;

    one->inner = NULL;
    one->whole = NULL;
    Py_XDECREF(inner);
    Py_XDECREF(whole);
    return 0;
}

/* Deallocation closes an unfinished object, which may run code: the span ends after that. */
static void free_suspendable(PyObject *self)
{
    suspendable *one = as_suspendable(self);
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyObject_GC_UnTrack(self);
    PyErr_Fetch(&type, &value, &traceback);
    if (one->weaklist) {
        PyObject_ClearWeakRefs(self);
    }
    bool is_ours = !one->whole && one->state == STATE_SUSPENDED && begin_step(one);
    clear_suspendable(self);
    if (is_ours) {
        end_span(one, false);
    }
    PyErr_Restore(type, value, traceback);
    mprof__python_free(self);
}

#define STEP_METHODS                                                                               \
    {"send", do_send, METH_O, NULL}, {"throw", do_throw, METH_VARARGS, NULL},                      \
    {                                                                                              \
        "close", do_close, METH_NOARGS, NULL                                                       \
    }

static PyMethodDef generator_methods[] = {STEP_METHODS, {NULL, NULL, 0, NULL}};

static PyMethodDef coroutine_methods[] = {
    STEP_METHODS, {"__await__", await_method, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyMethodDef async_generator_methods[] = {
    {"__aiter__", aiter_method, METH_NOARGS, NULL}, {"__anext__", anext_method, METH_NOARGS, NULL},
    {"asend", asend_method, METH_VARARGS, NULL},    {"athrow", athrow_method, METH_VARARGS, NULL},
    {"aclose", aclose_method, METH_VARARGS, NULL},  {NULL, NULL, 0, NULL}};

/* `more`: the slots in which the types differ, ended by {0, NULL}. */
static PyTypeObject *make_type(const char *name, PyMethodDef *methods, const PyType_Slot *more)
{
    const mprof__python_layout layout = {.shown_name = strchr(name, '.') + 1,
                                         .weaklist_offset = offsetof(suspendable, weaklist)};
    PyType_Slot slots[16] = {
        MPROF_SLOT(Py_tp_getattro, get_attribute),
        MPROF_SLOT(Py_tp_setattro, set_attribute),
        MPROF_SLOT(Py_tp_repr, represent),
        MPROF_SLOT(Py_tp_traverse, visit_suspendable),
        MPROF_SLOT(Py_tp_clear, clear_suspendable),
        MPROF_SLOT(Py_tp_dealloc, free_suspendable),
        {Py_tp_methods, methods},
    };
    PyType_Spec spec = {
        .name = name,
        .basicsize = sizeof(suspendable),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    for (int i = 0; more[i].slot != 0; i++) {
        slots[7 + i] = more[i];
    }
    return (PyTypeObject *)(void *)mprof__python_type(&spec, &layout);
}

bool mprof__suspendable_setup(void)
{
    static const PyType_Slot iterates[] = {
        MPROF_SLOT(Py_tp_iter, return_self), MPROF_SLOT(Py_tp_iternext, do_next), {0, NULL}};
    static const PyType_Slot awaited[] = {MPROF_SLOT(Py_am_await, await_operator), {0, NULL}};
    static const PyType_Slot iterates_or_awaited[] = {MPROF_SLOT(Py_tp_iter, return_self),
                                                      MPROF_SLOT(Py_tp_iternext, do_next),
                                                      MPROF_SLOT(Py_am_await, return_self),
                                                      {0, NULL}};
    static const PyType_Slot iterates_async[] = {
        MPROF_SLOT(Py_am_aiter, return_self), MPROF_SLOT(Py_am_anext, do_anext), {0, NULL}};

    generator_type = make_type("mprof.generator", generator_methods, iterates);
    coroutine_type = make_type("mprof.coroutine", coroutine_methods, awaited);
    iterable_coroutine_type = make_type("mprof.generator", generator_methods, iterates_or_awaited);
    coroutine_iterator_type = make_type("mprof.coroutine_wrapper", generator_methods, iterates);
    async_generator_type =
        make_type("mprof.async_generator", async_generator_methods, iterates_async);
    if (coroutine_type && mprof__python.version < 0x030c0000) {
        mprof__python_set_iter(coroutine_type, iterate_coroutine);
    }
    async_step_type =
        make_type("mprof.async_generator_asend", generator_methods, iterates_or_awaited);
    return generator_type && coroutine_type && iterable_coroutine_type && coroutine_iterator_type &&
           async_generator_type && async_step_type;
}

bool mprof__suspendable_is_made_by(PyObject *function)
{
    return (mprof__python_attribute_code_flags(function, "__code__") & MPROF_CODE_SUSPENDABLE) != 0;
}

static PyTypeObject *type_for(PyObject *made)
{
    if (Py_TYPE(made) == mprof__python.coroutine_type) {
        return coroutine_type;
    }
    if (Py_TYPE(made) == mprof__python.async_generator_type) {
        return async_generator_type;
    }
    if (Py_TYPE(made) != mprof__python.generator_type) {
        return NULL;
    }
    bool is_awaitable =
        (mprof__python_attribute_code_flags(made, "gi_code") & MPROF_CODE_ITERABLE_COROUTINE) != 0;
    return is_awaitable ? iterable_coroutine_type : generator_type;
}

PyObject *mprof__suspendable_wrap(PyObject *made, mprof__name *name)
{
    PyTypeObject *type = made ? type_for(made) : NULL;
    if (!type) {
        return made;
    }
    PyObject *self = new_suspendable(type, made, NULL);
    Py_DECREF(made);
    if (self) {
        as_suspendable(self)->name = name;
    }
    return self;
}
