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

/* The high-water mark of a process whose end a process event has told: the word on it came before
 * that. -1 if it was not told. It is told once. */
int64_t mprof__taskstats_take(mprof__taskstats *stats, int64_t pid);

/* Takes apart one message of the kernel. 1 with the process and its mark, or 0 if it is none. */
int mprof__taskstats_parse(int64_t *pid, int64_t *high_water_bytes, const void *message,
                           size_t length);

#endif
