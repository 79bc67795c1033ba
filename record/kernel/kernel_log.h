/* Whom the out-of-memory killer has killed, as the kernel's log tells those who may read it
 * (/dev/kmsg). */
#ifndef MPROF_RECORD_KERNEL_LOG_H
#define MPROF_RECORD_KERNEL_LOG_H

#include <stdint.h>

#define MPROF__KERNEL_LOG_VICTIMS 64

typedef struct mprof__kernel_log {
    int fd;                                     /* -1: not to be read, or of no use */
    int64_t victims[MPROF__KERNEL_LOG_VICTIMS]; /* the newest ones; 0: none */
    unsigned next;
} mprof__kernel_log;

/* What is logged from now on. `root`: in front of the paths. */
void mprof__kernel_log_open(mprof__kernel_log *log, const char *root);
void mprof__kernel_log_close(mprof__kernel_log *log);

/* Reads what is new. 1 if the process is among the victims, and forgets it; 0 if not; -1 if the log
 * cannot tell. */
int mprof__kernel_log_take_victim(mprof__kernel_log *log, int64_t pid);

#endif
