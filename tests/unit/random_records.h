/* Records at random, for tests of the writer and the reader against each other and against
 * upstream's. */
#ifndef MPROF_RANDOM_RECORDS_H
#define MPROF_RANDOM_RECORDS_H

#include <mprof/record.h>

typedef struct random_source {
    uint64_t state;
    char *bytes; /* what the latest record's texts point into */
    size_t size;
} random_source;

uint64_t random_next(random_source *random);

/* Up to `longest` arbitrary bytes: letters mostly, then everything else. */
mprof_text random_text(random_source *random, size_t longest);

/* A record of any kind, its numbers such as the format can hold. Texts live until the next call. */
mprof_record random_record(random_source *random);

/* Begins anew with another seed; frees everything with random_free. */
void random_init(random_source *random, uint64_t seed);
void random_free(random_source *random);

#endif
