/* Memory of any process and of its descendants, for the sampling half of the Python API. The
 * recorder, which reads far more often, keeps descriptors open instead. */
#ifndef MPROF_AGENT_PROCESS_MEMORY_H
#define MPROF_AGENT_PROCESS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mprof__process_memory_kind {
    MPROF_PROCESS_MEMORY_RSS,
    MPROF_PROCESS_MEMORY_PSS, /* each shared page divided by the number of its users */
    MPROF_PROCESS_MEMORY_USS, /* pages that no other process maps */
};

typedef struct mprof__process_memory {
    pid_t pid;
    int64_t bytes;
} mprof__process_memory;

/* Memory of one process in bytes, 0 of a zombie; -1 with errno set where it cannot be read (ENOENT,
 * ESRCH: there is no such process). */
int64_t mprof__process_memory_read(pid_t pid, enum mprof__process_memory_kind kind);

/* Memory of all descendants of a process, in no particular order, without those that end meanwhile
 * or cannot be read. The caller frees *list, which is NULL if it is empty. Returns the count, or -1
 * if out of memory. */
ssize_t mprof__process_memory_read_children(mprof__process_memory **list, pid_t pid,
                                            enum mprof__process_memory_kind kind);

/* The process's own memory, with `children` plus that of its descendants; -1 as above. */
int64_t mprof__process_memory_read_total(pid_t pid, enum mprof__process_memory_kind kind,
                                         bool children);

/* The process's high-water mark, VmHWM; -1 if it cannot be read. */
int64_t mprof__process_memory_read_peak(pid_t pid);

#endif
