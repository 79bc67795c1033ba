/* From bytes to the number of the thing they name. Private to this folder. */
#ifndef MPROF_PARSE_MAP_H
#define MPROF_PARSE_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MPROF__MAP_NONE UINT32_MAX

typedef struct mprof__map_slot {
    uint32_t hash;
    uint32_t value;    /* MPROF__MAP_NONE: free */
    const char *bytes; /* the key, owned by whoever keeps it */
    size_t length;
} mprof__map_slot;

typedef struct mprof__map {
    mprof__map_slot *slots; /* owned; a power of two of them */
    size_t slot_count;
    size_t used;
} mprof__map;

/* Strings that live until the whole arena goes. */
typedef struct mprof__arena {
    struct mprof__arena_chunk *chunks;
    size_t left; /* bytes free in the newest chunk */
} mprof__arena;

/* A copy of the bytes with a NUL behind; NULL if memory ran out. */
char *mprof__arena_copy(mprof__arena *arena, const char *bytes, size_t length);
void mprof__arena_free(mprof__arena *arena);

/* The value of a key, or MPROF__MAP_NONE. */
uint32_t mprof__map_find(const mprof__map *map, const char *bytes, size_t length);

/* Sets the value of a key, copying the key into the arena if it is new; without an arena the bytes
 * must outlive the map. 0, or -1 without memory. */
int mprof__map_set(mprof__map *map, mprof__arena *keys, const char *bytes, size_t length,
                   uint32_t value);
void mprof__map_free(mprof__map *map);

/* Where numbers stand in a list of items that each begin with theirs, an int64_t: four bytes a
 * place, for recordings with a million processes. */
typedef struct mprof__index {
    uint32_t *places; /* owned; MPROF__MAP_NONE: free */
    size_t place_count, used;
} mprof__index;

/* The item of that number, or MPROF__MAP_NONE. */
uint32_t mprof__index_find(const mprof__index *index, const void *items, size_t item_size,
                           int64_t number);

/* Adds item `at`, whose number is not there yet. 0, or -1 without memory. */
int mprof__index_add(mprof__index *index, const void *items, size_t item_size, uint32_t at);
void mprof__index_free(mprof__index *index);

#endif
