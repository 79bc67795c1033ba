/* What calls in another process need of one architecture: the registers of the stopped thread, the
 * frame of a signal handler by which the thread returns to them, and how the kernel continues an
 * interrupted system call. remote_thread.c says how they are used. */
#ifndef MPROF_RECORD_THREAD_STATE_H
#define MPROF_RECORD_THREAD_STATE_H

#include "remote_memory.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mprof__thread_state mprof__thread_state;

/* Before the thread is stopped. Finds the instructions of the process that calls need. `memory`
 * must outlive *out. MPROF_EARGUMENT: its C library is unknown; MPROF_ENOMEM. */
mprof_status mprof__thread_state_new(mprof__thread_state **out, pid_t thread,
                                     const mprof__remote_memory *memory, const mprof__object *libc,
                                     mprof_error *error);

/* NULL is allowed. */
void mprof__thread_state_free(mprof__thread_state *state);

/* Reads the registers of the stopped thread. MPROF_EARGUMENT: no function can be called in it now;
 * MPROF_EIO. */
mprof_status mprof__thread_state_save(mprof__thread_state *state, mprof_error *error);

/* The number of the system call that the saved registers wait in; -1: none. */
long mprof__thread_state_waits_in(const mprof__thread_state *state, uint64_t *first_argument);

/* Writes the frame on the thread's stack, if the code that calls need is still where it was. `mask`
 * is the thread's signal mask. 0 or -1. */
int mprof__thread_state_write_frame(const mprof__thread_state *state, uint64_t mask);

/* The address of an int on the thread's stack. */
uint64_t mprof__thread_state_result_address(const mprof__thread_state *state);

/* Sets the registers so that the thread calls a function, or makes a system call, and then returns
 * by the frame. 0 or -1. */
int mprof__thread_state_start_call(const mprof__thread_state *state, uint64_t function,
                                   const uint64_t arguments[2]);
int mprof__thread_state_start_system_call(const mprof__thread_state *state, long number,
                                          const uint64_t arguments[6]);

/* Whether the thread, stopped at a system call, has reached the one that restores the frame. If
 * not, *result is the result of the system call. 1, 0, or -1: the registers cannot be read. */
int mprof__thread_state_has_returned(const mprof__thread_state *state, int64_t *result);

/* After calls, at any stop: lets the thread go on to the next stop without restoring the frame, so
 * that the kernel keeps what it knows of the interrupted system call. If we are killed after this,
 * the thread still gets all its registers back. 0 or -1. */
int mprof__thread_state_leave_call(const mprof__thread_state *state, uint64_t mask);

/* Sets the registers with which the thread continues. 0 or -1. */
int mprof__thread_state_continue(const mprof__thread_state *state, bool has_called, uint64_t mask);

#endif
