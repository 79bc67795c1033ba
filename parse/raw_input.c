/* Input from a file, a pipe, or memory. Refuses devices without end and pipes without a writer, so
 * that no command hangs. */
#include "raw_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void init(mprof__raw_input *input)
{
    memset(input, 0, sizeof *input);
    input->fd = -1;
    input->kept_fd = -1;
}

void mprof__raw_input_close(mprof__raw_input *input)
{
    if (input->fd >= 0) {
        close(input->fd);
    }
    if (input->kept_fd >= 0) {
        close(input->kept_fd);
    }
    init(input);
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
static mprof_status check_fifo(mprof__raw_input *input, mprof_error *error)
{
    ssize_t count;
    do {
        count = read(input->fd, &input->first, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 0) {
        return mprof_error_set(error, MPROF_EFORMAT, "is a pipe without a writer");
    }
    if (count < 0 && errno != EAGAIN) {
        return mprof_error_set_errno(error, errno, "cannot read");
    }
    input->has_first = count == 1;
    return MPROF_OK;
}

static mprof_status check_kind(mprof__raw_input *input, bool is_stdin, mprof_error *error)
{
    struct stat status;
    if (fstat(input->fd, &status) != 0) {
        return mprof_error_set_errno(error, errno, "cannot read");
    }
    if (S_ISDIR(status.st_mode)) {
        return mprof_error_set(error, MPROF_EFORMAT, "is a directory, not a recording");
    }
    if (S_ISBLK(status.st_mode) || (S_ISCHR(status.st_mode) && !isatty(input->fd))) {
        return mprof_error_set(error, MPROF_EFORMAT, "is a device, not a recording");
    }
    if (S_ISREG(status.st_mode)) {
        input->start = lseek(input->fd, 0, SEEK_CUR);
        input->is_seekable = input->start >= 0;
    } else if (S_ISFIFO(status.st_mode) && !is_stdin) {
        return check_fifo(input, error);
    }
    return MPROF_OK;
}

mprof_status mprof__raw_input_open(mprof__raw_input *input, const char *path, mprof_error *error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    init(input);
    input->is_stdin = is_stdin;
    input->fd = open_descriptor(path);
    if (input->fd < 0) {
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
    return check_kind(input, is_stdin, error);
}

void mprof__raw_input_open_memory(mprof__raw_input *input, const void *bytes, size_t size)
{
    init(input);
    input->bytes = bytes;
    input->size = size;
}

bool mprof__raw_input_can_rewind(const mprof__raw_input *input)
{
    return input->fd < 0 || input->is_seekable || input->kept_fd >= 0;
}

mprof_status mprof__raw_input_rewind(mprof__raw_input *input, uint64_t offset, mprof_error *error)
{
    int fd = input->kept_fd >= 0 ? input->kept_fd : input->fd;
    off_t start = input->kept_fd >= 0 ? 0 : input->start;
    input->position = offset < input->size ? (size_t)offset : input->size;
    input->replays = input->kept_fd >= 0;
    if (fd >= 0 && lseek(fd, start + (off_t)offset, SEEK_SET) < 0) {
        mprof_error_set_errno(error, errno, "cannot be read a second time");
        return MPROF_EIO;
    }
    return MPROF_OK;
}

void mprof__raw_input_rest(mprof__raw_input *input)
{
    struct stat status;
    if (input->fd < 0 || !input->is_seekable || input->kept_fd >= 0 || input->is_stdin ||
        fstat(input->fd, &status) != 0) {
        return;
    }
    input->resting_at = lseek(input->fd, 0, SEEK_CUR);
    if (input->resting_at >= 0) {
        input->device = status.st_dev;
        input->inode = status.st_ino;
        input->is_resting = true;
        close(input->fd);
        input->fd = -1;
    }
}

mprof_status mprof__raw_input_wake(mprof__raw_input *input, const char *path, mprof_error *error)
{
    struct stat status;
    if (!input->is_resting) {
        return MPROF_OK;
    }
    input->fd = open_descriptor(path);
    if (input->fd < 0) {
        return mprof_error_set_errno(error, errno, "cannot open it again");
    }
    input->is_resting = false;
    if (fstat(input->fd, &status) != 0 || status.st_dev != input->device ||
        status.st_ino != input->inode || lseek(input->fd, input->resting_at, SEEK_SET) < 0) {
        return mprof_error_set(error, MPROF_EIO, "was replaced by another file while it was read");
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

mprof_status mprof__raw_input_keep(mprof__raw_input *input, mprof_error *error)
{
    if (mprof__raw_input_can_rewind(input)) {
        return MPROF_OK;
    }
    input->kept_fd = mprof__scratch_open();
    if (input->kept_fd < 0) {
        mprof_error_set_errno(error, errno,
                              "cannot make a temporary file for a pipe, in TMPDIR or /tmp");
        return MPROF_EIO;
    }
    return MPROF_OK;
}

static mprof_status keep_bytes(mprof__raw_input *input, const char *bytes, size_t count,
                               mprof_error *error)
{
    size_t written = 0;
    while (written < count) {
        ssize_t more = write(input->kept_fd, bytes + written, count - written);
        if (more > 0) {
            written += (size_t)more;
        } else if (more == 0 || errno != EINTR) {
            mprof_error_set_errno(error, more == 0 ? EIO : errno,
                                  "cannot copy a pipe into a temporary file");
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

static size_t read_memory(mprof__raw_input *input, void *bytes, size_t size)
{
    size_t left = input->size - input->position;
    size_t count = size < left ? size : left;
    if (count > 0) {
        memcpy(bytes, input->bytes + input->position, count);
    }
    input->position += count;
    return count;
}

mprof_status mprof__raw_input_read(mprof__raw_input *input, void *bytes, size_t size, size_t *count,
                                   mprof_error *error)
{
    *count = 0;
    if (input->fd < 0) {
        *count = read_memory(input, bytes, size);
        return MPROF_OK;
    }
    size_t got = 0;
    if (input->has_first && !input->replays) {
        *(char *)bytes = input->first;
        input->has_first = false;
        got = 1;
    } else {
        ssize_t result = read_waiting(input->replays ? input->kept_fd : input->fd, bytes, size);
        if (result == 0 && input->replays) {
            /* the copy is at its end; the pipe has more if it was not read to its end */
            input->replays = false;
            result = read_waiting(input->fd, bytes, size);
        }
        if (result < 0) {
            mprof_error_set_errno(error, errno, "cannot read");
            return MPROF_EIO;
        }
        got = (size_t)result;
    }
    *count = got;
    return input->kept_fd >= 0 && !input->replays ? keep_bytes(input, bytes, got, error) : MPROF_OK;
}
