/* Loading a library allocates memory and takes locks, which the stopped thread may hold. So nothing
 * is loaded while it is stopped. It only makes two harmless calls: mmap for a page, and, from code
 * in that page, Py_AddPendingCall. The interpreter then calls that code between two bytecode
 * instructions, where extension modules may be loaded: the code loads the agent, passes it the
 * request, and unmaps its page.
 *
 * Only the main thread makes pending calls, and it may be blocked. If it waits in a system call
 * that is made without a lock of the C library, the same code is called at once, and the agent
 * starts a thread of its own that waits for the interpreter like any other.
 *
 * A child process does all of this: when it exits, the kernel detaches it from a thread that did
 * not stop in time. */
#include "inject.h"

#include "agent/events/wire.h"
#include "parse/commands/command.h"
#include "record/kernel/procfs.h"
#include "record/launch/executable.h"
#include "remote_memory.h"
#include "remote_thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AGENT_FILE "libmprof-agent.so"
#ifndef SYS_mmap
#define SYS_mmap SYS_mmap2 /* of 32 bits, where no thread can be opened */
#endif
/* A busy interpreter makes pending calls within a switch interval or two. */
#define BUSY_WAIT_MS 300
#define ANSWER_WAIT_MS 3000

/* The data of the injected code, in front of it in the page. The code uses the same offsets. */
typedef struct request {
    uint64_t page;
    uint64_t size;
    uint64_t is_initialized; /* addresses of functions of the process */
    uint64_t add_pending;
    uint64_t dlopen;
    uint64_t dlsym;
    uint64_t munmap;
    uint64_t pending;   /* mprof__entry_pending in the page */
    uint64_t library;   /* address of the path of libpython; 0: the program contains Python */
    uint64_t agent;     /* likewise: the path of the agent, */
    uint64_t symbol;    /* the name of its function, */
    uint64_t directory; /* and the arguments of that */
    uint64_t patterns;
} request;

_Static_assert(offsetof(request, is_initialized) == 16 && offsetof(request, pending) == 56 &&
                   offsetof(request, patterns) == 96,
               "the offsets of the code below");

#if defined(__x86_64__)

/* register(request, int *result): the result of Py_AddPendingCall; -2: there is no interpreter yet.
 * pending(request): called by the interpreter, which holds the GIL. direct(request): called without
 * the GIL. */
__asm__(".pushsection .rodata\n"
        "mprof__entry_code:\n"
        "mprof__entry_register:\n"
        "    push %rbx\n"
        "    push %rbp\n"
        "    push %rax\n" /* aligns the stack */
        "    mov %rdi, %rbx\n"
        "    mov %rsi, %rbp\n"
        "    call *16(%rbx)\n" /* is_initialized */
        "    test %eax, %eax\n"
        "    mov $-2, %eax\n"
        "    jz 1f\n"
        "    mov 56(%rbx), %rdi\n" /* pending */
        "    mov %rbx, %rsi\n"
        "    call *24(%rbx)\n" /* add_pending */
        "1:  mov %eax, (%rbp)\n"
        "    pop %rcx\n"
        "    pop %rbp\n"
        "    pop %rbx\n"
        "    ret\n"
        "mprof__entry_direct:\n"
        "    xor %esi, %esi\n"
        "    jmp 2f\n"
        "mprof__entry_pending:\n"
        "    mov $1, %esi\n"
        "2:  push %rbx\n"
        "    push %rbp\n"
        "    push %rax\n"
        "    mov %rdi, %rbx\n"
        "    mov %esi, %ebp\n"
        "    mov 64(%rbx), %rdi\n" /* library */
        "    test %rdi, %rdi\n"
        "    jz 3f\n"
        "    mov $0x105, %esi\n" /* RTLD_LAZY | RTLD_NOLOAD | RTLD_GLOBAL */
        "    call *32(%rbx)\n"   /* dlopen */
        "3:  mov 72(%rbx), %rdi\n"
        "    mov $2, %esi\n" /* RTLD_NOW */
        "    call *32(%rbx)\n"
        "    test %rax, %rax\n"
        "    jz 4f\n"
        "    mov %rax, %rdi\n"
        "    mov 80(%rbx), %rsi\n"
        "    call *40(%rbx)\n" /* dlsym */
        "    test %rax, %rax\n"
        "    jz 4f\n"
        "    mov 88(%rbx), %rdi\n"
        "    mov 96(%rbx), %rsi\n"
        "    mov %ebp, %edx\n"
        "    call *%rax\n"
        "4:  mov (%rbx), %rdi\n" /* tail call: munmap(page, size) returns 0 to our caller */
        "    mov 8(%rbx), %rsi\n"
        "    mov 48(%rbx), %rax\n"
        "    pop %rcx\n"
        "    pop %rbp\n"
        "    pop %rbx\n"
        "    jmp *%rax\n"
        "mprof__entry_end:\n"
        ".popsection\n");

#elif defined(__aarch64__)

/* As above. Functions are entered through x8, or by a jump through x16: pages whose indirect
 * branches are checked (BTI) allow that. */
__asm__(".pushsection .rodata\n"
        ".balign 8\n"
        "mprof__entry_code:\n"
        "mprof__entry_register:\n"
        "    stp x29, x30, [sp, #-32]!\n"
        "    stp x19, x20, [sp, #16]\n"
        "    mov x29, sp\n"
        "    mov x19, x0\n"
        "    mov x20, x1\n"
        "    ldr x8, [x19, #16]\n" /* is_initialized */
        "    blr x8\n"
        "    cbz w0, 1f\n"
        "    ldr x0, [x19, #56]\n" /* pending */
        "    mov x1, x19\n"
        "    ldr x8, [x19, #24]\n" /* add_pending */
        "    blr x8\n"
        "    b 2f\n"
        "1:  mov w0, #-2\n"
        "2:  str w0, [x20]\n"
        "    ldp x19, x20, [sp, #16]\n"
        "    ldp x29, x30, [sp], #32\n"
        "    ret\n"
        "mprof__entry_direct:\n"
        "    mov w1, #0\n"
        "    b 3f\n"
        "mprof__entry_pending:\n"
        "    mov w1, #1\n"
        "3:  stp x29, x30, [sp, #-32]!\n"
        "    stp x19, x20, [sp, #16]\n"
        "    mov x29, sp\n"
        "    mov x19, x0\n"
        "    mov w20, w1\n"
        "    ldr x0, [x19, #64]\n" /* library */
        "    cbz x0, 4f\n"
        "    mov w1, #0x105\n"     /* RTLD_LAZY | RTLD_NOLOAD | RTLD_GLOBAL */
        "    ldr x8, [x19, #32]\n" /* dlopen */
        "    blr x8\n"
        "4:  ldr x0, [x19, #72]\n"
        "    mov w1, #2\n" /* RTLD_NOW */
        "    ldr x8, [x19, #32]\n"
        "    blr x8\n"
        "    cbz x0, 5f\n"
        "    ldr x1, [x19, #80]\n"
        "    ldr x8, [x19, #40]\n" /* dlsym */
        "    blr x8\n"
        "    cbz x0, 5f\n"
        "    mov x8, x0\n"
        "    ldr x0, [x19, #88]\n"
        "    ldr x1, [x19, #96]\n"
        "    mov w2, w20\n"
        "    blr x8\n"
        "5:  ldr x0, [x19]\n" /* tail call: munmap(page, size) returns 0 to our caller */
        "    ldr x1, [x19, #8]\n"
        "    ldr x16, [x19, #48]\n"
        "    ldp x19, x20, [sp, #16]\n"
        "    ldp x29, x30, [sp], #32\n"
        "    br x16\n"
        "mprof__entry_end:\n"
        ".popsection\n");

#endif

#ifdef MPROF_HAS_REMOTE_CALLS

/* Hidden: addressed directly. Linkers cannot give a label in a section its own entry of the GOT. */
#pragma GCC visibility push(hidden)
extern const char mprof__entry_code[];
extern const char mprof__entry_register[];
extern const char mprof__entry_direct[];
extern const char mprof__entry_pending[];
extern const char mprof__entry_end[];
#pragma GCC visibility pop

#else

static const char mprof__entry_code[1];
#define mprof__entry_register mprof__entry_code
#define mprof__entry_direct mprof__entry_code
#define mprof__entry_pending mprof__entry_code
#define mprof__entry_end (mprof__entry_code + 1)

#endif

/* The same in every attempt. */
typedef struct plan {
    int64_t pid;
    const char *directory;
    const char *patterns;
    char agent[PATH_MAX];
} plan;

typedef enum way {
    BY_PENDING_CALL, /* the interpreter calls our code */
    BY_THREAD,       /* the waiting main thread calls it at once */
} way;

/* Sent by the child through a pipe. */
typedef struct outcome {
    mprof_status status;
    bool is_waiting; /* BY_THREAD: the main thread was in a wait that may be interrupted */
    mprof_error error;
} outcome;

/* ---- objects and functions of the process ---- */

typedef struct parts {
    mprof__remote_memory *memory;
    const mprof__object *libc;
    const mprof__object *loader; /* NULL: not found */
    const mprof__object *python;
    bool python_is_library;
    request functions;
} parts;

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static mprof_status find_python(parts *found, const mprof__object *objects, size_t count,
                                mprof_error *error)
{
    for (size_t i = 0; i < count && found->functions.add_pending == 0; i++) {
        bool is_library = begins_with(objects[i].name, "libpython");

        if (i == 0 || is_library || begins_with(objects[i].name, "python")) {
            found->python = &objects[i];
            found->python_is_library = is_library;
            found->functions.add_pending =
                mprof__remote_memory_symbol(found->memory, &objects[i], "Py_AddPendingCall");
        }
    }
    if (found->functions.add_pending == 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "it is not Python");
    }
    found->functions.is_initialized =
        mprof__remote_memory_symbol(found->memory, found->python, "Py_IsInitialized");
    if (found->functions.is_initialized == 0 ||
        mprof__remote_memory_symbol(found->memory, found->python, "PySys_AddAuditHook") == 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "its Python is older than 3.8");
    }
    return MPROF_OK;
}

#if defined __GLIBC__
#define OWN_LIBC "glibc"
#define OTHER_LIBC "musl"
#else
#define OWN_LIBC "musl"
#define OTHER_LIBC "glibc"
#endif

/* Alpine's names and Debian's. */
static bool is_musl(const char *name)
{
    return begins_with(name, "ld-musl") || begins_with(name, "libc.musl") ||
           strcmp(name, "libc.so") == 0;
}

/* dlopen is in libc from glibc 2.34 on, before that in libdl. musl is one object. */
static mprof_status find_libc(parts *found, const mprof__object *objects, size_t count,
                              mprof_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = objects[i].name;
        bool is_glibc = begins_with(name, "libc.so.6") || begins_with(name, "libc-2.");

        if (MPROF__LIBC_IS_MUSL ? is_glibc : is_musl(name)) {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "its C library is " OTHER_LIBC ", not " OWN_LIBC);
        }
        if (is_glibc || is_musl(name)) {
            found->libc = &objects[i];
        } else if (begins_with(name, "ld-linux") || begins_with(name, "ld-2.")) {
            found->loader = &objects[i];
        } else if (!begins_with(name, "libdl.so") && !begins_with(name, "libdl-2.")) {
            continue;
        }
        if (found->functions.dlopen == 0) {
            found->functions.dlopen =
                mprof__remote_memory_symbol(found->memory, &objects[i], "dlopen");
            found->functions.dlsym =
                mprof__remote_memory_symbol(found->memory, &objects[i], "dlsym");
        }
    }
    if (found->libc) {
        found->functions.munmap = mprof__remote_memory_symbol(found->memory, found->libc, "munmap");
    }
    if (found->functions.dlopen == 0 || found->functions.dlsym == 0 ||
        found->functions.munmap == 0) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "its C library is not a known version of " OWN_LIBC);
    }
    return MPROF_OK;
}

static mprof_status find_parts(parts *found, int64_t pid, mprof_error *error)
{
    size_t count;

    memset(found, 0, sizeof *found);
    mprof_status status = mprof__remote_memory_open(&found->memory, pid, error);
    if (status != MPROF_OK) {
        return status;
    }
    const mprof__object *objects = mprof__remote_memory_objects(found->memory, &count);
    status = find_python(found, objects, count, error);
    return status == MPROF_OK ? find_libc(found, objects, count, error) : status;
}

/* ---- the page ---- */

typedef struct page {
    char *bytes;
    size_t size;
    size_t used;
    uint64_t address; /* in the process */
} page;

/* Appends bytes. Returns their address in the process. */
static uint64_t append(page *to, const void *bytes, size_t size)
{
    size_t at = (to->used + 7) & ~(size_t)7;

    memcpy(to->bytes + at, bytes, size);
    to->used = at + size;
    return to->address + at;
}

static uint64_t append_text(page *to, const char *text)
{
    return append(to, text, strlen(text) + 1);
}

static uint64_t code_address(const page *in, const char *label)
{
    return in->address + sizeof(request) + (uint64_t)(label - mprof__entry_code);
}

static size_t page_size(const plan *made, const parts *found)
{
    size_t bytes = sizeof(request) + (size_t)(mprof__entry_end - mprof__entry_code) +
                   strlen(made->agent) + strlen(made->directory) + strlen(made->patterns) +
                   strlen(found->python->path) + 128;

    const size_t whole = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + whole - 1) & ~(whole - 1);
}

/* False: out of memory. */
static bool fill_page(page *made, const plan *wanted, const parts *found)
{
    request head = found->functions;

    made->bytes = calloc(1, made->size);
    if (!made->bytes) {
        return false;
    }
    made->used = sizeof head;
    append(made, mprof__entry_code, (size_t)(mprof__entry_end - mprof__entry_code));
    head.page = made->address;
    head.size = made->size;
    head.pending = code_address(made, mprof__entry_pending);
    head.library = found->python_is_library ? append_text(made, found->python->path) : 0;
    head.agent = append_text(made, wanted->agent);
    head.symbol = append_text(made, MPROF_WIRE_ATTACH);
    head.directory = append_text(made, wanted->directory);
    head.patterns = append_text(made, wanted->patterns);
    memcpy(made->bytes, &head, sizeof head);
    return true;
}

static mprof_status make_page(page *made, mprof__remote_thread *remote, const plan *wanted,
                              const parts *found, mprof_error *error)
{
    uint64_t arguments[6] = {0,          0, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                             UINT64_MAX, 0};
    int64_t address;

    made->size = page_size(wanted, found);
    arguments[1] = made->size;
    mprof_status status =
        mprof__remote_thread_system_call(remote, &address, SYS_mmap, arguments, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (address < 0 && address > -4096) {
        return mprof_error_set_errno(error, (int)-address,
                                     "no page could be mapped in it for the agent's code");
    }
    made->address = (uint64_t)address;
    if (!fill_page(made, wanted, found)) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (mprof__remote_memory_write(found->memory, made->bytes, made->size, made->address) != 0) {
        return mprof_error_set_errno(error, errno, "its memory cannot be written");
    }
    return MPROF_OK;
}

static void drop_page(const page *made, mprof__remote_thread *remote)
{
    uint64_t arguments[6] = {made->address, made->size, 0, 0, 0, 0};
    mprof_error ignored = MPROF_ERROR_INIT;
    int64_t result;

    if (made->address != 0) {
        (void)mprof__remote_thread_system_call(remote, &result, SYS_munmap, arguments, &ignored);
    }
}

/* ---- pending call or direct call ---- */

static mprof_status ask_interpreter(mprof__remote_thread *remote, const plan *wanted,
                                    const parts *found, mprof_error *error)
{
    page made = {NULL, 0, 0, 0};
    mprof_status status = make_page(&made, remote, wanted, found, error);
    int32_t result = -1;

    if (status == MPROF_OK) {
        status = mprof__remote_thread_call(
            remote, &result, code_address(&made, mprof__entry_register), made.address, error);
    }
    if (status == MPROF_OK && result != 0) {
        status = mprof_error_set(error, MPROF_EARGUMENT,
                                 result == -2
                                     ? "its Python is still starting; attach again later"
                                     : "its Python has too many pending calls; attach again later");
    }
    if (status != MPROF_OK) {
        drop_page(&made, remote);
    }
    free(made.bytes);
    return status;
}

static mprof_status call_directly(mprof__remote_thread *remote, const plan *wanted,
                                  const parts *found, mprof_error *error)
{
    page made = {NULL, 0, 0, 0};
    mprof_status status = make_page(&made, remote, wanted, found, error);
    int32_t unused;

    if (status == MPROF_OK) {
        status = mprof__remote_thread_call(
            remote, &unused, code_address(&made, mprof__entry_direct), made.address, error);
    } else {
        drop_page(&made, remote);
    }
    free(made.bytes);
    return status;
}

static bool is_inside(uint64_t address, const mprof__object *object)
{
    /* the object's variables follow its code */
    return object && address >= object->start && address < object->code_end + (1 << 20);
}

/* Whether the thread waits in a system call that is made without a lock of the C library. */
static bool is_harmless_wait(const mprof__remote_thread *remote, const parts *found)
{
#ifdef MPROF_HAS_REMOTE_CALLS
    static const long waits[] = {
#ifdef SYS_poll /* newer architectures only have the variants */
        SYS_poll,        SYS_select,        SYS_epoll_wait, SYS_pause,
#endif
        SYS_ppoll,       SYS_pselect6,      SYS_nanosleep,  SYS_clock_nanosleep,
        SYS_epoll_pwait, SYS_rt_sigsuspend, SYS_wait4,      SYS_waitid,
        SYS_accept,      SYS_accept4,       SYS_recvfrom,   SYS_recvmsg,
        SYS_read,        SYS_futex,         SYS_flock,      SYS_rt_sigtimedwait,
        SYS_connect,     SYS_sendto,        SYS_sendmsg,    SYS_restart_syscall,
        SYS_epoll_pwait2};
#else
    static const long waits[] = {-2};
#endif
    uint64_t first = 0;
    long number = mprof__remote_thread_waits_in(remote, &first);

    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        if (number == waits[i]) {
            /* a futex inside libc or the loader: a lock on the heap or the list of objects */
            return number != SYS_futex ||
                   (!is_inside(first, found->libc) && !is_inside(first, found->loader));
        }
    }
    return false;
}

static void attempt(outcome *became, const plan *wanted, way taken)
{
    mprof__remote_thread *remote = NULL;
    parts found;

    became->status = find_parts(&found, wanted->pid, &became->error);
    if (became->status == MPROF_OK) {
        became->status = mprof__remote_thread_open(&remote, (pid_t)wanted->pid, found.memory,
                                                   found.libc, &became->error);
    }
    if (became->status == MPROF_OK && taken == BY_PENDING_CALL) {
        became->status = ask_interpreter(remote, wanted, &found, &became->error);
    } else if (became->status == MPROF_OK) {
        became->is_waiting = is_harmless_wait(remote, &found);
        if (became->is_waiting) {
            became->status = call_directly(remote, wanted, &found, &became->error);
        }
    }
    mprof__remote_thread_free(remote);
    mprof__remote_memory_free(found.memory);
}

/* The kernel releases the process when the child exits, however that happens. */
static mprof_status attempt_in_child(outcome *became, const plan *wanted, way taken,
                                     mprof_error *error)
{
    const pid_t self = getpid();
    int ends[2];
    ssize_t got;

    memset(became, 0, sizeof *became);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return mprof_error_set_errno(error, errno, "cannot attach to the process");
    }
    pid_t child = fork();
    if (child == 0) {
        /* dies with us, so that another mprof can attach */
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != self) {
            _exit(1); /* killed before that took effect */
        }
        attempt(became, wanted, taken);
        got = write(ends[1], became, sizeof *became);
        _exit(got != (ssize_t)sizeof *became);
    }
    close(ends[1]);
    got = child > 0 ? read(ends[0], became, sizeof *became) : -1;
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    if (got != (ssize_t)sizeof *became) {
        return mprof_error_set(error, MPROF_EARGUMENT, "the process could not be attached to");
    }
    if (became->status != MPROF_OK) {
        *error = became->error;
    }
    return became->status;
}

/* ---- checks before anything is touched ---- */

/* Whether the path leads the process to the same file: it may have another root directory. */
static bool is_seen_by(int64_t pid, const char *path)
{
    char through[PATH_MAX];
    struct stat ours;
    struct stat theirs;

    return snprintf(through, sizeof through, "/proc/%lld/root%s", (long long)pid, path) <
               (int)sizeof through &&
           stat(path, &ours) == 0 && stat(through, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

/* The last number in the line of that name; -1: none. */
static int64_t number_in(const char *path, const char *name)
{
    char line[512];
    int64_t number = -1;
    FILE *file = fopen(path, "re");

    while (file && fgets(line, sizeof line, file)) {
        if (begins_with(line, name) && line[strlen(name)] == ':') {
            const char *last = strrchr(line, '\t');
            number = last ? strtoll(last, NULL, 10) : -1;
        }
    }
    if (file) {
        fclose(file);
    }
    return number;
}

static int64_t status_number(int64_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%lld/status", (long long)pid);
    return number_in(path, name);
}

/* Number of seccomp filters of a thread; older kernels only say whether there are any: then 1. */
static int64_t count_filters(const char *status_path)
{
    int64_t filters = number_in(status_path, "Seccomp_filters");

    return filters >= 0 ? filters : number_in(status_path, "Seccomp") > 0;
}

/* A filter may kill the process for a system call of the agent. Filters that apply to mprof as well
 * are those of a container and allow these calls. */
static bool is_filtered(int64_t pid)
{
    char path[PATH_MAX];
    int64_t ours = count_filters("/proc/self/status");
    bool is_more = false;
    struct dirent *one;

    snprintf(path, sizeof path, "/proc/%lld/task", (long long)pid);
    DIR *threads = opendir(path);
    while (threads && !is_more && (one = readdir(threads))) {
        snprintf(path, sizeof path, "/proc/%lld/task/%s/status", (long long)pid, one->d_name);
        is_more = number_in(path, "Seccomp") == SECCOMP_MODE_STRICT || count_filters(path) > ours;
    }
    if (threads) {
        closedir(threads);
    }
    return is_more;
}

/* Waits a while for a tracer to leave: it may be an mprof that is ending. 0: none. */
static int64_t find_tracer(int64_t pid)
{
    const struct timespec pause = {0, 10000000};
    int64_t tracer = status_number(pid, "TracerPid");

    for (int i = 0; i < 50 && tracer > 0; i++) {
        nanosleep(&pause, NULL);
        tracer = status_number(pid, "TracerPid");
    }
    return tracer;
}

static mprof_status check_process(const plan *wanted, mprof_error *error)
{
    mprof__executable file;
    mprof__procfs_stat stat;
    char path[64];
    int64_t tracer = find_tracer(wanted->pid);
    int64_t inside = status_number(wanted->pid, "NSpid");

    snprintf(path, sizeof path, "/proc/%lld/exe", (long long)wanted->pid);
    mprof__executable_inspect(&file, path, NULL);
    if (file.kind == MPROF__EXECUTABLE_STATIC) {
        return mprof_error_set(error, MPROF_EARGUMENT, "the program is statically linked");
    }
    if (file.kind == MPROF__EXECUTABLE_FOREIGN) {
        return mprof_error_set(error, MPROF_EARGUMENT, "the program is of another architecture");
    }
    if (tracer > 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "it is traced by process %lld already",
                               (long long)tracer);
    }
    if (mprof__procfs_stat_read(&stat, wanted->pid) == 0 &&
        (stat.state == 'T' || stat.state == 't')) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "it is stopped; continue it and attach again");
    }
    if (inside > 0 && inside != wanted->pid) {
        return mprof_error_set(error, MPROF_EARGUMENT, "it runs in a container");
    }
    if (is_filtered(wanted->pid)) {
        return mprof_error_set(
            error, MPROF_EARGUMENT,
            "its system calls are filtered (seccomp): those of the agent could end it");
    }
    return MPROF_OK;
}

/* Comparing files needs access to /proc/PID/root, so mprof__remote_memory_open comes first: its
 * error says more. */
static mprof_status check_files(const plan *wanted, mprof_error *error)
{
    if (!is_seen_by(wanted->pid, wanted->agent)) {
        return mprof_error_set(error, MPROF_EARGUMENT, "it cannot see the file of the agent (%s)",
                               wanted->agent);
    }
    if (!is_seen_by(wanted->pid, wanted->directory)) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "it cannot see the directory of the rings (%s)", wanted->directory);
    }
    return MPROF_OK;
}

static mprof_status check(const plan *wanted, mprof_error *error)
{
    mprof__remote_memory *memory = NULL;
    mprof_status status = check_process(wanted, error);

    if (status == MPROF_OK) {
        status = mprof__remote_memory_open(&memory, wanted->pid, error);
    }
    mprof__remote_memory_free(memory);
    return status == MPROF_OK ? check_files(wanted, error) : status;
}

/* ---- attaching ---- */

/* Sets result->is_loaded if the agent answers in time. */
static void wait_for_answer(mprof__inject_result *result, mprof__ring_folder *folder, int wait_ms)
{
    const struct timespec pause = {0, 2000000};

    for (int waited_ms = 0;; waited_ms += 2) {
        if (mprof__ring_folder_read_answer(folder, result->answer, sizeof result->answer)) {
            result->is_loaded = true;
            return;
        }
        if (waited_ms >= wait_ms) {
            return;
        }
        nanosleep(&pause, NULL);
    }
}

static mprof_status enter(mprof__inject_result *result, const plan *wanted,
                          mprof__ring_folder *folder, mprof_error *error)
{
    outcome became;
    mprof_status status = attempt_in_child(&became, wanted, BY_PENDING_CALL, error);

    if (status != MPROF_OK) {
        return status;
    }
    result->is_loaded = false;
    wait_for_answer(result, folder, BUSY_WAIT_MS);
    if (!result->is_loaded) {
        mprof_error ignored = MPROF_ERROR_INIT; /* the pending call is still there */

        if (attempt_in_child(&became, wanted, BY_THREAD, &ignored) == MPROF_OK) {
            wait_for_answer(result, folder, ANSWER_WAIT_MS);
        }
    }
    return MPROF_OK;
}

/* Tries again for a while if another mprof records the process: that one may have been killed a
 * moment ago, and its files stay open until its child has ended as well. */
static mprof_status enter_in_turn(mprof__inject_result *result, const plan *wanted,
                                  mprof__ring_folder *folder, mprof_error *error)
{
    static const long pauses_ms[] = {20, 80, 300};
    mprof_status status = enter(result, wanted, folder, error);

    for (size_t i = 0;
         i < sizeof pauses_ms / sizeof *pauses_ms && status == MPROF_OK && result->is_loaded &&
         strcmp(result->answer, MPROF_WIRE_ANSWER_NO MPROF_WIRE_BUSY) == 0;
         i++) {
        const struct timespec pause = {0, pauses_ms[i] * 1000000};

        nanosleep(&pause, NULL);
        mprof__ring_folder_remove_answer(folder);
        status = enter(result, wanted, folder, error);
    }
    return status;
}

mprof_status mprof__inject(mprof__inject_result *result, int64_t pid, mprof__ring_folder *folder,
                           const char *patterns, mprof_error *error)
{
    plan wanted = {pid, mprof__ring_folder_path(folder), patterns, ""};

    memset(result, 0, sizeof *result);
    if (mprof__installed_file(AGENT_FILE, wanted.agent, sizeof wanted.agent) != 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "the agent (%s) is not installed",
                               AGENT_FILE);
    }
    mprof_status status = check(&wanted, error);
    if (status == MPROF_OK) {
        status = enter_in_turn(result, &wanted, folder, error);
    }
    if (status == MPROF_OK && result->is_loaded &&
        begins_with(result->answer, MPROF_WIRE_ANSWER_NO)) {
        return mprof_error_set(error, MPROF_EARGUMENT, "%s",
                               result->answer + strlen(MPROF_WIRE_ANSWER_NO));
    }
    return status;
}
