/* Preloaded into the recorder: a wall clock that is set. MPROF_TEST_STEPS is a list of "after:by"
 * in seconds: that long after the start, the clock steps by that much. Monotonic time is not
 * affected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now);
time_t time(time_t *now);
int gettimeofday(struct timeval *restrict now, void *restrict zone);

static double seconds_since_start(void)
{
    static struct timespec start;
    struct timespec now;

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    if (start.tv_sec == 0) {
        start = now;
    }
    return (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9;
}

static long offset_s(void)
{
    const char *steps = getenv("MPROF_TEST_STEPS");
    double passed = seconds_since_start();
    long offset = 0;

    while (steps && *steps) {
        char *end;
        double after = strtod(steps, &end);

        if (passed >= after) {
            offset += strtol(end + 1, NULL, 10);
        }
        steps = strchr(end, ',');
        steps = steps ? steps + 1 : NULL;
    }
    return offset;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *now)
{
    long result = syscall(SYS_clock_gettime, id, now);

    if (id == CLOCK_REALTIME) {
        now->tv_sec += offset_s();
    }
    return (int)result;
}

__attribute__((visibility("default"))) time_t time(time_t *now)
{
    struct timespec moment;

    clock_gettime(CLOCK_REALTIME, &moment);
    if (now) {
        *now = moment.tv_sec;
    }
    return moment.tv_sec;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict now,
                                                        void *restrict zone)
{
    struct timespec moment;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &moment);
    now->tv_sec = moment.tv_sec;
    now->tv_usec = moment.tv_nsec / 1000;
    return 0;
}
