/* Preloaded into mprof-draw: raises the signal MPROF_TEST_SIGNAL after each write to a regular
 * file, or with MPROF_TEST_AT=rename before it renames one. With MPROF_TEST_NAMED set, unnamed
 * files (O_TMPFILE) are not supported, as on many file systems. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void interrupt(const char *place)
{
    const char *number = getenv("MPROF_TEST_SIGNAL"), *at = getenv("MPROF_TEST_AT");

    if (number && strcmp(at ? at : "write", place) == 0) {
        raise(atoi(number));
    }
}

EXPORT ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*real_write)(int, const void *, size_t);
    struct stat status;
    ssize_t wrote;

    *(void **)&real_write = real("write");
    wrote = real_write(fd, bytes, size);
    if (fd > STDERR_FILENO && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        interrupt("write");
    }
    return wrote;
}

EXPORT int rename(const char *from, const char *to)
{
    int (*real_rename)(const char *, const char *);

    *(void **)&real_rename = real("rename");
    interrupt("rename");
    return real_rename(from, to);
}

EXPORT int open(const char *path, int flags, ...)
{
    int (*real_open)(const char *, int, ...);
    va_list arguments;
    int mode;

    va_start(arguments, flags);
    bool is_new = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    mode = is_new ? va_arg(arguments, int) : 0;
    va_end(arguments);
    if ((flags & O_TMPFILE) == O_TMPFILE && getenv("MPROF_TEST_NAMED")) {
        errno = EOPNOTSUPP;
        return -1;
    }
    *(void **)&real_open = real("open");
    return real_open(path, flags, mode);
}
