/* Skips reading the memory of a process that has not run since the last reading: it still has the
 * same memory. Reading its CPU time costs a fifth of reading its memory. */
#ifndef MPROF_RECORD_IDLE_CHECK_H
#define MPROF_RECORD_IDLE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__idle_check {
    int64_t cpu_ns;   /* CPU time used, right before the last reading; -1: unknown */
    int64_t until_ns; /* when the reading expires; 0: none */
    unsigned pause; /* next readings without a check: the process is busy, or the check expensive */
    unsigned busy;  /* checks in a row that found it had run */
    bool has_run;   /* since the owner last set this to false */
} mprof__idle_check;

void mprof__idle_check_init(mprof__idle_check *check);

/* Whether the check may be used at this interval. The kernel updates the CPU time of a running
 * thread at each scheduler tick (1 to 10 ms), so what a process does in the last of them before a
 * sample may only show in the next sample. That must be short against the interval. */
bool mprof__idle_check_applies(int64_t interval_ns);

/* Call right before each reading of process `pid`. True: the last reading still holds; false: read
 * again. Changes that others make to an idle process (its pages are written out or reclaimed) show
 * after a second at the latest. now_ns: CLOCK_MONOTONIC. */
bool mprof__idle_check_holds(mprof__idle_check *check, int64_t pid, int64_t now_ns);

#endif
