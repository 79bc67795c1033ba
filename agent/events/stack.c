/* See stack.h. */
#include "stack.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/resource.h>

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

/* What the stack may grow to. Of the main thread's musl knows only what is mapped now. 0: no limit.
 */
static size_t full_size(uintptr_t high, size_t size)
{
#ifdef __GLIBC__
    (void)high;
    return size;
#else
    /* the kernel puts these bytes at the top of the first stack, and other maps far below it */
    const uintptr_t top = getauxval(AT_RANDOM);
    const uintptr_t distance = top > high ? top - high : high - top;
    struct rlimit limit;

    if (distance > (64 << 20) || getrlimit(RLIMIT_STACK, &limit) != 0) {
        return size;
    }
    return limit.rlim_cur == RLIM_INFINITY ? 0 : limit.rlim_cur;
#endif
}

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
        stack.high = (uintptr_t)low + size;
        size = full_size(stack.high, size);
        uintptr_t reserve = size / 4 < RESERVE_BYTES ? size / 4 : RESERVE_BYTES;
        stack.low = size > 0 ? stack.high - size : 0;
        stack.short_below = stack.low + reserve;
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
