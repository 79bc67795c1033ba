/* Included before agent/entry/exec.c in an instrumented build: its system calls that execute a
 * program write the counts first. */
#ifndef MPROF_TESTS_COVERAGE_EXEC_H
#define MPROF_TESTS_COVERAGE_EXEC_H

#include "flush.h"

#include <sys/syscall.h>

#undef SYS_execve
#define SYS_execve (mprof_coverage_flush_all(), __NR_execve)
#undef SYS_execveat
#define SYS_execveat (mprof_coverage_flush_all(), __NR_execveat)

#endif
