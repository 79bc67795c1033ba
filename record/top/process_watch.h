/* Polls a process and its descendants for `mprof top PID`. Reads /proc only. */
#ifndef MPROF_RECORD_PROCESS_WATCH_H
#define MPROF_RECORD_PROCESS_WATCH_H

#include "process_table.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__process_watch mprof__process_watch;

/* The table must outlive the watch. MPROF_ENOMEM. */
mprof_status mprof__process_watch_open(mprof__process_watch **out, int64_t pid,
                                       mprof__process_table *table, mprof_error *error);
void mprof__process_watch_free(mprof__process_watch *watch);

/* Reads all of them into the table. False: the process has ended. */
bool mprof__process_watch_update(mprof__process_watch *watch);

#endif
