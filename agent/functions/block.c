/* See block.h. */
#include "block.h"

typedef struct block {
    PyObject ob_base;
    mprof__name *name;
    mprof__span span;
    unsigned entered; /* how often; entered again inside itself it is still one span */
} block;

static PyObject *block_type; /* owned, never freed */

static block *as_block(PyObject *object)
{
    return (block *)(void *)object;
}

static PyObject *enter(PyObject *self, PyObject *unused)
{
    block *one = as_block(self);
    (void)unused;
    if (one->entered++ == 0 && one->name) {
        mprof__span_begin(&one->span, one->name);
    }
    Py_INCREF(self);
    return self;
}

static PyObject *leave(PyObject *self, PyObject *arguments)
{
    block *one = as_block(self);
    bool by_exception = PyTuple_Size(arguments) > 0 && PyTuple_GetItem(arguments, 0) != Py_None;

    if (one->entered > 0 && --one->entered == 0 && one->name) {
        mprof__span_end(&one->span, by_exception);
    }
    Py_INCREF(Py_None); /* an exception is not swallowed */
    return Py_None;
}

/* A block without an exit is that of a generator that was dropped while suspended in it. */
static void free_block(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (as_block(self)->entered > 0 && as_block(self)->name) {
        mprof__span_end(&as_block(self)->span, true);
    }
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"__enter__", enter, METH_NOARGS, NULL},
    {"__exit__", leave, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *make_type(void)
{
    static const mprof__python_layout layout = {0};
    PyType_Slot slots[] = {
        {Py_tp_methods, methods},
        MPROF_SLOT(Py_tp_dealloc, free_block),
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "mprof.block",
        .basicsize = sizeof(block),
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };
    return mprof__python_type(&spec, &layout);
}

PyObject *mprof__block_new(mprof__name *name)
{
    if (!block_type && !(block_type = make_type())) {
        return NULL;
    }
    PyObject *self = PyType_GenericAlloc((PyTypeObject *)(void *)block_type, 0);
    if (self) {
        as_block(self)->name = name;
    }
    return self;
}
