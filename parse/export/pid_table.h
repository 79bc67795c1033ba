/* Pids for formats that know one table of them: those of several runs and hosts may be equal. Such
 * ones, and what is no process, get numbers that Linux does not use. Private to this folder. */
#ifndef MPROF_PARSE_EXPORT_PID_TABLE_H
#define MPROF_PARSE_EXPORT_PID_TABLE_H

#include "export.h"

#include "parse/map.h"

/* All zero: empty. */
typedef struct mprof__pid_table {
    int64_t *taken; /* owned; all pids given out */
    size_t taken_count, taken_capacity;
    mprof__index index; /* of them */
    int64_t *pids;      /* owned; of the run, and one more: no process */
    int64_t unused;     /* given out so far */
} mprof__pid_table;

/* 0, or -1 without memory. */
int mprof__pid_table_begin_run(mprof__pid_table *table, const mprof__export_run *run);
/* index: of a process; the number of processes: of no process. */
int64_t mprof__pid_table_pid(const mprof__pid_table *table, size_t index);
/* A number that no process or thread has. */
int64_t mprof__pid_table_unused(mprof__pid_table *table);
void mprof__pid_table_free(mprof__pid_table *table);

#endif
