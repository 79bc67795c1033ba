/* What a file says of its recording as a whole: at its head how it is made, at its end what was
 * missed. */
#ifndef MPROF_RECORD_FACTS_H
#define MPROF_RECORD_FACTS_H

#include "plan.h"
#include "record/kernel/procfs.h"
#include "record/output/event_log.h"
#include "record/processes/process.h"

#include <stdint.h>

/* processes_by, peaks_by: how births and peaks are learnt; see docs/recording.md. */
void mprof__facts_write_head(mprof__event_log *log, const mprof__recorder_plan *plan,
                             const char *processes_by, const char *peaks_by);

/* What is left out of every sum, because the kernel does not let it be read. */
enum { MPROF__LEFT_OUT_SAMPLES = 1, MPROF__LEFT_OUT_KINDS = 2, MPROF__LEFT_OUT_FILES = 4 };

/* Reports, once for each process and `what`, that its memory could not be read, for want of
 * permission or, by `reason`, of descriptors (EMFILE). `how`: the backend, or the kinds. The user
 * gets a line for the first one. */
void mprof__facts_report_left_out(mprof__event_log *log, mprof__process *process, unsigned what,
                                  const char *how, int reason);

/* Reports, once for the first process that has some, memory in huge pages: no resident memory has
 * it. */
void mprof__facts_report_huge_pages(mprof__event_log *log, const mprof__process *process,
                                    int64_t bytes);

/* Reports that /proc shows nothing of the program. */
void mprof__facts_report_proc(mprof__event_log *log, mprof__procfs_view view);

/* Ticks that came too late, that were left out because reading is costly, and of those at which
 * kinds of memory were. None of them is told if it is 0. */
void mprof__facts_write_end(mprof__event_log *log, uint64_t missed, uint64_t thinned,
                            uint64_t thinned_kinds);

#endif
