/* The registers are saved twice: here, and on the thread's stack, as the frame of a signal handler.
 * The function is entered like that frame's handler, so it returns to rt_sigreturn(2), which
 * restores everything. If we are killed at any moment, the thread does that by itself. Otherwise we
 * stop it before that system call and restore the registers ourselves: then the kernel still knows
 * the system call the thread was waiting in, and continues it as after any stop, with its remaining
 * time and without EINTR. Signals are blocked until then. */
#include "remote_thread.h"

#include "thread_state.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#ifdef MPROF_HAS_REMOTE_CALLS

/* A thread that does not stop within this time is in an uninterruptible sleep. */
#define STOP_DEADLINE_NS INT64_C(3000000000)
#define RUN_DEADLINE_NS INT64_C(10000000000)

struct mprof__remote_thread {
    pid_t thread;
    const mprof__remote_memory *memory;
    mprof__thread_state *state;
    uint64_t mask;
    bool is_saved;   /* the thread was stopped, and its registers were read */
    bool has_called; /* something was called: registers must be restored */
    int kept_signal; /* arrived during a call although blocked; 0: none */
};

/* ---- stops ---- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Waits for the next stop. 0, or -1: the thread has ended, or the deadline has passed. */
static int wait_for_stop(const mprof__remote_thread *remote, int *status, int64_t deadline_ns)
{
    int64_t end_ns = now_ns() + deadline_ns;
    struct timespec pause = {0, 20000};

    for (;;) {
        pid_t got = waitpid(remote->thread, status, __WALL | WNOHANG);

        if (got == remote->thread) {
            return WIFSTOPPED(*status) ? 0 : -1;
        }
        if ((got < 0 && errno != EINTR) || now_ns() > end_ns) {
            return -1;
        }
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 1000000) {
            pause.tv_nsec *= 2;
        }
    }
}

static bool is_interrupt_stop(int status)
{
    return status >> 8 == (SIGTRAP | PTRACE_EVENT_STOP << 8);
}

/* Waits for the stop of PTRACE_INTERRUPT; delivers signals that come before. */
static int wait_for_interrupt(const mprof__remote_thread *remote)
{
    int status;

    for (;;) {
        if (wait_for_stop(remote, &status, STOP_DEADLINE_NS) != 0) {
            return -1;
        }
        if (is_interrupt_stop(status)) {
            return 0;
        }
        if (status >> 16 == PTRACE_EVENT_STOP) {
            return -1; /* the process is stopped by a signal */
        }
        long signal_number = status >> 16 == 0 && !(WSTOPSIG(status) & 0x80) ? WSTOPSIG(status) : 0;
        if (ptrace(PTRACE_CONT, remote->thread, NULL, signal_number) != 0) {
            return -1;
        }
    }
}

/* ---- calls ---- */

/* Runs the thread up to the rt_sigreturn that ends the call. 0 with the result of the last system
 * call before that. */
static int run_to_return(mprof__remote_thread *remote, int64_t *last)
{
    int64_t end_ns = now_ns() + RUN_DEADLINE_NS;
    int has_returned = 0;
    int status;

    while (has_returned == 0) {
        if (ptrace(PTRACE_SYSCALL, remote->thread, NULL, NULL) != 0 ||
            wait_for_stop(remote, &status, end_ns - now_ns()) != 0) {
            return -1;
        }
        if (WSTOPSIG(status) == SIGSEGV || WSTOPSIG(status) == SIGBUS ||
            WSTOPSIG(status) == SIGILL || WSTOPSIG(status) == SIGSYS) {
            return -1;
        }
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            if (status >> 16 == 0) {
                remote->kept_signal = WSTOPSIG(status); /* SIGSTOP: all others are blocked */
            }
            continue;
        }
        has_returned = mprof__thread_state_has_returned(remote->state, last);
    }
    return has_returned > 0 ? 0 : -1;
}

static int set_mask(const mprof__remote_thread *remote, uint64_t mask)
{
    return ptrace(PTRACE_SETSIGMASK, remote->thread, sizeof mask, &mask) == 0 ? 0 : -1;
}

/* Last check before anything is changed. */
static mprof_status prepare_call(mprof__remote_thread *remote, mprof_error *error)
{
    if (mprof__thread_state_write_frame(remote->state, remote->mask) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "its stack has no room for a call");
    }
    remote->has_called = true;
    return MPROF_OK;
}

/* `is_started` is the result of setting the registers. */
static mprof_status finish_call(mprof__remote_thread *remote, int is_started, int64_t *last,
                                mprof_error *error)
{
    /* in this order: a thread that we leave here still returns by its frame, with its own mask */
    if (is_started != 0 || set_mask(remote, UINT64_MAX) != 0 || run_to_return(remote, last) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "a function call inside the process failed");
    }
    return MPROF_OK;
}

mprof_status mprof__remote_thread_system_call(mprof__remote_thread *remote, int64_t *result,
                                              long number, const uint64_t arguments[6],
                                              mprof_error *error)
{
    mprof_status status = prepare_call(remote, error);

    *result = -EINTR;
    if (status == MPROF_OK) {
        int started = mprof__thread_state_start_system_call(remote->state, number, arguments);
        status = finish_call(remote, started, result, error);
    }
    return status;
}

mprof_status mprof__remote_thread_call(mprof__remote_thread *remote, int32_t *result,
                                       uint64_t function, uint64_t first, mprof_error *error)
{
    const uint64_t address = mprof__thread_state_result_address(remote->state);
    const uint64_t arguments[2] = {first, address};
    mprof_status status = prepare_call(remote, error);
    int64_t last;

    if (status == MPROF_OK) {
        int started = mprof__thread_state_start_call(remote->state, function, arguments);
        status = finish_call(remote, started, &last, error);
    }
    if (status == MPROF_OK &&
        mprof__remote_memory_read(remote->memory, result, sizeof *result, address) != 0) {
        status = mprof_error_set_errno(error, errno, "the memory of the process cannot be read");
    }
    return status;
}

/* ---- opening and freeing ---- */

long mprof__remote_thread_waits_in(const mprof__remote_thread *remote, uint64_t *first_argument)
{
    return mprof__thread_state_waits_in(remote->state, first_argument);
}

static mprof_status stop(mprof__remote_thread *remote, mprof_error *error)
{
    if (ptrace(PTRACE_SEIZE, remote->thread, NULL, PTRACE_O_TRACESYSGOOD) != 0) {
        return mprof_error_set_errno(error, errno, "the process cannot be traced");
    }
    if (ptrace(PTRACE_INTERRUPT, remote->thread, NULL, NULL) != 0 ||
        wait_for_interrupt(remote) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "the process does not stop");
    }
    if (ptrace(PTRACE_GETSIGMASK, remote->thread, sizeof remote->mask, &remote->mask) != 0) {
        return mprof_error_set_errno(error, errno, "its signal mask cannot be read");
    }
    mprof_status status = mprof__thread_state_save(remote->state, error);
    remote->is_saved = status == MPROF_OK;
    return status;
}

mprof_status mprof__remote_thread_open(mprof__remote_thread **out, pid_t thread,
                                       const mprof__remote_memory *memory,
                                       const mprof__object *libc, mprof_error *error)
{
    mprof__remote_thread *remote = calloc(1, sizeof *remote);

    *out = NULL;
    if (!remote) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    remote->thread = thread;
    remote->memory = memory;
    mprof_status status = mprof__thread_state_new(&remote->state, thread, memory, libc, error);
    if (status == MPROF_OK) {
        status = stop(remote, error);
    }
    if (status != MPROF_OK) {
        mprof__remote_thread_free(remote);
        return status;
    }
    *out = remote;
    return MPROF_OK;
}

/* Moves the thread from rt_sigreturn to where it was. It can go on alone after each step. */
static void restore_thread(const mprof__remote_thread *remote)
{
    if (mprof__thread_state_leave_call(remote->state, remote->mask) == 0 &&
        ptrace(PTRACE_INTERRUPT, remote->thread, NULL, NULL) == 0 &&
        ptrace(PTRACE_CONT, remote->thread, NULL, NULL) == 0) {
        (void)wait_for_interrupt(remote);
    }
}

void mprof__remote_thread_free(mprof__remote_thread *remote)
{
    if (!remote) {
        return;
    }
    if (remote->has_called) {
        restore_thread(remote);
    }
    if (remote->is_saved) {
        (void)mprof__thread_state_continue(remote->state, remote->has_called, remote->mask);
    }
    ptrace(PTRACE_DETACH, remote->thread, NULL, NULL);
    if (remote->kept_signal != 0) {
        kill(remote->thread, remote->kept_signal);
    }
    mprof__thread_state_free(remote->state);
    free(remote);
}

#else /* another architecture */

mprof_status mprof__remote_thread_open(mprof__remote_thread **out, pid_t thread,
                                       const mprof__remote_memory *memory,
                                       const mprof__object *libc, mprof_error *error)
{
    (void)thread;
    (void)memory;
    (void)libc;
    *out = NULL;
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "functions of a running program can be recorded on x86-64 and aarch64 "
                           "only; start it by mprof run");
}

long mprof__remote_thread_waits_in(const mprof__remote_thread *remote, uint64_t *first_argument)
{
    (void)remote;
    (void)first_argument;
    return -1;
}

mprof_status mprof__remote_thread_system_call(mprof__remote_thread *remote, int64_t *result,
                                              long number, const uint64_t arguments[6],
                                              mprof_error *error)
{
    (void)remote;
    (void)result;
    (void)number;
    (void)arguments;
    return mprof_error_set(error, MPROF_EARGUMENT, "not on this architecture");
}

mprof_status mprof__remote_thread_call(mprof__remote_thread *remote, int32_t *result,
                                       uint64_t function, uint64_t first, mprof_error *error)
{
    (void)remote;
    (void)result;
    (void)function;
    (void)first;
    return mprof_error_set(error, MPROF_EARGUMENT, "not on this architecture");
}

void mprof__remote_thread_free(mprof__remote_thread *remote)
{
    (void)remote;
}

#endif
