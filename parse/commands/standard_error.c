/* In glibc stderr is a variable: another stream takes its place. In other C libraries it is
 * constant: there the descriptor leads to a file in memory. */
#include "standard_error.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef __GLIBC__

static struct {
    FILE *stream;
    FILE *before;
    char *text;
    size_t size;
} held;

bool mprof__standard_error_hold(void)
{
    held.stream = open_memstream(&held.text, &held.size);
    if (!held.stream) {
        return false;
    }
    held.before = stderr;
    stderr = held.stream;
    return true;
}

char *mprof__standard_error_release(void)
{
    stderr = held.before;
    if (fclose(held.stream) != 0) {
        free(held.text);
        held.text = NULL;
    }
    return held.text;
}

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    int file;
    int before; /* a copy of the descriptor */
} held;

bool mprof__standard_error_hold(void)
{
    held.before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    held.file = held.before >= 0 ? memfd_create("stderr", MFD_CLOEXEC) : -1;
    if (held.file >= 0 && dup2(held.file, STDERR_FILENO) == STDERR_FILENO) {
        return true;
    }
    if (held.file >= 0) {
        close(held.file);
    }
    if (held.before >= 0) {
        close(held.before);
    }
    return false;
}

char *mprof__standard_error_release(void)
{
    struct stat status;
    char *text = NULL;

    fflush(stderr);
    dup2(held.before, STDERR_FILENO);
    close(held.before);
    if (fstat(held.file, &status) == 0) {
        text = calloc(1, (size_t)status.st_size + 1);
    }
    if (text && pread(held.file, text, (size_t)status.st_size, 0) < 0) {
        *text = '\0';
    }
    close(held.file);
    return text;
}

#endif
