/* Open addressing, and the arena. The hash is seeded per process, so that no file can be made whose
 * names all collide. */
#include "map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

struct mprof__arena_chunk {
    struct mprof__arena_chunk *next;
    size_t size;
    char bytes[];
};

enum { CHUNK_SIZE = 64 * 1024 - 64 };

char *mprof__arena_copy(mprof__arena *arena, const char *bytes, size_t length)
{
    if (!arena->chunks || arena->left < length + 1) {
        size_t size = length + 1 > CHUNK_SIZE ? length + 1 : CHUNK_SIZE;
        /* a small recording needs no 64 KiB for its names */
        if (!arena->chunks && length < 1024) {
            size = 2048;
        }
        struct mprof__arena_chunk *chunk = malloc(sizeof *chunk + size);
        if (!chunk) {
            return NULL;
        }
        chunk->next = arena->chunks;
        chunk->size = size;
        arena->chunks = chunk;
        arena->left = size;
    }
    char *copy = arena->chunks->bytes + (arena->chunks->size - arena->left);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    copy[length] = '\0';
    arena->left -= length + 1;
    return copy;
}

void mprof__arena_free(mprof__arena *arena)
{
    struct mprof__arena_chunk *chunk = arena->chunks;
    while (chunk) {
        struct mprof__arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
    uint64_t middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    uint64_t other = (a & UINT32_MAX) * (b >> 32) + (middle & UINT32_MAX);
    return a * b ^ (high + (middle >> 32) + (other >> 32));
#endif
}

static uint64_t seed(void)
{
    static uint64_t value;
    uint64_t known = __atomic_load_n(&value, __ATOMIC_RELAXED);
    if (known == 0) {
        /* 16 random bytes from the kernel */
        const void *random = (const void *)getauxval(AT_RANDOM);
        if (random) {
            memcpy(&known, random, sizeof known);
        }
        known |= 1;
        __atomic_store_n(&value, known, __ATOMIC_RELAXED);
    }
    return known;
}

static uint32_t hash_bytes(const char *bytes, size_t length)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = seed() ^ length * factor;
    while (length >= 8) {
        uint64_t part;
        memcpy(&part, bytes, 8);
        hash = mix(hash ^ part, factor);
        bytes += 8;
        length -= 8;
    }
    uint64_t part = 0;
    if (length > 0) {
        memcpy(&part, bytes, length);
    }
    hash = mix(hash ^ part, factor);
    return (uint32_t)(hash ^ hash >> 32);
}

/* Keys of eight bytes are compared as one register: faster than vectors, which wait for the key to
 * be stored. */
static bool are_equal(const char *a, const char *b, size_t length)
{
    if (length == sizeof(uint64_t)) {
        uint64_t left, right;
        memcpy(&left, a, sizeof left);
        memcpy(&right, b, sizeof right);
        return left == right;
    }
    return memcmp(a, b, length) == 0;
}

/* The slot of the key, or the free one where it would go. */
static mprof__map_slot *find_slot(const mprof__map *map, uint32_t hash, const char *bytes,
                                  size_t length)
{
    size_t mask = map->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        mprof__map_slot *slot = &map->slots[at];
        if (slot->value == MPROF__MAP_NONE || (slot->hash == hash && slot->length == length &&
                                               are_equal(slot->bytes, bytes, length))) {
            return slot;
        }
    }
}

uint32_t mprof__map_find(const mprof__map *map, const char *bytes, size_t length)
{
    if (map->slot_count == 0) {
        return MPROF__MAP_NONE;
    }
    return find_slot(map, hash_bytes(bytes, length), bytes, length)->value;
}

static int grow_map(mprof__map *map)
{
    mprof__map bigger = {NULL, map->slot_count ? map->slot_count * 2 : 16, map->used};
    bigger.slots = malloc(bigger.slot_count * sizeof *bigger.slots);
    if (!bigger.slots) {
        return -1;
    }
    for (size_t i = 0; i < bigger.slot_count; i++) {
        bigger.slots[i].value = MPROF__MAP_NONE;
    }
    for (size_t i = 0; i < map->slot_count; i++) {
        const mprof__map_slot *slot = &map->slots[i];
        if (slot->value != MPROF__MAP_NONE) {
            *find_slot(&bigger, slot->hash, slot->bytes, slot->length) = *slot;
        }
    }
    free(map->slots);
    *map = bigger;
    return 0;
}

int mprof__map_set(mprof__map *map, mprof__arena *keys, const char *bytes, size_t length,
                   uint32_t value)
{
    if (map->used >= map->slot_count / 2 && grow_map(map) != 0) {
        return -1;
    }
    uint32_t hash = hash_bytes(bytes, length);
    mprof__map_slot *slot = find_slot(map, hash, bytes, length);
    if (slot->value == MPROF__MAP_NONE) {
        const char *copy = keys ? mprof__arena_copy(keys, bytes, length) : bytes;
        if (!copy) {
            return -1;
        }
        *slot = (mprof__map_slot){hash, value, copy, length};
        map->used++;
    }
    slot->value = value;
    return 0;
}

void mprof__map_free(mprof__map *map)
{
    free(map->slots);
    memset(map, 0, sizeof *map);
}

/* ---- numbers ---- */

static int64_t number_at(const void *items, size_t item_size, uint32_t at)
{
    int64_t number;
    memcpy(&number, (const char *)items + at * item_size, sizeof number);
    return number;
}

/* The place of the number, or the free one where it would go. */
static uint32_t *find_place(const mprof__index *index, const void *items, size_t item_size,
                            int64_t number)
{
    size_t mask = index->place_count - 1;
    for (size_t at = hash_bytes((const char *)&number, sizeof number) & mask;;
         at = (at + 1) & mask) {
        uint32_t *place = &index->places[at];
        if (*place == MPROF__MAP_NONE || number_at(items, item_size, *place) == number) {
            return place;
        }
    }
}

uint32_t mprof__index_find(const mprof__index *index, const void *items, size_t item_size,
                           int64_t number)
{
    return index->place_count ? *find_place(index, items, item_size, number) : MPROF__MAP_NONE;
}

/* The numbers are in the items, so rehashing does not need the old places. */
static int grow_index(mprof__index *index, const void *items, size_t item_size)
{
    size_t count = index->place_count ? index->place_count * 2 : 16;
    uint32_t *before = index->places;
    size_t before_count = index->place_count;
    uint32_t *places = malloc(count * sizeof *places);
    if (!places) {
        return -1;
    }
    memset(places, 0xff, count * sizeof *places);
    index->places = places;
    index->place_count = count;
    for (size_t i = 0; i < before_count; i++) {
        if (before[i] != MPROF__MAP_NONE) {
            *find_place(index, items, item_size, number_at(items, item_size, before[i])) =
                before[i];
        }
    }
    free(before);
    return 0;
}

int mprof__index_add(mprof__index *index, const void *items, size_t item_size, uint32_t at)
{
    if (index->used >= index->place_count / 2 && grow_index(index, items, item_size) != 0) {
        return -1;
    }
    *find_place(index, items, item_size, number_at(items, item_size, at)) = at;
    index->used++;
    return 0;
}

void mprof__index_free(mprof__index *index)
{
    free(index->places);
    memset(index, 0, sizeof *index);
}
