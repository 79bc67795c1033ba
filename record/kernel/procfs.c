/* See proc(5) for the formats. */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fields of /proc/PID/stat as proc(5) numbers them. */
enum {
    FIELD_STATE = 3,
    FIELD_PPID = 4,
    FIELD_FLAGS = 9,
    FIELD_CHILD_MINOR_FAULTS = 11,
    FIELD_CHILD_MAJOR_FAULTS = 13,
    FIELD_THREADS = 20,
    FIELD_START = 22,
    FIELD_EXIT_CODE = 52,
};

/* Of the flags: forked, but has not called exec (PF_FORKNOEXEC of the kernel's sched.h). */
#define FLAG_FORKED 0x40UL

/* Descriptors that must stay free for short use. */
#define SPARE_DESCRIPTORS 64

static bool has_reserve;
static int reserved_fd = -1;
static bool is_foreign;

mprof__procfs_view mprof__procfs_check(void)
{
    char text[32] = "";

    is_foreign = false;
    if (readlink("/proc/self", text, sizeof text - 1) < 0) {
        struct stat status;

        /* mounted, but without this process: its pid namespace does not contain ours */
        is_foreign = stat("/proc/loadavg", &status) == 0;
        return is_foreign ? MPROF__PROCFS_FOREIGN : MPROF__PROCFS_NONE;
    }
    is_foreign = strtoll(text, NULL, 10) != getpid();
    return is_foreign ? MPROF__PROCFS_FOREIGN : MPROF__PROCFS_OURS;
}

void mprof__procfs_reserve_descriptor(void)
{
    has_reserve = true;
    if (reserved_fd < 0) {
        reserved_fd = open("/", O_PATH | O_CLOEXEC);
    }
}

void mprof__procfs_release_descriptor(void)
{
    has_reserve = false;
    if (reserved_fd >= 0) {
        close(reserved_fd);
        reserved_fd = -1;
    }
}

bool mprof__procfs_may_keep(int fd)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) != 0 || (rlim_t)fd + SPARE_DESCRIPTORS < limit.rlim_cur;
}

int mprof__procfs_openat(int directory, const char *path, int flags)
{
    int fd = openat(directory, path, flags | O_CLOEXEC);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE) && reserved_fd >= 0) {
        close(reserved_fd);
        reserved_fd = -1;
        fd = openat(directory, path, flags | O_CLOEXEC);
    }
    return fd;
}

int mprof__procfs_open_path(const char *path, int flags)
{
    return mprof__procfs_openat(AT_FDCWD, path, flags);
}

void mprof__procfs_restore_reserve(void)
{
    if (has_reserve) {
        mprof__procfs_reserve_descriptor();
    }
}

void mprof__procfs_close(int fd)
{
    close(fd);
    mprof__procfs_restore_reserve();
}

static int open_file(int64_t pid, const char *name, int flags)
{
    char path[64];

    if (is_foreign) {
        errno = ENOENT;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/%lld/%s", (long long)pid, name);
    return mprof__procfs_open_path(path, flags);
}

int mprof__procfs_open(int64_t pid, const char *name)
{
    return open_file(pid, name, O_RDONLY);
}

static ssize_t read_and_close(char *text, size_t size, int fd)
{
    if (fd < 0) {
        return -1;
    }
    ssize_t got = read(fd, text, size - 1);
    mprof__procfs_close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got;
}

ssize_t mprof__procfs_text(char *text, size_t size, const char *path)
{
    return read_and_close(text, size, mprof__procfs_open_path(path, O_RDONLY));
}

static ssize_t read_file(char *text, size_t size, int64_t pid, const char *name)
{
    return read_and_close(text, size, mprof__procfs_open(pid, name));
}

static void parse_field(mprof__procfs_stat *stat, int field, const char *at)
{
    switch (field) {
    case FIELD_STATE:
        stat->state = *at;
        break;
    case FIELD_PPID:
        stat->ppid = strtoll(at, NULL, 10);
        break;
    case FIELD_FLAGS:
        stat->has_executed = (strtoul(at, NULL, 10) & FLAG_FORKED) == 0;
        break;
    case FIELD_CHILD_MINOR_FAULTS:
    case FIELD_CHILD_MAJOR_FAULTS:
        stat->reaped_faults += strtoll(at, NULL, 10);
        break;
    case FIELD_THREADS:
        stat->threads = strtoll(at, NULL, 10);
        break;
    case FIELD_START:
        stat->start_ticks = strtoull(at, NULL, 10);
        break;
    case FIELD_EXIT_CODE:
        stat->exit_code = (int)strtol(at, NULL, 10);
        break;
    default:
        break;
    }
}

int mprof__procfs_stat_parse(mprof__procfs_stat *stat, const char *text, size_t length)
{
    const char *open = memchr(text, '(', length);
    const char *close = memrchr(text, ')', length); /* the name may contain any byte, also ')' */

    memset(stat, 0, sizeof *stat);
    if (!open || !close || close < open) {
        return -1;
    }
    snprintf(stat->comm, sizeof stat->comm, "%.*s", (int)(close - open - 1), open + 1);
    const char *at = close + 1;
    for (int field = FIELD_STATE; field <= FIELD_EXIT_CODE; field++) {
        if (*at != ' ') {
            return field > FIELD_START ? 0 : -1;
        }
        at++;
        parse_field(stat, field, at);
        at += strcspn(at, " \n");
    }
    return 0;
}

int mprof__procfs_stat_read(mprof__procfs_stat *stat, int64_t pid)
{
    char text[1024];
    ssize_t got = read_file(text, sizeof text, pid, "stat");

    return got > 0 ? mprof__procfs_stat_parse(stat, text, (size_t)got) : -1;
}

bool mprof__procfs_is_readable(int64_t pid)
{
    char path[64];
    struct stat status;

    snprintf(path, sizeof path, "/proc/%lld", (long long)pid);
    return geteuid() == 0 || (stat(path, &status) == 0 && status.st_uid == geteuid());
}

int64_t mprof__procfs_find_kib(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0) {
            return strtoll(line + length, NULL, 10);
        }
    }
    return -1;
}

ssize_t mprof__procfs_status_text(char *text, size_t size, int64_t pid)
{
    return read_file(text, size, pid, "status");
}

static int64_t bytes_of(const char *text, const char *key)
{
    int64_t kib = mprof__procfs_find_kib(text, key);

    return kib < 0 ? -1 : kib * 1024;
}

int mprof__procfs_status_read_all(mprof__procfs_status *status, int64_t pid)
{
    static const char name_key[] = "Name:\t";
    char text[4096];

    if (read_file(text, sizeof text, pid, "status") <= 0) {
        return -1;
    }
    status->high_water_bytes = bytes_of(text, "VmHWM:");
    status->hugetlb_bytes = bytes_of(text, "HugetlbPages:");
    status->comm[0] = '\0';
    if (strncmp(text, name_key, sizeof name_key - 1) == 0) {
        const char *name = text + sizeof name_key - 1;

        snprintf(status->comm, sizeof status->comm, "%.*s", (int)strcspn(name, "\n"), name);
    }
    return 0;
}

int mprof__procfs_status_read(int64_t *high_water_bytes, char *comm, size_t size, int64_t pid)
{
    mprof__procfs_status status;

    if (mprof__procfs_status_read_all(&status, pid) != 0) {
        return -1;
    }
    *high_water_bytes = status.high_water_bytes;
    snprintf(comm, size, "%s", status.comm);
    return 0;
}

int mprof__procfs_reset_high_water(int64_t *high_water_bytes, int64_t pid)
{
    char comm[64];

    /* opened first: the mark is lost between reading and reset */
    int fd = open_file(pid, "clear_refs", O_WRONLY);
    *high_water_bytes = -1;
    int status = mprof__procfs_status_read(high_water_bytes, comm, sizeof comm, pid);
    if (fd < 0) {
        return -1;
    }
    if (status == 0 && write(fd, "5", 1) != 1) {
        status = -1;
    }
    mprof__procfs_close(fd);
    return status;
}

size_t mprof__procfs_arguments(char *bytes, size_t size, int64_t pid)
{
    ssize_t got = read_file(bytes, size, pid, "cmdline");

    return got > 0 ? (size_t)got : 0;
}

bool mprof__procfs_is_user(int64_t pid, uid_t user)
{
    char text[4096];
    char *end;

    if (mprof__procfs_status_text(text, sizeof text, pid) < 0) {
        return true;
    }
    const char *line = strstr(text, "\nUid:");
    for (line = line ? line + strlen("\nUid:") : ""; *line == '\t'; line = end) {
        if (strtoull(line, &end, 10) == user) {
            return true;
        }
    }
    return false;
}
