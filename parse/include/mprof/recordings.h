/** @file
 * The recordings of a directory, mprofile_<14 digits>.dat, or compressed .dat.gz and .dat.zst,
 * oldest first, and how a user names them.
 */
#ifndef MPROF_RECORDINGS_H
#define MPROF_RECORDINGS_H

#include <mprof/error.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A list of file names. Several threads may read one at the same time. */
typedef struct mprof_recordings mprof_recordings;

/** Lists the recordings of a directory.
 *
 * @param out        receives the list, the caller's to free; NULL on failure
 * @param directory  its path
 * @param error      receives the first failure; may be NULL
 * @return MPROF_OK, also for an empty list; MPROF_EIO: the directory cannot be read;
 *         MPROF_ENOMEM. Any thread. */
MPROF_API mprof_status mprof_recordings_open(mprof_recordings **out, const char *directory,
                                             mprof_error *error);

/** Frees a list and all names it has given.
 *
 * @param recordings  may be NULL. Not while another thread uses it. */
MPROF_API void mprof_recordings_free(mprof_recordings *recordings);

/** How many recordings there are.
 *
 * @param recordings  not NULL
 * @return their number. Any thread. */
MPROF_API size_t mprof_recordings_count(const mprof_recordings *recordings);

/** The file name of a recording.
 *
 * @param recordings  not NULL
 * @param index       less than mprof_recordings_count(); 0 is the oldest
 * @return the name without its directory, owned by the list. Any thread. */
MPROF_API const char *mprof_recordings_name(const mprof_recordings *recordings, size_t index);

/** Finds the file that a user's argument means: a path, "-" for standard input, or an index, where
 * 0 is the oldest recording and -1 the newest. A file that exists goes before an index.
 *
 * @param recordings  not NULL
 * @param argument    terminated; must live as long as *path is used
 * @param path        receives a name of the list, or the argument itself
 * @param error       receives the reason; may be NULL
 * @return MPROF_OK; MPROF_ENOTFOUND: no such file or index; MPROF_EARGUMENT: a directory. Any
 *         thread. */
MPROF_API mprof_status mprof_recordings_resolve(const mprof_recordings *recordings,
                                                const char *argument, const char **path,
                                                mprof_error *error);

#ifdef __cplusplus
}
#endif
#endif
