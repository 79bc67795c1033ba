/** @file
 * Where a picture goes: a file that is replaced as a whole or not at all, standard output, memory,
 * or a function of the caller. */
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

/** Receives a picture piece by piece, in order.
 *
 * @param data   as given to mprof_output_open_function()
 * @param bytes  valid during the call
 * @param size   how many, at least 1
 * @return 0, or an errno value such as EPIPE: the function is not called again, and the failure is
 *         MPROF_EIO with this value */
typedef int (*mprof_write_function)(void *data, const void *bytes, size_t size);

/** Opens an output that hands all bytes to a function, in pieces of 64 KiB and what is left by
 * mprof_output_commit(). The function runs in the thread that writes.
 *
 * @param out    receives the output, the caller's to free; NULL on failure
 * @param write  not NULL
 * @param data   handed to the function; may be NULL
 * @param error  receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_output_open_function(mprof_output **out, mprof_write_function write,
                                                  void *data, mprof_error *error);

/** Opens an output that keeps all bytes in memory.
 *
 * @param out    receives the output, the caller's to free; NULL on failure
 * @param error  receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_output_open_memory(mprof_output **out, mprof_error *error);

/** The bytes of an output that mprof_output_open_memory() opened.
 *
 * @param output  not NULL; committed
 * @param size    receives how many there are
 * @return owned by the output; NULL: nothing was committed, or it is no memory */
MPROF_API const void *mprof_output_bytes(const mprof_output *output, size_t *size);

/** Writes bytes behind those written before.
 *
 * @param output  not NULL
 * @param bytes   read, not kept
 * @param size    how many
 * @return MPROF_OK; MPROF_EIO; MPROF_ENOMEM, into memory; or the failure that stuck */
MPROF_API mprof_status mprof_output_write(mprof_output *output, const void *bytes, size_t size);

/** Writes what is left and puts the file in its place.
 *
 * @param output  not NULL; afterwards only to be freed
 * @param error   receives the first failure of all; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM, into memory; MPROF_EIO: the older file, if any, is as it was */
MPROF_API mprof_status mprof_output_commit(mprof_output *output, mprof_error *error);

/** Frees an output; without a commit before, nothing of it is left.
 *
 * @param output  may be NULL */
MPROF_API void mprof_output_free(mprof_output *output);

#ifdef __cplusplus
}
#endif
#endif
