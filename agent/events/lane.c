/* See lane.h. */
#include "lane.h"

#include "agent/text.h"
#include "parse/number_map.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mprof__number_map lanes; /* by owner */
static mprof__lane *spare;      /* for reuse: a request's lane lasts as long as its only call */

/* The slots of one kind; a set bit in `free` marks a free slot. */
typedef struct slot_table {
    mprof__lane_slot **slots;
    uint64_t *free;
    uint32_t count;
    uint32_t room; /* a multiple of 64 */
} slot_table;

static slot_table tables[MPROF_LANE_KINDS];
static uint32_t last_id;

mprof__lane *mprof__lane_find(const void *owner)
{
    return mprof__number_map_find_pointer(&lanes, owner);
}

static bool grow_table(slot_table *table)
{
    uint32_t room = table->room == 0 ? 64 : table->room * 2;
    mprof__lane_slot **slots = realloc(table->slots, room * sizeof(mprof__lane_slot *));
    if (!slots) {
        return false;
    }
    table->slots = slots;
    uint64_t *bits = realloc(table->free, room / 64 * sizeof *bits);
    if (!bits) {
        return false;
    }
    memset(bits + table->room / 64, 0, (room - table->room) / 64 * sizeof *bits);
    table->free = bits;
    table->room = room;
    return true;
}

static mprof__lane_slot *lowest_free(const slot_table *table)
{
    for (uint32_t word = 0; word < (table->count + 63) / 64; word++) {
        if (table->free[word] != 0) {
            return table->slots[word * 64 + (uint32_t)__builtin_ctzll(table->free[word])];
        }
    }
    return NULL;
}

static bool is_free(const slot_table *table, const mprof__lane_slot *slot)
{
    return (table->free[slot->index / 64] >> (slot->index % 64) & 1) != 0;
}

static mprof__lane_slot *find_slot(const slot_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (strcmp(table->slots[i]->name, name) == 0) {
            return table->slots[i];
        }
    }
    return NULL;
}

static bool name_slot(mprof__lane_slot *slot, const char *name)
{
    static const char *const words[MPROF_LANE_KINDS] = {
        [MPROF_LANE_THREAD] = "thread",
        [MPROF_LANE_GREENLET] = "greenlet",
        [MPROF_LANE_TASK] = "task",
    };
    char numbered[32];
    if (!name) {
        snprintf(numbered, sizeof numbered, "%s %u", words[slot->kind], slot->index + 1);
        name = numbered;
    }
    if (slot->name && strcmp(slot->name, name) == 0) {
        return true;
    }
    char *copy = strdup(name);
    if (!copy) {
        return false;
    }
    free(slot->name);
    slot->name = copy;
    slot->length = (uint32_t)strlen(name);
    slot->emitted_in = 0; /* the ring has to define the number again */
    slot->renamed++;
    return true;
}

static mprof__lane_slot *add_slot(slot_table *table, enum mprof__lane_kind kind)
{
    if (table->count == table->room && !grow_table(table)) {
        return NULL;
    }
    mprof__lane_slot *slot = calloc(1, sizeof *slot);
    if (!slot) {
        return NULL;
    }
    slot->kind = kind;
    slot->index = table->count;
    slot->id = ++last_id;
    table->slots[table->count++] = slot;
    table->free[slot->index / 64] |= UINT64_C(1) << slot->index % 64;
    return slot;
}

static mprof__lane_slot *claim_slot(enum mprof__lane_kind kind, mprof__lane_slot *slot,
                                    const char *name)
{
    slot_table *table = &tables[kind];

    if (!slot) {
        slot = lowest_free(table);
    }
    if (!slot) {
        slot = add_slot(table, kind);
    }
    if (!slot || !name_slot(slot, name)) {
        return NULL;
    }
    table->free[slot->index / 64] &= ~(UINT64_C(1) << slot->index % 64);
    return slot;
}

mprof__lane_slot *mprof__lane_slot_claim(enum mprof__lane_kind kind, const char *name)
{
    char shown[MPROF_WIRE_NAME_MAX];

    if (!name) {
        return claim_slot(kind, NULL, NULL);
    }
    int length = (int)mprof__text_fitting(name, strlen(name), MPROF_WIRE_NAME_MAX - 16);
    snprintf(shown, sizeof shown, "%.*s", length, name);
    for (unsigned number = 2;; number++) {
        mprof__lane_slot *slot = find_slot(&tables[kind], shown);
        if (!slot || is_free(&tables[kind], slot)) {
            return claim_slot(kind, slot, shown);
        }
        snprintf(shown, sizeof shown, "%.*s #%u", length, name, number);
    }
}

bool mprof__lane_slot_reclaim(mprof__lane_slot *slot, uint32_t renamed)
{
    slot_table *table = &tables[slot->kind];

    if (!is_free(table, slot) || slot->renamed != renamed) {
        return false;
    }
    table->free[slot->index / 64] &= ~(UINT64_C(1) << slot->index % 64);
    return true;
}

void mprof__lane_slot_release(mprof__lane_slot *slot)
{
    tables[slot->kind].free[slot->index / 64] |= UINT64_C(1) << slot->index % 64;
}

mprof__lane *mprof__lane_add(const void *owner, enum mprof__lane_kind kind, const char *name)
{
    mprof__lane *lane = spare;
    if (lane) {
        spare = lane->next;
    } else if (!(lane = malloc(sizeof *lane))) {
        return NULL;
    }
    *lane = (mprof__lane){.owner = owner, .slot = mprof__lane_slot_claim(kind, name)};
    if (lane->slot && mprof__number_map_put_pointer(&lanes, owner, lane)) {
        return lane;
    }
    if (lane->slot) {
        mprof__lane_slot_release(lane->slot);
    }
    free(lane);
    return NULL;
}

void mprof__lane_release(mprof__lane *lane)
{
    if (lane->open > 0 || lane->depth > 0) {
        return;
    }
    if (!lane->owner) {
        if (lane->slot && lane->slot->kind == MPROF_LANE_NAMED) {
            mprof__lane_slot_release(lane->slot);
            lane->slot = NULL;
        }
        return;
    }
    mprof__number_map_remove_pointer(&lanes, lane->owner);
    mprof__lane_slot_release(lane->slot);
    lane->next = spare;
    spare = lane;
}

mprof__ring_text mprof__lane_text(const mprof__lane *lane)
{
    if (!lane->slot) {
        return (mprof__ring_text){0};
    }
    return (mprof__ring_text){
        .id = lane->slot->id,
        .length = lane->slot->length,
        .bytes = lane->slot->name,
        .emitted_in = &lane->slot->emitted_in,
    };
}

void mprof__lane_forget(void)
{
    lanes = (mprof__number_map){0};
    spare = NULL;
    memset(tables, 0, sizeof tables);
    last_id = 0;
}
