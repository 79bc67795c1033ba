/* A small hash table from the 32-bit numbers that a recorded process chooses to indexes of ours. It
 * is bounded: the process is not trusted, and cannot make it grow without end. */
#ifndef MPROF_RECORD_ID_TABLE_H
#define MPROF_RECORD_ID_TABLE_H

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__id_slot {
    uint32_t id;
    uint32_t value; /* index + 1; 0: free */
} mprof__id_slot;

typedef struct mprof__id_table {
    mprof__id_slot *slots;
    uint32_t size; /* a power of two, or 0 */
    uint32_t count;
    uint32_t limit;
} mprof__id_table;

/* At most `limit` numbers. Allocates nothing yet. */
void mprof__id_table_init(mprof__id_table *table, uint32_t limit);
void mprof__id_table_free(mprof__id_table *table);

/* Puts id -> index (< UINT32_MAX), replacing what was there. MPROF_EFORMAT: the limit is reached;
 * MPROF_ENOMEM. */
mprof_status mprof__id_table_put(mprof__id_table *table, uint32_t id, uint32_t index);

/* 1 and *index, or 0. */
int mprof__id_table_get(const mprof__id_table *table, uint32_t id, uint32_t *index);

/* 1 and *index if it was there and is no longer, or 0. */
int mprof__id_table_take(mprof__id_table *table, uint32_t id, uint32_t *index);

/* Forgets all numbers, keeps the memory. */
void mprof__id_table_clear(mprof__id_table *table);

#endif
