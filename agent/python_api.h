/* The functions and types of CPython that the agent uses; the only file that knows how versions
 * differ. One shared object serves CPython 3.8 and later: the limited API of 3.8 is linked, the
 * rest is looked up when the agent starts and may be missing. */
#ifndef MPROF_AGENT_PYTHON_API_H
#define MPROF_AGENT_PYTHON_API_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03080000
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* A call with the arguments in an array: PEP 590. */
typedef PyObject *(*mprof__vectorcall)(PyObject *callable, PyObject *const *arguments, size_t count,
                                       PyObject *keywords);

/* Called for each function object of the interpreter. Returns 0. */
typedef int mprof__function_watcher(int event, PyObject *function, PyObject *value);

enum { MPROF_FUNCTION_DESTROYED = 1, MPROF_FUNCTION_CODE_CHANGES = 2 };

typedef enum mprof__python_fit {
    MPROF_PYTHON_FITS,
    MPROF_PYTHON_TOO_OLD,
    MPROF_PYTHON_TOO_NEW, /* internals that we rely on may have changed */
    MPROF_PYTHON_FREE_THREADED,
    MPROF_PYTHON_UNKNOWN, /* something we need is missing */
} mprof__python_fit;

typedef struct mprof__python_api {
    uint32_t version; /* as PY_VERSION_HEX, without the release level: 0x030b0200 */
    bool counts_all;  /* a debug build: it counts all references together as well */
    mprof__vectorcall vectorcall;
    PyObject *(*method_new)(PyObject *function, PyObject *self); /* new reference */
    PyObject *(*builtin_new)(PyMethodDef *method, PyObject *self, PyObject *module,
                             PyTypeObject *type); /* new reference; its module and type are NULL */
    const char *(*utf8)(PyObject *text, Py_ssize_t *length); /* borrowed */
    PyInterpreterState *(*interpreter_get)(void);            /* borrowed */
    PyInterpreterState *(*interpreter_main)(void);           /* borrowed */
    PyTypeObject *function_type;                             /* these types are static: borrowed */
    PyTypeObject *static_method_type;
    PyTypeObject *class_method_type;
    PyTypeObject *generator_type;
    PyTypeObject *coroutine_type;
    PyTypeObject *async_generator_type;
    PyTypeObject *code_type;

    PyObject *(*function_code)(PyObject *function); /* borrowed; without an audit event */

    /* all NULL in 3.11, which calls functions without their entry points */
    mprof__vectorcall (*vectorcall_of)(PyObject *callable);
    void (*function_set_vectorcall)(PyObject *function, mprof__vectorcall vectorcall);
    /* Up to 3.10 it reports only the ends of functions. 0 or more: done. */
    int (*function_watch)(mprof__function_watcher *on_event);

    /* from 3.12 on; else NULL */
    Py_ssize_t (*code_extra_index)(void (*free_extra)(void *));
    int (*code_extra_get)(PyObject *code, Py_ssize_t index, void **extra);
    int (*code_extra_set)(PyObject *code, Py_ssize_t index, void *extra);
} mprof__python_api;

extern mprof__python_api mprof__python;

/* Py_INCREF and Py_DECREF for all versions. From 3.12 on immortal objects have the sign bit of the
 * lower half of their count set; from 3.14 on the upper half is not part of the count. Py_IncRef
 * and Py_DecRef do the same, but the interpreter itself does not use them: calling them would bring
 * another 64 KiB of its code into memory. Both take NULL. */
static inline void mprof__python_hold(PyObject *object)
{
    if (mprof__python.counts_all) {
        Py_IncRef(object);
    } else if (object && (int32_t)object->ob_refcnt >= 0) {
        object->ob_refcnt++;
    }
}

static inline void mprof__python_release(PyObject *object)
{
    if (mprof__python.counts_all) {
        Py_DecRef(object);
    } else if (object && (int32_t)object->ob_refcnt >= 0 && (uint32_t)--object->ob_refcnt == 0) {
        _Py_Dealloc(object);
    }
}

#undef Py_INCREF
#undef Py_DECREF
#undef Py_XINCREF
#undef Py_XDECREF
#undef Py_CLEAR
#undef Py_RETURN_NONE
#define Py_INCREF(object) mprof__python_hold((PyObject *)(object))
#define Py_DECREF(object) mprof__python_release((PyObject *)(object))
#define Py_XINCREF(object) mprof__python_hold((PyObject *)(object))
#define Py_XDECREF(object) mprof__python_release((PyObject *)(object))

/* co_flags of a code object */
#define MPROF_CODE_GENERATOR 0x20
#define MPROF_CODE_COROUTINE 0x80
#define MPROF_CODE_ITERABLE_COROUTINE 0x100
#define MPROF_CODE_ASYNC_GENERATOR 0x200
#define MPROF_CODE_FUNCTION 0x3 /* both bits: not a class body, not a module */
#define MPROF_CODE_SUSPENDABLE                                                                     \
    (MPROF_CODE_GENERATOR | MPROF_CODE_COROUTINE | MPROF_CODE_ASYNC_GENERATOR)

/* co_flags of the code in an attribute of the object; 0 if it has none. Leaves no exception of its
 * own. */
long mprof__python_attribute_code_flags(PyObject *object, const char *attribute);
long mprof__python_code_flags(PyObject *code);

/* The text of a str in UTF-8, which the caller frees; NULL without an exception if `value` is NULL
 * or not a str. */
char *mprof__python_text(PyObject *value);

/* Fills mprof__python from the interpreter of this process. */
mprof__python_fit mprof__python_load(void);

/* What does not fit, as words after "in": "a free-threaded Python". */
void mprof__python_unfit(char *text, size_t size, mprof__python_fit fit);

/* A built-in module that is always loaded. Uses the import statement's function, which the program
 * calls in any case: one that only we call would bring another 64 KiB of the interpreter's code
 * into memory. New reference, NULL with an exception. */
PyObject *mprof__python_module(const char *name);

/* A slot that holds a function: ISO C has no conversion to void *, POSIX does. */
#define MPROF_SLOT(id, function)                                                                   \
    {                                                                                              \
        (id), __extension__(void *)(function)                                                      \
    }

/* What PyType_Spec cannot express. */
typedef struct mprof__python_layout {
    const char *shown_name; /* in messages, like that of a built-in type; NULL: the name itself */
    /* offsets in an instance; 0: the type does not have it */
    Py_ssize_t vectorcall_offset;
    Py_ssize_t weaklist_offset;
} mprof__python_layout;

/* For reading frames; mprof__python_frames_load fills it from the interpreter. */
typedef int (*mprof__trace_function)(PyObject *self, PyObject *frame, int what, PyObject *argument);

typedef struct mprof__python_frame_api {
    void (*set_trace)(mprof__trace_function function, PyObject *self); /* for this thread */
    int (*frame_line)(PyObject *frame);                                /* its current line */
    int (*code_line)(PyObject *code, int offset); /* the line of an instruction */
    PyObject *(*get_code)(PyObject *frame);       /* new reference; missing in 3.8 */
    int (*add_audit_hook)(int (*hook)(const char *event, PyObject *arguments, void *data),
                          void *data);
} mprof__python_frame_api;

extern mprof__python_frame_api mprof__python_frames;

/* The interpreter's function that evaluates frames (PEP 523), before 3.12. In 3.8 it is not given
 * the thread. */
typedef PyObject *(*mprof__frame_evaluator)(void *thread, void *frame, int is_throw);
typedef PyObject *(*mprof__frame_evaluator_of_38)(void *frame, int is_throw);

/* Replaces it by ours, and returns the former one; NULL: it cannot be replaced. */
mprof__frame_evaluator mprof__python_replace_evaluator(mprof__frame_evaluator ours,
                                                       mprof__frame_evaluator_of_38 ours_of_38);

/* Restores the former one, unless somebody else has replaced ours. false: ours remains. */
bool mprof__python_restore_evaluator(mprof__frame_evaluator ours,
                                     mprof__frame_evaluator_of_38 ours_of_38,
                                     mprof__frame_evaluator before);

/* Borrowed: the code of an evaluator's frame, which is a frame object only before 3.11. */
PyObject *mprof__python_evaluated_code(void *frame);
/* Borrowed: its frame object; NULL if none exists. */
PyObject *mprof__python_evaluated_frame(void *frame);

/* Whether a frame that is about to run may be a call of this function: it has the function's code,
 * and the variables that the function took from outer ones. In 3.8 and 3.9. */
bool mprof__python_is_frame_of(void *frame, PyObject *function);

bool mprof__python_frames_load(void);

/* Borrowed: a running frame holds its code. */
PyObject *mprof__python_frame_code(PyObject *frame);

/* A frame's current line, during a "line" event of that frame. */
int mprof__python_frame_event_line(PyObject *frame);

/* Whether a "call" event of a generator's frame is its start, not a resumption. Before 3.12. */
bool mprof__python_frame_begins(PyObject *frame, PyObject *code);

/* In 3.11, if the running frame has this code: functions that are called next see its caller as
 * theirs, until the frame that this returns is shown again. NULL: it has another code. */
void *mprof__python_hide_frame(PyObject *code);
void mprof__python_show_frame(void *frame);

/* Sets a type's slot tp_iter without an attribute `__iter__`. Before 3.12. */
void mprof__python_set_iter(PyTypeObject *type, getiterfunc iter);

/* Whether the running frame begins a `yield from`; *flags: co_flags of its code. Before 3.12. */
bool mprof__python_is_yielding_from(long *flags);

/* A type's slots tp_iternext (NULL: none) and am_await (of coroutines). Before 3.12. */
iternextfunc mprof__python_iternext(PyTypeObject *type);
unaryfunc mprof__python_await(PyTypeObject *type);

/* PyType_FromSpec with a layout. New reference, NULL with an exception. */
PyObject *mprof__python_type(PyType_Spec *spec, const mprof__python_layout *layout);

/* For tp_traverse of heap types: from 3.9 on instances own a reference to their type. */
int mprof__python_visit_type(PyObject *self, visitproc visit, void *context);

/* Sets an attribute of a type without the metaclass's __setattr__, which may forbid or change it.
 * false with an exception. */
bool mprof__python_set_type_attribute(PyObject *type, PyObject *name, PyObject *value);

/* Deallocates a GC instance of a heap type, after its fields were cleared. */
void mprof__python_free(PyObject *self);

#endif
