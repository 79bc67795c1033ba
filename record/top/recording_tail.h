/* Reads a recording while it is written, each whole line once, into the table of `mprof top`. */
#ifndef MPROF_RECORD_RECORDING_TAIL_H
#define MPROF_RECORD_RECORDING_TAIL_H

#include "process_table.h"

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__recording_tail mprof__recording_tail;

/* The table must outlive the file. MPROF_ENOTFOUND, MPROF_EIO, MPROF_EFORMAT (not a regular file),
 * MPROF_ENOMEM. */
mprof_status mprof__recording_tail_open(mprof__recording_tail **out, const char *path,
                                        mprof__process_table *table, mprof_error *error);
void mprof__recording_tail_free(mprof__recording_tail *file);

/* Reads what was written since the last call. MPROF_EFORMAT: it is not a recording, or was
 * truncated; MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__recording_tail_read(mprof__recording_tail *file, mprof_error *error);

/* The pid of the recorder that holds the lock on the file. 0: the file is not being written; -1: it
 * is, by a process without a pid here (another machine or container). */
int64_t mprof__recording_tail_recorder(const mprof__recording_tail *file);

#endif
