/* Part of the preload shim of an instrumented build: writes the counts of all its objects before
 * the process leaves by _exit(2), as each child of Python's os.fork does. */
#include "flush.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))
#define OBJECTS_MAX 16

static void (*objects[OBJECTS_MAX])(void);

SHOWN void mprof_coverage_register(void (*flush)(void))
{
    for (size_t i = 0; i < OBJECTS_MAX; i++) {
        if (!objects[i]) {
            objects[i] = flush;
            return;
        }
    }
}

SHOWN void mprof_coverage_forget(void (*flush)(void))
{
    for (size_t i = 0; i < OBJECTS_MAX; i++) {
        if (objects[i] == flush) {
            objects[i] = NULL;
        }
    }
}

SHOWN void mprof_coverage_flush_all(void)
{
    for (size_t i = 0; i < OBJECTS_MAX; i++) {
        if (objects[i]) {
            objects[i]();
        }
    }
}

SHOWN void _exit(int code)
{
    mprof_coverage_flush_all();
    for (;;) {
        syscall(SYS_exit_group, code);
    }
}

SHOWN void _Exit(int code)
{
    _exit(code);
}
