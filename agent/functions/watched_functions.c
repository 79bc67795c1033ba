/* See watched_functions.h. A replaced entry point costs C stack at each level of recursion, so a
 * function that has its code for itself does without. */
#include "watched_functions.h"

#include <stdlib.h>

#include "agent/events/stack.h"
#include "direct_calls.h"
#include "parse/number_map.h"
#include "suspendable.h"
#include "suspendable_frames.h"
#include "watched_code.h"

/* Exists until the function is deallocated. A weak reference would be cleared too early: the
 * garbage collector does that before it runs finalisers, which may still call the function, or keep
 * it. */
typedef struct watched_function {
    mprof__name *name;
    mprof__vectorcall original; /* the replaced entry point; NULL: calls are events of the code */
    bool makes_suspendable;     /* calls return a generator, a coroutine or an async generator */

    /* only where direct calls are possible */
    PyObject *function; /* borrowed */
    PyObject *code;     /* owned, so that no other code gets its address; NULL: not in `codes` */
    struct watched_function *next_of_code;
} watched_function;

static mprof__number_map functions; /* function -> watched_function */
static mprof__number_map codes;     /* code -> the first of its functions */

static void add_to_code(watched_function *one, PyObject *code)
{
    watched_function *first = mprof__number_map_find_pointer(&codes, code);

    if (mprof__number_map_put_pointer(&codes, code, one)) {
        Py_INCREF(code);
        one->code = code;
        one->next_of_code = first;
    }
}

static void remove_from_code(watched_function *one)
{
    PyObject *code = one->code;
    watched_function *first = code ? mprof__number_map_find_pointer(&codes, code) : NULL;

    if (!code) {
        return;
    }
    if (first != one) {
        while (first->next_of_code != one) {
            first = first->next_of_code;
        }
        first->next_of_code = one->next_of_code;
    } else if (one->next_of_code) {
        mprof__number_map_put_pointer(&codes, code, one->next_of_code);
    } else {
        mprof__number_map_remove_pointer(&codes, code);
    }
    one->code = NULL;
    Py_DECREF(code);
}

mprof__name *mprof__watched_function_of_frame(void *frame, PyObject *code)
{
    watched_function *one = mprof__number_map_find_pointer(&codes, code);

    while (one && !mprof__python_is_frame_of(frame, one->function)) {
        one = one->next_of_code;
    }
    return one ? one->name : NULL;
}

/* Before 3.12 code has no events, neither of calls, nor of its replacement by another one. */
static PyObject *call_without_events(PyObject *function, const watched_function *one,
                                     PyObject *const *arguments, size_t count, PyObject *keywords)
{
    mprof__vectorcall original = one->original;
    mprof__name *name = one->name;
    PyObject *code = mprof__python.function_code(function);
    mprof__span span;

    if ((mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) != 0) {
        return mprof__suspendable_wrap(original(function, arguments, count, keywords), name);
    }
    if (mprof__stack_is_short()) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
        return NULL;
    }
    mprof__span_begin(&span, name);
    mprof__direct_calls_enter(code);
    PyObject *result = original(function, arguments, count, keywords);
    mprof__direct_calls_leave();
    mprof__span_end(&span, !result);
    return result;
}

static PyObject *enter_function(PyObject *function, PyObject *const *arguments, size_t count,
                                PyObject *keywords)
{
    watched_function *one = mprof__number_map_find_pointer(&functions, function);
    mprof__name *name = one->name;
    mprof__span span;

    mprof__suspendable_frames_settle();
    if (mprof__span_recorder_is_gone) {
        mprof__vectorcall original = one->original;
        mprof__span_detach(); /* frees `one` */
        return original(function, arguments, count, keywords);
    }
    if (!mprof__python.code_extra_index) {
        if (one->code && one->code != mprof__python.function_code(function)) {
            remove_from_code(one);
            add_to_code(one, mprof__python.function_code(function));
        }
        return call_without_events(function, one, arguments, count, keywords);
    }
    if (one->makes_suspendable) {
        PyObject *generator = one->original(function, arguments, count, keywords);
        if (generator) {
            mprof__suspendable_frame_watch(generator, name);
        }
        return generator;
    }
    mprof__span_begin(&span, name);
    PyObject *result = one->original(function, arguments, count, keywords);
    mprof__span_end(&span, !result);
    return result;
}

static void replace_entry(PyObject *function, watched_function *one)
{
    one->original = mprof__python.vectorcall_of(function);
    mprof__python.function_set_vectorcall(function, enter_function);
}

static void restore_entry(PyObject *function, watched_function *one)
{
    mprof__python.function_set_vectorcall(function, one->original);
    one->original = NULL;
}

static void replace_entry_if_of_code(uint64_t key, uint64_t value, void *code)
{
    PyObject *function = (PyObject *)(uintptr_t)key;
    watched_function *one = (watched_function *)(uintptr_t)value;

    if (!one->original && mprof__python.function_code(function) == code) {
        replace_entry(function, one);
    }
}

/* Another function has the code now as well, or none has: its events do not show whose calls they
 * are. */
static void mark_shared(mprof__watched_code *code)
{
    if (mprof__watched_code_has_calls(code) && !code->is_pattern) {
        code->is_shared = true;
        mprof__number_map_each(&functions, replace_entry_if_of_code, code->code);
    }
}

/* `function.__code__ = code`: its calls are still recorded under its name. */
static void follow_code(PyObject *function, watched_function *one, PyObject *code)
{
    mprof__watched_code *next = mprof__watched_code_find(code);
    PyObject *former = mprof__python.function_code(function);

    if (former == code) {
        return;
    }
    one->makes_suspendable = (mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) != 0;
    if (!one->original) {
        replace_entry(function, one);
        mark_shared(mprof__watched_code_find(former));
    }
    if (mprof__watched_code_has_calls(next) && next->name != one->name) {
        mark_shared(next);
    }
    if (mprof__watched_code_has_calls(next)) {
        restore_entry(function, one);
    }
}

/* The interpreter calls it for all functions. */
static int on_function(int event, PyObject *function, PyObject *value)
{
    bool is_end = event == MPROF_FUNCTION_DESTROYED;
    watched_function *one = is_end || event == MPROF_FUNCTION_CODE_CHANGES
                                ? mprof__number_map_find_pointer(&functions, function)
                                : NULL;
    if (one) {
        PyObject *type;
        PyObject *error;
        PyObject *traceback;

        PyErr_Fetch(&type, &error, &traceback);
        if (is_end) {
            mprof__number_map_remove_pointer(&functions, function);
            remove_from_code(one);
            free(one);
        } else {
            follow_code(function, one, value);
        }
        PyErr_Restore(type, error, traceback);
    }
    return 0;
}

/* An interpreter has eight watchers. Ours stays when recording ends, because functions are
 * deallocated afterwards too. */
bool mprof__watched_functions_setup(void)
{
    static bool is_added;

    is_added = is_added || mprof__python.function_watch(on_function) >= 0;
    return is_added;
}

bool mprof__watched_function_add(PyObject *function, mprof__name *name, bool makes_suspendable,
                                 bool by_code)
{
    watched_function *one = malloc(sizeof *one);
    if (!one) {
        return false;
    }
    *one = (watched_function){.name = name, .makes_suspendable = makes_suspendable};
    if (!mprof__number_map_put_pointer(&functions, function, one)) {
        free(one);
        return false;
    }
    if (!by_code) {
        replace_entry(function, one);
    }
    if (mprof__direct_calls_expect_function()) {
        one->function = function;
        add_to_code(one, mprof__python.function_code(function));
    }
    return true;
}

/* The entry may be of another function, which was deallocated unseen at the end of the
 * interpreter. */
bool mprof__watched_function_exists(PyObject *function, PyObject *code)
{
    watched_function *one = mprof__number_map_find_pointer(&functions, function);

    if (!one) {
        return false;
    }
    if (one->original ? mprof__python.vectorcall_of(function) == enter_function
                      : mprof__watched_code_has_calls(mprof__watched_code_find(code))) {
        return true;
    }
    mprof__number_map_remove_pointer(&functions, function);
    remove_from_code(one);
    free(one);
    return false;
}

static void release_function(uint64_t key, uint64_t value)
{
    PyObject *function = (PyObject *)(uintptr_t)key;
    watched_function *one = (watched_function *)(uintptr_t)value;

    if (one->original) {
        restore_entry(function, one);
    }
    remove_from_code(one);
    free(one);
}

void mprof__watched_functions_release_all(void)
{
    mprof__direct_calls_release();
    mprof__number_map_drain(&functions, release_function);
}
