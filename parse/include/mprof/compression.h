/** @file
 * Compressed recordings: gzip and zstd. Readers recognise them by their content. */
#ifndef MPROF_COMPRESSION_H
#define MPROF_COMPRESSION_H

#include <mprof/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the bytes of a file are compressed. */
typedef enum mprof_compression {
    MPROF_COMPRESSION_NONE, /**< plain text */
    MPROF_COMPRESSION_GZIP, /**< RFC 1952 */
    MPROF_COMPRESSION_ZSTD, /**< RFC 8878 */
    MPROF_COMPRESSION_COUNT /**< number of values */
} mprof_compression;

/** The compression that the end of a file's name asks for, in upper or lower case.
 *
 * @param path  terminated
 * @return MPROF_COMPRESSION_GZIP for `.gz`, MPROF_COMPRESSION_ZSTD for `.zst`, else
 *         MPROF_COMPRESSION_NONE. Any thread. */
MPROF_API mprof_compression mprof_compression_of_name(const char *path);

/** Whether this build of the library can read and write a compression.
 *
 * @param compression  any value
 * @return 1 or 0. Any thread. */
MPROF_API int mprof_compression_is_supported(mprof_compression compression);

#ifdef __cplusplus
}
#endif
#endif
