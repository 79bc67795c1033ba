/* Open addressing with linear probing. Removal moves later keys up into the gap: there are no
 * tombstones, so lookups stay short however many keys come and go. */
#include "number_map.h"

#include <stdlib.h>
#include <string.h>

/* A recorded process has three maps, most of them with a key or two: 128 bytes each. */
#define FIRST_SLOT_COUNT 8

/* From the middle of the product: its top bits are nearly the same for addresses 144 bytes apart,
 * as 144 times the golden ratio is nearly a whole number. */
static size_t home_of(const mprof__number_map *map, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (map->slot_count - 1);
}

/* The slot of the key, or the free one where it belongs. There must be a free slot. */
static mprof__number_slot *slot_of(const mprof__number_map *map, uint64_t key)
{
    size_t at = home_of(map, key);
    /* The key first: it decides most searches. A free slot may still hold an old key. */
    while (map->slots[at].key != key && map->slots[at].value != 0) {
        at = (at + 1) & (map->slot_count - 1);
    }
    return &map->slots[at];
}

uint64_t mprof__number_map_find(const mprof__number_map *map, uint64_t key)
{
    return map->count == 0 ? 0 : slot_of(map, key)->value;
}

static bool grow(mprof__number_map *map)
{
    mprof__number_map larger = *map;
    larger.slot_count = map->slot_count == 0 ? FIRST_SLOT_COUNT : map->slot_count * 2;
    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots) {
        return false;
    }
    for (size_t i = 0; i < map->slot_count; i++) {
        if (map->slots[i].value != 0) {
            *slot_of(&larger, map->slots[i].key) = map->slots[i];
        }
    }
    free(map->slots);
    *map = larger;
    return true;
}

mprof__put_result mprof__number_map_put(mprof__number_map *map, uint64_t key, uint64_t value)
{
    mprof__number_slot *slot = map->slot_count == 0 ? NULL : slot_of(map, key);
    if (!slot || slot->value == 0) {
        if (map->limit != 0 && map->count >= map->limit) {
            return MPROF__PUT_LIMIT;
        }
        if (map->count >= map->slot_count / 2) {
            if (!grow(map)) {
                return MPROF__PUT_NO_MEMORY;
            }
            slot = slot_of(map, key);
        }
        map->count++;
    }
    *slot = (mprof__number_slot){key, value};
    return MPROF__PUT_DONE;
}

uint64_t mprof__number_map_remove(mprof__number_map *map, uint64_t key)
{
    if (map->count == 0) {
        return 0;
    }
    size_t mask = map->slot_count - 1;
    size_t gap = (size_t)(slot_of(map, key) - map->slots);
    uint64_t value = map->slots[gap].value;
    if (value == 0) {
        return 0;
    }
    for (size_t at = (gap + 1) & mask; map->slots[at].value != 0; at = (at + 1) & mask) {
        /* A key may move up unless its home is behind the gap. */
        size_t home = home_of(map, map->slots[at].key);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            map->slots[gap] = map->slots[at];
            gap = at;
        }
    }
    map->slots[gap].value = 0;
    map->count--;
    return value;
}

void mprof__number_map_each(const mprof__number_map *map,
                            void (*visit)(uint64_t key, uint64_t value, void *context),
                            void *context)
{
    for (size_t i = 0; i < map->slot_count; i++) {
        if (map->slots[i].value != 0) {
            visit(map->slots[i].key, map->slots[i].value, context);
        }
    }
}

void mprof__number_map_drain(mprof__number_map *map, void (*visit)(uint64_t key, uint64_t value))
{
    mprof__number_map drained = *map;
    *map = (mprof__number_map){.limit = map->limit};
    for (size_t i = 0; i < drained.slot_count; i++) {
        if (drained.slots[i].value != 0) {
            visit(drained.slots[i].key, drained.slots[i].value);
        }
    }
    free(drained.slots);
}

void mprof__number_map_clear(mprof__number_map *map)
{
    if (map->slot_count > 0) {
        memset(map->slots, 0, map->slot_count * sizeof *map->slots);
    }
    map->count = 0;
}

void mprof__number_map_free(mprof__number_map *map)
{
    free(map->slots);
    *map = (mprof__number_map){.limit = map->limit};
}
