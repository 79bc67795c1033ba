/* See clock.h. A lookup by the handle of libc finds libc's own function; a plain call reaches the
 * first loaded object that defines the name. */
#include "clock.h"

#include <dlfcn.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int read_clock(clockid_t id, struct timespec *now);

static read_clock *libc_clock;

void mprof__clock_setup(void)
{
    void *libc = libc_clock ? NULL : dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    if (libc) {
        libc_clock = __extension__(read_clock *) dlsym(libc, "clock_gettime");
        dlclose(libc); /* stays loaded: the program needs it */
    }
}

void mprof__clock_read(clockid_t id, struct timespec *now)
{
    if (libc_clock) {
        (void)libc_clock(id, now);
    } else {
        (void)syscall(SYS_clock_gettime, id, now);
    }
}

uint64_t mprof__clock_ns(clockid_t id)
{
    struct timespec now = {0, 0};

    mprof__clock_read(id, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Of several tries the one with the least time between its readings counts: the process may lose
 * its processor between two. */
void mprof__clock_pair(uint64_t *monotonic_ns, uint64_t *wall_ns)
{
    uint64_t closest = UINT64_MAX;

    for (int i = 0; i < 8 && closest > 10000; i++) {
        uint64_t before = mprof__clock_ns(CLOCK_MONOTONIC);
        uint64_t wall = mprof__clock_ns(CLOCK_REALTIME);
        uint64_t after = mprof__clock_ns(CLOCK_MONOTONIC);

        if (after - before < closest) {
            closest = after - before;
            *monotonic_ns = before + (after - before) / 2;
            *wall_ns = wall;
        }
    }
}
