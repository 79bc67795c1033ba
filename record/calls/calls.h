/* The calls of all processes: their rings are found, drained, and written down; calls in flight are
 * told when their process ends. */
#ifndef MPROF_RECORD_CALLS_H
#define MPROF_RECORD_CALLS_H

#include "record/output/event_log.h"
#include "record/processes/process_tree.h"
#include "ring_folder.h"

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__calls mprof__calls;

/* folder, log and tree stay the caller's and must outlive the calls. MPROF_ENOMEM. */
mprof_status mprof__calls_open(mprof__calls **out, mprof__ring_folder *folder,
                               mprof__event_log *log, mprof__process_tree *tree,
                               mprof_error *error);
void mprof__calls_free(mprof__calls *calls);

/* Calls that end before that moment are left out, and those that began before it are told from it
 * on. INT64_MAX: all are left out. */
void mprof__calls_begin(mprof__calls *calls, int64_t begin_ns);

/* Takes on the rings that have been made since; their processes become known to the tree. Names
 * that processes have been given since are written down. */
void mprof__calls_find_rings(mprof__calls *calls);

/* The tree has been brought up to date: writes down the names of processes that were not known. */
void mprof__calls_retry_names(mprof__calls *calls);

/* Writes down what the rings hold. */
void mprof__calls_drain(mprof__calls *calls);

/* Drains and closes the rings of a process that has ended: what is in flight ended then. */
void mprof__calls_end_process(mprof__calls *calls, int64_t pid, int64_t end_ns);

/* Drains and closes all rings: what is in flight has not ended yet. */
void mprof__calls_finish(mprof__calls *calls, int64_t now_ns);

/* How many calls are in flight, of one process or (pid 0) of all, as of the last draining; the name
 * of the last that began goes into name[size], cut and terminated, "" if there is none. */
size_t mprof__calls_count_in_flight(const mprof__calls *calls, int64_t pid, char *name,
                                    size_t size);

/* Images of processes that have recorded calls. */
uint64_t mprof__calls_ring_count(const mprof__calls *calls);

#endif
