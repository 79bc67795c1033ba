/* Finds and drains the rings of all processes, and writes their calls to the recording. */
#ifndef MPROF_RECORD_CALLS_H
#define MPROF_RECORD_CALLS_H

#include "record/output/event_log.h"
#include "record/processes/process_tree.h"
#include "ring_folder.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__calls mprof__calls;

/* folder, log and tree are borrowed and must outlive the calls. MPROF_ENOMEM. */
mprof_status mprof__calls_open(mprof__calls **out, mprof__ring_folder *folder,
                               mprof__event_log *log, mprof__process_tree *tree,
                               mprof_error *error);
void mprof__calls_free(mprof__calls *calls);

/* Leaves out calls that end before begin_ns, and moves the entries of those that began before it.
 * INT64_MAX: leaves out all. */
void mprof__calls_begin(mprof__calls *calls, int64_t begin_ns);

/* Opens new rings, adds their processes to the tree, and writes names that processes were given. */
void mprof__calls_find_rings(mprof__calls *calls);

/* To be called after the tree was updated: writes names whose processes were unknown. */
void mprof__calls_retry_names(mprof__calls *calls);

/* Writes what the rings hold. */
void mprof__calls_drain(mprof__calls *calls);

/* Drains and closes the rings of a process that has ended. Its open calls end at end_ns. */
void mprof__calls_end_process(mprof__calls *calls, int64_t pid, int64_t end_ns);

/* Drains and closes all rings. Open calls are recorded as open. */
void mprof__calls_finish(mprof__calls *calls, int64_t now_ns);

/* Whether the process has recorded calls of this name, as of the last drain. */
bool mprof__calls_record(const mprof__calls *calls, int64_t pid, mprof_text name);

/* No call was written so far, and no line said why. */
bool mprof__calls_are_missing(const mprof__calls *calls);

/* Calls `levels` (NULL: none) with each call that is written; it returns how many levels further
 * inside to draw it. */
void mprof__calls_set_levels(mprof__calls *calls,
                             int32_t (*levels)(void *data, const mprof__event_log_call *call),
                             void *data);

/* Counts the calls in flight of one process (pid 0: of all), as of the last drain. The name of the
 * newest goes into name[size], cut and terminated; "" if none exists. */
size_t mprof__calls_count_in_flight(const mprof__calls *calls, int64_t pid, char *name,
                                    size_t size);

#endif
