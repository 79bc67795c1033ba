/* See suspendable_frames.h. A frame's address is its identity. An end by exhaustion, an exception
 * or close() is an event; the end of a generator that is dropped unfinished is found by a weak
 * reference. */
#include "suspendable_frames.h"

#include <stdlib.h>

#include "parse/number_map.h"
#include "watched_code.h"

typedef struct suspendable_frame {
    mprof__span span;
    mprof__name *name;
    const void *frame;   /* borrowed */
    PyObject *generator; /* borrowed; NULL: its creation was not seen */
    PyObject *weak;      /* owned weak reference to it; NULL: none, or cleared */
    bool is_begun;
    bool was_garbage;      /* the garbage collector found it once, and a finaliser revived it */
    uint64_t collected_ns; /* 0: it is not in `collected` */
    struct suspendable_frame *previous, *next; /* in `collected` */
} suspendable_frame;

static PyObject *on_collected; /* owned: the callback of weak references */
static bool is_finalising;
static mprof__number_map frames;          /* frame -> suspendable_frame */
static mprof__number_map weak_references; /* weak reference -> suspendable_frame */
static suspendable_frame *collected;      /* weak reference cleared; not known whether it ended */

static void remove_collected(suspendable_frame *one)
{
    if (one->collected_ns != 0) {
        *(one->previous ? &one->previous->next : &collected) = one->next;
        if (one->next) {
            one->next->previous = one->previous;
        }
        one->previous = NULL;
        one->next = NULL;
        one->collected_ns = 0;
    }
}

static void drop_weak(suspendable_frame *one)
{
    PyObject *weak = one->weak;
    if (weak) {
        one->weak = NULL;
        mprof__number_map_remove_pointer(&weak_references, weak);
        Py_DECREF(weak);
    }
}

static void end_frame(suspendable_frame *one, bool by_exception)
{
    mprof__number_map_remove_pointer(&frames, one->frame);
    remove_collected(one);
    drop_weak(one);
    mprof__span_end(&one->span, by_exception);
    free(one);
}

typedef struct generator_attributes {
    const char *frame;
    const char *code;
} generator_attributes;

static generator_attributes attributes_of(PyObject *generator)
{
    if (Py_TYPE(generator) == mprof__python.coroutine_type) {
        return (generator_attributes){"cr_frame", "cr_code"};
    }
    if (Py_TYPE(generator) == mprof__python.async_generator_type) {
        return (generator_attributes){"ag_frame", "ag_code"};
    }
    return (generator_attributes){"gi_frame", "gi_code"};
}

/* Whether the generator still has its frame: it is neither deallocated nor closed. */
static bool has_frame(const suspendable_frame *one)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (!one->weak) {
        return false;
    }
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *generator = PyObject_CallObject(one->weak, NULL);
    PyObject *frame = generator && generator != Py_None
                          ? PyObject_GetAttrString(generator, attributes_of(generator).frame)
                          : NULL;
    bool result = frame && frame == one->frame;
    Py_XDECREF(frame);
    Py_XDECREF(generator);
    PyErr_Restore(type, value, traceback);
    return result;
}

/* When a generator is dropped unfinished, its weak references are cleared first, and then it is
 * closed. If it has a `finally` to run, events follow; else none does. Which of the two happens is
 * known at the next event of any code. Garbage may have been revived by then. */
void mprof__suspendable_frames_settle(void)
{
    while (collected) {
        suspendable_frame *one = collected;
        uint64_t collected_ns = one->collected_ns;
        remove_collected(one);
        if (!has_frame(one)) {
            mprof__span_end_at(&one->span, false, collected_ns);
            end_frame(one, false);
        }
    }
}

static int settle_later(void *unused)
{
    (void)unused;
    mprof__suspendable_frames_settle();
    return 0;
}

static void add_collected(suspendable_frame *one)
{
    if (!collected) {
        Py_AddPendingCall(settle_later, NULL); /* if that fails, another event will follow */
    }
    one->collected_ns = mprof__span_clock_ns();
    one->next = collected;
    if (collected) {
        collected->previous = one;
    }
    collected = one;
}

static bool add_weak(suspendable_frame *one)
{
    one->weak = PyWeakref_NewRef(one->generator, on_collected);
    if (one->weak && !mprof__number_map_put_pointer(&weak_references, one->weak, one)) {
        Py_DECREF(one->weak);
        one->weak = NULL;
    }
    return one->weak != NULL;
}

/* A generator that still has references is not deallocated, but garbage: its finaliser, or that of
 * other garbage, may revive it. */
static PyObject *handle_collected(PyObject *self, PyObject *weak)
{
    suspendable_frame *one = mprof__number_map_find_pointer(&weak_references, weak);
    (void)self;

    if (one) {
        bool is_garbage = (uint32_t)one->generator->ob_refcnt != 0;
        drop_weak(one);
        remove_collected(one);
        if (is_garbage) {
            one->was_garbage = true;
            if (!add_weak(one)) {
                PyErr_Clear();
            }
        }
        if (!is_garbage && (!one->is_begun || is_finalising)) {
            end_frame(one, false);
        } else if (one->is_begun) {
            add_collected(one);
        }
    }
    Py_INCREF(Py_None);
    return Py_None;
}

bool mprof__suspendable_frames_setup(void)
{
    static PyMethodDef method = {"mprof__on_collected", handle_collected, METH_O, NULL};

    if (!on_collected) {
        on_collected = mprof__python.builtin_new(&method, NULL, NULL, NULL);
    }
    return on_collected != NULL;
}

void mprof__suspendable_frames_finalise(void)
{
    mprof__suspendable_frames_settle();
    is_finalising = true;
}

void mprof__suspendable_frame_watch(PyObject *generator, mprof__name *name)
{
    generator_attributes attributes = attributes_of(generator);
    PyObject *code = PyObject_GetAttrString(generator, attributes.code);
    if (!code || !mprof__watched_code_add(code, NULL)) {
        PyErr_Clear();
        Py_XDECREF(code);
        return;
    }
    Py_DECREF(code);

    PyObject *frame = PyObject_GetAttrString(generator, attributes.frame);
    suspendable_frame *stale = frame ? mprof__number_map_find_pointer(&frames, frame) : NULL;
    suspendable_frame *one = frame ? calloc(1, sizeof *one) : NULL;

    if (stale) {
        end_frame(stale, false); /* closed without an event, and its memory was reused */
    }
    if (one) {
        *one = (suspendable_frame){.name = name, .frame = frame, .generator = generator};
        if (!mprof__number_map_put_pointer(&frames, frame, one)) {
            free(one);
        } else if (!add_weak(one)) {
            end_frame(one, false);
        }
    }
    PyErr_Clear();
    Py_XDECREF(frame); /* the generator holds it */
}

/* The frame of the code that has raised the event. */
static suspendable_frame *current_frame(void)
{
    return mprof__number_map_find_pointer(&frames, PyEval_GetFrame());
}

/* Adds a generator whose creation was not seen: its code is watched, not its function. */
static suspendable_frame *add_current_frame(mprof__name *name)
{
    PyObject *frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    suspendable_frame *one = frame ? calloc(1, sizeof *one) : NULL;

    if (one) {
        *one = (suspendable_frame){.name = name, .frame = frame};
        if (!mprof__number_map_put_pointer(&frames, frame, one)) {
            free(one);
            one = NULL;
        }
    }
    return one;
}

void mprof__suspendable_frame_begin(mprof__name *unseen)
{
    suspendable_frame *one = current_frame();
    if (one && (one->is_begun || (one->was_garbage && !has_frame(one)))) {
        end_frame(one, false); /* another frame has its address now */
        one = NULL;
    }
    if (!one && unseen) {
        one = add_current_frame(unseen);
    }
    if (one) {
        one->is_begun = true;
        mprof__span_begin(&one->span, one->name);
    }
}

void mprof__suspendable_frame_suspend(void)
{
    suspendable_frame *one = current_frame();
    if (one) {
        mprof__span_suspend(&one->span);
    }
}

void mprof__suspendable_frame_resume(void)
{
    suspendable_frame *one = current_frame();
    if (one) {
        remove_collected(one);
        mprof__span_resume(&one->span);
    }
}

void mprof__suspendable_frame_end(bool by_exception)
{
    suspendable_frame *one = current_frame();
    if (one) {
        end_frame(one, by_exception);
    }
}

static void release_frame(uint64_t key, uint64_t value)
{
    suspendable_frame *one = (suspendable_frame *)(uintptr_t)value;

    (void)key;
    drop_weak(one);
    free(one);
}

void mprof__suspendable_frames_release_all(void)
{
    mprof__number_map_drain(&frames, release_frame);
}
