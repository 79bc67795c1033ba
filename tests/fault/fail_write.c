/* Preloaded into the recorder: from the MPROF_TEST_NTH-th write to a regular file on, each fails
 * with the errno MPROF_TEST_ERRNO; of the first, MPROF_TEST_PART bytes are written. With
 * MPROF_TEST_CLOSE set, closing a written file fails instead. The recorded program is not affected.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static unsigned long writes;

static unsigned long setting(const char *name)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : 0;
}

static bool is_recorders_file(int fd)
{
    struct stat status;

    return strncmp(program_invocation_short_name, "mprof", 5) == 0 && fstat(fd, &status) == 0 &&
           S_ISREG(status.st_mode);
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*real_write)(int, const void *, size_t);
    unsigned long nth = setting("MPROF_TEST_NTH");
    unsigned long part = setting("MPROF_TEST_PART");
    void *symbol = real("write");

    memcpy(&real_write, &symbol, sizeof real_write);
    if (nth == 0 || !is_recorders_file(fd) || ++writes < nth) {
        return real_write(fd, bytes, size);
    }
    if (writes == nth && part > 0) {
        return real_write(fd, bytes, part < size ? part : size);
    }
    errno = (int)setting("MPROF_TEST_ERRNO");
    return -1;
}

EXPORT int close(int fd)
{
    int (*real_close)(int);
    bool fails = getenv("MPROF_TEST_CLOSE") && is_recorders_file(fd) && lseek(fd, 0, SEEK_CUR) > 0;
    void *symbol = real("close");
    int result;

    memcpy(&real_close, &symbol, sizeof real_close);
    result = real_close(fd);
    if (fails) {
        errno = (int)setting("MPROF_TEST_ERRNO");
        return -1;
    }
    return result;
}
