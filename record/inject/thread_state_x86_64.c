/* A thread of x86-64: its frame returns through the C library's __restore_rt. */
#include "thread_state.h"

#if defined(__x86_64__)

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#define RED_ZONE 128 /* bytes below the stack pointer that the ABI lets a function use */
#define XSTATE_MAX 32768
#define XSTATE_MASK_OFFSET 464 /* of the mask of state components, for ptrace and in a frame */
#define XSTATE_MAGIC1 UINT32_C(0x46505853)
#define XSTATE_MAGIC2 UINT32_C(0x46505845)
#define XSTATE_LEGACY 576 /* x87 and SSE state with the header */

static const uint8_t CALL_CODE[] = {0x0f, 0x05, 0xc3};

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

struct mprof__thread_state {
    pid_t thread;
    const mprof__remote_memory *memory;
    uint64_t system_call; /* "syscall; ret" */
    uint64_t restore;     /* __restore_rt */
    struct user_regs_struct saved;
    uint8_t *extended;
    size_t extended_size;
    uint64_t floating; /* addresses on its stack: the extended state, */
    uint64_t result;   /* an int for the result, */
    uint64_t frame;    /* and the signal frame */
};

/* ---- registers ---- */

static int get_registers(const mprof__thread_state *state, struct user_regs_struct *registers)
{
    return ptrace(PTRACE_GETREGS, state->thread, NULL, registers) == 0 ? 0 : -1;
}

static int set_registers(const mprof__thread_state *state, const struct user_regs_struct *registers)
{
    return ptrace(PTRACE_SETREGS, state->thread, NULL, registers) == 0 ? 0 : -1;
}

static int set_mask(const mprof__thread_state *state, uint64_t mask)
{
    return ptrace(PTRACE_SETSIGMASK, state->thread, sizeof mask, &mask) == 0 ? 0 : -1;
}

static int get_extended(mprof__thread_state *state)
{
    struct iovec part = {state->extended, XSTATE_MAX};

    if (ptrace(PTRACE_GETREGSET, state->thread, NT_X86_XSTATE, &part) != 0 ||
        part.iov_len < XSTATE_LEGACY || part.iov_len > XSTATE_MAX - 64) {
        return -1;
    }
    state->extended_size = part.iov_len;
    return 0;
}

static int set_extended(const mprof__thread_state *state)
{
    struct iovec part = {state->extended, state->extended_size};

    return ptrace(PTRACE_SETREGSET, state->thread, NT_X86_XSTATE, &part) == 0 ? 0 : -1;
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

static void fill_frame(const mprof__thread_state *state, signal_frame *frame, uint64_t mask)
{
    struct user_regs_struct to = restarted(state->saved);

    memset(frame, 0, sizeof *frame);
    frame->return_address = state->restore;
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
    frame->floating = state->floating;
    frame->mask = mask;
}

/* Writes the extended state from ptrace, with the markers that a frame needs. */
static int write_extended(const mprof__thread_state *state)
{
    struct {
        uint32_t magic;
        uint32_t all_size;
        uint64_t parts;
        uint32_t size;
        uint32_t pad[7];
    } words = {
        XSTATE_MAGIC1, (uint32_t)state->extended_size + 4, 0, (uint32_t)state->extended_size, {0}};
    uint8_t *bytes = malloc(state->extended_size + 4);
    int result = -1;

    if (bytes) {
        memcpy(bytes, state->extended, state->extended_size);
        memcpy(&words.parts, bytes + XSTATE_MASK_OFFSET, sizeof words.parts);
        memcpy(bytes + XSTATE_MASK_OFFSET, &words, sizeof words);
        memcpy(bytes + state->extended_size, &(uint32_t){XSTATE_MAGIC2}, 4);
        result = mprof__remote_memory_write(state->memory, bytes, state->extended_size + 4,
                                            state->floating);
    }
    free(bytes);
    return result;
}

/* The stack below the red zone is unused. */
static void place_frame(mprof__thread_state *state)
{
    uint64_t top = (state->saved.rsp - RED_ZONE) & ~UINT64_C(63);

    state->floating = (top - state->extended_size - 4) & ~UINT64_C(63);
    state->result = state->floating - 16;
    state->frame = ((state->result - sizeof(signal_frame)) & ~UINT64_C(15)) - 8;
}

static int check_code(const mprof__thread_state *state)
{
    uint8_t here[sizeof CALL_CODE];

    return mprof__remote_memory_read(state->memory, here, sizeof here, state->system_call) == 0 &&
                   memcmp(here, CALL_CODE, sizeof here) == 0
               ? 0
               : -1;
}

int mprof__thread_state_write_frame(const mprof__thread_state *state, uint64_t mask)
{
    signal_frame frame;

    fill_frame(state, &frame, mask);
    return check_code(state) == 0 && write_extended(state) == 0
               ? mprof__remote_memory_write(state->memory, &frame, sizeof frame, state->frame)
               : -1;
}

/* ---- calls ---- */

static int start(const mprof__thread_state *state, struct user_regs_struct *registers)
{
    registers->rsp = state->frame;
    registers->orig_rax = UINT64_MAX;
    registers->eflags &= ~UINT64_C(0x500); /* trap flag and direction flag off */
    return set_registers(state, registers);
}

int mprof__thread_state_start_call(const mprof__thread_state *state, uint64_t function,
                                   const uint64_t arguments[2])
{
    struct user_regs_struct registers = state->saved;

    registers.rip = function;
    registers.rdi = arguments[0];
    registers.rsi = arguments[1];
    registers.rax = 0;
    return start(state, &registers);
}

int mprof__thread_state_start_system_call(const mprof__thread_state *state, long number,
                                          const uint64_t arguments[6])
{
    struct user_regs_struct registers = state->saved;

    registers.rip = state->system_call;
    registers.rax = (uint64_t)number;
    registers.rdi = arguments[0];
    registers.rsi = arguments[1];
    registers.rdx = arguments[2];
    registers.r10 = arguments[3];
    registers.r8 = arguments[4];
    registers.r9 = arguments[5];
    return start(state, &registers);
}

int mprof__thread_state_has_returned(const mprof__thread_state *state, int64_t *result)
{
    struct user_regs_struct registers;

    if (get_registers(state, &registers) != 0) {
        return -1;
    }
    if (registers.orig_rax == SYS_rt_sigreturn && registers.rsp == state->frame + 8) {
        return 1;
    }
    *result = (int64_t)registers.rax;
    return 0;
}

uint64_t mprof__thread_state_result_address(const mprof__thread_state *state)
{
    return state->result;
}

long mprof__thread_state_waits_in(const mprof__thread_state *state, uint64_t *first_argument)
{
    if (!is_in_system_call(&state->saved)) {
        return -1;
    }
    *first_argument = state->saved.rdi;
    return (long)state->saved.orig_rax;
}

/* ---- saving and restoring ---- */

mprof_status mprof__thread_state_save(mprof__thread_state *state, mprof_error *error)
{
    if (get_registers(state, &state->saved) != 0 || get_extended(state) != 0) {
        return mprof_error_set_errno(error, errno, "its registers cannot be read");
    }
    place_frame(state);
    return MPROF_OK;
}

int mprof__thread_state_leave_call(const mprof__thread_state *state, uint64_t mask)
{
    struct user_regs_struct registers = restarted(state->saved);

    set_mask(state, mask);
    return set_extended(state) == 0 ? set_registers(state, &registers) : -1;
}

/* leave_call has restored all but the interrupted system call. */
int mprof__thread_state_continue(const mprof__thread_state *state, bool has_called, uint64_t mask)
{
    struct user_regs_struct registers = continued(state->saved);

    (void)has_called;
    (void)mask;
    return set_registers(state, &registers);
}

/* ---- creating and freeing ---- */

static mprof_status find_instructions(mprof__thread_state *state, const mprof__object *libc,
                                      mprof_error *error)
{
    static const uint8_t restore[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};

    state->system_call =
        mprof__remote_memory_code(state->memory, libc, CALL_CODE, sizeof CALL_CODE);
    state->restore = mprof__remote_memory_code(state->memory, libc, restore, sizeof restore);
    return state->system_call != 0 && state->restore != 0
               ? MPROF_OK
               : mprof_error_set(error, MPROF_EARGUMENT,
                                 "its C library is not a known version of glibc");
}

mprof_status mprof__thread_state_new(mprof__thread_state **out, pid_t thread,
                                     const mprof__remote_memory *memory, const mprof__object *libc,
                                     mprof_error *error)
{
    mprof__thread_state *state = calloc(1, sizeof *state);

    *out = NULL;
    if (!state || !(state->extended = calloc(1, XSTATE_MAX))) {
        free(state);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    state->thread = thread;
    state->memory = memory;
    mprof_status status = find_instructions(state, libc, error);
    if (status != MPROF_OK) {
        mprof__thread_state_free(state);
        return status;
    }
    *out = state;
    return MPROF_OK;
}

void mprof__thread_state_free(mprof__thread_state *state)
{
    if (state) {
        free(state->extended);
        free(state);
    }
}

#endif
