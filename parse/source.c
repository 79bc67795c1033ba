/* Input from a file, a pipe, or memory. Refuses devices without end and pipes without a writer, so
 * that no command hangs. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mprof_source {
    char *name;
    int fd;            /* owned; -1 for memory */
    const char *bytes; /* memory: borrowed */
    size_t size;
    size_t position;
    uint64_t limit_offset, limit_size; /* the part that is read */
    unsigned long limit_line;          /* its first line */
    uint64_t read_count;               /* bytes since the last rewind */
    bool is_seekable;
    off_t start;    /* offset of a seekable descriptor when it was opened */
    int kept_fd;    /* owned; copy of the bytes of a pipe; -1: not kept */
    bool replays;   /* read kept_fd up to its end, then fd */
    bool has_first; /* `first` was read to see whether a FIFO has a writer */
    char first;
};

static mprof_source *new_source(const char *name)
{
    mprof_source *source = calloc(1, sizeof *source);
    if (source) {
        source->fd = -1;
        source->kept_fd = -1;
        source->limit_size = UINT64_MAX;
        source->limit_line = 1;
        source->name = strdup(name);
        if (!source->name) {
            free(source);
            source = NULL;
        }
    }
    return source;
}

void mprof_source_free(mprof_source *source)
{
    if (!source) {
        return;
    }
    if (source->fd >= 0) {
        close(source->fd);
    }
    if (source->kept_fd >= 0) {
        close(source->kept_fd);
    }
    free(source->name);
    free(source);
}

const char *mprof__source_name(const mprof_source *source)
{
    return source->name;
}

size_t mprof__source_size(const mprof_source *source, size_t most)
{
    uint64_t size = source->limit_size;
    if (source->fd < 0 && source->size < size) {
        size = source->size;
    }
    return size < most ? (size_t)size : most;
}

void mprof__source_limit(mprof_source *source, uint64_t offset, uint64_t size, unsigned long line)
{
    source->limit_line = line;
    source->limit_offset = offset;
    source->limit_size = size;
}

unsigned long mprof__source_line(const mprof_source *source)
{
    return source->limit_line;
}

static int open_descriptor(const char *path)
{
    if (strcmp(path, "-") == 0) {
        return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    }
    /* O_NONBLOCK: opening a FIFO without a writer would block. */
    return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* A FIFO without a writer is at its end at once. */
static mprof_status check_fifo(mprof_source *source, mprof_error *error)
{
    ssize_t count;
    do {
        count = read(source->fd, &source->first, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 0) {
        return mprof_error_set(error, MPROF_EFORMAT, "is a pipe without a writer");
    }
    if (count < 0 && errno != EAGAIN) {
        return mprof_error_set_errno(error, errno, "cannot read");
    }
    source->has_first = count == 1;
    return MPROF_OK;
}

static mprof_status check_kind(mprof_source *source, bool is_stdin, mprof_error *error)
{
    struct stat status;
    if (fstat(source->fd, &status) != 0) {
        return mprof_error_set_errno(error, errno, "cannot read");
    }
    if (S_ISDIR(status.st_mode)) {
        return mprof_error_set(error, MPROF_EFORMAT, "is a directory, not a recording");
    }
    if (S_ISBLK(status.st_mode) || (S_ISCHR(status.st_mode) && !isatty(source->fd))) {
        return mprof_error_set(error, MPROF_EFORMAT, "is a device, not a recording");
    }
    if (S_ISREG(status.st_mode)) {
        source->start = lseek(source->fd, 0, SEEK_CUR);
        source->is_seekable = source->start >= 0;
    } else if (S_ISFIFO(status.st_mode) && !is_stdin) {
        return check_fifo(source, error);
    }
    return MPROF_OK;
}

static mprof_status open_source(mprof_source *source, const char *path, mprof_error *error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    source->fd = open_descriptor(path);
    if (source->fd < 0) {
        int number = errno;
        mprof_error_set_errno(error, number, "cannot open");
        if (number == ENOENT || number == ENOTDIR) {
            if (error) {
                error->status = MPROF_ENOTFOUND;
            }
            return MPROF_ENOTFOUND;
        }
        return MPROF_EIO;
    }
    return check_kind(source, is_stdin, error);
}

mprof_status mprof_source_open(mprof_source **out, const char *path, mprof_error *error)
{
    mprof_source *source = new_source(strcmp(path, "-") == 0 ? "<stdin>" : path);
    *out = source;
    if (!source) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof_status result = open_source(source, path, error);
    if (result != MPROF_OK) {
        mprof_error_at(error, source->name, 0);
        mprof_source_free(source);
        *out = NULL;
    }
    return result;
}

mprof_status mprof_source_open_memory(mprof_source **out, const void *bytes, size_t size,
                                      const char *name, mprof_error *error)
{
    mprof_source *source = new_source(name);
    *out = source;
    if (!source) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    source->bytes = bytes;
    source->size = size;
    return MPROF_OK;
}

int mprof_source_can_rewind(const mprof_source *source)
{
    return source->fd < 0 || source->is_seekable || source->kept_fd >= 0;
}

mprof_status mprof_source_rewind(mprof_source *source, mprof_error *error)
{
    int fd = source->kept_fd >= 0 ? source->kept_fd : source->fd;
    off_t start = source->kept_fd >= 0 ? 0 : source->start;
    start += (off_t)source->limit_offset;
    source->position =
        source->limit_offset < source->size ? (size_t)source->limit_offset : source->size;
    source->read_count = 0;
    source->replays = source->kept_fd >= 0;
    if (fd >= 0 && lseek(fd, start, SEEK_SET) < 0) {
        mprof_error_set_errno(error, errno, "cannot be read a second time");
        mprof_error_at(error, source->name, 0);
        return MPROF_EIO;
    }
    return MPROF_OK;
}

int mprof__scratch_open(void)
{
    const char *directory = getenv("TMPDIR");
    int fd =
        open(directory && directory[0] ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : memfd_create("mprof", MFD_CLOEXEC);
}

mprof_status mprof__source_keep(mprof_source *source, mprof_error *error)
{
    if (mprof_source_can_rewind(source)) {
        return MPROF_OK;
    }
    source->kept_fd = mprof__scratch_open();
    if (source->kept_fd < 0) {
        mprof_error_set_errno(error, errno,
                              "cannot make a temporary file for a pipe, in TMPDIR or /tmp");
        mprof_error_at(error, source->name, 0);
        return MPROF_EIO;
    }
    return MPROF_OK;
}

static mprof_status keep_bytes(mprof_source *source, const char *bytes, size_t count,
                               mprof_error *error)
{
    size_t written = 0;
    while (written < count) {
        ssize_t more = write(source->kept_fd, bytes + written, count - written);
        if (more > 0) {
            written += (size_t)more;
        } else if (more == 0 || errno != EINTR) {
            mprof_error_set_errno(error, more == 0 ? EIO : errno,
                                  "cannot copy a pipe into a temporary file");
            mprof_error_at(error, source->name, 0);
            return MPROF_EIO;
        }
    }
    return MPROF_OK;
}

/* read(2) that also blocks on a non-blocking descriptor. */
static ssize_t read_waiting(int fd, void *bytes, size_t size)
{
    for (;;) {
        ssize_t count = read(fd, bytes, size);
        if (count >= 0 || (errno != EINTR && errno != EAGAIN)) {
            return count;
        }
        if (errno == EAGAIN) {
            struct pollfd wanted = {fd, POLLIN, 0};
            poll(&wanted, 1, -1);
        }
    }
}

static size_t read_memory(mprof_source *source, void *bytes, size_t size)
{
    size_t left = source->size - source->position;
    size_t count = size < left ? size : left;
    if (count > 0) {
        memcpy(bytes, source->bytes + source->position, count);
    }
    source->position += count;
    return count;
}

/* As mprof__source_read, past the limit too. */
static mprof_status read_on(mprof_source *source, void *bytes, size_t size, size_t *count,
                            mprof_error *error)
{
    *count = 0;
    if (source->fd < 0) {
        *count = read_memory(source, bytes, size);
        return MPROF_OK;
    }
    size_t got = 0;
    if (source->has_first && !source->replays) {
        *(char *)bytes = source->first;
        source->has_first = false;
        got = 1;
    } else {
        ssize_t result = read_waiting(source->replays ? source->kept_fd : source->fd, bytes, size);
        if (result == 0 && source->replays) {
            /* the copy is at its end; the pipe has more if it was not read to its end */
            source->replays = false;
            result = read_waiting(source->fd, bytes, size);
        }
        if (result < 0) {
            mprof_error_set_errno(error, errno, "cannot read");
            mprof_error_at(error, source->name, 0);
            return MPROF_EIO;
        }
        got = (size_t)result;
    }
    *count = got;
    return source->kept_fd >= 0 && !source->replays ? keep_bytes(source, bytes, got, error)
                                                    : MPROF_OK;
}

mprof_status mprof__source_read(mprof_source *source, void *bytes, size_t size, size_t *count,
                                mprof_error *error)
{
    uint64_t left = source->limit_size - source->read_count;
    *count = 0;
    if (left == 0) {
        return MPROF_OK;
    }
    mprof_status status = read_on(source, bytes, left < size ? (size_t)left : size, count, error);
    source->read_count += *count;
    return status;
}
