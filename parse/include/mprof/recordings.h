/* The recordings of a directory: mprofile_<14 digits>.dat, oldest first, and how a user names them.
 */
#ifndef MPROF_RECORDINGS_H
#define MPROF_RECORDINGS_H

#include <mprof/error.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mprof_recordings mprof_recordings;

/* Looks through the directory. MPROF_EIO, MPROF_ENOMEM. An empty list is no failure. */
mprof_status mprof_recordings_open(mprof_recordings **out, const char *directory,
                                   mprof_error *error);
void mprof_recordings_free(mprof_recordings *recordings);

size_t mprof_recordings_count(const mprof_recordings *recordings);
/* File name of the n-th, oldest first; owned by the list. */
const char *mprof_recordings_name(const mprof_recordings *recordings, size_t index);

/* What the user's argument means: a path, "-" (standard input), or an index (0 the oldest, -1 the
 * newest). A file that is there is meant even if its name is a number.
 * *path points into the list or is the argument itself. MPROF_ENOTFOUND, MPROF_EARGUMENT
 * (a directory), with the reason in *error. */
mprof_status mprof_recordings_resolve(const mprof_recordings *recordings, const char *argument,
                                      const char **path, mprof_error *error);

#ifdef __cplusplus
}
#endif
#endif
