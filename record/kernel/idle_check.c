/* Owns the asking, and when it is worth it.
 *
 * The clock of another process counts the nanoseconds of all its threads, and may be read by
 * anybody; see clock_getcpuclockid(3). It is exact once a thread has left its processor, and behind
 * by up to one tick of the scheduler while it is on it. */
#include "idle_check.h"

#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A reading is taken to hold for this long. The first one after work less long, and not for all
 * processes alike, so that they are not all read again at one tick. */
#define HOLDS_NS INT64_C(1000000000)
#define HOLDS_PARTS 16
/* The clock adds up all threads, and is worth asking only while that takes less than a reading. */
#define EXPENSIVE_NS INT64_C(10000)
#define EXPENSIVE_PAUSE 63
#define BUSY_MAX 3
/* Least number of scheduler ticks from one reading to the next. */
#define TICKS_BETWEEN 8

/* Processors that do without the tick while they have one thread to run. */
static int has_tickless_processors(void)
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

int mprof__idle_check_applies(int64_t interval_ns)
{
    struct timespec tick; /* the coarse clock is moved on by the tick */

    return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 && tick.tv_sec == 0 &&
           interval_ns >= tick.tv_nsec * TICKS_BETWEEN && !has_tickless_processors();
}

void mprof__idle_check_init(mprof__idle_check *rest)
{
    memset(rest, 0, sizeof *rest);
    rest->cpu_ns = -1;
    rest->has_run = 1;
}

/* As the kernel encodes the clock of a whole process: clock_getcpuclockid(3), without its check
 * that the process exists, which would be one more system call. */
static clockid_t clock_of(int64_t pid)
{
    const unsigned scheduler_clock = 2;

    return (clockid_t)((~(unsigned)pid << 3) | scheduler_clock);
}

static int64_t read_cpu_ns(int64_t pid)
{
    struct timespec used;

    if (clock_gettime(clock_of(pid), &used) != 0) {
        return -1;
    }
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static int64_t holds_until_ns(const mprof__idle_check *rest, int64_t pid, int64_t now_ns)
{
    return now_ns + HOLDS_NS - (rest->busy ? pid % HOLDS_PARTS * (HOLDS_NS / HOLDS_PARTS) : 0);
}

/* The last answer was another one: the process is at work, and is asked less and less often. */
static void note_work(mprof__idle_check *rest)
{
    rest->busy += rest->busy < BUSY_MAX;
    rest->pause = (1U << rest->busy) - 1;
    rest->has_run = 1;
}

int mprof__idle_check_holds(mprof__idle_check *rest, int64_t pid, int64_t now_ns)
{
    int is_due = now_ns >= rest->until_ns;
    int64_t before_ns;
    int64_t cpu_ns;

    if (rest->pause > 0) {
        rest->pause--;
        rest->has_run = 1;
        return 0;
    }
    before_ns = is_due ? mprof__clock_now_ns() : 0;
    cpu_ns = read_cpu_ns(pid);
    if (cpu_ns < 0 || cpu_ns != rest->cpu_ns) {
        note_work(rest);
    } else if (is_due) {
        rest->busy = 0;
    } else {
        return 1;
    }
    rest->cpu_ns = cpu_ns;
    rest->until_ns = holds_until_ns(rest, pid, now_ns);
    if (is_due && mprof__clock_now_ns() - before_ns > EXPENSIVE_NS) {
        rest->pause = EXPENSIVE_PAUSE;
        rest->until_ns = 0;
    }
    return 0;
}
