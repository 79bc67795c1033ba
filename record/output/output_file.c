/* Makes the file exclusively, and follows no link.
 *
 * open(2) with O_TMPFILE makes it without a name. Once its first lines are written, linkat(2) names
 * it through /proc, and fails if the name exists. So a recorder that is killed at any moment leaves
 * no unfinished file behind. Where a file system has no O_TMPFILE, or there is no /proc, O_EXCL
 * makes the file with its name at once. */
#include "output_file.h"

#include <mprof/reader.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The facts of a recording are among its first lines. */
#define HEAD_SIZE ((size_t)256 * 1024)

/* Names tried when several recordings start in the same second. */
#define SECONDS_TRIED 3600

#define FLAGS (O_WRONLY | O_APPEND | O_CLOEXEC)
#define MODE (S_IRUSR | S_IWUSR)

static mprof_status fail_at(mprof_error *error, const char *path, int number)
{
    mprof_error_set_errno(error, number, "cannot make the file");
    mprof_error_at(error, path, 0);
    return MPROF_EIO;
}

static mprof_status fail_without_memory(mprof_error *error)
{
    return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

/* An unnamed file in the directory of `path`; -1 with errno if that is not supported. */
static int open_nameless(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    bool can_be_named = access("/proc/self/fd", X_OK) == 0;
    int fd = directory && can_be_named ? open(directory, FLAGS | O_TMPFILE, MODE) : -1;

    free(directory);
    return fd;
}

/* 0, or -1 with errno. */
static int name_file(mprof__output_file *file, const char *path)
{
    char link[64];

    if (file->fd >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file->fd);
        return linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
    }
    file->fd = open(path, FLAGS | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, MODE);
    return file->fd >= 0 ? 0 : -1;
}

static mprof_status name_by_time(mprof__output_file *file, mprof_error *error)
{
    char name[sizeof "mprofile_YYYYmmddHHMMSS.dat" + 16] = "";
    time_t now = time(NULL);

    for (int second = 0; second < SECONDS_TRIED; second++) {
        time_t moment = now + second;
        struct tm parts;

        if (!localtime_r(&moment, &parts) ||
            !strftime(name, sizeof name, "mprofile_%Y%m%d%H%M%S.dat", &parts)) {
            return mprof_error_set(error, MPROF_EARGUMENT,
                                   "cannot format the current time for the file name");
        }
        if (name_file(file, name) == 0) {
            file->is_visible = true;
            file->path = strdup(name);
            return file->path ? MPROF_OK : fail_without_memory(error);
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return fail_at(error, name, errno);
}

/* MPROF_OK if nothing, or a regular file, is at `path`: only a regular file may be renamed. */
static mprof_status check_target(const char *path, bool *is_taken, mprof_error *error)
{
    struct stat status;

    *is_taken = lstat(path, &status) == 0;
    if (!*is_taken) {
        return MPROF_OK;
    }
    if (S_ISDIR(status.st_mode)) {
        mprof_error_set(error, MPROF_EARGUMENT, "is a directory; a file name was expected");
    } else if (S_ISLNK(status.st_mode)) {
        mprof_error_set(error, MPROF_EARGUMENT,
                        "is a symbolic link, which is not followed; name the file itself");
    } else if (!S_ISREG(status.st_mode)) {
        mprof_error_set(error, MPROF_EARGUMENT,
                        "is not a regular file; name a regular or a new file");
    } else {
        return MPROF_OK;
    }
    mprof_error_at(error, path, 0);
    return MPROF_EARGUMENT;
}

static mprof_status rename_older(mprof__output_file *file, mprof_error *error)
{
    if (asprintf(&file->kept, "%s.old", file->path) < 0) {
        file->kept = NULL;
        return fail_without_memory(error);
    }
    if (rename(file->path, file->kept) != 0) {
        mprof_error_set_errno(error, errno, "cannot keep the older file as %s", file->kept);
        mprof_error_at(error, file->path, 0);
        free(file->kept);
        file->kept = NULL;
        return MPROF_EIO;
    }
    return MPROF_OK;
}

/* Another recorder is writing the file. */
static bool is_being_written(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool is_locked = fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;

    if (fd >= 0) {
        close(fd);
    }
    return is_locked;
}

/* What the first lines of a recording say of its rank. */
typedef struct rank_search {
    const char *rank; /* ours */
    bool is_other;
} rank_search;

static mprof_status find_rank(void *data, const mprof_record *record)
{
    rank_search *search = data;
    const mprof_text *value = &record->text;

    if (record->kind == MPROF_RECORD_FACT && record->key.length == strlen("rank") &&
        memcmp(record->key.bytes, "rank", record->key.length) == 0) {
        search->is_other = value->length != strlen(search->rank) ||
                           memcmp(value->bytes, search->rank, value->length) != 0;
        return MPROF_ENOTFOUND; /* ends the reading */
    }
    return MPROF_OK;
}

static mprof_status skip_samples(void *data, const mprof_sample *samples, size_t count)
{
    (void)data;
    (void)samples;
    (void)count;
    return MPROF_OK;
}

/* Reads up to `size` bytes; how many. */
static size_t read_head(const char *path, char *bytes, size_t size)
{
    size_t length = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    while (length < size &&
           ((got = read(fd, bytes + length, size - length)) > 0 || (got < 0 && errno == EINTR))) {
        length += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return length;
}

/* The file is a recording of another rank: the launcher started that one of this job, too. */
static bool is_of_other_rank(const char *path, const char *rank)
{
    rank_search search = {rank, false};
    const mprof_visitor visitor = {&search, skip_samples, find_rank, NULL};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_source *source;
    char *bytes = rank ? malloc(HEAD_SIZE) : NULL;
    size_t length = bytes ? read_head(path, bytes, HEAD_SIZE) : 0;

    if (length > 0 && mprof_source_open_memory(&source, bytes, length, path, &error) == MPROF_OK) {
        (void)mprof_read(source, &visitor, &error); /* as far as it can be read */
        mprof_source_free(source);
    }
    free(bytes);
    return search.is_other;
}

/* "job.3.dat" of "job.dat": ranks of one job were given one name. */
static mprof_status choose_other_name(mprof__output_file *file, int try, mprof_error *error)
{
    const char *wanted = file->wanted ? file->wanted : file->path;
    const char *slash = strrchr(wanted, '/');
    const char *end = strstr(slash ? slash : wanted, ".dat");
    int length = (int)(end ? (size_t)(end - wanted) : strlen(wanted));
    char *other = NULL;
    int made = try == 0 && file->rank && strlen(file->rank) <= 20 && !strchr(file->rank, '/')
                   ? asprintf(&other, "%.*s.%s%s", length, wanted, file->rank, wanted + length)
                   : asprintf(&other, "%.*s.p%d%s", length, wanted, (int)getpid(), wanted + length);

    if (made < 0) {
        return fail_without_memory(error);
    }
    if (file->wanted) {
        free(file->path);
    } else {
        file->wanted = file->path;
    }
    file->path = other;
    return MPROF_OK;
}

static mprof_status name_by_path(mprof__output_file *file, mprof_error *error)
{
    enum { TRIES = 8 };
    int others = 0;

    for (int try = 0; try < TRIES; try++) {
        bool is_taken, is_finished = false;
        mprof_status status = check_target(file->path, &is_taken, error);

        if (status == MPROF_OK && is_taken && others < 2 &&
            (is_being_written(file->path) ||
             (is_finished = is_of_other_rank(file->path, file->rank)))) {
            file->wanted_is_finished = file->wanted ? file->wanted_is_finished : is_finished;
            status = choose_other_name(file, others++, error);
            is_taken = false;
            if (status == MPROF_OK) {
                continue;
            }
        }
        if (status == MPROF_OK && is_taken && !file->kept) {
            status = rename_older(file, error);
        }
        if (status != MPROF_OK) {
            return status;
        }
        if (name_file(file, file->path) == 0) {
            file->is_visible = true;
            return MPROF_OK;
        }
        if (errno != EEXIST) { /* else another recorder was faster */
            break;
        }
    }
    return fail_at(error, file->path, errno);
}

/* Shows that a recorder is writing the file, and which one; the kernel releases the lock when the
 * process ends. Not all file systems have locks. */
static void lock(const mprof__output_file *file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    (void)fcntl(file->fd, F_SETLK, &whole);
}

void mprof__output_file_unlock(const mprof__output_file *file)
{
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    if (file->fd >= 0) {
        (void)fcntl(file->fd, F_SETLK, &whole);
    }
}

static mprof_status set_name(mprof__output_file *file, mprof_error *error)
{
    if (file->is_visible) {
        return MPROF_OK;
    }
    return file->path ? name_by_path(file, error) : name_by_time(file, error);
}

mprof_status mprof__output_file_publish(mprof__output_file *file, mprof_error *error)
{
    mprof_status status = set_name(file, error);

    if (status == MPROF_OK) {
        lock(file);
    }
    return status;
}

mprof_status mprof__output_file_open(mprof__output_file *file, const char *path, mprof_error *error)
{
    const char *rank = file->rank;
    bool is_taken;

    memset(file, 0, sizeof *file);
    file->fd = -1;
    file->rank = rank;
    if (path) {
        if (path[0] == '\0') {
            return fail_at(error, "''", ENOENT);
        }
        file->path = strdup(path);
        if (!file->path) {
            return fail_without_memory(error);
        }
        if (check_target(path, &is_taken, error) != MPROF_OK) {
            return MPROF_EARGUMENT;
        }
    }
    file->fd = open_nameless(path ? path : ".");
    if (file->fd >= 0) {
        lock(file);
        return MPROF_OK;
    }
    return mprof__output_file_publish(file, error); /* reports the reason if this fails too */
}

static void release(mprof__output_file *file)
{
    free(file->path);
    free(file->kept);
    free(file->wanted);
    memset(file, 0, sizeof *file);
    file->fd = -1;
}

void mprof__output_file_discard(mprof__output_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    if (file->is_visible && file->path) {
        unlink(file->path);
    }
    if (file->kept) {
        /* unlike rename(2), link(2) never replaces a file made meanwhile */
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
