/* The reader in steps of one block, for who reads many recordings side by side. Private to this
 * room. */
#ifndef MPROF_PARSE_READER_STEPS_H
#define MPROF_PARSE_READER_STEPS_H

#include <mprof/reader.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct mprof__reader mprof__reader;

/* source, visitor and error must outlive the reader. block_size: bytes that are read at a time, at
 * least 256; a longer line needs more. MPROF_ENOMEM. */
mprof_status mprof__reader_open(mprof__reader **out, mprof_source *source,
                                const mprof_visitor *visitor, size_t block_size,
                                mprof_error *error);

/* The source is a recording, and all records outside of this time are far from it: nothing is
 * surveyed. */
void mprof__reader_set_range(mprof__reader *reader, double first_s, double last_s);

/* Hands on the records of the next block. *is_done: it was the last one. What mprof_read returns.
 */
mprof_status mprof__reader_step(mprof__reader *reader, bool *is_done);

void mprof__reader_free(mprof__reader *reader);

#endif
