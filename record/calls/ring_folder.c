/* A recorder holds a lock on its directory. A directory that is not locked belongs to a recorder
 * that was killed; the next recorder of the same user removes it. */
#include "ring_folder.h"

#include "agent/events/wire.h"
#include "parse/array.h"
#include "record/kernel/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_PREFIX "mprof-"
#define RANDOM_DIGITS 16
#define DEPTH 3 /* of directories in it: that of the rings, the Python module's, __pycache__ */
/* Limits the rings that are read: a process cannot keep the recorder busy by making more. */
#define RINGS_MAX 65536

/* Limits the notices that are read, for the same reason. */
#define NOTICES_MAX 8

/* How much of a process's environment is searched. */
#define ENVIRONMENT_MAX ((size_t)1024 * 1024)

typedef struct ring_name {
    int64_t pid;
    uint64_t number;
} ring_name;

typedef struct given_names {
    mprof__given_name *items;
    size_t count;
    size_t size;
} given_names;

struct mprof__ring_folder {
    char path[PATH_MAX];   /* of the rings */
    char locked[PATH_MAX]; /* the directory with the lock: the same, or its parent */
    int fd;                /* of the rings */
    int locked_fd;
    int wakeup_fd;
    int watch_fd;
    ring_name *known; /* sorted */
    size_t known_count;
    size_t known_size;
    uint64_t unopened;  /* rings that there was no descriptor or memory for */
    bool is_unsearched; /* a search failed: there may be new rings without a further change */
};

/* Opens a directory of this user, after restoring our permissions, which a program may have
 * changed. -1: it does not exist or belongs to somebody else. */
static int open_own(int base, const char *name)
{
    int fd = openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    char path[64];
    int result = -1;

    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &status) == 0 && status.st_uid == geteuid()) {
        if ((status.st_mode & 0700) != 0700) {
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            (void)!chmod(path, (status.st_mode & 07777) | 0700);
        }
        result = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    close(fd);
    return result;
}

#define LOCKED_MODE (geteuid() == 0 ? 0711 : 0700)
#define RINGS_MODE (geteuid() == 0 ? 01733 : 0700)

/* A program may have changed them. */
static void restore_rights(const mprof__ring_folder *folder)
{
    (void)!fchmod(folder->locked_fd, LOCKED_MODE);
    if (folder->fd >= 0) {
        (void)!fchmod(folder->fd, RINGS_MODE);
    }
}

/* Removes every entry of a directory and its subdirectories, as far as possible. */
static void clear_folder(int fd, int depth)
{
    int list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = list_fd >= 0 ? fdopendir(list_fd) : NULL;
    struct dirent *entry;

    if (!entries) {
        if (list_fd >= 0) {
            close(list_fd);
        }
        return;
    }
    while ((entry = readdir(entries))) {
        int inner = -1;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            unlinkat(fd, entry->d_name, 0) == 0) {
            continue;
        }
        if (depth > 0) {
            inner = open_own(fd, entry->d_name);
        }
        if (inner >= 0) {
            clear_folder(inner, depth - 1);
            close(inner);
        }
        unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    closedir(entries);
}

/* "mprof-<pid>-<16 hexadecimal digits>": other programs' directories may have similar names. */
static bool is_folder_name(const char *name)
{
    if (strncmp(name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) != 0) {
        return false;
    }
    name += strlen(FOLDER_PREFIX);
    size_t length = strspn(name, "0123456789");
    return length > 0 && name[length] == '-' &&
           strspn(name + length + 1, "0123456789abcdef") == RANDOM_DIGITS &&
           name[length + 1 + RANDOM_DIGITS] == '\0';
}

/* Removes a directory of ours whose recorder is gone. */
static void clear_stale(int base, const char *name)
{
    int fd = open_own(base, name);

    if (fd < 0) {
        return;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        clear_folder(fd, DEPTH);
        unlinkat(base, name, AT_REMOVEDIR);
    }
    close(fd);
}

static void clear_stale_folders(const char *base)
{
    DIR *entries = opendir(base);
    struct dirent *entry;

    if (!entries) {
        return;
    }
    while ((entry = readdir(entries))) {
        if (is_folder_name(entry->d_name)) {
            clear_stale(dirfd(entries), entry->d_name);
        }
    }
    closedir(entries);
}

/* A name that cannot be guessed: `prefix` and 16 digits. 0, or -1 with errno. */
static int make_name(char *text, size_t size, const char *base, const char *prefix)
{
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        return -1;
    }
    int length = snprintf(text, size, "%s/%s%016llx", base, prefix, (unsigned long long)random);
    if (length < 0 || (size_t)length >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

/* A program of root may become any user before it makes a ring. So rings go into a subdirectory
 * where everybody who knows its name may create files, but cannot list it, nor read or remove files
 * of others. The locked directory cannot be listed either. 0, or -1 with errno. */
static int make_ring_directory(mprof__ring_folder *folder)
{
    if (make_name(folder->path, sizeof folder->path, folder->locked, "") != 0 ||
        mkdir(folder->path, 0700) != 0) {
        return -1;
    }
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return folder->fd >= 0 && fchmod(folder->fd, RINGS_MODE) == 0 &&
                   fchmod(folder->locked_fd, LOCKED_MODE) == 0
               ? 0
               : -1;
}

/* Makes and locks a directory under `base`. 0, or -1 with errno. */
static int make_folder(mprof__ring_folder *folder, const char *base)
{
    struct stat status;
    char prefix[32];

    snprintf(prefix, sizeof prefix, FOLDER_PREFIX "%d-", (int)getpid());
    if (make_name(folder->locked, sizeof folder->locked, base, prefix) != 0 ||
        mkdir(folder->locked, 0700) != 0) {
        return -1;
    }
    folder->locked_fd = open(folder->locked, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* between mkdir and flock another recorder may have removed it as abandoned */
    if (folder->locked_fd < 0 || flock(folder->locked_fd, LOCK_EX | LOCK_NB) != 0 ||
        fstat(folder->locked_fd, &status) != 0 || status.st_nlink == 0) {
        rmdir(folder->locked);
        errno = EAGAIN;
        return -1;
    }
    if (geteuid() == 0) {
        return make_ring_directory(folder);
    }
    memcpy(folder->path, folder->locked, sizeof folder->path);
    folder->fd = fcntl(folder->locked_fd, F_DUPFD_CLOEXEC, 0);
    return folder->fd >= 0 ? 0 : -1;
}

static void close_folder(mprof__ring_folder *folder)
{
    if (folder->locked_fd < 0) {
        return;
    }
    restore_rights(folder);
    if (folder->fd >= 0) {
        unlinkat(folder->fd, MPROF_WIRE_BELL, 0);
        close(folder->fd);
    }
    rmdir(folder->path); /* if empty: clear_folder needs descriptors, which may be scarce */
    clear_folder(folder->locked_fd, DEPTH);
    rmdir(folder->locked);
    close(folder->locked_fd);
    folder->fd = -1;
    folder->locked_fd = -1;
}

static int make_wakeup_pipe(mprof__ring_folder *folder)
{
    if (mkfifoat(folder->fd, MPROF_WIRE_BELL, 0600) != 0 ||
        (geteuid() == 0 && fchmodat(folder->fd, MPROF_WIRE_BELL, 0622, 0) != 0)) {
        return -1;
    }
    /* read and write: without a writer, read would return end of file at once */
    folder->wakeup_fd =
        openat(folder->fd, MPROF_WIRE_BELL, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    return folder->wakeup_fd >= 0 ? 0 : -1;
}

static void start_watch(mprof__ring_folder *folder)
{
    folder->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (folder->watch_fd >= 0 &&
        (!mprof__procfs_may_keep(folder->watch_fd) || /* descriptors are scarce */
         inotify_add_watch(folder->watch_fd, folder->path, IN_MOVED_TO | IN_CREATE) < 0 ||
         inotify_add_watch(folder->watch_fd, folder->locked, IN_MOVED_TO | IN_CREATE) < 0)) {
        close(folder->watch_fd);
        folder->watch_fd = -1;
    }
}

mprof_status mprof__ring_folder_open(mprof__ring_folder **out, mprof_error *error)
{
    const char *bases[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    mprof__ring_folder *folder = calloc(1, sizeof *folder);
    int failure = ENOENT;

    *out = NULL;
    if (!folder) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    folder->wakeup_fd = -1;
    folder->watch_fd = -1;
    folder->fd = -1;
    folder->locked_fd = -1;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        if (!bases[i] || bases[i][0] != '/') {
            continue;
        }
        clear_stale_folders(bases[i]);
        if (make_folder(folder, bases[i]) == 0 && make_wakeup_pipe(folder) == 0) {
            start_watch(folder);
            *out = folder;
            return MPROF_OK;
        }
        failure = errno;
        close_folder(folder);
    }
    free(folder);
    return mprof_error_set_errno(
        error, failure, "cannot make a directory for event rings in /dev/shm, $TMPDIR or /tmp");
}

void mprof__ring_folder_free(mprof__ring_folder *folder)
{
    if (!folder) {
        return;
    }
    close_folder(folder);
    if (folder->watch_fd >= 0) {
        close(folder->watch_fd);
    }
    close(folder->wakeup_fd);
    free(folder->known);
    free(folder);
}

const char *mprof__ring_folder_path(const mprof__ring_folder *folder)
{
    return folder->path;
}

int mprof__ring_folder_link(mprof__ring_folder *folder, const char *directory)
{
    return symlinkat(directory, folder->fd, MPROF__RING_FOLDER_LINK);
}

int mprof__ring_folder_add_module(mprof__ring_folder *folder, const char *name, const char *text)
{
    int place = -1;
    int fd = -1;
    bool is_written = false;

    if (mkdirat(folder->fd, MPROF__RING_FOLDER_MODULES, 0700) == 0) {
        place = openat(folder->fd, MPROF__RING_FOLDER_MODULES,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (place >= 0) {
        fd = openat(place, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (fd >= 0) {
        /* other users read it where root records */
        is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
                     fchmod(fd, 0644) == 0 && fchmod(place, 0755) == 0;
        close(fd);
    }
    if (place >= 0) {
        close(place);
    }
    return is_written ? 0 : -1;
}

bool mprof__ring_folder_read_answer(const mprof__ring_folder *folder, char *text, size_t size)
{
    int fd = openat(folder->fd, MPROF_WIRE_ANSWER, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    char *end = strchr(text, '\n');
    if (!end) {
        text[0] = '\0';
        return false;
    }
    *end = '\0';
    return true;
}

void mprof__ring_folder_remove_answer(const mprof__ring_folder *folder)
{
    (void)unlinkat(folder->fd, MPROF_WIRE_ANSWER, 0);
}

int mprof__ring_folder_wakeup_fd(const mprof__ring_folder *folder)
{
    return folder->wakeup_fd;
}

int mprof__ring_folder_watch_fd(const mprof__ring_folder *folder)
{
    return folder->watch_fd;
}

/* Reads once, so that a process that writes without pause cannot hold the recorder here. */
static bool discard_input(int fd)
{
    char bytes[4096];

    return read(fd, bytes, sizeof bytes) > 0;
}

void mprof__ring_folder_clear_wakeup(mprof__ring_folder *folder)
{
    (void)discard_input(folder->wakeup_fd);
}

bool mprof__ring_folder_has_changed(mprof__ring_folder *folder)
{
    bool has_changed = folder->watch_fd < 0 || discard_input(folder->watch_fd);

    return has_changed || folder->is_unsearched;
}

static void given_file_name(char *text, size_t size, const mprof__given_name *given)
{
    snprintf(text, size,
             "%" PRId64 "-%016" PRIx64 "-%" PRId64 "-%" PRId64 "-%" PRIu64 MPROF_WIRE_NAME_SUFFIX,
             given->pid, given->image, given->time_ns, given->wall_ns, given->pid_namespace);
}

/* "<pid>-<n>.ring" */
static bool parse_ring_name(ring_name *name, const char *text)
{
    char *end;

    if (*text < '1' || *text > '9') {
        return false;
    }
    errno = 0;
    name->pid = strtoll(text, &end, 10);
    if (*end != '-') {
        return false;
    }
    text = end + 1;
    if (*text < '0' || *text > '9') {
        return false;
    }
    name->number = strtoull(text, &end, 10);
    return strcmp(end, ".ring") == 0 && errno == 0;
}

static int compare_ring_names(const void *left, const void *right)
{
    const ring_name *a = left;
    const ring_name *b = right;

    if (a->pid != b->pid) {
        return a->pid < b->pid ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

/* False also for a text that would not be written the same way again: the file could not be found
 * by its numbers. */
static bool parse_given_name(mprof__given_name *given, const char *text)
{
    char again[160];

    if (sscanf(text,
               "%" SCNd64 "-%" SCNx64 "-%" SCNd64 "-%" SCNd64 "-%" SCNu64 MPROF_WIRE_NAME_SUFFIX,
               &given->pid, &given->image, &given->time_ns, &given->wall_ns,
               &given->pid_namespace) != 5) {
        return false;
    }
    given_file_name(again, sizeof again, given);
    return given->pid > 0 && given->time_ns >= 0 && given->time_ns < INT64_MAX / 2 &&
           given->wall_ns >= 0 && given->wall_ns < INT64_MAX / 2 && strcmp(again, text) == 0;
}

/* By process, then by time. */
static int compare_given(const void *left, const void *right)
{
    const mprof__given_name *a = left;
    const mprof__given_name *b = right;

    if (a->pid != b->pid) {
        return a->pid < b->pid ? -1 : 1;
    }
    if (a->pid_namespace != b->pid_namespace) {
        return a->pid_namespace < b->pid_namespace ? -1 : 1;
    }
    return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

static mprof_status add_given_name(given_names *names, const char *text)
{
    mprof__given_name given;
    mprof__given_name *items;

    if (names->count == RINGS_MAX || !parse_given_name(&given, text)) {
        return MPROF_OK;
    }
    items = mprof__array_grow(names->items, names->count, &names->size, sizeof *items);
    if (!items) {
        return MPROF_ENOMEM;
    }
    names->items = items;
    items[names->count++] = given;
    return MPROF_OK;
}

static mprof_status add_name(ring_name **names, size_t *count, size_t *size, ring_name name)
{
    ring_name *grown = mprof__array_grow(*names, *count, size, sizeof *grown);

    if (!grown) {
        return MPROF_ENOMEM;
    }
    *names = grown;
    grown[(*count)++] = name;
    return MPROF_OK;
}

static ring_name *find_known(const mprof__ring_folder *folder, ring_name name)
{
    return folder->known_count == 0 ? NULL
                                    : bsearch(&name, folder->known, folder->known_count,
                                              sizeof name, compare_ring_names);
}

/* Opens the directory for reading; a program may have removed our permission. */
static int open_for_reading(const mprof__ring_folder *folder)
{
    int fd = mprof__procfs_openat(folder->fd, ".", O_RDONLY | O_DIRECTORY);

    if (fd < 0 && errno == EACCES) {
        restore_rights(folder);
        fd = mprof__procfs_openat(folder->fd, ".", O_RDONLY | O_DIRECTORY);
    }
    return fd;
}

/* Lists new ring files and names that processes were given, both sorted. */
static mprof_status list_new_files(mprof__ring_folder *folder, ring_name **names, size_t *count,
                                   given_names *given, mprof_error *error)
{
    int fd = open_for_reading(folder);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    mprof_status status = MPROF_OK;
    struct dirent *entry;
    size_t size = 0;

    if (!entries) {
        int failure = errno;

        if (fd >= 0) {
            mprof__procfs_close(fd);
        }
        return mprof_error_set_errno(error, failure, "cannot search for event rings");
    }
    while (status == MPROF_OK && (entry = readdir(entries))) {
        ring_name name;

        if (parse_ring_name(&name, entry->d_name) && folder->known_count + *count < RINGS_MAX &&
            !find_known(folder, name)) {
            status = add_name(names, count, &size, name);
        } else if (status == MPROF_OK) {
            status = add_given_name(given, entry->d_name);
        }
    }
    closedir(entries);
    mprof__procfs_restore_reserve();
    if (*count > 0) {
        qsort(*names, *count, sizeof **names, compare_ring_names);
    }
    if (given->count > 0) {
        qsort(given->items, given->count, sizeof *given->items, compare_given);
    }
    return status == MPROF_OK ? MPROF_OK : mprof_error_set(error, status, "out of memory");
}

static void ring_file_name(char *text, size_t size, ring_name name)
{
    snprintf(text, size, "%lld-%llu.ring", (long long)name.pid, (unsigned long long)name.number);
}

static mprof_status open_ring(mprof__ring_folder *folder, ring_name name, mprof__ring_found found,
                              void *data)
{
    mprof__ring_reader *ring = NULL;
    char text[64];

    ring_file_name(text, sizeof text, name);
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    int fd = openat(folder->fd, text, flags);
    if (fd < 0 && errno == EACCES) { /* the program took the rights after the search began */
        restore_rights(folder);
        fd = openat(folder->fd, text, flags);
    }
    if (fd < 0) {
        folder->unopened += errno == EMFILE || errno == ENFILE || errno == ENOMEM;
        return MPROF_OK;
    }
    mprof_status status = mprof__ring_reader_open(&ring, fd, name.pid, NULL);
    if (status != MPROF_OK) {
        folder->unopened += status == MPROF_ENOMEM;
        close(fd);
        return MPROF_OK;
    }
    return found(data, ring, name.pid, name.number);
}

/* Ignores everything but links. */
static void pass_given_name(mprof__ring_folder *folder, const mprof__given_name *given,
                            bool is_last, mprof__given_name_found named, void *data)
{
    char bytes[MPROF_WIRE_PROCESS_NAME_MAX];
    char text[160];

    given_file_name(text, sizeof text, given);
    ssize_t length = readlinkat(folder->fd, text, bytes, sizeof bytes);
    if (length > 0) {
        mprof_text name = {bytes, (size_t)length};

        if (!is_last || named(data, given, name)) {
            unlinkat(folder->fd, text, 0);
        }
    }
}

mprof_status mprof__ring_folder_search(mprof__ring_folder *folder, mprof__ring_found found,
                                       mprof__given_name_found named, void *data,
                                       mprof_error *error)
{
    ring_name *names = NULL;
    given_names given = {NULL, 0, 0};
    size_t count = 0;
    mprof_status status = list_new_files(folder, &names, &count, &given, error);

    folder->is_unsearched = status != MPROF_OK;
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        status = add_name(&folder->known, &folder->known_count, &folder->known_size, names[i]);
        folder->is_unsearched = status != MPROF_OK;
        if (status == MPROF_OK) {
            status = open_ring(folder, names[i], found, data);
        }
    }
    if (count > 0) {
        qsort(folder->known, folder->known_count, sizeof *folder->known, compare_ring_names);
    }
    for (size_t i = 0; i < given.count; i++) {
        bool is_last = i + 1 == given.count || given.items[i + 1].pid != given.items[i].pid ||
                       given.items[i + 1].pid_namespace != given.items[i].pid_namespace;

        pass_given_name(folder, &given.items[i], is_last, named, data);
    }
    free(given.items);
    free(names);
    return status == MPROF_OK ? MPROF_OK
                              : mprof_error_set(error, status, "cannot read event rings");
}

bool mprof__ring_folder_is_unsearched(const mprof__ring_folder *folder)
{
    return folder->is_unsearched;
}

uint64_t mprof__ring_folder_unopened(const mprof__ring_folder *folder)
{
    return folder->unopened;
}

void mprof__ring_folder_read_notices(mprof__ring_folder *folder,
                                     void (*report)(void *data, const char *text, bool is_printed),
                                     void *data)
{
    static const char prefix[] = "mprof: ";
    int fd = open_for_reading(folder);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    int count = 0;

    if (!entries && fd >= 0) {
        mprof__procfs_close(fd);
    }
    while (entries && count < NOTICES_MAX && (entry = readdir(entries))) {
        char text[MPROF_WIRE_NOTICE_MAX + 1];
        ssize_t length = -1;

        if (strncmp(entry->d_name, MPROF_WIRE_NOTICE, strlen(MPROF_WIRE_NOTICE)) == 0) {
            length = readlinkat(folder->fd, entry->d_name, text, sizeof text - 1);
        }
        if (length > 0) {
            text[length] = '\0';
            text[strcspn(text, "\n")] = '\0';
            bool is_printed = strncmp(text, prefix, strlen(prefix)) == 0;
            count++;
            report(data, is_printed ? text + strlen(prefix) : text, is_printed);
        }
    }
    if (entries) {
        closedir(entries);
        mprof__procfs_restore_reserve();
    }
}

void mprof__ring_folder_remove_ring(mprof__ring_folder *folder, int64_t pid, uint64_t number)
{
    ring_name name = {pid, number};
    ring_name *found = find_known(folder, name);
    char text[64];

    ring_file_name(text, sizeof text, name);
    unlinkat(folder->fd, text, 0);
    if (found) {
        size_t index = (size_t)(found - folder->known);

        folder->known_count--;
        memmove(found, found + 1, (folder->known_count - index) * sizeof *found);
    }
}

int mprof__ring_folder_fd(const mprof__ring_folder *folder)
{
    return folder->locked_fd;
}

/* The descriptor if the directory can be a recorder's; else closes it. -1: it cannot. */
static int check_directory(int fd)
{
    struct stat status;

    if (fd >= 0 && (fstat(fd, &status) != 0 || (status.st_mode & 0022) != 0 ||
                    ((status.st_mode & 07777) != 0700 && status.st_uid != 0) ||
                    (status.st_uid != geteuid() && geteuid() != 0))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The recorder's directory in `base`, or -1. */
static int find_in(const char *base, int64_t recorder)
{
    DIR *entries = opendir(base);
    struct dirent *entry;
    char prefix[64];
    int fd = -1;

    snprintf(prefix, sizeof prefix, FOLDER_PREFIX "%lld-", (long long)recorder);
    while (entries && fd < 0 && (entry = readdir(entries))) {
        if (is_folder_name(entry->d_name) && strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            fd = check_directory(openat(dirfd(entries), entry->d_name,
                                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        }
    }
    if (entries) {
        closedir(entries);
    }
    return fd;
}

int mprof__ring_folder_find(int64_t recorder)
{
    const char *bases[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    int fd = -1;

    for (size_t i = 0; i < sizeof bases / sizeof *bases && fd < 0; i++) {
        if (bases[i] && bases[i][0] == '/') {
            fd = find_in(bases[i], recorder);
        }
    }
    return fd;
}

/* Opens the locked directory that `path` is or is in. */
static int open_locked(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash && slash > path && !is_folder_name(slash + 1)) {
        *slash = '\0';
        slash = strrchr(path, '/');
    }
    if (!slash || !is_folder_name(slash + 1)) {
        return -1;
    }
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int mprof__ring_folder_find_of_process(int64_t pid)
{
    static const char name[] = MPROF_WIRE_ENV_RINGS "=";
    char *block = calloc(1, ENVIRONMENT_MAX + 1);
    int fd = block ? mprof__procfs_open(pid, "environ") : -1;
    size_t used = 0;
    ssize_t got = 1;

    while (fd >= 0 && got > 0 && used < ENVIRONMENT_MAX) {
        got = read(fd, block + used, ENVIRONMENT_MAX - used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        mprof__procfs_close(fd);
    }
    fd = -1;
    for (size_t at = 0; at < used && fd < 0; at += strlen(block + at) + 1) {
        if (strncmp(block + at, name, sizeof name - 1) == 0) {
            fd = check_directory(open_locked(block + at + sizeof name - 1));
        }
    }
    free(block);
    return fd;
}

int64_t mprof__ring_folder_recorder(int folder_fd)
{
    char link[40], path[512];

    snprintf(link, sizeof link, "/proc/self/fd/%d", folder_fd);
    ssize_t length = folder_fd >= 0 ? readlink(link, path, sizeof path - 1) : -1;
    if (length <= 0) {
        return 0;
    }
    path[length] = '\0';
    const char *slash = strrchr(path, '/');
    return slash && is_folder_name(slash + 1)
               ? strtoll(slash + 1 + sizeof FOLDER_PREFIX - 1, NULL, 10)
               : 0;
}
