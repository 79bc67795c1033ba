/* What the reader needs of a source beyond <mprof/reader.h>. Private to this folder. */
#ifndef MPROF_PARSE_SOURCE_H
#define MPROF_PARSE_SOURCE_H

#include <mprof/reader.h>

/* Up to `size` bytes into `bytes`; *count is 0 at the end only. */
mprof_status mprof__source_read(mprof_source *source, void *bytes, size_t size, size_t *count,
                                mprof_error *error);

const char *mprof__source_name(const mprof_source *source);

/* How much there is to read from the beginning, at most `most`; `most` where it is not known. */
size_t mprof__source_size(const mprof_source *source, size_t most);

/* From here on a pipe's bytes are also kept aside (in an unlinked file), so that it can be read a
 * second time; no effect on what can be rewound anyway. To be called before the first read.
 * Where there is no room to keep them, MPROF_EIO. */
mprof_status mprof__source_keep(mprof_source *source, mprof_error *error);

#endif
