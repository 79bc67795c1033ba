/* The new file has no name until it is complete (O_TMPFILE), so the kernel removes it however this
 * process ends; where the file system has no such files, it has a temporary name. */
#include "replaced_file.h"

#include "parse/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_SIZE = 256 * 1024 };

/* Keeps the first failure: what stdio tries later would hide its reason. */
static void write_plain(mprof__replaced_file *file, const char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size && file->failure == 0) {
        ssize_t more = write(file->fd, bytes + done, size - done);
        if (more > 0) {
            done += (size_t)more;
        } else if (more == 0 || errno != EINTR) {
            file->failure = more == 0 ? EIO : errno;
        }
    }
}

static void write_packed(mprof__replaced_file *file, const char *bytes, size_t size,
                         mprof__encode_how how)
{
    mprof__buffer packed = {NULL, 0, 0};
    if (mprof__encoder_add(file->encoder, bytes, size, how, &packed) != 0) {
        file->failure = ENOMEM;
    }
    write_plain(file, packed.bytes, packed.length);
    mprof__buffer_free(&packed);
}

static ssize_t write_bytes(void *cookie, const char *bytes, size_t size)
{
    mprof__replaced_file *file = cookie;
    if (file->failure == 0 && file->encoder) {
        write_packed(file, bytes, size, MPROF__ENCODE_MORE);
    } else {
        write_plain(file, bytes, size);
    }
    return file->failure == 0 ? (ssize_t)size : 0; /* 0: an error, see fopencookie(3) */
}

static mprof_status fail(const char *path, int number, mprof_error *error)
{
    if (number == ENOMEM) {
        mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    } else {
        mprof_error_set_errno(error, number, "cannot write");
    }
    mprof_error_at(error, path, 0);
    return number == ENOMEM ? MPROF_ENOMEM : MPROF_EIO;
}

/* Returns a descriptor, or -1 with errno. */
static int open_temporary(mprof__replaced_file *file)
{
    const char *slash = strrchr(file->target, '/');
    int length = slash ? (int)(slash - file->target) + 1 : 0, fd = -1;
    char *directory = length ? strndup(file->target, (size_t)length) : strdup(".");
    char link[40];
    if (directory) {
        fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    }
    free(directory);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (fd >= 0 && access(link, F_OK) == 0) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (asprintf(&file->temporary, "%.*s.mprof-XXXXXX", length, file->target) < 0) {
        file->temporary = NULL;
        errno = ENOMEM;
        return -1;
    }
    fd = mkostemp(file->temporary, O_CLOEXEC);
    if (fd < 0) {
        int number = errno;
        free(file->temporary);
        file->temporary = NULL;
        errno = number;
    }
    return fd;
}

/* A symbolic link is followed and stays. */
static int open_path(mprof__replaced_file *file, const char *path)
{
    struct stat status;
    bool exists = stat(path, &status) == 0;
    mode_t mask = umask(0);
    umask(mask);
    if (exists && !S_ISREG(status.st_mode)) {
        return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    }
    if (exists && access(path, W_OK) != 0) {
        return -1;
    }
    file->target = exists ? realpath(path, NULL) : strdup(path);
    int fd = file->target ? open_temporary(file) : -1;
    if (fd >= 0 && (exists || file->temporary)) {
        (void)fchmod(fd, exists ? status.st_mode & 0777 : 0666 & ~mask);
    }
    return fd;
}

mprof_status mprof__replaced_file_open(mprof__replaced_file *file, const char *path,
                                       mprof_error *error)
{
    static const cookie_io_functions_t functions = {.write = write_bytes};
    *file = (mprof__replaced_file){.path = path, .fd = -1};
    file->fd =
        strcmp(path, "-") == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open_path(file, path);
    file->stream = file->fd >= 0 ? fopencookie(file, "w", functions) : NULL;
    if (!file->stream) {
        int number = errno;
        mprof__replaced_file_discard(file);
        return fail(path, number, error);
    }
    setvbuf(file->stream, NULL, _IOFBF, BUFFER_SIZE);
    return MPROF_OK;
}

mprof_status mprof__replaced_file_compress(mprof__replaced_file *file,
                                           mprof_compression compression, mprof_error *error)
{
    if (compression == MPROF_COMPRESSION_NONE) {
        return MPROF_OK;
    }
    mprof_status status = mprof__compression_check(compression, error);
    if (status != MPROF_OK) {
        mprof_error_at(error, file->path, 0);
        return status;
    }
    file->encoder = mprof__encoder_new(compression);
    return file->encoder ? MPROF_OK : fail(file->path, ENOMEM, error);
}

/* linkat(2) does not replace a file: it gets a temporary name first. */
static int name_file(mprof__replaced_file *file)
{
    char link[40], other[PATH_MAX];
    if (!file->temporary) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file->fd);
        if (linkat(AT_FDCWD, link, AT_FDCWD, file->target, AT_SYMLINK_FOLLOW) == 0) {
            return 0;
        }
        const char *slash = strrchr(file->target, '/');
        int length = slash ? (int)(slash - file->target) + 1 : 0;
        snprintf(other, sizeof other, "%.*s.mprof-%ld", length, file->target, (long)getpid());
        unlink(other); /* of a process that was killed and had the same pid */
        if (errno != EEXIST && errno != ENOENT) {
            return -1;
        }
        if (linkat(AT_FDCWD, link, AT_FDCWD, other, AT_SYMLINK_FOLLOW) != 0) {
            return -1;
        }
        file->temporary = strdup(other);
        if (!file->temporary) {
            unlink(other);
            errno = ENOMEM;
            return -1;
        }
    }
    if (rename(file->temporary, file->target) != 0) {
        return -1;
    }
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}

mprof_status mprof__replaced_file_commit(mprof__replaced_file *file, mprof_error *error)
{
    int copy;
    if (fflush(file->stream) != 0 && file->failure == 0) {
        file->failure = errno ? errno : EIO;
    }
    if (file->encoder && file->failure == 0) {
        write_packed(file, "", 0, MPROF__ENCODE_END);
    }
    /* a network file system may report a full disk only when a descriptor is closed */
    if (file->failure == 0 && (copy = fcntl(file->fd, F_DUPFD_CLOEXEC, 3)) >= 0 &&
        close(copy) != 0) {
        file->failure = errno;
    }
    if (file->failure == 0 && file->target && name_file(file) != 0) {
        file->failure = errno;
    }
    int number = file->failure;
    mprof__replaced_file_discard(file);
    if (number != 0 && strcmp(file->path, "-") == 0) {
        return mprof_error_set_errno(error, number, "cannot write to standard output");
    }
    return number == 0 ? MPROF_OK : fail(file->path, number, error);
}

void mprof__replaced_file_discard(mprof__replaced_file *file)
{
    if (file->stream) {
        file->failure = EIO; /* what is in the buffer is not written */
        fclose(file->stream);
        file->stream = NULL;
    }
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
    if (file->temporary) {
        unlink(file->temporary);
    }
    mprof__encoder_free(file->encoder);
    file->encoder = NULL;
    free(file->temporary);
    free(file->target);
    file->temporary = NULL;
    file->target = NULL;
}
