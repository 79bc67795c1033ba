/* The program that is recorded, as somebody to wait for and to send signals to: a child of ours, or
 * a process that was there already. */
#ifndef MPROF_RECORD_TARGET_H
#define MPROF_RECORD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__target {
    int64_t pid;
    int pidfd;       /* to poll for its end; -1: a child of ours, or the kernel has no such thing */
    bool is_child;   /* ours to reap */
    bool has_ended;  /* set by who learns of it */
    int wait_status; /* as of wait(2), of a child that has ended; 0 until then */
} mprof__target;

/* Nobody yet. */
void mprof__target_init(mprof__target *target, bool is_child);

/* From now on it is process `pid`, which is alive, or a child that has not been reaped. */
void mprof__target_open(mprof__target *target, int64_t pid);
void mprof__target_close(mprof__target *target);

/* 1 as long as it is to be waited for, and to be given what signals the recorder is given. Whoever
 * is followed behind the end of a child is recorded as if attached to. */
bool mprof__target_is_ours(const mprof__target *target);

/* Sends the signal; never to another process that has got the pid since. 0, or -1 with errno. */
int mprof__target_signal(const mprof__target *target, int number);

#endif
