/* Reads the kinds of memory of --memory, in addition to the sampled metric. */
#ifndef MPROF_RECORD_MEMORY_KINDS_H
#define MPROF_RECORD_MEMORY_KINDS_H

#include "record/output/event_log.h"
#include "record/processes/process.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__memory_kinds {
    unsigned mask; /* 1 << mprof_kind: kinds to record */
    int64_t interval_ns;
    int64_t costly_ns; /* no reading before this: the last one took long */
    uint64_t thinned;  /* ticks omitted for that */
} mprof__memory_kinds;

/* Parses a list, "pss,swap": kinds as bits, and whether it contains "group". 0, or -1 with *wrong
 * at the unknown part, which ends at the next comma. */
int mprof__memory_kinds_parse(unsigned *mask, bool *group, const char **wrong, const char *list);

/* Parses smaps_rollup (NULL: not read) and status into bytes[MPROF_KIND_COUNT]; -1: not wanted or
 * not found. */
void mprof__memory_kinds_from_text(int64_t *bytes, unsigned mask, const char *rollup,
                                   const char *status);

/* Writes a record for each process that was sampled at this tick. */
void mprof__memory_kinds_tick(mprof__memory_kinds *kinds, mprof__event_log *log,
                              const mprof__processes *processes, int64_t now_ns);

#endif
