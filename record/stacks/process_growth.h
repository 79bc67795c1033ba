/* How much the memory of a process has grown and shrunk between two samples. The kernel counts page
 * faults, and the change of resident memory; the two differ by what was released, by pages that
 * come many at a time (huge pages, files), and by copies of pages that a fork has left shared. */
#ifndef MPROF_RECORD_PROCESS_GROWTH_H
#define MPROF_RECORD_PROCESS_GROWTH_H

#include "fault_counter.h"
#include "record/kernel/memory_probe.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__process_growth {
    mprof__fault_counter counter;
    mprof__memory_probe *probe; /* borrowed */
    int64_t faults;             /* of the whole process since the sample before */
    double bytes_per_fault;     /* what each of them has added */
    int64_t unowned_faults;     /* of no known thread; negative: they were counted too early */
    int64_t balance_bytes;      /* growth less the change of resident memory less releases */
    int64_t shared_bytes;       /* shared since a fork, as read last less copies */
    int64_t shared_ns;          /* they are not read before this */
    bool is_birth_known;
    int64_t inherited_bytes; /* anonymous memory of the parent at the birth */
} mprof__process_growth;

void mprof__process_growth_open(mprof__process_growth *growth, int64_t pid,
                                mprof__memory_probe *probe);
void mprof__process_growth_close(mprof__process_growth *growth);

/* The process was forked, or has forked a child. */
void mprof__process_growth_note_fork(mprof__process_growth *growth);

/* The process was forked a moment ago, and shares the memory of its parent. */
void mprof__process_growth_note_birth(mprof__process_growth *growth, int64_t parent_pid);

/* At the first sample, before it is taken over: bytes grown since the birth, without copies of
 * shared pages; 0 if the birth was not seen. */
int64_t mprof__process_growth_since_birth(const mprof__process_growth *growth);

/* Counts the faults since the last call, in which resident memory changed by delta_bytes. */
void mprof__process_growth_measure(mprof__process_growth *growth, int64_t delta_bytes);

/* The same without counting: nothing seems to have moved. What did is counted the next time. */
void mprof__process_growth_skip(mprof__process_growth *growth);

/* Takes over the first sample: what was before does not count. */
void mprof__process_growth_reset(mprof__process_growth *growth);

/* Of the faults measured, those of no known thread. owned: those of known ones. */
int64_t mprof__process_growth_take_unowned(mprof__process_growth *growth, int64_t owned);

/* Bytes released since the last call. */
int64_t mprof__process_growth_take_release(mprof__process_growth *growth);

#endif
