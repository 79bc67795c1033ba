/* Writes facts: at the head how the recording is made, at the end what is missing. */
#ifndef MPROF_RECORD_FACTS_H
#define MPROF_RECORD_FACTS_H

#include "plan.h"
#include "record/kernel/procfs.h"
#include "record/output/event_log.h"
#include "record/processes/process.h"

#include <stdbool.h>
#include <stdint.h>

/* processes_by, peaks_by: how births and peaks are found; see docs/recording.md. */
void mprof__facts_write_head(mprof__event_log *log, const mprof__recorder_plan *plan,
                             const char *processes_by, const char *peaks_by);

/* What could not be read, and is missing from every sum. */
enum { MPROF__LEFT_OUT_SAMPLES = 1, MPROF__LEFT_OUT_KINDS = 2, MPROF__LEFT_OUT_FILES = 4 };

/* Writes, once for each process and `what`, that its memory could not be read: without permission,
 * or without descriptors (`reason` EMFILE). `how`: the backend, or the kinds. Only the first is
 * printed. */
void mprof__facts_report_left_out(mprof__event_log *log, mprof__process *process, unsigned what,
                                  const char *how, int reason);

/* Reports the first process with memory in huge pages, which RSS does not count. */
void mprof__facts_report_huge_pages(mprof__event_log *log, const mprof__process *process,
                                    int64_t bytes);

/* Reports that /proc does not show the program. */
void mprof__facts_report_proc(mprof__event_log *log, mprof__procfs_view view);

/* Writes how many ticks came too late, were omitted because reading is costly, or omitted kinds of
 * memory for that, each unless it is zero; then what ended the recording: the program, or the user.
 * Without that the recorder was killed. */
void mprof__facts_write_end(mprof__event_log *log, uint64_t missed, uint64_t thinned,
                            uint64_t thinned_kinds, bool program_ended);

#endif
