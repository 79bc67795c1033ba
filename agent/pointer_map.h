/* A hash table from addresses to addresses. It owns neither keys nor values. */
#ifndef MPROF_AGENT_POINTER_MAP_H
#define MPROF_AGENT_POINTER_MAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mprof__pointer_map {
    struct mprof__pointer_pair *pairs; /* open addressing; key NULL: an empty slot */
    size_t room;                       /* a power of two, or 0 */
    size_t count;
} mprof__pointer_map; /* all zero: an empty map */

/* NULL if the map does not have the key. */
void *mprof__pointer_map_find(const mprof__pointer_map *map, const void *key);

/* Sets the value of a key that is not NULL. false: out of memory, nothing changed. */
bool mprof__pointer_map_put(mprof__pointer_map *map, const void *key, void *value);

/* Removes a key and returns its value; NULL if the map does not have it. */
void *mprof__pointer_map_remove(mprof__pointer_map *map, const void *key);

/* Calls `visit` for each pair; it must not change the map. */
void mprof__pointer_map_each(const mprof__pointer_map *map,
                             void (*visit)(const void *key, void *value, void *context),
                             void *context);

/* Empties the map, then calls `visit` for each pair it had. */
void mprof__pointer_map_drain(mprof__pointer_map *map, void (*visit)(const void *key, void *value));

#endif
