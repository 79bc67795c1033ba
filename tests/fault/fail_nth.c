/* Preloaded into the recorder: one of its calls into the libc fails. It is chosen by its call site
 * and the number of the call at that site,
 *
 *     MPROF_TEST_SITE="mprof-dynamic+1a2b open" MPROF_TEST_NTH=1
 *
 * or, without a site, by its number among all wrapped calls since the start of main. The recorded
 * program is not affected. At the end a report is written to the file MPROF_TEST_REPORT: the number
 * of calls, of leaked descriptors and blocks of memory, whether a call failed, and all sites. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define SITES 1024
#define LINE 160

typedef struct site {
    const void *address;
    const char *function;
    unsigned long count;
} site;

static bool is_recorder;
static unsigned long nth;
static const char *wanted; /* the site; NULL: any */
static unsigned long calls;
static unsigned long failed;
static long blocks; /* allocated and not freed */
static long descriptors;
static site sites[SITES];

static long count_descriptors(void)
{
    long count = 0;

    for (int fd = 0; fd < 1024; fd++) {
        count += syscall(SYS_fcntl, fd, F_GETFD) >= 0;
    }
    return count;
}

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("MPROF_TEST_NTH");

    is_recorder = strcmp(program_invocation_short_name, "mprof-dynamic") == 0;
    nth = text ? strtoul(text, NULL, 10) : 0;
    wanted = getenv("MPROF_TEST_SITE");
    descriptors = count_descriptors();
}

/* "<file>+<offset in it> <function>": the same in every run. */
static void describe(char *line, const site *place)
{
    const char *name = "?";
    Dl_info info;

    memset(&info, 0, sizeof info);
    if (dladdr(place->address, &info) && info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');

        name = slash ? slash + 1 : info.dli_fname;
    }
    snprintf(line, LINE, "%s+%lx %s", name,
             (unsigned long)((uintptr_t)place->address - (uintptr_t)info.dli_fbase),
             place->function);
}

static site *find_site(const void *address, const char *function)
{
    size_t at = ((uintptr_t)address ^ (uintptr_t)function) % SITES;

    while (sites[at].function && (sites[at].address != address || sites[at].function != function)) {
        at = (at + 1) % SITES;
    }
    sites[at].address = address;
    sites[at].function = function;
    return &sites[at];
}

static bool is_wanted(const site *place)
{
    char line[LINE];

    if (!wanted) {
        return calls == nth;
    }
    if (place->count != nth) {
        return false;
    }
    describe(line, place);
    return strcmp(line, wanted) == 0;
}

/* Whether the call comes from the counters of tests/coverage, which are part of the recorder. */
static bool writes_counts(void)
{
    const char *text = getenv("MPROF_TEST_WRITES_COUNTS");

    return text && *text == '1';
}

/* Whether this call fails; sets errno to `number`. */
static bool fails(int number, const char *function, const void *address)
{
    site *place;

    if (!is_recorder || writes_counts()) {
        return false;
    }
    place = find_site(address, function);
    calls++;
    place->count++;
    if (failed || nth == 0 || !is_wanted(place)) {
        return false;
    }
    failed = 1;
    errno = number;
    return true;
}

#define FAILS(number, name) fails(number, name, __builtin_return_address(0))

static void report(int fd, const char *what, long value)
{
    dprintf(fd, "%s %ld\n", what, value);
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("MPROF_TEST_REPORT");
    long left = blocks;
    long open_now = count_descriptors() - descriptors;
    int fd;

    if (!is_recorder || !path) {
        return;
    }
    is_recorder = false;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    report(fd, "calls", (long)calls);
    report(fd, "failed", (long)failed);
    report(fd, "blocks", left);
    report(fd, "descriptors", open_now);
    for (size_t i = 0; i < SITES; i++) {
        char line[LINE];

        if (sites[i].function) {
            describe(line, &sites[i]);
            dprintf(fd, "site %lu %s\n", sites[i].count, line);
        }
    }
    syscall(SYS_close, fd);
}

/* One lookup per function; the pointer is kept. */
#define LOOKUP(name)                                                                               \
    static __typeof__(&name) real_##name(void)                                                     \
    {                                                                                              \
        static __typeof__(&name) found;                                                            \
        if (!found) {                                                                              \
            void *symbol = dlsym(RTLD_NEXT, #name);                                                \
            memcpy(&found, &symbol, sizeof found);                                                 \
        }                                                                                          \
        return found;                                                                              \
    }

#define WRAP(type, name, parameters, arguments, failure, number)                                   \
    LOOKUP(name)                                                                                   \
    EXPORT type name parameters                                                                    \
    {                                                                                              \
        if (FAILS(number, #name)) {                                                                \
            return failure;                                                                        \
        }                                                                                          \
        return real_##name() arguments;                                                            \
    }

/* dlsym allocates memory, so the allocator calls the libc's internal entry points. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void __libc_free(void *block);

static void *note_block(void *block)
{
    blocks += block != NULL && !writes_counts();
    return block;
}

EXPORT void *malloc(size_t size)
{
    return FAILS(ENOMEM, "malloc") ? NULL : note_block(__libc_malloc(size));
}

EXPORT void *calloc(size_t count, size_t size)
{
    return FAILS(ENOMEM, "calloc") ? NULL : note_block(__libc_calloc(count, size));
}

EXPORT void *realloc(void *block, size_t size)
{
    if (FAILS(ENOMEM, "realloc")) {
        return NULL;
    }
    return block ? __libc_realloc(block, size) : note_block(__libc_realloc(NULL, size));
}

EXPORT void free(void *block)
{
    blocks -= block != NULL && !writes_counts();
    __libc_free(block);
}

/* A failed close(2) has closed the descriptor. */
LOOKUP(close)
EXPORT int close(int fd)
{
    int result = real_close()(fd);

    return FAILS(EIO, "close") ? -1 : result;
}

WRAP(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size), -1, EIO)
WRAP(ssize_t, pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1, EIO)
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1,
     EIO)
WRAP(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), -1, ENOSPC)
WRAP(DIR *, opendir, (const char *path), (path), NULL, EMFILE)
WRAP(DIR *, fdopendir, (int fd), (fd), NULL, ENOMEM)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, ENOSPC)
WRAP(int, mkfifoat, (int at, const char *path, mode_t mode), (at, path, mode), -1, ENOSPC)
WRAP(int, linkat, (int from, const char *old, int to, const char *new, int flags),
     (from, old, to, new, flags), -1, ENOSPC)
WRAP(int, fstat, (int fd, struct stat *status), (fd, status), -1, EIO)
WRAP(int, lstat, (const char *restrict path, struct stat *restrict status), (path, status), -1, EIO)
WRAP(int, inotify_init1, (int flags), (flags), -1, EMFILE)
WRAP(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask), -1,
     ENOSPC)
WRAP(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags), -1, EMFILE)
WRAP(int, sigprocmask, (int how, const sigset_t *restrict set, sigset_t *restrict before),
     (how, set, before), -1, EINVAL)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1, EMFILE)
WRAP(int, epoll_create1, (int flags), (flags), -1, EMFILE)
WRAP(int, epoll_ctl, (int list, int operation, int fd, struct epoll_event *event),
     (list, operation, fd, event), -1, ENOMEM)
WRAP(int, ppoll,
     (struct pollfd * polls, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
     (polls, count, timeout, mask), -1, EINTR)
WRAP(pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage),
     (pid, status, options, usage), -1, EINTR)
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options),
     -1, EINTR)

LOOKUP(open)
EXPORT int open(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode = 0;

    if (FAILS(EMFILE, "open")) {
        return -1;
    }
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    return real_open()(path, flags, mode);
}

LOOKUP(openat)
EXPORT int openat(int at, const char *path, int flags, ...)
{
    va_list list;
    mode_t mode = 0;

    if (FAILS(EMFILE, "openat")) {
        return -1;
    }
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    return real_openat()(at, path, flags, mode);
}

WRAP(int, execve, (const char *path, char *const argv[], char *const environment[]),
     (path, argv, environment), -1, E2BIG)
WRAP(int, execv, (const char *path, char *const argv[]), (path, argv), -1, E2BIG)
WRAP(int, stat, (const char *restrict path, struct stat *restrict status), (path, status), -1, EIO)
WRAP(int, fstatat, (int at, const char *restrict path, struct stat *restrict status, int flags),
     (at, path, status, flags), -1, EIO)
WRAP(int, access, (const char *path, int mode), (path, mode), -1, EACCES)
WRAP(int, bind, (int fd, __CONST_SOCKADDR_ARG address, socklen_t size), (fd, address, size), -1,
     EADDRINUSE)
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size), -1, ENOMEM)
WRAP(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags),
     -1, ENOBUFS)
WRAP(int, recvmmsg,
     (int fd, struct mmsghdr *headers, unsigned count, int flags, struct timespec *timeout),
     (fd, headers, count, flags, timeout), -1, ENOBUFS)
WRAP(int, getrlimit, (__rlimit_resource_t which, struct rlimit *limit), (which, limit), -1, EINVAL)
WRAP(int, setrlimit, (__rlimit_resource_t which, const struct rlimit *limit), (which, limit), -1,
     EPERM)
WRAP(int, getrusage, (__rusage_who_t who, struct rusage *usage), (who, usage), -1, EINVAL)
WRAP(int, sigaction,
     (int number, const struct sigaction *restrict action, struct sigaction *restrict before),
     (number, action, before), -1, EINVAL)
WRAP(int, gethostname, (char *name, size_t size), (name, size), -1, ENAMETOOLONG)
WRAP(int, setenv, (const char *name, const char *value, int replace), (name, value, replace), -1,
     ENOMEM)
WRAP(int, kill, (pid_t pid, int number), (pid, number), -1, EPERM)
WRAP(int, flock, (int fd, int operation), (fd, operation), -1, EWOULDBLOCK)
WRAP(int, symlinkat, (const char *target, int at, const char *path), (target, at, path), -1, ENOSPC)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1, EACCES)
WRAP(int, link, (const char *from, const char *to), (from, to), -1, EACCES)
WRAP(int, unlink, (const char *path), (path), -1, EACCES)
WRAP(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), -1, EACCES)
WRAP(int, rmdir, (const char *path), (path), -1, EBUSY)
WRAP(ssize_t, readlink, (const char *restrict path, char *restrict text, size_t size),
     (path, text, size), -1, EACCES)
WRAP(char *, realpath, (const char *restrict path, char *restrict text), (path, text), NULL, ENOENT)
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), -1, EINTR)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), -1, EIO)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1, EMFILE)
WRAP(int, poll, (struct pollfd * polls, nfds_t count, int timeout), (polls, count, timeout), -1,
     EINTR)

/* A function that calls vfork(2) must not return before the child has executed or exited, so this
 * one jumps to the libc's. */
#ifdef __x86_64__
static int fails_vfork(const void *address) __attribute__((used));
static int fails_vfork(const void *address)
{
    return fails(EAGAIN, "vfork", address);
}

static void *real_vfork __attribute__((used));
__attribute__((constructor)) static void find_vfork(void)
{
    real_vfork = dlsym(RTLD_NEXT, "vfork");
}

EXPORT __attribute__((naked)) pid_t vfork(void)
{
    __asm__("movq (%rsp), %rdi\n\t"
            "subq $8, %rsp\n\t"
            "call fails_vfork\n\t"
            "addq $8, %rsp\n\t"
            "testl %eax, %eax\n\t"
            "jne 1f\n\t"
            "jmp *real_vfork(%rip)\n"
            "1:\tmovl $-1, %eax\n\t"
            "ret");
}
#endif
