/* See pointer_map.h. Linear probing; removing a key moves the keys behind it up, so there are no
 * tombstones that slow lookups down after many insertions and removals. */
#include "pointer_map.h"

#include <stdint.h>
#include <stdlib.h>

#define ROOM_FIRST 64

struct mprof__pointer_pair {
    const void *key;
    void *value;
};

static size_t home_of(const void *key, size_t room)
{
    uint64_t mixed = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32) & (room - 1);
}

/* The slot of the key, or the empty slot where it would be inserted. */
static size_t slot_of(const mprof__pointer_map *map, const void *key)
{
    size_t slot = home_of(key, map->room);
    while (map->pairs[slot].key && map->pairs[slot].key != key) {
        slot = (slot + 1) & (map->room - 1);
    }
    return slot;
}

void *mprof__pointer_map_find(const mprof__pointer_map *map, const void *key)
{
    return map->count == 0 ? NULL : map->pairs[slot_of(map, key)].value;
}

static bool grow(mprof__pointer_map *map)
{
    mprof__pointer_map larger = {.room = map->room == 0 ? ROOM_FIRST : map->room * 2};

    larger.pairs = calloc(larger.room, sizeof *larger.pairs);
    if (!larger.pairs) {
        return false;
    }
    for (size_t i = 0; i < map->room; i++) {
        if (map->pairs[i].key) {
            larger.pairs[slot_of(&larger, map->pairs[i].key)] = map->pairs[i];
        }
    }
    larger.count = map->count;
    free(map->pairs);
    *map = larger;
    return true;
}

bool mprof__pointer_map_put(mprof__pointer_map *map, const void *key, void *value)
{
    if (map->count >= map->room / 2 && !grow(map)) {
        return false;
    }
    struct mprof__pointer_pair *pair = &map->pairs[slot_of(map, key)];
    map->count += !pair->key;
    pair->key = key;
    pair->value = value;
    return true;
}

void *mprof__pointer_map_remove(mprof__pointer_map *map, const void *key)
{
    if (map->count == 0) {
        return NULL;
    }
    size_t empty = slot_of(map, key);
    if (!map->pairs[empty].key) {
        return NULL;
    }
    void *value = map->pairs[empty].value;
    size_t mask = map->room - 1;
    for (size_t i = (empty + 1) & mask; map->pairs[i].key; i = (i + 1) & mask) {
        /* may move up unless its home is behind the empty slot */
        size_t home = home_of(map->pairs[i].key, map->room);
        if (((i - home) & mask) >= ((i - empty) & mask)) {
            map->pairs[empty] = map->pairs[i];
            empty = i;
        }
    }
    map->pairs[empty] = (struct mprof__pointer_pair){0};
    map->count--;
    return value;
}

void mprof__pointer_map_each(const mprof__pointer_map *map,
                             void (*visit)(const void *key, void *value, void *context),
                             void *context)
{
    for (size_t i = 0; i < map->room; i++) {
        if (map->pairs[i].key) {
            visit(map->pairs[i].key, map->pairs[i].value, context);
        }
    }
}

void mprof__pointer_map_drain(mprof__pointer_map *map, void (*visit)(const void *key, void *value))
{
    mprof__pointer_map former = *map;

    *map = (mprof__pointer_map){0};
    for (size_t i = 0; i < former.room; i++) {
        if (former.pairs[i].key) {
            visit(former.pairs[i].key, former.pairs[i].value);
        }
    }
    free(former.pairs);
}
