/* A hash table with open addressing, and the arena its keys live in. The hash is seeded per
 * process, so that no file can be made whose names all collide. */
#include "map.h"

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
        /* the first of a small recording's names need no 64 KiB */
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
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t seed(void)
{
    static uint64_t value;
    uint64_t known = __atomic_load_n(&value, __ATOMIC_RELAXED);
    if (known == 0) {
        /* 16 random bytes the kernel gives every process */
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

/* Numbers are keys of eight bytes; a compare of two registers does not wait for the key to be
 * stored, as one of vectors does. */
static int are_equal(const char *a, const char *b, size_t length)
{
    if (length == sizeof(uint64_t)) {
        uint64_t left, right;
        memcpy(&left, a, sizeof left);
        memcpy(&right, b, sizeof right);
        return left == right;
    }
    return memcmp(a, b, length) == 0;
}

/* The slot of the key, or the free one where it belongs. */
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
