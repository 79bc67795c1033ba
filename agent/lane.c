/* See lane.h. */
#include "lane.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64

static struct {
    mprof_lane **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t lane_count;
    mprof_lane *spare; /* lanes for reuse: a request's lane comes and goes with its only call */
} lanes;

/* The slots of one kind; a set bit in `free` says that nobody uses the slot. */
typedef struct slot_table {
    mprof_lane_slot **slots;
    uint64_t *free;
    uint32_t count;
    uint32_t room; /* a multiple of 64 */
} slot_table;

static slot_table tables[MPROF_LANE_KINDS];
static uint32_t last_id;

static size_t bucket_of(const void *owner, size_t bucket_count)
{
    uint64_t mixed = (uint64_t)(uintptr_t)owner * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32) & (bucket_count - 1);
}

mprof_lane *mprof__lane_find(const void *owner)
{
    if (lanes.bucket_count == 0) {
        return NULL;
    }
    mprof_lane *lane = lanes.buckets[bucket_of(owner, lanes.bucket_count)];
    while (lane != NULL && lane->owner != owner) {
        lane = lane->next;
    }
    return lane;
}

static bool grow_buckets(void)
{
    size_t count = lanes.bucket_count == 0 ? BUCKETS_FIRST : lanes.bucket_count * 2;
    mprof_lane **buckets = calloc(count, sizeof *buckets);

    if (buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < lanes.bucket_count; i++) {
        mprof_lane *lane = lanes.buckets[i];
        while (lane != NULL) {
            mprof_lane *next = lane->next;
            mprof_lane **bucket = &buckets[bucket_of(lane->owner, count)];
            lane->next = *bucket;
            *bucket = lane;
            lane = next;
        }
    }
    free(lanes.buckets);
    lanes.buckets = buckets;
    lanes.bucket_count = count;
    return true;
}

static bool grow_table(slot_table *table)
{
    uint32_t room = table->room == 0 ? 64 : table->room * 2;
    mprof_lane_slot **slots = realloc(table->slots, room * sizeof(mprof_lane_slot *));
    if (slots == NULL) {
        return false;
    }
    table->slots = slots;
    uint64_t *bits = realloc(table->free, room / 64 * sizeof *bits);
    if (bits == NULL) {
        return false;
    }
    memset(bits + table->room / 64, 0, (room - table->room) / 64 * sizeof *bits);
    table->free = bits;
    table->room = room;
    return true;
}

static mprof_lane_slot *lowest_free(const slot_table *table)
{
    for (uint32_t word = 0; word < (table->count + 63) / 64; word++) {
        if (table->free[word] != 0) {
            return table->slots[word * 64 + (uint32_t)__builtin_ctzll(table->free[word])];
        }
    }
    return NULL;
}

static mprof_lane_slot *free_slot_named(const slot_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->count; i++) {
        bool is_free = (table->free[i / 64] >> (i % 64) & 1) != 0;
        if (is_free && strcmp(table->slots[i]->name, name) == 0) {
            return table->slots[i];
        }
    }
    return NULL;
}

static bool name_slot(mprof_lane_slot *slot, const char *name)
{
    char numbered[32];
    if (name == NULL) {
        snprintf(numbered, sizeof numbered, "%s %u",
                 slot->kind == MPROF_LANE_TASK ? "task" : "greenlet", slot->index + 1);
        name = numbered;
    }
    size_t length = strnlen(name, MPROF_WIRE_NAME_MAX);
    if (slot->name != NULL && slot->length == length && memcmp(slot->name, name, length) == 0) {
        return true;
    }
    char *copy = strndup(name, length);
    if (copy == NULL) {
        return false;
    }
    free(slot->name);
    slot->name = copy;
    slot->length = (uint32_t)length;
    slot->told_in = 0; /* the number means another name from here on */
    return true;
}

static mprof_lane_slot *add_slot(slot_table *table, enum mprof_lane_kind kind)
{
    if (table->count == table->room && !grow_table(table)) {
        return NULL;
    }
    mprof_lane_slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL) {
        return NULL;
    }
    slot->kind = kind;
    slot->index = table->count;
    slot->id = ++last_id;
    table->slots[table->count++] = slot;
    table->free[slot->index / 64] |= UINT64_C(1) << slot->index % 64;
    return slot;
}

mprof_lane_slot *mprof__lane_slot_take(enum mprof_lane_kind kind, const char *name)
{
    slot_table *table = &tables[kind];
    mprof_lane_slot *slot = name != NULL ? free_slot_named(table, name) : NULL;

    if (slot == NULL) {
        slot = lowest_free(table);
    }
    if (slot == NULL) {
        slot = add_slot(table, kind);
    }
    if (slot == NULL || !name_slot(slot, name)) {
        return NULL;
    }
    table->free[slot->index / 64] &= ~(UINT64_C(1) << slot->index % 64);
    return slot;
}

void mprof__lane_slot_give(mprof_lane_slot *slot)
{
    tables[slot->kind].free[slot->index / 64] |= UINT64_C(1) << slot->index % 64;
}

mprof_lane *mprof__lane_add(const void *owner, enum mprof_lane_kind kind, const char *name)
{
    if (lanes.lane_count >= lanes.bucket_count && !grow_buckets()) {
        return NULL;
    }
    mprof_lane_slot *slot = mprof__lane_slot_take(kind, name);
    if (slot == NULL) {
        return NULL;
    }
    mprof_lane *lane = lanes.spare;
    if (lane != NULL) {
        lanes.spare = lane->next;
    } else if ((lane = malloc(sizeof *lane)) == NULL) {
        mprof__lane_slot_give(slot);
        return NULL;
    }
    mprof_lane **bucket = &lanes.buckets[bucket_of(owner, lanes.bucket_count)];
    *lane = (mprof_lane){.owner = owner, .slot = slot, .next = *bucket};
    *bucket = lane;
    lanes.lane_count++;
    return lane;
}

void mprof__lane_release(mprof_lane *lane)
{
    if (lane->open > 0 || lane->depth > 0 || lane->owner == NULL) {
        return;
    }
    mprof_lane **link = &lanes.buckets[bucket_of(lane->owner, lanes.bucket_count)];
    while (*link != lane) {
        link = &(*link)->next;
    }
    *link = lane->next;
    lanes.lane_count--;
    mprof__lane_slot_give(lane->slot);
    lane->next = lanes.spare;
    lanes.spare = lane;
}

mprof_ring_text mprof__lane_text(const mprof_lane *lane)
{
    if (lane->slot == NULL) {
        return (mprof_ring_text){0};
    }
    return (mprof_ring_text){
        .id = lane->slot->id,
        .length = lane->slot->length,
        .bytes = lane->slot->name,
        .told_in = &lane->slot->told_in,
    };
}

void mprof__lane_forget(void)
{
    memset(&lanes, 0, sizeof lanes);
    memset(tables, 0, sizeof tables);
    last_id = 0;
}
