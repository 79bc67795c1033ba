/* The memory control group of a process, through the files by which the kernel shows it: version 2,
 * or the memory controller of version 1. See the kernel's cgroup-v2.rst and cgroup-v1/memory.rst.
 */
#ifndef MPROF_RECORD_CGROUP_H
#define MPROF_RECORD_CGROUP_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__CGROUP_PATH_SIZE 1024

/* Where groups are mounted that count memory. */
typedef struct mprof__cgroup_mount {
    int version;                             /* 1 or 2; 0: none was found */
    char root[MPROF__CGROUP_PATH_SIZE];      /* the group that is shown at the mount point */
    char directory[MPROF__CGROUP_PATH_SIZE]; /* the mount point */
} mprof__cgroup_mount;

/* One group: descriptors that are kept. -1 where there is no such file. */
typedef struct mprof__cgroup {
    int version;
    int current_fd;     /* memory.current; memory.usage_in_bytes */
    int events_fd;      /* memory.events.local or memory.events; memory.oom_control */
    int peak_fd;        /* memory.peak; memory.max_usage_in_bytes; opened on request */
    int64_t peak_bytes; /* as read last; -1: not read */
} mprof__cgroup;

/* Looks at one line of /proc/self/mountinfo, without its end. Where both versions are mounted, the
 * memory controller is with the one whose mount names it. */
void mprof__cgroup_mount_take(mprof__cgroup_mount *mount, const char *line);

/* Finds the group in the text of a /proc/PID/cgroup, and writes the path of its directory. 0, or -1
 * if it is not to be seen from here. */
int mprof__cgroup_path(char *path, size_t size, const mprof__cgroup_mount *mount, const char *text);

/* Opens the group in `directory`. A file that is not there is none. */
void mprof__cgroup_open(mprof__cgroup *group, int version, const char *directory);
void mprof__cgroup_close(mprof__cgroup *group);

/* How many processes of the group the out-of-memory killer has ended; -1 if that is not told. */
int64_t mprof__cgroup_oom_kills(const mprof__cgroup *group);

/* Memory that is charged to the group now; -1 if that is not told. */
int64_t mprof__cgroup_current_bytes(const mprof__cgroup *group);

/* Begins to watch the kernel's high-water mark of the group. It may be of long before: only what it
 * rises to later is ours. resets: it may begin anew, where the kernel allows that; with version 1
 * everybody sees that, with version 2 (Linux 6.12) nobody else does. */
void mprof__cgroup_watch_peak(mprof__cgroup *group, const char *directory, int resets);

/* The mark, if it has changed since it was read last: the most there was in between. Else -1. */
int64_t mprof__cgroup_new_peak_bytes(mprof__cgroup *group);

/* The lowest limit of the group in `directory` and of those around it, up to the mount point
 * `top`; -1 if there is none. */
int64_t mprof__cgroup_limit_bytes(int version, const char *directory, const char *top);

#endif
