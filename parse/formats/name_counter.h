/* Names in a document whose reader merges equal ones: after escaping and cutting, names that were
 * unique may be equal. Private to this folder. */
#ifndef MPROF_PARSE_FORMATS_NAME_COUNTER_H
#define MPROF_PARSE_FORMATS_NAME_COUNTER_H

#include "escape_text.h"

#include "parse/map.h"

#include <stdbool.h>

/* All zero: no name yet. */
typedef struct mprof__name_counter {
    mprof__map known;
    mprof__arena keys;
    bool failed; /* out of memory: numbers are no longer reliable */
} mprof__name_counter;

/* Counts a name of up to three parts, each cut at `most` bytes of its escaped text. Writes what has
 * to follow it: "" the first time, then " (2)", " (3)". */
void mprof__name_counter_suffix(mprof__name_counter *counter, char suffix[16], size_t most,
                                mprof__escape escape, const char *const parts[3]);
void mprof__name_counter_free(mprof__name_counter *counter);

#endif
