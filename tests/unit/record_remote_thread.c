/* Calls in a thread of another process, which has to go on as if nothing had happened. The process
 * is a fork of this one, so that it has the called functions at the same addresses. */
#include "record/inject/remote_thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef MPROF_HAS_REMOTE_CALLS

#define WAIT_NS 600000000
#define PAUSE_NS 20000000
/* A wait that began anew after each call would outlast all of them. */
#define CALLS_MAX 100

typedef struct shared {
    volatile int is_ready;
    volatile int end;       /* set by the test */
    volatile int is_over;   /* set by a program that has nothing more to do */
    volatile int calls;     /* of called() */
    volatile int is_inside; /* called_for_long() runs, */
    volatile int may_leave; /* until this is set */
} shared;

static shared *board;

static void rest(long ns)
{
    const struct timespec span = {0, ns};

    nanosleep(&span, NULL);
}

/* ---- called in the process ---- */

/* Changes what functions may change. */
static void use_registers(void)
{
#if defined(__x86_64__)
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm15, %%xmm15\n\tstd\n\tcld"
                     :
                     :
                     : "xmm0", "xmm15", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
                       "cc");
#else
    __asm__ volatile("movi v0.16b, #255\n\tmovi v8.16b, #255\n\tmovi v31.16b, #255\n\t"
                     "mov x7, #-1\n\tmov x8, #-1\n\tmov x16, #-1\n\tmov x17, #-1"
                     :
                     :
                     : "v0", "v8", "v31", "x7", "x8", "x16", "x17");
#endif
}

static void called(uint64_t first, int32_t *result)
{
    use_registers();
    board->calls++;
    *result = (int32_t)first + 1;
}

static void called_for_long(uint64_t first, int32_t *result)
{
    board->is_inside = 1;
    while (!board->may_leave) {
        rest(1000000);
    }
    use_registers();
    board->is_inside = 0;
    *result = (int32_t)first;
}

/* ---- programs: true if nothing was changed ---- */

static bool keep_registers(void)
{
    const float number = 1.5F;
    volatile int *end = &board->end;
    uint32_t kept = 0;
    uint64_t changed = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx")) {
        __asm__ volatile("vbroadcastss %2, %%ymm15\n"
                         "1: cmpl $0, %3\n\tje 1b\n\t"
                         "vextractf128 $1, %%ymm15, %%xmm14\n\tvmovd %%xmm14, %0"
                         : "=r"(kept), "+r"(changed)
                         : "m"(number), "m"(*end)
                         : "xmm14", "xmm15", "cc");
    } else {
        __asm__ volatile("movss %2, %%xmm15\n1: cmpl $0, %3\n\tje 1b\n\tmovd %%xmm15, %0"
                         : "=r"(kept), "+r"(changed)
                         : "m"(number), "m"(*end)
                         : "xmm15", "cc");
    }
#else
    __asm__ volatile(
        "ldr s8, %2\n\tmov x7, #77\n\tmov x8, #78\n\tmov x16, #79\n\tmov x17, #80\n"
        "1: ldr w9, %3\n\tcbz w9, 1b\n\tfmov %w0, s8\n\t"
        "sub x7, x7, #77\n\tsub x8, x8, #78\n\tsub x16, x16, #79\n\tsub x17, x17, #80\n\t"
        "orr x7, x7, x8\n\torr x16, x16, x17\n\torr %1, x7, x16"
        : "=&r"(kept), "=&r"(changed)
        : "Q"(number), "Q"(*end)
        : "v8", "x7", "x8", "x9", "x16", "x17", "cc");
#endif
    return changed == 0 && memcmp(&kept, &number, sizeof kept) == 0;
}

#if defined(__aarch64__)

/* All bytes of two scalable registers, however long these are, and a predicate. */
static bool keep_vectors(void)
{
    volatile int *end = &board->end;
    uint64_t changed = 0;

    if (!(getauxval(AT_HWCAP) & HWCAP_SVE)) {
        return keep_registers();
    }
    __asm__ volatile(".arch_extension sve\n\t"
                     "ptrue p1.b\n\tindex z8.b, #1, #3\n\tindex z31.b, #2, #5\n"
                     "1: ldr w9, %1\n\tcbz w9, 1b\n\t"
                     "cntp x10, p1, p1.b\n\tcntb x11\n\tsub %0, x10, x11\n\t"
                     "index z1.b, #1, #3\n\tcmpne p2.b, p1/z, z8.b, z1.b\n\tcinc %0, %0, ne\n\t"
                     "index z1.b, #2, #5\n\tcmpne p2.b, p1/z, z31.b, z1.b\n\tcinc %0, %0, ne"
                     : "=&r"(changed)
                     : "Q"(*end)
                     : "v1", "v8", "v31", "x9", "x10", "x11", "cc");
    return changed == 0;
}

#else
#define keep_vectors keep_registers
#endif

static bool pause_always(void)
{
    while (!board->end) {
        rest(1000000);
    }
    return true;
}

static bool sleep_once(void)
{
    const struct timespec span = {0, WAIT_NS};
    int result = nanosleep(&span, NULL);

    return result == 0;
}

static bool wait_for_futex(void)
{
    const struct timespec span = {0, WAIT_NS};
    int word = 0;
    long result = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &span, NULL, 0);

    return result == -1 && errno == ETIMEDOUT;
}

static bool wait_for_futex_for_long(void)
{
    const struct timespec span = {3600, 0};
    int word = 0;

    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &span, NULL, 0);
    return false;
}

/* These fail with EINTR at a stop by other tracers. */
static bool wait_for_others(void)
{
    const struct timeval span = {0, PAUSE_NS / 2000};
    int poll = epoll_create1(0);
    struct epoll_event event;
    bool is_unchanged = true;
    int ends[2];
    char byte;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span) != 0) {
        return false;
    }
    while (!board->end && is_unchanged) {
        is_unchanged = epoll_wait(poll, &event, 1, PAUSE_NS / 2000000) == 0 &&
                       recv(ends[0], &byte, 1, 0) == -1 && errno == EAGAIN;
    }
    return is_unchanged;
}

static const struct program {
    const char *name;
    bool (*run)(void);
    bool ends;            /* after WAIT_NS */
    bool can_be_deserted; /* goes on unchanged if the recorder is killed */
} programs[] = {
    {"keeps registers", keep_registers, false, true},
    {"keeps vector registers", keep_vectors, false, true},
    {"sleeps again and again", pause_always, false, true},
    {"sleeps once", sleep_once, true, false},
    {"waits for a futex", wait_for_futex, true, false},
    {"waits in calls that a stop interrupts", wait_for_others, false, false},
};

/* ---- the recorder's side ---- */

static pid_t start_program(const struct program *program)
{
    memset(board, 0, sizeof *board);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        board->is_ready = 1;
        bool is_unchanged = program->run();
        board->is_over = 1;
        _exit(is_unchanged && pause_always() ? 0 : 1);
    }
    while (!board->is_ready) {
        rest(1000000);
    }
    return pid;
}

static void end_program(const char *name, pid_t pid)
{
    int status = 0;

    board->end = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0) {
        fail_msg("the program that %s: status %x", name, (unsigned)status);
    }
}

typedef struct attached {
    mprof__remote_memory *memory;
    mprof__remote_thread *thread;
} attached;

static void attach(attached *to, pid_t pid)
{
    mprof_error error = MPROF_ERROR_INIT;
    const mprof__object *libc = NULL;
    size_t count;

    assert_int_equal(mprof__remote_memory_open(&to->memory, pid, &error), MPROF_OK);
    const mprof__object *objects = mprof__remote_memory_objects(to->memory, &count);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(objects[i].name, "libc.so", 7) == 0 ||
            strncmp(objects[i].name, "libc-", 5) == 0) {
            libc = &objects[i];
        }
    }
    assert_non_null(libc);
    if (mprof__remote_thread_open(&to->thread, pid, to->memory, libc, &error) != MPROF_OK) {
        fail_msg("%s", error.message);
    }
}

static void detach(attached *from)
{
    mprof__remote_thread_free(from->thread);
    mprof__remote_memory_free(from->memory);
}

static void make_calls(pid_t pid)
{
    const uint64_t none[6] = {UINT64_MAX};
    mprof_error error = MPROF_ERROR_INIT;
    int before = board->calls;
    int64_t number = 0;
    int32_t result = 0;
    attached to;

    attach(&to, pid);
    assert_int_equal(mprof__remote_thread_system_call(to.thread, &number, SYS_getpid, none, &error),
                     MPROF_OK);
    assert_int_equal(number, pid);
    assert_int_equal(
        mprof__remote_thread_call(to.thread, &result, (uint64_t)(uintptr_t)&called, 41, &error),
        MPROF_OK);
    assert_int_equal(result, 42);
    assert_int_equal(board->calls, before + 1);
    assert_int_equal(mprof__remote_thread_system_call(to.thread, &number, SYS_close, none, &error),
                     MPROF_OK);
    assert_int_equal(number, -EBADF);
    detach(&to);
}

static bool can_trace(void)
{
    pid_t pid = start_program(&programs[0]);
    bool can = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;

    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
    return can;
}

static void test_programs_go_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const struct program *program = &programs[i];
        int calls = 0;

        print_message("%s\n", program->name);
        pid_t pid = start_program(program);
        while (calls < (program->ends ? CALLS_MAX : 10) && !board->is_over) {
            make_calls(pid);
            calls++;
            rest(PAUSE_NS);
        }
        assert_true(calls > 0);
        assert_int_equal(board->is_over, program->ends);
        end_program(program->name, pid);
    }
}

/* A recorder that is killed while the function runs. */
static void desert(pid_t pid)
{
    pid_t recorder = fork();

    if (recorder == 0) {
        mprof_error error = MPROF_ERROR_INIT;
        int32_t result;
        attached to;

        attach(&to, pid);
        (void)mprof__remote_thread_call(to.thread, &result, (uint64_t)(uintptr_t)&called_for_long,
                                        1, &error);
        pause();
        _exit(0);
    }
    while (!board->is_inside) {
        assert_int_equal(waitpid(recorder, NULL, WNOHANG), 0);
        rest(1000000);
    }
    kill(recorder, SIGKILL);
    waitpid(recorder, NULL, 0);
    board->may_leave = 1;
    while (board->is_inside) {
        rest(1000000);
    }
    board->may_leave = 0;
}

static void test_deserted_programs_go_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (programs[i].can_be_deserted) {
            print_message("%s\n", programs[i].name);
            pid_t pid = start_program(&programs[i]);
            for (int k = 0; k < 5; k++) {
                desert(pid);
            }
            make_calls(pid);
            end_program(programs[i].name, pid);
        }
    }
}

/* What the thread waits in decides whether a function may be called at once. */
static void test_waits(void **state)
{
    static const struct {
        struct program program;
        long number;
    } waits[] = {{{"keeps registers", keep_registers, false, false}, -1},
                 {{"waits for a futex", wait_for_futex_for_long, false, false}, SYS_futex}};

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        pid_t pid = start_program(&waits[i].program);
        uint64_t first = 0;
        long number = -2;

        for (int k = 0; k < CALLS_MAX && number != waits[i].number; k++) {
            attached to;

            rest(PAUSE_NS); /* the program may not have come to its wait */
            attach(&to, pid);
            number = mprof__remote_thread_waits_in(to.thread, &first);
            detach(&to);
        }
        assert_int_equal(number, waits[i].number);
        assert_true(number == -1 || first != 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_go_on),
        cmocka_unit_test(test_deserted_programs_go_on),
        cmocka_unit_test(test_waits),
    };

    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!can_trace()) {
        puts("SKIPPED remote_thread: no process can be traced here");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77;
}

#endif
