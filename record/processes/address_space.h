/* Finds processes that share an address space, whose memory must be counted once. Between vfork(2)
 * and exec a child uses its parent's, and a CLONE_VM child does so for life. A child of fork(2)
 * that is about to exec shares its parent's pages too; it counts once it goes on without exec. */
#ifndef MPROF_RECORD_ADDRESS_SPACE_H
#define MPROF_RECORD_ADDRESS_SPACE_H

#include "record/kernel/procfs.h"

#include <stdbool.h>
#include <stdint.h>

struct mprof__process;
struct mprof__processes;

typedef struct mprof__address_space {
    int64_t owner_pid; /* the process that shares and is counted; 0: the process has its own */
    uint32_t family;   /* equal for all processes that may share; 0: never shared */
    int64_t own_ns;    /* until then a forked child may be about to exec; 0: it is not */
    int64_t inherited_bytes; /* resident at birth: as its parent had */
} mprof__address_space;

/* Compares a new process of the set with those it may share memory with. stat: of the process. */
void mprof__address_space_begin(struct mprof__processes *processes, struct mprof__process *process,
                                const mprof__procfs_stat *stat);

/* Whether the process shares the address space of an earlier process of the set. To be called right
 * before its memory is read: after false, the reading is of its own memory. */
bool mprof__address_space_is_shared(struct mprof__processes *processes,
                                    struct mprof__process *process);

/* How many resident bytes the process may still have from fork(2), if it is about to exec; else 0.
 * To be called right before its memory is read. */
int64_t mprof__address_space_inherited_bytes(const struct mprof__processes *processes,
                                             struct mprof__process *process, int64_t now_ns);

/* Whether two texts of /proc/PID/status agree in all lines about memory. */
bool mprof__address_space_same_status(const char *status, const char *other);

#endif
