/* What a process says of itself, as numbers of its own namespaces: which process that is for us,
 * and when that was. */
#ifndef MPROF_RECORD_NAMESPACES_H
#define MPROF_RECORD_NAMESPACES_H

#include "process.h"

#include <stdint.h>

/* The process that has this pid in the PID namespace with that inode (0: not known), as we see it;
 * those of the set are looked at first. -1: there is none, or none any more. */
int64_t mprof__namespaces_find_pid(const mprof__processes *processes, int64_t pid,
                                   uint64_t pid_namespace);

/* What has to be added to the process's CLOCK_MONOTONIC to get ours: 0 outside of time namespaces.
 * Both times are of one moment, as the process read them. `pid`: as we see it. */
int64_t mprof__namespaces_clock_shift(int64_t pid, int64_t monotonic_ns, int64_t wall_ns);

#endif
