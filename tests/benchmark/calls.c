/* bench-calls PROCESSES SECONDS RATE: under `mprof run`, PROCESSES processes together make RATE
 * calls a second, evenly, each through an event ring as the agent does, with changing names, levels
 * and memory. Prints "<calls made> <calls counted because the ring was full> <seconds> <CPU seconds
 * of the recorder>". A delayed process does not catch up: the result is the rate that is reached.
 */
#include "agent/events/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FUNCTIONS 16
#define STEP_NS 1000000

struct tally {
    uint64_t made, gathered;
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void make_calls(mprof__ring *ring, struct tally *tally, uint32_t *defined, unsigned count)
{
    static char names[FUNCTIONS][32];
    for (unsigned i = 0; i < count; i++) {
        uint32_t which = (uint32_t)(tally->made % FUNCTIONS);
        int length = names[which][0] ? (int)strlen(names[which])
                                     : snprintf(names[which], sizeof names[which],
                                                "package.module.function%u", which);
        mprof__ring_text name = {which + 1, (uint32_t)length, names[which], &defined[which]};
        mprof__wire_enter enter = {.name = which + 1,
                                   .level = which / 4,
                                   .time_ns = now_ns(CLOCK_MONOTONIC),
                                   .rss_bytes = (tally->made / 4 % 4096 + 10000) * 4096};
        uint32_t call = mprof__ring_enter(ring, enter, 1, &name, NULL);
        uint64_t end_ns = now_ns(CLOCK_MONOTONIC);
        if (call) {
            mprof__wire_exit leave = {.time_ns = end_ns, .rss_bytes = enter.rss_bytes + 4096};
            mprof__ring_exit(ring, call, 0, leave);
        } else {
            mprof__wire_calls calls = {.name = enter.name,
                                       .level = enter.level,
                                       .enter_ns = enter.time_ns,
                                       .enter_rss_bytes = enter.rss_bytes,
                                       .exit_ns = end_ns,
                                       .exit_rss_bytes = enter.rss_bytes};
            mprof__ring_gather(ring, calls, 1, &name, NULL);
            tally->gathered++;
        }
        tally->made++;
    }
}

static struct tally run_process(double seconds, double rate)
{
    static mprof__ring ring;
    struct tally tally = {0, 0};
    uint32_t defined[FUNCTIONS] = {0};
    const char *rings = getenv(MPROF_WIRE_ENV_RINGS);
    if (!rings || !mprof__ring_open(&ring, rings, 0)) {
        fprintf(stderr, "bench-calls: runs under mprof run\n");
        exit(1);
    }
    double carried = 0;
    uint64_t before = now_ns(CLOCK_MONOTONIC), end = before + (uint64_t)(seconds * 1e9);
    while (before < end) {
        struct timespec step = {0, STEP_NS};
        nanosleep(&step, NULL);
        uint64_t now = now_ns(CLOCK_MONOTONIC);
        uint64_t passed = now - before < 20 * STEP_NS ? now - before : 20 * STEP_NS;
        carried += rate * (double)passed / 1e9;
        make_calls(&ring, &tally, defined, (unsigned)carried);
        carried -= (unsigned)carried;
        before = now;
    }
    mprof__ring_close(&ring);
    return tally;
}

int main(int argc, char **argv)
{
    struct tally all = {0, 0}, one;
    clockid_t recorder;
    int ends[2];
    if (argc != 4 || pipe(ends) != 0 || clock_getcpuclockid(getppid(), &recorder) != 0) {
        fprintf(stderr, "usage: mprof run bench-calls PROCESSES SECONDS RATE\n");
        return 2;
    }
    int processes = atoi(argv[1]);
    uint64_t begin_ns = now_ns(CLOCK_MONOTONIC), cpu_ns = now_ns(recorder);
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            one = run_process(atof(argv[2]), atof(argv[3]) / processes);
            _exit(write(ends[1], &one, sizeof one) != (ssize_t)sizeof one);
        }
    }
    close(ends[1]);
    while (read(ends[0], &one, sizeof one) == (ssize_t)sizeof one) {
        all.made += one.made;
        all.gathered += one.gathered;
    }
    while (wait(NULL) > 0) {
    }
    printf("%llu %llu %.3f %.3f\n", (unsigned long long)all.made, (unsigned long long)all.gathered,
           (double)(now_ns(CLOCK_MONOTONIC) - begin_ns) / 1e9,
           (double)(now_ns(recorder) - cpu_ns) / 1e9);
    return 0;
}
