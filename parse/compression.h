/* Private to this folder. */
#ifndef MPROF_PARSE_COMPRESSION_H
#define MPROF_PARSE_COMPRESSION_H

#include <mprof/compression.h>

#include <stddef.h>

enum { MPROF__MAGIC_SIZE = 4 };

/* By the first bytes, whether or not this build supports it. */
mprof_compression mprof__compression_of_bytes(const char *bytes, size_t size);

/* "gzip" */
const char *mprof__compression_name(mprof_compression compression);

/* ".gz"; "" for none. */
const char *mprof__compression_suffix(mprof_compression compression);

/* Fails with the reason if the end of a name asks for a compression that is not written, such as
 * ".xz". MPROF_EARGUMENT. */
mprof_status mprof__compression_check_name(const char *path, mprof_error *error);

/* Fails with the reason, unless this build supports it. MPROF_EFORMAT. */
mprof_status mprof__compression_check(mprof_compression compression, mprof_error *error);

#endif
