#include "cgroup.h"

#include "procfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Version 1 shows "no limit" as a number just below 2^63. */
#define NO_LIMIT_BYTES (INT64_C(1) << 60)

/* ---- mounts and paths ---- */

/* Copies the space-separated field at *at and moves *at after it. */
static void next_field(const char **at, char *field, size_t size)
{
    size_t length = strcspn(*at, " \n");

    snprintf(field, size, "%.*s", (int)length, *at);
    *at += length;
    *at += **at == ' ';
}

/* Whether a comma-separated list contains the word. */
static bool list_contains(const char *list, size_t length, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = list; at < list + length;) {
        size_t one = strcspn(at, ",");

        if (at + one > list + length) {
            one = (size_t)(list + length - at);
        }
        if (one == size && memcmp(at, word, size) == 0) {
            return true;
        }
        at += one + 1;
    }
    return false;
}

void mprof__cgroup_mount_parse(mprof__cgroup_mount *mount, const char *line)
{
    const char *kind = strstr(line, " - ");
    const char *at = line;
    char skipped[64];
    char type[16];
    char options[256];
    int version = 0;

    if (!kind) {
        return;
    }
    kind += 3;
    next_field(&kind, type, sizeof type);
    next_field(&kind, skipped, sizeof skipped); /* the source */
    next_field(&kind, options, sizeof options);
    if (strcmp(type, "cgroup") == 0 && list_contains(options, strlen(options), "memory")) {
        version = 1;
    } else if (strcmp(type, "cgroup2") == 0 && mount->version != 1) {
        version = 2;
    }
    if (version == 0) {
        return;
    }
    mount->version = version;
    for (int i = 0; i < 3; i++) { /* two numbers and the device */
        next_field(&at, skipped, sizeof skipped);
    }
    next_field(&at, mount->root, sizeof mount->root);
    next_field(&at, mount->directory, sizeof mount->directory);
}

/* The path in the line of the mounted hierarchy: "4:memory:/path" or "0::/path". Ends with the
 * line. */
static const char *find_group(const mprof__cgroup_mount *mount, const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *names = line + strcspn(line, ":\n");

        if (*names != ':') {
            continue;
        }
        names++;
        const char *path = names + strcspn(names, ":\n");
        if (*path == ':' &&
            (mount->version == 1 ? list_contains(names, (size_t)(path - names), "memory")
                                 : path == names && line[0] == '0')) {
            return path + 1;
        }
    }
    return NULL;
}

int mprof__cgroup_path(char *path, size_t size, const mprof__cgroup_mount *mount, const char *text)
{
    const char *group = mount->version ? find_group(mount, text) : NULL;
    size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

    if (!group) {
        return -1;
    }
    size_t length = strcspn(group, "\n");
    if (length < root || memcmp(group, mount->root, root) != 0 ||
        (length > root && group[root] != '/') || strncmp(group, "/..", 3) == 0) {
        return -1; /* outside the part that is mounted here */
    }
    group += root;
    length -= root;
    if (length == 1) { /* the mount point itself */
        length = 0;
    }
    int written = snprintf(path, size, "%s%.*s", mount->directory, (int)length, group);
    return written > 0 && (size_t)written < size ? 0 : -1;
}

/* ---- one group ---- */

static int open_file_with(int flags, const char *directory, const char *name)
{
    char path[MPROF__CGROUP_PATH_SIZE + 64];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);

    return length > 0 && (size_t)length < sizeof path ? open(path, flags | O_CLOEXEC) : -1;
}

static int open_file(const char *directory, const char *name)
{
    return open_file_with(O_RDONLY, directory, name);
}

void mprof__cgroup_open(mprof__cgroup *group, int version, const char *directory)
{
    group->version = version;
    group->peak_fd = -1;
    group->peak_bytes = -1;
    group->current_fd =
        open_file(directory, version == 1 ? "memory.usage_in_bytes" : "memory.current");
    if (version == 1) {
        group->events_fd = open_file(directory, "memory.oom_control");
        return;
    }
    /* kernels before 5.2 have no .local: the number then includes the groups below */
    group->events_fd = open_file(directory, "memory.events.local");
    if (group->events_fd < 0) {
        group->events_fd = open_file(directory, "memory.events");
    }
}

void mprof__cgroup_close(mprof__cgroup *group)
{
    if (group->events_fd >= 0) {
        close(group->events_fd);
    }
    if (group->current_fd >= 0) {
        close(group->current_fd);
    }
    if (group->peak_fd >= 0) {
        close(group->peak_fd);
    }
    group->events_fd = -1;
    group->current_fd = -1;
    group->peak_fd = -1;
}

/* Reads a file with one number. -1: it holds none, such as "max". */
static int64_t read_number(int fd)
{
    char text[64];
    ssize_t got = fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : -1;

    if (got <= 0 || text[0] < '0' || text[0] > '9') {
        return -1;
    }
    text[got] = '\0';
    return strtoll(text, NULL, 10);
}

int64_t mprof__cgroup_current_bytes(const mprof__cgroup *group)
{
    return read_number(group->current_fd);
}

void mprof__cgroup_watch_peak(mprof__cgroup *group, const char *directory, bool resets)
{
    static const char zero[] = "0";
    const char *name = group->version == 1 ? "memory.max_usage_in_bytes" : "memory.peak";

    if (group->peak_fd >= 0) {
        return;
    }
    if (resets || group->version == 2) {
        group->peak_fd = open_file_with(O_RDWR, directory, name);
    }
    if (group->peak_fd >= 0) {
        (void)!pwrite(group->peak_fd, zero, sizeof zero - 1,
                      0); /* may be forbidden: then the old mark stays */
    } else {
        group->peak_fd = open_file(directory, name);
    }
    group->peak_bytes = read_number(group->peak_fd);
}

int64_t mprof__cgroup_new_peak_bytes(mprof__cgroup *group)
{
    int64_t before = group->peak_bytes;
    int64_t bytes = group->peak_fd >= 0 ? read_number(group->peak_fd) : -1;

    if (bytes < 0 || bytes == before) {
        return -1;
    }
    group->peak_bytes = bytes;
    return before < 0 ? -1 : bytes;
}

int64_t mprof__cgroup_limit_bytes(int version, const char *directory, const char *top)
{
    char path[MPROF__CGROUP_PATH_SIZE];
    size_t shortest = strlen(top);
    int64_t lowest = -1;
    char *slash;

    snprintf(path, sizeof path, "%s", directory);
    do {
        int fd = open_file(path, version == 1 ? "memory.limit_in_bytes" : "memory.max");
        int64_t limit = read_number(fd);

        if (fd >= 0) {
            close(fd);
        }
        if (limit >= 0 && limit < NO_LIMIT_BYTES && (lowest < 0 || limit < lowest)) {
            lowest = limit;
        }
        slash = strrchr(path, '/');
        if (slash) {
            *slash = '\0';
        }
    } while (slash && strlen(path) >= shortest);
    return lowest;
}

int64_t mprof__cgroup_oom_kills(const mprof__cgroup *group)
{
    char text[1024];
    ssize_t got = group->events_fd >= 0 ? pread(group->events_fd, text, sizeof text - 1, 0) : -1;

    if (got <= 0) {
        return -1;
    }
    text[got] = '\0';
    return mprof__procfs_find_kib(text, "oom_kill ");
}
