/* Counts the page faults of a thread or a process that needed no reading from a disk: each gives it
 * a page of memory. */
#ifndef MPROF_RECORD_FAULT_COUNTER_H
#define MPROF_RECORD_FAULT_COUNTER_H

#include <stddef.h>
#include <stdint.h>

typedef struct mprof__fault_counter {
    int64_t pid;
    int64_t tid;    /* 0: the whole process, threads that have ended included */
    int fd;         /* its stat in /proc; -1: opened for each reading */
    int64_t faults; /* as read last; -1: not read yet */
} mprof__fault_counter;

/* Does not fail: a thread that has ended shows at the first reading. */
void mprof__fault_counter_open(mprof__fault_counter *counter, int64_t pid, int64_t tid);
void mprof__fault_counter_close(mprof__fault_counter *counter);

/* Faults since the last reading, and before the first one since the thread began. -1: it cannot be
 * read. */
int64_t mprof__fault_counter_advance(mprof__fault_counter *counter);

/* Parses the text of stat; -1: it is malformed. */
int64_t mprof__fault_counter_parse(const char *text, size_t length);

#endif
