/* A running process and all that descends from it, looked at now and then, onto a board; nothing is
 * recorded and nothing is touched. */
#ifndef MPROF_RECORD_PROCESS_WATCH_H
#define MPROF_RECORD_PROCESS_WATCH_H

#include "process_table.h"

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__process_watch mprof__process_watch;

/* `board` is the caller's and must outlive the watch. MPROF_ENOMEM. */
mprof_status mprof__process_watch_open(mprof__process_watch **out, int64_t pid,
                                       mprof__process_table *board, mprof_error *error);
void mprof__process_watch_free(mprof__process_watch *watch);

/* Looks at all of them. 0 when the process has ended. */
int mprof__process_watch_look(mprof__process_watch *watch);

#endif
