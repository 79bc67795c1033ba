/* A file that is replaced as a whole or not at all: a full disk must not destroy an older picture.
 */
#include <mprof/output.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_SIZE 65536

struct mprof_output {
    int fd;
    char *name;   /* for messages, as given */
    char *target; /* NULL: written to directly */
    char *temporary;
    z_stream *deflate; /* NULL: not compressed */
    mprof_error failure;
    size_t used;
    unsigned char buffer[BUFFER_SIZE];
    unsigned char packed[BUFFER_SIZE];
};

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static mprof_status start_compression(mprof_output *output)
{
    output->deflate = calloc(1, sizeof *output->deflate);
    /* 16: a gzip header; its time stays 0, so that equal pictures are equal files */
    if (!output->deflate ||
        deflateInit2(output->deflate, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(output->deflate);
        output->deflate = NULL;
        return MPROF_ENOMEM;
    }
    return MPROF_OK;
}

/* The temporary file lies in the target's directory: a rename does not cross file systems. A target
 * that is a symbolic link stays one. */
static mprof_status open_temporary(mprof_output *output, const char *path, mode_t mode,
                                   mprof_error *error)
{
    char *real = realpath(path, NULL);
    if (!real && errno != ENOENT) {
        return mprof_error_set_errno(error, errno, "cannot write");
    }
    output->target = real ? real : strdup(path);
    if (!output->target) {
        return MPROF_ENOMEM;
    }
    const char *slash = strrchr(output->target, '/');
    int directory = slash ? (int)(slash - output->target) + 1 : 0;
    if (asprintf(&output->temporary, "%.*s.mprof-XXXXXX", directory, output->target) < 0) {
        output->temporary = NULL;
        return MPROF_ENOMEM;
    }
    output->fd = mkostemp(output->temporary, O_CLOEXEC);
    if (output->fd < 0) {
        int number = errno;
        free(output->temporary);
        output->temporary = NULL;
        return mprof_error_set_errno(error, number, "cannot write");
    }
    fchmod(output->fd, mode);
    return MPROF_OK;
}

static mprof_status open_path(mprof_output *output, const char *path, mprof_error *error)
{
    struct stat status;
    if (strcmp(path, "-") == 0) {
        output->fd = STDOUT_FILENO;
        return MPROF_OK;
    }
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            return mprof_error_set_errno(error, EISDIR, "cannot write");
        }
        if (S_ISREG(status.st_mode)) {
            if (access(path, W_OK) != 0) {
                return mprof_error_set_errno(error, errno, "cannot write");
            }
            return open_temporary(output, path, status.st_mode & 0777, error);
        }
        output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return output->fd < 0 ? mprof_error_set_errno(error, errno, "cannot write") : MPROF_OK;
    }
    mode_t mask = umask(0);
    umask(mask);
    return open_temporary(output, path, 0666 & ~mask, error);
}

mprof_status mprof_output_open(mprof_output **out, const char *path, mprof_error *error)
{
    mprof_output *output = calloc(1, sizeof *output);
    mprof_status status = MPROF_ENOMEM;
    *out = NULL;
    if (output) {
        output->fd = -1;
        output->name = strdup(path);
        if (output->name) {
            status = open_path(output, path, error);
        }
        if (status == MPROF_OK && (ends_with(path, ".gz") || ends_with(path, ".svgz"))) {
            status = start_compression(output);
        }
    }
    if (status != MPROF_OK) {
        mprof_error_set(error, status, "out of memory");
        mprof_error_at(error, path, 0);
        mprof_output_free(output);
        return status;
    }
    *out = output;
    return MPROF_OK;
}

static void write_out(mprof_output *output, const unsigned char *bytes, size_t size)
{
    while (size && output->failure.status == MPROF_OK) {
        ssize_t wrote = write(output->fd, bytes, size);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            mprof_error_set_errno(&output->failure, errno, "cannot write");
            mprof_error_at(&output->failure, output->name, 0);
            return;
        }
        bytes += wrote;
        size -= (size_t)wrote;
    }
}

static void compress_out(mprof_output *output, int flush)
{
    output->deflate->next_in = output->buffer;
    output->deflate->avail_in = (uInt)output->used;
    do {
        output->deflate->next_out = output->packed;
        output->deflate->avail_out = BUFFER_SIZE;
        deflate(output->deflate, flush);
        write_out(output, output->packed, BUFFER_SIZE - output->deflate->avail_out);
    } while (output->deflate->avail_out == 0);
}

static void flush(mprof_output *output, int last)
{
    if (output->deflate) {
        compress_out(output, last ? Z_FINISH : Z_NO_FLUSH);
    } else {
        write_out(output, output->buffer, output->used);
    }
    output->used = 0;
}

mprof_status mprof_output_write(mprof_output *output, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size && output->failure.status == MPROF_OK) {
        size_t piece = BUFFER_SIZE - output->used;
        piece = size < piece ? size : piece;
        memcpy(output->buffer + output->used, at, piece);
        output->used += piece;
        at += piece;
        size -= piece;
        if (output->used == BUFFER_SIZE) {
            flush(output, 0);
        }
    }
    return output->failure.status;
}

mprof_status mprof_output_commit(mprof_output *output, mprof_error *error)
{
    flush(output, 1);
    if (output->fd > STDERR_FILENO) {
        /* a network file system may tell of a full disk only now */
        if (close(output->fd) != 0 && output->failure.status == MPROF_OK) {
            mprof_error_set_errno(&output->failure, errno, "cannot write");
        }
        output->fd = -1;
    }
    if (output->failure.status == MPROF_OK && output->temporary) {
        if (rename(output->temporary, output->target) != 0) {
            mprof_error_set_errno(&output->failure, errno, "cannot write");
        } else {
            free(output->temporary);
            output->temporary = NULL;
        }
    }
    if (output->failure.status != MPROF_OK) {
        mprof_error_at(&output->failure, output->name, 0);
        if (error && error->status == MPROF_OK) {
            *error = output->failure;
        }
    }
    return output->failure.status;
}

void mprof_output_free(mprof_output *output)
{
    if (!output) {
        return;
    }
    if (output->fd > STDERR_FILENO) {
        close(output->fd);
    }
    if (output->temporary) {
        unlink(output->temporary);
    }
    if (output->deflate) {
        deflateEnd(output->deflate);
    }
    free(output->deflate);
    free(output->temporary);
    free(output->target);
    free(output->name);
    free(output);
}
