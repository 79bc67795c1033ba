/* Names that only a recording knows: what multiprocessing calls a process (ForkPoolWorker-1)
 * reaches its recorder, and stands in the file that this one is writing. */
#ifndef MPROF_RECORD_RECORDED_NAMES_H
#define MPROF_RECORD_RECORDED_NAMES_H

#include <mprof/error.h>
#include <stdint.h>

/* Reads the recording that process `recorder` is writing, if it is a recorder. `take` gets each
 * name in the order of the file, so the last one of a pid counts, and NULL at the end of a process.
 * The name is valid during the call. */
void mprof__recorded_names_read(int64_t recorder,
                                void (*take)(void *data, int64_t pid, const char *name),
                                void *data);

#endif
