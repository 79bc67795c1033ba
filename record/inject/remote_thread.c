/* The registers are saved twice: here, and on the thread's stack, as the frame of a signal handler.
 * The function is entered like that frame's handler, so it returns through the C library's
 * __restore_rt to rt_sigreturn(2), which restores everything. If we are killed at any moment, the
 * thread does that by itself. Otherwise we stop it before that system call and restore the
 * registers ourselves: then the kernel still knows the system call the thread was waiting in, and
 * continues it as after any stop, with its remaining time and without EINTR. Signals are blocked
 * until then. */
#include "remote_thread.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)

/* A thread that does not stop within this time is in an uninterruptible sleep. */
#define STOP_DEADLINE_NS INT64_C(3000000000)
#define RUN_DEADLINE_NS INT64_C(10000000000)
#define RED_ZONE 128 /* bytes below the stack pointer that the ABI lets a function use */
#define XSTATE_MAX 32768
#define XSTATE_MASK_OFFSET 464 /* of the mask of state components, for ptrace and in a frame */
#define XSTATE_MAGIC1 UINT32_C(0x46505853)
#define XSTATE_MAGIC2 UINT32_C(0x46505845)
#define XSTATE_LEGACY 576 /* x87 and SSE state with the header */

/* Kernel-internal errors: how to continue an interrupted system call. */
enum {
    KERNEL_ERESTARTSYS = 512,
    KERNEL_ERESTARTNOINTR = 513,
    KERNEL_ERESTARTNOHAND = 514,
    KERNEL_ERESTART_RESTARTBLOCK = 516,
};

/* The kernel's struct rt_sigframe, as far as rt_sigreturn reads it. */
typedef struct signal_frame {
    uint64_t return_address;
    uint64_t flags;
    uint64_t link;
    uint64_t stack;
    uint32_t stack_flags;
    uint32_t stack_pad;
    uint64_t stack_size;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, fault;
    uint64_t floating; /* address of the extended state */
    uint64_t reserved[8];
    uint64_t mask;
    uint8_t information[128];
} signal_frame;

#define FRAME_FLAGS 7           /* extended state present, ss saved, ss restored exactly */
#define STACK_FLAGS_INVALID 0x4 /* invalid, so rt_sigreturn leaves the alternate stack as it is */

struct mprof__remote_thread {
    pid_t thread;
    const mprof__remote_memory *memory;
    uint64_t system_call; /* "syscall; ret" */
    uint64_t restore;     /* __restore_rt */
    struct user_regs_struct saved;
    uint64_t mask;
    uint8_t *extended;
    size_t extended_size;
    uint64_t floating; /* addresses on its stack: the extended state, */
    uint64_t result;   /* an int for the result, */
    uint64_t frame;    /* and the signal frame */
    bool has_called;   /* something was called: registers must be restored */
    int kept_signal;   /* arrived during a call although blocked; 0: none */
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

/* ---- registers ---- */

static int get_registers(const mprof__remote_thread *remote, struct user_regs_struct *registers)
{
    return ptrace(PTRACE_GETREGS, remote->thread, NULL, registers) == 0 ? 0 : -1;
}

static int set_registers(const mprof__remote_thread *remote,
                         const struct user_regs_struct *registers)
{
    return ptrace(PTRACE_SETREGS, remote->thread, NULL, registers) == 0 ? 0 : -1;
}

static int set_mask(const mprof__remote_thread *remote, uint64_t mask)
{
    return ptrace(PTRACE_SETSIGMASK, remote->thread, sizeof mask, &mask) == 0 ? 0 : -1;
}

static int get_extended(mprof__remote_thread *remote)
{
    struct iovec part = {remote->extended, XSTATE_MAX};

    if (ptrace(PTRACE_GETREGSET, remote->thread, NT_X86_XSTATE, &part) != 0 ||
        part.iov_len < XSTATE_LEGACY || part.iov_len > XSTATE_MAX - 64) {
        return -1;
    }
    remote->extended_size = part.iov_len;
    return 0;
}

static int set_extended(const mprof__remote_thread *remote)
{
    struct iovec part = {remote->extended, remote->extended_size};

    return ptrace(PTRACE_SETREGSET, remote->thread, NT_X86_XSTATE, &part) == 0 ? 0 : -1;
}

static bool is_in_system_call(const struct user_regs_struct *registers)
{
    int64_t result = (int64_t)registers->rax;

    return (int64_t)registers->orig_rax >= 0 &&
           (result == -EINTR || result == -KERNEL_ERESTARTSYS || result == -KERNEL_ERESTARTNOINTR ||
            result == -KERNEL_ERESTARTNOHAND || result == -KERNEL_ERESTART_RESTARTBLOCK);
}

/* The registers with which the thread makes its system call again, if the kernel cannot continue
 * it. */
static struct user_regs_struct restarted(struct user_regs_struct registers)
{
    if (is_in_system_call(&registers)) {
        registers.rax = registers.orig_rax;
        registers.rip -= 2; /* the length of the instruction */
    }
    registers.orig_rax = UINT64_MAX;
    return registers;
}

/* The registers with which the kernel continues the system call. Some fail with EINTR at every
 * stop, which programs only expect after a signal with a handler: these are restarted, too. */
static struct user_regs_struct continued(struct user_regs_struct registers)
{
    if (is_in_system_call(&registers) && (int64_t)registers.rax == -EINTR) {
        registers.rax = (uint64_t) - (int64_t)KERNEL_ERESTARTNOHAND;
    }
    return registers;
}

/* ---- signal frame ---- */

static void fill_frame(const mprof__remote_thread *remote, signal_frame *frame)
{
    struct user_regs_struct to = restarted(remote->saved);

    memset(frame, 0, sizeof *frame);
    frame->return_address = remote->restore;
    frame->flags = FRAME_FLAGS;
    frame->stack_flags = STACK_FLAGS_INVALID;
    frame->r8 = to.r8;
    frame->r9 = to.r9;
    frame->r10 = to.r10;
    frame->r11 = to.r11;
    frame->r12 = to.r12;
    frame->r13 = to.r13;
    frame->r14 = to.r14;
    frame->r15 = to.r15;
    frame->rdi = to.rdi;
    frame->rsi = to.rsi;
    frame->rbp = to.rbp;
    frame->rbx = to.rbx;
    frame->rdx = to.rdx;
    frame->rax = to.rax;
    frame->rcx = to.rcx;
    frame->rsp = to.rsp;
    frame->rip = to.rip;
    frame->eflags = to.eflags;
    frame->cs = (uint16_t)to.cs;
    frame->ss = (uint16_t)to.ss;
    frame->floating = remote->floating;
    frame->mask = remote->mask;
}

/* Writes the extended state from ptrace, with the markers that a frame needs. */
static int write_extended(const mprof__remote_thread *remote)
{
    struct {
        uint32_t magic;
        uint32_t all_size;
        uint64_t parts;
        uint32_t size;
        uint32_t pad[7];
    } words = {XSTATE_MAGIC1,
               (uint32_t)remote->extended_size + 4,
               0,
               (uint32_t)remote->extended_size,
               {0}};
    uint8_t *bytes = malloc(remote->extended_size + 4);
    int result = -1;

    if (bytes) {
        memcpy(bytes, remote->extended, remote->extended_size);
        memcpy(&words.parts, bytes + XSTATE_MASK_OFFSET, sizeof words.parts);
        memcpy(bytes + XSTATE_MASK_OFFSET, &words, sizeof words);
        memcpy(bytes + remote->extended_size, &(uint32_t){XSTATE_MAGIC2}, 4);
        result = mprof__remote_memory_write(remote->memory, bytes, remote->extended_size + 4,
                                            remote->floating);
    }
    free(bytes);
    return result;
}

/* The stack below the red zone is unused. */
static void place_frame(mprof__remote_thread *remote)
{
    uint64_t top = (remote->saved.rsp - RED_ZONE) & ~UINT64_C(63);

    remote->floating = (top - remote->extended_size - 4) & ~UINT64_C(63);
    remote->result = remote->floating - 16;
    remote->frame = ((remote->result - sizeof(signal_frame)) & ~UINT64_C(15)) - 8;
}

static int write_frame(const mprof__remote_thread *remote)
{
    signal_frame frame;

    fill_frame(remote, &frame);
    return write_extended(remote) == 0
               ? mprof__remote_memory_write(remote->memory, &frame, sizeof frame, remote->frame)
               : -1;
}

/* ---- calls ---- */

/* Runs the thread up to the rt_sigreturn that ends the call. 0 with the result of the last system
 * call before that. */
static int run_to_return(mprof__remote_thread *remote, int64_t *last)
{
    int64_t end_ns = now_ns() + RUN_DEADLINE_NS;
    int status;

    for (;;) {
        struct user_regs_struct registers;

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
        if (get_registers(remote, &registers) != 0) {
            return -1;
        }
        if (registers.orig_rax == SYS_rt_sigreturn && registers.rsp == remote->frame + 8) {
            return 0;
        }
        *last = (int64_t)registers.rax;
    }
}

static mprof_status run(mprof__remote_thread *remote, struct user_regs_struct registers,
                        int64_t *last, mprof_error *error)
{
    uint8_t here[3];

    /* last check before anything is changed: is the code still where it was? */
    if (mprof__remote_memory_read(remote->memory, here, sizeof here, remote->system_call) != 0 ||
        memcmp(here, "\x0f\x05\xc3", sizeof here) != 0 || write_frame(remote) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "its stack has no room for a call");
    }
    remote->has_called = true;
    registers.rsp = remote->frame;
    registers.orig_rax = UINT64_MAX;
    registers.eflags &= ~UINT64_C(0x500); /* trap flag and direction flag off */
    /* in this order: a thread that we leave here still returns by its frame, with its own mask */
    if (set_registers(remote, &registers) != 0 || set_mask(remote, UINT64_MAX) != 0 ||
        run_to_return(remote, last) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "a function call inside the process failed");
    }
    return MPROF_OK;
}

mprof_status mprof__remote_thread_system_call(mprof__remote_thread *remote, int64_t *result,
                                              long number, const uint64_t arguments[6],
                                              mprof_error *error)
{
    struct user_regs_struct registers = remote->saved;

    registers.rip = remote->system_call;
    registers.rax = (uint64_t)number;
    registers.rdi = arguments[0];
    registers.rsi = arguments[1];
    registers.rdx = arguments[2];
    registers.r10 = arguments[3];
    registers.r8 = arguments[4];
    registers.r9 = arguments[5];
    *result = -EINTR;
    return run(remote, registers, result, error);
}

mprof_status mprof__remote_thread_call(mprof__remote_thread *remote, int32_t *result,
                                       uint64_t function, uint64_t first, mprof_error *error)
{
    struct user_regs_struct registers = remote->saved;
    int64_t last;

    registers.rip = function;
    registers.rdi = first;
    registers.rax = 0;
    registers.rsi = remote->result;
    mprof_status status = run(remote, registers, &last, error);
    if (status == MPROF_OK &&
        mprof__remote_memory_read(remote->memory, result, sizeof *result, remote->result) != 0) {
        status = mprof_error_set_errno(error, errno, "the memory of the process cannot be read");
    }
    return status;
}

/* ---- opening and freeing ---- */

long mprof__remote_thread_waits_in(const mprof__remote_thread *remote, uint64_t *first_argument)
{
    if (!is_in_system_call(&remote->saved)) {
        return -1;
    }
    *first_argument = remote->saved.rdi;
    return (long)remote->saved.orig_rax;
}

static mprof_status find_instructions(mprof__remote_thread *remote, const mprof__object *libc,
                                      mprof_error *error)
{
    static const uint8_t call[] = {0x0f, 0x05, 0xc3};
    static const uint8_t restore[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};

    remote->system_call = mprof__remote_memory_code(remote->memory, libc, call, sizeof call);
    remote->restore = mprof__remote_memory_code(remote->memory, libc, restore, sizeof restore);
    return remote->system_call != 0 && remote->restore != 0
               ? MPROF_OK
               : mprof_error_set(error, MPROF_EARGUMENT,
                                 "its C library is not a known version of glibc");
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
    if (get_registers(remote, &remote->saved) != 0 || get_extended(remote) != 0 ||
        ptrace(PTRACE_GETSIGMASK, remote->thread, sizeof remote->mask, &remote->mask) != 0) {
        return mprof_error_set_errno(error, errno, "its registers cannot be read");
    }
    place_frame(remote);
    return MPROF_OK;
}

mprof_status mprof__remote_thread_open(mprof__remote_thread **out, pid_t thread,
                                       const mprof__remote_memory *memory,
                                       const mprof__object *libc, mprof_error *error)
{
    mprof__remote_thread *remote = calloc(1, sizeof *remote);

    *out = NULL;
    if (!remote || !(remote->extended = calloc(1, XSTATE_MAX))) {
        free(remote);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    remote->thread = thread;
    remote->memory = memory;
    mprof_status status = find_instructions(remote, libc, error);
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
    struct user_regs_struct registers = restarted(remote->saved);

    set_mask(remote, remote->mask);
    if (set_extended(remote) != 0 || set_registers(remote, &registers) != 0 ||
        ptrace(PTRACE_INTERRUPT, remote->thread, NULL, NULL) != 0 ||
        ptrace(PTRACE_CONT, remote->thread, NULL, NULL) != 0) {
        return;
    }
    (void)wait_for_interrupt(remote);
}

void mprof__remote_thread_free(mprof__remote_thread *remote)
{
    if (!remote) {
        return;
    }
    if (remote->has_called) {
        restore_thread(remote);
    }
    struct user_regs_struct registers = continued(remote->saved);
    if (remote->saved.rsp != 0) {
        set_registers(remote, &registers);
    }
    ptrace(PTRACE_DETACH, remote->thread, NULL, NULL);
    if (remote->kept_signal != 0) {
        kill(remote->thread, remote->kept_signal);
    }
    free(remote->extended);
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
                           "functions of a running program can be recorded on x86-64 only; start "
                           "it by mprof run");
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
