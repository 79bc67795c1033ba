/* Memory by kinds: what else the kernel tells of a process, beside the one number that is sampled.
 */
#ifndef MPROF_RECORD_MEMORY_KINDS_H
#define MPROF_RECORD_MEMORY_KINDS_H

#include "record/output/event_log.h"
#include "record/processes/process.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__memory_kinds {
    unsigned mask; /* 1 << mprof_kind: those asked for */
    int64_t interval_ns;
    int64_t costly_ns; /* no reading before this: the last one was expensive */
    uint64_t thinned;  /* ticks left out for that */
} mprof__memory_kinds;

/* Takes apart a list, "pss,swap". The kinds as bits and whether it holds "group"; 0, or -1 with the
 * part that is none, which ends at the next comma, in *wrong. */
int mprof__memory_kinds_parse(unsigned *mask, bool *group, const char **wrong, const char *list);

/* Reads kinds from the texts of smaps_rollup (NULL: not read) and status: bytes[MPROF_KIND_COUNT],
 * -1 where it was not asked for or is not there. */
void mprof__memory_kinds_from_text(int64_t *bytes, unsigned mask, const char *rollup,
                                   const char *status);

/* Writes one record for each process that was read at this tick. */
void mprof__memory_kinds_tick(mprof__memory_kinds *kinds, mprof__event_log *log,
                              const mprof__processes *processes, int64_t now_ns);

#endif
