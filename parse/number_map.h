/* A hash table from 64-bit numbers, or addresses, to values that are not 0. It needs libc only and
 * serves the recorder and the agent. */
#ifndef MPROF_PARSE_NUMBER_MAP_H
#define MPROF_PARSE_NUMBER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__number_slot {
    uint64_t key;
    uint64_t value; /* 0: free */
} mprof__number_slot;

/* All zero: empty, without a limit. */
typedef struct mprof__number_map {
    mprof__number_slot *slots; /* owned */
    size_t slot_count;         /* a power of two, or 0 */
    size_t count;
    size_t limit; /* most keys, for numbers that come from a process that is not trusted; 0: none */
} mprof__number_map;

typedef enum mprof__put_result {
    MPROF__PUT_DONE,
    MPROF__PUT_NO_MEMORY, /* nothing has changed */
    MPROF__PUT_LIMIT,     /* the key is new and the map full; nothing has changed */
} mprof__put_result;

/* The value of a key, or 0. */
uint64_t mprof__number_map_find(const mprof__number_map *map, uint64_t key);

/* Sets the value of a key. */
mprof__put_result mprof__number_map_put(mprof__number_map *map, uint64_t key, uint64_t value);

/* Removes a key and returns its value, or 0. */
uint64_t mprof__number_map_remove(mprof__number_map *map, uint64_t key);

/* Calls `visit` with each pair; it must not change the map. */
void mprof__number_map_each(const mprof__number_map *map,
                            void (*visit)(uint64_t key, uint64_t value, void *context),
                            void *context);

/* Empties the map, then calls `visit` with each pair that was in it; it may change the map. */
void mprof__number_map_drain(mprof__number_map *map, void (*visit)(uint64_t key, uint64_t value));

/* Removes all keys and keeps the memory. */
void mprof__number_map_clear(mprof__number_map *map);

/* Removes all keys; the limit stays. */
void mprof__number_map_free(mprof__number_map *map);

/* ---- texts ---- */

/* A key for a text: FNV-1a. Two texts may have the same. */
static inline uint64_t mprof__number_map_key(const char *bytes, size_t length)
{
    uint64_t key = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++) {
        key = (key ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
    }
    return key;
}

/* ---- addresses to addresses ---- */

static inline void *mprof__number_map_find_pointer(const mprof__number_map *map, const void *key)
{
    return (void *)(uintptr_t)mprof__number_map_find(map, (uintptr_t)key);
}

static inline bool mprof__number_map_put_pointer(mprof__number_map *map, const void *key,
                                                 const void *value)
{
    return mprof__number_map_put(map, (uintptr_t)key, (uintptr_t)value) == MPROF__PUT_DONE;
}

static inline void *mprof__number_map_remove_pointer(mprof__number_map *map, const void *key)
{
    return (void *)(uintptr_t)mprof__number_map_remove(map, (uintptr_t)key);
}

/* ---- numbers to indexes, 0 among them ---- */

/* Sets *index and returns true if the key is there. */
static inline bool mprof__number_map_find_index(const mprof__number_map *map, uint64_t key,
                                                uint32_t *index)
{
    uint64_t value = mprof__number_map_find(map, key);
    if (value != 0) {
        *index = (uint32_t)(value - 1);
    }
    return value != 0;
}

static inline mprof__put_result mprof__number_map_put_index(mprof__number_map *map, uint64_t key,
                                                            uint32_t index)
{
    return mprof__number_map_put(map, key, (uint64_t)index + 1);
}

/* The same as find, and removes the key. */
static inline bool mprof__number_map_remove_index(mprof__number_map *map, uint64_t key,
                                                  uint32_t *index)
{
    uint64_t value = mprof__number_map_remove(map, key);
    if (value != 0) {
        *index = (uint32_t)(value - 1);
    }
    return value != 0;
}

#endif
