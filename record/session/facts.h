/* What a file says of its recording as a whole: at its head how it is made, at its end what was
 * missed. */
#ifndef MPROF_RECORD_FACTS_H
#define MPROF_RECORD_FACTS_H

#include "plan.h"
#include "record/output/event_log.h"

#include <stdint.h>

/* processes_by, peaks_by: how births and peaks are learnt; see docs/recording.md. */
void mprof__facts_tell_head(mprof__event_log *journal, const mprof__recorder_plan *plan,
                            const char *processes_by, const char *peaks_by);

/* Ticks that came too late, that were left out because reading is costly, and of those at which
 * kinds of memory were. None of them is told if it is 0. */
void mprof__facts_tell_end(mprof__event_log *journal, uint64_t missed, uint64_t thinned,
                           uint64_t thinned_kinds);

#endif
