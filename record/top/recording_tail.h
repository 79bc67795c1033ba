/* A recording that is being written, read as it grows: whole lines only, each once, onto a board.
 */
#ifndef MPROF_RECORD_RECORDING_TAIL_H
#define MPROF_RECORD_RECORDING_TAIL_H

#include "process_table.h"

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__growing_file mprof__growing_file;

/* `board` is the caller's and must outlive the file. MPROF_ENOTFOUND, MPROF_EIO, MPROF_EFORMAT (no
 * regular file), MPROF_ENOMEM. */
mprof_status mprof__growing_file_open(mprof__growing_file **out, const char *path,
                                      mprof__board *board, mprof_error *error);
void mprof__growing_file_free(mprof__growing_file *file);

/* Reads what has been written since. MPROF_EFORMAT: it is no recording, or is one no longer;
 * MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__growing_file_read(mprof__growing_file *file, mprof_error *error);

/* The process that writes it, by its lock: 0 if nobody does, -1 if somebody does who has no number
 * here (another machine, another container). */
int64_t mprof__growing_file_recorder(const mprof__growing_file *file);

#endif
