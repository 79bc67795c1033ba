/* Readers of /proc. Every number is checked. That a process has ended is an ordinary result, not an
 * error. */
#ifndef MPROF_RECORD_PROCFS_H
#define MPROF_RECORD_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mprof__procfs_stat {
    char comm[64];
    char state; /* R S D T Z ... */
    int64_t ppid;
    bool has_executed;    /* has called exec since it was forked */
    uint64_t start_ticks; /* since boot; differs between processes of the same pid */
    int64_t threads;
    int64_t reaped_faults; /* page faults of children it has waited for; 0: there were none */
    int exit_code;         /* of a zombie, as a wait status; 0: no permission */
} mprof__procfs_stat;

/* Whether /proc is that of our pid namespace. */
typedef enum mprof__procfs_view {
    MPROF__PROCFS_OURS,
    MPROF__PROCFS_NONE,   /* not mounted */
    MPROF__PROCFS_FOREIGN /* of another pid namespace: its pids are other processes */
} mprof__procfs_view;

/* Call once, at the start. From a foreign /proc nothing is read afterwards: every file counts as
 * missing. */
mprof__procfs_view mprof__procfs_check(void);

/* Reserves a descriptor, so that files can still be read one by one when no other is free. For a
 * process that keeps many files open. Not thread-safe. */
void mprof__procfs_reserve_descriptor(void);
/* Closes that descriptor. */
void mprof__procfs_release_descriptor(void);

/* Whether `fd` may stay open: enough descriptors are left. */
bool mprof__procfs_may_keep(int fd);

/* Reads a small file, up to `size` bytes with NUL. Its length, or -1 with errno. */
ssize_t mprof__procfs_text(char *text, size_t size, const char *path);

/* Opens /proc/PID/<name> for reading. A descriptor or -1 with errno. */
int mprof__procfs_open(int64_t pid, const char *name);

/* Opens a file or a directory, with the reserved descriptor if no other is free. A descriptor or -1
 * with errno. */
int mprof__procfs_open_path(const char *path, int flags);
int mprof__procfs_openat(int directory, const char *path, int flags);

/* Closes a descriptor of these functions and restores the reserve. */
void mprof__procfs_close(int fd);
/* Restores the reserve after a descriptor was closed by other means. */
void mprof__procfs_restore_reserve(void);

/* Reads /proc/PID/stat. 0, or -1 if there is no such process. */
int mprof__procfs_stat_read(mprof__procfs_stat *stat, int64_t pid);

/* Parses the text of /proc/PID/stat, `length` bytes. 0, or -1: it is malformed. */
int mprof__procfs_stat_parse(mprof__procfs_stat *stat, const char *text, size_t length);

/* Whether all files of the process are readable: it is of our user, or we are root. */
bool mprof__procfs_is_readable(int64_t pid);

/* Reads from /proc/PID/status the high-water mark of resident memory (VmHWM), -1: none,
 * and the present name, up to `size` bytes with NUL. 0, or -1: the process has ended. */
int mprof__procfs_status_read(int64_t *high_water_bytes, char *comm, size_t size, int64_t pid);

/* Whether one of the process's user ids is `user`; also true if it cannot be read any more. */
bool mprof__procfs_is_user(int64_t pid, uid_t user);

/* The same, and memory in huge pages of hugetlbfs, -1: unknown. */
typedef struct mprof__procfs_status {
    int64_t high_water_bytes;
    int64_t hugetlb_bytes;
    char comm[64];
} mprof__procfs_status;

int mprof__procfs_status_read_all(mprof__procfs_status *status, int64_t pid);

/* Reads the text of /proc/PID/status; ends with NUL. Its length, or -1. */
ssize_t mprof__procfs_status_text(char *text, size_t size, int64_t pid);

/* Reads the high-water mark and resets it to the present resident memory. A peak between the two
 * steps is lost. 0; or -1: the process has ended (*high_water_bytes is -1), or the mark may not be
 * reset (*high_water_bytes is the mark). */
int mprof__procfs_reset_high_water(int64_t *high_water_bytes, int64_t pid);

/* Reads the argument vector, each argument ended by NUL, at most `size` bytes. Returns the number
 * of bytes; 0 for kernel threads, zombies and processes that have ended. */
size_t mprof__procfs_arguments(char *bytes, size_t size, int64_t pid);

/* The number after "<key>" at the start of a line of `text`, kB in most files; -1: not found. */
int64_t mprof__procfs_find_kib(const char *text, const char *key);

#endif
