/* Translates pids and times that a process reports in its own namespaces. */
#ifndef MPROF_RECORD_NAMESPACES_H
#define MPROF_RECORD_NAMESPACES_H

#include "process.h"

#include <stdint.h>

/* Our pid of the process with this pid in the given PID namespace (its inode; 0: unknown). The set
 * is searched first. -1: not found. */
int64_t mprof__namespaces_find_pid(const mprof__processes *processes, int64_t pid,
                                   uint64_t pid_namespace);

/* What to add to the process's CLOCK_MONOTONIC to get ours: 0 outside of time namespaces. The
 * process read both times at one moment. `pid`: ours. */
int64_t mprof__namespaces_clock_shift(int64_t pid, int64_t monotonic_ns, int64_t wall_ns);

#endif
