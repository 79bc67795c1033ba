/* Reading a source. Private to this folder. */
#ifndef MPROF_PARSE_SOURCE_H
#define MPROF_PARSE_SOURCE_H

#include <mprof/reader.h>

#include <stdbool.h>
#include <stdint.h>

/* Reads up to `size` bytes, unpacked; *count is 0 only at the end. MPROF_EFORMAT: compressed in a
 * way that is refused. */
mprof_status mprof__source_read(mprof_source *source, void *bytes, size_t size, size_t *count,
                                mprof_error *error);

/* What was read last ended early: the compressed data are damaged, or end within a block. */
bool mprof__source_is_cut(const mprof_source *source);

/* The text is translated, so it has marks: see translation.h. */
bool mprof__source_has_translator(const mprof_source *source);

/* What else could be read; "" if nothing. */
const char *mprof__source_hint(const mprof_source *source);

const char *mprof__source_name(const mprof_source *source);

/* Bytes of the whole source, at most `most`; `most` if unknown. */
size_t mprof__source_size(const mprof_source *source, size_t most);

/* From the next rewind on, only this part of the source is read, which begins with that line of the
 * file. Offsets count unpacked bytes. 0, UINT64_MAX and 1: all of it. */
void mprof__source_limit(mprof_source *source, uint64_t offset, uint64_t size, unsigned long line);

/* The first line that is read, from 1. */
unsigned long mprof__source_line(const mprof_source *source);

/* Closes a file until it is read again, so that more files can be read side by side than may be
 * open. No effect on pipes, standard input and memory. After a rewind. */
void mprof__source_rest(mprof_source *source);

/* Bytes from the start of the source to where it was read to. */
uint64_t mprof__source_end(const mprof_source *source);

/* Sets the path by which the copy of a pipe can be opened while the source exists; false: there is
 * no copy. */
bool mprof__source_copy_path(const mprof_source *source, char *path, size_t size);

/* Copies the bytes of a pipe into an unlinked file while they are read, so that it can be rewound.
 * No effect on other sources. Call it before the first read. MPROF_EIO: no room for the file. */
mprof_status mprof__source_keep(mprof_source *source, mprof_error *error);

#endif
