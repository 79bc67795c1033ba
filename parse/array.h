/* Growing an array by doubling, and the order of one of doubles. Needs libc only and serves all
 * rooms. */
#ifndef MPROF_PARSE_ARRAY_H
#define MPROF_PARSE_ARRAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Makes room for item `count` of an array, and some more. Returns the array, which may have moved,
 * or NULL without memory: then the old one is still valid, and *capacity is unchanged. */
static inline void *mprof__array_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity) {
        return items;
    }
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (wanted > SIZE_MAX / item_size) {
        return NULL;
    }
    void *grown = realloc(items, wanted * item_size);
    if (grown) {
        *capacity = wanted;
    }
    return grown;
}

/* For qsort(); NAN equals everything. */
static inline int mprof__compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

#endif
