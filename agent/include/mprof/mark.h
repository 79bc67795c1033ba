/** @file
 * Marks blocks of C and C++ programs on the timeline of `mprof run`, like Python functions:
 *
 *     mprof_mark *mark = mprof_mark_begin("load data");
 *     ...
 *     mprof_mark_end(mark);
 * This header is sufficient: there is nothing to link. In a program that is not recorded both
 * functions do nothing. While recording, a mark costs about 1 us and allocates nothing after the
 * first few.
 *
 * Marks nest per thread. Any thread may call, and the child of a fork. A mark may be ended by
 * another thread than the one that began it, and out of order, but only once. */
#ifndef MPROF_MARK_H
#define MPROF_MARK_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

/* An older libc may lack these; then nothing is recorded. */
#pragma weak dlopen
#pragma weak dlsym

#ifdef __cplusplus
extern "C" {
#endif

/** A block that has begun and not ended. */
typedef struct mprof_mark mprof_mark;

/** Private: records a block's begin. */
typedef mprof_mark *(*mprof_mark_enter_function)(const char *name);
/** Private: records a block's end. */
typedef void (*mprof_mark_leave_function)(mprof_mark *mark);

/** Private: the functions of libmprof-mark.so. */
typedef struct mprof_mark_functions {
    int is_known;                    /**< 1: the search is over */
    mprof_mark_enter_function enter; /**< NULL: no recorder */
    mprof_mark_leave_function leave; /**< the same */
} mprof_mark_functions;

/** Private: loads libmprof-mark.so from the folder of the preloaded shim. LD_PRELOAD names the shim
 * itself, or a link in a folder preload/<platform> next to it. A program without a dynamic linker
 * gets NULL: it cannot load a library that needs another libc.
 *
 * @return a handle of dlopen(3), or NULL. Any thread. */
static inline void *mprof_mark_open(void)
{
    static const char shim[] = "/libmprof-";
    static const char folder[] = "/preload/";
    static const char library[] = "/libmprof-mark.so";
    const char *list = getenv("LD_PRELOAD");
    const char *end = list && getenv("MPROF_RINGS") ? strstr(list, shim) : NULL;
    const char *start = end;
    const char *part;
    size_t length;
    char path[4096];

    if (!end || !dlopen || !dlsym || !getauxval(AT_BASE)) {
        return NULL;
    }
    while (start > list && start[-1] != ' ' && start[-1] != ':') {
        start--;
    }
    part = end;
    while (part > start && *--part != '/') {
    }
    if ((size_t)(part - start) >= sizeof folder - 2 &&
        strncmp(part - (sizeof folder - 2), folder, sizeof folder - 1) == 0) {
        end = part - (sizeof folder - 2);
    }
    length = (size_t)(end - start);
    if (length + sizeof library > sizeof path) {
        return NULL;
    }
    memcpy(path, start, length);
    memcpy(path + length, library, sizeof library);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/** Private: finds the two functions; threads that call at the same time find the same ones.
 *
 * @return static, never NULL. Any thread. */
static inline mprof_mark_functions *mprof_mark_find(void)
{
    static mprof_mark_functions functions;

    if (!__atomic_load_n(&functions.is_known, __ATOMIC_ACQUIRE)) {
        void *library = mprof_mark_open();
        void *enter = library ? dlsym(library, "mprof_mark_enter") : NULL;
        void *leave = library ? dlsym(library, "mprof_mark_leave") : NULL;

        if (enter && leave) {
            /* ISO C has no conversion from dlsym's result to a function */
            memcpy(&functions.enter, &enter, sizeof functions.enter);
            memcpy(&functions.leave, &leave, sizeof functions.leave);
        }
        __atomic_store_n(&functions.is_known, 1, __ATOMIC_RELEASE);
    }
    return &functions;
}

/** Begins a block.
 *
 * @param name  terminated, UTF-8; copied
 * @return a mark for mprof_mark_end(); NULL without a recorder. Any thread. */
static inline mprof_mark *mprof_mark_begin(const char *name)
{
    mprof_mark_functions *functions = mprof_mark_find();
    return functions->enter ? functions->enter(name) : NULL;
}

/** Ends a block.
 * @param mark  from mprof_mark_begin(), ended only once; may be NULL. Any thread, not only the one
 * that began it. */
static inline void mprof_mark_end(mprof_mark *mark)
{
    if (mark) {
        mprof_mark_find()->leave(mark);
    }
}

#ifdef __cplusplus
}
#endif
#endif
