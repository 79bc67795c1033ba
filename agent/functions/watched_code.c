/* See watched_code.h. It is the interpreter's "code extra", which is freed with its code. */
#include "watched_code.h"

#include <stdlib.h>

#include "sys_monitoring.h"

static Py_ssize_t extra_index = -1;
static mprof__watched_code *watched; /* all of them */

mprof__watched_code *mprof__watched_code_find(PyObject *code)
{
    void *extra = NULL;
    if (extra_index < 0) {
        return NULL;
    }
    mprof__python.code_extra_get(code, extra_index, &extra);
    return extra;
}

static void free_code(void *extra)
{
    mprof__watched_code *one = extra;

    if (!one) {
        return;
    }
    *(one->previous ? &one->previous->next : &watched) = one->next;
    if (one->next) {
        one->next->previous = one->previous;
    }
    free(one);
}

bool mprof__watched_code_setup(void)
{
    if (extra_index < 0) {
        extra_index = mprof__python.code_extra_index(free_code);
    }
    return extra_index >= 0;
}

bool mprof__watched_code_add(PyObject *code, mprof__name *name)
{
    mprof__watched_code *known = mprof__watched_code_find(code);
    if (known) {
        return known->name == name && !known->is_shared;
    }
    mprof__watched_code *fresh = calloc(1, sizeof *fresh);
    if (!fresh) {
        return false;
    }
    fresh->name = name;
    fresh->code = code;
    if (mprof__python.code_extra_set(code, extra_index, fresh) != 0) {
        PyErr_Clear();
        free(fresh);
        return false;
    }
    fresh->next = watched;
    if (watched) {
        watched->previous = fresh;
    }
    watched = fresh;
    if (!mprof__sys_monitoring_watch(code, !name)) {
        mprof__python.code_extra_set(code, extra_index, NULL); /* frees it */
        return false;
    }
    return true;
}

bool mprof__watched_code_has_calls(const mprof__watched_code *code)
{
    return code && code->name && !code->is_shared;
}

void mprof__watched_code_release_all(void)
{
    while (watched) {
        PyObject *code = watched->code;
        Py_INCREF(code);
        mprof__sys_monitoring_unwatch(code);
        mprof__python.code_extra_set(code, extra_index, NULL); /* frees it */
        Py_DECREF(code);
    }
}
