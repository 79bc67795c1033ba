/* The kernel's numbers of a process's threads, in our pid namespace. */
#ifndef MPROF_RECORD_THREAD_IDS_H
#define MPROF_RECORD_THREAD_IDS_H

#include "thread_states.h"

/* All zero, then pid and memory. */
typedef struct mprof__thread_ids {
    int64_t pid; /* 0: numbers are taken as they are */
    mprof__target_memory memory;
    int64_t inner_pid;  /* in the process's own namespace; 0: not read yet */
    uint32_t id_offset; /* of the number in glibc's or musl's struct pthread; 0: not known */
} mprof__thread_ids;

/* The number of one of these threads; 0: not known. Reads files of /proc, so call it once for a
 * thread. */
int64_t mprof__thread_id_find(mprof__thread_ids *ids, const mprof__thread_state *state,
                              const mprof__thread_states *all);

#endif
