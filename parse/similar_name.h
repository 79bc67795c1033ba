/* Suggests a name for one that was mistyped. */
#ifndef MPROF_PARSE_SIMILAR_NAME_H
#define MPROF_PARSE_SIMILAR_NAME_H

#include <stddef.h>

/* Keeps the nearest of the names that are offered one by one. */
typedef struct mprof__similar_name {
    const char *typed;
    size_t typed_length;
    const char *nearest; /* NULL: none is near enough */
    size_t distance;
} mprof__similar_name;

void mprof__similar_name_init(mprof__similar_name *similar, const char *typed, size_t length);
void mprof__similar_name_offer(mprof__similar_name *similar, const char *name);

#endif
