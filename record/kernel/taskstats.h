/* High-water marks of processes at their end: taskstats reports that of every task that ends,
 * however short it lived. Needs CAP_NET_ADMIN in the initial namespaces. See the kernel's
 * accounting/taskstats.rst. */
#ifndef MPROF_RECORD_TASKSTATS_H
#define MPROF_RECORD_TASKSTATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__taskstats mprof__taskstats;

/* Subscribes to the ends of all tasks of the machine. NULL: not permitted, or not in this
 * kernel. */
mprof__taskstats *mprof__taskstats_open(void);
void mprof__taskstats_free(mprof__taskstats *stats);

/* Call often: reads new reports from time to time, so that the kernel's buffer does not fill up. */
void mprof__taskstats_poll(mprof__taskstats *stats, int64_t now_ns);

/* The kernel's report of a process, or of one of its threads, at its end. */
typedef struct mprof__taskstats_mark {
    int64_t pid;              /* 0: empty */
    int64_t high_water_bytes; /* of its last address space */
    bool is_fork;             /* it has not called exec since it was forked */
} mprof__taskstats_mark;

/* Gives the mark of a process whose end a process event has reported, once: the kernel sends the
 * mark first. False: none. */
bool mprof__taskstats_take(mprof__taskstats *stats, int64_t pid, mprof__taskstats_mark *out);

/* The mark of a process that was reported and not taken yet; 0: none. */
int64_t mprof__taskstats_high_water_bytes(mprof__taskstats *stats, int64_t pid);

/* Parses one message of the kernel. False: it is no mark. */
bool mprof__taskstats_parse(mprof__taskstats_mark *out, const void *message, size_t length);

#endif
