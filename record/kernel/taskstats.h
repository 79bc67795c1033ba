/* The kernel's last word on each process: taskstats tells the high-water mark of resident memory of
 * every task that ends, however short it lived. Needs CAP_NET_ADMIN in the first namespaces. See
 * the kernel's accounting/taskstats.rst. */
#ifndef MPROF_RECORD_TASKSTATS_H
#define MPROF_RECORD_TASKSTATS_H

#include <stddef.h>
#include <stdint.h>

typedef struct mprof__taskstats mprof__taskstats;

/* Listens to the ends of all tasks of the machine. NULL if that is not allowed, or not there. */
mprof__taskstats *mprof__taskstats_open(void);
void mprof__taskstats_free(mprof__taskstats *stats);

/* To be called often: takes what has been told since, when it is time to, so that the kernel has
 * room for more. */
void mprof__taskstats_keep_up(mprof__taskstats *stats, int64_t now_ns);

/* What the kernel says of a process, or of one thread of it, at its end. */
typedef struct mprof__taskstats_mark {
    int64_t pid;              /* 0: none */
    int64_t high_water_bytes; /* of the memory it had at the end */
    int is_fork;              /* it has executed nothing since its birth */
} mprof__taskstats_mark;

/* 1 with the mark of a process whose end a process event has reported: the word on it came before
 * that. 0 if there was none. It is given once. */
int mprof__taskstats_take(mprof__taskstats *stats, int64_t pid, mprof__taskstats_mark *out);

/* The mark of a process that has been reported and not taken yet; 0 if there is none. */
int64_t mprof__taskstats_high_water_bytes(mprof__taskstats *stats, int64_t pid);

/* Takes apart one message of the kernel. 1 with the mark, or 0 if it is none. */
int mprof__taskstats_parse(mprof__taskstats_mark *out, const void *message, size_t length);

#endif
