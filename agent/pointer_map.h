/* A table from addresses to addresses. Nothing in it is owned. */
#ifndef MPROF_AGENT_POINTER_MAP_H
#define MPROF_AGENT_POINTER_MAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mprof__pointer_map {
    struct mprof__pointer_pair *pairs; /* open addressing; a key of NULL is an empty place */
    size_t room;                       /* a power of two, or 0 */
    size_t count;
} mprof__pointer_map; /* all zero: an empty one */

/* NULL if the key is not there. */
void *mprof__pointer_map_find(const mprof__pointer_map *map, const void *key);

/* Sets the value of a key that is not NULL. false: out of memory, nothing changed. */
bool mprof__pointer_map_put(mprof__pointer_map *map, const void *key, void *value);

/* Removes a key and returns its value; NULL if it is not there. */
void *mprof__pointer_map_remove(mprof__pointer_map *map, const void *key);

/* Shows each pair, to what leaves the map as it is. */
void mprof__pointer_map_each(const mprof__pointer_map *map,
                             void (*show)(const void *key, void *value, void *context),
                             void *context);

/* Empties the map first, then hands over each pair it had. */
void mprof__pointer_map_drain(mprof__pointer_map *map, void (*take)(const void *key, void *value));

#endif
