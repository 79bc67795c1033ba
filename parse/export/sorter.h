/* Sorts more items than fit into memory: sorted stretches go to a temporary file and are merged
 * when they are read. Private to this folder. */
#ifndef MPROF_PARSE_EXPORT_SORTER_H
#define MPROF_PARSE_EXPORT_SORTER_H

#include <mprof/error.h>

#include <stddef.h>

typedef struct mprof__sorter mprof__sorter;

/* As for qsort(3). Equal items stay in the order in which they were added. */
typedef int (*mprof__sorter_compare)(const void *a, const void *b);

/* memory: bytes for items; twice as many are allocated. MPROF_ENOMEM. */
mprof_status mprof__sorter_new(mprof__sorter **out, size_t item_size, size_t memory,
                               mprof__sorter_compare compare, mprof_error *error);
void mprof__sorter_free(mprof__sorter *sorter);

/* Copies the item. MPROF_ENOMEM; MPROF_EIO: no room in the temporary file. */
mprof_status mprof__sorter_add(mprof__sorter *sorter, const void *item, mprof_error *error);

/* The next item, valid until the next call; *item is NULL after the last one. After the first call
 * nothing can be added. */
mprof_status mprof__sorter_next(mprof__sorter *sorter, const void **item, mprof_error *error);

#endif
