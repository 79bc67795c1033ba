/* See watched_functions.h. A replaced entry point costs C stack at each level of recursion, so a
 * function that has its code for itself does without. */
#include "watched_functions.h"

#include <stdlib.h>

#include "parse/number_map.h"
#include "suspendable_frames.h"
#include "watched_code.h"

/* Exists until the function is deallocated. A weak reference would be cleared too early: the
 * garbage collector does that before it runs finalisers, which may still call the function, or keep
 * it. */
typedef struct watched_function {
    mprof__name *name;
    mprof__vectorcall original; /* the replaced entry point; NULL: calls are events of the code */
    bool makes_suspendable;     /* calls return a generator, a coroutine or an async generator */
} watched_function;

static mprof__number_map functions; /* function -> watched_function */

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
    enum { DESTROYED = 1, CODE_CHANGES = 2 };
    watched_function *one = event == DESTROYED || event == CODE_CHANGES
                                ? mprof__number_map_find_pointer(&functions, function)
                                : NULL;
    if (one) {
        PyObject *type;
        PyObject *error;
        PyObject *traceback;

        PyErr_Fetch(&type, &error, &traceback);
        if (event == DESTROYED) {
            mprof__number_map_remove_pointer(&functions, function);
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
    free(one);
}

void mprof__watched_functions_release_all(void)
{
    mprof__number_map_drain(&functions, release_function);
}
