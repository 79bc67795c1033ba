/* The recorded program, to wait for and to signal: a child of ours, or a process attached to. */
#ifndef MPROF_RECORD_TARGET_H
#define MPROF_RECORD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__target {
    int64_t pid;
    int pidfd;       /* to poll for its end; -1: our child, or not supported */
    bool is_child;   /* to be reaped by us */
    bool has_ended;  /* set by the first to notice */
    int wait_status; /* as of wait(2), of our child after its end; else 0 */
} mprof__target;

/* No process yet. */
void mprof__target_init(mprof__target *target, bool is_child);

/* Sets the process, which must be alive, or a child not reaped yet. */
void mprof__target_open(mprof__target *target, int64_t pid);
void mprof__target_close(mprof__target *target);

/* Whether to wait for it and to pass signals on. Descendants that outlive a child are recorded as
 * if attached to. */
bool mprof__target_is_live_child(const mprof__target *target);

/* Sends the signal; never to another process that got the pid later. 0, or -1 with errno. */
int mprof__target_signal(const mprof__target *target, int number);

#endif
