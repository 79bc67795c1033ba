#include "clock.h"

#include <time.h>
#include <unistd.h>

static int64_t clock_read_ns(clockid_t id)
{
    struct timespec now = {0, 0};

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t mprof__clock_now_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

void mprof__clock_init(mprof__clock *clock)
{
    int64_t before = clock_read_ns(CLOCK_MONOTONIC);
    int64_t wall = clock_read_ns(CLOCK_REALTIME);
    int64_t after = clock_read_ns(CLOCK_MONOTONIC);

    clock->offset_ns = wall - (before + (after - before) / 2);
}

double mprof__clock_wall_s(const mprof__clock *clock, int64_t monotonic_ns)
{
    return (double)(monotonic_ns + clock->offset_ns) / 1e9;
}

uint64_t mprof__clock_ticks_since_boot(int64_t ago_ns)
{
    struct timespec now = {0, 0};
    int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);

    clock_gettime(CLOCK_BOOTTIME, &now);
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - ago_ns;
    return ns > 0 ? (uint64_t)(ns / tick_ns) : 0;
}
