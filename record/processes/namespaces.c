/* A PID namespace is identified by the inode of /proc/PID/ns/pid. The last number of the line NSpid
 * in /proc/PID/status is the pid in it. /proc/PID/timens_offsets has the offset of CLOCK_MONOTONIC
 * in a time namespace. */
#include "namespaces.h"

#include "record/kernel/clock.h"
#include "record/kernel/procfs.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The most that two readings of one clock may differ by. */
#define SHIFT_MIN_NS INT64_C(50000000)

static uint64_t namespace_of(const char *process, const char *kind)
{
    struct stat status;
    char path[64];

    snprintf(path, sizeof path, "/proc/%s/ns/%s", process, kind);
    return stat(path, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static uint64_t own_pid_namespace(void)
{
    static uint64_t own;

    if (own == 0) {
        own = namespace_of("self", "pid");
    }
    return own;
}

/* The last number of NSpid, or -1. */
static int64_t innermost_pid(int64_t pid)
{
    char text[4096];
    int64_t inner = -1;

    if (mprof__procfs_status_text(text, sizeof text, pid) < 0) {
        return -1;
    }
    char *line = strstr(text, "\nNSpid:");
    char *end = line ? strchr(line + 1, '\n') : NULL;
    if (!end) {
        return -1;
    }
    *end = '\0';
    for (line += strlen("\nNSpid:"); *line == '\t' || *line == ' '; line = end) {
        inner = strtoll(line, &end, 10);
    }
    return inner;
}

typedef enum { OTHER_NAMESPACE, PERHAPS_SAME, SAME_NAMESPACE } namespace_match;

/* If we may not read its namespace, such as that of another user's process, only the pids are
 * compared. In our own namespace they are equal: pid 1 of a container is not pid 1 of the system.
 */
static namespace_match match_namespace(int64_t pid, int64_t inner_pid, uint64_t pid_namespace)
{
    char text[32];
    if (pid_namespace == 0) {
        return SAME_NAMESPACE;
    }
    snprintf(text, sizeof text, "%" PRId64, pid);
    uint64_t found = namespace_of(text, "pid");
    if (found == 0) {
        return inner_pid == pid ? OTHER_NAMESPACE : PERHAPS_SAME;
    }
    return found == pid_namespace ? SAME_NAMESPACE : OTHER_NAMESPACE;
}

static int64_t find_among_all(int64_t pid, uint64_t pid_namespace)
{
    DIR *entries = opendir("/proc");
    struct dirent *entry;
    int64_t found = -1;
    int64_t perhaps = -1;

    while (entries && found < 0 && (entry = readdir(entries))) {
        int64_t candidate = strtoll(entry->d_name, NULL, 10);

        if (candidate <= 0 || innermost_pid(candidate) != pid) {
            continue;
        }
        namespace_match match = match_namespace(candidate, pid, pid_namespace);
        if (match == SAME_NAMESPACE) {
            found = candidate;
        } else if (match == PERHAPS_SAME) {
            perhaps = candidate;
        }
    }
    if (entries) {
        closedir(entries);
    }
    return found >= 0 ? found : perhaps;
}

int64_t mprof__namespaces_find_pid(const mprof__processes *processes, int64_t pid,
                                   uint64_t pid_namespace)
{
    mprof__process *known = mprof__processes_find(processes, pid);

    if (pid_namespace == 0 ? known && innermost_pid(pid) == pid
                           : pid_namespace == own_pid_namespace() || own_pid_namespace() == 0) {
        return pid;
    }
    for (size_t i = 0; i < processes->count; i++) {
        known = processes->items[i];
        if (known->inner_pid == 0) { /* it never changes */
            known->inner_pid = innermost_pid(known->pid);
        }
        if (known->inner_pid == pid &&
            match_namespace(known->pid, pid, pid_namespace) != OTHER_NAMESPACE) {
            return known->pid;
        }
    }
    return find_among_all(pid, pid_namespace);
}

/* 0, or -1 if it cannot be read. */
static int read_offset(const char *process, int64_t *offset_ns)
{
    char path[64];
    char text[256];
    int64_t seconds;
    int64_t nanoseconds;

    snprintf(path, sizeof path, "/proc/%s/timens_offsets", process);
    if (mprof__procfs_text(text, sizeof text, path) < 0) {
        return -1;
    }
    const char *line = strstr(text, "monotonic");
    if (!line || sscanf(line, "monotonic %" SCNd64 " %" SCNd64, &seconds, &nanoseconds) != 2) {
        return -1;
    }
    *offset_ns = seconds * 1000000000 + nanoseconds;
    return 0;
}

int64_t mprof__namespaces_clock_shift(int64_t pid, int64_t monotonic_ns, int64_t wall_ns)
{
    mprof__clock clock;
    char text[32];
    int64_t own_ns;

    mprof__clock_init(&clock);
    int64_t shift_ns = wall_ns - monotonic_ns - clock.offset_ns;
    if (wall_ns == 0 || (shift_ns < SHIFT_MIN_NS && shift_ns > -SHIFT_MIN_NS)) {
        return 0;
    }
    /* the wall clock may have been set in between: check with the kernel */
    snprintf(text, sizeof text, "%" PRId64, pid);
    uint64_t theirs = namespace_of(text, "time");
    if (theirs != 0 && theirs == namespace_of("self", "time")) {
        return 0;
    }
    if (theirs != 0 && read_offset("self", &own_ns) == 0 && read_offset(text, &shift_ns) == 0) {
        return own_ns - shift_ns;
    }
    return shift_ns;
}
