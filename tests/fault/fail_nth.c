/* Preloaded into the recorder: one of its calls into the libc fails, the MPROF_TEST_NTH-th of those
 * below, counted from the start of main. The program that is recorded is left alone. With
 * MPROF_TEST_COUNT naming a file, how many there were is written there at the end. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_recorder;
static unsigned long nth;
static unsigned long calls;

#define EXPORT __attribute__((visibility("default")))

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("MPROF_TEST_NTH");

    is_recorder = strcmp(program_invocation_short_name, "mprof-dynamic") == 0;
    nth = text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("MPROF_TEST_COUNT");
    FILE *file;

    if (is_recorder && path) {
        is_recorder = 0;
        file = fopen(path, "w");
        if (file) {
            fprintf(file, "%lu\n", calls);
            fclose(file);
        }
    }
}

/* 1 if this call is the one to fail, with that errno. */
static int fails(int number)
{
    if (!is_recorder || ++calls != nth) {
        return 0;
    }
    errno = number;
    return 1;
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
        if (fails(number)) {                                                                       \
            return failure;                                                                        \
        }                                                                                          \
        return real_##name() arguments;                                                            \
    }

/* dlsym itself allocates: the allocator goes to the libc's own entry points. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

EXPORT void *malloc(size_t size)
{
    return fails(ENOMEM) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return fails(ENOMEM) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *block, size_t size)
{
    return fails(ENOMEM) ? NULL : __libc_realloc(block, size);
}

WRAP(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size), -1, EIO)
WRAP(ssize_t, pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1, EIO)
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1,
     EIO)
WRAP(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), -1, ENOSPC)
WRAP(int, close, (int fd), (fd), -1, EIO)
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

    if (fails(EMFILE)) {
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

    if (fails(EMFILE)) {
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
