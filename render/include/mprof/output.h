/** @file
 * Where a picture goes: a file that is replaced as a whole or not at all, or standard output. */
#ifndef MPROF_OUTPUT_H
#define MPROF_OUTPUT_H

#include <mprof/error.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Open, write, commit, free. Bytes go into a file without a name (O_TMPFILE), or into a
 * temporary file in the target's directory where the file system has no O_TMPFILE; commit names it;
 * freed without commit, nothing has happened. A target that is no regular file (a device, a pipe)
 * is written to directly. The first failure sticks. One thread at a time may use an output. */
typedef struct mprof_output mprof_output;

/** Opens an output. A name that ends in .gz or .svgz is compressed.
 *
 * @param out    receives the output, the caller's to free; NULL on failure
 * @param path   terminated; "-" is standard output
 * @param error  receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM; MPROF_EIO: no such directory, a directory, no permission. Any
 *         thread. */
MPROF_API mprof_status mprof_output_open(mprof_output **out, const char *path, mprof_error *error);

/** Writes bytes behind those written before.
 *
 * @param output  not NULL
 * @param bytes   read, not kept
 * @param size    how many
 * @return MPROF_OK; MPROF_EIO; or the failure that stuck */
MPROF_API mprof_status mprof_output_write(mprof_output *output, const void *bytes, size_t size);

/** Writes what is left and puts the file in its place.
 *
 * @param output  not NULL; afterwards only to be freed
 * @param error   receives the first failure of all; may be NULL
 * @return MPROF_OK; MPROF_EIO: the older file, if any, is as it was */
MPROF_API mprof_status mprof_output_commit(mprof_output *output, mprof_error *error);

/** Frees an output; without a commit before, nothing of it is left.
 *
 * @param output  may be NULL */
MPROF_API void mprof_output_free(mprof_output *output);

#ifdef __cplusplus
}
#endif
#endif
