/* Memory control groups: version 2, or the memory controller of version 1. See the kernel's
 * cgroup-v2.rst and cgroup-v1/memory.rst. */
#ifndef MPROF_RECORD_CGROUP_H
#define MPROF_RECORD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MPROF__CGROUP_PATH_SIZE 1024

/* Where the groups that count memory are mounted. */
typedef struct mprof__cgroup_mount {
    int version;                             /* 1 or 2; 0: not found */
    char root[MPROF__CGROUP_PATH_SIZE];      /* the group at the mount point */
    char directory[MPROF__CGROUP_PATH_SIZE]; /* the mount point */
} mprof__cgroup_mount;

/* Descriptors of one group; -1: there is no such file. */
typedef struct mprof__cgroup {
    int version;
    int current_fd;     /* memory.current; memory.usage_in_bytes */
    int events_fd;      /* memory.events.local or memory.events; memory.oom_control */
    int peak_fd;        /* memory.peak; memory.max_usage_in_bytes; opened on request */
    int64_t peak_bytes; /* last value read; -1: none */
} mprof__cgroup;

/* Parses one line of /proc/self/mountinfo. If both versions are mounted, version 1 has the memory
 * controller if one of its mounts names it. */
void mprof__cgroup_mount_parse(mprof__cgroup_mount *mount, const char *line);

/* Writes the directory of the group that /proc/PID/cgroup, `text`, names. 0, or -1: the group is
 * outside the part that is mounted here. */
int mprof__cgroup_path(char *path, size_t size, const mprof__cgroup_mount *mount, const char *text);

/* Opens the group in `directory`. Its files may be missing. */
void mprof__cgroup_open(mprof__cgroup *group, int version, const char *directory);
void mprof__cgroup_close(mprof__cgroup *group);

/* How many processes of the group the out-of-memory killer has ended; -1: unknown. */
int64_t mprof__cgroup_oom_kills(const mprof__cgroup *group);

/* Memory charged to the group now; -1: unknown. */
int64_t mprof__cgroup_current_bytes(const mprof__cgroup *group);

/* Starts to watch the group's high-water mark. Its present value may be old: only later rises
 * count. resets: reset the mark, if permitted. With version 1 that is visible to all; with version
 * 2 (Linux 6.12) each open file has its own mark. */
void mprof__cgroup_watch_peak(mprof__cgroup *group, const char *directory, bool resets);

/* The mark if it has changed since the last reading: the highest memory in between. Else -1. */
int64_t mprof__cgroup_new_peak_bytes(mprof__cgroup *group);

/* The lowest limit of the group in `directory` and its ancestors up to the mount point `top`; -1:
 * none. */
int64_t mprof__cgroup_limit_bytes(int version, const char *directory, const char *top);

#endif
