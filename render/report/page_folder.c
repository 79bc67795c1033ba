/* Pages are copied out of the unnamed file into a folder of a temporary name, which then takes the
 * place of the older one in one step. */
#include "page_folder.h"

#include "parse/array.h"
#include "render/draw/draw.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE /* musl 1.2.3 */
#define RENAME_EXCHANGE 2
#endif

#define COPY_SIZE 65536

struct mprof__page_folder {
    char *target;
    int fd;      /* all pages, one behind the other */
    off_t *ends; /* owned: where each page ends */
    size_t count, capacity;
};

static bool is_page(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits >= 4 && strcmp(name + digits, ".html") == 0;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder with anything but pages is somebody else's. */
static mprof_status check_target(const char *target, mprof_error *error)
{
    DIR *stream = opendir(target);
    mprof_status status = MPROF_OK;
    if (!stream) {
        if (errno != ENOENT) {
            mprof_error_set_errno(error, errno, "cannot write pages into it");
            mprof_error_at(error, target, 0);
            status = MPROF_EIO;
        }
        return status;
    }
    for (const struct dirent *entry; (entry = readdir(stream));) {
        if (!is_dot(entry->d_name) && !is_page(entry->d_name)) {
            status = mprof_error_set(error, MPROF_EARGUMENT,
                                     "this folder has other files than pages of a report; "
                                     "remove it, or choose another name with -o");
            mprof_error_at(error, target, 0);
            break;
        }
    }
    closedir(stream);
    return status;
}

static int open_unnamed(const char *target)
{
    const char *slash = strrchr(target, '/');
    char *directory = slash ? strndup(target, (size_t)(slash - target) + 1) : strdup(".");
    int fd = directory ? open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    free(directory);
    return fd >= 0 ? fd : memfd_create("pages", MFD_CLOEXEC);
}

mprof_status mprof__page_folder_new(mprof__page_folder **out, const char *target,
                                    mprof_error *error)
{
    mprof_status status = check_target(target, error);
    *out = NULL;
    if (status != MPROF_OK) {
        return status;
    }
    mprof__page_folder *folder = calloc(1, sizeof *folder);
    if (!folder) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    folder->target = strdup(target);
    folder->fd = open_unnamed(target);
    if (!folder->target || folder->fd < 0) {
        mprof_error_set_errno(error, errno, "cannot write pages");
        mprof__page_folder_free(folder);
        return MPROF_EIO;
    }
    *out = folder;
    return MPROF_OK;
}

void mprof__page_folder_free(mprof__page_folder *folder)
{
    if (folder) {
        if (folder->fd >= 0) {
            close(folder->fd);
        }
        free(folder->target);
        free(folder->ends);
        free(folder);
    }
}

/* The end of the page before is where the file ends now. */
static void end_page(mprof__page_folder *folder)
{
    if (folder->count) {
        folder->ends[folder->count - 1] = lseek(folder->fd, 0, SEEK_END);
    }
}

mprof_status mprof__page_folder_add(mprof__page_folder *folder, mprof_output **output,
                                    mprof_error *error)
{
    off_t *ends =
        mprof__array_grow(folder->ends, folder->count, &folder->capacity, sizeof *folder->ends);
    *output = NULL;
    if (!ends) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    folder->ends = ends;
    end_page(folder);
    folder->count++;
    return mprof__output_open_fd(output, folder->fd, folder->target, error);
}

static int copy_page(int from, off_t begin, off_t end, int directory, const char *name)
{
    static char bytes[COPY_SIZE];
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool good = fd >= 0;
    while (good && begin < end) {
        size_t wanted = end - begin < COPY_SIZE ? (size_t)(end - begin) : COPY_SIZE;
        ssize_t got = pread(from, bytes, wanted, begin);
        good = got > 0 && write(fd, bytes, (size_t)got) == got;
        begin += good ? got : 0;
    }
    if (fd >= 0 && close(fd) != 0) {
        good = false;
    }
    return good ? 0 : -1;
}

static void remove_folder(const char *path)
{
    int saved = errno, directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = directory >= 0 ? fdopendir(directory) : NULL;
    for (const struct dirent *entry; stream && (entry = readdir(stream));) {
        if (is_page(entry->d_name)) {
            unlinkat(directory, entry->d_name, 0);
        }
    }
    if (stream) {
        closedir(stream);
    }
    rmdir(path);
    errno = saved;
}

static int fill_folder(const mprof__page_folder *folder, const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = directory < 0 ? -1 : 0;
    off_t begin = 0;
    for (size_t i = 0; result == 0 && i < folder->count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%04zu.html", i + 1);
        result = copy_page(folder->fd, begin, folder->ends[i], directory, name);
        begin = folder->ends[i];
    }
    int saved = errno;
    if (directory >= 0) {
        close(directory);
    }
    errno = saved;
    return result;
}

/* Moves the new folder to its place; `path` is the older one then, if there was one. */
static int take_place(const char *path, const char *target)
{
    if (rename(path, target) == 0) { /* it did not exist, or was empty */
        return 0;
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, target, RENAME_EXCHANGE);
}

/* Runs in a process of its own. Returns errno. */
static int put_in_place(const mprof__page_folder *folder, char *path)
{
    mode_t mask = umask(0);
    umask(mask);
    bool good = mkdtemp(path) && chmod(path, 0777 & ~mask) == 0 && fill_folder(folder, path) == 0 &&
                take_place(path, folder->target) == 0;
    int number = good ? 0 : errno;
    remove_folder(path);
    return number;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

/* The folder has a temporary name for a moment. A child puts it in place, so that it is completed,
 * or removed, also if this process is killed then. */
mprof_status mprof__page_folder_commit(mprof__page_folder *folder, mprof_error *error)
{
    sigset_t all, before;
    char *path = NULL;
    end_page(folder);
    if (asprintf(&path, "%s.mprof-XXXXXX", folder->target) < 0) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(put_in_place(folder, path));
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    int number = pid < 0 ? errno : wait_for(pid);
    free(path);
    if (number) {
        mprof_error_set_errno(error, number, "cannot write pages");
        mprof_error_at(error, folder->target, 0);
        return MPROF_EIO;
    }
    return MPROF_OK;
}
