/* A recording that is being written, read as it grows: whole lines only, each once, onto a board.
 */
#ifndef MPROF_RECORD_RECORDING_TAIL_H
#define MPROF_RECORD_RECORDING_TAIL_H

#include "process_table.h"

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__recording_tail mprof__recording_tail;

/* `board` is the caller's and must outlive the file. MPROF_ENOTFOUND, MPROF_EIO, MPROF_EFORMAT (no
 * regular file), MPROF_ENOMEM. */
mprof_status mprof__recording_tail_open(mprof__recording_tail **out, const char *path,
                                        mprof__process_table *board, mprof_error *error);
void mprof__recording_tail_free(mprof__recording_tail *file);

/* Reads what has been written since. MPROF_EFORMAT: it is no recording, or is one no longer;
 * MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__recording_tail_read(mprof__recording_tail *file, mprof_error *error);

/* The process that writes it, by its lock: 0 if nobody does, -1 if somebody does who has no number
 * here (another machine, another container). */
int64_t mprof__recording_tail_recorder(const mprof__recording_tail *file);

#endif
