/* See stack.h. */
#include "stack.h"

#include <pthread.h>
#include <stdint.h>

/* What a call may need before the interpreter looks at its own limits again, and a handler of the
 * error after it. */
#define RESERVE_BYTES (UINT64_C(256) * 1024)

static __thread struct {
    bool known;
    uintptr_t low; /* nothing below belongs to the stack; 0: not known */
    uintptr_t short_below;
    uintptr_t high;
} stack;

static bool is_wary;

static void look(void)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;

    stack.known = true;
    if (is_wary) {
        return; /* libc would open a file for it */
    }
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return;
    }
    if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        uintptr_t reserve = size / 4 < RESERVE_BYTES ? size / 4 : RESERVE_BYTES;
        stack.low = (uintptr_t)low;
        stack.short_below = stack.low + reserve;
        stack.high = stack.low + size;
    }
    pthread_attr_destroy(&attributes);
}

void mprof__stack_avoid_syscalls(void)
{
    mprof__stack_is_short();
    is_wary = true;
}

bool mprof__stack_is_short(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (!stack.known) {
        look();
    }
    /* outside: a stack that somebody made himself, of which we know nothing */
    return here < stack.short_below && here >= stack.low;
}
