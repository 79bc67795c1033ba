/* Whose address space a process runs in. Between vfork(2) and exec a child runs in its parent's,
 * and one made with CLONE_VM does so for life: such memory is counted once. A child of fork(2) that
 * is about to exec has its parent's pages, too, and counts once it has gone its own way. */
#ifndef MPROF_RECORD_ADDRESS_SPACE_H
#define MPROF_RECORD_ADDRESS_SPACE_H

#include "record/kernel/procfs.h"

#include <stdbool.h>
#include <stdint.h>

struct mprof__process;
struct mprof__processes;

typedef struct mprof__address_space {
    int64_t owner_pid;       /* found earlier, and counted for both; 0: the process has its own */
    uint32_t family;         /* whoever may share one has this number; 0: nobody ever did */
    int64_t own_ns;          /* until then a forked child may be about to exec; 0: it is not */
    int64_t inherited_bytes; /* at its birth: what its parent had, or whoever that was a fork of */
} mprof__address_space;

/* Compares a process that has just been added to the set with those it may share memory with.
 * stat: as read of it. */
void mprof__address_space_begin(struct mprof__processes *processes, struct mprof__process *process,
                                const mprof__procfs_stat *stat);

/* 1 if the process runs in the address space of another one of the set that comes before it. To be
 * asked right before its memory is read: after 0, what is read is its own. */
bool mprof__address_space_is_shared(struct mprof__processes *processes,
                                    struct mprof__process *process);

/* Up to so many resident bytes of the process may be no more than fork(2) gave it before it execs:
 * pages of its parent. 0 if that time is over. To be asked right before reading. */
int64_t mprof__address_space_inherited_bytes(const struct mprof__processes *processes,
                                             struct mprof__process *process, int64_t now_ns);

/* Whether two texts of /proc/PID/status say the same of all that is counted of an address space. */
bool mprof__address_space_same_status(const char *status, const char *other);

#endif
