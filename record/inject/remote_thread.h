/* Calls functions in a thread of another process: the thread is stopped, makes the calls, and
 * continues where it was. Linux on x86-64 and aarch64 only.
 *
 * If we are killed meanwhile, the thread is not harmed: after each call it returns by itself to
 * where it was (see remote_thread.c). */
#ifndef MPROF_RECORD_REMOTE_THREAD_H
#define MPROF_RECORD_REMOTE_THREAD_H

#include "remote_memory.h"

#include <mprof/error.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__x86_64__) || defined(__aarch64__)
#define MPROF_HAS_REMOTE_CALLS 1
#endif

typedef struct mprof__remote_thread mprof__remote_thread;

/* Stops the thread. `libc` is the C library among the objects of `memory`, which must outlive *out.
 * MPROF_EARGUMENT with the reason: it cannot be stopped; MPROF_EIO; MPROF_ENOMEM. */
mprof_status mprof__remote_thread_open(mprof__remote_thread **out, pid_t thread,
                                       const mprof__remote_memory *memory,
                                       const mprof__object *libc, mprof_error *error);

/* The number of the system call that the thread was waiting in when it was stopped; -1: none. */
long mprof__remote_thread_waits_in(const mprof__remote_thread *remote, uint64_t *first_argument);

/* Makes a system call. *result: -errno if it failed. */
mprof_status mprof__remote_thread_system_call(mprof__remote_thread *remote, int64_t *result,
                                              long number, const uint64_t arguments[6],
                                              mprof_error *error);

/* Calls function(first, int *result). */
mprof_status mprof__remote_thread_call(mprof__remote_thread *remote, int32_t *result,
                                       uint64_t function, uint64_t first, mprof_error *error);

/* Lets the thread continue. NULL is allowed. */
void mprof__remote_thread_free(mprof__remote_thread *remote);

#endif
