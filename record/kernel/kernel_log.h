/* Finds the out-of-memory killer's victims in the kernel's log (/dev/kmsg), for those who may read
 * it. */
#ifndef MPROF_RECORD_KERNEL_LOG_H
#define MPROF_RECORD_KERNEL_LOG_H

#include <stdint.h>

#define MPROF__KERNEL_LOG_VICTIMS 64

typedef struct mprof__kernel_log {
    int fd;                                     /* -1: not readable, or of another pid namespace */
    int64_t victims[MPROF__KERNEL_LOG_VICTIMS]; /* the newest; 0: empty */
    unsigned next;
} mprof__kernel_log;

/* Reads what is logged from now on. root: a prefix of all paths. */
void mprof__kernel_log_open(mprof__kernel_log *log, const char *root);
void mprof__kernel_log_close(mprof__kernel_log *log);

/* Reads new records. 1: the process is a victim, which is removed from the list; 0: it is not; -1:
 * the log cannot be read. */
int mprof__kernel_log_take_victim(mprof__kernel_log *log, int64_t pid);

#endif
