/* Owns how the recording's file comes to be: exclusively, without following links, beside an older
 * one. */
#include "record/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Names tried when runs start in the same second. */
#define SECONDS_TRIED 3600

static int create_exclusive(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_APPEND | O_NOCTTY,
                0600);
}

static mprof_status open_default(mprof__output_file *file, mprof_error *error)
{
    static const char pattern[] = "mprofile_%Y%m%d%H%M%S.dat";
    time_t now = time(NULL);
    char name[sizeof "mprofile_YYYYmmddHHMMSS.dat" + 16];

    for (int second = 0; second < SECONDS_TRIED; second++) {
        time_t moment = now + second;
        struct tm parts;

        if (!localtime_r(&moment, &parts) || !strftime(name, sizeof name, pattern, &parts)) {
            return mprof_error_set(error, MPROF_EARGUMENT, "the clock shows no time");
        }
        file->fd = create_exclusive(name);
        if (file->fd >= 0) {
            file->path = strdup(name);
            return file->path ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        }
        if (errno != EEXIST) {
            break;
        }
    }
    mprof_error_set_errno(error, errno, "cannot write here");
    mprof_error_at(error, name, 0);
    return MPROF_EIO;
}

/* Moves a regular file out of the way. Whatever else is there is not ours to move. */
static mprof_status keep_older(mprof__output_file *file, mprof_error *error)
{
    struct stat status;

    if (lstat(file->path, &status) != 0) {
        return mprof_error_set_errno(error, errno, "cannot write here");
    }
    if (S_ISDIR(status.st_mode)) {
        return mprof_error_set(error, MPROF_EARGUMENT, "is a directory");
    }
    if (S_ISLNK(status.st_mode)) {
        return mprof_error_set(error, MPROF_EARGUMENT, "is a symbolic link, which is not followed");
    }
    if (!S_ISREG(status.st_mode)) {
        return mprof_error_set(error, MPROF_EARGUMENT, "is not a regular file");
    }
    if (asprintf(&file->kept, "%s.old", file->path) < 0) {
        file->kept = NULL;
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (rename(file->path, file->kept) != 0) {
        mprof_error_set_errno(error, errno, "cannot keep the older file as %s", file->kept);
        free(file->kept);
        file->kept = NULL;
        return MPROF_EIO;
    }
    return MPROF_OK;
}

static mprof_status open_named(mprof__output_file *file, const char *path, mprof_error *error)
{
    mprof_status status;

    file->path = strdup(path);
    if (!file->path) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    file->fd = create_exclusive(path);
    if (file->fd < 0 && (errno == EEXIST || errno == ELOOP || errno == EISDIR)) {
        status = keep_older(file, error);
        if (status != MPROF_OK) {
            mprof_error_at(error, path, 0);
            return status;
        }
        file->fd = create_exclusive(path);
    }
    if (file->fd < 0) {
        status = mprof_error_set_errno(error, errno, "cannot write here");
        mprof_error_at(error, path, 0);
        return status;
    }
    return MPROF_OK;
}

static void release(mprof__output_file *file)
{
    free(file->path);
    free(file->kept);
    file->path = NULL;
    file->kept = NULL;
    file->fd = -1;
}

mprof_status mprof__output_file_open(mprof__output_file *file, const char *path, mprof_error *error)
{
    mprof_status status;

    file->fd = -1;
    file->path = NULL;
    file->kept = NULL;
    status = path ? open_named(file, path, error) : open_default(file, error);
    if (status != MPROF_OK) {
        mprof__output_file_discard(file);
    }
    return status;
}

void mprof__output_file_discard(mprof__output_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        unlink(file->path);
    }
    if (file->kept) {
        /* link(2) rather than rename(2): it replaces nothing that came there meanwhile */
        if (link(file->kept, file->path) == 0) {
            unlink(file->kept);
        }
    }
    release(file);
}

mprof_status mprof__output_file_close(mprof__output_file *file, mprof_error *error)
{
    mprof_status status = MPROF_OK;

    if (file->fd >= 0 && close(file->fd) != 0 && errno != EINTR) {
        status = mprof_error_set_errno(error, errno, "cannot finish writing");
        mprof_error_at(error, file->path, 0);
    }
    release(file);
    return status;
}
