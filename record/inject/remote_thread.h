/* A thread of another process, borrowed to call a function: it is stopped, calls, and goes on where
 * it was, as if nothing had happened. x86-64 Linux only.
 *
 * Whatever becomes of us meanwhile, the thread comes to no harm: behind each call it returns, by
 * itself, to where it was (see remote.c). */
#ifndef MPROF_RECORD_REMOTE_THREAD_H
#define MPROF_RECORD_REMOTE_THREAD_H

#include "remote_memory.h"

#include <mprof/error.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mprof__remote_thread mprof__remote_thread;

/* Stops the thread. `libc` is the C library among the objects of `memory`, which must outlive the
 * remote. MPROF_EARGUMENT: it cannot be, the reason is told; MPROF_ENOMEM. */
mprof_status mprof__remote_thread_open(mprof__remote_thread **out, pid_t thread,
                                       const mprof__remote_memory *memory,
                                       const mprof__object *libc, mprof_error *error);

/* The number of the system call that the thread was waiting in, when it was stopped; -1: in none.
 */
long mprof__remote_thread_waits_in(const mprof__remote_thread *remote, uint64_t *first_argument);

/* A system call with up to six arguments; *result as the kernel gives it: -errno if it failed. */
mprof_status mprof__remote_thread_system_call(mprof__remote_thread *remote, int64_t *result,
                                              long number, const uint64_t arguments[6],
                                              mprof_error *error);

/* A function int f(first, int *result): what it writes there comes back in *result. */
mprof_status mprof__remote_thread_call(mprof__remote_thread *remote, int32_t *result,
                                       uint64_t function, uint64_t first, mprof_error *error);

/* Lets the thread go on. NULL is fine. */
void mprof__remote_thread_free(mprof__remote_thread *remote);

#endif
