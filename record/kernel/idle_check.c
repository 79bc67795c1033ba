/* The CPU clock of a process counts the nanoseconds of all its threads and is readable by everyone;
 * see clock_getcpuclockid(3). It is exact for threads that are not running, and up to one scheduler
 * tick behind for those that are. */
#include "idle_check.h"

#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a reading of memory holds. The first one after work holds less long, by the pid, so that
 * processes are not all read again at the same tick. */
#define HOLDS_NS INT64_C(1000000000)
#define HOLDS_PARTS 16
/* The kernel adds up all threads: reading the clock pays only while it is cheaper than reading
 * memory. */
#define EXPENSIVE_NS INT64_C(10000)
#define EXPENSIVE_PAUSE 63
#define BUSY_MAX 3
/* Least number of scheduler ticks between two readings. */
#define TICKS_BETWEEN 8

/* Processors that stop the tick while only one thread runs on them. */
static bool has_tickless_processors(void)
{
    char text[64];
    int fd = open("/sys/devices/system/cpu/nohz_full", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    return strpbrk(text, "0123456789") != NULL;
}

bool mprof__idle_check_applies(int64_t interval_ns)
{
    struct timespec tick; /* the coarse clock advances by one tick */

    return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 && tick.tv_sec == 0 &&
           interval_ns >= tick.tv_nsec * TICKS_BETWEEN && !has_tickless_processors();
}

void mprof__idle_check_init(mprof__idle_check *check)
{
    memset(check, 0, sizeof *check);
    check->cpu_ns = -1;
    check->has_run = true;
}

/* The kernel's encoding of a process's clock, as clock_getcpuclockid(3) makes it; that would cost
 * one more system call, to check that the process exists. */
static clockid_t cpu_clock(int64_t pid)
{
    const unsigned scheduler_clock = 2;

    return (clockid_t)((~(unsigned)pid << 3) | scheduler_clock);
}

static int64_t read_cpu_ns(int64_t pid)
{
    struct timespec used;

    if (clock_gettime(cpu_clock(pid), &used) != 0) {
        return -1;
    }
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static int64_t holds_until_ns(const mprof__idle_check *check, int64_t pid, int64_t now_ns)
{
    return now_ns + HOLDS_NS - (check->busy ? pid % HOLDS_PARTS * (HOLDS_NS / HOLDS_PARTS) : 0);
}

/* The process has run: its clock is read less and less often. */
static void back_off(mprof__idle_check *check)
{
    check->busy += check->busy < BUSY_MAX;
    check->pause = (1U << check->busy) - 1;
    check->has_run = true;
}

bool mprof__idle_check_holds(mprof__idle_check *check, int64_t pid, int64_t now_ns)
{
    bool is_due = now_ns >= check->until_ns;

    if (check->pause > 0) {
        check->pause--;
        check->has_run = true;
        return false;
    }
    int64_t before_ns = is_due ? mprof__clock_now_ns() : 0;
    int64_t cpu_ns = read_cpu_ns(pid);
    if (cpu_ns < 0 || cpu_ns != check->cpu_ns) {
        back_off(check);
    } else if (is_due) {
        check->busy = 0;
    } else {
        return true;
    }
    check->cpu_ns = cpu_ns;
    check->until_ns = holds_until_ns(check, pid, now_ns);
    if (is_due && mprof__clock_now_ns() - before_ns > EXPENSIVE_NS) {
        check->pause = EXPENSIVE_PAUSE;
        check->until_ns = 0;
    }
    return false;
}
