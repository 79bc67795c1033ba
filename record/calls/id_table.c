/* Owns open addressing with linear probing; taking a number out closes the gap, so that no
 * tombstones pile up however many calls come and go. */
#include "id_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 16

void mprof__id_table_init(mprof__id_table *table, uint32_t limit)
{
    memset(table, 0, sizeof *table);
    table->limit = limit;
}

void mprof__id_table_free(mprof__id_table *table)
{
    free(table->slots);
    mprof__id_table_init(table, table->limit);
}

void mprof__id_table_clear(mprof__id_table *table)
{
    if (table->size > 0) {
        memset(table->slots, 0, table->size * sizeof *table->slots);
    }
    table->count = 0;
}

static uint32_t home_of(const mprof__id_table *table, uint32_t id)
{
    return (id * UINT32_C(2654435761)) >> (32 - __builtin_ctz(table->size));
}

/* Slot of the id, or the free slot where it would go. */
static uint32_t find_slot(const mprof__id_table *table, uint32_t id)
{
    uint32_t at = home_of(table, id);

    while (table->slots[at].value != 0 && table->slots[at].id != id) {
        at = (at + 1) & (table->size - 1);
    }
    return at;
}

static mprof_status grow(mprof__id_table *table)
{
    mprof__id_table larger = *table;

    larger.size = table->size ? table->size * 2 : FIRST_SIZE;
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (!larger.slots) {
        return MPROF_ENOMEM;
    }
    for (uint32_t i = 0; i < table->size; i++) {
        if (table->slots[i].value != 0) {
            larger.slots[find_slot(&larger, table->slots[i].id)] = table->slots[i];
        }
    }
    free(table->slots);
    *table = larger;
    return MPROF_OK;
}

mprof_status mprof__id_table_put(mprof__id_table *table, uint32_t id, uint32_t index)
{
    uint32_t at;

    if (table->count + table->count / 2 + 1 >= table->size && grow(table) != MPROF_OK) {
        return MPROF_ENOMEM;
    }
    at = find_slot(table, id);
    if (table->slots[at].value == 0) {
        if (table->count >= table->limit) {
            return MPROF_EFORMAT;
        }
        table->count++;
    }
    table->slots[at].id = id;
    table->slots[at].value = index + 1;
    return MPROF_OK;
}

int mprof__id_table_get(const mprof__id_table *table, uint32_t id, uint32_t *index)
{
    uint32_t at;

    if (table->size == 0) {
        return 0;
    }
    at = find_slot(table, id);
    if (table->slots[at].value == 0) {
        return 0;
    }
    *index = table->slots[at].value - 1;
    return 1;
}

int mprof__id_table_take(mprof__id_table *table, uint32_t id, uint32_t *index)
{
    uint32_t mask = table->size - 1;
    uint32_t hole;

    if (!mprof__id_table_get(table, id, index)) {
        return 0;
    }
    hole = find_slot(table, id);
    for (uint32_t at = (hole + 1) & mask; table->slots[at].value != 0; at = (at + 1) & mask) {
        /* what would still be found from its home with the hole free stays; the rest moves up */
        uint32_t home = home_of(table, table->slots[at].id);

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->slots[hole] = table->slots[at];
            hole = at;
        }
    }
    table->slots[hole].value = 0;
    table->count--;
    return 1;
}
