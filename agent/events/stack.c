/* See stack.h. */
#include "stack.h"

#include <pthread.h>
#include <stdint.h>

/* Enough for a call until the interpreter checks its own limits again, and for the handler of the
 * error. */
#define RESERVE_BYTES (UINT64_C(256) * 1024)

static __thread struct {
    bool known;
    uintptr_t low; /* the stack's lowest address; 0: not known */
    uintptr_t short_below;
    uintptr_t high;
} stack;

static bool avoids_syscalls;

static void read_bounds(void)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;

    stack.known = true;
    if (avoids_syscalls) {
        return; /* libc would open a file */
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
    avoids_syscalls = true;
}

bool mprof__stack_is_short(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (!stack.known) {
        read_bounds();
    }
    /* an address outside is on a stack of the program's own making, whose bounds are unknown */
    return here < stack.short_below && here >= stack.low;
}
