/* A thread of aarch64: its frame returns through __kernel_rt_sigreturn in the kernel's vDSO.
 *
 * Before a tracer sees the stop, the kernel has prepared the restart of an interrupted system call:
 * the registers are those in front of the instruction, and nothing says how the call ended. So what
 * the thread waits in is read from /proc before it is stopped (docs/decisions/0088). */
#include "thread_state.h"

#if defined(__aarch64__)

#include <asm/sigcontext.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define INSTRUCTION_BYTES 4
#define BRANCH_TYPE UINT64_C(0xc00) /* in pstate: of the indirect branch just taken */
#define ALTERNATE_STACK_INVALID 4   /* so rt_sigreturn leaves the alternate stack as it is */
#define VECTORS_MAX 32768
#define TERMINATOR_BYTES 16
/* The thread is watched for this long before it is stopped. */
#define WATCH_TIMES 100
#define WATCH_PAUSE_NS 200000
#define CALLS_SEEN 16

/* Newer than the headers of older systems. */
#define REGISTERS_SVE 0x405
#define REGISTERS_STREAMING_SVE 0x40b
#define REGISTERS_SHADOW_STACK 0x410

static const uint32_t CALL_CODE[] = {0xd4000001, 0xd65f03c0};    /* svc #0; ret */
static const uint32_t RESTORE_CODE[] = {0xd2801168, 0xd4000001}; /* mov x8, #139; svc #0 */

/* The kernel's struct user_sve_header. The vector registers follow if `flags` is odd. */
typedef struct vector_header {
    uint32_t size;
    uint32_t max_size;
    uint16_t vector_bytes;
    uint16_t max_vector_bytes;
    uint16_t flags;
    uint16_t reserved;
} vector_header;

/* The kernel's struct rt_sigframe. Records of other registers begin in its last field, and may
 * continue behind it. */
typedef struct signal_frame {
    siginfo_t information;
    ucontext_t context;
} signal_frame;

#define RECORDS_OFFSET offsetof(signal_frame, context.uc_mcontext.__reserved)

/* What /proc/PID/syscall says of a waiting thread. */
typedef struct waiting_call {
    long number;
    uint64_t arguments[6];
    uint64_t stack;
    uint64_t code;
} waiting_call;

struct mprof__thread_state {
    pid_t thread;
    const mprof__remote_memory *memory;
    uint64_t system_call;          /* addresses of CALL_CODE */
    uint64_t restore;              /* and RESTORE_CODE */
    waiting_call seen[CALLS_SEEN]; /* before the stop */
    size_t seen_count;
    struct user_regs_struct saved;
    bool is_in_call;    /* the saved registers are those in front of a system call */
    bool is_in_timeout; /* of a system call that the kernel continues with the remaining time, */
    bool is_corrected;  /* or fails with EINTR at every stop */
    struct user_fpsimd_struct floating;
    uint8_t *vectors; /* a vector_header and registers */
    size_t vectors_bytes;
    uint64_t result; /* addresses on its stack: an int for the result, */
    uint64_t frame;  /* and the signal frame */
};

/* ---- registers ---- */

static int get_set(const mprof__thread_state *state, int set, void *bytes, size_t *size)
{
    struct iovec part = {bytes, *size};

    if (ptrace(PTRACE_GETREGSET, state->thread, set, &part) != 0) {
        return -1;
    }
    *size = part.iov_len;
    return 0;
}

static int put_set(const mprof__thread_state *state, int set, const void *bytes, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)bytes, size};

    return ptrace(PTRACE_SETREGSET, state->thread, set, &part) == 0 ? 0 : -1;
}

static int get_registers(const mprof__thread_state *state, struct user_regs_struct *registers)
{
    size_t size = sizeof *registers;

    return get_set(state, NT_PRSTATUS, registers, &size);
}

/* The thread does not make the system call at whose entry it is stopped. */
static int set_registers(const mprof__thread_state *state, const struct user_regs_struct *registers)
{
    const int none = -1;

    return put_set(state, NT_ARM_SYSTEM_CALL, &none, sizeof none) == 0
               ? put_set(state, NT_PRSTATUS, registers, sizeof *registers)
               : -1;
}

static bool has_vectors(const mprof__thread_state *state)
{
    vector_header header;

    memcpy(&header, state->vectors, sizeof header);
    return state->vectors_bytes > sizeof header && (header.flags & 1);
}

static int get_extended(mprof__thread_state *state)
{
    size_t size = sizeof state->floating;

    if (get_set(state, NT_PRFPREG, &state->floating, &size) != 0) {
        return -1;
    }
    state->vectors_bytes = VECTORS_MAX;
    if (get_set(state, REGISTERS_SVE, state->vectors, &state->vectors_bytes) != 0) {
        state->vectors_bytes = 0; /* the processor has none */
    }
    return 0;
}

static int set_extended(const mprof__thread_state *state)
{
    return has_vectors(state)
               ? put_set(state, REGISTERS_SVE, state->vectors, state->vectors_bytes)
               : put_set(state, NT_PRFPREG, &state->floating, sizeof state->floating);
}

/* ---- signal frame ---- */

static size_t vector_record_bytes(const mprof__thread_state *state)
{
    vector_header header;

    memcpy(&header, state->vectors, sizeof header);
    return (SVE_SIG_CONTEXT_SIZE(sve_vq_from_vl(header.vector_bytes)) + 15) & ~(size_t)15;
}

static size_t frame_bytes(const mprof__thread_state *state)
{
    size_t size = RECORDS_OFFSET + sizeof(struct fpsimd_context) + TERMINATOR_BYTES;

    return has_vectors(state)
               ? size + sizeof(struct extra_context) + vector_record_bytes(state) + TERMINATOR_BYTES
               : size;
}

/* The records that follow `at`, the address of which in the process is `address`. Those of the
 * vector registers may be larger than the frame's field, so they come behind its end mark. */
static void fill_vectors(const mprof__thread_state *state, uint8_t *at, uint64_t address)
{
    const size_t before = sizeof(struct extra_context) + TERMINATOR_BYTES;
    const size_t record_bytes = vector_record_bytes(state);
    const size_t given = state->vectors_bytes - sizeof(vector_header);
    const size_t wanted = record_bytes - SVE_SIG_REGS_OFFSET;
    vector_header header;
    struct extra_context extra = {{EXTRA_MAGIC, sizeof extra},
                                  address + before,
                                  (uint32_t)(record_bytes + TERMINATOR_BYTES),
                                  {0}};
    struct sve_context vectors;

    memcpy(&header, state->vectors, sizeof header);
    memset(&vectors, 0, sizeof vectors);
    vectors.head.magic = SVE_MAGIC;
    vectors.head.size = (uint32_t)record_bytes;
    vectors.vl = header.vector_bytes;
    memcpy(at, &extra, sizeof extra);
    memcpy(at + before, &vectors, sizeof vectors);
    memcpy(at + before + SVE_SIG_REGS_OFFSET, state->vectors + sizeof header,
           given < wanted ? given : wanted);
}

/* Fills zeroed bytes. */
static void fill_frame(const mprof__thread_state *state, uint8_t *bytes, uint64_t mask)
{
    struct fpsimd_context floating;
    signal_frame head;

    memset(&head, 0, sizeof head);
    memset(&floating, 0, sizeof floating);
    head.context.uc_stack.ss_flags = ALTERNATE_STACK_INVALID;
    memcpy(&head.context.uc_sigmask, &mask, sizeof mask);
    memcpy(head.context.uc_mcontext.regs, state->saved.regs, sizeof state->saved.regs);
    head.context.uc_mcontext.sp = state->saved.sp;
    head.context.uc_mcontext.pc = state->saved.pc;
    head.context.uc_mcontext.pstate = state->saved.pstate;
    floating.head.magic = FPSIMD_MAGIC;
    floating.head.size = sizeof floating;
    floating.fpsr = state->floating.fpsr;
    floating.fpcr = state->floating.fpcr;
    memcpy(floating.vregs, state->floating.vregs, sizeof floating.vregs);
    memcpy(bytes, &head, RECORDS_OFFSET);
    memcpy(bytes + RECORDS_OFFSET, &floating, sizeof floating);
    if (has_vectors(state)) {
        fill_vectors(state, bytes + RECORDS_OFFSET + sizeof floating,
                     state->frame + RECORDS_OFFSET + sizeof floating);
    }
}

static void place_frame(mprof__thread_state *state)
{
    state->result = (state->saved.sp & ~UINT64_C(15)) - 16;
    state->frame = (state->result - frame_bytes(state)) & ~UINT64_C(15);
}

static bool is_code(const mprof__thread_state *state, uint64_t address, const uint32_t code[],
                    size_t size)
{
    uint32_t here[2];

    return mprof__remote_memory_read(state->memory, here, size, address) == 0 &&
           memcmp(here, code, size) == 0;
}

int mprof__thread_state_write_frame(const mprof__thread_state *state, uint64_t mask)
{
    const size_t size = frame_bytes(state);
    uint8_t *bytes = calloc(1, size);
    int result = -1;

    if (bytes && is_code(state, state->system_call, CALL_CODE, sizeof CALL_CODE) &&
        is_code(state, state->restore, RESTORE_CODE, sizeof RESTORE_CODE)) {
        fill_frame(state, bytes, mask);
        result = mprof__remote_memory_write(state->memory, bytes, size, state->frame);
    }
    free(bytes);
    return result;
}

/* ---- calls ---- */

/* The program's own landing pads for indirect branches are not checked for code that we enter. */
static int start(const mprof__thread_state *state, struct user_regs_struct *registers)
{
    registers->sp = state->frame;
    registers->regs[30] = state->restore;
    registers->pstate &= ~BRANCH_TYPE;
    return set_registers(state, registers);
}

int mprof__thread_state_start_call(const mprof__thread_state *state, uint64_t function,
                                   const uint64_t arguments[2])
{
    struct user_regs_struct registers = state->saved;

    registers.pc = function;
    memcpy(registers.regs, arguments, 2 * sizeof *arguments);
    return start(state, &registers);
}

int mprof__thread_state_start_system_call(const mprof__thread_state *state, long number,
                                          const uint64_t arguments[6])
{
    struct user_regs_struct registers = state->saved;

    registers.pc = state->system_call;
    registers.regs[8] = (uint64_t)number;
    memcpy(registers.regs, arguments, 6 * sizeof *arguments);
    return start(state, &registers);
}

int mprof__thread_state_has_returned(const mprof__thread_state *state, int64_t *result)
{
    struct user_regs_struct registers;
    int number = -1;
    size_t size = sizeof number;

    if (get_set(state, NT_ARM_SYSTEM_CALL, &number, &size) != 0 ||
        get_registers(state, &registers) != 0) {
        return -1;
    }
    if (number == SYS_rt_sigreturn && registers.sp == state->frame) {
        return 1;
    }
    *result = (int64_t)registers.regs[0];
    return 0;
}

uint64_t mprof__thread_state_result_address(const mprof__thread_state *state)
{
    return state->result;
}

/* ---- interrupted system calls ---- */

/* "number argument... stack-pointer program-counter". False: the thread does not wait. */
static bool parse_waiting_call(waiting_call *call, const char *line)
{
    unsigned long long words[8];

    memset(call, 0, sizeof *call);
    if (sscanf(line, "%ld %llx %llx %llx %llx %llx %llx %llx %llx", &call->number, &words[0],
               &words[1], &words[2], &words[3], &words[4], &words[5], &words[6], &words[7]) != 9) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        call->arguments[i] = words[i];
    }
    call->stack = words[6];
    call->code = words[7];
    return call->number >= 0;
}

static void add_call(mprof__thread_state *state, const waiting_call *call)
{
    for (size_t i = 0; i < state->seen_count && i < CALLS_SEEN; i++) {
        if (memcmp(&state->seen[i], call, sizeof *call) == 0) {
            return;
        }
    }
    state->seen[state->seen_count++ % CALLS_SEEN] = *call;
}

/* The thread may leave a call and enter the next one between a reading and the stop, so all calls
 * of some milliseconds are kept: most programs repeat them. */
static void watch_calls(mprof__thread_state *state)
{
    const struct timespec pause = {0, WATCH_PAUSE_NS};
    waiting_call call;
    char path[64];
    char line[256];

    snprintf(path, sizeof path, "/proc/%d/syscall", (int)state->thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < WATCH_TIMES; i++) {
        nanosleep(&pause, NULL);
        ssize_t size = pread(fd, line, sizeof line - 1, 0);
        line[size > 0 ? size : 0] = '\0';
        if (parse_waiting_call(&call, line)) {
            add_call(state, &call);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* The first argument is compared only if its register does not hold a result. */
static bool is_call(const waiting_call *call, const struct user_regs_struct *registers,
                    bool has_result)
{
    const uint64_t behind = registers->pc + (has_result ? 0 : INSTRUCTION_BYTES);

    return (uint64_t)call->number == registers->regs[8] && call->stack == registers->sp &&
           call->code == behind &&
           memcmp(&call->arguments[1], &registers->regs[1], 5 * sizeof(uint64_t)) == 0 &&
           (has_result || call->arguments[0] == registers->regs[0]);
}

/* The call that was seen with these registers. NULL: none, or some that differ. */
static const waiting_call *find_seen(const mprof__thread_state *state, bool has_result)
{
    const waiting_call *found = NULL;

    for (size_t i = 0; i < state->seen_count && i < CALLS_SEEN; i++) {
        if (is_call(&state->seen[i], &state->saved, has_result)) {
            if (found) {
                return NULL;
            }
            found = &state->seen[i];
        }
    }
    return found;
}

/* Whether the kernel continues the call by restart_syscall(2), which knows when it has to end. */
static bool is_continued(const waiting_call *call)
{
    switch (call->number) {
    case SYS_restart_syscall:
    case SYS_nanosleep:
        return true;
    case SYS_clock_nanosleep:
        return !(call->arguments[1] & TIMER_ABSTIME);
    case SYS_futex:
        return ((int)call->arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT && call->arguments[3] != 0;
    default:
        return false;
    }
}

/* Some calls fail with EINTR at every stop, which programs only expect after a signal with a
 * handler: these are restarted, too. */
static void find_call(mprof__thread_state *state)
{
    struct user_regs_struct *saved = &state->saved;
    const bool has_result = !is_code(state, saved->pc, CALL_CODE, INSTRUCTION_BYTES);
    const waiting_call *call = find_seen(state, has_result);

    state->is_in_call = !has_result;
    if (!has_result) {
        state->is_in_timeout = call && is_continued(call);
    } else if ((int64_t)saved->regs[0] == -EINTR && call) {
        saved->regs[0] = call->arguments[0];
        saved->pc -= INSTRUCTION_BYTES;
        state->is_in_call = true;
        state->is_corrected = true;
    }
}

long mprof__thread_state_waits_in(const mprof__thread_state *state, uint64_t *first_argument)
{
    if (!state->is_in_call) {
        return -1;
    }
    *first_argument = state->saved.regs[0];
    return (long)state->saved.regs[8];
}

/* ---- saving and restoring ---- */

/* States in which an ordinary function may not be called, or rt_sigreturn would need more. */
static mprof_status check_modes(const mprof__thread_state *state, mprof_error *error)
{
    uint64_t shadow[3] = {0};
    vector_header header;
    size_t size = sizeof header;

    if (get_set(state, REGISTERS_STREAMING_SVE, &header, &size) == 0 && (header.flags & 1)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "it is in streaming mode (SME); attach again later");
    }
    size = sizeof shadow;
    if (get_set(state, REGISTERS_SHADOW_STACK, shadow, &size) == 0 && (shadow[0] & 1)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "its return addresses are guarded (GCS); start it by mprof run");
    }
    return MPROF_OK;
}

mprof_status mprof__thread_state_save(mprof__thread_state *state, mprof_error *error)
{
    mprof_status status = check_modes(state, error);

    if (status != MPROF_OK) {
        return status;
    }
    if (get_registers(state, &state->saved) != 0 || get_extended(state) != 0) {
        return mprof_error_set_errno(error, errno, "its registers cannot be read");
    }
    find_call(state);
    place_frame(state);
    return MPROF_OK;
}

/* At the entry of a system call the kernel keeps x7 from us, so the registers are not restored
 * here. The thread is sent to rt_sigreturn again, which it does not reach if we are not killed. */
int mprof__thread_state_leave_call(const mprof__thread_state *state, uint64_t mask)
{
    struct user_regs_struct registers = state->saved;

    (void)mask; /* in the frame */
    registers.pc = state->restore;
    return start(state, &registers);
}

int mprof__thread_state_continue(const mprof__thread_state *state, bool has_called, uint64_t mask)
{
    struct user_regs_struct registers = state->saved;

    if (!has_called) { /* the kernel continues the system call by itself */
        return state->is_corrected ? put_set(state, NT_PRSTATUS, &registers, sizeof registers) : 0;
    }
    if (state->is_in_timeout) {
        registers.regs[8] = SYS_restart_syscall;
    }
    if (set_extended(state) != 0 || set_registers(state, &registers) != 0) {
        return -1;
    }
    return ptrace(PTRACE_SETSIGMASK, state->thread, sizeof mask, &mask) == 0 ? 0 : -1;
}

/* ---- creating and freeing ---- */

static mprof_status find_instructions(mprof__thread_state *state, const mprof__object *libc,
                                      mprof_error *error)
{
    size_t count;
    const mprof__object *objects = mprof__remote_memory_objects(state->memory, &count);

    state->system_call =
        mprof__remote_memory_code(state->memory, libc, CALL_CODE, sizeof CALL_CODE);
    for (size_t i = 0; i < count && state->restore == 0; i++) {
        if (strcmp(objects[i].name, MPROF__OBJECT_VDSO) == 0) {
            state->restore = mprof__remote_memory_code(state->memory, &objects[i], RESTORE_CODE,
                                                       sizeof RESTORE_CODE);
        }
    }
    if (state->system_call == 0) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "its C library is not a known version of glibc");
    }
    return state->restore != 0 ? MPROF_OK
                               : mprof_error_set(error, MPROF_EARGUMENT,
                                                 "its vDSO is missing, or not a known version");
}

mprof_status mprof__thread_state_new(mprof__thread_state **out, pid_t thread,
                                     const mprof__remote_memory *memory, const mprof__object *libc,
                                     mprof_error *error)
{
    mprof__thread_state *state = calloc(1, sizeof *state);

    *out = NULL;
    if (!state || !(state->vectors = calloc(1, VECTORS_MAX))) {
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
    watch_calls(state);
    *out = state;
    return MPROF_OK;
}

void mprof__thread_state_free(mprof__thread_state *state)
{
    if (state) {
        free(state->vectors);
        free(state);
    }
}

#endif
