/* Lines of the writer in other places than at its end. Private to this room. */
#ifndef MPROF_PARSE_WRITER_PARTS_H
#define MPROF_PARSE_WRITER_PARTS_H

#include "buffer.h"

#include <mprof/writer.h>

/* Appends the line of a record other than MEM and CHLD; calls name their process. 0, or -1 without
 * memory. */
int mprof__record_format(mprof__buffer *out, const mprof_record *record);

/* Appends whole lines. */
mprof_status mprof__writer_append_lines(mprof_writer *writer, const char *bytes, size_t length);

/* Bytes that are not committed yet. */
size_t mprof__writer_length(const mprof_writer *writer);

/* Inserts a MEM record at this place of what is not committed yet, between two lines. */
mprof_status mprof__writer_insert_mem(mprof_writer *writer, size_t at, mprof_sample sample);

/* The lines that the next commit would write: for those who want the text only. The caller may
 * empty the buffer. */
mprof__buffer *mprof__writer_lines(mprof_writer *writer);

#endif
