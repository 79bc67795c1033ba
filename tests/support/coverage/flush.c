/* Linked into each instrumented program and library: writes the counts of lines and branches where
 * the process ends or executes another program without the destructors that would write them. The
 * preload shim exports a list of these functions: it also sees what Python calls. */
#include "flush.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern void __gcov_dump(void);
extern void __gcov_reset(void);

#pragma weak mprof_coverage_register
#pragma weak mprof_coverage_forget

extern void __real__exit(int code) __attribute__((noreturn));
extern int __real_raise(int number);
extern int __real_execve(const char *path, char *const arguments[], char *const environment[]);
extern int __real_execv(const char *path, char *const arguments[]);

void __wrap__exit(int code) __attribute__((noreturn));
int __wrap_raise(int number);
int __wrap_execve(const char *path, char *const arguments[], char *const environment[]);
int __wrap_execv(const char *path, char *const arguments[]);

/* A process whose files may not grow would leave damaged counts. */
static bool may_write(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return true;
    }
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
    return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/* Read by tests/fault/fail_nth.c: calls into libc that write counts do not fail. */
static char writing[] = "MPROF_TEST_WRITES_COUNTS=0";

__attribute__((constructor)) static void announce(void)
{
    if (getenv("MPROF_TEST_REPORT")) {
        putenv(writing);
    }
}

/* Keeps what gcc's runtime reports out of the output of the program. False: descriptors are too
 * few, so counts cannot be written either. */
static bool silence(int *error_fd)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    *error_fd = nowhere >= 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
    if (nowhere >= 0 && (*error_fd >= 0 || errno == EBADF)) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
        return true;
    }
    if (nowhere >= 0) {
        close(nowhere);
    }
    return false;
}

/* Other users of the same test add to the files. */
static void write_counts(void)
{
    mode_t mask = umask(0);

    if (!may_write()) {
        setenv("GCOV_PREFIX", "/dev/null", 1);
    }
    __gcov_dump();
    umask(mask);
}

/* The counts begin at 0 again: a child of vfork(2) has the same as its parent, which continues. */
void mprof__coverage_flush(void)
{
    int kept_errno = errno;
    int error_fd;

    writing[sizeof writing - 2] = '1';
    if (silence(&error_fd)) {
        write_counts();
        __gcov_reset();
        if (error_fd >= 0) {
            dup2(error_fd, STDERR_FILENO);
            close(error_fd);
        } else {
            close(STDERR_FILENO);
        }
    }
    writing[sizeof writing - 2] = '0';
    errno = kept_errno;
}

__attribute__((constructor)) static void enter_list(void)
{
    if (mprof_coverage_register) {
        mprof_coverage_register(mprof__coverage_flush);
    }
}

__attribute__((destructor)) static void leave_list(void)
{
    int error_fd;

    if (mprof_coverage_forget) {
        mprof_coverage_forget(mprof__coverage_flush);
    }
    writing[sizeof writing - 2] = '1';
    if (!silence(&error_fd)) {
        close(STDERR_FILENO); /* it ends anyway */
    } else if (error_fd >= 0) {
        close(error_fd);
    }
    write_counts(); /* they are not written again */
}

void __wrap__exit(int code)
{
    mprof__coverage_flush();
    __real__exit(code);
}

/* The recorder ends by the signal that ended its program. */
int __wrap_raise(int number)
{
    mprof__coverage_flush();
    return __real_raise(number);
}

int __wrap_execve(const char *path, char *const arguments[], char *const environment[])
{
    mprof__coverage_flush();
    return __real_execve(path, arguments, environment);
}

int __wrap_execv(const char *path, char *const arguments[])
{
    mprof__coverage_flush();
    return __real_execv(path, arguments);
}
