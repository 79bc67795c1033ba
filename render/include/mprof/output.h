/* Where a picture goes: a file that is replaced as a whole or not at all, or standard output. */
#ifndef MPROF_OUTPUT_H
#define MPROF_OUTPUT_H

#include <mprof/error.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Life: open, write, commit, free. What is written lies in a file without a name (O_TMPFILE), or
 * where the file system has none in a temporary file beside the target, and takes its name at
 * commit; freed without commit, nothing has happened. A target that is no regular file (a device, a
 * pipe) is written to directly. The first failure sticks. */
typedef struct mprof_output mprof_output;

/* path "-": standard output. A path that ends in .gz or .svgz is compressed.
 * MPROF_ENOMEM, MPROF_EIO (no such directory, a directory, no permission). */
mprof_status mprof_output_open(mprof_output **out, const char *path, mprof_error *error);

/* The sticky failure, or MPROF_EIO. */
mprof_status mprof_output_write(mprof_output *output, const void *bytes, size_t size);

/* Writes out what is left and puts the file in its place. MPROF_EIO; *error receives the first
 * failure. */
mprof_status mprof_output_commit(mprof_output *output, mprof_error *error);

/* NULL is fine. */
void mprof_output_free(mprof_output *output);

#ifdef __cplusplus
}
#endif
#endif
