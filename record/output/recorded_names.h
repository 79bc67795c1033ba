/* Reads names of processes from a recording that is being written. multiprocessing's names
 * (ForkPoolWorker-1) are known to the recorder only. */
#ifndef MPROF_RECORD_RECORDED_NAMES_H
#define MPROF_RECORD_RECORDED_NAMES_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the recording that process `recorder` is writing, if any. `report` gets each name in file
 * order, so the last one of a pid counts, and NULL when a process ends. The name is valid during
 * the call. */
void mprof__recorded_names_read(int64_t recorder,
                                void (*report)(void *data, int64_t pid, const char *name),
                                void *data);

/* The path of the file that process `recorder` is writing; false: it writes none that this user may
 * read. */
bool mprof__recorded_file(int64_t recorder, char *path, size_t size);

#endif
