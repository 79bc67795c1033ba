/* Output files that replace an older file only when complete: a full disk must not destroy it. */
#include "draw.h"

#include <mprof/output.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_SIZE 65536

struct mprof_output {
    int fd;
    char *name;                 /* for messages, as given */
    char *target;               /* the file to replace; NULL: write directly */
    char *pattern;              /* for a temporary name in the same directory */
    char *temporary;            /* that name; NULL: the file has no name */
    z_stream *deflate;          /* NULL: not compressed */
    mprof_write_function write; /* receives the bytes; NULL: fd does */
    void *write_data;
    unsigned char *memory; /* what write_to_memory() received */
    size_t memory_size, memory_capacity;
    bool committed;
    mprof_error failure;
    size_t used;
    unsigned char buffer[BUFFER_SIZE];
    unsigned char packed[BUFFER_SIZE];
};

bool mprof__ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static mprof_status start_compression(mprof_output *output)
{
    output->deflate = calloc(1, sizeof *output->deflate);
    /* 16: a gzip header; zlib leaves its time 0, so equal pictures are equal files */
    if (!output->deflate ||
        deflateInit2(output->deflate, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(output->deflate);
        output->deflate = NULL;
        return MPROF_ENOMEM;
    }
    return MPROF_OK;
}

/* The latest named temporary file, for the signal handler; NULL: none. Several threads may have an
 * output each. */
static char *_Atomic file_to_remove;

static void forget_temporary(char *temporary)
{
    atomic_compare_exchange_strong(&file_to_remove, &temporary, NULL);
}

static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static void unblock_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void remove_temporary(int number)
{
    const char *temporary = file_to_remove;
    if (temporary) {
        unlink(temporary);
    }
    signal(number, SIG_DFL); /* ends the process when this handler returns */
    raise(number);
}

/* With a handler, the write fails with EFBIG. */
static void ignore_signal(int number)
{
    (void)number;
}

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action, before;
    if (sigaction(number, NULL, &before) != 0 || before.sa_handler != SIG_DFL) {
        return;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, NULL);
}

void mprof__output_remove_on_signals(void)
{
    static const int ends[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGILL,  SIGABRT, SIGBUS,
                               SIGFPE,  SIGSEGV,   SIGPIPE, SIGALRM, SIGTERM, SIGUSR1,
                               SIGUSR2, SIGVTALRM, SIGPROF, SIGXCPU};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        set_handler(ends[i], remove_temporary);
    }
    set_handler(SIGXFSZ, ignore_signal);
}

/* Opens a file without a name (O_TMPFILE): the kernel removes it however this process ends. -1 if
 * the file system has no such files, or if /proc is missing, which is needed to name it later. */
static int open_unnamed(const char *directory)
{
    char link[32];
    int fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (fd >= 0 && access(link, F_OK) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_named(mprof_output *output)
{
    sigset_t before;
    output->temporary = strdup(output->pattern);
    if (!output->temporary) {
        return -1;
    }
    block_signals(&before);
    int fd = mkostemp(output->temporary, O_CLOEXEC), saved = errno;
    if (fd >= 0) {
        file_to_remove = output->temporary;
    } else {
        free(output->temporary);
        output->temporary = NULL;
    }
    unblock_signals(&before);
    errno = saved;
    return fd;
}

/* Opens the temporary file in the target's directory, because rename(2) does not cross file
 * systems. A symbolic link is followed and stays. mode: permissions of the older file, or NULL. */
static mprof_status open_temporary(mprof_output *output, const char *path, const mode_t *mode,
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
    int length = slash ? (int)(slash - output->target) + 1 : 0;
    char *directory = length ? strndup(output->target, (size_t)length) : strdup(".");
    if (!directory || asprintf(&output->pattern, "%.*s.mprof-XXXXXX", length, output->target) < 0) {
        free(directory);
        output->pattern = NULL;
        return MPROF_ENOMEM;
    }
    output->fd = open_unnamed(directory);
    free(directory);
    if (output->fd < 0) {
        output->fd = open_named(output);
        mode_t mask = umask(0);
        umask(mask);
        if (output->fd >= 0 && !mode) {
            fchmod(output->fd, 0666 & ~mask);
        }
    }
    if (output->fd < 0) {
        return errno == ENOMEM ? MPROF_ENOMEM : mprof_error_set_errno(error, errno, "cannot write");
    }
    if (mode) {
        fchmod(output->fd, *mode);
    }
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
            mode_t mode = status.st_mode & 0777;
            return open_temporary(output, path, &mode, error);
        }
        output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return output->fd < 0 ? mprof_error_set_errno(error, errno, "cannot write") : MPROF_OK;
    }
    return open_temporary(output, path, NULL, error);
}

mprof_status mprof__output_open_fd(mprof_output **out, int fd, const char *name, mprof_error *error)
{
    mprof_output *output = calloc(1, sizeof *output);
    *out = output;
    if (output) {
        output->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        output->name = strdup(name);
    }
    if (output && output->fd >= 0 && output->name) {
        return MPROF_OK;
    }
    mprof_output_free(output);
    *out = NULL;
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

mprof_status mprof_output_open_function(mprof_output **out, mprof_write_function write, void *data,
                                        mprof_error *error)
{
    mprof_output *output = calloc(1, sizeof *output);
    *out = output;
    if (!output) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    output->fd = -1;
    output->write = write;
    output->write_data = data;
    return MPROF_OK;
}

static int write_to_memory(void *data, const void *bytes, size_t size)
{
    mprof_output *output = data;
    if (size > output->memory_capacity - output->memory_size) {
        size_t wanted = 2 * output->memory_capacity + size; /* no overflow: both are allocated */
        unsigned char *grown = realloc(output->memory, wanted);
        if (!grown) {
            return ENOMEM;
        }
        output->memory = grown;
        output->memory_capacity = wanted;
    }
    memcpy(output->memory + output->memory_size, bytes, size);
    output->memory_size += size;
    return 0;
}

mprof_status mprof_output_open_memory(mprof_output **out, mprof_error *error)
{
    mprof_status status = mprof_output_open_function(out, write_to_memory, NULL, error);
    if (status == MPROF_OK) {
        (*out)->write_data = *out;
    }
    return status;
}

const void *mprof_output_bytes(const mprof_output *output, size_t *size)
{
    bool is_kept = output->committed && output->failure.status == MPROF_OK;
    *size = is_kept ? output->memory_size : 0;
    return is_kept ? output->memory : NULL;
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
        if (status == MPROF_OK &&
            (mprof__ends_with(path, ".gz") || mprof__ends_with(path, ".svgz"))) {
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

static void write_to_function(mprof_output *output, const unsigned char *bytes, size_t size)
{
    if (size == 0 || output->failure.status != MPROF_OK) {
        return;
    }
    int failure = output->write(output->write_data, bytes, size);
    if (failure == ENOMEM) {
        mprof_error_set(&output->failure, MPROF_ENOMEM, "out of memory");
    } else if (failure) {
        mprof_error_set_errno(&output->failure, failure, "cannot write");
    }
}

static void write_out(mprof_output *output, const unsigned char *bytes, size_t size)
{
    if (output->write) {
        write_to_function(output, bytes, size);
        return;
    }
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

static void flush(mprof_output *output, bool last)
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
            flush(output, false);
        }
    }
    return output->failure.status;
}

/* Replaces the six last characters of a name by random ones. */
static void randomise_name(char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        number = (uint64_t)now.tv_nsec * 2654435761u + (uint64_t)getpid();
    }
    for (char *at = name + strlen(name) - 6; *at; at++, number /= 36) {
        *at = letters[number % 36];
    }
}

/* Only a file with a name can replace another, by rename(2). It has a temporary name between two
 * system calls; meanwhile signals are blocked. */
static int replace_target(const mprof_output *output, const char *file)
{
    sigset_t before;
    block_signals(&before);
    int result, tries = 100;
    do {
        randomise_name(output->pattern);
        result = linkat(AT_FDCWD, file, AT_FDCWD, output->pattern, AT_SYMLINK_FOLLOW);
    } while (result != 0 && errno == EEXIST && --tries);
    int saved = errno;
    if (result == 0) {
        result = rename(output->pattern, output->target);
        saved = errno;
        if (result != 0) {
            unlink(output->pattern);
        }
    }
    unblock_signals(&before);
    errno = saved;
    return result;
}

/* Gives the file its final name. linkat(2) does so in one step if the target does not exist. */
static int name_file(mprof_output *output)
{
    char file[32];
    if (!output->temporary) {
        snprintf(file, sizeof file, "/proc/self/fd/%d", output->fd);
        int result = linkat(AT_FDCWD, file, AT_FDCWD, output->target, AT_SYMLINK_FOLLOW);
        return result != 0 && errno == EEXIST ? replace_target(output, file) : result;
    }
    if (rename(output->temporary, output->target) != 0) {
        return -1;
    }
    forget_temporary(output->temporary);
    free(output->temporary);
    output->temporary = NULL;
    return 0;
}

static void set_write_failure(mprof_output *output)
{
    if (output->failure.status == MPROF_OK) {
        mprof_error_set_errno(&output->failure, errno, "cannot write");
    }
}

mprof_status mprof_output_commit(mprof_output *output, mprof_error *error)
{
    flush(output, true);
    output->committed = true;
    if (output->fd > STDERR_FILENO) {
        /* A network file system may report a full disk only when a descriptor is closed, so a copy
         * is closed; the file itself must stay open until it has its name. */
        int copy = fcntl(output->fd, F_DUPFD_CLOEXEC, 3);
        if (copy >= 0 && close(copy) != 0) {
            set_write_failure(output);
        }
        if (output->failure.status == MPROF_OK && output->target && name_file(output) != 0) {
            set_write_failure(output);
        }
        close(output->fd);
        output->fd = -1;
    }
    if (output->failure.status != MPROF_OK) {
        if (output->name) {
            mprof_error_at(&output->failure, output->name, 0);
        }
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
        forget_temporary(output->temporary);
    }
    if (output->deflate) {
        deflateEnd(output->deflate);
    }
    free(output->deflate);
    free(output->memory);
    free(output->temporary);
    free(output->pattern);
    free(output->target);
    free(output->name);
    free(output);
}
