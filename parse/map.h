/* A hash table from bytes to 32-bit numbers, an arena for its keys, and an index of numbered items.
 * Private to this folder. */
#ifndef MPROF_PARSE_MAP_H
#define MPROF_PARSE_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__MAP_NONE UINT32_MAX

typedef struct mprof__map_slot {
    uint32_t hash;
    uint32_t value;    /* MPROF__MAP_NONE: free */
    const char *bytes; /* the key; not owned */
    size_t length;
} mprof__map_slot;

typedef struct mprof__map {
    mprof__map_slot *slots; /* owned; a power of two of them */
    size_t slot_count;
    size_t used;
} mprof__map;

/* Strings that are freed together. */
typedef struct mprof__arena {
    struct mprof__arena_chunk *chunks;
    size_t left; /* bytes free in the newest chunk */
} mprof__arena;

/* A copy of the bytes with a NUL at its end; NULL without memory. */
char *mprof__arena_copy(mprof__arena *arena, const char *bytes, size_t length);
void mprof__arena_free(mprof__arena *arena);

/* The value of a key, or MPROF__MAP_NONE. */
uint32_t mprof__map_find(const mprof__map *map, const char *bytes, size_t length);

/* Sets the value of a key, copying the key into the arena if it is new; without an arena the bytes
 * must outlive the map. 0, or -1 without memory. */
int mprof__map_set(mprof__map *map, mprof__arena *keys, const char *bytes, size_t length,
                   uint32_t value);
void mprof__map_free(mprof__map *map);

/* Finds an item by its number in an array whose items begin with it, an int64_t. Four bytes per
 * place, for recordings with a million processes. */
typedef struct mprof__index {
    uint32_t *places; /* owned; MPROF__MAP_NONE: free */
    size_t place_count, used;
} mprof__index;

/* Index of the item with the number, or MPROF__MAP_NONE. */
uint32_t mprof__index_find(const mprof__index *index, const void *items, size_t item_size,
                           int64_t number);

/* Adds item `at`; its number must be new. 0, or -1 without memory. */
int mprof__index_add(mprof__index *index, const void *items, size_t item_size, uint32_t at);
void mprof__index_free(mprof__index *index);

#endif
