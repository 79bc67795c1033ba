/* Memory of any process and of all its descendants, as one value and as a list. For the sampling
 * half of the Python API; the recorder, which does this all day, has its own kept descriptors. */
#ifndef MPROF_AGENT_PROCESS_MEMORY_H
#define MPROF_AGENT_PROCESS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mprof__process_memory_kind {
    MPROF_PROCESS_MEMORY_RSS,
    MPROF_PROCESS_MEMORY_PSS, /* shared pages divided among those who share them */
    MPROF_PROCESS_MEMORY_USS, /* what nobody else maps */
};

typedef struct mprof__process_memory {
    pid_t pid;
    int64_t bytes;
} mprof__process_memory;

/* Memory of one process in bytes; -1 with errno set where it cannot be read (ENOENT, ESRCH: there
 * is no such process). 0 is what a zombie has. */
int64_t mprof__process_memory_read(pid_t pid, enum mprof__process_memory_kind kind);

/* Memory of all descendants of a process, in no particular order; those that end meanwhile, or may
 * not be looked at, are left out. *list is the caller's to free, NULL where there are none. Returns
 * their count, or -1 if out of memory. */
ssize_t mprof__process_memory_read_children(mprof__process_memory **list, pid_t pid,
                                            enum mprof__process_memory_kind kind);

/* The process's own memory, with `children` that of its descendants added; -1 as above. */
int64_t mprof__process_memory_read_total(pid_t pid, enum mprof__process_memory_kind kind,
                                         bool children);

/* The most that the process has ever had resident, as the kernel knows it; -1 if not to be had. */
int64_t mprof__process_memory_read_peak(pid_t pid);

#endif
