/* Whether a process has run at all since its memory was read: one that has not still has the memory
 * it had, and asking for its processor time costs a fifth of reading that again. */
#ifndef MPROF_RECORD_IDLE_CHECK_H
#define MPROF_RECORD_IDLE_CHECK_H

#include <stdint.h>

typedef struct mprof__idle_check {
    int64_t cpu_ns;   /* processor time used, as of right before a reading; -1: not known */
    int64_t until_ns; /* no longer than this is a reading taken to hold; 0: it holds not at all */
    unsigned pause;   /* readings to go without asking: it is at work, or asking is expensive */
    unsigned busy;    /* times in a row that it was found to have run */
    int has_run;      /* since the owner last set this to 0 */
} mprof__idle_check;

void mprof__idle_check_init(mprof__idle_check *rest);

/* Whether readings that far apart may be left out. The processor time of a thread that is running
 * right now is brought up to date at each tick of the kernel's scheduler (1 to 10 ms): what a
 * process does in the last of these ticks before a sample may be seen by the next sample only. That
 * is to be little against the interval. */
int mprof__idle_check_applies(int64_t interval_ns);

/* To be asked right before each reading of process `pid`. 1 if the last reading still holds; if 0,
 * read. What others do to a process at rest (its pages written out, or taken away) is seen after a
 * second at the latest. now_ns: CLOCK_MONOTONIC. */
int mprof__idle_check_holds(mprof__idle_check *rest, int64_t pid, int64_t now_ns);

#endif
