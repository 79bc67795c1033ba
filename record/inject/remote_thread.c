/* Owns a thread of another process for some moments.
 *
 * Its registers are saved twice: here, and on its own stack, as the frame of a signal handler. The
 * borrowed function is entered as if that frame's handler were called, so that its return leads,
 * through the C library's __restore_rt, to rt_sigreturn(2), which puts everything back. Should we
 * be killed at any moment, the thread does that by itself. As long as we live we stop it in front
 * of that system call and put its registers back ourselves: then the kernel also knows the system
 * call it was waiting in, and continues it as after any stop, with the time that is left of it and
 * without EINTR. Signals that come meanwhile are held back until then. */
#include "remote_thread.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
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

/* A thread that does not stop within this time sleeps uninterruptibly. */
#define STOP_DEADLINE_NS INT64_C(3000000000)
#define RUN_DEADLINE_NS INT64_C(10000000000)
#define RED_ZONE 128 /* bytes below the stack pointer that a function may use without asking */
#define XSTATE_MAX 32768
#define XSTATE_MASK_OFFSET 464 /* where ptrace tells which parts there are, and a frame says so */
#define XSTATE_MAGIC1 UINT32_C(0x46505853)
#define XSTATE_MAGIC2 UINT32_C(0x46505845)
#define XSTATE_LEGACY 576 /* the least that is more than the x87 and SSE state */

/* Errors inside of the kernel, by which a system call says how it is to be continued. */
enum {
    KERNEL_ERESTARTSYS = 512,
    KERNEL_ERESTARTNOINTR = 513,
    KERNEL_ERESTARTNOHAND = 514,
    KERNEL_ERESTART_RESTARTBLOCK = 516,
};

/* As rt_sigreturn finds it: struct rt_sigframe of the kernel, up to what it reads. */
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

#define FRAME_FLAGS 7           /* extended state, ss is saved, ss is to be restored exactly */
#define STACK_FLAGS_INVALID 0x4 /* the alternate stack is refused, and so stays what it is */

struct mprof__remote_thread {
    pid_t thread;
    const mprof__remote_memory *memory;
    uint64_t system_call; /* "syscall; ret" */
    uint64_t restore;     /* __restore_rt */
    struct user_regs_struct saved;
    uint64_t mask;
    uint8_t *extended;
    size_t extended_size;
    uint64_t floating; /* addresses on its stack: of the extended state, */
    uint64_t result;   /* of a place for a result, */
    uint64_t frame;    /* and of the signal frame */
    int is_borrowed;   /* something was called */
    int kept_signal;   /* came meanwhile and could not be held back */
};

/* --- stops --- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Waits for the next stop. 0, or -1: it ended, or the time is over. */
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

static int is_our_stop(int status)
{
    return status >> 8 == (SIGTRAP | PTRACE_EVENT_STOP << 8);
}

/* Goes on until the stop that PTRACE_INTERRUPT asked for; signals on the way are delivered. */
static int wait_for_interrupt(const mprof__remote_thread *remote)
{
    int status;

    for (;;) {
        if (wait_for_stop(remote, &status, STOP_DEADLINE_NS) != 0) {
            return -1;
        }
        if (is_our_stop(status)) {
            return 0;
        }
        if (status >> 16 == PTRACE_EVENT_STOP) {
            return -1; /* stopped by its user */
        }
        long signal_number = status >> 16 == 0 && !(WSTOPSIG(status) & 0x80) ? WSTOPSIG(status) : 0;
        if (ptrace(PTRACE_CONT, remote->thread, NULL, signal_number) != 0) {
            return -1;
        }
    }
}

/* --- registers --- */

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

static int is_in_system_call(const struct user_regs_struct *registers)
{
    int64_t result = (int64_t)registers->rax;

    return (int64_t)registers->orig_rax >= 0 &&
           (result == -EINTR || result == -KERNEL_ERESTARTSYS || result == -KERNEL_ERESTARTNOINTR ||
            result == -KERNEL_ERESTARTNOHAND || result == -KERNEL_ERESTART_RESTARTBLOCK);
}

/* What the thread goes on with if the kernel is not to continue its system call: it is begun anew.
 */
static struct user_regs_struct begun_anew(struct user_regs_struct registers)
{
    if (is_in_system_call(&registers)) {
        registers.rax = registers.orig_rax;
        registers.rip -= 2; /* the length of the instruction */
    }
    registers.orig_rax = UINT64_MAX;
    return registers;
}

/* And if it is: some of them give up at every stop with EINTR, which programs know from signals
 * with a handler only. */
static struct user_regs_struct continued(struct user_regs_struct registers)
{
    if (is_in_system_call(&registers) && (int64_t)registers.rax == -EINTR) {
        registers.rax = (uint64_t) - (int64_t)KERNEL_ERESTARTNOHAND;
    }
    return registers;
}

/* --- the frame --- */

static void fill_frame(const mprof__remote_thread *remote, signal_frame *frame)
{
    struct user_regs_struct to = begun_anew(remote->saved);

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

/* The extended state as ptrace gives it, with the words around it by which a frame is known. */
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

/* Everything below the red zone is nobody's. */
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

/* --- calls --- */

/* Runs the thread up to the rt_sigreturn that ends the call. 0 with what the last system call
 * before it gave. */
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
                remote->kept_signal = WSTOPSIG(status); /* SIGSTOP: nothing else comes through */
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

    /* nothing has been touched yet: is all this still where it was? */
    if (mprof__remote_memory_read(remote->memory, here, sizeof here, remote->system_call) != 0 ||
        memcmp(here, "\x0f\x05\xc3", sizeof here) != 0 || write_frame(remote) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "there is no room on the stack");
    }
    remote->is_borrowed = 1;
    registers.rsp = remote->frame;
    registers.orig_rax = UINT64_MAX;
    registers.eflags &= ~UINT64_C(0x500); /* no single steps, and strings run upwards */
    /* in this order: one that is left alone here still returns by its frame, with its mask */
    if (set_registers(remote, &registers) != 0 || set_mask(remote, UINT64_MAX) != 0 ||
        run_to_return(remote, last) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "a call inside of the process failed");
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
    mprof_status status;
    int64_t last;

    registers.rip = function;
    registers.rdi = first;
    registers.rax = 0;
    registers.rsi = remote->result;
    status = run(remote, registers, &last, error);
    if (status == MPROF_OK &&
        mprof__remote_memory_read(remote->memory, result, sizeof *result, remote->result) != 0) {
        status = mprof_error_set_errno(error, errno, "the process cannot be read");
    }
    return status;
}

/* --- begin and end --- */

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
               : mprof_error_set(error, MPROF_EARGUMENT, "its C library is of no kind known here");
}

static mprof_status stop(mprof__remote_thread *remote, mprof_error *error)
{
    if (ptrace(PTRACE_SEIZE, remote->thread, NULL, PTRACE_O_TRACESYSGOOD) != 0) {
        return mprof_error_set_errno(error, errno, "the process may not be traced");
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
    mprof_status status;

    *out = NULL;
    if (!remote || !(remote->extended = calloc(1, XSTATE_MAX))) {
        free(remote);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    remote->thread = thread;
    remote->memory = memory;
    status = find_instructions(remote, libc, error);
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

/* From in front of rt_sigreturn to where the thread was. Each step leaves it able to go on alone.
 */
static void put_back(const mprof__remote_thread *remote)
{
    struct user_regs_struct registers = begun_anew(remote->saved);

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
    struct user_regs_struct registers;

    if (!remote) {
        return;
    }
    if (remote->is_borrowed) {
        put_back(remote);
    }
    registers = continued(remote->saved);
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
                           "a running program is entered on x86-64 only; start it by mprof run");
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
    return mprof_error_set(error, MPROF_EARGUMENT, "not on this machine");
}

mprof_status mprof__remote_thread_call(mprof__remote_thread *remote, int32_t *result,
                                       uint64_t function, uint64_t first, mprof_error *error)
{
    (void)remote;
    (void)result;
    (void)function;
    (void)first;
    return mprof_error_set(error, MPROF_EARGUMENT, "not on this machine");
}

void mprof__remote_thread_free(mprof__remote_thread *remote)
{
    (void)remote;
}

#endif
