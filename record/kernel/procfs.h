/* What /proc tells of one process. Every number is checked; a process that has gone is an ordinary
 * answer, not a failure. */
#ifndef MPROF_RECORD_PROCFS_H
#define MPROF_RECORD_PROCFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mprof__procfs_stat {
    char comm[64];
    char state; /* R S D T Z ... */
    int64_t ppid;
    int has_executed;     /* a program since its birth: else it is a fork of its parent */
    uint64_t start_ticks; /* since boot: tells two processes of one pid apart */
    int64_t threads;
    int64_t reaped_faults; /* page faults of the children it has waited for: 0 if there were none */
    int exit_code;         /* of a zombie, as wait(2) has it; 0 where it may not be seen */
} mprof__procfs_stat;

/* Whether /proc shows this process, and so those that it starts. */
typedef enum mprof__procfs_view {
    MPROF__PROCFS_OURS,
    MPROF__PROCFS_NONE,   /* not mounted */
    MPROF__PROCFS_FOREIGN /* of another pid namespace: its numbers mean other processes */
} mprof__procfs_view;

/* Asks once. Nothing is read from a foreign one from then on: every file is taken for missing. */
mprof__procfs_view mprof__procfs_check(void);

/* Sets a descriptor aside, so that files can be read one by one when no other is left. For a
 * process that keeps many files open; not thread-safe. */
void mprof__procfs_set_aside(void);
/* Closes that descriptor. */
void mprof__procfs_release_aside(void);

/* 1 if a descriptor may be kept: some are left for everything else. */
int mprof__procfs_may_keep(int fd);

/* Reads a small file as a whole, as far as it fits, and terminates it. Its length, or -1 with
 * errno.
 */
ssize_t mprof__procfs_text(char *text, size_t size, const char *path);

/* Opens /proc/PID/<name> for reading. A descriptor or -1 with errno. */
int mprof__procfs_open(int64_t pid, const char *name);

/* Opens a file or a directory for reading, with the descriptor that was set aside if there is no
 * other. A descriptor or -1 with errno. */
int mprof__procfs_open_path(const char *path, int flags);
int mprof__procfs_openat(int directory, const char *path, int flags);

/* Closes what was opened for one reading, and sets a descriptor aside again. */
void mprof__procfs_close(int fd);
/* The same where it has been closed by other means. */
void mprof__procfs_regain(void);

/* Reads /proc/PID/stat. 0, or -1 if there is no such process. */
int mprof__procfs_stat_read(mprof__procfs_stat *stat, int64_t pid);

/* Takes apart the text of /proc/PID/stat, `length` bytes. 0, or -1 if it is not one. */
int mprof__procfs_stat_parse(mprof__procfs_stat *stat, const char *text, size_t length);

/* 1 if the kernel shows us all there is to know of the process: it is ours, or we are root. */
int mprof__procfs_is_open_to_us(int64_t pid);

/* Reads what /proc/PID/status alone knows: the kernel's high-water mark of resident memory (VmHWM),
 * -1 if there is none, and the present name, `size` bytes with its end. 0, or -1 if the process has
 * gone. */
int mprof__procfs_status_read(int64_t *high_water_bytes, char *comm, size_t size, int64_t pid);

/* 1 if the process is that user, by any of its user ids, or cannot be looked at any more. */
int mprof__procfs_is_user(int64_t pid, uid_t user);

/* The same, and memory in huge pages of hugetlbfs; -1 if there is none. */
typedef struct mprof__procfs_status {
    int64_t high_water_bytes;
    int64_t hugetlb_bytes;
    char comm[64];
} mprof__procfs_status;

int mprof__procfs_status_read_all(mprof__procfs_status *status, int64_t pid);

/* The text of /proc/PID/status, terminated. Its length, or -1. */
ssize_t mprof__procfs_status_text(char *text, size_t size, int64_t pid);

/* Reads the high-water mark and makes it begin anew at what is resident now; what comes in between
 * is lost. 0, or -1 with *high_water_bytes -1 if the process has gone, else as it was read: it may
 * not be reset. */
int mprof__procfs_take_high_water(int64_t *high_water_bytes, int64_t pid);

/* Argument vector of the process, each argument ended by NUL, at most `size` bytes. Returns how
 * many bytes; 0 for kernel threads, zombies and processes that have gone. */
size_t mprof__procfs_arguments(char *bytes, size_t size, int64_t pid);

/* Finds "<key>" at the start of a line of `text` and reads the number of kB behind it; -1 if there
 * is none. */
int64_t mprof__procfs_kib(const char *text, const char *key);

#endif
